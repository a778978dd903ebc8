//! `[console]`: what operators see.

use texts::languages::Languages;

use super::section::Section;

/// The pages of operators.
#[derive(Clone, Debug)]
pub struct ConsoleConfig {
    /// The languages that are offered, the one for browsers that ask for none of them first.
    pub languages: Languages,
}

/// Reads it.
pub(super) fn console(root: &mut Section<'_>) -> ConsoleConfig {
    let mut section = root.section("console", "What operators see. Each reader may choose another language.");
    let folder = section.reading.folder;
    let languages = section
        .setting(
            "language",
            "The language for browsers that ask for none that is there: \"en\", \"de\" or a file (.ftl) with texts of \
             your own, which is then offered as well.",
        )
        .not_shown()
        .read_once()
        .default("\"en\"")
        .example("\"en\"")
        .meaning("\"en\", \"de\" or path", |text| Languages::with(text, folder));
    section.end();
    ConsoleConfig { languages: languages.unwrap_or_else(Languages::shipped) }
}
