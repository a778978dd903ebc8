//! Lines by POST: a success says that the receiver has them.

use std::path::Path;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use rustls::ClientConfig;

use super::Refusal;
use crate::https::Endpoint;

/// Posts lines; the field Authorization is what the file says, if there is one.
///
/// # Errors
/// Why they have to be posted again.
pub(super) async fn post(
    place: &Endpoint,
    authorization_file: Option<&Path>,
    lines: Vec<u8>,
    tls: &Arc<ClientConfig>,
) -> Result<(), Refusal> {
    let mut fields = vec![("content-type", "application/x-ndjson")];
    let authorization = match authorization_file {
        Some(file) => {
            Some(tokio::fs::read_to_string(file).await.map_err(|error| format!("{}: {error}", file.display()))?)
        }
        None => None,
    };
    fields.extend(authorization.as_deref().map(|text| ("authorization", text.trim())));
    let status = place.tell(Method::POST, &fields, lines, tls).await?;
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::TooLong),
        _ if status.is_success() => Ok(()),
        _ => Err(Refusal::Fault(format!("it answered {status}"))),
    }
}
