//! PNG (W3C PNG third edition): chunks with their checksums, to IEND. Chunks that no standard names are nothing odd.

use std::io::Read;

use super::{STEPS_MAX, Walk, be32, to_usize};

/// Bytes that a compressed text or profile may unpack to; what is beyond is not looked at.
const UNPACKED_MAX: u64 = 1 << 20;

pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk { frames: 1, ..Walk::default() };
    let mut at = 8;
    for _ in 0..STEPS_MAX {
        let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) else {
            walk.odd(at, "ends without IEND");
            return walk;
        };
        let body = at + 8..(at + 8).saturating_add(to_usize(length));
        let next = body.end.saturating_add(4);
        if length > 0x7fff_ffff || next > bytes.len() {
            walk.odd(at, format!("chunk {} goes beyond the file", kind.escape_ascii()));
            return walk;
        }
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[at + 4..body.end]);
        if be32(bytes, body.end) != Some(crc.sum()) {
            walk.odd(at, format!("checksum of chunk {} does not fit", kind.escape_ascii()));
        }
        let content = &bytes[body.clone()];
        match kind {
            b"IHDR" => walk.size = be32(content, 0).zip(be32(content, 4)),
            b"acTL" => walk.frames = be32(content, 0).unwrap_or(1),
            b"tEXt" | b"eXIf" => walk.metadata.push(body),
            b"zTXt" | b"iCCP" => {
                // A name, a zero, the method, then the stream.
                let stream = content.iter().position(|byte| *byte == 0).and_then(|end| content.get(end + 2..));
                walk.unpacked.extend(stream.map(inflate));
            }
            b"iTXt" => international(&mut walk, content, body),
            b"IEND" => {
                walk.end = Some(next);
                return walk;
            }
            _ => {}
        }
        at = next;
    }
    walk
}

/// A name, a zero, whether it is compressed, how, a language, a zero, a translated name, a zero, the text.
fn international(walk: &mut Walk, content: &[u8], body: std::ops::Range<usize>) {
    let flag = content.iter().position(|byte| *byte == 0).and_then(|end| content.get(end + 1));
    if flag != Some(&1) {
        return walk.metadata.push(body);
    }
    let mut zeros = content.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at);
    let text = zeros.next().map(|end| end + 3).and_then(|from| {
        let mut ends = content.get(from..)?.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| from + at);
        ends.nth(1)
    });
    walk.unpacked.extend(text.and_then(|end| content.get(end + 1..)).map(inflate));
}

fn inflate(stream: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // What does not unpack is shown as far as it does: oddities are facts.
    let _ = flate2::read::ZlibDecoder::new(stream).take(UNPACKED_MAX).read_to_end(&mut out);
    out
}
