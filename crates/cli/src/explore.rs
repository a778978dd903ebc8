//! `reprieve explore`: messages by a query, as the explorer of the console finds them, and their number by a field.
//!
//! | module | what it does |
//! |---|---|
//! | `asked` | the query with the times of flags; where it is wrong |
//! | `grouped` | sums by a field |

mod asked;
mod grouped;

use api_types::explore::{ExploreQuery, ExploredView, ExportQuery, FoundView};
use clap::Args;
use serde_json::Value;
use store::explorer::explore::PAGE_MAX;

use super::answer::Answer;
use super::client::Client;
use super::table::{Column, Table, TableArgs, data, text, time, whole};
use super::{CliError, terminal};

/// What to look for, and how much of it.
#[derive(Debug, Args)]
pub struct ExploreArgs {
    /// The query, such as 'category:malware received:>=-24h sender:*@partner.example'; default: all messages. Fields
    /// are joined by AND; there are OR, NOT, parentheses, wildcards and ranges.
    query: Vec<String>,
    /// Received at or after, such as 2026-11-23T08:00:00Z, 2026-11-23 or -24h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Received before, in the same form.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Maximum number of rows, the newest first; a message has one for each recipient.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Everything that matches; this is recorded in the audit log as an export.
    #[arg(long, conflicts_with_all = ["limit", "group_by"])]
    all: bool,
    /// Count deliveries by this field: direction, category, disposition, state, detection, version, from_domain, url,
    /// type or ip.
    #[arg(long, value_name = "FIELD", conflicts_with = "limit")]
    group_by: Option<String>,
    /// Where the API is, and the format.
    #[command(flatten)]
    to: TableArgs,
}

/// Searches, or counts.
///
/// # Errors
/// When the query is wrong, or the API says no or cannot be reached.
pub async fn run(args: ExploreArgs) -> Result<(), CliError> {
    let ExploreArgs { query, since, until, limit, all, group_by, to } = args;
    let query = asked::query(&query.join(" "), since.as_deref(), until.as_deref())?;
    let field = group_by.as_deref().map(grouped::field).transpose()?;
    let client = Client::new(&to.api)?;
    if let Some(field) = field {
        return grouped::print(&client, query, field, &to).await;
    }
    let rows = if all { everything(&client, query).await? } else { newest(&client, query, limit as usize).await? };
    Answer::<Vec<FoundView>>::of(Value::Array(rows)).list(&to, |found| table(found))
}

/// The newest rows, so many at most.
async fn newest(client: &Client, query: String, limit: usize) -> Result<Vec<Value>, CliError> {
    let mut ask = ExploreQuery { q: query, ..ExploreQuery::default() };
    let mut rows = Vec::new();
    loop {
        ask.limit = Some((limit - rows.len()).min(PAGE_MAX));
        let page = client.get_with::<ExploredView>("/api/v1/explore", &ask).await?;
        rows.extend(page.json()["rows"].as_array().cloned().unwrap_or_default());
        ask.after = page.view()?.next;
        match (&ask.after, rows.len() < limit) {
            (Some(_), true) => {}
            (Some(_), false) => {
                terminal::note("more messages match: --limit N or --all prints them");
                return Ok(rows);
            }
            (None, _) => return Ok(rows),
        }
    }
}

/// All rows, as an export that is on record.
async fn everything(client: &Client, query: String) -> Result<Vec<Value>, CliError> {
    let ask = ExportQuery { q: query, form: "json".to_owned() };
    let lines = client.get_bytes_with("/api/v1/explore/export", &ask).await?;
    let rows = serde_json::Deserializer::from_slice(&lines).into_iter::<Value>();
    rows.collect::<Result<_, _>>().map_err(CliError::unreachable)
}

/// The columns of the export that the console offers.
const COLUMNS: &[Column] = &[
    whole("mail_id"),
    time("received"),
    text("direction"),
    text("sender"),
    text("recipient"),
    text("subject"),
    text("category"),
    text("disposition"),
    data("enforced"),
    text("state"),
    data("size"),
    data("ip"),
    data("message_id"),
];

fn table(found: &[FoundView]) -> Table {
    let row = |one: &FoundView| {
        let FoundView { mail_id, received, direction, sender, recipient, subject, category, disposition, .. } =
            one.clone();
        let FoundView { enforced, state, size, ip, message_id, .. } = one.clone();
        let (enforced, size) = (enforced.to_string(), size.to_string());
        let message_id = message_id.unwrap_or_default();
        vec![
            mail_id,
            received,
            direction,
            sender,
            recipient,
            subject,
            category,
            disposition,
            enforced,
            state,
            size,
            ip,
            message_id,
        ]
    };
    Table::new(COLUMNS, "no message matches", found.iter().map(row).collect())
}
