//! The audit log over HTTP.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::audit::Entry;
use serde::{Deserialize, Serialize};
use store::verify::Claim;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::console::access::{Operator, Permission};
use crate::notary::Bundle;

/// Entries of one answer at most.
const ENTRIES_MAX: i64 = 1000;

/// Where to begin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// The first entry.
    from: u64,
    /// Whether to list the leaves of group commits as well.
    journal: bool,
}

/// Who did what.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Its place in the log, from 0.
    seq: u64,
    at: String,
    actor: String,
    /// What, such as `quarantine.release`; `journal` for the leaf of a group commit.
    action: String,
    object: String,
    reason: String,
    /// Anything else, as JSON text; empty if nothing.
    detail: String,
}

fn entry_view(entry: Entry) -> EntryView {
    let Entry { seq, at, actor, action, object, reason, detail } = entry;
    EntryView { seq, at: at.to_string(), actor, action, object, reason, detail }
}

/// `GET /api/v1/audit`: entries from one on, oldest first.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "audit.list",
    path = "/api/v1/audit",
    params(AuditQuery),
    responses((status = 200, body = [EntryView]), Refusal),
)]
pub async fn list(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<AuditQuery>,
) -> ApiResult<Vec<EntryView>> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let entries = console.store()?.audit_entries(query.from, query.journal, ENTRIES_MAX).await?;
    Ok(Json(entries.into_iter().map(entry_view).collect()))
}

/// How to check.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyQuery {
    /// Only the tree and its head, not the ledger rows and verdicts that it vouches for.
    tree_only: bool,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifiedView {
    intact: bool,
    size: u64,
    root: String,
    pruned: u64,
    batches: u64,
    batches_purged: u64,
    verdicts: u64,
    faults: Vec<String>,
}

/// `GET /api/v1/audit/verify`: computes the tree anew, and compares it with its sealed head, the ledger and the recorded verdicts.
///
/// # Errors
/// When the operator may not, or the store fails.
#[utoipa::path(
    get,
    operation_id = "audit.verify",
    path = "/api/v1/audit/verify",
    params(VerifyQuery),
    responses((status = 200, body = VerifiedView), Refusal),
)]
pub async fn verify(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<VerifyQuery>,
) -> ApiResult<VerifiedView> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let verified = console.store()?.verify_audit(!query.tree_only).await?;
    Ok(Json(VerifiedView {
        intact: verified.faults.is_empty(),
        size: verified.size,
        root: verified.root,
        pruned: verified.pruned,
        batches: verified.batches,
        batches_purged: verified.batches_purged,
        verdicts: verified.verdicts,
        faults: verified.faults,
    }))
}

/// What is to be proved.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The entry with this number.
    entry: Option<u64>,
    /// How the message with this id of ours came to us.
    mail: Option<String>,
    /// That the log begins with the one of so many entries.
    since: Option<u64>,
}

/// `GET /api/v1/audit/proof`: a bundle that proves an entry of the log, or how a message came to us, to somebody who has nothing of ours:
/// `reprieve audit check` checks it offline.
///
/// # Errors
/// When it was pruned or never was there, or the operator may not.
#[utoipa::path(
    get,
    operation_id = "audit.prove",
    path = "/api/v1/audit/proof",
    params(ProofQuery),
    responses((status = 200, body = serde_json::Value), Refusal),
)]
pub async fn prove(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<ProofQuery>,
) -> ApiResult<Bundle> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let claim = match (query.entry, &query.mail) {
        (Some(entry), None) => Claim::Entry(entry),
        (None, Some(mail)) => {
            Claim::Mail(mail.parse().map_err(|error: domain::id::BadMailId| ApiError::Bad(error.to_string()))?)
        }
        _ => return Err(ApiError::Bad("say either which entry or which mail".into())),
    };
    let evidence = console.store()?.prove(claim, query.since).await?;
    Ok(Json(Bundle::new(evidence, &console.notary)))
}
