//! What a trace says of a mail, under the names of the stream of events: what that says of it while nothing is switched
//! on, and how long each engine took. No subject, no text, no name of a file, no URL, no evidence, nobody's reason.

use std::time::Duration;

use domain::envelope::Envelope;
use domain::finding::{EngineReport, Finding};
use domain::verdict::Verdict;
use domain::{Address, Examination};

use super::way::{Value, Way};

impl Way {
    /// Who hands it in, and for whom.
    pub fn tell_envelope(&mut self, envelope: &Envelope) {
        let client = &envelope.client;
        self.fact("source.ip", || Value::Text(client.ip.to_string()));
        self.fact("source.domain", || Value::text(&client.helo));
        if let Some(login) = &client.login {
            self.fact("source.user.name", || Value::text(login));
        }
        self.fact("reprieve.envelope.sender", || Value::text(envelope.sender_text()));
        self.fact("email.to.address", || Value::texts(envelope.recipients.iter().map(|one| one.address.as_str())));
        if let Some(first) = envelope.recipients.first() {
            self.fact("email.direction", || Value::Text(first.direction.as_str().to_lowercase()));
        }
    }

    /// What it is by its bytes, and what was found that counts.
    pub fn tell_examination(&mut self, examination: &Examination) {
        if !self.is_on() {
            return;
        }
        let message = &examination.message;
        self.fact("reprieve.mail.size", || Value::count(message.size));
        self.fact("reprieve.mail.sha256", || Value::Text(message.sha256.hex()));
        if let Some(id) = &message.message_id {
            self.fact("email.message_id", || Value::text(id.trim_matches(['<', '>'])));
        }
        if let Ok(from) = Address::parse(&message.from) {
            self.fact("email.from.address", || Value::texts(std::iter::once(from.as_str())));
        }
        self.fact("rule.ruleset", || Value::Text(examination.ruleset.to_string()));
        let counts: Vec<&Finding> = examination.findings.iter().filter(|finding| finding.may_act()).collect();
        if let Some(first) = counts.first() {
            self.fact("rule.id", || Value::Text(first.detection.to_string()));
            self.fact("rule.version", || Value::Text(first.detection_version.to_string()));
            self.fact("rule.category", || Value::Text(first.category.as_str().to_owned()));
        }
        let codes: Vec<String> =
            counts.iter().map(|one| format!("{} {}", one.detection, one.detection_version)).collect();
        self.fact("reprieve.findings", || Value::texts(codes.iter().map(String::as_str)));
        self.fact("reprieve.findings_count", || Value::count(counts.len() as u64));
    }

    /// How each engine fared, as steps within the one that is under way, which began at `began`. They say how long they
    /// took, not when they began: those outside begin with the examination, and ours come one after another once it is
    /// known who sends.
    pub fn tell_engines(&mut self, examination: &Examination, began: Duration) {
        if !self.is_on() {
            return;
        }
        let ended = self.so_far();
        let authentication = examination.engines.iter().find(|report| report.engine == detect::auth::ENGINE);
        let mut ours = began + authentication.map_or(Duration::ZERO, took);
        for report in &examination.engines {
            let begins = if is_outside(&report.engine) { began } else { ours };
            let begins = begins.min(ended);
            let took = took(report).min(ended - begins);
            if !is_outside(&report.engine) {
                ours = begins + took;
            }
            let facts = vec![
                ("reprieve.engine.name", Value::text(&report.engine)),
                ("reprieve.engine.outcome", Value::Text(report.outcome.as_str().to_owned())),
                ("reprieve.engine.milliseconds", Value::Fraction(report.millis)),
            ];
            self.note(format!("engine {}", report.engine), begins, took, facts, report.is_missed());
        }
    }

    /// What was decided for each recipient, in the order of the envelope, and whether it is acted on for any.
    pub fn tell_verdicts(&mut self, verdicts: &[Verdict], enforced: &[bool]) {
        let Some(worst) = verdicts.iter().max_by_key(|verdict| verdict.category) else { return };
        self.fact("reprieve.verdict.category", || Value::Text(worst.category.as_str().to_owned()));
        self.fact("reprieve.verdict.disposition", || {
            Value::texts(verdicts.iter().map(|verdict| verdict.disposition.as_str()))
        });
        self.fact("reprieve.verdict.enforced", || Value::Flag(enforced.contains(&true)));
        self.fact("reprieve.verdict.policy", || Value::text(worst.policy.as_str()));
    }
}

fn is_outside(engine: &str) -> bool {
    use detect::{auth, clamd, dnsbl, rspamd};
    [auth::ENGINE, clamd::ENGINE, dnsbl::ENGINE, rspamd::ENGINE].contains(&engine)
}

fn took(report: &EngineReport) -> Duration {
    Duration::try_from_secs_f64(report.millis / 1000.0).unwrap_or_default()
}
