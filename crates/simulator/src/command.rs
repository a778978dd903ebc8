//! The command line: `simulator FIRST..LAST` plays those seeds, `simulator SEED` plays one and prints what happened.

use std::ops::Range;
use std::process::ExitCode;

use detect::limits::Limits;
use examiner::ExaminerPool;
use store::failpoint::SimulatedDeath;

use crate::detections::Form;
use crate::world::{Outcome, Sabotage, play};

/// What a check of the oracle asks for.
const HOP_TAKES_TWICE: &str = "--hop-takes-twice";
const CLIENT_FORGETS: &str = "--client-forgets";

/// Seeds to play.
enum Wanted {
    One(u64),
    Many(Range<u64>),
}

/// Plays what the words ask for. Exit codes: 0 all was well, 1 a fault was found, 2 wrong use.
pub(crate) fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == examiner::VERB) {
        let nice = words.iter().skip(2).find_map(|word| word.parse().ok()).unwrap_or(0);
        return examiner::run(nice);
    }
    let sabotage = Sabotage {
        hop_takes_twice: words.iter().any(|word| word == HOP_TAKES_TWICE),
        client_forgets: words.iter().any(|word| word == CLIENT_FORGETS),
    };
    let Some(wanted) = words.first().and_then(|word| read(word)) else {
        eprintln!("simulator SEED | simulator FIRST..BEHIND_LAST");
        return ExitCode::from(2);
    };
    be_silent_about_simulated_deaths();
    match run(wanted, sabotage) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn read(word: &str) -> Option<Wanted> {
    match word.split_once("..") {
        Some((first, last)) => Some(Wanted::Many(first.parse().ok()?..last.parse().ok()?)),
        None => word.parse().ok().map(Wanted::One),
    }
}

/// The program dies many times in a simulation: that is no news. Any other panic is.
fn be_silent_about_simulated_deaths() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<SimulatedDeath>().is_none() {
            tell(panic);
        }
    }));
}

/// Plays seeds; how many of them found a fault.
fn run(wanted: Wanted, sabotage: Sabotage) -> Result<u64, String> {
    let examiner = ExaminerPool::alone(Form::Wrong.in_force()?, Limits::default())?;
    let mut faults = 0;
    match wanted {
        Wanted::One(seed) => {
            let outcome = play(seed, &examiner, sabotage);
            outcome.log.iter().for_each(|line| println!("{line}"));
            println!("seed {seed}: {}", outcome.digest());
            faults += tell(seed, &outcome);
        }
        Wanted::Many(seeds) => {
            for seed in seeds {
                let outcome = play(seed, &examiner, sabotage);
                println!("seed {seed}: {}", outcome.digest());
                faults += tell(seed, &outcome);
            }
        }
    }
    Ok(faults)
}

/// Prints the fault of a seed, if it found one; how many it found.
fn tell(seed: u64, outcome: &Outcome) -> u64 {
    let Some(fault) = &outcome.fault else { return 0 };
    println!("seed {seed} found a fault; `cargo xtask simulate --seed {seed}` finds it again:");
    fault.lines().for_each(|line| println!("  {line}"));
    1
}
