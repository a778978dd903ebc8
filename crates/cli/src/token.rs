//! `reprieve token`: make, list and revoke tokens for the API over TCP.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token and print its secret, once.
    Create {
        /// Whose it is, or what for: the actor in the audit log.
        #[arg(long)]
        name: String,
        /// admin, analyst or auditor.
        #[arg(long)]
        role: String,
        /// Only units of this domain.
        #[arg(long)]
        domain: Vec<String>,
        /// Days that it holds.
        #[arg(long, default_value_t = 90)]
        days: u64,
        /// Only say what would be made.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List tokens; their secrets are not kept.
    List {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// End a token now.
    Revoke {
        /// Its id.
        id: String,
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only say what would be done.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: TokenVerb) -> Result<(), CliError> {
    match verb {
        TokenVerb::Create { name, role, domain, days, what_if, api } => {
            let actor = super::quarantine::actor();
            let ask = json!({
                "name": name, "role": role, "domains": domain, "days": days, "actor": actor, "what_if": what_if
            });
            let made = Client::new(&api)?.post("/api/v1/tokens", &ask).await?;
            terminal::line(&if api.json {
                made.to_string()
            } else if what_if {
                listed(&json!([made]))
            } else {
                made["secret"].as_str().unwrap_or_default().to_owned()
            });
        }
        TokenVerb::List { api } => {
            let tokens = Client::new(&api)?.get("/api/v1/tokens", &[]).await?;
            terminal::line(&if api.json { tokens.to_string() } else { listed(&tokens) });
        }
        TokenVerb::Revoke { id, reason, what_if, api } => {
            let ask = json!({ "reason": reason, "actor": super::quarantine::actor(), "what_if": what_if });
            let revoked = Client::new(&api)?.post(&format!("/api/v1/tokens/{}/revoke", encoded(&id)), &ask).await?;
            let name = revoked["name"].as_str().unwrap_or_default();
            let told = if what_if { "would be revoked" } else { "is revoked" };
            terminal::line(&if api.json { revoked.to_string() } else { format!("{id} ({name}) {told}") });
        }
    }
    Ok(())
}

fn listed(tokens: &Value) -> String {
    let row = |token: &Value| {
        let text = |key: &str| token[key].as_str().unwrap_or_default().to_owned();
        let domains: Vec<&str> = token["domains"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let domains = if domains.is_empty() { "all".to_owned() } else { domains.join(", ") };
        vec![text("id"), text("name"), text("role"), domains, text("expires"), text("revoked")]
    };
    let rows: Vec<Vec<String>> = tokens.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        "no token".into()
    } else {
        terminal::table(&["id", "name", "role", "domains", "expires", "revoked"], &rows, 40)
    }
}
