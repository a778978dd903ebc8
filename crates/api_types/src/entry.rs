//! Allow and block entries: what people know better than any detection, for whom, until when.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An entry.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct EntryView {
    pub id: u64,
    /// allow or block.
    pub action: String,
    /// sender, domain, url, file or ip.
    pub kind: String,
    pub value: String,
    /// everyone, domain or recipient.
    pub reach: String,
    /// The domain or the recipient; empty for everyone.
    pub whom: String,
    pub clears_malware: bool,
    pub owner: String,
    pub reason: String,
    /// The message because of whose verdict it was made: an incident that takes the verdict back ends the entry.
    pub caused_by: Option<String>,
    pub made: String,
    pub expires: String,
    pub last_used: Option<String>,
}

/// What entry to make.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryAsk {
    /// allow or block.
    pub action: String,
    /// sender, domain, url, file or ip.
    pub kind: String,
    /// An address; a domain; a host with the beginning of a path; the SHA-256 of a file; an address or a network.
    pub value: String,
    /// Why, for the record.
    pub reason: String,
    /// The message because of whose verdict it is made.
    pub caused_by: Option<String>,
    /// Only for units of this accepted domain.
    pub domain: Option<String>,
    /// Only for this recipient.
    pub recipient: Option<String>,
    /// How long it holds: a day for a block, 30 days for an allow, 7 for one that clears malware, unless it is given.
    pub hours: Option<u64>,
    /// An allow entry for a file: malware as well.
    #[serde(default)]
    pub clears_malware: bool,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be made.
    #[serde(default)]
    pub what_if: bool,
}

/// Why to end it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAsk {
    /// Why, for the record.
    #[serde(default)]
    pub reason: String,
    /// Who asks, for the record.
    #[serde(default)]
    pub actor: String,
    /// Only say what would be ended.
    #[serde(default)]
    pub what_if: bool,
}
