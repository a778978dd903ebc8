//! Rar: the names of its files. Nothing free opens what is in it; clamd does.

use super::{Allowance, Closed, Member};

/// Lists a rar of version 4 or 5.
pub(super) fn list(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let (names, encrypted) = if bytes.starts_with(b"Rar!\x1a\x07\x01\0") { five(bytes) } else { four(bytes) };
    for name in names {
        allowance.entry()?;
        members.push(Member::new(name, Vec::new()));
    }
    if encrypted {
        Err(Closed::Encrypted)
    } else {
        Err(Closed::NotAnalysed("what is in a rar is not opened, only named".into()))
    }
}

/// Blocks of version 4: checksum, type, flags, size; files have the size of their data and a name.
fn four(bytes: &[u8]) -> (Vec<String>, bool) {
    let (mut names, mut encrypted, mut at) = (Vec::new(), false, 7);
    let word = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let long = |at: usize| Some(word(at)? | word(at + 2)? << 16);
    while let (Some(kind), Some(flags), Some(size)) = (bytes.get(at + 2), word(at + 3), word(at + 5)) {
        if size < 7 {
            break;
        }
        let added = if *kind == 0x74 || flags & 0x8000 != 0 { long(at + 7).unwrap_or(0) } else { 0 };
        match kind {
            // The archive's own header: its flags tell whether all headers behind it are encrypted.
            0x73 if flags & 0x80 != 0 => return (names, true),
            0x74 => {
                encrypted |= flags & 4 != 0;
                let length = word(at + 26).unwrap_or(0);
                let from = at + if flags & 0x100 != 0 { 40 } else { 32 };
                if let Some(name) = bytes.get(from..from.saturating_add(length)) {
                    // The name in the old charset ends where its Unicode form begins.
                    let plain = name.split(|byte| *byte == 0).next().unwrap_or_default();
                    names.push(String::from_utf8_lossy(plain).into_owned());
                }
            }
            0x7b => break,
            _ => {}
        }
        at = at.saturating_add(size).saturating_add(added);
    }
    (names, encrypted)
}

/// Blocks of version 5: checksum, then numbers of variable length.
fn five(bytes: &[u8]) -> (Vec<String>, bool) {
    let (mut names, mut encrypted, mut at) = (Vec::new(), false, 8);
    loop {
        let mut reader = Vint { bytes, at: at + 4 };
        let Some(size) = reader.next() else { break };
        let start = reader.at;
        let (Some(kind), Some(flags)) = (reader.next(), reader.next()) else { break };
        let extra = if flags & 1 != 0 { reader.next().unwrap_or(0) } else { 0 };
        let data = if flags & 2 != 0 { reader.next().unwrap_or(0) } else { 0 };
        match kind {
            2 => {
                names.extend(file_name(&mut reader));
                let end = start.saturating_add(size);
                encrypted |= extra > 0 && has_encryption(bytes, end.saturating_sub(extra), end);
            }
            // All headers behind it are encrypted.
            4 => return (names, true),
            5 => break,
            _ => {}
        }
        let next = start.saturating_add(size).saturating_add(data);
        if next <= at {
            break;
        }
        at = next;
    }
    (names, encrypted)
}

fn file_name(reader: &mut Vint<'_>) -> Option<String> {
    let flags = reader.next()?;
    let _unpacked = reader.next()?;
    let _attributes = reader.next()?;
    reader.at += if flags & 2 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let _compression = reader.next()?;
    let _system = reader.next()?;
    let length = reader.next()?;
    let name = reader.bytes.get(reader.at..reader.at.checked_add(length)?)?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Records of the extra area: size, type (1 is encryption), content.
fn has_encryption(bytes: &[u8], from: usize, end: usize) -> bool {
    let mut at = from;
    while at < end {
        let mut reader = Vint { bytes, at };
        let Some(size) = reader.next() else { return false };
        let start = reader.at;
        if reader.next() == Some(1) {
            return true;
        }
        at = start.saturating_add(size.max(1));
    }
    false
}

struct Vint<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Vint<'_> {
    fn next(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}
