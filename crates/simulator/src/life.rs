//! One life of the program: step after step, until it dies or everything has come to rest. After each step everything
//! is at rest: what was begun is done, or the next hop keeps it waiting.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use domain::ledger::Account;
use domain::release::ReleaseState;
use platform::reconciler::Reconciler;
use store::failpoint;
use store::incident::Incident;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::hop::{Manner, Stall};
use crate::letter::Answers;
use crate::oracle::{Look, progress};
use crate::rows::{self, Release, Unit, summary};
use crate::site::{Site, WORKERS};
use crate::step::{self, Step};
use crate::world::{World, said};

/// How long a step may take by the real clock, before it is a fault that it does not come to rest.
const STEP_MAX: Duration = Duration::from_secs(30);
/// How long the rest of a claim may stay where it is while the hop keeps one of its mails waiting. Then it waits for
/// that one, on a machine so busy that it was not seen to be sent.
const BEHIND_MAX: Duration = Duration::from_secs(10);
/// Steps in a hundred in which something goes wrong inside the program.
const FAULTS: u64 = 22;
/// Rounds within which everything comes to rest once faults are over, and how far time goes on in each.
const ROUNDS_MAX: usize = 40;
const ROUND: Duration = Duration::from_secs(16 * 60);

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Died,
    AtRest,
}

/// What runs.
pub(crate) enum Work {
    /// A client hands a letter in; none where the program died before it had answered.
    HandIn(JoinHandle<Option<Answers>>),
    /// A worker makes a round of releases; what it had claimed in rounds before, with the fences.
    Release { worker: usize, before: BTreeSet<(String, i64)>, round: JoinHandle<Result<(), String>> },
}

/// What runs and is kept waiting by the hop, with the name of who acts.
pub(crate) struct Running {
    pub(crate) actor: String,
    /// The letter, where a client acts.
    pub(crate) letter: Option<usize>,
    work: Work,
}

/// One life of the program.
pub(crate) struct Life<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) site: Site,
    pub(crate) running: Vec<Running>,
    /// Steps that come next, before any other.
    pub(crate) planned: VecDeque<Step>,
}

impl<'w> Life<'w> {
    /// Starts the program over what the last life has left.
    pub(crate) async fn start(world: &'w mut World) -> Result<Self, String> {
        let hop = world.hop.listen().await.map_err(said)?;
        let site = Site::start(world.folder.path(), hop, &world.clock, &world.examiner).await?;
        let mut database = site.database.lock().await;
        // A death in a step with a fault of the database leaves it there.
        let sql = Fault::Refuse("").ends().unwrap_or_default();
        rows::run(&mut database, sql).await.map_err(said)?;
        drop(database);
        Ok(Self { world, site, running: Vec::new(), planned: VecDeque::new() })
    }

    /// Whether this worker is in the middle of a round of releases.
    pub(crate) fn is_releasing(&self, worker: usize) -> bool {
        self.running.iter().any(|running| running.is_release_of(worker))
    }

    /// Lives until its end.
    pub(crate) async fn live(mut self) -> Result<End, String> {
        self.judge().await?;
        while self.world.step < self.world.steps {
            let step = step::thrown(&mut self).await?;
            let is_risky = matches!(step, Step::HandIn(_) | Step::Release(_) | Step::Incidents | Step::Replay);
            let fault = if is_risky && self.world.dice.happens(FAULTS) { self.fault(&step).await? } else { None };
            if step == Step::Die {
                self.world.note("the program is killed");
                return Ok(End::Died);
            }
            self.begin_fault(fault).await?;
            step::take(&mut self, step).await?;
            if self.rest().await? == End::Died {
                return Ok(End::Died);
            }
            self.end_fault(fault).await?;
            self.judge().await?;
        }
        if !self.world.is_over {
            // What could not be recorded while the database refused it is in doubt from the next start on.
            self.world.is_over = true;
            self.world.note("faults are over");
            return Ok(End::Died);
        }
        self.come_to_rest().await
    }

    /// A fault for this step. A death comes only where all that runs runs in one line, so that it comes at the same
    /// place in every run.
    async fn fault(&mut self, step: &Step) -> Result<Option<Fault>, String> {
        let units = self.units().await?;
        let open = units.iter().filter(|unit| unit.release.as_ref().is_some_and(Release::is_open)).count();
        let is_one_line = self.running.is_empty() && (!matches!(step, Step::Release(_)) || open <= 1);
        Ok(Some(Fault::thrown(&mut self.world.dice, is_one_line)))
    }

    async fn begin_fault(&mut self, fault: Option<Fault>) -> Result<(), String> {
        let Some(fault) = fault else { return Ok(()) };
        self.world.note(format!("fault: {fault:?}"));
        // What waits behind a fault would never come to rest.
        self.world.hop.behave(Manner::Prompt);
        if let Some(sql) = fault.begins() {
            self.sql(&sql).await?;
        }
        Ok(())
    }

    async fn end_fault(&mut self, fault: Option<Fault>) -> Result<(), String> {
        failpoint::revive();
        self.world.hop.behave(Manner::Wild);
        match fault.and_then(Fault::ends) {
            Some(sql) => self.sql(sql).await,
            None => Ok(()),
        }
    }

    async fn sql(&self, sql: &str) -> Result<(), String> {
        rows::run(&mut *self.site.database.lock().await, sql).await.map_err(said)
    }

    /// All units.
    pub(crate) async fn units(&self) -> Result<Vec<Unit>, String> {
        rows::units(&mut *self.site.database.lock().await).await.map_err(said)
    }

    /// Outcomes behind answers are written; and whether the program is dead.
    async fn rest(&mut self) -> Result<End, String> {
        if !failpoint::has_died() {
            self.site.gateway.post_reply.finish().await;
        }
        let is_dead = failpoint::has_died();
        self.world.note_hop();
        Ok(if is_dead { End::Died } else { End::AtRest })
    }

    /// What was begun is waited for until it is done or kept waiting.
    pub(crate) async fn until_rest(&mut self, running: Running) -> Result<(), String> {
        let began = Instant::now();
        loop {
            if running.is_finished() {
                return self.finished(running).await;
            }
            if failpoint::has_died() {
                return Ok(());
            }
            let is_behind = began.elapsed() > BEHIND_MAX && !self.stalls_of(&running.actor).is_empty();
            if is_behind || self.is_kept_waiting(&running).await? {
                self.running.push(running);
                return Ok(());
            }
            if began.elapsed() > STEP_MAX {
                return Err(format!("{} does not come to rest", running.actor));
            }
            self.world.hop.changed().await;
        }
    }

    /// Mails of an actor that the hop keeps waiting.
    fn stalls_of(&self, actor: &str) -> Vec<Stall> {
        self.world.hop.stalls().into_iter().filter(|stall| stall.actor == actor).collect()
    }

    /// Whether all that is left of it waits for the hop.
    async fn is_kept_waiting(&self, running: &Running) -> Result<bool, String> {
        let stalls = self.stalls_of(&running.actor);
        let Work::Release { worker, before, .. } = &running.work else { return Ok(!stalls.is_empty()) };
        if stalls.is_empty() {
            return Ok(false);
        }
        let owner = &self.site.releasers[*worker].owner;
        let units = self.units().await?;
        let under_way = units.iter().filter(|unit| is_under_way(unit, owner, before));
        let waits = |unit: &Unit| {
            stalls.iter().any(|stall| stall.letter == unit.letter && stall.recipients.contains(&unit.recipient))
        };
        Ok(under_way.into_iter().all(waits))
    }

    async fn finished(&mut self, running: Running) -> Result<(), String> {
        match running.work {
            Work::HandIn(handed) => {
                let handed = handed.await;
                let answers = if failpoint::has_died() { handed.ok().flatten() } else { handed.map_err(said)? };
                let (Some(answers), Some(letter)) = (answers, running.letter) else { return Ok(()) };
                self.world.note(format!("{} was answered {}", running.actor, told(&answers)));
                let heard = if self.world.sabotage.client_forgets { forgotten(answers) } else { answers };
                self.world.letters[letter].hear(&heard);
            }
            Work::Release { round, .. } => {
                if let Err(why) = round.await.map_err(said).and_then(|ended| ended)
                    && !failpoint::has_died()
                {
                    self.world.note(format!("{} failed: {}", running.actor, first_line(&why)));
                }
            }
        }
        Ok(())
    }

    /// A client hands a letter in, for those who have not got it.
    pub(crate) async fn hand_in(&mut self, at: usize) -> Result<(), String> {
        let letter = self.world.letters[at].clone();
        let recipients = letter.waiting();
        let actor = format!("the client with {}", letter.name);
        self.world.hop.step(self.world.step, &actor);
        let answers = letter.hand_in(self.site.gateway.clone(), recipients);
        // An answer counts that was given while the program lived, also when it dies behind it.
        let handed = tokio::spawn(async move {
            let answers = answers.await;
            (!failpoint::has_died()).then_some(answers)
        });
        self.until_rest(Running { actor, letter: Some(at), work: Work::HandIn(handed) }).await
    }

    /// A worker makes a round of releases.
    pub(crate) async fn release(&mut self, worker: usize) -> Result<(), String> {
        let (releaser, stop) = (self.site.releasers[worker].clone(), self.site.stop.clone());
        let actor = format!("the releases of {}", WORKERS[worker]);
        self.world.hop.step(self.world.step, &actor);
        let owned = self.units().await?.into_iter().filter_map(|unit| {
            let release = unit.release.filter(|release| release.owner == releaser.owner)?;
            Some((unit.id.to_string(), release.fence))
        });
        let before = owned.collect();
        let round = tokio::spawn(async move { releaser.round(&mut (), &stop).await.map(drop).map_err(said) });
        self.until_rest(Running { actor, letter: None, work: Work::Release { worker, before, round } }).await
    }

    /// A round of incidents.
    pub(crate) async fn incidents(&mut self) -> Result<(), String> {
        let ended = self.site.incidents.round(&mut None, &self.site.stop).await;
        self.note_round("incidents", ended.map_err(said));
        Ok(())
    }

    /// A round of replays, over the lists and the containment of now.
    pub(crate) async fn replay(&mut self) -> Result<(), String> {
        let ended = async {
            self.site.entries.round(&mut None, &self.site.stop).await?;
            self.site.containment.round(&mut (), &self.site.stop).await?;
            self.site.replayer.round(&mut (), &self.site.stop).await
        };
        let ended = ended.await.map_err(said);
        self.note_round("replays", ended);
        Ok(())
    }

    fn note_round(&mut self, what: &str, ended: Result<bool, String>) {
        if failpoint::has_died() {
            return;
        }
        match ended {
            Ok(worked) => self.world.note(format!("a round of {what}: worked {worked}")),
            Err(why) => self.world.note(format!("a round of {what} failed: {}", first_line(&why))),
        }
    }

    /// The hop lets a waiting answer go on, and who waited for it goes on.
    pub(crate) async fn wake(&mut self, stall: &Stall) -> Result<(), String> {
        self.world.hop.step(self.world.step, &stall.actor);
        let at = self.running.iter().position(|running| running.actor == stall.actor);
        let Some(at) = at else { return Err(format!("nobody waits for the answer to {}", stall.letter)) };
        let running = self.running.remove(at);
        self.world.hop.wake(stall);
        self.until_rest(running).await
    }

    /// Whether everything is as it must be.
    async fn judge(&mut self) -> Result<(), String> {
        let units = self.units().await?;
        let faults = self.faults(&units, false).await?;
        self.world.note(format!("units: {}", summary(&units)));
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
    }

    async fn faults(&mut self, units: &[Unit], deep: bool) -> Result<Vec<String>, String> {
        let balance = self.site.store.upkeep.check_ledger(deep).await.map_err(said)?;
        let dots = self.world.hop.dots();
        let units_after = &self.units().await?;
        let World { letters, oracle, step, .. } = &mut *self.world;
        let look = Look { step: *step, letters, units, units_after, dots: &dots, balance: &balance };
        let mut faults = oracle.faults(&look);
        faults.extend(self.incident_faults(units).await?);
        Ok(faults)
    }

    async fn incident_faults(&self, units: &[Unit]) -> Result<Vec<String>, String> {
        let Some(id) = &self.world.incident else { return Ok(Vec::new()) };
        let said_so = self.site.store.incidents.progress(id).await.map_err(said)?;
        let malware = |unit: &&Unit| {
            self.world.letters.iter().any(|letter| letter.name == unit.letter && letter.kind.is_malware())
        };
        let ids: Vec<String> = units.iter().filter(malware).map(|unit| format!("'{}'", unit.mail_id)).collect();
        let mut database = self.site.database.lock().await;
        let counted = rows::number(&mut database, "select count(*) from incident_unit").await.map_err(said)?;
        let cleared =
            format!("select count(*) from incident_unit where outcome = 'cleared' and mail_id in ({})", ids.join(","));
        let cleared = rows::number(&mut database, &cleared).await.map_err(said)?;
        Ok(progress(&said_so, counted, cleared))
    }

    async fn incident(&self) -> Result<Option<Incident>, String> {
        match &self.world.incident {
            Some(id) => self.site.store.incidents.by_id(id).await.map(Some).map_err(said),
            None => Ok(None),
        }
    }

    /// Faults are over, and everybody behaves: within some rounds everything is where it belongs.
    async fn come_to_rest(mut self) -> Result<End, String> {
        if self.world.incident.is_none() {
            self.world.begin("an operator");
            step::withdraw(&mut self).await?;
        }
        let mut left = Vec::new();
        for _ in 0..ROUNDS_MAX {
            self.world.begin("everybody");
            self.world.hop.behave(Manner::Fair);
            self.calm_round().await?;
            let units = self.units().await?;
            let faults = self.faults(&units, true).await?;
            self.world.note_hop();
            self.world.note(format!("units: {}", summary(&units)));
            if !faults.is_empty() {
                return Err(faults.join("\n"));
            }
            left = self.left(&units).await?;
            if left.is_empty() {
                return Ok(End::AtRest);
            }
            self.world.pass(ROUND);
        }
        Err(format!("it does not come to rest:\n{}", left.join("\n")))
    }

    async fn left(&mut self, units: &[Unit]) -> Result<Vec<String>, String> {
        let (incident, dots) = (self.incident().await?, self.world.hop.dots());
        // Where nothing was held nothing is taken back: a person closes it.
        let counted = "select count(*) from incident_unit";
        let counted = rows::number(&mut *self.site.database.lock().await, counted).await.map_err(said)?;
        let incident = incident.filter(|_| counted > 0);
        let balance = self.site.store.upkeep.check_ledger(false).await.map_err(said)?;
        let World { letters, oracle, step, .. } = &*self.world;
        let look = Look { step: *step, letters, units, units_after: units, dots: &dots, balance: &balance };
        Ok(oracle.unfinished(&look, incident.as_ref()))
    }

    async fn calm_round(&mut self) -> Result<(), String> {
        while let Some(stall) = self.world.hop.stalls().first().cloned() {
            self.wake(&stall).await?;
            self.site.gateway.post_reply.finish().await;
        }
        for at in 0..self.world.letters.len() {
            if !self.world.letters[at].waiting().is_empty() {
                self.hand_in(at).await?;
                self.site.gateway.post_reply.finish().await;
            }
        }
        for unit in self.units().await?.iter().filter(|unit| unit.account == Account::Failed) {
            step::ask(self, unit).await?;
        }
        self.incidents().await?;
        self.replay().await?;
        self.release(0).await
    }
}

impl Running {
    /// Whether it is a round of releases of this worker.
    pub(crate) fn is_release_of(&self, one: usize) -> bool {
        matches!(&self.work, Work::Release { worker, .. } if *worker == one)
    }

    fn is_finished(&self) -> bool {
        match &self.work {
            Work::HandIn(handed) => handed.is_finished(),
            Work::Release { round, .. } => round.is_finished(),
        }
    }
}

/// Whether this worker is at work on the release of a unit, by a claim that it has not left from an earlier round.
fn is_under_way(unit: &Unit, owner: &str, before: &BTreeSet<(String, i64)>) -> bool {
    unit.release.as_ref().is_some_and(|release| {
        let is_claimed = matches!(release.state, ReleaseState::Claimed | ReleaseState::Attempting);
        is_claimed && release.owner == owner && !before.contains(&(unit.id.to_string(), release.fence))
    })
}

fn told(answers: &Answers) -> String {
    let each: Vec<String> = answers.recipients.iter().map(|(one, code)| format!("{code} {one}")).collect();
    format!("{}; message {:?}", each.join(", "), answers.message)
}

/// What a client believes that takes a temporary answer for a good one.
fn forgotten(answers: Answers) -> Answers {
    Answers { message: answers.message.map(|code| if code / 100 == 4 { 250 } else { code }), ..answers }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
