//! exFAT (Microsoft's specification of 2019): the files of a volume by their names. Sticks and cards have it.

use std::collections::HashSet;

use super::disk::Disk;
use super::found::Found;
use super::number::{piece, size, u16_le, u32_le, u64_le};
use super::{Allowance, Closed, Member};
use crate::utf16;

/// What begins a volume (3.1.1, 3.1.2).
const BEGINNING: &[u8; 11] = b"\xeb\x76\x90EXFAT   ";
/// Bytes of a line of a folder.
const LINE: usize = 32;
/// Folders that are looked into, bytes of one that are read, and lines of all folders that are files or folders.
const FOLDERS_MAX: usize = 500;
const FOLDER_BYTES_MAX: u64 = 4 << 20;
const ENTRIES_MAX: usize = 100_000;
/// Kinds of lines (7): a file, where it lies, a piece of its name. What is deleted has none of these.
const FILE: u8 = 0x85;
const STREAM: u8 = 0xc0;
const NAME: u8 = 0xc1;
/// The attribute of a folder, and the flag of a file that lies in one piece.
const FOLDER: u16 = 0x10;
const IN_ONE_PIECE: u8 = 2;

struct Volume<'d, 'b> {
    disk: &'d Disk<'b>,
    table_at: u64,
    clusters_at: u64,
    clusters: u64,
    cluster_bytes: u64,
    root: u64,
}

/// Where something lies: its first cluster, its length, and whether its clusters follow one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Extent {
    cluster: u64,
    length: u64,
    in_one_piece: bool,
}

struct Entry {
    name: String,
    is_folder: bool,
    extent: Extent,
}

/// Whether a volume of exFAT begins at this place of a disc.
pub(super) fn is_one(disk: &Disk<'_>, at: u64) -> bool {
    volume(disk, at).is_some()
}

fn volume<'d, 'b>(disk: &'d Disk<'b>, at: u64) -> Option<Volume<'d, 'b>> {
    let boot = disk.read(at, 512);
    let long = |at: usize| u32_le(&boot, at).map(u64::from);
    let (sector, in_cluster) = (*boot.get(108)?, *boot.get(109)?);
    // Sectors of 512 bytes to 4,096, clusters of 32 MiB at most (3.1.14, 3.1.15).
    let is_sane = boot.starts_with(BEGINNING)
        && piece(&boot, 510, 2)? == b"\x55\xaa"
        && (9..=12).contains(&sector)
        && u32::from(sector) + u32::from(in_cluster) <= 25;
    if !is_sane {
        return None;
    }
    let (table, heap) = (long(80)? << sector, long(88)? << sector);
    Some(Volume {
        disk,
        table_at: at.checked_add(table)?,
        clusters_at: at.checked_add(heap)?,
        clusters: long(92)?,
        cluster_bytes: 1 << sector << in_cluster,
        root: long(96)?,
    })
}

/// The files of a volume.
pub(super) fn open(disk: &Disk<'_>, at: u64, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let Some(volume) = volume(disk, at) else { return Err(Closed::NotAnalysed("damaged exFAT".into())) };
    let root = Extent { cluster: volume.root, length: FOLDER_BYTES_MAX, in_one_piece: false };
    let (mut folders, mut looked, mut seen) = (vec![root], HashSet::new(), 0);
    while let Some(folder) = folders.pop() {
        if !looked.insert(folder.cluster) {
            continue;
        }
        if looked.len() > FOLDERS_MAX {
            return Err(Closed::Limit(format!("more than {FOLDERS_MAX} folders in an image")));
        }
        for entry in entries(&volume.content(folder, folder.length.min(FOLDER_BYTES_MAX))) {
            seen += 1;
            if seen > ENTRIES_MAX {
                return Err(Closed::Limit(format!("more than {ENTRIES_MAX} entries in an image")));
            }
            if entry.is_folder {
                folders.push(entry.extent);
                continue;
            }
            allowance.entry()?;
            let wanted = entry.extent.length.min(allowance.bytes_left());
            let content = volume.content(entry.extent, wanted);
            let is_cut = (content.len() as u64) < wanted;
            let (content, closed) = allowance.copy(&content);
            let cut_off = is_cut.then(|| Closed::NotAnalysed("an image that is cut off".into()));
            found.add(Member::new(entry.name, content), closed.or(cut_off));
        }
    }
    Ok(())
}

impl Volume<'_, '_> {
    /// The first bytes of what lies there.
    fn content(&self, extent: Extent, length: u64) -> Vec<u8> {
        let (mut content, mut cluster) = (Vec::new(), extent.cluster);
        // A chain that is a ring ends with the length.
        while (content.len() as u64) < length && (2..self.clusters + 2).contains(&cluster) {
            let Some(at) =
                (cluster - 2).checked_mul(self.cluster_bytes).and_then(|at| at.checked_add(self.clusters_at))
            else {
                break;
            };
            let wanted = size(self.cluster_bytes.min(length - content.len() as u64));
            let read = self.disk.read(at, wanted);
            let is_cut = read.len() < wanted;
            content.extend(read);
            if is_cut {
                break;
            }
            cluster = if extent.in_one_piece { cluster + 1 } else { self.next(cluster) };
        }
        content
    }

    fn next(&self, cluster: u64) -> u64 {
        let line = self.disk.read(self.table_at.saturating_add(cluster * 4), 4);
        u32_le(&line, 0).map_or(0, u64::from)
    }
}

/// The files and folders of a folder: a line for each, one for where it lies, and some for its name (7.4, 7.6, 7.7).
fn entries(lines: &[u8]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut units, mut left): (Vec<u16>, usize) = (Vec::new(), 0);
    let mut is_open = false;
    let finish = |entries: &mut Vec<Entry>, units: &mut Vec<u16>| {
        if let Some(entry) = entries.last_mut().filter(|entry| entry.name.is_empty()) {
            entry.name = utf16::of(std::mem::take(units));
        }
        units.clear();
    };
    for line in lines.chunks_exact(LINE) {
        match line[0] {
            0 => break,
            FILE => {
                finish(&mut entries, &mut units);
                let is_folder = u16_le(line, 4).is_some_and(|attributes| attributes & FOLDER != 0);
                let extent = Extent { cluster: 0, length: 0, in_one_piece: false };
                entries.push(Entry { name: String::new(), is_folder, extent });
                is_open = true;
            }
            STREAM if is_open => {
                left = usize::from(line[3]);
                if let (Some(entry), Some(cluster), Some(length)) =
                    (entries.last_mut(), u32_le(line, 20), u64_le(line, 24))
                {
                    let in_one_piece = line[1] & IN_ONE_PIECE != 0;
                    entry.extent = Extent { cluster: u64::from(cluster), length, in_one_piece };
                }
            }
            NAME if is_open => {
                let letters = left.min((LINE - 2) / 2);
                units.extend((0..letters).filter_map(|at| u16_le(line, 2 + 2 * at)));
                left -= letters;
            }
            _ => {
                finish(&mut entries, &mut units);
                is_open = false;
            }
        }
    }
    finish(&mut entries, &mut units);
    entries
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    const SECTOR_BYTES: usize = 512;

    fn lines(name: &str, attributes: u16, flags: u8, cluster: u32, length: u64) -> Vec<u8> {
        let units: Vec<u16> = name.encode_utf16().collect();
        let mut file = [0; LINE];
        (file[0], file[1]) = (FILE, 1 + units.len().div_ceil(15) as u8);
        file[4..6].copy_from_slice(&attributes.to_le_bytes());
        let mut stream = [0; LINE];
        (stream[0], stream[1], stream[3]) = (STREAM, flags, units.len() as u8);
        stream[20..24].copy_from_slice(&cluster.to_le_bytes());
        stream[24..32].copy_from_slice(&length.to_le_bytes());
        let mut out = [file, stream].concat();
        for piece in units.chunks(15) {
            let mut line = [0; LINE];
            line[0] = NAME;
            line[2..2 + 2 * piece.len()]
                .copy_from_slice(&piece.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>());
            out.extend(line);
        }
        out
    }

    /// A volume with a text in two clusters, a folder with a script, and what was deleted.
    pub(in super::super) fn sample() -> Vec<u8> {
        let mut image = vec![0; 40 * SECTOR_BYTES];
        image[..11].copy_from_slice(BEGINNING);
        image[510..512].copy_from_slice(b"\x55\xaa");
        for (at, value) in [(80, 2_u32), (84, 1), (88, 4), (92, 30), (96, 2)] {
            image[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        image[108] = 9;
        // The table: the root and the text have chains.
        for (cluster, next) in [(2_usize, 0xffff_ffff_u32), (3, 6), (6, 0xffff_ffff)] {
            let at = 2 * SECTOR_BYTES + 4 * cluster;
            image[at..at + 4].copy_from_slice(&next.to_le_bytes());
        }
        let mut put = |cluster: usize, bytes: &[u8]| {
            let at = (4 + cluster - 2) * SECTOR_BYTES;
            image[at..at + bytes.len()].copy_from_slice(bytes);
        };
        let mut deleted = lines("gone.js", 0x20, 3, 5, 1);
        deleted.iter_mut().step_by(LINE).for_each(|kind| *kind &= 0x7f);
        let root = [
            vec![0x83; 32],
            deleted,
            lines("a text whose name is long.txt", 0x20, 1, 3, 600),
            lines("folder", FOLDER, 3, 4, SECTOR_BYTES as u64),
        ]
        .concat();
        put(2, &root);
        put(3, &[b'a'; SECTOR_BYTES]);
        put(6, &[b'b'; 88]);
        put(4, &lines("run.js", 0x20, 3, 5, 7));
        put(5, b"var a=1");
        image
    }

    #[test]
    fn files_of_a_volume() {
        let (members, closed) = opened_as("application/x-disk-image", &sample(), "a.img");
        let seen: Vec<(&str, usize)> = members.iter().map(|one| (one.name.as_str(), one.bytes.len())).collect();
        assert_eq!(seen, [("a text whose name is long.txt", 600), ("run.js", 7)], "{closed:?}");
        assert_eq!((members[0].bytes[599], members[1].bytes.as_slice()), (b'b', &b"var a=1"[..]));
        assert!(closed.is_empty(), "{closed:?}");
    }

    #[test]
    fn what_is_damaged_ends() {
        let mut ring = sample();
        // The folder holds itself, and the text's chain is a ring.
        let at = 2 * SECTOR_BYTES + 4 * 6;
        ring[at..at + 4].copy_from_slice(&3_u32.to_le_bytes());
        let folder = (4 + 4 - 2) * SECTOR_BYTES;
        let itself = lines("itself", FOLDER, 3, 4, u64::MAX);
        ring[folder..folder + itself.len()].copy_from_slice(&itself);
        assert_eq!(opened_as("application/x-disk-image", &ring, "a.img").0.len(), 1);
        let mut wide = sample();
        wide[109] = 20;
        assert!(opened_as("application/x-disk-image", &wide, "a.img").0.is_empty());
        let image = sample();
        for end in [600, 1100, 2100, 3000] {
            opened_as("application/x-disk-image", &image[..end], "a.img");
        }
    }
}
