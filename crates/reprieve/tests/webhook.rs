//! Lines of an incident posted over TLS: to a host that an authority of the operator's own vouches for, and to no
//! other.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, bad, config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A host that says 204 to what is posted, with a certificate of its own; the certificate as PEM, and what was posted.
async fn host() -> (u16, String, Arc<Mutex<Vec<String>>>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let acceptor = TlsAcceptor::from(wire::tls::server_config_of(vec![made.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let posted = Arc::new(Mutex::new(Vec::new()));
    let known = posted.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"}") && socket.read_buf(&mut request).await.is_ok_and(|read| read > 0) {}
            known.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
            let _ = socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    });
    (port, made.cert.pem(), posted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_goes_to_whom_the_operator_vouches_for_and_to_nobody_else() {
    let (port, certificate, posted) = host().await;
    let (other_port, _, other_posted) = host().await;
    tokio::task::spawn_blocking(move || {
        let sink = Sink::start();
        let hooks = format!(
            "[notices]\nincident_webhook_ca = \"ca.pem\"\n\
             incident_webhooks = [\"https://localhost:{port}/hook\", \"https://localhost:{other_port}/hook\"]\n"
        );
        let mut gateway = Gateway::prepare(&config(sink.address).replace("[notices]\n", &hooks));
        std::fs::write(gateway.path("ca.pem"), certificate).unwrap();
        gateway.run();
        assert!(
            Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad("1")).contains("taken as")
        );
        let opened = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a drill"]);
        let id = opened["id"].as_str().unwrap().to_owned();
        gateway.json(&["incident", "update", &id, "--text", "we look into it", "--public"]);
        let began = Instant::now();
        while !posted.lock().unwrap().iter().any(|one| one.contains(&id)) {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(posted.lock().unwrap()[0].starts_with("POST /hook HTTP/1.1\r\n"), "{:?}", posted.lock().unwrap());
        // The other host's certificate is nobody's.
        let is_refused = |line: &str| {
            line.contains(&format!("for localhost:{other_port} (mark ")) && line.contains("invalid peer certificate")
        };
        while !gateway.log().lines().any(is_refused) {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(other_posted.lock().unwrap().is_empty());
    })
    .await
    .unwrap();
}

/// What operators are called for reaches a host and a mailbox, once each.
#[tokio::test(flavor = "multi_thread")]
async fn operators_are_called_by_webhook_and_by_mail() {
    let (port, certificate, posted) = host().await;
    tokio::task::spawn_blocking(move || {
        let sink = Sink::start();
        let hooks = format!(
            "[notices]\nincident_webhook_ca = \"ca.pem\"\nalert_webhooks = [\"https://localhost:{port}/pager\"]\n\
             alert_mail = [\"ops@ours.example\"]\n"
        );
        let mut gateway = Gateway::prepare(&config(sink.address).replace("[notices]\n", &hooks));
        std::fs::write(gateway.path("ca.pem"), certificate).unwrap();
        gateway.run();
        let said = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad("1"));
        assert!(said.contains("taken as"), "{said}");
        let id = gateway.held()[0]["id"].as_str().unwrap().to_owned();
        for reporter in ["a@ours.example", "b@ours.example", "c@ours.example"] {
            let words = ["submission", "add", &id, "--kind", "false-positive", "--reporter", reporter];
            gateway.json(&[&words[..], &["--comment", "it is mine"]].concat());
        }
        let called = |one: &support::Received| one.rcpts.iter().any(|to| to.contains("ops@ours.example"));
        let began = Instant::now();
        while posted.lock().unwrap().is_empty() || !sink.got().iter().any(called) {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", gateway.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        let call = posted.lock().unwrap()[0].clone();
        assert!(call.starts_with("POST /pager HTTP/1.1\r\n"), "{call}");
        assert!(call.contains("\"kind\":\"reports\"") && call.contains("EIC-0001"), "{call}");
        let mail = sink.got().into_iter().find(called).unwrap();
        assert_eq!(mail.header("Subject").as_deref(), Some("Mail protection: EIC-0001 (reports)"));
        assert!(String::from_utf8_lossy(&mail.bytes).contains("alert seen 1"), "it says how the call ends");
        // More rounds call nobody again.
        std::thread::sleep(Duration::from_secs(8));
        assert_eq!(posted.lock().unwrap().len(), 1);
        assert_eq!(sink.got().iter().filter(|one| called(one)).count(), 1);
    })
    .await
    .unwrap();
}

/// A host that takes what is posted and never answers.
fn silent_host() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let open: Vec<_> = listener.incoming().collect();
        drop(open);
    });
    port
}

/// Neither hosts that the public is told by nor another pager keep an operator waiting.
#[test]
fn operators_are_called_although_every_other_host_is_slow() {
    let sink = Sink::start();
    let hooks = format!(
        "[notices]\nincident_webhooks = \
            [\"http://127.0.0.1:{}/a\", \"http://127.0.0.1:{}/b\", \"http://127.0.0.1:{}/c\"]\n\
         alert_webhooks = [\"http://127.0.0.1:{}/pager\"]\nalert_mail = [\"ops@ours.example\"]\n",
        silent_host(),
        silent_host(),
        silent_host(),
        silent_host()
    );
    let gateway = Gateway::start(&config(sink.address).replace("[notices]\n", &hooks));
    let said = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad("1"));
    assert!(said.contains("taken as"), "{said}");
    let opened = gateway.json(&["incident", "open", "EIC-0001", "--reason", "a drill"]);
    let id = opened["id"].as_str().unwrap().to_owned();
    gateway.json(&["incident", "update", &id, "--text", "we look into it", "--public"]);
    // The public's hosts are being told now, ten seconds each; the next round would wait for all of them.
    std::thread::sleep(Duration::from_secs(6));
    let held = gateway.held()[0]["id"].as_str().unwrap().to_owned();
    for reporter in ["a@ours.example", "b@ours.example", "c@ours.example"] {
        let words = ["submission", "add", &held, "--kind", "false-positive", "--reporter", reporter];
        gateway.json(&[&words[..], &["--comment", "it is mine"]].concat());
    }
    let began = Instant::now();
    while gateway.json(&["alert", "list"]).as_array().is_none_or(Vec::is_empty) {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    let began = Instant::now();
    while !sink.got().iter().any(|one| one.rcpts.iter().any(|to| to.contains("ops@ours.example"))) {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A test notice goes through every way once, and says what each has answered; it leaves nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_notice_says_of_each_way_what_it_answered() {
    let (port, certificate, posted) = host().await;
    tokio::task::spawn_blocking(move || {
        let sink = Sink::start();
        let hooks = format!(
            "[notices]\nincident_webhook_ca = \"ca.pem\"\n\
             alert_webhooks = [\"https://localhost:{port}/pager\", \"http://127.0.0.1:1/nobody\"]\n\
             alert_mail = [\"ops@ours.example\"]\n"
        );
        let mut gateway = Gateway::prepare(&config(sink.address).replace("[notices]\n", &hooks));
        std::fs::write(gateway.path("ca.pem"), certificate).unwrap();
        gateway.run();
        let test = |more: &[&str]| {
            let words = [&["notify", "test", "--json", "--config", "reprieve.toml"], more].concat();
            let said = gateway.cli(&words);
            (said.status.code(), serde_json::from_slice(&said.stdout).unwrap_or(serde_json::Value::Null))
        };
        let (code, tried) = test(&["--recipient", "b@ours.example"]);
        assert_eq!(code, Some(1), "one did not take it: {tried}");
        let taken: Vec<bool> = tried.as_array().unwrap().iter().map(|one| one["is_taken"] == true).collect();
        assert_eq!(taken, [true, false, true, true], "{tried}");
        assert_eq!(tried[0]["by"], "localhost", "{tried}");
        assert!(!tried.to_string().contains("/pager"), "what stands behind a host may be a secret: {tried}");
        let call = posted.lock().unwrap()[0].clone();
        assert!(call.contains("\"test\":true") && call.contains("[test]"), "{call}");
        let mails = sink.wait(2);
        for to in ["ops@ours.example", "b@ours.example"] {
            let mail = mails.iter().find(|mail| mail.rcpts.iter().any(|rcpt| rcpt.contains(to))).unwrap();
            assert_eq!(mail.header("Subject").as_deref(), Some("[test] Mail protection: a test notice"));
        }
        assert_ne!(test(&["--recipient", "b@elsewhere.example"]).0, Some(0), "only people of ours");
        // As often as anybody may, and no more.
        assert!((0..3).any(|_| test(&[]).1.is_null()), "it is limited");
        assert_eq!(gateway.json(&["alert", "list"]), serde_json::Value::Array(Vec::new()), "nothing has happened");
        assert!(gateway.json(&["audit", "list"]).to_string().contains("notify.test"));
    })
    .await
    .unwrap();
}
