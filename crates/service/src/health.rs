//! How it goes: what the reconcilers did last, and whether there is room.

use std::collections::BTreeMap;
use std::time::Duration;

use api_types::health::{
    CheckedView, DamageView, EngineHealthView, FailingView, HealthView, ReconcilerView, ScrubView, SectionView,
    SettingView, VolumeView,
};
use api_types::hold::HeldView;
use domain::finding::{EngineReport, Outcome};
use platform::config::shown::shown;
use platform::items::Failing;
use platform::reconciler::Went;
use store::upkeep::backup::DATABASE;
use store::upkeep::scrub::Pass;

use super::ledger;
use super::reload;
use super::retention::clock_view;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::ServiceResult;

/// Mails whose engines are asked about.
const MAILS_LOOKED_AT: i64 = 20;

/// Periods after which a reconciler that has not ended a round is late.
const LATE_PERIODS: u32 = 10;

/// Seconds that a round may take in any case: a replay or a purge has much to do.
const LATE_SECONDS_MIN: u64 = 600;

/// Damaged blobs that are named.
const DAMAGED_SHOWN: i64 = 20;

/// Failing items that are named.
const FAILING_SHOWN: usize = 10;

/// What the reconcilers did last, and whether there is room.
///
/// # Errors
/// When the operator may not.
pub async fn show(service: &Service, operator: &Operator) -> ServiceResult<HealthView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let now = service.clock.now();
    let store = service.store()?;
    let mut failing = service.rounds.failing();
    let reconcilers = service.rounds.went().into_iter().map(|(name, went)| {
        let items = failing.remove(name).unwrap_or_default();
        view(name, &went, &items, now)
    });
    let mut reconcilers: Vec<ReconcilerView> = reconcilers.collect();
    let (unheard, worst) = store.evidence.all_unheard(FAILING_SHOWN as i64).await?;
    if let Some(sentinel) = reconcilers.iter_mut().find(|one| one.name == "sentinel") {
        sentinel.failing += unheard;
        sentinel.failing_items.extend(worst.into_iter().map(|one| FailingView {
            item: format!("hearing mail {}", one.mail),
            failures: one.tries,
            since: None,
            next: one.next.to_string(),
            fault: one.fault,
        }));
    }
    let free = rustix::fs::statvfs(&service.config.data_dir).ok();
    let volume = VolumeView {
        free_bytes: free.map(|volume| volume.f_bavail.saturating_mul(volume.f_frsize)),
        floor_bytes: service.config.retention.disk_floor_bytes,
        database_bytes: database_bytes(&service.config.data_dir),
    };
    let ledger = service.ledger_check.last().map(|last| CheckedView {
        at: last.at.to_string(),
        took_ms: last.took.as_secs_f64() * 1000.0,
        ledger: ledger::view(last.balance),
    });
    let mut reports = Vec::new();
    for mail in store.mail.newest(MAILS_LOOKED_AT).await? {
        // It may be purged meanwhile.
        if let Ok(record) = store.mail.record(mail).await {
            reports.extend(record.examination.engines);
        }
    }
    let clock = service.removal.last().as_ref().map(clock_view);
    let scrub = store.upkeep.scrub_pass().await?.map(|pass| scrub_view(&pass, service.config.retention.scrub, now));
    let (damaged, damage) = store.upkeep.damaged_blobs(DAMAGED_SHOWN).await?;
    let damage = damage.into_iter().map(|one| DamageView {
        mail: one.mail.to_string(),
        sha256: one.blob.hex(),
        found: one.found.to_string(),
        why: one.why,
    });
    let damage = damage.collect();
    let engines = engines(reports);
    let store::upkeep::hold::Held { holds, mails, bytes, is_counted } = store.upkeep.held().await?;
    let held = HeldView { holds, mails, bytes, is_counted };
    Ok(HealthView {
        reconcilers,
        books: ledger,
        engines,
        volume,
        clock,
        scrub,
        damaged,
        damage,
        held,
        reload: reload::shown(service),
    })
}

fn scrub_view(pass: &Pass, most: Duration, now: domain::Timestamp) -> ScrubView {
    let state = match pass.is_done {
        true => "done",
        false if now.since(pass.began) > most => "late",
        false => "running",
    };
    ScrubView {
        began: pass.began.to_string(),
        state: state.to_owned(),
        blobs: pass.blobs,
        bytes: pass.bytes,
        last_ended: pass.last.map(|(at, ..)| at.to_string()),
        last_blobs: pass.last.map_or(0, |(_, blobs, _)| blobs),
        last_bytes: pass.last.map_or(0, |(.., bytes)| bytes),
    }
}

/// Reports by engine; the newest first, so what an engine says of itself is what it said last.
fn engines(reports: Vec<EngineReport>) -> Vec<EngineHealthView> {
    let mut by_engine: BTreeMap<String, Vec<EngineReport>> = BTreeMap::new();
    for report in reports.into_iter().filter(|one| one.outcome != Outcome::Skipped) {
        by_engine.entry(report.engine.clone()).or_default().push(report);
    }
    let view = |(engine, reports): (String, Vec<EngineReport>)| {
        let mut times: Vec<f64> = reports.iter().map(|one| one.millis).collect();
        times.sort_by(f64::total_cmp);
        let newest = reports.first();
        let failed = || reports.iter().filter(|one| one.outcome != Outcome::Done);
        EngineHealthView {
            engine,
            version: newest.map(|one| one.version.clone()).unwrap_or_default(),
            data_version: newest.map(|one| one.data_version.clone()).unwrap_or_default(),
            asked: reports.len() as u64,
            failed: failed().count() as u64,
            median_ms: times.get(times.len() / 2).copied().unwrap_or(0.0),
            fault: failed().next().map(|one| one.detail.clone()).unwrap_or_default(),
        }
    };
    by_engine.into_iter().map(view).collect()
}

fn view(name: &str, went: &Went, items: &[(String, Failing)], now: domain::Timestamp) -> ReconcilerView {
    let most = (went.period * LATE_PERIODS).as_secs().max(LATE_SECONDS_MIN);
    let is_late = went.under_way.is_some_and(|since| now.since(since).as_secs() > most);
    let state = match (went.is_failing, is_late, went.last) {
        (true, ..) => "failing",
        (_, true, _) => "late",
        (.., None) => "running",
        _ => "ok",
    };
    ReconcilerView {
        name: name.to_owned(),
        state: state.to_owned(),
        period_s: went.period.as_secs_f64(),
        last: went.last.map(|(at, _)| at.to_string()),
        took_ms: went.last.map(|(_, took)| took.as_secs_f64() * 1000.0),
        failed: went.fault.as_ref().map(|(at, _)| at.to_string()),
        fault: went.fault.as_ref().map(|(_, why)| why.clone()),
        failing: items.len() as u64,
        failing_items: items.iter().take(FAILING_SHOWN).map(failing_view).collect(),
    }
}

fn failing_view((item, one): &(String, Failing)) -> FailingView {
    FailingView {
        item: item.clone(),
        failures: one.failures,
        since: Some(one.since.to_string()),
        next: one.next.to_string(),
        fault: one.fault.clone(),
    }
}

/// The database and its write-ahead log, as files of the embedded store.
fn database_bytes(folder: &std::path::Path) -> u64 {
    let files = [DATABASE.to_owned(), format!("{DATABASE}-wal")].map(|name| std::fs::metadata(folder.join(name)));
    files.into_iter().filter_map(Result::ok).map(|file| file.len()).sum()
}

/// The configuration in force, defaults included. No secret is in it. It is changed in the
/// file.
///
/// # Errors
/// When the operator may not.
pub async fn settings(service: &Service, operator: &Operator) -> ServiceResult<Vec<SectionView>> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let setting = |(key, value): (&str, String)| SettingView { key: key.to_owned(), value };
    let sections = shown(&service.config).into_iter().map(|section| SectionView {
        section: section.name,
        settings: section.settings.into_iter().map(setting).collect(),
    });
    Ok(sections.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn how_engines_fared() {
        let report = |engine: &str, outcome, millis, detail: &str| EngineReport {
            engine: engine.into(),
            version: "1".into(),
            data_version: String::new(),
            outcome,
            millis,
            detail: detail.into(),
        };
        let seen = engines(vec![
            report("clamd", Outcome::Timeout, 30.0, "no answer"),
            report("yara", Outcome::Done, 1.0, ""),
            report("clamd", Outcome::Done, 2.0, ""),
            report("clamd", Outcome::Error, 3.0, "older"),
            report("rspamd", Outcome::Skipped, 0.0, ""),
        ]);
        let shown: Vec<_> = seen
            .iter()
            .map(|one| (one.engine.as_str(), one.asked, one.failed, one.median_ms, one.fault.as_str()))
            .collect();
        assert_eq!(shown, [("clamd", 3, 2, 3.0, "no answer"), ("yara", 1, 0, 1.0, "")]);
    }

    #[test]
    fn what_a_reconciler_is_said_to_be() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let ago = |seconds| now.before(Duration::from_secs(seconds));
        let went = |last: bool, under_way: Option<u64>, is_failing: bool| Went {
            period: Duration::from_secs(120),
            last: last.then(|| (ago(5), Duration::from_millis(3))),
            under_way: under_way.map(ago),
            fault: is_failing.then(|| (ago(5), "why".to_owned())),
            is_failing,
        };
        let state = |went: &Went| view("a", went, &[], now).state;
        assert_eq!(state(&went(false, Some(1), false)), "running");
        assert_eq!(state(&went(true, Some(1), false)), "ok");
        assert_eq!(state(&went(true, None, true)), "failing");
        assert_eq!(state(&went(true, Some(1199), false)), "ok");
        assert_eq!(state(&went(true, Some(1201), false)), "late");
    }
}
