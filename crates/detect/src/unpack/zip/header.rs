//! The headers before the members of a zip (APPNOTE 4.3.7), and what a directory lists beside them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::super::Closed;
use super::super::number::{piece, piece_so_far, size, u16_le, u32_le, u64_le};
use super::{directory, name};

/// What begins a member.
pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// What begins the sizes behind a member, where the header could not know them (APPNOTE 4.3.9).
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";
/// Bytes of a header before its name.
const LOCAL_BYTES: usize = 30;
/// Bytes of a name by which alone a header is believed.
const NAME_BYTES_MAX: usize = 1000;
/// The extra field with sizes of eight bytes (APPNOTE 4.5.3).
const ZIP64: u16 = 1;
/// The extra field of members that AES encrypts.
const AES: u16 = 0x9901;
/// Flags (APPNOTE 4.4.4): encrypted; sizes are behind the member; names are UTF-8.
const ENCRYPTED: u16 = 1;
const SIZES_BEHIND: u16 = 8;
const UTF8: u16 = 0x800;
/// Methods of compression that were ever given a number (APPNOTE 4.4.5).
const METHODS_MAX: u16 = 99;
/// The highest version of the specification that a member may need.
const VERSION_MAX: u16 = 63;

/// A member of a zip before it is unpacked.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its names, the one that most unpackers show first.
    pub(crate) names: Vec<String>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) crc: u32,
    pub(super) unpacked: u64,
    /// Where its packed bytes lie, as the headers say; their end may be behind that of the zip.
    pub(super) packed: Range<usize>,
    /// Whether only the packed bytes themselves tell where they end.
    pub(super) is_open_ended: bool,
    /// The extra field that says how AES encrypts it.
    pub(super) aes: Option<Vec<u8>>,
    /// Why it is not what its headers say.
    pub(super) damage: Option<Closed>,
    header_at: usize,
}

impl Entry {
    /// Whether it is a folder: its name says so, and nothing is in it.
    pub(crate) fn is_folder(&self) -> bool {
        self.names.first().is_some_and(|name| name.ends_with(['/', '\\'])) && self.unpacked == 0
    }

    /// Whether its headers say that it is encrypted.
    pub(crate) fn is_locked(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// Packed bytes that are there and belong to no other member by right.
    pub(super) fn packed_length(&self, bytes: &[u8]) -> usize {
        if self.is_open_ended { 0 } else { self.packed_bytes(bytes).len() }
    }

    /// Its packed bytes, as many as there are.
    pub(super) fn packed_bytes<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        piece_so_far(bytes, self.packed.start, self.packed.end.saturating_sub(self.packed.start))
    }
}

/// A header before a member, as far as it is one.
pub(super) struct Local {
    flags: u16,
    method: u16,
    time: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    names: Vec<String>,
    aes: Option<Vec<u8>>,
    data_at: usize,
}

/// A line of a directory (APPNOTE 4.3.12).
pub(super) struct Listed {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) header_at: u64,
    pub(super) names: Vec<String>,
    pub(super) aes: Option<Vec<u8>>,
}

/// Names in the fields of a header: as it stands there, up to a NUL where some end it, the one in Unicode beside it.
pub(super) fn names(text: &[u8], flags: u16, extra: &[u8]) -> Vec<String> {
    let mut names = vec![name::readable(text, flags & UTF8 != 0)];
    if let Some(end) = memchr::memchr(0, text) {
        names.push(name::readable(&text[..end], flags & UTF8 != 0));
    }
    names.extend(name::unicode(extra));
    names
}

/// The AES field among the extra fields, with its own header.
pub(super) fn aes(extra: &[u8]) -> Option<Vec<u8>> {
    fields(extra).find(|(id, _)| *id == AES).map(|(_, content)| {
        let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
        [&AES.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
    })
}

/// Extra fields: a number, a length, a content.
pub(super) fn fields(extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (id, length) = (u16_le(extra, at)?, usize::from(u16_le(extra, at + 2)?));
        let content = piece(extra, at + 4, length)?;
        at += 4 + length;
        Some((id, content))
    })
}

/// Numbers of eight bytes in the place of those that read `u32::MAX`, in this order.
pub(super) fn long_numbers<const N: usize>(short: [u32; N], extra: &[u8]) -> [u64; N] {
    let field = fields(extra).find(|(id, _)| *id == ZIP64).map(|(_, content)| content).unwrap_or_default();
    let mut at = 0;
    short.map(|number| {
        let long = (number == u32::MAX).then(|| u64_le(field, at)).flatten();
        at += if long.is_some() { 8 } else { 0 };
        long.unwrap_or(u64::from(number))
    })
}

/// Reads a header, where there is one that can be meant as such: it asks for a version and a method that there are, or
/// it has a name that could be one. Unpackers list what has a name, whatever else is damaged.
fn sane_local(bytes: &[u8], at: usize) -> Option<Local> {
    let (version, method) = (u16_le(bytes, at + 4)?, u16_le(bytes, at + 8)?);
    let name_length = usize::from(u16_le(bytes, at + 26)?);
    let is_sane = version & 0xff <= VERSION_MAX && method <= METHODS_MAX;
    let is_name = |name: &[u8]| name_length <= NAME_BYTES_MAX && !name.iter().any(u8::is_ascii_control);
    let is_named = || piece(bytes, at + LOCAL_BYTES, name_length).is_some_and(is_name);
    local(bytes, at).filter(|_| name_length > 0 && (is_sane || is_named()))
}

/// Reads a header that a directory names; of what stands in it little counts then.
fn local(bytes: &[u8], at: usize) -> Option<Local> {
    if piece(bytes, at, 4)? != LOCAL {
        return None;
    }
    let (flags, method) = (u16_le(bytes, at + 6)?, u16_le(bytes, at + 8)?);
    let (name_length, extra_length) = (usize::from(u16_le(bytes, at + 26)?), usize::from(u16_le(bytes, at + 28)?));
    let text = piece_so_far(bytes, at + LOCAL_BYTES, name_length);
    let extra = piece_so_far(bytes, at + LOCAL_BYTES + name_length, extra_length);
    let [unpacked, packed] = long_numbers([u32_le(bytes, at + 22)?, u32_le(bytes, at + 18)?], extra);
    Some(Local {
        flags,
        method,
        time: u16_le(bytes, at + 10)?,
        crc: u32_le(bytes, at + 14)?,
        packed,
        unpacked,
        names: names(text, flags, extra),
        aes: aes(extra),
        data_at: at + LOCAL_BYTES + name_length + extra_length,
    })
}

/// Whether a header of a member stands within the first `within` bytes.
pub(crate) fn has_header(bytes: &[u8], within: usize) -> bool {
    let head = &bytes[..bytes.len().min(within)];
    memchr::memmem::find_iter(head, LOCAL).any(|at| sane_local(bytes, at).is_some())
}

/// The members of a zip: those that its directories list, then those that only have a header. No more than `max`.
pub(crate) fn entries(bytes: &[u8], max: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen = HashSet::new();
    for (line, base) in directory::lines(bytes, max) {
        let entry = listed(line, base, bytes);
        // Two directories may list the same member.
        let is_new = seen.insert((entry.header_at, entry.packed.end, entry.names.first().cloned()));
        if is_new || entry.header_at == usize::MAX {
            entries.push(entry);
        }
    }
    add_unlisted(&mut entries, bytes, max);
    entries
}

/// A member that a directory lists.
fn listed(line: Listed, base: u64, bytes: &[u8]) -> Entry {
    let places = [base.saturating_add(line.header_at), line.header_at].map(size);
    let found = places.into_iter().find_map(|at| local(bytes, at).map(|header| (at, header)));
    let mut names = line.names;
    let (header_at, data_at) = match found {
        Some((at, header)) => {
            names.extend(header.names);
            (at, header.data_at)
        }
        None => (usize::MAX, usize::MAX),
    };
    let end = data_at.saturating_add(size(line.packed));
    let damage = if header_at == usize::MAX {
        Some("a member that is listed and not there")
    } else if end > bytes.len() {
        Some("a member that is cut off")
    } else {
        None
    };
    Entry {
        names,
        flags: line.flags,
        method: line.method,
        time: line.time,
        crc: line.crc,
        unpacked: line.unpacked,
        packed: data_at..end,
        is_open_ended: false,
        aes: line.aes,
        damage: damage.map(|what| Closed::NotAnalysed(format!("damaged zip: {what}"))),
        header_at,
    }
}

/// Adds members whose header no directory lists, or lists otherwise.
fn add_unlisted(entries: &mut Vec<Entry>, bytes: &[u8], max: usize) {
    let listed: HashMap<usize, usize> =
        entries.iter().enumerate().map(|(number, entry)| (entry.header_at, number)).collect();
    let mut from = 0;
    while entries.len() < max {
        let rest = bytes.get(from..).unwrap_or_default();
        let Some(at) = memchr::memmem::find(rest, LOCAL).map(|found| from + found) else { break };
        from = at + LOCAL.len();
        let Some(header) = sane_local(bytes, at) else { continue };
        let known = listed.get(&at).map(|number| &entries[*number]);
        if let Some(known) = known
            && says_the_same(&header, known)
        {
            // What stands in a member is the member's, unless it is said to be more than there is.
            from = if known.packed.end <= bytes.len() { known.packed.end.max(from) } else { from };
            continue;
        }
        let entry = unlisted(header, at, bytes);
        if !entry.is_open_ended && entry.packed.end <= bytes.len() {
            from = entry.packed.end.max(from);
        }
        entries.push(entry);
    }
}

/// Whether header and directory agree on what is to be unpacked, and how.
fn says_the_same(header: &Local, listed: &Entry) -> bool {
    let length = (listed.packed.end - listed.packed.start) as u64;
    let is_same_size = header.packed == length || (header.flags & SIZES_BEHIND != 0 && header.packed == 0);
    is_same_size && header.method == listed.method && (header.flags ^ listed.flags) & ENCRYPTED == 0
}

/// A member by its header alone.
fn unlisted(header: Local, at: usize, bytes: &[u8]) -> Entry {
    let is_open_ended = header.flags & SIZES_BEHIND != 0 && header.packed == 0;
    let length = if is_open_ended { length_of_open_ended(bytes, header.data_at) } else { size(header.packed) };
    Entry {
        names: header.names,
        flags: header.flags,
        method: header.method,
        time: header.time,
        crc: header.crc,
        unpacked: if is_open_ended { length as u64 } else { header.unpacked },
        packed: header.data_at..header.data_at.saturating_add(length),
        is_open_ended,
        aes: header.aes,
        damage: None,
        header_at: at,
    }
}

/// The length of a member whose sizes stand behind it: up to the sizes that fit, or else to the next header, so that no
/// two such members share their bytes. Those that are compressed may end before.
fn length_of_open_ended(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    for at in memchr::memmem::find_iter(rest, b"PK") {
        let is_end = match rest.get(at..at + 4) {
            Some(mark) if mark == DESCRIPTOR => {
                let (short, long) = (u32_le(rest, at + 8), u64_le(rest, at + 8));
                short == u32::try_from(at).ok() || long == Some(at as u64)
            }
            Some(mark) => mark == LOCAL || mark == directory::LINE,
            None => false,
        };
        if is_end {
            return at;
        }
    }
    rest.len()
}
