//! A campaign of 165 copies, no two of them with the same bytes: an entry made of one catches all others, and no good
//! mail.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::entry::Subject;
use domain::fingerprint::{Fingerprints, PictureSet, TEXT_BITS_MAX};
use image::RgbImage;

use super::drawing::{FORMS, Numbers, drawing, jpeg_bytes, numbers, png_bytes};
use crate::examine::EnvelopeFacts;
use crate::limits::{Budget, Limits};
use crate::lookalike::{self, Form};
use crate::mime;
use crate::pixel_reader::PixelReader;
use crate::take_apart::take_apart;

const COPIES: u64 = 165;
/// The pictures of the campaign: a head, a mark and two buttons. The mark is that of a firm, which sends it as well.
const PICTURES: [(u64, u32, u32); 4] = [(901, 420, 140), (902, 120, 120), (903, 160, 70), (904, 160, 70)];
const MARK: usize = 1;

const WORDS: [&str; 12] =
    ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "juniper", "kelp", "lark"];

fn token(number: &mut Numbers) -> String {
    (0..20).map(|_| char::from(b"0123456789abcdef"[number.below(16) as usize])).collect()
}

/// A mail with a page and pictures.
fn mail(page: &str, pictures: &[Vec<u8>]) -> Vec<u8> {
    let mut mail = String::from(
        "From: a@x.example\r\nTo: b@ours.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: \
         multipart/related; boundary=b\r\n\r\n",
    );
    mail.push_str(&format!("--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n"));
    for (at, picture) in pictures.iter().enumerate() {
        let kind = if picture.starts_with(b"\x89PNG") { "png" } else { "jpeg" };
        let lines: Vec<String> =
            STANDARD.encode(picture).as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into()).collect();
        mail.push_str(&format!(
            "--b\r\nContent-Type: image/{kind}\r\nContent-Transfer-Encoding: base64\r\nContent-ID: \
             <p{at}>\r\n\r\n{}\r\n",
            lines.join("\r\n")
        ));
    }
    mail.push_str("--b--\r\n");
    mail.into_bytes()
}

fn fingerprints(raw: &[u8], reader: &mut PixelReader) -> Fingerprints {
    let limits = Limits::default();
    let read = mime::read_within(raw, &limits);
    let mut parsed = mime::parse(raw, read.as_ref(), &limits);
    let budget = Budget::starting_now(Duration::from_secs(30));
    take_apart(&mut parsed, &EnvelopeFacts::default(), &limits, budget, reader);
    parsed.message.fingerprints
}

/// A copy of the campaign: each picture in another form, the text with other names, numbers and links.
fn copy(seed: u64, pictures: &[RgbImage]) -> Vec<u8> {
    let mut number = numbers(seed + 7000);
    let name = |number: &mut Numbers| WORDS[number.below(12) as usize];
    let (first, last) = (name(&mut number), name(&mut number));
    let page = format!(
        "<html><body><img src=\"cid:p0\"><p>Dear {first} {last},</p><p>a parcel for you is waiting in our depot since \
         {} November. It could not be delivered because the postage of {},{:02} EUR was not paid. Please settle the \
         open amount within {} hours, otherwise the parcel number {} goes back to its sender and you lose the right to \
         it.</p><p><a href=\"https://{}.example/pay/{}\"><img src=\"cid:p2\"></a></p><p>You receive this message \
         because a delivery to your address was announced. Questions are answered by our customer service from Monday \
         to Friday.</p><img src=\"cid:p1\"><img src=\"cid:p3\"></body></html>",
        1 + number.below(28),
        1 + number.below(9),
        number.below(100),
        12 * (1 + number.below(4)),
        token(&mut number),
        name(&mut number),
        token(&mut number),
    );
    let bytes = pictures.iter().enumerate().map(|(at, picture)| {
        let (_, form) = FORMS[number.below(FORMS.len() as u32) as usize];
        let form = form(picture, seed * 10 + at as u64);
        if number.below(2) == 0 { png_bytes(&form) } else { jpeg_bytes(&form, 60 + number.below(31) as u8) }
    });
    mail(&page, &bytes.collect::<Vec<_>>())
}

fn campaign() -> Vec<RgbImage> {
    PICTURES.map(|(seed, width, height)| drawing(seed, width, height)).into()
}

#[test]
fn one_entry_catches_the_campaign() {
    let (pictures, mut reader) = (campaign(), PixelReader::default());
    let of_first = fingerprints(&copy(0, &pictures), &mut reader);
    let set = PictureSet::of(of_first.pictures.iter().map(|picture| picture.print)).expect("four pictures");
    assert_eq!((set.prints().len(), set.needed()), (4, 2));
    let (shown, said) = (Subject::Picture(set), Subject::Text(of_first.text.expect("a text")));
    let (mut missed, mut farthest) = ([0, 0], 0);
    for seed in 1..COPIES {
        let prints = fingerprints(&copy(seed, &pictures), &mut reader);
        missed[0] += u32::from(!shown.is_like(&prints));
        missed[1] += u32::from(!said.is_like(&prints));
        farthest = farthest.max(of_first.text.zip(prints.text).map_or(128, |(one, other)| one.distance(&other)));
    }
    assert_eq!(missed, [0, 0], "of {} copies, by pictures and by text; text at most {farthest}", COPIES - 1);
    for specimen in lookalike::pack().into_iter().filter(|specimen| specimen.form == Form::Mail) {
        let prints = fingerprints(&specimen.bytes, &mut reader);
        assert!(!shown.is_like(&prints) && !said.is_like(&prints), "{}", specimen.name);
    }
}

/// The firm whose mark the campaign shows writes itself, with pictures of its own.
#[test]
fn the_mark_of_a_firm_is_not_the_campaign() {
    let (pictures, mut reader) = (campaign(), PixelReader::default());
    let of_first = fingerprints(&copy(0, &pictures), &mut reader);
    let set = PictureSet::of(of_first.pictures.iter().map(|picture| picture.print)).expect("four pictures");
    let (shown, said) = (Subject::Picture(set), Subject::Text(of_first.text.expect("a text")));
    for seed in 0..20 {
        let own = [pictures[MARK].clone(), drawing(5000 + seed, 420, 140), drawing(6000 + seed, 160, 70)];
        let page = "<p>Your invoice of this month is attached. You find all invoices in your account, and our shop \
                    around the corner is open again since Monday; bring your old cartons, we take them back.</p>";
        let prints = fingerprints(&mail(page, &own.map(|picture| jpeg_bytes(&picture, 85))), &mut reader);
        assert_eq!(prints.pictures.len(), 3);
        assert!(!shown.is_like(&prints) && !said.is_like(&prints), "{seed}");
    }
}

#[test]
fn mails_of_one_template_with_other_news_are_apart() {
    let mut reader = PixelReader::default();
    let frame = |news: &str| {
        format!(
            "<table><tr><td><h1>Weekly letter</h1></td></tr><tr><td><p>{news}</p></td></tr><tr><td><p>You receive this \
             letter because you have subscribed. Unsubscribe here. Firm Ltd, Old Town.</p></td></tr></table>"
        )
    };
    let one = "The river path is open again. Builders have laid new planks on both banks, the lamps work, and the city \
               asks cyclists to go slowly in the first weeks until the sand between the planks has settled.";
    let other = "Three bakers share a shop from today on. They bake at night, sell in the morning and meet at noon to \
                 try what the others have made; whoever wins decides which bread is on the table tomorrow.";
    let [one, other] = [one, other].map(|news| fingerprints(&mail(&frame(news), &[]), &mut reader).text);
    let apart = one.expect("a text").distance(&other.expect("a text"));
    assert!(apart > TEXT_BITS_MAX, "{apart}");
}
