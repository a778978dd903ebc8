//! What many commands of a group ask for: written together, in few statements, before the others.
//!
//! A command about a message or a release is only asked for after the one before it was answered, so this changes no
//! order that anyone relies on.

use super::group::Group;
use crate::database::error::StoreError;
use crate::mail::arrival::{self, Arrival};
use crate::mail::moves::{self, UnitMove};
use crate::release::{self, Conclusion, Start};

/// The frequent writes of a group, by kind; each kind in the order in which it was asked for.
#[derive(Default)]
pub(crate) struct Batch<'b> {
    pub(crate) arrivals: Vec<&'b Arrival>,
    pub(crate) moves: Vec<&'b UnitMove>,
    pub(crate) starts: Vec<&'b Start>,
    pub(crate) conclusions: Vec<&'b Conclusion>,
}

impl Batch<'_> {
    /// Writes all of it.
    pub(super) async fn write(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        group.recorded = arrival::record(group, &self.arrivals).await?.into();
        moves::make(group, self.moves).await?;
        release::start_attempts(group.connection, &self.starts).await?;
        release::conclude(group, &self.conclusions).await
    }
}
