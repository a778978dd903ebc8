//! Mail that versions on probation hold: which it is, and what became of each, once.

use std::collections::{BTreeMap, BTreeSet};

use domain::ledger::Account;
use domain::sentinel::Suspect;
use domain::sentinel::probation::{LET_OUT_MAX, Stage, Step};
use domain::{MailId, Timestamp, UnitId};
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, named, parsed};
use crate::evidence::ContainmentStore;
use crate::evidence::sentinel::suspect;
use crate::mail::completion::{self, Completion};
use crate::release::{self, Asking};
use crate::writer::{Command, Group};

/// Mails of one version that are noted; of more each stays held, and nothing lets it out.
pub const NOTED_MAX: u64 = 10_000;
/// Who lets mail out, in the ledger.
const ACTOR: &str = "probation";

/// How many mails of a version stand where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Stage, u64>);

impl Counts {
    /// Mails that stand there.
    pub fn of(&self, stage: Stage) -> u64 {
        self.0.get(&stage).copied().unwrap_or(0)
    }

    /// All that were delayed, whatever became of them.
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }
}

/// What becomes of a mail.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The version on probation.
    pub suspect: Suspect,
    /// The mail.
    pub mail: MailId,
    /// What becomes of it.
    pub step: Step,
    /// Why.
    pub reason: String,
    /// The new examination and its verdicts; none when it was not examined again.
    pub completion: Option<Completion>,
    /// The units to release; none of them where it stays.
    pub units: Vec<UnitId>,
    /// When.
    pub at: Timestamp,
}

/// Mails to note, as data.
#[derive(Clone, Debug)]
struct Note {
    suspect: Suspect,
    mails: Vec<MailId>,
    at: Timestamp,
}

impl ContainmentStore {
    /// Mails of those whom we know that are held, that this version has hit and that are not noted yet, of mail that
    /// came at `from` or later; oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mail_to_delay(
        &self,
        suspect: &Suspect,
        from: Option<MailId>,
        limit: i64,
    ) -> Result<Vec<MailId>, StoreError> {
        // What is known of the sender is asked before anything is decided, and kept with the examination.
        let sql = "select distinct f.mail_id from finding f join message m on m.mail_id = f.mail_id \
                   where f.detection = $1 and f.detection_version = $2 and f.mode = 'Enforce' and f.effect in ('Hold', \
                   'Block') and f.mail_id >= $3 and m.facts_json like '%\"established\":true%' \
                   and exists (select 1 from unit u where u.mail_id = f.mail_id and u.account = 'held') \
                   and not exists (select 1 from probation_mail p where p.detection = $1 and p.detection_version = $2 \
                   and p.mail_id = f.mail_id) order by f.mail_id limit $4";
        let from = from.map(|mail| mail.to_string()).unwrap_or_default();
        let values =
            vec![suspect.code.as_str().into(), suspect.version.as_str().into(), Value::Text(from), limit.into()];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| parsed(row, "mail_id")).collect()
    }

    /// Notes mails that a version delays; those that are noted stay as they are. Returns how many were new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_delayed(&self, suspect: &Suspect, mails: Vec<MailId>, at: Timestamp) -> Result<u64, StoreError> {
        self.core.writer.write(Note { suspect: suspect.clone(), mails, at }).await
    }

    /// Delayed mails that came at `until` at the latest, oldest first, each with the version that delays it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delayed_mail(&self, until: Timestamp, limit: i64) -> Result<Vec<(Suspect, MailId)>, StoreError> {
        let sql = "select * from probation_mail where stage = 'delayed' and came_us <= $1 order by came_us, mail_id, \
            detection limit $2";
        let values = vec![until.as_micros().into(), limit.into()];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        Ok(database::readable(&rows, |row| Ok((suspect(row)?, parsed(row, "mail_id")?))))
    }

    /// How many mails of a version stand where.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn probation_counts(&self, suspect: &Suspect) -> Result<Counts, StoreError> {
        let sql = "select stage, count(*) as mails from probation_mail where detection = $1 and detection_version = $2 \
            group by stage";
        let values = vec![suspect.code.as_str().into(), suspect.version.as_str().into()];
        let mut counts = Counts::default();
        for row in database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await? {
            let mails = u64::try_from(row.try_get::<i64, _>("mails")?).unwrap_or(0);
            counts.0.insert(named(&row, "stage", Stage::parse)?, mails);
        }
        Ok(counts)
    }

    /// Versions that have delayed mail, on probation still or not.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn versions_that_delayed(&self) -> Result<BTreeSet<Suspect>, StoreError> {
        let sql = "select distinct detection, detection_version from probation_mail limit 1000";
        let rows = database::query(sql.to_owned(), Vec::new()).fetch_all(&self.core.reads).await?;
        rows.iter().map(suspect).collect()
    }

    /// Where a mail stands with each version that has delayed it, and why.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn probations_of_mail(&self, mail: MailId) -> Result<Vec<(Suspect, Stage, String)>, StoreError> {
        let sql = "select * from probation_mail where mail_id = $1 order by detection, detection_version";
        let values = vec![Value::Text(mail.to_string())];
        let rows = database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok((suspect(row)?, named(row, "stage", Stage::parse)?, row.try_get("reason")?))).collect()
    }

    /// Writes down what becomes of a mail, together with its new examination and the request for its release.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when somebody else has decided about it, or no more mails of the version may be let out;
    /// or when the store fails.
    pub async fn decide_delayed(&self, decision: Decision) -> Result<(), StoreError> {
        self.core.writer.write(decision).await
    }
}

impl Command for Note {
    /// How many were new.
    type Reply = u64;

    fn rows(&self) -> usize {
        self.mails.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<u64, StoreError> {
        let Suspect { code, version } = &self.suspect;
        let mut added = 0;
        for mail in &self.mails {
            let sql = "insert into probation_mail \
                       (detection, detection_version, mail_id, stage, came_us, at_us, reason) \
                       select $1, $2, $3, 'delayed', $4, $5, '' where (select count(*) from probation_mail \
                       where detection = $1 and detection_version = $2) < $6 on conflict do nothing";
            let values = vec![
                code.as_str().into(),
                version.as_str().into(),
                Value::Text(mail.to_string()),
                mail.at().as_micros().into(),
                self.at.as_micros().into(),
                Value::Int(i64::try_from(NOTED_MAX).unwrap_or(i64::MAX)),
            ];
            added += database::query(sql.to_owned(), values).execute(&mut *group.connection).await?.rows_affected();
        }
        Ok(added)
    }
}

impl Command for Decision {
    type Reply = ();

    fn rows(&self) -> usize {
        let findings = self.completion.as_ref().map_or(0, |whole| 2 * whole.examination.findings.len());
        2 + findings + 6 * self.units.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let to = Stage::Delayed.on(self.step).map_err(|refused| StoreError::Refused(refused.to_string()))?;
        if to == Stage::LetOut && let_out(group.connection, &self.suspect).await? >= u64::from(LET_OUT_MAX) {
            return Err(StoreError::Refused(format!("{LET_OUT_MAX} mails of {} were let out", self.suspect.code)));
        }
        let sql = "update probation_mail set stage = $1, at_us = $2, reason = $3 where detection = $4 and \
            detection_version = $5 and mail_id = $6 and stage = 'delayed'";
        let values = vec![
            to.as_str().into(),
            self.at.as_micros().into(),
            self.reason.as_str().into(),
            self.suspect.code.as_str().into(),
            self.suspect.version.as_str().into(),
            Value::Text(self.mail.to_string()),
        ];
        let done = database::query(sql.to_owned(), values).execute(&mut *group.connection).await?;
        if done.rows_affected() != 1 {
            return Err(StoreError::Refused(format!("somebody else has decided about {}", self.mail)));
        }
        if let Some(completion) = &self.completion {
            completion::complete(group, &[completion]).await?;
        }
        if to == Stage::LetOut {
            self.ask(group).await?;
        }
        Ok(())
    }
}

impl Decision {
    /// Asks for the release of what is held still, as an incident does.
    async fn ask(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let sql = "select unit_no, account from unit where mail_id = $1";
        let values = vec![Value::Text(self.mail.to_string())];
        let mut held = BTreeSet::new();
        for row in database::query(sql.to_owned(), values).fetch_all(&mut *group.connection).await? {
            if named(&row, "account", Account::parse)? == Account::Held {
                held.insert(row.try_get::<i64, _>("unit_no")?);
            }
        }
        let units: Vec<UnitId> =
            self.units.iter().filter(|unit| held.contains(&i64::from(unit.number))).copied().collect();
        let asking = Asking { by: ACTOR, reason: &self.reason, is_person: false, at: self.at };
        release::request(group, &units, &asking).await.map(drop)
    }
}

/// Mails that a version has let out.
async fn let_out(connection: &mut AnyConnection, suspect: &Suspect) -> Result<u64, StoreError> {
    let sql = "select count(*) as mails from probation_mail where detection = $1 and detection_version = $2 and stage \
        = 'let_out'";
    let values = vec![suspect.code.as_str().into(), suspect.version.as_str().into()];
    let row = database::query(sql.to_owned(), values).fetch_one(connection).await?;
    Ok(u64::try_from(row.try_get::<i64, _>("mails")?).unwrap_or(0))
}
