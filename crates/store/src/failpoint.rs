//! Crash tests: the process aborts at the n-th durable step when `REPRIEVE_ABORT_AT_STEP=n` says so, or at the n-th of
//! this name: `name:n`.
//!
//! The steps are in the shipped program, so the program that is tested is the program that runs. Each is
//! one comparison; who may set our environment may kill us anyway.
//!
//! A simulation, whose process goes on, has the n-th step panic instead, and every later one as well: what is at work
//! writes nothing more, as if the process had died there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The variable that names the step, counted from 1.
pub const VARIABLE: &str = "REPRIEVE_ABORT_AT_STEP";

static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Steps until the one that panics, in a simulation; 0 when none is to.
static LEFT: AtomicU64 = AtomicU64::new(0);
/// Whether a simulated death has come.
static HAS_DIED: AtomicBool = AtomicBool::new(false);

/// What a step panics with, in a simulation.
#[derive(Debug)]
pub struct SimulatedDeath;

/// Has the n-th step from now on panic, counted from 1, and every step behind it.
pub fn die_at(number: u64) {
    HAS_DIED.store(false, Ordering::SeqCst);
    LEFT.store(number, Ordering::SeqCst);
}

/// Whether a simulated death has come.
pub fn has_died() -> bool {
    HAS_DIED.load(Ordering::SeqCst)
}

/// Lets all steps pass again: what runs from now on is another life of the process.
pub fn revive() {
    die_at(0);
}

fn simulate() {
    let is_last = LEFT.load(Ordering::Relaxed) > 0 && LEFT.fetch_sub(1, Ordering::SeqCst) == 1;
    if is_last {
        HAS_DIED.store(true, Ordering::SeqCst);
    }
    if HAS_DIED.load(Ordering::Relaxed) {
        std::panic::panic_any(SimulatedDeath);
    }
}

/// Where to abort.
#[derive(Debug)]
struct Wanted {
    /// Only steps of this name count; all without.
    name: Option<String>,
    number: u64,
}

impl Wanted {
    fn read(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some((name, number)) => Some(Self { name: Some(name.to_owned()), number: number.parse().ok()? }),
            None => Some(Self { name: None, number: text.parse().ok()? }),
        }
    }
}

/// Passes a durable step called `name`, or aborts there.
pub fn step(name: &str) {
    simulate();
    let wanted = WANTED.get_or_init(|| std::env::var(VARIABLE).ok().and_then(|text| Wanted::read(&text)));
    if let Some(wanted) = wanted
        && wanted.name.as_deref().is_none_or(|wanted| wanted == name)
    {
        let passed = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
        if passed == wanted.number {
            // Standard error, not the log: a log may be buffered.
            let _ =
                std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("aborting at step {passed}: {name}\n"));
            std::process::abort();
        }
    }
}
