//! Runs tests that examine mail. Mail is examined by processes of the program that runs, started with a verb of its own
//! (`examiner::VERB`). The usual harness does not know that verb, so tests with an examiner have this one: a test
//! target with `harness = false` whose `main` is [`run`]. Parts of names choose what runs, as usual.
#![allow(clippy::print_stdout, reason = "a harness of tests talks on the terminal")]

use std::any::type_name;
use std::fmt;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Builder;

/// Tests that run at the same time.
const AT_ONCE: usize = 4;

/// One test.
pub struct Test {
    name: &'static str,
    run: Box<dyn Fn() + Send + Sync>,
}

impl Test {
    /// An asynchronous function as a test: it has a thread and a runtime of its own, and fails when it panics.
    pub fn new<F: Future<Output = ()>, T: Fn() -> F + Send + Sync + 'static>(test: T) -> Self {
        let run = move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(test());
        };
        Self { name: type_name::<T>(), run: Box::new(run) }
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Test").field(&self.name).finish()
    }
}

/// Runs the tests that the command line asks for, or examines where it asks for that.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == examiner::VERB) {
        return examiner::run(0);
    }
    let is_chosen = |test: &Test| {
        let mut parts = words.iter().filter(|word| !word.starts_with('-')).peekable();
        parts.peek().is_none() || parts.any(|part| test.name.contains(part.as_str()))
    };
    let chosen: Vec<Test> = tests.into_iter().filter(is_chosen).collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(test) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    // What it panics with is on standard error already.
                    let is_well = thread::scope(|scope| scope.spawn(|| (test.run)()).join().is_ok());
                    println!("test {} ... {}", test.name, if is_well { "ok" } else { "FAILED" });
                    if !is_well {
                        failed.lock().expect("nobody panics while holding the names").push(test.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    println!("\n{} tests, {} failed: {}", chosen.len(), failed.len(), failed.join(", "));
    ExitCode::from(u8::from(!failed.is_empty()))
}
