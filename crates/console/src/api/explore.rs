//! The explorer over HTTP: units by a query, their sums, an export without a limit of rows, and what could come next in
//! a query.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::query::{Field, Query as Asked, complete};
use domain::{MailId, Timestamp};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use store::explore::{Found, PAGE_MAX, Place, Summary};
use store::facets::BY;
use store::{Scope, Store, StoreError};
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission};

/// How long a page may look for rows before it shows what it has.
const PAGE_BUDGET: Duration = Duration::from_millis(120);
/// How long a sum may be added up in one request.
const SUMMARY_BUDGET: Duration = Duration::from_millis(120);
/// See [`SummaryQuery::patience`].
const PATIENCE_MAX: Duration = Duration::from_millis(2000);
/// The same for one piece of an export, which nobody looks at.
const EXPORT_BUDGET: Duration = Duration::from_millis(500);
/// How long something without a roll-up is summed up.
const PIVOT_BUDGET: Duration = Duration::from_millis(400);
/// Values of such a sum.
const PIVOT_ROWS: usize = 50;
/// Rows of a page unless another number is asked for.
const ROWS: usize = 50;
/// An hour and a day, in seconds: the columns of a chart.
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ExploreQuery {
    /// A query, such as `category:malware received:>=-24h sender:*@x.example`; everything without.
    pub q: String,
    /// Where to go on: `next` of the answer before.
    pub after: Option<String>,
    /// Rows wanted: 50, or another number up to 500.
    pub limit: Option<usize>,
}

/// A page of what was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExploredView {
    pub(crate) rows: Vec<FoundView>,
    /// What to ask with as `after` for the next page; none when nothing is left.
    pub(crate) next: Option<String>,
    /// The page is not full because it has looked for long enough: `next` goes on where it stopped.
    pub(crate) is_cut: bool,
}

/// One recipient of one message.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundView {
    pub(crate) mail_id: String,
    pub(crate) received: String,
    pub(crate) direction: String,
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) subject: String,
    pub(crate) category: String,
    pub(crate) disposition: String,
    pub(crate) enforced: bool,
    pub(crate) state: String,
    pub(crate) size: i64,
    pub(crate) ip: String,
    pub(crate) message_id: Option<String>,
}

pub(super) fn found_view(found: Found) -> FoundView {
    FoundView {
        mail_id: found.mail_id.to_string(),
        received: found.received.to_string(),
        direction: found.direction.as_str().to_owned(),
        sender: found.sender,
        recipient: found.recipient,
        subject: found.subject,
        category: found.category,
        disposition: found.disposition,
        enforced: found.enforced,
        state: found.account.as_str().to_owned(),
        size: found.size,
        ip: found.ip,
        message_id: found.message_id,
    }
}

/// A query, or where it is wrong.
///
/// # Errors
/// [`ApiError::Query`].
pub fn read(text: &str, now: Timestamp) -> Result<Asked, ApiError> {
    Asked::parse(text, now).map_err(ApiError::Query)
}

fn place(text: &str) -> Result<Place, ApiError> {
    Place::parse(text).ok_or_else(|| ApiError::Bad(format!("'{text}' is no place; use `next` of the answer before")))
}

/// `GET /api/v1/explore`: units that fit a query, newest first.
///
/// # Errors
/// When the query is wrong, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.list",
    path = "/api/v1/explore",
    params(ExploreQuery),
    responses((status = 200, body = ExploredView), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<ExploreQuery>,
) -> ApiResult<ExploredView> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, console.clock.now())?;
    let limit = ask.limit.unwrap_or(ROWS);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ApiError::Bad(format!("limit is 1 to {PAGE_MAX}")));
    }
    let after = ask.after.as_deref().map(place).transpose()?;
    let page = console.store()?.explore(&query, &operator.scope, after, limit, PAGE_BUDGET).await?;
    Ok(Json(ExploredView {
        rows: page.rows.into_iter().map(found_view).collect(),
        next: page.next.map(|place| place.to_string()),
        is_cut: page.is_cut,
    }))
}

/// What to sum up.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct SummaryQuery {
    /// A query; everything without.
    pub q: String,
    /// Where to go on: `next` of the answer before, whose sums are to be added to these.
    pub before: Option<String>,
    /// The width of a column of the chart: 3600 or 86400 seconds, or more.
    pub interval: Option<u64>,
    /// How long it may be added up, in milliseconds: 120, or another number up to 2,000.
    pub patience: Option<u64>,
}

/// Sums over what a query fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryView {
    /// Units, those before this answer not among them.
    pub(crate) units: u64,
    /// By direction, category, disposition and state.
    pub(crate) by: Vec<PivotView>,
    /// By the beginning of each interval and the state, oldest first.
    pub(crate) over_time: Vec<SlotView>,
    pub(crate) interval: u64,
    /// Where to go on; none when everything was counted.
    pub(crate) next: Option<String>,
}

/// Sums by one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PivotView {
    pub(crate) field: String,
    /// The largest first.
    pub(crate) values: Vec<SumView>,
}

/// How many have a value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SumView {
    pub(crate) value: String,
    pub(crate) units: u64,
}

/// How many came in an interval and are in a state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SlotView {
    pub(crate) at: String,
    pub(crate) state: String,
    pub(crate) units: u64,
}

/// `GET /api/v1/explore/summary`: how many units fit a query, by direction, category, disposition, state and time.
///
/// # Errors
/// When the query is wrong, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.summary",
    path = "/api/v1/explore/summary",
    params(SummaryQuery),
    responses((status = 200, body = SummaryView), Refusal),
)]
pub async fn summary(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<SummaryQuery>,
) -> ApiResult<SummaryView> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, console.clock.now())?;
    let interval = ask.interval.unwrap_or(HOUR);
    if !(HOUR..=366 * DAY).contains(&interval) {
        return Err(ApiError::Bad(format!("interval is {HOUR} to {} seconds", 366 * DAY)));
    }
    let before = ask.before.as_deref().map(place).transpose()?.map(|place| place.mail_id);
    let micros = i64::try_from(interval).unwrap_or(i64::MAX / 1_000_000) * 1_000_000;
    let patience = ask.patience.map_or(SUMMARY_BUDGET, Duration::from_millis).min(PATIENCE_MAX);
    let store = console.store()?;
    let summary = store.summarise(&query, &operator.scope, before, micros, patience).await?;
    Ok(Json(summary_view(summary, interval)))
}

fn summary_view(summary: Summary, interval: u64) -> SummaryView {
    let by = summary.by.into_iter().map(|(field, sums)| {
        let mut values: Vec<SumView> = sums.into_iter().map(|(value, units)| SumView { value, units }).collect();
        values.sort_by_key(|sum| std::cmp::Reverse(sum.units));
        PivotView { field: field.as_str().to_owned(), values }
    });
    let slot = |((at, state), units): ((Timestamp, domain::Account), u64)| SlotView {
        at: at.to_string(),
        state: state.as_str().to_owned(),
        units,
    };
    SummaryView {
        units: summary.units,
        by: by.collect(),
        over_time: summary.over_time.into_iter().map(slot).collect(),
        interval,
        next: summary.next.map(|mail: MailId| mail.to_string()),
    }
}

/// What to sum up by what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PivotQuery {
    /// A query; everything without.
    pub q: String,
    /// detection, version, from_domain, url, type or ip.
    pub by: String,
}

/// Sums by one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct PivotedView {
    pub(crate) by: String,
    /// The largest first, 50 at most. A unit with several values counts for each.
    pub(crate) values: Vec<SumView>,
    /// How many different values there were beside these.
    pub(crate) others: usize,
    /// The units of all values together.
    pub(crate) total: u64,
    /// From when on everything was counted; none when all of it was.
    pub(crate) since: Option<String>,
}

/// `GET /api/v1/explore/pivot`: how many units fit a query by detection, version, sender domain, host of a link, type
/// of a part or client.
///
/// # Errors
/// When the query or the field is wrong, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.pivot",
    path = "/api/v1/explore/pivot",
    params(PivotQuery),
    responses((status = 200, body = PivotedView), Refusal),
)]
pub async fn pivot(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<PivotQuery>,
) -> ApiResult<PivotedView> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, console.clock.now())?;
    let by = Field::parse(word::one_of("by", &ask.by, &BY.map(Field::as_str))?);
    let by = by.ok_or_else(|| ApiError::Internal("a field without its name".into()))?;
    let pivot = console.store()?.facets(&query, &operator.scope, by, PIVOT_BUDGET).await?;
    let mut values: Vec<SumView> = pivot.units.into_iter().map(|(value, units)| SumView { value, units }).collect();
    values.sort_by_key(|sum| std::cmp::Reverse(sum.units));
    let total = values.iter().map(|sum| sum.units).sum();
    let others = values.len().saturating_sub(PIVOT_ROWS);
    values.truncate(PIVOT_ROWS);
    let since = pivot.since.map(|at| at.to_string());
    Ok(Json(PivotedView { by: by.as_str().to_owned(), values, others, total, since }))
}

/// What to write out.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ExportQuery {
    /// A query; everything without.
    pub(crate) q: String,
    /// csv or json (one object a line); csv without.
    pub(crate) form: String,
}

/// In which form rows are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Lines,
}

/// `GET /api/v1/explore/export`: everything that fits a query, however much it is, as it is read.
///
/// # Errors
/// When the query is wrong, or the operator may not. What fails later ends the answer without its end.
#[utoipa::path(
    get,
    operation_id = "explore.export",
    path = "/api/v1/explore/export",
    params(ExportQuery),
    responses((status = 200, body = String), Refusal),
)]
pub async fn export(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, console.clock.now())?;
    let form = if ask.form.is_empty() { "csv" } else { word::one_of("form", &ask.form, &["csv", "json"])? };
    let (form, kind, name) = match form {
        "csv" => (Form::Csv, "text/csv; charset=utf-8", "messages.csv"),
        _ => (Form::Lines, "application/x-ndjson", "messages.ndjson"),
    };
    console.record(operator.actor(""), "explore.export", "messages", &ask.q).await?;
    let export = Export { store: console.store()?.clone(), scope: operator.scope, query, form, place: Next::Begin };
    let pieces = stream::unfold(export, |mut export| async move {
        let piece = export.piece().await.transpose()?;
        Some((piece, export))
    });
    let fields = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    Ok((fields, Body::from_stream(pieces)).into_response())
}

/// An export under way.
struct Export {
    store: Store,
    scope: Scope,
    query: Asked,
    form: Form,
    place: Next,
}

#[derive(Clone, Copy)]
enum Next {
    Begin,
    At(Place),
    Ended,
}

impl Export {
    /// The next piece; none at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        let after = match self.place {
            Next::Begin => None,
            Next::At(place) => Some(place),
            Next::Ended => return Ok(None),
        };
        let mut out = String::new();
        if after.is_none() && self.form == Form::Csv {
            out.push_str(
                "mail_id,received,direction,sender,recipient,subject,category,disposition,\
                 enforced,state,size,ip,message_id\r\n",
            );
        }
        let page = self.store.explore(&self.query, &self.scope, after, PAGE_MAX, EXPORT_BUDGET).await?;
        self.place = page.next.map_or(Next::Ended, Next::At);
        for row in page.rows {
            self.write(row, &mut out)?;
        }
        Ok(Some(Bytes::from(out)))
    }

    fn write(&self, row: Found, out: &mut String) -> Result<(), StoreError> {
        if self.form == Form::Lines {
            out.push_str(&serde_json::to_string(&found_view(row))?);
            out.push('\n');
            return Ok(());
        }
        let FoundView { mail_id, received, direction, sender, recipient, subject, category, .. } =
            found_view(row.clone());
        let (size, enforced) = (row.size.to_string(), row.enforced.to_string());
        let fields = [
            &mail_id,
            &received,
            &direction,
            &sender,
            &recipient,
            &subject,
            &category,
            &row.disposition,
            &enforced,
            row.account.as_str(),
            &size,
            &row.ip,
            row.message_id.as_deref().unwrap_or_default(),
        ];
        out.push_str(&fields.map(cell).join(","));
        out.push_str("\r\n");
        Ok(())
    }
}

/// A field of RFC 4180. What a spreadsheet would take for a formula gets a sign before it that makes it text.
fn cell(text: &str) -> String {
    let text = text.replace(['\r', '\n', '\0'], " ");
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', ';', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Where the cursor is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CompleteQuery {
    /// The text so far.
    pub(crate) q: String,
    /// The cursor, in bytes from its beginning; its end without.
    pub(crate) cursor: Option<usize>,
}

/// What could stand there.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionView {
    /// Where the word begins that it stands in place of, in bytes.
    pub(crate) from: usize,
    pub(crate) text: String,
    pub(crate) hint: String,
}

/// `GET /api/v1/explore/complete`: what could come next in a query.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "explore.complete",
    path = "/api/v1/explore/complete",
    params(CompleteQuery),
    responses((status = 200, body = [SuggestionView]), Refusal),
)]
pub async fn suggest(
    Extension(operator): Extension<Operator>,
    Query(ask): Query<CompleteQuery>,
) -> ApiResult<Vec<SuggestionView>> {
    operator.may(Permission::Look)?;
    let found = complete::complete(&ask.q, ask.cursor.unwrap_or(ask.q.len()));
    let view = |one: complete::Suggestion| SuggestionView { from: one.from, text: one.text, hint: one.hint };
    Ok(Json(found.into_iter().map(view).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text() {
        assert_eq!(
            ["a", "a,b", "say \"x\"", "=1+1", "@x", "a\r\nb"].map(cell),
            ["a", "\"a,b\"", "\"say \"\"x\"\"\"", "\"'=1+1\"", "\"'@x\"", "a  b"]
        );
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        let id = "01a2138d-dff8-74bb-b3b3-ded7ffdc467a";
        for text in [id.to_owned(), format!("{id}/3")] {
            assert_eq!(place(&text).map(|place| place.to_string()).ok(), Some(text));
        }
        assert!(place("x").is_err() && place(&format!("{id}/x")).is_err());
    }
}
