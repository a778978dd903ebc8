//! GIF89a: blocks and their sub-blocks, to the trailer.

use super::{STEPS_MAX, Walk, le16};

pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk::default();
    let (Some(width), Some(height), Some(packed)) = (le16(bytes, 6), le16(bytes, 8), bytes.get(10)) else {
        walk.odd(bytes.len(), "cut off in its header");
        return walk;
    };
    walk.size = Some((width as u32, height as u32));
    let mut at = 13 + colours(*packed);
    for _ in 0..STEPS_MAX {
        match bytes.get(at) {
            Some(0x3b) => {
                walk.end = Some(at + 1);
                return walk;
            }
            Some(0x2c) => {
                walk.frames = walk.frames.saturating_add(1);
                let Some(packed) = bytes.get(at + 9) else { break };
                // Behind the descriptor and its colours: the smallest code size, then the pixels.
                let Some(end) = sub_blocks(bytes, at + 10 + colours(*packed) + 1) else { break };
                at = end;
            }
            Some(0x21) => {
                let Some(end) = sub_blocks(bytes, at + 2) else { break };
                // Comments, and what applications leave.
                if matches!(bytes.get(at + 1), Some(0xfe | 0xff)) {
                    walk.metadata.push(at + 2..end);
                }
                at = end;
            }
            // Writers leave zeros between blocks, readers skip them.
            Some(0) => at += 1,
            Some(other) => {
                walk.odd(at, format!("a block of no known kind ({other:02x})"));
                return walk;
            }
            None => break,
        }
    }
    walk.odd(bytes.len(), "ends without a trailer");
    walk
}

/// Bytes of a table of colours, by the packed field that announces it.
fn colours(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// Where a chain of sub-blocks ends; none if it does not.
fn sub_blocks(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match usize::from(*bytes.get(at)?) {
            0 => return Some(at + 1),
            length => at += 1 + length,
        }
    }
}
