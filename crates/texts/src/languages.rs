//! The languages that are offered, and which one a reader has.

use std::path::Path;

use crate::language::{ENGLISH, GERMAN, Language};

/// Bytes of a file at most.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Languages of a browser that are looked at.
const ASKED_MAX: usize = 20;

/// A language that is a file: what pages of operators say, or what recipients read.
pub trait Spoken: Sized {
    /// What the name of its file ends with.
    const ENDING: &'static str;

    /// The shipped ones, English first.
    fn shipped() -> Vec<Self>;

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(text: &str) -> Result<Self, String>;

    /// Its tag (RFC 5646).
    fn tag(&self) -> &str;
}

impl Spoken for Language {
    const ENDING: &'static str = ".ftl";

    fn shipped() -> Vec<Self> {
        [ENGLISH, GERMAN].map(|text| Self::read(text).expect("a shipped language is read: a test does so")).into()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::read(text)
    }

    fn tag(&self) -> &str {
        &self.tag
    }
}

/// All languages that are there, the one for who asks for none of them first.
#[derive(Clone, Debug)]
pub struct Languages<L = Language>(Vec<L>);

impl<L: Spoken> Languages<L> {
    /// The shipped ones, English first.
    pub fn shipped() -> Self {
        Self(L::shipped())
    }

    /// The shipped ones, with the one of this tag first, or with that of a file in `folder`.
    ///
    /// # Errors
    /// When there is no such language, or the file cannot be used.
    pub fn with(first: &str, folder: &Path) -> Result<Self, String> {
        let Self(mut all) = Self::shipped();
        if let Some(at) = all.iter().position(|one| one.tag() == first) {
            all.swap(0, at);
            return Ok(Self(all));
        }
        if !first.ends_with(L::ENDING) {
            let tags: Vec<&str> = all.iter().map(L::tag).collect();
            let (tags, ending) = (tags.join(", "), L::ENDING);
            return Err(format!("'{first}' is none of {tags}, and no file whose name ends in {ending}"));
        }
        let path = folder.join(first);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        if std::fs::metadata(&path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(format!("{}: a language has at most {FILE_BYTES_MAX} bytes", path.display()));
        }
        let text = std::fs::read_to_string(&path).map_err(failed)?;
        let own = L::read(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        all.retain(|one| one.tag() != own.tag());
        all.insert(0, own);
        Ok(Self(all))
    }

    /// All of them, for a list to choose from.
    pub fn all(&self) -> &[L] {
        &self.0
    }

    /// The one for who asks for none of them.
    pub fn first(&self) -> &L {
        &self.0[0]
    }

    /// The one with a tag.
    pub fn tagged(&self, tag: &str) -> Option<&L> {
        self.0.iter().find(|one| one.tag() == tag)
    }

    /// The one that a browser asks for by `Accept-Language` (RFC 9110 section 12.5.4), or the first.
    pub fn asked(&self, accept: &str) -> &L {
        let mut wanted: Vec<(f32, &str)> = accept.split(',').take(ASKED_MAX).filter_map(weighed).collect();
        wanted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let main = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let known = |tag: &str| self.0.iter().find(|one| main(one.tag()) == main(tag));
        wanted.into_iter().find_map(|(_, tag)| known(tag)).unwrap_or_else(|| self.first())
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
        let languages = Languages::<Language>::shipped();
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
        let with = Languages::<Language>::with;
        let languages = with("la.ftl", folder.path()).expect("it is read");
        assert_eq!(languages.asked("xx").name(), "Lingua Latina");
        assert_eq!(languages.all().len(), 3);
        assert!(with("xx", folder.path()).is_err_and(|why| why.contains("en, de")));
        assert!(with("no.ftl", folder.path()).is_err_and(|why| why.contains("no.ftl")));
        assert_eq!(&*with("de", folder.path()).expect("shipped").asked("").tag, "de");
    }
}
