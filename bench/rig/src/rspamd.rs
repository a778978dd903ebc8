//! Debian's rspamd as a milter: its own default modules, without those that ask the network.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::{Process, own};
use crate::{free_address, wait_for};

/// Modules that ask name servers or other hosts, which a benchmark on loopback has not.
const NETWORKED: [&str; 13] = [
    "arc",
    "asn",
    "dkim",
    "dkim_signing",
    "dmarc",
    "fuzzy_check",
    "greylist",
    "mx_check",
    "phishing",
    "ratelimit",
    "rbl",
    "spf",
    "surbl",
];

/// A running rspamd.
pub struct Rspamd {
    /// Where its milter listens.
    pub milter: SocketAddr,
    /// Where it answers over HTTP.
    pub http: SocketAddr,
    process: Process,
}

impl Rspamd {
    /// Starts one, with one worker for HTTP.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::with_workers(folder, 1)
    }

    /// Starts one with this many workers for HTTP.
    pub fn with_workers(folder: &Path, workers: usize) -> Result<Self> {
        let [milter, normal, controller] = [free_address()?, free_address()?, free_address()?];
        let etc = folder.join("etc");
        fs::create_dir_all(folder)?;
        let copied = Command::new("cp").arg("-r").arg("/etc/rspamd").arg(&etc).status()?;
        ensure!(copied.success(), "no /etc/rspamd: is rspamd installed?");
        for name in ["db", "run", "log"] {
            own(&folder.join(name), "_rspamd")?;
        }
        let local = etc.join("local.d");
        fs::create_dir_all(&local)?;
        for module in NETWORKED {
            fs::write(local.join(format!("{module}.conf")), "enabled = false;\n")?;
        }
        let log = folder.join("log/rspamd.log");
        let write = |name: &str, text: String| fs::write(local.join(name), text);
        write("logging.inc", format!("type = \"file\";\nfilename = \"{}\";\nlevel = \"notice\";\n", log.display()))?;
        write(
            "options.inc",
            "dns { nameserver = [\"127.0.0.1:9\"]; timeout = 0.1s; retransmits = 1; }\nlocal_addrs = [];\n".into(),
        )?;
        write("worker-normal.inc", format!("bind_socket = \"{normal}\";\ncount = {workers};\n"))?;
        write("worker-controller.inc", format!("bind_socket = \"{controller}\";\n"))?;
        let proxy =
            "milter = yes;\ncount = 2;\ntimeout = 120s;\nupstream \"local\" { default = yes; self_scan = yes; }\n";
        write("worker-proxy.inc", format!("bind_socket = \"{milter}\";\n{proxy}"))?;
        let mut command = Command::new("rspamd");
        command.arg("-f").arg("-c").arg(etc.join("rspamd.conf")).args(["-u", "_rspamd", "-g", "_rspamd"]);
        for (name, value) in
            [("CONFDIR", "etc"), ("LOCAL_CONFDIR", "etc"), ("DBDIR", "db"), ("RUNDIR", "run"), ("LOGDIR", "log")]
        {
            command.arg(format!("--var={name}={}", folder.join(value).display()));
        }
        let process = Process::start(&mut command, &folder.join("start.log"))?;
        wait_for(milter, "rspamd's milter")?;
        wait_for(normal, "rspamd")?;
        Ok(Self { milter, http: normal, process })
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}
