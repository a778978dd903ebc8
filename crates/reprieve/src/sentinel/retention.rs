//! The retention reconciler: ends what is over, in small batches, behind everything else.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::Timestamp;
use domain::detection::Category;
use store::arrival::RETRY_MEMORY;
use store::retention::{TENTATIVE_LISTED_MAX, TENTATIVE_SHOWN};
use store::vault::Vault;
use store::{Store, StoreError};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Ring;
use crate::recipient::link;
use crate::rounds::{Beat, Rounds};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(600);
/// Pause between two batches, so that live mail comes first.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the bytes of what was released, deleted or expired are kept, so that a slip can be mended from a backup of the day.
const ENDED_BYTES_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long what a crash left unfinished is kept: longer than any client still tries the same connection (qmail's rule).
const UNFINISHED_KEPT: Duration = Duration::from_secs(36 * 3600);

/// Files that are encrypted anew before a pause.
const RENEW_BATCH: usize = 100;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The configuration.
    pub config: Arc<Config>,
    /// The store.
    pub store: Store,
    /// The bytes of known-good content, if they are kept.
    pub vault: Option<Vault>,
    /// Their keys.
    pub ring: Ring,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
}

impl Keeper {
    /// Runs until `stop` says so.
    pub async fn run(self, rounds: Rounds, stop: watch::Receiver<bool>) {
        let beat = Beat::every(PERIOD, "retention", "a round of retention failed");
        let mut turns = rounds.turns(beat, stop);
        while turns.after(self.round().await.map(|()| false)).await {}
    }

    /// One round: expire, lapse, drop bytes, purge records and the log's oldest entries, sweep what a crash left.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn round(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let kept = &self.config.retention;
        let [mut expired, mut lapsed, mut dropped, mut purged, mut pruned] = [0; 5];
        for category in Category::ALL {
            let before = now.before(kept.held(category));
            while self.count(&mut expired, self.store.expire_held(category, before, now).await?).await {}
        }
        let unfinished = now.before(UNFINISHED_KEPT);
        while self.count(&mut lapsed, self.store.lapse_tentative(unfinished, now).await?).await {}
        while self.count(&mut dropped, self.store.drop_blobs(now.before(ENDED_BYTES_KEPT)).await?).await {}
        let before = now.before(kept.records);
        while self.count(&mut purged, self.store.purge_records(before, self.clock.now()).await?).await {}
        while self.count(&mut pruned, self.store.prune_audit(now.before(kept.audit)).await?).await {}
        while self.store.forget_hits(before).await? {
            tokio::time::sleep(PAUSE).await;
        }
        while self.store.forget_bulks(before).await? {
            tokio::time::sleep(PAUSE).await;
        }
        while self.store.forget_digests(before).await? {
            tokio::time::sleep(PAUSE).await;
        }
        self.store.forget_submissions(before).await?;
        self.store.forget_recipients(now, now.before(link::LINK), before).await?;
        self.store.forget_retries(now.before(RETRY_MEMORY)).await?;
        let swept = self.store.sweep_orphans(system_time(unfinished)).await?;
        if expired + lapsed + dropped + purged + pruned + swept > 0 {
            tracing::info!(expired, lapsed, bytes_dropped = dropped, purged, pruned, swept, "retention");
        }
        self.tell_of_tentative(now).await?;
        self.forget_good(now).await?;
        while self.store.forget_contacts(now.before(self.config.known_good.remembered)).await? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Known-good content that was not seen for long, or is beyond its bounds; and what an older key still encrypts.
    async fn forget_good(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(vault) = &self.vault else { return Ok(()) };
        let bounds = &self.config.known_good;
        loop {
            let before = now.before(bounds.remembered);
            let (parts, mails) = self.store.good_to_forget(before, bounds.bytes_max, bounds.mails_max).await?;
            if parts.is_empty() && mails.is_empty() {
                break;
            }
            for digest in parts.iter().chain(&mails) {
                if let Err(error) = vault.remove(*digest) {
                    tracing::warn!(%error, "known-good content could not be removed");
                }
            }
            self.store.forget_good(parts, mails).await?;
            tokio::time::sleep(PAUSE).await;
        }
        self.renew_keys(vault).await;
        Ok(())
    }

    async fn renew_keys(&self, vault: &Vault) {
        while vault.key_ids().len() > 1 {
            let renewing = vault.clone();
            match tokio::task::spawn_blocking(move || renewing.renew(RENEW_BATCH)).await {
                Ok(Ok(RENEW_BATCH)) => tokio::time::sleep(PAUSE).await,
                Ok(Ok(_)) => {
                    // Nothing has an older key any more. A ring that is systemd's is shortened by who made it.
                    match self.ring.drop_old() {
                        Ok(()) => vault.drop_old_keys(),
                        Err(error) => return tracing::warn!(%error, "old keys of known-good content stay in the ring"),
                    }
                }
                Ok(Err(error)) => return tracing::warn!(%error, "known-good content could not be encrypted anew"),
                Err(panic) => return tracing::warn!(%panic, "known-good content could not be encrypted anew"),
            }
        }
    }

    /// A unit that stays tentative needs a person to know of it long before it lapses.
    async fn tell_of_tentative(&self, now: Timestamp) -> Result<(), StoreError> {
        for unit in self.store.tentative(now.before(TENTATIVE_SHOWN), TENTATIVE_LISTED_MAX).await? {
            tracing::warn!(%unit, "tentative for over an hour: nobody recorded whether the next hop took the rest of its mail");
        }
        Ok(())
    }

    /// Adds a batch, rests, and says whether there may be another.
    async fn count(&self, sum: &mut usize, batch: usize) -> bool {
        *sum += batch;
        tokio::time::sleep(PAUSE).await;
        batch > 0
    }
}

/// A moment of domain time beside the times of files.
fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0))
}
