//! One act over everything that a query fits: a hundred thousand held mails, released by one job, while live mail goes
//! on, pages are looked at, and the program is killed half way.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-bulk [MAILS]` (100,000 without) as root, with postfix
//! installed (its `smtp-sink` is the mailbox server). The peer is Exchange Online's own limit: a hundred at a time by
//! hand, and 200,000 by a job that shows no result for each.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rig::cost;
use rig::load::{Load, send};
use rig::mails;
use rig::reprieve::Reprieve;
use rig::sink::Sink;

/// Mails of a burst of live mail, and the pause behind it.
const BURST: usize = 5;
const PAUSE: Duration = Duration::from_millis(250);
/// Between two looks at the pages.
const LOOK: Duration = Duration::from_millis(200);
/// What a person looks at meanwhile, as the pages ask for it.
const LOOKS: [&str; 4] = [
    "/api/v1/explore?q=state%3Aheld",
    "/api/v1/explore/summary?q=state%3Areleasing",
    "/api/v1/explore/summary",
    "/api/v1/bulk/1",
];
/// Live mails that have been delivered beside it.
static LIVE: AtomicUsize = AtomicUsize::new(0);

fn main() -> Result<()> {
    let count: usize =
        std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse()).context("the number of mails")?;
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    std::process::Command::new("chmod").arg("755").arg(folder.path()).status()?;
    let sink = Sink::start(folder.path())?;
    let mut ours = Reprieve::start(&built, &folder.path().join("reprieve"), sink.address)?;
    let wrong = "rule every_picture { strings: $a = { 89 50 4E 47 } $b = { FF D8 FF } condition: $a at 0 or $b at 0 }";
    fs::write(ours.folder.join("wrong.yar"), wrong)?;
    ours.verb(&["ruleset", "publish", "wrong.yar", "--force", "--reason", "benchmark", "--wait"])?;
    let mail = mails::signature_reply("signature reply");
    while !ours.verb(&["quarantine", "list", "--json"])?.contains("every_picture") {
        send(&Load { to: ours.address, connections: 1, count: 1, mail: mail.clone() })?;
        std::thread::sleep(Duration::from_millis(200));
    }
    let held = send(&Load { to: ours.address, connections: 40, count: count - 1, mail })?;
    println!("held                 {:>8.1} s  {count} mails", held.wall.as_secs_f64());
    let token = field(&ours.verb(&["token", "create", "--name", "bench", "--role", "admin", "--json"])?, "secret")?;
    let alone = live(&ours, &AtomicBool::new(false), Duration::from_secs(10))?;
    let would = "{\"q\":\"state:held\",\"verb\":\"release\",\"reason\":\"benchmark\",\"what_if\":true}";
    let began = Instant::now();
    let dry = ask(&ours, &token, "POST", "/api/v1/bulk", would)?;
    ensure!(dry.contains(&format!("\"units\":{count}")), "{dry}");
    println!("counted first        {:>8.2} s", began.elapsed().as_secs_f64());
    let taken = sink.taken();
    LIVE.store(0, Ordering::Relaxed);
    let began = Instant::now();
    ask(&ours, &token, "POST", "/api/v1/bulk", &would.replace("true", "false"))?;
    watch(&mut ours, &sink, &token, count, taken, began, alone)?;
    println!("job                  {}", ask(&ours, &token, "GET", "/api/v1/bulk/1", "")?);
    println!("{}", ours.verb(&["ledger", "check"])?.trim_end());
    Ok(())
}

/// Until all of it is out: the program is killed when half of it is.
fn watch(
    ours: &mut Reprieve,
    sink: &Sink,
    token: &str,
    count: usize,
    taken: usize,
    began: Instant,
    alone: Duration,
) -> Result<()> {
    let out = || sink.taken().saturating_sub(taken + LIVE.load(Ordering::Relaxed));
    let (first, before) = beside(ours, token, &|| out() * 2 >= count)?;
    println!("half is out          {:>8.1} s  {} kills -9", began.elapsed().as_secs_f64(), 1);
    ours.kill_and_start()?;
    let (second, after) = beside(ours, token, &|| out() >= count)?;
    println!("all is out           {:>8.1} s", began.elapsed().as_secs_f64());
    let mut looks = [first.looks, second.looks].concat();
    looks.sort();
    let of = |share: usize| looks[(looks.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!("a look at a page     {:>8.1} ms p50, {:.1} ms p95, {} looks", of(50), of(95), looks.len());
    println!("resident at most     {:>8.0} MB", first.peak.max(second.peak));
    let live = before.max(after);
    println!(
        "live mail, p99       {:>8.1} ms beside it, {:.1} ms alone",
        live.as_secs_f64() * 1e3,
        alone.as_secs_f64() * 1e3
    );
    println!(
        "taken by the sink    {:>8}   of {count}: more are repetitions of what was in doubt when it was killed",
        out()
    );
    Ok(())
}

/// What was seen beside the job.
struct Seen {
    looks: Vec<Duration>,
    peak: f64,
}

/// Looks at pages and sends live mail until `is_over`.
fn beside(ours: &Reprieve, token: &str, is_over: &dyn Fn() -> bool) -> Result<(Seen, Duration)> {
    let stop = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| -> Result<(Seen, Duration)> {
        let live = scope.spawn(|| live(ours, &stop, Duration::from_secs(3600)));
        let mut seen = Seen { looks: Vec::new(), peak: 0.0 };
        let began = Instant::now();
        let watched = (|| {
            while !is_over() {
                for path in LOOKS {
                    let asked = Instant::now();
                    ask(ours, token, "GET", path, "")?;
                    seen.looks.push(asked.elapsed());
                }
                seen.peak = seen.peak.max(cost::resident_mb(ours.pid()));
                std::thread::sleep(LOOK);
                ensure!(began.elapsed() < Duration::from_secs(1800), "it takes too long");
            }
            Ok(())
        })();
        stop.store(true, Ordering::Relaxed);
        let live = live.join().expect("it does not panic")?;
        watched.map(|()| (seen, live))
    })
}

/// Live mail in small bursts until `stop`, or for a time; the 99th percentile of its latency.
fn live(ours: &Reprieve, stop: &AtomicBool, most: Duration) -> Result<Duration> {
    let text = mails::text("text", 2000);
    let (began, mut latencies) = (Instant::now(), Vec::new());
    while !stop.load(Ordering::Relaxed) && began.elapsed() < most {
        let sent = send(&Load { to: ours.address, connections: 1, count: BURST, mail: text.clone() })?;
        LIVE.fetch_add(BURST, Ordering::Relaxed);
        latencies.extend(sent.latencies);
        std::thread::sleep(PAUSE);
    }
    latencies.sort();
    latencies.get(latencies.len() * 99 / 100).copied().context("no live mail was sent")
}

/// Asks the API over TCP, as a page's request is.
fn ask(ours: &Reprieve, token: &str, method: &str, path: &str, body: &str) -> Result<String> {
    let mut socket = TcpStream::connect(ours.api()?)?;
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: \
            application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
    Ok(body.to_owned())
}

fn field(json: &str, name: &str) -> Result<String> {
    let value = json.split(&format!("\"{name}\":\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.map(str::to_owned).with_context(|| format!("no {name} in {json}"))
}
