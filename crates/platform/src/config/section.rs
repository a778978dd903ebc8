//! One table of the configuration file, read key by key, so that all faults are told at once, each with
//! its line and its key.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The key, with its table.
    pub key: String,
    /// What is wrong and what to do.
    pub what: String,
}

/// Collects faults.
#[derive(Debug)]
pub struct Faults<'t> {
    text: &'t str,
    /// What was found so far.
    pub found: Vec<Fault>,
}

impl<'t> Faults<'t> {
    /// No faults yet in `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Adds one at a place in the text.
    pub fn add(&mut self, at: usize, key: &str, what: impl Into<String>) {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() + 1;
        self.found.push(Fault { line, key: key.to_owned(), what: what.into() });
    }
}

/// A table with the keys that have been asked for.
#[derive(Debug)]
pub struct Section<'t> {
    path: String,
    start: usize,
    table: Option<&'t DeTable<'t>>,
    asked: BTreeSet<String>,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub fn root(table: &'t DeTable<'t>) -> Self {
        Self { path: String::new(), start: 0, table: Some(table), asked: BTreeSet::new() }
    }

    /// The full name of a key of this table.
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where the table begins.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Where the value of a key stands; where the table begins, if it has none.
    pub fn place(&self, key: &str) -> usize {
        let found = self.table.and_then(|table| table.iter().find(|(name, _)| name.get_ref().as_ref() == key));
        found.map_or(self.start, |(_, value)| value.span().start)
    }

    fn value(&mut self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.insert(key.to_owned());
        self.table?.iter().find(|(name, _)| name.get_ref().as_ref() == key).map(|(_, value)| value)
    }

    /// A table below this one; an absent one has no keys.
    pub fn section(&mut self, key: &str, faults: &mut Faults<'_>) -> Section<'t> {
        let path = self.name(key);
        let mut below = Section { path, start: self.start, table: None, asked: BTreeSet::new() };
        if let Some(value) = self.value(key) {
            below.start = value.span().start;
            match value.get_ref() {
                DeValue::Table(table) => below.table = Some(table),
                _ => faults.add(value.span().start, &below.path, "must be a table"),
            }
        }
        below
    }

    /// The tables of an array `[[key]]`.
    pub fn sections(&mut self, key: &str, faults: &mut Faults<'_>) -> Vec<Section<'t>> {
        let path = self.name(key);
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            faults.add(value.span().start, &path, format!("must be tables, each under [[{path}]]"));
            return Vec::new();
        };
        let mut below = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => below.push(Section {
                    path: path.clone(),
                    start: item.span().start,
                    table: Some(table),
                    asked: BTreeSet::new(),
                }),
                _ => faults.add(item.span().start, &path, "must be a table"),
            }
        }
        below
    }

    /// A text, turned into what it means by `parse`.
    pub fn text<T>(
        &mut self,
        key: &str,
        faults: &mut Faults<'_>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let name = self.name(key);
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => {
                parse(text.as_ref()).map_err(|what| faults.add(value.span().start, &name, what)).ok()
            }
            _ => {
                faults.add(value.span().start, &name, "must be a text in quotes");
                None
            }
        }
    }

    /// A list of texts, each turned into what it means.
    pub fn list<T>(
        &mut self,
        key: &str,
        faults: &mut Faults<'_>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let name = self.name(key);
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            faults.add(value.span().start, &name, "must be a list of texts, such as [\"one\", \"two\"]");
            return None;
        };
        let mut read = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => match parse(text.as_ref()) {
                    Ok(one) => read.push(one),
                    Err(what) => faults.add(item.span().start, &name, what),
                },
                _ => faults.add(item.span().start, &name, "must be a text in quotes"),
            }
        }
        Some(read)
    }

    /// A whole number within a range.
    pub fn number(&mut self, key: &str, allowed: Range<u64>, faults: &mut Faults<'_>) -> Option<u64> {
        let name = self.name(key);
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok(),
            _ => None,
        };
        let fits = number.filter(|number| allowed.contains(number));
        if fits.is_none() {
            let what = format!("must be a whole number from {} to {}", allowed.start, allowed.end - 1);
            faults.add(value.span().start, &name, what);
        }
        fits
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, faults: &mut Faults<'_>) -> Option<bool> {
        let name = self.name(key);
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                faults.add(value.span().start, &name, "must be true or false");
                None
            }
        }
    }

    /// Whether the key is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.iter().any(|(name, _)| name.get_ref().as_ref() == key))
    }

    /// Names every key that nobody asked for.
    pub fn end(self, faults: &mut Faults<'_>) {
        for (key, _) in self.table.into_iter().flatten() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(name) {
                let known = self.asked.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                faults.add(key.span().start, &self.name(name), format!("is not known here; known are: {known}"));
            }
        }
    }
}
