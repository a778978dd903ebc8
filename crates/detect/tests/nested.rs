//! Mail that nests or grows without end: every kind of it is examined on a small stack, within a time and a memory, in
//! this build as in any other, and what is over a limit says so.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "says which kind it is at, and may panic when it cannot go on"
)]

use std::time::{Duration, Instant};

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::preview::{Wish, show};
use detect::ruleset::Ruleset;
use nested::{Kind, Outcome, kinds};

/// What a thread of a program has by default, and less than an examining process has.
const STACK_BYTES: usize = 2 << 20;
/// Time for one mail. In service it is half of that; here nothing of ours is optimised, and other tests run beside it.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Memory for one mail, beside the mail itself.
const MEMORY_BYTES_MAX: u64 = 640 << 20;

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() << 10
}

fn examine(examiner: &mut Examiner<'_>, kind: Kind, wrong: &mut Vec<String>) {
    let raw = (kind.make)();
    // The peak is counted from here.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, began) = (status("VmRSS:"), Instant::now());
    let examination = examiner.examine(&raw, &EnvelopeFacts::default(), Budget::starting_now(TIME_MAX));
    let (took, grown) = (began.elapsed(), status("VmHWM:").saturating_sub(before));
    let is_limit = examination.findings.iter().any(|finding| finding.detection.to_string() == "UNS-0001");
    eprintln!(
        "| {} | {} KiB | {took:.1?} | {} MiB | {} |",
        kind.name,
        raw.len() >> 10,
        grown >> 20,
        if is_limit { "limit" } else { "" }
    );
    if kind.outcome == Outcome::Limit && !is_limit {
        wrong.push(format!("{}: no limit is told: {:?}", kind.name, examination.engines));
    }
    if took > TIME_MAX || grown > MEMORY_BYTES_MAX {
        wrong.push(format!("{}: {took:?}, {} MiB", kind.name, grown >> 20));
    }
    // Who looks at it costs no more.
    let _ = show(&raw, Wish::Texts, Budget::starting_now(TIME_MAX));
}

#[test]
fn there_are_kinds_enough_and_each_is_another() {
    let mut names: Vec<&str> = kinds().map(|kind| kind.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(count >= 67 && names.len() == count, "{count}");
}

#[test]
fn what_nests_without_end_is_examined_within_a_time_and_a_memory() {
    let in_force = InForce::only(Ruleset::shipped().unwrap());
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let all = || {
            let mut examiner = Examiner::new(&in_force, Limits::default());
            eprintln!("| kind | mail | time | memory | outcome |\n|---|---|---|---|---|");
            kinds().for_each(|kind| examine(&mut examiner, kind, &mut wrong));
        };
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, all).unwrap();
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
