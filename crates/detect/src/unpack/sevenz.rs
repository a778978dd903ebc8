//! 7z. Deriving a key takes a third of a second by design, so only few passwords are tried.

use std::io::{Cursor, Read};

use sevenz_rust2::{ArchiveReader, Error, Password};

use super::{Allowance, Closed, Member};

/// Memory of a decoder's dictionary, in KiB.
const MEMORY_KIB_MAX: usize = 64 << 10;
/// Passwords that are tried.
const PASSWORDS_MAX: usize = 3;

/// Opens a 7z.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let mut outcome = with(bytes, Password::empty(), allowance, members);
    if outcome != Err(Closed::Encrypted) {
        return outcome;
    }
    let passwords: Vec<String> = allowance.passwords().iter().take(PASSWORDS_MAX).cloned().collect();
    for password in passwords {
        let mut found = Vec::new();
        outcome = with(bytes, Password::new(&password), allowance, &mut found);
        if !matches!(outcome, Err(Closed::Encrypted | Closed::NotAnalysed(_))) {
            *members = found;
            return outcome.and(Err(Closed::OpenedWithPassword));
        }
    }
    Err(Closed::Encrypted)
}

fn with(
    bytes: &[u8],
    password: Password,
    allowance: &mut Allowance<'_>,
    members: &mut Vec<Member>,
) -> Result<(), Closed> {
    let no_password = password.is_empty();
    let packed = bytes.len() as u64;
    let mut reader =
        ArchiveReader::new_with_memory_limit(Cursor::new(bytes), password, MEMORY_KIB_MAX).map_err(closed)?;
    reader.set_thread_count(1);
    if no_password {
        // Names are in the open unless the header is encrypted as well.
        let names = reader.archive().files.iter().filter(|entry| !entry.is_directory()).map(|entry| entry.name.clone());
        members.extend(names.map(|name| Member::new(name, Vec::new())));
    }
    let mut failed = None;
    let mut opened = Vec::new();
    let read = reader.for_each_entries(|entry, content: &mut dyn Read| {
        let one = allowance.entry().and_then(|()| allowance.read(packed, content));
        match one {
            Ok(bytes) if !entry.is_directory() => opened.push(Member::new(entry.name.clone(), bytes)),
            Ok(_) => {}
            Err(closed) => {
                failed = Some(closed);
                return Ok(false);
            }
        }
        Ok(true)
    });
    match (failed, read.map_err(closed)) {
        (None, Ok(_)) => {
            *members = opened;
            Ok(())
        }
        (_, Err(Closed::Encrypted)) => Err(Closed::Encrypted),
        (Some(closed), _) | (None, Err(closed)) => {
            if !opened.is_empty() {
                *members = opened;
            }
            Err(closed)
        }
    }
}

fn closed(error: Error) -> Closed {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => Closed::Encrypted,
        Error::MaxMemLimited { max_kb, .. } => Closed::Limit(format!("a 7z that needs more than {} MiB", max_kb >> 10)),
        other => Closed::NotAnalysed(format!("damaged 7z: {other}")),
    }
}
