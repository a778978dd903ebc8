//! Debian's Postfix as a plain relay, in a folder of its own; nothing of the system's is touched.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::own;
use crate::{free_address, wait_for};

/// A running Postfix.
pub struct Postfix {
    /// Where it listens.
    pub address: SocketAddr,
    folder: PathBuf,
}

const SERVICES: &str = "postlog unix-dgram n - n - 1 postlogd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 \
    cleanup\n\
    qmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n \
    - 0 bounce\n\
    trace unix - - n - 0 bounce\nverify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - \
    proxymap\n\
    smtp unix - - n - - smtp\nrelay unix - - n - - smtp\nerror unix - - n - - error\nretry unix - - n - - error\n\
    discard unix - - n - - discard\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n";

impl Postfix {
    /// Starts one that relays everything to `hop`; `more` are lines of main.cf.
    pub fn start(folder: &Path, hop: SocketAddr, more: &str) -> Result<Self> {
        let address = free_address()?;
        for (name, owner) in [("etc", "root"), ("queue", "root"), ("data", "postfix")] {
            own(&folder.join(name), owner)?;
        }
        let at = |name: &str| folder.join(name).display().to_string();
        let (queue, data, log, here) = (at("queue"), at("data"), at("mail.log"), folder.display());
        let (port, hop) = (address.port(), hop.port());
        // What a relay under load would be given: no look-ups that need a network, no limits on one client.
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {queue}\ndata_directory = {data}\nmaillog_file = {log}\n\
             maillog_file_prefixes = {here}\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = \
             relay.example\n\
             mydestination =\nalias_maps =\nmynetworks = 127.0.0.0/8\nrelay_domains = ours.example\nrelayhost = \
             [127.0.0.1]:{hop}\n\
             disable_dns_lookups = yes\nsmtp_dns_support_level = disabled\nsmtpd_peername_lookup = no\nin_flow_delay = \
             0\n\
             smtpd_client_connection_count_limit = 0\nsmtpd_tls_security_level = none\nsmtp_tls_security_level = none\n\
             default_destination_concurrency_limit = 20\ninitial_destination_concurrency = 20\nmessage_size_limit = \
             52428800\n{more}\n"
        );
        fs::write(folder.join("etc/main.cf"), main)?;
        fs::write(folder.join("etc/master.cf"), format!("127.0.0.1:{port} inet n - n - - smtpd\n{SERVICES}"))?;
        let postfix = Self { address, folder: folder.to_owned() };
        let started = postfix.control("start")?;
        ensure!(started.status.success(), "postfix start: {}", String::from_utf8_lossy(&started.stderr));
        wait_for(address, "postfix")?;
        Ok(postfix)
    }

    /// The pid of its master process.
    pub fn pid(&self) -> Result<u32> {
        Ok(fs::read_to_string(self.folder.join("queue/pid/master.pid"))?.trim().parse()?)
    }

    fn control(&self, verb: &str) -> Result<std::process::Output> {
        Ok(Command::new("postfix").arg("-c").arg(self.folder.join("etc")).arg(verb).output()?)
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Nothing more can be done about one that does not stop.
        let _ = self.control("abort");
    }
}
