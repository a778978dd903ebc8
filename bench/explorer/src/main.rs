//! How long somebody waits who looks for mail among millions: the explorer's own queries, beside the same conditions as
//! one plain statement of SQL, on the same SQLite file, while mail goes on being recorded.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-explorer -- [MESSAGES [FOLDER]]` (10,000,000 without;
//! a folder that has them is used again). Senders, recipients, detections and attachments are skewed as in real mail: a
//! few have most of it. Rows are made by SQLite itself, their indexes afterwards.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use domain::query::Query;
use domain::token::TokenKey;
use domain::{MailId, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use store::{Scope, Store};

const MESSAGES: u64 = 10_000_000;
/// When the newest message came, and for how many seconds before it the others are spread: 90 days.
const NEWEST: i64 = 1_795_000_000;
const SPAN: i64 = 90 * 86_400;
/// What the console gives a page.
const BUDGET: Duration = Duration::from_millis(120);
const ROWS: usize = 50;
const RUNS: u64 = 40;
/// Messages that are recorded in each tenth of a second, while queries run.
const BESIDE: u64 = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let count = std::env::args().nth(1).map_or(Ok(MESSAGES), |text| text.parse()).context("how many messages?")?;
    let temporary = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    let folder = std::env::args().nth(2).map_or_else(|| temporary.path().to_owned(), std::path::PathBuf::from);
    let now = Timestamp::from_micros(NEWEST * 1_000_000);
    // Its own migrations make the schema; the rows come by SQL.
    let open = async || Store::open_embedded(&folder, "bench", &TokenKey::new([7; 32]), now).await;
    let file = folder.join("reprieve.db");
    let is_new = !file.exists();
    open().await?.close().await;
    if is_new {
        fill(&file, count).await?;
    }
    let store = open().await?;
    println!("{count} messages over 90 days; {:.1} GB", std::fs::metadata(&file)?.len() as f64 / 1e9);
    sizes(&file).await?;
    let began = Instant::now();
    while store.explorer.sum_finished_hours(now).await? {}
    println!("  summed up by the hour in {:.0} s", began.elapsed().as_secs_f64());
    let writing = tokio::spawn(record(file.clone(), count));
    println!(
        "\n{:<46} {:>9} {:>9} {:>6} {:>12} {:>7}",
        "query, first page", "p50 ms", "p95 ms", "rows", "plain SQL ms", ""
    );
    for (name, template, plain) in QUERIES {
        page(&store, &file, name, template, plain, now, count).await?;
    }
    println!("\n{:<46} {:>9} {:>9} {:>12}", "sums, first answer", "p50 ms", "p95 ms", "units");
    for (name, template) in SUMS {
        sums(&store, name, template, now, count).await?;
    }
    writing.abort();
    Ok(())
}

/// Name, query with `{}` for a number that differs in each run, and the condition of the plain statement.
const QUERIES: [(&str, &str, &str); 14] = [
    ("everything", "", "1 = 1"),
    ("held", "state:held", "u.account = 'held'"),
    ("inbound malware", "direction:Inbound category:Malware", "u.direction = 'Inbound' and m.category = 'Malware'"),
    ("one sender", "sender:s{}@x{}.example", "lower(m.sender) = 's{}@x{}.example'"),
    ("one recipient", "recipient:r{}@ours.example", "lower(u.recipient) = 'r{}@ours.example'"),
    ("one Message-ID", "message_id:\"<m{}@x.example>\"", "m.message_id = '<m{}@x.example>'"),
    ("one hash", "sha256:{hash}", "u.mail_id in (select mail_id from part where sha256 = '{hash}')"),
    ("one address", "ip:10.1.{small}.7", "m.client_ip = '10.1.{small}.7'"),
    (
        "one detection",
        "detection:DET-{small}",
        "u.mail_id in (select mail_id from finding where detection = 'DET-{small}')",
    ),
    ("a day", "received:2026-09-{day}", "m.received_us / 86400000000 = {dayno}"),
    ("words that are often there", "subject:report", "lower(m.subject) like '%report%'"),
    ("words that are nowhere", "subject:\"nowhere {}\"", "lower(m.subject) like '%nowhere {}%'"),
    (
        "a file name by a pattern",
        "file:*{}.docm",
        "u.mail_id in (select mail_id from part where lower(name) like '%{}.docm')",
    ),
    (
        "held, of one sender, not released",
        "sender:s1@x1.example -state:released category:Malware",
        "lower(m.sender) = 's1@x1.example' and u.account <> 'released' and m.category = 'Malware'",
    ),
];

const SUMS: [(&str, &str); 8] = [
    ("the last day", "received:>=-24h"),
    ("the last 30 days", "received:>=-30d"),
    ("everything", ""),
    ("held", "state:held"),
    ("inbound phish that was not released", "direction:Inbound category:Phish -state:released"),
    ("a domain", "domain:ours.example"),
    ("words that are often there", "subject:report"),
    ("one sender", "sender:s{}@x{}.example"),
];

/// A number for a run: spread over the senders and recipients that exist.
fn number(run: u64, count: u64) -> u64 {
    run.wrapping_mul(2_654_435_761) % (count / 50).max(1)
}

fn filled(template: &str, run: u64, count: u64) -> String {
    let number = number(run, count);
    let day = 1 + run % 28;
    template
        .replace("x{}", &format!("x{}", number % 5000))
        .replace("{small}", &(run % 97).to_string())
        .replace("{hash}", &format!("{number:064x}"))
        .replace("{dayno}", &(20_696 + day as i64 - 1).to_string())
        .replace("{day}", &format!("{day:02}"))
        .replace("{}", &number.to_string())
}

async fn page(
    store: &Store,
    file: &Path,
    name: &str,
    template: &str,
    plain: &str,
    now: Timestamp,
    count: u64,
) -> Result<()> {
    let mut took = Vec::new();
    let mut rows = 0;
    let mut cut = 0;
    for run in 0..RUNS {
        let query = Query::parse(&filled(template, run, count), now)?;
        let began = Instant::now();
        let found = store.explorer.explore(&query, &Scope::All, None, ROWS, BUDGET).await?;
        took.push(began.elapsed());
        rows += found.rows.len();
        cut += usize::from(found.is_cut);
    }
    let reference = reference(file, plain, count).await?;
    let [p50, p95] = percentiles(&mut took);
    let note = if cut > 0 { format!("{cut} of {RUNS} cut short") } else { String::new() };
    println!("{name:<46} {p50:>9.1} {p95:>9.1} {:>6} {reference:>12} {note:>7}", rows / RUNS as usize);
    Ok(())
}

/// The same as one statement, given up after a while.
async fn reference(file: &Path, plain: &str, count: u64) -> Result<String> {
    let mut connection = connect(file).await?;
    let sql = format!(
        "select u.mail_id, u.unit_no, m.subject from unit u join message m on m.mail_id = u.mail_id where {} \
         order by u.mail_id desc, u.unit_no limit {ROWS}",
        filled(plain, 3, count)
    );
    let began = Instant::now();
    let query = sqlx::query(AssertSqlSafe(sql));
    let answer = tokio::time::timeout(Duration::from_secs(60), query.fetch_all(&mut connection)).await;
    Ok(match answer {
        Ok(rows) => {
            rows?;
            format!("{:.1}", began.elapsed().as_secs_f64() * 1e3)
        }
        Err(_) => "> 60,000".into(),
    })
}

async fn sums(store: &Store, name: &str, template: &str, now: Timestamp, count: u64) -> Result<()> {
    let mut took = Vec::new();
    let (mut units, mut is_whole) = (0, true);
    for run in 0..RUNS {
        let query = Query::parse(&filled(template, run, count), now)?;
        let began = Instant::now();
        let found = store.explorer.summarise(&query, &Scope::All, None, 3_600_000_000, BUDGET).await?;
        took.push(began.elapsed());
        units = found.units;
        is_whole &= found.next.is_none();
    }
    let [p50, p95] = percentiles(&mut took);
    let note = if is_whole { "all" } else { "so far" };
    println!("{name:<46} {p50:>9.1} {p95:>9.1} {units:>12} {note}");
    Ok(())
}

fn percentiles(took: &mut [Duration]) -> [f64; 2] {
    took.sort();
    [0.50, 0.95].map(|share| took[((took.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3)
}

async fn connect(file: &Path) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await?;
    run(&mut connection, "pragma busy_timeout = 10000").await?;
    Ok(connection)
}

async fn run(connection: &mut AnyConnection, sql: &str) -> Result<()> {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .with_context(|| sql.chars().take(200).collect::<String>())?;
    Ok(())
}

/// Makes the rows without indexes, then the indexes as the migrations have them.
async fn fill(file: &Path, count: u64) -> Result<()> {
    let mut connection = connect(file).await?;
    let began = Instant::now();
    let sql = "select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name in \
        ('message', 'unit', 'part', 'finding')";
    let mut indexes = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut connection).await? {
        indexes.push((row.try_get::<String, _>("name")?, row.try_get::<String, _>("sql")?));
    }
    for pragma in ["pragma synchronous = off", "pragma cache_size = -2000000", "pragma temp_store = memory"] {
        run(&mut connection, pragma).await?;
    }
    for (name, _) in &indexes {
        run(&mut connection, &format!("drop index {name}")).await?;
    }
    let step = (count / 20).max(1);
    for from in (0..count).step_by(step as usize) {
        rows(&mut connection, from, (from + step).min(count), count).await?;
    }
    let made = began.elapsed();
    for (_, sql) in &indexes {
        run(&mut connection, sql).await?;
    }
    run(&mut connection, "pragma wal_checkpoint(truncate)").await?;
    println!("rows {:.0} s, indexes {:.0} s", made.as_secs_f64(), (began.elapsed() - made).as_secs_f64());
    Ok(())
}

/// Messages `from` to `to`: the later, the newer.
async fn rows(connection: &mut AnyConnection, from: u64, to: u64, count: u64) -> Result<()> {
    // A number's hash in [0, 1) and its cube: a few values have most of the mail.
    let senders = (count / 50).max(1);
    let numbers = format!(
        "with recursive n(i) as (select {from} union all select i + 1 from n where i + 1 < {to}), \
         k as (select i, {NEWEST} * 1000 - ({count} - i) * {SPAN} * 1000 / {count} as ms, \
         ((i * 2654435761) % 4294967296) / 4294967296.0 as a, ((i * 40503 + 12345) % 1000003) / 1000003.0 as b from \
         n), \
         v as (select i, ms, printf('%08x-%04x-7%03x-8000-%012x', ms >> 16, ms & 65535, i & 4095, i) as id, \
         cast(a * a * a * {senders} as int) as s, cast(b * b * b * {senders} as int) as r, cast(a * 10000 as int) as \
         p, cast(b * 10000 as int) as q from k)"
    );
    let message = format!(
        "insert into message (mail_id, node, received_us, client_ip, client_peer, client_helo, client_protocol, \
            sender, mail_params_json, \
         message_id, subject, header_from, from_domain, authentication_results_json, received_count, size_bytes, \
         sha256, body_sha256, \
         url_domains_json, ambiguities_json, category, ruleset, policy, containment_epoch, engines_json, facts_json, \
         is_partial, is_normalised, \
         removed_fields_json, timings_json) {numbers} select id, 'n', ms * 1000, printf('10.1.%d.%d', p % 97, i % \
         250), '10.1.0.1', 'helo.example', 'ESMTP', \
         printf('s%d@x%d.example', s, s % 5000), '{{}}', printf('<m%d@x.example>', i), \
         printf('%s %d about %s', case p % 7 when 0 then 'Re: report' when 1 then 'Fwd: invoice' when 2 then 'minutes' \
         else 'Hello' end, p, case q % 5 when 0 then 'the order' else 'figures' end), \
         printf('Sender %d <s%d@x%d.example>', s, s, s % 5000), printf('x%d.example', s % 5000), '[]', 2, 2000 + p * \
         11, printf('%064x', i), printf('%064x', i), \
         printf('[\"x%d.example\"]', q % 3000), '[]', case when p < 50 then 'Malware' when p < 400 then 'Phish' when p \
         < 3000 then 'Spam' else 'Clean' end, \
         '0123456789abcdef', 'fedcba9876543210', 0, '[]', '{{}}', 0, 0, '[]', '{{}}' from v"
    );
    let unit = format!(
        "insert into unit (mail_id, unit_no, recipient, domain, direction, rcpt_params_json, disposition, is_enforced, \
            reasons_json, account, moved_us, reply) \
         {numbers} select id, 0, printf('r%d@ours.example', r), 'ours.example', case q % 10 when 0 then 'Outbound' \
         when 1 then 'Internal' else 'Inbound' end, '{{}}', \
         case when p < 400 then 'Hold' when p < 3000 then 'Junk' else 'Deliver' end, 1, '[]', \
         case when p < 380 then 'held' when p < 400 then 'released' else 'delivered' end, ms * 1000, '250 2.0.0 Ok' \
         from v"
    );
    let part = format!(
        "insert into part (mail_id, part_no, sha256, size_bytes, family, content_type, declared, name, tail_json) \
            {numbers} \
         select id, 0, printf('%064x', s), 4000, case q % 3 when 0 then 'image' else 'html' end, 'text/html', \
         'text/html', \
         case q % 3 when 0 then 'image001.png' when 1 then printf('file%d.docm', i) else '' end, '\"None\"' from v"
    );
    let finding = format!(
        "insert into finding (mail_id, finding_no, detection, detection_version, engine, category, effect, mode, \
            family, evidence) {numbers} \
         select id, 0, printf('DET-%d', p % 97), '0123456789ab', 'yara', 'Malware', 'Hold', 'Enforce', 'html', 'e' \
         from v where p < 3000"
    );
    run(connection, "begin").await?;
    for sql in [message, unit, part, finding] {
        run(connection, &sql).await?;
    }
    run(connection, "commit").await
}

/// Goes on recording, durably, until it is stopped.
async fn record(file: std::path::PathBuf, count: u64) -> Result<()> {
    let mut connection = connect(&file).await?;
    run(&mut connection, "pragma synchronous = full").await?;
    // A folder that is used again has some of them already.
    let row = sqlx::query("select count(*) as messages from message").fetch_one(&mut connection).await?;
    let mut next = u64::try_from(row.try_get::<i64, _>("messages")?)?;
    loop {
        rows(&mut connection, next, next + BESIDE, count).await?;
        next += BESIDE;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What tables and indexes take.
async fn sizes(file: &Path) -> Result<()> {
    let mut connection = connect(file).await?;
    let sql =
        "select name, sum(pgsize) as bytes from dbstat group by name having sum(pgsize) > 10000000 order by 2 desc";
    match sqlx::query(sql).fetch_all(&mut connection).await {
        Ok(rows) => {
            for row in rows {
                let bytes: i64 = row.try_get("bytes")?;
                println!("  {:<40} {:>8.0} MB", row.try_get::<String, _>("name")?, bytes as f64 / 1e6);
            }
        }
        Err(_) => println!("  (this SQLite does not say what each index takes)"),
    }
    // An id as the program makes it is read by it, or nothing here would be found.
    let row = sqlx::query("select mail_id from message limit 1").fetch_one(&mut connection).await?;
    row.try_get::<String, _>("mail_id")?.parse::<MailId>().context("an id")?;
    Ok(())
}
