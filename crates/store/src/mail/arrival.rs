//! The record of a message: envelope, facts, parts, findings, verdicts and the first row of the ledger for
//! each unit, in one transaction. Clean mail is recorded as held mail is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::envelope::{Client, Envelope, Recipient};
use domain::finding::{Examination, Finding, PreviousForm};
use domain::ledger::Account;
use domain::message::{Correspondence, Message, Part};
use domain::verdict::Verdict;
use domain::{Address, Digest, Direction, MailId, Timestamp, UnitId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::audit::journal::{self, Grounds, Line};
use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, named, parsed, serde_name, serde_named, to_json};
use crate::explorer::fold::{FOLDED, Folded};
use crate::mail::MailStore;
use crate::mail::moves;
use crate::writer::{Batch, Command, Group};

/// How long a retry of the same mail finds the unit that is already held.
pub const RETRY_MEMORY: Duration = Duration::from_secs(5 * 24 * 3600);

/// One unit as it arrives.
#[derive(Clone, Debug)]
pub struct UnitArrival {
    /// What was decided for it.
    pub verdict: Verdict,
    /// Whether the verdict was acted on; `false` in observe mode.
    pub enforced: bool,
    /// Where it begins.
    pub account: Account,
    /// The reply that is already known; empty if none.
    pub reply: String,
}

/// A message as it arrives. Units are in the order of the envelope's recipients.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Our id for it.
    pub mail_id: MailId,
    /// When it came.
    pub received: Timestamp,
    /// From whom to whom.
    pub envelope: Envelope,
    /// What was found.
    pub examination: Arc<Examination>,
    /// What was decided, one for each recipient.
    pub units: Vec<UnitArrival>,
    /// Whether bare CR, LF or NUL were normalised.
    pub normalised: bool,
    /// Fields of our own names that were forged and are not passed on.
    pub removed_fields: Vec<String>,
    /// The stored bytes, where any unit needs them.
    pub blob: Option<Digest>,
    /// Milliseconds of each step.
    pub timings: BTreeMap<String, f64>,
}

/// What became of a unit of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    New,
    /// It is a retry of a unit that is in our custody already: nothing was added.
    Reused {
        /// The unit.
        unit: UnitId,
        /// Where it is.
        account: Account,
    },
}

impl Arrival {
    /// What a retry of the same client has in common: sender, recipient, Message-ID and body. Without a Message-ID only
    /// the very same bytes are a retry: two mails with one body may be two mails, and taking them for one would lose
    /// one.
    fn retry_key(&self, number: usize) -> Option<String> {
        let recipient = &self.envelope.recipients[number].address;
        let message = &self.examination.message;
        let custody = matches!(self.units[number].account, Account::Held | Account::Tentative);
        custody.then(|| {
            Digest::of_pieces(&[
                self.envelope.sender_text().as_bytes(),
                recipient.as_str().as_bytes(),
                message.message_id.as_deref().map_or(&message.sha256.as_bytes()[..], str::as_bytes),
                message.body_sha256.as_bytes(),
            ])
            .hex()
        })
    }
}

impl MailStore {
    /// Records a message durably; one answer for each unit.
    ///
    /// # Errors
    /// When it could not be written; then nothing of it was.
    pub async fn record_arrival(&self, arrival: Arrival) -> Result<Vec<Recorded>, StoreError> {
        self.core.writer.write(arrival).await
    }
}

impl Command for Arrival {
    /// What became of each of its units.
    type Reply = Vec<Recorded>;

    fn rows(&self) -> usize {
        1 + self.examination.message.parts.len() + self.examination.findings.len() + 3 * self.units.len()
    }

    fn join<'b>(&'b self, batch: &mut Batch<'b>) {
        batch.arrivals.push(self);
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<Vec<Recorded>, StoreError> {
        // Recorded with the batch: arrivals are answered in the order in which they joined it.
        group.recorded.pop_front().ok_or_else(|| StoreError::Unreadable("an arrival was not recorded".into()))
    }
}

/// Records many arrivals in few statements, inside the writer's transaction.
pub(crate) async fn record(group: &mut Group<'_>, arrivals: &[&Arrival]) -> Result<Vec<Vec<Recorded>>, StoreError> {
    let node = group.node;
    let known = known_retries(group.connection, arrivals).await?;
    let mut this_group: HashMap<String, (UnitId, Account)> = HashMap::new();
    let mut rows = Rows::default();
    let mut answers = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        let mut answer = Vec::with_capacity(arrival.units.len());
        let mut retries = Vec::new();
        let grounds = Grounds::of(&arrival.examination, arrival.units.first().map(|unit| &unit.verdict))?;
        let mut digest = None;
        for (number, unit) in arrival.units.iter().enumerate() {
            let id = UnitId { mail: arrival.mail_id, number: u32::try_from(number).unwrap_or(u32::MAX) };
            let key = arrival.retry_key(number);
            let earlier = key.as_ref().and_then(|key| this_group.get(key).or_else(|| known.get(key)));
            if let Some((unit, account)) = earlier {
                answer.push(Recorded::Reused { unit: *unit, account: *account });
                continue;
            }
            answer.push(Recorded::New);
            if let Some(key) = key {
                this_group.insert(key.clone(), (id, unit.account));
                retries.push((key, id));
            }
            let digest = digest.get_or_insert_with(|| grounds.digest(&arrival.examination.findings));
            rows.unit(arrival, id, unit, digest)?;
        }
        if answer.contains(&Recorded::New) {
            rows.message(node, arrival, grounds)?;
            rows.retries(arrival, retries);
        }
        answers.push(answer);
    }
    rows.insert(group).await?;
    Ok(answers)
}

/// Units of earlier transactions that these are retries of. What we refused is no custody, and may come again.
async fn known_retries(
    connection: &mut AnyConnection,
    arrivals: &[&Arrival],
) -> Result<HashMap<String, (UnitId, Account)>, StoreError> {
    let mut keys: Vec<(String, Timestamp)> = Vec::new();
    for arrival in arrivals {
        keys.extend((0..arrival.units.len()).filter_map(|number| Some((arrival.retry_key(number)?, arrival.received))));
    }
    let mut known = HashMap::new();
    for group in keys.chunks(500) {
        let oldest = group.iter().map(|(_, at)| at.before(RETRY_MEMORY)).min().unwrap_or(Timestamp::from_micros(0));
        let sql = format!(
            "select r.retry_key, r.mail_id, r.unit_no, u.account from retry r \
             join unit u on u.mail_id = r.mail_id and u.unit_no = r.unit_no \
             where r.at_us > $1 and u.account <> 'refused' and r.retry_key in ({})",
            marks(2, group.len())
        );
        let mut values = vec![Value::Int(oldest.as_micros())];
        values.extend(group.iter().map(|(key, _)| Value::from(key.as_str())));
        for row in database::query(sql, values).fetch_all(&mut *connection).await? {
            let key: String = row.try_get("retry_key")?;
            known.insert(key, (unit_id(&row)?, named(&row, "account", Account::parse)?));
        }
    }
    Ok(known)
}

/// The id of the unit in a row with `mail_id` and `unit_no`.
pub(crate) fn unit_id(row: &AnyRow) -> Result<UnitId, StoreError> {
    let number: i64 = row.try_get("unit_no")?;
    Ok(UnitId { mail: parsed(row, "mail_id")?, number: u32::try_from(number).unwrap_or(u32::MAX) })
}

/// The rows of a group, by table.
#[derive(Default)]
struct Rows {
    messages: Vec<Vec<Value>>,
    parts: Vec<Vec<Value>>,
    findings: Vec<Vec<Value>>,
    folded: Folded,
    units: Vec<Vec<Value>>,
    lines: Vec<Line>,
    retries: Vec<Vec<Value>>,
}

const MESSAGE: [&str; 37] = [
    "mail_id",
    "node",
    "received_us",
    "client_ip",
    "client_peer",
    "client_helo",
    "client_protocol",
    "login",
    "sender",
    "mail_params_json",
    "message_id",
    "subject",
    "header_from",
    "from_domain",
    "auto_submitted",
    "correspondence",
    "authentication_results_json",
    "received_count",
    "size_bytes",
    "sha256",
    "body_sha256",
    "text_sha256",
    "url_domains_json",
    "urls_json",
    "ambiguities_json",
    "fingerprints_json",
    "category",
    "ruleset",
    "policy",
    "containment_epoch",
    "engines_json",
    "facts_json",
    "is_partial",
    "is_normalised",
    "removed_fields_json",
    "blob",
    "timings_json",
];
const PART: [&str; 10] = [
    "mail_id",
    "part_no",
    "parent_no",
    "sha256",
    "size_bytes",
    "family",
    "content_type",
    "declared",
    "name",
    "tail_json",
];
const FINDING: [&str; 14] = [
    "mail_id",
    "finding_no",
    "detection",
    "detection_version",
    "engine",
    "category",
    "effect",
    "mode",
    "part_no",
    "family",
    "offset_bytes",
    "evidence",
    "previous_version",
    "previous_hit",
];
const UNIT: [&str; 12] = [
    "mail_id",
    "unit_no",
    "recipient",
    "domain",
    "direction",
    "rcpt_params_json",
    "disposition",
    "is_enforced",
    "reasons_json",
    "account",
    "moved_us",
    "reply",
];
/// The account that units come from: the world outside.
pub(crate) const OUTSIDE: &str = "outside";

impl Rows {
    fn message(&mut self, node: &str, arrival: &Arrival, grounds: Grounds) -> Result<(), StoreError> {
        let Arrival { envelope, examination, .. } = arrival;
        let message = &examination.message;
        // Nobody writes a letter without a return address: it is a notification (RFC 5321 4.5.5).
        let least = if envelope.sender.is_none() { Correspondence::Automatic } else { Correspondence::Person };
        let correspondence = message.correspondence.max(least);
        self.messages.push(vec![
            arrival.mail_id.to_string().into(),
            node.into(),
            arrival.received.as_micros().into(),
            envelope.client.ip.to_string().into(),
            envelope.client.peer.to_string().into(),
            envelope.client.helo.as_str().into(),
            envelope.client.protocol.as_str().into(),
            envelope.client.login.clone().into(),
            envelope.sender_text().into(),
            to_json(&envelope.params)?.into(),
            message.message_id.clone().into(),
            message.subject.as_str().into(),
            message.from.as_str().into(),
            message.from_domain.as_str().into(),
            message.auto_submitted.clone().into(),
            correspondence.as_str().into(),
            to_json(&message.authentication_results)?.into(),
            message.received_count.into(),
            int(message.size).into(),
            grounds.sha256.into(),
            message.body_sha256.hex().into(),
            message.text_sha256.map(|digest| digest.hex()).into(),
            to_json(&message.url_domains)?.into(),
            to_json(&message.urls)?.into(),
            to_json(&message.ambiguities)?.into(),
            to_json(&message.fingerprints)?.into(),
            grounds.category.into(),
            grounds.ruleset.into(),
            grounds.policy.into(),
            grounds.containment_epoch.into(),
            grounds.engines_json.into(),
            to_json(&examination.facts)?.into(),
            examination.is_partial().into(),
            arrival.normalised.into(),
            to_json(&arrival.removed_fields)?.into(),
            arrival.blob.map(|digest| digest.hex()).into(),
            to_json(&arrival.timings)?.into(),
        ]);
        let mail = arrival.mail_id.to_string();
        self.folded.text(&mail, "subject", 0, &message.subject);
        self.folded.name(&mail, "sender", 0, envelope.sender_text());
        self.folded.name(&mail, "from", 0, &message.from);
        self.folded.text(&mail, "login", 0, envelope.client.login.as_deref().unwrap_or_default());
        for part in &message.parts {
            self.folded.text(&mail, "file", part.number.into(), &part.name);
            self.parts.push(part_row(arrival.mail_id, part)?);
        }
        for (number, finding) in examination.findings.iter().enumerate() {
            self.findings.push(finding_row(arrival.mail_id, number, finding)?);
        }
        Ok(())
    }

    fn unit(&mut self, arrival: &Arrival, id: UnitId, unit: &UnitArrival, grounds: &Digest) -> Result<(), StoreError> {
        let Recipient { address, params, direction, domain } = &arrival.envelope.recipients[id.number as usize];
        let reasons = to_json(&unit.verdict.reasons)?;
        let disposition = unit.verdict.disposition.as_str();
        let verdict = journal::verdict(grounds, address.as_str(), disposition, unit.enforced, &reasons);
        self.folded.recipient(&id.mail.to_string(), id.number.into(), address.as_str());
        self.units.push(vec![
            id.mail.to_string().into(),
            id.number.into(),
            address.as_str().into(),
            domain.as_str().into(),
            direction.as_str().into(),
            to_json(params)?.into(),
            disposition.into(),
            unit.enforced.into(),
            reasons.into(),
            unit.account.as_str().into(),
            arrival.received.as_micros().into(),
            unit.reply.as_str().into(),
        ]);
        let why = unit.verdict.reasons.first().map_or("", |reason| reason.code.as_str());
        self.lines.push(Line {
            unit: id,
            at: arrival.received,
            from: OUTSIDE.into(),
            to: unit.account.as_str().into(),
            by: "arrived".into(),
            actor: "gateway".into(),
            reason: why.into(),
            verdict,
        });
        Ok(())
    }

    fn retries(&mut self, arrival: &Arrival, retries: Vec<(String, UnitId)>) {
        let rows = retries.into_iter().map(|(key, id)| {
            vec![key.into(), id.mail.to_string().into(), id.number.into(), arrival.received.as_micros().into()]
        });
        self.retries.extend(rows);
    }

    async fn insert(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        if !self.retries.is_empty() {
            // What was refused before, or forgotten by now, gives way to the new unit.
            let keys: Vec<Value> = self.retries.iter().map(|row| row[0].clone()).collect();
            for group in keys.chunks(500) {
                let sql = format!("delete from retry where retry_key in ({})", marks(1, group.len()));
                database::query(sql, group.to_vec()).execute(&mut *connection).await?;
            }
        }
        database::insert(connection, "message", &MESSAGE, self.messages).await?;
        database::insert(connection, "part", &PART, self.parts).await?;
        database::insert(connection, "finding", &FINDING, self.findings).await?;
        database::insert(connection, "folded", &FOLDED, self.folded.rows()).await?;
        database::insert(connection, "unit", &UNIT, self.units).await?;
        database::insert(connection, "retry", &["retry_key", "mail_id", "unit_no", "at_us"], self.retries).await?;
        moves::insert_lines(group, self.lines).await
    }
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn part_row(mail_id: MailId, part: &Part) -> Result<Vec<Value>, StoreError> {
    Ok(vec![
        mail_id.to_string().into(),
        part.number.into(),
        part.parent.map(i64::from).into(),
        part.sha256.hex().into(),
        int(part.size).into(),
        part.family.as_str().into(),
        part.content_type.as_str().into(),
        part.declared.as_str().into(),
        part.name.as_str().into(),
        to_json(&part.tail)?.into(),
    ])
}

fn finding_row(mail_id: MailId, number: usize, finding: &Finding) -> Result<Vec<Value>, StoreError> {
    let previous = finding.previous.as_ref();
    Ok(vec![
        mail_id.to_string().into(),
        i64::try_from(number).unwrap_or(i64::MAX).into(),
        finding.detection.as_str().into(),
        finding.detection_version.as_str().into(),
        finding.engine.as_str().into(),
        finding.category.as_str().into(),
        finding.effect.as_str().into(),
        serde_name(&finding.mode)?.into(),
        finding.part.map(i64::from).into(),
        finding.family.as_str().into(),
        finding.offset.map(int).into(),
        finding.evidence.as_str().into(),
        previous.map(|previous| previous.detection_version.to_string()).into(),
        previous.map(|previous| i64::from(previous.hit)).into(),
    ])
}

/// Inserts the findings of examinations inside the writer's transaction.
pub(crate) async fn insert_findings<'e>(
    connection: &mut AnyConnection,
    examinations: impl Iterator<Item = (MailId, &'e Examination)>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (mail_id, examination) in examinations {
        for (number, finding) in examination.findings.iter().enumerate() {
            rows.push(finding_row(mail_id, number, finding)?);
        }
    }
    database::insert(connection, "finding", &FINDING, rows).await
}

impl MailStore {
    /// The numbers of a message's units, in the order in which [`Record`] has its recipients.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unit_numbers(&self, mail_id: MailId) -> Result<Vec<u32>, StoreError> {
        let sql = "select mail_id, unit_no from unit where mail_id = $1 order by unit_no";
        let rows = sqlx::query(sql).bind(mail_id.to_string()).fetch_all(&self.core.reads).await?;
        rows.iter().map(|row| Ok(unit_id(row)?.number)).collect()
    }
}

/// A message as it was recorded, with everything a verdict rests on.
#[derive(Clone, Debug)]
pub struct Record {
    /// Our id for it.
    pub mail_id: MailId,
    /// When it came.
    pub received: Timestamp,
    /// From whom to whom; only units that were recorded, in their order.
    pub envelope: Envelope,
    /// What was found.
    pub examination: Examination,
    /// The stored bytes, if there are any.
    pub blob: Option<Digest>,
    /// Fields that were not passed on.
    pub removed_fields: Vec<String>,
    /// The version of the policy that decided.
    pub policy: String,
    /// The containment epoch under which it was decided.
    pub containment_epoch: u64,
}

impl MailStore {
    /// A message with everything that its verdict rested on.
    ///
    /// # Errors
    /// When it is unknown, or a stored value cannot be read.
    pub async fn record(&self, mail_id: MailId) -> Result<Record, StoreError> {
        let id = mail_id.to_string();
        let select = |sql: &'static str| sqlx::query(sql).bind(id.clone());
        let row = select("select * from message where mail_id = $1").fetch_optional(&self.core.reads).await?;
        let row = row.ok_or_else(|| StoreError::NotFound(format!("mail {mail_id}")))?;
        let parts =
            select("select * from part where mail_id = $1 order by part_no").fetch_all(&self.core.reads).await?;
        let findings =
            select("select * from finding where mail_id = $1 order by finding_no").fetch_all(&self.core.reads).await?;
        let units =
            select("select * from unit where mail_id = $1 order by unit_no").fetch_all(&self.core.reads).await?;
        let blob: Option<String> = row.try_get("blob")?;
        Ok(Record {
            mail_id,
            received: Timestamp::from_micros(row.try_get("received_us")?),
            envelope: read_envelope(&row, &units)?,
            examination: Examination {
                ruleset: domain::detection::RulesetId::from_text(row.try_get::<String, _>("ruleset")?),
                message: read_message(&row, &parts)?,
                findings: findings.iter().map(read_finding).collect::<Result<_, _>>()?,
                engines: from_json(&row, "engines_json")?,
                facts: from_json(&row, "facts_json")?,
            },
            blob: blob.map(|hex| digest(&hex)).transpose()?,
            removed_fields: from_json(&row, "removed_fields_json")?,
            policy: row.try_get("policy")?,
            containment_epoch: u64::try_from(row.try_get::<i64, _>("containment_epoch")?).unwrap_or(0),
        })
    }
}

fn digest(hex: &str) -> Result<Digest, StoreError> {
    Digest::parse(hex).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn read_digest(row: &AnyRow, column: &str) -> Result<Digest, StoreError> {
    digest(&row.try_get::<String, _>(column)?)
}

fn size(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

/// The envelope of a message row, with the recipients of these unit rows.
pub(crate) fn read_envelope(row: &AnyRow, units: &[AnyRow]) -> Result<Envelope, StoreError> {
    let sender: String = row.try_get("sender")?;
    let sender = (!sender.is_empty()).then(|| Address::parse(&sender)).transpose();
    Ok(Envelope {
        client: Client {
            ip: parsed(row, "client_ip")?,
            peer: parsed(row, "client_peer")?,
            helo: row.try_get("client_helo")?,
            protocol: row.try_get("client_protocol")?,
            login: row.try_get("login")?,
        },
        sender: sender.map_err(|error| StoreError::Unreadable(format!("sender: {error}")))?,
        params: from_json(row, "mail_params_json")?,
        recipients: units.iter().map(read_recipient).collect::<Result<_, _>>()?,
    })
}

/// The recipient of a unit row.
pub(crate) fn read_recipient(row: &AnyRow) -> Result<Recipient, StoreError> {
    let address: String = row.try_get("recipient")?;
    Ok(Recipient {
        address: Address::parse(&address).map_err(|error| StoreError::Unreadable(format!("recipient: {error}")))?,
        params: from_json(row, "rcpt_params_json")?,
        direction: named(row, "direction", Direction::parse)?,
        domain: row.try_get::<String, _>("domain")?.into(),
    })
}

fn read_message(row: &AnyRow, parts: &[AnyRow]) -> Result<Message, StoreError> {
    let text: Option<String> = row.try_get("text_sha256")?;
    Ok(Message {
        sha256: read_digest(row, "sha256")?,
        body_sha256: read_digest(row, "body_sha256")?,
        size: size(row, "size_bytes")?,
        message_id: row.try_get("message_id")?,
        subject: row.try_get("subject")?,
        from: row.try_get("header_from")?,
        from_domain: row.try_get("from_domain")?,
        auto_submitted: row.try_get("auto_submitted")?,
        correspondence: named(row, "correspondence", Correspondence::parse)?,
        authentication_results: from_json(row, "authentication_results_json")?,
        received_count: u32::try_from(row.try_get::<i64, _>("received_count")?).unwrap_or(0),
        text_sha256: text.map(|hex| digest(&hex)).transpose()?,
        url_domains: from_json(row, "url_domains_json")?,
        urls: from_json(row, "urls_json")?,
        parts: parts.iter().map(read_part).collect::<Result<_, _>>()?,
        ambiguities: from_json(row, "ambiguities_json")?,
        fingerprints: from_json(row, "fingerprints_json")?,
    })
}

fn number(row: &AnyRow, column: &str) -> Result<Option<u32>, StoreError> {
    let number: Option<i64> = row.try_get(column)?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}

fn read_part(row: &AnyRow) -> Result<Part, StoreError> {
    Ok(Part {
        number: number(row, "part_no")?.unwrap_or_default(),
        parent: number(row, "parent_no")?,
        sha256: read_digest(row, "sha256")?,
        size: size(row, "size_bytes")?,
        family: serde_named(row, "family")?,
        content_type: row.try_get("content_type")?,
        declared: row.try_get("declared")?,
        name: row.try_get("name")?,
        tail: from_json(row, "tail_json")?,
    })
}

pub(crate) fn read_finding(row: &AnyRow) -> Result<Finding, StoreError> {
    let previous: Option<String> = row.try_get("previous_version")?;
    let hit: Option<i64> = row.try_get("previous_hit")?;
    let offset: Option<i64> = row.try_get("offset_bytes")?;
    Ok(Finding {
        detection: serde_named(row, "detection")?,
        detection_version: serde_named(row, "detection_version")?,
        engine: row.try_get("engine")?,
        category: serde_named(row, "category")?,
        effect: serde_named(row, "effect")?,
        mode: serde_named(row, "mode")?,
        part: number(row, "part_no")?,
        family: serde_named(row, "family")?,
        offset: offset.and_then(|offset| u64::try_from(offset).ok()),
        evidence: row.try_get("evidence")?,
        previous: previous.map(|version| PreviousForm {
            detection_version: domain::detection::DetectionVersion::external(&version),
            hit: hit == Some(1),
        }),
    })
}
