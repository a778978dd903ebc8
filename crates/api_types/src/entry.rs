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
    /// What it is about: sender, domain, url, file or ip.
    pub kind: String,
    /// Which one: an address; a domain and all below it; a host with the beginning of a path; the SHA-256 of a file in
    /// lower-case hexadecimal; a network such as 192.0.2.0/24.
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
    /// What it is about: sender, domain, url, file or ip.
    pub kind: String,
    /// An address; a domain (all below it is meant as well); a host with the beginning of a path; the SHA-256 of a
    /// file, 64 hexadecimal digits; an IP address or a network.
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
