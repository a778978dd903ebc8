//! The mail of `few-contents`: a rule that is right about a campaign and wrong about six pictures, one of them in the
//! replies and forwards of four senders; forced past a gate that has named the three of them that were known before.

use image::ImageFormat;

use domain::Digest;

use crate::library::{picture, setup_program};
use cli::compose::Mail;

/// Pictures that the rule is wrong about: the first is in most of the mail, the first three were known before.
const PICTURES: u32 = 6;
const KNOWN: u32 = 3;
/// Pictures that partners have sent before, one mail each: so many may testify beside those.
const OTHERS: u32 = 220;
/// Partners of the whole history.
const PARTNERS: u32 = 24;
/// Mails of the past in which the first picture went to and fro with each partner who has it.
const TURNS: u32 = 6;
const OURS: &str = "bert@ours.example";

fn partner(number: u32) -> String {
    format!("anna@partner{number}.example")
}

fn pictured(number: u32) -> Vec<u8> {
    picture(90_000 + number, 120 + number, 40, ImageFormat::Png)
}

/// The rule: the campaign, and six pictures by their hashes. Corrected it is the campaign alone.
pub(crate) fn rule(is_corrected: bool) -> String {
    let hashes = (0..PICTURES).map(|number| Digest::of(&pictured(number)).hex());
    let hashes: String = hashes.map(|hash| format!("\n    or hash.sha256(0, filesize) == \"{hash}\"")).collect();
    let wrong = if is_corrected { String::new() } else { hashes };
    format!(
        "import \"hash\"\nrule drill_detection {{\n  strings:\n    $campaign = \"the payload of the campaign\"\n  \
            condition:\n    $campaign{wrong}\n}}\n"
    )
}

/// A mail with one of the pictures, which answers another.
struct Turn {
    id: String,
    answers: Option<String>,
    is_forward: bool,
}

fn mail(from: &str, to: &str, turn: &Turn, pictured_as: u32) -> Vec<u8> {
    let subject = if turn.is_forward { "Fwd: Offer" } else { "Re: Offer" };
    let mut mail = Mail::new(from, to, subject)
        .field("Date", "Mon, 5 Jan 2026 09:00:00 +0000")
        .field("Message-ID", &format!("<{}@drill.example>", turn.id));
    if let Some(answered) = &turn.answers {
        let answered = format!("<{answered}@drill.example>");
        mail = mail.field("In-Reply-To", &answered).field("References", &answered);
    }
    let text = format!("Thank you, {}.\n", turn.id);
    mail.text(&text)
        .html(&format!("<p>{}</p><p>Kind regards<br><img src=\"cid:logo\"></p>", text.trim_end()))
        .inline("image001.png", "image/png", "logo", &pictured(pictured_as))
        .build()
}

/// Three partners and one of ours write to and fro with the first picture; two more pictures are known of two senders
/// each. All partners have sent pictures of their own.
pub(crate) fn history() -> Vec<Vec<u8>> {
    let mut photos = Vec::new();
    for number in 0..OTHERS {
        let from = partner(number % PARTNERS);
        let photo = picture(70_000 + number, 64, 48, ImageFormat::Png);
        let mail = Mail::new(&from, OURS, &format!("Photo {number}"))
            .field("Date", "Mon, 1 Dec 2025 09:00:00 +0000")
            .field("Message-ID", &format!("<photo-{number}@drill.example>"))
            .text("As promised.\n")
            .attach("photo.png", "image/png", &photo);
        photos.push(mail.build());
    }
    let mut turns = Vec::new();
    for at in 0..TURNS {
        for who in 0..KNOWN {
            let (ours, theirs) = (OURS.to_owned(), partner(who));
            let (from, to) = if at % 2 == 0 { (theirs, ours) } else { (ours, theirs) };
            let answers = at.checked_sub(1).map(|before| format!("past-{who}-{before}"));
            let turn = Turn { id: format!("past-{who}-{at}"), answers, is_forward: false };
            turns.push(mail(&from, &to, &turn, 0));
        }
    }
    let others = [(1, partner(1)), (1, partner(2)), (2, partner(0)), (2, OURS.to_owned())];
    for (at, (pictured_as, from)) in others.iter().cycle().take(3 * others.len()).enumerate() {
        let to = if from == OURS { partner(0) } else { OURS.to_owned() };
        let turn = Turn { id: format!("past-other-{at}"), answers: None, is_forward: false };
        turns.push(mail(from, &to, &turn, *pictured_as));
    }
    let (step, mut turns) = (photos.len() / turns.len(), turns.into_iter());
    let between = photos.into_iter().enumerate().flat_map(|(at, photo)| {
        let turn = if at % step == 0 { turns.next() } else { None };
        turn.into_iter().chain([photo])
    });
    between.collect()
}

/// Forty-eight mails of four senders: 37 with the first picture, six with the two that are known as well, five with
/// those that nobody has seen before.
pub(crate) fn traffic() -> Vec<Vec<u8>> {
    let one = |at: u32| {
        let pictured_as = match at {
            0..37 => 0,
            37..43 => 1 + at % 2,
            _ => KNOWN + at % (PICTURES - KNOWN),
        };
        let who = at % (KNOWN + 1);
        let (from, to) = match (who == KNOWN, at % 8 == 7) {
            (false, _) => (partner(who), OURS.to_owned()),
            (true, false) => (OURS.to_owned(), partner(at % KNOWN)),
            (true, true) => (OURS.to_owned(), "carla@ours.example".to_owned()),
        };
        let answers = Some(format!("past-{}-{}", who % KNOWN, TURNS - 1));
        mail(&from, &to, &Turn { id: format!("reply-{at}"), answers, is_forward: at % 5 == 4 }, pictured_as)
    };
    (0..48).map(one).collect()
}

/// Malware of the hour: what the rule is right about, and programs that others hold as well.
pub(crate) fn bad() -> Vec<Vec<u8>> {
    let one = |at: u32| {
        let mail = Mail::new(&format!("x{at}@stranger.example"), OURS, &format!("Re: Offer {at}"))
            .field("Date", "Mon, 5 Jan 2026 09:00:00 +0000")
            .field("Message-ID", &format!("<bad-{at}@drill.example>"))
            .text("Please look at once.\n");
        if at.is_multiple_of(2) {
            return mail.attach("setup.exe", "application/octet-stream", &setup_program()).build();
        }
        let mut image = picture(7000 + at, 40, 40, ImageFormat::Png);
        image.extend_from_slice(format!("the payload of the campaign {at}").as_bytes());
        mail.attach("photo.png", "image/png", &image).build()
    };
    (0..24).map(one).collect()
}
