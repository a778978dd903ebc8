//! 7z. Deriving a key takes a third of a second by design, so only few passwords are tried.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use sevenz_rust2::{ArchiveReader, BlockDecoder, Error, Password};

use super::found::Found;
use super::rar::BEGIN_WITHIN_BYTES;
use super::{Allowance, Closed};
use crate::limits::Limits;

/// What begins a 7z.
const SIGNATURE: &[u8; 6] = b"7z\xbc\xaf\x27\x1c";
/// Memory of a decoder's dictionary, in KiB.
const MEMORY_KIB_MAX: usize = (Limits::DICTIONARY_BYTES_MAX >> 10) as usize;
/// Passwords that are tried.
const PASSWORDS_MAX: usize = 3;
/// Blocks of one archive that are unpacked; the files of others are named. Each may take a dictionary of memory.
const BLOCKS_MAX: usize = 2000;

/// Where a 7z begins, for which unpackers search as they do for a rar.
pub(super) fn begin(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(&bytes[..bytes.len().min(BEGIN_WITHIN_BYTES)], SIGNATURE)
}

/// Opens a 7z.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let bytes = begin(bytes).and_then(|at| bytes.get(at..)).unwrap_or(bytes);
    let mut first = Found::default();
    let result = with(bytes, &Password::empty(), allowance, &mut first);
    let is_locked = result == Err(Closed::Encrypted) || first.has(&Closed::Encrypted);
    if !is_locked {
        found.take_over(first);
        return result;
    }
    let passwords: Vec<String> = allowance.passwords().iter().take(PASSWORDS_MAX).cloned().collect();
    for password in passwords {
        let mut opened = Found::default();
        if with(bytes, &Password::new(&password), allowance, &mut opened).is_ok() && !opened.has(&Closed::Encrypted) {
            opened.note(Closed::OpenedWithPassword);
            found.take_over(opened);
            return Ok(());
        }
    }
    found.take_over(first);
    Err(Closed::Encrypted)
}

fn with(bytes: &[u8], password: &Password, allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let mut reader =
        ArchiveReader::new_with_memory_limit(Cursor::new(bytes), password.clone(), MEMORY_KIB_MAX).map_err(closed)?;
    reader.set_thread_count(1);
    let archive = reader.archive();
    // All names first: unless the header is encrypted they are in the open, whatever becomes of the contents.
    for file in archive.files.iter().filter(|file| !file.is_directory()) {
        allowance.entry()?;
        found.name(file.name.clone());
    }
    // Which member each file is.
    let mut members = Vec::with_capacity(archive.files.len());
    let mut count = 0;
    for file in &archive.files {
        members.push((!file.is_directory()).then_some(count));
        count += usize::from(!file.is_directory());
    }
    for block in 0..archive.blocks.len() {
        if block >= BLOCKS_MAX {
            return Err(Closed::Limit(format!("more than {BLOCKS_MAX} blocks in a 7z")));
        }
        let Some(first) = archive.stream_map.block_first_file_index.get(block) else { break };
        let members = members.get(*first..).unwrap_or_default();
        let mut source = Cursor::new(bytes);
        let mut decoder = BlockDecoder::new_with_memory_limit(1, MEMORY_KIB_MAX, block, archive, password, &mut source);
        decoder.set_thread_count(1);
        // A block that makes the library panic hides no other.
        let read =
            catch_unwind(AssertUnwindSafe(|| read_block(decoder, members, bytes.len() as u64, allowance, found)));
        found.note_all(read.unwrap_or_else(|_| Some(Closed::NotAnalysed("damaged 7z: a block".into()))));
    }
    Ok(())
}

/// Puts what is in a block into the members, which are named already.
fn read_block(
    decoder: BlockDecoder<'_, Cursor<&[u8]>>,
    members: &[Option<usize>],
    packed: u64,
    allowance: &mut Allowance<'_>,
    found: &mut Found,
) -> Option<Closed> {
    let mut number = 0;
    let mut ended = None;
    let read = decoder.for_each_entries(&mut |_, content: &mut dyn Read| {
        let (bytes, closed) = allowance.read_so_far(packed, content);
        if let Some(member) = members.get(number).copied().flatten().and_then(|at| found.members.get_mut(at)) {
            member.bytes = bytes;
        }
        number += 1;
        ended = closed;
        Ok(ended.is_none())
    });
    match (ended, read.map_err(closed)) {
        // With a password damage means that it is the wrong one; the library says so.
        (_, Err(Closed::Encrypted)) => Some(Closed::Encrypted),
        (Some(closed), _) | (None, Err(closed)) => Some(closed),
        (None, Ok(_)) => None,
    }
}

fn closed(error: Error) -> Closed {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => Closed::Encrypted,
        Error::MaxMemLimited { max_kb, .. } => Closed::Limit(format!("a 7z that needs more than {} MiB", max_kb >> 10)),
        other => Closed::NotAnalysed(format!("damaged 7z: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::super::tests::opened_as;
    use super::*;

    const KIND: &str = "application/x-7z-compressed";
    /// Two blocks: `packed.exe` in PPMd, which is not opened, `open.js` in Deflate.
    const TWO_BLOCKS: &str = "N3q8ryccAATdk9ZAjgAAAAAAAAAVAAAAAAAAALByImwAZ/uDfXAkW+QwAAArKs1TKIJgAOAAggByXQAA\
        gTMHrjGZCh2L32ZbY2D+OqMHcq0/wqhJN/zERle3znoKIk5dJ+H1tgCIP1c8JKT0Aad22zakid0aBB03NRh1NdZJ1LjKiodSpNWc\
        UnVS4ngQwqdKc4etIS4S/c3/BxXd5rYrGPqobO5K9uJ41Q4AAAAAFwYUAQl6AAcLAQABISEBGAyAgwAA";
    /// `locked.exe` with the password "secret".
    const LOCKED: &str = "N3q8ryccAARfXI/4gwAAAAAAAAAUAAAAAAAAAA6xR+TAQta/ImBOhgguRdA1ZkDIAQBuAQQGAAEJEAoB\
        jnIQZQAHCwEAAiQG8QcBElMPj0YykLVE+OTDrqp7L8F/iyEhARgBAAwNCQAICgFeT5+ZAAAFAREXAGwAbwBjAGsAZQBkAC4AZQB4\
        AGUAAAAUCgEAsOvECp9+3QEVBgEAIICAgQAAABcGEAEJcwAHCwEAASEhARgMbwAA";

    fn bytes(text: &str) -> Vec<u8> {
        STANDARD.decode(text).expect("base64")
    }

    #[test]
    fn a_block_that_is_not_opened_hides_no_other() {
        let archive = bytes(TWO_BLOCKS);
        let (members, closed) = opened_as(KIND, &archive, "a.7z");
        let seen: Vec<(&str, &[u8])> = members.iter().map(|one| (one.name.as_str(), one.bytes.as_slice())).collect();
        assert_eq!(seen, [("packed.exe", &b""[..]), ("open.js", b"run run run")]);
        assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{closed:?}");
        // Behind something else.
        let behind = [&[7; 100][..], &archive].concat();
        assert_eq!(super::super::magic::behind_any_beginning(&behind), Some(KIND));
        assert_eq!(opened_as(KIND, &behind, "a.7z").0.len(), 2);
        // Cut off before its list: nothing can be told.
        let (members, closed) = opened_as(KIND, &archive[..archive.len() - 10], "a.7z");
        assert!(members.is_empty() && matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{closed:?}");
    }

    #[test]
    fn what_is_locked_is_named() {
        let (members, closed) = opened_as(KIND, &bytes(LOCKED), "a.7z");
        assert_eq!((members.len(), members[0].name.as_str(), closed), (1, "locked.exe", vec![Closed::Encrypted]));
    }
}
