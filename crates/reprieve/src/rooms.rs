//! What each room is given.

use std::sync::Arc;

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use platform::keys::KeyRing;
use platform::ledger_check::LedgerCheck;
use platform::panic_switch::PanicSwitch;
use platform::removal::Removal;
use platform::shared::Shared;
use recovery::pacing::Pacing;
use store::Store;
use store::known_good::vault::Vault;
use tokio::runtime::Handle;

/// What rooms are given, but for the store.
pub(crate) struct Given {
    pub(crate) shared: Shared,
    pub(crate) vault: Option<Vault>,
    pub(crate) ring: KeyRing,
    pub(crate) removal: Removal,
    pub(crate) ledger_check: LedgerCheck,
    pub(crate) panic_switch: PanicSwitch,
    pub(crate) examiner: ExaminerPool,
    pub(crate) external_engines: ExternalEngines,
    pub(crate) cores: usize,
}

/// What live mail needs of the store.
pub(crate) fn parts_of_live_mail(store: &Store) -> gateway::StoreParts {
    gateway::StoreParts {
        mail: store.mail.clone(),
        blobs: store.blobs().clone(),
        rules: store.rules.clone(),
        known_good: store.known_good.clone(),
    }
}

impl Given {
    /// What decides which detections act; rules are compiled in `background`.
    pub(crate) fn rules(&self, store: &Store, background: &Handle) -> rules::tasks::Parts {
        let parts = rules::tasks::StoreParts {
            audit: store.audit.clone(),
            containments: store.containments.clone(),
            entries: store.entries.clone(),
            evidence: store.evidence.clone(),
            incidents: store.incidents.clone(),
            known_good: store.known_good.clone(),
            mail: store.mail.clone(),
            notices: store.notices.clone(),
            rules: store.rules.clone(),
            submissions: store.submissions.clone(),
        };
        rules::tasks::Parts {
            shared: self.shared.clone(),
            store: parts,
            vault: self.vault.clone(),
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
            background: background.clone(),
        }
    }

    /// What takes back.
    pub(crate) fn recovery(&self, store: &Store, pacing: Pacing) -> recovery::tasks::Parts {
        let parts = recovery::tasks::StoreParts {
            audit: store.audit.clone(),
            blobs: store.blobs().clone(),
            containments: store.containments.clone(),
            entries: store.entries.clone(),
            evidence: store.evidence.clone(),
            explorer: store.explorer.clone(),
            incidents: store.incidents.clone(),
            known_good: store.known_good.clone(),
            mail: store.mail.clone(),
            quarantine: store.quarantine.clone(),
            releases: store.releases.clone(),
            rules: store.rules.clone(),
        };
        recovery::tasks::Parts {
            shared: self.shared.clone(),
            store: parts,
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
            pacing: Arc::new(pacing),
            node: store.node().to_owned(),
            cores: self.cores,
        }
    }

    /// What keeps order and tells people.
    pub(crate) fn operations(&self, store: &Store) -> operations::tasks::Parts {
        let parts = operations::tasks::StoreParts {
            audit: store.audit.clone(),
            blobs: store.blobs().clone(),
            evidence: store.evidence.clone(),
            explorer: store.explorer.clone(),
            incidents: store.incidents.clone(),
            known_good: store.known_good.clone(),
            mail: store.mail.clone(),
            notices: store.notices.clone(),
            quarantine: store.quarantine.clone(),
            recipients: store.recipients.clone(),
            submissions: store.submissions.clone(),
            upkeep: store.upkeep.clone(),
        };
        operations::tasks::Parts {
            shared: self.shared.clone(),
            store: parts,
            vault: self.vault.clone(),
            ring: self.ring.clone(),
            removal: self.removal.clone(),
            ledger_check: self.ledger_check.clone(),
            panic_switch: self.panic_switch.clone(),
        }
    }
}
