//! Dialogues, in every segmentation.

use super::*;
use proptest::prelude::*;

/// Drives a session with `input` cut into chunks; a shell that says yes to everything. Returns what the
/// client saw and the messages that were accepted.
fn drive(settings: Settings, input: &[u8], chunk: usize) -> (String, Vec<Vec<u8>>) {
    let mut session = Session::new(settings);
    let mut seen = Vec::new();
    let mut messages = Vec::new();
    for piece in input.chunks(chunk) {
        session.receive(piece);
        while let Some(event) = session.next() {
            match event {
                Event::Hello => session.hello(&everything()),
                Event::Mail { .. } => session.answer(&Reply::new(250, "2.1.0 Ok")),
                Event::Recipients(asked) => {
                    let replies = asked.iter().map(|rcpt| match rcpt.recipient.local_part() {
                        "unknown" => Reply::new(550, "5.1.1 Unknown"),
                        _ => Reply::new(250, "2.1.5 Ok"),
                    });
                    session.answer_recipients(replies.collect());
                }
                Event::Data => session.answer(&Reply::new(354, "Go")),
                Event::Message { bytes, .. } => {
                    messages.push(bytes);
                    session.answer(&Reply::new(250, "2.0.0 Taken"));
                }
                Event::StartTls => session.tls_started(),
                Event::Reset | Event::XClient(_) | Event::XForward(_) | Event::Close => {}
            }
        }
        seen.extend(session.take_output());
    }
    (String::from_utf8(seen).expect("replies are text"), messages)
}

fn everything() -> Capabilities {
    Capabilities { size: Some(0), eight_bit: true, smtputf8: true, dsn: true, ..Capabilities::default() }
}

fn settings() -> Settings {
    Settings { hostname: "gw.example".into(), ..Settings::default() }
}

fn codes(replies: &str) -> Vec<u16> {
    let ends = replies.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
    ends.map(|line| line[..3].parse().expect("code")).collect()
}

/// The reply codes of a dialogue sent byte by byte, so that nothing is pipelined; the greeting left out.
fn check(dialogue: &str, expected: &[u16]) {
    let (seen, _) = drive(settings(), dialogue.replace('\n', "\r\n").as_bytes(), 1);
    assert_eq!(&codes(&seen)[1..], expected, "{dialogue}\n{seen}");
}

#[test]
fn order_of_commands() {
    check("MAIL FROM:<a@b.example>\n", &[503]);
    check("EHLO x\nRCPT TO:<a@b.example>\n", &[250, 503]);
    check("EHLO x\nDATA\n", &[250, 503]);
    check("EHLO x\nMAIL FROM:<>\nDATA\n", &[250, 250, 554]);
    check("EHLO x\nMAIL FROM:<>\nMAIL FROM:<>\n", &[250, 250, 503]);
    check("EHLO x\nMAIL FROM:<>\nRCPT TO:<unknown@b.example>\nDATA\n", &[250, 250, 550, 554]);
    check("EHLO x\nMAIL FROM:<>\nRCPT TO:<a@b.example>\nRSET\nDATA\n", &[250, 250, 250, 250, 503]);
    check("EHLO x\nMAIL FROM:<>\nEHLO x\nMAIL FROM:<>\n", &[250, 250, 250, 250]);
    check("HELO x\nMAIL FROM:<> SIZE=1\nMAIL FROM:<>\n", &[250, 555, 250]);
    check("NOOP\nVRFY a\nHELP\nQUIT\nNOOP\n", &[250, 252, 214, 221]);
    check("STARTTLS\nFOO\n", &[502, 500]);
    check("XCLIENT ADDR=1.2.3.4\nXFORWARD ADDR=1.2.3.4\n", &[550, 550]);
    check("EHLO x\nMAIL FROM:<a@b.example> SIZE=999999999999\n", &[250, 552]);
    check("EHLO x\nMAIL FROM:<gr\u{fc}n@b.example>\nMAIL FROM:<gr\u{fc}n@b.example> SMTPUTF8\n", &[250, 553, 250]);
    check("EHLO x\nMAIL FROM:<> FOO=1\nMAIL FROM:<> BODY=BINARYMIME\n", &[250, 555, 501]);
}

#[test]
fn a_whole_mail_and_a_second_one() {
    let dialogue =
        "EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nDATA\nSubject: x\n\n..dot\n.\nMAIL FROM:<>\n";
    let (seen, messages) = drive(settings(), dialogue.replace('\n', "\r\n").as_bytes(), 1);
    assert_eq!(codes(&seen), [220, 250, 250, 250, 354, 250, 250]);
    assert_eq!(messages, [b"Subject: x\r\n\r\n.dot\r\n".to_vec()]);
}

#[test]
fn pipelining_gives_one_reply_per_command_in_order() {
    let mut session = Session::new(settings());
    session.receive(b"EHLO x\r\n");
    assert_eq!(session.next(), Some(Event::Hello));
    session.hello(&everything());
    session.take_output();
    session.receive(
        b"MAIL FROM:<a@b.example>\r\nRCPT TO:<one@b.example>\r\nRCPT TO:<bad\r\nRCPT TO:<two@b.example>\r\nDATA\r\n",
    );
    assert!(matches!(session.next(), Some(Event::Mail { .. })));
    assert_eq!(session.next(), None, "nothing before the answer");
    session.answer(&Reply::new(250, "2.1.0 Ok"));
    let Some(Event::Recipients(asked)) = session.next() else { panic!("recipients") };
    assert_eq!(asked.len(), 1, "a bad line ends the batch");
    session.answer_recipients(vec![Reply::new(250, "2.1.5 one")]);
    let Some(Event::Recipients(asked)) = session.next() else { panic!("recipients") };
    assert_eq!(asked[0].recipient.as_str(), "two@b.example");
    session.answer_recipients(vec![Reply::new(450, "4.2.0 two")]);
    assert_eq!(session.next(), Some(Event::Data));
    session.answer(&Reply::new(354, "Go"));
    assert_eq!(codes(&String::from_utf8(session.take_output()).expect("text")), [250, 250, 501, 450, 354]);
}

#[test]
fn many_pipelined_recipients_come_in_one_event() {
    let mut session = Session::new(settings());
    session.receive(b"EHLO x\r\n");
    session.next();
    session.hello(&everything());
    let mut input = b"MAIL FROM:<>\r\n".to_vec();
    for n in 0..250 {
        input.extend_from_slice(format!("RCPT TO:<u{n}@b.example>\r\n").as_bytes());
    }
    session.receive(&input);
    session.next();
    session.answer(&Reply::new(250, "2.1.0 Ok"));
    let mut sizes = Vec::new();
    while let Some(Event::Recipients(asked)) = session.next() {
        sizes.push(asked.len());
        session.answer_recipients(vec![Reply::new(250, "2.1.5 Ok"); asked.len()]);
    }
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn what_may_not_be_pipelined_closes_the_connection() {
    for early in ["EHLO x\r\nMAIL FROM:<>\r\n", "STARTTLS\r\nEHLO evil\r\n", "EHLO x\r\n\r\n"] {
        let (seen, messages) = drive(Settings { starttls: true, ..settings() }, early.as_bytes(), early.len());
        assert_eq!(codes(&seen), [220, 554], "{early:?}");
        assert!(messages.is_empty());
    }
    let mut session = Session::new(settings());
    session.receive(b"EHLO x\r\n");
    session.next();
    session.hello(&everything());
    session.receive(b"MAIL FROM:<>\r\n");
    session.next();
    session.answer(&Reply::new(250, "ok"));
    session.receive(b"RCPT TO:<a@b.example>\r\nDATA\r\nSubject: early\r\n\r\n.\r\n");
    session.next();
    session.answer_recipients(vec![Reply::new(250, "ok")]);
    assert_eq!(session.next(), Some(Event::Close), "a body before 354");
}

#[test]
fn a_command_ends_with_crlf_only() {
    for line in ["EHLO x\n", "EHLO x\n\r\n", "\n"] {
        let (seen, _) = drive(settings(), line.as_bytes(), 64);
        assert_eq!(codes(&seen), [220, 500], "{line:?}");
    }
    let (seen, _) = drive(settings(), b"EHLO x\rNOOP\r\n", 64);
    assert_eq!(codes(&seen), [220, 500], "a bare CR is no line end");
    let (seen, _) = drive(settings(), &[b'A'; COMMAND_LINE_BYTES_MAX + 10], 100);
    assert_eq!(codes(&seen), [220, 500]);
}

#[test]
fn plaintext_behind_starttls_is_never_executed() {
    let mut session = Session::new(Settings { starttls: true, ..settings() });
    session.receive(b"EHLO x\r\n");
    session.next();
    session.hello(&everything());
    session.receive(b"STARTTLS\r\n");
    assert_eq!(session.next(), Some(Event::StartTls));
    session.receive(b"EHLO injected\r\nMAIL FROM:<evil@x.example>\r\n");
    assert_eq!(session.next(), None);
    session.tls_started();
    assert_eq!(session.next(), None, "what came before the handshake is gone");
    session.receive(b"MAIL FROM:<>\r\n");
    assert_eq!(session.next(), None, "EHLO must be said again");
    session.take_output();
    assert_eq!(session.protocol(), "ESMTPS");
}

#[test]
fn limits_answer_clearly() {
    let small = Settings {
        limits: Limits {
            message_bytes_max: 20,
            recipients_max: 2,
            tolerance: Tolerance { errors_max: 3, junk_max: 5, refused_recipients_max: 4 },
        },
        ..settings()
    };
    let mail =
        "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n";
    let (seen, messages) = drive(small.clone(), format!("{mail}{}\r\n.\r\nNOOP\r\n", "x".repeat(30)).as_bytes(), 1);
    assert_eq!(codes(&seen), [220, 250, 250, 250, 250, 452, 354, 552, 250]);
    assert!(messages.is_empty());
    let (seen, _) = drive(small.clone(), b"FOO\r\nFOO\r\nFOO\r\nFOO\r\nFOO\r\n", 5);
    assert_eq!(codes(&seen), [220, 500, 500, 500, 421]);
    let (seen, _) = drive(small, &b"NOOP\r\n".repeat(9), 6);
    assert_eq!(codes(&seen), [220, 250, 250, 250, 250, 250, 421]);
}

#[test]
fn recipients_over_the_limit_are_no_error_of_the_client() {
    let limits = Limits { recipients_max: 2, ..Limits::default() };
    let mut dialogue = "MAIL FROM:<>\r\n".to_owned();
    (0..200).for_each(|n| dialogue.push_str(&format!("RCPT TO:<u{n}@b.example>\r\n")));
    dialogue.push_str("DATA\r\nx\r\n.\r\n");
    for chunk in [1, 7000] {
        // DATA comes after the replies, as a client does that sends its recipients in groups.
        let (group, data) = dialogue.split_at(dialogue.find("DATA").expect("DATA"));
        let mut session = Session::new(Settings { limits: limits.clone(), ..settings() });
        let mut messages = 0;
        let mut seen = Vec::new();
        let pieces =
            [&b"EHLO x\r\n"[..]].into_iter().chain(group.as_bytes().chunks(chunk)).chain(data.as_bytes().chunks(6));
        for piece in pieces {
            session.receive(piece);
            while let Some(event) = session.next() {
                match event {
                    Event::Hello => session.hello(&everything()),
                    Event::Recipients(asked) => {
                        session.answer_recipients(vec![Reply::new(250, "2.1.5 Ok"); asked.len()]);
                    }
                    Event::Data => session.answer(&Reply::new(354, "Go")),
                    Event::Message { .. } => {
                        messages += 1;
                        session.answer(&Reply::new(250, "2.0.0 Taken"));
                    }
                    _ => session.answer(&Reply::new(250, "2.0.0 Ok")),
                }
            }
            seen.extend(session.take_output());
        }
        let seen = codes(&String::from_utf8(seen).expect("text"));
        assert_eq!((messages, seen.iter().filter(|code| **code == 452).count()), (1, 198), "in pieces of {chunk}");
    }
}

#[test]
fn who_tries_many_recipients_that_do_not_exist_is_sent_away() {
    let mut dialogue = "EHLO x\r\nMAIL FROM:<>\r\n".to_owned();
    (0..200).for_each(|_| dialogue.push_str("RCPT TO:<unknown@b.example>\r\n"));
    let (seen, _) = drive(settings(), dialogue.as_bytes(), 1);
    let codes = codes(&seen);
    assert_eq!(codes.iter().filter(|code| **code == 550).count(), 101);
    assert_eq!(codes.last(), Some(&421));
}

#[test]
fn a_list_with_some_recipients_that_do_not_exist_is_served() {
    let mut dialogue = "EHLO x\r\nMAIL FROM:<>\r\n".to_owned();
    (0..900).for_each(|n| {
        dialogue.push_str(&format!(
            "RCPT TO:<{}@b.example>\r\n",
            if n % 6 == 0 { "unknown".into() } else { format!("u{n}") }
        ));
    });
    let (seen, _) = drive(settings(), dialogue.as_bytes(), 64);
    assert!(!codes(&seen).contains(&421));
}

#[test]
fn hello_again_and_again_ends_the_session() {
    let (seen, _) = drive(settings(), "EHLO x\r\n".repeat(150).as_bytes(), 8);
    let codes = codes(&seen);
    assert_eq!((codes.len(), codes.last()), (103, Some(&421)), "the greeting, the first, a hundred more");
}

#[test]
fn patience_may_shrink_while_the_session_goes_on() {
    let mut session = Session::new(settings());
    session.tolerate(Tolerance { junk_max: 1, ..Tolerance::default() });
    session.receive(b"NOOP\r\n");
    assert_eq!(session.next(), None);
    session.receive(b"NOOP\r\n");
    assert_eq!(session.next(), Some(Event::Close));
    assert_eq!(session.next(), None, "told once");
}

#[test]
fn refused_data_is_read_to_its_end_and_never_as_commands() {
    for chunk in [1, 3, 500] {
        let mut session = Session::new(settings());
        let mut seen = Vec::new();
        let mut messages = 0;
        let head = b"EHLO x\r\n";
        let rest = b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n";
        let data = b"text\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<b@b.example>\r\nQUIT\r\n\n.\r\n.\n\r\n.\r\n";
        let pieces = [&head[..], &rest[..]].into_iter().chain(data.chunks(chunk)).chain([&b"NOOP\r\n"[..]]);
        for piece in pieces {
            session.receive(piece);
            while let Some(event) = session.next() {
                match event {
                    Event::Hello => session.hello(&everything()),
                    Event::Recipients(_) => session.answer_recipients(vec![Reply::new(250, "2.1.5 Ok")]),
                    Event::Data => session.answer(&Reply::new(354, "Go")),
                    Event::Message { .. } => messages += 1,
                    Event::Reset => {}
                    _ => session.answer(&Reply::new(250, "2.0.0 Ok")),
                }
            }
            session.refuse_data(Reply::new(452, "4.3.1 Too much mail in memory"));
            assert!(session.held_bytes() < 4096, "nothing is kept");
            seen.extend(session.take_output());
        }
        let seen = codes(&String::from_utf8(seen).expect("text"));
        assert_eq!((seen.as_slice(), messages), (&[220, 250, 250, 250, 354, 452, 250][..], 0), "in pieces of {chunk}");
    }
}

#[test]
fn who_is_refused_again_and_again_is_sent_away() {
    let mut session = Session::new(settings());
    session.receive(b"EHLO x\r\n");
    session.next();
    session.hello(&everything());
    session.receive(b"MAIL FROM:<>\r\n");
    session.next();
    session.answer(&Reply::new(250, "2.1.0 Ok"));
    session.receive(b"RCPT TO:<a@b.example>\r\n");
    session.next();
    session.answer_recipients(vec![Reply::new(250, "2.1.5 Ok")]);
    for _ in 0..20 {
        session.receive(b"DATA\r\n");
        assert_eq!(session.next(), Some(Event::Data));
        session.answer(&Reply::new(452, "4.3.1 Too much mail in memory"));
    }
    session.receive(b"DATA\r\n");
    assert_eq!(session.next(), Some(Event::Data));
    session.answer(&Reply::new(452, "4.3.1 Too much mail in memory"));
    assert_eq!(session.next(), Some(Event::Close));
}

#[test]
fn bare_newlines_are_refused_or_normalised() {
    let mail = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\na\nb\r\n.\r\n";
    let (seen, messages) = drive(settings(), mail, 1);
    assert_eq!((codes(&seen).last(), messages.len()), (Some(&550), 0));
    let (seen, messages) = drive(Settings { bare_newline: BareNewline::Normalise, ..settings() }, mail, 1);
    assert_eq!((codes(&seen).last(), messages), (Some(&250), vec![b"a\r\nb\r\n".to_vec()]));
}

#[test]
fn xclient_starts_the_session_again() {
    let mut session = Session::new(Settings { xclient: true, ..settings() });
    session.receive(b"EHLO x\r\n");
    session.next();
    session.hello(&everything());
    session.receive(b"XCLIENT ADDR=192.0.2.9 LOGIN=anna\r\n");
    let Some(Event::XClient(attributes)) = session.next() else { panic!("xclient") };
    assert_eq!((attributes.addr, attributes.login.as_deref()), ("192.0.2.9".parse().ok(), Some("anna")));
    session.receive(b"MAIL FROM:<>\r\n");
    session.next();
    let seen = String::from_utf8(session.take_output()).expect("text");
    assert!(seen.contains("XCLIENT NAME ADDR PROTO HELO LOGIN"));
    assert_eq!(codes(&seen), [220, 250, 220, 503]);
}

proptest! {
    /// However the bytes are cut, no more messages come out than ends of data went in, and nothing panics.
    #[test]
    fn no_more_messages_than_ends_of_data(
        words in prop::collection::vec(prop_oneof![
            Just("EHLO x\r\n"), Just("MAIL FROM:<a@b.example>\r\n"), Just("RCPT TO:<c@d.example>\r\n"),
                Just("DATA\r\n"),
            Just("\r\n.\r\n"), Just("\n.\n"), Just("\r.\r"), Just("\n.\r\n"), Just("text\r\n"), Just("RSET\r\n"),
                Just("."), Just("\r"), Just("\n"), Just("QUIT\r\n"),
        ], 0..40),
        chunk in 1_usize..60,
    ) {
        let input = words.concat();
        let (_, messages) = drive(settings(), input.as_bytes(), chunk);
        let ends = input.matches("\r\n.\r\n").count();
        prop_assert!(messages.len() <= ends);
    }
}
