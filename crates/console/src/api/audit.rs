//! The audit log over HTTP.

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use domain::audit::Entry;
use serde::{Deserialize, Serialize};
use store::verify::Claim;
use utoipa::{IntoParams, ToSchema};

use super::Console;
use super::error::{ApiError, ApiResult, Refusal};
use crate::access::{Operator, Permission};
use platform::audit_signer::Bundle;

/// Entries of one answer at most.
const ENTRIES_MAX: i64 = 1000;

/// Where to begin.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// Newest first, those before this number; without, oldest first from `from` on.
    pub(crate) before: Option<u64>,
    /// The first entry.
    pub(crate) from: u64,
    /// Whether to list the leaves of group commits as well.
    pub(crate) journal: bool,
}

/// Who did what.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Its place in the log, from 0.
    pub(crate) seq: u64,
    pub(crate) at: String,
    pub(crate) actor: String,
    /// What, such as `quarantine.release`; `journal` for the leaf of a group commit.
    pub(crate) action: String,
    pub(crate) object: String,
    pub(crate) reason: String,
    /// Anything else, as JSON text; empty if nothing.
    pub(crate) detail: String,
    /// What the log has of that which may be about people (reason, detail, an object that is an address): a commitment
    /// to it.
    pub(crate) commitment: Option<String>,
}

fn entry_view(entry: Entry) -> EntryView {
    let Entry { seq, at, actor, action, object, reason, detail, commitment } = entry;
    let commitment = commitment.map(|digest| digest.hex());
    EntryView { seq, at: at.to_string(), actor, action, object, reason, detail, commitment }
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
    let entries = match query.before {
        Some(before) => console.store()?.audit_acts(Some(before), ENTRIES_MAX).await?,
        None => console.store()?.audit_entries(query.from, query.journal, ENTRIES_MAX).await?,
    };
    Ok(Json(entries.into_iter().map(entry_view).collect()))
}

/// How to check.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct VerifyQuery {
    /// Only the tree and its head, not the ledger rows and verdicts that it vouches for.
    pub(crate) tree_only: bool,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifiedView {
    pub(crate) intact: bool,
    pub(crate) size: u64,
    pub(crate) root: String,
    pub(crate) pruned: u64,
    pub(crate) batches: u64,
    pub(crate) batches_purged: u64,
    pub(crate) verdicts: u64,
    /// Entries whose private part is what they commit to, and entries whose private part was destroyed.
    pub(crate) private: u64,
    pub(crate) erased: u64,
    pub(crate) faults: Vec<String>,
}

/// `GET /api/v1/audit/verify`: computes the tree anew, and compares it with its sealed head, the ledger and the
/// recorded verdicts.
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
        private: verified.private,
        erased: verified.erased,
        faults: verified.faults,
    }))
}

/// Why something is destroyed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseAsk {
    /// Why, for the record. It must not say again what is destroyed.
    pub(crate) reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub(crate) actor: String,
}

/// `POST /api/v1/audit/{seq}/erase`: destroys what of an entry may be about people, as they may ask for. The log stays
/// intact and says that it was done.
///
/// # Errors
/// When a reason is missing, there is nothing (any more), or the operator may not.
#[utoipa::path(
    post,
    operation_id = "audit.erase",
    path = "/api/v1/audit/{seq}/erase",
    params(("seq" = u64, Path, description = "The number of an entry")),
    request_body = EraseAsk,
    responses((status = 200, body = EntryView), Refusal),
)]
pub async fn erase(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(seq): Path<u64>,
    Json(ask): Json<EraseAsk>,
) -> ApiResult<EntryView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ApiError::Bad("give a reason".into()));
    }
    let store = console.store()?;
    console.record(operator.actor(&ask.actor), "audit.erase", &seq.to_string(), &ask.reason).await?;
    store.erase_private(seq).await?;
    let entry = store.audit_entries(seq, true, 1).await?.into_iter().find(|entry| entry.seq == seq);
    entry.map(entry_view).map(Json).ok_or_else(|| ApiError::NotFound(format!("entry {seq}")))
}

/// What is to be proved.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// The entry with this number.
    pub(crate) entry: Option<u64>,
    /// How the message with this id of ours came to us.
    pub(crate) mail: Option<String>,
    /// That the log begins with the one of so many entries.
    pub(crate) since: Option<u64>,
}

/// `GET /api/v1/audit/proof`: a bundle that proves an entry of the log, or how a message came to us, to somebody who
/// has nothing of ours: `reprieve audit check` checks it offline.
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
