//! A real PostgreSQL for a story that must mean the same on both databases.
//!
//! It is found by `REPRIEVE_TEST_POSTGRES` (a URL of a database that may be emptied); the test command sets it. Without
//! it the PostgreSQL half says so and fails under `CI`.
#![allow(clippy::print_stderr, reason = "says why it skipped")]

/// The URL of an emptied database; none where there is no PostgreSQL.
pub(crate) async fn postgres() -> Option<String> {
    let Ok(url) = std::env::var("REPRIEVE_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "REPRIEVE_TEST_POSTGRES is not set; the test command sets it");
        eprintln!("skipped: REPRIEVE_TEST_POSTGRES is not set; `cargo xtask ci` starts a PostgreSQL of its own");
        return None;
    };
    let mut admin = store::database::connect(&url).await.expect("connects");
    for statement in ["drop schema if exists public cascade", "create schema public"] {
        sqlx::query(statement).execute(&mut admin).await.expect("empties the database");
    }
    Some(url)
}
