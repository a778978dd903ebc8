//! `reprieve token`: make, list and revoke tokens for the API over TCP.

use api_types::token::{RevokeAsk, RevokedView, TokenAsk, TokenView};
use clap::Subcommand;

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
use super::{ApiArgs, CliError};
use platform::percent::encoded;

/// Verbs about tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Create a token and print its secret, once.
    Create {
        /// Its name: whose it is or what for; the actor in the audit log.
        #[arg(long)]
        name: String,
        /// admin, analyst or auditor.
        #[arg(long)]
        role: String,
        /// Only mail of this domain; may be given more than once.
        #[arg(long)]
        domain: Vec<String>,
        /// Days until it expires.
        #[arg(long, default_value_t = 90)]
        days: u64,
        /// Only print what would be created.
        #[arg(long)]
        what_if: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// List tokens; their secrets are not kept.
    List {
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
    },
    /// Revoke a token at once.
    Revoke {
        /// The ID of the token.
        id: String,
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Only print what would be done.
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
            let ask = TokenAsk { name, role, domains: domain, days, actor, what_if };
            let text = |made: &TokenView| match what_if {
                true => table(std::slice::from_ref(made)).text(),
                false => made.secret.clone().unwrap_or_default(),
            };
            Client::new(&api)?.post::<TokenView>("/api/v1/tokens", &ask).await?.print(&api, text)
        }
        TokenVerb::List { to } => {
            let tokens = Client::new(&to.api)?.get::<Vec<TokenView>>("/api/v1/tokens").await?;
            tokens.list(&to, |tokens| table(tokens))
        }
        TokenVerb::Revoke { id, reason, what_if, api } => {
            let ask = RevokeAsk { reason, actor: super::quarantine::actor(), what_if };
            let path = format!("/api/v1/tokens/{}/revoke", encoded(&id));
            let told = if what_if { "would be revoked" } else { "is revoked" };
            let revoked = Client::new(&api)?.post::<RevokedView>(&path, &ask).await?;
            revoked.print(&api, |revoked| format!("{id} ({}) {told}", revoked.name))
        }
    }
}

const COLUMNS: &[Column] =
    &[whole("id"), text("name"), text("role"), text("domains"), time("expires"), time("revoked")];

fn table(tokens: &[TokenView]) -> Table {
    let row = |token: &TokenView| {
        let TokenView { id, name, role, domains, expires, revoked, .. } = token.clone();
        let domains = if domains.is_empty() { "all".to_owned() } else { domains.join(", ") };
        vec![id, name, role, domains, expires, revoked.unwrap_or_default()]
    };
    Table::new(COLUMNS, "no tokens", tokens.iter().map(row).collect())
}
