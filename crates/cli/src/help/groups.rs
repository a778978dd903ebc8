//! The verbs of the first level, in groups: clap has groups for options only.

use clap::Command;
use clap::builder::StyledStr;

/// Verbs that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// Their names, in the order in which they are listed.
    pub verbs: &'static [&'static str],
}

/// Every verb that is not hidden is in one of these.
pub const GROUPS: [Group; 7] = [
    Group { title: "Service", verbs: &["setup", "serve", "reload", "ready", "doctor", "config"] },
    Group {
        title: "Mail",
        verbs: &["quarantine", "explore", "message", "submission", "hold", "retention", "bypassed"],
    },
    Group {
        title: "Detection",
        verbs: &[
            "detection",
            "ruleset",
            "entry",
            "sentinel",
            "contain",
            "release-containment",
            "known-good",
            "memory",
            "classifier",
        ],
    },
    Group { title: "Incidents and alerts", verbs: &["incident", "replay", "alert", "notify", "status-page"] },
    Group { title: "People and access", verbs: &["person", "token", "audit"] },
    Group { title: "Data", verbs: &["ledger", "backup", "restore", "events"] },
    Group { title: "Tools", verbs: &["scan", "feed", "support-bundle", "drill", "demo", "completions", "man"] },
];

/// Blanks between the names of verbs and what they do.
const GAP: usize = 2;

/// A command whose help lists its verbs in groups.
pub(super) fn listed(command: Command) -> Command {
    let groups: Vec<String> = GROUPS.iter().map(|group| section(&command, group)).collect();
    let header = command.get_styles().get_header();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\n\n{header}Options:{header:#}\n{{options}}\n\n\
         `reprieve VERB --help` has the options of a verb, and examples.\n",
        groups.join("\n\n")
    );
    command.help_template(StyledStr::from(template))
}

/// A group with its title, a verb a line. One that the command does not have is left out.
fn section(command: &Command, group: &Group) -> String {
    let (header, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let width = GROUPS.iter().flat_map(|group| group.verbs).map(|verb| verb.len()).max().unwrap_or(0) + GAP;
    let verbs = group.verbs.iter().filter_map(|verb| command.find_subcommand(verb));
    let line = |verb: &Command| {
        let name = verb.get_name();
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let aliases: Vec<&str> = verb.get_visible_aliases().collect();
        let aliases = if aliases.is_empty() { String::new() } else { format!(" [alias: {}]", aliases.join(", ")) };
        format!("\n  {literal}{name}{literal:#}{}{about}{aliases}", " ".repeat(width - name.len()))
    };
    format!("{header}{}:{header:#}{}", group.title, verbs.map(line).collect::<String>())
}
