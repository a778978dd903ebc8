//! The console's forms: what they do and what they do not, and what is kept of them when they cannot be taken.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;
#[path = "support/visitor.rs"]
mod visitor;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, bad, clean, config};
use visitor::{PASSWORD, accept, form, get, id_of, invite, person, post, sign_in, two_domains};

/// What may do harm leaves the quarantine for a reason and after a second look, whichever way it is asked for.
#[test]
fn what_harms_is_released_after_a_confirmation_and_for_a_reason() {
    let (gateway, sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let id = id_of(&gateway, "one");
    let chosen = format!("{id} b@ours.example");
    for (path, ask) in [
        (format!("/messages/{id}/act"), form(&[("do", "release"), ("reason", "it is <good>")])),
        (
            "/explorer/act".to_owned(),
            form(&[("do", "release"), ("reason", "it is <good>"), ("mail", &chosen), ("q", "")]),
        ),
        (
            "/requests/act".to_owned(),
            form(&[("verb", "approve"), ("reason", "it is <good>"), ("id", &id), ("recipient", "b@ours.example")]),
        ),
    ] {
        let asked = post(&gateway, &path, &anna, &ask);
        assert_eq!(asked.status, 200, "{path}: {}", asked.body);
        for part in [
            "Release harmful mail?",
            "one",
            "b@ours.example",
            "Malware",
            "EIC-0001",
            "value=\"it is &lt;good&gt;\"",
            "<nav",
        ] {
            assert!(asked.body.contains(part), "{path}: {part}: {}", asked.body);
        }
        let silent = post(&gateway, &path, &anna, &ask.replace("reason=", "confirmed=yes&reason=+&was="));
        assert!(silent.status == 200 && silent.body.contains("Enter a reason"), "{path}: {}", silent.body);
    }
    let would = get(&gateway, "/bulk/new?verb=release&q=state%3Aheld", &anna).body;
    assert!(would.contains("<strong>2</strong> of them were held as malware"), "{would}");
    let token =
        gateway.json(&["token", "create", "--name", "t", "--role", "admin"])["secret"].as_str().unwrap().to_owned();
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let ask = format!(
        "POST /api/v1/quarantine/{id}/release HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    socket.write_all(ask.as_bytes()).unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.0 400") && said.contains("give a reason for its release"), "{said}");
    assert_eq!(gateway.account("held"), 2, "nothing was done so far");
    let ask = form(&[("do", "release"), ("reason", "it is good"), ("confirmed", "yes")]);
    assert_eq!(post(&gateway, &format!("/messages/{id}/act"), &anna, &ask).status, 303);
    sink.wait(2);
}

/// To tick nobody is not to mean everybody.
#[test]
fn an_act_on_nothing_is_done_to_nothing() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example", "c@ours.example"], &bad("both")).contains("taken as"));
    let anna = person(&gateway, "anna", "admin", &[]);
    let id = id_of(&gateway, "both");
    let page = get(&gateway, &format!("/messages/{id}"), &anna).body;
    assert!(page.contains("name=\"some\" value=\"yes\""), "{page}");
    for verb in ["release", "deny", "delete"] {
        let ask = form(&[("some", "yes"), ("do", verb), ("reason", "for b alone"), ("confirmed", "yes")]);
        let answer = post(&gateway, &format!("/messages/{id}/act"), &anna, &ask);
        assert!(answer.status == 400 && answer.body.contains("nothing is chosen"), "{verb}: {}", answer.body);
    }
    assert_eq!(gateway.account("held"), 2);
}

/// Whoever mistypes begins again where they were: with the invitation, the name, the secret of their codes.
#[test]
fn an_invitation_survives_two_passwords_that_differ() {
    let (gateway, _sink) = two_domains();
    let invitation = invite(&gateway, "anna b", "admin", &[]);
    for pairs in [
        [("password", PASSWORD), ("again", "something else"), ("do", "")],
        [("password", "short"), ("again", "short"), ("do", "")],
        [("password", ""), ("again", ""), ("do", "look")],
    ] {
        let ask = [&[("invitation", invitation.as_str())][..], &pairs[..]].concat();
        let page = post(&gateway, "/welcome", "", &form(&ask));
        assert_eq!(page.status, 200);
        assert!(page.body.contains(&format!("value=\"{invitation}\"")), "{}", page.body);
        assert!(page.body.contains("<strong>anna b</strong>"), "{}", page.body);
        assert!(!page.body.contains(PASSWORD), "a password is not shown again");
    }
    let name = post(&gateway, "/welcome/name", "", &form(&[("invitation", &invitation)]));
    assert!(name.status == 200 && name.body.contains("\"anna b\""), "{}", name.body);
    assert_eq!(post(&gateway, "/welcome/name", "", "invitation=guessed").status, 404);
    let anna = accept(&gateway, &invitation).session();
    assert_eq!(post(&gateway, "/welcome/name", "", &form(&[("invitation", &invitation)])).status, 404, "it is used");
    // One's own codes: a wrong one does not lose the secret that is in the device by now.
    let page = post(&gateway, "/me/act", &anna, "do=codes-new").body;
    let secret = page.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let wrong = post(&gateway, "/me/act", &anna, &form(&[("do", "codes-on"), ("secret", &secret), ("code", "000000")]));
    assert!(wrong.status == 400 && wrong.body.contains("is not valid"), "{}", wrong.body);
    assert!(wrong.body.contains(&format!("name=\"secret\" value=\"{secret}\"")), "{}", wrong.body);
    // Signing in: the name stays, also for who has to wait.
    let page = sign_in(&gateway, "anna b", "not it at all");
    assert!(page.body.contains("value=\"anna b\"") && !page.body.contains("not it at all"), "{}", page.body);
    let last = (0..15).fold(None, |_, _| Some(sign_in(&gateway, "anna b", "guess"))).unwrap();
    assert!(
        last.status == 429 && last.body.contains("value=\"anna b\"") && last.body.contains("try again"),
        "{}",
        last.body
    );
}

/// What there is not has no page with buttons, and takes no act.
#[test]
fn what_there_is_not_is_a_page_that_says_so() {
    let (gateway, _sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let id = id_of(&gateway, "one");
    let other = format!("{}{}", &id[..id.len() - 1], if id.ends_with('0') { '1' } else { '0' });
    for path in [
        "/detections/anything",
        "/detections/%3Cb%3E",
        "/messages/nothing",
        &format!("/messages/{other}"),
        &format!("/messages/{other}/text"),
        &format!("/messages/{other}/html"),
        "/messages/nothing/text",
        "/incidents/INC-2026-9999",
        "/incidents/x/live",
        "/bulk/99",
        "/bulk/abc",
        "/submissions/99",
        "/submissions/abc",
        "/rulesets?rollout=99",
        "/nothing",
        "/explorer/nothing",
        "/status/nothing",
    ] {
        let page = get(&gateway, path, &anna);
        assert_eq!(page.status, 404, "{path}: {}", page.body);
        assert!(page.body.contains("<nav") || path.starts_with("/status"), "{path}: {}", page.body);
        assert!(!page.body.contains("name=\"reason\""), "{path}: {}", page.body);
    }
    for (path, ask) in [
        ("/detections/anything/act", "mode=off&hours=1&reason=r"),
        ("/sentinel/act", "do=contain&detection=anything&reason=r"),
        ("/sentinel/act", "do=release&detection=anything&reason=r"),
        ("/incidents/open", "detection=anything&version=&reason=r"),
        ("/incidents/open", "detection=anything&version=1&reason=r"),
        ("/incidents/INC-2026-9999/act", "do=note&text=t"),
        ("/bulk/99/cancel", "reason=r"),
        ("/bulk/99/approve", "reason=r"),
        ("/bulk/abc/cancel", "reason=r"),
        ("/requests/act", &format!("verb=deny&id={other}&recipient=b%40ours.example&reason=r")),
        (&format!("/messages/{other}/act"), "do=delete&reason=r"),
        (&format!("/messages/{other}/raw"), "reason=r&password=infected"),
        ("/messages/nothing/act", "do=delete&reason=r"),
        ("/people/act", "do=disable&name=nobody&reason=r"),
        ("/entries/act", "remove=99&reason=r"),
        ("/nothing", "reason=r"),
    ] {
        let answer = post(&gateway, path, &anna, ask);
        assert_eq!(answer.status, 404, "{path} {ask}: {}", answer.body);
        assert!(answer.body.contains("<nav"), "{path}: {}", answer.body);
    }
    assert!(gateway.json(&["incident", "list"]).as_array().unwrap().is_empty());
    // An address that takes forms alone is no page.
    let page = get(&gateway, "/explorer/act", &anna);
    assert!(page.status == 405 && page.body.contains("<nav"), "{} {}", page.status, page.body);
    // Who has not signed in is not led to a page that then says that there is none.
    for path in ["/nothing", "/healthz", "/robots.txt"] {
        let page = get(&gateway, path, "");
        assert!(page.status == 404 && page.body.contains("there is no page"), "{path}: {} {}", page.status, page.body);
    }
    assert_eq!(get(&gateway, "/api/v1/nothing", "").status, 401);
    let token =
        gateway.json(&["token", "create", "--name", "t", "--role", "auditor"])["secret"].as_str().unwrap().to_owned();
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let ask = format!("GET /api/v1/nothing HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    socket.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 404") && answer.contains("\"code\":\"not_found\""), "{answer}");
}

/// The last administrator who can sign in is not shut out, nor made less: not on the page, not by a program, and on the
/// host only by saying so.
#[test]
fn the_last_administrator_is_not_shut_out() {
    let (gateway, _sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    invite(&gateway, "ben", "admin", &[]);
    let page = get(&gateway, "/people", &anna).body;
    assert!(page.contains("the last administrator"), "{page}");
    let disable = |name: &str| {
        post(&gateway, "/people/act", &anna, &form(&[("do", "disable"), ("name", name), ("reason", "why <not>")]))
    };
    let refused = disable("anna");
    assert!(
        refused.status == 409 && refused.body.contains("the last administrator who can sign in"),
        "{}",
        refused.body
    );
    let ask = form(&[("do", "invite"), ("name", "anna"), ("role", "auditor"), ("domains", "")]);
    let refused = post(&gateway, "/people/act", &anna, &ask);
    assert!(refused.status == 409 && refused.body.contains("the last administrator"), "{}", refused.body);
    assert!(
        refused.body.contains("value=\"anna\"") && refused.body.contains("value=\"auditor\" selected"),
        "{}",
        refused.body
    );
    for words in [
        &["person", "disable", "anna"][..],
        &["person", "invite", "--name", "anna", "--role", "analyst"],
        &["person", "invite", "--name", "anna", "--role", "admin", "--domain", "ours.example"],
    ] {
        let said = gateway.cli(&[words, &["--config", "reprieve.toml"]].concat());
        assert!(!said.status.success(), "{words:?}");
        assert!(String::from_utf8_lossy(&said.stderr).contains("last administrator"), "{said:?}");
    }
    assert_eq!(get(&gateway, "/people", &anna).status, 200, "she is still there");
    let token =
        gateway.json(&["token", "create", "--name", "t", "--role", "admin"])["secret"].as_str().unwrap().to_owned();
    let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
    let body = "{\"last_admin\":true}";
    let ask = format!(
        "POST /api/v1/people/anna/disable HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer \
            {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 403"), "{answer}");
    // With another, who has a password, it is done; the one who is left stays.
    let cora = person(&gateway, "cora", "admin", &[]);
    assert_eq!(disable("anna").status, 303);
    assert_eq!(get(&gateway, "/people", &anna).status, 303, "she is out");
    let last = post(&gateway, "/people/act", &cora, &form(&[("do", "disable"), ("name", "cora"), ("reason", "r")]));
    assert_eq!(last.status, 409);
    // Who has lost the password is invited anew on the host.
    invite(&gateway, "cora", "admin", &[]);
}

/// A form that cannot be taken comes back, on its page, with what was typed into it; and one of a session that is over
/// is not lost either.
#[test]
fn a_form_that_cannot_be_taken_keeps_what_was_typed() {
    let (gateway, _sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let id = id_of(&gateway, "one");
    let incident =
        gateway.json(&["incident", "open", "EIC-0001", "--reason", "a test"])["id"].as_str().unwrap().to_owned();
    gateway.json(&["entry", "block", "ip", "203.0.113.99", "--reason", "a test"]);
    let kept = "value=\"I <wrote> \"this\"\""
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"this\"", "&quot;this&quot;");
    let words = "I <wrote> \"this\"";
    let long = "x".repeat(10_000);
    for (path, pairs) in [
        ("/explorer/act".to_owned(), vec![("do", "release"), ("q", "state:held"), ("reason", words)]),
        ("/explorer/act".to_owned(), vec![("do", "deny"), ("q", ""), ("reason", words)]),
        (format!("/messages/{id}/act"), vec![("do", "copy"), ("to", "x@elsewhere.example"), ("reason", words)]),
        (format!("/messages/{id}/raw"), vec![("password", "abc"), ("reason", words)]),
        (
            "/entries/act".to_owned(),
            vec![
                ("action", "allow"),
                ("kind", "ip"),
                ("value", "nonsense"),
                ("domain", ""),
                ("hours", "7"),
                ("reason", words),
            ],
        ),
        ("/detections/EIC-0001/act".to_owned(), vec![("mode", "off"), ("hours", "99999999"), ("reason", words)]),
        ("/people/act".to_owned(), vec![("do", "invite"), ("name", words), ("role", "nonsense"), ("domains", "")]),
        ("/explorer/keep".to_owned(), vec![("q", "state:"), ("name", words)]),
        (format!("/incidents/{incident}/act"), vec![("do", "nonsense"), ("text", words)]),
        ("/requests/close".to_owned(), vec![("address", "nobody"), ("reason", words)]),
    ] {
        let answer = post(&gateway, &path, &anna, &form(&pairs));
        if path == "/explorer/keep" || path == "/requests/close" {
            // Its form is not on a page that cannot be read, or where there is no portal; the words are shown.
            assert!(
                answer.status == 400 && answer.body.contains("I &lt;wrote&gt;"),
                "{path}: {} {}",
                answer.status,
                answer.body
            );
            continue;
        }
        if pairs.contains(&("do", "nonsense")) || pairs.contains(&("role", "nonsense")) {
            assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        }
        assert!(answer.status == 400, "{path} {pairs:?}: {} {}", answer.status, answer.body);
        assert!(answer.body.contains(&kept), "{path} {pairs:?}: {}", answer.body);
        assert!(
            answer.body.contains("role=\"alert\"") && answer.body.contains("id=\"again\""),
            "{path}: {}",
            answer.body
        );
    }
    let entries = post(
        &gateway,
        "/entries/act",
        &anna,
        &form(&[
            ("action", "allow"),
            ("kind", "ip"),
            ("value", "nonsense"),
            ("domain", ""),
            ("hours", "7"),
            ("reason", "r"),
        ]),
    )
    .body;
    for part in ["value=\"allow\" selected", "value=\"ip\" selected", "value=\"nonsense\"", "value=\"7\""] {
        assert!(entries.contains(part), "{part}: {entries}");
    }
    let nothing =
        post(&gateway, "/explorer/act", &anna, &form(&[("do", "release"), ("q", "state:held"), ("reason", words)]))
            .body;
    assert!(nothing.contains("nothing is chosen") && nothing.contains("<h1>Quarantine</h1>"), "{nothing}");
    assert_eq!(
        post(
            &gateway,
            "/entries/act",
            &anna,
            &form(&[
                ("action", "block"),
                ("kind", "ip"),
                ("value", &long),
                ("domain", ""),
                ("hours", "1"),
                ("reason", "r")
            ])
        )
        .status,
        400
    );
    let over = post(
        &gateway,
        &format!("/messages/{id}/act"),
        "__Host-reprieve=none",
        &form(&[("do", "deny"), ("reason", words), ("password", "a secret")]),
    );
    assert!(
        over.status == 401 && over.body.contains("I &lt;wrote&gt;") && !over.body.contains("a secret"),
        "{}",
        over.body
    );
    assert_eq!(gateway.account("held"), 2);
}

/// A figure says when it was counted; asked anew, it is counted anew.
#[test]
fn figures_say_when_they_were_counted() {
    let (gateway, _sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let began = Instant::now();
    let old = loop {
        let page = get(&gateway, "/health", &anna).body;
        if page.contains("Newer mail is not included") {
            break page;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{page}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(old.contains("Ledger consistent: ") && old.contains("Checked <time"), "{old}");
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("four")).starts_with("250"));
    gateway.ledger();
    let new = get(&gateway, "/health?check=now", &anna).body;
    assert!(new.contains("Ledger consistent: 4 deliveries") && new.contains("Checked just now"), "{new}");
    std::thread::sleep(Duration::from_secs(11));
    let page = get(&gateway, "/health", &anna).body;
    assert!(page.contains(" s ago</strong>"), "{page}");
}
