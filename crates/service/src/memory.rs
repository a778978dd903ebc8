//! The memory: how strong it is, and mail of an archive that it is made of.

use api_types::memory::{ImportAsk, ImportQuery, ImportView, MemoryView};
use domain::Timestamp;
use known_good::archive::{Imported, Terms};
use store::known_good::memory::{MemoryStrength, STRONG_CONTENTS, STRONG_IDENTITIES};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Bytes of one mail of an archive at most.
pub const MAIL_BYTES_MAX: usize = 64 << 20;

/// The view of a strength.
pub fn view(strength: &MemoryStrength) -> MemoryView {
    MemoryView {
        strength: strength.word().into(),
        identities: strength.identities,
        established: strength.established,
        internal: strength.internal,
        eligible: strength.eligible,
        eligible_by_family: strength.by_family.clone(),
        strong_contents: STRONG_CONTENTS,
        strong_identities: STRONG_IDENTITIES,
    }
}

/// How strong the memory is.
///
/// # Errors
/// When the operator may not.
pub async fn status(service: &Service, operator: &Operator) -> ServiceResult<MemoryView> {
    operator.may(Permission::Look)?;
    let strength =
        service.store()?.known_good.memory_strength(&service.config.sentinel.establish, service.clock.now()).await?;
    Ok(view(&strength))
}

/// Takes one mail of an archive, as `message/rfc822`. It is examined first, and nothing
/// bad enters.
///
/// # Errors
/// When the time makes no sense, or the operator may not.
pub async fn import(
    service: &Service,
    operator: &Operator,
    query: ImportQuery,
    mail: Vec<u8>,
) -> ServiceResult<ImportView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    service.store()?;
    let received = Timestamp::parse(&query.received).map_err(|error| ServiceError::Bad(error.to_string()))?;
    if received > service.clock.now() {
        return Err(ServiceError::Bad(format!("{received} is in the future")));
    }
    let terms = Terms { trusts_from: query.trust_from, answers_itself: query.correspond };
    let became = match service.importer.take(mail, received, terms).await {
        Imported::Learned => "learned",
        Imported::Bad => "bad",
        Imported::Partial => "partial",
        Imported::NoSender => "no-sender",
        Imported::TooOld => "too-old",
        Imported::Off => "off",
    };
    Ok(ImportView { became: became.into() })
}

/// Writes the begin or the end of an import into the audit log; at the end all of it is
/// written down.
///
/// # Errors
/// When the operator may not.
pub async fn import_step(service: &Service, operator: &Operator, ask: ImportAsk) -> ServiceResult<MemoryView> {
    operator.may(Permission::Tokens)?;
    operator.must_see_all()?;
    if !matches!(ask.step.as_str(), "begin" | "end") {
        return Err(ServiceError::Bad("step is begin or end".into()));
    }
    service.record(operator.actor(&ask.actor), &format!("memory.import.{}", ask.step), "memory", &ask.reason).await?;
    service.importer.learner.written().await;
    let strength =
        service.store()?.known_good.memory_strength(&service.config.sentinel.establish, service.clock.now()).await?;
    Ok(view(&strength))
}
