//! The steps that a simulation is made of.

use std::time::Duration;

use domain::Timestamp;
use domain::containment::Level;
use domain::ledger::{Account, Move};
use domain::release::{IN_DOUBT_REST, LEASE};
use platform::clock::Clock;
use platform::ruleset_store::keep;
use store::evidence::sentinel::ContainmentChange;
use store::incident::NewIncident;
use store::mail::moves::UnitMove;

use crate::detections::{Form, suspect};
use crate::hop::Stall;
use crate::letter::Letter;
use crate::life::Life;
use crate::rows::Unit;
use crate::world::said;

/// Letters of one simulation at most.
const LETTERS_MAX: usize = 9;
/// How far the clock goes on in one step: less than a back-off, a lease and more, a jump that is still believed.
const SPANS: [(u64, Duration); 4] = [
    (30, Duration::from_secs(61)),
    (30, Duration::from_secs(11 * 60)),
    (30, Duration::from_secs(16 * 60)),
    (10, Duration::from_secs(5 * 3600)),
];
/// In a hundred steps with a worker that is kept waiting: how often it is overtaken.
const OVERTAKEN: u64 = 30;
/// Who asks, denies and deletes.
const OPERATOR: &str = "operator";

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A client hands a letter in, a new one or one that it still has.
    HandIn(usize),
    /// A worker makes a round of releases.
    Release(usize),
    Incidents,
    Replay,
    /// An operator asks for the release of a unit.
    Ask(Box<Unit>),
    /// An operator decides that a unit stays.
    Deny(Box<Unit>),
    Delete(Box<Unit>),
    /// The wrong detection is withdrawn.
    Withdraw,
    /// The clock goes on.
    Pass(Duration),
    /// The hop lets a waiting answer go on.
    Wake(Stall),
    /// The program is killed.
    Die,
}

/// What kind of step it is to be.
#[derive(Clone, Copy, Debug)]
enum Wish {
    HandIn,
    Release,
    Incidents,
    Replay,
    Decide,
    Withdraw,
    Pass,
    Wake,
    Die,
}

const WISHES: [(u64, Wish); 9] = [
    (26, Wish::HandIn),
    (20, Wish::Release),
    (10, Wish::Incidents),
    (10, Wish::Replay),
    (9, Wish::Decide),
    (6, Wish::Withdraw),
    (12, Wish::Pass),
    (12, Wish::Wake),
    (4, Wish::Die),
];

/// The next step, as the dice fall. What cannot be done now is left to the next throw.
pub(crate) async fn thrown(life: &mut Life<'_>) -> Result<Step, String> {
    overtake(life);
    while let Some(step) = life.planned.pop_front() {
        if is_possible(life, &step) {
            life.world.begin("nobody");
            return Ok(step);
        }
    }
    loop {
        let wish = life.world.dice.weighed(&WISHES).unwrap_or(Wish::Pass);
        if let Some(step) = possible(life, wish).await? {
            life.world.begin("nobody");
            return Ok(step);
        }
    }
}

/// A worker that the hop keeps waiting may be overtaken: its lease ends, another worker does its work, and then the
/// hop goes on with it. Chance alone would seldom have it so.
fn overtake(life: &mut Life<'_>) {
    if !life.planned.is_empty() {
        return;
    }
    let workers = 0..life.site.releasers.len();
    let Some(late) = workers.clone().find(|worker| life.is_releasing(*worker)) else { return };
    let Some(other) = workers.clone().find(|worker| !life.is_releasing(*worker)) else { return };
    let actor = life.running.iter().find(|running| running.is_release_of(late)).map(|running| running.actor.clone());
    let stall = life.world.hop.stalls().into_iter().find(|stall| Some(&stall.actor) == actor.as_ref());
    let Some(stall) = stall.filter(|_| life.world.dice.happens(OVERTAKEN)) else { return };
    let rest = Step::Pass(IN_DOUBT_REST);
    life.planned.extend([Step::Pass(LEASE), Step::Release(other), rest, Step::Release(other), Step::Wake(stall)]);
}

fn is_possible(life: &Life<'_>, step: &Step) -> bool {
    match step {
        Step::Release(worker) => !life.is_releasing(*worker),
        Step::Wake(stall) => life.world.hop.stalls().contains(stall),
        _ => true,
    }
}

async fn possible(life: &mut Life<'_>, wish: Wish) -> Result<Option<Step>, String> {
    Ok(match wish {
        Wish::HandIn => letter(life).map(Step::HandIn),
        Wish::Release => {
            let worker = life.world.dice.below(life.site.releasers.len());
            (!life.is_releasing(worker)).then_some(Step::Release(worker))
        }
        Wish::Incidents => Some(Step::Incidents),
        Wish::Replay => Some(Step::Replay),
        Wish::Decide => decision(life).await?,
        Wish::Withdraw => life.world.incident.is_none().then_some(Step::Withdraw),
        Wish::Pass => life.world.dice.weighed(&SPANS).map(Step::Pass),
        Wish::Wake => {
            let stalls = life.world.hop.stalls();
            life.world.dice.one_of(&stalls).cloned().map(Step::Wake)
        }
        Wish::Die => Some(Step::Die),
    })
}

/// A letter that nobody is handing in now: a new one, or one that its client still has.
fn letter(life: &mut Life<'_>) -> Option<usize> {
    let world = &mut *life.world;
    if world.letters.len() < LETTERS_MAX && (world.letters.is_empty() || world.dice.happens(55)) {
        let letter = Letter::new(world.letters.len(), &mut world.dice);
        world.hop.expect(&letter.name, letter.bytes.clone());
        world.letters.push(letter);
        return Some(world.letters.len() - 1);
    }
    let is_idle = |at: &usize| {
        !world.letters[*at].waiting().is_empty() && !life.running.iter().any(|running| running.letter == Some(*at))
    };
    let idle: Vec<usize> = (0..world.letters.len()).filter(is_idle).collect();
    world.dice.one_of(&idle).copied()
}

/// What an operator decides about a unit that waits for a person.
async fn decision(life: &mut Life<'_>) -> Result<Option<Step>, String> {
    let units: Vec<Unit> = life.units().await?.into_iter().filter(|unit| may_be_decided(unit.account)).collect();
    let Some(unit) = life.world.dice.one_of(&units).cloned() else { return Ok(None) };
    let unit = Box::new(unit);
    Ok(Some(match life.world.dice.below(10) {
        0 => Step::Delete(unit),
        1 | 2 if unit.account != Account::Denied => Step::Deny(unit),
        _ => Step::Ask(unit),
    }))
}

fn may_be_decided(account: Account) -> bool {
    matches!(account, Account::Held | Account::Failed | Account::Denied)
}

/// Takes a step.
pub(crate) async fn take(life: &mut Life<'_>, step: Step) -> Result<(), String> {
    match step {
        Step::HandIn(at) => {
            let letter = &life.world.letters[at];
            let line = format!("hand in {} ({:?}) for {}", letter.name, letter.kind, letter.waiting().join(" "));
            life.world.note(line);
            life.hand_in(at).await
        }
        Step::Release(worker) => {
            life.world.note(format!("a round of releases by worker {worker}"));
            life.release(worker).await
        }
        Step::Incidents => life.incidents().await,
        Step::Replay => life.replay().await,
        Step::Ask(unit) => ask(life, &unit).await,
        Step::Deny(unit) => decide(life, &unit, Move::Denied).await,
        Step::Delete(unit) => decide(life, &unit, Move::Deleted).await,
        Step::Withdraw => withdraw(life).await,
        Step::Pass(span) => {
            life.world.note(format!("{} s go by", span.as_secs()));
            life.world.pass(span);
            Ok(())
        }
        Step::Wake(stall) => {
            life.world.note(format!("the hop goes on with {} for {}", stall.letter, stall.recipients.join(" ")));
            life.wake(&stall).await
        }
        Step::Die => Ok(()),
    }
}

fn now(life: &Life<'_>) -> Timestamp {
    life.world.clock.now()
}

/// An operator asks for the release of a unit.
pub(crate) async fn ask(life: &mut Life<'_>, unit: &Unit) -> Result<(), String> {
    let at = now(life);
    let answer = life.site.store.releases.request_release(unit.id, OPERATOR, "it is needed", at).await.map_err(said)?;
    life.world.note(format!("asked for {} for {}: {answer:?}", unit.letter, unit.recipient));
    life.world.oracle.asked(unit);
    Ok(())
}

async fn decide(life: &mut Life<'_>, unit: &Unit, by: Move) -> Result<(), String> {
    let (actor, reason) = (OPERATOR.to_owned(), "a person says so".to_owned());
    let step = UnitMove { unit: unit.id, from: unit.account, by, at: now(life), actor, reason };
    life.site.store.mail.move_units(vec![step]).await.map_err(said)?;
    life.world.note(format!("{} {} for {}", by.as_str(), unit.letter, unit.recipient));
    if by == Move::Deleted {
        life.world.oracle.deleted(unit);
    }
    Ok(())
}

/// The wrong detection is withdrawn, by its containment or by a corrected ruleset, and an incident opens.
pub(crate) async fn withdraw(life: &mut Life<'_>) -> Result<(), String> {
    let (at, suspect) = (now(life), suspect()?);
    life.world.oracle.is_withdrawn = true;
    if life.world.dice.happens(60) {
        life.world.note("the wrong detection is contained");
        let (actor, reason) = (OPERATOR.to_owned(), "it holds innocent mail".to_owned());
        let (level, suspect) = (Some(Level::Contained), suspect.clone());
        let change = ContainmentChange { epoch: 0, at, suspect, level, until: None, actor, reason };
        life.site.store.containments.change_containment(change).await.map_err(said)?;
    } else {
        life.world.note("a corrected ruleset is in force");
        let corrected = Form::Corrected.ruleset()?;
        keep(&life.site.store.rules, &corrected, Vec::new(), true, at).await.map_err(said)?;
        life.world.examiner.put_in_force(Form::Corrected.in_force()?);
    }
    let new = NewIncident {
        at,
        by: OPERATOR.into(),
        in_force: None,
        is_convicted: true,
        suspect,
        ruleset: Form::Wrong.ruleset()?.id,
        cause: "it holds innocent mail".into(),
        public_text: String::new(),
        next_update: at.after(Duration::from_secs(3600)),
    };
    life.world.incident = Some(life.site.store.incidents.open(new).await.map_err(said)?);
    Ok(())
}
