//! An upgrade: the store that an earlier version left is opened by this one, on both databases. Nothing is lost, the
//! books balance, the audit log is intact, what was held can be released, and a death in the middle is made good.

mod both;
mod earlier;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::release::ReleaseEvent;
use domain::{Digest, MailId, Timestamp, UnitId};
use sqlx::{AnyConnection, Connection, Row};
use store::blob::Blobs;
use store::database::{self, Dialect, migrate};
use store::release::Requested;
use store::{Store, StoreError};

/// What the earlier program said of its own audit log.
const ENTRIES: u64 = 51;
const ROOT: &str = "339e3a459445c77d05e7aedd74ec7f509de2c44437aa445c10f152974a32dd3a";
/// What it said of its ledger, without the accounts that are empty.
const ACCOUNTS: [(&str, i64); 8] = [
    ("deleted", 1),
    ("delivered", 5),
    ("denied", 1),
    ("failed", 1),
    ("held", 4),
    ("in_doubt", 1),
    ("in_doubt_live", 1),
    ("released", 5),
];

/// Some days after it was left.
fn now() -> Timestamp {
    Timestamp::from_micros(1_796_100_000_000_000)
}

fn kept() -> MailId {
    earlier::KEPT_ID.parse().expect("an id")
}

async fn opened(url: &str, folder: &Path) -> Result<Store, StoreError> {
    let blobs = Blobs::open(&folder.join("blobs")).expect("the folder of held mail");
    Store::open(url, blobs, "n", &earlier::key(), now()).await
}

/// The tables of a database, each with its rows.
async fn rows(connection: &mut AnyConnection, dialect: Dialect) -> BTreeMap<String, i64> {
    let tables = match dialect {
        Dialect::Sqlite => "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'",
        Dialect::Postgres => "select cast(tablename as text) as name from pg_tables where schemaname = 'public'",
    };
    let mut counted = BTreeMap::new();
    for table in sqlx::query(tables).fetch_all(&mut *connection).await.expect("lists its tables") {
        let table: String = table.try_get("name").expect("a name");
        if table != "schema_version" {
            let sql = sqlx::AssertSqlSafe(format!("select count(*) as rows from {table}"));
            let row = sqlx::query(sql).fetch_one(&mut *connection).await.expect("counts");
            counted.insert(table, row.try_get("rows").expect("a number"));
        }
    }
    counted
}

async fn version(connection: &mut AnyConnection) -> i64 {
    let sql = "select coalesce(max(version), 0) as version from schema_version";
    sqlx::query(sql).fetch_one(connection).await.expect("reads").try_get("version").expect("a number")
}

/// What it is like after the upgrade, and what can be done then.
async fn story(url: &str, folder: &Path) {
    let dialect = Dialect::of(url);
    let mut connection = database::connect(url).await.expect("connects");
    let before = rows(&mut connection, dialect).await;
    assert_eq!(version(&mut connection).await, earlier::SCHEMA as i64);
    assert!(before["message"] == 17 && before["incident"] == 2 && before["person"] == 1, "{before:?}");

    let store = opened(url, folder).await.expect("it is brought to this version");
    assert!(version(&mut connection).await > earlier::SCHEMA as i64);
    let after = rows(&mut connection, dialect).await;
    for (table, rows) in &before {
        assert_eq!(after.get(table), Some(rows), "{table}: an upgrade adds and removes no row of what was there");
    }
    balanced(&store, &ACCOUNTS).await;
    let verified = store.audit.verify_audit(true).await.expect("verifies");
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    assert_eq!((verified.size, verified.root.as_str()), (ENTRIES, ROOT));

    let recorded = store.mail.record(kept()).await.expect("a record of the earlier version is understood");
    assert_eq!(recorded.examination.message.subject, earlier::KEPT);
    assert_eq!(recorded.examination.findings[0].detection.as_str(), "EIC-0001");
    let stages: Vec<&str> =
        store.incidents.all().await.expect("lists").iter().map(|incident| incident.stage.as_str()).collect();
    assert!(stages.contains(&"resolved") && stages.contains(&"investigating"), "{stages:?}");

    released(&store).await;
    let mut accounts = BTreeMap::from(ACCOUNTS);
    accounts.insert("held", 3);
    accounts.insert("released", 6);
    balanced(&store, &Vec::from_iter(accounts)).await;
    assert!(store.audit.verify_audit(true).await.expect("verifies").faults.is_empty());
    store.close().await;

    // A second start has nothing to change, and a program that does not know this schema leaves it alone.
    opened(url, folder).await.expect("opens again").close().await;
    newer_is_refused(&mut connection, url, folder).await;
}

async fn balanced(store: &Store, accounts: &[(&str, i64)]) {
    let balance = store.upkeep.check_ledger(true).await.expect("checks");
    assert!(balance.is_balanced(), "{:?}", balance.faults);
    let filled: Vec<(&str, i64)> =
        balance.accounts.iter().filter(|(_, units)| **units > 0).map(|(name, units)| (name.as_str(), *units)).collect();
    assert_eq!(filled, accounts);
}

/// Releases a mail that the earlier version held.
async fn released(store: &Store) {
    let unit = UnitId { mail: kept(), number: 0 };
    let asked = store.releases.request_release(unit, "anna", "after the upgrade", now()).await.expect("asks");
    assert!(matches!(asked, Requested::Queued(_)), "{asked:?}");
    let claims = store.releases.claim_releases("n/1", now(), Duration::from_secs(60)).await.expect("claims");
    let claim = claims.iter().find(|claim| claim.unit == unit).expect("it is to be sent");
    let parcel = store.releases.parcel(claim).await.expect("a parcel");
    assert_eq!(parcel.blob, Digest::parse(earlier::KEPT_BLOB).expect("a digest"));
    assert_eq!(store.blobs().get(parcel.blob).await.expect("its bytes"), earlier::mail(earlier::KEPT_BLOB));
    assert_eq!(parcel.envelope.recipients[0].address.as_str(), "b@ours.example");
    store.releases.start_attempt(claim, now()).await.expect("is attempted");
    store.releases.conclude_release(claim, ReleaseEvent::Accepted, "250", now(), now()).await.expect("is released");
}

/// A database of a later version, and one of a program that is none of ours, are refused and left as they are.
async fn newer_is_refused(connection: &mut AnyConnection, url: &str, folder: &Path) {
    let known = version(connection).await;
    let add = format!("insert into schema_version (version, name, applied_us) values ({}, 'later', 1)", known + 1);
    sqlx::query(sqlx::AssertSqlSafe(add)).execute(&mut *connection).await.expect("is a later one now");
    let refused = opened(url, folder).await.expect_err("a later database is refused");
    assert!(matches!(refused, StoreError::NewerSchema { found, known: k } if found == known + 1 && k == known));
    for told in ["newer version of Reprieve", "Nothing was changed", "reprieve restore BACKUP"] {
        assert!(refused.to_string().contains(told), "{refused}");
    }
    let back = format!("delete from schema_version where version > {known}");
    sqlx::query(sqlx::AssertSqlSafe(back)).execute(&mut *connection).await.expect("is ours again");
    let rename = format!("update schema_version set name = 'their own' where version = {known}");
    sqlx::query(sqlx::AssertSqlSafe(rename)).execute(&mut *connection).await.expect("is of another program");
    let refused = opened(url, folder).await.expect_err("another program's database is refused");
    assert!(matches!(refused, StoreError::OtherSchema { version, .. } if version == known), "{refused}");
}

#[tokio::test]
async fn a_store_of_an_earlier_version_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    earlier::lay(folder.path()).await;
    story(&database::sqlite_url(&folder.path().join("reprieve.db")), folder.path()).await;
}

#[tokio::test]
async fn a_store_of_an_earlier_version_on_postgres() {
    let Some(url) = both::postgres().await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    // Its database was SQLite; the same rows in the tables that the same migrations make.
    earlier::lay(folder.path()).await;
    let mut connection = database::connect(&url).await.expect("connects");
    migrate::run_to(&mut connection, earlier::SCHEMA, now()).await.expect("makes the tables of then");
    earlier::fill(&mut connection).await;
    connection.close().await.expect("is closed");
    story(&url, folder.path()).await;
}

/// What the tables are made by, apart from blanks.
async fn tables(connection: &mut AnyConnection) -> Vec<(String, String)> {
    let sql = "select name, sql from sqlite_schema where sql is not null order by name";
    let rows = sqlx::query(sql).fetch_all(connection).await.expect("lists");
    let text = |row: &sqlx::any::AnyRow, column: &str| row.try_get::<String, _>(column).expect("a text");
    rows.iter()
        .map(|row| (text(row, "name"), text(row, "sql").split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}

#[tokio::test]
async fn a_migration_that_was_released_is_never_changed() {
    let (then, today) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    earlier::lay(then.path()).await;
    let mut made = earlier::open(today.path()).await;
    migrate::run_to(&mut made, earlier::SCHEMA, now()).await.expect("makes them");
    assert_eq!(tables(&mut earlier::open(then.path()).await).await, tables(&mut made).await);
}

#[tokio::test]
async fn an_upgrade_that_ends_between_two_versions_goes_on_from_there() {
    let whole = tempfile::tempdir().expect("a folder");
    earlier::lay(whole.path()).await;
    let mut connection = earlier::open(whole.path()).await;
    migrate::run(&mut connection, now()).await.expect("is upgraded");
    let (known, expected) = (version(&mut connection).await, tables(&mut connection).await);
    for ended in earlier::SCHEMA..=usize::try_from(known).expect("a small number") {
        let folder = tempfile::tempdir().expect("a folder");
        earlier::lay(folder.path()).await;
        let mut connection = earlier::open(folder.path()).await;
        migrate::run_to(&mut connection, ended, now()).await.expect("comes so far");
        connection.close().await.expect("is closed");
        let store = opened(&database::sqlite_url(&folder.path().join("reprieve.db")), folder.path()).await;
        let store = store.expect("goes on");
        balanced(&store, &ACCOUNTS).await;
        store.close().await;
        assert_eq!(tables(&mut earlier::open(folder.path()).await).await, expected);
    }
}

#[tokio::test]
async fn a_full_disk_ends_an_upgrade_and_leaves_what_was() {
    let folder = tempfile::tempdir().expect("a folder");
    earlier::lay(folder.path()).await;
    let mut connection = earlier::open(folder.path()).await;
    let before = tables(&mut connection).await;
    // No page more than there are: as on a volume without room.
    let pages = sqlx::query("pragma page_count").fetch_one(&mut connection).await.expect("counts");
    let limit = format!("pragma max_page_count = {}", pages.try_get::<i64, _>(0).expect("a number"));
    sqlx::query(sqlx::AssertSqlSafe(limit)).execute(&mut connection).await.expect("is limited");
    let full = migrate::run(&mut connection, now()).await.expect_err("there is no room");
    assert!(matches!(full, StoreError::Full(_)), "{full}");
    let reached = version(&mut connection).await;
    connection.close().await.expect("is closed");
    let mut connection = earlier::open(folder.path()).await;
    if reached == earlier::SCHEMA as i64 {
        assert_eq!(tables(&mut connection).await, before, "a version is whole, or it is not there");
    }
    // There is room again.
    let store = opened(&database::sqlite_url(&folder.path().join("reprieve.db")), folder.path()).await;
    let store = store.expect("goes on");
    balanced(&store, &ACCOUNTS).await;
    store.close().await;
}
