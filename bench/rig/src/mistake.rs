//! A wrong detection: it holds every mail with a picture, until it is corrected.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::load::{Load, send};
use crate::mails::Mail;
use crate::reprieve::Reprieve;

const RULE: &str =
    "rule every_picture { strings: $a = { 89 50 4E 47 } $b = { FF D8 FF } condition: $a at 0 or $b at 0 }";

/// Publishes the rule, and sends `mail` until one is held: the rule acts when its ruleset is compiled.
pub fn begin(gateway: &Reprieve, mail: &Mail) -> Result<()> {
    fs::write(gateway.folder.join("wrong.yar"), RULE)?;
    gateway.verb(&["ruleset", "publish", "wrong.yar", "--force", "--reason", "benchmark", "--wait"])?;
    while !gateway.verb(&["quarantine", "list", "--json"])?.contains("every_picture") {
        send(&Load { to: gateway.address, connections: 1, count: 1, mail: mail.clone() })?;
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Opens the incident of the rule, and waits until `count` units are counted in; the incident's id.
pub fn open_incident(gateway: &Reprieve, count: usize) -> Result<String> {
    gateway.verb(&["incident", "open", "every_picture", "--reason", "benchmark"])?;
    let began = Instant::now();
    loop {
        let list = gateway.verb(&["incident", "list", "--json"])?;
        if list.contains(&format!("\"units\":{count}")) {
            let id = list.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
            return id.map(str::to_owned).context("the incident has no id");
        }
        ensure!(began.elapsed() < Duration::from_secs(300), "not all units are counted in: {list}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Takes the rule back: the replay releases what only it held.
pub fn correct(gateway: &Reprieve) -> Result<()> {
    gateway.verb(&["ruleset", "rollback", "--reason", "benchmark"])?;
    Ok(())
}
