//! What a wrong verdict led to beside the hold itself, and what is undone before a replay: entries that people made
//! because of it. (Content that was called bad because of it vouches again with each message that is cleared, and
//! notices to senders are made good by the release.)

use domain::Timestamp;
use store::audit::Act;
use store::incident::IncidentChange;
use store::{AuditStore, EntryStore, IncidentStore, StoreError};

/// Ends the entries that were made because of a message of this incident. Each is in the audit log before, and in the
/// incident's timeline.
///
/// # Errors
/// When the store fails; what was ended stays so, and asking again does the rest.
pub async fn undo(
    entries: &EntryStore,
    audit: &AuditStore,
    incidents: &IncidentStore,
    incident: &str,
    at: Timestamp,
    actor: &str,
) -> Result<usize, StoreError> {
    let caused = entries.entries_caused_by(incident, at).await?;
    for entry in &caused {
        let what = format!(
            "{} entry {} for {} {}",
            if entry.allow { "allow" } else { "block" },
            entry.id,
            entry.subject.kind(),
            entry.subject.value()
        );
        let reason = format!("it was made because of a verdict that {incident} takes back");
        let act = Act {
            at,
            actor: actor.to_owned(),
            action: "entry.remove".into(),
            object: entry.id.to_string(),
            reason: reason.clone(),
            detail: String::new(),
        };
        audit.record_acts(vec![act]).await?;
        match entries.remove_entry(entry.id, actor.to_owned(), at).await {
            Ok(()) => {}
            // Somebody was quicker.
            Err(StoreError::NotFound(_)) => continue,
            Err(error) => return Err(error),
        }
        incidents
            .change(IncidentChange::note(incident, at, actor, &format!("The {what} has ended: {reason}.")))
            .await?;
    }
    Ok(caused.len())
}
