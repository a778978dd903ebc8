//! `reprieve incident`: what a faulty detection held, how far the replay is, and what people do about it. `reprieve
//! replay` is the same by the name of what it does.

use std::time::Duration;

use api_types::incident::{
    BlastView, ChangeAsk, DryRunView, IncidentRow, IncidentView, OpenAsk, ProgressView, ReportQuery,
};
use api_types::sentinel::{ContainAsk, ContainmentView};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// How often progress is asked for.
const LOOK: Duration = Duration::from_millis(500);

/// Verbs about incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentVerb {
    /// List incidents, newest first.
    List {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Show an incident: timeline, affected mail, and what was not delivered.
    Show {
        /// The ID of the incident.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Open an incident about a detection; what it held is counted in.
    Open {
        /// The code of the detection.
        detection: String,
        /// Its version; default: the one in force.
        #[arg(long)]
        version: Option<String>,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// A text for the public status page, beside the facts of the record.
        #[arg(long)]
        public_text: Option<String>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Add to the timeline; change the public text, the owner, or the time of the next update.
    Update {
        /// The ID of the incident.
        id: String,
        /// The text to add.
        #[arg(long)]
        text: String,
        /// Show this text on the public status page.
        #[arg(long)]
        public: bool,
        /// The new text for the public status page.
        #[arg(long)]
        public_text: Option<String>,
        /// The owner.
        #[arg(long)]
        owner: Option<String>,
        /// Minutes until the next update.
        #[arg(long)]
        next_update: Option<u64>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Contain the detection of an incident.
    Contain(StepArgs),
    /// Replay: re-examine what the detection held, and release what passes.
    Replay {
        /// Which, and why.
        #[command(flatten)]
        step: StepArgs,
        /// Only print what would be released.
        #[arg(long)]
        what_if: bool,
        /// Wait until every delivery is done.
        #[arg(long)]
        wait: bool,
    },
    /// Wait until everything that the replay has cleared is released, which it does by itself.
    Release {
        /// The ID of the incident.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Resolve an incident.
    Resolve(StepArgs),
    /// Print the post-incident report.
    Report {
        /// The ID of the incident.
        id: String,
        /// The format.
        #[arg(long, value_enum, ignore_case = true, default_value_t = Form::Markdown)]
        form: Form,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Markdown.
    Markdown,
    /// HTML.
    Html,
    /// JSON.
    Json,
}

/// Which incident, and why.
#[derive(Debug, Args)]
pub struct StepArgs {
    /// The ID of the incident.
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
    /// Start the replay of an incident: re-examine what its detection held.
    Start(StepArgs),
    /// Show the progress of a replay.
    Status {
        /// The ID of the incident.
        id: String,
        /// Wait until every delivery is done.
        #[arg(long)]
        wait: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Pause a replay.
    Pause(StepArgs),
    /// Resume a paused replay.
    Resume(StepArgs),
    /// Re-examine once more what was inconclusive.
    Retry(StepArgs),
    /// Cancel a replay: what is not re-examined yet stays held.
    Cancel(StepArgs),
}

/// Runs a verb about incidents.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: IncidentVerb) -> Result<(), CliError> {
    match verb {
        IncidentVerb::List { to } => {
            let list = Client::new(&to.api)?.get::<Vec<IncidentRow>>("/api/v1/incidents").await?;
            list.list(&to, |list| table(list))
        }
        IncidentVerb::Show { id, api } => {
            let client = Client::new(&api)?;
            client.get::<IncidentView>(&path(&client, &id).await?).await?.print(&api, show_text)
        }
        IncidentVerb::Open { detection, version, reason, public_text, api } => {
            let actor = super::quarantine::actor();
            let ask = OpenAsk { detection, version, public_text, reason, actor };
            Client::new(&api)?.post::<IncidentView>("/api/v1/incidents", &ask).await?.print(&api, show_text)
        }
        IncidentVerb::Update { id, text, public, public_text, owner, next_update, api } => {
            let ask = ChangeAsk {
                action: "note".to_owned(),
                text,
                public,
                public_text,
                owner,
                next_update_minutes: next_update,
                actor: super::quarantine::actor(),
            };
            let client = Client::new(&api)?;
            client.post::<IncidentView>(&path(&client, &id).await?, &ask).await?.print(&api, show_text)
        }
        IncidentVerb::Contain(StepArgs { id, reason, api }) => {
            let client = Client::new(&api)?;
            let path = path(&client, &id).await?;
            let IncidentRow { detection, detection_version, .. } = client.get::<IncidentView>(&path).await?.view()?.row;
            let ask = ContainAsk {
                detection,
                version: Some(detection_version),
                reason,
                actor: super::quarantine::actor(),
                ..ContainAsk::default()
            };
            let contained = client.post::<ContainmentView>("/api/v1/containment", &ask).await?;
            contained.print(&api, |contained| format!("{} is contained", contained.detection))
        }
        IncidentVerb::Replay { step: StepArgs { id, api, .. }, what_if: true, .. } => {
            let client = Client::new(&api)?;
            let path = format!("{}/dry-run", path(&client, &id).await?);
            client.get::<DryRunView>(&path).await?.print(&api, dry_text)
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
            let query = ReportQuery { form: if api.json { "json" } else { form }.to_owned() };
            let client = Client::new(&api)?;
            let path = format!("{}/report", path(&client, &id).await?);
            let report = client.get_bytes_with(&path, &query).await?;
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
            let client = Client::new(&api)?;
            let shown = client.get::<IncidentView>(&path(&client, &id).await?).await?;
            if api.json {
                // As it came, with fields that only a newer service knows.
                terminal::line(&shown.json()["progress"].to_string());
            } else {
                let row = shown.view()?.row;
                terminal::line(&format!("{} {}: {}", row.id, row.stage, progress_text(&row.progress)));
            }
            Ok(())
        }
    }
}

async fn path(client: &Client, id: &str) -> Result<String, CliError> {
    Ok(format!("/api/v1/incidents/{}", encoded(&client.incident_id(id).await?)))
}

async fn change(action: &str, step: StepArgs) -> Result<(), CliError> {
    let StepArgs { id, reason, api } = step;
    let actor = super::quarantine::actor();
    let ask = ChangeAsk { action: action.to_owned(), text: reason, actor, ..ChangeAsk::default() };
    let client = Client::new(&api)?;
    client.post::<IncidentView>(&path(&client, &id).await?, &ask).await?.print(&api, show_text)
}

/// Shows progress until every delivery is done; exit 1 when some were neither delivered nor upheld.
async fn watch(id: &str, api: &ApiArgs) -> Result<(), CliError> {
    let client = Client::new(api)?;
    let path = path(&client, id).await?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    loop {
        let shown = client.get::<IncidentView>(&path).await?;
        let IncidentRow { stage, paused, progress, .. } = shown.view()?.row;
        bar.set_length(progress.units);
        bar.set_position(progress.over);
        bar.set_message(stage.clone());
        if stage == "resolved" {
            bar.finish_and_clear();
            shown.print(api, show_text)?;
            let lost = progress.units.saturating_sub(progress.restored + progress.upheld + progress.asked);
            return if lost == 0 { Ok(()) } else { Err(CliError::No) };
        }
        if paused {
            bar.finish_and_clear();
            return Err(CliError::Usage(format!("{id} is paused; `reprieve replay resume {id}` resumes it")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

const COLUMNS: &[Column] =
    &[whole("id"), text("stage"), text("detection"), time("opened"), text("done"), text("owner"), text("title")];

fn table(list: &[IncidentRow]) -> Table {
    let row = |one: &IncidentRow| {
        let IncidentRow { id, detection, opened, owner, title, progress, .. } = one.clone();
        let percent = terminal::number(progress.percent);
        let done = format!("{} of {} ({percent} %)", progress.over, progress.units);
        vec![id, stage_text(one), detection, opened, done, owner, title]
    };
    Table::new(COLUMNS, "no incidents", list.iter().map(row).collect()).cut_at(48)
}

fn stage_text(incident: &IncidentRow) -> String {
    if incident.paused { format!("{}, paused", incident.stage) } else { incident.stage.clone() }
}

fn progress_text(progress: &ProgressView) -> String {
    let ProgressView { units, cleared, upheld, inconclusive, settled, asked, .. } = progress;
    let ProgressView { delivered, delivered_by_others, over, percent, eta_seconds, .. } = progress;
    let mut text = format!(
        "{over} of {units} deliveries done ({} %): {cleared} cleared, {delivered} delivered by the replay, \
            {delivered_by_others} by other decisions, {upheld} upheld, {inconclusive} inconclusive, {settled} decided \
            before",
        terminal::number(*percent),
    );
    if *asked > 0 {
        text.push_str(&format!("; {asked} are old: their senders are asked first"));
    }
    if let Some(eta) = eta_seconds {
        text.push_str(&format!("; about {} to go", platform::report::span(Duration::from_secs(*eta))));
    }
    text
}

fn dry_text(run: &DryRunView) -> String {
    let DryRunView { units, cleared, upheld, rests_on } = run;
    format!("of {units} deliveries {cleared} would be released and {upheld} would stay held: {rests_on}")
}

/// An incident, for people.
pub fn show_text(shown: &IncidentView) -> String {
    let IncidentRow { id, title, stage, detection, detection_version, progress, .. } = &shown.row;
    let IncidentView { cause, public_text, began, in_force_since, waves, manifest_root, .. } = shown;
    let mut out = vec![
        format!("{id}  {title}  [{}]", terminal::coloured(&stage_text(&shown.row), colour(stage))),
        format!(
            "  detection {detection} version {detection_version}, in force since {}; began {}",
            in_force_since.as_deref().map_or("(not known)".to_owned(), terminal::moment),
            began.as_deref().map_or("(not known yet)".to_owned(), terminal::moment),
        ),
        format!("  {}", progress_text(progress)),
        format!("  cause: {cause}"),
        format!("  public: {public_text}"),
        format!("  manifest: {waves} waves, root {manifest_root}"),
    ];
    let BlastView { directions, domains, senders, recipients } = &shown.blast_radius;
    for (name, list) in
        [("directions", directions), ("domains", domains), ("senders", senders), ("recipients", recipients)]
    {
        let list: Vec<String> = list.iter().take(5).map(|(what, units)| format!("{what} {units}")).collect();
        out.push(format!("  {name}: {}", list.join(", ")));
    }
    out.push("  timeline".to_owned());
    for note in &shown.timeline {
        let at = terminal::moment(&note.at);
        out.push(format!("    {at}  {:<13} {} ({})", note.what, note.text, note.actor));
    }
    if !shown.residual.is_empty() {
        out.push(format!("  not delivered: {}", shown.residual.len()));
    }
    for one in shown.residual.iter().take(20) {
        out.push(format!("    {} to {}: {}, {}: {}", one.unit, one.recipient, one.outcome, one.account, one.reason));
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
