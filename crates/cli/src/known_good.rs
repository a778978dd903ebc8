//! `reprieve known-good`: how much content is known to be good, and its keys.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// Verbs about known-good content.
#[derive(Debug, Subcommand)]
pub enum KnownGoodVerb {
    /// Say how much there is.
    Status {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Make a new key; what is kept is encrypted anew in the background, then the old key goes.
    RotateKey {
        /// Why, for the record.
        #[arg(long, default_value = "")]
        reason: String,
        /// Only say what there is.
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
        KnownGoodVerb::Status { api } => (Client::new(&api)?.get("/api/v1/known-good", &[]).await?, api),
        KnownGoodVerb::RotateKey { reason, what_if, api } => {
            let ask = json!({ "reason": reason, "actor": super::quarantine::actor(), "what_if": what_if });
            (Client::new(&api)?.post("/api/v1/known-good/rotate-key", &ask).await?, api)
        }
    };
    terminal::line(&if api.json { status.to_string() } else { text(&status) });
    Ok(())
}

fn text(status: &Value) -> String {
    if status["on"] != Value::Bool(true) {
        return "known_good is switched off: nothing is remembered, and no detection can be tried on it".into();
    }
    let number = |key: &str| status[key].as_u64().unwrap_or_default();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let Some(since) = status["since"].as_str() else {
        return "nothing is remembered yet: content is learned from mail that goes through clean".into();
    };
    let mut out = vec![format!(
        "{} contents remembered since {since}, {} of them kept ({:.1} MiB), and {} whole mails ({:.1} MiB)",
        number("contents"),
        number("kept"),
        mib(number("kept_bytes")),
        number("mails"),
        mib(number("mail_bytes")),
    )];
    out.push(format!("C1 {}  C2 {}  C3 {}", number("c1"), number("c2"), number("c3")));
    for (family, count) in status["by_family"].as_object().into_iter().flatten() {
        out.push(format!("  {family:<10} {count}"));
    }
    let keys: Vec<&str> = status["keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    out.push(format!("keys, the one that encrypts first: {}", keys.join(", ")));
    out.join("\n")
}
