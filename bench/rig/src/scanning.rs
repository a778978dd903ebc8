//! `reprieve scan` of many mails in two processes, without what their start takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::cost;
use crate::mails::{Mail, TOKEN};
use crate::reprieve::Built;

/// Processes at the same time.
const PROCESSES: usize = 2;

/// What many mails took.
#[derive(Clone, Copy, Debug)]
pub struct Scanned {
    /// Seconds by the clock.
    pub seconds: f64,
    /// CPU seconds.
    pub cpu: f64,
}

/// The mail with a number of its own, so that nobody answers from a cache.
pub fn numbered(mail: &Mail, run: usize, number: usize) -> Vec<u8> {
    let digits = format!("{:016}", run * 1_000_000 + number);
    let text = String::from_utf8_lossy(&mail.bytes).replace(TOKEN, &digits);
    text.into_bytes()
}

/// `reprieve scan` of a folder in each process: the time of `count` mails less that of one, which is what starting
/// takes. `rules` is a folder of detections, `folder` one to work in.
pub fn scan(built: &Built, rules: &Path, mail: &Mail, count: usize, run: usize, folder: &Path) -> Result<Scanned> {
    let mails = folder.join("mails");
    for number in 0..count {
        let half = mails.join((number % PROCESSES).to_string());
        fs::create_dir_all(&half)?;
        fs::write(half.join(format!("{number:06}.eml")), numbered(mail, run, number))?;
    }
    let halves: Vec<PathBuf> = (0..PROCESSES).map(|half| mails.join(half.to_string())).collect();
    let ones: Vec<PathBuf> = (0..PROCESSES).map(|half| halves[half].join(format!("{half:06}.eml"))).collect();
    let all = timed(built, rules, &halves)?;
    let start = timed(built, rules, &ones)?;
    fs::remove_dir_all(&mails)?;
    Ok(Scanned { seconds: all.seconds - start.seconds, cpu: all.cpu - start.cpu })
}

/// One process for each path.
fn timed(built: &Built, rules: &Path, paths: &[PathBuf]) -> Result<Scanned> {
    let own = std::process::id();
    let (began, cpu) = (Instant::now(), cost::cpu_seconds(&[own]));
    let start = |path: &PathBuf| {
        let mut command = Command::new(built.program());
        command.args(["scan", "--json", "--ruleset"]).arg(rules).arg(path);
        command.stdout(Stdio::null()).spawn()
    };
    let running = paths.iter().map(start).collect::<std::io::Result<Vec<_>>>()?;
    for mut child in running {
        ensure!(child.wait()?.success(), "reprieve scan failed");
    }
    Ok(Scanned { seconds: began.elapsed().as_secs_f64(), cpu: cost::cpu_seconds(&[own]) - cpu })
}
