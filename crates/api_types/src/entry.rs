//! Allow and block entries: what people know better than any detection, for whom, until when.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An allow or block entry.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EntryView {
    /// The number of the entry; 0 where it was only asked what it would be.
    pub id: u64,
    /// allow or block.
    pub action: String,
    /// What it is about: sender, domain, url, file, ip, picture or text.
    pub kind: String,
    /// Which one: an address; a domain and all below it; a host with the beginning of a path; the SHA-256 of a file in
    /// lower-case hexadecimal; a network such as 192.0.2.0/24; the fingerprints of pictures with commas between; the
    /// fingerprint of a text.
    pub value: String,
    /// For whom it counts: everyone, domain or recipient.
    pub reach: String,
    /// The accepted domain or the recipient's address; empty for everyone.
    pub whom: String,
    /// Whether an allow entry for a file clears it of malware as well; false for all others.
    pub clears_malware: bool,
    /// The name of who made it.
    pub owner: String,
    /// Why, in the words of who made it.
    pub reason: String,
    /// The id of the message because of whose verdict it was made: an incident that takes the verdict back ends the
    /// entry. None where none was named.
    pub caused_by: Option<String>,
    /// When it was made (RFC 3339).
    pub made: String,
    /// When it ends (RFC 3339).
    pub expires: String,
    /// When it last matched a message (RFC 3339); none if it never has.
    pub last_used: Option<String>,
}

/// What entry to make.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryAsk {
    /// allow or block.
    pub action: String,
    /// What it is about: sender, domain, url, file, ip, picture or text; the last two are only blocked.
    pub kind: String,
    /// An address; a domain (all below it is meant as well); a host with the beginning of a path; the SHA-256 of a
    /// file, 64 hexadecimal digits; an IP address or a network; fingerprints as `block-like` shows them: of one to six
    /// pictures, with commas between, or of a text.
    pub value: String,
    /// Why, for the record; it may not be empty.
    pub reason: String,
    /// The id of the message because of whose verdict it is made, if one is the cause.
    pub caused_by: Option<String>,
    /// Only for units of this accepted domain; not together with `recipient`.
    pub domain: Option<String>,
    /// Only for this recipient; not together with `domain`. Without either it counts for everyone.
    pub recipient: Option<String>,
    /// Hours that it holds, 8,784 at most: 24 for a block, 720 for an allow, unless it is given. One that clears
    /// malware holds 168 hours, 720 at most.
    pub hours: Option<u64>,
    /// Whether an allow entry for a file clears it of malware as well.
    #[serde(default)]
    pub clears_malware: bool,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be made.
    #[serde(default)]
    pub what_if: bool,
}

/// Why to end an entry.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAsk {
    /// Why, for the record; may be empty.
    #[serde(default)]
    pub reason: String,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be ended.
    #[serde(default)]
    pub what_if: bool,
}

/// What to block of what a message looks like. With neither pictures nor text it is only said what could be blocked.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockLikeAsk {
    /// Whether its pictures are to be blocked: those that known-good mail does not show, the six largest at most. A
    /// mail is held that shows half of them, two at least; or one that is the only one here and has 40,000 pixels.
    #[serde(default)]
    pub pictures: bool,
    /// Only the pictures of these parts; none for all.
    pub parts: Option<Vec<u32>>,
    /// Whether its text is to be blocked, whatever names, numbers and links stand in it.
    #[serde(default)]
    pub text: bool,
    /// Whether the layout of its pages is to be blocked, whatever they say.
    #[serde(default)]
    pub layout: bool,
    /// Why, for the record; it may not be empty when something is made.
    #[serde(default)]
    pub reason: String,
    /// Only for units of this accepted domain; not together with `recipient`.
    pub domain: Option<String>,
    /// Only for this recipient; not together with `domain`. Without either it counts for everyone.
    pub recipient: Option<String>,
    /// Hours that it holds, 8,784 at most; 24 unless it is given.
    pub hours: Option<u64>,
    /// Who asks, for the record: a name that counts over the unix socket alone; else it is the token's.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be made and what it would have held.
    #[serde(default)]
    pub what_if: bool,
}

/// A message's looks, the entries about them, and what those would have held.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BlockLikeView {
    /// The pictures of the message that show enough to be known again.
    pub pictures: Vec<LikePictureView>,
    /// Its text; none where it says too little to be known again.
    pub text: Option<LikeTextView>,
    /// The layout of its pages; none where they have too few elements to be known again.
    pub layout: Option<LikeLayoutView>,
    /// The entries that were made, or would be.
    pub entries: Vec<EntryView>,
    /// Days back that were compared; of what was asked for, or of all that could be blocked.
    pub days: u64,
    /// Mails of those days that were compared with it.
    pub compared: u64,
    /// Whether that was all mail of those days.
    pub is_all: bool,
    /// Mails of those days that the entries would have held, this one among them.
    pub alike: u64,
    /// How many of the newest 500 of those were delivered.
    pub delivered: u64,
    /// The ids of the newest of those that were delivered, ten at most.
    pub named: Vec<String>,
}

/// A picture of a message that shows enough to be known again.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LikePictureView {
    /// The number of its part.
    pub part: u32,
    /// Its name; empty if none.
    pub name: String,
    /// Its pixels.
    pub pixels: u32,
    /// What it looks like: 66 hexadecimal digits.
    pub fingerprint: String,
    /// Whether somebody who is known has sent one like it for three days: then it is not blocked.
    pub is_known_good: bool,
}

/// The text of a message, when it says enough to be known again.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LikeTextView {
    /// What it says: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Whether somebody who is known has sent one like it three days ago or before: then it is not blocked.
    pub is_known_good: bool,
}

/// The layout of a message's pages, when they have enough elements to be known again.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct LikeLayoutView {
    /// Which elements follow one another: 32 hexadecimal digits.
    pub fingerprint: String,
    /// Whether somebody who is known has sent one like it three days ago or before: then it is not blocked.
    pub is_known_good: bool,
}
