//! Pages that a browser has saved. Their forms lead to where the page was, by a whole address, and whoever sends such
//! a page on asks nobody for a password. What a page says of itself anybody can write: it counts only where the site
//! is one that nobody else collects at.

use std::collections::BTreeSet;

use super::link;
use super::url::{Url, percent_decoded, registrable};

/// Sites that one page may say it was saved from.
const ORIGINS_MAX: usize = 20;
/// Bytes of what a page shows beside its text that are kept.
const SHOWN_BYTES_MAX: usize = 64 << 10;
/// Hosts of a site where people sign in, by what stands before the site's domain. Others hold what anybody puts there:
/// `docs`, `forms`, `sites`, `script`.
const SIGN_IN: [&str; 18] = [
    "",
    "account",
    "accounts",
    "auth",
    "id",
    "identity",
    "idp",
    "login",
    "m",
    "my",
    "myaccount",
    "secure",
    "signin",
    "sso",
    "www",
    "www2",
    "appleid",
    "idmsa",
];
/// Sites of the well-known whose every host is somebody's else.
const OF_TENANTS: [&str; 2] = ["sharepoint.com", "onedrive.com"];
/// Letters of a name of ours from which on it is more than a syllable.
const NAME_CHARS_MIN: usize = 3;

/// What an attached page says of where it was saved, as its elements come.
#[derive(Debug, Default)]
pub(super) struct Saved {
    origins: BTreeSet<String>,
    /// Scripts that are loaded by a whole address.
    scripts: Vec<String>,
    shown: String,
}

impl Saved {
    /// The mark of a browser (Internet Explorer, Chrome, Edge: with the length of the address), or of SingleFile.
    pub(super) fn comment(&mut self, text: &str) {
        let text = text.trim();
        let marked = text.strip_prefix("saved from url=(").and_then(|rest| rest.split_once(')'));
        let by_browser = marked.filter(|(length, address)| length.parse() == Ok(address.trim().chars().count()));
        let by_extension = || {
            let rest = text.strip_prefix("Page saved with SingleFile")?;
            rest.trim_start().strip_prefix("url:")?.split_whitespace().next()
        };
        if let Some(address) = by_browser.map(|(_, address)| address.trim()).or_else(by_extension) {
            self.origin(address);
        }
    }

    /// An element: a canonical link, a base, an address for networks of people, a script; and what it shows.
    pub(super) fn element(&mut self, name: &[u8], attribute: &impl Fn(&str) -> Option<String>) {
        let is = |name: &str, value: &str| attribute(name).is_some_and(|text| text.eq_ignore_ascii_case(value));
        let origin = match name {
            b"link" if is("rel", "canonical") => attribute("href"),
            b"base" => attribute("href"),
            b"meta" if is("property", "og:url") => attribute("content"),
            _ => None,
        };
        if let Some(address) = origin {
            self.origin(&address);
        }
        if name == b"script" && self.scripts.len() <= ORIGINS_MAX {
            self.scripts.extend(attribute("src").filter(|source| Url::parse(source).is_some()));
        }
        for text in ["alt", "placeholder", "title", "value"].into_iter().filter_map(attribute) {
            if self.shown.len() < SHOWN_BYTES_MAX {
                self.shown.push_str(&text);
                self.shown.push(' ');
            }
        }
    }

    fn origin(&mut self, address: &str) {
        if self.origins.len() < ORIGINS_MAX
            && let Some(url) = Url::parse(address)
        {
            self.origins.insert(url.domain());
        }
    }

    /// The site that the page was saved from, if all of `targets` and all scripts are there.
    pub(super) fn home(&self, targets: &[String]) -> Option<Home> {
        let urls: Vec<Url> = targets.iter().map(|target| Url::parse(target)).collect::<Option<_>>()?;
        let domain = match urls.first() {
            Some(url) => url.domain(),
            None => self.origins.first()?.clone(),
        };
        let stays = |url: &Url| url.domain() == domain && url.user.is_empty() && url.port.is_none() && ends_at(url);
        let is_home = self.origins.contains(&domain)
            && urls.iter().all(stays)
            && self.scripts.iter().filter_map(|source| Url::parse(source)).all(|url| url.domain() == domain)
            && self.shown.len() < SHOWN_BYTES_MAX;
        let hosts = urls.into_iter().map(|url| url.host).collect();
        is_home.then(|| Home { domain, hosts, shown: self.shown.clone() })
    }
}

/// Whether an address names no other site to which it might pass on what it is sent.
fn ends_at(url: &Url) -> bool {
    let rest = percent_decoded(&percent_decoded(&url.rest)).to_lowercase();
    let others = rest.match_indices("//").filter_map(|(at, _)| Url::parse(&rest[at..]));
    // Accelerated pages of others have no slashes in two: /amp/s/www.example.com.
    let mut others = others.filter(|other| other.domain() != url.domain());
    others.next().is_none() && !rest.contains("/amp/")
}

/// Where the passwords of a saved page go: to the site that it was saved from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Home {
    domain: String,
    hosts: Vec<String>,
    /// What the page shows beside its text.
    shown: String,
}

/// A link in a script to the home: what is sent there is sent where it belongs.
pub(super) fn without_links_to(home: &Home, script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(at) = rest.find("//") {
        let (before, link) = rest.split_at(at);
        let end = link[2..]
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
            .map_or(link.len(), |end| end + 2);
        let is_home = Url::parse(&link[..end]).is_some_and(|url| url.domain() == home.domain);
        let scheme = before.strip_suffix("https:").or_else(|| before.strip_suffix("http:")).unwrap_or(before);
        // The quote before it would make one of the slashes of the next.
        out.push_str(if is_home { scheme.trim_end_matches(['"', '\'']) } else { before });
        out.push_str(if is_home { "" } else { &link[..end] });
        rest = &link[end..];
    }
    out.push_str(rest);
    out
}

/// Whom a mail is about: those at whose sites nobody else collects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sites<'e> {
    /// The accepted domains of this site.
    pub(crate) own: &'e [String],
    /// The addresses that the mail goes to.
    pub(crate) recipients: &'e [String],
    /// The domain that the mail says it is from.
    pub(crate) sender: String,
}

impl Sites<'_> {
    /// Whether passwords that go there go where they belong. `text` is what the page says.
    ///
    /// At a site of ours, or at the hosts of a well-known one where people sign in, nobody else collects. At the
    /// sender's own site the sender does, as behind a link to it: there the page must be its own, and name neither
    /// another site that is often imitated nor us.
    pub(crate) fn are_home(&self, home: &Home, text: &str) -> bool {
        let is = |domain: &str| registrable(domain.trim_start_matches('.')) == home.domain;
        if self.own.iter().any(|own| is(own)) {
            return true;
        }
        if link::is_well_known(&home.domain) {
            let prefix =
                |host: &String| host.strip_suffix(&home.domain).map(|before| before.trim_end_matches('.').to_owned());
            let signs_in = |host: &String| prefix(host).is_some_and(|prefix| SIGN_IN.contains(&prefix.as_str()));
            return !OF_TENANTS.contains(&home.domain.as_str()) && home.hosts.iter().all(signs_in);
        }
        !self.sender.is_empty() && is(&self.sender) && !self.names_another(&home.shown) && !self.names_another(text)
    }

    /// Whether a text names a well-known site, or us.
    fn names_another(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let label = |domain: &String| {
            let domain = registrable(domain.trim_start_matches('.'));
            domain.split('.').next().unwrap_or_default().to_owned()
        };
        let names: BTreeSet<String> =
            self.own.iter().map(label).filter(|name| name.chars().count() >= NAME_CHARS_MIN).collect();
        self.recipients.iter().any(|one| !one.is_empty() && lower.contains(&one.to_lowercase()))
            || lower.split(|c: char| !c.is_alphanumeric()).any(|word| names.contains(word))
            || text.split(|c: char| !c.is_alphanumeric()).any(link::names_well_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(saved_from: &str, targets: &[&str]) -> Option<Home> {
        let mut saved = Saved::default();
        saved.comment(&format!(" saved from url=({:04}){saved_from} ", saved_from.len()));
        let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
        saved.home(&targets)
    }

    fn are_home(home: Option<Home>, sender: &str, text: &str) -> bool {
        let own = ["ours.example".to_owned()];
        let recipients = ["bert@ours.example".to_owned()];
        let sites = Sites { own: &own, recipients: &recipients, sender: sender.to_owned() };
        home.is_some_and(|home| sites.are_home(&home, text))
    }

    #[test]
    fn marks_of_what_saves() {
        let mut saved = Saved::default();
        saved.comment(" saved from url=(0009)https://a.example/ ");
        saved.comment(" saved from url=(0018)https://b.example/ not ");
        saved.comment(" saved from https://c.example/ ");
        assert!(saved.origins.is_empty(), "{saved:?}");
        saved.comment(" saved from url=(0018)https://b.example/ ");
        saved.comment("\n Page saved with SingleFile \n url: https://c.example/login \n saved date: today");
        saved.element(b"link", &|name| Some(if name == "rel" { "canonical" } else { "https://d.example/" }.to_owned()));
        let expected = ["b.example", "c.example", "d.example"].map(str::to_owned);
        assert_eq!(saved.origins, BTreeSet::from(expected));
    }

    #[test]
    fn a_password_that_goes_home() {
        let microsoft = "https://login.microsoftonline.com/common/login";
        assert!(are_home(home(microsoft, &[microsoft]), "partner.example", "Sign in to your account. Microsoft"));
        assert!(are_home(home("https://github.com/login", &[]), "github.com", "Sign in"));
        let partner = "https://portal.partner.example/login?next=https%3A%2F%2Fwww.partner.example%2F";
        assert!(are_home(home(partner, &[partner]), "partner.example", "Portal of Partner: please sign in"));
        assert!(are_home(home("https://www.ours.example/", &["//sso.ours.example/"]), "partner.example", "Microsoft"));
    }

    #[test]
    fn a_password_that_does_not() {
        let microsoft = "https://login.microsoftonline.com/common/login";
        let evil = "https://collect.evil.example/login";
        for (saved_from, target, sender, text) in [
            (microsoft, evil, "evil.example", "Sign in"),
            (evil, microsoft, "evil.example", "Sign in"),
            (evil, evil, "partner.example", "Sign in"),
            (evil, evil, "evil.example", "Sign in to Microsoft 365"),
            (evil, evil, "evil.example", "Sign in to \u{41c}icrosoft 365"),
            (evil, evil, "evil.example", "Mailbox of Bert@ours.example"),
            (evil, evil, "evil.example", "Ours: webmail"),
            (evil, evil, "", "Sign in"),
            (evil, "mailto:x@evil.example", "evil.example", "Sign in"),
            (evil, "https://collect.evil.example:8080/", "evil.example", "Sign in"),
            (microsoft, "https://x@login.microsoftonline.com/", "partner.example", "Sign in"),
            ("https://www.google.com/", "https://docs.google.com/forms/d/e/1/formResponse", "partner.example", ""),
            ("https://www.google.com/", "https://www.google.com/url?q=https://evil.example/", "partner.example", ""),
            ("https://www.google.com/", "https://www.google.com/amp/s/evil.example/", "partner.example", ""),
            ("https://x.sharepoint.com/", "https://x.sharepoint.com/", "partner.example", ""),
            (
                "https://www.partner.example/",
                "https://www.partner.example/to?https:%2F%2Fevil.example",
                "partner.example",
                "",
            ),
        ] {
            assert!(!are_home(home(saved_from, &[target]), sender, text), "{saved_from} {target} {sender} {text}");
        }
    }

    #[test]
    fn scripts_of_others_and_links_in_scripts() {
        let mut saved = Saved::default();
        saved.comment("saved from url=(0018)https://b.example/");
        let own = saved.home(&[]).expect("a home");
        let script = "f('https://b.example/x');g(\"//www.b.example\");h('https://evil.example/')";
        assert_eq!(without_links_to(&own, script), "f(/x');g(\");h('https://evil.example/')");
        assert_eq!(without_links_to(&own, "//"), "//");
        saved.element(b"script", &|name| (name == "src").then(|| "https://evil.example/a.js".to_owned()));
        assert_eq!(saved.home(&[]), None);
    }
}
