//! What takes two persons, where that is configured: the first one's request waits, and somebody else's same request
//! does it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody wants done, and waits for a second person.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct WishView {
    /// The act, as the audit log names it: `ruleset.force` or `ruleset.fast`.
    pub what: String,
    /// What it is to be done to: the id of a ruleset.
    pub object: String,
    /// The name of who asked first.
    pub actor: String,
    /// Why, in the words of who asked first.
    pub reason: String,
    /// When it was asked for (RFC 3339).
    pub asked: String,
    /// When it lapses, an hour after `asked` (RFC 3339): who still wants it has to ask anew.
    pub until: String,
}
