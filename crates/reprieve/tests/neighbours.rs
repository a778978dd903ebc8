//! Real external_engines: Debian's Postfix with its default hardening (none) as next hop and as client, swaks as
//! client. Needs root and the packages that the test command installs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it measured"
)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nameserver::{NameServer, Zone};
use rustls_pki_types::ServerName;
use support::{Gateway, Sink, Talk, bad, clean, config};

/// Whether the neighbour is installed and we may start it; under CI it must be.
fn has(programs: &[&str]) -> bool {
    let found = |program: &&str| {
        Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success()
    };
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let here = root && programs.iter().all(found);
    assert!(here || std::env::var("CI").is_err(), "{programs:?} as root are needed; the test command installs them");
    if !here {
        eprintln!("skipped: needs root and {programs:?}; `cargo xtask ci` installs them");
    }
    here
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Postfix of our own: nothing of the system's is touched, everything lies in one folder, all on loopback.
struct Postfix {
    folder: tempfile::TempDir,
}

impl Postfix {
    /// `services` are lines of master.cf; everything accepted is relayed to `sink`.
    fn start(services: &[String], sink: SocketAddr, main: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("reprieve-postfix").tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, owner) in [("etc", "root"), ("queue", "root"), ("data", "postfix")] {
            std::fs::create_dir(at(name)).unwrap();
            Command::new("chown").arg(owner).arg(at(name)).status().unwrap();
        }
        Command::new("chmod").arg("755").arg(folder.path()).status().unwrap();
        let text = format!(
            "compatibility_level = 3.6\nqueue_directory = {q}\ndata_directory = {d}\nmaillog_file = \
                {l}\nmaillog_file_prefixes = {f}\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = postfix.example\nmydestination \
             =\nalias_maps =\n\
             mynetworks = 127.0.0.0/8\nrelayhost = [127.0.0.1]:{sink}\nsmtpd_authorized_xforward_hosts = 127.0.0.0/8\n\
             message_size_limit = 104857600\nmailbox_size_limit = 0\nsmtpd_recipient_limit = 2000\n{main}\n",
            q = at("queue").display(),
            d = at("data").display(),
            l = at("mail.log").display(),
            f = folder.path().display(),
            sink = sink.port(),
        );
        std::fs::write(at("etc/main.cf"), text).unwrap();
        let own = "postlog unix-dgram n - n - 1 postlogd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 \
            cleanup\nqmgr unix n - n 300 1 qmgr\n\
                   tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 \
                   bounce\ndefer unix - - n - 0 bounce\n\
                   trace unix - - n - 0 bounce\nverify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap \
                   unix - - n - - proxymap\n\
                   smtp unix - - n - - smtp\nrelay unix - - n - - smtp\nerror unix - - n - - error\nretry unix - - n - \
                   - error\n\
                   discard unix - - n - - discard\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n";
        std::fs::write(at("etc/master.cf"), format!("{}\n{own}", services.join("\n"))).unwrap();
        let postfix = Self { folder };
        let started = postfix.control("start");
        assert!(started.status.success(), "{}{}", String::from_utf8_lossy(&started.stderr), postfix.log());
        postfix
    }

    fn control(&self, verb: &str) -> std::process::Output {
        Command::new("postfix").arg("-c").arg(self.folder.path().join("etc")).arg(verb).output().unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("mail.log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.control("abort");
    }
}

fn smtpd(port: u16, options: &[&str]) -> String {
    let options: String = options.iter().map(|option| format!("\n  -o {option}")).collect();
    format!("127.0.0.1:{port} inet n - n - - smtpd{options}")
}

/// An unhardened Postfix as next hop, with the sink behind it.
fn plain_hop(sink: &Sink) -> (Postfix, SocketAddr) {
    let port = free_port();
    let postfix = Postfix::start(&[smtpd(port, &[])], sink.address, "");
    (postfix, SocketAddr::from(([127, 0, 0, 1], port)))
}

fn wait_for(port: SocketAddr) {
    let began = Instant::now();
    while TcpStream::connect(port).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing listens at {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn mail_through_us_into_postfix() {
    if !has(&["postfix", "swaks"]) {
        return;
    }
    let sink = Sink::start();
    let (postfix, hop) = plain_hop(&sink);
    wait_for(hop);
    let gateway = Gateway::start(&config(hop));
    let mut talk = Talk::from_outside(gateway.mx);
    let ehlo = talk.say("EHLO again");
    assert!(["8BITMIME", "DSN", "SMTPUTF8", "SIZE 52428800"].iter().all(|word| ehlo.contains(word)), "{ehlo}");
    let reply = talk.send("a@x.example", &["b@ours.example"], &clean("1"));
    assert!(reply.starts_with("250 2.0.0 Ok: queued as "), "Postfix's own answer: {reply}\n{}", postfix.log());
    // DSN parameters, 8BITMIME and SMTPUTF8.
    talk.say("MAIL FROM:<a@x.example> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ1");
    assert!(talk.say("RCPT TO:<b@ours.example> NOTIFY=NEVER ORCPT=rfc822;b@ours.example").starts_with("250"));
    talk.say("DATA");
    talk.write("Subject: 2\r\nFrom: gr\u{fc}n@x.example\r\n\r\n\u{e4}\r\n.\r\n".as_bytes()).unwrap();
    assert!(talk.reply().unwrap().starts_with("250 2.0.0 Ok: queued"));
    // 1,000 recipients, then 50 MiB.
    let many: Vec<String> = (0..1000).map(|n| format!("u{n}@ours.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(talk.send("a@x.example", &many, &clean("3")).starts_with("250"));
    let mut large = b"Subject: 4\r\n\r\n".to_vec();
    let line = [b"y".repeat(76), b"\r\n".to_vec()].concat();
    large.extend(line.repeat((50 << 20) / line.len() - 10));
    assert!(talk.send("a@x.example", &["b@ours.example"], &large).starts_with("250"), "{}", postfix.log());
    let began = Instant::now();
    while !sink.got().iter().any(|mail| mail.header("Subject").as_deref() == Some("4")) {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", postfix.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let got = sink.got();
    let second = got.iter().find(|mail| mail.header("Subject").as_deref() == Some("2")).expect("arrived");
    assert!(second.mail.contains("BODY=8BITMIME") && second.mail.contains("SMTPUTF8"), "{}", second.mail);
    assert!(second.mail.contains("ENVID=QQ1") && second.rcpts[0].contains("NOTIFY=NEVER"), "{second:?}");
    let recipients: usize =
        got.iter().filter(|mail| mail.header("Subject").as_deref() == Some("3")).map(|mail| mail.rcpts.len()).sum();
    assert_eq!(recipients, 1000);
    // Held and released into Postfix.
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("5")).contains("taken as"));
    let id = gateway.held()[0]["id"].as_str().unwrap().to_owned();
    let released = gateway.json(&["quarantine", "release", &id, "--wait", "--reason", "r"]);
    assert!(released["units"][0]["reply"].as_str().unwrap().contains("queued as"), "{released}");
    gateway.ledger();
}

#[test]
fn no_relay_for_strangers_though_the_hop_would() {
    if !has(&["postfix", "swaks"]) {
        return;
    }
    let sink = Sink::start();
    let (_postfix, hop) = plain_hop(&sink);
    wait_for(hop);
    let text = config(hop).replace("trusted_networks = []", "trusted_networks = [\"127.0.0.1/32\"]").replacen(
        "xclient_from = [\"127.0.0.1\"]\n",
        "",
        1,
    );
    let gateway = Gateway::start(&text);
    let swaks = |source: &str, to: &str| {
        let output = Command::new("swaks")
            .args([
                "--server",
                &gateway.mx.to_string(),
                "--local-interface",
                source,
                "--from",
                "a@ours.example",
                "--to",
                to,
            ])
            .args(["--helo", "x.example", "--body", "hello", "--timeout", "20"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).to_string()
    };
    assert!(swaks("127.0.0.5", "x@elsewhere.example").contains("550 5.7.1"), "an untrusted address may not relay");
    assert!(swaks("127.0.0.5", "b@ours.example").contains("250 2.0.0 Ok"), "but may write to us");
    assert!(swaks("127.0.0.1", "x@elsewhere.example").contains("250 2.0.0 Ok"), "a trusted one may relay");
    assert_eq!(sink.wait(2).len(), 2);
}

/// The auth server that Postfix asks (Dovecot's auth protocol 1.1): one user, `anna` with `secret`.
fn auth_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut out = socket.try_clone().unwrap();
                out.write_all(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n").unwrap();
                for line in BufReader::new(socket).lines().map_while(Result::ok) {
                    let words: Vec<&str> = line.split('\t').collect();
                    if let ["AUTH", id, "PLAIN", ..] = words.as_slice() {
                        // The base64 of "\0anna\0secret".
                        let known = words.contains(&"resp=AGFubmEAc2VjcmV0");
                        let answer =
                            if known { format!("OK\t{id}\tuser=anna\n") } else { format!("FAIL\t{id}\tuser=anna\n") };
                        out.write_all(answer.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    port
}

/// Authenticated submission at a real Postfix, which passes every message through us before it queues it.
#[test]
fn sasl_submission_is_seen_in_its_right_direction() {
    if !has(&["postfix", "swaks"]) {
        return;
    }
    let sink = Sink::start();
    let (submit, inject) = (free_port(), free_port());
    let mut gateway = Gateway::prepare(
        &config(SocketAddr::from(([127, 0, 0, 1], inject)))
            .replace("role = \"submission\"", "role = \"submission\"\nsender_login_enforced = true"),
    );
    gateway.run();
    let filter = format!("smtpd_proxy_filter=127.0.0.1:{}", gateway.submission.port());
    let services = [
        smtpd(
            submit,
            &[
                &filter,
                "smtpd_sasl_auth_enable=yes",
                "smtpd_relay_restrictions=permit_sasl_authenticated,reject",
                "mynetworks=192.0.2.0/24",
            ],
        ),
        smtpd(inject, &["smtpd_proxy_filter=", "smtpd_relay_restrictions=permit_mynetworks,reject"]),
    ];
    let main = format!("smtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:127.0.0.1:{}\n", auth_server());
    let postfix = Postfix::start(&services, sink.address, &main);
    wait_for(SocketAddr::from(([127, 0, 0, 1], submit)));
    let send = |to: &str, login: &[&str], mail: &[u8]| {
        let file = gateway.path("mail.eml");
        std::fs::write(&file, mail).unwrap();
        let output = Command::new("swaks")
            .args([
                "--server",
                &format!("127.0.0.1:{submit}"),
                "--from",
                "anna@ours.example",
                "--to",
                to,
                "--helo",
                "x.example",
            ])
            .args(login)
            .args(["--data", &format!("@{}", file.display()), "--timeout", "30"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).to_string()
    };
    let auth = ["--auth", "PLAIN", "--auth-user", "anna", "--auth-password", "secret"];
    let out = send("x@elsewhere.example", &auth, &clean("out"));
    assert!(out.contains("250 2.0.0 Ok: queued as"), "{out}\n{}\n{}", postfix.log(), gateway.log());
    assert!(send("b@ours.example", &auth, &clean("int")).contains("250 2.0.0 Ok: queued as"));
    assert!(send("x@elsewhere.example", &[], &clean("no")).contains("554 5.7.1"), "without a login Postfix refuses");
    assert!(send("b@ours.example", &auth, &bad("bad")).contains("taken as"), "held on its way inside");
    sink.wait(2);
    gateway.ledger();
    for (rcpt, subject, direction) in [
        ("x@elsewhere.example", "out", "Outbound"),
        ("b@ours.example", "int", "Internal"),
        ("b@ours.example", "bad", "Internal"),
    ] {
        let units = gateway.json(&["message", "trace", "--recipient", rcpt]);
        let unit = units
            .as_array()
            .unwrap()
            .iter()
            .find(|unit| unit["subject"] == subject)
            .unwrap_or_else(|| panic!("{subject}: {units}"));
        assert_eq!(unit["direction"], direction, "{subject}");
    }
}

/// A clamd of our own with a database of our own: one signature, for a marker that is ours.
struct ClamdServer {
    folder: tempfile::TempDir,
    child: std::process::Child,
}

impl ClamdServer {
    const MARKER: &'static str = "REPRIEVE-CLAMD-MARKER-4711";

    fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    fn start_in(folder: tempfile::TempDir) -> Self {
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("db")).unwrap();
        let hex: String = Self::MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(at("db/own.ndb"), format!("Reprieve.Test.Marker:0:*:{hex}\n")).unwrap();
        let text = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nStreamMaxLength 60M\n",
            at("sock").display(),
            at("db").display()
        );
        std::fs::write(at("clamd.conf"), text).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        let child = Command::new("clamd")
            .arg("-c")
            .arg(at("clamd.conf"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { folder, child };
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(server.socket()).is_err() {
            let log = std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "clamd does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("sock")
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for ClamdServer {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
fn a_real_clamd_finds_and_its_failure_is_policy() {
    if !has(&["clamd"]) {
        return;
    }
    let sink = Sink::start();
    let mut clamd = ClamdServer::start();
    let with = |on_failure: &str| {
        format!(
            "{}[engine.clamd]\naddress = \"unix:{}\"\ntimeout_s = 5\n{on_failure}\n",
            config(sink.address),
            clamd.socket().display()
        )
    };
    let (defer, go_on) = (with(""), with("on_failure = \"continue\""));
    let marked = |number: &str| [clean(number), format!("{}\r\n", ClamdServer::MARKER).into_bytes()].concat();
    let gateway = Gateway::start(&defer);
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("1")).contains("sunk"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &marked("2")).contains("taken as"));
    let held = gateway.held();
    assert_eq!(held[0]["detection"], "clamd:Reprieve.Test.Marker.UNOFFICIAL", "{held:?}");
    let shown = gateway.json(&["quarantine", "show", held[0]["id"].as_str().unwrap()]);
    let engine = shown["engines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|engine| engine["engine"] == "clamd")
        .expect("reported")
        .clone();
    assert!(engine["version"].as_str().unwrap().starts_with("1."), "{engine}");
    let file = gateway.path("marked.eml");
    std::fs::write(&file, marked("3")).unwrap();
    let scanned =
        gateway.cli(&["scan", "--config", "reprieve.toml", "--fail-on", "malware", "--json", file.to_str().unwrap()]);
    assert_eq!(scanned.status.code(), Some(1), "{}", String::from_utf8_lossy(&scanned.stdout));
    clamd.kill();
    let reply = talk.send("a@x.example", &["b@ours.example"], &marked("4"));
    assert!(reply.starts_with("451 4.7.1"), "the sender keeps it: {reply}");
    let lenient = Gateway::start(&go_on);
    assert!(Talk::from_outside(lenient.mx).send("a@x.example", &["b@ours.example"], &marked("5")).contains("sunk"));
    let traced = lenient.json(&["message", "trace", "--recipient", "b@ours.example"]);
    assert_eq!(traced[0]["category"], "Clean", "a failure is never a category");
}

#[test]
fn what_was_held_for_a_failed_engine_drains_by_itself() {
    if !has(&["clamd"]) {
        return;
    }
    let sink = Sink::start();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let text = format!(
        "{}[engine.clamd]\naddress = \"unix:{}\"\non_failure = \"hold\"\n",
        config(sink.address),
        socket.display()
    );
    // The oldest is of a sender whose name servers are dead: DNS fails for it again, and it must not stand in the way
    // of the others.
    let server = NameServer::start(Zone::new().silent("dead.example"));
    let dns = format!("[engine.auth]\nname_server = \"{}\"\ntimeout_s = 1\n", server.address);
    let gateway = Gateway::start(&text.replace("[engine.auth]\non = false\n", &dns));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@dead.example", &["b@ours.example"], &bad("dead")).contains("taken as"));
    let marked = [clean("marked"), format!("{}\r\n", ClamdServer::MARKER).into_bytes()].concat();
    for mail in [clean("good"), marked] {
        assert!(talk.send("a@x.example", &["b@ours.example"], &mail).contains("taken as"), "clamd is not there yet");
    }
    let shown = gateway.json(&["quarantine", "list"]);
    assert_eq!(
        (shown.as_array().unwrap().len(), &shown[0]["category"]),
        (3, &"Clean".into()),
        "a failure is no category: {shown}"
    );
    let _clamd = ClamdServer::start_in(folder);
    let got = sink.wait(1);
    assert_eq!(got[0].header("Subject").as_deref(), Some("good"));
    let began = Instant::now();
    loop {
        let held = gateway.json(&["quarantine", "list", "--status", "NotReleased"]);
        let marked =
            held.as_array().unwrap().iter().find(|one| one["detection"] == "clamd:Reprieve.Test.Marker.UNOFFICIAL");
        if let Some(marked) = marked {
            assert_eq!((marked["subject"].as_str(), marked["category"].as_str()), (Some("marked"), Some("Malware")));
            assert_eq!(held.as_array().unwrap().len(), 2, "what was bad from the first stays: {held}");
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{held}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["released"], &ledger["accounts"]["held"]), (&1.into(), &2.into()));
}

/// Ways to end data that are not the priority: each is followed by a would-be second message.
const FAKE_ENDS: [&[u8]; 18] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\n\n.\n\n",
    b"\n\r.\r\n",
    b"\r\n.\r\0\n",
    b"\r\r.\r\r",
    b"\n.\n\r\n",
    b"\r\0\n.\r\n",
    b"\r\n.\n\r\n.\n",
];

fn smuggling(number: usize, fake: &[u8]) -> Vec<u8> {
    let mut data = format!("From: a@x.example\r\nSubject: carrier {number}\r\n\r\nbody").into_bytes();
    data.extend_from_slice(fake);
    data.extend_from_slice(
        b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@ours.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nevil\r\n.\r\n",
    );
    data
}

/// One session that carries a fake end in chunks; returns the reply to what we sent as data.
fn smuggle(mut wire: impl Read + Write, data: &[u8], chunk: usize) -> String {
    let ask = |line: &[u8], wire: &mut dyn ReadWrite| {
        wire.put(line);
        wire.take_reply()
    };
    let wire: &mut dyn ReadWrite = &mut Wire(&mut wire);
    ask(b"EHLO x\r\n", wire);
    ask(b"MAIL FROM:<a@x.example>\r\n", wire);
    ask(b"RCPT TO:<b@ours.example>\r\n", wire);
    assert!(ask(b"DATA\r\n", wire).starts_with("354"));
    for piece in data.chunks(chunk) {
        wire.put(piece);
    }
    wire.take_reply()
}

struct Wire<'s, S>(&'s mut S);

trait ReadWrite {
    fn put(&mut self, bytes: &[u8]);
    fn take_reply(&mut self) -> String;
}

impl<S: Read + Write> ReadWrite for Wire<'_, S> {
    fn put(&mut self, bytes: &[u8]) {
        // A gateway that has closed in the middle is an answer as well.
        let _ = self.0.write_all(bytes).and_then(|()| self.0.flush());
    }

    fn take_reply(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !(line.ends_with(b"\n")
            && line.len() > 4
            && line.rsplit(|b| *b == b'\n').nth(1).is_some_and(|last| last.get(3) == Some(&b' ')))
        {
            match self.0.read(&mut byte) {
                Ok(1) => line.push(byte[0]),
                _ => break,
            }
        }
        String::from_utf8_lossy(&line).to_string()
    }
}

fn greeted(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    Wire(&mut socket).take_reply();
    socket
}

fn encrypted(address: SocketAddr) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let mut socket = greeted(address);
    let mut wire = Wire(&mut socket);
    wire.put(b"EHLO x\r\n");
    assert!(wire.take_reply().contains("STARTTLS"));
    wire.put(b"STARTTLS\r\n");
    assert!(wire.take_reply().starts_with("220"));
    let config = wire::tls::client_config(wire::tls::TlsPolicy::Require).expect("a policy that encrypts");
    let name = ServerName::try_from("localhost").unwrap();
    rustls::StreamOwned::new(rustls::ClientConnection::new(Arc::clone(&config), name).unwrap(), socket)
}

#[test]
fn nothing_is_smuggled_through_us_into_an_unhardened_postfix() {
    if !has(&["postfix"]) {
        return;
    }
    let sink = Sink::start();
    let (postfix, hop) = plain_hop(&sink);
    wait_for(hop);
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for mode in ["reject", "normalise"] {
        let listener =
            format!("bare_newline = \"{mode}\"\ntls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\nxclient_from");
        let mut gateway = Gateway::prepare(&config(hop).replacen("xclient_from", &listener, 1));
        std::fs::write(gateway.path("cert.pem"), certificate.cert.pem()).unwrap();
        std::fs::write(gateway.path("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        gateway.run();
        let mut acknowledged = 0;
        for (number, fake) in FAKE_ENDS.iter().enumerate() {
            for (chunk, tls) in [(1, false), (7, true), (4096, false), (4096, true)] {
                let data = smuggling(number, fake);
                let reply = if tls {
                    smuggle(encrypted(gateway.mx), &data, chunk)
                } else {
                    smuggle(greeted(gateway.mx), &data, chunk)
                };
                let expected = if mode == "reject" { "550 5.6.0" } else { "250 2.0.0" };
                assert!(reply.starts_with(expected), "{fake:?} {chunk} {tls}: {reply}");
                acknowledged += usize::from(reply.starts_with("250"));
            }
        }
        let before = if mode == "reject" { 0 } else { acknowledged };
        let got = sink.wait(before);
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(sink.got().len(), before, "as many mails as were acknowledged\n{}", postfix.log());
        assert!(
            got.iter().all(|mail| mail.header("Subject").is_some_and(|subject| subject.starts_with("carrier"))),
            "a smuggled mail arrived"
        );
    }
    // The same Postfix, spoken to directly, does take some of them: the test would see a smuggled mail.
    let seen = sink.got().len();
    for (number, fake) in FAKE_ENDS.iter().enumerate() {
        smuggle(greeted(hop), &smuggling(number, fake), 4096);
    }
    std::thread::sleep(Duration::from_secs(2));
    let direct = sink.got()[seen..].iter().filter(|mail| mail.header("Subject").as_deref() == Some("smuggled")).count();
    assert!(direct > 0, "this Postfix is hardened; the test proves nothing");
    eprintln!("{} variants: {direct} smuggled into this Postfix directly, 0 through us", FAKE_ENDS.len());
}

#[test]
fn starttls_to_the_hop_as_its_policy_says() {
    if !has(&["postfix"]) {
        return;
    }
    let sink = Sink::start();
    let folder = tempfile::tempdir().unwrap();
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let write = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let (cert, key) =
        (write("cert.pem", certificate.cert.pem()), write("key.pem", certificate.signing_key.serialize_pem()));
    let port = free_port();
    let options = [
        format!("smtpd_tls_cert_file={cert}"),
        format!("smtpd_tls_key_file={key}"),
        "smtpd_tls_security_level=encrypt".to_owned(),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let postfix = Postfix::start(&[smtpd(port, &options)], sink.address, "");
    let hop = SocketAddr::from(([127, 0, 0, 1], port));
    wait_for(hop);
    for (policy, expected) in
        [("opportunistic", "250 2.0.0 Ok"), ("require", "250 2.0.0 Ok"), ("verify", "451 4."), ("none", "530 5.7.0")]
    {
        let gateway = Gateway::start(&config(hop).replace("tls = \"none\"", &format!("tls = \"{policy}\"")));
        let reply = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean(policy));
        assert!(reply.starts_with(expected), "{policy}: {reply}\n{}\n{}", gateway.log(), postfix.log());
    }
    let (_plain, no_tls) = plain_hop(&sink);
    wait_for(no_tls);
    let gateway = Gateway::start(&config(no_tls).replace("tls = \"none\"", "tls = \"require\""));
    assert!(
        Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean("x")).starts_with("451 4.7.5")
    );
}
