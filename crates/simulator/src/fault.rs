//! What goes wrong inside the program in one step.

use store::failpoint;

use crate::dice::Dice;

/// Durable steps among which a death comes; where there are fewer, none comes.
const STEPS_MAX: usize = 9;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies at the n-th durable step from now on.
    DieAt(u64),
    /// The database refuses this kind of write.
    Refuse(&'static str),
}

/// Writes that are refused, as the beginning of a trigger.
const REFUSED: [&str; 6] = [
    "insert on message",
    "insert on ledger",
    "update on unit",
    "insert on release_attempt",
    "update on release_item",
    "update on incident_unit",
];

impl Fault {
    /// A fault as the dice fall; one of the database alone where a death would not come at the same step in every run.
    pub(crate) fn thrown(dice: &mut Dice, may_die: bool) -> Self {
        let number = u64::try_from(1 + dice.below(STEPS_MAX)).unwrap_or(1);
        let refused = dice.one_of(&REFUSED).copied().unwrap_or(REFUSED[0]);
        if dice.happens(55) && may_die { Self::DieAt(number) } else { Self::Refuse(refused) }
    }

    /// The statement that begins it, if it is one of the database.
    pub(crate) fn begins(self) -> Option<String> {
        match self {
            Self::DieAt(number) => {
                failpoint::die_at(number);
                None
            }
            Self::Refuse(what) => Some(format!(
                "create trigger simulated_fault before {what} begin select raise(abort, 'a simulated fault'); end"
            )),
        }
    }

    /// The statement that ends it.
    pub(crate) fn ends(self) -> Option<&'static str> {
        match self {
            Self::DieAt(_) => None,
            Self::Refuse(_) => Some("drop trigger if exists simulated_fault"),
        }
    }
}
