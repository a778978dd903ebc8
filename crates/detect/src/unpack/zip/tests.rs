//! Zips that unpackers read in different ways, and what is seen of them.

use std::io::{Cursor, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};

use super::super::tests::opened_as;
use super::super::{Closed, Member};
use super::*;

const KIND: &str = "application/zip";

fn zipped(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("start");
        writer.write_all(bytes).expect("write");
    }
    writer.finish().expect("finish").into_inner()
}

fn seen(bytes: &[u8]) -> (Vec<(String, Vec<u8>)>, Vec<Closed>) {
    let (members, closed) = opened_as(KIND, bytes, "a.zip");
    (members.into_iter().map(|Member { name, bytes, .. }| (name, bytes)).collect(), closed)
}

fn names(bytes: &[u8]) -> Vec<String> {
    seen(bytes).0.into_iter().map(|(name, _)| name).collect()
}

/// Replaces all occurrences of a text by one of the same length.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8], which: impl Fn(usize) -> bool) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, old).collect();
    for (number, at) in places.into_iter().enumerate() {
        if which(number) {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
    bytes
}

/// A header of a member and its content, stored, as it stands before no directory.
fn local(name: &str, method: u16, flags: u16, packed: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend([flags.to_le_bytes(), method.to_le_bytes()].concat());
    bytes.extend([0; 8]);
    bytes.extend([packed.to_le_bytes(), packed.to_le_bytes()].concat());
    bytes.extend([(name.len() as u16).to_le_bytes(), [0, 0]].concat());
    bytes.extend(name.bytes());
    bytes.extend(content);
    bytes
}

#[test]
fn all_methods_that_are_known_are_opened() {
    use CompressionMethod as M;
    for method in [M::Stored, M::Deflated, M::Bzip2] {
        let bytes = zipped(&[("a.txt", b"hello hello hello hello"), ("b", b"")], method);
        let (members, closed) = seen(&bytes);
        let expected = vec![("a.txt".into(), b"hello hello hello hello".to_vec()), ("b".into(), Vec::new())];
        assert_eq!((members, closed), (expected, vec![]), "{method}");
    }
}

#[test]
fn lzma_is_opened() {
    let options = lzma_rust2::LzmaOptions { dict_size: 1 << 16, ..Default::default() };
    let properties = options.get_props();
    let mut stream = Vec::new();
    let mut writer = lzma_rust2::LzmaWriter::new_no_header(&mut stream, &options, true).expect("writer");
    writer.write_all(b"hello hello hello").expect("write");
    writer.finish().expect("finish");
    let content = [&[9, 20, 5, 0, properties][..], &(1_u32 << 16).to_le_bytes(), &stream].concat();
    let bytes = local("a.js", 14, 2, content.len() as u32, &content);
    assert_eq!(seen(&bytes).0, vec![("a.js".into(), b"hello hello hello".to_vec())]);
}

#[test]
fn a_damaged_or_unknown_member_hides_no_other() {
    let bytes =
        zipped(&[("first.txt", b"hello hello hello"), ("second.js", b"run run run")], CompressionMethod::Deflated);
    let at = memchr::memmem::find(&bytes, b"first.txt").expect("there") + "first.txt".len();
    let mut damaged = bytes.clone();
    damaged[at..at + 4].fill(0xff);
    // Method 98 is PPMd; 77 was never given to anything. Both headers say so.
    let line = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    let unknown = |method: u8| {
        let mut bytes = bytes.clone();
        (bytes[8], bytes[line + 10]) = (method, method);
        bytes
    };
    for bytes in [damaged, unknown(98), unknown(77)] {
        let (members, closed) = seen(&bytes);
        assert_eq!((members.len(), &members[1]), (2, &("second.js".into(), b"run run run".to_vec())));
        assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{closed:?}");
    }
}

#[test]
fn a_wrong_checksum_keeps_the_bytes() {
    let bytes = zipped(&[("a.txt", b"hello"), ("b.js", b"run")], CompressionMethod::Stored);
    let (members, closed) = seen(&replaced(&bytes, b"hello", b"hallo", |_| true));
    assert_eq!(members, vec![("a.txt".into(), b"hallo".to_vec()), ("b.js".into(), b"run".to_vec())]);
    assert_eq!(closed, [Closed::NotAnalysed("damaged: a wrong checksum".into())]);
}

#[test]
fn what_stands_before_or_behind_does_not_matter() {
    let bytes = zipped(&[("in.js", b"run")], CompressionMethod::Deflated);
    for before in [&b"%PDF-1.4 something"[..], &[7; 64], b"PK\x03\x04", b"\xff\xd8\xff\xe0", &[0; 100_000]] {
        let whole = [before, &bytes].concat();
        assert!(ends_as_zip(&whole));
        assert_eq!(seen(&whole).0, [("in.js".into(), b"run".to_vec())]);
        assert_eq!(names(&[&whole[..], &[9; 70_000]].concat()), ["in.js"]);
    }
}

#[test]
fn two_zips_in_a_row_are_both_seen() {
    let one = zipped(&[("one.js", b"run")], CompressionMethod::Deflated);
    let two = zipped(&[("two.txt", b"text")], CompressionMethod::Deflated);
    let mut both = names(&[one, two].concat());
    both.sort();
    assert_eq!(both, ["one.js", "two.txt"]);
}

#[test]
fn no_directory_is_needed() {
    let bytes = zipped(&[("a.txt", b"hello hello hello"), ("b.js", b"run run run")], CompressionMethod::Deflated);
    let directory = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    for end in [directory, bytes.len() - 5] {
        let (members, _) = seen(&bytes[..end]);
        let expected = [("a.txt".into(), b"hello hello hello".to_vec()), ("b.js".into(), b"run run run".to_vec())];
        assert_eq!(members, expected);
    }
    // Cut off in the middle of a member: its name, and what there is of it.
    let stored = zipped(&[("a.txt", b"hello"), ("b.js", b"run run run")], CompressionMethod::Stored);
    let cut = memchr::memmem::find(&stored, b" run").expect("there");
    assert_eq!(seen(&stored[..cut]).0, [("a.txt".into(), b"hello".to_vec()), ("b.js".into(), b"run".to_vec())]);
}

#[test]
fn sizes_may_stand_behind_a_member() {
    // Written to something that cannot go back: the header has no sizes.
    let mut writer = ZipWriter::new_stream(Vec::new());
    for (name, method) in [("a.txt", CompressionMethod::Deflated), ("b.js", CompressionMethod::Stored)] {
        writer.start_file(name, SimpleFileOptions::default().compression_method(method)).expect("start");
        writer.write_all(b"hello hello hello").expect("write");
    }
    let bytes = writer.finish().expect("finish").into_inner();
    let directory = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    for end in [bytes.len(), directory] {
        let (members, closed) = seen(&bytes[..end]);
        let expected = ["a.txt", "b.js"].map(|name| (name.to_owned(), b"hello hello hello".to_vec()));
        assert_eq!((members.as_slice(), closed.len()), (&expected[..], usize::from(end == directory)), "up to {end}");
    }
}

#[test]
fn a_member_that_no_directory_lists_is_seen() {
    let bytes = zipped(&[("a.txt", b"hello")], CompressionMethod::Stored);
    let whole = [local("hidden.js", 0, 0, 3, b"run"), bytes].concat();
    let mut both = names(&whole);
    both.sort();
    assert_eq!(both, ["a.txt", "hidden.js"]);
}

#[test]
fn both_names_of_a_member_are_told() {
    let bytes = zipped(&[("run.txt", b"hello")], CompressionMethod::Stored);
    // The header before the member is the first, the directory the second.
    for (which, expected) in [(0, ("run.txt", "run.exe")), (1, ("run.exe", "run.txt"))] {
        let (members, _) =
            opened_as(KIND, &replaced(&bytes, b"run.txt", b"run.exe", |number| number == which), "a.zip");
        assert_eq!((members.len(), members[0].name.as_str()), (1, expected.0));
        assert_eq!(members[0].other_names, [expected.1]);
    }
    let (members, _) = opened_as(KIND, &bytes, "a.zip");
    assert!(members[0].other_names.is_empty());
}

#[test]
fn a_header_that_says_otherwise_is_a_member_of_its_own() {
    // The directory says that nothing is in it; the header before it, that something is.
    let bytes = zipped(&[("run.txt", b"hello")], CompressionMethod::Stored);
    let mut lied = bytes.clone();
    let line = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    lied[line + 20..line + 28].fill(0);
    let (members, _) = seen(&lied);
    assert!(members.contains(&("run.txt".into(), b"hello".to_vec())), "{members:?}");
}

#[test]
fn that_a_member_is_encrypted_may_be_a_lie() {
    let bytes = zipped(&[("run.js", b"hello")], CompressionMethod::Stored);
    let mut lied = bytes.clone();
    let line = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    lied[6] |= 1;
    lied[line + 8] |= 1;
    assert_eq!(seen(&lied), (vec![("run.js".into(), b"hello".to_vec())], vec![Closed::Encrypted]));
}

#[test]
fn a_locked_member_hides_no_other() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let locked = SimpleFileOptions::default().with_aes_encryption(::zip::AesMode::Aes256, "secret");
    writer.start_file("locked.exe", locked).expect("start");
    writer.write_all(b"MZ").expect("write");
    writer.start_file("open.js", SimpleFileOptions::default()).expect("start");
    writer.write_all(b"run").expect("write");
    let bytes = writer.finish().expect("finish").into_inner();
    let expected = vec![("locked.exe".into(), Vec::new()), ("open.js".into(), b"run".to_vec())];
    assert_eq!(seen(&bytes), (expected, vec![Closed::Encrypted]));
}

#[test]
fn entries_that_share_their_bytes_end_at_a_limit() {
    let bytes = zipped(&[("a.txt", &[7; 1000])], CompressionMethod::Stored);
    let directory = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    let end = memchr::memmem::find(&bytes, b"PK\x05\x06").expect("there");
    let mut many = bytes[..directory].to_vec();
    for number in 0..500_u32 {
        let name = format!("{number:05}");
        many.extend(replaced(&bytes[directory..end], b"a.txt", name.as_bytes(), |_| true));
    }
    let length = (many.len() - directory) as u32;
    many.extend(b"PK\x05\x06\0\0\0\0");
    many.extend([500_u16.to_le_bytes(), 500_u16.to_le_bytes()].concat());
    many.extend([length.to_le_bytes(), (directory as u32).to_le_bytes()].concat());
    many.extend([0, 0]);
    let (members, closed) = seen(&many);
    assert_eq!(members.len(), 500, "all are named");
    assert!(members.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= 2 * many.len());
    assert_eq!(closed, [Closed::Limit("entries that share their bytes".into())]);
}

#[test]
fn sizes_that_lie_end_nothing_else() {
    let bytes = zipped(&[("a.txt", b"hello"), ("b.js", b"run")], CompressionMethod::Stored);
    let line = memchr::memmem::find(&bytes, directory::LINE).expect("there");
    let mut lied = bytes.clone();
    lied[line + 20..line + 24].fill(0xff);
    let (members, closed) = seen(&lied);
    assert!(members.contains(&("b.js".into(), b"run".to_vec())), "{members:?}");
    assert!(matches!(closed[0], Closed::NotAnalysed(_)));
}

#[test]
fn what_only_has_the_letters_is_no_zip() {
    for bytes in
        [&b"a text that names PK\x05\x06 and PK\x03\x04 and goes on for some time, for a line or two"[..], &[0; 100]]
    {
        assert!(!ends_as_zip(bytes) && !has_header(bytes, 1 << 16));
    }
    // Only the record of the end: a zip of nothing.
    let empty = ZipWriter::new(Cursor::new(Vec::new())).finish().expect("finish").into_inner();
    assert_eq!(seen(&empty), (vec![], vec![]));
}
