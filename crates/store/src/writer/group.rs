//! A group: commands that are written in one transaction.

use std::collections::VecDeque;

use sqlx::AnyConnection;

use crate::audit::Act;
use crate::audit::journal::Journal;
use crate::mail::arrival::Recorded;

/// A writing transaction: its connection, and what it has to leave in the audit log.
pub(crate) struct Group<'c> {
    pub(crate) connection: &'c mut AnyConnection,
    /// The name of this node.
    pub(crate) node: &'c str,
    pub(crate) journal: Journal,
    pub(crate) acts: Vec<Act>,
    /// What became of the units of each arrival of the group that is not answered yet, in their order.
    pub(crate) recorded: VecDeque<Vec<Recorded>>,
}
