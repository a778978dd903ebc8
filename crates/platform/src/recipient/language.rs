//! The words that recipients read, a file a language: pages and notices say nothing that does not stand in it. A file
//! of one's own can be named in the configuration.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// The languages that are shipped. Another one is a file, and a line here.
const SHIPPED: [&str; 2] = [include_str!("language/en.toml"), include_str!("language/de.toml")];
/// Bytes of a file at most.
const FILE_BYTES_MAX: u64 = 256 << 10;

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

/// All languages that are there, the one that is meant where nobody asked for another first.
#[derive(Clone, Debug)]
pub struct Languages(Vec<Language>);

impl Languages {
    /// The shipped ones, English first.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn shipped() -> Self {
        Self(SHIPPED.iter().map(|text| Language::read(text).expect("a shipped language is complete")).collect())
    }

    /// The shipped ones, with the one of this tag first, or with that of a file.
    ///
    /// # Errors
    /// When there is no such language, or the file cannot be used.
    pub fn with(first: &str, folder: &Path) -> Result<Self, String> {
        let Self(mut all) = Self::shipped();
        if let Some(at) = all.iter().position(|one| one.tag == first) {
            all.swap(0, at);
            return Ok(Self(all));
        }
        let tags: Vec<&str> = all.iter().map(|one| one.tag.as_str()).collect();
        if !first.ends_with(".toml") {
            return Err(format!("'{first}' is none of {}, and no file whose name ends in .toml", tags.join(", ")));
        }
        let path = folder.join(first);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        if std::fs::metadata(&path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(format!("{}: a language has at most {FILE_BYTES_MAX} bytes", path.display()));
        }
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let own = Language::read(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        all.retain(|one| one.tag != own.tag);
        all.insert(0, own);
        Ok(Self(all))
    }

    /// The language of the house.
    pub fn first(&self) -> &Language {
        &self.0[0]
    }

    /// The one that a browser asks for by `Accept-Language` (RFC 9110 section 12.5.4), or that of the house.
    pub fn asked(&self, accept: &str) -> &Language {
        let mut wanted: Vec<(f32, &str)> = accept
            .split(',')
            .take(20)
            .filter_map(|one| {
                let (tag, weight) = one.split_once(';').map_or((one, "q=1"), |(tag, weight)| (tag, weight));
                let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
                (weight > 0.0).then_some((weight, tag.trim()))
            })
            .collect();
        wanted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let known = |tag: &str| {
            self.0.iter().find(|one| tag.split('-').next().is_some_and(|main| main.eq_ignore_ascii_case(&one.tag)))
        };
        wanted.into_iter().find_map(|(_, tag)| known(tag)).unwrap_or_else(|| self.first())
    }
}

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

    #[test]
    fn browsers_say_what_they_want() {
        let languages = Languages::with("en", Path::new(".")).expect("it is shipped");
        for (accept, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("fr-FR, en-GB;q=0.7, de;q=0.3", "en"),
            ("fr", "en"),
            ("", "en"),
            ("de;q=0", "en"),
            ("en;q=0.1,DE;q=0.2", "de"),
            (";;,,q=", "en"),
        ] {
            assert_eq!(languages.asked(accept).tag, expected, "{accept}");
        }
    }
}
