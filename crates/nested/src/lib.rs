//! Mail made to nest or to grow without end: what a careless reader takes a stack, all memory or an hour for. Each kind
//! is made in code and is never a file. [`kinds`] is the table of them.

mod archive;
mod content;
mod mail;

/// What has to become of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is over a limit, and the examination says so.
    Limit,
    /// It is examined; whether a limit is met is not what it is about.
    Examined,
}

/// One kind of mail.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What it is, in a few words.
    pub name: &'static str,
    /// What has to become of it.
    pub outcome: Outcome,
    /// Makes it.
    pub make: fn() -> Vec<u8>,
}

impl Kind {
    const fn limit(name: &'static str, make: fn() -> Vec<u8>) -> Self {
        Self { name, outcome: Outcome::Limit, make }
    }

    const fn examined(name: &'static str, make: fn() -> Vec<u8>) -> Self {
        Self { name, outcome: Outcome::Examined, make }
    }
}

/// All kinds: first those of mail itself, then those of what is in it.
pub fn kinds() -> impl Iterator<Item = Kind> {
    mail::KINDS.iter().chain(content::KINDS).chain(archive::KINDS).copied()
}

/// A text, so many times.
fn times(text: &str, count: usize) -> String {
    text.repeat(count)
}

/// A mail with these fields and this body.
fn mail(fields: &str, body: &str) -> Vec<u8> {
    format!("From: a@x.example\r\nTo: b@ours.example\r\n{fields}\r\n{body}").into_bytes()
}

/// A mail with this file.
fn attached(name: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / 30);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(76));
        lines.push_str(line);
        lines.push_str("\r\n");
        rest = after;
    }
    let fields = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n";
    let part = format!(
        "--outer\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{lines}--outer--\r\n"
    );
    mail(fields, &part)
}
