//! What all archives of one message may use: entries, bytes, memory, time.

use std::io::Read;

use super::Closed;
use crate::limits::{Budget, Limits};

/// Bytes that are read at once at the beginning of a member. Decoders lose what they decoded in the call that meets the
/// damage, so little is asked for at once; a script is short.
const FIRST_BLOCK_BYTES: usize = 64;
/// Bytes of a member that are read in small blocks.
const FIRST_BYTES: usize = 64 << 10;
/// Bytes that are read at once behind them.
const BLOCK_BYTES: usize = 32 << 10;

/// What all archives of one message have used so far.
#[derive(Debug)]
pub struct Allowance<'l> {
    limits: &'l Limits,
    budget: Budget,
    passwords: Vec<String>,
    entries: usize,
    bytes: u64,
    dictionary_bytes: u64,
    tries: usize,
    text_bytes: usize,
}

impl<'l> Allowance<'l> {
    /// The whole allowance of one message.
    pub fn new(limits: &'l Limits, budget: Budget) -> Self {
        Self {
            limits,
            budget,
            passwords: Vec::new(),
            entries: 0,
            bytes: 0,
            dictionary_bytes: 0,
            tries: 0,
            text_bytes: 0,
        }
    }

    /// The words that may be passwords of what is opened next, the likeliest first.
    pub(crate) fn set_passwords(&mut self, passwords: Vec<String>) {
        self.passwords = passwords;
    }

    pub(super) fn passwords(&self) -> &[String] {
        &self.passwords
    }

    /// Counts one try of a password.
    pub(super) fn try_password(&mut self) -> Result<(), Closed> {
        self.tries += 1;
        let limit = Limits::PASSWORD_TRIES_MAX;
        if self.tries > limit { Err(Closed::Limit(format!("more than {limit} tries of passwords"))) } else { Ok(()) }
    }

    /// Bytes of documents that may still be unpacked for their text. This is a limit of its own: over it there is less
    /// text, and no finding.
    pub(crate) fn text_bytes_left(&self) -> usize {
        Limits::TEXT_SOURCE_BYTES_MAX.saturating_sub(self.text_bytes)
    }

    /// Counts bytes of documents that were unpacked for their text.
    pub(crate) fn take_text(&mut self, bytes: usize) {
        self.text_bytes = self.text_bytes.saturating_add(bytes);
    }

    /// Whether there is time left.
    pub(crate) fn has_time(&self) -> bool {
        !self.budget.is_spent()
    }

    /// Entries that may still come, and one more, which is over the limit.
    pub(crate) fn entries_left(&self) -> usize {
        (self.limits.archive_entries_max + 1).saturating_sub(self.entries)
    }

    /// Counts one entry.
    pub(crate) fn entry(&mut self) -> Result<(), Closed> {
        self.entries += 1;
        let limit = self.limits.archive_entries_max;
        if self.entries > limit { Err(Closed::Limit(format!("more than {limit} archive entries"))) } else { Ok(()) }
    }

    /// The memory for a dictionary: as much as is claimed, or as may be. What is short decodes with less as well.
    pub(super) fn dictionary(&mut self, claimed: u64) -> Result<u32, Closed> {
        let granted = claimed.min(Limits::DICTIONARY_BYTES_MAX);
        self.dictionary_bytes += granted;
        if self.dictionary_bytes > Limits::DICTIONARIES_BYTES_MAX {
            let limit = Limits::DICTIONARIES_BYTES_MAX >> 20;
            return Err(Closed::Limit(format!("dictionaries of more than {limit} MiB, one after the other")));
        }
        Ok(u32::try_from(granted).unwrap_or(u32::MAX))
    }

    /// Counts bytes that were unpacked by somebody else.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), Closed> {
        self.entry()?;
        self.bytes += bytes;
        self.check(bytes, bytes)
    }

    /// Reads all of `source`, which `packed` bytes unpack to, within what is left.
    pub(crate) fn read(&mut self, packed: u64, source: impl Read) -> Result<Vec<u8>, Closed> {
        match self.read_so_far(packed, source) {
            (bytes, None) => Ok(bytes),
            (_, Some(closed)) => Err(closed),
        }
    }

    /// Reads `source` up to its end, its damage or a limit: what came out, and why it ended before its end.
    pub(crate) fn read_so_far(&mut self, packed: u64, mut source: impl Read) -> (Vec<u8>, Option<Closed>) {
        let mut bytes = Vec::new();
        if let Err(over) = self.check(packed, 0) {
            return (bytes, Some(over));
        }
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let size = if bytes.len() < FIRST_BYTES { FIRST_BLOCK_BYTES } else { BLOCK_BYTES };
            match source.read(&mut block[..size]) {
                Ok(0) => return (bytes, None),
                Ok(count) => {
                    bytes.extend_from_slice(&block[..count]);
                    self.bytes += count as u64;
                }
                Err(error) => return (bytes, Some(Closed::NotAnalysed(format!("damaged: {error}")))),
            }
            if let Err(over) = self.check(packed, bytes.len() as u64) {
                return (bytes, Some(over));
            }
        }
    }

    /// Bytes that may still come out, and one more, which is over the limit.
    pub(super) fn bytes_left(&self) -> u64 {
        (self.limits.unpacked_bytes_max + 1).saturating_sub(self.bytes)
    }

    /// A copy of bytes that lie there as they are.
    pub(super) fn copy(&mut self, stored: &[u8]) -> (Vec<u8>, Option<Closed>) {
        self.read_so_far(stored.len() as u64, stored)
    }

    fn check(&self, packed: u64, unpacked: u64) -> Result<(), Closed> {
        let Limits { unpacked_bytes_max, ratio_max, .. } = self.limits;
        if self.bytes > *unpacked_bytes_max {
            return Err(Closed::Limit(format!("more than {} MiB unpacked", unpacked_bytes_max >> 20)));
        }
        if unpacked > Limits::RATIO_GRACE_BYTES && unpacked / packed.max(1) > *ratio_max {
            return Err(Closed::Limit(format!("unpacks to more than {ratio_max} times its size")));
        }
        if self.budget.is_spent() {
            return Err(Closed::OutOfTime);
        }
        Ok(())
    }
}
