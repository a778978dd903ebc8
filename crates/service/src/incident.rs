//! Incidents: what happened, how far it is, and what people do about it.

use std::time::Duration;

use api_types::incident::{
    BlastView, ChangeAsk, DryRunView, IncidentRow, IncidentView, NoteView, OpenAsk, ProgressView, ReportQuery,
    ResidualView,
};
use domain::Timestamp;
use domain::incident::{IncidentStep, Outcome, Stage};
use domain::policy::Policy;
use domain::verdict::decide_without;
use platform::derived;
use platform::report::{self, IncidentRecord};
use store::Store;
use store::evidence::sentinel::Suspect;
use store::incident::{Incident, IncidentChange, NewIncident};

use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::download::Download;
use crate::error::{ServiceError, ServiceResult};

/// Characters of a text that a person gives.
const TEXT_MAX: usize = 4000;

/// What a person can do about an incident.
const ACTIONS: [&str; 8] = ["note", "replay", "pause", "resume", "cancel", "retry", "resolve", "reopen"];

/// When the public text of an incident that a person opens is to be renewed.
const NEXT_UPDATE: Duration = Duration::from_secs(3600);

async fn row(store: &Store, incident: &Incident, now: Timestamp) -> Result<IncidentRow, ServiceError> {
    let told = IncidentRecord::in_brief(&store.incidents, incident).await?;
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

/// All incidents, newest first.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<IncidentRow>> {
    operator.may(Permission::Look)?;
    let store = service.store()?;
    let mut rows = Vec::new();
    for incident in store.incidents.all().await? {
        rows.push(row(store, &incident, service.clock.now()).await?);
    }
    Ok(rows)
}

/// An incident with its timeline, its reach and what is left.
///
/// # Errors
/// When there is none, or the operator may not.
pub async fn show(service: &Service, operator: &Operator, id: &str) -> ServiceResult<IncidentView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = service.store()?;
    let incident = store.incidents.by_id(id).await?;
    view(service, &incident).await
}

/// How far an incident is; what is asked for again and again.
///
/// # Errors
/// When there is none, or the operator may not.
pub async fn progress(service: &Service, operator: &Operator, id: &str) -> ServiceResult<IncidentRow> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = service.store()?;
    let incident = store.incidents.by_id(id).await?;
    row(store, &incident, service.clock.now()).await
}

async fn view(service: &Service, incident: &Incident) -> ServiceResult<IncidentView> {
    let store = service.store()?;
    let told = IncidentRecord::of(&store.incidents, incident).await?;
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
    Ok(IncidentView {
        row: row(store, incident, service.clock.now()).await?,
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
    })
}

/// Opens an incident about a detection version; one that is open already is shown. What it
/// held is counted in at once.
///
/// # Errors
/// When the detection is not in force and no version is named, or the operator may not.
pub async fn open(service: &Service, operator: &Operator, ask: OpenAsk) -> ServiceResult<IncidentView> {
    operator.may(Permission::Rules)?;
    operator.must_see_all()?;
    let suspect = super::sentinel::suspect(service, &ask.detection, ask.version.as_deref()).await?;
    must_be_said("a reason", &ask.reason)?;
    let by = operator.actor(&ask.actor);
    let store = service.store()?;
    let at = service.clock.now();
    let is_same = |one: &Incident| one.suspect == suspect && one.stage != Stage::Resolved;
    if let Some(known) = store.incidents.all().await?.iter().find(|one| is_same(one)) {
        return view(service, known).await;
    }
    service.record(by.clone(), "incident.open", &object(&suspect), &ask.reason).await?;
    let live =
        store.rules.ruleset_in_force().await?.ok_or_else(|| ServiceError::Conflict("no ruleset is in force".into()))?;
    let in_force = store.rules.came_into_force(&suspect).await?;
    let id = store
        .incidents
        .open(NewIncident {
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
    service.signals.incident.notify_one();
    service.signals.status.notify_one();
    view(service, &store.incidents.by_id(&id).await?).await
}

fn object(suspect: &Suspect) -> String {
    format!("{} {}", suspect.code, suspect.version)
}

fn must_be_said(what: &str, text: &str) -> Result<(), ServiceError> {
    if text.trim().is_empty() || text.len() > TEXT_MAX {
        return Err(ServiceError::Bad(format!("give {what}, of at most {TEXT_MAX} characters")));
    }
    Ok(())
}

/// A note, or a step that a person decides.
///
/// # Errors
/// When the incident does not allow it, or the operator may not.
pub async fn change(service: &Service, operator: &Operator, id: &str, ask: ChangeAsk) -> ServiceResult<IncidentView> {
    operator.may(Permission::Decide)?;
    operator.must_see_all()?;
    must_be_said("a text", &ask.text)?;
    let store = service.store()?;
    let incident = store.incidents.by_id(id).await?;
    let (by, at) = (operator.actor(&ask.actor), service.clock.now());
    let mut change = IncidentChange::note(id, at, &by, &ask.text);
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
    service.record(by, &format!("incident.{action}"), id, &ask.text).await?;
    if action == "retry" && store.incidents.retry_inconclusive(id).await? > 0 && incident.stage == Stage::Releasing {
        change.step = Some((Stage::Releasing, IncidentStep::WaveFound));
    }
    // Only where it begins: what is refused undoes nothing.
    let begins = action == "replay" && incident.stage.on(IncidentStep::ReplayBegun).is_ok();
    if begins
        && derived::undo(&store.entries, &store.audit, &store.incidents, id, at, &operator.actor(&ask.actor)).await? > 0
    {
        service.signals.entries.notify_one();
    }
    store.incidents.change(change).await?;
    service.signals.incident.notify_one();
    service.signals.replay.notify_one();
    service.signals.status.notify_one();
    view(service, &store.incidents.by_id(id).await?).await
}

/// What a replay would do, from recorded findings: quick, and silent about what a
/// corrected detection would say.
///
/// # Errors
/// When there is none, or the operator may not.
pub async fn dry_run(service: &Service, operator: &Operator, id: &str) -> ServiceResult<DryRunView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = service.store()?;
    let incident = store.incidents.by_id(id).await?;
    let (alone, others) = store.incidents.verdicts_without_suspect(&incident).await?;
    let containment = store.containments.containment(service.clock.now()).await?;
    let policy: &Policy = &service.config.policy;
    let (mut cleared, mut upheld) = (alone, 0);
    for (mail, units) in others {
        let record = store.mail.record(mail).await?;
        let passes = record.envelope.recipients.iter().all(|unit| {
            let Suspect { code, .. } = &incident.suspect;
            let verdict = decide_without(code, &record.examination, &record.envelope, unit, policy, &containment);
            verdict.disposition.passes()
        });
        *(if passes { &mut cleared } else { &mut upheld }) += units;
    }
    let rests_on = "recorded findings without this detection version; `incident replay` examines again".to_owned();
    Ok(DryRunView { units: cleared + upheld, cleared, upheld, rests_on })
}

/// The post-incident report, drafted from the record.
///
/// # Errors
/// When there is none, or the operator may not.
pub async fn report(service: &Service, operator: &Operator, id: &str, query: ReportQuery) -> ServiceResult<Download> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let store = service.store()?;
    let incident = store.incidents.by_id(id).await?;
    let told = IncidentRecord::of(&store.incidents, &incident).await?;
    let form = if query.form.is_empty() {
        "markdown"
    } else {
        word::one_of("form", &query.form, &["markdown", "html", "json"])?
    };
    let (content_type, text) = match form {
        "markdown" => ("text/markdown; charset=utf-8", report::markdown(&incident, &told)),
        "html" => ("text/html; charset=utf-8", report::html(&incident, &told)),
        _ => ("application/json", report::json(&incident, &told).to_string()),
    };
    Ok(Download { content_type, name: None, bytes: text.into_bytes() })
}
