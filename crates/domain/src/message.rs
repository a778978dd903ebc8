//! What a mail is once it has been parsed: the facts that a verdict, a search and the content memory need.
//!
//! `detect::mime` fills these; nothing here parses.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::fingerprint::Fingerprints;
use crate::header;

/// The kind of content a part has, by its bytes; the unit in which detections say what they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Plain text.
    Text,
    /// HTML.
    Html,
    /// JPEG, PNG, GIF, WebP, BMP, TIFF, HEIF, ICO, SVG.
    Image,
    /// Zip, tar, gzip, 7z, rar, cab and their kin.
    Archive,
    /// PE, ELF, Mach-O, Java class, installers.
    Executable,
    /// Shell, PowerShell, VBScript, JScript, batch files.
    Script,
    /// OLE and OOXML documents, RTF, OpenDocument.
    Office,
    /// PDF.
    Pdf,
    /// Sound and film.
    Media,
    /// A nested mail.
    Mail,
    /// Anything else.
    Other,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Text,
        Self::Html,
        Self::Image,
        Self::Archive,
        Self::Executable,
        Self::Script,
        Self::Office,
        Self::Pdf,
        Self::Media,
        Self::Mail,
        Self::Other,
    ];

    /// The stored and shown name, as `part:<family>` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Image => "image",
            Self::Archive => "archive",
            Self::Executable => "executable",
            Self::Script => "script",
            Self::Office => "office",
            Self::Pdf => "pdf",
            Self::Media => "media",
            Self::Mail => "mail",
            Self::Other => "other",
        }
    }
}

/// What follows the real end of a part's container. Filled by the container walkers; a fact, never a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tail {
    /// No walker has looked.
    #[default]
    NotWalked,
    /// The container accounts for every byte.
    None,
    /// A trailer known by its own structure.
    Known(String),
    /// Bytes that no known structure accounts for.
    Unknown,
}

impl Tail {
    /// The stored name of the class.
    pub fn as_str(&self) -> &str {
        match self {
            Self::NotWalked => "not-walked",
            Self::None => "none",
            Self::Known(name) => name,
            Self::Unknown => "unknown",
        }
    }
}

/// One decoded part: of the MIME tree, or a member of an archive below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Position in the order of the walk, from 0.
    pub number: u32,
    /// The part that holds this one, if any.
    pub parent: Option<u32>,
    /// SHA-256 of the decoded bytes.
    pub sha256: Digest,
    /// Decoded size in bytes.
    pub size: u64,
    /// The kind of content, by its bytes.
    pub family: Family,
    /// The content type that the bytes show, such as `image/png`.
    pub content_type: String,
    /// The content type that the mail declares, in lower case.
    pub declared: String,
    /// The file name, cleaned for showing; empty if none.
    pub name: String,
    /// What follows the real end of the container.
    pub tail: Tail,
}

/// A place where two mail programs may read the same bytes differently (CVE-2024-28054 and its kin).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ambiguity {
    /// A header block has more than one Content-Type.
    TwoContentTypes,
    /// A Content-Type has more than one boundary.
    TwoBoundaries,
    /// A header block has more than one Content-Transfer-Encoding.
    TwoTransferEncodings,
    /// A transfer encoding that no standard names.
    UnknownTransferEncoding,
    /// A header block has more than one of a field that RFC 5322 allows once (From, Subject, ...).
    RepeatedField,
    /// Base64 with characters outside its alphabet, or data after the padding.
    OddBase64,
    /// A multipart without a usable boundary.
    NoBoundary,
    /// Parts that stand where not every program still looks: behind the end of their multipart, or behind damage.
    StrayParts,
}

impl Ambiguity {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::TwoContentTypes,
        Self::TwoBoundaries,
        Self::TwoTransferEncodings,
        Self::UnknownTransferEncoding,
        Self::RepeatedField,
        Self::OddBase64,
        Self::NoBoundary,
        Self::StrayParts,
    ];

    /// The machine name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TwoContentTypes => "two-content-types",
            Self::TwoBoundaries => "two-boundaries",
            Self::TwoTransferEncodings => "two-transfer-encodings",
            Self::UnknownTransferEncoding => "unknown-transfer-encoding",
            Self::RepeatedField => "repeated-field",
            Self::OddBase64 => "odd-base64",
            Self::NoBoundary => "no-boundary",
            Self::StrayParts => "stray-parts",
        }
    }
}

/// What kind of correspondence a mail is. What is held back longest hurts differently by kind: this orders releases,
/// and decides nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Correspondence {
    /// As far as its header says, a person wrote it to persons; replies and forwards among them.
    #[default]
    Person,
    /// A program wrote it about one matter: an order, a ticket, an answer of a machine (RFC 3834).
    Automatic,
    /// To many: a list or a newsletter (RFC 2919, RFC 2369, RFC 8058).
    Bulk,
}

impl Correspondence {
    const ALL: [Self; 3] = [Self::Person, Self::Automatic, Self::Bulk];

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Automatic => "automatic",
            Self::Bulk => "bulk",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What the header block of a mail says.
    pub fn of(raw: &[u8]) -> Self {
        let mut seen = Self::Person;
        for field in header::fields(raw) {
            let says = |words: &[&str]| {
                let value = field.unfolded().trim().to_ascii_lowercase();
                words.iter().any(|word| value.starts_with(word))
            };
            let kind = if ["List-Id", "List-Unsubscribe", "List-Post", "Feedback-ID"].iter().any(|name| field.is(name))
                || (field.is("Precedence") && says(&["bulk", "list", "junk"]))
            {
                Self::Bulk
            } else if (field.is("Auto-Submitted") && !says(&["no"]))
                || (field.is("Return-Path") && says(&["<>"]))
                || field.is("X-Auto-Response-Suppress")
            {
                Self::Automatic
            } else {
                Self::Person
            };
            seen = seen.max(kind);
        }
        seen
    }
}

/// The facts of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// SHA-256 of the whole message as received.
    pub sha256: Digest,
    /// SHA-256 of what follows the header block; with sender, recipient and Message-ID the key of a retry.
    pub body_sha256: Digest,
    /// Bytes as received.
    pub size: u64,
    /// `Message-ID` with its angle brackets, if there is one.
    pub message_id: Option<String>,
    /// `Subject`, decoded; empty if none.
    pub subject: String,
    /// The first address of `From`, decoded; empty if none.
    pub from: String,
    /// The domain of that address, in lower case.
    pub from_domain: String,
    /// `Auto-Submitted`, if there is one (RFC 3834).
    pub auto_submitted: Option<String>,
    /// Whether a person wrote it to persons, by what its header says.
    #[serde(default)]
    pub correspondence: Correspondence,
    /// `Authentication-Results` of upstream hosts, verbatim, top first.
    pub authentication_results: Vec<String>,
    /// How many `Received` fields there are.
    pub received_count: u32,
    /// SHA-256 of the normalised text: lower case, white space folded; none without text.
    pub text_sha256: Option<Digest>,
    /// Registrable domains of the URLs in text and HTML, sorted.
    pub url_domains: Vec<String>,
    /// The links in text, HTML, documents and codes: host and what follows it, without the scheme; the first ones.
    pub urls: Vec<String>,
    /// The decoded parts.
    pub parts: Vec<Part>,
    /// What it looks like.
    #[serde(default, skip_serializing_if = "Fingerprints::is_empty")]
    pub fingerprints: Fingerprints,
    /// Places that can be read in two ways.
    pub ambiguities: Vec<Ambiguity>,
}

impl Message {
    /// The part with this number.
    pub fn part(&self, number: u32) -> Option<&Part> {
        self.parts.get(usize::try_from(number).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_says_of_who_wrote_it() {
        let of =
            |fields: &str| Correspondence::of(format!("Subject: x\r\n{fields}\r\nList-Id: in the body\r\n").as_bytes());
        assert_eq!(of(""), Correspondence::Person);
        assert_eq!(of("In-Reply-To: <1@x>\r\nAuto-Submitted: no\r\n"), Correspondence::Person);
        assert_eq!(of("Auto-Submitted: auto-generated\r\n"), Correspondence::Automatic);
        assert_eq!(of("Return-Path: <>\r\n"), Correspondence::Automatic);
        assert_eq!(of("list-id: <dev.x.example>\r\n"), Correspondence::Bulk);
        assert_eq!(of("Precedence: Bulk\r\nAuto-Submitted: auto-generated\r\n"), Correspondence::Bulk);
        assert_eq!(of("Precedence: first-class\r\n"), Correspondence::Person);
    }
}
