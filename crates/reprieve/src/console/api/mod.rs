//! The REST API: every URL, and who may use it.

pub mod audit;
pub mod backup;
pub mod error;
pub mod ledger;
pub mod message;
pub mod quarantine;
pub mod token;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::Console;
use crate::measure;

/// All of `/api/v1`. Each handler finds its [`super::access::Operator`] in the request, put there by the door.
pub fn router(console: Console) -> Router {
    Router::new()
        .route("/api/v1/quarantine", get(quarantine::list::list))
        .route("/api/v1/quarantine/{id}", get(quarantine::show::show))
        .route("/api/v1/quarantine/{id}/raw", get(quarantine::read::export))
        .route("/api/v1/quarantine/{id}/headers", get(quarantine::read::headers))
        .route("/api/v1/quarantine/{id}/preview", get(quarantine::read::preview))
        .route("/api/v1/quarantine/{id}/release", post(quarantine::release::release))
        .route("/api/v1/quarantine/{id}/deny", post(quarantine::settle::deny))
        .route("/api/v1/quarantine/{id}/delete", post(quarantine::settle::delete))
        .route("/api/v1/messages", get(message::trace))
        .route("/api/v1/ledger", get(ledger::check))
        .route("/api/v1/backup", post(backup::create))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/audit/verify", get(audit::verify))
        .route("/api/v1/tokens", get(token::list).post(token::create))
        .route("/api/v1/tokens/{id}/revoke", post(token::revoke))
        .with_state(console)
}

/// The probes: no secrets, no tokens.
pub fn probes(console: Console) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(console)
}

async fn metrics() -> (StatusCode, String) {
    match measure::render() {
        Some(text) => (StatusCode::OK, text),
        None => (StatusCode::NOT_FOUND, "nothing is counted\n".into()),
    }
}

async fn ready(State(console): State<Console>) -> (StatusCode, &'static str) {
    match console.store {
        Some(store) if !store.is_broken() => (StatusCode::OK, "ready\n"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store's volume failed\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the store is not open\n"),
    }
}
