//! What the rules are told: `[rollout]` and `[sentinel]`.

use domain::identity::Establish;
use domain::rollout::Pace;

use super::contradiction::not_above;
use super::section::Section;
use super::shown::{list, span};
use super::unit::Unit;

/// How the sentinel acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainmentMode {
    /// What is convicted is contained, as soon as the memory is strong enough to be trusted with it.
    Automatic,
    /// A person is told, and decides.
    Recommend,
}

/// The sentinel.
#[derive(Clone, Debug)]
pub struct SentinelConfig {
    /// Whether it acts.
    pub containment: ContainmentMode,
    /// Whether what is corrected is replayed without a person.
    pub replays: bool,
    /// From when on somebody outside is established.
    pub establish: Establish,
    /// Whether a memory that is not strong yet is trusted all the same.
    pub trusts_weak_memory: bool,
}

/// The rows in which Health shows several settings together.
const SHADOW: &str = "shadow";
const CANARY: &str = "canary 1, 10 and 50 %";
const ESTABLISHED: &str = "established from";

/// Reads `[rollout]`.
pub(super) fn rollout(root: &mut Section<'_>) -> Pace {
    let about = "How long a published ruleset is only watched, and how long it then acts on 1 %, 10 % and 50 % of \
                 conversations.";
    let mut section = root.section("rollout", about);
    let usual = Pace::default();
    let [first, second, third] = usual.canary.map(|time| Unit::Minutes.of(time));
    let shadow_messages = section
        .setting(
            "shadow_messages",
            "A ruleset that is only watched has seen enough after so many messages that its changes read.",
        )
        .shown_in(SHADOW)
        .count(0..=1_000_000, usual.shadow_messages);
    let mut minutes = |key, help, row, usual| section.setting(key, help).shown_in(row).minutes(0..=100_000, usual);
    let pace = Pace {
        shadow_messages,
        shadow: minutes(
            "shadow_minutes",
            "How long it is only watched at least.",
            SHADOW,
            Unit::Minutes.of(usual.shadow),
        ),
        shadow_most: minutes(
            "shadow_minutes_most",
            "How long it is only watched at most, however few messages it has seen.",
            SHADOW,
            Unit::Minutes.of(usual.shadow_most),
        ),
        canary: [
            minutes("canary_1_minutes", "How long it acts on 1 % of conversations.", CANARY, first),
            minutes("canary_10_minutes", "How long it acts on 10 % of conversations.", CANARY, second),
            minutes("canary_50_minutes", "How long it acts on 50 % of conversations.", CANARY, third),
        ],
    };
    let (least, most) = (span(pace.shadow), span(pace.shadow_most));
    section.row(SHADOW, format!("{least} to {most}, or {} messages", pace.shadow_messages));
    section.row(CANARY, list(pace.canary.map(span)));
    not_above(&section, "shadow_minutes", "shadow_minutes_most", "the shadow would end before it may");
    section.end();
    pace
}

/// Reads `[sentinel]`.
pub(super) fn sentinel(root: &mut Section<'_>) -> SentinelConfig {
    let about = "The sentinel: a detection that hits known-good mail is contained. It acts automatically only when \
                 the memory is strong: 2,000 known-good samples from 20 established senders; `reprieve memory \
                 status` shows how far that is.";
    let mut section = root.section("sentinel", about);
    let it = &mut section;
    let words = [("automatic", ContainmentMode::Automatic), ("recommend", ContainmentMode::Recommend)];
    let config = SentinelConfig {
        containment: it
            .setting(
                "containment",
                "\"automatic\": a detection that is found faulty is contained. \"recommend\": operators are alerted, \
                 and decide.",
            )
            .one_of(&words, ContainmentMode::Automatic),
        replays: it
            .setting("replay", "Whether what is corrected is replayed without a person.")
            .shown_as("replay without a person")
            .flag(true),
        establish: establish(it),
        trusts_weak_memory: it
            .setting("trust_weak_memory", "Whether a memory that is not strong yet is trusted all the same.")
            .flag(false),
    };
    section.end();
    config
}

fn establish(section: &mut Section<'_>) -> Establish {
    let usual = Establish::default();
    let mails = section
        .setting("established_mails", "Somebody outside is established after so many clean mails.")
        .shown_in(ESTABLISHED)
        .count(0..=1_000_000, usual.mails);
    let age = section
        .setting("established_days", "The first of these mails must be so long ago.")
        .shown_in(ESTABLISHED)
        .days(0..=3650, Unit::Days.of(usual.age));
    let answered = section
        .setting("established_answers", "So many mails of ours must have gone to them.")
        .shown_in(ESTABLISHED)
        .count(0..=1_000_000, usual.answered);
    section.row(ESTABLISHED, format!("{mails} mails, {}, {answered} answers", span(age)));
    let trusts_from = section
        .setting("trust_from", "Takes the domain of From for an identity where nobody looks at authentication.")
        .flag(usual.trusts_from);
    Establish { mails, age, answered, trusts_from }
}
