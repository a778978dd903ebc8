//! A parsed mail taken apart: everything that can be opened is opened, everything that can be looked at is looked at.
//! What comes of it, signals and more parts, is the same for every ruleset.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::Digest;
use domain::message::{Family, Message, Part, Tail};

use crate::auth;
use crate::document;
use crate::examine::EnvelopeFacts;
use crate::family;
use crate::limits::{Budget, Limits};
use crate::mime::{self, Decoded, Parsed};
use crate::page::link::{self, Link, LinkOrigin, Url};
use crate::page::{html, qr, sender};
use crate::picture;
use crate::structure::{self, Check, Signal};
use crate::text;
use crate::unpack::{self, Allowance, Member};

/// Links of one mail that are looked at.
const LINKS_MAX: usize = 5000;
/// Domains of one mail that are kept.
const DOMAINS_MAX: usize = 200;
/// Links of one mail that are kept, and characters of each.
const URLS_MAX: usize = 50;
const URL_CHARS_MAX: usize = 200;
/// Characters of text below which a mail with a picture is one of a picture alone.
const TEXT_CHARS_MIN: usize = 50;

/// Takes a mail apart.
pub(crate) fn take_apart(
    parsed: &mut Parsed<'_>,
    envelope: &EnvelopeFacts,
    limits: &Limits,
    budget: Budget,
    codes: &mut qr::Reader,
) -> Vec<Signal> {
    let signals = std::mem::take(&mut parsed.limit_hits).into_iter().map(structure::of_limit).collect();
    let texts: Vec<&str> = parsed
        .parts
        .iter()
        .filter(|part| part.is_text)
        .filter_map(|part| std::str::from_utf8(&part.bytes).ok())
        .collect();
    let passwords = if parsed.parts.iter().any(|part| part.family == Family::Archive) {
        text::passwords(&texts)
    } else {
        Vec::new()
    };
    let mut apart = Apart {
        signals,
        links: Vec::new(),
        members: vec![false; parsed.parts.len()],
        depths: vec![0; parsed.parts.len()],
        allowance: Allowance::new(limits, budget).with_passwords(passwords),
        pixels: qr::Pixels::new(budget),
        codes,
        limits,
    };
    apart.open_all(parsed);
    apart.read_pages(parsed);
    let Apart { mut signals, links, members, .. } = apart;
    let attachments: Vec<bool> = parsed.parts.iter().map(|part| part.is_attachment).collect();
    signals.extend(structure::look(&parsed.message, &attachments, &members));
    remember_links(&mut parsed.message, &links);
    let sender = parsed.message.from_domain.as_str();
    let said = link::look(&links, &envelope.own_domains, &envelope.recipients, sender);
    let said = said.into_iter().chain(sender::look(
        &parsed.message,
        &parsed.from_name,
        &parsed.reply_to,
        &envelope.own_domains,
    ));
    let vouched =
        envelope.authentication.iter().flat_map(|said| auth::look(said, &parsed.message, &envelope.own_domains));
    signals.extend(said.chain(vouched).map(|(check, evidence)| of_mail(check, evidence)));
    signals
}

fn of_mail(check: Check, evidence: String) -> Signal {
    Signal { check, part: None, family: Family::Mail, offset: None, evidence }
}

/// Links are kept as people look for them; domains of those in documents and codes are searched for as those of the
/// text are.
fn remember_links(message: &mut Message, links: &[Link]) {
    let parsed: Vec<Url> = links.iter().filter_map(|link| Url::parse(&link.target)).collect();
    let found = parsed.iter().filter_map(|url| text::registrable(&url.host));
    let all: BTreeSet<String> = message.url_domains.drain(..).chain(found).collect();
    message.url_domains = all.into_iter().take(DOMAINS_MAX).collect();
    let kept =
        |url: &Url| mime::clean(&format!("{}{}", url.host, url.rest)).chars().take(URL_CHARS_MAX).collect::<String>();
    let mut seen = BTreeSet::new();
    message.urls = parsed.iter().map(kept).filter(|url| seen.insert(url.clone())).take(URLS_MAX).collect();
}

struct Apart<'l, 'c> {
    signals: Vec<Signal>,
    links: Vec<Link>,
    /// Which parts came out of something.
    members: Vec<bool>,
    depths: Vec<u32>,
    allowance: Allowance<'l>,
    pixels: qr::Pixels,
    codes: &'c mut qr::Reader,
    limits: &'l Limits,
}

impl Apart<'_, '_> {
    /// Opens everything that holds something, breadth first; what comes out becomes parts.
    fn open_all(&mut self, parsed: &mut Parsed<'_>) {
        let mut at = 0;
        while at < parsed.parts.len() {
            let part = parsed.message.parts[at].clone();
            if self.depths[at] < self.limits.archive_depth_max {
                for member in self.open(parsed, at, &part) {
                    if parsed.parts.len() >= self.limits.parts_max {
                        let evidence = format!("more than {} parts", self.limits.parts_max);
                        self.signals.push(Signal::of_part(Check::Limit, &part, evidence));
                        break;
                    }
                    adopt(parsed, &part, member);
                    self.members.push(true);
                    self.depths.push(self.depths[at] + 1);
                }
            } else if matches!(part.family, Family::Archive | Family::Office | Family::Pdf) {
                let evidence = format!("archives and documents nested over {} levels", self.limits.archive_depth_max);
                self.signals.push(Signal::of_part(Check::Limit, &part, evidence));
            }
            at += 1;
        }
    }

    /// What comes out of one part.
    fn open(&mut self, parsed: &mut Parsed<'_>, at: usize, part: &Part) -> Vec<Member> {
        let bytes = &parsed.parts[at].bytes;
        match part.family {
            Family::Archive => {
                let (found, closed) = unpack::open(&part.content_type, bytes, &part.name, &mut self.allowance);
                self.signals.extend(closed.into_iter().map(|closed| structure::of_closed(closed, part)));
                found
            }
            Family::Image => {
                let seen = picture::look(bytes, part);
                self.signals.extend(seen.signals);
                for code in self.codes.codes(bytes, part, &mut self.pixels) {
                    self.link(code, LinkOrigin::Code);
                }
                parsed.message.parts[at].tail = seen.tail;
                seen.hidden.into_iter().map(|hidden| Member::new(hidden.name, hidden.bytes)).collect()
            }
            Family::Office | Family::Pdf => {
                let seen = if part.family == Family::Pdf {
                    document::look_at_pdf(bytes, part, &mut self.allowance)
                } else {
                    document::look(bytes, part, &mut self.allowance)
                };
                self.signals.extend(seen.signals);
                for target in seen.links {
                    self.link(target, LinkOrigin::Document);
                }
                seen.members
            }
            _ => Vec::new(),
        }
    }

    fn link(&mut self, target: String, place: LinkOrigin) {
        if self.links.len() < LINKS_MAX {
            self.links.push(Link::new(target, place));
        }
    }

    /// Reads the texts and pages of the mail, and the pages that are attached to it.
    fn read_pages(&mut self, parsed: &Parsed<'_>) {
        let (mut text_chars, mut shows_picture, mut has_text) = (0, false, false);
        for (decoded, part) in parsed.parts.iter().zip(&parsed.message.parts) {
            let is_attached = decoded.is_attachment || !decoded.is_text;
            match part.family {
                Family::Html => {
                    let page = html::read(&decoded.bytes, is_attached);
                    let said = page.signals.into_iter().map(|(check, what)| Signal::of_part(check, part, what));
                    self.signals.extend(said);
                    if page.tracking_pixels > 0 {
                        let what = format!("{} pictures of a pixel or two", page.tracking_pixels);
                        self.signals.push(Signal::of_part(Check::TrackingPixel, part, what));
                    }
                    let room = LINKS_MAX.saturating_sub(self.links.len());
                    self.links.extend(page.links.into_iter().take(room));
                    if is_attached {
                        self.payload(decoded, part);
                    } else {
                        has_text = true;
                        text_chars += page.text_chars;
                        shows_picture |= page.remote_pictures > 0;
                    }
                }
                Family::Text if decoded.is_text => {
                    let text = text::as_read(&decoded.bytes);
                    for target in text::links(&text) {
                        self.link(target, LinkOrigin::Page);
                    }
                    if !is_attached {
                        has_text = true;
                        text_chars += text.chars().filter(|c| !c.is_whitespace()).count();
                    }
                }
                Family::Image if part.parent.is_none() => shows_picture = true,
                _ => {}
            }
        }
        let is_picture_only = shows_picture && has_text && text_chars < TEXT_CHARS_MIN && !self.links.is_empty();
        if is_picture_only {
            let what = format!("a picture with a link and {text_chars} characters of text");
            self.signals.push(of_mail(Check::PictureOnly, what));
        }
    }

    fn payload(&mut self, decoded: &Decoded<'_>, part: &Part) {
        if let Some((at, evidence)) = picture::encoded_program(&decoded.bytes) {
            let signal = Signal::of_part(Check::HtmlPayload, part, evidence);
            self.signals.push(Signal { offset: Some(at as u64), ..signal });
        }
    }
}

fn adopt(parsed: &mut Parsed<'_>, parent: &Part, member: Member) {
    let number = u32::try_from(parsed.parts.len()).unwrap_or(u32::MAX);
    let name = mime::clean(&member.name);
    let (family, content_type) = family::sniff(&member.bytes, &name);
    parsed.message.parts.push(Part {
        number,
        parent: Some(parent.number),
        sha256: Digest::of(&member.bytes),
        size: member.bytes.len() as u64,
        family,
        content_type: content_type.to_owned(),
        declared: String::new(),
        name: name.clone(),
        tail: Tail::NotWalked,
    });
    let bytes = Cow::Owned(member.bytes);
    parsed.parts.push(Decoded { number, family, name, bytes, is_text: false, is_attachment: true });
}
