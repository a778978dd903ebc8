//! The certificate that a listener shows, which can be replaced while connections are open: those that come later see
//! the new one, those that are open keep theirs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use domain::Timestamp;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::tls::{TlsError, certificates, provider};

/// A certificate with its chain, and the private key that fits it.
#[derive(Clone, Debug)]
pub struct Pair {
    key: Arc<CertifiedKey>,
    /// From when it is valid.
    pub from: Timestamp,
    /// Until when it is valid.
    pub until: Timestamp,
}

impl Pair {
    /// Reads a pair from PEM files; symbolic links are followed.
    ///
    /// # Errors
    /// When a file cannot be read, or certificate and key do not fit.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = certificates(certificate)?;
        let path = key.to_owned();
        let key = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Read {
            what: "a private key",
            path,
            source,
        })?;
        Self::of(chain, key).map_err(|error| match error {
            TlsError::Empty(_) => TlsError::Empty(certificate.to_owned()),
            other => other,
        })
    }

    /// A chain, the server's own certificate first, and its key.
    ///
    /// # Errors
    /// When they do not fit, or the first is no certificate.
    pub fn of(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        let first = chain.first().ok_or_else(|| TlsError::Empty(PathBuf::new()))?;
        let (_, read) = x509_parser::parse_x509_certificate(first).map_err(|_| TlsError::NoCertificate)?;
        let moment = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        let validity = read.validity();
        let (from, until) = (moment(validity.not_before.timestamp()), moment(validity.not_after.timestamp()));
        Ok(Self { key: Arc::new(CertifiedKey::from_der(chain, key, &provider())?), from, until })
    }

    /// Whether it shows the same certificates.
    pub fn is_like(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

/// What a listener shows.
#[derive(Debug)]
pub struct ShownCertificate(RwLock<Pair>);

impl ShownCertificate {
    /// Shows this pair.
    pub fn new(pair: Pair) -> Self {
        Self(RwLock::new(pair))
    }

    /// Shows this pair from now on.
    pub fn replace(&self, pair: Pair) {
        *self.0.write().expect("nobody panics while holding this") = pair;
    }

    /// What it shows now.
    pub fn now(&self) -> Pair {
        self.0.read().expect("nobody panics while holding this").clone()
    }
}

impl ResolvesServerCert for ShownCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now().key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["mx.example.org".to_owned()]).expect("a certificate");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_pair_is_read_with_its_validity() {
        let folder = tempfile::tempdir().expect("folder");
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let (pem, key_pem) = made();
        fs::write(&certificate, &pem).expect("write");
        fs::write(&key, key_pem).expect("write");
        let pair = Pair::read(&certificate, &key).expect("a pair");
        assert!(pair.from < pair.until);
        fs::write(&key, made().1).expect("write");
        let fault = Pair::read(&certificate, &key).expect_err("the key of another certificate");
        assert!(fault.to_string().contains("do not fit"), "{fault}");
        fs::write(&certificate, "no certificate in here").expect("write");
        let fault = Pair::read(&certificate, &key).expect_err("no certificate");
        assert!(fault.to_string().contains("cert.pem"), "{fault}");
    }

    #[test]
    fn a_replaced_pair_is_shown_at_once() {
        let pair = |(pem, key): (String, String)| {
            let chain = vec![CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")];
            Pair::of(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM")).expect("a pair")
        };
        let (one, other) = (pair(made()), pair(made()));
        let shown = ShownCertificate::new(one.clone());
        assert!(shown.now().is_like(&one));
        shown.replace(other.clone());
        assert!(shown.now().is_like(&other) && !shown.now().is_like(&one));
    }
}
