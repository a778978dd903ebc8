//! A limit on everything, and the time budget of one examination.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How much of one message is looked at. Over a limit the message is `Unscannable`, and policy decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Nesting of MIME parts and of mails in mails.
    pub mime_depth_max: u32,
    /// Parts of one message, archive members included.
    pub parts_max: usize,
    /// Nesting of archives in archives.
    pub archive_depth_max: u32,
    /// Entries of all archives of one message.
    pub archive_entries_max: usize,
    /// Bytes unpacked from all archives of one message.
    pub unpacked_bytes_max: u64,
    /// Unpacked bytes for each packed byte, once more than [`Limits::RATIO_GRACE_BYTES`] have come out.
    pub ratio_max: u64,
    /// Mails in mails, one in another or side by side, encoded ones with what they hold. Each may be a step of the
    /// parser's stack.
    pub nested_mails_max: usize,
    /// Bytes of all headers.
    pub headers_bytes_max: usize,
    /// Lines of all headers.
    pub header_lines_max: usize,
    /// Encoded mails in a mail.
    pub encoded_mails_max: usize,
    /// Bytes of encoded mails in mails that are decoded to be looked at, all together.
    pub encoded_bytes_max: usize,
    /// Time for one message, all engines together.
    pub time_max: Duration,
}

impl Limits {
    /// Bytes that may come out of an archive before its ratio is looked at: small things compress well.
    pub const RATIO_GRACE_BYTES: u64 = 4 << 20;
    /// Memory of one decoder's dictionary: what the strongest level of xz asks for.
    pub const DICTIONARY_BYTES_MAX: u64 = 64 << 20;
    /// Dictionaries of all decoders of one message, one after the other: each is cleared before it is used.
    pub const DICTIONARIES_BYTES_MAX: u64 = 8 << 30;
    /// Passwords that are tried on what one message brings, on one member after the other. A try takes a millisecond.
    pub const PASSWORD_TRIES_MAX: usize = 2000;
    /// Bytes that documents of one message are unpacked to for their text, all together.
    pub const TEXT_SOURCE_BYTES_MAX: usize = 32 << 20;
    /// Characters of a member's name that are kept: the last ones, for there stands what decides what it is.
    pub const MEMBER_NAME_CHARS_MAX: usize = 250;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mime_depth_max: 50,
            parts_max: 2000,
            archive_depth_max: 8,
            archive_entries_max: 10_000,
            unpacked_bytes_max: 200 << 20,
            ratio_max: 200,
            nested_mails_max: 500,
            headers_bytes_max: 8 << 20,
            header_lines_max: 200_000,
            encoded_mails_max: 200,
            encoded_bytes_max: 256 << 20,
            time_max: Duration::from_secs(30),
        }
    }
}

/// How long an examination may still take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    deadline: Instant,
}

impl Budget {
    /// A budget that begins now.
    pub fn starting_now(limit: Duration) -> Self {
        Self { deadline: Instant::now() + limit }
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.left().is_zero()
    }
}
