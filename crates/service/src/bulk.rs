//! Acts on everything that a query fits: first how much that is, then a job with a result for each unit.

use std::time::Duration;

use api_types::bulk::{BulkAsk, BulkView, CancelAsk, ItemView, ItemsQuery, OutcomeView};
use domain::detection::Category;
use domain::query::Field;
use store::explorer::bulk::{Bulk, BulkItem, BulkPlace, BulkStage, BulkVerb};
use store::explorer::explore::Summary;

use super::explore::{found_view, read};
use super::word;
use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// How long it is counted before the count is "so far".
const COUNT_BUDGET: Duration = Duration::from_secs(5);

/// How long a sample is looked for.
const SAMPLE_BUDGET: Duration = Duration::from_millis(200);

/// Units of a sample, and of a page of results.
const SAMPLE: usize = 20;

const ITEMS_MAX: i64 = 500;

async fn view(service: &Service, bulk: Bulk) -> Result<BulkView, ServiceError> {
    let outcomes = service.store()?.explorer.count_units_of_job(bulk.number).await?;
    Ok(BulkView {
        number: Some(bulk.number),
        verb: bulk.verb.as_str().to_owned(),
        q: bulk.query,
        actor: bulk.actor,
        reason: bulk.reason,
        made: bulk.made.to_string(),
        stage: bulk.stage.as_str().to_owned(),
        moved: bulk.moved.to_string(),
        units: outcomes.iter().map(|(_, units)| units).sum(),
        so_far: matches!(bulk.stage, BulkStage::Running | BulkStage::Waiting),
        outcomes: outcomes.into_iter().map(|(outcome, units)| OutcomeView { outcome, units }).collect(),
        sample: Vec::new(),
        second_person: None,
        harmful: 0,
    })
}

/// How many of the units are malware or certain phishing.
fn harmful(sums: &Summary) -> u64 {
    let of = |category: Category| {
        let sums = sums.by.get(&Field::Category).and_then(|sums| sums.get(category.as_str()));
        sums.copied().unwrap_or(0)
    };
    of(Category::Malware) + of(Category::HighConfidencePhish)
}

/// Why a release takes a second person; none where one is enough (`[api] two_persons_above`).
fn second_person(service: &Service, verb: BulkVerb, sums: &Summary) -> Option<String> {
    let most = service.config.api.two_persons_above.filter(|_| verb == BulkVerb::Release)?;
    let harmful = harmful(sums);
    match sums.units {
        _ if harmful > 0 => Some(format!("{harmful} units are malware or certain phishing")),
        units if units > most => Some(format!("{units} units are more than {most}")),
        _ if sums.next.is_some() => Some("nobody knows yet how many units these are".to_owned()),
        _ => None,
    }
}

/// Acts on everything that a query fits, or says what that would be.
///
/// # Errors
/// When the query is wrong or empty, a reason is missing, or the operator may not.
pub async fn begin(service: &Service, operator: &Operator, ask: BulkAsk) -> ServiceResult<BulkView> {
    operator.may(Permission::Decide)?;
    let verb = BulkVerb::parse(word::one_of("verb", &ask.verb, &BulkVerb::ALL.map(BulkVerb::as_str))?);
    let verb = verb.ok_or_else(|| ServiceError::Internal("a verb without its name".into()))?;
    if ask.q.trim().is_empty() {
        return Err(ServiceError::Bad("say to what: an empty query fits everything".into()));
    }
    if !ask.what_if && ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("give a reason".into()));
    }
    let (store, made, actor) = (service.store()?, service.clock.now(), operator.actor(&ask.actor));
    let query = read(&ask.q, made)?;
    let bulk = Bulk {
        number: 0,
        verb,
        query: ask.q,
        scope: operator.scope.clone(),
        actor: actor.clone(),
        reason: ask.reason,
        made,
        stage: BulkStage::Running,
        moved: made,
        place: BulkPlace::Begin,
        fence: 0,
    };
    let sums = match ask.what_if || service.config.api.two_persons_above.is_some() {
        true => store.explorer.summarise(&query, &bulk.scope, None, i64::MAX, COUNT_BUDGET).await?,
        false => Summary::default(),
    };
    let second = second_person(service, verb, &sums);
    if ask.what_if {
        let sample = store.explorer.explore(&query, &bulk.scope, None, SAMPLE, SAMPLE_BUDGET).await?;
        return Ok(BulkView {
            number: None,
            verb: verb.as_str().to_owned(),
            q: bulk.query,
            actor,
            reason: bulk.reason,
            made: made.to_string(),
            stage: "would_be".into(),
            moved: made.to_string(),
            units: sums.units,
            so_far: sums.next.is_some(),
            outcomes: Vec::new(),
            sample: sample.rows.into_iter().map(found_view).collect(),
            second_person: second,
            harmful: harmful(&sums),
        });
    }
    let bulk = Bulk { stage: if second.is_some() { BulkStage::Waiting } else { BulkStage::Running }, ..bulk };
    service
        .record(actor, &format!("bulk.{}", verb.as_str()), "messages", &format!("{}: {}", bulk.query, bulk.reason))
        .await?;
    let number = store.explorer.begin_job(bulk).await?;
    service.signals.bulk.notify_one();
    let begun = view(service, store.explorer.job(number).await?).await?;
    Ok(BulkView { second_person: second, ..begun })
}

/// A job that the operator may know of.
async fn visible(service: &Service, operator: &Operator, number: i64) -> Result<Bulk, ServiceError> {
    operator.may(Permission::Look)?;
    let bulk = service.store()?.explorer.job(number).await?;
    let is_own = bulk.actor == operator.name && bulk.scope == operator.scope;
    if operator.must_see_all().is_err() && !is_own {
        return Err(ServiceError::NotFound(format!("job {number}")));
    }
    Ok(bulk)
}

/// Jobs, newest first, 200 at most; for operators of some domains their own.
///
/// # Errors
/// When the operator may not.
pub async fn list(service: &Service, operator: &Operator) -> ServiceResult<Vec<BulkView>> {
    operator.may(Permission::Look)?;
    let mut views = Vec::new();
    for bulk in service.store()?.explorer.jobs(false).await? {
        let is_own = bulk.actor == operator.name && bulk.scope == operator.scope;
        if operator.must_see_all().is_ok() || is_own {
            views.push(view(service, bulk).await?);
        }
    }
    Ok(views)
}

/// How far a job is.
///
/// # Errors
/// When there is none of this number, or the operator may not.
pub async fn show(service: &Service, operator: &Operator, number: i64) -> ServiceResult<BulkView> {
    let bulk = visible(service, operator, number).await?;
    view(service, bulk).await
}

/// What became of each unit, 500 at most, by the message.
///
/// # Errors
/// When there is none of this number, or the operator may not.
pub async fn items(
    service: &Service,
    operator: &Operator,
    number: i64,
    ask: ItemsQuery,
) -> ServiceResult<Vec<ItemView>> {
    visible(service, operator, number).await?;
    let after = ask.after.map(|text| text.parse()).transpose();
    let after = after.map_err(|error: domain::id::BadMailId| ServiceError::Bad(error.to_string()))?;
    let outcome = ask.outcome.map(|outcome| word::one_of("outcome", &outcome, &["done", "already", "refused"]));
    let items = service.store()?.explorer.units_of_job(number, outcome.transpose()?, after, ITEMS_MAX).await?;
    let item = |one: BulkItem| ItemView {
        mail_id: one.unit.mail.to_string(),
        recipient: one.recipient,
        outcome: one.outcome,
        reply: one.reply,
    };
    Ok(items.into_iter().map(item).collect())
}

/// Stops a job; what it had done stays done.
///
/// # Errors
/// When it does not run, or the operator may not.
pub async fn cancel(service: &Service, operator: &Operator, number: i64, ask: CancelAsk) -> ServiceResult<BulkView> {
    operator.may(Permission::Decide)?;
    visible(service, operator, number).await?;
    let store = service.store()?;
    service.record(operator.actor(&ask.actor), "bulk.cancel", &number.to_string(), &ask.reason).await?;
    store.explorer.cancel_job(number, service.clock.now()).await?;
    view(service, store.explorer.job(number).await?).await
}

/// Somebody else agrees to a job that waits for that.
///
/// # Errors
/// When it does not wait, it is one's own, it reaches further than one's own domains, or the operator may not.
pub async fn approve(service: &Service, operator: &Operator, number: i64, ask: CancelAsk) -> ServiceResult<BulkView> {
    operator.may(Permission::Decide)?;
    let store = service.store()?;
    let bulk = store.explorer.job(number).await?;
    if operator.must_see_all().is_err() && operator.scope != bulk.scope {
        return Err(ServiceError::NotFound(format!("job {number}")));
    }
    let actor = operator.actor(&ask.actor);
    if actor == bulk.actor {
        return Err(ServiceError::Forbidden(format!("{actor} has asked for this job; somebody else has to agree")));
    }
    service.record(actor, "bulk.approve", &number.to_string(), &ask.reason).await?;
    store.explorer.approve_job(number, service.clock.now()).await?;
    service.signals.bulk.notify_one();
    view(service, store.explorer.job(number).await?).await
}
