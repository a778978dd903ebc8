//! Units of settings that are numbers.

use std::time::Duration;

use super::shown::{bytes, span};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Connections, mails, percent: what the key says.
    Things,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Bytes.
    Bytes,
    /// Units of 1,024 bytes.
    Kib,
    /// Units of 1,048,576 bytes.
    Mib,
}

impl Unit {
    /// How many of the smallest of its kind it is: milliseconds or bytes.
    fn size(self) -> u64 {
        match self {
            Self::Things | Self::Milliseconds | Self::Bytes => 1,
            Self::Seconds => 1000,
            Self::Minutes => 60 * 1000,
            Self::Hours => 3600 * 1000,
            Self::Days => 24 * 3600 * 1000,
            Self::Kib => 1 << 10,
            Self::Mib => 1 << 20,
        }
    }

    /// So many of it, in the smallest of its kind.
    pub(super) fn in_smallest(self, number: u64) -> u64 {
        number.saturating_mul(self.size())
    }

    /// So many of it as a time.
    pub(super) fn time(self, number: u64) -> Duration {
        Duration::from_millis(self.in_smallest(number))
    }

    /// How many of it a time is, rounded down.
    pub(super) fn of(self, time: Duration) -> u64 {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX) / self.size()
    }

    /// So many of it, for people.
    pub(super) fn shown(self, number: u64) -> String {
        match self {
            Self::Things => number.to_string(),
            Self::Bytes | Self::Kib | Self::Mib => bytes(self.in_smallest(number)),
            _ => span(self.time(number)),
        }
    }

    /// Its name behind a number.
    pub(super) fn behind(self) -> &'static str {
        match self {
            Self::Things => "",
            Self::Milliseconds => " ms",
            Self::Seconds => " s",
            Self::Minutes => " minutes",
            Self::Hours => " hours",
            Self::Days => " days",
            Self::Bytes => " bytes",
            Self::Kib => " KiB",
            Self::Mib => " MiB",
        }
    }
}
