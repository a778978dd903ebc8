//! What of a text leaves this host: no address of mail, no URL, nothing that stands in quotes, since that is where our
//! messages have what strangers wrote, and nothing that another host has said but its codes: a reply may have a subject
//! or a name in it. Of a DNS list only its last labels: the first may be a key that somebody has bought. Each becomes a
//! keyed hash: equal ones are seen as equal, and nobody can tell what they were, for the key is new for each bundle and
//! kept nowhere.

use domain::token::{TokenKey, seal};
use platform::clock::Clock;
use platform::keys::random;
use serde_json::Value;

/// What the hashes are for.
const PURPOSE: &str = "support-bundle";
/// Hexadecimal digits of a hash that are shown.
const DIGITS: usize = 12;
/// The fields of JSON that have what another host said, without quotes around it.
const SAID: [&str; 1] = ["fault"];
/// What is told of such a text beside its codes, where it is in it: words of the system and of our own.
const KNOWN: [&str; 14] = [
    "timed out",
    "no answer",
    "in time",
    "refused",
    "reset",
    "unreachable",
    "closed",
    "broken pipe",
    "certificate",
    "not permitted",
    "permission denied",
    "no such file",
    "no space left",
    "panicked",
];
/// Labels of a DNS list that are told.
const LABELS: usize = 2;

/// Takes out what is not to leave this host.
#[derive(Debug)]
pub(super) struct Scrubber {
    key: TokenKey,
    /// DNS lists, each with what is told of it.
    zones: Vec<(String, String)>,
}

impl Scrubber {
    /// With a key of its own.
    pub(super) fn new(clock: &dyn Clock) -> Self {
        Self { key: TokenKey::new(random(clock)), zones: Vec::new() }
    }

    /// Takes out these DNS lists as well, but for their last labels.
    pub(super) fn know_lists(&mut self, zones: &[String]) {
        self.zones = zones.iter().map(|zone| (zone.to_lowercase(), self.list(zone))).collect();
        // The longest first: one may be a part of another.
        self.zones.sort_by_key(|(zone, _)| std::cmp::Reverse(zone.len()));
    }

    fn list(&self, zone: &str) -> String {
        let labels: Vec<&str> = zone.trim_end_matches('.').split('.').collect();
        let (first, last) = labels.split_at(labels.len().saturating_sub(LABELS));
        if first.is_empty() { zone.to_owned() } else { format!("{}.{}", self.hashed("list", zone), last.join(".")) }
    }

    /// Every text of a JSON value.
    pub(super) fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(all) => all.iter_mut().for_each(|one| self.json(one)),
            Value::Object(fields) => fields.iter_mut().for_each(|(name, one)| match one {
                Value::String(text) if SAID.contains(&name.as_str()) => *text = self.said(text),
                one => self.json(one),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What another host said, or what we say of it: its codes, what is known of it, and a hash of the rest.
    fn said(&self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        let lower = text.to_lowercase();
        let words = text.split(|c: char| c.is_whitespace() || "-:;,()".contains(c));
        let codes = words.filter(|word| is_code(word) || is_enhanced_code(word)).take(4).map(str::to_owned);
        let known = KNOWN.iter().filter(|known| lower.contains(*known)).map(|known| (*known).to_owned());
        let told: Vec<String> = codes.chain(known).chain([self.hashed("text", text)]).collect();
        told.join(" ")
    }

    /// A text without DNS lists, whatever stands around them.
    pub(super) fn without_lists(&self, text: &str) -> String {
        self.zones.iter().fold(text.to_owned(), |text, (zone, told)| replaced(&text, zone, told))
    }

    /// A text, line by line: a quote that is not closed in its line takes the rest of it.
    pub(super) fn text(&self, text: &str) -> String {
        let text = self.without_lists(text);
        text.split('\n').map(|line| self.line(line)).collect::<Vec<_>>().join("\n")
    }

    fn line(&self, line: &str) -> String {
        match reply(line) {
            Some(at) => format!("{}{}", self.unquoted(&line[..at]), self.said(&line[at..])),
            None => self.unquoted(line),
        }
    }

    /// A line without what stands in quotes.
    fn unquoted(&self, line: &str) -> String {
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
    pub(super) fn words(&self, text: &str) -> String {
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

/// Where a line has the reply of a mail host: from there on it is its text. A number alone is no reply.
fn reply(line: &str) -> Option<usize> {
    let mut at = 0;
    for word in line.split_inclusive([' ', '-', '=', '"', '\'', '(']) {
        let (code, end) = word.split_at(word.len() - word.chars().next_back().map_or(0, char::len_utf8));
        let (before, behind) = (&line[..at], &line[at + word.len()..]);
        if is_code(code) && matches!(end, " " | "-") && is_reply(before, behind) {
            return Some(at);
        }
        at += word.len();
    }
    None
}

/// Whether what stands before and behind a number makes it a code, and not so many of something.
fn is_reply(before: &str, behind: &str) -> bool {
    let mut words = behind.split([' ', '-']).filter(|word| !word.is_empty());
    let next = words.next().unwrap_or_default();
    // At the beginning of a text one word more is a unit.
    let begins = before.is_empty() && words.next().is_some();
    let is_said = begins || [": ", "=", "answered ", "said ", "("].iter().any(|end| before.ends_with(end));
    is_enhanced_code(next) || is_said && !next.contains('=')
}

/// Whether it is a code of a refusal in SMTP (RFC 5321 section 4.2.1), or in HTTP.
fn is_code(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()) && word.starts_with(['4', '5'])
}

/// Whether it is one of RFC 3463.
fn is_enhanced_code(word: &str) -> bool {
    let numbers: Vec<&str> = word.split('.').collect();
    let is_number = |text: &&str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.len() == 3 && numbers.iter().all(is_number) && word.starts_with(['4', '5'])
}

/// A text with another in the place of one, in whatever case that is written.
fn replaced(text: &str, one: &str, other: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut out, mut from) = (String::new(), 0);
    while let Some(at) = lower[from..].find(one).map(|at| from + at) {
        out.push_str(&text[from..at]);
        out.push_str(other);
        from = at + one.len();
    }
    out.push_str(&text[from..]);
    out
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
    fn of_what_another_host_said_only_codes_are_told() {
        let scrubber = Scrubber::new(&SystemClock);
        let mut health = serde_json::json!({ "reconcilers": [{ "name": "release", "fault": "connection refused",
            "failing_items": [{ "fault": "550 5.7.1 Message Marked for Marked Meyer refused" }] }] });
        scrubber.json(&mut health);
        let told = health.to_string();
        assert!(!told.to_lowercase().contains("marked") && told.contains("550 5.7.1 refused"), "{told}");
        for line in [
            "WARN it fails error=554 5.6.0 your mail marked was not taken",
            "it answered 451 4.3.0 try marked again",
            "hop.example says: 550 Marked is not here",
            "550-5.7.1 marked",
        ] {
            let told = scrubber.text(line);
            assert!(!told.to_lowercase().contains("marked"), "{told}");
        }
        for line in [
            "3 of 450 entries",
            "it is 412 entries behind since 09:00",
            "502 MiB",
            "on port 465 of a host",
            "WARN units=450 took=3",
        ] {
            assert!(scrubber.text(line).ends_with(&line[3..]), "{}", scrubber.text(line));
        }
    }

    #[test]
    fn of_a_dns_list_the_last_labels_are_told() {
        let mut scrubber = Scrubber::new(&SystemClock);
        scrubber.know_lists(&["marked0123.zen.dq.lists.example".into(), "lists.example".into()]);
        let told = scrubber.text("dnsbl.zones = MARKED0123.zen.dq.lists.example, lists.example");
        assert!(!told.to_lowercase().contains("marked"), "{told}");
        assert!(told.contains("].lists.example, ") && told.ends_with(" lists.example"), "{told}");
        let told = scrubber.without_lists("engine{engine=\"dnsbl marked0123.zen.dq.lists.example\"} 3");
        assert!(told.starts_with("engine{engine=\"dnsbl [list ") && told.ends_with("].lists.example\"} 3"), "{told}");
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
