//! What can be asked for.

use crate::detection::Category;
use crate::ledger::Account;
use crate::message::Family;
use crate::policy::Disposition;
use crate::{Direction, MailId};

/// A field of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Our id of the message.
    Id,
    /// The reverse path.
    Sender,
    /// The header `From`.
    From,
    /// The domain of the header `From`.
    FromDomain,
    /// The recipient.
    Recipient,
    /// The accepted domain that a unit belongs to.
    Domain,
    /// The subject.
    Subject,
    /// The header `Message-ID`.
    MessageId,
    /// Which way it went.
    Direction,
    /// The category of the verdict.
    Category,
    /// What was decided.
    Disposition,
    /// Where it is.
    State,
    /// The code of a detection that found something.
    Detection,
    /// Its version.
    DetectionVersion,
    /// The engine that found something.
    Engine,
    /// The ruleset that examined it.
    Ruleset,
    /// The name of a part.
    File,
    /// The family or content type of a part.
    Type,
    /// The SHA-256 of the message, or of a part.
    Sha256,
    /// The host of a link.
    Url,
    /// The client's address.
    Ip,
    /// The login of the client.
    Login,
    /// Bytes of the message.
    Size,
    /// When it came.
    Received,
    /// The incident that it belongs to.
    Incident,
}

/// How a field is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, with wildcards.
    Text,
    /// One of some words.
    Word,
    /// A number of bytes: 500k, 2M.
    Bytes,
    /// A moment.
    Moment,
}

impl Field {
    /// All fields, in the order in which they are offered.
    pub const ALL: [Self; 25] = [
        Self::Sender,
        Self::Recipient,
        Self::Subject,
        Self::From,
        Self::FromDomain,
        Self::Domain,
        Self::Direction,
        Self::Category,
        Self::Disposition,
        Self::State,
        Self::Detection,
        Self::DetectionVersion,
        Self::Engine,
        Self::File,
        Self::Type,
        Self::Sha256,
        Self::Url,
        Self::Ip,
        Self::Login,
        Self::Size,
        Self::Received,
        Self::MessageId,
        Self::Id,
        Self::Ruleset,
        Self::Incident,
    ];

    /// The name in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Sender => "sender",
            Self::From => "from",
            Self::FromDomain => "from_domain",
            Self::Recipient => "recipient",
            Self::Domain => "domain",
            Self::Subject => "subject",
            Self::MessageId => "message_id",
            Self::Direction => "direction",
            Self::Category => "category",
            Self::Disposition => "disposition",
            Self::State => "state",
            Self::Detection => "detection",
            Self::DetectionVersion => "version",
            Self::Engine => "engine",
            Self::Ruleset => "ruleset",
            Self::File => "file",
            Self::Type => "type",
            Self::Sha256 => "sha256",
            Self::Url => "url",
            Self::Ip => "ip",
            Self::Login => "login",
            Self::Size => "size",
            Self::Received => "received",
            Self::Incident => "incident",
        }
    }

    /// Reads a name; those that people are used to as well.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        match text.as_str() {
            "to" | "rcpt" => Some(Self::Recipient),
            "verdict" => Some(Self::Category),
            "action" => Some(Self::Disposition),
            "account" => Some(Self::State),
            "time" => Some(Self::Received),
            "hash" => Some(Self::Sha256),
            "attachment" | "filename" => Some(Self::File),
            _ => Self::ALL.into_iter().find(|field| field.as_str() == text),
        }
    }

    /// How it is asked for.
    pub fn kind(self) -> Kind {
        match self {
            Self::Direction | Self::Category | Self::Disposition | Self::State => Kind::Word,
            Self::Size => Kind::Bytes,
            Self::Received => Kind::Moment,
            _ => Kind::Text,
        }
    }

    /// The words that it can be, if it is one of some; some of those that it often is, otherwise.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::Direction => Direction::ALL.map(Direction::as_str).into(),
            Self::Category => Category::ALL.map(Category::as_str).into(),
            Self::Disposition => Disposition::ALL.map(Disposition::as_str).into(),
            Self::State => Account::ALL.map(Account::as_str).into(),
            Self::Type => Family::ALL.map(Family::as_str).into(),
            Self::Received => vec![">=-1h", ">=-24h", ">=-7d", ">=-30d"],
            Self::Size => vec![">=1M", "<100k"],
            _ => Vec::new(),
        }
    }

    /// The name of a word as it is stored, whatever the case in which it was written.
    pub fn word(self, text: &str) -> Option<&'static str> {
        self.words().into_iter().find(|word| word.eq_ignore_ascii_case(text))
    }

    /// An example of its values, for people.
    pub fn example(self) -> &'static str {
        match self {
            Self::Id => "01a2138d-*",
            Self::Sender => "*@partner.example",
            Self::From => "\"Anna Berg\"*",
            Self::FromDomain => "partner.example",
            Self::Recipient => "bert@ours.example",
            Self::Domain => "ours.example",
            Self::Subject => "\"quarterly figures\"",
            Self::MessageId => "\"<1@partner.example>\"",
            Self::Direction => "Inbound",
            Self::Category => "Malware",
            Self::Disposition => "Hold",
            Self::State => "held",
            Self::Detection => "IMG-*",
            Self::DetectionVersion => "3f9a0c11d2e4",
            Self::Engine => "yara",
            Self::Ruleset => "9c41…",
            Self::File => "*.docm",
            Self::Type => "image",
            Self::Sha256 => "e3b0c442…",
            Self::Url => "*.bad.example",
            Self::Ip => "192.0.2.*",
            Self::Login => "anna",
            Self::Size => ">=2M",
            Self::Received => ">=-24h",
            Self::Incident => "INC-2026-0001",
        }
    }
}

/// Whether a text is an id of ours, for a value without a field.
pub fn is_mail_id(text: &str) -> bool {
    text.parse::<MailId>().is_ok()
}
