//! The event reconciler: every sink is told what was recorded, in the order of commits, at least once.
//!
//! A page is read behind what the sink has taken, told, and only then remembered as taken: whoever dies between the
//! two tells it again. Each sink is told by itself, from its own place; one that is slow, away or gone keeps neither
//! another waiting nor any mail, since all of this is read from what is recorded already.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::event::Source;
use platform::clock::Clock;
use platform::config::events::EventSinkConfig;
use platform::items::Items;
use platform::measure;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::sink::{Sink, Told, Untold};
use store::audit::Act;
use store::events::EventSink;
use store::{AuditStore, EventStore, StoreError};
use tokio::sync::watch;

use crate::deliveries::Deliveries;

/// How long a sink rests at most that does not take what it is told: it hears of what happened within a minute of its
/// coming back.
pub(crate) const REST_MAX: Duration = Duration::from_secs(60);
/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Who it is in the audit log.
const ACTOR: &str = "events";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct EventTeller {
    /// Who is told what, by its configuration.
    pub sinks: Arc<Vec<(EventSinkConfig, Sink)>>,
    /// Who tells it.
    pub source: Source,
    /// What sinks are told beyond a log is on record.
    pub audit: AuditStore,
    /// Events, and how far they were told to whom.
    pub events: EventStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Sinks that do not take what they are told.
    pub items: Items,
}

impl Reconciler for EventTeller {
    type Memory = Deliveries;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "events", "a round of events failed")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: every sink that is not being told something, and does not rest, is told what it does not have.
    async fn round(&self, deliveries: &mut Deliveries, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let ended = deliveries.ended();
        let mut known: BTreeMap<String, EventSink> =
            self.events.sinks().await?.into_iter().map(|sink| (sink.name.clone(), sink)).collect();
        for (number, (config, _)) in self.sinks.iter().enumerate() {
            let sink = self.in_force(config, known.remove(&config.name)).await?;
            let lag = self.events.lag(sink.position).await?;
            let behind = lag.since.map_or(Duration::ZERO, |since| self.clock.now().since(since));
            measure::event_lag(&config.name, lag.entries, behind);
            let has_something = lag.entries > 0 || lag.is_beyond_end;
            if has_something && self.items.is_due(&config.name, self.clock.now()) {
                deliveries.begin(&config.name, self.clone().tell(number, sink));
            }
        }
        ended?;
        Ok(false)
    }
}

impl EventTeller {
    /// A sink as it is remembered, begun where that has not been, and with what it is told, and where, on record.
    async fn in_force(&self, config: &EventSinkConfig, known: Option<EventSink>) -> Result<EventSink, StoreError> {
        let (words, destination) = (config.content.words().join(", "), config.to.marked());
        let (was, was_at) = known.as_ref().map_or(("", ""), |sink| (&sink.content, &sink.destination));
        if let Some(known) = known.as_ref().filter(|_| was == words && was_at == destination) {
            return Ok(known.clone());
        }
        if was != words || !words.is_empty() {
            self.record_content(config, &words).await?;
        }
        let (taken, was_lost) = (Some(self.clock.now()), known.as_ref().is_some_and(EventSink::is_lost));
        let Some(EventSink { position, .. }) = known.filter(|known| !known.is_lost()) else {
            let position = if config.from_oldest || was_lost { 0 } else { self.events.end().await? };
            let sink = EventSink { name: config.name.clone(), position, content: words, destination, taken };
            self.events.add_sink(sink.clone()).await?;
            return Ok(sink);
        };
        let sink = EventSink { name: config.name.clone(), position, content: words, destination, taken };
        self.events.keep_sink(sink.clone()).await?;
        Ok(sink)
    }

    /// What a sink is told beyond what a log may say, and where it is, are on record before it is told.
    async fn record_content(&self, config: &EventSinkConfig, words: &str) -> Result<(), StoreError> {
        let to = config.to.marked();
        let reason = match words {
            "" => format!("{to} is told no more than a log may say"),
            words => format!("{to} is told {words}"),
        };
        let detail = format!("{} at {to}", config.to.kind());
        tracing::warn!(sink = config.name, words, to, "what a sink of events is told, or where it is, has changed");
        self.audit
            .record_act(Act {
                at: self.clock.now(),
                actor: ACTOR.into(),
                action: "events.content".into(),
                object: config.name.clone(),
                reason,
                detail,
            })
            .await
    }

    /// Tells a sink all that it does not have, page by page, until it does not take one.
    async fn tell(self, number: usize, sink: EventSink) -> Result<(), StoreError> {
        let Some((config, to)) = self.sinks.get(number) else { return Ok(()) };
        let mut position = sink.position;
        loop {
            let told = self.items.attempt(&config.name, self.clock.now(), self.tell_page(config, to, position)).await;
            match told? {
                Some(next) if next != position => position = next,
                _ => return Ok(()),
            }
        }
    }

    /// Tells a page; the entry to go on with. The inner error says why it has to be told again.
    async fn tell_page(
        &self,
        config: &EventSinkConfig,
        to: &Sink,
        from: u64,
    ) -> Result<Result<u64, String>, StoreError> {
        let page = self.events.page(from).await?;
        let wanted = page.events.iter().filter(|event| event.is_wanted(&config.kinds));
        let told: Vec<Told> = wanted.map(|event| Told::of(event, &self.source, config.content)).collect();
        if !told.is_empty()
            && let Err(Untold { taken, why }) = to.tell(&told).await
        {
            measure::event_failure(&config.name);
            self.keep_what_was_taken(config, from, &told, taken).await?;
            return Ok(Err(why));
        }
        if page.next != from {
            self.events.record_taken(&config.name, from, page.next, self.clock.now()).await?;
        }
        measure::events_told(&config.name, told.len());
        Ok(Ok(page.next))
    }

    /// Of a page that was not taken as a whole: the entries of which everything was.
    async fn keep_what_was_taken(
        &self,
        config: &EventSinkConfig,
        from: u64,
        told: &[Told],
        taken: usize,
    ) -> Result<(), StoreError> {
        measure::events_told(&config.name, taken);
        match told.get(taken).map(|first| first.sequence).filter(|next| *next > from) {
            Some(next) => self.events.record_taken(&config.name, from, next, self.clock.now()).await,
            None => Ok(()),
        }
    }
}
