//! The audit log.

use api_types::audit::{AuditQuery, EntryView, EraseAsk, ProofQuery, VerifiedView, VerifyQuery};
use domain::audit::Entry;
use platform::audit_signer::Bundle;
use store::audit::verify::Claim;

use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};
use crate::{Service, hold};

/// Entries of one answer at most.
const ENTRIES_MAX: i64 = 1000;

fn entry_view(entry: Entry) -> EntryView {
    let Entry { seq, at, actor, action, object, reason, detail, commitment } = entry;
    let commitment = commitment.map(|digest| digest.hex());
    EntryView { seq, at: at.to_string(), actor, action, object, reason, detail, commitment }
}

/// Entries from one on, oldest first.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn list(service: &Service, operator: &Operator, query: AuditQuery) -> ServiceResult<Vec<EntryView>> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let entries = match query.before {
        Some(before) => service.store()?.audit.audit_acts(Some(before), ENTRIES_MAX).await?,
        None => service.store()?.audit.audit_entries(query.from, query.journal, ENTRIES_MAX).await?,
    };
    Ok(entries.into_iter().map(entry_view).collect())
}

/// Computes the tree anew, and compares it with its sealed head, the ledger and the
/// recorded verdicts.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn verify(service: &Service, operator: &Operator, query: VerifyQuery) -> ServiceResult<VerifiedView> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let verified = service.store()?.audit.verify_audit(!query.tree_only).await?;
    Ok(VerifiedView {
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
    })
}

/// Destroys what of an entry may be about people, as they may ask for. The log stays
/// intact and says that it was done.
///
/// # Errors
/// When a reason is missing, there is nothing (any more), or the operator may not.
pub async fn erase(service: &Service, operator: &Operator, seq: u64, ask: EraseAsk) -> ServiceResult<EntryView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    if ask.reason.trim().is_empty() {
        return Err(ServiceError::Bad("give a reason".into()));
    }
    let store = service.store()?;
    let known = store.audit.audit_entries(seq, true, 1).await?.into_iter().find(|entry| entry.seq == seq);
    let known = known.ok_or_else(|| ServiceError::NotFound(format!("entry {seq}")))?;
    hold::refuse_erasure(service, &known).await?;
    service.record(operator.actor(&ask.actor), "audit.erase", &seq.to_string(), &ask.reason).await?;
    store.audit.erase_private(seq).await?;
    let entry = store.audit.audit_entries(seq, true, 1).await?.into_iter().find(|entry| entry.seq == seq);
    entry.map(entry_view).ok_or_else(|| ServiceError::NotFound(format!("entry {seq}")))
}

/// A bundle that proves an entry of the log, or how a message came to us, to somebody who
/// has nothing of ours: `reprieve audit check` checks it offline.
///
/// # Errors
/// When it was pruned or never was there, or the operator may not.
pub async fn prove(service: &Service, operator: &Operator, query: ProofQuery) -> ServiceResult<Bundle> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let claim = match (query.entry, &query.mail) {
        (Some(entry), None) => Claim::Entry(entry),
        (None, Some(mail)) => {
            Claim::Mail(mail.parse().map_err(|error: domain::id::BadMailId| ServiceError::Bad(error.to_string()))?)
        }
        _ => return Err(ServiceError::Bad("say either which entry or which mail".into())),
    };
    let evidence = service.store()?.audit.prove(claim, query.since).await?;
    Ok(Bundle::new(evidence, &service.audit_signer))
}
