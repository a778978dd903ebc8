//! Archives of each kind, composed here, and what comes out of them.

use super::*;
use crate::limits::{Budget, Limits};
use ::zip::write::SimpleFileOptions;
use ::zip::{AesMode, ZipWriter};
use std::io::{Cursor, Write};
use std::time::Duration;

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("start");
        writer.write_all(bytes).expect("write");
    }
    writer.finish().expect("finish").into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("write");
    encoder.finish().expect("finish")
}

fn names(content_type: &str, bytes: &[u8], limits: &Limits) -> (Vec<String>, Vec<Closed>) {
    let budget = Budget::starting_now(Duration::from_secs(10));
    let (members, closed) = open(content_type, bytes, "a.gz", &mut Allowance::new(limits, budget));
    (members.into_iter().map(|member| member.name).collect(), closed)
}

#[test]
fn opens_what_it_knows() {
    let limits = Limits::default();
    let zip = zipped(&[("a.txt", b"x"), ("dir/b.txt", b"y")]);
    assert_eq!(names("application/zip", &zip, &limits), (vec!["a.txt".into(), "dir/b.txt".into()], vec![]));
    assert_eq!(names("application/gzip", &gzipped(b"x"), &limits), (vec!["a".into()], vec![]));
    let mut tar = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_size(1);
    header.set_cksum();
    tar.append_data(&mut header, "c.txt", &b"z"[..]).expect("append");
    let tar = tar.into_inner().expect("tar");
    assert_eq!(names("application/x-tar", &tar, &limits), (vec!["c.txt".into()], vec![]));
}

#[test]
fn bombs_end_at_a_limit() {
    let small = Limits { unpacked_bytes_max: 8 << 20, ..Limits::default() };
    let zeros = vec![0; 16 << 20];
    for (kind, bomb) in [("application/gzip", gzipped(&zeros)), ("application/zip", zipped(&[("a", &zeros)]))] {
        let (_, closed) = names(kind, &bomb, &small);
        assert!(matches!(closed.as_slice(), [Closed::Limit(_)]), "{kind} {closed:?}");
    }
    let few = Limits { archive_entries_max: 2, ..Limits::default() };
    let (seen, closed) = names("application/zip", &zipped(&[("a", b""), ("b", b""), ("c", b"")]), &few);
    assert_eq!((seen.len(), closed.len()), (2, 1));
}

#[test]
fn damage_is_never_bad_in_itself() {
    let zip = zipped(&[("a.txt", b"hello hello hello")]);
    for bytes in [&zip[..20], &zip[..zip.len() - 5], b"PK\x03\x04"] {
        let (_, closed) = names("application/zip", bytes, &Limits::default());
        assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{closed:?}");
    }
}

fn locked() -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, "secret");
    writer.start_file("hidden.exe", options).expect("start");
    writer.write_all(b"MZ").expect("write");
    writer.finish().expect("finish").into_inner()
}

#[test]
fn encrypted_members_are_named() {
    assert_eq!(
        names("application/zip", &locked(), &Limits::default()),
        (vec!["hidden.exe".into()], vec![Closed::Encrypted])
    );
}

#[test]
fn a_password_that_the_mail_brings_opens_it() {
    let limits = Limits::default();
    let budget = Budget::starting_now(Duration::from_secs(10));
    let passwords = ["wrong", "secret"].map(str::to_owned).to_vec();
    let mut allowance = Allowance::new(&limits, budget).with_passwords(passwords);
    let (members, closed) = open("application/zip", &locked(), "a.zip", &mut allowance);
    assert_eq!((members[0].bytes.as_slice(), closed.as_slice()), (&b"MZ"[..], &[Closed::OpenedWithPassword][..]));
}

#[test]
fn other_compressed_files() {
    let limits = Limits::default();
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz.write_all(b"hello").expect("write");
    let bz = bz.finish().expect("finish");
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).expect("writer");
    xz.write_all(b"hello").expect("write");
    let xz = xz.finish().expect("finish");
    for (kind, bytes) in [("application/x-bzip2", bz), ("application/x-xz", xz)] {
        let (members, closed) = opened(kind, &bytes, &limits);
        assert_eq!((members[0].bytes.as_slice(), closed.len()), (&b"hello"[..], 0), "{kind}");
        let cut = &bytes[..bytes.len() - 4];
        assert!(matches!(opened(kind, cut, &limits).1.as_slice(), [Closed::NotAnalysed(_)]), "{kind}");
    }
    let mut cabinet = ::cab::CabinetBuilder::new();
    cabinet.add_folder(::cab::CompressionType::MsZip).add_file("in.vbs");
    let mut writer = cabinet.build(Cursor::new(Vec::new())).expect("cabinet");
    while let Some(mut file) = writer.next_file().expect("file") {
        file.write_all(b"hello").expect("write");
    }
    let cabinet = writer.finish().expect("finish").into_inner();
    let kind = "application/vnd.ms-cab-compressed";
    let (members, closed) = opened(kind, &cabinet, &limits);
    assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice(), closed.len()), ("in.vbs", &b"hello"[..], 0));
    // A file that begins beyond its folder: the library panics (found by the fuzzer), and that is all that happens.
    let name = memchr::memmem::find(&cabinet, b"in.vbs").expect("the name");
    let mut damaged = cabinet.clone();
    damaged[name - 12..name - 8].copy_from_slice(&0x7fff_0000_u32.to_le_bytes());
    assert!(matches!(opened(kind, &damaged, &limits).1.as_slice(), [Closed::NotAnalysed(_)]));
}

/// What comes out of the bytes, opened as this kind under this name.
pub(super) fn opened_as(content_type: &str, bytes: &[u8], name: &str) -> (Vec<Member>, Vec<Closed>) {
    let limits = Limits::default();
    open(content_type, bytes, name, &mut Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10))))
}

fn opened(content_type: &str, bytes: &[u8], limits: &Limits) -> (Vec<Member>, Vec<Closed>) {
    let budget = Budget::starting_now(Duration::from_secs(10));
    open(content_type, bytes, "a", &mut Allowance::new(limits, budget))
}

#[test]
fn the_names_in_a_rar_are_told() {
    // Version 4: the mark, the archive's header, a file of no bytes, the end.
    let file = {
        let mut header = vec![0, 0, 0x74, 0, 0, 38, 0];
        header.extend([0; 19]);
        header.extend(6_u16.to_le_bytes());
        header.extend([0; 4]);
        header.extend(b"in.exe");
        header
    };
    let four = [&b"Rar!\x1a\x07\0"[..], &[0, 0, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0], &file, &[0, 0, 0x7b, 0, 0, 7, 0]]
        .concat();
    // Version 5: checksum, size, type 2, no flags; then file flags, size, attributes, compression, system, the
    // name.
    let five = [&b"Rar!\x1a\x07\x01\0"[..], &[0, 0, 0, 0, 14, 2, 0, 0, 0, 0, 0, 0, 6], b"in.exe"].concat();
    // The first is packed in a way that is not known; the second lies there as it is.
    for (bytes, reasons) in [(four, 1), (five, 0)] {
        let (members, closed) = opened("application/vnd.rar", &bytes, &Limits::default());
        assert_eq!(members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["in.exe"], "{bytes:?}");
        assert_eq!(closed.len(), reasons, "{closed:?}");
    }
}

#[test]
fn an_image_of_a_disc_is_opened() {
    let mut bytes = vec![0; 22 * 2048];
    let record = |name: &[u8], sector: u32, length: u32, flags: u8| {
        let mut record = vec![0; 33];
        record[2..6].copy_from_slice(&sector.to_le_bytes());
        record[10..14].copy_from_slice(&length.to_le_bytes());
        record[25] = flags;
        record[32] = name.len() as u8;
        record.extend(name);
        record.resize(record.len() + record.len() % 2, 0);
        record[0] = record.len() as u8;
        record
    };
    bytes[16 * 2048] = 1;
    bytes[16 * 2048 + 1..16 * 2048 + 6].copy_from_slice(b"CD001");
    bytes[16 * 2048 + 156..16 * 2048 + 190].copy_from_slice(&record(&[0], 20, 2048, 2));
    bytes[17 * 2048] = 255;
    bytes[17 * 2048 + 1..17 * 2048 + 6].copy_from_slice(b"CD001");
    let root = [record(&[0], 20, 2048, 2), record(&[1], 20, 2048, 2), record(b"RUN.EXE;1", 21, 5, 0)].concat();
    bytes[20 * 2048..20 * 2048 + root.len()].copy_from_slice(&root);
    bytes[21 * 2048..21 * 2048 + 5].copy_from_slice(b"hello");
    let (members, closed) = opened("application/x-iso9660-image", &bytes, &Limits::default());
    assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice(), closed.len()), ("RUN.EXE", &b"hello"[..], 0));
}

#[test]
fn what_outlook_wraps_is_unwrapped() {
    let attribute = |level: u8, id: u32, content: &[u8]| {
        [&[level][..], &id.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content, &[0, 0]].concat()
    };
    let bytes = [
        &0x223e_9f78_u32.to_le_bytes()[..],
        &[1, 0],
        &attribute(1, 0x0008_9006, &[0, 0, 1, 0]),
        &attribute(2, 0x0006_9002, &[0; 14]),
        &attribute(2, 0x0001_8010, b"LONGNA~1.EXE\0"),
        &attribute(2, 0x0006_800f, b"hello"),
        &attribute(2, 0x0006_9005, b"\x01\0\0\0\x1e\0\x07\x37\x01\0\0\0\x0e\0\0\0long name.exe\0"),
        &attribute(2, 0x0006_9002, &[0; 14]),
        &attribute(2, 0x0001_8010, b"a.txt\0"),
        &attribute(2, 0x0006_800f, b"text"),
    ]
    .concat();
    let (members, closed) = opened("application/ms-tnef", &bytes, &Limits::default());
    let seen: Vec<(&str, &[u8])> = members.iter().map(|one| (one.name.as_str(), one.bytes.as_slice())).collect();
    assert_eq!((seen, closed.len()), (vec![("long name.exe", &b"hello"[..]), ("a.txt", b"text")], 0));
}

#[test]
fn files_in_a_onenote_page_are_taken_out() {
    let mut bytes = onenote::SECTION.to_vec();
    bytes.extend([0; 100]);
    bytes.extend([0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac]);
    bytes.extend(5_u64.to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend(b"hello");
    let (members, closed) = opened("application/onenote", &bytes, &Limits::default());
    assert_eq!((members[0].bytes.as_slice(), closed.len()), (&b"hello"[..], 0));
}
