//! Seeds are played by the simulator: what must hold holds in each of them, a seed says the same twice, and an oracle
//! that something is hidden from finds it.

use std::process::{Command, Output};

/// The variable that names another number of seeds.
const SEEDS: &str = "REPRIEVE_SEEDS";
/// Seeds that are played without it.
const SEEDS_USUAL: &str = "200";

fn simulate(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulator")).args(words).output().expect("the simulator runs")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_must_hold_holds_in_every_order_of_events() {
    let seeds = std::env::var(SEEDS).unwrap_or(SEEDS_USUAL.to_owned());
    let output = simulate(&[&format!("0..{seeds}")]);
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_seed_says_the_same_twice() {
    let digests = || {
        let output = simulate(&["1000..1012", "--digests", "--alone"]);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    let first = digests();
    assert_eq!(first.lines().filter(|line| line.contains("seed ")).count(), 12, "{first}");
    assert_eq!(first, digests());
}

/// What the oracle says when something is wrong on purpose.
fn found(flag: &str) -> String {
    let output = simulate(&["0..6", flag, "--alone"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    text(&output)
}

#[test]
fn a_hop_that_takes_every_mail_twice_is_found() {
    let found = found("--hop-takes-twice");
    assert!(found.contains("was delivered to") && found.contains("2 times"), "{found}");
}

#[test]
fn a_client_that_forgets_its_mail_is_found() {
    let found = found("--client-forgets");
    assert!(found.contains("was acknowledged") && found.contains("is lost"), "{found}");
}
