//! Pictures by their structure: walkers that find the real end of a container and account for every byte before it. No
//! pixel is decoded here.
//!
//! What is odd is a fact and scores nothing: phones, cameras, mail clients and gateways make odd
//! pictures all day, and mistaking that for malware is the failure this product exists for. What acts is what runs: a
//! program or an archive where the picture ends, a script where only text should be, and the exact conditions of known
//! exploits.

mod bmp;
mod gif;
mod ico;
mod jpeg;
mod payload;
mod png;
pub mod svg;
mod tail;
mod vp8l;
mod webp;

pub(crate) use payload::encoded_program;

use std::ops::Range;

use domain::message::{Family, Part, Tail};

use crate::structure::{Check, Signal};

/// Pixels above which a picture is not decoded by anybody careful: facts above the first, held above the second.
const PIXELS_LARGE: u64 = 100_000_000;
const PIXELS_HUGE: u64 = 1_000_000_000;
/// A picture this much larger than its file is a bomb in small clothes, from this size on.
const BOMB_RATIO: u64 = 2000;
const BOMB_PIXELS_MIN: u64 = 25_000_000;
/// Bytes of an unknown tail from which on it is more than a fact.
const TAIL_WEAK_BYTES: usize = 4096;
/// Oddities of one picture that are told.
const ODDITIES_MAX: usize = 10;
/// Segments, chunks and blocks of one picture that are walked.
const STEPS_MAX: usize = 1_000_000;

/// What a walker says of a container.
#[derive(Debug, Default)]
struct Walk {
    /// Where the container really ends; none when it breaks off.
    end: Option<usize>,
    /// Width and height as declared.
    size: Option<(u32, u32)>,
    /// Frames as declared, where there can be more than one.
    frames: u32,
    /// What is odd, and where: facts.
    oddities: Vec<(usize, String)>,
    /// Exact conditions of exploits.
    exploits: Vec<(Check, usize, String)>,
    /// Where text, profiles and other data besides the picture lie.
    metadata: Vec<Range<usize>>,
    /// Metadata that had to be unpacked.
    unpacked: Vec<Vec<u8>>,
    /// Whether an index of further pictures behind this one is announced (CIPA DC-007, "MPF").
    announces_more: bool,
}

impl Walk {
    fn odd(&mut self, at: usize, what: impl Into<String>) {
        if self.oddities.len() < ODDITIES_MAX {
            self.oddities.push((at, what.into()));
        }
    }
}

/// A part that was found inside or behind a picture, to be looked at like any other.
#[derive(Debug)]
pub struct Hidden {
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What was seen of one picture.
#[derive(Debug, Default)]
pub struct PictureReading {
    /// Signals.
    pub signals: Vec<Signal>,
    /// What follows the real end.
    pub tail: Tail,
    /// What hides behind it.
    pub hidden: Vec<Hidden>,
}

/// Looks at a part of the family `Image`.
pub fn look(bytes: &[u8], part: &Part) -> PictureReading {
    let mut seen = PictureReading::default();
    if part.content_type == "image/svg+xml" {
        svg::look(bytes, part, &mut seen.signals);
        return seen;
    }
    let Some(walk) = walk(bytes) else { return seen };
    let mut add = |check, at: usize, evidence: String| seen.signals.push(signal(part, check, at, evidence));
    for (check, at, evidence) in &walk.exploits {
        add(*check, *at, evidence.clone());
    }
    for (at, evidence) in &walk.oddities {
        add(Check::PictureMalformed, *at, evidence.clone());
    }
    bombs(&walk, bytes.len(), &mut add);
    for (check, at, evidence) in payload::in_metadata(&walk, bytes, is_served_as_page(part)) {
        add(check, at, evidence);
    }
    let Some(end) = walk.end else {
        seen.tail = Tail::NotWalked;
        return seen;
    };
    behind(bytes, end, &walk, part, &mut seen);
    seen
}

/// What stands at `at`; no further than the part, whatever the text that it was read as was turned into on the way.
fn signal(part: &Part, check: Check, at: usize, evidence: String) -> Signal {
    let evidence = crate::mime::clean(&evidence);
    Signal { offset: Some((at as u64).min(part.size)), ..Signal::of_part(check, part, evidence) }
}

fn walk(bytes: &[u8]) -> Option<Walk> {
    match bytes {
        [0xff, 0xd8, ..] => Some(jpeg::walk(bytes)),
        [0x89, b'P', b'N', b'G', ..] => Some(png::walk(bytes)),
        [b'G', b'I', b'F', b'8', ..] => Some(gif::walk(bytes)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(webp::walk(bytes)),
        [b'B', b'M', ..] => Some(bmp::walk(bytes)),
        [0, 0, 1 | 2, 0, ..] => Some(ico::walk(bytes)),
        // TIFF, HEIF and others are recognised and left alone.
        _ => None,
    }
}

/// By declared size alone; nothing is decoded to find out.
fn bombs(walk: &Walk, file_bytes: usize, add: &mut impl FnMut(Check, usize, String)) {
    let Some((width, height)) = walk.size else { return };
    let pixels = u64::from(width) * u64::from(height);
    let all = pixels * u64::from(walk.frames.max(1));
    let mut told = format!("declares {width} x {height} pixels");
    if walk.frames > 1 {
        told.push_str(&format!(" in {} frames", walk.frames));
    }
    if all > PIXELS_HUGE {
        return add(Check::PictureHuge, 0, told);
    }
    let is_bomb = pixels > BOMB_PIXELS_MIN && pixels * 4 > BOMB_RATIO * file_bytes as u64;
    if pixels > PIXELS_LARGE || is_bomb {
        add(Check::PictureLarge, 0, format!("{told} in {file_bytes} bytes; not decoded"));
    }
}

/// What follows the real end of the picture, piece by piece.
fn behind(bytes: &[u8], end: usize, walk: &Walk, part: &Part, seen: &mut PictureReading) {
    let pieces = tail::classify(bytes, end, walk.announces_more);
    let mut add = |check, at: usize, evidence: String| seen.signals.push(signal(part, check, at, evidence));
    if !pieces.is_empty() {
        let told: Vec<String> = pieces.iter().map(|piece| piece.told()).collect();
        add(Check::PictureTail, end, format!("behind the picture: {}", told.join(", then ")));
    }
    for piece in &pieces {
        let content = &bytes[piece.range.clone()];
        match piece.kind {
            tail::Kind::Program(what) => {
                add(Check::PictureTailProgram, piece.range.start, format!("{what} where the picture ends"));
                seen.hidden.push(Hidden { name: format!("{} behind {}", what, label(part)), bytes: content.to_vec() });
            }
            tail::Kind::Container(what) => {
                add(Check::PictureTailArchive, piece.range.start, format!("{what} where the picture ends"));
                seen.hidden.push(Hidden { name: format!("{} behind {}", what, label(part)), bytes: content.to_vec() });
            }
            tail::Kind::Unknown => {
                if let Some((at, evidence)) = payload::encoded_program(content) {
                    add(Check::PicturePayload, piece.range.start + at, evidence);
                } else if content.len() >= TAIL_WEAK_BYTES {
                    add(
                        Check::PictureTailLarge,
                        piece.range.start,
                        format!("{} bytes of no known kind", content.len()),
                    );
                }
            }
            tail::Kind::Known(_) => {}
        }
    }
    seen.tail = tail::summary(&pieces);
}

fn label(part: &Part) -> &str {
    if part.name.is_empty() { "a picture" } else { &part.name }
}

/// Whether a program would take these bytes for a page, whatever their first bytes say.
fn is_served_as_page(part: &Part) -> bool {
    let extension = crate::family::extension(&part.name).unwrap_or_default();
    matches!(extension.as_str(), "htm" | "html" | "xhtml" | "shtml" | "hta" | "mht" | "mhtml" | "svg" | "php")
        || matches!(part.declared.as_str(), "text/html" | "application/xhtml+xml" | "image/svg+xml")
}

/// Whether a name or a declaration says that a part is a picture while its content is something that opens elsewhere.
pub fn is_disguise(part: &Part) -> bool {
    const PICTURES: [&str; 14] =
        ["jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "dib", "webp", "ico", "tif", "tiff", "heic", "heif"];
    let extension = crate::family::extension(&part.name);
    let says_picture = match &extension {
        Some(extension) => PICTURES.contains(&extension.as_str()),
        None => part.declared.starts_with("image/"),
    };
    says_picture && matches!(part.family, Family::Pdf | Family::Archive | Family::Office)
}

/// A big-endian number of two bytes.
fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
