//! The store of an earlier version as that version left it, for tests of an upgrade. The program of that version made
//! it, of mails of our own making: three are held, one of them for two recipients; one was released, one was refused by
//! the hop, one has no answer; one is denied, one deleted; a client's mail is in doubt. A detection that had held four
//! mails by mistake was taken back in an incident; another incident is open. There are a person who was invited, a
//! token, an entry, and a published version of the ruleset.
//!
//! `schema.sql` and `rows.sql` are its database (in order of tables and of rows; the boot of the machine it was made on
//! is left out), `data` is the rest of its data folder: the bytes of its held mails by their digests, and its keys.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::token::TokenKey;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

/// The version of its schema.
pub(crate) const SCHEMA: usize = 29;
/// The subject of one of its held mails.
pub(crate) const KEPT: &str = "kept";
/// That mail.
pub(crate) const KEPT_ID: &str = "01a22083-a36a-7bfc-b66a-082722081382";
/// The digest of its bytes.
pub(crate) const KEPT_BLOB: &str = "5f145ec9399e37dc16dcc3138d3f7398c3ff08ec4c78b6a0284ee1e1e731f0f1";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../store/tests/earlier/0029")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a text of the fixture")
}

/// The key that seals its audit log.
pub(crate) fn key() -> TokenKey {
    let bytes = fs::read(folder().join("data/release.key")).expect("its key");
    TokenKey::new(bytes.try_into().expect("32 bytes"))
}

/// The bytes of a mail that it holds.
pub(crate) fn mail(digest: &str) -> Vec<u8> {
    fs::read(folder().join("data/blobs").join(&digest[..2]).join(&digest[2..])).expect("a held mail")
}

async fn execute(connection: &mut AnyConnection, text: String) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.expect("the fixture is sound");
}

/// Its rows, into its empty tables.
pub(crate) async fn fill(connection: &mut AnyConnection) {
    execute(connection, text("rows.sql")).await;
}

/// Its data folder.
pub(crate) async fn lay(to: &Path) {
    copy(&folder().join("data"), to);
    let mut connection = open(to).await;
    execute(&mut connection, text("schema.sql")).await;
    fill(&mut connection).await;
    connection.close().await.expect("is closed");
}

/// Its database in a data folder.
pub(crate) async fn open(folder: &Path) -> AnyConnection {
    let url = store::database::sqlite_url(&folder.join("reprieve.db"));
    store::database::connect(&url).await.expect("opens")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder of the fixture") {
        let (path, target) = (entry.as_ref().expect("an entry").path(), to.join(entry.expect("an entry").file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(path, &target).expect("is copied");
            // A checkout knows no such mode.
            fs::set_permissions(target, fs::Permissions::from_mode(0o600)).expect("is the owner's alone");
        }
    }
}
