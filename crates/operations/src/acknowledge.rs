//! The acknowledgement reconciler: who has reported a message is told that it arrived, and how the incident that it
//! belongs to ended.
//!
//! An answer is claimed before it is sent ([`store::notices::claim`]).

use std::sync::Arc;
use std::time::Duration;

use domain::envelope::Border;
use domain::incident::{Outcome, Stage};
use domain::{Account, Address, Timestamp};
use store::evidence::submission::{Submission, SubmissionKind};
use store::mail::trace::TraceFilter;
use store::notices::claim::{NoticeClaim, ONCE};
use store::{IncidentStore, MailStore, NoticeStore, Scope, StoreError, SubmissionStore};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::hop::Hops;
use platform::items::{ELSEWHERE, Items};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::system_mail::{self, Letter};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(10);
/// Reports that are older are answered no more.
const SPAN: Duration = Duration::from_secs(30 * 24 * 3600);
/// Reports that one look takes.
const BATCH: i64 = 100;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Acknowledger {
    /// Our name.
    pub hostname: String,
    /// Our domains and networks.
    pub border: Border,
    /// Incidents.
    pub incidents: IncidentStore,
    /// Mail and its units.
    pub mail: MailStore,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// What people say of verdicts.
    pub submissions: SubmissionStore,
    /// The hop of internal mail.
    pub hops: Hops,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// What of its work fails.
    pub items: Items,
}

/// What a reporter is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Arrived,
    Ended(Made),
}

/// What the replay of its incident made of the message that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// It passes now: a detection was wrong.
    Cleared,
    /// It is held for a reason that stands.
    Upheld,
    /// Nobody can say.
    Nothing,
}

impl Made {
    fn of(outcomes: &[Outcome]) -> Self {
        if outcomes.iter().any(|one| matches!(one, Outcome::Cleared | Outcome::Asked)) {
            Self::Cleared
        } else if outcomes.contains(&Outcome::Upheld) {
            Self::Upheld
        } else {
            Self::Nothing
        }
    }
}

impl Word {
    /// What names it in a Message-ID and in its claim.
    fn name(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Ended(_) => "ended",
        }
    }
}

impl Reconciler for Acknowledger {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "answers to reports", "who reported a message could not be answered")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: each report that waits for a word goes one step on.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        // Those that cannot be answered rest, and do not keep those behind them from being asked for.
        for report in
            self.submissions.awaiting_answer(now.before(SPAN), BATCH.saturating_add(self.items.count())).await?
        {
            let item = format!("report {}", report.number);
            self.items.attempt(&item, now, self.answer(&report, now)).await?;
        }
        Ok(false)
    }
}

impl Acknowledger {
    /// One report; the inner error says why a word has to be tried again.
    async fn answer(&self, report: &Submission, now: Timestamp) -> Result<Result<(), String>, StoreError> {
        if report.acknowledged.is_none() {
            match self.tell(report, Word::Arrived).await? {
                Ok(claim) => self.submissions.record_acknowledged(claim, report.number, now).await?,
                Err(why) => return Ok(Err(why)),
            }
        }
        match (&report.incident, report.ended) {
            (None, _) => {
                if let Some(incident) = self.submissions.incident_of(report.mail_id).await? {
                    self.submissions.link_to_incident(report.number, incident).await?;
                }
            }
            (Some(incident), None) => {
                let made = Made::of(&self.incidents.replay_outcomes_of_mail(incident, report.mail_id).await?);
                if self.incidents.by_id(incident).await?.stage == Stage::Resolved {
                    match self.tell(report, Word::Ended(made)).await? {
                        Ok(claim) => self.submissions.record_told_of_end(claim, report.number, now).await?,
                        Err(why) => return Ok(Err(why)),
                    }
                }
            }
            (Some(_), Some(_)) => {}
        }
        Ok(Ok(()))
    }

    /// Tells the reporter; the inner error says why that has to be tried again. Who is no address of ours reads it in
    /// the list.
    async fn tell(&self, report: &Submission, word: Word) -> Result<Result<NoticeClaim, String>, StoreError> {
        let key = format!("report {} {}", report.number, word.name());
        let Some(claim) = self.notices.claim_notice(&key, self.clock.now(), ONCE).await? else {
            return Ok(Err(ELSEWHERE.to_owned()));
        };
        let to = Address::parse(&report.reporter).ok().filter(|one| self.border.accepts(&one.domain()));
        let Some(to) = to else { return Ok(Ok(claim)) };
        let filter = TraceFilter { mail_id: Some(report.mail_id), ..TraceFilter::default() };
        let units = self.mail.trace(&filter, &Scope::All).await?;
        let subject = units.first().map(|unit| unit.subject.clone()).unwrap_or_default();
        let is_out = units.iter().any(|unit| matches!(unit.account, Account::Released | Account::Delivered));
        let mail = self.compose(&to, report, word, &subject, is_out);
        match system_mail::deliver(&self.hops, &to, &mail).await {
            Ok(_) => Ok(Ok(claim)),
            Err(why) => self.notices.give_up_claim(claim, self.clock.now()).await.map(|()| Err(why)),
        }
    }

    fn compose(&self, to: &Address, report: &Submission, word: Word, subject: &str, is_out: bool) -> Vec<u8> {
        let title = match word {
            Word::Arrived => "We have your report",
            Word::Ended(_) => "What came of your report",
        };
        let letter = Letter {
            host: &self.hostname,
            to,
            subject: title.into(),
            at: self.clock.now(),
            name: format!("report.{}.{}", report.number, word.name()),
            text: text(report, word, subject, is_out),
        };
        letter.compose()
    }
}

/// What an answer says.
fn text(report: &Submission, word: Word, subject: &str, is_out: bool) -> String {
    let subject = if subject.is_empty() { "(no subject)" } else { subject };
    let what = match report.kind {
        SubmissionKind::FalseNegative => "should not have reached you",
        SubmissionKind::FalsePositive => "was held or marked by mistake",
    };
    let mut lines = vec![format!("You told us that \"{subject}\" {what}."), String::new()];
    match word {
        Word::Arrived => {
            lines.push(
                "Your report has arrived and is kept with the message. Several reports about the same detection".into(),
            );
            lines.push("have it tried on mail that is known to be good, and call an administrator.".into());
        }
        Word::Ended(made) => {
            let incident = report.incident.as_deref().unwrap_or_default();
            let belonged = format!("he message belonged to incident {incident}, which is over.");
            lines.push(match made {
                Made::Cleared => format!("A detection was wrong: t{belonged}"),
                Made::Upheld => format!("T{belonged} It was examined again, and was held rightly."),
                Made::Nothing => format!("T{belonged}"),
            });
            lines.push(match is_out {
                true => "It has been delivered. Thank you.".into(),
                false => "It has not been delivered; your administrator can say why.".to_owned(),
            });
        }
    }
    lines.push(String::new());
    lines.push(format!("Reference: report {}, message {}", report.number, report.mail_id));
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::MailId;

    #[test]
    fn answers_read_like_ones() {
        let at = Timestamp::from_micros(1_795_000_000_000_000);
        let report = Submission {
            number: 7,
            at,
            mail_id: MailId::new(at, [3; 10]),
            kind: SubmissionKind::FalsePositive,
            reporter: "anna@ours.example".into(),
            comment: String::new(),
            about: Vec::new(),
            incident: Some("INC-2026-0001".into()),
            acknowledged: None,
            ended: None,
        };
        let missed = Submission { kind: SubmissionKind::FalseNegative, ..report.clone() };
        let all = [
            text(&report, Word::Arrived, "Angebot f\u{fc}r M\u{e4}rz", false),
            text(&missed, Word::Arrived, "", false),
            text(&report, Word::Ended(Made::of(&[Outcome::Settled, Outcome::Cleared])), "Angebot", true),
            text(&report, Word::Ended(Made::of(&[Outcome::Upheld])), "Angebot", false),
            text(&report, Word::Ended(Made::of(&[Outcome::Settled])), "Angebot", true),
        ];
        insta::assert_snapshot!(all.join("\n----\n"));
    }
}
