//! What is asked for: the query as it was typed, with the times of flags; and where it is wrong.

use domain::Timestamp;
use domain::query::parse::moment;
use domain::query::{Query, QueryError};
use platform::clock::{Clock, SystemClock};

use crate::CliError;

/// The query, with the times of flags.
///
/// # Errors
/// When it cannot be read: with the place marked.
pub(super) fn query(text: &str, since: Option<&str>, until: Option<&str>) -> Result<String, CliError> {
    let now = SystemClock.now();
    Query::parse(text, now).map_err(|error| CliError::Usage(marked(text, &error)))?;
    let times = [bound("--since", ">=", since, now)?, bound("--until", "<", until, now)?];
    let times: Vec<String> = times.into_iter().flatten().collect();
    Ok(match (text.trim().is_empty(), times.is_empty()) {
        (_, true) => text.to_owned(),
        (true, false) => times.join(" "),
        (false, false) => format!("({text}) {}", times.join(" ")),
    })
}

fn bound(flag: &str, sign: &str, text: Option<&str>, now: Timestamp) -> Result<Option<String>, CliError> {
    let Some(text) = text.map(str::trim) else { return Ok(None) };
    moment(text, now).map_err(|why| CliError::Usage(format!("{flag}: {why}")))?;
    Ok(Some(format!("received:{sign}{text}")))
}

/// What is wrong, over the query with a mark under the place.
fn marked(text: &str, error: &QueryError) -> String {
    // One line, in which each character has its place still.
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let before = text.get(..error.at.start).unwrap_or(text).chars().count();
    let wrong = text.get(error.at.clone()).unwrap_or_default().chars().count().max(1);
    format!("{}\n  {line}\n  {}{}", error.what, " ".repeat(before), "^".repeat(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, since: Option<&str>, until: Option<&str>) -> String {
        query(text, since, until).unwrap_or_else(|error| match error {
            CliError::Usage(why) => why,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn times_bind_the_whole_query() {
        assert_eq!(asked("state:held", None, None), "state:held");
        assert_eq!(asked("a OR b", Some("-24h"), None), "(a OR b) received:>=-24h");
        assert_eq!(
            asked(" ", Some("2026-11-23T08:00:00Z"), Some("now")),
            "received:>=2026-11-23T08:00:00Z received:<now"
        );
        let now = SystemClock.now();
        let both = asked("a OR b", Some("2026-11-23T08:00:00Z"), Some("2026-11-24"));
        assert!(Query::parse(&both, now).is_ok(), "{both}");
        assert!(Query::parse(&asked("", None, Some("now")), now).is_ok());
    }

    #[test]
    fn a_fault_is_shown_at_its_place() {
        let told = asked("sender:ä@x.example nothing:7", None, None);
        let lines: Vec<&str> = told.lines().collect();
        assert!(lines[0].contains("nothing"), "{told}");
        assert_eq!(lines[1], "  sender:ä@x.example nothing:7");
        assert_eq!(lines[2], format!("  {}^^^^^^^^", " ".repeat(19)));
        assert!(asked("a) OR (b", Some("-1h"), None).contains("a) OR (b\n"), "it cannot close what flags open");
        assert!(asked("a", Some("24h"), None).starts_with("--since: "));
    }
}
