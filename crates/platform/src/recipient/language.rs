//! The words that recipients read, a file a language: pages and notices say nothing that does not stand in it. A file
//! of one's own can be named in the configuration.

use std::collections::BTreeMap;

use serde::Deserialize;
use texts::languages::Spoken;

/// The languages that are shipped. Another one is a file, and a line here.
const SHIPPED: [&str; 2] = [include_str!("language/en.toml"), include_str!("language/de.toml")];

/// One language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Its tag (RFC 5646), such as `en`.
    pub tag: String,
    /// What is said, by what it is called.
    texts: BTreeMap<String, String>,
    /// Why mail is held, by category.
    reasons: BTreeMap<String, String>,
}

impl Language {
    /// What is said; its name where nothing is, which [`Language::read`] rules out.
    pub fn say<'l>(&'l self, name: &'l str) -> &'l str {
        self.texts.get(name).map_or(name, String::as_str)
    }

    /// The same with a number in place of `{count}`.
    pub fn say_of(&self, name: &str, count: usize) -> String {
        let form = if count == 1 { format!("{name}.one") } else { name.to_owned() };
        self.texts.get(&form).map_or_else(|| self.say(name), String::as_str).replace("{count}", &count.to_string())
    }

    /// Why a mail of this category is held.
    pub fn reason<'l>(&'l self, category: &'l str) -> &'l str {
        self.reasons.get(category).map_or(category, String::as_str)
    }

    /// Reads a file of ours or of somebody else's.
    ///
    /// # Errors
    /// What is wrong with it: which words are missing, or stand there and mean nothing.
    pub fn read(text: &str) -> Result<Self, String> {
        let language = Self::parse(text)?;
        let model = Self::parse(SHIPPED[0])?;
        let names = |one: &Self| {
            let reasons = one.reasons.keys().map(|name| format!("reasons.{name}"));
            one.texts.keys().cloned().chain(reasons).collect::<std::collections::BTreeSet<String>>()
        };
        let (known, given) = (names(&model), names(&language));
        let list = |names: Vec<&String>| names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let missing = list(known.difference(&given).collect());
        let unknown = list(given.difference(&known).collect());
        match (missing.is_empty(), unknown.is_empty()) {
            (true, true) => Ok(language),
            (false, _) => Err(format!("these words are missing: {missing}")),
            (true, false) => Err(format!("these words mean nothing here: {unknown}")),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

impl Spoken for Language {
    const ENDING: &'static str = ".toml";

    fn shipped() -> Vec<Self> {
        SHIPPED.iter().map(|text| Self::read(text).expect("a shipped language is complete: a test reads it")).collect()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::read(text)
    }

    fn tag(&self) -> &str {
        &self.tag
    }
}

/// All languages that recipients may read, that of the house first.
pub type Languages = texts::languages::Languages<Language>;

#[cfg(test)]
mod tests {
    use super::*;
    use domain::detection::Category;

    #[test]
    fn the_shipped_languages_say_the_same_things() {
        for text in SHIPPED {
            let language = Language::read(text).expect("it is complete");
            for category in Category::ALL {
                assert_ne!(language.reason(category.as_str()), category.as_str(), "{}", language.tag);
            }
            assert!(language.say_of("notice.subject", 3).contains('3'));
            assert_ne!(language.say_of("notice.subject", 1), language.say_of("notice.subject", 2));
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let text = SHIPPED[0].replace("title = ", "titel = ");
        let why = Language::read(&text).expect_err("it is not complete");
        assert_eq!(why, "these words are missing: title");
    }

    #[test]
    fn a_file_is_a_language() {
        let folder = tempfile::tempdir().expect("a folder");
        let text =
            SHIPPED[0].replace("tag = \"en\"", "tag = \"la\"").replace("Mail held for you", "Epistulae tuae retentae");
        std::fs::write(folder.path().join("la.toml"), text).expect("it is written");
        let languages = Languages::with("la.toml", folder.path()).expect("it is read");
        assert_eq!(languages.first().say("title"), "Epistulae tuae retentae");
        assert!(Languages::with("xx", folder.path()).is_err_and(|why| why.contains("en, de")));
        assert!(Languages::with("no.toml", folder.path()).is_err());
    }
}
