//! Programs of DOS and Windows: by more than the two letters that they begin with, which other files begin with too.

/// Bytes of the header that every such program has (the fields of `IMAGE_DOS_HEADER` before those of Windows).
const HEADER_BYTES: usize = 0x1c;
/// Where newer kinds say where their own header is.
const NEW_HEADER_AT: usize = 0x3c;
/// Bytes of one page, in which the header counts.
const PAGE_BYTES: usize = 512;
/// Bytes of a paragraph, in which it counts memory.
const PARAGRAPH_BYTES: usize = 16;
/// Bytes that DOS can address: no program is longer.
const MEMORY_BYTES: usize = 1 << 20;
/// Bytes of an entry of the table of places that are changed when the program is loaded.
const RELOCATION_BYTES: usize = 4;

/// Whether the bytes are a program of DOS or Windows. One that breaks off is one as long as its header is whole.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MZ") && (has_new_header(bytes) || is_dos(bytes).unwrap_or(false))
}

/// A header of Windows (PE), of Windows 3 (NE), or of OS/2 and drivers (LE, LX), where the first header says that it
/// is. The loader of Windows reads nothing else of the first one.
fn has_new_header(bytes: &[u8]) -> bool {
    let place = bytes.get(NEW_HEADER_AT..).and_then(|rest| rest.first_chunk().copied()).map(u32::from_le_bytes);
    let header = place.and_then(|at| usize::try_from(at).ok()).and_then(|at| bytes.get(at..)).unwrap_or_default();
    header.starts_with(b"PE\0\0") || [b"NE", b"LE", b"LX"].iter().any(|mark| header.starts_with(*mark))
}

/// A program of DOS: what its header counts fits together. The loader would take some that do not; those have a name
/// that runs, or nobody starts them.
fn is_dos(bytes: &[u8]) -> Option<bool> {
    if bytes.len() < HEADER_BYTES {
        return None;
    }
    let word = |at: usize| Some(usize::from(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?)));
    let (in_last_page, pages, relocations, paragraphs) = (word(2)?, word(4)?, word(6)?, word(8)?);
    let (memory_min, memory_max, stack) = (word(10)?, word(12)?, word(16)?);
    let (start, segment, table, overlay) = (word(20)?, word(22)?, word(24)?, word(26)?);
    let header = paragraphs * PARAGRAPH_BYTES;
    // A last page of 0 bytes is a full one.
    let unused = if in_last_page == 0 { 0 } else { PAGE_BYTES.checked_sub(in_last_page)? };
    let length = (pages * PAGE_BYTES).checked_sub(unused)?;
    let image = length.checked_sub(header)?;
    // Segments wrap at the end of memory: 0xfff0:0x100 is the first byte.
    let entry = (segment * PARAGRAPH_BYTES + start) % MEMORY_BYTES;
    let fits = length <= MEMORY_BYTES + header
        && (HEADER_BYTES..=bytes.len()).contains(&header)
        // Only a piece that a program loads itself has another number.
        && overlay == 0
        && entry < image
        && (relocations == 0 || table >= HEADER_BYTES && table + relocations * RELOCATION_BYTES <= header)
        // A program has memory for its stack; where both are 0 it is loaded at the end of memory, and has one all the
        // same.
        && memory_max >= memory_min
        && (stack > 0 || memory_max > 0);
    Some(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The header of a program of DOS, by its words behind the letters.
    fn dos(words: [u16; 13]) -> Vec<u8> {
        let words = words.into_iter().flat_map(u16::to_le_bytes);
        let mut bytes: Vec<u8> = b"MZ".iter().copied().chain(words).collect();
        bytes.resize(512, 0);
        bytes
    }

    /// What linkers of Windows put before each program: it writes a line and ends.
    const STUB: [u16; 13] = [0x90, 3, 0, 4, 0, 0xffff, 0, 0xb8, 0, 0, 0, 0x40, 0];

    fn with_new_header(mark: &[u8], at: u32) -> Vec<u8> {
        let mut bytes = b"MZ".to_vec();
        bytes.resize(NEW_HEADER_AT, 0);
        bytes.extend(at.to_le_bytes());
        bytes.resize(at as usize, 0);
        bytes.extend_from_slice(mark);
        bytes
    }

    #[test]
    fn programs_by_their_headers() {
        for mark in [&b"PE\0\0"[..], b"NE\x05\x0a", b"LE\0\0", b"LX\0\0"] {
            assert!(is_one(&with_new_header(mark, 0x80)), "{mark:?}");
        }
        // The header of Windows may stand inside the one of DOS.
        let mut tiny = b"MZ\0\0PE\0\0".to_vec();
        tiny.resize(NEW_HEADER_AT, 0);
        tiny.extend(4_u32.to_le_bytes());
        assert!(is_one(&tiny));
    }

    #[test]
    fn programs_of_dos_and_those_that_break_off() {
        let stub = dos(STUB);
        assert!(is_one(&stub) && is_one(&stub[..64]), "a program of Windows that breaks off behind its first bytes");
        assert!(!is_one(&stub[..63]) && !is_one(&stub[..20]));
        let with_table = [0, 20, 2, 32, 0x10, 0xffff, 0, 0x400, 0, 0x12, 0x20, 0x1c, 0];
        assert!(is_one(&dos(with_table)));
        let as_com = [0x20, 1, 0, 2, 0, 0xffff, 0xfff0, 0xfffe, 0, 0x100, 0xfff0, 0x1c, 0];
        assert!(!is_one(&dos(as_com)), "its image is empty");
        assert!(is_one(&dos([0x21, 1, 0, 2, 0, 0xffff, 0xfff0, 0xfffe, 0, 0x100, 0xfff0, 0x1c, 0])));
    }

    #[test]
    fn what_only_begins_so() {
        let zeros = [b"MZ".as_slice(), &[0; 200]].concat();
        let records = [b"MZ\x01\0\x02\0\x03\0\x04\0\x05\0".as_slice(), &[7; 200]].concat();
        let blocks = b"MZ0001 camera block\x01\x02\x03".repeat(9);
        let counted: Vec<u8> = b"MZ".iter().copied().chain((0..=255).map(|at| at ^ 0x5a)).collect();
        for bytes in [zeros, records, blocks, counted, b"MZ".to_vec(), with_new_header(b"PX\0\0", 0x80), vec![]] {
            assert!(!is_one(&bytes), "{:?}", &bytes[..bytes.len().min(16)]);
        }
        let far = with_new_header(b"PE\0\0", 0x80);
        assert!(!is_one(&far[..0x70]), "it breaks off, and nothing else of it is a program");
        for (at, value) in [(0, 513), (1, 0), (1, 4000), (2, 17), (3, 1), (3, 0x200), (4, 0xffff), (10, 0x100), (12, 1)]
        {
            let mut wrong = STUB;
            wrong[at] = value;
            if at == 4 {
                wrong[5] = 0;
            }
            assert!(!is_one(&dos(wrong)), "{at} {value}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let bytes = [b"MZ".as_slice(), &bytes].concat();
            let _ = is_one(&bytes);
        }
    }
}
