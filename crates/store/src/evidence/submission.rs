//! What people say of verdicts: a false positive or a false negative. Counted by detection version; it may have a
//! detection looked at, and convicts none. A release is no report: what policy blocks may be wanted all the same.

use domain::detection::DetectionCode;
use domain::finding::Finding;
use domain::{MailId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, named, parsed};
use crate::evidence::SubmissionStore;
use crate::evidence::sentinel::{Suspect, suspect};
use crate::notices::claim::{self, NoticeClaim};
use crate::writer::{Command, Group, SWEEP_ROWS};

/// What somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubmissionKind {
    /// It was held, tagged or blocked, and is good.
    FalsePositive,
    /// It was delivered, and is bad.
    FalseNegative,
}

impl SubmissionKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::FalsePositive, Self::FalseNegative];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FalsePositive => "false_positive",
            Self::FalseNegative => "false_negative",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something said of a verdict.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// When.
    pub at: Timestamp,
    /// Of which message.
    pub mail_id: MailId,
    /// What.
    pub kind: SubmissionKind,
    /// By whom: an address, or an operator's name. One person says the same of a message once.
    pub reporter: String,
    /// In their own words.
    pub comment: String,
    /// The detection versions that could act on the message.
    pub about: Vec<Suspect>,
}

impl NewSubmission {
    /// The detection versions that could act, among what was found in a message.
    pub fn about(findings: &[Finding]) -> Vec<Suspect> {
        let mut about: Vec<Suspect> = Vec::new();
        for finding in findings.iter().filter(|one| one.may_act()) {
            if !about.iter().any(|known| known.code == finding.detection) {
                about.push(Suspect { code: finding.detection.clone(), version: finding.detection_version.clone() });
            }
        }
        about
    }
}

/// What was said, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Of which message.
    pub mail_id: MailId,
    /// What.
    pub kind: SubmissionKind,
    /// By whom.
    pub reporter: String,
    /// In their own words.
    pub comment: String,
    /// The detection versions that could act on the message.
    pub about: Vec<Suspect>,
    /// The incident that the message belongs to, once there is one.
    pub incident: Option<String>,
    /// When the reporter was told that it arrived.
    pub acknowledged: Option<Timestamp>,
    /// When the reporter was told how it ended.
    pub ended: Option<Timestamp>,
}

/// How many distinct people spoke against a detection version, and when the last did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voices {
    /// The detection version.
    pub suspect: Suspect,
    /// Distinct people.
    pub people: u64,
    /// The last one's moment.
    pub last: Timestamp,
}

/// What people say of verdicts, as data.
#[derive(Clone, Debug)]
struct Submit(Vec<NewSubmission>);

/// A write about what was said, as data.
#[derive(Clone, Debug)]
enum SubmissionWrite {
    Acknowledged { claim: NoticeClaim, number: i64, at: Timestamp },
    Linked { number: i64, incident: String },
    Ended { claim: NoticeClaim, number: i64, at: Timestamp },
    Forget(Timestamp),
}

impl SubmissionStore {
    /// Writes down what people say; what the same person has said of the same message already is not said twice.
    /// Returns how many were new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn submit(&self, new: Vec<NewSubmission>) -> Result<usize, StoreError> {
        self.core.writer.write(Submit(new)).await
    }

    /// What was said, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn submissions(&self, before: Option<i64>, limit: i64) -> Result<Vec<Submission>, StoreError> {
        let sql = "select * from submission where submission < $1 order by submission desc limit $2";
        let values = vec![before.unwrap_or(i64::MAX).into(), limit.into()];
        self.read_submissions(database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?).await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn submission(&self, number: i64) -> Result<Submission, StoreError> {
        let rows =
            sqlx::query("select * from submission where submission = $1").bind(number).fetch_all(&self.core.reads);
        let found = self.read_submissions(rows.await?).await?;
        found.into_iter().next().ok_or_else(|| StoreError::NotFound(format!("submission {number}")))
    }

    /// What was said of one message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn submissions_of(&self, mail: MailId) -> Result<Vec<Submission>, StoreError> {
        let sql = "select * from submission where mail_id = $1 order by submission";
        let rows = sqlx::query(sql).bind(mail.to_string()).fetch_all(&self.core.reads).await?;
        self.read_submissions(rows).await
    }

    /// Those whose reporter waits for a word: for that it arrived, that it belongs to an incident, or how that ended.
    /// Oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn awaiting_answer(&self, since: Timestamp, limit: i64) -> Result<Vec<Submission>, StoreError> {
        let sql = "select s.* from submission s where s.at_us >= $1 and (s.acknowledged_us is null \
                   or (s.incident is null and exists (select 1 from incident_unit u where u.mail_id = s.mail_id)) \
                   or (s.ended_us is null and exists (select 1 from incident i where i.incident = s.incident and \
                   i.stage = 'resolved'))) \
                   order by s.submission limit $2";
        let values = vec![since.as_micros().into(), limit.into()];
        self.read_submissions(database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?).await
    }

    /// The incident that a message belongs to: the last one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn incident_of(&self, mail: MailId) -> Result<Option<String>, StoreError> {
        let sql = "select max(incident) as incident from incident_unit where mail_id = $1";
        Ok(sqlx::query(sql).bind(mail.to_string()).fetch_one(&self.core.reads).await?.try_get("incident")?)
    }

    /// Who spoke against each detection version since `since`: those of whom `people_min` or more did.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn people_against_detections(
        &self,
        since: Timestamp,
        people_min: u32,
    ) -> Result<Vec<Voices>, StoreError> {
        let sql = "select a.detection, a.detection_version, count(distinct lower(s.reporter)) as people, max(a.at_us) \
            as last_us \
                   from submission_about a join submission s on s.submission = a.submission \
                   where a.at_us >= $1 and s.kind = 'false_positive' group by a.detection, a.detection_version \
                   having count(distinct lower(s.reporter)) >= $2";
        let values = vec![since.as_micros().into(), i64::from(people_min).into()];
        let read = |row: &AnyRow| {
            Ok(Voices {
                suspect: suspect(row)?,
                people: u64::try_from(row.try_get::<i64, _>("people")?).unwrap_or(0),
                last: Timestamp::from_micros(row.try_get("last_us")?),
            })
        };
        database::query(sql.to_owned(), values).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// How many messages that came since `since` each detection, in all its versions, was wrong about: those that
    /// somebody has called a false positive, and those that the replay of an incident has cleared.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contradictions(&self, since: Timestamp) -> Result<Vec<(DetectionCode, u64)>, StoreError> {
        let sql = "select detection, count(*) as mails from (select a.detection, s.mail_id from submission_about a \
                   join submission s on s.submission = a.submission where s.mail_id >= $1 and s.kind = \
                   'false_positive' \
                   union select n.detection, i.mail_id from incident_unit i join incident n on n.incident = i.incident \
                   where i.mail_id >= $1 and i.outcome in ('cleared', 'asked')) as wrong group by detection order by \
                   detection";
        let read =
            |row: &AnyRow| Ok((parsed(row, "detection")?, u64::try_from(row.try_get::<i64, _>("mails")?).unwrap_or(0)));
        let since = MailId::new(since, [0; 10]).to_string();
        sqlx::query(sql).bind(since).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// The reporter knows that it arrived.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_acknowledged(&self, claim: NoticeClaim, number: i64, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(SubmissionWrite::Acknowledged { claim, number, at }).await
    }

    /// It belongs to an incident.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_to_incident(&self, number: i64, incident: String) -> Result<(), StoreError> {
        self.core.writer.write(SubmissionWrite::Linked { number, incident }).await
    }

    /// The reporter knows how it ended.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the claim is another's meanwhile; or when the store fails.
    pub async fn record_told_of_end(&self, claim: NoticeClaim, number: i64, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(SubmissionWrite::Ended { claim, number, at }).await
    }

    /// Forgets what was said before `before`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_submissions(&self, before: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(SubmissionWrite::Forget(before)).await
    }

    async fn read_submissions(&self, rows: Vec<AnyRow>) -> Result<Vec<Submission>, StoreError> {
        let mut found = rows.iter().map(read).collect::<Result<Vec<Submission>, _>>()?;
        for one in &mut found {
            let sql =
                "select detection, detection_version from submission_about where submission = $1 order by detection";
            let rows = sqlx::query(sql).bind(one.number).fetch_all(&self.core.reads).await?;
            one.about = rows.iter().map(suspect).collect::<Result<_, _>>()?;
        }
        Ok(found)
    }
}

fn read(row: &AnyRow) -> Result<Submission, StoreError> {
    let moment = |column: &str| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros));
    Ok(Submission {
        number: row.try_get("submission")?,
        at: Timestamp::from_micros(row.try_get("at_us")?),
        mail_id: parsed(row, "mail_id")?,
        kind: named(row, "kind", SubmissionKind::parse)?,
        reporter: row.try_get("reporter")?,
        comment: row.try_get("comment")?,
        about: Vec::new(),
        incident: row.try_get("incident")?,
        acknowledged: moment("acknowledged_us")?,
        ended: moment("ended_us")?,
    })
}

impl Command for Submit {
    /// How many were new.
    type Reply = usize;

    fn rows(&self) -> usize {
        self.0.iter().map(|one| 1 + one.about.len()).sum()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<usize, StoreError> {
        let mut added = 0;
        for one in &self.0 {
            added += usize::from(add(group.connection, one).await?);
        }
        Ok(added)
    }
}

impl Command for SubmissionWrite {
    type Reply = ();

    fn rows(&self) -> usize {
        match self {
            Self::Forget(_) => SWEEP_ROWS,
            Self::Acknowledged { .. } | Self::Linked { .. } | Self::Ended { .. } => 1,
        }
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        if let Self::Acknowledged { claim, at, .. } | Self::Ended { claim, at, .. } = self {
            claim::settle(connection, claim, *at).await?;
        }
        let (sql, values): (&str, Vec<Value>) = match self {
            Self::Acknowledged { number, at, claim: _ } => (
                "update submission set acknowledged_us = $1 where submission = $2 and acknowledged_us is null",
                vec![at.as_micros().into(), (*number).into()],
            ),
            Self::Linked { number, incident } => (
                "update submission set incident = $1 where submission = $2 and incident is null",
                vec![incident.as_str().into(), (*number).into()],
            ),
            Self::Ended { number, at, claim: _ } => (
                "update submission set ended_us = $1 where submission = $2 and ended_us is null",
                vec![at.as_micros().into(), (*number).into()],
            ),
            Self::Forget(before) => {
                // What was said of mail that is on hold stays as long as the mail.
                let sql = "delete from submission_about where at_us < $1 and submission not in (select s.submission \
                           from submission s join legal_hold_mail k on k.mail_id = s.mail_id)";
                database::query(sql.to_owned(), vec![before.as_micros().into()]).execute(&mut *connection).await?;
                let sql = "delete from submission where at_us < $1 and not exists (select 1 from legal_hold_mail k \
                           where k.mail_id = submission.mail_id)";
                (sql, vec![before.as_micros().into()])
            }
        };
        database::query(sql.to_owned(), values).execute(connection).await?;
        Ok(())
    }
}

async fn add(connection: &mut AnyConnection, new: &NewSubmission) -> Result<bool, StoreError> {
    let next = sqlx::query("select coalesce(max(submission), 0) + 1 as next from submission");
    let number: i64 = next.fetch_one(&mut *connection).await?.try_get("next")?;
    let sql = "insert into submission (submission, at_us, mail_id, kind, reporter, comment) values ($1, $2, $3, $4, \
        $5, $6) \
               on conflict (mail_id, kind, reporter) do nothing";
    let values = vec![
        number.into(),
        new.at.as_micros().into(),
        new.mail_id.to_string().into(),
        new.kind.as_str().into(),
        new.reporter.as_str().into(),
        new.comment.as_str().into(),
    ];
    if database::query(sql.to_owned(), values).execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let rows = new.about.iter().map(|one| {
        vec![number.into(), one.code.as_str().into(), one.version.as_str().into(), new.at.as_micros().into()]
    });
    let columns = ["submission", "detection", "detection_version", "at_us"];
    database::insert(connection, "submission_about", &columns, rows.collect()).await?;
    Ok(true)
}
