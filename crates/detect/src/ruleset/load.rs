//! A folder to a [`Ruleset`]: every detection is read and compiled, and all faults are told at once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use domain::detection::{Category, Detection, DetectionCode, DetectionVersion, Effect, Mode, RulesetId, Scope, Target};
use serde::Deserialize;

use super::{Fixtures, LoadErrors, Ruleset, plain};
use crate::classifier::Model;
use crate::scorecard::card::Card;
use crate::structure::Check;
use crate::yara::{self, Layer, RuleSets};

/// Bytes of one file of a ruleset at most.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// The file of a trained model, in the folder of its detection.
pub const WEIGHTS: &str = "weights.txt";
/// The file of a scorecard, in the folder of its detection.
pub const SCORECARD: &str = "scorecard.txt";
/// Files of a ruleset at most.
const FILES_MAX: usize = 20_000;

/// `detection.toml`, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    code: String,
    title: String,
    engine: String,
    /// For a check of ours: its name.
    check: Option<String>,
    /// For a check of ours: grows when the check's code changes what it means.
    revision: Option<u32>,
    category: Category,
    effect: Effect,
    target: Target,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    mode: Mode,
    owner: String,
    since: String,
}

/// One detection with what it needs to run.
pub(super) struct Prepared {
    pub(super) detection: Detection,
    pub(super) source: String,
    pub(super) runs: Runs,
}

/// How a detection runs.
pub(super) enum Runs {
    Check(Check),
    Model(Model),
    Card(Card),
    /// The rule's identifier; its namespace; the text to compile, once for each namespace.
    Yara {
        rule: String,
        namespace: String,
        text: String,
    },
}

/// What a folder of rules holds, for who named another.
const HOLDS: &str = "a ruleset folder has a folder for each detection, with a detection.toml in it (and the .yar file \
    or the table that it names), or plain \
    .yar and .yara files; `reprieve ruleset lint` without a folder looks at the shipped one";

/// The ruleset in a folder, or the shipped one where no folder is named.
///
/// # Errors
/// Everything that is wrong with it.
pub fn from_folder_or_shipped(folder: Option<&Path>) -> Result<Ruleset, LoadErrors> {
    folder.map_or_else(Ruleset::shipped, from_folder)
}

/// Loads a ruleset from a folder: one folder a detection, or plain YARA files, or both.
///
/// # Errors
/// Everything that is wrong with it.
pub fn from_folder(folder: &Path) -> Result<Ruleset, LoadErrors> {
    from_files(folder_files(folder)?)
}

/// The files of a ruleset's folder by path, or of a single YARA file.
///
/// # Errors
/// When it cannot be read, or is over a limit.
pub fn folder_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, LoadErrors> {
    let failed = |error: std::io::Error| LoadErrors(vec![format!("{}: {error}", folder.display())]);
    if folder.is_file() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(BTreeMap::from([(name, std::fs::read(folder).map_err(failed)?)]));
    }
    let mut files = BTreeMap::new();
    read_folder(folder, folder, &mut files).map_err(failed)?;
    Ok(files)
}

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        // What cannot be read is named: it may be that this is no ruleset folder at all.
        let failed = |error: std::io::Error| std::io::Error::other(format!("{name} in it: {error}. {HOLDS}"));
        if path.is_dir() {
            match read_folder(root, &path, files) {
                Err(error) if error.kind() != std::io::ErrorKind::Other => return Err(failed(error)),
                read => read?,
            }
            continue;
        }
        let bytes = path.metadata().map_err(failed)?.len();
        if files.len() >= FILES_MAX || bytes > FILE_BYTES_MAX {
            let most = FILE_BYTES_MAX >> 20;
            let why = format!("a ruleset has at most {FILES_MAX} files, of {most} MiB each");
            return Err(failed(std::io::Error::other(why)));
        }
        files.insert(name.clone(), std::fs::read(&path).map_err(failed)?);
    }
    Ok(())
}

/// Loads a ruleset from files in memory, by path.
///
/// # Errors
/// Everything that is wrong with it.
pub fn from_files(files: BTreeMap<String, Vec<u8>>) -> Result<Ruleset, LoadErrors> {
    let mut errors = Vec::new();
    let mut prepared = Vec::new();
    let settings = settings(&files).map_err(|error| LoadErrors(vec![error]))?;
    for (path, bytes) in &files {
        let result = match path.rsplit('/').next().unwrap_or_default() {
            "detection.toml" => prepare(path, bytes, &files).map(|one| prepared.push(one)).map_err(|error| vec![error]),
            name if is_plain_yara(name) && !belongs_to_detection(path, &files) => {
                plain::prepare(path, bytes, &settings.plain_yara).map(|rules| prepared.extend(rules))
            }
            _ => Ok(()),
        };
        errors.extend(result.err().into_iter().flatten());
    }
    if prepared.is_empty() && errors.is_empty() {
        errors.push(format!("there is no detection in it: {HOLDS}"));
    }
    let mut ruleset = assemble(prepared, errors)?;
    ruleset.pages = pages(&files, &ruleset);
    ruleset.fixtures = fixtures(&files, &ruleset);
    Ok(ruleset)
}

/// The file of a ruleset's own settings.
pub const SETTINGS: &str = "ruleset.toml";

/// `ruleset.toml`, as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    plain_yara: plain::PlainAs,
}

fn settings(files: &BTreeMap<String, Vec<u8>>) -> Result<Settings, String> {
    let Some(bytes) = files.get(SETTINGS) else { return Ok(Settings::default()) };
    toml::from_slice(bytes).map_err(|error| format!("{SETTINGS}: {error}"))
}

/// The pages of the detections that have a folder of their own.
fn pages(files: &BTreeMap<String, Vec<u8>>, ruleset: &Ruleset) -> BTreeMap<DetectionCode, String> {
    let page = |(path, bytes): (&String, &Vec<u8>)| {
        let folder = path.strip_suffix("/page.md")?;
        let code = DetectionCode::parse(folder.rsplit('/').next()?).ok()?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        ruleset.detections.contains_key(&code).then_some((code, text))
    };
    files.iter().filter_map(page).collect()
}

/// Bytes of a fixture that are kept for reading; of a longer one only these.
const FIXTURE_BYTES_KEPT: usize = 64 << 10;

/// The fixtures of the detections that have a folder of their own.
fn fixtures(files: &BTreeMap<String, Vec<u8>>, ruleset: &Ruleset) -> BTreeMap<DetectionCode, Fixtures> {
    let kept = |bytes: &Vec<u8>| String::from_utf8_lossy(&bytes[..bytes.len().min(FIXTURE_BYTES_KEPT)]).into_owned();
    let both = |(path, hit): (&String, &Vec<u8>)| {
        let folder = path.strip_suffix("/hit.eml")?;
        let code = DetectionCode::parse(folder.rsplit('/').next()?).ok()?;
        let miss = files.get(&format!("{folder}/miss.eml"))?;
        let both = Fixtures { hit: kept(hit), miss: kept(miss) };
        ruleset.detections.contains_key(&code).then_some((code, both))
    };
    files.iter().filter_map(both).collect()
}

/// Whether a ruleset is nothing but plain YARA files: such a one is added to what is in force.
pub fn is_plain(files: &BTreeMap<String, Vec<u8>>) -> bool {
    !files.keys().any(|path| path.rsplit('/').next() == Some("detection.toml"))
}

fn is_plain_yara(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("yar") || end.eq_ignore_ascii_case("yara"))
}

fn belongs_to_detection(path: &str, files: &BTreeMap<String, Vec<u8>>) -> bool {
    path.rsplit_once('/').is_some_and(|(folder, _)| files.contains_key(&format!("{folder}/detection.toml")))
}

fn prepare(path: &str, bytes: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Result<Prepared, String> {
    let at = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let text = std::str::from_utf8(bytes).map_err(|error| at(&error))?;
    let written: Written = toml::from_str(text).map_err(|error| at(&error))?;
    let code = DetectionCode::parse(&written.code).map_err(|error| at(&error))?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if !folder.ends_with(code.as_str()) {
        return Err(at(&format!("code {code} must be the name of its folder")));
    }
    // The canonical form: what was written, key by key, so that a comment or a blank changes no version.
    let canonical: toml::Table = toml::from_str(text).map_err(|error| at(&error))?;
    let canonical = serde_json::to_string(&canonical).map_err(|error| at(&error))?;
    let (runs, rule_text) = match written.engine.as_str() {
        "structure" | "auth" => {
            let check = written.check.as_deref().and_then(Check::parse);
            let check = check.ok_or_else(|| {
                at(&format!(
                    "'check' must be one of {}",
                    Check::all().map(Check::as_str).collect::<Vec<_>>().join(", ")
                ))
            })?;
            written.revision.ok_or_else(|| at(&"'revision' is missing"))?;
            (Runs::Check(check), String::new())
        }
        "yara" => {
            let rule_path = format!("{folder}/rule.yar");
            let rule_text = files.get(&rule_path).ok_or_else(|| format!("{rule_path}: is missing"))?;
            let rule_text = String::from_utf8(rule_text.clone()).map_err(|error| format!("{rule_path}: {error}"))?;
            let rule = code.as_str().replace('-', "_");
            (Runs::Yara { rule, namespace: code.to_string(), text: rule_text.clone() }, rule_text)
        }
        "text" => {
            let path = format!("{folder}/{WEIGHTS}");
            let weights =
                files.get(&path).ok_or_else(|| format!("{path}: is missing; `reprieve classifier train` makes one"))?;
            let weights = String::from_utf8(weights.clone()).map_err(|error| format!("{path}: {error}"))?;
            let is_tagging = matches!(written.category, Category::Spam | Category::Bulk);
            let model = Model::parse(&weights).and_then(|model| model.fit_for(is_tagging));
            (Runs::Model(model.map_err(|error| format!("{path}: {error}"))?), weights)
        }
        "scorecard" => {
            let path = format!("{folder}/{SCORECARD}");
            let card =
                files.get(&path).ok_or_else(|| format!("{path}: is missing; `cargo xtask calibrate` makes one"))?;
            let card = String::from_utf8(card.clone()).map_err(|error| format!("{path}: {error}"))?;
            (Runs::Card(Card::parse(&card).map_err(|error| format!("{path}: {error}"))?), card)
        }
        other => {
            return Err(at(&format!("engine '{other}' is not 'yara', 'structure', 'auth', 'text' or 'scorecard'")));
        }
    };
    let version = DetectionVersion::of(&[canonical.as_bytes(), rule_text.as_bytes()]);
    let source = if rule_text.is_empty() { canonical } else { format!("{canonical}\n{rule_text}") };
    let _ = written.since;
    let detection = Detection {
        code,
        version,
        engine: written.engine,
        title: written.title,
        category: written.category,
        effect: written.effect,
        target: written.target,
        scope: written.scope,
        mode: written.mode,
        owner: written.owner,
    };
    Ok(Prepared { detection, source, runs })
}

/// Loads detections as they were stored, and says which do not load any more; such a one takes no other with it.
pub fn from_stored(stored: Vec<(Detection, String)>) -> (Ruleset, Vec<String>) {
    let mut prepared = Vec::new();
    let mut faults = Vec::new();
    for (detection, source) in stored {
        let code = detection.code.clone();
        match prepare_stored(detection, source) {
            Ok(one) => prepared.push(one),
            Err(fault) => faults.push(format!("{code}: {fault}")),
        }
    }
    match assemble(prepared, Vec::new()) {
        Ok(ruleset) => (ruleset, faults),
        Err(errors) => (Ruleset::empty(), [faults, errors.0].concat()),
    }
}

/// Loads detections as they were stored, all of them or none.
///
/// # Errors
/// When one does not load any more.
pub fn all_of(stored: Vec<(Detection, String)>) -> Result<Ruleset, LoadErrors> {
    let (ruleset, faults) = from_stored(stored);
    if faults.is_empty() { Ok(ruleset) } else { Err(LoadErrors(faults)) }
}

/// What was written about a detection, and the text of its rule; either may be empty.
pub(super) fn halves(source: &str) -> (&str, &str) {
    match source.split_once('\n') {
        Some((head, text)) if head.starts_with('{') => (head, text),
        None if source.starts_with('{') => (source, ""),
        _ => ("{}", source),
    }
}

/// A stored source is what [`prepare`] or [`plain::prepare`] kept: a line of JSON, and the rule behind it; or the rule
/// alone.
fn prepare_stored(detection: Detection, source: String) -> Result<Prepared, String> {
    let prepared = prepare_compiled(detection, source)?;
    if let Runs::Yara { text, .. } = &prepared.runs {
        yara::compiler().add_source(text.as_str()).map_err(|error| error.to_string())?;
    }
    Ok(prepared)
}

/// As [`prepare_stored`], for a rule that has been compiled already.
fn prepare_compiled(detection: Detection, source: String) -> Result<Prepared, String> {
    let (head, text) = halves(&source);
    let runs = match detection.engine.as_str() {
        "structure" | "auth" => {
            let written: serde_json::Value = serde_json::from_str(head).map_err(|error| error.to_string())?;
            let check = written["check"].as_str().and_then(Check::parse);
            Runs::Check(check.ok_or("its check is not known any more")?)
        }
        "yara" => {
            let rule = detection.code.as_str().replace('-', "_");
            Runs::Yara { rule, namespace: detection.code.to_string(), text: text.to_owned() }
        }
        "text" => Runs::Model(Model::parse(text).map_err(|error| error.to_string())?),
        "scorecard" => Runs::Card(Card::parse(text).map_err(|error| error.to_string())?),
        other => return Err(format!("engine {other} has no earlier form to run")),
    };
    Ok(Prepared { detection, source, runs })
}

/// Loads detections as they were stored, with their rules as they were compiled from them.
///
/// # Errors
/// When one does not load any more.
pub(super) fn compiled(stored: Vec<(Detection, String)>, yara: RuleSets) -> Result<Ruleset, LoadErrors> {
    let prepared = stored.into_iter().map(|(detection, source)| {
        let code = detection.code.clone();
        prepare_compiled(detection, source).map_err(|fault| LoadErrors(vec![format!("{code}: {fault}")]))
    });
    let (ruleset, _, errors) = index(prepared.collect::<Result<_, _>>()?);
    if errors.is_empty() { Ok(Ruleset { yara, ..ruleset }) } else { Err(LoadErrors(errors)) }
}

fn assemble(prepared: Vec<Prepared>, mut errors: Vec<String>) -> Result<Ruleset, LoadErrors> {
    let (mut ruleset, texts, doubles) = index(prepared);
    errors.extend(doubles);
    for (layer, texts) in texts {
        match compile(&texts) {
            Ok(compiled) => drop(ruleset.yara.0.insert(layer, compiled)),
            Err(faults) => errors.extend(faults),
        }
    }
    if errors.is_empty() { Ok(ruleset) } else { Err(LoadErrors(errors)) }
}

/// The texts of rules by layer, and in it by namespace.
type Texts = BTreeMap<Layer, BTreeMap<String, String>>;

/// A ruleset without its compiled rules, the texts that they are compiled from, and which codes are defined twice.
fn index(prepared: Vec<Prepared>) -> (Ruleset, Texts, Vec<String>) {
    let mut ruleset = Ruleset::empty();
    let mut texts = Texts::new();
    let mut doubles = Vec::new();
    for Prepared { detection, source, runs } in prepared {
        let code = detection.code.clone();
        match runs {
            Runs::Check(check) => ruleset.checks.entry(check).or_default().push(code.clone()),
            Runs::Model(model) => drop(ruleset.models.insert(code.clone(), model)),
            Runs::Card(card) => drop(ruleset.cards.insert(code.clone(), card)),
            Runs::Yara { rule, namespace, text } => {
                texts.entry(Layer::of(detection.target)).or_default().insert(namespace.clone(), text);
                ruleset.rules.insert((namespace, rule), code.clone());
            }
        }
        ruleset.sources.insert(code.clone(), source);
        if ruleset.detections.insert(code.clone(), detection).is_some() {
            doubles.push(format!("{code} is defined twice"));
        }
    }
    ruleset.id = RulesetId::of(ruleset.versions());
    (ruleset, texts, doubles)
}

impl Ruleset {
    fn empty() -> Self {
        let id = RulesetId::of([]);
        let (detections, sources) = (BTreeMap::new(), BTreeMap::new());
        let (pages, fixtures) = (BTreeMap::new(), BTreeMap::new());
        let (checks, rules, yara) = (HashMap::new(), HashMap::new(), RuleSets::default());
        let (models, cards) = (BTreeMap::new(), BTreeMap::new());
        Self { id, detections, sources, pages, fixtures, checks, rules, models, cards, yara, previous: None }
    }
}

fn compile(texts: &BTreeMap<String, String>) -> Result<yara_x::Rules, Vec<String>> {
    let mut compiler = yara::compiler();
    let mut faults = Vec::new();
    for (namespace, text) in texts {
        compiler.new_namespace(namespace);
        if let Err(error) = compiler.add_source(yara_x::SourceCode::from(text.as_str()).with_origin(namespace)) {
            faults.push(format!("{namespace}: {error}"));
        }
    }
    if faults.is_empty() { Ok(compiler.build()) } else { Err(faults) }
}
