//! Calendars and cards (RFC 5545, RFC 6350): the links in them. Their files are taken out by `unpack`.

use crate::text;

/// Bytes of one file that are read.
const FILE_BYTES_MAX: usize = 8 << 20;
/// Lines of one file that are read, once they are unfolded.
const LINES_MAX: usize = 100_000;
/// Links of one file that are kept.
const FOUND_MAX: usize = 500;
/// Properties whose value is a link where it is not declared to be something else.
const LINKS: [&str; 12] =
    ["url", "conference", "attach", "source", "tzurl", "photo", "logo", "sound", "key", "fburl", "caluri", "caladruri"];

/// A line in its parts: its name in lower case, its parameters, its value with escapes undone.
struct Line {
    name: String,
    parameters: Vec<(String, String)>,
    value: String,
}

impl Line {
    fn parameter(&self, wanted: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    fn is_binary(&self) -> bool {
        self.parameter("encoding")
            .is_some_and(|word| word.eq_ignore_ascii_case("base64") || word.eq_ignore_ascii_case("b"))
            || self.parameter("value").is_some_and(|word| word.eq_ignore_ascii_case("binary"))
    }
}

/// The links of a calendar or a card: those of its properties, and those in its texts.
pub fn links(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for line in lines(bytes) {
        // ALTREP is another place at which the text is to be read.
        found.extend(line.parameter("altrep").map(str::to_owned));
        if line.is_binary() || line.value.starts_with("data:") {
            continue;
        }
        if LINKS.contains(&line.name.as_str()) {
            found.push(line.value.trim().to_owned());
        } else if line.value.contains('<') && line.name.starts_with("x-alt-desc") {
            let page = super::html::read(line.value.as_bytes(), false);
            found.extend(page.links.into_iter().map(|link| link.target));
        } else if line.value.contains(':') || line.value.contains('\\') {
            found.extend(text::links(&line.value));
        }
        if found.len() >= FOUND_MAX {
            break;
        }
    }
    found.retain(|link| !link.is_empty());
    found.truncate(FOUND_MAX);
    found
}

/// Bytes of the text of one calendar that are kept.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Properties that programs show as text.
const TEXTS: [&str; 5] = ["summary", "description", "location", "comment", "note"];

/// What people read of a calendar or a card.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in lines(bytes).iter().filter(|line| TEXTS.contains(&line.name.as_str()) && !line.is_binary()) {
        let room = TEXT_BYTES_MAX.saturating_sub(text.len());
        text.push_str(&line.value[..line.value.floor_char_boundary(room)]);
        text.push('\n');
        if line.value.len() >= room {
            break;
        }
    }
    text
}

/// The lines of the file, unfolded (RFC 5545 section 3.1); none if it is neither calendar nor card.
fn lines(bytes: &[u8]) -> Vec<Line> {
    let begin = bytes.iter().position(|byte| byte.is_ascii_alphabetic()).unwrap_or(bytes.len());
    if !bytes[begin..].get(..6).is_some_and(|head| head.eq_ignore_ascii_case(b"BEGIN:")) {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(FILE_BYTES_MAX)]);
    let head = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let begins = |word: &str| head.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if !begins("BEGIN:VCALENDAR") && !begins("BEGIN:VCARD") {
        return Vec::new();
    }
    let unfolded = head.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    unfolded.lines().take(LINES_MAX).filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let mut is_quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '"';
        *c == ':' && !is_quoted
    });
    let (head, value) = (&text[..end?.0], &text[end?.0 + 1..]);
    let mut words = split_unquoted(head).into_iter();
    // A card may name the group of a property before it.
    let name = words.next()?.rsplit('.').next()?.to_lowercase();
    let parameters = words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_lowercase(), value.trim_matches('"').to_owned()))
        .collect();
    let value = value.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";");
    Some(Line { name, parameters, value })
}

fn split_unquoted(text: &str) -> Vec<&str> {
    let (mut is_quoted, mut start, mut words) = (false, 0, Vec::new());
    for (at, c) in text.char_indices() {
        is_quoted ^= c == '"';
        if c == ';' && !is_quoted {
            words.push(&text[start..at]);
            start = at + 1;
        }
    }
    words.push(&text[start..]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_of_an_invitation() {
        let invitation = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nURL:https://a.exa\r\n mple/1\r\nDESCRIPTION;\
            ALTREP=\"https://b.example/2\":pay at https://c.example/3\\nsoon\r\nCONFERENCE;VALUE=URI:\
            https:/\\d.example/4\r\nATTACH:file://203.0.113.9/a\r\nX-ALT-DESC;\
            FMTTYPE=text/html:<a href=\"ms-msdt:/id\">x</a>\r\nATTACH;ENCODING=BASE64;\
            VALUE=BINARY;FILENAME=\"a.exe\":TVqQ\r\n AAM=\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            links(invitation),
            [
                "https://a.example/1",
                "https://b.example/2",
                "https://c.example/3",
                "https:/\\d.example/4",
                "file://203.0.113.9/a",
                "ms-msdt:/id",
            ]
        );
        let card = b"BEGIN:VCARD\nitem1.URL:https://a.example/\nNOTE:see https://b.example/\n\
            PHOTO:data:image/png;base64,iVBO\nEND:VCARD";
        assert_eq!(links(card), ["https://a.example/", "https://b.example/"]);
        assert!(links(b"URL:https://a.example/").is_empty() && links(b"").is_empty());
    }

    #[test]
    fn texts_of_an_invitation() {
        let invitation = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=en:Unpaid\\, inv\r\n oice\r\n\
            DESCRIPTION:Pay\\nnow\r\nLOCATION:here\r\nUID:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(text(invitation), "Unpaid, invoice\nPay\nnow\nhere\n");
        assert_eq!(text(b"SUMMARY:no calendar"), "");
        let long = format!("BEGIN:VCARD\nNOTE:{}\nNOTE:more\n", "\u{e9}".repeat(TEXT_BYTES_MAX));
        assert!(text(long.as_bytes()).len() <= TEXT_BYTES_MAX + 1);
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_look_ends(
            text in "(URL:|DESCRIPTION|;|\"|:|\\\\n|ATTACH;ENCODING=BASE64:|\
                QQ==|\r\n ?|\u{e9}|https://a|<a href=){0,40}"
        ) {
            let whole = format!("BEGIN:VCARD\r\n{text}");
            prop_assert!(links(whole.as_bytes()).len() <= FOUND_MAX);
        }
    }
}
