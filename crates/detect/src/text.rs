//! The text of a mail for recurrence: a digest that survives line wrapping, and the domains it links to.

use std::borrow::Cow;
use std::collections::BTreeSet;

use domain::{Digest, DomainName};

use crate::page::share::Share;
use crate::page::url::{Oddity, Url};

/// Registrable domains kept of one message at most.
const URL_DOMAINS_MAX: usize = 200;
/// Bytes of text that are looked through for URLs at most.
const URL_TEXT_BYTES_MAX: usize = 1 << 20;

/// The digest of the texts in lower case with white space folded; none if nothing is left.
pub(crate) fn digest(texts: &[&str]) -> Option<Digest> {
    let mut normal = Vec::with_capacity(texts.iter().map(|text| text.len()).sum());
    for text in texts {
        fold(text, &mut normal);
    }
    (!normal.is_empty()).then(|| Digest::of(&normal))
}

/// Adds the words of a text in lower case, a blank between them.
fn fold(text: &str, normal: &mut Vec<u8>) {
    // A vertical tab is white space to Unicode and not to ASCII.
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    for chunk in text.as_bytes().split(is_space).filter(|chunk| !chunk.is_empty()) {
        if chunk.is_ascii() {
            fold_word(normal, |normal| {
                let begin = normal.len();
                normal.extend_from_slice(chunk);
                normal[begin..].make_ascii_lowercase();
            });
            continue;
        }
        for word in std::str::from_utf8(chunk).unwrap_or_default().split_whitespace() {
            let letters = word.chars().flat_map(char::to_lowercase);
            fold_word(normal, |normal| {
                letters.for_each(|c| normal.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
            });
        }
    }
}

fn fold_word(normal: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if !normal.is_empty() {
        normal.push(b' ');
    }
    write(normal);
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

/// Words before a password, in the languages of most of our mail.
const PASSWORD_WORDS: [&str; 14] = [
    "password",
    "passwort",
    "kennwort",
    "passwd",
    "pwd",
    "pass",
    "passcode",
    "code",
    "pin",
    "contrase\u{f1}a",
    "clave",
    "senha",
    "passe",
    "has\u{142}o",
];
/// Words that may be passwords of one mail.
const PASSWORDS_MAX: usize = 20;
/// Characters of a password.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 3..=40;

/// Words that may be the password of what the mail brings: the next few behind a word that announces one.
pub(crate) fn passwords(texts: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>')).collect();
        let announces = |word: &&str| {
            let word = word.split([':', '=']).next().unwrap_or_default();
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            PASSWORD_WORDS.contains(&word.as_str())
        };
        for (at, _) in words.iter().enumerate().filter(|(_, word)| announces(word)) {
            // "password:abc" is one word.
            let glued = words[at].split_once([':', '=']).map(|(_, rest)| rest);
            for word in glued.into_iter().chain(words[at + 1..].iter().copied().filter(|word| !word.is_empty()).take(4))
            {
                let quotes = ['"', '\'', '`', '\u{201c}', '\u{201d}', '(', ')'];
                for form in [word, word.trim_end_matches(['.', ',', ';', ':', '!'])] {
                    let form = form.trim_matches(quotes);
                    let fits = PASSWORD_CHARS.contains(&form.chars().count());
                    if fits && found.len() < PASSWORDS_MAX && !found.iter().any(|known| known == form) {
                        found.push(form.to_owned());
                    }
                }
            }
        }
    }
    found
}

/// The registrable domain of an address: its organisation.
pub fn organisation(address: &str) -> Option<String> {
    registrable(&DomainName::of(address.rsplit_once('@')?.1))
}

/// A text as it is read: in a calendar, long lines are folded and line ends are written out (RFC 5545 sections 3.1 and
/// 3.3.11).
pub(crate) fn as_read(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if !text.trim_start().get(..15).is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return text;
    }
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    Cow::Owned(unfolded.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";"))
}

/// Links of one text that are kept.
const LINKS_MAX: usize = 1000;
/// Characters of one link that is found by ourselves.
const LINK_BYTES_MAX: usize = 2000;
/// Places of one text at which one is looked for by ourselves.
const PLACES_MAX: usize = 5000;

/// The links in plain text, as mail programs make links of them: those of the web, those with slashes of the other
/// kind, and shares.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut finder = linkify::LinkFinder::new();
    finder.kinds(&[linkify::LinkKind::Url]);
    let text = &text[..text.floor_char_boundary(text.len().min(URL_TEXT_BYTES_MAX))];
    let plain = finder.links(text).map(|link| link.as_str()).filter(|link| !is_share(link)).map(str::to_owned);
    let mut links: Vec<String> = plain.take(LINKS_MAX).collect();
    let odd = places(text).take(PLACES_MAX).filter_map(|at| oddly_written(text, at));
    links.extend(odd.take(LINKS_MAX));
    links
}

fn is_share(link: &str) -> bool {
    !link.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("http")) && Share::of(link).is_some()
}

/// Where a link may begin that the finder of links does not know: at a backslash, or where a host is written as none.
fn places(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let slashes = memchr::memchr_iter(b'\\', bytes).filter(|at| {
        bytes.get(at + 1).is_some_and(|next| matches!(next, b'/' | b'\\'))
            || at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'/')
    });
    slashes.chain(memchr::memmem::find_iter(bytes, b"://").filter(|at| ends_with_scheme(&bytes[..*at])))
}

fn ends_with_scheme(before: &[u8]) -> bool {
    let ends = |scheme: &[u8]| {
        before.len().checked_sub(scheme.len()).is_some_and(|from| before[from..].eq_ignore_ascii_case(scheme))
    };
    ends(b"file") || ends(b"http") || ends(b"https")
}

/// The word around a place, if it is a link with slashes of both kinds, or a share that nobody has at home: by its
/// address, or over the web. A server's name in a text is everyday.
fn oddly_written(text: &str, at: usize) -> Option<String> {
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']' | '|');
    let from = text.ceil_char_boundary(at.saturating_sub(16));
    let start = text[from..at].rfind(is_edge).map(|edge| text.ceil_char_boundary(from + edge + 1));
    let start = start.or((from == 0).then_some(0))?;
    let to = text.floor_char_boundary((start + LINK_BYTES_MAX).min(text.len()));
    let word = &text[start..text[start..to].find(is_edge).map_or(to, |edge| start + edge)];
    let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    let is_strange = Share::of(word).is_some_and(|share| share.is_strange());
    // Slashes are escaped in what programmers write.
    let is_escaped = word.contains("\\/\\/") || word.contains("\\\\/\\\\/");
    let is_mixed = !is_escaped
        && word.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("http"))
        && Url::parse(word).is_some_and(|url| Oddity::of(word, &url).is_some_and(|oddity| !oddity.may_be_mistake));
    ((is_strange || is_mixed) && !is_quoted(text, start)).then(|| word.to_owned())
}

/// Whether a place is in a line that somebody quotes: what is odd there is talked about.
fn is_quoted(text: &str, at: usize) -> bool {
    let from = text.ceil_char_boundary(at.saturating_sub(LINK_BYTES_MAX));
    let line = text[from..at].rfind('\n').map_or(from, |end| from + end + 1);
    text[line..at].trim_start().starts_with('>')
}

fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?.trim_end_matches('.');
    (!host.is_empty() && host.len() <= 255).then(|| DomainName::of(host).into())
}

/// The registrable part of a host; an address or an unknown name stands for itself.
pub(crate) fn registrable(host: &str) -> Option<String> {
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

    proptest::proptest! {
        /// Chunk by chunk is as good as the whole.
        #[test]
        fn words_are_those_of_unicode(text in "[ -~\u{9}-\u{d}\u{1c}-\u{1f}\u{85}\u{a0}\u{3000}\u{c4}\u{130}]{0,60}") {
            let mut folded = Vec::new();
            fold(&text, &mut folded);
            let lower = |word: &str| word.chars().flat_map(char::to_lowercase).collect::<String>();
            let words: Vec<String> = text.split_whitespace().map(lower).collect();
            proptest::prop_assert_eq!(folded, words.join(" ").into_bytes());
        }
    }

    #[test]
    fn a_calendar_is_unfolded() {
        let invite = b"BEGIN:VCALENDAR\r\nDESCRIPTION:pay at https://evil.exam\r\n ple/login\\nor \
            later\r\nURL:https://x.exa\r\n\tmple/\r\nEND:VCALENDAR\r\n";
        assert_eq!(links(&as_read(invite)), ["https://evil.example/login", "https://x.example/"]);
        assert_eq!(as_read(b"no\r\n calendar\\n"), "no\r\n calendar\\n");
        assert_eq!(organisation("Anna@Mail.Shop.example.co.uk").as_deref(), Some("example.co.uk"));
    }

    #[test]
    fn links_of_a_text_as_mail_programs_make_them() {
        for (text, expected) in [
            ("see https:/\\evil.example/x, please", "https:/\\evil.example/x"),
            ("(http:\\/evil.example)", "http:\\/evil.example"),
            ("open \\\\203.0.113.9\\share\\a.lnk now", "\\\\203.0.113.9\\share\\a.lnk"),
            ("<file:///\\\\203.0.113.9\\share>", "file:///\\\\203.0.113.9\\share"),
            ("file://203.0.113.9/a.", "file://203.0.113.9/a"),
            ("see http://3405803785/x", "http://3405803785/x"),
            ("\\\\evil.example@SSL\\DavWWWRoot\\a", "\\\\evil.example@SSL\\DavWWWRoot\\a"),
        ] {
            let found: BTreeSet<String> = links(text).into_iter().collect();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), [expected], "{text}");
        }
        for text in [
            "the plan is at \\\\server\\share\\plan.docx",
            "\\\\fs01.partner.example\\share",
            "file://10.1.2.3/share/a",
            "C:\\\\Users\\\\anna",
            "a\\/b and \\\\begin{x}",
            "http:/lists.example.com/mailman",
            "The ms-msdt: scheme was switched off.",
            "x = \"http:\\\\/\\\\/www.example.com\\\\/a/b\"",
            "s/http:\\/\\/www.example.com\\/a/b/",
            "> > what is http://3405803785/?",
        ] {
            assert_eq!(links(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn words_that_may_be_a_password() {
        let found = passwords(&["The password is 'Se-cret7'.", "Passwort: abc123", "PIN:4711", "nothing here"]);
        for word in ["Se-cret7", "abc123", "4711"] {
            assert!(found.iter().any(|known| known == word), "{word} in {found:?}");
        }
        assert!(passwords(&["nothing announces a word"]).is_empty());
    }

    #[test]
    fn registrable_domains_of_urls() {
        let html = "<a href=\"https://user@www.shop.example.co.uk:8443/x?y\">http://10.1.2.3/a</a> mail \
            me@mail.example https://b.example.com.";
        assert_eq!(url_domains(&[html]), ["10.1.2.3", "example.co.uk", "example.com"]);
    }
}
