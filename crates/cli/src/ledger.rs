//! `reprieve ledger check`: do the books balance?

use api_types::ledger::{LedgerQuery, LedgerView};
use clap::Subcommand;
use domain::ledger::Account;

use super::client::Client;
use super::{ApiArgs, CliError};

/// Verbs about the books.
#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Check the books; exit 1 when they do not balance.
    Check {
        /// Look for the bytes of every held message as well.
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
/// When the books do not balance, or the API cannot be reached.
pub async fn run(verb: LedgerVerb) -> Result<(), CliError> {
    let LedgerVerb::Check { deep, api } = verb;
    let answer = Client::new(&api)?.get_with::<LedgerView>("/api/v1/ledger", &LedgerQuery { deep }).await?;
    answer.print(&api, shown)?;
    if answer.view()?.balanced { Ok(()) } else { Err(CliError::No) }
}

/// Units in an account.
pub fn units(books: &LedgerView, account: Account) -> i64 {
    books.accounts.get(account.as_str()).copied().unwrap_or(0)
}

/// The books as text.
pub fn shown(books: &LedgerView) -> String {
    use Account::{
        Deleted, Delivered, Denied, Expired, Failed, Forwarding, Held, InDoubt, InDoubtLive, Refused, Released,
        Releasing, Tentative,
    };
    let line = |account: Account| format!("  {:<24}{:>8}", account.as_str(), units(books, account));
    let accepted = [Delivered, Held, Releasing, InDoubt, Released, Failed, Denied, Deleted, Expired];
    let beside = [Forwarding, Tentative, InDoubtLive, Refused];
    let mut out = vec![format!("accepted                  {}", books.accepted)];
    out.extend(accepted.map(line));
    out.push(format!("beside it (unconfirmed)   {}", books.unconfirmed));
    out.extend(beside.map(line));
    if let [first, ..] = books.stale_tentative.as_slice() {
        let stale = books.stale_tentative.len();
        out.push(format!(
            "{stale} units have been tentative for over an hour, the first {first}: see the next hop's log"
        ));
    }
    if books.faults.is_empty() {
        out.push("the books balance".into());
    }
    out.extend(books.faults.iter().map(|fault| format!("FAULT: {fault}")));
    out.join("\n")
}
