//! Cabinets of Windows (MS-CAB). Names are read here; each folder is handed to the library as a cabinet of one file, so
//! that one that is damaged or of an unknown compression hides no other.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::found::Found;
use super::number::{piece, u16_le, u32_le, until_nul};
use super::{Allowance, Closed, Member};

/// Bytes of the header before what may follow it.
const HEADER_BYTES: usize = 36;
/// Bytes of a folder's record, of a block's header, and of a file's record before its name.
const FOLDER_BYTES: usize = 8;
const BLOCK_BYTES: usize = 8;
const FILE_BYTES: usize = 16;
/// Flags of the header: there is a cabinet before, one behind, and room is reserved.
const HAS_PREVIOUS: u16 = 1;
const HAS_NEXT: u16 = 2;
const HAS_RESERVE: u16 = 4;

struct Folder {
    data_at: usize,
    blocks: usize,
    compression: u16,
}

struct File {
    name: String,
    from: usize,
    length: usize,
    folder: usize,
}

/// Opens a cabinet.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let Some((folders, reserved)) = folders(bytes) else {
        return Err(Closed::NotAnalysed("damaged cabinet: its header".into()));
    };
    let files = files(bytes, allowance.entries_left());
    let mut contents: Vec<Option<Vec<u8>>> = folders.iter().map(|_| None).collect();
    let mut used = vec![0_usize; folders.len()];
    // Bytes of blocks that folders may take, all together: each block once, and what is put around them, unless folders
    // share them.
    let mut packed_left = bytes.len().saturating_mul(4);
    for file in files {
        allowance.entry()?;
        // A file that goes on from or into another cabinet names no folder of this one; it is in the first or the last.
        let number = match file.folder {
            0xfffd | 0xffff => 0,
            0xfffe => folders.len().saturating_sub(1),
            other => other,
        };
        let Some(folder) = folders.get(number) else {
            found.note(Closed::NotAnalysed("damaged cabinet: a file in no folder".into()));
            found.name(file.name);
            continue;
        };
        let content = contents[number].get_or_insert_with(|| {
            let (content, closed) = unpacked(bytes, folder, reserved, &mut packed_left, allowance);
            found.note_all(closed);
            content
        });
        let there = content.len().saturating_sub(file.from).min(file.length);
        used[number] = used[number].saturating_add(there);
        let is_shared = used[number] > content.len();
        let part = piece(content, file.from, there).filter(|_| !is_shared).unwrap_or_default().to_vec();
        if is_shared {
            found.note(Closed::Limit("files that share their bytes".into()));
        } else if there < file.length {
            found.note(Closed::NotAnalysed("damaged cabinet: a file that is not all there".into()));
        }
        found.add(Member::new(file.name, part), None);
    }
    Ok(())
}

/// The folders, and the bytes that each block reserves for who wrote it.
fn folders(bytes: &[u8]) -> Option<(Vec<Folder>, usize)> {
    let (count, flags) = (u16_le(bytes, 26)?, u16_le(bytes, 30)?);
    let (mut at, mut folder_reserve, mut block_reserve) = (HEADER_BYTES, 0, 0);
    if flags & HAS_RESERVE != 0 {
        folder_reserve = usize::from(*bytes.get(at + 2)?);
        block_reserve = usize::from(*bytes.get(at + 3)?);
        at += 4 + usize::from(u16_le(bytes, at)?);
    }
    let texts = [HAS_PREVIOUS, HAS_NEXT].into_iter().filter(|flag| flags & flag != 0).count() * 2;
    for _ in 0..texts {
        at += until_nul(bytes.get(at..)?).len() + 1;
    }
    let mut folders = Vec::new();
    for _ in 0..count {
        let (Some(data_at), Some(blocks), Some(compression)) =
            (u32_le(bytes, at), u16_le(bytes, at + 4), u16_le(bytes, at + 6))
        else {
            break;
        };
        folders.push(Folder { data_at: data_at as usize, blocks: usize::from(blocks), compression });
        at += FOLDER_BYTES + folder_reserve;
    }
    Some((folders, block_reserve))
}

/// The files that are listed, up to the first that is not all there, and no more than `max`.
fn files(bytes: &[u8], max: usize) -> Vec<File> {
    let (mut at, count) = (u32_le(bytes, 16).unwrap_or(0) as usize, u16_le(bytes, 28).unwrap_or(0));
    let mut files = Vec::new();
    for _ in 0..usize::from(count).min(max) {
        let (Some(length), Some(from), Some(folder), Some(text)) = (
            u32_le(bytes, at),
            u32_le(bytes, at + 4),
            u16_le(bytes, at + 8),
            bytes.get(at + FILE_BYTES..).map(until_nul),
        ) else {
            break;
        };
        files.push(File {
            name: String::from_utf8_lossy(text).into_owned(),
            from: from as usize,
            length: length as usize,
            folder: usize::from(folder),
        });
        at += FILE_BYTES + text.len() + 1;
    }
    files
}

/// What is in a folder, or as much of it as could be read.
fn unpacked(
    bytes: &[u8],
    folder: &Folder,
    reserved: usize,
    packed_left: &mut usize,
    allowance: &mut Allowance<'_>,
) -> (Vec<u8>, Option<Closed>) {
    let closed = |why: String| (Vec::new(), Some(Closed::NotAnalysed(why)));
    if folder.compression & 15 == 2 {
        return closed("Quantum in a cabinet is not opened".into());
    }
    let Some(alone) = alone(bytes, folder, reserved, *packed_left) else {
        return closed("damaged cabinet: a folder without data".into());
    };
    if alone.len() > *packed_left {
        return (Vec::new(), Some(Closed::Limit("folders that share their bytes".into())));
    }
    *packed_left -= alone.len();
    let packed = alone.len() as u64;
    // The library panics on some damage.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut cabinet = ::cab::Cabinet::new(Cursor::new(alone))?;
        let content = cabinet.read_file("x")?;
        Ok::<_, std::io::Error>(allowance.read_so_far(packed, content))
    }));
    match read {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => closed(format!("damaged cabinet: {error}")),
        Err(_) => closed("damaged cabinet: a folder that cannot be read".into()),
    }
}

/// A cabinet of this folder alone, or of as much of it as is just over `max` bytes: one file called "x". Checksums are
/// left out: what does not fit them is unpacked by others as well.
fn alone(bytes: &[u8], folder: &Folder, reserved: usize, max: usize) -> Option<Vec<u8>> {
    let (mut blocks, mut count, mut unpacked, mut at) = (Vec::new(), 0_u16, 0_u32, folder.data_at);
    for _ in 0..folder.blocks {
        let (Some(packed), Some(length)) = (u16_le(bytes, at + 4), u16_le(bytes, at + 6)) else { break };
        let from = at + BLOCK_BYTES + reserved;
        let Some(data) = piece(bytes, from, usize::from(packed)) else { break };
        // One block over it is enough to tell.
        if blocks.len() > max {
            break;
        }
        blocks.extend([0; 4]);
        blocks.extend(packed.to_le_bytes());
        blocks.extend(length.to_le_bytes());
        blocks.extend(data);
        (count, unpacked, at) = (count + 1, unpacked.saturating_add(u32::from(length)), from + data.len());
    }
    if count == 0 {
        return None;
    }
    let files_at = (HEADER_BYTES + FOLDER_BYTES) as u32;
    let data_at = files_at + FILE_BYTES as u32 + 2;
    let mut alone = b"MSCF\0\0\0\0".to_vec();
    alone.extend((data_at + u32::try_from(blocks.len()).ok()?).to_le_bytes());
    alone.extend([0; 4]);
    alone.extend(files_at.to_le_bytes());
    alone.extend([0, 0, 0, 0, 3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    alone.extend(data_at.to_le_bytes());
    alone.extend(count.to_le_bytes());
    alone.extend(folder.compression.to_le_bytes());
    alone.extend(unpacked.to_le_bytes());
    alone.extend([0; 12]);
    alone.extend(b"x\0");
    alone.extend(blocks);
    Some(alone)
}
