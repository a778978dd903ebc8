//! Rows a second through one writer: 300-byte rows, two indexes, WAL, `synchronous = full`, 100 rows a commit.

use std::time::Instant;

const ROWS: usize = 50_000;
const BATCH: usize = 100;
const DDL: &str =
    "create table journal (id integer primary key, mail text not null, at_us bigint not null, body text not null)";
const INDEXES: [&str; 2] =
    ["create unique index journal_mail on journal(mail)", "create index journal_at on journal(at_us)"];
const INSERT: &str = "insert into journal (mail, at_us, body) values ($1, $2, $3)";

fn row(n: usize) -> (String, i64, String) {
    (format!("mail-{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)), n as i64, "x".repeat(260))
}

fn rusqlite_rows_per_second() -> f64 {
    let folder = tempfile::tempdir().expect("folder");
    let mut db = rusqlite::Connection::open(folder.path().join("db")).expect("open");
    db.pragma_update(None, "journal_mode", "wal").expect("wal");
    db.pragma_update(None, "synchronous", "full").expect("full");
    db.execute(DDL, []).expect("ddl");
    INDEXES.iter().for_each(|sql| drop(db.execute(sql, []).expect("index")));
    let started = Instant::now();
    for batch in 0..ROWS / BATCH {
        let tx = db.transaction().expect("begin");
        {
            let mut insert = tx.prepare_cached(INSERT).expect("prepare");
            for n in 0..BATCH {
                insert.execute(row(batch * BATCH + n)).expect("insert");
            }
        }
        tx.commit().expect("commit");
    }
    ROWS as f64 / started.elapsed().as_secs_f64()
}

async fn sqlx_rows_per_second() -> f64 {
    sqlx::any::install_default_drivers();
    let folder = tempfile::tempdir().expect("folder");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("db").display());
    let mut db = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.expect("open");
    for sql in ["pragma journal_mode = wal", "pragma synchronous = full", DDL, INDEXES[0], INDEXES[1]] {
        sqlx::query(sql).execute(&mut db).await.expect("setup");
    }
    let started = Instant::now();
    for batch in 0..ROWS / BATCH {
        sqlx::query("begin immediate").execute(&mut db).await.expect("begin");
        for n in 0..BATCH {
            let (mail, at, body) = row(batch * BATCH + n);
            sqlx::query(INSERT).bind(mail).bind(at).bind(body).execute(&mut db).await.expect("insert");
        }
        sqlx::query("commit").execute(&mut db).await.expect("commit");
    }
    ROWS as f64 / started.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    println!("{:>4} {:>14} {:>14} {:>6}", "run", "rusqlite/s", "sqlx any/s", "ratio");
    for run in 1..=3 {
        let (a, b) = (rusqlite_rows_per_second(), sqlx_rows_per_second().await);
        println!("{run:>4} {a:>14.0} {b:>14.0} {:>6.2}", b / a);
    }
}
