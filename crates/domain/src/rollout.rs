//! How a ruleset version comes into force: through gates, in shadow, for a growing share of conversations, and back
//! when it proves wrong. States and what moves them are one table.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::MemoryClass;
use crate::token::{TokenKey, seal};

/// Distinct known-good contents that a backtest wants to see: no hit among them bounds the rate of false positives at
/// 0.1 % (95 %).
pub const BACKTEST_CONTENTS: usize = 3000;
/// How long a version that came by the fast lane stays in force before it needs promotion.
pub const FAST_LANE_SPAN: Duration = Duration::from_secs(24 * 3600);
/// Buckets that conversations fall into; one is a hundredth of a per cent.
pub const BUCKETS: u16 = 10_000;

/// Where a roll-out stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The gates are looking at it.
    Checking,
    /// A gate said no; a person may force it.
    Refused,
    /// It sees all mail and acts on none.
    Shadow,
    /// It acts on 1 % of conversations.
    Canary1,
    /// On 10 %.
    Canary10,
    /// On 50 %.
    Canary50,
    /// It is the ruleset in force.
    Live,
    /// Taken back; the version before it is in force.
    RolledBack,
    /// Another version took its place.
    Superseded,
}

/// What moves a roll-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutTrigger {
    /// All gates let it through.
    Passed,
    /// All gates let it through, and a person asked for the fast lane.
    PassedFast,
    /// A gate said no.
    Failed,
    /// A person put it in force whatever the gates say.
    Forced,
    /// It has stood its time in this stage.
    Promoted,
    /// The fast lane's time is over.
    FastLaneEnded,
    /// It hit known-good mail, or failed, or a person took it back.
    TakenBack,
    /// Another version is being rolled out, or is in force.
    Replaced,
}

/// A step that this stage does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a roll-out that is {} cannot move by {by:?}", from.as_str())]
pub struct Refused {
    /// The stage.
    pub from: Stage,
    /// The step.
    pub by: RolloutTrigger,
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 9] = [
        Self::Checking,
        Self::Refused,
        Self::Shadow,
        Self::Canary1,
        Self::Canary10,
        Self::Canary50,
        Self::Live,
        Self::RolledBack,
        Self::Superseded,
    ];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Refused => "refused",
            Self::Shadow => "shadow",
            Self::Canary1 => "canary-1",
            Self::Canary10 => "canary-10",
            Self::Canary50 => "canary-50",
            Self::Live => "live",
            Self::RolledBack => "rolled-back",
            Self::Superseded => "superseded",
        }
    }

    /// Reads a stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    /// The one table.
    ///
    /// # Errors
    /// When the stage does not allow the step.
    pub fn on(self, by: RolloutTrigger) -> Result<Self, Refused> {
        use RolloutTrigger as T;
        use Stage as S;
        Ok(match (self, by) {
            (S::Checking, T::Passed) => S::Shadow,
            (S::Checking, T::PassedFast) => S::Live,
            (S::Checking, T::Failed) => S::Refused,
            (S::Checking | S::Refused | S::Shadow | S::Canary1 | S::Canary10 | S::Canary50, T::Forced) => S::Live,
            (S::Shadow, T::Promoted) => S::Canary1,
            (S::Canary1, T::Promoted) => S::Canary10,
            (S::Canary10, T::Promoted) => S::Canary50,
            (S::Canary50, T::Promoted) => S::Live,
            (S::Live, T::FastLaneEnded) => S::Shadow,
            (S::Shadow | S::Canary1 | S::Canary10 | S::Canary50 | S::Live, T::TakenBack) => S::RolledBack,
            (S::Checking | S::Refused | S::Shadow | S::Canary1 | S::Canary10 | S::Canary50 | S::Live, T::Replaced) => {
                S::Superseded
            }
            (from, by) => return Err(Refused { from, by }),
        })
    }

    /// The buckets in which the version acts: that many hundredths of a per cent of all conversations.
    pub fn buckets(self) -> u16 {
        match self {
            Self::Checking | Self::Refused | Self::Shadow | Self::RolledBack | Self::Superseded => 0,
            Self::Canary1 => BUCKETS / 100,
            Self::Canary10 => BUCKETS / 10,
            Self::Canary50 => BUCKETS / 2,
            Self::Live => BUCKETS,
        }
    }

    /// Whether the gateway runs it beside the version in force.
    pub fn is_candidate(self) -> bool {
        matches!(self, Self::Shadow | Self::Canary1 | Self::Canary10 | Self::Canary50)
    }

    /// Whether nothing moves it any more.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::RolledBack | Self::Superseded)
    }
}

/// The bucket of a conversation, from 0 to [`BUCKETS`] - 1. Keyed, so that nobody outside can choose one.
pub fn bucket(key: &TokenKey, conversation: &str) -> u16 {
    let digest = seal(key, "canary", conversation);
    let [a, b, c, d, ..] = digest.as_bytes();
    u16::try_from(u32::from_be_bytes([*a, *b, *c, *d]) % u32::from(BUCKETS)).unwrap_or(0)
}

/// How long a version stands in a stage, and how much mail it must see there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Messages with something that the changed detections read, in shadow.
    pub shadow_messages: u64,
    /// The least time in shadow.
    pub shadow: Duration,
    /// The most: a small site never sees so many messages, and its backtest is the evidence.
    pub shadow_most: Duration,
    /// The time at 1 %, 10 % and 50 %.
    pub canary: [Duration; 3],
}

impl Default for Pace {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            shadow_messages: 1000,
            shadow: minutes(120),
            shadow_most: minutes(24 * 60),
            canary: [minutes(30), minutes(60), minutes(120)],
        }
    }
}

/// What was seen of a candidate since its stage began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Messages with something that the changed detections read.
    pub messages: u64,
    /// Messages that a changed detection hit.
    pub hits: u64,
    /// Contents hit that the past vouches for, by class: C1, C2, C3.
    pub known_good: [u64; 3],
    /// Messages on which the candidate failed or ran out of time.
    pub failures: u64,
    /// The 99th percentile of the candidate's own time, in milliseconds.
    pub p99_ms: f64,
    /// The 99th percentile of the version in force, in milliseconds.
    pub live_p99_ms: f64,
}

/// Messages below which a share says nothing.
const SHARE_MESSAGES_MIN: u64 = 100;
/// Milliseconds below which no candidate is called slow, whatever the version in force takes.
const SLOW_MS_MIN: f64 = 20.0;

impl Evidence {
    /// Why the candidate must be taken back; none when nothing speaks against it.
    pub fn against(&self) -> Option<String> {
        let [c1, c2, c3] = self.known_good;
        if c2 + c3 > 0 {
            return Some(format!("it hits {} contents that are well known to be good", c2 + c3));
        }
        if c1 > self.messages / BACKTEST_CONTENTS as u64 {
            return Some(format!("it hits {c1} contents known to be good in {} messages", self.messages));
        }
        if self.messages >= SHARE_MESSAGES_MIN && self.failures * 100 > self.messages {
            return Some(format!("it failed on {} of {} messages", self.failures, self.messages));
        }
        let slow = self.p99_ms > SLOW_MS_MIN && self.p99_ms > 2.0 * self.live_p99_ms;
        (self.messages >= SHARE_MESSAGES_MIN && slow).then(|| {
            format!("it is slow: p99 {:.1} ms beside {:.1} ms of the version in force", self.p99_ms, self.live_p99_ms)
        })
    }
}

/// What is due for a candidate that has stood `since` in its stage: a step and why, or what it still waits for.
///
/// # Errors
/// What it waits for, in words.
pub fn due(
    stage: Stage,
    since: Duration,
    evidence: &Evidence,
    pace: &Pace,
) -> Result<(RolloutTrigger, String), String> {
    if stage.is_candidate()
        && let Some(why) = evidence.against()
    {
        return Ok((RolloutTrigger::TakenBack, why));
    }
    let minutes = |span: Duration| span.as_secs().div_ceil(60);
    let [first, second, third] = pace.canary;
    let wanted = match stage {
        Stage::Shadow => {
            let Evidence { messages: seen, hits, .. } = evidence;
            if since >= pace.shadow && *seen >= pace.shadow_messages {
                return Ok((
                    RolloutTrigger::Promoted,
                    format!("{seen} messages in shadow, {hits} hit, nothing against it"),
                ));
            }
            if since >= pace.shadow_most {
                let why = format!("the longest time in shadow is over; {seen} messages seen, {hits} hit");
                return Ok((RolloutTrigger::Promoted, why));
            }
            let left = pace.shadow.saturating_sub(since);
            return Err(format!(
                "{seen} of {} messages seen, {hits} hit; {} min of shadow left at least, {} min at most",
                pace.shadow_messages,
                minutes(left),
                minutes(pace.shadow_most.saturating_sub(since))
            ));
        }
        Stage::Canary1 => first,
        Stage::Canary10 => second,
        Stage::Canary50 => third,
        _ => return Err("nothing is due".into()),
    };
    if since >= wanted {
        return Ok((
            RolloutTrigger::Promoted,
            format!("{} min as {}, nothing against it", minutes(wanted), stage.as_str()),
        ));
    }
    Err(format!("{} min as {} left", minutes(wanted - since), stage.as_str()))
}

/// A gate, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// It compiles, each detection hits and misses what it must, none is slow.
    Static,
    /// It holds no innocent look-alike, and still finds each harmful one.
    LookAlike,
    /// It hits nothing in the retained known-good corpus.
    Backtest,
}

impl Gate {
    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::LookAlike => "look-alike",
            Self::Backtest => "backtest",
        }
    }
}

/// What a gate said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReport {
    /// Which.
    pub gate: Gate,
    /// Whether it lets the version through.
    pub passed: bool,
    /// One sentence.
    pub summary: String,
    /// What speaks against it, one line each; the worst first, not endless.
    pub faults: Vec<String>,
    /// What is worth knowing and stops nothing.
    pub notes: Vec<String>,
}

/// A known-good content that a detection would have hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodHit {
    /// How well the past vouches for it.
    pub class: MemoryClass,
    /// What was hit, by what, in words.
    pub what: String,
}

/// Faults and notes of one gate that are kept.
pub const LINES_MAX: usize = 200;

/// The backtest gate: nothing well known may be hit, and of all contents at most one in [`BACKTEST_CONTENTS`].
pub fn judge_backtest(contents: usize, mut hits: Vec<GoodHit>) -> GateReport {
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.class));
    let well_known = hits.iter().filter(|hit| hit.class >= MemoryClass::C2).count();
    let allowed = contents / BACKTEST_CONTENTS;
    let passed = well_known == 0 && hits.len() <= allowed;
    let strength = match contents {
        0 => "there is no known-good corpus yet, so this says nothing".to_owned(),
        // The rule of three: no hit in n bounds the rate at 3/n with 95 % confidence.
        n if hits.is_empty() => {
            format!("a rate of false positives above {:.2} % is ruled out (95 %)", 300.0 / n as f64)
        }
        n => format!("that is {:.2} %", 100.0 * hits.len() as f64 / n as f64),
    };
    let count = hits.len();
    let mut notes = Vec::new();
    if contents < BACKTEST_CONTENTS {
        notes.push(format!("{contents} contents are fewer than the {BACKTEST_CONTENTS} that a backtest wants"));
    }
    let mut faults: Vec<String> = hits.into_iter().take(LINES_MAX).map(|hit| hit.what).collect();
    if passed {
        notes.append(&mut faults);
    }
    let summary = format!("hits {count} of {contents} known-good contents; {strength}");
    GateReport { gate: Gate::Backtest, passed, summary, faults, notes }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [RolloutTrigger; 8] = [
        RolloutTrigger::Passed,
        RolloutTrigger::PassedFast,
        RolloutTrigger::Failed,
        RolloutTrigger::Forced,
        RolloutTrigger::Promoted,
        RolloutTrigger::FastLaneEnded,
        RolloutTrigger::TakenBack,
        RolloutTrigger::Replaced,
    ];

    #[test]
    fn the_table_of_stages() {
        let mut shown = String::new();
        for from in Stage::ALL {
            for by in STEPS {
                if let Ok(to) = from.on(by) {
                    shown.push_str(&format!("{:<12} {by:<14?} {}\n", from.as_str(), to.as_str()));
                }
            }
        }
        insta::assert_snapshot!(shown);
    }

    /// Every walk: what has ended stays so, nothing acts that the gates did not let through or a person forced, and
    /// whatever acts can be taken back.
    #[test]
    fn every_walk_of_six_steps() {
        fn walk(stage: Stage, let_through: bool, left: u32) {
            assert!(let_through || stage.buckets() == 0, "{stage:?} acts unasked");
            assert!(stage.buckets() == 0 || stage.on(RolloutTrigger::TakenBack) == Ok(Stage::RolledBack));
            for by in STEPS {
                let Ok(to) = stage.on(by) else { continue };
                assert!(!stage.is_ended());
                let through = let_through
                    || matches!(by, RolloutTrigger::Passed | RolloutTrigger::PassedFast | RolloutTrigger::Forced);
                if left > 0 {
                    walk(to, through, left - 1);
                }
            }
        }
        walk(Stage::Checking, false, 6);
    }

    #[test]
    fn a_stage_is_left_by_evidence_and_time() {
        let pace = Pace::default();
        let seen = |messages| Evidence { messages, ..Evidence::default() };
        let step = |stage, minutes: u64, evidence: &Evidence| {
            due(stage, Duration::from_secs(minutes * 60), evidence, &pace).ok().map(|(step, _)| step)
        };
        assert_eq!(step(Stage::Shadow, 119, &seen(5000)), None);
        assert_eq!(step(Stage::Shadow, 120, &seen(999)), None);
        assert_eq!(step(Stage::Shadow, 120, &seen(1000)), Some(RolloutTrigger::Promoted));
        assert_eq!(step(Stage::Shadow, 24 * 60, &seen(3)), Some(RolloutTrigger::Promoted));
        assert_eq!(step(Stage::Canary1, 29, &seen(0)), None);
        assert_eq!(step(Stage::Canary1, 30, &seen(0)), Some(RolloutTrigger::Promoted));
        assert_eq!(step(Stage::Canary50, 120, &seen(0)), Some(RolloutTrigger::Promoted));
        assert_eq!(step(Stage::Live, 9999, &seen(0)), None);
        let heirloom = Evidence { known_good: [0, 0, 1], ..seen(100_000) };
        assert_eq!(step(Stage::Shadow, 0, &heirloom), Some(RolloutTrigger::TakenBack));
        let one_young = Evidence { known_good: [1, 0, 0], ..seen(2999) };
        assert_eq!(step(Stage::Canary10, 1, &one_young), Some(RolloutTrigger::TakenBack));
        assert_eq!(step(Stage::Canary10, 1, &Evidence { messages: 3000, ..one_young }), None);
        assert_eq!(step(Stage::Canary10, 1, &Evidence { failures: 2, ..seen(100) }), Some(RolloutTrigger::TakenBack));
        let slow = Evidence { p99_ms: 50.0, live_p99_ms: 20.0, ..seen(100) };
        assert_eq!(step(Stage::Shadow, 1, &slow), Some(RolloutTrigger::TakenBack));
    }

    #[test]
    fn buckets_are_even_and_keyed() {
        let key = TokenKey::new([1; 32]);
        let below = (0..20_000).filter(|n| bucket(&key, &format!("<{n}@x>")) < Stage::Canary10.buckets()).count();
        assert!((1800..2200).contains(&below), "{below} of 20,000 at 10 %");
        assert_eq!(bucket(&key, "<1@x>"), bucket(&key, "<1@x>"));
        assert!((0..100).any(|n| bucket(&key, &n.to_string()) != bucket(&TokenKey::new([2; 32]), &n.to_string())));
    }

    #[test]
    fn a_backtest_forgives_one_young_content_in_three_thousand() {
        let hit = |class| GoodHit { class, what: "x".into() };
        assert!(judge_backtest(0, vec![]).passed);
        assert!(judge_backtest(500, vec![]).passed);
        assert!(!judge_backtest(2999, vec![hit(MemoryClass::Unknown)]).passed);
        assert!(judge_backtest(3000, vec![hit(MemoryClass::C1)]).passed);
        assert!(!judge_backtest(30_000, vec![hit(MemoryClass::C2)]).passed);
    }
}
