//! Documents: what in them runs, loads or hides. Macros, remote templates and links, DDE, embedded files, the actions
//! of a PDF. That a document has macros is a fact; what acts is a macro that starts by itself and reaches out of the
//! document.

mod macros;
mod msg;
mod ole;
mod ooxml;
pub mod pdf;
mod rtf;

use domain::message::Part;

use crate::structure::{Check, Signal};
use crate::unpack::{Allowance, Closed, Member};

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
    let lower = target.trim().to_lowercase();
    let shown: String = target.chars().filter(|c| !c.is_control()).take(120).collect();
    let handlers = ["mhtml:", "ms-msdt:", "search-ms:", "script:", "javascript:", "x-usc:", "ms-office", "ms-word:"];
    if handlers.iter().any(|handler| lower.contains(handler)) {
        return look.add(Check::DocumentRemote, format!("{kind} through a handler: {shown}"));
    }
    let Some(rest) = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://")) else {
        // A share or a file of the sender's own network.
        return look.add(Check::DocumentLink, format!("{kind} at {shown}"));
    };
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let is_template = [".dot", ".dotx", ".dotm", ".xlt", ".xltx", ".pot", ".potx", ".docx", ".xlsx", ".pptx"]
        .iter()
        .any(|end| path.ends_with(end));
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok() || host.contains('@');
    if is_address || !is_template || lower.ends_with('!') {
        look.add(Check::DocumentRemote, format!("{kind} loaded when it is opened: {shown}"));
    } else {
        look.add(Check::DocumentLink, format!("{kind} at {shown}"));
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
