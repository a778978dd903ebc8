//! Scanning alone: Reprieve's whole native pipeline beside rspamd over HTTP and clamd over INSTREAM, in one run.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-scan` as root, with rspamd and clamd installed. Ours
//! is `reprieve scan` in two processes of one thread each, start and compilation of its rules left out; rspamd has two
//! workers, clamd eight threads, and both are asked by four clients. Ratios carry over to other machines, absolute
//! figures do not.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rig::mails::{self, Mail};
use rig::reprieve::Built;
use rig::rspamd::Rspamd;
use rig::scanning::{Scanned, numbered, scan};
use rig::{amavis, cost, median};
use serde_json::Value;

const RUNS: usize = 3;
/// Clients of the others at the same time.
const CLIENTS: usize = 4;

/// What a scanner did with a mail.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    cpu_per_1000: f64,
}

fn main() -> Result<()> {
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    Command::new("chmod").arg("755").arg(folder.path()).status()?;
    built.rules(&folder.path().join("rules"))?;
    let rspamd = Rspamd::with_workers(&folder.path().join("rspamd"), 2)?;
    let clamd_folder = folder.path().join("clamd");
    fs::create_dir_all(&clamd_folder)?;
    let clamd = amavis::start_clamd(&clamd_folder)?;
    println!("| mail | scanner | mails/s | CPU s per 1,000 |\n|---|---|--:|--:|");
    for (mail, count) in [
        (mails::text("5 kB text", 4_600), 4000),
        (mails::text("50 kB text", 49_000), 2000),
        (mails::signature_reply("signature reply"), 2000),
        (mails::photo_forward("forward with photos"), 600),
    ] {
        let own = repeat(|run| ours(&built, &mail, count, run, folder.path()))?;
        let theirs = repeat(|run| {
            beside(&[rspamd.pid()], count.min(600), |number| http(rspamd.http, &numbered(&mail, run, number)))
        })?;
        let socket = clamd_folder.join("clamd.sock");
        let others = repeat(|run| {
            beside(&[clamd.pid()], count.min(600), |number| instream(&socket, &numbered(&mail, run, number)))
        })?;
        let name = format!("{}, {} kB", mail.name, mail.bytes.len() / 1000);
        for (who, figures) in
            [("**Reprieve**, two threads", own), ("rspamd, two workers", theirs), ("clamd, eight threads", others)]
        {
            println!("| {name} | {who} | {:.0} | {:.2} |", figures.rate, figures.cpu_per_1000);
        }
        println!(
            "| | ratio to rspamd / clamd | {:.1}x / {:.1}x | {:.1}x / {:.1}x less |",
            own.rate / theirs.rate,
            own.rate / others.rate,
            theirs.cpu_per_1000 / own.cpu_per_1000,
            others.cpu_per_1000 / own.cpu_per_1000
        );
    }
    println!("\n| mail | engine | ms for one mail |\n|---|---|--:|");
    for (mail, count) in [
        (mails::text("5 kB text", 4_600), 200),
        (mails::text("50 kB text", 49_000), 200),
        (mails::signature_reply("signature reply"), 200),
        (mails::photo_forward("forward with photos"), 100),
    ] {
        for (engine, millis) in engines(&built, &mail, count, folder.path())? {
            println!("| {} | {engine} | {millis:.3} |", mail.name);
        }
    }
    let rules = folder.path().join("rules");
    let costs = Command::new(built.program()).args(["ruleset", "lint", "--costs"]).arg(&rules).output()?;
    let costs = String::from_utf8_lossy(&costs.stdout).into_owned();
    println!(
        "\nWhat single detections add to the scan of one MiB, the dearest of {}:",
        costs.lines().count().saturating_sub(1)
    );
    costs.lines().take(12).for_each(|line| println!("  {line}"));
    Ok(())
}

/// What each engine takes for one mail, on the average of many.
fn engines(built: &Built, mail: &Mail, count: usize, folder: &Path) -> Result<Vec<(String, f64)>> {
    let mails = folder.join("engines");
    fs::create_dir_all(&mails)?;
    for number in 0..count {
        fs::write(mails.join(format!("{number:06}.eml")), numbered(mail, RUNS, number))?;
    }
    let output = Command::new(built.program())
        .args(["scan", "--json", "--ruleset"])
        .arg(folder.join("rules"))
        .arg(&mails)
        .output()?;
    ensure!(output.status.success(), "reprieve scan failed");
    fs::remove_dir_all(&mails)?;
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let value: Value = serde_json::from_str(line)?;
        for engine in value["engines"].as_array().into_iter().flatten() {
            let name = engine["engine"].as_str().unwrap_or_default().to_owned();
            *sums.entry(name).or_default() += engine["millis"].as_f64().unwrap_or_default();
        }
    }
    Ok(sums.into_iter().map(|(name, sum)| (name, sum / count as f64)).collect())
}

/// Medians of some runs.
fn repeat(mut run: impl FnMut(usize) -> Result<Figures>) -> Result<Figures> {
    let all = (0..RUNS).map(&mut run).collect::<Result<Vec<Figures>>>()?;
    let of = |value: fn(&Figures) -> f64| median(&all.iter().map(value).collect::<Vec<_>>());
    Ok(Figures { rate: of(|one| one.rate), cpu_per_1000: of(|one| one.cpu_per_1000) })
}

/// `reprieve scan` of many mails.
fn ours(built: &Built, mail: &Mail, count: usize, run: usize, folder: &Path) -> Result<Figures> {
    let Scanned { seconds, cpu } = scan(built, &folder.join("rules"), mail, count, run, folder)?;
    Ok(Figures { rate: count as f64 / seconds, cpu_per_1000: cpu * 1000.0 / count as f64 })
}

/// A server that some clients ask.
fn beside(roots: &[u32], count: usize, ask: impl Fn(usize) -> Result<()> + Sync) -> Result<Figures> {
    (0..CLIENTS).try_for_each(&ask)?;
    let next = AtomicUsize::new(CLIENTS);
    let (began, cpu) = (Instant::now(), cost::cpu_seconds(roots));
    std::thread::scope(|scope| {
        let client = || -> Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count + CLIENTS {
                    return Ok(());
                }
                ask(number)?;
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })?;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cost::cpu_seconds(roots) - cpu);
    Ok(Figures { rate: count as f64 / seconds, cpu_per_1000: cpu * 1000.0 / count as f64 })
}

fn http(address: SocketAddr, mail: &[u8]) -> Result<()> {
    let mut socket = TcpStream::connect(address)?;
    let head = format!("POST /checkv2 HTTP/1.0\r\nContent-Length: {}\r\n\r\n", mail.len());
    socket.write_all(&[head.as_bytes(), mail].concat())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    ensure!(answer.contains(" 200 "), "rspamd says {}", answer.lines().next().unwrap_or_default());
    Ok(())
}

fn instream(socket: &Path, mail: &[u8]) -> Result<()> {
    let mut socket = UnixStream::connect(socket).context("clamd")?;
    let length = u32::try_from(mail.len())?.to_be_bytes();
    socket.write_all(&[b"zINSTREAM\0", &length[..], mail, &[0; 4]].concat())?;
    socket.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    ensure!(answer.contains("OK"), "clamd says {answer}");
    Ok(())
}
