//! What is different between two rulesets: detection by detection, with the lines that changed.

use std::collections::BTreeSet;

use domain::detection::{Detection, DetectionCode, DetectionVersion};
use serde::Serialize;
use similar::TextDiff;

use super::{Ruleset, load};

/// How a detection differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Only the later ruleset has it.
    Added,
    /// Only the earlier one has it.
    Removed,
    /// Both have it, in different versions.
    Changed,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The detection.
    pub code: DetectionCode,
    /// How it differs.
    pub kind: Kind,
    /// Its version in the earlier ruleset.
    pub before: Option<DetectionVersion>,
    /// Its version in the later one.
    pub after: Option<DetectionVersion>,
    /// The lines that differ, as a unified diff.
    pub lines: String,
}

/// All differences, by code.
pub fn diff(before: &Ruleset, after: &Ruleset) -> Vec<Change> {
    let codes: BTreeSet<&DetectionCode> = before.detections.keys().chain(after.detections.keys()).collect();
    let change = |code: &DetectionCode| {
        let [earlier, later] = [before, after].map(|ruleset| ruleset.detections.get(code));
        let kind = match (earlier, later) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            (Some(earlier), Some(later)) if earlier.version != later.version => Kind::Changed,
            _ => return None,
        };
        let [old, new] = [(before, earlier), (after, later)].map(|(ruleset, detection)| readable(ruleset, detection));
        let lines = TextDiff::from_lines(&old, &new).unified_diff().context_radius(2).to_string();
        let version = |detection: Option<&Detection>| detection.map(|detection| detection.version.clone());
        Some(Change { code: code.clone(), kind, before: version(earlier), after: version(later), lines })
    };
    codes.into_iter().filter_map(change).collect()
}

/// The lines that differ between two kept forms of one detection, as a unified diff.
pub fn between(before: (&Detection, &str), after: (&Detection, &str)) -> String {
    let [old, new] = [before, after].map(|(detection, source)| written(detection, source));
    TextDiff::from_lines(&old, &new).unified_diff().context_radius(2).to_string()
}

/// The source of a detection as somebody would write it; empty for one that is not there.
fn readable(ruleset: &Ruleset, detection: Option<&Detection>) -> String {
    let Some(detection) = detection else { return String::new() };
    written(detection, ruleset.sources.get(&detection.code).map(String::as_str).unwrap_or_default())
}

fn written(detection: &Detection, source: &str) -> String {
    let (head, rule) = load::halves(source);
    let mut out = String::new();
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(head) {
        Ok(written) if !written.is_empty() => {
            out.extend(written.iter().map(|(key, value)| format!("{key} = {value}\n")));
        }
        // A plain rule: what its folder says of it.
        _ => out.push_str(&format!(
            "target = \"{}\"\ncategory = \"{}\"\neffect = \"{}\"\nmode = \"{:?}\"\n",
            detection.target,
            detection.category.as_str(),
            detection.effect.as_str(),
            detection.mode
        )),
    }
    out.push_str(rule);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn ruleset(plain: &str, settings: &str) -> Ruleset {
        let files = [("rules.yar", plain), ("ruleset.toml", settings)];
        let files: BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
        load::from_files(files).expect("loads")
    }

    #[test]
    fn what_changed_is_shown_line_by_line() {
        let before = ruleset(
            "rule stays { condition: filesize > 9 }\nrule goes { condition: filesize > 8 }\nrule image {\n  \
                strings:\n    $a = \".jpg\"\n  condition:\n    any of them\n}",
            "",
        );
        let after = ruleset(
            "rule stays { condition: filesize > 9 }\nrule comes { condition: filesize > 7 }\nrule image {\n  \
                strings:\n    $a = \".jpg\"\n    $b = \"From:\"\n  condition:\n    all of them\n}",
            "",
        );
        let shown: String = diff(&before, &after)
            .iter()
            .map(|change| format!("== {} {:?}\n{}", change.code, change.kind, change.lines))
            .collect();
        insta::assert_snapshot!(shown);
        assert_eq!(diff(&after, &after), []);
    }

    #[test]
    fn what_a_plain_rule_is_taken_for_is_part_of_its_version() {
        let rule = "rule one { condition: filesize > 9 }";
        let parts = ruleset(rule, "");
        assert_eq!(diff(&parts, &ruleset(rule, "[plain_yara]\ncategory = \"Malware\"\n")), []);
        let raw = diff(&parts, &ruleset(rule, "[plain_yara]\ntarget = \"raw\"\n"));
        assert!(raw.len() == 1 && raw[0].lines.contains("+target = \"raw\""), "{raw:?}");
        let spam = diff(&parts, &ruleset(rule, "[plain_yara]\ncategory = \"Spam\"\n"));
        assert!(spam.len() == 1 && spam[0].lines.contains("+category = \"Spam\""), "{spam:?}");
    }
}
