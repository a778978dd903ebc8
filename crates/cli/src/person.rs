//! `reprieve person`: who may sign in to the console.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Verbs about people.
#[derive(Debug, Subcommand)]
pub enum PersonVerb {
    /// Invite somebody, or somebody anew who has lost their password, and print a link that works once.
    Invite {
        /// The name: what they type, and the actor in the audit log.
        #[arg(long)]
        name: String,
        /// admin, analyst or auditor.
        #[arg(long)]
        role: String,
        /// Only units of this domain.
        #[arg(long)]
        domain: Vec<String>,
        /// The address of the console, as they reach it. Without it: the one that the configuration has for browsers,
        /// or --api, or where the gateway listens.
        #[arg(long, value_name = "URL")]
        console: Option<String>,
        /// Give another role even to the last administrator who can sign in.
        #[arg(long)]
        last_admin: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List who may sign in.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Shut somebody out; their sessions end now.
    Disable {
        /// Their name.
        name: String,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Shut out even the last administrator who can sign in; `person invite` lets in another.
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
            let ask =
                json!({ "name": name, "role": role, "domains": domain, "actor": actor, "last_admin": last_admin });
            let invited = Client::new(&api)?.post("/api/v1/people", &ask).await?;
            let known = |key: &str| invited[key].as_str().map(str::to_owned);
            let console = console.or(known("console")).or(api.api.clone()).or(known("console_listens"));
            let secret = invited["invitation"].as_str().unwrap_or_default();
            terminal::line(&if api.json {
                invited.to_string()
            } else {
                format!("{}/welcome#{secret}", console.unwrap_or_default().trim_end_matches('/'))
            });
        }
        PersonVerb::List { api } => {
            let people = Client::new(&api)?.get("/api/v1/people", &[]).await?;
            terminal::line(&if api.json { people.to_string() } else { listed(&people) });
        }
        PersonVerb::Disable { name, reason, last_admin, api } => {
            let actor = super::quarantine::actor();
            let ask = json!({ "reason": reason, "actor": actor, "last_admin": last_admin });
            let path = format!("/api/v1/people/{}/disable", platform::percent::encoded(&name));
            let done = Client::new(&api)?.post(&path, &ask).await?;
            terminal::line(&if api.json { done.to_string() } else { listed(&Value::Array(vec![done])) });
        }
    }
    Ok(())
}

fn listed(people: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let domains: Vec<&str> = one["domains"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let state = match (one["disabled"].is_string(), one["has_password"] == true, one["has_totp"] == true) {
            (true, ..) => "shut out",
            (_, false, _) => "invited",
            (_, true, false) => "password",
            (_, true, true) => "password and codes",
        };
        vec![text("name"), text("role"), domains.join(" "), state.to_owned(), text("made"), text("made_by")]
    };
    let rows: Vec<Vec<String>> = people.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return "nobody may sign in".into();
    }
    terminal::table(&["name", "role", "domains", "sign-in", "added", "by"], &rows, 40)
}
