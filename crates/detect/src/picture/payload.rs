//! Programs and scripts where a picture keeps its texts: comments, EXIF, XMP, profiles. Text about anything is
//! innocent; what acts is a program that decodes whole, or a script that would run as it stands.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

use super::{Walk, be32, le32, to_usize};
use crate::structure::Check;

/// Bytes of base64 that are decoded to see whether a program begins there.
const DECODED_MAX: usize = 64 * 1024;
/// Runs of one text that are decoded.
const RUNS_MAX: usize = 16;
/// Bytes below which a decoded program is a joke.
const PROGRAM_BYTES_MIN: usize = 100;
/// How base64 of a program begins: `MZ` and what linkers put behind it.
const ENCODED_MZ: [&[u8]; 4] = [b"TVqQ", b"TVpQ", b"TVqA", b"TVoA"];
/// What a script of the server has in it besides its opening.
const PHP_ACTS: [&[u8]; 10] = [
    b"eval(",
    b"system(",
    b"exec(",
    b"passthru(",
    b"popen(",
    b"base64_decode(",
    b"$_get",
    b"$_post",
    b"$_request",
    b"assert(",
];
/// What a command line for PowerShell has in it.
const POWERSHELL_ACTS: [&[u8]; 6] =
    [b"-enc", b"-e ", b"iex", b"downloadstring", b"frombase64string", b"invoke-expression"];

/// What was found: the check, where, what.
type Found = (Check, usize, String);

/// Looks at all metadata of a picture.
pub(super) fn in_metadata(walk: &Walk, bytes: &[u8], served_as_page: bool) -> Vec<Found> {
    let mut found = Vec::new();
    for range in &walk.metadata {
        let text = &bytes[range.clone()];
        found.extend(in_text(text, served_as_page).map(|(check, at, what)| (check, range.start + at, what)));
        found.extend(profile_overflow(text).map(|(at, what)| (Check::PictureProfile, range.start + at, what)));
    }
    for text in &walk.unpacked {
        found.extend(in_text(text, served_as_page).map(|(check, _, what)| (check, 0, format!("{what} (compressed)"))));
    }
    if served_as_page
        && found.is_empty()
        && let Some(at) = markup(&bytes[..bytes.len().min(1024)])
    {
        found.push((Check::PictureAsPage, at, "a script in a picture that is served as a page".into()));
    }
    found
}

fn in_text(text: &[u8], served_as_page: bool) -> Option<Found> {
    if let Some((at, what)) = encoded_program(text) {
        return Some((Check::PicturePayload, at, what));
    }
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&[u8]], from: usize| words.iter().any(|word| memmem::find(&lower[from..], word).is_some());
    if let Some(at) = memmem::find(&lower, b"<?php")
        && has(&PHP_ACTS, at)
    {
        return Some((Check::PicturePayload, at, "a PHP script in its metadata".into()));
    }
    if let Some(at) = memmem::find(&lower, b"powershell")
        && has(&POWERSHELL_ACTS, at)
    {
        return Some((Check::PicturePayload, at, "a PowerShell command in its metadata".into()));
    }
    let at = markup(&lower)?;
    let check = if served_as_page { Check::PictureAsPage } else { Check::PictureMarkup };
    Some((check, at, "markup with a script in its metadata".into()))
}

/// Where a script begins in markup.
fn markup(text: &[u8]) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    memmem::find(&lower, b"<script")
        .or_else(|| memmem::find(&lower, b"onerror="))
        .or_else(|| memmem::find(&lower, b"onload="))
}

/// A Windows program in base64, by its own header: where it begins, and what it is.
pub(crate) fn encoded_program(text: &[u8]) -> Option<(usize, String)> {
    // Line ends inside are skipped; what stops the run of letters ends it.
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, lenient);
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let begins = ENCODED_MZ.iter().flat_map(|mark| memmem::find_iter(text, *mark));
    // Where letters stand before it, it is in the middle of something else.
    let begins = begins.filter(|start| start.checked_sub(1).is_none_or(|before| !is_letter(&text[before])));
    for start in begins.take(RUNS_MAX) {
        let run = text[start..].iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n'));
        let run: Vec<u8> = run.take_while(is_letter).take(DECODED_MAX).collect();
        let whole = run.len() - run.len() % 4;
        let Ok(program) = engine.decode(&run[..whole]) else { continue };
        let header = le32(&program, 0x3c).map(to_usize).unwrap_or(usize::MAX);
        let is_pe = header.checked_add(4).and_then(|end| program.get(header..end)) == Some(b"PE\0\0");
        if is_pe && program.len() >= PROGRAM_BYTES_MIN {
            return Some((start, format!("a Windows program of {} bytes or more in base64", program.len())));
        }
    }
    None
}

/// A colour profile (ICC.1 section 7.3) with a tag whose place and length overflow: no writer makes one. A tag that
/// merely points beyond a profile is what is left when a tool loses half of one, and is nobody's fault.
fn profile_overflow(text: &[u8]) -> Option<(usize, String)> {
    // In a JPEG behind its name and number; in a WebP alone.
    let (start, profile) = match text.strip_prefix(b"ICC_PROFILE\0") {
        Some(rest) => (14, rest.get(2..)?),
        None => (0, text),
    };
    if profile.get(36..40)? != b"acsp" {
        return None;
    }
    let count = be32(profile, 128)?.min(200);
    for tag in 0..to_usize(count) {
        let at = 132 + 12 * tag;
        let (offset, size) = (be32(profile, at + 4)?, be32(profile, at + 8)?);
        if offset.checked_add(size).is_none() {
            return Some((start + at, format!("tag {tag} of the colour profile lies at {offset} with {size} bytes")));
        }
    }
    None
}
