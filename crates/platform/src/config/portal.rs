//! `[portal]`: what recipients see of their held mail, and how often they are told of it.

use std::net::SocketAddr;

use domain::Timestamp;

use super::names::socket_address;
use super::section::Section;
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

/// How often, as it is written.
const NOTICES: [(&str, Notices); 4] =
    [("never", Notices::Never), ("4h", Notices::FourHourly), ("daily", Notices::Daily), ("weekly", Notices::Weekly)];

impl Notices {
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
pub(super) fn portal(root: &mut Section<'_>) -> PortalConfig {
    let about = "What recipients see of their own held mail, as the quarantine policy of each category lets them: \
                 AdminOnlyAccess, LimitedAccess (see it, ask for it) or FullAccess (have it delivered). They come by a \
                 link in a mail: a notice of what is held, or one that they ask for.";
    let mut section = root.section("portal", about);
    let folder = section.reading.folder;
    let address = section
        .setting("address", "Where the portal listens. It is off without.")
        .absent("off")
        .default("off")
        .example("\"127.0.0.1:8026\"")
        .text("address with a port", socket_address);
    let url = section
        .setting(
            "url",
            "What links begin with: a proxy with TLS in front of the address (cookies go over https alone).",
        )
        .absent("")
        .default("must be given with an address or notices")
        .example("\"https://held.example.com\"")
        .text("URL", url);
    let notices = section
        .setting(
            "notices",
            "How often recipients are told what is held for them: \"never\", or \"4h\", \"daily\" or \"weekly\", in \
             the morning, UTC.",
        )
        .one_of(&NOTICES, Notices::default());
    let languages = section
        .setting("language", "The words: \"en\", \"de\" or a file with words of your own.")
        .not_shown()
        .default("\"en\"")
        .example("\"en\"")
        .read_once()
        .meaning("\"en\", \"de\" or path", |text| Languages::with(text, folder));
    if (address.is_some() || notices != Notices::Never) && url.is_none() {
        let what = "is missing: what recipients' links begin with, such as \"https://held.example.com\"";
        section.missing("url", what);
    }
    if notices != Notices::Never && address.is_none() {
        section.missing("address", "is missing: a notice leads to the portal");
    }
    section.end();
    PortalConfig {
        address,
        url: url.unwrap_or_default(),
        notices,
        languages: languages.unwrap_or_else(Languages::shipped),
    }
}

fn url(text: &str) -> Result<String, String> {
    let is_url = (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(['#', '?', ' ']);
    if is_url {
        with_a_labels(text.trim_end_matches('/'))
    } else {
        Err("must be a URL such as \"https://held.example.com\"".into())
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
