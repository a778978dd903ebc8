//! ICO and CUR: a directory of pictures, each where its entry says.

use super::{Walk, le16, le32, to_usize};

/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 256;

pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk { frames: 1, ..Walk::default() };
    let count = le16(bytes, 4).unwrap_or(0);
    if count == 0 || count > ENTRIES_MAX {
        walk.odd(4, format!("a directory of {count} entries"));
        return walk;
    }
    let mut end = 6 + 16 * count;
    for entry in 0..count {
        let at = 6 + 16 * entry;
        let (Some(size), Some(offset)) = (le32(bytes, at + 8), le32(bytes, at + 12)) else {
            walk.odd(at, "cut off in its directory");
            return walk;
        };
        let (start, stop) = (to_usize(offset), to_usize(offset).saturating_add(to_usize(size)));
        if stop > bytes.len() {
            walk.odd(at, "an entry goes beyond the file");
            return walk;
        }
        let is_picture = bytes[start..].starts_with(b"\x89PNG") || le32(bytes, start) == Some(40);
        if !is_picture {
            walk.odd(start, "an entry that is neither a PNG nor a bitmap");
            walk.metadata.push(start..stop);
        }
        end = end.max(stop);
    }
    walk.size = Some((256, 256));
    walk.end = Some(end);
    walk
}
