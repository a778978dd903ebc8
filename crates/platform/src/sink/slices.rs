//! How much a sink is told at once. Somebody in between may take only so much in one request, or be so slow that much
//! does not come through in time: then it is less from the next time on.

use std::sync::{Arc, Mutex, MutexGuard};

use super::Told;

/// Bytes that are told at once at most; one event that has more is told alone.
const BYTES_MAX: usize = 256 << 10;
/// Bytes to which that falls by itself.
const BYTES_LEAST: usize = 4 << 10;

/// How much one sink is told at once; copies are one.
#[derive(Clone, Debug)]
pub(super) struct Slices(Arc<Mutex<Limits>>);

#[derive(Debug)]
struct Limits {
    now: usize,
    most: usize,
}

impl Default for Slices {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Limits { now: BYTES_MAX, most: BYTES_MAX })))
    }
}

impl Slices {
    /// The next of these: one at least, if there is one.
    pub(super) fn next<'t>(&self, events: &'t [Told]) -> &'t [Told] {
        let most = self.limits().now;
        let mut bytes = 0;
        let fits = |one: &&Told| {
            bytes += one.line.len() + 1;
            bytes <= most
        };
        let count = events.iter().take_while(fits).count();
        &events[..count.max(1).min(events.len())]
    }

    /// They were taken.
    pub(super) fn taken(&self) {
        let mut limits = self.limits();
        if limits.now >= limits.most {
            // What was too long once may not be so for ever: whoever stood in between may be gone.
            limits.most = (limits.most + limits.most / 8 + 1).min(BYTES_MAX);
        }
        limits.now = (limits.now * 2).clamp(1, limits.most);
    }

    /// They were not taken, which may be for their length or not.
    pub(super) fn failed(&self) {
        let mut limits = self.limits();
        limits.now = (limits.now / 2).max(BYTES_LEAST).min(limits.most);
    }

    /// They were too long.
    pub(super) fn too_long(&self, slice: &[Told]) {
        let bytes: usize = slice.iter().map(|one| one.line.len() + 1).sum();
        let mut limits = self.limits();
        limits.most = limits.most.min(bytes / 2);
        limits.now = limits.most;
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.0.lock().expect("nobody panics while holding this")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn told(bytes: usize) -> Told {
        let at = Timestamp::from_micros(0);
        let (line, instead) = ("x".repeat(bytes - 1), String::new());
        Told { sequence: 0, at, kind: "audit", is_notable: false, line, instead }
    }

    #[test]
    fn a_slice_has_so_many_bytes_or_one_event() {
        let slices = Slices::default();
        let some = vec![told(100 << 10); 5];
        assert_eq!(slices.next(&some).len(), 2);
        assert_eq!(slices.next(&[told(1 << 20), told(1)]).len(), 1);
        assert!(slices.next(&[]).is_empty());
        slices.failed();
        assert_eq!(slices.next(&some).len(), 1, "less after a failure");
        slices.taken();
        assert_eq!(slices.next(&some).len(), 2, "and more again");
        slices.too_long(&some[..2]);
        slices.taken();
        assert_eq!(slices.next(&some).len(), 1, "what was too long is not tried at once");
        (0..60).for_each(|_| slices.taken());
        assert!(slices.next(&some).len() > 1, "and is tried again: a proxy may have refused everything for a minute");
        let small = vec![told(1 << 10); 100];
        for _ in 0..20 {
            slices.failed();
        }
        assert_eq!(slices.next(&small).len(), 4);
    }
}
