//! Whether there is a detection of a code at all: nothing is said of one that there is not, and nothing done to it.

use domain::detection::DetectionCode;
use store::hits::hour_of;

use super::Console;
use super::error::ApiError;

/// Lets pass a detection that was ever kept, has hit something or was heard of. One of an engine outside is known by what it hits alone.
///
/// # Errors
/// [`ApiError::NotFound`] for any other, and when the store fails.
pub async fn detection(console: &Console, code: &DetectionCode) -> Result<(), ApiError> {
    let store = console.store()?;
    if store.is_detection_known(code).await?
        || console.kept("live").await?.detections.iter().any(|(one, _)| one.code == *code)
    {
        return Ok(());
    }
    // Hours are added up when they are over: it may have hit for the first time in the present one.
    let present = store.count_hits(hour_of(console.clock.now())).await?;
    if present.iter().any(|one| one.suspect.code == *code) {
        return Ok(());
    }
    Err(ApiError::NotFound(format!("there is no detection {code}; `reprieve detection list` shows those in force")))
}
