//! The background tasks: each is given what it needs, and started. Those that a drill brings to rest are
//! [`Reconcilers`]; the others run by themselves or not at all.

use std::sync::Arc;

use gateway::Gateway;
use operations::acknowledge::Acknowledger;
use operations::announce::Announcer;
use operations::call::{self, Caller};
use operations::clock::ClockWatcher;
use operations::flow::FlowRoller;
use operations::fold::Folder;
use operations::held_notice::HeldNotifier;
use operations::integrity::Inspector;
use operations::ledger_audit::Bookkeeper;
use operations::notice::Notifier;
use operations::panic_switch_watch::StanceWatcher;
use operations::retention::{Keeper, Quotas};
use operations::scrub::Scrubber;
use operations::summary::Digester;
use platform::audit_signer::Notary;
use platform::clock::Clock;
use platform::config::Config;
use platform::hop::Hops;
use platform::items::Items;
use platform::keys::Ring;
use platform::ledger_check::Books;
use platform::recipient;
use platform::reconciler::{Reconciler, Rounds};
use platform::removal::Removal;
use platform::signals::Signals;
use platform::system_mail;
use recovery::bulk::BulkWorker;
use recovery::incident::Steward;
use recovery::pacing::Pacing;
use recovery::partial_mail::Reexaminer;
use recovery::reexamination::Retrial;
use recovery::release::Releaser;
use recovery::replay::Replayer;
use recovery::status::{self, Publisher};
use rules::contain::Container;
use rules::conviction::Watcher;
use rules::entries::EntryKeeper;
use rules::plan::Planner;
use rules::rate::RateWatcher;
use rules::rollout::Roller;
use store::Store;
use store::vault::Vault;

use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use wire::smtp::client::Timeouts;
use wire::tls::{self, TlsError};

use crate::settle::Reconcilers;

/// Connections for notices of one kind, so that one channel's slow mail host keeps no other waiting.
const NOTICE_CONNECTIONS: usize = 4;
/// Mails that a replay examines at once, for each core.
const REPLAYED_PER_CORE: usize = 8;

/// What the tasks are made of.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) vault: Option<Vault>,
    pub(crate) ring: Ring,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signals: Signals,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) removal: Removal,
    pub(crate) books: Books,
    pub(crate) cores: usize,
}

/// Starts background tasks.
pub(crate) struct Starter<'s> {
    pub(crate) rounds: &'s Rounds,
    pub(crate) stopping: &'s watch::Receiver<bool>,
    pub(crate) tasks: &'s mut JoinSet<()>,
    /// Threads for what nobody waits for.
    pub(crate) background: &'s Handle,
}

impl Starter<'_> {
    /// Starts one beside live mail.
    pub(crate) fn start(&mut self, reconciler: impl Reconciler) {
        self.tasks.spawn(self.rounds.clone().run(reconciler, self.stopping.clone()));
    }

    /// Starts one that nobody waits for.
    pub(crate) fn behind(&mut self, reconciler: impl Reconciler) {
        self.tasks.spawn_on(self.rounds.clone().run(reconciler, self.stopping.clone()), self.background);
    }
}

impl Parts {
    /// Those that mail is handled by.
    pub(crate) fn reconcilers(&self, pacing: Pacing, background: &Handle) -> Reconcilers {
        Reconcilers {
            entries: self.entry_keeper(),
            roller: self.roller(),
            planner: self.planner(background),
            container: self.container(),
            watcher: self.watcher(),
            steward: self.steward(),
            replayer: self.replayer(),
            reexaminer: self.reexaminer(),
            releaser: self.releaser(pacing),
            publisher: self.publisher(),
        }
    }

    /// Starts all the others; those that nobody waits for run in the background.
    pub(crate) fn start(&self, mut tasks: Starter<'_>) -> Result<(), TlsError> {
        tasks.start(self.keeper());
        tasks.start(self.clock_watcher());
        tasks.start(self.stance_watcher());
        tasks.behind(self.scrubber());
        tasks.behind(self.rate_watcher());
        tasks.behind(self.bookkeeper());
        tasks.behind(self.flow_roller());
        tasks.behind(self.folder());
        tasks.behind(self.bulk_worker());
        tasks.behind(self.inspector());
        let trusted = self.config.announcements.webhook_ca.as_deref().map(tls::certificates).transpose()?;
        let tls = tls::client_config_trusting(trusted.unwrap_or_default())?;
        tasks.start(self.caller(tls.clone()));
        tasks.start(self.announcer(tls));
        tasks.start(self.acknowledger());
        tasks.start(self.held_notifier());
        if self.config.tells_affected {
            tasks.start(self.digester());
        }
        if self.config.tells_senders {
            tasks.start(self.notifier());
        }
        Ok(())
    }

    fn retrial(&self) -> Retrial {
        Retrial {
            config: self.config.clone(),
            store: self.store.clone(),
            examiner: self.gateway.examiner.clone(),
            neighbours: self.gateway.neighbours.clone(),
            entries: self.gateway.entries.clone(),
            contained: self.gateway.contained.clone(),
            key: self.gateway.token_key.clone(),
            way: self.gateway.way.clone(),
        }
    }

    fn entry_keeper(&self) -> EntryKeeper {
        EntryKeeper {
            store: self.store.clone(),
            entries: self.gateway.entries.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn roller(&self) -> Roller {
        Roller {
            config: self.config.clone(),
            store: self.store.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn planner(&self, background: &Handle) -> Planner {
        Planner {
            store: self.store.clone(),
            examiner: self.gateway.examiner.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            key: self.gateway.token_key.for_purpose("canary"),
            background: background.clone(),
        }
    }

    fn container(&self) -> Container {
        Container {
            store: self.store.clone(),
            contained: self.gateway.contained.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn watcher(&self) -> Watcher {
        Watcher {
            config: self.config.clone(),
            store: self.store.clone(),
            vault: self.vault.clone(),
            neighbours: self.gateway.neighbours.clone(),
            clock: self.clock.clone(),
            key: self.gateway.token_key.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn steward(&self) -> Steward {
        Steward {
            config: self.config.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn replayer(&self) -> Replayer {
        Replayer {
            retrial: self.retrial(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            at_once: self.cores * REPLAYED_PER_CORE,
            items: Items::default(),
        }
    }

    fn reexaminer(&self) -> Reexaminer {
        Reexaminer {
            retrial: self.retrial(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn releaser(&self, pacing: Pacing) -> Releaser {
        Releaser {
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Hops::new(&self.config, self.config.release_connections, &Timeouts::default()),
            pacing: Arc::new(pacing),
            clock: self.clock.clone(),
            token_key: self.gateway.token_key.clone(),
            signals: self.signals.clone(),
            way: self.gateway.way.clone(),
            owner: format!("{}/{}", self.store.node(), self.clock.mail_id()),
            items: Items::default(),
        }
    }

    fn publisher(&self) -> Publisher {
        Publisher {
            store: self.store.clone(),
            folder: self.config.data_dir.join(status::FOLDER),
            hostname: self.config.hostname.clone(),
            notary: Notary::new(&self.gateway.token_key, &self.config.hostname),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn keeper(&self) -> Keeper {
        Keeper {
            config: self.config.clone(),
            store: self.store.clone(),
            vault: self.vault.clone(),
            ring: self.ring.clone(),
            removal: self.removal.clone(),
            signals: self.signals.clone(),
            quotas: Quotas::default(),
            items: Items::default(),
        }
    }

    fn clock_watcher(&self) -> ClockWatcher {
        ClockWatcher { store: self.store.clone(), removal: self.removal.clone(), signals: self.signals.clone() }
    }

    fn scrubber(&self) -> Scrubber {
        Scrubber {
            config: self.config.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            way: self.gateway.way.clone(),
            items: Items::default(),
        }
    }

    fn rate_watcher(&self) -> RateWatcher {
        RateWatcher {
            store: self.store.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn bookkeeper(&self) -> Bookkeeper {
        Bookkeeper {
            store: self.store.clone(),
            books: self.books.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            way: self.gateway.way.clone(),
        }
    }

    fn stance_watcher(&self) -> StanceWatcher {
        StanceWatcher {
            store: self.store.clone(),
            switch: self.gateway.panic_switch.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn flow_roller(&self) -> FlowRoller {
        FlowRoller { store: self.store.clone(), clock: self.clock.clone(), way: self.gateway.way.clone() }
    }

    fn folder(&self) -> Folder {
        Folder { store: self.store.clone(), way: self.gateway.way.clone() }
    }

    fn bulk_worker(&self) -> BulkWorker {
        BulkWorker {
            store: self.store.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            way: self.gateway.way.clone(),
            items: Items::default(),
        }
    }

    fn acknowledger(&self) -> Acknowledger {
        Acknowledger {
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Hops::new(&self.config, 1, &system_mail::timeouts()),
            clock: self.clock.clone(),
            items: Items::default(),
        }
    }

    fn notifier(&self) -> Notifier {
        Notifier {
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Hops::new(&self.config, 1, &system_mail::timeouts()),
            clock: self.clock.clone(),
            items: Items::default(),
        }
    }

    fn announcer(&self, tls: Arc<ClientConfig>) -> Announcer {
        Announcer {
            tls,
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Hops::new(&self.config, NOTICE_CONNECTIONS, &system_mail::timeouts()),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn caller(&self, tls: Arc<ClientConfig>) -> Caller {
        Caller {
            tls,
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Hops::new(&self.config, NOTICE_CONNECTIONS, &call::timeouts()),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn inspector(&self) -> Inspector {
        Inspector { store: self.store.clone() }
    }

    fn digester(&self) -> Digester {
        Digester {
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Hops::new(&self.config, 1, &system_mail::timeouts()),
            clock: self.clock.clone(),
            items: Items::default(),
        }
    }

    fn held_notifier(&self) -> HeldNotifier {
        HeldNotifier {
            config: self.config.clone(),
            store: self.store.clone(),
            hops: Arc::new(Hops::new(&self.config, 1, &system_mail::timeouts())),
            clock: self.clock.clone(),
            key: self.gateway.token_key.for_purpose(recipient::PURPOSE),
            languages: Arc::new(self.config.portal.languages.clone()),
            items: Items::default(),
        }
    }
}
