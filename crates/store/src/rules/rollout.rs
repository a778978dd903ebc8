//! Roll-outs of rulesets: one row each, moved by the table of [`domain::rollout`] and by nothing else; and the modes of
//! detections that people have set.

use std::collections::{BTreeMap, BTreeSet};

use domain::detection::{DetectionCode, DetectionVersion, Mode, RulesetId};
use domain::finding::{EngineReport, Outcome, SHADOW};
use domain::message::Family;
use domain::rollout::{Evidence, GateReport, RolloutTrigger, Stage};
use domain::{Digest, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::error::StoreError;
use crate::database::{self, Value, from_json, marks, named, parsed, serde_name, serde_named, to_json};
use crate::known_good::KnownGoodStore;
use crate::rules::RuleStore;
use crate::rules::version;
use crate::writer::{Command, Group};

/// Messages whose engine reports are looked at for a candidate's times and failures, newest first.
const TIMED_MAX: i64 = 2000;
/// Hits of a candidate that are looked at.
const HITS_MAX: i64 = 5000;

/// A roll-out as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Its number, from 1.
    pub number: u32,
    /// The version.
    pub ruleset: RulesetId,
    /// What was in force when it began.
    pub before: RulesetId,
    /// Where it stands.
    pub stage: Stage,
    /// Since when it stands there.
    pub since: Timestamp,
    /// When it began.
    pub started: Timestamp,
    /// Who published it.
    pub started_by: String,
    /// Why.
    pub reason: String,
    /// Whether a person put it in force whatever the gates say.
    pub is_forced: bool,
    /// Whether it came by the fast lane.
    pub is_fast: bool,
    /// Why it stands where it stands, or what it waits for.
    pub note: String,
    /// What the gates said.
    pub gates: Vec<GateReport>,
}

/// A version to roll out.
#[derive(Clone, Debug)]
pub struct NewRollout {
    /// The version; it is kept already.
    pub ruleset: RulesetId,
    /// Who publishes it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Put it in force whatever the gates say.
    pub force: bool,
    /// Skip shadow and canary, for a day.
    pub fast: bool,
    /// When.
    pub at: Timestamp,
}

/// One move of a roll-out.
#[derive(Clone, Debug)]
pub struct RolloutMove {
    /// Which.
    pub number: u32,
    /// The stage that it is believed to be in; in another one nothing is done.
    pub from: Stage,
    /// The step.
    pub by: RolloutTrigger,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// What the gates said, where they have just been asked.
    pub gates: Option<Vec<GateReport>>,
}

/// A move that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutStep {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: Stage,
    /// To where.
    pub to: Stage,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// A mode that a person has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetMode {
    /// The detection.
    pub code: DetectionCode,
    /// Its mode.
    pub mode: Mode,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when; then its own mode holds again.
    pub until: Timestamp,
}

/// What examines mail now, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The ruleset in force.
    pub live: RulesetId,
    /// The version that is being rolled out, and how far.
    pub candidate: Option<(RulesetId, Stage)>,
    /// Modes that people have set.
    pub modes: BTreeMap<DetectionCode, Mode>,
}

/// A write about roll-outs that there are, and about modes that people set, as data.
#[derive(Clone, Debug)]
enum RolloutWrite {
    Move(Box<RolloutMove>),
    Note { number: u32, note: String },
    SetMode(Box<SetMode>),
    ResetMode(DetectionCode),
}

impl RuleStore {
    /// Begins a roll-out; one that is still under way is superseded. Returns its number.
    ///
    /// # Errors
    /// When nothing is in force yet, the version is not kept or is in force already, or the store fails.
    pub async fn begin_rollout(&self, new: NewRollout) -> Result<u32, StoreError> {
        self.core.writer.write(new).await
    }

    /// Moves a roll-out by the table.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it stands elsewhere or the table does not allow the step.
    pub async fn move_rollout(&self, step: RolloutMove) -> Result<(), StoreError> {
        self.core.writer.write(RolloutWrite::Move(Box::new(step))).await
    }

    /// Says what a roll-out waits for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_rollout(&self, number: u32, note: &str) -> Result<(), StoreError> {
        self.core.writer.write(RolloutWrite::Note { number, note: note.to_owned() }).await
    }

    /// Sets the mode of a detection for a time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn set_mode(&self, set: SetMode) -> Result<(), StoreError> {
        self.core.writer.write(RolloutWrite::SetMode(Box::new(set))).await
    }

    /// Gives a detection its own mode back.
    ///
    /// # Errors
    /// When no mode was set, or the store fails.
    pub async fn reset_mode(&self, code: &DetectionCode) -> Result<(), StoreError> {
        self.core.writer.write(RolloutWrite::ResetMode(code.clone())).await
    }

    /// Modes that are set at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn modes(&self, now: Timestamp) -> Result<Vec<SetMode>, StoreError> {
        let sql = "select * from detection_mode where until_us > $1 order by detection";
        let read = |row: &AnyRow| {
            Ok(SetMode {
                code: parsed(row, "detection")?,
                mode: serde_named(row, "mode")?,
                reason: row.try_get("reason")?,
                by: row.try_get("set_by")?,
                at: Timestamp::from_micros(row.try_get("set_us")?),
                until: Timestamp::from_micros(row.try_get("until_us")?),
            })
        };
        sqlx::query(sql).bind(now.as_micros()).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// What examines mail at `now`; none before anything is in force.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan(&self, now: Timestamp) -> Result<Option<Plan>, StoreError> {
        let Some(live) = self.ruleset_in_force().await? else { return Ok(None) };
        let candidate = self.rollout_under_way().await?;
        let candidate = candidate.filter(|one| one.stage.is_candidate()).map(|one| (one.ruleset, one.stage));
        let modes = self.modes(now).await?.into_iter().map(|set| (set.code, set.mode)).collect();
        Ok(Some(Plan { live, candidate, modes }))
    }

    /// The roll-out that is under priority: in the gates, in shadow, as a canary.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rollout_under_way(&self) -> Result<Option<Rollout>, StoreError> {
        let sql = "select * from rollout where stage in ('checking', 'shadow', 'canary-1', 'canary-10', 'canary-50') \
                   order by rollout desc limit 1";
        sqlx::query(sql).fetch_optional(&self.core.reads).await?.as_ref().map(read).transpose()
    }

    /// The roll-out by which the ruleset in force came; none if it came with the program.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rollout_in_force(&self) -> Result<Option<Rollout>, StoreError> {
        let sql = "select * from rollout where stage = 'live' order by rollout desc limit 1";
        sqlx::query(sql).fetch_optional(&self.core.reads).await?.as_ref().map(read).transpose()
    }

    /// Whether any published version ever came into force.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn was_ever_published(&self) -> Result<bool, StoreError> {
        let sql = "select rollout from rollout_step where to_stage = 'live' limit 1";
        Ok(sqlx::query(sql).fetch_optional(&self.core.reads).await?.is_some())
    }

    /// A roll-out by its number.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn rollout(&self, number: u32) -> Result<Rollout, StoreError> {
        let sql = "select * from rollout where rollout = $1";
        let row = sqlx::query(sql).bind(i64::from(number)).fetch_optional(&self.core.reads).await?;
        read(&row.ok_or_else(|| StoreError::NotFound(format!("roll-out {number}")))?)
    }

    /// All roll-outs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rollouts(&self) -> Result<Vec<Rollout>, StoreError> {
        let sql = "select * from rollout order by rollout desc limit 200";
        sqlx::query(sql).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// What happened to a roll-out, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rollout_steps(&self, number: u32) -> Result<Vec<RolloutStep>, StoreError> {
        let sql = "select * from rollout_step where rollout = $1 order by step_no";
        let read = |row: &AnyRow| {
            Ok(RolloutStep {
                at: Timestamp::from_micros(row.try_get("at_us")?),
                from: named(row, "from_stage", Stage::parse)?,
                to: named(row, "to_stage", Stage::parse)?,
                actor: row.try_get("actor")?,
                reason: row.try_get("reason")?,
            })
        };
        sqlx::query(sql).bind(i64::from(number)).fetch_all(&self.core.reads).await?.iter().map(read).collect()
    }

    /// What was seen of a candidate since `since`: of the detection versions `changed`, which read parts of `families`
    /// (none: of all, or whole mails).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn evidence(
        &self,
        since: Timestamp,
        now: Timestamp,
        changed: &[DetectionVersion],
        families: Option<&BTreeSet<Family>>,
    ) -> Result<Evidence, StoreError> {
        let mut evidence = Evidence { messages: self.messages_with(since, families).await?, ..Evidence::default() };
        let (mails, contents) = self.hits_since(since, changed).await?;
        evidence.hits = mails as u64;
        let contents: Vec<Digest> = contents.into_iter().collect();
        let known_good = KnownGoodStore::new(&self.core);
        for standing in known_good.standing_of(&contents).await?.values() {
            let class = standing.class(now, known_good.heirloom_carriers()) as usize;
            if let Some(count) = class.checked_sub(1).and_then(|at| evidence.known_good.get_mut(at)) {
                *count += 1;
            }
        }
        self.times_since(since, &mut evidence).await?;
        Ok(evidence)
    }

    async fn messages_with(&self, since: Timestamp, families: Option<&BTreeSet<Family>>) -> Result<u64, StoreError> {
        let mut values = vec![Value::Int(since.as_micros())];
        let mut sql = "select count(*) as messages from message m where m.received_us >= $1".to_owned();
        if let Some(families) = families.filter(|families| !families.is_empty()) {
            let marks = marks(2, families.len());
            sql.push_str(&format!(
                " and exists (select 1 from part p where p.mail_id = m.mail_id and p.family in ({marks}))"
            ));
            values.extend(families.iter().map(|family| Value::from(family.as_str())));
        }
        let row = database::query(sql, values).fetch_one(&self.core.reads).await?;
        Ok(u64::try_from(row.try_get::<i64, _>("messages")?).unwrap_or(0))
    }

    /// How many messages these versions hit, and in which contents.
    async fn hits_since(
        &self,
        since: Timestamp,
        changed: &[DetectionVersion],
    ) -> Result<(usize, BTreeSet<Digest>), StoreError> {
        let (mut mails, mut contents) = (BTreeSet::new(), BTreeSet::new());
        for group in changed.chunks(500) {
            let sql = format!(
                "select f.mail_id, p.sha256 from finding f join message m on m.mail_id = f.mail_id \
                 left join part p on p.mail_id = f.mail_id and p.part_no = f.part_no \
                 where m.received_us >= $1 and f.effect in ('Hold', 'Block') and f.detection_version in ({}) limit \
                 {HITS_MAX}",
                marks(2, group.len())
            );
            let values = [Value::Int(since.as_micros())].into_iter();
            let values = values.chain(group.iter().map(|one| Value::from(one.as_str()))).collect();
            for row in database::query(sql, values).fetch_all(&self.core.reads).await? {
                mails.insert(row.try_get::<String, _>("mail_id")?);
                let part: Option<String> = row.try_get("sha256")?;
                contents.extend(part.and_then(|text| Digest::parse(&text).ok()));
            }
        }
        Ok((mails.len(), contents))
    }

    /// The candidate's times and failures, beside those of what is in force, on the newest messages.
    async fn times_since(&self, since: Timestamp, evidence: &mut Evidence) -> Result<(), StoreError> {
        let sql = "select engines_json from message where received_us >= $1 order by received_us desc limit $2";
        let (mut own, mut live) = (Vec::new(), Vec::new());
        for row in sqlx::query(sql).bind(since.as_micros()).bind(TIMED_MAX).fetch_all(&self.core.reads).await? {
            let engines: Vec<EngineReport> = from_json(&row, "engines_json")?;
            for engine in &engines {
                match engine.engine.as_str() {
                    SHADOW if engine.outcome == Outcome::Skipped => {}
                    SHADOW => {
                        own.push(engine.millis);
                        evidence.failures += u64::from(engine.outcome != Outcome::Done);
                    }
                    "yara" => live.push(engine.millis),
                    _ => {}
                }
            }
        }
        evidence.p99_ms = p99(own);
        evidence.live_p99_ms = p99(live);
        Ok(())
    }
}

fn p99(mut millis: Vec<f64>) -> f64 {
    millis.sort_by(f64::total_cmp);
    let at = (millis.len() * 99).div_ceil(100).saturating_sub(1);
    millis.get(at).copied().unwrap_or_default()
}

fn read(row: &AnyRow) -> Result<Rollout, StoreError> {
    let ruleset = |column: &str| row.try_get::<String, _>(column).map(RulesetId::from_text);
    Ok(Rollout {
        number: u32::try_from(row.try_get::<i64, _>("rollout")?).unwrap_or(u32::MAX),
        ruleset: ruleset("ruleset")?,
        before: ruleset("before_ruleset")?,
        stage: named(row, "stage", Stage::parse)?,
        since: Timestamp::from_micros(row.try_get("since_us")?),
        started: Timestamp::from_micros(row.try_get("started_us")?),
        started_by: row.try_get("started_by")?,
        reason: row.try_get("reason")?,
        is_forced: row.try_get::<i64, _>("is_forced")? == 1,
        is_fast: row.try_get::<i64, _>("is_fast")? == 1,
        note: row.try_get("note")?,
        gates: from_json(row, "gates_json")?,
    })
}

impl Command for RolloutWrite {
    type Reply = ();

    async fn apply(&self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let connection = &mut *group.connection;
        match self {
            Self::Move(step) => make(connection, step).await?,
            Self::Note { number, note } => {
                let sql = "update rollout set note = $1 where rollout = $2";
                let values = vec![note.as_str().into(), (*number).into()];
                database::query(sql.to_owned(), values).execute(connection).await?;
            }
            Self::SetMode(set) => {
                let sql = "insert into detection_mode (detection, mode, reason, set_by, set_us, until_us) values ($1, \
                    $2, $3, $4, $5, $6) \
                       on conflict (detection) do update set mode = $2, reason = $3, set_by = $4, set_us = $5, \
                       until_us = $6";
                let values = vec![
                    set.code.as_str().into(),
                    serde_name(&set.mode)?.into(),
                    set.reason.as_str().into(),
                    set.by.as_str().into(),
                    set.at.as_micros().into(),
                    set.until.as_micros().into(),
                ];
                database::query(sql.to_owned(), values).execute(connection).await?;
            }
            Self::ResetMode(code) => {
                let sql = "delete from detection_mode where detection = $1";
                let gone = sqlx::query(sql).bind(code.as_str().to_owned()).execute(connection).await?;
                if gone.rows_affected() == 0 {
                    return Err(StoreError::NotFound(format!("a mode that was set for {code}")));
                }
            }
        }
        Ok(())
    }
}

impl Command for NewRollout {
    /// Its number.
    type Reply = u32;

    async fn apply(&self, group: &mut Group<'_>) -> Result<u32, StoreError> {
        begin(group.connection, self).await
    }
}

async fn begin(connection: &mut AnyConnection, new: &NewRollout) -> Result<u32, StoreError> {
    let sql = "select ruleset from ruleset_live order by since_us desc limit 1";
    let live = sqlx::query(sql).fetch_optional(&mut *connection).await?;
    let live: String = live.ok_or_else(|| StoreError::Refused("nothing is in force yet".into()))?.try_get("ruleset")?;
    if live == new.ruleset.as_str() {
        return Err(StoreError::Refused(format!("ruleset {live} is in force already")));
    }
    let sql = "select ruleset from ruleset where ruleset = $1";
    if sqlx::query(sql).bind(new.ruleset.as_str().to_owned()).fetch_optional(&mut *connection).await?.is_none() {
        return Err(StoreError::NotFound(format!("ruleset {}", new.ruleset)));
    }
    let sql =
        "select * from rollout where stage in ('checking', 'refused', 'shadow', 'canary-1', 'canary-10', 'canary-50')";
    for row in sqlx::query(sql).fetch_all(&mut *connection).await? {
        let old = read(&row)?;
        let reason = format!("ruleset {} is published", new.ruleset);
        let by = RolloutTrigger::Replaced;
        let step = RolloutMove {
            number: old.number,
            from: old.stage,
            by,
            at: new.at,
            actor: new.by.clone(),
            reason,
            gates: None,
        };
        make(connection, &step).await?;
    }
    let row =
        sqlx::query("select coalesce(max(rollout), 0) + 1 as next from rollout").fetch_one(&mut *connection).await?;
    let number: i64 = row.try_get("next")?;
    let columns = [
        "rollout",
        "ruleset",
        "before_ruleset",
        "stage",
        "since_us",
        "started_us",
        "started_by",
        "reason",
        "is_forced",
        "is_fast",
        "note",
        "gates_json",
    ];
    let row = vec![
        number.into(),
        new.ruleset.as_str().into(),
        live.into(),
        Stage::Checking.as_str().into(),
        new.at.as_micros().into(),
        new.at.as_micros().into(),
        new.by.as_str().into(),
        new.reason.as_str().into(),
        new.force.into(),
        new.fast.into(),
        "the gates are looking at it".into(),
        "[]".into(),
    ];
    database::insert(connection, "rollout", &columns, vec![row]).await?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

async fn make(connection: &mut AnyConnection, step: &RolloutMove) -> Result<(), StoreError> {
    let to = step.from.on(step.by).map_err(|refused| StoreError::Refused(refused.to_string()))?;
    let sql = "update rollout set stage = $1, since_us = $2, note = $3 where rollout = $4 and stage = $5 \
               returning ruleset, before_ruleset";
    let values = vec![
        to.as_str().into(),
        step.at.as_micros().into(),
        step.reason.as_str().into(),
        step.number.into(),
        step.from.as_str().into(),
    ];
    let moved = database::query(sql.to_owned(), values).fetch_optional(&mut *connection).await?;
    let Some(moved) = moved else {
        return Err(StoreError::Refused(format!("roll-out {} is not {} any more", step.number, step.from.as_str())));
    };
    if let Some(gates) = &step.gates {
        let values = vec![to_json(gates)?.into(), step.number.into()];
        database::query("update rollout set gates_json = $1 where rollout = $2".to_owned(), values)
            .execute(&mut *connection)
            .await?;
    }
    let row = vec![
        step.number.into(),
        next_step(connection, step.number).await?.into(),
        step.at.as_micros().into(),
        step.from.as_str().into(),
        to.as_str().into(),
        serde_name(&step.by)?.into(),
        step.actor.as_str().into(),
        step.reason.as_str().into(),
    ];
    let columns = ["rollout", "step_no", "at_us", "from_stage", "to_stage", "step", "actor", "reason"];
    database::insert(connection, "rollout_step", &columns, vec![row]).await?;
    let ruleset = |column: &str| moved.try_get::<String, _>(column).map(RulesetId::from_text);
    match (step.from, to) {
        (_, Stage::Live) => {
            supersede_live(connection, step).await?;
            version::into_force(connection, &ruleset("ruleset")?, step.at).await
        }
        (Stage::Live, Stage::RolledBack | Stage::Shadow) => {
            version::into_force(connection, &ruleset("before_ruleset")?, step.at).await
        }
        _ => Ok(()),
    }
}

/// The version that was in force makes room.
async fn supersede_live(connection: &mut AnyConnection, step: &RolloutMove) -> Result<(), StoreError> {
    let sql = "select rollout from rollout where stage = 'live' and rollout <> $1";
    for row in sqlx::query(sql).bind(i64::from(step.number)).fetch_all(&mut *connection).await? {
        let number = u32::try_from(row.try_get::<i64, _>("rollout")?).unwrap_or(u32::MAX);
        let sql = "update rollout set stage = 'superseded', since_us = $1 where rollout = $2 and stage = 'live'";
        database::query(sql.to_owned(), vec![step.at.as_micros().into(), number.into()])
            .execute(&mut *connection)
            .await?;
        let row = vec![
            number.into(),
            next_step(connection, number).await?.into(),
            step.at.as_micros().into(),
            Stage::Live.as_str().into(),
            Stage::Superseded.as_str().into(),
            serde_name(&RolloutTrigger::Replaced)?.into(),
            step.actor.as_str().into(),
            format!("roll-out {} is in force", step.number).into(),
        ];
        let columns = ["rollout", "step_no", "at_us", "from_stage", "to_stage", "step", "actor", "reason"];
        database::insert(connection, "rollout_step", &columns, vec![row]).await?;
    }
    Ok(())
}

async fn next_step(connection: &mut AnyConnection, number: u32) -> Result<i64, StoreError> {
    let sql = "select coalesce(max(step_no), 0) + 1 as next from rollout_step where rollout = $1";
    let row = sqlx::query(sql).bind(i64::from(number)).fetch_one(connection).await?;
    Ok(row.try_get("next")?)
}
