//! What memory costs: clean mail through a gateway that remembers it and watches its detections, beside the same
//! gateway that does neither, in turn, in one run.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml -p bench-memory` as root, with postfix installed (its
//! `smtp-sink` is the mailbox server). Both have the whole pipeline on; the one without memory has `[known_good] on =
//! false`, so that nothing is learned and nobody is known.

use anyhow::Result;
use rig::cost;
use rig::load::{Load, send};
use rig::mails::{self, Mail};
use rig::median;
use rig::reprieve::Reprieve;
use rig::sink::Sink;

const CONNECTIONS: usize = 20;
const RUNS: usize = 5;
const COUNT: usize = 3000;
const WARM: usize = 300;

fn main() -> Result<()> {
    let built = rig::reprieve::build()?;
    let folder = tempfile::Builder::new().prefix("reprieve-bench").tempdir()?;
    std::process::Command::new("chmod").arg("755").arg(folder.path()).status()?;
    let sink = Sink::start(folder.path())?;
    let with = Reprieve::start(&built, &folder.path().join("with"), sink.address)?;
    let without =
        Reprieve::start_with(&built, &folder.path().join("without"), sink.address, "[known_good]\non = false\n")?;
    println!("{:<20} {:>14} {:>14} {:>8}", "", "with memory", "without", "ratio");
    for mail in [mails::text("5 kB text", 4_600), mails::signature_reply("signature reply")] {
        measure(&mail, &with, &without)?;
    }
    println!("{}", with.verb(&["memory", "status"])?.trim_end());
    Ok(())
}

fn measure(mail: &Mail, with: &Reprieve, without: &Reprieve) -> Result<()> {
    for gateway in [with, without] {
        send(&Load { to: gateway.address, connections: CONNECTIONS, count: WARM, mail: mail.clone() })?;
    }
    let (mut rates, mut costs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..RUNS {
        for (at, gateway) in [with, without].into_iter().enumerate() {
            let cpu = cost::cpu_seconds(&[gateway.pid()]);
            let sent = send(&Load { to: gateway.address, connections: CONNECTIONS, count: COUNT, mail: mail.clone() })?;
            // What is learned behind the mail is paid for as well.
            std::thread::sleep(std::time::Duration::from_secs(3));
            rates[at].push(COUNT as f64 / sent.wall.as_secs_f64());
            costs[at].push((cost::cpu_seconds(&[gateway.pid()]) - cpu) * 1e3 / COUNT as f64);
        }
    }
    let [rate, rate_without] = rates.map(|rates| median(&rates));
    let [cpu, cpu_without] = costs.map(|costs| median(&costs));
    println!("{:<20} {rate:>12.0}/s {rate_without:>12.0}/s {:>7.2}x", mail.name, rate / rate_without);
    println!("{:<20} {cpu:>9.2} ms CPU {cpu_without:>7.2} ms CPU {:>7.2}x", "", cpu / cpu_without);
    Ok(())
}
