//! What was found in an archive, and what was not seen of it.

use super::{Closed, Member};
use crate::limits::Limits;

/// Reasons that are told of one archive, each once.
const REASONS_MAX: usize = 20;

/// Members of an archive, and why some were not seen.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The members so far.
    pub(super) members: Vec<Member>,
    closed: Vec<Closed>,
}

impl Found {
    /// A member with what could be read of it, and why not all could.
    pub(super) fn add(&mut self, member: Member, closed: Option<Closed>) {
        self.members.push(member);
        self.note_all(closed);
    }

    /// A member of which only the name can be told.
    pub(super) fn name(&mut self, name: String) {
        self.members.push(Member::new(name, Vec::new()));
    }

    /// Why something was not seen. A limit or a lock is told even after many reasons.
    pub(super) fn note(&mut self, closed: Closed) {
        // Of damage there may be as many kinds as a sender likes; limits and locks are few.
        let max = if matches!(closed, Closed::NotAnalysed(_)) { REASONS_MAX } else { 2 * REASONS_MAX };
        if self.closed.len() < max && !self.closed.contains(&closed) {
            self.closed.push(closed);
        }
    }

    /// The same for what may have gone well.
    pub(super) fn note_all(&mut self, closed: impl IntoIterator<Item = Closed>) {
        closed.into_iter().for_each(|one| self.note(one));
    }

    /// Whether this reason has been told.
    pub(super) fn has(&self, closed: &Closed) -> bool {
        self.closed.contains(closed)
    }

    /// What was found by a try that counts.
    pub(super) fn take_over(&mut self, other: Self) {
        self.members.extend(other.members);
        self.note_all(other.closed);
    }

    /// The members, and the reasons.
    pub(super) fn into_parts(mut self) -> (Vec<Member>, Vec<Closed>) {
        for member in &mut self.members {
            std::iter::once(&mut member.name).chain(&mut member.other_names).for_each(shorten);
        }
        (self.members, self.closed)
    }
}

/// Keeps the end of a long name. Windows leaves blanks and dots at its end out, however many.
fn shorten(name: &mut String) {
    let max = Limits::MEMBER_NAME_CHARS_MAX;
    if name.len() <= max || name.chars().count() <= max {
        return;
    }
    name.truncate(name.trim_end_matches([' ', '.']).len());
    if let Some((from, _)) = name.char_indices().rev().nth(max - 1) {
        name.drain(..from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_end() {
        let mut found = Found::default();
        found.name(format!("{}.js", "a".repeat(360)));
        found.name(format!("b.js{}", " ".repeat(400)));
        found.name(format!("{}.pdf", "ö".repeat(100)));
        let (members, closed) = found.into_parts();
        assert!(members[0].name.ends_with("aa.js") && members[0].name.len() == Limits::MEMBER_NAME_CHARS_MAX);
        assert_eq!((members[1].name.as_str(), closed.len()), ("b.js", 0));
        assert_eq!(members[2].name.chars().count(), 104);
    }

    #[test]
    fn many_reasons_are_told_once_and_hide_no_limit() {
        let mut found = Found::default();
        for number in 0..1000 {
            found.note(Closed::NotAnalysed(format!("{}", number % 50)));
        }
        found.note(Closed::Encrypted);
        found.note(Closed::Limit("x".into()));
        found.note(Closed::Limit("x".into()));
        let (_, closed) = found.into_parts();
        assert_eq!(closed.len(), REASONS_MAX + 2);
    }
}
