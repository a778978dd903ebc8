//! The pages of a PDF (7.7.3) in their order, with what they are drawn of.

use std::collections::BTreeSet;

use super::source::Source;
use super::syntax;

/// Pages of one file that are read.
const PAGES_MAX: usize = 500;
/// Nodes of the tree of pages that are walked.
const NODES_MAX: usize = 5000;
/// Bytes of objects in which pages are looked for, all together.
const OBJECTS_BYTES_MAX: usize = 32 << 20;
/// Nodes above a page that may say what it is drawn with.
const PARENTS_MAX: usize = 20;

/// A page.
#[derive(Debug)]
pub(super) struct Page<'s> {
    /// The streams of its contents.
    pub(super) contents: Vec<u32>,
    /// Its fonts and forms by their names.
    pub(super) resources: &'s [u8],
    /// Its annotations: values or references.
    pub(super) annotations: Vec<&'s [u8]>,
}

/// The pages in the order of the tree; without one, all that there are.
pub(super) fn pages<'s>(source: &Source<'s, '_>) -> Vec<Page<'s>> {
    let (mut root, mut all, mut read) = (None, Vec::new(), 0);
    for number in source.numbers() {
        let object = source.object(number);
        read += object.len();
        if read > OBJECTS_BYTES_MAX {
            break;
        }
        match source.name_at(object, "Type").as_str() {
            "Catalog" => root = source.entry(object, "Pages").and_then(syntax::reference).map(|(number, _)| number),
            "Page" => all.push(number),
            _ => {}
        }
    }
    let in_tree = root.map(|root| leaves(root, source)).unwrap_or_default();
    let numbers = if in_tree.is_empty() { all } else { in_tree };
    numbers.into_iter().take(PAGES_MAX).map(|number| page(source.object(number), source)).collect()
}

/// The leaves of the tree of pages. No recursion: the file decides how deep it is, and whether it ends.
fn leaves(root: u32, source: &Source<'_, '_>) -> Vec<u32> {
    let (mut open, mut known, mut found) = (vec![root], BTreeSet::new(), Vec::new());
    while let Some(number) = open.pop() {
        if known.len() >= NODES_MAX || found.len() >= PAGES_MAX || !known.insert(number) {
            continue;
        }
        let node = source.object(number);
        match source.at(node, "Kids") {
            Some(kids) => open.extend(syntax::references(kids).into_iter().rev()),
            None if node.is_empty() => {}
            None => found.push(number),
        }
    }
    found
}

fn page<'s>(page: &'s [u8], source: &Source<'s, '_>) -> Page<'s> {
    let contents = source.entry(page, "Contents").unwrap_or_default();
    let is_stream = syntax::reference(contents).is_some_and(|(number, _)| source.is_stream(number));
    // A reference may lead to an array of references.
    let contents = if is_stream { contents } else { source.resolved(contents) };
    let annotations = source.at(page, "Annots").map(syntax::items).unwrap_or_default();
    Page { contents: syntax::references(contents), resources: resources(page, source), annotations }
}

/// What a page, or a node above it, is drawn with.
fn resources<'s>(page: &'s [u8], source: &Source<'s, '_>) -> &'s [u8] {
    let mut node = page;
    for _ in 0..PARENTS_MAX {
        if let Some(resources) = source.at(node, "Resources") {
            return resources;
        }
        let Some(parent) = source.at(node, "Parent") else { break };
        node = parent;
    }
    &[]
}
