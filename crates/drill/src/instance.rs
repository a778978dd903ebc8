//! The isolated instance of a drill: the real gateway as a child process on loopback, with a clock that the drill owns,
//! and a mailbox server.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api_types::ruleset::{PublishAsk, RollbackAsk, RolloutView};
use domain::Timestamp;
use serde::Deserialize;

use super::neighbour::Neighbour;
use super::scenario::{Containment, EstablishAfter, Scenario};
use crate::sink::Sink;
use cli::CliError;
use cli::client::Client;
use platform::clock::DrivenClock;

/// The clock file, the configuration and the log, in the folder of the drill.
const CLOCK: &str = "clock";
const CONFIG: &str = "drill.toml";
const LOG: &str = "log";

/// What a gateway prints when it is ready, as far as a drill needs it.
#[derive(Deserialize)]
struct Ready {
    listeners: Vec<Listener>,
}

#[derive(Deserialize)]
struct Listener {
    address: SocketAddr,
}

/// The instance.
pub struct Instance {
    folder: PathBuf,
    clock: File,
    now: Timestamp,
    starts: u16,
    child: Option<Child>,
    /// Where mail goes in: from outside, and from those who have logged in.
    pub mx: SocketAddr,
    /// See [`Instance::mx`].
    pub submission: SocketAddr,
    /// The API.
    pub client: Client,
    /// The next hop.
    pub sink: Sink,
    /// The engine outside, if the scenario lets one fail.
    pub engine: Option<Neighbour>,
}

impl Instance {
    /// Starts it at a moment.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(folder: &Path, base: &Path, scenario: &Scenario, now: Timestamp) -> Result<Self, CliError> {
        let sink = Sink::start().await.map_err(CliError::unreachable)?;
        let engine = match scenario.has_engine() {
            true => Some(Neighbour::start().await.map_err(CliError::unreachable)?),
            false => None,
        };
        let text = config(base, scenario, sink.address, engine.as_ref().map(|engine| engine.address));
        fs::write(folder.join(CONFIG), text).map_err(CliError::unreachable)?;
        let clock = File::options().create(true).truncate(true).read(true).write(true).open(folder.join(CLOCK));
        let clock = clock.map_err(CliError::unreachable)?;
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let client = Client::at_socket(folder.join("data").join("api.sock"));
        let mut instance = Self {
            folder: folder.to_owned(),
            clock,
            now,
            starts: 0,
            child: None,
            mx: nowhere,
            submission: nowhere,
            client,
            sink,
            engine,
        };
        instance.run()?;
        Ok(instance)
    }

    fn run(&mut self) -> Result<(), CliError> {
        self.starts += 1;
        DrivenClock::set(&self.clock, self.now, self.starts).map_err(CliError::unreachable)?;
        let program = std::env::current_exe().map_err(CliError::unreachable)?;
        let log =
            File::options().create(true).append(true).open(self.folder.join(LOG)).map_err(CliError::unreachable)?;
        let mut child = Command::new(program)
            .args(["serve", "--log", "warn", "--config", CONFIG, "--clock", CLOCK])
            .current_dir(&self.folder)
            .env_remove("REPRIEVE_CONFIG")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(CliError::unreachable)?;
        let mut ready = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut ready).map_err(CliError::unreachable)?;
        }
        self.child = Some(child);
        let ready: Ready = serde_json::from_str(&ready)
            .map_err(|_| CliError::Unreachable(format!("the gateway of the drill does not start:\n{}", self.log())))?;
        let [mx, submission, ..] = ready.listeners.as_slice() else {
            return Err(CliError::Unreachable("the gateway of the drill does not say where it listens".into()));
        };
        (self.mx, self.submission) = (mx.address, submission.address);
        Ok(())
    }

    /// What the gateway has logged, its end.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Domain time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves domain time forward to a moment; never back.
    ///
    /// # Errors
    /// When the clock cannot be written.
    pub fn advance_to(&mut self, at: Timestamp) -> Result<(), CliError> {
        self.now = self.now.max(at);
        DrivenClock::set(&self.clock, self.now, self.starts).map_err(CliError::unreachable)
    }

    /// Moves domain time forward by a span.
    ///
    /// # Errors
    /// When the clock cannot be written.
    pub fn advance(&mut self, span: Duration) -> Result<(), CliError> {
        self.advance_to(self.now.after(span))
    }

    /// Waits until nothing is left to do at this moment.
    ///
    /// # Errors
    /// When the gateway is not there.
    pub async fn settle(&self) -> Result<(), CliError> {
        self.client.signal("/settle").await
    }

    /// SIGKILL, and a new start.
    ///
    /// # Errors
    /// When it does not start again.
    pub fn crash(&mut self) -> Result<(), CliError> {
        self.kill();
        self.run()
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be gone already, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Publishes a ruleset folder; past the gates if `force`.
    ///
    /// # Errors
    /// When it does not load, or a gate says no.
    pub async fn publish(&self, folder: &Path, force: bool) -> Result<(), CliError> {
        let built = cli::ruleset::build_folder(&self.client, folder).await?;
        let path = format!("/api/v1/rulesets/{}/publish", built.id);
        let ask = PublishAsk { force, reason: "drill".into(), actor: "drill".into(), ..PublishAsk::default() };
        self.client.post::<RolloutView>(&path, &ask).await?;
        self.settle().await
    }

    /// Takes back what was published.
    ///
    /// # Errors
    /// When nothing was.
    pub async fn withdraw(&self) -> Result<(), CliError> {
        let ask = RollbackAsk { reason: "drill".into(), actor: "drill".into(), what_if: false };
        self.client.post::<RolloutView>("/api/v1/rollouts/rollback", &ask).await?;
        self.settle().await
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.kill();
    }
}

fn config(base: &Path, scenario: &Scenario, hop: SocketAddr, engine: Option<SocketAddr>) -> String {
    let engine = engine
        .map_or(String::new(), |address| format!("[engine.clamd]\naddress = \"{address}\"\non_failure = \"hold\"\n"));
    let domains = toml::Value::from(scenario.accepted_domains.clone());
    let ruleset = scenario.ruleset.as_ref().filter(|path| !is_plain(&base.join(path)));
    let ruleset = ruleset.map_or(String::new(), |path| {
        format!("ruleset = {}\n", toml::Value::from(base.join(path).display().to_string()))
    });
    let containment = match scenario.containment {
        Containment::Automatic => "automatic",
        Containment::Recommend => "recommend",
    };
    let EstablishAfter { messages, days } =
        scenario.history.as_ref().map_or_else(EstablishAfter::default, |history| history.establish_after);
    let answers = if scenario.history.as_ref().is_some_and(|history| history.correspond) { 0 } else { 2 };
    format!(
        "data_dir = \"data\"\nhostname = \"gateway.drill.example\"\nmode = \"enforce\"\naccepted_domains = \
            {domains}\n{ruleset}\
         trusted_networks = []\n[[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\nxclient_from = \
         [\"127.0.0.1\"]\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"submission\"\nxclient_from = [\"127.0.0.1\"]\n\
         [next_hop.inbound]\naddress = \"{hop}\"\ntls = \"none\"\n[api]\naddress = \"127.0.0.1:0\"\n[engine.auth]\non \
         = false\n\
         {engine}[notices]\noutbound = false\n[known_good]\nmails_a_day = 100000\nmails = 100000\ndays = 3650\n\
         [sentinel]\ncontainment = \"{containment}\"\nestablished_mails = {messages}\nestablished_days = {days}\n\
         established_answers = {answers}\ntrust_from = {}\ntrust_weak_memory = true\n",
        scenario.trust_from
    )
}

/// Whether a ruleset is a folder of plain YARA files, which are added to the shipped ones.
pub fn is_plain(folder: &Path) -> bool {
    detect::ruleset::load::folder_files(folder).is_ok_and(|files| detect::ruleset::load::is_plain(&files))
}
