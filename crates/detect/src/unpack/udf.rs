//! Images of UDF (ECMA-167 and OSTA's UDF 2.60), which Windows mounts on a double click as it does ISO 9660. Read are
//! volumes of plain, sparable and metadata partitions, files whose headers follow strategy 4, and all forms of their
//! extents. Numbers of sections are those of ECMA-167.

use std::collections::HashSet;

use super::found::Found;
use super::number::{piece, piece_so_far, size, u16_le, u32_le, u64_le};
use super::{Allowance, Closed, Member};
use crate::family;
use crate::utf16;
use domain::message::Family;

/// Sizes of sectors that are tried: discs have 2048 bytes.
const SECTORS: [usize; 3] = [DISC_SECTOR, 512, 4096];
const DISC_SECTOR: usize = 2048;
/// Programs that are taken out of an image without a volume, and bytes by which one is known.
const PROGRAMS_MAX: usize = 4;
const PROGRAM_HEAD_BYTES: usize = 4096;
/// Where anchors are: in this sector, or so many before the end.
const ANCHOR: usize = 256;
/// Numbers of descriptors (3/7.2.1 and 4/7.2.1).
const ANCHOR_TAG: u16 = 2;
const PARTITION_TAG: u16 = 5;
const VOLUME_TAG: u16 = 6;
const END_TAG: u16 = 8;
const FILES_TAG: u16 = 256;
const NAME_TAG: u16 = 257;
const FILE_TAG: u16 = 261;
const LONG_FILE_TAG: u16 = 266;
/// Descriptors of a volume, partitions, folders and extents that are looked at.
const DESCRIPTORS_MAX: usize = 64;
const PARTITIONS_MAX: usize = 16;
const FOLDERS_MAX: usize = 500;
const EXTENTS_MAX: usize = 10_000;
/// Entries of all folders.
const ENTRIES_MAX: usize = 100_000;
/// Bytes of a folder that are read.
const FOLDER_BYTES_MAX: u64 = 4 << 20;

/// Whether the bytes are an image of UDF: its descriptors are announced (2/9.2), or its anchor is where it has to be.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let announced = |sector: usize| {
        let mark = piece(bytes, sector * 2048 + 1, 5);
        mark.is_some_and(|mark| mark == b"NSR02" || mark == b"NSR03")
    };
    (16..32).any(announced) || SECTORS.into_iter().any(|sector| anchor(bytes, sector, ANCHOR).is_some())
}

/// The place of the descriptors of the volume, by an anchor (3/10.2).
fn anchor(bytes: &[u8], sector: usize, number: usize) -> Option<(usize, usize)> {
    let descriptor = piece(bytes, number.checked_mul(sector)?, 512)?;
    let is_anchor = tag(descriptor) == Some(ANCHOR_TAG) && u32_le(descriptor, 12) == u32::try_from(number).ok();
    is_anchor.then_some((u32_le(descriptor, 20)? as usize, u32_le(descriptor, 16)? as usize))
}

/// The number of a descriptor, where the sum of its tag is right (3/7.2).
fn tag(descriptor: &[u8]) -> Option<u16> {
    let head = piece(descriptor, 0, 16)?;
    let sum = head.iter().enumerate().filter(|(at, _)| *at != 4).fold(0_u8, |sum, (_, byte)| sum.wrapping_add(*byte));
    (sum == head[4]).then(|| u16_le(head, 0)).flatten()
}

/// How blocks of a partition lie in the image.
enum Partition {
    /// From this block on.
    Plain(usize),
    /// In the extents of a file: first block in the image, number of blocks.
    InFile(Vec<(usize, usize)>),
}

/// Where a header or a piece of content is: a block, and the partition that it counts in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    block: usize,
    partition: usize,
}

struct Volume<'b> {
    bytes: &'b [u8],
    block_bytes: usize,
    partitions: Vec<Partition>,
    root: Place,
}

/// A file or a folder, by its header.
struct File {
    is_folder: bool,
    length: u64,
    content: Content,
}

enum Content {
    /// In the header itself.
    Embedded(Vec<u8>),
    /// Pieces: a place where there is one, and a length; without a place it is zeros.
    Extents(Vec<(Option<Place>, usize)>),
}

/// Opens an image.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let Some(volume) = SECTORS.into_iter().find_map(|sector| volume(bytes, sector)) else {
        found.note(Closed::NotAnalysed("damaged UDF: no volume".into()));
        return programs(bytes, allowance, found);
    };
    let (mut folders, mut looked, mut seen) = (vec![volume.root], HashSet::new(), 0);
    while let Some(place) = folders.pop() {
        if !looked.insert(place) {
            continue;
        }
        if looked.len() > FOLDERS_MAX {
            return Err(Closed::Limit(format!("more than {FOLDERS_MAX} folders in an image")));
        }
        let Some(folder) = volume.file(place) else {
            found.note(Closed::NotAnalysed("damaged UDF: a folder".into()));
            continue;
        };
        let list = volume.read(&folder, folder.length.min(FOLDER_BYTES_MAX));
        for (name, place) in entries(&list) {
            seen += 1;
            if seen > ENTRIES_MAX {
                return Err(Closed::Limit(format!("more than {ENTRIES_MAX} entries in an image")));
            }
            let Some(file) = volume.file(place) else {
                allowance.entry()?;
                found.add(Member::new(name, Vec::new()), Some(Closed::NotAnalysed("damaged UDF: a file".into())));
                continue;
            };
            if file.is_folder {
                folders.push(place);
                continue;
            }
            allowance.entry()?;
            let (content, closed) = volume.content(&file, allowance);
            found.add(Member::new(name, content), closed);
        }
    }
    Ok(())
}

/// What begins as a program where a file may begin, in an image whose folders cannot be read. Their names are lost.
pub(super) fn programs(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let begins = |at: &usize| {
        let head = piece_so_far(bytes, *at, PROGRAM_HEAD_BYTES);
        head.starts_with(b"MZ") && family::sniff(head, "").0 == Family::Executable
    };
    for at in (0..bytes.len()).step_by(DISC_SECTOR).filter(begins).take(PROGRAMS_MAX) {
        allowance.entry()?;
        let (content, closed) = allowance.copy(bytes.get(at..).unwrap_or_default());
        found.add(Member::new(String::new(), content), closed);
    }
    Ok(())
}

/// The volume that an anchor leads to.
fn volume(bytes: &[u8], sector: usize) -> Option<Volume<'_>> {
    let last = (bytes.len() / sector).checked_sub(1)?;
    let anchors = [Some(ANCHOR), Some(last), last.checked_sub(ANCHOR), Some(512)];
    let (from, length) = anchors.into_iter().flatten().find_map(|number| anchor(bytes, sector, number))?;
    let (mut starts, mut described) = (Vec::new(), None);
    for number in 0..(length / sector).min(DESCRIPTORS_MAX) {
        let Some(descriptor) = piece(bytes, from.checked_add(number)?.checked_mul(sector)?, 512) else { break };
        match tag(descriptor) {
            // Its number, and the sector where it begins (3/10.5).
            Some(PARTITION_TAG) => starts.push((u16_le(descriptor, 22)?, u32_le(descriptor, 188)? as usize)),
            Some(VOLUME_TAG) => described = Some(piece_so_far(bytes, (from + number) * sector, sector)),
            Some(END_TAG) => break,
            _ => {}
        }
    }
    let described = described?;
    let block_bytes = (u32_le(described, 212)? as usize).clamp(512, 1 << 16);
    let mut volume = Volume { bytes, block_bytes, partitions: Vec::new(), root: Place { block: 0, partition: 0 } };
    volume.add_partitions(described, &starts);
    // The set of files (4/14.1), where its root is.
    let files = Place { block: u32_le(described, 252)? as usize, partition: usize::from(u16_le(described, 256)?) };
    let set = piece(bytes, volume.at(files)?, 512)?;
    if tag(set) != Some(FILES_TAG) {
        return None;
    }
    volume.root = long_place(set, 400)?;
    Some(volume)
}

/// The place in a long descriptor of an allocation (4/14.14.2).
fn long_place(bytes: &[u8], at: usize) -> Option<Place> {
    Some(Place { block: u32_le(bytes, at + 4)? as usize, partition: usize::from(u16_le(bytes, at + 8)?) })
}

impl Volume<'_> {
    /// The maps of the volume's partitions (3/10.7 and UDF 2.2.8 to 2.2.10).
    fn add_partitions(&mut self, described: &[u8], starts: &[(u16, usize)]) {
        let start_of = |number: Option<u16>| {
            let known = starts.iter().find(|(known, _)| Some(*known) == number);
            known.or(starts.first()).map_or(0, |(_, start)| *start)
        };
        let mut at = 440;
        while self.partitions.len() < PARTITIONS_MAX {
            let (Some(kind), Some(length)) = (described.get(at), described.get(at + 1).map(|one| usize::from(*one)))
            else {
                break;
            };
            let number = u16_le(described, at + if *kind == 1 { 4 } else { 38 });
            let start = start_of(number);
            let mut partition = Partition::Plain(start);
            if piece_so_far(described, at + 5, 23).starts_with(b"*UDF Metadata Partition") {
                let file = u32_le(described, at + 40).map_or(0, |block| block as usize);
                partition = self.in_file(start, file).unwrap_or(partition);
            }
            if *kind == 0 || length == 0 {
                break;
            }
            self.partitions.push(partition);
            at += length;
        }
        if self.partitions.is_empty() {
            self.partitions.push(Partition::Plain(start_of(None)));
        }
    }

    /// A partition whose blocks are the content of a file in the plain one that begins at `start`.
    fn in_file(&self, start: usize, block: usize) -> Option<Partition> {
        let header = piece(self.bytes, start.checked_add(block)?.checked_mul(self.block_bytes)?, self.block_bytes)?;
        let Content::Extents(extents) = file(header, 0, self)?.content else { return None };
        let blocks = |length: usize| length.div_ceil(self.block_bytes);
        let extents = extents.into_iter().filter_map(|(place, length)| Some((place?.block + start, blocks(length))));
        Some(Partition::InFile(extents.collect()))
    }

    /// Where a block lies, in bytes.
    fn at(&self, place: Place) -> Option<usize> {
        let block = match self.partitions.get(place.partition)? {
            Partition::Plain(start) => start.checked_add(place.block)?,
            Partition::InFile(extents) => {
                let mut left = place.block;
                let found = extents.iter().find(|(_, blocks)| {
                    let is_here = left < *blocks;
                    left -= if is_here { 0 } else { *blocks };
                    is_here
                });
                found?.0.checked_add(left)?
            }
        };
        block.checked_mul(self.block_bytes)
    }

    fn file(&self, place: Place) -> Option<File> {
        file(piece_so_far(self.bytes, self.at(place)?, self.block_bytes), place.partition, self)
    }

    /// The first bytes of a file.
    fn read(&self, file: &File, max: u64) -> Vec<u8> {
        let max = size(max);
        match &file.content {
            Content::Embedded(content) => content[..content.len().min(max)].to_vec(),
            Content::Extents(extents) => {
                let mut content = Vec::new();
                for (place, length) in extents {
                    let left = max.saturating_sub(content.len()).min(*length);
                    let piece = place.and_then(|place| self.at(place)).map(|at| piece_so_far(self.bytes, at, left));
                    let Some(piece) = piece else { break };
                    content.extend(piece);
                }
                content
            }
        }
    }

    /// What is in a file, within the allowance.
    fn content(&self, file: &File, allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
        let wanted = file.length.min(allowance.bytes_left());
        let content = self.read(file, wanted);
        let is_cut = (content.len() as u64) < wanted;
        let (content, closed) = allowance.copy(&content);
        let cut_off = is_cut.then(|| Closed::NotAnalysed("an image that is cut off".into()));
        (content, closed.or(cut_off))
    }
}

/// The header of a file (4/14.9), or the longer form of it (4/14.17).
fn file(header: &[u8], partition: usize, volume: &Volume<'_>) -> Option<File> {
    let lengths_at = match tag(header)? {
        FILE_TAG => 168,
        LONG_FILE_TAG => 208,
        _ => return None,
    };
    let (attributes, allocated) = (u32_le(header, lengths_at)? as usize, u32_le(header, lengths_at + 4)? as usize);
    let allocation = piece_so_far(header, lengths_at + 8 + attributes, allocated);
    let form = u16_le(header, 34)? & 7;
    let content = match form {
        3 => Content::Embedded(allocation.to_vec()),
        0 | 1 => Content::Extents(extents(allocation, form == 1, partition, volume)),
        _ => return None,
    };
    Some(File { is_folder: header.get(27) == Some(&4), length: u64_le(header, 56)?, content })
}

/// Extents by descriptors of eight bytes, or of sixteen that name a partition (4/14.14). One may lead to more of them.
fn extents(first: &[u8], is_long: bool, partition: usize, volume: &Volume<'_>) -> Vec<(Option<Place>, usize)> {
    let width = if is_long { 16 } else { 8 };
    let (mut extents, mut list, mut at) = (Vec::new(), first, 0);
    while extents.len() < EXTENTS_MAX {
        let Some(descriptor) = piece(list, at, width) else { break };
        at += width;
        let word = u32_le(descriptor, 0).unwrap_or(0);
        let length = (word & 0x3fff_ffff) as usize;
        let block = u32_le(descriptor, 4).unwrap_or(0) as usize;
        let partition = if is_long { usize::from(u16_le(descriptor, 8).unwrap_or(0)) } else { partition };
        let place = Place { block, partition };
        match word >> 30 {
            _ if length == 0 => break,
            0 => extents.push((Some(place), length)),
            // More descriptors, behind a header of 24 bytes (4/14.5).
            3 => {
                let more = volume.at(place).map(|at| piece_so_far(volume.bytes, at, length));
                list = more.unwrap_or_default();
                at = 24;
                // Each such step counts, so that a ring of them ends.
                extents.push((Some(place), 0));
            }
            _ => extents.push((None, length)),
        }
    }
    extents
}

/// The entries of a folder (4/14.4) that are neither deleted nor the folder above.
fn entries(list: &[u8]) -> Vec<(String, Place)> {
    const DELETED_OR_ABOVE: u8 = 4 | 8;
    let (mut entries, mut at) = (Vec::new(), 0);
    while let Some(head) = piece(list, at, 38) {
        if u16_le(head, 0) != Some(NAME_TAG) {
            break;
        }
        let (name_length, skipped) = (usize::from(head[19]), usize::from(u16_le(head, 36).unwrap_or(0)));
        let name = piece_so_far(list, at + 38 + skipped, name_length);
        if head[18] & DELETED_OR_ABOVE == 0
            && let Some(place) = long_place(head, 20)
        {
            entries.push((readable(name), place));
        }
        at += (38 + skipped + name_length).next_multiple_of(4);
    }
    entries
}

/// A name in OSTA's compressed Unicode (UDF 2.1.1): letters of one byte or of two.
fn readable(name: &[u8]) -> String {
    match name.split_first() {
        Some((16 | 255, text)) => utf16::be(text),
        Some((_, text)) => text.iter().map(|byte| char::from(*byte)).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    const SECTOR: usize = 2048;

    /// A descriptor with its tag in the image, at a sector, with the number that the tag tells.
    fn put(image: &mut [u8], sector: usize, tag: u16, number: u32, fields: &[(usize, &[u8])]) {
        let at = sector * SECTOR;
        image[at..at + 2].copy_from_slice(&tag.to_le_bytes());
        image[at + 12..at + 16].copy_from_slice(&number.to_le_bytes());
        for (offset, field) in fields {
            image[at + offset..at + offset + field.len()].copy_from_slice(field);
        }
        let sum = image[at..at + 16].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        image[at + 4] = sum;
    }

    fn entry(name: &[u8], flags: u8, block: u32) -> Vec<u8> {
        let mut entry = vec![0; 38];
        entry[..2].copy_from_slice(&NAME_TAG.to_le_bytes());
        (entry[18], entry[19]) = (flags, name.len() as u8);
        entry[24..28].copy_from_slice(&block.to_le_bytes());
        entry.extend(name);
        entry.resize(entry.len().next_multiple_of(4), 0);
        entry
    }

    /// An image without ISO 9660: an anchor, a partition at sector 260, a root, a folder, and files of three forms.
    pub(in super::super) fn image() -> Vec<u8> {
        let mut image = vec![0; 280 * SECTOR];
        for (sector, mark) in [(16, b"BEA01"), (17, b"NSR02"), (18, b"TEA01")] {
            image[sector * SECTOR + 1..sector * SECTOR + 6].copy_from_slice(mark);
        }
        let long = |number: u32| number.to_le_bytes();
        put(&mut image, 256, ANCHOR_TAG, 256, &[(16, &long(4 * 2048)), (20, &long(32))]);
        put(&mut image, 32, PARTITION_TAG, 32, &[(188, &long(260)), (192, &long(20))]);
        let map = [&[1, 6, 1, 0, 0, 0][..]].concat();
        put(&mut image, 33, VOLUME_TAG, 33, &[(212, &long(2048)), (248, &long(2048)), (264, &long(6)), (440, &map)]);
        put(&mut image, 34, END_TAG, 34, &[]);
        put(&mut image, 260, FILES_TAG, 0, &[(400, &long(2048)), (404, &long(1))]);
        let root = [entry(b"", 10, 1), entry(b"\x08sub", 2, 2), entry(b"\x10\0r\0u\0n\0.\0j\0s", 0, 3)].concat();
        let header = |kind: u8, form: u8, length: usize| {
            let length = (length as u64).to_le_bytes();
            [(27, vec![kind]), (34, vec![form, 0]), (56, length.to_vec())]
        };
        let mut file = |block: usize, tag: u16, kind: u8, form: u8, length: usize, allocation: &[u8]| {
            let at = if tag == FILE_TAG { 168 } else { 208 };
            let mut fields: Vec<(usize, Vec<u8>)> = header(kind, form, length).to_vec();
            fields.push((at + 4, (allocation.len() as u32).to_le_bytes().to_vec()));
            fields.push((at + 8, allocation.to_vec()));
            let fields: Vec<(usize, &[u8])> = fields.iter().map(|(at, field)| (*at, field.as_slice())).collect();
            put(&mut image, 260 + block, tag, block as u32, &fields);
        };
        file(1, FILE_TAG, 4, 3, root.len(), &root);
        let sub = [entry(b"\x08short.exe", 0, 4), entry(b"\x08long.txt", 0, 5), entry(b"\x08gone.txt", 4, 5)].concat();
        file(2, FILE_TAG, 4, 3, sub.len(), &sub);
        file(3, LONG_FILE_TAG, 5, 3, 5, b"hello");
        file(4, FILE_TAG, 5, 0, 5, &[long(5), long(6)].concat());
        file(5, FILE_TAG, 5, 1, 7, &[long(4), long(7), [0; 4], [0; 4], long(3), long(8), [0; 4], [0; 4]].concat());
        for (block, text) in [(6, &b"short"[..]), (7, b"long"), (8, b"est")] {
            let at = (260 + block) * SECTOR;
            image[at..at + text.len()].copy_from_slice(text);
        }
        image
    }

    #[test]
    fn an_image_of_udf_alone_is_opened() {
        let image = image();
        assert!(is_one(&image));
        let (members, closed) = opened_as("application/x-udf-image", &image, "a.iso");
        let seen: Vec<(&str, &[u8])> = members.iter().map(|one| (one.name.as_str(), one.bytes.as_slice())).collect();
        let expected: [(&str, &[u8]); 3] = [("run.js", b"hello"), ("short.exe", b"short"), ("long.txt", b"longest")];
        assert_eq!((seen.as_slice(), closed.as_slice()), (&expected[..], &[][..]));
    }

    #[test]
    fn one_that_is_cut_off_keeps_its_names() {
        let (members, closed) = opened_as("application/x-udf-image", &image()[..266 * SECTOR], "a.iso");
        let names: Vec<&str> = members.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["run.js", "short.exe", "long.txt"]);
        assert_eq!(closed, [Closed::NotAnalysed("an image that is cut off".into())]);
    }

    #[test]
    fn a_program_is_found_where_no_volume_can_be_read() {
        let mut image = vec![0; 300 * SECTOR];
        image[17 * SECTOR + 1..17 * SECTOR + 6].copy_from_slice(b"NSR02");
        let at = 280 * SECTOR;
        image[at..at + 2].copy_from_slice(b"MZ");
        image[at + 0x3c] = 0x80;
        image[at + 0x80..at + 0x84].copy_from_slice(b"PE\0\0");
        let (members, closed) = opened_as("application/x-udf-image", &image, "a.iso");
        assert_eq!((members.len(), members[0].bytes.len(), closed.len()), (1, 20 * SECTOR, 1));
        image[at] = b'm';
        assert_eq!(opened_as("application/x-udf-image", &image, "a.iso").0.len(), 0);
    }

    #[test]
    fn a_folder_that_holds_itself_ends() {
        let mut image = image();
        let ring = entry(b"\x08ring", 2, 1);
        let at = 261 * SECTOR + 176;
        image[at..at + ring.len()].copy_from_slice(&ring);
        assert!(opened_as("application/x-udf-image", &image, "a.iso").0.len() < 10);
    }
}
