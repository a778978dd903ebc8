//! Incidents over HTTP: what happened, how far it is, and what people do about it.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::Timestamp;
use domain::incident::{IncidentStep, Outcome, Stage};
use domain::policy::Policy;
use domain::verdict::decide_without;
use serde::{Deserialize, Serialize};
use store::Store;
use store::incident::{Incident, IncidentChange, NewIncident};
use store::sentinel::Suspect;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::word;
use crate::access::{Operator, Permission};
use platform::derived;
use platform::report::{self, IncidentRecord};

/// Characters of a text that a person gives.
const TEXT_MAX: usize = 4000;
/// What a person can do about an incident.
const ACTIONS: [&str; 8] = ["note", "replay", "pause", "resume", "cancel", "retry", "resolve", "reopen"];
/// When the public text of an incident that a person opens is to be renewed.
const NEXT_UPDATE: Duration = Duration::from_secs(3600);

/// An incident in the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentRow {
    /// Its public id.
    pub(crate) id: String,
    /// What has been found out so far.
    pub(crate) title: String,
    /// investigating, contained, replaying, releasing or resolved.
    pub(crate) stage: String,
    pub(crate) paused: bool,
    pub(crate) opened: String,
    pub(crate) opened_by: String,
    pub(crate) contained: Option<String>,
    pub(crate) resolved: Option<String>,
    pub(crate) detection: String,
    pub(crate) detection_version: String,
    pub(crate) ruleset: String,
    pub(crate) owner: String,
    pub(crate) progress: ProgressView,
}

/// How far it is, in units (one message for one recipient).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressView {
    pub(crate) units: u64,
    pub(crate) pending: u64,
    pub(crate) cleared: u64,
    pub(crate) upheld: u64,
    pub(crate) inconclusive: u64,
    /// Decided by somebody else before the replay came to it.
    pub(crate) settled: u64,
    /// They pass now, but are old and go to strangers: their senders are asked first.
    pub(crate) asked: u64,
    /// Taken by the next hop, by whoever's decision.
    pub(crate) restored: u64,
    /// Those of them that this incident has delivered: they pass now.
    pub(crate) delivered: u64,
    /// Those that other decisions have delivered: a person's, or another incident's.
    pub(crate) delivered_by_others: u64,
    /// Needing nobody's work any more.
    pub(crate) over: u64,
    pub(crate) percent: f64,
    /// Seconds until all are over, at the pace so far; none while nothing can be told.
    pub(crate) eta_seconds: Option<u64>,
}

async fn row(store: &Store, incident: &Incident, now: Timestamp) -> Result<IncidentRow, ApiError> {
    let told = IncidentRecord::in_brief(store, incident).await?;
    Ok(IncidentRow {
        id: incident.id.clone(),
        title: told.facts(incident).title(),
        stage: incident.stage.as_str().to_owned(),
        paused: incident.is_paused,
        opened: incident.opened.to_string(),
        opened_by: incident.opened_by.clone(),
        contained: incident.contained.map(|at| at.to_string()),
        resolved: incident.resolved.map(|at| at.to_string()),
        detection: incident.suspect.code.to_string(),
        detection_version: incident.suspect.version.to_string(),
        ruleset: incident.ruleset.to_string(),
        owner: incident.owner.clone(),
        progress: progress_view(&told, now),
    })
}

fn progress_view(told: &IncidentRecord, now: Timestamp) -> ProgressView {
    let (progress, tally) = (&told.progress, told.progress.tally());
    ProgressView {
        units: progress.units(),
        pending: progress.of(Outcome::Pending),
        cleared: progress.of(Outcome::Cleared),
        upheld: progress.of(Outcome::Upheld),
        inconclusive: progress.of(Outcome::Inconclusive),
        settled: progress.of(Outcome::Settled),
        asked: progress.of(Outcome::Asked),
        restored: progress.restored(),
        delivered: tally.delivered,
        delivered_by_others: tally.delivered_by_others,
        over: progress.over(),
        percent: told.percent(),
        eta_seconds: told.eta(now).map(|eta| eta.as_secs()),
    }
}

/// `GET /api/v1/incidents`: all incidents, newest first.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.list",
    path = "/api/v1/incidents",
    responses((status = 200, body = [IncidentRow]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<IncidentRow>> {
    operator.may(Permission::Look)?;
    let store = console.store()?;
    let mut rows = Vec::new();
    for incident in store.incidents().await? {
        rows.push(row(store, &incident, console.clock.now()).await?);
    }
    Ok(Json(rows))
}

/// An incident, whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentView {
    #[serde(flatten)]
    pub(crate) row: IncidentRow,
    pub(crate) cause: String,
    /// What the public is told: computed from the units, and what a person has added.
    pub(crate) public_text: String,
    /// When the first message came that was affected, or the detection version came into force; none while neither is
    /// known.
    pub(crate) began: Option<String>,
    /// When the detection version came into force; none when that is not known.
    pub(crate) in_force_since: Option<String>,
    pub(crate) next_update: Option<String>,
    pub(crate) waves: u32,
    /// The Merkle root over the sorted ids of its units (RFC 6962 hashing).
    pub(crate) manifest_root: String,
    pub(crate) timeline: Vec<NoteView>,
    pub(crate) blast_radius: BlastView,
    /// Units that were not restored, each with its reason: the first 200.
    pub(crate) residual: Vec<ResidualView>,
    /// Senders who were told that their mail is held.
    pub(crate) senders_told: u64,
}

/// A line of the timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoteView {
    pub(crate) at: String,
    pub(crate) actor: String,
    pub(crate) what: String,
    pub(crate) text: String,
    pub(crate) public: bool,
}

/// Where it hit: names with their units, the most first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlastView {
    pub(crate) directions: Vec<(String, u64)>,
    pub(crate) domains: Vec<(String, u64)>,
    pub(crate) senders: Vec<(String, u64)>,
    pub(crate) recipients: Vec<(String, u64)>,
}

/// A unit that was not restored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResidualView {
    pub(crate) unit: String,
    pub(crate) recipient: String,
    pub(crate) sender: String,
    pub(crate) subject: String,
    pub(crate) outcome: String,
    pub(crate) account: String,
    pub(crate) reason: String,
}

/// `GET /api/v1/incidents/{id}`: an incident with its timeline, its reach and what is left.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.show",
    path = "/api/v1/incidents/{id}",
    params(("id" = String, Path, description = "The public id of an incident")),
    responses((status = 200, body = IncidentView), Refusal),
)]
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<IncidentView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = console.store()?;
    let incident = store.incident(&id).await?;
    view(&console, &incident).await
}

/// `GET /api/v1/incidents/{id}/progress`: how far an incident is; what is asked for again and again.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.progress",
    path = "/api/v1/incidents/{id}/progress",
    params(("id" = String, Path, description = "The public id of an incident")),
    responses((status = 200, body = IncidentRow), Refusal),
)]
pub async fn progress(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<IncidentRow> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = console.store()?;
    let incident = store.incident(&id).await?;
    row(store, &incident, console.clock.now()).await.map(Json)
}

async fn view(console: &Console, incident: &Incident) -> ApiResult<IncidentView> {
    let store = console.store()?;
    let told = IncidentRecord::of(store, incident).await?;
    let note = |note: &store::incident::Note| NoteView {
        at: note.at.to_string(),
        actor: note.actor.clone(),
        what: note.what.clone(),
        text: note.text.clone(),
        public: note.is_public,
    };
    let left = |one: &store::incident::Residual| ResidualView {
        unit: one.unit.to_string(),
        recipient: one.recipient.clone(),
        sender: one.sender.clone(),
        subject: one.subject.clone(),
        outcome: one.outcome.as_str().to_owned(),
        account: one.account.as_str().to_owned(),
        reason: one.reason.clone(),
    };
    let reach = told.reach.clone();
    Ok(Json(IncidentView {
        row: row(store, incident, console.clock.now()).await?,
        cause: incident.cause.clone(),
        public_text: told.facts(incident).text(),
        began: told.facts(incident).began().map(|at| at.to_string()),
        in_force_since: incident.in_force.map(|at| at.to_string()),
        next_update: incident.next_update.map(|at| at.to_string()),
        waves: incident.waves,
        manifest_root: incident.root.clone(),
        timeline: told.notes.iter().map(note).collect(),
        blast_radius: BlastView {
            directions: reach.directions,
            domains: reach.domains,
            senders: reach.senders,
            recipients: reach.recipients,
        },
        residual: told.residual.iter().map(left).collect(),
        senders_told: told.senders_told,
    }))
}

/// An incident that a person opens.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAsk {
    /// The detection that did it.
    pub(crate) detection: String,
    /// Its version; none for the one in force.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// What the public is told beside what the record says.
    #[serde(default)]
    pub(crate) public_text: Option<String>,
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/incidents`: opens an incident about a detection version; one that is open already is shown. What it
/// held is counted in at once.
///
/// # Errors
/// When the detection is not in force and no version is named, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "incident.open",
    path = "/api/v1/incidents",
    request_body = OpenAsk,
    responses((status = 200, body = IncidentView), Refusal),
)]
pub async fn open(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<OpenAsk>,
) -> ApiResult<IncidentView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let suspect = super::sentinel::suspect(&console, &ask.detection, ask.version.as_deref()).await?;
    must_be_said("a reason", &ask.reason)?;
    let by = operator.actor(&ask.actor);
    let store = console.store()?;
    let at = console.clock.now();
    let is_same = |one: &Incident| one.suspect == suspect && one.stage != Stage::Resolved;
    if let Some(known) = store.incidents().await?.iter().find(|one| is_same(one)) {
        return view(&console, known).await;
    }
    console.record(by.clone(), "incident.open", &object(&suspect), &ask.reason).await?;
    let live = store.ruleset_in_force().await?.ok_or_else(|| ApiError::Conflict("no ruleset is in force".into()))?;
    let in_force = store.came_into_force(&suspect).await?;
    let id = store
        .open_incident(NewIncident {
            at,
            by,
            in_force,
            is_convicted: false,
            suspect,
            ruleset: live,
            cause: ask.reason,
            public_text: ask.public_text.unwrap_or_default(),
            next_update: at.after(NEXT_UPDATE),
        })
        .await?;
    console.signals.incident.notify_one();
    console.signals.status.notify_one();
    view(&console, &store.incident(&id).await?).await
}

fn object(suspect: &Suspect) -> String {
    format!("{} {}", suspect.code, suspect.version)
}

fn must_be_said(what: &str, text: &str) -> Result<(), ApiError> {
    if text.trim().is_empty() || text.len() > TEXT_MAX {
        return Err(ApiError::Bad(format!("give {what}, of at most {TEXT_MAX} characters")));
    }
    Ok(())
}

/// What a person does about an incident.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAsk {
    /// note, replay, pause, resume, cancel, retry, resolve or reopen.
    pub(crate) action: String,
    /// What goes into the timeline: for a note the text, else the reason.
    pub(crate) text: String,
    /// Whether the public sees that line.
    #[serde(default)]
    pub(crate) public: bool,
    /// Another text for the public, in the place of what a person had added to what the record says.
    #[serde(default)]
    pub(crate) public_text: Option<String>,
    /// Another owner.
    #[serde(default)]
    pub(crate) owner: Option<String>,
    /// Minutes until more will be said.
    #[serde(default)]
    pub(crate) next_update_minutes: Option<u64>,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/incidents/{id}`: a note, or a step that a person decides.
///
/// # Errors
/// When the incident does not allow it, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "incident.change",
    path = "/api/v1/incidents/{id}",
    params(("id" = String, Path, description = "The public id of an incident")),
    request_body = ChangeAsk,
    responses((status = 200, body = IncidentView), Refusal),
)]
pub async fn change(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ChangeAsk>,
) -> ApiResult<IncidentView> {
    operator.may(Permission::Decide)?;
    operator.must_see_all()?;
    must_be_said("a text", &ask.text)?;
    let store = console.store()?;
    let incident = store.incident(&id).await?;
    let (by, at) = (operator.actor(&ask.actor), console.clock.now());
    let mut change = IncidentChange::note(&id, at, &by, &ask.text);
    let action = word::one_of("action", &ask.action, &ACTIONS)?;
    match action {
        "note" => {}
        "replay" => {
            // Who begins it wants it to go.
            change.pause = incident.is_paused.then_some(false);
            change.step = Some((incident.stage, IncidentStep::ReplayBegun));
        }
        // Paused as well: it must not begin again by itself.
        "cancel" => {
            change.pause = Some(true);
            change.step = Some((incident.stage, IncidentStep::ReplayCancelled));
        }
        "pause" => change.pause = Some(true),
        "resume" => change.pause = Some(false),
        "retry" => {}
        "resolve" => change.step = Some((incident.stage, IncidentStep::Resolved)),
        _ => change.step = Some((incident.stage, IncidentStep::Reopened)),
    }
    (change.is_public, change.public_text, change.owner) = (ask.public, ask.public_text, ask.owner);
    change.next_update = ask.next_update_minutes.map(|minutes| at.after(Duration::from_secs(minutes * 60)));
    console.record(by, &format!("incident.{action}"), &id, &ask.text).await?;
    if action == "retry" && store.retry_inconclusive(&id).await? > 0 && incident.stage == Stage::Releasing {
        change.step = Some((Stage::Releasing, IncidentStep::WaveFound));
    }
    // Only where it begins: what is refused undoes nothing.
    let begins = action == "replay" && incident.stage.on(IncidentStep::ReplayBegun).is_ok();
    if begins && derived::undo(store, &id, at, &operator.actor(&ask.actor)).await? > 0 {
        console.signals.entries.notify_one();
    }
    store.change_incident(change).await?;
    console.signals.incident.notify_one();
    console.signals.replay.notify_one();
    console.signals.status.notify_one();
    view(&console, &store.incident(&id).await?).await
}

/// What a replay would do, from what was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct DryRunView {
    pub(crate) units: u64,
    /// Without the detection version nothing keeps these.
    pub(crate) cleared: u64,
    /// Something else keeps these.
    pub(crate) upheld: u64,
    /// What this rests on.
    pub(crate) rests_on: String,
}

/// `GET /api/v1/incidents/{id}/dry-run`: what a replay would do, from recorded findings: quick, and silent about what a
/// corrected detection would say.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.dry_run",
    path = "/api/v1/incidents/{id}/dry-run",
    params(("id" = String, Path, description = "The public id of an incident")),
    responses((status = 200, body = DryRunView), Refusal),
)]
pub async fn dry_run(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<DryRunView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = console.store()?;
    let incident = store.incident(&id).await?;
    let (alone, others) = store.without_suspect(&incident).await?;
    let containment = store.containment(console.clock.now()).await?;
    let policy: &Policy = &console.config.policy;
    let (mut cleared, mut upheld) = (alone, 0);
    for (mail, units) in others {
        let record = store.record(mail).await?;
        let passes = record.envelope.recipients.iter().all(|unit| {
            let Suspect { code, .. } = &incident.suspect;
            let verdict = decide_without(code, &record.examination, &record.envelope, unit, policy, &containment);
            verdict.disposition.passes()
        });
        *(if passes { &mut cleared } else { &mut upheld }) += units;
    }
    let rests_on = "recorded findings without this detection version; `incident replay` examines again".to_owned();
    Ok(Json(DryRunView { units: cleared + upheld, cleared, upheld, rests_on }))
}

/// In which form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// markdown, html or json; markdown without.
    #[serde(default)]
    pub(crate) form: String,
}

/// `GET /api/v1/incidents/{id}/report`: the post-incident report, drafted from the record.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "incident.report",
    path = "/api/v1/incidents/{id}/report",
    params(("id" = String, Path, description = "The public id of an incident"), ReportQuery),
    responses((status = 200, body = String), Refusal),
)]
pub async fn report(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, ApiError> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = console.store()?;
    let incident = store.incident(&id).await?;
    let told = IncidentRecord::of(store, &incident).await?;
    let form = if query.form.is_empty() {
        "markdown"
    } else {
        word::one_of("form", &query.form, &["markdown", "html", "json"])?
    };
    let (kind, text) = match form {
        "markdown" => ("text/markdown; charset=utf-8", report::markdown(&incident, &told)),
        "html" => ("text/html; charset=utf-8", report::html(&incident, &told)),
        _ => ("application/json", report::json(&incident, &told).to_string()),
    };
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}
