//! API tokens: known by the SHA-256 of their secret, with a role, a scope and an end.

use domain::{Digest, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::database;
use crate::database::error::StoreError;
use crate::people::PeopleStore;
use crate::people::scope::Scope;
use crate::writer::{Command, Group};

/// A token as it is kept; the secret is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id, for people.
    pub id: String,
    /// Whose it is, or what for: the actor in the audit log.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// Whose units it may see.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it opens the door at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

/// A write about tokens, as data.
#[derive(Clone, Debug)]
pub(crate) enum AccessWrite {
    Add { token: Box<Token>, secret: Digest },
    Revoke { id: String, at: Timestamp },
}

impl PeopleStore {
    /// Adds a token; `secret` is the digest of what its holder shows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add_token(&self, token: Token, secret: Digest) -> Result<(), StoreError> {
        self.core.writer.write(AccessWrite::Add { token: Box::new(token), secret }).await
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// When there is no such token in force, or the store fails.
    pub async fn revoke_token(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.core.writer.write(AccessWrite::Revoke { id: id.to_owned(), at }).await
    }

    /// The token with this secret, if it is in force at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn token(&self, secret: Digest, now: Timestamp) -> Result<Option<Token>, StoreError> {
        let sql = "select * from api_token where secret_sha256 = $1 and revoked_us is null and expires_us > $2";
        let row = sqlx::query(sql).bind(secret.hex()).bind(now.as_micros()).fetch_optional(&self.core.reads).await?;
        row.as_ref().map(read).transpose()
    }

    /// All tokens, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let rows = sqlx::query("select * from api_token order by created_us desc limit 1000")
            .fetch_all(&self.core.reads)
            .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Token, StoreError> {
    let revoked: Option<i64> = row.try_get("revoked_us")?;
    Ok(Token {
        id: row.try_get("token_id")?,
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        scope: Scope::read(row)?,
        created: Timestamp::from_micros(row.try_get("created_us")?),
        created_by: row.try_get("created_by")?,
        expires: Timestamp::from_micros(row.try_get("expires_us")?),
        revoked: revoked.map(Timestamp::from_micros),
    })
}

impl Command for AccessWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Add { token, secret } => {
                let columns = [
                    "token_id",
                    "secret_sha256",
                    "name",
                    "role",
                    "domains_json",
                    "created_us",
                    "created_by",
                    "expires_us",
                ];
                let row = vec![
                    token.id.as_str().into(),
                    secret.hex().into(),
                    token.name.as_str().into(),
                    token.role.as_str().into(),
                    token.scope.column()?,
                    token.created.as_micros().into(),
                    token.created_by.as_str().into(),
                    token.expires.as_micros().into(),
                ];
                database::insert(connection, "api_token", &columns, vec![row]).await
            }
            Self::Revoke { id, at } => {
                let sql = "update api_token set revoked_us = $1 where token_id = $2 and revoked_us is null";
                let updated = sqlx::query(sql).bind(at.as_micros()).bind(id.clone()).execute(connection).await?;
                if updated.rows_affected() == 1 {
                    Ok(())
                } else {
                    Err(StoreError::NotFound(format!("token {id} in force")))
                }
            }
        }
    }
}
