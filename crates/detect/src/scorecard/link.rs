//! Marks of where a mail leads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::brand::{brand_of_domain, brands_in_text};
use super::host::{self, Kind};
use super::imitation::{Place, brand_in_domain};
use super::mark::Mark as M;
use super::marks::Marks;
use super::reading::{Reading, Target, looks_random};
use super::redirector::redirects;
use super::sender::{has_new_ending, is_throwaway, label};
use crate::page::link::LinkOrigin;
use crate::structure::Check;

/// Words of a path behind which somebody signs in.
static CREDENTIALS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    any_of(&[
        "login", "signin", "sign-in", "logon", "verify", "verif", "account", "secure", "update", "webmail", "owa",
        "auth", "password", "confirm", "validat", "billing", "wallet", "recover",
    ])
});
/// Pieces of a path inside of the programs that sites are made with.
static INSIDE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    any_of(&[
        "/wp-content/",
        "/wp-includes/",
        "/wp-admin/",
        "/.well-known/",
        "/cgi-bin/",
        "/components/com_",
        "/vendor/",
    ])
});
/// Words of a link that ends a subscription, in what it shows or where it leads.
static UNSUBSCRIBE: LazyLock<AhoCorasick> =
    LazyLock::new(|| any_of(&["unsub", "optout", "opt-out", "abmeld", "desinscri", "preferences"]));
/// Characters of a link from which on it is long, and of a mark in it.
const LINK_LONG: usize = 300;
const TOKEN_LONG: usize = 32;
/// Characters of a mark that is the whole name of a page, at least.
const MARK_ALONE: usize = 20;
/// Recipients that are looked for in links.
const RECIPIENTS_MAX: usize = 20;
/// Bytes of a path in which a brand is looked for.
const PATH_BYTES_MAX: usize = 200;
/// Hosts that lead into chat programs.
const CHATS: [&str; 7] = ["wa.me", "whatsapp.com", "t.me", "telegram.me", "signal.me", "line.me", "discord.gg"];

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    let links: Vec<&Target> = mail.body_links().collect();
    counts(mail, &links, marks);
    let recipients = Named::all(&mail.recipients);
    let mut sites: BTreeMap<&str, Site> = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for link in &links {
        let site = *sites.entry(&link.url.host).or_insert_with(|| site_of(mail, link, marks));
        page_of(link, site, marks);
        path_of(mail, link, site, marks);
        marks.add_if(recipients.iter().any(|one| one.is_in(&link.url.rest)), M::LinkRecipient);
        // A menu says the same under each of its pictures.
        if texts.insert((link.shown.as_str(), site)) {
            shown_by(link, site, marks);
        }
    }
    by_checks(mail, marks);
    mails(mail, marks);
}

/// What the links to one host have in common, worked out once for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Site {
    /// The sender's own, or of the brand that the sender is.
    Own,
    /// A service that many send through, or a brand's own.
    Service,
    /// Anybody's.
    Foreign,
}

fn is_service(domain: &str) -> bool {
    host::is_sending_service(domain) || brand_of_domain(domain).is_some_and(|brand| brand.writes_from(domain))
}

fn counts(mail: &Reading<'_>, links: &[&Target], marks: &mut Marks) {
    match links.len() {
        0 => return marks.add(M::LinkNone),
        1 => marks.add(M::LinkOne),
        2..=3 => marks.add(M::LinkFew),
        4..=20 => {}
        _ => marks.add(M::LinkMany),
    }
    let domains: BTreeSet<&str> = links.iter().map(|link| link.domain.as_str()).collect();
    let pages: BTreeSet<&str> = links.iter().map(|link| link.written.as_str()).collect();
    marks.add_if(links.len() > 1 && pages.len() == 1, M::LinkOneTarget);
    marks.add_if(links.len() > 1 && domains.len() == 1, M::LinkOneDomain);
    marks.add_if(domains.len() > 5, M::LinkManyDomains);
    let is_own = |domain: &&&str| is_own(mail, domain);
    let own = domains.iter().filter(is_own).count();
    // A domain that costs next to nothing says nothing for a mail by being its own.
    let is_worth = !is_throwaway(&mail.from) && host::free_host(&mail.message().from_domain).is_none();
    marks.add_if(own > 0 && is_worth, M::LinkOwn);
    marks.add_if(own == domains.len() && is_worth, M::LinkAllOwn);
    marks.add_if(own == 0, M::LinkForeign);
    let alone = links.iter().filter(|link| is_mark_alone(&link.url.rest)).count();
    marks.add_if(alone * 2 > links.len(), M::LinkMarkAlone);
    let is_plain_and_new = |link: &&Target| is_plain(link) && has_new_ending(&link.domain);
    marks.add_if(links.iter().any(is_plain_and_new), M::LinkNewEndingPlain);
    marks.add_if(domains.iter().any(|domain| is_throwaway(domain)), M::LinkCheapEnding);
    let brands: BTreeSet<&str> =
        domains.iter().filter_map(|domain| brand_of_domain(domain)).map(|one| one.name).collect();
    marks.add_if(!brands.is_empty(), M::LinkOfBrand);
    marks.add_if(brands.len() >= 3, M::LinkOfBrands);
    let are_pictures = links.iter().all(|link| link.origin == LinkOrigin::Page && link.shown.is_empty());
    marks.add_if(are_pictures && mail.seen.linked_pictures > 0, M::LinkPictureOnly);
}

/// Whether a link goes over a connection that anybody reads.
fn is_plain(link: &Target) -> bool {
    link.written.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

/// Whether a page has nothing but a long mark as its name: `/aIjzc09boxksNmtH4wu5qr0T`.
fn is_mark_alone(rest: &str) -> bool {
    let mark = rest.trim_matches('/');
    let has = |is: fn(&u8) -> bool| mark.bytes().any(|byte| is(&byte));
    mark.len() >= MARK_ALONE
        && mark.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && (has(u8::is_ascii_uppercase) || looks_random(mark))
}

/// Whether a domain is the sender's, or of the brand that the sender is.
fn is_own(mail: &Reading<'_>, domain: &str) -> bool {
    domain == mail.from
        || brand_of_domain(&mail.from).is_some_and(|brand| brand.writes_from(&mail.from) && brand.owns(domain))
}

/// What a host says, for all links to it.
fn site_of(mail: &Reading<'_>, link: &Target, marks: &mut Marks) -> Site {
    let (host, domain) = (link.url.host.as_str(), link.domain.as_str());
    marks.add_if(host::is_sending_service(domain), M::LinkSendingService);
    marks.add_if(CHATS.contains(&domain), M::LinkChat);
    if is_own(mail, domain) {
        return Site::Own;
    }
    match host::free_host(host) {
        Some(Kind::Site | Kind::App) => marks.add(M::LinkFreeHost),
        Some(Kind::Bucket) => marks.add(M::LinkBucket),
        Some(Kind::Tunnel | Kind::DynamicName) => marks.add(M::LinkTunnel),
        Some(Kind::Blog) => marks.add(M::LinkBlog),
        Some(Kind::Docs) => marks.add(M::LinkDocs),
        None => {}
    }
    marks.add_if(host::is_file_share(host), M::LinkFileShare);
    if let Some(named) = brand_in_domain(host) {
        let is_hard = matches!(named.place, Place::Registered | Place::Decoy);
        marks.add(if is_hard { M::LinkBrandInDomain } else { M::LinkBrandBelow });
    }
    marks.add_if(host.contains("xn--"), M::LinkForeignLetters);
    marks.add_if(host.split('.').count() >= 5, M::LinkDeep);
    let label = label(domain);
    let is_random = |label: &str| label.len() >= 6 && looks_random(label);
    marks.add_if(is_random(label) || host.split('.').next().is_some_and(is_random), M::LinkRandom);
    if is_service(domain) {
        return Site::Service;
    }
    marks.add_if(label.chars().any(|c| c.is_ascii_digit()), M::LinkDigits);
    marks.add_if(host.matches('-').count() >= 2, M::LinkHyphens);
    marks.add_if(has_new_ending(domain), M::LinkNewEnding);
    let country = |domain: &str| domain.rsplit('.').next().filter(|end| end.len() == 2).map(str::to_owned);
    let is_abroad = country(domain).is_some_and(|end| country(&mail.from).is_none_or(|from| from != end));
    marks.add_if(is_abroad, M::LinkForeignCountry);
    Site::Foreign
}

/// What a page says together with its host.
fn page_of(link: &Target, site: Site, marks: &mut Marks) {
    let (host, rest) = (link.url.host.as_str(), link.url.rest.as_str());
    marks.add_if(host::is_meeting_service(host, rest), M::LinkMeeting);
    if site == Site::Own {
        return;
    }
    // The short names of form builders are shorteners as well.
    if host::is_form_builder(host, rest) {
        marks.add(M::LinkForm);
    } else {
        marks.add_if(host::is_shortener(host), M::LinkShortener);
    }
    marks.add_if(redirects(&link.url).is_some(), M::LinkRedirector);
    marks.add_if(site == Site::Foreign && matches!(rest, "" | "/"), M::LinkBare);
}

fn path_of(mail: &Reading<'_>, link: &Target, site: Site, marks: &mut Marks) {
    let rest = link.url.rest.to_lowercase();
    marks.add_if(is_plain(link), M::LinkPlain);
    marks.add_if(link.written.len() > LINK_LONG, M::LinkVeryLong);
    let ends_a_subscription = UNSUBSCRIBE.is_match(&rest) || UNSUBSCRIBE.is_match(&link.shown.to_lowercase());
    marks.add_if(ends_a_subscription, M::LinkUnsubscribe);
    if site != Site::Foreign {
        return;
    }
    marks.add_if(CREDENTIALS.is_match(&rest) || CREDENTIALS.is_match(&link.url.host), M::LinkCredentials);
    marks.add_if(INSIDE.is_match(&rest), M::LinkCms);
    let (path, query) = rest.split_once(['?', '#']).unwrap_or((rest.as_str(), ""));
    marks.add_if(path.ends_with(".php") && !query.is_empty(), M::LinkScriptToken);
    marks.add_if(path.ends_with(".html") || path.ends_with(".htm"), M::LinkPage);
    let has_token = rest.split(|c: char| !c.is_ascii_alphanumeric()).any(|token| token.len() >= TOKEN_LONG);
    marks.add_if(has_token, M::LinkLongToken);
    marks.add_if(rest.split_once('#').is_some_and(|(_, behind)| behind.len() > 3), M::LinkFragment);
    marks.add_if(rest.matches('%').count() > 10, M::LinkPercent);
    let beginning = path[..path.floor_char_boundary(PATH_BYTES_MAX)].replace(['/', '-', '_', '.'], " ");
    marks.add_if(!brands_in_text(&beginning, false).is_empty(), M::LinkBrandInPath);
    let names_us = |one: &String| label(one).len() >= 4 && rest.contains(one.as_str());
    marks.add_if(!mail.is_from_ours() && mail.ours.iter().any(names_us), M::LinkOurs);
}

fn shown_by(link: &Target, site: Site, marks: &mut Marks) {
    let letters = link.shown.chars().filter(|c| c.is_alphabetic()).count();
    marks.add_if(letters >= 5 && !link.shown.chars().any(char::is_lowercase) && link.shown.is_ascii(), M::LinkUpper);
    if site != Site::Foreign {
        return;
    }
    marks.add_if(!brands_in_text(&link.shown, false).is_empty(), M::LinkBrandShown);
}

/// What the checks of links have seen.
fn by_checks(mail: &Reading<'_>, marks: &mut Marks) {
    for (check, mark) in [
        (Check::LinkLookalike, M::LinkLookalike),
        (Check::LinkDisguised, M::LinkDisguised),
        (Check::LinkMismatch, M::LinkMismatch),
        (Check::LinkRedirector, M::LinkRedirector),
        (Check::QrRecipient, M::FileCode),
    ] {
        marks.add_if(mail.checks.contains(&check), mark);
    }
    let links = || mail.body_links().filter(|link| !is_own(mail, &link.domain));
    marks.add_if(links().any(|link| link.url.public_address().is_some()), M::LinkAddress);
    marks.add_if(links().any(|link| link.url.port.is_some_and(|port| !matches!(port, 80 | 443))), M::LinkPort);
    let shows_own = |link: &Target| {
        let shown = link.shown.to_lowercase();
        mail.from.len() > 3 && shown.contains(&mail.from) && !is_service(&link.domain) && link.domain != mail.from
    };
    marks.add_if(links().any(shows_own), M::LinkMismatchForeign);
}

/// Links that write a mail.
fn mails(mail: &Reading<'_>, marks: &mut Marks) {
    let mut to = mail.seen.links.iter().filter_map(|link| {
        let (scheme, rest) = link.target.trim().split_once(':')?;
        scheme.eq_ignore_ascii_case("mailto").then(|| rest.split('?').next().unwrap_or_default().to_lowercase())
    });
    if let Some(first) = to.next() {
        marks.add(M::LinkMail);
        let is_free = |address: &str| {
            address.rsplit_once('@').is_some_and(|(_, domain)| host::is_free_mail(domain) && domain != mail.from)
        };
        marks.add_if(is_free(&first) || to.any(|address| is_free(&address)), M::LinkMailFree);
    }
}

/// Finds any of these words, all in small letters, in one pass.
fn any_of(words: &[&str]) -> AhoCorasick {
    AhoCorasick::new(words).expect("a handful of words")
}

/// A recipient, as links name whom they were made for: the address as it is, or in base64.
struct Named<'m> {
    address: &'m str,
    /// Its base64 without the last letters, which depend on what follows.
    encoded: String,
}

impl<'m> Named<'m> {
    /// The first recipients.
    fn all(recipients: &'m [String]) -> Vec<Self> {
        let named = |address: &'m String| {
            let mut encoded = STANDARD_NO_PAD.encode(address.as_bytes());
            encoded.truncate(encoded.len().saturating_sub(2));
            Self { address, encoded }
        };
        recipients.iter().take(RECIPIENTS_MAX).filter(|one| one.len() > 5).map(named).collect()
    }

    /// Whether the rest of a link says it.
    fn is_in(&self, rest: &str) -> bool {
        if rest.len() < 6 {
            return false;
        }
        let is_written = |rest: &str| rest.to_lowercase().replace("%40", "@").contains(self.address);
        (rest.contains(['@', '%']) && is_written(rest)) || (self.encoded.len() >= 8 && rest.contains(&self.encoded))
    }
}
