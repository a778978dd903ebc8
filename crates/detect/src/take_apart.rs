//! A parsed mail taken apart: everything that can be opened is opened, everything that can be looked at is looked at.
//! What comes of it, signals and more parts, is the same for every ruleset.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::Digest;
use domain::fingerprint::{Fingerprints, PICTURES_MAX, SeenPicture};
use domain::message::{Family, Message, Part, Tail};

use crate::auth;
use crate::document::{self, sheet_text};
use crate::examine::EnvelopeFacts;
use crate::family;
use crate::family::Kind;
use crate::fingerprint;
use crate::limits::{Budget, Limits};
use crate::mime::{self, Decoded, Parsed};
use crate::page::link::{self, Link, LinkOrigin, Url};
use crate::page::saved::Sites;
use crate::page::{calendar, html, sender, shortcut};
use crate::passwords::Passwords;
use crate::picture;
use crate::pixel_reader::{PixelReader, Pixels};
use crate::seen::Seen;
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

/// Every part of a mail, opened as far as it goes, with all names under which some program shows it.
pub fn parts_of_mail(raw: &[u8], limits: &Limits, budget: Budget) -> Vec<(Part, Vec<String>)> {
    let read = mime::read_within(raw, limits);
    opened(mime::parse(raw, read.as_ref(), limits), limits, budget)
}

/// The same for a file without a mail around it.
pub fn parts_of_file(bytes: &[u8], name: &str, limits: &Limits, budget: Budget) -> Vec<(Part, Vec<String>)> {
    opened(mime::alone(bytes, name, ""), limits, budget)
}

fn opened(mut parsed: Parsed<'_>, limits: &Limits, budget: Budget) -> Vec<(Part, Vec<String>)> {
    take_apart(&mut parsed, &EnvelopeFacts::default(), limits, budget, &mut PixelReader::default());
    let names = |decoded: Decoded<'_>| decoded.names().map(str::to_owned).collect();
    parsed.message.parts.into_iter().zip(parsed.parts.into_iter().map(names)).collect()
}

/// Takes a mail apart: the signals of all checks, and what a person sees of it.
pub(crate) fn take_apart(
    parsed: &mut Parsed<'_>,
    envelope: &EnvelopeFacts,
    limits: &Limits,
    budget: Budget,
    reader: &mut PixelReader,
) -> (Vec<Signal>, Seen) {
    let signals = std::mem::take(&mut parsed.limit_hits).into_iter().map(structure::of_limit).collect();
    let mut apart = Apart {
        signals,
        domains: BTreeSet::new(),
        members: vec![false; parsed.parts.len()],
        depths: vec![0; parsed.parts.len()],
        allowance: Allowance::new(limits, budget),
        passwords: Passwords::default(),
        pixels: Pixels::new(budget),
        reader,
        pictures: Vec::new(),
        limits,
        seen: Seen::default(),
        sites: Sites {
            own: &envelope.own_domains,
            recipients: &envelope.recipients,
            sender: parsed.message.from_domain.clone(),
        },
    };
    apart.read_letters(parsed);
    apart.open_all(parsed);
    apart.picture_only();
    let Apart { mut signals, seen, domains, members, pictures, .. } = apart;
    let (text, layout) = (fingerprint::text::of(seen.text()), seen.tags.fingerprint());
    parsed.message.fingerprints = Fingerprints { pictures, text, layout };
    signals.extend(structure::look(&parsed.message, &parsed.parts, &members));
    remember_links(&mut parsed.message, &seen.links, domains);
    let sender = parsed.message.from_domain.as_str();
    let said = link::look(&seen.links, &envelope.own_domains, &envelope.recipients, sender);
    let said = said.into_iter().chain(sender::look(
        &parsed.message,
        &parsed.from_name,
        &parsed.reply_to,
        &envelope.own_domains,
    ));
    let vouched =
        envelope.authentication.iter().flat_map(|said| auth::look(said, &parsed.message, &envelope.own_domains));
    signals.extend(said.chain(vouched).map(|(check, evidence)| of_mail(check, evidence)));
    (signals, seen)
}

fn of_mail(check: Check, evidence: String) -> Signal {
    Signal { check, part: None, family: Family::Mail, offset: None, evidence }
}

/// Links are kept as people look for them; domains of those in documents and codes are searched for as those of the
/// text are.
fn remember_links(message: &mut Message, links: &[Link], domains: BTreeSet<String>) {
    let parsed: Vec<Url> = links.iter().filter_map(|link| Url::parse(&link.target)).collect();
    let found = parsed.iter().filter_map(|url| text::registrable(&url.host));
    let all: BTreeSet<String> = message.url_domains.drain(..).chain(found).chain(domains).collect();
    message.url_domains = all.into_iter().take(DOMAINS_MAX).collect();
    let kept =
        |url: &Url| mime::clean(&format!("{}{}", url.host, url.rest)).chars().take(URL_CHARS_MAX).collect::<String>();
    let mut seen = BTreeSet::new();
    message.urls = parsed.iter().map(kept).filter(|url| seen.insert(url.clone())).take(URLS_MAX).collect();
}

struct Apart<'l, 'c, 'e> {
    signals: Vec<Signal>,
    /// Domains of addresses in mails that the mail brings.
    domains: BTreeSet<String>,
    /// Which parts came out of an archive, a document or a picture.
    members: Vec<bool>,
    depths: Vec<u32>,
    allowance: Allowance<'l>,
    passwords: Passwords,
    pixels: Pixels,
    reader: &'c mut PixelReader,
    /// What the first of its pictures look like.
    pictures: Vec<SeenPicture>,
    limits: &'l Limits,
    seen: Seen,
    sites: Sites<'e>,
}

/// Something that came out of a part.
struct Extracted {
    decoded: Decoded<'static>,
    declared: String,
    /// Whether it came out of an archive, a document or a picture, and not out of a mail.
    is_member: bool,
}

impl From<Member> for Extracted {
    fn from(member: Member) -> Self {
        let decoded = Decoded {
            number: 0,
            family: Family::Other,
            name: mime::clean_name(&member.name),
            other_names: member.other_names.iter().map(|name| mime::clean_name(name)).collect(),
            declarations: Vec::new(),
            bytes: Cow::Owned(member.bytes),
            is_text: false,
            is_attachment: true,
            is_walked: false,
        };
        Self { decoded, declared: String::new(), is_member: true }
    }
}

impl Apart<'_, '_, '_> {
    /// Tells the parts of the mail, and of mails in it that are read already, to whom they belong.
    fn read_letters(&mut self, parsed: &Parsed<'_>) {
        self.passwords.text(None, parsed.message.subject.clone());
        for (part, decoded) in parsed.message.parts.iter().zip(&parsed.parts) {
            let parent = part.parent.and_then(|parent| parsed.message.part(parent));
            self.passwords.part(decoded, parent.map(|parent| (parent, parent.family == Family::Mail)));
        }
    }

    /// Opens everything that holds something, breadth first, and reads every page; what comes out becomes parts.
    fn open_all(&mut self, parsed: &mut Parsed<'_>) {
        let mut at = 0;
        while at < parsed.parts.len() {
            let main = parsed.message.parts[at].clone();
            for part in readings(&main, &parsed.parts[at]) {
                self.look_into(parsed, at, &part);
            }
            at += 1;
        }
    }

    /// Opens and reads one part as one of the things that it is.
    fn look_into(&mut self, parsed: &mut Parsed<'_>, at: usize, part: &Part) {
        let mut found = self.read(&parsed.parts[at], part);
        if self.depths[at] < self.limits.archive_depth_max {
            found.extend(self.open(parsed, at, part));
        } else if holds_parts(part, &parsed.parts[at]) || !found.is_empty() {
            let limit = self.limits.archive_depth_max;
            let evidence = format!("archives, documents and mails nested over {limit} levels");
            self.signals.push(Signal::of_part(Check::Limit, part, evidence));
            found.clear();
        }
        for one in found {
            if parsed.parts.len() >= self.limits.parts_max {
                let evidence = format!("more than {} parts", self.limits.parts_max);
                self.signals.push(Signal::of_part(Check::Limit, part, evidence));
                break;
            }
            self.members.push(one.is_member);
            self.depths.push(self.depths[at] + 1);
            adopt(parsed, part, one);
            let is_mail = part.family == Family::Mail || self.passwords.has_text_of(part);
            if let Some(decoded) = parsed.parts.last() {
                self.passwords.part(decoded, Some((part, is_mail)));
            }
        }
    }

    /// What comes out of one part.
    fn open(&mut self, parsed: &mut Parsed<'_>, at: usize, part: &Part) -> Vec<Extracted> {
        let bytes = &parsed.parts[at].bytes;
        let members = match part.family {
            Family::Archive => {
                self.allowance.set_passwords(self.passwords.of(part.number, &parsed.parts));
                let (found, closed) = unpack::open(&part.content_type, bytes, &part.name, &mut self.allowance);
                self.signals.extend(structure::of_archive(closed, part, !found.is_empty()));
                found
            }
            Family::Image => {
                let seen = picture::look(bytes, part);
                self.signals.extend(seen.signals);
                let look = self.reader.look(bytes, part, &mut self.pixels);
                if let Some(print) = look.print.filter(|_| self.pictures.len() < PICTURES_MAX) {
                    self.pictures.push(SeenPicture { part: part.number, pixels: look.pixels, print });
                }
                for code in look.codes {
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
                self.addresses(&seen.addresses);
                for text in seen.texts {
                    self.passwords.text(Some(part.number), text);
                }
                self.seen.document_text(&seen.text);
                seen.members
            }
            Family::Mail if !parsed.parts[at].is_walked => return self.mail(&parsed.parts[at].bytes, part),
            Family::Text | Family::Other => {
                let (found, closed) = unpack::in_text(bytes, &mut self.allowance);
                self.signals.extend(closed.into_iter().map(|closed| structure::of_closed(closed, part)));
                found
            }
            _ => Vec::new(),
        };
        members.into_iter().map(Extracted::from).collect()
    }

    /// The parts of a saved mail, as the program shows them that opens it.
    fn mail(&mut self, bytes: &[u8], part: &Part) -> Vec<Extracted> {
        if let Err(closed) = self.allowance.take(bytes.len() as u64) {
            self.signals.push(structure::of_closed(closed, part));
            return Vec::new();
        }
        let read = mime::read_within(bytes, self.limits);
        let inner = mime::parse(bytes, read.as_ref(), self.limits);
        self.passwords.text(Some(part.number), inner.message.subject.clone());
        self.addresses(&[inner.message.from.clone(), inner.reply_to.clone()]);
        let hits = inner.limit_hits.into_iter().map(|hit| mime::LimitHit { part: Some(part.number), ..hit });
        self.signals.extend(hits.map(structure::of_limit));
        let ambiguities = inner.message.ambiguities.iter();
        let said = ambiguities.map(|one| Signal::of_part(Check::Ambiguity, part, one.as_str().to_owned()));
        self.signals.extend(said);
        let found = inner.message.parts.into_iter().zip(inner.parts);
        found
            .map(|(part, decoded)| {
                let decoded = Decoded { bytes: Cow::Owned(decoded.bytes.into_owned()), ..decoded };
                Extracted { decoded, declared: part.declared, is_member: false }
            })
            .collect()
    }

    /// The domains of addresses in a mail that the mail brings: people search for them, and entries name them.
    fn addresses(&mut self, addresses: &[String]) {
        let domains = addresses.iter().filter_map(|address| text::organisation(address));
        let room = DOMAINS_MAX.saturating_sub(self.domains.len());
        self.domains.extend(domains.take(room));
    }

    fn link(&mut self, target: String, place: LinkOrigin) {
        if self.seen.links.len() < LINKS_MAX {
            self.seen.links.push(Link::new(target, place));
        }
    }

    /// Reads a text or a page of the mail, or a page that is attached to it.
    fn read(&mut self, decoded: &Decoded<'_>, part: &Part) -> Vec<Extracted> {
        let is_attached = decoded.is_attachment || !decoded.is_text;
        match part.family {
            Family::Html => return self.page(decoded, part, is_attached),
            Family::Text | Family::Script | Family::Other => {
                if is_attached {
                    self.table_or_shortcut(decoded, part);
                }
                if decoded.is_text && part.family == Family::Text {
                    self.text(decoded, is_attached);
                }
                for target in calendar::links(&decoded.bytes) {
                    self.link(target, LinkOrigin::Page);
                }
                self.seen.document_text(&calendar::text(&decoded.bytes));
            }
            Family::Image if part.parent.is_none() => self.seen.has_picture = true,
            _ => {}
        }
        Vec::new()
    }

    fn text(&mut self, decoded: &Decoded<'_>, is_attached: bool) {
        let text = text::as_read(&decoded.bytes);
        for target in text::links(&text) {
            self.link(target, LinkOrigin::Text);
        }
        if !is_attached {
            self.seen.plain_text(&text);
        }
    }

    /// A file that a double click opens in a table, a calendar or a browser.
    fn table_or_shortcut(&mut self, decoded: &Decoded<'_>, part: &Part) {
        let said = sheet_text::look(&decoded.bytes).into_iter();
        self.signals.extend(said.map(|(check, evidence)| Signal::of_part(check, part, evidence)));
        for target in shortcut::targets(&decoded.bytes) {
            self.link(target, LinkOrigin::Attachment);
        }
    }

    fn page(&mut self, decoded: &Decoded<'_>, part: &Part, is_attached: bool) -> Vec<Extracted> {
        let mut page = html::read(&decoded.bytes, is_attached);
        let goes_home = page.password_home.as_ref().is_some_and(|home| self.sites.are_home(home, &page.text));
        let signals = std::mem::take(&mut page.signals).into_iter();
        let told = signals.filter(|(check, _)| !(goes_home && *check == Check::HtmlCredentials));
        let said = told.map(|(check, what)| Signal::of_part(check, part, what));
        self.signals.extend(said);
        if page.tracking_pixels > 0 {
            let what = format!("{} pictures of a pixel or two", page.tracking_pixels);
            self.signals.push(Signal::of_part(Check::TrackingPixel, part, what));
        }
        let room = LINKS_MAX.saturating_sub(self.seen.links.len());
        self.seen.links.extend(std::mem::take(&mut page.links).into_iter().take(room));
        if is_attached {
            self.payload(decoded, part);
            self.seen.attached_page(&page);
        } else {
            self.seen.own_page(&page);
        }
        page.members.into_iter().map(|(name, bytes)| Member::new(name, bytes).into()).collect()
    }

    fn picture_only(&mut self) {
        let Seen { text_chars, has_text, has_picture, .. } = self.seen;
        if has_picture && has_text && text_chars < TEXT_CHARS_MIN && !self.seen.links.is_empty() {
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

/// A part as each of the things that it is to some program, the first of them as it is recorded.
fn readings(main: &Part, decoded: &Decoded<'_>) -> Vec<Part> {
    let mut readings = vec![main.clone()];
    let is_plain_text = decoded.is_text && decoded.names().next().is_none() && decoded.declarations.is_empty();
    if decoded.is_walked || is_plain_text && main.family == Family::Text {
        return readings;
    }
    let names: Vec<&str> = decoded.names().collect();
    let declared: Vec<&str> =
        std::iter::once(&main.declared).chain(&decoded.declarations).map(String::as_str).collect();
    let others = family::others((main.family, &main.content_type), &decoded.bytes, &names, &declared);
    let as_other =
        |(family, content_type): Kind| Part { family, content_type: content_type.to_owned(), ..main.clone() };
    readings.extend(others.into_iter().map(as_other));
    readings
}

/// Whether a part is one that others come out of.
fn holds_parts(part: &Part, decoded: &Decoded<'_>) -> bool {
    match part.family {
        Family::Archive | Family::Office | Family::Pdf => true,
        Family::Mail => !decoded.is_walked,
        _ => false,
    }
}

fn adopt(parsed: &mut Parsed<'_>, parent: &Part, found: Extracted) {
    let Extracted { decoded, declared, .. } = found;
    let number = u32::try_from(parsed.parts.len()).unwrap_or(u32::MAX);
    let (family, content_type) = if decoded.is_walked {
        (Family::Mail, "message/rfc822")
    } else {
        let is_shown_as_text = decoded.is_text && !decoded.is_attachment;
        family::of_part(&decoded.bytes, &decoded.name, &declared, is_shown_as_text)
    };
    parsed.message.parts.push(Part {
        number,
        parent: Some(parent.number),
        sha256: Digest::of(&decoded.bytes),
        size: decoded.bytes.len() as u64,
        family,
        content_type: content_type.to_owned(),
        declared,
        name: decoded.name.clone(),
        tail: Tail::NotWalked,
    });
    parsed.parts.push(Decoded { number, family, ..decoded });
}
