//! Four times the bytes take about four times as long, whatever a stranger repeats in them.

use std::time::{Duration, Instant};

use detect::examine::{EnvelopeFacts, Examiner};
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::page::html;
use detect::preview::{Wish, show};
use detect::ruleset::Ruleset;

/// Bytes of the smaller mail; the larger has four times as many.
const SMALL: usize = 32 << 10;
/// How much longer the larger one may take: work that grows with the square takes 16 times as long.
const TIMES_MAX: u32 = 8;
/// Below this nothing can be told from noise. Work that takes a minute for a mebibyte, and grows with the square, takes
/// a second here.
const FLOOR: Duration = Duration::from_millis(250);
/// How often what looks slow is measured, the best counts.
const TRIES: usize = 3;

/// What a mail is made of: what stands before, what is repeated, with `#` for a number, and what stands behind.
struct Hostile {
    what: &'static str,
    before: &'static str,
    piece: &'static str,
    behind: &'static str,
}

const HTML: &str = "Subject: a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";

const fn of(what: &'static str, before: &'static str, piece: &'static str, behind: &'static str) -> Hostile {
    Hostile { what, before, piece, behind }
}

const ALL: &[Hostile] = &[
    of("entities", HTML, "&amp;", ""),
    of("entities that are none", HTML, "&zzz;", ""),
    of("entities that begin like many", HTML, "&ne", ""),
    of("numbers of characters", HTML, "&#65;", ""),
    of("entities in an attribute", "Subject: a\r\nContent-Type: text/html\r\n\r\n<a href=\"", "&lt;", "\">x</a>"),
    of("ampersands", HTML, "&", ""),
    of("tags", HTML, "<b>", ""),
    of("tags with text", HTML, "<b>x", ""),
    of("ends of tags", HTML, "</b>", ""),
    of("angles", HTML, "<", ""),
    of("attributes", "Subject: a\r\nContent-Type: text/html\r\n\r\n<a ", "a#=1 ", ">x</a>"),
    of("the same attribute", "Subject: a\r\nContent-Type: text/html\r\n\r\n<a ", "href=1 ", ">x</a>"),
    of("quoted attributes", "Subject: a\r\nContent-Type: text/html\r\n\r\n<a ", "a#=\"b\" ", ">x</a>"),
    of("links", HTML, "<a href=\"https://a#.example/x\">b</a>", ""),
    of("links that are not closed", HTML, "<a href=x>y", ""),
    of("handlers", HTML, "<p onclick=\"eval(unescape('%61'))\">", ""),
    of("scripts", HTML, "<script>eval(</script>", ""),
    of("scripts that are not closed", HTML, "<script>", ""),
    of("comments of HTML", HTML, "<!--x-->", ""),
    of("comments of HTML that are not closed", HTML, "<!--", ""),
    of("hyphens in a comment of HTML", "Subject: a\r\nContent-Type: text/html\r\n\r\n<!--", "--!", ""),
    of("character data", HTML, "<![CDATA[", ""),
    of("elements that are left out", HTML, "<svg><title>", ""),
    of("pictures of elsewhere", HTML, "<img src=cid:a# alt=b>", ""),
    of("pictures in a style", HTML, "<style>url(", ""),
    of("pictures in one style", "Subject: a\r\nContent-Type: text/html\r\n\r\n<style>", "url(", ""),
    of("bases", HTML, "<base href=https://a#.example/><a href=b>", ""),
    of("files in links", HTML, "<a href=\"data:application/zip,a#\">b</a>", ""),
    of("comments for one mail program", HTML, "<!--[if mso]><a href=a#>", ""),
    of("forms", HTML, "<form id=f# action=//a.example/><input type=password form=f#></form>", ""),
    of("frames", HTML, "<iframe srcdoc=\"<p>\">", ""),
    of("scripts that ask", HTML, "<script>type='password'", ""),
    of("titles", HTML, "<title>x", ""),
    of("addresses of links in text", "Subject: a\r\n\r\n", "https://a#.example/ ", ""),
    of("addresses of links without a space", "Subject: a\r\n\r\n", "https://", ""),
    of("colons and slashes", "Subject: a\r\n\r\n", "a://", ""),
    of("backslashes", "Subject: a\r\n\r\n", "\\\\", ""),
    of("slashes of both kinds", "Subject: a\r\n\r\n", "http:/\\a#.example ", ""),
    of("shares", "Subject: a\r\n\r\n", "\\\\203.0.113.9\\a ", ""),
    of("at signs", "Subject: a\r\n\r\n", "a@", ""),
    of("dots", "Subject: a\r\n\r\n", "www.", ""),
    of("brackets in text", "Subject: a\r\n\r\nhttp://x/", "([{", ""),
    of("passwords", "Subject: a\r\n\r\n", "password: a#\r\n", ""),
    of("quoted text", "Subject: a\r\n\r\n", "> ", ""),
    of("encoded words", "Subject: ", "=?utf-8?Q?=41?= ", "\r\n\r\nx"),
    of("encoded words in lines", "Subject: ", "=?utf-8?B?QQ==?=\r\n ", "x\r\n\r\nx"),
    of("encoded words that do not end", "Subject: ", "=?utf-8?Q?", "\r\n\r\nx"),
    of("beginnings of encoded words", "Subject: ", "=?", "\r\n\r\nx"),
    of("encoded words of addresses", "From: ", "=?utf-8?Q?=41?= <a@b.example>, ", "\r\n\r\nx"),
    of("addresses", "To: ", "a# <a#@b.example>, ", "\r\n\r\nx"),
    of("commas", "To: ", ",", "\r\n\r\nx"),
    of("comments in an address", "From: ", "(", "a@b.example\r\n\r\nx"),
    of("comments closed in an address", "From: ", "()", "a@b.example\r\n\r\nx"),
    of("quotes in an address", "From: ", "\"", "a@b.example\r\n\r\nx"),
    of("escapes in an address", "From: \"", "\\\\", "\" <a@b.example>\r\n\r\nx"),
    of("groups of addresses", "To: ", "a:", ";\r\n\r\nx"),
    of("angles in an address", "From: ", "<", "a@b.example\r\n\r\nx"),
    of("folded lines", "Subject: ", "\r\n a", "\r\n\r\nx"),
    of("fields", "", "X-A#: b\r\n", "\r\nx"),
    of("fields without a name", "", ":\r\n", "\r\nx"),
    of("Received", "", "Received: from a by b; Thu, 26 Nov 2026 10:00:00 +0000\r\n", "\r\nx"),
    of("Received in one", "Received: ", "from a by b (c) ", "; x\r\n\r\nx"),
    of("Content-Type", "", "Content-Type: text/plain; charset=x#\r\n", "\r\nx"),
    of("Subject", "", "Subject: =?utf-8?Q?=41?=\r\n", "\r\nx"),
    of("Authentication-Results", "", "Authentication-Results: x; dkim=pass header.d=a.example\r\n", "\r\nx"),
    of("Authentication-Results in one", "Authentication-Results: x", "; dkim=pass header.d=a#.example", "\r\n\r\nx"),
    of(
        "DKIM-Signature",
        "",
        "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=b; h=from; bh=eA==; b=eA==\r\n",
        "\r\nx",
    ),
    of("references", "References: ", "<a#@b.example> ", "\r\n\r\nx"),
    of("parameters", "Content-Type: text/plain", "; a#=b", "\r\n\r\nx"),
    of("the same parameter", "Content-Type: application/x; name=\u{e4}", "; name=b\u{e4}", "\r\n\r\nx"),
    of("continuations", "Content-Disposition: attachment", "; filename*#*=utf-8''%41", "\r\n\r\nx"),
    of("continuations of one", "Content-Disposition: attachment", ";\r\n filename*0*=utf-8''%41", "\r\n\r\nx"),
    of("semicolons", "Content-Type: text/plain", ";", "\r\n\r\nx"),
    of("comments in a type", "Content-Type: text/plain ", "(", "\r\n\r\nx"),
    of("empty parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n\r\n", ""),
    of("delimiters in a row", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n", ""),
    of("delimiters that end", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n", "--b--\r\n", ""),
    of(
        "almost delimiters",
        "Content-Type: multipart/mixed; boundary=bbbbbbbbbbbbbbbb\r\n\r\n--bbbbbbbbbbbbbbbb\r\n\r\n",
        "--bbbbbbbbbbbbbbb\r\n",
        "",
    ),
    of("hyphens", "Content-Type: multipart/mixed; boundary=----------------\r\n\r\n", "-", ""),
    of("multiparts in one another", "", "Content-Type: multipart/mixed; boundary=b#\r\n\r\n--b#\r\n", ""),
    of("boundaries of one", "Content-Type: multipart/mixed", "; boundary=b#", "\r\n\r\n--b0\r\n\r\nx"),
    of("mails in one another", "", "Content-Type: message/rfc822\r\n\r\n", ""),
    of(
        "mails beside one another",
        "Content-Type: multipart/digest; boundary=b\r\n\r\n",
        "--b\r\n\r\nSubject: a\r\n\r\nx\r\n",
        "",
    ),
    of(
        "lines of base64",
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        "QUFB\r\n",
        "",
    ),
    of(
        "signs of base64 that are none",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        "=\r\n",
        "",
    ),
    of(
        "quoted-printable",
        "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        "=3D=\r\n",
        "",
    ),
    of(
        "soft line ends",
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        "=\r\n",
        "",
    ),
    of(
        "padded groups of base64",
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64 (x)\r\n\r\n",
        "AAA=",
        "",
    ),
    of("Content-Disposition", "", "Content-Disposition: attachment; filename=a#.txt\r\n", "\r\nx"),
    of("Content-Transfer-Encoding", "", "Content-Transfer-Encoding: base64 (#)\r\n", "\r\nx"),
    of("beginnings of uuencode", "Subject: a\r\n\r\n", "begin 644 a#\r\n", ""),
    of("beginnings of yEnc", "Subject: a\r\n\r\n", "=ybegin name=a#\r\n", ""),
    of("uuencoded files", "Subject: a\r\n\r\n", "begin 644 a#\r\n#86%A\r\nend\r\n", ""),
    of("empty lines", "Subject: a\r\n\r\n", "\r\n", ""),
    of("line feeds", "Subject: a\r\n\r\n", "\n", ""),
    of("carriage returns", "Subject: a\r\n\r\n", "\r", ""),
    of("zeros", "Subject: a\r\nContent-Type: text/html\r\n\r\n", "\0", ""),
    of(
        "a calendar",
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n",
        "DESCRIPTION:a\\n\r\n b\r\n",
        "END:VCALENDAR",
    ),
    of("a drawing", "Content-Type: image/svg+xml\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\">", "<g>", "</svg>"),
    of(
        "attributes of a drawing",
        "Content-Type: image/svg+xml\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\" ",
        "a#=\"b\" ",
        "/>",
    ),
    of(
        "objects of a PDF",
        "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n",
        "# 0 obj <</A /JavaScript>> endobj\r\n",
        "%%EOF",
    ),
    of("dictionaries of a PDF", "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n1 0 obj ", "<<", "%%EOF"),
    of("streams of a PDF", "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n", "stream\r\n", "%%EOF"),
    of("strings of a PDF", "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n", "(", "%%EOF"),
    of("files of a PDF", "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n", "<</EF<</F # 0 R>>/F(a#)>>\r\n", "%%EOF"),
    of("files of a PDF in one another", "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n", "<</EF<</F(", "%%EOF"),
    of(
        "events of a PDF",
        "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n/JS(a)",
        "# 0 obj<</AA<</O 1 0 R/C[<</JS(b)>>",
        "%%EOF",
    ),
    of(
        "actions of a PDF in one another",
        "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n/JS(a)1 0 obj",
        "<</OpenAction[",
        "%%EOF",
    ),
    of(
        "files in streams of a PDF",
        "Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n",
        "1 0 obj<</Type/EmbeddedFile>>stream\r\n",
        "%%EOF",
    ),
    of("templates of RTF", "Content-Type: application/rtf\r\n\r\n{\\rtf1", "{\\*\\template \\u104?", "}"),
    of("fields of RTF", "Content-Type: application/rtf\r\n\r\n{\\rtf1", "{\\fldinst{HYPERLINK \"", "}"),
    of("bytes of RTF", "Content-Type: application/rtf\r\n\r\n{\\rtf1{\\objdata", "\\bin9 {\\*", "}"),
    of("groups of RTF", "Content-Type: application/rtf\r\n\r\n{\\rtf1", "{\\a", "}"),
    of("objects of RTF", "Content-Type: application/rtf\r\n\r\n{\\rtf1", "{\\object\\objdata 01", "}"),
];

fn mail(hostile: &Hostile, size: usize) -> Vec<u8> {
    let mut mail = hostile.before.to_owned();
    let mut number = 0;
    while mail.len() < size {
        mail.push_str(&hostile.piece.replace('#', &number.to_string()));
        number += 1;
    }
    mail.push_str(hostile.behind);
    mail.into_bytes()
}

/// Time that this thread has computed, in which nothing is of what else the machine does; where the system does not
/// say, time that has passed.
fn computed(began: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| began.elapsed(), Duration::from_nanos)
}

type Reader<'r> = &'r mut dyn FnMut(&[u8]);

fn budget() -> Budget {
    Budget::starting_now(Duration::from_secs(3600))
}

fn took(read: &mut dyn FnMut(&[u8]), raw: &[u8]) -> Duration {
    let began = Instant::now();
    let before = computed(began);
    read(raw);
    computed(began) - before
}

#[test]
fn four_times_the_bytes_take_no_more_than_eight_times_as_long() {
    let in_force = InForce::only(Ruleset::shipped().expect("the shipped ruleset loads"));
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut examine = |raw: &[u8]| drop(examiner.examine(raw, &EnvelopeFacts::default(), budget()));
    let mut texts = |raw: &[u8]| drop(show(raw, Wish::Texts, budget()));
    let mut pages = |raw: &[u8]| drop(show(raw, Wish::Pages, budget()));
    let mut pictures = |raw: &[u8]| drop(show(raw, Wish::Pictures, budget()));
    let mut page = |raw: &[u8]| drop(html::read(raw, true));
    let mut readers: [(&str, Reader<'_>); 5] = [
        ("examined", &mut examine),
        ("texts for a person", &mut texts),
        ("pages for a person", &mut pages),
        ("pictures for a person", &mut pictures),
        ("as a page", &mut page),
    ];
    let mut slow = Vec::new();
    for hostile in ALL {
        let (small, large) = (mail(hostile, SMALL), mail(hostile, 4 * SMALL));
        for (reader, read) in &mut readers {
            let is_slow = (0..TRIES).all(|_| {
                let four = took(*read, &large);
                four > FLOOR && four > took(*read, &small) * TIMES_MAX
            });
            if is_slow {
                slow.push(format!(
                    "{}, {reader}: {:?} and {:?}",
                    hostile.what,
                    took(*read, &small),
                    took(*read, &large)
                ));
            }
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}
