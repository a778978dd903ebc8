//! The audit log: entries are appended before the act, in a transaction of their own, and never changed.

use domain::Timestamp;
use domain::audit::{Entry, Frontier, leaf_hash};
use domain::token::{TokenKey, seal};
use sqlx::{AnyConnection, Row};

use crate::Store;
use crate::db::{from_json, to_json};
use crate::error::StoreError;

/// What the seal of a head is for.
const PURPOSE: &str = "audit-head";

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

/// What a check of the log found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Entries in the log.
    pub size: u64,
    /// The root of the tree over them.
    pub root: String,
    /// What is wrong, one line each.
    pub faults: Vec<String>,
}

impl Store {
    /// Records an act durably. Called before the act: what could not be recorded is not done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_act(&self, act: Act) -> Result<(), StoreError> {
        self.writer.audit(act, self.key.clone()).await
    }

    /// The entries from `seq` on, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn audit_entries(&self, seq: u64, limit: i64) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query("select entry_json from audit_leaf where seq >= $1 order by seq limit $2")
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(&self.reads)
            .await?;
        rows.iter().map(|row| from_json(row, "entry_json")).collect()
    }

    /// Computes the tree anew from every entry and compares it with the sealed head.
    ///
    /// # Errors
    /// When the store fails; a fault in the log is no error but part of the answer.
    pub async fn verify_audit(&self) -> Result<Verified, StoreError> {
        let mut moment = self.reads.begin().await?;
        let rows = sqlx::query("select seq, at_us, actor, action, object, entry_json from audit_leaf order by seq")
            .fetch_all(&mut *moment)
            .await?;
        let head =
            sqlx::query("select size, root, seal from audit_head where id = 1").fetch_optional(&mut *moment).await?;
        moment.commit().await?;
        let mut frontier = Frontier::default();
        let mut faults = Vec::new();
        for row in &rows {
            let seq: i64 = row.try_get("seq")?;
            let text: String = row.try_get("entry_json")?;
            if u64::try_from(seq) != Ok(frontier.size) {
                faults.push(format!("entry {} is missing: the next is {seq}", frontier.size));
            }
            if !serde_json::from_str::<Entry>(&text).is_ok_and(|entry| agrees(&entry, row)) {
                faults.push(format!("entry {seq} does not agree with its own columns"));
            }
            frontier.append(leaf_hash(text.as_bytes()));
        }
        let root = frontier.root().hex();
        match head {
            None if rows.is_empty() => {}
            None => faults.push("there is no head over these entries".into()),
            Some(head) => {
                let (size, known): (i64, String) = (head.try_get("size")?, head.try_get("root")?);
                if u64::try_from(size) != Ok(frontier.size) || known != root {
                    faults.push(format!(
                        "the head says {size} entries with root {known}, the entries say {} with {root}",
                        frontier.size
                    ));
                }
                if head.try_get::<String, _>("seal")? != sealed(&self.key, size, &known) {
                    faults.push("the head's seal is not that of this installation's key".into());
                }
            }
        }
        Ok(Verified { size: frontier.size, root, faults })
    }
}

fn agrees(entry: &Entry, row: &sqlx::any::AnyRow) -> bool {
    let text = |column: &str| row.try_get::<String, _>(column).unwrap_or_default();
    let number = |column: &str| row.try_get::<i64, _>(column).unwrap_or(-1);
    i64::try_from(entry.seq) == Ok(number("seq"))
        && entry.at.as_micros() == number("at_us")
        && entry.actor == text("actor")
        && entry.action == text("action")
        && entry.object == text("object")
}

fn sealed(key: &TokenKey, size: i64, root: &str) -> String {
    seal(key, PURPOSE, &format!("{size} {root}")).hex()
}

/// Appends inside the writer's transaction.
pub(crate) async fn append(connection: &mut AnyConnection, act: &Act, key: &TokenKey) -> Result<(), StoreError> {
    let head =
        sqlx::query("select frontier_json from audit_head where id = 1").fetch_optional(&mut *connection).await?;
    let mut frontier: Frontier = head.map(|row| from_json(&row, "frontier_json")).transpose()?.unwrap_or_default();
    let seq = i64::try_from(frontier.size).unwrap_or(i64::MAX);
    let Act { at, actor, action, object, reason, detail } = act.clone();
    let entry = Entry { seq: frontier.size, at, actor, action, object, reason, detail };
    let text = to_json(&entry)?;
    frontier.append(leaf_hash(text.as_bytes()));
    sqlx::query(
        "insert into audit_leaf (seq, at_us, actor, action, object, entry_json) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(seq)
    .bind(at.as_micros())
    .bind(entry.actor.clone())
    .bind(entry.action.clone())
    .bind(entry.object.clone())
    .bind(text)
    .execute(&mut *connection)
    .await?;
    let root = frontier.root().hex();
    let sql = "insert into audit_head (id, size, frontier_json, root, seal) values (1, $1, $2, $3, $4) \
               on conflict (id) do update set size = $5, frontier_json = $6, root = $7, seal = $8";
    let mut query = sqlx::query(sql);
    for _ in 0..2 {
        let seal = sealed(key, seq + 1, &root);
        query = query.bind(seq + 1).bind(to_json(&frontier)?).bind(root.clone()).bind(seal);
    }
    query.execute(connection).await?;
    Ok(())
}
