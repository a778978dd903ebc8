//! Makes of a filled template a page as it is delivered: links of the sender, hidden preheader, footer, tracking.

use super::facts::Facts;
use super::seed::Seed;
use super::service::Service;

/// Hosts that good mail links to though they are not the sender's.
const FOREIGN: [&str; 14] = [
    "facebook.com",
    "twitter.com",
    "x.com",
    "instagram.com",
    "linkedin.com",
    "youtube.com",
    "apps.apple.com",
    "play.google.com",
    "fonts.googleapis.com",
    "fonts.gstatic.com",
    "w3.org",
    "pinterest.com",
    "tiktok.com",
    "schemas.microsoft.com",
];
/// What templates say instead of text.
const FILLER_TEXT: [&str; 22] = [
    "lorem ipsum",
    "dolor sit amet",
    "consectetur",
    "adipiscing",
    "vestibulum",
    "curabitur",
    "pellentesque",
    "vivamus",
    "maecenas",
    "phasellus",
    "quisque",
    "aliquam",
    "donec ",
    "nulla ",
    "morbi ",
    "sed ut perspiciatis",
    "tempor incididunt",
    "far far away",
    "separated they live",
    "nunc ",
    "fusce ",
    "vokalia",
];

/// How a page is finished.
pub(super) struct Finish {
    /// Who carries it.
    pub(super) service: Service,
    /// Whether it is a newsletter or the like.
    pub(super) is_bulk: bool,
    /// The domain of the project that wrote the template, whose links stay where it sends itself.
    pub(super) home: String,
}

impl Finish {
    /// The page as it is delivered.
    pub(super) fn page(&self, html: &str, facts: &Facts, seed: &mut Seed) -> String {
        let mut page = whole(html);
        page = said(&page, facts, seed);
        page = self.links(&page, facts, seed);
        if self.is_bulk || seed.chance(25) {
            page = behind_body(&page, &preheader(facts, seed));
        }
        let mut end = String::new();
        if self.is_bulk || seed.chance(12) {
            end.push_str(&footer(facts, self.is_bulk, seed));
        }
        let tracked = self.is_bulk && seed.chance(85) || seed.chance(35);
        if tracked {
            let pixel = self.service.pixel(&facts.company.domain, seed);
            end.push_str(&format!(
                "<img src=\"{pixel}\" alt=\"\" width=\"1\" height=\"1\" border=\"0\" style=\"height:1px;width:1px\"/>"
            ));
        }
        page = match page.rfind("</body>") {
            Some(at) => format!("{}{end}{}", page.get(..at).unwrap_or_default(), page.get(at..).unwrap_or_default()),
            None => page + &end,
        };
        if tracked && seed.chance(60) { self.clicked(&page, facts, seed) } else { page }
    }

    /// Links to nowhere and to the makers of the template become the sender's own.
    fn links(&self, page: &str, facts: &Facts, seed: &mut Seed) -> String {
        attributes(page, &mut |name, value| {
            let is_picture = name == "src" || name == "background";
            let host =
                value.split("://").nth(1).and_then(|rest| rest.split(['/', '?', ':']).next()).unwrap_or_default();
            let ours = host.ends_with(&facts.company.domain)
                || (!self.home.is_empty() && host.ends_with(&self.home) && facts.company.domain == self.home);
            if ours
                || value.starts_with("cid:")
                || value.starts_with("data:")
                || value.starts_with("tel:")
                || value.starts_with("mailto:")
            {
                return None;
            }
            if FOREIGN.iter().any(|foreign| host.ends_with(foreign)) {
                return None;
            }
            if value.ends_with(".css") {
                return None;
            }
            if is_picture {
                let name = value.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default();
                let name = if name.contains('.') { name.to_owned() } else { format!("{}.png", seed.hex(10)) };
                return Some(format!("https://{}/images/mail/{name}", facts.company.domain));
            }
            Some(facts.link("account", seed))
        })
    }

    fn clicked(&self, page: &str, facts: &Facts, seed: &mut Seed) -> String {
        attributes(page, &mut |name, value| {
            let is_web = value.starts_with("http") && !value.ends_with(".css") && !value.contains("fonts.");
            if name == "href" && is_web { self.service.click(&facts.company.domain, seed) } else { None }
        })
    }
}

/// With `href`, `src` and `background` as `change` says.
fn attributes(page: &str, change: &mut dyn FnMut(&str, &str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = page;
    let names = ["href=", "src=", "background="];
    while let Some((at, name)) = names.iter().filter_map(|name| rest.find(name).map(|at| (at, *name))).min() {
        let begin = at + name.len();
        out.push_str(rest.get(..begin).unwrap_or_default());
        rest = rest.get(begin..).unwrap_or_default();
        let Some(quote) = rest.chars().next().filter(|mark| matches!(mark, '"' | '\'')) else { continue };
        let Some((value, after)) = rest.get(1..).and_then(|inner| inner.split_once(quote)) else { continue };
        let new = change(name.trim_end_matches('='), value.trim()).unwrap_or_else(|| value.to_owned());
        out.push_str(&format!("{quote}{new}{quote}"));
        rest = after;
    }
    out + rest
}

/// A page, where a template is but a part of one.
fn whole(html: &str) -> String {
    let html = html.trim();
    if html.to_lowercase().contains("<body") {
        return html.to_owned();
    }
    format!("<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"></head>\n<body>\n{html}\n</body>\n</html>\n")
}

/// Words of templates that stand for others become those.
pub(super) fn said(page: &str, facts: &Facts, seed: &mut Seed) -> String {
    let names = [
        "[Product Name]",
        "[Company Name, LLC]",
        "[Company Name]",
        "Company Inc",
        "Company Name",
        "ACME Inc.",
        "Acme Inc.",
        "Acme",
        "[Sender Name]",
        "Your Company",
        "Awesome Inc",
        "Awesome Co",
        "[Sender_Name]",
        "Your Brand",
        "Example Inc",
        "[SENDER]",
        "YOUR COMPANY",
        "EmailBox",
    ];
    let mut page = page.to_owned();
    for name in names {
        page = page.replace(name, &facts.company.name);
    }
    for (mark, fact) in [
        ("*|MC:SUBJECT|*", "{headline}"),
        ("*|FNAME|*", "{first}"),
        ("*|LIST:COMPANY|*", "{company}"),
        ("*|CURRENT_YEAR|*", "{year}"),
        ("*|EMAIL|*", "{email}"),
        ("example.com", "{domain}"),
        ("[[EMAIL]]", "{email}"),
        ("%recipient%", "{email}"),
        ("1234 S. Broadway St. City, State 12345", "{street} 12, {city}"),
        ("1234 Street Rd.", "{street} 12"),
        ("3 Abbey Road, San Francisco CA 94102", "{street} 3, {city}"),
        ("[name]", "{name}"),
        ("NAME HERE", "{name}"),
        ("[Sender_Address]", "{street}"),
        ("[Sender_City]", "{city}"),
        ("[Sender_State]", "{country}"),
        ("[Sender_Zip]", "{card}"),
        ("1337 Swuby Lane", "{street}"),
        ("Susan Calvin", "{name}"),
        ("Victoria, BC A1B 2C3", "{city}"),
        ("[company header]", "{company}"),
        ("[footer text]", "{company}, {street}, {city}"),
        ("{firstname}", "{first}"),
        ("{lastname}", "{last}"),
    ] {
        page = page.replace(mark, &facts.fill(fact, seed));
    }
    while let Some((at, end)) = page.find("*|").and_then(|at| page.get(at..)?.find("|*").map(|end| (at, at + end + 2)))
    {
        let name = page.get(at + 2..end - 2).unwrap_or_default().to_owned();
        page.replace_range(at..end, &facts.named(&name.to_lowercase(), seed));
    }
    page = placeholders(&page, "[[", "]]", facts, seed);
    page = placeholders(&page, "{", "}", facts, seed);
    sentences(&page, facts, seed)
}

/// Names between single marks, which some templates have besides their language's own, become values.
fn placeholders(page: &str, open: &str, close: &str, facts: &Facts, seed: &mut Seed) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, behind)) = rest.split_once(open) {
        out.push_str(before);
        let name = behind.split(close).next().unwrap_or_default();
        let is_name = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '_' | '.');
        // Shorter ones and those with blanks are style sheets.
        let is_placeholder = (4..=30).contains(&name.len()) && name.to_lowercase().chars().all(is_name);
        if is_placeholder && behind.len() > name.len() {
            out.push_str(&facts.named(&name.to_lowercase(), seed));
            rest = behind.get(name.len() + close.len()..).unwrap_or_default();
        } else {
            out.push_str(open);
            rest = behind;
        }
    }
    out + rest
}

/// Filler text between tags becomes sentences of the language, about as long.
fn sentences(page: &str, facts: &Facts, seed: &mut Seed) -> String {
    let mut out = String::new();
    let mut rest = page;
    let mut is_text = false;
    while let Some(at) = rest.find(if is_text { '<' } else { '>' }) {
        let piece = rest.get(..at).unwrap_or_default();
        let lower = piece.to_lowercase();
        let is_filler = is_text && FILLER_TEXT.iter().any(|word| lower.contains(word)) && !piece.contains('{');
        if is_filler {
            // The end of the tag in front.
            let piece = piece.trim_start_matches('>');
            out.push('>');
            let mut length = 0;
            while length == 0 || length < piece.trim().len() * 3 / 4 {
                let list = if piece.trim().len() < 34 { "headline" } else { "sentence" };
                let sentence = facts.sentence(list, seed);
                out.push_str(if length > 0 { " " } else { "" });
                out.push_str(&sentence);
                length += sentence.len().max(1);
            }
        } else {
            out.push_str(piece);
        }
        rest = rest.get(at..).unwrap_or_default();
        is_text = !is_text;
    }
    out + rest
}

fn behind_body(page: &str, text: &str) -> String {
    let lower = page.to_lowercase();
    let at = lower.find("<body").and_then(|at| lower.get(at..)?.find('>').map(|end| at + end + 1));
    match at.filter(|at| page.is_char_boundary(*at)) {
        Some(at) => format!("{}{text}{}", page.get(..at).unwrap_or_default(), page.get(at..).unwrap_or_default()),
        None => page.to_owned(),
    }
}

/// The line that mail programs show beside the subject, hidden in the page and padded so that nothing follows it.
fn preheader(facts: &Facts, seed: &mut Seed) -> String {
    let line = facts.fill(seed.pick(&["{sentence}", "{company}: {headline}", "{sentence}"]), seed);
    let pad = match seed.below(4) {
        0 => "&#847;&zwnj;&nbsp;".repeat(seed.between(30, 90)),
        1 => "\u{34f}\u{200c}\u{a0}".repeat(seed.between(20, 60)),
        2 => "&nbsp;&zwnj;".repeat(seed.between(30, 80)),
        _ => String::new(),
    };
    let style = seed.pick(&[
        "display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;\
            overflow:hidden;",
        "display:none !important;visibility:hidden;mso-hide:all;font-size:1px;line-height:1px;max-height:0;\
            opacity:0;overflow:hidden;",
        "display:none;overflow:hidden;line-height:1px;opacity:0;max-height:0;max-width:0",
    ]);
    format!("<div style=\"{style}\">{line}{pad}</div>")
}

fn footer(facts: &Facts, is_bulk: bool, seed: &mut Seed) -> String {
    let domain = &facts.company.domain;
    let brand = domain.split('.').next().unwrap_or("news");
    let mut out = String::from(
        "<table width=\"100%\"><tr><td align=\"center\" style=\"font-size:12px;color:#8a8f98;padding:20px\">",
    );
    if seed.chance(60) {
        for place in ["www.facebook.com", "www.instagram.com", "www.linkedin.com/company", "x.com", "www.youtube.com"] {
            if seed.chance(55) {
                let icon = place.split('.').nth(1).unwrap_or("social");
                out.push_str(&format!(
                    "<a href=\"https://{place}/{brand}\"><img src=\"https://{domain}/icons/{icon}.png\" \
                        width=\"24\" alt=\"{icon}\"></a> "
                ));
            }
        }
        out.push_str("<br>");
    }
    if seed.chance(20) {
        out.push_str(&format!(
            "<a href=\"https://apps.apple.com/app/{brand}/id{}\">App Store</a> \
             <a href=\"https://play.google.com/store/apps/details?id=com.{}.app\">Google Play</a><br>",
            seed.digits(10),
            brand.replace('-', "")
        ));
    }
    let why = facts.fill(seed.pick(facts.language.list("why")), seed);
    out.push_str(&format!(
        "{why}<br>{}, {} {}, \
        {}",
        facts.company.name,
        facts.street,
        seed.between(1, 90),
        facts.city
    ));
    if is_bulk {
        out.push_str(&format!(
            "<br><a href=\"{}\">{}</a> | <a href=\"{}\">{}</a>",
            facts.link("unsubscribe", seed),
            seed.pick(facts.language.list("unsubscribe")),
            facts.link("view", seed),
            seed.pick(facts.language.list("view"))
        ));
    }
    out + "</td></tr></table>"
}

#[cfg(test)]
mod tests {
    use super::super::facts::Company;
    use super::super::language::Language;
    use super::*;

    fn with_facts(seen: impl Fn(&Facts, &mut Seed)) {
        let languages = Language::all();
        let german = languages.iter().find(|one| one.code == "de").expect("one of ours");
        let company = Company { name: "Nordlicht".to_owned(), domain: "nordlicht.de".to_owned() };
        let mut seed = Seed::of(&["page"]);
        seen(&Facts::of(german, company, &mut seed), &mut seed);
    }

    #[test]
    fn links_to_nowhere_become_the_senders_and_those_to_networks_stay() {
        with_facts(|facts, seed| {
            let finish = Finish { service: Service::Microsoft, is_bulk: false, home: String::new() };
            let template = "<a href=\"#\">a</a><a href=\"https://twitter.com/x\">b</a><img src=\"images/logo.png\">";
            let page = finish.page(template, facts, seed);
            assert!(!page.contains("\"#\"") && page.contains("https://twitter.com/x"), "{page}");
            assert!(page.contains("https://nordlicht.de/images/mail/logo.png"), "{page}");
        });
    }

    #[test]
    fn single_marks_and_filler_text_become_words_and_style_sheets_stay() {
        with_facts(|facts, seed| {
            let page = said(
                "<style>a{color:red}b{}</style><p>{firstname} [[first_name]]</p><p>Lorem ipsum dolor</p>",
                facts,
                seed,
            );
            let first = &facts.first;
            assert!(page.contains("a{color:red}b{}") && page.contains(&format!("<p>{first} {first}</p>")), "{page}");
            assert!(!page.contains("ipsum"), "{page}");
        });
    }
}
