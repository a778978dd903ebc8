//! Certificates are replaced while mail comes in, as a renewal does it: no session ends, and those that begin later
//! see the new one.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use support::{Gateway, Sink, clean, config};

/// Mails over TLS while certificates change.
const MAILS: usize = 1000;
/// Clients at the same time.
const CLIENTS: usize = 4;
/// How soon a pair is in force that has been put there, and was looked at because of SIGHUP.
const SOON: Duration = Duration::from_secs(10);

/// A client that speaks SMTP over TLS, and knows the certificate that it was shown.
struct Client {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    shown: Vec<u8>,
}

impl Client {
    fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let mut plain = BufReader::new(socket);
        reply(&mut plain);
        for line in ["EHLO client.example", "STARTTLS"] {
            write!(plain.get_mut(), "{line}\r\n").expect("a line");
            let answer = reply(&mut plain);
            assert!(answer.starts_with('2'), "{line}: {answer}");
        }
        let config = wire::tls::client_config(wire::tls::TlsPolicy::Require).expect("a policy that encrypts");
        let name = ServerName::try_from("localhost").expect("a name");
        let mut connection = ClientConnection::new(Arc::clone(&config), name).expect("a client");
        let mut socket = plain.into_inner();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).expect("a handshake");
        }
        let shown = connection.peer_certificates().expect("a certificate")[0].to_vec();
        let mut client = Self { stream: BufReader::new(StreamOwned::new(connection, socket)), shown };
        assert!(client.say("EHLO client.example").starts_with('2'));
        client
    }

    fn say(&mut self, line: &str) -> String {
        write!(self.stream.get_mut(), "{line}\r\n").expect("a line");
        reply(&mut self.stream)
    }

    fn send(&mut self, number: usize) -> String {
        for line in ["MAIL FROM:<a@x.example>", "RCPT TO:<b@ours.example>", "DATA"] {
            let answer = self.say(line);
            assert!(answer.starts_with(['2', '3']), "{line}: {answer}");
        }
        self.stream.get_mut().write_all(&clean(&number.to_string())).expect("a mail");
        self.say(".")
    }
}

fn reply(reader: &mut impl BufRead) -> String {
    let mut all = String::new();
    loop {
        let before = all.len();
        assert!(reader.read_line(&mut all).expect("a reply") > 0, "the session has ended: {all}");
        if all.as_bytes().get(before + 3) != Some(&b'-') {
            return all;
        }
    }
}

/// Writes a pair into a folder; returns the certificate.
fn pair(folder: &Path) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).expect("a certificate");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("a key");
    made.cert.der().to_vec()
}

/// Has `live` lead to another folder, in one step, as certbot and others do.
fn lead(live: &Path, to: &Path) {
    let next = live.with_extension("next");
    symlink(to, &next).expect("a link");
    std::fs::rename(next, live).expect("a renamed link");
}

fn hangup(gateway: &Gateway) {
    let pid = rustix::process::Pid::from_raw(gateway.pid().cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("SIGHUP");
}

fn starts_with_tls(sink: &Sink) -> Gateway {
    let text = config(sink.address).replacen(
        "xclient_from",
        "tls_certificate = \"live/cert.pem\"\ntls_key = \"live/key.pem\"\nxclient_from",
        1,
    );
    Gateway::prepare(&text)
}

fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_renewal_ends_no_session_and_loses_no_mail() {
    let sink = Sink::start();
    let mut gateway = starts_with_tls(&sink);
    let (one, other, live) = (gateway.path("one"), gateway.path("other"), gateway.path("live"));
    let (first, second) = (pair(&one), pair(&other));
    symlink(&one, &live).expect("a link");
    gateway.run();
    let (sent, mx) = (AtomicUsize::new(0), gateway.mx);
    // Open before the first renewal, and used after the last.
    let mut old = Client::to(mx);
    assert_eq!(old.shown, first);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while sent.load(Ordering::Relaxed) < MAILS {
                    let mut client = Client::to(mx);
                    assert!(client.shown == first || client.shown == second, "a certificate of nobody");
                    for _ in 0..5 {
                        let answer = client.send(sent.fetch_add(1, Ordering::Relaxed));
                        assert!(answer.starts_with("250"), "{answer}");
                    }
                }
            });
        }
        let mut to_second = true;
        while sent.load(Ordering::Relaxed) < MAILS {
            lead(&live, if to_second { &other } else { &one });
            hangup(&gateway);
            to_second = !to_second;
            thread::sleep(Duration::from_millis(150));
        }
    });
    lead(&live, &other);
    hangup(&gateway);
    until("the new certificate is shown", SOON, || Client::to(mx).shown == second);
    assert!(old.send(MAILS * 2).starts_with("250"), "a session from before the renewals");
    let accepted = sent.load(Ordering::Relaxed) + 1;
    assert_eq!(sink.wait(accepted).len(), accepted);
    assert_eq!(gateway.stop(), Some(0), "SIGHUP ends nothing\n{}", gateway.log());
}

#[test]
fn a_pair_that_does_not_fit_leaves_the_old_one_in_force() {
    let sink = Sink::start();
    let mut gateway = starts_with_tls(&sink);
    let live = gateway.path("live");
    let first = pair(&live);
    gateway.run();
    std::fs::write(live.join("cert.pem"), "nothing of the kind\n").expect("written");
    hangup(&gateway);
    until("the fault is logged", SOON, || gateway.log().contains("the files of a certificate cannot be used"));
    assert_eq!(Client::to(gateway.mx).shown, first);
    // Without SIGHUP: it looks by itself.
    let second = pair(&live);
    until("the new certificate is shown", SOON * 2, || Client::to(gateway.mx).shown == second);
    let log = gateway.log();
    assert!(log.contains("a certificate was replaced") && log.contains("cert.pem"), "{log}");
}
