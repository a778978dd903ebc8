//! Crash tests: the process aborts at the n-th durable step when `REPRIEVE_ABORT_AT_STEP=n` says so, or at the n-th of
//! this name: `name:n`.
//!
//! The steps are in the shipped program, so the program that is tested is the program that runs. Each is
//! one comparison; who may set our environment may kill us anyway.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that names the step, counted from 1.
pub const VARIABLE: &str = "REPRIEVE_ABORT_AT_STEP";

static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

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
