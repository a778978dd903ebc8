//! Files that a configuration names and that are read later, by whom they are for. One that is missing stops nothing
//! but that, so a start does not ask for them; whoever checks a configuration wants to know.

use std::path::Path;

use wire::certificate::Pair;

use super::Config;
use super::events::{Destination, EventSinkConfig};
use crate::authorities::{Authorities, text};

/// What cannot be used of the files that a configuration names, each with the setting that names it.
pub fn unusable(config: &Config) -> Vec<String> {
    let told = config.notices.announcements.webhook_ca.as_deref();
    let mut found = Vec::new();
    found.extend(authorities("notices.incident_webhook_ca", told));
    found.extend(authorities("oidc.ca", config.oidc.as_ref().and_then(|oidc| oidc.ca.as_deref())));
    for (certificate, key) in config.listeners.iter().filter_map(|one| one.tls.as_ref()) {
        let why = Pair::read(certificate, key).err();
        found.extend(why.map(|why| format!("listener.tls_certificate, tls_key: {}", text(why))));
    }
    found.extend(config.event_sinks.iter().flat_map(of_sink));
    if let Some(traces) = &config.traces {
        found.extend(authorities("traces.ca", traces.ca.as_deref()));
        found.extend(readable("traces.authorization_file", traces.authorization_file.as_deref()));
    }
    found
}

fn of_sink(sink: &EventSinkConfig) -> Vec<String> {
    let key = |key: &str| format!("event_sink {}: {key}", sink.name);
    let mut found: Vec<String> = authorities(&key("ca"), sink.ca.as_deref()).into_iter().collect();
    found.extend(readable(&key("authorization_file"), sink.authorization_file.as_deref()));
    if let Destination::File(path) = &sink.to
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        found.push(format!("{}: there is no folder {}", key("to"), folder.display()));
    }
    found
}

fn readable(key: &str, file: Option<&Path>) -> Option<String> {
    let why = std::fs::read_to_string(file?).err()?;
    Some(format!("{key}: {}: {why}", file?.display()))
}

fn authorities(key: &str, file: Option<&Path>) -> Option<String> {
    Authorities::with(file).client().err().map(|why| format!("{key}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EXAMPLE;

    #[test]
    fn each_file_that_is_not_there_is_told_by_its_setting() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |more: &str| {
            let text = format!("{EXAMPLE}\n{more}");
            unusable(&Config::parse(&text, folder.path()).expect("no fault"))
        };
        assert_eq!(of(""), Vec::<String>::new());
        let sinks = "[[event_sink]]\nname = \"siem\"\nto = \"syslog+tls://siem.example:6514\"\nca = \"ca.pem\"\n\
                     [[event_sink]]\nname = \"hook\"\nto = \"https://siem.example/\"\nauthorization_file = \"token\"\n\
                     [[event_sink]]\nname = \"file\"\nto = \"file:none/events\"\n";
        let words = ["event_sink siem: ca", "event_sink hook: authorization_file", "event_sink file: to"];
        let found = of(sinks);
        assert!(found.len() == 3 && words.iter().zip(&found).all(|(word, why)| why.starts_with(word)), "{found:?}");
        let found =
            of("[traces]\nto = \"https://otel.example/v1/traces\"\nca = \"ca\"\nauthorization_file = \"token\"\n");
        assert!(found.len() == 2 && found.iter().all(|why| why.starts_with("traces.")), "{found:?}");
        let found = of("[notices]\nincident_webhook_ca = \"ca.pem\"\n");
        assert!(found.len() == 1 && found[0].starts_with("notices.incident_webhook_ca"), "{found:?}");
    }
}
