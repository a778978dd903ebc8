//! What a replay made of messages, as one write.

use std::collections::{BTreeMap, BTreeSet};

use domain::incident::Outcome;
use domain::{MailId, Timestamp, UnitId};
use sqlx::{AnyConnection, Row};

use super::Replayed;
use crate::database::error::StoreError;
use crate::database::{self, Marks, Value, named};
use crate::mail::arrival::unit_id;
use crate::mail::completion::{self, Completion};
use crate::release::{self, Asking};
use crate::writer::{Command, Group};

/// What a replay made of some messages, as data.
#[derive(Clone, Debug)]
pub(super) struct Replay(pub(super) Vec<Replayed>);

impl Command for Replay {
    type Reply = ();

    fn rows(&self) -> usize {
        let rows = |one: &Replayed| {
            let findings = one.completion.as_ref().map_or(0, |whole| whole.examination.findings.len());
            2 + findings + 6 * one.outcomes.len()
        };
        self.0.iter().map(rows).sum()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        record(group, &self.0).await
    }
}

/// Messages of a replay: their new records, what became of each unit, and the release of those that are cleared.
async fn record(group: &mut Group<'_>, replayed: &[Replayed]) -> Result<(), StoreError> {
    // The outcome of a unit is written once. A message none of whose units waits any more was replayed by another: its
    // record stays.
    let (touched, cleared) = record_outcomes(group.connection, replayed).await?;
    let replayed: Vec<&Replayed> =
        replayed.iter().filter(|one| touched.contains(&(one.incident.clone(), one.mail_id))).collect();
    let completions: Vec<&Completion> = replayed.iter().filter_map(|one| one.completion.as_ref()).collect();
    completion::complete(group, &completions).await?;
    restore_standing(group.connection, &replayed).await?;
    for ((incident, reason), (units, at)) in cleared {
        let asking = Asking { by: &incident, reason: &reason, is_person: false, at };
        release::request(group, &units, &asking).await?;
    }
    Ok(())
}

/// Units that were cleared just now and by this replay, by their incident and the reason, with the time of the last.
type Cleared = BTreeMap<(String, String), (Vec<UnitId>, Timestamp)>;
/// Messages of which a unit got its outcome just now, each with its incident.
type Touched = BTreeSet<(String, MailId)>;

/// What became of each unit that had not been examined again before.
async fn record_outcomes(
    connection: &mut AnyConnection,
    replayed: &[Replayed],
) -> Result<(Touched, Cleared), StoreError> {
    const COLUMNS: usize = 7;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for Replayed { incident, mail_id, outcomes, completion, at } in replayed {
        let ruleset = completion.as_ref().map_or("", |whole| whole.examination.ruleset.as_str());
        for (number, outcome, reason) in outcomes {
            rows.push(vec![
                incident.as_str().into(),
                mail_id.to_string().into(),
                (*number).into(),
                outcome.as_str().into(),
                at.as_micros().into(),
                ruleset.into(),
                reason.as_str().into(),
            ]);
        }
    }
    let (mut touched, mut cleared) = (Touched::new(), Cleared::new());
    for rows in database::in_groups(rows, COLUMNS) {
        let mut marks = Marks::of(connection);
        let sql = format!(
            "with v (incident, mail_id, unit_no, outcome, outcome_us, ruleset, reason) as (values {}) \
             update incident_unit set outcome = v.outcome, outcome_us = v.outcome_us, ruleset = v.ruleset, reason = \
             v.reason \
             from v where incident_unit.incident = v.incident and incident_unit.mail_id = v.mail_id \
             and incident_unit.unit_no = v.unit_no and incident_unit.outcome = 'pending' \
             returning incident_unit.incident, incident_unit.mail_id, incident_unit.unit_no, incident_unit.outcome, \
             incident_unit.outcome_us, incident_unit.reason",
            marks.rows(rows.len(), COLUMNS)
        );
        for row in database::query(sql, rows.into_iter().flatten().collect()).fetch_all(&mut *connection).await? {
            let unit = unit_id(&row)?;
            touched.insert((row.try_get("incident")?, unit.mail));
            if named(&row, "outcome", Outcome::parse)? == Outcome::Cleared {
                let at = Timestamp::from_micros(row.try_get("outcome_us")?);
                let of = cleared.entry((row.try_get("incident")?, row.try_get("reason")?)).or_insert((Vec::new(), at));
                of.0.push(unit);
                of.1 = of.1.max(at);
            }
        }
    }
    Ok((touched, cleared))
}

/// What a wrong verdict took from the past is given back: content that was called bad because of it vouches again.
async fn restore_standing(connection: &mut AnyConnection, replayed: &[&Replayed]) -> Result<(), StoreError> {
    let is_cleared = |one: &&&Replayed| {
        one.completion.is_some() && one.outcomes.iter().any(|(_, outcome, _)| *outcome == Outcome::Cleared)
    };
    let mails: Vec<Value> =
        replayed.iter().filter(is_cleared).map(|one| Value::from(one.mail_id.to_string())).collect();
    for mails in database::in_groups(mails, 1) {
        let marks = database::marks(1, mails.len());
        for (table, what) in [
            ("known_good_part", "select p.sha256, m.received_us from part p join message m on m.mail_id = p.mail_id"),
            ("known_good_mail", "select m.sha256, m.received_us from message m"),
        ] {
            let sql = format!(
                "update {table} set last_bad_us = null where last_bad_us is not null \
                 and (sha256, last_bad_us) in ({what} where m.mail_id in ({marks}))"
            );
            database::query(sql, mails.clone()).execute(&mut *connection).await?;
        }
    }
    Ok(())
}
