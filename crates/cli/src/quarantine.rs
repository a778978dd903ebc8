//! `reprieve quarantine`: see what is held and why, take it out as a file, release it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use api_types::quarantine::{
    CloseAsk, ClosedView, CopiedView, CopyAsk, DecideAsk, HeadersView, HeldView, ListQuery, PartView, PreviewView,
    ReleaseManyAsk, ReleasedUnit, ReleasedView, RequestView, ShownView, UnitView,
};
use clap::{Args, Subcommand};

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// How long `--wait` waits.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// What is said of an empty list of what is held.
const NOTHING_HELD: &str = "no held message matches; `--state any` lists released, denied and deleted ones as well";
/// Messages of one request.
const IDS_MAX: usize = 500;

/// Verbs of the quarantine.
#[derive(Debug, Subcommand)]
pub enum QuarantineVerb {
    /// List held messages, newest first; with --state others as well.
    List(Box<ListArgs>),
    /// Show a message and explain its verdict.
    Show {
        /// The ID of the message.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Export a message: exactly its stored bytes.
    Export {
        /// The ID of the message.
        id: String,
        /// The file to write; default: standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Print the headers of a message, unchanged.
    Headers {
        /// The ID of the message.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Safe preview: the plain text and the parts of a message; nothing is loaded or run.
    Preview {
        /// The ID of the message.
        id: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List the release requests of recipients; answer them with release or deny and --rcpt.
    Requests {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Release messages to their recipients.
    Release(ReleaseArgs),
    /// Send a copy to an internal address that is not a recipient; the message itself is unchanged.
    Copy {
        /// The ID of the message.
        id: String,
        /// An address in an accepted domain.
        #[arg(long)]
        to: String,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Sign a recipient out of the portal: current links and sessions end; they can request a new link.
    ClosePortal {
        /// The address of the recipient.
        address: String,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Deny release: the messages stay in quarantine.
    Deny(DecideArgs),
    /// Delete messages; they can be recovered for a day.
    Delete(DecideArgs),
    /// Recover messages that were deleted or have expired within the last day.
    Recover(DecideArgs),
}

/// Filters of the list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only messages with a delivery in one of these states, separated by commas: held (the default), tentative,
    /// releasing, in_doubt, released, failed, denied, deleted, or any.
    #[arg(long)]
    state: Option<String>,
    /// The same by Exchange's status: NotReleased, PreparingToRelease, Released, Error, Denied or Gone.
    #[arg(long, conflicts_with = "state")]
    status: Option<String>,
    /// Inbound, Outbound or Internal, in upper or lower case.
    #[arg(long)]
    direction: Option<String>,
    /// Malware, HighConfidencePhish, Phish, Spoof, Unscannable, FileTypeBlock, PolicyRule, Spam, Bulk or Clean.
    #[arg(long)]
    category: Option<String>,
    /// The code of a detection, such as EXE-0003.
    #[arg(long)]
    detection: Option<String>,
    /// The envelope sender.
    #[arg(long)]
    sender: Option<String>,
    /// A recipient.
    #[arg(long)]
    recipient: Option<String>,
    /// Text in the subject.
    #[arg(long)]
    subject: Option<String>,
    /// The Message-ID header.
    #[arg(long)]
    message_id: Option<String>,
    /// Received at or after, such as 2026-11-23T08:00:00Z, 2026-11-23 or -24h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Received before, in the same form.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Continue after this ID: the last one of the previous page.
    #[arg(long)]
    after: Option<String>,
    /// Maximum number of messages, up to 1000; default 100.
    #[arg(long)]
    limit: Option<u32>,
    /// Where the API is, and the format.
    #[command(flatten)]
    to: TableArgs,
}

/// What to release.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// IDs of messages; - reads them from standard input.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Only for this recipient; may be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,
    /// Why, for the record; asked for at a terminal. A script may omit it, which is recorded.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Wait until the next hop has accepted or refused each.
    #[arg(long)]
    wait: bool,
    /// Only print what would be done.
    #[arg(long)]
    what_if: bool,
    /// Release rejected messages as well, although their sender got a bounce.
    #[arg(long)]
    confirm_refused: bool,
    #[command(flatten)]
    api: ApiArgs,
}

/// What to deny, delete or take back.
#[derive(Debug, Args)]
pub struct DecideArgs {
    /// IDs of messages.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Only for this recipient; may be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,
    /// Why, for the record.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Only print what would be done.
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
            let client = Client::new(&api)?;
            client.get::<ShownView>(&path(&client, &id, "").await?).await?.print(&api, explained)
        }
        QuarantineVerb::Export { id, output, api } => {
            let client = Client::new(&api)?;
            let bytes = client.get_bytes(&path(&client, &id, "/raw").await?).await?;
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
            let client = Client::new(&api)?;
            let answer = client.get::<HeadersView>(&path(&client, &id, "/headers").await?).await?;
            answer.print_with_lines(&api, |view| safe(&view.headers))
        }
        QuarantineVerb::Preview { id, api } => {
            let client = Client::new(&api)?;
            let path = path(&client, &id, "/preview").await?;
            client.get::<PreviewView>(&path).await?.print_with_lines(&api, previewed)
        }
        QuarantineVerb::Requests { to } => {
            let waiting = Client::new(&to.api)?.get::<Vec<RequestView>>("/api/v1/quarantine/requests").await?;
            waiting.list(&to, |waiting| requested(waiting))
        }
        QuarantineVerb::Release(args) => release(args).await,
        QuarantineVerb::Copy { id, to, reason, api } => {
            let ask = CopyAsk { to: to.clone(), reason, actor: actor() };
            let client = Client::new(&api)?;
            let copied = client.post::<CopiedView>(&path(&client, &id, "/copy").await?, &ask).await?;
            copied.print(&api, |copied| format!("a copy was sent to {to}: {}", copied.reply))
        }
        QuarantineVerb::ClosePortal { address, reason, api } => {
            let told = format!("{address} is signed out of the portal; earlier links no longer work");
            let ask = CloseAsk { address, reason, actor: actor() };
            Client::new(&api)?.post::<ClosedView>("/api/v1/portal/close", &ask).await?.print(&api, |_| told)
        }
        QuarantineVerb::Deny(args) => decide(args, "deny", "denied").await,
        QuarantineVerb::Delete(args) => decide(args, "delete", "deleted").await,
        QuarantineVerb::Recover(args) => decide(args, "recover", "held").await,
    }
}

/// The path of one held message, and of what belongs to it.
async fn path(client: &Client, id: &str, rest: &str) -> Result<String, CliError> {
    Ok(format!("/api/v1/quarantine/{}{rest}", encoded(&client.message_id(id).await?)))
}

const REQUEST_COLUMNS: &[Column] = &[
    whole("mail_id"),
    time("asked"),
    text("recipient"),
    text("sender"),
    text("category"),
    text("subject"),
    text("reason"),
];

/// What recipients ask for.
fn requested(waiting: &[RequestView]) -> Table {
    let row = |one: &RequestView| {
        let RequestView { mail_id, recipient, asked, reason, sender, subject, category } = one.clone();
        vec![mail_id, asked, recipient, sender, category, subject, reason]
    };
    Table::new(REQUEST_COLUMNS, "no open requests", waiting.iter().map(row).collect()).cut_at(44)
}

async fn list(args: ListArgs) -> Result<(), CliError> {
    let is_of_what_is_held = args.state.is_none() && args.status.is_none();
    let none = if is_of_what_is_held { NOTHING_HELD } else { "no message matches" };
    let query = ListQuery {
        state: args.state,
        status: args.status,
        direction: args.direction,
        category: args.category,
        detection: args.detection,
        sender: args.sender,
        recipient: args.recipient,
        subject: args.subject,
        message_id: args.message_id,
        since: args.since,
        until: args.until,
        after: args.after,
        limit: args.limit,
    };
    let held = Client::new(&args.to.api)?.get_with::<Vec<HeldView>>("/api/v1/quarantine", &query).await?;
    held.list(&args.to, |held| table(held, none))
}

/// What is held, as a table.
pub fn listed(held: &[HeldView]) -> String {
    table(held, NOTHING_HELD).text()
}

const COLUMNS: &[Column] = &[
    whole("id"),
    time("received"),
    text("direction"),
    text("category"),
    text("detection"),
    text("status"),
    text("sender"),
    text("recipients"),
    text("subject"),
];

fn table(held: &[HeldView], none: &'static str) -> Table {
    Table::new(COLUMNS, none, held.iter().map(row).collect()).cut_at(44)
}

fn row(held: &HeldView) -> Vec<String> {
    let HeldView { id, received, direction, sender, subject, category, detection, status, .. } = held.clone();
    let recipients: Vec<String> =
        held.recipients.iter().map(|recipient| format!("{} ({})", recipient.address, recipient.state)).collect();
    let detection = detection.unwrap_or_default();
    vec![id, received, direction, category, detection, status, sender, recipients.join(", "), subject]
}

/// One held message, explained.
pub fn explained(shown: &ShownView) -> String {
    let HeldView { id, received, sender, subject, category, status, size, sha256, .. } = &shown.held;
    let mut out = vec![
        format!("id        {id}"),
        format!("received  {}", terminal::moment(received)),
        format!("from      {sender}"),
        format!("subject   {subject}"),
        format!("category  {category}  ({status})"),
        format!("size      {size} bytes, sha256 {sha256}"),
        format!("ruleset   {}", shown.ruleset),
        "recipients".into(),
    ];
    for UnitView { recipient, direction, state, reply, reasons, .. } in &shown.units {
        out.push(format!("  {recipient} ({direction}): {state} {reply}"));
        out.extend(reasons.iter().map(|reason| format!("    because {}", reason.text)));
    }
    out.push("parts".into());
    for PartView { number, name, content_type, family, size, .. } in &shown.parts {
        out.push(format!("  {number} {content_type} {size} bytes {family} '{name}'"));
    }
    out.push("findings".into());
    for finding in &shown.findings {
        let place = finding.part.map_or("message".to_owned(), |part| format!("part {part}"));
        out.push(format!(
            "  {} ({}) {} in {place}: {}",
            finding.detection, finding.detection_version, finding.effect, finding.evidence
        ));
        if let Some(previous) = &finding.previous {
            let said = if previous.hit { "hits as well" } else { "does not hit" };
            out.push(format!("    its previous version {} {said}", previous.detection_version));
        }
    }
    out.push("engines".into());
    for engine in &shown.engines {
        let millis = terminal::number(engine.millis);
        out.push(format!("  {} {} {} {millis} ms", engine.engine, engine.version, engine.outcome));
    }
    out.join("\n")
}

/// Text of a stranger for a terminal: no control characters but line ends and tabs.
fn safe(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn previewed(view: &PreviewView) -> String {
    let HeldView { sender, subject, category, .. } = &view.held;
    let mut out = vec![terminal::in_one_line(&format!("from {sender}  subject \"{subject}\"  {category}"))];
    for PartView { number, name, content_type, size, .. } in &view.parts {
        out.push(terminal::in_one_line(&format!("  {number} {content_type} {size} bytes '{name}'")));
    }
    out.extend(view.texts.iter().map(|one| format!("----\n{}", safe(one))));
    out.join("\n")
}

/// Who asks, for the record.
pub fn actor() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default()
}

async fn decide(args: DecideArgs, verb: &str, done: &str) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    let mut no = false;
    let ask = DecideAsk { recipients: args.rcpt, reason: args.reason, actor: actor(), what_if: args.what_if };
    // All of them are found before anything is done.
    for id in whole_ids(&client, args.ids).await? {
        let path = format!("/api/v1/quarantine/{}/{verb}", encoded(&id));
        let decided = client.post::<ReleasedView>(&path, &ask).await?;
        no |= !args.what_if && decided.view()?.units.iter().any(|unit| unit.state != done);
        decided.print(&args.api, outcome)?;
    }
    if no { Err(CliError::No) } else { Ok(()) }
}

async fn release(args: ReleaseArgs) -> Result<(), CliError> {
    let client = Client::new(&args.api)?;
    let mut no = false;
    let reads_ids = args.ids == ["-"];
    let ids = whole_ids(&client, ids(args.ids)?).await?;
    let reason = if args.what_if { args.reason } else { reason_of_release(args.reason, ids.len(), reads_ids)? };
    for ids in ids.chunks(IDS_MAX) {
        let ask = ReleaseManyAsk {
            ids: ids.to_vec(),
            recipients: args.rcpt.clone(),
            reason: reason.clone(),
            actor: actor(),
            what_if: args.what_if,
            confirm_refused: args.confirm_refused,
        };
        let released = client.post::<Vec<ReleasedView>>("/api/v1/quarantine/release", &ask).await?;
        for mut answer in released.each() {
            let mut one = answer.view()?;
            if args.wait && !args.what_if {
                wait(&client, &mut one).await?;
                answer.update(&one)?;
            }
            no |= !args.what_if && one.units.iter().any(|unit| !is_on_its_way(unit, args.wait));
            answer.print(&args.api, outcome)?;
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
    let said = terminal::ask(&format!("Release {messages} messages to their recipients? Reason (empty to cancel): "));
    said.filter(|said| !said.is_empty()).ok_or(CliError::No)
}

/// Ids as they were given; `-` stands for those on standard input, one a line.
fn ids(given: Vec<String>) -> Result<Vec<String>, CliError> {
    if given != ["-"] {
        return Ok(given);
    }
    let text = std::io::read_to_string(std::io::stdin()).map_err(CliError::unreachable)?;
    let ids: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if ids.is_empty() { Err(CliError::Usage("no ID on standard input".into())) } else { Ok(ids) }
}

/// The same without short ones.
async fn whole_ids(client: &Client, ids: Vec<String>) -> Result<Vec<String>, CliError> {
    let mut whole = Vec::new();
    for id in ids {
        whole.push(client.message_id(&id).await?);
    }
    Ok(whole)
}

fn is_on_its_way(unit: &ReleasedUnit, waited: bool) -> bool {
    match unit.state.as_str() {
        "released" => true,
        "releasing" => !waited,
        _ => false,
    }
}

/// Asks again until no delivery is in progress any more, and takes over how each ended.
async fn wait(client: &Client, released: &mut ReleasedView) -> Result<(), CliError> {
    let began = Instant::now();
    loop {
        let shown = client.get::<ShownView>(&path(client, &released.id, "").await?).await?.view()?;
        let mut in_progress = false;
        for unit in &mut released.units {
            if let Some(now) = shown.units.iter().find(|now| now.recipient == unit.recipient) {
                unit.state.clone_from(&now.state);
                unit.reply.clone_from(&now.reply);
                // A deferred release is tried again for hours; its first answer is an answer.
                in_progress |= now.state == "releasing" && now.release_state.as_deref() != Some("deferred");
            }
        }
        if !in_progress || began.elapsed() > WAIT_MAX {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn outcome(released: &ReleasedView) -> String {
    let lines = released.units.iter().map(|unit| {
        let ReleasedUnit { recipient, state, reply, .. } = unit;
        let became = if reply.is_empty() { state.clone() } else { format!("{state}: {reply}") };
        format!("{}  {recipient}: {became}", released.id)
    });
    lines.collect::<Vec<_>>().join("\n")
}
