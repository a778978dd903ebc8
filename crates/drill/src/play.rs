//! A scenario played: the history into the memory, the traffic through the gateway, the events at their time, and an
//! account of it that is kept outside the product: what was answered, what arrived, what the last good version says of
//! each mail.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api_types::incident::{IncidentRow, IncidentView};
use api_types::ledger::{LedgerQuery, LedgerView};
use api_types::memory::{ImportQuery, ImportView, MemoryView};
use api_types::quarantine::{HeldView, ListQuery};
use api_types::sentinel::SentinelView;
use detect::auth::upstream;
use detect::examine::EnvelopeFacts;
use detect::in_force::InForce;
use detect::limits::Limits;
use domain::containment::Containment as Contained;
use domain::envelope::{Border, Client as From, Envelope, MailParams, RcptParams, Recipient};
use domain::ledger::Account;
use domain::policy::Policy;
use domain::verdict::decide;
use domain::{Direction, Timestamp, header};

use super::instance::{Instance, is_plain};
use super::letters::{Clerk, Letter, read, shuffled};
use super::report::{HistorySettings, Phase, Report, Residual};
use super::scenario::{At, Event, IdentityBy, Label, Scenario, What};
use cli::{CliError, feed};
use examiner::ExaminerPool;
use known_good::archive::received_at;

/// When a drill begins: Monday, 5 January 2026, 09:00 UTC.
const BEGINNING: i64 = 1_767_603_600_000_000;
/// How far time goes on after the last mail, at most (four days), and in which steps: longer ones when nothing has come
/// of ten hours.
const AFTERMATH_STEPS: u32 = 600;
const AFTERMATH_STEP: Duration = Duration::from_secs(120);
const AFTERMATH_SLOW: u32 = 300;
/// Mails that pass between two rests.
const SETTLED_EVERY: u64 = 10;
/// Contents below which a probe that does not convict proves nothing: its first look at the evidence.
const PROBE_MIN: u64 = domain::sentinel::evidence::PROBE_BATCH as u64;

/// What became of a mail that was played.
#[derive(Clone, Debug)]
struct Fate {
    letter: Letter,
    is_held: bool,
    /// Whether it came while a detection was contained.
    under_containment: bool,
    /// Whether the last good version holds it.
    held_by_good: bool,
    /// Whether the engine outside was down, so that everything was held.
    without_engine: bool,
}

/// A play.
struct Play<'s> {
    scenario: &'s Scenario,
    base: &'s Path,
    instance: Instance,
    judge: ExaminerPool,
    fates: Vec<Fate>,
    refused: u64,
    fired: Vec<bool>,
    published: Option<(u64, Timestamp)>,
    contained: Option<Timestamp>,
    replayed: Option<Timestamp>,
    engine_is_down: bool,
    report: Report,
    login: Option<(String, Direction)>,
    connection: Option<wire::smtp::client::Connection>,
}

/// Plays a scenario whose paths are relative to `base`, in `folder`.
///
/// # Errors
/// When something cannot be opened or reached.
pub async fn play(scenario: &Scenario, base: &Path, folder: &Path) -> Result<Report, CliError> {
    let start = Timestamp::from_micros(BEGINNING);
    // The ruleset of the start comes into force a moment before it.
    let mut instance = Instance::start(folder, base, scenario, start.before(Duration::from_secs(2))).await?;
    instance.advance(Duration::from_secs(1))?;
    let good =
        detect::ruleset::load::from_folder_or_shipped(scenario.ruleset.as_ref().map(|path| base.join(path)).as_deref());
    let mut good = good.map_err(CliError::unreachable)?;
    if let Some(path) = scenario.ruleset.as_ref().filter(|path| is_plain(&base.join(path))) {
        instance.publish(&base.join(path), true).await?;
        instance.advance(Duration::from_secs(1))?;
        let shipped = detect::ruleset::load::from_folder_or_shipped(None).map_err(CliError::unreachable)?;
        good = shipped.with(&good).map_err(CliError::unreachable)?;
    }
    let mut play = Play {
        scenario,
        base,
        instance,
        judge: ExaminerPool::alone(InForce::only(good), Limits::default()).map_err(CliError::Unreachable)?,
        fates: Vec::new(),
        refused: 0,
        fired: vec![false; scenario.event.len()],
        published: None,
        contained: None,
        replayed: None,
        engine_is_down: false,
        report: Report { scenario: scenario.name.clone(), seed: scenario.seed, ..Report::default() },
        login: None,
        connection: None,
    };
    let clocked =
        |name, began: Instant| Phase { name, seconds: (began.elapsed().as_secs_f64() * 100.0).round() / 100.0 };
    let began = Instant::now();
    play.history(start).await?;
    let history = clocked("history", began);
    let began = Instant::now();
    play.traffic(start).await?;
    let traffic = clocked("traffic", began);
    let began = Instant::now();
    let resolved = play.aftermath(start).await?;
    let recovery = clocked("recovery", began);
    play.report.phases = vec![history, traffic, recovery];
    play.account(resolved).await
}

impl Play<'_> {
    async fn history(&mut self, start: Timestamp) -> Result<(), CliError> {
        let Some(history) = &self.scenario.history else { return Ok(()) };
        let mails = shuffled(read(self.base, &history.mail)?, self.scenario.seed);
        let step = history.span / u32::try_from(mails.len().max(1)).unwrap_or(u32::MAX);
        let begin = start.before(history.span);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (at, (_, mail)) in mails.into_iter().enumerate() {
            if history.identity == IdentityBy::AuthenticatedResults && !is_vouched_for(&mail) {
                *counts.entry("unverified".into()).or_default() += 1;
                continue;
            }
            let spread = begin.after(step * u32::try_from(at).unwrap_or(u32::MAX));
            let received = match history.dates {
                Some(_) => received_at(&mail, &self.scenario.accepted_domains[0]).unwrap_or(spread),
                None => spread,
            };
            let received = received.to_string();
            let query = ImportQuery { received, trust_from: true, correspond: history.correspond };
            let answer = self.instance.client.post_mail::<ImportView>("/api/v1/memory/mails", &query, mail).await?;
            *counts.entry(answer.view()?.became).or_default() += 1;
        }
        self.instance.settle().await?;
        self.report.memory.settings = Some(HistorySettings {
            identity: match history.identity {
                IdentityBy::HeaderFrom => "header-from",
                IdentityBy::AuthenticatedResults => "authenticated-results",
            },
            trust_from: self.scenario.trust_from,
            correspond: history.correspond,
            establish_after: history.establish_after,
            span_days: history.span.as_secs() / 86_400,
            mails: counts,
        });
        Ok(())
    }

    /// All traffics run beside one another, each at its own pace.
    async fn traffic(&mut self, start: Timestamp) -> Result<(), CliError> {
        let mut clerk = Clerk::new(self.scenario.accepted_domains.clone());
        let mut due: Vec<(Timestamp, Letter)> = Vec::new();
        for (lane, traffic) in self.scenario.traffic.iter().enumerate() {
            let mails = read(self.base, &traffic.mail)?;
            let pace = Duration::from_secs_f64(3600.0 / traffic.per_hour);
            let mut at = start.after(Duration::from_millis(lane as u64));
            for _ in 0..traffic.repeat.max(1) {
                let seed = if self.scenario.seed == 0 { 0 } else { self.scenario.seed + lane as u64 };
                for (name, mail) in shuffled(mails.clone(), seed) {
                    due.push((at, clerk.letter(&name, &mail, traffic)));
                    at = at.after(pace);
                }
            }
        }
        due.sort_by_key(|(at, _)| *at);
        for (number, (at, letter)) in (0_u64..).zip(due) {
            self.events(start, at, Some(number)).await?;
            self.instance.advance_to(at)?;
            let was_held = self.send(letter).await?;
            // What passes changes nothing but the memory, which is written down in between.
            if was_held || number % SETTLED_EVERY == 0 {
                self.instance.settle().await?;
                self.look().await?;
            }
        }
        Ok(())
    }

    /// Plays the events that are due before `until`, in the order of their times.
    async fn events(&mut self, start: Timestamp, until: Timestamp, number: Option<u64>) -> Result<(), CliError> {
        loop {
            let mut next: Option<(Timestamp, usize)> = None;
            for (at, event) in self.scenario.event.iter().enumerate() {
                let when = match event.at {
                    At::Message(wanted) => number.filter(|number| *number >= wanted).map(|_| self.instance.now()),
                    At::Time(after) => Some(start.after(after)),
                    At::Contained(after) => self.contained.map(|at| at.after(after)),
                    At::Replayed(after) => self.replayed.map(|at| at.after(after)),
                };
                if let Some(when) = when.filter(|when| !self.fired[at] && *when <= until)
                    && next.is_none_or(|(earliest, _)| when < earliest)
                {
                    next = Some((when, at));
                }
            }
            let Some((when, at)) = next else { return Ok(()) };
            self.fired[at] = true;
            self.instance.advance_to(when)?;
            let event = self.scenario.event[at].clone();
            self.happen(&event).await?;
            self.instance.settle().await?;
            self.look().await?;
        }
    }

    async fn happen(&mut self, event: &Event) -> Result<(), CliError> {
        if matches!(event.what, What::Publish | What::Withdraw) {
            // Two rulesets never come into force in the same moment.
            self.instance.advance(Duration::from_secs(1))?;
        }
        match event.what {
            What::Publish => {
                let path = self.base.join(event.path.as_deref().unwrap_or_default());
                if self.published.is_none() {
                    self.published = Some((self.fates.len() as u64, self.instance.now()));
                }
                self.instance.publish(&path, event.force).await
            }
            What::Withdraw => self.instance.withdraw().await,
            What::Crash => {
                self.connection = None;
                self.instance.crash()
            }
            What::NextHopDown => {
                self.instance.sink.be_down(true);
                Ok(())
            }
            What::NextHopUp => {
                self.instance.sink.be_down(false);
                Ok(())
            }
            What::EngineDown | What::EngineUp => {
                self.engine_is_down = event.what == What::EngineDown;
                if let Some(engine) = &self.instance.engine {
                    engine.be_down(self.engine_is_down);
                }
                Ok(())
            }
        }
    }

    /// Sends a mail; whether it was held.
    async fn send(&mut self, letter: Letter) -> Result<bool, CliError> {
        let under_containment = self.contained.is_some();
        let held_by_good = self.held_by_good(&letter).await;
        let reply = match self.transact(&letter).await {
            Ok(reply) => reply,
            // The gateway was killed and started again; a client tries once more.
            Err(_) => self
                .transact(&letter)
                .await
                .map_err(|error| CliError::Unreachable(format!("{}: {error}\n{}", letter.name, self.instance.log())))?,
        };
        if !reply.is_positive() {
            self.refused += 1;
            return Ok(false);
        }
        let is_held = reply.to_line().contains("taken as");
        let without_engine = self.engine_is_down;
        self.fates.push(Fate { letter, is_held, under_containment, held_by_good, without_engine });
        Ok(is_held)
    }

    /// One transaction, as the client that this sender would be.
    async fn transact(&mut self, letter: &Letter) -> Result<wire::smtp::reply::Reply, String> {
        let from = letter.sender.as_ref().map(ToString::to_string).unwrap_or_default();
        let who = match letter.direction {
            Direction::Inbound => (String::new(), Direction::Inbound),
            direction => (from.to_lowercase(), direction),
        };
        let mut connection = match self.connection.take().filter(|_| self.login.as_ref() == Some(&who)) {
            Some(connection) => connection,
            None => {
                let is_inbound = who.1 == Direction::Inbound;
                let address = if is_inbound { self.instance.mx } else { self.instance.submission };
                let target = feed::target(&address.to_string()).await.map_err(|_| "nobody listens".to_owned())?;
                let login = (!is_inbound).then(|| who.0.clone());
                feed::open_as(&Arc::new(target), login).await.map_err(|error| error.to_string())?
            }
        };
        self.login = Some(who);
        let letter = feed::Letter {
            name: letter.name.clone(),
            sender: letter.sender.clone(),
            recipients: letter.recipients.clone(),
            bytes: letter.bytes.clone(),
        };
        let reply = feed::transact(&mut connection, &letter).await?;
        if reply.code != 421 {
            self.connection = Some(connection);
        }
        Ok(reply)
    }

    /// What the last good version says, with everything that a gateway has and nothing that is remembered.
    async fn held_by_good(&self, letter: &Letter) -> bool {
        let ip = std::net::IpAddr::from([192, 0, 2, 77]);
        let recipients = letter.recipients.iter().map(|address| Recipient {
            address: address.clone(),
            params: RcptParams::default(),
            direction: letter.direction,
            domain: address.domain(),
        });
        let envelope = Envelope {
            client: From { ip, peer: ip, helo: "feed.example".into(), protocol: "ESMTP".into(), login: None },
            sender: letter.sender.clone(),
            params: MailParams::default(),
            recipients: recipients.collect(),
        };
        let accepted_domains = self.scenario.accepted_domains.iter().map(|name| name.as_str().into()).collect();
        let border = Border { accepted_domains, trusted_networks: Vec::new() };
        let facts = EnvelopeFacts::of(&envelope, &border);
        let examination = self.judge.examine(Arc::new(letter.bytes.clone()), facts).await;
        let policy = Policy::standard();
        envelope
            .recipients
            .iter()
            .any(|unit| !decide(&examination, &envelope, unit, &policy, &Contained::default()).disposition.passes())
    }

    /// Whether anything was contained or replayed by now.
    async fn look(&mut self) -> Result<(), CliError> {
        if self.contained.is_some() && self.replayed.is_some() {
            return Ok(());
        }
        let incidents = self.incidents().await?;
        if self.contained.is_none()
            && let Some(incident) = incidents.iter().find(|incident| incident.contained.is_some())
        {
            self.contained = Some(self.instance.now());
            let (messages, since) = self.published.unwrap_or((0, Timestamp::from_micros(BEGINNING)));
            let contained = &mut self.report.contained;
            contained.happened = true;
            contained.detection = Some(incident.detection.clone());
            contained.version = Some(incident.detection_version.clone());
            let wrong = self.fates.iter().filter(|fate| is_wrong(fate)).count() as u64;
            contained.after_wrong_holds = Some(wrong);
            contained.after_messages = Some(self.fates.len() as u64 - messages);
            contained.simulated_seconds = Some(self.instance.now().since(since).as_secs());
            let path = format!("/api/v1/incidents/{}", incident.id);
            contained.evidence = Some(self.instance.client.get::<IncidentView>(&path).await?.view()?.cause);
            self.probed().await?;
        }
        let is_replayed = |incident: &IncidentRow| matches!(incident.stage.as_str(), "releasing" | "resolved");
        if self.replayed.is_none() && incidents.iter().any(is_replayed) {
            self.replayed = Some(self.instance.now());
        }
        Ok(())
    }

    /// Time goes on until the incidents are over and the events have happened. Returns whether they are.
    async fn aftermath(&mut self, start: Timestamp) -> Result<bool, CliError> {
        for step in 0..AFTERMATH_STEPS {
            let now = self.instance.now();
            self.events(start, now, Some(u64::MAX)).await?;
            self.instance.settle().await?;
            self.look().await?;
            let open = self.incidents().await?.iter().any(|incident| incident.stage != "resolved");
            let waits = |(at, event): (usize, &Event)| {
                !self.fired[at]
                    && match event.at {
                        At::Time(_) => true,
                        At::Contained(_) => self.contained.is_some(),
                        At::Replayed(_) => self.replayed.is_some(),
                        At::Message(_) => false,
                    }
            };
            if !open && !self.scenario.event.iter().enumerate().any(waits) {
                return Ok(true);
            }
            self.instance.advance(if step < AFTERMATH_SLOW { AFTERMATH_STEP } else { AFTERMATH_STEP * 10 })?;
        }
        Ok(false)
    }

    /// What the outside knows, beside what the product says.
    async fn account(mut self, resolved: bool) -> Result<Report, CliError> {
        self.probed().await?;
        let incidents = self.incidents().await?;
        let client = &self.instance.client;
        let ledger = client.get_with::<LedgerView>("/api/v1/ledger", &LedgerQuery { deep: true }).await?.view()?;
        let arrived = self.arrivals();
        let report = &mut self.report;
        report.messages = self.fates.len() as u64;
        report.refused = self.refused;
        report.ledger_balanced = ledger.balanced;
        report.bytes_identical = true;
        let (mut wrong, mut restored, mut lost) = (0, 0, 0);
        let states = states(client).await?;
        for fate in &self.fates {
            let copies = arrived.get(&fate.letter.message_id);
            let units = fate.letter.recipients.len();
            let came = copies.map_or(0, |copies| copies.units.len());
            let twice = copies.map_or(0, |copies| copies.units.values().filter(|count| **count > 1).count());
            report.release.duplicates += twice as u64;
            report.bytes_identical &= copies.is_none_or(|copies| copies.identical);
            if is_wrong(fate) {
                wrong += 1;
                restored += u64::from(came == units);
            }
            if fate.letter.label == Label::Bad && came > 0 {
                report.bad_delivered_total += 1;
                report.lost_catch += u64::from(fate.is_held && !fate.held_by_good);
            }
            if fate.held_by_good && came > 0 {
                report.bad_let_out_by_replay += u64::from(fate.is_held);
                report.bad_let_out_by_containment += u64::from(!fate.is_held && fate.under_containment);
            }
            // What was taken is at the mailbox server or in the quarantine, unit by unit.
            let kept = states.get(&fate.letter.message_id).copied().unwrap_or(0);
            lost += units.saturating_sub(came + kept) as u64;
        }
        report.wrongly_held_total = wrong;
        report.restored_percent =
            if wrong == 0 { 100.0 } else { (restored as f64 * 1000.0 / wrong as f64).floor() / 10.0 };
        let units = |account| u64::try_from(cli::ledger::units(&ledger, account)).unwrap_or_default();
        report.release.released = units(Account::Released);
        report.release.in_doubt = units(Account::InDoubt);
        report.release.refused = units(Account::Failed);
        report.release.lost = lost;
        let memory = client.get::<MemoryView>("/api/v1/memory").await?.view()?;
        report.memory.identities_established = memory.established;
        report.memory.eligible_keys = memory.eligible;
        report.memory.eligible_by_family = memory.eligible_by_family;
        report.memory.strength = memory.strength;
        for IncidentRow { id, progress, .. } in incidents {
            // A unit that two detections held is settled for one when the other is taken back: it counts once.
            report.replay.units += progress.units - progress.settled;
            report.replay.cleared += progress.cleared;
            report.replay.upheld += progress.upheld;
            report.replay.inconclusive += progress.inconclusive;
            let shown = client.get::<IncidentView>(&format!("/api/v1/incidents/{id}")).await?.view()?;
            let residual = shown.residual.into_iter();
            report.residual.extend(residual.map(|one| Residual { unit: one.unit, reason: one.reason }));
        }
        let suffices = report.contained.happened || report.memory.probe_n >= PROBE_MIN;
        report.judge(&self.scenario.expect, resolved, suffices);
        Ok(self.report)
    }

    /// The probe that hit most: what it hit, and how much it looked at.
    async fn probed(&mut self) -> Result<(), CliError> {
        let sentinel = self.instance.client.get::<SentinelView>("/api/v1/sentinel").await?.view()?;
        let memory = &mut self.report.memory;
        for one in sentinel.suspects {
            let (hits, seen) = (one.probe_hits.into(), one.probe_seen.into());
            if (hits, seen) > (memory.probe_k, memory.probe_n) {
                (memory.probe_k, memory.probe_n) = (hits, seen);
            }
        }
        Ok(())
    }

    /// All incidents, the newest first.
    async fn incidents(&self) -> Result<Vec<IncidentRow>, CliError> {
        self.instance.client.get("/api/v1/incidents").await?.view()
    }

    /// What has arrived, by Message-ID.
    fn arrivals(&self) -> HashMap<String, Arrivals> {
        let sent: HashMap<&str, &Letter> =
            self.fates.iter().map(|fate| (fate.letter.message_id.as_str(), &fate.letter)).collect();
        let mut arrived: HashMap<String, Arrivals> = HashMap::new();
        for mail in self.instance.sink.arrived() {
            let id = header::fields(&mail.bytes).find(|field| field.is("Message-ID"));
            let Some(id) = id.map(|field| field.unfolded().trim().to_owned()) else { continue };
            let copies =
                arrived.entry(id.clone()).or_insert_with(|| Arrivals { units: HashMap::new(), identical: true });
            for recipient in mail.recipients {
                *copies.units.entry(recipient).or_default() += 1;
            }
            copies.identical &= sent.get(id.as_str()).is_some_and(|letter| same(&mail.bytes, &letter.bytes));
        }
        arrived
    }
}

/// What has arrived of one mail.
struct Arrivals {
    units: HashMap<String, u32>,
    identical: bool,
}

/// Whether the host of the topmost Authentication-Results field vouches for the domain of From.
fn is_vouched_for(mail: &[u8]) -> bool {
    let field = header::fields(mail).find(|field| field.is("Authentication-Results"));
    let id = field.and_then(|field| upstream::parse(&field.unfolded())).map(|(id, _)| id);
    id.and_then(|id| upstream::of_message(mail, &[id])).is_some_and(|said| said.aligned.is_some())
}

fn is_wrong(fate: &Fate) -> bool {
    fate.letter.label == Label::Good && fate.is_held && !fate.held_by_good && !fate.without_engine
}

/// Whether a mail is what was sent behind our own fields. What bears our name and was forged is taken out, so it is
/// taken out here too.
fn same(arrived: &[u8], sent: &[u8]) -> bool {
    let own = |bytes: &[u8]| platform::outgoing::Outgoing::new(bytes, "gateway.drill.example", None).pieces().concat();
    // SMTP ends the last line.
    let ended = |bytes: &[u8]| if bytes.ends_with(b"\r\n") { bytes.to_vec() } else { [bytes, b"\r\n"].concat() };
    arrived.ends_with(&ended(&own(sent))) || arrived.ends_with(&ended(sent))
}

/// Units that are in the quarantine still, by Message-ID.
async fn states(client: &cli::client::Client) -> Result<HashMap<String, usize>, CliError> {
    let mut kept: HashMap<String, usize> = HashMap::new();
    let mut after: Option<String> = None;
    loop {
        let query = ListQuery { state: Some("any".into()), limit: Some(1000), after, ..ListQuery::default() };
        let page = client.get_with::<Vec<HeldView>>("/api/v1/quarantine", &query).await?.view()?;
        let Some(last) = page.last() else { return Ok(kept) };
        after = Some(last.id.clone());
        for row in page {
            let units = row.recipients.iter().filter(|unit| unit.state != "released").count();
            *kept.entry(row.message_id.unwrap_or_default()).or_default() += units;
        }
    }
}
