//! Searches for bytes for which a parser does not hold what it promises: every fuzz target for some time, two at a
//! time.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Targets that run at the same time.
const AT_ONCE: usize = 2;

/// Runs every target for `seconds`; what it finds is added to its seeds.
pub(crate) fn run(seconds: &str) -> Result<()> {
    let seconds: u64 = seconds.parse().context("how many seconds for each target?")?;
    let targets = targets()?;
    let built = Command::new("cargo").args(["+nightly", "fuzz", "build", "-O", "-s", "none"]).status()?;
    ensure!(
        built.success(),
        "the targets do not build: `cargo install cargo-fuzz`, `rustup toolchain install nightly`"
    );
    let mut found = Vec::new();
    for together in targets.chunks(AT_ONCE) {
        let running: Vec<(String, Child)> =
            together.iter().map(|target| Ok((target.clone(), start(target, seconds)?))).collect::<Result<_>>()?;
        for (target, mut child) in running {
            let status = child.wait()?;
            println!("{target}: {}", if status.success() { "nothing found" } else { "FOUND SOMETHING" });
            if !status.success() {
                found.push(target);
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("look into fuzz/artifacts: {}; put what is there into fuzz/seeds/TARGET once it is mended", found.join(", "))
}

fn targets() -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir("fuzz/fuzz_targets").context("run this in the repository's root")? {
        let path = entry?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

/// What the fuzzer learns goes into a corpus that is not kept; the seeds only begin it.
fn start(target: &str, seconds: u64) -> Result<Child> {
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    std::fs::create_dir_all(&corpus)?;
    ensure!(Path::new(&seeds).is_dir(), "{seeds} is not there");
    let time = format!("-max_total_time={seconds}");
    let log = std::fs::File::create(format!("fuzz/corpus/{target}.log"))?;
    let mut command = Command::new("cargo");
    command.args([
        "+nightly",
        "fuzz",
        "run",
        "-s",
        "none",
        target,
        &corpus,
        &seeds,
        "--",
        &time,
        "-max_len=16384",
        "-timeout=20",
    ]);
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?)
}
