//! A PostgreSQL of our own for the contract tests: a folder that is removed, loopback, a free port.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A running server; it stops when this is dropped.
pub(crate) struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    url: String,
}

impl Postgres {
    /// Starts one.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("reprieve-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        if is_root()? {
            ensure!(Command::new("chown").arg("postgres").arg(&folder).status()?.success(), "chown postgres");
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self { folder, programs, url: format!("postgres://postgres@127.0.0.1:{port}/postgres") };
        let data = server.folder.join("data");
        server.run("initdb", &["-D", path(&data)?, "-A", "trust", "-U", "postgres", "-E", "UTF8"])?;
        let options = format!("-p {port} -k {} -c listen_addresses=127.0.0.1", server.folder.display());
        let log = server.folder.join("log");
        server.run("pg_ctl", &["-D", path(&data)?, "-o", &options, "-l", path(&log)?, "-w", "start"])?;
        Ok(server)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs one of its programs; as the user `postgres`, because it refuses root.
    fn run(&self, program: &str, words: &[&str]) -> Result<()> {
        let program = self.programs.join(program);
        let mut command = if is_root()? {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        let status = command.args(words).current_dir("/").stdout(std::process::Stdio::null()).status()?;
        ensure!(status.success(), "{} failed", program.display());
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        if let Some(data) = data.to_str()
            && let Err(error) = self.run("pg_ctl", &["-D", data, "-m", "immediate", "stop"])
        {
            eprintln!("cannot stop PostgreSQL: {error}");
        }
        // What is left lies in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn programs() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let mut found: Vec<PathBuf> =
        versions.flatten().map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").is_file()).collect();
    found.sort();
    found.pop().context("no initdb below /usr/lib/postgresql")
}

fn is_root() -> Result<bool> {
    Ok(Command::new("id").arg("-u").output()?.stdout == b"0\n")
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
