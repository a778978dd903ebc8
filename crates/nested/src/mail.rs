//! Kinds of mail that nest or grow in their own structure: parts, mails in mails, headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Kind, mail, times};

const MANY: usize = 100_000;
const NESTED: &str = "Content-Type: message/rfc822\r\n\r\n";

pub(crate) const KINDS: &[Kind] = &[
    Kind::limit("mails in mails", || {
        mail("", "").into_iter().take(20).chain(times(NESTED, MANY).into_bytes()).collect()
    }),
    Kind::limit("mails in mails, lines ended by LF alone", || times(NESTED, MANY).replace('\r', "").into_bytes()),
    Kind::limit("mails in mails of SMTPUTF8", || times("Content-Type: message/global\r\n\r\n", MANY).into_bytes()),
    Kind::limit("mails in mails, oddly written", || {
        times("x\r\n :cONTENT-tYPE : Message / (a (comment)) rfc822 ; x=y\r\n\r\n", MANY / 4).into_bytes()
    }),
    Kind::limit("mails in mails, folded", || times("Content-Type:\r\n message/rfc822\r\n\r\n", MANY).into_bytes()),
    Kind::limit("mails in mails, each with two types", || {
        times("Content-Type: text/plain\r\nContent-Type: message/rfc822\r\n\r\n", MANY / 4).into_bytes()
    }),
    Kind::limit("mails in mails behind headers that a line of blanks ends", || {
        times("Content-Type: message/rfc822\r\nodd\r\n \r\n", MANY / 4).into_bytes()
    }),
    Kind::limit("mails in an encoded mail", || encoded(&times(NESTED, MANY))),
    Kind::limit("mails in an encoded mail in two more", || {
        let inner = encoded(&times(NESTED, MANY / 10));
        let inner = encoded(&String::from_utf8_lossy(&inner));
        encoded(&String::from_utf8_lossy(&inner))
    }),
    Kind::limit("mails in a mail that is quoted-printable", || {
        let head = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n";
        format!("{head}\r\n{}", times(NESTED, MANY / 4).replace('C', "=43")).into_bytes()
    }),
    Kind::limit("an encoded mail beside an encoded mail", || {
        let one = "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: \
            base64\r\n\r\nU3ViamVjdDogYQ0KDQphDQo=\r\n";
        mail("Content-Type: multipart/mixed; boundary=b\r\n", &times(one, 2000))
    }),
    Kind::limit("digests in digests", || nested_multiparts("digest", 10_000)),
    Kind::limit("multiparts in multiparts", || nested_multiparts("mixed", 10_000)),
    Kind::limit("alternatives in alternatives", || nested_multiparts("alternative", 2000)),
    Kind::limit("multiparts in multiparts of one delimiter", || {
        times("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 50_000).into_bytes()
    }),
    Kind::limit("multiparts in mails in multiparts", || {
        let level = |number| {
            format!(
                "Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\nContent-Type: \
                    message/rfc822\r\n\r\n"
            )
        };
        (0..20_000).map(level).collect::<String>().into_bytes()
    }),
    Kind::limit("sixty levels, no more", || times(NESTED, 60).into_bytes()),
    Kind::limit("parts beside parts", || parts("--b\r\n\r\nx\r\n", MANY)),
    Kind::limit("parts of nothing", || parts("--b\r\n", MANY * 5)),
    Kind::limit("mails beside mails", || {
        parts("--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\na\r\n", 20_000)
    }),
    Kind::limit("mails in a digest", || {
        mail("Content-Type: multipart/digest; boundary=b\r\n", &times("--b\r\n\r\nSubject: a\r\n\r\na\r\n", 20_000))
    }),
    Kind::limit("delimiters in one line", || parts("--b", MANY * 5)),
    Kind::limit("delimiters of hyphens in a body of hyphens", || {
        mail(&format!("Content-Type: multipart/mixed; boundary=\"{}\"\r\n", times("-", 60)), &times("-", 256 << 10))
    }),
    Kind::examined("a body of hyphens that is nearly a delimiter", || {
        mail(&format!("Content-Type: multipart/mixed; boundary=\"{}x\"\r\n", times("-", 60)), &times("-", 256 << 10))
    }),
    Kind::examined("an empty delimiter", || {
        mail("Content-Type: multipart/mixed; boundary=\"\"\r\n", &times("--\r\n\r\nx\r\n", 50_000))
    }),
    Kind::examined("a delimiter of half a megabyte", || {
        let long = times("d", 512 << 10);
        mail(
            &format!("Content-Type: multipart/mixed; boundary=\"{long}\"\r\n"),
            &format!("--{long}\r\n\r\nx\r\n--{long}--\r\n"),
        )
    }),
    Kind::limit("fields of a header", || mail(&times("a: b\r\n", MANY * 10), "x")),
    Kind::limit("fields of the header of a part", || {
        mail(
            "Content-Type: multipart/mixed; boundary=b\r\n",
            &format!("--b\r\n{}\r\nx\r\n--b--\r\n", times("a: b\r\n", MANY * 10)),
        )
    }),
    Kind::limit("fields of the header of a mail in a mail", || {
        format!("{NESTED}{}\r\nx", times("a: b\r\n", MANY * 10)).into_bytes()
    }),
    Kind::limit("fields of a header without an end", || times("a: b\r\n", MANY * 10).into_bytes()),
    Kind::limit("types of one part", || mail(&times("Content-Type: text/plain; a=b\r\n", MANY * 5), "x")),
    Kind::limit("a field of ten megabytes", || mail(&format!("Subject: {}\r\n", times("s", 10 << 20)), "x")),
    Kind::limit("a field of a million folds", || mail(&format!("Subject: a\r\n{}", times(" b\r\n", 1_000_000)), "x")),
    Kind::examined("comments in comments of From", || mail(&field("From: ", "(", MANY * 5), "x")),
    Kind::examined("comments in comments of Received", || mail(&field("Received: from a ", "(", MANY * 5), "x")),
    Kind::examined("comments in comments of Content-Type", || mail(&field("Content-Type: text/", "(", MANY * 5), "x")),
    Kind::examined("comments in comments of Date", || mail(&field("Date: ", "(", MANY * 5), "x")),
    Kind::examined("comments in comments of Authentication-Results", || {
        mail(&field("Authentication-Results: mx.example; ", "(", MANY * 5), "x")
    }),
    Kind::examined("comments beside comments", || mail(&field("Cc: ", "(a)", MANY * 5), "x")),
    Kind::examined("groups in groups", || mail(&field("To: ", "g:", MANY * 5), "x")),
    Kind::examined("groups beside groups", || mail(&field("To: ", "g:;", MANY * 5), "x")),
    Kind::examined("addresses in To", || mail(&field("To: ", "a@b,", MANY * 5), "x")),
    Kind::examined("quotation marks in To", || mail(&field("To: ", "\"\\\"", MANY * 5), "x")),
    Kind::examined("routes in To", || mail(&field("To: <", "@a,", MANY * 5), "x")),
    Kind::examined("encoded words in Subject", || mail(&field("Subject: ", "=?utf-8?B?YQ==?= ", MANY), "x")),
    Kind::examined("encoded words that do not end", || mail(&field("Subject: ", "=?utf-8?Q?", MANY), "x")),
    Kind::examined("encoded words in From", || mail(&field("From: ", "=?utf-8?Q?=61?= ", MANY), "x")),
    Kind::examined("identifiers in References", || mail(&field("References: ", "<a@b>", MANY * 2), "x")),
    Kind::examined("fields of Received", || mail(&times("Received: from a by b\r\n", MANY), "x")),
    Kind::examined("parameters of a type", || mail(&field("Content-Type: text/plain", ";a=b", MANY * 2), "x")),
    Kind::examined("pieces of a parameter", || {
        let pieces: String = (0..20_000).map(|number| format!("; boundary*{number}=x")).collect();
        mail(&format!("Content-Type: multipart/mixed{pieces}\r\n"), "x")
    }),
    Kind::examined("tags of a signature", || mail(&field("DKIM-Signature: v=1; ", "a=b; ", MANY * 2), "x")),
    Kind::examined("soft line ends", || {
        mail("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n", &times("=\r\n", MANY * 10))
    }),
    Kind::examined("an encoded body of line ends", || {
        mail("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n", &times("Y\r\n", MANY * 10))
    }),
];

/// A field with so many pieces.
fn field(name: &str, piece: &str, count: usize) -> String {
    format!("{name}{}\r\n", times(piece, count.min((128 << 10) / piece.len())))
}

/// A mail that is a mail in base64.
fn encoded(inner: &str) -> Vec<u8> {
    let head = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n";
    format!("{head}\r\n{}\r\n", STANDARD.encode(inner)).into_bytes()
}

fn nested_multiparts(kind: &str, count: usize) -> Vec<u8> {
    let level = |number| format!("Content-Type: multipart/{kind}; boundary=b{number}\r\n\r\n--b{number}\r\n");
    (0..count).map(level).collect::<String>().into_bytes()
}

fn parts(one: &str, count: usize) -> Vec<u8> {
    mail("Content-Type: multipart/mixed; boundary=b\r\n", &times(one, count))
}
