//! `reprieve entry`: what people know better than any detection: allow and block entries.

use api_types::entry::{BlockLikeAsk, BlockLikeView, EntryAsk, EntryView, RemoveAsk};
use clap::{Args, Subcommand};

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about allow and block entries.
#[derive(Debug, Subcommand)]
pub enum EntryVerb {
    /// List the entries in force.
    List {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Hold all mail that comes from or contains this; for a day, unless --hours is given.
    Block(MakeArgs),
    /// Let mail pass that only heuristics would hold; a sender must be authenticated. For 30 days, unless --hours is
    /// given.
    Allow {
        /// What, for whom, how long.
        #[command(flatten)]
        make: MakeArgs,
        /// For a file: even if it is detected as malware. For 7 days, unless --hours is given; at most 30.
        #[arg(long)]
        malware: bool,
    },
    /// Hold mail that looks like this message: the same pictures, text or layout. Without --pictures, --part, --text
    /// and --layout, or with --what-if, only print what can be blocked, and how many messages of the last seven days
    /// that would have held.
    BlockLike(LikeArgs),
    /// End an entry.
    Remove {
        /// Its number.
        id: u64,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Only print what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// For whom an entry holds, and how long; and where it is made.
#[derive(Debug, Args)]
struct Reach {
    /// Only for mail of this accepted domain.
    #[arg(long, value_name = "DOMAIN", conflicts_with = "rcpt")]
    domain: Option<String>,
    /// Only for this recipient.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Option<String>,
    /// Hours until it expires.
    #[arg(long)]
    hours: Option<u64>,
    /// Only print what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// What an entry is about, for whom, and how long.
#[derive(Debug, Args)]
pub struct MakeArgs {
    /// sender, domain, url, file, ip, picture, text or layout.
    kind: String,
    /// An address; a domain; a host with the beginning of a path; the SHA-256 of a file; an address or a network;
    /// fingerprints as `entry block-like` shows them.
    value: String,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// The message whose verdict is the reason: when an incident reverses that verdict, the entry ends.
    #[arg(long, value_name = "ID")]
    because_of: Option<String>,
    /// For whom, and how long.
    #[command(flatten)]
    reach: Reach,
}

/// Which message, and what of it.
#[derive(Debug, Args)]
pub struct LikeArgs {
    /// The ID of the message.
    id: String,
    /// By its pictures, except those in known-good mail: mail with half of them, at least two, is held.
    #[arg(long)]
    pictures: bool,
    /// By the picture of this part only; may be given more than once.
    #[arg(long, value_name = "NUMBER")]
    part: Vec<u32>,
    /// By its text; names, numbers and links may differ.
    #[arg(long)]
    text: bool,
    /// By the layout of its HTML; the text may differ.
    #[arg(long)]
    layout: bool,
    /// Why, for the record.
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// For whom, and how long.
    #[command(flatten)]
    reach: Reach,
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: EntryVerb) -> Result<(), CliError> {
    match verb {
        EntryVerb::List { to } => {
            let list = Client::new(&to.api)?.get::<Vec<EntryView>>("/api/v1/entries").await?;
            list.list(&to, |list| table(list))
        }
        EntryVerb::Block(make) => add("block", make, false).await,
        EntryVerb::Allow { make, malware } => add("allow", make, malware).await,
        EntryVerb::BlockLike(like) => block_like(like).await,
        EntryVerb::Remove { id, reason, what_if, api } => {
            let ask = RemoveAsk { reason, actor: super::quarantine::actor(), what_if };
            let path = format!("/api/v1/entries/{id}/remove");
            let done = if what_if { "would be removed" } else { "is removed" };
            let ended = Client::new(&api)?.post::<EntryView>(&path, &ask).await?;
            ended.print(&api, |ended| format!("{} {done}", shown(ended)))
        }
    }
}

async fn add(action: &str, make: MakeArgs, clears_malware: bool) -> Result<(), CliError> {
    let MakeArgs { kind, value, reason, because_of, reach } = make;
    let Reach { domain, rcpt, hours, what_if, api } = reach;
    let client = Client::new(&api)?;
    let caused_by = client.message_id_if_given(because_of).await?;
    let ask = EntryAsk {
        action: action.to_owned(),
        kind,
        value,
        reason,
        caused_by,
        domain,
        recipient: rcpt,
        hours,
        clears_malware,
        actor: super::quarantine::actor(),
        what_if,
    };
    let done = if what_if { "would be in force" } else { "is in force" };
    let made = client.post::<EntryView>("/api/v1/entries", &ask).await?;
    made.print(&api, |made| format!("{} {done} until {}", shown(made), terminal::moment(&made.expires)))
}

async fn block_like(like: LikeArgs) -> Result<(), CliError> {
    let LikeArgs { id, pictures, part, text, layout, reason, reach } = like;
    let Reach { domain, rcpt, hours, what_if, api } = reach;
    let is_chosen = pictures || text || layout || !part.is_empty();
    let ask = BlockLikeAsk {
        pictures,
        parts: (!part.is_empty()).then_some(part),
        text,
        layout,
        reason,
        domain,
        recipient: rcpt,
        hours,
        actor: super::quarantine::actor(),
        what_if: what_if || !is_chosen,
    };
    let done = if ask.what_if { "would be in force" } else { "is in force" };
    let client = Client::new(&api)?;
    let path = format!("/api/v1/messages/{}/block-like", encoded(&client.message_id(&id).await?));
    let made = client.post::<BlockLikeView>(&path, &ask).await?;
    made.print(&api, |made| like_text(made, done))
}

fn like_text(like: &BlockLikeView, done: &str) -> String {
    let known = |is_known: bool| if is_known { ", in known-good mail: not blocked" } else { "" };
    let mut lines: Vec<String> = Vec::new();
    for one in &like.pictures {
        let name = if one.name.is_empty() { String::new() } else { format!(" {}", one.name) };
        let (part, pixels, print) = (one.part, one.pixels, &one.fingerprint);
        lines.push(format!("picture: part {part}{name}, {pixels} pixels, {print}{}", known(one.is_known_good)));
    }
    if let Some(text) = &like.text {
        lines.push(format!("text: {}{}", text.fingerprint, known(text.is_known_good)));
    }
    if let Some(layout) = &like.layout {
        lines.push(format!("layout: {}{}", layout.fingerprint, known(layout.is_known_good)));
    }
    if lines.is_empty() {
        lines.push("it has too little text, layout and pictures to recognise similar mail by".to_owned());
    }
    let all = if like.is_all { "all" } else { "the newest" };
    let BlockLikeView { days, compared, alike, delivered, .. } = like;
    lines.push(format!(
        "similar messages: {alike} of {all} {compared} comparable ones of the last {days} days, {delivered} of them \
         delivered"
    ));
    lines.extend(like.named.iter().map(|id| format!("  delivered: {id}")));
    lines.extend(
        like.entries.iter().map(|made| format!("{} {done} until {}", shown(made), terminal::moment(&made.expires))),
    );
    lines.join("\n")
}

fn shown(entry: &EntryView) -> String {
    let EntryView { id, action, kind, value, reach, whom, .. } = entry;
    let whom = if reach == "everyone" { String::new() } else { format!(" for the {reach} {whom}") };
    // What would be made has no number yet.
    let id = if *id == 0 { String::new() } else { format!(" {id}") };
    format!("{action} entry{id}: {kind} {value}{whom}")
}

const COLUMNS: &[Column] = &[
    whole("id"),
    text("action"),
    text("kind"),
    text("value"),
    text("for"),
    time("until"),
    time("last used"),
    text("by"),
    text("reason"),
];

fn table(list: &[EntryView]) -> Table {
    let row = |one: &EntryView| {
        let EntryView { id, action, kind, value, reach, whom, expires, last_used, owner, reason, .. } = one.clone();
        let reach = if whom.is_empty() { reach } else { whom };
        let action = if one.clears_malware { "allow, even malware".to_owned() } else { action };
        let used = last_used.unwrap_or_else(|| "never".to_owned());
        vec![id.to_string(), action, kind, value, reach, expires, used, owner, reason]
    };
    Table::new(COLUMNS, "no entries", list.iter().map(row).collect())
}
