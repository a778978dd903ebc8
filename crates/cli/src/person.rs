//! `reprieve person`: who may sign in to the console.

use api_types::person::{DisableAsk, InviteAsk, PersonView};
use clap::Subcommand;

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
            let ask = InviteAsk { name, role, domains: domain, actor, last_admin };
            let address = api.api.clone();
            Client::new(&api)?
                .post::<PersonView>("/api/v1/people", &ask)
                .await?
                .print(&api, |invited| link(invited, console, address))
        }
        PersonVerb::List { api } => {
            let people = Client::new(&api)?.get::<Vec<PersonView>>("/api/v1/people").await?;
            people.print(&api, |people| listed(people))
        }
        PersonVerb::Disable { name, reason, last_admin, api } => {
            let ask = DisableAsk { reason, actor: super::quarantine::actor(), last_admin };
            let path = format!("/api/v1/people/{}/disable", platform::percent::encoded(&name));
            let done = Client::new(&api)?.post::<PersonView>(&path, &ask).await?;
            done.print(&api, |done| listed(std::slice::from_ref(done)))
        }
    }
}

/// The link that lets somebody in, at the console that was named, or where it is known to be.
pub(super) fn link(invited: &PersonView, named: Option<String>, api: Option<String>) -> String {
    let console = named.or(invited.console.clone()).or(api).or(invited.console_listens.clone());
    let secret = invited.invitation.as_deref().unwrap_or_default();
    format!("{}/welcome#{secret}", console.unwrap_or_default().trim_end_matches('/'))
}

fn listed(people: &[PersonView]) -> String {
    if people.is_empty() {
        return "nobody may sign in".into();
    }
    let row = |one: &PersonView| {
        let PersonView { name, role, domains, disabled, has_password, has_totp, made, made_by, .. } = one.clone();
        let state = match (disabled.is_some(), has_password, has_totp) {
            (true, ..) => "shut out",
            (_, false, _) => "invited",
            (_, true, false) => "password",
            (_, true, true) => "password and codes",
        };
        vec![name, role, domains.join(" "), state.to_owned(), made, made_by]
    };
    let rows: Vec<Vec<String>> = people.iter().map(row).collect();
    terminal::table(&["name", "role", "domains", "sign-in", "added", "by"], &rows, 40)
}
