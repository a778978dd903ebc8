//! The command line: `simulator FIRST..BEHIND_LAST` plays those seeds, `simulator SEED` plays one and prints what
//! happened.

use std::ops::Range;
use std::process::{Child, Command, ExitCode};

use detect::limits::Limits;
use examiner::ExaminerPool;
use store::failpoint::SimulatedDeath;

use crate::detections::Form;
use crate::world::{Outcome, Sabotage, play, said};

/// For checks of the oracle: what is wrong on purpose.
const HOP_TAKES_TWICE: &str = "--hop-takes-twice";
const CLIENT_FORGETS: &str = "--client-forgets";
/// Prints what stands for everything that happened, for each seed.
const DIGESTS: &str = "--digests";
/// Plays all of them in this process. A simulated death is one of the whole process, so it plays one at a time.
const ALONE: &str = "--alone";
const USAGE: &str = "simulator SEED | simulator FIRST..BEHIND_LAST [--digests] [--alone] [--hop-takes-twice] \
    [--client-forgets]";

/// Seeds to play.
enum Wanted {
    One(u64),
    Many(Range<u64>),
}

/// What the words ask for.
struct Asked {
    wanted: Wanted,
    sabotage: Sabotage,
    digests: bool,
    alone: bool,
    /// The words behind the seeds, for the processes that play a part of them.
    flags: Vec<String>,
}

/// Plays what the words ask for. Exit codes: 0 all was well, 1 a fault was found, 2 wrong use.
pub(crate) fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == examiner::VERB) {
        let nice = words.iter().skip(2).find_map(|word| word.parse().ok()).unwrap_or(0);
        return examiner::run(nice);
    }
    let Some(asked) = Asked::read(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    be_silent_about_simulated_deaths();
    match asked.run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
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

impl Asked {
    fn read(words: &[String]) -> Option<Self> {
        let (seeds, flags) = words.split_first()?;
        let known = [DIGESTS, ALONE, HOP_TAKES_TWICE, CLIENT_FORGETS];
        if flags.iter().any(|flag| !known.contains(&flag.as_str())) {
            return None;
        }
        let wanted = match seeds.split_once("..") {
            Some((first, last)) => Wanted::Many(first.parse().ok()?..last.parse().ok()?),
            None => Wanted::One(seeds.parse().ok()?),
        };
        let has = |wanted: &str| flags.iter().any(|flag| flag == wanted);
        let sabotage = Sabotage { hop_takes_twice: has(HOP_TAKES_TWICE), client_forgets: has(CLIENT_FORGETS) };
        Some(Self { wanted, sabotage, digests: has(DIGESTS), alone: has(ALONE), flags: flags.to_vec() })
    }

    /// Plays them; whether all was well.
    fn run(&self) -> Result<bool, String> {
        let processes = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        match &self.wanted {
            Wanted::Many(seeds) if !self.alone && processes > 1 && seeds.end.saturating_sub(seeds.start) > 1 => {
                self.in_parts(seeds, processes)
            }
            Wanted::Many(seeds) => {
                let examiner = examiner()?;
                let faults = seeds.clone().filter(|seed| !self.play(*seed, &examiner, self.digests)).count();
                println!("seeds {} to {}: {faults} found a fault", seeds.start, seeds.end.saturating_sub(1));
                Ok(faults == 0)
            }
            Wanted::One(seed) => Ok(self.play(*seed, &examiner()?, true)),
        }
    }

    /// Plays a seed; whether all was well.
    fn play(&self, seed: u64, examiner: &ExaminerPool, has_digest: bool) -> bool {
        let outcome = play(seed, examiner, self.sabotage);
        if matches!(self.wanted, Wanted::One(_)) {
            outcome.log.iter().for_each(|line| println!("{line}"));
        }
        if has_digest {
            println!("seed {seed}: {}", outcome.digest());
        }
        is_well(seed, &outcome)
    }

    /// Plays a part of the seeds in each of some processes; whether all was well.
    fn in_parts(&self, seeds: &Range<u64>, processes: u64) -> Result<bool, String> {
        let part = (seeds.end - seeds.start).div_ceil(processes);
        let program = std::env::current_exe().map_err(said)?;
        let mut running: Vec<Child> = Vec::new();
        for first in (seeds.start..seeds.end).step_by(usize::try_from(part).map_err(said)?) {
            let range = format!("{first}..{}", (first + part).min(seeds.end));
            let started = Command::new(&program).arg(range).args(&self.flags).arg(ALONE).spawn();
            running.push(started.map_err(said)?);
        }
        let mut all_well = true;
        for mut one in running {
            all_well &= one.wait().map_err(said)?.success();
        }
        Ok(all_well)
    }
}

fn examiner() -> Result<ExaminerPool, String> {
    ExaminerPool::alone(Form::Wrong.in_force()?, Limits::default())
}

/// Whether a seed found nothing; prints what it found.
fn is_well(seed: u64, outcome: &Outcome) -> bool {
    let Some(fault) = &outcome.fault else { return true };
    let lines: Vec<String> = fault.lines().map(|line| format!("  {line}")).collect();
    let found = format!("seed {seed} found a fault; `cargo xtask simulate --seed {seed}` finds it again:");
    // At once, so that what another process prints does not come between.
    print!("{found}\n{}\n", lines.join("\n"));
    false
}
