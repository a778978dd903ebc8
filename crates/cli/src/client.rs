//! The client of the REST API: over the unix socket of this host, or over TCP.

use std::path::{Path, PathBuf};

use api_types::refusal::RefusalView;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::{TcpStream, UnixStream};

use super::answer::Answer;
use super::query_string::with_query;
use super::{ApiArgs, CliError};
use platform::config::Config;
use platform::https::with_a_labels;

/// Where the API is.
#[derive(Debug)]
enum Door {
    Socket(PathBuf),
    Tcp { authority: String, token: Option<String> },
}

/// A client of one API.
#[derive(Debug)]
pub struct Client {
    door: Door,
}

impl Client {
    /// A client for what the arguments name.
    ///
    /// # Errors
    /// When neither names an API, or a file cannot be read.
    pub fn new(args: &ApiArgs) -> Result<Self, CliError> {
        if let Some(url) = &args.api {
            let url = &with_a_labels(url).map_err(|why| CliError::Usage(format!("--api {why}")))?;
            let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/').to_owned());
            let authority = authority.ok_or_else(|| CliError::Usage(format!("'{url}' does not begin with http://")))?;
            if authority.is_empty() {
                return Err(CliError::Usage(format!("'{url}' names no host; write --api http://HOST:PORT")));
            }
            let token = args.token_file.as_deref().map(token_in).transpose()?;
            return Ok(Self { door: Door::Tcp { authority, token } });
        }
        let path = args.configuration().ok_or_else(|| {
            CliError::Usage("name the gateway: --config FILE on its own host (or REPRIEVE_CONFIG), or --api URL".into())
        })?;
        let config = Config::load(&path).map_err(CliError::unreachable)?;
        Ok(Self::at_socket(config.api.socket))
    }

    /// A client for a unix socket.
    pub fn at_socket(socket: PathBuf) -> Self {
        Self { door: Door::Socket(socket) }
    }

    /// GET; JSON comes back.
    ///
    /// # Errors
    /// What the API says, or why it cannot be reached.
    pub async fn get<View>(&self, path: &str) -> Result<Answer<View>, CliError> {
        answer(&self.get_bytes(path).await?)
    }

    /// GET with a query; JSON comes back.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_with<View>(&self, path: &str, query: &impl Serialize) -> Result<Answer<View>, CliError> {
        self.get(&with_query(path, query)?).await
    }

    /// GET that brings bytes.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, CliError> {
        self.request(Method::GET, path, Vec::new()).await
    }

    /// GET with a query, that brings bytes.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_bytes_with(&self, path: &str, query: &impl Serialize) -> Result<Vec<u8>, CliError> {
        self.get_bytes(&with_query(path, query)?).await
    }

    /// POST of what is asked for; JSON comes back.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<View>(&self, path: &str, ask: &impl Serialize) -> Result<Answer<View>, CliError> {
        answer(&self.request(Method::POST, path, body(ask)?).await?)
    }

    /// POST of nothing, which brings nothing.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn signal(&self, path: &str) -> Result<(), CliError> {
        self.request(Method::POST, path, Vec::new()).await.map(drop)
    }

    /// POST of a mail; JSON comes back.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post_mail<View>(
        &self,
        path: &str,
        query: &impl Serialize,
        mail: Vec<u8>,
    ) -> Result<Answer<View>, CliError> {
        let target = with_query(path, query)?;
        answer(&self.request_of(Method::POST, &target, "message/rfc822", mail).await?)
    }

    async fn request(&self, method: Method, target: &str, body: Vec<u8>) -> Result<Vec<u8>, CliError> {
        self.request_of(method, target, "application/json", body).await
    }

    async fn request_of(
        &self,
        method: Method,
        target: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, CliError> {
        let (place, host, token) = match &self.door {
            Door::Socket(path) => (path.display().to_string(), "localhost", None),
            Door::Tcp { authority, token } => (authority.clone(), authority.as_str(), token.as_deref()),
        };
        let failed = |error: &dyn std::fmt::Display| {
            CliError::Unreachable(format!("cannot reach the API at {place}: {error}; is `reprieve serve` running?"))
        };
        let mut request =
            Request::builder().method(method).uri(target).header("host", host).header("content-type", content_type);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| failed(&error))?;
        let response = match &self.door {
            Door::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| failed(&error))?;
                exchange(TokioIo::new(stream), request).await
            }
            Door::Tcp { authority, .. } => {
                let stream = TcpStream::connect(authority.as_str()).await.map_err(|error| failed(&error))?;
                exchange(TokioIo::new(stream), request).await
            }
        };
        let (status, bytes) = response.map_err(|error| failed(&error))?;
        if status.is_success() { Ok(bytes) } else { Err(refused(status, &bytes)) }
    }
}

fn answer<View>(bytes: &[u8]) -> Result<Answer<View>, CliError> {
    serde_json::from_slice(bytes).map(Answer::of).map_err(CliError::unreachable)
}

/// The body of a request. What is none is left out: an older service refuses a field that it does not know, and need
/// not hear of one that nobody has set.
fn body(ask: &impl Serialize) -> Result<Vec<u8>, CliError> {
    let mut ask = serde_json::to_value(ask).map_err(CliError::unreachable)?;
    if let Some(fields) = ask.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(ask.to_string().into_bytes())
}

/// The token that a file has.
fn token_in(path: &Path) -> Result<String, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::unreachable(format!("--token-file {}: {error}", path.display())))?;
    match text.trim() {
        "" => Err(CliError::unreachable(format!("--token-file {}: no token in it", path.display()))),
        token => Ok(token.to_owned()),
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, Vec<u8>), hyper::Error>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    let driving = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes().to_vec();
    driving.abort();
    Ok((status, bytes))
}

fn refused(status: StatusCode, bytes: &[u8]) -> CliError {
    let said = serde_json::from_slice::<RefusalView>(bytes).ok().map(|refusal| refusal.error.message);
    // The probes answer in plain words.
    let plain = || std::str::from_utf8(bytes).ok().map(str::trim).filter(|text| !text.is_empty() && text.len() < 2000);
    let what = said.or_else(|| plain().map(str::to_owned)).unwrap_or_else(|| format!("the API answered {status}"));
    if status.is_server_error() || status == StatusCode::FORBIDDEN {
        CliError::Unreachable(what)
    } else {
        CliError::Usage(what)
    }
}
