//! The mails of a vendor: each of its templates, filled several times.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::Mail;
use super::catalog::Catalog;
use super::facts::{Company, Facts};
use super::filler::{Files as _, Filler};
use super::language::{CODES, Language};
use super::letter::{Letter, text_of};
use super::page::{Finish, said};
use super::seed::Seed;
use super::service::{BULK, Service, TRANSACTIONAL};
use super::source::Source;
use super::vendor::{Vendor, fits};
use super::{catalog, mjml};

/// Mails of a vendor that the fillings aim at.
const AIM: usize = 64;
/// Fillings of one template at most.
const FILLINGS_MAX: usize = 7;
/// Templates of a vendor at most.
const TEMPLATES_MAX: usize = 110;
/// Letters of a text at least; a shorter one is a part of a template.
const TEXT_MIN: usize = 40;

/// The genres of what companies and programs write.
pub(super) const GENRES: [&str; 17] = [
    "receipt",
    "reset",
    "code",
    "signin",
    "invitation",
    "newsletter",
    "marketing",
    "notification",
    "invoice",
    "booking",
    "shipping",
    "welcome",
    "survey",
    "confirmation",
    "alert",
    "dunning",
    "personal",
];

/// A filled template before it is dressed.
struct Draft<'a> {
    facts: Facts<'a>,
    genre: &'static str,
    path: String,
    page: String,
    subject: String,
    seed: Seed,
    language: &'static str,
}

/// All mails of a vendor; none where its templates are not here.
pub(super) fn mails(vendor: &Vendor, sources: &Path, languages: &[Language]) -> Result<Vec<Mail>> {
    let Some(source) = Source::of(vendor, sources)? else { return Ok(Vec::new()) };
    let templates = templates(vendor, &source);
    let catalogs = catalogs(vendor, &source);
    let fillings = (AIM / templates.len().max(1)).clamp(1, FILLINGS_MAX);
    let mut drafts = Vec::new();
    for (at, (path, genre)) in templates.iter().enumerate() {
        for filling in 0..fillings {
            let code = code(vendor, &catalogs, at, filling);
            let Some(language) = languages.iter().find(|one| one.code == code) else { continue };
            let seed = Seed::of(&[&vendor.name, path, &filling.to_string()]);
            drafts.extend(draft(vendor, &source, &catalogs, language, path, genre, seed));
        }
    }
    if vendor.is_mjml {
        let texts: Vec<String> = drafts.iter().map(|draft| draft.page.clone()).collect();
        let pages = mjml::pages(&texts)?;
        drafts =
            drafts.into_iter().zip(pages).filter_map(|(draft, page)| Some(Draft { page: page?, ..draft })).collect();
    }
    Ok(drafts.into_iter().filter_map(|draft| dressed(vendor, draft)).collect())
}

/// The templates that a vendor gives: path and genre.
fn templates(vendor: &Vendor, source: &Source) -> Vec<(String, &'static str)> {
    let mut found = BTreeMap::new();
    for path in source.paths() {
        let taken = vendor.takes.iter().find(|(glob, _)| fits(glob, path));
        let Some((_, genre)) = taken.filter(|_| !vendor.not.iter().any(|not| path.contains(not.as_str()))) else {
            continue;
        };
        found.insert(path.to_owned(), vendor.genre(path, genre));
    }
    let all: Vec<_> = found.into_iter().collect();
    let step = all.len().div_ceil(TEMPLATES_MAX).max(1);
    all.into_iter().step_by(step).collect()
}

/// The translations of each language.
fn catalogs(vendor: &Vendor, source: &Source) -> BTreeMap<&'static str, Catalog> {
    let mut catalogs = BTreeMap::new();
    for code in CODES {
        let mut catalog = Catalog::default();
        let names: &[&str] = match code {
            "en" => &["en", "en-gb", "en_US", "en-GB"],
            "pt" => &["pt_BR", "pt-BR", "pt_PT", "pt"],
            "de" => &["de", "de_DE"],
            "fr" => &["fr", "fr-fr", "fr_FR"],
            "es" => &["es", "es_ES"],
            "it" => &["it", "it_IT"],
            "nl" => &["nl", "nl_NL"],
            _ => &["pl", "pl_PL"],
        };
        for pattern in &vendor.catalogs {
            let globs: Vec<String> = names.iter().map(|name| pattern.replace("{lang}", name)).collect();
            let paths: Vec<&str> = source.paths().filter(|path| globs.iter().any(|glob| fits(glob, path))).collect();
            for path in paths {
                catalog.add(path, source.text(path).unwrap_or_default());
            }
        }
        if !catalog.is_empty() || code == "en" {
            catalogs.insert(code, catalog);
        }
    }
    catalogs
}

/// The language of a filling: of the vendor's translations, or of the fillings alone.
fn code(vendor: &Vendor, catalogs: &BTreeMap<&'static str, Catalog>, at: usize, filling: usize) -> &'static str {
    let turn = at * 3 + filling;
    let translated: Vec<&'static str> = catalogs.keys().copied().collect();
    if vendor.catalogs.is_empty() || translated.len() < 2 {
        return if turn.is_multiple_of(2) { "en" } else { CODES.get(turn / 2 % CODES.len()).copied().unwrap_or("en") };
    }
    translated.get(turn % translated.len()).copied().unwrap_or("en")
}

fn draft<'a>(
    vendor: &Vendor,
    source: &Source,
    catalogs: &BTreeMap<&'static str, Catalog>,
    language: &'a Language,
    path: &str,
    genre: &'static str,
    mut seed: Seed,
) -> Option<Draft<'a>> {
    let company = match &vendor.home {
        Some((name, domain)) if seed.chance(70) => Company { name: name.clone(), domain: domain.clone() },
        _ => Company::some(language, &mut seed),
    };
    let mut facts = Facts::of(language, company, &mut seed);
    facts.group.clone_from(&vendor.name);
    let nothing = Catalog::default();
    let catalog = catalogs.get(language.code).unwrap_or(&nothing);
    let mut text = source.text(path)?.to_owned();
    let mut filler = Filler {
        files: source,
        syntax: &vendor.syntax,
        catalog,
        facts: &facts,
        seed: seed.clone(),
        variables: BTreeMap::new(),
    };
    let mut subject = String::new();
    if vendor.subject_first {
        let (first, rest) = text.split_once('\n')?;
        subject = filler.fill(first, None);
        text = rest.replace("<!---------------->", "").trim_start().to_owned();
    } else if let Some((end, instead)) = &vendor.subject {
        let own = path.strip_suffix(end.as_str()).map(|before| format!("{before}{instead}"));
        subject = own.and_then(|own| source.text(&own)).map(|text| filler.fill(text, None)).unwrap_or_default();
    }
    let layout = if vendor.layout.is_empty() { None } else { source.named(&vendor.layout) };
    let page = filler.fill(&text, layout);
    subject = catalog::squeezed(subject.trim_start_matches(['|', ' ', '\n']));
    if subject.len() < 6 || subject.contains('<') {
        subject = facts.fill(seed.pick(language.list(&format!("subject.{genre}"))), &mut seed);
    }
    Some(Draft { facts, genre, path: path.to_owned(), page, subject, seed, language: language.code })
}

/// The mail of a draft; none where there is hardly any text in it.
fn dressed(vendor: &Vendor, draft: Draft) -> Option<Mail> {
    let Draft { facts, genre, path, page, subject, mut seed, language } = draft;
    let is_bulk = matches!(genre, "newsletter" | "marketing" | "survey");
    let service = seed.pick(if is_bulk { BULK.as_slice() } else { TRANSACTIONAL.as_slice() });
    let is_page = page.contains("</") || page.contains("<br");
    let mut letter = Letter { subject: unescaped(&subject), service, ..Letter::default() };
    sender(&mut letter, genre, &facts, &mut seed);
    if is_page {
        let home = vendor.home.as_ref().map(|(_, domain)| domain.clone()).unwrap_or_default();
        letter.html = Finish { service, is_bulk, home }.page(&page, &facts, &mut seed);
        letter.text = text_of(&letter.html);
        letter.both = seed.chance(62);
    } else {
        letter.text = unescaped(&said(&page, &facts, &mut seed));
    }
    let length: usize = letter.text.split_whitespace().filter(|word| !word.contains("://")).map(str::len).sum();
    if length < TEXT_MIN {
        return None;
    }
    let bytes = letter.bytes(&facts, &mut seed);
    Some(Mail { vendor: vendor.name.clone(), genre, language, source: format!("{} {path}", vendor.from), bytes })
}

fn unescaped(text: &str) -> String {
    text.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">")
}

/// Who writes for a company in this genre.
pub(super) fn sender(letter: &mut Letter, genre: &str, facts: &Facts, seed: &mut Seed) {
    let company = &facts.company;
    let domain = company.domain.trim_start_matches("www.");
    let locals: &[&str] = match genre {
        "receipt" | "shipping" => &["orders", "noreply", "shop", "service", "order-update"],
        "invoice" | "dunning" => &["billing", "invoices", "noreply", "accounts", "rechnung"],
        "newsletter" | "marketing" => &["news", "hello", "newsletter", "team", "info"],
        "booking" => &["reservations", "booking", "tickets", "noreply"],
        "reset" | "code" | "signin" | "alert" | "confirmation" => {
            &["no-reply", "noreply", "security", "account", "accounts"]
        }
        _ => &["notifications", "notify", "no-reply", "hello", "support", "info"],
    };
    let local = seed.pick(locals);
    let host = match seed.below(6) {
        0 => format!("{}.{domain}", seed.pick(&["mail", "news", "email", "notify", "e"])),
        _ => domain.to_owned(),
    };
    letter.address = format!("{local}@{host}");
    letter.from = match (genre, seed.below(6)) {
        ("notification" | "invitation", 0 | 1) => format!("{} ({})", facts.other(), company.name),
        ("invitation", 2) => format!("{} via {}", facts.other(), company.name),
        ("newsletter" | "marketing" | "welcome", 0) => format!("{} from {}", facts.other_first, company.name),
        (_, 3) => format!("{} Team", company.name),
        (_, 4) => format!("{} Support", company.name),
        _ => company.name.clone(),
    };
    letter.reply_to = match seed.below(12) {
        0 | 1 => format!("support@{domain}"),
        2 => format!(
            "{} Support <support+id{}@{}.zendesk.com>",
            company.name,
            seed.digits(6),
            domain.split('.').next().unwrap_or("help")
        )
        .chars()
        .filter(char::is_ascii)
        .collect(),
        3 if letter.service == Service::SendGrid => format!("reply+{}@reply.{domain}", seed.hex(24)),
        _ => String::new(),
    };
    let is_bulk = matches!(genre, "newsletter" | "marketing" | "survey");
    if letter.service != Service::Mailchimp && (is_bulk || seed.chance(10)) {
        let token = seed.hex(32);
        letter.fields.push((
            "List-Unsubscribe".to_owned(),
            format!("<https://{domain}/unsubscribe/{token}>,\r\n <mailto:unsubscribe+{}@{domain}>", seed.hex(12)),
        ));
        letter.fields.push(("List-Unsubscribe-Post".to_owned(), "List-Unsubscribe=One-Click".to_owned()));
        if seed.chance(40) {
            letter.fields.push(("Precedence".to_owned(), "bulk".to_owned()));
        }
    }
}
