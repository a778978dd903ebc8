//! PDF (ISO 32000): names and strings wherever they stand, those in compressed object streams too. Whether the file's
//! table of objects is whole does not matter: readers repair it, and attackers break it.

mod automatic;
mod cmap;
mod content;
mod files;
mod filter;
mod font;
mod glyph;
mod lzw;
mod matrix;
mod objects;
mod pages;
mod predictor;
mod source;
mod syntax;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::Look;
use crate::family;
use crate::page::share::Share;
use crate::structure::Check;
use crate::unpack::{Closed, Member};
use automatic::Script;
use files::FileSpecification;
use filter::Filter;
use objects::Objects;
use source::Source;
use syntax::{plain_names, string};

#[cfg(test)]
pub(super) use lzw::packed as packed_by_lzw;

/// Streams of one file that are opened.
const STREAMS_MAX: usize = 10_000;
/// Streams that have one end, because those before it have none: each would be read up to it.
const SHARED_END_MAX: usize = 20;
/// Bytes that one object stream may unpack to.
const OBJECTS_BYTES_MAX: u64 = 16 << 20;
/// Bytes that all object streams and scripts of one file may unpack to.
const OBJECTS_TOTAL_MAX: u64 = 64 << 20;
/// Bytes of a stream that may be a script.
const SCRIPT_BYTES_MAX: usize = 1 << 20;
/// Bytes before a stream in which its dictionary is looked for.
const DICTIONARY_MAX: usize = 4096;
/// Strings of one file that are read.
const STRINGS_MAX: usize = 2000;
/// Files at shares that are kept.
const SHARES_MAX: usize = 10;
/// Links that are kept.
const LINKS_MAX: usize = 500;
/// Bytes of a file that is a part twice, because it has two names.
const TWICE_BYTES_MAX: usize = 1 << 20;
/// What scripts of exploits have used, and forms do not.
const SCRIPT_ACTS: [&str; 9] = [
    "unescape(\"%u",
    "unescape('%u",
    "util.printf(\"%45000",
    "collab.geticon",
    "collab.collectemailinfo",
    "media.newplayer",
    "nlaunch:2",
    "nlaunch: 2",
    "app.launchurl(\"file:",
];

/// Looks at a PDF.
pub(super) fn look(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    let mut facts = Facts { left: OBJECTS_TOTAL_MAX, ..Facts::default() };
    let mut objects = Objects::default();
    facts.read(bytes);
    objects.read_file(bytes);
    let (streams, are_all) = streams(bytes);
    if !are_all {
        look.closed(Closed::NotAnalysed(
            "a PDF with too many streams, or with streams that have no end, is not fully examined".into(),
        ));
    }
    // Objects in streams first: what they say tells which streams are files and scripts.
    for stream in streams.iter().filter(|stream| stream.dictionary.contains("/ObjStm")) {
        match unpacked(stream, &objects, &mut facts, look) {
            Ok(unpacked) => {
                facts.read(&unpacked);
                objects.read_stream(unpacked, stream.first());
            }
            Err(closed @ Closed::NotAnalysed(_)) => look.closed(closed),
            Err(closed) => {
                look.closed(closed);
                break;
            }
        }
    }
    if let Err(closed) = files(&streams, &objects, &mut facts, look) {
        look.closed(closed);
    }
    scripts(&streams, &objects, &mut facts, look);
    if !facts.is_encrypted {
        text(&streams, &objects, look);
    }
    facts.tell(look);
}

/// The text that its pages show.
fn text(streams: &[Stream<'_>], objects: &Objects<'_>, look: &mut Look<'_, '_, '_>) {
    let mut source = Source::new(objects, streams, look.allowance.text_bytes_left());
    let before = source.left();
    let read = text::read(&mut source, || look.allowance.has_time());
    look.allowance.take_text(before - source.left());
    match read {
        Some(text) => look.seen.text = text,
        None => look.closed(Closed::OutOfTime),
    }
}

/// What a stream is once its filters are undone, for those who read text, and how many bytes were read and made for
/// that, which are no more than `room` at each step. What breaks off, or is not opened, is no finding here.
fn beginning(stream: &Stream<'_>, objects: &Objects<'_>, room: usize) -> (Vec<u8>, usize) {
    let mut bytes = stream.content[..stream.content.len().min(room)].to_vec();
    let mut used = bytes.len();
    for filter in Filter::all(&stream.dictionary, objects).unwrap_or_default() {
        let left = room.saturating_sub(used);
        let mut out = Vec::new();
        let _ = filter.reader(&bytes).take(left as u64).read_to_end(&mut out);
        used = used.saturating_add(out.len());
        bytes = filter.finish(out);
    }
    (bytes, used)
}

/// A stream as it stands in the file.
struct Stream<'b> {
    /// The number of its object.
    number: Option<u32>,
    dictionary: String,
    content: &'b [u8],
}

impl Stream<'_> {
    /// Where the first object of an object stream is.
    fn first(&self) -> Option<usize> {
        let (_, behind) = self.dictionary.split_once("/First")?;
        let digits: String = behind.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }
}

/// The streams of a file, and whether these are all of them.
fn streams(bytes: &[u8]) -> (Vec<Stream<'_>>, bool) {
    let mut streams = Vec::new();
    // Where the next end is: looked for once, however many beginnings come before it.
    let (mut end, mut shared, mut are_all) = (0, 0, true);
    for at in memchr::memmem::find_iter(bytes, b"stream") {
        if bytes[..at].ends_with(b"end") {
            continue;
        }
        let from = match &bytes[at + 6..] {
            [b'\r', b'\n', ..] => at + 8,
            [b'\r' | b'\n', ..] => at + 7,
            _ => continue,
        };
        if streams.len() == STREAMS_MAX {
            return (streams, false);
        }
        if end < from {
            end = memchr::memmem::find(&bytes[from..], b"endstream").map_or(bytes.len(), |end| from + end);
            shared = 0;
        }
        shared += 1;
        if shared > SHARED_END_MAX {
            are_all = false;
            continue;
        }
        let (number, dictionary) = dictionary(&bytes[at.saturating_sub(DICTIONARY_MAX)..at]);
        streams.push(Stream { number, dictionary, content: &bytes[from..end] });
    }
    (streams, are_all)
}

/// The innermost dictionary that ends before a stream, its names written plainly, and the number of its object.
fn dictionary(before: &[u8]) -> (Option<u32>, String) {
    let start = memchr::memmem::rfind(before, b"obj");
    let number = start.and_then(|start| objects::number_before(&before[..start]));
    (number, plain_names(&String::from_utf8_lossy(&before[start.unwrap_or(0)..])))
}

/// What a stream is once its filters are undone, within what is left for objects and scripts. What breaks off is read
/// as far as it goes. Each step counts: little may be made of much that was made of little.
fn unpacked(
    stream: &Stream<'_>,
    objects: &Objects<'_>,
    facts: &mut Facts,
    look: &mut Look<'_, '_, '_>,
) -> Result<Vec<u8>, Closed> {
    look.allowance.entry()?;
    let room = |facts: &Facts| OBJECTS_BYTES_MAX.min(facts.left);
    let stored = usize::try_from(room(facts)).unwrap_or(usize::MAX).min(stream.content.len());
    let mut bytes = stream.content[..stored].to_vec();
    let filters = Filter::all(&stream.dictionary, objects)?;
    if filters.is_empty() {
        facts.take(bytes.len())?;
    }
    for filter in filters {
        let mut out = Vec::new();
        let _ = filter.reader(&bytes).take(room(facts)).read_to_end(&mut out);
        facts.take(out.len())?;
        bytes = filter.finish(out);
    }
    Ok(bytes)
}

/// The files that the PDF brings along, each by the names that its specifications give it.
fn files(
    streams: &[Stream<'_>],
    objects: &Objects<'_>,
    facts: &mut Facts,
    look: &mut Look<'_, '_, '_>,
) -> Result<(), Closed> {
    let specifications = files::specifications(objects);
    let mut names: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    // Names of what is encrypted are encrypted as well.
    for FileSpecification { names: said, streams } in specifications.iter().filter(|_| !facts.is_encrypted) {
        for number in streams {
            names.entry(*number).or_default().extend(said.iter().map(String::as_str));
        }
    }
    // Of a number that is there twice the last counts; what was first is no less a file.
    for stream in streams {
        let known = stream.number.and_then(|number| names.get(&number));
        if !stream.dictionary.contains("/EmbeddedFile") && known.is_none() {
            continue;
        }
        facts.files += 1;
        let bytes = file(stream, objects, look)?;
        let all: Vec<&str> = known.into_iter().flatten().copied().collect();
        for other in one_of_each_kind(&all).into_iter().skip(1).filter(|_| bytes.len() <= TWICE_BYTES_MAX) {
            let again = look.allowance.read(bytes.len() as u64, bytes.as_slice())?;
            look.seen.members.push(Member::new(other.to_owned(), again));
        }
        let name = one_of_each_kind(&all).first().map(|name| (*name).to_owned()).unwrap_or_default();
        look.seen.members.push(Member::new(name, bytes));
    }
    // A file whose stream is not where it should be has its name at least.
    let found: BTreeSet<u32> = streams.iter().filter_map(|stream| stream.number).collect();
    for lost in specifications.iter().filter(|one| one.streams.iter().all(|number| !found.contains(number))) {
        if let Some(name) = lost.names.first().filter(|_| !facts.is_encrypted) {
            facts.files += 1;
            look.seen.members.push(Member::new(name.clone(), Vec::new()));
        }
    }
    Ok(())
}

/// Of several names of one file those that end in different ways: what a file is opened with depends on that.
fn one_of_each_kind<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let mut seen = BTreeSet::new();
    names.iter().copied().filter(|name| seen.insert(family::extension(name))).collect()
}

/// The bytes of a file in the PDF, within what the mail may unpack, as far as they are whole. One of which nothing is
/// has its name at least.
fn file(stream: &Stream<'_>, objects: &Objects<'_>, look: &mut Look<'_, '_, '_>) -> Result<Vec<u8>, Closed> {
    look.allowance.entry()?;
    let mut bytes = look.allowance.read(stream.content.len() as u64, stream.content)?;
    for filter in Filter::all(&stream.dictionary, objects)? {
        let (out, closed) = look.allowance.read_so_far(bytes.len() as u64, filter.reader(&bytes));
        match closed {
            Some(damage @ Closed::NotAnalysed(_)) => look.closed(damage),
            Some(limit) => return Err(limit),
            None => {}
        }
        bytes = filter.finish(out);
    }
    Ok(bytes)
}

/// The scripts in streams, and which scripts run by themselves.
fn scripts(streams: &[Stream<'_>], objects: &Objects<'_>, facts: &mut Facts, look: &mut Look<'_, '_, '_>) {
    let mut found = None;
    if !facts.has_script && !facts.has_form {
        facts.automatic = automatic::scripts(objects).into_iter().find_map(|script| match script {
            Script::Action(kind) => Some(kind),
            _ => None,
        });
        return;
    }
    let automatic = automatic::scripts(objects);
    let mut texts: Vec<String> = Vec::new();
    let mut numbers: BTreeSet<u32> = BTreeSet::new();
    for script in automatic {
        match script {
            Script::Text(text) => texts.push(text),
            Script::Stream(number) => drop(numbers.insert(number)),
            Script::Action(kind) => found = Some(kind),
        }
    }
    for stream in streams {
        let dictionary = &stream.dictionary;
        let is_other =
            ["/ObjStm", "/EmbeddedFile", "/Image", "/XRef", "/FontFile"].iter().any(|word| dictionary.contains(word));
        if is_other || stream.content.len() > SCRIPT_BYTES_MAX {
            continue;
        }
        match unpacked(stream, objects, facts, look) {
            Ok(bytes) => {
                facts.script(&bytes);
                if facts.has_form && found.is_none() {
                    found = automatic::reaches_in_form(&String::from_utf8_lossy(&bytes)).map(str::to_owned);
                }
                if stream.number.is_some_and(|number| numbers.contains(&number)) {
                    texts.push(String::from_utf8_lossy(&bytes).into_owned());
                }
            }
            // Contents of pages are in every form.
            Err(Closed::NotAnalysed(_)) => {}
            Err(closed) => {
                look.closed(closed);
                break;
            }
        }
    }
    let reached = texts.iter().find_map(|text| automatic::reaches(text)).map(str::to_owned);
    facts.automatic = reached.or(found);
}

/// What names tell.
#[derive(Default)]
struct Facts {
    /// What may still be unpacked.
    left: u64,
    /// How many strings were read.
    strings: usize,
    /// How many names of files were read.
    file_names: usize,
    has_script: bool,
    opens: bool,
    launches: Vec<String>,
    files: usize,
    is_encrypted: bool,
    /// Whether it is a form in XML.
    has_form: bool,
    /// Files at shares outside that an action opens (`GoToR`, `GoToE`, `ImportData`).
    shares: Vec<String>,
    acts: Vec<&'static str>,
    /// What a script that runs by itself reaches out with.
    automatic: Option<String>,
    links: Vec<String>,
}

impl Facts {
    /// Counts bytes that objects and scripts were unpacked to.
    fn take(&mut self, bytes: usize) -> Result<(), Closed> {
        self.left = self.left.saturating_sub(bytes as u64);
        if self.left == 0 {
            return Err(Closed::Limit(format!("a PDF whose objects unpack to {} MiB", OBJECTS_TOTAL_MAX >> 20)));
        }
        Ok(())
    }

    fn read(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'/', rest)) {
            let start = at + found;
            let end = start
                + 1
                + bytes[start + 1..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_' | b'-'))
                    .take(100)
                    .count();
            let name = plain_names(&String::from_utf8_lossy(&bytes[start + 1..end]));
            match name.as_str() {
                "JavaScript" | "JS" => {
                    self.has_script = true;
                    if let Some(script) = self.string(&bytes[end..]) {
                        self.script(script.as_bytes());
                    }
                }
                "OpenAction" | "AA" => self.opens = true,
                "Launch" => {
                    let near = &bytes[start.saturating_sub(200)..bytes.len().min(end + 600)];
                    self.launches.push(launched(near));
                }
                "XFA" => self.has_form = true,
                "F" | "UF" if self.file_names < STRINGS_MAX && self.shares.len() < SHARES_MAX => {
                    self.file_names += 1;
                    let file = string(&bytes[end..]);
                    self.shares.extend(file.filter(|file| Share::of(file).is_some_and(|share| share.is_outside())));
                }
                "Encrypt" => self.is_encrypted = true,
                "URI" => {
                    let link = self.string(&bytes[end..]).filter(|link| link.contains(':'));
                    if self.links.len() < LINKS_MAX {
                        self.links.extend(link);
                    }
                }
                _ => {}
            }
            at = end.max(start + 1);
        }
    }

    /// A string, as long as not too many were read: one that never ends may begin anywhere.
    fn string(&mut self, rest: &[u8]) -> Option<String> {
        self.strings += 1;
        if self.strings > STRINGS_MAX { None } else { string(rest) }
    }

    fn script(&mut self, script: &[u8]) {
        let lower = String::from_utf8_lossy(script).to_lowercase();
        for word in SCRIPT_ACTS {
            if lower.contains(word) && !self.acts.contains(&word) {
                self.acts.push(word);
            }
        }
    }

    fn tell(self, look: &mut Look<'_, '_, '_>) {
        if self.has_script {
            let when = if self.opens { " that may run when it is opened" } else { "" };
            look.add(Check::PdfScript, format!("JavaScript{when}"));
        }
        if let Some(word) = &self.automatic {
            let word = word.trim_end_matches('(');
            look.add(Check::PdfAutomatic, format!("what runs by itself uses {word}"));
        }
        if !self.acts.is_empty() {
            look.add(Check::PdfExploit, format!("a script with {}", self.acts.join(", ")));
        }
        for launch in self.launches.iter().take(5) {
            if launch.is_empty() {
                look.add(Check::PdfScript, "an action that opens a file");
            } else {
                look.add(Check::PdfLaunch, format!("an action that starts {launch}"));
            }
        }
        for share in &self.shares {
            super::remote(look, "a file", share);
        }
        if self.files > 0 {
            look.add(Check::DocumentEmbeds, format!("{} files in the PDF", self.files));
        }
        if self.is_encrypted {
            look.add(Check::EncryptedDocument, "a PDF");
        }
        look.seen.links.extend(self.links);
    }
}

/// What a launch action starts, if it is a program: its file or its parameters name one.
fn launched(near: &[u8]) -> String {
    const PROGRAMS: [&str; 12] =
        ["cmd", "powershell", ".exe", ".bat", ".cmd", ".js", ".vbs", ".hta", ".scr", "mshta", "rundll32", "wscript"];
    let text = String::from_utf8_lossy(near).to_lowercase();
    // What goes on with a letter is another word: `cmdb.pdf`, `data.json`.
    let is_there = |program: &&str| {
        text.match_indices(program).any(|(at, word)| !text[at + word.len()..].starts_with(char::is_alphanumeric))
    };
    let program = PROGRAMS.into_iter().find(is_there);
    program.unwrap_or_default().to_owned()
}
