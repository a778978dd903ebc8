//! All suites of tests; those that fail run once more, without the others.
//!
//! Many tests drive real programs (Postfix, clamd, Chromium) and wait for them by the clock. On a machine that
//! somebody else loads at the same moment, one of several hundred may be late. A suite that fails twice is a fault; one
//! that passes then is named at the end, so that nobody mistakes it for steady.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::ci::FEATURES;

/// As many suites as may run again: more that fail at once are no matter of the clock.
const AGAIN_MAX: usize = 3;
/// How long the last lines may take that cargo has written before its end.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Runs all suites, and those that failed a second time. Returns the suites that passed at the second time only, as
/// cargo names them (`-p reprieve --test events`).
pub(crate) fn run(environment: &[(&str, &str)]) -> Result<Vec<String>> {
    let all = [&["test", "--profile", "ci", "--workspace", "--locked", "--no-fail-fast"][..], &FEATURES].concat();
    let (passed, said) = cargo_test(&all, environment)?;
    if passed {
        return Ok(Vec::new());
    }
    let failed = named(&said);
    ensure!(!failed.is_empty(), "`cargo {}` failed before a test ran", all.join(" "));
    ensure!(failed.len() <= AGAIN_MAX, "{} suites of tests failed: {}", failed.len(), failed.join(", "));
    for suite in &failed {
        println!("== again: {suite}");
        // All suites of that name, in whichever package: cargo would build one package with other features, and the
        // program anew with it.
        let target = suite.split_whitespace().skip(2);
        let words: Vec<&str> =
            ["test", "--profile", "ci", "--workspace", "--locked"].into_iter().chain(FEATURES).chain(target).collect();
        ensure!(cargo_test(&words, environment)?.0, "the tests `{suite}` failed, and again without the others");
    }
    Ok(failed)
}

/// Whether it passed, and the lines of its error output that may name suites that failed. All of it is printed as well.
fn cargo_test(words: &[&str], environment: &[(&str, &str)]) -> Result<(bool, Vec<String>)> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let mut child =
        Command::new(program).args(words).envs(environment.iter().copied()).stderr(Stdio::piped()).spawn()?;
    let output = BufReader::new(child.stderr.take().context("the error output is piped")?);
    let (said, lines) = mpsc::channel();
    std::thread::spawn(move || print_lines(output, &said));
    let passed = child.wait()?.success();
    // What a failed test has left running may hold the pipe open: nobody waits for that.
    let said = std::iter::from_fn(|| lines.recv_timeout(LAST_LINES).ok()).collect();
    Ok((passed, said))
}

/// Prints lines, and sends those that may name a suite.
fn print_lines(output: impl BufRead, said: &mpsc::Sender<String>) {
    for line in output.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        eprintln!("{line}");
        // Nobody listens any more once cargo has ended.
        if line.trim_start().starts_with('`') && said.send(line).is_err() {
            return;
        }
    }
}

/// The suites of cargo's closing list: lines such as ``    `-p reprieve --test events` ``.
fn named(lines: &[String]) -> Vec<String> {
    let name = |line: &String| Some(line.trim().strip_prefix('`')?.strip_suffix('`')?.to_owned());
    lines.iter().filter_map(name).filter(|name| name.starts_with("-p ")).collect()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn suites_of_cargos_closing_list_are_named() {
        let lines = ["    `-p reprieve --test events`", "    `-p store --lib`", "`cargo test` failed", "`x`"];
        assert_eq!(named(&lines.map(str::to_owned)), ["-p reprieve --test events", "-p store --lib"]);
    }
}
