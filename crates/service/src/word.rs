//! Words that a request chooses from a list, codes of detections, and moments: in any case, and refused where nothing
//! is called so. A list that says "nothing" to a misspelt filter would be an untruth.

use domain::detection::DetectionCode;
use domain::envelope::Border;
use domain::query::parse::moment;
use domain::{DomainName, Timestamp};
use store::Store;

use crate::error::ServiceError;

/// The name among `names` that is meant, whatever the case of its letters.
///
/// # Errors
/// [`ServiceError::Bad`] with all names, when it is none of them.
pub(crate) fn one_of<'n>(what: &str, text: &str, names: &[&'n str]) -> Result<&'n str, ServiceError> {
    let known = names.iter().copied().find(|name| name.eq_ignore_ascii_case(text.trim()));
    known.ok_or_else(|| ServiceError::Bad(format!("{what} '{text}' is none of {}", names.join(", "))))
}

/// The code of a detection as it is kept, whatever the case in which it was written.
///
/// # Errors
/// [`ServiceError::NotFound`] when no detection was ever called so: in no ruleset that was kept, and nothing was hit by
/// it.
pub(crate) async fn detection(store: &Store, text: &str) -> Result<DetectionCode, ServiceError> {
    let code = DetectionCode::parse(text.trim()).map_err(|error| ServiceError::Bad(error.to_string()))?;
    store.rules.known_detection(&code).await?.ok_or_else(|| {
        ServiceError::NotFound(format!(
            "no detection is or was called {code}; `reprieve detection list` shows those in force"
        ))
    })
}

/// The domains that somebody may see.
///
/// # Errors
/// [`ServiceError::Bad`] when one is none of ours: whoever were confined to it would see nothing, and not know why.
pub(crate) fn domains(border: &Border, given: &[String]) -> Result<Vec<DomainName>, ServiceError> {
    let domains: Vec<DomainName> = given.iter().map(|domain| domain.trim().into()).collect();
    match domains.iter().find(|domain| !border.accepts(domain)) {
        None => Ok(domains),
        Some(other) => Err(ServiceError::Bad(format!("domain '{other}' is none of accepted_domains"))),
    }
}

/// When a text begins: a moment in RFC 3339, a date, `now`, or a time before now such as `-24h`.
///
/// # Errors
/// [`ServiceError::Bad`] when it is none.
pub(crate) fn beginning(what: &str, text: &str, now: Timestamp) -> Result<Timestamp, ServiceError> {
    let (from, _) = moment(text.trim(), now).map_err(|why| ServiceError::Bad(format!("{what}: {why}")))?;
    Ok(Timestamp::from_micros(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_in_any_case_and_what_is_none_is_told_all_of_them() {
        let names = ["Malware", "Spam"];
        assert_eq!(one_of("category", " mALWARE ", &names).ok(), Some("Malware"));
        let Err(ServiceError::Bad(why)) = one_of("category", "malwar", &names) else { panic!("it is none") };
        assert_eq!(why, "category 'malwar' is none of Malware, Spam");
        assert!(one_of("category", "", &names).is_err(), "nothing is no word");
    }

    #[test]
    fn moments_are_absolute_or_relative() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let at = |text: &str| beginning("since", text, now).ok().map(|at| now.since(at).as_secs());
        assert_eq!(
            [at("-24h"), at("-90m"), at("now"), at("-2w")],
            [Some(86_400), Some(5400), Some(0), Some(1_209_600)]
        );
        assert_eq!(beginning("since", "2026-11-01", now).ok(), Timestamp::parse("2026-11-01T00:00:00Z").ok());
        assert!(matches!(beginning("since", "24h", now), Err(ServiceError::Bad(why)) if why.contains("-2h or -7d")));
    }
}
