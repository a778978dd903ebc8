//! The text of a mail for recurrence: a digest that survives line wrapping, and the domains it links to.

use std::collections::BTreeSet;

use domain::Digest;

/// Registrable domains kept of one message at most.
const URL_DOMAINS_MAX: usize = 200;
/// Bytes of text that are looked through for URLs at most.
const URL_TEXT_BYTES_MAX: usize = 1 << 20;

/// The digest of the texts in lower case with white space folded; none if nothing is left.
pub(crate) fn digest(texts: &[&str]) -> Option<Digest> {
    let mut normal = String::new();
    for word in texts.iter().flat_map(|text| text.split_whitespace()) {
        if !normal.is_empty() {
            normal.push(' ');
        }
        if word.is_ascii() {
            let begin = normal.len();
            normal.push_str(word);
            normal[begin..].make_ascii_lowercase();
        } else {
            normal.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    (!normal.is_empty()).then(|| Digest::of(normal.as_bytes()))
}

/// The registrable domains of the URLs in `texts`, by the public suffix list, sorted.
pub(crate) fn url_domains(texts: &[&str]) -> Vec<String> {
    let mut finder = linkify::LinkFinder::new();
    finder.kinds(&[linkify::LinkKind::Url]);
    let mut found = BTreeSet::new();
    for text in texts {
        let end = text.floor_char_boundary(text.len().min(URL_TEXT_BYTES_MAX));
        for link in finder.links(&text[..end]) {
            if let Some(domain) = host(link.as_str()).and_then(|host| registrable(&host)) {
                found.insert(domain);
            }
            if found.len() >= URL_DOMAINS_MAX {
                return found.into_iter().collect();
            }
        }
    }
    found.into_iter().collect()
}

fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    (!host.is_empty() && host.len() <= 255).then(|| host.to_lowercase())
}

/// The registrable part of a host; an address or an unknown name stands for itself.
fn registrable(host: &str) -> Option<String> {
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some(host.to_owned());
    }
    psl::domain_str(host).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_and_case_do_not_matter() {
        assert_eq!(digest(&["Hello  World\r\nagain"]), digest(&["hello world", "AGAIN"]));
        assert_ne!(digest(&["helloworld"]), digest(&["hello world"]));
        assert_eq!(digest(&[" \r\n"]), None);
    }

    #[test]
    fn registrable_domains_of_urls() {
        let html = "<a href=\"https://user@www.shop.example.co.uk:8443/x?y\">http://10.1.2.3/a</a> mail me@mail.example https://b.example.com.";
        assert_eq!(url_domains(&[html]), ["10.1.2.3", "example.co.uk", "example.com"]);
    }
}
