//! `reprieve support-bundle`: diagnostics for support, without any mail content. It lists what it puts in before it
//! writes. A service that does not run, and whatever else cannot be read, is listed as missing.

mod scrub;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api_types::health::{HealthView, SectionView, SettingView};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use platform::clock::SystemClock;
use platform::config::Config;
use platform::config::shown::shown;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use store::database::migrate;
use store::upkeep::backup::DATABASE;

use self::scrub::Scrubber;
use super::client::Client;
use super::{CliError, doctor, terminal};

/// Lines of the log that are taken.
const LOG_LINES: &str = "2000";
/// Bytes of one file of the bundle at most; of more the end is taken.
const PIECE_BYTES_MAX: usize = 4 << 20;
/// How long a program of the system may take.
const PROGRAM_TIME: Duration = Duration::from_secs(20);
/// The unit whose log it is.
const UNIT: &str = "reprieve.service";
/// What is read of the kernel: its version and this process' limits are the service's, unless its unit says otherwise.
const KERNEL: [&str; 5] =
    ["/proc/version", "/proc/self/limits", "/proc/meminfo", "/proc/loadavg", "/proc/sys/fs/file-nr"];

/// Where to write.
#[derive(Debug, Args)]
pub struct SupportBundleArgs {
    /// The file to write, such as bundle.tar.gz; it must not exist.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The configuration of the gateway on this host.
    #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
    config: PathBuf,
}

/// What is put in, and what could not be had.
#[derive(Debug)]
struct Bundle {
    scrubber: Scrubber,
    pieces: Vec<(String, Vec<u8>)>,
    missing: Vec<(String, String)>,
}

/// Gathers, says what it has, and writes.
///
/// # Errors
/// When the file cannot be written, or is there already.
pub async fn run(args: SupportBundleArgs) -> Result<(), CliError> {
    let mut bundle = Bundle { scrubber: Scrubber::new(&SystemClock), pieces: Vec::new(), missing: Vec::new() };
    bundle.text("version.txt", &format!("reprieve {}\n", env!("CARGO_PKG_VERSION")));
    bundle.kernel();
    let config = Config::load(&args.config);
    if let Some((zones, _)) = config.as_ref().ok().and_then(|config| config.engines.dnsbl.as_ref()) {
        bundle.scrubber.know_lists(zones);
    }
    bundle.log().await;
    match config {
        Ok(config) => bundle.of_installation(&config).await,
        Err(error) => bundle.miss("configuration", &error.to_string()),
    }
    let missing: Vec<Value> = bundle.missing.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect();
    bundle.json("missing.json", json!(missing));
    bundle.pieces.iter().for_each(|(name, bytes)| terminal::line(&format!("{name}  {} bytes", bytes.len())));
    bundle.missing.iter().for_each(|(what, why)| terminal::line(&format!("missing: {what}: {why}")));
    terminal::line(
        "addresses, URLs, quoted texts and replies of other hosts are replaced by hashes; it has no mail content",
    );
    let failed = |error: io::Error| CliError::Unreachable(format!("{}: {error}", args.output.display()));
    write(&args.output, &bundle.pieces).map_err(failed)?;
    terminal::line(&format!("written: {}", args.output.display()));
    Ok(())
}

impl Bundle {
    fn text(&mut self, name: &str, text: &str) {
        let text = self.scrubber.text(text);
        let from = text.floor_char_boundary(text.len().saturating_sub(PIECE_BYTES_MAX));
        self.pieces.push((name.to_owned(), text.as_bytes()[from..].to_vec()));
    }

    fn json(&mut self, name: &str, mut value: Value) {
        self.scrubber.json(&mut value);
        self.pieces.push((name.to_owned(), format!("{value:#}\n").into_bytes()));
    }

    fn miss(&mut self, what: &str, why: &str) {
        let why = self.scrubber.text(why);
        self.missing.push((what.to_owned(), why));
    }

    fn kernel(&mut self) {
        let read = |path: &str| format!("== {path}\n{}\n", fs::read_to_string(path).unwrap_or_default());
        self.text("kernel.txt", &KERNEL.map(read).concat());
    }

    /// The last lines of the service's log, where the journal can be read.
    async fn log(&mut self) {
        let mut journal = Command::new("journalctl");
        journal.args(["--unit", UNIT, "--lines", LOG_LINES, "--no-pager", "--output", "short-iso"]);
        let said = match journal.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() {
            Ok(child) => output(child).await,
            Err(error) => Err(error.to_string()),
        };
        match said {
            Ok(said) => self.text("log.txt", &String::from_utf8_lossy(&said)),
            Err(why) => self.miss("log", &format!("journalctl: {why}")),
        }
    }

    async fn of_installation(&mut self, config: &Config) {
        self.json("settings.json", json!(settings(config)));
        self.json("doctor.json", json!(doctor::look(config).await));
        self.database(config).await;
        let client = Client::at_socket(config.api.socket.clone());
        match client.get_bytes("/metrics").await {
            Ok(metrics) => self.metrics(&String::from_utf8_lossy(&metrics)),
            Err(error) => self.miss("metrics", &told(error)),
        }
        for (name, path) in [("ledger", "/api/v1/ledger"), ("rulesets", "/api/v1/rulesets")] {
            self.asked::<Value>(&client, name, path).await;
        }
        self.asked::<HealthView>(&client, "health", "/api/v1/health").await;
    }

    /// Names, labels and numbers of ours, no text of anybody's; the labels stand in quotes and are told. A hop may be
    /// named by a URL, and an engine by a list.
    fn metrics(&mut self, metrics: &str) {
        let text = self.scrubber.without_lists(metrics);
        let lines: String = text.lines().map(|line| format!("{}\n", self.scrubber.words(line))).collect();
        self.pieces.push(("metrics.txt".into(), lines.into_bytes()));
    }

    /// What the running service answers.
    async fn asked<View: serde::de::DeserializeOwned + serde::Serialize>(
        &mut self,
        client: &Client,
        name: &str,
        path: &str,
    ) {
        let said = match client.get::<View>(path).await {
            Ok(answer) => answer.view(),
            Err(error) => Err(error),
        };
        match said {
            Ok(view) => self.json(&format!("{name}.json"), json!(view)),
            Err(error) => self.miss(name, &told(error)),
        }
    }

    /// Sizes of the database's files, its schema, and the free disk space.
    async fn database(&mut self, config: &Config) {
        let folder = &config.data_dir;
        let size = |name: String| (fs::metadata(folder.join(&name)).map(|file| file.len()).ok(), name);
        let files = ["", "-wal", "-shm"].map(|end| size(format!("{DATABASE}{end}")));
        let files: Vec<Value> =
            files.into_iter().map(|(bytes, name)| json!({ "name": name, "bytes": bytes })).collect();
        let volume = rustix::fs::statvfs(folder).ok();
        let volume = volume.map(|volume| {
            let (free, all) = (volume.f_bavail, volume.f_blocks);
            json!({ "free_bytes": free.saturating_mul(volume.f_frsize), "bytes": all.saturating_mul(volume.f_frsize),
                    "free_inodes": volume.f_favail, "inodes": volume.f_files })
        });
        let schema = match migrate::applied(&folder.join(DATABASE)).await {
            Ok(applied) => json!(applied),
            Err(error) => {
                self.miss("schema of the database", &error.to_string());
                Value::Null
            }
        };
        let known = migrate::known();
        self.json("database.json", json!({ "files": files, "volume": volume, "applied": schema, "known": known }));
    }
}

/// What a program of the system says; it is ended when it takes too long.
async fn output(child: Child) -> Result<Vec<u8>, String> {
    let pid = Pid::from_child(&child);
    let mut waiting = tokio::task::spawn_blocking(move || child.wait_with_output());
    let said = match tokio::time::timeout(PROGRAM_TIME, &mut waiting).await {
        Ok(said) => said,
        Err(_) => {
            // It may have ended just now.
            let _ = kill_process(pid, Signal::KILL);
            waiting.await
        }
    };
    let said = said.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if said.status.success() { Ok(said.stdout) } else { Err(format!("it ended with {}", said.status)) }
}

/// What is in force, as each setting has declared that it may be shown: a secret never is, of a webhook only the host.
fn settings(config: &Config) -> Vec<SectionView> {
    let setting = |(key, value): (&str, String)| SettingView { key: key.to_owned(), value };
    let sections = shown(config).into_iter();
    sections
        .map(|section| SectionView {
            section: section.name,
            settings: section.settings.into_iter().map(setting).collect(),
        })
        .collect()
}

fn told(error: CliError) -> String {
    match error {
        CliError::Unreachable(why) | CliError::Usage(why) => why,
        CliError::No => "it failed".into(),
    }
}

/// Writes the bundle, for its owner alone.
fn write(path: &Path, pieces: &[(String, Vec<u8>)]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, bytes) in pieces {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, format!("reprieve-support/{name}"), bytes.as_slice())?;
    }
    archive.into_inner()?.finish()?.flush()
}
