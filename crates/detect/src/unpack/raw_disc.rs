//! Images of discs as the drive reads them (ECMA-130): sectors with what stands before and behind their data, as `.bin`
//! and `.mdf` have them.

use super::found::Found;
use super::number::{piece, piece_so_far};
use super::{Allowance, Closed, iso, udf};

/// What begins each sector.
const SYNC: &[u8; 12] = b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0";
/// Bytes of a sector, without and with the channel that is for titles.
const SECTORS: [usize; 2] = [2352, 2448];
/// Bytes of the data of a sector.
const DATA_BYTES: usize = 2048;
/// Where the kind of a sector stands, and where its data begin: of kind 1, and of kind 2, which tells twice what it is.
const KIND_AT: usize = 15;
const DATA_AT: usize = 16;
const DATA_OF_TWO_AT: usize = 24;

/// Whether such an image begins here, with files in it that can be told.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    sector_bytes(bytes).is_some_and(|sector| {
        let head = data(bytes, sector, HEAD_SECTORS);
        iso::is_one(&head) || udf::is_one(&head)
    })
}

/// Sectors by which the kind of image is known.
const HEAD_SECTORS: usize = 300;

/// Opens an image.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let Some(sector) = sector_bytes(bytes) else {
        return Err(Closed::NotAnalysed("damaged image: its sectors".into()));
    };
    let data = data(bytes, sector, usize::MAX);
    if iso::is_one(&data) { iso::open(&data, allowance, found) } else { udf::open(&data, allowance, found) }
}

/// How long a sector is, by where the second one begins.
fn sector_bytes(bytes: &[u8]) -> Option<usize> {
    let begins = |at: usize| piece(bytes, at, SYNC.len()).is_some_and(|mark| mark == SYNC);
    SECTORS.into_iter().find(|sector| begins(0) && begins(*sector))
}

/// The data of the sectors, one behind the other.
fn data(bytes: &[u8], sector: usize, sectors: usize) -> Vec<u8> {
    let mut data = Vec::new();
    for sector in bytes.chunks(sector).take(sectors) {
        let from = if sector.get(KIND_AT) == Some(&2) { DATA_OF_TWO_AT } else { DATA_AT };
        data.extend_from_slice(piece_so_far(sector, from, DATA_BYTES));
    }
    data
}

/// An image of kind 1 of these data, for tests.
#[cfg(test)]
pub(super) fn of(data: &[u8], sector: usize, kind: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in data.chunks(DATA_BYTES) {
        let start = bytes.len();
        bytes.extend(SYNC);
        bytes.extend([0, 2, 0, kind]);
        bytes.resize(start + if kind == 2 { DATA_OF_TWO_AT } else { DATA_AT }, 0);
        bytes.extend(piece);
        bytes.resize(start + sector, 0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::tests::{an_iso, opened_as};
    use super::*;
    use crate::family;
    use domain::message::Family;

    #[test]
    fn files_of_sectors_of_each_kind() {
        let image = an_iso();
        let (plain, _) = opened_as("application/x-iso9660-image", &image, "a.iso");
        for (sector, kind) in [(2352, 1), (2352, 2), (2448, 1)] {
            let raw = of(&image, sector, kind);
            assert_eq!(family::sniff(&raw, "a.bin"), (Family::Archive, "application/x-raw-disc-image"));
            let (members, closed) = opened_as("application/x-raw-disc-image", &raw, "a.bin");
            assert_eq!(members.len(), plain.len(), "{sector} {kind} {closed:?}");
            assert!(members.iter().zip(&plain).all(|(one, other)| one.name == other.name && one.bytes == other.bytes));
        }
        let sounds = of(&vec![7; 40 * DATA_BYTES], 2352, 1);
        assert_eq!(family::sniff(&sounds, "a.bin").0, Family::Other);
        assert!(!is_one(&sounds[..2352]) && !is_one(b""));
    }
}
