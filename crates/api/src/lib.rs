//! The REST API: every URL, and who may use it.

pub mod agreement;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod bulk;
pub mod bypassed;
pub mod detection;
pub mod entry;
pub mod error;
pub mod events;
pub mod explain;
pub mod explore;
pub mod health;
pub mod hits;
pub mod hold;
pub mod incident;
pub mod known_good;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod network;
pub mod notify;
pub mod person;
pub mod policy;
pub mod quarantine;
pub mod reload;
pub mod retention;
pub mod ruleset;
pub mod saved;
pub mod sentinel;
pub mod settle;
pub mod socket;
pub mod submission;
pub mod token;
pub mod token_check;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Method, StatusCode, Uri};
use axum::response::Redirect;
use axum::routing::{any, get};
use axum::{Json, Router};
use domain::tile::Tile;
use platform::measure;
use service::Service;
use service::error::ServiceError;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;

/// All of `/api/v1`. Each handler finds its [`service::access::Operator`] in the request, put there by the door.
pub fn router(service: Service) -> Router {
    routes().split_for_parts().0.route("/api/{*path}", any(unknown)).with_state(service)
}

/// What is under no address of the API.
async fn unknown(method: Method, uri: Uri) -> ApiError {
    ServiceError::NotFound(format!("there is no {method} {}; GET /api/v1/openapi.json says what there is", uri.path()))
        .into()
}

/// The OpenAPI document: made from the same list as the routes, and from the doc comments of the handlers and their
/// types.
pub fn document() -> OpenApi {
    routes().split_for_parts().1
}

fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(quarantine::list::list))
        .routes(routes!(quarantine::request::list))
        .routes(routes!(quarantine::show::show))
        .routes(routes!(quarantine::read::export))
        .routes(routes!(quarantine::read::archive))
        .routes(routes!(quarantine::read::headers))
        .routes(routes!(quarantine::read::preview))
        .routes(routes!(quarantine::read::pages))
        .routes(routes!(quarantine::read::pictures))
        .routes(routes!(quarantine::close::close))
        .routes(routes!(quarantine::copy::copy))
        .routes(routes!(quarantine::release::release))
        .routes(routes!(quarantine::release::release_many))
        .routes(routes!(quarantine::settle::deny))
        .routes(routes!(quarantine::settle::delete))
        .routes(routes!(quarantine::settle::recover))
        .routes(routes!(reload::ask, reload::last))
        .routes(routes!(retention::clock))
        .routes(routes!(retention::confirm_clock))
        .routes(routes!(retention::recover))
        .routes(routes!(hold::list, hold::add))
        .routes(routes!(hold::lift))
        .routes(routes!(message::trace))
        .routes(routes!(explain::show))
        .routes(routes!(explore::list))
        .routes(routes!(explore::summary))
        .routes(routes!(explore::export))
        .routes(routes!(explore::suggest))
        .routes(routes!(explore::pivot))
        .routes(routes!(saved::list, saved::save))
        .routes(routes!(saved::forget))
        .routes(routes!(policy::show))
        .routes(routes!(bulk::list, bulk::begin))
        .routes(routes!(bulk::show))
        .routes(routes!(bulk::items))
        .routes(routes!(bulk::cancel))
        .routes(routes!(bulk::approve))
        .routes(routes!(person::list, person::invite))
        .routes(routes!(person::disable))
        .routes(routes!(person::recover))
        .routes(routes!(health::show))
        .routes(routes!(bypassed::list))
        .routes(routes!(health::settings))
        .routes(routes!(ledger::check))
        .routes(routes!(backup::create))
        .routes(routes!(audit::list))
        .routes(routes!(audit::verify))
        .routes(routes!(audit::prove))
        .routes(routes!(audit::erase))
        .routes(routes!(events::list))
        .routes(routes!(events::sinks))
        .routes(routes!(token::list, token::create))
        .routes(routes!(token::revoke))
        .routes(routes!(ruleset::show))
        .routes(routes!(ruleset::compare))
        .routes(routes!(ruleset::publish))
        .routes(routes!(ruleset::rollouts))
        .routes(routes!(ruleset::rollback))
        .routes(routes!(ruleset::rollout))
        .routes(routes!(detection::list))
        .routes(routes!(detection::show))
        .routes(routes!(detection::mode))
        .routes(routes!(detection::dry_run))
        .routes(routes!(detection::engines))
        .routes(routes!(hits::hits))
        .routes(routes!(entry::list, entry::add))
        .routes(routes!(entry::remove))
        .routes(routes!(entry::block_like))
        .routes(routes!(sentinel::status))
        .routes(routes!(sentinel::explain))
        .routes(routes!(sentinel::contain))
        .routes(routes!(sentinel::pin))
        .routes(routes!(agreement::list))
        .routes(routes!(alert::list))
        .routes(routes!(alert::seen))
        .routes(routes!(alert::choose))
        .routes(routes!(notify::test))
        .routes(routes!(submission::list, submission::add))
        .routes(routes!(submission::show))
        .routes(routes!(submission::export))
        .routes(routes!(incident::list, incident::open))
        .routes(routes!(incident::show, incident::change))
        .routes(routes!(incident::progress))
        .routes(routes!(incident::dry_run))
        .routes(routes!(incident::report))
        .routes(routes!(memory::status))
        .routes(routes!(memory::import_step))
        .routes(routes!(known_good::status))
        .routes(routes!(known_good::rotate_key))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(memory::import))
                .layer(DefaultBodyLimit::max(service::memory::MAIL_BYTES_MAX)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(ruleset::list, ruleset::build))
                .layer(DefaultBodyLimit::max(service::ruleset::UPLOAD_BYTES_MAX)),
        )
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Reprieve", description = "The REST API of the mail gateway: quarantine, messages, rulesets, books, \
        audit log, tokens."),
    components(schemas(api_types::refusal::RefusalView)),
    modifiers(&Door),
    security(("token" = []))
)]
struct Document;

/// How a request shows who it is from.
struct Door;

impl Modify for Door {
    fn modify(&self, document: &mut OpenApi) {
        let token = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("`reprieve token create` makes one"))
            .build();
        document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// The probes: no secrets, no tokens.
pub fn probes(service: Service) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/status", get(|| async { Redirect::permanent("/status/") }))
        .route(
            "/status/",
            get(|service: State<Service>| status_file(service, "index.html", "text/html; charset=utf-8")),
        )
        .route(
            "/status/status.json",
            get(|service: State<Service>| status_file(service, "status.json", "application/json")),
        )
        .route(
            "/status/feed.atom",
            get(|service: State<Service>| status_file(service, "feed.atom", "application/atom+xml")),
        )
        .route(
            "/status/checkpoint",
            get(|service: State<Service>| status_file(service, "checkpoint", "text/plain; charset=utf-8")),
        )
        .route("/status/tile/{*path}", get(tile))
        .route("/api/v1/openapi.json", get(|| async { Json(document()) }))
        .with_state(service)
}

/// What the public is told, as it was last published: no store is needed to read it.
async fn status_file(
    State(service): State<Service>,
    name: &'static str,
    kind: &'static str,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), (StatusCode, &'static str)> {
    match tokio::fs::read(service.config.data_dir.join("status").join(name)).await {
        Ok(bytes) => Ok(([(CONTENT_TYPE, kind)], bytes)),
        Err(_) => Err((StatusCode::NOT_FOUND, "nothing has been published yet\n")),
    }
}

/// A tile of the audit log's hashes.
async fn tile(
    State(service): State<Service>,
    Path(path): Path<String>,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), StatusCode> {
    let file = service.config.data_dir.join("status/tile").join(&path);
    match Tile::is_path(&path) {
        true => tokio::fs::read(file)
            .await
            .map_or(Err(StatusCode::NOT_FOUND), |bytes| Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes))),
        false => Err(StatusCode::NOT_FOUND),
    }
}

async fn metrics(State(service): State<Service>) -> (StatusCode, String) {
    measure::ready(service.readiness.seen_by_clients().is_none());
    match measure::render() {
        Some(text) => (StatusCode::OK, text),
        None => (StatusCode::NOT_FOUND, "nothing is counted\n".into()),
    }
}

/// What a client would get for a mail now.
async fn ready(State(service): State<Service>) -> (StatusCode, String) {
    match service.readiness.seen_by_clients() {
        Some(obstacle) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", obstacle.told())),
        None if service.readiness.is_bypassed() => {
            (StatusCode::OK, "ready: mail passes unexamined, the panic switch says bypass\n".into())
        }
        None => (StatusCode::OK, "ready\n".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole document: a change of it is a change of what programs rely on, and is read in review.
    #[test]
    fn the_document_of_the_api() {
        insta::assert_snapshot!(document().to_pretty_json().expect("plain data"));
    }
}
