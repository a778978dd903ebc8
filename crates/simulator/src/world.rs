//! One simulation: the world outside the program, which outlives each of its deaths, and the order of what happens.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{Digest, Timestamp};
use examiner::ExaminerPool;
use platform::clock::ManualClock;
use store::failpoint;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::detections::Form;
use crate::dice::Dice;
use crate::hop::{Hop, Manner};
use crate::letter::Letter;
use crate::life::{End, Life};
use crate::oracle::Oracle;

/// When every simulation begins: Friday, 27 November 2026, nine o'clock (UTC), in microseconds.
const BEGIN_US: i64 = 1_795_770_000_000_000;
/// Steps of one simulation before everything is to come to rest: at least, and how many more at most.
const STEPS_MIN: usize = 24;
const STEPS_MORE: usize = 24;
/// Lives of the program in one simulation, far above what any seed asks for.
const LIVES_MAX: usize = 200;

/// A folder of files in memory.
const MEMORY: &str = "/dev/shm";

/// What is changed on purpose, so that the oracle can be seen to find it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sabotage {
    /// The hop puts every mail into the mailbox twice.
    pub(crate) hop_takes_twice: bool,
    /// The simulator counts a client's mail as taken that was put off.
    pub(crate) client_forgets: bool,
}

/// What a simulation came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Everything that happened, a line each.
    pub(crate) log: Vec<String>,
    /// What was not as it must be; none if all was well.
    pub(crate) fault: Option<String>,
}

impl Outcome {
    /// What stands for everything that happened.
    pub(crate) fn digest(&self) -> String {
        let mut hex = Digest::of(self.log.join("\n").as_bytes()).hex();
        hex.truncate(16);
        hex
    }
}

/// The world outside the program.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hop: Hop,
    pub(crate) letters: Vec<Letter>,
    pub(crate) oracle: Oracle,
    pub(crate) folder: TempDir,
    pub(crate) examiner: ExaminerPool,
    pub(crate) sabotage: Sabotage,
    /// The step that is under way, from 1.
    pub(crate) step: usize,
    /// Steps before everything is to come to rest.
    pub(crate) steps: usize,
    /// Whether faults are over.
    pub(crate) is_over: bool,
    /// The incident, once the wrong detection is withdrawn.
    pub(crate) incident: Option<String>,
    log: Vec<String>,
}

/// Text for people, of any error.
pub(crate) fn said(error: impl Display) -> String {
    error.to_string()
}

/// Plays the simulation of a seed.
pub(crate) fn play(seed: u64, examiner: &ExaminerPool, sabotage: Sabotage) -> Outcome {
    let mut world = match World::new(seed, examiner, sabotage) {
        Ok(world) => world,
        Err(error) => return Outcome { log: Vec::new(), fault: Some(error) },
    };
    let fault = world.lives().err();
    Outcome { log: world.log, fault }
}

impl World {
    fn new(seed: u64, examiner: &ExaminerPool, sabotage: Sabotage) -> Result<Self, String> {
        let mut dice = Dice::new(seed);
        let steps = STEPS_MIN + dice.below(STEPS_MORE);
        let wrong = Form::Wrong.ruleset()?.id;
        if examiner.in_force().live.id != wrong {
            examiner.put_in_force(Form::Wrong.in_force()?);
        }
        Ok(Self {
            dice,
            clock: Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN_US))),
            hop: Hop::new(seed, sabotage.hop_takes_twice),
            letters: Vec::new(),
            oracle: Oracle::default(),
            folder: folder().map_err(said)?,
            examiner: examiner.clone(),
            sabotage,
            step: 0,
            steps,
            is_over: false,
            incident: None,
            log: Vec::new(),
        })
    }

    /// Lives of the program, until one comes to its end in peace.
    fn lives(&mut self) -> Result<(), String> {
        for _ in 0..LIVES_MAX {
            failpoint::revive();
            let runtime = runtime()?;
            let end = runtime.block_on(async { Life::start(self).await?.live().await });
            // As a kill does: nothing is closed, nothing is waited for, and what was at work is gone.
            drop(runtime);
            self.hop.gateway_died();
            match end? {
                End::Died => self.note("the program is gone; it starts again"),
                End::AtRest => return Ok(()),
            }
            self.note_hop();
        }
        Err("the program never lived until its end".into())
    }

    /// A line of what happened.
    pub(crate) fn note(&mut self, line: impl Into<String>) {
        self.log.push(format!("{:>3} {}", self.step, line.into()));
    }

    /// What the hop has done since the last line.
    pub(crate) fn note_hop(&mut self) {
        for line in self.hop.take_lines() {
            self.note(line);
        }
    }

    /// The next step begins, in which `actor` acts.
    pub(crate) fn begin(&mut self, actor: &str) {
        self.step += 1;
        self.hop.step(self.step, actor);
        // What is not told by this step is not its own.
        self.hop.behave(Manner::Wild);
    }

    /// Moves the clock.
    pub(crate) fn pass(&mut self, span: Duration) {
        self.clock.advance(span);
    }
}

/// A folder for the store. The deaths of a simulation are those of a process, which loses nothing that it has written
/// to a file: it is in memory where the system has such a folder.
fn folder() -> io::Result<TempDir> {
    if Path::new(MEMORY).is_dir() { TempDir::new_in(MEMORY) } else { TempDir::new() }
}

/// One thread for everything: what runs at the same time takes turns.
fn runtime() -> Result<Runtime, String> {
    Builder::new_current_thread().enable_all().build().map_err(said)
}
