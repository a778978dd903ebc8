//! ISO 9660 images (ECMA-119): the files of their folders, by all the names that they have there: those of Joliet,
//! those of Rock Ridge, the short ones. People are sent programs in images because what comes out of one carries no
//! mark of the web.

use std::collections::{HashMap, HashSet};

use super::found::Found;
use super::number::{piece, piece_so_far, u32_le};
use super::{Allowance, Closed, Member, udf};
use crate::utf16;

const SECTOR: usize = 2048;
/// Folders that are looked into, so that one that holds itself ends.
const FOLDERS_MAX: usize = 500;
/// Records of all folders that are read, and names of one file that are kept.
const RECORDS_MAX: usize = 100_000;
const NAMES_MAX: usize = 8;
/// Sectors that may hold descriptors of volumes.
const DESCRIPTORS: std::ops::Range<usize> = 16..64;

/// Where something lies in the image, in bytes.
type Extent = (usize, usize);

/// Whether an image of ISO 9660 begins here.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    piece(bytes, 16 * SECTOR + 1, 5).is_some_and(|mark| mark == b"CD001")
}

/// Opens an image. Where it has UDF as well, Windows shows that; the files of both are told.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    if udf::is_one(bytes) {
        let opened = udf::open(bytes, allowance, found);
        found.note_all(opened.err());
    }
    let known = found.members.len();
    let of_udf: HashMap<(usize, u32), usize> =
        found.members.iter().enumerate().map(|(number, member)| (identity(&member.bytes), number)).collect();
    let mut files = Files::default();
    for (volume, is_wide) in volumes(bytes) {
        let root = extent(&volume[156..190]);
        if let Err(closed) = walk(bytes, root, is_wide, allowance, &mut files) {
            found.note(closed);
        }
    }
    if files.of_volumes == 0 && known == 0 {
        return Err(Closed::NotAnalysed("an image without a volume".into()));
    }
    if files.in_order.is_empty() && known == 0 {
        found.note(Closed::NotAnalysed("damaged image: no file in its folders".into()));
        return udf::programs(bytes, allowance, found);
    }
    let mut compared = 0_usize;
    for (names, (from, length)) in files.in_order {
        let content = piece_so_far(bytes, from, length);
        if content.len() < length {
            found.note(Closed::NotAnalysed("an image that is cut off".into()));
        }
        // Extents that lie on one another would be compared without end.
        compared = compared.saturating_add(content.len());
        let is_compared = known > 0 && !content.is_empty() && compared <= bytes.len().saturating_mul(2);
        let same = is_compared.then(|| of_udf.get(&identity(content))).flatten();
        let same = same.and_then(|number| found.members.get_mut(*number)).filter(|member| member.bytes == content);
        if let Some(member) = same {
            let room = NAMES_MAX.saturating_sub(member.other_names.len());
            member.other_names.extend(names.into_iter().filter(|name| *name != member.name).take(room));
            continue;
        }
        let (content, closed) = allowance.copy(content);
        found.add(Member::with_names(names, content), closed);
    }
    Ok(())
}

/// By what a file of ISO 9660 is known to be one of UDF.
fn identity(content: &[u8]) -> (usize, u32) {
    let mut checksum = flate2::Crc::new();
    checksum.update(content);
    (content.len(), checksum.sum())
}

/// The descriptors of volumes with files, and whether their names are those of Joliet; such first.
fn volumes(bytes: &[u8]) -> Vec<(&[u8], bool)> {
    let descriptors = DESCRIPTORS.map_while(|sector| {
        let descriptor = piece(bytes, sector * SECTOR, SECTOR)?;
        (&descriptor[1..6] == b"CD001" && descriptor[0] != 255).then_some(descriptor)
    });
    let is_wide = |descriptor: &[u8]| descriptor[0] == 2 && descriptor[88] == b'%' && descriptor[89] == b'/';
    let mut volumes: Vec<(&[u8], bool)> =
        descriptors.filter(|one| matches!(one[0], 1 | 2)).map(|one| (one, is_wide(one))).collect();
    volumes.sort_by_key(|(_, is_wide)| !is_wide);
    volumes
}

/// Files by where they lie: one that two volumes list is one, with the names of both.
#[derive(Default)]
struct Files {
    in_order: Vec<(Vec<String>, Extent)>,
    by_extent: HashMap<Extent, usize>,
    of_volumes: usize,
    records: usize,
}

impl Files {
    /// Whether a file was not known before. Empty ones lie nowhere, so that each is one of its own.
    fn add(&mut self, names: Vec<String>, extent: Extent) -> bool {
        if let Some(number) = self.by_extent.get(&extent).filter(|_| extent.1 > 0) {
            let known = &mut self.in_order[*number].0;
            known.extend(names.into_iter().take(NAMES_MAX.saturating_sub(known.len())));
            return false;
        }
        self.by_extent.insert(extent, self.in_order.len());
        self.in_order.push((names, extent));
        true
    }
}

fn walk(
    bytes: &[u8],
    root: Extent,
    is_wide: bool,
    allowance: &mut Allowance<'_>,
    files: &mut Files,
) -> Result<(), Closed> {
    files.of_volumes += 1;
    let (mut folders, mut looked) = (vec![root], HashSet::new());
    while let Some((from, length)) = folders.pop() {
        if !looked.insert(from) {
            continue;
        }
        if looked.len() > FOLDERS_MAX {
            return Err(Closed::Limit(format!("more than {FOLDERS_MAX} folders in an image")));
        }
        for record in records(piece_so_far(bytes, from, length)) {
            files.records += 1;
            if files.records > RECORDS_MAX {
                return Err(Closed::Limit(format!("more than {RECORDS_MAX} records in an image")));
            }
            let name = &record[33..33 + usize::from(record[32])];
            if record[25] & 2 != 0 {
                // The first two are the folder itself and the one above.
                if name.len() > 1 || name.first().is_some_and(|byte| *byte > 1) {
                    folders.push(extent(record));
                }
                continue;
            }
            let rock_ridge = rock_ridge(record);
            let names = std::iter::once(readable(name, is_wide)).chain(rock_ridge).collect();
            if files.add(names, extent(record)) {
                allowance.entry()?;
            }
        }
    }
    Ok(())
}

/// Where the content of a record lies.
fn extent(record: &[u8]) -> Extent {
    let long = |at: usize| u32_le(record, at).unwrap_or(0) as usize;
    (long(2).saturating_mul(SECTOR), long(10))
}

/// The records of a folder; none crosses a sector.
fn records(table: &[u8]) -> impl Iterator<Item = &[u8]> {
    table.chunks(SECTOR).flat_map(|sector| {
        let mut at = 0;
        std::iter::from_fn(move || {
            let length = usize::from(*sector.get(at)?);
            let record = sector.get(at..at + length)?;
            at += length;
            let is_whole = length >= 34 && 33 + usize::from(record[32]) <= length;
            is_whole.then_some(record)
        })
    })
}

/// The name that Rock Ridge adds behind a record (IEEE P1282, field NM), which may be in pieces.
fn rock_ridge(record: &[u8]) -> Option<String> {
    let mut at = (33 + usize::from(record[32])).next_multiple_of(2);
    let mut name = Vec::new();
    while let (Some(mark), Some(length)) = (piece(record, at, 2), record.get(at + 2).map(|length| usize::from(*length)))
    {
        let Some(field) = piece(record, at, length).filter(|field| field.len() >= 4) else { break };
        if mark == b"NM" {
            name.extend(field.get(5..).unwrap_or_default());
        }
        at += length;
    }
    (!name.is_empty()).then(|| String::from_utf8_lossy(&name).into_owned())
}

fn readable(name: &[u8], is_wide: bool) -> String {
    let text = if is_wide { utf16::be(name) } else { String::from_utf8_lossy(name).into_owned() };
    text.split(';').next().unwrap_or_default().trim_end_matches('.').to_owned()
}
