//! Marks of who a mail says it is from, and of what else its header says.

use std::collections::HashSet;
use std::sync::LazyLock;

use domain::authentication::AuthResult;

use super::brand::{Brand, brand_in_name, brand_of_domain, brands_in_text};
use super::host;
use super::imitation::{Place, brand_in_domain};
use super::mark::Mark as M;
use super::marks::Marks;
use super::office;
use super::reading::{Reading, domain_of_id, looks_random};
use super::table::lines;
use crate::page::url::registrable;
use crate::structure::Check;
use crate::text::organisation;

/// Digits of an address from which on a person would not choose it.
const DIGITS_MIN: usize = 4;
/// Letters of a label from which on it is long.
const LABEL_LONG: usize = 20;
/// Endings of hosts that are new: what everybody had before 2012, and those of countries, are not.
const OLD_ENDINGS: [&str; 12] =
    ["com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "name", "mobi", "jobs"];

/// Capitals behind small letters from which on an address is of joined words: `FallRoofOffers`.
const JOINED_MIN: usize = 2;
/// The domain under which every office that is rented from Microsoft has its first name.
const TENANTS: &str = ".onmicrosoft.com";
/// Endings under which a name costs next to nothing.
static CHEAP: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| lines(include_str!("tables/cheap_ending.txt")).collect());

/// Whether a domain is under an ending that costs next to nothing: who leads to it, even as its owner, says little.
pub(super) fn is_throwaway(domain: &str) -> bool {
    CHEAP.contains(domain.rsplit('.').next().unwrap_or_default())
}

/// Whether a domain is under one of the new endings.
pub(super) fn has_new_ending(domain: &str) -> bool {
    let ending = domain.rsplit('.').next().unwrap_or_default();
    ending.len() > 2 && !OLD_ENDINGS.contains(&ending) && !ending.starts_with("xn--")
}

/// The first label of a registrable domain.
pub(super) fn label(domain: &str) -> &str {
    domain.split('.').next().unwrap_or_default()
}

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    address(mail, marks);
    domain(mail, marks);
    name(mail, marks);
    answers(mail, marks);
    ids(mail, marks);
    header(mail, marks);
}

fn address(mail: &Reading<'_>, marks: &mut Marks) {
    let from = &mail.message().from;
    if from.is_empty() || !from.contains('@') {
        return marks.add(M::FromMissing);
    }
    let host = &mail.message().from_domain;
    marks.add_if(!host.contains('.') || registrable(host).is_empty(), M::FromNoSuffix);
    let is_garbled = host.chars().any(|c| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')));
    marks.add_if(is_garbled, M::FromGarbled);
    let joined = from.rsplit_once('@').map_or("", |(local, _)| local).as_bytes().windows(2);
    let turns = joined.filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase()).count();
    marks.add_if(turns >= JOINED_MIN, M::FromJoinedWords);
    let local = mail.local();
    let words: String = local.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let is_own = brand_of_domain(&mail.from).is_some();
    let names_brand = || {
        let is_foreign = |brand: &&Brand| !brand.writes_from(&mail.from);
        brands_in_text(&words, false).into_iter().any(|brand| is_foreign(&brand))
            || brand_in_domain(&format!("{}.example", local.replace('_', "-")))
                .is_some_and(|named| is_foreign(&named.brand))
    };
    marks.add_if(!is_own && !mail.head.has_list && !mail.is_from_ours() && names_brand(), M::LocalBrandElsewhere);
    let digits = local.chars().filter(char::is_ascii_digit).count();
    marks.add_if(digits >= DIGITS_MIN, M::FromDigits);
    marks.add_if(looks_random(&local), M::FromRandom);
    marks.add_if(local.len() > 30, M::FromLongAddress);
    marks.add_if(office::is_role(&local), M::FromRole);
    let plain: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    marks.add_if(plain.contains("noreply") || plain.contains("donotreply"), M::FromNoReply);
}

fn domain(mail: &Reading<'_>, marks: &mut Marks) {
    let (host, domain) = (mail.message().from_domain.as_str(), mail.from.as_str());
    if host.is_empty() {
        return;
    }
    marks.add_if(host::is_free_mail(domain), M::FromFreeMail);
    marks.add_if(host::free_host(host).is_some(), M::FromFreeHost);
    marks.add_if(brand_of_domain(domain).is_some_and(|brand| brand.writes_from(domain)), M::FromBrand);
    if let Some(named) = brand_in_domain(host) {
        let is_hard = matches!(named.place, Place::Registered | Place::Decoy);
        marks.add(if is_hard { M::FromBrandInDomain } else { M::FromBrandBelow });
    }
    marks.add_if(mail.checks.contains(&Check::SenderLookalike), M::FromLookalike);
    marks.add_if(host::is_sending_service(domain), M::SenderSendingService);
    let label = label(domain);
    marks.add_if(looks_random(label), M::DomainRandom);
    marks.add_if(label.chars().any(|c| c.is_ascii_digit()), M::DomainDigits);
    marks.add_if(label.matches('-').count() >= 2, M::DomainHyphens);
    marks.add_if(label.len() >= LABEL_LONG, M::DomainLong);
    marks.add_if(host.split('.').count() >= 5, M::DomainDeep);
    marks.add_if(has_new_ending(domain), M::DomainNewEnding);
    marks.add_if(is_throwaway(domain), M::DomainCheapEnding);
    marks.add_if(host.ends_with(TENANTS), M::FromTenant);
    marks.add_if(host.contains("xn--") || !host.is_ascii(), M::DomainForeignLetters);
}

fn name(mail: &Reading<'_>, marks: &mut Marks) {
    let (name, domain) = (mail.parsed.from_name.trim(), mail.from.as_str());
    if name.is_empty() {
        return marks.add(M::NameMissing);
    }
    let is_free = host::is_free_mail(domain);
    // A list rewrites From and keeps the name.
    let is_via = mail.head.has_list || mail.name.text.contains(" via ");
    // Houses of one group write from one another's domains.
    let is_house = brand_of_domain(domain).is_some_and(|brand| brand.writes_from(domain));
    let is_foreign = |brand: &&Brand| !brand.writes_from(domain) && !is_house && !mail.is_from_ours() && !is_via;
    if let Some(brand) = brand_in_name(name).filter(is_foreign) {
        marks.add(match (brand.has_local_houses, is_free) {
            (true, _) => M::NameBrandLocal,
            (_, true) => M::NameBrandFreeMail,
            _ => M::NameBrandElsewhere,
        });
    }
    let is_office = office::has_title(name);
    marks.add_if(is_office, if is_free { M::NameOfficeFreeMail } else { M::NameOffice });
    if let Some(shown) = organisation(name.trim_matches(['"', '\'', '<', '>', ' ']))
        && !name.contains(char::is_whitespace)
    {
        marks.add(if shown == domain { M::NameIsLocal } else { M::NameAddressElsewhere });
    }
    if !mail.is_from_ours() {
        let names_us = |one: &String| {
            let label = label(one);
            label.len() >= 4 && !host::is_free_mail(one) && mail.name.text.contains(&format!(" {label} "))
        };
        marks.add_if(mail.ours.iter().any(names_us), M::NameOurs);
    }
    let is_recipient = |one: &String| {
        let local = one.split('@').next().unwrap_or_default();
        local.len() >= 4 && mail.name.text.contains(&format!(" {local} "))
    };
    marks.add_if(mail.recipients.iter().any(is_recipient), M::NameRecipient);
    marks.add_if(mail.name.mixed + mail.name.zero_width > 0, M::NameOddLetters);
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    marks.add_if(letters >= 6 && !name.chars().any(char::is_lowercase) && name.is_ascii(), M::NameCapitals);
    marks.add_if(name.chars().any(|c| c.is_ascii_digit()), M::NameDigits);
    marks.add_if(name.chars().count() > 40, M::NameLong);
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let local = mail.local();
    marks.add_if(plain(name) == plain(&local), M::NameIsLocal);
    let is_joined = mail.name.count >= 2 && plain(name) == local && local.chars().all(char::is_alphanumeric);
    marks.add_if(is_joined && !is_free && !mail.head.has_list && !mail.is_from_ours(), M::NameJoined);
}

fn answers(mail: &Reading<'_>, marks: &mut Marks) {
    let Some((local, _)) = mail.parsed.reply_to.rsplit_once('@') else { return };
    let Some(reply) = organisation(&mail.parsed.reply_to) else { return };
    if reply == mail.from || mail.head.has_list {
        return;
    }
    marks.add(M::ReplyElsewhere);
    let is_company = !host::is_free_mail(&mail.from) && !mail.from.is_empty();
    marks.add_if(is_company && host::is_free_mail(&reply), M::ReplyFreeMail);
    marks.add_if(local.to_lowercase() == mail.local() && local.len() > 3, M::ReplySameName);
}

fn ids(mail: &Reading<'_>, marks: &mut Marks) {
    let Some(id) = mail.message().message_id.as_deref() else { return marks.add(M::MessageIdMissing) };
    let is_odd = !id.starts_with('<') || !id.ends_with('>') || id.matches('@').count() != 1;
    marks.add_if(is_odd, M::MessageIdOdd);
    let is_elsewhere = domain_of_id(id).is_some_and(|domain| {
        domain != mail.from
            && !host::is_sending_service(&domain)
            && !host::is_free_mail(&domain)
            && brand_of_domain(&domain).is_none_or(|brand| !brand.owns(&mail.from))
    });
    marks.add_if(is_elsewhere, M::MessageIdElsewhere);
}

fn header(mail: &Reading<'_>, marks: &mut Marks) {
    let head = &mail.head;
    marks.add_if(!head.has_date, M::DateMissing);
    marks.add_if(head.to.is_empty(), M::ToNobody);
    marks.add_if(head.to.len() > 10, M::ToMany);
    let from = mail.message().from.to_lowercase();
    marks.add_if(head.to.iter().any(|to| to.to_lowercase() == from), M::ToSelf);
    marks.add_if(head.has_reference, M::Thread);
    let subject = mail.message().subject.trim_start().to_lowercase();
    let answers = ["re:", "fw:", "fwd:", "aw:", "wg:", "tr:", "rv:", "sv:", "res:", "enc:", "r:", "i:", "antw:"];
    marks.add_if(!head.has_reference && answers.iter().any(|word| subject.starts_with(word)), M::ThreadClaim);
    marks.add_if(head.has_list, M::List);
    marks.add_if(head.has_unsubscribe, M::Unsubscribe);
    marks.add_if(head.has_one_click, M::OneClick);
    marks.add_if(head.is_bulk, M::Bulk);
    marks.add_if(head.is_automatic, M::Automatic);
    marks.add_if(head.is_urgent, M::UrgentField);
    marks.add_if(head.is_report, M::Report);
    let dmarc = mail.envelope.authentication.as_ref().map(|said| said.dmarc);
    marks.add_if(dmarc == Some(AuthResult::Fail), M::FromDmarcFail);
}
