//! The program under simulation: the rooms that mail is in, over a store of their own, wired as the program wires them
//! but for time, which stands still until the simulator moves it, and for the loops, whose rounds it calls.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use domain::token::TokenKey;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use gateway::Gateway;
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::clock::{Clock, ManualClock};
use platform::config::Config;
use platform::disk::DiskSpace;
use platform::readiness::Readiness;
use platform::ruleset_store::keep;
use platform::shared::Shared;
use recovery::incident::IncidentWorker;
use recovery::pacing::Pacing;
use recovery::release::Releaser;
use recovery::replay::Replayer;
use rules::contain::ContainmentLoader;
use rules::entries::EntryLoader;
use sqlx::AnyConnection;
use store::upkeep::backup::DATABASE;
use store::{Store, database};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

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
        let outside = ExternalEngines::new(&config.engines).map_err(|error| error.to_string())?;
        let shared = Shared::new(config, clock.clone(), key);
        let made = Made { shared, store: store.clone(), examiner: examiner.clone(), external_engines: outside };
        let gateway = Arc::new(made.gateway(&stop));
        let state = store.containments.containment(clock.now()).await.map_err(|error| error.to_string())?;
        gateway.contained.put(state);
        let database = database::connect(&database::sqlite_url(&folder.join(DATABASE)))
            .await
            .map_err(|error| error.to_string())?;
        let (rules, recovery) = (made.rules(), made.recovery());
        let releaser = |name: &&str| recovery.releaser(name, Pacing::of_drill(RELEASES_PER_SECOND));
        // One after the other, so that they are written in the same order in every run.
        let replayer = Replayer { at_once: 1, ..recovery.replayer() };
        Ok(Self {
            incidents: recovery.incident_worker(),
            replayer,
            entries: rules.entry_loader(),
            containment: rules.containment_loader(),
            releasers: WORKERS.iter().map(releaser).collect(),
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
    store.take_over(now).await?;
    Ok(store)
}

/// What the rooms are made of.
struct Made {
    shared: Shared,
    store: Store,
    examiner: ExaminerPool,
    external_engines: ExternalEngines,
}

impl Made {
    fn gateway(&self, stopping: &watch::Receiver<bool>) -> Gateway {
        let readiness = Readiness {
            store: Some(self.store.health.clone()),
            room: DiskSpace::default(),
            panic_switch: self.shared.panic_switch.clone(),
            stopping: stopping.clone(),
        };
        Gateway::new(gateway::Parts {
            shared: self.shared.clone(),
            store: Some((&self.store).into()),
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
            readiness,
            met: Arc::new(FirstContacts::default()),
            learner: KnownGoodRecorder::idle(),
        })
    }

    fn rules(&self) -> rules::tasks::Parts {
        rules::tasks::Parts {
            shared: self.shared.clone(),
            store: (&self.store).into(),
            vault: None,
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
            background: Handle::current(),
        }
    }

    fn recovery(&self) -> recovery::tasks::Parts {
        recovery::tasks::Parts {
            shared: self.shared.clone(),
            store: (&self.store).into(),
            examiner: self.examiner.clone(),
            external_engines: self.external_engines.clone(),
        }
    }
}
