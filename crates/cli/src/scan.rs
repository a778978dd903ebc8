//! `reprieve scan`: the verdict of each file, offline, fully explained. One JSON object a line with `--json`.

mod scanned;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use detect::auth::upstream;
use detect::examine::EnvelopeFacts;
use detect::in_force::InForce;
use domain::containment::Containment;
use domain::detection::{Category, DetectionCode};
use domain::envelope::{Border, Client, Envelope, MailParams, RcptParams, Recipient};
use domain::finding::Finding;
use domain::policy::Policy;
use domain::verdict::{Verdict, decide, decide_without};
use domain::{Address, Digest, Direction, Examination};
use serde_json::json;

use self::scanned::{Counterfactual, Scanned, Seen, Unopened};
use super::{CliError, mailbox, terminal};
use detect::ruleset::load::from_folder_or_shipped;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use platform::config::Config;

/// What to scan, and as what.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Messages (.eml), folders of them, or single attachments.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Print one JSON object a line, in the order of the input.
    #[arg(long)]
    json: bool,
    /// Print all findings and parts, and the verdict without each detection.
    #[arg(long)]
    explain: bool,
    /// A ruleset folder; default: the shipped ruleset.
    #[arg(long, value_name = "DIR")]
    ruleset: Option<PathBuf>,
    /// A configuration: its policy, ruleset and engines are used.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The envelope sender.
    #[arg(long, value_name = "ADDRESS", default_value = "", hide_default_value = true)]
    from: String,
    /// The envelope recipient.
    #[arg(long, value_name = "ADDRESS", default_value = "recipient@localhost")]
    rcpt: String,
    /// inbound, outbound or internal.
    #[arg(long, default_value = "inbound")]
    direction: String,
    /// Exit 1 when a file is of this category or worse.
    #[arg(long, value_name = "CATEGORY")]
    fail_on: Option<String>,
}

struct Scanner {
    examiner: ExaminerPool,
    policy: Policy,
    external_engines: ExternalEngines,
    envelope: Envelope,
    border: Border,
    trusted_authserv: Vec<String>,
}

/// Scans.
///
/// # Errors
/// Exit 3 if a file could not be opened, exit 1 if `--fail-on` says so.
pub async fn run(args: ScanArgs) -> Result<(), CliError> {
    let fail_on = args.fail_on.as_deref().map(|text| {
        let known = Category::ALL.map(Category::as_str).join(", ");
        Category::parse(text).ok_or_else(|| CliError::Usage(format!("--fail-on '{text}' is none of {known}")))
    });
    let fail_on = fail_on.transpose()?;
    let scanner = prepare(&args)?;
    let mut worst = Category::Clean;
    let mut unopened = 0;
    for path in mailbox::files(&args.paths).map_err(CliError::unreachable)? {
        match mailbox::read(&path) {
            Ok(bytes) => {
                let scanned = scanner.scan(&path, bytes).await;
                worst = worst.max(scanned.category);
                terminal::line(&if args.json { json!(scanned).to_string() } else { scanned.text(args.explain) });
            }
            Err(error) => {
                unopened += 1;
                let failed = Unopened { file: path.display().to_string(), error: error.to_string() };
                terminal::complain(&failed.text());
                terminal::line(&if args.json { json!(failed).to_string() } else { failed.text() });
            }
        }
    }
    match fail_on {
        _ if unopened > 0 => Err(CliError::Unreachable(format!("{unopened} files could not be opened"))),
        Some(limit) if worst >= limit => Err(CliError::No),
        _ => Ok(()),
    }
}

fn prepare(args: &ScanArgs) -> Result<Scanner, CliError> {
    let config = args.config.as_deref().map(Config::load).transpose().map_err(CliError::unreachable)?;
    let folder = args.ruleset.clone().or_else(|| config.as_ref().and_then(|config| config.ruleset.clone()));
    let ruleset = from_folder_or_shipped(folder.as_deref()).map_err(CliError::unreachable)?;
    let direction = Direction::parse(&args.direction).ok_or_else(|| {
        CliError::Usage(format!("--direction '{}' is none of inbound, outbound, internal", args.direction))
    })?;
    let address = |option: &str, text: &str| {
        Address::parse(text).map_err(|error| CliError::Usage(format!("{option} '{text}': {error}")))
    };
    let rcpt = address("--rcpt", &args.rcpt)?;
    let sender = (!args.from.is_empty()).then(|| address("--from", &args.from)).transpose()?;
    let domain = rcpt.domain();
    let limits = config.as_ref().map(|config| config.examination.clone()).unwrap_or_default();
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    Ok(Scanner {
        examiner: ExaminerPool::alone(InForce::only(ruleset), limits).map_err(CliError::Unreachable)?,
        border: config.as_ref().map(|config| config.border.clone()).unwrap_or_default(),
        external_engines: config
            .as_ref()
            .map(|config| ExternalEngines::without_dns(&config.engines))
            .unwrap_or_default(),
        trusted_authserv: config
            .iter()
            .filter_map(|config| config.engines.auth.as_ref())
            .flat_map(|auth| auth.trusted_authserv.clone())
            .collect(),
        policy: config.map_or_else(Policy::standard, |config| config.policy),
        envelope: Envelope {
            client: Client { ip: here, peer: here, helo: "localhost".into(), protocol: "ESMTP".into(), login: None },
            sender,
            params: MailParams::default(),
            recipients: vec![Recipient { address: rcpt, params: RcptParams::default(), direction, domain }],
        },
    })
}

impl Scanner {
    async fn scan(&self, path: &Path, bytes: Vec<u8>) -> Scanned {
        let (sha256, size) = (Digest::of(&bytes), bytes.len());
        let raw = if mailbox::is_mail(&bytes) {
            mailbox::mails(Path::new("one.eml"), &bytes).pop().unwrap_or_default()
        } else {
            as_attachment(path, &bytes)
        };
        // A file does not say who handed it in; what a trusted host in front has said stands in it.
        let authentication = upstream::of_message(&raw, &self.trusted_authserv);
        let facts = EnvelopeFacts { client: None, authentication, ..EnvelopeFacts::of(&self.envelope, &self.border) };
        let examination = self.external_engines.examine(&self.examiner, Arc::new(raw), facts).await;
        let unit = &self.envelope.recipients[0];
        let verdict = decide(&examination, &self.envelope, unit, &self.policy, &Containment::default());
        let counterfactuals = self.counterfactuals(&examination);
        let failed = examination.engines.iter().map(|engine| engine.detail.as_str()).filter(|text| !text.is_empty());
        let failed = failed.collect::<Vec<_>>().join("; ");
        Scanned {
            category: verdict.category,
            disposition: verdict.disposition,
            direction: unit.direction,
            ruleset: verdict.ruleset,
            policy: verdict.policy,
            reasons: verdict.reasons,
            findings: examination.findings.into_iter().map(seen).collect(),
            engines: examination.engines,
            counterfactuals,
            parts: examination.message.parts,
            ambiguities: examination.message.ambiguities,
            error: (!failed.is_empty()).then_some(failed),
            file: path.display().to_string(),
            sha256,
            size,
        }
    }

    fn counterfactuals(&self, examination: &Examination) -> Vec<Counterfactual> {
        let unit = &self.envelope.recipients[0];
        let none = Containment::default();
        let acting = examination.findings.iter().filter(|finding| finding.effect.acts());
        let mut codes: Vec<&DetectionCode> = acting.map(|finding| &finding.detection).collect();
        codes.dedup();
        let without = |code: &DetectionCode| {
            let Verdict { category, disposition, .. } =
                decide_without(code, examination, &self.envelope, unit, &self.policy, &none);
            Counterfactual { without: code.clone(), category, disposition }
        };
        codes.into_iter().map(without).collect()
    }
}

fn seen(finding: Finding) -> Seen {
    let Finding { detection, detection_version, engine, effect, part, offset, evidence, .. } = finding;
    Seen { detection, detection_version, engine, effect, part, offset, evidence }
}

/// A file that is no mail, as the attachment of one.
fn as_attachment(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let name: String = path
        .file_name()
        .map(|name| name.to_string_lossy().chars().filter(|c| c.is_ascii_graphic() && *c != '"').collect())
        .unwrap_or_default();
    super::compose::Mail::new("scan@localhost", "recipient@localhost", "scan")
        .attach(&name, "application/octet-stream", bytes)
        .build()
}
