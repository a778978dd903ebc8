//! Whether the store can be relied on. The first failure of its disk, or of the database's structure, whoever meets it,
//! a write or a read, ends that for good: what such a disk gives back next is anybody's guess.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use futures_util::{Stream, TryStreamExt};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyPool, Either, Execute, Executor, SqlStr, Transaction};

use crate::database::error::StoreError;

type Rows<'e> = Pin<Box<dyn Stream<Item = Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>> + Send + 'e>>;
type Answer<'e, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'e>>;

/// Why the store is not sound any more, once it is not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Soundness(Arc<OnceLock<String>>);

impl Soundness {
    /// Whether it has ended.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.get().is_some()
    }

    /// What ended it.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// It ends, because of this; only the first reason is kept.
    pub(crate) fn end(&self, why: &str) {
        if self.0.set(why.to_owned()).is_ok() {
            tracing::error!(why, "the store is broken: nothing more is taken into custody until a restart");
        }
    }

    /// Ends it if an error says that the disk or the database's structure failed.
    pub(crate) fn heed<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Broken(why)) = &result {
            self.end(why);
        }
        result
    }

    fn heed_read(&self, error: &sqlx::Error) {
        if StoreError::breaks(error) {
            self.end(&error.to_string());
        }
    }
}

/// The connections for reading. A read that meets a failing disk or a damaged page ends the store's soundness, as a
/// write does.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    pool: AnyPool,
    soundness: Soundness,
}

impl Reads {
    pub(crate) fn new(pool: AnyPool, soundness: Soundness) -> Self {
        Self { pool, soundness }
    }

    /// One moment for several reads. Whoever reads in it gives the result to [`Soundness::heed`].
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.pool.begin().await.inspect_err(|error| self.soundness.heed_read(error))
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

impl<'p> Executor<'p> for &'_ Reads {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Rows<'e>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let soundness = self.soundness.clone();
        Box::pin(self.pool.fetch_many(query).inspect_err(move |error| soundness.heed_read(error)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> Answer<'e, Option<AnyRow>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let soundness = self.soundness.clone();
        let asked = self.pool.fetch_optional(query);
        Box::pin(async move { asked.await.inspect_err(|error| soundness.heed_read(error)) })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> Answer<'e, AnyStatement>
    where
        'p: 'e,
    {
        let soundness = self.soundness.clone();
        let asked = self.pool.prepare_with(sql, parameters);
        Box::pin(async move { asked.await.inspect_err(|error| soundness.heed_read(error)) })
    }
}
