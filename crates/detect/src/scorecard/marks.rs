//! The marks of one mail.

use std::collections::BTreeSet;

use super::mark::Mark;

/// Which marks a mail has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(BTreeSet<Mark>);

impl Marks {
    /// One more.
    pub fn add(&mut self, mark: Mark) {
        self.0.insert(mark);
    }

    /// One more, if it is there.
    pub fn add_if(&mut self, is_there: bool, mark: Mark) {
        if is_there {
            self.add(mark);
        }
    }

    /// Whether a mail has this one.
    pub fn has(&self, mark: Mark) -> bool {
        self.0.contains(&mark)
    }

    /// All of them, in the order in which marks are declared.
    pub fn iter(&self) -> impl Iterator<Item = Mark> + '_ {
        self.0.iter().copied()
    }
}
