//! Hostile mail: bombs and nonsense through the real gateway. No panic, no hang, bounded memory, nothing lost,
//! and a clear `Unscannable` where a limit was met.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it measured"
)]

mod support;

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, config};

/// Wall time for one mail at most, on two cores that may be busy, with our code unoptimised.
const PATIENCE: Duration = Duration::from_secs(20);
/// Memory of the gateway at most, whatever it was sent.
const MEMORY_KIB_MAX: u64 = 1_500_000;

fn zipped(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn attached(name: &str, bytes: &[u8]) -> Vec<u8> {
    cli::compose::Mail::new("a@x.example", "b@ours.example", name)
        .attach(name, "application/octet-stream", bytes)
        .build()
}

fn nested_zip(levels: usize) -> Vec<u8> {
    (0..levels).fold(b"innermost".to_vec(), |inner, level| zipped(&[(format!("{level}.zip"), inner)]))
}

fn nested_multiparts(levels: usize) -> Vec<u8> {
    let mut mail = "Subject: nested\r\n".to_owned();
    for level in 0..levels {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    }
    mail.push_str("\r\nx\r\n");
    mail.into_bytes()
}

fn nested_mails(levels: usize) -> Vec<u8> {
    let mut mail = "Subject: nested\r\nContent-Type: message/rfc822\r\n\r\n".repeat(levels);
    mail.push_str("Subject: last\r\n\r\nx\r\n");
    mail.into_bytes()
}

fn many_parts(count: usize) -> Vec<u8> {
    let mut mail = b"Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    mail.extend(b"--b\r\n\r\nx\r\n".repeat(count));
    mail
}

/// What the gateway must say to each: the category, or nothing where only survival counts.
fn bombs() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let zeros = vec![0_u8; 64 << 20];
    let many_files: Vec<(String, Vec<u8>)> = (0..12_000).map(|n| (format!("{n}.txt"), Vec::new())).collect();
    let mut pixel = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    pixel.extend_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 6, 0, 0, 0]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(&zeros).unwrap();
    vec![
        ("100,000 multiparts in one another", nested_multiparts(100_000), Some("Unscannable")),
        ("20,000 mails in one another", nested_mails(20_000), Some("Unscannable")),
        ("a million parts", many_parts(1_000_000), Some("Unscannable")),
        ("zips in ten levels", attached("deep.zip", &nested_zip(10)), Some("Unscannable")),
        ("a zip of zeros", attached("bomb.zip", &zipped(&[("zeros".into(), zeros)])), Some("Unscannable")),
        ("a gzip of zeros", attached("bomb.gz", &gz.finish().unwrap()), Some("Unscannable")),
        ("12,000 files in a zip", attached("many.zip", &zipped(&many_files)), Some("Unscannable")),
        // Ruling 13: a picture that is not decoded is a fact and no verdict.
        ("a picture of 60,000 by 60,000", attached("pixel.png", &pixel), Some("Clean")),
        (
            "names that climb",
            attached("slip.zip", &zipped(&[("../../../../etc/cron.d/x".into(), b"x".to_vec())])),
            Some("Clean"),
        ),
        (
            "a header of 4 MiB",
            [b"X-Long: ".to_vec(), b" x\r\n".repeat(1 << 20), b"\r\nbody\r\n".to_vec()].concat(),
            None,
        ),
        ("nothing but line ends", b"\r\n".repeat(100_000), None),
        ("base64 of nothing", b"Content-Transfer-Encoding: base64\r\n\r\n====\r\n".to_vec(), None),
        ("a boundary without end", b"Content-Type: multipart/mixed; boundary=\"\r\n\r\n--\r\n".to_vec(), None),
    ]
}

#[test]
fn bombs_end_in_a_clear_answer() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    for (number, (what, mail, category)) in bombs().into_iter().enumerate() {
        let rcpt = format!("u{number}@ours.example");
        let began = Instant::now();
        let reply = Talk::from_outside(gateway.mx).send("a@x.example", &[&rcpt], &mail);
        assert!(reply.starts_with("250"), "{what}: {reply}");
        assert!(began.elapsed() < PATIENCE, "{what}: {:?}", began.elapsed());
        let units = gateway.json(&["message", "trace", "--recipient", &rcpt]);
        let seen = units[0]["category"].as_str().unwrap_or_default().to_owned();
        assert!(category.is_none_or(|category| category == seen), "{what}: {units}");
        eprintln!("{what}: {seen} after {:?}", began.elapsed());
    }
    let ledger = gateway.ledger();
    assert_eq!(ledger["accepted"], bombs().len());
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let peak: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    eprintln!("peak memory {} MiB", peak / 1024);
    assert!(peak < MEMORY_KIB_MAX, "{peak} KiB");
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
}

#[test]
fn slow_and_silent_clients_are_let_go() {
    let sink = Sink::start();
    // A listed peer speaks for many, and has no limit of its own.
    let text = config(sink.address).replacen("xclient_from = [\"127.0.0.1\"]", "xclient_from = []", 1);
    let gateway = Gateway::start(&format!("{text}[limits]\ncommand_deadline_s = 2\nconnections_per_ip = 3\n"));
    let began = Instant::now();
    let mut slow = Talk::to(gateway.mx);
    // A byte now and then does not buy time: the deadline is for the whole command.
    for byte in b"EHLO slow" {
        let _ = slow.write(&[*byte]);
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(slow.reply().is_ok_and(|reply| reply.starts_with("421")) || slow.is_closed());
    assert!(began.elapsed() < Duration::from_secs(10));
    let held: Vec<Talk> = (0..3).map(|_| Talk::to(gateway.mx)).collect();
    let mut refused = std::net::TcpStream::connect(gateway.mx).unwrap();
    let mut line = String::new();
    std::io::Read::read_to_string(&mut refused, &mut line).unwrap();
    assert!(line.starts_with("421 4.7.0"), "{line}");
    drop(held);
}
