//! FAT12, FAT16 and FAT32 (Microsoft's specification of 2000, ECMA-107): the files of a volume by their long and short
//! names.

use std::collections::HashSet;

use super::disk::Disk;
use super::found::Found;
use super::number::{piece, size, u16_le, u32_le};
use super::{Allowance, Closed, Member};
use crate::utf16;

/// Bytes of a line of a folder.
const LINE: usize = 32;
/// Folders that are looked into, and bytes of one that are read.
const FOLDERS_MAX: usize = 500;
const FOLDER_BYTES_MAX: u64 = 4 << 20;
/// Lines of all folders that are files or folders.
const ENTRIES_MAX: usize = 100_000;
/// Attributes: a folder, the name of the volume, a piece of a long name.
const FOLDER: u8 = 0x10;
const VOLUME_NAME: u8 = 0x08;
const LONG_NAME: u8 = 0x0f;

/// A volume by its first sector.
struct Volume<'d, 'b> {
    disk: &'d Disk<'b>,
    cluster_bytes: u64,
    /// Where the table of clusters, the root of the older forms, and the first cluster are, in bytes of the disc.
    table_at: u64,
    root_at: u64,
    root_bytes: u64,
    clusters_at: u64,
    /// Bits of a line of the table.
    bits: u64,
    clusters: u64,
    /// The cluster of the root of FAT32.
    root: u64,
}

/// A folder: the root of the older forms, or by its first cluster.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Folder {
    OldRoot,
    At(u64),
}

/// Whether a volume of FAT begins at this place of a disc.
pub(super) fn is_one(disk: &Disk<'_>, at: u64) -> bool {
    volume(disk, at).is_some()
}

fn volume<'d, 'b>(disk: &'d Disk<'b>, at: u64) -> Option<Volume<'d, 'b>> {
    let boot = disk.read(at, 512);
    let word = |at: usize| u16_le(&boot, at).map(u64::from);
    let long = |at: usize| u32_le(&boot, at).map(u64::from);
    let is_jump = matches!(boot.first(), Some(0xeb | 0xe9));
    let (sector, per_cluster) = (word(11)?, u64::from(*boot.get(13)?));
    let (reserved, tables, root_lines) = (word(14)?, u64::from(*boot.get(16)?), word(17)?);
    let is_sane = is_jump
        && piece(&boot, 510, 2)? == b"\x55\xaa"
        && matches!(sector, 512 | 1024 | 2048 | 4096)
        && per_cluster.is_power_of_two()
        && reserved > 0
        && (1..=4).contains(&tables);
    if !is_sane {
        return None;
    }
    let (short_table, short_total) = (word(22)?, word(19)?);
    let table = if short_table != 0 { short_table } else { long(36)? };
    let total = if short_total != 0 { short_total } else { long(32)? };
    let root_bytes = (root_lines * LINE as u64).next_multiple_of(sector);
    let before = reserved + tables * table + root_bytes / sector;
    if table == 0 || total <= before {
        return None;
    }
    let clusters = (total - before) / per_cluster;
    let is_32 = root_lines == 0;
    let root_at = at + (reserved + tables * table) * sector;
    Some(Volume {
        disk,
        cluster_bytes: sector * per_cluster,
        table_at: at + reserved * sector,
        root_at,
        root_bytes,
        clusters_at: root_at + root_bytes,
        bits: if is_32 {
            32
        } else if clusters < 4085 {
            12
        } else {
            16
        },
        clusters,
        root: if is_32 { long(44)? } else { 0 },
    })
}

/// The files of a volume.
pub(super) fn open(disk: &Disk<'_>, at: u64, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let Some(volume) = volume(disk, at) else { return Err(Closed::NotAnalysed("damaged FAT".into())) };
    let root = if volume.root == 0 { Folder::OldRoot } else { Folder::At(volume.root) };
    let (mut folders, mut looked, mut seen) = (vec![root], HashSet::new(), 0);
    while let Some(folder) = folders.pop() {
        if !looked.insert(folder) {
            continue;
        }
        if looked.len() > FOLDERS_MAX {
            return Err(Closed::Limit(format!("more than {FOLDERS_MAX} folders in an image")));
        }
        let lines = match folder {
            Folder::OldRoot => disk.read(volume.root_at, size(volume.root_bytes)),
            Folder::At(cluster) => volume.chain(cluster, FOLDER_BYTES_MAX),
        };
        for entry in entries(&lines) {
            seen += 1;
            if seen > ENTRIES_MAX {
                return Err(Closed::Limit(format!("more than {ENTRIES_MAX} entries in an image")));
            }
            if entry.is_folder {
                folders.push(Folder::At(entry.cluster));
                continue;
            }
            allowance.entry()?;
            let wanted = entry.length.min(allowance.bytes_left());
            let content = if entry.length == 0 { Vec::new() } else { volume.chain(entry.cluster, wanted) };
            let is_cut = (content.len() as u64) < wanted;
            let (content, closed) = allowance.copy(&content);
            let cut_off = is_cut.then(|| Closed::NotAnalysed("an image that is cut off".into()));
            found.add(Member::with_names(entry.names, content), closed.or(cut_off));
        }
    }
    Ok(())
}

impl Volume<'_, '_> {
    /// The first bytes of a chain of clusters.
    fn chain(&self, first: u64, length: u64) -> Vec<u8> {
        let (mut content, mut cluster) = (Vec::new(), first);
        while (content.len() as u64) < length && (2..self.clusters + 2).contains(&cluster) {
            let at = self.clusters_at + (cluster - 2) * self.cluster_bytes;
            let wanted = size(self.cluster_bytes.min(length - content.len() as u64));
            let piece = self.disk.read(at, wanted);
            content.extend(&piece);
            if piece.len() < wanted {
                break;
            }
            cluster = self.next(cluster);
        }
        content
    }

    /// The cluster behind this one, or something that is none.
    fn next(&self, cluster: u64) -> u64 {
        let bytes = self.disk.read(self.table_at + cluster * self.bits / 8, 4);
        let (word, long) = (u64::from(u16_le(&bytes, 0).unwrap_or(0)), u64::from(u32_le(&bytes, 0).unwrap_or(0)));
        match self.bits {
            12 if cluster % 2 == 1 => word >> 4,
            12 => word & 0xfff,
            16 => word,
            _ => long & 0x0fff_ffff,
        }
    }
}

struct Entry {
    names: Vec<String>,
    is_folder: bool,
    cluster: u64,
    length: u64,
}

/// The lines of a folder that are files and folders, without itself and the one above.
fn entries(lines: &[u8]) -> Vec<Entry> {
    const DELETED: u8 = 0xe5;
    let (mut entries, mut long) = (Vec::new(), Vec::new());
    for line in lines.chunks_exact(LINE) {
        let (first, attributes) = (line[0], line[11]);
        if first == 0 {
            break;
        }
        if first == DELETED {
            long.clear();
        } else if attributes & 0x3f == LONG_NAME {
            // Pieces stand in reverse order, thirteen letters each.
            let piece = [&line[1..11], &line[14..26], &line[28..32]].concat();
            long.splice(0..0, piece);
        } else {
            let wide = utf16::le(&std::mem::take(&mut long));
            let wide = wide.split('\0').next().unwrap_or_default().trim_end_matches('\u{ffff}').to_owned();
            let is_named = first != b'.' && attributes & VOLUME_NAME == 0;
            let (high, low) = (u16_le(line, 20).unwrap_or(0), u16_le(line, 26).unwrap_or(0));
            if is_named {
                let names = [wide, short_name(line)].into_iter().filter(|name| !name.is_empty()).collect();
                entries.push(Entry {
                    names,
                    is_folder: attributes & FOLDER != 0,
                    cluster: u64::from(high) << 16 | u64::from(low),
                    length: u64::from(u32_le(line, 28).unwrap_or(0)),
                });
            }
        }
    }
    entries
}

/// Eight letters and three, filled up with blanks.
fn short_name(line: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches(' ').to_owned();
    let (stem, extension) = (text(&line[..8]), text(&line[8..11]));
    if extension.is_empty() { stem } else { format!("{stem}.{extension}") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    const KIND: &str = "application/x-disk-image";

    fn line(short: &[u8; 11], attributes: u8, cluster: u32, length: u32) -> Vec<u8> {
        let mut line = vec![0; LINE];
        line[..11].copy_from_slice(short);
        line[11] = attributes;
        line[20..22].copy_from_slice(&((cluster >> 16) as u16).to_le_bytes());
        line[26..28].copy_from_slice(&(cluster as u16).to_le_bytes());
        line[28..].copy_from_slice(&length.to_le_bytes());
        line
    }

    fn long(name: &str) -> Vec<u8> {
        let mut letters: Vec<u16> = name.encode_utf16().chain([0]).collect();
        letters.resize(letters.len().next_multiple_of(13), 0xffff);
        let pieces: Vec<Vec<u8>> = letters
            .chunks(13)
            .enumerate()
            .map(|(number, letters)| {
                let text: Vec<u8> = letters.iter().flat_map(|letter| letter.to_le_bytes()).collect();
                let mut line = vec![0; LINE];
                (line[0], line[11]) = (number as u8 + 1, LONG_NAME);
                line[1..11].copy_from_slice(&text[..10]);
                line[14..26].copy_from_slice(&text[10..22]);
                line[28..].copy_from_slice(&text[22..]);
                line
            })
            .collect();
        pieces.into_iter().rev().flatten().collect()
    }

    /// A volume with clusters of 512 bytes: a file with a long name in clusters 3 and 5, a folder in 2, a file of it
    /// in 4.
    pub(in super::super) fn volume_of(bits: u64) -> Vec<u8> {
        let clusters: u32 = match bits {
            12 => 100,
            16 => 5000,
            _ => 66_000,
        };
        let table_sectors = (u64::from(clusters + 2) * bits / 8).div_ceil(512) as u32;
        let root_lines: u16 = if bits == 32 { 0 } else { 16 };
        let mut image = vec![0; 512];
        image[0] = 0xeb;
        image[11..13].copy_from_slice(&512_u16.to_le_bytes());
        (image[13], image[14], image[16]) = (1, 1, 1);
        image[17..19].copy_from_slice(&root_lines.to_le_bytes());
        if bits == 32 {
            image[36..40].copy_from_slice(&table_sectors.to_le_bytes());
            image[44..48].copy_from_slice(&6_u32.to_le_bytes());
        } else {
            image[22..24].copy_from_slice(&(table_sectors as u16).to_le_bytes());
        }
        image[32..36].copy_from_slice(&(1 + table_sectors + u32::from(root_lines) / 16 + clusters).to_le_bytes());
        image[510..].copy_from_slice(b"\x55\xaa");
        let mut table = vec![0; table_sectors as usize * 512];
        for (cluster, next) in [(2_usize, u32::MAX), (3, 5), (4, u32::MAX), (5, u32::MAX), (6, u32::MAX)] {
            let at = cluster * bits as usize / 8;
            match bits {
                12 => {
                    let next = (next & 0xfff) << (cluster % 2 * 4);
                    table[at] |= next as u8;
                    table[at + 1] |= (next >> 8) as u8;
                }
                16 => table[at..at + 2].copy_from_slice(&(next as u16).to_le_bytes()),
                _ => table[at..at + 4].copy_from_slice(&next.to_le_bytes()),
            }
        }
        let root = [
            line(b"VOLUME     ", VOLUME_NAME, 0, 0),
            long("a long name.js"),
            line(b"ALONGN~1JS ", 0, 3, 600),
            line(b"\xe5ONE    TXT", 0, 3, 5),
            line(b"SUB        ", FOLDER, 2, 0),
        ]
        .concat();
        let sub =
            [line(b".          ", FOLDER, 2, 0), line(b"..         ", FOLDER, 0, 0), line(b"IN      EXE", 0, 4, 5)]
                .concat();
        let sector = |content: &[u8]| [content, &vec![0; 512 - content.len()]].concat();
        image.extend(table);
        if bits != 32 {
            image.extend(sector(&root));
        }
        image.extend([sector(&sub), vec![1; 512], sector(b"hello"), vec![2; 512], sector(&root)].concat());
        image
    }

    pub(in super::super) fn check(kind: &str, image: &[u8]) {
        let (members, closed) = opened_as(kind, image, "a.img");
        let mut seen: Vec<(&str, Vec<u8>)> = members.iter().map(|one| (one.name.as_str(), one.bytes.clone())).collect();
        seen.sort();
        assert_eq!(closed, [], "{kind}");
        assert_eq!((seen.len(), &seen[0]), (2, &("IN.EXE", b"hello".to_vec())), "{kind}");
        assert!(seen[1] == ("a long name.js", [vec![1; 512], vec![2; 88]].concat()), "{kind}");
        assert!(members.iter().any(|one| one.other_names == ["ALONGN~1.JS"]));
    }

    #[test]
    fn all_three_forms_are_opened() {
        for bits in [12, 16, 32] {
            let image = volume_of(bits);
            assert!(super::super::disk::is_one(&image), "{bits}");
            check(KIND, &image);
        }
    }

    #[test]
    fn one_that_is_cut_off_keeps_its_names() {
        let image = volume_of(12);
        let (members, closed) = opened_as(KIND, &image[..image.len() - 5 * 512], "a.img");
        assert_eq!(members[0].name, "a long name.js");
        assert_eq!(closed, [Closed::NotAnalysed("an image that is cut off".into())]);
    }

    #[test]
    fn a_boot_sector_of_something_else_is_no_volume() {
        let mut image = vec![0x90; 4096];
        image[510..512].copy_from_slice(b"\x55\xaa");
        assert!(!super::super::disk::is_one(&image));
    }
}
