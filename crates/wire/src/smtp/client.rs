//! The client's side: one connection to a next hop, pipelining, and a typed answer to the one question
//! that matters: was the final dot acknowledged?

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::Address;
use domain::envelope::{MailParams, RcptParams};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::capabilities::Capabilities;
use super::params::{encode_xtext, write_mail, write_rcpt};
use super::reply::{self, BadReply, Reply};
use crate::stream::Stream;
use crate::tls::TlsPolicy;

/// Recipients pipelined in one group at most, so that replies never fill the socket both ways.
const GROUP_MAX: usize = 100;

/// How long a hop may take for each step (RFC 5321 section 4.5.3.2).
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// TCP connection.
    pub connect: Duration,
    /// The greeting.
    pub greeting: Duration,
    /// EHLO, MAIL, RCPT, RSET.
    pub command: Duration,
    /// DATA until 354.
    pub data: Duration,
    /// One block of the message.
    pub block: Duration,
    /// The final dot until its answer.
    pub dot: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
        }
    }
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Target {
    /// The addresses to try, in order.
    pub addresses: Vec<SocketAddr>,
    /// The host's name, for TLS and for people.
    pub name: String,
    /// What we call ourselves.
    pub helo: String,
    /// The TLS policy.
    pub tls: TlsPolicy,
    /// The TLS configuration that goes with it.
    pub tls_config: Option<Arc<ClientConfig>>,
    /// Deadlines.
    pub timeouts: Timeouts,
}

/// What went wrong on the way to, or with, a next hop.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No address could be reached.
    #[error("cannot connect to {name}: {source}")]
    Connect {
        /// The hop.
        name: String,
        /// The last failure.
        source: io::Error,
    },
    /// The hop took too long.
    #[error("{name} did not answer {step} within {seconds} s")]
    Timeout {
        /// The hop.
        name: String,
        /// What was waited for.
        step: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The connection broke.
    #[error("the connection to {name} broke during {step}")]
    Broken {
        /// The hop.
        name: String,
        /// During what.
        step: &'static str,
        /// Why, if the system said.
        #[source]
        source: Option<io::Error>,
    },
    /// The hop does not speak SMTP.
    #[error("{name} does not speak SMTP: {source}")]
    Protocol {
        /// The hop.
        name: String,
        /// What it said.
        source: BadReply,
    },
    /// The hop refused the session.
    #[error("{name} refused {step}: {reply}")]
    Refused {
        /// The hop.
        name: String,
        /// What it refused.
        step: &'static str,
        /// Its reply.
        reply: String,
        /// Whether the refusal is permanent.
        permanent: bool,
    },
    /// The TLS policy cannot be met.
    #[error("{name} does not offer the STARTTLS that its policy requires")]
    NoTls {
        /// The hop.
        name: String,
    },
}

/// How the final dot fared.
#[derive(Debug)]
pub enum DotOutcome {
    /// The hop answered.
    Replied(Reply),
    /// The dot certainly did not reach the hop.
    NotSent(ClientError),
    /// The dot may have reached the hop; its answer did not reach us.
    Unanswered(ClientError),
}

/// A client to introduce to the hop with XFORWARD or XCLIENT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// The real client's address.
    pub ip: IpAddr,
    /// Its HELO name.
    pub helo: String,
    /// `SMTP` or `ESMTP`.
    pub proto: String,
    /// Its login; XCLIENT only.
    pub login: Option<String>,
}

/// A connection to a next hop, past EHLO.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    target: Arc<Target>,
    capabilities: Capabilities,
    input: Vec<u8>,
    introduced: Option<Introduction>,
}

impl Connection {
    /// Connects, reads the greeting, says EHLO (or HELO to the very old), and starts TLS as the policy says.
    ///
    /// # Errors
    /// When no address answers as a mail host should.
    pub async fn open(target: Arc<Target>) -> Result<Self, ClientError> {
        let socket = connect(&target).await?;
        let mut connection = Self {
            stream: Stream::Plain(socket),
            target,
            capabilities: Capabilities::default(),
            input: Vec::new(),
            introduced: None,
        };
        let greeting = connection.read("the greeting", connection.target.timeouts.greeting).await?;
        connection.expect_positive("the connection", greeting)?;
        connection.hello().await?;
        connection.secure().await
    }

    /// What the hop offers, after TLS.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.stream.is_encrypted()
    }

    /// Says who the real client is, with XFORWARD where offered, else with XCLIENT.
    ///
    /// # Errors
    /// When the connection fails. A hop that refuses the introduction is not asked again.
    pub async fn introduce(&mut self, client: &Introduction) -> Result<(), ClientError> {
        if self.introduced.as_ref() == Some(client) {
            return Ok(());
        }
        let forward = !self.capabilities.xforward.is_empty() && client.login.is_none();
        if forward || (self.capabilities.xclient.is_empty() && !self.capabilities.xforward.is_empty()) {
            self.name_client("XFORWARD", &self.capabilities.xforward.clone(), client).await?;
        } else if !self.capabilities.xclient.is_empty() && self.become_client(client).await?.is_positive() {
            self.hello().await?;
        }
        self.introduced = Some(client.clone());
        Ok(())
    }

    /// Takes another client's place with XCLIENT, as `feed` does, and says EHLO again.
    ///
    /// # Errors
    /// When the host does not offer XCLIENT or refuses it, or the connection fails.
    pub async fn impersonate(&mut self, client: &Introduction) -> Result<(), ClientError> {
        let reply = self.become_client(client).await?;
        self.expect_positive("XCLIENT", reply)?;
        self.hello().await
    }

    async fn become_client(&mut self, client: &Introduction) -> Result<Reply, ClientError> {
        self.name_client("XCLIENT", &self.capabilities.xclient.clone(), client).await
    }

    async fn name_client(
        &mut self,
        verb: &str,
        offered: &[String],
        client: &Introduction,
    ) -> Result<Reply, ClientError> {
        let ip = match client.ip {
            IpAddr::V6(v6) => format!("IPV6:{v6}"),
            IpAddr::V4(v4) => v4.to_string(),
        };
        let values = [
            ("ADDR", Some(ip)),
            ("NAME", Some("[UNAVAILABLE]".to_owned())),
            ("HELO", Some(encode_xtext(&client.helo)).filter(|helo| !helo.is_empty())),
            ("PROTO", Some(client.proto.clone())),
            ("LOGIN", client.login.as_deref().map(encode_xtext)),
        ];
        let given = values.into_iter().filter(|(name, _)| offered.iter().any(|o| o == name));
        let words: Vec<String> = given.filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
        let line = format!("{verb} {}\r\n", words.join(" "));
        self.write(line.as_bytes(), "the introduction").await?;
        self.read("the introduction", self.target.timeouts.command).await
    }

    /// Opens a transaction: MAIL and the first recipients in one group. Returns the reply to MAIL, and one reply for
    /// each recipient.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn begin(
        &mut self,
        sender: Option<&Address>,
        params: &MailParams,
        size: Option<u64>,
        recipients: &[(&Address, &RcptParams)],
    ) -> Result<(Reply, Vec<Reply>), ClientError> {
        let path = sender.map_or("", Address::as_str);
        let line = format!("MAIL FROM:<{path}>{}\r\n", write_mail(params, size, &self.capabilities));
        let first = recipients.len().min(GROUP_MAX);
        if !self.capabilities.pipelining {
            self.write(line.as_bytes(), "MAIL").await?;
            let mail = self.read("MAIL", self.target.timeouts.command).await?;
            let replies = if mail.is_positive() {
                self.recipients(recipients).await?
            } else {
                vec![mail.clone(); recipients.len()]
            };
            return Ok((mail, replies));
        }
        let mut group = line.into_bytes();
        group.extend(self.rcpt_lines(&recipients[..first]));
        self.write(&group, "MAIL").await?;
        let mail = self.read("MAIL", self.target.timeouts.command).await?;
        let mut replies = Vec::with_capacity(recipients.len());
        for _ in 0..first {
            replies.push(self.read("RCPT", self.target.timeouts.command).await?);
        }
        if mail.is_positive() {
            replies.extend(self.recipients(&recipients[first..]).await?);
        } else {
            // What the hop said to RCPT without a sender is an echo of its answer to MAIL.
            replies = vec![mail.clone(); recipients.len()];
        }
        Ok((mail, replies))
    }

    /// Adds recipients to the open transaction.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn recipients(&mut self, recipients: &[(&Address, &RcptParams)]) -> Result<Vec<Reply>, ClientError> {
        let mut replies = Vec::with_capacity(recipients.len());
        let group_size = if self.capabilities.pipelining { GROUP_MAX } else { 1 };
        for group in recipients.chunks(group_size) {
            let lines = self.rcpt_lines(group);
            self.write(&lines, "RCPT").await?;
            for _ in group {
                replies.push(self.read("RCPT", self.target.timeouts.command).await?);
            }
        }
        Ok(replies)
    }

    /// Sends DATA; the reply is 354 when the hop is ready.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn data(&mut self) -> Result<Reply, ClientError> {
        self.write(b"DATA\r\n", "DATA").await?;
        self.read("DATA", self.target.timeouts.data).await
    }

    /// Sends the emitted message with its end, and waits for the answer to the dot.
    pub async fn send(&mut self, emitted: &[u8]) -> DotOutcome {
        // Over plain TCP a failed write means that the tail, and so the dot, was never taken by the system.
        // TLS buffers below us, so there the end is sent apart, and a failure before it is certain.
        let dot_at =
            if self.stream.is_encrypted() { emitted.len().saturating_sub(b".\r\n".len()) } else { emitted.len() };
        if let Err(error) = self.write_blocks(&emitted[..dot_at]).await {
            return DotOutcome::NotSent(error);
        }
        if let Err(error) = self.write_blocks(&emitted[dot_at..]).await {
            return DotOutcome::Unanswered(error);
        }
        match self.read("the end of data", self.target.timeouts.dot).await {
            Ok(reply) => DotOutcome::Replied(reply),
            Err(error) => DotOutcome::Unanswered(error),
        }
    }

    /// Drops the open transaction.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn reset(&mut self) -> Result<(), ClientError> {
        self.write(b"RSET\r\n", "RSET").await?;
        let reply = self.read("RSET", self.target.timeouts.command).await?;
        self.expect_positive("RSET", reply)
    }

    /// Says goodbye; what the hop answers does not matter.
    pub async fn quit(mut self) {
        let farewell = async {
            self.write(b"QUIT\r\n", "QUIT").await?;
            self.read("QUIT", Duration::from_secs(5)).await
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), farewell).await;
    }

    fn rcpt_lines(&self, recipients: &[(&Address, &RcptParams)]) -> Vec<u8> {
        let lines = recipients.iter().map(|(address, params)| {
            let params = write_rcpt(params, &self.capabilities);
            format!("RCPT TO:<{address}>{params}\r\n")
        });
        lines.collect::<String>().into_bytes()
    }

    async fn hello(&mut self) -> Result<(), ClientError> {
        let line = format!("EHLO {}\r\n", self.target.helo);
        self.write(line.as_bytes(), "EHLO").await?;
        let reply = self.read("EHLO", self.target.timeouts.command).await?;
        if reply.is_positive() {
            self.capabilities = Capabilities::of_reply(&reply);
            return Ok(());
        }
        let line = format!("HELO {}\r\n", self.target.helo);
        self.write(line.as_bytes(), "HELO").await?;
        let reply = self.read("HELO", self.target.timeouts.command).await?;
        self.capabilities = Capabilities::bare();
        self.expect_positive("HELO", reply)
    }

    async fn secure(mut self) -> Result<Self, ClientError> {
        let name = self.target.name.clone();
        let required = matches!(self.target.tls, TlsPolicy::Require | TlsPolicy::Verify);
        let Some(config) = self.target.tls_config.clone().filter(|_| self.capabilities.starttls) else {
            return if required { Err(ClientError::NoTls { name }) } else { Ok(self) };
        };
        self.write(b"STARTTLS\r\n", "STARTTLS").await?;
        let reply = self.read("STARTTLS", self.target.timeouts.command).await?;
        if !reply.is_positive() {
            return if required { Err(ClientError::NoTls { name }) } else { Ok(self) };
        }
        // Bytes behind the 220 came in the clear and could be injected: refuse them.
        let broken = |source| ClientError::Broken { name: name.clone(), step: "the TLS handshake", source };
        let server_name = ServerName::try_from(self.target.name.clone())
            .or_else(|_| ServerName::try_from("localhost"))
            .map_err(|error| broken(Some(io::Error::other(error))))?;
        let Stream::Plain(socket) = self.stream else { return Err(broken(None)) };
        if !self.input.is_empty() {
            return Err(broken(Some(io::Error::other("bytes behind the reply to STARTTLS"))));
        }
        let handshake = TlsConnector::from(config).connect(server_name, socket);
        let limit = self.target.timeouts.command.min(Duration::from_secs(60));
        let encrypted = match tokio::time::timeout(limit, handshake).await {
            Ok(done) => done.map_err(|error| broken(Some(error)))?,
            Err(_) => return Err(ClientError::Timeout { name, step: "the TLS handshake", seconds: limit.as_secs() }),
        };
        self.stream = Stream::Client(Box::new(encrypted));
        self.hello().await?;
        Ok(self)
    }

    fn expect_positive(&self, step: &'static str, reply: Reply) -> Result<(), ClientError> {
        if reply.is_positive() {
            return Ok(());
        }
        let name = self.target.name.clone();
        Err(ClientError::Refused { name, step, permanent: reply.is_permanent(), reply: reply.to_line() })
    }

    fn broken(&self, step: &'static str, source: Option<io::Error>) -> ClientError {
        ClientError::Broken { name: self.target.name.clone(), step, source }
    }

    fn late(&self, step: &'static str, limit: Duration) -> ClientError {
        ClientError::Timeout { name: self.target.name.clone(), step, seconds: limit.as_secs() }
    }

    async fn write(&mut self, bytes: &[u8], step: &'static str) -> Result<(), ClientError> {
        let limit = self.target.timeouts.block;
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(limit, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.broken(step, Some(error))),
            Err(_) => Err(self.late(step, limit)),
        }
    }

    /// Writes in blocks, so that the deadline is for a block and not for the whole mail.
    async fn write_blocks(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        for block in bytes.chunks(1 << 20) {
            self.write(block, "the message").await?;
        }
        Ok(())
    }

    async fn read(&mut self, step: &'static str, limit: Duration) -> Result<Reply, ClientError> {
        match tokio::time::timeout(limit, self.read_reply(step)).await {
            Ok(reply) => reply,
            Err(_) => Err(self.late(step, limit)),
        }
    }

    async fn read_reply(&mut self, step: &'static str) -> Result<Reply, ClientError> {
        loop {
            let name = || self.target.name.clone();
            if let Some(reply) =
                reply::take(&mut self.input).map_err(|source| ClientError::Protocol { name: name(), source })?
            {
                return Ok(reply);
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) => return Err(self.broken(step, None)),
                Ok(_) => {}
                Err(error) => return Err(self.broken(step, Some(error))),
            }
        }
    }
}

async fn connect(target: &Target) -> Result<TcpStream, ClientError> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in &target.addresses {
        match tokio::time::timeout(target.timeouts.connect, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => {
                // Nagle's algorithm and delayed acknowledgement together stall every mail by 40 ms.
                if let Err(error) = socket.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                return Ok(socket);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, format!("no answer from {address}")),
        }
    }
    Err(ClientError::Connect { name: target.name.clone(), source: last })
}
