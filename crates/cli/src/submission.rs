//! `reprieve submission`: reports of false positives and false negatives.

use api_types::submission::{BundleView, SubmissionAsk, SubmissionDetailView, SubmissionQuery, SubmissionView};
use clap::{Subcommand, ValueEnum};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};

/// What somebody says.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Said {
    /// It was held, tagged or blocked, but is good.
    FalsePositive,
    /// It was delivered, but is bad.
    FalseNegative,
}

/// Verbs about submissions.
#[derive(Debug, Subcommand)]
pub enum SubmissionVerb {
    /// List the reports, newest first.
    List {
        /// Only reports of this message.
        #[arg(long)]
        mail: Option<String>,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Report a message as false positive or false negative. When three people report the same detection within a day,
    /// it is tested on known-good mail.
    Add {
        /// The ID of the message.
        mail: String,
        /// What is wrong with the verdict.
        #[arg(long, value_enum, ignore_case = true)]
        kind: Said,
        /// The address of who reports it; they are told the outcome.
        #[arg(long, default_value = "")]
        reporter: String,
        /// Their comment.
        #[arg(long, default_value = "")]
        comment: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show a report, with others about the same detection and message.
    Show {
        /// The number of the report.
        number: i64,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Print evidence for the vendor of the detection, without personal data.
    Export {
        /// The number of the report.
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
            let query = SubmissionQuery { mail_id: mail, before: None };
            let list = Client::new(&api)?.get_with::<Vec<SubmissionView>>("/api/v1/submissions", &query).await?;
            list.print(&api, |list| list_text(list))
        }
        SubmissionVerb::Add { mail, kind, reporter, comment, api } => {
            let kind = match kind {
                Said::FalsePositive => "false_positive",
                Said::FalseNegative => "false_negative",
            };
            let (kind, actor) = (kind.to_owned(), super::quarantine::actor());
            let ask = SubmissionAsk { mail_id: mail, kind, reporter, comment, actor };
            let done = Client::new(&api)?.post::<SubmissionView>("/api/v1/submissions", &ask).await?;
            done.print(&api, |done| list_text(std::slice::from_ref(done)))
        }
        SubmissionVerb::Show { number, api } => {
            let path = format!("/api/v1/submissions/{number}");
            Client::new(&api)?.get::<SubmissionDetailView>(&path).await?.print(&api, show_text)
        }
        SubmissionVerb::Export { number, api } => {
            let bundle = Client::new(&api)?.get::<BundleView>(&format!("/api/v1/submissions/{number}/bundle")).await?;
            // It is read by programs and sent as a file: JSON in any case.
            terminal::line(&serde_json::to_string_pretty(bundle.json()).map_err(CliError::unreachable)?);
            Ok(())
        }
    }
}

fn show_text(shown: &SubmissionDetailView) -> String {
    let mut text = list_text(std::slice::from_ref(&shown.said));
    for one in &shown.voices {
        text.push_str(&format!(
            "\n{} ({}): reported as false positive by {} people within a day ({} start a test); {} messages in 30 days",
            one.detection, one.detection_version, one.people, one.people_min, one.messages
        ));
    }
    if !shown.others.is_empty() {
        text.push_str(&format!("\n\nother reports of this message:\n{}", list_text(&shown.others)));
    }
    text
}

fn list_text(list: &[SubmissionView]) -> String {
    if list.is_empty() {
        return "no reports".into();
    }
    let row = |one: &SubmissionView| {
        let SubmissionView { number, at, mail_id, kind, reporter, comment, about, incident, .. } = one.clone();
        let about: Vec<String> = about.into_iter().map(|about| about.detection).collect();
        vec![number.to_string(), at, kind, reporter, about.join(" "), mail_id, incident.unwrap_or_default(), comment]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    terminal::table(&["number", "at", "kind", "by", "detections", "message", "incident", "comment"], &rows, 40)
}
