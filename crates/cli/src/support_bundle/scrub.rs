//! What of a text leaves this host: no address of mail, no URL, and nothing that stands in quotes, since that is where
//! our messages have what strangers wrote. Each becomes a keyed hash: equal ones are seen as equal, and nobody can tell
//! what they were, for the key is new for each bundle and kept nowhere.

use domain::token::{TokenKey, seal};
use platform::clock::Clock;
use platform::keys::random;
use serde_json::Value;

/// What the hashes are for.
const PURPOSE: &str = "support-bundle";
/// Hexadecimal digits of a hash that are shown.
const DIGITS: usize = 12;

/// Takes out what is not to leave this host.
#[derive(Debug)]
pub(super) struct Scrubber {
    key: TokenKey,
}

impl Scrubber {
    /// With a key of its own.
    pub(super) fn new(clock: &dyn Clock) -> Self {
        Self { key: TokenKey::new(random(clock)) }
    }

    /// Every text of a JSON value.
    pub(super) fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(all) => all.iter_mut().for_each(|one| self.json(one)),
            Value::Object(fields) => fields.values_mut().for_each(|one| self.json(one)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text, line by line: a quote that is not closed in its line takes the rest of it.
    pub(super) fn text(&self, text: &str) -> String {
        text.split('\n').map(|line| self.line(line)).collect::<Vec<_>>().join("\n")
    }

    fn line(&self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(opens_quote) {
            let (before, quoted) = rest.split_at(at);
            // An apostrophe within a word opens nothing.
            let is_within = before.ends_with(char::is_alphanumeric) && quoted.starts_with('\'');
            let mark = quoted.chars().next().map_or(0, char::len_utf8);
            if is_within {
                out.push_str(&self.words(before));
                out.push('\'');
                rest = &quoted[mark..];
                continue;
            }
            let inside = &quoted[mark..];
            let end = end_of_quote(inside, &quoted[..mark]);
            out.push_str(&self.words(before));
            out.push_str(&self.hashed("text", &inside[..end]));
            rest = inside.get(end + mark..).unwrap_or_default();
        }
        out.push_str(&self.words(rest));
        out
    }

    /// Words as they are, but for addresses and URLs.
    fn words(&self, text: &str) -> String {
        let word = |word: &str| match word {
            _ if word.contains("://") => self.hashed("url", word),
            _ if word.contains('@') => self.hashed("address", word),
            _ => word.to_owned(),
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }

    fn hashed(&self, what: &str, text: &str) -> String {
        // The same address is the same, whatever stands around it.
        let text = text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let hash = seal(&self.key, PURPOSE, &text).hex();
        format!("[{what} {}]", hash.get(..DIGITS).unwrap_or(&hash))
    }
}

fn opens_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// Where a quote ends: at its mark, unless a backslash stands before that; or at the end of the line.
fn end_of_quote(inside: &str, mark: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if mark.starts_with(c) => return at,
            _ => {}
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::clock::SystemClock;

    #[test]
    fn addresses_urls_and_what_stands_in_quotes_do_not_leave() {
        let scrubber = Scrubber::new(&SystemClock);
        let lines = [
            "2026-11-27T10:00:00Z WARN from <MARKED@x.example> to marked@y.example, ip=192.0.2.1",
            "call 3 of https://hooks.example/MARKED?token=marked fault=no answer",
            "reason=\"the \\\"MARKED\\\" file\" name='marked.exe' mail_id=0192f0c1-2b3c-7000-8000-000000000000",
            "an open \"quote MARKED",
        ];
        for line in lines {
            let told = scrubber.text(line);
            assert!(!told.to_lowercase().contains("marked"), "{told}");
        }
        let told = scrubber.text(lines[2]);
        assert!(told.contains("mail_id=0192f0c1-2b3c-7000-8000-000000000000"), "{told}");
        assert_eq!(scrubber.text("the gateway's log, 3 of 4"), "the gateway's log, 3 of 4");
    }

    #[test]
    fn equal_ones_are_seen_as_equal_within_one_bundle() {
        let (one, other) = (Scrubber::new(&SystemClock), Scrubber::new(&SystemClock));
        assert_eq!(one.text("<a@x.example>"), one.text("A@x.example,"));
        assert_ne!(one.text("a@x.example"), one.text("b@x.example"));
        assert_ne!(one.text("a@x.example"), other.text("a@x.example"));
    }

    #[test]
    fn every_text_of_a_value_is_looked_at() {
        let mut value = serde_json::json!({ "a": [{ "b": "to m@x.example" }, 3, true, null] });
        Scrubber::new(&SystemClock).json(&mut value);
        assert!(value["a"][0]["b"].as_str().is_some_and(|text| text.starts_with("to [address ")), "{value}");
    }
}
