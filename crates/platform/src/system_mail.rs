//! A mail of our own to one of ours: with the null sender, by the hop of internal mail.

use std::time::Duration;

use domain::envelope::{MailParams, RcptParams};
use domain::{Address, Direction, Timestamp};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use wire::smtp::client::{DotOutcome, Timeouts};
use wire::smtp::data;
use wire::smtp::reply::Reply;

use crate::hop::{Hops, Loan};

/// What a mail of our own says.
#[derive(Debug)]
pub struct Letter<'l> {
    /// Our name, which it is from.
    pub host: &'l str,
    /// To whom.
    pub to: &'l Address,
    /// About what.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// The left of its Message-ID: the same letter has the same name, however often it is sent.
    pub name: String,
    /// What it says; its lines end in LF or CRLF.
    pub text: String,
}

impl Letter<'_> {
    /// The mail, marked as a program's (RFC 3834 section 5).
    pub fn compose(self) -> Vec<u8> {
        let Self { host, to, subject, at, name, text } = self;
        let from = format!("postmaster@{host}");
        let builder = MessageBuilder::new()
            .from(("Mail protection", from.as_str()))
            .to(to.as_str())
            .subject(subject)
            .date(at.as_seconds())
            .message_id(format!("{name}@{host}"))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(text.replace("\r\n", "\n").replace('\n', "\r\n"));
        builder.write_to_vec().expect("memory takes all that is written")
    }
}

/// How long a hop may take for each step of a notice: far less in all than its claim holds
/// (`store::notices::claim::LEASE`).
pub fn timeouts() -> Timeouts {
    let seconds = Duration::from_secs;
    Timeouts {
        connect: seconds(10),
        greeting: seconds(30),
        command: seconds(30),
        data: seconds(30),
        block: seconds(30),
        dot: seconds(120),
    }
}

/// Sends it; the hop's answer if it is final, else why it is not.
///
/// # Errors
/// Why it was not taken, and may be tried again.
pub async fn deliver(hops: &Hops, to: &Address, mail: &[u8]) -> Result<String, String> {
    let mut emitted = Vec::new();
    data::emit(&[mail], &mut emitted).map_err(|stray| stray.to_string())?;
    let params = MailParams { smtputf8: to.needs_smtputf8(), ..MailParams::default() };
    hand_over(hops, to, &params, &emitted).await
}

/// As [`deliver`], of what is ready for the wire, its final dot included.
///
/// # Errors
/// As there.
pub async fn hand_over(hops: &Hops, to: &Address, params: &MailParams, emitted: &[u8]) -> Result<String, String> {
    let loan = hops.of(Direction::Internal).connection().await.map_err(|error| error.to_string())?;
    let (mut loan, replies) = begin(loan, to, params).await?;
    if let Some(refusal) = replies.into_iter().find(|reply| !reply.is_positive()) {
        return if refusal.is_permanent() { Ok(refusal.to_line()) } else { Err(refusal.to_line()) };
    }
    let ready = loan.connection.data().await.map_err(|error| error.to_string())?;
    if ready.code != 354 {
        return if ready.is_permanent() { Ok(ready.to_line()) } else { Err(ready.to_line()) };
    }
    match loan.connection.send(emitted).await {
        DotOutcome::Replied(reply) if reply.is_positive() || reply.is_permanent() => {
            loan.give_back();
            Ok(reply.to_line())
        }
        DotOutcome::Replied(reply) => Err(reply.to_line()),
        // It may have arrived; once is enough.
        DotOutcome::Unanswered(error) => Ok(format!("no answer to the final dot: {error}")),
        DotOutcome::NotSent(error) => Err(error.to_string()),
    }
}

/// Begins a transaction. A connection that was idle may have been closed meanwhile: then once more, on a new one.
async fn begin(mut loan: Loan, to: &Address, params: &MailParams) -> Result<(Loan, Vec<Reply>), String> {
    let rcpt = RcptParams::default();
    let mut begun = loan.connection.begin(None, params, None, &[(to, &rcpt)]).await;
    if begun.is_err() && loan.reused {
        loan = loan.reconnect().await.map_err(|error| error.to_string())?;
        begun = loan.connection.begin(None, params, None, &[(to, &rcpt)]).await;
    }
    let (_, replies) = begun.map_err(|error| error.to_string())?;
    Ok((loan, replies))
}
