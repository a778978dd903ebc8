//! What others say of a sender: Authentication-Results of hosts in front of us, and the answers of rspamd.

use detect::auth::upstream;
use detect::rspamd as wire;

/// Reads the bytes as the body of a field, and as a mail that brings one.
pub fn authentication_results(bytes: &[u8]) {
    let body = String::from_utf8_lossy(bytes);
    if let Some((id, results)) = upstream::parse(&body) {
        assert!(!id.is_empty() && results.len() <= 50);
        assert!(results.iter().all(|(method, ..)| *method == method.to_lowercase()));
    }
    let mail = [b"Authentication-Results: up.example; ", bytes, b"\r\nFrom: a@b.example\r\n\r\n"].concat();
    if let Some(said) = upstream::of_message(&mail, &["up.example".to_owned()]) {
        let is_plain = |domain: &str| domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
        assert!(is_plain(&said.spf_domain) && said.dkim.iter().all(|one| is_plain(&one.domain)));
        assert!(said.field.is_empty(), "we do not claim what others have found out");
    }
}

/// Reads the bytes as an answer to /checkv2.
pub fn rspamd(bytes: &[u8]) {
    if let Ok(answer) = wire::parse_answer(bytes) {
        let findings = answer.findings("rspamd/0");
        assert!(findings.len() <= 201);
        let acting = findings.iter().filter(|one| one.effect.acts()).count();
        assert!(acting <= 1, "symbols are facts; only what they come to may act");
        assert!(findings.iter().all(|one| one.evidence.chars().count() <= 200));
    }
}
