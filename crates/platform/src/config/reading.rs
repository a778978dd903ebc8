//! One run over the configuration file, and what comes of it beside the values: faults, what Health shows, and what is
//! declared.

use std::cell::RefCell;
use std::path::Path;

use toml::de::DeTable;

use super::declaration::SectionDeclaration;
use super::section::Section;
use super::shown::Shown;

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

/// One run of the declarations over a file. A section declares a setting by reading it, so a run over nothing tells
/// which settings there are.
#[derive(Debug)]
pub(super) struct Reading<'t> {
    text: &'t str,
    /// What paths in the file are relative to.
    pub(super) folder: &'t Path,
    faults: RefCell<Vec<Fault>>,
    /// What Health shows.
    pub(super) shown: RefCell<Shown>,
    /// What was declared; none where a file is read, for it is not needed there.
    pub(super) declared: Option<RefCell<Vec<SectionDeclaration>>>,
}

impl<'t> Reading<'t> {
    /// Over a file.
    pub(super) fn of(text: &'t str, folder: &'t Path) -> Self {
        Self { text, folder, faults: RefCell::default(), shown: RefCell::default(), declared: None }
    }

    /// Over nothing, to learn what is declared.
    pub(super) fn of_nothing() -> Self {
        Self { declared: Some(RefCell::default()), ..Self::of("", Path::new("")) }
    }

    /// The file as a table; a run over nothing has none.
    pub(super) fn root<'r>(&'r self, table: Option<&'r DeTable<'r>>, about: &'static str) -> Section<'r> {
        Section::new(self, String::new(), table, about)
    }

    /// Adds a fault at a place in the text.
    pub(super) fn fault(&self, at: usize, key: &str, what: impl Into<String>) {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() + 1;
        self.faults.borrow_mut().push(Fault { line, key: key.to_owned(), what: what.into() });
    }

    /// What stands in the file.
    pub(super) fn written(&self, span: std::ops::Range<usize>) -> Option<&'t str> {
        self.text.get(span)
    }

    /// Whether a fault of a key was told.
    pub(super) fn has_fault(&self, key: &str) -> bool {
        self.faults.borrow().iter().any(|fault| fault.key == key)
    }

    /// All faults, by line.
    pub(super) fn faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort_by_key(|fault| fault.line);
        faults
    }
}
