//! What a person sees and clicks: pages, links, codes to photograph, and who a mail says it is from.

pub mod html;
pub mod link;
mod literal;
pub mod qr;
pub mod sender;
mod smuggle;
pub(crate) mod tokens;

/// Characters of something seen that evidence quotes.
const QUOTED_MAX: usize = 80;

/// The beginning of a text, safe to show.
fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTED_MAX).collect()
}
