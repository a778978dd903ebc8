//! Attacks on the shipped program and the probes of legitimate senders beside them, as one table. All of it is a part
//! of the tests; here the full number of probes is made, and what was measured is shown.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The tests, by what is attacked.
const ATTACKS: [(&str, &[&str]); 5] = [
    ("connections, connections to the next hop, memory, slow data", &["--test", "attack"]),
    ("HTTP: half requests, names to sign in with, slow readers", &["--test", "http"]),
    ("clocks that jump, bytes that flip", &["--test", "retention"]),
    ("a damaged database", &["--test", "damage"]),
    ("mail that nests or grows without end", &["-p", "detect", "--test", "nested"]),
];

/// Runs every attack, one after the other, and prints what each came to.
pub(crate) fn run() -> Result<()> {
    let mut failed = 0;
    for (what, words) in ATTACKS {
        println!("\n== {what}");
        if !attack(words)? {
            failed += 1;
            println!("   NOT withstood");
        }
    }
    ensure!(failed == 0, "{failed} kinds of attack were not withstood");
    Ok(())
}

/// Runs the tests of one kind and prints their measurements and ends; whether all held.
fn attack(words: &[&str]) -> Result<bool> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let begin = ["test", "--profile", "ci", "--workspace", "--locked", "--quiet"];
    let end = ["--", "--nocapture", "--test-threads", "1", "--format", "pretty"];
    // Measurements go to standard error, names and ends to standard output: one pipe keeps their order.
    let (reading, writing) = std::io::pipe()?;
    let mut child = Command::new(program)
        .args(begin)
        .args(words)
        .args(end)
        .env("REPRIEVE_ATTACK", "1")
        .stdout(writing.try_clone()?)
        .stderr(writing)
        .stdin(Stdio::null())
        .spawn()
        .context("cargo cannot be started")?;
    for line in BufReader::new(reading).lines() {
        let line = line?;
        let is_noise =
            line.trim().is_empty() || line.starts_with("running ") || line.trim_start().starts_with("Running ");
        if !is_noise {
            println!("   {line}");
        }
    }
    Ok(child.wait()?.success())
}
