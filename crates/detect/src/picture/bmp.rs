//! BMP: the header says where the pixels begin; their number and depth say where they end. The size that the file
//! claims for itself is not believed: whoever appends something can change it.

use super::{Walk, le16, le32, to_usize};

pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut walk = Walk { frames: 1, ..Walk::default() };
    let (Some(pixels), Some(header)) = (le32(bytes, 10), le32(bytes, 14)) else {
        walk.odd(bytes.len(), "cut off in its header");
        return walk;
    };
    let end = if header == 12 { core_end(bytes, &mut walk) } else { info_end(bytes, &mut walk, to_usize(header)) };
    let Some(length) = end else {
        walk.odd(14, format!("a header of {header} bytes that says no size"));
        return walk;
    };
    let mut end = to_usize(pixels).saturating_add(length);
    if header == 124
        && let (Some(offset), Some(size)) = (le32(bytes, 14 + 112), le32(bytes, 14 + 116))
        && size > 0
    {
        // A colour profile lies where its header says, from the header's own beginning.
        end = end.max(14_usize.saturating_add(to_usize(offset)).saturating_add(to_usize(size)));
    }
    if end > bytes.len() {
        walk.odd(bytes.len(), "ends before its last row");
        return walk;
    }
    walk.end = Some(end);
    walk
}

/// Bytes of the pixels after the header of OS/2 1.x.
fn core_end(bytes: &[u8], walk: &mut Walk) -> Option<usize> {
    let (width, height, depth) = (le16(bytes, 18)?, le16(bytes, 20)?, le16(bytes, 24)?);
    walk.size = Some((width as u32, height as u32));
    Some(rows(width, height, depth))
}

fn info_end(bytes: &[u8], walk: &mut Walk, header: usize) -> Option<usize> {
    if header < 16 {
        return None;
    }
    let (width, height, depth) = (le32(bytes, 18)?, le32(bytes, 22)?, le16(bytes, 28)?);
    // A negative height means that the first row is the top one.
    let height = (height as i32).unsigned_abs();
    walk.size = Some((width, height));
    let (compression, declared) = if header >= 40 { (le32(bytes, 30)?, le32(bytes, 34)?) } else { (0, 0) };
    match compression {
        // Plain rows, or rows with masks.
        0 | 3 | 6 => Some(rows(to_usize(width), to_usize(height), depth)),
        // Compressed: only the header knows.
        _ => Some(to_usize(declared)),
    }
}

/// Rows are padded to four bytes.
fn rows(width: usize, height: usize, depth: usize) -> usize {
    width.saturating_mul(depth).div_ceil(32).saturating_mul(4).saturating_mul(height)
}
