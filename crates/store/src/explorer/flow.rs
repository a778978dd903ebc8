//! The flow of mail by the hour, kept as sums, so that a chart over millions of messages is exact and there in a
//! moment.
//!
//! The sums of an hour are made when it is over, from the rows themselves, and replaced as a whole when one of its
//! messages has changed: a replay, a release or a purge marks the hour in its own transaction. What is young or marked
//! is counted where it stands. So a sum is never added to, and cannot drift away from what it sums up.
//!
//! The hour of a message is that of its id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::query::{Field, Query};
use domain::{MailId, Timestamp};
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Marks, Value, parsed};
use crate::evidence::hits::{HOUR_US, hour_of};
use crate::explorer::ExplorerStore;
use crate::explorer::explore::{Conditions, PIVOTS, Summary, Window, span_of};
use crate::people::scope::Scope;
use crate::writer::{Command, Group};

/// What stands for all domains together.
const ALL_DOMAINS: &str = "*";
/// From when on, after its end, a change to a message of an hour marks it.
const MARKED_AFTER: Duration = Duration::from_secs(5 * 60);
/// From when on, after its end, an hour's sums are made. The difference is the time that a transaction has, and clocks
/// that disagree.
const ROLLED_AFTER: Duration = Duration::from_secs(20 * 60);
/// Hours that one round makes.
const ROUND_MAX: i64 = 24;
/// Hours that are counted where they stand, at most; with more there are no sums, and the record is walked through.
const COUNTED_MAX: usize = 36;
/// By how much a message's id may lie beside the moment of its arrival.
const SLACK: Duration = Duration::from_secs(3600);

/// A write about the flow, as data.
#[derive(Clone, Debug)]
pub(crate) enum FlowWrite {
    /// Messages of this hour may have changed.
    Mark(Timestamp),
    /// The sums of an hour, and the stamp that it had before they were made.
    Keep { hour: Timestamp, stamp: i64, sums: Vec<Sum> },
    /// All hours before this moment have sums.
    Reach(Timestamp),
    /// Hours before this one have no messages.
    Forget(Timestamp),
}

/// Units that are alike: domain, direction, category, disposition and account, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    like: [String; 5],
    units: i64,
}

/// Hours whose sums hold, and hours that are counted where they stand.
#[derive(Debug, Default)]
struct Plan {
    /// The first and behind the last of the hours that have sums.
    rolled: Option<(i64, i64)>,
    /// Those in between whose sums do not hold, or that only partly belong to it.
    counted: BTreeSet<i64>,
    /// Behind everything that is rolled.
    young: Option<Window>,
}

/// Why an hour has no sums, when it is not the store that fails.
fn of_the_hour(rolled: Result<(), StoreError>) -> Result<Option<StoreError>, StoreError> {
    match rolled {
        Ok(()) => Ok(None),
        Err(error) if error.may_be_of_item() => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

impl ExplorerStore {
    /// Makes the sums of some hours that are over or were marked; says whether there is more to do.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sum_finished_hours(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut reach = self.flow_reach().await?;
        let sql = "select hour_us from flow_mark where rolled <> stamp and hour_us < $1 order by hour_us limit $2";
        let until = reach.map_or(i64::MIN, Timestamp::as_micros);
        let marked = sqlx::query(sql).bind(until).bind(ROUND_MAX).fetch_all(&self.core.reads).await?;
        // An hour whose sums cannot be made stays marked, and keeps no other from having some.
        let mut failed = None;
        for row in &marked {
            let rolled = self.roll_hour(Timestamp::from_micros(row.try_get("hour_us")?)).await;
            failed = failed.or(of_the_hour(rolled)?);
        }
        let mut new = 0;
        while new < ROUND_MAX {
            let Some(hour) = self.hour_from(reach).await? else { break };
            if end_of(hour).after(ROLLED_AFTER) > now {
                break;
            }
            self.core.writer.write(FlowWrite::Mark(hour)).await?;
            failed = failed.or(of_the_hour(self.roll_hour(hour).await)?);
            self.core.writer.write(FlowWrite::Reach(end_of(hour))).await?;
            reach = Some(end_of(hour));
            new += 1;
        }
        self.forget_empty_hours().await?;
        match failed {
            Some(error) => Err(error),
            None => Ok(new == ROUND_MAX || marked.len() as i64 == ROUND_MAX),
        }
    }

    /// Hours of which all messages were purged need no mark.
    async fn forget_empty_hours(&self) -> Result<(), StoreError> {
        let Some(oldest) = self.hour_from(None).await? else { return Ok(()) };
        let sql = "select count(*) as hours from flow_mark where hour_us < $1 and rolled = stamp";
        let row = sqlx::query(sql).bind(oldest.as_micros()).fetch_one(&self.core.reads).await?;
        if row.try_get::<i64, _>("hours")? > 0 {
            self.core.writer.write(FlowWrite::Forget(oldest)).await?;
        }
        Ok(())
    }

    async fn flow_reach(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query("select max(until_us) as until_us from flow_reach").fetch_one(&self.core.reads).await?;
        Ok(row.try_get::<Option<i64>, _>("until_us")?.map(Timestamp::from_micros))
    }

    /// Makes the sums of one hour. Its stamp is read before its rows: what changes meanwhile leaves it marked.
    async fn roll_hour(&self, hour: Timestamp) -> Result<(), StoreError> {
        let sql = "select stamp from flow_mark where hour_us = $1";
        let row = sqlx::query(sql).bind(hour.as_micros()).fetch_one(&self.core.reads).await?;
        let stamp = row.try_get("stamp")?;
        let sums = self.sums_of(hour).await?;
        self.core.writer.write(FlowWrite::Keep { hour, stamp, sums }).await
    }

    /// The hour of the first message that came at `from` or later; of the first at all without.
    async fn hour_from(&self, from: Option<Timestamp>) -> Result<Option<Timestamp>, StoreError> {
        let from = from.map(first_id).unwrap_or_default();
        let row = sqlx::query("select min(mail_id) as mail_id from message where mail_id >= $1")
            .bind(from)
            .fetch_one(&self.core.reads)
            .await?;
        match row.try_get::<Option<String>, _>("mail_id")? {
            Some(_) => Ok(Some(hour_of(parsed::<MailId>(&row, "mail_id")?.at()))),
            None => Ok(None),
        }
    }

    /// The sums of one hour, from its rows.
    async fn sums_of(&self, hour: Timestamp) -> Result<Vec<Sum>, StoreError> {
        let sql = "select u.domain, u.direction, m.category, u.disposition, u.account, count(*) as units from unit u \
                   join message m on m.mail_id = u.mail_id where u.mail_id >= $1 and u.mail_id < $2 \
                   group by u.domain, u.direction, m.category, u.disposition, u.account";
        let values = vec![first_id(hour).into(), first_id(end_of(hour)).into()];
        let mut all: BTreeMap<[String; 5], i64> = BTreeMap::new();
        let mut sums = Vec::new();
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            let mut like = [const { String::new() }; 5];
            for (place, column) in like.iter_mut().zip(["domain", "direction", "category", "disposition", "account"]) {
                *place = row.try_get(column)?;
            }
            let units: i64 = row.try_get("units")?;
            let mut of_all = like.clone();
            of_all[0] = ALL_DOMAINS.into();
            *all.entry(of_all).or_default() += units;
            sums.push(Sum { like, units });
        }
        sums.extend(all.into_iter().map(|(like, units)| Sum { like, units }));
        Ok(sums)
    }

    /// Sums over what a query fits, exact and complete; none where the roll-up does not answer it.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn summarise_flow(
        &self,
        query: &Query,
        scope: &Scope,
        interval: i64,
    ) -> Result<Option<Summary>, StoreError> {
        let is_by_domain = !matches!(scope, Scope::Recipient(_));
        if !is_by_domain
            || !is_covered(query, true)
            || !(interval == i64::MAX || interval > 0 && interval % HOUR_US == 0)
        {
            return Ok(None);
        }
        let Some(plan) = self.plan_of(query).await? else { return Ok(None) };
        let mut summary = Summary::default();
        if let Some(rolled) = plan.rolled {
            self.add_rolled(query, scope, rolled, &plan.counted, interval, &mut summary).await?;
        }
        let windows = runs(&plan.counted).into_iter().chain(plan.young);
        for window in windows {
            self.add_up(query, scope, &window, interval, &mut summary).await?;
        }
        Ok(Some(summary))
    }

    async fn plan_of(&self, query: &Query) -> Result<Option<Plan>, StoreError> {
        let sql = "select (select min(hour_us) from flow_mark) as first, (select max(mail_id) from message) as newest";
        let row = sqlx::query(sql).fetch_one(&self.core.reads).await?;
        let first: Option<i64> = row.try_get("first")?;
        let (Some(first), Some(reach)) = (first, self.flow_reach().await?) else { return Ok(None) };
        let reach = reach.as_micros();
        let newest: Option<String> = row.try_get("newest")?;
        let (from, until) = span_of(query);
        // Whole hours that a query can fit at all.
        let least = from.map_or(first, |at| hour_of(at.before(SLACK)).as_micros());
        let most = until.map_or(i64::MAX, |at| end_of(hour_of(at.after(SLACK))).as_micros());
        let rolled = (first.max(least), reach.min(most));
        let mut plan = Plan { rolled: (rolled.0 < rolled.1).then_some(rolled), ..Plan::default() };
        let sql = "select hour_us from flow_mark where rolled <> stamp and hour_us >= $1 and hour_us < $2 limit $3";
        let values = vec![rolled.0.into(), rolled.1.into(), Value::from(COUNTED_MAX as i64 + 1)];
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            plan.counted.insert(row.try_get("hour_us")?);
        }
        // At the ends of the span an hour's sums may say too much.
        for end in [from, until].into_iter().flatten() {
            let mut hour = hour_of(end.before(SLACK)).as_micros();
            while hour <= end.after(SLACK).as_micros() {
                if (rolled.0..rolled.1).contains(&hour) {
                    plan.counted.insert(hour);
                }
                hour += HOUR_US;
            }
        }
        let behind = reach.max(least);
        let newest = newest.map(|id| id.parse::<MailId>().map_err(|error| StoreError::Unreadable(error.to_string())));
        let end = newest.transpose()?.map_or(behind, |mail| end_of(hour_of(mail.at())).as_micros()).min(most);
        let young = usize::try_from((end - behind).max(0) / HOUR_US).unwrap_or(usize::MAX);
        plan.young = (end > behind).then(|| window(behind, end));
        Ok((plan.counted.len().saturating_add(young) <= COUNTED_MAX).then_some(plan))
    }

    async fn add_rolled(
        &self,
        query: &Query,
        scope: &Scope,
        (from, until): (i64, i64),
        except: &BTreeSet<i64>,
        interval: i64,
        summary: &mut Summary,
    ) -> Result<(), StoreError> {
        let mut sql = Conditions::of_sums();
        let (width, from, until) = (sql.value(interval), sql.value(from), sql.value(until));
        let whose = match scope {
            Scope::All if !names_domain(query) => format!("u.domain = {}", sql.value(ALL_DOMAINS)),
            scope => format!("u.domain <> {} and {}", sql.value(ALL_DOMAINS), scope.condition(&mut sql.values)),
        };
        let except: Vec<String> = except.iter().map(|hour| sql.value(*hour)).collect();
        let except =
            if except.is_empty() { String::new() } else { format!(" and u.hour_us not in ({})", except.join(",")) };
        let holds = sql.query(query);
        let text = format!(
            "select direction, category, disposition, account, slot, cast(sum(units) as bigint) as units from \
             (select u.direction, u.category, u.disposition, u.account, u.hour_us / {width} as slot, u.units from \
             flow_hour u \
             where {whose} and u.hour_us >= {from} and u.hour_us < {until}{except} and {holds}) as fitting \
             group by direction, category, disposition, account, slot"
        );
        for row in database::query(text, sql.values).fetch_all(&self.core.reads).await? {
            summary.add(&row, interval)?;
        }
        Ok(())
    }
}

/// Whether the sums can tell what fits: by the fields that they are made of, and by time as a whole.
fn is_covered(query: &Query, is_whole: bool) -> bool {
    match query {
        Query::All(all) => all.iter().all(|one| is_covered(one, is_whole)),
        Query::Any(any) => any.iter().all(|one| is_covered(one, false)),
        Query::Not(one) => is_covered(one, false),
        Query::Term(Field::Received, _) => is_whole,
        Query::Term(field, _) => PIVOTS.contains(field) || *field == Field::Domain,
        Query::Text(_) => false,
    }
}

fn names_domain(query: &Query) -> bool {
    match query {
        Query::All(some) | Query::Any(some) => some.iter().any(names_domain),
        Query::Not(one) => names_domain(one),
        Query::Term(field, _) => *field == Field::Domain,
        Query::Text(_) => false,
    }
}

fn end_of(hour: Timestamp) -> Timestamp {
    Timestamp::from_micros(hour.as_micros() + HOUR_US)
}

fn first_id(at: Timestamp) -> String {
    MailId::new(at, [0; 10]).to_string()
}

fn window(from: i64, before: i64) -> Window {
    let id = |micros| first_id(Timestamp::from_micros(micros));
    Window { from: id(from), before: id(before) }
}

/// Hours that follow one another, as one window each.
fn runs(hours: &BTreeSet<i64>) -> Vec<Window> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for hour in hours {
        match runs.last_mut() {
            Some((_, end)) if end == hour => *end += HOUR_US,
            _ => runs.push((*hour, hour + HOUR_US)),
        }
    }
    runs.into_iter().map(|(from, before)| window(from, before)).collect()
}

/// Marks the hours of messages that have changed at `at`, where those are over: inside the transaction of the change.
pub(crate) async fn mark(
    connection: &mut AnyConnection,
    changes: impl Iterator<Item = (MailId, Timestamp)>,
) -> Result<(), StoreError> {
    let late = |(mail, at): (MailId, Timestamp)| {
        let hour = hour_of(mail.at());
        (at > end_of(hour).after(MARKED_AFTER)).then_some(hour)
    };
    let hours: BTreeSet<Timestamp> = changes.filter_map(late).collect();
    mark_hours(connection, hours.into_iter().collect()).await
}

async fn mark_hours(connection: &mut AnyConnection, hours: Vec<Timestamp>) -> Result<(), StoreError> {
    for hours in database::in_groups(hours, 3) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "insert into flow_mark (hour_us, stamp, rolled) values {} on conflict (hour_us) do update set stamp = \
                flow_mark.stamp + 1",
            marks.rows(hours.len(), 3)
        );
        let values = hours.iter().flat_map(|hour| [hour.as_micros(), 1, 0].map(Value::from)).collect();
        database::query(sql, values).execute(&mut *connection).await?;
    }
    Ok(())
}

impl Command for FlowWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Mark(_) | Self::Reach(_) => 1,
            Self::Keep { sums, .. } => 2 + sums.len(),
            Self::Forget(_) => ROUND_MAX as usize,
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Mark(hour) => mark_hours(connection, vec![*hour]).await,
            Self::Keep { hour, stamp, sums } => {
                let sql = "delete from flow_hour where hour_us = $1";
                sqlx::query(sql).bind(hour.as_micros()).execute(&mut *connection).await?;
                let row = |sum: &Sum| {
                    let [domain, direction, category, disposition, account] = sum.like.clone().map(Value::from);
                    vec![hour.as_micros().into(), domain, direction, category, disposition, account, sum.units.into()]
                };
                let columns = ["hour_us", "domain", "direction", "category", "disposition", "account", "units"];
                database::insert(connection, "flow_hour", &columns, sums.iter().map(row).collect()).await?;
                // A change since then has another stamp, and the hour stays marked.
                let sql = "update flow_mark set rolled = $1 where hour_us = $2";
                sqlx::query(sql).bind(*stamp).bind(hour.as_micros()).execute(connection).await?;
                Ok(())
            }
            Self::Reach(until) => {
                let sql = "insert into flow_reach (one, until_us) values (1, $1) on conflict (one) do update set \
                    until_us = excluded.until_us";
                sqlx::query(sql).bind(until.as_micros()).execute(connection).await?;
                Ok(())
            }
            Self::Forget(oldest) => {
                // Its sums are none: the purge that took the last message has marked it.
                let sql = "delete from flow_mark where hour_us < $1 and rolled = stamp";
                sqlx::query(sql).bind(oldest.as_micros()).execute(connection).await?;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_follow_one_another_are_one_window() {
        let hours: BTreeSet<i64> = [1, 2, 3, 7, 9, 10].map(|hour| hour * HOUR_US).into();
        assert_eq!(runs(&hours).len(), 3);
        assert!(runs(&BTreeSet::new()).is_empty());
    }

    #[test]
    fn what_the_sums_cover() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let covered = |text: &str| is_covered(&Query::parse(text, now).expect("a query"), true);
        for text in [
            "",
            "state:held",
            "direction:Inbound -category:Malware",
            "received:>=-30d (state:held OR domain:x.example)",
        ] {
            assert!(covered(text), "{text}");
        }
        for text in ["sender:a@x.example", "word", "NOT received:>=-24h", "received:>=-24h OR state:held", "size:>1k"] {
            assert!(!covered(text), "{text}");
        }
    }
}
