//! The YARA engine: one compiled set of rules for each kind of target, shared; one scanner for each worker.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::detection::Target;
use serde::{Deserialize, Serialize};
use yara_x::errors::ScanError;
use yara_x::{Rules, Scanner};

use crate::family;

/// Matches kept of one pattern; a rule needs few, and a million would only cost memory.
const MATCHES_PER_PATTERN_MAX: usize = 1000;
/// Bytes of a match shown as evidence.
const EVIDENCE_BYTES_MAX: usize = 48;

/// What rules may ask about the file that bytes came in, by the names that published sets use for it: name and path
/// (ours are the same), and the extension with its dot. `filetype` and `owner` are there and empty: nothing of the kind
/// is known of a part.
const FILE_GLOBALS: [&str; 5] = ["filename", "filepath", "extension", "filetype", "owner"];

/// A compiler as all our rules are compiled: no includes, the names above, and regular expressions as forgiving as
/// those of the older YARA that most rules were written for.
pub(crate) fn compiler() -> yara_x::Compiler<'static> {
    let mut compiler = yara_x::Compiler::new();
    compiler.enable_includes(false);
    compiler.relaxed_re_syntax(true);
    for name in FILE_GLOBALS {
        compiler.define_global(name, "").expect("the names are identifiers, each once");
    }
    compiler
}

/// Which bytes a set of rules reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Layer {
    /// The message as received.
    Raw,
    /// Its header block.
    Header,
    /// Text and HTML parts.
    Text,
    /// Decoded parts.
    Part,
}

impl Layer {
    /// The layer that a target belongs to.
    pub fn of(target: Target) -> Self {
        match target {
            Target::Raw => Self::Raw,
            Target::Header => Self::Header,
            Target::Text => Self::Text,
            Target::Part(_) => Self::Part,
        }
    }
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The namespace: the detection's code.
    pub namespace: String,
    /// The rule's identifier.
    pub rule: String,
    /// Where the first match begins; none for a rule without patterns.
    pub offset: Option<u64>,
    /// The first match, safe to show.
    pub evidence: String,
}

/// A scan that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum YaraError {
    /// Out of time.
    #[error("yara ran out of time")]
    Timeout,
    /// Anything else.
    #[error("yara failed: {0}")]
    Failed(String),
}

/// The compiled rules of one ruleset, by layer.
#[derive(Debug, Default)]
pub struct RuleSets(pub(crate) BTreeMap<Layer, Rules>);

impl RuleSets {
    /// Scanners over these rules, for one worker.
    pub fn scanners(&self) -> Scanners<'_> {
        let scanners = self.0.iter().map(|(layer, rules)| {
            let mut scanner = Scanner::new(rules);
            scanner.max_matches_per_pattern(MATCHES_PER_PATTERN_MAX);
            (*layer, scanner)
        });
        Scanners(scanners.collect())
    }
}

/// One worker's scanners.
pub struct Scanners<'r>(BTreeMap<Layer, Scanner<'r>>);

impl Scanners<'_> {
    /// Whether any rule reads this layer.
    pub fn reads(&self, layer: Layer) -> bool {
        self.0.contains_key(&layer)
    }

    /// The rules of `layer` that match `bytes`, within `left`; `name` is that of the file they came in, or empty.
    ///
    /// # Errors
    /// When the time is over or the engine fails.
    pub fn scan(&mut self, layer: Layer, bytes: &[u8], name: &str, left: Duration) -> Result<Vec<Hit>, YaraError> {
        let Some(scanner) = self.0.get_mut(&layer) else { return Ok(Vec::new()) };
        if left.is_zero() {
            return Err(YaraError::Timeout);
        }
        let extension = family::extension(name).map(|extension| format!(".{extension}")).unwrap_or_default();
        for (global, value) in [("filename", name), ("filepath", name), ("extension", &extension)] {
            scanner.set_global(global, value).map_err(|error| YaraError::Failed(error.to_string()))?;
        }
        // The engine counts whole seconds; less than one would be none.
        scanner.set_timeout(left.max(Duration::from_secs(1)));
        let results = scanner.scan(bytes).map_err(|error| match error {
            ScanError::Timeout => YaraError::Timeout,
            other => YaraError::Failed(other.to_string()),
        })?;
        Ok(results.matching_rules().map(|rule| hit(&rule)).collect())
    }
}

fn hit(rule: &yara_x::Rule<'_, '_>) -> Hit {
    let first = rule.patterns().filter_map(|pattern| {
        let found = pattern.matches().next()?;
        Some((found.range().start, pattern.identifier().to_owned(), show(found.data())))
    });
    let first = first.min_by_key(|(start, ..)| *start);
    let (offset, evidence) = match first {
        Some((start, pattern, shown)) => (Some(start as u64), format!("{pattern} \"{shown}\"")),
        None => (None, "its condition".to_owned()),
    };
    Hit { namespace: rule.namespace().to_owned(), rule: rule.identifier().to_owned(), offset, evidence }
}

/// Bytes as text that is safe in a log, a header and a page.
fn show(bytes: &[u8]) -> String {
    bytes.iter().take(EVIDENCE_BYTES_MAX).flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect()
}
