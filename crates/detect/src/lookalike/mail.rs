//! Mails as wholes: how they are built, what they leave out, what they show.

use super::Specimen;
use super::carrier::{jpeg, picture, png};
use super::code;
use super::letter::Letter;

const LONG_TEXT: &str =
    "Dear Bert, the minutes of Monday are on the wiki, and the photos of the party follow below. Anna";

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [built(), pieces(), elsewhere(), pictures(), pixels(), codes(), codes_for_nobody()].concat()
}

/// Built in a way that is not the usual one, and that all programs read alike.
fn built() -> Vec<Specimen> {
    let is = |name, text: &str| Specimen::mail_of(&["MIM-0001"], name, crate::mime::wire_form(text.as_bytes()));
    let head =
        "From: Anna <anna@partner.example>\nTo: Bert <bert@example.com>\nDate: Mon, 23 Nov 2026 09:30:00 +0000\n";
    vec![
        is(
            "a mail whose fields come in another order",
            &format!(
                "Content-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\nSubject: order\n{head}\nHello Bert\n"
            ),
        ),
        is(
            "a mail of a Mac with a comment in its version",
            &format!(
                "{head}Subject: comment\nMime-Version: 1.0 (Mac OS X Mail 16.0 \\(3826.200.121\\))\nContent-Type: \
                 text/plain;\n\tcharset=us-ascii\n\nHello Bert\n"
            ),
        ),
        is(
            "a mail with all signs in its boundary",
            &format!(
                "{head}Subject: boundary\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n \
                 boundary=\"----=_Part_1.'()+_,-./:=?9\"\n\n------=_Part_1.'()+_,-./:=?9\nContent-Type: \
                 text/plain\n\nHello Bert\n------=_Part_1.'()+_,-./:=?9--\n"
            ),
        ),
        is(
            "a mail with a line for old programs before its parts",
            &format!(
                "{head}Subject: preamble\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n\nThis is a \
                 multi-part message in MIME format.\n\n--b1\nContent-Type: text/plain\n\nHello Bert\n--b1--\n"
            ),
        ),
        is(
            "a mail with a long list of references",
            &format!(
                "{head}Subject: Re: plan\nReferences: {}\nMIME-Version: 1.0\nContent-Type: text/plain\n\nYes.\n",
                (0..30).map(|number| format!("<{number}@partner.example>")).collect::<Vec<_>>().join("\n ")
            ),
        ),
        is(
            "a mail with a file name in pieces",
            &format!(
                "{head}Subject: name\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\
                 Content-Type: text/plain\n\nHello\n--b1\nContent-Type: text/plain\nContent-Disposition: attachment;\n \
                 filename*0*=utf-8''%C3%9Cbersicht;\n filename*1*=%202026.txt\n\nrows\n--b1--\n"
            ),
        ),
        is(
            "an answer and its page, as most programs send it",
            &format!(
                "{head}Subject: both\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"b1\"\n\n--b1\n\
                 Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nSch=C3=B6n\n\
                 --b1\nContent-Type: text/html; charset=\"UTF-8\"\nContent-Transfer-Encoding: quoted-printable\n\n<p \
                 style=3D\"margin:0\">Sch=C3=B6n</p>\n--b1--\n"
            ),
        ),
        is(
            "a signed mail (S/MIME)",
            &format!(
                "{head}Subject: signed\nMIME-Version: 1.0\nContent-Type: multipart/signed; \
                 protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b1\n\n--b1\nContent-Type: \
                 text/plain; charset=utf-8\n\nHello Bert\n--b1\nContent-Type: application/pkcs7-signature; \
                 name=smime.p7s\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; \
                 filename=smime.p7s\n\nMA8GCSqGSIb3DQEHAqACMAA=\n--b1--\n"
            ),
        ),
        is("a mail of the last century", &format!("{head}Subject: plain\n\nHello Bert\n")),
    ]
}

fn pieces() -> Vec<Specimen> {
    let is = |name, letter: Letter| Specimen::mail(&["UNS-0005"], name, &letter);
    let report = "Reporting-MTA: dns; mx1.partner.example\n\nFinal-Recipient: rfc822; carl@partner.example\n\
        Action: failed\nStatus: 5.1.1\n";
    let half = "From: Bert <bert@example.com>\nTo: carl@partner.example\nSubject: lunch\n";
    let inner = "From: a@partner.example\nSubject: first\n\nOne";
    vec![
        is("the second of three mails that were split by hand", Letter::new("photos [2/3]").text(LONG_TEXT)),
        is(
            "a delivery report with the head of a mail",
            Letter::new("Undelivered Mail Returned to Sender")
                .text("Your mail could not be delivered.")
                .part("message/delivery-status", report)
                .part("text/rfc822-headers", half),
        ),
        is("a mail that was passed on", Letter::new("Fwd: first").text("see below").part("message/rfc822", inner)),
        is(
            "a note on mails in pieces",
            Letter::new("history").text("Outlook Express sent Content-Type: message/partial; number=1; total=3 then."),
        ),
        is(
            "a report that a mail was read",
            Letter::new("Read: plan").text("Your mail was read.").part(
                "message/disposition-notification",
                "Final-Recipient: rfc822; bert@example.com\nDisposition: manual-action; displayed\n",
            ),
        ),
        is(
            "a first part of a series of texts",
            Letter::new("Part 1 of 12").text(LONG_TEXT).file("part-01.txt", "text/plain", b"Once upon a time"),
        ),
    ]
}

fn elsewhere() -> Vec<Specimen> {
    let is = |name, letter: Letter| Specimen::mail(&["UNS-0006"], name, &letter);
    let calendar = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\n\
        DTSTAMP:20261123T093000Z\nDTSTART:20261130T090000Z\nSUMMARY:Meeting\n\
        ATTACH:https://www.partner.example/agenda.pdf\nEND:VEVENT\nEND:VCALENDAR\n";
    vec![
        is(
            "a mail with a link to a large file",
            Letter::new("film").text("The film is at https://transfer.partner.example/d/abc until Friday."),
        ),
        is(
            "an invitation with an attachment by its address",
            Letter::new("Meeting").text("See you.").part("text/calendar; charset=utf-8; method=REQUEST", calendar),
        ),
        is(
            "an announcement with the address of a document",
            Letter::new("draft").text("A new draft is available.\nURL: https://www.example.org/archive/draft-00.txt"),
        ),
        is(
            "a note on contents that lie elsewhere",
            Letter::new("history").text("Content-Type: message/external-body; access-type=anon-ftp was common once."),
        ),
        is(
            "a saved page that says where it was",
            Letter::new("page").field("Content-Location", "https://www.example.org/page.html").page("<p>A page</p>"),
        ),
        is(
            "a newsletter with its way out in a field",
            Letter::new("news")
                .field("List-Unsubscribe", "<https://lists.partner.example/u/1>, <mailto:u@lists.partner.example>")
                .text(LONG_TEXT),
        ),
    ]
}

fn pictures() -> Vec<Specimen> {
    let is = |name, letter: Letter| Specimen::mail(&["PIC-0001"], name, &letter);
    let page = |html: &str| Letter::new("hello").page(html);
    vec![
        is(
            "a text above the logo of a signature",
            page(&format!("<p>{LONG_TEXT}</p><a href=\"https://www.partner.example/\"><img src=\"cid:logo\"></a>"))
                .inline("image001.png", "image/png", &png()),
        ),
        is(
            "a newsletter of pictures with texts",
            page(&format!(
                "<a href=\"https://www.partner.example/1\"><img src=\"https://www.partner.example/1.jpg\" \
                 width=\"600\"></a><p>{LONG_TEXT}</p>"
            )),
        ),
        is("a photo without a link", Letter::new("photo").text("From Rome!").file("rome.jpg", "image/jpeg", &jpeg())),
        is("a short text with a link", Letter::new("page").text("Have a look: https://www.example.org/")),
        is("a scan without a text", Letter::new("Scan").file("scan.png", "image/png", &png())),
        is(
            "a picture in a page, without a link",
            page("<img src=\"https://www.partner.example/card.jpg\" width=\"600\">"),
        ),
    ]
}

fn pixels() -> Vec<Specimen> {
    let is = |name, html: &str| {
        Specimen::mail(&["PIC-0002"], name, &Letter::new("news").page(&format!("<p>{LONG_TEXT}</p>{html}")))
    };
    let spacer = picture(image::ImageFormat::Gif, 1, 1);
    vec![
        is(
            "a page with the logo of its house",
            "<img src=\"https://www.partner.example/l.png\" width=\"120\" height=\"40\">",
        ),
        is(
            "a page with a line as a picture",
            "<img src=\"https://www.partner.example/h.gif\" width=\"600\" height=\"1\">",
        ),
        is("a page with small signs", "<img src=\"https://www.partner.example/i.png\" width=\"16\" height=\"16\">"),
        is("a page with a picture of no said size", "<img src=\"https://www.partner.example/p.jpg\">"),
        is(
            "a page with a picture as high as its letters",
            "<img src=\"https://www.partner.example/s.png\" height=\"1em\">",
        ),
        Specimen::mail(
            &["PIC-0002"],
            "a page with a spacer that it brings along",
            &Letter::new("news")
                .page(&format!("<p>{LONG_TEXT}</p><img src=\"cid:logo\" width=\"1\" height=\"1\">"))
                .inline("spacer.gif", "image/gif", &spacer),
        ),
    ]
}

/// Codes that lead to no page.
fn codes() -> Vec<Specimen> {
    let is = |name, file, code: &[u8]| Specimen::innocent(&["QRC-0001"], name, file, "image/png", code.to_vec());
    vec![
        is("the code of a network", "wlan.png", &code::drawn(code::NETWORK)),
        is("the code of a card", "card.png", &code::drawn(code::CARD)),
        is("the code of a payment", "payment.png", &code::drawn(code::PAYMENT)),
        is("the code of a telephone number", "phone.png", &code::drawn(code::PHONE)),
        is("the code of a ticket", "ticket.png", &code::drawn(code::TICKET)),
    ]
}

/// Codes that lead to a page, the same for everybody.
fn codes_for_nobody() -> Vec<Specimen> {
    let is = |name, text: &str, code| {
        let letter = Letter::new("code").text(text).file("code.png", "image/png", &code::drawn(code));
        Specimen::mail(&["QRC-0002"], name, &letter)
    };
    vec![
        is("the code of a menu", "Our menu of this week is behind the code, as at every table.", code::MENU),
        is("the code of an event, with a number", "Please show this code at the door on Friday evening.", code::EVENT),
        is("the code of an invoice, with the seller's address", "Scan and pay until Monday, please.", code::INVOICE),
        is(
            "a menu, and a way out that knows the recipient",
            "The menu is behind the code. No more of these: https://lists.partner.example/u?bert@example.com",
            code::MENU,
        ),
        is(
            "the code of a contact, with a first name",
            "The page of our colleague is behind the code.",
            code::COLLEAGUE,
        ),
    ]
}
