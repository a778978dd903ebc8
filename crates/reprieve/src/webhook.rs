//! JSON posted to somebody's address: over TLS with a certificate that a public authority, or the operator's own, vouches
//! for; or in the clear, to a relay that the operator trusts.

use std::sync::Arc;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An address that lines are posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// As it was written: what is remembered of it, and shown.
    pub url: String,
    is_secret: bool,
    host: String,
    port: u16,
    path: String,
}

impl Webhook {
    /// Reads an `https://` or `http://` address.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (is_secret, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("must be an address that begins with https:// or http://".into()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let usual = if is_secret { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| format!("'{port}' is no port"))?)
            }
            _ => (authority, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.contains('@') {
            return Err("must name a host, and no user".into());
        }
        Ok(Self { url: url.to_owned(), is_secret, host: host.to_owned(), port, path: format!("/{path}") })
    }

    /// Posts it; the answer if it is a success, else why not.
    ///
    /// # Errors
    /// Why it may be tried again.
    pub async fn post(&self, body: &Value, tls: &Arc<ClientConfig>) -> Result<String, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| said(&error))?;
        if !self.is_secret {
            return self.ask(stream, body).await;
        }
        let name = ServerName::try_from(self.host.clone()).map_err(|error| said(&error))?;
        let stream = TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(|error| said(&error))?;
        self.ask(stream, body).await
    }

    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        body: &Value,
    ) -> Result<String, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let request = Request::post(self.path.as_str())
            .header("host", format!("{host}:{}", self.port))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| said(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| said(&error))?;
        let driving = tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| said(&error));
        driving.abort();
        let status = response?.status();
        if status.is_success() { Ok(status.to_string()) } else { Err(format!("it answered {status}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_nonsense_is_refused() {
        let read = |url: &str| Webhook::parse(url).map(|hook| (hook.is_secret, hook.host, hook.port, hook.path));
        let is = |secret, host: &str, port, path: &str| Ok((secret, host.to_owned(), port, path.to_owned()));
        assert_eq!(read("https://chat.example/hook/1?x=y"), is(true, "chat.example", 443, "/hook/1?x=y"));
        assert_eq!(read("http://127.0.0.1:8080"), is(false, "127.0.0.1", 8080, "/"));
        assert_eq!(read("https://[::1]:8443/a"), is(true, "::1", 8443, "/a"));
        assert_eq!(read("https://[::1]/a"), is(true, "::1", 443, "/a"));
        for nonsense in ["", "ftp://x/", "https://", "https:///x", "https://u@x/", "https://x:port/"] {
            assert!(Webhook::parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
