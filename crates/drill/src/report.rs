//! What came of a drill, in the shape that scripts rely on; and whether it is what was expected.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::scenario::{EstablishAfter, Expect};

/// Expectations that nothing can meet without a memory.
const DEPEND_ON_MEMORY: [&str; 3] = ["contained", "wrong_holds_before_containment_max", "restored_min_percent"];

/// The report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What shuffled the mail.
    pub seed: u64,
    /// Whether every expectation held.
    pub ok: bool,
    /// Each of them.
    pub expectations: Vec<Expectation>,
    /// Mails that were played and answered 250.
    pub messages: u64,
    /// Mails that were refused: what no gateway may take, such as a bare CR.
    pub refused: u64,
    /// Whether and how a detection was contained.
    pub contained: Contained,
    /// Good mails that were held although the last good version does not hold them.
    pub wrongly_held_total: u64,
    /// Mails delivered under containment although the last good version and all other engines hold them.
    pub bad_let_out_by_containment: u64,
    /// The same, released by the replay.
    pub bad_let_out_by_replay: u64,
    /// Bad mails that reached the mailbox server, whoever would have held them.
    pub bad_delivered_total: u64,
    /// Bad mails that only the withdrawn detection had held, and that arrived.
    pub lost_catch: u64,
    /// The memory that the sentinel had.
    pub memory: Memory,
    /// What the replays made of the units.
    pub replay: Replay,
    /// What the releases came to.
    pub release: Release,
    /// Good mails that were wrongly held and have arrived, in per cent.
    pub restored_percent: f64,
    /// Units that were not restored, each with its reason.
    pub residual: Vec<Residual>,
    /// Whether the ledger balances.
    pub ledger_balanced: bool,
    /// Whether everything that arrived is what was sent, behind our own fields.
    pub bytes_identical: bool,
    /// Real seconds.
    pub phases: Vec<Phase>,
}

/// One expectation.
#[derive(Clone, Debug, Serialize)]
pub struct Expectation {
    name: String,
    // A number or a truth, by the expectation; `got` may be a word.
    want: Value,
    got: Value,
    /// None when the memory is too weak for an answer.
    ok: Option<bool>,
}

/// Whether and how a detection was contained.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Contained {
    /// Whether.
    pub happened: bool,
    /// Which.
    pub detection: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// By what evidence.
    pub evidence: Option<String>,
    /// Good mails held by then.
    pub after_wrong_holds: Option<u64>,
    /// Mails that came since the detection was published.
    pub after_messages: Option<u64>,
    /// Domain time since then.
    pub simulated_seconds: Option<u64>,
}

/// The memory.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Memory {
    /// The settings of the history, as they were; nothing without one.
    pub settings: Option<HistorySettings>,
    /// Identities that are established.
    pub identities_established: u64,
    /// Known-good samples.
    pub eligible_keys: u64,
    /// The same by family.
    pub eligible_by_family: BTreeMap<String, u64>,
    /// Contents that the probe hit.
    pub probe_k: u64,
    /// Contents that it looked at.
    pub probe_n: u64,
    /// In a word.
    pub strength: String,
}

/// The settings of a history, and what became of its mails.
#[derive(Clone, Debug, Serialize)]
pub struct HistorySettings {
    /// Whom a mail is from: header-from or authenticated-results.
    pub identity: &'static str,
    /// Whether From is believed.
    pub trust_from: bool,
    /// Whether each mail counts as an answer to its sender as well.
    pub correspond: bool,
    /// After how much an identity is established.
    pub establish_after: EstablishAfter,
    /// Days that the history spans.
    pub span_days: u64,
    /// How many mails became what.
    pub mails: BTreeMap<String, u64>,
}

/// What the replays made of the units.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Replay {
    /// Units of all incidents, each counted where it was examined.
    pub units: u64,
    /// Those that pass now.
    pub cleared: u64,
    /// Those that stay.
    pub upheld: u64,
    /// Those that could not be examined.
    pub inconclusive: u64,
}

/// What the releases came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Release {
    /// Units that the next hop took.
    pub released: u64,
    /// Units that arrived more than once.
    pub duplicates: u64,
    /// Units whose answer was lost.
    pub in_doubt: u64,
    /// Units that the next hop refused for good.
    pub refused: u64,
    /// Units that are nowhere.
    pub lost: u64,
}

/// A unit that was not restored.
#[derive(Clone, Debug, Serialize)]
pub struct Residual {
    /// Which.
    pub unit: String,
    /// Why.
    pub reason: String,
}

/// A part of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// Real seconds.
    pub seconds: f64,
}

impl Report {
    /// Compares the run with what was expected. Where the probe could not have decided, what depends on it is neither
    /// passed nor failed.
    pub fn judge(&mut self, expect: &Expect, resolved: bool, memory_suffices: bool) {
        let mut all = Vec::new();
        let mut add = |name: &str, want: Value, got: Value, ok: bool| {
            all.push(Expectation { name: name.into(), want, got, ok: Some(ok) });
        };
        let most = |want: u64, got: u64| (json!(want), json!(got), got <= want);
        add("ledger_balanced", json!(true), json!(self.ledger_balanced), self.ledger_balanced);
        add("bytes_identical", json!(true), json!(self.bytes_identical), self.bytes_identical);
        if let Some(want) = expect.contained {
            add("contained", json!(want), json!(self.contained.happened), want == self.contained.happened);
        }
        if let Some(want) = expect.resolved {
            add("resolved", json!(want), json!(resolved), want == resolved);
        }
        if let Some(want) = expect.restored_min_percent {
            add("restored_min_percent", json!(want), json!(self.restored_percent), self.restored_percent >= want);
        }
        let before = self.contained.after_wrong_holds.unwrap_or(self.wrongly_held_total);
        let let_out = self.bad_let_out_by_containment + self.bad_let_out_by_replay;
        for (name, want, got) in [
            ("wrong_holds_before_containment_max", expect.wrong_holds_before_containment_max, before),
            ("wrongly_held_total_max", expect.wrongly_held_total_max, self.wrongly_held_total),
            ("duplicates_max", expect.duplicates_max, self.release.duplicates),
            ("bad_let_out_max", expect.bad_let_out_max, let_out),
            ("lost_catch_max", expect.lost_catch_max, self.lost_catch),
            ("lost_max", expect.lost_max, self.release.lost),
        ] {
            if let Some(want) = want {
                let (want, got, ok) = most(want, got);
                add(name, want, got, ok);
            }
        }
        if !memory_suffices {
            for one in all.iter_mut().filter(|one| DEPEND_ON_MEMORY.contains(&one.name.as_str())) {
                if one.ok == Some(false) {
                    (one.got, one.ok) = ("memory too weak".into(), None);
                }
            }
        }
        self.ok = all.iter().all(|one| one.ok == Some(true));
        self.expectations = all;
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = vec![format!(
            "{} (seed {}): {} messages, {} refused",
            self.scenario, self.seed, self.messages, self.refused
        )];
        let Memory { identities_established, eligible_keys, strength, probe_k, probe_n, .. } = &self.memory;
        out.push(format!(
            "  memory {strength}: {eligible_keys} known-good samples, {identities_established} established \
                senders; the probe hit {probe_k} of {probe_n}"
        ));
        let contained = &self.contained;
        out.push(match (&contained.detection, contained.happened) {
            (Some(detection), true) => format!(
                "  contained {detection} after {} false positives, {} messages, {} s: {}",
                contained.after_wrong_holds.unwrap_or_default(),
                contained.after_messages.unwrap_or_default(),
                contained.simulated_seconds.unwrap_or_default(),
                contained.evidence.as_deref().unwrap_or_default()
            ),
            _ => "  nothing was contained".into(),
        });
        out.push(format!(
            "  false positives {}, restored {} %; replay: {} deliveries, {} cleared, {} upheld, {} inconclusive; \
             released {}, duplicates {}, in doubt {}, refused {}, lost {}",
            self.wrongly_held_total,
            self.restored_percent,
            self.replay.units,
            self.replay.cleared,
            self.replay.upheld,
            self.replay.inconclusive,
            self.release.released,
            self.release.duplicates,
            self.release.in_doubt,
            self.release.refused,
            self.release.lost
        ));
        out.push(format!(
            "  bad mail let out: {} by containment, {} by replay; {} bad messages delivered in all, {} of them held \
             only by the withdrawn detection",
            self.bad_let_out_by_containment, self.bad_let_out_by_replay, self.bad_delivered_total, self.lost_catch
        ));
        for one in &self.expectations {
            let word = match one.ok {
                Some(true) => cli::terminal::coloured("ok", 32),
                Some(false) => cli::terminal::coloured("NOT OK", 31),
                None => cli::terminal::coloured("memory too weak", 33),
            };
            out.push(format!("  {}: expected {}, got {} [{word}]", one.name, one.want, one.got));
        }
        let phases: Vec<String> =
            self.phases.iter().map(|phase| format!("{} {} s", phase.name, phase.seconds)).collect();
        out.push(format!("  {}", phases.join(", ")));
        out.join("\n")
    }
}
