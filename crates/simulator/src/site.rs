//! The program under simulation: the rooms that mail is in, over a store of their own, wired as the program wires them
//! but for time, which stands still until the simulator moves it, and for the loops, whose rounds it calls.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use domain::token::TokenKey;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use gateway::engines::Engines;
use gateway::known::KnownNetworks;
use gateway::memory::Memory;
use gateway::place::Places;
use gateway::post_reply::PostReply;
use gateway::repeat::Repeats;
use gateway::{Gateway, StoreParts};
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::clock::{Clock, ManualClock};
use platform::config::Config;
use platform::containment::ContainmentInForce;
use platform::disk::DiskSpace;
use platform::entries::Entries;
use platform::hop::Hops;
use platform::items::Items;
use platform::panic_switch::PanicSwitch;
use platform::priority::Priority;
use platform::readiness::Readiness;
use platform::ruleset_store::keep;
use platform::signals::Signals;
use recovery::incident::IncidentWorker;
use recovery::pacing::Pacing;
use recovery::reexamination::Reexamination;
use recovery::release::Releaser;
use recovery::replay::Replayer;
use rules::contain::ContainmentLoader;
use rules::entries::EntryLoader;
use sqlx::AnyConnection;
use store::upkeep::backup::DATABASE;
use store::{Store, database};
use tokio::sync::{Mutex, watch};
use wire::smtp::client::Timeouts;

use crate::detections::Form;

/// The name of the node, as rows carry it.
const NODE: &str = "gateway.ours.example";
/// Mails a second that releases are sent with: they wait for no pace.
const RELEASES_PER_SECOND: u32 = 1_000_000_000;
/// Workers that release: of this node, and of another one on the same store.
pub(crate) const WORKERS: [&str; 2] = [NODE, "other.ours.example"];

/// One life of the program.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) incidents: IncidentWorker,
    pub(crate) replayer: Replayer,
    pub(crate) entries: EntryLoader,
    pub(crate) containment: ContainmentLoader,
    /// The workers that release, with the names that their claims carry.
    pub(crate) releasers: Vec<Releaser>,
    /// What the simulator looks at the database with, and spoils it.
    pub(crate) database: Mutex<AnyConnection>,
    pub(crate) stop: watch::Receiver<bool>,
    _stops: watch::Sender<bool>,
}

fn config(folder: &Path, hop: SocketAddr) -> Result<Config, String> {
    let text = format!(
        "data_dir = \"data\"\nhostname = \"{NODE}\"\nmode = \"enforce\"\naccepted_domains = [\"ours.example\"]\n\
         trusted_networks = [\"10.0.0.0/24\"]\n[mode_of]\noutbound = \"observe\"\n[[listener]]\naddress = \
         \"127.0.0.1:0\"\nrole = \"mx\"\n[next_hop.inbound]\naddress = \"{hop}\"\ntls = \"none\"\n\
         [next_hop.outbound]\naddress = \"{hop}\"\ntls = \"none\"\n[next_hop.internal]\naddress = \"{hop}\"\n\
         tls = \"none\"\n[api]\naddress = \"127.0.0.1:0\"\n[engine.auth]\non = false\n[known_good]\non = false\n\
         [release]\nconnections = 64\n"
    );
    let faults = |faults: Vec<_>| format!("the configuration of the simulation is wrong: {faults:?}");
    Config::parse(&text, folder).map_err(faults)
}

impl Site {
    /// Starts the program over the store in `folder`, as after a start or a death: what it was forwarding is in doubt,
    /// and what it had claimed is claimed no more.
    pub(crate) async fn start(
        folder: &Path,
        hop: SocketAddr,
        clock: &Arc<ManualClock>,
        examiner: &ExaminerPool,
    ) -> Result<Self, String> {
        let config = Arc::new(config(folder, hop)?);
        let key = TokenKey::new([7; 32]);
        let store = open_store(folder, &key, clock.as_ref()).await.map_err(|error| error.to_string())?;
        let (stops, stop) = watch::channel(false);
        let signals = Signals::default();
        let gateway = gateway(&config, &store, &key, clock, examiner, &stop, &signals)?;
        let state = store.containments.containment(clock.now()).await.map_err(|error| error.to_string())?;
        gateway.contained.put(state);
        let database = database::connect(&database::sqlite_url(&folder.join(DATABASE)))
            .await
            .map_err(|error| error.to_string())?;
        let clock: Arc<dyn Clock> = clock.clone();
        let parts = Parts { config, store: store.clone(), clock, signals, gateway: gateway.clone() };
        Ok(Self {
            incidents: parts.incidents(),
            replayer: parts.replayer(),
            entries: parts.entries(),
            containment: parts.containment(),
            releasers: WORKERS.iter().map(|name| parts.releaser(name)).collect(),
            store,
            gateway,
            database: Mutex::new(database),
            stop,
            _stops: stops,
        })
    }
}

async fn open_store(folder: &Path, key: &TokenKey, clock: &ManualClock) -> Result<Store, store::StoreError> {
    let now = clock.now();
    let store = Store::open_embedded(folder, NODE, key, now).await?;
    if store.rules.ruleset_in_force().await?.is_none() {
        for form in [Form::Earlier, Form::Wrong] {
            let ruleset = form.ruleset().map_err(store::StoreError::Unreadable)?;
            keep(&store.rules, &ruleset, Vec::new(), true, now).await?;
        }
    }
    store.mail.doubt_forwarding(now).await?;
    store.releases.end_leases(Some(&format!("{NODE}/")), now).await?;
    store.notices.end_claims(&format!("{NODE}/"), now).await?;
    Ok(store)
}

fn gateway(
    config: &Arc<Config>,
    store: &Store,
    key: &TokenKey,
    clock: &Arc<ManualClock>,
    examiner: &ExaminerPool,
    stopping: &watch::Receiver<bool>,
    signals: &Signals,
) -> Result<Arc<Gateway>, String> {
    let (room, panic_switch) = (DiskSpace::default(), PanicSwitch::default());
    let readiness = Readiness {
        store: Some(store.health.clone()),
        room: room.clone(),
        panic_switch: panic_switch.clone(),
        stopping: stopping.clone(),
    };
    Ok(Arc::new(Gateway {
        store: Some(parts_of_live_mail(store)),
        examiner: examiner.clone(),
        external_engines: ExternalEngines::new(&config.engines).map_err(|error| error.to_string())?,
        hops: Hops::for_live_mail(config, &Timeouts::default()),
        clock: clock.clone(),
        token_key: key.clone(),
        room,
        readiness,
        panic_switch,
        contained: ContainmentInForce::default(),
        signals: signals.clone(),
        entries: Entries::default(),
        engines: Engines::default(),
        learner: KnownGoodRecorder::idle(),
        met: Arc::new(FirstContacts::default()),
        post_reply: PostReply::default(),
        priority: Priority::default(),
        memory: Memory::new(&config.limits),
        places: Places::new(config.limits.connections(), config.limits.stress_percent),
        known: KnownNetworks::new(config.limits.known),
        repeats: Repeats::new(config.limits.repeats_max),
        config: config.clone(),
    }))
}

/// What live mail needs of the store.
fn parts_of_live_mail(store: &Store) -> StoreParts {
    StoreParts {
        mail: store.mail.clone(),
        blobs: store.blobs().clone(),
        rules: store.rules.clone(),
        known_good: store.known_good.clone(),
    }
}

/// What the background tasks are made of.
struct Parts {
    config: Arc<Config>,
    store: Store,
    clock: Arc<dyn Clock>,
    signals: Signals,
    gateway: Arc<Gateway>,
}

impl Parts {
    fn incidents(&self) -> IncidentWorker {
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
        let gateway = &self.gateway;
        let reexamination = Reexamination {
            border: Arc::new(self.config.border.clone()),
            policy: Arc::new(self.config.policy.clone()),
            sentinel: self.config.sentinel.clone(),
            blobs: self.store.blobs().clone(),
            known_good: self.store.known_good.clone(),
            mail: self.store.mail.clone(),
            examiner: gateway.examiner.clone(),
            external_engines: gateway.external_engines.clone(),
            entries: gateway.entries.clone(),
            contained: gateway.contained.clone(),
            key: gateway.token_key.clone(),
            priority: gateway.priority.clone(),
        };
        // One after the other, so that they are written in the same order in every run.
        let (at_once, items) = (1, Items::default());
        Replayer {
            containments: self.store.containments.clone(),
            entries: self.store.entries.clone(),
            incidents: self.store.incidents.clone(),
            quarantine: self.store.quarantine.clone(),
            rules: self.store.rules.clone(),
            reexamination,
            clock: self.clock.clone(),
            signals: self.signals.clone(),
            at_once,
            items,
        }
    }

    fn entries(&self) -> EntryLoader {
        EntryLoader {
            stored: self.store.entries.clone(),
            entries: self.gateway.entries.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn containment(&self) -> ContainmentLoader {
        ContainmentLoader {
            containments: self.store.containments.clone(),
            contained: self.gateway.contained.clone(),
            clock: self.clock.clone(),
            signals: self.signals.clone(),
        }
    }

    fn releaser(&self, node: &str) -> Releaser {
        Releaser {
            hostname: self.config.hostname.clone(),
            authserv_id: self.config.authserv_id.clone(),
            release: self.config.release,
            blobs: self.store.blobs().clone(),
            releases: self.store.releases.clone(),
            hops: Hops::new(&self.config, self.config.release.connections, &Timeouts::default()),
            pacing: Arc::new(Pacing::of_drill(RELEASES_PER_SECOND)),
            clock: self.clock.clone(),
            token_key: self.gateway.token_key.clone(),
            signals: self.signals.clone(),
            priority: self.gateway.priority.clone(),
            owner: format!("{node}/{}", self.clock.mail_id()),
            items: Items::default(),
        }
    }
}
