//! `[traces]`: who is told the way of each mail.

use std::path::PathBuf;

use super::section::Section;
use super::shown::marked;
use super::vouching;
use crate::https::Endpoint;
use crate::traces::NOT_BUILT;
use crate::traces::share::Share;

/// Who is told the way of each mail (OpenTelemetry, OTLP over HTTP).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesConfig {
    /// Where the collector is.
    pub to: Endpoint,
    /// A file with what the field Authorization has.
    pub authorization_file: Option<PathBuf>,
    /// Certificates of authorities of one's own, beside the public ones.
    pub ca: Option<PathBuf>,
    /// Of which mails that pass.
    pub share: Share,
}

/// Reads it, for a program that can tell traces or not; none where it is not configured.
pub(super) fn traces(root: &mut Section<'_>, is_built: bool) -> Option<TracesConfig> {
    let is_there = root.has("traces");
    let about = "Who is told the way of each mail, step by step, as a trace of OpenTelemetry: OTLP over HTTP, as \
                 protobuf. It says no more of a mail than events do, and no mail waits for it.";
    let mut section = root.section("traces", about);
    let config = read(&mut section);
    if is_there && !section.has("to") {
        section.missing("to", "is missing, such as \"http://127.0.0.1:4318/v1/traces\"");
    }
    if is_there && !is_built {
        section.fault("to", NOT_BUILT);
    }
    if config.is_none() {
        section.show_nothing();
    }
    section.end();
    config
}

fn read(section: &mut Section<'_>) -> Option<TracesConfig> {
    let to = section
        .setting(
            "to",
            "Where the collector is, with its path: https://, or http:// to a host that you trust. Without it nothing \
             is told.",
        )
        .shown_in("to")
        .default("nothing is told")
        .example("\"http://127.0.0.1:4318/v1/traces\"")
        .meaning("web address", |text| Ok((collector(text)?, marked(text))));
    let authorization_file = vouching::authorization_file(section, "\"collector-token\"");
    let ca = vouching::ca(section);
    let share = section
        .setting(
            "share",
            "Of which share of the mails that pass at once it is told, chosen by their ids. Mail that is held, put off \
             or refused always is.",
        )
        .share(1.0);
    let (to, marked) = to?;
    section.row("to", marked);
    Some(TracesConfig { to, authorization_file, ca, share })
}

/// A web address with a path: collectors take nothing at their root.
fn collector(text: &str) -> Result<Endpoint, String> {
    let place = Endpoint::parse(text)?;
    let path = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
    match path {
        None | Some("") => Err("must have the path of the collector, mostly /v1/traces".into()),
        Some(_) => Ok(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reading::Reading;
    use std::path::Path;
    use toml::de::DeTable;

    /// What is read of a section, and what is wrong with it.
    fn read(text: &str, is_built: bool) -> (Option<TracesConfig>, Vec<String>) {
        let reading = Reading::of(text, Path::new("/etc/reprieve"));
        let table = DeTable::parse(text).expect("it is TOML");
        let mut root = reading.root(Some(table.get_ref()), "");
        let traces = traces(&mut root, is_built);
        let faults = reading.faults().into_iter().map(|fault| format!("{}: {}", fault.key, fault.what));
        (traces, faults.collect())
    }

    #[test]
    fn a_collector_is_read() {
        let text = "[traces]\nto = \"https://otel.example/v1/traces\"\nauthorization_file = \"token\"\nshare = 0.25\n";
        let (traces, faults) = read(text, true);
        let traces = traces.expect("it is there");
        assert_eq!((traces.to.host(), traces.share, faults), ("otel.example", Share::of(0.25), vec![]));
        assert_eq!(traces.authorization_file, Some("/etc/reprieve/token".into()));
        assert_eq!(read("", false), (None, vec![]));
    }

    #[test]
    fn a_program_without_traces_says_what_to_do() {
        let (_, faults) = read("[traces]\nto = \"http://127.0.0.1:4318/v1/traces\"\n", false);
        assert_eq!(faults, [format!("traces.to: {NOT_BUILT}")]);
    }

    #[test]
    fn a_collector_has_a_path_and_a_share_is_at_most_all() {
        assert_eq!(read("[traces]\nto = \"http://127.0.0.1:4318/v1/traces\"\nshare = 1\n", true).1, [""; 0]);
        for nonsense in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/", "grpc://x:4317/a", "127.0.0.1:4318"] {
            assert_eq!(read(&format!("[traces]\nto = \"{nonsense}\"\n"), true).1.len(), 1, "{nonsense}");
        }
        for nonsense in ["share = 1.1", "share = -0.1", "share = \"all\"", "share = nan"] {
            let (_, faults) = read(&format!("[traces]\nto = \"http://x/v1/traces\"\n{nonsense}\n"), true);
            assert_eq!(faults, ["traces.share: must be a number from 0 to 1, such as 0.1"], "{nonsense}");
        }
        assert!(read("[traces]\nshare = 0.5\n", true).1[0].starts_with("traces.to: is missing"));
    }
}
