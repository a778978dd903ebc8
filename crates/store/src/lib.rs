//! What is remembered: SQL in one portable text on SQLite and PostgreSQL, and blobs beside it.
//!
//! One writer commits in groups: whatever is waiting when it comes round goes into one transaction, so a
//! busy gateway pays for one fsync in many mails, and an idle one waits for nobody. Reads have connections of
//! their own. Time is a parameter everywhere; nothing here looks at a clock.
//!
//! [`Store`] opens it and gives its parts, each about one thing. A room takes the parts that it needs.
//!
//! | module | what it holds |
//! |---|---|
//! | [`blob`] | the bytes of held mail, content-addressed, fsynced |
//! | [`database`] | connections, portable statements, numbered migrations, errors |
//! | `writer` | the group commit: commands, each with its own reply |
//! | [`mail`] | the record of a message: the one transaction; units between accounts |
//! | [`quarantine`] | what is held, what recipients see of it, and what is taken back |
//! | [`explorer`] | all mail by queries: pages, sums, charts, jobs; texts as they are searched |
//! | [`release`] | requests, claims by lease and fence, attempts, outcomes |
//! | [`rules`] | rulesets, policies and engines as they were, roll-outs, modes, entries |
//! | [`evidence`] | the journal of evidence, what is contained, hits, what people say of verdicts |
//! | [`incident`] | what a wrong detection held, and how it is taken back |
//! | [`known_good`] | content of clean mail, who carried it, and its bytes, encrypted |
//! | [`people`] | who may do what, and what takes two |
//! | [`audit`] | who did what; what each group commit wrote, as a leaf of that log; the check of both |
//! | [`events`] | what is recorded, read again in the order of commits for whoever watches from outside |
//! | [`notices`] | what people are called for and told, so that two processes never tell the same |
//! | [`upkeep`] | retention, backups, the checks of database, ledger and bytes, and the last moment that had certainly come |

pub mod audit;
pub mod blob;
mod core;
pub mod database;
pub mod events;
pub mod evidence;
pub mod explorer;
pub mod failpoint;
pub mod incident;
pub mod known_good;
pub mod mail;
pub mod notices;
pub mod people;
pub mod quarantine;
pub mod release;
pub mod rules;
pub mod upkeep;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::Timestamp;
use domain::known_good::HEIRLOOM_CARRIERS;
use domain::token::TokenKey;

pub use crate::audit::AuditStore;
pub use crate::core::HealthStore;
pub use crate::database::error::StoreError;
pub use crate::events::EventStore;
pub use crate::evidence::{ContainmentStore, EvidenceStore, SubmissionStore};
pub use crate::explorer::ExplorerStore;
pub use crate::incident::IncidentStore;
pub use crate::known_good::KnownGoodStore;
pub use crate::mail::MailStore;
pub use crate::notices::NoticeStore;
pub use crate::people::PeopleStore;
pub use crate::people::scope::Scope;
pub use crate::quarantine::{QuarantineStore, RecipientStore};
pub use crate::release::ReleaseStore;
pub use crate::rules::{EntryStore, RuleStore};
pub use crate::upkeep::UpkeepStore;

use crate::blob::Blobs;
use crate::core::Core;
use crate::database::migrate;
use crate::database::soundness::{Reads, Soundness};
use crate::upkeep::{backup, check};
use crate::writer::Writer;

/// The store of one installation: it is opened and closed here, and its parts are taken from here.
///
/// Whoever was given a part has neither the others nor a way to them:
///
/// ```compile_fail,E0599
/// async fn of_the_gateway(mail: store::MailStore) {
///     let _ = mail.all().await;
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn a_way_to_the_others(mail: &store::MailStore) {
///     let _ = &mail.core;
/// }
/// ```
///
/// ```
/// async fn of_a_task(incidents: store::IncidentStore) {
///     let _ = incidents.all().await;
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    core: Arc<Core>,
    /// The audit log.
    pub audit: AuditStore,
    /// What is contained, and what is pinned.
    pub containments: ContainmentStore,
    /// Allow and block entries.
    pub entries: EntryStore,
    /// Events, and how far they were told to whom.
    pub events: EventStore,
    /// The journal of evidence, and hits by the hour.
    pub evidence: EvidenceStore,
    /// All mail by queries.
    pub explorer: ExplorerStore,
    /// Whether the store can be written and read.
    pub health: HealthStore,
    /// Incidents.
    pub incidents: IncidentStore,
    /// Content of clean mail, and who sends mail.
    pub known_good: KnownGoodStore,
    /// Mail and its units.
    pub mail: MailStore,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// People, their sessions and their tokens.
    pub people: PeopleStore,
    /// What is held.
    pub quarantine: QuarantineStore,
    /// What recipients ask for and are told.
    pub recipients: RecipientStore,
    /// Releases.
    pub releases: ReleaseStore,
    /// Rulesets and their roll-outs, policies, engines, modes.
    pub rules: RuleStore,
    /// What people say of verdicts.
    pub submissions: SubmissionStore,
    /// What keeps the store in order.
    pub upkeep: UpkeepStore,
}

/// What a run has left in the middle of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// Units that it was passing on; they are in doubt now.
    pub doubted: usize,
    /// Releases that it had claimed; their leases are over now.
    pub ended: u64,
}

impl Store {
    /// Opens (and where needed makes) the embedded store in `folder`: `reprieve.db` and `blobs/`. `key` seals the audit
    /// log.
    ///
    /// # Errors
    /// When the folder cannot be used, or its schema is newer than this program.
    pub async fn open_embedded(folder: &Path, node: &str, key: &TokenKey, now: Timestamp) -> Result<Self, StoreError> {
        let blobs = Blobs::open(&folder.join(backup::BLOBS))?;
        let url = database::sqlite_url(&folder.join(backup::DATABASE));
        Self::open(&url, blobs, node, key, now).await
    }

    /// Opens a store on a database by its URL: `sqlite:` or `postgres:`.
    ///
    /// # Errors
    /// As [`Store::open_embedded`].
    pub async fn open(url: &str, blobs: Blobs, node: &str, key: &TokenKey, now: Timestamp) -> Result<Self, StoreError> {
        let damage = check::as_damage(url);
        let checked = check::look(url, Some(check::AT_START)).await?;
        if !checked.left.is_empty() {
            let (read, left) = (checked.tables, checked.left.join(", "));
            tracing::warn!(
                read,
                left,
                "the structure of the database was read in part; the rest is read in the background"
            );
        }
        let mut connection = database::connect(url).await.map_err(&damage)?;
        migrate::run(&mut connection, now).await.map_err(&damage)?;
        events::epoch::begin(&mut connection, now).await.map_err(&damage)?;
        let soundness = Soundness::default();
        let reads = Reads::new(database::read_pool(url).await.map_err(&damage)?, soundness.clone());
        let writer = Writer::start(connection, url, node, key, soundness.clone());
        let core = Core {
            url: url.to_owned(),
            reads,
            writer,
            blobs,
            soundness,
            node: node.to_owned(),
            owner: format!("{node}/{}-{}", now.as_micros(), std::process::id()),
            key: key.clone(),
            heirloom: AtomicU64::new(HEIRLOOM_CARRIERS),
        };
        let store = Self::of(&Arc::new(core));
        store.upkeep.read_newest().await.map_err(&damage)?;
        Ok(store)
    }

    fn of(core: &Arc<Core>) -> Self {
        Self {
            core: core.clone(),
            audit: AuditStore::new(core),
            containments: ContainmentStore::new(core),
            entries: EntryStore::new(core),
            events: EventStore::new(core),
            evidence: EvidenceStore::new(core),
            explorer: ExplorerStore::new(core),
            health: HealthStore::new(core),
            incidents: IncidentStore::new(core),
            known_good: KnownGoodStore::new(core),
            mail: MailStore::new(core),
            notices: NoticeStore::new(core),
            people: PeopleStore::new(core),
            quarantine: QuarantineStore::new(core),
            recipients: RecipientStore::new(core),
            releases: ReleaseStore::new(core),
            rules: RuleStore::new(core),
            submissions: SubmissionStore::new(core),
            upkeep: UpkeepStore::new(core),
        }
    }

    /// The blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.core.blobs
    }

    /// The name of this node, as rows carry it.
    pub fn node(&self) -> &str {
        &self.core.node
    }

    /// Takes over what the last run of this node has left in the middle: what it was passing on is in doubt, what it
    /// had claimed is claimed no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_over(&self, now: Timestamp) -> Result<LeftBehind, StoreError> {
        let claimed = format!("{}/", self.core.node);
        let doubted = self.mail.doubt_forwarding(now).await?;
        let ended = self.releases.end_leases(Some(&claimed), now).await?;
        self.notices.end_claims(&claimed, now).await?;
        if doubted > 0 || ended > 0 {
            tracing::warn!(doubted, ended, "the last run was interrupted: units in doubt and leases ended");
        }
        Ok(LeftBehind { doubted, ended })
    }

    /// Waits until everything that was asked for has been written, and closes the database: whoever still has a part of
    /// it cannot write any more.
    pub async fn close(self) {
        self.core.writer.close().await;
        self.core.reads.close().await;
    }
}
