//! `reprieve ledger check`: whether the ledger is consistent.

use api_types::ledger::{LedgerQuery, LedgerView};
use clap::Subcommand;
use domain::ledger::Account;

use super::client::Client;
use super::{ApiArgs, CliError};

/// Verbs about the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Check that the ledger is consistent: every delivery is in exactly one account; exit 1 when it is not.
    Check {
        /// Check the stored bytes of every held message as well.
        #[arg(long)]
        deep: bool,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the ledger is not consistent, or the API cannot be reached.
pub async fn run(verb: LedgerVerb) -> Result<(), CliError> {
    let LedgerVerb::Check { deep, api } = verb;
    let answer = Client::new(&api)?.get_with::<LedgerView>("/api/v1/ledger", &LedgerQuery { deep }).await?;
    answer.print(&api, shown)?;
    if answer.view()?.balanced { Ok(()) } else { Err(CliError::No) }
}

/// Deliveries in an account.
pub fn units(ledger: &LedgerView, account: Account) -> i64 {
    ledger.accounts.get(account.as_str()).copied().unwrap_or(0)
}

/// The ledger as text.
pub fn shown(ledger: &LedgerView) -> String {
    use Account::{
        Deleted, Delivered, Denied, Expired, Failed, Forwarding, Held, InDoubt, InDoubtLive, Refused, Released,
        Releasing, Tentative,
    };
    let line = |account: Account| format!("  {:<24}{:>8}", account.as_str(), units(ledger, account));
    let accepted = [Delivered, Held, Releasing, InDoubt, Released, Failed, Denied, Deleted, Expired];
    let beside = [Forwarding, Tentative, InDoubtLive, Refused];
    let mut out = vec![format!("accepted                  {}", ledger.accepted)];
    out.extend(accepted.map(line));
    out.push(format!("unconfirmed               {}", ledger.unconfirmed));
    out.extend(beside.map(line));
    if let [first, ..] = ledger.stale_tentative.as_slice() {
        let stale = ledger.stale_tentative.len();
        out.push(format!(
            "{stale} deliveries have been tentative for over an hour, the first {first}: see the next hop's log"
        ));
    }
    if ledger.faults.is_empty() {
        out.push("ledger consistent".into());
    }
    out.extend(ledger.faults.iter().map(|fault| format!("FAULT: {fault}")));
    out.join("\n")
}
