//! A page of events, made of the entries of the audit log and of the rows that their batches have.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::audit::Entry;
use domain::event::{Event, Fact, FileFact, FindingFact, IncidentFact, MailFact, Missing, UnitFact};
use domain::{MailId, Timestamp, UnitId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::epoch::Epochs;
use super::{EventPage, signed, unsigned};
use crate::audit::journal::{self, Batch};
use crate::audit::whole;
use crate::core::Core;
use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, parsed};
use crate::mail::arrival::unit_id;

/// Entries of the audit log that a page has at most.
const ENTRIES_MAX: i64 = 200;
/// Rows of the ledger with which a page ends; the first entry may have more.
const ROWS_MAX: i64 = 1000;
/// What stands for the act of an entry that cannot be read: it keeps nothing behind it from being told.
const UNREADABLE: &str = "";
/// Messages that one statement asks for.
const IDS_MAX: usize = 500;

/// The page from an entry on, all of one moment.
pub(super) async fn page(core: &Core, from: u64) -> Result<EventPage, StoreError> {
    let mut moment = core.reads.begin().await?;
    if moment.backend_name() != "SQLite" {
        // Else each statement would see a moment of its own, and what is pruned in between would be told by none.
        sqlx::query("set transaction isolation level repeatable read").execute(&mut *moment).await?;
    }
    let (first, end) = bounds(&mut moment).await?;
    let epochs = Epochs::read(&mut moment).await?;
    let mut page = EventPage { events: Vec::new(), next: from, end, epoch: epochs.newest().to_owned() };
    let entries = entries(&mut moment, from.max(first)).await?;
    if from < first && from < end {
        let at = entries.first().map_or(Timestamp::from_micros(0), |entry| entry.at);
        page.missing(at, Missing { from, to: first - 1, events: None, too_long: None });
    }
    let rows = Rows::of(&mut moment, &entries).await?;
    for entry in entries {
        page.next = entry.seq + 1;
        page.take(entry, &rows);
    }
    page.next = page.next.max(first.min(end)).min(end);
    page.events.iter_mut().for_each(|event| epochs.of(event.sequence).clone_into(&mut event.epoch));
    Ok(page)
}

/// The first entry that is still there, and the one that will be written next.
async fn bounds(moment: &mut AnyConnection) -> Result<(u64, u64), StoreError> {
    let mut sizes = [0, 0];
    for (size, sql) in sizes
        .iter_mut()
        .zip(["select size from audit_checkpoint where id = 1", "select size from audit_head where id = 1"])
    {
        if let Some(row) = sqlx::query(sql).fetch_optional(&mut *moment).await? {
            *size = unsigned(row.try_get("size")?);
        }
    }
    Ok(sizes.into())
}

/// Entries from one on, until they have enough rows.
async fn entries(moment: &mut AnyConnection, from: u64) -> Result<Vec<Entry>, StoreError> {
    let sql = "select l.seq, l.at_us, l.entry_json, p.private_json from audit_leaf l \
               left join audit_private p on p.seq = l.seq where l.seq >= $1 order by l.seq limit $2";
    let rows = sqlx::query(sql).bind(signed(from)).bind(ENTRIES_MAX).fetch_all(moment).await?;
    let mut entries = Vec::new();
    let mut left = ROWS_MAX;
    for row in &rows {
        let entry = match whole(row) {
            Ok(entry) => entry,
            Err(error) => unreadable(row, &error)?,
        };
        left -= batch_of(&entry).map_or(1, |(_, batch)| batch.rows);
        if left < 0 && !entries.is_empty() {
            break;
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn unreadable(row: &AnyRow, error: &StoreError) -> Result<Entry, StoreError> {
    let (seq, at) = (unsigned(row.try_get("seq")?), Timestamp::from_micros(row.try_get("at_us").unwrap_or(0)));
    tracing::warn!(%error, seq, "an entry of the audit log cannot be read: its event is told as missing");
    let [actor, object, reason, detail] = [const { String::new() }; 4];
    Ok(Entry { seq, at, actor, action: UNREADABLE.to_owned(), object, reason, detail, commitment: None })
}

fn batch_of(entry: &Entry) -> Option<(i64, Batch)> {
    Batch::of_leaf(entry).filter(|_| entry.action == journal::ACTION)
}

impl EventPage {
    /// What one entry has.
    fn take(&mut self, entry: Entry, rows: &Rows) {
        if entry.action == journal::ACTION {
            self.take_batch(&entry, rows);
        } else if entry.action == UNREADABLE {
            self.missing(entry.at, Missing { from: entry.seq, to: entry.seq, events: Some(1), too_long: None });
        } else {
            self.tell(entry.seq, entry.at, Fact::Audit(entry));
        }
    }

    /// What one batch has: its steps of units, then its lines of incidents, and how much of it is gone.
    fn take_batch(&mut self, entry: &Entry, rows: &Rows) {
        let Some((number, batch)) = batch_of(entry) else { return };
        let steps = rows.steps.get(&number).map_or(&[][..], Vec::as_slice);
        let known = steps.iter().filter_map(|step| Some((step, rows.unit(step)?)));
        let told: Vec<(Timestamp, UnitFact)> = known.map(|(step, unit)| (step.at, unit)).collect();
        // Lines of incidents stand beside the rows of a batch, and are not counted with them.
        let lost = rows.unreadable_said.get(&number).copied().unwrap_or(0);
        let gone = unsigned(batch.rows).saturating_sub(told.len() as u64) + lost;
        if gone > 0 {
            self.missing(entry.at, Missing { from: entry.seq, to: entry.seq, events: Some(gone), too_long: None });
        }
        told.into_iter().for_each(|(at, unit)| self.tell(entry.seq, at, Fact::Unit(unit)));
        for (at, said) in rows.said.get(&number).into_iter().flatten() {
            self.tell(entry.seq, *at, Fact::Incident(said.clone()));
        }
    }

    /// Tells a fact; in which epoch, is found when the page is complete.
    fn tell(&mut self, sequence: u64, at: Timestamp, fact: Fact) {
        self.events.push(Event { epoch: String::new(), sequence, at, fact });
    }

    /// Tells what is missing; as one with what is missing just before it.
    fn missing(&mut self, at: Timestamp, missing: Missing) {
        if let Some(Event { sequence, fact: Fact::Missing(before), .. }) = self.events.last_mut()
            && before.to + 1 == missing.from
            && before.events.is_some() == missing.events.is_some()
        {
            before.to = missing.to;
            before.events = before.events.zip(missing.events).map(|(one, other)| one + other);
            *sequence = missing.to;
            return;
        }
        self.tell(missing.to, at, Fact::Missing(missing));
    }
}

/// A step of a unit as the ledger has it.
struct Step {
    unit: UnitId,
    number: i64,
    at: Timestamp,
    from: String,
    to: String,
    by: String,
    actor: String,
    reason: String,
}

/// A unit as it is recorded now.
struct Unit {
    recipient: String,
    direction: String,
    disposition: String,
    is_enforced: bool,
}

/// What the batches of some entries have.
#[derive(Default)]
struct Rows {
    /// Steps by batch.
    steps: BTreeMap<i64, Vec<Step>>,
    /// Lines of incidents by batch.
    said: BTreeMap<i64, Vec<(Timestamp, IncidentFact)>>,
    /// How many lines of incidents cannot be read, by batch.
    unreadable_said: BTreeMap<i64, u64>,
    mails: HashMap<MailId, Arc<MailFact>>,
    units: HashMap<UnitId, Unit>,
    /// The last step at which each unit got a verdict anew.
    revised: HashMap<UnitId, i64>,
}

impl Rows {
    async fn of(moment: &mut AnyConnection, entries: &[Entry]) -> Result<Self, StoreError> {
        let batches: Vec<i64> = entries.iter().filter_map(batch_of).map(|(number, _)| number).collect();
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else { return Ok(Self::default()) };
        let mut rows = Self::default();
        rows.read_steps(moment, *first, *last).await?;
        rows.read_said(moment, *first, *last).await?;
        let mut mails: Vec<String> = rows.steps.values().flatten().map(|step| step.unit.mail.to_string()).collect();
        mails.sort_unstable();
        mails.dedup();
        for mails in mails.chunks(IDS_MAX) {
            rows.read_mails(moment, mails).await?;
        }
        Ok(rows)
    }

    /// A step with the unit and the mail that it is about; none where they are gone.
    fn unit(&self, step: &Step) -> Option<UnitFact> {
        let unit = self.units.get(&step.unit)?;
        let mail = self.mails.get(&step.unit.mail)?.clone();
        Some(UnitFact {
            unit: step.unit,
            step: step.number,
            from: step.from.clone(),
            to: step.to.clone(),
            by: step.by.clone(),
            actor: step.actor.clone(),
            reason: step.reason.clone(),
            recipient: unit.recipient.clone(),
            direction: unit.direction.clone(),
            disposition: unit.disposition.clone(),
            is_enforced: unit.is_enforced,
            is_revised: self.revised.get(&step.unit).is_some_and(|revised| *revised > step.number),
            mail,
        })
    }

    async fn read_steps(&mut self, moment: &mut AnyConnection, first: i64, last: i64) -> Result<(), StoreError> {
        let sql = "select * from ledger where batch >= $1 and batch <= $2 order by batch, mail_id, unit_no, step";
        let rows = sqlx::query(sql).bind(first).bind(last).fetch_all(moment).await?;
        for (batch, step) in database::readable(&rows, |row| Ok((row.try_get("batch")?, step(row)?))) {
            self.steps.entry(batch).or_default().push(step);
        }
        Ok(())
    }

    async fn read_said(&mut self, moment: &mut AnyConnection, first: i64, last: i64) -> Result<(), StoreError> {
        let sql = "select e.*, i.detection, i.detection_version from incident_event e join incident i on i.incident = \
                   e.incident where e.batch >= $1 and e.batch <= $2 order by e.batch, e.incident, e.event_no";
        for row in &sqlx::query(sql).bind(first).bind(last).fetch_all(moment).await? {
            let Ok(batch) = row.try_get("batch") else { continue };
            match said(row) {
                Ok(one) => self.said.entry(batch).or_default().push(one),
                Err(error) => {
                    tracing::warn!(%error, batch, "a line of an incident cannot be read: it is told as missing");
                    *self.unreadable_said.entry(batch).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    async fn read_mails(&mut self, moment: &mut AnyConnection, ids: &[String]) -> Result<(), StoreError> {
        let among = format!("mail_id in ({})", marks(1, ids.len()));
        let mut found = by_mail(
            moment,
            ids,
            format!(
                "select mail_id, detection, detection_version, engine, category, effect, evidence from finding \
             where mode = 'Enforce' and effect <> 'Fact' and {among} order by mail_id, finding_no"
            ),
            finding,
        )
        .await?;
        let mut files = by_mail(
            moment,
            ids,
            format!(
                "select mail_id, name, content_type, size_bytes, sha256 from part where name <> '' and {among} \
             order by mail_id, part_no"
            ),
            file,
        )
        .await?;
        let rows = asked(moment, ids, format!("select * from message where {among}")).await?;
        for (id, mail) in database::readable(&rows, |row| Ok((parsed(row, "mail_id")?, mail(row)?))) {
            let (findings, lost) = found.remove(&id).unwrap_or_default();
            let (files, more) = files.remove(&id).unwrap_or_default();
            self.mails.insert(id, Arc::new(MailFact { findings, files, unreadable: lost + more, ..mail }));
        }
        let rows = asked(moment, ids, format!("select * from unit where {among}")).await?;
        self.units.extend(database::readable(&rows, |row| Ok((unit_id(row)?, unit(row)?))));
        let revised = format!(
            "select mail_id, unit_no, max(step) as last from ledger where moved_by = 'reexamined' and {among} \
             group by mail_id, unit_no"
        );
        let rows = asked(moment, ids, revised).await?;
        self.revised.extend(database::readable(&rows, |row| Ok((unit_id(row)?, row.try_get("last")?))));
        Ok(())
    }
}

async fn asked(moment: &mut AnyConnection, ids: &[String], sql: String) -> Result<Vec<AnyRow>, StoreError> {
    let values: Vec<Value> = ids.iter().map(|id| id.as_str().into()).collect();
    Ok(database::query(sql, values).fetch_all(moment).await?)
}

/// What rows say, by the mail that they are about, with how many of it cannot be read.
async fn by_mail<T>(
    moment: &mut AnyConnection,
    ids: &[String],
    sql: String,
    read: impl Fn(&AnyRow) -> Result<T, StoreError>,
) -> Result<HashMap<MailId, (Vec<T>, u64)>, StoreError> {
    let mut all: HashMap<MailId, (Vec<T>, u64)> = HashMap::new();
    for row in &asked(moment, ids, sql).await? {
        // The statement asked for it by its id.
        let Ok(mail) = parsed(row, "mail_id") else { continue };
        let (known, unreadable) = all.entry(mail).or_default();
        match read(row) {
            Ok(one) => known.push(one),
            Err(error) => {
                tracing::warn!(%error, %mail, "a row of a mail cannot be read: its events say so");
                *unreadable += 1;
            }
        }
    }
    Ok(all)
}

/// A line of an incident, with when it was said.
fn said(row: &AnyRow) -> Result<(Timestamp, IncidentFact), StoreError> {
    let said = IncidentFact {
        incident: row.try_get("incident")?,
        number: row.try_get("event_no")?,
        actor: row.try_get("actor")?,
        what: row.try_get("what")?,
        text: row.try_get("text")?,
        is_public: row.try_get::<i64, _>("is_public")? == 1,
        detection: row.try_get("detection")?,
        version: row.try_get("detection_version")?,
    };
    Ok((Timestamp::from_micros(row.try_get("at_us")?), said))
}

fn unit(row: &AnyRow) -> Result<Unit, StoreError> {
    Ok(Unit {
        recipient: row.try_get("recipient")?,
        direction: row.try_get("direction")?,
        disposition: row.try_get("disposition")?,
        is_enforced: row.try_get::<i64, _>("is_enforced")? == 1,
    })
}

fn step(row: &AnyRow) -> Result<Step, StoreError> {
    Ok(Step {
        unit: unit_id(row)?,
        number: row.try_get("step")?,
        at: Timestamp::from_micros(row.try_get("at_us")?),
        from: row.try_get("from_account")?,
        to: row.try_get("to_account")?,
        by: row.try_get("moved_by")?,
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
    })
}

/// A mail without what other tables say of it.
fn mail(row: &AnyRow) -> Result<MailFact, StoreError> {
    Ok(MailFact {
        received: Timestamp::from_micros(row.try_get("received_us")?),
        client_ip: row.try_get("client_ip")?,
        client_helo: row.try_get("client_helo")?,
        login: row.try_get("login")?,
        sender: row.try_get("sender")?,
        header_from: row.try_get("header_from")?,
        message_id: row.try_get("message_id")?,
        subject: row.try_get("subject")?,
        size: unsigned(row.try_get("size_bytes")?),
        sha256: row.try_get("sha256")?,
        category: row.try_get("category")?,
        ruleset: row.try_get("ruleset")?,
        policy: row.try_get("policy")?,
        urls: from_json(row, "urls_json")?,
        findings: Vec::new(),
        files: Vec::new(),
        unreadable: 0,
    })
}

fn finding(row: &AnyRow) -> Result<FindingFact, StoreError> {
    Ok(FindingFact {
        detection: row.try_get("detection")?,
        version: row.try_get("detection_version")?,
        engine: row.try_get("engine")?,
        category: row.try_get("category")?,
        effect: row.try_get("effect")?,
        evidence: row.try_get("evidence")?,
    })
}

fn file(row: &AnyRow) -> Result<FileFact, StoreError> {
    Ok(FileFact {
        name: row.try_get("name")?,
        content_type: row.try_get("content_type")?,
        size: unsigned(row.try_get("size_bytes")?),
        sha256: row.try_get("sha256")?,
    })
}
