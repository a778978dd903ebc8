//! What people say of verdicts.

use std::time::Duration;

use api_types::submission::{
    AboutView, BundleView, ContradictionView, HitView, PartView, SubmissionAsk, SubmissionDetailView, SubmissionQuery,
    SubmissionView, VoicesView,
};
use domain::detection::DetectionCode;
use domain::finding::{EngineReport, Finding, MemoryClass};
use domain::message::Part;
use domain::sentinel::{VOICES_MIN, VOICES_SPAN};
use domain::{Direction, MailId};
use store::StoreError;
use store::evidence::sentinel::Suspect;
use store::evidence::submission::{NewSubmission, Submission, SubmissionKind};
use store::mail::trace::TraceFilter;

use super::explain::engine_view;
use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Submissions of one answer at most.
const LISTED_MAX: i64 = 200;

/// How far back the messages came that a detection was wrong about.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// Bytes of a comment at most.
const COMMENT_BYTES_MAX: usize = 4096;

fn view(submission: Submission) -> SubmissionView {
    let about = submission
        .about
        .into_iter()
        .map(|one| AboutView { detection: one.code.to_string(), detection_version: one.version.to_string() });
    SubmissionView {
        number: submission.number,
        at: submission.at.to_string(),
        mail_id: submission.mail_id.to_string(),
        kind: submission.kind.as_str().to_owned(),
        reporter: submission.reporter,
        comment: submission.comment,
        about: about.collect(),
        incident: submission.incident,
        acknowledged: submission.acknowledged.map(|at| at.to_string()),
        ended: submission.ended.map(|at| at.to_string()),
    }
}

/// What people have said of verdicts, newest first, 200 at most.
///
/// # Errors
/// When the operator may not.
pub async fn list(
    service: &Service,
    operator: &Operator,
    query: SubmissionQuery,
) -> ServiceResult<Vec<SubmissionView>> {
    operator.may(Permission::Look)?;
    let found = match &query.mail_id {
        Some(id) => {
            let mail = visible(service, operator, id).await?;
            service.store()?.submissions.submissions_of(mail).await?
        }
        None => {
            operator.must_see_all()?;
            service.store()?.submissions.submissions(query.before, LISTED_MAX).await?
        }
    };
    Ok(found.into_iter().map(view).collect())
}

/// The id of a message that the operator may know of.
async fn visible(service: &Service, operator: &Operator, id: &str) -> Result<MailId, ServiceError> {
    let mail: MailId = id.parse().map_err(|_| ServiceError::Bad(format!("'{id}' is no id of a message")))?;
    let filter = TraceFilter { mail_id: Some(mail), ..TraceFilter::default() };
    if service.store()?.mail.trace(&filter, &operator.scope).await?.is_empty() {
        return Err(ServiceError::NotFound(format!("no message {id}; `reprieve message trace` finds them")));
    }
    Ok(mail)
}

/// Whether somebody has said that a message was held wrongly.
///
/// # Errors
/// When it is no id, or the operator may not know of the message.
pub async fn is_called_good(service: &Service, operator: &Operator, id: &str) -> ServiceResult<bool> {
    operator.may(Permission::Look)?;
    let mail = match operator.must_see_all() {
        Ok(()) => id.parse().map_err(|_| ServiceError::Bad(format!("'{id}' is no id of a message")))?,
        Err(_) => visible(service, operator, id).await?,
    };
    let said = service.store()?.submissions.submissions_of(mail).await?;
    Ok(said.iter().any(|one| one.kind == SubmissionKind::FalsePositive))
}

/// One of them, and what others say.
///
/// # Errors
/// When there is none of this number, or the operator may not know of its message.
pub async fn show(service: &Service, operator: &Operator, number: i64) -> ServiceResult<SubmissionDetailView> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let submission = store.submissions.submission(number).await?;
    // Whoever sees all may still read what was said of a message that is not known any more.
    if operator.must_see_all().is_err() {
        visible(service, operator, &submission.mail_id.to_string()).await?;
    }
    let voices = voices(service, operator, &submission.about).await?;
    let mut others = store.submissions.submissions_of(submission.mail_id).await?;
    others.retain(|one| one.number != number);
    Ok(SubmissionDetailView { said: view(submission), voices, others: others.into_iter().map(view).collect() })
}

async fn voices(service: &Service, operator: &Operator, about: &[Suspect]) -> Result<Vec<VoicesView>, ServiceError> {
    let (store, now) = (service.store()?, service.clock.now());
    let (heard, contradicted) = match operator.must_see_all() {
        Ok(()) => (
            store.submissions.people_against_detections(now.before(VOICES_SPAN), 1).await?,
            store.submissions.contradictions(now.before(MONTH)).await?,
        ),
        Err(_) => (Vec::new(), Vec::new()),
    };
    let of = |suspect: &Suspect| VoicesView {
        detection: suspect.code.to_string(),
        detection_version: suspect.version.to_string(),
        people: heard.iter().find(|one| one.suspect == *suspect).map_or(0, |one| one.people),
        people_min: VOICES_MIN,
        messages: contradicted.iter().find(|(code, _)| *code == suspect.code).map_or(0, |(_, messages)| *messages),
    };
    Ok(about.iter().map(of).collect())
}

/// A message was judged wrongly. Saying the same twice is saying it once.
///
/// # Errors
/// When the message is not known, or the operator may not.
pub async fn add(service: &Service, operator: &Operator, ask: SubmissionAsk) -> ServiceResult<SubmissionView> {
    operator.may(Permission::Decide)?;
    let name = word::one_of("kind", &ask.kind, &SubmissionKind::ALL.map(SubmissionKind::as_str))?;
    let kind = SubmissionKind::parse(name).unwrap_or(SubmissionKind::FalsePositive);
    if ask.comment.len() > COMMENT_BYTES_MAX {
        return Err(ServiceError::Bad(format!(
            "a comment has {COMMENT_BYTES_MAX} bytes at most, not {}",
            ask.comment.len()
        )));
    }
    let mail_id = visible(service, operator, &ask.mail_id).await?;
    let store = service.store()?;
    let actor = operator.actor(&ask.actor);
    let reporter = if ask.reporter.trim().is_empty() { actor.clone() } else { ask.reporter.trim().to_owned() };
    let about = NewSubmission::about(&store.mail.record(mail_id).await?.examination.findings);
    service.record(actor, &format!("submission.{}", kind.as_str()), &mail_id.to_string(), &ask.comment).await?;
    let at = service.clock.now();
    let new = NewSubmission { at, mail_id, kind, reporter: reporter.clone(), comment: ask.comment, about };
    store.submissions.submit(vec![new]).await?;
    service.signals.sentinel.notify_one();
    let said = store.submissions.submissions_of(mail_id).await?;
    let found = said.into_iter().find(|one| one.kind == kind && one.reporter == reporter);
    found.map(view).ok_or_else(|| ServiceError::Internal("a submission that was not kept".into()))
}

/// Evidence for the maker of the detection, without anything about people.
///
/// # Errors
/// When there is none of this number, its message is not known any more, or the operator may not.
pub async fn export(service: &Service, operator: &Operator, number: i64) -> ServiceResult<BundleView> {
    operator.may(Permission::Read)?;
    let store = service.store()?;
    let submission = store.submissions.submission(number).await?;
    visible(service, operator, &submission.mail_id.to_string()).await?;
    service.record(operator.actor(""), "submission.export", &number.to_string(), "").await?;
    let record = store.mail.record(submission.mail_id).await?;
    let examination = record.examination;
    let mut hits = Vec::new();
    for finding in examination.findings.iter().filter(|one| one.may_act()) {
        let part = match finding.part.and_then(|number| examination.message.part(number)) {
            Some(part) => Some(part_view(service, part).await?),
            None => None,
        };
        hits.push(hit_view(finding, part));
    }
    let about: Vec<&DetectionCode> = submission.about.iter().map(|one| &one.code).collect();
    let contradictions = store
        .submissions
        .contradictions(service.clock.now().before(MONTH))
        .await?
        .into_iter()
        .filter(|(code, _)| about.contains(&code));
    let authentication = examination.facts.authentication;
    let direction = record.envelope.recipients.first().map(|one| one.direction);
    Ok(BundleView {
        submission: number,
        kind: submission.kind.as_str().to_owned(),
        day: record.received.to_string().chars().take(10).collect(),
        program: format!("reprieve {}", env!("CARGO_PKG_VERSION")),
        ruleset: examination.ruleset.to_string(),
        direction: direction.map(Direction::as_str).unwrap_or_default().to_owned(),
        size: examination.message.size,
        engines: examination.engines.into_iter().map(|one| engine_view(without_detail(one))).collect(),
        hits,
        contradictions: contradictions
            .map(|(code, messages)| ContradictionView { detection: code.to_string(), messages })
            .collect(),
        spf: authentication.as_ref().map(|said| said.spf.as_str().to_owned()),
        dkim: authentication.iter().flat_map(|said| &said.dkim).map(|one| one.result.as_str().to_owned()).collect(),
        dmarc: authentication.as_ref().map(|said| said.dmarc.as_str().to_owned()),
    })
}

/// What an engine says of its own accord may name people.
fn without_detail(report: EngineReport) -> EngineReport {
    EngineReport { detail: String::new(), ..report }
}

fn hit_view(finding: &Finding, part: Option<PartView>) -> HitView {
    HitView {
        detection: finding.detection.to_string(),
        detection_version: finding.detection_version.to_string(),
        engine: finding.engine.clone(),
        category: finding.category.as_str().to_owned(),
        effect: finding.effect.as_str().to_owned(),
        offset: finding.offset,
        // What our own detections say of texts, links and senders quotes the mail; what is said of a part is about
        // bytes.
        evidence: if part.is_some() { finding.evidence.clone() } else { String::new() },
        part,
        previous_hit: finding.previous.as_ref().map(|previous| previous.hit),
    }
}

async fn part_view(service: &Service, part: &Part) -> Result<PartView, StoreError> {
    let (store, now) = match &service.store {
        Some(store) => (store, service.clock.now()),
        None => return Err(StoreError::NotFound("the store".into())),
    };
    let known = store
        .known_good
        .remembered(&[part.sha256], &service.config.sentinel.establish, now)
        .await?
        .remove(&part.sha256);
    let class = known
        .as_ref()
        .map_or(MemoryClass::Unknown, |one| one.standing.class(now, store.known_good.heirloom_carriers()));
    Ok(PartView {
        family: part.family.as_str().to_owned(),
        content_type: part.content_type.clone(),
        declared: part.declared.clone(),
        size: part.size,
        sha256: part.sha256.hex(),
        tail: format!("{:?}", part.tail),
        memory: format!("{class:?}"),
        carriers: known.map_or(0, |one| one.carriers.len() as u64),
    })
}
