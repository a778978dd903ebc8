//! Whose message is looked at next: everybody's in turn, those last whose messages have failed most often. So who sends
//! messages that fail every time waits for them alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::MailId;

/// Messages that wait, by whoever they came from.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<String, From>,
    /// Failures, the message, and whom it came from: the first is next.
    next: BTreeSet<(u32, MailId, String)>,
}

#[derive(Debug, Default)]
struct From {
    mails: VecDeque<(u32, MailId)>,
    failed: u32,
}

impl Queue {
    /// Adds a message that has failed so often. Those of one sender are added oldest first.
    pub fn add(&mut self, from: &str, mail: MailId, failures: u32) {
        self.waiting.entry(from.to_owned()).or_default().mails.push_back((failures, mail));
    }

    /// Puts everything in order; after that nothing is added.
    pub fn close(&mut self) {
        for (from, one) in &mut self.waiting {
            one.mails.make_contiguous().sort_unstable();
            if let Some((failures, mail)) = one.mails.front() {
                self.next.insert((*failures, *mail, from.clone()));
            }
        }
    }

    /// The next message. Tell how it went ([`Self::went`]) before the one after it.
    pub fn take(&mut self) -> Option<(MailId, String)> {
        let (_, mail, from) = self.next.pop_first()?;
        if let Some(one) = self.waiting.get_mut(&from) {
            one.mails.pop_front();
        }
        Some((mail, from))
    }

    /// How the last one went.
    pub fn went(&mut self, from: String, well: bool) {
        let Some(one) = self.waiting.get_mut(&from) else { return };
        one.failed = if well { 0 } else { one.failed + 1 };
        if let Some((failures, mail)) = one.mails.front() {
            self.next.insert((failures + one.failed, *mail, from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn mail(n: u8) -> MailId {
        MailId::new(Timestamp::from_micros(i64::from(n) * 1_000_000), [n; 10])
    }

    #[test]
    fn whoever_sends_what_fails_waits_for_it_alone() {
        let mut queue = Queue::default();
        for n in 0..50 {
            queue.add("a", mail(n), 0);
        }
        for n in 50..53 {
            queue.add("b", mail(n), 0);
        }
        queue.add("c", mail(60), 3);
        queue.close();
        let mut order = Vec::new();
        while let Some((mail, from)) = queue.take() {
            order.push((from.clone(), mail));
            let is_well = from != "a";
            queue.went(from, is_well);
        }
        assert_eq!(order.len(), 54, "everything is looked at");
        let at = |from: &str| order.iter().position(|(whose, _)| whose == from);
        assert_eq!((order[0].1, at("b")), (mail(0), Some(1)), "one of a's fails, and b is next");
        assert!(order[1..4].iter().all(|(from, _)| from == "b"));
        assert!(at("c").is_some_and(|at| at < 8), "{order:?}");
    }
}
