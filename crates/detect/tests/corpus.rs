//! Vectors of others for SPF and ARC: `cargo xtask evaluate FOLDER` (sub-folder auth, as far as there is one), asked of
//! a name server on loopback by our own authenticator.
#![allow(clippy::print_stderr, reason = "says what it measured")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use detect::auth::{Authenticator, Sender, Settings};
use domain::authentication::{AuthResult, Authentication};
use nameserver::{NameServer, Zone};

fn folder(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("REPRIEVE_CORPUS").map(|corpus| PathBuf::from(corpus).join(name));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: no corpus with {name}; `cargo xtask evaluate FOLDER` runs this");
    }
    folder
}

async fn ask(server: &NameServer, mail: Vec<u8>, sender: Sender) -> Authentication {
    let settings = Settings {
        name_server: Some(server.address),
        authserv_id: "gw.example".into(),
        timeout: Duration::from_secs(20),
        trusted_sealers: Vec::new(),
        trusted_authserv: Vec::new(),
    };
    Authenticator::new(settings).expect("resolver").examine(Arc::new(mail), Some(sender)).await.1.expect("found out")
}

/// One document of the SPF vectors: records, and who is asked about.
#[derive(Default)]
struct SpfCase {
    name: String,
    zone: Zone,
    tests: Vec<[String; 4]>,
}

fn spf_cases(text: &str) -> Vec<SpfCase> {
    let mut cases = vec![SpfCase::default()];
    for line in text.lines() {
        let last = cases.len() - 1;
        let case = &mut cases[last];
        let trimmed = line.trim().trim_start_matches("- ");
        let (key, value) = trimmed.split_once(": ").unwrap_or((trimmed, ""));
        let (first, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
        let zone = std::mem::take(&mut case.zone);
        case.zone = match key {
            "spf" | "exp" => zone.txt(first, rest),
            "a" | "aaaa" => rest
                .split([',', ' '])
                .filter_map(|ip| ip.trim().parse().ok())
                .fold(zone, |zone, ip| zone.address(first, ip)),
            // In these vectors an exchanger is its addresses.
            "mx" => {
                rest.split([',', ' ']).filter(|ip| !ip.is_empty()).enumerate().fold(zone, |zone, (at, ip)| {
                    match ip.trim().parse() {
                        Ok(ip) => {
                            zone.mx(first, 10, &format!("mx{at}.{first}")).address(&format!("mx{at}.{first}"), ip)
                        }
                        Err(_) => zone.mx(first, 10, ip),
                    }
                })
            }
            "ptr" => match first.parse() {
                Ok(ip) => {
                    rest.split([',', ' ']).filter(|host| !host.is_empty()).fold(zone, |zone, host| zone.ptr(ip, host))
                }
                Err(_) => zone,
            },
            _ => zone,
        };
        match (key, case.tests.last_mut()) {
            ("---", _) => cases.push(SpfCase::default()),
            ("name", _) => case.name = value.to_owned(),
            ("domain", _) => case.tests.push([value.to_owned(), String::new(), String::new(), String::new()]),
            ("sender", Some(test)) => test[1] = value.to_owned(),
            ("ip", Some(test)) => test[2] = value.to_owned(),
            ("expect", Some(test)) => test[3] = first.to_owned(),
            _ => {}
        }
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn spf_vectors() {
    let Some(folder) = folder("auth/mail-auth/spf") else { return };
    let (mut asked, mut differ) = (0, Vec::new());
    for path in files(&folder) {
        for case in spf_cases(&std::fs::read_to_string(&path).expect("reads")) {
            let server = NameServer::start(case.zone.broken("_dns_error.org").broken("_dns_error.test.org"));
            for [domain, path, ip, expect] in case.tests {
                let (Ok(ip), Some(expect)) = (ip.parse(), AuthResult::parse(&expect)) else { continue };
                // The vectors ask about a domain and a sender of their own; mail has one reverse path. Where they
                // differ it is no mail.
                if path.rsplit_once('@').is_none_or(|(_, of)| of != domain) {
                    continue;
                }
                let sender = Sender { ip, helo: domain.clone(), mail_from: path };
                let said = ask(&server, b"Subject: x\r\n\r\n".to_vec(), sender).await;
                asked += 1;
                if said.spf != expect {
                    differ.push(format!(
                        "{}: {domain}: {} instead of {}",
                        case.name,
                        said.spf.as_str(),
                        expect.as_str()
                    ));
                }
            }
        }
    }
    eprintln!("SPF: {asked} vectors asked, {} differ{}", differ.len(), shown(&differ));
    // The library compares a name that the resolver ends in a dot with one that has none, so that `ptr` alone never
    // matches the domain itself. RFC 7208 section 5.5 asks nobody to use it.
    let is_known =
        |one: &String| one.starts_with("PTR domain match") || one.starts_with("Multiple Requirements Example");
    assert!(asked > 50 && differ.iter().all(is_known));
}

#[tokio::test(flavor = "multi_thread")]
async fn arc_vectors() {
    let Some(folder) = folder("auth/arc_test_suite/tests") else { return };
    let text = std::fs::read_to_string(folder.join("arc-draft-validation-tests.yml")).expect("reads");
    let (mut asked, mut differ) = (0, Vec::new());
    for document in text.split("\n---") {
        let zone = block_pairs(document, "txt-records:")
            .into_iter()
            .fold(Zone::new(), |zone, (name, text)| zone.txt(&name, &text));
        let server = NameServer::start(zone);
        for (name, message, expect) in arc_cases(document) {
            let sender = Sender { ip: [192, 0, 2, 1].into(), helo: "x.example".into(), mail_from: String::new() };
            let said = ask(&server, message.into_bytes(), sender).await;
            asked += 1;
            let agrees = match expect.as_str() {
                "Pass" => said.arc == AuthResult::Pass,
                "None" => said.arc == AuthResult::None,
                // What is not whole does not pass; which word says so is the library's.
                _ => !matches!(said.arc, AuthResult::Pass | AuthResult::None),
            };
            if !agrees {
                differ.push(format!("{name}: {} instead of {expect}", said.arc.as_str()));
            }
        }
    }
    eprintln!("ARC: {asked} vectors asked, {} differ{}", differ.len(), shown(&differ));
    // What the library reads more kindly than the suite: tags twice or with odd case, a missing algorithm, `arc-seal`
    // among what is signed. A signature that is not of the sealer's key never passes.
    let kind = ["_a_na", "includes_as", "inv_tag_key", "tags_dup", "tags_key_case", "tags_sc"];
    let is_known =
        |one: &String| !one.contains(": pass instead") || kind.iter().any(|end| one.contains(&format!("{end}:")));
    assert!(asked > 150 && differ.iter().all(is_known));
}

/// Mails with their records before them, as the library that we use brings them.
#[tokio::test(flavor = "multi_thread")]
async fn dkim_vectors() {
    let Some(folder) = folder("auth/mail-auth/dkim") else { return };
    let mut results = Vec::new();
    for path in files(&folder) {
        let text = std::fs::read_to_string(&path).expect("reads").replace("\r\n", "\n");
        let (records, mail) = text.split_once("\n\n").expect("records, then a mail");
        let zone = records
            .lines()
            .filter_map(|line| line.split_once(' '))
            .fold(Zone::new(), |zone, (name, text)| zone.txt(name, text));
        let server = NameServer::start(zone);
        let sender = Sender { ip: [192, 0, 2, 1].into(), helo: "x.example".into(), mail_from: String::new() };
        let said = ask(&server, mail.replace('\n', "\r\n").into_bytes(), sender).await;
        results.push(said.dkim.last().map_or("none", |signature| signature.result.as_str()));
    }
    eprintln!("DKIM: the last signature of {} mails: {}", results.len(), results.join(" "));
    // Signatures that say when they expire have expired.
    assert!(results.len() >= 6 && results.iter().all(|result| matches!(*result, "pass" | "neutral")));
}

fn shown(differ: &[String]) -> String {
    differ.iter().map(|one| format!("\n  {one}")).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("opens").map(|entry| entry.expect("reads").path()).collect();
    files.sort();
    files
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Cases of the form: a name at two columns, keys at four, the message as a block at six.
fn arc_cases(document: &str) -> Vec<(String, String, String)> {
    let mut cases: Vec<(String, String, String)> = Vec::new();
    let mut in_message = false;
    let tests = document.split_once("\ntests:").map_or("", |(_, rest)| rest);
    for line in tests.lines() {
        if !line.is_empty() && indent(line) == 0 {
            break;
        }
        if in_message && (line.is_empty() || indent(line) >= 6) {
            if let Some((_, message, _)) = cases.last_mut() {
                message.push_str(line.get(6..).unwrap_or_default());
                message.push_str("\r\n");
            }
            continue;
        }
        in_message = false;
        let (key, value) = line.trim().split_once(':').unwrap_or_default();
        match (indent(line), key, cases.last_mut()) {
            (2, name, _) if value.trim().is_empty() && !name.is_empty() => {
                cases.push((name.to_owned(), String::new(), String::new()))
            }
            (4, "message", _) => in_message = true,
            (4, "cv", Some(case)) => case.2 = value.trim().to_owned(),
            _ => {}
        }
    }
    cases.retain(|(_, _, expect)| matches!(expect.as_str(), "Pass" | "Fail" | "None"));
    cases
}

/// `name: >-` with a folded text below it.
fn block_pairs(document: &str, under: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in document.split_once(under).map_or("", |(_, rest)| rest).lines().skip(1) {
        match (indent(line), line.trim()) {
            (0, "") => {}
            (0, _) => break,
            (2, text) => {
                let (name, value) = text.split_once(':').unwrap_or((text, ""));
                pairs.push((name.to_owned(), value.trim().trim_start_matches(['>', '|', '-']).trim().to_owned()));
            }
            (_, text) => {
                if let Some((_, value)) = pairs.last_mut() {
                    value.push_str(text);
                }
            }
        }
    }
    pairs
}
