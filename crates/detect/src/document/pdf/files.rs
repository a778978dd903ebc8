//! Files that a PDF brings along (7.11): their specifications name them and say which stream they are.

use super::objects::Objects;
use super::syntax;

/// Specifications of one file that are read.
const FILES_MAX: usize = 500;
/// Bytes in front of a mark in which its dictionary begins, and bytes of the whole dictionary.
const BEFORE_MAX: usize = 4096;
const DICTIONARY_MAX: usize = 8192;
/// The entries that name a file, the ones that readers show first. Each may say something else.
const NAMES: [&str; 5] = ["UF", "F", "DOS", "Unix", "Mac"];

/// A specification of a file: what it is called, and the number of the stream that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileSpecification {
    /// Its names; more than one if they differ.
    pub(super) names: Vec<String>,
    /// The streams.
    pub(super) streams: Vec<u32>,
}

/// The specifications with a file, wherever they stand.
pub(super) fn specifications(objects: &Objects<'_>) -> Vec<FileSpecification> {
    let mut found: Vec<FileSpecification> = Vec::new();
    let mut read = 0;
    for text in objects.texts() {
        for at in memchr::memchr_iter(b'/', text) {
            if read >= FILES_MAX {
                break;
            }
            let is_likely =
                text[at + 1..].starts_with(b"EF") || matches!(text.get(at + 1..at + 3), Some([b'#', _] | [_, b'#']));
            let (name, length) = if is_likely { syntax::name(&text[at + 1..]) } else { continue };
            if name != "EF" {
                continue;
            }
            read += 1;
            let Some(dictionary) = enclosing(text, at) else { continue };
            let behind = &text[at + 1 + length..];
            let streams = syntax::value(&behind[..behind.len().min(DICTIONARY_MAX)]);
            let streams = match syntax::reference(streams) {
                Some((number, _)) => objects.get(number).map(syntax::references).unwrap_or_default(),
                None => syntax::references(streams),
            };
            let specification = FileSpecification { names: names(dictionary, objects), streams };
            if !found.contains(&specification) {
                found.push(specification);
            }
        }
    }
    found.truncate(FILES_MAX);
    found
}

fn names(dictionary: &[u8], objects: &Objects<'_>) -> Vec<String> {
    let entries = syntax::entries(dictionary);
    let mut names: Vec<String> = Vec::new();
    for wanted in NAMES {
        let Some((_, value)) = entries.iter().find(|(name, _)| name == wanted) else { continue };
        let value = syntax::reference(value).and_then(|(number, _)| objects.get(number)).unwrap_or(value);
        let Some(name) = syntax::string(value) else { continue };
        // A path is written with slashes (7.11.2).
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The dictionary in which a place stands.
fn enclosing(text: &[u8], at: usize) -> Option<&[u8]> {
    let from = at.saturating_sub(BEFORE_MAX);
    let (mut depth, mut before) = (0_usize, at);
    while before > from + 1 {
        match &text[before - 2..before] {
            b">>" => {
                depth += 1;
                before -= 2;
            }
            b"<<" if depth == 0 => {
                let end = text.len().min(before - 2 + DICTIONARY_MAX);
                return Some(syntax::value(&text[before - 2..end]));
            }
            b"<<" => {
                depth -= 1;
                before -= 2;
            }
            _ => before -= 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_all_forms() {
        let mut objects = Objects::default();
        objects.read_file(
            b"2 0 obj<</Type/Filespec/F (a.js)/UF(a.js)/EF<</F 3 0 R/UF 3 0 R>>>>endobj \
              5 0 obj<</#46 <622E7073>/UF<FEFF0062002E007000730031>/#45F 6 0 R>>endobj 6 0 obj<</F 7 0 R>>endobj \
              8 0 obj<</S/Launch/F(c.exe)>>endobj",
        );
        let found = specifications(&objects);
        assert_eq!(
            found,
            [
                FileSpecification { names: vec!["a.js".into()], streams: vec![3, 3] },
                FileSpecification { names: vec!["b.ps1".into(), "b.ps".into()], streams: vec![7] },
            ]
        );
    }
}
