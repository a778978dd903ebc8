//! Places that two programs may read differently: facts, and never a verdict.

use domain::header::{self, Field};
use domain::message::Ambiguity;

use super::encoding;

const ONCE: [&str; 8] = ["From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "Subject", "Date"];

/// Where two programs may read these bytes differently.
pub(super) fn ambiguities(raw: &[u8], read: Option<&mail_parser::Message<'_>>, has_strays: bool) -> Vec<Ambiguity> {
    let mut found = Vec::new();
    if has_strays {
        found.push(Ambiguity::StrayParts);
    }
    let mut note = |ambiguity| {
        if !found.contains(&ambiguity) {
            found.push(ambiguity);
        }
    };
    let top: Vec<Field<'_>> = header::fields(raw).collect();
    if ONCE.iter().any(|name| top.iter().filter(|field| field.is(name)).count() > 1) {
        note(Ambiguity::RepeatedField);
    }
    in_block(&top, &mut note);
    for part in read.iter().flat_map(|read| &read.parts).skip(1).take(2000) {
        let begin = part.offset_header as usize;
        let end = (part.offset_body as usize).max(begin);
        if let Some(block) = raw.get(begin..end) {
            in_block(&header::fields(block).collect::<Vec<_>>(), &mut note);
        }
        if part.is_encoding_problem {
            note(Ambiguity::OddBase64);
        }
    }
    found.sort();
    found
}

fn in_block(fields: &[Field<'_>], note: &mut impl FnMut(Ambiguity)) {
    let types: Vec<String> =
        fields.iter().filter(|field| field.is("Content-Type")).map(|field| field.unfolded().to_lowercase()).collect();
    let encodings: Vec<String> = fields
        .iter()
        .filter(|field| field.is("Content-Transfer-Encoding"))
        .map(|field| field.unfolded().to_lowercase())
        .collect();
    if types.len() > 1 {
        note(Ambiguity::TwoContentTypes);
    }
    for kind in &types {
        let boundaries = kind.split(';').skip(1).filter(|parameter| parameter.trim().starts_with("boundary")).count();
        if boundaries > 1 {
            note(Ambiguity::TwoBoundaries);
        }
        if boundaries == 0 && kind.starts_with("multipart/") {
            note(Ambiguity::NoBoundary);
        }
    }
    if encodings.len() > 1 {
        note(Ambiguity::TwoTransferEncodings);
    }
    let known = |encoding: &String| {
        let word = encoding.split(|c: char| c == ';' || c == '(' || c.is_whitespace()).next().unwrap_or_default();
        encoding::USUAL.contains(&word)
    };
    if !encodings.iter().all(known) {
        note(Ambiguity::UnknownTransferEncoding);
    }
}
