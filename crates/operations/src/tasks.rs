//! What this room is given, and the background tasks that are made of it.

use std::sync::Arc;

use domain::event::Source;
use platform::authorities::Authorities;
use platform::bypassed;
use platform::config::events::EventSinkConfig;
use platform::disk::RoomForMail;
use platform::hop::Hops;
use platform::items::Items;
use platform::keys::KeyRing;
use platform::shared::Shared;
use platform::sink::Sink;
use platform::task::Task;
use platform::{recipient, system_mail};
use store::blob::Blobs;
use store::known_good::vault::Vault;
use store::{
    AuditStore, EventStore, EvidenceStore, ExplorerStore, IncidentStore, KnownGoodStore, MailStore, NoticeStore,
    QuarantineStore, RecipientStore, SubmissionStore, UpkeepStore,
};

use crate::acknowledge::Acknowledger;
use crate::announce::Announcer;
use crate::call::{self, Caller};
use crate::certificate_watch::CertificateWatcher;
use crate::clock::ClockWatcher;
use crate::events::{self, EventTeller};
use crate::flow::FlowSummer;
use crate::fold::SearchTextWorker;
use crate::gauges::GaugeSetter;
use crate::held_notice::RecipientNotifier;
use crate::hold::HoldWorker;
use crate::integrity::StructureChecker;
use crate::ledger_audit::LedgerAuditor;
use crate::notice::SenderNotifier;
use crate::panic_switch_watch::PanicSwitchWatcher;
use crate::reload_watch::ReloadWatcher;
use crate::retention::{Quotas, RetentionWorker};
use crate::scrub::Scrubber;
use crate::summary::SummaryMailer;

/// Connections for notices of one kind, so that one channel's slow mail host keeps no other waiting.
const NOTICE_CONNECTIONS: usize = 4;

store::parts! {
    /// The parts of the store that are kept in order, and those that people are told of.
    pub struct StoreParts {
        /// Each act is written here first.
        pub audit: AuditStore,
        /// The bytes of held mail.
        pub blobs: Blobs,
        /// Events, and how far they were told to whom.
        pub events: EventStore,
        /// The journal of evidence, and hits by the hour.
        pub evidence: EvidenceStore,
        /// All mail: its sums, and its texts for searching.
        pub explorer: ExplorerStore,
        /// Incidents.
        pub incidents: IncidentStore,
        /// Content of clean mail, and who sends mail.
        pub known_good: KnownGoodStore,
        /// Mail and its units.
        pub mail: MailStore,
        /// What people are called for and told.
        pub notices: NoticeStore,
        /// What is held.
        pub quarantine: QuarantineStore,
        /// What recipients ask for and are told.
        pub recipients: RecipientStore,
        /// What people say of verdicts.
        pub submissions: SubmissionStore,
        /// What keeps the store in order.
        pub upkeep: UpkeepStore,
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
    /// The keys that encrypt them.
    pub ring: KeyRing,
}

impl Parts {
    /// Every background task of this room that the configuration asks for.
    pub fn tasks(&self) -> Vec<Task> {
        let notices = &self.shared.config.notices;
        let mut tasks = self.keeping_order();
        tasks.extend([
            Task::new(self.caller()),
            Task::new(self.announcer()),
            Task::new(self.acknowledger()),
            Task::new(self.recipient_notifier()),
        ]);
        if !self.shared.config.event_sinks.is_empty() {
            tasks.push(Task::new(self.event_teller()));
        }
        if notices.tells_affected {
            tasks.push(Task::new(self.summary_mailer()));
        }
        if notices.tells_senders {
            tasks.push(Task::new(self.sender_notifier()));
        }
        tasks
    }

    fn keeping_order(&self) -> Vec<Task> {
        vec![
            Task::new(self.retention_worker()),
            Task::new(self.clock_watcher()),
            Task::new(self.panic_switch_watcher()),
            Task::new(self.certificate_watcher()),
            Task::new(self.reload_watcher()),
            Task::new(self.gauge_setter()),
            Task::in_background(self.scrubber()),
            Task::in_background(self.ledger_auditor()),
            Task::in_background(self.flow_summer()),
            Task::in_background(self.search_text_worker()),
            Task::in_background(self.structure_checker()),
            Task::in_background(self.hold_worker()),
        ]
    }

    fn retention_worker(&self) -> RetentionWorker {
        RetentionWorker {
            retention: self.shared.config.retention.clone(),
            known_good_kept: self.shared.config.known_good.clone(),
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
            removal: self.shared.removal.clone(),
            signals: self.shared.signals.clone(),
            quotas: Quotas::default(),
            items: Items::default(),
        }
    }

    fn clock_watcher(&self) -> ClockWatcher {
        ClockWatcher {
            notices: self.store.notices.clone(),
            upkeep: self.store.upkeep.clone(),
            removal: self.shared.removal.clone(),
            signals: self.shared.signals.clone(),
        }
    }

    fn scrubber(&self) -> Scrubber {
        Scrubber {
            retention: self.shared.config.retention.clone(),
            blobs: self.store.blobs.clone(),
            notices: self.store.notices.clone(),
            upkeep: self.store.upkeep.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            priority: self.shared.priority.clone(),
            items: Items::default(),
        }
    }

    fn ledger_auditor(&self) -> LedgerAuditor {
        LedgerAuditor {
            notices: self.store.notices.clone(),
            upkeep: self.store.upkeep.clone(),
            ledger_check: self.shared.ledger_check.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            priority: self.shared.priority.clone(),
        }
    }

    fn panic_switch_watcher(&self) -> PanicSwitchWatcher {
        PanicSwitchWatcher {
            audit: self.store.audit.clone(),
            notices: self.store.notices.clone(),
            switch: self.shared.panic_switch.clone(),
            list: self.shared.config.data_dir.join(bypassed::FILE),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
        }
    }

    fn certificate_watcher(&self) -> CertificateWatcher {
        CertificateWatcher {
            certificates: self.shared.certificates.clone(),
            notices: self.store.notices.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
        }
    }

    fn reload_watcher(&self) -> ReloadWatcher {
        ReloadWatcher {
            reloads: self.shared.kept.reloads.clone(),
            notices: self.store.notices.clone(),
            audit: self.store.audit.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
        }
    }

    fn gauge_setter(&self) -> GaugeSetter {
        GaugeSetter {
            notices: self.store.notices.clone(),
            incidents: self.store.incidents.clone(),
            contained: self.shared.contained.clone(),
        }
    }

    fn flow_summer(&self) -> FlowSummer {
        FlowSummer {
            explorer: self.store.explorer.clone(),
            clock: self.shared.clock.clone(),
            priority: self.shared.priority.clone(),
        }
    }

    fn search_text_worker(&self) -> SearchTextWorker {
        SearchTextWorker { explorer: self.store.explorer.clone(), priority: self.shared.priority.clone() }
    }

    fn acknowledger(&self) -> Acknowledger {
        Acknowledger {
            hostname: self.shared.config.hostname.clone(),
            border: self.shared.config.border.clone(),
            incidents: self.store.incidents.clone(),
            mail: self.store.mail.clone(),
            notices: self.store.notices.clone(),
            submissions: self.store.submissions.clone(),
            hops: Hops::new(&self.shared.config, 1, &system_mail::timeouts()),
            clock: self.shared.clock.clone(),
            items: Items::default(),
        }
    }

    fn sender_notifier(&self) -> SenderNotifier {
        SenderNotifier {
            hostname: self.shared.config.hostname.clone(),
            border: self.shared.config.border.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.shared.config, 1, &system_mail::timeouts()),
            clock: self.shared.clock.clone(),
            items: Items::default(),
        }
    }

    fn announcer(&self) -> Announcer {
        Announcer {
            authorities: self.authorities(),
            hostname: self.shared.config.hostname.clone(),
            announcements: self.shared.config.notices.announcements.clone(),
            incidents: self.store.incidents.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.shared.config, NOTICE_CONNECTIONS, &system_mail::timeouts()),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    /// Who vouches for webhooks.
    fn authorities(&self) -> Authorities {
        Authorities::with(self.shared.config.notices.announcements.webhook_ca.as_deref())
    }

    fn caller(&self) -> Caller {
        Caller {
            authorities: self.authorities(),
            hostname: self.shared.config.hostname.clone(),
            announcements: self.shared.config.notices.announcements.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.shared.config, NOTICE_CONNECTIONS, &call::timeouts()),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            items: Items::default(),
        }
    }

    fn hold_worker(&self) -> HoldWorker {
        HoldWorker {
            upkeep: self.store.upkeep.clone(),
            clock: self.shared.clock.clone(),
            signals: self.shared.signals.clone(),
            priority: self.shared.priority.clone(),
        }
    }

    fn event_teller(&self) -> EventTeller {
        let config = &self.shared.config;
        let room = RoomForMail::above(&config.data_dir, config.retention.disk_floor_bytes);
        let sink = |sink: &EventSinkConfig| (sink.clone(), Sink::new(sink, &config.hostname, room.clone()));
        let sinks = config.event_sinks.iter().map(sink);
        EventTeller {
            sinks: Arc::new(sinks.collect()),
            source: Source { host: config.hostname.clone(), version: env!("CARGO_PKG_VERSION").to_owned() },
            audit: self.store.audit.clone(),
            events: self.store.events.clone(),
            clock: self.shared.clock.clone(),
            items: Items::resting_at_most(events::REST_MAX),
        }
    }

    fn structure_checker(&self) -> StructureChecker {
        StructureChecker { upkeep: self.store.upkeep.clone() }
    }

    fn summary_mailer(&self) -> SummaryMailer {
        SummaryMailer {
            hostname: self.shared.config.hostname.clone(),
            border: self.shared.config.border.clone(),
            incidents: self.store.incidents.clone(),
            notices: self.store.notices.clone(),
            hops: Hops::new(&self.shared.config, 1, &system_mail::timeouts()),
            clock: self.shared.clock.clone(),
            items: Items::default(),
        }
    }

    fn recipient_notifier(&self) -> RecipientNotifier {
        RecipientNotifier {
            hostname: self.shared.config.hostname.clone(),
            border: self.shared.config.border.clone(),
            policy: self.shared.config.policy.clone(),
            portal: self.shared.config.portal.clone(),
            notices: self.store.notices.clone(),
            quarantine: self.store.quarantine.clone(),
            recipients: self.store.recipients.clone(),
            hops: Arc::new(Hops::new(&self.shared.config, 1, &system_mail::timeouts())),
            clock: self.shared.clock.clone(),
            key: self.shared.token_key.for_purpose(recipient::PURPOSE),
            languages: Arc::new(self.shared.config.portal.languages.clone()),
            items: Items::default(),
        }
    }
}
