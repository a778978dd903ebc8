//! TLS for STARTTLS on both sides, with rustls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::certificate::{Pair, ShownCertificate};

/// What a next hop must offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Never STARTTLS.
    None,
    /// STARTTLS where offered, with any certificate (RFC 7435).
    #[default]
    Opportunistic,
    /// STARTTLS or nothing, with any certificate.
    Require,
    /// STARTTLS with a certificate that the public authorities vouch for, in the hop's name.
    Verify,
}

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read as PEM.
    #[error("cannot read {what} from {path}")]
    Read {
        /// Certificate or key.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// A file without any.
    #[error("{0} has no certificate in PEM")]
    Empty(PathBuf),
    /// PEM of something else.
    #[error("the first certificate of the file is none (X.509)")]
    NoCertificate,
    /// rustls does not take it.
    #[error("certificate and key do not fit")]
    Unusable(#[from] rustls::Error),
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The server's side, with a certificate that may be replaced.
///
/// # Errors
/// When rustls does not take it.
pub fn server_config(shown: Arc<ShownCertificate>) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_no_client_auth().with_cert_resolver(shown)))
}

/// The server's side, from a chain and key in memory.
///
/// # Errors
/// When certificate and key do not fit.
pub fn server_config_of(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsError> {
    server_config(Arc::new(ShownCertificate::new(Pair::of(chain, key)?)))
}

/// The client's side for a policy; `None` when it never encrypts.
pub fn client_config(policy: TlsPolicy) -> Option<Arc<ClientConfig>> {
    let builder = || {
        ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has the default protocol versions")
    };
    let config = match policy {
        TlsPolicy::None => return None,
        TlsPolicy::Verify => {
            let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            builder().with_root_certificates(roots).with_no_client_auth()
        }
        TlsPolicy::Opportunistic | TlsPolicy::Require => builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider())))
            .with_no_client_auth(),
    };
    Some(Arc::new(config))
}

/// Certificates from a PEM file.
///
/// # Errors
/// When it cannot be read.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|source| TlsError::Read {
        what: "a certificate",
        path: path.to_owned(),
        source,
    })
}

/// The client's side for hosts that the public authorities vouch for, or these of the operator's own.
///
/// # Errors
/// When one of these is no authority's certificate.
pub fn client_config_trusting(own: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in own {
        roots.add(authority)?;
    }
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Takes any certificate: opportunistic TLS protects against listeners, not against an active attacker.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
