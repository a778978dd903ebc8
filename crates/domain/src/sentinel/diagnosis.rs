//! What follows from what is believed: which detections are contained, who is called, where an incident is opened. A
//! pure function of a snapshot, so that the same journal under the same circumstances leads to the same acts.
//!
//! The acts of one diagnosis are done in their order, and the one that shows that all of it is done (the containment)
//! comes last: what a failure leaves half done is diagnosed again, and each act may be done twice without harm.

use std::collections::{BTreeMap, BTreeSet};

use super::group::{Group, is_explained};
use super::{State, Suspect, Suspicion};
use crate::containment::{Containment, Level};
use crate::detection::DetectionCode;
use crate::time::Timestamp;

/// What people have been told of: a suspect, where it stands and since when. When it stands there anew they are told
/// anew.
pub type StateOfSuspect = (Suspect, State, Option<Timestamp>);

/// All that a diagnosis rests on.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'s> {
    /// What is believed of each suspect.
    pub suspicions: &'s BTreeMap<Suspect, Suspicion>,
    /// Those of them that are in force.
    pub in_force: &'s BTreeSet<Suspect>,
    /// What is contained.
    pub contained: &'s Containment,
    /// Detections that nothing contains by itself.
    pub pinned: &'s BTreeSet<DetectionCode>,
    /// Who belongs to each group that is convicted.
    pub members: &'s BTreeMap<Suspect, BTreeSet<Suspect>>,
    /// Whether the sentinel acts by itself; otherwise people are asked.
    pub may_act: bool,
    /// What people have been told of since the start.
    pub told: &'s BTreeSet<StateOfSuspect>,
}

/// Why people are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It seems to be wrong, but somebody has pinned it.
    Pinned,
    /// It should be contained, and the sentinel may not.
    Undecided,
    /// Known content passes it from now on.
    Pardoned,
    /// An engine as a whole seems to be wrong.
    Engine,
    /// What changed together should be contained, and the sentinel may not.
    Together,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// People are called.
    Call(Call),
    /// An incident is opened, unless one is.
    OpenIncident,
    /// It is held back.
    Contain(Level),
    /// These are contained as one, and incidents opened where they have held mail.
    ContainTogether(Vec<Suspect>),
}

/// What is to be done about one suspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The suspect.
    pub suspect: Suspect,
    /// In this order.
    pub actions: Vec<Action>,
    /// What people have been told of when all of it is done; none when the same has to be done again for those who are
    /// heard of later.
    pub told: Option<StateOfSuspect>,
}

/// What is to be done now. Single detections come first: a group is contained for what none of its members explains.
pub fn diagnose(snapshot: &Snapshot<'_>) -> Vec<Diagnosis> {
    let mut all = Vec::new();
    let mut groups = Vec::new();
    for (suspect, suspicion) in snapshot.suspicions.iter().filter(|(suspect, _)| snapshot.in_force.contains(suspect)) {
        match Group::parse(&suspect.code) {
            None => all.extend(of_detection(snapshot, suspect, suspicion)),
            Some(group) if suspicion.state() == State::Contained => groups.push((group, suspect, suspicion)),
            Some(_) => {}
        }
    }
    all.extend(groups.into_iter().filter_map(|(group, suspect, suspicion)| match group {
        Group::Engine(_) => once(snapshot, suspect, suspicion, vec![Action::Call(Call::Engine)]),
        Group::ChangedInRuleset | Group::ChangedIn(_) => of_change(snapshot, suspect, suspicion),
    }));
    all
}

/// A diagnosis that people are told of once.
fn once(snapshot: &Snapshot<'_>, suspect: &Suspect, suspicion: &Suspicion, actions: Vec<Action>) -> Option<Diagnosis> {
    let told = (suspect.clone(), suspicion.state(), suspicion.since());
    let is_news = !snapshot.told.contains(&told);
    is_news.then(|| Diagnosis { suspect: suspect.clone(), actions, told: Some(told) })
}

fn of_detection(snapshot: &Snapshot<'_>, suspect: &Suspect, suspicion: &Suspicion) -> Option<Diagnosis> {
    let level = Level::of(suspicion.state()).filter(|level| *level != Level::Probation)?;
    if snapshot.contained.level(&suspect.code, &suspect.version) == Some(level) {
        return None;
    }
    let actions = match (snapshot.pinned.contains(&suspect.code), snapshot.may_act, level) {
        (true, ..) => vec![Action::Call(Call::Pinned)],
        (_, true, Level::Contained) => vec![Action::OpenIncident, Action::Contain(level)],
        (_, true, _) => vec![Action::Call(Call::Pardoned), Action::Contain(level)],
        (_, false, Level::Contained) => vec![Action::Call(Call::Undecided), Action::OpenIncident],
        (_, false, _) => vec![Action::Call(Call::Undecided)],
    };
    once(snapshot, suspect, suspicion, actions)
}

/// What changed together and is wrong together, unless a single member, or those that are convicted by themselves,
/// explain it.
fn of_change(snapshot: &Snapshot<'_>, suspect: &Suspect, suspicion: &Suspicion) -> Option<Diagnosis> {
    let members = snapshot.members.get(suspect)?;
    let votes = |one: &Suspicion| one.past().map_or(0, |past| u64::from(past.votes));
    let hits = |one: &Suspicion| one.counts().0 + u64::from(one.probe().1) + votes(one);
    let each: Vec<(u64, bool)> = members
        .iter()
        .map(|member| {
            let known = snapshot.suspicions.get(member);
            known.map_or((0, false), |one| (hits(one), one.state() == State::Contained))
        })
        .collect();
    if members.len() < 2 || is_explained(hits(suspicion), &each) {
        return None;
    }
    // Who is held back for what is known of it alone has a diagnosis of its own.
    let is_alone = |one: &Suspect| snapshot.suspicions.get(one).is_some_and(|one| Level::of(one.state()).is_some());
    let is_free = |one: &&Suspect| {
        snapshot.contained.level(&one.code, &one.version).is_none_or(Level::holds_as_before)
            && !snapshot.pinned.contains(&one.code)
            && !is_alone(one)
    };
    let free: Vec<Suspect> = members.iter().filter(is_free).cloned().collect();
    let diagnosis = once(snapshot, suspect, suspicion, vec![Action::Call(Call::Together)])?;
    match (free.is_empty(), snapshot.may_act) {
        (true, _) => None,
        (_, false) => Some(diagnosis),
        (_, true) => Some(Diagnosis { actions: vec![Action::ContainTogether(free)], told: None, ..diagnosis }),
    }
}

#[cfg(test)]
#[path = "diagnosis_tests.rs"]
mod tests;
