//! What is in force, for people: by the names of the file, defaults included. No secret is in it: of files only their
//! paths, of a webhook only its host and a mark.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;

use domain::Digest;

use super::change::{Difference, Hidden};
use super::{Config, api, engine, gateway, general, http};

/// The sections in the order in which Health has them: first what is done with mail, then how people see it.
const ORDER: [&str; 17] = [
    "",
    "listener",
    "next_hop",
    "engine",
    "examination",
    "limits",
    "retention",
    "known_good",
    "rollout",
    "sentinel",
    "release",
    "notices",
    "traces",
    "api",
    "http",
    "portal",
    "oidc",
];

/// A section of the file with what is set in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As in the file, such as `next_hop.inbound`.
    pub name: String,
    /// Each key with its value.
    pub settings: Vec<(&'static str, String)>,
}

impl Section {
    fn place(&self) -> usize {
        let first = self.name.split(['.', ' ']).next().unwrap_or_default();
        ORDER.iter().position(|name| *name == first).unwrap_or(ORDER.len())
    }
}

/// What is shown: written down by each setting when it was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    sections: Vec<Section>,
    /// What Health does not show, or not by itself, by section and key.
    pub(super) hidden: BTreeMap<(String, String), Hidden>,
    /// What comes into force with a new process only, by section and key.
    pub(super) fixed: BTreeSet<(String, String)>,
}

impl Shown {
    /// Adds a section.
    pub(super) fn add(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// Shows a value in a row of a section: in place of what it showed, or behind all others.
    pub(super) fn set(&mut self, section: &str, name: &'static str, value: impl ToString) {
        let at = self.sections.iter().position(|one| one.name == section).unwrap_or_else(|| {
            self.add(Section { name: section.to_owned(), settings: Vec::new() });
            self.sections.len() - 1
        });
        let rows = &mut self.sections[at].settings;
        match rows.iter_mut().find(|(one, _)| *one == name) {
            Some((_, shown)) => *shown = value.to_string(),
            None => rows.push((name, value.to_string())),
        }
    }
}

/// All sections. Each setting has said what it shows; what follows from several, or from the system, is added.
pub fn shown(config: &Config) -> Vec<Section> {
    let mut shown = config.shown.clone();
    for show in [general::show, gateway::show, engine::show, api::show, http::show] {
        show(config, &mut shown);
    }
    shown.sections.sort_by_key(Section::place);
    shown.sections
}

/// The values that are shown, each by its section and key.
pub type Values = BTreeMap<(String, String), String>;

/// All values of a configuration.
pub fn values(config: &Config) -> Values {
    let sections = shown(config).into_iter().flat_map(|Section { name, settings }| {
        settings.into_iter().map(move |(key, value)| ((name.clone(), key.to_owned()), value))
    });
    sections.collect()
}

/// The values that are shown and differ, by section and key.
pub(super) fn differences(before: &Values, after: &Values) -> Vec<Difference> {
    let all: BTreeSet<&(String, String)> = before.keys().chain(after.keys()).collect();
    let of = |place: &&(String, String)| {
        let (before, after) = (before.get(*place), after.get(*place));
        let (section, key) = (*place).clone();
        (before != after).then(|| Difference {
            section,
            key,
            before: before.cloned(),
            after: after.cloned(),
            needs_restart: false,
        })
    };
    all.iter().filter_map(of).collect()
}

/// All of a list, or that there are none.
pub(super) fn list<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    if all.is_empty() { "none".into() } else { all.join(", ") }
}

/// A flag, for people.
pub(super) fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

/// The host of a URL: what stands behind it may be a secret.
pub(super) fn host(url: &str) -> &str {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    place.split(['/', '?', '#']).next().unwrap_or_default().rsplit('@').next().unwrap_or_default()
}

/// The host of a URL, and a mark by which a change of the rest is seen. The mark is the first 12 bits of a SHA-256: too
/// few to confirm a guess of a secret, enough to tell all but one change of 4,096.
pub(crate) fn marked(url: &str) -> String {
    format!("{} (mark {})", host(url), mark(url))
}

/// The mark of a URL alone.
pub(super) fn mark(url: &str) -> String {
    Digest::of(url.as_bytes()).to_string().get(..3).unwrap_or_default().to_owned()
}

/// In the largest unit that leaves no rest.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        _ if time.subsec_millis() > 0 => return format!("{} ms", time.as_millis()),
        0 => (0, "s"),
        _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "d"),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "h"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "min"),
        _ => (seconds, "s"),
    };
    format!("{count} {unit}")
}

/// In the largest unit that leaves no rest.
pub(super) fn bytes(count: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(size, _)| count >= *size && count.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{} {unit}", count / size),
        None => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_as_it_is_in_force() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("reprieve.toml");
        std::fs::write(&file, format!("hostname = \"gw.example.com\"\n{}", crate::config::EXAMPLE))
            .expect("is written");
        let config = Config::load(&file).expect("the example is right");
        let mut out = String::new();
        for section in shown(&config) {
            out.push_str(&format!("[{}]\n", section.name));
            for (key, value) in section.settings {
                out.push_str(&format!("{key} = {value}\n"));
            }
        }
        insta::assert_snapshot!(out);
    }

    #[test]
    fn what_the_system_allows_is_shown_and_not_what_was_asked_for() {
        let text = format!("{}\n[mode_of]\noutbound = \"enforce\"\n", crate::config::EXAMPLE);
        let mut config = Config::parse(&text, std::path::Path::new("/etc/reprieve")).expect("a right one");
        (config.limits.connections_max, config.http.connections_max) = (700, 17);
        let shown = shown(&config);
        let value = |section: &str, row: &str| {
            let rows = &shown.iter().find(|one| one.name == section).expect("a section").settings;
            rows.iter().find(|(name, _)| *name == row).expect("a row").1.clone()
        };
        assert_eq!((value("limits", "connections"), value("http", "connections")), ("700".into(), "17".into()));
        assert_eq!(value("", "mode"), "inbound observe, outbound enforce, internal observe");
    }

    #[test]
    fn of_a_webhook_only_its_host_and_a_mark_are_shown() {
        let (one, other) = (marked("https://hooks.example/T0/B1/xyz"), marked("https://hooks.example/T0/B1/abc"));
        assert!(one.starts_with("hooks.example (mark ") && one.len() == "hooks.example (mark 123)".len(), "{one}");
        assert!(one != other && one == marked("https://hooks.example/T0/B1/xyz"), "a changed secret is seen");
        assert_eq!(host("https://user:secret@hooks.example:8443/T0/B1/xyz?token=1"), "hooks.example:8443");
        assert_eq!(
            (span(Duration::from_millis(1500)), span(Duration::from_secs(90))),
            ("1500 ms".into(), "90 s".into())
        );
        assert_eq!((bytes(50 << 20), bytes(1000)), ("50 MiB".into(), "1000 bytes".into()));
    }
}
