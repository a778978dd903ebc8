//! The mails, composed here. Each has [`TOKEN`] in its Message-ID and text, so that every mail that is sent is its own.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};

/// Replaced by as many digits in every mail that is sent.
pub const TOKEN: &str = "UNIQ000000000000";

const WORDS: [&str; 24] = [
    "meeting",
    "offer",
    "delivery",
    "Tuesday",
    "invoice",
    "colleague",
    "project",
    "answer",
    "question",
    "office",
    "machine",
    "drawing",
    "quality",
    "schedule",
    "customer",
    "workshop",
    "contract",
    "sample",
    "travel",
    "budget",
    "record",
    "summary",
    "release",
    "season",
];

/// A mail of a kind.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its name in tables.
    pub name: &'static str,
    /// Its bytes, with CRLF.
    pub bytes: Vec<u8>,
}

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }
}

fn prose(dice: &mut Dice, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let mut line = String::new();
        while line.len() < 66 {
            line.push_str(WORDS[dice.next(WORDS.len())]);
            line.push(' ');
        }
        text.push_str(line.trim_end());
        text.push_str("\r\n");
    }
    text
}

fn header(subject: &str) -> String {
    format!(
        "From: Alice Partner <alice@partner.example>\r\nTo: Bob <bob@ours.example>\r\nSubject: {subject}\r\n\
         Date: Mon, 23 Nov 2026 09:12:44 +0000\r\nMessage-ID: <{TOKEN}@partner.example>\r\nMIME-Version: 1.0\r\n"
    )
}

/// Plain text of about `bytes`.
pub fn text(name: &'static str, bytes: usize) -> Mail {
    let body = prose(&mut Dice(7), bytes);
    let head = header("Figures for the week");
    let text = format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\nNumber {TOKEN}\r\n\r\n{body}");
    Mail { name, bytes: text.into_bytes() }
}

/// A reply with text and HTML and a signature with a logo and three small pictures, some 14 kB: the mail of the
/// incident.
pub fn signature_reply(name: &'static str) -> Mail {
    let mut dice = Dice(11);
    let words = prose(&mut dice, 1_200);
    let quoted: String = prose(&mut dice, 900).lines().map(|line| format!("> {line}\r\n")).collect();
    let paragraphs: String = words.lines().map(|line| format!("<p>{line}</p>\r\n")).collect();
    let html = format!(
        "<html><body>{paragraphs}<p>Number {TOKEN}</p><p>Alice Partner<br>Partner GmbH</p>\r\n\
         <img src=\"cid:logo@partner\"><img src=\"cid:in@partner\"><img src=\"cid:www@partner\"><img \
         src=\"cid:call@partner\">\r\n\
         <blockquote>{quoted}</blockquote></body></html>\r\n"
    );
    let mut related = part("text/html; charset=utf-8", "", &html);
    related = format!(
        "--alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\nNumber \
            {TOKEN}\r\n{quoted}\r\n--alt\r\n{related}\r\n--alt--\r\n"
    );
    let mut body = format!("--rel\r\nContent-Type: multipart/alternative; boundary=\"alt\"\r\n\r\n{related}");
    for (name, side, format) in [
        ("logo", (120, 40), ImageFormat::Png),
        ("in", (16, 16), ImageFormat::Png),
        ("www", (16, 16), ImageFormat::Png),
        ("call", (64, 64), ImageFormat::Jpeg),
    ] {
        body.push_str(&picture(&mut dice, name, side, format));
    }
    body.push_str("--rel--\r\n");
    let head = header("RE: Figures for the week");
    let text = format!(
        "{head}In-Reply-To: <earlier@ours.example>\r\nContent-Type: multipart/related; boundary=\"rel\"\r\n\r\n{body}"
    );
    Mail { name, bytes: text.into_bytes() }
}

/// A forward with four photos and two screenshots, some 490 kB.
pub fn photo_forward(name: &'static str) -> Mail {
    let mut dice = Dice(17);
    let words = prose(&mut dice, 900);
    let mut body =
        format!("--rel\r\n{}\r\n", part("text/plain; charset=utf-8", "", &format!("Number {TOKEN}\r\n{words}")));
    for photo in ["photo1", "photo2", "photo3", "photo4"] {
        body.push_str(&picture(&mut dice, photo, (640, 480), ImageFormat::Jpeg));
    }
    for screen in ["screen1", "screen2"] {
        body.push_str(&picture(&mut dice, screen, (160, 90), ImageFormat::Png));
    }
    body.push_str("--rel--\r\n");
    let head = header("FW: Pictures of the site");
    Mail { name, bytes: format!("{head}Content-Type: multipart/related; boundary=\"rel\"\r\n\r\n{body}").into_bytes() }
}

/// A mail with the EICAR test file attached, some 12 kB: what is held.
pub fn eicar(name: &'static str) -> Mail {
    // Put together here, so that no scanner minds this source.
    let test_file = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE", "!$H+H*"].concat();
    let words = prose(&mut Dice(13), 11_000);
    let text = part("text/plain; charset=utf-8", "", &format!("Number {TOKEN}\r\n{words}"));
    let file = part(
        "application/octet-stream; name=\"invoice.com\"",
        "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"invoice.com\"\r\n",
        &base64_lines(test_file.as_bytes()),
    );
    let head = header("Invoice");
    let body = format!("--mix\r\n{text}\r\n--mix\r\n{file}--mix--\r\n");
    let text = format!("{head}Content-Type: multipart/mixed; boundary=\"mix\"\r\n\r\n{body}");
    Mail { name, bytes: text.into_bytes() }
}

fn part(content_type: &str, more: &str, body: &str) -> String {
    format!("Content-Type: {content_type}\r\n{more}\r\n{body}")
}

fn picture(dice: &mut Dice, name: &str, (width, height): (u32, u32), format: ImageFormat) -> String {
    let image = RgbImage::from_fn(width, height, |x, y| {
        let noise = dice.next(24) as u8;
        Rgb([(x * 2) as u8 ^ noise, (y * 3) as u8, 120 + noise])
    });
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).expect("an image of our own making");
    let end = if format == ImageFormat::Png { "png" } else { "jpeg" };
    let more = format!(
        "Content-Transfer-Encoding: base64\r\nContent-ID: <{name}@partner>\r\nContent-Disposition: inline; \
            filename=\"{name}.{end}\"\r\n"
    );
    let head = format!("image/{end}; name=\"{name}.{end}\"");
    format!("--rel\r\n{}", part(&head, &more, &base64_lines(file.get_ref())))
}

fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("{}\r\n", lines.join("\r\n"))
}
