//! Files and texts as answers.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use service::download::Download;
use service::explore::Export;

/// A file, or a text that is read where it is.
pub fn whole(download: Download) -> Response {
    let Download { content_type, name, bytes } = download;
    let kind = [(CONTENT_TYPE, content_type)];
    match name {
        Some(name) => (kind, [(CONTENT_DISPOSITION, attachment(&name))], bytes).into_response(),
        None => (kind, bytes).into_response(),
    }
}

/// A file whose pieces are read as they are taken.
pub fn in_pieces(export: Export) -> Response {
    let fields = [(CONTENT_TYPE, export.content_type().to_owned()), (CONTENT_DISPOSITION, attachment(export.name()))];
    let pieces = stream::unfold(export, |mut export| async move {
        let piece = export.piece().await.transpose()?;
        Some((piece, export))
    });
    (fields, Body::from_stream(pieces)).into_response()
}

fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}
