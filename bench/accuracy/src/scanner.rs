//! Those that are asked about a mail, and what each says.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rig::reprieve::Built;
use serde_json::Value;

use crate::corpus::{Mail, name};

/// Mails that are asked about at a time.
pub const AT_A_TIME: usize = 4;
/// `spamc` passes larger mails on unexamined; so does this.
const SPAMC_BYTES_MAX: usize = 500 << 10;

/// What one of them says of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// Delivered as it is.
    Nothing,
    /// Delivered to the junk folder, or with a mark.
    Junk,
    /// Held or refused.
    Held,
}

/// What one says of each mail, by the name of the copy.
pub type Answers = BTreeMap<String, Said>;

/// Asks about all mails, some at a time.
pub fn asked(mails: &[Mail], ask: impl Fn(&[u8]) -> Result<Said> + Sync) -> Result<Answers> {
    let some = mails.len().div_ceil(AT_A_TIME).max(1);
    let of_some = |mails: &[Mail]| -> Result<Vec<(String, Said)>> {
        let one = |mail: &Mail| {
            let said = ask(&fs::read(&mail.copy)?).with_context(|| mail.file.display().to_string())?;
            Ok((mail.name(), said))
        };
        mails.iter().map(one).collect()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = mails.chunks(some).map(|mails| scope.spawn(move || of_some(mails))).collect();
        let mut all = Answers::new();
        for worker in workers {
            let Ok(answers) = worker.join() else { bail!("a worker ended") };
            all.extend(answers?);
        }
        Ok(all)
    })
}

/// What we say with these detections of the mails in a folder, and the findings of each in words.
pub fn of_reprieve(built: &Built, rules: &Path, mails: &Path) -> Result<(Answers, BTreeMap<String, String>)> {
    let output = Command::new(built.program()).args(["scan", "--json", "--ruleset"]).arg(rules).arg(mails).output()?;
    ensure!(output.status.success(), "scan failed: {}", String::from_utf8_lossy(&output.stderr));
    let (mut said, mut why) = (Answers::new(), BTreeMap::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let value: Value = serde_json::from_str(line)?;
        let file = name(Path::new(value["file"].as_str().unwrap_or_default()));
        let what = match value["disposition"].as_str().unwrap_or_default() {
            "Deliver" => Said::Nothing,
            "Tag" | "Junk" => Said::Junk,
            _ => Said::Held,
        };
        why.insert(file.clone(), findings(&value));
        said.insert(file, what);
    }
    Ok((said, why))
}

/// The detections that decided, with their evidence.
fn findings(value: &Value) -> String {
    let all = value["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let acts = |one: &&Value| one["effect"] != "Fact";
    let text = |one: &Value| {
        let [code, evidence] = ["detection", "evidence"].map(|key| one[key].as_str().unwrap_or_default());
        format!("{code} {evidence}")
    };
    all.iter().filter(acts).map(text).collect::<Vec<_>>().join(" | ")
}

/// What rspamd says: its action.
pub fn of_rspamd(address: SocketAddr, mail: &[u8]) -> Result<Said> {
    let mut socket = TcpStream::connect(address)?;
    let head = format!("POST /checkv2 HTTP/1.0\r\nContent-Length: {}\r\n\r\n", mail.len());
    socket.write_all(&[head.as_bytes(), mail].concat())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").context("rspamd")?.1;
    let value: Value = serde_json::from_str(body).with_context(|| format!("rspamd says {answer}"))?;
    Ok(match value["action"].as_str().unwrap_or_default() {
        "reject" => Said::Held,
        "add header" | "rewrite subject" => Said::Junk,
        _ => Said::Nothing,
    })
}

/// What SpamAssassin says: it marks from 5 points on, and holds nothing.
pub fn of_spamassassin(address: SocketAddr, mail: &[u8]) -> Result<Said> {
    if mail.len() > SPAMC_BYTES_MAX {
        return Ok(Said::Nothing);
    }
    let mut socket = TcpStream::connect(address)?;
    let head = format!("CHECK SPAMC/1.5\r\nContent-length: {}\r\n\r\n", mail.len());
    socket.write_all(&[head.as_bytes(), mail].concat())?;
    socket.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let verdict = answer.lines().find_map(|line| line.strip_prefix("Spam: "));
    let verdict = verdict.with_context(|| format!("spamd says {answer:?}"))?;
    Ok(if verdict.starts_with("True") { Said::Junk } else { Said::Nothing })
}

/// What clamd says.
pub fn of_clamd(socket: &Path, mail: &[u8]) -> Result<Said> {
    let mut socket = UnixStream::connect(socket).context("clamd")?;
    let length = u32::try_from(mail.len())?.to_be_bytes();
    socket.write_all(&[b"zINSTREAM\0", &length[..], mail, &[0; 4]].concat())?;
    socket.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(if answer.contains("FOUND") { Said::Held } else { Said::Nothing })
}
