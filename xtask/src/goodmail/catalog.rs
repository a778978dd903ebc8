//! The translations that projects ship beside their templates: gettext (.po), and lists of keys in JSON, YAML, PHP,
//! Java properties. All become one table from a key or an English text to the text of a language.

use std::collections::BTreeMap;

/// A table of texts.
#[derive(Default)]
pub(super) struct Catalog(BTreeMap<String, String>);

impl Catalog {
    /// Adds the texts of a file; its name says its format.
    pub(super) fn add(&mut self, name: &str, text: &str) {
        match name.rsplit('.').next().unwrap_or_default() {
            "po" => self.gettext(text),
            "json" => {
                if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
                    self.json(value);
                }
            }
            "yml" | "yaml" => self.indented(text),
            "php" => self.php(text),
            "properties" => self.properties(text),
            _ => {}
        }
    }

    /// Whether it has nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of a key: the whole key, or its end behind a name of a file (`shop::app.`) or a scope (`.key`).
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let key = key.trim();
        let found = self.0.get(key).or_else(|| self.0.get(&squeezed(key)));
        if let Some(text) = found {
            return Some(text);
        }
        let bare = key.rsplit("::").next().unwrap_or(key).trim_start_matches('.');
        let tail = bare.split_once(['.', ':']).map_or(bare, |(_, tail)| tail);
        // Go's lists have a text for each number.
        let other = || self.0.get(&format!("{bare}.other"));
        self.0.get(bare).or_else(|| self.0.get(tail)).or_else(other).map(String::as_str)
    }

    fn put(&mut self, key: &str, text: &str) {
        if !key.is_empty() && !text.is_empty() {
            self.0.entry(squeezed(key)).or_insert_with(|| text.to_owned());
        }
    }

    fn gettext(&mut self, text: &str) {
        let (mut id, mut string, mut to_string, mut is_plural) = (String::new(), String::new(), false, false);
        for line in text.lines().chain(["msgid \"\""]) {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("msgid ") {
                self.put(&id, &string);
                (id, string, to_string, is_plural) = (unquoted(rest), String::new(), false, false);
            } else if line.starts_with("msgid_plural") || line.starts_with("msgstr[1") || line.starts_with("msgstr[2") {
                is_plural = true;
            } else if let Some(rest) = line.strip_prefix("msgstr ").or_else(|| line.strip_prefix("msgstr[0] ")) {
                (string, to_string, is_plural) = (unquoted(rest), true, false);
            } else if line.starts_with('"') && !is_plural {
                if to_string { &mut string } else { &mut id }.push_str(&unquoted(line));
            }
        }
    }

    fn json(&mut self, value: serde_json::Value) {
        let mut open = vec![(String::new(), value)];
        while let Some((key, value)) = open.pop() {
            match value {
                serde_json::Value::Object(fields) => {
                    open.extend(fields.into_iter().map(|(name, value)| (dotted(&key, &name), value)));
                }
                serde_json::Value::String(text) => self.put(&key, &text),
                _ => {}
            }
        }
    }

    /// The part of YAML that lists of texts use: keys by indentation, a text behind a colon or folded below it.
    fn indented(&mut self, text: &str) {
        let mut path: Vec<(usize, String)> = Vec::new();
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let depth = line.len() - line.trim_start().len();
            let Some((name, value)) = line.trim().split_once(':') else { continue };
            if name.contains(' ') && !name.starts_with(['"', '\'']) {
                continue;
            }
            path.retain(|(at, _)| *at < depth);
            path.push((depth, name.trim_matches(['"', '\'']).to_owned()));
            let value = value.trim();
            if !value.is_empty() && !value.starts_with(['|', '>', '&', '*']) {
                let names: Vec<&str> = path.iter().map(|(_, name)| name.as_str()).collect();
                let value = value.trim_matches(['"', '\'']).replace("''", "'").replace("\\n", " ");
                self.put(&names.join("."), &value);
                // Without the name of the language, which is the outermost in lists of Ruby.
                self.put(&names.get(1..).unwrap_or_default().join("."), &value);
            }
        }
    }

    /// Arrays of PHP (`'key' => 'text'`, nested) and assignments (`$_['key'] = 'text';`).
    fn php(&mut self, text: &str) {
        let mut path: Vec<String> = Vec::new();
        for line in text.lines().map(str::trim) {
            let pair = line.split_once("=>").or_else(|| line.split_once("'] "));
            match pair {
                Some((key, value)) => {
                    let key = key.trim().trim_start_matches("$_['").trim_matches(['\'', '"']).to_owned();
                    let value = value.trim().trim_start_matches(['=', ' ']).trim();
                    if value.ends_with('[') || value.ends_with("array(") {
                        path.push(key);
                        continue;
                    }
                    let value = value.trim_end_matches([',', ';']).trim_matches(['\'', '"']).replace("\\'", "'");
                    let whole = path.iter().map(String::as_str).chain([key.as_str()]).collect::<Vec<_>>().join(".");
                    self.put(&whole, &value);
                }
                None if line.starts_with(']') || line.starts_with("),") => drop(path.pop()),
                None => {}
            }
        }
    }

    fn properties(&mut self, text: &str) {
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            self.put(key.trim(), &value.trim().replace("''", "'"));
        }
    }
}

fn dotted(before: &str, name: &str) -> String {
    if before.is_empty() { name.to_owned() } else { format!("{before}.{name}") }
}

fn unquoted(text: &str) -> String {
    let inner = text.trim().trim_start_matches('"');
    inner.strip_suffix('"').unwrap_or(inner).replace("\\n", "\n").replace("\\\"", "\"")
}

/// With single blanks, so that a text is found however its template breaks lines.
pub(super) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Catalog {
        let mut catalog = Catalog::default();
        catalog.add(name, text);
        catalog
    }

    #[test]
    fn every_format_gives_its_texts() {
        let po = "msgid \"Hi \"\n\"there\"\nmsgstr \"Hallo \"\n\"du\"\n\nmsgid \"%d day\"\nmsgid_plural \"%d days\"\n\
            msgstr[0] \"%d Tag\"\nmsgstr[1] \"%d Tage\"\n";
        assert_eq!(of("django.po", po).text("Hi\n  there"), Some("Hallo du"));
        assert_eq!(of("django.po", po).text("%d day"), Some("%d Tag"));
        let yaml = "de:\n  mailer:\n    reset: \"Neues Passwort\"\n  other: Text\n";
        assert_eq!(of("de.yml", yaml).text("mailer.reset"), Some("Neues Passwort"));
        assert_eq!(of("de.yml", yaml).text(".other"), Some("Text"));
        let php = "return [\n 'emails' => [\n  'dear' => 'Liebe :name',\n ],\n];";
        assert_eq!(of("app.php", php).text("shop::app.emails.dear"), Some("Liebe :name"));
        assert_eq!(of("mail.php", "$_['text_ip'] = 'Adresse';").text("text_ip"), Some("Adresse"));
        assert_eq!(of("de.json", r#"{"a": {"b": "C"}}"#).text("a.b"), Some("C"));
        assert_eq!(of("m_de.properties", "label.hi=Hallo").text("label.hi"), Some("Hallo"));
        assert_eq!(of("m_de.properties", "label.hi=Hallo").text("nothing"), None);
    }
}
