//! File descriptors: as many as the system gives, and divided, so that SMTP and the store always have theirs whatever
//! the listeners of HTTP are asked for.

use std::collections::BTreeSet;
use std::fmt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;
use crate::config::http::CONNECTIONS_MIN;

/// What the store opens at most: its database, the log and the index of that for each reader, and blobs that are read
/// and written.
const STORE: u64 = 256;
/// What we open ourselves: logs, timers, listeners, the unix socket of the API, processes that examine, questions to
/// name servers and engines, and connections that are told that there is no room.
const OWN: u64 = 256;
/// Connections to next hops beside those that have a setting: notices and acknowledgements.
const NOTICES: u64 = 16;

/// How many descriptors each part has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What there are.
    pub limit: u64,
    /// Connections from SMTP clients, to all listeners.
    pub smtp: usize,
    /// Connections to next hops, releases and notices included.
    pub hops: usize,
    /// Files of the store.
    pub store: usize,
    /// Connections to each listener of HTTP.
    pub http: usize,
}

/// What is asked for does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// What all parts need together.
    pub needed: u64,
    /// What there are.
    pub limit: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, limit } = self;
        write!(
            f,
            "the connections that are configured need {needed} file descriptors, and the system gives {limit}: raise \
                the hard limit (LimitNOFILE= of \
             systemd, `ulimit -Hn`), or lower connections in [limits] and [http] or hop_connections in [limits]"
        )
    }
}

impl Budget {
    /// Divides `limit` descriptors over what a configuration asks for. HTTP gives way first, down to a few connections
    /// for each listener; then SMTP does. The second is what does not fit, if anything does not.
    pub fn divide(config: &Config, limit: u64) -> (Self, Option<Shortage>) {
        let (clients, hops) = (config.limits.connections_max as u64, to_hops(config));
        let listeners = config.http_listeners() as u64;
        let http = config.http.connections_max as u64;
        let needed = clients + hops + STORE + OWN + http * listeners;
        let left = limit.saturating_sub(clients + hops + STORE + OWN);
        let http = http.min((left / listeners).max(CONNECTIONS_MIN as u64));
        let left = limit.saturating_sub(hops + STORE + OWN + http * listeners);
        let budget = Self {
            limit,
            smtp: usize::try_from(clients.min(left.max(1))).unwrap_or(usize::MAX),
            hops: usize::try_from(hops).unwrap_or(usize::MAX),
            store: usize::try_from(STORE).unwrap_or(usize::MAX),
            http: usize::try_from(http).unwrap_or(usize::MAX),
        };
        (budget, (needed > limit).then_some(Shortage { needed, limit }))
    }
}

/// Connections to all next hops: a direction without one of its own shares that of another.
fn to_hops(config: &Config) -> u64 {
    let different: BTreeSet<&str> = config.hops.values().map(|hop| hop.address.as_str()).collect();
    (config.limits.hop_connections_max as u64 + config.release.connections as u64) * different.len() as u64 + NOTICES
}

/// What this process may open at most, if it asks for it.
pub fn hard_limit() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

/// Asks for as many as the system gives, and says how many those are.
pub fn raise() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let asked = Rlimit { current: before.maximum, maximum: before.maximum };
    let (soft, hard) = (before.current.unwrap_or(u64::MAX), before.maximum.unwrap_or(u64::MAX));
    match setrlimit(Resource::Nofile, asked) {
        Ok(()) => {
            tracing::info!(soft, hard, "file descriptors: raised to the hard limit");
            hard
        }
        Err(error) => {
            tracing::warn!(soft, hard, %error, "file descriptors: the limit cannot be raised");
            soft
        }
    }
}

/// Raises the limit, divides it, and has a configuration ask for no more than its parts.
pub fn share_out(config: &mut Config) -> Budget {
    let (budget, shortage) = fit(config, raise());
    if let Some(shortage) = shortage {
        tracing::warn!(smtp = budget.smtp, http = budget.http, "{shortage}; until then there are fewer connections");
    }
    budget
}

/// Has a configuration ask for no more connections than so many descriptors allow.
pub fn fit(config: &mut Config, limit: u64) -> (Budget, Option<Shortage>) {
    let (budget, shortage) = Budget::divide(config, limit);
    config.limits.connections_max = budget.smtp;
    config.http.connections_max = budget.http;
    (budget, shortage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(more: &str) -> Config {
        Config::parse(&format!("{}{more}", crate::config::EXAMPLE), Path::new("/etc/reprieve")).expect("a right one")
    }

    #[test]
    fn http_gives_way_before_smtp_does() {
        let config = config("[limits]\nconnections = 1000\n[http]\nconnections = 500\n");
        let other = to_hops(&config) + STORE + OWN;
        let divided = |limit| Budget::divide(&config, limit);
        let (all, fits) = divided(1000 + 500 + other);
        assert_eq!((all.smtp, all.http, fits), (1000, 500, None));
        let (fewer, short) = divided(1000 + 100 + other);
        assert_eq!((fewer.smtp, fewer.http), (1000, 100));
        assert_eq!(short, Some(Shortage { needed: 1500 + other, limit: 1100 + other }));
        let (few, _) = divided(700 + other);
        assert_eq!((few.smtp, few.http), (700 - CONNECTIONS_MIN, CONNECTIONS_MIN));
        assert_eq!(divided(10).0.smtp, 1, "and it is told");
    }

    #[test]
    fn the_limit_is_raised_to_the_hard_one() {
        let hard = hard_limit();
        assert_eq!(raise(), hard);
        assert_eq!(getrlimit(Resource::Nofile).current, getrlimit(Resource::Nofile).maximum);
    }
}
