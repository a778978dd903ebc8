//! `reprieve submission`: reports of false positives and false negatives.

use api_types::submission::{BundleView, SubmissionAsk, SubmissionDetailView, SubmissionQuery, SubmissionView};
use clap::{Subcommand, ValueEnum};

use super::client::Client;
use super::table::{Column, Table, TableArgs, text, time, whole};
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
        /// Where the API is, and the format.
        #[command(flatten)]
        to: TableArgs,
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
        #[arg(long, default_value = "", hide_default_value = true)]
        reporter: String,
        /// Their comment.
        #[arg(long, default_value = "", hide_default_value = true)]
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
        SubmissionVerb::List { mail, to } => {
            let client = Client::new(&to.api)?;
            let mail_id = client.message_id_if_given(mail).await?;
            let query = SubmissionQuery { mail_id, before: None };
            let list = client.get_with::<Vec<SubmissionView>>("/api/v1/submissions", &query).await?;
            list.list(&to, |list| table(list))
        }
        SubmissionVerb::Add { mail, kind, reporter, comment, api } => {
            let kind = match kind {
                Said::FalsePositive => "false_positive",
                Said::FalseNegative => "false_negative",
            };
            let (kind, actor) = (kind.to_owned(), super::quarantine::actor());
            let client = Client::new(&api)?;
            let mail_id = client.message_id(&mail).await?;
            let ask = SubmissionAsk { mail_id, kind, reporter, comment, actor };
            let done = client.post::<SubmissionView>("/api/v1/submissions", &ask).await?;
            done.print(&api, |done| table(std::slice::from_ref(done)).text())
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
    let mut text = table(std::slice::from_ref(&shown.said)).text();
    for one in &shown.voices {
        text.push_str(&format!(
            "\n{} ({}): reported as false positive by {} people within a day ({} start a test); {} messages in 30 days",
            one.detection, one.detection_version, one.people, one.people_min, one.messages
        ));
    }
    if !shown.others.is_empty() {
        text.push_str(&format!("\n\nother reports of this message:\n{}", table(&shown.others).text()));
    }
    text
}

const COLUMNS: &[Column] = &[
    whole("number"),
    time("at"),
    text("kind"),
    text("by"),
    text("detections"),
    whole("message"),
    whole("incident"),
    text("comment"),
];

fn table(list: &[SubmissionView]) -> Table {
    let row = |one: &SubmissionView| {
        let SubmissionView { number, at, mail_id, kind, reporter, comment, about, incident, .. } = one.clone();
        let about: Vec<String> = about.into_iter().map(|about| about.detection).collect();
        vec![number.to_string(), at, kind, reporter, about.join(" "), mail_id, incident.unwrap_or_default(), comment]
    };
    Table::new(COLUMNS, "no reports", list.iter().map(row).collect())
}
