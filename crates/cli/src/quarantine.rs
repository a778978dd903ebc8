//! `reprieve quarantine`: see what is held and why, take it out as a file, release it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// How long `--wait` waits.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// What is said of an empty list of what is held.
const NOTHING_HELD: &str =
    "nothing is held that fits; `--state any` lists what was released, denied or deleted as well";
/// Messages of one request.
const IDS_MAX: usize = 500;

/// Verbs of the quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineVerb {
    /// List messages that are held, newest first; with --state those that were.
    List(Box<ListArgs>),
    /// Show one, explained.
    Show {
        /// Its id.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Write exactly the stored bytes of one.
    Export {
        /// Its id.
        id: String,
        /// The file to write; standard output without.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Print the header block of one, exactly as it is.
    Headers {
        /// Its id.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show the plain text of one, and its parts; nothing is loaded or run.
    Preview {
        /// Its id.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// What recipients ask for: release or deny it with --rcpt.
    Requests {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Release messages to their recipients.
    Release(ReleaseArgs),
    /// Send a copy to somebody of ours who is no recipient of it; nothing else happens to it.
    Copy {
        /// Its id.
        id: String,
        /// An address of a domain of ours.
        #[arg(long)]
        to: String,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Close the portal to the links and sessions that a recipient has now; they can ask for a new link.
    ClosePortal {
        /// The recipient.
        address: String,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Decide that messages stay.
    Deny(DecideArgs),
    /// Delete messages; their bytes stay for a day.
    Delete(DecideArgs),
    /// Take back that messages were deleted or expired: their bytes are kept for a day.
    Recover(DecideArgs),
}

/// Filters of the list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only with a recipient in one of these states, with commas between them: held (without this and --status),
    /// tentative, releasing, in_doubt, released, failed, denied, deleted, or any.
    #[arg(long)]
    state: Option<String>,
    /// The same in Exchange's words: NotReleased, PreparingToRelease, Released, Error, Denied or Gone.
    #[arg(long, conflicts_with = "state")]
    status: Option<String>,
    /// Inbound, Outbound or Internal, in any case, as all words here.
    #[arg(long)]
    direction: Option<String>,
    /// Malware, HighConfidencePhish, Phish, Spoof, Unscannable, FileTypeBlock, PolicyRule, Spam, Bulk or Clean.
    #[arg(long)]
    category: Option<String>,
    /// A detection's code, such as EXE-0003.
    #[arg(long)]
    detection: Option<String>,
    /// The envelope sender.
    #[arg(long)]
    sender: Option<String>,
    /// A recipient.
    #[arg(long)]
    recipient: Option<String>,
    /// A text in the subject.
    #[arg(long)]
    subject: Option<String>,
    /// The header Message-ID.
    #[arg(long)]
    message_id: Option<String>,
    /// Received at or after, such as 2026-11-23T08:00:00Z, 2026-11-23 or -24h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Received before: the same.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// The last id of the page before.
    #[arg(long)]
    after: Option<String>,
    /// Rows at most (1000 at most; 100 without).
    #[arg(long)]
    limit: Option<u32>,
    #[command(flatten)]
    api: ApiArgs,
}

/// What to release.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// Ids; - reads them from standard input.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Only these recipients.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,
    /// Why, for the record. Without it a person at a terminal is asked; of a script the record says that none was
    /// given.
    #[arg(long, default_value = "")]
    reason: String,
    /// Wait until each has been accepted or refused by the next hop.
    #[arg(long)]
    wait: bool,
    /// Only say what would be done.
    #[arg(long)]
    what_if: bool,
    /// Release what was refused too: its sender was told that it failed.
    #[arg(long)]
    confirm_refused: bool,
    #[command(flatten)]
    api: ApiArgs,
}

/// What to deny, delete or take back.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// Ids.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Only these recipients.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,
    /// Why, for the record.
    #[arg(long, default_value = "")]
    reason: String,
    /// Only say what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: QuarantineVerb) -> Result<(), CliError> {
    match verb {
        QuarantineVerb::List(args) => list(*args).await,
        QuarantineVerb::Show { id, api } => {
            let shown = Client::new(&api)?.get(&format!("/api/v1/quarantine/{}", encoded(&id)), &[]).await?;
            terminal::line(&if api.json { shown.to_string() } else { explained(&shown) });
            Ok(())
        }
        QuarantineVerb::Export { id, output, api } => {
            let bytes = Client::new(&api)?.get_bytes(&format!("/api/v1/quarantine/{}/raw", encoded(&id))).await?;
            match output {
                Some(path) => {
                    std::fs::write(&path, bytes).map_err(|e| CliError::unreachable(format!("{}: {e}", path.display())))
                }
                None => {
                    terminal::bytes(&bytes);
                    Ok(())
                }
            }
        }
        QuarantineVerb::Headers { id, api } => {
            let view = Client::new(&api)?.get(&format!("/api/v1/quarantine/{}/headers", encoded(&id)), &[]).await?;
            let text = view["headers"].as_str().unwrap_or_default().to_owned();
            terminal::line(&if api.json { view.to_string() } else { safe(&text) });
            Ok(())
        }
        QuarantineVerb::Preview { id, api } => {
            let view = Client::new(&api)?.get(&format!("/api/v1/quarantine/{}/preview", encoded(&id)), &[]).await?;
            terminal::line(&if api.json { view.to_string() } else { previewed(&view) });
            Ok(())
        }
        QuarantineVerb::Requests { api } => {
            let waiting = Client::new(&api)?.get("/api/v1/quarantine/requests", &[]).await?;
            terminal::line(&if api.json { waiting.to_string() } else { requested(&waiting) });
            Ok(())
        }
        QuarantineVerb::Release(args) => release(args).await,
        QuarantineVerb::Copy { id, to, reason, api } => {
            let ask = json!({ "to": to, "reason": reason, "actor": actor() });
            let said = Client::new(&api)?.post(&format!("/api/v1/quarantine/{}/copy", encoded(&id)), &ask).await?;
            let reply = said["reply"].as_str().unwrap_or_default();
            terminal::line(&if api.json { said.to_string() } else { format!("a copy went to {to}: {reply}") });
            Ok(())
        }
        QuarantineVerb::ClosePortal { address, reason, api } => {
            let ask = json!({ "address": address, "reason": reason, "actor": actor() });
            let said = Client::new(&api)?.post("/api/v1/portal/close", &ask).await?;
            let told = format!("nothing that {address} had before now opens the portal");
            terminal::line(&if api.json { said.to_string() } else { told });
            Ok(())
        }
        QuarantineVerb::Deny(args) => decide(args, "deny", "denied").await,
        QuarantineVerb::Delete(args) => decide(args, "delete", "deleted").await,
        QuarantineVerb::Recover(args) => decide(args, "recover", "held").await,
    }
}

/// What recipients ask for, as a table.
fn requested(waiting: &Value) -> String {
    const COLUMNS: [&str; 7] = ["mail_id", "asked", "recipient", "sender", "category", "subject", "reason"];
    let cells = |one: &Value| COLUMNS.map(|name| one[name].as_str().unwrap_or_default().to_owned()).to_vec();
    let rows: Vec<Vec<String>> = waiting.as_array().into_iter().flatten().map(cells).collect();
    if rows.is_empty() { "nobody waits for an answer".into() } else { terminal::table(&COLUMNS, &rows, 44) }
}

async fn list(args: ListArgs) -> Result<(), CliError> {
    let is_of_what_is_held = args.state.is_none() && args.status.is_none();
    let query = [
        ("state", args.state),
        ("status", args.status),
        ("direction", args.direction),
        ("category", args.category),
        ("detection", args.detection),
        ("sender", args.sender),
        ("recipient", args.recipient),
        ("subject", args.subject),
        ("message_id", args.message_id),
        ("since", args.since),
        ("until", args.until),
        ("after", args.after),
        ("limit", args.limit.map(|limit| limit.to_string())),
    ];
    let held = Client::new(&args.api)?.get("/api/v1/quarantine", &query).await?;
    let none = if is_of_what_is_held { NOTHING_HELD } else { "nothing in this state" };
    terminal::line(&if args.api.json { held.to_string() } else { table(&held, none) });
    Ok(())
}

/// What is held, as a table.
pub fn listed(held: &Value) -> String {
    table(held, NOTHING_HELD)
}

fn table(held: &Value, none: &str) -> String {
    let rows: Vec<Vec<String>> = held.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return none.into();
    }
    terminal::table(
        &["id", "received", "direction", "category", "detection", "status", "sender", "recipients", "subject"],
        &rows,
        44,
    )
}

fn row(held: &Value) -> Vec<String> {
    let text = |key: &str| held[key].as_str().unwrap_or_default().to_owned();
    let recipients = held["recipients"].as_array().into_iter().flatten();
    let shown = recipients.map(|recipient| {
        format!(
            "{} ({})",
            recipient["address"].as_str().unwrap_or_default(),
            recipient["state"].as_str().unwrap_or_default()
        )
    });
    vec![
        text("id"),
        text("received").chars().take(19).collect(),
        text("direction"),
        text("category"),
        text("detection"),
        text("status"),
        text("sender"),
        shown.collect::<Vec<_>>().join(", "),
        text("subject"),
    ]
}

/// One held message, explained.
pub fn explained(shown: &Value) -> String {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut out = vec![
        format!("id        {}", text(shown, "id")),
        format!("received  {}", text(shown, "received")),
        format!("from      {}", text(shown, "sender")),
        format!("subject   {}", text(shown, "subject")),
        format!("category  {}  ({})", text(shown, "category"), text(shown, "status")),
        format!("size      {} bytes, sha256 {}", shown["size"], text(shown, "sha256")),
        format!("ruleset   {}", text(shown, "ruleset")),
        "recipients".into(),
    ];
    for unit in shown["units"].as_array().into_iter().flatten() {
        out.push(format!(
            "  {} ({}): {} {}",
            text(unit, "recipient"),
            text(unit, "direction"),
            text(unit, "state"),
            text(unit, "reply")
        ));
        for reason in unit["reasons"].as_array().into_iter().flatten() {
            out.push(format!("    because {}", text(reason, "text")));
        }
    }
    out.push("parts".into());
    for part in shown["parts"].as_array().into_iter().flatten() {
        out.push(format!(
            "  {} {} {} bytes {} '{}'",
            part["number"],
            text(part, "content_type"),
            part["size"],
            text(part, "family"),
            text(part, "name")
        ));
    }
    out.push("findings".into());
    for finding in shown["findings"].as_array().into_iter().flatten() {
        let place = finding["part"].as_u64().map_or("message".to_owned(), |part| format!("part {part}"));
        out.push(format!(
            "  {} ({}) {} in {place}: {}",
            text(finding, "detection"),
            text(finding, "detection_version"),
            text(finding, "effect"),
            text(finding, "evidence")
        ));
        if let Some(hit) = finding["previous"]["hit"].as_bool() {
            let version = text(&finding["previous"], "detection_version");
            let said = if hit { "hits the same" } else { "does not hit this" };
            out.push(format!("    its earlier version {version} {said}"));
        }
    }
    out.push("engines".into());
    for engine in shown["engines"].as_array().into_iter().flatten() {
        out.push(format!(
            "  {} {} {} {} ms",
            text(engine, "engine"),
            text(engine, "version"),
            text(engine, "outcome"),
            engine["millis"]
        ));
    }
    out.join("\n")
}

/// Text of a stranger for a terminal: no control characters but line ends and tabs.
fn safe(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn previewed(view: &Value) -> String {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let mut out = vec![format!(
        "from {}  subject \"{}\"  {}",
        text(view, "sender"),
        text(view, "subject"),
        text(view, "category")
    )];
    for part in view["parts"].as_array().into_iter().flatten() {
        out.push(format!(
            "  {} {} {} bytes '{}'",
            part["number"],
            text(part, "content_type"),
            part["size"],
            text(part, "name")
        ));
    }
    out.extend(
        view["texts"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| format!("----\n{}", safe(one.as_str().unwrap_or_default()))),
    );
    out.join("\n")
}

/// Who asks, for the record.
pub fn actor() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default()
}

async fn decide(args: DecideArgs, verb: &str, done: &str) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    let mut no = false;
    for id in &args.ids {
        let ask = json!({ "recipients": args.rcpt, "reason": args.reason, "actor": actor(), "what_if": args.what_if });
        let decided = client.post(&format!("/api/v1/quarantine/{}/{verb}", encoded(id)), &ask).await?;
        no |= decided["units"].as_array().into_iter().flatten().any(|unit| !args.what_if && unit["state"] != done);
        terminal::line(&if args.api.json { decided.to_string() } else { outcome(&decided) });
    }
    if no { Err(CliError::No) } else { Ok(()) }
}

async fn release(args: ReleaseArgs) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    let mut no = false;
    let reads_ids = args.ids == ["-"];
    let ids = ids(args.ids)?;
    let reason = if args.what_if { args.reason } else { reason_of_release(args.reason, ids.len(), reads_ids)? };
    for ids in ids.chunks(IDS_MAX) {
        let ask = json!({
            "ids": ids,
            "recipients": args.rcpt,
            "reason": reason,
            "actor": actor(),
            "what_if": args.what_if,
            "confirm_refused": args.confirm_refused,
        });
        let mut released = client.post("/api/v1/quarantine/release", &ask).await?;
        for one in released.as_array_mut().into_iter().flatten() {
            if args.wait && !args.what_if {
                let id = one["id"].as_str().unwrap_or_default().to_owned();
                wait(&client, &id, one).await?;
            }
            let units = one["units"].as_array().into_iter().flatten();
            no |= units.into_iter().any(|unit| !args.what_if && !is_on_its_way(unit, args.wait));
            terminal::line(&if args.api.json { one.to_string() } else { outcome(one) });
        }
    }
    if no { Err(CliError::No) } else { Ok(()) }
}

/// Why messages are released. Whoever sits at a terminal and has not said it is asked, and may still leave it; a script
/// goes on, as scripts of before do, and the record says that nobody gave a reason.
fn reason_of_release(given: String, messages: usize, reads_ids: bool) -> Result<String, CliError> {
    if !given.trim().is_empty() {
        return Ok(given);
    }
    if reads_ids || !terminal::is_a_person_there() {
        return Ok(format!("released at the command line by {}, without a reason", actor()));
    }
    let said =
        terminal::ask(&format!("Release {messages} messages to their recipients? Say why, or nothing to leave it: "));
    said.filter(|said| !said.is_empty()).ok_or(CliError::No)
}

/// Ids as they were given; `-` stands for those on standard input, one a line.
fn ids(given: Vec<String>) -> Result<Vec<String>, CliError> {
    if given != ["-"] {
        return Ok(given);
    }
    let text = std::io::read_to_string(std::io::stdin()).map_err(CliError::unreachable)?;
    let ids: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if ids.is_empty() { Err(CliError::Usage("no id on standard input".into())) } else { Ok(ids) }
}

fn is_on_its_way(unit: &Value, waited: bool) -> bool {
    match unit["state"].as_str().unwrap_or_default() {
        "released" => true,
        "releasing" => !waited,
        _ => false,
    }
}

/// Asks again until no unit is on its way any more, and takes over where each ended.
async fn wait(client: &Client, id: &str, released: &mut Value) -> Result<(), CliError> {
    let began = Instant::now();
    loop {
        let shown = client.get(&format!("/api/v1/quarantine/{}", encoded(id)), &[]).await?;
        let mut moving = false;
        for unit in released["units"].as_array_mut().into_iter().flatten() {
            let now = shown["units"].as_array().into_iter().flatten().find(|now| now["recipient"] == unit["recipient"]);
            if let Some(now) = now {
                unit["state"] = now["state"].clone();
                unit["reply"] = now["reply"].clone();
                // A deferred release is tried again for hours; its first answer is an answer.
                moving |= now["state"] == "releasing" && now["release_state"] != "deferred";
            }
        }
        if !moving || began.elapsed() > WAIT_MAX {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn outcome(released: &Value) -> String {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let units = released["units"].as_array().into_iter().flatten();
    let lines = units.map(|unit| {
        let (state, reply) = (text(unit, "state"), text(unit, "reply"));
        let became = if reply.is_empty() { state } else { format!("{state}: {reply}") };
        format!("{}  {}: {became}", text(released, "id"), text(unit, "recipient"))
    });
    lines.collect::<Vec<_>>().join("\n")
}
