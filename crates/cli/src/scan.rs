//! `reprieve scan`: the verdict of each file, offline, fully explained. One JSON object a line with `--json`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use detect::auth::upstream;
use detect::examine::EnvelopeFacts;
use detect::in_force::InForce;
use domain::containment::Containment;
use domain::detection::Category;
use domain::envelope::{Border, Client, Envelope, MailParams, RcptParams, Recipient};
use domain::policy::Policy;
use domain::verdict::{Verdict, decide, decide_without};
use domain::{Address, Digest, Direction, Examination};
use serde_json::{Value, json};

use super::{CliError, mailbox, terminal};
use detect::ruleset::load::from_folder_or_shipped;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use platform::config::Config;

/// What to scan, and as what.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Mails (.eml), folders of them, or single attachments.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Print one JSON object a line, in the order of the input.
    #[arg(long)]
    json: bool,
    /// Print every finding, part and counterfactual.
    #[arg(long)]
    explain: bool,
    /// A ruleset folder; the shipped ruleset without.
    #[arg(long, value_name = "DIR")]
    ruleset: Option<PathBuf>,
    /// A configuration, for its policy, ruleset and engines.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The envelope sender.
    #[arg(long, value_name = "ADDRESS", default_value = "")]
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
        let scanned = match mailbox::read(&path) {
            Ok(bytes) => scanner.scan(&path, bytes).await,
            Err(error) => {
                unopened += 1;
                terminal::complain(&format!("{}: {error}", path.display()));
                (Category::Clean, json!({ "file": path, "error": error.to_string() }))
            }
        };
        worst = worst.max(scanned.0);
        terminal::line(&if args.json { scanned.1.to_string() } else { shown(&scanned.1, args.explain) });
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
    async fn scan(&self, path: &Path, bytes: Vec<u8>) -> (Category, Value) {
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
        let mut value = self.json(&examination, &verdict);
        value["file"] = json!(path);
        value["sha256"] = json!(sha256);
        value["size"] = json!(size);
        (verdict.category, value)
    }

    fn json(&self, examination: &Examination, verdict: &Verdict) -> Value {
        let unit = &self.envelope.recipients[0];
        let reasons: Vec<Value> = verdict.reasons.iter().map(|reason| json!(reason)).collect();
        let findings: Vec<Value> = examination
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "detection": finding.detection,
                    "detection_version": finding.detection_version,
                    "engine": finding.engine,
                    "effect": finding.effect,
                    "part": finding.part,
                    "offset": finding.offset,
                    "evidence": finding.evidence,
                })
            })
            .collect();
        let engines: Vec<Value> = examination.engines.iter().map(|engine| json!(engine)).collect();
        let none = Containment::default();
        let mut codes: Vec<_> = examination.findings.iter().filter(|f| f.effect.acts()).map(|f| &f.detection).collect();
        codes.dedup();
        let counterfactuals: Vec<Value> = codes
            .into_iter()
            .map(|code| {
                let without = decide_without(code, examination, &self.envelope, unit, &self.policy, &none);
                json!({ "without": code, "category": without.category, "disposition": without.disposition })
            })
            .collect();
        let failed: Vec<&str> =
            examination.engines.iter().filter(|e| !e.detail.is_empty()).map(|e| e.detail.as_str()).collect();
        json!({
            "category": verdict.category,
            "disposition": verdict.disposition,
            "direction": unit.direction,
            "ruleset": verdict.ruleset,
            "policy": verdict.policy,
            "reasons": reasons,
            "findings": findings,
            "engines": engines,
            "counterfactuals": counterfactuals,
            "parts": examination.message.parts,
            "ambiguities": examination.message.ambiguities,
            "error": if failed.is_empty() { Value::Null } else { json!(failed.join("; ")) },
        })
    }
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

fn shown(scanned: &Value, explain: bool) -> String {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    if scanned["category"].is_null() {
        return format!("{}: {}", text(scanned, "file"), text(scanned, "error"));
    }
    let colour = match text(scanned, "disposition").as_str() {
        "Deliver" => 32,
        "Hold" => 31,
        _ => 33,
    };
    let verdict = format!("{} {}", text(scanned, "category"), text(scanned, "disposition"));
    let mut out = vec![format!("{}: {}", text(scanned, "file"), terminal::coloured(&verdict, colour))];
    for reason in scanned["reasons"].as_array().into_iter().flatten().filter(|reason| reason["code"] != "clean") {
        out.push(format!("  because {}", text(reason, "text")));
    }
    if !explain {
        return out.join("\n");
    }
    for other in scanned["counterfactuals"].as_array().into_iter().flatten() {
        out.push(format!(
            "  without {}: {} {}",
            text(other, "without"),
            text(other, "category"),
            text(other, "disposition")
        ));
    }
    for part in scanned["parts"].as_array().into_iter().flatten() {
        out.push(format!(
            "  part {} {} {} bytes '{}' declared '{}'",
            part["number"],
            text(part, "content_type"),
            part["size"],
            text(part, "name"),
            text(part, "declared")
        ));
    }
    for finding in scanned["findings"].as_array().into_iter().flatten() {
        out.push(format!(
            "  {} ({}) {} {}",
            text(finding, "detection"),
            text(finding, "detection_version"),
            text(finding, "effect"),
            text(finding, "evidence")
        ));
    }
    for engine in scanned["engines"].as_array().into_iter().flatten() {
        out.push(format!(
            "  engine {} {} {} {} ms {}",
            text(engine, "engine"),
            text(engine, "version"),
            text(engine, "outcome"),
            engine["millis"],
            text(engine, "detail")
        ));
    }
    out.push(format!("  ruleset {} policy {}", text(scanned, "ruleset"), text(scanned, "policy")));
    out.join("\n")
}
