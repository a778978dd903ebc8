//! A whole SMTP session: what it replies and what it takes do not depend on how its lines were cut.

use wire::smtp::capabilities::Capabilities;
use wire::smtp::data::BareNewline;
use wire::smtp::reply::Reply;
use wire::smtp::session::{Event, Limits, Session, Settings};

/// What a session did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    output: Vec<u8>,
    messages: Vec<Vec<u8>>,
    resets: usize,
}

/// The first byte says how the listener is set up and how long the pieces are; the rest is the client.
pub fn session(bytes: &[u8]) {
    let Some((setup, client)) = bytes.split_first() else { return };
    let settings = |starttls| Settings {
        hostname: "mx.example".into(),
        limits: Limits { message_bytes_max: 4096, recipients_max: 5, ..Limits::default() },
        bare_newline: if setup & 1 == 0 { BareNewline::Reject } else { BareNewline::Normalise },
        xclient: setup & 2 != 0,
        xforward: setup & 4 != 0,
        starttls,
        postmaster: domain::Address::parse("postmaster@ours.example").ok(),
    };
    // In one piece: what a client may not send before a reply is refused, and nothing panics.
    run(settings(true), std::iter::once(client));
    // Line by line, as one that waits does; and in pieces of lines.
    let lines = || client.split_inclusive(|byte| *byte == b'\n');
    run(settings(true), lines());
    let whole = run(settings(false), lines());
    let pieces = run(settings(false), lines().flat_map(|line| line.chunks(usize::from(setup >> 3) + 1)));
    assert_eq!(whole, pieces, "the cut of the bytes must not matter");
    for message in &whole.messages {
        assert!(is_clean(message), "a message with a stray CR, LF or NUL was taken");
        assert!(message.len() <= 4096);
    }
}

fn run<'c>(settings: Settings, pieces: impl Iterator<Item = &'c [u8]>) -> Transcript {
    let mut session = Session::new(settings);
    let mut transcript = Transcript::default();
    for piece in pieces {
        session.receive(piece);
        while let Some(event) = session.next() {
            match event {
                Event::Hello => session.hello(&Capabilities::default()),
                Event::Mail { .. } => session.answer(&Reply::new(250, "2.1.0 Ok")),
                Event::Recipients(asked) => {
                    let reply =
                        |n: usize| if n % 3 == 2 { Reply::new(550, "5.1.1 No") } else { Reply::new(250, "2.1.5 Ok") };
                    session.answer_recipients(asked.iter().map(|one| reply(one.recipient.as_str().len())).collect());
                }
                Event::Data => session.answer(&Reply::new(354, "Go on")),
                Event::Message { bytes, .. } => {
                    transcript.messages.push(bytes);
                    session.answer(&Reply::new(250, "2.0.0 Ok"));
                }
                Event::Reset => transcript.resets += 1,
                Event::StartTls => session.tls_started(),
                Event::XClient(_) | Event::XForward(_) => {}
                Event::Close => break,
            }
        }
    }
    transcript.output = session.take_output();
    assert!(transcript.output.ends_with(b"\r\n"), "replies end with a line end");
    transcript
}

fn is_clean(message: &[u8]) -> bool {
    let stray = |at: usize| match message[at] {
        0 => true,
        b'\r' => message.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || message[at - 1] != b'\r',
        _ => false,
    };
    !(0..message.len()).any(stray)
}
