//! `[portal]`: what recipients see of their held mail, and how often they are told of it.

use std::net::SocketAddr;
use std::path::Path;

use domain::Timestamp;

use super::section::{Faults, Section};
use super::socket_address;
use crate::https::with_a_labels;
use crate::recipient::language::Languages;

/// An hour, a day and a week, in seconds.
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// When on a day notices go out, in seconds after midnight, UTC.
const MORNING: i64 = 6 * HOUR;
/// The first Monday, in seconds after the beginning of 1970, which was a Thursday.
const MONDAY: i64 = 4 * DAY;

/// How often recipients are told what is held for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notices {
    /// Never.
    #[default]
    Never,
    /// Every four hours.
    FourHourly,
    /// Each day at six o'clock, UTC.
    Daily,
    /// Each Monday at six o'clock, UTC.
    Weekly,
}

impl Notices {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            "4h" => Ok(Self::FourHourly),
            "daily" => Ok(Self::Daily),
            "weekly" => Ok(Self::Weekly),
            _ => Err("must be \"never\", \"4h\", \"daily\" or \"weekly\"".into()),
        }
    }

    /// The number of the period that a moment is in; it grows with each. None where nobody is told.
    pub fn period(self, at: Timestamp) -> Option<i64> {
        let (first, length) = match self {
            Self::Never => return None,
            Self::FourHourly => (0, 4 * HOUR),
            Self::Daily => (MORNING, DAY),
            Self::Weekly => (MONDAY + MORNING, 7 * DAY),
        };
        Some((at.as_seconds() - first).div_euclid(length))
    }
}

/// The portal of recipients.
#[derive(Clone, Debug)]
pub struct PortalConfig {
    /// Where it listens; off without.
    pub address: Option<SocketAddr>,
    /// What its links begin with, without a slash at the end.
    pub url: String,
    /// How often recipients are told.
    pub notices: Notices,
    /// The words.
    pub languages: Languages,
}

/// Reads it.
pub fn portal(root: &mut Section<'_>, folder: &Path, faults: &mut Faults<'_>) -> PortalConfig {
    let mut section = root.section("portal", faults);
    let address = section.text("address", faults, socket_address);
    let url = section.text("url", faults, |text| {
        let is_url = (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(['#', '?', ' ']);
        if is_url {
            with_a_labels(text.trim_end_matches('/'))
        } else {
            Err("must be a URL such as \"https://held.example.com\"".into())
        }
    });
    let notices = section.text("notices", faults, Notices::parse).unwrap_or_default();
    let languages = section.text("language", faults, |text| Languages::with(text, folder));
    if (address.is_some() || notices != Notices::Never) && url.is_none() {
        let what = "is missing: what recipients' links begin with, such as \"https://held.example.com\"";
        faults.add(0, &section.name("url"), what);
    }
    if notices != Notices::Never && address.is_none() {
        faults.add(0, &section.name("address"), "is missing: a notice leads to the portal");
    }
    section.end(faults);
    PortalConfig {
        address,
        url: url.unwrap_or_default(),
        notices,
        languages: languages.unwrap_or_else(Languages::shipped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_in_the_morning() {
        let at = |text: &str| Timestamp::parse(text).expect("a moment");
        for (notices, before, after, later) in [
            (Notices::Daily, "2026-11-25T05:59:59Z", "2026-11-25T06:00:00Z", "2026-11-26T05:59:59Z"),
            // The 23rd was a Monday.
            (Notices::Weekly, "2026-11-23T05:59:59Z", "2026-11-23T06:00:00Z", "2026-11-30T05:59:59Z"),
            (Notices::FourHourly, "2026-11-25T07:59:59Z", "2026-11-25T08:00:00Z", "2026-11-25T11:59:59Z"),
        ] {
            let [before, after, later] = [before, after, later].map(|text| notices.period(at(text)).expect("one"));
            assert_eq!((after - before, later - after), (1, 0), "{notices:?}");
        }
        assert_eq!(Notices::Never.period(at("2026-11-25T08:00:00Z")), None);
    }
}
