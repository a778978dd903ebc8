//! Archives that nobody's free program writes any more and some unpackers still open: their members are named, those
//! that lie there unpacked are opened. LZH, ARJ, ACE, ALZ, EGG, XAR.

use super::found::Found;
use super::number::{piece, piece_so_far, size, u16_be, u16_le, u32_le, u64_be, u64_le, until_nul};
use super::{Allowance, Closed, Member};

fn only_named(kind: &str) -> Closed {
    Closed::NotAnalysed(format!("what is in {kind} is not opened, only named"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(until_nul(bytes)).into_owned()
}

/// A member of which nothing but the name can be told, unless its bytes lie there as they are.
fn add(
    names: Vec<String>,
    stored: Option<&[u8]>,
    kind: &str,
    allowance: &mut Allowance<'_>,
    found: &mut Found,
) -> Result<(), Closed> {
    allowance.entry()?;
    let (content, closed) = match stored {
        Some(stored) => allowance.copy(stored),
        None => (Vec::new(), Some(only_named(kind))),
    };
    found.add(Member::with_names(names, content), closed);
    Ok(())
}

/// Whether an LZH begins here: the method of its first member, and a level of its header.
pub(super) fn is_lzh(bytes: &[u8]) -> bool {
    let Some(method) = piece(bytes, 2, 5) else { return false };
    let is_method = method[0] == b'-' && method[4] == b'-' && matches!(&method[1..3], b"lh" | b"lz" | b"pm");
    is_method && bytes.get(20).is_some_and(|level| *level <= 3)
}

/// LZH: headers of level 0 to 3, each before its member.
pub(super) fn lzh(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let mut at = 0_usize;
    while bytes.get(at..).is_some_and(is_lzh) {
        let Some(header) = lzh_header(bytes, at) else {
            return Err(Closed::NotAnalysed("damaged LZH: a header".into()));
        };
        let method = piece(bytes, at + 2, 5).unwrap_or_default();
        let is_stored = matches!(method, b"-lh0-" | b"-lz4-" | b"-pm0-");
        let packed = piece_so_far(bytes, header.data_at, header.packed);
        if method != b"-lhd-" {
            add(header.names, is_stored.then_some(packed), "an LZH", allowance, found)?;
        }
        at = header.data_at.saturating_add(header.packed).max(at + 21);
    }
    Ok(())
}

struct LzhHeader {
    names: Vec<String>,
    data_at: usize,
    packed: usize,
}

/// Level 0 and 1 have a name in their first part; all but 0 have extended headers, of which type 1 is a name.
fn lzh_header(bytes: &[u8], at: usize) -> Option<LzhHeader> {
    let packed = u32_le(bytes, at + 7)? as usize;
    let mut names = Vec::new();
    let level = *bytes.get(at + 20)?;
    if level < 2 {
        let length = usize::from(*bytes.get(at + 21)?);
        names.push(text(piece(bytes, at + 22, length)?));
    }
    let wide = |at: usize| u32_le(bytes, at).map(|number| number as usize);
    let narrow = |at: usize| u16_le(bytes, at).map(usize::from);
    let first = usize::from(*bytes.get(at)?);
    match level {
        0 => return Some(LzhHeader { names, data_at: at + first + 2, packed }),
        1 => {
            let (extended, end) = extended(bytes, at + first, &narrow, 2, &mut names);
            // The packed size of level 1 counts the extended headers.
            return Some(LzhHeader { names, data_at: end, packed: packed.saturating_sub(extended) });
        }
        2 => drop(extended(bytes, at + 24, &narrow, 2, &mut names)),
        _ => drop(extended(bytes, at + 28, &wide, 4, &mut names)),
    }
    let whole = if level == 2 { narrow(at)? } else { wide(at + 24)? };
    Some(LzhHeader { names, data_at: at.checked_add(whole)?, packed })
}

/// Extended headers: the size of the next one, its type, its content. How long they are, and where they end.
fn extended(
    bytes: &[u8],
    from: usize,
    number: &impl Fn(usize) -> Option<usize>,
    width: usize,
    names: &mut Vec<String>,
) -> (usize, usize) {
    const HEADERS_MAX: usize = 100;
    let (mut at, mut total) = (from, 0_usize);
    for _ in 0..HEADERS_MAX {
        let Some(length) = number(at) else { break };
        at += width;
        let Some(header) = piece(bytes, at, length).filter(|header| header.len() > width) else { break };
        total += length;
        if header[0] == 1 {
            names.push(text(&header[1..length - width]));
        }
        at += length - width;
    }
    (total, at)
}

/// ARJ (its TECHNOTE): headers of a mark, a size, fields, a name, a comment; the first is that of the archive.
pub(super) fn arj(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let (mut at, mut is_first) = (0_usize, true);
    while piece(bytes, at, 2).is_some_and(|mark| mark == b"\x60\xea") {
        let Some(length) = u16_le(bytes, at + 2).map(usize::from).filter(|length| *length > 0) else { break };
        let header = piece_so_far(bytes, at + 4, length);
        let mut next = at + 4 + length + 4;
        while let Some(extended) = u16_le(bytes, next).map(usize::from) {
            next += 2;
            if extended == 0 {
                break;
            }
            next += extended + 4;
        }
        let fields = header.first().map_or(0, |size| usize::from(*size));
        let name = text(header.get(fields..).unwrap_or_default());
        let (method, kind) = (header.get(5).copied(), header.get(6).copied());
        let packed = u32_le(header, 12).unwrap_or(0) as usize;
        if !is_first {
            // Type 3 is a folder; the first flag is that of a password.
            let is_locked = header.get(4).is_some_and(|flags| flags & 1 != 0);
            let stored = (method == Some(0) && !is_locked).then(|| piece_so_far(bytes, next, packed));
            if kind != Some(3) {
                add(vec![name], stored, "an ARJ", allowance, found)?;
            }
            if is_locked {
                found.note(Closed::Encrypted);
            }
            next = next.saturating_add(packed);
        }
        (at, is_first) = (next, false);
    }
    Ok(())
}

/// Whether an ARJ begins here: its mark, and sizes that fit.
pub(super) fn is_arj(bytes: &[u8]) -> bool {
    let (length, first) = (u16_le(bytes, 2), bytes.get(4).copied());
    bytes.starts_with(b"\x60\xea")
        && length.is_some_and(|length| (30..=2600).contains(&length))
        && first.is_some_and(|first| (30..=100).contains(&first))
        && bytes.get(10) == Some(&2)
}

/// Whether an ACE begins here.
pub(super) fn is_ace(bytes: &[u8]) -> bool {
    piece(bytes, 7, 7).is_some_and(|mark| mark == b"**ACE**")
}

/// ACE: headers of a checksum, a size, a type, flags; type 1 and 2 are files.
pub(super) fn ace(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    const HAS_MORE: u16 = 1;
    const HAS_LONG_SIZES: u16 = 4;
    const HAS_PASSWORD: u16 = 0x4000;
    let mut at = 0_usize;
    while let (Some(length), Some(kind), Some(flags)) =
        (u16_le(bytes, at + 2).map(usize::from), bytes.get(at + 4), u16_le(bytes, at + 5))
    {
        let is_long = *kind == 2 || flags & HAS_LONG_SIZES != 0;
        let packed = match (flags & HAS_MORE != 0, is_long) {
            (false, _) => 0,
            (true, false) => u32_le(bytes, at + 7).unwrap_or(0) as usize,
            (true, true) => u64_le(bytes, at + 7).map_or(0, size),
        };
        let data_at = at + 4 + length;
        if matches!(kind, 1 | 2) {
            // Sizes, time, attributes, checksum, method and two words, then the length of the name.
            let fields = at + 7 + if is_long { 16 } else { 8 };
            let name_at = fields + 4 + 4 + 4 + 4 + 2;
            let name = piece(bytes, name_at + 2, u16_le(bytes, name_at).map_or(0, usize::from)).map(text);
            let is_stored = bytes.get(fields + 12) == Some(&0) && flags & HAS_PASSWORD == 0;
            let is_folder = u32_le(bytes, fields + 4).is_some_and(|attributes| attributes & 0x10 != 0);
            if !is_folder {
                let stored = is_stored.then(|| piece_so_far(bytes, data_at, packed));
                add(name.into_iter().collect(), stored, "an ACE", allowance, found)?;
            }
            if flags & HAS_PASSWORD != 0 {
                found.note(Closed::Encrypted);
            }
        }
        at = data_at.saturating_add(packed);
    }
    Ok(())
}

/// ALZ of ESTsoft: records by a mark; a file has a descriptor that tells how wide its sizes are.
pub(super) fn alz(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let mut at = 8_usize;
    while let Some(b"BLZ\x01") = piece(bytes, at, 4) {
        let (length, descriptor) = (u16_le(bytes, at + 4).map_or(0, usize::from), u16_le(bytes, at + 11).unwrap_or(0));
        let width = usize::from(descriptor >> 4 & 15);
        let attributes = bytes.get(at + 6).copied().unwrap_or(0);
        let method = bytes.get(at + 13).copied();
        let sizes_at = at + if width > 0 { 19 } else { 13 };
        let packed = piece(bytes, sizes_at, width).unwrap_or_default();
        let packed = packed.iter().rev().fold(0_u64, |value, byte| value.wrapping_shl(8) | u64::from(*byte));
        let name_at = sizes_at + 2 * width;
        let name = piece_so_far(bytes, name_at, length);
        let is_locked = descriptor & 1 != 0;
        let data_at = name_at + length + if is_locked { 12 } else { 0 };
        if attributes & 0x10 == 0 {
            let stored = (method == Some(0) && !is_locked).then(|| piece_so_far(bytes, data_at, size(packed)));
            let (name, _, _) = encoding_rs::EUC_KR.decode(name);
            add(vec![name.into_owned()], stored, "an ALZ", allowance, found)?;
        }
        if is_locked {
            found.note(Closed::Encrypted);
        }
        at = data_at.saturating_add(size(packed));
    }
    Ok(())
}

/// EGG of ESTsoft: records are searched by the mark of a name, which is simpler than to follow all their kinds, and
/// finds those behind a damaged one.
pub(super) fn egg(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    const NAME: [u8; 4] = 0x0a85_91ac_u32.to_le_bytes();
    const LOCKED: [u8; 4] = 0x08d1_470f_u32.to_le_bytes();
    for at in memchr::memmem::find_iter(bytes, &NAME) {
        let Some(flags) = bytes.get(at + 4).copied() else { break };
        let (length, from) = if flags & 1 != 0 {
            (u32_le(bytes, at + 5).map(|length| length as usize), at + 9)
        } else {
            (u16_le(bytes, at + 5).map(usize::from), at + 7)
        };
        // Bit 3: encoded in a code page that is told before the name; else UTF-8. Bit 4: a number of a folder follows.
        let skipped = if flags & 8 != 0 { 2 } else { 0 } + if flags & 16 != 0 { 4 } else { 0 };
        let name = length.and_then(|length| piece(bytes, from, length)).and_then(|name| name.get(skipped..));
        if let Some(name) = name {
            add(vec![text(name)], None, "an EGG", allowance, found)?;
        }
    }
    if memchr::memmem::find(bytes, &LOCKED).is_some() {
        found.note(Closed::Encrypted);
    }
    Ok(())
}

/// XAR, the packages of macOS: a table of contents in compressed XML.
pub(super) fn xar(bytes: &[u8], allowance: &mut Allowance<'_>, found: &mut Found) -> Result<(), Closed> {
    let (header, packed) = (u16_be(bytes, 4).map_or(0, usize::from), u64_be(bytes, 8).map_or(0, size));
    let table = piece_so_far(bytes, header, packed);
    let (table, closed) = allowance.read_so_far(table.len() as u64, flate2::bufread::ZlibDecoder::new(table));
    found.note_all(closed);
    let table = String::from_utf8_lossy(&table);
    // <name> of a file; attributes may stand in it.
    for rest in table.split("<name").skip(1) {
        let name = rest.split_once('>').and_then(|(_, rest)| rest.split_once('<')).map(|(name, _)| name);
        if let Some(name) = name {
            let name = quick_xml::escape::unescape(name).map_or_else(|_| name.to_owned(), |name| name.into_owned());
            add(vec![name], None, "a XAR", allowance, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::magic;
    use super::super::tests::opened_as;
    use super::*;

    fn check(kind: &str, bytes: &[u8], expected: &[(&str, &[u8])], closed: &[Closed]) {
        let known = magic::by_beginning(bytes).or_else(|| magic::behind_any_beginning(bytes));
        assert_eq!(known, Some(kind));
        let (members, said) = opened_as(kind, bytes, "a");
        let seen: Vec<(&str, &[u8])> = members.iter().map(|one| (one.name.as_str(), one.bytes.as_slice())).collect();
        assert_eq!((seen.as_slice(), said.as_slice()), (expected, closed), "{kind}");
    }

    /// A member of an LZH with a header of this level.
    pub(in super::super) fn in_lzh(level: u8, method: &[u8; 5], name: &str, content: &[u8]) -> Vec<u8> {
        let mut header = vec![0, 0];
        header.extend(method);
        header.extend([(content.len() as u32).to_le_bytes(); 2].concat());
        header.extend([0, 0, 0, 0, 0x20, level]);
        let name_field = [&[1][..], name.as_bytes()].concat();
        match level {
            0 => {
                header.push(name.len() as u8);
                header.extend(name.bytes().chain([0, 0]));
                header[0] = header.len() as u8 - 2;
            }
            1 => {
                header.extend([0, 0, 0, b'M']);
                header.extend((name_field.len() as u16 + 2).to_le_bytes());
                header[0] = header.len() as u8 - 2;
                header.extend(&name_field);
                header.extend([0, 0]);
                let packed = content.len() + name_field.len() + 2;
                header[7..11].copy_from_slice(&(packed as u32).to_le_bytes());
            }
            2 => {
                header.extend([0, 0, b'M']);
                header.extend((name_field.len() as u16 + 2).to_le_bytes());
                header.extend(&name_field);
                header.extend([0, 0]);
                let length = header.len() as u16;
                header[..2].copy_from_slice(&length.to_le_bytes());
            }
            _ => {
                header.extend([0, 0, b'M']);
                let whole = 24 + 4 + 4 + name_field.len() + 4;
                header.extend((whole as u32).to_le_bytes());
                header.extend((name_field.len() as u32 + 4).to_le_bytes());
                header.extend(&name_field);
                header.extend([0; 4]);
            }
        }
        [header, content.to_vec()].concat()
    }

    #[test]
    fn members_of_an_lzh_are_told_whatever_the_level() {
        for level in 0..=3 {
            let first = in_lzh(level, b"-lh5-", "packed.exe", b"????");
            let second = in_lzh(level, b"-lh0-", "stored.js", b"run");
            let expected: [(&str, &[u8]); 2] = [("packed.exe", b""), ("stored.js", b"run")];
            check("application/x-lzh", &[first, second, vec![0]].concat(), &expected, &[only_named("an LZH")]);
        }
        assert!(!is_lzh(b"a text -lh5- about the archives of old"));
    }

    /// An ARJ of one stored and one packed member.
    pub(in super::super) fn an_arj() -> Vec<u8> {
        let header = |kind: u8, method: u8, name: &str, packed: u32| {
            let mut header = vec![30, 11, 1, 0, 0, method, kind, 0];
            header.resize(12, 0);
            header.extend(packed.to_le_bytes());
            header.resize(30, 0);
            header.extend(name.bytes().chain([0, 0]));
            [b"\x60\xea".to_vec(), (header.len() as u16).to_le_bytes().to_vec(), header, vec![0; 6]].concat()
        };
        let first = header(2, 0, "a.arj", 0);
        let members = [header(0, 1, "packed.exe", 4), b"????".to_vec(), header(0, 0, "stored.js", 3), b"run".to_vec()];
        [first, members.concat(), b"\x60\xea\0\0".to_vec()].concat()
    }

    /// An ACE of one stored and one packed member.
    pub(in super::super) fn an_ace() -> Vec<u8> {
        let header = |kind: u8, flags: u16, rest: &[u8]| {
            let fields = [&[kind][..], &flags.to_le_bytes(), rest].concat();
            [&[0, 0][..], &(fields.len() as u16).to_le_bytes(), &fields].concat()
        };
        let file = |method: u8, name: &str, content: &[u8]| {
            let length = (content.len() as u32).to_le_bytes();
            let fields = [&length[..], &length, &[0; 4], &[0x20, 0, 0, 0], &[0; 4], &[method, 3, 10, 0, 0, 0]].concat();
            let name = [&(name.len() as u16).to_le_bytes()[..], name.as_bytes()].concat();
            [header(1, 1, &[fields, name].concat()), content.to_vec()].concat()
        };
        let first = header(0, 0x9000, b"**ACE**\x14\x14\x02\0 and so on");
        [first, file(1, "packed.exe", b"????"), file(0, "stored.js", b"run")].concat()
    }

    #[test]
    fn members_of_arj_and_ace_are_told() {
        let expected: [(&str, &[u8]); 2] = [("packed.exe", b""), ("stored.js", b"run")];
        check("application/x-arj", &an_arj(), &expected, &[only_named("an ARJ")]);
        check("application/x-ace", &an_ace(), &expected, &[only_named("an ACE")]);
    }

    /// An ALZ of one stored and one packed member.
    pub(in super::super) fn an_alz() -> Vec<u8> {
        let file = |method: u8, name: &str, content: &[u8]| {
            let mut file = b"BLZ\x01".to_vec();
            file.extend((name.len() as u16).to_le_bytes());
            file.extend([0x20, 0, 0, 0, 0, 0x10, 0, method, 0, 0, 0, 0, 0, content.len() as u8, content.len() as u8]);
            file.extend(name.bytes());
            file.extend(content);
            file
        };
        [b"ALZ\x01\x0a\0\0\0".to_vec(), file(2, "packed.exe", b"????"), file(0, "stored.js", b"run")].concat()
    }

    #[test]
    fn members_of_the_korean_ones_are_told() {
        let expected: [(&str, &[u8]); 2] = [("packed.exe", b""), ("stored.js", b"run")];
        check("application/x-alz", &an_alz(), &expected, &[only_named("an ALZ")]);
        let mut egg = b"EGGA\0\x01".to_vec();
        egg.extend([0; 8]);
        for name in ["a.exe", "b.js"] {
            egg.extend(0x0a85_91ac_u32.to_le_bytes());
            egg.push(0);
            egg.extend((name.len() as u16).to_le_bytes());
            egg.extend(name.bytes());
        }
        check("application/x-egg", &egg, &[("a.exe", b""), ("b.js", b"")], &[only_named("an EGG")]);
    }

    #[test]
    fn the_table_of_a_xar_is_read() {
        use std::io::Write;
        let table =
            b"<xar><toc><file id='1'><name>a &amp; b.js</name></file><file><name enctype='x'>c</name></file></xar>";
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(table).expect("write");
        let packed = packed.finish().expect("finish");
        let mut xar = b"xar!\0\x1c\0\x01".to_vec();
        xar.extend((packed.len() as u64).to_be_bytes());
        xar.extend((table.len() as u64).to_be_bytes());
        xar.extend([0, 0, 0, 1]);
        xar.extend(packed);
        check("application/x-xar", &xar, &[("a & b.js", b""), ("c", b"")], &[only_named("a XAR")]);
    }
}
