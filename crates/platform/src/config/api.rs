//! `[api]`: where the REST API is, how often it may be asked, and which releases take a second person.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Config;
use super::names::socket_address;
use super::section::Section;
use super::shown::Shown;

/// The REST API.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Its address.
    pub address: SocketAddr,
    /// Its unix socket.
    pub socket: PathBuf,
    /// Requests over TCP that one token may make in a second, with a burst of ten times that.
    pub requests_per_second: u32,
    /// A release of more units than these, or of malware, takes a second person; none where one is enough.
    pub two_persons_above: Option<u64>,
}

/// Reads it.
pub(super) fn api(root: &mut Section<'_>, data_dir: &Path) -> ApiConfig {
    let mut section = root.section("api", "The REST API.");
    let config = ApiConfig {
        address: section
            .setting("address", "Where it listens, for those who have a token.")
            .default("\"127.0.0.1:8025\"")
            .example_sets("\"127.0.0.1:8025\"")
            .text_or("address with a port", socket_address, || SocketAddr::from(([127, 0, 0, 1], 8025))),
        socket: section
            .setting(
                "socket",
                "Its unix socket, for root and for the user that runs Reprieve. Default: \"api.sock\" in data_dir.",
            )
            .default("\"api.sock\" in data_dir")
            .example("\"/run/reprieve/api.sock\"")
            .needs_restart()
            .path_or(data_dir.join("api.sock")),
        requests_per_second: section
            .setting("requests_per_second", "Requests over TCP of each token; ten seconds' worth may come at once.")
            .count(1..=100_000, 20) as u32,
        two_persons_above: section
            .setting(
                "two_persons_above",
                "A release of more deliveries than these, or of malware or high confidence phishing, needs a second \
                 approval; without it none does.",
            )
            .not_shown()
            .example("1000")
            .count_if_set(1..=10_000_000),
    };
    section.end();
    config
}

/// Shows, beside what else a release is told, when it takes two.
pub(super) fn show(config: &Config, shown: &mut Shown) {
    let most = config.api.two_persons_above;
    let two = most.map_or("never".into(), |most| format!("for malware, above {most} deliveries, and past the gates"));
    shown.set("release", "two persons", two);
}
