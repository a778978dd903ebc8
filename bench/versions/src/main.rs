//! Two builds of Reprieve beside one another: delivering, scanning and recovering, in turn in one run, with the 95 %
//! interval of each change. For a change that must not cost anything, or whose price is to be known.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-versions -- [WHAT] PROGRAM DETECTIONS [PROGRAM
//! DETECTIONS]` as root, with postfix installed: `delivering`, `scanning` or `recovering` alone, or all three; the
//! program before and the folder of the detections that were shipped with it, and the same of the program after (a
//! release build of this checkout where they are not given).

mod change;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rig::delivery::deliver;
use rig::load::{Load, send};
use rig::mails::{self, Mail};
use rig::mistake;
use rig::reprieve::{Built, Reprieve};
use rig::sink::Sink;
use rig::{cost, disk, scanning};

use change::Change;

/// Runs of each build.
const RUNS: usize = 10;
const CONNECTIONS: usize = 20;
/// Mails sent before anything is measured.
const WARM: usize = 500;
/// Mails of one run, so that a run takes a second or more.
const DELIVERED: usize = 4000;
/// Mails of one run, over one connection.
const ALONE: usize = 400;
/// Mails that are held and released in one run.
const RECOVERED: usize = 2000;
/// How long a recovery may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is measured, by its word.
const PARTS: [(&str, fn(&[Built; 2], &Path) -> Result<()>); 3] =
    [("delivering", delivering), ("scanning", scanning), ("recovering", recovering)];

fn main() -> Result<()> {
    let given: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let wanted = given.first().and_then(|word| PARTS.iter().find(|(name, _)| word.as_os_str() == *name));
    let builds = match &given[usize::from(wanted.is_some())..] {
        [program, detections] => [Built::of(program, detections)?, rig::reprieve::build()?],
        [program, detections, after, shipped] => [Built::of(program, detections)?, Built::of(after, shipped)?],
        _ => bail!(
            "perhaps delivering, scanning or recovering; PROGRAM DETECTIONS of the build before; perhaps PROGRAM \
             DETECTIONS of the build after"
        ),
    };
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    std::process::Command::new("chmod").arg("755").arg(folder.path()).status()?;
    println!("fdatasync {:.2} ms; {RUNS} runs of each build in turn\n", disk::fdatasync_ms(folder.path())?);
    println!("| what | before | after | change | 95 % interval |\n|---|--:|--:|--:|---|");
    let parts = PARTS.iter().filter(|(name, _)| wanted.is_none_or(|(wanted, _)| wanted == name));
    parts.map(|(_, measure)| measure(&builds, folder.path())).collect()
}

/// Runs both builds in turn, the first one first every other time; the figures of each run, of `N` kinds.
fn in_turn<const N: usize>(mut run: impl FnMut(usize, usize) -> Result<[f64; N]>) -> Result<[Change; N]> {
    let mut changes = [const { Change::new() }; N];
    for number in 0..RUNS {
        let first = number % 2;
        let one = run(first, number)?;
        let other = run(1 - first, number)?;
        let (before, after) = if first == 0 { (one, other) } else { (other, one) };
        for (kind, change) in changes.iter_mut().enumerate() {
            change.add(before[kind], after[kind]);
        }
    }
    Ok(changes)
}

/// Mail through both gateways, which run all the time.
fn delivering(builds: &[Built; 2], folder: &Path) -> Result<()> {
    let sink = Sink::start(folder)?;
    let start =
        |number: usize| Reprieve::start(&builds[number], &folder.join(format!("delivering-{number}")), sink.address);
    let gateways = [start(0)?, start(1)?];
    for mail in [mails::text("5 kB text", 4_600), mails::signature_reply("signature reply")] {
        for gateway in &gateways {
            deliver(gateway.address, &mail, &sink, WARM, CONNECTIONS)?;
        }
        let [rate, cpu, alone] = in_turn(|build, _| {
            let gateway = &gateways[build];
            let cpu = cost::cpu_seconds(&[gateway.pid()]);
            let (_, wall) = deliver(gateway.address, &mail, &sink, DELIVERED, CONNECTIONS)?;
            let cpu = cost::cpu_seconds(&[gateway.pid()]) - cpu;
            let (alone, _) = deliver(gateway.address, &mail, &sink, ALONE, 1)?;
            Ok([DELIVERED as f64 / wall, cpu / DELIVERED as f64 * 1e3, alone.median_ms()])
        })?;
        rate.row(&format!("delivers {}, mails a second", mail.name));
        cpu.row(&format!("delivers {}, CPU s for 1,000", mail.name));
        alone.row(&format!("delivers {}, ms a mail at one connection", mail.name));
    }
    Ok(())
}

/// `reprieve scan` of both.
fn scanning(builds: &[Built; 2], folder: &Path) -> Result<()> {
    let rules = [folder.join("rules-0"), folder.join("rules-1")];
    builds.iter().zip(&rules).try_for_each(|(build, rules)| build.rules(rules))?;
    for (mail, count) in [
        (mails::text("5 kB text", 4_600), 12_000),
        (mails::text("50 kB text", 49_000), 5000),
        (mails::signature_reply("signature reply"), 6000),
        (mails::photo_forward("forward with photos"), 800),
    ] {
        // Its CPU is not told: the examining processes are left to the system at the end, and not counted as ours.
        let [rate] = in_turn(|build, run| {
            let scanned = scanning::scan(&builds[build], &rules[build], &mail, count, run, folder)?;
            Ok([count as f64 / scanned.seconds])
        })?;
        rate.row(&format!("scans {}, mails a second", mail.name));
    }
    Ok(())
}

/// Mails that a wrong detection held, each run on a gateway of its own.
fn recovering(builds: &[Built; 2], folder: &Path) -> Result<()> {
    let mail = mails::signature_reply("signature reply");
    let [held, released, cpu] = in_turn(|build, run| {
        let folder = folder.join(format!("recovering-{build}-{run}"));
        std::fs::create_dir_all(&folder)?;
        recover(&builds[build], &folder, &mail)
    })?;
    held.row("holds signature replies, mails a second");
    released.row("releases them after the correction, mails a second");
    cpu.row("releases them after the correction, CPU s for 1,000");
    Ok(())
}

fn recover(build: &Built, folder: &Path, mail: &Mail) -> Result<[f64; 3]> {
    let sink = Sink::start(folder)?;
    let gateway = Reprieve::start(build, &folder.join("reprieve"), sink.address)?;
    mistake::begin(&gateway, mail)?;
    let sent = send(&Load { to: gateway.address, connections: CONNECTIONS, count: RECOVERED - 1, mail: mail.clone() })?;
    mistake::open_incident(&gateway, RECOVERED)?;
    let (before, cpu, began) = (sink.taken(), cost::cpu_seconds(&[gateway.pid()]), Instant::now());
    mistake::correct(&gateway)?;
    while sink.taken() < before + RECOVERED {
        ensure!(began.elapsed() < PATIENCE, "only {} of {RECOVERED} are out", sink.taken() - before);
        std::thread::sleep(Duration::from_millis(5));
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cost::cpu_seconds(&[gateway.pid()]) - cpu);
    let count = RECOVERED as f64;
    Ok([(count - 1.0) / sent.wall.as_secs_f64(), count / seconds, cpu / count * 1e3])
}
