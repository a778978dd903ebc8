//! Who a client is to us: its address, how well it is known, whether it speaks for many.

use std::net::IpAddr;

use domain::share::{Source, Standing};
use ipnet::IpNet;

use super::Gateway;
use platform::config::{ListenerConfig, Role};

/// Whether an address is in one of these networks.
pub fn listed(networks: &[IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&ip))
}

impl Gateway {
    /// A connection's peer as it is before it has named anybody. A peer that is listed speaks for many: no limit for
    /// one address applies to it.
    pub fn peer(&self, listener: &ListenerConfig, ip: IpAddr) -> Source {
        let speaks_for_others = listed(&listener.xclient_from, ip) || listed(&listener.proxy_from, ip);
        let client = self.client(listener, ip, false);
        let standing = if speaks_for_others { client.standing.max(Standing::Known) } else { client.standing };
        Source { standing, is_relay: client.is_relay || speaks_for_others, ..client }
    }

    /// A client: the peer itself, or whom a listed peer has named.
    pub fn client(&self, listener: &ListenerConfig, ip: IpAddr, has_login: bool) -> Source {
        let border = &self.config.border;
        let standing = if has_login || listener.role == Role::Submission || border.trusts(ip) {
            Standing::Ours
        } else if self.known.knows(ip, self.clock.now()) {
            Standing::Known
        } else {
            Standing::Stranger
        };
        // One host of ours that is named by its address is a mail server.
        let is_relay =
            border.trusted_networks.iter().any(|net| net.prefix_len() == net.max_prefix_len() && net.contains(&ip));
        Source { client: ip, standing, is_relay }
    }
}
