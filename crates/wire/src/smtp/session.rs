//! The server's side of SMTP as a sans-I/O state machine: bytes in, replies and events out.
//!
//! [`Session::receive`] takes bytes in any segmentation; [`Session::next`] yields the next thing that the
//! shell must decide, and yields nothing more until it has been answered. So there is one reply per
//! command, in order, however a client pipelines. The session knows no sockets, no clock and no policy.

use domain::Address;
use domain::envelope::{MailParams, RcptParams};

use super::capabilities::Capabilities;
use super::command::{self, Attributes, COMMAND_LINE_BYTES_MAX, Command};
use super::data::{BareNewline, DataReader, Flaws, TEXT_LINE_BYTES_MAX};
use super::params;
use super::reply::Reply;

/// Recipients that one [`Event::Recipients`] brings at most.
pub const RECIPIENT_BATCH_MAX: usize = 100;

/// What a listener allows.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one message.
    pub message_bytes_max: usize,
    /// Recipients of one message.
    pub recipients_max: usize,
    /// How much is borne with before the connection is closed.
    pub tolerance: Tolerance,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes_max: 50 * 1024 * 1024, recipients_max: 1000, tolerance: Tolerance::default() }
    }
}

/// How much of a client is borne with before its connection is closed with 421. It may change while the session goes
/// on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Commands that were refused.
    pub errors_max: u32,
    /// EHLO, NOOP, RSET, VRFY and HELP without a message between them.
    pub junk_max: u32,
    /// Recipients that were refused for good, beyond a quarter of those accepted.
    pub refused_recipients_max: u32,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { errors_max: 20, junk_max: 100, refused_recipients_max: 100 }
    }
}

/// What a client was sent away for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Commands that were refused.
    Errors,
    /// Commands that bring nothing on.
    Junk,
    /// Recipients that were refused.
    RefusedRecipients,
}

/// How a session is set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The name in the greeting and in the reply to EHLO.
    pub hostname: String,
    /// Limits.
    pub limits: Limits,
    /// What to do with bare CR, LF and NUL.
    pub bare_newline: BareNewline,
    /// Whether this peer may use XCLIENT.
    pub xclient: bool,
    /// Whether this peer may use XFORWARD.
    pub xforward: bool,
    /// Whether STARTTLS can be offered.
    pub starttls: bool,
    /// Whom `<Postmaster>` without a domain means; without, it is refused.
    pub postmaster: Option<Address>,
}

/// A recipient asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcptRequest {
    /// The forward path.
    pub recipient: Address,
    /// Its parameters.
    pub params: RcptParams,
}

/// What the shell must decide or do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// EHLO or HELO: answer with [`Session::hello`].
    Hello,
    /// MAIL: answer with [`Session::answer`].
    Mail {
        /// The reverse path.
        sender: Option<Address>,
        /// Its parameters.
        params: MailParams,
    },
    /// One or more pipelined RCPT: answer with [`Session::answer_recipients`].
    Recipients(Vec<RcptRequest>),
    /// DATA: answer with 354, or refuse.
    Data,
    /// The whole message: answer with the final reply.
    Message {
        /// The bytes, dot-stuffing removed.
        bytes: Vec<u8>,
        /// Whether bare CR, LF or NUL were normalised.
        normalised: bool,
    },
    /// The transaction is over without a message: forget it. No answer is due.
    Reset,
    /// The reply 220 is in the output: send it, take the connection to TLS, then call [`Session::tls_started`].
    StartTls,
    /// XCLIENT from a listed peer: the client is another. No answer is due.
    XClient(Attributes),
    /// XFORWARD from a listed peer: the client of the next message. No answer is due.
    XForward(Attributes),
    /// Send the output and close.
    Close,
}

#[derive(Debug)]
enum State {
    /// Nothing has been said.
    Fresh,
    /// Ready for MAIL.
    Ready,
    /// A sender is accepted.
    Mail { recipients: usize },
    /// The data is coming. With a reply: it is read to its end and then refused with that.
    Data(DataReader, Option<Reply>),
    /// The last reply is in the output; the shell has not been told to close.
    Closing,
    /// Nothing more will be read.
    Closed,
}

/// What the shell owes an answer to.
#[derive(Debug)]
enum Owed {
    Hello { extended: bool },
    Mail,
    Recipients { before: Vec<Option<Reply>>, asked: usize },
    Data,
    Message,
    Tls,
}

/// One SMTP session.
#[derive(Debug)]
pub struct Session {
    settings: Settings,
    state: State,
    owed: Option<Owed>,
    input: Vec<u8>,
    output: Vec<u8>,
    offered: Capabilities,
    helo: String,
    extended: bool,
    tls: bool,
    errors: u32,
    junk: u32,
    accepted_recipients: u32,
    refused_recipients: u32,
    commands: u64,
    excess: Option<Excess>,
    recipients_over: u64,
}

impl Session {
    /// A session whose greeting is already in the output.
    pub fn new(settings: Settings) -> Self {
        let mut session = Self {
            settings,
            state: State::Fresh,
            owed: None,
            input: Vec::new(),
            output: Vec::new(),
            offered: Capabilities::default(),
            helo: String::new(),
            extended: false,
            tls: false,
            errors: 0,
            junk: 0,
            accepted_recipients: 0,
            refused_recipients: 0,
            commands: 0,
            excess: None,
            recipients_over: 0,
        };
        let greeting = format!("{} ESMTP Reprieve", session.settings.hostname);
        session.reply(&Reply::new(220, greeting));
        session
    }

    /// Takes bytes from the client.
    pub fn receive(&mut self, bytes: &[u8]) {
        match (&mut self.state, self.input.is_empty()) {
            (State::Data(reader, _), true) if self.owed.is_none() => {
                let taken = reader.push(bytes);
                self.input.extend_from_slice(&bytes[taken..]);
            }
            (State::Closing | State::Closed, _) => {}
            _ => self.input.extend_from_slice(bytes),
        }
    }

    /// The name that the client gave.
    pub fn helo(&self) -> &str {
        &self.helo
    }

    /// `SMTP`, `ESMTP` or `ESMTPS`, as a Received field says it (RFC 3848).
    pub fn protocol(&self) -> &'static str {
        match (self.extended, self.tls) {
            (_, true) => "ESMTPS",
            (true, false) => "ESMTP",
            (false, false) => "SMTP",
        }
    }

    /// Whether bytes of a message are awaited, for the choice of a deadline.
    pub fn in_data(&self) -> bool {
        matches!(self.state, State::Data(..))
    }

    /// Whole command lines that have come so far.
    pub fn commands(&self) -> u64 {
        self.commands
    }

    /// What there was too much of, where the session has ended for that.
    pub fn excess(&self) -> Option<Excess> {
        self.excess
    }

    /// Recipients that the transaction in progress has so far.
    pub fn recipients_so_far(&self) -> usize {
        if let State::Mail { recipients } = self.state { recipients } else { 0 }
    }

    /// Recipients that were refused since this was asked last, because their message has as many as it may.
    pub fn take_recipients_over(&mut self) -> u64 {
        std::mem::take(&mut self.recipients_over)
    }

    /// Bytes of the message in progress that have come so far, kept or not.
    pub fn data_bytes(&self) -> usize {
        if let State::Data(reader, _) = &self.state { reader.counted() } else { 0 }
    }

    /// Bytes of memory that this session takes now for what the client has sent.
    pub fn held_bytes(&self) -> usize {
        let message = if let State::Data(reader, _) = &self.state { reader.held_bytes() } else { 0 };
        message + self.input.capacity()
    }

    /// How much of the client is borne with from now on.
    pub fn tolerate(&mut self, tolerance: Tolerance) {
        self.settings.limits.tolerance = tolerance;
    }

    /// Refuses the message in progress: nothing more of it is kept, it is read to its real end, and only then the reply
    /// is given. So no byte of it is ever taken for a command. It counts as an error of the client.
    pub fn refuse_data(&mut self, reply: Reply) {
        if let State::Data(reader, refused) = &mut self.state
            && refused.is_none()
        {
            reader.discard();
            *refused = Some(reply);
        }
    }

    /// Whether the message in progress is read only to be refused.
    pub fn discards(&self) -> bool {
        matches!(self.state, State::Data(_, Some(_)))
    }

    /// Whether a command line has begun but not ended, or data is awaited.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Fresh | State::Ready) && self.input.is_empty() && self.owed.is_none()
    }

    /// What is to be sent now.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// Ends the session with a reply: 421 for a drain or a time-out.
    pub fn close(&mut self, reply: &Reply) {
        self.owed = None;
        self.end(reply);
    }

    /// The next event, or nothing until more bytes or an answer arrive.
    #[expect(clippy::should_implement_trait, reason = "a session is no iterator: an answer is due between two events")]
    pub fn next(&mut self) -> Option<Event> {
        while self.owed.is_none() {
            match &mut self.state {
                State::Closed => return None,
                State::Closing => {
                    self.state = State::Closed;
                    return Some(Event::Close);
                }
                State::Data(reader, _) => {
                    let input = std::mem::take(&mut self.input);
                    let taken = reader.push(&input);
                    self.input = input[taken..].to_vec();
                    if !reader.is_finished() {
                        return None;
                    }
                    if let Some(event) = self.message() {
                        return Some(event);
                    }
                }
                State::Fresh | State::Ready | State::Mail { .. } => match self.line() {
                    Ok(None) => return None,
                    Ok(Some(line)) => {
                        if let Some(event) = self.command(&line) {
                            return Some(event);
                        }
                    }
                    Err(reply) => self.end(&reply),
                },
            }
        }
        None
    }

    /// Answers [`Event::Hello`] with what the next hops can carry.
    pub fn hello(&mut self, hops: &Capabilities) {
        let Some(Owed::Hello { extended }) = self.owed.take() else { return };
        self.extended = extended;
        self.state = State::Ready;
        let ours = Capabilities {
            pipelining: true,
            size: Some(self.settings.limits.message_bytes_max as u64),
            eight_bit: true,
            smtputf8: true,
            dsn: true,
            enhanced_codes: true,
            ..Capabilities::default()
        };
        let words = |offered: bool, words: &[&str]| offered.then(|| words.iter().map(|w| (*w).to_owned()).collect());
        let mut offered = ours.intersection(hops);
        // A hop without SIZE does not take ours away: the limit is our own.
        offered.size = offered.size.or(ours.size);
        offered.starttls = self.settings.starttls && !self.tls;
        offered.xclient = words(self.settings.xclient, &["NAME", "ADDR", "PROTO", "HELO", "LOGIN"]).unwrap_or_default();
        offered.xforward =
            words(self.settings.xforward, &["NAME", "ADDR", "PROTO", "HELO", "SOURCE"]).unwrap_or_default();
        let reply = if extended {
            offered.reply(&self.settings.hostname)
        } else {
            Reply::new(250, self.settings.hostname.clone())
        };
        self.offered = if extended { offered } else { Capabilities::default() };
        self.reply(&reply);
    }

    /// Answers [`Event::Mail`], [`Event::Data`] or [`Event::Message`].
    pub fn answer(&mut self, reply: &Reply) {
        match self.owed.take() {
            Some(Owed::Mail) if reply.is_positive() => self.state = State::Mail { recipients: 0 },
            Some(Owed::Data) if reply.code == 354 => {
                let limit = self.settings.limits.message_bytes_max;
                self.state = State::Data(DataReader::new(self.settings.bare_newline, limit), None);
            }
            // Refused for what the client does with our memory or the hop: whoever goes on all the same is not heard
            // for ever.
            Some(Owed::Data) => return self.refuse(reply),
            Some(Owed::Message) => {
                self.state = State::Ready;
                self.junk = 0;
            }
            _ => {}
        }
        if reply.code == 421 {
            return self.end(reply);
        }
        self.reply(reply);
    }

    /// Answers [`Event::Recipients`], one reply for each in their order.
    pub fn answer_recipients(&mut self, replies: Vec<Reply>) {
        let Some(Owed::Recipients { before, asked }) = self.owed.take() else { return };
        debug_assert_eq!(replies.len(), asked, "one reply for each recipient");
        let mut answers = replies.into_iter();
        for known in before {
            let reply = known.or_else(|| answers.next()).unwrap_or_else(|| Reply::new(451, "4.3.0 No answer"));
            if reply.is_positive()
                && let State::Mail { recipients } = &mut self.state
            {
                *recipients += 1;
                self.accepted_recipients = self.accepted_recipients.saturating_add(1);
            }
            self.refused_recipients += u32::from(reply.is_permanent());
            self.reply(&reply);
        }
        let most = self.settings.limits.tolerance.refused_recipients_max.saturating_add(self.accepted_recipients / 4);
        if self.refused_recipients > most {
            self.excess = Some(Excess::RefusedRecipients);
            self.end(&Reply::new(421, "4.7.0 Too many recipients that do not exist"));
        }
    }

    /// The connection is encrypted now: all that was said before is forgotten (RFC 3207 section 4.2).
    pub fn tls_started(&mut self) {
        self.owed = None;
        self.tls = true;
        self.state = State::Fresh;
        self.input.clear();
        self.helo.clear();
        self.offered = Capabilities::default();
    }

    fn reply(&mut self, reply: &Reply) {
        if matches!(self.state, State::Closing | State::Closed) {
            return;
        }
        reply.write_to(&mut self.output);
    }

    /// The last reply; the shell is told to close with the next event.
    fn end(&mut self, reply: &Reply) {
        self.reply(reply);
        if !matches!(self.state, State::Closed) {
            self.state = State::Closing;
        }
        self.input = Vec::new();
    }

    /// One line without its CRLF; `Err` closes the connection. Only CRLF ends a line.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Reply> {
        let Some(lf) = memchr::memchr(b'\n', &self.input) else {
            return if self.input.len() > COMMAND_LINE_BYTES_MAX {
                Err(Reply::new(500, "5.5.2 Line too long"))
            } else {
                Ok(None)
            };
        };
        if lf >= COMMAND_LINE_BYTES_MAX {
            return Err(Reply::new(500, "5.5.2 Line too long"));
        }
        if lf == 0 || self.input[lf - 1] != b'\r' {
            return Err(Reply::new(500, "5.5.2 A line ends with CR LF; a bare LF is refused"));
        }
        let line = self.input[..lf - 1].to_vec();
        self.input.drain(..=lf);
        self.commands += 1;
        Ok(Some(line))
    }

    fn refuse(&mut self, reply: &Reply) {
        self.errors += 1;
        if self.errors > self.settings.limits.tolerance.errors_max {
            self.excess = Some(Excess::Errors);
            return self.end(&Reply::new(421, "4.7.0 Too many errors"));
        }
        self.reply(reply);
    }

    /// As [`Session::refuse`], for a command that brings no event then.
    fn refused(&mut self, reply: &Reply) -> Option<Event> {
        self.refuse(reply);
        None
    }

    fn command(&mut self, line: &[u8]) -> Option<Event> {
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(reply) => return self.refused(&reply),
        };
        if self.pipelined_too_early(&command) {
            self.end(&Reply::new(554, "5.5.0 Data sent before the reply it depends on"));
            return None;
        }
        match command {
            Command::Ehlo(name) => self.said_hello(name, true),
            Command::Helo(name) => self.said_hello(name, false),
            Command::Mail { sender, params } => self.mail(sender, &params),
            Command::Rcpt { recipient, params } => self.recipients(recipient, &params),
            Command::Data => self.data(),
            Command::Rset => self.reset(),
            Command::Noop => self.junk(&Reply::new(250, "2.0.0 Ok")),
            Command::Vrfy => self.junk(&Reply::new(252, "2.0.0 Try RCPT")),
            Command::Help => self.junk(&Reply::new(214, "2.0.0 See RFC 5321")),
            Command::Quit => {
                self.end(&Reply::new(221, "2.0.0 Bye"));
                None
            }
            Command::StartTls => self.start_tls(),
            Command::XClient(attributes) => self.xclient(attributes),
            Command::XForward(attributes) => self.xforward(attributes),
        }
    }

    /// Input after a command that must end its group (RFC 2920 section 3.1; RFC 3207 section 4).
    fn pipelined_too_early(&self, command: &Command) -> bool {
        let ends_group = matches!(
            command,
            Command::Ehlo(_) | Command::Helo(_) | Command::Data | Command::StartTls | Command::XClient(_)
        );
        ends_group && !self.input.is_empty()
    }

    fn said_hello(&mut self, name: String, extended: bool) -> Option<Event> {
        if !matches!(self.state, State::Fresh) && self.is_too_much_junk() {
            return None;
        }
        let was_in_transaction = matches!(self.state, State::Mail { .. });
        self.helo = name;
        self.owed = Some(Owed::Hello { extended });
        if was_in_transaction {
            self.state = State::Ready;
        }
        Some(Event::Hello)
    }

    fn mail(&mut self, sender: Option<Address>, text: &str) -> Option<Event> {
        match self.state {
            State::Ready => {}
            State::Mail { .. } => return self.refused(&Reply::new(503, "5.5.1 A sender is already given")),
            _ => return self.refused(&Reply::new(503, "5.5.1 Say EHLO first")),
        }
        let params = match params::parse_mail(text, &self.offered) {
            Ok(params) => params,
            Err(reply) => return self.refused(&reply),
        };
        if sender.as_ref().is_some_and(Address::needs_smtputf8) && !params.smtputf8 {
            return self.refused(&Reply::new(553, "5.6.7 This address needs SMTPUTF8"));
        }
        let limit = self.offered.size.filter(|size| *size > 0).unwrap_or(self.settings.limits.message_bytes_max as u64);
        if params.size.is_some_and(|size| size > limit) {
            return self.refused(&Reply::new(552, format!("5.3.4 Message over {limit} bytes")));
        }
        self.owed = Some(Owed::Mail);
        Some(Event::Mail { sender, params })
    }

    /// Takes this RCPT and all that are pipelined behind it, so that the shell can ask the hop for them in one go.
    fn recipients(&mut self, recipient: Option<Address>, text: &str) -> Option<Event> {
        let State::Mail { recipients: accepted } = self.state else {
            return self.refused(&Reply::new(503, "5.5.1 Give a sender first"));
        };
        let mut before = Vec::new();
        let mut asked = Vec::new();
        let mut next = Some((recipient, text.to_owned()));
        while let Some((recipient, text)) = next.take() {
            let full = accepted + asked.len() >= self.settings.limits.recipients_max;
            self.recipients_over += u64::from(full);
            match self.recipient(recipient, &text, full) {
                Ok(request) => {
                    before.push(None);
                    asked.push(request);
                }
                Err(reply) => before.push(Some(reply)),
            }
            if asked.len() < RECIPIENT_BATCH_MAX {
                next = self.pipelined_recipient();
            }
        }
        if asked.is_empty() {
            before.into_iter().flatten().for_each(|reply| self.refuse_recipient(&reply));
            return None;
        }
        self.owed = Some(Owed::Recipients { before, asked: asked.len() });
        Some(Event::Recipients(asked))
    }

    /// A recipient over the limit is no fault of the client: it is to send the rest in another transaction (RFC 5321
    /// section 4.5.3.1.10).
    fn refuse_recipient(&mut self, reply: &Reply) {
        if reply.is_transient() { self.reply(reply) } else { self.refuse(reply) }
    }

    fn recipient(&self, recipient: Option<Address>, text: &str, full: bool) -> Result<RcptRequest, Reply> {
        let recipient = recipient.or_else(|| self.settings.postmaster.clone());
        let recipient = recipient.ok_or_else(|| Reply::new(550, "5.1.1 Give the postmaster's domain as well"))?;
        if full {
            return Err(Reply::new(452, "4.5.3 Too many recipients"));
        }
        if recipient.needs_smtputf8() && !self.offered.smtputf8 {
            return Err(Reply::new(553, "5.6.7 This address needs SMTPUTF8"));
        }
        let params = params::parse_rcpt(text, &self.offered)?;
        Ok(RcptRequest { recipient, params })
    }

    /// The next line, if it is whole and a valid RCPT; anything else stays where it is.
    fn pipelined_recipient(&mut self) -> Option<(Option<Address>, String)> {
        let lf = memchr::memchr(b'\n', &self.input).filter(|lf| (1..COMMAND_LINE_BYTES_MAX).contains(lf))?;
        let line = self.input[..lf].strip_suffix(b"\r")?;
        let Ok(Command::Rcpt { recipient, params }) = command::parse(line) else { return None };
        self.input.drain(..=lf);
        Some((recipient, params))
    }

    fn data(&mut self) -> Option<Event> {
        match self.state {
            State::Mail { recipients: 0 } => self.refused(&Reply::new(554, "5.5.1 No valid recipients")),
            State::Mail { .. } => {
                self.owed = Some(Owed::Data);
                Some(Event::Data)
            }
            _ => self.refused(&Reply::new(503, "5.5.1 Give sender and recipients first")),
        }
    }

    fn message(&mut self) -> Option<Event> {
        let State::Data(reader, refused) = std::mem::replace(&mut self.state, State::Ready) else { return None };
        let (bytes, flaws) = reader.finish();
        if let Some(reply) = refused {
            self.refuse(&reply);
            return Some(Event::Reset);
        }
        if let Some(reply) = self.flawed(flaws) {
            self.reply(&reply);
            return Some(Event::Reset);
        }
        self.owed = Some(Owed::Message);
        Some(Event::Message { bytes, normalised: flaws.has_stray() })
    }

    fn flawed(&self, flaws: Flaws) -> Option<Reply> {
        if flaws.too_large {
            let limit = self.settings.limits.message_bytes_max;
            return Some(Reply::new(552, format!("5.3.4 Message over {limit} bytes")));
        }
        if flaws.has_stray() && self.settings.bare_newline == BareNewline::Reject {
            return Some(Reply::new(550, "5.6.0 Message has a bare CR, a bare LF or a NUL; lines end with CR LF"));
        }
        flaws.long_line.then(|| Reply::new(550, format!("5.6.0 Message has a line over {TEXT_LINE_BYTES_MAX} bytes")))
    }

    fn reset(&mut self) -> Option<Event> {
        let in_transaction = matches!(self.state, State::Mail { .. });
        if in_transaction {
            self.state = State::Ready;
        }
        self.junk(&Reply::new(250, "2.0.0 Ok"));
        in_transaction.then_some(Event::Reset)
    }

    fn junk(&mut self, reply: &Reply) -> Option<Event> {
        if !self.is_too_much_junk() {
            self.reply(reply);
        }
        None
    }

    /// Counts a command that brings nothing on; over the limit the session ends.
    fn is_too_much_junk(&mut self) -> bool {
        self.junk += 1;
        let is_over = self.junk > self.settings.limits.tolerance.junk_max;
        if is_over {
            self.excess = Some(Excess::Junk);
            self.end(&Reply::new(421, "4.7.0 Too many commands without a message"));
        }
        is_over
    }

    fn start_tls(&mut self) -> Option<Event> {
        if !self.settings.starttls || self.tls {
            return self.refused(&Reply::new(502, "5.5.1 STARTTLS is not offered"));
        }
        if matches!(self.state, State::Mail { .. }) {
            return self.refused(&Reply::new(503, "5.5.1 Not inside a transaction"));
        }
        self.reply(&Reply::new(220, "2.0.0 Ready to start TLS"));
        self.owed = Some(Owed::Tls);
        Some(Event::StartTls)
    }

    fn xclient(&mut self, attributes: Attributes) -> Option<Event> {
        if !self.settings.xclient {
            return self.refused(&Reply::new(550, "5.7.0 XCLIENT is not allowed from here"));
        }
        if matches!(self.state, State::Mail { .. }) {
            return self.refused(&Reply::new(503, "5.5.1 Not inside a transaction"));
        }
        // The session starts again for the new client, greeting included (XCLIENT_README).
        self.state = State::Fresh;
        self.helo = attributes.helo.clone().unwrap_or_default();
        let greeting = format!("{} ESMTP Reprieve", self.settings.hostname);
        self.reply(&Reply::new(220, greeting));
        Some(Event::XClient(attributes))
    }

    fn xforward(&mut self, attributes: Attributes) -> Option<Event> {
        if !self.settings.xforward {
            return self.refused(&Reply::new(550, "5.7.0 XFORWARD is not allowed from here"));
        }
        if !matches!(self.state, State::Ready) {
            return self.refused(&Reply::new(503, "5.5.1 Not here"));
        }
        self.reply(&Reply::new(250, "2.0.0 Ok"));
        Some(Event::XForward(attributes))
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
