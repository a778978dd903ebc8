//! Marks of where a mail leads.

use std::collections::BTreeSet;

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
const CREDENTIALS: [&str; 18] = [
    "login", "signin", "sign-in", "logon", "verify", "verif", "account", "secure", "update", "webmail", "owa", "auth",
    "password", "confirm", "validat", "billing", "wallet", "recover",
];
/// Pieces of a path inside of the programs that sites are made with.
const INSIDE: [&str; 7] =
    ["/wp-content/", "/wp-includes/", "/wp-admin/", "/.well-known/", "/cgi-bin/", "/components/com_", "/vendor/"];
/// Characters of a link from which on it is long, and of a mark in it.
const LINK_LONG: usize = 300;
const TOKEN_LONG: usize = 32;
/// Characters of a mark that is the whole name of a page, at least.
const MARK_ALONE: usize = 20;
/// Bytes of a path in which a brand is looked for.
const PATH_BYTES_MAX: usize = 200;
/// Hosts that lead into chat programs.
const CHATS: [&str; 7] = ["wa.me", "whatsapp.com", "t.me", "telegram.me", "signal.me", "line.me", "discord.gg"];

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    let links: Vec<&Target> = mail.body_links().collect();
    counts(mail, &links, marks);
    for link in &links {
        host_of(mail, link, marks);
        path_of(mail, link, marks);
        shown_by(mail, link, marks);
    }
    by_checks(mail, marks);
    mails(mail, marks);
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
    let is_plain = |link: &&&Target| link.written.trim_start().to_lowercase().starts_with("http:");
    marks.add_if(links.iter().filter(is_plain).any(|link| has_new_ending(&link.domain)), M::LinkNewEndingPlain);
    marks.add_if(domains.iter().any(|domain| is_throwaway(domain)), M::LinkCheapEnding);
    let brands: BTreeSet<&str> =
        domains.iter().filter_map(|domain| brand_of_domain(domain)).map(|one| one.name).collect();
    marks.add_if(!brands.is_empty(), M::LinkOfBrand);
    marks.add_if(brands.len() >= 3, M::LinkOfBrands);
    let are_pictures = links.iter().all(|link| link.origin == LinkOrigin::Page && link.shown.is_empty());
    marks.add_if(are_pictures && mail.seen.linked_pictures > 0, M::LinkPictureOnly);
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

fn host_of(mail: &Reading<'_>, link: &Target, marks: &mut Marks) {
    let (host, domain) = (link.url.host.as_str(), link.domain.as_str());
    marks.add_if(host::is_sending_service(domain), M::LinkSendingService);
    marks.add_if(host::is_meeting_service(host, &link.url.rest), M::LinkMeeting);
    marks.add_if(CHATS.contains(&domain), M::LinkChat);
    if is_own(mail, domain) {
        return;
    }
    match host::free_host(host) {
        Some(Kind::Site | Kind::App) => marks.add(M::LinkFreeHost),
        Some(Kind::Bucket) => marks.add(M::LinkBucket),
        Some(Kind::Tunnel | Kind::DynamicName) => marks.add(M::LinkTunnel),
        Some(Kind::Blog) => marks.add(M::LinkBlog),
        Some(Kind::Docs) => marks.add(M::LinkDocs),
        None => {}
    }
    // The short names of form builders are shorteners as well.
    if host::is_form_builder(host, &link.url.rest) {
        marks.add(M::LinkForm);
    } else {
        marks.add_if(host::is_shortener(host), M::LinkShortener);
    }
    marks.add_if(host::is_file_share(host), M::LinkFileShare);
    marks.add_if(redirects(&link.url).is_some(), M::LinkRedirector);
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
        return;
    }
    marks.add_if(label.chars().any(|c| c.is_ascii_digit()), M::LinkDigits);
    marks.add_if(host.matches('-').count() >= 2, M::LinkHyphens);
    marks.add_if(has_new_ending(domain), M::LinkNewEnding);
    let country = |domain: &str| domain.rsplit('.').next().filter(|end| end.len() == 2).map(str::to_owned);
    let is_abroad = country(domain).is_some_and(|end| country(&mail.from).is_none_or(|from| from != end));
    marks.add_if(is_abroad, M::LinkForeignCountry);
    marks.add_if(matches!(link.url.rest.as_str(), "" | "/"), M::LinkBare);
}

fn path_of(mail: &Reading<'_>, link: &Target, marks: &mut Marks) {
    let rest = link.url.rest.to_lowercase();
    marks.add_if(link.written.trim_start().to_lowercase().starts_with("http:"), M::LinkPlain);
    marks.add_if(link.written.len() > LINK_LONG, M::LinkVeryLong);
    let says = format!("{rest} {}", link.shown.to_lowercase());
    marks.add_if(
        ["unsub", "optout", "opt-out", "abmeld", "desinscri", "preferences"].iter().any(|word| says.contains(word)),
        M::LinkUnsubscribe,
    );
    if carries(&link.url.rest, &mail.recipients) {
        marks.add(M::LinkRecipient);
    }
    if is_own(mail, &link.domain) || is_service(&link.domain) {
        return;
    }
    marks
        .add_if(CREDENTIALS.iter().any(|word| rest.contains(word) || link.url.host.contains(word)), M::LinkCredentials);
    marks.add_if(INSIDE.iter().any(|piece| rest.contains(piece)), M::LinkCms);
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

fn shown_by(mail: &Reading<'_>, link: &Target, marks: &mut Marks) {
    let letters = link.shown.chars().filter(|c| c.is_alphabetic()).count();
    marks.add_if(letters >= 5 && !link.shown.chars().any(char::is_lowercase) && link.shown.is_ascii(), M::LinkUpper);
    if is_own(mail, &link.domain) || is_service(&link.domain) {
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

/// Whether a link knows whom it was made for: the address as it is, or in base64.
fn carries(rest: &str, recipients: &[String]) -> bool {
    if rest.len() < 6 {
        return false;
    }
    let lower = rest.to_lowercase().replace("%40", "@");
    recipients.iter().take(20).filter(|one| one.len() > 5).any(|one| {
        let encoded = STANDARD_NO_PAD.encode(one.as_bytes());
        // The last letters of base64 depend on what follows.
        let head = &encoded[..encoded.len().saturating_sub(2)];
        lower.contains(one.as_str()) || (head.len() >= 8 && rest.contains(head))
    })
}
