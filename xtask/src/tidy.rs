//! The house keeps its shape: layers, rooms, headers, and what must not be in the tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Which crates of ours each crate may use: arrows point down only.
const LAYERS: [(&str, &[&str]); 30] = [
    ("domain", &[]),
    ("wire", &["domain"]),
    ("detect", &["domain"]),
    ("store", &["domain"]),
    ("texts", &[]),
    ("platform", &["domain", "wire", "detect", "store", "texts"]),
    ("examiner", &["domain", "detect", "platform"]),
    ("known_good", &["domain", "detect", "store", "platform", "examiner"]),
    // The rooms: none imports another; they meet in the store and wake each other with signals that carry no data.
    ("gateway", &["domain", "wire", "detect", "store", "platform", "examiner", "known_good"]),
    ("rules", &["domain", "detect", "store", "platform", "examiner", "known_good"]),
    ("recovery", &["domain", "wire", "detect", "store", "platform", "examiner", "known_good"]),
    ("operations", &["domain", "wire", "store", "platform"]),
    // What people and programs see: one way to every act, and nobody but `service` asks the store for them.
    ("api_types", &[]),
    ("service", &["domain", "detect", "store", "platform", "examiner", "known_good", "api_types"]),
    ("http_listener", &["domain", "platform"]),
    ("web", &["domain", "service", "texts"]),
    ("api", &["domain", "platform", "api_types", "service", "http_listener", "web"]),
    ("exchange", &["domain", "platform", "api_types", "service"]),
    ("portal", &["domain", "platform", "service", "http_listener", "web"]),
    ("console", &["domain", "wire", "platform", "api_types", "service", "http_listener", "web", "texts"]),
    ("cli", &["domain", "wire", "detect", "store", "platform", "examiner", "known_good", "api_types"]),
    ("drill", &["domain", "wire", "detect", "store", "platform", "examiner", "known_good", "api_types", "cli"]),
    // The one that wires them.
    ("reprieve", &WIRED),
    ("simulator", &SIMULATED),
    ("properties", &["domain", "wire", "detect", "platform"]),
    ("scripted_hop", &["wire"]),
    ("test_runner", &["examiner"]),
    ("nameserver", &[]),
    ("nested", &[]),
    ("xtask", &[]),
];
/// What the program is wired of.
const WIRED: [&str; 19] = [
    "domain",
    "wire",
    "detect",
    "store",
    "platform",
    "examiner",
    "known_good",
    "gateway",
    "rules",
    "recovery",
    "operations",
    "service",
    "http_listener",
    "api",
    "exchange",
    "portal",
    "console",
    "cli",
    "drill",
];
/// What the simulator runs: the rooms that mail is in, and what is under them.
const SIMULATED: [&str; 11] = [
    "domain",
    "wire",
    "detect",
    "store",
    "platform",
    "examiner",
    "known_good",
    "gateway",
    "rules",
    "recovery",
    "scripted_hop",
];
/// What only tests use.
const FOR_TESTS: [&str; 4] = ["nameserver", "nested", "scripted_hop", "test_runner"];
/// What `domain` must not know: I/O, clocks, randomness, waiting.
const IMPURE: [&str; 9] =
    ["std::fs", "std::net::Tcp", "std::io", "SystemTime", "Instant::now", "tokio", "getrandom", "async fn", "std::env"];
/// Crates that are given parts of the store, and do not name all of it.
const GIVEN_PARTS: [&str; 6] = ["platform", "known_good", "gateway", "rules", "recovery", "operations"];
/// Lines of one file at most; half of it is usual.
const LINES_MAX: usize = 900;
/// The file of all messages of the console.
const MESSAGES: &str = "crates/texts/languages/en.ftl";
/// Messages that are found by a word of the service when a page is made.
const WORD: &str = "word-";
/// Characters of one line at most: what the formatter does not break (comments, markup, SQL) as well. A row of a table
/// in a doc comment cannot be broken.
const CHARS_MAX: usize = 120;

/// Checks the tree.
pub(crate) fn run() -> Result<()> {
    let mut faults = layers()?;
    let (mut files, mut code) = (Vec::new(), String::new());
    for folder in ["crates", "xtask", "bench", "fuzz"] {
        rust_files(Path::new(folder), &mut files)?;
    }
    for path in &files {
        let text = std::fs::read_to_string(path)?;
        faults.extend(of_file(path, &text));
        code.push_str(&text);
    }
    faults.extend(unused_messages(&std::fs::read_to_string(MESSAGES)?, &code));
    ensure!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
    println!("{} files, layers and rooms as they should be", files.len());
    Ok(())
}

/// Messages that no page says: a translator's work for nothing.
fn unused_messages(messages: &str, code: &str) -> Vec<String> {
    // Where a line was too long the name stands on the next one.
    let code: String = code.split_whitespace().collect();
    let names = messages.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let names = names.filter_map(|line| line.split_once(" =")).map(|(name, _)| name);
    let is_unused = |name: &&str| {
        let said = format!("say!({}", name.replace('-', "_"));
        let whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        !name.starts_with(WORD) && !code.split(said.as_str()).skip(1).any(whole)
    };
    names.filter(is_unused).map(|name| format!("{MESSAGES}: no page says {name}")).collect()
}

fn layers() -> Result<Vec<String>> {
    let metadata = MetadataCommand::new().no_deps().other_options(["--locked".to_owned()]).exec()?;
    arrows(&metadata.packages)
}

/// The arrows between crates of ours that point where they must not.
fn arrows(packages: &[Package]) -> Result<Vec<String>> {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.into_iter().collect();
    let mut faults = Vec::new();
    for package in packages {
        let may = allowed
            .get(package.name.as_str())
            .with_context(|| format!("crate {} has no place in the layers", package.name))?;
        for dependency in &package.dependencies {
            let ours = allowed.contains_key(dependency.name.as_str());
            let for_tests =
                FOR_TESTS.contains(&dependency.name.as_str()) && dependency.kind == DependencyKind::Development;
            if ours && !for_tests && !may.contains(&dependency.name.as_str()) {
                faults.push(format!("{} must not use {}: arrows point down only", package.name, dependency.name));
            }
        }
    }
    Ok(faults)
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn of_file(path: &Path, text: &str) -> Vec<String> {
    let name = path.display();
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!("{name}: begins without a //! header"));
    }
    if text.lines().count() > LINES_MAX {
        faults.push(format!("{name}: over {LINES_MAX} lines"));
    }
    let is_row = |line: &str| line.starts_with("//! |") || line.trim_start().starts_with("/// |");
    for (at, _) in text.lines().enumerate().filter(|(_, line)| line.chars().count() > CHARS_MAX && !is_row(line)) {
        faults.push(format!("{name}:{}: over {CHARS_MAX} characters", at + 1));
    }
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    if path.starts_with("crates/domain/src") {
        faults.extend(
            IMPURE
                .iter()
                .filter(|word| code.contains(**word))
                .map(|word| format!("{name}: domain must not know {word}")),
        );
    }
    if GIVEN_PARTS.iter().any(|room| path.starts_with(format!("crates/{room}/src"))) && names_all_of_the_store(&code) {
        faults.push(format!("{name}: takes all of the store; it is given the parts that it needs"));
    }
    faults
}

/// Whether code imports or names `store::Store`, and not only parts of it.
fn names_all_of_the_store(code: &str) -> bool {
    let has_it = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "Store");
    let of_store = |statement: &&str| statement.trim_start().starts_with("use store::");
    code.split(';').filter(of_store).any(has_it)
        || code.split("store::").skip(1).any(|rest| rest.split(|c: char| !c.is_alphanumeric()).next() == Some("Store"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_between_rooms_is_refused() {
        let metadata = MetadataCommand::new().no_deps().exec().expect("this workspace");
        let mut packages = metadata.packages;
        assert_eq!(arrows(&packages).expect("all have a place"), Vec::<String>::new());
        let arrow = packages
            .iter()
            .find(|package| package.name.as_str() == "reprieve")
            .and_then(|package| package.dependencies.iter().find(|dependency| dependency.name == "console").cloned());
        let gateway = packages.iter_mut().find(|package| package.name.as_str() == "gateway").expect("the gateway");
        gateway.dependencies.push(arrow.expect("the program uses the console"));
        let faults = arrows(&packages).expect("all have a place");
        assert_eq!(faults, ["gateway must not use console: arrows point down only"]);
    }

    #[test]
    fn a_room_that_takes_all_of_the_store_is_refused() {
        let of = |path: &str, code: &str| of_file(Path::new(path), &format!("//! A task.\n\n{code}\n"));
        let all = [
            "use std::sync::Arc;\nuse store::Store;",
            "use store::{\n    ReleaseStore, Store,\n    StoreError,\n};",
            "fn of(store: &store::Store) {}",
        ];
        for code in all {
            let refused = ["crates/rules/src/a.rs: takes all of the store; it is given the parts that it needs"];
            assert_eq!(of("crates/rules/src/a.rs", code), refused, "{code}");
            assert_eq!(of("crates/reprieve/src/a.rs", code), Vec::<String>::new(), "the program has all of it");
        }
        let parts = "use store::{ReleaseStore, StoreError};\nuse store::release::Claim;\nenum E { Store(StoreError) }";
        assert_eq!(of("crates/rules/src/a.rs", parts), Vec::<String>::new());
    }

    #[test]
    fn a_message_that_no_page_says_is_named() {
        let messages =
            "# a comment\nnav-main = Main\nnav-main-more = More\nlist-of =\n    { $a } = b\nword-held = held\n";
        let of = |code: &str| unused_messages(messages, code);
        assert_eq!(of("say!(nav_main) say!(\n    list_of,\n a = 1) say!(nav_main_more)"), Vec::<String>::new());
        let unused = ["nav-main", "list-of"].map(|name| format!("{MESSAGES}: no page says {name}"));
        assert_eq!(of("say!(nav_main_more)"), unused);
    }
}
