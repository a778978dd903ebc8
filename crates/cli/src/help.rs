//! The help of the command line: its verbs in groups, and examples for each. All of it is made from the definition of
//! the command line, so that it names nothing that is not there.
//!
//! | module | what it has |
//! |---|---|
//! | `groups` | which verb is in which group |
//! | `examples` | command lines as somebody would type them |

mod examples;
mod groups;

pub use examples::EXAMPLES;
pub use groups::{GROUPS, Group};

/// A command line with its help.
pub fn with_help(command: clap::Command) -> clap::Command {
    groups::listed(examples::shown(command))
}
