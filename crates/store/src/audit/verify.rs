//! `audit verify`: the tree anew from every entry, the journal's batches anew from the ledger, the verdicts anew from
//! the records.

use std::collections::{BTreeMap, HashMap};

use domain::audit::{Entry, Frontier, leaf_hash};
use domain::proof::{Consistency, Inclusion, NotThere, Tree};
use domain::token::TokenKey;
use domain::{Digest, MailId, UnitId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::audit::AuditStore;
use crate::audit::journal::{self, Batch, Grounds, Line};
use crate::audit::{self, Checkpoint};
use crate::database::error::StoreError;
use crate::database::{self, Value, marks, parsed};
use crate::mail::arrival::{read_finding, unit_id};

/// Entries or messages that one step of the check has in memory.
const PAGE: i64 = 200;
/// Faults that are told; more are counted.
const FAULTS_MAX: usize = 100;

/// What a check of the log found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Entries in the log, those that were pruned among them.
    pub size: u64,
    /// The root of the tree over them.
    pub root: String,
    /// Entries that were pruned because their time was over; the checkpoint vouches for them.
    pub pruned: u64,
    /// Batches of the journal whose ledger rows are all there and agree.
    pub batches: u64,
    /// Batches of which a purge took rows, so that the rest cannot be compared.
    pub batches_purged: u64,
    /// Private parts of entries that are those which the entries commit to.
    pub private: u64,
    /// Entries whose private part was destroyed.
    pub erased: u64,
    /// Units whose recorded verdict is the one that the journal committed to.
    pub verdicts: u64,
    /// What is wrong, one line each.
    pub faults: Vec<String>,
}

impl Verified {
    fn fault(&mut self, fault: String) {
        match self.faults.len() {
            0..FAULTS_MAX => self.faults.push(fault),
            FAULTS_MAX => self.faults.push("and more".into()),
            _ => {}
        }
    }
}

/// An entry of the log, with all that it takes to prove it to somebody who has nothing of ours.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The entry as it is hashed.
    pub entry: String,
    /// Where it is.
    pub inclusion: Inclusion,
    /// That the log begins with an earlier one, if that was asked for.
    pub consistency: Option<Consistency>,
    /// For an entry of the journal: the digests of its lines in their order, and the texts of those that were asked
    /// for.
    pub lines: Vec<Digest>,
    /// See [`Evidence::lines`]: the place of a line, and its fields.
    pub own: Vec<(usize, Vec<String>)>,
    /// What of the entry is about people, with the salt of the commitment to it; none when it has nothing, or it was
    /// destroyed.
    pub private: Option<(String, String)>,
}

/// What is to be proved.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// The entry with this number.
    Entry(u64),
    /// How a message came to us: the first line of the ledger about each of its units.
    Mail(MailId),
}

impl AuditStore {
    /// What proves an entry of the log, or how a message came to us.
    ///
    /// # Errors
    /// When it was pruned, or never was there.
    pub async fn prove(&self, claim: Claim, earlier: Option<u64>) -> Result<Evidence, StoreError> {
        self.core.soundness.heed(self.proof_of(claim, earlier).await)
    }

    async fn proof_of(&self, claim: Claim, earlier: Option<u64>) -> Result<Evidence, StoreError> {
        let mut moment = self.core.reads.begin().await?;
        let seq = match claim {
            Claim::Entry(seq) => seq,
            Claim::Mail(mail) => journal_entry(&mut moment, mail).await?,
        };
        let (checkpoint, _) = Checkpoint::load(&mut moment, &self.core.key).await?;
        let rows = sqlx::query("select seq, entry_json from audit_leaf order by seq").fetch_all(&mut *moment).await?;
        let mut leaves = Vec::with_capacity(rows.len());
        let mut wanted = None;
        for row in &rows {
            let text: String = row.try_get("entry_json")?;
            leaves.push(leaf_hash(text.as_bytes()));
            if u64::try_from(row.try_get::<i64, _>("seq")?) == Ok(seq) {
                wanted = Some(text);
            }
        }
        let tree = Tree::new(&checkpoint.frontier, leaves);
        let missing = |error: NotThere| StoreError::NotFound(error.to_string());
        let inclusion = tree.inclusion(seq).map_err(missing)?;
        let consistency = earlier.map(|first| tree.consistency(first)).transpose().map_err(missing)?;
        let entry = wanted.ok_or_else(|| missing(NotThere(seq)))?;
        let private = audit::private_of(&mut moment, seq).await?;
        let mut evidence = Evidence { entry, inclusion, consistency, lines: Vec::new(), own: Vec::new(), private };
        let parsed: Entry = serde_json::from_str(&evidence.entry)?;
        if let Some((batch, _)) = Batch::of_leaf(&parsed) {
            let rows = sqlx::query("select * from ledger where batch = $1 order by mail_id, unit_no, step").bind(batch);
            let mut lines: Vec<Line> =
                rows.fetch_all(&mut *moment).await?.iter().map(read_line).collect::<Result<_, _>>()?;
            lines.sort_by_key(|line| line.unit);
            for (at, line) in lines.iter().enumerate() {
                evidence.lines.push(line.digest());
                if matches!(claim, Claim::Mail(mail) if line.unit.mail == mail) {
                    evidence.own.push((at, line.texts().into()));
                }
            }
        }
        Ok(evidence)
    }

    /// Computes the tree anew and compares it with its sealed head; compares every batch of the journal with its ledger
    /// rows, and every recorded verdict with what the ledger committed to. Without `records` only the tree, which is
    /// quicker.
    ///
    /// # Errors
    /// When the store fails; a fault in the log is no error but part of the answer.
    pub async fn verify_audit(&self, records: bool) -> Result<Verified, StoreError> {
        self.core.soundness.heed(self.verify_now(records).await)
    }

    async fn verify_now(&self, records: bool) -> Result<Verified, StoreError> {
        // One transaction, so that all queries see the same moment.
        let mut moment = self.core.reads.begin().await?;
        let mut found = Verified::default();
        let checkpoint = verify_log(&mut moment, &self.core.key, records, &mut found).await?;
        verify_head(&mut moment, &self.core.key, &checkpoint.frontier, &mut found).await?;
        if records {
            verify_verdicts(&mut moment, &mut found).await?;
        }
        moment.commit().await?;
        Ok(found)
    }
}

/// The entries, page by page, with the ledger rows of their batches.
async fn verify_log(
    moment: &mut AnyConnection,
    key: &TokenKey,
    records: bool,
    found: &mut Verified,
) -> Result<Checkpoint, StoreError> {
    let (mut log, fault) = Checkpoint::load(moment, key).await?;
    fault.into_iter().for_each(|fault| found.fault(fault));
    found.pruned = log.frontier.size;
    let mut missing_rows = 0;
    let mut next_batch = None;
    loop {
        let sql = "select l.seq, l.at_us, l.actor, l.action, l.object, l.entry_json, p.salt, p.private_json from \
            audit_leaf l \
                   left join audit_private p on p.seq = l.seq where l.seq >= $1 order by l.seq limit $2";
        let from = i64::try_from(log.frontier.size).unwrap_or(i64::MAX);
        let rows = sqlx::query(sql).bind(from).bind(PAGE).fetch_all(&mut *moment).await?;
        let mut batches = BTreeMap::new();
        for row in &rows {
            if let Some(entry) = verify_entry(row, &mut log, found)? {
                batches.extend(Batch::of_leaf(&entry).filter(|_| entry.action == journal::ACTION));
            }
        }
        if records && let (Some((first, _)), Some((last, _))) = (batches.first_key_value(), batches.last_key_value()) {
            let from = next_batch.replace(*last + 1).unwrap_or(if found.pruned == 0 { 0 } else { *first });
            let to = *last;
            missing_rows += verify_batches(moment, from, to, batches, found).await?;
        }
        if rows.len() < usize::try_from(PAGE).unwrap_or(0) {
            break;
        }
    }
    if !records {
        return Ok(log);
    }
    let stray = "select count(*) as rows from ledger where batch >= $1";
    let after = next_batch.unwrap_or_else(|| i64::try_from(found.pruned).unwrap_or(i64::MAX));
    let stray: i64 = sqlx::query(stray).bind(after).fetch_one(&mut *moment).await?.try_get("rows")?;
    if stray > 0 {
        found.fault(format!("{stray} rows of the ledger name batches that the journal does not have"));
    }
    // What purges took from pruned batches is not known apart, so with a checkpoint there is only an upper bound.
    let is_explained =
        if found.pruned == 0 { missing_rows == log.purged_rows } else { missing_rows <= log.purged_rows };
    if !is_explained {
        found.fault(format!("{missing_rows} rows of the ledger are missing, but purges took {}", log.purged_rows));
    }
    Ok(log)
}

/// The entry of the journal with which a message began.
async fn journal_entry(moment: &mut AnyConnection, mail: MailId) -> Result<u64, StoreError> {
    let sql = "select seq from audit_leaf where action = $1 and object = \
               (select cast(min(batch) as text) from ledger where mail_id = $2)";
    let row = sqlx::query(sql).bind(journal::ACTION).bind(mail.to_string()).fetch_optional(moment).await?;
    let row = row.ok_or_else(|| StoreError::NotFound(format!("mail {mail} in the journal")))?;
    Ok(u64::try_from(row.try_get::<i64, _>("seq")?).unwrap_or(0))
}

fn verify_entry(row: &AnyRow, log: &mut Checkpoint, found: &mut Verified) -> Result<Option<Entry>, StoreError> {
    let seq: i64 = row.try_get("seq")?;
    let text: String = row.try_get("entry_json")?;
    if u64::try_from(seq) != Ok(log.frontier.size) {
        found.fault(format!("entry {} is missing: the next is {seq}", log.frontier.size));
        // So that the next page begins behind it; the root no longer fits anyway.
        while u64::try_from(seq).is_ok_and(|seq| log.frontier.size < seq) {
            log.frontier.append(Digest::of(b""));
        }
    }
    match serde_json::from_str::<Entry>(&text) {
        Ok(entry) if agrees(&entry, row) => {
            log.take(&entry, &text);
            verify_private(&entry, row, found)?;
            Ok(Some(entry))
        }
        _ => {
            found.fault(format!("entry {seq} does not agree with its own columns"));
            log.frontier.append(domain::audit::leaf_hash(text.as_bytes()));
            Ok(None)
        }
    }
}

/// The private part is the one that the entry commits to, or it was destroyed.
fn verify_private(entry: &Entry, row: &AnyRow, found: &mut Verified) -> Result<(), StoreError> {
    let (salt, text): (Option<String>, Option<String>) = (row.try_get("salt")?, row.try_get("private_json")?);
    match (entry.commitment, salt, text) {
        (None, None, None) => {}
        (Some(_), None, None) => found.erased += 1,
        (_, Some(salt), Some(text)) if audit::is_committed(entry, &salt, &text) => found.private += 1,
        _ => found.fault(format!("what is kept beside entry {} is not what it commits to", entry.seq)),
    }
    Ok(())
}

fn agrees(entry: &Entry, row: &AnyRow) -> bool {
    let text = |column: &str| row.try_get::<String, _>(column).unwrap_or_default();
    let number = |column: &str| row.try_get::<i64, _>(column).unwrap_or(-1);
    i64::try_from(entry.seq) == Ok(number("seq"))
        && entry.at.as_micros() == number("at_us")
        && entry.actor == text("actor")
        && entry.action == text("action")
        && entry.object == text("object")
}

/// Compares batches with the ledger rows that name them; returns how many rows are missing.
async fn verify_batches(
    moment: &mut AnyConnection,
    from: i64,
    to: i64,
    mut batches: BTreeMap<i64, Batch>,
    found: &mut Verified,
) -> Result<i64, StoreError> {
    let sql = "select * from ledger where batch >= $1 and batch <= $2 order by batch, step";
    let rows = sqlx::query(sql).bind(from).bind(to).fetch_all(moment).await?;
    let mut lines: BTreeMap<i64, Vec<Line>> = BTreeMap::new();
    for row in &rows {
        lines.entry(row.try_get("batch")?).or_default().push(read_line(row)?);
    }
    let mut missing = 0;
    for (number, lines) in lines {
        let Some(said) = batches.remove(&number) else {
            found.fault(format!("the ledger has {} rows of batch {number}, the journal has none", lines.len()));
            continue;
        };
        let is = journal::batch_of(lines);
        if is.rows < said.rows {
            found.batches_purged += 1;
            missing += said.rows - is.rows;
        } else if is == said {
            found.batches += 1;
        } else {
            found.fault(format!("the ledger rows of batch {number} are not those that were written"));
        }
    }
    // A batch of no rows has its place for a row of another table.
    let (empty, purged): (Vec<&Batch>, Vec<&Batch>) = batches.values().partition(|batch| batch.rows == 0);
    found.batches += empty.len() as u64;
    found.batches_purged += purged.len() as u64;
    Ok(missing + batches.values().map(|batch| batch.rows).sum::<i64>())
}

fn read_line(row: &AnyRow) -> Result<Line, StoreError> {
    Ok(Line {
        unit: unit_id(row)?,
        at: domain::Timestamp::from_micros(row.try_get("at_us")?),
        from: row.try_get("from_account")?,
        to: row.try_get("to_account")?,
        by: row.try_get("moved_by")?,
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
        verdict: row.try_get("verdict")?,
    })
}

async fn verify_head(
    moment: &mut AnyConnection,
    key: &TokenKey,
    frontier: &Frontier,
    found: &mut Verified,
) -> Result<(), StoreError> {
    found.size = frontier.size;
    found.root = frontier.root().hex();
    let head = sqlx::query("select size, root, seal from audit_head where id = 1").fetch_optional(moment).await?;
    match head {
        None if frontier.size == 0 => {}
        None => found.fault("there is no head over these entries".into()),
        Some(head) => {
            let (size, known): (i64, String) = (head.try_get("size")?, head.try_get("root")?);
            if u64::try_from(size) != Ok(frontier.size) || known != found.root {
                let (entries, root) = (frontier.size, &found.root);
                let fault =
                    format!("the head says {size} entries with root {known}, the entries say {entries} with {root}");
                found.fault(fault);
            }
            if head.try_get::<String, _>("seal")? != audit::sealed(key, size, &known) {
                found.fault("the head's seal is not that of this installation's key".into());
            }
        }
    }
    Ok(())
}

/// Compares the verdict of every unit with what its last ledger row with a verdict committed to.
async fn verify_verdicts(moment: &mut AnyConnection, found: &mut Verified) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let sql = "select mail_id, sha256, category, ruleset, policy, containment_epoch, engines_json from message \
                   where mail_id > $1 order by mail_id limit $2";
        let messages = sqlx::query(sql).bind(after.clone()).bind(PAGE).fetch_all(&mut *moment).await?;
        let Some(last) = messages.last() else { return Ok(()) };
        after = last.try_get("mail_id")?;
        let ids: Vec<Value> = messages
            .iter()
            .map(|row| Ok(row.try_get::<String, _>("mail_id")?.into()))
            .collect::<Result<_, StoreError>>()?;
        let digests = grounds_of(moment, &messages, &ids).await?;
        let committed = committed_of(moment, &ids).await?;
        let sql = format!(
            "select mail_id, unit_no, recipient, disposition, is_enforced, reasons_json from unit where mail_id in \
                ({})",
            marks(1, ids.len())
        );
        for row in database::query(sql, ids).fetch_all(&mut *moment).await? {
            let unit = unit_id(&row)?;
            let (Some(grounds), Some(committed)) = (digests.get(&unit.mail), committed.get(&unit)) else { continue };
            let (recipient, disposition): (String, String) = (row.try_get("recipient")?, row.try_get("disposition")?);
            let enforced = row.try_get::<i64, _>("is_enforced")? == 1;
            let reasons: String = row.try_get("reasons_json")?;
            if journal::verdict(grounds, &recipient, &disposition, enforced, &reasons) == *committed {
                found.verdicts += 1;
            } else {
                found.fault(format!("the verdict of unit {unit} is not the one that was recorded"));
            }
        }
    }
}

async fn grounds_of(
    moment: &mut AnyConnection,
    messages: &[AnyRow],
    ids: &[Value],
) -> Result<HashMap<MailId, Digest>, StoreError> {
    let sql = format!("select * from finding where mail_id in ({}) order by mail_id, finding_no", marks(1, ids.len()));
    let mut findings: HashMap<MailId, Vec<_>> = HashMap::new();
    for row in database::query(sql, ids.to_vec()).fetch_all(moment).await? {
        findings.entry(parsed(&row, "mail_id")?).or_default().push(read_finding(&row)?);
    }
    let digest = |row: &AnyRow| {
        let mail: MailId = parsed(row, "mail_id")?;
        Ok((mail, Grounds::of_row(row)?.digest(findings.get(&mail).map_or(&[][..], Vec::as_slice))))
    };
    messages.iter().map(digest).collect()
}

/// What the ledger committed to last, for each unit of some messages.
async fn committed_of(moment: &mut AnyConnection, ids: &[Value]) -> Result<HashMap<UnitId, String>, StoreError> {
    let list = marks(1, ids.len());
    let sql = format!(
        "select mail_id, unit_no, verdict from ledger where mail_id in ({list}) and verdict <> '' order by mail_id, \
            unit_no, step"
    );
    let rows = database::query(sql, ids.to_vec()).fetch_all(moment).await?;
    rows.iter().map(|row| Ok((unit_id(row)?, row.try_get("verdict")?))).collect()
}
