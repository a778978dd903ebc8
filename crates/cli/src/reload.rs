//! `reprieve reload`: what the configuration file says now is put in force in the running service.

use std::fs;
use std::path::Path;
use std::time::Duration;

use api_types::reload::{ChangeView, ReloadAsk, ReloadView};
use clap::Args;
use platform::config::Config;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::answer::Answer;
use super::client::Client;
use super::quarantine::actor;
use super::{ApiArgs, CliError, terminal};

/// Where it is asked for, and where it stands what came of it.
const PATH: &str = "/api/v1/reload";
/// How often it is asked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long one such question may take: while the service begins again nobody answers.
const QUESTION: Duration = Duration::from_secs(15);
/// How long nobody may listen before the service counts as gone.
const GONE: Duration = Duration::from_secs(5);
/// How long it is waited for: a drain may be set to minutes, and a start looks at the database.
const WAIT: Duration = Duration::from_secs(900);

/// How to reload.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Shows what changes, asks a person, has it put in force, and waits for that.
///
/// # Errors
/// Exit 1 when it was refused, rolled back or not agreed to; 3 when no service answers.
pub async fn run(args: ReloadArgs) -> Result<(), CliError> {
    let ReloadArgs { yes, reason, api } = args;
    if let Some(Err(error)) = api.configuration().map(|path| Config::load(&path)) {
        return Err(refused(&error.to_string()));
    }
    let client = Client::new(&api)?;
    let ask = ReloadAsk { reason, actor: actor(), what_if: true };
    let possible = post(&client, &ask).await.map_err(it_may_have_moved)?.view()?;
    is_the_same(api.configuration().as_deref(), &possible.file)?;
    if !api.json {
        terminal::line(&shown(&possible.changed));
    }
    if api.json && !yes && !possible.changed.is_empty() {
        return Err(CliError::Usage("say --yes with --json: nobody sees what is asked".into()));
    }
    if !possible.changed.is_empty() && !yes && !agreed()? {
        terminal::complain("nothing was done");
        return Err(CliError::No);
    }
    let begun = post(&client, &ReloadAsk { what_if: false, ..ask }).await?;
    ended(begun_to_end(&client, begun).await?, &api)
}

/// A refusal is an answer: no.
async fn post(client: &Client, ask: &ReloadAsk) -> Result<Answer<ReloadView>, CliError> {
    client.post::<ReloadView>(PATH, ask).await.map_err(|error| match error {
        CliError::Usage(why) => refused(&why),
        other => other,
    })
}

fn refused(why: &str) -> CliError {
    terminal::complain(&format!("not reloaded, everything is as it was: {why}"));
    CliError::No
}

/// The running service is looked for where the file says that its socket is.
fn it_may_have_moved(error: CliError) -> CliError {
    match error {
        CliError::Unreachable(why) if why.starts_with("cannot reach") => CliError::Unreachable(format!(
            "{why} A change of data_dir or of socket in [api] needs a restart, and hides the running service from this \
             command"
        )),
        other => other,
    }
}

/// The service reads its own file; who has changed another one is told so.
fn is_the_same(named: Option<&Path>, its_own: &str) -> Result<(), CliError> {
    let Some(named) = named else { return Ok(()) };
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if real(named) == real(Path::new(its_own)) {
        return Ok(());
    }
    Err(CliError::Usage(format!("the service was started with {its_own}, and not with {}", named.display())))
}

fn shown(changed: &[ChangeView]) -> String {
    if changed.is_empty() {
        return "what is in force is what the file says; certificates are looked at".into();
    }
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let row = |one: &ChangeView| vec![one.section.clone(), one.key.clone(), value(&one.before), value(&one.after)];
    let rows: Vec<Vec<String>> = changed.iter().map(row).collect();
    terminal::table(&["section", "key", "in force", "in the file"], &rows, 60)
}

fn agreed() -> Result<bool, CliError> {
    if !terminal::is_a_person_there() {
        return Err(CliError::Usage("say --yes where nobody can be asked".into()));
    }
    let question = "Put this in force? Mail under way ends first, new connections wait for some seconds. [y/N] ";
    Ok(terminal::ask(question).is_some_and(|said| matches!(said.to_lowercase().as_str(), "y" | "yes")))
}

/// Asks until the reload is under way no more. Who does not answer begins again just now.
async fn begun_to_end(client: &Client, begun: Answer<ReloadView>) -> Result<Answer<ReloadView>, CliError> {
    let number = begun.view()?.number;
    let (mut last, until) = (begun, Instant::now() + WAIT);
    let mut refused_since = None;
    while last.view()?.state == "under way" {
        if Instant::now() > until {
            return Err(CliError::unreachable("the service has not said for 15 minutes what came of it; see its log"));
        }
        sleep(LOOK_EVERY).await;
        match timeout(QUESTION, client.get::<ReloadView>(PATH)).await {
            Ok(Ok(said)) if said.view()?.number == number => last = said,
            Ok(Ok(_) | Err(CliError::Usage(_))) => {
                return Err(CliError::unreachable("the service was started or reloaded again meanwhile; see its log"));
            }
            // The sockets stay open during a reload: who refuses has ended, or listens elsewhere.
            Ok(Err(CliError::Unreachable(why))) if why.starts_with("cannot reach") => {
                if refused_since.get_or_insert_with(Instant::now).elapsed() > GONE {
                    return Err(CliError::unreachable(
                        "the service is not there any more: it has ended, or its API has moved; see its log",
                    ));
                }
                continue;
            }
            Ok(Err(_)) | Err(_) => {}
        }
        refused_since = None;
    }
    Ok(last)
}

fn ended(last: Answer<ReloadView>, api: &ApiArgs) -> Result<(), CliError> {
    let ReloadView { state, fault, waited_ms, .. } = last.view()?;
    if api.json {
        terminal::line(&json!(last.json()).to_string());
    }
    let waited = format!("{:.1} s", waited_ms.unwrap_or_default() / 1000.0);
    match (state.as_str(), fault) {
        ("in force", _) if !api.json => terminal::line(&format!("in force; new connections waited {waited}")),
        ("in force" | "unchanged", _) => {}
        (_, fault) => {
            let why = fault.unwrap_or_default();
            terminal::complain(&format!("{state}: {why}; the old settings are in force, and mail waited {waited}"));
            return Err(CliError::No);
        }
    }
    Ok(())
}
