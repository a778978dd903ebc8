//! Reloads of the configuration: one at a time, from the question whether the file can be put in force to what came of
//! it. Whoever asks leaves a plan here; whoever runs the services in this process carries it out
//! ([decision 53](../../../docs/decisions/0053-a-reload-is-a-change-over.md)).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::config::change::{self, Difference};
use crate::config::{Config, files};
use crate::descriptors;
use crate::kept::Kept;
use crate::ports::Ports;

/// How far a reload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The service ends, and begins again with the new settings.
    UnderWay,
    /// No setting has changed: there was nothing to do.
    Unchanged,
    /// The new settings are in force.
    InForce,
    /// It was not begun; everything is as it was.
    Refused,
    /// The service did not start with the new settings; the old ones are in force.
    RolledBack,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::UnderWay, Self::Unchanged, Self::InForce, Self::Refused, Self::RolledBack];

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnderWay => "under way",
            Self::Unchanged => "unchanged",
            Self::InForce => "in force",
            Self::Refused => "refused",
            Self::RolledBack => "rolled back",
        }
    }
}

/// A reload, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Its number since the process began.
    pub number: u64,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// How far it is.
    pub stage: Stage,
    /// What it changes.
    pub changed: Vec<Difference>,
    /// Why it was refused or rolled back.
    pub fault: Option<String>,
    /// How long new connections waited.
    pub waited: Option<Duration>,
}

/// Why a file cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody knows the file.
    #[error("this service was not started with a file")]
    NoFile,
    /// The file is wrong, or one that it names, or an address that is new cannot be listened on.
    #[error("{0}")]
    Wrong(String),
    /// Some of it cannot be changed while the process runs.
    #[error("{0} cannot be changed while the service runs: it needs a restart (`systemctl restart reprieve`)")]
    NeedsRestart(String),
}

/// The right to ask for a reload: nobody else has it meanwhile.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// A configuration that can be put in force.
#[derive(Debug)]
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// What it changes.
    pub changed: Vec<Difference>,
    ports: Ports,
    /// What it was made from, whose addresses are held.
    before: Option<Arc<Config>>,
    turn: Option<Turn>,
}

impl Plan {
    /// It is carried out: what it has opened stays open. The turn ends with what is returned.
    pub fn begin(mut self) -> (Config, Option<Turn>) {
        self.before = None;
        (self.config.clone(), self.turn.take())
    }
}

impl Drop for Plan {
    /// One that is not carried out leaves nothing behind.
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            self.ports.keep(before);
        }
    }
}

/// Where reloads are asked for, and where it stands what came of the last one. Clones are the same.
#[derive(Clone, Debug)]
pub struct Reloads {
    file: Option<PathBuf>,
    plans: Option<mpsc::Sender<Plan>>,
    turn: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    last: Option<Reload>,
}

impl Default for Reloads {
    fn default() -> Self {
        Self { file: None, plans: None, turn: Arc::new(Semaphore::new(1)), state: Arc::default() }
    }
}

impl Reloads {
    /// Those of a file; plans come to whoever has the other end.
    pub fn of(file: &Path) -> (Self, mpsc::Receiver<Plan>) {
        let (plans, come) = mpsc::channel(1);
        (Self { file: Some(file.to_owned()), plans: Some(plans), ..Self::default() }, come)
    }

    /// The file that the process was started with, from the root on. It is read by the path that was given: paths in it
    /// are what they were at the start.
    pub fn file(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()))
    }

    /// The turn, unless somebody has it.
    pub fn turn_now(&self) -> Option<Turn> {
        self.turn.clone().try_acquire_owned().ok().map(|permit| Turn { _permit: permit })
    }

    /// The turn, once nobody else has it.
    pub async fn turn(&self) -> Turn {
        match self.turn.clone().acquire_owned().await {
            Ok(permit) => Turn { _permit: permit },
            // It is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Reads the file and holds it against what is in force. What it wants to listen on is bound then, and closed again
    /// where the plan is dropped.
    ///
    /// # Errors
    /// Why it cannot be put in force.
    pub fn plan(&self, in_force: &Arc<Config>, kept: &Kept) -> Result<Plan, Refusal> {
        let file = self.file.as_deref().ok_or(Refusal::NoFile)?;
        if !std::fs::metadata(file).is_ok_and(|facts| facts.is_file()) {
            return Err(Refusal::Wrong(format!("{}: there is no regular file", file.display())));
        }
        let mut config = Config::load(file).map_err(|error| Refusal::Wrong(error.to_string()))?;
        let unusable = files::unusable(&config);
        if !unusable.is_empty() {
            return Err(Refusal::Wrong(format!("{}: {}", file.display(), unusable.join("; "))));
        }
        descriptors::fit(&mut config, descriptors::hard_limit());
        let changed = change::between(in_force, &config);
        let fixed: Vec<String> = changed.iter().filter(|one| one.needs_restart).map(Difference::name).collect();
        if !fixed.is_empty() {
            return Err(Refusal::NeedsRestart(fixed.join(", ")));
        }
        if let Some((held, wanted)) = kept.ports.overlap(&config) {
            return Err(Refusal::NeedsRestart(format!("the address {held} to {wanted}")));
        }
        kept.ports.open(&config).map_err(|error| Refusal::Wrong(error.to_string()))?;
        Ok(Plan { config, changed, ports: kept.ports.clone(), before: Some(in_force.clone()), turn: None })
    }

    /// Has a plan carried out; the turn is over with it. Returns what is known of it now.
    pub fn carry_out(&self, mut plan: Plan, turn: Turn, by: &str, at: Timestamp) -> Reload {
        let reload = self.note(Stage::UnderWay, by, at, plan.changed.clone(), None);
        plan.turn = Some(turn);
        let not_taken = match &self.plans {
            Some(plans) => plans.try_send(plan).err().map(TrySendError::into_inner),
            None => Some(plan),
        };
        if not_taken.is_none() {
            return reload;
        }
        // The plan has the turn, and it is let go when this is noted: else it could be noted of the next one.
        self.ended(Stage::Refused, Some("nobody carries out reloads here, or the service ends".into()), None);
        drop(not_taken);
        self.last().unwrap_or(reload)
    }

    /// Notes a reload that nothing is carried out for.
    pub fn nothing_to_do(&self, stage: Stage, by: &str, at: Timestamp, fault: Option<String>) -> Reload {
        self.note(stage, by, at, Vec::new(), fault)
    }

    /// Notes how the reload that is under way ended.
    pub fn ended(&self, stage: Stage, fault: Option<String>, waited: Option<Duration>) {
        let mut state = self.state.lock().expect("nobody panics while holding this");
        if let Some(last) = &mut state.last {
            (last.stage, last.fault, last.waited) = (stage, fault, waited);
        }
    }

    /// The last one; none before the first.
    pub fn last(&self) -> Option<Reload> {
        self.state.lock().expect("nobody panics while holding this").last.clone()
    }

    fn note(&self, stage: Stage, by: &str, at: Timestamp, changed: Vec<Difference>, fault: Option<String>) -> Reload {
        let mut state = self.state.lock().expect("nobody panics while holding this");
        state.count += 1;
        let reload = Reload { number: state.count, by: by.to_owned(), at, stage, changed, fault, waited: None };
        state.last = Some(reload.clone());
        reload
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EXAMPLE;
    use std::fs;
    use std::net::TcpStream;

    const LISTENER: &str = "\n[[listener]]\naddress = \"127.0.0.1:PORT\"\nrole = \"submission\"\n";

    fn at() -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000)
    }

    struct Site {
        file: PathBuf,
        in_force: Arc<Config>,
        kept: Kept,
        plans: mpsc::Receiver<Plan>,
        _folder: tempfile::TempDir,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("folder");
            let file = folder.path().join("reprieve.toml");
            let text = EXAMPLE.replace(":8025\"", ":0\"").replace(":10024\"", ":0\"").replace(":25\"", ":0\"");
            fs::write(&file, text).expect("writes");
            let mut config = Config::load(&file).expect("a right one");
            descriptors::fit(&mut config, descriptors::hard_limit());
            let (reloads, plans) = Reloads::of(&file);
            let kept = Kept { reloads, ..Kept::default() };
            Self { file, in_force: Arc::new(config), kept, plans, _folder: folder }
        }

        fn add(&self, more: &str) {
            let text = fs::read_to_string(&self.file).expect("reads");
            fs::write(&self.file, format!("{text}\n{more}")).expect("writes");
        }

        fn replace(&self, from: &str, to: &str) {
            let text = fs::read_to_string(&self.file).expect("reads");
            assert!(text.contains(from), "{from}");
            fs::write(&self.file, text.replacen(from, to, 1)).expect("writes");
        }

        fn plan(&self) -> Result<Plan, Refusal> {
            self.kept.reloads.plan(&self.in_force, &self.kept)
        }
    }

    #[tokio::test]
    async fn a_plan_says_what_changes_and_opens_what_is_new() {
        let mut site = Site::new();
        assert_eq!(site.plan().expect("right").changed, []);
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("an address");
        site.add(&LISTENER.replace("PORT", &free.port().to_string()));
        let plan = site.plan().expect("right");
        assert!(plan.changed.iter().any(|one| one.section.contains(&free.to_string())), "{:?}", plan.changed);
        TcpStream::connect(free).expect("it is bound before anything ends");
        drop(plan);
        assert!(TcpStream::connect(free).is_err(), "a plan that is not carried out leaves nothing");
        let (plan, turn) = (site.plan().expect("right"), site.kept.reloads.turn().await);
        assert!(site.kept.reloads.turn_now().is_none(), "one after the other");
        let reload = site.kept.reloads.carry_out(plan, turn, "somebody", at());
        assert_eq!((reload.number, reload.stage), (1, Stage::UnderWay));
        let (_, turn) = site.plans.recv().await.expect("it is to be carried out").begin();
        TcpStream::connect(free).expect("it stays");
        assert!(site.kept.reloads.turn_now().is_none());
        drop(turn);
        site.kept.reloads.ended(Stage::InForce, None, Some(Duration::from_secs(1)));
        assert!(site.kept.reloads.turn_now().is_some());
        assert_eq!(site.kept.reloads.last().expect("one").stage, Stage::InForce);
    }

    #[tokio::test]
    async fn what_cannot_be_put_in_force_is_refused_with_its_reason() {
        let why = |more: &str| {
            let site = Site::new();
            site.add(more);
            site.plan().expect_err("refused").to_string()
        };
        assert!(why("[limits]\nrecipients = 0\n").contains("limits.recipients"));
        assert!(why("[notices]\nincident_webhook_ca = \"none.pem\"\n").contains("incident_webhook_ca"));
        let site = Site::new();
        site.replace("data_dir = \"", "data_dir = \"/elsewhere");
        let why = site.plan().expect_err("refused").to_string();
        assert!(why.starts_with("data_dir, ") && why.contains("needs a restart"), "{why}");
        let (kept, in_force) = (Kept::default(), site.in_force.clone());
        assert!(matches!(kept.reloads.plan(&in_force, &kept), Err(Refusal::NoFile)));
    }
}
