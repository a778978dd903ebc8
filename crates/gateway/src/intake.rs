//! The one path of a message: examine, decide, record, pass on or hold, answer.
//!
//! The order is the promise. What is passed on is recorded before the dot is sent, and answered with the
//! next hop's own answer. What is held is answered 250 only after its bytes and its row are on the disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use detect::examine::EnvelopeFacts;
use domain::detection::Category;
use domain::finding::Finding;
use domain::ledger::{Account, Move};
use domain::policy::Disposition;
use domain::verdict::{Reason, Verdict, decide};
use domain::{Digest, Examination, MailId, Timestamp, UnitId, token};
use store::mail::arrival::{Arrival, Recorded, UnitArrival};
use store::mail::moves::UnitMove;
use store::{MailStore, StoreError, failpoint};
use tokio::time::Instant;
use wire::smtp::client::DotOutcome;
use wire::smtp::reply::Reply;

use super::transaction::{Transaction, give_back_reset, hop_reply, too_much_mail};
use super::{Gateway, StoreParts};
use known_good::known_senders;
use known_good::recorder::CleanMail;
use platform::bypassed::Passed;
use platform::config::Mode;
use platform::hop::{HopError, Loan};
use platform::measure;
use platform::outgoing::{self, Outgoing};
use platform::panic_switch::SwitchPosition;
use platform::traces::way::{Value, Way};

/// Received fields at most (RFC 5321 section 6.3).
const RECEIVED_MAX: u32 = 100;
/// What the fields that we prepend and the dots that are doubled may add to a message, roughly.
const OUR_FIELDS_BYTES: u64 = 16 * 1024;
/// Passes through this very host at most.
const OWN_PASSES_MAX: usize = 3;

/// Takes a whole message and returns the reply to the final dot, within the reply deadline.
pub async fn receive(transaction: Transaction, bytes: Vec<u8>, normalised: bool) -> Reply {
    let began = Instant::now();
    let mut way = Way::default();
    let reply = take(transaction, bytes, normalised, &mut way).await;
    measure::answer(reply.code, began.elapsed());
    way.fact("reprieve.reply.code", || Value::count(reply.code.into()));
    way.finish(!reply.is_positive());
    reply
}

async fn take(transaction: Transaction, bytes: Vec<u8>, normalised: bool, way: &mut Way) -> Reply {
    let deadline = Instant::now() + transaction.gateway.config.limits.reply_deadline;
    let mut intake = Intake::new(transaction, bytes, normalised, deadline, way);
    if let Some(reply) = intake.loops() {
        intake.transaction.abandon().await;
        return reply;
    }
    if intake.gateway.panic_switch.stance() == SwitchPosition::Bypass {
        return intake.bypass().await;
    }
    let Some(store) = intake.gateway.store.clone() else {
        intake.transaction.abandon().await;
        return Reply::new(451, "4.3.0 The store is not available, try again later");
    };
    let judged = intake.judge().await;
    intake.carry_out(&store, judged).await
}

/// A message on its way.
struct Intake<'w> {
    gateway: Arc<Gateway>,
    transaction: Transaction,
    bytes: Arc<Vec<u8>>,
    normalised: bool,
    mail_id: MailId,
    received: Timestamp,
    deadline: Instant,
    timings: BTreeMap<String, f64>,
    /// Where its steps are noted down, for traces.
    way: &'w mut Way,
}

/// What was found and decided.
struct Judged {
    examination: Arc<Examination>,
    verdicts: Vec<Verdict>,
    actions: Vec<Action>,
    enforced: Vec<bool>,
    /// The range of our own valid release token, which stays.
    token: Option<std::ops::Range<usize>>,
}

/// What is done with one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Pass,
    Hold,
    Defer,
}

impl<'w> Intake<'w> {
    fn new(transaction: Transaction, bytes: Vec<u8>, normalised: bool, deadline: Instant, way: &'w mut Way) -> Self {
        let gateway = transaction.gateway.clone();
        let (mail_id, received) = (gateway.clock.mail_id(), gateway.clock.now());
        *way = begin(&transaction, mail_id, received);
        Self {
            mail_id,
            received,
            way,
            gateway,
            transaction,
            bytes: Arc::new(bytes),
            normalised,
            deadline,
            timings: BTreeMap::new(),
        }
    }

    fn loops(&self) -> Option<Reply> {
        let hops = domain::header::fields(&self.bytes).filter(|field| field.is("Received")).count();
        let own = outgoing::own_passes(&self.bytes, &self.gateway.config.hostname);
        let looping = hops > RECEIVED_MAX as usize || own >= OWN_PASSES_MAX;
        looping.then(|| Reply::new(554, format!("5.4.6 Routing loop: {hops} Received fields, {own} of them ours")))
    }

    async fn judge(&mut self) -> Judged {
        let envelope = &self.transaction.envelope;
        let began = Instant::now();
        let (step, so_far) = (self.way.enter("examine"), self.way.so_far());
        let facts = EnvelopeFacts::of(envelope, &self.gateway.config.border);
        let mut examination =
            self.gateway.external_engines.examine_live(&self.gateway.examiner, self.bytes.clone(), facts).await;
        measure::examination(&examination);
        self.way.tell_engines(&examination, so_far);
        self.way.leave(step);
        let step = self.way.enter("remember");
        examination.facts.first_contact = self.first_contact(&examination).await;
        examination.facts.entries = self.gateway.entries.matching(&examination, envelope, self.received);
        self.resolve_memory(&mut examination).await;
        self.way.leave(step);
        let examination = Arc::new(examination);
        self.timings.insert("examine_ms".into(), millis(began));
        let token = self.own_token();
        let policy = &self.gateway.config.policy;
        let containment = self.gateway.contained.now();
        let mut judged = Judged { examination, verdicts: Vec::new(), actions: Vec::new(), enforced: Vec::new(), token };
        for unit in &envelope.recipients {
            let mut verdict = decide(&judged.examination, envelope, unit, policy, &containment);
            let mut enforced = self.gateway.config.mode(unit.direction) == Mode::Enforce;
            if judged.token.is_some() {
                verdict = released(verdict);
                enforced = true;
            }
            let wanted = if enforced { verdict.disposition } else { Disposition::Deliver };
            judged.actions.push(match wanted {
                Disposition::Deliver | Disposition::Tag | Disposition::Junk => Action::Pass,
                Disposition::Defer => Action::Defer,
                Disposition::Hold | Disposition::Redirect | Disposition::Reject => Action::Hold,
            });
            measure::verdict(unit.direction, &verdict, enforced);
            judged.verdicts.push(verdict);
            judged.enforced.push(enforced);
        }
        self.way.tell_examination(&judged.examination);
        self.way.tell_verdicts(&judged.verdicts, &judged.enforced);
        judged
    }

    /// What is known of the sender and of what something acts on. Nobody waits for an answer that does not come.
    async fn resolve_memory(&self, examination: &mut Examination) {
        let Some(store) = self.gateway.store.as_ref().filter(|_| self.gateway.config.known_good.is_on) else { return };
        let (key, rule) = (&self.gateway.token_key, &self.gateway.config.sentinel.establish);
        let envelope = &self.transaction.envelope;
        if let Err(error) =
            known_senders::resolve(&store.known_good, key, rule, examination, envelope, self.received).await
        {
            tracing::warn!(%error, "what is known of a sender and its content cannot be told");
        }
    }

    /// Whether the sender is new to all recipients. Nobody waits for an answer that does not come.
    async fn first_contact(&self, examination: &Examination) -> Option<bool> {
        let store = self.gateway.store.as_ref().filter(|_| self.gateway.config.known_good.is_on)?;
        let envelope = &self.transaction.envelope;
        match self.gateway.met.is_first(&store.known_good, &self.gateway.token_key, examination, envelope).await {
            Ok(first) => first,
            Err(error) => {
                tracing::warn!(%error, "whether sender and recipient have met cannot be told");
                None
            }
        }
    }

    /// The range of a release token of ours that is valid for the one recipient of this message.
    fn own_token(&self) -> Option<std::ops::Range<usize>> {
        let [only] = self.transaction.envelope.recipients.as_slice() else { return None };
        let (value, range, below) = outgoing::find_token(&self.bytes)?;
        token::verify(&self.gateway.token_key, &value, &only.address, self.received, below).map(|_| range)
    }

    async fn carry_out(mut self, store: &StoreParts, judged: Judged) -> Reply {
        let which =
            |action| judged.actions.iter().enumerate().filter(move |(_, a)| **a == action).map(|(at, _)| at).collect();
        let pass: Vec<usize> = which(Action::Pass);
        let hold: Vec<usize> = which(Action::Hold);
        if pass.len() < judged.actions.len() {
            self.way.is_certainly_told();
        }
        let outgoing = Outgoing::new(&self.bytes, &self.gateway.config.authserv_id, judged.token.clone());
        let removed = outgoing.removed_names.clone();
        let copy = self.bytes.len() as u64 + OUR_FIELDS_BYTES;
        if !pass.is_empty() && !self.transaction.memory.copies(copy, self.deadline).await {
            self.transaction.abandon().await;
            return too_much_mail();
        }
        if judged.actions.contains(&Action::Defer) {
            return self.defer(store, &judged, removed).await;
        }
        let emitted = if pass.is_empty() { Ok(Vec::new()) } else { outgoing.emit(&self.prepended(&judged, pass[0])) };
        let Ok(emitted) = emitted else {
            self.transaction.abandon().await;
            return Reply::new(550, "5.6.0 Message has a bare CR or LF");
        };
        let pin = if hold.is_empty() {
            None
        } else {
            let step = self.way.enter("keep");
            let put = store.blobs.put(self.bytes.clone(), judged.examination.message.sha256).await;
            self.way.leave(step);
            Some(put)
        };
        let _pin = match pin.transpose() {
            // Kept until the row that names the blob is committed.
            Ok(pin) => pin,
            Err(error) => {
                self.transaction.abandon().await;
                return store_reply(&error);
            }
        };
        let beginning = |action| match action {
            Action::Pass => Account::Forwarding,
            _ if pass.is_empty() => Account::Held,
            _ => Account::Tentative,
        };
        let accounts: Vec<Account> = judged.actions.iter().map(|action| beginning(*action)).collect();
        let began = Instant::now();
        let blob = (!hold.is_empty()).then_some(judged.examination.message.sha256);
        let arrival = self.arrival(&judged, &accounts, blob, removed, "");
        let step = self.way.enter("record");
        let recorded = store.mail.record_arrival(arrival).await;
        self.way.leave(step);
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(error) => {
                self.transaction.abandon().await;
                return store_reply(&error);
            }
        };
        tracing::debug!(mail_id = %self.mail_id, record_ms = millis(began), "recorded");
        let lesson = self.lesson(&judged);
        let gateway = self.gateway.clone();
        gateway.engines.hear(&judged.examination, &store.rules, self.received).await;
        if judged.examination.findings.iter().any(Finding::may_act) {
            gateway.signals.sentinel.notify_one();
        }
        let reply = if pass.is_empty() {
            self.answer_held(store, &recorded).await
        } else {
            self.pass_on(store, &emitted, &pass, &hold, &recorded).await
        };
        if let Some(lesson) = lesson.filter(|_| reply.is_positive()) {
            if lesson.clean.is_some() {
                gateway.known.accepted(lesson.envelope.client.ip, lesson.received);
            }
            gateway.learner.learn(lesson);
        }
        reply
    }

    /// What is to be learned: that it is clean, or that parts of it are not. A mail that was not seen whole teaches
    /// nothing, and one that we have released ourselves is judged by people.
    fn lesson(&self, judged: &Judged) -> Option<CleanMail> {
        let examination = judged.examination.clone();
        let category = judged.verdicts.iter().map(|verdict| verdict.category).max()?;
        let is_bad = matches!(category, Category::Malware | Category::HighConfidencePhish | Category::Phish);
        // What passes because people or a containment say so has not gone through clean.
        let is_clean = category == Category::Clean && !examination.findings.iter().any(Finding::may_act);
        if judged.token.is_some() || examination.is_partial() || !(is_bad || is_clean) {
            return None;
        }
        let clean = (!is_bad).then(|| self.bytes.clone());
        let (mail_id, received) = (self.mail_id, self.received);
        let envelope = self.transaction.envelope.clone();
        Some(CleanMail { mail_id, received, envelope, examination, clean, answers_itself: false })
    }

    /// All recipients are held: the hop is told to forget them, and custody is ours.
    async fn answer_held(self, store: &StoreParts, recorded: &[Recorded]) -> Reply {
        failpoint::step("held-recorded");
        let _answer = self.way.enter("answer");
        // A unit that an earlier, mixed transaction left tentative becomes ours with this answer.
        let settle = self.settle(store);
        let custody = |(at, recorded): (usize, &Recorded)| match recorded {
            Recorded::New => None,
            Recorded::Reused { .. } => {
                settle.tentative(at, recorded, Move::Confirmed, "sent again, with nothing to deliver")
            }
        };
        let confirm: Vec<UnitMove> = recorded.iter().enumerate().filter_map(custody).collect();
        if !confirm.is_empty()
            && let Err(error) = store.mail.move_units(confirm).await
        {
            self.transaction.abandon().await;
            return store_reply(&error);
        }
        let known = recorded.iter().find_map(|one| match one {
            Recorded::Reused { unit, .. } => Some(unit.mail),
            Recorded::New => None,
        });
        let everything_known = recorded.iter().all(|one| matches!(one, Recorded::Reused { .. }));
        let id = known.filter(|_| everything_known).unwrap_or(self.mail_id);
        tracing::info!(mail_id = %id, "message held");
        self.transaction.abandon().await;
        Reply::new(250, format!("2.0.0 Ok: taken as {id}"))
    }

    /// Sends the message to the hop for those who get it now; the others' fate depends on the answer.
    async fn pass_on(
        mut self,
        store: &StoreParts,
        emitted: &[u8],
        pass: &[usize],
        hold: &[usize],
        recorded: &[Recorded],
    ) -> Reply {
        let settle = self.settle(store);
        let sent = self.send(emitted, pass, !hold.is_empty()).await;
        let _answer = self.way.enter("answer");
        match sent {
            Sent::Answered(reply) if reply.is_positive() => {
                let reply = self.accepted(&settle, pass, hold, recorded, reply).await;
                failpoint::step("before-answer");
                reply
            }
            Sent::Answered(reply) | Sent::Refused(reply) => {
                settle.refuse(pass, &reply);
                if reply.is_permanent() {
                    settle.close_tentative(hold, recorded, &reply);
                }
                reply
            }
            Sent::Unanswered => {
                settle.doubt(pass);
                Reply::new(451, "4.4.2 The next hop did not answer, try again")
            }
            Sent::Late => {
                settle.doubt(pass);
                Reply::new(451, "4.4.5 The message took too long, try again")
            }
        }
    }

    /// Hands the message to the hop for some of its recipients.
    async fn send(&mut self, emitted: &[u8], pass: &[usize], partial: bool) -> Sent {
        let hop = self.way.enter("hop");
        let sent = match self.ready(pass, partial).await {
            Ok(mut loan) => {
                failpoint::step("before-dot");
                let _answer = self.way.enter("hop.answer");
                let sent = tokio::time::timeout(self.left(), loan.connection.send(emitted)).await;
                failpoint::step("after-dot");
                match sent {
                    Ok(outcome) => Sent::of(outcome, loan),
                    Err(_) => Sent::Late,
                }
            }
            Err(reply) => Sent::Refused(reply),
        };
        self.way.leave(hop);
        sent
    }

    /// The hop took it. Units passed on are settled behind the answer; custody of held units comes before it.
    async fn accepted(
        &self,
        settle: &Settle,
        pass: &[usize],
        hold: &[usize],
        recorded: &[Recorded],
        reply: Reply,
    ) -> Reply {
        let confirmed = |at: &usize| {
            settle.tentative(*at, recorded.get(*at)?, Move::Confirmed, "the other recipients were delivered")
        };
        let confirm: Vec<UnitMove> = hold.iter().filter_map(confirmed).collect();
        if !confirm.is_empty()
            && let Err(error) = settle.mail.move_units(confirm).await
        {
            // The hop has the message. The held part is durable but tentative, and lapses unless the client comes
            // again: it keeps the mail, and what was passed on may arrive twice.
            tracing::error!(mail_id = %self.mail_id, %error, "held units could not be confirmed");
            settle.deliver(pass, &reply);
            return store_reply(&error);
        }
        settle.deliver(pass, &reply);
        reply
    }

    /// A connection on which the hop has said 354.
    async fn ready(&mut self, pass: &[usize], partial: bool) -> Result<Loan, Reply> {
        let envelope_is_whole = !partial && self.transaction.envelope.recipients.len() == pass.len();
        let until = self.deadline.into_std();
        let open = self.way.enter("hop.open");
        let mut loan = match self.transaction.take_loan() {
            Some(loan) if envelope_is_whole => loan,
            other => self.transaction.reopen(other, pass, until).await?,
        };
        self.way.leave(open);
        let data = self.way.enter("hop.data");
        let mut ready = timeout_hop(self.left(), loan.connection.data()).await;
        if matches!(ready, Err(HopError::Client(wire::smtp::client::ClientError::Broken { .. }))) {
            // The hop dropped the idle transaction while we looked at the message: once more.
            drop(loan);
            loan = self.transaction.reopen(None, pass, until).await?;
            ready = timeout_hop(self.left(), loan.connection.data()).await;
        }
        self.way.leave(data);
        match ready {
            Ok(reply) if reply.code == 354 => Ok(loan),
            Ok(reply) => {
                give_back_reset(loan).await;
                // Anything but 354, 4xx or 5xx makes no sense here; the client may try again.
                Err(if reply.is_permanent() || reply.is_transient() {
                    reply
                } else {
                    Reply::new(451, "4.4.0 Odd answer of the next hop")
                })
            }
            Err(error) => Err(hop_reply(&error)),
        }
    }

    fn settle(&self, store: &StoreParts) -> Settle {
        Settle { mail: store.mail.clone(), gateway: self.gateway.clone(), mail_id: self.mail_id }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// An engine failed and policy says that the sender keeps the mail: recorded as an attempt.
    async fn defer(self, store: &StoreParts, judged: &Judged, removed: Vec<String>) -> Reply {
        let text = judged.verdicts.iter().find(|v| v.disposition == Disposition::Defer).and_then(|v| v.reasons.first());
        tracing::warn!(mail_id = %self.mail_id, reason = text.map_or("", |reason| reason.text.as_str()), "message \
            deferred");
        let reply = Reply::new(451, "4.7.1 The message could not be examined, try again later");
        let accounts = vec![Account::Refused; judged.actions.len()];
        let arrival = self.arrival(judged, &accounts, None, removed, &reply.to_line());
        let step = self.way.enter("record");
        if let Err(error) = store.mail.record_arrival(arrival).await {
            tracing::error!(%error, "a deferred message could not be recorded");
        }
        self.way.leave(step);
        let _answer = self.way.enter("answer");
        self.transaction.abandon().await;
        reply
    }

    /// Passes the message on unexamined and unrecorded: the switch for the worst day.
    async fn bypass(mut self) -> Reply {
        let outgoing = Outgoing::new(&self.bytes, &self.gateway.config.authserv_id, None);
        let prepended = format!("{}X-Reprieve-Verdict: Bypassed\r\n", self.received());
        let Ok(emitted) = outgoing.emit(&prepended) else {
            self.transaction.abandon().await;
            return Reply::new(550, "5.6.0 Message has a bare CR or LF");
        };
        let all: Vec<usize> = (0..self.transaction.envelope.recipients.len()).collect();
        let _hop = self.way.enter("hop");
        let mut loan = match self.ready(&all, false).await {
            Ok(loan) => loan,
            Err(reply) => return reply,
        };
        let _answer = self.way.enter("hop.answer");
        let sent = match tokio::time::timeout(self.left(), loan.connection.send(&emitted)).await {
            Ok(outcome) => Sent::of(outcome, loan),
            Err(_) => Sent::Late,
        };
        tracing::warn!(mail_id = %self.mail_id, "message bypassed: not examined, not recorded");
        let reply = match sent {
            Sent::Answered(reply) | Sent::Refused(reply) => reply,
            Sent::Unanswered => Reply::new(451, "4.4.2 The next hop did not answer, try again"),
            Sent::Late => Reply::new(451, "4.4.5 The message took too long, try again"),
        };
        self.list(reply.code);
        reply
    }

    /// Lists a message that passed unexamined.
    fn list(&self, answer: u16) {
        let (switch, envelope) = (&self.gateway.panic_switch, &self.transaction.envelope);
        switch.bypassed.add(Passed {
            episode: switch.since(),
            at: self.received,
            mail: self.mail_id,
            client: envelope.client.ip.to_string(),
            sender: envelope.sender.as_ref().map(|sender| sender.as_str().to_owned()).unwrap_or_default(),
            recipients: envelope.recipients.iter().map(|one| one.address.as_str().to_owned()).collect(),
            count: envelope.recipients.len(),
            size: self.bytes.len() as u64,
            answer,
        });
    }

    fn received(&self) -> String {
        outgoing::received(&self.gateway.config.hostname, self.mail_id, &self.transaction.envelope, self.received)
    }

    /// Our fields. All recipients of one transaction get the same, because the hop gets one message: those of the first
    /// that passes.
    fn prepended(&self, judged: &Judged, first: usize) -> String {
        let verdict = &judged.verdicts[first];
        let mode = if judged.enforced[first] { "" } else { "; observed" };
        let category = verdict.category.as_str();
        let mut fields = self.received();
        let said = judged.examination.facts.authentication.as_ref().map_or("", |said| said.field.as_str());
        if !said.is_empty() {
            fields.push_str(&format!("Authentication-Results: {}{said}\r\n", self.gateway.config.authserv_id));
        }
        fields.push_str(&format!("X-Reprieve-Id: {}\r\n", self.mail_id));
        fields.push_str(&format!("X-Reprieve-Verdict: {category}; {}{mode}\r\n", verdict.disposition.as_str()));
        if let Some((code, version)) = verdict.cause() {
            fields.push_str(&format!("X-Reprieve-Detection: {code}; version={version}\r\n"));
        }
        if judged.examination.facts.first_contact == Some(true) {
            fields.push_str("X-Reprieve-First-Contact: yes\r\n");
        }
        if judged.enforced[first] && verdict.disposition == Disposition::Junk {
            fields.push_str("X-Reprieve-Junk: yes\r\n");
        }
        fields
    }

    fn arrival(
        &self,
        judged: &Judged,
        accounts: &[Account],
        blob: Option<Digest>,
        removed: Vec<String>,
        reply: &str,
    ) -> Arrival {
        let units = judged.verdicts.iter().zip(&judged.enforced).zip(accounts).map(|((verdict, enforced), account)| {
            UnitArrival { verdict: verdict.clone(), enforced: *enforced, account: *account, reply: reply.to_owned() }
        });
        Arrival {
            mail_id: self.mail_id,
            received: self.received,
            envelope: self.transaction.envelope.clone(),
            examination: judged.examination.clone(),
            units: units.collect(),
            normalised: self.normalised,
            removed_fields: removed,
            blob,
            timings: self.timings.clone(),
        }
    }
}

/// The way of a message, which began when its client was told to send it.
fn begin(transaction: &Transaction, mail_id: MailId, received: Timestamp) -> Way {
    let now = std::time::Instant::now();
    let since = transaction.data_since.unwrap_or(now);
    let mut way = transaction.gateway.traces.begin("mail", mail_id, received.before(now - since), since);
    way.note("receive".into(), Duration::ZERO, now - since, Vec::new(), false);
    way.tell_envelope(&transaction.envelope);
    way
}

/// How the hop took the message.
enum Sent {
    Answered(Reply),
    Refused(Reply),
    Unanswered,
    Late,
}

impl Sent {
    fn of(outcome: DotOutcome, loan: Loan) -> Self {
        match outcome {
            DotOutcome::Replied(reply) => {
                // 421 says that the hop closes; anything else leaves the connection between transactions.
                if reply.code != 421 {
                    loan.give_back();
                }
                Self::Answered(reply)
            }
            DotOutcome::NotSent(error) => Self::Refused(hop_reply(&HopError::Client(error))),
            DotOutcome::Unanswered(error) => {
                tracing::warn!(%error, "the answer to the final dot was lost");
                Self::Unanswered
            }
        }
    }
}

async fn timeout_hop<T>(
    left: Duration,
    asked: impl Future<Output = Result<T, wire::smtp::client::ClientError>>,
) -> Result<T, HopError> {
    match tokio::time::timeout(left, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            let (name, step) = ("the next hop".to_owned(), "DATA");
            Err(HopError::Client(wire::smtp::client::ClientError::Timeout { name, step, seconds: left.as_secs() }))
        }
    }
}

/// Writes outcomes behind the answer: the client does not wait for them. What dies with us before it is written
/// is found in FORWARDING at the next start, and doubted.
struct Settle {
    mail: MailStore,
    gateway: Arc<Gateway>,
    mail_id: MailId,
}

impl Settle {
    fn step(&self, at: usize, from: Account, by: Move, reason: &str) -> UnitMove {
        let unit = UnitId { mail: self.mail_id, number: u32::try_from(at).unwrap_or(u32::MAX) };
        UnitMove { unit, from, by, at: self.gateway.clock.now(), actor: "gateway".into(), reason: reason.to_owned() }
    }

    /// A move of a tentative unit: ours, or that of the transaction which this one repeats.
    fn tentative(&self, at: usize, recorded: &Recorded, by: Move, reason: &str) -> Option<UnitMove> {
        let mut step = self.step(at, Account::Tentative, by, reason);
        match recorded {
            Recorded::New => Some(step),
            Recorded::Reused { unit, account: Account::Tentative } => {
                step.unit = *unit;
                Some(step)
            }
            Recorded::Reused { .. } => None,
        }
    }

    /// The hop refused for good: what was held of the message is not ours, and the sender knows.
    fn close_tentative(&self, hold: &[usize], recorded: &[Recorded], reply: &Reply) {
        let close = |at: &usize| self.tentative(*at, recorded.get(*at)?, Move::HopRefused, &reply.to_line());
        self.spawn(hold.iter().filter_map(close).collect());
    }

    fn deliver(&self, units: &[usize], reply: &Reply) {
        self.forwarded(units, Move::HopAccepted, &reply.to_line());
    }

    fn refuse(&self, units: &[usize], reply: &Reply) {
        self.forwarded(units, Move::HopRefused, &reply.to_line());
    }

    fn doubt(&self, units: &[usize]) {
        self.forwarded(units, Move::AnswerLost, "no answer to the final dot");
    }

    fn forwarded(&self, units: &[usize], by: Move, reason: &str) {
        self.spawn(units.iter().map(|at| self.step(*at, Account::Forwarding, by, reason)).collect());
    }

    fn spawn(&self, moves: Vec<UnitMove>) {
        if moves.is_empty() {
            return;
        }
        let (mail, mail_id) = (self.mail.clone(), self.mail_id);
        self.gateway.post_reply.spawn(async move {
            if let Err(error) = mail.move_units(moves).await {
                tracing::error!(%mail_id, %error, "an outcome could not be recorded; the next start will doubt it");
            }
        });
    }
}

/// The verdict on our own released mail: it is neither filtered again nor held again.
fn released(verdict: Verdict) -> Verdict {
    let reason = Reason {
        code: "release-token".into(),
        text: "released by this installation; its token is valid".into(),
        detection: None,
        detection_version: None,
    };
    Verdict { disposition: Disposition::Deliver, reasons: vec![reason], ..verdict }
}

fn store_reply(error: &StoreError) -> Reply {
    tracing::error!(%error, "the store refused a message");
    match error {
        StoreError::Full(_) => Reply::new(452, "4.3.1 Not enough room, try again later"),
        _ => Reply::new(451, "4.3.0 The store is not available, try again later"),
    }
}

fn millis(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_without_room_is_told_apart_from_one_that_fails() {
        assert_eq!(store_reply(&StoreError::Full("the disk".into())).code, 452);
        assert_eq!(store_reply(&StoreError::Refused("no".into())).code, 451);
    }

    #[test]
    fn times_are_milliseconds() {
        let told = millis(Instant::now() - Duration::from_millis(1_500));
        assert!((1_500.0..60_000.0).contains(&told), "{told}");
    }
}
