//! Zip (PKWARE's APPNOTE): by its directories and by the headers that stand before the members themselves. Unpackers
//! differ in which they believe, so both are shown. Encrypted members are named, and opened where the mail brings the
//! password.

mod content;
mod directory;
mod header;
mod locked;
mod name;

use super::found::Found;
use super::{Allowance, Closed, Member};

pub(crate) use content::{beginning, content};
pub(crate) use directory::ends_as_zip;
pub(crate) use header::{Entry, entries, has_header};

/// How often the bytes of a zip may be in members, all together: once, unless members share them.
const SHARES_MAX: usize = 2;

/// Opens a zip.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    if directory::is_volume(bytes) {
        found.note(Closed::Volume);
    }
    let entries = entries(bytes, allowance.entries_left());
    if entries.is_empty() {
        let is_empty = directory::is_empty(bytes);
        return if is_empty { Ok(()) } else { Err(Closed::NotAnalysed("damaged zip: no member in it".into())) };
    }
    if !directory::is_there(bytes) {
        found.note(Closed::NotAnalysed("damaged zip: no directory".into()));
    }
    let mut password = locked::Password::default();
    let mut used = 0_usize;
    for entry in entries {
        allowance.entry()?;
        if entry.is_folder() {
            continue;
        }
        found.note_all(entry.damage.clone());
        used = used.saturating_add(entry.packed_length(bytes));
        if used > bytes.len().saturating_mul(SHARES_MAX) {
            found.note(Closed::Limit("entries that share their bytes".into()));
            found.add(Member::with_names(entry.names, Vec::new()), None);
            continue;
        }
        let (content, closed) = if entry.is_locked() {
            locked::content(&entry, bytes, &mut password, allowance)
        } else {
            content(&entry, bytes, allowance)
        };
        found.add(Member::with_names(entry.names, content), closed);
    }
    if password.has_fitted() {
        found.note(Closed::OpenedWithPassword);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
