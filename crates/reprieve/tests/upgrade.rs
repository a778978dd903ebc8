//! An upgrade, by the program: the data folder that an earlier version left is started with, what it held is released
//! byte for byte, a death at any durable step of that start is made good, and the backup from before is the way back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../../store/tests/earlier/mod.rs"]
mod earlier;
mod support;

use std::process::Command;

use sqlx::{Connection, Row};
use support::{Gateway, Sink, bad, config};

/// A gateway over the data folder of the earlier version, not running yet.
async fn left(sink: &Sink) -> Gateway {
    let gateway = Gateway::prepare(&format!("{}[release]\nin_doubt = \"ask\"\n", config(sink.address)));
    earlier::lay(&gateway.path("data")).await;
    gateway
}

async fn schema(gateway: &Gateway, folder: &str) -> i64 {
    let mut connection = earlier::open(&gateway.path(folder)).await;
    let sql = "select max(version) as version from schema_version";
    let version = sqlx::query(sql).fetch_one(&mut connection).await.unwrap().try_get("version").unwrap();
    connection.close().await.unwrap();
    version
}

/// Everything that the earlier version had is there.
fn is_all_there(gateway: &Gateway) {
    let ledger = gateway.ledger();
    for (account, units) in [("held", 4), ("released", 5), ("in_doubt", 1), ("failed", 1), ("denied", 1)] {
        assert_eq!(ledger["accounts"][account], units, "{account}: {ledger}");
    }
    let verified = gateway.json(&["audit", "verify"]);
    assert_eq!(verified["intact"], true, "{verified}");
}

#[tokio::test]
async fn what_an_earlier_version_held_is_released_byte_for_byte() {
    let sink = Sink::start();
    let mut gateway = left(&sink).await;
    gateway.run();
    assert!(gateway.log().contains("the database is of an earlier version"), "{}", gateway.log());
    is_all_there(&gateway);
    let people = gateway.json(&["person", "list"]);
    assert!(people.to_string().contains("anna"), "{people}");
    let incidents = gateway.json(&["incident", "list"]);
    assert_eq!(incidents.as_array().unwrap().len(), 2, "{incidents}");
    let shown = gateway.json(&["message", "show", earlier::KEPT_ID]);
    assert!(shown.to_string().contains("EIC-0001"), "{shown}");

    gateway.json(&["quarantine", "release", earlier::KEPT_ID, "--wait", "--reason", "after the upgrade"]);
    let got = sink.wait(1);
    assert_eq!(got[0].header("Subject").as_deref(), Some(earlier::KEPT));
    assert_eq!(got[0].without_ours(), earlier::mail(earlier::KEPT_BLOB), "the bytes are the bytes");
    let mut talk = support::Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("after")).contains("taken as"));
    assert_eq!((gateway.account("held"), gateway.account("released")), (4, 6));
}

#[tokio::test]
async fn the_way_back_is_the_backup_from_before() {
    let sink = Sink::start();
    let mut gateway = left(&sink).await;
    // As the earlier version backs it up: one file, and the bytes that it names.
    earlier::lay(&gateway.path("before")).await;
    let backed_up = std::fs::read(gateway.path("before/reprieve.db")).unwrap();
    gateway.run();
    gateway.stop();
    assert!(schema(&gateway, "data").await > earlier::SCHEMA as i64);

    let verified = gateway.cli(&["restore", "before", "--verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let restored = gateway.cli(&["restore", "before", "--to", "back"]);
    assert!(restored.status.success(), "{restored:?}");
    let files: Vec<String> = std::fs::read_dir(gateway.path("back"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".db"))
        .collect();
    assert_eq!(files, ["reprieve.db"]);
    assert_eq!(std::fs::read(gateway.path("back/reprieve.db")).unwrap(), backed_up, "the earlier version reads it");
    assert_eq!(schema(&gateway, "before").await, earlier::SCHEMA as i64, "a backup is only read");

    // And forward again, from what was restored.
    std::fs::rename(gateway.path("data"), gateway.path("upgraded")).unwrap();
    std::fs::rename(gateway.path("back"), gateway.path("data")).unwrap();
    gateway.run();
    is_all_there(&gateway);
}

#[tokio::test]
async fn a_program_that_is_older_than_the_database_says_so_and_leaves_it_alone() {
    let sink = Sink::start();
    let mut gateway = left(&sink).await;
    let mut connection = earlier::open(&gateway.path("data")).await;
    let later = "insert into schema_version (version, name, applied_us) values (9999, '9999_later', 1)";
    sqlx::query(later).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(gateway.path("data/reprieve.db")).unwrap();
    assert!(!gateway.try_run(), "it starts");
    let log = gateway.log();
    for told in ["newer version of Reprieve: its schema is 9999", "Nothing was changed", "reprieve restore BACKUP"] {
        assert!(log.replace('`', "").contains(told), "no '{told}' in {log}");
    }
    assert_eq!(std::fs::read(gateway.path("data/reprieve.db")).unwrap(), before);
    let restored = gateway.cli(&["restore", "data", "--verify"]);
    assert_eq!(restored.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&restored.stderr).contains("newer version"), "{restored:?}");
}

/// How often a start that upgrades makes something durable, up to the line that says that it is ready.
async fn syncs_of_an_upgrade(sink: &Sink) -> usize {
    let mut gateway = left(sink).await;
    gateway.wrap(&["strace", "-f", "-qq", "-o", "strace.log", "-e", "trace=fsync,fdatasync"]);
    gateway.run();
    let log = std::fs::read_to_string(gateway.path("strace.log")).unwrap();
    gateway.kill();
    log.lines().filter(|line| line.contains("sync(")).count()
}

#[tokio::test]
async fn an_upgrade_that_is_killed_goes_on_at_the_next_start() {
    if Command::new("strace").arg("--version").output().is_err() {
        assert!(std::env::var("CI").is_err(), "strace is missing");
        return;
    }
    let sink = Sink::start();
    let syncs = syncs_of_an_upgrade(&sink).await;
    let mut killed = 0;
    for at in (1..=syncs).step_by(syncs.div_ceil(8)) {
        let mut gateway = left(&sink).await;
        let inject = format!("inject=fsync,fdatasync:signal=KILL:when={at}");
        gateway.wrap(&["strace", "-f", "-qq", "-o", "strace.log", "-e", "trace=fsync,fdatasync", "-e", &inject]);
        killed += u32::from(!gateway.try_run());
        gateway.kill();
        gateway.wrap(&[]);
        gateway.run();
        is_all_there(&gateway);
    }
    assert!(killed > 0, "no start was killed: strace did not inject");
}
