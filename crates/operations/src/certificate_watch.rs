//! Listeners show the certificate that is in its files: a renewal is in force within seconds, without a restart. What
//! cannot be used, and what is over soon, operators are called for.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use store::notices::alert::{AlertKind, NewAlert};
use store::{NoticeStore, StoreError};
use tokio::sync::watch;

use platform::certificates::{Certificates, ListenerCertificate, Look};
use platform::clock::Clock;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks; SIGHUP has it look at once.
const PERIOD: Duration = Duration::from_secs(5);
/// How long files may not fit before somebody is called: a renewal writes one after the other.
const GRACE: Duration = Duration::from_secs(60);
/// How long before its end a certificate is called out, once each.
const WARNINGS: [Duration; 3] = [days(14), days(3), Duration::ZERO];

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// The reconciler.
#[derive(Clone, Debug)]
pub struct CertificateWatcher {
    /// The certificates in force.
    pub certificates: Certificates,
    /// What people are called for.
    pub notices: NoticeStore,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes it, and those who tell people.
    pub signals: Signals,
}

/// What it remembers of its rounds.
#[derive(Debug, Default)]
pub struct Watched {
    /// Since when the files of a certificate cannot be used, by the file of the certificate.
    unusable: HashMap<PathBuf, Timestamp>,
    /// What operators were called for since the start: it is not written again and again.
    called: HashSet<String>,
}

impl Reconciler for CertificateWatcher {
    type Memory = Watched;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "certificates", "operators could not be called for a certificate")
            .or_when(&self.signals.certificates)
    }

    /// One round over all certificates.
    async fn round(&self, watched: &mut Watched, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        for certificate in self.certificates.all() {
            let now = self.clock.now();
            let looked = {
                let certificate = certificate.clone();
                tokio::task::spawn_blocking(move || certificate.look(now)).await?
            };
            self.tell_of(&certificate, looked, watched, now).await?;
            self.warn(&certificate, watched, now).await?;
        }
        Ok(false)
    }
}

impl CertificateWatcher {
    async fn tell_of(
        &self,
        certificate: &ListenerCertificate,
        looked: Look,
        watched: &mut Watched,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let file = &certificate.files().0;
        let Look::Unusable(why) = looked else {
            watched.unusable.remove(file);
            if matches!(looked, Look::Replaced) {
                let until = certificate.pair().until;
                tracing::info!(file = %file.display(), %until, "a certificate was replaced");
            }
            return Ok(());
        };
        let since = *watched.unusable.entry(file.clone()).or_insert_with(|| {
            let file = file.display();
            tracing::error!(%file, why, "the files of a certificate cannot be used; the one in force stays");
            now
        });
        if now.since(since) < GRACE {
            return Ok(());
        }
        let text = format!(
            "The files of a certificate cannot be used: {why}. The certificate in force stays until {}. Put a pair \
             there that fits; it is taken within {} s.",
            certificate.pair().until,
            PERIOD.as_secs()
        );
        self.call(format!("certificate/{}/files/{since}", file.display()), file, text, watched, now).await
    }

    /// Calls out a certificate that is over soon.
    async fn warn(
        &self,
        certificate: &ListenerCertificate,
        watched: &mut Watched,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (file, until) = (&certificate.files().0, certificate.pair().until);
        let Some(warning) = WARNINGS.iter().rev().find(|before| now >= until.before(**before)) else { return Ok(()) };
        let text = if warning.is_zero() {
            format!("The certificate in {} has expired: {until}. Clients that check it cannot send.", file.display())
        } else {
            format!("The certificate in {} is valid until {until} only. Renew it.", file.display())
        };
        let key = format!("certificate/{}/{until}/{}", file.display(), warning.as_secs());
        self.call(key, file, text, watched, now).await
    }

    async fn call(
        &self,
        key: String,
        file: &Path,
        text: String,
        watched: &mut Watched,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if watched.called.contains(&key) {
            return Ok(());
        }
        let known = key.clone();
        let subject = file.display().to_string();
        if self.notices.raise_alert(NewAlert { key, at, kind: AlertKind::Certificate, subject, text }).await? {
            self.signals.operators.notify_one();
        }
        watched.called.insert(known);
        Ok(())
    }
}
