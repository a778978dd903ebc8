//! Archives: of documents and photos, odd ones that open all the same, and files that only look locked.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::CompressionMethod::{Deflated, Stored};
use zip::write::SimpleFileOptions;

use super::Specimen;
use super::carrier::{jpeg, png, zip};
use super::letter::Letter;

const ZIP: &str = "application/zip";
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
/// Bytes of a block of a tar (POSIX ustar).
const BLOCK_BYTES: usize = 512;

/// A zip of several files.
pub(super) fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    packed(entries, Deflated)
}

fn packed(entries: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, options).expect("a zip in memory takes a folder");
        } else {
            writer.start_file(*name, options).expect("a zip in memory takes a file");
            writer.write_all(content).expect("a zip in memory takes bytes");
        }
    }
    writer.finish().expect("a zip in memory can be finished").into_inner()
}

fn commented() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment("made on Monday for Bert").expect("a zip takes a short comment");
    writer.start_file("plan.txt", SimpleFileOptions::default()).expect("a zip in memory takes a file");
    writer.write_all(b"nine o'clock").expect("a zip in memory takes bytes");
    writer.finish().expect("a zip in memory can be finished").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

/// A tar of several files: a header of one block for each, its content in whole blocks, two empty blocks at the end.
fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in entries {
        let mut header = [0_u8; BLOCK_BYTES];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[136..147].copy_from_slice(b"14746000000");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(*content);
        out.resize(out.len().next_multiple_of(BLOCK_BYTES), 0);
    }
    out.resize(out.len() + 2 * BLOCK_BYTES, 0);
    out
}

/// Harmful: one of several volumes, in which nobody can look.
pub(super) fn harmful() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::harmful(name, file, "application/octet-stream", bytes, "unread-archive");
    // Version 5: the archive's own header says that it is one of several volumes.
    let rar =
        [&b"Rar!\x1a\x07\x01\0"[..], &[0, 0, 0, 0, 3, 1, 0, 1], &[0, 0, 0, 0, 14, 2, 0, 0, 0, 0, 0, 0, 6], b"in.pdf"];
    vec![
        is("the first volume of a rar", "offer.part1.rar", rar.concat()),
        is("a volume of a 7z in its middle", "offer.7z.002", (0..200).map(|at| at ^ 0x85).collect()),
    ]
}

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [of_documents(), that_open(), that_look_locked(), passwords(), large(), odd()].concat()
}

fn of_documents() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::innocent(&["EXE-0005"], name, file, ZIP, bytes);
    let apple = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02\0\0\0\x09";
    vec![
        is("a zip of invoices", "invoices.zip", zip_of(&[("2026-10.pdf", PDF), ("2026-11.pdf", PDF)])),
        is("a zip of photos", "holiday.zip", packed(&[("IMG_1.jpg", &jpeg()), ("IMG_2.png", &png())], Stored)),
        is(
            "a zip that a Mac made, with what it adds",
            "Archive.zip",
            zip_of(&[("report.txt", b"all well"), ("__MACOSX/._report.txt", apple)]),
        ),
        is(
            "a zip of sources",
            "project-main.zip",
            zip_of(&[
                ("project/src/main.rs", b"fn main() {}\n"),
                ("project/tools/check.py", b"print('ok')\n"),
                ("project/README.md", b"# Project\n"),
            ]),
        ),
        is(
            "a zip with file names that are names of hosts",
            "audit.zip",
            zip_of(&[("www.example.com", b"200 OK"), ("shop.example.org.txt", b"301 Moved")]),
        ),
        is(
            "an electronic book",
            "novel.epub",
            [packed(
                &[("mimetype", b"application/epub+zip"), ("OEBPS/1.xhtml", b"<html><body>I</body></html>")],
                Stored,
            )]
            .concat(),
        ),
    ]
}

fn that_open() -> Vec<Specimen> {
    let is = |name, file, declared, bytes| Specimen::innocent(&["TYP-0002"], name, file, declared, bytes);
    vec![
        is("a zip with a comment", "commented.zip", ZIP, commented()),
        is("a zip with folders", "folders.zip", ZIP, zip_of(&[("a/", b""), ("a/b/", b""), ("a/b/c.txt", b"text")])),
        is("a tar of texts", "notes.tar", "application/x-tar", tar(&[("a.txt", b"one"), ("b.txt", b"two")])),
        is(
            "a tar that is packed",
            "backup.tar.gz",
            "application/gzip",
            gzip(&tar(&[("photos/1.jpg", &jpeg()), ("list.txt", b"1.jpg")])),
        ),
        is("a packed log", "mail.log.gz", "application/gzip", gzip(b"Nov 23 09:30:00 mx1 started\n")),
        is("a zip of empty files", "placeholders.zip", ZIP, zip_of(&[("a.txt", b""), ("b.txt", b"")])),
    ]
}

fn that_look_locked() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::innocent(&["UNS-0002"], name, file, ZIP, bytes);
    let noise: Vec<u8> = (0..4000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        is("a zip that is called encrypted", "encrypted.zip", zip("plan.txt", b"nothing is")),
        is("a zip with a list of passwords", "handover.zip", zip("passwords.txt", b"router: ask Anna")),
        is("a zip of what nobody can read", "samples.zip", packed(&[("noise.bin", &noise)], Stored)),
        is(
            "a zip with a file for one recipient (PGP)",
            "letter.zip",
            zip(
                "letter.txt.asc",
                b"-----BEGIN PGP MESSAGE-----\n\nhQEMA0000000000\n=abcd\n-----END PGP MESSAGE-----\n",
            ),
        ),
        is(
            "a zip with names in other letters",
            "umlaute.zip",
            zip("\u{dc}bersicht f\u{fc}r M\u{e4}rz.txt", b"30 Tage"),
        ),
        Specimen::innocent(
            &["UNS-0002"],
            "a PDF for one recipient (PGP)",
            "report.pdf.gpg",
            "application/octet-stream",
            [&[0x85, 0x01, 0x0c, 0x03][..], &noise[..500]].concat(),
        ),
        is("a zip with the key of a safe in its name", "safe-key-locked.zip", zip("safe.txt", b"second drawer")),
    ]
}

/// Mails with an archive that needs no password, and a text that speaks of one.
fn passwords() -> Vec<Specimen> {
    let is = |name, letter: Letter| Specimen::mail(&["ARC-0001", "UNS-0002"], name, &letter);
    let plain = zip("figures.txt", b"1, 2, 3");
    let with = |subject: &str, text: &str| Letter::new(subject).text(text).file("figures.zip", ZIP, &plain);
    vec![
        is(
            "an open archive and the password of the guests' network",
            with("Friday", "The figures are attached. The password of our guests' network is: welcome2026"),
        ),
        is(
            "an open archive and a password for the portal",
            with("access", "Your user name is bert. Password: sesame7. Sign in at https://portal.partner.example/"),
        ),
        is(
            "an open archive whose text says that it needs none",
            with(
                "figures again",
                "Here they are once more, without a password this time. The old password was: abc123",
            ),
        ),
        is(
            "an open archive and a reminder to change passwords",
            with("security week", "Change your password every year. A password has twelve characters at least."),
        ),
        is(
            "an open archive and the code of a meeting",
            with("meeting", "Meeting ID: 123 456 789\nPasscode: 4711\nThe slides are in the archive."),
        ),
    ]
}

fn large() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::innocent(&["UNS-0001"], name, file, ZIP, bytes);
    let many: Vec<String> = (0..150).map(|number| format!("scans/page-{number:03}.txt")).collect();
    let entries: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"text".as_slice())).collect();
    let nested = (0..3).fold(b"text".to_vec(), |inner, level| {
        zip(&if level == 0 { "a.txt".to_owned() } else { format!("level{level}.zip") }, &inner)
    });
    let forwarded = (0..6).fold(Letter::new("menu").text("Soup on Monday").build(), |inner, level| {
        let text = String::from_utf8_lossy(&inner).into_owned();
        Letter::new(&format!("Fwd {level}")).text("see below").part("message/rfc822", &text).build()
    });
    let received = "from mx1.example.com by mx2.example.com; Mon, 23 Nov 2026 09:30:00 +0000";
    let travelled = (0..25)
        .fold(Letter::new("through many hands").text("Hello Bert"), |letter, _| letter.field("Received", received));
    let files = (0..40).fold(Letter::new("forty scans").text("The scans."), |letter, number| {
        letter.file(&format!("scan{number}.txt"), "text/plain", b"page")
    });
    vec![
        is("three zips in one another", "nested.zip", nested),
        is("a zip of many small files", "scans.zip", zip_of(&entries)),
        is("a zip of an empty disc", "image.zip", zip("blank.bin", &vec![0; 1 << 20])),
        Specimen::mail_of(&["UNS-0001"], "a mail that was passed on six times", forwarded),
        Specimen::mail(&["UNS-0001"], "a mail that went through many servers", &travelled),
        Specimen::mail(&["UNS-0001"], "a mail with forty files", &files),
    ]
}

fn odd() -> Vec<Specimen> {
    let is = |name, file, declared, bytes| Specimen::innocent(&["UNS-0004"], name, file, declared, bytes);
    let two = packed(&[("first.txt", &[b'a'; 300]), ("second.txt", &[b'b'; 300])], Stored);
    let pair = tar(&[("a.txt", b"one"), ("b.txt", &[b'x'; 2000])]);
    let mut trailed = zip("plan.txt", b"nine o'clock");
    trailed.extend([0; 100]);
    let packed_log = gzip(&b"Nov 23 09:30:00 mx1 started\n".repeat(50));
    let key = b"-----BEGIN PKCS7-----\nMIIBAgYJKoZIhvcNAQcDoIH0MIHxAgEAMYGf\n-----END PKCS7-----\n";
    vec![
        is("a zip that broke off in its second file", "upload.zip", ZIP, two[..600].to_vec()),
        is("a tar that broke off in its second file", "upload.tar", "application/x-tar", pair[..2000].to_vec()),
        is("a zip with zeros behind it", "padded.zip", ZIP, trailed),
        is(
            "a packed log that broke off",
            "cut.log.gz",
            "application/gzip",
            packed_log[..packed_log.len() - 6].to_vec(),
        ),
        is("a list of files that is called zip", "list.zip.txt", "text/plain", b"PK list: a.zip, b.zip\n".to_vec()),
        is("a zip without a file", "empty.zip", ZIP, zip_of(&[])),
        is("a zip that never arrived", "upload-failed.zip", ZIP, Vec::new()),
        is("an empty tar", "nothing.tar", "application/x-tar", vec![0; 10_240]),
        is(
            "a page of a server that was saved as a zip",
            "download.zip",
            ZIP,
            b"<html><body><h1>404 Not Found</h1></body></html>\n".to_vec(),
        ),
        is(
            "a mail that is encrypted for its recipient (S/MIME)",
            "smime.p7m",
            "application/pkcs7-mime",
            b"\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x02\x30\x00".to_vec(),
        ),
        is("a scan that has a number", "scan.002", "application/octet-stream", (0..200).map(|at| at ^ 0x85).collect()),
        is("a log that is turned over", "mail.log.001", "text/plain", b"Nov 23 09:30:00 mx1 started\n".to_vec()),
        is("an archive that is all in its first volume", "backup.zip.001", ZIP, zip("plan.txt", b"nine o'clock")),
        is("a key in text", "partner.p7b", "application/x-pkcs7-certificates", key.to_vec()),
    ]
}
