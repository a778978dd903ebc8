//! The static gate: a ruleset is not only parsed but run. Each detection hits the mail that it must hit, misses the one
//! that it must miss, has a page, and no rule is slow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::detection::{Detection, DetectionCode, Mode};
use domain::rollout::{Gate, GateReport, LINES_MAX};

use super::{Ruleset, load};
use crate::auth::upstream;
use crate::examine::{EnvelopeFacts, Examiner};
use crate::in_force::InForce;
use crate::limits::{Budget, Limits};
use crate::mime::wire_form;
use crate::yara;

/// Milliseconds that one rule may add to the scan of one MiB, in an optimised program.
pub const RULE_MS_MAX: f64 = 5.0;
/// A program that was built without optimisation is that much slower; it is for tests, and no machine's worst case.
const UNOPTIMISED: f64 = 10.0;
/// Bytes of each sample that rules are timed on.
const SAMPLE_BYTES: usize = 1 << 20;
/// A rule that costs what any rule costs.
const NOTHING: &str = "rule nothing { strings: $a = \"\\x00zqxj\\x01\" condition: $a }";
/// Time for one fixture.
const FIXTURE_TIME: Duration = Duration::from_secs(10);

/// Runs the gate over the detections `codes` of a ruleset that was loaded from `files`.
pub fn lint(files: &BTreeMap<String, Vec<u8>>, ruleset: &Arc<Ruleset>, codes: &BTreeSet<DetectionCode>) -> GateReport {
    let mut faults = fixtures(files, ruleset, codes);
    let mut notes = Vec::new();
    let limit = if cfg!(debug_assertions) { RULE_MS_MAX * UNOPTIMISED } else { RULE_MS_MAX };
    match slow_rules(ruleset, codes, limit) {
        Ok(slow) => faults.extend(slow.into_iter().map(|(code, ms)| {
            format!(
                "{code}: adds {ms:.1} ms to the scan of 1 MiB; the limit is {limit:.0} ms: give it longer or rarer \
                strings"
            )
        })),
        Err(why) => faults.push(why),
    }
    let plain = codes.iter().filter(|code| folder_of(files, code).is_none()).count();
    if plain > 0 {
        notes.push(format!(
            "{plain} plain rules have no hit.eml, miss.eml and page.md: nothing shows what they must hit"
        ));
    }
    let passed = faults.is_empty();
    let count = codes.len();
    let summary = match faults.len() {
        0 => format!("{count} detections compile, do what their fixtures say, and none is slow"),
        n => format!("{n} faults in {count} detections"),
    };
    faults.truncate(LINES_MAX);
    GateReport { gate: Gate::Static, passed, summary, faults, notes }
}

/// The folder of a detection that has one.
fn folder_of<'f>(files: &'f BTreeMap<String, Vec<u8>>, code: &DetectionCode) -> Option<&'f str> {
    let end = format!("{code}/detection.toml");
    let found = files.keys().find(|path| **path == end || path.ends_with(&format!("/{end}")))?;
    found.strip_suffix("/detection.toml")
}

fn fixtures(files: &BTreeMap<String, Vec<u8>>, ruleset: &Arc<Ruleset>, codes: &BTreeSet<DetectionCode>) -> Vec<String> {
    // A detection that is off or in shadow must still do what its fixtures say.
    let modes = codes.iter().map(|code| (code.clone(), Mode::Enforce)).collect();
    let in_force = InForce { live: ruleset.clone(), candidate: None, modes };
    let mut examiner = Examiner::new(&in_force, Limits::default());
    let mut faults = Vec::new();
    for code in codes {
        let Some(folder) = folder_of(files, code) else { continue };
        for (name, must_hit) in [("hit.eml", true), ("miss.eml", false)] {
            let Some(mail) = files.get(&format!("{folder}/{name}")) else {
                faults.push(format!("{folder}/{name}: is missing: a mail that the detection must {}", verb(must_hit)));
                continue;
            };
            let budget = Budget::starting_now(FIXTURE_TIME);
            let mail = wire_form(mail);
            let examination = examiner.examine(&mail, &fixture_envelope(&mail), budget);
            let hits = examination.findings.iter().any(|finding| finding.detection == *code);
            if hits != must_hit {
                faults
                    .push(format!("{folder}/{name}: {code} {} it and must not", if hits { "hits" } else { "misses" }));
            }
        }
        let title = format!("# {code}: ");
        if !files.get(&format!("{folder}/page.md")).is_some_and(|page| page.starts_with(title.as_bytes())) {
            faults.push(format!("{folder}/page.md: is missing, or does not begin with '{title}'"));
        }
    }
    faults
}

/// The host whose Authentication-Results are believed in fixtures.
const FIXTURE_HOST: &str = "fixture.example";

/// Fixtures are mails to Bert, whose domain is ours. How they authenticate, they say themselves.
pub fn fixture_envelope(mail: &[u8]) -> EnvelopeFacts {
    EnvelopeFacts {
        authentication: upstream::of_message(mail, &[FIXTURE_HOST.to_owned()]),
        sender: "anna@partner.example".into(),
        recipients: vec!["bert@example.com".into()],
        own_domains: vec!["example.com".into()],
        ..EnvelopeFacts::default()
    }
}

fn verb(hits: bool) -> &'static str {
    if hits { "hit" } else { "miss" }
}

/// Rules that add more than `limit` milliseconds to the scan of any sample. Rules are timed together and only a slow
/// group is divided, so a thousand quick rules cost no more than a few.
fn slow_rules(
    ruleset: &Ruleset,
    codes: &BTreeSet<DetectionCode>,
    limit: f64,
) -> Result<Vec<(DetectionCode, f64)>, String> {
    let text = |code: &DetectionCode| {
        ruleset.detections.get(code).filter(|detection| detection.engine == "yara")?;
        let (_, text) = load::halves(ruleset.sources.get(code)?);
        (!text.is_empty()).then(|| (code.clone(), text.to_owned()))
    };
    let rules: Vec<(DetectionCode, String)> = codes.iter().filter_map(text).collect();
    let bench = Bench::new()?;
    let mut slow = Vec::new();
    let mut groups = vec![rules];
    while let Some(group) = groups.pop() {
        let Some((first, _)) = group.first() else { continue };
        let texts: Vec<(String, String)> = group.iter().map(|(code, text)| (code.to_string(), text.clone())).collect();
        let most = bench.of(&texts)?;
        if most <= limit {
            continue;
        }
        if group.len() == 1 {
            slow.push((first.clone(), most));
            continue;
        }
        let (left, right) = group.split_at(group.len() / 2);
        groups.extend([left.to_vec(), right.to_vec()]);
    }
    slow.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(slow)
}

/// Milliseconds that each YARA detection adds to the scan of one MiB of its worst sample, the dearest first. Checks of
/// ours are made in one pass over a mail whatever detections ask for, so they have no cost of their own.
///
/// # Errors
/// When a rule does not compile.
pub fn costs(ruleset: &Ruleset) -> Result<Vec<(DetectionCode, f64)>, String> {
    let bench = Bench::new()?;
    let mut costs = Vec::new();
    for detection in ruleset.detections.values().filter(|detection| detection.engine == "yara") {
        let source = ruleset.sources.get(&detection.code).map_or("", String::as_str);
        costs.push((detection.code.clone(), bench.cost_of(&detection.code, source)?));
    }
    costs.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(costs)
}

/// As [`costs`], of one detection by its kept source; none for one that is no YARA rule.
///
/// # Errors
/// When the rule does not compile.
pub fn cost(detection: &Detection, source: &str) -> Result<Option<f64>, String> {
    if detection.engine != "yara" {
        return Ok(None);
    }
    Bench::new()?.cost_of(&detection.code, source).map(Some)
}

/// What rules are timed on, and what any rule costs there.
struct Bench {
    samples: Vec<Vec<u8>>,
    floor: Vec<f64>,
}

impl Bench {
    fn new() -> Result<Self, String> {
        let samples = samples();
        let floor = time(&[("nothing".to_owned(), NOTHING.to_owned())], &samples)?;
        Ok(Self { samples, floor })
    }

    fn cost_of(&self, code: &DetectionCode, source: &str) -> Result<f64, String> {
        let (_, text) = load::halves(source);
        self.of(&[(code.to_string(), text.to_owned())])
    }

    /// Milliseconds that these rules add to the scan of the sample that costs them most.
    fn of(&self, rules: &[(String, String)]) -> Result<f64, String> {
        let taken = time(rules, &self.samples)?;
        Ok(taken.iter().zip(&self.floor).map(|(ms, floor)| ms - floor).fold(0.0, f64::max))
    }
}

/// Milliseconds that these rules take for each sample: the best of three, since other work on the machine only adds.
fn time(rules: &[(String, String)], samples: &[Vec<u8>]) -> Result<Vec<f64>, String> {
    let mut compiler = yara::compiler();
    for (namespace, text) in rules {
        compiler.new_namespace(namespace);
        compiler.add_source(text.as_str()).map_err(|error| format!("{namespace}: {error}"))?;
    }
    let rules = compiler.build();
    let mut scanner = yara_x::Scanner::new(&rules);
    scanner.set_timeout(FIXTURE_TIME);
    let mut best = Vec::with_capacity(samples.len());
    for sample in samples {
        let mut least = f64::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            // A scan that runs out of time has taken it, which is what counts here.
            let _ = scanner.scan(sample);
            least = least.min(began.elapsed().as_secs_f64() * 1000.0);
        }
        best.push(least);
    }
    Ok(best)
}

/// What costs rules most: long runs, text, markup, base64, beginnings of many files, and noise.
fn samples() -> Vec<Vec<u8>> {
    let fill = |piece: &[u8]| piece.iter().copied().cycle().take(SAMPLE_BYTES).collect::<Vec<u8>>();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    });
    vec![
        vec![0; SAMPLE_BYTES],
        vec![b'A'; SAMPLE_BYTES],
        fill(
            b"Dear Mr Smith, please find attached the invoice of March. Kind regards, Anna <anna@example.com> \
            https://www.example.com/a?b=c\r\n",
        ),
        fill(
            b"<table><tr><td style=\"color:#fff\"><a href=\"https://example.com/\">link</a><script>var a = \
            eval(unescape('%75'));</script></td></tr></table>\r\n",
        ),
        fill(b"TVqQAAMAAAAEAAAA//8AALgAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAA\r\n"),
        fill(
            b"MZ\x90\0PE\0\0PK\x03\x04%PDF-1.7\
               \x89PNG\r\n\x1a\n\xff\xd8\xff\xe0\0\x10JFIF\0\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x7fELF",
        ),
        noise.take(SAMPLE_BYTES).collect(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(files: BTreeMap<String, Vec<u8>>) -> GateReport {
        let ruleset = Arc::new(load::from_files(files.clone()).expect("loads"));
        let codes = ruleset.detections.keys().cloned().collect();
        lint(&files, &ruleset, &codes)
    }

    #[test]
    fn the_shipped_ruleset_passes() {
        let report = gate(super::super::shipped_files());
        assert!(report.passed, "{report:#?}");
    }

    #[test]
    fn fixtures_that_do_not_hold_are_named() {
        let mut files = super::super::shipped_files();
        let hit = files["EIC-0001/hit.eml"].clone();
        files.insert("EIC-0001/miss.eml".into(), hit);
        files.insert("GTB-0001/hit.eml".into(), b"Subject: nothing\n\nnothing\n".to_vec());
        files.remove("EXE-0001/page.md");
        let report = gate(files);
        assert_eq!(
            report.faults,
            [
                "EIC-0001/miss.eml: EIC-0001 hits it and must not",
                "EXE-0001/page.md: is missing, or does not begin with '# EXE-0001: '",
                "GTB-0001/hit.eml: GTB-0001 misses it and must not",
            ]
        );
    }

    #[test]
    fn a_slow_rule_is_found_among_quick_ones() {
        let quick: String = (0..20)
            .map(|n| format!("rule quick{n} {{ strings: $a = \"a rare string {n}\" condition: $a }}\n"))
            .collect();
        let slow = "rule slow { condition: for any i in (0..filesize) : ( uint8(i) == 0x99 and uint8(i + 1) == 0x98 \
            and uint8(i + 2) == 0x97 ) }";
        let files = BTreeMap::from([("rules.yar".to_owned(), format!("{quick}{slow}").into_bytes())]);
        let ruleset = load::from_files(files).expect("loads");
        let codes = ruleset.detections.keys().cloned().collect();
        let found = slow_rules(&ruleset, &codes, RULE_MS_MAX).expect("times");
        assert_eq!(found.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["slow"], "{found:?}");
    }
}
