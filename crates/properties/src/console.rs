//! What people look at and type: HTML of strangers made harmless, and queries.

use detect::preview::harmless::harmless;
use domain::Timestamp;
use domain::query::complete::complete;
use domain::query::{Query, parse};

/// Reads the bytes as HTML: no attribute, no element that does anything, and nothing that is read otherwise a second
/// time.
pub fn harmless_html(bytes: &[u8]) {
    let plain = |html: &str| harmless(html, &mut |_| None);
    let once = plain(&String::from_utf8_lossy(bytes));
    let mut rest = once.as_str();
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = tag.find('>').expect("what is opened is closed");
        let name = tag[..end].trim_start_matches('/');
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name:?} has an attribute");
        for forbidden in
            ["script", "style", "svg", "math", "img", "a", "form", "iframe", "object", "link", "meta", "base"]
        {
            assert_ne!(name, forbidden);
        }
        rest = &tag[end..];
    }
    assert_eq!(plain(&once), once, "it is read as it was written");
}

/// Reads the bytes as a query, and completes them.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let now = Timestamp::from_micros(1_795_000_000_000_000);
    if let Err(error) = Query::parse(&text, now) {
        assert!(error.at.start <= error.at.end && error.at.end <= text.len() && !error.what.is_empty());
        assert!(
            text.is_char_boundary(error.at.start) && text.len() <= parse::QUERY_BYTES_MAX || error.at.end == text.len()
        );
    }
    for cursor in [0, text.len() / 2, text.len()] {
        for one in complete(&text, cursor) {
            assert!(one.from <= text.len() && text.is_char_boundary(one.from));
        }
    }
}
