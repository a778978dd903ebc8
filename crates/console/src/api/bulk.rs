//! Acts on everything that a query fits, over HTTP: first how much that is, then a job with a result for each unit.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use domain::detection::Category;
use domain::query::Field;
use serde::{Deserialize, Serialize};
use store::bulk::{Bulk, BulkItem, BulkPlace, BulkStage, BulkVerb};
use store::explore::Summary;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use super::explore::{FoundView, found_view, read};
use super::word;
use crate::access::{Operator, Permission};

/// How long it is counted before the count is "so far".
const COUNT_BUDGET: Duration = Duration::from_secs(5);
/// How long a sample is looked for.
const SAMPLE_BUDGET: Duration = Duration::from_millis(200);
/// Units of a sample, and of a page of results.
const SAMPLE: usize = 20;
const ITEMS_MAX: i64 = 500;

/// What to do, and to what.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkAsk {
    /// A query of the explorer. It may not be empty: everything is asked for as `received:>=-90d` or the like.
    pub(crate) q: String,
    /// release, deny or delete.
    pub(crate) verb: String,
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
    /// Only say how much it would be, with a sample.
    #[serde(default)]
    pub(crate) what_if: bool,
}

/// A job, or what one would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkView {
    /// Its number; none for what would be.
    pub(crate) number: Option<i64>,
    pub(crate) verb: String,
    pub(crate) q: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
    pub(crate) made: String,
    /// would_be, waiting (somebody else has to agree), running, done or cancelled.
    pub(crate) stage: String,
    pub(crate) moved: String,
    /// Units that it fitted when it was asked for what would be; those that it has come by, for a job.
    pub(crate) units: u64,
    /// Whether there may be more than `units`: it was counted for long enough, or the job goes on.
    pub(crate) so_far: bool,
    /// By outcome: pending, done, already, refused.
    pub(crate) outcomes: Vec<OutcomeView>,
    /// Some of the units, for what would be.
    pub(crate) sample: Vec<FoundView>,
    /// Why somebody else has to agree first; none where nobody has.
    pub(crate) second_person: Option<String>,
    /// Units among them that are malware or certain phishing, for what would be.
    pub(crate) harmful: u64,
}

/// How many units came to what.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeView {
    pub(crate) outcome: String,
    pub(crate) units: u64,
}

async fn view(console: &Console, bulk: Bulk) -> Result<BulkView, ApiError> {
    let outcomes = console.store()?.bulk_counts(bulk.number).await?;
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
fn second_person(console: &Console, verb: BulkVerb, sums: &Summary) -> Option<String> {
    let most = console.config.api.two_persons_above.filter(|_| verb == BulkVerb::Release)?;
    let harmful = harmful(sums);
    match sums.units {
        _ if harmful > 0 => Some(format!("{harmful} units are malware or certain phishing")),
        units if units > most => Some(format!("{units} units are more than {most}")),
        _ if sums.next.is_some() => Some("nobody knows yet how many units these are".to_owned()),
        _ => None,
    }
}

/// `POST /api/v1/bulk`: acts on everything that a query fits, or says what that would be.
///
/// # Errors
/// When the query is wrong or empty, a reason is missing, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "bulk.begin",
    path = "/api/v1/bulk",
    request_body = BulkAsk,
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn begin(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<BulkAsk>,
) -> ApiResult<BulkView> {
    operator.may(Permission::Decide)?;
    let verb = BulkVerb::parse(word::one_of("verb", &ask.verb, &BulkVerb::ALL.map(BulkVerb::as_str))?);
    let verb = verb.ok_or_else(|| ApiError::Internal("a verb without its name".into()))?;
    if ask.q.trim().is_empty() {
        return Err(ApiError::Bad("say to what: an empty query fits everything".into()));
    }
    if !ask.what_if && ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("give a reason".into()));
    }
    let (store, made, actor) = (console.store()?, console.clock.now(), operator.actor(&ask.actor));
    let query = read(&ask.q, made)?;
    let bulk = Bulk {
        number: 0,
        verb,
        query: ask.q,
        scope: operator.scope,
        actor: actor.clone(),
        reason: ask.reason,
        made,
        stage: BulkStage::Running,
        moved: made,
        place: BulkPlace::Begin,
        fence: 0,
    };
    let sums = match ask.what_if || console.config.api.two_persons_above.is_some() {
        true => store.summarise(&query, &bulk.scope, None, i64::MAX, COUNT_BUDGET).await?,
        false => Summary::default(),
    };
    let second = second_person(&console, verb, &sums);
    if ask.what_if {
        let sample = store.explore(&query, &bulk.scope, None, SAMPLE, SAMPLE_BUDGET).await?;
        return Ok(Json(BulkView {
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
        }));
    }
    let bulk = Bulk { stage: if second.is_some() { BulkStage::Waiting } else { BulkStage::Running }, ..bulk };
    console
        .record(actor, &format!("bulk.{}", verb.as_str()), "messages", &format!("{}: {}", bulk.query, bulk.reason))
        .await?;
    let number = store.begin_bulk(bulk).await?;
    console.signals.bulk.notify_one();
    let begun = view(&console, store.bulk(number).await?).await?;
    Ok(Json(BulkView { second_person: second, ..begun }))
}

/// A job that the operator may know of.
async fn visible(console: &Console, operator: &Operator, number: i64) -> Result<Bulk, ApiError> {
    operator.may(Permission::Look)?;
    let bulk = console.store()?.bulk(number).await?;
    let is_own = bulk.actor == operator.name && bulk.scope == operator.scope;
    if operator.must_see_all().is_err() && !is_own {
        return Err(ApiError::NotFound(format!("job {number}")));
    }
    Ok(bulk)
}

/// `GET /api/v1/bulk`: jobs, newest first, 200 at most; for operators of some domains their own.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "bulk.list",
    path = "/api/v1/bulk",
    responses((status = 200, body = [BulkView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<BulkView>> {
    operator.may(Permission::Look)?;
    let mut views = Vec::new();
    for bulk in console.store()?.bulks(false).await? {
        let is_own = bulk.actor == operator.name && bulk.scope == operator.scope;
        if operator.must_see_all().is_ok() || is_own {
            views.push(view(&console, bulk).await?);
        }
    }
    Ok(Json(views))
}

/// `GET /api/v1/bulk/{number}`: how far a job is.
///
/// # Errors
/// When there is none of this number, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "bulk.show",
    path = "/api/v1/bulk/{number}",
    params(("number" = i64, Path, description = "The number of a job")),
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
) -> ApiResult<BulkView> {
    let bulk = visible(&console, &operator, number).await?;
    view(&console, bulk).await.map(Json)
}

/// Which results to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ItemsQuery {
    /// Only those with this outcome: done, already or refused.
    pub outcome: Option<String>,
    /// Only those of messages behind this one.
    pub after: Option<String>,
}

/// What became of one unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemView {
    pub(crate) mail_id: String,
    pub(crate) recipient: String,
    pub(crate) outcome: String,
    pub(crate) reply: String,
}

/// `GET /api/v1/bulk/{number}/items`: what became of each unit, 500 at most, by the message.
///
/// # Errors
/// When there is none of this number, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "bulk.items",
    path = "/api/v1/bulk/{number}/items",
    params(("number" = i64, Path, description = "The number of a job"), ItemsQuery),
    responses((status = 200, body = [ItemView]), Refusal),
)]
pub async fn items(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Query(ask): Query<ItemsQuery>,
) -> ApiResult<Vec<ItemView>> {
    visible(&console, &operator, number).await?;
    let after = ask.after.map(|text| text.parse()).transpose();
    let after = after.map_err(|error: domain::id::BadMailId| ApiError::Bad(error.to_string()))?;
    let outcome = ask.outcome.map(|outcome| word::one_of("outcome", &outcome, &["done", "already", "refused"]));
    let items = console.store()?.bulk_items(number, outcome.transpose()?, after, ITEMS_MAX).await?;
    let item = |one: BulkItem| ItemView {
        mail_id: one.unit.mail.to_string(),
        recipient: one.recipient,
        outcome: one.outcome,
        reply: one.reply,
    };
    Ok(Json(items.into_iter().map(item).collect()))
}

/// Why a job is stopped, or agreed to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CancelAsk {
    /// Why, for the record.
    pub(crate) reason: String,
    /// Who asks, for the record.
    pub(crate) actor: String,
}

/// `POST /api/v1/bulk/{number}/cancel`: stops a job; what it had done stays done.
///
/// # Errors
/// When it does not run, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "bulk.cancel",
    path = "/api/v1/bulk/{number}/cancel",
    params(("number" = i64, Path, description = "The number of a job")),
    request_body = CancelAsk,
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn cancel(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<CancelAsk>,
) -> ApiResult<BulkView> {
    operator.may(Permission::Decide)?;
    visible(&console, &operator, number).await?;
    let store = console.store()?;
    console.record(operator.actor(&ask.actor), "bulk.cancel", &number.to_string(), &ask.reason).await?;
    store.cancel_bulk(number, console.clock.now()).await?;
    view(&console, store.bulk(number).await?).await.map(Json)
}

/// `POST /api/v1/bulk/{number}/approve`: somebody else agrees to a job that waits for that.
///
/// # Errors
/// When it does not wait, it is one's own, it reaches further than one's own domains, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "bulk.approve",
    path = "/api/v1/bulk/{number}/approve",
    params(("number" = i64, Path, description = "The number of a job")),
    request_body = CancelAsk,
    responses((status = 200, body = BulkView), Refusal),
)]
pub async fn approve(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<i64>,
    Json(ask): Json<CancelAsk>,
) -> ApiResult<BulkView> {
    operator.may(Permission::Decide)?;
    let store = console.store()?;
    let bulk = store.bulk(number).await?;
    if operator.must_see_all().is_err() && operator.scope != bulk.scope {
        return Err(ApiError::NotFound(format!("job {number}")));
    }
    let actor = operator.actor(&ask.actor);
    if actor == bulk.actor {
        return Err(ApiError::Forbidden(format!("{actor} has asked for this job; somebody else has to agree")));
    }
    console.record(actor, "bulk.approve", &number.to_string(), &ask.reason).await?;
    store.approve_bulk(number, console.clock.now()).await?;
    console.signals.bulk.notify_one();
    view(&console, store.bulk(number).await?).await.map(Json)
}
