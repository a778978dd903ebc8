//! The containers of virtual hard discs: VHD (Microsoft's specification of 2006) and VHDX (MS-VHDX).

use super::disk::{Disk, SECTOR};
use super::number::{piece, piece_so_far, size, u16_le, u32_be, u32_le, u64_be, u64_le};

/// What begins the footer of a VHD, and its length.
pub(super) const FOOTER: &[u8; 8] = b"conectix";
const FOOTER_BYTES: usize = 512;
/// What begins the header of one whose blocks are only there when they are used.
const SPARSE: &[u8; 8] = b"cxsparse";
/// What begins a VHDX.
const VHDX: &[u8; 8] = b"vhdxfile";
/// Where the tables of its regions are.
const REGIONS: [usize; 2] = [192 << 10, 256 << 10];
/// Regions and items by their numbers: the table of blocks, the metadata; the size of a block, of a sector.
const BLOCK_TABLE: [u8; 16] =
    [0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08];
const METADATA: [u8; 16] =
    [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];
const BLOCK_SIZE: [u8; 16] =
    [0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b];
const SECTOR_SIZE: [u8; 16] =
    [0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f];
/// Lines of a table of regions or items, and blocks of a disc. A block has a mebibyte or two.
const LINES_MAX: usize = 2047;
const BLOCKS_MAX: usize = 1 << 20;

/// Whether the bytes are a VHD: its footer is the last sector; a sparse one has a copy at the beginning.
pub(super) fn is_vhd(bytes: &[u8]) -> bool {
    footer(bytes).is_some()
}

/// Whether the bytes are a VHDX.
pub(super) fn is_vhdx(bytes: &[u8]) -> bool {
    bytes.starts_with(VHDX)
}

fn footer(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.len().checked_sub(FOOTER_BYTES);
    // Those of before 2003 were one byte shorter.
    let places = [last, Some(0), last.map(|last| last + 1)];
    let footers = places.into_iter().flatten().map(|at| piece_so_far(bytes, at, FOOTER_BYTES));
    footers.into_iter().find(|footer| footer.starts_with(FOOTER) && footer.len() + 1 >= FOOTER_BYTES)
}

/// The disc in a VHD: all of it before the footer, or by its table of blocks.
pub(super) fn vhd(bytes: &[u8]) -> Option<Disk<'_>> {
    const IS_FIXED: u32 = 2;
    const NOWHERE: u32 = u32::MAX;
    let footer = footer(bytes)?;
    if u32_be(footer, 60)? == IS_FIXED {
        return Some(Disk::Flat(bytes));
    }
    let header = size(u64_be(footer, 16)?);
    if piece(bytes, header, 8)? != SPARSE {
        return None;
    }
    let (table, count) = (size(u64_be(bytes, header + 16)?), u32_be(bytes, header + 28)? as usize);
    let block_bytes = u64::from(u32_be(bytes, header + 32)?).max(SECTOR);
    // Before each block stands which of its sectors are used, in whole sectors of its own.
    let used = (block_bytes / SECTOR).div_ceil(8).next_multiple_of(SECTOR);
    let place = |number: usize| {
        let sector = u32_be(bytes, table.checked_add(number.checked_mul(4)?)?)?;
        Some((sector != NOWHERE).then(|| size(u64::from(sector) * SECTOR + used)))
    };
    let table = (0..count.min(BLOCKS_MAX)).map_while(place).collect();
    Some(Disk::Blocks { bytes, block_bytes, table })
}

/// The disc in a VHDX (MS-VHDX 2.2 to 2.6). What stands in its log is not applied.
pub(super) fn vhdx(bytes: &[u8]) -> Option<Disk<'_>> {
    let regions = REGIONS.into_iter().find(|at| piece(bytes, *at, 4).is_some_and(|mark| mark == b"regi"))?;
    let region = |wanted: &[u8; 16]| {
        let count = (u32_le(bytes, regions + 8)? as usize).min(LINES_MAX);
        let line = (0..count).map(|line| regions + 16 + 32 * line).find(|at| is_at(bytes, *at, wanted))?;
        Some((size(u64_le(bytes, line + 16)?), u32_le(bytes, line + 24)? as usize))
    };
    let ((table, table_bytes), (metadata, _)) = (region(&BLOCK_TABLE)?, region(&METADATA)?);
    let item = |wanted: &[u8; 16]| {
        let count = usize::from(u16_le(bytes, metadata + 10)?).min(LINES_MAX);
        let line = (0..count).map(|line| metadata + 32 + 32 * line).find(|at| is_at(bytes, *at, wanted))?;
        u32_le(bytes, metadata.checked_add(u32_le(bytes, line + 16)? as usize)?)
    };
    let block_bytes = u64::from(item(&BLOCK_SIZE)?).max(SECTOR);
    let sector_bytes = u64::from(item(&SECTOR_SIZE).unwrap_or(512));
    // Behind so many blocks the table has a line that is none (MS-VHDX 2.5).
    let group = size(((1 << 23) * sector_bytes / block_bytes).max(1));
    let lines = (table_bytes / 8).min(BLOCKS_MAX);
    let place = |line: usize| {
        let line = u64_le(bytes, table.checked_add(line.checked_mul(8)?)?)?;
        // The state is in the lowest bits: 6 and 7 are there; the place is in mebibytes.
        Some(matches!(line & 7, 6 | 7).then_some(size(line & !0xf_ffff)))
    };
    let table = (0..lines).filter(|line| line % (group + 1) != group).map_while(place).collect();
    Some(Disk::Blocks { bytes, block_bytes, table })
}

fn is_at(bytes: &[u8], at: usize, wanted: &[u8; 16]) -> bool {
    piece(bytes, at, 16).is_some_and(|number| number == wanted)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fat::tests::{check, volume_of};
    use super::super::magic;
    use super::*;

    fn footer_of(kind: u32, header: u64) -> Vec<u8> {
        let mut footer = FOOTER.to_vec();
        footer.resize(FOOTER_BYTES, 0);
        footer[16..24].copy_from_slice(&header.to_be_bytes());
        footer[60..64].copy_from_slice(&kind.to_be_bytes());
        footer
    }

    /// The volume in the one partition of a disc.
    fn partitioned(volume: &[u8]) -> Vec<u8> {
        let mut disc = vec![0; 512];
        (disc[450], disc[454]) = (6, 1);
        disc[510..].copy_from_slice(b"\x55\xaa");
        disc.extend(volume);
        disc
    }

    #[test]
    fn a_fixed_one_is_opened() {
        let image = [partitioned(&volume_of(16)), footer_of(2, u64::MAX)].concat();
        assert_eq!(magic::behind_any_beginning(&image), Some("application/x-vhd"));
        check("application/x-vhd", &image);
    }

    #[test]
    fn one_of_blocks_is_opened() {
        const BLOCK: usize = 4096;
        let disc = partitioned(&volume_of(12));
        let mut header = SPARSE.to_vec();
        header.resize(1024, 0);
        header[16..24].copy_from_slice(&1536_u64.to_be_bytes());
        header[28..32].copy_from_slice(&8_u32.to_be_bytes());
        header[32..36].copy_from_slice(&(BLOCK as u32).to_be_bytes());
        let mut image = [footer_of(3, 512), header, vec![0xff; 512]].concat();
        // The last block stands first.
        for (number, block) in disc.chunks(BLOCK).enumerate().collect::<Vec<_>>().into_iter().rev() {
            let sector = (image.len() / 512) as u32;
            image[1536 + 4 * number..1540 + 4 * number].copy_from_slice(&sector.to_be_bytes());
            image.extend([0xff; 512]);
            image.extend(block);
            image.resize(image.len().next_multiple_of(512), 0);
        }
        image.extend(footer_of(3, 512));
        assert!(is_vhd(&image));
        check("application/x-vhd", &image);
    }

    /// A VHDX of one block.
    pub(in super::super) fn image() -> Vec<u8> {
        const BLOCK: u32 = 1 << 20;
        let mut image = vec![0; 4 << 20];
        image[..8].copy_from_slice(VHDX);
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        put(REGIONS[0], b"regi");
        put(REGIONS[0] + 8, &2_u32.to_le_bytes());
        for (line, number, at, length) in [(0, BLOCK_TABLE, 1_u64 << 20, 1024_u32), (1, METADATA, 2 << 20, 65_536)] {
            let line = REGIONS[0] + 16 + 32 * line;
            put(line, &number);
            put(line + 16, &at.to_le_bytes());
            put(line + 24, &length.to_le_bytes());
        }
        put((2 << 20) + 10, &2_u16.to_le_bytes());
        for (line, number, value) in [(0, BLOCK_SIZE, BLOCK), (1, SECTOR_SIZE, 512)] {
            let line = (2 << 20) + 32 + 32 * line;
            put(line, &number);
            let at = 4096 + (line as u32 & 0xff);
            put(line + 16, &at.to_le_bytes());
            put((2 << 20) + at as usize, &value.to_le_bytes());
        }
        put(1 << 20, &((3_u64 << 20) | 6).to_le_bytes());
        put(3 << 20, &partitioned(&volume_of(12)));
        image
    }

    #[test]
    fn a_vhdx_is_opened() {
        let image = image();
        assert_eq!(magic::by_beginning(&image), Some("application/x-vhdx"));
        check("application/x-vhdx", &image);
    }

    #[test]
    fn other_tables_of_partitions_are_read() {
        let volume = volume_of(12);
        // GPT: the old table says so, the new one is in the second sector.
        let mut gpt = vec![0; 34 * 512];
        (gpt[450], gpt[454]) = (0xee, 1);
        gpt[510..512].copy_from_slice(b"\x55\xaa");
        gpt[512..520].copy_from_slice(b"EFI PART");
        (gpt[512 + 72], gpt[512 + 80], gpt[512 + 84]) = (2, 4, 128);
        (gpt[1024], gpt[1024 + 32]) = (1, 34);
        check("application/x-disk-image", &[gpt, volume.clone()].concat());
        // A partition that holds another.
        let mut extended = vec![0; 1024];
        (extended[450], extended[454]) = (5, 1);
        (extended[512 + 450], extended[512 + 454]) = (6, 1);
        for at in [510, 1022] {
            extended[at..at + 2].copy_from_slice(b"\x55\xaa");
        }
        check("application/x-disk-image", &[extended, volume].concat());
    }
}
