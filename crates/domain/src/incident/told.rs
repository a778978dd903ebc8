//! What the public is told of an incident: computed from what the record has, and from nothing else.
//!
//! An incident that a person opens is a question: it says that something is looked into until what was held has been
//! examined again. Only that says whether messages were held wrongly, rightly, or some of each.

use super::{Outcome, Stage};
use crate::ledger::Account;
use crate::time::Timestamp;

/// The units of an incident (one message for one recipient), by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub units: u64,
    /// They pass now: they were held wrongly.
    pub wrong: u64,
    /// They are held for a reason that stands: they were held rightly.
    pub right: u64,
    /// Not examined again yet, or not possible to examine: nobody knows.
    pub unknown: u64,
    /// Of the wrong ones, those that have reached the next hop because of this incident.
    pub delivered: u64,
    /// Those that have reached the next hop by another decision: a person's, or another incident's.
    pub delivered_by_others: u64,
}

impl Tally {
    /// Adds up units by outcome and account.
    pub fn of<'c>(counts: impl IntoIterator<Item = (&'c (Outcome, Account), &'c u64)>) -> Self {
        let mut tally = Self::default();
        for ((outcome, account), units) in counts {
            tally.units += units;
            let is_wrong = matches!(outcome, Outcome::Cleared | Outcome::Asked);
            match outcome {
                Outcome::Cleared | Outcome::Asked => tally.wrong += units,
                Outcome::Upheld => tally.right += units,
                Outcome::Pending | Outcome::Inconclusive => tally.unknown += units,
                Outcome::Settled => {}
            }
            match (account, is_wrong) {
                (Account::Released, true) => tally.delivered += units,
                (Account::Released, false) => tally.delivered_by_others += units,
                _ => {}
            }
        }
        tally
    }

    /// What is said when every unit is accounted for.
    pub fn closing(&self) -> String {
        let left = self.units - self.delivered - self.delivered_by_others;
        let parts = [
            (self.delivered, "were held by mistake and have been delivered"),
            (self.delivered_by_others, "were delivered by other decisions"),
            (left, "were not delivered"),
        ];
        let parts = parts.iter().filter(|(units, _)| *units > 0).map(|(units, what)| format!("{units} {what}"));
        let parts: Vec<String> = parts.collect();
        let what = if parts.is_empty() { "there was none".to_owned() } else { parts.join(", ") };
        format!("All {} units are accounted for: {what}.", self.units)
    }
}

/// What has been found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing yet, and nothing says more than that somebody asks.
    LookedInto,
    /// Nothing yet, but the detection was convicted by what is known to be good.
    Suspected,
    /// Units were held wrongly.
    Wrong,
    /// Some were held wrongly and some rightly.
    Mixed,
    /// Everything that could be said of was held rightly.
    Right,
    /// It is over, and the detection had held nothing.
    Nothing,
    /// It is over, and nobody has found out.
    Undecided,
}

/// What the record has of an incident.
#[derive(Clone, Debug)]
pub struct Facts<'r> {
    /// The code of the detection.
    pub detection: &'r str,
    /// Where it stands.
    pub stage: Stage,
    /// Whether the sentinel has convicted the detection; else a person asks, or a ruleset was taken back.
    pub is_convicted: bool,
    /// Whether the detection was contained in the course of it.
    pub is_contained: bool,
    /// When the detection version came into force, if that is known.
    pub in_force: Option<Timestamp>,
    /// When the first message came that it held.
    pub first_held: Option<Timestamp>,
    /// When the first message came that it held wrongly.
    pub first_wrong: Option<Timestamp>,
    /// Its units.
    pub tally: Tally,
    /// What a person has added for the public; empty if nothing.
    pub words: &'r str,
}

impl Facts<'_> {
    /// What has been found out.
    pub fn finding(&self) -> Finding {
        let Tally { units, wrong, right, unknown, .. } = self.tally;
        match (wrong > 0, right > 0) {
            (true, true) => Finding::Mixed,
            (true, false) => Finding::Wrong,
            (false, true) if unknown == 0 => Finding::Right,
            _ if self.stage == Stage::Resolved && units == 0 => Finding::Nothing,
            _ if self.stage == Stage::Resolved => Finding::Undecided,
            _ if self.is_convicted => Finding::Suspected,
            _ => Finding::LookedInto,
        }
    }

    /// Its title.
    pub fn title(&self) -> String {
        let code = self.detection;
        match self.finding() {
            Finding::LookedInto => format!("Detection {code} is being looked into"),
            Finding::Suspected => format!("Detection {code} seems to have held good mail"),
            Finding::Wrong => format!("Detection {code} held good mail"),
            Finding::Mixed => format!("Detection {code} held good mail beside bad"),
            Finding::Right => format!("Detection {code} held mail rightly"),
            Finding::Nothing => format!("Detection {code} held no mail"),
            Finding::Undecided => format!("Detection {code} was looked into"),
        }
    }

    /// What has happened, in sentences; behind them what a person has added.
    pub fn text(&self) -> String {
        let Tally { units, wrong, right, delivered, delivered_by_others, .. } = self.tally;
        let mut said = vec![match self.finding() {
            Finding::LookedInto => {
                "It is being looked into whether messages were held by mistake. What was held is kept.".to_owned()
            }
            Finding::Suspected => {
                "Messages seem to have been held by mistake. What was held is kept, and what is found to be good is \
                    delivered."
                    .to_owned()
            }
            Finding::Wrong => format!("Messages were held by mistake: {wrong} of {units} units."),
            Finding::Mixed => {
                format!("Messages were held by mistake: {wrong} of {units} units. {right} were held rightly.")
            }
            Finding::Right => {
                format!("No message was found that was held by mistake: {right} of {units} units were held rightly.")
            }
            Finding::Nothing => "The detection had held no message.".to_owned(),
            Finding::Undecided => "It was closed before it was known whether messages were held by mistake.".to_owned(),
        }];
        if self.is_contained && self.stage != Stage::Resolved {
            said.push("The detection has been contained.".to_owned());
        }
        if wrong > 0 {
            said.push(format!("{delivered} of the {wrong} have been delivered."));
        }
        if delivered_by_others > 0 {
            said.push(format!("{delivered_by_others} were delivered by other decisions."));
        }
        if !self.words.trim().is_empty() {
            said.push(self.words.trim().to_owned());
        }
        said.join(" ")
    }

    /// Since when messages were affected: the first that was held wrongly, else the first that was held, else the
    /// coming into force of the detection version; none while none of these is known.
    pub fn began(&self) -> Option<Timestamp> {
        self.first_wrong.or(self.first_held).or(self.in_force)
    }

    /// Where it stands, as the public is told: "contained" only when the detection was.
    pub fn stage(&self) -> &'static str {
        match self.stage {
            Stage::Contained if !self.is_contained => Stage::Investigating.as_str(),
            stage => stage.as_str(),
        }
    }

    /// The same in the words of Microsoft Graph's `serviceHealthStatus`.
    pub fn health(&self) -> &'static str {
        match (self.stage, self.finding()) {
            (Stage::Resolved, Finding::Right | Finding::Nothing) => "falsePositive",
            (Stage::Resolved, Finding::Undecided) => "investigationSuspended",
            (_, Finding::LookedInto | Finding::Right) => Stage::Investigating.health(),
            (Stage::Contained, _) if !self.is_contained => Stage::Investigating.health(),
            (stage, _) => stage.health(),
        }
    }

    /// The `classification` of a `serviceHealthIssue`: an incident when something is wrong, an advisory while that is
    /// only asked.
    pub fn classification(&self) -> &'static str {
        match self.finding() {
            Finding::Suspected | Finding::Wrong | Finding::Mixed => "incident",
            Finding::LookedInto | Finding::Right | Finding::Nothing | Finding::Undecided => "advisory",
        }
    }
}

/// Since when a detection version is in force, of the rulesets that were in force, newest first: each with whether it
/// has that version, and since when. Where it is in force no more, the last time that it came into force; none when it
/// never was.
pub fn came_into_force(history: impl IntoIterator<Item = (bool, Timestamp)>) -> Option<Timestamp> {
    let run = history.into_iter().skip_while(|(has, _)| !has).take_while(|(has, _)| *has);
    run.last().map(|(_, since)| since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn tally(counts: &[(Outcome, Account, u64)]) -> Tally {
        let counts: BTreeMap<(Outcome, Account), u64> =
            counts.iter().map(|(outcome, account, units)| ((*outcome, *account), *units)).collect();
        Tally::of(&counts)
    }

    fn asked(stage: Stage, tally: Tally) -> Facts<'static> {
        Facts {
            detection: "IMG-0007",
            stage,
            is_convicted: false,
            is_contained: false,
            in_force: None,
            first_held: None,
            first_wrong: None,
            tally,
            words: "",
        }
    }

    #[test]
    fn what_is_told_of_each_finding() {
        use Account as A;
        use Outcome as O;
        let mut shown = String::new();
        let mut show = |what: &str, facts: &Facts<'_>| {
            shown.push_str(&format!(
                "{what}\n  {} | {} | {} | {}\n  {}\n",
                facts.title(),
                facts.stage(),
                facts.health(),
                facts.classification(),
                facts.text()
            ));
        };
        let pending = tally(&[(O::Pending, A::Held, 5)]);
        let convicted = |facts: Facts<'static>| Facts { is_convicted: true, is_contained: true, ..facts };
        show("a person asks", &asked(Stage::Investigating, Tally::default()));
        show("a person asks, and it is replayed", &asked(Stage::Replaying, pending));
        show("a replay that was cancelled", &asked(Stage::Contained, pending));
        show("the sentinel has convicted it", &convicted(asked(Stage::Contained, pending)));
        let rightly_so_far = tally(&[(O::Pending, A::Held, 2), (O::Upheld, A::Held, 3)]);
        show("some rightly, the others not known", &asked(Stage::Replaying, rightly_so_far));
        let wrongly_so_far = tally(&[(O::Pending, A::Held, 2), (O::Cleared, A::Releasing, 3)]);
        show("some wrongly, the others not known", &asked(Stage::Replaying, wrongly_so_far));
        let wrongly = tally(&[(O::Cleared, A::Released, 4), (O::Settled, A::Released, 1)]);
        show("wrongly", &convicted(asked(Stage::Resolved, wrongly)));
        let rightly = tally(&[(O::Upheld, A::Held, 4), (O::Upheld, A::Released, 1)]);
        show("rightly", &asked(Stage::Resolved, rightly));
        let both = tally(&[(O::Upheld, A::Held, 4), (O::Cleared, A::Released, 1)]);
        show("both", &asked(Stage::Resolved, both));
        show("nothing was held", &asked(Stage::Resolved, Tally::default()));
        show("closed by hand", &asked(Stage::Resolved, pending));
        let words = Facts { words: "We will say more at noon.", ..asked(Stage::Investigating, pending) };
        show("with a person's words", &words);
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn what_people_release_by_hand_is_not_ours() {
        let tally = tally(&[
            (Outcome::Cleared, Account::Released, 3),
            (Outcome::Settled, Account::Released, 2),
            (Outcome::Upheld, Account::Released, 1),
            (Outcome::Upheld, Account::Held, 1),
        ]);
        assert_eq!((tally.delivered, tally.delivered_by_others, tally.units), (3, 3, 7));
        assert_eq!(
            tally.closing(),
            "All 7 units are accounted for: 3 were held by mistake and have been delivered, 3 were delivered by other \
                decisions, \
             1 were not delivered."
        );
    }

    #[test]
    fn it_began_with_the_first_message_that_was_affected() {
        let asked = asked(Stage::Investigating, Tally::default());
        assert_eq!(asked.began(), None, "not known yet");
        let mut facts = Facts { in_force: Some(at(1)), ..asked };
        assert_eq!(facts.began(), Some(at(1)));
        facts.first_held = Some(at(5));
        assert_eq!(facts.began(), Some(at(5)));
        facts.first_wrong = Some(at(7));
        assert_eq!(facts.began(), Some(at(7)), "what was held rightly is no harm");
    }

    #[test]
    fn a_version_is_in_force_since_the_first_ruleset_of_the_last_run_that_has_it() {
        assert_eq!(came_into_force([(true, at(9)), (true, at(7)), (false, at(5)), (true, at(3))]), Some(at(7)));
        assert_eq!(came_into_force([(false, at(9)), (true, at(7)), (true, at(5))]), Some(at(5)), "it was");
        assert_eq!(came_into_force([(false, at(9))]), None);
    }

    /// Whatever the record has, nothing is told that it does not have.
    #[test]
    fn no_mistake_is_told_that_no_replay_has_found() {
        for stage in Stage::ALL {
            for outcome in Outcome::ALL {
                for account in Account::ALL {
                    let facts = asked(stage, tally(&[(outcome, account, 1)]));
                    let is_wrong = matches!(outcome, Outcome::Cleared | Outcome::Asked);
                    let told = format!("{} {}", facts.title(), facts.text());
                    assert_eq!(told.contains("held good mail"), is_wrong, "{told}");
                    assert_eq!(told.contains("were held by mistake:"), is_wrong, "{told}");
                    assert_eq!(facts.classification() == "incident", is_wrong, "{told}");
                    assert!(facts.health() != "serviceRestored" || is_wrong, "{told}");
                }
            }
        }
    }
}
