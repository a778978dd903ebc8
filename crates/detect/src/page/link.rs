//! Links: where they lead, what they show, and the tricks with which the one is made to look like the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use unicode_security::confusable_detection::skeleton;

use super::clipped;
use crate::structure::Check;

/// Where a link was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkOrigin {
    /// The text or page of the mail.
    Page,
    /// An attached page.
    Attachment,
    /// A document.
    Document,
    /// A code in a picture.
    Code,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// What it shows; empty where it shows itself.
    pub shown: String,
    /// Where it was found.
    pub place: LinkOrigin,
}

/// Sites that are imitated most, by registrable domain. A site's own domains are the caller's to name.
const IMITATED: [&str; 30] = [
    "microsoft.com",
    "microsoftonline.com",
    "office.com",
    "outlook.com",
    "live.com",
    "sharepoint.com",
    "onedrive.com",
    "google.com",
    "gmail.com",
    "apple.com",
    "icloud.com",
    "amazon.com",
    "paypal.com",
    "facebook.com",
    "instagram.com",
    "linkedin.com",
    "whatsapp.com",
    "netflix.com",
    "adobe.com",
    "docusign.com",
    "docusign.net",
    "dropbox.com",
    "dhl.com",
    "fedex.com",
    "ups.com",
    "ebay.com",
    "coinbase.com",
    "binance.com",
    "chase.com",
    "wellsfargo.com",
];
/// Ports that a link may name without anybody wondering.
const USUAL_PORTS: [u16; 4] = [80, 443, 8080, 8443];
/// Sites that pass on to wherever their parameter says.
const PASS_ON: [&str; 8] = ["google", "bing", "youtube", "facebook", "linkedin", "yahoo", "baidu", "yandex"];

/// An absolute link in its pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// What stands before the host, up to `@`.
    pub user: String,
    /// The host in lower case, as it is shown.
    pub host: String,
    /// The port, where one is named.
    pub port: Option<u16>,
    /// Everything behind.
    pub rest: String,
}

impl Url {
    /// Takes a link of the web apart, as browsers do: blanks inside are dropped, a backslash is a slash.
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text.trim().chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        let lower = plain.get(..8)?.to_ascii_lowercase();
        let begin = if lower.starts_with("https://") || lower.starts_with("https:\\") {
            8
        } else if lower.starts_with("http://") || lower.starts_with("http:\\\\") {
            7
        } else {
            return None;
        };
        let rest = plain.get(begin..)?.replace('\\', "/");
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !host.ends_with(']') || host.ends_with(']') => {
                (host, port.parse().ok())
            }
            _ => (host, None),
        };
        let host = host.trim_end_matches('.').to_lowercase();
        let fits =
            !host.is_empty() && host.len() <= 255 && !host.contains(|c: char| c.is_whitespace() || c.is_control());
        fits.then(|| Self { user: user.to_owned(), host, port, rest: rest.to_owned() })
    }

    /// The registrable domain; an address stands for itself.
    pub fn domain(&self) -> String {
        registrable(&self.host)
    }
}

/// The registrable part of a host, in the form in which people read it.
pub(super) fn registrable(host: &str) -> String {
    let (shown, _) = idna::domain_to_unicode(host);
    psl::domain_str(&shown).map_or_else(|| shown.clone(), str::to_owned)
}

/// What a host looks like to a hurried reader.
fn look_of(domain: &str) -> String {
    skeleton(domain).collect::<String>().to_lowercase().replace('0', "o").replace('1', "l")
}

/// What the imitated sites look like, each with its domain: worked out once.
static LOOKS: LazyLock<BTreeMap<String, &'static str>> =
    LazyLock::new(|| IMITATED.into_iter().map(|site| (look_of(site), site)).collect());

/// The domain that `domain` only looks like: one of ours, or one that is often imitated.
pub fn imitates<'d>(domain: &str, own: impl Iterator<Item = &'d str>) -> Option<String> {
    let own: BTreeSet<String> = own.map(registrable).collect();
    if own.contains(domain) || IMITATED.contains(&domain) || domain.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let look = look_of(domain);
    let ours = own.into_iter().find(|one| look_of(one) == look);
    ours.or_else(|| LOOKS.get(&look).map(|site| (*site).to_owned()))
}

/// Endings of hosts that no family is called by. Of the others some are: `anna.schmidt` and `wei.li` are names of
/// people and of hosts.
const ENDINGS: [&str; 16] = [
    "com", "net", "org", "info", "biz", "edu", "gov", "online", "shop", "site", "xyz", "app", "dev", "cloud", "bank",
    "store",
];

/// Whether a user name in a link is read as the host: it ends as hosts do, and is more than a person's name with a dot.
fn reads_as_host(user: &str, own: &[String]) -> bool {
    if own.iter().any(|one| one.trim_start_matches('.') == user) {
        return true;
    }
    let Some(domain) = psl::domain(user.as_bytes()).filter(|domain| domain.suffix().is_known()) else { return false };
    let (Ok(domain), Ok(suffix)) =
        (std::str::from_utf8(domain.as_bytes()), std::str::from_utf8(domain.suffix().as_bytes()))
    else {
        return false;
    };
    let label = domain.split('.').next().unwrap_or_default();
    let is_brand = || IMITATED.iter().any(|site| site.split('.').next() == Some(label));
    let is_long = || user.matches('.').count() > 1 && suffix.len() == 2 && label.len() > 3;
    let is_usual = ENDINGS.contains(&suffix) || suffix.contains('.') || user.starts_with("www.");
    is_usual || is_long() || is_brand()
}

/// Looks at the links of a mail. `own` are the accepted domains, `recipients` the addresses that it goes to.
pub fn look(links: &[Link], own: &[String], recipients: &[String]) -> Vec<(Check, String)> {
    let mut found = BTreeSet::new();
    for link in links {
        if let Some(url) = Url::parse(&link.target) {
            look_at(link, &url, own, recipients, &mut found);
        }
    }
    found.into_iter().take(100).collect()
}

fn look_at(link: &Link, url: &Url, own: &[String], recipients: &[String], found: &mut BTreeSet<(Check, String)>) {
    let domain = url.domain();
    let mut add = |check, evidence: String| {
        found.insert((check, crate::mime::clean(&evidence)));
    };
    if let Some(model) = imitates(&domain, own.iter().map(String::as_str)) {
        add(Check::LinkLookalike, format!("{domain} looks like {model}"));
    }
    let user = url.user.split(':').next().unwrap_or_default();
    if reads_as_host(&user.to_lowercase(), own) {
        add(Check::LinkDisguised, format!("'{}' stands before the real host {}", clipped(user), url.host));
    }
    if url.host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| !ip.is_private() && !ip.is_loopback())
        || is_number(&url.host)
    {
        add(Check::LinkAddress, format!("an address instead of a name: {}", url.host));
    }
    if let Some(port) = url.port.filter(|port| !USUAL_PORTS.contains(port)) {
        add(Check::LinkAddress, format!("port {port} at {}", url.host));
    }
    if let Some(shown) = shown_domain(&link.shown)
        && shown != domain
    {
        add(Check::LinkMismatch, format!("shows {shown}, leads to {domain}"));
    }
    if let Some(other) = passed_on(url, &domain) {
        add(Check::LinkRedirector, format!("{domain} passes on to {other}"));
    }
    if link.place == LinkOrigin::Code {
        add(Check::QrCode, format!("a code that leads to {domain}"));
        if let Some(recipient) = carries(&url.rest, recipients) {
            add(Check::QrRecipient, format!("a code made for {recipient} that leads to {domain}"));
        }
    }
}

/// A host written as one number, which browsers take for an address.
fn is_number(host: &str) -> bool {
    host.parse::<u32>().is_ok() || host.strip_prefix("0x").is_some_and(|hex| u32::from_str_radix(hex, 16).is_ok())
}

/// The domain that a link's text shows, if it is nothing but a link or a host.
fn shown_domain(shown: &str) -> Option<String> {
    let shown = shown.trim();
    if shown.contains(char::is_whitespace) || shown.contains('@') {
        return None;
    }
    let url = Url::parse(shown).or_else(|| Url::parse(&format!("https://{shown}")))?;
    let domain = psl::domain(url.host.as_bytes())?;
    // A word with a dot in it is no host unless its end is a real one.
    domain.suffix().typ().is_some().then(|| url.domain())
}

/// Where a site that passes on is told to pass on to.
fn passed_on(url: &Url, domain: &str) -> Option<String> {
    let label = domain.split('.').next()?;
    if !PASS_ON.contains(&label) {
        return None;
    }
    let values = url.rest.split(['?', '&', '#']).filter_map(|pair| Some(pair.split_once('=')?.1));
    let decoded = values.map(percent_decoded);
    let other = decoded.filter_map(|value| Url::parse(&value)).map(|url| url.domain()).find(|other| other != domain)?;
    Some(other)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let value = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(value.unwrap_or(bytes[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The recipient whose address a link carries, plainly or in base64.
fn carries(rest: &str, recipients: &[String]) -> Option<String> {
    let plain = percent_decoded(rest).to_lowercase();
    let words = plain_words(rest);
    recipients.iter().map(|one| one.to_lowercase()).filter(|one| one.contains('@')).find(|recipient| {
        plain.contains(recipient.as_str()) || words.iter().any(|word| word.contains(recipient.as_str()))
    })
}

fn plain_words(rest: &str) -> Vec<String> {
    let words =
        rest.split(['/', '?', '&', '=', '#', '.']).map(|word| word.trim_end_matches('%').trim_end_matches("%3D"));
    words
        .filter(|word| word.len() >= 8)
        .filter_map(|word| {
            let word = word.trim_end_matches('=');
            STANDARD_NO_PAD.decode(word).or_else(|_| URL_SAFE_NO_PAD.decode(word)).ok()
        })
        .map(|bytes| String::from_utf8_lossy(&bytes).to_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(target: &str, shown: &str, place: LinkOrigin) -> Vec<Check> {
        let link = Link { target: target.into(), shown: shown.into(), place };
        let own = ["ours.example".to_owned(), "example-bank.de".to_owned()];
        look(&[link], &own, &["bert@ours.example".to_owned()]).into_iter().map(|(check, _)| check).collect()
    }

    #[test]
    fn hosts_as_browsers_read_them() {
        let host = |text: &str| Url::parse(text).map(|url| (url.host, url.port));
        assert_eq!(host("HTTPS://User@WWW.Example.COM.:8443/x"), Some(("www.example.com".into(), Some(8443))));
        assert_eq!(host("http:\\\\evil.example\\x"), Some(("evil.example".into(), None)));
        assert_eq!(host("https://a.exa\r\nmple/"), Some(("a.example".into(), None)));
        assert_eq!(host("mailto:a@b.example"), None);
        assert_eq!(host("https://"), None);
        assert_eq!(host("https://[2001:db8::1]:99/"), Some(("[2001:db8::1]".into(), Some(99))));
    }

    #[test]
    fn links_that_are_what_they_say() {
        for (target, shown) in [
            ("https://www.example.com/", "our site"),
            ("https://www.example.com/a", "www.example.com"),
            ("https://shop.example.com/a", "https://example.com/"),
            ("https://www.example.com/", "version 1.2"),
            ("https://www.example.com:8443/", ""),
            ("https://m\u{fc}nchen.de/", ""),
            ("http://192.168.1.1/", "the router"),
            ("https://user:pw@www.example.com/", ""),
            ("https://max.mustermann@bitbucket.org/team/repository.git", ""),
            ("https://anna.schmidt@dav.example.com/calendar", ""),
            ("https://wei.li:secret@git.example.com/", ""),
            ("https://j.w.li@git.example.com/", ""),
            ("https://anna.maria.schmidt@git.example.com/", ""),
            ("https://release-1.2@packages.example.com/", ""),
            ("https://www.paypal.com/", "PayPal"),
            ("https://login.microsoftonline.com/", ""),
        ] {
            assert_eq!(checks(target, shown, LinkOrigin::Page), [], "{target} {shown}");
        }
    }

    #[test]
    fn links_that_are_not() {
        use Check as C;
        for (target, shown, expected) in [
            ("https://paypa1.com/", "", C::LinkLookalike),
            ("https://www.rnicrosoft.com/", "", C::LinkLookalike),
            ("https://xn--pypal-4ve.com/", "", C::LinkLookalike),
            ("https://0urs.example/", "", C::LinkLookalike),
            ("https://www.paypal.com@evil.example/", "", C::LinkDisguised),
            ("https://paypal.de@evil.example/", "", C::LinkDisguised),
            ("https://secure-login.com:443@evil.example/", "", C::LinkDisguised),
            ("https://yourbank.co.uk@evil.example/", "", C::LinkDisguised),
            ("https://login.yourbank.de@evil.example/", "", C::LinkDisguised),
            ("https://ours.example@evil.example/", "", C::LinkDisguised),
            ("https://evil.example/", "www.paypal.com", C::LinkMismatch),
            ("http://198.51.100.7/a", "", C::LinkAddress),
            ("http://3325256711/a", "", C::LinkAddress),
            ("https://www.example.com:4443/", "", C::LinkAddress),
            ("https://www.google.com/url?q=https%3A%2F%2Fevil.example%2F", "", C::LinkRedirector),
        ] {
            assert_eq!(checks(target, shown, LinkOrigin::Page), [expected], "{target} {shown}");
        }
    }

    #[test]
    fn codes_that_know_whom_they_are_for() {
        use Check as C;
        assert_eq!(checks("https://www.example.com/menu", "", LinkOrigin::Code), [C::QrCode]);
        let plain = "https://evil.example/#bert@ours.example";
        assert_eq!(checks(plain, "", LinkOrigin::Code), [C::QrCode, C::QrRecipient]);
        let encoded = "https://evil.example/a?x=YmVydEBvdXJzLmV4YW1wbGU=";
        assert_eq!(checks(encoded, "", LinkOrigin::Code), [C::QrCode, C::QrRecipient]);
        assert_eq!(checks(plain, "", LinkOrigin::Page), [], "an unsubscribe link knows it as well");
    }
}
