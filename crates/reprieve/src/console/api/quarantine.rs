//! The quarantine over HTTP: list, show, export, release. Names after Exchange's verbs where they exist.

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::held::{ReleaseStatus, status_of_all};
use domain::ledger::Move;
use domain::release::ReleaseState;
use domain::verdict::Reason;
use domain::{Direction, MailId, Timestamp, UnitId};
use serde::{Deserialize, Serialize};
use store::moves::UnitMove;
use store::quarantine::{Filter, HeldMessage, HeldUnit};
use store::release::{ReleaseRow, Requested};
use store::{Scope, Store};

use super::Console;
use super::error::{ApiError, ApiResult};
use crate::console::access::{Operator, Permission};

/// Bytes of one text in a preview.
const PREVIEW_BYTES_MAX: usize = 100_000;

/// Filters of the list, as query parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    status: Option<String>,
    direction: Option<String>,
    category: Option<String>,
    detection: Option<String>,
    sender: Option<String>,
    recipient: Option<String>,
    subject: Option<String>,
    message_id: Option<String>,
    since: Option<String>,
    until: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

impl ListQuery {
    fn filter(self) -> Result<Filter, ApiError> {
        let bad =
            |what: &str, text: &str, use_: &str| ApiError::Bad(format!("{what} '{text}' is not known; use {use_}"));
        let status = self.status.map(|text| {
            let known = "NotReleased, PreparingToRelease, Released, Error, Denied or Gone";
            ReleaseStatus::parse(&text).ok_or_else(|| bad("status", &text, known))
        });
        let direction = self.direction.map(|text| {
            Direction::parse(&text).ok_or_else(|| bad("direction", &text, "Inbound, Outbound or Internal"))
        });
        let time = |text: Option<String>| {
            text.map(|text| Timestamp::parse(&text).map_err(|error| ApiError::Bad(error.to_string()))).transpose()
        };
        Ok(Filter {
            accounts: status.transpose()?.map(ReleaseStatus::accounts).unwrap_or_default(),
            direction: direction.transpose()?,
            category: self.category,
            detection: self.detection,
            sender: self.sender,
            recipient: self.recipient,
            subject: self.subject,
            message_id: self.message_id,
            since: time(self.since)?,
            until: time(self.until)?,
            after: self.after.map(|text| mail_id(&text)).transpose()?,
            limit: self.limit.unwrap_or_default(),
        })
    }
}

fn mail_id(text: &str) -> Result<MailId, ApiError> {
    text.parse().map_err(|error: domain::id::BadMailId| ApiError::Bad(error.to_string()))
}

/// One row of the list.
#[derive(Debug, Serialize)]
pub struct HeldView {
    id: String,
    mail_id: String,
    received: String,
    direction: String,
    sender: String,
    subject: String,
    message_id: Option<String>,
    category: String,
    detection: Option<String>,
    detection_version: Option<String>,
    status: String,
    size: i64,
    sha256: String,
    recipients: Vec<RecipientView>,
}

/// One recipient of a row.
#[derive(Debug, Serialize)]
struct RecipientView {
    address: String,
    state: String,
}

fn view(held: &HeldMessage) -> HeldView {
    let (detection, detection_version) = held.cause().unzip();
    let status = status_of_all(held.units.iter().map(|unit| unit.account));
    HeldView {
        id: held.mail_id.to_string(),
        mail_id: held.mail_id.to_string(),
        received: held.received.to_string(),
        direction: held.units.first().map_or("", |unit| unit.direction.as_str()).to_owned(),
        sender: held.sender.clone(),
        subject: held.subject.clone(),
        message_id: held.message_id.clone(),
        category: held.category.clone(),
        detection,
        detection_version,
        status: status.map_or("", ReleaseStatus::as_str).to_owned(),
        size: held.size,
        sha256: held.sha256.clone(),
        recipients: held
            .units
            .iter()
            .map(|unit| RecipientView { address: unit.recipient.clone(), state: unit.account.as_str().to_owned() })
            .collect(),
    }
}

/// `GET /api/v1/quarantine`: held messages, newest first.
///
/// # Errors
/// When a filter makes no sense, or the store fails.
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Vec<HeldView>> {
    operator.may(Permission::Look)?;
    let held = console.store()?.held(&query.filter()?, &operator.scope).await?;
    Ok(Json(held.iter().map(view).collect()))
}

/// A held message with all that is known about it.
#[derive(Debug, Serialize)]
pub struct ShownView {
    #[serde(flatten)]
    held: HeldView,
    units: Vec<UnitView>,
    parts: Vec<PartView>,
    findings: Vec<FindingView>,
    engines: Vec<domain::finding::EngineReport>,
    url_domains: Vec<String>,
    removed_fields: Vec<String>,
    ruleset: String,
}

/// One unit with its release.
#[derive(Debug, Serialize)]
struct UnitView {
    recipient: String,
    direction: String,
    state: String,
    reply: String,
    release_id: Option<String>,
    release_state: Option<String>,
    attempts: u32,
    possibly_twice: bool,
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct PartView {
    number: u32,
    name: String,
    declared: String,
    content_type: String,
    family: String,
    size: u64,
    sha256: String,
}

fn part_view(part: domain::message::Part) -> PartView {
    PartView {
        number: part.number,
        name: part.name,
        declared: part.declared,
        content_type: part.content_type,
        family: part.family.as_str().to_owned(),
        size: part.size,
        sha256: part.sha256.hex(),
    }
}

#[derive(Debug, Serialize)]
struct FindingView {
    detection: String,
    detection_version: String,
    engine: String,
    effect: String,
    part: Option<u32>,
    offset: Option<u64>,
    evidence: String,
}

/// `GET /api/v1/quarantine/{id}`: one held message, explained.
///
/// # Errors
/// When it is not known, or the store fails.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<ShownView> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let held = one(store, &id, &operator.scope).await?;
    let record = store.record(held.mail_id).await?;
    let releases = store.releases_of(held.mail_id).await?;
    let message = record.examination.message;
    Ok(Json(ShownView {
        units: held.units.iter().map(|unit| unit_view(unit, &releases)).collect(),
        parts: message.parts.into_iter().map(part_view).collect(),
        findings: record
            .examination
            .findings
            .into_iter()
            .map(|finding| FindingView {
                detection: finding.detection.to_string(),
                detection_version: finding.detection_version.to_string(),
                engine: finding.engine,
                effect: finding.effect.as_str().to_owned(),
                part: finding.part,
                offset: finding.offset,
                evidence: finding.evidence,
            })
            .collect(),
        engines: record.examination.engines,
        url_domains: message.url_domains,
        removed_fields: record.removed_fields,
        ruleset: record.examination.ruleset.to_string(),
        held: view(&held),
    }))
}

fn unit_view(unit: &HeldUnit, releases: &[ReleaseRow]) -> UnitView {
    let release = releases.iter().find(|release| release.unit.number == unit.number);
    UnitView {
        recipient: unit.recipient.clone(),
        direction: unit.direction.as_str().to_owned(),
        state: unit.account.as_str().to_owned(),
        reply: unit.reply.clone(),
        release_id: release.map(|release| release.release.to_string()),
        release_state: release.map(|release| release.state.as_str().to_owned()),
        attempts: release.map_or(0, |release| release.attempt),
        possibly_twice: release.is_some_and(|release| release.possibly_twice),
        reasons: unit.reasons.clone(),
    }
}

async fn one(store: &Store, id: &str, scope: &Scope) -> Result<HeldMessage, ApiError> {
    let held = store.held_one(mail_id(id)?, scope).await?;
    held.ok_or_else(|| ApiError::NotFound(format!("no held message {id}; `reprieve quarantine list` shows them")))
}

/// `GET /api/v1/quarantine/{id}/raw`: exactly the stored bytes.
///
/// # Errors
/// When it is not known, or its bytes are gone.
pub async fn export(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.export", &id, "").await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let name = format!("attachment; filename=\"{}.eml\"", held.mail_id);
    let fields = [(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((fields, bytes).into_response())
}

/// A held message with its stored bytes.
async fn stored(store: &Store, id: &str, scope: &Scope) -> Result<(HeldMessage, Vec<u8>), ApiError> {
    let held = one(store, id, scope).await?;
    let digest = domain::Digest::parse(&held.sha256).map_err(|error| ApiError::Internal(error.to_string()))?;
    let bytes = store.blobs().get(digest).await?;
    Ok((held, bytes))
}

/// The header of a held message.
#[derive(Debug, Serialize)]
pub struct HeadersView {
    id: String,
    headers: String,
}

/// `GET /api/v1/quarantine/{id}/headers`: the header block exactly as in the message, not unfolded.
///
/// # Errors
/// When it is not known, or its bytes are gone.
pub async fn headers(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<HeadersView> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.headers", &id, "").await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let block = &bytes[..domain::header::body_start(&bytes)];
    Ok(Json(HeadersView { id: held.mail_id.to_string(), headers: String::from_utf8_lossy(block).into_owned() }))
}

/// A look at a held message that cannot harm.
#[derive(Debug, Serialize)]
pub struct PreviewView {
    #[serde(flatten)]
    held: HeldView,
    texts: Vec<String>,
    parts: Vec<PartView>,
}

/// `GET /api/v1/quarantine/{id}/preview`: the plain texts, and the names of the parts. No HTML, nothing is loaded.
///
/// # Errors
/// When it is not known, or its bytes are gone.
pub async fn preview(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PreviewView> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.preview", &id, "").await?;
    let store = console.store()?;
    let (held, bytes) = stored(store, &id, &operator.scope).await?;
    let record = store.record(held.mail_id).await?;
    let texts = detect::mime::plain_texts(&bytes, PREVIEW_BYTES_MAX);
    let parts = record.examination.message.parts.into_iter().map(part_view).collect();
    Ok(Json(PreviewView { texts, parts, held: view(&held) }))
}

/// What to deny or delete, and why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecideAsk {
    /// Only these recipients; all without.
    recipients: Vec<String>,
    /// Why, for the record.
    reason: String,
    /// Who asks, for the record.
    actor: String,
    /// Only say what would be done.
    what_if: bool,
}

/// `POST /api/v1/quarantine/{id}/deny`: a person decided that it stays. It can still be released by another decision.
///
/// # Errors
/// When it is not known, a recipient is not among its own, or the store fails.
pub async fn deny(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(&console, &operator, &id, ask, Move::Denied).await
}

/// `POST /api/v1/quarantine/{id}/delete`: it is gone for people; its bytes stay until retention removes them.
///
/// # Errors
/// As [`deny`].
pub async fn delete(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<DecideAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    settle(&console, &operator, &id, ask, Move::Deleted).await
}

async fn settle(console: &Console, operator: &Operator, id: &str, ask: DecideAsk, by: Move) -> ApiResult<ReleasedView> {
    let store = console.store()?;
    let held = one(store, id, &operator.scope).await?;
    let actor = operator.actor(&ask.actor);
    if !ask.what_if {
        console.record(actor.clone(), &format!("quarantine.{}", by.as_str()), id, &ask.reason).await?;
    }
    let mut units = Vec::new();
    for unit in chosen(&held, &ask.recipients)? {
        let (state, reply) = match unit.account.on(by) {
            Err(_) => (unit.account, "cannot be done from here"),
            Ok(_) if ask.what_if => (unit.account, "would be done"),
            Ok(to) => {
                let step = UnitMove {
                    unit: UnitId { mail: held.mail_id, number: unit.number },
                    from: unit.account,
                    by,
                    at: console.clock.now(),
                    actor: actor.clone(),
                    reason: ask.reason.clone(),
                };
                store.move_units(vec![step]).await?;
                (to, "")
            }
        };
        let (recipient, state) = (unit.recipient.clone(), state.as_str().to_owned());
        units.push(ReleasedUnit { recipient, state, release_id: None, reply: reply.to_owned() });
    }
    Ok(Json(ReleasedView { id: held.mail_id.to_string(), what_if: ask.what_if, units }))
}

/// The units that a request means: those of the named recipients, or all.
fn chosen<'h>(held: &'h HeldMessage, recipients: &[String]) -> Result<Vec<&'h HeldUnit>, ApiError> {
    if let Some(unknown) = recipients.iter().find(|wanted| !held.units.iter().any(|unit| is(unit, wanted))) {
        return Err(ApiError::Bad(format!("{unknown} is not a recipient of {}", held.mail_id)));
    }
    let wanted = |unit: &&HeldUnit| recipients.is_empty() || recipients.iter().any(|wanted| is(unit, wanted));
    Ok(held.units.iter().filter(wanted).collect())
}

/// What to release.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseAsk {
    /// Only these recipients; all without.
    recipients: Vec<String>,
    /// Why, for the record.
    reason: String,
    /// Who asks, for the record.
    actor: String,
    /// Only say what would be done.
    what_if: bool,
    /// Releases what was refused: the sender was told that it failed, and knows of no delivery (ruling 6).
    confirm_refused: bool,
}

/// What became of a request.
#[derive(Debug, Serialize)]
pub struct ReleasedView {
    id: String,
    what_if: bool,
    units: Vec<ReleasedUnit>,
}

#[derive(Debug, Serialize)]
struct ReleasedUnit {
    recipient: String,
    state: String,
    release_id: Option<String>,
    reply: String,
}

/// `POST /api/v1/quarantine/{id}/release`: asks for the release of some or all recipients. Asking twice is asking once.
///
/// # Errors
/// When it is not known, a recipient is not among its own, or the store fails.
pub async fn release(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ReleaseAsk>,
) -> ApiResult<ReleasedView> {
    operator.may(Permission::Decide)?;
    let store = console.store()?;
    let held = one(store, &id, &operator.scope).await?;
    let actor = operator.actor(&ask.actor);
    if !ask.what_if {
        console.record(actor.clone(), "quarantine.release", &id, &ask.reason).await?;
    }
    let mut units = Vec::new();
    for unit in chosen(&held, &ask.recipients)? {
        let refused = unit.account == domain::Account::Refused && !ask.confirm_refused;
        units.push(if ask.what_if || refused {
            as_it_is(unit, refused)
        } else {
            ask_for(&console, store, &held, unit, &ask.reason, &actor).await?
        });
    }
    console.signals.release.notify_one();
    Ok(Json(ReleasedView { id: held.mail_id.to_string(), what_if: ask.what_if, units }))
}

fn is(unit: &HeldUnit, address: &str) -> bool {
    unit.recipient.eq_ignore_ascii_case(address)
}

fn as_it_is(unit: &HeldUnit, refused: bool) -> ReleasedUnit {
    let can = unit.account.on(Move::ReleaseRequested).is_ok();
    let reply = match (refused, can) {
        (true, _) => "the sender was told that it failed; confirm_refused releases it all the same",
        (false, true) => "would be released",
        (false, false) => "would stay as it is",
    };
    ReleasedUnit {
        recipient: unit.recipient.clone(),
        state: unit.account.as_str().into(),
        release_id: None,
        reply: reply.into(),
    }
}

async fn ask_for(
    console: &Console,
    store: &Store,
    held: &HeldMessage,
    unit: &HeldUnit,
    reason: &str,
    actor: &str,
) -> Result<ReleasedUnit, ApiError> {
    let id = UnitId { mail: held.mail_id, number: unit.number };
    let (state, release_id, reply) = match store.request_release(id, actor, reason, console.clock.now()).await? {
        Requested::Queued(release) => ("releasing".to_owned(), Some(release), String::new()),
        Requested::Already(release, ReleaseState::Released) => {
            ("released".to_owned(), Some(release), unit.reply.clone())
        }
        Requested::Already(release, _) => (unit.account.as_str().to_owned(), Some(release), unit.reply.clone()),
        Requested::Impossible(account) => {
            (account.as_str().to_owned(), None, "cannot be released from here".to_owned())
        }
    };
    Ok(ReleasedUnit {
        recipient: unit.recipient.clone(),
        state,
        release_id: release_id.map(|id| id.to_string()),
        reply,
    })
}
