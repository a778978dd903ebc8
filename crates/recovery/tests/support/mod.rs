//! What tests of the room have in common: when it is, and a configuration.

use std::net::SocketAddr;
use std::path::Path;

use platform::config::Config;

/// When it is when a test begins, in microseconds.
pub(crate) const BEGIN_US: i64 = 1_795_770_000_000_000;

/// A configuration whose next hop is there.
pub(crate) fn config(folder: &Path, hop: SocketAddr) -> Config {
    let text = format!(
        "data_dir = \"data\"\nhostname = \"gateway.ours.example\"\naccepted_domains = [\"ours.example\"]\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\n\
         [next_hop.inbound]\naddress = \"{hop}\"\ntls = \"none\"\n[api]\naddress = \"127.0.0.1:0\"\n"
    );
    Config::parse(&text, folder).expect("a right one")
}
