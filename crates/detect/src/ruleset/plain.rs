//! Plain YARA files in a ruleset: each rule becomes a detection of category Malware that holds, and reads
//! decoded parts (the contract of a drill's ruleset folder), unless `ruleset.toml` says otherwise.

use domain::detection::{Category, Detection, DetectionCode, DetectionVersion, Effect, Mode, Scope, Target};
use serde::Deserialize;
use yara_x_parser::ast::{AST, RuleFlags, WithSpan};

use super::load::{Prepared, Runs};

/// What plain rules are taken for: `[plain_yara]` of `ruleset.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlainAs {
    target: Target,
    category: Category,
    effect: Effect,
    mode: Mode,
}

impl Default for PlainAs {
    fn default() -> Self {
        Self { target: Target::Part(None), category: Category::Malware, effect: Effect::Hold, mode: Mode::Enforce }
    }
}

impl PlainAs {
    /// What of it takes part in a version; the defaults do not, so that they can be written down without changing it.
    fn piece(&self) -> String {
        let Self { target, category, effect, mode } = self;
        if *self == (Self { target: *target, ..Self::default() }) {
            return target.to_string();
        }
        format!("{target} {} {} {mode:?}", category.as_str(), effect.as_str())
    }

    /// A part recurs in other mails; a whole message or its header does not.
    fn scope(&self) -> Scope {
        if matches!(self.target, Target::Part(_) | Target::Text) { Scope::Content } else { Scope::Message }
    }
}

/// The rules of one file as detections, or all that is wrong with it.
pub(super) fn prepare(path: &str, bytes: &[u8], plain: &PlainAs) -> Result<Vec<Prepared>, Vec<String>> {
    let text = String::from_utf8(bytes.to_vec()).map_err(|error| vec![format!("{path}: {error}")])?;
    let tree = AST::from(text.as_str());
    let mut private = String::new();
    let imports: String = tree.imports().map(|import| format!("import \"{}\"\n", import.module_name)).collect();
    let mut helpers = Vec::new();
    let mut public = Vec::new();
    for rule in tree.rules() {
        let source = rule_source(&text, rule);
        if rule.flags.contains(RuleFlags::Private) || rule.flags.contains(RuleFlags::Global) {
            private.push_str(source);
            // For others it only decides whether they hit; it is a detection of its own elsewhere.
            let global = if rule.flags.contains(RuleFlags::Global) { "global " } else { "" };
            helpers.push((rule.identifier.name, format!("private {global}rule {source}\n")));
        }
        if !rule.flags.contains(RuleFlags::Private) {
            public.push((rule.identifier.name.to_owned(), source.to_owned()));
        }
    }
    let mut prepared = Vec::new();
    let mut errors = Vec::new();
    for (name, source) in public {
        match DetectionCode::parse(&name) {
            Ok(code) => {
                let others = helpers.iter().filter(|(helper, _)| *helper != name).map(|(_, text)| text.as_str());
                let alone = format!("{imports}{}rule {source}\n", others.collect::<String>());
                let version = DetectionVersion::of(&[source.as_bytes(), plain.piece().as_bytes(), private.as_bytes()]);
                prepared.push(one(path, &text, code, version, plain, alone));
            }
            Err(error) => errors.push(format!("{path}: {error}")),
        }
    }
    if errors.is_empty() { Ok(prepared) } else { Err(errors) }
}

/// `alone` is the text of this rule with all that it needs: what is kept, so that it can be run when its file is long
/// gone. Private and global rules of the file take part in what this rule means, so they take part in its version.
fn one(
    path: &str,
    text: &str,
    code: DetectionCode,
    version: DetectionVersion,
    plain: &PlainAs,
    alone: String,
) -> Prepared {
    let rule = code.as_str().to_owned();
    let detection = Detection {
        version,
        engine: "yara".into(),
        title: format!("YARA rule {code} of {path}"),
        category: plain.category,
        effect: plain.effect,
        target: plain.target,
        scope: plain.scope(),
        mode: plain.mode,
        owner: path.to_owned(),
        code,
    };
    Prepared { detection, source: alone, runs: Runs::Yara { rule, namespace: path.to_owned(), text: text.to_owned() } }
}

/// The text of one rule, from its name to its closing brace.
fn rule_source<'t>(text: &'t str, rule: &yara_x_parser::ast::Rule<'_>) -> &'t str {
    let begin = rule.identifier.span().start();
    let condition_end = rule.condition.span().end();
    let brace =
        text.get(condition_end..).and_then(|rest| rest.find('}')).map_or(text.len(), |at| condition_end + at + 1);
    text.get(begin..brace).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(text: &str) -> Vec<(String, String)> {
        let prepared = prepare("rules.yar", text.as_bytes(), &PlainAs::default()).unwrap_or_default();
        prepared.into_iter().map(|one| (one.detection.code.to_string(), one.detection.version.to_string())).collect()
    }

    #[test]
    fn a_rule_keeps_its_version_when_another_changes() {
        let before = versions("rule a { strings: $x = \"one\" condition: $x }\nrule b { condition: filesize > 5 }");
        let after =
            versions("rule a { strings: $x = \"one\" condition: $x }\n// new\nrule b { condition: filesize > 6 }");
        assert_eq!(before.len(), 2);
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
        let helped = versions("private rule h { condition: true }\nrule a { strings: $x = \"one\" condition: $x }");
        assert_eq!(helped.len(), 1, "a private rule is no detection");
        assert_ne!(helped[0], before[0]);
    }
}
