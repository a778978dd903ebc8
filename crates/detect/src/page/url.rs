//! A link of the web in its pieces, as browsers take it apart (WHATWG URL 4.4), and whether it is written as nobody
//! writes a link: browsers repair much, and what they repair hides the host from everybody else.

use super::host;

/// Bytes of a host, with what stands before it, that are read.
const AUTHORITY_BYTES_MAX: usize = 8 << 10;
/// Characters that look like a slash, and end a host for a reader.
const SLASHES_TO_READERS: [char; 7] = ['/', '\\', '?', '#', '\u{2044}', '\u{2215}', '\u{ff0f}'];

/// An absolute link in its pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// What stands before the host, up to `@`, escapes undone.
    pub user: String,
    /// The host in lower case, as it is looked up.
    pub host: String,
    /// The port, where one is named that is not the scheme's own.
    pub port: Option<u16>,
    /// Everything behind.
    pub rest: String,
}

/// What a link is before its host is understood.
struct Pieces<'t> {
    scheme: &'static str,
    /// The slashes between scheme and host, as they stand there.
    slashes: &'t str,
    authority: &'t str,
    rest: &'t str,
}

/// A text as browsers begin to read it: without blanks and controls at its ends, without tabs and line ends inside.
pub(crate) fn stripped(text: &str) -> String {
    let text = text.trim_matches(|c: char| c <= ' ');
    text.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect()
}

fn pieces(plain: &str) -> Option<Pieces<'_>> {
    let starts = |scheme: &str| plain.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    let (scheme, rest) = if starts("https:") {
        ("https", plain.get(6..)?)
    } else if starts("http:") {
        ("http", plain.get(5..)?)
    } else if plain.starts_with("//") || plain.starts_with("/\\") || plain.starts_with("\\/") {
        // Relative to whatever scheme shows the page; two backslashes are a share.
        ("https", plain)
    } else {
        return None;
    };
    let end = rest.find(|c| !matches!(c, '/' | '\\')).unwrap_or(rest.len());
    let (slashes, rest) = rest.split_at(end);
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    (authority.len() <= AUTHORITY_BYTES_MAX).then_some(Pieces { scheme, slashes, authority, rest })
}

impl Url {
    /// Takes a link of the web apart, as browsers do; none where they see no link either.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = stripped(text);
        let Pieces { scheme, authority, rest, .. } = pieces(&plain)?;
        let parsed = url::Url::parse(&format!("{scheme}://{authority}/")).ok()?;
        let host = parsed.host_str()?.trim_end_matches('.').to_owned();
        let fits = !host.is_empty() && host.len() <= 255 && !host.contains(['/', ' ']);
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        let rest = rest.replace('\\', "/");
        fits.then(|| Self { user: percent_decoded(user), host, port: parsed.port(), rest })
    }

    /// The registrable domain; an address stands for itself.
    pub fn domain(&self) -> String {
        registrable(&self.host)
    }

    /// The address that the host is, if it is one of the public internet.
    pub fn public_address(&self) -> Option<&str> {
        let v4 = self.host.parse().is_ok_and(host::is_public_v4);
        let v6 = || {
            let inner = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            inner.is_some_and(|inner| inner.parse().is_ok_and(host::is_public_v6))
        };
        (v4 || v6()).then_some(self.host.as_str())
    }

    /// The name before the host as a reader takes it: up to a colon, or to what looks like a slash.
    pub(super) fn user_as_read(&self) -> String {
        let user = self.user.split([':', '@']).next().unwrap_or_default();
        let user = user.split(SLASHES_TO_READERS).next().unwrap_or_default();
        user.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".").trim().to_lowercase()
    }
}

/// How a link is written that only browsers understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oddity {
    /// In words.
    pub(crate) what: &'static str,
    /// Whether people write so by mistake: where the host stands in the mail plainly as well, it was one.
    pub(crate) may_be_mistake: bool,
}

impl Oddity {
    const fn trick(what: &'static str) -> Self {
        Self { what, may_be_mistake: false }
    }

    const fn mistake(what: &'static str) -> Self {
        Self { what, may_be_mistake: true }
    }

    /// What is odd in the way in which a link is written; `url` is what browsers make of it.
    pub(crate) fn of(text: &str, url: &Url) -> Option<Self> {
        let plain = stripped(text);
        let pieces = pieces(&plain)?;
        let host = pieces.authority.rsplit('@').next().unwrap_or_default();
        odd_end(pieces.rest)
            .or_else(|| odd_host(host, url))
            .or_else(|| odd_slashes(&pieces, url))
            .or_else(|| odd_break(text, &pieces))
            .filter(|_| !is_at_home(url))
    }
}

/// A backslash ends a host for browsers; for others what stands before `@` is a user, and the host follows.
fn odd_end(rest: &str) -> Option<Oddity> {
    let segment = rest.strip_prefix('\\')?.split(['/', '?', '#']).next()?;
    segment.contains('@').then_some(Oddity::trick("with a backslash before another host"))
}

/// Whether a host is of the own network, where nothing is to be hidden.
fn is_at_home(url: &Url) -> bool {
    match url.host.parse() {
        Ok(address) => !host::is_public_v4(address),
        Err(_) => !url.host.starts_with('[') && !host::is_public_name(&url.host),
    }
}

fn odd_slashes(pieces: &Pieces<'_>, url: &Url) -> Option<Oddity> {
    match pieces.slashes {
        // What is written in JSON has all its slashes escaped.
        "\\/\\/" if !pieces.rest.replace("\\/", "").contains('/') => None,
        // Two backslashes, or a third slash, are a slip of the fingers that hides nothing.
        slashes if slashes.len() > 1 && (!slashes.contains('/') || !slashes.contains('\\')) => None,
        "" | "/" | "\\" if pieces.authority.contains('@') => {
            Some(Oddity::trick("without its two slashes, and with a name before the host"))
        }
        "" | "/" | "\\" if host::is_public_name(&url.host) || url.public_address().is_some() => {
            Some(Oddity::mistake("without its two slashes"))
        }
        "" | "/" | "\\" => None,
        _ => Some(Oddity::trick("with slashes of both kinds")),
    }
}

fn odd_host(host: &str, url: &Url) -> Option<Oddity> {
    let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
    let is_address = url.host.parse::<std::net::Ipv4Addr>().is_ok();
    if is_address && bare.trim_end_matches('.') != url.host && host.trim_end_matches('.') != url.host {
        return Some(Oddity::trick("with an address in other digits than usual"));
    }
    if host.contains('%') {
        return Some(Oddity::trick("with escapes in its host"));
    }
    // A full stop behind a link is one of its sentence.
    let host = host.trim_end_matches(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']);
    for c in host.chars().filter(|c| !c.is_ascii()) {
        match c {
            // A hyphen, a joiner or a blank that nobody sees: copied along, or put there.
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {
                return Some(Oddity::mistake("with characters in its host that nobody sees"));
            }
            // Ligatures are copied out of a PDF.
            '\u{fb00}'..='\u{fb06}' => {}
            _ if idna::domain_to_unicode(c.encode_utf8(&mut [0; 4])).0.is_ascii() => {
                return Some(Oddity::trick("with letters in its host that browsers take for others"));
            }
            _ => {}
        }
    }
    None
}

/// Tabs and line ends inside the scheme or the host.
fn odd_break(text: &str, pieces: &Pieces<'_>) -> Option<Oddity> {
    let is_break = |c: &char| matches!(c, '\t' | '\r' | '\n');
    let text = text.trim_matches(|c: char| c <= ' ');
    let before_rest = text.chars().filter(|c| !is_break(c)).count() - pieces.rest.chars().count();
    let (mut seen, mut found) = (0, None);
    for c in text.chars() {
        if !is_break(&c) {
            seen += 1;
        } else if seen < before_rest {
            if c == '\t' {
                return Some(Oddity::trick("with a tab in it"));
            }
            // A line of a mail that was too long is broken anywhere.
            found = Some(Oddity::mistake("with a line end in its host"));
        }
        if seen >= before_rest {
            break;
        }
    }
    found
}

/// The registrable part of a host, in the form in which people read it.
pub(crate) fn registrable(host: &str) -> String {
    let (shown, _) = idna::domain_to_unicode(host);
    psl::domain_str(&shown).map_or_else(|| shown.clone(), str::to_owned)
}

/// A text with its escapes undone.
pub(crate) fn percent_decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded_bytes(text)).into_owned()
}

/// The bytes that a text with escapes stands for.
pub(super) fn percent_decoded_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let value = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(value.unwrap_or(*byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(text: &str) -> Option<String> {
        Url::parse(text).map(|url| url.host)
    }

    fn odd(text: &str) -> Option<&'static str> {
        Oddity::of(text, &Url::parse(text)?).map(|oddity| oddity.what)
    }

    #[test]
    fn hosts_as_browsers_read_them() {
        let both = |text: &str| Url::parse(text).map(|url| (url.host, url.port));
        assert_eq!(both("HTTPS://User@WWW.Example.COM.:8443/x"), Some(("www.example.com".into(), Some(8443))));
        assert_eq!(both("https://[2001:db8::1]:99/"), Some(("[2001:db8::1]".into(), Some(99))));
        for text in [
            "http:\\\\evil.example\\x",
            "https:/\\evil.example/",
            "https:\\/evil.example/",
            "https:evil.example/",
            "https:/evil.example",
            "https:///evil.example/",
            "HtTpS:////evil.example",
            "//evil.example/x",
            "\u{1} https://evil.ex\r\n\tample/ ",
            "h\tttps://evil.example",
            "https://paypal.com\\@evil.example".replace("paypal.com\\@", "").as_str(),
            "https://www.paypal.com@evil.example",
            "https://a@b@evil.example/",
            "https://\u{ff45}vil\u{3002}example/",
            "https://evi%6c.example/",
            "https://ev\u{ad}il.example/",
        ] {
            assert_eq!(host(text).as_deref(), Some("evil.example"), "{text}");
        }
        for text in ["http://0xcb.0.0x71.9/", "http://3405803785/", "http://0313.0.0161.011/", "http://203.113.9/"] {
            let host = host(text).expect("an address");
            assert!(host.parse::<std::net::Ipv4Addr>().is_ok(), "{text} {host}");
        }
        assert_eq!(host("https://paypal.com\\@evil.example").as_deref(), Some("paypal.com"));
        for text in
            ["mailto:a@b.example", "https://", "https://a b/", "\\\\server\\share", "/path", "x", "", "http://%/"]
        {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn a_link_that_only_browsers_understand_is_odd() {
        for text in [
            "https:/\\evil.example/",
            "https:\\/evil.example/",
            "https:/evil.example/",
            "https:evil.example/x",
            "http:user@evil.example/x",
            "https:///\\evil.example/",
            "/\\evil.example/",
            "http://0xcb007109/",
            "http://0313.0.0161.011/",
            "http://3405803785/x",
            "ht\ttps://evil.example/",
            "https://ev\til.example/",
            "https://ev\nil.example/",
            "https://\u{ff45}vil.example/",
            "https://evil\u{3002}example/",
            "https://ev%69l.example/",
            "https://ev\u{200b}il.example/",
            "https://evil.example\\@www.paypal.com/",
        ] {
            assert!(odd(text).is_some(), "{text}");
        }
        for text in [
            "https://www.example.com/",
            "HTTP://WWW.EXAMPLE.COM:80/a\\b",
            "http:\\\\www.example.com\\a",
            "https:///www.example.com/",
            "https:\\/\\/www.example.com\\/a\\/b",
            "//www.example.com/logo",
            "https://www.example.com/a\r\n b",
            "\thttps://www.example.com/\n",
            "https://m\u{fc}nchen.de/",
            "https://www.o\u{fb03}ce.de/",
            "https://www.example.com\u{3002}",
            "http://12345/",
            "http://203.0.113.9:8080/",
            "http://192.168.1/",
            "http://0x7f.1/",
            "https:foo",
            "http:/server/x",
            "http://[2001:db8::1]/",
        ] {
            assert_eq!(odd(text), None, "{text}");
        }
    }

    proptest! {
        /// Whatever the text: where we see a host, the library that follows the standard sees the same one.
        #[test]
        fn our_pieces_agree_with_the_standard(
            text in "(https?:|HTTPS:)?[/\\\\]{0,4}([a-z@:%.0-9x\u{ff45}\u{3002}\t\n-]|xn--|\\.com){0,12}\
                [/?#\\\\]?[a-z@:/\\\\]{0,6}"
        ) {
            if let Some(ours) = Url::parse(&text)
                && stripped(&text).to_ascii_lowercase().starts_with("http")
            {
                let theirs = url::Url::parse(&text).ok().and_then(|url| url.host_str().map(str::to_owned));
                prop_assert_eq!(Some(ours.host), theirs.map(|host| host.trim_end_matches('.').to_owned()));
            }
        }
    }
}
