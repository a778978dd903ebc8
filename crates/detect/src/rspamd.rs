//! rspamd as a neighbour: the message over HTTP, its symbols as findings, its action as what they come to.
//!
//! Each symbol is a detection of its own, and a fact: rspamd adds their scores up, and what the sum leads to is said by
//! one more finding, which may act. Whatever rspamd does (hang, garble, die) is an engine's failure with a policy,
//! never a verdict.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode};
use domain::finding::{EngineReport, Finding, Outcome};
use domain::message::Family;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{HeaderValue, SERVER};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::examine::EnvelopeFacts;
use crate::mime::clean;

/// The engine's name in reports and in policy.
pub const ENGINE: &str = "rspamd";
/// Bytes of one answer at most.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Symbols of one answer that are kept.
const SYMBOLS_MAX: usize = 200;
/// Recipients that rspamd is told of.
const RECIPIENTS_MAX: usize = 100;

/// An rspamd to ask: its normal worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rspamd {
    /// `host:port`.
    pub address: String,
    /// How long it may take for one message.
    pub timeout: Duration,
}

/// Why rspamd gave no answer that counts.
#[derive(Debug, thiserror::Error)]
pub enum RspamdError {
    /// It cannot be reached.
    #[error("rspamd: {0}")]
    Io(#[from] std::io::Error),
    /// It hung up, or does not speak HTTP.
    #[error("rspamd: {0}")]
    Http(#[from] hyper::Error),
    /// It took too long.
    #[error("rspamd did not answer within {0} s")]
    Timeout(u64),
    /// It answered, and not with a result.
    #[error("rspamd answered {0}: {1}")]
    Failed(StatusCode, String),
    /// The answer is too long, or no result.
    #[error("rspamd answered what makes no sense: {0}")]
    Garbled(String),
}

/// The answer to /checkv2.
#[derive(Debug, Deserialize)]
pub struct Answer {
    score: f64,
    required_score: f64,
    action: String,
    #[serde(default)]
    symbols: BTreeMap<String, Symbol>,
}

#[derive(Debug, Deserialize)]
struct Symbol {
    score: f64,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    options: Vec<String>,
}

/// Reads an answer.
///
/// # Errors
/// When it is no result.
pub fn parse_answer(body: &[u8]) -> Result<Answer, RspamdError> {
    serde_json::from_slice(body).map_err(|error| RspamdError::Garbled(error.to_string()))
}

impl Answer {
    /// The findings: one a symbol, as facts, and what they come to.
    pub fn findings(&self, version: &str) -> Vec<Finding> {
        let version = DetectionVersion::of(&[ENGINE.as_bytes(), version.as_bytes()]);
        let mut symbols: Vec<(&String, &Symbol)> = self.symbols.iter().collect();
        symbols.sort_by(|a, b| b.1.score.abs().total_cmp(&a.1.score.abs()).then(a.0.cmp(b.0)));
        symbols.truncate(SYMBOLS_MAX);
        let mut findings: Vec<Finding> = Vec::with_capacity(symbols.len() + 1);
        findings.extend(self.action(&symbols, &version));
        findings.extend(symbols.into_iter().map(|(name, symbol)| {
            let mut evidence = format!("score {:+.2}", symbol.score);
            if let Some(about) = symbol.description.as_deref().map(str::trim).filter(|about| !about.is_empty()) {
                evidence.push_str(&format!(": {about}"));
            }
            if !symbol.options.is_empty() {
                let options: Vec<&str> = symbol.options.iter().take(3).map(String::as_str).collect();
                evidence.push_str(&format!(" [{}]", options.join(", ")));
            }
            finding(code(name), &version, Category::Clean, Effect::Fact, &evidence)
        }));
        findings
    }

    /// What the sum of the scores leads to; none when rspamd finds nothing wrong with it.
    fn action(&self, symbols: &[(&String, &Symbol)], version: &DetectionVersion) -> Option<Finding> {
        let effect = match self.action.as_str() {
            "reject" => Effect::Block,
            "add header" | "rewrite subject" => Effect::Hold,
            // To ask for a second try is for the one who talks to the client first; a weak sign, once the mail is here.
            "greylist" | "soft reject" => Effect::Weak,
            _ => return None,
        };
        let most = symbols.iter().filter(|(_, symbol)| symbol.score > 0.0).take(5);
        let most: Vec<String> = most.map(|(name, symbol)| format!("{name} {:.1}", symbol.score)).collect();
        let Self { score, required_score, action, .. } = self;
        let evidence = format!("{action}: {score:.1} of {required_score:.1} ({})", most.join(", "));
        Some(finding(code(&format!("action-{}", action.replace(' ', "-"))), version, Category::Spam, effect, &evidence))
    }
}

fn code(name: &str) -> DetectionCode {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.:".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).take(110).collect();
    DetectionCode::parse(&format!("{ENGINE}:{name}")).expect("made of the characters of a code")
}

fn finding(
    detection: DetectionCode,
    version: &DetectionVersion,
    category: Category,
    effect: Effect,
    evidence: &str,
) -> Finding {
    Finding {
        detection,
        detection_version: version.clone(),
        engine: ENGINE.into(),
        category,
        effect,
        mode: Mode::Enforce,
        part: None,
        family: Family::Mail,
        offset: None,
        evidence: clean(evidence).chars().take(200).collect(),
        previous: None,
    }
}

impl Rspamd {
    /// Asks about one message.
    pub async fn examine(&self, raw: &[u8], envelope: &EnvelopeFacts) -> (EngineReport, Vec<Finding>) {
        let began = Instant::now();
        let asked = match tokio::time::timeout(self.timeout, self.ask(raw, envelope)).await {
            Ok(asked) => asked,
            Err(_) => Err(RspamdError::Timeout(self.timeout.as_secs())),
        };
        let (outcome, version, detail, findings) = match asked {
            Ok((answer, version)) => (Outcome::Done, version.clone(), String::new(), answer.findings(&version)),
            Err(error) => {
                let outcome = if matches!(error, RspamdError::Timeout(_)) { Outcome::Timeout } else { Outcome::Error };
                (outcome, String::new(), error.to_string(), Vec::new())
            }
        };
        let millis = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        // rspamd does not say the version of its maps and statistics.
        let data_version = String::new();
        (EngineReport { engine: ENGINE.into(), version, data_version, outcome, millis, detail }, findings)
    }

    async fn ask(&self, raw: &[u8], envelope: &EnvelopeFacts) -> Result<(Answer, String), RspamdError> {
        let stream = TcpStream::connect(self.address.as_str()).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the answer, or with the sender when we give up.
        tokio::spawn(connection);
        let response = sender.send_request(request(&self.address, raw, envelope)).await?;
        let status = response.status();
        let server = response.headers().get(SERVER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let version = clean(server).chars().take(60).collect();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| RspamdError::Garbled(error.to_string()))?.to_bytes();
        if status != StatusCode::OK {
            let said: String = clean(&String::from_utf8_lossy(&body)).chars().take(200).collect();
            return Err(RspamdError::Failed(status, said));
        }
        Ok((parse_answer(&body)?, version))
    }
}

/// What a client and an envelope look like to rspamd; what cannot stand in a field is left out.
fn request(address: &str, raw: &[u8], envelope: &EnvelopeFacts) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(raw)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = hyper::Uri::from_static("/checkv2");
    let headers = request.headers_mut();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
            && !value.is_empty()
        {
            headers.append(name, value);
        }
    };
    add("host", address);
    add("from", &envelope.sender);
    for recipient in envelope.recipients.iter().take(RECIPIENTS_MAX) {
        add("rcpt", recipient);
    }
    if let Some(client) = &envelope.client {
        add("ip", &client.ip.to_string());
        add("helo", &client.helo);
        add("user", client.login.as_deref().unwrap_or_default());
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &str = r#"{"is_skipped":false,"score":16.5,"required_score":15.0,"action":"reject",
        "thresholds":{"reject":15.0},
        "symbols":{"GTUBE":{"name":"GTUBE","score":0.0,"metric_score":0.0},
        "BAYES_SPAM":{"name":"BAYES_SPAM","score":5.1,
        "description":"Message probably spam, probability: ","options":["99.9%"]},
        "GOOD (odd)":{"score":-1.0}},"messages":{}}"#;

    #[test]
    fn each_symbol_is_a_detection_and_the_action_says_what_they_come_to() {
        let findings = parse_answer(ANSWER.as_bytes()).expect("reads").findings("rspamd/3.4");
        let shown: Vec<String> =
            findings.iter().map(|one| format!("{} {} {}", one.detection, one.effect.as_str(), one.evidence)).collect();
        assert_eq!(
            shown,
            [
                "rspamd:action-reject Block reject: 16.5 of 15.0 (BAYES_SPAM 5.1)",
                "rspamd:BAYES_SPAM Fact score +5.10: Message probably spam, probability: [99.9%]",
                "rspamd:GOOD__odd_ Fact score -1.00",
                "rspamd:GTUBE Fact score +0.00",
            ]
        );
    }

    #[test]
    fn what_is_no_result_is_garbled() {
        for body in ["", "{}", "[]", r#"{"error":"no"}"#] {
            assert!(matches!(parse_answer(body.as_bytes()), Err(RspamdError::Garbled(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(name in ".{0,40}", score in proptest::num::f64::ANY, action in ".{0,20}") {
            let text = serde_json::json!({"score": 1.0, "required_score": 2.0, "action": action,
                "symbols": {name.clone(): {"score": if score.is_finite() { score } else { 0.0 }, "options": [name]}}});
            let _ = parse_answer(text.to_string().as_bytes()).map(|answer| answer.findings("v"));
        }
    }
}
