//! The gateway of a program that starts: what it shares with nobody it makes itself.

use std::sync::Arc;

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::disk::DiskSpace;
use platform::readiness::Readiness;
use platform::shared::Shared;
use store::known_good::vault::Vault;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Gateway, Parts, StoreParts};

/// What the gateway of a program is given.
#[derive(Debug)]
pub struct Given {
    /// What all rooms share.
    pub shared: Shared,
    /// The store; without one (it would not open) only the panic switch lets mail through.
    pub store: Option<StoreParts>,
    /// The bytes of known-good content; none where they are not kept.
    pub vault: Option<Vault>,
    /// The examining processes.
    pub examiner: ExaminerPool,
    /// The engines beside them.
    pub external_engines: ExternalEngines,
    /// Whether the program ends.
    pub stopping: watch::Receiver<bool>,
}

impl Given {
    /// The gateway, which knows the networks again that have sent good mail. The panic switch and the room on its disk
    /// are looked at before it takes any, and for as long as it is there.
    pub async fn start(self) -> Gateway {
        let met = Arc::new(FirstContacts::default());
        let learner = self.learner(&met);
        let mut watches = JoinSet::new();
        let readiness = self.readiness(&mut watches);
        let (switch, file) = (self.shared.panic_switch.clone(), self.shared.config.panic_file.clone());
        switch.look(&file, self.shared.clock.as_ref()).await;
        watches.spawn(switch.watch(file, self.shared.clock.clone()));
        let Self { shared, store, examiner, external_engines, .. } = self;
        let mut gateway = Gateway::new(Parts { shared, store, examiner, external_engines, readiness, met, learner });
        gateway.watches = watches;
        gateway.tell_limits();
        if let Some(store) = &gateway.store {
            gateway.known.recall(&store.mail).await;
        }
        gateway
    }

    fn learner(&self, met: &Arc<FirstContacts>) -> KnownGoodRecorder {
        let (Some(store), Some(vault)) = (&self.store, &self.vault) else { return KnownGoodRecorder::idle() };
        let (settings, key) = (self.shared.config.known_good.clone(), self.shared.token_key.clone());
        KnownGoodRecorder::start(store.known_good.clone(), vault.clone(), settings, key, met.clone())
    }

    fn readiness(&self, watches: &mut JoinSet<()>) -> Readiness {
        let config = &self.shared.config;
        Readiness {
            store: self.store.as_ref().map(|store| store.health.clone()),
            room: DiskSpace::watched(&config.data_dir, config.retention.disk_floor_bytes, watches),
            panic_switch: self.shared.panic_switch.clone(),
            stopping: self.stopping.clone(),
        }
    }
}
