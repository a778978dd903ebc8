//! `reprieve incident`: what a wrong detection did, how far taking it back is, and what people do about it. `reprieve
//! replay` is the same by the name of what it does.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// How often progress is asked for.
const LOOK: Duration = Duration::from_millis(500);

/// Verbs about incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentVerb {
    /// List all, newest first.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show one with its timeline, its reach and what is left.
    Show {
        /// Its public id.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Open one about a detection: what it held is counted in.
    Open {
        /// The code of the detection.
        detection: String,
        /// Its version; none for the one in force.
        #[arg(long)]
        version: Option<String>,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// What the public is told beside what the record says.
        #[arg(long)]
        public_text: Option<String>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Write into its timeline; change what the public is told, the owner, or when more will be said.
    Update {
        /// Its public id.
        id: String,
        /// What to write.
        #[arg(long)]
        text: String,
        /// Show that line to the public.
        #[arg(long)]
        public: bool,
        /// What the public is told from now on beside what the record says.
        #[arg(long)]
        public_text: Option<String>,
        /// Whose it is.
        #[arg(long)]
        owner: Option<String>,
        /// Minutes until more will be said.
        #[arg(long)]
        next_update: Option<u64>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Contain its detection.
    Contain(StepArgs),
    /// Examine again what it held, and release what passes.
    Replay {
        /// Which, and why.
        #[command(flatten)]
        step: StepArgs,
        /// Only say what would come of it.
        #[arg(long)]
        what_if: bool,
        /// Watch until every unit is accounted for.
        #[arg(long)]
        wait: bool,
    },
    /// Release what the replay has cleared: it does so by itself; this watches until all of it is out.
    Release {
        /// Its public id.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Close it.
    Resolve(StepArgs),
    /// Print the post-incident report.
    Report {
        /// Its public id.
        id: String,
        /// In which form.
        #[arg(long, value_enum, ignore_case = true, default_value_t = Form::Markdown)]
        form: Form,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Markdown.
    Markdown,
    /// A page.
    Html,
    /// Data.
    Json,
}

/// Which incident, and why.
#[derive(Debug, Args)]
pub struct StepArgs {
    /// Its public id.
    id: String,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Verbs about the replay of an incident.
#[derive(Debug, Subcommand)]
pub enum ReplayVerb {
    /// Examine again what an incident's detection held.
    Start(StepArgs),
    /// Say how far it is; `--wait` watches until every unit is accounted for.
    Status {
        /// The public id of the incident.
        id: String,
        /// Watch until every unit is accounted for.
        #[arg(long)]
        wait: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Stop it for now.
    Pause(StepArgs),
    /// Go on.
    Resume(StepArgs),
    /// Examine once more what was inconclusive.
    Retry(StepArgs),
    /// Stop it until somebody starts it again: what is not examined yet stays held.
    Cancel(StepArgs),
}

/// Runs a verb about incidents.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: IncidentVerb) -> Result<(), CliError> {
    match verb {
        IncidentVerb::List { api } => {
            let list = Client::new(&api)?.get("/api/v1/incidents", &[]).await?;
            terminal::line(&if api.json { list.to_string() } else { list_text(&list) });
            Ok(())
        }
        IncidentVerb::Show { id, api } => {
            let shown = Client::new(&api)?.get(&path(&id), &[]).await?;
            say(&shown, &api);
            Ok(())
        }
        IncidentVerb::Open { detection, version, reason, public_text, api } => {
            let actor = super::quarantine::actor();
            let ask = json!({
                "detection": detection, "version": version, "reason": reason, "public_text": public_text,
                    "actor": actor,
            });
            let shown = Client::new(&api)?.post("/api/v1/incidents", &ask).await?;
            say(&shown, &api);
            Ok(())
        }
        IncidentVerb::Update { id, text, public, public_text, owner, next_update, api } => {
            let ask = json!({
                "action": "note", "text": text, "public": public, "public_text": public_text, "owner": owner,
                "next_update_minutes": next_update, "actor": super::quarantine::actor(),
            });
            let shown = Client::new(&api)?.post(&path(&id), &ask).await?;
            say(&shown, &api);
            Ok(())
        }
        IncidentVerb::Contain(StepArgs { id, reason, api }) => {
            let client = Client::new(&api)?;
            let shown = client.get(&path(&id), &[]).await?;
            let ask = json!({
                "detection": shown["detection"], "version": shown["detection_version"], "reason": reason,
                "actor": super::quarantine::actor(),
            });
            let contained = client.post("/api/v1/containment", &ask).await?;
            let detection = contained["detection"].as_str().unwrap_or_default();
            terminal::line(&if api.json { contained.to_string() } else { format!("{detection} is contained") });
            Ok(())
        }
        IncidentVerb::Replay { step: StepArgs { id, api, .. }, what_if: true, .. } => {
            let run = Client::new(&api)?.get(&format!("{}/dry-run", path(&id)), &[]).await?;
            terminal::line(&if api.json { run.to_string() } else { dry_text(&run) });
            Ok(())
        }
        IncidentVerb::Replay { step, wait, .. } => {
            let (id, api) = (step.id.clone(), step.api.clone());
            change("replay", step).await?;
            if wait { watch(&id, &api).await } else { Ok(()) }
        }
        IncidentVerb::Release { id, api } => watch(&id, &api).await,
        IncidentVerb::Resolve(step) => change("resolve", step).await,
        IncidentVerb::Report { id, form, api } => {
            let form = match form {
                Form::Markdown => "markdown",
                Form::Html => "html",
                Form::Json => "json",
            };
            let form = if api.json { "json" } else { form };
            let report = Client::new(&api)?.get_bytes(&format!("{}/report?form={form}", path(&id))).await?;
            terminal::bytes(&report);
            Ok(())
        }
    }
}

/// Runs a verb about replays.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run_replay(verb: ReplayVerb) -> Result<(), CliError> {
    match verb {
        ReplayVerb::Start(step) => change("replay", step).await,
        ReplayVerb::Pause(step) => change("pause", step).await,
        ReplayVerb::Resume(step) => change("resume", step).await,
        ReplayVerb::Retry(step) => change("retry", step).await,
        ReplayVerb::Cancel(step) => change("cancel", step).await,
        ReplayVerb::Status { id, wait: true, api } => watch(&id, &api).await,
        ReplayVerb::Status { id, api, .. } => {
            let shown = Client::new(&api)?.get(&path(&id), &[]).await?;
            let text = || format!("{} {}: {}", id, shown["stage"].as_str().unwrap_or_default(), progress_text(&shown));
            terminal::line(&if api.json { shown["progress"].to_string() } else { text() });
            Ok(())
        }
    }
}

fn path(id: &str) -> String {
    format!("/api/v1/incidents/{}", encoded(id))
}

async fn change(action: &str, step: StepArgs) -> Result<(), CliError> {
    let StepArgs { id, reason, api } = step;
    let ask = json!({ "action": action, "text": reason, "actor": super::quarantine::actor() });
    let shown = Client::new(&api)?.post(&path(&id), &ask).await?;
    say(&shown, &api);
    Ok(())
}

/// Shows progress until every unit is accounted for; exit 1 when some were neither delivered nor upheld.
async fn watch(id: &str, api: &ApiArgs) -> Result<(), CliError> {
    let client = Client::new(api)?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    loop {
        let shown = client.get(&path(id), &[]).await?;
        let number = |key: &str| shown["progress"][key].as_u64().unwrap_or_default();
        bar.set_length(number("units"));
        bar.set_position(number("over"));
        bar.set_message(shown["stage"].as_str().unwrap_or_default().to_owned());
        if shown["stage"] == "resolved" {
            bar.finish_and_clear();
            say(&shown, api);
            let lost = number("units").saturating_sub(number("restored") + number("upheld") + number("asked"));
            return if lost == 0 { Ok(()) } else { Err(CliError::No) };
        }
        if shown["paused"] == true {
            bar.finish_and_clear();
            return Err(CliError::Usage(format!("{id} is paused; `reprieve replay resume {id}` goes on")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn say(shown: &Value, api: &ApiArgs) {
    terminal::line(&if api.json { shown.to_string() } else { show_text(shown) });
}

fn list_text(list: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let progress = &one["progress"];
        let done = format!("{} of {} ({} %)", progress["over"], progress["units"], progress["percent"]);
        let stage = if one["paused"] == true { format!("{}, paused", text("stage")) } else { text("stage") };
        vec![text("id"), stage, text("detection"), text("opened"), done, text("owner"), text("title")]
    };
    let rows: Vec<Vec<String>> = list.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return "no incidents".into();
    }
    terminal::table(&["id", "stage", "detection", "opened", "accounted for", "owner", "title"], &rows, 48)
}

fn progress_text(shown: &Value) -> String {
    let progress = &shown["progress"];
    let number = |key: &str| progress[key].as_u64().unwrap_or_default();
    let mut text = format!(
        "{} of {} units accounted for ({} %): {} cleared, {} delivered by it, {} by other decisions, {} upheld, {} \
            inconclusive, {} settled before",
        number("over"),
        number("units"),
        progress["percent"],
        number("cleared"),
        number("delivered"),
        number("delivered_by_others"),
        number("upheld"),
        number("inconclusive"),
        number("settled")
    );
    if number("asked") > 0 {
        text.push_str(&format!("; {} are old, and their senders are asked first", number("asked")));
    }
    if let Some(eta) = progress["eta_seconds"].as_u64() {
        text.push_str(&format!("; about {} to go", platform::report::span(Duration::from_secs(eta))));
    }
    text
}

fn dry_text(run: &Value) -> String {
    format!(
        "of {} units {} would be cleared and {} would stay: {}",
        run["units"],
        run["cleared"],
        run["upheld"],
        run["rests_on"].as_str().unwrap_or_default()
    )
}

/// An incident, for people.
pub fn show_text(shown: &Value) -> String {
    let text = |key: &str| shown[key].as_str().unwrap_or_default();
    let stage = if shown["paused"] == true { format!("{}, paused", text("stage")) } else { text("stage").to_owned() };
    let mut out = vec![
        format!("{}  {}  [{}]", text("id"), text("title"), terminal::coloured(&stage, colour(text("stage")))),
        format!(
            "  detection {} version {}, in force since {}; began {}",
            text("detection"),
            text("detection_version"),
            shown["in_force_since"].as_str().unwrap_or("(not known)"),
            shown["began"].as_str().unwrap_or("(not known yet)"),
        ),
        format!("  {}", progress_text(shown)),
        format!("  cause: {}", text("cause")),
        format!("  public: {}", text("public_text")),
        format!("  manifest: {} waves, root {}", shown["waves"], text("manifest_root")),
    ];
    for (name, list) in shown["blast_radius"].as_object().into_iter().flatten() {
        let list: Vec<String> = list
            .as_array()
            .into_iter()
            .flatten()
            .take(5)
            .map(|one| format!("{} {}", one[0].as_str().unwrap_or_default(), one[1]))
            .collect();
        out.push(format!("  {name}: {}", list.join(", ")));
    }
    out.push("  timeline".to_owned());
    for note in shown["timeline"].as_array().into_iter().flatten() {
        let text = |key: &str| note[key].as_str().unwrap_or_default();
        out.push(format!("    {}  {:<13} {} ({})", text("at"), text("what"), text("text"), text("actor")));
    }
    let residual = shown["residual"].as_array().cloned().unwrap_or_default();
    if !residual.is_empty() {
        out.push(format!("  not delivered: {}", residual.len()));
        for one in residual.iter().take(20) {
            let text = |key: &str| one[key].as_str().unwrap_or_default();
            out.push(format!(
                "    {} to {}: {}, {}: {}",
                text("unit"),
                text("recipient"),
                text("outcome"),
                text("account"),
                text("reason")
            ));
        }
    }
    out.join("\n")
}

fn colour(stage: &str) -> u8 {
    match stage {
        "resolved" => 32,
        "investigating" | "contained" => 31,
        _ => 33,
    }
}
