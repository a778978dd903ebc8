//! Signing in by OpenID Connect, against an issuer of the test's own over TLS: who is vouched for and invited comes in,
//! and nobody else.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Gateway, Sink, config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the issuer says, and what it was asked.
#[derive(Default)]
struct Said {
    claims: Value,
    redeemed: Vec<String>,
}

/// An issuer with a certificate of its own; its address, and the certificate as PEM.
async fn issuer(said: Arc<Mutex<Said>>) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let acceptor = TlsAcceptor::from(wire::tls::server_config_of(vec![made.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let own = base.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            let mut request = Vec::new();
            loop {
                if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    break;
                }
                let text = String::from_utf8_lossy(&request);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    break;
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let (status, body) = answer(&request, &own, &said);
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = socket.shutdown().await;
        }
    });
    (base, made.cert.pem())
}

fn answer(request: &str, own: &str, said: &Mutex<Said>) -> (u16, String) {
    if request.starts_with("GET /.well-known/openid-configuration ") {
        let known = json!({ "issuer": own, "authorization_endpoint": format!("{own}/authorize?x=y"),
            "token_endpoint": format!("{own}/token") });
        return (200, known.to_string());
    }
    let mut said = said.lock().unwrap();
    said.redeemed.push(request.to_owned());
    if !request.contains("code=right") {
        return (400, "{\"error\":\"invalid_grant\"}".into());
    }
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2ln", encode(&json!({ "alg": "RS256" })), encode(&said.claims));
    (200, json!({ "id_token": token, "access_token": "a" }).to_string())
}

/// Status, header block, body, of a browser's request that somebody else's page has led to. Who tries too often waits.
fn get(gateway: &Gateway, path: &str, cookie: &str) -> (u16, String, String) {
    loop {
        match get_once(gateway, path, cookie) {
            (429, ..) => std::thread::sleep(Duration::from_secs(1)),
            answer => return answer,
        }
    }
}

fn get_once(gateway: &Gateway, path: &str, cookie: &str) -> (u16, String, String) {
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\nSec-Fetch-Site: \
            cross-site\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
}

fn cookies(head: &str) -> Vec<String> {
    head.lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "))
        .map(|line| line.split(';').next().unwrap().to_owned())
        .collect()
}

fn query(url: &str) -> HashMap<String, String> {
    form_urlencoded::parse(url.split_once('?').unwrap().1.as_bytes()).into_owned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_vouched_for_and_invited_comes_in() {
    let said = Arc::new(Mutex::new(Said::default()));
    let (base, certificate) = issuer(said.clone()).await;
    tokio::task::spawn_blocking(move || {
        let sink = Sink::start();
        let text = format!(
            "{}[oidc]\nissuer = \"{base}\"\nclient_id = \"us & them\"\nclient_secret_file = \"secret\"\nconsole \
                = \"https://console.example\"\nca = \"ca.pem\"\n",
            config(sink.address)
        );
        let mut gateway = Gateway::prepare(&text);
        std::fs::write(gateway.path("ca.pem"), certificate).unwrap();
        std::fs::write(gateway.path("secret"), "s3cret\n").unwrap();
        gateway.run();
        gateway.json(&["person", "invite", "--name", "anna@ours.example", "--role", "analyst"]);
        assert!(get(&gateway, "/sign-in", "").2.contains("Sign in with localhost"));
        // Away: what has to come back is kept in the browser; the verifier is not told.
        let away = || {
            let (status, head, _) = get(&gateway, "/sign-in/away?to=%2Fexplorer%3Fq%3Da", "");
            assert_eq!(status, 303, "{head}");
            let to = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
            (cookies(&head).remove(0), query(&to), to)
        };
        let claims = |nonce: &str| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            json!({ "iss": base, "aud": "us & them", "exp": now + 60, "iat": now, "nonce": nonce,
                "email": "anna@ours.example", "email_verified": true })
        };
        let (kept, asked, url) = away();
        assert!(url.starts_with(&format!("{base}/authorize?x=y&response_type=code")), "{url}");
        assert_eq!(
            (asked["redirect_uri"].as_str(), asked["client_id"].as_str()),
            ("https://console.example/sign-in/back", "us & them")
        );
        let verifier = kept.split('.').nth(2).unwrap();
        assert_eq!(asked["code_challenge"], BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        assert!(!url.contains(verifier));
        said.lock().unwrap().claims = claims(&asked["nonce"]);
        let back = format!("/sign-in/back?code=right&state={}", asked["state"]);
        // Not from another browser, not with another state, not with a code that is none.
        for (path, cookie) in [
            (back.clone(), String::new()),
            (format!("{back}0"), kept.clone()),
            ("/sign-in/back?code=right".to_owned(), "__Host-reprieve-away=...".to_owned()),
            (back.replace("right", "wrong"), kept.clone()),
            (format!("/sign-in/back?error=access_denied&state={}", asked["state"]), kept.clone()),
        ] {
            let (status, head, body) = get(&gateway, &path, &cookie);
            assert!(status == 401 && cookies(&head).is_empty(), "{path}: {status} {body}");
        }
        let (status, head, body) = get(&gateway, &back, &kept);
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("Welcome, anna@ours.example") && body.contains("href=\"/explorer?q=a\""), "{body}");
        let session = cookies(&head).into_iter().find(|one| one.starts_with("__Host-reprieve=")).unwrap();
        assert_eq!(get(&gateway, "/explorer", &session).0, 200);
        assert_eq!(get(&gateway, "/people", &session).0, 403, "roles stay here");
        let redeemed = said.lock().unwrap().redeemed.last().unwrap().clone();
        let basic = BASE64_STANDARD.encode("us%20%26%20them:s3cret");
        assert!(
            redeemed.contains(&format!(
                "authorization: Basic \
            {basic}"
            )) && redeemed.contains(&format!("code_verifier={verifier}")),
            "{redeemed}"
        );
        // A token that is another's, of another time, for another; and somebody whom nobody has invited, or who may no
        // longer.
        for (name, value, expected) in [
            ("nonce", json!("x"), 401),
            ("aud", json!("them"), 401),
            ("iss", json!("https://evil.example"), 401),
            ("exp", json!(1), 401),
            ("email_verified", json!(false), 401),
            ("email_verified", Value::Null, 401),
            ("email", json!("eve@ours.example"), 403),
        ] {
            let (kept, asked, _) = away();
            let mut said_now = claims(&asked["nonce"]);
            said_now[name] = value;
            said.lock().unwrap().claims = said_now;
            let (status, head, body) =
                get(&gateway, &format!("/sign-in/back?code=right&state={}", asked["state"]), &kept);
            assert!(status == expected && cookies(&head).is_empty(), "{name}: {status} {body}");
        }
        gateway.json(&["person", "disable", "anna@ours.example", "--reason", "left", "--last-admin"]);
        let (kept, asked, _) = away();
        said.lock().unwrap().claims = claims(&asked["nonce"]);
        assert_eq!(get(&gateway, &format!("/sign-in/back?code=right&state={}", asked["state"]), &kept).0, 403);
        let acts = gateway.json(&["audit", "list"]);
        let of = |action: &str| acts.as_array().unwrap().iter().filter(|act| act["action"] == action).count();
        assert_eq!((of("sign_in"), of("sign_in.refused")), (1, 2));
    })
    .await
    .unwrap();
}
