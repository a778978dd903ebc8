//! `reprieve doctor`: all health checks in one list: each line ok, a warning, or a fault with what to do.

mod limits;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api_types::audit::{VerifiedView, VerifyQuery};
use api_types::events::EventSinkView;
use api_types::explore::{PivotQuery, PivotedView, SumView};
use api_types::health::{HealthView, ScrubView};
use api_types::ledger::LedgerView;
use api_types::retention::ClockView;
use clap::Args;
use detect::auth;
use detect::examine::EnvelopeFacts;
use detect::in_force::InForce;
use domain::envelope::{MailParams, RcptParams};
use domain::ledger::Account;
use domain::{Address, Direction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::upkeep::backup::DATABASE;
use store::upkeep::check;
use wire::smtp::client::{Connection, Introduction, Target, Timeouts};
use wire::smtp::reply::Reply;
use wire::tls::TlsPolicy;

use super::client::Client;
use super::{CliError, feed, ledger, terminal};
use detect::ruleset::load::from_folder_or_shipped;
use examiner::try_walls;
use platform::clock::{Clock, SystemClock};
use platform::config::{Config, ListenerConfig, Mode, Role};
use platform::descriptors::{self, Budget};
use platform::hop::{Hop, Hops};
use platform::panic_switch::{self, SwitchPosition};

/// How long one probe may take.
const PROBE: Duration = Duration::from_secs(10);
/// Deliveries from which on it means something who brought them.
const ENOUGH_TO_TELL: u64 = 100;
/// A mailbox that no host has (RFC 6761: `.invalid`); the probe never gets as far as DATA.
const ELSEWHERE: &str = "relay-probe@relay-probe.invalid";

/// What to look at.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The configuration.
    #[arg(long, value_name = "FILE", env = "REPRIEVE_CONFIG", default_value = super::INSTALLED_CONFIG)]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    Ok,
    Warning,
    Fault,
}

/// One line of the list.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) what: String,
    pub(super) health: Health,
    pub(super) detail: String,
}

/// Looks at everything; exit 1 when there is a fault.
///
/// # Errors
/// When the configuration cannot be read, or there is a fault.
pub async fn run(args: DoctorArgs) -> Result<(), CliError> {
    let config = Config::load(&args.config).map_err(CliError::unreachable)?;
    let list = look(&config).await;
    if args.json {
        terminal::line(&serde_json::to_string(&list).map_err(CliError::unreachable)?);
    } else {
        list.iter().for_each(|finding| terminal::line(&shown(finding)));
    }
    if list.iter().any(|finding| finding.health == Health::Fault) { Err(CliError::No) } else { Ok(()) }
}

/// Everything that is looked at.
pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let mut list = vec![Finding { what: "configuration".into(), health: Health::Ok, detail: "no fault found".into() }];
    list.push(ruleset(config));
    list.push(walls(config));
    list.extend(Direction::ALL.into_iter().filter(|d| config.mode(*d) == Mode::Observe).map(|direction| Finding {
        what: format!("mode of {}", direction.as_str().to_lowercase()),
        health: Health::Warning,
        detail: "observe (monitor only): verdicts are recorded, nothing is held".into(),
    }));
    list.extend(hops(config).await);
    list.extend(relaying_hops(config).await);
    list.push(file_descriptors(config));
    list.extend(clamd(config).await);
    list.extend(rspamd(config).await);
    list.extend(dns(config).await);
    list.push(room(config));
    list.extend(panic_switch(config));
    list.extend(gateway(config).await);
    list.extend(one_for_all(config).await);
    list.extend(limits::limits(&Client::at_socket(config.api.socket.clone())).await);
    for listener in &config.listeners {
        list.push(relay(config, listener).await);
    }
    list
}

pub(super) fn shown(finding: &Finding) -> String {
    let mark = match finding.health {
        Health::Ok => terminal::coloured("ok     ", 32),
        Health::Warning => terminal::coloured("warning", 33),
        Health::Fault => terminal::coloured("FAULT  ", 31),
    };
    format!("{mark}  {}: {}", finding.what, finding.detail)
}

fn of(what: String, result: Result<String, String>) -> Finding {
    match result {
        Ok(detail) => Finding { what, health: Health::Ok, detail },
        Err(detail) => Finding { what, health: Health::Fault, detail },
    }
}

/// What is offered at a start; once a version was published, `reprieve ruleset list` shows which one is in force.
fn ruleset(config: &Config) -> Finding {
    let loaded = from_folder_or_shipped(config.ruleset.as_deref());
    let told = loaded.map(|ruleset| format!("{} with {} detections", ruleset.id, ruleset.detections.len()));
    of("ruleset".into(), told.map_err(|error| error.to_string()))
}

/// Whether mail can be taken apart in processes that are shut in.
fn walls(config: &Config) -> Finding {
    let what = "examining processes".to_owned();
    let tried = from_folder_or_shipped(config.ruleset.as_deref()).map_err(|error| error.to_string());
    match tried.and_then(|ruleset| try_walls(InForce::only(ruleset))) {
        Ok(missing) if missing.is_empty() => {
            of(what, Ok("sandboxed by Landlock and seccomp, without capabilities and foreign descriptors".into()))
        }
        Ok(missing) => Finding {
            what,
            health: Health::Warning,
            detail: format!("sandboxed by seccomp alone ({}); a newer kernel adds Landlock", missing.join(", ")),
        },
        Err(why) => of(what, Err(why)),
    }
}

pub(super) async fn hops(config: &Config) -> Vec<Finding> {
    let timeouts = Timeouts { connect: PROBE, greeting: PROBE, command: PROBE, ..Timeouts::default() };
    let hops = Hops::new(config, 1, &timeouts);
    let mut list = Vec::new();
    for direction in Direction::ALL {
        let hop = hops.of(direction);
        let what = format!("next hop of {} ({})", direction.as_str().to_lowercase(), hop.name());
        let told = match hop.connection().await {
            Ok(loan) => {
                let offered = loan.connection.capabilities().clone();
                let encrypted = if loan.connection.is_encrypted() { "TLS" } else { "plain" };
                loan.give_back();
                let words = [
                    (offered.pipelining, "PIPELINING"),
                    (offered.eight_bit, "8BITMIME"),
                    (offered.smtputf8, "SMTPUTF8"),
                    (offered.dsn, "DSN"),
                ];
                let missing: Vec<&str> = words.into_iter().filter(|(has, _)| !has).map(|(_, word)| word).collect();
                let missing = if missing.is_empty() {
                    String::new()
                } else {
                    format!("; without {}, so it is not offered to clients", missing.join(", "))
                };
                Ok(format!("answers, {encrypted}{missing}"))
            }
            Err(error) => Err(format!("{error}; mail in this direction is answered 451")),
        };
        list.push(of(what, told));
    }
    list
}

/// Addresses of ours that name a mailbox elsewhere in their local part, as hosts of old did: for each, how it is
/// called.
fn routed(domain: &str) -> [(&'static str, String); 3] {
    let (user, elsewhere) = ("relay-probe", "relay-probe.invalid");
    [
        ("the percent hack", format!("{user}%{elsewhere}@{domain}")),
        ("a bang path", format!("{elsewhere}!{user}@{domain}")),
        ("a quoted address", format!("\"{user}@{elsewhere}\"@{domain}")),
    ]
}

/// Whether next hops pass on what is addressed to us and names a mailbox elsewhere: we cannot tell such an address from
/// one of ours, they can. Each probe ends before DATA.
pub(super) async fn relaying_hops(config: &Config) -> Vec<Finding> {
    let Some(domain) = config.border.accepted_domains.iter().next().map(|domain| domain.trim_start_matches('.')) else {
        return Vec::new();
    };
    let timeouts = Timeouts { connect: PROBE, greeting: PROBE, command: PROBE, ..Timeouts::default() };
    let hops = Hops::new(config, 1, &timeouts);
    let mut list = Vec::new();
    let mut asked = BTreeSet::new();
    for direction in [Direction::Inbound, Direction::Internal] {
        let hop = hops.of(direction);
        if asked.insert(hop.name().to_owned()) {
            let what = format!("relaying at next hop {}", hop.name());
            let (health, detail) = match ask_about_routes(&hop, domain).await {
                Ok(said) => of_routes(&said),
                Err(why) => (Health::Warning, format!("could not be probed: {why}")),
            };
            list.push(Finding { what, health, detail });
        }
    }
    list
}

/// What a hop says to each address: first to one that nobody has, then to the routed ones.
async fn ask_about_routes(hop: &Arc<Hop>, domain: &str) -> Result<Vec<(&'static str, Reply)>, String> {
    let mut loan = hop.connection().await.map_err(|error| error.to_string())?;
    let sender = Address::parse("relay-probe@relay-probe.invalid").ok();
    let nobody = format!("relay-probe-{:x}@{domain}", std::process::id());
    let mut said = Vec::new();
    for (name, text) in [("", nobody)].into_iter().chain(routed(domain)) {
        let Ok(rcpt) = Address::parse(&text) else { continue };
        let plain = RcptParams::default();
        let begun = loan.connection.begin(sender.as_ref(), &MailParams::default(), None, &[(&rcpt, &plain)]).await;
        let (mail, replies) = begun.map_err(|error| error.to_string())?;
        said.push((name, replies.into_iter().next().unwrap_or(mail)));
        loan.connection.reset().await.map_err(|error| error.to_string())?;
    }
    loan.connection.quit().await;
    Ok(said)
}

fn of_routes(said: &[(&'static str, Reply)]) -> (Health, String) {
    let takes_anybody = said.first().is_some_and(|(_, reply)| reply.is_positive());
    let taken: Vec<&str> =
        said.iter().skip(1).filter(|(_, reply)| reply.is_positive()).map(|(name, _)| *name).collect();
    match (taken.is_empty(), takes_anybody) {
        (true, _) => (Health::Ok, "refuses user%host@, host!user@ and \"user@host\"@ in your domains".into()),
        (false, true) => (
            Health::Warning,
            format!(
                "accepts {}, as it accepts any address of yours, so it cannot be seen whether it relays them. Check \
                 that it does not (Postfix: allow_untrusted_routing = no), and that it refuses unknown recipients",
                taken.join(", ")
            ),
        ),
        (false, false) => (
            Health::Warning,
            format!(
                "accepts {}, and refuses an unknown address: it may relay for strangers through this gateway. Check \
                 that it does not (Postfix: allow_untrusted_routing = no)",
                taken.join(", ")
            ),
        ),
    }
}

/// Whether there are descriptors for all connections that are configured.
fn file_descriptors(config: &Config) -> Finding {
    let what = "file descriptors".to_owned();
    match Budget::divide(config, descriptors::hard_limit()) {
        (budget, None) => {
            let Budget { limit, smtp, hops, store, http } = budget;
            let detail = format!(
                "{limit}; at most {smtp} for SMTP clients, {hops} for next hops, {store} for the store, {http} for \
                    each HTTP listener"
            );
            of(what, Ok(detail))
        }
        (_, Some(shortage)) => Finding { what, health: Health::Warning, detail: shortage.to_string() },
    }
}

async fn clamd(config: &Config) -> Option<Finding> {
    let clamd = config.engines.clamd.as_ref()?;
    let (report, _) = clamd.examine(b"Subject: probe\r\n\r\nprobe\r\n").await;
    let told = if report.detail.is_empty() {
        Ok(format!(
            "answers, {} with database {}",
            report.version,
            if report.data_version.is_empty() { "unnamed" } else { &report.data_version }
        ))
    } else {
        Err(report.detail)
    };
    Some(of("clamd".into(), told))
}

async fn rspamd(config: &Config) -> Option<Finding> {
    let rspamd = config.engines.rspamd.as_ref()?;
    let (report, _) = rspamd.examine(b"Subject: probe\r\n\r\nprobe\r\n", &EnvelopeFacts::default()).await;
    let told = if report.detail.is_empty() { Ok(format!("answers, {}", report.version)) } else { Err(report.detail) };
    Some(of("rspamd".into(), told))
}

/// Whether a name server answers about one of our own domains.
async fn dns(config: &Config) -> Option<Finding> {
    let is_asked = config.engines.auth.is_some() || config.engines.dnsbl.is_some();
    let domain = config.border.accepted_domains.iter().next().filter(|_| is_asked)?;
    let told = auth::probe(config.engines.name_server, domain.trim_start_matches('.')).await;
    let told = told.map(|()| format!("answers about {domain}"));
    Some(of("name server".into(), told.map_err(|why| format!("{why}; senders cannot be authenticated"))))
}

/// Whether the volume of the store has disk space.
fn room(config: &Config) -> Finding {
    let floor = config.retention.disk_floor_bytes;
    let told = match rustix::fs::statvfs(&config.data_dir) {
        Err(error) => Err(format!("{}: {error}", config.data_dir.display())),
        Ok(volume) => {
            let free = volume.f_bavail.saturating_mul(volume.f_frsize);
            let told = format!("{} MiB free, the minimum is {} MiB", free >> 20, floor >> 20);
            if free < floor { Err(format!("{told}: all mail is answered 452; free disk space")) } else { Ok(told) }
        }
    };
    of("disk space".into(), told)
}

/// What the panic switch says, if it says anything.
fn panic_switch(config: &Config) -> Option<Finding> {
    let (what, file) = ("panic switch".to_owned(), config.panic_file.display());
    match panic_switch::read(&config.panic_file, SystemClock.now()) {
        Ok(SwitchPosition::Normal) => None,
        Ok(SwitchPosition::Bypass) => Some(Finding {
            what,
            health: Health::Warning,
            detail: format!("at bypass ({file}): mail passes unexamined"),
        }),
        Ok(SwitchPosition::TempfailAll) => Some(of(
            what,
            Err(format!("at tempfail-all ({file}): all mail is answered 451; remove the file to end that")),
        )),
        Err(why) => Some(of(what, Err(format!("{file} is ignored: {why}")))),
    }
}

/// The structure of the database, for as long as a start would look at it.
async fn database(config: &Config) -> Finding {
    let url = store::database::sqlite_url(&config.data_dir.join(DATABASE));
    let told = check::look(&url, Some(check::AT_START)).await.map_err(|error| error.to_string());
    let told = told.map(|checked| match checked.left.is_empty() {
        true => format!("{} tables read, no fault found", checked.tables),
        false => {
            format!("{} tables read, no fault found; out of time before {}", checked.tables, checked.left.join(", "))
        }
    });
    of("database".into(), told)
}

fn text(error: CliError) -> String {
    match error {
        CliError::Unreachable(why) | CliError::Usage(why) => why,
        CliError::No => String::new(),
    }
}

/// What the running gateway says of itself; of one that does not run, or takes no mail, what its database looks like.
async fn gateway(config: &Config) -> Vec<Finding> {
    let client = Client::at_socket(config.api.socket.clone());
    let ready = client.get_bytes("/readyz").await.map_err(text);
    let is_ready = ready.is_ok();
    let told = ready.map(|said| format!("the gateway answers: {}", String::from_utf8_lossy(&said).trim()));
    let mut list = vec![of("mail accepted".into(), told)];
    if !is_ready {
        list.push(database(config).await);
    }
    list.extend(ledger(&client).await);
    list
}

/// Whether the ledger is consistent and the audit log is intact, by the running gateway.
async fn ledger(client: &Client) -> Vec<Finding> {
    let ledger = match asked::<LedgerView>(client, "/api/v1/ledger").await {
        Ok(ledger) => ledger,
        Err(error) => return vec![of("ledger".into(), Err(error))],
    };
    let mut list = vec![of("ledger".into(), consistency(&ledger))];
    if let [first, ..] = ledger.stale_tentative.as_slice() {
        list.push(Finding {
            what: "tentative deliveries".into(),
            health: Health::Warning,
            detail: format!(
                "{} for over an hour, the first {}: it is not recorded whether the next hop accepted them; see its log",
                ledger.stale_tentative.len(),
                json!(first)
            ),
        });
    }
    match asked::<HealthView>(client, "/api/v1/health").await {
        Ok(health) => list.extend([health.clock.as_ref().and_then(clock), stored(&health)].into_iter().flatten()),
        Err(error) => list.push(of("health".into(), Err(error))),
    }
    list.push(of("audit log".into(), audit_log(client).await));
    list.extend(event_sinks(client).await);
    list
}

/// Whether each sink of events takes what it is told. One that does not is a warning: no mail waits for it.
async fn event_sinks(client: &Client) -> Vec<Finding> {
    let sinks = match asked::<Vec<EventSinkView>>(client, "/api/v1/events/sinks").await {
        Ok(sinks) => sinks,
        Err(error) => return vec![of("event sinks".into(), Err(error))],
    };
    let found = |sink: EventSinkView| {
        let what = format!("events to {}", sink.name);
        match sink.fault {
            None => of(what, Ok(format!("{}, {} entries behind", sink.to, sink.behind))),
            Some(why) => {
                let since = sink.behind_since.unwrap_or_default();
                let detail =
                    format!("{} does not accept them: {why}; {} entries behind since {since}", sink.to, sink.behind);
                Finding { what, health: Health::Warning, detail }
            }
        }
    };
    sinks.into_iter().map(found).collect()
}

/// What the API answers, or why not.
async fn asked<View: DeserializeOwned>(client: &Client, path: &str) -> Result<View, String> {
    client.get::<View>(path).await.and_then(|answer| answer.view()).map_err(text)
}

fn consistency(ledger: &LedgerView) -> Result<String, String> {
    if !ledger.balanced {
        return Err(format!("not consistent: {}", json!(ledger.faults)));
    }
    let [in_doubt, tentative] = [Account::InDoubt, Account::Tentative].map(|account| ledger::units(ledger, account));
    Ok(format!("consistent: {} deliveries accepted, {in_doubt} in doubt, {tentative} tentative", ledger.accepted))
}

async fn audit_log(client: &Client) -> Result<String, String> {
    let query = VerifyQuery { tree_only: true };
    let answer = client.get_with::<VerifiedView>("/api/v1/audit/verify", &query).await;
    let verified = answer.and_then(|answer| answer.view()).map_err(text)?;
    match verified.intact {
        true => Ok(format!("{} entries, intact", verified.size)),
        false => Err(format!("not intact: {}", json!(verified.faults))),
    }
}

/// Whether one address brings most of the mail of a day: then it is a proxy or a relay, and limits for one address
/// would be limits for everybody.
async fn one_for_all(config: &Config) -> Option<Finding> {
    let client = Client::at_socket(config.api.socket.clone());
    let query = PivotQuery { q: "received:>=-24h direction:Inbound".to_owned(), by: "ip".to_owned() };
    let answer = client.get_with::<PivotedView>("/api/v1/explore/pivot", &query).await;
    let PivotedView { values, total: all, .. } = answer.and_then(|answer| answer.view()).ok()?;
    let (ip, units) = values.first().map_or(("", 0), |SumView { value, units }| (value.as_str(), *units));
    let what = "clients of the last day".to_owned();
    if !is_most(units, all) {
        return Some(of(what, Ok(format!("no client brought most of the {all} inbound deliveries"))));
    }
    Some(Finding {
        what,
        health: Health::Warning,
        detail: format!(
            "{ip} brought {units} of {all} inbound deliveries; if it is a proxy or relay, let it name its clients: \
             XFORWARD or XCLIENT with xclient_from, or PROXY with proxy_from. Otherwise connections_per_ip and \
             percent_per_client apply to all of them together"
        ),
    })
}

/// Whether one client brought so much of all that it is no client like others.
fn is_most(units: u64, all: u64) -> bool {
    all >= ENOUGH_TO_TELL && units * 2 > all
}

/// Whether the clock is trusted, so that mail expires.
fn clock(clock: &ClockView) -> Option<Finding> {
    let ClockView { state, now, why, .. } = clock;
    let told = match state.as_str() {
        "believed" => Ok("trusted".to_owned()),
        "doubted" => Err(format!("doubted: it says {now}, but {why}")),
        _ => return None,
    };
    Some(of("clock".into(), told))
}

/// Whether the stored bytes are whole, as far as they were read.
fn stored(health: &HealthView) -> Option<Finding> {
    let what = "stored mail".to_owned();
    if health.damaged > 0 {
        let (mail, why) = health.damage.first().map_or(("", ""), |first| (&first.mail, &first.why));
        let damaged = health.damaged;
        let told = format!("{damaged} stored messages are damaged, the first {mail}: {why}; restore from a backup");
        return Some(of(what, Err(told)));
    }
    let ScrubView { state, blobs, last_ended, last_blobs, .. } = health.scrub.as_ref()?;
    let told = match (last_ended, state.as_str()) {
        (_, "late") => {
            let detail =
                "checking all stored bytes takes longer than scrub_days: raise scrub_kib_per_second".to_owned();
            return Some(Finding { what, health: Health::Warning, detail });
        }
        (Some(at), _) => format!("all {last_blobs} blobs checked and intact by {at}"),
        (None, _) => format!("first check in progress: {blobs} blobs so far"),
    };
    Some(of(what, Ok(told)))
}

/// Tries to relay as a stranger: the answer must be no. The probe ends before DATA.
async fn relay(config: &Config, listener: &ListenerConfig) -> Finding {
    let what = format!("relaying at {} ({})", listener.address, listener.role.as_str());
    if listener.role == Role::Submission {
        return of(what, Ok("for trusted_networks and xclient_from only".into()));
    }
    let told = match tokio::time::timeout(PROBE * 2, probe(listener.address, config)).await {
        Ok(told) => told,
        Err(_) => Err(Probe::Unanswered("no answer in time".into())),
    };
    match told {
        Ok(reply) => of(what, Ok(format!("refused, as it must be: {reply}"))),
        Err(Probe::Open(reply)) => of(what, Err(format!("open relay: {reply}; check trusted_networks"))),
        Err(Probe::Unanswered(why)) => {
            Finding { what, health: Health::Warning, detail: format!("could not be probed: {why}") }
        }
    }
}

/// Why the probe did not end in a refusal.
enum Probe {
    Open(String),
    Unanswered(String),
}

async fn probe(address: SocketAddr, config: &Config) -> Result<String, Probe> {
    let unanswered = |why: String| Probe::Unanswered(why);
    let base = feed::target(&address.to_string()).await.map_err(|_| unanswered("the address cannot be used".into()))?;
    let target = Target { helo: "relay-probe.invalid".into(), tls: TlsPolicy::None, ..base };
    let mut connection = Connection::open(Arc::new(target)).await.map_err(|error| unanswered(error.to_string()))?;
    let here = if address.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { address.ip() };
    if config.border.trusts(here) {
        // From here we are trusted; only a listener that takes XCLIENT from here can show us what a stranger sees.
        let stranger = Introduction {
            ip: IpAddr::from([192, 0, 2, 77]),
            helo: "relay-probe.invalid".into(),
            proto: "ESMTP".into(),
            login: None,
        };
        connection
            .impersonate(&stranger)
            .await
            .map_err(|_| unanswered("this host is trusted, and may not use XCLIENT".into()))?;
    }
    let rcpt = Address::parse(ELSEWHERE).expect("a fixed address");
    let sender = config
        .border
        .accepted_domains
        .iter()
        .next()
        .and_then(|domain| Address::parse(&format!("probe@{}", domain.trim_start_matches('.'))).ok());
    let plain = RcptParams::default();
    let begun = connection.begin(sender.as_ref(), &MailParams::default(), None, &[(&rcpt, &plain)]).await;
    let (_, replies) = begun.map_err(|error| unanswered(error.to_string()))?;
    connection.quit().await;
    match replies.into_iter().next() {
        Some(reply) if reply.is_permanent() => Ok(reply.to_line()),
        Some(reply) if reply.is_positive() => Err(Probe::Open(reply.to_line())),
        Some(reply) => Err(unanswered(reply.to_line())),
        None => Err(unanswered("no answer".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hops_say_to_routed_addresses() {
        let said = |codes: [u16; 4]| {
            let names = ["", "the percent hack", "a bang path", "a quoted address"];
            let replies: Vec<_> =
                names.into_iter().zip(codes).map(|(name, code)| (name, Reply::new(code, "2.0.0 so"))).collect();
            of_routes(&replies)
        };
        assert_eq!(said([550, 550, 554, 451]).0, Health::Ok);
        assert_eq!(said([250, 550, 550, 550]).0, Health::Ok);
        let (health, detail) = said([550, 250, 550, 250]);
        assert_eq!(health, Health::Warning);
        assert!(detail.contains("the percent hack, a quoted address") && detail.contains("may relay"), "{detail}");
        let (health, detail) = said([250, 250, 550, 550]);
        assert!(health == Health::Warning && detail.contains("cannot be seen"), "{detail}");
        for (name, text) in routed("ours.example") {
            assert!(Address::parse(&text).is_ok(), "{name}: {text}");
        }
    }

    #[test]
    fn who_brings_most_of_a_day_s_mail_is_told() {
        assert!(is_most(51, 100) && is_most(100, 100));
        assert!(!is_most(50, 100), "half is not most");
        assert!(!is_most(99, 99), "too little to tell");
    }
}
