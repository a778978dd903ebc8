//! The background tasks: each is given what it needs, and started. Those that a drill brings to rest are
//! [`Reconcilers`]; the others run by themselves or not at all.

use std::sync::Arc;

use gateway::Gateway;
use operations::acknowledge::Acknowledger;
use operations::announce::Announcer;
use operations::call::{self, Caller};
use operations::clock::ClockWatcher;
use operations::flow::FlowSummer;
use operations::fold::SearchTextWorker;
use operations::held_notice::RecipientNotifier;
use operations::integrity::StructureChecker;
use operations::ledger_audit::LedgerAuditor;
use operations::notice::SenderNotifier;
use operations::panic_switch_watch::PanicSwitchWatcher;
use operations::retention::{Quotas, RetentionWorker};
use operations::scrub::Scrubber;
use operations::summary::SummaryMailer;
use platform::audit_signer::AuditSigner;
use platform::clock::Clock;
use platform::config::Config;
use platform::hop::Hops;
use platform::items::Items;
use platform::keys::KeyRing;
use platform::ledger_check::LedgerCheck;
use platform::recipient;
use platform::reconciler::{Reconciler, Rounds};
use platform::removal::Removal;
use platform::signals::Signals;
use platform::system_mail;
use recovery::bulk::BulkWorker;
use recovery::incident::IncidentWorker;
use recovery::pacing::Pacing;
use recovery::partial_mail::PartialMailWorker;
use recovery::reexamination::Reexamination;
use recovery::release::Releaser;
use recovery::replay::Replayer;
use recovery::status::{self, Publisher};
use rules::contain::ContainmentLoader;
use rules::conviction::ConvictionWorker;
use rules::entries::EntryLoader;
use rules::plan::PlanLoader;
use rules::rate::RateWatcher;
use rules::rollout::RolloutWorker;
use store::Store;
use store::known_good::vault::Vault;

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
    pub(crate) ring: KeyRing,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signals: Signals,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) removal: Removal,
    pub(crate) ledger_check: LedgerCheck,
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
    pub(crate) fn in_background(&mut self, reconciler: impl Reconciler) {
        self.tasks.spawn_on(self.rounds.clone().run(reconciler, self.stopping.clone()), self.background);
    }
}

impl Parts {
    /// Those that mail is handled by.
    pub(crate) fn reconcilers(&self, pacing: Pacing, background: &Handle) -> Reconcilers {
        Reconcilers {
            entries: self.entry_loader(),
            rollout_worker: self.rollout_worker(),
            plan_loader: self.plan_loader(background),
            containment_loader: self.containment_loader(),
            conviction_worker: self.conviction_worker(),
            incident_worker: self.incident_worker(),
            replayer: self.replayer(),
            partial_mail_worker: self.partial_mail_worker(),
            releaser: self.releaser(pacing),
            publisher: self.publisher(),
        }
    }

    /// Starts all the others; those that nobody waits for run in the background.
    pub(crate) fn start(&self, mut tasks: Starter<'_>) -> Result<(), TlsError> {
        tasks.start(self.retention_worker());
        tasks.start(self.clock_watcher());
        tasks.start(self.panic_switch_watcher());
        tasks.in_background(self.scrubber());
        tasks.in_background(self.rate_watcher());
        tasks.in_background(self.ledger_auditor());
        tasks.in_background(self.flow_summer());
        tasks.in_background(self.search_text_worker());
        tasks.in_background(self.bulk_worker());
        tasks.in_background(self.structure_checker());
        let trusted = self.config.notices.announcements.webhook_ca.as_deref().map(tls::certificates).transpose()?;
        let tls = tls::client_config_trusting(trusted.unwrap_or_default())?;
        tasks.start(self.caller(tls.clone()));
        tasks.start(self.announcer(tls));
        tasks.start(self.acknowledger());
        tasks.start(self.recipient_notifier());
        if self.config.notices.tells_affected {
            tasks.start(self.summary_mailer());
        }
        if self.config.notices.tells_senders {
            tasks.start(self.sender_notifier());
        }
        Ok(())
    }

    fn reexamination(&self) -> Reexamination {
        Reexamination {
            border: Arc::new(self.config.border.clone()),
            policy: Arc::new(self.config.policy.clone()),
            sentinel: self.config.sentinel.clone(),
            blobs: self.store.blobs().clone(),
            known_good: self.store.known_good.clone(),
            mail: self.store.mail.clone(),
            examiner: self.gateway.examiner.clone(),
            external_engines: self.gateway.external_engines.clone(),
            entries: self.gateway.entries.clone(),
            contained: self.gateway.contained.clone(),
            key: self.gateway.token_key.clone(),
            priority: self.gateway.priority.clone(),
        }
    }

    fn entry_loader(&self) -> EntryLoader {
        EntryLoader {
            stored: self.store.entries.clone(),
            entries: self.gateway.entries.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn rollout_worker(&self) -> RolloutWorker {
        RolloutWorker {
            pace: self.config.rollout.clone(),
            audit: self.store.audit.clone(),
            known_good: self.store.known_good.clone(),
            rules: self.store.rules.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn plan_loader(&self, background: &Handle) -> PlanLoader {
        PlanLoader {
            rules: self.store.rules.clone(),
            examiner: self.gateway.examiner.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            key: self.gateway.token_key.for_purpose("canary"),
            background: background.clone(),
        }
    }

    fn containment_loader(&self) -> ContainmentLoader {
        ContainmentLoader {
            containments: self.store.containments.clone(),
            contained: self.gateway.contained.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn conviction_worker(&self) -> ConvictionWorker {
        ConvictionWorker {
            sentinel: self.config.sentinel.clone(),
            border: self.config.border.clone(),
            audit: self.store.audit.clone(),
            containments: self.store.containments.clone(),
            evidence: self.store.evidence.clone(),
            incidents: self.store.incidents.clone(),
            known_good: self.store.known_good.clone(),
            mail: self.store.mail.clone(),
            notices: self.store.notices.clone(),
            rules: self.store.rules.clone(),
            submissions: self.store.submissions.clone(),
            vault: self.vault.clone(),
            external_engines: self.gateway.external_engines.clone(),
            clock: self.clock.clone(),
            key: self.gateway.token_key.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn incident_worker(&self) -> IncidentWorker {
        IncidentWorker {
            sentinel: self.config.sentinel.clone(),
            audit: self.store.audit.clone(),
            containments: self.store.containments.clone(),
            entries: self.store.entries.clone(),
            evidence: self.store.evidence.clone(),
            incidents: self.store.incidents.clone(),
            rules: self.store.rules.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn replayer(&self) -> Replayer {
        Replayer {
            containments: self.store.containments.clone(),
            entries: self.store.entries.clone(),
            incidents: self.store.incidents.clone(),
            quarantine: self.store.quarantine.clone(),
            rules: self.store.rules.clone(),
            reexamination: self.reexamination(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            at_once: self.cores * REPLAYED_PER_CORE,
            items: Items::default(),
        }
    }

    fn partial_mail_worker(&self) -> PartialMailWorker {
        PartialMailWorker {
            reexamination: self.reexamination(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn releaser(&self, pacing: Pacing) -> Releaser {
        Releaser {
            hostname: self.config.hostname.clone(),
            authserv_id: self.config.authserv_id.clone(),
            release: self.config.release,
            hops: Hops::new(&self.config, self.config.release.connections, &Timeouts::default()),
            blobs: self.store.blobs().clone(),
            releases: self.store.releases.clone(),
            pacing: Arc::new(pacing),
            clock: self.clock.clone(),
            token_key: self.gateway.token_key.clone(),
            signals: self.signals.clone(),
            priority: self.gateway.priority.clone(),
            owner: format!("{}/{}", self.store.node(), self.clock.mail_id()),
            items: Items::default(),
        }
    }

    fn publisher(&self) -> Publisher {
        Publisher {
            audit: self.store.audit.clone(),
            incidents: self.store.incidents.clone(),
            folder: self.config.data_dir.join(status::FOLDER),
            hostname: self.config.hostname.clone(),
            audit_signer: AuditSigner::new(&self.gateway.token_key, &self.config.hostname),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn retention_worker(&self) -> RetentionWorker {
        RetentionWorker {
            retention: self.config.retention.clone(),
            known_good_kept: self.config.known_good.clone(),
            audit: self.store.audit.clone(),
            evidence: self.store.evidence.clone(),
            explorer: self.store.explorer.clone(),
            incidents: self.store.incidents.clone(),
            known_good: self.store.known_good.clone(),
            recipients: self.store.recipients.clone(),
            submissions: self.store.submissions.clone(),
            upkeep: self.store.upkeep.clone(),
            vault: self.vault.clone(),
            ring: self.ring.clone(),
            removal: self.removal.clone(),
            signals: self.signals.clone(),
            quotas: Quotas::default(),
            items: Items::default(),
        }
    }

    fn clock_watcher(&self) -> ClockWatcher {
        ClockWatcher {
            notices: self.store.notices.clone(),
            upkeep: self.store.upkeep.clone(),
            removal: self.removal.clone(),
            signals: self.signals.clone(),
        }
    }

    fn scrubber(&self) -> Scrubber {
        Scrubber {
            retention: self.config.retention.clone(),
            blobs: self.store.blobs().clone(),
            notices: self.store.notices.clone(),
            upkeep: self.store.upkeep.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            priority: self.gateway.priority.clone(),
            items: Items::default(),
        }
    }

    fn rate_watcher(&self) -> RateWatcher {
        RateWatcher {
            evidence: self.store.evidence.clone(),
            notices: self.store.notices.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn ledger_auditor(&self) -> LedgerAuditor {
        LedgerAuditor {
            notices: self.store.notices.clone(),
            upkeep: self.store.upkeep.clone(),
            ledger_check: self.ledger_check.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            priority: self.gateway.priority.clone(),
        }
    }

    fn panic_switch_watcher(&self) -> PanicSwitchWatcher {
        PanicSwitchWatcher {
            audit: self.store.audit.clone(),
            notices: self.store.notices.clone(),
            switch: self.gateway.panic_switch.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn flow_summer(&self) -> FlowSummer {
        FlowSummer {
            explorer: self.store.explorer.clone(),
            clock: self.clock.clone(),
            priority: self.gateway.priority.clone(),
        }
    }

    fn search_text_worker(&self) -> SearchTextWorker {
        SearchTextWorker { explorer: self.store.explorer.clone(), priority: self.gateway.priority.clone() }
    }

    fn bulk_worker(&self) -> BulkWorker {
        BulkWorker {
            explorer: self.store.explorer.clone(),
            mail: self.store.mail.clone(),
            quarantine: self.store.quarantine.clone(),
            releases: self.store.releases.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            priority: self.gateway.priority.clone(),
            items: Items::default(),
        }
    }

    fn acknowledger(&self) -> Acknowledger {
        Acknowledger {
            hostname: self.config.hostname.clone(),
            border: self.config.border.clone(),
            incidents: self.store.incidents.clone(),
            mail: self.store.mail.clone(),
            notices: self.store.notices.clone(),
            submissions: self.store.submissions.clone(),
            hops: Hops::new(&self.config, 1, &system_mail::timeouts()),
            clock: self.clock.clone(),
            items: Items::default(),
        }
    }

    fn sender_notifier(&self) -> SenderNotifier {
        SenderNotifier {
            hostname: self.config.hostname.clone(),
            border: self.config.border.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.config, 1, &system_mail::timeouts()),
            clock: self.clock.clone(),
            items: Items::default(),
        }
    }

    fn announcer(&self, tls: Arc<ClientConfig>) -> Announcer {
        Announcer {
            tls,
            hostname: self.config.hostname.clone(),
            announcements: self.config.notices.announcements.clone(),
            incidents: self.store.incidents.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.config, NOTICE_CONNECTIONS, &system_mail::timeouts()),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn caller(&self, tls: Arc<ClientConfig>) -> Caller {
        Caller {
            tls,
            hostname: self.config.hostname.clone(),
            announcements: self.config.notices.announcements.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.config, NOTICE_CONNECTIONS, &call::timeouts()),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            items: Items::default(),
        }
    }

    fn structure_checker(&self) -> StructureChecker {
        StructureChecker { upkeep: self.store.upkeep.clone() }
    }

    fn summary_mailer(&self) -> SummaryMailer {
        SummaryMailer {
            hostname: self.config.hostname.clone(),
            border: self.config.border.clone(),
            incidents: self.store.incidents.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.config, 1, &system_mail::timeouts()),
            clock: self.clock.clone(),
            items: Items::default(),
        }
    }

    fn recipient_notifier(&self) -> RecipientNotifier {
        RecipientNotifier {
            hostname: self.config.hostname.clone(),
            border: self.config.border.clone(),
            policy: self.config.policy.clone(),
            portal: self.config.portal.clone(),
            notices: self.store.notices.clone(),
            quarantine: self.store.quarantine.clone(),
            recipients: self.store.recipients.clone(),
            hops: Arc::new(Hops::new(&self.config, 1, &system_mail::timeouts())),
            clock: self.clock.clone(),
            key: self.gateway.token_key.for_purpose(recipient::PURPOSE),
            languages: Arc::new(self.config.portal.languages.clone()),
            items: Items::default(),
        }
    }
}
