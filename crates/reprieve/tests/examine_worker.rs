//! Processes that examine, as the gateway lives with them: one that dies, hangs or eats all memory costs nobody else's
//! mail, and says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, bad, clean, config};

/// The text that brings a fault on.
const TRIGGER: &str = "xyzzy";

fn faulty(kind: &str, more: &str) -> (Sink, Gateway) {
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&format!("{}{more}", config(sink.address)));
    gateway.set("REPRIEVE_EXAMINE_FAULT", &format!("{kind}:{TRIGGER}"));
    gateway.run();
    (sink, gateway)
}

fn fatal() -> Vec<u8> {
    format!("From: a@x.example\r\nSubject: fatal\r\nMessage-ID: <fatal@x.example>\r\n\r\n{TRIGGER}\r\n").into_bytes()
}

fn send(gateway: &Gateway, to: &str, mail: &[u8]) -> String {
    Talk::from_outside(gateway.mx).send("a@x.example", &[to], mail)
}

/// The processes that examine for a gateway.
fn workers(gateway: &Gateway) -> Vec<u32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{}/task", gateway.pid())).unwrap() {
        let children = std::fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

fn is_there(pid: u32) -> bool {
    // A zombie is gone.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A mail that ends each process that examines it is held as Unscannable; all others go their way.
fn a_mail_that_ends_processes_is_held(kind: &str, how: &str) {
    let (sink, gateway) = faulty(kind, "");
    assert!(send(&gateway, "fatal@ours.example", &fatal()).starts_with("250"));
    assert!(send(&gateway, "good@ours.example", &clean("1")).starts_with("250"));
    assert!(send(&gateway, "bad@ours.example", &bad("2")).starts_with("250"));
    assert_eq!(sink.wait(1).len(), 1);
    let units = gateway.json(&["message", "trace", "--recipient", "fatal@ours.example"]);
    let seen = ["category", "account", "subject"].map(|field| units[0][field].as_str().unwrap_or_default());
    assert_eq!(seen, ["Unscannable", "held", "fatal"], "{units}");
    let shown = gateway.json(&["message", "show", units[0]["mail_id"].as_str().unwrap()]);
    let finding = &shown["findings"][0];
    assert_eq!(finding["detection"], "UNS-0001", "{shown}");
    assert!(finding["evidence"].as_str().unwrap().contains(how), "{finding}");
    assert_eq!(gateway.held().len(), 2, "and the bad one, which the next process has examined");
}

/// Who looks at such a mail is told that it cannot be shown; nobody else notices, and other mail is shown.
#[test]
fn a_mail_that_crashes_a_parser_costs_who_looks_at_it_a_message() {
    let (_sink, gateway) = faulty("abort", "");
    assert!(send(&gateway, "fatal@ours.example", &fatal()).starts_with("250"));
    assert!(send(&gateway, "bad@ours.example", &bad("2")).starts_with("250"));
    let id = |recipient: &str| {
        let units = gateway.json(&["message", "trace", "--recipient", recipient]);
        units[0]["mail_id"].as_str().unwrap().to_owned()
    };
    let before = workers(&gateway);
    let said = gateway.cli(&["quarantine", "preview", &id("fatal@ours.example"), "--config", "reprieve.toml"]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("cannot be shown safely") && said.contains("died of signal 6"), "{said}");
    let shown = gateway.json(&["quarantine", "preview", &id("bad@ours.example")]);
    assert!(shown["parts"].is_array(), "{shown}");
    assert!(before.iter().all(|pid| is_there(*pid)), "live mail has processes of its own");
}

#[test]
fn a_mail_that_crashes_a_parser_is_held_and_costs_nobody_else() {
    a_mail_that_ends_processes_is_held("abort", "died of signal 6");
}

#[test]
fn a_mail_that_takes_all_memory_is_held_and_costs_nobody_else() {
    a_mail_that_ends_processes_is_held("memory", "died of signal 6");
}

/// When every mail ends processes it is not the mail: nobody's mail is held for what is our own fault.
#[test]
fn when_every_mail_is_fatal_it_is_a_failure_and_no_verdict() {
    let (_sink, gateway) = faulty("abort", "");
    let replies: Vec<String> = (0..6)
        .map(|number| {
            send(
                &gateway,
                &format!("u{number}@ours.example"),
                &[&fatal()[..], number.to_string().as_bytes(), b"\r\n"].concat(),
            )
        })
        .collect();
    let codes: Vec<&str> = replies.iter().map(|reply| &reply[..3]).collect();
    assert_eq!(codes, ["250", "250", "250", "451", "451", "451"], "{replies:?}");
    assert!(send(&gateway, "good@ours.example", &clean("1")).starts_with("250"));
    assert!(
        send(&gateway, "again@ours.example", &fatal()).starts_with("250"),
        "a good one between, and it is the mail again"
    );
}

#[test]
fn a_mail_that_takes_for_ever_is_given_up_by_the_clock() {
    let (sink, gateway) = faulty("hang", "[limits]\nexamine_deadline_s = 1\n");
    let before = workers(&gateway);
    let began = Instant::now();
    // A time-out is an engine failure: the sender keeps the mail.
    assert!(send(&gateway, "slow@ours.example", &fatal()).starts_with("451"));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(send(&gateway, "good@ours.example", &clean("1")).starts_with("250"));
    assert_eq!(sink.wait(1).len(), 1);
    assert!(before.iter().any(|pid| !is_there(*pid)), "the one that hung has been killed");
}

#[test]
fn a_panic_is_an_engine_failure_and_the_process_goes_on() {
    let (sink, gateway) = faulty("panic", "");
    let before = workers(&gateway);
    assert!(send(&gateway, "panic@ours.example", &fatal()).starts_with("451"));
    assert!(send(&gateway, "good@ours.example", &clean("1")).starts_with("250"));
    assert_eq!(sink.wait(1).len(), 1);
    assert_eq!(workers(&gateway), before);
}

/// The descriptors of a process, by number, with what each leads to.
fn descriptors(pid: u32) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let target = std::fs::read_link(entry.path()).unwrap();
            (entry.file_name().to_str().unwrap().parse().unwrap(), target.display().to_string())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn processes_that_examine_have_their_socket_and_nothing_else() {
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&config(sink.address));
    // Whoever starts the gateway may have left open what they like.
    gateway.wrap(&["bash", "-c", "exec 10</etc/passwd 251</etc/hostname; exec \"$@\"", "bash"]);
    gateway.run();
    assert!(descriptors(gateway.pid()).iter().any(|(number, _)| *number == 251), "the gateway itself was given it");
    let workers = workers(&gateway);
    assert!(!workers.is_empty());
    for pid in workers {
        let open = descriptors(pid);
        let numbers: Vec<u32> = open.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 2, 3], "{open:?}");
        assert!(open[0].1.starts_with("socket:") && open[0].1 == open[3].1, "one socket: {open:?}");
        assert_eq!(open[1].1, "/dev/null");
        assert!(open[2].1.ends_with("/log"), "where the gateway complains as well: {open:?}");
    }
}

#[test]
fn processes_that_examine_have_no_capabilities() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let of = |pid: u32, name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let text = status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        u64::from_str_radix(&text, 16).unwrap()
    };
    let is_privileged = of(gateway.pid(), "CapEff:") & (1 << 8) != 0;
    for pid in workers(&gateway) {
        for name in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(of(pid, name), 0, "{name}");
        }
        // Only who may change it can; for others there is no way to any capability all the same.
        assert!(!is_privileged || of(pid, "CapBnd:") == 0);
        assert_eq!(of(pid, "NoNewPrivs:"), 1);
    }
}

#[test]
fn a_process_that_somebody_kills_is_replaced() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    for round in 0..3 {
        for pid in workers(&gateway) {
            assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
        }
        let reply = send(&gateway, "good@ours.example", &clean(&round.to_string()));
        assert!(reply.starts_with("250"), "{reply}");
    }
    assert_eq!(sink.wait(3).len(), 3);
    assert!(gateway.log().contains("died of signal 9"), "{}", gateway.log());
}

#[test]
fn processes_end_with_their_gateway_even_when_it_is_killed() {
    let sink = Sink::start();
    let mut gateway = Gateway::start(&config(sink.address));
    let workers = workers(&gateway);
    assert!(!workers.is_empty());
    // Not by the test's own way of killing, which takes care of what is below.
    assert!(Command::new("kill").args(["-9", &gateway.pid().to_string()]).status().unwrap().success());
    let began = Instant::now();
    while workers.iter().any(|pid| is_there(*pid)) {
        assert!(began.elapsed() < Duration::from_secs(10), "they live on");
        std::thread::sleep(Duration::from_millis(10));
    }
    gateway.kill();
}
