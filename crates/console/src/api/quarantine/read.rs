//! Reading somebody's mail: the bytes, the header, a preview. Each look is in the audit log.

use std::io::{Cursor, Write};

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use detect::preview::{Drawn, Picture};
use serde::{Deserialize, Serialize};
use store::quarantine::HeldMessage;
use store::{Scope, Store};
use utoipa::{IntoParams, ToSchema};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{AesMode, ZipWriter};

use super::error::{ApiError, ApiResult, Refusal};
use super::{Console, HeldView, PartView, one, part_view, view};
use crate::access::{Operator, Permission};

/// Characters of an archive's password at least.
const PASSWORD_MIN: usize = 4;

/// Why the bytes are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// For the record.
    pub reason: String,
}

/// `GET /api/v1/quarantine/{id}/raw`: exactly the stored bytes.
///
/// # Errors
/// When it is not known, or its bytes are gone.
#[utoipa::path(
    get,
    operation_id = "quarantine.export",
    path = "/api/v1/quarantine/{id}/raw",
    params(("id" = String, Path, description = "The id of a held message"), ExportQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), Refusal),
)]
pub async fn export(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(ask): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.export", &id, &ask.reason).await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let name = format!("attachment; filename=\"{}.eml\"", held.mail_id);
    let fields = [(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((fields, bytes).into_response())
}

/// For what, and with which password.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveAsk {
    /// For the record.
    pub reason: String,
    /// Characters that open it, 4 at least; such as `infected`, which programs that analyse malware expect.
    pub password: String,
}

/// `POST /api/v1/quarantine/{id}/archive`: the stored bytes in a zip file with a password (AES-256), which no other
/// program opens by mistake.
///
/// # Errors
/// When it is not known, its bytes are gone, or the password is too short.
#[utoipa::path(
    post,
    operation_id = "quarantine.archive",
    path = "/api/v1/quarantine/{id}/archive",
    params(("id" = String, Path, description = "The id of a held message")),
    request_body = ArchiveAsk,
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), Refusal),
)]
pub async fn archive(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Json(ask): Json<ArchiveAsk>,
) -> Result<Response, ApiError> {
    operator.may(Permission::Read)?;
    if ask.password.chars().count() < PASSWORD_MIN {
        return Err(ApiError::Bad(format!("give a password of at least {PASSWORD_MIN} characters")));
    }
    console.record(operator.actor(""), "quarantine.export", &id, &ask.reason).await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let name = held.mail_id.to_string();
    let packed = {
        let name = name.clone();
        tokio::task::spawn_blocking(move || pack(&name, &bytes, &ask.password)).await
    };
    let failed = |error: String| ApiError::Internal(error);
    let packed = packed.map_err(|panic| failed(panic.to_string()))?.map_err(|error| failed(error.to_string()))?;
    let fields = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.zip\"")),
    ];
    Ok((fields, packed).into_response())
}

fn pack(name: &str, bytes: &[u8], password: &str) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, password);
    zip.start_file(format!("{name}.eml"), options)?;
    zip.write_all(bytes)?;
    Ok(zip.finish()?.into_inner())
}

/// A held message with its stored bytes.
pub(super) async fn stored(store: &Store, id: &str, scope: &Scope) -> Result<(HeldMessage, Vec<u8>), ApiError> {
    let held = one(store, id, scope).await?;
    let digest = domain::Digest::parse(&held.sha256).map_err(|error| ApiError::Internal(error.to_string()))?;
    let bytes = store.blobs().get(digest).await?;
    Ok((held, bytes))
}

/// The header of a held message.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadersView {
    pub(crate) id: String,
    pub(crate) headers: String,
}

/// `GET /api/v1/quarantine/{id}/headers`: the header block exactly as in the message, not unfolded.
///
/// # Errors
/// When it is not known, or its bytes are gone.
#[utoipa::path(
    get,
    operation_id = "quarantine.headers",
    path = "/api/v1/quarantine/{id}/headers",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = HeadersView), Refusal),
)]
pub async fn headers(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<HeadersView> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.headers", &id, "").await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let block = &bytes[..domain::header::body_start(&bytes)];
    Ok(Json(HeadersView { id: held.mail_id.to_string(), headers: String::from_utf8_lossy(block).into_owned() }))
}

/// A look at a held message that cannot harm.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    #[serde(flatten)]
    pub(crate) held: HeldView,
    pub(crate) texts: Vec<String>,
    pub(crate) parts: Vec<PartView>,
}

/// `GET /api/v1/quarantine/{id}/preview`: the plain texts, and the names of the parts. No HTML, nothing is loaded.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
#[utoipa::path(
    get,
    operation_id = "quarantine.preview",
    path = "/api/v1/quarantine/{id}/preview",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = PreviewView), Refusal),
)]
pub async fn preview(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PreviewView> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.preview", &id, "").await?;
    let store = console.store()?;
    let (held, bytes) = stored(store, &id, &operator.scope).await?;
    let record = store.record(held.mail_id).await?;
    let texts = console.viewer.texts(bytes).await.map_err(not_shown)?;
    let parts = record.examination.message.parts.into_iter().map(part_view).collect();
    Ok(Json(PreviewView { texts, parts, held: view(&held) }))
}

/// The HTML of a held message, made harmless.
#[derive(Debug, Serialize, ToSchema)]
pub struct PagesView {
    pub(crate) id: String,
    /// Each of its HTML texts: tags that shape text, without attributes, and text; links as words; pictures of its own,
    /// drawn anew, as `data:`, others as words. It can still say what it likes: show it in a frame of its own.
    pub(crate) pages: Vec<String>,
}

/// `GET /api/v1/quarantine/{id}/pages`: the HTML texts, made harmless.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
#[utoipa::path(
    get,
    operation_id = "quarantine.pages",
    path = "/api/v1/quarantine/{id}/pages",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = PagesView), Refusal),
)]
pub async fn pages(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PagesView> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.pages", &id, "").await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let pages = console.viewer.pages(bytes).await.map_err(not_shown)?;
    Ok(Json(PagesView { id: held.mail_id.to_string(), pages }))
}

/// The pictures of a held message.
#[derive(Debug, Serialize, ToSchema)]
pub struct PicturesView {
    pub(crate) id: String,
    /// In the order of the parts; 40 at most.
    pub(crate) pictures: Vec<PictureView>,
}

/// A picture of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PictureView {
    /// The number of the part.
    pub(crate) part: u32,
    pub(crate) name: String,
    /// What its bytes show.
    pub(crate) content_type: String,
    /// It, decoded and encoded anew; none when it is not drawn.
    pub(crate) drawn: Option<DrawnView>,
    /// Why it is not drawn; empty when it is.
    pub(crate) why: String,
}

/// A picture as our own encoder wrote it, at most 1200 pixels wide and high.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrawnView {
    /// `image/png` or `image/jpeg`.
    pub(crate) content_type: String,
    /// The file, in base64.
    pub(crate) data: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// `GET /api/v1/quarantine/{id}/pictures`: the pictures, decoded and encoded anew; nothing of the files themselves.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
#[utoipa::path(
    get,
    operation_id = "quarantine.pictures",
    path = "/api/v1/quarantine/{id}/pictures",
    params(("id" = String, Path, description = "The id of a held message")),
    responses((status = 200, body = PicturesView), Refusal),
)]
pub async fn pictures(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> ApiResult<PicturesView> {
    operator.may(Permission::Read)?;
    console.record(operator.actor(""), "quarantine.pictures", &id, "").await?;
    let (held, bytes) = stored(console.store()?, &id, &operator.scope).await?;
    let pictures = console.viewer.pictures(bytes).await.map_err(not_shown)?;
    let pictures = pictures.into_iter().map(picture_view).collect();
    Ok(Json(PicturesView { id: held.mail_id.to_string(), pictures }))
}

fn picture_view(Picture { part, name, content_type, drawn }: Picture) -> PictureView {
    let (drawn, why) = match drawn {
        Ok(Drawn { content_type, data, width, height }) => {
            (Some(DrawnView { content_type, data, width, height }), String::new())
        }
        Err(why) => (None, why),
    };
    PictureView { part, name, content_type, drawn, why }
}

/// The process that read it for a person had no answer.
fn not_shown(why: String) -> ApiError {
    ApiError::Conflict(format!("it cannot be shown safely: {why}; its bytes can be had as a file with a password"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_archive_opens_with_its_password_alone() {
        let packed = pack("m", b"X5O!", "infected").expect("packs");
        let mut zip = zip::ZipArchive::new(Cursor::new(&packed)).expect("opens");
        let mut bytes = Vec::new();
        zip.by_index_decrypt(0, b"infected").expect("decrypts").read_to_end(&mut bytes).expect("reads");
        assert_eq!(bytes, b"X5O!");
        assert!(zip.by_index_decrypt(0, b"other").is_err() && zip.by_index(0).is_err());
        assert!(!packed.windows(4).any(|window| window == b"X5O!"));
    }
}
