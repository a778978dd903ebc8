//! Numbered migrations of our own: one mechanism for both databases, each in its own transaction.

use std::path::Path;

use domain::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use crate::database;
use crate::database::error::StoreError;

/// The migrations in order; a released one never changes.
const MIGRATIONS: [(&str, &str); 35] = [
    ("0001_spine", include_str!("../../migrations/0001_spine.sql")),
    ("0002_people", include_str!("../../migrations/0002_people.sql")),
    ("0003_journal", include_str!("../../migrations/0003_journal.sql")),
    ("0004_live_ruleset", include_str!("../../migrations/0004_live_ruleset.sql")),
    ("0005_rulesets", include_str!("../../migrations/0005_rulesets.sql")),
    ("0006_people_decide", include_str!("../../migrations/0006_people_decide.sql")),
    ("0007_taking_back", include_str!("../../migrations/0007_taking_back.sql")),
    ("0008_order_of_release", include_str!("../../migrations/0008_order_of_release.sql")),
    ("0009_digest", include_str!("../../migrations/0009_digest.sql")),
    ("0010_dry_run", include_str!("../../migrations/0010_dry_run.sql")),
    ("0011_caused_by", include_str!("../../migrations/0011_caused_by.sql")),
    ("0012_people_are_called", include_str!("../../migrations/0012_people_are_called.sql")),
    ("0013_explorer", include_str!("../../migrations/0013_explorer.sql")),
    ("0014_bulk", include_str!("../../migrations/0014_bulk.sql")),
    ("0015_flow", include_str!("../../migrations/0015_flow.sql")),
    ("0016_recipients", include_str!("../../migrations/0016_recipients.sql")),
    ("0017_saved", include_str!("../../migrations/0017_saved.sql")),
    ("0018_fixtures", include_str!("../../migrations/0018_fixtures.sql")),
    ("0019_portal_closed", include_str!("../../migrations/0019_portal_closed.sql")),
    ("0020_agreement", include_str!("../../migrations/0020_agreement.sql")),
    ("0021_removal", include_str!("../../migrations/0021_removal.sql")),
    ("0022_notices_are_claimed", include_str!("../../migrations/0022_notices_are_claimed.sql")),
    ("0023_jobs_are_claimed", include_str!("../../migrations/0023_jobs_are_claimed.sql")),
    ("0024_hearing", include_str!("../../migrations/0024_hearing.sql")),
    ("0025_incident_from_the_record", include_str!("../../migrations/0025_incident_from_the_record.sql")),
    ("0026_release_is_no_report", include_str!("../../migrations/0026_release_is_no_report.sql")),
    ("0027_folded", include_str!("../../migrations/0027_folded.sql")),
    ("0028_clock_reading_is_guarded", include_str!("../../migrations/0028_clock_reading_is_guarded.sql")),
    ("0029_conversations", include_str!("../../migrations/0029_conversations.sql")),
    ("0030_fingerprints", include_str!("../../migrations/0030_fingerprints.sql")),
    ("0031_probation", include_str!("../../migrations/0031_probation.sql")),
    ("0032_event_sinks", include_str!("../../migrations/0032_event_sinks.sql")),
    ("0033_legal_hold", include_str!("../../migrations/0033_legal_hold.sql")),
    ("0034_layout", include_str!("../../migrations/0034_layout.sql")),
    ("0035_event_epochs", include_str!("../../migrations/0035_event_epochs.sql")),
];

/// Brings the schema to what this program knows. A start that ends in the middle leaves whole versions behind it: each
/// is one transaction, and the next start goes on from there.
///
/// # Errors
/// When the schema is newer or of another program, or a statement fails.
pub async fn run(connection: &mut AnyConnection, now: Timestamp) -> Result<(), StoreError> {
    run_to(connection, MIGRATIONS.len(), now).await
}

/// Brings the schema to a version, as an earlier program does that knows no later one: for tests of an upgrade.
///
/// # Errors
/// As [`run`].
pub async fn run_to(connection: &mut AnyConnection, last: usize, now: Timestamp) -> Result<(), StoreError> {
    let found = found(connection).await?;
    let missing = MIGRATIONS.iter().enumerate().take(last).skip(found);
    if found > 0 && found < last {
        tracing::info!(from = found, to = last, "the database is of an earlier version; it is changed to this one");
    }
    for (at, (name, text)) in missing {
        let mut transaction = connection.begin().await?;
        for statement in statements(text) {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
        }
        sqlx::query("insert into schema_version (version, name, applied_us) values ($1, $2, $3)")
            .bind(at as i64 + 1)
            .bind(*name)
            .bind(now.as_micros())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// The version of the schema, 0 of an empty database.
async fn found(connection: &mut AnyConnection) -> Result<usize, StoreError> {
    sqlx::query(
        "create table if not exists schema_version (version bigint primary key, name text not null, applied_us \
        bigint not null)",
    )
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query("select version, name from schema_version order by version").fetch_all(connection).await?;
    let known = MIGRATIONS.len() as i64;
    let newest: i64 = rows.last().map(|row| row.try_get("version")).transpose()?.unwrap_or(0);
    if newest > known {
        return Err(StoreError::NewerSchema { found: newest, known });
    }
    for (at, (row, (known, _))) in rows.iter().zip(MIGRATIONS).enumerate() {
        let (version, name): (i64, String) = (row.try_get("version")?, row.try_get("name")?);
        if version != at as i64 + 1 || name != known {
            return Err(StoreError::OtherSchema { version, found: name, known: known.to_owned() });
        }
    }
    Ok(rows.len())
}

/// The migrations that this program knows, in order.
pub fn known() -> Vec<&'static str> {
    MIGRATIONS.iter().map(|(name, _)| *name).collect()
}

/// The migrations that an embedded database has had, in order; it is only read.
///
/// # Errors
/// When it is not there, or cannot be read.
pub async fn applied(file: &Path) -> Result<Vec<String>, StoreError> {
    sqlx::any::install_default_drivers();
    let pool = database::read_pool(&format!("sqlite://{}?mode=rw", file.display())).await?;
    let rows = sqlx::query("select name from schema_version order by version").fetch_all(&pool).await?;
    let names = rows.iter().map(|row| row.try_get("name")).collect::<Result<_, _>>();
    pool.close().await;
    Ok(names?)
}

/// The statements of a migration, comments left out; our migrations have no semicolon inside a text.
fn statements(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    code.join("\n").split(';').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}
