//! The digest reconciler: when an incident is over, everybody of ours whom it kept mail from is told, in one mail: what
//! reached them late, what of theirs went out late, and what of theirs has not gone because it is old and may do harm
//! today.
//!
//! A digest is claimed before it is sent ([`store::notices::claim`]).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::envelope::Border;
use domain::incident::Stage;
use domain::{Address, Digest, Direction, Timestamp};
use store::incident::Incident;
use store::incident::digest::{Digested, Late};
use store::notices::claim::ONCE;
use store::{IncidentStore, NoticeStore, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::hop::Hops;
use platform::items::{ELSEWHERE, Items};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::report::{moment, span};
use platform::system_mail::{self, Letter};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(5);
/// Incidents that ended before that are old news.
const TOLD: Duration = Duration::from_secs(7 * 24 * 3600);
/// People that one look takes.
const BATCH: i64 = 200;
/// Messages of each kind that one digest names.
const NAMED_MAX: usize = 50;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct SummaryMailer {
    /// Our name.
    pub hostname: String,
    /// Our domains and networks.
    pub border: Border,
    /// Incidents.
    pub incidents: IncidentStore,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// The hop of internal mail.
    pub hops: Hops,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// What of its work fails.
    pub items: Items,
}

impl Reconciler for SummaryMailer {
    type Memory = BTreeSet<(String, Timestamp)>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "digests", "people could not be told what reached them late")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: some of those who do not know yet. Returns whether there may be more. `told` are incidents, with
    /// their ends, of which everybody knows: they are not looked up again.
    async fn round(
        &self,
        told: &mut BTreeSet<(String, Timestamp)>,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let mut more = false;
        for incident in self.incidents.all().await? {
            let Some(end) = incident.resolved.filter(|at| incident.stage == Stage::Resolved && now.since(*at) < TOLD)
            else {
                continue;
            };
            let this = (incident.id.clone(), end);
            if told.contains(&this) {
                continue;
            }
            // Those who cannot be told rest, and do not keep those behind them from being asked for.
            let most = BATCH.saturating_add(self.items.count());
            let asked =
                self.items.alone(&incident.id, now, self.incidents.people_not_yet_told(&incident.id, most)).await?;
            let Some(people) = asked else { continue };
            let mut arrived = 0;
            for (address, late) in &people {
                if *stop.borrow() {
                    return Ok(false);
                }
                let item = format!("digest of {} for {address}", incident.id);
                let told = self.items.attempt(&item, now, self.tell(&incident, address, late)).await?;
                arrived += usize::from(told.is_some());
            }
            let is_page_full = i64::try_from(people.len()).is_ok_and(|count| count == most);
            more |= arrived > 0 && is_page_full;
            if arrived == people.len() && !is_page_full {
                told.insert(this);
            }
        }
        Ok(more)
    }
}

impl SummaryMailer {
    /// Tells one person; the inner error says why that has to be tried again.
    async fn tell(&self, incident: &Incident, address: &str, late: &[Late]) -> Result<Result<(), String>, StoreError> {
        let key = format!("digest {} {address}", incident.id);
        let Some(claim) = self.notices.claim_notice(&key, self.clock.now(), ONCE).await? else {
            return Ok(Err(ELSEWHERE.to_owned()));
        };
        let said = match Address::parse(address).ok().filter(|one| self.border.accepts(&one.domain())) {
            None => Ok("nobody of ours".to_owned()),
            Some(to) => system_mail::deliver(&self.hops, &to, &self.compose(incident, &to, late)).await,
        };
        match said {
            Ok(reply) => {
                let (incident, address) = (incident.id.clone(), address.to_owned());
                let told = Digested { claim, incident, address, at: self.clock.now(), reply };
                self.incidents.record_person_told(told).await.map(Ok)
            }
            Err(why) => self.notices.give_up_claim(claim, self.clock.now()).await.map(|()| Err(why)),
        }
    }

    fn compose(&self, incident: &Incident, to: &Address, late: &[Late]) -> Vec<u8> {
        // The same person's digest of the same incident is the same mail, however often it is sent.
        let person = &Digest::of(to.normal().as_bytes()).hex()[..16];
        let letter = Letter {
            host: &self.hostname,
            to,
            subject: subject(late),
            at: self.clock.now(),
            name: format!("{}.digest.{person}", incident.id),
            text: text(incident, late),
        };
        letter.compose()
    }
}

/// What came late, what went late, and what has not gone.
fn kinds(late: &[Late]) -> [Vec<&Late>; 3] {
    let (gone, waiting): (Vec<&Late>, Vec<&Late>) = late.iter().partition(|one| one.released.is_some());
    let (went, came) = gone.into_iter().partition(|one| one.direction == Direction::Outbound);
    [came, went, waiting]
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".into() } else { format!("{count} messages") }
}

fn subject(late: &[Late]) -> String {
    let [came, went, waiting] = kinds(late);
    if !waiting.is_empty() {
        let have = if waiting.len() == 1 { "has" } else { "have" };
        return format!("{} of yours {have} not been sent: we ask you first", messages(waiting.len()));
    }
    if came.is_empty() {
        return format!("{} of yours went out late because of our error", messages(went.len()));
    }
    format!("{} reached you late because of our error", messages(came.len()))
}

/// What a digest says.
fn text(incident: &Incident, late: &[Late]) -> String {
    let [came, went, waiting] = kinds(late);
    let mut lines = vec![
        format!("A detection of our mail protection was wrong and held messages that were good ({}).", incident.id),
        "It has been corrected. We are sorry.".to_owned(),
    ];
    let mut list = |what: &str, messages: &[&Late], line: fn(&Late) -> String| {
        if messages.is_empty() {
            return;
        }
        lines.extend([String::new(), what.to_owned(), String::new()]);
        for one in messages.iter().take(NAMED_MAX) {
            let about = if one.subject.is_empty() { "(no subject)" } else { one.subject.as_str() };
            lines.push(format!("  \"{about}\""));
            lines.push(format!("      {}", line(one)));
        }
        if messages.len() > NAMED_MAX {
            lines.push(format!("  and {} more", messages.len() - NAMED_MAX));
        }
    };
    list(
        "What you have written to people outside and what has NOT been sent, since it was held for\nover a day and may \
            be out of date. If it should still go, give your administrator the\nreference; otherwise do nothing:",
        &waiting,
        |one| format!("to {}, of {}, reference {}", one.recipient, moment(one.received), one.unit.mail),
    );
    list("What reached you late:", &came, |one| format!("from {}, {}", one.sender, lateness(one)));
    list("What you have written and what went out late:", &went, |one| {
        format!("to {}, {}", one.recipient, lateness(one))
    });
    lines.push(String::new());
    lines.join("\n")
}

fn lateness(one: &Late) -> String {
    let late = one.released.map_or(Duration::ZERO, |released| released.since(one.received));
    format!("of {}, {} late", moment(one.received), span(late))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::detection::{DetectionCode, DetectionVersion, RulesetId};
    use domain::{MailId, UnitId};
    use store::evidence::sentinel::Suspect;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000)
    }

    fn incident() -> Incident {
        let code = DetectionCode::parse("IMG-0007").expect("a code");
        Incident {
            id: "INC-2026-0007".into(),
            stage: Stage::Resolved,
            is_paused: false,
            opened: at(0),
            opened_by: "sentinel".into(),
            moved: at(0),
            in_force: None,
            is_convicted: true,
            contained: None,
            resolved: Some(at(9000)),
            suspect: Suspect { code, version: DetectionVersion::of(&[b"v"]) },
            ruleset: RulesetId::from_text("r"),
            cause: String::new(),
            public_text: String::new(),
            owner: String::new(),
            next_update: None,
            waves: 1,
            root: String::new(),
        }
    }

    fn late(n: u8, direction: Direction, released: Option<i64>) -> Late {
        Late {
            unit: UnitId { mail: MailId::new(at(0), [n; 10]), number: 0 },
            direction,
            sender: "anna@x.example".into(),
            recipient: "bert@ours.example".into(),
            subject: if n == 2 { String::new() } else { format!("Angebot {n} f\u{fc}r M\u{e4}rz") },
            received: at(i64::from(n) * 60),
            released: released.map(at),
        }
    }

    #[test]
    fn a_digest_reads_like_one() {
        use Direction::{Inbound, Internal, Outbound};
        let all = [
            late(1, Inbound, Some(7200)),
            late(2, Internal, Some(7300)),
            late(3, Outbound, Some(7200)),
            late(4, Outbound, None),
        ];
        insta::assert_snapshot!(format!("{}\n\n{}", subject(&all), text(&incident(), &all)));
        assert_eq!(subject(&all[..2]), "2 messages reached you late because of our error");
        assert_eq!(subject(&all[2..3]), "1 message of yours went out late because of our error");
        let many: Vec<Late> = (0..60).map(|n| late(n, Inbound, Some(9000))).collect();
        assert!(text(&incident(), &many).contains("and 10 more"));
    }
}
