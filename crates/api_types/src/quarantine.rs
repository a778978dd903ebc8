//! Closing the portal to what lets a recipient in now: a link that was forwarded, a session on a machine that is
//! somebody else's.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::explain::{EngineView, FindingView, ReasonView};

/// Whose, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAsk {
    /// A recipient of a domain of ours.
    pub address: String,
    /// Why, for the record; it must be said.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What was closed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ClosedView {
    pub address: String,
    /// Links and sessions from before this do not hold any more.
    pub closed: String,
}

/// To whom, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyAsk {
    /// An address of a domain of ours.
    pub to: String,
    /// Why, for the record; it must be said.
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
}

/// What became of it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CopiedView {
    pub id: String,
    pub to: String,
    /// What the mailbox server said.
    pub reply: String,
}

/// Filters of the list, as query parameters. Words and addresses are taken in any case; a word that is none is refused.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct ListQuery {
    /// Only with a recipient in one of these states, with commas between them: held (what waits for a decision; without
    /// this and `status`), tentative, releasing, in_doubt, released, failed, denied, deleted, or any.
    pub state: Option<String>,
    /// The same in Exchange's words: NotReleased, PreparingToRelease, Released, Error, Denied or Gone.
    pub status: Option<String>,
    /// Inbound, Outbound or Internal.
    pub direction: Option<String>,
    /// The category of the verdict, such as Malware.
    pub category: Option<String>,
    /// The code of a detection that found something.
    pub detection: Option<String>,
    pub sender: Option<String>,
    pub recipient: Option<String>,
    /// A text in the subject.
    pub subject: Option<String>,
    pub message_id: Option<String>,
    /// Received at or after: a moment, a date, or a time before now such as -24h.
    pub since: Option<String>,
    /// Received before: the same.
    pub until: Option<String>,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

/// One row of the list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldView {
    pub id: String,
    pub mail_id: String,
    pub received: String,
    pub direction: String,
    pub sender: String,
    pub subject: String,
    pub message_id: Option<String>,
    pub category: String,
    pub detection: Option<String>,
    pub detection_version: Option<String>,
    pub status: String,
    pub size: i64,
    pub sha256: String,
    pub recipients: Vec<RecipientView>,
}

/// One recipient of a row.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecipientView {
    pub address: String,
    pub state: String,
}

/// A decoded part.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PartView {
    pub number: u32,
    pub name: String,
    pub declared: String,
    pub content_type: String,
    pub family: String,
    pub size: u64,
    pub sha256: String,
}

/// What became of a request.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReleasedView {
    pub id: String,
    pub what_if: bool,
    pub units: Vec<ReleasedUnit>,
}

#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReleasedUnit {
    pub recipient: String,
    pub state: String,
    pub release_id: Option<String>,
    pub reply: String,
}

/// Why the bytes are wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// For the record.
    pub reason: String,
}

/// For what, and with which password.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveAsk {
    /// For the record.
    pub reason: String,
    /// Characters that open it, 4 at least; such as `infected`, which programs that analyse malware expect.
    pub password: String,
}

/// The header of a held message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeadersView {
    pub id: String,
    pub headers: String,
}

/// A look at a held message that cannot harm.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PreviewView {
    #[serde(flatten)]
    pub held: HeldView,
    pub texts: Vec<String>,
    pub parts: Vec<PartView>,
}

/// The HTML of a held message, made harmless.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PagesView {
    pub id: String,
    /// Each of its HTML texts: tags that shape text, without attributes, and text; links as words; pictures of its own,
    /// drawn anew, as `data:`, others as words. It can still say what it likes: show it in a frame of its own.
    pub pages: Vec<String>,
}

/// The pictures of a held message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PicturesView {
    pub id: String,
    /// In the order of the parts; 40 at most.
    pub pictures: Vec<PictureView>,
}

/// A picture of a message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PictureView {
    /// The number of the part.
    pub part: u32,
    pub name: String,
    /// What its bytes show.
    pub content_type: String,
    /// It, decoded and encoded anew; none when it is not drawn.
    pub drawn: Option<DrawnView>,
    /// Why it is not drawn; empty when it is.
    pub why: String,
}

/// A picture as our own encoder wrote it, at most 1200 pixels wide and high.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DrawnView {
    /// `image/png` or `image/jpeg`.
    pub content_type: String,
    /// The file, in base64.
    pub data: String,
    pub width: u32,
    pub height: u32,
}

/// What to release.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseAsk {
    /// Only these recipients; all without.
    pub recipients: Vec<String>,
    /// Why, for the record. What was held as Malware or HighConfidencePhish is not released without.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
    /// Releases what was refused: the sender was told that it failed, and knows of no delivery.
    pub confirm_refused: bool,
}

/// What to release at once: [`ReleaseAsk`] with ids. (Its fields stand here again, because a flattened struct cannot
/// deny fields that it does not know, and a misspelt `recipients` must not release a mail to everybody.)
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseManyAsk {
    /// Held messages, 500 at most.
    pub ids: Vec<String>,
    /// Only these recipients; all without.
    pub recipients: Vec<String>,
    /// Why, for the record. What was held as Malware or HighConfidencePhish is not released without.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
    /// As in the release of one.
    pub confirm_refused: bool,
}

/// A recipient's wish for a release.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RequestView {
    pub mail_id: String,
    /// The recipient: what to release or deny with.
    pub recipient: String,
    pub asked: String,
    pub reason: String,
    pub sender: String,
    pub subject: String,
    pub category: String,
}

/// What to deny, delete or take back, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecideAsk {
    /// Only these recipients; all without.
    pub recipients: Vec<String>,
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
}

/// A held message with all that is known about it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ShownView {
    #[serde(flatten)]
    pub held: HeldView,
    pub units: Vec<UnitView>,
    pub parts: Vec<PartView>,
    pub findings: Vec<FindingView>,
    pub engines: Vec<EngineView>,
    pub url_domains: Vec<String>,
    pub removed_fields: Vec<String>,
    pub ruleset: String,
}

/// One unit with its release.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UnitView {
    pub recipient: String,
    pub direction: String,
    pub state: String,
    pub reply: String,
    pub release_id: Option<String>,
    pub release_state: Option<String>,
    pub attempts: u32,
    pub possibly_twice: bool,
    /// What its recipient may do with it: AdminOnlyAccess, LimitedAccess or FullAccess.
    pub quarantine_policy: String,
    pub reasons: Vec<ReasonView>,
}
