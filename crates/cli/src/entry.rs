//! `reprieve entry`: what people know better than any detection: allow and block entries.

use api_types::entry::{BlockLikeAsk, BlockLikeView, EntryAsk, EntryView, RemoveAsk};
use clap::{Args, Subcommand};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about allow and block entries.
#[derive(Debug, Subcommand)]
pub enum EntryVerb {
    /// List the entries in force.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Hold whatever comes from or brings this; for a day, unless --hours says otherwise.
    Block(MakeArgs),
    /// Let pass what only guesses speak against; a sender must be vouched for. For 30 days, unless --hours says
    /// otherwise.
    Allow {
        /// What, for whom, how long.
        #[command(flatten)]
        make: MakeArgs,
        /// A file: malware as well. For 7 days, unless --hours says otherwise; at most 30.
        #[arg(long)]
        malware: bool,
    },
    /// Hold whatever looks like this message: shows its pictures, or says its text. Without --pictures, --part and
    /// --text, or with --what-if, it is only said what could be blocked, and how many mails of the last seven days that
    /// would have held.
    BlockLike(LikeArgs),
    /// End an entry.
    Remove {
        /// Its number.
        id: u64,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only say what would be done.
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
    /// Only for units of this accepted domain.
    #[arg(long, value_name = "DOMAIN", conflicts_with = "rcpt")]
    domain: Option<String>,
    /// Only for this recipient.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Option<String>,
    /// Hours that it holds.
    #[arg(long)]
    hours: Option<u64>,
    /// Only say what would be done.
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
    /// The message because of whose verdict it is made: when an incident takes that back, the entry ends.
    #[arg(long, value_name = "ID")]
    because_of: Option<String>,
    /// For whom, and how long.
    #[command(flatten)]
    reach: Reach,
}

/// Which message, and what of it.
#[derive(Debug, Args)]
pub struct LikeArgs {
    /// Our id of the message.
    id: String,
    /// Its pictures, but for those that known-good mail shows: mail is held that shows half of them, two at least.
    #[arg(long)]
    pictures: bool,
    /// Only the picture of this part; may be given again.
    #[arg(long, value_name = "NUMBER")]
    part: Vec<u32>,
    /// Its text, whatever names, numbers and links stand in it.
    #[arg(long)]
    text: bool,
    /// The layout of its pages, whatever they say.
    #[arg(long)]
    layout: bool,
    /// Why, for the record.
    #[arg(long, default_value = "")]
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
        EntryVerb::List { api } => {
            let list = Client::new(&api)?.get::<Vec<EntryView>>("/api/v1/entries").await?;
            list.print(&api, |list| list_text(list))
        }
        EntryVerb::Block(make) => add("block", make, false).await,
        EntryVerb::Allow { make, malware } => add("allow", make, malware).await,
        EntryVerb::BlockLike(like) => block_like(like).await,
        EntryVerb::Remove { id, reason, what_if, api } => {
            let ask = RemoveAsk { reason, actor: super::quarantine::actor(), what_if };
            let path = format!("/api/v1/entries/{id}/remove");
            let done = if what_if { "would be ended" } else { "has ended" };
            let ended = Client::new(&api)?.post::<EntryView>(&path, &ask).await?;
            ended.print(&api, |ended| format!("{} {done}", shown(ended)))
        }
    }
}

async fn add(action: &str, make: MakeArgs, clears_malware: bool) -> Result<(), CliError> {
    let MakeArgs { kind, value, reason, because_of, reach } = make;
    let Reach { domain, rcpt, hours, what_if, api } = reach;
    let ask = EntryAsk {
        action: action.to_owned(),
        kind,
        value,
        reason,
        caused_by: because_of,
        domain,
        recipient: rcpt,
        hours,
        clears_malware,
        actor: super::quarantine::actor(),
        what_if,
    };
    let done = if what_if { "would hold" } else { "holds" };
    let made = Client::new(&api)?.post::<EntryView>("/api/v1/entries", &ask).await?;
    made.print(&api, |made| format!("{} {done} until {}", shown(made), made.expires))
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
    let done = if ask.what_if { "would hold" } else { "holds" };
    let path = format!("/api/v1/messages/{}/block-like", encoded(&id));
    let made = Client::new(&api)?.post::<BlockLikeView>(&path, &ask).await?;
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
        lines.push("nothing in it shows or says enough to be known again".to_owned());
    }
    let all = if like.is_all { "all" } else { "the newest" };
    let BlockLikeView { days, compared, alike, delivered, .. } = like;
    lines.push(format!(
        "in {all} {compared} mails of the last {days} days that can be compared: {alike} alike, {delivered} of them \
         delivered"
    ));
    lines.extend(like.named.iter().map(|id| format!("  delivered: {id}")));
    lines.extend(like.entries.iter().map(|made| format!("{} {done} until {}", shown(made), made.expires)));
    lines.join("\n")
}

fn shown(entry: &EntryView) -> String {
    let EntryView { id, action, kind, value, reach, whom, .. } = entry;
    let whom = if reach == "everyone" { String::new() } else { format!(" for the {reach} {whom}") };
    // What would be made has no number yet.
    let id = if *id == 0 { String::new() } else { format!(" {id}") };
    format!("{action} entry{id}: {kind} {value}{whom}")
}

fn list_text(list: &[EntryView]) -> String {
    let row = |one: &EntryView| {
        let EntryView { id, action, kind, value, reach, whom, expires, last_used, owner, reason, .. } = one.clone();
        let reach = if whom.is_empty() { reach } else { whom };
        let action = if one.clears_malware { "allow, malware too".to_owned() } else { action };
        let used = last_used.unwrap_or_else(|| "never".to_owned());
        vec![id.to_string(), action, kind, value, reach, expires, used, owner, reason]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    terminal::table(&["id", "action", "kind", "value", "for", "until", "last used", "by", "reason"], &rows, 40)
}
