//! What people say of verdicts, over HTTP.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use domain::detection::DetectionCode;
use domain::finding::{EngineReport, Finding, MemoryClass};
use domain::message::Part;
use domain::sentinel::{VOICES_MIN, VOICES_SPAN};
use domain::{Direction, MailId};
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::sentinel::Suspect;
use store::submission::{NewSubmission, Submission, SubmissionKind};
use store::trace::TraceFilter;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::explain::{EngineView, engine_view};
use super::word;
use crate::access::{Operator, Permission};

/// Submissions of one answer at most.
const LISTED_MAX: i64 = 200;
/// How far back the messages came that a detection was wrong about.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
/// Bytes of a comment at most.
const COMMENT_BYTES_MAX: usize = 4096;

/// What was said of a verdict.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionView {
    pub(crate) number: i64,
    pub(crate) at: String,
    pub(crate) mail_id: String,
    /// false_positive or false_negative.
    pub(crate) kind: String,
    pub(crate) reporter: String,
    pub(crate) comment: String,
    /// The detections that could act on the message, as code and version.
    pub(crate) about: Vec<AboutView>,
    /// The incident that the message belongs to, once there is one.
    pub(crate) incident: Option<String>,
    /// When the reporter was told that it arrived, and how it ended.
    pub(crate) acknowledged: Option<String>,
    pub(crate) ended: Option<String>,
}

/// A detection version that a submission is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AboutView {
    pub(crate) detection: String,
    pub(crate) detection_version: String,
}

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

/// Where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct SubmissionQuery {
    /// Only those before this number.
    pub before: Option<i64>,
    /// Only those of one message.
    pub mail_id: Option<String>,
}

/// `GET /api/v1/submissions`: what people have said of verdicts, newest first, 200 at most.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "submission.list",
    path = "/api/v1/submissions",
    params(SubmissionQuery),
    responses((status = 200, body = [SubmissionView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<SubmissionQuery>,
) -> ApiResult<Vec<SubmissionView>> {
    operator.may(Permission::Look)?;
    let found = match &query.mail_id {
        Some(id) => {
            let mail = visible(&console, &operator, id).await?;
            console.store()?.submissions_of(mail).await?
        }
        None => {
            operator.must_see_all()?;
            console.store()?.submissions(query.before, LISTED_MAX).await?
        }
    };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// The id of a message that the operator may know of.
async fn visible(console: &Console, operator: &Operator, id: &str) -> Result<MailId, ApiError> {
    let mail: MailId = id.parse().map_err(|_| ApiError::Bad(format!("'{id}' is no id of a message")))?;
    let filter = TraceFilter { mail_id: Some(mail), ..TraceFilter::default() };
    if console.store()?.trace(&filter, &operator.scope).await?.is_empty() {
        return Err(ApiError::NotFound(format!("no message {id}; `reprieve message trace` finds them")));
    }
    Ok(mail)
}

/// A submission, and what others say of the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmissionDetailView {
    #[serde(flatten)]
    pub(crate) said: SubmissionView,
    /// Of each detection version that it is about: who else says that it is wrong.
    pub(crate) voices: Vec<VoicesView>,
    /// What else was said of the same message.
    pub(crate) others: Vec<SubmissionView>,
}

/// Who says that a detection version is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VoicesView {
    pub(crate) detection: String,
    pub(crate) detection_version: String,
    /// Distinct people within 24 hours; 0 for somebody of some domains, who does not see what others report.
    pub(crate) people: u64,
    /// So many have it tried on known-good mail, and call an operator.
    pub(crate) people_min: u32,
    /// Distinct messages of the last 30 days that were called a false positive or cleared by an incident, of all its
    /// versions.
    pub(crate) messages: u64,
}

/// `GET /api/v1/submissions/{number}`: one of them, and what others say.
///
/// # Errors
/// When there is none of this number, or the operator may not know of its message.
#[utoipa::path(
    get,
    operation_id = "submission.show",
    path = "/api/v1/submissions/{number}",
    params(("number" = i64, Path, description = "The number of a submission")),
    responses((status = 200, body = SubmissionDetailView), Refusal),
)]
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> ApiResult<SubmissionDetailView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let submission = store.submission(number).await?;
    // Whoever sees all may still read what was said of a message that is not known any more.
    if operator.must_see_all().is_err() {
        visible(&console, &operator, &submission.mail_id.to_string()).await?;
    }
    let voices = voices(&console, &operator, &submission.about).await?;
    let mut others = store.submissions_of(submission.mail_id).await?;
    others.retain(|one| one.number != number);
    Ok(Json(SubmissionDetailView { said: view(submission), voices, others: others.into_iter().map(view).collect() }))
}

async fn voices(console: &Console, operator: &Operator, about: &[Suspect]) -> Result<Vec<VoicesView>, ApiError> {
    let (store, now) = (console.store()?, console.clock.now());
    let (heard, contradicted) = match operator.must_see_all() {
        Ok(()) => (store.voices(now.before(VOICES_SPAN), 1).await?, store.contradictions(now.before(MONTH)).await?),
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

/// Something to say of a verdict.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionAsk {
    /// Of which message.
    pub(crate) mail_id: String,
    /// false_positive or false_negative.
    pub(crate) kind: String,
    /// Who found out: an address, mostly the recipient's. They are told what comes of it. None: who asks.
    #[serde(default)]
    pub(crate) reporter: String,
    /// In their own words; 4 KiB at most.
    #[serde(default)]
    pub(crate) comment: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/submissions`: a message was judged wrongly. Saying the same twice is saying it once.
///
/// # Errors
/// When the message is not known, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "submission.add",
    path = "/api/v1/submissions",
    request_body = SubmissionAsk,
    responses((status = 200, body = SubmissionView), Refusal),
)]
pub async fn add(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<SubmissionAsk>,
) -> ApiResult<SubmissionView> {
    operator.may(Permission::Decide)?;
    let name = word::one_of("kind", &ask.kind, &SubmissionKind::ALL.map(SubmissionKind::as_str))?;
    let kind = SubmissionKind::parse(name).unwrap_or(SubmissionKind::FalsePositive);
    if ask.comment.len() > COMMENT_BYTES_MAX {
        return Err(ApiError::Bad(format!(
            "a comment has {COMMENT_BYTES_MAX} bytes at most, not {}",
            ask.comment.len()
        )));
    }
    let mail_id = visible(&console, &operator, &ask.mail_id).await?;
    let store = console.store()?;
    let actor = operator.actor(&ask.actor);
    let reporter = if ask.reporter.trim().is_empty() { actor.clone() } else { ask.reporter.trim().to_owned() };
    let about = NewSubmission::about(&store.record(mail_id).await?.examination.findings);
    console.record(actor, &format!("submission.{}", kind.as_str()), &mail_id.to_string(), &ask.comment).await?;
    let at = console.clock.now();
    let new = NewSubmission { at, mail_id, kind, reporter: reporter.clone(), comment: ask.comment, about };
    store.submit(vec![new]).await?;
    console.signals.sentinel.notify_one();
    let said = store.submissions_of(mail_id).await?;
    let found = said.into_iter().find(|one| one.kind == kind && one.reporter == reporter);
    found.map(view).map(Json).ok_or_else(|| ApiError::Internal("a submission that was not kept".into()))
}

/// What the maker of a detection needs to mend it, and nothing about people: no address, subject, name of a file, or
/// word of the mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct BundleView {
    /// The number of the submission, for questions.
    pub(crate) submission: i64,
    pub(crate) kind: String,
    /// The day, without the time.
    pub(crate) day: String,
    pub(crate) program: String,
    pub(crate) ruleset: String,
    pub(crate) direction: String,
    pub(crate) size: u64,
    /// How the engines fared, with the versions of their data.
    pub(crate) engines: Vec<EngineView>,
    pub(crate) hits: Vec<HitView>,
    /// Distinct messages of the last 30 days, by detection, that people have called a false positive or an incident has
    /// cleared.
    pub(crate) contradictions: Vec<ContradictionView>,
    /// By the words of RFC 8601, without domains.
    pub(crate) spf: Option<String>,
    pub(crate) dkim: Vec<String>,
    pub(crate) dmarc: Option<String>,
}

/// What hit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HitView {
    pub(crate) detection: String,
    pub(crate) detection_version: String,
    pub(crate) engine: String,
    pub(crate) category: String,
    pub(crate) effect: String,
    /// Byte offset in the part.
    pub(crate) offset: Option<u64>,
    /// What matched, as far as it is the detection's own and not the mail's: a name or the bytes in hexadecimal.
    pub(crate) evidence: String,
    pub(crate) part: Option<PartView>,
    /// What the version before says of the same bytes.
    pub(crate) previous_hit: Option<bool>,
}

/// The part that was hit, without its name and bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartView {
    pub(crate) family: String,
    pub(crate) content_type: String,
    pub(crate) declared: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) tail: String,
    /// How well the past vouches for it: Unknown, C1, C2 or C3, by how many carriers.
    pub(crate) memory: String,
    pub(crate) carriers: u64,
}

/// How often people say that a detection is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContradictionView {
    pub(crate) detection: String,
    pub(crate) messages: u64,
}

/// `GET /api/v1/submissions/{number}/bundle`: evidence for the maker of the detection, without anything about people.
///
/// # Errors
/// When there is none of this number, its message is not known any more, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "submission.export",
    path = "/api/v1/submissions/{number}/bundle",
    params(("number" = i64, Path, description = "The number of a submission")),
    responses((status = 200, body = BundleView), Refusal),
)]
pub async fn export(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> ApiResult<BundleView> {
    operator.may(Permission::Read)?;
    let store = console.store()?;
    let submission = store.submission(number).await?;
    visible(&console, &operator, &submission.mail_id.to_string()).await?;
    console.record(operator.actor(""), "submission.export", &number.to_string(), "").await?;
    let record = store.record(submission.mail_id).await?;
    let examination = record.examination;
    let mut hits = Vec::new();
    for finding in examination.findings.iter().filter(|one| one.may_act()) {
        let part = match finding.part.and_then(|number| examination.message.part(number)) {
            Some(part) => Some(part_view(&console, part).await?),
            None => None,
        };
        hits.push(hit_view(finding, part));
    }
    let about: Vec<&DetectionCode> = submission.about.iter().map(|one| &one.code).collect();
    let contradictions = store
        .contradictions(console.clock.now().before(MONTH))
        .await?
        .into_iter()
        .filter(|(code, _)| about.contains(&code));
    let authentication = examination.facts.authentication;
    let direction = record.envelope.recipients.first().map(|one| one.direction);
    Ok(Json(BundleView {
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
    }))
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

async fn part_view(console: &Console, part: &Part) -> Result<PartView, StoreError> {
    let (store, now) = match &console.store {
        Some(store) => (store, console.clock.now()),
        None => return Err(StoreError::NotFound("the store".into())),
    };
    let known = store.remembered(&[part.sha256], &console.config.sentinel.establish, now).await?.remove(&part.sha256);
    let class = known.as_ref().map_or(MemoryClass::Unknown, |one| one.standing.class(now, store.heirloom()));
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
