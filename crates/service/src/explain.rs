//! A verdict explained: every finding with its version and evidence, every engine, the rule of the policy that decided,
//! what would be without each detection, and what today's ruleset makes of what was recorded.

use std::collections::{BTreeSet, HashMap};

use api_types::explain::{
    AuthenticationView, CounterfactualView, DkimView, EngineView, ExplainedUnit, ExplainedView, FindingView,
    KnownPartView, PreviousView, ReasonView, SightingsView, TodayView,
};
use domain::authentication::{Authentication, DkimSignature, Source};
use domain::containment::Containment;
use domain::detection::{DetectionCode, Mode};
use domain::entry::EntryBook;
use domain::envelope::Recipient;
use domain::finding::{EngineReport, Finding};
use domain::message::Part;
use domain::policy::Policy;
use domain::sentinel::Suspect;
use domain::sentinel::probation::Stage;
use domain::verdict::{Reason, decide, decide_without};
use domain::{Digest, MailId};
use store::mail::arrival::Record;
use store::mail::trace::TraceFilter;

use super::quarantine::part_view;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};
use crate::hold;

pub(super) fn engine_view(report: EngineReport) -> EngineView {
    let EngineReport { engine, version, data_version, outcome, millis, detail } = report;
    EngineView { engine, version, data_version, outcome: outcome.as_str().to_owned(), millis, detail }
}

pub(super) fn reason_view(reason: &Reason) -> ReasonView {
    ReasonView {
        code: reason.code.clone(),
        text: reason.text.clone(),
        detection: reason.detection.as_ref().map(ToString::to_string),
        detection_version: reason.detection_version.as_ref().map(ToString::to_string),
    }
}

pub(super) fn finding_view(finding: Finding) -> FindingView {
    FindingView {
        detection: finding.detection.to_string(),
        detection_version: finding.detection_version.to_string(),
        engine: finding.engine,
        category: finding.category.as_str().to_owned(),
        effect: finding.effect.as_str().to_owned(),
        mode: format!("{:?}", finding.mode),
        part: finding.part,
        offset: finding.offset,
        evidence: finding.evidence,
        previous: finding.previous.map(|previous| PreviousView {
            detection_version: previous.detection_version.to_string(),
            hit: previous.hit,
        }),
    }
}

fn authentication_view(said: Authentication) -> AuthenticationView {
    let signature = |one: DkimSignature| DkimView { result: one.result.as_str().to_owned(), domain: one.domain };
    AuthenticationView {
        source: match said.source {
            Source::Own => "own".to_owned(),
            Source::Upstream(host) => host,
        },
        spf: said.spf.as_str().to_owned(),
        spf_domain: said.spf_domain,
        dkim: said.dkim.into_iter().map(signature).collect(),
        dmarc: said.dmarc.as_str().to_owned(),
        dmarc_policy: said.dmarc_policy.as_str().to_owned(),
        arc: said.arc.as_str().to_owned(),
        arc_sealer: said.arc_sealer,
        aligned: said.aligned,
    }
}

/// A message, explained.
///
/// # Errors
/// When it is not known or out of scope, or the store fails.
pub async fn show(service: &Service, operator: &Operator, id: &str) -> ServiceResult<ExplainedView> {
    operator.may(Permission::Look)?;
    let mail_id: MailId = id.parse().map_err(|_| ServiceError::Bad(format!("'{id}' is no id of a message")))?;
    let store = service.store()?;
    let filter = TraceFilter { mail_id: Some(mail_id), ..TraceFilter::default() };
    let traced = store.mail.trace(&filter, &operator.scope).await?;
    let unknown = || ServiceError::NotFound(format!("no message {id}; `reprieve message trace` finds them"));
    let first = traced.first().ok_or_else(unknown)?;
    let record = store.mail.record(mail_id).await?;
    let policy = store.rules.policy(&record.policy).await?.unwrap_or_else(Policy::standard);
    let unit = record.envelope.recipients.iter().find(|unit| unit.address.as_str() == first.recipient);
    let unit = unit.cloned().ok_or_else(unknown)?;
    let then = store.containments.containment_in(record.containment_epoch).await?;
    let probations = probations(service, mail_id).await?;
    let units = traced.iter().map(|traced| {
        let unit = record.envelope.recipients.iter().find(|unit| unit.address.as_str() == traced.recipient);
        let verdict = unit.map(|unit| decide(&record.examination, &record.envelope, unit, &policy, &then));
        ExplainedUnit {
            recipient: traced.recipient.clone(),
            direction: traced.direction.as_str().to_owned(),
            disposition: traced.disposition.clone(),
            enforced: traced.enforced,
            account: traced.account.as_str().to_owned(),
            reasons: verdict
                .iter()
                .flat_map(|verdict| verdict.reasons.iter().map(reason_view))
                .chain(probations.iter().cloned())
                .collect(),
        }
    });
    let units = units.collect();
    let holds = hold::of_mail(service, mail_id).await?;
    let (sender, subject, category) = (first.sender.clone(), first.subject.clone(), first.category.clone());
    let counterfactuals = counterfactuals(&record, &unit, &policy, &then);
    let today = today(service, &record, &unit, &policy).await?;
    let message = record.examination.message;
    let parts = known_parts(service, operator, message.parts).await?;
    Ok(ExplainedView {
        parts,
        urls: message.urls,
        mail_id: mail_id.to_string(),
        received: record.received.to_string(),
        sender,
        subject,
        category,
        ruleset: record.examination.ruleset.to_string(),
        policy: record.policy,
        units,
        findings: record.examination.findings.into_iter().map(finding_view).collect(),
        engines: record.examination.engines.into_iter().map(engine_view).collect(),
        first_contact: record.examination.facts.first_contact,
        authentication: record.examination.facts.authentication.map(authentication_view),
        url_domains: message.url_domains,
        ambiguities: message.ambiguities.iter().map(|one| one.as_str().to_owned()).collect(),
        counterfactuals,
        today,
        holds,
    })
}

/// What has become of it while versions were on probation that held it.
async fn probations(service: &Service, mail: MailId) -> ServiceResult<Vec<ReasonView>> {
    let all = service.store()?.containments.probations_of_mail(mail).await?;
    let view = |(suspect, stage, why): (Suspect, Stage, String)| {
        let colon = if why.is_empty() { "" } else { ": " };
        let text = format!("probation of {} ({}): {}{colon}{why}", suspect.code, suspect.version, stage.told());
        ReasonView { code: "probation".into(), text, detection: None, detection_version: None }
    };
    Ok(all.into_iter().map(view).collect())
}

async fn known_parts(
    service: &Service,
    operator: &Operator,
    parts: Vec<Part>,
) -> Result<Vec<KnownPartView>, ServiceError> {
    let contents: Vec<Digest> = parts.iter().map(|part| part.sha256).collect();
    let known = match operator.must_see_all() {
        Ok(()) => service.store()?.known_good.sightings_of(&contents).await?,
        Err(_) => HashMap::new(),
    };
    let view = |part: Part| {
        let memory = known.get(&part.sha256).map(|one| SightingsView {
            since: one.standing.first_seen.to_string(),
            last: one.last.to_string(),
            mails: one.mails,
            senders: one.standing.carriers,
            called_bad: one.standing.last_bad.map(|at| at.to_string()),
        });
        KnownPartView { part: part_view(part), memory }
    };
    Ok(parts.into_iter().map(view).collect())
}

fn counterfactuals(record: &Record, unit: &Recipient, policy: &Policy, then: &Containment) -> Vec<CounterfactualView> {
    let examination = &record.examination;
    let acting = examination.findings.iter().filter(|one| one.may_act());
    let codes: BTreeSet<(&DetectionCode, &str)> =
        acting.map(|finding| (&finding.detection, finding.detection_version.as_str())).collect();
    let view = |(code, version): (&DetectionCode, &str)| {
        let without = decide_without(code, examination, &record.envelope, unit, policy, then);
        CounterfactualView {
            without: code.to_string(),
            version: version.to_owned(),
            category: without.category.as_str().to_owned(),
            disposition: without.disposition.as_str().to_owned(),
        }
    };
    codes.into_iter().map(view).collect()
}

/// What was recorded, without what is not in force any more, in the modes and with the entries of today.
async fn today(
    service: &Service,
    record: &Record,
    unit: &Recipient,
    policy: &Policy,
) -> Result<TodayView, ServiceError> {
    let live = service.kept("live").await?;
    let modes = service.store()?.rules.modes(service.clock.now()).await?;
    let mut examination = record.examination.clone();
    let mut gone = 0;
    let kept = |finding: &mut Finding| {
        // Outside engines are in no ruleset; what they said stands.
        let own = matches!(finding.engine.as_str(), "yara" | "structure" | "auth" | "text");
        let detection = live.detections.iter().map(|(one, _)| one).find(|one| one.code == finding.detection);
        let set = modes.iter().find(|set| set.code == finding.detection).map(|set| set.mode);
        let mode = set.or(detection.map(|one| one.mode)).unwrap_or(finding.mode);
        let in_force = !own || detection.is_some_and(|one| one.version == finding.detection_version);
        finding.mode = mode;
        in_force && mode != Mode::Off
    };
    examination.findings.retain_mut(|finding| {
        let stays = kept(finding);
        gone += usize::from(!stays);
        stays
    });
    let book = EntryBook::new(service.store()?.entries.entries(service.clock.now()).await?);
    examination.facts.entries = book.matching(&examination, &record.envelope);
    let now = service.store()?.containments.containment(service.clock.now()).await?;
    let verdict = decide(&examination, &record.envelope, unit, policy, &now);
    let rests_on = match gone {
        0 => "every recorded finding is of a version in force".to_owned(),
        n => format!("{n} recorded findings are of versions that are not in force any more"),
    };
    Ok(TodayView {
        ruleset: live.id.to_string(),
        category: verdict.category.as_str().to_owned(),
        disposition: verdict.disposition.as_str().to_owned(),
        rests_on,
    })
}
