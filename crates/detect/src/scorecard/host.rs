//! What kind of service a host belongs to: free mail, free hosting, shorteners, forms, sending, meetings, files.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::table::{cells, lines};

/// Bytes of a host that are looked at (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 255;

/// What anybody gets on a free host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A site of a site builder, web space.
    Site,
    /// An application, a static site, a function.
    App,
    /// Stored files.
    Bucket,
    /// A way to a machine at home.
    Tunnel,
    /// A name for a changing address.
    DynamicName,
    /// A blog.
    Blog,
    /// A page that is a document, a note or a presentation.
    Docs,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "site" => Self::Site,
            "app" => Self::App,
            "bucket" => Self::Bucket,
            "tunnel" => Self::Tunnel,
            "dyndns" => Self::DynamicName,
            "blog" => Self::Blog,
            "docs" => Self::Docs,
            _ => return None,
        })
    }
}

type Domains = LazyLock<HashSet<&'static str>>;
/// Beginnings of paths by their host; an empty one stands for all of the host.
type Places = LazyLock<HashMap<&'static str, Vec<&'static str>>>;

static FREE_MAIL: Domains = LazyLock::new(|| lines(include_str!("tables/free_mail.txt")).collect());
static SHORTENERS: Domains = LazyLock::new(|| lines(include_str!("tables/shortener.txt")).collect());
static SENDING: Domains = LazyLock::new(|| lines(include_str!("tables/sending_service.txt")).collect());
static FILES: Domains = LazyLock::new(|| lines(include_str!("tables/file_share.txt")).collect());
static FORMS: Places = LazyLock::new(|| places(include_str!("tables/form_builder.txt")));
static MEETINGS: Places = LazyLock::new(|| places(include_str!("tables/meeting_service.txt")));
static FREE_HOSTS: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| {
    let kind = |line| {
        let [domain, name, _] = cells(line);
        Some((domain, Kind::named(name)?))
    };
    lines(include_str!("tables/free_host.txt")).filter_map(kind).collect()
});

fn places(text: &'static str) -> HashMap<&'static str, Vec<&'static str>> {
    let mut places: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in lines(text) {
        let at = line.find('/').unwrap_or(line.len());
        let (host, path) = line.split_at(at);
        places.entry(host).or_default().push(path);
    }
    places
}

/// A host in lower case, without the dot of the root; empty where it is longer than a host can be.
pub(super) fn plain(host: &str) -> String {
    let host = host.trim_end_matches('.');
    if host.len() > HOST_BYTES_MAX { String::new() } else { host.to_ascii_lowercase() }
}

/// A host and the domains that it is under, the longest first.
pub(super) fn above(host: &str) -> impl Iterator<Item = &str> {
    let behind_dots = host.char_indices().filter(|(_, c)| *c == '.').filter_map(|(at, _)| host.get(at + 1..));
    std::iter::once(host).chain(behind_dots)
}

fn is_among(domains: &HashSet<&'static str>, host: &str) -> bool {
    above(&plain(host)).any(|domain| domains.contains(domain))
}

fn is_at(places: &HashMap<&'static str, Vec<&'static str>>, host: &str, path: &str) -> bool {
    above(&plain(host)).filter_map(|domain| places.get(domain)).flatten().any(|begin| path.starts_with(begin))
}

/// Whether anybody gets a mailbox on a domain.
pub fn is_free_mail(domain: &str) -> bool {
    is_among(&FREE_MAIL, domain)
}

/// What anybody gets on a host, if it is one for everybody.
pub fn free_host(host: &str) -> Option<Kind> {
    let host = plain(host);
    above(&host).find_map(|domain| FREE_HOSTS.get(domain)).copied()
}

/// The domain of a free host that a host is under.
pub(super) fn free_domain(host: &str) -> Option<&'static str> {
    above(host).find_map(|domain| FREE_HOSTS.get_key_value(domain)).map(|(domain, _)| *domain)
}

/// Whether a host shortens links.
pub fn is_shortener(host: &str) -> bool {
    is_among(&SHORTENERS, host)
}

/// Whether a page is of a form builder. `path`: what stands behind the host.
pub fn is_form_builder(host: &str, path: &str) -> bool {
    is_at(&FORMS, host, path)
}

/// Whether a domain is of a service that sends mail, or counts clicks, for others.
pub fn is_sending_service(domain: &str) -> bool {
    is_among(&SENDING, domain)
}

/// Whether a link is to an online meeting. `path`: what stands behind the host.
pub fn is_meeting_service(host: &str, path: &str) -> bool {
    is_at(&MEETINGS, host, path)
}

/// Whether a host sends or keeps files and documents for anybody.
pub fn is_file_share(host: &str) -> bool {
    is_among(&FILES, host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_kind() {
        assert_eq!(FREE_HOSTS.len(), lines(include_str!("tables/free_host.txt")).count());
    }

    #[test]
    fn services_by_host() {
        assert!(is_free_mail("gmail.com") && is_free_mail("Yahoo.co.uk.") && is_free_mail("vip.qq.com"));
        assert_eq!(free_host("evil.web.app"), Some(Kind::App));
        assert_eq!(free_host("a.b.trycloudflare.com"), Some(Kind::Tunnel));
        assert_eq!(free_host("x.duckdns.org"), Some(Kind::DynamicName));
        assert_eq!(free_host("x.blogspot.com"), Some(Kind::Blog));
        assert_eq!(free_host("sites.google.com"), Some(Kind::Site));
        assert_eq!(free_host("b.s3.amazonaws.com"), Some(Kind::Bucket));
        assert_eq!(free_host("x.sharepoint.com"), Some(Kind::Docs));
        assert!(is_shortener("bit.ly") && is_shortener("www.tinyurl.com") && is_shortener("qrco.de"));
        assert!(is_form_builder("docs.google.com", "/forms/d/e/1") && is_form_builder("a.typeform.com", "/to/x"));
        assert!(is_sending_service("u1.ct.sendgrid.net") && is_sending_service("x.list-manage.com"));
        assert!(is_meeting_service("us02web.zoom.us", "/j/1") && is_meeting_service("teams.microsoft.com", "/l/"));
        assert!(is_file_share("we.tl") && is_file_share("mega.nz") && is_file_share("drive.google.com"));
    }

    #[test]
    fn other_hosts_are_of_no_service() {
        let long = format!("{}gmail.com", "a.".repeat(200));
        for host in ["example.com", "notgmail.com", "gmail.com.example", "www.google.com", "", ".", long.as_str()] {
            let is_any = is_free_mail(host)
                || free_host(host).is_some()
                || is_shortener(host)
                || is_form_builder(host, "/")
                || is_sending_service(host)
                || is_meeting_service(host, "/")
                || is_file_share(host);
            assert!(!is_any, "{host}");
        }
        assert!(!is_form_builder("docs.google.com", "/document/d/1"));
        assert!(!is_shortener("habit.ly"));
    }
}
