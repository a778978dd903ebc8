//! The next hop of a simulation: a server on loopback that does to each mail what its seed says. It accepts, puts
//! off or refuses, closes the connection before or after it has taken the mail, or waits with its answer until the
//! simulator lets it go on. And it keeps the record of what it was sent, which is what the oracle believes.
//!
//! What it does depends on the seed, the mail, the recipient and how often it has seen them, never on the order in
//! which connections come: work that runs at the same time is treated the same in every run.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use scripted_hop::{Envelope, Script};
use store::failpoint;
use tokio::sync::{Notify, oneshot};
use wire::smtp::reply::Reply;

use crate::dice::Dice;

/// How well the hop behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It does everything that its seed says.
    Wild,
    /// The same, but it never waits.
    Prompt,
    /// It accepts everything at once.
    Fair,
}

/// What the hop does when it has the final dot of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtDot {
    Accept,
    PutOff,
    Refuse,
    CloseWithout,
    TakeAndClose,
}

const AT_DOT: [(u64, AtDot); 5] =
    [(62, AtDot::Accept), (14, AtDot::PutOff), (6, AtDot::Refuse), (8, AtDot::CloseWithout), (10, AtDot::TakeAndClose)];
/// In a hundred: how often the hop waits at DATA and at the dot, and what it does at RCPT.
const WAITS_AT_DATA: u64 = 9;
const WAITS_AT_DOT: u64 = 14;
const PUTS_OFF_RECIPIENT: u64 = 5;
const REFUSES_RECIPIENT: u64 = 2;

/// A mail whose final dot has reached the hop.
#[derive(Clone, Debug)]
pub(crate) struct Dot {
    /// The step of the simulation in which it came.
    pub(crate) step: usize,
    /// The name of the letter.
    pub(crate) letter: String,
    pub(crate) recipients: Vec<String>,
    /// The id that the gateway gave it.
    pub(crate) mail_id: String,
    /// Whether it is a release.
    pub(crate) is_release: bool,
    /// Whether the bytes end with those of the letter.
    pub(crate) is_whole: bool,
    /// How often the hop has taken it: once, or not at all.
    pub(crate) taken: usize,
}

/// An answer that waits.
#[derive(Debug)]
struct Waiting {
    actor: String,
    letter: String,
    recipients: Vec<String>,
    /// The mail in the record, when it waits with its dot.
    dot: Option<usize>,
    wake: oneshot::Sender<()>,
}

/// An answer that waits, for whoever looks from outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stall {
    pub(crate) actor: String,
    pub(crate) letter: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) has_dot: bool,
    pub(crate) id: u64,
}

#[derive(Debug)]
struct State {
    seed: u64,
    manner: Manner,
    step: usize,
    /// Who acts in this step: waiting answers are theirs.
    actor: String,
    letters: BTreeMap<String, Arc<Vec<u8>>>,
    /// How often each place of each mail was come to.
    seen: BTreeMap<String, u64>,
    dots: Vec<Dot>,
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    lines: Vec<String>,
    /// For a check of the oracle: every mail is put into the mailbox twice.
    takes_twice: bool,
}

/// The hop; clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

impl Hop {
    /// A hop that does what `seed` says.
    pub(crate) fn new(seed: u64, takes_twice: bool) -> Self {
        let state = State {
            seed,
            manner: Manner::Wild,
            step: 0,
            actor: String::new(),
            letters: BTreeMap::new(),
            seen: BTreeMap::new(),
            dots: Vec::new(),
            waiting: BTreeMap::new(),
            next: 0,
            lines: Vec::new(),
            takes_twice,
        };
        Self { state: Arc::new(Mutex::new(state)), changed: Arc::default() }
    }

    /// Listens on a port of loopback that the system chooses, for as long as the runtime lives.
    pub(crate) async fn listen(&self) -> io::Result<SocketAddr> {
        scripted_hop::listen(Arc::new(self.clone())).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the hop's record")
    }

    /// A step begins, in which `actor` acts.
    pub(crate) fn step(&self, step: usize, actor: &str) {
        let mut state = self.state();
        state.step = step;
        actor.clone_into(&mut state.actor);
    }

    /// Behaves so from now on.
    pub(crate) fn behave(&self, manner: Manner) {
        self.state().manner = manner;
    }

    /// Knows the bytes of a letter.
    pub(crate) fn expect(&self, letter: &str, bytes: Arc<Vec<u8>>) {
        self.state().letters.insert(letter.to_owned(), bytes);
    }

    /// What it has done since it was asked last, in an order of its own.
    pub(crate) fn take_lines(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.state().lines);
        lines.sort();
        lines
    }

    /// Every mail whose dot has come.
    pub(crate) fn dots(&self) -> Vec<Dot> {
        self.state().dots.clone()
    }

    /// Answers that wait, in an order that is the same in every run.
    pub(crate) fn stalls(&self) -> Vec<Stall> {
        let state = self.state();
        let stall = |(id, one): (&u64, &Waiting)| Stall {
            actor: one.actor.clone(),
            letter: one.letter.clone(),
            recipients: one.recipients.clone(),
            has_dot: one.dot.is_some(),
            id: *id,
        };
        let mut stalls: Vec<Stall> = state.waiting.iter().map(stall).collect();
        stalls.sort();
        stalls
    }

    /// Lets a waiting answer go on.
    pub(crate) fn wake(&self, stall: &Stall) {
        if let Some(waiting) = self.state().waiting.remove(&stall.id) {
            // Its connection may have ended.
            let _ = waiting.wake.send(());
        }
    }

    /// Waits until something waits, or for a moment.
    pub(crate) async fn changed(&self) {
        let moment = std::time::Duration::from_millis(1);
        // Whether it was woken or the moment is over: who waits looks again.
        let _ = tokio::time::timeout(moment, self.changed.notified()).await;
    }

    /// The gateway has died: of the mails whose answers wait, the hop has taken some all the same.
    pub(crate) fn gateway_died(&self) {
        let mut state = self.state();
        let mut dots: Vec<usize> = std::mem::take(&mut state.waiting).into_values().filter_map(|one| one.dot).collect();
        dots.sort_unstable();
        for at in dots {
            let name = state.dots[at].name();
            let number = state.count(&format!("death {name}"));
            if Dice::named(state.seed, &format!("death {name} {number}")).happens(50) {
                state.take(at, "took, and the gateway is dead");
            }
        }
    }

    /// Waits until the simulator lets it go on. A simulator that has gone ends its runtime, and this with it.
    async fn woken(&self, woken: Option<oneshot::Receiver<()>>) {
        if let Some(woken) = woken {
            self.changed.notify_one();
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Script for Hop {
    fn is_heard(&self) -> bool {
        !failpoint::has_died()
    }

    fn recipient(&self, envelope: &Envelope, recipient: &str) -> Reply {
        let mut state = self.state();
        let letter = letter_of(envelope);
        let mut dice = state.dice("rcpt", letter, &[recipient.to_owned()]);
        if state.manner != Manner::Fair {
            if dice.happens(PUTS_OFF_RECIPIENT) {
                state.lines.push(format!("hop put off {recipient} of {letter}"));
                return Reply::new(450, "4.2.1 Not now");
            }
            if dice.happens(REFUSES_RECIPIENT) {
                state.lines.push(format!("hop refused {recipient} of {letter}"));
                return Reply::new(550, "5.1.1 Nobody");
            }
        }
        Reply::new(250, "2.1.5 Ok")
    }

    async fn data(&self, envelope: &Envelope) {
        let woken = {
            let mut state = self.state();
            let waits = state.dice("data", letter_of(envelope), &envelope.recipients).happens(WAITS_AT_DATA);
            (waits && state.manner == Manner::Wild).then(|| state.wait(envelope, None))
        };
        self.woken(woken).await;
    }

    async fn dot(&self, envelope: &Envelope, bytes: Vec<u8>) -> Option<Reply> {
        let (at, does, woken) = {
            let mut state = self.state();
            let at = state.record(envelope, &bytes);
            let mut dice = state.dice("dot", letter_of(envelope), &envelope.recipients);
            let does = dice.weighed(&AT_DOT).unwrap_or(AtDot::Accept);
            let does = if state.manner == Manner::Fair { AtDot::Accept } else { does };
            let waits = state.manner == Manner::Wild && dice.happens(WAITS_AT_DOT);
            (at, does, waits.then(|| state.wait(envelope, Some(at))))
        };
        self.woken(woken).await;
        self.state().does(at, does)
    }
}

/// The name of the letter: the local part of its sender.
fn letter_of(envelope: &Envelope) -> &str {
    envelope.sender.split('@').next().unwrap_or_default()
}

impl Dot {
    fn name(&self) -> String {
        format!("{} for {}", self.letter, self.recipients.join(" "))
    }
}

impl State {
    fn count(&mut self, place: &str) -> u64 {
        let seen = self.seen.entry(place.to_owned()).or_default();
        *seen += 1;
        *seen
    }

    /// What the seed says of this place of this mail, this time.
    fn dice(&mut self, place: &str, letter: &str, recipients: &[String]) -> Dice {
        let name = format!("{place} {letter} {}", recipients.join(" "));
        let number = self.count(&name);
        Dice::named(self.seed, &format!("{name} {number}"))
    }

    fn wait(&mut self, envelope: &Envelope, dot: Option<usize>) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let (letter, recipients) = (letter_of(envelope), &envelope.recipients);
        let place = if dot.is_some() { "the final dot" } else { "DATA" };
        self.lines.push(format!("hop waits at {place} of {letter} for {}", recipients.join(" ")));
        let (letter, recipients) = (letter.to_owned(), recipients.clone());
        self.waiting.insert(self.next, Waiting { actor: self.actor.clone(), letter, recipients, dot, wake });
        self.next += 1;
        woken
    }

    fn record(&mut self, envelope: &Envelope, bytes: &[u8]) -> usize {
        let (letter, recipients) = (letter_of(envelope), &envelope.recipients);
        let is_whole = self.letters.get(letter).is_some_and(|whole| bytes.ends_with(whole));
        let text = String::from_utf8_lossy(bytes);
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        self.dots.push(Dot {
            step: self.step,
            letter: letter.to_owned(),
            recipients: recipients.clone(),
            mail_id: field("X-Reprieve-Id:").unwrap_or_default(),
            is_release: field("X-Reprieve-Late:").is_some(),
            is_whole,
            taken: 0,
        });
        self.dots.len() - 1
    }

    fn take(&mut self, at: usize, how: &str) {
        let times = if self.takes_twice { 2 } else { 1 };
        self.dots[at].taken += times;
        let line = format!("hop {how} {}", self.dots[at].name());
        self.lines.push(line);
    }

    fn does(&mut self, at: usize, does: AtDot) -> Option<Reply> {
        let name = self.dots[at].name();
        match does {
            AtDot::Accept => {
                self.take(at, "took");
                return Some(Reply::new(250, "2.0.0 Ok: it is in the mailbox"));
            }
            AtDot::PutOff => {
                self.lines.push(format!("hop put off {name}"));
                return Some(Reply::new(451, "4.3.0 Not now"));
            }
            AtDot::Refuse => {
                self.lines.push(format!("hop refused {name}"));
                return Some(Reply::new(554, "5.7.1 Never"));
            }
            AtDot::CloseWithout => self.lines.push(format!("hop closed without taking {name}")),
            AtDot::TakeAndClose => self.take(at, "closed, and took"),
        }
        None
    }
}
