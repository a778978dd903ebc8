//! Ourselves: the release build of this checkout, with 500 rules that hit nothing beside the shipped detections.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::Process;

/// Generated rules over decoded parts, and over the raw message; none hits.
const RULES: (usize, usize) = (400, 100);

/// The program and its sources.
pub struct Built {
    program: PathBuf,
    detections: PathBuf,
}

/// Names a built program to measure instead of a release build of this checkout: for what is no matter of speed.
pub const PROGRAM: &str = "REPRIEVE_PROGRAM";

/// Builds the release binary of this checkout, where that is not done and [`PROGRAM`] names none.
pub fn build() -> Result<Built> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if let Some(program) = std::env::var_os(PROGRAM).map(PathBuf::from) {
        let program = program.canonicalize().with_context(|| format!("{PROGRAM}: {}", program.display()))?;
        return Ok(Built { program, detections: root.join("detections") });
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--workspace", "--bin", "reprieve"]).current_dir(&root);
    ensure!(cargo.status()?.success(), "the release build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(Built { program: target.join("release/reprieve"), detections: root.join("detections") })
}

impl Built {
    /// A program that was built before, with the detections that were shipped with it.
    pub fn of(program: &Path, detections: &Path) -> Result<Self> {
        let there = |path: &Path| path.canonicalize().with_context(|| format!("there is no {}", path.display()));
        Ok(Self { program: there(program)?, detections: there(detections)? })
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The folder of the shipped detections.
    pub fn detections(&self) -> &Path {
        &self.detections
    }

    /// The shipped detections and the generated rules, as a folder.
    pub fn rules(&self, folder: &Path) -> Result<()> {
        rules(&self.detections, folder)
    }
}

/// A running gateway.
pub struct Reprieve {
    /// Where mail comes in.
    pub address: SocketAddr,
    /// Its data folder and configuration.
    pub folder: PathBuf,
    program: PathBuf,
    process: Process,
}

impl Reprieve {
    /// Starts one that delivers to `hop`.
    pub fn start(built: &Built, folder: &Path, hop: SocketAddr) -> Result<Self> {
        Self::start_with(built, folder, hop, "")
    }

    /// The same with more sections of its configuration.
    pub fn start_with(built: &Built, folder: &Path, hop: SocketAddr, more: &str) -> Result<Self> {
        fs::create_dir_all(folder)?;
        rules(&built.detections, &folder.join("rules"))?;
        // The load stands for many clients, so its address is that of a relay: no pause before the greeting, no limit
        // of one address.
        let text = format!(
            "data_dir = \"data\"\nhostname = \"gateway.example\"\nmode = \"enforce\"\naccepted_domains = \
                [\"ours.example\"]\nruleset = \"rules\"\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\nxclient_from = [\"127.0.0.1\"]\n[next_hop.inbound]\naddress \
             = \"{hop}\"\ntls = \"none\"\n\
             [api]\naddress = \"127.0.0.1:0\"\n[engine.auth]\non = false\n{more}"
        );
        fs::write(folder.join("reprieve.toml"), text)?;
        let (process, address) = launch(&built.program, folder)?;
        Ok(Self { address, folder: folder.to_owned(), program: built.program.clone(), process })
    }

    /// Kills it (SIGKILL) and starts it again on the same data; its addresses are others then.
    pub fn kill_and_start(&mut self) -> Result<()> {
        self.process.kill()?;
        let (process, address) = launch(&self.program, &self.folder)?;
        (self.process, self.address) = (process, address);
        Ok(())
    }

    /// Where its API is.
    pub fn api(&self) -> Result<SocketAddr> {
        let text = fs::read_to_string(self.folder.join("serve.log"))?;
        let line = text.lines().find(|line| line.contains("\"ready\":true")).context("it is not ready")?;
        let api = line.split("\"api\":\"http://").nth(1).and_then(|rest| rest.split('"').next());
        Ok(api.context("it has no API")?.parse()?)
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Runs a verb; what it prints.
    pub fn verb(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(words).args(["--config", "reprieve.toml"]).current_dir(&self.folder);
        let output = command.output().with_context(|| format!("{words:?}"))?;
        ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Starts the program in its folder, and waits until it is ready: where mail comes in.
fn launch(program: &Path, folder: &Path) -> Result<(Process, SocketAddr)> {
    let log = folder.join("serve.log");
    let mut command = Command::new(program);
    command.args(["serve", "--config", "reprieve.toml"]).current_dir(folder).env("REPRIEVE_LOG", "warn");
    let process = Process::start(&mut command, &log)?;
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(&log)?;
        if let Some(address) = text.lines().find(|line| line.contains("\"ready\":true")).and_then(listener) {
            return Ok((process, address));
        }
        ensure!(began.elapsed() < Duration::from_secs(60), "reprieve does not start: {text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The first address in the line that `serve` prints.
fn listener(line: &str) -> Option<SocketAddr> {
    line.split("\"address\":\"").nth(1)?.split('"').next()?.parse().ok()
}

/// The shipped detections, and rules of four patterns each that no mail of ours has.
fn rules(shipped: &Path, folder: &Path) -> Result<()> {
    let copied = Command::new("cp").arg("-r").arg(shipped).arg(folder).status()?;
    ensure!(copied.success(), "the shipped detections are not in {}", shipped.display());
    let mut plain = String::new();
    for number in 0..RULES.0 {
        plain.push_str(&format!("rule Bench_{number:04} {{\n{}}}\n", patterns(number)));
    }
    fs::write(folder.join("bench.yar"), plain)?;
    for number in 0..RULES.1 {
        let code = format!("RAW-{number:04}");
        let of = folder.join(&code);
        fs::create_dir_all(&of)?;
        let toml = format!(
            "code = \"{code}\"\ntitle = \"Benchmark\"\nengine = \"yara\"\ncategory = \"Malware\"\neffect \
                = \"Hold\"\ntarget = \"raw\"\n\
             scope = \"message\"\nmode = \"Enforce\"\nowner = \"bench\"\nsince = \"0.1.0\"\n"
        );
        fs::write(of.join("detection.toml"), toml)?;
        fs::write(of.join("rule.yar"), format!("rule RAW_{number:04} {{\n{}}}\n", patterns(number + RULES.0)))?;
    }
    Ok(())
}

/// Two texts, a row of bytes with a gap, and a regular expression: what rules of the field are made of.
fn patterns(number: usize) -> String {
    let mix =
        |salt: usize| (number + 1).wrapping_mul(2_654_435_761).wrapping_add(salt.wrapping_mul(40_503)) & 0xffff_ffff;
    let (a, b, c, d) = (mix(1), mix(2), mix(3), mix(4));
    let [h1, h2, h3, h4] = [c >> 24 & 0xff, c >> 16 & 0xff, d >> 24 & 0xff, d >> 16 & 0xff];
    // Each pattern has a run of four bytes, as YARA's authors advise.
    format!(
        "  strings:\n    $a = \"Zq{a:08x}-payload\"\n    $b = \"cmd{b:08x}.ps1\" nocase\n    $c = {{ {h1:02x} ?? 4d 5a \
            {h3:02x} {h2:02x} [2-4] {h4:02x} 90 }}\n    $d = /xk{:04x}[0-9]{{4,8}}\\.(exe|scr)/\n  condition:\n    any \
            of them\n",
        a & 0xffff
    )
}
