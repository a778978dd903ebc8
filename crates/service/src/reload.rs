//! What the configuration file says now is put in force: read and checked as a whole, recorded, and handed to whoever
//! runs the services of this process.

use api_types::reload::{ChangeView, ReloadAsk, ReloadView};
use platform::config::change::Difference;
use platform::reload::{Plan, Refusal, Reload, Stage, Turn};
use serde_json::json;
use store::audit::Act;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Who asks by a signal, in the audit log: the signal says no more.
const BY_SIGNAL: &str = "root of this host";
/// Why nothing can be said of a file.
const NO_PLAN: &str = "the file could not be read: a fault of this program";

/// The last reload.
///
/// # Errors
/// When there was none since the process began, or the operator may not.
pub async fn last(service: &Service, operator: &Operator) -> ServiceResult<ReloadView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let none = || ServiceError::NotFound("nothing was reloaded since this process began".into());
    shown(service).ok_or_else(none)
}

/// The last reload, for Health.
pub(super) fn shown(service: &Service) -> Option<ReloadView> {
    service.kept.reloads.last().map(|reload| view(service, reload))
}

/// Puts in force what the file says, or says what that would change.
///
/// # Errors
/// When the file cannot be put in force, another reload is under way, or the operator may not.
pub async fn ask(service: &Service, operator: &Operator, ask: ReloadAsk) -> ServiceResult<ReloadView> {
    operator.may(Permission::Configure)?;
    operator.must_see_all()?;
    let busy = || ServiceError::Conflict("another reload is under way; ask again when it is done".into());
    let turn = service.kept.reloads.turn_now().ok_or_else(busy)?;
    let by = operator.actor(&ask.actor);
    if !ask.what_if {
        return begin(service, turn, &by, &ask.reason).await;
    }
    let (plan, _turn) = plan(service, turn).await;
    let plan = plan.map_err(|refusal| ServiceError::Conflict(refusal.to_string()))?;
    let state = if plan.changed.is_empty() { Stage::Unchanged.as_str() } else { "possible" };
    Ok(ReloadView {
        number: 0,
        state: state.to_owned(),
        by,
        at: service.clock.now().to_string(),
        file: file(service),
        changed: plan.changed.iter().map(change_view).collect(),
        fault: None,
        waited_ms: None,
    })
}

/// The same, for who has sent a signal to the process: what comes of it is told by the log, on Health and to operators.
pub async fn by_signal(service: &Service, turn: Turn) {
    // What went wrong has been told where it was found.
    if let Err(error) = begin(service, turn, BY_SIGNAL, "SIGHUP").await {
        error.log();
    }
}

async fn begin(service: &Service, turn: Turn, by: &str, reason: &str) -> ServiceResult<ReloadView> {
    service.signals.certificates.notify_one();
    let (reloads, now) = (&service.kept.reloads, service.clock.now());
    let (plan, turn) = plan(service, turn).await;
    let (plan, turn) = match (plan, turn) {
        (Ok(plan), Some(turn)) => (plan, turn),
        (plan, _) => {
            let why = plan.err().map_or_else(|| NO_PLAN.to_owned(), |refusal| refusal.to_string());
            return Err(refuse(service, by, why));
        }
    };
    if plan.changed.is_empty() {
        tracing::info!(by, "the configuration was read again, and no setting has changed; certificates are looked at");
        return Ok(view(service, reloads.nothing_to_do(Stage::Unchanged, by, now, None)));
    }
    if let Err(error) = record(service, by, &plan, reason).await {
        return Err(refuse(service, by, format!("it could not be recorded: {error:?}")));
    }
    for Difference { section, key, before, after, .. } in &plan.changed {
        let (before, after) = (before.as_deref().unwrap_or("-"), after.as_deref().unwrap_or("-"));
        tracing::warn!(section, key, before, after, by, "a setting changes");
    }
    Ok(view(service, reloads.carry_out(plan, turn, by, now)))
}

/// Reads and checks the file, beside everything else. The turn stays with it: whoever asked may have gone, and what is
/// bound for a plan must be let go before somebody else has the turn.
async fn plan(service: &Service, turn: Turn) -> (Result<Plan, Refusal>, Option<Turn>) {
    let (kept, config) = (service.kept.clone(), service.config.clone());
    let planning = move || (kept.reloads.plan(&config, &kept), Some(turn));
    let planned = tokio::task::spawn_blocking(planning).await;
    planned.unwrap_or_else(|_| (Err(Refusal::Wrong(NO_PLAN.into())), None))
}

/// Everything stays as it was: that is told.
fn refuse(service: &Service, by: &str, why: String) -> ServiceError {
    tracing::error!(by, why, "the configuration was not reloaded; everything is as it was");
    service.kept.reloads.nothing_to_do(Stage::Refused, by, service.clock.now(), Some(why.clone()));
    service.signals.reload.notify_one();
    ServiceError::Conflict(why)
}

/// Records what is about to change. A service without a store has no record; there nobody but root can ask.
async fn record(service: &Service, by: &str, plan: &Plan, reason: &str) -> Result<(), ServiceError> {
    let Some(store) = &service.store else {
        tracing::warn!(by, "the store is not open, so this reload is on no record but this");
        return Ok(());
    };
    let names: Vec<String> = plan.changed.iter().map(Difference::name).collect();
    let change = |one: &Difference| json!({ "setting": one.name(), "before": one.before, "after": one.after });
    let act = Act {
        at: service.clock.now(),
        actor: by.to_owned(),
        action: "configuration.reload".into(),
        object: names.join(", "),
        reason: reason.to_owned(),
        detail: json!(plan.changed.iter().map(change).collect::<Vec<_>>()).to_string(),
    };
    Ok(store.audit.record_act(act).await?)
}

fn file(service: &Service) -> String {
    service.kept.reloads.file().map(|file| file.display().to_string()).unwrap_or_default()
}

fn view(service: &Service, reload: Reload) -> ReloadView {
    let Reload { number, by, at, stage, changed, fault, waited } = reload;
    ReloadView {
        number,
        state: stage.as_str().to_owned(),
        by,
        at: at.to_string(),
        file: file(service),
        changed: changed.iter().map(change_view).collect(),
        fault,
        waited_ms: waited.map(|waited| waited.as_secs_f64() * 1000.0),
    }
}

fn change_view(one: &Difference) -> ChangeView {
    let Difference { section, key, before, after, .. } = one.clone();
    ChangeView { section, key, before, after }
}
