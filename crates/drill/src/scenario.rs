//! A scenario file, as written (the contract of `reprieve drill`).

use std::path::Path;
use std::time::Duration;

use domain::Direction;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What shuffles the mail; with 0 it is fed in its own order.
    #[serde(default)]
    pub seed: u64,
    /// The domains that are ours.
    #[serde(default = "our_domain")]
    pub accepted_domains: Vec<String>,
    /// The ruleset in force at the start; the shipped one without.
    #[serde(default)]
    pub ruleset: Option<String>,
    /// Take the domain of From for an identity.
    #[serde(default)]
    pub trust_from: bool,
    /// Whether the sentinel acts.
    #[serde(default)]
    pub containment: Containment,
    /// Mail of the past.
    #[serde(default)]
    pub history: Option<History>,
    /// Mail that comes.
    #[serde(default)]
    pub traffic: Vec<Traffic>,
    /// What happens meanwhile.
    #[serde(default)]
    pub event: Vec<Event>,
    /// What is expected.
    #[serde(default)]
    pub expect: Expect,
}

fn our_domain() -> Vec<String> {
    vec!["example.com".into()]
}

/// Whether the sentinel acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Containment {
    /// It contains.
    #[default]
    Automatic,
    /// It calls people.
    Recommend,
}

/// Mail of the past, imported into the memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Files and folders.
    pub mail: Vec<String>,
    /// The days before the start over which it is spread.
    #[serde(default = "a_month", deserialize_with = "span")]
    pub span: Duration,
    /// `as-dated` takes the time of each mail's topmost Received field instead.
    #[serde(default)]
    pub dates: Option<String>,
    /// Who a mail is from.
    #[serde(default)]
    pub identity: IdentityBy,
    /// From when on somebody is established.
    #[serde(default)]
    pub establish_after: EstablishAfter,
    /// Whether each mail counts as an answer of ours as well.
    #[serde(default)]
    pub correspond: bool,
}

fn a_month() -> Duration {
    Duration::from_secs(30 * 24 * 3600)
}

/// Who a mail of the past is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityBy {
    /// Who From says.
    #[default]
    HeaderFrom,
    /// Whom the host of the topmost Authentication-Results field has vouched for; who has none is not remembered.
    AuthenticatedResults,
}

/// From when on somebody is established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EstablishAfter {
    /// Clean mails.
    pub messages: u64,
    /// Days.
    pub days: u64,
}

impl Default for EstablishAfter {
    fn default() -> Self {
        Self { messages: 10, days: 14 }
    }
}

/// Mail that comes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Files and folders.
    pub mail: Vec<String>,
    /// What it is.
    pub label: Label,
    /// Where it goes; decided by the accepted domains without.
    #[serde(default, deserialize_with = "direction")]
    pub direction: Option<Direction>,
    /// Mails an hour.
    #[serde(default = "four_hundred")]
    pub per_hour: f64,
    /// How often it is played.
    #[serde(default = "once")]
    pub repeat: u32,
}

fn four_hundred() -> f64 {
    400.0
}

fn once() -> u32 {
    1
}

/// What a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// It must arrive.
    Good,
    /// It must not.
    Bad,
}

/// Something that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    #[serde(deserialize_with = "moment")]
    pub at: At,
    /// What.
    #[serde(rename = "do")]
    pub what: What,
    /// The ruleset of a publication.
    #[serde(default)]
    pub path: Option<String>,
    /// Past the gates.
    #[serde(default)]
    pub force: bool,
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Before the message with this number.
    Message(u64),
    /// So long after the start.
    Time(Duration),
    /// So long after containment.
    Contained(Duration),
    /// So long after all that was held has been examined again.
    Replayed(Duration),
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A ruleset is published.
    Publish,
    /// What was published is taken back.
    Withdraw,
    /// The gateway is killed and started again.
    Crash,
    /// The next hop is not there.
    NextHopDown,
    /// It is there again.
    NextHopUp,
    /// The engine outside fails; there is one in a drill that lets it fail.
    EngineDown,
    /// It works again.
    EngineUp,
}

/// What is expected of the run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Whether a detection is contained.
    pub contained: Option<bool>,
    /// Good mails held before containment, at most.
    pub wrong_holds_before_containment_max: Option<u64>,
    /// Good mails held in all, at most.
    pub wrongly_held_total_max: Option<u64>,
    /// Of the good mails that were held, how many arrive, in per cent.
    pub restored_min_percent: Option<f64>,
    /// Units that arrive more than once, at most.
    pub duplicates_max: Option<u64>,
    /// Mails let out by containment or replay that the last good version would have held, at most.
    pub bad_let_out_max: Option<u64>,
    /// Bad mails that only the withdrawn detection had held and that arrive, at most.
    pub lost_catch_max: Option<u64>,
    /// Units that are nowhere, at most.
    pub lost_max: Option<u64>,
    /// Whether every incident ends.
    pub resolved: Option<bool>,
}

/// A span such as `30d`, `1h30m`, `45s`.
pub fn parse_span(text: &str) -> Option<Duration> {
    let (mut seconds, mut number) = (0, String::new());
    for c in text.trim().chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds += number.parse::<u64>().ok()? * unit;
        number.clear();
    }
    (number.is_empty() && !text.trim().is_empty()).then(|| Duration::from_secs(seconds))
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_span(&text).ok_or_else(|| de::Error::custom(format!("'{text}' is no span such as 30d or 1h30m")))
}

fn direction<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Direction>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = Direction::parse(&text)
        .or_else(|| Direction::ALL.into_iter().find(|direction| direction.as_str().eq_ignore_ascii_case(&text)));
    parsed.map(Some).ok_or_else(|| de::Error::custom(format!("'{text}' is none of inbound, outbound, internal")))
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<At, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_moment(&text).ok_or_else(|| {
        de::Error::custom(format!("'{text}' is none of msg:200, time:1h30m, contained, contained+30m, replayed"))
    })
}

fn parse_moment(text: &str) -> Option<At> {
    if let Some(number) = text.strip_prefix("msg:") {
        return number.parse().ok().map(At::Message);
    }
    if let Some(time) = text.strip_prefix("time:") {
        return parse_span(time).map(At::Time);
    }
    let (what, after) = text.split_once('+').unwrap_or((text, "0s"));
    let after = parse_span(after)?;
    match what {
        "contained" => Some(At::Contained(after)),
        "replayed" => Some(At::Replayed(after)),
        _ => None,
    }
}

impl Scenario {
    /// Whether an engine outside is wanted.
    pub fn has_engine(&self) -> bool {
        self.event.iter().any(|event| matches!(event.what, What::EngineDown | What::EngineUp))
    }

    /// Reads a file, and what in it cannot be played.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if scenario.accepted_domains.is_empty() {
            return Err("accepted_domains is empty: name at least one domain".into());
        }
        if scenario.event.iter().any(|event| event.what == What::Publish && event.path.is_none()) {
            return Err("an event that publishes needs a path".into());
        }
        if scenario.traffic.iter().any(|traffic| traffic.per_hour <= 0.0) {
            return Err("per_hour must be more than 0".into());
        }
        let dates = scenario.history.as_ref().and_then(|history| history.dates.as_deref());
        if dates.is_some_and(|dates| dates != "as-dated") {
            return Err("history.dates can only be \"as-dated\"".into());
        }
        let paths = scenario.history.iter().flat_map(|history| &history.mail);
        let paths = paths.chain(scenario.traffic.iter().flat_map(|traffic| &traffic.mail));
        let paths = paths.chain(scenario.event.iter().filter_map(|event| event.path.as_ref())).chain(&scenario.ruleset);
        for path in paths {
            if !folder.join(path).exists() {
                return Err(format!(
                    "{} does not exist; paths are relative to the scenario file",
                    folder.join(path).display()
                ));
            }
        }
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_moments() {
        assert_eq!(parse_span("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse_span("30d"), Some(Duration::from_secs(30 * 86_400)));
        assert_eq!([parse_span("5"), parse_span(""), parse_span("x")], [None; 3]);
        assert_eq!(parse_moment("msg:200"), Some(At::Message(200)));
        assert_eq!(parse_moment("contained+30m"), Some(At::Contained(Duration::from_secs(1800))));
        assert_eq!(parse_moment("replayed"), Some(At::Replayed(Duration::ZERO)));
        assert_eq!(parse_moment("soon"), None);
    }

    #[test]
    fn what_cannot_be_played_is_told() {
        let parse = |text: &str| Scenario::parse(text, Path::new("/")).map(drop).expect_err("it is wrong");
        assert!(parse("name = \"x\"\n[[event]]\nat = \"soon\"\ndo = \"crash\"").contains("'soon' is none of"));
        assert!(parse("name = \"x\"\n[[event]]\nat = \"msg:1\"\ndo = \"publish\"").contains("needs a path"));
        assert!(parse("name = \"x\"\nnonsense = 1").contains("nonsense"));
        assert!(parse("name = \"x\"\n[[traffic]]\nmail = [\"no/such\"]\nlabel = \"good\"").contains("does not exist"));
    }
}
