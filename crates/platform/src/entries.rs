//! The allow and block entries in force, where every message finds them; and which of them have been used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use domain::entry::{EntryBook, EntryFact};
use domain::{Envelope, Examination, Timestamp};

/// A handle; all copies are one.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    book: Arc<Mutex<Arc<EntryBook>>>,
    /// Of what the store said these were in force.
    stamp: Arc<Mutex<Option<[i64; 3]>>>,
    used: Arc<Mutex<BTreeMap<u64, Timestamp>>>,
}

impl Entries {
    /// Puts other entries in force.
    pub fn put(&self, book: EntryBook, stamp: [i64; 3]) {
        *self.book.lock().expect("nobody panics while holding the book") = Arc::new(book);
        *self.stamp.lock().expect("nobody panics while holding the stamp") = Some(stamp);
    }

    /// The stamp of those in force here; none before the first.
    pub fn stamp(&self) -> Option<[i64; 3]> {
        *self.stamp.lock().expect("nobody panics while holding the stamp")
    }

    /// The entries that match a message; from now on they count as used.
    pub fn matching(&self, examination: &Examination, envelope: &Envelope, now: Timestamp) -> Vec<EntryFact> {
        let book = self.book.lock().expect("nobody panics while holding the book").clone();
        let found = book.matching(examination, envelope);
        if !found.is_empty() {
            let mut used = self.used.lock().expect("nobody panics while holding what was used");
            used.extend(found.iter().map(|entry| (entry.id, now)));
        }
        found
    }

    /// What was used since this was last asked.
    pub fn take_used(&self) -> BTreeMap<u64, Timestamp> {
        std::mem::take(&mut *self.used.lock().expect("nobody panics while holding what was used"))
    }

    /// Takes back what could not be written down; what was used since then is newer.
    pub fn put_back_used(&self, unwritten: BTreeMap<u64, Timestamp>) {
        let mut used = self.used.lock().expect("nobody panics while holding what was used");
        for (entry, at) in unwritten {
            used.entry(entry).or_insert(at);
        }
    }
}
