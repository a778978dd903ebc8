//! What a mail server and its administrator see: delivery, holding, release, refusal, trouble.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on may panic, and says what it measured"
)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{Answer, Gateway, Sink, SinkPlan, Talk, bad, clean, config};

#[test]
fn clean_mail_gets_the_next_hops_own_answer_and_its_own_bytes() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let mail = clean("1");
    assert_eq!(talk.send("a@x.example", &["b@ours.example"], &mail), "250 2.0.0 Ok: sunk\r\n");
    let got = &sink.wait(1)[0];
    assert_eq!(got.without_ours(), mail);
    assert!(got.header("X-Reprieve-Verdict").expect("ours").starts_with("Clean; Deliver"));
    assert!(got.header("Received").expect("trace").contains("by gw.example (Reprieve) with ESMTP"));
    assert!(got.xforward.contains("ADDR=192.0.2.5"), "the hop learns the real client: {}", got.xforward);
    assert_eq!(gateway.account("delivered"), 1);
}

#[test]
fn parameters_and_pipelining_go_through() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let group = "MAIL FROM:<a@x.example> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ1\r\nRCPT TO:<b@ours.example> \
        NOTIFY=NEVER\r\n\
                 RCPT TO:<unknown@ours.example>\r\nRCPT TO:<c@elsewhere.example>\r\nDATA\r\n";
    talk.write(group.as_bytes()).expect("writes");
    let replies: Vec<String> = (0..5).map(|_| talk.reply().expect("reply")).collect();
    assert!(replies[1].starts_with("250"));
    assert_eq!(replies[2], "550 5.1.1 no such user\r\n", "the hop's own refusal");
    assert!(replies[3].starts_with("550 5.7.1"), "no relay: {}", replies[3]);
    assert!(replies[4].starts_with("354"));
    talk.write(b"Subject: gr\xc3\xbc\xc3\x9fe\r\n\r\n\xc3\xa4\r\n.\r\n").expect("writes");
    assert!(talk.reply().expect("reply").starts_with("250"));
    let got = &sink.wait(1)[0];
    assert_eq!(got.mail, "MAIL FROM:<a@x.example> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ1");
    assert_eq!(got.rcpts, ["RCPT TO:<b@ours.example> NOTIFY=NEVER"]);
}

#[test]
fn only_what_every_hop_offers_is_offered() {
    let sink = Sink::planned(SinkPlan { ehlo: "250-sink\r\n250 SIZE 5000\r\n", ..SinkPlan::default() });
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::to(gateway.mx);
    let ehlo = talk.say("EHLO x");
    assert!(ehlo.contains("SIZE 5000") && ehlo.contains("PIPELINING"), "{ehlo}");
    assert!(!ehlo.contains("8BITMIME") && !ehlo.contains("SMTPUTF8") && !ehlo.contains("DSN"), "{ehlo}");
    assert!(talk.say("MAIL FROM:<a@x.example> SIZE=6000").starts_with("552"));
    assert!(talk.say("MAIL FROM:<a@x.example> BODY=8BITMIME").starts_with("555"));
}

#[test]
fn a_hop_without_pipelining_is_spoken_to_line_by_line() {
    let sink = Sink::planned(SinkPlan { ehlo: "250 sink\r\n", ..SinkPlan::default() });
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example", "c@ours.example"], &clean("1")).starts_with("250"));
    assert_eq!(sink.wait(1)[0].rcpts.len(), 2);
}

#[test]
fn bad_mail_is_held_explained_exported_and_released_once() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let mail = bad("7");
    let reply = talk.send("a@x.example", &["b@ours.example"], &mail);
    assert!(reply.starts_with("250 2.0.0 Ok: taken as "), "{reply}");
    assert!(sink.got().is_empty());
    let held = gateway.held();
    assert_eq!((held[0]["category"].as_str(), held[0]["detection"].as_str()), (Some("Malware"), Some("EIC-0001")));
    assert_eq!(held[0]["recipients"][0]["state"], "held");
    let id = held[0]["id"].as_str().expect("id");
    assert!(reply.contains(id));
    let exported = gateway.cli(&["quarantine", "export", id, "--config", "reprieve.toml"]);
    assert_eq!(exported.stdout, mail, "exactly the stored bytes");
    let preview = gateway.json(&["quarantine", "release", id, "--what-if"]);
    assert_eq!(preview["units"][0]["reply"], "would be released");
    assert_eq!(gateway.account("held"), 1, "what-if changes nothing");
    let released = gateway.json(&["quarantine", "release", id, "--wait", "--reason", "asked for"]);
    assert_eq!(released["units"][0]["state"], "released", "{released}");
    assert_eq!(released["units"][0]["reply"], "250 2.0.0 Ok: sunk");
    let again = gateway.json(&["quarantine", "release", id, "--wait", "--reason", "asked for"]);
    assert_eq!(again["units"][0]["release_id"], released["units"][0]["release_id"], "the same release");
    let got = sink.wait(1);
    assert_eq!((got.len(), got[0].without_ours()), (1, mail.clone()));
    assert_eq!(got[0].mail, "MAIL FROM:<a@x.example>", "the original envelope");
    // The released mail comes back through us: its token lets it pass, and only for its own recipient.
    let released = got[0].bytes.clone();
    assert!(talk.send("a@x.example", &["b@ours.example"], &released).contains("sunk"));
    assert!(talk.send("a@x.example", &["c@ours.example"], &released).contains("taken as"));
    let trace = gateway.json(&["message", "trace", "--id", id]);
    let life: Vec<&str> =
        trace[0]["events"].as_array().expect("events").iter().filter_map(|e| e["what"].as_str()).collect();
    assert_eq!(life, ["arrived", "release_requested", "release_accepted"]);
    gateway.ledger();
}

#[test]
fn below_the_floor_of_free_space_nothing_is_taken() {
    let sink = Sink::start();
    let gateway = Gateway::start(&format!("{}[retention]\ndisk_floor_mib = 1_000_000\n", config(sink.address)));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.say("MAIL FROM:<a@x.example>").starts_with("452 4.3.1"));
}

#[test]
fn people_deny_delete_and_look() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let mail = cli::compose::Mail::new("a@x.example", "b@ours.example", "look")
        .text("Read me\u{1b}[2J\n")
        .attach("invoice.pdf.exe", "application/pdf", b"MZ")
        .build();
    assert!(talk.send("a@x.example", &["b@ours.example", "c@ours.example"], &mail).contains("taken as"));
    let id = gateway.held()[0]["id"].as_str().expect("id").to_owned();
    let preview = gateway.json(&["quarantine", "preview", &id]);
    assert_eq!(preview["texts"][0], "Read me[2J\n", "no control character reaches a terminal");
    assert_eq!(preview["parts"][1]["name"], "invoice.pdf.exe");
    let headers = gateway.json(&["quarantine", "headers", &id]);
    assert!(headers["headers"].as_str().expect("text").starts_with("From: <a@x.example>\r\n"));
    let what_if = gateway.json(&["quarantine", "deny", &id, "--what-if"]);
    assert_eq!(what_if["units"][0]["reply"], "would be denied");
    let denied = gateway.json(&["quarantine", "deny", &id, "--rcpt", "b@ours.example", "--reason", "no"]);
    assert_eq!(denied["units"][0]["state"], "denied");
    let deleted = gateway.json(&["quarantine", "delete", &id, "--rcpt", "c@ours.example"]);
    assert_eq!(deleted["units"][0]["state"], "deleted");
    let again = gateway.cli(&[
        "quarantine",
        "release",
        &id,
        "--rcpt",
        "c@ours.example",
        "--reason",
        "r",
        "--config",
        "reprieve.toml",
    ]);
    assert_eq!(again.status.code(), Some(1), "what is deleted is not released");
    let released = gateway.json(&["quarantine", "release", &id, "--rcpt", "b@ours.example", "--reason", "r", "--wait"]);
    assert_eq!(released["units"][0]["state"], "released", "a second decision");
    assert_eq!(gateway.cli(&["quarantine", "show", "nonsense", "--config", "reprieve.toml"]).status.code(), Some(2));
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["deleted"], &ledger["accounts"]["released"]), (&1.into(), &1.into()));
}

#[test]
fn observe_mode_delivers_everything_and_records_what_would_have_been() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address).replace("\"enforce\"", "\"observe\""));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("1")).contains("sunk"));
    assert!(sink.wait(1)[0].header("X-Reprieve-Verdict").expect("ours").contains("Malware; Hold; observed"));
    gateway.ledger();
    let trace = gateway.json(&["message", "trace", "--recipient", "b@ours.example"]);
    assert_eq!(
        (&trace[0]["disposition"], &trace[0]["enforced"], &trace[0]["account"]),
        (&"Hold".into(), &false.into(), &"delivered".into())
    );
}

#[test]
fn directions_and_no_relay() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut outside = Talk::from_outside(gateway.mx);
    for rcpt in ["x@other.example", "x@ours.example.other.example", "\"x@other.example\"@evil.example"] {
        outside.say("MAIL FROM:<a@ours.example>");
        assert!(outside.say(&format!("RCPT TO:<{rcpt}>")).starts_with("550 5.7.1"), "{rcpt}");
        outside.say("RSET");
    }
    let mut ours = Talk::to(gateway.submission);
    ours.say("EHLO mua");
    assert!(ours.send("a@ours.example", &["x@other.example"], &clean("out")).starts_with("250"));
    assert!(ours.send("a@ours.example", &["b@ours.example"], &clean("int")).starts_with("250"));
    assert!(outside.send("a@ours.example", &["b@ours.example"], &clean("in")).starts_with("250"));
    let mut login = Talk::to(gateway.mx);
    login.say("EHLO x");
    login.say("XCLIENT ADDR=192.0.2.5 LOGIN=anna");
    login.say("EHLO x");
    assert!(login.send("a@ours.example", &["y@other.example"], &clean("login")).starts_with("250"));
    gateway.ledger();
    let direction = |rcpt: &str, subject: &str| {
        let units = gateway.json(&["message", "trace", "--recipient", rcpt]);
        let unit =
            units.as_array().expect("units").iter().find(|unit| unit["subject"] == subject).expect("unit").clone();
        unit["direction"].as_str().expect("direction").to_owned()
    };
    assert_eq!(direction("x@other.example", "out"), "Outbound");
    assert_eq!(direction("b@ours.example", "int"), "Internal");
    assert_eq!(direction("b@ours.example", "in"), "Inbound");
    assert_eq!(direction("y@other.example", "login"), "Outbound");
}

#[test]
fn recipients_of_another_hop_wait_for_a_transaction_of_their_own() {
    let (inside, outside) = (Sink::start(), Sink::start());
    let text =
        format!("{}[next_hop.outbound]\naddress = \"{}\"\ntls = \"none\"\n", config(inside.address), outside.address);
    let gateway = Gateway::start(&text);
    let mut talk = Talk::to(gateway.submission);
    talk.say("EHLO mua");
    talk.say("MAIL FROM:<a@ours.example>");
    assert!(talk.say("RCPT TO:<b@ours.example>").starts_with("250"));
    assert!(talk.say("RCPT TO:<x@other.example>").starts_with("452 4.5.3"));
    assert!(talk.say("RCPT TO:<c@ours.example>").starts_with("250"));
    talk.say("RSET");
    assert!(talk.send("a@ours.example", &["x@other.example"], &clean("1")).starts_with("250"));
    assert_eq!(outside.wait(1).len(), 1);
}

/// A policy that holds for one domain only, so that one transaction has both kinds of recipients.
fn mixed(hop: &Sink) -> (Gateway, Vec<u8>) {
    let text = config(hop.address)
        .replace("mode =", "policy = \"policy.toml\"\nmode =")
        .replace("[\"ours.example\"]", "[\"ours.example\", \"strict.example\"]");
    let mut gateway = Gateway::prepare(&text);
    let policy = "preset = \"none\"\n[[rules]]\nname = \"strict\"\ncategory = \"Malware\"\ndomains = \
        [\"strict.example\"]\ndisposition = \"Hold\"\n[on_failure]\n";
    std::fs::write(gateway.path("policy.toml"), policy).expect("policy");
    gateway.run();
    (gateway, bad("mixed"))
}

#[test]
fn mixed_recipients_one_delivered_one_held() {
    let sink = Sink::start();
    let (gateway, mail) = mixed(&sink);
    let mut talk = Talk::from_outside(gateway.mx);
    assert_eq!(talk.send("a@x.example", &["b@ours.example", "s@strict.example"], &mail), "250 2.0.0 Ok: sunk\r\n");
    assert_eq!(sink.wait(1)[0].rcpts, ["RCPT TO:<b@ours.example>"]);
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["delivered"], &ledger["accounts"]["held"]), (&1.into(), &1.into()));
}

#[test]
fn a_mixed_transaction_that_the_hop_defers_stays_tentative_and_its_retry_is_the_same_unit() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let sink = Sink::answering(move |_| {
        if first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            Answer::Say("451 4.3.0 later")
        } else {
            Answer::Say("250 ok")
        }
    });
    let (gateway, mail) = mixed(&sink);
    let mut talk = Talk::from_outside(gateway.mx);
    let to = ["b@ours.example", "s@strict.example"];
    assert_eq!(talk.send("a@x.example", &to, &mail), "451 4.3.0 later\r\n");
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["tentative"], &ledger["accounts"]["refused"]), (&1.into(), &1.into()));
    assert_eq!(ledger["accepted"], 0);
    assert_eq!(talk.send("a@x.example", &to, &mail), "250 ok\r\n");
    let ledger = gateway.ledger();
    assert_eq!(
        (&ledger["accounts"]["tentative"], &ledger["accounts"]["held"], &ledger["accounts"]["delivered"]),
        (&0.into(), &1.into(), &1.into())
    );
}

#[test]
fn a_mixed_transaction_that_the_hop_refuses_closes_its_held_part() {
    let sink = Sink::answering(|_| Answer::Say("554 5.7.1 never"));
    let (gateway, mail) = mixed(&sink);
    let mut talk = Talk::from_outside(gateway.mx);
    assert_eq!(talk.send("a@x.example", &["b@ours.example", "s@strict.example"], &mail), "554 5.7.1 never\r\n");
    assert_eq!(gateway.account("refused"), 2);
    let trace = gateway.json(&["message", "trace", "--recipient", "s@strict.example"]);
    let id = trace[0]["mail_id"].as_str().expect("id");
    let released = gateway.json(&["quarantine", "release", id, "--rcpt", "s@strict.example", "--reason", "r"]);
    assert_eq!(released["units"][0]["state"], "refused", "the sender was told that it failed: {released}");
    let forced = gateway.json(&[
        "quarantine",
        "release",
        id,
        "--rcpt",
        "s@strict.example",
        "--reason",
        "r",
        "--confirm-refused",
    ]);
    assert_eq!(forced["units"][0]["state"], "releasing", "{forced}");
}

#[test]
fn a_retry_that_is_refused_for_good_closes_the_unit_of_its_first_try() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let sink = Sink::answering(move |_| {
        if first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            Answer::Say("451 4.3.0 later")
        } else {
            Answer::Say("554 5.7.1 never")
        }
    });
    let (gateway, mail) = mixed(&sink);
    let mut talk = Talk::from_outside(gateway.mx);
    let to = ["b@ours.example", "s@strict.example"];
    assert_eq!(talk.send("a@x.example", &to, &mail), "451 4.3.0 later\r\n");
    assert_eq!(talk.send("a@x.example", &to, &mail), "554 5.7.1 never\r\n");
    let began = Instant::now();
    while gateway.account("tentative") > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", gateway.ledger());
    }
    assert_eq!(gateway.account("refused"), 3);
}

#[test]
fn a_tentative_unit_that_is_sent_again_alone_comes_into_custody() {
    let sink = Sink::answering(|_| Answer::Say("451 4.3.0 later"));
    let (gateway, mail) = mixed(&sink);
    let mut talk = Talk::from_outside(gateway.mx);
    assert_eq!(talk.send("a@x.example", &["b@ours.example", "s@strict.example"], &mail), "451 4.3.0 later\r\n");
    assert_eq!(gateway.account("tentative"), 1);
    assert!(talk.send("a@x.example", &["s@strict.example"], &mail).contains("taken as"));
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["tentative"], &ledger["accounts"]["held"]), (&0.into(), &1.into()));
}

/// Runs a statement in the gateway's database.
fn run(gateway: &Gateway, sql: &str) {
    let url = store::database::sqlite_url(&gateway.path("data/reprieve.db"));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut database = store::database::connect(&url).await.unwrap();
        store::database::query(sql.to_owned(), Vec::new()).execute(&mut database).await.unwrap();
    });
}

/// The hop has its part, and custody of the other cannot be recorded: the client is not told that all of it is taken.
#[test]
fn a_held_part_that_cannot_be_confirmed_stays_with_its_client() {
    let sink = Sink::start();
    let (gateway, mail) = mixed(&sink);
    let fails = "before update on unit when new.account = 'held' begin select raise(abort, 'it fails'); end";
    run(&gateway, &format!("create trigger fails {fails}"));
    let mut talk = Talk::from_outside(gateway.mx);
    let to = ["b@ours.example", "s@strict.example"];
    assert!(talk.send("a@x.example", &to, &mail).starts_with("451 4.3.0"));
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["tentative"], &ledger["accounts"]["held"]), (&1.into(), &0.into()));
    run(&gateway, "drop trigger fails");
    assert_eq!(talk.send("a@x.example", &to, &mail), "250 2.0.0 Ok: sunk\r\n");
    let ledger = gateway.ledger();
    assert_eq!((&ledger["accounts"]["tentative"], &ledger["accounts"]["held"]), (&0.into(), &1.into()));
}

#[test]
fn two_mails_with_one_body_and_no_message_id_are_two_mails() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    for subject in ["first", "second", "second"] {
        let mail = String::from_utf8(bad(subject)).expect("text").replace("Message-ID", "X-Other");
        assert!(talk.send("a@x.example", &["b@ours.example"], mail.as_bytes()).contains("taken as"));
    }
    assert_eq!(gateway.account("held"), 2, "the third is a retry of the second");
}

#[test]
fn a_retry_of_held_mail_adds_nothing() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let first = talk.send("a@x.example", &["b@ours.example"], &bad("1"));
    assert_eq!(talk.send("a@x.example", &["b@ours.example"], &bad("1")), first);
    assert!(talk.send("a@x.example", &["c@ours.example"], &bad("1")).starts_with("250"));
    assert_eq!(gateway.account("held"), 2);
}

#[test]
fn a_next_hop_that_is_down_leaves_the_mail_with_its_sender() {
    let gateway = Gateway::start(&config("127.0.0.1:9".parse().expect("address")));
    let mut talk = Talk::from_outside(gateway.mx);
    talk.say("MAIL FROM:<a@x.example>");
    assert!(talk.say("RCPT TO:<b@ours.example>").starts_with("451 4.4.1"));
    assert_eq!(gateway.ledger()["accepted"], 0);
}

#[test]
fn an_answer_that_is_lost_is_in_doubt_and_never_a_success() {
    let sink = Sink::answering(|_| Answer::Vanish);
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("1")).starts_with("451 4.4.2"));
    assert_eq!(gateway.account("in_doubt_live"), 1);
}

#[test]
fn a_slow_hop_ends_at_the_reply_deadline() {
    let sink = Sink::answering(|_| Answer::After(Duration::from_secs(20), "250 ok"));
    let gateway = Gateway::start(&format!("{}[limits]\nreply_deadline_s = 2\n", config(sink.address)));
    let mut talk = Talk::from_outside(gateway.mx);
    let began = Instant::now();
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("1")).starts_with("451 4.4."));
    assert!(began.elapsed() < Duration::from_secs(6));
    assert_eq!(gateway.account("in_doubt_live"), 1);
}

#[test]
fn releases_wait_for_a_hop_and_fail_only_when_it_says_so() {
    let sink = Sink::answering(|mail| {
        let text = String::from_utf8_lossy(&mail.bytes).to_string();
        if text.contains("Subject: never") {
            Answer::Say("550 5.7.1 not here")
        } else if text.contains("Subject: later") {
            Answer::Say("450 later")
        } else {
            Answer::Vanish
        }
    });
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    for subject in ["never", "later", "lost"] {
        assert!(talk.send("a@x.example", &["b@ours.example"], &bad(subject)).starts_with("250"));
    }
    for held in gateway.held() {
        let released =
            gateway.json(&["quarantine", "release", held["id"].as_str().expect("id"), "--wait", "--reason", "r"]);
        let expected = match held["subject"].as_str() {
            Some("never") => "failed",
            Some("later") => "releasing",
            _ => "in_doubt",
        };
        assert_eq!(released["units"][0]["state"], expected, "{released}");
    }
    let ledger = gateway.ledger();
    assert_eq!(ledger["accounts"]["in_doubt"], 1);
}

#[test]
fn the_panic_switch_lets_mail_through_without_a_store() {
    let sink = Sink::start();
    let mut gateway = Gateway::start(&config(sink.address));
    let switch = gateway.path("data/panic");
    let set = |text: &str| {
        std::fs::write(&switch, text).expect("switch");
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&switch, std::fs::Permissions::from_mode(0o600)).expect("mode");
        // Looked at four times a second; written down once a second.
        std::thread::sleep(Duration::from_millis(1500));
    };
    let mut talk = Talk::from_outside(gateway.mx);
    set("bypass the filter is wrong");
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("1")).contains("sunk"));
    assert_eq!(sink.wait(1)[0].header("X-Reprieve-Verdict").as_deref(), Some("Bypassed"));
    set("tempfail-all");
    assert!(talk.say("MAIL FROM:<a@x.example>").starts_with("451 4.7.1"));
    std::fs::remove_file(&switch).expect("removes");
    std::thread::sleep(Duration::from_millis(600));
    assert!(talk.send("a@x.example", &["b@ours.example"], &bad("2")).contains("taken as"));
    // It goes past every other rule, so it is written down, and people are called.
    let began = std::time::Instant::now();
    let moves = loop {
        let acts = gateway.json(&["audit", "list"]);
        let acts: Vec<String> =
            acts.as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect();
        let moves: Vec<String> = acts.into_iter().filter(|action| action.starts_with("panic.")).collect();
        if moves.iter().any(|action| action == "panic.end") {
            break moves;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{moves:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(moves.len() >= 2, "{moves:?}");
    let alerts = gateway.json(&["alert", "list"]);
    assert!(alerts.as_array().unwrap().iter().all(|one| one["kind"] == "panic") && alerts[0].is_object(), "{alerts}");
    // The store is gone for good; with the switch the gateway starts and delivers all the same.
    gateway.kill();
    for wal in ["data/reprieve.db-wal", "data/reprieve.db-shm"] {
        std::fs::remove_file(gateway.path(wal)).expect("removes");
    }
    std::fs::write(gateway.path("data/reprieve.db"), b"this is no database, and never will be one again")
        .expect("damage");
    assert!(!gateway.try_run(), "without the switch it refuses to start");
    set("bypass");
    gateway.run();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("3")).contains("sunk"));
    // The list is written four times a second, and at a stop: nothing of it is lost.
    for n in 4..8 {
        assert!(talk.send("a@x.example", &["b@ours.example"], &clean(&n.to_string())).contains("sunk"));
    }
    drop(talk);
    gateway.stop();
    let listed = std::fs::read_to_string(gateway.path("data/bypassed.jsonl")).expect("a list");
    assert_eq!(listed.lines().count(), 6, "{listed}");
}

#[test]
fn forged_fields_of_ours_are_removed_and_loops_end() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let forged =
        b"X-Reprieve-Verdict: Clean\r\nAuthentication-Results: gw.example; dkim=pass\r\nSubject: x\r\n\r\nbody\r\n";
    assert!(talk.send("a@x.example", &["b@ours.example"], forged).starts_with("250"));
    assert_eq!(sink.wait(1)[0].without_ours(), b"Subject: x\r\n\r\nbody\r\n");
    let passes = "Received: from a by gw.example (Reprieve) with ESMTP; x\r\n".repeat(3);
    let looping = format!("{passes}Subject: x\r\n\r\nbody\r\n");
    assert!(talk.send("a@x.example", &["b@ours.example"], looping.as_bytes()).starts_with("554 5.4.6"));
    let long = format!("{}Subject: x\r\n\r\nbody\r\n", "Received: from a by b; x\r\n".repeat(101));
    assert!(talk.send("a@x.example", &["b@ours.example"], long.as_bytes()).starts_with("554 5.4.6"));
}

#[test]
fn a_drain_finishes_what_has_begun() {
    let sink = Sink::answering(|_| Answer::After(Duration::from_millis(700), "250 ok"));
    let mut gateway = Gateway::start(&config(sink.address));
    let mx = gateway.mx;
    let sending =
        std::thread::spawn(move || Talk::from_outside(mx).send("a@x.example", &["b@ours.example"], &clean("1")));
    std::thread::sleep(Duration::from_millis(300));
    let mut idle = Talk::to(mx);
    let stopping = std::thread::spawn(move || (gateway.stop(), gateway));
    assert!(idle.reply().expect("a last word").starts_with("421"));
    assert_eq!(sending.join().expect("sends"), "250 ok\r\n");
    let (code, mut gateway) = stopping.join().expect("stops");
    assert_eq!(code, Some(0));
    gateway.run();
    assert_eq!(gateway.account("delivered"), 1, "the outcome was written before the end");
}

#[test]
fn many_recipients_in_one_transaction() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    let recipients: Vec<String> = (0..1000).map(|n| format!("u{n}@ours.example")).collect();
    let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
    assert!(talk.send("a@x.example", &recipients, &clean("many")).starts_with("250"));
    assert_eq!(sink.wait(1)[0].rcpts.len(), 1000);
    assert_eq!(gateway.account("delivered"), 1000);
    talk.say("MAIL FROM:<a@x.example>");
    for n in 0..1000 {
        talk.say(&format!("RCPT TO:<v{n}@ours.example>"));
    }
    assert!(talk.say("RCPT TO:<v1000@ours.example>").starts_with("452 4.5.3"));
}

#[test]
fn used_up_connections_to_the_hop_are_waited_for_and_then_a_temporary_answer() {
    let sink = Sink::planned(SinkPlan {
        on_dot: Arc::new(|_| Answer::After(Duration::from_secs(4), "250 ok")),
        ..SinkPlan::default()
    });
    let gateway = Gateway::start(&format!("{}[limits]\nhop_connections = 1\nhop_wait_s = 2\n", config(sink.address)));
    let mx = gateway.mx;
    let first =
        std::thread::spawn(move || Talk::from_outside(mx).send("a@x.example", &["b@ours.example"], &clean("1")));
    sink.wait(1);
    let mut second = Talk::from_outside(mx);
    second.say("MAIL FROM:<a@x.example>");
    let began = Instant::now();
    assert!(second.say("RCPT TO:<b@ours.example>").starts_with("451 4.3.2"), "the hop is at work on the first");
    assert!(began.elapsed() >= Duration::from_secs(2));
    assert!(second.say("RCPT TO:<b@ours.example>").starts_with("250"), "now it has done");
    assert!(first.join().expect("no panic").starts_with("250"));
}

#[test]
fn proxy_header_is_required_where_it_is_expected() {
    let sink = Sink::start();
    let gateway =
        Gateway::start(&config(sink.address).replacen("xclient_from", "proxy_from = [\"127.0.0.1\"]\nxclient_from", 1));
    let socket = std::net::TcpStream::connect(gateway.mx).expect("connects");
    use std::io::{Read, Write};
    let mut socket = socket;
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    let mut buffer = [0; 512];
    let mut read_until = |socket: &mut std::net::TcpStream, end: &str| {
        let mut seen = String::new();
        while !seen.contains(end) {
            let count = socket.read(&mut buffer).expect("reads");
            assert!(count > 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        seen
    };
    socket.write_all(b"PROXY TCP4 192.0.2.9 198.51.100.1 5000 25\r\n").expect("writes");
    read_until(&mut socket, "220 ");
    socket.write_all(b"EHLO x\r\n").expect("writes");
    read_until(&mut socket, "250 ");
    // Who talks before the greeting is no mail server.
    let mut early = std::net::TcpStream::connect(gateway.mx).expect("connects");
    early.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    early.write_all(b"PROXY TCP4 192.0.2.9 198.51.100.1 5000 25\r\nEHLO x\r\nMAIL FROM:<>\r\n").expect("writes");
    let told = read_until(&mut early, "\r\n");
    assert!(told.starts_with("554 5.5.0 "), "{told}");
    assert_eq!(early.read(&mut [0; 512]).unwrap_or(0), 0, "and closed");
    let mut bare = std::net::TcpStream::connect(gateway.mx).expect("connects");
    bare.set_read_timeout(Some(Duration::from_secs(10))).expect("timeout");
    bare.write_all(b"EHLO without\r\n").expect("writes");
    assert_eq!(bare.read(&mut buffer).unwrap_or(0), 0, "closed without a word");
}

/// A rule is changed and hits what it did not hit before: the record says so, which is what a replay will rest on.
#[test]
fn the_earlier_form_of_a_changed_rule_is_recorded() {
    let sink = Sink::start();
    let text = config(sink.address).replacen("data_dir", "ruleset = \"rules\"\ndata_dir", 1);
    let mut gateway = Gateway::prepare(&text);
    std::fs::create_dir(gateway.path("rules")).expect("folder");
    let rule = |word: &str| format!("rule Greeting {{ strings: $a = \"{word}\" condition: $a }}\n");
    std::fs::write(gateway.path("rules/a.yar"), rule("Hello nobody")).expect("writes");
    gateway.run();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("before")).contains("sunk"));
    gateway.stop();
    std::fs::write(gateway.path("rules/a.yar"), rule("Hello")).expect("writes");
    gateway.run();
    let mut talk = Talk::from_outside(gateway.mx);
    assert!(talk.send("a@x.example", &["b@ours.example"], &clean("after")).contains("taken as"));
    let id = gateway.held()[0]["id"].as_str().expect("id").to_owned();
    let finding = gateway.json(&["quarantine", "show", &id])["findings"][0].clone();
    assert_eq!((finding["detection"].as_str(), finding["previous"]["hit"].as_bool()), (Some("Greeting"), Some(false)));
    assert_ne!(finding["previous"]["detection_version"], finding["detection_version"]);
}

/// A stop does not wait for a long queue of releases, and the next start goes on with it: none is lost, none is sent
/// twice.
#[test]
fn a_stop_leaves_a_queue_of_releases_for_the_next_start() {
    let sink = Sink::answering(|_| {
        std::thread::sleep(Duration::from_millis(100));
        support::Answer::Say("250 2.0.0 Ok: sunk")
    });
    let mut gateway = Gateway::start(&format!("{}[release]\nconnections = 2\n", config(sink.address)));
    let mut talk = Talk::from_outside(gateway.mx);
    for number in 0..60 {
        assert!(talk.send("a@x.example", &["b@ours.example"], &bad(&format!("queue {number}"))).contains("taken as"));
    }
    let ids: Vec<String> = gateway.held().iter().map(|held| held["id"].as_str().expect("id").to_owned()).collect();
    let words: Vec<&str> =
        ["quarantine", "release", "--reason", "r"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    assert!(gateway.cli(&[&words[..], &["--config", "reprieve.toml"]].concat()).status.success());
    sink.wait(5);
    let began = Instant::now();
    gateway.stop();
    assert!(began.elapsed() < Duration::from_secs(2), "the stop waited for the queue: {:?}", began.elapsed());
    assert!(sink.got().len() < 30, "{} of 60 were sent before the stop", sink.got().len());
    gateway.run();
    sink.wait(60);
    while gateway.account("released") < 60 {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((sink.got().len(), gateway.account("in_doubt")), (60, 0), "each once");
    gateway.ledger();
}

/// A hop that has just come back is not sent a flood: twenty mails a second at first, and more only as it takes them
/// well.
#[test]
fn releases_begin_slowly() {
    let sink = Sink::start();
    let gateway = Gateway::start(&config(sink.address));
    let mut talk = Talk::from_outside(gateway.mx);
    for number in 0..100 {
        assert!(talk.send("a@x.example", &["b@ours.example"], &bad(&format!("slow {number}"))).contains("taken as"));
    }
    let ids: Vec<String> = gateway.held().iter().map(|held| held["id"].as_str().expect("id").to_owned()).collect();
    let words: Vec<&str> =
        ["quarantine", "release", "--reason", "r"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    let began = Instant::now();
    assert!(gateway.cli(&[&words[..], &["--config", "reprieve.toml"]].concat()).status.success());
    sink.wait(100);
    // Twenty at once, twenty in the first second, forty in the next.
    assert!(began.elapsed() > Duration::from_millis(1900), "{:?}", began.elapsed());
}
