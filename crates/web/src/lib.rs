//! What the pages of the console and of the recipients' portal have in common: pieces, forms, the page of something
//! that is wrong, and what a browser must show before an act is done. Nothing here knows what the pages are about.

pub mod assets;
pub mod download;
pub mod fault;
pub mod form;
pub mod language;
pub mod own_page;
pub mod page;
