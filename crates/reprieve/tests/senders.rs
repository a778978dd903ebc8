//! Who sends, and what others say of it: a name server on loopback and Debian's rspamd, through the whole program.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it could not do"
)]

mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nameserver::{NameServer, Zone};
use support::{Gateway, Received, Sink, Talk, config};

fn mail(number: u32, from: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: b@ours.example\r\nSubject: s{number}\r\nMessage-ID: <s{number}@x.example>\r\n\
         Authentication-Results: gw.example; dmarc=pass header.from=forged.example\r\n\r\n{body} {number}\r\n"
    )
    .into_bytes()
}

fn with_auth(sink: &Sink, settings: &str) -> String {
    config(sink.address).replace("[engine.auth]\non = false\n", &format!("[engine.auth]\n{settings}"))
}

/// Sends a mail and returns it as the next hop got it.
fn through(gateway: &Gateway, sink: &Sink, sender: &str, mail: &[u8]) -> Received {
    let reply = Talk::from_outside(gateway.mx).send(sender, &["b@ours.example"], mail);
    assert!(reply.starts_with("250"), "{reply}");
    sink.got().pop().unwrap()
}

#[test]
fn how_a_mail_authenticates_is_asked_said_and_recorded() {
    // Clients of these tests come from 203.0.113.9, or whatever `from_outside` says: the record allows all of it.
    let zone = Zone::new()
        .txt("partner.example", "v=spf1 +all")
        .txt("_dmarc.partner.example", "v=DMARC1; p=reject")
        .txt("strict.example", "v=spf1 -all")
        .txt("_dmarc.strict.example", "v=DMARC1; p=reject");
    let server = NameServer::start(zone);
    let sink = Sink::start();
    let gateway = Gateway::start(&with_auth(&sink, &format!("name_server = \"{}\"\n", server.address)));
    let real = through(&gateway, &sink, "anna@partner.example", &mail(1, "anna@partner.example", "hello"));
    let results = real.header("Authentication-Results").unwrap();
    assert!(results.starts_with("gw.example; spf=pass") && results.contains("dmarc=pass"), "{results}");
    let text = String::from_utf8_lossy(&real.bytes).to_string();
    assert_eq!(text.matches("Authentication-Results:").count(), 1, "the forged one is gone: {text}");
    assert_eq!(real.header("X-Reprieve-Verdict").unwrap(), "Clean; Deliver");
    let forged = through(&gateway, &sink, "anna@strict.example", &mail(2, "anna@strict.example", "hello"));
    assert_eq!(forged.header("X-Reprieve-Verdict").unwrap(), "Spoof; Junk");
    assert!(forged.header("X-Reprieve-Detection").unwrap().starts_with("AUT-0001;"));
    // The record has it, and so has the explanation; nobody is asked for it again.
    let trace = gateway.json(&["message", "trace", "--message-id", "<s2@x.example>"]);
    let shown = gateway.json(&["message", "show", trace[0]["mail_id"].as_str().unwrap()]);
    let said = &shown["authentication"];
    assert_eq!((said["spf"].as_str(), said["dmarc"].as_str()), (Some("fail"), Some("fail")), "{shown}");
    assert_eq!(said["dmarc_policy"], "reject");
    let asked = server.asked();
    gateway.json(&["message", "show", trace[0]["mail_id"].as_str().unwrap()]);
    assert_eq!(server.asked(), asked);
}

#[test]
fn the_first_mail_of_a_sender_is_told() {
    let zone = Zone::new().txt("partner.example", "v=spf1 +all").txt("stranger.example", "v=spf1 +all");
    let server = NameServer::start(zone);
    let sink = Sink::start();
    let gateway = Gateway::start(&with_auth(&sink, &format!("name_server = \"{}\"\n", server.address)));
    let is_first = |number: u32, from: &str| {
        let got = through(&gateway, &sink, from, &mail(number, from, "hello"));
        got.header("X-Reprieve-First-Contact").is_some()
    };
    assert!(is_first(1, "anna@partner.example"));
    let began = Instant::now();
    let mut number = 1;
    while {
        number += 1;
        is_first(number, "carla@mail.partner.example")
    } {
        assert!(began.elapsed() < Duration::from_secs(20), "the organisation stays a stranger");
        std::thread::sleep(Duration::from_millis(100));
    }
    // Who was written to is no stranger when they answer.
    let mut talk = Talk::to(gateway.submission);
    talk.say("EHLO x.example");
    talk.say("XCLIENT ADDR=198.51.100.7 LOGIN=bert");
    talk.say("EHLO x.example");
    assert!(
        talk.send("b@ours.example", &["dora@stranger.example"], &mail(900, "b@ours.example", "hello"))
            .starts_with("250")
    );
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!is_first(901, "dora@stranger.example"));
    let shown = gateway.json(&["message", "trace", "--message-id", "<s1@x.example>"]);
    let shown = gateway.json(&["message", "show", shown[0]["mail_id"].as_str().unwrap()]);
    assert_eq!(shown["first_contact"], true);
}

#[test]
fn dns_that_does_not_answer_stops_no_mail() {
    let server = NameServer::start(Zone::new().silent("partner.example"));
    let sink = Sink::start();
    let settings = format!("name_server = \"{}\"\ntimeout_s = 1\n", server.address);
    let gateway = Gateway::start(&with_auth(&sink, &settings));
    let began = Instant::now();
    let got = through(&gateway, &sink, "anna@partner.example", &mail(1, "anna@partner.example", "hello"));
    assert!(began.elapsed() < Duration::from_secs(4));
    assert_eq!(got.header("Authentication-Results"), None, "what we do not know we do not claim");
    assert_eq!(got.header("X-Reprieve-Verdict").unwrap(), "Clean; Deliver");
}

/// Debian's rspamd on loopback, without the modules that ask the network.
struct Rspamd {
    folder: tempfile::TempDir,
    address: SocketAddr,
    child: Child,
}

impl Rspamd {
    fn start() -> Option<Self> {
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
        let is_here = is_root && Command::new("rspamd").arg("--version").output().is_ok();
        assert!(is_here || std::env::var("CI").is_err(), "rspamd and root are needed; the test command installs it");
        if !is_here {
            eprintln!("skipped: needs root and rspamd; `cargo xtask ci` installs it");
            return None;
        }
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (address, controller) = (free(), free());
        let folder = tempfile::Builder::new().prefix("reprieve-rspamd").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let run = |words: &[&str]| assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success());
        run(&["cp", "-r", "/etc/rspamd", at("etc").to_str().unwrap()]);
        for name in ["db", "run", "log"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let local = |name: &str, text: &str| std::fs::write(at("etc/local.d").join(name), text).unwrap();
        std::fs::create_dir_all(at("etc/local.d")).unwrap();
        for module in ["arc", "asn", "dkim", "dmarc", "fuzzy_check", "mx_check", "phishing", "rbl", "spf", "surbl"] {
            local(&format!("{module}.conf"), "enabled = false;\n");
        }
        local("options.inc", "dns { nameserver = [\"127.0.0.1:9\"]; timeout = 0.1s; retransmits = 1; }\n");
        local("logging.inc", &format!("type = \"file\";\nfilename = \"{}\";\n", at("log/rspamd.log").display()));
        local("worker-normal.inc", &format!("bind_socket = \"{address}\";\ncount = 1;\n"));
        local("worker-controller.inc", &format!("bind_socket = \"{controller}\";\n"));
        local("worker-proxy.inc", "enabled = false;\n");
        run(&["chown", "-R", "_rspamd", folder.path().to_str().unwrap()]);
        run(&["chmod", "755", folder.path().to_str().unwrap()]);
        let mut command = Command::new("rspamd");
        command.arg("-f").arg("-c").arg(at("etc/rspamd.conf")).args(["-u", "_rspamd", "-g", "_rspamd"]);
        let places =
            [("CONFDIR", "etc"), ("LOCAL_CONFDIR", "etc"), ("DBDIR", "db"), ("RUNDIR", "run"), ("LOGDIR", "log")];
        for (name, value) in places {
            command.arg(format!("--var={name}={}", at(value).display()));
        }
        let log = std::fs::File::create(at("start.log")).unwrap();
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let rspamd = Self { folder, address, child };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = std::fs::read_to_string(rspamd.folder.path().join("start.log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "rspamd does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(rspamd)
    }
}

impl Drop for Rspamd {
    fn drop(&mut self) {
        // Its workers end with it, if it is asked to end.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_rspamd_scores_and_its_failure_is_policy() {
    let Some(rspamd) = Rspamd::start() else { return };
    let sink = Sink::start();
    let gateway = Gateway::start(&format!(
        "{}[engine.rspamd]\naddress = \"{}\"\ntimeout_s = 20\n[engine.structure]\non_failure = \"hold\"\n",
        config(sink.address),
        rspamd.address
    ));
    // The test string for unsolicited mail; our own detection for it is off, so that rspamd alone speaks.
    gateway.json(&["detection", "off", "GTB-0001", "--reason", "rspamd alone is to speak"]);
    let gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
    let began = Instant::now();
    let got = loop {
        let number = 10 + u32::try_from(began.elapsed().as_millis()).unwrap();
        let got = through(&gateway, &sink, "a@x.example", &mail(number, "a@x.example", gtube));
        if got.header("X-Reprieve-Detection").is_some_and(|what| what.starts_with("rspamd:")) {
            break got;
        }
        let shown = gateway.json(&["message", "show", &got.header("X-Reprieve-Id").unwrap()]);
        assert!(began.elapsed() < Duration::from_secs(20), "{shown:#}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(got.header("X-Reprieve-Verdict").unwrap(), "Spam; Junk");
    assert!(got.header("X-Reprieve-Detection").unwrap().starts_with("rspamd:action-reject;"));
    let id = got.header("X-Reprieve-Id").unwrap();
    let shown = gateway.json(&["message", "show", &id]);
    let findings = shown["findings"].as_array().unwrap();
    let symbol = findings.iter().find(|one| one["detection"] == "rspamd:GTUBE");
    assert_eq!(symbol.unwrap()["effect"], "Fact", "each symbol is a detection of its own: {shown}");
    let engines = shown["engines"].as_array().unwrap();
    let report = engines.iter().find(|one| one["engine"] == "rspamd").unwrap();
    assert!(report["version"].as_str().unwrap().starts_with("rspamd/"), "{report}");
    // Gone: the mail goes on without it, and the record says so.
    drop(rspamd);
    let got = through(&gateway, &sink, "a@x.example", &mail(2, "a@x.example", "hello"));
    assert_eq!(got.header("X-Reprieve-Verdict").unwrap(), "Clean; Deliver");
    let shown = gateway.json(&["message", "show", &got.header("X-Reprieve-Id").unwrap()]);
    let report = shown["engines"].as_array().unwrap().iter().find(|one| one["engine"] == "rspamd").unwrap().clone();
    assert_eq!(report["outcome"], "Error", "{report}");
}
