//! One table of the configuration file, read setting by setting, so that all faults are told at once, each with
//! its line and its key.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::change::Hidden;
use super::contradiction::Number;
use super::declaration::SectionDeclaration;
use super::reading::Reading;
use super::setting::Setting;
use super::shown;
use super::unit::Unit;

/// A table with the settings that have been declared.
#[derive(Debug)]
pub(super) struct Section<'r> {
    /// The run that it belongs to.
    pub(super) reading: &'r Reading<'r>,
    path: String,
    start: usize,
    table: Option<&'r DeTable<'r>>,
    asked: BTreeSet<&'static str>,
    numbers: BTreeMap<&'static str, Number>,
    title: String,
    rows: Vec<(&'static str, String)>,
    /// What Health does not show, or not by itself.
    hidden: Vec<(&'static str, Hidden)>,
    /// What comes into force with a new process only.
    fixed: Vec<&'static str>,
    /// Where its declaration is among those of the run.
    declaration: usize,
}

impl<'r> Section<'r> {
    /// A table; `about` says what the section is for.
    pub(super) fn new(
        reading: &'r Reading<'r>,
        path: String,
        table: Option<&'r DeTable<'r>>,
        about: &'static str,
    ) -> Self {
        let declared = reading.declared.as_ref().map(|all| {
            let mut all = all.borrow_mut();
            all.push(SectionDeclaration::new(path.clone(), about));
            all.len() - 1
        });
        Self {
            reading,
            title: path.clone(),
            path,
            start: 0,
            table,
            asked: BTreeSet::new(),
            numbers: BTreeMap::new(),
            rows: Vec::new(),
            hidden: Vec::new(),
            fixed: Vec::new(),
            declaration: declared.unwrap_or_default(),
        }
    }

    /// Declares a setting; `help` says what it is. What is called on it last reads it.
    pub(super) fn setting<'s>(&'s mut self, key: &'static str, help: &'static str) -> Setting<'s, 'r> {
        Setting::new(self, key, help)
    }

    /// A table below this one; an absent one has no keys.
    pub(super) fn section(&mut self, key: &'static str, about: &'static str) -> Section<'r> {
        let mut below = Section::new(self.reading, self.name(key), None, about);
        below.start = self.start;
        if let Some(value) = self.value(key) {
            below.start = value.span().start;
            match value.get_ref() {
                DeValue::Table(table) => below.table = Some(table),
                _ => self.reading.fault(value.span().start, &below.path, "must be a table"),
            }
        }
        below
    }

    /// The tables of an array `[[key]]`. A run over nothing has one, for what is declared in it.
    pub(super) fn sections(&mut self, key: &'static str, about: &'static str) -> Vec<Section<'r>> {
        let path = self.name(key);
        if self.reading.declared.is_some() {
            let one = Section::new(self.reading, path, None, about);
            one.declare(|section| section.is_repeated = true);
            return vec![one];
        }
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.reading.fault(value.span().start, &path, format!("must be tables, each under [[{path}]]"));
            return Vec::new();
        };
        let mut below = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => {
                    let one = Section::new(self.reading, path.clone(), Some(table), about);
                    below.push(Section { start: item.span().start, ..one });
                }
                _ => self.reading.fault(item.span().start, &path, "must be a table"),
            }
        }
        below
    }

    /// Has Health name it otherwise than the file does.
    pub(super) fn title(&mut self, title: String) {
        self.title = title;
    }

    /// Has Health show a value under a name.
    pub(super) fn row(&mut self, name: &'static str, value: impl ToString) {
        self.rows.push((name, value.to_string()));
    }

    /// Health shows nothing of it: it is not in use.
    pub(super) fn show_nothing(&mut self) {
        self.rows.clear();
        self.hidden.clear();
    }

    /// A change of a key is seen by this.
    pub(super) fn hide(&mut self, key: &'static str, hidden: Hidden) {
        self.hidden.push((key, hidden));
    }

    /// A key comes into force with a new process only.
    pub(super) fn fix(&mut self, key: &'static str) {
        self.fixed.push(key);
    }

    /// The value of a key as the file has it.
    pub(super) fn written(&self, key: &str) -> Option<&'r str> {
        self.reading.written(self.get(key)?.span())
    }

    /// Adds lines to the example, behind the settings of this section.
    pub(super) fn more_example(&self, lines: &'static str) {
        self.declare(|section| section.more_example = lines);
    }

    /// Changes what is declared of it, where that is wanted at all.
    pub(super) fn declare(&self, change: impl FnOnce(&mut SectionDeclaration)) {
        if let Some(all) = &self.reading.declared
            && let Some(own) = all.borrow_mut().get_mut(self.declaration)
        {
            change(own);
        }
    }

    /// The full name of a key of this table.
    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where the table begins.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Where the value of a key stands; where the table begins, if it has none.
    pub(super) fn place(&self, key: &str) -> usize {
        self.get(key).map_or(self.start, |value| value.span().start)
    }

    /// Whether the key is there at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Tells a fault of a key, where its value stands.
    pub(super) fn fault(&self, key: &str, what: impl Into<String>) {
        self.reading.fault(self.place(key), &self.name(key), what);
    }

    /// Tells that something is not there which must be: at the top of the file, for it has no line.
    pub(super) fn missing(&self, key: &str, what: impl Into<String>) {
        self.reading.fault(0, &self.name(key), what);
    }

    /// A number that was read, to be held against another.
    pub(super) fn number(&self, key: &'static str) -> Number {
        self.numbers.get(key).copied().unwrap_or(Number { key, value: 0, unit: Unit::Things })
    }

    /// Remembers a number that was read.
    pub(super) fn remember(&mut self, number: Number) {
        self.numbers.insert(number.key, number);
    }

    fn get(&self, key: &str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.table?.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    fn value(&mut self, key: &'static str) -> Option<&'r Spanned<DeValue<'r>>> {
        self.asked.insert(key);
        self.get(key)
    }

    /// A text, turned into what it means by `parse`.
    pub(super) fn read_text<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let read = match value.get_ref() {
            DeValue::String(text) => parse(text.as_ref()),
            _ => Err("must be a text in quotes".to_owned()),
        };
        read.map_err(|what| self.fault(key, what)).ok()
    }

    /// A list of texts, each turned into what it means.
    pub(super) fn read_list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(key, "must be a list of texts, such as [\"one\", \"two\"]");
            return None;
        };
        let mut read = Vec::new();
        for item in items {
            let one = match item.get_ref() {
                DeValue::String(text) => parse(text.as_ref()),
                _ => Err("must be a text in quotes".to_owned()),
            };
            match one {
                Ok(one) => read.push(one),
                Err(what) => self.reading.fault(item.span().start, &self.name(key), what),
            }
        }
        Some(read)
    }

    /// A whole number within a range.
    pub(super) fn read_number(&mut self, key: &'static str, allowed: &RangeInclusive<u64>) -> Option<u64> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok(),
            _ => None,
        };
        let fits = number.filter(|number| allowed.contains(number));
        if fits.is_none() {
            self.fault(key, format!("must be a whole number from {} to {}", allowed.start(), allowed.end()));
        }
        fits
    }

    /// A number from 0 to 1, with a fraction or without.
    pub(super) fn read_share(&mut self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let number: Option<f64> = match value.get_ref() {
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::Integer(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let fits = number.filter(|number| (0.0..=1.0).contains(number));
        if fits.is_none() {
            self.fault(key, "must be a number from 0 to 1, such as 0.1");
        }
        fits
    }

    /// `true` or `false`.
    pub(super) fn read_flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.fault(key, "must be true or false");
            return None;
        };
        Some(*flag)
    }

    /// Names every key that was not declared, and leaves to Health what it shows.
    pub(super) fn end(self) {
        for (key, _) in self.table.into_iter().flatten() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(name) {
                let known = self.asked.iter().copied().collect::<Vec<_>>().join(", ");
                let what = format!("is not known here; known are: {known}");
                self.reading.fault(key.span().start, &self.name(name), what);
            }
        }
        let place = |key: &str| (self.title.clone(), key.to_owned());
        {
            let mut all = self.reading.shown.borrow_mut();
            all.hidden.extend(self.hidden.iter().map(|(key, hidden)| (place(key), hidden.clone())));
            all.fixed.extend(self.fixed.iter().map(|key| place(key)));
        }
        if !self.rows.is_empty() {
            let shown = shown::Section { name: self.title, settings: self.rows };
            self.reading.shown.borrow_mut().add(shown);
        }
    }
}
