//! Images of hard discs: their partitions, and the files of those that are FAT, exFAT or NTFS. Windows mounts VHD and
//! VHDX on a double click.

use super::found::Found;
use super::number::{piece, size, u32_le, u64_le};
use super::{Allowance, Closed, exfat, fat, ntfs, vhd};

/// Bytes of a sector, in which partition tables count.
pub(super) const SECTOR: u64 = 512;
/// Partitions that are looked into.
const PARTITIONS_MAX: usize = 32;
/// Bytes that are read of a table of partitions.
const TABLE_BYTES_MAX: u32 = 128 << 10;
/// Types of partitions (MBR): those that hold others, and the one that says that the table is elsewhere.
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
const PROTECTIVE: u8 = 0xee;

/// A disc as it would be read: all in one, or in blocks that lie somewhere in the image.
pub(super) enum Disk<'b> {
    /// The image is the disc.
    Flat(&'b [u8]),
    /// Blocks of this size, each where it is in the image, if it is.
    Blocks {
        /// The image.
        bytes: &'b [u8],
        /// Bytes of a block.
        block_bytes: u64,
        /// Where each block is.
        table: Vec<Option<usize>>,
    },
}

impl Disk<'_> {
    /// Bytes of the disc from a place on, as many of so many as there are. Blocks that are nowhere are zeros.
    pub(super) fn read(&self, at: u64, length: usize) -> Vec<u8> {
        match self {
            Disk::Flat(bytes) => super::number::piece_so_far(bytes, size(at), length).to_vec(),
            Disk::Blocks { bytes, block_bytes, table } => {
                let mut read = Vec::new();
                while read.len() < length {
                    let here = at.saturating_add(read.len() as u64);
                    let Some(block) = table.get(size(here / block_bytes)) else { break };
                    let within = here % block_bytes;
                    let left = size(block_bytes - within).min(length - read.len());
                    match block {
                        None => read.resize(read.len() + left, 0),
                        Some(place) => {
                            let from = place.saturating_add(size(within));
                            let piece = super::number::piece_so_far(bytes, from, left);
                            read.extend(piece);
                            if piece.len() < left {
                                break;
                            }
                        }
                    }
                }
                read
            }
        }
    }
}

/// Whether the bytes are an image of a disc, or of one partition, whose files can be told.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    if piece(bytes, 510, 2).is_none_or(|mark| mark != b"\x55\xaa") {
        return false;
    }
    let disk = Disk::Flat(bytes);
    volumes(&disk).into_iter().any(|at| fat::is_one(&disk, at) || exfat::is_one(&disk, at) || ntfs::is_one(&disk, at))
}

/// Opens an image as it lies there, or of VHD or VHDX.
pub(super) fn open(
    content_type: &str,
    bytes: &[u8],
    allowance: &mut Allowance<'_>,
    found: &mut Found,
) -> Result<(), Closed> {
    let disk = match content_type {
        "application/x-vhd" => vhd::vhd(bytes),
        "application/x-vhdx" => vhd::vhdx(bytes),
        _ => Some(Disk::Flat(bytes)),
    };
    let Some(disk) = disk else { return Err(Closed::NotAnalysed("damaged disc image: its header".into())) };
    let mut is_known = false;
    for at in volumes(&disk) {
        let opened = if fat::is_one(&disk, at) {
            fat::open(&disk, at, allowance, found)
        } else if exfat::is_one(&disk, at) {
            exfat::open(&disk, at, allowance, found)
        } else if ntfs::is_one(&disk, at) {
            ntfs::open(&disk, at, allowance, found)
        } else {
            continue;
        };
        is_known = true;
        found.note_all(opened.err());
    }
    if is_known { Ok(()) } else { Err(Closed::NotAnalysed("a disc image without FAT, exFAT or NTFS".into())) }
}

/// Where volumes may begin: at the beginning, and where a table of partitions says (MBR, or GPT by UEFI 5.3).
fn volumes(disk: &Disk<'_>) -> Vec<u64> {
    let mut volumes = vec![0];
    let mut tables = vec![0_u64];
    let mut extended_from = 0;
    while let Some(table) = tables.pop() {
        let sector = disk.read(table, 512);
        if piece(&sector, 510, 2).is_none_or(|mark| mark != b"\x55\xaa") {
            continue;
        }
        for line in 0..4 {
            let at = 446 + 16 * line;
            let (Some(kind), Some(start)) = (sector.get(at + 4), u32_le(&sector, at + 8)) else { break };
            let start = u64::from(start) * SECTOR;
            if *kind == 0 || start == 0 || volumes.len() + tables.len() >= PARTITIONS_MAX {
                continue;
            }
            if *kind == PROTECTIVE {
                volumes.extend(gpt(disk));
            } else if EXTENDED.contains(kind) {
                // Places of tables count from the first of them, those of volumes from their own table.
                let place = extended_from + start;
                extended_from = if extended_from == 0 { start } else { extended_from };
                // A table behind this one; one before it would be read without end.
                tables.extend((place > table).then_some(place));
            } else {
                volumes.push(table + start);
            }
        }
    }
    volumes.truncate(PARTITIONS_MAX);
    volumes
}

fn gpt(disk: &Disk<'_>) -> Vec<u64> {
    let header = disk.read(SECTOR, 512);
    let numbers = (u64_le(&header, 72), u32_le(&header, 80), u32_le(&header, 84));
    let (Some(table), Some(count), Some(width @ 128..=4096)) = numbers else { return Vec::new() };
    if !header.starts_with(b"EFI PART") {
        return Vec::new();
    }
    let length = count.saturating_mul(width).min(TABLE_BYTES_MAX);
    let table = disk.read(table.saturating_mul(SECTOR), length as usize);
    let lines = table.chunks_exact(width as usize).filter(|line| line[..16].iter().any(|byte| *byte != 0));
    lines.filter_map(|line| Some(u64_le(line, 32)?.saturating_mul(SECTOR))).take(PARTITIONS_MAX).collect()
}
