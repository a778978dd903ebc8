//! An endpoint in the shape that scripts for Exchange Online speak: `InvokeCommand`, with the verbs of quarantine,
//! trace, allow and block lists and policies that administrators know. Each verb asks the API in the name of who shows
//! the token: one path, one record.
//!
//! | module | what it has |
//! |---|---|
//! | [`invoke`] | requests, batches, answers and errors in that shape |
//! | [`parameters`] | what a verb is given |
//! | [`quarantine`] | `*-QuarantineMessage`, `Get-QuarantinePolicy` |
//! | [`lists`] | `*-TenantAllowBlockListItems` |
//! | [`trace`] | `Get-MessageTraceV2`, `Get-MessageTraceDetailV2`, `Get-AcceptedDomain` |
//!
//! It differs where the original is dangerous: an empty identity is an error and never everything; `Force` releases
//! nothing twice.

pub mod invoke;
pub mod lists;
pub mod parameters;
pub mod quarantine;
pub mod trace;

use axum::Router;
use axum::routing::{get, post};
use service::Service;

/// All of `/adminapi`. Each handler finds its operator in the request, put there by the door.
pub fn router(service: Service) -> Router {
    Router::new()
        .route("/adminapi/beta/{tenant}/InvokeCommand", post(invoke::one))
        .route("/adminapi/beta/{tenant}/$batch", post(invoke::batch))
        .route("/adminapi/v1.0/{tenant}/{what}", get(invoke::about))
        .with_state(service)
}
