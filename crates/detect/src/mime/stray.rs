//! Parts that one parse of a mail did not reach.

use std::collections::HashSet;

use domain::header;
use mail_parser::{MimeHeaders, PartType};

/// Parts of one mail that are read although the parse did not reach them.
const STRAYS_MAX: usize = 100;
/// Bytes by which two readers may differ on where a part begins: the line end behind its delimiter.
const BEGIN_TOLERANCE: usize = 4;

/// What stands behind a delimiter line and was not reached by the parse. Other programs read on behind the end of a
/// multipart, or recover from damage that ends ours; what they show must have been looked at.
pub(super) fn strays<'m>(raw: &'m [u8], read: &mail_parser::Message<'_>) -> Vec<&'m [u8]> {
    let (mut boundaries, mut begins) = (HashSet::new(), Vec::new());
    reached(read, &mut boundaries, &mut begins);
    if boundaries.is_empty() {
        return Vec::new();
    }
    begins.sort_unstable();
    let delimiters = delimiters(raw, &boundaries);
    let mut found = Vec::new();
    for (at, (begin, is_end)) in delimiters.iter().enumerate() {
        let after = begins.partition_point(|known| *known + BEGIN_TOLERANCE < *begin);
        let is_reached = begins.get(after).is_some_and(|known| *known <= begin + BEGIN_TOLERANCE);
        if *is_end || is_reached || found.len() >= STRAYS_MAX {
            continue;
        }
        let end = delimiters.get(at + 1).map_or(raw.len(), |(next, _)| *next);
        let segment = &raw[*begin..end];
        // A delimiter in front of nothing, or of text without fields, is no part.
        if header::fields(segment).next().is_some_and(|field| field.name.to_ascii_lowercase().starts_with("content-")) {
            found.push(segment);
        }
    }
    found
}

/// The boundaries that the parse knows, and where the parts begin that it reached.
fn reached(message: &mail_parser::Message<'_>, boundaries: &mut HashSet<Vec<u8>>, begins: &mut Vec<usize>) {
    let mut messages = vec![message];
    while let Some(message) = messages.pop() {
        for part in &message.parts {
            begins.push(part.offset_header as usize);
            let boundary = part.content_type().and_then(|kind| kind.attribute("boundary"));
            boundaries.extend(boundary.filter(|text| !text.is_empty()).map(|text| text.as_bytes().to_vec()));
            if let PartType::Message(nested) = &part.body {
                messages.push(nested);
            }
        }
    }
}

/// Delimiter lines (RFC 2046 section 5.1.1): where what follows begins, and whether it is the last of its multipart.
fn delimiters(raw: &[u8], boundaries: &HashSet<Vec<u8>>) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let end = memchr::memchr(b'\n', &raw[at..]).map_or(raw.len(), |lf| at + lf + 1);
        if let Some(line) = raw[at..end].strip_prefix(b"--") {
            let line = line.trim_ascii_end();
            let last = line.strip_suffix(b"--");
            if boundaries.contains(line) {
                found.push((end, false));
            } else if last.is_some_and(|line| boundaries.contains(line)) {
                found.push((end, true));
            }
        }
        at = end;
    }
    found
}
