//! Links: where they lead, what they show, and the tricks with which the one is made to look like the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use unicode_security::confusable_detection::skeleton;

use super::clipped;
use super::scheme::{self, Destination};
use super::share::Share;
use super::url::{Oddity, percent_decoded, registrable};
use crate::structure::Check;

pub use super::url::Url;

/// Where a link was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkOrigin {
    /// The page of the mail, or a file that shows links as a page does.
    Page,
    /// The plain text of the mail, where a link shows itself: an odd spelling is in plain sight.
    Text,
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
    /// The `<base>` of the page that it was completed with; empty where it is whole by itself.
    pub base: String,
    /// Where it was found.
    pub place: LinkOrigin,
}

impl Link {
    /// A link that shows itself, and is whole.
    pub fn new(target: String, place: LinkOrigin) -> Self {
        Self { target, shown: String::new(), base: String::new(), place }
    }
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
/// Links of a mail that are completed by its base, of which each may be split to hide it. A page that somebody mails as
/// a whole has dozens.
const PIECES_MAX: usize = 10;
/// Things found of one mail that are kept.
const FOUND_MAX: usize = 100;
/// Sites that pass on to wherever their parameter says.
const PASS_ON: [&str; 8] = ["google", "bing", "youtube", "facebook", "linkedin", "yahoo", "baidu", "yandex"];

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

/// Whether a registrable domain is that of a site that is often imitated.
pub(super) fn is_well_known(domain: &str) -> bool {
    IMITATED.contains(&domain)
}

/// Whether a word is what such a site is called, or looks like it, in capital letters as well.
pub(super) fn names_well_known(word: &str) -> bool {
    NAMES.contains(&look_of(&look_of(word)))
}

/// What the names of the imitated sites look like.
static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    IMITATED.iter().filter_map(|site| site.split('.').next()).map(|name| look_of(&look_of(name))).collect()
});

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

/// Looks at the links of a mail. `own` are the accepted domains, `recipients` the addresses that it goes to, `sender`
/// the domain that it says it is from.
pub fn look(links: &[Link], own: &[String], recipients: &[String], sender: &str) -> Vec<(Check, String)> {
    let destinations: Vec<Destination> = links.iter().map(|link| scheme::destination(&link.target)).collect();
    let mut look = Look {
        own,
        recipients,
        sender: registrable(sender),
        plain: BTreeSet::new(),
        is_whole_page: false,
        found: BTreeSet::new(),
    };
    let mut pages = Vec::new();
    for (link, destination) in links.iter().zip(&destinations) {
        match destination {
            Destination::Web(target) => pages.extend(Url::parse(target).map(|url| {
                let oddity = Oddity::of(target, &url).filter(|_| link.place != LinkOrigin::Text);
                (link, url, oddity)
            })),
            Destination::Share(share) => look.at_share(link, share),
            Destination::Program(what) => look.add(Check::LinkProgram, clipped(what)),
            Destination::Other => {}
        }
    }
    let pieces = pages.iter().filter(|(link, ..)| !link.base.is_empty()).count();
    look.is_whole_page = pieces > PIECES_MAX;
    let plain = pages.iter().filter(|(link, _, oddity)| oddity.is_none() && link.base.is_empty());
    look.plain = plain.map(|(_, url, _)| url.domain()).collect();
    for (link, url, oddity) in &pages {
        look.at_page(link, url, *oddity);
    }
    look.found.into_iter().take(FOUND_MAX).collect()
}

/// A look at the links of one mail.
struct Look<'m> {
    own: &'m [String],
    recipients: &'m [String],
    /// The registrable domain of the sender.
    sender: String,
    /// Domains that the mail links to plainly.
    plain: BTreeSet<String>,
    /// Whether so many links are pieces that somebody has mailed a page as a whole.
    is_whole_page: bool,
    found: BTreeSet<(Check, String)>,
}

impl Look<'_> {
    fn add(&mut self, check: Check, evidence: String) {
        self.found.insert((check, crate::mime::clean(&evidence)));
    }

    fn is_own(&self, host: &str) -> bool {
        self.own
            .iter()
            .map(|one| one.trim_start_matches('.'))
            .any(|one| host == one || host.strip_suffix(one).is_some_and(|before| before.ends_with('.')))
    }

    /// A share of the own network is everyday, and so is the path of one that somebody has typed and a mail program
    /// made a link of: it shows itself. What is named by its address, or reached over the web, is told all the same.
    fn at_share(&mut self, link: &Link, share: &Share) {
        let shows_itself = link.shown.to_lowercase().contains(&share.host) || link.place == LinkOrigin::Document;
        if !share.is_outside() || self.is_own(&share.host) || (shows_itself && !share.is_strange()) {
            return;
        }
        self.add(Check::LinkShare, format!("a share at {}: '{}'", share.host, clipped(&link.target)));
    }

    fn at_page(&mut self, link: &Link, url: &Url, oddity: Option<Oddity>) {
        let domain = url.domain();
        if let Some(model) = imitates(&domain, self.own.iter().map(String::as_str)) {
            self.add(Check::LinkLookalike, format!("{domain} looks like {model}"));
        }
        self.disguise(link, url, &domain, oddity);
        if let Some(address) = url.public_address() {
            self.add(Check::LinkAddress, format!("an address instead of a name: {address}"));
        }
        if let Some(port) = url.port.filter(|port| !USUAL_PORTS.contains(port)) {
            self.add(Check::LinkAddress, format!("port {port} at {}", url.host));
        }
        if let Some(shown) = shown_domain(&link.shown)
            && shown != domain
            && !names_its_file(&link.shown, url)
        {
            self.add(Check::LinkMismatch, format!("shows {shown}, leads to {domain}"));
        }
        if let Some(other) = passed_on(url, &domain) {
            self.add(Check::LinkRedirector, format!("{domain} passes on to {other}"));
        }
        if link.place == LinkOrigin::Code {
            self.add(Check::QrCode, format!("a code that leads to {domain}"));
            if let Some(recipient) = carries(&url.rest, self.recipients) {
                self.add(Check::QrRecipient, format!("a code made for {recipient} that leads to {domain}"));
            }
        }
    }

    /// The ways in which a link hides its host: a host before the host, a spelling that only browsers understand, a
    /// page's base that each link is only a piece of.
    fn disguise(&mut self, link: &Link, url: &Url, domain: &str, oddity: Option<Oddity>) {
        let user = url.user_as_read();
        if reads_as_host(&user, self.own) {
            self.add(Check::LinkDisguised, format!("'{}' stands before the real host {}", clipped(&user), url.host));
        }
        let is_known = self.plain.contains(domain) || self.is_own(&url.host);
        // People type the links of their documents by hand.
        let is_typed = link.place == LinkOrigin::Document;
        if let Some(Oddity { what, may_be_mistake }) = oddity
            && !(may_be_mistake && (is_known || is_typed || domain == self.sender))
        {
            let shown = clipped(&link.target);
            self.add(Check::LinkDisguised, format!("{} is written {what}: '{shown}'", url.host));
        }
        let is_split = !link.base.is_empty() && link.place == LinkOrigin::Page && !self.is_whole_page;
        if is_split && !is_known && domain != self.sender {
            let base = clipped(&link.base);
            self.add(Check::LinkDisguised, format!("a link to {} in two pieces, with the base '{base}'", url.host));
        }
    }
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

/// Endings of everyday files that are top-level domains as well.
const FILES_AND_DOMAINS: [&str; 12] = ["ai", "cc", "im", "md", "mov", "pl", "ps", "py", "rs", "sh", "st", "zip"];

/// Whether a link shows the name of the file that it leads to: `README.md` is one, and a domain of Moldova by its look.
fn names_its_file(shown: &str, url: &Url) -> bool {
    let shown = shown.trim().to_lowercase();
    let path = url.rest.split(['?', '#']).next().unwrap_or_default();
    let file = percent_decoded(path.rsplit('/').next().unwrap_or_default()).to_lowercase();
    let is_of_both =
        shown.rsplit_once('.').is_some_and(|(name, end)| !name.contains('.') && FILES_AND_DOMAINS.contains(&end));
    is_of_both && file == shown
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
        let link = Link { shown: shown.into(), ..Link::new(target.into(), place) };
        of_links(&[link])
    }

    fn of_links(links: &[Link]) -> Vec<Check> {
        let own = ["ours.example".to_owned(), "example-bank.de".to_owned()];
        let found = look(links, &own, &["bert@ours.example".to_owned()], "mail.partner.example");
        found.into_iter().map(|(check, _)| check).collect()
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
            ("https://www.example.com:4443/", "", C::LinkAddress),
            ("https://www.google.com/url?q=https%3A%2F%2Fevil.example%2F", "", C::LinkRedirector),
        ] {
            assert_eq!(checks(target, shown, LinkOrigin::Page), [expected], "{target} {shown}");
        }
    }

    #[test]
    fn links_written_so_that_only_browsers_understand_them() {
        use Check as C;
        for target in [
            "https:/\\evil.example/",
            "https:evil.example/x",
            "https:/evil.example/x",
            "https://www.p\taypal.com.evil.example/",
            "https://www.paypal.com%2Flogin@evil.example/",
            "https://www\u{ff0e}paypal\u{ff0e}com@evil.example/",
            "https://www.paypal.com\u{2215}login@evil.example/",
            "https:/\\www.paypal.com@evil.example/",
            "https://www.paypal.com%40x@evil.example/",
            "https://evil.example\\@www.paypal.com/",
            "microsoft-edge:https:/\\evil.example/",
        ] {
            let seen = checks(target, "", LinkOrigin::Page);
            assert!(seen.contains(&C::LinkDisguised), "{target} {seen:?}");
        }
        assert_eq!(checks("http://3325256711/a", "", LinkOrigin::Page), [C::LinkDisguised, C::LinkAddress]);
        for target in ["http:/www.ours.example/", "https:///www.example.com/", "http:\\\\www.example.com\\a"] {
            assert_eq!(checks(target, "", LinkOrigin::Page), [], "{target}");
        }
        assert_eq!(checks("http://w%77%77.evil.example/a", "", LinkOrigin::Page), [C::LinkDisguised]);
        assert_eq!(checks("http://w%77%77.evil.example/a", "", LinkOrigin::Text), [], "a text that speaks of it");
        assert_eq!(checks("http:/www.shop.example/", "", LinkOrigin::Document), [], "typed into a table");
        assert_eq!(checks("http:/\\evil.example/", "", LinkOrigin::Document), [C::LinkDisguised]);
        let link = |target: &str| Link::new(target.into(), LinkOrigin::Page);
        let slip = [link("http:/www.shop.example/"), link("https://shop.example/unsubscribe")];
        assert_eq!(of_links(&slip), [], "a slip of a newsletter that links there plainly as well");
        assert_eq!(checks("https:/www.partner.example/", "", LinkOrigin::Page), [], "a slip in the sender's signature");
        assert_eq!(checks("https:/\\www.partner.example/", "", LinkOrigin::Page), [C::LinkDisguised], "no slip");
    }

    #[test]
    fn a_link_may_show_the_name_of_its_file() {
        use Check as C;
        assert_eq!(checks("https://git.example.org/a/README.md?plain=1", "README.md", LinkOrigin::Page), []);
        for (target, shown) in [
            ("https://evil.example/a/", "README.md"),
            ("https://evil.example/a/paypal.com", "paypal.com"),
            ("https://evil.example/www.bank.pl", "www.bank.pl"),
        ] {
            assert_eq!(checks(target, shown, LinkOrigin::Page), [C::LinkMismatch], "{target}");
        }
    }

    #[test]
    fn links_in_two_pieces() {
        use Check as C;
        let split = |base: &str, target: &str| Link { base: base.into(), ..Link::new(target.into(), LinkOrigin::Page) };
        let evil = split("https://evil.example/login/", "https://evil.example/login/x");
        assert_eq!(of_links(std::slice::from_ref(&evil)), [C::LinkDisguised]);
        let plain = Link::new("https://www.evil.example/imprint".into(), LinkOrigin::Page);
        assert_eq!(of_links(&[evil, plain]), [], "a saved page that links to its site as well");
        let page: Vec<Link> = (0..20)
            .map(|n| split("https://news.example.net/today", &format!("https://news.example.net/{n}")))
            .collect();
        assert_eq!(of_links(&page), [], "a page that was mailed as a whole");
        assert_eq!(of_links(&[split("https://www.partner.example/news/", "https://www.partner.example/news/1")]), []);
        assert_eq!(of_links(&[split("https://ours.example/", "https://ours.example/1")]), []);
    }

    #[test]
    fn links_to_programs_and_shares() {
        use Check as C;
        for (target, shown, expected) in [
            ("ms-msdt:/id PCWDiagnostic", "Open", C::LinkProgram),
            ("search-ms:query=x&crumb=location:\\\\203.0.113.9\\x", "Documents", C::LinkProgram),
            ("javascript:eval(atob('x'))", "Open", C::LinkProgram),
            ("file://203.0.113.9/share/report", "Open", C::LinkShare),
            ("file:///\\\\evil.example\\share\\report", "Open", C::LinkShare),
            ("\\\\evil.example@SSL\\DavWWWRoot\\a", "\\\\evil.example@SSL\\DavWWWRoot\\a", C::LinkShare),
        ] {
            assert_eq!(checks(target, shown, LinkOrigin::Page), [expected], "{target}");
        }
        for (target, shown) in [
            ("\\\\server\\share\\a.docx", "the plan"),
            ("file://10.1.2.3/share/a.docx", "the plan"),
            ("file:///\\\\fs01.ours.example\\share\\a.docx", "the plan"),
            ("file://fs01.partner.example/share/a.docx", "\\\\fs01.partner.example\\share\\a.docx"),
            ("file:///C:/Users/anna/plan.docx", "the plan"),
            ("ms-word:ofe|u|https://ours.sharepoint.com/a.docx", "edit"),
            ("mailto:a@b.example", ""),
            ("javascript:void(0)", ""),
        ] {
            assert_eq!(checks(target, shown, LinkOrigin::Page), [], "{target}");
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
