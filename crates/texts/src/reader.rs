//! The language of who reads the page that is being made, and which others they may choose. Both go along with the
//! request, as the locale does in other programs, so that each small piece of a page need not be handed them.

use std::sync::Arc;

use crate::language::Language;
use crate::languages::Languages;

tokio::task_local! {
    static READER: Language;
    static CHOICE: Choice;
}

/// What a reader may choose from, and where they are.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The languages that are offered.
    pub languages: Arc<Languages>,
    /// The path of the page with its query, to come back to.
    pub to: String,
}

/// Runs what makes a page for a reader of this language.
pub async fn reading<F: Future>(language: Language, making: F) -> F::Output {
    READER.scope(language, making).await
}

/// The same for what is not waited for.
pub fn read_in<T>(language: Language, make: impl FnOnce() -> T) -> T {
    READER.sync_scope(language, make)
}

/// Runs what makes a page on which a reader has this choice.
pub async fn choosing<F: Future>(choice: Choice, making: F) -> F::Output {
    CHOICE.scope(choice, making).await
}

/// The language of the reader, where a page is being made.
pub fn language() -> Option<Language> {
    READER.try_with(Clone::clone).ok()
}

/// What the reader may choose from, where they may.
pub fn choice() -> Option<Choice> {
    CHOICE.try_with(Clone::clone).ok()
}

/// The tag of the language of the reader; English outside of a page.
pub fn tag() -> String {
    READER.try_with(|language| language.tag.to_string()).unwrap_or_else(|_| "en".to_owned())
}

/// Something asked of the language of the reader; none outside of a page.
pub(crate) fn ask<T>(question: impl FnOnce(&Language) -> T) -> Option<T> {
    READER.try_with(question).ok()
}
