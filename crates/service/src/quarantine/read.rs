//! Reading somebody's mail: the bytes, the header, a preview. Each look is in the audit log.

use std::io::{Cursor, Write};

use api_types::quarantine::{
    ArchiveAsk, DrawnView, ExportQuery, HeadersView, PagesView, PictureView, PicturesView, PreviewView,
};
use detect::preview::{Drawn, Picture};
use store::quarantine::HeldMessage;
use store::{Scope, Store};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{AesMode, ZipWriter};

use super::{one, part_view, view};
use crate::Service;
use crate::access::{Operator, Permission};
use crate::download::Download;
use crate::error::{ServiceError, ServiceResult};

/// Characters of an archive's password at least.
const PASSWORD_MIN: usize = 4;

/// Exactly the stored bytes.
///
/// # Errors
/// When it is not known, or its bytes are gone.
pub async fn export(service: &Service, operator: &Operator, id: &str, ask: ExportQuery) -> ServiceResult<Download> {
    operator.may(Permission::Read)?;
    service.record(operator.actor(""), "quarantine.export", id, &ask.reason).await?;
    let (held, bytes) = stored(service.store()?, id, &operator.scope).await?;
    let name = Some(format!("{}.eml", held.mail_id));
    Ok(Download { content_type: "application/octet-stream", name, bytes })
}

/// The stored bytes in a zip file with a password (AES-256), which no other
/// program opens by mistake.
///
/// # Errors
/// When it is not known, its bytes are gone, or the password is too short.
pub async fn archive(service: &Service, operator: &Operator, id: &str, ask: ArchiveAsk) -> ServiceResult<Download> {
    operator.may(Permission::Read)?;
    if ask.password.chars().count() < PASSWORD_MIN {
        return Err(ServiceError::Bad(format!("give a password of at least {PASSWORD_MIN} characters")));
    }
    service.record(operator.actor(""), "quarantine.export", id, &ask.reason).await?;
    let (held, bytes) = stored(service.store()?, id, &operator.scope).await?;
    let name = held.mail_id.to_string();
    let packed = {
        let name = name.clone();
        tokio::task::spawn_blocking(move || pack(&name, &bytes, &ask.password)).await
    };
    let failed = |error: String| ServiceError::Internal(error);
    let packed = packed.map_err(|panic| failed(panic.to_string()))?.map_err(|error| failed(error.to_string()))?;
    Ok(Download { content_type: "application/zip", name: Some(format!("{name}.zip")), bytes: packed })
}

fn pack(name: &str, bytes: &[u8], password: &str) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, password);
    zip.start_file(format!("{name}.eml"), options)?;
    zip.write_all(bytes)?;
    Ok(zip.finish()?.into_inner())
}

/// A held message with its stored bytes.
pub(super) async fn stored(store: &Store, id: &str, scope: &Scope) -> Result<(HeldMessage, Vec<u8>), ServiceError> {
    let held = one(store, id, scope).await?;
    let digest = domain::Digest::parse(&held.sha256).map_err(|error| ServiceError::Internal(error.to_string()))?;
    let bytes = store.blobs().get(digest).await?;
    Ok((held, bytes))
}

/// The header block exactly as in the message, not unfolded.
///
/// # Errors
/// When it is not known, or its bytes are gone.
pub async fn headers(service: &Service, operator: &Operator, id: &str) -> ServiceResult<HeadersView> {
    operator.may(Permission::Read)?;
    service.record(operator.actor(""), "quarantine.headers", id, "").await?;
    let (held, bytes) = stored(service.store()?, id, &operator.scope).await?;
    let block = &bytes[..domain::header::body_start(&bytes)];
    Ok(HeadersView { id: held.mail_id.to_string(), headers: String::from_utf8_lossy(block).into_owned() })
}

/// The plain texts, and the names of the parts. No HTML, nothing is loaded.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
pub async fn preview(service: &Service, operator: &Operator, id: &str) -> ServiceResult<PreviewView> {
    operator.may(Permission::Read)?;
    service.record(operator.actor(""), "quarantine.preview", id, "").await?;
    let store = service.store()?;
    let (held, bytes) = stored(store, id, &operator.scope).await?;
    let record = store.mail.record(held.mail_id).await?;
    let texts = service.viewer.texts(bytes).await.map_err(not_shown)?;
    let parts = record.examination.message.parts.into_iter().map(part_view).collect();
    Ok(PreviewView { texts, parts, held: view(&held) })
}

/// The HTML texts, made harmless.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
pub async fn pages(service: &Service, operator: &Operator, id: &str) -> ServiceResult<PagesView> {
    operator.may(Permission::Read)?;
    service.record(operator.actor(""), "quarantine.pages", id, "").await?;
    let (held, bytes) = stored(service.store()?, id, &operator.scope).await?;
    let pages = service.viewer.pages(bytes).await.map_err(not_shown)?;
    Ok(PagesView { id: held.mail_id.to_string(), pages })
}

/// The pictures, decoded and encoded anew; nothing of the files themselves.
///
/// # Errors
/// When it is not known, its bytes are gone, or it cannot be shown.
pub async fn pictures(service: &Service, operator: &Operator, id: &str) -> ServiceResult<PicturesView> {
    operator.may(Permission::Read)?;
    service.record(operator.actor(""), "quarantine.pictures", id, "").await?;
    let (held, bytes) = stored(service.store()?, id, &operator.scope).await?;
    let pictures = service.viewer.pictures(bytes).await.map_err(not_shown)?;
    let pictures = pictures.into_iter().map(picture_view).collect();
    Ok(PicturesView { id: held.mail_id.to_string(), pictures })
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
fn not_shown(why: String) -> ServiceError {
    ServiceError::Conflict(format!("it cannot be shown safely: {why}; its bytes can be had as a file with a password"))
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
