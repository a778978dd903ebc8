//! The way of each mail, told to a collector of OpenTelemetry: whole, in one trace, without a word of the mail; and
//! collectors that are dead or refuse, for which no mail waits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use support::{Answer, Gateway, Sink, Talk, bad, clean, config};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A collector that answers every request with a status, and keeps what it was sent.
struct Collector {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = Self { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let requests = collector.requests.clone();
        std::thread::spawn(move || {
            for mut socket in listener.incoming().flatten() {
                let body = body(&mut socket);
                requests.lock().unwrap().push(body);
                write!(&socket, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        collector
    }

    /// One with a certificate of its own, for `localhost`; with the certificate as PEM.
    fn over_tls() -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls = wire::tls::server_config_of(vec![made.cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let collector = Self { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let requests = collector.requests.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let session = rustls::ServerConnection::new(tls.clone()).unwrap();
                let mut stream = rustls::StreamOwned::new(session, socket);
                // Who does not trust the certificate ends it here.
                if stream.conn.complete_io(&mut stream.sock).is_err() {
                    continue;
                }
                let body = body(&mut stream);
                requests.lock().unwrap().push(body);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        (collector, made.cert.pem())
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let decoded = requests.iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
        let spans = decoded.flat_map(|request| request.resource_spans).flat_map(|one| one.scope_spans);
        spans.flat_map(|one| one.spans).collect()
    }

    /// The spans of the mail that was put off, once it is told.
    fn put_off(&self, gateway: &Gateway) -> Vec<Span> {
        let began = Instant::now();
        let is_put_off = |span: &Span| span.name == "mail" && fact(span, "reprieve.reply.code") == "451";
        loop {
            if let Some(whole) = self.spans().into_iter().find(is_put_off) {
                assert_eq!(whole.status.as_ref().map(|status| status.code), Some(2), "it failed: {whole:?}");
                return self.trace(gateway, &fact(&whole, "email.local_id"), "mail");
            }
            assert!(began.elapsed() < PATIENCE, "nothing was put off: {}", gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn has_no_word_of_a_mail(&self) {
        for request in self.requests.lock().unwrap().iter() {
            let said = String::from_utf8_lossy(request);
            assert!(!said.contains("SECRET") && !said.contains("secret-url"), "{said}");
        }
    }

    /// The spans of a trace, once one of them has this name.
    fn trace(&self, gateway: &Gateway, id: &str, awaited: &str) -> Vec<Span> {
        let began = Instant::now();
        loop {
            let mut spans = self.spans();
            spans.retain(|span| hex(&span.trace_id) == id.replace('-', ""));
            if spans.iter().any(|span| span.name == awaited) {
                return spans;
            }
            assert!(began.elapsed() < PATIENCE, "no {awaited} of {id} in {:?}: {}", self.spans(), gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn body(socket: &mut impl Read) -> Vec<u8> {
    let mut lines = BufReader::new(socket);
    let (mut length, mut line) = (0, String::new());
    while lines.read_line(&mut line).unwrap() > 2 {
        let lower = line.to_lowercase();
        assert!(!lower.starts_with("content-type") || lower.contains("application/x-protobuf"), "{line}");
        assert!(!lower.starts_with("authorization") || line.contains("Bearer abc"), "{line}");
        if let Some(given) = lower.strip_prefix("content-length: ") {
            length = given.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    body
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn traced(hop: SocketAddr, collector: SocketAddr, more: &str) -> String {
    format!("{}[traces]\nto = \"http://{collector}/v1/traces\"\n{more}", config(hop))
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let (one, more) = (found.next(), found.next());
    assert!(more.is_none(), "{name} twice: {spans:?}");
    one.unwrap_or_else(|| panic!("no {name}: {spans:?}"))
}

/// A whole way and the steps on it, without what happens to its mail later.
fn way(spans: &[Span], name: &str) -> Vec<Span> {
    let mut way = vec![named(spans, name).clone()];
    let mut seen = 0;
    while let Some(outer) = way.get(seen).map(|span| span.span_id.clone()) {
        let is_step = |span: &&Span| span.parent_span_id == outer && span.name != "release";
        way.extend(spans.iter().filter(is_step).cloned());
        seen += 1;
    }
    way
}

/// Whether all of these are there, each within the one that is named beside it, in their order.
fn assert_way(spans: &[Span], way: &[(&str, &str)]) {
    let mut last = 0;
    for (name, within) in way {
        let (one, outer) = (named(spans, name), named(spans, within));
        assert_eq!(hex(&one.parent_span_id), hex(&outer.span_id), "{name} is within {within}");
        assert!(outer.start_time_unix_nano <= one.start_time_unix_nano, "{name} begins within {within}: {spans:?}");
        assert!(one.start_time_unix_nano <= one.end_time_unix_nano, "{name}");
        assert!(one.end_time_unix_nano <= outer.end_time_unix_nano, "{name} ends within {within}: {spans:?}");
        assert!(last <= one.start_time_unix_nano, "{name} begins in its turn: {spans:?}");
        last = one.start_time_unix_nano;
    }
}

fn fact(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key == key).unwrap_or_else(|| panic!("no {key}: {span:?}"));
    match found.value.as_ref().and_then(|any| any.value.as_ref()).unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        Value::ArrayValue(all) => {
            let texts = all.values.iter().map(|one| match one.value.as_ref().unwrap() {
                Value::StringValue(text) => text.clone(),
                other => panic!("{other:?}"),
            });
            texts.collect::<Vec<_>>().join(",")
        }
        other => panic!("{other:?}"),
    }
}

/// A mail with words that must not be told, in every place.
fn secret(mail: Vec<u8>) -> Vec<u8> {
    let mail = String::from_utf8(mail).unwrap();
    mail.replace("Subject: ", "Subject: SECRET-SUBJECT ")
        .replace("name=e.com", "name=SECRET-FILE.com")
        .replace("Hello", "SECRET-BODY http://secret-url.example/path Hello")
        .into_bytes()
}

const ENGINES: [(&str, &str); 2] = [("engine structure", "examine"), ("engine yara", "examine")];

#[test]
fn a_mail_that_is_delivered_held_and_released_or_put_off_is_told_as_one_trace() {
    let hop = Sink::answering(|mail| match String::from_utf8_lossy(&mail.bytes).contains("later") {
        true => Answer::Say("451 4.2.0 SECRET-REPLY later"),
        false => Answer::Say("250 2.0.0 Ok: SECRET-REPLY"),
    });
    let collector = Collector::answering("200 OK");
    let gateway = Gateway::prepare(&traced(hop.address, collector.address, "authorization_file = \"token\"\n"));
    std::fs::write(gateway.path("token"), "Bearer abc\n").unwrap();
    let mut gateway = gateway;
    gateway.run();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &secret(clean("1"))).starts_with("250"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &secret(bad("2"))).contains("taken as"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &secret(clean("later"))).starts_with("451"));

    let delivered = hop.wait(1)[0].header("X-Reprieve-Id").unwrap();
    let spans = collector.trace(&gateway, &delivered, "mail");
    let begins = [("receive", "mail"), ("examine", "mail")];
    let hop_way =
        [("hop", "mail"), ("hop.open", "hop"), ("hop.data", "hop"), ("hop.answer", "hop"), ("answer", "mail")];
    let recorded = [("remember", "mail"), ("record", "mail")];
    assert_way(&spans, &[&begins[..], &ENGINES, &recorded, &hop_way].concat());
    let whole = named(&spans, "mail");
    assert!(whole.parent_span_id.is_empty() && whole.status.is_none());
    for (key, value) in [
        ("email.local_id", delivered.as_str()),
        ("email.direction", "inbound"),
        ("source.ip", "192.0.2.5"),
        ("source.domain", "outside.example"),
        ("email.to.address", "b@ours.example"),
        ("reprieve.envelope.sender", "a@x.example"),
        ("reprieve.verdict.enforced", "true"),
        ("reprieve.reply.code", "250"),
    ] {
        assert_eq!(fact(whole, key), value, "{key}");
    }
    let verdict = ["reprieve.verdict.category", "reprieve.verdict.disposition"].map(|key| fact(whole, key)).join("; ");
    assert_eq!(hop.wait(1)[0].header("X-Reprieve-Verdict"), Some(verdict));
    let engine = named(&spans, "engine yara");
    assert_eq!(
        (fact(engine, "reprieve.engine.name"), fact(engine, "reprieve.engine.outcome")),
        ("yara".into(), "Done".into())
    );

    let held = gateway.held()[0]["id"].as_str().unwrap().to_owned();
    gateway.json(&["quarantine", "release", &held, "--reason", "SECRET-REASON"]);
    let spans = collector.trace(&gateway, &held, "release");
    let (mail, release) = (way(&spans, "mail"), way(&spans, "release"));
    let kept = [("keep", "mail"), ("record", "mail"), ("answer", "mail")];
    assert_way(&mail, &[&begins[..], &ENGINES, &[("remember", "mail")], &kept].concat());
    let whole = named(&mail, "mail");
    assert_eq!(fact(whole, "reprieve.verdict.disposition"), "Hold");
    assert_eq!(fact(whole, "rule.id"), "EIC-0001");
    assert!(fact(whole, "reprieve.findings").starts_with("EIC-0001 "), "{whole:?}");
    let released = named(&release, "release");
    assert_eq!(hex(&released.parent_span_id), hex(&whole.span_id), "the release is below the way of its mail");
    assert!(released.start_time_unix_nano >= whole.end_time_unix_nano);
    assert_eq!(fact(released, "event.action"), "mail.release_accepted");
    let sent =
        [("read", "release"), ("hop", "release"), ("hop.open", "hop"), ("attempt", "hop"), ("hop.answer", "hop")];
    assert_way(&release, &[&sent[..], &[("record", "release")]].concat());

    let put_off = collector.put_off(&gateway);
    let hop_way =
        [("hop", "mail"), ("hop.open", "hop"), ("hop.data", "hop"), ("hop.answer", "hop"), ("answer", "mail")];
    assert_way(&put_off, &[&begins[..], &ENGINES, &recorded, &hop_way].concat());
    collector.has_no_word_of_a_mail();
}

#[test]
fn a_mail_that_no_engine_could_see_whole_is_told_with_the_engine_that_failed() {
    let hop = Sink::start();
    let collector = Collector::answering("200 OK");
    let clamd = "[engine.clamd]\naddress = \"unix:/nowhere/clamd\"\ntimeout_s = 1\n";
    let gateway = Gateway::start(&traced(hop.address, collector.address, &format!("share = 0.0\n{clamd}")));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &secret(clean("1"))).starts_with("451 4.7.1"));
    let spans = collector.put_off(&gateway);
    let clamd = named(&spans, "engine clamd");
    assert_eq!(clamd.status.as_ref().map(|status| status.code), Some(2), "{clamd:?}");
    assert_way(&spans, &[("receive", "mail"), ("examine", "mail"), ("remember", "mail"), ("record", "mail")]);
    assert_eq!(fact(named(&spans, "mail"), "reprieve.verdict.disposition"), "Defer");
    collector.has_no_word_of_a_mail();
}

/// What is counted under a name.
fn counted(gateway: &Gateway, name: &str) -> u64 {
    let url = format!("http://{}/metrics", gateway.api);
    let asked = std::process::Command::new("curl").args(["-sf", &url]).output().unwrap();
    let text = String::from_utf8(asked.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
    line.trim().parse().unwrap()
}

fn send_many(gateway: &Gateway) {
    let mut talk = Talk::from_outside(gateway.mx);
    for n in 0..20 {
        let began = Instant::now();
        assert!(talk.send("a@x.example", &["b@ours.example"], &clean(&n.to_string())).starts_with("250"));
        assert!(began.elapsed() < Duration::from_secs(5), "mail waits for nobody");
    }
}

#[test]
fn no_mail_waits_for_a_collector_that_is_dead_or_refuses_and_what_is_dropped_is_counted() {
    let hop = Sink::start();
    // It takes connections and never answers.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut gateway = Gateway::start(&traced(hop.address, dead.local_addr().unwrap(), ""));
    send_many(&gateway);
    let began = Instant::now();
    assert_eq!(gateway.stop(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(6), "a stop waits for nobody");

    let refusing = Collector::answering("400 Bad Request");
    let gateway = Gateway::start(&traced(hop.address, refusing.address, ""));
    send_many(&gateway);
    let began = Instant::now();
    while counted(&gateway, "reprieve_traces_dropped_total{reason=\"not_taken\"}") < 20 {
        assert!(began.elapsed() < PATIENCE, "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(counted(&gateway, "reprieve_traces_told_total"), 0);
    assert_eq!(gateway.log().matches("does not take traces").count(), 1, "once: {}", gateway.log());
}

#[test]
fn what_is_there_at_a_stop_is_told_and_of_mail_that_passes_a_share() {
    let hop = Sink::start();
    let collector = Collector::answering("200 OK");
    let mut gateway = Gateway::start(&traced(hop.address, collector.address, "share = 0.0\n"));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("1")).starts_with("250"));
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("2")).contains("taken as"));
    assert_eq!(gateway.stop(), Some(0));
    let spans = collector.spans();
    assert_eq!(fact(named(&spans, "mail"), "reprieve.verdict.disposition"), "Hold", "the one that was held");
}

#[test]
fn a_configuration_with_a_collector_is_valid() {
    let gateway =
        Gateway::prepare(&traced(SocketAddr::from(([127, 0, 0, 1], 25)), SocketAddr::from(([127, 0, 0, 1], 4318)), ""));
    let checked = gateway.cli(&["config", "check", "--config", "reprieve.toml"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// A collector that has TLS is told by who trusts its certificate, and nothing goes to one that is not trusted.
#[test]
fn a_collector_over_tls_is_told_where_its_certificate_is_trusted() {
    let (sink, (trusted, certificate), (other, _)) = (Sink::start(), Collector::over_tls(), Collector::over_tls());
    for (collector, is_told) in [(&trusted, true), (&other, false)] {
        let to = format!("https://localhost:{}/v1/traces", collector.address.port());
        let mut gateway =
            Gateway::prepare(&format!("{}[traces]\nto = \"{to}\"\nca = \"ca.pem\"\n", config(sink.address)));
        std::fs::write(gateway.path("ca.pem"), &certificate).unwrap();
        gateway.run();
        let said = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &clean("1"));
        assert!(said.starts_with("250"), "{said}");
        let began = Instant::now();
        let is_over = || match is_told {
            true => !collector.spans().is_empty(),
            false => gateway.log().contains("invalid peer certificate"),
        };
        while !is_over() {
            assert!(began.elapsed() < PATIENCE, "{}", gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(collector.spans().is_empty(), !is_told);
    }
}
