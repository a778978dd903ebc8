//! What takes two persons, where that is configured: the first one's request waits, and somebody else's same request
//! does it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody wants done, and waits for a second person.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct WishView {
    /// The act, as the audit log names it.
    pub what: String,
    pub object: String,
    /// Who wants it, and why.
    pub actor: String,
    pub reason: String,
    pub asked: String,
    /// Then nobody has agreed, and it is asked anew.
    pub until: String,
}
