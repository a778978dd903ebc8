//! What a person sees and clicks: pages, links, codes to photograph, and who a mail says it is from.

pub mod html;
pub mod link;
pub mod qr;
pub mod sender;
