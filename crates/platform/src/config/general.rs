//! What stands before all sections, and `[mode_of]`: who we are, whose mail it is, where things lie, and whether
//! verdicts are acted on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::envelope::Border;
use domain::policy::Policy;
use domain::{Direction, DomainName};

use super::contradiction::not_everybody;
use super::names::{domain_name, host_name, network, system_hostname};
use super::section::Section;
use super::shown::{Shown, list};
use super::{Config, policy};

/// Whether verdicts are acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything is delivered; the verdict is recorded as what would have been.
    Observe,
    /// Verdicts are acted on.
    Enforce,
}

/// The modes as they are written.
const MODES: [(&str, Mode); 2] = [("observe", Mode::Observe), ("enforce", Mode::Enforce)];

/// What stands before all sections.
#[derive(Debug)]
pub(super) struct General {
    /// Where the store lies.
    pub(super) data_dir: PathBuf,
    /// Our name.
    pub(super) hostname: String,
    /// Our authserv-id (RFC 8601).
    pub(super) authserv_id: String,
    /// Whether verdicts are acted on, by direction.
    pub(super) modes: BTreeMap<Direction, Mode>,
    /// Our domains and networks.
    pub(super) border: Border,
    /// The accepted domain that is named first and is no pattern.
    pub(super) postmaster_domain: Option<DomainName>,
    /// The ruleset folder; the shipped ruleset without.
    pub(super) ruleset: Option<PathBuf>,
    /// The policy.
    pub(super) policy: Policy,
    /// The file of the panic switch.
    pub(super) panic_file: PathBuf,
}

/// Reads it.
pub(super) fn general(root: &mut Section<'_>) -> General {
    let data_dir = root
        .setting("data_dir", "Where the store lies: database, held mail, keys. One process at a time.")
        .default("must be given")
        .example_sets("\"/var/lib/reprieve\"")
        .shown_in("data_dir")
        .needs_restart()
        .path();
    let data_dir = data_dir.unwrap_or_else(|| {
        root.missing("data_dir", "is missing: say where the store may lie, such as \"/var/lib/reprieve\"");
        PathBuf::new()
    });
    let hostname = root
        .setting(
            "hostname",
            "Our name in greetings and trace fields. A name with U-labels is put into A-labels, here and wherever a \
             host is named. Default: the system's.",
        )
        .default("the system's")
        .example("\"mx.example.com\"")
        .text_or("host name", host_name, system_hostname);
    let authserv_id = root
        .setting(
            "authserv_id",
            "Our authserv-id (RFC 8601): Authentication-Results that claim it are removed as forged. Default: \
             hostname.",
        )
        .default("hostname")
        .example("\"mx.example.com\"")
        .text_or("host name", host_name, || hostname.clone());
    let modes = modes(root);
    let (border, postmaster_domain) = border(root);
    root.row("data_dir", data_dir.display());
    let ruleset = root
        .setting("ruleset", "A folder of detections. Default: the shipped ruleset.")
        .default("the shipped ruleset")
        .example("\"rules\"")
        .absent("the shipped one")
        .read_once()
        .path();
    General {
        policy: own_policy(root),
        panic_file: panic_file(root, &data_dir),
        data_dir,
        hostname,
        authserv_id,
        modes,
        border,
        postmaster_domain,
        ruleset,
    }
}

fn own_policy(root: &mut Section<'_>) -> Policy {
    let folder = root.reading.folder;
    let policy = root
        .setting("policy", "A policy of your own (TOML: rules in order). Default: the shipped policy.")
        .default("the shipped policy")
        .example("\"policy.toml\"")
        .meaning("path of a policy file", |text| policy::load(&folder.join(text)));
    policy.unwrap_or_else(Policy::standard)
}

fn panic_file(root: &mut Section<'_>, data_dir: &std::path::Path) -> PathBuf {
    root.setting(
        "panic_file",
        "A file that only root can write turns the gateway to \"bypass\" or \"tempfail-all\" within a second, whatever \
         else is broken: echo \"bypass until=2026-11-24T12:00:00Z reason\" > FILE. Default: \"panic\" in data_dir.",
    )
    .default("\"panic\" in data_dir")
    .example("\"/run/reprieve/panic\"")
    .path_or(data_dir.join("panic"))
}

fn modes(root: &mut Section<'_>) -> BTreeMap<Direction, Mode> {
    let overall = root
        .setting(
            "mode",
            "\"observe\": everything is delivered, the verdict is recorded as what would have been. \"enforce\": it is \
             acted on.",
        )
        .example_sets("\"observe\"")
        .one_of(&MODES, Mode::Observe);
    let mut own = root.section("mode_of", "The mode of one direction, where it differs.");
    let modes = Direction::ALL.into_iter().map(|direction| {
        let of_direction = own
            .setting(key(direction), "The mode of mail of this direction. Default: mode.")
            .shown_in("mode")
            .default("mode")
            .example("\"observe\"")
            .one_of_if_set(&MODES);
        (direction, of_direction.unwrap_or(overall))
    });
    let modes = modes.collect();
    own.end();
    modes
}

fn border(root: &mut Section<'_>) -> (Border, Option<DomainName>) {
    let accepted_domains = root
        .setting(
            "accepted_domains",
            "The domains whose mail is yours. \".example.com\" means every domain below example.com. A domain may be \
             written with U-labels or A-labels (\"bücher.example\" or \"xn--bcher-kva.example\"); they are one. Mail \
             to <Postmaster> without a domain goes to the postmaster of the first that is no such pattern.",
        )
        .default("must be given")
        .example_sets("[\"example.com\"]")
        .list("domains", domain_name);
    let trusted_networks = root
        .setting(
            "trusted_networks",
            "Networks whose clients may send to the outside and count as ours, at every listener. Leave it empty where \
             an MTA on this host passes mail from the Internet to us: everything would seem to come from ourselves.",
        )
        .example_sets("[]")
        .list("addresses and networks", network);
    if accepted_domains.is_empty() {
        let what = "is missing: list the domains whose mail is yours, such as [\"example.com\"]";
        root.missing("accepted_domains", what);
    }
    not_everybody(root, "trusted_networks", &trusted_networks, "anybody could send to the outside");
    let postmaster_domain = accepted_domains.iter().find(|name| !name.starts_with('.')).cloned();
    (Border { accepted_domains: accepted_domains.into_iter().collect(), trusted_networks }, postmaster_domain)
}

/// The key of a direction, in sections that have one for each.
pub(super) fn key(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Internal => "internal",
    }
}

/// Shows what follows from several settings.
pub(super) fn show(config: &Config, shown: &mut Shown) {
    let mode = |direction: Direction| {
        let word = MODES.iter().find(|(_, mode)| *mode == config.mode(direction)).map_or("", |(word, _)| word);
        format!("{} {word}", key(direction))
    };
    shown.set("", "mode", list(Direction::ALL.map(mode)));
    // What engines do when they fail is part of it.
    shown.set("", "policy", config.policy.id().as_str());
}
