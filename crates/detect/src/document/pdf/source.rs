//! Where the values of a PDF are found while its text is read: entries of dictionaries, followed to their objects, and
//! streams as far as there is room.

use std::collections::BTreeMap;

use super::objects::Objects;
use super::{Stream, beginning, syntax};

/// References from one object to the next that are followed.
const HOPS_MAX: usize = 5;

/// The objects and the streams of one file.
pub(super) struct Source<'s, 'b> {
    objects: &'s Objects<'b>,
    streams: BTreeMap<u32, &'s Stream<'b>>,
    /// Bytes of streams that may still be read.
    left: usize,
}

impl<'s, 'b> Source<'s, 'b> {
    pub(super) fn new(objects: &'s Objects<'b>, streams: &'s [Stream<'b>], left: usize) -> Self {
        // Of a number that is there twice the last counts.
        let streams = streams.iter().filter_map(|stream| Some((stream.number?, stream))).collect();
        Self { objects, streams, left }
    }

    /// Bytes of streams that may still be read.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// All objects, in the order of their numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<'s, 'b> {
        self.objects.numbers()
    }

    /// The value of an object.
    pub(super) fn object(&self, number: u32) -> &'s [u8] {
        self.objects.get(number).unwrap_or_default()
    }

    /// A value, or the object that it refers to.
    pub(super) fn resolved(&self, value: &'s [u8]) -> &'s [u8] {
        let mut value = value;
        for _ in 0..HOPS_MAX {
            match syntax::reference(value) {
                Some((number, _)) => value = self.object(number),
                None => break,
            }
        }
        value
    }

    /// An entry of a dictionary as it stands there.
    pub(super) fn entry(&self, dictionary: &'s [u8], wanted: &str) -> Option<&'s [u8]> {
        syntax::entries(dictionary).into_iter().find(|(name, _)| name == wanted).map(|(_, value)| value)
    }

    /// An entry of a dictionary, followed.
    pub(super) fn at(&self, dictionary: &'s [u8], wanted: &str) -> Option<&'s [u8]> {
        self.entry(dictionary, wanted).map(|value| self.resolved(value))
    }

    /// A name that is an entry of a dictionary; empty if it is none.
    pub(super) fn name_at(&self, dictionary: &'s [u8], wanted: &str) -> String {
        let value = self.at(dictionary, wanted).and_then(|value| value.strip_prefix(b"/"));
        value.map(|name| syntax::name(name).0).unwrap_or_default()
    }

    /// The stream that an entry of a dictionary refers to.
    pub(super) fn stream_at(&mut self, dictionary: &'s [u8], wanted: &str) -> Option<Vec<u8>> {
        let (number, _) = syntax::reference(self.entry(dictionary, wanted)?)?;
        self.stream(number)
    }

    /// Whether an object is a stream.
    pub(super) fn is_stream(&self, number: u32) -> bool {
        self.streams.contains_key(&number)
    }

    /// What a stream is once its filters are undone, as far as there is room.
    pub(super) fn stream(&mut self, number: u32) -> Option<Vec<u8>> {
        let stream = self.streams.get(&number)?;
        let (bytes, used) = beginning(stream, self.objects, self.left);
        self.left = self.left.saturating_sub(used);
        Some(bytes)
    }
}
