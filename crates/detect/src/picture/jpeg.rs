//! JPEG (ITU-T T.81 annex B): segments, entropy-coded data with stuffing and restarts, to the end-of-image marker.

use std::ops::Range;

use super::{STEPS_MAX, Walk, be16};
use crate::structure::Check;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const COM: u8 = 0xfe;
/// Markers without a length: TEM and the restarts.
const ALONE: Range<u8> = 0xd0..0xd8;

pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk { frames: 1, ..Walk::default() };
    let mut at = 2;
    for _ in 0..STEPS_MAX {
        let Some(marker) = next_marker(bytes, &mut at, &mut walk) else {
            walk.odd(bytes.len(), "ends without an end-of-image marker");
            return walk;
        };
        match marker {
            EOI => {
                walk.end = Some(at);
                return walk;
            }
            0x01 => continue,
            marker if ALONE.contains(&marker) => continue,
            // A second picture before the end of the first; decoders begin anew or give up.
            SOI => walk.odd(at - 2, "a second start of image"),
            marker => {
                let Some(length) = be16(bytes, at) else {
                    walk.odd(at, "cut off in a segment");
                    return walk;
                };
                if length < 2 {
                    short_segment(&mut walk, marker, length, at);
                    return walk;
                }
                let body = at + 2..at + length;
                if body.end > bytes.len() {
                    walk.odd(at, format!("segment {marker:02x} goes beyond the file"));
                    return walk;
                }
                segment(&mut walk, marker, bytes, body.clone());
                at = body.end;
                if marker == SOS {
                    at = entropy_end(bytes, at);
                }
            }
        }
    }
    walk
}

/// The marker at or behind `at`, and moves behind it. Any number of fill bytes may come before one (B.1.1.2); other
/// bytes must not, but decoders skip them, and some writers leave them.
fn next_marker(bytes: &[u8], at: &mut usize, walk: &mut Walk) -> Option<u8> {
    loop {
        let start = *at;
        let skipped = memchr::memchr(0xff, bytes.get(start..)?)?;
        if skipped > 0 {
            walk.odd(start, format!("{skipped} bytes between segments"));
            walk.metadata.push(start..start + skipped);
        }
        let mut here = start + skipped;
        while bytes.get(here) == Some(&0xff) {
            here += 1;
        }
        *at = here + 1;
        match *bytes.get(here)? {
            // Stuffing outside of entropy-coded data: no marker at all.
            0 => {}
            marker => return Some(marker),
        }
    }
}

/// A comment or application segment of length 0 or 1 made a length of -1 or -2 in GDI+ (MS04-028). No writer makes one.
fn short_segment(walk: &mut Walk, marker: u8, length: usize, at: usize) {
    if marker == COM || (0xe0..=0xef).contains(&marker) {
        let evidence = format!("segment {marker:02x} of length {length}");
        walk.exploits.push((Check::PictureMs04028, at, evidence));
    } else {
        walk.odd(at, format!("segment {marker:02x} of length {length}"));
    }
}

fn segment(walk: &mut Walk, marker: u8, bytes: &[u8], body: Range<usize>) {
    match marker {
        // Every start of frame but DHT, JPG and DAC, which share its range.
        0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
            if let (Some(height), Some(width)) = (be16(bytes, body.start + 1), be16(bytes, body.start + 3)) {
                let known = walk.size.unwrap_or_default();
                let size = (width as u32, height as u32);
                walk.size = Some((known.0.max(size.0), known.1.max(size.1)));
            }
        }
        0xe0..=0xef | COM => {
            walk.announces_more |= marker == 0xe2 && bytes[body.clone()].starts_with(b"MPF\0");
            walk.metadata.push(body);
        }
        _ => {}
    }
}

/// Where entropy-coded data ends: at a marker that is neither stuffing nor a restart.
fn entropy_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(0xff, rest)) {
        let here = at + found;
        match bytes.get(here + 1) {
            Some(0) => at = here + 2,
            Some(next) if ALONE.contains(next) => at = here + 2,
            Some(0xff) => at = here + 1,
            Some(_) => return here,
            None => break,
        }
    }
    bytes.len()
}
