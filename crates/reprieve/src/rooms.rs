//! What each room is given. What it makes of that is its own.

use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use gateway::Gateway;
use platform::keys::KeyRing;
use platform::reconciler::Rounds;
use platform::shared::Shared;
use platform::task::Task;
use store::Store;
use store::known_good::vault::Vault;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// What rooms are given, but for the store.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) shared: Shared,
    pub(crate) vault: Option<Vault>,
    pub(crate) ring: KeyRing,
    pub(crate) examiner: ExaminerPool,
    pub(crate) external_engines: ExternalEngines,
}

impl Given {
    /// Every background task of every room.
    pub(crate) fn tasks(&self, store: &Store, background: &Handle) -> Vec<Task> {
        let mut tasks = self.clone().rules(store, background).tasks();
        tasks.extend(self.clone().recovery(store).tasks());
        tasks.extend(self.clone().operations(store).tasks());
        tasks
    }

    /// Mail in, mail out.
    pub(crate) fn gateway(self, store: Option<&Store>, stopping: watch::Receiver<bool>) -> gateway::start::Given {
        let Self { shared, vault, examiner, external_engines, .. } = self;
        gateway::start::Given { shared, store: store.map(Into::into), vault, examiner, external_engines, stopping }
    }

    /// What decides which detections act; rules are compiled in `background`.
    pub(crate) fn rules(self, store: &Store, background: &Handle) -> rules::tasks::Parts {
        let Self { shared, vault, examiner, external_engines, .. } = self;
        let store = store.into();
        rules::tasks::Parts { shared, store, vault, examiner, external_engines, background: background.clone() }
    }

    /// What takes back.
    pub(crate) fn recovery(self, store: &Store) -> recovery::tasks::Parts {
        let Self { shared, examiner, external_engines, .. } = self;
        recovery::tasks::Parts { shared, store: store.into(), examiner, external_engines }
    }

    /// What keeps order and tells people.
    pub(crate) fn operations(self, store: &Store) -> operations::tasks::Parts {
        let Self { shared, vault, ring, .. } = self;
        operations::tasks::Parts { shared, store: store.into(), vault, ring }
    }

    /// What people can ask for.
    pub(crate) fn service(self, store: Option<Store>, gateway: &Gateway, rounds: Rounds) -> service::Parts {
        let Self { shared, vault, ring, examiner, .. } = self;
        let (learner, readiness) = (gateway.learner.clone(), gateway.readiness.clone());
        service::Parts { shared, store, vault, ring, examiner, learner, rounds, readiness }
    }
}
