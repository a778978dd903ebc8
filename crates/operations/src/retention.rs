//! The retention reconciler: ends what is over, in small batches, behind everything else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use domain::Timestamp;
use domain::detection::Category;
use domain::removal::{GRACE, Quota, per_hour};
use store::known_good::conversation::ROWS_MAX;
use store::known_good::vault::Vault;
use store::mail::arrival::RETRY_MEMORY;
use store::upkeep::retention::{TENTATIVE_LISTED_MAX, TENTATIVE_SHOWN};
use store::{
    AuditStore, EvidenceStore, ExplorerStore, IncidentStore, KnownGoodStore, RecipientStore, StoreError,
    SubmissionStore, UpkeepStore,
};
use tokio::sync::watch;

use platform::config::{KnownGoodConfig, Retention};
use platform::items::Items;
use platform::keys::KeyRing;
use platform::measure;
use platform::recipient::link;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::removal::Removal;
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(600);
/// Over which intake is measured.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Pause between two batches, so that live mail comes first.
const PAUSE: Duration = Duration::from_millis(50);
/// How long what a crash left unfinished is kept: longer than any client still tries the same connection (qmail's
/// rule).
const UNFINISHED_KEPT: Duration = Duration::from_secs(36 * 3600);

/// Files that are encrypted anew before a pause.
const RENEW_BATCH: usize = 100;

/// Batches of what is only remembered that end in one round.
const BATCHES_MAX: usize = 20;

/// The reconciler.
#[derive(Clone, Debug)]
pub struct RetentionWorker {
    /// How long what is kept.
    pub retention: Retention,
    /// How much of known-good content is kept, and how long.
    pub known_good_kept: KnownGoodConfig,
    /// The audit log.
    pub audit: AuditStore,
    /// The journal of evidence, and hits by the hour.
    pub evidence: EvidenceStore,
    /// All mail by queries.
    pub explorer: ExplorerStore,
    /// Incidents.
    pub incidents: IncidentStore,
    /// Content of clean mail, and who sends mail.
    pub known_good: KnownGoodStore,
    /// What recipients ask for and are told.
    pub recipients: RecipientStore,
    /// What people say of verdicts.
    pub submissions: SubmissionStore,
    /// What keeps the store in order.
    pub upkeep: UpkeepStore,
    /// The bytes of known-good content, if they are kept.
    pub vault: Option<Vault>,
    /// Their keys.
    pub ring: KeyRing,
    /// Whether the clock is believed.
    pub removal: Removal,
    /// Wakes the loop when it is believed again.
    pub signals: Signals,
    /// How much may still go.
    pub quotas: Quotas,
    /// What of its work fails.
    pub items: Items,
}

/// How much of each kind may still go. In memory: a start begins with the share of one round.
#[derive(Clone, Debug, Default)]
pub struct Quotas(Arc<Mutex<Earned>>);

/// What was earned, and when last.
#[derive(Debug, Default)]
struct Earned {
    left: BTreeMap<&'static str, Quota>,
    last: Option<Instant>,
}

impl Quotas {
    /// Earns what may go since the last time; `per_hour` of each kind.
    fn earn(&self, per_hour: &[(&'static str, u64)]) {
        let mut earned = self.lock();
        let ran = earned.last.map_or(PERIOD, |last| last.elapsed());
        earned.last = Some(Instant::now());
        for (kind, per_hour) in per_hour {
            earned.left.entry(kind).or_default().earn(ran, *per_hour);
        }
    }

    fn left(&self, kind: &'static str) -> u64 {
        self.lock().left.get(kind).map_or(0, Quota::left)
    }

    fn spend(&self, kind: &'static str, gone: usize) {
        self.lock().left.entry(kind).or_default().spend(gone);
        measure::removed(kind, gone);
    }

    fn lock(&self) -> MutexGuard<'_, Earned> {
        self.0.lock().expect("nobody panics while holding this")
    }
}

/// Units of held mail.
const UNITS: &str = "units";
/// Bytes of messages that have ended.
const BYTES: &str = "bytes";
/// Records of messages.
const RECORDS: &str = "records";
/// Entries of the audit log, of which each message has several.
const ENTRIES: &str = "entries";
/// Bytes that no record names.
const ORPHANS: &str = "orphans";
/// Entries of the audit log that a message makes, about.
const ENTRIES_OF_A_MESSAGE: u64 = 4;

impl Reconciler for RetentionWorker {
    type Memory = ();

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "retention", "a round of retention failed").or_when(&self.signals.retention)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round: expire, lapse, drop bytes, purge records and the log's oldest entries, sweep what a crash left; as
    /// much of each as may go. While the clock is not believed nothing goes, but known-good content beyond its bounds,
    /// which no clock decides over.
    async fn round(&self, _: &mut (), _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let looked = self.removal.look(&self.upkeep).await?;
        if looked.doubt.is_some() {
            self.forget_good(Timestamp::from_micros(0)).await?;
            return Ok(false);
        }
        let now = looked.now;
        self.earn(now).await?;
        let mut expired = 0;
        for category in Category::ALL {
            let item = format!("{} that is over", category.as_str());
            expired += self.items.alone(&item, now, self.expire(category, now)).await?.unwrap_or(0);
        }
        expired += self.items.alone("tentative units", now, self.lapse(now)).await?.unwrap_or(0);
        // Whoever has just said that the clock is right may have erred: from then on there is a whole grace again.
        let may_drop = looked.confirmed.is_none_or(|confirmed| now.since(confirmed) >= GRACE);
        let gone = if may_drop { self.drop_ended(now).await? } else { 0 };
        if expired + gone > 0 {
            tracing::info!(expired, gone, "retention");
        }
        self.items.alone("what is tentative for long", now, self.tell_of_tentative(now)).await?;
        self.items.alone("what is remembered", now, self.forget_remembered(now)).await?;
        let before = now.before(self.known_good_kept.remembered);
        self.items.alone("known-good content", now, self.forget_good(before)).await?;
        Ok(false)
    }
}

impl RetentionWorker {
    /// What may go by now.
    async fn earn(&self, now: Timestamp) -> Result<(), StoreError> {
        let least = self.retention.removals_per_hour;
        let (mails, kept) = self.upkeep.intake_since(now.before(DAY)).await?;
        let (held, records) = (per_hour(least, kept), per_hour(least, mails));
        let entries = per_hour(least, mails * ENTRIES_OF_A_MESSAGE);
        self.quotas.earn(&[(UNITS, held), (BYTES, held), (ORPHANS, held), (RECORDS, records), (ENTRIES, entries)]);
        Ok(())
    }

    /// What was held long enough expires.
    async fn expire(&self, category: Category, now: Timestamp) -> Result<usize, StoreError> {
        let (before, mut expired) = (now.before(self.retention.held(category)), 0);
        while self.quotas.left(UNITS) > 0 {
            let batch = self.upkeep.expire_held(category, before, now, self.quotas.left(UNITS)).await?;
            if !self.went(UNITS, batch, &mut expired).await {
                break;
            }
        }
        Ok(expired)
    }

    /// What nobody ever confirmed lapses.
    async fn lapse(&self, now: Timestamp) -> Result<usize, StoreError> {
        let (unfinished, mut lapsed) = (now.before(UNFINISHED_KEPT), 0);
        while self.quotas.left(UNITS) > 0 {
            let batch = self.upkeep.lapse_tentative(unfinished, now).await?;
            if !self.went(UNITS, batch, &mut lapsed).await {
                break;
            }
        }
        Ok(lapsed)
    }

    /// What cannot be undone: bytes of what ended a whole grace ago, records, entries of the log, bytes that nobody
    /// names. Each kind by itself.
    async fn drop_ended(&self, now: Timestamp) -> Result<usize, StoreError> {
        let kept = &self.retention;
        let (upkeep, unfinished) = (&self.upkeep, system_time(now.before(UNFINISHED_KEPT)));
        let bytes = self.drop_batches(BYTES, |most| upkeep.drop_blobs(now.before(GRACE), most));
        let mut gone = self.items.alone(BYTES, now, bytes).await?.unwrap_or(0);
        let records = self.drop_batches(RECORDS, |most| upkeep.purge_records(now.before(kept.records), now, most));
        gone += self.items.alone(RECORDS, now, records).await?.unwrap_or(0);
        let entries = self.drop_batches(ENTRIES, |_| self.audit.prune_audit(now.before(kept.audit)));
        gone += self.items.alone(ENTRIES, now, entries).await?.unwrap_or(0);
        let orphans = async {
            let (swept, mut gone) = (upkeep.sweep_orphans(unfinished, self.quotas.left(ORPHANS)).await?, 0);
            self.went(ORPHANS, swept, &mut gone).await;
            Ok(gone)
        };
        Ok(gone + self.items.alone(ORPHANS, now, orphans).await?.unwrap_or(0))
    }

    /// Batches of a kind, as many as may go.
    async fn drop_batches<F: Future<Output = Result<usize, StoreError>>>(
        &self,
        kind: &'static str,
        batch: impl Fn(u64) -> F,
    ) -> Result<usize, StoreError> {
        let mut gone = 0;
        while self.quotas.left(kind) > 0 {
            let batch = batch(self.quotas.left(kind)).await?;
            if !self.went(kind, batch, &mut gone).await {
                break;
            }
        }
        Ok(gone)
    }

    /// What is only remembered, for charts, digests and lists.
    async fn forget_remembered(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.before(self.retention.records);
        for _ in 0..BATCHES_MAX {
            let more = [
                self.evidence.forget_hits(before).await?,
                self.explorer.forget_jobs(before).await?,
                self.incidents.forget_people_told(before).await?,
                self.known_good.forget_contacts(now.before(self.known_good_kept.remembered)).await?,
                self.known_good.forget_conversation(now.before(self.known_good_kept.remembered), ROWS_MAX).await?,
            ];
            if !more.contains(&true) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.submissions.forget_submissions(before).await?;
        self.recipients.forget_recipients(now, now.before(link::LINK), before).await?;
        self.upkeep.forget_retries(now.before(RETRY_MEMORY)).await
    }

    /// Known-good content that was not seen since `before`, or is beyond its bounds; and what an older key still
    /// encrypts.
    async fn forget_good(&self, before: Timestamp) -> Result<(), StoreError> {
        let Some(vault) = &self.vault else { return Ok(()) };
        let bounds = &self.known_good_kept;
        for _ in 0..BATCHES_MAX {
            let (parts, mails) = self.known_good.good_to_forget(before, bounds.bytes_max, bounds.mails_max).await?;
            if parts.is_empty() && mails.is_empty() {
                break;
            }
            for digest in parts.iter().chain(&mails) {
                if let Err(error) = vault.remove(*digest) {
                    tracing::warn!(%error, "known-good content could not be removed");
                }
            }
            self.known_good.forget_good(parts, mails).await?;
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
        for unit in self.upkeep.tentative(now.before(TENTATIVE_SHOWN), TENTATIVE_LISTED_MAX).await? {
            tracing::warn!(%unit, "tentative for over an hour: nobody recorded whether the next hop took the rest of \
                its mail");
        }
        Ok(())
    }

    /// Counts a batch of a kind, rests, and says whether there may be another.
    async fn went(&self, kind: &'static str, batch: usize, sum: &mut usize) -> bool {
        *sum += batch;
        self.quotas.spend(kind, batch);
        tokio::time::sleep(PAUSE).await;
        batch > 0
    }
}

/// A moment of domain time beside the times of files.
fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0))
}
