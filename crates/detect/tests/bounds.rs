//! What is long is not slow: contents made so that a careless look takes the square of their length, or a stack without
//! end.
#![allow(clippy::print_stderr, reason = "says how long each took")]

use std::time::Duration;

use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::Ruleset;

/// Bytes of each content; squared, an hour.
const LENGTH: usize = 4 << 20;

fn filled(beginning: &[u8], piece: &[u8]) -> Vec<u8> {
    beginning.iter().chain(piece.iter().cycle()).copied().take(LENGTH).collect()
}

#[test]
fn what_is_long_is_not_slow() {
    let in_force = InForce::only(Ruleset::shipped().expect("the shipped ruleset loads"));
    let mut examiner = Examiner::new(&in_force, Limits::default());
    for (what, name, content) in [
        ("stuffing outside of a scan", "a.jpg", filled(b"\xff\xd8", b"\xff\0")),
        ("stray bytes between markers", "a.jpg", filled(b"\xff\xd8", b"\xff\x01x")),
        ("beginnings of streams", "a.pdf", filled(b"%PDF-1.7\n", b"/ObjStm obj stream\n")),
        ("names of a PDF", "a.pdf", filled(b"%PDF-1.7\n", b"/URI (")),
        ("objects of an RTF", "a.rtf", filled(b"{\\rtf1", b"{\\objdata 00")),
        ("beginnings of programs", "a.html", filled(b"<html><!-- ", b"TVqQ\n")),
        ("links that open", "a.html", filled(b"<html>", b"<a href=x>")),
        ("scripts that write", "a.html", filled(b"<html><script>", b"document.write(eval(")),
        ("elements of an SVG", "a.svg", filled(b"<svg>", b"<g onload=''>")),
        ("sub-blocks", "a.gif", filled(b"GIF89a\x01\0\x01\0\0\0\0", b"!\xfe\x01x\0")),
        (
            "files of a page",
            "a.one",
            filled(
                &[0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d, 0xae, 0xb1, 0x53, 0x78, 0xd0, 0x29, 0x96, 0xd3],
                b"x",
            ),
        ),
    ] {
        let budget = Budget::starting_now(Duration::from_secs(60));
        let began = std::time::Instant::now();
        let findings = examiner.examine_part(&content, name, "application/octet-stream", budget);
        eprintln!("{what}: {:?}", began.elapsed());
        assert!(findings.is_ok() && !budget.is_spent(), "{what}");
    }
}
