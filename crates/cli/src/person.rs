//! `reprieve person`: accounts of the console.

use std::net::SocketAddr;

use api_types::person::{DisableAsk, InviteAsk, PersonView, RecoverAsk};
use clap::Subcommand;
use platform::clock::SystemClock;
use platform::config::Config;
use platform::data_folder::{self, DataFolderError};
use platform::keys::{self, KEY_FILE};
use platform::recovery::{self, Asked};
use store::Store;
use store::upkeep::backup::DATABASE;

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError, terminal};

/// Verbs about people.
#[derive(Debug, Subcommand)]
pub enum PersonVerb {
    /// Create an account, or reset the password of one, and print a link that works once.
    Invite {
        /// The name to sign in with; the actor in the audit log.
        #[arg(long)]
        name: String,
        /// admin, analyst or auditor.
        #[arg(long)]
        role: String,
        /// Only mail of this domain; may be given more than once.
        #[arg(long)]
        domain: Vec<String>,
        /// The URL of the console as they reach it. Default: the one in the configuration, --api, or the address that
        /// the console listens on.
        #[arg(long, value_name = "URL")]
        console: Option<String>,
        /// Change the role even of the last active administrator.
        #[arg(long)]
        last_admin: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List the accounts.
    List {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Recover the account of an administrator who has lost password and second factor: on the gateway's host, as its
    /// user or root, whether it runs or not. Prints a link that works once, within an hour; ends their sessions, tokens
    /// and one-time codes; alerts the other administrators.
    Recover {
        /// The name of the account.
        name: String,
        /// Why, for the record and the alert.
        #[arg(long)]
        reason: String,
        /// The URL of the console as they reach it, as for `invite`.
        #[arg(long, value_name = "URL")]
        console: Option<String>,
        /// Where the gateway's configuration is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Disable an account; its sessions end at once.
    Disable {
        /// The name of the account.
        name: String,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Disable even the last active administrator; `person invite` creates another.
        #[arg(long)]
        last_admin: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: PersonVerb) -> Result<(), CliError> {
    match verb {
        PersonVerb::Invite { name, role, domain, console, last_admin, api } => {
            let actor = super::quarantine::actor();
            let ask = InviteAsk { name, role, domains: domain, actor, last_admin };
            let address = api.api.clone();
            Client::new(&api)?
                .post::<PersonView>("/api/v1/people", &ask)
                .await?
                .print(&api, |invited| link(invited, console, address))
        }
        PersonVerb::Recover { name, reason, console, api } => recover(name, reason, console, api).await,
        PersonVerb::List { to } => {
            let people = Client::new(&to.api)?.get::<Vec<PersonView>>("/api/v1/people").await?;
            people.list(&to, |people| table(people))
        }
        PersonVerb::Disable { name, reason, last_admin, api } => {
            let ask = DisableAsk { reason, actor: super::quarantine::actor(), last_admin };
            let path = format!("/api/v1/people/{}/disable", platform::percent::encoded(&name));
            let done = Client::new(&api)?.post::<PersonView>(&path, &ask).await?;
            done.print(&api, |done| table(std::slice::from_ref(done)).text())
        }
    }
}

/// Through the service where it runs, which hears of it at once; else by its own hand in the store.
async fn recover(name: String, reason: String, console: Option<String>, api: ApiArgs) -> Result<(), CliError> {
    let path = api.configuration().filter(|_| api.api.is_none());
    let path = path.ok_or_else(|| CliError::Usage("name the gateway on this host: --config FILE".into()))?;
    let config = Config::load(&path).map_err(CliError::unreachable)?;
    if !config.data_dir.join(DATABASE).is_file() {
        return Err(CliError::Unreachable(format!("no database in {}", config.data_dir.display())));
    }
    let lock = match data_folder::take(&config.data_dir) {
        Ok(lock) => lock,
        Err(DataFolderError::Locked(_)) => {
            let ask = RecoverAsk { reason, actor: super::quarantine::actor() };
            let path = format!("/api/v1/people/{}/recover", platform::percent::encoded(&name));
            let invited = Client::new(&api)?.post::<PersonView>(&path, &ask).await?;
            return invited.print(&api, |invited| link(invited, console, None));
        }
        Err(error) => return Err(CliError::unreachable(error)),
    };
    let secret = recover_in_store(&config, name, reason).await?;
    drop(lock);
    let known = console.or(config.oidc.map(|oidc| oidc.console)).unwrap_or_else(|| listening(config.api.address));
    terminal::line(&format!("{}/welcome#{secret}", known.trim_end_matches('/')));
    terminal::complain("the service is not running: start it, and use the link within an hour");
    Ok(())
}

/// Lets somebody in again in the store of a service that does not run; returns the secret of the link.
async fn recover_in_store(config: &Config, name: String, reason: String) -> Result<String, CliError> {
    let folder = &config.data_dir;
    let clock = SystemClock;
    let key = keys::token_key(&folder.join(KEY_FILE), &clock).map_err(CliError::unreachable)?;
    let now = platform::clock::Clock::now(&clock);
    let store = Store::open_embedded(folder, &config.hostname, &key, now).await.map_err(CliError::unreachable)?;
    let actor = Some(super::quarantine::actor()).filter(|actor| !actor.is_empty());
    let actor = format!("{} (local)", actor.unwrap_or_else(|| "root".into()));
    let let_in = recovery::let_in((&store.audit, &store.people), &clock, Asked { name, actor, reason }).await;
    store.close().await;
    match let_in {
        Ok(let_in) => Ok(let_in.secret),
        Err(error @ (store::StoreError::NotFound(_) | store::StoreError::Refused(_))) => {
            Err(CliError::Usage(error.to_string()))
        }
        Err(error) => Err(CliError::unreachable(error)),
    }
}

/// Where the console listens once the service runs.
fn listening(at: SocketAddr) -> String {
    if at.ip().is_unspecified() { format!("http://localhost:{}", at.port()) } else { format!("http://{at}") }
}

/// The link that lets somebody in, at the console that was named, or where it is known to be.
pub(super) fn link(invited: &PersonView, named: Option<String>, api: Option<String>) -> String {
    let console = named.or(invited.console.clone()).or(api).or(invited.console_listens.clone());
    let secret = invited.invitation.as_deref().unwrap_or_default();
    format!("{}/welcome#{secret}", console.unwrap_or_default().trim_end_matches('/'))
}

const COLUMNS: &[Column] = &[whole("name"), text("role"), text("domains"), text("sign-in"), time("added"), text("by")];

fn table(people: &[PersonView]) -> Table {
    let row = |one: &PersonView| {
        let PersonView { name, role, domains, disabled, has_password, has_totp, made, made_by, .. } = one.clone();
        let state = match (disabled.is_some(), has_password, has_totp) {
            (true, ..) => "disabled",
            (_, false, _) => "invited",
            (_, true, false) => "password",
            (_, true, true) => "password and codes",
        };
        vec![name, role, domains.join(" "), state.to_owned(), made, made_by]
    };
    Table::new(COLUMNS, "no accounts", people.iter().map(row).collect())
}
