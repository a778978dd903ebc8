//! Office documents since 2007 (ECMA-376) and OpenDocument: a zip of XML. Looked at are relations, macros, fields and
//! what is embedded.

mod text;

use std::io::Cursor;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::text::DocumentText;
use super::{LINKS_MAX, Look, macros, ole, remote, remote_picture, sheet_text};
use crate::page::share::Share;
use crate::structure::Check;
use crate::unpack::{Closed, Member, zip};

/// Events of one XML part that are read.
const EVENTS_MAX: usize = 2_000_000;

/// How the parts end that documents are made of.
const OWN_PARTS: [&str; 19] = [
    ".xml", ".rels", ".bin", ".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".tif", ".tiff", ".svg", ".vml",
    ".odttf", ".fntdata", ".psmdcp", ".xlb", ".xlc", ".rdf",
];

/// Looks at a document that is a zip. A part that is damaged hides no other: Word repairs what it can.
pub(super) fn look(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    let entries = zip::entries(bytes, look.allowance.entries_left());
    if entries.is_empty() {
        return look.closed(Closed::NotAnalysed("damaged document: no part in it".into()));
    }
    let mut kept = Kept::default();
    for one in entries {
        if let Err(over) = look.allowance.entry() {
            look.closed(over);
            break;
        }
        if let Some(closed) = entry(bytes, &one, look, &mut kept) {
            look.closed_once(closed);
        }
    }
    macros::judge(look, &kept.sources);
    if kept.macro_sheets > 0 {
        ole::xlm(look, kept.macro_sheets, kept.starts);
    }
    look.seen.text = kept.text.finish();
}

/// What only the whole document tells.
#[derive(Default)]
struct Kept {
    sources: Vec<String>,
    macro_sheets: usize,
    starts: bool,
    text: DocumentText,
}

fn entry(bytes: &[u8], entry: &zip::Entry, look: &mut Look<'_, '_, '_>, kept: &mut Kept) -> Option<Closed> {
    if entry.is_locked() {
        look.add(Check::EncryptedDocument, "an entry of the document");
        return None;
    }
    let name = entry.names.first().cloned().unwrap_or_default();
    let lower = name.to_lowercase();
    let wanted = lower.ends_with(".rels")
        || lower.ends_with("vbaproject.bin")
        || lower.contains("/embeddings/")
        || lower.contains("/media/")
        || lower.contains("/macrosheets/")
        || lower.starts_with("basic/")
        || is_link_part(&lower)
        || matches!(lower.as_str(), "word/document.xml" | "xl/workbook.xml" | "xl/sharedstrings.xml")
        || (lower.starts_with("word/") && (lower.contains("header") || lower.contains("footer")));
    // What no document is made of is looked at as it would be in an archive.
    let is_stranger = !OWN_PARTS.iter().any(|end| lower.ends_with(end)) && lower != "mimetype";
    if entry.is_folder() || !(wanted || is_stranger) {
        return if text::is_text_part(&lower) { text_part(&lower, entry, bytes, look, kept) } else { None };
    }
    let (bytes, closed) = zip::content(entry, bytes, look.allowance);
    if text::is_text_part(&lower) {
        let room = look.allowance.text_bytes_left().min(bytes.len());
        look.allowance.take_text(text::read(&lower, &bytes[..room], &mut kept.text));
    }
    if lower.ends_with(".rels") {
        relations(&bytes, look);
    } else if lower.ends_with("vbaproject.bin") {
        project(&bytes, look, kept);
    } else if is_link_part(&lower) {
        link_part(&lower, &bytes, look, kept);
    } else if lower.contains("/macrosheets/") {
        kept.macro_sheets += 1;
    } else if lower.contains("/embeddings/") || lower.contains("/media/") {
        let file = name.rsplit('/').next().unwrap_or_default().to_owned();
        if lower.contains("/embeddings/") {
            look.add(Check::DocumentEmbeds, format!("a file '{file}'"));
        }
        look.seen.members.push(Member::new(file, bytes));
    } else if is_stranger {
        look.seen.members.push(Member::new(name, bytes));
    } else if lower.starts_with("basic/") {
        if lower.ends_with(".xml") && !lower.ends_with("script-lb.xml") && !lower.ends_with("script-lc.xml") {
            kept.sources.push(text_of(&bytes));
        }
    } else {
        fields(&bytes, look, kept);
    }
    closed
}

/// A part that is unpacked only for its text: as much of it as there is room for, and what cannot be is no finding.
fn text_part(
    name: &str,
    entry: &zip::Entry,
    bytes: &[u8],
    look: &mut Look<'_, '_, '_>,
    kept: &mut Kept,
) -> Option<Closed> {
    if kept.text.is_full() {
        return None;
    }
    if !look.allowance.has_time() {
        return Some(Closed::OutOfTime);
    }
    let room = look.allowance.text_bytes_left().min(text::PART_BYTES_MAX);
    let (bytes, used) = zip::beginning(entry, bytes, room);
    look.allowance.take_text(used);
    text::read(name, &bytes, &mut kept.text);
    None
}

/// A project of macros is a compound file of its own.
fn project(bytes: &[u8], look: &mut Look<'_, '_, '_>, kept: &mut Kept) {
    let Ok(mut file) = cfb::CompoundFile::open(Cursor::new(bytes)) else {
        return look.add(Check::NotAnalysed, "a damaged project of macros");
    };
    let streams: Vec<String> = file
        .walk()
        .filter(|entry| entry.is_stream())
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect();
    for path in streams {
        let mut bytes = Vec::new();
        let read = file.open_stream(&path).and_then(|mut stream| std::io::Read::read_to_end(&mut stream, &mut bytes));
        if read.is_ok() {
            kept.sources.extend(macros::source(&bytes));
        }
    }
}

fn events(bytes: &[u8], mut on: impl FnMut(Event<'_>)) {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    for _ in 0..EVENTS_MAX {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return,
            Ok(event) => on(event),
        }
    }
}

fn attribute(element: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let found = element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|one| one.key.local_name().as_ref().eq_ignore_ascii_case(wanted))?;
    let value = quick_xml::escape::unescape(&found.value).map(std::borrow::Cow::into_owned);
    Some(value.unwrap_or_else(|_| found.value.into_owned()))
}

/// Relations to what lies outside: links that wait for a click, and what is loaded when the document opens.
fn relations(bytes: &[u8], look: &mut Look<'_, '_, '_>) {
    events(bytes, |event| {
        let (Event::Start(element) | Event::Empty(element)) = event else { return };
        let is_external = attribute(&element, "TargetMode").is_some_and(|mode| mode.eq_ignore_ascii_case("External"));
        let (Some(kind), Some(target)) = (attribute(&element, "Type"), attribute(&element, "Target")) else { return };
        if !is_external {
            return;
        }
        match kind.rsplit('/').next().unwrap_or_default() {
            "hyperlink" => look.seen.links.push(target),
            "attachedTemplate" => remote(look, "a template", &target),
            "oleObject" => remote(look, "an object", &target),
            "frame" => remote(look, "a frame", &target),
            "subDocument" => remote(look, "a document", &target),
            // A workbook asks before it looks at what it is linked with; a server of the firm's is everyday there.
            "externalLinkPath" | "externalLinkLongPath" | "xlPathMissing" => {
                if Share::of(&target).is_some_and(|share| share.is_strange()) {
                    remote(look, "a workbook", &target);
                }
            }
            "image" => remote_picture(look, "a picture", &target),
            _ => remote_picture(look, "something", &target),
        }
    });
}

/// The parts of a workbook that say what it is linked with, and the names of a binary one (MS-XLSB).
fn is_link_part(name: &str) -> bool {
    (name.contains("/externallinks/") && !name.ends_with(".rels"))
        || matches!(name, "xl/workbook.bin" | "content.xml" | "styles.xml")
}

/// What such a part tells: a question to another program (ECMA-376 part 1, 18.14.4), a name that starts a macro.
fn link_part(name: &str, bytes: &[u8], look: &mut Look<'_, '_, '_>, kept: &mut Kept) {
    if name.ends_with(".bin") {
        // Texts of a binary workbook are in UTF-16.
        let text: String = bytes.iter().filter(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        kept.starts |= text.to_lowercase().contains("auto_open");
        let asked = text.split(|c: char| c.is_control()).collect::<Vec<_>>();
        for pair in asked.windows(2).filter(|pair| sheet_text::starts_program(pair[0], "") && pair[1].contains('/')) {
            look.add(Check::Dde, format!("{}|{}", pair[0], pair[1]));
        }
        return;
    }
    let is_open_document = matches!(name, "content.xml" | "styles.xml");
    events(bytes, |event| {
        let (Event::Start(element) | Event::Empty(element)) = event else { return };
        let name = element.local_name().as_ref().to_lowercase();
        let said = |name: &str| attribute(&element, name).unwrap_or_default();
        if is_open_document {
            return open_document(&name, &said, look);
        }
        if name != "ddelink" {
            return;
        }
        let (service, topic) = (said("ddeService"), said("ddeTopic"));
        // Prices are asked for so (Bloomberg, MetaTrader): only what runs commands is told.
        if sheet_text::starts_program(&service, &topic) {
            look.add(Check::Dde, format!("{service}|{topic}").chars().take(120).collect::<String>());
        }
    });
}

/// An element of an OpenDocument text or table (OASIS 1.3, part 3): its links, what it loads, whom it asks.
fn open_document(name: &str, said: &impl Fn(&str) -> String, look: &mut Look<'_, '_, '_>) {
    let target = said("href");
    if name == "a" && !target.is_empty() && look.seen.links.len() < LINKS_MAX {
        look.seen.links.push(target);
    } else if !target.is_empty() && !target.starts_with('#') {
        remote_picture(look, "something", &target);
    }
    let formula = said("formula");
    let (mut service, mut topic) = (said("dde-application"), said("dde-topic"));
    if let Some((_, arguments)) = formula.split_once("DDE(") {
        let mut words = arguments.split([';', ',', ')']).map(|word| word.trim().trim_matches('"').to_owned());
        (service, topic) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    }
    if sheet_text::starts_program(&service, &topic) {
        look.add(Check::Dde, format!("{service}|{topic}").chars().take(120).collect::<String>());
    }
}

/// Fields that ask another program (DDE), whole or in pieces, and names that start macros.
fn fields(bytes: &[u8], look: &mut Look<'_, '_, '_>, kept: &mut Kept) {
    let (mut instruction, mut inside) = (String::new(), false);
    let mut found = Vec::new();
    events(bytes, |event| match event {
        Event::Start(element) | Event::Empty(element) => {
            let name = element.local_name().as_ref().to_lowercase();
            inside = name == "instrtext";
            match name.as_str() {
                "fldsimple" => found.extend(attribute(&element, "instr")),
                "fldchar" if attribute(&element, "fldCharType").is_some_and(|kind| kind != "begin") => {
                    found.push(std::mem::take(&mut instruction));
                }
                "definedname" => {
                    kept.starts |= attribute(&element, "name")
                        .is_some_and(|name| name.to_lowercase().trim_start_matches("_xlnm.").starts_with("auto_open"));
                }
                _ => {}
            }
        }
        Event::Text(text) if inside => instruction.push_str(&text),
        Event::End(_) => inside = false,
        _ => {}
    });
    found.push(instruction);
    for instruction in found {
        super::field(look, &instruction);
    }
}

/// The text of an XML part: the source of a Basic module.
fn text_of(bytes: &[u8]) -> String {
    let mut out = String::new();
    events(bytes, |event| {
        if let Event::Text(text) = event {
            out.push_str(&text);
        }
    });
    out
}
