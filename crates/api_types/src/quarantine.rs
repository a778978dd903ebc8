//! The quarantine: the list of held messages, one of them with all that is known, looks into it, copies, releases and
//! other decisions, and closing the portal to what lets a recipient in now.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::explain::{EngineView, FindingView, ReasonView};

/// Whom to close the portal to, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAsk {
    /// The address of a recipient, of an accepted domain.
    pub address: String,
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// What was closed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ClosedView {
    /// The address of the recipient, in lower case.
    pub address: String,
    /// When it was closed (RFC 3339): links and sessions from before this do not hold any more.
    pub closed: String,
}

/// To whom to send a copy of a held message, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyAsk {
    /// The address that gets the copy, of an accepted domain.
    pub to: String,
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
}

/// A copy that was sent.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CopiedView {
    /// The id of the held message.
    pub id: String,
    /// The address that got the copy.
    pub to: String,
    /// What the mailbox server answered, such as `250 2.0.0 Ok`.
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
    /// The code of a detection that found something in it.
    pub detection: Option<String>,
    /// The envelope sender.
    pub sender: Option<String>,
    /// The address of a recipient.
    pub recipient: Option<String>,
    /// A text in the subject.
    pub subject: Option<String>,
    /// The header `Message-ID`, exactly, with its angle brackets.
    pub message_id: Option<String>,
    /// Received at or after: a moment (RFC 3339), a date, or a time before now such as -24h.
    pub since: Option<String>,
    /// Received before: the same.
    pub until: Option<String>,
    /// Where to go on: the `id` of the last row of the page before.
    pub after: Option<String>,
    /// Rows wanted, 1,000 at most; 100 without, and for 0.
    pub limit: Option<u32>,
}

/// A held message in the list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeldView {
    /// Our id of the message: a UUID.
    pub id: String,
    /// The same as `id`.
    pub mail_id: String,
    /// When it came (RFC 3339).
    pub received: String,
    /// Inbound, Outbound or Internal: that of the first of `recipients`.
    pub direction: String,
    /// The envelope sender; empty for the null sender.
    pub sender: String,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// The header `Message-ID` with its angle brackets; none if there is none.
    pub message_id: Option<String>,
    /// The category of the verdict, such as Malware.
    pub category: String,
    /// The code of the detection that caused it, the first that a reason names; none where none did.
    pub detection: Option<String>,
    /// The version of that detection.
    pub detection_version: Option<String>,
    /// Where it is in Exchange's words, by the recipient with the most to do: NotReleased, PreparingToRelease, Error
    /// (before all others), Released, Denied or Gone; empty where it was never held.
    pub status: String,
    /// Bytes of the message as stored.
    pub size: i64,
    /// The SHA-256 of the stored bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its recipients, as far as the asker may see them.
    pub recipients: Vec<RecipientView>,
}

/// A recipient of a held message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RecipientView {
    /// The address, as the envelope has it.
    pub address: String,
    /// Where the message is for this recipient, such as held, releasing, released or denied.
    pub state: String,
}

/// A decoded part of a message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PartView {
    /// Its number in the order in which parts are found, from 0.
    pub number: u32,
    /// Its file name, cleaned for showing; empty if it has none.
    pub name: String,
    /// The content type that the mail declares, in lower case.
    pub declared: String,
    /// The content type that its bytes show, such as image/png.
    pub content_type: String,
    /// What it is by its bytes: text, html, image, archive, executable, script, office, pdf, media, mail or other.
    pub family: String,
    /// Bytes, decoded.
    pub size: u64,
    /// The SHA-256 of the decoded bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// What became of each recipient of a message that was to be released, denied, deleted or taken back.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReleasedView {
    /// The id of the message.
    pub id: String,
    /// Whether nothing was done, and `units` says what would be.
    pub what_if: bool,
    /// The recipients that were meant.
    pub units: Vec<ReleasedUnit>,
}

/// One recipient of such a message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ReleasedUnit {
    /// The address of the recipient.
    pub recipient: String,
    /// Where the message is for this recipient now, such as releasing, released, denied or held.
    pub state: String,
    /// The id of its release, 26 characters; the same however often it is asked for. None where no release was asked
    /// for, or none is possible.
    pub release_id: Option<String>,
    /// What there is to say: why it stays as it is, what would be done, or what the next hop said last; else empty.
    pub reply: String,
}

/// Why the bytes are wanted.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Why, for the record; may be empty.
    pub reason: String,
}

/// Why the bytes are wanted, and with which password.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveAsk {
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Characters that open it, 4 at least; such as `infected`, which programs that analyse malware expect.
    pub password: String,
}

/// The header of a held message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HeadersView {
    /// The id of the message.
    pub id: String,
    /// The header block as in the message, not unfolded; bytes that are not UTF-8 are replaced.
    pub headers: String,
}

/// A look at a held message that cannot harm.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PreviewView {
    /// What the list has of it.
    #[serde(flatten)]
    pub held: HeldView,
    /// Its plain texts, those of nested mails among them: 20 at most, 100,000 bytes of each.
    pub texts: Vec<String>,
    /// What it is made of.
    pub parts: Vec<PartView>,
}

/// The HTML of a held message, made harmless.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PagesView {
    /// The id of the message.
    pub id: String,
    /// Its HTML texts, 20 at most: tags that shape text, without attributes, and text; links as words; pictures of its
    /// own, drawn anew, as `data:`, others as words. They can still say what they like: show each in a frame of its
    /// own.
    pub pages: Vec<String>,
}

/// The pictures of a held message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PicturesView {
    /// The id of the message.
    pub id: String,
    /// In the order of the parts; 40 at most.
    pub pictures: Vec<PictureView>,
}

/// A picture of a message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PictureView {
    /// The number of the part.
    pub part: u32,
    /// Its file name, cleaned for showing; empty if it has none.
    pub name: String,
    /// The content type that its bytes show, such as image/png.
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
    /// Pixels from left to right, 1,200 at most.
    pub width: u32,
    /// Pixels from top to bottom, 1,200 at most.
    pub height: u32,
}

/// What to release.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseAsk {
    /// Only for these recipients; for all without.
    pub recipients: Vec<String>,
    /// Why, for the record. What was held as Malware or HighConfidencePhish is not released without.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
    /// Whether to release what was refused as well, of which the sender was told that it failed and knows of no
    /// delivery.
    pub confirm_refused: bool,
}

/// What to release at once: [`ReleaseAsk`] with ids. (Its fields stand here again, because a flattened struct cannot
/// deny fields that it does not know, and a misspelt `recipients` must not release a mail to everybody.)
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseManyAsk {
    /// The ids of held messages, 1 to 500.
    pub ids: Vec<String>,
    /// Only for these recipients, who must be recipients of each of the messages; for all without.
    pub recipients: Vec<String>,
    /// Why, for the record. What was held as Malware or HighConfidencePhish is not released without.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
    /// Whether to release what was refused as well, of which the sender was told that it failed and knows of no
    /// delivery.
    pub confirm_refused: bool,
}

/// What a recipient asks for: the release of a held message.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RequestView {
    /// The id of the message.
    pub mail_id: String,
    /// The address of the recipient: what to release or deny it with.
    pub recipient: String,
    /// When the recipient asked (RFC 3339).
    pub asked: String,
    /// Why, in the recipient's own words; may be empty.
    pub reason: String,
    /// The envelope sender; empty for the null sender.
    pub sender: String,
    /// The subject, decoded; empty if there is none.
    pub subject: String,
    /// The category that it is held for, such as Spam.
    pub category: String,
}

/// What to deny, delete or take back, and why.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecideAsk {
    /// Only for these recipients; for all without.
    pub recipients: Vec<String>,
    /// Why, for the record; may be empty.
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    pub actor: String,
    /// Only say what would be done.
    pub what_if: bool,
}

/// A held message with all that is known about it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ShownView {
    /// What the list has of it.
    #[serde(flatten)]
    pub held: HeldView,
    /// Its recipients, as far as the asker may see them, each with its release.
    pub units: Vec<UnitView>,
    /// What it is made of.
    pub parts: Vec<PartView>,
    /// What was found, in the order of its parts.
    pub findings: Vec<FindingView>,
    /// How each engine fared with it.
    pub engines: Vec<EngineView>,
    /// The registrable domains of its links, sorted.
    pub url_domains: Vec<String>,
    /// The names of header fields that are not passed on when it is released.
    pub removed_fields: Vec<String>,
    /// The id of the ruleset that examined it.
    pub ruleset: String,
}

/// One recipient of a held message, with its release.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct UnitView {
    /// The address of the recipient.
    pub recipient: String,
    /// Inbound, Outbound or Internal.
    pub direction: String,
    /// Where it is now: forwarding, delivered, tentative, held, releasing, in_doubt, in_doubt_live, released, refused,
    /// failed, denied, deleted or expired.
    pub state: String,
    /// The last reply of the next hop, or the reason of the last move; empty if there is neither.
    pub reply: String,
    /// The id of its release, 26 characters; none while nobody has asked for one.
    pub release_id: Option<String>,
    /// How far its release is: queued, claimed, attempting, released, deferred, failed or in_doubt; none while nobody
    /// has asked for one.
    pub release_state: Option<String>,
    /// How often the release was tried; 0 while nobody has asked for one.
    pub attempts: u32,
    /// Whether the release was counted as delivered without an answer, and may have been delivered twice.
    pub possibly_twice: bool,
    /// What its recipient may do with it: AdminOnlyAccess (nothing), LimitedAccess (see it and ask for it) or
    /// FullAccess (see it and release it).
    pub quarantine_policy: String,
    /// Why it was held, the reason that decided first.
    pub reasons: Vec<ReasonView>,
}
