//! Authentication: what the sender's domain vouches for. DNS is asked outside the pipeline, like every neighbour; what
//! it said goes into the pipeline as a fact, where detections of the ruleset act on it.

mod check;
pub mod upstream;

pub(crate) use check::look;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::DomainName;
use domain::authentication::{AuthResult, Authentication, DkimSignature, DmarcPolicy, Source};
use domain::finding::{EngineReport, Outcome};
use mail_auth::common::cache::NoCache;
use mail_auth::common::crypto::Algorithm;
use mail_auth::dmarc::Policy;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, AuthenticationResults, DkimOutput, DkimResult, DmarcResult, DnsError, Error,
    MessageAuthenticator, SpfOutput, SpfResult,
};

use crate::text::registrable;

/// The engine's name in reports and in policy.
pub const ENGINE: &str = "auth";
/// What does the work, and its version.
const PROGRAM: &str = "mail-auth 0.13";
/// Signatures of one mail that are verified; each costs a lookup and a public-key operation.
const SIGNATURES_MAX: usize = 10;
/// Time for one question to one name server.
const QUESTION_TIME: Duration = Duration::from_secs(2);
/// Answers that the resolver remembers.
const ANSWERS_MAX: u64 = 20_000;

/// What of the envelope is authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The address of the client that handed the mail in.
    pub ip: IpAddr,
    /// The name it gave in HELO or EHLO.
    pub helo: String,
    /// The reverse path; empty for the null sender.
    pub mail_from: String,
}

impl Sender {
    /// Nobody: the client is one of our own hosts.
    fn unknown() -> Self {
        Self { ip: IpAddr::from([0, 0, 0, 0]), helo: String::new(), mail_from: String::new() }
    }
}

/// No name server can be asked.
#[derive(Debug, thiserror::Error)]
#[error("no DNS resolver: {0}")]
pub struct NoResolver(String);

/// Asks DNS about senders.
#[derive(Clone)]
pub struct Authenticator {
    resolver: Arc<MessageAuthenticator>,
    /// Our own name in results.
    authserv_id: String,
    /// How long one mail may take.
    timeout: Duration,
    /// Domains whose ARC seal is believed.
    trusted_sealers: Vec<String>,
    /// Hosts whose results are believed; where one has spoken, we do not ask.
    trusted_authserv: Vec<String>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("authserv_id", &self.authserv_id).finish_non_exhaustive()
    }
}

/// How to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name server; none for the system's.
    pub name_server: Option<SocketAddr>,
    /// Our own name in results (RFC 8601 section 2.5).
    pub authserv_id: String,
    /// How long one mail may take.
    pub timeout: Duration,
    /// Domains whose ARC seal is believed.
    pub trusted_sealers: Vec<String>,
    /// Hosts in front of us whose Authentication-Results are believed.
    pub trusted_authserv: Vec<String>,
}

impl Authenticator {
    /// An authenticator with a resolver of its own.
    ///
    /// # Errors
    /// When the system's resolver configuration cannot be read.
    pub fn new(settings: Settings) -> Result<Self, NoResolver> {
        let resolver = resolver(settings.name_server)?;
        let Settings { authserv_id, timeout, trusted_sealers, trusted_authserv, .. } = settings;
        Ok(Self { resolver, authserv_id, timeout, trusted_sealers, trusted_authserv })
    }

    /// Finds out how a mail authenticates. Where a trusted host in front of us has said it already, that counts, and
    /// DNS is not asked: it has seen the client that we have not. Without a sender, because one of our own hosts has
    /// passed the mail on, signatures are looked at and SPF is not; then nothing is said to fail that SPF might have
    /// saved.
    pub async fn examine(&self, raw: Arc<Vec<u8>>, sender: Option<Sender>) -> (EngineReport, Option<Authentication>) {
        let began = Instant::now();
        if let Some(said) = upstream::of_message(&raw, &self.trusted_authserv) {
            return (report(began, Outcome::Done, "an upstream host has said it"), Some(said));
        }
        let this = self.clone();
        // Hashes of a large mail take a while; they are made off the threads that answer clients.
        let handle = tokio::runtime::Handle::current();
        let verified = tokio::task::spawn_blocking(move || handle.block_on(this.in_time(&raw, sender.as_ref())));
        match verified.await {
            Ok(Some(authentication)) => (report(began, Outcome::Done, ""), Some(authentication)),
            Ok(None) => {
                let why = format!("DNS took more than {} s", self.timeout.as_secs());
                (report(began, Outcome::Timeout, &why), None)
            }
            Err(panic) => (report(began, Outcome::Error, &format!("it panicked: {panic}")), None),
        }
    }

    async fn in_time(&self, raw: &[u8], sender: Option<&Sender>) -> Option<Authentication> {
        tokio::time::timeout(self.timeout, self.verify(raw, sender)).await.ok()
    }

    async fn verify(&self, raw: &[u8], sender: Option<&Sender>) -> Authentication {
        let Some(sender) = sender else {
            let mut said = self.verified(raw, &Sender::unknown(), &SpfOutput::new(String::new())).await;
            if said.dmarc == AuthResult::Fail {
                said.dmarc = AuthResult::None;
            }
            said.field.clear();
            return said;
        };
        let spf = self.spf(sender).await;
        self.verified(raw, sender, &spf).await
    }

    async fn verified(&self, raw: &[u8], sender: &Sender, spf: &SpfOutput) -> Authentication {
        let Some(mut message) = AuthenticatedMessage::parse(raw) else {
            return self.gathered(sender, spf, &[], None, None, &[]);
        };
        // SHA-1 vouches for nothing any more (RFC 8301 section 3.1).
        message.dkim_headers.retain(|field| field.header.a != Algorithm::RsaSha1);
        message.dkim_headers.truncate(SIGNATURES_MAX);
        let is_weak = message.as_headers.iter().any(|field| field.header.a == Algorithm::RsaSha1)
            || message.ams_headers.iter().any(|field| field.header.a == Algorithm::RsaSha1);
        message.has_arc_errors |= is_weak;
        let dkim = self.resolver.verify_dkim(&message).await;
        let arc = self.resolver.verify_arc(&message).await;
        let parameters = DmarcParameters::new(&message, &dkim, path_domain(sender), spf);
        let dmarc = self.resolver.verify_dmarc(parameters).await;
        self.gathered(sender, spf, &dkim, Some(&arc), Some(&dmarc), &message.from)
    }

    /// SPF of the reverse path, or of HELO for the null sender. A name in HELO that fails by itself says nothing about
    /// the domain of the mail, and DMARC does not ask for it.
    async fn spf(&self, sender: &Sender) -> SpfOutput {
        let Sender { ip, helo, mail_from } = sender;
        let parameters = match mail_from.as_str() {
            "" => SpfParameters::verify_ehlo(*ip, helo, &self.authserv_id),
            path => SpfParameters::verify_mail_from(*ip, helo, &self.authserv_id, path),
        };
        self.resolver.verify_spf(parameters).await
    }

    fn gathered(
        &self,
        sender: &Sender,
        spf: &SpfOutput,
        dkim: &[DkimOutput<'_>],
        arc: Option<&ArcOutput<'_>>,
        dmarc: Option<&mail_auth::DmarcOutput>,
        from: &[String],
    ) -> Authentication {
        let signature = |output: &DkimOutput<'_>| DkimSignature {
            result: of_dkim(output.result()),
            domain: output.signature().map(|signature| clean_domain(&signature.d)).unwrap_or_default(),
        };
        let sealer = arc.and_then(|arc| arc.sets().last().map(|set| clean_domain(&set.seal.header.d)));
        let arc_result = arc.map_or(AuthResult::None, |arc| of_dkim(arc.result()));
        let arc_sealer = sealer.unwrap_or_default();
        let is_trusted =
            self.trusted_sealers.iter().any(|trusted| DomainName::of(trusted) == DomainName::of(&arc_sealer));
        let mut authentication = Authentication {
            source: Source::Own,
            spf: of_spf(spf.result()),
            spf_domain: clean_domain(spf.domain()),
            dkim: dkim.iter().map(signature).collect(),
            dmarc: dmarc.map_or(AuthResult::None, |dmarc| of_dmarc(&dmarc.result())),
            dmarc_policy: dmarc.map_or(DmarcPolicy::None, |dmarc| of_policy(dmarc.policy())),
            arc: arc_result,
            arc_trusted: arc_result == AuthResult::Pass && is_trusted,
            arc_sealer,
            aligned: None,
            field: self.field(sender, spf, dkim, arc, dmarc),
        };
        authentication.aligned = aligned(&authentication, from);
        authentication
    }

    /// The body of our Authentication-Results field. What would break the field is left out whole.
    fn field(
        &self,
        sender: &Sender,
        spf: &SpfOutput,
        dkim: &[DkimOutput<'_>],
        arc: Option<&ArcOutput<'_>>,
        dmarc: Option<&mail_auth::DmarcOutput>,
    ) -> String {
        let results = AuthenticationResults::new(&self.authserv_id)
            .with_spf_mailfrom_result(spf, sender.ip, &sender.mail_from, &sender.helo)
            .with_dkim_results(dkim, "");
        let results = match dmarc {
            Some(dmarc) => results.with_dmarc_result(dmarc),
            None => results,
        };
        let results = match arc.filter(|arc| *arc.result() != DkimResult::None) {
            Some(arc) => results.with_arc_result(arc, sender.ip),
            None => results,
        };
        let text = results.to_string();
        let body = text.strip_prefix(&self.authserv_id).unwrap_or_default();
        let folded = body.replace("\r\n\t", "");
        let is_sound = folded.chars().all(|c| !c.is_control()) && body.split("\r\n").all(|line| line.len() <= 990);
        if is_sound { body.to_owned() } else { String::new() }
    }
}

/// A resolver that remembers answers; without a name server it asks the system's.
///
/// # Errors
/// When the system's resolver configuration cannot be read.
pub fn resolver(name_server: Option<SocketAddr>) -> Result<Arc<MessageAuthenticator>, NoResolver> {
    let failed = |error: &dyn std::fmt::Display| NoResolver(error.to_string());
    let (config, mut options) = match name_server {
        Some(address) => (one_server(address), ResolverOpts::default()),
        None => read_system_conf().map_err(|error| failed(&error))?,
    };
    options.timeout = QUESTION_TIME;
    options.attempts = 2;
    options.cache_size = ANSWERS_MAX;
    MessageAuthenticator::new(config, options).map(Arc::new).map_err(|error| failed(&error))
}

/// Whether a name server answers, whatever it says.
///
/// # Errors
/// Why it does not.
pub async fn probe(name_server: Option<SocketAddr>, domain: &str) -> Result<(), String> {
    let resolver = resolver(name_server).map_err(|error| error.to_string())?;
    match resolver.mx_lookup(domain, None::<&NoCache<_, _>>).await {
        Ok(_) | Err(Error::Dns(DnsError::RecordNotFound(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn one_server(address: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
    ResolverConfig::from_name_servers(vec![server])
}

/// The domain that SPF speaks for: that of the reverse path, else HELO's (RFC 7208 section 2.4).
fn path_domain(sender: &Sender) -> &str {
    sender.mail_from.rsplit_once('@').map_or(sender.helo.as_str(), |(_, domain)| domain)
}

/// The organisational domain of From, if SPF or DKIM vouch for it; none where From names several.
pub(crate) fn aligned(authentication: &Authentication, from: &[String]) -> Option<String> {
    let domains = from.iter().filter_map(|address| address.rsplit_once('@')).map(|(_, domain)| clean_domain(domain));
    let mut organisations: Vec<String> = domains.filter_map(|domain| registrable(&domain)).collect();
    organisations.dedup();
    let [organisation] = organisations.as_slice() else { return None };
    let vouches = |domain: &str| registrable(domain).as_ref() == Some(organisation);
    let by_dkim = |signature: &DkimSignature| signature.result == AuthResult::Pass && vouches(&signature.domain);
    let is_aligned = authentication.dmarc == AuthResult::Pass
        || authentication.dkim.iter().any(by_dkim)
        || (authentication.spf == AuthResult::Pass && vouches(&authentication.spf_domain));
    is_aligned.then(|| organisation.clone())
}

/// A domain as it is stored: A-labels, lower case, nothing else.
fn clean_domain(domain: &str) -> String {
    let name = DomainName::of(domain);
    let ascii = Some(name.as_str()).filter(|name| name.is_ascii()).unwrap_or_default();
    ascii.chars().filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c)).take(255).collect()
}

fn of_spf(result: SpfResult) -> AuthResult {
    match result {
        SpfResult::Pass => AuthResult::Pass,
        SpfResult::Fail => AuthResult::Fail,
        SpfResult::SoftFail => AuthResult::SoftFail,
        SpfResult::Neutral => AuthResult::Neutral,
        SpfResult::TempError => AuthResult::TempError,
        SpfResult::PermError => AuthResult::PermError,
        SpfResult::None => AuthResult::None,
    }
}

fn of_dkim(result: &DkimResult) -> AuthResult {
    match result {
        DkimResult::Pass => AuthResult::Pass,
        DkimResult::Neutral(_) => AuthResult::Neutral,
        DkimResult::Fail(_) => AuthResult::Fail,
        DkimResult::PermError(_) => AuthResult::PermError,
        DkimResult::TempError(_) => AuthResult::TempError,
        DkimResult::None => AuthResult::None,
    }
}

fn of_dmarc(result: &DmarcResult) -> AuthResult {
    match result {
        DmarcResult::Pass => AuthResult::Pass,
        DmarcResult::Fail(_) => AuthResult::Fail,
        DmarcResult::TempError(_) => AuthResult::TempError,
        DmarcResult::PermError(_) => AuthResult::PermError,
        DmarcResult::None => AuthResult::None,
    }
}

fn of_policy(policy: Policy) -> DmarcPolicy {
    match policy {
        Policy::Reject => DmarcPolicy::Reject,
        Policy::Quarantine => DmarcPolicy::Quarantine,
        Policy::None | Policy::Unspecified => DmarcPolicy::None,
    }
}

fn report(began: Instant, outcome: Outcome, detail: &str) -> EngineReport {
    EngineReport {
        engine: ENGINE.into(),
        version: PROGRAM.into(),
        data_version: String::new(),
        outcome,
        millis: (began.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        detail: detail.into(),
    }
}
