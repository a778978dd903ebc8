//! What a person sees and clicks: pages, links, codes to photograph, and who a mail says it is from.

pub mod calendar;
mod data_url;
mod form;
pub(crate) mod host;
pub mod html;
pub mod link;
mod literal;
mod password;
pub mod qr;
pub(crate) mod saved;
pub(crate) mod scheme;
pub mod sender;
pub(crate) mod share;
pub mod shortcut;
mod smuggle;
pub(crate) mod tokens;
pub(crate) mod url;
pub mod visible;

/// Characters of something seen that evidence quotes.
const QUOTED_MAX: usize = 80;

/// The beginning of a text, safe to show.
fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTED_MAX).collect()
}
