//! NTFS: the files of a volume by the records of its master file table, with their names and, where they are neither
//! compressed nor encrypted, their contents.

use super::disk::Disk;
use super::found::Found;
use super::number::{piece, piece_so_far, size, u16_le, u32_le, u64_le};
use super::{Allowance, Closed, Member};
use crate::utf16;

/// Records that are looked at; the first ones are the volume's own.
const RECORDS_MAX: usize = 100_000;
const OWN_RECORDS: usize = 24;
/// Attributes of a record that are looked at, runs of one.
const ATTRIBUTES_MAX: usize = 100;
const RUNS_MAX: usize = 10_000;
/// Kinds of attributes: a name, the content.
const FILE_NAME: u32 = 0x30;
const DATA: u32 = 0x80;
/// Flags of a record: in use, a folder.
const IN_USE: u16 = 1;
const FOLDER: u16 = 2;

struct Volume<'d, 'b> {
    disk: &'d Disk<'b>,
    at: u64,
    cluster_bytes: u64,
    record_bytes: usize,
    /// Where the table of files lies: bytes of the disc, and how many.
    table: Vec<(u64, u64)>,
}

/// Where the content of a file lies.
enum Content {
    Resident(Vec<u8>),
    /// Pieces: a place where there is one, and a length; then the length of the file.
    Runs(Vec<(Option<u64>, u64)>, u64),
    /// Compressed or encrypted.
    Closed,
}

/// Whether a volume of NTFS begins at this place of a disc.
pub(super) fn is_one(disk: &Disk<'_>, at: u64) -> bool {
    let boot = disk.read(at, 512);
    piece(&boot, 3, 8).is_some_and(|mark| mark == b"NTFS    ")
}

/// The files of a volume.
pub(super) fn open(disk: &Disk<'_>, at: u64, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let Some(volume) = volume(disk, at) else {
        return Err(Closed::NotAnalysed("damaged NTFS: its first sector".into()));
    };
    let width = volume.record_bytes as u64;
    let places = volume
        .table
        .iter()
        .flat_map(|(at, length)| (0..length / width).map(move |number| at.saturating_add(number * width)));
    for (number, place) in places.enumerate().skip(OWN_RECORDS) {
        if number >= RECORDS_MAX {
            return Err(Closed::Limit(format!("more than {RECORDS_MAX} files in an image")));
        }
        let Some(record) = volume.record(place) else { continue };
        let flags = u16_le(&record, 22).unwrap_or(0);
        if flags & IN_USE == 0 || flags & FOLDER != 0 {
            continue;
        }
        let (names, content) = volume.file(&record);
        if names.is_empty() {
            continue;
        }
        allowance.entry()?;
        let (bytes, closed) = volume.content(content, allowance);
        found.add(Member::with_names(names, bytes), closed);
    }
    Ok(())
}

fn volume<'d, 'b>(disk: &'d Disk<'b>, at: u64) -> Option<Volume<'d, 'b>> {
    let boot = disk.read(at, 512);
    let sector = u64::from(u16_le(&boot, 11)?);
    let cluster_bytes = sector.checked_mul(power(*boot.get(13)?))?;
    // Clusters of a record, or the power of two that its bytes are.
    let record = boot.get(64)?.cast_signed();
    let record_bytes = match record {
        -16..=-8 => 1 << -record,
        1..=64 => cluster_bytes.checked_mul(u64::from(record.unsigned_abs()))?,
        _ => return None,
    };
    if !(256..=4 << 20).contains(&cluster_bytes) || !(256..=64 << 10).contains(&record_bytes) {
        return None;
    }
    let first = u64_le(&boot, 48)?.checked_mul(cluster_bytes)?;
    let record_bytes = size(record_bytes);
    let mut volume = Volume { disk, at, cluster_bytes, record_bytes, table: Vec::new() };
    // The first record of the table is that of the table itself.
    let (_, content) = volume.file(&volume.record(at.checked_add(first)?)?);
    if let Content::Runs(runs, _) = content {
        volume.table = runs.into_iter().filter_map(|(place, length)| Some((place?, length))).collect();
    }
    Some(volume)
}

/// Sectors of a cluster: a number, or from 0x80 on the negative of a power of two.
fn power(per_cluster: u8) -> u64 {
    if per_cluster > 0x80 {
        1_u64.checked_shl(256 - u32::from(per_cluster)).unwrap_or(0)
    } else {
        u64::from(per_cluster)
    }
}

impl Volume<'_, '_> {
    /// A record of the table, with the last bytes of its sectors put back, which were taken out to see torn writes.
    fn record(&self, at: u64) -> Option<Vec<u8>> {
        let mut record = self.disk.read(at, self.record_bytes);
        if !record.starts_with(b"FILE") {
            return None;
        }
        let (from, count) = (usize::from(u16_le(&record, 4)?), usize::from(u16_le(&record, 6)?));
        for number in 1..count {
            let Some([low, high]) = piece(&record, from + 2 * number, 2).map(|pair| [pair[0], pair[1]]) else { break };
            let end = number * 512;
            if let Some(place) = record.get_mut(end - 2..end) {
                place.copy_from_slice(&[low, high]);
            }
        }
        Some(record)
    }

    /// The names of a file, long ones first, and where its content is.
    fn file(&self, record: &[u8]) -> (Vec<String>, Content) {
        const SHORT: u8 = 2;
        let (mut long, mut short, mut content) = (Vec::new(), Vec::new(), Content::Resident(Vec::new()));
        let mut at = u16_le(record, 20).map_or(usize::MAX >> 4, usize::from);
        for _ in 0..ATTRIBUTES_MAX {
            let (Some(kind), Some(length)) = (u32_le(record, at), u32_le(record, at + 4)) else { break };
            let attribute = piece_so_far(record, at, length as usize);
            if attribute.len() < 24 {
                break;
            }
            match kind {
                FILE_NAME => {
                    let value = resident(attribute);
                    let letters = value.get(64).map_or(0, |letters| usize::from(*letters));
                    let name = utf16::le(piece_so_far(value, 66, 2 * letters));
                    if value.get(65) == Some(&SHORT) { short.push(name) } else { long.push(name) }
                }
                // The one without a name is the file; others lie beside it.
                DATA if attribute[9] == 0 => content = self.place(attribute),
                _ => {}
            }
            at += length as usize;
        }
        long.extend(short);
        (long, content)
    }

    fn place(&self, attribute: &[u8]) -> Content {
        const COMPRESSED_OR_ENCRYPTED: u16 = 0x40ff;
        let flags = u16_le(attribute, 12).unwrap_or(0);
        if attribute[8] == 0 {
            return Content::Resident(resident(attribute).to_vec());
        }
        if flags & COMPRESSED_OR_ENCRYPTED != 0 {
            return Content::Closed;
        }
        let from = u16_le(attribute, 32).map_or(0, usize::from);
        let runs = runs(attribute.get(from..).unwrap_or_default());
        let runs = runs.into_iter().map(|(cluster, count)| {
            let place = cluster.and_then(|cluster| cluster.checked_mul(self.cluster_bytes)?.checked_add(self.at));
            (place, count.saturating_mul(self.cluster_bytes))
        });
        Content::Runs(runs.collect(), u64_le(attribute, 48).unwrap_or(0))
    }

    fn content(&self, content: Content, allowance: &mut Allowance<'_>) -> (Vec<u8>, Option<Closed>) {
        let (runs, length) = match content {
            Content::Resident(bytes) => return allowance.copy(&bytes),
            Content::Closed => {
                let why = "a file that NTFS compressed or encrypted is not opened, only named";
                return (Vec::new(), Some(Closed::NotAnalysed(why.into())));
            }
            Content::Runs(runs, length) => (runs, length),
        };
        let wanted = size(length.min(allowance.bytes_left()));
        let mut bytes = Vec::new();
        for (place, length) in runs {
            let left = size(length).min(wanted - bytes.len());
            // A piece that is nowhere is zeros.
            let Some(place) = place else { break };
            bytes.extend(self.disk.read(place, left));
        }
        let is_cut = bytes.len() < wanted;
        let (bytes, closed) = allowance.copy(&bytes);
        (bytes, closed.or(is_cut.then(|| Closed::NotAnalysed("a file of an image that is not all there".into()))))
    }
}

/// The value of an attribute that stands in the record.
fn resident(attribute: &[u8]) -> &[u8] {
    let (length, from) = (u32_le(attribute, 16).unwrap_or(0) as usize, u16_le(attribute, 20).unwrap_or(0));
    piece_so_far(attribute, usize::from(from), length)
}

/// Runs of clusters: a byte with the widths of two numbers, how many, and how far from the run before; no distance
/// means that the run is nowhere.
fn runs(list: &[u8]) -> Vec<(Option<u64>, u64)> {
    let (mut runs, mut at, mut cluster) = (Vec::new(), 0, 0_i64);
    while let Some(widths) = list.get(at).filter(|widths| **widths != 0 && runs.len() < RUNS_MAX) {
        let (count_width, distance_width) = (usize::from(widths & 15), usize::from(widths >> 4));
        let (Some(count), Some(distance)) =
            (piece(list, at + 1, count_width), piece(list, at + 1 + count_width, distance_width))
        else {
            break;
        };
        let count = count.iter().rev().fold(0_u64, |value, byte| value.wrapping_shl(8) | u64::from(*byte));
        let is_below = distance.last().is_some_and(|byte| byte & 0x80 != 0);
        let begin = if is_below { -1_i64 } else { 0 };
        let step = distance.iter().rev().fold(begin, |value, byte| value.wrapping_shl(8) | i64::from(*byte));
        cluster = cluster.wrapping_add(step);
        runs.push((u64::try_from(cluster).ok().filter(|_| distance_width > 0), count));
        at += 1 + count_width + distance_width;
    }
    runs
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::opened_as;
    use super::*;

    fn attribute(kind: u32, value: &[u8]) -> Vec<u8> {
        let length = (24 + value.len()).next_multiple_of(8);
        let mut attribute = [kind.to_le_bytes(), (length as u32).to_le_bytes()].concat();
        attribute.resize(24, 0);
        attribute[16..20].copy_from_slice(&(value.len() as u32).to_le_bytes());
        attribute[20] = 24;
        attribute.extend(value);
        attribute.resize(length, 0);
        attribute
    }

    fn name(name: &str, space: u8) -> Vec<u8> {
        let letters: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut value = vec![0; 64];
        value.extend([(letters.len() / 2) as u8, space]);
        attribute(FILE_NAME, &[value, letters].concat())
    }

    /// Content in runs: so many clusters each, so far from the one before.
    fn in_runs(runs: &[u8], length: u64) -> Vec<u8> {
        let mut attribute = [DATA.to_le_bytes(), 72_u32.to_le_bytes()].concat();
        attribute.resize(72, 0);
        (attribute[8], attribute[32]) = (1, 64);
        attribute[48..56].copy_from_slice(&length.to_le_bytes());
        attribute[64..64 + runs.len()].copy_from_slice(runs);
        attribute
    }

    fn record(flags: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut record = b"FILE\x30\0\x03\0".to_vec();
        record.resize(56, 0);
        record[20] = 56;
        record[22..24].copy_from_slice(&flags.to_le_bytes());
        record.extend(attributes.concat());
        record.extend([0xff; 4]);
        record.resize(1024, 0);
        // The last bytes of each sector stand in a list, a mark in their place.
        for (number, end) in [510, 1022].into_iter().enumerate() {
            let (from, to) = record.split_at_mut(510);
            from[50 + 2 * number..52 + 2 * number].copy_from_slice(&to[end - 510..end - 508]);
            record[end..end + 2].copy_from_slice(b"!!");
        }
        record
    }

    /// A volume with clusters of 512 bytes, its table of files from cluster 2 on.
    pub(in super::super) fn image() -> Vec<u8> {
        let mut boot = vec![0; 512];
        boot[3..11].copy_from_slice(b"NTFS    ");
        boot[11..13].copy_from_slice(&512_u16.to_le_bytes());
        (boot[13], boot[48], boot[64]) = (1, 2, 0xf6);
        boot[510..].copy_from_slice(b"\x55\xaa");
        let mut table = record(IN_USE, &[name("$MFT", 3), in_runs(&[0x11, 56, 2], 28 * 1024)]);
        table.resize(24 * 1024, 0);
        table.extend(record(IN_USE, &[name("RUN~1.JS", 2), name("run me.js", 1), attribute(DATA, b"hello")]));
        table.extend(record(IN_USE | FOLDER, &[name("folder", 3)]));
        table.extend(record(0, &[name("gone.txt", 3)]));
        // Two runs: one cluster at 60, one two before it.
        table.extend(record(IN_USE, &[name("big.exe", 3), in_runs(&[0x11, 1, 60, 0x11, 1, 0xfe], 600)]));
        [boot, vec![0; 512], table, vec![2; 512], vec![0; 512], vec![1; 512]].concat()
    }

    #[test]
    fn names_and_contents_are_told() {
        let image = image();
        assert!(super::super::disk::is_one(&image));
        let (members, closed) = opened_as("application/x-disk-image", &image, "a.img");
        let seen: Vec<(&str, usize)> = members.iter().map(|one| (one.name.as_str(), one.bytes.len())).collect();
        assert_eq!((seen, closed), (vec![("run me.js", 5), ("big.exe", 600)], vec![]));
        assert_eq!(members[0].other_names, ["RUN~1.JS"]);
        assert_eq!((members[1].bytes[0], members[1].bytes[599]), (1, 2));
    }
}
