//! What other readers see of the same bytes, beside what we see: files in mails against Python's email, names in
//! damaged archives against 7-Zip, unzip and Python's zipfile, hosts of links against the tests of the URL standard.
//! A file that another reader sees and we do not is a difference; each is listed, and explained in
//! `docs/differential.md`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use serde::Deserialize;

use crate::ci::cargo;

const MAIL: &str = include_str!("differential/mail.py");
const ARCHIVE: &str = include_str!("differential/archive.py");
/// Differences of one kind that are printed.
const SHOWN_MAX: usize = 20;

/// The parts as we see them.
#[derive(Debug, Deserialize)]
struct Ours {
    parts: Vec<OurPart>,
}

#[derive(Debug, Deserialize)]
struct OurPart {
    names: Vec<String>,
    sha256: String,
}

/// A file as Python's email sees it.
#[derive(Debug, Deserialize)]
struct PythonFile {
    policy: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    size: u64,
}

/// An archive as other unpackers list it.
#[derive(Debug, Deserialize)]
struct Listed {
    path: String,
    seen: BTreeMap<String, Vec<String>>,
}

/// All mails below a folder.
pub(crate) fn mails(folder: &str) -> Result<()> {
    let mut paths = Vec::new();
    below(Path::new(folder), &mut paths)?;
    paths.sort();
    ensure!(!paths.is_empty(), "no mail below {folder}");
    let asked: String = paths.iter().map(|path| format!("{}\n", path.display())).collect();
    let theirs = answers(Command::new("python3").args(["-c", MAIL]), &asked)?;
    let asked: String = paths.iter().map(|path| format!("mail {}\n", path.display())).collect();
    let ours = answers(&mut readings()?, &asked)?;
    ensure!(ours.len() == paths.len() && theirs.len() == paths.len(), "a reader stopped early");
    let mut differences = Differences::default();
    for ((path, ours), theirs) in paths.iter().zip(&ours).zip(&theirs) {
        let ours: Ours = serde_json::from_str(ours)?;
        let theirs: Vec<PythonFile> = serde_json::from_str(theirs)?;
        for file in theirs.iter().filter(|file| file.size > 0) {
            differences.compared += 1;
            let same = |part: &&OurPart| part.sha256 == file.sha256;
            let name = plain(&file.name);
            let what = format!("{}: '{}' of {} bytes", path.display(), file.name, file.size);
            if ours.parts.iter().any(|part| same(&part) && part.names.iter().any(|one| plain(one) == name)) {
                continue;
            }
            let kind = if ours.parts.iter().any(|part| same(&part)) {
                "the same content by another name"
            } else if ours.parts.iter().any(|part| part.names.iter().any(|one| plain(one) == name)) {
                "the same name with other content"
            } else {
                "a file that we do not see"
            };
            differences.add(format!("email ({}): {kind}", file.policy), what);
        }
    }
    differences.print("files in mails")
}

/// So many damaged archives, made from a seed.
pub(crate) fn archives(count: &str, seed: &str) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("reprieve-differential-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = in_folder(&folder, count, seed);
    std::fs::remove_dir_all(&folder)?;
    outcome
}

fn in_folder(folder: &Path, count: &str, seed: &str) -> Result<()> {
    let folder = folder.to_str().context("the folder for temporary files has no plain name")?;
    let listed = answers(Command::new("python3").args(["-c", ARCHIVE, folder, count, seed]), "")?;
    let listed: Vec<Listed> = listed.iter().map(|line| Ok(serde_json::from_str(line)?)).collect::<Result<_>>()?;
    let asked: String = listed.iter().map(|one| format!("file {}\n", one.path)).collect();
    let ours = answers(&mut readings()?, &asked)?;
    ensure!(ours.len() == listed.len(), "our reader stopped early");
    let mut differences = Differences::default();
    for (listed, ours) in listed.iter().zip(&ours) {
        let ours: Ours = serde_json::from_str(ours)?;
        for (reader, names) in &listed.seen {
            differences.compared += names.len();
            for name in names {
                let mut names = ours.parts.iter().flat_map(|part| &part.names);
                if !names.any(|one| plain(one) == plain(name)) {
                    differences
                        .add(format!("{reader}: a name that we do not see"), format!("{}: {name:?}", listed.path));
                }
            }
        }
    }
    differences.print("names in archives")
}

/// A test of the URL standard: `urltestdata.json` of the web platform tests.
#[derive(Debug, Deserialize)]
struct UrlTest {
    input: String,
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    protocol: Option<String>,
    #[serde(default)]
    failure: bool,
}

/// The hosts of the links in a copy of `urltestdata.json`.
pub(crate) fn links(file: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.to_owned())?;
    let tests: Vec<serde_json::Value> = serde_json::from_str(&text)?;
    let tests: Vec<UrlTest> = tests.into_iter().filter_map(|test| serde_json::from_value(test).ok()).collect();
    let is_of_web = |test: &&UrlTest| {
        test.base.as_deref().is_none_or(|base| base.starts_with("about:"))
            && matches!(test.protocol.as_deref(), Some("http:" | "https:"))
            && !test.failure
            && !test.input.contains('\u{fffd}')
    };
    let tests: Vec<UrlTest> = tests
        .iter()
        .filter(is_of_web)
        .map(|test| UrlTest {
            input: test.input.clone(),
            base: None,
            hostname: test.hostname.clone(),
            protocol: test.protocol.clone(),
            failure: false,
        })
        .collect();
    let asked: String = tests
        .iter()
        .map(|test| Ok(format!("link {}\n", serde_json::to_string(&test.input)?)))
        .collect::<Result<_>>()?;
    let ours = answers(&mut readings()?, &asked)?;
    ensure!(ours.len() == tests.len(), "our reader stopped early");
    let mut differences = Differences::default();
    for (test, ours) in tests.iter().zip(&ours) {
        differences.compared += 1;
        let ours: Option<String> = serde_json::from_str(ours)?;
        if ours.as_deref().unwrap_or_default() != test.hostname.as_deref().unwrap_or_default() {
            let what = format!("{:?} leads to {:?}, we say {ours:?}", test.input, test.hostname);
            differences.add("a link of the web".into(), what);
        }
    }
    differences.print("hosts of links")
}

/// A name without folders and without what is not plain ASCII: readers differ in the charset that they take, and in
/// what they show of a character that cannot be shown.
fn plain(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_ascii_graphic() && *c != '?').collect();
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase()
}

#[derive(Default)]
struct Differences {
    compared: usize,
    found: BTreeMap<String, Vec<String>>,
}

impl Differences {
    fn add(&mut self, kind: String, what: String) {
        self.found.entry(kind).or_default().push(what);
    }

    fn print(&self, what: &str) -> Result<()> {
        for (kind, found) in &self.found {
            println!("{kind}: {}", found.len());
            for one in found.iter().take(SHOWN_MAX) {
                println!("    {one}");
            }
        }
        let count: usize = self.found.values().map(Vec::len).sum();
        println!("{what}: {} compared, {count} differences", self.compared);
        Ok(())
    }
}

/// Our reader, as the tests build it.
fn readings() -> Result<Command> {
    cargo(&["build", "--profile", "ci", "--workspace", "--example", "readings"], &[])?;
    let metadata = MetadataCommand::new().no_deps().exec()?;
    Ok(Command::new(metadata.target_directory.join("ci/examples/readings")))
}

/// The lines that a program answers to what it is asked on standard input.
fn answers(program: &mut Command, asked: &str) -> Result<Vec<String>> {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program:?} does not start"))?;
    let mut input = child.stdin.take().context("no standard input")?;
    let asked = asked.to_owned();
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().ok().context("the questions could not be written")??;
    ensure!(output.status.success(), "{program:?} failed");
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn below(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, paths)?;
        } else if path.extension().is_some_and(|end| matches!(end.to_str(), Some("eml" | "msg" | "txt" | "mbox"))) {
            paths.push(path);
        }
    }
    Ok(())
}
