//! Recovery at scale: mails that a wrong detection held, through dry run, replay with re-examination and release over
//! SMTP, with everything durable, while live mail goes on.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-recovery [MAILS]` (100,000 without) as root, with
//! postfix installed (its `smtp-sink` is the mailbox server). The peer is the hosted service's own account of its
//! incident of 26 August 2024: 99 % in about 2 h 45 min.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rig::cost;
use rig::disk;
use rig::load::{Load, send};
use rig::mails;
use rig::mistake;
use rig::reprieve::Reprieve;
use rig::sink::Sink;

/// What the hosted service took for 99 %, in seconds.
const HOSTED: f64 = 2.75 * 3600.0;
/// Mails of a burst of live mail, and the pause behind it.
const BURST: usize = 5;
const PAUSE: Duration = Duration::from_millis(250);

fn main() -> Result<()> {
    let count: usize =
        std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse()).context("the number of mails")?;
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    std::process::Command::new("chmod").arg("755").arg(folder.path()).status()?;
    let sink = Sink::start(folder.path())?;
    let ours = Reprieve::start(&built, &folder.path().join("reprieve"), sink.address)?;
    let mail = mails::signature_reply("signature reply");
    mistake::begin(&ours, &mail)?;
    let text = mails::text("text", 2000);
    println!(
        "{count} mails of {:.1} kB with pictures; fdatasync {:.2} ms",
        mail.bytes.len() as f64 / 1e3,
        disk::fdatasync_ms(folder.path())?
    );
    let held = send(&Load { to: ours.address, connections: 40, count: count - 1, mail })?;
    println!(
        "held                 {:>8.1} s  {:>8.0} a second",
        held.wall.as_secs_f64(),
        count as f64 / held.wall.as_secs_f64()
    );
    let alone = live(&ours, &text, &AtomicBool::new(false), Duration::from_secs(10))?;
    let began = Instant::now();
    let id = mistake::open_incident(&ours, count)?;
    println!("counted in           {:>8.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let dry = ours.verb(&["incident", "replay", &id, "--reason", "x", "--what-if", "--json"])?;
    println!("dry run              {:>8.2} s  {}", began.elapsed().as_secs_f64(), dry.trim());
    recover(&ours, &sink, &text, count, alone)?;
    println!("{}", ours.verb(&["ledger", "check"])?.trim_end());
    Ok(())
}

/// From the correction on: until all of it is out.
fn recover(ours: &Reprieve, sink: &Sink, text: &mails::Mail, count: usize, alone: Duration) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let cpu = cost::cpu_seconds(&[ours.pid()]);
    let (before, began) = (sink.taken(), Instant::now());
    mistake::correct(ours)?;
    let (mut most, mut most_of, mut peak) = (None, None, 0.0_f64);
    let beside = std::thread::scope(|scope| -> Result<Duration> {
        let live = scope.spawn(|| live(ours, text, &stop, Duration::from_secs(3600)));
        while most_of.is_none() {
            std::thread::sleep(Duration::from_millis(100));
            peak = peak.max(cost::resident_mb(ours.pid()));
            let out = sink.taken().saturating_sub(before + LIVE.load(Ordering::Relaxed));
            if most.is_none() && out * 100 >= count * 99 {
                most = Some(began.elapsed());
            }
            if out >= count {
                most_of = Some(began.elapsed());
            }
            ensure!(began.elapsed() < Duration::from_secs(1800), "only {out} of {count} are out");
        }
        stop.store(true, Ordering::Relaxed);
        live.join().expect("it does not panic")
    })?;
    let seconds = |span: Option<Duration>| span.map_or(f64::NAN, |span| span.as_secs_f64());
    println!("99 % released        {:>8.1} s  {:>8.0} a second", seconds(most), count as f64 * 0.99 / seconds(most));
    println!("all released         {:>8.1} s", seconds(most_of));
    println!(
        "CPU                  {:>8.1} s  {:>8.2} ms a mail",
        cost::cpu_seconds(&[ours.pid()]) - cpu,
        (cost::cpu_seconds(&[ours.pid()]) - cpu) * 1e3 / count as f64
    );
    println!("resident at most     {peak:>8.0} MB");
    println!(
        "live mail, p99       {:>8.1} ms beside it, {:.1} ms alone: {:.1}x",
        beside.as_secs_f64() * 1e3,
        alone.as_secs_f64() * 1e3,
        beside.as_secs_f64() / alone.as_secs_f64()
    );
    println!("Reprieve against the hosted service, for 99 %: {:.0}x as quick", HOSTED / seconds(most));
    Ok(())
}

/// Live mails that have been delivered beside the recovery.
static LIVE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Live mail in small bursts until `stop`, or for a time; the 99th percentile of its latency.
fn live(ours: &Reprieve, text: &mails::Mail, stop: &AtomicBool, most: Duration) -> Result<Duration> {
    let began = Instant::now();
    let mut latencies = Vec::new();
    while !stop.load(Ordering::Relaxed) && began.elapsed() < most {
        let sent = send(&Load { to: ours.address, connections: 1, count: BURST, mail: text.clone() })?;
        LIVE.fetch_add(BURST, Ordering::Relaxed);
        latencies.extend(sent.latencies);
        std::thread::sleep(PAUSE);
    }
    latencies.sort();
    LIVE.store(if stop.load(Ordering::Relaxed) { LIVE.load(Ordering::Relaxed) } else { 0 }, Ordering::Relaxed);
    latencies.get(latencies.len() * 99 / 100).copied().context("no live mail was sent")
}
