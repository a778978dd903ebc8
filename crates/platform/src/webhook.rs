//! JSON posted to somebody's address.

use std::sync::Arc;

use hyper::Method;
use rustls::ClientConfig;
use serde_json::Value;

use crate::config::shown::marked;
use crate::https::Endpoint;

/// An address that lines are posted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// As it was written: what is remembered of it. What stands behind its host may be a secret.
    pub url: String,
    place: Endpoint,
}

impl Webhook {
    /// Reads an `https://` or `http://` address.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(url: &str) -> Result<Self, String> {
        Ok(Self { url: url.to_owned(), place: Endpoint::parse(url)? })
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.place.host()
    }

    /// What may be shown of it: its host, and a mark by which a change of the rest is seen.
    pub fn shown(&self) -> String {
        marked(&self.url)
    }

    /// Posts it; the answer if it is a success, else why not.
    ///
    /// # Errors
    /// Why it may be tried again.
    pub async fn post(&self, body: &Value, tls: &Arc<ClientConfig>) -> Result<String, String> {
        let fields = [("content-type", "application/json")];
        let status = self.place.tell(Method::POST, &fields, body.to_string().into_bytes(), tls).await?;
        if status.is_success() { Ok(status.to_string()) } else { Err(format!("it answered {status}")) }
    }
}
