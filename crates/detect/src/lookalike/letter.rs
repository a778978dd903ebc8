//! Whole mails: letters from Anna, who is outside, to Bert, whose domain is ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Letters of a line of base64 (RFC 2045 section 6.8).
const LINE_CHARS: usize = 76;

/// A mail in the making.
pub(super) struct Letter {
    from: String,
    subject: String,
    fields: String,
    parts: Vec<String>,
}

impl Letter {
    /// From Anna to Bert.
    pub(super) fn new(subject: &str) -> Self {
        let from = "Anna Partner <anna@partner.example>".to_owned();
        Self { from, subject: subject.to_owned(), fields: String::new(), parts: Vec::new() }
    }

    /// From somebody else.
    pub(super) fn from(mut self, from: &str) -> Self {
        self.from = from.to_owned();
        self
    }

    /// With a header field.
    pub(super) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\n"));
        self
    }

    /// With a plain text.
    pub(super) fn text(self, text: &str) -> Self {
        self.part("text/plain; charset=utf-8", text)
    }

    /// With a page as its body.
    pub(super) fn page(self, html: &str) -> Self {
        self.part("text/html; charset=utf-8", &format!("<html><body>{html}</body></html>"))
    }

    /// With a part of a type, as it stands there.
    pub(super) fn part(mut self, declared: &str, content: &str) -> Self {
        self.parts.push(format!("Content-Type: {declared}\n\n{content}\n"));
        self
    }

    /// With a file.
    pub(super) fn file(self, name: &str, declared: &str, bytes: &[u8]) -> Self {
        self.encoded(&format!("{declared}; name=\"{name}\""), &format!("attachment; filename=\"{name}\""), bytes)
    }

    /// With a picture that its page shows by `cid:logo`.
    pub(super) fn inline(self, name: &str, declared: &str, bytes: &[u8]) -> Self {
        let disposition = format!("inline; filename=\"{name}\"\nContent-ID: <logo>");
        self.encoded(&format!("{declared}; name=\"{name}\""), &disposition, bytes)
    }

    fn encoded(mut self, declared: &str, disposition: &str, bytes: &[u8]) -> Self {
        let encoded = STANDARD.encode(bytes);
        let lines: Vec<String> =
            encoded.as_bytes().chunks(LINE_CHARS).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        self.parts.push(format!(
            "Content-Type: {declared}\nContent-Disposition: {disposition}\nContent-Transfer-Encoding: base64\n\n{}\n",
            lines.join("\n")
        ));
        self
    }

    /// The mail as it goes over the wire.
    pub(super) fn build(&self) -> Vec<u8> {
        let Self { from, subject, fields, parts } = self;
        let head = format!(
            "From: {from}\nTo: Bert <bert@example.com>\nSubject: {subject}\nDate: Mon, 23 Nov 2026 09:30:00 +0000\n\
             Message-ID: <look-alike@partner.example>\n{fields}MIME-Version: 1.0\n"
        );
        let body = match parts.as_slice() {
            [single] => single.clone(),
            several => {
                let parts: String = several.iter().map(|part| format!("--=_letter\n{part}")).collect();
                format!("Content-Type: multipart/mixed; boundary=\"=_letter\"\n\n{parts}--=_letter--\n")
            }
        };
        crate::mime::wire_form(format!("{head}{body}").as_bytes())
    }
}
