//! The API over TCP is for who shows a token.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_listener::RequestConnection;
use service::{Service, access};

use crate::error::ApiError;

/// Lets in who shows a token in force: `Authorization: Bearer rpv_...`.
pub async fn by_token(State(service): State<Service>, mut request: Request, next: Next) -> Response {
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match access::by_token(&service, shown).await {
        Ok(operator) => {
            RequestConnection::identified(request.extensions());
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(error) => ApiError(error).into_response(),
    }
}
