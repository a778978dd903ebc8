//! The rate reconciler: hits are counted by the hour, and a detection that hits far more than it ever did at that hour
//! calls people. It does nothing else: an outbreak looks the same (`domain::sentinel::rate`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::detection::DetectionCode;
use domain::sentinel::rate::{WEEKS, is_unusual};
use store::evidence::hits::{HOUR_US, hour_of};
use store::notices::alert::{AlertKind, NewAlert};
use store::{EvidenceStore, NoticeStore, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::items::Items;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::report::moment;
use platform::signals::Signals;

/// How often it counts.
const PERIOD: Duration = Duration::from_secs(60);
/// Hours that one round counts: after a long rest it catches up piece by piece.
const HOURS_A_ROUND: i64 = 24;
/// How far back it counts when nothing was counted before.
const FIRST_LOOK_HOURS: i64 = 7 * 24 * WEEKS as i64;
/// Hours in a week.
const WEEK_HOURS: i64 = 7 * 24;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct RateWatcher {
    /// The journal of evidence, and hits by the hour.
    pub evidence: EvidenceStore,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes who tells people.
    pub signals: Signals,
    /// What of its work fails.
    pub items: Items,
}

/// What was counted by this run.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The last hour, which was not over then.
    last: Option<Timestamp>,
    /// Hours before it that could not be counted.
    missed: BTreeSet<Timestamp>,
}

impl Reconciler for RateWatcher {
    type Memory = Counted;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "hits", "hits could not be counted")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: counts up to the present hour, and calls people for what is out of the ordinary in it. Returns
    /// whether hours are left. An hour that cannot be counted, or a detection that nobody can be called for, holds up
    /// no other.
    async fn round(&self, counted: &mut Counted, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let present = hour_of(self.clock.now());
        let Some(first) = self.evidence.first_message_came_at().await?.map(hour_of) else { return Ok(false) };
        let known = match counted.last {
            Some(hour) => Some(hour),
            None => self.evidence.last_hour_of_hits().await?,
        };
        // The hour before the last one is counted again: mail is recorded after it has come, and examining it takes its
        // time.
        let known = known.map(|hour| hours(hour, -1));
        let mut hour = known.unwrap_or(first).max(hours(present, -FIRST_LOOK_HOURS)).min(present);
        let last = hours(hour, HOURS_A_ROUND).min(present);
        let missed = std::mem::take(&mut counted.missed);
        let mut due: Vec<Timestamp> = missed.into_iter().filter(|missed| *missed < hour).collect();
        while hour <= last {
            due.push(hour);
            hour = hours(hour, 1);
        }
        let now = self.clock.now();
        for hour in due {
            if self.items.alone(&format!("the hour from {hour}"), now, self.count(hour)).await?.is_none() {
                counted.missed.insert(hour);
            }
        }
        counted.last = Some(last);
        if last < present {
            return Ok(true);
        }
        self.judge(present, first).await?;
        Ok(false)
    }
}

impl RateWatcher {
    async fn count(&self, hour: Timestamp) -> Result<(), StoreError> {
        let hits = self.evidence.count_hits(hour).await?;
        if hits.is_empty() { Ok(()) } else { self.evidence.keep_hits(hits).await }
    }

    /// What hit more in this hour than is chance, after the same hour of the weeks before. The hour need not be over.
    async fn judge(&self, present: Timestamp, first: Timestamp) -> Result<(), StoreError> {
        let weeks = (1..=WEEKS as i64).map(|week| hours(present, -week * WEEK_HOURS));
        let weeks: Vec<Timestamp> = weeks.filter(|hour| *hour >= first).collect();
        let asked: Vec<Timestamp> = weeks.iter().copied().chain([present]).collect();
        let acted = self.evidence.hits_that_could_act(&asked).await?;
        let codes: BTreeSet<DetectionCode> = acted.keys().map(|(code, _)| code.clone()).collect();
        for code in codes {
            let of = |hour: &Timestamp| acted.get(&(code.clone(), *hour)).copied().unwrap_or(0);
            let before: Vec<u64> = weeks.iter().map(of).collect();
            let hits = of(&present);
            if is_unusual(&before, hits) {
                let called = self.call(&code, hits, &before, present);
                self.items.alone(&format!("the call for {code}"), self.clock.now(), called).await?;
            }
        }
        Ok(())
    }

    async fn call(&self, code: &DetectionCode, hits: u64, before: &[u64], hour: Timestamp) -> Result<(), StoreError> {
        let usual = match before {
            [] => "there is no week before to compare with".to_owned(),
            weeks => {
                let weeks: Vec<String> = weeks.iter().map(ToString::to_string).collect();
                format!("at this hour of the weeks before it was {}", weeks.join(", "))
            }
        };
        let alert = NewAlert {
            key: format!("rate/{code}/{}", hour.as_micros()),
            at: self.clock.now(),
            kind: AlertKind::Rate,
            subject: code.to_string(),
            text: format!(
                "{code} has hit {hits} messages since {}; {usual}. An outbreak looks like that, and so does a \
                    detection that is wrong: \
                 look at what it hits. Nothing was done about it.",
                moment(hour)
            ),
        };
        if self.notices.raise_alert(alert).await? {
            tracing::warn!(%code, hits, "a detection hits far more than it ever did at this hour");
            self.signals.operators.notify_one();
        }
        Ok(())
    }
}

fn hours(at: Timestamp, count: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros() + count * HOUR_US)
}
