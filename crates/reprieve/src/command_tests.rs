//! The command line as a whole: that it is well formed, and what its help has.

use cli::help::{EXAMPLES, GROUPS};

use super::*;

/// The verbs that do something, by their whole names: those of a group of verbs instead of the group.
fn leaves(command: &clap::Command, path: &str) -> Vec<String> {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let below: Vec<String> = verbs.flat_map(|verb| leaves(verb, &format!("{path} {}", verb.get_name()))).collect();
    let has_own = !command.is_subcommand_required_set() && path != "reprieve";
    below.into_iter().chain(has_own.then(|| path.to_owned())).collect()
}

/// The words of a line as a shell makes them, up to where its output goes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words.into_iter().take_while(|word| word != ">").collect()
}

#[test]
fn the_command_line_is_well_formed() {
    command().debug_assert();
}

#[test]
fn every_verb_is_in_one_group() {
    let command = command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let mut verbs: Vec<&str> = verbs.map(clap::Command::get_name).collect();
    let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|group| group.verbs).copied().collect();
    verbs.sort_unstable();
    grouped.sort_unstable();
    assert_eq!(grouped, verbs);
}

#[test]
fn the_help_lists_every_verb_once_in_lines_that_fit() {
    let help = command().render_long_help().to_string();
    for group in &GROUPS {
        assert!(help.contains(&format!("\n{}:\n", group.title)), "{}: {help}", group.title);
        for verb in group.verbs {
            let is_its = |line: &&str| line.starts_with(&format!("  {verb} "));
            assert_eq!(help.lines().filter(is_its).count(), 1, "{verb}: {help}");
        }
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn every_verb_has_examples_that_can_be_typed() {
    let all = leaves(&command(), "reprieve");
    for line in EXAMPLES {
        let words = words(line);
        if let Err(error) = Command::try_parse_from(&words) {
            panic!("{line}: {error}");
        }
        if words[1] == "explore" {
            let now = domain::Timestamp::from_micros(1_800_000_000_000_000);
            domain::query::Query::parse(&words[2], now).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
    for verb in &all {
        let is_its = |line: &&&str| **line == verb || line.starts_with(&format!("{verb} "));
        let count = EXAMPLES.iter().filter(is_its).count();
        let is_one_of_some = all.iter().any(|other| other.starts_with(&format!("{verb} ")));
        assert!((1..=3).contains(&count) || is_one_of_some && count > 0, "{verb}: {count}");
    }
}

#[test]
fn a_verb_shows_its_examples_and_not_those_of_others() {
    let mut command = command();
    command.build();
    let help = |command: &clap::Command, path: &[&str]| {
        let found = path.iter().fold(command, |at, name| at.find_subcommand(name).expect("it is there"));
        found.clone().render_long_help().to_string()
    };
    let release = help(&command, &["quarantine", "release"]);
    assert!(release.contains("Examples:\n  reprieve quarantine release 01a2138d-dff8 --wait"), "{release}");
    assert!(!help(&command, &["quarantine"]).contains("Examples:"));
    let events = help(&command, &["events"]);
    assert!(events.contains("events --follow") && !events.contains("reprieve events sinks"), "{events}");
}
