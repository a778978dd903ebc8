//! Queries of the explorer that people keep by a name,.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A query with a name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SavedView {
    pub name: String,
    pub q: String,
    pub by: String,
    pub made: String,
    /// Whether it stands on the first page, with how much fitted it in the last day.
    pub tracked: bool,
}

/// What to keep.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SaveAsk {
    /// Its name; one of the same name is replaced.
    pub name: String,
    /// The query; `received:>=-24h` and the like stay relative.
    pub q: String,
    /// Whether it is to stand on the first page.
    pub tracked: bool,
}
