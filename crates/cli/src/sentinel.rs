//! `reprieve sentinel`, `contain`, `release-containment`: which detections are suspected and why, and containment by
//! hand.

use api_types::sentinel::{ContainAsk, ContainmentView, ExplanationView, ProbationView, SentinelView, SuspicionView};
use clap::{Args, Subcommand};

use super::client::Client;
use super::{ApiArgs, CliError, terminal};
use platform::percent::encoded;

/// Verbs about the sentinel.
#[derive(Debug, Subcommand)]
pub enum SentinelVerb {
    /// Show suspected and contained detections, and whether the memory is strong enough to act on.
    Status {
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
    /// Show the evidence for and against a detection.
    Explain {
        /// The code of the detection.
        detection: String,
        /// Where the API is.
        #[command(flatten)]
        api: ApiArgs,
    },
}

/// Which detection, and why.
#[derive(Debug, Args)]
pub struct ContainArgs {
    /// The code of the detection.
    detection: String,
    /// Its version; default: the one in force.
    #[arg(long)]
    version: Option<String>,
    /// Why, for the record.
    #[arg(long)]
    reason: String,
    /// Hours after which the containment ends.
    #[arg(long)]
    hours: Option<u64>,
    /// Only print what would be done.
    #[arg(long)]
    what_if: bool,
    /// Where the API is.
    #[command(flatten)]
    api: ApiArgs,
}

/// Runs the verb.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn run(verb: SentinelVerb) -> Result<(), CliError> {
    match verb {
        SentinelVerb::Status { api } => {
            Client::new(&api)?.get::<SentinelView>("/api/v1/sentinel").await?.print(&api, status_text)
        }
        SentinelVerb::Explain { detection, api } => {
            let path = format!("/api/v1/sentinel/{}", encoded(&detection));
            Client::new(&api)?.get::<ExplanationView>(&path).await?.print(&api, explain_text)
        }
    }
}

/// Contains a detection, or gives it back.
///
/// # Errors
/// When the API says no or cannot be reached.
pub async fn contain(args: ContainArgs, release: bool) -> Result<(), CliError> {
    let ContainArgs { detection, version, reason, hours, what_if, api } = args;
    let actor = super::quarantine::actor();
    let ask = ContainAsk { detection: detection.clone(), version, reason, hours, release, actor, what_if };
    let is = match (what_if, release) {
        (true, false) => "would be contained",
        (true, true) => "would act again as the policy says",
        (false, false) => "is contained",
        (false, true) => "acts again as the policy says",
    };
    let text = |done: &ContainmentView| {
        let until = until_text(done.until.as_deref());
        format!("{detection} ({}) {is}{until}", done.detection_version)
    };
    Client::new(&api)?.post::<ContainmentView>("/api/v1/containment", &ask).await?.print(&api, text)
}

/// Until when, where there is an end.
fn until_text(until: Option<&str>) -> String {
    until.map(|until| format!(" until {}", terminal::moment(until))).unwrap_or_default()
}

fn suspects(list: &[SuspicionView]) -> String {
    if list.is_empty() {
        return "no detection is suspected".into();
    }
    let row = |one: &SuspicionView| {
        let SuspicionView { detection, detection_version, state, .. } = one.clone();
        vec![
            detection,
            detection_version,
            state,
            format!("{:.2e}", one.evidence),
            format!("{:.2e}", one.live_evidence),
            format!("{} of {}", one.probe_hits, one.probe_seen),
            one.hits.to_string(),
            one.senders.to_string(),
            one.witnesses.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    let headings =
        ["detection", "version", "state", "evidence", "live", "probe hits", "hits", "known senders", "sources"];
    terminal::table(&headings, &rows, 40)
}

fn probation_text(one: &ProbationView) -> String {
    let ProbationView { detection, detection_version, since, delayed, waiting, let_out, let_out_most, kept, settled } =
        one;
    let stands = match since {
        Some(since) => format!("on probation since {}", terminal::moment(since)),
        None => "probation over".to_owned(),
    };
    format!(
        "{detection} ({detection_version}): {stands}: {delayed} messages delayed, {waiting} still waiting, \
         {kept} kept, {let_out} let out (possibly missed, {let_out_most} at most), {settled} decided otherwise"
    )
}

fn status_text(shown: &SentinelView) -> String {
    let SentinelView { containment, acts, memory, .. } = shown;
    let acts = if *acts {
        "detections found faulty are contained automatically"
    } else if containment == "automatic" {
        "alerts only: the memory is not strong enough yet for automatic containment"
    } else {
        "alerts only: nothing is contained automatically"
    };
    let mut out =
        vec![format!("{containment}: {acts}"), super::memory::strength_text(memory), suspects(&shown.suspects)];
    for one in &shown.contained {
        let ContainmentView { detection, detection_version, level, since, until, by, reason } = one;
        let level = level.as_deref().unwrap_or_default();
        let (since, until) = (terminal::moment(since), until_text(until.as_deref()));
        out.push(format!("{detection} ({detection_version}): {level} since {since}{until} by {by}: {reason}"));
    }
    out.extend(shown.probations.iter().map(probation_text));
    out.extend(shown.pinned.iter().map(|one| format!("{}: pinned by {}: {}", one.detection, one.by, one.reason)));
    out.join("\n")
}

fn explain_text(shown: &ExplanationView) -> String {
    let mut out = vec![suspects(&shown.versions)];
    out.extend(shown.probations.iter().map(probation_text));
    for line in &shown.journal {
        let at = terminal::moment(&line.at);
        out.push(format!("{at}  {}  {:<7} {}", line.detection_version, line.event, line.text));
    }
    out.join("\n")
}
