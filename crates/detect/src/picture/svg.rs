//! SVG: a picture that is a document, and may be a program. Read as XML without expanding anything; what is read before
//! the XML breaks counts, because a browser runs it all the same.

use domain::message::Part;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::signal;
use crate::structure::{Check, Signal};
use crate::utf16;

/// Elements of one picture that are read.
const EVENTS_MAX: usize = 500_000;
/// Signals of one picture.
const SIGNALS_MAX: usize = 20;
/// Numeric references in one link from which on somebody hides it.
const REFERENCES_MIN: usize = 3;
/// Elements that have no place in a picture's text, and make a page of it.
const PAGE_ELEMENTS: [&str; 8] = ["form", "input", "iframe", "embed", "object", "script", "textarea", "meta"];

/// Looks at a part that is an SVG.
pub fn look(bytes: &[u8], part: &Part, signals: &mut Vec<Signal>) {
    let text = utf16::marked(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned());
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut sight = Sight { part, signals: Vec::new(), foreign: 0 };
    for _ in 0..EVENTS_MAX {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event() {
            Ok(Event::Start(element)) => sight.element(&element, at, true),
            Ok(Event::Empty(element)) => sight.element(&element, at, false),
            Ok(Event::End(element)) if element.local_name().as_ref().eq_ignore_ascii_case("foreignobject") => {
                sight.foreign = sight.foreign.saturating_sub(1);
            }
            Ok(Event::DocType(declaration)) => {
                if declaration.to_ascii_uppercase().contains("<!ENTITY") {
                    sight.add(Check::SvgActive, at, "declares entities");
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                sight.add(Check::PictureMalformed, at, &format!("XML breaks off: {error}"));
                break;
            }
        }
    }
    signals.extend(sight.signals);
}

struct Sight<'p> {
    part: &'p Part,
    signals: Vec<Signal>,
    /// How many foreign objects are open: inside, HTML is read.
    foreign: u32,
}

impl Sight<'_> {
    fn add(&mut self, check: Check, at: usize, evidence: &str) {
        if self.signals.len() < SIGNALS_MAX {
            self.signals.push(signal(self.part, check, at, evidence.to_owned()));
        }
    }

    fn element(&mut self, element: &BytesStart<'_>, at: usize, opens: bool) {
        let name = element.local_name().as_ref().to_lowercase();
        if name == "script" {
            self.add(Check::SvgActive, at, "a script element");
        } else if self.foreign > 0 && PAGE_ELEMENTS.contains(&name.as_str()) {
            self.add(Check::SvgActive, at, &format!("a {name} element in a foreign object"));
        } else if name == "meta" {
            self.add(Check::SvgActive, at, "a meta element");
        }
        if name == "foreignobject" {
            self.add(Check::SvgForeign, at, "a foreign object");
            self.foreign += u32::from(opens);
        }
        // Attributes that are no XML are skipped; the next ones may be.
        for attribute in element.attributes().with_checks(false).flatten() {
            let key = attribute.key.local_name().as_ref().to_lowercase();
            self.attribute(&name, &key, &attribute.value, at);
        }
    }

    fn attribute(&mut self, element: &str, key: &str, raw: &str, at: usize) {
        // Handlers: onload, onclick; `on` alone or a word like `online` with a dash is none, and an empty one does
        // nothing: drawing programs leave some behind.
        if !raw.trim().is_empty()
            && key.len() > 3
            && key.starts_with("on")
            && key.chars().all(|c| c.is_ascii_lowercase())
        {
            return self.add(Check::SvgActive, at, &format!("{element} has the handler {key}"));
        }
        let names_link = matches!(key, "href" | "src" | "to" | "from" | "values" | "action");
        if !names_link {
            return;
        }
        let value = quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), std::borrow::Cow::into_owned);
        let plain: String =
            value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect::<String>().to_lowercase();
        let runs = ["javascript:", "vbscript:", "data:text/html", "data:application/xhtml"];
        // A nested picture is inert where it is shown as one, and is not where it is used as a part of this one.
        let used = (element == "use").then_some("data:image/svg");
        if let Some(scheme) = runs.into_iter().chain(used).find(|scheme| plain.starts_with(scheme)) {
            return self.add(Check::SvgActive, at, &format!("{element} links to {scheme}"));
        }
        if raw.matches("&#").count() >= REFERENCES_MIN && plain.contains("://") {
            return self.add(Check::SvgActive, at, &format!("{element} hides its link behind character references"));
        }
        if matches!(element, "image" | "use" | "feimage") && (plain.starts_with("http") || plain.starts_with("//")) {
            self.add(Check::SvgExternal, at, &format!("{element} loads from {}", host_of(&plain)));
        }
    }
}

fn host_of(url: &str) -> String {
    url.split("//").nth(1).unwrap_or(url).split('/').next().unwrap_or_default().chars().take(80).collect()
}
