//! What a person may look at of a mail: its plain texts, its pages made harmless, its pictures drawn anew. Mails inside
//! the mail are read as well.
//!
//! It reads what strangers sent as [`examine`](crate::examine) does, so it runs where that runs: in a process that can
//! do nothing else.

mod drawing;
pub mod harmless;

use std::collections::HashMap;

use domain::message::Family;
use mail_parser::{Message, MimeHeaders, PartType};
use serde::{Deserialize, Serialize};

use self::drawing::Paper;
use self::harmless::harmless;
use crate::family;
use crate::limits::{Budget, Limits};
use crate::mime;

pub use self::drawing::Drawn;

/// Texts and pages of a mail that are shown.
const TEXTS_MAX: usize = 20;
/// Bytes of one text.
const TEXT_BYTES_MAX: usize = 100_000;
/// Pictures of a mail that are shown.
const PICTURES_MAX: usize = 40;
/// Mails inside one another that are read.
const NESTED_MAX: u32 = 10;

/// What somebody wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// The plain texts.
    Texts,
    /// The HTML texts, each made harmless, with the mail's own pictures where they stand.
    Pages,
    /// The pictures.
    Pictures,
}

/// What there is to see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Shown {
    /// The plain texts.
    Texts(Vec<String>),
    /// The pages: tags that shape text, and pictures of ours as `data:`.
    Pages(Vec<String>),
    /// The pictures, in the order of the parts.
    Pictures(Vec<Picture>),
}

/// A picture of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Picture {
    /// The number of the part (`domain::message::Part::number`).
    pub part: u32,
    /// Its file name, cleaned for showing; empty if none.
    pub name: String,
    /// The content type that its bytes show.
    pub content_type: String,
    /// It, drawn anew, or why it is not, for people.
    pub drawn: Result<Drawn, String>,
}

/// Reads a mail for a person.
pub fn show(raw: &[u8], wish: Wish, budget: Budget) -> Shown {
    match wish {
        Wish::Texts => Shown::Texts(texts(raw)),
        Wish::Pages => Shown::Pages(pages(raw, budget)),
        Wish::Pictures => Shown::Pictures(pictures(raw, budget)),
    }
}

fn texts(raw: &[u8]) -> Vec<String> {
    let Some(read) = mime::read(raw) else { return Vec::new() };
    let mails = with_nested(&read);
    let texts = mails.iter().flat_map(|mail| &mail.parts).filter_map(|part| match &part.body {
        PartType::Text(text) => Some(text),
        _ => None,
    });
    let shown = texts.take(TEXTS_MAX).map(|text| {
        let end = text.floor_char_boundary(text.len().min(TEXT_BYTES_MAX));
        text[..end].chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
    });
    shown.collect()
}

fn pages(raw: &[u8], budget: Budget) -> Vec<String> {
    let Some(read) = mime::read(raw) else { return Vec::new() };
    let mut paper = Paper::new(budget);
    let mut pages = Vec::new();
    for mail in with_nested(&read) {
        let named = named(mail);
        for part in &mail.parts {
            if let (PartType::Html(html), true) = (&part.body, pages.len() < TEXTS_MAX) {
                pages.push(harmless(html, &mut |id| {
                    let bytes = named.get(id)?;
                    paper.draw(bytes, family::sniff(bytes, "").1).ok()
                }));
            }
        }
    }
    pages
}

/// The parts of a mail that its pages can name (RFC 2392), by their Content-ID.
fn named<'m>(mail: &'m Message<'m>) -> HashMap<&'m str, &'m [u8]> {
    let parts = mail.parts.iter().filter_map(|part| match &part.body {
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            let id = part.content_id()?.trim();
            Some((id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id), bytes.as_ref()))
        }
        _ => None,
    });
    parts.collect()
}

fn pictures(raw: &[u8], budget: Budget) -> Vec<Picture> {
    let read = mime::read(raw);
    let parsed = mime::parse(raw, read.as_ref(), &Limits::default());
    let mut paper = Paper::new(budget);
    let pictures = parsed.message.parts.iter().zip(&parsed.parts).filter(|(part, _)| part.family == Family::Image);
    let drawn = pictures.take(PICTURES_MAX).map(|(part, decoded)| Picture {
        part: part.number,
        name: part.name.clone(),
        content_type: part.content_type.clone(),
        drawn: paper.draw(&decoded.bytes, &part.content_type),
    });
    drawn.collect()
}

/// A mail and the mails in it, in the order in which they stand.
fn with_nested<'m>(mail: &'m Message<'m>) -> Vec<&'m Message<'m>> {
    fn add<'m>(mail: &'m Message<'m>, depth: u32, all: &mut Vec<&'m Message<'m>>) {
        all.push(mail);
        for part in &mail.parts {
            if let (PartType::Message(nested), true) = (&part.body, depth < NESTED_MAX) {
                add(nested, depth + 1, all);
            }
        }
    }
    let mut all = Vec::new();
    add(mail, 0, &mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use std::time::Duration;

    const DOT: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

    fn mail() -> Vec<u8> {
        let mail = format!(
            "Subject: a\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/related; \
                boundary=b\n\n\
             --b\nContent-Type: text/html\n\n<p onclick=x>Hi <img src=\"cid:logo@x\" alt=Logo width=90><img \
             src=\"https://x.example/t.gif\">\n\
             --b\nContent-Type: image/png; name=logo.png\nContent-ID: <logo@x>\nContent-Transfer-Encoding: \
             base64\n\n{DOT}\n--b--\n\
             --o\nContent-Type: image/svg+xml; name=a.svg\n\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n\
             --o\nContent-Type: message/rfc822\n\nSubject: b\n\ninner\n--o--\n"
        );
        mail.replace('\n', "\r\n").into_bytes()
    }

    fn budget() -> Budget {
        Budget::starting_now(Duration::from_secs(10))
    }

    #[test]
    fn a_page_has_the_mail_s_own_pictures_and_no_others() {
        let Shown::Pages(pages) = show(&mail(), Wish::Pages, budget()) else { panic!("pages") };
        assert_eq!(pages.len(), 1);
        let (before, after) = pages[0].split_once("<img src=\"data:image/png;base64,").expect("the logo");
        let (data, after) = after.split_once('"').expect("its end");
        assert!(image::load_from_memory(&STANDARD.decode(data).expect("base64")).is_ok());
        assert_eq!(before, "<p>Hi ");
        assert!(after.starts_with(" width=\"1\" height=\"1\" alt=\"Logo\"> <small>[picture]</small>"), "{after}");
    }

    #[test]
    fn pictures_have_the_numbers_of_their_parts() {
        let raw = mail();
        let Shown::Pictures(pictures) = show(&raw, Wish::Pictures, budget()) else { panic!("pictures") };
        let seen: Vec<_> = pictures
            .iter()
            .map(|one| (one.part, one.name.as_str(), one.content_type.as_str(), one.drawn.is_ok()))
            .collect();
        assert_eq!(seen, [(1, "logo.png", "image/gif", true), (2, "a.svg", "image/svg+xml", false)]);
    }

    #[test]
    fn a_mail_in_the_mail_is_read() {
        let Shown::Texts(texts) = show(&mail(), Wish::Texts, budget()) else { panic!("texts") };
        assert_eq!(texts.iter().map(|text| text.trim()).collect::<Vec<_>>(), ["inner"]);
    }
}
