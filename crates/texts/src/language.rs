//! One language: its file, read and held against the English one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_syntax::ast::{Entry, Message};
use fluent_syntax::serializer::serialize;
use unic_langid::LanguageIdentifier;

/// The English file, which says what messages there are.
pub const ENGLISH: &str = include_str!("../languages/en.ftl");
/// The German file.
pub const GERMAN: &str = include_str!("../languages/de.ftl");
/// The message in which a language says how it is called.
const NAME: &str = "language-name";
/// Braces within one another at most.
const BRACES_MAX: usize = 16;
/// The comment in which a file says its tag.
const TAG: &str = "tag:";

/// One language. Copies share what was read.
#[derive(Clone)]
pub struct Language {
    /// Its tag (RFC 5646), such as `en`.
    pub tag: Arc<str>,
    bundle: Arc<FluentBundle<FluentResource>>,
}

impl fmt::Debug for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Language({})", self.tag)
    }
}

impl Language {
    /// Reads a file. A message that it lacks is said in English.
    ///
    /// # Errors
    /// What is wrong with it: it has no tag, is not well-formed, or has a message or a variable that English lacks.
    pub fn read(text: &str) -> Result<Self, String> {
        let tag = tag_of(text).ok_or_else(|| format!("there is no comment '# {TAG} ' with the tag of the language"))?;
        let id: LanguageIdentifier = tag.parse().map_err(|error| format!("the tag '{tag}' is none: {error}"))?;
        if id != tag {
            return Err(format!("the tag '{tag}' is written '{id}' (RFC 5646)"));
        }
        is_shallow(text)?;
        let unknown = unknown_in(&messages(text)?, &messages(ENGLISH)?);
        if !unknown.is_empty() {
            return Err(format!("these messages or variables mean nothing here: {}", unknown.join(", ")));
        }
        let resource = FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| said(&errors))?;
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // Pages have their own marks around what strangers wrote.
        bundle.set_use_isolating(false);
        bundle.add_resource(resource).map_err(|errors| format!("{errors:?}"))?;
        Ok(Self { tag: tag.into(), bundle: Arc::new(bundle) })
    }

    /// How it calls itself.
    pub fn name(&self) -> String {
        self.say(NAME, &FluentArgs::new()).unwrap_or_else(|| self.tag.to_string())
    }

    /// The text of a message; none where it has none.
    pub(crate) fn say(&self, id: &str, values: &FluentArgs<'_>) -> Option<String> {
        let pattern = self.bundle.get_message(id)?.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(values), &mut errors);
        // A selector or function that fails leaves its source in the text: then English is better.
        errors.is_empty().then(|| text.into_owned())
    }
}

/// What is read by going into it takes stack: braces within one another are counted before.
///
/// # Errors
/// When there are too many.
fn is_shallow(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for (number, line) in text.lines().enumerate() {
        // A message ends before the next line that begins with a letter. The parser tells braces that stay open.
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            depth = 0;
        }
        for byte in line.bytes() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > BRACES_MAX {
                return Err(format!("line {}: more than {BRACES_MAX} braces within one another", number + 1));
            }
        }
    }
    Ok(())
}

/// The tag that a file says of itself in a comment.
fn tag_of(text: &str) -> Option<&str> {
    let comments = text.lines().filter_map(|line| line.trim_start_matches('#').trim().strip_prefix(TAG));
    comments.map(str::trim).find(|tag| !tag.is_empty())
}

/// The messages of a file by name, each with its variables.
///
/// # Errors
/// Where it is not well-formed, or has a message twice.
pub(crate) fn messages(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let resource = fluent_syntax::parser::parse(text).map_err(|(_, errors)| said(&errors))?;
    let mut found = BTreeMap::new();
    for entry in resource.body {
        if let Entry::Message(message) = entry {
            let name = message.id.name.to_owned();
            if found.insert(name.clone(), variables(message)).is_some() {
                return Err(format!("the message {name} stands there twice"));
            }
        }
    }
    Ok(found)
}

/// The variables of a message, by what it looks like when it is written.
fn variables(message: Message<&str>) -> BTreeSet<String> {
    let written = serialize(&fluent_syntax::ast::Resource { body: vec![Entry::Message(message)] });
    let rest = written.split('$').skip(1);
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    rest.map(|rest| rest.chars().take_while(is_part).collect::<String>()).filter(|name| !name.is_empty()).collect()
}

fn unknown_in(given: &BTreeMap<String, BTreeSet<String>>, known: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut unknown = Vec::new();
    for (name, variables) in given {
        match known.get(name) {
            None => unknown.push(name.clone()),
            Some(model) => unknown.extend(variables.difference(model).map(|one| format!("${one} of {name}"))),
        }
    }
    unknown
}

fn said(errors: &[fluent_syntax::parser::ParserError]) -> String {
    errors.iter().map(|one| format!("at byte {}: {}", one.pos.start, one.kind)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn german_says_all_that_english_says() {
        let (english, german) = (messages(ENGLISH).expect("it is read"), messages(GERMAN).expect("it is read"));
        let missing: Vec<&String> = english.keys().filter(|name| !german.contains_key(*name)).collect();
        assert!(missing.is_empty(), "de.ftl lacks {missing:?}");
        for (name, variables) in &english {
            assert_eq!(variables, &german[name], "the variables of {name}");
        }
        assert_eq!(
            [ENGLISH, GERMAN].map(|text| Language::read(text).expect("it is read").name()),
            ["English", "Deutsch"]
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (text, expected) in [
            ("language-name = X", "there is no comment '# tag: ' with the tag of the language"),
            ("# tag: la\nno-such = X", "these messages or variables mean nothing here: no-such"),
            ("# tag: la\nlanguage-name = { $x }", "these messages or variables mean nothing here: $x of language-name"),
            ("# tag: la\nlanguage-name = { $", "at byte "),
            ("# tag: de_AT\nlanguage-name = X", "the tag 'de_AT' is written 'de-AT' (RFC 5646)"),
            (&format!("# tag: la\nlanguage-name = {}", "{".repeat(3000)), "line 2: more than 16 braces"),
            ("# tag: la\nlanguage-name = X\nlanguage-name = Y", "the message language-name stands there twice"),
        ] {
            let why = Language::read(text).expect_err("it is wrong");
            assert!(why.starts_with(expected), "{why}");
        }
    }
}
