//! What a detection would have held of the mail of the last days: it is tried on what is kept of them, in a process of
//! its own. Nothing that is recorded of that mail decides here, so that it tells as much of a detection that is not in
//! force yet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api_types::detection::{DetectionDryRunAsk, DetectionDryRunView, DryRunTally};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use detect::backtest;
use detect::examine::EnvelopeFacts;
use detect::ruleset::load;
use domain::detection::{Detection, DetectionCode, Mode, Target};
use domain::{Digest, MailId, Timestamp};
use examiner::ExaminerPool;
use platform::percent::encoded;
use store::StoreError;
use store::known_good::Retained;
use store::people::scope::Scope;
use store::quarantine::Filter;

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Days back that are looked at without another wish, and at most.
const DAYS: u64 = 7;
const DAYS_MAX: u64 = 30;
/// Mails and contents of each kind that are looked at, the newest first.
const MAILS_MAX: usize = 1000;
const CONTENTS_MAX: usize = 2000;
/// Time for all of it: somebody waits.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Hits of each kind that are named.
const NAMED_MAX: usize = 10;
/// Letters of a line of base64 (RFC 2045 section 6.8).
const LINE_CHARS: usize = 76;

/// Tries a detection of the ruleset in force, or of one that was built, on what is kept of the mail of the last days.
///
/// # Errors
/// When it is in no such ruleset, another dry run is under way, or the operator may not.
pub async fn dry_run(
    service: &Service,
    operator: &Operator,
    code: &str,
    ask: DetectionDryRunAsk,
) -> ServiceResult<DetectionDryRunView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let code = word::detection(service.store()?, code).await?;
    let days = ask.days.unwrap_or(DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ServiceError::Bad(format!("ask for 1 to {DAYS_MAX} days")));
    }
    let kept = service.kept(ask.ruleset.as_deref().unwrap_or("live")).await?;
    let ruleset = kept.id.to_string();
    let found = kept.detections.into_iter().find(|(detection, _)| detection.code == code);
    let (detection, source) =
        found.ok_or_else(|| ServiceError::NotFound(format!("{code} is not in the ruleset {ruleset}")))?;
    let Ok(_only) = service.dry_runs.try_acquire() else {
        return Err(ServiceError::Conflict("another dry run is under way; it takes a minute at most".into()));
    };
    service.record(operator.actor(&ask.actor), "detection.dry_run", code.as_str(), &format!("{days} days")).await?;
    let began = Instant::now();
    let since = service.clock.now().before(Duration::from_secs(days * 24 * 3600));
    let trial = Trial { service, pool: pool(service, &detection, source).await?, code: &code, until: began + TIME_MAX };
    let held = trial.held(since).await?;
    let delivered = trial.delivered(since).await?;
    let contents = match detection.target {
        Target::Part(_) => trial.contents(since).await?,
        // What reads whole mails says nothing of a part alone.
        Target::Raw | Target::Header | Target::Text => DryRunTally::default(),
    };
    Ok(DetectionDryRunView {
        code: code.to_string(),
        version: detection.version.to_string(),
        ruleset,
        days,
        would_act: detection.effect.acts(),
        held,
        delivered,
        contents,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// A process that examines with this detection alone, as if it were enforced.
async fn pool(service: &Service, detection: &Detection, source: String) -> Result<ExaminerPool, ServiceError> {
    let alone = Detection { mode: Mode::Enforce, ..detection.clone() };
    let limits = service.config.examination.clone();
    let started = tokio::task::spawn_blocking(move || {
        let ruleset = load::all_of(vec![(alone, source)]).map_err(|errors| errors.to_string())?;
        ExaminerPool::start(backtest::of(Arc::new(ruleset)), limits, 1)
    });
    started.await.map_err(|panic| ServiceError::Internal(panic.to_string()))?.map_err(ServiceError::Internal)
}

/// A trial of one detection.
struct Trial<'s> {
    service: &'s Service,
    pool: ExaminerPool,
    code: &'s DetectionCode,
    until: Instant,
}

impl Trial<'_> {
    /// Mail that is in the quarantine, or was and is kept.
    async fn held(&self, since: Timestamp) -> Result<DryRunTally, ServiceError> {
        let store = self.service.store()?;
        let filter =
            Filter { since: Some(since), limit: u32::try_from(MAILS_MAX).unwrap_or(u32::MAX), ..Filter::default() };
        let held = store.quarantine.held(&filter, &Scope::All).await?;
        let mut tally = DryRunTally { is_all: held.len() < MAILS_MAX, ..DryRunTally::default() };
        for one in held {
            if self.is_over(&mut tally) {
                break;
            }
            let bytes = match Digest::parse(&one.sha256) {
                Ok(digest) => store.blobs().get(digest).await.ok(),
                Err(_) => None,
            };
            self.mail(one.mail_id, bytes, &mut tally).await?;
        }
        Ok(tally)
    }

    /// Whole mails that were delivered and are kept as known to be good.
    async fn delivered(&self, since: Timestamp) -> Result<DryRunTally, ServiceError> {
        let Some(vault) = self.service.vault.clone() else { return Ok(DryRunTally::default()) };
        let mails = self.service.store()?.known_good.mails_since(since, MAILS_MAX).await?;
        let mut tally = DryRunTally { is_all: mails.len() < MAILS_MAX, ..DryRunTally::default() };
        for (digest, mail_id) in mails {
            if self.is_over(&mut tally) {
                break;
            }
            let bytes = vault.get(digest).ok().flatten();
            self.mail(mail_id, bytes, &mut tally).await?;
        }
        Ok(tally)
    }

    /// Contents of delivered mail, each as an attachment of a mail that has nothing else.
    async fn contents(&self, since: Timestamp) -> Result<DryRunTally, ServiceError> {
        let Some(vault) = self.service.vault.clone() else { return Ok(DryRunTally::default()) };
        let contents = self.service.store()?.known_good.contents_since(since, CONTENTS_MAX).await?;
        let mut tally = DryRunTally { is_all: contents.len() < CONTENTS_MAX, ..DryRunTally::default() };
        for content in contents {
            if self.is_over(&mut tally) {
                break;
            }
            let bytes = vault.get(content.sha256).ok().flatten();
            let mail = bytes.map(|bytes| as_mail(&content, &bytes));
            let name = if content.name.is_empty() { content.sha256.hex() } else { content.name.clone() };
            self.examine(&name, mail, EnvelopeFacts::default(), &mut tally).await;
        }
        Ok(tally)
    }

    /// Whether the time is over; what is left is told.
    fn is_over(&self, tally: &mut DryRunTally) -> bool {
        let is_over = Instant::now() >= self.until;
        tally.is_all &= !is_over;
        is_over
    }

    /// A whole mail, with the authentication of then.
    async fn mail(&self, id: MailId, bytes: Option<Vec<u8>>, tally: &mut DryRunTally) -> Result<(), ServiceError> {
        let facts = match self.service.store()?.mail.record(id).await {
            Ok(record) => {
                let facts = EnvelopeFacts::of(&record.envelope, &self.service.config.border);
                EnvelopeFacts { authentication: record.examination.facts.authentication, ..facts }
            }
            Err(StoreError::NotFound(_)) => EnvelopeFacts::default(),
            Err(error) => return Err(error.into()),
        };
        self.examine(&id.to_string(), bytes, facts, tally).await;
        Ok(())
    }

    async fn examine(&self, name: &str, bytes: Option<Vec<u8>>, facts: EnvelopeFacts, tally: &mut DryRunTally) {
        let Some(bytes) = bytes else {
            tally.unreadable += 1;
            return;
        };
        let examination = self.pool.examine(Arc::new(bytes), facts).await;
        if examination.engines.iter().any(domain::finding::EngineReport::is_missed) {
            tally.unreadable += 1;
            return;
        }
        tally.looked_at += 1;
        if examination.findings.iter().any(|finding| finding.detection == *self.code) {
            tally.hits += 1;
            if tally.named.len() < NAMED_MAX {
                tally.named.push(name.to_owned());
            }
        }
    }
}

/// A mail with this content as its only part.
fn as_mail(content: &Retained, bytes: &[u8]) -> Vec<u8> {
    let is_of_type = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '+' | '.' | '_');
    let declared: String = content.declared.chars().filter(is_of_type).collect();
    let declared = if declared.contains('/') { declared } else { "application/octet-stream".to_owned() };
    // Names in any letters (RFC 2231 section 4).
    let name =
        if content.name.is_empty() { String::new() } else { format!("; filename*=UTF-8''{}", encoded(&content.name)) };
    let mut mail = format!(
        "MIME-Version: 1.0\r\nContent-Type: {declared}\r\nContent-Disposition: attachment{name}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    for line in STANDARD.encode(bytes).as_bytes().chunks(LINE_CHARS) {
        mail.push_str(&String::from_utf8_lossy(line));
        mail.push_str("\r\n");
    }
    mail.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use detect::limits::{Budget, Limits};
    use detect::take_apart::parts_of_mail;
    use domain::finding::MemoryClass;

    #[test]
    fn a_content_is_a_mail_of_one_part() {
        let name = "Rechnung \u{fc}\r\nX: y.js".to_owned();
        let bytes = vec![7; 1000];
        let content = Retained {
            sha256: Digest::of(&bytes),
            name,
            declared: "text/x\r\nY: z".to_owned(),
            class: MemoryClass::Unknown,
        };
        let mail = as_mail(&content, &bytes);
        let budget = Budget::starting_now(Duration::from_secs(10));
        let parts = parts_of_mail(&mail, &Limits::default(), budget);
        let (part, names) = parts.first().expect("a part");
        assert_eq!((parts.len(), part.sha256, part.size), (1, Digest::of(&bytes), 1000));
        assert!(names[0].ends_with("y.js") && part.declared == "text/xyz", "{names:?} {}", part.declared);
    }
}
