//! Queries of the explorer that people keep by a name.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A query with a name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SavedView {
    /// Its name: there is one of each.
    pub name: String,
    /// The query, in which times such as `-24h` are meant from whenever it is asked.
    pub q: String,
    /// The name of who kept it last.
    pub by: String,
    /// When it was kept last (RFC 3339).
    pub made: String,
    /// Whether it stands on the first page, with how much fitted it in the last day.
    pub tracked: bool,
}

/// What to keep.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SaveAsk {
    /// Its name, 1 to 80 characters; one of the same name is replaced.
    pub name: String,
    /// The query; `received:>=-24h` and the like stay relative.
    pub q: String,
    /// Whether it is to stand on the first page.
    pub tracked: bool,
}
