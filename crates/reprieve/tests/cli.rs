//! The shipped program as somebody uses it who has never seen it: wrong words, pipes that close, an environment that
//! was set once. An answer is true, or it is a refusal with the exit code of one: 0 done, 1 the answer is no, 2 wrong
//! use, 3 could not reach or open.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use support::{Gateway, Sink, Talk, bad, clean, config};

const CONFIG: [&str; 2] = ["--config", "reprieve.toml"];

/// A gateway that holds one mail of malware.
fn with_malware() -> (Gateway, Sink, String) {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("one")).contains("taken as"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("two")).starts_with("250"));
    let id = gateway.held()[0]["id"].as_str().unwrap().to_owned();
    (gateway, sink, id)
}

fn run(gateway: &Gateway, words: &[&str]) -> Output {
    gateway.cli(&[words, &CONFIG].concat())
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_list_never_says_nothing_to_a_word_that_it_does_not_know() {
    let (gateway, _sink, id) = with_malware();
    let ids = |words: &[&str]| -> Vec<String> {
        let list = gateway.json(&[&["quarantine", "list"], words].concat());
        list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    // In any case.
    for filter in [
        ["--category", "malware"],
        ["--category", "MALWARE"],
        ["--direction", "INBOUND"],
        ["--detection", "eic-0001"],
        ["--sender", "A@X.EXAMPLE"],
        ["--recipient", "B@Ours.Example"],
        ["--subject", "ONE"],
        ["--state", "HELD"],
        ["--state", "held,released"],
        ["--status", "notreleased"],
        ["--since", "-24h"],
        ["--until", "now"],
    ] {
        assert_eq!(ids(&filter), [id.as_str()], "{filter:?}");
    }
    assert!(ids(&["--since=-24h", "--until", "-1h"]).is_empty(), "an empty list of what is known is empty");
    assert!(ids(&["--category", "Spam"]).is_empty());
    // What is none is refused, and told what there is.
    for (words, told) in [
        (&["quarantine", "list", "--category", "malwar"][..], "HighConfidencePhish"),
        (&["quarantine", "list", "--direction", "sideways"], "Outbound"),
        (&["quarantine", "list", "--state", "hold"], "in_doubt"),
        (&["quarantine", "list", "--state", "held,hold"], "in_doubt"),
        (&["quarantine", "list", "--status", "held"], "NotReleased"),
        (&["quarantine", "list", "--detection", "EIC-9999"], "EIC-9999"),
        (&["quarantine", "list", "--since", "24h"], "-2h or -7d"),
        (&["quarantine", "list", "--until", "yesterday"], "-2h or -7d"),
        (&["sentinel", "explain", "XXX"], "XXX"),
        (&["detection", "show", "XXX"], "XXX"),
        (&["detection", "shadow", "XXX", "--reason", "r"], "XXX"),
        (&["detection", "pin", "XXX", "--reason", "r"], "XXX"),
        (&["contain", "XXX", "--version", "1", "--reason", "r"], "XXX"),
        (&["incident", "open", "XXX", "--version", "1", "--reason", "r"], "XXX"),
        (&["incident", "show", "INC-1"], "INC-1"),
        (&["entry", "block", "colour", "red", "--reason", "r"], "sender"),
        (&["token", "create", "--name", "n", "--role", "boss"], "analyst"),
        (&["person", "invite", "--name", "n", "--role", "boss"], "analyst"),
        (&["token", "create", "--name", "n", "--role", "admin", "--domain", "our.example"], "accepted_domains"),
        (&["person", "invite", "--name", "n", "--role", "admin", "--domain", "our.example"], "accepted_domains"),
        (&["submission", "add", &id, "--kind", "wrong"], "false-positive"),
        (&["quarantine", "show", "a b/../.."], "a b/../.."),
        (&["message", "show", "../tokens"], "../tokens"),
        (&["scan", "--direction", "up", "reprieve.toml"], "outbound"),
        (&["scan", "--fail-on", "bad", "reprieve.toml"], "Malware"),
    ] {
        let refused = run(&gateway, words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}{}", out(&refused), complaint(&refused));
        assert!(complaint(&refused).contains(told) && out(&refused).is_empty(), "{words:?}: {}", complaint(&refused));
    }
    let role = ["token", "create", "--name", "n", "--role", "ADMIN", "--what-if"];
    assert_eq!(gateway.json(&role)["role"], "admin");
    let report = run(&gateway, &["submission", "add", &id, "--kind", "FALSE-POSITIVE"]);
    assert_eq!(report.status.code(), Some(0), "{}", complaint(&report));
    assert_eq!(run(&gateway, &["sentinel", "explain", "eic-0001"]).status.code(), Some(0));
}

#[test]
fn the_list_shows_what_is_held_and_what_was_when_it_is_asked() {
    let (gateway, _sink, id) = with_malware();
    let released = run(&gateway, &["quarantine", "release", &id, "--wait", "--reason", "wanted"]);
    assert_eq!(released.status.code(), Some(0), "{}", complaint(&released));
    let list = |words: &[&str]| out(&run(&gateway, &[&["quarantine", "list"], words].concat()));
    assert!(list(&[]).starts_with("no held message"), "{}", list(&[]));
    assert!(list(&["--state", "released"]).contains(&id));
    assert!(list(&["--state", "any"]).contains(&id) && list(&["--status", "Released"]).contains(&id));
    assert!(!list(&["--state", "held,denied"]).contains(&id));
}

/// The messages, as soon as both are where they stay: what goes through is on record as delivered a moment later.
fn until_both_are_there(gateway: &Gateway) -> serde_json::Value {
    let began = std::time::Instant::now();
    loop {
        let found = gateway.json(&["explore", "state:(held OR delivered)"]);
        if found.as_array().unwrap().len() == 2 {
            return found;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{found} {}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// What the console's explorer writes out of everything.
fn exported(gateway: &Gateway) -> String {
    let token = gateway.json(&["token", "create", "--name", "export", "--role", "auditor"]);
    let secret = token["secret"].as_str().unwrap();
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let host = &gateway.api;
    let request = format!(
        "GET /api/v1/explore/export?form=csv HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {secret}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// A search finds what the explorer of the console finds, in each format; an export has the same bytes.
#[test]
fn messages_are_found_by_a_query_in_each_format() {
    let (gateway, _sink, id) = with_malware();
    let explore = |words: &[&str]| run(&gateway, &[&["explore"], words].concat());
    let found = |words: &[&str]| -> Vec<String> {
        let rows = gateway.json(&[&["explore"], words].concat());
        rows.as_array().unwrap().iter().map(|row| row["mail_id"].as_str().unwrap().to_owned()).collect()
    };
    until_both_are_there(&gateway);
    assert_eq!(found(&[]).len(), 2);
    assert_eq!(found(&["category:malware", "sender:*@x.example"]), [id.as_str()]);
    assert_eq!(found(&["category:malware OR state:delivered", "--since", "-1h"]).len(), 2);
    assert!(found(&["category:malware OR state:delivered", "--until", "-1h"]).is_empty());
    assert_eq!(found(&["--limit", "1"]).len(), 1);
    assert_eq!(found(&["--all"]), found(&[]));
    let table = out(&explore(&["state:held"]));
    assert!(table.starts_with("mail_id ") && table.contains(&id) && !table.contains("message_id"), "{table}");
    let csv = |words: &[&str]| explore(&[words, &["--format", "csv"]].concat()).stdout;
    assert_eq!(String::from_utf8(csv(&["--all"])).unwrap(), exported(&gateway));
    assert_eq!(csv(&[]), csv(&["--all"]));
    assert_eq!(out(&explore(&["subject:nothing"])), "no message matches\n");
    assert_eq!(explore(&["--format", "JSON"]).stdout, explore(&["--json"]).stdout);
    let exports = gateway.json(&["audit", "list"]);
    assert!(exports.to_string().contains("explore.export"), "what is written out whole is on record");
    // How many, by a field of the sums and by one of the groups.
    let by = |field: &str| {
        let sums = gateway.json(&["explore", "--group-by", field]);
        let values = sums["values"].as_array().unwrap().clone();
        (sums["total"].as_u64().unwrap(), values)
    };
    let (total, values) = by("state");
    assert_eq!((total, values.len()), (2, 2), "{values:?}");
    let (_, values) = by("detection");
    assert!(values.iter().any(|one| one["value"] == "EIC-0001" && one["units"] == 1), "{values:?}");
    assert!(out(&explore(&["--group-by", "verdict"])).starts_with("value"), "a name that people are used to");
    let csv = String::from_utf8(csv(&["--group-by", "category"])).unwrap();
    assert!(csv.starts_with("value,deliveries\r\n") && csv.contains("Malware,1\r\n"), "{csv}");
    // What cannot be read is shown with its place.
    let wrong = explore(&["state:held colour:red"]);
    let told = complaint(&wrong);
    assert_eq!(wrong.status.code(), Some(2), "{told}");
    assert!(told.contains("\n  state:held colour:red\n             ^^^^^^^"), "{told}");
    for (words, part) in [
        (&["--since", "24h"][..], "--since: "),
        (&["--group-by", "subject"], "from_domain"),
        (&["--all", "--limit", "3"], "cannot be used"),
    ] {
        let refused = explore(words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
        assert!(complaint(&refused).contains(part), "{words:?}: {}", complaint(&refused));
    }
}

/// Every list is printed as a table, as JSON and as CSV, by the same flag.
#[test]
fn every_list_has_three_formats() {
    let (gateway, _sink, id) = with_malware();
    gateway.json(&["person", "invite", "--name", "=anna", "--role", "admin"]);
    gateway.json(&["token", "create", "--name", "siem", "--role", "auditor"]);
    gateway.json(&["submission", "add", &id, "--kind", "false-positive", "--comment", "two, or three"]);
    gateway.json(&["hold", "add", "--mail", &id, "--reason", "evidence"]);
    gateway.json(&["incident", "open", "EIC-0001", "--reason", "a drill"]);
    gateway.json(&["entry", "block", "sender", "b@bad.example", "--reason", "fraud"]);
    for (list, begins, has) in [
        (&["quarantine", "list"][..], "id,received,direction,", id.as_str()),
        (&["quarantine", "requests"], "mail_id,asked,", ""),
        (&["hold", "list"], "hold,kind,what,deliveries,", "evidence"),
        (&["entry", "list"], "id,action,kind,value,for,until,last_used,", "b@bad.example"),
        (&["ruleset", "list"], "version,detections,first_seen,", ""),
        (&["detection", "list"], "code,version,category,", "EIC-0001"),
        (&["detection", "engines"], "engine,version,data,first_seen", "yara"),
        (&["incident", "list"], "id,stage,detection,opened,done,", "EIC-0001"),
        (&["submission", "list"], "number,at,kind,by,", "\"two, or three\""),
        (&["alert", "list"], "number,at,kind,subject,acknowledged,by,text", ""),
        (&["token", "list"], "id,name,role,domains,expires,revoked", "siem"),
        (&["person", "list"], "name,role,domains,sign-in,added,by", "\"'=anna\",admin"),
        (&["audit", "list"], "number,at,actor,action,object,reason,detail", "person.invite"),
    ] {
        let print = |format: &[&str]| {
            let printed = run(&gateway, &[list, format].concat());
            assert_eq!(printed.status.code(), Some(0), "{list:?}: {}", complaint(&printed));
            out(&printed)
        };
        let csv = print(&["--format", "csv"]);
        assert!(csv.starts_with(begins) && csv.contains(has), "{list:?}: {csv}");
        assert!(csv.split_inclusive('\n').all(|line| line.ends_with("\r\n")), "{list:?}: {csv}");
        let json: serde_json::Value = serde_json::from_str(&print(&["--format", "json"])).unwrap();
        let (rows, lines) = (json.as_array().unwrap().len(), csv.lines().count());
        assert!(rows == lines - 1 || list[0] == "audit", "{list:?}: {rows} rows, {lines} lines");
        assert_eq!(print(&["--json"]).is_empty(), print(&[]).is_empty(), "{list:?}");
        let table = print(&["--format", "table"]);
        let is_raw = |word: &str| word.starts_with("20") && word.contains('T') && word.ends_with('Z');
        let is_shown = list[0] == "audit" || !table.split_whitespace().any(is_raw);
        assert!(is_shown, "{list:?}: times have one width: {table}");
    }
    let both = run(&gateway, &["quarantine", "list", "--json", "--format", "csv"]);
    assert_eq!(both.status.code(), Some(2), "{}", out(&both));
}

/// The beginning of an ID is enough where it is that of one message, or one incident.
#[test]
fn an_unambiguous_beginning_of_an_id_is_enough() {
    let (gateway, _sink, id) = with_malware();
    let all = until_both_are_there(&gateway);
    let other = all.as_array().unwrap().iter().map(|row| row["mail_id"].as_str().unwrap()).find(|one| *one != id);
    let other = other.unwrap().to_owned();
    let common = id.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    assert!(common >= 6, "both came within a second: {id} {other}");
    let short = id[..=common].to_uppercase();
    assert!(out(&run(&gateway, &["quarantine", "show", &short])).contains(&id));
    assert!(out(&run(&gateway, &["message", "show", &short])).contains(&id));
    assert!(out(&run(&gateway, &["message", "trace", "--id", &short])).contains(&id));
    assert!(out(&run(&gateway, &["quarantine", "release", &short, "--what-if"])).contains("would be released"));
    let ambiguous = run(&gateway, &["quarantine", "show", &id[..common]]);
    assert_eq!(ambiguous.status.code(), Some(2), "{}", out(&ambiguous));
    let told = complaint(&ambiguous);
    assert!(told.contains("is ambiguous") && told.contains(&id) && told.contains(&other), "{told}");
    let unknown = run(&gateway, &["quarantine", "show", "ffffffff-ffff"]);
    assert!(unknown.status.code() == Some(2) && complaint(&unknown).contains("ffffffff-ffff"), "{unknown:?}");
    let incident = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a drill"]);
    let incident = incident["id"].as_str().unwrap();
    assert!(out(&run(&gateway, &["incident", "show", &incident[..8]])).contains(incident));
}

#[test]
fn what_if_says_what_would_happen() {
    let (gateway, _sink, id) = with_malware();
    let told = |words: &[&str]| out(&run(&gateway, words)).trim_end().to_owned();
    let unit = format!("{id}  b@ours.example");
    assert_eq!(told(&["quarantine", "deny", &id, "--what-if"]), format!("{unit}: held: would be denied"));
    assert_eq!(told(&["quarantine", "delete", &id, "--what-if"]), format!("{unit}: held: would be deleted"));
    assert_eq!(told(&["quarantine", "release", &id, "--what-if"]), format!("{unit}: held: would be released"));
    assert_eq!(told(&["quarantine", "deny", &id, "--reason", "r"]), format!("{unit}: denied"));
    assert_eq!(told(&["quarantine", "deny", &id, "--what-if"]), format!("{unit}: denied: cannot be denied from here"));
}

#[test]
fn a_backup_and_its_proof_count_the_same_things() {
    let (gateway, _sink, id) = with_malware();
    run(&gateway, &["quarantine", "release", &id, "--wait", "--reason", "wanted"]);
    let said = out(&run(&gateway, &["backup", "--to", "one"]));
    let proved = out(&gateway.cli(&["restore", "one", "--verify"]));
    let counted = "2 messages on record, stored bytes of 1";
    assert!(said.contains(counted) && proved.contains(counted), "{said}{proved}");
    let made = gateway.json(&["backup", "--to", "two"]);
    let proof = gateway.cli(&["restore", "two", "--verify", "--json"]);
    let proof: serde_json::Value = serde_json::from_slice(&proof.stdout).unwrap();
    assert_eq!((&made["messages"], &made["blobs"]), (&proof["messages"], &proof["blobs"]), "{made} {proof}");
    assert_eq!((&proof["held"], &proof["accepted"], &proof["whole"]), (&0.into(), &2.into(), &true.into()), "{proof}");
}

#[test]
fn a_flag_goes_before_the_environment_and_a_token_is_never_ignored() {
    let (gateway, _sink, id) = with_malware();
    let token = gateway.json(&["token", "create", "--name", "cli", "--role", "admin"]);
    std::fs::write(gateway.path("token"), token["secret"].as_str().unwrap()).unwrap();
    std::fs::write(gateway.path("empty"), "\n").unwrap();
    let url = format!("http://{}", gateway.api);
    let list = |exported: &str, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reprieve"));
        command.env("REPRIEVE_CONFIG", exported).current_dir(gateway.folder.path());
        command.args(["quarantine", "list"]).args(words).output().unwrap()
    };
    let over_tcp = ["--api", url.as_str(), "--token-file", "token"];
    for (exported, words) in
        [("reprieve.toml", &over_tcp[..]), ("nowhere.toml", &over_tcp), ("", &over_tcp), ("reprieve.toml", &[])]
    {
        let answer = list(exported, words);
        assert!(answer.status.success() && out(&answer).contains(&id), "{words:?}: {}", complaint(&answer));
    }
    assert!(list("nowhere.toml", &CONFIG).status.success(), "a configuration that is named goes before it as well");
    for (file, code) in [("nowhere", 3), ("empty", 3)] {
        let refused = list("reprieve.toml", &["--api", &url, "--token-file", file]);
        assert_eq!(refused.status.code(), Some(code), "{file}: {}", complaint(&refused));
        assert!(complaint(&refused).contains(file), "{}", complaint(&refused));
    }
    // Without an API to show it to there is no token; two gateways are none.
    assert_eq!(list("reprieve.toml", &["--token-file", "nowhere"]).status.code(), Some(2));
    assert_eq!(list("", &["--api", &url, "--config", "reprieve.toml"]).status.code(), Some(2));
    assert_eq!(list("", &[]).status.code(), Some(2));
    assert_eq!(list("nowhere.toml", &[]).status.code(), Some(3));
}

/// Every verb that writes much, into a pipe whose reader has gone.
#[test]
fn a_pipe_that_closes_is_no_panic() {
    let (gateway, _sink, id) = with_malware();
    let verbs: [&[&str]; 12] = [
        &["completions", "bash"],
        &["completions", "zsh"],
        &["man"],
        &["--help"],
        &["config", "example"],
        &["drill", "--list"],
        &["scan", "--explain", "reprieve.toml"],
        &["quarantine", "list", "--config", "reprieve.toml"],
        &["quarantine", "export", &id, "--config", "reprieve.toml"],
        &["audit", "list", "--config", "reprieve.toml"],
        &["detection", "list", "--config", "reprieve.toml"],
        &["status-page", "--html", "--config", "reprieve.toml"],
    ];
    for words in verbs {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_reprieve"));
        let child =
            command.args(words).current_dir(gateway.folder.path()).stdout(writer).stderr(Stdio::piped()).spawn();
        let ended = child.unwrap().wait_with_output().unwrap();
        let said = complaint(&ended);
        assert!(!said.contains("panicked") && ended.status.code() == Some(0), "{words:?}: {} {said}", ended.status);
    }
}

/// A log that nobody reads any more ends no thread of the gateway.
#[test]
fn the_gateway_goes_on_when_nobody_reads_its_log() {
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&config(sink.address));
    // The reader of standard error ends at once.
    gateway.wrap(&["/bin/bash", "-c", "exec 2> >(true); exec \"$@\"", "bash"]);
    gateway.set("REPRIEVE_LOG", "debug");
    assert!(gateway.try_run(), "it does not start");
    for n in 0..5 {
        let mut talk = Talk::from_outside(gateway.mx);
        assert!(talk.send("a@x.example", &["b@ours.example"], &clean(&n.to_string())).starts_with("250"), "{n}");
    }
    gateway.ledger();
}

#[test]
fn an_invitation_leads_to_where_the_console_is() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let invite = |words: &[&str]| {
        out(&run(&gateway, &[&["person", "invite", "--name", "anna", "--role", "admin"], words].concat()))
    };
    let link = invite(&[]);
    assert!(link.starts_with(&format!("http://{}/welcome#", gateway.api)), "{link}");
    let named = invite(&["--console", "https://mail.ours.example/"]);
    assert!(named.starts_with("https://mail.ours.example/welcome#"), "{named}");
}

#[test]
fn a_link_that_leads_in_a_ring_is_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mail")).unwrap();
    std::fs::write(folder.path().join("mail/one.eml"), clean("one")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("mail/up")).unwrap();
    std::os::unix::fs::symlink("self", folder.path().join("mail/self")).unwrap();
    let scanned = support::reprieve(&["scan", ".", "--json"], folder.path());
    assert_eq!(scanned.status.code(), Some(0), "{scanned:?}");
    assert_eq!(out(&scanned).lines().count(), 1, "the mail, once: {}", out(&scanned));
    let told = complaint(&scanned);
    assert!(told.contains("mail/up: ") && told.contains("mail/self: ") && told.contains("2 symbolic links"), "{told}");
    // What a link promises and is not there could not be read.
    std::os::unix::fs::symlink("nowhere", folder.path().join("mail/gone.eml")).unwrap();
    assert_eq!(support::reprieve(&["scan", "."], folder.path()).status.code(), Some(3));
}

#[test]
fn a_folder_that_holds_no_ruleset_is_told_what_one_holds() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hosts"), "127.0.0.1 localhost\n").unwrap();
    let lint = || support::reprieve(&["ruleset", "lint", "."], folder.path());
    let told = complaint(&lint());
    assert!(told.contains("no detection in it") && told.contains("detection.toml"), "{told}");
    std::os::unix::fs::symlink("/nowhere/mtab", folder.path().join("mtab")).unwrap();
    let told = complaint(&lint());
    assert!(told.contains("mtab in it: No such file") && told.contains("detection.toml"), "{told}");
}

#[test]
fn what_has_changed_in_the_file_is_told_before_it_is_in_force() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let diff = |words: &[&str]| run(&gateway, &[&["config", "diff"], words].concat());
    let same = diff(&[]);
    assert_eq!(same.status.code(), Some(0), "{}{}", out(&same), complaint(&same));
    let text = std::fs::read_to_string(gateway.path("reprieve.toml")).unwrap();
    std::fs::write(gateway.path("next.toml"), format!("{text}\n[known_good]\ndays = 200\n")).unwrap();
    let changed = diff(&["--file", "next.toml"]);
    assert_eq!(changed.status.code(), Some(1), "{}", complaint(&changed));
    let told = out(&changed);
    assert!(told.contains("known_good") && told.contains("200") && told.contains("by `reprieve reload`"), "{told}");
    std::fs::write(gateway.path("moved.toml"), text.replace("data_dir = \"data\"", "data_dir = \"elsewhere\""))
        .unwrap();
    let told = out(&diff(&["--file", "moved.toml"]));
    assert!(told.contains("data_dir *") && told.contains("systemctl restart"), "{told}");
    let json: serde_json::Value = serde_json::from_str(&out(&diff(&["--file", "next.toml", "--json"]))).unwrap();
    assert_eq!(json["differences"].as_array().map(Vec::len), Some(1), "{json}");
    // Of a webhook no secret is told, and that it has changed is.
    let hook = |secret: &str| {
        let told = format!("[notices]\nalert_webhooks = [\"http://127.0.0.1:9/{secret}\"]\n");
        text.replace("[notices]\n", &told)
    };
    std::fs::write(gateway.path("hook.toml"), hook("first-secret")).unwrap();
    let one = out(&diff(&["--file", "hook.toml"]));
    std::fs::write(gateway.path("hook.toml"), hook("second-secret")).unwrap();
    let other = out(&diff(&["--file", "hook.toml"]));
    assert!(one != other && one.contains("127.0.0.1:9 (mark "), "{one}{other}");
    assert!(!one.contains("secret") && !other.contains("secret"), "{one}{other}");
    std::fs::write(gateway.path("wrong.toml"), "nothing = 1\n").unwrap();
    let wrong = diff(&["--file", "wrong.toml"]);
    assert!(wrong.status.code() == Some(3) && complaint(&wrong).contains("wrong.toml"), "{}", complaint(&wrong));

    // SIGHUP puts it in force, and says so in the log.
    std::fs::rename(gateway.path("next.toml"), gateway.path("reprieve.toml")).unwrap();
    let pid = rustix::process::Pid::from_raw(gateway.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    let began = std::time::Instant::now();
    while !gateway.log().contains("the new settings are in force") {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean("1")).starts_with("250"));
}

#[test]
fn a_configuration_that_contradicts_itself_is_refused_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let text = config(std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
    let check = |more: &str| {
        std::fs::write(folder.path().join("reprieve.toml"), format!("{text}{more}")).unwrap();
        support::reprieve(&["config", "check", "--config", "reprieve.toml"], folder.path())
    };
    assert_eq!(check("").status.code(), Some(0));
    let missing = check("[[event_sink]]\nname = \"siem\"\nto = \"https://siem.example/\"\nca = \"ca.pem\"\n");
    assert_eq!(missing.status.code(), Some(1));
    assert!(complaint(&missing).contains("event_sink siem: ca: "), "{}", complaint(&missing));
    let refused = check("[limits]\nhop_wait_s = 90\npercent_strangers = 99\n[http]\nproxies = [\"0.0.0.0/0\"]\n");
    assert_eq!(refused.status.code(), Some(1));
    let told = complaint(&refused);
    let lines = text.lines().count();
    for (line, words) in [
        (lines + 2, "limits.hop_wait_s: hop_wait_s (90) is not below reply_deadline_s (85, its default)"),
        (lines + 3, "limits.percent_strangers: percent_strangers (99) is above percent_strangers_and_known"),
        (lines + 5, "http.proxies: holds every address"),
    ] {
        assert!(told.contains(&format!("line {line}: {words}")), "{line} {words}: {told}");
    }
}

/// An administrator who has lost everything is let in again from the host, whether the service runs or not; nobody else
/// is, and the others are called.
#[test]
fn an_administrator_is_let_in_again_from_the_host() {
    let sink = Sink::start();
    let mut gateway = Gateway::start(&config(sink.address));
    gateway.json(&["person", "invite", "--name", "anna", "--role", "admin"]);
    gateway.json(&["person", "invite", "--name", "ben", "--role", "analyst"]);
    gateway.json(&["token", "create", "--name", "anna", "--role", "admin"]);
    let recover =
        |gateway: &Gateway, name: &str, reason: &str| run(gateway, &["person", "recover", name, "--reason", reason]);
    let refusals = |gateway: &Gateway| {
        for (name, reason, word) in [("nobody", "lost", "nobody"), ("ben", "lost", "analyst"), ("anna", " ", "say why")]
        {
            let refused = recover(gateway, name, reason);
            assert_eq!(refused.status.code(), Some(2), "{name}: {}", out(&refused));
            assert!(complaint(&refused).contains(word), "{name}: {}", complaint(&refused));
        }
    };
    refusals(&gateway);
    let link = out(&recover(&gateway, "anna", "lost her phone"));
    assert!(link.starts_with(&format!("http://{}/welcome#", gateway.api)), "{link}");
    let tokens = gateway.json(&["token", "list"]);
    assert!(tokens.as_array().unwrap().iter().all(|token| token["revoked"].is_string()), "{tokens}");
    let anna = gateway.json(&["person", "list"])[0].clone();
    assert!(anna["invited_until"].is_string() && anna["has_totp"] == false, "{anna}");
    let alerts = gateway.json(&["alert", "list"]);
    assert_eq!(alerts[0]["kind"], "access", "{alerts}");
    assert!(alerts[0]["text"].as_str().unwrap().contains("lost her phone"), "{alerts}");
    // While the service does not run.
    gateway.stop();
    refusals(&gateway);
    let offline = recover(&gateway, "anna", "again");
    assert_eq!(offline.status.code(), Some(0), "{}", complaint(&offline));
    let link = out(&offline);
    assert!(link.contains("/welcome#"), "{link}");
    gateway.run();
    let acts = gateway.json(&["audit", "list"]);
    let recovered = acts.as_array().unwrap().iter().filter(|act| act["action"] == "person.recover");
    let reasons: Vec<&str> = recovered.map(|act| act["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["lost her phone", "again"]);
    assert_eq!(gateway.json(&["alert", "list"]).as_array().unwrap().len(), 2, "they are called each time");
    gateway.ledger();
}

/// What a bundle has in it, as one text.
fn unpacked(path: &std::path::Path) -> String {
    let mut bytes = Vec::new();
    let mut packed = flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap());
    std::io::Read::read_to_end(&mut packed, &mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Of a mail with a mark in each of its fields, and of secrets with one, nothing is in the bundle; and there is one
/// whether the service runs or not.
#[test]
fn a_support_bundle_has_nothing_of_mail_and_no_secret() {
    let sink = Sink::start();
    let settings = "[notices]\nalert_webhooks = [\"http://127.0.0.1:1/marked-hook?token=marked-token\"]\n\
                    alert_mail = [\"marked-operator@ours.example\"]\n";
    let mut gateway = Gateway::start(&config(sink.address).replace("[notices]\n", settings));
    let text = "From: \"marked-name\" <marked-from@x.example>\r\nTo: marked-to@ours.example\r\n\
                Subject: marked-subject\r\nMessage-ID: <marked-id@x.example>\r\nX-Marked: marked-field\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
                <a href=\"http://marked-host.example/marked-path\">marked-text</a>\r\n--b\r\n\
                Content-Type: application/octet-stream; name=marked-file.exe\r\n\
                Content-Disposition: attachment; filename=marked-file.exe\r\n\r\nMZmarked\r\n--b--\r\n";
    for to in ["marked-rcpt@ours.example", "marked-other@ours.example"] {
        let mut talk = Talk::from_outside(gateway.mx);
        talk.send("marked-sender@x.example", &[to], text.as_bytes());
        talk.send("marked-sender@x.example", &[to], &bad("marked-bad"));
    }
    gateway.json(&["person", "invite", "--name", "marked-person", "--role", "admin"]);
    gateway.json(&["token", "create", "--name", "marked-holder", "--role", "admin"]);
    let bundle = |gateway: &Gateway, name: &str| {
        let made = run(gateway, &["support-bundle", "-o", name]);
        assert_eq!(made.status.code(), Some(0), "{}", complaint(&made));
        (out(&made), unpacked(&gateway.path(name)))
    };
    let (listed, has) = bundle(&gateway, "running.tar.gz");
    for piece in [
        "version.txt",
        "settings.json",
        "doctor.json",
        "health.json",
        "metrics.txt",
        "ledger.json",
        "rulesets.json",
        "database.json",
        "kernel.txt",
        "missing.json",
    ] {
        assert!(listed.contains(piece) && has.contains(piece), "{piece}: {listed}");
    }
    assert!(has.contains("reprieve_") && has.contains("0033_legal_hold") && has.contains("[address "), "{listed}");
    assert!(!has.to_lowercase().contains("marked"), "{:?}", has.to_lowercase().split_once("marked"));
    let again = run(&gateway, &["support-bundle", "-o", "running.tar.gz"]);
    assert_eq!(again.status.code(), Some(3), "no file is overwritten");
    gateway.stop();
    let (listed, has) = bundle(&gateway, "stopped.tar.gz");
    assert!(listed.contains("missing: health") && has.contains("settings.json"), "{listed}");
    assert!(!has.to_lowercase().contains("marked"));
}
