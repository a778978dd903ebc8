//! What is declared of the settings, as data: the commented example and the reference are written from it.

use super::reading::Reading;

/// Characters of a comment line in the example.
const COMMENT_CHARS_MAX: usize = 120;

/// The top of the example.
const EXAMPLE_TOP: &str = "\
# Reprieve: every key, with its default or a usual value. Lines that begin with `#: ` are defaults.
# Check a file with `reprieve config check --config FILE`.
";

/// The top of the reference.
const REFERENCE_TOP: &str = "\
# Settings

Every key of the configuration file: what it is, what may stand there, and what counts where it does not.
`reprieve config example` prints a file with all of them, `reprieve config check --config FILE` tells everything that
is wrong with one, and *Settings* in the console shows what is in force. Paths are relative to the folder of the file.
`reprieve reload` puts in force what has changed ([how](reload.md)); what needs a restart says so here.

This page is written from the declarations in `crates/platform/src/config`; a test says when it is not up to date.
";

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SectionDeclaration {
    /// Its name in the file, such as `engine.clamd`; empty for what stands before all sections.
    pub(super) path: String,
    /// What it is for; empty where a section before it says it.
    pub(super) about: &'static str,
    /// Whether there may be several: `[[listener]]`.
    pub(super) is_repeated: bool,
    /// Its settings, in the order of the example.
    pub(super) settings: Vec<SettingDeclaration>,
    /// Lines of the example behind its settings.
    pub(super) more_example: &'static str,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SettingDeclaration {
    /// Its key in the section.
    pub(super) key: &'static str,
    /// What it is.
    pub(super) help: &'static str,
    /// What may stand there.
    pub(super) allowed: String,
    /// What counts where it is not set: a value in TOML or words; none where nothing does.
    pub(super) default: Option<String>,
    /// What the example has, in TOML.
    pub(super) example: String,
    /// Whether the example sets it, instead of having it behind `#: `.
    pub(super) is_written: bool,
    /// Where Health shows it.
    pub(super) row: HealthRow,
    /// Whether it comes into force with a new process only.
    pub(super) needs_restart: bool,
}

/// Where Health shows a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HealthRow {
    /// In a row of its own.
    Own(&'static str),
    /// In a row together with others.
    With(&'static str),
    /// Nowhere.
    None,
}

impl SectionDeclaration {
    /// A section without settings yet.
    pub(super) fn new(path: String, about: &'static str) -> Self {
        Self { path, about, is_repeated: false, settings: Vec::new(), more_example: "" }
    }

    fn header(&self) -> String {
        if self.is_repeated { format!("[[{}]]", self.path) } else { format!("[{}]", self.path) }
    }

    fn is_written(&self) -> bool {
        self.settings.iter().any(|setting| setting.is_written)
    }
}

/// Everything that can be set, in the order of the example.
pub(super) fn all() -> Vec<SectionDeclaration> {
    let reading = Reading::of_nothing();
    super::read(&reading, None);
    reading.declared.map(std::cell::RefCell::into_inner).unwrap_or_default()
}

/// The commented example: every key with its default.
pub fn example() -> String {
    let mut out = EXAMPLE_TOP.to_owned();
    let mut said = Vec::new();
    for section in all() {
        let follows = section.about.is_empty();
        if !follows {
            out.push('\n');
            comment(&mut out, section.about);
        }
        if !section.path.is_empty() && !section.settings.is_empty() {
            out.push_str(if section.is_written() { "" } else { "#: " });
            out.push_str(&section.header());
            out.push('\n');
        }
        for setting in &section.settings {
            if section.path.is_empty() {
                out.push('\n');
            }
            // Siblings, such as the next hops and the categories, say it once.
            let is_said =
                said.contains(&(setting.key, setting.help)) || said.last().is_some_and(|last| last.1 == setting.help);
            if !is_said {
                comment(&mut out, setting.help);
                said.push((setting.key, setting.help));
            }
            let mark = if setting.is_written { "" } else { "#: " };
            out.push_str(&format!("{mark}{} = {}\n", setting.key, setting.example));
        }
        out.push_str(section.more_example);
    }
    out
}

/// The reference: a page of the guide, in Markdown.
pub fn reference() -> String {
    let mut out = REFERENCE_TOP.to_owned();
    for section in all() {
        let header = if section.path.is_empty() { "Before all sections".into() } else { section.header() };
        if !section.settings.is_empty() || !section.about.is_empty() {
            out.push_str(&format!("\n## {header}\n"));
        }
        if !section.about.is_empty() {
            out.push_str(&format!("\n{}\n", section.about));
        }
        if section.settings.is_empty() {
            continue;
        }
        out.push_str("\n| key | default | may be | what it is |\n|---|---|---|---|\n");
        for setting in &section.settings {
            let default = setting.default.as_deref().unwrap_or("none");
            let restart = if setting.needs_restart { " A change of it needs a restart." } else { "" };
            let help = format!("{}{restart}", cell(setting.help));
            let cells = [format!("`{}`", setting.key), code(default), cell(&setting.allowed), help];
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    out
}

/// A value of TOML is code; words are not.
fn code(default: &str) -> String {
    let is_value = default.starts_with(['"', '[']) && default.ends_with(['"', ']'])
        || default.starts_with(|first: char| first.is_ascii_digit())
        || matches!(default, "true" | "false");
    if is_value { format!("`{default}`") } else { cell(default) }
}

/// What would end a cell of a table, or begin a tag, does not.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// A text as lines of comment.
fn comment(out: &mut String, text: &str) {
    let mut line = "#".to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > COMMENT_CHARS_MAX {
            out.push_str(&line);
            out.push('\n');
            line = "#".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    if line.len() > 1 {
        out.push_str(&line);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::config::shown::{Section, shown};
    use crate::config::{Config, EXAMPLE};

    /// Compares a file of the tree with what is written from the declarations, or writes it anew.
    fn is_up_to_date(file: &str, text: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, text).expect("is written");
        }
        let is_same = std::fs::read_to_string(&path).is_ok_and(|there| there == text);
        assert!(
            is_same,
            "{file} is not what is declared: run this test with INSTA_UPDATE=always, then read `git diff`"
        );
    }

    #[test]
    fn the_example_and_the_reference_are_up_to_date() {
        is_up_to_date("src/config/example.toml", &example());
        is_up_to_date("../../docs/guide/settings.md", &reference());
    }

    #[test]
    fn every_setting_says_what_it_is_and_what_may_stand_there() {
        for section in all() {
            for setting in &section.settings {
                let SettingDeclaration { key, help, allowed, example, .. } = setting;
                assert!(help.ends_with('.') && !allowed.is_empty() && !example.is_empty(), "{}.{key}", section.path);
            }
            let keys: BTreeSet<&str> = section.settings.iter().map(|setting| setting.key).collect();
            assert_eq!(keys.len(), section.settings.len(), "a key stands for one setting: {}", section.path);
        }
    }

    #[test]
    fn the_defaults_that_are_declared_are_those_in_force() {
        let parse = |text: &str| Config::parse(text, Path::new("/etc/reprieve")).expect("a right one");
        let mut text = String::new();
        // What of `[oidc]`, of traces or of a sink alone is no default, and what is done when an engine fails becomes
        // part of the policy.
        let is_usual =
            |section: &SectionDeclaration| !matches!(section.path.as_str(), "oidc" | "event_sink" | "traces");
        for section in all().into_iter().filter(is_usual) {
            let named = section.settings.iter().filter(|setting| {
                setting.is_written || setting.default.as_ref() == Some(&setting.example) && setting.key != "on_failure"
            });
            let lines: Vec<String> = named.map(|setting| format!("{} = {}\n", setting.key, setting.example)).collect();
            let header = if section.path.is_empty() { String::new() } else { section.header() };
            text.push_str(&format!("{header}\n{}{}", lines.concat(), section.more_example));
        }
        assert!(text.lines().count() > 130, "{text}");
        assert_eq!(format!("{:#?}", parse(&text)), format!("{:#?}", parse(EXAMPLE)));
    }

    #[test]
    fn what_is_done_when_an_engine_fails_is_declared_as_the_policy_does_it() {
        let policy = domain::policy::Policy::standard();
        let mut engines = 0;
        for section in all() {
            let Some(engine) = section.path.strip_prefix("engine.") else { continue };
            let declared = section.settings.iter().find(|setting| setting.key == "on_failure").expect("each has one");
            let usual = format!("\"{:?}\"", policy.on_failure(engine)).to_lowercase();
            assert_eq!(declared.default.as_deref(), Some(usual.as_str()), "{engine}");
            engines += 1;
        }
        assert_eq!(engines, 6);
    }

    /// Where Health shows a section of the file.
    fn title(path: &str, section: &Section) -> bool {
        match path {
            "mode_of" => section.name.is_empty(),
            "listener" | "event_sink" => section.name.starts_with(&format!("{path} ")),
            "retention.held_days_of" => section.name == "retention",
            _ if path.starts_with("engine.") => section.name == "engine",
            _ => section.name == path,
        }
    }

    #[test]
    fn health_shows_every_setting_where_it_is_declared_to_be_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("oidc-secret"), "x").expect("is written");
        std::fs::write(folder.path().join("policy.toml"), "preset = \"standard\"").expect("is written");
        let all_set: String =
            EXAMPLE.lines().map(|line| format!("{}\n", line.strip_prefix("#: ").unwrap_or(line))).collect();
        let config = Config::parse(&all_set, folder.path()).expect("a right one");
        let shown = shown(&config);
        let mut expected = BTreeSet::new();
        for section in all() {
            for setting in &section.settings {
                let (HealthRow::Own(row) | HealthRow::With(row)) = setting.row else { continue };
                let mut places = shown.iter().filter(|one| title(&section.path, one));
                let is_there = places.any(|one| one.settings.iter().any(|(name, _)| *name == row));
                assert!(is_there, "{}.{}: Health has no row '{row}'", section.path, setting.key);
                expected.insert(row);
            }
        }
        for (row, value) in shown.iter().flat_map(|section| &section.settings) {
            assert!(expected.contains(row) || *row == "two persons", "{row} = {value} is of no setting");
        }
    }
}
