//! One transaction before its data: recipients are passed through to the next hop as they come, so that
//! unknown users are refused there and then, and no backscatter ever arises.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::Address;
use domain::envelope::{Client, Envelope, MailParams, RcptParams, Recipient};
use wire::smtp::capabilities::Capabilities;
use wire::smtp::client::{ClientError, Introduction};
use wire::smtp::reply::Reply;
use wire::smtp::session::RcptRequest;

use super::Gateway;
use crate::hop::{Hop, HopError, Loan};

/// Bytes that a message is taken for until it has said its size.
const UNKNOWN_SIZE: u64 = 64 * 1024;

/// A transaction with its next hop.
#[derive(Debug)]
pub struct Transaction {
    /// What all connections share.
    pub gateway: Arc<Gateway>,
    /// The envelope so far; recipients are those that the hop accepted.
    pub envelope: Envelope,
    trusted: bool,
    /// The hop, fixed by the first recipient (ruling 2).
    hop: Option<Arc<Hop>>,
    /// The open transaction there.
    loan: Option<Loan>,
    reserved_bytes: u64,
}

impl Transaction {
    /// A transaction with a sender and nothing else.
    pub fn new(
        gateway: Arc<Gateway>,
        client: Client,
        trusted: bool,
        sender: Option<Address>,
        params: MailParams,
    ) -> Self {
        let envelope = Envelope { client, sender, params, recipients: Vec::new() };
        Self { gateway, envelope, trusted, hop: None, loan: None, reserved_bytes: 0 }
    }

    /// Asks for recipients: ours to refuse first (no relaying), then the next hop's. One reply each.
    pub async fn recipients(&mut self, asked: Vec<RcptRequest>) -> Vec<Reply> {
        let judged: Vec<Result<Recipient, Reply>> = asked.into_iter().map(|request| self.direct(request)).collect();
        let to_ask: Vec<&Recipient> = judged.iter().filter_map(|judged| judged.as_ref().ok()).collect();
        let pairs: Vec<(&Address, &RcptParams)> = to_ask.iter().map(|r| (&r.address, &r.params)).collect();
        let mut answers = self.ask_hop(&pairs).await.into_iter();
        drop(pairs);
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

    async fn ask_hop(&mut self, recipients: &[(&Address, &RcptParams)]) -> Vec<Reply> {
        if recipients.is_empty() {
            return Vec::new();
        }
        let asked = match &mut self.loan {
            Some(loan) => loan.connection.recipients(recipients).await.map_err(HopError::Client),
            None => self.open(recipients).await,
        };
        match asked {
            Ok(replies) => replies,
            Err(error) => {
                tracing::warn!(%error, "the next hop cannot be asked for recipients");
                self.loan = None;
                vec![hop_reply(&error); recipients.len()]
            }
        }
    }

    /// Opens the transaction at the hop. A connection that was idle may have been closed meanwhile: then once more.
    async fn open(&mut self, recipients: &[(&Address, &RcptParams)]) -> Result<Vec<Reply>, HopError> {
        let Some(hop) = self.hop.clone() else { return Ok(Vec::new()) };
        let loan = hop.connection().await?;
        let reused = loan.reused;
        match self.begin(loan, recipients).await {
            Err(HopError::Client(ClientError::Broken { .. })) if reused => {
                let loan = hop.fresh_connection().await?;
                self.begin(loan, recipients).await
            }
            Ok((reply, _)) if reused && reply.code == 421 => {
                let loan = hop.fresh_connection().await?;
                self.begin(loan, recipients).await
            }
            other => other,
        }
        .map(|(_, replies)| replies)
    }

    async fn begin(
        &mut self,
        mut loan: Loan,
        recipients: &[(&Address, &RcptParams)],
    ) -> Result<(Reply, Vec<Reply>), HopError> {
        if let Some(reply) = missing_capability(&self.envelope.params, loan.connection.capabilities()) {
            loan.give_back();
            return Ok((reply.clone(), vec![reply; recipients.len()]));
        }
        loan.connection.introduce(&self.introduction()).await?;
        let Envelope { sender, params, .. } = &self.envelope;
        let (mail, replies) = loan.connection.begin(sender.as_ref(), params, params.size, recipients).await?;
        if mail.is_positive() {
            self.loan = Some(loan);
        } else if mail.code != 421 {
            loan.give_back();
        }
        Ok((mail, replies))
    }

    fn introduction(&self) -> Introduction {
        let client = &self.envelope.client;
        let proto = if client.protocol == "SMTP" { "SMTP" } else { "ESMTP" };
        Introduction { ip: client.ip, helo: client.helo.clone(), proto: proto.into(), login: client.login.clone() }
    }

    /// Answers DATA: 354 when there is room for the message.
    pub fn reserve(&mut self) -> Reply {
        let wanted = self.envelope.params.size.unwrap_or(UNKNOWN_SIZE);
        let used = self.gateway.in_flight_bytes.fetch_add(wanted, Ordering::SeqCst);
        self.reserved_bytes += wanted;
        if used + wanted > self.gateway.config.limits.in_flight_bytes_max {
            return Reply::new(452, "4.3.1 Too much mail in memory, try again later");
        }
        Reply::new(354, "End data with <CR><LF>.<CR><LF>")
    }

    /// The open transaction at the hop, if there still is one.
    pub fn take_loan(&mut self) -> Option<Loan> {
        self.loan.take()
    }

    /// Opens the transaction at the hop again for some of its recipients: where some are held, or where the hop
    /// dropped the idle transaction during the scan (ruling 5). Any reply to RCPT but acceptance ends it.
    ///
    /// # Errors
    /// The reply to give the client.
    pub async fn reopen(&mut self, loan: Option<Loan>, wanted: &[usize]) -> Result<Loan, Reply> {
        let envelope = self.envelope.clone();
        let recipients: Vec<(&Address, &RcptParams)> =
            wanted.iter().map(|at| (&envelope.recipients[*at].address, &envelope.recipients[*at].params)).collect();
        let started = match loan {
            Some(mut loan) => match loan.connection.reset().await {
                Ok(()) => self.begin(loan, &recipients).await.map(|(_, replies)| replies),
                Err(error) => Err(error.into()),
            },
            None => self.open(&recipients).await,
        };
        let replies = started.map_err(|error| hop_reply(&error))?;
        if !replies.iter().all(Reply::is_positive) {
            return Err(Reply::new(451, "4.4.0 The next hop changed its answer about a recipient, try again"));
        }
        self.loan.take().ok_or_else(|| Reply::new(451, "4.4.2 The next hop closed the transaction, try again"))
    }

    /// Drops the transaction: the hop is told, and the connection kept.
    pub async fn abandon(mut self) {
        if let Some(loan) = self.take_loan() {
            give_back_reset(loan).await;
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.gateway.in_flight_bytes.fetch_sub(self.reserved_bytes, Ordering::SeqCst);
    }
}

/// Ends an open transaction at a hop and gives the connection back.
pub async fn give_back_reset(mut loan: Loan) {
    if loan.connection.reset().await.is_ok() {
        loan.give_back();
    }
}

/// What the client's message needs and this hop has lost since EHLO: never a downgrade (ruling 3).
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
        HopError::Busy(_) => Reply::new(451, "4.3.2 All connections to the next hop are in use, try again"),
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
