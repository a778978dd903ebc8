//! Holding and releasing: Reprieve beside Debian's amavis (clamd, quarantine to files, release over AM.PDP), in one
//! run.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-quarantine` as root, with postfix, amavisd-new and
//! clamav-daemon installed. Every held mail of ours is fsynced and recorded, every release has its attempt and its
//! outcome committed; amavis syncs nothing and records no release. Ratios carry over to other machines, absolute
//! figures do not.

use std::time::Instant;

use anyhow::{Result, ensure};
use rig::amavis::Amavis;
use rig::cost;
use rig::load::{Load, send};
use rig::mails::{self, Mail};
use rig::reprieve::Reprieve;
use rig::sink::Sink;
use rig::{disk, median};

/// Mails of one run.
const COUNT: usize = 1000;
const RUNS: usize = 3;
/// amavis takes as many as it has workers; we release with our default of 16 connections.
const AMAVIS_CONNECTIONS: usize = 4;
const CONNECTIONS: usize = 20;

/// Holds and releases of one run, a second, and CPU seconds of a thousand of each.
#[derive(Clone, Copy)]
struct Figures {
    holds: f64,
    hold_cpu: f64,
    releases: f64,
    release_cpu: f64,
}

fn main() -> Result<()> {
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    std::process::Command::new("chmod").arg("755").arg(folder.path()).status()?;
    let sink = Sink::start(folder.path())?;
    let amavis = Amavis::start(folder.path(), sink.address)?;
    let ours = Reprieve::start(&built, &folder.path().join("reprieve"), sink.address)?;
    let mail = mails::eicar("EICAR attachment");
    println!(
        "{} ({:.1} kB), {COUNT} mails a run; fdatasync {:.2} ms",
        mail.name,
        mail.bytes.len() as f64 / 1e3,
        disk::fdatasync_ms(folder.path())?
    );
    println!("{:<12} {:>9} {:>16} {:>12} {:>16}", "", "holds/s", "CPU s per 1,000", "releases/s", "CPU s per 1,000");
    let (mut peer, mut own) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        peer.push(of_amavis(&amavis, &mail, &sink)?);
        own.push(of_reprieve(&ours, &mail, &sink)?);
    }
    let (peer, own) = (show("amavis", &peer), show("Reprieve", &own));
    println!(
        "Reprieve against amavis: holds {:.2}x, releases {:.2}x",
        own.holds / peer.holds,
        own.releases / peer.releases
    );
    println!("{}", ours.verb(&["ledger", "check"])?.trim_end());
    Ok(())
}

fn of_amavis(amavis: &Amavis, mail: &Mail, sink: &Sink) -> Result<Figures> {
    let known = amavis.quarantined()?;
    let cpu = cost::cpu_seconds(&amavis.pids());
    let to = amavis.address;
    let sent = send(&Load { to, connections: AMAVIS_CONNECTIONS, count: COUNT, mail: mail.clone() })?;
    let hold_cpu = cost::cpu_seconds(&amavis.pids()) - cpu;
    let held: Vec<String> = amavis.quarantined()?.into_iter().filter(|file| !known.contains(file)).collect();
    ensure!(held.len() == COUNT, "amavis holds {} of {COUNT} mails", held.len());
    let (before, cpu) = (sink.taken(), cost::cpu_seconds(&amavis.pids()));
    let wall = amavis.release(held, AMAVIS_CONNECTIONS)? + sink.wait_for(before + COUNT)?;
    Ok(Figures {
        holds: COUNT as f64 / sent.wall.as_secs_f64(),
        hold_cpu,
        releases: COUNT as f64 / wall.as_secs_f64(),
        release_cpu: cost::cpu_seconds(&amavis.pids()) - cpu,
    })
}

fn of_reprieve(ours: &Reprieve, mail: &Mail, sink: &Sink) -> Result<Figures> {
    let cpu = cost::cpu_seconds(&[ours.pid()]);
    let sent = send(&Load { to: ours.address, connections: CONNECTIONS, count: COUNT, mail: mail.clone() })?;
    let hold_cpu = cost::cpu_seconds(&[ours.pid()]) - cpu;
    let (before, cpu) = (sink.taken(), cost::cpu_seconds(&[ours.pid()]));
    let held = ours.verb(&["quarantine", "list", "--status", "NotReleased", "--limit", "1000", "--json"])?;
    let ids: Vec<&str> = held.split("\"mail_id\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ensure!(ids.len() == COUNT, "Reprieve holds {} of {COUNT} mails", ids.len());
    let began = Instant::now();
    ours.verb(&[&["quarantine", "release", "--reason", "benchmark"][..], &ids].concat())?;
    sink.wait_for(before + COUNT)?;
    let wall = began.elapsed();
    Ok(Figures {
        holds: COUNT as f64 / sent.wall.as_secs_f64(),
        hold_cpu,
        releases: COUNT as f64 / wall.as_secs_f64(),
        release_cpu: cost::cpu_seconds(&[ours.pid()]) - cpu,
    })
}

fn show(name: &str, runs: &[Figures]) -> Figures {
    let of = |value: fn(&Figures) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
    let figures = Figures {
        holds: of(|run| run.holds),
        hold_cpu: of(|run| run.hold_cpu),
        releases: of(|run| run.releases),
        release_cpu: of(|run| run.release_cpu),
    };
    let Figures { holds, hold_cpu, releases, release_cpu } = figures;
    println!("{name:<12} {holds:>9.0} {hold_cpu:>16.2} {releases:>12.0} {release_cpu:>16.2}");
    figures
}
