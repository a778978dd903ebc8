//! The text of Office documents and OpenDocument: paragraphs, cells and slides as people read them.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{EVENTS_MAX, attribute};
use crate::document::text::DocumentText;

/// Bytes of one part that are unpacked only for its text.
pub(super) const PART_BYTES_MAX: usize = 4 << 20;

/// Whether a part has text that people read, by its name in lower case.
pub(super) fn is_text_part(name: &str) -> bool {
    let is_word = |file: &str| {
        ["document", "header", "footer", "footnotes", "endnotes"].iter().any(|begin| file.starts_with(begin))
    };
    let Some(name) = name.strip_suffix(".xml") else { return false };
    match name.split_once('/') {
        None => name == "content",
        Some(("word", file)) => !file.contains('/') && is_word(file),
        Some(("xl", file)) => {
            file == "sharedstrings" || file.starts_with("worksheets/sheet") || file.starts_with("drawings/drawing")
        }
        Some(("ppt", file)) => file.starts_with("slides/slide") || file.starts_with("diagrams/data"),
        _ => false,
    }
}

/// Where the reader stands in a part.
#[derive(Debug, Default)]
struct Place {
    /// Whether text that stands here is read: elements of text that are open.
    texts: usize,
    /// Elements that are open and show nothing: what is there a second time for old programs, and how it is spoken.
    unseen: usize,
    /// Whether this run is hidden (ECMA-376 part 1, 17.3.2.41).
    is_hidden: bool,
    /// Whether this cell holds a text that a formula gave (18.3.1.4).
    is_text_cell: bool,
    is_open_document: bool,
}

/// Reads a part; how many of its bytes were read.
pub(super) fn read(name: &str, bytes: &[u8], text: &mut DocumentText) -> usize {
    let source = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&source);
    reader.config_mut().check_end_names = false;
    let mut place = Place { is_open_document: name == "content.xml", ..Place::default() };
    text.line();
    for _ in 0..EVENTS_MAX {
        if text.is_full() {
            break;
        }
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => break,
            Ok(Event::Start(element)) => {
                place.mark(&element, text);
                place.begin(&element);
            }
            Ok(Event::Empty(element)) => place.mark(&element, text),
            Ok(Event::End(element)) => place.end(element.local_name().as_ref(), text),
            Ok(Event::Text(written)) if place.is_read() => text.push(&written),
            Ok(Event::CData(written)) if place.is_read() => text.push(&written),
            Ok(Event::GeneralRef(written)) if place.is_read() => text.push(&meant(&written)),
            Ok(_) => {}
        }
    }
    text.line();
    usize::try_from(reader.buffer_position()).unwrap_or(bytes.len()).min(bytes.len())
}

impl Place {
    fn is_read(&self) -> bool {
        self.texts > 0 && self.unseen == 0 && !self.is_hidden
    }

    fn is_text(&self, name: &str) -> bool {
        match name {
            "p" | "h" => self.is_open_document,
            "t" => !self.is_open_document,
            "v" => self.is_text_cell,
            _ => false,
        }
    }

    /// What an element says whether or not there is something in it.
    fn mark(&mut self, element: &BytesStart<'_>, text: &mut DocumentText) {
        match element.local_name().as_ref() {
            "tab" | "s" | "tc" => text.blank(),
            "br" | "cr" | "line-break" => text.line(),
            "r" => self.is_hidden = false,
            "vanish" => {
                let is_off = |value: &String| matches!(value.as_str(), "0" | "false" | "off");
                self.is_hidden = attribute(element, "val").filter(is_off).is_none();
            }
            "c" => self.is_text_cell = attribute(element, "t").is_some_and(|kind| kind == "str"),
            _ => {}
        }
    }

    fn begin(&mut self, element: &BytesStart<'_>) {
        let name = element.local_name();
        self.texts += usize::from(self.is_text(name.as_ref()));
        self.unseen += usize::from(is_unseen(name.as_ref()));
    }

    fn end(&mut self, name: &str, text: &mut DocumentText) {
        if self.is_text(name) {
            self.texts = self.texts.saturating_sub(1);
        }
        if is_unseen(name) {
            self.unseen = self.unseen.saturating_sub(1);
        }
        match name {
            "p" | "h" | "si" | "is" | "c" => text.line(),
            "r" => self.is_hidden = false,
            _ => {}
        }
    }
}

fn is_unseen(name: &str) -> bool {
    matches!(name, "Fallback" | "rPh")
}

/// The character that a reference means (XML 4.6).
fn meant(reference: &BytesRef<'_>) -> String {
    let named = match &**reference {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    };
    let numbered = reference.resolve_char_ref().ok().flatten().map(String::from);
    numbered.unwrap_or_else(|| named.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(name: &str, xml: &str) -> String {
        let mut text = DocumentText::default();
        read(name, xml.as_bytes(), &mut text);
        text.finish()
    }

    #[test]
    fn parts_with_text() {
        for name in ["word/document.xml", "word/header1.xml", "xl/sharedstrings.xml", "ppt/slides/slide12.xml"] {
            assert!(is_text_part(name), "{name}");
        }
        for name in ["word/styles.xml", "styles.xml", "ppt/slides/_rels/slide1.xml.rels", "ppt/slidemasters/m.xml"] {
            assert!(!is_text_part(name), "{name}");
        }
    }

    #[test]
    fn what_people_read_in_each() {
        let word = "<w:p><w:r><w:t>Pay &amp; </w:t></w:r><w:r><w:tab/>\
            <w:t xml:space='preserve'>n&#111;w</w:t></w:r></w:p>\
            <w:p><w:r><w:instrText>DATE</w:instrText><w:rPr><w:vanish/></w:rPr><w:t>hid</w:t></w:r><w:r><w:t>b</w:t>\
            </w:r></w:p><mc:Fallback><w:t>again</w:t></mc:Fallback>";
        assert_eq!(text_of("word/document.xml", word), "Pay & now\nb\n");
        let strings = "<sst><si><t>one</t><rPh><t>wan</t></rPh></si><si><r><t>t</t></r><r><t>wo</t></r></si></sst>";
        assert_eq!(text_of("xl/sharedstrings.xml", strings), "one\ntwo\n");
        let sheet = "<c t='inlineStr'><is><t>in</t></is></c><c t='str'><v>by formula</v></c><c t='s'><v>7</v></c>";
        assert_eq!(text_of("xl/worksheets/sheet1.xml", sheet), "in\nby formula\n");
        assert_eq!(text_of("ppt/slides/slide1.xml", "<a:p><a:r><a:t>a</a:t></a:r><a:br/><a:t>b</a:t></a:p>"), "a\nb\n");
        let open =
            "<office:text><text:h>Head</text:h>no<text:p>a<text:s/>b<text:span>c</text:span></text:p></office:text>";
        assert_eq!(text_of("content.xml", open), "Head\na bc\n");
    }

    proptest! {
        #[test]
        fn whatever_the_part_reading_ends(
            xml in "(<w:p>|</w:p>|<w:t>|</w:t>|<w:vanish/>|<w:r>|&amp;|&#0;|&x|<|a|\u{e9}|<!\\[CDATA\\[){0,40}",
            is_open in any::<bool>(),
        ) {
            let name = if is_open { "content.xml" } else { "word/document.xml" };
            let mut text = DocumentText::default();
            prop_assert!(read(name, xml.as_bytes(), &mut text) <= xml.len());
            prop_assert_eq!(text.finish(), text_of(name, &xml));
        }
    }
}
