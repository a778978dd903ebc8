//! WebP (RFC 9649): RIFF chunks, to the declared size.

use super::{STEPS_MAX, Walk, le16, le32, to_usize, vp8l};
use crate::structure::Check;

pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk::default();
    let Some(size) = le32(bytes, 4) else { return walk };
    let end = 8_usize.saturating_add(to_usize(size));
    if end > bytes.len() {
        walk.odd(bytes.len(), "ends before its declared size");
    }
    chunks(bytes, 12, end.min(bytes.len()), &mut walk, true);
    if end <= bytes.len() {
        // A file of odd size is padded (RIFF).
        walk.end = Some(if end % 2 == 1 && bytes.get(end) == Some(&0) { end + 1 } else { end });
    }
    walk
}

fn chunks(bytes: &[u8], from: usize, end: usize, walk: &mut Walk, outer: bool) {
    let mut at = from;
    for _ in 0..STEPS_MAX {
        if at + 8 > end {
            break;
        }
        let (Some(kind), Some(length)) = (bytes.get(at..at + 4), le32(bytes, at + 4)) else { break };
        let body = at + 8..(at + 8).saturating_add(to_usize(length));
        if body.end > end {
            walk.odd(at, format!("chunk {} goes beyond what holds it", kind.escape_ascii()));
            return;
        }
        let content = &bytes[body.clone()];
        match kind {
            b"VP8X" => walk.size = canvas(content),
            b"VP8 " => {
                walk.frames = walk.frames.saturating_add(1);
                let size = le16(content, 6).zip(le16(content, 8));
                walk.size = walk.size.or(size.map(|(w, h)| (w as u32 & 0x3fff, h as u32 & 0x3fff)));
            }
            b"VP8L" => {
                walk.frames = walk.frames.saturating_add(1);
                let size = le32(content, 1).map(|bits| ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1));
                walk.size = walk.size.or(size);
                lossless(walk, vp8l::check(content), body.start);
            }
            b"ALPH" if content.first().is_some_and(|flags| flags & 3 == 1) => {
                // The alpha of a lossy picture is a lossless one without a header, of the same size.
                if let Some((width, height)) = walk.size {
                    lossless(walk, vp8l::check_headless(&content[1..], width, height), body.start);
                }
            }
            b"ANMF" if outer => chunks(bytes, body.start + 16, body.end, walk, false),
            b"EXIF" | b"XMP " | b"ICCP" => walk.metadata.push(body.clone()),
            _ => {}
        }
        at = body.end + body.len() % 2;
    }
}

fn canvas(content: &[u8]) -> Option<(u32, u32)> {
    let edge =
        |at: usize| Some(u32::from_le_bytes([*content.get(at)?, *content.get(at + 1)?, *content.get(at + 2)?, 0]) + 1);
    edge(4).zip(edge(7))
}

fn lossless(walk: &mut Walk, checked: vp8l::Checked, at: usize) {
    match checked {
        vp8l::Checked::Overflow(evidence) => walk.exploits.push((Check::PictureCve20234863, at, evidence)),
        vp8l::Checked::Odd(what) => walk.odd(at, what),
        vp8l::Checked::Sound => {}
    }
}
