//! The notice of held mail: every recipient for whom something is held that they may see is told so, all of it in one
//! mail, once in each period. What leads to it is a link that does nothing by itself. A notice is claimed before it is
//! sent ([`store::notices::claim`]).

use std::sync::Arc;
use std::time::Duration;

use domain::envelope::Border;
use domain::ledger::Account;
use domain::policy::{Policy, QuarantinePolicy};
use domain::token::TokenKey;
use domain::{Address, Direction, MailId, Timestamp};
use platform::config::portal::PortalConfig;
use store::notices::claim::ONCE;
use store::quarantine::recipient::Noticed;
use store::quarantine::{Filter, HeldMessage};
use store::{NoticeStore, QuarantineStore, RecipientStore, Scope, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::hop::Hops;
use platform::items::{ELSEWHERE, Items};
use platform::recipient::language::{Language, Languages};
use platform::recipient::link::{self, Kind};
use platform::recipient::may;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::system_mail::{self, Letter};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(30);
/// What came before that is told nobody any more.
const SPAN: Duration = Duration::from_secs(30 * 86_400);
/// People that one look takes.
const BATCH: i64 = 50;
/// Messages that one notice looks at, and names.
const LOOKED_AT_MAX: u32 = 500;
/// See [`LOOKED_AT_MAX`].
const NAMED_MAX: usize = 30;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct RecipientNotifier {
    /// Our name.
    pub hostname: String,
    /// Our domains and networks.
    pub border: Border,
    /// The policy.
    pub policy: Policy,
    /// The portal that a notice leads to, and how often there is one.
    pub portal: PortalConfig,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// What is held.
    pub quarantine: QuarantineStore,
    /// What recipients ask for and are told.
    pub recipients: RecipientStore,
    /// Ways to our own people.
    pub hops: Arc<Hops>,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Seals links.
    pub key: TokenKey,
    /// The words.
    pub languages: Arc<Languages>,
    /// Who could not be told.
    pub items: Items,
}

impl Reconciler for RecipientNotifier {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "notices to recipients", "recipients could not be told what is held for them")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: some of those who are to be told in this period. Returns whether there may be more.
    async fn round(&self, _: &mut (), stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let Some(period) = self.portal.notices.period(now) else { return Ok(false) };
        // Those who cannot be told rest, and do not keep those behind them from being asked for.
        let people = self
            .recipients
            .recipients_not_yet_told(period, now.before(SPAN), BATCH.saturating_add(self.items.count()))
            .await?;
        let (mut asked, mut told) = (0, 0);
        for address in &people {
            if *stop.borrow() {
                return Ok(false);
            }
            let item = format!("notice to {address}");
            if asked == BATCH || !self.items.is_due(&item, now) {
                continue;
            }
            asked += 1;
            let done = self.items.attempt(&item, now, self.tell(address, period, now)).await?;
            told += i64::from(done.is_some());
        }
        Ok(told == BATCH)
    }
}

impl RecipientNotifier {
    /// Tells one person; the inner error says why that has to be tried again.
    async fn tell(&self, address: &str, period: i64, now: Timestamp) -> Result<Result<(), String>, StoreError> {
        let key = format!("held {period} {address}");
        let Some(claim) = self.notices.claim_notice(&key, now, ONCE).await? else {
            return Ok(Err(ELSEWHERE.to_owned()));
        };
        let before = self.recipients.told_up_to(address).await?;
        let filter = Filter { accounts: vec![Account::Held], limit: LOOKED_AT_MAX, ..Filter::default() };
        let mut held = self.quarantine.held(&filter, &Scope::Recipient(address.to_owned())).await?;
        let all: Vec<MailId> = held.iter().map(|message| message.mail_id).collect();
        let left = self.recipients.left_untold_for_an_incident(address, &all).await?;
        let is_news = |mail: MailId| before.is_none_or(|until| mail > until) || left.contains(&mail);
        held.retain(|message| is_news(message.mail_id));
        // What was left untold may be older than what they were told of.
        let Some(newest) = held.first().map(|message| message.mail_id).max(before) else {
            return self.notices.give_up_claim(claim, now).await.map(Ok);
        };
        let mails: Vec<MailId> = held.iter().map(|message| message.mail_id).collect();
        let coming_back = self.recipients.in_open_incident(&mails).await?;
        held.retain(|message| self.is_theirs_to_see(message) && !coming_back.contains(&message.mail_id));
        let reader = Address::parse(address).ok().filter(|one| self.border.accepts(&one.domain()));
        let said = match reader {
            Some(to) if !held.is_empty() => system_mail::deliver(&self.hops, &to, &self.compose(&to, &held, now)).await,
            _ => Ok("nothing to tell".to_owned()),
        };
        match said {
            Ok(reply) => {
                let address = address.to_owned();
                let told = Noticed { claim, address, period, until: newest, at: now, reply };
                self.recipients.record_recipient_told(told).await.map(Ok)
            }
            Err(why) => self.notices.give_up_claim(claim, now).await.map(|()| Err(why)),
        }
    }

    fn is_theirs_to_see(&self, message: &HeldMessage) -> bool {
        message.units.iter().any(|unit| {
            unit.direction != Direction::Outbound
                && may(&self.policy, &message.category, unit) != QuarantinePolicy::AdminOnlyAccess
        })
    }

    fn compose(&self, to: &Address, held: &[HeldMessage], now: Timestamp) -> Vec<u8> {
        let words = self.languages.first();
        let pass = link::make(&self.key, Kind::Link, to, now.after(link::LINK), self.clock.as_ref());
        let letter = Letter {
            host: &self.hostname,
            to,
            subject: words.say_of("notice.subject", held.len()),
            at: now,
            name: format!("{}.held", held[0].mail_id),
            text: text(words, held, &self.portal.url, &pass),
        };
        letter.compose()
    }
}

/// What a notice says.
fn text(words: &Language, held: &[HeldMessage], url: &str, pass: &str) -> String {
    let mut lines = vec![words.say("notice.intro").to_owned(), String::new()];
    for one in held.iter().take(NAMED_MAX) {
        let subject = if one.subject.is_empty() { words.say("subject.none") } else { one.subject.as_str() };
        lines.push(format!("  \"{subject}\""));
        lines.push(format!("      {}: {}", words.say("sender"), one.sender));
        lines.push(format!("      {}: {}", words.say("received"), one.received));
        lines.push(format!("      {}: {}", words.say("reason"), words.reason(&one.category)));
    }
    if held.len() > NAMED_MAX {
        lines.push(format!("  {}", words.say_of("notice.more", held.len() - NAMED_MAX)));
    }
    let rest = [
        "",
        words.say("notice.look"),
        "",
        &format!("{url}/#{pass}"),
        "",
        words.say("notice.code"),
        "",
        pass,
        "",
        words.say("notice.end"),
        "",
    ];
    lines.extend(rest.map(str::to_owned));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MailId;
    use std::path::Path;

    #[test]
    fn a_notice_reads_like_one_in_each_language() {
        let at = Timestamp::from_micros(1_795_000_000_000_000);
        let held = |n: u8, subject: &str, category: &str| HeldMessage {
            mail_id: MailId::new(at, [n; 10]),
            received: at,
            sender: "shop@elsewhere.example".into(),
            subject: subject.into(),
            message_id: None,
            category: category.into(),
            size: 2000,
            sha256: String::new(),
            units: Vec::new(),
        };
        for tag in ["en", "de"] {
            let languages = Languages::with(tag, Path::new(".")).expect("it is shipped");
            let some = [held(1, "Angebot f\u{fc}r M\u{e4}rz", "Spam"), held(2, "", "Phish")];
            let said = text(languages.first(), &some, "https://held.ours.example", "1.ab.cd.ef");
            insta::assert_snapshot!(format!("a_notice_{tag}"), said);
        }
        let many: Vec<HeldMessage> = (0..35).map(|n| held(n, "s", "Bulk")).collect();
        let languages = Languages::with("en", Path::new(".")).expect("it is shipped");
        assert!(text(languages.first(), &many, "u", "p").contains("and 5 more"));
    }
}
