//! One setting, declared where it is read: its key, what it is, its unit, what is allowed, its default, and how Health
//! and the example show it. Whatever is known of a setting comes from here.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use domain::Digest;

use super::change::{Hidden, content};
use super::contradiction::Number;
use super::declaration::{HealthRow, SettingDeclaration};
use super::section::Section;
use super::shown::{list, yes};
use super::unit::Unit;
use crate::traces::share::Share;

/// A setting that is about to be read. What it is read as comes last: `count`, `seconds`, `mib`, `flag`, `one_of`,
/// `text`, `list`, `path` and their like. Of a number that is what is allowed and what is usual, both in its unit.
#[must_use]
#[derive(Debug)]
pub(super) struct Setting<'s, 'r> {
    section: &'s mut Section<'r>,
    key: &'static str,
    help: &'static str,
    row: HealthRow,
    is_plain: bool,
    absent: &'static str,
    default: Option<&'static str>,
    example: Option<&'static str>,
    is_written: bool,
    needs_restart: bool,
    is_read_once: bool,
}

impl<'s, 'r> Setting<'s, 'r> {
    /// One of a section; Health shows it under its key.
    pub(super) fn new(section: &'s mut Section<'r>, key: &'static str, help: &'static str) -> Self {
        Self {
            section,
            key,
            help,
            row: HealthRow::Own(key),
            is_plain: false,
            absent: "none",
            default: None,
            example: None,
            is_written: false,
            needs_restart: false,
            is_read_once: false,
        }
    }

    /// Health shows it under another name than its key.
    pub(super) fn shown_as(self, name: &'static str) -> Self {
        Self { row: HealthRow::Own(name), ..self }
    }

    /// Health shows it in a row together with others.
    pub(super) fn shown_in(self, row: &'static str) -> Self {
        Self { row: HealthRow::With(row), ..self }
    }

    /// Health does not show it: it is a secret, or tells nothing.
    pub(super) fn not_shown(self) -> Self {
        Self { row: HealthRow::None, ..self }
    }

    /// Health shows the number as it is written, without its unit: the name of the row has it.
    pub(super) fn shown_plain(self) -> Self {
        Self { is_plain: true, ..self }
    }

    /// It comes into force with a new process only: a reload refuses to change it.
    pub(super) fn needs_restart(self) -> Self {
        Self { needs_restart: true, ..self }
    }

    /// It names a file or a folder that is read at the start only: what is in there is a part of its value.
    pub(super) fn read_once(self) -> Self {
        Self { is_read_once: true, ..self }
    }

    /// What Health shows where it is not set.
    pub(super) fn absent(self, shown: &'static str) -> Self {
        Self { absent: shown, ..self }
    }

    /// What counts where it is not set, for people; without, the value that it is read with says it.
    pub(super) fn default(self, words: &'static str) -> Self {
        Self { default: Some(words), ..self }
    }

    /// A usual value, in TOML, which the example has behind `#: `; without, it has the default there.
    pub(super) fn example(self, value: &'static str) -> Self {
        Self { example: Some(value), ..self }
    }

    /// A value, in TOML, that the example sets.
    pub(super) fn example_sets(self, value: &'static str) -> Self {
        Self { example: Some(value), is_written: true, ..self }
    }

    /// A number of things.
    pub(super) fn count(self, allowed: RangeInclusive<u64>, usual: u64) -> u64 {
        self.number(Unit::Things, allowed, Some(usual)).unwrap_or(usual)
    }

    /// A number of things that has no default.
    pub(super) fn count_if_set(self, allowed: RangeInclusive<u64>) -> Option<u64> {
        self.number(Unit::Things, allowed, None)
    }

    /// A time in thousandths of a second.
    pub(super) fn milliseconds(self, allowed: RangeInclusive<u64>, usual: u64) -> Duration {
        self.time(Unit::Milliseconds, allowed, usual)
    }

    /// A time in seconds.
    pub(super) fn seconds(self, allowed: RangeInclusive<u64>, usual: u64) -> Duration {
        self.time(Unit::Seconds, allowed, usual)
    }

    /// A time in minutes.
    pub(super) fn minutes(self, allowed: RangeInclusive<u64>, usual: u64) -> Duration {
        self.time(Unit::Minutes, allowed, usual)
    }

    /// A time in hours.
    pub(super) fn hours(self, allowed: RangeInclusive<u64>, usual: u64) -> Duration {
        self.time(Unit::Hours, allowed, usual)
    }

    /// A time in days.
    pub(super) fn days(self, allowed: RangeInclusive<u64>, usual: u64) -> Duration {
        self.time(Unit::Days, allowed, usual)
    }

    /// A size in bytes.
    pub(super) fn bytes(self, allowed: RangeInclusive<u64>, usual: u64) -> u64 {
        self.size(Unit::Bytes, allowed, usual)
    }

    /// A size in KiB; read as bytes.
    pub(super) fn kib(self, allowed: RangeInclusive<u64>, usual: u64) -> u64 {
        self.size(Unit::Kib, allowed, usual)
    }

    /// A size in MiB; read as bytes.
    pub(super) fn mib(self, allowed: RangeInclusive<u64>, usual: u64) -> u64 {
        self.size(Unit::Mib, allowed, usual)
    }

    fn time(self, unit: Unit, allowed: RangeInclusive<u64>, usual: u64) -> Duration {
        unit.time(self.number(unit, allowed, Some(usual)).unwrap_or(usual))
    }

    fn size(self, unit: Unit, allowed: RangeInclusive<u64>, usual: u64) -> u64 {
        unit.in_smallest(self.number(unit, allowed, Some(usual)).unwrap_or(usual))
    }

    fn number(self, unit: Unit, allowed: RangeInclusive<u64>, usual: Option<u64>) -> Option<u64> {
        let value = self.section.read_number(self.key, &allowed).or(usual);
        self.section.remember(Number { key: self.key, value: value.unwrap_or_default(), unit });
        let shown = match value {
            Some(value) if self.is_plain => value.to_string(),
            Some(value) => unit.shown(value),
            None => self.absent.to_owned(),
        };
        let [least, most] = [*allowed.start(), *allowed.end()].map(|number| grouped(number).replace('_', ","));
        let allowed = format!("{least} to {most}{}", unit.behind());
        self.done(allowed, usual.map(grouped), shown);
        value
    }

    /// A share from 0 to 1.
    pub(super) fn share(self, usual: f64) -> Share {
        let value = self.section.read_share(self.key).unwrap_or(usual);
        self.done("0 to 1".into(), Some(format!("{usual:?}")), value.to_string());
        Share::of(value)
    }

    /// `true` or `false`.
    pub(super) fn flag(self, usual: bool) -> bool {
        let value = self.section.read_flag(self.key).unwrap_or(usual);
        self.done("true or false".into(), Some(usual.to_string()), yes(value));
        value
    }

    /// One of some words, each with what it means.
    pub(super) fn one_of<T: Copy + PartialEq>(self, words: &[(&'static str, T)], usual: T) -> T {
        let value = self.section.read_text(self.key, |text| choose(words, text)).unwrap_or(usual);
        let word = |value: T| words.iter().find(|(_, meant)| *meant == value).map_or("", |(word, _)| word);
        self.done(either(words), Some(format!("\"{}\"", word(usual))), word(value).to_owned());
        value
    }

    /// One of some words, or none. Health does not show it by itself.
    pub(super) fn one_of_if_set<T: Copy>(self, words: &[(&'static str, T)]) -> Option<T> {
        let value = self.section.read_text(self.key, |text| choose(words, text));
        self.done(either(words), None, String::new());
        value
    }

    /// A text, turned into what it means; `what` says for people what it has to be.
    pub(super) fn text<T: Display>(
        self,
        what: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.section.read_text(self.key, parse);
        let shown = value.as_ref().map_or(self.absent.to_owned(), T::to_string);
        self.done(what.into(), None, shown);
        value
    }

    /// As [`Setting::text`], with what counts where it is not set.
    pub(super) fn text_or<T: Display>(
        self,
        what: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        usual: impl FnOnce() -> T,
    ) -> T {
        let value = self.section.read_text(self.key, parse).unwrap_or_else(usual);
        let shown = value.to_string();
        self.done(what.into(), None, shown);
        value
    }

    /// As [`Setting::text`], where what it means cannot be shown.
    pub(super) fn meaning<T>(self, what: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let value = self.section.read_text(self.key, parse);
        self.done(what.into(), None, String::new());
        value
    }

    /// A list of texts, each turned into what it means.
    pub(super) fn list<T: Display>(self, what: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        self.list_shown(what, parse, T::to_string)
    }

    /// As [`Setting::list`]; `show` says what Health shows of each.
    pub(super) fn list_shown<T>(
        self,
        what: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
        show: impl Fn(&T) -> String,
    ) -> Vec<T> {
        let value = self.section.read_list(self.key, parse).unwrap_or_default();
        let shown = list(value.iter().map(show));
        self.done(format!("list of {what}"), Some("[]".into()), shown);
        value
    }

    /// A path; where it is relative, the folder of the file comes before it.
    pub(super) fn path(self) -> Option<PathBuf> {
        let folder = self.section.reading.folder;
        let value = self.section.read_text(self.key, |text| Ok(folder.join(text)));
        let shown = value.as_ref().map_or(self.absent.to_owned(), |path| path.display().to_string());
        self.done("path".into(), None, shown);
        value
    }

    /// As [`Setting::path`], with what counts where it is not set.
    pub(super) fn path_or(self, usual: PathBuf) -> PathBuf {
        let folder = self.section.reading.folder;
        let value = self.section.read_text(self.key, |text| Ok(folder.join(text))).unwrap_or(usual);
        let shown = value.display().to_string();
        self.done("path".into(), None, shown);
        value
    }

    /// Has Health show the value, and declares the setting where declarations are wanted.
    fn done(mut self, allowed: String, usual: Option<String>, shown: String) {
        self.compare(&shown);
        if let HealthRow::Own(name) = self.row {
            self.section.row(name, shown);
        }
        let (key, help, row, is_written) = (self.key, self.help, self.row, self.is_written);
        let needs_restart = self.needs_restart;
        self.section.declare(|section| {
            let example = self.example.map(str::to_owned).or(usual.clone()).unwrap_or_default();
            let default = self.default.map(str::to_owned).or(usual);
            let declared = SettingDeclaration { key, help, allowed, default, example, is_written, row, needs_restart };
            section.settings.push(declared);
        });
    }

    /// Remembers what a change of it is seen by, where Health does not tell, and whether it may change at all.
    fn compare(&mut self, shown: &str) {
        if self.needs_restart {
            self.section.fix(self.key);
        }
        let row = match self.row {
            HealthRow::Own(_) if !self.is_read_once => return,
            HealthRow::Own(_) | HealthRow::None => None,
            HealthRow::With(row) => Some(row),
        };
        let written = self.section.written(self.key).or(self.default).unwrap_or_default();
        let mut value = if shown.is_empty() { written } else { shown }.as_bytes().to_vec();
        if self.is_read_once {
            let name = written.trim_matches(['"', '\'']);
            value.extend(content(&self.section.reading.folder.join(name)));
        }
        self.section.hide(self.key, Hidden { digest: Digest::of(&value), row });
    }
}

fn choose<T: Copy>(words: &[(&'static str, T)], text: &str) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
    found.ok_or_else(|| format!("must be {}", either(words)))
}

/// `"one", "two" or "three"`.
fn either<T>(words: &[(&'static str, T)]) -> String {
    let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

/// A number as people read it well in TOML: five digits and more in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_in_groups() {
        assert_eq!([0, 1000, 10_000, 52_428_800].map(grouped), ["0", "1000", "10_000", "52_428_800"]);
    }

    #[test]
    fn words_to_choose_from_are_listed() {
        assert_eq!(either(&[("a", 1)]), "\"a\"");
        assert_eq!(choose(&[("a", 1), ("b", 2), ("c", 3)], "d"), Err("must be \"a\", \"b\" or \"c\"".into()));
        assert_eq!(choose(&[("a", 1), ("b", 2)], "b"), Ok(2));
    }
}
