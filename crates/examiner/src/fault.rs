//! Faults on purpose, so that what is there against real ones is tried in the program that is shipped (decision 0005).
//! The variable `REPRIEVE_EXAMINE_FAULT` holds the kind of a fault and a text, as in `abort:xyzzy`: a process that
//! examines a mail with this text has it.

use std::ffi::OsString;

use memchr::memmem;

/// The variable; of all those of the gateway it is the only one that an examining process has.
const VARIABLE: &str = "REPRIEVE_EXAMINE_FAULT";

/// What the environment of an examining process is.
pub(super) fn environment() -> Option<(&'static str, OsString)> {
    std::env::var_os(VARIABLE).map(|value| (VARIABLE, value))
}

/// A fault, and the text that brings it on.
#[derive(Debug)]
pub(super) struct Fault {
    kind: String,
    text: String,
}

impl Fault {
    /// The one that the environment asks for.
    pub(super) fn from_environment() -> Option<Self> {
        let value = std::env::var(VARIABLE).ok()?;
        let (kind, text) = value.split_once(':')?;
        Some(Self { kind: kind.to_owned(), text: text.to_owned() })
    }

    /// Has the fault, if this mail brings it on.
    pub(super) fn meet(&self, raw: &[u8]) {
        if memmem::find(raw, self.text.as_bytes()).is_none() {
            return;
        }
        match self.kind.as_str() {
            "abort" => std::process::abort(),
            "panic" => panic!("asked for by {VARIABLE}"),
            "hang" => loop {
                std::hint::spin_loop();
            },
            "memory" => {
                let mut taken: Vec<Vec<u8>> = Vec::new();
                loop {
                    // Written to, so that it is really there.
                    taken.push(vec![1; 16 << 20]);
                    std::hint::black_box(&taken);
                }
            }
            _ => {}
        }
    }
}
