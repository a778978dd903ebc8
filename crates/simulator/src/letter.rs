//! What clients hand in: mail of several kinds, each under a sender of its own, by which everybody finds it again.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use domain::Address;
use domain::envelope::{Client, MailParams, RcptParams};
use domain::share::{Source, Standing};
use gateway::transaction::Transaction;
use gateway::{Gateway, intake};
use wire::smtp::session::RcptRequest;

use crate::detections::{HARMLESS_TEXT, MALWARE_TEXT};
use crate::dice::Dice;

/// A client outside.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
/// A client of ours, in a trusted network.
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
/// Recipients of one letter at most.
const RECIPIENTS_MAX: usize = 3;

/// What is in a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing that any detection hits.
    Clean,
    /// What the wrong detection hits.
    Harmless,
    /// Malware.
    Malware,
    /// Malware that the wrong detection hits as well.
    MalwareAndHarmless,
    /// What the wrong detection hits, from one of us to us and to somebody outside: one is held, the other passes.
    Mixed,
}

impl Kind {
    /// Whether it stays held whatever becomes of the wrong detection.
    pub(crate) fn is_malware(self) -> bool {
        matches!(self, Self::Malware | Self::MalwareAndHarmless)
    }
}

/// How it stands between client and gateway for one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standpoint {
    /// The client has it, and will try again.
    Waiting,
    /// The client was told that it is taken.
    Acknowledged,
    /// The client was told that it never will be.
    Refused,
}

/// One letter.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// The local part of its sender: no other letter has it.
    pub(crate) name: String,
    pub(crate) sender: String,
    pub(crate) kind: Kind,
    pub(crate) recipients: Vec<(String, Standpoint)>,
    pub(crate) bytes: Arc<Vec<u8>>,
}

/// What a client was answered: a code for each recipient, and one for the message if it came to that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) recipients: Vec<(String, u16)>,
    pub(crate) message: Option<u16>,
}

impl Letter {
    /// A letter as the dice fall.
    pub(crate) fn new(number: usize, dice: &mut Dice) -> Self {
        let kinds = [
            (25, Kind::Clean),
            (40, Kind::Harmless),
            (12, Kind::Malware),
            (8, Kind::MalwareAndHarmless),
            (15, Kind::Mixed),
        ];
        let kind = dice.weighed(&kinds).unwrap_or(Kind::Clean);
        let name = format!("m{number}");
        let sender = format!("{name}@{}", if kind == Kind::Mixed { "ours.example" } else { "outside.example" });
        let mut recipients: Vec<String> =
            (0..=dice.below(RECIPIENTS_MAX)).map(|one| format!("r{one}@ours.example")).collect();
        if kind == Kind::Mixed {
            recipients.push("friend@outside.example".to_owned());
        }
        let bytes = Arc::new(text(&name, &sender, kind).into_bytes());
        let recipients = recipients.into_iter().map(|one| (one, Standpoint::Waiting)).collect();
        Self { name, sender, kind, recipients, bytes }
    }

    /// Recipients for whom the client still has it.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let waits = |(one, stands): &(String, Standpoint)| (*stands == Standpoint::Waiting).then(|| one.clone());
        self.recipients.iter().filter_map(waits).collect()
    }

    /// Hears what the client was answered.
    pub(crate) fn hear(&mut self, answers: &Answers) {
        for (recipient, code) in &answers.recipients {
            let of_all = if code / 100 == 2 { answers.message.unwrap_or(451) } else { *code };
            let stands = match of_all / 100 {
                2 => Standpoint::Acknowledged,
                5 => Standpoint::Refused,
                _ => Standpoint::Waiting,
            };
            for one in self.recipients.iter_mut().filter(|(one, _)| one == recipient) {
                one.1 = stands;
            }
        }
    }

    fn source(&self) -> Source {
        match self.kind {
            Kind::Mixed => Source { client: OURS, standing: Standing::Ours, is_relay: false },
            _ => Source { client: STRANGER, standing: Standing::Stranger, is_relay: false },
        }
    }

    /// Hands it in for these recipients: a transaction from its first command to the answer to its final dot.
    pub(crate) async fn hand_in(self, gateway: Arc<Gateway>, recipients: Vec<String>) -> Answers {
        let source = self.source();
        let (helo, protocol) = ("client.example".to_owned(), "ESMTP".to_owned());
        let client = Client { ip: source.client, peer: source.client, helo, protocol, login: None };
        let is_trusted = self.kind == Kind::Mixed;
        let sender = Address::parse(&self.sender).ok();
        let mut transaction = Transaction::new(gateway, client, source, is_trusted, sender, MailParams::default());
        let asked = recipients.iter().filter_map(|one| Address::parse(one).ok());
        let asked = asked.map(|recipient| RcptRequest { recipient, params: RcptParams::default() }).collect();
        let codes: Vec<u16> = transaction.recipients(asked).await.iter().map(|reply| reply.code).collect();
        let is_any = codes.iter().any(|code| code / 100 == 2);
        let mut answers = Answers { recipients: recipients.into_iter().zip(codes).collect(), message: None };
        if !is_any {
            transaction.abandon().await;
            return answers;
        }
        let ready = transaction.ready_for_data().await;
        if ready.code != 354 {
            transaction.abandon().await;
            answers.message = Some(ready.code);
            return answers;
        }
        answers.message = Some(intake::receive(transaction, self.bytes.to_vec(), false).await.code);
        answers
    }
}

fn text(name: &str, sender: &str, kind: Kind) -> String {
    let content = match kind {
        Kind::Clean => "nothing to see here".to_owned(),
        Kind::Harmless | Kind::Mixed => HARMLESS_TEXT.to_owned(),
        Kind::Malware => MALWARE_TEXT.to_owned(),
        Kind::MalwareAndHarmless => format!("{HARMLESS_TEXT}: {MALWARE_TEXT}"),
    };
    format!(
        "From: {sender}\r\nTo: r0@ours.example\r\nSubject: letter {name}\r\nMessage-ID: <{name}@simulator.example>\r\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\r\n\r\nThis is letter {name}.\r\n{content}\r\n"
    )
}
