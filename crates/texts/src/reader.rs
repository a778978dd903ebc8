//! The language of who reads the page that is being made. It goes along with the request, as the locale does in other
//! programs, so that each small piece of a page need not be handed it.

use crate::language::Language;

tokio::task_local! {
    static READER: Language;
}

/// Runs what makes a page for a reader of this language.
pub async fn reading<F: Future>(language: Language, making: F) -> F::Output {
    READER.scope(language, making).await
}

/// The same for what is not waited for.
pub fn read_in<T>(language: Language, make: impl FnOnce() -> T) -> T {
    READER.sync_scope(language, make)
}

/// The language of the reader, where a page is being made.
pub fn language() -> Option<Language> {
    READER.try_with(Clone::clone).ok()
}

/// Its tag; English outside of a page.
pub fn tag() -> String {
    READER.try_with(|language| language.tag.to_string()).unwrap_or_else(|_| "en".to_owned())
}

/// Something asked of the language of the reader; none outside of a page.
pub(crate) fn ask<T>(question: impl FnOnce(&Language) -> T) -> Option<T> {
    READER.try_with(question).ok()
}
