//! Delivering: Reprieve beside `smtp-sink` alone, Debian's Postfix as a plain relay, and Postfix with the rspamd
//! milter, in one run.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-gateway` as root, with postfix and rspamd installed.
//! Ratios carry over to other machines, absolute figures do not. A mail counts when the sink has it.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use rig::cost::{self, Watch};
use rig::delivery::deliver;
use rig::mails::{self, Mail};
use rig::postfix::Postfix;
use rig::reprieve::Reprieve;
use rig::rspamd::Rspamd;
use rig::sink::Sink;
use rig::{disk, median};

const CONNECTIONS: usize = 20;
const RUNS: usize = 3;
/// Mails sent before anything is measured.
const WARM: usize = 200;

/// A system under test, running.
struct System {
    name: &'static str,
    address: SocketAddr,
    roots: Vec<u32>,
    /// Mails of one run, so that a run takes some seconds.
    count: usize,
}

/// What a system did with a mail.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    cpu_per_1000: f64,
    memory_mb: f64,
    latency_ms: f64,
}

fn main() -> Result<()> {
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    std::process::Command::new("chmod").arg("755").arg(folder.path()).status()?;
    let at = |name: &str| folder.path().join(name);
    let sink = Sink::start(folder.path())?;
    let relay = Postfix::start(&at("relay"), sink.address, "")?;
    let rspamd = Rspamd::start(&at("rspamd"))?;
    let milter =
        format!("smtpd_milters = inet:{}\nmilter_default_action = tempfail\nmilter_protocol = 6", rspamd.milter);
    let filtered = Postfix::start(&at("filtered"), sink.address, &milter)?;
    let reprieve = Reprieve::start(&built, &at("reprieve"), sink.address)?;
    let systems = [
        System { name: "smtp-sink alone", address: sink.address, roots: vec![sink.pid()], count: 6000 },
        System { name: "Postfix relay", address: relay.address, roots: vec![relay.pid()?], count: 1500 },
        System {
            name: "Postfix + rspamd milter",
            address: filtered.address,
            roots: vec![filtered.pid()?, rspamd.pid()],
            count: 600,
        },
        System { name: "Reprieve", address: reprieve.address, roots: vec![reprieve.pid()], count: 4000 },
    ];
    let mails =
        [mails::text("5 kB text", 4_600), mails::text("50 kB text", 49_000), mails::signature_reply("signature reply")];
    // A part of a mail's name as argument measures that mail alone.
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for mail in mails.iter().filter(|mail| mail.name.contains(&wanted)) {
        measure(mail, &systems, &sink, folder.path())?;
    }
    println!("\nReprieve's own memory at its peak: {:.0} MB resident", cost::resident_mb(reprieve.pid()));
    println!("{}", reprieve.verb(&["ledger", "check"])?.trim_end());
    Ok(())
}

/// All systems with one mail, in turn, [`RUNS`] times; prints medians and ratios.
fn measure(mail: &Mail, systems: &[System], sink: &Sink, folder: &Path) -> Result<()> {
    let fdatasync = disk::fdatasync_ms(folder)?;
    println!(
        "\n{} ({:.1} kB), {CONNECTIONS} connections; fdatasync {fdatasync:.2} ms",
        mail.name,
        mail.bytes.len() as f64 / 1e3
    );
    println!(
        "{:<26} {:>9} {:>16} {:>12} {:>22}",
        "", "mails/s", "CPU s per 1,000", "memory MB", "ms a mail, 1 connection"
    );
    let mut all = vec![Vec::new(); systems.len()];
    for system in systems {
        deliver(system.address, mail, sink, WARM, CONNECTIONS)?;
    }
    for _ in 0..RUNS {
        for (system, runs) in systems.iter().zip(&mut all) {
            runs.push(figures(system, mail, sink)?);
        }
    }
    let medians: Vec<Figures> = all.iter().map(|runs| middle(runs)).collect();
    for (system, figures) in systems.iter().zip(&medians) {
        let Figures { rate, cpu_per_1000, memory_mb, latency_ms } = figures;
        println!("{:<26} {rate:>9.0} {cpu_per_1000:>16.2} {memory_mb:>12.0} {latency_ms:>22.2}", system.name);
    }
    let [direct, relay, filtered, ours] = medians[..] else { unreachable!("four systems") };
    println!(
        "Reprieve against Postfix relay: {:.2}x; against Postfix + rspamd milter: {:.2}x",
        ours.rate / relay.rate,
        ours.rate / filtered.rate
    );
    let (added, goal) = (ours.latency_ms - direct.latency_ms, 1.5 + 1.5 * fdatasync);
    println!("added latency at one connection: {added:.2} ms (goal {goal:.2} ms)");
    Ok(())
}

fn figures(system: &System, mail: &Mail, sink: &Sink) -> Result<Figures> {
    let cpu = cost::cpu_seconds(&system.roots);
    let watch = Watch::start(system.roots.clone());
    let (_, wall) = deliver(system.address, mail, sink, system.count, CONNECTIONS)?;
    let memory_mb = watch.peak();
    let cpu_per_1000 = (cost::cpu_seconds(&system.roots) - cpu) / system.count as f64 * 1e3;
    let (alone, _) = deliver(system.address, mail, sink, 200, 1)?;
    Ok(Figures { rate: system.count as f64 / wall, cpu_per_1000, memory_mb, latency_ms: alone.median_ms() })
}

fn middle(runs: &[Figures]) -> Figures {
    let of = |value: fn(&Figures) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
    Figures {
        rate: of(|figures| figures.rate),
        cpu_per_1000: of(|figures| figures.cpu_per_1000),
        memory_mb: of(|figures| figures.memory_mb),
        latency_ms: of(|figures| figures.latency_ms),
    }
}
