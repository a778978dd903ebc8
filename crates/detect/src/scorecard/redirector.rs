//! Places of well-known sites that pass on to an address in a parameter of theirs.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::host::{above, plain};
use super::table::lines;
use crate::page::host::is_public_name;
use crate::page::link::Url;
use crate::page::url::percent_decoded;

/// Sites that are the same in every country: `google.de` passes on as `google.com` does.
const OF_COUNTRIES: [&str; 6] = ["amazon", "bing", "ebay", "google", "yahoo", "youtube"];
/// Bytes of a path and a query that are looked through.
const REST_BYTES_MAX: usize = 8_192;
/// Letters that a site puts before the base64 of an address (Bing has `a1`).
const LETTERS_BEFORE_BASE64: [usize; 2] = [0, 2];

/// A place that passes on.
struct Place {
    /// How its path begins.
    path: &'static str,
    /// The parameter with the address; `*` where it stands anywhere in the path or the query.
    parameter: &'static str,
}

static PLACES: LazyLock<HashMap<&'static str, Vec<Place>>> = LazyLock::new(|| {
    let mut places: HashMap<&str, Vec<Place>> = HashMap::new();
    for line in lines(include_str!("tables/redirector.txt")) {
        let mut words = line.split_whitespace();
        if let (Some(host), Some(path), Some(parameter)) = (words.next(), words.next(), words.next()) {
            places.entry(host).or_default().push(Place { path, parameter });
        }
    }
    places
});

/// Where a link is passed on to by a site that does so for anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassedOn {
    /// To this address.
    To(String),
    /// To one that is written in a way of the site's own.
    Hidden,
}

/// Where a link is passed on to, if it leads to a place that passes on: none for other links, and where the place is
/// given no address.
pub fn redirects(url: &Url) -> Option<PassedOn> {
    let host = with_com(&plain(&url.host));
    let rest = url.rest.get(..REST_BYTES_MAX).unwrap_or(&url.rest);
    let known = above(&host).filter_map(|domain| PLACES.get(domain)).flatten();
    known.filter(|place| rest.starts_with(place.path)).find_map(|place| place.passes_on(rest))
}

/// The host of a site of countries as its `.com`.
fn with_com(host: &str) -> String {
    let com = || {
        let domain = psl::domain(host.as_bytes()).filter(|domain| domain.suffix().is_known())?;
        let domain = std::str::from_utf8(domain.as_bytes()).ok()?;
        let label = domain.split('.').next()?;
        let before = host.strip_suffix(domain)?;
        OF_COUNTRIES.contains(&label).then(|| format!("{before}{label}.com"))
    };
    com().unwrap_or_else(|| host.to_owned())
}

impl Place {
    fn passes_on(&self, rest: &str) -> Option<PassedOn> {
        if self.parameter == "*" {
            return inside(rest.get(self.path.len()..)?).map(PassedOn::To);
        }
        let values = rest.split(['?', '&', ';', '#']).filter_map(|pair| pair.split_once('='));
        let value = values.filter(|(name, _)| *name == self.parameter).map(|(_, value)| value);
        let value = value.filter(|value| !value.is_empty()).map(percent_decoded).next()?;
        // What begins with one slash stays on the site.
        let stays = value.starts_with('/') && Url::parse(&value).is_none();
        (!stays).then(|| address(&value).map_or(PassedOn::Hidden, PassedOn::To))
    }
}

/// The address that a value is: plainly, without its scheme, or in base64.
fn address(value: &str) -> Option<String> {
    let is_host = |text: &str| Url::parse(text).is_some_and(|url| is_public_name(&url.host));
    if Url::parse(value).is_some() {
        return Some(value.to_owned());
    }
    let decoded = LETTERS_BEFORE_BASE64.into_iter().filter_map(|before| {
        let text = value.get(before..)?.trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
        String::from_utf8(bytes).ok().filter(|text| Url::parse(text).is_some())
    });
    if let Some(found) = from_hyphens(value) {
        return Some(found);
    }
    let with_scheme = format!("https://{value}");
    decoded.into_iter().next().or_else(|| is_host(&with_scheme).then_some(with_scheme))
}

/// An address that Proofpoint has written with hyphens for its escapes and low lines for its slashes
/// (`http-3A__www.example.com_path`).
fn from_hyphens(value: &str) -> Option<String> {
    let is_one = value.starts_with("http-3A__") || value.starts_with("https-3A__");
    is_one.then(|| percent_decoded(&value.replace('-', "%").replace('_', "/")))
}

/// The address that stands in a path or a query: behind a scheme, or as the first part of the path.
fn inside(rest: &str) -> Option<String> {
    let plain = percent_decoded(rest);
    let at = ["https:/", "http:/"].iter().filter_map(|scheme| plain.find(scheme)).min();
    if let Some(found) = at.and_then(|at| plain.get(at..)) {
        let end = found.find(['&', ' ', '"']).unwrap_or(found.len());
        return found.get(..end).filter(|text| Url::parse(text).is_some()).map(str::to_owned);
    }
    let first = plain.trim_start_matches('/').split(['/', '?', '&', '#']).next()?;
    first.contains('.').then(|| address(first)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(link: &str) -> Option<PassedOn> {
        redirects(&Url::parse(link).expect("a link"))
    }

    fn host_of(link: &str) -> Option<String> {
        match of(link)? {
            PassedOn::To(address) => Url::parse(&address).map(|url| url.host),
            PassedOn::Hidden => None,
        }
    }

    #[test]
    fn links_that_are_passed_on() {
        for link in [
            "https://www.google.com/url?sa=t&q=https%3A%2F%2Fevil.example%2F",
            "https://www.google.co.uk/url?url=https://evil.example/",
            "https://google.com/amp/s/evil.example/x",
            "https://l.facebook.com/l.php?u=https%3A%2F%2Fevil.example",
            "https://www.youtube.com/redirect?event=x&q=https%3A%2F%2Fevil.example",
            "https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9ldmlsLmV4YW1wbGUv&ntb=1",
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2F&data=x",
            "https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.example_x-2Dy&d=x",
            "https://urldefense.com/v3/__https://evil.example/__;!!abc$",
            "https://googleads.g.doubleclick.net/pcs/click?x=1&adurl=https://evil.example/",
            "https://slack-redir.net/link?url=https://evil.example",
            "https://duckduckgo.com/l/?uddg=https%3A%2F%2Fevil.example%2F",
        ] {
            assert_eq!(host_of(link).as_deref(), Some("evil.example"), "{link}");
        }
        assert_eq!(of("https://www.linkedin.com/slink?code=abCD12"), Some(PassedOn::Hidden));
    }

    #[test]
    fn links_that_stay() {
        for link in [
            "https://www.google.com/search?q=https%3A%2F%2Fexample.com",
            "https://www.google.com/url",
            "https://www.facebook.com/example?u=1",
            "https://www.youtube.com/watch?v=1",
            "https://google.com.example/url?q=https://evil.example",
            "https://www.linkedin.com/authwall?sessionRedirect=%2Ffeed%2F",
            "https://example.com/l.php?u=https://www.example.org/",
        ] {
            assert_eq!(of(link), None, "{link}");
        }
    }

    proptest! {
        #[test]
        fn any_rest_is_read(rest in "\\PC{0,80}") {
            for begin in ["https://google.com/url?q=", "https://secure-web.cisco.com/", "https://bing.com/ck/a?u="] {
                if let Some(url) = Url::parse(&format!("{begin}{rest}")) {
                    redirects(&url);
                }
            }
        }
    }
}
