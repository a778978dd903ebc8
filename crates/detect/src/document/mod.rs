//! Documents: what in them runs, loads or hides. Macros, remote templates and links, DDE, embedded files, the actions
//! of a PDF. That a document has macros is a fact; what acts is a macro that starts by itself and reaches out of the
//! document.

mod macros;
mod msg;
mod ole;
mod ooxml;
pub mod pdf;
mod rtf;
pub mod sheet_text;
mod text;

use domain::message::Part;

use crate::page::host;
use crate::page::share::Share;
use crate::page::url::{Oddity, Url};
use crate::structure::{Check, Signal};
use crate::unpack::{Allowance, Closed, Member};

/// Links in fields of one document that are kept.
const LINKS_MAX: usize = 2000;
/// Signals of one document at most.
const SIGNALS_MAX: usize = 50;

/// What was seen of a document.
#[derive(Debug, Default)]
pub struct DocumentReading {
    /// Signals.
    pub signals: Vec<Signal>,
    /// Files inside.
    pub members: Vec<Member>,
    /// Links that open when somebody clicks, as they stand there.
    pub links: Vec<String>,
    /// Texts of a saved mail, in which the password of what it brings may stand.
    pub texts: Vec<String>,
    /// Addresses of a saved mail: of who sent it, to whom, and to whom answers go.
    pub addresses: Vec<String>,
    /// What a person reads in it, as far as it is read.
    pub text: String,
}

/// A look at one document in progress.
struct Look<'p, 'a, 'l> {
    part: &'p Part,
    allowance: &'a mut Allowance<'l>,
    seen: DocumentReading,
}

impl Look<'_, '_, '_> {
    fn add(&mut self, check: Check, evidence: impl Into<String>) {
        if self.seen.signals.len() < SIGNALS_MAX {
            // Names and classes in it are the sender's.
            let evidence = crate::mime::clean(&evidence.into());
            self.seen.signals.push(Signal::of_part(check, self.part, evidence));
        }
    }

    /// A limit ends the look; damage only ends what was damaged.
    fn closed(&mut self, closed: Closed) {
        let Signal { check, evidence, .. } = crate::structure::of_closed(closed, self.part);
        self.add(check, evidence);
    }

    /// The same for what many members of a document may have: told once.
    fn closed_once(&mut self, closed: Closed) {
        let Signal { check, evidence, .. } = crate::structure::of_closed(closed, self.part);
        if !self.seen.signals.iter().any(|known| known.check == check && known.evidence == evidence) {
            self.add(check, evidence);
        }
    }
}

/// Looks at a part of the family `Office`.
pub fn look(bytes: &[u8], part: &Part, allowance: &mut Allowance<'_>) -> DocumentReading {
    let mut look = Look { part, allowance, seen: DocumentReading::default() };
    if bytes.starts_with(b"PK\x03\x04") {
        ooxml::look(bytes, &mut look);
    } else if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        ole::look(bytes, &mut look);
    } else if bytes.starts_with(b"{\\rt") {
        rtf::look(bytes, &mut look);
    }
    look.seen
}

/// Looks at a part of the family `Pdf`.
pub fn look_at_pdf(bytes: &[u8], part: &Part, allowance: &mut Allowance<'_>) -> DocumentReading {
    let mut look = Look { part, allowance, seen: DocumentReading::default() };
    pdf::look(bytes, &mut look);
    look.seen
}

/// Where a link of a document leads when the document is opened, without a click: what that means.
fn remote(look: &mut Look<'_, '_, '_>, kind: &str, target: &str) {
    let (check, evidence) = remote_kind(kind, target);
    look.add(check, evidence);
}

/// What opens its target in another program.
const HANDLERS: [&str; 11] = [
    "mhtml:",
    "ms-msdt:",
    "ms-officecmd:",
    "ms-appinstaller:",
    "search-ms:",
    "script:",
    "javascript:",
    "vbscript:",
    "x-usc:",
    "ms-office",
    "ms-word:",
];
/// How templates and documents are called that firms keep on a server.
const TEMPLATES: [&str; 10] = [".dot", ".dotx", ".dotm", ".xlt", ".xltx", ".pot", ".potx", ".docx", ".xlsx", ".pptx"];

fn remote_kind(kind: &str, target: &str) -> (Check, String) {
    let lower = target.trim().to_lowercase();
    let shown: String = target.chars().filter(|c| !c.is_control()).take(120).collect();
    if HANDLERS.iter().any(|handler| lower.contains(handler)) {
        return (Check::DocumentRemote, format!("{kind} through a handler: {shown}"));
    }
    if Share::of(target).is_some_and(|share| share.is_outside()) {
        // Opening it sends the hash of a password there.
        return (Check::DocumentRemote, format!("{kind} at a share outside: {shown}"));
    }
    let Some(url) = Url::parse(target) else {
        // A share or a file of the sender's own network.
        return (Check::DocumentLink, format!("{kind} at {shown}"));
    };
    let is_at_home = url.public_address().is_none() && !host::is_public_name(&url.host);
    // Behind the mark is the place in a workbook.
    let path = lower.split(['?', '#', '!']).next().unwrap_or_default();
    let is_template = TEMPLATES.iter().any(|end| path.ends_with(end));
    let is_address =
        url.host.parse::<std::net::Ipv4Addr>().is_ok() || url.host.starts_with('[') || !url.user.is_empty();
    let is_odd = Oddity::of(target, &url).is_some();
    let is_own_query = is_at_home && !is_address && kind == "a query";
    if !is_own_query && (is_address || is_odd || !is_template || lower.ends_with('!')) {
        (Check::DocumentRemote, format!("{kind} loaded when it is opened: {shown}"))
    } else {
        (Check::DocumentLink, format!("{kind} at {shown}"))
    }
}

/// What a picture or film of a document that lies elsewhere means: over the web it is everyday.
fn remote_picture(look: &mut Look<'_, '_, '_>, kind: &str, target: &str) {
    let is_outside = Share::of(target).is_some_and(|share| share.is_outside());
    let lower = target.trim().to_lowercase();
    if is_outside || HANDLERS.iter().any(|handler| lower.starts_with(handler)) {
        remote(look, kind, target);
    }
}

/// A field of a text (ECMA-376 part 1, 17.16) whose instruction is here whole: one that asks another program, or that
/// loads a picture or a text from a share. In a field a backslash is written twice.
fn field(look: &mut Look<'_, '_, '_>, instruction: &str) {
    if rtf::is_dde(instruction) {
        look.add(Check::Dde, instruction.chars().filter(|c| !c.is_control()).take(120).collect::<String>());
        return;
    }
    if let Some(target) = instruction.trim_start().strip_prefix("HYPERLINK") {
        let target = target.trim().split('"').find(|piece| !piece.trim().is_empty()).unwrap_or_default().trim();
        // A switch is a place in the document itself.
        if look.seen.links.len() < LINKS_MAX && !target.starts_with("\\l") && !target.is_empty() {
            look.seen.links.push(target.replace("\\\\", "\\"));
        }
        return;
    }
    let mut words = instruction.split_whitespace();
    let name = words.next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(name.as_str(), "INCLUDEPICTURE" | "INCLUDETEXT" | "INCLUDE" | "IMPORT" | "LINK" | "RD") {
        return;
    }
    let outside = words
        .map(|word| word.trim_matches(['"', '\u{201c}', '\u{201d}']))
        .flat_map(|word| [word.to_owned(), word.replace("\\\\", "\\")])
        .find(|word| Share::of(word).is_some_and(|share| share.is_outside()));
    if let Some(target) = outside {
        remote(look, &format!("a field {name}"), &target);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
