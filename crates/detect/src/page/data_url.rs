//! Files in links: `data:` and what follows (RFC 2397, WHATWG Fetch 6.2). A page saves them with `download`, or shows
//! them in a frame.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::scheme::scheme_of;
use super::url::percent_decoded_bytes;

/// Letters of one such link that are read.
const LINK_CHARS_MAX: usize = 12 << 20;

/// A file in a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataUrl {
    /// Its declared type in lower case, without parameters.
    pub(super) media: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl DataUrl {
    /// The file of a link; none if the link is another.
    pub(super) fn parse(target: &str) -> Option<Self> {
        let target = target.trim_start_matches(|c: char| c <= ' ');
        let target = &target[..target.floor_char_boundary(target.len().min(LINK_CHARS_MAX))];
        let (head, body) = target.split_once(',')?;
        // Browsers leave out line ends wherever they stand.
        let head: String = head.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        let (_, kind) = scheme_of(&head).filter(|(scheme, _)| scheme == "data")?;
        let mut words = kind.split(';').map(str::trim);
        let media = words.next().unwrap_or_default().to_lowercase();
        let bytes = percent_decoded_bytes(body);
        let is_base64 = words.next_back().is_some_and(|last| last.eq_ignore_ascii_case("base64"));
        Some(Self { media, bytes: if is_base64 { forgiving(&bytes) } else { bytes } })
    }
}

impl DataUrl {
    /// What a file is called that has no name, where its declared type says how it is shown.
    pub(super) fn default_name(&self) -> &'static str {
        match self.media.as_str() {
            "text/html" => "page.html",
            "application/xhtml+xml" => "page.xhtml",
            "image/svg+xml" => "drawing.svg",
            _ => "",
        }
    }
}

/// Whether a link is one with a file in it.
pub(super) fn is_one(target: &str) -> bool {
    let head: String =
        target.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !c.is_ascii_whitespace()).take(5).collect();
    head.eq_ignore_ascii_case("data:")
}

/// Base64 as browsers forgive it: without blanks, whether or not its end is padded or cut off.
fn forgiving(text: &[u8]) -> Vec<u8> {
    const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let mut plain: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let end = plain.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    plain.truncate(end);
    if plain.len() % 4 == 1 {
        plain.pop();
    }
    GeneralPurpose::new(&alphabet::STANDARD, FORGIVING).decode(&plain).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_links() {
        let of = |target: &str| DataUrl::parse(target).map(|data| (data.media, data.bytes));
        let hello = |media: &str| Some((media.to_owned(), b"hello".to_vec()));
        assert_eq!(of("data:text/plain;base64,aGVsbG8="), hello("text/plain"));
        assert_eq!(of(" DATA:Text/Plain;charset=utf-8;BASE64,aGVs\nbG8"), hello("text/plain"));
        assert_eq!(of("da\nta:;base64,aGVsbG8%3D"), hello(""));
        assert_eq!(of("data:,hel%6Co"), hello(""));
        for target in ["data:text/plain", "https://www.example.com/,", "database,x", ""] {
            assert_eq!(of(target), None, "{target}");
        }
        assert_eq!(of("data:a;base64,%%%").map(|(_, bytes)| bytes.len()), Some(0));
        assert!(is_one("\td\nata:x") && !is_one("date:x"));
    }
}
