//! Files that are made in a page: its script decodes a text and has the browser save what comes of it. Filters see
//! text, the desktop gets a program.
//!
//! Reports with an "Export" button have the same words in them: they make a file of what they show, and the libraries
//! that they bring along decode pictures. So the words alone say nothing. A page is told for one of two things:
//!
//! 1. a literal of it is a program or an archive once it is decoded, and the page hands files over;
//! 2. in one script, close together, something is decoded, made a file and saved, and beside it is a long text that
//!    nobody can read, or the file is called what runs or unpacks.

use std::collections::BTreeSet;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::message::Family;

use super::data_url::DataUrl;
use super::literal::{self, Literal};
use crate::family;

/// What turns text into bytes.
const DECODES: [&str; 6] = ["atob(", "fromcharcode", "uint8array", "charcodeat", "base64", "decodeuricomponent("];
/// What hands a file over.
const HANDS: [&str; 4] = ["createobjecturl", "mssaveoropenblob", "mssaveblob", "navigator.mssave"];
/// What saves it.
const SAVES: [&str; 5] = ["download", "mssave", ".click(", "location", "saveas("];
/// Characters within which the three stand together, literals left out.
const NEAR: usize = 1500;
/// Characters, literals left out, within which a text belongs to what is done to it: in a bundle of libraries the rest
/// is others' work.
const SAME_WORK: usize = 20_000;
/// Places of one script where a file is handed over that are looked at.
const FLOWS_MAX: usize = 1000;
/// Letters of a literal that may be a file.
const LITERAL_MIN: usize = 24;
/// Letters of a literal that nobody writes by hand.
const OPAQUE_MIN: usize = 1000;
/// Different numbers of a list that may be an enciphered file.
const VALUES_MIN: usize = 200;
/// Bytes of a decoded literal that are looked at.
const DECODED_BYTES_MAX: usize = 1 << 20;
/// What a saved file is called that runs, or that brings along what runs.
const FILE_NAMES: [&str; 32] = [
    ".exe", ".scr", ".com", ".pif", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".wsh", ".hta",
    ".msi", ".msix", ".appx", ".lnk", ".url", ".jar", ".iso", ".img", ".vhd", ".vhdx", ".zip", ".rar", ".7z", ".cab",
    ".one", ".html", ".svg", ".xll",
];

/// How a page makes a file of its own text and hands it over; none if it does not.
pub(super) fn smuggles(scripts: &[String]) -> Option<String> {
    let folded: Vec<String> = scripts.iter().map(|script| script.to_lowercase()).collect();
    let word =
        |words: &[&'static str]| words.iter().copied().find(|word| folded.iter().any(|script| script.contains(word)));
    let Some(hands) = word(&HANDS) else {
        let mut scripts = scripts.iter().zip(&folded).filter(|(_, folded)| folded.contains("data:"));
        return scripts.find_map(|(script, folded)| in_script_link(folded, &literal::taken_out(script).0));
    };
    let decodes = word(&DECODES);
    for (script, folded) in scripts.iter().zip(&folded) {
        let (literals, bare) = literal::taken_out(script);
        let flows = flows(&bare.to_ascii_lowercase());
        for literal in literals.iter().filter(|literal| literal.text.len() >= LITERAL_MIN) {
            match file_in(literal) {
                Some(File::Whole(kind)) if decodes.is_some() => {
                    return Some(format!("a file in the page ({kind}), handed over by {hands}"));
                }
                Some(File::Packed(kind)) if !flows.is_empty() => {
                    return Some(format!("a file in the page ({kind}), decoded and handed over by {hands}"));
                }
                _ => {}
            }
        }
        if flows.is_empty() {
            continue;
        }
        let within = |far: usize| {
            // A page may have as many of both as it likes: the next place is looked up, not searched for.
            let is_near = |one: &&Literal| {
                let next = flows.partition_point(|at| *at < one.at.saturating_sub(far));
                flows.get(next).is_some_and(|at| *at <= one.at + far)
            };
            literals.iter().filter(is_near).collect::<Vec<_>>()
        };
        if let Some(name) = within(NEAR).into_iter().find_map(|literal| runs(&literal.text)) {
            return Some(format!("a file made in the page ('{name}', {hands})"));
        }
        if within(SAME_WORK).into_iter().any(is_opaque) {
            let how = DECODES.into_iter().find(|word| folded.contains(word)).unwrap_or("decoded");
            return Some(format!("a file made of what nobody can read ({how}, {hands})"));
        }
    }
    None
}

/// A program, an archive or a disk image in a link; none if the file is another. `name` is what it is saved as.
pub(super) fn in_link(data: &DataUrl, name: &str) -> Option<String> {
    let (family, kind) = family::sniff(&data.bytes, name);
    let is_told = matches!(family, Family::Executable | Family::Archive | Family::Script);
    // A page or a drawing that is saved is looked at as what it is.
    let named = runs(name).filter(|name| {
        let lower = name.to_ascii_lowercase();
        !lower.ends_with(".html") && !lower.ends_with(".svg")
    });
    match (is_told, named) {
        (false, None) => None,
        (_, Some(name)) => Some(format!("a file in a link of the page ('{name}', {kind})")),
        (true, None) => Some(format!("a file in a link of the page ({kind})")),
    }
}

/// A whole file in a literal that a script makes a link of, and follows.
fn in_script_link(folded: &str, literals: &[Literal]) -> Option<String> {
    let follows = [".click(", "location", "window.open(", "download", ".src="].iter().any(|word| folded.contains(word));
    // The beginning of a link that something is put behind; pictures are shown so.
    let is_beginning = |literal: &Literal| {
        let kind = literal.text.strip_prefix("data:").and_then(|rest| rest.strip_suffix("base64,"));
        kind.is_some_and(|kind| !["image/", "font/", "audio/", "video/"].iter().any(|shown| kind.starts_with(shown)))
    };
    let is_put_together = literals.iter().any(is_beginning);
    let mut links = literals.iter().filter(|literal| {
        let is_one = literal.text.starts_with("data:") || (is_put_together && literal.text.len() >= LITERAL_MIN);
        follows && is_one
    });
    links.find_map(|literal| match file_in(literal) {
        Some(File::Whole(kind)) => Some(format!("a file in a link that a script makes ({kind})")),
        _ => None,
    })
}

/// Where something is decoded, made a file and saved, close together, in order. The script is without its literals.
fn flows(script: &str) -> Vec<usize> {
    let hands = HANDS.iter().flat_map(|word| script.match_indices(word)).map(|(at, _)| at).take(FLOWS_MAX);
    let is_flow = |at: &usize| {
        let from = script.floor_char_boundary(at.saturating_sub(NEAR));
        let to = script.ceil_char_boundary((at + NEAR).min(script.len()));
        let near = &script[from..to];
        DECODES.iter().any(|word| near.contains(word)) && SAVES.iter().any(|word| near.contains(word))
    };
    let mut flows: Vec<usize> = hands.filter(is_flow).collect();
    flows.sort_unstable();
    flows
}

/// A file that a literal is.
enum File {
    /// A program, an archive with names or a disk image.
    Whole(&'static str),
    /// One packed stream: viewers keep their data so.
    Packed(&'static str),
}

fn file_in(literal: &Literal) -> Option<File> {
    readings(literal).into_iter().find_map(|bytes| {
        let (family, kind) = family::sniff(&bytes, "");
        let is_stream = matches!(
            kind,
            "application/gzip" | "application/x-bzip2" | "application/x-xz" | "application/zstd" | "application/x-lzip"
        );
        match family {
            Family::Executable => Some(File::Whole(kind)),
            Family::Archive if is_stream => Some(File::Packed(kind)),
            Family::Archive => Some(File::Whole(kind)),
            _ => None,
        }
    })
}

/// What the bytes of a literal may be: its own characters, or decoded from base64, hexadecimal or escapes; forwards
/// and backwards.
fn readings(literal: &Literal) -> Vec<Vec<u8>> {
    let text = literal.text.as_str();
    let mut all: Vec<Vec<u8>> = literal.bytes().into_iter().collect();
    let plain = text.rsplit_once(";base64,").map_or(text, |(_, encoded)| encoded);
    let plain: String = plain.chars().filter(|c| !c.is_whitespace()).collect();
    if !plain.is_ascii() {
        return all;
    }
    let backwards: String = plain.chars().rev().collect();
    for text in [plain, backwards] {
        let head = &text[..text.len().min(DECODED_BYTES_MAX * 4 / 3)];
        all.extend(base64(head).into_iter().chain(hexadecimal(head)));
    }
    all
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    // The end may be cut: whole groups of four are enough.
    let whole = text.trim_end_matches('=');
    GeneralPurpose::new(alphabet, LENIENT).decode(&whole[..whole.len() - whole.len() % 4]).ok()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\\' | b'x' | b'%')).collect();
    if plain.len() < LITERAL_MIN || !plain.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    plain.chunks_exact(2).map(pair).collect()
}

/// The name of a file that runs, if a text is one.
fn runs(text: &str) -> Option<&str> {
    let name = text.trim();
    let is_name =
        name.len() <= 200 && !name.contains(['/', '<', '>', '\n', '{', ';', '*', '#']) && !name.starts_with('.');
    let lower = name.to_ascii_lowercase();
    (is_name && FILE_NAMES.iter().any(|end| lower.ends_with(end))).then_some(name)
}

/// A long text in one word that is no file that we know: what is enciphered looks so, and so does nothing that a person
/// has written.
fn is_opaque(literal: &Literal) -> bool {
    let text = literal.text.as_str();
    if text.len() < OPAQUE_MIN || text.starts_with("data:image/") || text.starts_with("data:font/") {
        return false;
    }
    if literal.is_numbers {
        // Measurements and codes of letters are of a part of all bytes.
        return literal.text.chars().collect::<BTreeSet<char>>().len() >= VALUES_MIN;
    }
    let is_word =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'));
    // What decodes to a picture, a font, a document or text is what it is.
    let is_known = base64(text).is_some_and(|bytes| {
        let (family, _) = family::sniff(&bytes, "");
        family != Family::Other
    });
    // A list of words, put together, is one word without a digit.
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    is_word && digits >= text.len() / 20 && !is_known
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn of(script: &str) -> Option<String> {
        smuggles(&[script.to_owned()])
    }

    const SAVE: &str =
        "var a=document.createElement('a');a.href=URL.createObjectURL(new Blob([u]));a.download=n;a.click();";

    fn program() -> Vec<u8> {
        let mut pe = vec![0_u8; 256];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x80;
        pe[0x80..0x84].copy_from_slice(b"PE\0\0");
        pe
    }

    #[test]
    fn a_program_in_a_literal_is_told_however_it_is_written() {
        let plain = STANDARD.encode(program());
        let hex: String = program().iter().map(|byte| format!("{byte:02x}")).collect();
        let numbers = program().iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let escapes: String = program().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        let backwards: String = plain.chars().rev().collect();
        let (one, two) = plain.split_at(100);
        for literal in [
            format!("'{plain}'"),
            format!("\"{hex}\""),
            format!("[{numbers}]"),
            format!("'{escapes}'"),
            format!("'{backwards}'.split('').reverse().join('')"),
            format!("'{one}' +\n  \"{two}\""),
            format!("['{one}','{two}'].join('')"),
            format!("`data:application/octet-stream;base64,{plain}`"),
        ] {
            let found = of(&format!("var d={literal};var u=Uint8Array.from(atob(d),c=>c.charCodeAt(0));{SAVE}"));
            assert!(found.is_some_and(|how| how.contains("portable-executable")), "{literal:.60}");
        }
    }

    #[test]
    fn what_is_enciphered_or_named_as_a_program_is_told() {
        let dark: Vec<u8> = (0..2000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let dark = STANDARD.encode(dark);
        let found = of(&format!("var d='{dark}';var u=x(atob(d));{SAVE}"));
        assert!(found.is_some_and(|how| how.contains("nobody can read")));
        let found = of(&format!("var n='Invoice.iso';var u=Uint8Array.from(t,c=>c.charCodeAt(0));{SAVE}"));
        assert!(found.is_some_and(|how| how.contains("Invoice.iso")));
    }

    #[test]
    fn reports_that_export_what_they_show_are_not() {
        let csv = "function save(rows){var t=rows.map(r=>r.join(',')).join('\\n');var u=t;var n='report.csv';";
        assert_eq!(of(&format!("{csv}{SAVE}}}")), None, "an export of a table");
        let text = STANDARD.encode("name,value\n".repeat(200));
        assert_eq!(of(&format!("var d='{text}',n='data.csv';var u=atob(d);{SAVE}")), None, "a table in base64");
        let picture = STANDARD.encode([b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[7; 3000]].concat());
        assert_eq!(of(&format!("var d='{picture}',n='plot.png';var u=atob(d);{SAVE}")), None, "a picture of a plot");
        let words = ["Zebra", "apple", "Berlin"].map(|word| format!("'{word}'")).join(",");
        let words = vec![words; 100].join(",");
        assert_eq!(of(&format!("var w=[{words}],u=atob(x),n='words.csv';{SAVE}")), None, "a list of words");
        let measured = vec!["12,200,7"; 700].join(",");
        assert_eq!(of(&format!("var w=[{measured}],u=atob(x),n='data.csv';{SAVE}")), None, "measurements");
        // A library decodes pictures and saves files, far from the data of the page.
        let library = format!("function i(s){{return atob(s)}}{}function s(b,n){{{SAVE}}}", "x();".repeat(2000));
        let dark = "QmFy".repeat(900);
        assert_eq!(smuggles(&[library.clone(), format!("var plot={{bdata:'{dark}'}}")]), None, "data beside a library");
        let packed = STANDARD.encode([b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &[9; 900]].concat());
        assert_eq!(smuggles(&[library.clone(), format!("var table='{packed}'")]), None, "a viewer with packed data");
        let credit = format!("{library}var c='Produced with Library.js';");
        assert_eq!(smuggles(&[credit]), None, "a name of a library");
    }
}
