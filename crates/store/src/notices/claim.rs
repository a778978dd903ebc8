//! Who tells people what. A notice is claimed in the database before it is sent and settled in the same transaction
//! that remembers it as told, so two processes never tell the same. If the process dies in between, its claim ends with
//! its lease, or when the same node starts again, and the notice is sent then: late, perhaps for the second time, with
//! the same Message-ID (at least once, decision 0027).

use std::time::Duration;

use domain::Timestamp;
use sqlx::{AnyConnection, Row};

use crate::database;
use crate::database::error::StoreError;
use crate::notices::NoticeStore;
use crate::writer::{Command, Group};

/// How long a claim holds: longer than any delivery may take.
pub const LEASE: Duration = Duration::from_secs(15 * 60);
/// How long a notice that is told once is remembered as told: longer than any reconciler looks back.
pub const ONCE: Duration = Duration::from_secs(60 * 24 * 3600);
/// How long after its end a claim is forgotten, so that a late worker still finds another fence.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The right to tell something, for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeClaim {
    /// What names the notice.
    pub key: String,
    /// The fence of this claim; a later claim has a higher one.
    pub fence: i64,
    /// How long nobody may tell the same once it was told.
    pub quiet: Duration,
}

/// A claim to make, as data.
#[derive(Clone, Debug)]
struct Take {
    key: String,
    owner: String,
    at: Timestamp,
}

/// A claim that is given up, as data.
#[derive(Clone, Debug)]
struct GiveUp {
    claim: NoticeClaim,
    at: Timestamp,
}

/// The end of the claims of owners that begin so, as data.
#[derive(Clone, Debug)]
struct EndClaims {
    owner_prefix: String,
    at: Timestamp,
}

impl NoticeStore {
    /// Claims a notice for this process; none when another one is telling it, or it was told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_notice(
        &self,
        key: &str,
        at: Timestamp,
        quiet: Duration,
    ) -> Result<Option<NoticeClaim>, StoreError> {
        let take = Take { key: key.to_owned(), owner: self.core.owner.clone(), at };
        let fence = self.core.writer.write(take).await?;
        Ok(fence.map(|fence| NoticeClaim { key: key.to_owned(), fence, quiet }))
    }

    /// It could not be told: anybody may try again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn give_up_claim(&self, claim: NoticeClaim, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(GiveUp { claim, at }).await
    }

    /// Ends the claims of notices and jobs of owners that begin so: a node that has just started holds none. Returns
    /// how many ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_claims(&self, owner_prefix: &str, at: Timestamp) -> Result<usize, StoreError> {
        self.core.writer.write(EndClaims { owner_prefix: owner_prefix.to_owned(), at }).await
    }
}

impl Command for Take {
    /// The fence of the claim; none when it is another's, or the notice was told.
    type Reply = Option<i64>;

    async fn apply(&self, group: &mut Group<'_>) -> Result<Option<i64>, StoreError> {
        take(group.connection, &self.key, &self.owner, self.at).await
    }
}

impl Command for GiveUp {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Self { claim, at } = self;
        let sql = "update notice_claim set lease_owner = '', lease_until_us = $1 where claim_key = $2 and fence = $3";
        let values = vec![at.as_micros().into(), claim.key.as_str().into(), claim.fence.into()];
        affected(group.connection, sql, values).await.map(drop)
    }
}

impl Command for EndClaims {
    /// How many ended.
    type Reply = usize;

    async fn apply(&self, group: &mut Group<'_>) -> Result<usize, StoreError> {
        let Self { owner_prefix, at } = self;
        let mut ended = 0;
        for sql in [
            "update notice_claim set lease_owner = '', lease_until_us = $1 \
             where lease_until_us > $2 and substr(lease_owner, 1, cast($3 as integer)) = $4",
            "update bulk set lease_owner = '', lease_until_us = $1 \
             where lease_until_us > $2 and substr(lease_owner, 1, cast($3 as integer)) = $4",
        ] {
            let length = i64::try_from(owner_prefix.chars().count()).unwrap_or(i64::MAX);
            let values =
                vec![at.as_micros().into(), at.as_micros().into(), length.into(), owner_prefix.as_str().into()];
            ended += affected(group.connection, sql, values).await?;
        }
        Ok(ended)
    }
}

async fn affected(
    connection: &mut AnyConnection,
    sql: &str,
    values: Vec<database::Value>,
) -> Result<usize, StoreError> {
    let done = database::query(sql.to_owned(), values).execute(connection).await?.rows_affected();
    Ok(usize::try_from(done).unwrap_or(0))
}

async fn take(
    connection: &mut AnyConnection,
    key: &str,
    owner: &str,
    at: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let sql = "delete from notice_claim where lease_until_us < $1";
    affected(connection, sql, vec![at.before(KEPT).as_micros().into()]).await?;
    let sql = "insert into notice_claim (claim_key, lease_owner, lease_until_us, fence) values ($1, $2, $3, 1) \
               on conflict (claim_key) do update set lease_owner = excluded.lease_owner, lease_until_us = \
               excluded.lease_until_us, \
               fence = notice_claim.fence + 1 where notice_claim.lease_until_us <= $4 returning fence";
    let values = vec![key.into(), owner.into(), at.after(LEASE).as_micros().into(), at.as_micros().into()];
    let taken = database::query(sql.to_owned(), values).fetch_optional(connection).await?;
    Ok(taken.map(|row| row.try_get("fence")).transpose()?)
}

/// It was told: the claim is still that of who says so, or nothing is remembered.
pub(crate) async fn settle(
    connection: &mut AnyConnection,
    claim: &NoticeClaim,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "update notice_claim set lease_owner = '', lease_until_us = $1 \
               where claim_key = $2 and fence = $3 and lease_owner <> ''";
    let values = vec![at.after(claim.quiet).as_micros().into(), claim.key.as_str().into(), claim.fence.into()];
    if affected(connection, sql, values).await? == 1 {
        return Ok(());
    }
    Err(StoreError::Refused(format!("notice {} is another's to tell (fence {})", claim.key, claim.fence)))
}
