//! Rulesets over HTTP: built from files, compared, published through the gates, taken back.

use api_types::ruleset::{
    BuildAsk, BuiltView, ChangeView, DiffQuery, PublishAsk, RollbackAsk, RolloutView, RulesetRow, RulesetView,
};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use service::Service;
use service::access::Operator;

use crate::error::{ApiResult, Refusal};

/// `GET /api/v1/rulesets`: every version that was ever kept, newest first.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "ruleset.list",
    path = "/api/v1/rulesets",
    responses((status = 200, body = [RulesetRow]), Refusal),
)]
pub async fn list(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<RulesetRow>> {
    Ok(Json(service::ruleset::list(&service, &operator).await?))
}

/// `GET /api/v1/rulesets/{id}`: a version with its detections, and what the gates said when it was built.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "ruleset.show",
    path = "/api/v1/rulesets/{id}",
    params(("id" = String, Path, description = "A ruleset version, or `live`")),
    responses((status = 200, body = RulesetView), Refusal),
)]
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<RulesetView> {
    Ok(Json(service::ruleset::show(&service, &operator, &id).await?))
}

/// `POST /api/v1/rulesets`: builds a version from files, and runs the gates that need them. It acts on nothing until it
/// is published.
///
/// # Errors
/// When the files do not load, all that is wrong with them; or the operator may not.
#[utoipa::path(
    post,
    operation_id = "ruleset.build",
    path = "/api/v1/rulesets",
    request_body = BuildAsk,
    responses((status = 200, body = BuiltView), Refusal),
)]
pub async fn build(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<BuildAsk>,
) -> ApiResult<BuiltView> {
    Ok(Json(service::ruleset::build(&service, &operator, ask).await?))
}

/// `GET /api/v1/rulesets/{id}/diff`: what differs between two versions, detection by detection.
///
/// # Errors
/// When one of them is not known, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "ruleset.diff",
    path = "/api/v1/rulesets/{id}/diff",
    params(("id" = String, Path, description = "The later version, or `live`"), DiffQuery),
    responses((status = 200, body = [ChangeView]), Refusal),
)]
pub async fn compare(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(query): Query<DiffQuery>,
) -> ApiResult<Vec<ChangeView>> {
    Ok(Json(service::ruleset::compare(&service, &operator, &id, query).await?))
}

/// `POST /api/v1/rulesets/{id}/publish`: begins the roll-out of a version; one that is under way is superseded.
///
/// # Errors
/// When it is in force already, a reason is missing, going past the gates takes a second person, or the operator may
/// not.
#[utoipa::path(
    post,
    operation_id = "ruleset.publish",
    path = "/api/v1/rulesets/{id}/publish",
    params(("id" = String, Path, description = "A ruleset version")),
    request_body = PublishAsk,
    responses((status = 200, body = RolloutView), Refusal),
)]
pub async fn publish(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<PublishAsk>,
) -> ApiResult<RolloutView> {
    Ok(Json(service::ruleset::publish(&service, &operator, &id, ask).await?))
}

/// `GET /api/v1/rollouts`: all roll-outs, newest first, without their steps.
///
/// # Errors
/// When the operator may not.
#[utoipa::path(
    get,
    operation_id = "rollout.list",
    path = "/api/v1/rollouts",
    responses((status = 200, body = [RolloutView]), Refusal),
)]
pub async fn rollouts(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
) -> ApiResult<Vec<RolloutView>> {
    Ok(Json(service::ruleset::rollouts(&service, &operator).await?))
}

/// `GET /api/v1/rollouts/{number}`: a roll-out with its steps.
///
/// # Errors
/// When there is none, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "rollout.show",
    path = "/api/v1/rollouts/{number}",
    params(("number" = u32, Path, description = "The number of a roll-out")),
    responses((status = 200, body = RolloutView), Refusal),
)]
pub async fn rollout(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(number): Path<u32>,
) -> ApiResult<RolloutView> {
    Ok(Json(service::ruleset::rollout(&service, &operator, number).await?))
}

/// `POST /api/v1/rollouts/rollback`: takes back the version that is being rolled out; without one, the version in
/// force, and what was in force before it is again.
///
/// # Errors
/// When nothing was published, or the operator may not.
#[utoipa::path(
    post,
    operation_id = "rollout.rollback",
    path = "/api/v1/rollouts/rollback",
    request_body = RollbackAsk,
    responses((status = 200, body = RolloutView), Refusal),
)]
pub async fn rollback(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Json(ask): Json<RollbackAsk>,
) -> ApiResult<RolloutView> {
    Ok(Json(service::ruleset::rollback(&service, &operator, ask).await?))
}
