//! Writes hit.eml and miss.eml of the detections that the product ships, and the seeds of the walkers' fuzz targets.
//! All of it is made here: `cargo run -p detect --example fixtures` in the repository's root, after a change of the
//! pack or of a fixture.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

#[path = "fixtures/document.rs"]
mod document;
#[path = "fixtures/mail.rs"]
mod mail;
#[path = "fixtures/page.rs"]
mod page;
#[path = "fixtures/seeds.rs"]
mod seeds;

use std::io;
use std::path::Path;

use detect::lookalike::pictures;
use mail::Mail;

/// The detection, the specimen that it hits, the one that it misses.
const FIXTURES: [(&str, &str, &str); 17] = [
    ("IMG-0001", "a program behind a JPEG", "a motion photo and Samsung's trailer"),
    ("IMG-0002", "a zip behind a JPEG (rarjpeg)", "a trailer with the letters PK in it"),
    ("IMG-0003", "a motion photo", "a plain JPEG"),
    ("IMG-0004", "an unknown long trailer of a camera", "an unknown short trailer of a camera"),
    ("IMG-0005", "a PNG with a wrong checksum", "Apple's iDOT chunk"),
    ("IMG-0006", "a comment of length 0 (MS04-028)", "a JPEG cut off by a gateway"),
    ("IMG-0007", "Huffman tables that overflow (CVE-2023-4863)", "a WebP cut off by a gateway"),
    ("IMG-0008", "a picture of 20,000 x 20,000", "a plain PNG, as Outlook names it"),
    ("IMG-0009", "a picture of 60,000 x 60,000", "a picture of 20,000 x 20,000"),
    ("IMG-0010", "a program in base64 in a comment", "a thumbnail in base64 in XMP"),
    ("IMG-0011", "markup in a comment", "an edit history in XMP"),
    ("IMG-0012", "a page with a script that begins like a GIF", "markup in a comment"),
    ("IMG-0013", "a colour profile whose tag overflows", "half a colour profile"),
    ("IMG-0014", "a PDF named as a GIF (FORCEDENTRY)", "a JPEG named PNG"),
    ("SVG-0001", "a script", "text in a foreign object (draw.io)"),
    ("SVG-0002", "a picture from elsewhere", "a picture inside"),
    ("SVG-0003", "text in a foreign object (draw.io)", "a plain SVG"),
];

/// A detection with a mail that it hits and one that it misses.
type Fixture = (&'static str, Mail, Mail);

fn main() -> io::Result<()> {
    let pack = pictures();
    let find = |name: &str| {
        let found = pack.iter().find(|specimen| specimen.name == name);
        found.ok_or_else(|| io::Error::other(format!("no specimen '{name}'")))
    };
    for (code, hit, miss) in FIXTURES {
        let [hit, miss] = [find(hit)?, find(miss)?]
            .map(|one| Mail::new(one.name).text("See attached.").attach(one.file, one.declared, &one.bytes));
        write((code, hit, miss))?;
    }
    document::fixtures().into_iter().chain(page::fixtures()).try_for_each(write)?;
    seeds::write()?;
    for specimen in pack.iter().filter(|specimen| specimen.bytes.len() <= SEED_BYTES_MAX) {
        let Some(target) = target(&specimen.bytes) else { continue };
        let folder = Path::new("fuzz/seeds").join(target);
        std::fs::create_dir_all(&folder)?;
        let name: String = specimen
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        std::fs::write(folder.join(name), &specimen.bytes)?;
    }
    Ok(())
}

fn write((code, hit, miss): Fixture) -> io::Result<()> {
    println!("{code}");
    let folder = Path::new("detections").join(code);
    std::fs::write(folder.join("hit.eml"), hit.build())?;
    std::fs::write(folder.join("miss.eml"), miss.build())
}

/// Bytes of a seed at most; the fuzzer makes none longer.
const SEED_BYTES_MAX: usize = 12 * 1024;

/// The fuzz target that a specimen is a seed of.
fn target(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0xff, 0xd8, ..] => "jpeg",
        [0x89, b'P', ..] => "png",
        [b'G', b'I', b'F', ..] => "gif",
        [b'R', b'I', b'F', b'F', ..] => "webp",
        [b'B', b'M', ..] => "bmp",
        [0, 0, 1 | 2, 0, ..] => "ico",
        [b'<', ..] => "svg",
        _ => return None,
    })
}
