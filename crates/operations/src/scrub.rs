//! The scrub: all stored bytes are read and checked again and again, slowly and behind live mail, so that a disk that
//! rots is noticed while a backup still has what it lost. What is damaged is named and kept: nothing is removed for it.

use std::sync::Arc;
use std::time::Duration;

use domain::{Digest, MailId};
use store::blob::Blobs;
use store::blob::Sound;
use store::notices::alert::{AlertKind, NewAlert};
use store::upkeep::scrub::{Damage, Pass};
use store::{NoticeStore, StoreError, UpkeepStore};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::config::Retention;
use platform::items::Items;
use platform::measure;
use platform::priority::Priority;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks whether a pass is due, and whether what is damaged has been restored.
const PERIOD: Duration = Duration::from_secs(60);
/// Blobs of one round at most; where it stands is kept after each round.
const BLOBS_AT_ONCE: i64 = 20;
/// Bytes of one round, about.
const BYTES_AT_ONCE: u64 = 4 << 20;
/// The longest rest at a time, so that it ends when the program does.
const REST_MAX: Duration = Duration::from_secs(1);
/// Damaged blobs that are looked at again in each round.
const DAMAGED_LOOKED_AT: i64 = 20;
/// Messages that a call names.
const NAMED_MAX: i64 = 5;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Scrubber {
    /// How long what is kept.
    pub retention: Retention,
    /// The bytes of held mail.
    pub blobs: Blobs,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// What keeps the store in order.
    pub upkeep: UpkeepStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes those who tell people.
    pub signals: Signals,
    /// Live mail comes first.
    pub priority: Priority,
    /// What of its work fails.
    pub items: Items,
}

impl Reconciler for Scrubber {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "scrub", "stored bytes could not be checked")
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: some blobs of a pass that is due. Returns the bytes that were read, if there may be more; none when
    /// nothing is due.
    async fn round(&self, _: &mut (), stop: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let known = self.upkeep.scrub_pass().await?;
        let is_due = known.as_ref().is_none_or(|pass| !pass.is_done || now.since(pass.began) >= self.retention.scrub);
        if !is_due {
            self.look_again().await?;
            return Ok(false);
        }
        let fresh = |last| Pass { began: now, place: None, is_done: false, blobs: 0, bytes: 0, last };
        let mut pass = match known {
            Some(pass) if !pass.is_done => pass,
            Some(pass) => fresh(pass.last),
            None => fresh(None),
        };
        let blobs = self.upkeep.blobs_after(pass.place, BLOBS_AT_ONCE).await?;
        if blobs.is_empty() {
            pass.is_done = true;
            pass.last = Some((self.clock.now(), pass.blobs, pass.bytes));
            tracing::info!(blobs = pass.blobs, bytes = pass.bytes, "all stored bytes were read and checked");
            self.upkeep.keep_scrub_pass(pass).await?;
            return Ok(false);
        }
        let mut read = 0;
        for (blob, mail) in blobs {
            self.priority.give().await;
            // What it is about a blob that fails, the next pass tries again.
            read += self.items.alone(&format!("the bytes of {mail}"), now, self.check(blob, mail)).await?.unwrap_or(0);
            pass.place = Some(blob);
            pass.blobs += 1;
            if read >= BYTES_AT_ONCE {
                break;
            }
        }
        pass.bytes += read;
        measure::scrubbed(read);
        self.upkeep.keep_scrub_pass(pass).await?;
        self.rest(read, stop).await;
        Ok(true)
    }
}

impl Scrubber {
    /// Checks one blob; returns how many bytes it has. One that cannot be looked at just now says nothing, and keeps no
    /// other waiting.
    async fn check(&self, blob: Digest, mail: MailId) -> Result<u64, StoreError> {
        let sound = match self.blobs.check(blob).await {
            Ok(Sound::Whole(bytes)) => return Ok(bytes),
            Ok(sound) => sound,
            Err(error) => {
                tracing::warn!(%error, %mail, "the stored bytes of a message could not be checked; the next pass tries \
                    again");
                return Ok(0);
            }
        };
        let mails = self.upkeep.messages_of_blob(blob, NAMED_MAX).await?;
        // It may have been removed since it was named, as what has ended is.
        if let (Some(why), Some(mail)) = (sound.fault(), mails.first()) {
            let damage = Damage { blob, mail: *mail, found: self.clock.now(), why };
            self.upkeep.record_damaged_blob(damage.clone()).await?;
            self.call(&damage, &mails).await?;
            self.count().await?;
        }
        Ok(0)
    }

    /// What was damaged and has been restored, or is not needed any more, is damaged no longer.
    async fn look_again(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for damage in self.upkeep.damaged_blobs(DAMAGED_LOOKED_AT).await?.1 {
            let item = format!("the damaged bytes of {}", damage.mail);
            self.items.alone(&item, now, self.look_at(&damage)).await?;
        }
        self.count().await
    }

    async fn look_at(&self, damage: &Damage) -> Result<(), StoreError> {
        let is_whole = matches!(self.blobs.check(damage.blob).await, Ok(Sound::Whole(_)));
        if is_whole || self.upkeep.messages_of_blob(damage.blob, 1).await?.is_empty() {
            self.upkeep.forget_damaged_blob(damage.blob).await?;
            tracing::info!(mail = %damage.mail, is_whole, "stored bytes are damaged no longer");
        }
        Ok(())
    }

    async fn count(&self) -> Result<(), StoreError> {
        measure::damaged(self.upkeep.damaged_blobs(0).await?.0);
        Ok(())
    }

    /// People are called, once for each blob.
    async fn call(&self, damage: &Damage, mails: &[MailId]) -> Result<(), StoreError> {
        let named = mails.iter().map(MailId::to_string).collect::<Vec<_>>().join(", ");
        let path = self.blobs.path(damage.blob);
        let text = format!(
            "The stored bytes of message {named} are damaged: {}. It cannot be released as it is. Its record stays, \
                and nothing is removed: put the \
             file {} back from a backup, and it is found whole by itself. Look at the disk: what damaged one file may \
             damage others.",
            damage.why,
            path.display()
        );
        let (key, subject) = (format!("damage/{}", damage.blob), damage.mail.to_string());
        let alert = NewAlert { key, at: damage.found, kind: AlertKind::Damage, subject, text };
        if self.notices.raise_alert(alert).await? {
            tracing::error!(mail = %damage.mail, file = %path.display(), why = damage.why, "stored bytes are damaged: \
                people are called");
            self.signals.operators.notify_one();
        }
        Ok(())
    }

    /// So that no more is read in a second than may be.
    async fn rest(&self, read: u64, stopping: &watch::Receiver<bool>) {
        let mut rest = Duration::from_secs_f64(read as f64 / self.retention.scrub_bytes_per_second as f64);
        while !rest.is_zero() && !*stopping.borrow() {
            let now = rest.min(REST_MAX);
            tokio::time::sleep(now).await;
            rest -= now;
        }
    }
}
