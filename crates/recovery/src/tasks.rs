//! What this room is given, and the background tasks that are made of it.

use std::sync::Arc;

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use platform::audit_signer::AuditSigner;
use platform::config::Config;
use platform::hop::Hops;
use platform::items::Items;
use platform::shared::Shared;
use platform::task::Task;
use store::blob::Blobs;
use store::{
    AuditStore, ContainmentStore, EntryStore, EvidenceStore, ExplorerStore, IncidentStore, KnownGoodStore, MailStore,
    NoticeStore, QuarantineStore, ReleaseStore, RuleStore,
};
use wire::smtp::client::Timeouts;

use crate::bulk::BulkWorker;
use crate::incident::IncidentWorker;
use crate::pacing::Pacing;
use crate::partial_mail::PartialMailWorker;
use crate::probation::ProbationWorker;
use crate::reexamination::Reexamination;
use crate::release::Releaser;
use crate::replay::Replayer;
use crate::status::{self, Publisher};
use crate::turn::InTurn;

/// Mails that a replay examines at once, for each process.
const REPLAYED_PER_PROCESS: usize = 8;

store::parts! {
    /// The parts of the store that held mail, its incidents and its releases are in.
    pub struct StoreParts {
        /// Each act is written here first.
        pub audit: AuditStore,
        /// The bytes of held mail.
        pub blobs: Blobs,
        /// What is contained, and what is pinned.
        pub containments: ContainmentStore,
        /// Allow and block entries.
        pub entries: EntryStore,
        /// The journal of evidence.
        pub evidence: EvidenceStore,
        /// All mail by queries: what is done to many at once.
        pub explorer: ExplorerStore,
        /// Incidents.
        pub incidents: IncidentStore,
        /// Content of clean mail, and who sends mail.
        pub known_good: KnownGoodStore,
        /// Mail and its units.
        pub mail: MailStore,
        /// What people are called for.
        pub notices: NoticeStore,
        /// What is held.
        pub quarantine: QuarantineStore,
        /// Releases.
        pub releases: ReleaseStore,
        /// What is in force, and what was.
        pub rules: RuleStore,
    }
}

/// What the room is given.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What all rooms share.
    pub shared: Shared,
    /// Its parts of the store.
    pub store: StoreParts,
    /// The examining processes.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
}

impl Parts {
    /// Every background task of this room.
    pub fn tasks(&self) -> Vec<Task> {
        let Config { hostname, release, .. } = self.shared.config.as_ref();
        vec![
            Task::new(self.incident_worker()),
            Task::in_background(self.replayer()),
            Task::in_background(self.partial_mail_worker()),
            Task::in_background(self.probation_worker()),
            Task::in_background(self.releaser(hostname, Pacing::new(release.per_second))),
            Task::in_background(self.bulk_worker()),
            Task::new(self.publisher()),
        ]
    }

    /// The same for a drill, whose driver says when their rounds are made; without what people ask for of many at once.
    pub fn in_turn(&self) -> InTurn {
        let Config { hostname, release, .. } = self.shared.config.as_ref();
        InTurn::new(
            self.incident_worker(),
            self.replayer(),
            self.partial_mail_worker(),
            self.probation_worker(),
            self.releaser(hostname, Pacing::of_drill(release.per_second)),
            self.publisher(),
        )
    }

    fn reexamination(&self) -> Reexamination {
        Reexamination {
            border: Arc::new(self.shared.config.border.clone()),
            policy: Arc::new(self.shared.config.policy.clone()),
            sentinel: self.shared.config.sentinel.clone(),
            blobs: self.store.blobs.clone(),
            known_good: self.store.known_good.clone(),
            mail: self.store.mail.clone(),
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
            entries: self.shared.entries.clone(),
            contained: self.shared.contained.clone(),
            key: self.shared.token_key.clone(),
            priority: self.shared.priority.clone(),
            traces: self.shared.traces.clone(),
        }
    }

    /// Counts in what a wrong detection held, and says when it is over.
    pub fn incident_worker(&self) -> IncidentWorker {
        IncidentWorker {
            sentinel: self.shared.config.sentinel.clone(),
            audit: self.store.audit.clone(),
            containments: self.store.containments.clone(),
            entries: self.store.entries.clone(),
            evidence: self.store.evidence.clone(),
            incidents: self.store.incidents.clone(),
            rules: self.store.rules.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    /// Examines again what a wrong detection held.
    pub fn replayer(&self) -> Replayer {
        Replayer {
            containments: self.store.containments.clone(),
            entries: self.store.entries.clone(),
            incidents: self.store.incidents.clone(),
            quarantine: self.store.quarantine.clone(),
            rules: self.store.rules.clone(),
            reexamination: self.reexamination(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            at_once: self.examiner.processes() * REPLAYED_PER_PROCESS,
            items: Items::default(),
        }
    }

    /// Looks again at what was held because an engine failed.
    pub fn partial_mail_worker(&self) -> PartialMailWorker {
        PartialMailWorker {
            reexamination: self.reexamination(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    /// Decides about mail that a version on probation delays.
    pub fn probation_worker(&self) -> ProbationWorker {
        ProbationWorker {
            audit: self.store.audit.clone(),
            containments: self.store.containments.clone(),
            entries: self.store.entries.clone(),
            evidence: self.store.evidence.clone(),
            notices: self.store.notices.clone(),
            quarantine: self.store.quarantine.clone(),
            rules: self.store.rules.clone(),
            reexamination: self.reexamination(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    /// Sends what is released, no faster than the next hops take it. Claims carry the name of the node.
    pub fn releaser(&self, node: &str, pacing: Pacing) -> Releaser {
        Releaser {
            hostname: self.shared.config.hostname.clone(),
            authserv_id: self.shared.config.authserv_id.clone(),
            release: self.shared.config.release,
            hops: Hops::new(&self.shared.config, self.shared.config.release.connections, &Timeouts::default()),
            blobs: self.store.blobs.clone(),
            releases: self.store.releases.clone(),
            pacing: Arc::new(pacing),
            clock: self.shared.clock.clone(),
            token_key: self.shared.token_key.clone(),
            signals: self.shared.signals.clone(),
            priority: self.shared.priority.clone(),
            owner: format!("{node}/{}", self.shared.clock.mail_id()),
            items: Items::default(),
            traces: self.shared.traces.clone(),
        }
    }

    /// Writes the status page.
    pub fn publisher(&self) -> Publisher {
        Publisher {
            audit: self.store.audit.clone(),
            incidents: self.store.incidents.clone(),
            folder: self.shared.config.data_dir.join(status::FOLDER),
            hostname: self.shared.config.hostname.clone(),
            audit_signer: AuditSigner::new(&self.shared.token_key, &self.shared.config.hostname),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    /// Does what was asked for of everything that a query fits.
    pub fn bulk_worker(&self) -> BulkWorker {
        BulkWorker {
            explorer: self.store.explorer.clone(),
            mail: self.store.mail.clone(),
            quarantine: self.store.quarantine.clone(),
            releases: self.store.releases.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            priority: self.shared.priority.clone(),
            items: Items::default(),
        }
    }
}
