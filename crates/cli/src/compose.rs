//! Mails that our code composes: for the demo, and to wrap a single file for a scan. All their content is ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A mail in the making.
#[derive(Clone, Debug)]
pub struct Mail {
    head: String,
    text: String,
    html: Option<String>,
    related: Vec<Attachment>,
    attached: Vec<Attachment>,
}

#[derive(Clone, Debug)]
struct Attachment {
    name: String,
    content_type: String,
    content_id: Option<String>,
    bytes: Vec<u8>,
}

impl Mail {
    /// A mail with a sender, a recipient and a subject (ASCII, without line ends).
    pub fn new(from: &str, to: &str, subject: &str) -> Self {
        let head = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n");
        Self { head, text: String::new(), html: None, related: Vec::new(), attached: Vec::new() }
    }

    /// Adds a header field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = text.replace('\n', "\r\n");
        self
    }

    /// Adds an HTML form of the text.
    #[must_use]
    pub fn html(mut self, html: &str) -> Self {
        self.html = Some(html.replace('\n', "\r\n"));
        self
    }

    /// Adds an image that the HTML shows as `cid:<id>`.
    #[must_use]
    pub fn inline(mut self, name: &str, content_type: &str, id: &str, bytes: &[u8]) -> Self {
        let (name, content_type) = (name.to_owned(), content_type.to_owned());
        self.related.push(Attachment { name, content_type, content_id: Some(id.to_owned()), bytes: bytes.to_vec() });
        self
    }

    /// Attaches a file.
    #[must_use]
    pub fn attach(mut self, name: &str, content_type: &str, bytes: &[u8]) -> Self {
        let (name, content_type) = (name.to_owned(), content_type.to_owned());
        self.attached.push(Attachment { name, content_type, content_id: None, bytes: bytes.to_vec() });
        self
    }

    /// The mail as it goes over the wire.
    pub fn build(&self) -> Vec<u8> {
        let mut body = leaf("text/plain; charset=utf-8", &self.text);
        if let Some(html) = &self.html {
            body = multipart("alternative", "alt", &[body, leaf("text/html; charset=utf-8", html)]);
        }
        if !self.related.is_empty() {
            let parts: Vec<String> = [body].into_iter().chain(self.related.iter().map(file)).collect();
            body = multipart("related", "rel", &parts);
        }
        if !self.attached.is_empty() {
            let parts: Vec<String> = [body].into_iter().chain(self.attached.iter().map(file)).collect();
            body = multipart("mixed", "mix", &parts);
        }
        format!("{}{body}", self.head).into_bytes()
    }
}

fn leaf(content_type: &str, text: &str) -> String {
    format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n")
}

fn file(file: &Attachment) -> String {
    let Attachment { name, content_type, content_id, bytes } = file;
    let encoded = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    let (kind, id) = match content_id {
        Some(id) => ("inline", format!("Content-ID: <{id}>\r\n")),
        None => ("attachment", String::new()),
    };
    format!(
        "Content-Type: {content_type}; name=\"{name}\"\r\nContent-Disposition: {kind}; filename=\"{name}\"\r\n{id}\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
}

fn multipart(kind: &str, mark: &str, parts: &[String]) -> String {
    let boundary = format!("=_{mark}_reprieve");
    let mut out = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n");
    for part in parts {
        out.push_str(&format!("--{boundary}\r\n{part}"));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    out
}
