//! The engines outside the pipeline: DNS, clamd, rspamd. They are asked at the same time as our own engines look, but
//! for DNS, whose answers our own engines act on.

use std::sync::Arc;
use std::time::Duration;

use detect::auth::{Authenticator, NoResolver, Sender, resolver};
use detect::clamd::{self, Clamd};
use detect::dnsbl::Dnsbl;
use detect::examine::EnvelopeFacts;
use detect::rspamd::{self, Rspamd};
use domain::Examination;
use domain::authentication::Authentication;
use domain::finding::{EngineReport, Finding};

use crate::ExaminerPool;
use platform::config::EngineConfig;

/// Those that are configured.
#[derive(Clone, Debug, Default)]
pub struct ExternalEngines {
    auth: Option<Authenticator>,
    clamd: Option<Clamd>,
    rspamd: Option<Rspamd>,
    dnsbl: Option<Dnsbl>,
}

/// DNS is to be asked, and there is nobody to ask.
#[derive(Debug, thiserror::Error)]
#[error("{0}; name one with name_server in [engine.auth], or switch it off with on = false")]
pub struct NoNameServer(#[from] NoResolver);

impl ExternalEngines {
    /// Those that the configuration names.
    ///
    /// # Errors
    /// When DNS is to be asked and there is no resolver.
    pub fn new(config: &EngineConfig) -> Result<Self, NoNameServer> {
        let auth = config.auth.clone().map(Authenticator::new).transpose()?;
        let lists = |(zones, timeout): (Vec<String>, Duration)| {
            resolver(config.name_server).map(|resolver| Dnsbl::new(resolver, zones, timeout))
        };
        let dnsbl = config.dnsbl.clone().map(lists).transpose()?;
        Ok(Self { auth, dnsbl, clamd: config.clamd.clone(), rspamd: config.rspamd.clone() })
    }

    /// Without DNS, for mail that nobody is handing in now.
    pub fn without_dns(config: &EngineConfig) -> Self {
        Self { auth: None, dnsbl: None, clamd: config.clamd.clone(), rspamd: config.rspamd.clone() }
    }

    /// Examines a message of a client that waits.
    pub async fn examine_live(&self, pool: &ExaminerPool, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        let own = pool.clone();
        self.examine_by(raw.clone(), envelope, |facts| async move { own.examine_live(raw, facts).await }).await
    }

    /// Examines a message that nobody waits for.
    pub async fn examine(&self, pool: &ExaminerPool, raw: Arc<Vec<u8>>, envelope: EnvelopeFacts) -> Examination {
        pool.give_way().await;
        let own = pool.clone();
        self.examine_by(raw.clone(), envelope, |facts| async move { own.examine(raw, facts).await }).await
    }

    /// What an engine outside says of bytes alone: how a probe tries one of its detections. None when it is not there,
    /// fails, or cannot be asked about bytes alone.
    pub async fn says(&self, engine: &str, raw: &[u8], envelope: &EnvelopeFacts) -> Option<Vec<Finding>> {
        let (report, findings) = match (engine, &self.clamd, &self.rspamd) {
            (clamd::ENGINE, Some(clamd), _) => clamd.examine(raw).await,
            (rspamd::ENGINE, _, Some(rspamd)) => rspamd.examine(raw, envelope).await,
            _ => return None,
        };
        (!report.is_missed()).then_some(findings)
    }

    /// Examines a message with our own engines, by `own`, and with these.
    async fn examine_by<F: Future<Output = Examination>>(
        &self,
        raw: Arc<Vec<u8>>,
        envelope: EnvelopeFacts,
        own: impl FnOnce(EnvelopeFacts) -> F,
    ) -> Examination {
        let clamd = async {
            match &self.clamd {
                Some(clamd) => Some(clamd.examine(&raw).await),
                None => None,
            }
        };
        let rspamd = async {
            match &self.rspamd {
                Some(rspamd) => Some(rspamd.examine(&raw, &envelope).await),
                None => None,
            }
        };
        let dnsbl = async {
            match (&self.dnsbl, &envelope.client) {
                (Some(lists), Some(client)) if envelope.is_inbound && envelope.is_of_stranger => {
                    Some(lists.examine(client.ip).await)
                }
                _ => None,
            }
        };
        let native = async {
            let (report, authentication) = self.authenticate(&raw, &envelope).await;
            let envelope = EnvelopeFacts { authentication, ..envelope.clone() };
            (report, own(envelope).await)
        };
        let ((authenticated, mut examination), clamd, rspamd, dnsbl) = tokio::join!(native, clamd, rspamd, dnsbl);
        examination.engines.extend(authenticated);
        for (report, findings) in clamd.into_iter().chain(rspamd).chain(dnsbl) {
            examination.engines.push(report);
            examination.findings.extend(findings);
        }
        examination
    }

    /// How the mail authenticates: as it was recorded, where it was; else as DNS says, for mail from outside.
    async fn authenticate(
        &self,
        raw: &Arc<Vec<u8>>,
        envelope: &EnvelopeFacts,
    ) -> (Option<EngineReport>, Option<Authentication>) {
        let (Some(auth), Some(client)) = (&self.auth, &envelope.client) else {
            return (None, envelope.authentication.clone());
        };
        if envelope.authentication.is_some() || !envelope.is_inbound {
            return (None, envelope.authentication.clone());
        }
        let sender = Sender { ip: client.ip, helo: client.helo.clone(), mail_from: envelope.sender.clone() };
        let sender = envelope.is_of_stranger.then_some(sender);
        let (report, authentication) = auth.examine(raw.clone(), sender).await;
        (Some(report), authentication)
    }
}
