//! What people look at of all mail, and what they do to much of it at once.

pub mod bulk;
pub mod explore;
pub mod facets;
pub mod flow;
pub mod fold;
pub mod saved;

use crate::core::part;

part! {
    /// All mail by a query: pages, sums and charts, saved queries, and jobs over what a query finds.
    ExplorerStore
}
