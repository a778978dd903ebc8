//! Incidents: what a wrong detection held, what the replay made of each unit, and what was said about it when.

pub mod digest;
mod replay;
pub mod told;

use std::collections::BTreeMap;

use domain::audit::{Frontier, leaf_hash};
use domain::detection::RulesetId;
use domain::incident::told::Tally;
use domain::incident::{IncidentStep, Outcome, Stage, public_id};
use domain::ledger::Account;
use domain::{Direction, MailId, Timestamp, UnitId};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::core::part;
use crate::database::error::StoreError;
use crate::database::{self, Value, named, parsed};
use crate::evidence::sentinel::Suspect;
use crate::mail::arrival::unit_id;
use crate::mail::completion::Completion;
use crate::notices::claim::{self, NoticeClaim};
use crate::writer::{Command, Group, SWEEP_ROWS};

part! {
    /// Incidents: what a wrong detection held, what the replay made of it, and what was said about it.
    IncidentStore
}

/// Units that one write adds to a manifest.
pub const WAVE_BATCH: usize = 400;
/// Accounts that a unit can be in which a detection held.
const HELD_ACCOUNTS: &str = "'held', 'releasing', 'in_doubt', 'released', 'failed', 'denied'";

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its public id.
    pub id: String,
    /// Where it stands.
    pub stage: Stage,
    /// Whether a person has stopped its replay.
    pub is_paused: bool,
    /// When it was opened.
    pub opened: Timestamp,
    /// By whom.
    pub opened_by: String,
    /// Since when it stands where it stands.
    pub moved: Timestamp,
    /// When the detection version came into force, if that is known.
    pub in_force: Option<Timestamp>,
    /// Whether the sentinel has convicted it; else a person asks, or a ruleset was taken back.
    pub is_convicted: bool,
    /// When the detection was contained.
    pub contained: Option<Timestamp>,
    /// When it ended.
    pub resolved: Option<Timestamp>,
    /// The detection version that did it.
    pub suspect: Suspect,
    /// The ruleset that it came with.
    pub ruleset: RulesetId,
    /// Why it is believed to be wrong.
    pub cause: String,
    /// What a person has added to what the public is told; empty if nothing.
    pub public_text: String,
    /// Whose it is; empty while it is nobody's.
    pub owner: String,
    /// When more will be said.
    pub next_update: Option<Timestamp>,
    /// Waves of its manifest.
    pub waves: u32,
    /// The Merkle root over its units (RFC 6962 hashing over their sorted ids), in hexadecimal; empty while there is
    /// none.
    pub root: String,
}

/// An incident to open.
#[derive(Clone, Debug)]
pub struct NewIncident {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// When the detection version came into force, if that is known.
    pub in_force: Option<Timestamp>,
    /// Whether the sentinel has convicted it.
    pub is_convicted: bool,
    /// The detection version.
    pub suspect: Suspect,
    /// The ruleset that it came with.
    pub ruleset: RulesetId,
    /// Why.
    pub cause: String,
    /// What a person adds to what the public is told; empty if nothing.
    pub public_text: String,
    /// When more will be said.
    pub next_update: Timestamp,
}

/// A line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What kind of line it is: a constant for machines.
    pub what: String,
    /// What it says.
    pub text: String,
    /// Whether the public sees it.
    pub is_public: bool,
}

/// A change of an incident.
#[derive(Clone, Debug)]
pub struct IncidentChange {
    /// Which.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What it says in the timeline.
    pub text: String,
    /// Whether the public sees that line.
    pub is_public: bool,
    /// A step from the stage that it is believed to be in.
    pub step: Option<(Stage, IncidentStep)>,
    /// Stop its replay, or go on.
    pub pause: Option<bool>,
    /// Another public text.
    pub public_text: Option<String>,
    /// Another owner.
    pub owner: Option<String>,
    /// When more will be said.
    pub next_update: Option<Timestamp>,
}

impl IncidentChange {
    /// A line in the timeline, and nothing else.
    pub fn note(id: &str, at: Timestamp, actor: &str, text: &str) -> Self {
        Self {
            id: id.to_owned(),
            at,
            actor: actor.to_owned(),
            text: text.to_owned(),
            is_public: false,
            step: None,
            pause: None,
            public_text: None,
            owner: None,
            next_update: None,
        }
    }

    /// A step, told to the public.
    pub fn step(incident: &Incident, by: IncidentStep, at: Timestamp, actor: &str, text: &str) -> Self {
        let step = Some((incident.stage, by));
        Self { step, is_public: true, ..Self::note(&incident.id, at, actor, text) }
    }
}

/// What the replay made of the units of one message.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The incident.
    pub incident: String,
    /// The message.
    pub mail_id: MailId,
    /// What became of each unit, and why.
    pub outcomes: Vec<(u32, Outcome, String)>,
    /// The new examination and its verdicts; none when it could not be examined.
    pub completion: Option<Completion>,
    /// When.
    pub at: Timestamp,
}

/// How far it is: units by outcome and account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress(pub BTreeMap<(Outcome, Account), u64>);

impl Progress {
    /// Units for which this holds.
    pub fn count(&self, holds: impl Fn(Outcome, Account) -> bool) -> u64 {
        self.0.iter().filter(|((outcome, account), _)| holds(*outcome, *account)).map(|(_, units)| units).sum()
    }

    /// All units.
    pub fn units(&self) -> u64 {
        self.count(|_, _| true)
    }

    /// Units with this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.count(|one, _| one == outcome)
    }

    /// Units that have reached the next hop, by whoever's decision.
    pub fn restored(&self) -> u64 {
        self.count(|_, account| account == Account::Released)
    }

    /// What is known of its units, for the public.
    pub fn tally(&self) -> Tally {
        Tally::of(&self.0)
    }

    /// Units that need nobody's work any more.
    pub fn over(&self) -> u64 {
        self.count(Outcome::is_over)
    }
}

/// A unit that was not restored, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residual {
    /// The unit.
    pub unit: UnitId,
    /// Its recipient.
    pub recipient: String,
    /// Its sender.
    pub sender: String,
    /// Its subject.
    pub subject: String,
    /// What the replay made of it.
    pub outcome: Outcome,
    /// Where it is.
    pub account: Account,
    /// Why it is there.
    pub reason: String,
}

/// How far an incident reached: units by direction, and the domains, senders and recipients with the most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlastRadius {
    /// By direction.
    pub directions: Vec<(String, u64)>,
    /// By the site's domain.
    pub domains: Vec<(String, u64)>,
    /// By sender, the most first.
    pub senders: Vec<(String, u64)>,
    /// By recipient, the most first.
    pub recipients: Vec<(String, u64)>,
}

/// A public line that a channel has not been told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The incident.
    pub incident: String,
    /// The number of the line.
    pub number: i64,
    /// The line.
    pub note: Note,
}

/// A line that was told.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The right to tell it.
    pub claim: NoticeClaim,
    /// The incident.
    pub incident: String,
    /// The number of the line.
    pub number: i64,
    /// To whom: a webhook's or a mailbox's address.
    pub channel: String,
    /// When.
    pub at: Timestamp,
    /// What was answered.
    pub reply: String,
}

/// Units that a wave adds to the manifest, as data.
#[derive(Clone, Debug)]
struct Wave {
    incident: String,
    wave: u32,
    units: Vec<UnitId>,
}

/// The manifest as it is frozen, as data.
#[derive(Clone, Debug)]
struct Freeze {
    incident: String,
    wave: u32,
    root: String,
}

/// Another try of what was inconclusive, as data.
#[derive(Clone, Debug)]
struct Retry {
    incident: String,
}

impl IncidentStore {
    /// Opens an incident; returns its public id.
    ///
    /// # Errors
    /// When one about the same detection version is open already, or the store fails.
    pub async fn open(&self, new: NewIncident) -> Result<String, StoreError> {
        self.core.writer.write(new).await
    }

    /// Changes an incident.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it stands elsewhere or the table does not allow the step.
    pub async fn change(&self, change: IncidentChange) -> Result<(), StoreError> {
        self.core.writer.write(change).await
    }

    /// Adds units to the manifest; those that are in it stay as they are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_to_manifest(&self, incident: &str, wave: u32, units: Vec<UnitId>) -> Result<(), StoreError> {
        let incident = incident.to_owned();
        self.core.writer.write(Wave { incident, wave, units }).await
    }

    /// Freezes the manifest as it is: its Merkle root goes into the record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn freeze_manifest(&self, incident: &str, wave: u32) -> Result<(), StoreError> {
        let root = self.manifest_root(incident).await?;
        let incident = incident.to_owned();
        self.core.writer.write(Freeze { incident, wave, root }).await
    }

    /// What was inconclusive is to be examined once more. Returns how many units that are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry_inconclusive(&self, incident: &str) -> Result<usize, StoreError> {
        self.core.writer.write(Retry { incident: incident.to_owned() }).await
    }

    /// Public lines since `since` that a channel has not been told, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lines_not_yet_announced(
        &self,
        channel: &str,
        since: Timestamp,
    ) -> Result<Vec<Announcement>, StoreError> {
        let sql = "select e.* from incident_event e where e.is_public = 1 and e.at_us >= $1 and not exists (select 1 \
            from announcement a where a.incident = e.incident \
                   and a.event_no = e.event_no and a.channel = $2) order by e.at_us, e.event_no limit 50";
        let rows = database::query(sql.to_owned(), vec![since.as_micros().into(), channel.into()])
            .fetch_all(&self.core.reads)
            .await?;
        let read = |row: &AnyRow| {
            let note = read_note(row)?;
            Ok(Announcement { incident: row.try_get("incident")?, number: row.try_get("event_no")?, note })
        };
        Ok(database::readable(&rows, read))
    }

    /// Remembers that a channel was told a line.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_line_announced(&self, told: Announced) -> Result<(), StoreError> {
        self.core.writer.write(told).await
    }

    /// Records what the replay made of some messages.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_replay(&self, replayed: Vec<Replayed>) -> Result<(), StoreError> {
        self.core.writer.write(replay::Replay(replayed)).await
    }

    /// All incidents, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn all(&self) -> Result<Vec<Incident>, StoreError> {
        let sql = "select * from incident order by opened_us desc, incident desc limit 500";
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// How many are not resolved, by their stage.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count_unresolved(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        let sql = "select stage as name, count(*) as counted from incident where stage <> 'resolved' group by stage";
        database::counted(&sqlx::query(sql).fetch_all(&self.core.reads).await?)
    }

    /// One incident.
    ///
    /// # Errors
    /// When there is none of this id, or the store fails.
    pub async fn by_id(&self, id: &str) -> Result<Incident, StoreError> {
        let row = sqlx::query("select * from incident where incident = $1").bind(id.to_owned());
        let row = row.fetch_optional(&self.core.reads).await?;
        read(&row.ok_or_else(|| StoreError::NotFound(format!("incident {id}")))?)
    }

    /// Its timeline, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn timeline(&self, id: &str) -> Result<Vec<Note>, StoreError> {
        let sql = "select * from incident_event where incident = $1 order by event_no";
        sqlx::query(sql).bind(id.to_owned()).fetch_all(&self.core.reads).await?.iter().map(read_note).collect()
    }

    /// Units that the detection version held, of messages from `from` on, and that are in no wave yet, oldest first:
    /// the first `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn held_units_not_in_manifest(
        &self,
        incident: &Incident,
        from: Option<MailId>,
        limit: usize,
    ) -> Result<Vec<UnitId>, StoreError> {
        // The messages come first, in the order of the index, so that a batch ends where it is full and does not sort
        // all that is left.
        let is_missing = format!(
            "u.account in ({HELD_ACCOUNTS}) and not exists (select 1 from incident_unit i where i.incident = $3 \
             and i.mail_id = u.mail_id and i.unit_no = u.unit_no)"
        );
        let sql = format!(
            "select u.mail_id, u.unit_no from (select distinct f.mail_id from finding f \
             where f.detection = $1 and f.detection_version = $2 and f.mode = 'Enforce' and f.effect in ('Hold', \
             'Block') \
             and f.mail_id >= $5 and exists (select 1 from unit u where u.mail_id = f.mail_id and {is_missing}) \
             order by f.mail_id limit $4) hit join unit u on u.mail_id = hit.mail_id where {is_missing} \
             order by u.mail_id, u.unit_no limit $4"
        );
        let values = vec![
            incident.suspect.code.as_str().into(),
            incident.suspect.version.as_str().into(),
            incident.id.as_str().into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
            from.map(|mail| mail.to_string()).unwrap_or_default().into(),
        ];
        database::query(sql, values).fetch_all(&self.core.reads).await?.iter().map(unit_id).collect()
    }

    /// Messages of which a unit waits for the replay, oldest first, each with the numbers of those units.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mail_awaiting_replay(&self, id: &str, limit: usize) -> Result<Vec<(MailId, Vec<u32>)>, StoreError> {
        let sql = "select mail_id, unit_no from incident_unit where incident = $1 and outcome = 'pending' \
                   order by mail_id, unit_no limit $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql).bind(id.to_owned()).bind(limit).fetch_all(&self.core.reads).await?;
        let mut mails: Vec<(MailId, Vec<u32>)> = Vec::new();
        for row in &rows {
            let unit = unit_id(row)?;
            match mails.last_mut() {
                Some((mail, numbers)) if *mail == unit.mail => numbers.push(unit.number),
                _ => mails.push((unit.mail, vec![unit.number])),
            }
        }
        // The last message of a full page may have more units behind it.
        if rows.len() as i64 == limit && mails.len() > 1 {
            mails.pop();
        }
        Ok(mails)
    }

    /// How far it is.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn progress(&self, id: &str) -> Result<Progress, StoreError> {
        let sql = "select i.outcome, u.account, count(*) as units from incident_unit i \
                   join unit u on u.mail_id = i.mail_id and u.unit_no = i.unit_no where i.incident = $1 group by \
                   i.outcome, u.account";
        let mut progress = Progress::default();
        for row in sqlx::query(sql).bind(id.to_owned()).fetch_all(&self.core.reads).await? {
            let key = (named(&row, "outcome", Outcome::parse)?, named(&row, "account", Account::parse)?);
            progress.0.insert(key, u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or(0));
        }
        Ok(progress)
    }

    /// Units that were not delivered, each with the reason: the first `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn undelivered_units(&self, id: &str, limit: i64) -> Result<Vec<Residual>, StoreError> {
        let sql = "select i.*, u.recipient, u.account, u.reply, m.sender, m.subject from incident_unit i \
                   join unit u on u.mail_id = i.mail_id and u.unit_no = i.unit_no join message m on m.mail_id = \
                   i.mail_id \
                   where i.incident = $1 and u.account <> 'released' \
                   order by i.mail_id, i.unit_no limit $2";
        let read = |row: &AnyRow| {
            let outcome = named(row, "outcome", Outcome::parse)?;
            let account: Account = named(row, "account", Account::parse)?;
            let said: String = row.try_get("reason")?;
            let reply: String = row.try_get("reply")?;
            // What keeps a cleared unit is what the next hop said.
            let reason = if outcome == Outcome::Cleared && !reply.is_empty() { reply } else { said };
            let (recipient, sender) = (row.try_get("recipient")?, row.try_get("sender")?);
            Ok(Residual {
                unit: unit_id(row)?,
                recipient,
                sender,
                subject: row.try_get("subject")?,
                outcome,
                account,
                reason,
            })
        };
        sqlx::query(sql).bind(id.to_owned()).bind(limit).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// What the units of an incident would be without the detection version, from what was recorded: how many of them
    /// nothing else acts on, and the messages of the others, for which somebody has to decide.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verdicts_without_suspect(&self, incident: &Incident) -> Result<(u64, Vec<(MailId, u64)>), StoreError> {
        let id = || -> Vec<Value> { vec![incident.id.as_str().into()] };
        let number = |row: &AnyRow| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or(0));
        let sql = "select count(*) as units from incident_unit where incident = $1 and is_alone = 1";
        let mut alone = number(&database::query(sql.to_owned(), id()).fetch_one(&self.core.reads).await?)?;
        let sql = "select mail_id, count(*) as units from incident_unit where incident = $1 and is_alone = 0 \
                   group by mail_id order by mail_id";
        let mut others = Vec::new();
        for row in &database::query(sql.to_owned(), id()).fetch_all(&self.core.reads).await? {
            others.push((parsed(row, "mail_id")?, number(row)?));
        }
        // What has been examined again since it was counted in is looked up.
        let sql = format!(
            "select m.mail_id, {IS_ALONE} as is_alone from incident_unit i join message m on m.mail_id = i.mail_id \
             join incident n on n.incident = i.incident where i.incident = $1 and i.is_alone is null"
        );
        for row in &database::query(sql, id()).fetch_all(&self.core.reads).await? {
            match row.try_get::<i64, _>("is_alone")? {
                0 => others.push((parsed(row, "mail_id")?, 1)),
                _ => alone += 1,
            }
        }
        Ok((alone, others))
    }

    /// How far it reached.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn blast_radius(&self, id: &str) -> Result<BlastRadius, StoreError> {
        Ok(BlastRadius {
            directions: self.most(id, "u.direction", i64::try_from(Direction::ALL.len()).unwrap_or(3)).await?,
            domains: self.most(id, "u.domain", 20).await?,
            senders: self.most(id, "m.sender", 20).await?,
            recipients: self.most(id, "u.recipient", 20).await?,
        })
    }

    async fn most(&self, id: &str, column: &'static str, limit: i64) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = format!(
            "select {column} as name, count(*) as units from incident_unit i join unit u on u.mail_id = i.mail_id \
             and u.unit_no = i.unit_no join message m on m.mail_id = i.mail_id where i.incident = $1 \
             group by {column} order by units desc, name limit $2"
        );
        let rows = database::query(sql, vec![id.into(), limit.into()]).fetch_all(&self.core.reads).await?;
        let read =
            |row: &AnyRow| Ok((row.try_get("name")?, u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or(0)));
        rows.iter().map(read).collect()
    }

    /// The Merkle root over the sorted ids of all units of the manifest, in hexadecimal.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn manifest_root(&self, id: &str) -> Result<String, StoreError> {
        let mut tree = Frontier::default();
        let (mut mail, mut number) = (String::new(), -1_i64);
        loop {
            let sql = "select mail_id, unit_no from incident_unit where incident = $1 and (mail_id > $2 or (mail_id = \
                $2 and unit_no > $3)) \
                       order by mail_id, unit_no limit 5000";
            let values = vec![id.into(), mail.as_str().into(), number.into()];
            let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
            for row in &rows {
                tree.append(leaf_hash(unit_id(row)?.to_string().as_bytes()));
            }
            let Some(last) = rows.last() else { return Ok(tree.root().hex()) };
            (mail, number) = (last.try_get("mail_id")?, last.try_get("unit_no")?);
        }
    }

    /// Senders of ours who were told that mail of this incident is held: derived damage, which its release makes good.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn senders_told_of_held_mail(&self, id: &str) -> Result<Vec<(MailId, String)>, StoreError> {
        let sql = "select distinct n.mail_id, n.sender from sender_notice n join incident_unit i on i.mail_id = \
            n.mail_id where i.incident = $1 \
                   order by n.mail_id limit 1000";
        let rows = sqlx::query(sql).bind(id.to_owned()).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((parsed(row, "mail_id")?, row.try_get("sender")?))).collect()
    }
}

/// 1 where nothing but the suspect of the incident `n` acts on the message `m`; else 0.
const IS_ALONE: &str = "cast(case when m.is_partial = 1 or m.facts_json not like '%\"entries\":[]%' or exists (select \
    1 from finding f \
                        where f.mail_id = m.mail_id and f.mode = 'Enforce' and f.effect in ('Hold', 'Block') \
                        and not (f.detection = n.detection and f.detection_version = n.detection_version)) then 0 else \
                        1 end as bigint)";

fn jiff_year(at: Timestamp) -> i32 {
    at.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or(0)
}

fn read_note(row: &AnyRow) -> Result<Note, StoreError> {
    Ok(Note {
        at: Timestamp::from_micros(row.try_get("at_us")?),
        actor: row.try_get("actor")?,
        what: row.try_get("what")?,
        text: row.try_get("text")?,
        is_public: row.try_get::<i64, _>("is_public")? == 1,
    })
}

fn read(row: &AnyRow) -> Result<Incident, StoreError> {
    let time = |column: &str| Ok::<_, StoreError>(Timestamp::from_micros(row.try_get(column)?));
    let maybe = |column: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros));
    let version: String = row.try_get("detection_version")?;
    Ok(Incident {
        id: row.try_get("incident")?,
        stage: named(row, "stage", Stage::parse)?,
        is_paused: row.try_get::<i64, _>("is_paused")? == 1,
        opened: time("opened_us")?,
        opened_by: row.try_get("opened_by")?,
        moved: time("moved_us")?,
        in_force: maybe("in_force_us")?,
        is_convicted: row.try_get::<i64, _>("is_convicted")? == 1,
        contained: maybe("contained_us")?,
        resolved: maybe("resolved_us")?,
        suspect: Suspect {
            code: parsed(row, "detection")?,
            version: domain::detection::DetectionVersion::external(&version),
        },
        ruleset: RulesetId::from_text(row.try_get::<String, _>("ruleset")?),
        cause: row.try_get("cause")?,
        public_text: row.try_get("public_text")?,
        owner: row.try_get("owner")?,
        next_update: maybe("next_update_us")?,
        waves: u32::try_from(row.try_get::<i64, _>("waves")?).unwrap_or(0),
        root: row.try_get("root")?,
    })
}

impl Command for NewIncident {
    /// Its public id.
    type Reply = String;

    fn rows(&self) -> usize {
        2
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<String, StoreError> {
        open(group, self).await
    }
}

impl Command for IncidentChange {
    type Reply = ();

    fn rows(&self) -> usize {
        2
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        change_one(group, self).await
    }
}

impl Command for Wave {
    type Reply = ();

    fn rows(&self) -> usize {
        self.units.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { incident, wave, units } = self;
        let sql = format!(
            "insert into incident_unit (incident, mail_id, unit_no, wave, outcome, ruleset, reason, is_alone) \
             select n.incident, m.mail_id, u.unit_no, {wave}, 'pending', '', '', {IS_ALONE} from incident n, \
             message m \
             join unit u on u.mail_id = m.mail_id where n.incident = $1 and m.mail_id = $2 and u.unit_no = $3 on \
             conflict do nothing"
        );
        for unit in units {
            let values: Vec<Value> = vec![incident.as_str().into(), unit.mail.to_string().into(), unit.number.into()];
            database::query(sql.clone(), values).execute(&mut *group.connection).await?;
        }
        Ok(())
    }
}

impl Command for Freeze {
    type Reply = ();

    fn rows(&self) -> usize {
        2
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { incident, wave, root } = self;
        let sql = "update incident set waves = $1, root = $2 where incident = $3 and waves <= $1";
        let values: Vec<Value> = vec![(*wave).into(), root.as_str().into(), incident.as_str().into()];
        database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

impl Command for Retry {
    /// How many units are examined once more.
    type Reply = usize;

    fn rows(&self) -> usize {
        SWEEP_ROWS
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<usize, StoreError> {
        let sql = "update incident_unit set outcome = 'pending', reason = '' where incident = $1 and outcome = \
            'inconclusive'";
        let done = sqlx::query(sql).bind(self.incident.clone()).execute(&mut *group.connection).await?;
        Ok(usize::try_from(done.rows_affected()).unwrap_or(0))
    }
}

impl Command for Announced {
    type Reply = ();

    fn rows(&self) -> usize {
        2
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        claim::settle(group.connection, &self.claim, self.at).await?;
        let sql = "insert into announcement (incident, event_no, channel, told_us, reply) values ($1, $2, $3, $4, \
            $5) on conflict do nothing";
        let values: Vec<Value> = vec![
            self.incident.as_str().into(),
            self.number.into(),
            self.channel.as_str().into(),
            self.at.as_micros().into(),
            self.reply.as_str().into(),
        ];
        database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        Ok(())
    }
}

async fn open(group: &mut Group<'_>, new: &NewIncident) -> Result<String, StoreError> {
    let connection = &mut *group.connection;
    let sql =
        "select incident from incident where detection = $1 and detection_version = $2 and stage <> 'resolved' limit 1";
    let values: Vec<Value> = vec![new.suspect.code.as_str().into(), new.suspect.version.as_str().into()];
    if let Some(row) = database::query(sql.to_owned(), values).fetch_optional(&mut *connection).await? {
        let known: String = row.try_get("incident")?;
        return Err(StoreError::Refused(format!("{known} is about the same detection version already")));
    }
    let row = sqlx::query("select count(*) as incidents from incident").fetch_one(&mut *connection).await?;
    let number = row.try_get::<i64, _>("incidents")? + 1;
    let id = public_id(jiff_year(new.at), u32::try_from(number).unwrap_or(0));
    let at = new.at.as_micros();
    let sql = "insert into incident (incident, stage, is_paused, opened_us, opened_by, moved_us, in_force_us, \
        is_convicted, detection, \
               detection_version, ruleset, cause, public_text, owner, next_update_us, waves, root) \
               values ($1, 'investigating', 0, $2, $3, $2, $4, $5, $6, $7, $8, $9, $10, '', $11, 0, '')";
    let values: Vec<Value> = vec![
        id.as_str().into(),
        at.into(),
        new.by.as_str().into(),
        new.in_force.map(Timestamp::as_micros).into(),
        new.is_convicted.into(),
        new.suspect.code.as_str().into(),
        new.suspect.version.as_str().into(),
        new.ruleset.as_str().into(),
        new.cause.as_str().into(),
        new.public_text.as_str().into(),
        new.next_update.as_micros().into(),
    ];
    database::query(sql.to_owned(), values).execute(&mut *connection).await?;
    note(group, &id, new.at, &new.by, "opened", &new.cause, false).await?;
    Ok(id)
}

async fn note(
    group: &mut Group<'_>,
    incident: &str,
    at: Timestamp,
    actor: &str,
    what: &str,
    text: &str,
    is_public: bool,
) -> Result<(), StoreError> {
    let sql = "insert into incident_event (incident, event_no, at_us, actor, what, text, is_public, batch) \
               select $1, (select coalesce(max(event_no), 0) + 1 from incident_event where incident = $1), $2, $3, $4, \
               $5, $6, $7";
    let batch = group.journal.batch_of_row(at);
    let at = at.as_micros();
    let values: Vec<Value> =
        vec![incident.into(), at.into(), actor.into(), what.into(), text.into(), is_public.into(), batch.into()];
    database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
    Ok(())
}

async fn change_one(group: &mut Group<'_>, change: &IncidentChange) -> Result<(), StoreError> {
    let connection = &mut *group.connection;
    let at = change.at.as_micros();
    let mut what = "note";
    if let Some((from, by)) = change.step {
        let to = from.on(by).map_err(|refused| StoreError::Refused(refused.to_string()))?;
        what = to.as_str();
        let sql = "update incident set stage = $1, moved_us = $2, \
                   contained_us = case when $5 = 1 and contained_us is null then $2 else contained_us end, \
                   resolved_us = case when $1 = 'resolved' then $2 else null end where incident = $3 and stage = $4";
        // A replay that was cancelled leads to the same stage, and contains nothing.
        let is_containment = by == IncidentStep::Contained;
        let values: Vec<Value> =
            vec![to.as_str().into(), at.into(), change.id.as_str().into(), from.as_str().into(), is_containment.into()];
        let done = database::query(sql.to_owned(), values).execute(&mut *connection).await?;
        if done.rows_affected() != 1 {
            return Err(StoreError::Refused(format!("incident {} is not {} any more", change.id, from.as_str())));
        }
    }
    let mut set: Vec<(&str, Value)> = Vec::new();
    if let Some(pause) = change.pause {
        what = if pause { "paused" } else { "resumed" };
        set.push(("is_paused", pause.into()));
    }
    if let Some(text) = &change.public_text {
        set.push(("public_text", text.as_str().into()));
    }
    if let Some(owner) = &change.owner {
        set.push(("owner", owner.as_str().into()));
    }
    if let Some(next) = change.next_update {
        set.push(("next_update_us", next.as_micros().into()));
    }
    for (column, value) in set {
        let sql = format!("update incident set {column} = $1 where incident = $2");
        database::query(sql, vec![value, change.id.as_str().into()]).execute(&mut *connection).await?;
    }
    note(group, &change.id, change.at, &change.actor, what, &change.text, change.is_public).await
}
