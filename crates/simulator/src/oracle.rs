//! What must hold whatever happens: the record of the clients and that of the next hop, against what is stored.

use std::collections::{BTreeMap, BTreeSet};

use domain::incident::{Outcome, Stage};
use domain::ledger::Account;
use domain::release::ReleaseState;
use store::incident::{Incident, Progress};
use store::upkeep::ledger::Balance;

use crate::hop::Dot;
use crate::letter::{Kind, Letter, Standpoint};
use crate::rows::Unit;

/// A unit as the next hop knows it: the id that the gateway gave the mail, and the recipient.
type UnitKey = (String, String);

/// What the oracle remembers from step to step.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// Units of which no dot may come any more, with the step since when and why.
    closed: BTreeMap<UnitKey, (usize, Account)>,
    /// Units that an operator has asked to be released.
    asked: BTreeSet<UnitKey>,
    /// Units that an operator has deleted.
    deleted: BTreeSet<UnitKey>,
    /// Whether the wrong detection has been withdrawn.
    pub(crate) is_withdrawn: bool,
    accepted: i64,
}

/// Everything that is looked at after a step.
pub(crate) struct Look<'a> {
    pub(crate) step: usize,
    pub(crate) letters: &'a [Letter],
    /// Units as they were before the dots were looked at: what they say was done has been done.
    pub(crate) units: &'a [Unit],
    /// Units as they were after that: what is recorded before a dot is in them, even where a round goes on meanwhile.
    pub(crate) units_after: &'a [Unit],
    pub(crate) dots: &'a [Dot],
    pub(crate) balance: &'a Balance,
}

fn place(unit: &Unit) -> UnitKey {
    (unit.mail_id.clone(), unit.recipient.clone())
}

impl Oracle {
    /// An operator has asked for the release of a unit.
    pub(crate) fn asked(&mut self, unit: &Unit) {
        self.closed.remove(&place(unit));
        self.asked.insert(place(unit));
    }

    /// An operator has deleted a unit.
    pub(crate) fn deleted(&mut self, unit: &Unit) {
        self.deleted.insert(place(unit));
    }

    /// Everything that is not as it must be after a step.
    pub(crate) fn faults(&mut self, look: &Look<'_>) -> Vec<String> {
        let mut faults: Vec<String> = look.balance.faults.iter().map(|fault| format!("the ledger: {fault}")).collect();
        if look.balance.accepted < self.accepted {
            faults.push(format!("{} units were accepted, now {}", self.accepted, look.balance.accepted));
        }
        self.accepted = look.balance.accepted;
        faults.extend(lost(look));
        faults.extend(unrecorded(look));
        faults.extend(twice(look));
        faults.extend(self.too_late(look));
        faults.extend(self.let_through(look));
        faults.extend(self.ended_by_nobody(look));
        self.close(look);
        faults
    }

    /// Dots of units that were over: delivered for certain, or denied by a person.
    fn too_late(&self, look: &Look<'_>) -> Vec<String> {
        let late = |dot: &Dot, recipient: &String| {
            let (since, account) = self.closed.get(&(dot.mail_id.clone(), recipient.clone()))?;
            (dot.step > *since).then(|| {
                format!(
                    "{} was sent to {recipient} although it was {} since step {since}",
                    dot.letter,
                    account.as_str()
                )
            })
        };
        of_each(look.dots, late)
    }

    fn close(&mut self, look: &Look<'_>) {
        for unit in look.units {
            if matches!(unit.account, Account::Released | Account::Delivered | Account::Denied | Account::Deleted) {
                self.closed.entry(place(unit)).or_insert((look.step, unit.account));
            }
        }
    }

    /// What the hop has taken although it was to stay held.
    fn let_through(&self, look: &Look<'_>) -> Vec<String> {
        let wrong = |dot: &Dot, recipient: &String| {
            let letter = look.letters.iter().find(|letter| letter.name == dot.letter)?;
            let is_asked = self.asked.contains(&(dot.mail_id.clone(), recipient.clone()));
            let is_outbound = recipient.ends_with("@outside.example");
            let may_pass = match letter.kind {
                Kind::Clean => true,
                Kind::Harmless | Kind::Mixed => self.is_withdrawn || is_outbound || is_asked,
                Kind::Malware | Kind::MalwareAndHarmless => is_asked,
            };
            (!may_pass).then(|| format!("{} ({:?}) was sent to {recipient}", letter.name, letter.kind))
        };
        of_each(look.dots, wrong)
    }

    fn ended_by_nobody(&self, look: &Look<'_>) -> Vec<String> {
        let ended = look.units.iter().filter(|unit| matches!(unit.account, Account::Deleted | Account::Expired));
        let by_nobody = ended.filter(|unit| !self.deleted.contains(&place(unit)));
        by_nobody.map(|unit| format!("unit {} of {} is gone, and nobody deleted it", unit.id, unit.letter)).collect()
    }

    /// What is not over although everything has come to rest: faults are over, clients and hop behave, and the wrong
    /// detection is withdrawn.
    pub(crate) fn unfinished(&self, look: &Look<'_>, incident: Option<&Incident>) -> Vec<String> {
        let mut left = Vec::new();
        for letter in look.letters {
            let waiting = letter.waiting();
            if !waiting.is_empty() {
                left.push(format!("{} is still with its client for {}", letter.name, waiting.join(" ")));
            }
            let units = look.units.iter().filter(|unit| unit.letter == letter.name);
            left.extend(units.filter_map(|unit| unfinished(letter, unit)));
        }
        if let Some(incident) = incident.filter(|incident| incident.stage != Stage::Resolved) {
            left.push(format!("incident {} is {}", incident.id, incident.stage.as_str()));
        }
        left
    }
}

/// What every pair of a dot and one of its recipients comes to.
fn of_each(dots: &[Dot], judge: impl Fn(&Dot, &String) -> Option<String>) -> Vec<String> {
    let judge = &judge;
    dots.iter().flat_map(|dot| dot.recipients.iter().filter_map(move |recipient| judge(dot, recipient))).collect()
}

/// What a client was told is taken, and is neither with the hop nor in our custody.
fn lost(look: &Look<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for letter in look.letters {
        for (recipient, _) in letter.recipients.iter().filter(|(_, stands)| *stands == Standpoint::Acknowledged) {
            let is_ours = look
                .units
                .iter()
                .any(|unit| unit.letter == letter.name && unit.recipient == *recipient && unit.account.is_accepted());
            let is_taken = look
                .dots
                .iter()
                .any(|dot| dot.taken > 0 && dot.letter == letter.name && dot.recipients.contains(recipient));
            if !is_ours && !is_taken {
                faults.push(format!("{} was acknowledged for {recipient}, and is lost", letter.name));
            }
        }
    }
    // What the ledger says is delivered has been taken by the hop.
    for unit in look.units {
        let is_settled = unit.release.as_ref().is_some_and(|release| release.possibly_twice);
        let says_delivered = matches!(unit.account, Account::Delivered | Account::Released) && !is_settled;
        let is_taken = || dots_of(look, unit).any(|dot| dot.taken > 0);
        if says_delivered && !is_taken() {
            let (account, letter, recipient) = (unit.account.as_str(), &unit.letter, &unit.recipient);
            faults.push(format!("{letter} is {account} for {recipient}, and the hop has never taken it"));
        }
    }
    faults
}

fn dots_of<'a>(look: &'a Look<'_>, unit: &'a Unit) -> impl Iterator<Item = &'a Dot> {
    look.dots.iter().filter(|dot| dot.mail_id == unit.mail_id && dot.recipients.contains(&unit.recipient))
}

/// Dots that came without a record before them: of a message that passed, its arrival; of a release, its attempt.
fn unrecorded(look: &Look<'_>) -> Vec<String> {
    let unknown = |dot: &Dot, recipient: &String| {
        let known = look.units_after.iter().any(|unit| unit.mail_id == dot.mail_id && unit.recipient == *recipient);
        (!known).then(|| format!("{} was sent to {recipient} and is not on record", dot.letter))
    };
    let mut faults = of_each(look.dots, unknown);
    faults.extend(look.dots.iter().filter(|dot| !dot.is_whole).map(|dot| format!("{} came changed", dot.letter)));
    for unit in look.units_after {
        let releases = dots_of(look, unit).filter(|dot| dot.is_release).count();
        let attempts = unit.release.as_ref().map_or(0, |release| release.attempts);
        if i64::try_from(releases).unwrap_or(i64::MAX) > attempts {
            let (letter, recipient) = (&unit.letter, &unit.recipient);
            faults
                .push(format!("{letter} was sent to {recipient} {releases} times with {attempts} attempts on record"));
        }
    }
    faults
}

/// What the hop has taken more often than lost answers explain, or was sent again more often than policy says.
fn twice(look: &Look<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for unit in look.units {
        let taken: usize = dots_of(look, unit).map(|dot| dot.taken).sum();
        let (doubts, repeats) = (unit.doubts, unit.release.as_ref().map_or(0, |release| release.repeats));
        if i64::try_from(taken).unwrap_or(i64::MAX) > 1 + doubts || repeats > 1 {
            let (letter, recipient) = (&unit.letter, &unit.recipient);
            faults.push(format!(
                "{letter} was delivered to {recipient} {taken} times, with {doubts} lost answers and {repeats} repeats"
            ));
        }
    }
    faults
}

fn unfinished(letter: &Letter, unit: &Unit) -> Option<String> {
    let is_over = match unit.account {
        Account::Delivered | Account::Released | Account::Denied | Account::Deleted => true,
        Account::Refused | Account::InDoubtLive => true,
        Account::Held => letter.kind.is_malware(),
        // Of a transaction that was never answered: it lapses by its age, and the client has the mail.
        Account::Tentative => true,
        Account::Forwarding | Account::Releasing | Account::InDoubt | Account::Failed | Account::Expired => false,
    };
    let state = unit.release.as_ref().map_or("none", |release| ReleaseState::as_str(release.state));
    let (account, recipient) = (unit.account.as_str(), &unit.recipient);
    (!is_over).then(|| format!("{} for {recipient} is {account}, its release {state}", letter.name))
}

/// Whether the progress of an incident adds up: every unit of it counted once, and only what may be cleared cleared.
pub(crate) fn progress(progress: &Progress, counted: i64, cleared_malware: i64) -> Vec<String> {
    let mut faults = Vec::new();
    let sum: u64 = Outcome::ALL.iter().map(|outcome| progress.of(*outcome)).sum();
    if i64::try_from(sum).unwrap_or(i64::MAX) != counted || progress.over() > progress.units() {
        faults.push(format!("the incident has {counted} units, and its progress says {progress:?}"));
    }
    if cleared_malware > 0 {
        faults.push(format!("the replay cleared malware: {cleared_malware} units"));
    }
    faults
}
