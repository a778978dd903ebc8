//! The plain script: what happens at the next dots, in their order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::{Notify, Semaphore};
use wire::smtp::reply::Reply;

use crate::{Envelope, Script};

/// What the hop does when it has the final dot of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtDot {
    /// It takes it and says so.
    Take,
    /// It says that it is to come again.
    PutOff,
    /// It says that it never takes it.
    Refuse,
    /// It closes without a word, and has not taken it.
    Close,
    /// It closes without a word, and has taken it.
    TakeAndClose,
}

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// For whom.
    pub envelope: Envelope,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Does what a list says at each dot, and takes everything behind its end.
#[derive(Debug)]
pub struct Listed {
    next: Mutex<VecDeque<AtDot>>,
    taken: Mutex<Vec<Taken>>,
    /// One for each answer to DATA that may be given.
    may_go_on: Semaphore,
    asked: Notify,
}

impl Listed {
    /// Does this at the next dots.
    pub fn new(next: impl IntoIterator<Item = AtDot>) -> Self {
        Self {
            next: Mutex::new(next.into_iter().collect()),
            taken: Mutex::default(),
            may_go_on: Semaphore::new(Semaphore::MAX_PERMITS),
            asked: Notify::new(),
        }
    }

    /// Takes everything, but answers no DATA before [`Listed::go_on`].
    pub fn that_waits() -> Self {
        Self { may_go_on: Semaphore::new(0), ..Self::new([]) }
    }

    /// Waits until somebody has said DATA to a hop that waits.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Lets so many answers to DATA go on.
    pub fn go_on(&self, answers: usize) {
        self.may_go_on.add_permits(answers);
    }

    /// What it has taken.
    pub fn taken(&self) -> Vec<Taken> {
        self.lock_taken().clone()
    }

    fn lock_taken(&self) -> MutexGuard<'_, Vec<Taken>> {
        self.taken.lock().expect("nobody panics while holding what was taken")
    }
}

impl Script for Listed {
    fn recipient(&self, _: &Envelope, _: &str) -> Reply {
        Reply::new(250, "2.1.5 Ok")
    }

    async fn data(&self, _: &Envelope) {
        self.asked.notify_one();
        if let Ok(permit) = self.may_go_on.acquire().await {
            permit.forget();
        }
    }

    async fn dot(&self, envelope: &Envelope, bytes: Vec<u8>) -> Option<Reply> {
        let next = self.next.lock().expect("nobody panics while holding the list").pop_front();
        let next = next.unwrap_or(AtDot::Take);
        if matches!(next, AtDot::Take | AtDot::TakeAndClose) {
            self.lock_taken().push(Taken { envelope: envelope.clone(), bytes });
        }
        match next {
            AtDot::Take => Some(Reply::new(250, "2.0.0 Ok: it is in the mailbox")),
            AtDot::PutOff => Some(Reply::new(451, "4.3.0 Not now")),
            AtDot::Refuse => Some(Reply::new(554, "5.7.1 Never")),
            AtDot::Close | AtDot::TakeAndClose => None,
        }
    }
}
