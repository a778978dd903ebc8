//! Writes hit.eml and miss.eml of the detections on pictures, and the seeds of the walkers' fuzz targets, from the look-alike pack:
//! `cargo run -p detect --example fixtures` in the repository's root, after a change of the pack.
#![allow(clippy::print_stdout, reason = "a command for developers talks on the terminal")]

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detect::lookalike::{Specimen, pack};

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

fn main() -> std::io::Result<()> {
    let pack = pack();
    let find = |name: &str| pack.iter().find(|specimen| specimen.name == name);
    for (code, hit, miss) in FIXTURES {
        for (file, name) in [("hit.eml", hit), ("miss.eml", miss)] {
            let specimen = find(name).ok_or_else(|| std::io::Error::other(format!("no specimen '{name}'")))?;
            std::fs::write(Path::new("detections").join(code).join(file), mail(specimen))?;
        }
        println!("{code}");
    }
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

fn mail(specimen: &Specimen) -> String {
    let Specimen { name, file, declared, bytes, .. } = specimen;
    let encoded = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!(
        "From: Anna <anna@partner.example>\nTo: Bert <bert@example.com>\nSubject: {name}\nDate: Mon, 23 Nov 2026 09:30:00 +0000\n\
         Message-ID: <{}@partner.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_fixture\"\n\n\
         --=_fixture\nContent-Type: text/plain\n\nSee attached.\n\
         --=_fixture\nContent-Type: {declared}; name=\"{file}\"\nContent-Disposition: attachment; filename=\"{file}\"\n\
         Content-Transfer-Encoding: base64\n\n{}\n--=_fixture--\n",
        bytes.len(),
        lines.join("\n")
    )
}
