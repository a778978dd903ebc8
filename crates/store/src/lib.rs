//! What is remembered: SQL in one portable text on SQLite and PostgreSQL, and blobs beside it.
//!
//! One writer commits in groups: whatever is waiting when it comes round goes into one transaction, so a
//! busy gateway pays for one fsync in many mails, and an idle one waits for nobody. Reads have connections of
//! their own. Time is a parameter everywhere; nothing here looks at a clock.
//!
//! | module | what it holds |
//! |---|---|
//! | [`blob`] | the bytes of held mail, content-addressed, fsynced |
//! | [`db`], [`migrate`] | connections, portable statements, numbered migrations |
//! | [`writer`] | the group commit |
//! | [`check`] | whether the database is whole |
//! | [`claim`] | who tells people what, so that two processes never do |
//! | [`arrival`] | the record of a message: the one transaction |
//! | [`completion`] | an examination that an engine's failure had left partial |
//! | [`moves`], [`ledger`] | units between accounts, and the check that the books balance |
//! | [`release`] | requests, claims by lease and fence, attempts, outcomes |
//! | [`backup`] | a copy while mail flows |
//! | [`retention`], [`recovery`] | what ends when its time is over, and how that is taken back |
//! | [`reading`] | the last moment that had certainly come, beside which a clock is believed |
//! | [`scrub`] | the check of all stored bytes, and what is damaged |
//! | [`quarantine`], [`trace`], [`explore`], [`facets`], [`saved`], [`bulk`] | what people look at, and what they do to much of it at once |
//! | [`recipient`] | what recipients ask for, and what they are told is held |
//! | [`access`], [`person`], [`agreement`], [`audit`] | who may do what, what takes two, and who did what |
//! | [`journal`], [`verify`] | what each group commit wrote, as a leaf of that log, and the check of both |
//! | [`version`] | rulesets, detections, policies and engines as they were |
//! | [`rollout`] | how a version comes into force and back; modes that people set |
//! | [`memory`] | who sends mail, and which of them carried a content |
//! | [`hearing`] | mail in the order in which it was committed, for who must miss none of it |
//! | [`sentinel`], [`incident`] | the journal of evidence, what is contained, and what is taken back |
//! | [`flow`] | sums of all mail by the hour, from which charts are drawn |
//! | [`fold`] | texts as they are searched, where the databases cannot fold them |
//! | [`hits`], [`alert`], [`submission`] | hits by the hour, what people are called for, and what people say of verdicts |
//! | [`known_good`], [`vault`] | content of clean mail: what is known of it, and its bytes, encrypted |

pub mod access;
pub mod agreement;
pub mod alert;
pub mod arrival;
pub mod audit;
pub mod backup;
pub mod blob;
pub mod bulk;
pub mod check;
pub mod claim;
pub mod client;
pub mod completion;
pub mod contact;
pub mod db;
pub mod digest;
pub mod entry;
pub mod error;
pub mod explore;
pub mod facets;
pub mod failpoint;
pub mod flow;
pub mod fold;
pub mod hearing;
pub mod hits;
pub mod incident;
pub mod journal;
pub mod known_good;
pub mod ledger;
pub mod memory;
pub mod migrate;
pub mod moves;
pub mod notice;
pub mod person;
pub mod quarantine;
pub mod reading;
pub mod recipient;
pub mod recovery;
pub mod release;
pub mod retention;
pub mod rollout;
pub mod saved;
pub mod scope;
pub mod scrub;
pub mod sentinel;
mod soundness;
pub mod submission;
mod told;
pub mod trace;
pub mod vault;
pub mod verify;
pub mod version;
pub mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use domain::Timestamp;
use domain::known_good::HEIRLOOM_CARRIERS;
use domain::token::TokenKey;

pub use error::StoreError;
pub use scope::Scope;

use crate::blob::Blobs;
use crate::soundness::{Reads, Soundness};
use crate::writer::Writer;

/// The store of one installation.
#[derive(Clone, Debug)]
pub struct Store {
    url: String,
    reads: Reads,
    writer: Writer,
    blobs: Blobs,
    soundness: Soundness,
    node: String,
    /// What claims carry: the node and this start of it.
    owner: String,
    key: TokenKey,
    heirloom: Arc<AtomicU64>,
}

impl Store {
    /// Opens (and where needed makes) the embedded store in `folder`: `reprieve.db` and `blobs/`. `key` seals the audit
    /// log.
    ///
    /// # Errors
    /// When the folder cannot be used, or its schema is newer than this program.
    pub async fn open_embedded(folder: &Path, node: &str, key: &TokenKey, now: Timestamp) -> Result<Self, StoreError> {
        let blobs = Blobs::open(&folder.join(backup::BLOBS))?;
        let url = db::sqlite_url(&folder.join(backup::DATABASE));
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
        let mut connection = db::connect(url).await.map_err(&damage)?;
        migrate::run(&mut connection, now).await.map_err(&damage)?;
        let soundness = Soundness::default();
        let reads = Reads::new(db::read_pool(url).await.map_err(&damage)?, soundness.clone());
        let writer = Writer::start(connection, url, node, key, soundness.clone());
        let store = Self {
            url: url.to_owned(),
            reads,
            writer,
            blobs,
            soundness,
            node: node.to_owned(),
            owner: format!("{node}/{}-{}", now.as_micros(), std::process::id()),
            key: key.clone(),
            heirloom: Arc::new(AtomicU64::new(HEIRLOOM_CARRIERS)),
        };
        store.read_newest().await.map_err(&damage)?;
        Ok(store)
    }

    /// The blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// The name of this node, as rows carry it.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Whether the disk or the database's structure has failed, under a write or a read; nothing is accepted into
    /// custody then.
    pub fn is_broken(&self) -> bool {
        self.soundness.is_broken() || self.blobs.is_broken()
    }

    /// What broke the store, if it is.
    pub fn fault(&self) -> Option<String> {
        let on_blobs = || self.blobs.is_broken().then(|| "the folder of held mail could not be written".to_owned());
        self.soundness.fault().map(str::to_owned).or_else(on_blobs)
    }

    /// Whether the last thing that was to be written found no room.
    pub fn is_full(&self) -> bool {
        self.writer.is_full() || self.blobs.is_full()
    }

    /// Waits until everything that was asked for has been written, and closes the database.
    pub async fn close(self) {
        self.writer.drain().await;
        self.reads.close().await;
    }
}
