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
    let mut allowance = Allowance::new(&limits, budget);
    allowance.set_passwords(passwords);
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

/// A rar of version 4: the mark, the archive's header, a file of no bytes, the end.
fn a_rar() -> Vec<u8> {
    let mut file = vec![0, 0, 0x74, 0, 0, 38, 0];
    file.extend([0; 19]);
    file.extend(6_u16.to_le_bytes());
    file.extend([0; 4]);
    file.extend(b"in.exe");
    [&b"Rar!\x1a\x07\0"[..], &[0, 0, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0], &file, &[0, 0, 0x7b, 0, 0, 7, 0]].concat()
}

#[test]
fn the_names_in_a_rar_are_told() {
    let four = a_rar();
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
fn volumes_are_named_and_told() {
    let volumes = |content_type: &str, bytes: &[u8], name: &str| {
        let (members, closed) = opened_as(content_type, bytes, name);
        (members.len(), closed.contains(&Closed::Volume))
    };
    let mut four = a_rar();
    four[10] = 1;
    let main_of_five = [0, 0, 0, 0, 3, 1, 0, 1];
    let file_of_five = [&[0, 0, 0, 0, 14, 2, 0, 0, 0, 0, 0, 0, 6][..], b"in.exe"].concat();
    let five = [&b"Rar!\x1a\x07\x01\0"[..], &main_of_five, &file_of_five].concat();
    for rar in [&four, &five] {
        assert_eq!(volumes("application/vnd.rar", rar, "a.part1.rar"), (1, true), "{rar:?}");
    }
    assert_eq!(volumes("application/vnd.rar", &a_rar(), "a.rar"), (1, false));
    let zip = zipped(&[("a.txt", b"hello hello hello"), ("b.txt", b"there")]);
    assert_eq!(volumes("application/zip", &zip, "a.zip.001"), (2, false), "all of it");
    assert_eq!(volumes("application/zip", &zip[..60], "a.zip.001"), (1, true));
    assert_eq!(volumes("application/zip", &zip[..60], "a.zip"), (1, false));
    let first = [b"PK\x07\x08", &zip[..60]].concat();
    assert_eq!(volumes("application/zip", &first, "a.z01"), (1, true));
    let mut last = zip.clone();
    let number = last.len() - 22 + 4;
    last[number] = 2;
    assert_eq!(volumes("application/zip", &last, "a.zip"), (2, true));
    assert_eq!(volumes("application/x-archive-volume", b"\x01\x02\x03", "a.7z.002"), (0, true));
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

/// An image of one file, with a second volume for Joliet.
pub(super) fn an_iso() -> Vec<u8> {
    let record = |name: &[u8], sector: u32, length: u32, flags: u8, more: &[u8]| {
        let mut record = vec![0; 33];
        record[2..6].copy_from_slice(&sector.to_le_bytes());
        record[10..14].copy_from_slice(&length.to_le_bytes());
        (record[25], record[32]) = (flags, name.len() as u8);
        record.extend(name);
        record.resize(record.len().next_multiple_of(2), 0);
        record.extend(more);
        record[0] = record.len() as u8;
        record
    };
    let mut bytes = vec![0; 24 * 2048];
    for (sector, kind, root) in [(16, 1, 20), (17, 2, 21), (18, 255, 0)] {
        let at = sector * 2048;
        bytes[at] = kind;
        bytes[at + 1..at + 6].copy_from_slice(b"CD001");
        bytes[at + 88..at + 90].copy_from_slice(b"%/");
        let folder = record(&[0], root, 2048, 2, b"");
        bytes[at + 156..at + 156 + folder.len()].copy_from_slice(&folder);
    }
    let rock_ridge = [&b"NM\x0b\x01\0"[..], b"run.me"].concat();
    let plain = record(b"SETUP.TXT;1", 22, 5, 0, &rock_ridge);
    let wide: Vec<u8> = "run.exe".encode_utf16().flat_map(u16::to_be_bytes).collect();
    bytes[20 * 2048..20 * 2048 + plain.len()].copy_from_slice(&plain);
    let wide = record(&wide, 22, 5, 0, b"");
    bytes[21 * 2048..21 * 2048 + wide.len()].copy_from_slice(&wide);
    bytes[22 * 2048..22 * 2048 + 5].copy_from_slice(b"hello");
    bytes
}

#[test]
fn a_file_of_an_image_has_the_names_of_all_volumes() {
    let bytes = an_iso();
    let (members, closed) = opened_as("application/x-iso9660-image", &bytes, "a.iso");
    assert_eq!((members.len(), members[0].name.as_str(), closed), (1, "run.exe", vec![]));
    assert_eq!(members[0].other_names, ["SETUP.TXT", "run.me"]);
    // Cut off: names stay.
    let (members, closed) = opened_as("application/x-iso9660-image", &bytes[..22 * 2048 + 2], "a.iso");
    assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice(), closed.len()), ("run.exe", &b"he"[..], 1));
}

#[test]
fn a_gzip_has_the_name_that_it_brings_as_well() {
    let named = |name: &str| {
        let mut encoder = flate2::GzBuilder::new().filename(name).write(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"run").expect("write");
        encoder.finish().expect("finish")
    };
    let names = |bytes: &[u8], name: &str| {
        let (mut members, closed) = opened_as("application/gzip", bytes, name);
        assert_eq!((members.len(), closed.len()), (1, 0));
        let member = members.remove(0);
        (member.name, member.other_names)
    };
    let inner = named("invoice.js");
    assert_eq!(names(&inner, "invoice.gz"), ("invoice".into(), vec!["invoice.js".into()]));
    assert_eq!(names(&inner, "invoice.js.GZ"), ("invoice.js".into(), vec![]));
    assert_eq!(names(&inner, "invoice.dat"), ("invoice.js".into(), vec![]));
    assert_eq!(names(&gzipped(b"run"), "a.tgz"), ("a.tar".into(), vec![]));
    // Two in a row are one file, with the names of both.
    let both = [named("a.txt"), named("b.js")].concat();
    assert_eq!(names(&both, "c.gz"), ("c".into(), vec!["a.txt".into(), "b.js".into()]));
    assert_eq!(opened_as("application/gzip", &both, "c.gz").0[0].bytes, b"runrun");
}

#[test]
fn what_came_out_before_the_damage_is_kept() {
    let mut random = 7_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    })
    .take(20_000)
    .collect();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).expect("writer");
    xz.write_all(&noise).expect("write");
    let xz = xz.finish().expect("finish");
    for (kind, bytes) in [("application/gzip", gzipped(&noise)), ("application/x-xz", xz)] {
        let (members, closed) = opened_as(kind, &bytes[..bytes.len() / 2], "a.js.gz");
        assert!(members[0].bytes.len() > 5000 && noise.starts_with(&members[0].bytes), "{kind}");
        assert!(matches!(closed.as_slice(), [Closed::NotAnalysed(_)]), "{kind} {closed:?}");
    }
    // Damage at the end of a script of a few letters loses none of them.
    let mut short = gzipped(b"WScript.Echo(1)");
    let end = short.len();
    short[end - 8] ^= 1;
    assert_eq!(opened_as("application/gzip", &short, "a.js.gz").0[0].bytes, b"WScript.Echo(1)");
    let trailing = [gzipped(b"run"), b"and more".to_vec()].concat();
    let (members, closed) = opened_as("application/gzip", &trailing, "a.js.gz");
    assert_eq!((members[0].bytes.as_slice(), closed.len()), (&b"run"[..], 1));
}

/// A tar with headers of the library, each member a name and a content.
fn a_tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, *content).expect("append");
    }
    tar.into_inner().expect("tar")
}

#[test]
fn a_tar_goes_on_behind_damage() {
    let long = format!("{}/run.js", "folder/".repeat(30));
    let bytes = a_tar(&[("a.txt", b"hello"), (&long, b"run"), ("b.js", &[7; 600])]);
    let (members, closed) = opened_as("application/x-tar", &bytes, "a.tar");
    assert_eq!((members.len(), closed.len()), (3, 0));
    assert!(members[1].name.ends_with("/run.js") && members[1].other_names.is_empty(), "{members:?}");
    let mut damaged = bytes.clone();
    damaged[3] = b'!';
    let (members, closed) = opened_as("application/x-tar", &damaged, "a.tar");
    assert_eq!((members.len(), closed.len()), (2, 1), "{closed:?}");
    // Cut off in the last member.
    let (members, closed) = opened_as("application/x-tar", &bytes[..bytes.len() - 1024 - 600], "a.tar");
    assert_eq!((members[2].name.as_str(), members[2].bytes.len(), closed.len()), ("b.js", 424, 1));
    assert!(magic::behind_any_beginning(&bytes).is_some() && magic::behind_any_beginning(&damaged).is_none());
}

#[test]
fn a_hundred_thousand_members_end_at_the_limit() {
    let header = a_tar(&[("a", b"")])[..512].to_vec();
    let (members, closed) = opened_as("application/x-tar", &header.repeat(100_000), "a.tar");
    assert_eq!(members.len(), Limits::default().archive_entries_max);
    assert!(matches!(closed.as_slice(), [Closed::Limit(_)]), "{closed:?}");
}

#[test]
fn a_dictionary_that_is_claimed_takes_no_memory() {
    let options = lzma_rust2::LzmaOptions { dict_size: 1 << 16, ..Default::default() };
    let mut writer = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, None).expect("writer");
    writer.write_all(b"run run run").expect("write");
    let mut bytes = writer.finish().expect("finish");
    assert_eq!(magic::by_beginning(&bytes), Some("application/x-lzma"));
    // 2 GiB.
    bytes[1..5].copy_from_slice(&(1_u32 << 31).to_le_bytes());
    let (members, closed) = opened_as("application/x-lzma", &bytes, "a.js.lzma");
    assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice()), ("a.js", &b"run run run"[..]));
    assert_eq!(closed, []);
    let (_, closed) = opened_as("application/x-lzma", &bytes[..bytes.len() - 4], "a.js.lzma");
    assert!(matches!(closed.as_slice(), [Closed::Limit(_)]), "{closed:?}");
}

fn a_cabinet(folders: &[&[(&str, &[u8])]]) -> Vec<u8> {
    let mut cabinet = ::cab::CabinetBuilder::new();
    for files in folders {
        let folder = cabinet.add_folder(::cab::CompressionType::MsZip);
        for (name, _) in *files {
            folder.add_file(*name);
        }
    }
    let mut writer = cabinet.build(Cursor::new(Vec::new())).expect("cabinet");
    for (_, content) in folders.iter().flat_map(|files| files.iter()) {
        writer.next_file().expect("file").expect("one more").write_all(content).expect("write");
    }
    writer.finish().expect("finish").into_inner()
}

#[test]
fn a_damaged_folder_of_a_cabinet_hides_no_other() {
    let kind = "application/vnd.ms-cab-compressed";
    let bytes = a_cabinet(&[&[("a.txt", b"hello"), ("b.txt", b"there")], &[("c.js", b"run")]]);
    let (members, closed) = opened_as(kind, &bytes, "a.cab");
    let seen: Vec<(&str, &[u8])> = members.iter().map(|one| (one.name.as_str(), one.bytes.as_slice())).collect();
    assert_eq!((seen, closed), (vec![("a.txt", &b"hello"[..]), ("b.txt", b"there"), ("c.js", b"run")], vec![]));
    // The first folder is said to be Quantum, or its data is no longer that of its compression.
    for (at, byte) in [(42, 2), (memchr::memmem::find(&bytes, b"CK").expect("a block"), b'X')] {
        let mut damaged = bytes.clone();
        damaged[at] = byte;
        let (members, closed) = opened_as(kind, &damaged, "a.cab");
        let seen: Vec<(&str, usize)> = members.iter().map(|one| (one.name.as_str(), one.bytes.len())).collect();
        assert_eq!(seen, [("a.txt", 0), ("b.txt", 0), ("c.js", 3)]);
        assert!(matches!(closed[0], Closed::NotAnalysed(_)));
    }
}

/// A valid sample of each kind that a reader of our own reads.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut szdd = b"SZDD\x88\xf0\x27\x33Ae".to_vec();
    szdd.extend([16, 0, 0, 0, 0x7f, b'a', b'b', b'c', b'd', b'e', b'f', b'g', 0xf0, 0xf6]);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).expect("writer");
    xz.write_all(b"hello hello").expect("write");
    let lzh: Vec<u8> = (0..=3).flat_map(|level| named::tests::in_lzh(level, b"-lh0-", "a.js", b"run")).collect();
    let rar5 = [&b"Rar!\x1a\x07\x01\0"[..], &[0, 0, 0, 0, 14, 2, 0, 0, 0, 0, 0, 0, 6], b"in.exe"].concat();
    let cab = a_cabinet(&[&[("a.txt", b"hello"), ("b.txt", b"there")], &[("c.js", b"run")]]);
    vec![
        ("application/zip", zipped(&[("a.txt", b"hello"), ("b/c.js", b"hello hello hello")])),
        ("application/gzip", gzipped(b"hello hello")),
        ("application/x-xz", xz.finish().expect("finish")),
        ("application/x-tar", a_tar(&[("a.txt", b"hello"), (&"long/".repeat(30), b"run")])),
        ("application/vnd.ms-cab-compressed", cab),
        ("application/vnd.rar", rar5),
        ("application/vnd.rar", a_rar()),
        ("application/x-iso9660-image", an_iso()),
        ("application/x-szdd", szdd),
        ("application/x-lzh", lzh),
        ("application/x-arj", named::tests::an_arj()),
        ("application/x-ace", named::tests::an_ace()),
        ("application/x-alz", named::tests::an_alz()),
        ("application/x-udf-image", udf::tests::image()),
        ("application/x-disk-image", fat::tests::volume_of(12)),
        ("application/x-disk-image", ntfs::tests::image()),
        ("application/x-disk-image", exfat::tests::sample()),
        ("application/x-raw-disc-image", raw_disc::of(&an_iso(), 2352, 1)),
        ("application/x-vhdx", vhd::tests::image()),
        ("application/ms-tnef", tnef::tests::sample()),
        ("application/onenote", onenote::tests::sample()),
        ("application/x-cpio", cpio::tests::sample()),
    ]
}

/// A copy with some bytes changed, mostly ones that are not zero, or cut off.
fn mutated(sample: &[u8], places: &[usize], random: &mut impl FnMut() -> usize) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..1 + random() % 4 {
        let any = random() % bytes.len();
        let at = if random().is_multiple_of(4) { any } else { places[random() % places.len()] };
        let Some(place) = bytes.get_mut(at) else { continue };
        *place = match random() % 5 {
            0 => 0,
            1 => 0xff,
            2 => place.wrapping_add(1),
            3 => 0x80,
            _ => random() as u8,
        };
    }
    if random().is_multiple_of(8) {
        bytes.truncate(1 + random() % bytes.len());
    }
    bytes
}

/// Whatever becomes of a sample, its reader ends within the limits and without a panic. `UNPACK_MUTATIONS` says how
/// often each sample is changed.
#[test]
fn changed_samples_end_within_the_limits() {
    let times = std::env::var("UNPACK_MUTATIONS").ok().and_then(|times| times.parse().ok()).unwrap_or(300);
    let limits = Limits { archive_entries_max: 200, unpacked_bytes_max: 1 << 20, ..Limits::default() };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize
    };
    for (kind, sample) in samples() {
        let places: Vec<usize> = (0..sample.len()).filter(|at| sample[*at] != 0).collect();
        for number in 0..times {
            let bytes = if number == 0 { sample.clone() } else { mutated(&sample, &places, &mut random) };
            let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
            let begun = std::time::Instant::now();
            let mut found = Found::default();
            // Not through `open`, which would catch the panic.
            if let Err(closed) = by_kind(kind, &bytes, "a", &mut allowance, &mut found) {
                found.note(closed);
            }
            let (members, closed) = found.into_parts();
            let unpacked: usize = members.iter().map(|member| member.bytes.len()).sum();
            assert!(number > 0 || !members.is_empty(), "{kind}: the sample itself");
            assert!(members.len() <= 201 && closed.len() <= 40 && unpacked <= (1 << 20) + (1 << 16), "{kind}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{kind} took {:?}", begun.elapsed());
            let _kind = magic::by_beginning(&bytes).or_else(|| magic::behind_any_beginning(&bytes));
        }
    }
}

#[test]
fn names_of_a_rar_are_read_in_unicode_and_its_plain_files_opened() {
    // Flags: a name in two forms; method 0x30: it lies there as it is.
    let name = b"a?.js\0\x04\x10a\x4f.j\0s";
    let mut file = vec![0, 0, 0x74, 0, 2];
    file.extend((32 + name.len() as u16).to_le_bytes());
    file.extend(3_u32.to_le_bytes());
    file.extend([0; 14]);
    file.push(0x30);
    file.extend((name.len() as u16).to_le_bytes());
    file.extend([0; 4]);
    let rar = [&b"Rar!\x1a\x07\0"[..], &file, name, b"run", &[0, 0, 0x7b, 0, 0, 7, 0]].concat();
    for bytes in [rar.clone(), [&[9; 70][..], &rar].concat()] {
        let (members, closed) = opened_as("application/vnd.rar", &bytes, "a.rar");
        assert_eq!((members[0].name.as_str(), members[0].bytes.as_slice()), ("aя.js", &b"run"[..]));
        assert_eq!((members[0].other_names.join(" "), closed.len()), ("a?.js".into(), 0));
    }
}

/// A zip whose headers ask for the rest of the file each ends in the time of one look at it.
#[test]
fn headers_that_ask_for_all_that_follows_take_no_time() {
    let mut header = b"PK\x03\x04\x14\0\x08\0\x08\0".to_vec();
    header.extend([0; 16]);
    header.extend([1, 0, 0, 0, b'a']);
    let mut bytes = header.repeat(9000);
    // Blocks of Deflate with nothing in them: much is read and nothing comes out.
    bytes.extend([0, 0, 0, 0xff, 0xff].repeat(1 << 20));
    let begun = std::time::Instant::now();
    let (members, _) = opened_as("application/zip", &bytes, "a.zip");
    assert_eq!(members.len(), 9000);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
