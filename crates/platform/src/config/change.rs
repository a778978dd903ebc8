//! What differs between two configurations: what Health shows of them, and what it does not show, of which only a mark
//! is told; and what of that can be changed while the process runs.

use std::fs;
use std::path::Path;

use domain::Digest;

use super::Config;
use super::shown::{self, Values, values};

/// Bytes of a file that are compared at most.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Files of a folder that are compared at most.
const FILES_MAX: usize = 10_000;
/// Folders within one another that are looked into.
const DEPTH_MAX: usize = 8;

/// A setting of which the values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its section, such as `next_hop.inbound`.
    pub section: String,
    /// Its key.
    pub key: String,
    /// The value in force; none where there is no such setting.
    pub before: Option<String>,
    /// The other value.
    pub after: Option<String>,
    /// Whether it comes into force with a new process only.
    pub needs_restart: bool,
}

impl Difference {
    /// Its name, as people write it.
    pub fn name(&self) -> String {
        let Self { section, key, .. } = self;
        if section.is_empty() { key.clone() } else { format!("{section}.{key}") }
    }
}

/// A value that Health does not show, or not by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    /// Of the value and, where it names a file that is read once, of what is in that.
    pub(super) digest: Digest,
    /// The row in which Health shows something of it.
    pub(super) row: Option<&'static str>,
}

impl Hidden {
    fn told(&self) -> String {
        format!("(mark {})", self.digest.to_string().get(..3).unwrap_or_default())
    }
}

/// The settings of which the values differ, by section and key.
pub fn between(before: &Config, after: &Config) -> Vec<Difference> {
    let mut found = shown::differences(&values(before), &values(after));
    let (old, new) = (&before.shown.hidden, &after.shown.hidden);
    for place in old.keys().chain(new.keys().filter(|place| !old.contains_key(*place))) {
        let (one, other) = (old.get(place), new.get(place));
        if one.map(|one| one.digest) == other.map(|other| other.digest) {
            continue;
        }
        let row = one.or(other).and_then(|one| one.row);
        let (section, key) = place.clone();
        let is_told = |shown: &Difference| match row {
            Some(row) => shown.key == row,
            None => (&shown.section, &shown.key) == (&section, &key),
        };
        if found.iter().any(is_told) {
            continue;
        }
        let told = |hidden: Option<&Hidden>| hidden.map(Hidden::told);
        found.push(Difference { section, key, before: told(one), after: told(other), needs_restart: false });
    }
    mark(&mut found, after);
    found.sort_by(|one, other| (&one.section, &one.key).cmp(&(&other.section, &other.key)));
    found
}

/// As [`between`], of what is shown alone: what is in force elsewhere, and a configuration.
pub fn from_shown(in_force: &Values, after: &Config) -> Vec<Difference> {
    let mut found = shown::differences(in_force, &values(after));
    mark(&mut found, after);
    found
}

/// Says which of them come into force with a new process only.
fn mark(found: &mut [Difference], config: &Config) {
    for one in found {
        one.needs_restart = config.shown.fixed.contains(&(one.section.clone(), one.key.clone()));
    }
}

/// What is in a file, or in all files of a folder; nothing where there is none.
pub(super) fn content(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    let mut waiting = vec![(path.to_owned(), 0)];
    let mut files = 0;
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    while let Some((path, depth)) = waiting.pop() {
        if path.is_dir() {
            if depth > DEPTH_MAX || waiting.len() > FILES_MAX {
                continue;
            }
            let below = fs::read_dir(&path).into_iter().flatten().flatten().map(|one| one.path());
            // What editors and version control leave there is no setting.
            let mut below: Vec<_> = below.filter(|one| !is_hidden(one)).map(|one| (one, depth + 1)).collect();
            below.sort();
            waiting.extend(below);
        } else if files < FILES_MAX
            && fs::metadata(&path).is_ok_and(|facts| facts.is_file() && facts.len() <= FILE_BYTES_MAX)
        {
            files += 1;
            out.extend_from_slice(path.as_os_str().as_encoded_bytes());
            out.extend_from_slice(Digest::of(&fs::read(&path).unwrap_or_default()).to_string().as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::declaration::all;
    use crate::config::{Config, EXAMPLE};

    fn config(folder: &Path, more: &str) -> Config {
        Config::parse(&format!("{more}\n{EXAMPLE}"), folder).expect("a right one")
    }

    /// All settings, and those of them that take a new process: this list is a promise to administrators.
    #[test]
    fn what_needs_a_restart_is_declared_and_all_else_can_be_changed_while_the_service_runs() {
        let mut fixed = Vec::new();
        let mut count = 0;
        for section in all() {
            for setting in &section.settings {
                count += 1;
                if setting.needs_restart {
                    fixed.push(format!("{}.{}", section.path, setting.key));
                }
            }
        }
        assert!(count > 130, "{count}");
        assert_eq!(fixed, [".data_dir", "api.socket"]);
    }

    /// A setting is changed alone: that is seen, whether Health shows it or not.
    #[test]
    fn no_setting_is_changed_unseen() {
        let folder = tempfile::tempdir().expect("folder");
        let before = config(folder.path(), "");
        let others = [
            ("", "ruleset = \"rules\""),
            ("[api]", "two_persons_above = 7"),
            ("[engine.clamd]", "timeout_s = 3"),
            ("[engine.yara]", "on_failure = \"hold\""),
            ("[portal]", "language = \"de\""),
            ("[notices]", "incident_webhook_ca = \"ca.pem\""),
            ("[limits]", "recipients = 7"),
            ("[mode_of]", "inbound = \"enforce\""),
        ];
        for (section, line) in others {
            let text = match (section, EXAMPLE.contains(&format!("\n{section}\n"))) {
                ("", _) => format!("{line}\n{EXAMPLE}"),
                (_, true) => EXAMPLE.replacen(&format!("\n{section}\n"), &format!("\n{section}\n{line}\n"), 1),
                (_, false) => format!("{EXAMPLE}\n{section}\n{line}\n"),
            };
            let after = Config::parse(&text, folder.path()).unwrap_or_else(|faults| panic!("{line}: {faults:?}"));
            assert!(!between(&before, &after).is_empty(), "{section} {line}");
            assert_eq!(between(&after, &after), [], "{section} {line}");
        }
    }

    #[test]
    fn what_is_in_a_file_that_is_read_once_counts_and_a_secret_is_a_mark() {
        let folder = tempfile::tempdir().expect("folder");
        fs::create_dir(folder.path().join("rules")).expect("folder");
        fs::write(folder.path().join("secret"), "before").expect("writes");
        let oidc = "\n[oidc]\nissuer = \"https://login.example\"\nclient_id = \"r\"\nclient_secret_file = \
                    \"secret\"\nconsole = \"https://c.example\"\n";
        let now = || Config::parse(&format!("ruleset = \"rules\"\n{EXAMPLE}{oidc}"), folder.path()).expect("right");
        let before = now();
        assert_eq!(between(&before, &now()), []);
        fs::write(folder.path().join("secret"), "afterwards").expect("writes");
        fs::write(folder.path().join("rules").join("detection.toml"), "").expect("writes");
        let found = between(&before, &now());
        let names: Vec<String> = found.iter().map(Difference::name).collect();
        assert_eq!(names, ["ruleset", "oidc.client_secret_file"]);
        let told = found[1].after.clone().expect("a mark");
        assert!(told.len() == "(mark 123)".len() && !format!("{found:?}").contains("afterwards"), "{told}");
    }

    #[test]
    fn where_the_store_lies_needs_a_restart() {
        let of = |text: &str| Config::parse(text, Path::new("/etc/reprieve")).expect("a right one");
        let found = between(&of(EXAMPLE), &of(&EXAMPLE.replace("/var/lib/reprieve", "/srv/reprieve")));
        let fixed: Vec<String> = found.iter().filter(|one| one.needs_restart).map(Difference::name).collect();
        assert_eq!(fixed, ["data_dir", "api.socket"]);
    }
}
