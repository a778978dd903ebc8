//! The languages that are offered, and which one a reader has.

use std::path::Path;

use crate::language::{ENGLISH, GERMAN, Language};

/// Bytes of a file at most.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Languages of a browser that are looked at.
const ASKED_MAX: usize = 20;

/// All languages that are there, the one for who asks for none of them first.
#[derive(Clone, Debug)]
pub struct Languages(Vec<Language>);

impl Languages {
    /// The shipped ones, English first.
    ///
    /// # Panics
    /// Never: a test reads them.
    pub fn shipped() -> Self {
        Self([ENGLISH, GERMAN].map(|text| Language::read(text).expect("a shipped language is read")).into())
    }

    /// The shipped ones, with the one of this tag first, or with that of a file in `folder`.
    ///
    /// # Errors
    /// When there is no such language, or the file cannot be used.
    pub fn with(first: &str, folder: &Path) -> Result<Self, String> {
        let Self(mut all) = Self::shipped();
        if let Some(at) = all.iter().position(|one| *one.tag == *first) {
            all.swap(0, at);
            return Ok(Self(all));
        }
        if !first.ends_with(".ftl") {
            return Err(format!("'{first}' is neither en nor de, and no file whose name ends in .ftl"));
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

    /// All of them, for a list to choose from.
    pub fn all(&self) -> &[Language] {
        &self.0
    }

    /// The one with a tag.
    pub fn tagged(&self, tag: &str) -> Option<&Language> {
        self.0.iter().find(|one| *one.tag == *tag)
    }

    /// The one that a browser asks for by `Accept-Language` (RFC 9110 section 12.5.4), or the first.
    pub fn asked(&self, accept: &str) -> &Language {
        let mut wanted: Vec<(f32, &str)> = accept.split(',').take(ASKED_MAX).filter_map(weighed).collect();
        wanted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let known = |tag: &str| {
            let main = tag.split('-').next().unwrap_or_default();
            self.0.iter().find(|one| one.tag.split('-').next().is_some_and(|ours| ours.eq_ignore_ascii_case(main)))
        };
        wanted.into_iter().find_map(|(_, tag)| known(tag)).unwrap_or(&self.0[0])
    }
}

/// A language of `Accept-Language` with how much it is wanted; none where it is not wanted at all.
fn weighed(one: &str) -> Option<(f32, &str)> {
    let (tag, weight) = one.split_once(';').unwrap_or((one, "q=1"));
    let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
    (weight > 0.0 && !tag.trim().is_empty()).then_some((weight, tag.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_say_what_they_want() {
        let languages = Languages::shipped();
        for (accept, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("fr-FR, en-GB;q=0.7, de;q=0.3", "en"),
            ("fr", "en"),
            ("", "en"),
            ("de;q=0", "en"),
            ("en;q=0.1,DE;q=0.2", "de"),
            (";;,,q=", "en"),
        ] {
            assert_eq!(&*languages.asked(accept).tag, expected, "{accept}");
        }
    }

    #[test]
    fn a_file_is_a_language() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("la.ftl"), "# tag: la\nlanguage-name = Lingua Latina\n").expect("written");
        let languages = Languages::with("la.ftl", folder.path()).expect("it is read");
        assert_eq!(languages.asked("xx").name(), "Lingua Latina");
        assert_eq!(languages.all().len(), 3);
        assert!(Languages::with("xx", folder.path()).is_err_and(|why| why.contains("neither en nor de")));
        assert!(Languages::with("no.ftl", folder.path()).is_err_and(|why| why.contains("no.ftl")));
        assert_eq!(&*Languages::with("de", folder.path()).expect("shipped").asked("").tag, "de");
    }
}
