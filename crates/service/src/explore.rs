//! The explorer: units by a query, their sums, an export without a limit of rows, and what could come next in
//! a query.

use std::time::Duration;

use api_types::explore::{
    CompleteQuery, ExploreQuery, ExploredView, ExportQuery, FoundView, PivotQuery, PivotView, PivotedView, SlotView,
    SuggestionView, SumView, SummaryQuery, SummaryView,
};
use domain::query::{Field, Query as Asked, complete};
use domain::{MailId, Timestamp, csv};
use store::explorer::explore::{ExploreCursor, Found, PAGE_MAX, Summary};
use store::explorer::facets::BY;
use store::{Scope, Store, StoreError};

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

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
/// [`ServiceError::Query`].
pub fn read(text: &str, now: Timestamp) -> Result<Asked, ServiceError> {
    Asked::parse(text, now).map_err(ServiceError::Query)
}

fn place(text: &str) -> Result<ExploreCursor, ServiceError> {
    ExploreCursor::parse(text)
        .ok_or_else(|| ServiceError::Bad(format!("'{text}' is no place; use `next` of the answer before")))
}

/// Units that fit a query, newest first.
///
/// # Errors
/// When the query is wrong, or the operator may not.
pub async fn list(service: &Service, operator: &Operator, ask: ExploreQuery) -> ServiceResult<ExploredView> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, service.clock.now())?;
    let limit = ask.limit.unwrap_or(ROWS);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(ServiceError::Bad(format!("limit is 1 to {PAGE_MAX}")));
    }
    let after = ask.after.as_deref().map(place).transpose()?;
    let page = service.store()?.explorer.explore(&query, &operator.scope, after, limit, PAGE_BUDGET).await?;
    Ok(ExploredView {
        rows: page.rows.into_iter().map(found_view).collect(),
        next: page.next.map(|place| place.to_string()),
        is_cut: page.is_cut,
    })
}

/// How many units fit a query, by direction, category, disposition, state and time.
///
/// # Errors
/// When the query is wrong, or the operator may not.
pub async fn summary(service: &Service, operator: &Operator, ask: SummaryQuery) -> ServiceResult<SummaryView> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, service.clock.now())?;
    let interval = ask.interval.unwrap_or(HOUR);
    if !(HOUR..=366 * DAY).contains(&interval) {
        return Err(ServiceError::Bad(format!("interval is {HOUR} to {} seconds", 366 * DAY)));
    }
    let before = ask.before.as_deref().map(place).transpose()?.map(|place| place.mail_id);
    let micros = i64::try_from(interval).unwrap_or(i64::MAX / 1_000_000) * 1_000_000;
    let patience = ask.patience.map_or(SUMMARY_BUDGET, Duration::from_millis).min(PATIENCE_MAX);
    let store = service.store()?;
    let summary = store.explorer.summarise(&query, &operator.scope, before, micros, patience).await?;
    Ok(summary_view(summary, interval))
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

/// How many units fit a query by detection, version, sender domain, host of a link, type
/// of a part or client.
///
/// # Errors
/// When the query or the field is wrong, or the operator may not.
pub async fn pivot(service: &Service, operator: &Operator, ask: PivotQuery) -> ServiceResult<PivotedView> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, service.clock.now())?;
    let by = Field::parse(word::one_of("by", &ask.by, &BY.map(Field::as_str))?);
    let by = by.ok_or_else(|| ServiceError::Internal("a field without its name".into()))?;
    let pivot = service.store()?.explorer.facets(&query, &operator.scope, by, PIVOT_BUDGET).await?;
    let mut values: Vec<SumView> = pivot.units.into_iter().map(|(value, units)| SumView { value, units }).collect();
    values.sort_by_key(|sum| std::cmp::Reverse(sum.units));
    let total = values.iter().map(|sum| sum.units).sum();
    let others = values.len().saturating_sub(PIVOT_ROWS);
    values.truncate(PIVOT_ROWS);
    let since = pivot.since.map(|at| at.to_string());
    Ok(PivotedView { by: by.as_str().to_owned(), values, others, total, since })
}

/// In which form rows are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Lines,
}

/// Everything that fits a query, however much it is, as it is read.
///
/// # Errors
/// When the query is wrong, or the operator may not. What fails later ends the answer without its end.
pub async fn export(service: &Service, operator: &Operator, ask: ExportQuery) -> ServiceResult<Export> {
    operator.may(Permission::Look)?;
    let query = read(&ask.q, service.clock.now())?;
    let form = if ask.form.is_empty() { "csv" } else { word::one_of("form", &ask.form, &["csv", "json"])? };
    let form = if form == "csv" { Form::Csv } else { Form::Lines };
    service.record(operator.actor(""), "explore.export", "messages", &ask.q).await?;
    let scope = operator.scope.clone();
    Ok(Export { store: service.store()?.clone(), scope, query, form, place: Next::Begin })
}

/// An export under way: it is read piece by piece, as whoever asked for it takes it.
#[derive(Debug)]
pub struct Export {
    store: Store,
    scope: Scope,
    query: Asked,
    form: Form,
    place: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Begin,
    At(ExploreCursor),
    Ended,
}

impl Export {
    /// The media type of its pieces, with its charset.
    pub fn content_type(&self) -> &'static str {
        match self.form {
            Form::Csv => "text/csv; charset=utf-8",
            Form::Lines => "application/x-ndjson",
        }
    }

    /// What a file of it is called.
    pub fn name(&self) -> &'static str {
        match self.form {
            Form::Csv => "messages.csv",
            Form::Lines => "messages.ndjson",
        }
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
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
        let page = self.store.explorer.explore(&self.query, &self.scope, after, PAGE_MAX, EXPORT_BUDGET).await?;
        self.place = page.next.map_or(Next::Ended, Next::At);
        for row in page.rows {
            self.write(row, &mut out)?;
        }
        Ok(Some(out.into_bytes()))
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
        out.push_str(&csv::row(fields));
        Ok(())
    }
}

/// What could come next in a query.
///
/// # Errors
/// When the operator may not.
pub fn suggest(operator: &Operator, ask: CompleteQuery) -> ServiceResult<Vec<SuggestionView>> {
    operator.may(Permission::Look)?;
    let found = complete::complete(&ask.q, ask.cursor.unwrap_or(ask.q.len()));
    let view = |one: complete::Suggestion| SuggestionView { from: one.from, text: one.text, hint: one.hint };
    Ok(found.into_iter().map(view).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let id = "01a2138d-dff8-74bb-b3b3-ded7ffdc467a";
        for text in [id.to_owned(), format!("{id}/3")] {
            assert_eq!(place(&text).map(|place| place.to_string()).ok(), Some(text));
        }
        assert!(place("x").is_err() && place(&format!("{id}/x")).is_err());
    }
}
