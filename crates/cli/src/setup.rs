//! `reprieve setup`: four answers make an installed Reprieve one that observes: where good mail goes, whose mail it is,
//! where mail comes in, and who administrates. It writes the configuration, asks the next hop whether it would take
//! that mail, starts the service once to see that it does, and invites the first administrator.
//!
//! | module | what it does |
//! |---|---|
//! | `answer` | what was answered, by a flag or at the terminal: each checked by itself |
//! | `file` | the configuration, written whole or not at all |
//! | `hop` | what the next hop says to our domains |
//! | `first_start` | the service started once, as its own user |

mod answer;
mod file;
mod first_start;
mod hop;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use api_types::person::{InviteAsk, PersonView};
use clap::Args;
use platform::config::Config;

use self::answer::Answers;
use self::first_start::FirstStart;
use super::client::Client;
use super::doctor::Health;
use super::{CliError, doctor, person, terminal};

/// The unit that a package brings.
const UNIT: &str = "/usr/lib/systemd/system/reprieve.service";
/// Whether systemd runs this host (sd_booted(3)).
const SYSTEMD_RUNS: &str = "/run/systemd/system";
/// Guides, where a package lays them.
const GUIDES: &str = "/usr/share/doc/reprieve/guide";
/// What a running service does not know by itself.
const RUNS_WITH_THE_OLD: &str =
    "Restart it: the service runs with the old configuration; it reads settings at its start only.";
/// The first port that needs no right of its own.
const FIRST_FREE_PORT: u16 = 1024;

/// What is known already, and how to go about it.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// The next hop: the mail server that accepted mail is passed to, such as mail.example.com:25.
    #[arg(long, value_name = "HOST:PORT")]
    hop: Option<String>,
    /// An accepted domain; may be given more than once, or several with commas.
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    domain: Vec<String>,
    /// The SMTP listener: 127.0.0.1:10024 behind a mail server on this host, 0.0.0.0:25 for the Internet.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The name of the first administrator. If it is a mail address, alerts are sent to it.
    #[arg(long, value_name = "NAME")]
    admin: Option<String>,
    /// Where the console and the API listen.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8025")]
    api: String,
    /// The configuration to write.
    #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
    config: PathBuf,
    /// The folder for held mail and records.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/reprieve")]
    data_dir: PathBuf,
    /// Do not ask, for scripts: everything without a default must be given by flags.
    #[arg(long)]
    yes: bool,
    /// Replace an existing configuration, which is kept with the suffix ".old".
    #[arg(long)]
    force: bool,
    /// Continue although the next hop does not answer.
    #[arg(long)]
    without_hop: bool,
}

impl SetupArgs {
    /// Whether somebody is there to be asked, and wants to be.
    fn may_ask(&self) -> bool {
        !self.yes && terminal::is_a_person_there()
    }
}

/// Asks, checks, writes, starts once, invites; says what to do next.
///
/// # Errors
/// When an answer is missing or wrong, a configuration is there, the next hop does not answer, or the service does not
/// start. Until the configuration is written nothing has changed.
pub async fn run(args: SetupArgs) -> Result<(), CliError> {
    if args.config.exists() && !args.force {
        return Err(CliError::Usage(format!(
            "{} exists already: edit it and run `reprieve config check`, or give --force to write a new one \
             (the old one is kept as {})",
            args.config.display(),
            file::old(&args.config).display()
        )));
    }
    let answers = Answers::of(&args)?;
    let text = file::text(&answers, &args.data_dir);
    let config = read(&text, &args.config)?;
    if !args.force {
        free(answers.listen, "--listen")?;
        free(answers.api, "--api")?;
    }
    ask_the_hop(&config, &args).await?;
    if args.may_ask() && !agreed(&format!("Write {}? [Y/n] ", args.config.display()), true)? {
        terminal::line("Nothing was written.");
        return Err(CliError::No);
    }
    let owner = first_start::owner(&args.data_dir);
    file::write(&args.config, &text, owner, args.force)
        .map_err(|error| CliError::unreachable(format!("{}: {error}", args.config.display())))?;
    terminal::line(&format!("{}: written; mode observe (monitor only), nothing is held yet", args.config.display()));
    let (link, runs) = invite(&config, &args, &answers, owner).await.map_err(|error| later(&args, &answers, error))?;
    terminal::line(&next_steps(&answers, &args.config, &link, runs));
    Ok(())
}

/// The configuration that the answers make. What is wrong with it now is wrong with an answer.
fn read(text: &str, path: &Path) -> Result<Config, CliError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    Config::parse(text, folder).map_err(|faults| {
        let told: Vec<String> = faults.into_iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect();
        CliError::Usage(format!("no valid configuration comes of these answers: {}", told.join("; ")))
    })
}

/// Whether an address can be listened at.
fn free(address: SocketAddr, flag: &str) -> Result<(), CliError> {
    let why = match TcpListener::bind(address).map_err(|error| error.kind()) {
        Ok(_) => return Ok(()),
        Err(ErrorKind::AddrInUse) => {
            "another program listens on it; `ss -ltnp` names it. Stop it, or give another address"
        }
        Err(ErrorKind::AddrNotAvailable) => "this host has no such address; `ip address` lists those it has",
        Err(ErrorKind::PermissionDenied) => "ports below 1024 are for root; run this as root",
        Err(_) => "cannot listen on it; give another address",
    };
    Err(CliError::Usage(format!("{flag} {address}: {why}")))
}

/// Looks at the next hop as `reprieve doctor` does, and asks it about our domains.
async fn ask_the_hop(config: &Config, args: &SetupArgs) -> Result<(), CliError> {
    terminal::line("Checking the next hop ...");
    // All directions have the same one.
    let answers = doctor::hops(config).await.into_iter().next();
    if let Some(dead) = answers.as_ref().filter(|finding| finding.health == Health::Fault) {
        terminal::line(&doctor::shown(dead));
        if args.without_hop || args.may_ask() && agreed("Continue anyway? [y/N] ", false)? {
            return Ok(());
        }
        return Err(CliError::unreachable(
            "the next hop does not answer, and nothing was written. Start it or give another --hop; with --without-hop \
             the configuration is written anyway",
        ));
    }
    let mut list: Vec<_> = answers.into_iter().collect();
    list.extend(doctor::relaying_hops(config).await);
    list.extend(hop::about_domains(config).await);
    list.iter().for_each(|finding| terminal::line(&doctor::shown(finding)));
    Ok(())
}

/// Whether a person agrees; an empty answer is the usual one.
fn agreed(question: &str, usually: bool) -> Result<bool, CliError> {
    match terminal::ask(question).ok_or(CliError::No)?.to_lowercase().as_str() {
        "" => Ok(usually),
        said => Ok(matches!(said, "y" | "yes")),
    }
}

/// Invites the first administrator at the service, which is started for that where it does not run; returns the link,
/// and whether it runs.
///
/// That start takes no mail: it needs no right to a low port, and nobody's mail comes in before the service is to run.
async fn invite(
    config: &Config,
    args: &SetupArgs,
    answers: &Answers,
    owner: Option<(u32, u32)>,
) -> Result<(String, bool), CliError> {
    let unwritten = |error: std::io::Error| CliError::unreachable(format!("{}.first: {error}", args.config.display()));
    let client = Client::at_socket(config.api.socket.clone());
    let started = match client.get_bytes("/livez").await {
        Ok(_) => None,
        Err(_) => {
            let first = file::First::write(&args.config, answers, &args.data_dir, owner).map_err(unwritten)?;
            let started = FirstStart::of(first.path(), owner).await?;
            Some((started, first))
        }
    };
    let ask = InviteAsk {
        name: answers.admin.clone(),
        role: "admin".to_owned(),
        actor: super::quarantine::actor(),
        ..InviteAsk::default()
    };
    let invited = client.post::<PersonView>("/api/v1/people", &ask).await.and_then(|answer| answer.view());
    let runs = started.is_none();
    if let Some((started, _first)) = started {
        started.stop().await?;
    }
    Ok((person::link(&invited?, None, None), runs))
}

/// What is left to do where the service did not start: the configuration is there.
fn later(args: &SetupArgs, answers: &Answers, error: CliError) -> CliError {
    let why = match error {
        CliError::Unreachable(why) | CliError::Usage(why) => why,
        CliError::No => "it ended".to_owned(),
    };
    let config = args.config.display();
    CliError::Unreachable(format!(
        "{config} is written, but the administrator could not be invited: {why}. When that is fixed and the service \
         runs: reprieve person invite --config {config} --role admin --name '{}'",
        answers.admin
    ))
}

/// What is to be done now, for where we are.
fn next_steps(answers: &Answers, config: &Path, link: &str, runs: bool) -> String {
    let has_unit =
        Path::new(SYSTEMD_RUNS).exists() && Path::new(UNIT).exists() && config == Path::new(super::INSTALLED_CONFIG);
    let start = match (has_unit, answers.listen.port() < FIRST_FREE_PORT) {
        (true, false) => "systemctl enable --now reprieve".to_owned(),
        (true, true) => "install -D -m 644 /usr/share/doc/reprieve/examples/low-port.conf \
             /etc/systemd/system/reprieve.service.d/low-port.conf\n   systemctl daemon-reload\n   \
             systemctl enable --now reprieve"
            .to_owned(),
        (false, _) => format!("reprieve serve --config {}", config.display()),
    };
    let first = if runs {
        format!("{RUNS_WITH_THE_OLD}\n   {}", start.replace("systemctl enable --now", "systemctl restart"))
    } else {
        format!("Start it:\n   {start}")
    };
    let guides = if Path::new(GUIDES).exists() { GUIDES } else { "docs/guide" };
    format!(
        "\nNext steps:\n\
         1. {first}\n\
         2. Sign in as {} (the link works once, for three days), and run `reprieve doctor`:\n   {link}\n\
         3. Route mail to {}: see {guides}/postfix.md and exchange.md. Nothing is held until you set\n   \
         mode = \"enforce\" in {} and restart the service.",
        answers.admin,
        answers.listen,
        config.display()
    )
}
