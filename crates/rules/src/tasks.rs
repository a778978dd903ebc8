//! What this room is given, and the background tasks that are made of it.

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use platform::items::Items;
use platform::shared::Shared;
use platform::task::Task;
use store::known_good::vault::Vault;
use store::{
    AuditStore, ContainmentStore, EntryStore, EvidenceStore, IncidentStore, KnownGoodStore, MailStore, NoticeStore,
    RuleStore, SubmissionStore,
};
use tokio::runtime::Handle;

use crate::contain::ContainmentLoader;
use crate::conviction::ConvictionWorker;
use crate::entries::EntryLoader;
use crate::plan::PlanLoader;
use crate::rate::RateWatcher;
use crate::rollout::RolloutWorker;
use crate::turn::InTurn;

store::parts! {
    /// The parts of the store that decide which detections act, and those that say how they fare.
    pub struct StoreParts {
        /// Each act is written here first.
        pub audit: AuditStore,
        /// What is contained, and what is pinned.
        pub containments: ContainmentStore,
        /// Allow and block entries.
        pub entries: EntryStore,
        /// The journal of evidence, and hits by the hour.
        pub evidence: EvidenceStore,
        /// A conviction opens an incident.
        pub incidents: IncidentStore,
        /// Content of clean mail, and who sends mail.
        pub known_good: KnownGoodStore,
        /// Mail that detections have hit.
        pub mail: MailStore,
        /// What people are called for.
        pub notices: NoticeStore,
        /// Rulesets and their roll-outs, engines, modes.
        pub rules: RuleStore,
        /// What people say of verdicts.
        pub submissions: SubmissionStore,
    }
}

/// What the room is given.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What all rooms share.
    pub shared: Shared,
    /// Its parts of the store.
    pub store: StoreParts,
    /// The bytes of known-good content; none where they are not kept.
    pub vault: Option<Vault>,
    /// The examining processes, which are told what is in force.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
    /// Where rules are compiled, so that live mail does not feel it.
    pub background: Handle,
}

impl Parts {
    /// Every background task of this room.
    pub fn tasks(&self) -> Vec<Task> {
        vec![
            Task::new(self.entry_loader()),
            Task::in_background(self.rollout_worker()),
            Task::new(self.plan_loader()),
            Task::new(self.containment_loader()),
            Task::new(self.conviction_worker()),
            Task::in_background(self.rate_watcher()),
        ]
    }

    /// The same for a drill, whose driver says when their rounds are made.
    pub fn in_turn(&self) -> InTurn {
        InTurn::new(
            self.entry_loader(),
            self.rollout_worker(),
            self.plan_loader(),
            self.conviction_worker(),
            self.containment_loader(),
            self.rate_watcher(),
        )
    }

    /// Keeps the entries in force.
    pub fn entry_loader(&self) -> EntryLoader {
        EntryLoader {
            stored: self.store.entries.clone(),
            entries: self.shared.entries.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
        }
    }

    fn rollout_worker(&self) -> RolloutWorker {
        RolloutWorker {
            pace: self.shared.config.rollout.clone(),
            audit: self.store.audit.clone(),
            known_good: self.store.known_good.clone(),
            rules: self.store.rules.clone(),
            vault: self.vault.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    fn plan_loader(&self) -> PlanLoader {
        PlanLoader {
            rules: self.store.rules.clone(),
            examiner: self.examiner.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            key: self.shared.token_key.for_purpose("canary"),
            background: self.background.clone(),
        }
    }

    /// Keeps in force what is contained.
    pub fn containment_loader(&self) -> ContainmentLoader {
        ContainmentLoader {
            containments: self.store.containments.clone(),
            contained: self.shared.contained.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
        }
    }

    fn conviction_worker(&self) -> ConvictionWorker {
        ConvictionWorker {
            sentinel: self.shared.config.sentinel.clone(),
            border: self.shared.config.border.clone(),
            store: self.store.clone(),
            vault: self.vault.clone(),
            external_engines: self.external_engines.clone(),
            clock: self.shared.clock.clone(),
            key: self.shared.token_key.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    fn rate_watcher(&self) -> RateWatcher {
        RateWatcher {
            evidence: self.store.evidence.clone(),
            notices: self.store.notices.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }
}
