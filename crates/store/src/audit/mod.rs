//! The audit log: people's acts are appended before they are done, group commits with what they write; no entry is ever
//! changed.

pub mod journal;
pub mod verify;

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use domain::audit::{Entry, Frontier, Private, commitment, leaf_hash};
use domain::token::{TokenKey, seal};
use domain::{Digest, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::audit::journal::Batch;
use crate::core::part;
use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, to_json};
use crate::upkeep::{hold, retention};
use crate::writer::{Command, Group, SWEEP_ROWS};

part! {
    /// The audit log, and the check of it and of all that it vouches for.
    AuditStore
}

/// What the seal of a head is for.
const PURPOSE: &str = "audit-head";
/// What the seal of a checkpoint is for.
const CHECKPOINT: &str = "audit-checkpoint";
/// Entries that one pruning takes.
const PRUNE_BATCH: i64 = 500;

/// An act to record; its place in the log is the writer's to give.
#[derive(Clone, Debug)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which.
    pub object: String,
    /// Why.
    pub reason: String,
    /// Anything else, as JSON text.
    pub detail: String,
}

impl AuditStore {
    /// Records an act durably. Called before the act: what could not be recorded is not done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.record_acts(vec![act]).await
    }

    /// Records acts durably, all or none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_acts(&self, acts: Vec<Act>) -> Result<(), StoreError> {
        self.core.writer.write(Acts(acts)).await
    }

    /// The entries from `seq` on, oldest first; the leaves of the journal only `with_journal`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_entries(&self, seq: u64, with_journal: bool, limit: i64) -> Result<Vec<Entry>, StoreError> {
        let sql = "select l.entry_json, p.private_json from audit_leaf l left join audit_private p on p.seq = l.seq \
                   where l.seq >= $1 and (l.action <> $2 or $3 = 1) order by l.seq limit $4";
        let rows = sqlx::query(sql)
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .bind(journal::ACTION)
            .bind(i64::from(with_journal))
            .bind(limit)
            .fetch_all(&self.core.reads)
            .await?;
        rows.iter().map(whole).collect()
    }

    /// What people and the program's own reconcilers did, newest first, before entry `before`; the leaves of the
    /// journal are not among it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_acts(&self, before: Option<u64>, limit: i64) -> Result<Vec<Entry>, StoreError> {
        let sql = "select l.entry_json, p.private_json from audit_leaf l left join audit_private p on p.seq = l.seq \
                   where l.seq < $1 and l.action <> $2 order by l.seq desc limit $3";
        let rows = sqlx::query(sql)
            .bind(before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX))
            .bind(journal::ACTION)
            .bind(limit)
            .fetch_all(&self.core.reads)
            .await?;
        rows.iter().map(whole).collect()
    }

    /// Destroys what of an entry may be about people, and the salt of the commitment to it. The log stays as it is, and
    /// nobody can tell any more what was meant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it has nothing private (any more).
    pub async fn erase_private(&self, seq: u64) -> Result<(), StoreError> {
        self.core.writer.write(Erase { seq: i64::try_from(seq).unwrap_or(i64::MAX) }).await
    }

    /// How many entries the log has, and its root; none before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_head(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        let row =
            sqlx::query("select size, root from audit_head where id = 1").fetch_optional(&self.core.reads).await?;
        let Some(row) = row else { return Ok(None) };
        let root = database::named(&row, "root", |text| Digest::parse(text).ok())?;
        Ok(Some((u64::try_from(row.try_get::<i64, _>("size")?).unwrap_or(0), root)))
    }

    /// The hashes of the leaves from `from` on, before `to`; those of entries that were pruned are not known any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_leaves(&self, from: u64, to: u64) -> Result<BTreeMap<u64, Digest>, StoreError> {
        let [from, to] = [from, to].map(|seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let sql = "select seq, entry_json from audit_leaf where seq >= $1 and seq < $2";
        let mut leaves = BTreeMap::new();
        for row in sqlx::query(sql).bind(from).bind(to).fetch_all(&self.core.reads).await? {
            let entry: String = row.try_get("entry_json")?;
            leaves.insert(u64::try_from(row.try_get::<i64, _>("seq")?).unwrap_or(0), leaf_hash(entry.as_bytes()));
        }
        Ok(leaves)
    }

    /// Ends the oldest entries, those before `before`: one batch; returns how many. What is as young as the oldest mail
    /// that is on hold stays. What is gone stays in the tree, as the sealed checkpoint from which it goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prune_audit(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.core.writer.write(Prune { before, key: self.core.key.clone() }).await
    }
}

/// An entry with what may be about people, as far as it is kept.
pub(crate) fn whole(row: &AnyRow) -> Result<Entry, StoreError> {
    let mut entry: Entry = from_json(row, "entry_json")?;
    if row.try_get::<Option<String>, _>("private_json")?.is_some() {
        entry.join(from_json(row, "private_json")?);
    }
    Ok(entry)
}

/// Where the log stands: what the writer keeps in memory between two appends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) frontier: Frontier,
    is_stored: bool,
}

impl Head {
    /// Reads it.
    pub(crate) async fn load(connection: &mut AnyConnection) -> Result<Self, StoreError> {
        let row = sqlx::query("select frontier_json from audit_head where id = 1").fetch_optional(connection).await?;
        let is_stored = row.is_some();
        let frontier = row.map(|row| from_json(&row, "frontier_json")).transpose()?.unwrap_or_default();
        Ok(Self { frontier, is_stored })
    }

    /// The number that the next batch of the journal has: never used before, since every batch makes the log longer.
    pub(crate) fn batch(&self) -> i64 {
        i64::try_from(self.frontier.size).unwrap_or(i64::MAX)
    }

    /// Appends acts inside the writer's transaction. What the head was must still be what is stored.
    pub(crate) async fn append(
        &mut self,
        connection: &mut AnyConnection,
        acts: &[Act],
        key: &TokenKey,
    ) -> Result<(), StoreError> {
        if acts.is_empty() {
            return Ok(());
        }
        let known = self.batch();
        let mut rows = Vec::with_capacity(acts.len());
        let mut private = Vec::new();
        for act in acts {
            let Act { at, actor, action, object, reason, detail } = act.clone();
            let mut entry =
                Entry { seq: self.frontier.size, at, actor, action, object, reason, detail, commitment: None };
            if let Some(row) = part_from_people(&mut entry)? {
                private.push(row);
            }
            let text = to_json(&entry)?;
            self.frontier.append(leaf_hash(text.as_bytes()));
            let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
            let Entry { actor, action, object, .. } = entry;
            rows.push(vec![seq.into(), at.as_micros().into(), actor.into(), action.into(), object.into(), text.into()]);
        }
        let (size, root) = (self.batch(), self.frontier.root().hex());
        let seal = sealed(key, size, &root);
        let sql = if self.is_stored {
            "update audit_head set size = $1, frontier_json = $2, root = $3, seal = $4 where id = 1 and size = $5"
        } else {
            "insert into audit_head (id, size, frontier_json, root, seal) select 1, $1, $2, $3, $4 where $5 = 0"
        };
        let written = sqlx::query(sql)
            .bind(size)
            .bind(to_json(&self.frontier)?)
            .bind(root)
            .bind(seal)
            .bind(known)
            .execute(&mut *connection)
            .await?;
        // The head first: where another process has appended meanwhile, this is tried again behind what it wrote.
        if written.rows_affected() != 1 {
            return Err(StoreError::Busy(format!("the audit log has moved on from {known} entries")));
        }
        let columns = ["seq", "at_us", "actor", "action", "object", "entry_json"];
        database::insert(&mut *connection, "audit_leaf", &columns, rows).await?;
        database::insert(connection, "audit_private", &["seq", "salt", "private_json"], private).await?;
        self.is_stored = true;
        Ok(())
    }
}

/// Takes what may be about people out of an entry, which commits to it: the row that keeps it. What the program itself
/// says of its ledger is about nobody.
fn part_from_people(entry: &mut Entry) -> Result<Option<Vec<Value>>, StoreError> {
    if entry.action == journal::ACTION || entry.action == retention::ACTION {
        return Ok(None);
    }
    let private = to_json(&entry.part_from_people())?;
    let mut salt = [0; 32];
    rand::fill(&mut salt).map_err(|_| StoreError::Broken("the system gives no random bytes".into()))?;
    entry.commitment = Some(commitment(&salt, &private));
    let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
    Ok(Some(vec![seq.into(), Digest::from_bytes(salt).hex().into(), private.into()]))
}

/// The private part of an entry as it is kept: its salt and its text.
pub(crate) async fn private_of(
    connection: &mut AnyConnection,
    seq: u64,
) -> Result<Option<(String, String)>, StoreError> {
    let sql = "select salt, private_json from audit_private where seq = $1";
    let row = sqlx::query(sql).bind(i64::try_from(seq).unwrap_or(i64::MAX)).fetch_optional(connection).await?;
    row.map(|row| Ok((row.try_get("salt")?, row.try_get("private_json")?))).transpose()
}

/// Whether a private part is the one that an entry commits to.
pub fn is_committed(entry: &Entry, salt: &str, private: &str) -> bool {
    let salt = Digest::parse(salt).map(|salt| commitment(salt.as_bytes(), private));
    salt.is_ok_and(|is| entry.commitment == Some(is)) && serde_json::from_str::<Private>(private).is_ok()
}

/// Acts to append to the log, all or none.
#[derive(Clone, Debug)]
struct Acts(Vec<Act>);

impl Command for Acts {
    type Reply = ();

    fn rows(&self) -> usize {
        self.0.len()
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        group.acts.extend(self.0.iter().cloned());
        Ok(())
    }
}

/// The end of what an entry says about people, as data.
#[derive(Clone, Debug)]
struct Erase {
    seq: i64,
}

impl Command for Erase {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let sql = "delete from audit_private where seq = $1";
        let done = sqlx::query(sql).bind(self.seq).execute(&mut *group.connection).await?;
        match done.rows_affected() {
            0 => Err(StoreError::NotFound(format!("anything private in entry {}", self.seq))),
            _ => Ok(()),
        }
    }
}

/// The tree over what was pruned, and how many ledger rows its batches and its purges had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checkpoint {
    pub(crate) frontier: Frontier,
    pub(crate) ledger_rows: i64,
    pub(crate) purged_rows: i64,
}

impl Checkpoint {
    /// Reads it, with a fault if it has not our seal.
    pub(crate) async fn load(
        connection: &mut AnyConnection,
        key: &TokenKey,
    ) -> Result<(Self, Option<String>), StoreError> {
        let row = sqlx::query("select * from audit_checkpoint where id = 1").fetch_optional(connection).await?;
        let Some(row) = row else { return Ok((Self::default(), None)) };
        let checkpoint = Self {
            frontier: from_json(&row, "frontier_json")?,
            ledger_rows: row.try_get("ledger_rows")?,
            purged_rows: row.try_get("purged_rows")?,
        };
        let is_ours = row.try_get::<String, _>("seal")? == checkpoint.seal(key);
        let fault = (!is_ours).then(|| "the checkpoint's seal is not that of this installation's key".to_owned());
        Ok((checkpoint, fault))
    }

    fn seal(&self, key: &TokenKey) -> String {
        let Self { frontier, ledger_rows, purged_rows } = self;
        let root = frontier.root().hex();
        seal(key, CHECKPOINT, &format!("{} {root} {ledger_rows} {purged_rows}", frontier.size)).hex()
    }

    /// Takes an entry into the tree, and what it says of the ledger into the sums.
    pub(crate) fn take(&mut self, entry: &Entry, text: &str) {
        self.frontier.append(leaf_hash(text.as_bytes()));
        if entry.action == journal::ACTION {
            self.ledger_rows += Batch::of_leaf(entry).map_or(0, |(_, batch)| batch.rows);
        } else if entry.action == retention::ACTION {
            self.purged_rows += retention::purged_rows(entry);
        }
    }

    async fn store(&self, connection: &mut AnyConnection, key: &TokenKey) -> Result<(), StoreError> {
        sqlx::query("delete from audit_checkpoint").execute(&mut *connection).await?;
        let row = vec![
            1_i64.into(),
            i64::try_from(self.frontier.size).unwrap_or(i64::MAX).into(),
            to_json(&self.frontier)?.into(),
            self.ledger_rows.into(),
            self.purged_rows.into(),
            self.seal(key).into(),
        ];
        let columns = ["id", "size", "frontier_json", "ledger_rows", "purged_rows", "seal"];
        database::insert(connection, "audit_checkpoint", &columns, vec![row]).await
    }
}

/// A pruning of the log, as data.
#[derive(Clone, Debug)]
struct Prune {
    before: Timestamp,
    key: TokenKey,
}

impl Command for Prune {
    /// How many entries ended.
    type Reply = usize;

    fn rows(&self) -> usize {
        SWEEP_ROWS
    }

    async fn apply(&self, group: &mut Group<'_>) -> Result<usize, StoreError> {
        prune(group.connection, self).await
    }
}

/// Prunes one batch inside the writer's transaction.
async fn prune(connection: &mut AnyConnection, prune: &Prune) -> Result<usize, StoreError> {
    let (mut checkpoint, fault) = Checkpoint::load(connection, &prune.key).await?;
    if let Some(fault) = fault {
        return Err(StoreError::Unreadable(fault));
    }
    // What was done about mail that is on hold stays as long as the mail.
    let kept_from = hold::audit_kept_from(connection).await?;
    let before = kept_from.map_or(prune.before, |from| from.min(prune.before));
    let first = i64::try_from(checkpoint.frontier.size).unwrap_or(i64::MAX);
    let rows = sqlx::query("select seq, at_us, entry_json from audit_leaf where seq >= $1 order by seq limit $2")
        .bind(first)
        .bind(PRUNE_BATCH)
        .fetch_all(&mut *connection)
        .await?;
    let mut pruned = 0;
    for row in rows.iter().take_while(|row| row.try_get("at_us").is_ok_and(|at: i64| at < before.as_micros())) {
        if u64::try_from(row.try_get::<i64, _>("seq")?) != Ok(checkpoint.frontier.size) {
            return Err(StoreError::Unreadable("the audit log has a gap; `reprieve audit verify` says where".into()));
        }
        let text: String = row.try_get("entry_json")?;
        checkpoint.take(&from_json(row, "entry_json")?, &text);
        pruned += 1;
    }
    if pruned > 0 {
        let end = i64::try_from(checkpoint.frontier.size).unwrap_or(i64::MAX);
        sqlx::query("delete from audit_leaf where seq < $1").bind(end).execute(&mut *connection).await?;
        sqlx::query("delete from audit_private where seq < $1").bind(end).execute(&mut *connection).await?;
        checkpoint.store(connection, &prune.key).await?;
    }
    Ok(pruned)
}

pub(crate) fn sealed(key: &TokenKey, size: i64, root: &str) -> String {
    seal(key, PURPOSE, &format!("{size} {root}")).hex()
}
