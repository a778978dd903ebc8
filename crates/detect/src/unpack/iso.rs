//! ISO 9660 images: the files of their folders, by the Joliet names where there are some. People are sent programs in
//! them because what comes out of an image carries no mark of the web.

use super::found::Found;
use super::{Allowance, Closed, Member};

const SECTOR: usize = 2048;
/// Folders that are looked into, so that one that holds itself ends.
const FOLDERS_MAX: usize = 500;

/// Opens an image.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let descriptors = (16..64).map_while(|sector| {
        let at = sector * SECTOR;
        let descriptor = bytes.get(at..at + SECTOR)?;
        (&descriptor[1..6] == b"CD001" && descriptor[0] != 255).then_some(descriptor)
    });
    let descriptors: Vec<&[u8]> = descriptors.collect();
    let is_joliet = |d: &&&[u8]| d[0] == 2 && d[88] == b'%' && d[89] == b'/';
    let wide = descriptors.iter().find(is_joliet);
    let Some(volume) = wide.or_else(|| descriptors.iter().find(|d| d[0] == 1)) else {
        return Err(Closed::NotAnalysed("an image without an ISO 9660 volume".into()));
    };
    let mut folders = vec![extent(&volume[156..190])];
    let mut looked = 0;
    while let Some((from, length)) = folders.pop() {
        looked += 1;
        if looked > FOLDERS_MAX {
            return Err(Closed::Limit(format!("more than {FOLDERS_MAX} folders in an image")));
        }
        let Some(table) = bytes.get(from..from.saturating_add(length)) else { continue };
        for record in records(table) {
            allowance.entry()?;
            let (from, length) = extent(record);
            let name = &record[33..33 + usize::from(record[32])];
            if record[25] & 2 != 0 {
                // The first two are the folder itself and the one above.
                if name.len() > 1 || name.first().is_some_and(|byte| *byte > 1) {
                    folders.push((from, length));
                }
                continue;
            }
            let content = bytes.get(from..from.saturating_add(length)).unwrap_or_default();
            let content = allowance.read(length as u64, content)?;
            found.members.push(Member::new(readable(name, wide.is_some()), content));
        }
    }
    Ok(())
}

/// Where the content of a record lies, in bytes.
fn extent(record: &[u8]) -> (usize, usize) {
    let long = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]) as usize;
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

fn readable(name: &[u8], wide: bool) -> String {
    let text = if wide {
        let units = name.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    } else {
        String::from_utf8_lossy(name).into_owned()
    };
    text.split(';').next().unwrap_or_default().trim_end_matches('.').to_owned()
}
