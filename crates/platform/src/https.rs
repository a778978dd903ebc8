//! A request to somebody else's host: over TLS with a certificate that a public authority, or the operator's own,
//! vouches for; or in the clear, to a host that the operator trusts.

use std::sync::Arc;
use std::time::Duration;

use domain::DomainName;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long an answer may take, from the connection on.
const TIME: Duration = Duration::from_secs(10);
/// What is said of one that takes longer.
const NO_ANSWER: &str = "no answer";
/// Bytes of an answer at most.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// A status, and what was said, if it could be read.
type Answer = (StatusCode, Result<Bytes, String>);

/// The same URL with A-labels for U-labels in its host: so it is asked, sent and compared (RFC 3986 has no others).
///
/// # Errors
/// When the host is none.
pub fn with_a_labels(url: &str) -> Result<String, String> {
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(url.to_owned()) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_ascii() {
        return Ok(url.to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, format!(":{port}")),
        None => (authority, String::new()),
    };
    Ok(format!("{scheme}://{}{port}{path}", host_name(host)?))
}

/// A host as it is looked up.
fn host_name(host: &str) -> Result<String, String> {
    let name = if host.is_ascii() { host.to_owned() } else { DomainName::of(host).into() };
    if name.is_ascii() { Ok(name) } else { Err(format!("'{host}' is no host name")) }
}

/// Where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it is asked over TLS.
    pub is_secret: bool,
    host: String,
    port: u16,
    path: String,
}

impl Endpoint {
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
                let number = port.parse().ok().filter(|number| *number > 0);
                (host, number.ok_or_else(|| format!("'{port}' is no port"))?)
            }
            _ => (authority, usual),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.contains('@') {
            return Err("must name a host, and no user".into());
        }
        Ok(Self { is_secret, host: host_name(host)?, port, path: format!("/{path}") })
    }

    /// All of it, as one text; what stands behind its host may be a secret.
    pub fn url(&self) -> String {
        let Self { is_secret, host, port, path } = self;
        format!("http{}://{host}:{port}{path}", if *is_secret { "s" } else { "" })
    }

    /// The host, as people know it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Asks; the status, and what was said.
    ///
    /// # Errors
    /// Why there is no answer; asking again may help.
    pub async fn ask(
        &self,
        method: Method,
        fields: &[(&str, &str)],
        body: Vec<u8>,
        tls: &Arc<ClientConfig>,
    ) -> Result<(StatusCode, Bytes), String> {
        let (status, said) = self.answer(method, fields, body, tls, true).await?;
        said.map(|said| (status, said))
    }

    /// Tells something; the status. What else is said is not waited for.
    ///
    /// # Errors
    /// Why there is no status; telling it again may help.
    pub async fn tell(
        &self,
        method: Method,
        fields: &[(&str, &str)],
        body: Vec<u8>,
        tls: &Arc<ClientConfig>,
    ) -> Result<StatusCode, String> {
        Ok(self.answer(method, fields, body, tls, false).await?.0)
    }

    /// The status, and what was said, if that is wanted and could be read.
    async fn answer(
        &self,
        method: Method,
        fields: &[(&str, &str)],
        body: Vec<u8>,
        tls: &Arc<ClientConfig>,
        wants_body: bool,
    ) -> Result<Answer, String> {
        let asked = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(said)?;
            if !self.is_secret {
                return self.ask_on(stream, method, fields, body, wants_body).await;
            }
            let name = ServerName::try_from(self.host.clone()).map_err(said)?;
            let stream = TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(said)?;
            self.ask_on(stream, method, fields, body, wants_body).await
        };
        tokio::time::timeout(TIME, asked).await.unwrap_or_else(|_| Err(NO_ANSWER.into()))
    }

    async fn ask_on(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        method: Method,
        fields: &[(&str, &str)],
        body: Vec<u8>,
        wants_body: bool,
    ) -> Result<Answer, String> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let mut request =
            Request::builder().method(method).uri(&self.path).header("host", format!("{host}:{}", self.port));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(said)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
        let driving = tokio::spawn(connection);
        let answered = async {
            let response = sender.send_request(request).await.map_err(said)?;
            let status = response.status();
            let said = if wants_body { whole(response.into_body()).await } else { Ok(Bytes::new()) };
            Ok((status, said))
        };
        let answered = answered.await;
        driving.abort();
        answered
    }
}

async fn whole<B: Body<Data = Bytes, Error = hyper::Error> + Send>(body: B) -> Result<Bytes, String> {
    Ok(Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| error.to_string())?.to_bytes())
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_nonsense_is_refused() {
        let read = |url: &str| Endpoint::parse(url).map(|place| (place.is_secret, place.host, place.port, place.path));
        let is = |secret, host: &str, port, path: &str| Ok((secret, host.to_owned(), port, path.to_owned()));
        assert_eq!(read("https://chat.example/hook/1?x=y"), is(true, "chat.example", 443, "/hook/1?x=y"));
        assert_eq!(read("http://127.0.0.1:8080"), is(false, "127.0.0.1", 8080, "/"));
        assert_eq!(read("https://[::1]:8443/a"), is(true, "::1", 8443, "/a"));
        assert_eq!(read("https://[::1]/a"), is(true, "::1", 443, "/a"));
        assert_eq!(read("https://Bücher.example:8443/ü"), is(true, "xn--bcher-kva.example", 8443, "/ü"));
        assert_eq!(with_a_labels("https://bücher.example:1/x").as_deref(), Ok("https://xn--bcher-kva.example:1/x"));
        assert_eq!(with_a_labels("http://[::1]:80/").as_deref(), Ok("http://[::1]:80/"));
        for nonsense in [
            "",
            "ftp://x/",
            "https://",
            "https:///x",
            "https://u@x/",
            "https://x:port/",
            "https://x:0/",
            "https://bü%40.example/",
        ] {
            assert!(Endpoint::parse(nonsense).is_err(), "{nonsense}");
        }
    }

    #[tokio::test]
    async fn what_is_told_is_taken_with_the_status_whether_the_answer_ends_or_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let place =
            Endpoint::parse(&format!("http://{}/", listener.local_addr().expect("an address"))).expect("is one");
        let answering = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nonly";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.expect("is written");
            std::future::pending::<()>().await;
        });
        let tls = wire::tls::client_config_trusting(Vec::new()).expect("public authorities");
        let told = tokio::time::timeout(TIME / 2, place.tell(Method::POST, &[], b"x".to_vec(), &tls)).await;
        assert_eq!(told, Ok(Ok(StatusCode::OK)));
        answering.abort();
    }
}
