//! `reprieve known-good`: how many known-good samples there are, and their keys.

use api_types::known_good::{KnownGoodView, RotateAsk};
use clap::Subcommand;

use super::client::Client;
use super::{ApiArgs, CliError};

/// Verbs about known-good content.
#[derive(Debug, Subcommand)]
pub enum KnownGoodVerb {
    /// Show how many samples there are.
    Status {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Make a new key; samples are re-encrypted in the background, then the old key is destroyed.
    RotateKey {
        /// Why, for the record.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Only show what there is.
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
pub async fn run(verb: KnownGoodVerb) -> Result<(), CliError> {
    let (status, api) = match verb {
        KnownGoodVerb::Status { api } => (Client::new(&api)?.get::<KnownGoodView>("/api/v1/known-good").await?, api),
        KnownGoodVerb::RotateKey { reason, what_if, api } => {
            let ask = RotateAsk { reason, actor: super::quarantine::actor(), what_if };
            (Client::new(&api)?.post("/api/v1/known-good/rotate-key", &ask).await?, api)
        }
    };
    status.print(&api, text)
}

fn text(status: &KnownGoodView) -> String {
    if !status.on {
        return "known_good is off: no samples are kept, and no detection can be tested on them".into();
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let Some(since) = &status.since else {
        return "no samples yet: they are learned from clean mail".into();
    };
    let KnownGoodView { contents, kept, kept_bytes, mails, mail_bytes, c1, c2, c3, by_family, keys, .. } = status;
    let mut out = vec![format!(
        "{contents} samples since {since}, {kept} of them with their bytes ({:.1} MiB), and {mails} whole messages \
            ({:.1} MiB)",
        mib(*kept_bytes),
        mib(*mail_bytes),
    )];
    out.push(format!("C1 {c1}  C2 {c2}  C3 {c3}"));
    out.extend(by_family.iter().map(|(family, count)| format!("  {family:<10} {count}")));
    out.push(format!("keys, the current one first: {}", keys.join(", ")));
    out.join("\n")
}
