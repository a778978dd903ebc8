//! The objects of a PDF by their numbers: those that stand in the file, and those of its object streams (7.5.7). The
//! last one of a number counts, as it does for readers after an incremental update (7.5.6).

use std::collections::BTreeMap;

use super::syntax;

/// Objects of one file that are kept.
const OBJECTS_MAX: usize = 200_000;
/// Bytes of one object that are looked at.
const OBJECT_BYTES_MAX: usize = 64 << 10;

/// Where an object stands: in which text, and at which byte.
#[derive(Clone, Copy, Debug)]
struct Place {
    text: usize,
    at: usize,
}

/// The objects of one file.
#[derive(Debug, Default)]
pub(super) struct Objects<'p> {
    texts: Vec<std::borrow::Cow<'p, [u8]>>,
    places: BTreeMap<u32, Place>,
}

impl<'p> Objects<'p> {
    /// Takes the objects that stand in the file.
    pub(super) fn read_file(&mut self, bytes: &'p [u8]) {
        let text = self.texts.len();
        for at in memchr::memmem::find_iter(bytes, b"obj") {
            if let Some(number) = number_before(&bytes[..at]) {
                self.put(number, Place { text, at: at + 3 });
            }
        }
        self.texts.push(bytes.into());
    }

    /// Takes the objects of an object stream: first pairs of numbers and offsets, then the objects. Only the first
    /// object's offset, `first`, is in its dictionary; without it it is where the pairs end.
    pub(super) fn read_stream(&mut self, bytes: Vec<u8>, first: Option<usize>) {
        let text = self.texts.len();
        let mut numbers = Vec::new();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..) {
            let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let digits = rest[blanks..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 || first.is_some_and(|first| at >= first) || numbers.len() > 2 * OBJECTS_MAX {
                break;
            }
            let number = std::str::from_utf8(&rest[blanks..blanks + digits]).ok().and_then(|text| text.parse().ok());
            numbers.extend(number.map(|number: u32| number as usize));
            at += blanks + digits;
        }
        let first = first.unwrap_or(at);
        for pair in numbers.chunks_exact(2) {
            if let Ok(number) = u32::try_from(pair[0]) {
                self.put(number, Place { text, at: first.saturating_add(pair[1]) });
            }
        }
        self.texts.push(bytes.into());
    }

    fn put(&mut self, number: u32, place: Place) {
        if self.places.len() < OBJECTS_MAX {
            self.places.insert(number, place);
        }
    }

    /// The value of an object; of a stream its dictionary.
    pub(super) fn get(&self, number: u32) -> Option<&[u8]> {
        let place = self.places.get(&number)?;
        let text = self.texts.get(place.text)?;
        let rest = text.get(place.at..text.len().min(place.at.saturating_add(OBJECT_BYTES_MAX)))?;
        Some(syntax::value(rest))
    }

    /// The numbers of all objects, in their order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.places.keys().copied()
    }

    /// All texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.texts.iter().map(AsRef::as_ref)
    }
}

/// The number of the object whose `obj` follows: `7 0 obj`.
pub(super) fn number_before(before: &[u8]) -> Option<u32> {
    let before = &before[before.len().saturating_sub(40)..];
    let before = before.trim_ascii_end();
    let digits = |text: &[u8]| text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let generation = digits(before);
    let before = before[..before.len() - generation].trim_ascii_end();
    let number = digits(before);
    if generation == 0 || number == 0 {
        return None;
    }
    std::str::from_utf8(&before[before.len() - number..]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_the_file_and_of_its_streams() {
        let mut objects = Objects::default();
        objects.read_file(b"%PDF-1.7\n1 0 obj<</A 1>>endobj\n12 0  obj\n(x)endobj 1 0 obj<</A 2>>endobj");
        objects.read_stream(b"3 0 4 8 <</B 1>><</B 2>>".to_vec(), Some(8));
        let get = |number| objects.get(number).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(get(1).as_deref(), Some("<</A 2>>"), "the last one counts");
        assert_eq!(get(12).as_deref(), Some("(x)"));
        assert_eq!((get(3).as_deref(), get(4).as_deref()), (Some("<</B 1>>"), Some("<</B 2>>")));
        assert_eq!(get(5), None);
        assert_eq!((number_before(b"endobj 7 0 "), number_before(b"end"), number_before(b"7 ")), (Some(7), None, None));
    }
}
