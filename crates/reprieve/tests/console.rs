//! The console: who sees which page, and what a person does there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod support;
#[path = "support/visitor.rs"]
mod visitor;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Gateway, Sink, Talk, bad, clean, config};
use visitor::{PAGES, PASSWORD, accept, form, get, id_of, invite, person, post, request, sign_in, two_domains};

#[test]
fn pages_are_in_the_language_that_their_reader_has_chosen() {
    let (gateway, _sink) = two_domains();
    assert!(get(&gateway, "/sign-in", "").body.contains("<html lang=\"en\""));
    let chosen = post(&gateway, "/language", "", &form(&[("tag", "de"), ("to", "/sign-in?to=%2Fme")]));
    assert_eq!((chosen.status, chosen.field("location")), (303, Some("/sign-in?to=%2Fme")));
    let german = get(&gateway, "/sign-in", &chosen.session());
    assert!(german.body.contains("<html lang=\"de\"") && german.body.contains("Anmelden"), "{}", german.body);
    assert_eq!(post(&gateway, "/language", "", "tag=xx&to=%2F").status, 400);
    // No page leads to somebody else's.
    let away = post(&gateway, "/language", "", &form(&[("tag", "de"), ("to", "//elsewhere.example/")]));
    assert_eq!(away.field("location"), Some("/"));
    // Every page, inside.
    let anna = format!("{}; language=de", person(&gateway, "anna", "admin", &[]));
    for page in PAGES {
        let shown = get(&gateway, page, &anna).body;
        assert!(
            shown.contains("<html lang=\"de\"") && shown.contains("Übersicht") && !shown.contains("Sign out"),
            "{page}: {shown}"
        );
    }
    assert!(get(&gateway, "/", &anna).body.contains("Hauptbuch"));
}

#[test]
fn a_session_begins_with_an_invitation_and_ends_when_it_should() {
    let (gateway, _sink) = two_domains();
    for page in PAGES {
        let answer = get(&gateway, page, "");
        let place = answer.field("location").unwrap_or_default().to_owned();
        assert!(answer.status == 303 && place.starts_with("/sign-in?to="), "{page}: {} {place}", answer.status);
    }
    assert_eq!(post(&gateway, "/explorer/act", "", "do=release").status, 401, "an act is not led to another page");
    assert!(get(&gateway, "/sign-in", "").body.contains("Nobody can sign in yet"));
    // The invitation: looked at as often as one likes, used once.
    let invitation = invite(&gateway, "anna", "admin", &[]);
    for _ in 0..3 {
        assert_eq!(get(&gateway, "/welcome", "").status, 200);
    }
    let differ = form(&[("invitation", &invitation), ("password", PASSWORD), ("again", "something else")]);
    assert!(post(&gateway, "/welcome", "", &differ).body.contains("differ"));
    let short = form(&[("invitation", &invitation), ("password", "short"), ("again", "short")]);
    assert!(post(&gateway, "/welcome", "", &short).body.contains("12 to 256"));
    let anna = accept(&gateway, &invitation);
    let cookie = anna.field("set-cookie").unwrap().to_owned();
    for word in ["__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let anna = anna.session();
    assert!(accept(&gateway, &invitation).body.contains("is not valid"), "once");
    // What every page says of itself.
    let page = get(&gateway, "/", &anna);
    assert_eq!(page.status, 200);
    let policy = page.field("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'") && !policy.contains("unsafe")
    );
    assert_eq!(
        (page.field("cache-control"), page.field("x-content-type-options")),
        (Some("no-store"), Some("nosniff"))
    );
    assert!(!page.body.contains(" style=") && !page.body.contains(" onclick=") && !page.body.contains("<script>"));
    // An act from elsewhere is none.
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(request(&gateway, "POST", "/sign-out", &anna, site, "").status, 403, "{site}");
    }
    assert_eq!(get(&gateway, "/", &anna).status, 200, "she is still there");
    // The wrong password, and nobody: the same word.
    let wrong = sign_in(&gateway, "anna", "not it at all").body;
    let nobody = sign_in(&gateway, "nobody", PASSWORD).body;
    let refused = "Name, password or code is incorrect";
    assert!(wrong.contains(refused) && nobody.contains(refused));
    let again = sign_in(&gateway, "anna", PASSWORD).session();
    assert_ne!(again, anna);
    // Signing out ends that session and no other; shutting out ends all.
    assert_eq!(post(&gateway, "/sign-out", &anna, "").status, 303);
    assert_eq!((get(&gateway, "/", &anna).status, get(&gateway, "/", &again).status), (303, 200));
    gateway.json(&["person", "disable", "anna", "--reason", "left", "--last-admin"]);
    assert_eq!(get(&gateway, "/", &again).status, 303);
    assert!(sign_in(&gateway, "anna", PASSWORD).body.contains(refused));
    // Whoever guesses is slowed down.
    let guesses: Vec<u16> = (0..15).map(|_| sign_in(&gateway, "anna", "guess").status).collect();
    assert_eq!(guesses.last(), Some(&429), "{guesses:?}");
    let log = gateway.json(&["audit", "list"]);
    let acts: Vec<&str> = log.as_array().unwrap().iter().filter_map(|one| one["action"].as_str()).collect();
    for act in ["person.invite", "person.accept", "sign_in", "sign_in.refused", "person.disable"] {
        assert!(acts.contains(&act), "{act}: {acts:?}");
    }
    assert!(!std::fs::read_to_string(gateway.path("log")).unwrap().contains(PASSWORD));
}

/// Every page for every role, and for somebody of one domain: what the table does not allow is not shown, nor anything
/// of another domain.
#[test]
fn the_matrix_of_roles_and_pages() {
    let (gateway, _sink) = two_domains();
    let (ours, theirs) = (id_of(&gateway, "one"), id_of(&gateway, "two"));
    let message = format!("/messages/{theirs}");
    let text = format!("/messages/{theirs}/text");
    let page = format!("/messages/{theirs}/html");
    let look = [
        "/",
        "/explorer",
        "/requests",
        "/rulesets",
        "/policy",
        "/explorer?by=detection",
        "/incidents",
        "/sentinel",
        "/detections",
        "/detections/EIC-0001",
        "/entries",
        "/submissions",
        "/health",
        "/bypassed",
        "/me",
        &message,
    ];
    let (read, audit, tokens) = ([text.as_str(), page.as_str()], ["/audit", "/holds"], ["/people"]);
    let acts = [
        (format!("/messages/{theirs}/act"), "do=false_positive&reason=r".to_owned(), "decide"),
        (format!("/messages/{theirs}/raw"), "reason=r&password=infected".to_owned(), "read"),
        ("/explorer/keep".to_owned(), "q=state%3Aheld&name=n".to_owned(), "decide"),
        ("/requests/act".to_owned(), format!("verb=deny&reason=r&id={theirs}&recipient=b%40theirs.example"), "decide"),
        ("/explorer/act".to_owned(), format!("do=deny&reason=r&mail={theirs}+b%40theirs.example"), "look"),
        ("/sentinel/act".to_owned(), "do=contain&detection=EIC-0001&reason=r".to_owned(), "rules"),
        ("/sentinel/act".to_owned(), "do=release&detection=EIC-0001&reason=r".to_owned(), "rules"),
        ("/detections/EIC-0001/act".to_owned(), "mode=shadow&hours=1&reason=r".to_owned(), "rules"),
        ("/detections/EIC-0001/act".to_owned(), "mode=enforce&hours=1&reason=r".to_owned(), "rules"),
        ("/detections/EIC-0001/dry-run".to_owned(), "days=7".to_owned(), "rules"),
        ("/entries/act".to_owned(), "action=block&kind=domain&value=evil.example&hours=1&reason=r".to_owned(), "rules"),
        ("/people/act".to_owned(), "do=invite&name=z&role=auditor".to_owned(), "tokens"),
        ("/settings/test".to_owned(), "recipient=".to_owned(), "rules"),
        ("/holds/act".to_owned(), "kind=person&what=z%40x.example&reason=r".to_owned(), "tokens"),
    ];
    let roles = [
        ("admin", vec!["look", "read", "decide", "audit", "rules", "tokens"]),
        ("analyst", vec!["look", "read", "decide", "rules"]),
        ("auditor", vec!["look", "audit"]),
    ];
    for (role, may) in roles {
        let cookie = person(&gateway, role, role, &[]);
        for (pages, permission) in
            [(&look[..], "look"), (&read[..], "read"), (&audit[..], "audit"), (&tokens[..], "tokens")]
        {
            for page in pages {
                let status = get(&gateway, page, &cookie).status;
                assert_eq!(status, if may.contains(&permission) { 200 } else { 403 }, "{role} {page}");
            }
        }
        for (path, body, permission) in &acts {
            let answer = post(&gateway, path, &cookie, body);
            let is_done = matches!(answer.status, 200 | 303);
            assert_eq!(is_done, may.contains(permission), "{role} {path} {body}: {} {}", answer.status, answer.body);
            assert!(is_done || answer.status == 403, "{role} {path}: {}", answer.status);
        }
    }
    // Whoever may not decide is told so for each, and nothing was done.
    let cookie = sign_in(&gateway, "auditor", PASSWORD).session();
    let told = post(&gateway, "/explorer/act", &cookie, &format!("do=release&reason=r&mail={ours}+b%40ours.example"));
    assert!(told.body.contains("may not do this"), "{}", told.body);
    // Somebody of one domain.
    let cookie = person(&gateway, "theirs", "analyst", &["--domain", "theirs.example"]);
    let explorer = get(&gateway, "/explorer", &cookie).body;
    assert!(explorer.contains("b@theirs.example") && !explorer.contains("ours.example"), "{explorer}");
    let exported = get(&gateway, "/explorer/export", &cookie).body;
    assert!(exported.contains("b@theirs.example") && !exported.contains("b@ours.example"));
    for page in ["", "/text", "/html"] {
        let answer = get(&gateway, &format!("/messages/{ours}{page}"), &cookie);
        assert!(answer.status == 404 && !answer.body.contains("a@x.example"), "{page}: {}", answer.status);
    }
    assert_eq!(post(&gateway, &format!("/messages/{ours}/act"), &cookie, "do=release&reason=r").status, 404);
    assert_eq!(get(&gateway, "/people", &cookie).status, 403);
    for page in ["/audit", "/submissions"] {
        assert_eq!(get(&gateway, page, &cookie).status, 403, "{page}");
    }
}

/// From the list to a release, with nothing but pages.
#[test]
fn a_person_finds_understands_and_releases() {
    let (gateway, sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let list = get(&gateway, "/explorer?q=state%3Aheld%20recipient%3Ab%40ours.example", &anna).body;
    let id = id_of(&gateway, "one");
    assert!(list.contains(&format!("/messages/{id}")) && !list.contains("theirs.example"), "{list}");
    let message = get(&gateway, &format!("/messages/{id}"), &anna).body;
    let words =
        ["EIC-0001", "policy rule", "Verdict without each detection", "Verdict by the current ruleset", "a@x.example"];
    for word in words.into_iter().chain(["arrived"]) {
        assert!(message.contains(word), "{word}: {message}");
    }
    let text = get(&gateway, &format!("/messages/{id}/text"), &anna).body;
    assert!(text.contains("Subject: one"), "{text}");
    let done = post(
        &gateway,
        "/explorer/act",
        &anna,
        &format!("do=release&confirmed=yes&reason=wanted&q=state%3Aheld&mail={id}+b%40ours.example"),
    );
    assert!(done.status == 200 && done.body.contains("releasing"), "{}", done.body);
    let got = sink.wait(2);
    assert!(got.iter().any(|mail| mail.header("Subject").as_deref() == Some("one")));
    let acts = gateway.json(&["audit", "list"]);
    let released = acts.as_array().unwrap().iter().find(|one| one["action"] == "quarantine.release").unwrap().clone();
    assert_eq!((released["actor"].as_str(), released["reason"].as_str()), (Some("anna"), Some("wanted")));
    assert_eq!(gateway.json(&["audit", "verify"])["intact"], true);
    // A report, an entry because of a message; what makes no sense is told.
    let other = id_of(&gateway, "two");
    assert_eq!(post(&gateway, &format!("/messages/{other}/act"), &anna, "do=false_positive&reason=known").status, 303);
    assert!(get(&gateway, &format!("/messages/{other}"), &anna).body.contains(": False positive"));
    assert_eq!(post(&gateway, &format!("/messages/{other}/act"), &anna, "do=block&reason=r&hours=24").status, 303);
    assert!(get(&gateway, "/entries", &anna).body.contains("because of a message"));
    assert_eq!(post(&gateway, &format!("/messages/{other}/act"), &anna, "do=nonsense").status, 400);
    assert_eq!(post(&gateway, &format!("/messages/{other}/raw"), &anna, "reason=").status, 400);
    let wrong = get(&gateway, "/explorer?q=colour%3Ared", &anna);
    assert!(wrong.status == 200 && wrong.body.contains("there is no field"), "{}", wrong.body);
}

/// Who has to look into a held mail gets a copy of it, and nobody else: behind Resent fields, as it came. No unit
/// moves.
#[test]
fn a_copy_goes_to_who_looks_into_it() {
    let (gateway, sink) = two_domains();
    let id = id_of(&gateway, "one");
    let anna = person(&gateway, "anna", "admin", &[]);
    let act = |ask: &str| post(&gateway, &format!("/messages/{id}/act"), &anna, &format!("do=copy&{ask}"));
    for ask in ["to=lab%40elsewhere.example&reason=r", "to=lab%40ours.example&reason=", "to=nobody&reason=r"] {
        assert_eq!(act(ask).status, 400, "{ask}");
    }
    assert_eq!(act("to=lab%40theirs.example&reason=what+is+it").status, 303);
    let copy = sink.wait(2).pop().unwrap();
    assert_eq!((copy.mail.as_str(), copy.rcpts[0].as_str()), ("MAIL FROM:<>", "RCPT TO:<lab@theirs.example>"));
    assert_eq!(copy.header("Resent-To").as_deref(), Some("<lab@theirs.example>"));
    assert_eq!(copy.header("X-Reprieve-Copy").as_deref(), Some(id.as_str()));
    assert!(copy.bytes.ends_with(&bad("one")), "{}", String::from_utf8_lossy(&copy.bytes));
    assert_eq!(gateway.account("held"), 2, "it is held as before");
    let acts = gateway.json(&["audit", "list"]);
    let act = acts.as_array().unwrap().iter().find(|one| one["action"] == "quarantine.copy").unwrap().clone();
    assert_eq!(
        (act["actor"].as_str(), act["reason"].as_str()),
        (Some("anna"), Some("to lab@theirs.example: what is it"))
    );
    // Whoever has one domain gives nothing to another.
    let theirs = person(&gateway, "theirs", "analyst", &["--domain", "theirs.example"]);
    let other = id_of(&gateway, "two");
    let to_ours = post(&gateway, &format!("/messages/{other}/act"), &theirs, "do=copy&to=lab%40ours.example&reason=r");
    assert_eq!(to_ours.status, 400, "{}", to_ours.body);
    let sent = gateway.json(&["quarantine", "copy", &other, "--to", "lab@ours.example", "--reason", "r"]);
    assert!(sent["reply"].as_str().unwrap().starts_with("250"), "{sent}");
}

/// A message's page says of each part how often it came before, and where the links lead.
#[test]
fn a_part_is_known_by_where_it_came_before() {
    let (gateway, sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let with_prices = |number: u32| {
        format!(
            "From: a@x.example\r\nSubject: prices {number}\r\nMessage-ID: <l{number}@x.example>\r\nContent-Type: \
                multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nsee https://www.shop.example/offer?n={number}\r\n\
             --b\r\nContent-Type: text/csv; name=prices.csv\r\nContent-Disposition: attachment\r\n\r\n{}--b--\r\n",
            "pears,12.50\r\n".repeat(20)
        )
    };
    let mut talk = Talk::from_outside(gateway.mx);
    for number in [1, 2] {
        assert!(talk.send("a@x.example", &["b@ours.example"], with_prices(number).as_bytes()).starts_with("250"));
    }
    sink.wait(3);
    let found = gateway.json(&["message", "trace", "--recipient", "b@ours.example"]);
    let one = found.as_array().unwrap().iter().find(|one| one["subject"] == "prices 2").unwrap().clone();
    let path = format!("/messages/{}", one["mail_id"].as_str().unwrap());
    let began = Instant::now();
    let page = loop {
        let page = get(&gateway, &path, &anna).body;
        if page.contains("in 2 clean messages from 1 sender since") {
            break page;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{page}");
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(page.contains("www.shop.example/offer?n=2") && page.contains("prices.csv"), "{page}");
    // What others get, somebody of one domain is not told.
    let theirs = person(&gateway, "theirs", "analyst", &["--domain", "theirs.example"]);
    let held = get(&gateway, &format!("/messages/{}", id_of(&gateway, "two")), &theirs).body;
    assert!(held.contains("e.com") && held.contains("not in clean mail"), "{held}");
}

/// The explorer's answers are whole: page by page, by every field, and in the export.
#[test]
fn the_explorer_finds_what_there_is() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    for n in 0..7 {
        let rcpts = [format!("r{n}@ours.example"), "all@ours.example".to_owned()];
        let rcpts: Vec<&str> = rcpts.iter().map(String::as_str).collect();
        let mail = if n % 2 == 0 { bad(&format!("number {n}")) } else { clean(&format!("number {n}")) };
        talk.send(&format!("S{n}@x.example"), &rcpts, &mail);
    }
    gateway.ledger();
    let token =
        gateway.json(&["token", "create", "--name", "t", "--role", "auditor"])["secret"].as_str().unwrap().to_owned();
    let api = |path: &str| {
        let mut socket = TcpStream::connect(gateway.api.as_str()).unwrap();
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let count = |query: &str| {
        let answer: serde_json::Value =
            serde_json::from_str(&api(&format!("/api/v1/explore?limit=500&q={}", encode(query)))).unwrap();
        let summary: serde_json::Value =
            serde_json::from_str(&api(&format!("/api/v1/explore/summary?q={}", encode(query)))).unwrap();
        let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{query}: {answer}")).len();
        assert_eq!(summary["units"], rows, "{query}");
        rows
    };
    let held = gateway.held();
    let (one, hash) = (held[0]["id"].as_str().unwrap(), held[0]["sha256"].as_str().unwrap());
    for (query, expected) in [
        ("", 14),
        ("state:held", 8),
        ("state:delivered", 6),
        ("sender:s1@X.example", 2),
        ("sender:s?@x.example", 14),
        ("recipient:ALL@ours.example", 7),
        ("to:r3@ours.example", 1),
        ("recipient:r*", 7),
        ("subject:\"number 4\"", 2),
        ("\"number 5\"", 2),
        ("s6", 2),
        ("domain:ours.example direction:Inbound", 14),
        ("category:Malware OR subject:\"number 1\"", 10),
        ("-category:Malware", 6),
        ("NOT (category:Malware OR category:Clean)", 0),
        ("detection:EIC-0001 recipient:all@*", 4),
        ("detection:EIC-*", 8),
        ("engine:yara", 8),
        ("file:*.com", 8),
        ("file:e.com type:image", 0),
        ("message_id:\"<number 2@x.example>\"", 2),
        (&format!("id:{one}"), 2),
        (one, 2),
        (&format!("sha256:{hash}"), 2),
        ("sha256:0000", 0),
        ("ip:192.0.2.5", 14),
        ("ip:192.0.2.*", 14),
        ("size:<10", 0),
        ("size:>=10 size:<1M", 14),
        ("received:>=-1h", 14),
        ("received:<-1h", 0),
        ("disposition:Hold", 8),
        ("from:*", 14),
        ("login:*", 0),
        ("incident:INC-*", 0),
        ("subject:%", 0),
        ("subject:'", 0),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
    // Page by page it is the same, whatever the size of a page.
    for limit in [1, 2, 3, 5] {
        let (mut after, mut seen) = (String::new(), Vec::new());
        loop {
            let page: serde_json::Value =
                serde_json::from_str(&api(&format!("/api/v1/explore?limit={limit}{after}"))).unwrap();
            for row in page["rows"].as_array().unwrap() {
                seen.push(format!("{} {}", row["mail_id"], row["recipient"]));
            }
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={}", encode(next));
        }
        let mut distinct = seen.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!((seen.len(), distinct.len()), (14, 14), "by {limit}");
    }
    let exported = api("/api/v1/explore/export?form=csv");
    assert_eq!(exported.matches("\r\n").count(), 15, "{exported}");
    assert_eq!(api("/api/v1/explore/export?form=json&q=state:held").lines().count(), 8);
}

/// Everything that a query fits is released while mail comes in; killed in the middle it goes on, and each has its
/// result.
#[test]
fn a_job_over_everything_that_a_query_fits() {
    let sink = Sink::start();
    let mut gateway =
        Gateway::prepare(&config(sink.address).replace("[\"ours.example\"]", "[\"ours.example\", \"theirs.example\"]"));
    gateway.set("REPRIEVE_ABORT_AT_STEP", "bulk-acted:2");
    gateway.run();
    let mut talk = Talk::from_outside(gateway.mx);
    for n in 0..450 {
        let said = talk.send("a@x.example", &["b@ours.example", "c@ours.example"], &bad(&format!("number {n}")));
        assert!(said.starts_with("250"), "{said}");
    }
    let anna = person(&gateway, "anna", "admin", &[]);
    let would = get(&gateway, "/bulk/new?verb=release&q=state%3Aheld%20recipient%3Ab%40ours.example", &anna).body;
    assert!(would.contains("Release 450 deliveries?"), "{would}");
    assert_eq!(gateway.account("held"), 900, "looking does nothing");
    assert_eq!(post(&gateway, "/bulk", &anna, "verb=release&q=&reason=r").status, 400, "not everything by a slip");
    assert_eq!(post(&gateway, "/bulk", &anna, "verb=release&q=state%3Aheld&reason=").status, 400);
    let begun =
        post(&gateway, "/bulk", &anna, "verb=release&q=state%3Aheld%20recipient%3Ab%40ours.example&reason=wanted");
    assert_eq!((begun.status, begun.field("location")), (303, Some("/bulk/1")));
    assert!(gateway.ends_within(Duration::from_secs(60)), "it was to be killed on the second page");
    gateway.unset("REPRIEVE_ABORT_AT_STEP");
    gateway.run();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("later")).starts_with("250"));
    let began = Instant::now();
    let job = loop {
        let job = get(&gateway, "/bulk/1", &anna).body;
        if job.contains("chip good\">done<") {
            break job;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "the job does not end");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(job.contains("450 deliveries"), "{}", &job[..4000]);
    let began = Instant::now();
    while gateway.account("releasing") > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(200));
    }
    // What was on its way when it was killed is in doubt, and is not sent again before ten minutes have passed.
    let (released, in_doubt) = (gateway.account("released"), gateway.account("in_doubt"));
    assert_eq!(released + in_doubt, 450);
    let mut got: Vec<String> = sink.got().iter().map(|mail| mail.header("Message-ID").unwrap()).collect();
    let count = got.len() as i64;
    got.sort();
    got.dedup();
    assert_eq!(got.len() as i64, count, "each once");
    assert!((released..=450).contains(&count), "{released} released, {in_doubt} in doubt, {count} arrived");
    assert_eq!(gateway.account("held"), 451, "the other recipients, and what came later");
    // What cannot be done is said for each; somebody else's domain is not touched.
    assert_eq!(post(&gateway, "/bulk", &anna, "verb=deny&q=state%3Areleased&reason=r").status, 303);
    let began = Instant::now();
    while !get(&gateway, "/bulk/2", &anna).body.contains("it is released") {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(100));
    }
    let bert = person(&gateway, "bert", "analyst", &["--domain", "theirs.example"]);
    assert_eq!(get(&gateway, "/bulk/1", &bert).status, 404);
    assert!(get(&gateway, "/bulk/new?verb=delete&q=state%3Aheld", &bert).body.contains("Delete 0 deliveries?"));
    gateway.ledger();
}

/// Queries are kept and tracked, sums come by what no roll-up has, like mail is found, and bytes leave only behind a
/// password.
#[test]
fn what_people_keep_and_sum_up() {
    let (gateway, _sink) = two_domains();
    let anna = person(&gateway, "anna", "analyst", &[]);
    let keep = form(&[("q", "state:held"), ("name", "Held <now>"), ("tracked", "yes")]);
    assert_eq!(post(&gateway, "/explorer/keep", &anna, &keep).status, 303);
    assert_eq!(post(&gateway, "/explorer/keep", &anna, &form(&[("q", "state:"), ("name", "bad")])).status, 400);
    let first = get(&gateway, "/", &anna).body;
    assert!(
        first.contains("Held &lt;now&gt;") && first.contains("<span class=\"number\">2</span><span>Held &lt;now&gt;"),
        "{first}"
    );
    assert!(get(&gateway, "/explorer", &anna).body.contains("Held &lt;now&gt; \u{2605}"));
    let forget = form(&[("q", "state:held"), ("name", "Held <now>"), ("forget", "yes")]);
    assert_eq!(post(&gateway, "/explorer/keep", &anna, &forget).status, 303);
    assert!(!get(&gateway, "/", &anna).body.contains("Held &lt;now&gt;"));
    // Columns of one's own, for this browser; what there is not is not chosen.
    let shown = post(&gateway, "/explorer/columns", &anna, "q=state%3Aheld&column=subject&column=ip&column=%3Cx%3E");
    let kept = format!("{anna}; {}", shown.session());
    let list = get(&gateway, "/explorer?q=state%3Aheld", &kept).body;
    assert!(
        list.contains("<th>Client IP</th>") && list.contains("192.0.2.5") && !list.contains("<th>Recipient</th>"),
        "{list}"
    );
    assert!(
        get(&gateway, "/explorer", &format!("{anna}; __Host-reprieve-columns=x")).body.contains("<th>Recipient</th>")
    );
    for (by, expected) in
        [("detection", "EIC-0001"), ("from_domain", "x.example"), ("type", "text"), ("ip", "192.0.2.5")]
    {
        let page = get(&gateway, &format!("/explorer?by={by}"), &anna);
        assert!(page.status == 200 && page.body.contains(expected), "{by}: {}", page.body);
        assert!(page.body.contains("Counts all matching messages"));
    }
    assert_eq!(get(&gateway, "/explorer?by=subject", &anna).status, 400);
    let id = id_of(&gateway, "one");
    let message = get(&gateway, &format!("/messages/{id}"), &anna).body;
    for way in ["Same sender domain", "including replies and forwards", "Hit by the same version of EIC-0001"] {
        assert!(message.contains(way), "{way}");
    }
    // What held it may have been wrong: an incident about that version.
    let version = message.split("name=\"version\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let open = form(&[("detection", "EIC-0001"), ("version", version), ("reason", "it holds ours")]);
    let opened = post(&gateway, "/incidents/open", &anna, &open);
    assert_eq!(opened.status, 303, "{}", opened.body);
    let incidents = gateway.json(&["incident", "list"]);
    assert_eq!(incidents[0]["detection_version"].as_str(), Some(version), "{incidents}");
    let raw = |body: &str| post(&gateway, &format!("/messages/{id}/raw"), &anna, body);
    assert_eq!((raw("reason=&password=infected").status, raw("reason=r&password=abc").status), (400, 400));
    let archive = raw("reason=for+the+maker&password=infected");
    assert!(archive.status == 200 && archive.body.starts_with("PK"), "{}", archive.head);
    assert!(!archive.body.contains("EICAR"), "it is encrypted");
    assert!(get(&gateway, "/policy", &anna).body.contains("Administrators only"));
    assert!(get(&gateway, "/rulesets", &anna).body.contains("No version has been published"));
}

/// Malware, and much at once, is released by two persons.
#[test]
fn what_takes_two_persons() {
    let sink = Sink::start();
    let text = config(sink.address).replace("[api]\n", "[api]\ntwo_persons_above = 100\n");
    let gateway = Gateway::start(&text);
    std::fs::write(gateway.path("rule.yar"), "rule nothing { strings: $a = \"zqxjzqxj\" condition: $a }").unwrap();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("one")).contains("taken as"));
    let (anna, ben) = (person(&gateway, "anna", "admin", &[]), person(&gateway, "ben", "analyst", &[]));
    let eve = person(&gateway, "eve", "auditor", &[]);
    let id = id_of(&gateway, "one");
    // Not by one, whichever way.
    let alone = post(&gateway, &format!("/messages/{id}/act"), &anna, "do=release&reason=r");
    assert!(alone.status == 409 && alone.body.contains("takes two persons"), "{}", alone.body);
    let query = form(&[("q", &format!("id:{id}")), ("verb", "release"), ("reason", "it is good")]);
    let would = get(&gateway, &format!("/bulk/new?verb=release&q=id:{id}"), &anna).body;
    assert!(would.contains("Second approval required") && would.contains("1 units are malware"), "{would}");
    assert_eq!(post(&gateway, "/bulk", &anna, &query).status, 303);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(gateway.account("held"), 1, "it waits");
    assert!(get(&gateway, "/", &ben).body.contains("1 job waits"));
    let agree = |who: &str| post(&gateway, "/bulk/1/approve", who, "reason=looked").status;
    assert_eq!((agree(&anna), agree(&eve)), (403, 403), "neither who asked nor who may not");
    assert_eq!(agree(&ben), 303);
    assert_eq!(agree(&ben), 409, "once");
    sink.wait(1);
    let acts = gateway.json(&["audit", "list"]).to_string();
    assert!(acts.contains("bulk.release") && acts.contains("bulk.approve"), "{acts}");
    // Nor does one go past the gates.
    gateway.json(&["ruleset", "build", "rule.yar"]);
    let rulesets = gateway.json(&["ruleset", "list"]);
    let ruleset = rulesets.as_array().unwrap().iter().find(|one| one["in_force"] == false).unwrap()["id"].clone();
    let publish = |who: &str| {
        let words =
            ["ruleset", "publish", ruleset.as_str().unwrap(), "--force", "--reason", who, "--config", "reprieve.toml"];
        let program = env!("CARGO_BIN_EXE_reprieve");
        Command::new(program).args(words).env("SUDO_USER", who).current_dir(gateway.path(".")).output().unwrap()
    };
    let said = publish("anna");
    assert!(String::from_utf8_lossy(&said.stderr).contains("takes two persons"), "{said:?}");
    assert!(!publish("anna").status.success(), "asking twice is asking once");
    assert!(get(&gateway, "/", &ben).body.contains("ruleset.force"));
    let said = publish("ben");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let acts = gateway.json(&["audit", "list"]).to_string();
    assert!(acts.contains("forced: agreed with anna (local)"), "{acts}");
    // What is no malware and little takes one.
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("two")).contains("taken as"));
    let deny = form(&[("q", "state:held"), ("verb", "deny"), ("reason", "r")]);
    assert_eq!(post(&gateway, "/bulk", &anna, &deny).status, 303);
    let began = Instant::now();
    while gateway.account("denied") != 1 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", gateway.ledger());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Loops, engines, room and the ledger are seen; a ledger that does not balance calls people, and mail goes on.
#[test]
fn whether_all_is_well_is_seen() {
    let (mut gateway, sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let until = |gateway: &Gateway, page: &str, word: &str| {
        let began = Instant::now();
        loop {
            let body = get(gateway, page, &anna).body;
            if body.contains(word) {
                return body;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{word}: {body}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let overview = until(&gateway, "/", "Ledger consistent");
    assert!(overview.contains("Engines answer") && overview.contains("Background tasks healthy"), "{overview}");
    let now = get(&gateway, "/health?check=now", &anna).body;
    assert!(now.contains("Ledger consistent: 3 deliveries") && now.contains("free on the store"), "{now}");
    for name in ["releases", "sentinel", "retention", "books", "roll-outs", "structure", "yara"] {
        assert!(now.contains(&format!("<td>{name}</td>")), "{name}: {now}");
    }
    let settings = get(&gateway, "/settings", &anna).body;
    assert!(settings.contains("[next_hop.inbound]") && settings.contains(&sink.address.to_string()), "{settings}");
    // Somebody changes a row behind our back.
    gateway.stop();
    let tamper = |from: &str, to: &str| {
        let script = format!(
            "import sqlite3; c = sqlite3.connect('data/reprieve.db'); n = c.execute(\"update unit set account = '{to}' \
                where account = '{from}'\").rowcount; \
             c.commit(); assert n == 2, n"
        );
        let done = Command::new("python3").args(["-c", &script]).current_dir(gateway.path(".")).status().unwrap();
        assert!(done.success());
    };
    tamper("held", "denied");
    gateway.run();
    until(&gateway, "/", "Ledger inconsistent");
    // The call follows the check; a page that was read between both has not got it.
    until(&gateway, "/", "account held: the ledger says 2, the units say 0");
    let alerts = gateway.json(&["alert", "list"]);
    assert_eq!((alerts[0]["kind"].as_str(), alerts.as_array().unwrap().len()), (Some("books"), 1), "{alerts}");
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("four")).starts_with("250"), "mail goes on");
    // Somebody of one domain is not told how the gateway is.
    let theirs = person(&gateway, "theirs", "analyst", &["--domain", "theirs.example"]);
    assert_eq!(get(&gateway, "/settings", &theirs).status, 403);
    assert!(!get(&gateway, "/health", &theirs).body.contains("Background tasks"));
}

/// A detection's page says how right it has been, what it costs, what it was tried on, and where it comes from.
#[test]
fn a_detection_says_how_right_it_is() {
    let (gateway, _sink) = two_domains();
    let anna = person(&gateway, "anna", "admin", &[]);
    let until = |word: &str| {
        let began = Instant::now();
        loop {
            let page = get(&gateway, "/detections/EIC-0001", &anna).body;
            if page.contains(word) {
                return page;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{word}: {page}");
            std::thread::sleep(Duration::from_millis(300));
        }
    };
    let page = until("0 of 2 enforced hits in 30 days");
    for word in ["100.00 %", "at least 22.36 %", "not tested on known-good samples yet", "ms per MiB"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(page.contains("Must hit") && page.contains("X5O!P%@AP"), "{page}");
    // Held is what the explorer finds with `state:held`: one definition, one query, and the page says it in words.
    assert!(page.contains("2 deliveries</a>, ") && page.contains(">2 held</a>"), "{page}");
    assert!(page.contains("waits for a decision") && page.contains("state:held"), "{page}");
    let explored = |q: &str| {
        let page = get(&gateway, &format!("/explorer?q={q}"), &anna).body;
        page.matches("<tr data-").count().max(page.matches("/messages/").count())
    };
    let both = explored("detection%3AEIC-0001%20state%3Aheld");
    // A release says nothing of a verdict; somebody who calls it wrong does.
    gateway.json(&["quarantine", "release", &id_of(&gateway, "one"), "--wait", "--reason", "asked for"]);
    let page = until(">1 held</a>");
    assert!(page.contains("100.00 %") && page.contains("2 deliveries</a>"), "{page}");
    assert!(explored("detection%3AEIC-0001%20state%3Aheld") < both, "there and here");
    assert_eq!(gateway.json(&["submission", "list"]), serde_json::json!([]), "and is no report");
    gateway.json(&[
        "submission",
        "add",
        &id_of(&gateway, "one"),
        "--kind",
        "false-positive",
        "--comment",
        "it is mine",
    ]);
    assert!(until("1 of 2 enforced hits in 30 days").contains("50.00 %"));
    let structure = get(&gateway, "/detections/IMG-0001", &anna).body;
    assert!(structure.contains("all checks share one pass over a message"), "{structure}");
    // How right it is with everybody's mail is for those who see everybody's.
    let theirs = person(&gateway, "theirs", "analyst", &["--domain", "theirs.example"]);
    assert!(!get(&gateway, "/detections/EIC-0001", &theirs).body.contains("Observed precision"));
}

/// Several people say that a detection is wrong: it is tried, an operator is called, and nobody is convicted by that.
#[test]
fn what_several_people_say_is_heard() {
    let (gateway, _sink) = two_domains();
    let id = id_of(&gateway, "one");
    for reporter in ["a@ours.example", "b@ours.example"] {
        gateway.json(&[
            "submission",
            "add",
            &id,
            "--kind",
            "false-positive",
            "--reporter",
            reporter,
            "--comment",
            "it is mine",
        ]);
    }
    std::thread::sleep(Duration::from_secs(3));
    assert!(gateway.json(&["alert", "list"]).as_array().unwrap().is_empty(), "two are not enough");
    // A release is no word against a detection.
    gateway.json(&["quarantine", "release", &id, "--reason", "asked for"]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(gateway.json(&["alert", "list"]).as_array().unwrap().is_empty(), "nobody else has called it wrong");
    gateway.json(&["submission", "add", &id, "--kind", "false-positive", "--reporter", "c@ours.example"]);
    let began = Instant::now();
    let alert = loop {
        let alerts = gateway.json(&["alert", "list"]);
        if let Some(alert) = alerts.as_array().unwrap().first() {
            break alert.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nobody is called");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!((alert["kind"].as_str(), alert["subject"].as_str()), (Some("reports"), Some("EIC-0001")));
    assert!(gateway.json(&["sentinel", "status"])["contained"].as_array().unwrap().is_empty());
    // The bundle for the maker of the detection says nothing about people.
    let bundle = gateway.json(&["submission", "export", "1"]);
    let text = bundle.to_string();
    for private in ["x.example", "ours.example", "it is mine", "\"one\"", "e.com"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    assert_eq!(bundle["hits"][0]["detection"], "EIC-0001");
    assert_eq!(bundle["contradictions"][0]["messages"], 1);
    // A page for each report: what others say, and what today's ruleset says.
    let anna = person(&gateway, "anna", "admin", &[]);
    let reports = get(&gateway, "/submissions", &anna).body;
    assert!(reports.contains("href=\"/submissions/1\"") && reports.contains("href=\"/submissions/3\""), "{reports}");
    let report = get(&gateway, "/submissions/1", &anna).body;
    for part in [
        "a@ours.example",
        "it is mine",
        ">3 of 3<",
        "Verdict by the current ruleset",
        "/submissions/2",
        "/submissions/1/bundle",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert_eq!(get(&gateway, "/submissions/99", &anna).status, 404);
    let file = get(&gateway, "/submissions/1/bundle", &anna);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&file.body).unwrap()["hits"], bundle["hits"]);
    assert_eq!(file.field("content-disposition"), Some("attachment; filename=\"submission-1.json\""));
    // Somebody of another domain knows nothing of it.
    let theirs = person(&gateway, "theirs", "analyst", &["--domain", "theirs.example"]);
    for page in ["/submissions/1", "/submissions/1/bundle"] {
        assert_eq!(get(&gateway, page, &theirs).status, 404, "{page}");
    }
    let shown = gateway.json(&["submission", "show", "1"]);
    assert_eq!(
        (shown["voices"][0]["people"].as_u64(), shown["others"].as_array().unwrap().len()),
        (Some(3), 2),
        "{shown}"
    );
    // On the first page, until somebody has seen it.
    assert!(get(&gateway, "/", &anna).body.contains("people have said within a day"));
    assert_eq!(post(&gateway, "/alerts/act", &anna, "number=1&reason=looked").status, 303);
    assert!(get(&gateway, "/", &anna).body.contains("No action required"));
    assert!(gateway.json(&["alert", "list"]).as_array().unwrap().is_empty());
    // What the log has of it is a commitment; what was said can be destroyed, and the log stands.
    let acts = gateway.json(&["audit", "list"]);
    let said =
        acts.as_array().unwrap().iter().find(|one| one["action"] == "submission.false_positive").unwrap().clone();
    assert_eq!(said["reason"], "it is mine");
    let seq = said["seq"].clone();
    gateway.json(&["audit", "erase", &seq.to_string(), "--reason", "asked for by the person"]);
    let verified = gateway.json(&["audit", "verify"]);
    assert_eq!((verified["intact"].as_bool(), verified["erased"].as_u64()), (Some(true), Some(1)), "{verified}");
    let acts = gateway.json(&["audit", "list"]);
    let said = acts.as_array().unwrap().iter().find(|one| one["seq"] == seq).unwrap().clone();
    assert_eq!((said["action"].as_str(), said["reason"].as_str()), (Some("submission.false_positive"), Some("")));
}
