//! `reprieve feed`: mail from files through a gateway over SMTP, with envelopes from the headers, and a report.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use domain::Address;
use domain::envelope::{Body, MailParams, RcptParams};
use domain::header;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use wire::smtp::client::{ClientError, Connection, DotOutcome, Introduction, Target, Timeouts};
use wire::smtp::reply::Reply;
use wire::tls::TlsPolicy;

use super::{CliError, mailbox, terminal};

/// What to send where.
#[derive(Debug, Args)]
pub struct FeedArgs {
    /// The listener of the gateway.
    #[arg(long, value_name = "HOST:PORT")]
    to: String,
    /// Send as a client of this direction, by XCLIENT: this host must be in the listener's xclient_from.
    #[arg(long, ignore_case = true)]
    direction: Option<FeedDirection>,
    /// Maximum number of messages a second.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    rate: Option<f64>,
    /// Parallel connections.
    #[arg(long, default_value_t = 4)]
    sessions: usize,
    /// The recipient, instead of those in the headers; may be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    rcpt: Vec<String>,
    /// The sender, instead of the one in the headers.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// mbox files, Maildirs, .eml files, or folders of these.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// As which client to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FeedDirection {
    /// From outside.
    Inbound,
    /// One of ours, to the outside.
    Outbound,
    /// One of ours, to one of ours.
    Internal,
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches("/s").parse::<f64>().ok().filter(|rate| *rate > 0.0);
    number.ok_or_else(|| "must be a number of messages a second, such as 50/s".into())
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Mails that got a final answer.
    pub sent: u64,
    /// Answered 2xx.
    pub accepted: u64,
    /// Answered 5xx.
    pub refused: u64,
    /// Answered 4xx.
    pub deferred: u64,
    /// Mails without an answer, or without a usable recipient.
    pub failed: u64,
    /// How often each code was the final answer.
    pub codes: BTreeMap<u16, u64>,
    /// Answers other than 2xx, and failures: up to 20, with their files.
    pub examples: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// One mail to send.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where it came from, for the report.
    pub name: String,
    /// The reverse path.
    pub sender: Option<Address>,
    /// The forward paths.
    pub recipients: Vec<Address>,
    /// Its bytes in wire form.
    pub bytes: Vec<u8>,
}

/// Sends.
///
/// # Errors
/// Exit 3 when the gateway or a file cannot be reached, exit 1 when a mail got no answer.
pub async fn run(args: FeedArgs) -> Result<(), CliError> {
    let address = |text: &String| Address::parse(text).map_err(|error| CliError::Usage(format!("'{text}': {error}")));
    let recipients: Vec<Address> = args.rcpt.iter().map(address).collect::<Result<_, _>>()?;
    let sender = args.from.as_ref().map(address).transpose()?;
    let mut letters = Vec::new();
    for path in mailbox::files(&args.paths).map_err(CliError::unreachable)? {
        let bytes =
            mailbox::read(&path).map_err(|error| CliError::unreachable(format!("{}: {error}", path.display())))?;
        for mail in mailbox::mails(&path, &bytes) {
            letters.push(address_letter(path.display().to_string(), mail, sender.as_ref(), &recipients));
        }
    }
    let target = Arc::new(target(&args.to).await?);
    let report = send_all(target, letters, args.direction, args.sessions.max(1), args.rate).await?;
    terminal::line(&if args.json {
        serde_json::to_string(&report).map_err(CliError::unreachable)?
    } else {
        shown(&report)
    });
    if report.failed > 0 { Err(CliError::No) } else { Ok(()) }
}

/// Where to send.
///
/// # Errors
/// When the name cannot be resolved.
pub async fn target(to: &str) -> Result<Target, CliError> {
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host(to).await.map_err(|error| CliError::unreachable(format!("{to}: {error}")))?.collect();
    Ok(Target {
        addresses,
        name: to.rsplit_once(':').map_or(to, |(host, _)| host).to_owned(),
        helo: "feed.localhost".into(),
        tls: TlsPolicy::None,
        tls_config: None,
        timeouts: Timeouts { greeting: Duration::from_secs(60), ..Timeouts::default() },
    })
}

/// A mail with the envelope that its headers tell.
pub fn addressed(name: String, bytes: Vec<u8>) -> Letter {
    address_letter(name, bytes, None, &[])
}

fn address_letter(name: String, bytes: Vec<u8>, sender: Option<&Address>, recipients: &[Address]) -> Letter {
    let own_sender = || first_address(&bytes, &["Return-Path"]).or_else(|| first_address(&bytes, &["From"]));
    let sender = sender.cloned().or_else(own_sender);
    let recipients = if recipients.is_empty() { header_recipients(&bytes) } else { recipients.to_vec() };
    Letter { name, sender, recipients, bytes }
}

fn first_address(bytes: &[u8], names: &[&str]) -> Option<Address> {
    header::fields(bytes)
        .filter(|field| names.iter().any(|name| field.is(name)))
        .flat_map(|field| header::addresses(&field.unfolded()))
        .next()
}

fn header_recipients(bytes: &[u8]) -> Vec<Address> {
    for names in [&["Delivered-To", "X-Original-To"][..], &["To", "Cc"]] {
        let fields = header::fields(bytes).filter(|field| names.iter().any(|name| field.is(name)));
        let mut found: Vec<Address> = fields.flat_map(|field| header::addresses(&field.unfolded())).collect();
        found.sort();
        found.dedup();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Sends letters over some connections; one final answer for each.
///
/// # Errors
/// When not even one connection can be made.
pub async fn send_all(
    target: Arc<Target>,
    letters: Vec<Letter>,
    direction: Option<FeedDirection>,
    sessions: usize,
    rate: Option<f64>,
) -> Result<Report, CliError> {
    let began = Instant::now();
    let progress = progress(letters.len() as u64);
    open(&target, direction).await.map_err(CliError::unreachable)?.quit().await;
    let waiting = Arc::new(Mutex::new(letters.into_iter().enumerate()));
    let report = Arc::new(Mutex::new(Report::default()));
    let workers = (0..sessions).map(|_| {
        let (target, waiting, report, progress) = (target.clone(), waiting.clone(), report.clone(), progress.clone());
        tokio::spawn(async move {
            let mut connection = None;
            loop {
                let next = waiting.lock().ok().and_then(|mut waiting| waiting.next());
                let Some((number, letter)) = next else { break };
                if let Some(rate) = rate {
                    let due = Duration::from_secs_f64(number as f64 / rate);
                    tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
                }
                let answer = send(&target, direction, &mut connection, &letter).await;
                if let Ok(mut report) = report.lock() {
                    report.count(&letter.name, answer);
                }
                progress.inc(1);
            }
            if let Some(connection) = connection {
                connection.quit().await;
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    for worker in workers {
        worker.await.map_err(CliError::unreachable)?;
    }
    progress.finish_and_clear();
    let mut report = report.lock().map(|report| report.clone()).unwrap_or_default();
    report.seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    Ok(report)
}

fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} messages, {per_sec}, {eta} left");
    let bar = ProgressBar::new(length);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

impl Report {
    fn count(&mut self, name: &str, answer: Result<Reply, String>) {
        let said = match answer {
            Ok(reply) => {
                self.sent += 1;
                *self.codes.entry(reply.code).or_default() += 1;
                match reply.code / 100 {
                    2 => {
                        self.accepted += 1;
                        return;
                    }
                    4 => self.deferred += 1,
                    _ => self.refused += 1,
                }
                reply.to_line()
            }
            Err(why) => {
                self.failed += 1;
                why
            }
        };
        if self.examples.len() < 20 {
            self.examples.push(format!("{name}: {said}"));
        }
    }
}

async fn open(target: &Arc<Target>, direction: Option<FeedDirection>) -> Result<Connection, ClientError> {
    match direction {
        Some(direction) => open_as(target, (direction != FeedDirection::Inbound).then(|| "feed".to_owned())).await,
        None => Connection::open(target.clone()).await,
    }
}

/// A connection of a client from outside, or of one who has logged in under this name.
///
/// # Errors
/// When the gateway cannot be reached, or does not believe XCLIENT.
pub async fn open_as(target: &Arc<Target>, login: Option<String>) -> Result<Connection, ClientError> {
    let mut connection = Connection::open(target.clone()).await?;
    // A documentation address (RFC 5737): no installation trusts it, so only the login makes it ours.
    let ip = IpAddr::from([192, 0, 2, 77]);
    connection.impersonate(&Introduction { ip, helo: "feed.example".into(), proto: "ESMTP".into(), login }).await?;
    Ok(connection)
}

/// The final answer to one letter: to the dot, or to what ended the transaction before it.
async fn send(
    target: &Arc<Target>,
    direction: Option<FeedDirection>,
    connection: &mut Option<Connection>,
    letter: &Letter,
) -> Result<Reply, String> {
    if letter.recipients.is_empty() {
        return Err("no recipient in its headers; give one with --rcpt".into());
    }
    let mut open_one = match connection.take() {
        Some(open_one) => open_one,
        None => open(target, direction).await.map_err(|error| error.to_string())?,
    };
    let answer = transact(&mut open_one, letter).await;
    match &answer {
        Ok(reply) if reply.code != 421 => *connection = Some(open_one),
        _ => {}
    }
    answer
}

/// One transaction on an open connection; the reply to the dot, or to what ended it before.
///
/// # Errors
/// When the connection ends.
pub async fn transact(connection: &mut Connection, letter: &Letter) -> Result<Reply, String> {
    let offered = connection.capabilities().clone();
    let all = letter.recipients.iter().chain(&letter.sender);
    let params = MailParams {
        body: (offered.eight_bit && !letter.bytes.is_ascii()).then_some(Body::EightBitMime),
        smtputf8: offered.smtputf8 && all.into_iter().any(Address::needs_smtputf8),
        ..MailParams::default()
    };
    let plain = RcptParams::default();
    let recipients: Vec<_> = letter.recipients.iter().map(|recipient| (recipient, &plain)).collect();
    let size = Some(letter.bytes.len() as u64);
    let text = |error: ClientError| error.to_string();
    let (_, replies) = connection.begin(letter.sender.as_ref(), &params, size, &recipients).await.map_err(text)?;
    if !replies.iter().any(Reply::is_positive) {
        connection.reset().await.map_err(text)?;
        return replies.into_iter().next().ok_or_else(|| "no recipient".into());
    }
    let ready = connection.data().await.map_err(text)?;
    if ready.code != 354 {
        return Ok(ready);
    }
    match connection.send(&stuffed(&letter.bytes)).await {
        DotOutcome::Replied(reply) => Ok(reply),
        DotOutcome::NotSent(error) | DotOutcome::Unanswered(error) => Err(error.to_string()),
    }
}

/// Dot-stuffed and ended, stray characters and all: what a gateway says to those is a question that feed asks.
fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 64);
    let mut line_start = true;
    for byte in bytes {
        if line_start && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        line_start = out.ends_with(b"\r\n");
    }
    if !line_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

fn shown(report: &Report) -> String {
    let codes: Vec<String> = report.codes.iter().map(|(code, count)| format!("{code}: {count}")).collect();
    let mut out = vec![format!(
        "sent {} in {} s: accepted {}, deferred {}, refused {}, failed {} ({})",
        report.sent,
        report.seconds,
        report.accepted,
        report.deferred,
        report.refused,
        report.failed,
        codes.join(", ")
    )];
    out.extend(report.examples.iter().map(|example| format!("  {example}")));
    out.join("\n")
}
