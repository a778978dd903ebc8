//! What is seen in the results: signals that detections of the ruleset act on.

use domain::authentication::{AuthResult, Authentication, DmarcPolicy};
use domain::message::Message;

use crate::structure::Check;

/// What is said of how a mail authenticates. `own` are the accepted domains.
pub(crate) fn look(authentication: &Authentication, message: &Message, own: &[String]) -> Vec<(Check, String)> {
    let mut found = Vec::new();
    let from = &message.from_domain;
    if authentication.is_disowned() {
        let check = match authentication.dmarc_policy {
            DmarcPolicy::Reject => Check::DmarcReject,
            DmarcPolicy::Quarantine => Check::DmarcQuarantine,
            DmarcPolicy::None => Check::DmarcFail,
        };
        let policy = authentication.dmarc_policy.as_str();
        found.push((check, format!("{from} disowns it and asks for {policy}: {}", because(authentication))));
    }
    // DMARC has spoken for the domain where it has a record; this is for the one that has none.
    let is_own = own.iter().any(|one| is_of(from, one));
    let says_nothing = !matches!(authentication.dmarc, AuthResult::Pass | AuthResult::Fail | AuthResult::TempError);
    if is_own && says_nothing && authentication.aligned.is_none() && !authentication.arc_trusted {
        found
            .push((Check::OwnDomainForged, format!("says {from} and comes from outside: {}", because(authentication))));
    }
    if authentication.spf == AuthResult::Fail {
        found.push((Check::SpfFail, format!("{} does not send from there", authentication.spf_domain)));
    }
    let is_broken = |result| matches!(result, AuthResult::Fail | AuthResult::PermError | AuthResult::Neutral);
    let none_holds = !authentication.dkim.iter().any(|signature| signature.result == AuthResult::Pass);
    if let Some(broken) = authentication.dkim.iter().find(|signature| none_holds && is_broken(signature.result)) {
        found.push((Check::DkimBroken, format!("the signature of {} does not hold", broken.domain)));
    }
    found.into_iter().map(|(check, evidence)| (check, crate::mime::clean(&evidence))).collect()
}

/// Whether `domain` is the accepted domain `own`, or below it.
fn is_of(domain: &str, own: &str) -> bool {
    let own = own.trim_start_matches('.');
    domain == own || domain.strip_suffix(own).is_some_and(|above| above.ends_with('.'))
}

fn because(authentication: &Authentication) -> String {
    let dkim: Vec<String> = authentication
        .dkim
        .iter()
        .take(3)
        .map(|signature| format!("{} for {}", signature.result.as_str(), signature.domain))
        .collect();
    let dkim = if dkim.is_empty() { "none".to_owned() } else { dkim.join(", ") };
    format!("spf {} for {}, dkim {dkim}", authentication.spf.as_str(), authentication.spf_domain)
}
