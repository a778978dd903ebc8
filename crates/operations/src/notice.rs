//! The notice reconciler: people whose outbound mail is held are told so, since nobody else can tell them: not the
//! recipient, who knows nothing of it, and not their mail program, which has seen a 250.
//!
//! One notice for all that is held of a sender, and no more than one in a quarter of an hour: whoever sends a thousand
//! mails through a stolen login gets a few. A notice is claimed before it is sent ([`store::notices::claim`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::envelope::Border;
use domain::{Address, Timestamp, address};
use store::notices::notice::Untold;
use store::{NoticeStore, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::hop::Hops;
use platform::items::{ELSEWHERE, Items};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::system_mail::{self, Letter};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Mail that came before that is old news.
const SPAN: Duration = Duration::from_secs(24 * 3600);
/// Units that one look takes.
const BATCH: i64 = 1000;
/// Time between two notices to one sender.
const QUIET: Duration = Duration::from_secs(15 * 60);
/// Messages that one notice names.
const NAMED_MAX: usize = 20;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct SenderNotifier {
    /// Our name.
    pub hostname: String,
    /// Our domains and networks.
    pub border: Border,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// Ways to our own people.
    pub hops: Hops,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// What of its work fails.
    pub items: Items,
}

impl Reconciler for SenderNotifier {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "notices to senders", "senders of held mail could not be told")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: every sender with held mail that they do not know of, once.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let mut by_sender: BTreeMap<String, Vec<Untold>> = BTreeMap::new();
        for untold in self.notices.senders_not_yet_told(now.before(SPAN), BATCH).await? {
            by_sender.entry(address::normal(&untold.sender)).or_default().push(untold);
        }
        for (sender, held) in by_sender {
            let item = format!("notice to {sender}");
            self.items.attempt(&item, now, self.tell(&sender, &held, now)).await?;
        }
        Ok(false)
    }
}

impl SenderNotifier {
    /// Tells one sender; the inner error says why that has to be tried again.
    async fn tell(&self, sender: &str, held: &[Untold], now: Timestamp) -> Result<Result<(), String>, StoreError> {
        let mails = held.iter().map(|one| one.mail_id).collect();
        let address = self.reader(sender, held);
        let is_quiet = self.notices.sender_last_told_at(sender).await?.is_some_and(|last| now.since(last) < QUIET);
        if address.is_some() && is_quiet {
            return Ok(Ok(()));
        }
        let quiet = if address.is_some() { QUIET } else { Duration::ZERO };
        let Some(claim) = self.notices.claim_notice(&format!("sender {sender}"), now, quiet).await? else {
            return Ok(Err(ELSEWHERE.to_owned()));
        };
        let said = match &address {
            Some(address) => self.send(address, held, now).await,
            None => Ok("nobody to tell".to_owned()),
        };
        match said {
            Ok(reply) => {
                tracing::info!(messages = held.len(), reply, "a sender was told that mail is held");
                self.notices.record_sender_told(claim, mails, sender, now, &reply).await.map(Ok)
            }
            Err(why) => self.notices.give_up_claim(claim, now).await.map(|()| Err(why)),
        }
    }

    /// Who reads a notice: a person of ours, and no program (RFC 3834 section 2).
    fn reader(&self, sender: &str, held: &[Untold]) -> Option<Address> {
        let address = Address::parse(sender).ok()?;
        let is_program =
            |one: &Untold| one.auto_submitted.as_deref().is_some_and(|how| !how.eq_ignore_ascii_case("no"));
        let is_ours = self.border.accepts(&address.domain());
        (is_ours && !held.iter().all(is_program)).then_some(address)
    }

    /// Sends a notice with the null sender; the hop's answer if it is final, else why it is not.
    async fn send(&self, to: &Address, held: &[Untold], now: Timestamp) -> Result<String, String> {
        let mail = self.compose(to, held, now);
        system_mail::deliver(&self.hops, to, &mail).await
    }

    fn compose(&self, to: &Address, held: &[Untold], now: Timestamp) -> Vec<u8> {
        let letter = Letter {
            host: &self.hostname,
            to,
            subject: match held.len() {
                1 => "Your message is being held".to_owned(),
                count => format!("{count} of your messages are being held"),
            },
            at: now,
            name: format!("{}.notice", held[0].mail_id),
            text: text(held),
        };
        letter.compose()
    }
}

/// What a notice says.
fn text(held: &[Untold]) -> String {
    let mut lines = vec![
        "The mail protection of your organisation is holding what you have sent. It has not been".to_owned(),
        "delivered. It is kept, and your administrator can release it.".to_owned(),
        String::new(),
    ];
    for one in held.iter().take(NAMED_MAX) {
        let subject = if one.subject.is_empty() { "(no subject)" } else { one.subject.as_str() };
        lines.push(format!("  \"{subject}\", sent {}", one.received));
        lines.push(format!("      to {}", one.recipients.join(", ")));
        lines.push(format!("      reference {}", one.mail_id));
    }
    if held.len() > NAMED_MAX {
        lines.push(format!("  and {} more", held.len() - NAMED_MAX));
    }
    lines.push(String::new());
    lines.push("You need not send it again. If it is urgent, give your administrator the reference.".to_owned());
    lines.push("If you did not send it, tell your administrator at once: somebody else uses your login.".to_owned());
    lines.push(String::new());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MailId;

    #[test]
    fn a_notice_reads_like_one() {
        let at = Timestamp::from_micros(1_795_000_000_000_000);
        let held = |n: u8, subject: &str| Untold {
            mail_id: MailId::new(at, [n; 10]),
            sender: "anna@ours.example".into(),
            subject: subject.into(),
            auto_submitted: None,
            received: at,
            recipients: vec!["x@else.example".into(), "y@else.example".into()],
        };
        insta::assert_snapshot!(text(&[held(1, "Angebot f\u{fc}r M\u{e4}rz"), held(2, "")]).replace("\r\n", "\n"));
        let many: Vec<Untold> = (0..25).map(|n| held(n, "s")).collect();
        assert!(text(&many).contains("and 5 more"));
    }
}
