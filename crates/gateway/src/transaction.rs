//! One transaction before its data: recipients are passed through to the next hop as they come, so that
//! unknown users are refused there and then, and no backscatter ever arises.
//!
//! While the client has the word, the connection to the hop is kept only as long as nobody else needs it (`hop::pool`).
//! When it has been taken back, every recipient is asked for again on another one before DATA is answered 354: what the
//! hop says then must be what it said before.

use std::sync::Arc;
use std::time::Instant;

use domain::Address;
use domain::envelope::{Client, Envelope, MailParams, RcptParams, Recipient};
use domain::share::{Source, Standing};
use wire::smtp::capabilities::Capabilities;
use wire::smtp::client::{ClientError, Introduction};
use wire::smtp::reply::Reply;
use wire::smtp::session::RcptRequest;

use super::Gateway;
use super::memory::Account;
use platform::hop::{Hop, HopError, Loan, Purpose, Ticket};
use platform::measure;

/// A transaction with its next hop.
#[derive(Debug)]
pub struct Transaction {
    /// What all connections share.
    pub gateway: Arc<Gateway>,
    /// The envelope so far; recipients are those that the hop accepted.
    pub envelope: Envelope,
    /// Memory that its message takes.
    pub memory: Account,
    /// When the client was told to send its message.
    pub data_since: Option<Instant>,
    source: Source,
    trusted: bool,
    /// The hop, fixed by the first recipient: one transaction has one next hop, and a recipient of another is asked to
    /// come again (452).
    hop: Option<Arc<Hop>>,
    /// The claim to the connection on which the transaction is open there.
    ticket: Option<Ticket>,
    /// The hop said something else about a recipient than before: nothing more comes of this transaction.
    is_void: bool,
}

impl Transaction {
    /// A transaction with a sender and nothing else.
    pub fn new(
        gateway: Arc<Gateway>,
        client: Client,
        source: Source,
        trusted: bool,
        sender: Option<Address>,
        params: MailParams,
    ) -> Self {
        let envelope = Envelope { client, sender, params, recipients: Vec::new() };
        let memory = gateway.memory.account(source);
        let (hop, ticket, data_since) = (None, None, None);
        Self { gateway, envelope, memory, data_since, source, trusted, hop, ticket, is_void: false }
    }

    /// Asks for recipients: ours to refuse first (no relaying), then the next hop's. One reply each.
    pub async fn recipients(&mut self, asked: Vec<RcptRequest>) -> Vec<Reply> {
        let judged: Vec<Result<Recipient, Reply>> = asked.into_iter().map(|request| self.direct(request)).collect();
        let to_ask: Vec<Recipient> = judged.iter().filter_map(|judged| judged.as_ref().ok()).cloned().collect();
        let mut answers = self.ask_hop(&to_ask).await.into_iter();
        let mut replies = Vec::with_capacity(judged.len());
        for judged in judged {
            replies.push(match judged {
                Err(reply) => reply,
                Ok(recipient) => {
                    let reply = answers.next().unwrap_or_else(|| Reply::new(451, "4.4.2 The next hop did not answer"));
                    if reply.is_positive() {
                        self.envelope.recipients.push(recipient);
                    }
                    reply
                }
            });
        }
        replies
    }

    /// The direction of a recipient; refuses relaying, and a hop other than the transaction's.
    fn direct(&mut self, request: RcptRequest) -> Result<Recipient, Reply> {
        let RcptRequest { recipient: address, params } = request;
        let border = &self.gateway.config.border;
        let (direction, domain) = border
            .direct(self.trusted, self.envelope.sender.as_ref(), &address)
            .map_err(|_| Reply::new(550, format!("5.7.1 <{address}>: relaying denied")))?;
        let hop = self.gateway.hops.of(direction);
        match &self.hop {
            Some(fixed) if !Arc::ptr_eq(fixed, &hop) => {
                return Err(Reply::new(
                    452,
                    "4.5.3 This recipient goes another way, send it in a transaction of its own",
                ));
            }
            Some(_) => {}
            None => self.hop = Some(hop),
        }
        Ok(Recipient { address, params, direction, domain })
    }

    async fn ask_hop(&mut self, recipients: &[Recipient]) -> Vec<Reply> {
        if recipients.is_empty() {
            return Vec::new();
        }
        let replies = match self.take_loan() {
            Some(mut loan) => match loan.connection.recipients(&pairs(recipients)).await {
                Ok(replies) => {
                    self.ticket = Some(loan.wait());
                    Ok(replies)
                }
                Err(error) => Err(hop_reply(&error.into())),
            },
            None => self.ask_anew(recipients).await,
        };
        replies.unwrap_or_else(|reply| vec![reply; recipients.len()])
    }

    /// Asks for recipients on a connection where the transaction is not open: for those accepted before as well.
    async fn ask_anew(&mut self, recipients: &[Recipient]) -> Result<Vec<Reply>, Reply> {
        self.may_repeat()?;
        let all: Vec<Recipient> = self.envelope.recipients.iter().chain(recipients).cloned().collect();
        let began = self.open(&all, Purpose::Recipients, Instant::now() + self.gateway.config.limits.hop_wait).await;
        let (loan, mut replies) = began.map_err(|error| hop_reply(&error))?;
        self.ticket = loan.map(Loan::wait);
        let new = replies.split_off(self.envelope.recipients.len());
        if !replies.iter().all(Reply::is_positive) {
            return Err(self.changed());
        }
        Ok(new)
    }

    /// Whether the hop may be asked again for recipients that it has accepted before.
    fn may_repeat(&self) -> Result<(), Reply> {
        if self.is_void {
            return Err(changed());
        }
        let recipients = self.envelope.recipients.len();
        // Our own, and those who speak for many, are not counted by their address.
        let is_counted = recipients > 0 && !self.source.is_relay && self.source.standing != Standing::Ours;
        if is_counted && !self.gateway.repeats.may(self.source.client, recipients, Instant::now()) {
            measure::repeats_refused();
            return Err(Reply::new(451, "4.7.1 Too many recipients had to be asked for again, send fewer at once"));
        }
        Ok(())
    }

    /// The hop has changed its mind: nothing that it said of this transaction is believed any more.
    fn changed(&mut self) -> Reply {
        tracing::info!("the next hop changed its answer about a recipient");
        self.is_void = true;
        self.ticket = None;
        changed()
    }

    /// Opens the transaction at the hop; none when it refused the sender. A connection that was idle may have been
    /// closed meanwhile: then once more.
    async fn open(
        &self,
        recipients: &[Recipient],
        purpose: Purpose,
        until: Instant,
    ) -> Result<(Option<Loan>, Vec<Reply>), HopError> {
        let Some(hop) = self.hop.clone() else { return Ok((None, Vec::new())) };
        let loan = hop.lend(&self.source, purpose, until).await?;
        self.begin(loan, recipients).await
    }

    async fn begin(&self, mut loan: Loan, recipients: &[Recipient]) -> Result<(Option<Loan>, Vec<Reply>), HopError> {
        let mut began = self.try_begin(&mut loan, recipients).await;
        let is_stale = match &began {
            Err(ClientError::Broken { .. }) => true,
            Ok((reply, _)) => reply.code == 421,
            Err(_) => false,
        };
        if loan.reused && is_stale {
            loan = loan.reconnect().await?;
            began = self.try_begin(&mut loan, recipients).await;
        }
        let (mail, replies) = began?;
        if mail.is_positive() {
            return Ok((Some(loan), replies));
        }
        if mail.code != 421 {
            loan.give_back();
        }
        Ok((None, replies))
    }

    async fn try_begin(&self, loan: &mut Loan, recipients: &[Recipient]) -> Result<(Reply, Vec<Reply>), ClientError> {
        let Envelope { sender, params, .. } = &self.envelope;
        if let Some(reply) = missing_capability(params, loan.connection.capabilities()) {
            return Ok((reply.clone(), vec![reply; recipients.len()]));
        }
        loan.connection.introduce(&self.introduction()).await?;
        loan.connection.begin(sender.as_ref(), params, params.size, &pairs(recipients)).await
    }

    fn introduction(&self) -> Introduction {
        let client = &self.envelope.client;
        let proto = if client.protocol == "SMTP" { "SMTP" } else { "ESMTP" };
        Introduction { ip: client.ip, helo: client.helo.clone(), proto: proto.into(), login: client.login.clone() }
    }

    /// Answers DATA: 354 when there is room for the message, and the hop still takes every recipient that it has
    /// accepted.
    pub async fn ready_for_data(&mut self) -> Reply {
        let declared = self.envelope.params.size.unwrap_or(0);
        if self.memory.fits(declared).is_err() {
            return too_much_mail();
        }
        if let Err(reply) = self.confirm().await {
            return reply;
        }
        self.data_since = Some(Instant::now());
        Reply::new(354, "End data with <CR><LF>.<CR><LF>")
    }

    /// Makes sure that the transaction is open at the hop for all recipients.
    async fn confirm(&mut self) -> Result<(), Reply> {
        if self.is_void {
            return Err(changed());
        }
        if let Some(loan) = self.take_loan() {
            self.ticket = Some(loan.wait());
            return Ok(());
        }
        self.ask_anew(&[]).await?;
        if self.ticket.is_some() {
            Ok(())
        } else {
            Err(Reply::new(451, "4.4.2 The next hop closed the transaction, try again"))
        }
    }

    /// The open transaction at the hop, if there still is one.
    pub fn take_loan(&mut self) -> Option<Loan> {
        self.ticket.take().and_then(Ticket::redeem)
    }

    /// Opens the transaction at the hop again for some of its recipients: where some are held, or where its connection
    /// has been lost or taken back during the scan. Any reply to RCPT but acceptance ends it. What is here already goes
    /// before what is only asked about.
    ///
    /// # Errors
    /// The reply to give the client.
    pub async fn reopen(&mut self, loan: Option<Loan>, wanted: &[usize], until: Instant) -> Result<Loan, Reply> {
        let recipients: Vec<Recipient> = wanted.iter().map(|at| self.envelope.recipients[*at].clone()).collect();
        let began = match loan {
            Some(mut loan) => match loan.connection.reset().await {
                Ok(()) => self.begin(loan, &recipients).await,
                Err(error) => Err(error.into()),
            },
            None => self.open(&recipients, Purpose::Message, until).await,
        };
        let (loan, replies) = began.map_err(|error| hop_reply(&error))?;
        if !replies.iter().all(Reply::is_positive) {
            if let Some(loan) = loan {
                give_back_reset(loan).await;
            }
            return Err(changed());
        }
        loan.ok_or_else(|| Reply::new(451, "4.4.2 The next hop closed the transaction, try again"))
    }

    /// Drops the transaction: the hop is told, and the connection kept.
    pub async fn abandon(mut self) {
        if let Some(loan) = self.take_loan() {
            give_back_reset(loan).await;
        }
    }
}

fn pairs(recipients: &[Recipient]) -> Vec<(&Address, &RcptParams)> {
    recipients.iter().map(|one| (&one.address, &one.params)).collect()
}

fn changed() -> Reply {
    Reply::new(451, "4.4.0 The next hop changed its answer about a recipient, try again")
}

/// What a client is told whose message finds no room in memory.
pub fn too_much_mail() -> Reply {
    Reply::new(452, "4.3.1 Too much mail in memory, try again later")
}

/// Ends an open transaction at a hop and gives the connection back.
pub async fn give_back_reset(mut loan: Loan) {
    if loan.connection.reset().await.is_ok() {
        loan.give_back();
    }
}

/// What the client's message needs and this hop has lost since EHLO: never a downgrade.
pub fn missing_capability(params: &MailParams, hop: &Capabilities) -> Option<Reply> {
    use domain::envelope::Body;
    let missing = if params.smtputf8 && !hop.smtputf8 {
        "SMTPUTF8"
    } else if params.body == Some(Body::EightBitMime) && !hop.eight_bit {
        "8BITMIME"
    } else {
        return None;
    };
    Some(Reply::new(451, format!("4.4.0 The next hop does not offer {missing} any more, try again later")))
}

/// What a client is told when the hop cannot be used: always a temporary answer, the sender keeps the mail.
pub fn hop_reply(error: &HopError) -> Reply {
    match error {
        HopError::Busy { over, .. } => {
            Reply::new(451, format!("4.3.2 The connections to the next hop are in use by {}, try again", over.who()))
        }
        HopError::Client(ClientError::Connect { .. }) => {
            Reply::new(451, "4.4.1 The next hop cannot be reached, try again later")
        }
        HopError::Client(ClientError::Timeout { .. }) => {
            Reply::new(451, "4.4.2 The next hop is too slow, try again later")
        }
        HopError::Client(ClientError::NoTls { .. }) => {
            Reply::new(451, "4.7.5 The next hop does not offer the required TLS")
        }
        HopError::Client(_) => Reply::new(451, "4.4.2 The next hop closed the connection, try again later"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use domain::envelope::Body;
    use domain::share::Over;

    use super::*;

    #[test]
    fn a_hop_that_has_lost_what_a_mail_needs_puts_it_off() {
        let hop = |smtputf8, eight_bit| Capabilities { smtputf8, eight_bit, ..Capabilities::bare() };
        let utf8 = MailParams { smtputf8: true, ..MailParams::default() };
        let eight_bit = MailParams { body: Some(Body::EightBitMime), ..MailParams::default() };
        let plain = MailParams::default();
        let missing = |params: &MailParams, hop| missing_capability(params, &hop).map(|reply| reply.to_line());
        assert_eq!(missing(&plain, hop(false, false)), None);
        assert_eq!((missing(&utf8, hop(true, false)), missing(&eight_bit, hop(false, true))), (None, None));
        let told = "451 4.4.0 The next hop does not offer SMTPUTF8 any more, try again later";
        assert_eq!(missing(&utf8, hop(false, true)).as_deref(), Some(told));
        let told = "451 4.4.0 The next hop does not offer 8BITMIME any more, try again later";
        assert_eq!(missing(&eight_bit, hop(true, false)).as_deref(), Some(told));
    }

    #[test]
    fn whatever_is_wrong_with_a_hop_the_client_keeps_its_mail() {
        let name = || "hop.example:25".to_owned();
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let told = [
            (ClientError::Connect { name: name(), source: refused }, "4.4.1 The next hop cannot be reached"),
            (ClientError::Timeout { name: name(), step: "MAIL", seconds: 1 }, "4.4.2 The next hop is too slow"),
            (ClientError::NoTls { name: name() }, "4.7.5 The next hop does not offer the required TLS"),
            (ClientError::Broken { name: name(), step: "MAIL", source: None }, "4.4.2 The next hop closed"),
        ];
        for (error, text) in told {
            let reply = hop_reply(&HopError::Client(error)).to_line();
            assert!(reply.starts_with(&format!("451 {text}")), "{reply}");
        }
        let busy = hop_reply(&HopError::Busy { hop: name(), over: Over::Client }).to_line();
        assert_eq!(busy, "451 4.3.2 The connections to the next hop are in use by this client, try again");
    }
}
