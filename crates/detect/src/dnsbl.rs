//! Lists of client addresses in DNS (RFC 5782), asked outside the pipeline.
//!
//! A list is believed only while it lists its own test address and not the one that must never be listed; a list that
//! lists the world, as abandoned ones do, switches itself off. An answer outside 127.0.0.0/8, or one that says "you may
//! not ask", is no listing.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::detection::{Category, DetectionCode, DetectionVersion, Effect, Mode};
use domain::envelope::is_public;
use domain::finding::{EngineReport, Finding, Outcome};
use domain::message::Family;
use mail_auth::{DnsError, Error, MessageAuthenticator};
use tokio::task::JoinSet;

/// The engine's name in reports and in policy.
pub const ENGINE: &str = "dnsbl";
/// How long it is believed that a list is sound, or is not.
const SOUND_FOR: Duration = Duration::from_secs(10 * 60);
/// Lists that are asked.
pub const ZONES_MAX: usize = 20;

/// Whether a list is believed, since when; and why not.
type Soundness = (Instant, Result<(), String>);

/// Lists to ask.
#[derive(Clone)]
pub struct Dnsbl {
    resolver: Arc<MessageAuthenticator>,
    zones: Vec<String>,
    timeout: Duration,
    sound: Arc<Mutex<HashMap<String, Soundness>>>,
}

impl std::fmt::Debug for Dnsbl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dnsbl").field("zones", &self.zones).finish_non_exhaustive()
    }
}

/// What a list says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    NotListed,
    Listed(Ipv4Addr),
    /// It gave no answer that counts.
    Failed(String),
}

impl Dnsbl {
    /// These lists, asked through this resolver.
    pub fn new(resolver: Arc<MessageAuthenticator>, zones: Vec<String>, timeout: Duration) -> Self {
        Self { resolver, zones, timeout, sound: Arc::default() }
    }

    /// Asks all lists about a client. An address that is nobody's outside is not asked about.
    pub async fn examine(&self, ip: IpAddr) -> (EngineReport, Vec<Finding>) {
        let began = Instant::now();
        let ip = ip.to_canonical();
        if !is_public(ip) {
            return (report(began, Outcome::Skipped, "not an address of the Internet"), Vec::new());
        }
        let mut asking = JoinSet::new();
        for (at, zone) in self.zones.iter().cloned().enumerate() {
            let this = self.clone();
            asking.spawn(async move { (at, this.ask_in_time(&zone, ip).await) });
        }
        // In the order of the configuration, whoever answers first.
        let said: BTreeMap<usize, Said> = asking.join_all().await.into_iter().collect();
        let mut findings = Vec::new();
        let mut failures = Vec::new();
        for (zone, said) in self.zones.iter().zip(said.into_values()) {
            match said {
                Said::NotListed => {}
                Said::Listed(answer) => findings.push(finding(zone, ip, answer)),
                Said::Failed(why) => failures.push(format!("{zone}: {why}")),
            }
        }
        // One list that does not answer takes nothing from what the others say.
        let outcome = if failures.len() == self.zones.len() { Outcome::Error } else { Outcome::Done };
        (report(began, outcome, &failures.join("; ")), findings)
    }

    async fn ask_in_time(&self, zone: &str, ip: IpAddr) -> Said {
        let asked = tokio::time::timeout(self.timeout, async {
            if let Err(why) = self.is_sound(zone).await {
                return Said::Failed(why);
            }
            self.ask(zone, ip).await
        });
        asked.await.unwrap_or_else(|_| Said::Failed(format!("no answer within {} s", self.timeout.as_secs())))
    }

    /// Whether a list has its test address, and not the one that no list may have (RFC 5782 section 5).
    async fn is_sound(&self, zone: &str) -> Result<(), String> {
        let known = self.sound.lock().expect("nobody panics while holding what is sound").get(zone).cloned();
        if let Some((_, said)) = known.filter(|(at, _)| at.elapsed() < SOUND_FOR) {
            return said;
        }
        let must = self.ask(zone, Ipv4Addr::new(127, 0, 0, 2).into()).await;
        let must_not = self.ask(zone, Ipv4Addr::new(127, 0, 0, 1).into()).await;
        let said = match (must, must_not) {
            (Said::Failed(why), _) | (_, Said::Failed(why)) => Err(why),
            (_, Said::Listed(_)) => Err("switched off: it lists 127.0.0.1, so it lists the world".to_owned()),
            (Said::NotListed, _) => Err("switched off: it does not list 127.0.0.2, so it is empty".to_owned()),
            (Said::Listed(_), Said::NotListed) => Ok(()),
        };
        if let Err(why) = &said {
            tracing::warn!(zone, why, "a DNS list is not believed");
        }
        let mut sound = self.sound.lock().expect("nobody panics while holding what is sound");
        sound.insert(zone.to_owned(), (Instant::now(), said.clone()));
        said
    }

    async fn ask(&self, zone: &str, ip: IpAddr) -> Said {
        let name = format!("{}.{}.", reversed(ip), zone.trim_end_matches('.'));
        match self.resolver.ipv4_lookup_raw(&name).await {
            Ok(answer) => read(&answer.entry),
            Err(Error::Dns(DnsError::RecordNotFound(_))) => Said::NotListed,
            Err(error) => Said::Failed(error.to_string()),
        }
    }
}

/// The answers of a list: 127.0.0.0/8 lists, its last corner refuses, all else is somebody else's answer.
fn read(answers: &[Ipv4Addr]) -> Said {
    let Some(first) = answers.first() else { return Said::NotListed };
    match first.octets() {
        [127, 255, 255, code] => Said::Failed(format!("it refuses to answer us (127.255.255.{code})")),
        [127, ..] => Said::Listed(*first),
        _ => Said::Failed(format!("it answers {first}, which no list does")),
    }
}

/// The address as lists have it: backwards, by octets or by nibbles.
fn reversed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

fn finding(zone: &str, ip: IpAddr, answer: Ipv4Addr) -> Finding {
    let safe: String = zone.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(100).collect();
    Finding {
        detection: DetectionCode::parse(&format!("{ENGINE}:{safe}")).expect("made of the characters of a code"),
        detection_version: DetectionVersion::of(&[ENGINE.as_bytes(), zone.as_bytes()]),
        engine: ENGINE.into(),
        category: Category::Spam,
        effect: Effect::Hold,
        mode: Mode::Enforce,
        part: None,
        family: Family::Mail,
        offset: None,
        evidence: format!("{ip} is listed ({answer})"),
        previous: None,
    }
}

fn report(began: Instant, outcome: Outcome, detail: &str) -> EngineReport {
    EngineReport {
        engine: ENGINE.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        data_version: String::new(),
        outcome,
        millis: (began.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        detail: detail.chars().take(400).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_backwards() {
        assert_eq!(reversed("192.0.2.99".parse().expect("ip")), "99.2.0.192");
        // RFC 5782 section 2.4.
        let six = reversed("2001:db8:1:2:3:4:567:89ab".parse().expect("ip"));
        assert_eq!(six, "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2");
    }

    #[test]
    fn only_a_listing_is_a_listing() {
        let ip = |text: &str| vec![text.parse::<Ipv4Addr>().expect("ip")];
        assert_eq!(read(&[]), Said::NotListed);
        assert_eq!(read(&ip("127.0.0.4")), Said::Listed(Ipv4Addr::new(127, 0, 0, 4)));
        assert!(matches!(read(&ip("127.255.255.254")), Said::Failed(_)));
        assert!(matches!(read(&ip("203.0.113.80")), Said::Failed(_)));
    }
}
