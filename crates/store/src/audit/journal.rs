//! The journal: what a group commit wrote into the ledger, as one leaf of the audit log in the same transaction.
//!
//! A row's line commits to the unit, its move and the verdict behind it. So a verdict or a move that is changed,
//! added or removed afterwards, by whoever has the database, no longer agrees with the sealed head.

use domain::audit::Entry;
use domain::finding::{Examination, Finding};
use domain::verdict::Verdict;
use domain::{Digest, MailId, Timestamp, UnitId};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::audit::Act;
use crate::database::error::StoreError;
use crate::database::to_json;

/// What a journal leaf is called in the log.
pub const ACTION: &str = "journal";

/// The lines of one batch.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The number of the batch, which its ledger rows carry.
    pub(crate) batch: i64,
    lines: Vec<Line>,
    /// When something was written that has the number of the batch without being a row of the ledger; none if nothing.
    beside: Option<Timestamp>,
}

/// One row of the ledger, as the journal sees it. Its step is not part of it: the order of a unit's lines is.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) unit: UnitId,
    pub(crate) at: Timestamp,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) by: String,
    pub(crate) actor: String,
    pub(crate) reason: String,
    /// The digest of the verdict; empty if the row rests on none of its own.
    pub(crate) verdict: String,
}

/// What a journal leaf says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Batch {
    pub(crate) rows: i64,
    pub(crate) sha256: String,
}

impl Line {
    /// What is committed to: unit, microseconds, from, to, what moved it, who, why, and the digest of the verdict.
    pub(crate) fn texts(&self) -> [String; 8] {
        let Self { unit, at, from, to, by, actor, reason, verdict } = self.clone();
        [unit.to_string(), at.as_micros().to_string(), from, to, by, actor, reason, verdict]
    }

    pub(crate) fn digest(&self) -> Digest {
        let texts = self.texts();
        Digest::of_pieces(&texts.each_ref().map(|text| text.as_bytes()))
    }
}

impl Journal {
    pub(crate) fn new(batch: i64) -> Self {
        Self { batch, lines: Vec::new(), beside: None }
    }

    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The number of the batch, for a row of another table that has its place in the order of commits. The batch has a
    /// leaf then, if of no rows, so that no other batch has its number.
    pub(crate) fn batch_of_row(&mut self, at: Timestamp) -> i64 {
        self.beside = self.beside.max(Some(at));
        self.batch
    }

    /// Which messages have changed, and when.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (MailId, Timestamp)> {
        self.lines.iter().map(|line| (line.unit.mail, line.at))
    }

    /// The leaf of this batch; none when nothing was written that has its number.
    pub(crate) fn leaf(self, node: &str) -> Result<Option<Act>, StoreError> {
        let Some(at) = self.lines.iter().map(|line| line.at).chain(self.beside).max() else { return Ok(None) };
        Ok(Some(Act {
            at,
            actor: node.to_owned(),
            action: ACTION.to_owned(),
            object: self.batch.to_string(),
            reason: String::new(),
            detail: serde_json::to_string(&batch_of(self.lines))?,
        }))
    }
}

/// The batch of some lines: by unit, and for each unit in the order in which they were written.
pub(crate) fn batch_of(mut lines: Vec<Line>) -> Batch {
    lines.sort_by_key(|line| line.unit);
    let digests: Vec<Digest> = lines.iter().map(Line::digest).collect();
    let pieces: Vec<&[u8]> = digests.iter().map(|digest| &digest.as_bytes()[..]).collect();
    Batch { rows: i64::try_from(lines.len()).unwrap_or(i64::MAX), sha256: Digest::of_pieces(&pieces).hex() }
}

impl Batch {
    /// The batch that a journal leaf names, with what it says of it.
    pub(crate) fn of_leaf(entry: &Entry) -> Option<(i64, Self)> {
        Some((entry.object.parse().ok()?, serde_json::from_str(&entry.detail).ok()?))
    }
}

/// What all verdicts of a message rest on, as the texts of its stored columns.
pub(crate) struct Grounds {
    pub(crate) sha256: String,
    pub(crate) category: String,
    pub(crate) ruleset: String,
    pub(crate) policy: String,
    pub(crate) containment_epoch: i64,
    pub(crate) engines_json: String,
}

impl Grounds {
    /// Those of an examination and the verdict of its first unit.
    pub(crate) fn of(examination: &Examination, verdict: Option<&Verdict>) -> Result<Self, StoreError> {
        let epoch = verdict.map_or(0, |verdict| verdict.containment_epoch);
        Ok(Self {
            sha256: examination.message.sha256.hex(),
            category: verdict.map_or("Clean", |verdict| verdict.category.as_str()).into(),
            ruleset: examination.ruleset.as_str().into(),
            policy: verdict.map_or("", |verdict| verdict.policy.as_str()).into(),
            containment_epoch: i64::try_from(epoch).unwrap_or(i64::MAX),
            engines_json: to_json(&examination.engines)?,
        })
    }

    /// Those of a stored message.
    pub(crate) fn of_row(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            sha256: row.try_get("sha256")?,
            category: row.try_get("category")?,
            ruleset: row.try_get("ruleset")?,
            policy: row.try_get("policy")?,
            containment_epoch: row.try_get("containment_epoch")?,
            engines_json: row.try_get("engines_json")?,
        })
    }

    /// Their digest, with the findings.
    pub(crate) fn digest(&self, findings: &[Finding]) -> Digest {
        let Self { sha256, category, ruleset, policy, engines_json, .. } = self;
        let epoch = self.containment_epoch.to_string();
        let mut texts: Vec<&str> = vec![sha256, category, ruleset, policy, &epoch, engines_json];
        let places: Vec<String> = findings.iter().map(|found| format!("{:?} {:?}", found.part, found.offset)).collect();
        for (finding, place) in findings.iter().zip(&places) {
            let (code, version) = (finding.detection.as_str(), finding.detection_version.as_str());
            texts.extend([code, version, finding.effect.as_str(), place, &finding.evidence]);
        }
        Digest::of_pieces(&texts.into_iter().map(str::as_bytes).collect::<Vec<_>>())
    }
}

/// The digest of one unit's verdict.
pub(crate) fn verdict(
    grounds: &Digest,
    recipient: &str,
    disposition: &str,
    enforced: bool,
    reasons_json: &str,
) -> String {
    let enforced: &[u8] = if enforced { b"enforced" } else { b"observed" };
    Digest::of_pieces(&[
        grounds.as_bytes(),
        recipient.as_bytes(),
        disposition.as_bytes(),
        enforced,
        reasons_json.as_bytes(),
    ])
    .hex()
}
