//! Own mail: what is held and what became of it, its text, and what the quarantine policy lets its recipient do with
//! it. Everything is read within the recipient's own scope; whatever is not theirs is not there.

use domain::ledger::{Account, Move};
use domain::policy::QuarantinePolicy;
use domain::{Direction, MailId, Timestamp, UnitId};
use platform::recipient::may;
use store::evidence::submission::{NewSubmission, SubmissionKind};
use store::mail::moves::UnitMove;
use store::quarantine::{Filter, HeldMessage, HeldUnit};

use super::Recipient;
use crate::Service;
use crate::error::{ServiceError, ServiceResult};
use crate::hold;

/// Messages of one page.
const PAGE_MAILS: u32 = 50;
/// Letters of a reason at most; more are left out.
pub const REASON_MAX: usize = 500;
/// What recipients see: what is held, and what became of it.
const SEEN: [Account; 6] =
    [Account::Held, Account::Denied, Account::Releasing, Account::InDoubt, Account::Released, Account::Failed];

/// What became of a message, as its recipient sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is held.
    Held,
    /// It is held, and they have asked for its delivery.
    Requested,
    /// Somebody decided that it stays.
    Denied,
    /// It is on its way.
    Releasing,
    /// It was delivered.
    Released,
    /// It could not be delivered.
    Failed,
}

/// A message of a recipient, with what they may do.
#[derive(Clone, Debug)]
pub struct OwnMail {
    /// The message.
    pub mail_id: MailId,
    /// The reverse path.
    pub sender: String,
    /// The subject.
    pub subject: String,
    /// When it came.
    pub received: Timestamp,
    /// Why it was held: the category, by name.
    pub category: String,
    /// Bytes.
    pub size: i64,
    number: u32,
    account: Account,
    policy: QuarantinePolicy,
    is_asked_for: bool,
}

impl OwnMail {
    fn new(message: &HeldMessage, unit: &HeldUnit, policy: QuarantinePolicy, is_asked_for: bool) -> Self {
        Self {
            mail_id: message.mail_id,
            sender: message.sender.clone(),
            subject: message.subject.clone(),
            received: message.received,
            category: message.category.clone(),
            size: message.size,
            number: unit.number,
            account: unit.account,
            policy,
            is_asked_for,
        }
    }

    fn unit(&self) -> UnitId {
        UnitId { mail: self.mail_id, number: self.number }
    }

    fn is_held(&self) -> bool {
        self.account == Account::Held
    }

    /// What became of it.
    pub fn state(&self) -> State {
        match self.account {
            Account::Held if self.is_asked_for => State::Requested,
            Account::Denied => State::Denied,
            Account::Releasing | Account::InDoubt => State::Releasing,
            Account::Released => State::Released,
            Account::Failed => State::Failed,
            _ => State::Held,
        }
    }

    /// May have it delivered at once.
    pub fn may_release(&self) -> bool {
        self.is_held() && self.policy == QuarantinePolicy::FullAccess
    }

    /// May ask for its delivery.
    pub fn may_ask(&self) -> bool {
        self.is_held() && self.policy == QuarantinePolicy::LimitedAccess && !self.is_asked_for
    }

    /// May delete it.
    pub fn may_delete(&self) -> bool {
        self.is_held()
    }

    /// May keep its sender away.
    pub fn may_block(&self) -> bool {
        self.is_held() && !self.sender.is_empty()
    }

    /// May let its sender in: where they may have such mail delivered anyway.
    pub fn may_allow(&self) -> bool {
        self.policy == QuarantinePolicy::FullAccess && !self.sender.is_empty()
    }
}

/// A page of own mail, newest first.
#[derive(Debug)]
pub struct Page {
    /// The messages.
    pub mails: Vec<OwnMail>,
    /// Behind which message the next page begins, if there may be one.
    pub next: Option<MailId>,
}

/// What is held for a recipient and what became of it, behind a message of the page before.
///
/// # Errors
/// When `after` is no message's id, or the store fails.
pub async fn list(service: &Service, recipient: &Recipient, after: Option<&str>) -> ServiceResult<Page> {
    let after = after.map(mail_id).transpose()?;
    let filter = Filter { accounts: SEEN.to_vec(), limit: PAGE_MAILS, after, ..Filter::default() };
    let held = service.store()?.quarantine.held(&filter, &recipient.scope()).await?;
    let next = held.last().filter(|_| held.len() as u32 == PAGE_MAILS).map(|last| last.mail_id);
    Ok(Page { mails: own(service, &held).await?, next })
}

/// Those of held messages that are their recipient's to see.
async fn own(service: &Service, held: &[HeldMessage]) -> ServiceResult<Vec<OwnMail>> {
    let mails: Vec<MailId> = held.iter().map(|message| message.mail_id).collect();
    let asked_for = service.store()?.recipients.units_asked_for(&mails).await?;
    let mut all = Vec::new();
    for (message, unit) in held.iter().flat_map(|message| message.units.iter().map(move |unit| (message, unit))) {
        let policy = may(&service.config.policy, &message.category, unit);
        if policy == QuarantinePolicy::AdminOnlyAccess || unit.direction == Direction::Outbound {
            continue;
        }
        let is_asked_for = asked_for.contains(&UnitId { mail: message.mail_id, number: unit.number });
        all.push(OwnMail::new(message, unit, policy, is_asked_for));
    }
    Ok(all)
}

/// The one that a recipient names.
pub(super) async fn find(service: &Service, recipient: &Recipient, id: &str) -> ServiceResult<OwnMail> {
    let held = service.store()?.quarantine.held_one(mail_id(id)?, &recipient.scope()).await?;
    let found = own(service, held.as_slice()).await?.pop();
    found.ok_or_else(|| ServiceError::NotFound(format!("no message {id} for {}", recipient.address())))
}

fn mail_id(text: &str) -> ServiceResult<MailId> {
    text.parse().map_err(|error: domain::id::BadMailId| ServiceError::Bad(error.to_string()))
}

/// Refuses what the quarantine policy, or the state of a message, does not let its recipient do.
pub(super) fn permit(may: bool) -> ServiceResult<()> {
    if may { Ok(()) } else { Err(ServiceError::Forbidden("the quarantine policy does not let its recipient".into())) }
}

/// The text of one's own mail.
#[derive(Debug)]
pub struct OwnText {
    /// The message.
    pub mail: OwnMail,
    /// Its plain texts; none when it cannot be shown.
    pub texts: Vec<String>,
    /// The names of its parts that have one.
    pub part_names: Vec<String>,
}

/// The text of one's own mail. That somebody looked is in the record.
///
/// # Errors
/// When it is not theirs, its bytes are gone, or the store fails.
pub async fn read(service: &Service, recipient: &Recipient, id: &str) -> ServiceResult<OwnText> {
    let mail = find(service, recipient, id).await?;
    service.record(recipient.actor(), "portal.preview", id, "").await?;
    let store = service.store()?;
    let record = store.mail.record(mail.mail_id).await?;
    let blob = record.blob.ok_or_else(|| ServiceError::NotFound(format!("the bytes of {id} are gone")))?;
    let bytes = store.blobs().get(blob).await?;
    let texts = service.viewer.texts(bytes).await.unwrap_or_else(|why| {
        tracing::warn!(mail = id, why, "a recipient's mail cannot be shown");
        Vec::new()
    });
    let names = record.examination.message.parts.into_iter().map(|part| part.name);
    Ok(OwnText { mail, texts, part_names: names.filter(|name| !name.is_empty()).collect() })
}

/// Has a message delivered. With `is_good` its recipient says as well that it was held wrongly.
///
/// # Errors
/// When it is not theirs, or the quarantine policy does not let them.
pub async fn release(
    service: &Service,
    recipient: &Recipient,
    id: &str,
    reason: &str,
    is_good: bool,
) -> ServiceResult<()> {
    let mail = find(service, recipient, id).await?;
    permit(mail.may_release())?;
    let (who, reason) = (recipient.actor(), kept(reason));
    service.record(who.clone(), "portal.release", id, &reason).await?;
    service.store()?.releases.request_releases(&[mail.unit()], &who, &reason, service.clock.now()).await?;
    service.signals.release.notify_one();
    if is_good {
        report(service, recipient, mail.mail_id).await?;
    }
    Ok(())
}

/// Asks an operator for the delivery of a message.
///
/// # Errors
/// When it is not theirs, or the quarantine policy does not let them.
pub async fn ask(service: &Service, recipient: &Recipient, id: &str, reason: &str) -> ServiceResult<()> {
    let mail = find(service, recipient, id).await?;
    permit(mail.may_ask())?;
    let reason = kept(reason);
    service.record(recipient.actor(), "portal.ask", id, &reason).await?;
    service.store()?.recipients.ask_release(mail.unit(), recipient.address(), &reason, service.clock.now()).await?;
    Ok(())
}

/// Deletes a message; its bytes stay until retention removes them.
///
/// # Errors
/// When it is not theirs, or not held any more.
pub async fn delete(service: &Service, recipient: &Recipient, id: &str, reason: &str) -> ServiceResult<()> {
    let mail = find(service, recipient, id).await?;
    permit(mail.may_delete())?;
    // Whom a hold is about need not know of it.
    let on_hold = hold::refuse_deletion(service, mail.mail_id).await;
    on_hold.map_err(|error| match error {
        ServiceError::Conflict(_) => ServiceError::Conflict("this message is kept by your organisation".into()),
        other => other,
    })?;
    let (actor, reason) = (recipient.actor(), kept(reason));
    service.record(actor.clone(), "portal.delete", id, &reason).await?;
    let (unit, at) = (mail.unit(), service.clock.now());
    let delete = UnitMove { unit, from: Account::Held, by: Move::Deleted, at, actor, reason };
    Ok(service.store()?.mail.move_units(vec![delete]).await?)
}

/// What is kept of a reason.
fn kept(reason: &str) -> String {
    reason.chars().take(REASON_MAX).collect()
}

/// A recipient says that it was held wrongly: one voice.
async fn report(service: &Service, recipient: &Recipient, mail_id: MailId) -> ServiceResult<()> {
    let store = service.store()?;
    let about = NewSubmission::about(&store.mail.record(mail_id).await?.examination.findings);
    let (at, kind, reporter) = (service.clock.now(), SubmissionKind::FalsePositive, recipient.address().to_owned());
    store
        .submissions
        .submit(vec![NewSubmission { at, mail_id, kind, reporter, comment: String::new(), about }])
        .await?;
    service.signals.sentinel.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(account: Account, policy: QuarantinePolicy) -> OwnMail {
        let received = Timestamp::from_micros(1_795_000_000_000_000);
        OwnMail {
            mail_id: MailId::new(received, [0; 10]),
            sender: "a@elsewhere.example".into(),
            subject: String::new(),
            received,
            category: "Spam".into(),
            size: 1,
            number: 0,
            account,
            policy,
            is_asked_for: false,
        }
    }

    /// What may be done, as letters: release, ask, delete, block, allow.
    fn may_do(mail: &OwnMail) -> String {
        let may = [mail.may_release(), mail.may_ask(), mail.may_delete(), mail.may_block(), mail.may_allow()];
        "radbo".chars().zip(may).filter(|(_, may)| *may).map(|(letter, _)| letter).collect()
    }

    #[test]
    fn policy_and_state_say_what_a_recipient_may_do() {
        use QuarantinePolicy::{AdminOnlyAccess, FullAccess, LimitedAccess};
        assert_eq!(may_do(&mail(Account::Held, FullAccess)), "rdbo");
        assert_eq!(may_do(&mail(Account::Held, LimitedAccess)), "adb");
        assert_eq!(may_do(&OwnMail { is_asked_for: true, ..mail(Account::Held, LimitedAccess) }), "db");
        assert_eq!(may_do(&OwnMail { sender: String::new(), ..mail(Account::Held, FullAccess) }), "rd");
        for account in Account::ALL.into_iter().filter(|account| *account != Account::Held) {
            assert_eq!(may_do(&mail(account, FullAccess)), "o", "{account:?}");
            assert_eq!(may_do(&mail(account, LimitedAccess)), "", "{account:?}");
            assert_eq!(may_do(&mail(account, AdminOnlyAccess)), "", "{account:?}");
        }
        assert!(matches!(permit(false), Err(ServiceError::Forbidden(_))) && permit(true).is_ok());
    }

    #[test]
    fn what_a_recipient_sees_has_a_state() {
        let states = SEEN.map(|account| mail(account, QuarantinePolicy::FullAccess).state());
        let (releasing, failed) = (State::Releasing, State::Failed);
        assert_eq!(states, [State::Held, State::Denied, releasing, releasing, State::Released, failed]);
        let asked = OwnMail { is_asked_for: true, ..mail(Account::Held, QuarantinePolicy::LimitedAccess) };
        assert_eq!(asked.state(), State::Requested);
    }

    #[test]
    fn of_a_long_reason_the_beginning_is_kept() {
        assert_eq!(kept(&"ä".repeat(REASON_MAX + 1)).chars().count(), REASON_MAX);
    }
}
