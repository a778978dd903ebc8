//! Who has answered whom with which content: noted as clean mail passes, so that a mistake of later finds it. A source
//! may fill so much of it a day, and no more.

use std::collections::BTreeMap;

use domain::token::TokenKey;
use domain::{Digest, Timestamp, header};
use store::known_good::conversation::{AnswerWith, SentMail};

use crate::known_senders::sealed_id;

/// Mails of one identity that are noted on one day, at most, and its answers with a content.
const OF_ONE_A_DAY_MAX: u32 = 500;
/// Contents of one answer that are noted.
const CONTENTS_MAX: usize = 16;
/// Identities that are counted on one day, at most; those beyond are not noted.
const IDENTITIES_MAX: usize = 100_000;
/// Microseconds of a day.
const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// What waits to be written, and how much each source has had today.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    day: i64,
    of: BTreeMap<String, (u32, u32)>,
    pub(crate) sent: Vec<SentMail>,
    pub(crate) answers: Vec<AnswerWith>,
}

/// Who has sent a mail.
pub(crate) struct Sender<'s> {
    /// The seal over the identity.
    pub(crate) identity: &'s str,
    /// The domain behind it.
    pub(crate) node: &'s str,
}

impl Conversations {
    /// Notes a clean mail, and that it answers others with these contents.
    pub(crate) fn note(
        &mut self,
        key: &TokenKey,
        from: &Sender<'_>,
        message_id: Option<&str>,
        raw: &[u8],
        contents: &[Digest],
        at: Timestamp,
    ) {
        let day = at.as_micros().div_euclid(DAY_US);
        if self.day != day {
            (self.day, self.of) = (day, BTreeMap::new());
        }
        if self.of.len() >= IDENTITIES_MAX && !self.of.contains_key(from.identity) {
            return;
        }
        let (mails, answers) = self.of.entry(from.identity.to_owned()).or_default();
        let (identity, node) = (from.identity.to_owned(), from.node.to_owned());
        if let Some(id) = message_id.filter(|_| *mails < OF_ONE_A_DAY_MAX) {
            *mails += 1;
            self.sent.push(SentMail {
                message: sealed_id(key, id),
                identity: identity.clone(),
                node: node.clone(),
                at,
            });
        }
        if contents.is_empty() {
            return;
        }
        for id in header::answered(raw) {
            let answered = sealed_id(key, &id);
            for content in contents.iter().take(CONTENTS_MAX) {
                if *answers >= OF_ONE_A_DAY_MAX {
                    return;
                }
                *answers += 1;
                let (identity, node, answered) = (identity.clone(), node.clone(), answered.clone());
                self.answers.push(AnswerWith { content: *content, answered, identity, node, at });
            }
        }
    }

    /// What waits to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.sent.len() + self.answers.len()
    }

    /// Forgets what waits: it was written, or there is no room for it.
    pub(crate) fn clear(&mut self) {
        self.sent.clear();
        self.answers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_fills_no_more_than_its_share_of_a_day() {
        let key = TokenKey::new([7; 32]);
        let mut noted = Conversations::default();
        let contents = [Digest::of(b"logo"), Digest::of(b"photo")];
        let raw = b"In-Reply-To: <1@x.example>\r\nReferences: <0@x.example>\r\n\r\n";
        let day = |number: i64| Timestamp::from_micros(number * DAY_US + 5);
        let note = |noted: &mut Conversations, who: &str, mails: u32, at: Timestamp| {
            let from = Sender { identity: who, node: "x" };
            (0..mails).for_each(|n| noted.note(&key, &from, Some(&format!("<{n}@y>")), raw, &contents, at));
            (noted.sent.len(), noted.answers.len())
        };
        assert_eq!(note(&mut noted, "anna", 2, day(1)), (2, 8), "two contents, and two mails that are answered");
        assert_eq!(note(&mut noted, "anna", 2000, day(1)), (500, 500));
        assert_eq!(note(&mut noted, "bert", 1, day(1)), (501, 504), "another has a share of his own");
        assert_eq!(note(&mut noted, "anna", 1, day(2)), (502, 508), "and another day is another day");
        noted.clear();
        noted.note(&key, &Sender { identity: "carla", node: "x" }, None, raw, &[], day(2));
        assert_eq!(noted.waiting(), 0, "a mail without an id and without a content is nothing to remember");
    }
}
