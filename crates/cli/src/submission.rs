//! `reprieve submission`: what people say of verdicts.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// What somebody says.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Said {
    /// It was held, tagged or blocked, and is good.
    FalsePositive,
    /// It was delivered, and is bad.
    FalseNegative,
}

/// Verbs about submissions.
#[derive(Debug, Subcommand)]
pub enum SubmissionVerb {
    /// List what people have said, newest first.
    List {
        /// Only of this message.
        #[arg(long)]
        mail: Option<String>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Report a message that was judged wrongly. Three people who do within a day have its detection tried on
    /// known-good mail.
    Add {
        /// The id of the message.
        mail: String,
        /// What is wrong with its verdict.
        #[arg(long, value_enum, ignore_case = true)]
        kind: Said,
        /// Who found out: their address; they are told what comes of it.
        #[arg(long, default_value = "")]
        reporter: String,
        /// In their own words.
        #[arg(long, default_value = "")]
        comment: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show one, and what others say of the same detection and message.
    Show {
        /// The number of the submission.
        number: i64,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Print evidence for the maker of the detection, without anything about people.
    Export {
        /// The number of the submission.
        number: i64,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: SubmissionVerb) -> Result<(), CliError> {
    match verb {
        SubmissionVerb::List { mail, api } => {
            let shown = Client::new(&api)?.get("/api/v1/submissions", &[("mail_id", mail)]).await?;
            terminal::line(&if api.json { shown.to_string() } else { list_text(&shown) });
        }
        SubmissionVerb::Add { mail, kind, reporter, comment, api } => {
            let kind = match kind {
                Said::FalsePositive => "false_positive",
                Said::FalseNegative => "false_negative",
            };
            let ask = json!({
                "mail_id": mail, "kind": kind, "reporter": reporter, "comment": comment,
                    "actor": super::quarantine::actor(),
            });
            let done = Client::new(&api)?.post("/api/v1/submissions", &ask).await?;
            terminal::line(&if api.json { done.to_string() } else { list_text(&Value::Array(vec![done])) });
        }
        SubmissionVerb::Show { number, api } => {
            let shown = Client::new(&api)?.get(&format!("/api/v1/submissions/{number}"), &[]).await?;
            terminal::line(&if api.json { shown.to_string() } else { show_text(&shown) });
        }
        SubmissionVerb::Export { number, api } => {
            let bundle = Client::new(&api)?.get(&format!("/api/v1/submissions/{number}/bundle"), &[]).await?;
            // It is read by programs and sent as a file: JSON in any case.
            terminal::line(&serde_json::to_string_pretty(&bundle).map_err(CliError::unreachable)?);
        }
    }
    Ok(())
}

fn show_text(shown: &Value) -> String {
    let mut text = list_text(&Value::Array(vec![shown.clone()]));
    for one in shown["voices"].as_array().into_iter().flatten() {
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        text.push_str(&format!(
            "\n{} ({}): {} people within a day say that it is wrong ({} have it tried); {} messages in 30 days",
            word("detection"),
            word("detection_version"),
            one["people"],
            one["people_min"],
            one["messages"]
        ));
    }
    if shown["others"].as_array().is_some_and(|others| !others.is_empty()) {
        text.push_str(&format!("\n\nof the same message:\n{}", list_text(&shown["others"])));
    }
    text
}

fn list_text(shown: &Value) -> String {
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let about = one["about"].as_array().into_iter().flatten();
        let about: Vec<&str> = about.filter_map(|about| about["detection"].as_str()).collect();
        vec![
            one["number"].to_string(),
            text("at"),
            text("kind"),
            text("reporter"),
            about.join(" "),
            text("mail_id"),
            text("incident"),
            text("comment"),
        ]
    };
    let rows: Vec<Vec<String>> = shown.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return "nobody has said anything".into();
    }
    terminal::table(&["number", "at", "kind", "by", "detections", "message", "incident", "comment"], &rows, 40)
}
