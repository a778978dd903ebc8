//! Mails with texts of our own: what companies write in eight languages, in layouts of vendors and of ours, and what
//! well-known brands write, from their own domains: the innocent look-alikes of phishing.

use std::path::Path;

use anyhow::Result;

use super::Mail;
use super::facts::{Company, Facts, plain};
use super::language::Language;
use super::letter::{Letter, text_of};
use super::page::Finish;
use super::seed::Seed;
use super::service::{BULK, Service, TRANSACTIONAL};
use super::source::Source;
use super::template::{GENRES, sender};
use super::text::{Filled, Look, Text, all};
use super::vendor;

const TEXTS: [(&str, &str); 8] = [
    ("en", include_str!("texts/en.txt")),
    ("de", include_str!("texts/de.txt")),
    ("fr", include_str!("texts/fr.txt")),
    ("es", include_str!("texts/es.txt")),
    ("pt", include_str!("texts/pt.txt")),
    ("it", include_str!("texts/it.txt")),
    ("nl", include_str!("texts/nl.txt")),
    ("pl", include_str!("texts/pl.txt")),
];
const BRANDS: &str = include_str!("texts/brands.txt");
/// Mails of one text of a company.
const FILLINGS: usize = 5;
/// Mails of one text of a brand.
const BRAND_FILLINGS: usize = 4;

/// A layout of a vendor: what stands before and behind the text.
type Frame = (String, String, String);

/// What companies write; the vendor of such a mail is its language, as all texts of one language were written at once.
pub(super) fn companies(sources: &Path, languages: &[Language]) -> Result<Vec<Mail>> {
    let frames = frames(sources)?;
    let mut mails = Vec::new();
    for (code, file) in TEXTS {
        let Some(language) = languages.iter().find(|one| one.code == code) else { continue };
        for (at, text) in all(file, ' ').iter().enumerate() {
            for filling in 0..FILLINGS {
                let mut seed = Seed::of(&["own", code, &at.to_string(), &filling.to_string()]);
                let facts = Facts::of(language, Company::some(language, &mut seed), &mut seed);
                mails.push(company(text, &facts, &frames, &mut seed));
            }
        }
    }
    Ok(mails)
}

fn frames(sources: &Path) -> Result<Vec<Frame>> {
    let mut frames = Vec::new();
    for vendor in vendor::all()? {
        let Some((path, begin, end)) = &vendor.frame else { continue };
        let source = Source::of(&vendor, sources)?;
        let Some(text) = source.as_ref().and_then(|source| source.text(path)) else { continue };
        if let Some((before, behind)) = text.split_once(begin.as_str())
            && let Some((_, after)) = behind.split_once(end.as_str())
        {
            // Between the rows of a table the text is a row.
            let (open, close) =
                if behind.trim_start().starts_with("<tr") { ("<tr><td>", "</td></tr>") } else { ("", "") };
            frames.push((vendor.name.clone(), format!("{before}{begin}{open}"), format!("{close}{end}{after}")));
        }
    }
    Ok(frames)
}

fn company(text: &Text, facts: &Facts, frames: &[Frame], seed: &mut Seed) -> Mail {
    let genre = GENRES.iter().find(|genre| text.head.first() == Some(genre)).copied().unwrap_or("notification");
    let is_bulk = matches!(genre, "newsletter" | "marketing" | "survey");
    let service = match seed.below(8) {
        0 if matches!(genre, "receipt" | "shipping") => Service::Shopify,
        _ => seed.pick(if is_bulk { BULK.as_slice() } else { TRANSACTIONAL.as_slice() }),
    };
    let mut letter = Letter { service, ..Letter::default() };
    sender(&mut letter, genre, facts, seed);
    let filled = text.filled(facts, seed);
    let look = Look::of(&facts.company.domain);
    let content = look.content(&filled.lines, facts, seed);
    let frame = frames.get(seed.below(frames.len() + 8));
    let (layout, page) = match frame {
        Some((name, before, after)) => {
            (name.as_str(), super::filler::without_marks(&format!("{before}\n{content}\n{after}")))
        }
        None => ("own layout", look.page(&content, facts, seed)),
    };
    letter.subject = filled.subject;
    letter.html = Finish { service, is_bulk, home: String::new() }.page(&page, facts, seed);
    letter.text = text_of(&letter.html);
    letter.both = seed.chance(62);
    Mail {
        vendor: format!("own-{}", facts.language.code),
        genre,
        language: facts.language.code,
        source: format!("texts/{}.txt in {layout}", facts.language.code),
        bytes: letter.bytes(facts, seed),
    }
}

/// What well-known brands write.
pub(super) fn brands(languages: &[Language]) -> Vec<Mail> {
    let mut mails = Vec::new();
    for (at, text) in all(BRANDS, '|').iter().enumerate() {
        for filling in 0..BRAND_FILLINGS {
            mails.extend(brand(text, languages, Seed::of(&["brand", &at.to_string(), &filling.to_string()])));
        }
    }
    mails
}

fn brand(text: &Text, languages: &[Language], mut seed: Seed) -> Option<Mail> {
    let [what, name, address, domain, service] = text.head.as_slice() else { return None };
    let (genre, code) = what.split_once(' ')?;
    let genre = GENRES.iter().find(|own| **own == genre).copied()?;
    let language = languages.iter().find(|one| one.code == code)?;
    let mut facts = Facts::of(language, Company::default(), &mut seed);
    let domain = facts.fill(domain, &mut seed);
    let home = sender_domain(address);
    let group = home.split('.').next().unwrap_or_default().to_owned();
    facts.company = Company { name: brand_name(name, address), domain };
    let service = match *service {
        "Ses" => Service::Ses,
        "SendGrid" => Service::SendGrid,
        "Microsoft" => Service::Microsoft,
        "Google" => Service::Google,
        _ => Service::Own,
    };
    let Filled { subject, lines, .. } = text.filled(&facts, &mut seed);
    let look = Look::of(address);
    let content = look.content(&lines, &facts, &mut seed);
    let page = look.page(&content, &facts, &mut seed);
    let from = facts.fill(address, &mut seed);
    // The server that carries it is of the domain of the sender, not of the page that it links to.
    let mut sender = Facts { company: Company { name: String::new(), domain: String::new() }, ..facts };
    sender.company = Company { name: brand_name(name, address), domain: sender_domain(&from) };
    let html = if seed.chance(40) {
        page.replace(
            "</body>",
            &format!(
                "<img src=\"https://{}/o/{}.gif\" width=\"1\" height=\"1\"></body>",
                sender.company.domain,
                seed.hex(20)
            ),
        )
    } else {
        page
    };
    let letter = Letter {
        from: sender.fill(name, &mut seed),
        address: from,
        subject,
        text: text_of(&html),
        html,
        both: seed.chance(60),
        service,
        ..Letter::default()
    };
    let bytes = letter.bytes(&sender, &mut seed);
    Some(Mail {
        vendor: format!("brand-{}", plain(&group)),
        genre,
        language: language.code,
        source: "texts/brands.txt".to_owned(),
        bytes,
    })
}

/// What the footer calls the sender.
fn brand_name(name: &str, address: &str) -> String {
    if name.contains('{') || name.contains('@') {
        let domain = sender_domain(address);
        let brand = domain.split('.').next().unwrap_or_default();
        let mut letters = brand.chars();
        return letters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
            .unwrap_or_default();
    }
    name.to_owned()
}

/// The registrable part of an address's domain: the last two names, three under a public suffix of two.
fn sender_domain(address: &str) -> String {
    let host = address.rsplit('@').next().unwrap_or_default();
    let names: Vec<&str> = host.split('.').collect();
    let keep = if host.ends_with(".co.uk")
        || host.ends_with(".com.br")
        || host.ends_with(".gov.uk")
        || host.ends_with(".gouv.fr")
    {
        3
    } else {
        2
    };
    names.get(names.len().saturating_sub(keep)..).unwrap_or_default().join(".")
}
