//! The release reconciler: claims what is due, commits each attempt before its dot, records what came of it.
//!
//! One recipient a transaction, so that every unit has an answer of its own. A worker that dies leaves either
//! no attempt (nothing was sent) or an attempt without outcome: in doubt, listed, and decided by the table in
//! `domain::release`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::envelope::{Envelope, Recipient};
use domain::release::{CLAIM_ROWS_MAX, InDoubtAnswer, LEASE, ReleaseEvent, backoff, in_doubt_answer};
use domain::token::TokenKey;
use domain::{Digest, Direction, Timestamp};
use store::blob::Blobs;
use store::release::{Claim, Parcel};
use store::{ReleaseStore, StoreError, failpoint};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use wire::smtp::client::{ClientError, DotOutcome};
use wire::smtp::reply::Reply;

use crate::pacing::Pacing;
use platform::clock::Clock;
use platform::config::{InDoubtPolicy, ReleaseConfig};
use platform::hop::{Hop, HopError, Hops, Loan};
use platform::items::Items;
use platform::measure;
use platform::outgoing::{self, Outgoing};
use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;
use platform::traces::Traces;
use platform::traces::way::{Value, Way};

/// How often the loop looks without a signal.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a release token holds.
const TOKEN_SPAN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Releases in doubt that one round decides.
const DOUBTS_MAX: i64 = 500;

/// Mails that are read before there is a connection for them.
const READ_AHEAD: usize = 2;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Releaser {
    /// Our name.
    pub hostname: String,
    /// Our authserv-id.
    pub authserv_id: String,
    /// How held mail is released.
    pub release: ReleaseConfig,
    /// The bytes of held mail.
    pub blobs: Blobs,
    /// Releases.
    pub releases: ReleaseStore,
    /// Next hops for releases, apart from those of live mail.
    pub hops: Hops,
    /// How quickly each of them is sent to.
    pub pacing: Arc<Pacing>,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// The key of release tokens.
    pub token_key: TokenKey,
    /// Wakes the loop.
    pub signals: Signals,
    /// Live mail comes first.
    pub priority: Priority,
    /// The name that claims carry: the node and this start of it.
    pub owner: String,
    /// Releases in doubt that cannot be decided.
    pub items: Items,
    /// Where the ways of releases are left to be told.
    pub traces: Traces,
}

/// How the way to the dot ended.
enum ReleaseStep {
    Concluded(ReleaseEvent, String),
    /// The claim is another's now, or will be: we stop. Nothing more is written; the next start ends its leases.
    Lost,
}

/// What releases that are under way share.
struct Places {
    connections: Semaphore,
    /// Mails in memory: those that have a connection, and the next ones.
    memory: Semaphore,
    stop: watch::Receiver<bool>,
}

impl Places {
    fn new(connections: usize, stop: watch::Receiver<bool>) -> Self {
        Self { connections: Semaphore::new(connections), memory: Semaphore::new(connections + READ_AHEAD), stop }
    }

    fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }
}

impl Reconciler for Releaser {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "releases", "a round of releases failed").or_when(&self.signals.release)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: ends leases that are over, decides doubts, and sends what is due.
    async fn round(&self, _: &mut (), stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        self.releases.end_leases(None, now).await?;
        self.decide_doubts(now).await?;
        self.send_due(stop.clone()).await?;
        Ok(false)
    }
}

impl Releaser {
    async fn decide_doubts(&self, now: Timestamp) -> Result<(), StoreError> {
        let ask = self.release.in_doubt == InDoubtPolicy::Ask;
        for doubt in self.releases.releases_in_doubt(DOUBTS_MAX).await? {
            let (event, reason) = match in_doubt_answer(now.since(doubt.since), doubt.repeats, ask) {
                InDoubtAnswer::Wait => continue,
                InDoubtAnswer::Repeat => (ReleaseEvent::Repeat, "no answer for ten minutes: sent once more"),
                InDoubtAnswer::SettlePossiblyTwice => {
                    (ReleaseEvent::Settled, "sent twice without an answer: possibly delivered twice")
                }
            };
            let deciding = self.releases.decide_doubt(&doubt.release, event, reason, now);
            self.items.alone(&format!("release {} in doubt", doubt.release), now, deciding).await?;
        }
        Ok(())
    }

    /// Sends what is due. More is claimed as soon as half of a claim is done, so that no connection waits for the
    /// slowest.
    async fn send_due(&self, stop: watch::Receiver<bool>) -> Result<(), StoreError> {
        let places = Arc::new(Places::new(self.release.connections, stop));
        let mut sending = JoinSet::new();
        let mut more = Ok(true);
        loop {
            if matches!(more, Ok(true)) && !places.is_stopping() && sending.len() <= CLAIM_ROWS_MAX as usize / 2 {
                let claimed = self.releases.claim_releases(&self.owner, self.clock.now(), LEASE).await;
                more = claimed.map(|claims| {
                    if !claims.is_empty() {
                        failpoint::step("release-claimed");
                    }
                    let any = !claims.is_empty();
                    for claim in claims {
                        sending.spawn(self.clone().send(claim, places.clone()));
                    }
                    any
                });
            }
            // After an error too, what is being sent is finished first.
            if sending.join_next().await.is_none() {
                return more.map(drop);
            }
        }
    }

    async fn send(self, claim: Claim, places: Arc<Places>) {
        let mut way = self.traces.begin_unit("release", claim.unit, self.clock.now());
        let (event, reply) = match self.attempt(&claim, &places, &mut way).await {
            ReleaseStep::Concluded(event, reply) => (event, reply),
            ReleaseStep::Lost => return,
        };
        let now = self.clock.now();
        let not_before = if event == ReleaseEvent::PutOff { now.after(backoff(tries(&claim))) } else { now };
        let record = way.enter("record");
        let concluded = self.releases.conclude_release(&claim, event, &reply, now, not_before).await;
        way.leave(record);
        tell(way, &claim, event, concluded.is_ok());
        match concluded {
            Ok(()) => {
                failpoint::step("release-concluded");
                measure::release(event);
                let (release, unit) = (&claim.release, claim.unit);
                tracing::info!(%release, %unit, ?event, reply, "release");
            }
            Err(error) => {
                tracing::error!(release = %claim.release, %error, "a release's outcome could not be recorded")
            }
        }
    }

    /// The way to the dot. A connection is taken neither to read the mail nor to record its outcome.
    async fn attempt(&self, claim: &Claim, places: &Places, way: &mut Way) -> ReleaseStep {
        let wait = way.enter("wait");
        let _memory = places.memory.acquire().await;
        if places.is_stopping() {
            return ReleaseStep::Lost;
        }
        way.leave(wait);
        let read = way.enter("read");
        let (parcel, recipient, emitted) = match self.prepare(claim).await {
            Ok(prepared) => prepared,
            Err(step) => return step,
        };
        way.leave(read);
        let wait = way.enter("wait");
        let hop = self.hops.of(recipient.direction);
        self.pacing.wait_for_turn(hop.name()).await;
        self.priority.give().await;
        let _connection = places.connections.acquire().await;
        if places.is_stopping() {
            return ReleaseStep::Lost;
        }
        way.leave(wait);
        let step = self.hand_over(claim, &hop, &parcel.envelope, &recipient, &emitted, way).await;
        if let ReleaseStep::Concluded(ReleaseEvent::PutOff | ReleaseEvent::AnswerLost, _) = step {
            self.pacing.hop_complained(hop.name());
        }
        step
    }

    /// The mail is handed to the next hop.
    async fn hand_over(
        &self,
        claim: &Claim,
        hop: &Arc<Hop>,
        envelope: &Envelope,
        recipient: &Recipient,
        emitted: &[u8],
        way: &mut Way,
    ) -> ReleaseStep {
        let whole = way.enter("hop");
        let open = way.enter("hop.open");
        let opened = self.open(hop, envelope, recipient).await;
        way.leave(open);
        let step = match opened {
            Ok(loan) => self.deliver(claim, loan, emitted, way).await,
            Err(step) => step,
        };
        way.leave(whole);
        step
    }

    /// What is sent, to whom.
    async fn prepare(&self, claim: &Claim) -> Result<(Parcel, Recipient, Vec<u8>), ReleaseStep> {
        let fail = |why: String| ReleaseStep::Concluded(ReleaseEvent::Refused, why);
        let put_off = |why: String| ReleaseStep::Concluded(ReleaseEvent::PutOff, why);
        let parcel = self.releases.parcel(claim).await.map_err(|error| match error {
            StoreError::NotFound(_) | StoreError::Unreadable(_) => fail(error.to_string()),
            _ => put_off(error.to_string()),
        })?;
        let recipient = parcel.envelope.recipients.first().cloned().ok_or_else(|| fail("the unit is gone".into()))?;
        let bytes = match self.blobs.get(parcel.blob).await {
            Ok(bytes) => bytes,
            Err(error) if self.may_be_read_later(&error, parcel.blob).await => return Err(put_off(error.to_string())),
            Err(error) => return Err(fail(error.to_string())),
        };
        let emitted = self.emit(claim, &parcel, &recipient, &bytes).map_err(fail)?;
        Ok((parcel, recipient, emitted))
    }

    /// Whether a failure to read the bytes may pass: they are there, and the system had no descriptor or the disk no
    /// answer. What is gone, or is not what its name says, stays so.
    async fn may_be_read_later(&self, error: &StoreError, blob: Digest) -> bool {
        let is_gone = async || matches!(tokio::fs::try_exists(self.blobs.path(blob)).await, Ok(false));
        !matches!(error, StoreError::Corrupt { .. }) && !is_gone().await
    }

    fn emit(&self, claim: &Claim, parcel: &Parcel, recipient: &Recipient, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let now = self.clock.now();
        let outgoing = Outgoing::new(bytes, &self.authserv_id, None);
        let mail = claim.unit.mail;
        let mut fields = outgoing::received(&self.hostname, mail, &parcel.envelope, parcel.received);
        fields.push_str(&format!("X-Reprieve-Id: {mail}\r\n"));
        fields.push_str(&format!("X-Reprieve-Late: {}\r\n", now.since(parcel.received).as_secs()));
        if recipient.direction != Direction::Outbound {
            // Strangers get no token: only hops that may bring the mail back to us need one.
            let expires = now.after(TOKEN_SPAN);
            fields.push_str(&outgoing.token(&self.token_key, &claim.release, &recipient.address, expires));
        }
        outgoing.emit(&fields).map_err(|stray| stray.to_string())
    }

    /// A connection on which the hop has accepted sender and recipient and said 354.
    async fn open(&self, hop: &Arc<Hop>, envelope: &Envelope, recipient: &Recipient) -> Result<Loan, ReleaseStep> {
        let mut loan = hop.connection().await.map_err(|error| unreachable_hop(&error))?;
        match self.begin(&mut loan, envelope, recipient).await {
            Err(Trouble::Hop(_)) if loan.reused => {
                loan = loan.reconnect().await.map_err(|error| unreachable_hop(&error))?;
                match self.begin(&mut loan, envelope, recipient).await {
                    Ok(()) => Ok(loan),
                    Err(trouble) => Err(trouble.end(loan).await),
                }
            }
            Ok(()) => Ok(loan),
            Err(trouble) => Err(trouble.end(loan).await),
        }
    }

    async fn begin(&self, loan: &mut Loan, envelope: &Envelope, recipient: &Recipient) -> Result<(), Trouble> {
        if let Some(missing) = missing(envelope, loan) {
            return Err(Trouble::Said(Reply::new(550, missing)));
        }
        let to = [(&recipient.address, &recipient.params)];
        let connection = &mut loan.connection;
        let (_, replies) =
            connection.begin(envelope.sender.as_ref(), &envelope.params, None, &to).await.map_err(Trouble::Hop)?;
        if let Some(refusal) = replies.into_iter().find(|reply| !reply.is_positive()) {
            return Err(Trouble::Said(refusal));
        }
        let ready = connection.data().await.map_err(Trouble::Hop)?;
        if ready.code == 354 { Ok(()) } else { Err(Trouble::Said(ready)) }
    }

    async fn deliver(&self, claim: &Claim, mut loan: Loan, emitted: &[u8], way: &mut Way) -> ReleaseStep {
        let attempt = way.enter("attempt");
        let started = self.releases.start_attempt(claim, self.clock.now()).await;
        way.leave(attempt);
        match started {
            Ok(()) => {}
            Err(StoreError::Refused(why)) => {
                tracing::warn!(release = %claim.release, why, "a claim was lost before its dot");
                return ReleaseStep::Lost;
            }
            // Not recorded, so not sent; the connection is dropped inside its data, which no hop takes for a mail.
            Err(error) => return ReleaseStep::Concluded(ReleaseEvent::PutOff, error.to_string()),
        }
        failpoint::step("release-attempt-committed");
        let began = Instant::now();
        let _answer = way.enter("hop.answer");
        let outcome = loan.connection.send(emitted).await;
        self.pacing.hop_answered(loan.hop().name(), began.elapsed());
        failpoint::step("release-dot-answered");
        match outcome {
            DotOutcome::Replied(reply) => {
                let event = event_of(&reply);
                if reply.code != 421 {
                    loan.give_back();
                }
                ReleaseStep::Concluded(event, reply.to_line())
            }
            DotOutcome::NotSent(error) => ReleaseStep::Concluded(ReleaseEvent::PutOff, error.to_string()),
            DotOutcome::Unanswered(error) => ReleaseStep::Concluded(ReleaseEvent::AnswerLost, error.to_string()),
        }
    }
}

/// What came between claim and dot.
enum Trouble {
    Said(Reply),
    Hop(ClientError),
}

impl Trouble {
    async fn end(self, mut loan: Loan) -> ReleaseStep {
        match self {
            Self::Said(reply) => {
                if reply.code != 421 && loan.connection.reset().await.is_ok() {
                    loan.give_back();
                }
                ReleaseStep::Concluded(event_of(&reply), reply.to_line())
            }
            Self::Hop(error) => ReleaseStep::Concluded(ReleaseEvent::PutOff, error.to_string()),
        }
    }
}

/// How an attempt ended is told, into the trace of its mail.
fn tell(mut way: Way, claim: &Claim, event: ReleaseEvent, is_recorded: bool) {
    way.fact("event.action", || Value::Text(format!("mail.{}", moved_by(event))));
    way.fact("reprieve.unit", || Value::count(claim.unit.number.into()));
    way.is_certainly_told();
    way.finish(event != ReleaseEvent::Accepted || !is_recorded);
}

/// What the stream of events calls it.
fn moved_by(event: ReleaseEvent) -> &'static str {
    match event {
        ReleaseEvent::Accepted => "release_accepted",
        ReleaseEvent::Refused => "release_refused",
        ReleaseEvent::AnswerLost => "release_unanswered",
        _ => "release_put_off",
    }
}

/// How often it was tried, this time included: each claim is a try, also one that did not come as far as an attempt.
fn tries(claim: &Claim) -> u32 {
    u32::try_from(claim.fence).unwrap_or(u32::MAX).max(claim.attempt + 1)
}

fn unreachable_hop(error: &HopError) -> ReleaseStep {
    ReleaseStep::Concluded(ReleaseEvent::PutOff, error.to_string())
}

fn event_of(reply: &Reply) -> ReleaseEvent {
    match reply.code / 100 {
        2 => ReleaseEvent::Accepted,
        5 => ReleaseEvent::Refused,
        _ => ReleaseEvent::PutOff,
    }
}

/// A hop that has lost what the mail needs: the release fails with that reason, the mail stays exportable.
fn missing(envelope: &Envelope, loan: &Loan) -> Option<String> {
    let offered = loan.connection.capabilities();
    let eight_bit = envelope.params.body == Some(domain::envelope::Body::EightBitMime);
    if envelope.params.smtputf8 && !offered.smtputf8 {
        return Some("5.6.7 the next hop does not offer SMTPUTF8, which this mail needs".into());
    }
    (eight_bit && !offered.eight_bit)
        .then(|| "5.6.3 the next hop does not offer 8BITMIME, which this mail needs".into())
}
