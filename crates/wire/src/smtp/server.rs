//! One accepted connection: a [`Session`] with its socket and deadlines.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::reply::Reply;
use super::session::{Event, Session};
use crate::proxy;
use crate::stream::Stream;

/// Bytes read from the socket at once while a message comes.
const READ_BYTES: usize = 64 * 1024;
/// Bytes read at once while commands come: what many idle clients cost together is what counts.
const READ_BYTES_COMMANDS: usize = 4 * 1024;

/// After so long without anything from the client whoever serves the connection is asked whether the client may still
/// wait.
const LOOK: Duration = Duration::from_secs(2);

/// How long a client that is sent away may take to hear it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a client may take. Each is for the whole request, not for one read, so that a byte a minute does not hold a
/// place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// For one command line (RFC 5321 section 4.5.3.2.7: 5 minutes).
    pub command: Duration,
    /// For the data, before the credit of `data_bytes_per_second`.
    pub data: Duration,
    /// Each second of credit costs so many bytes.
    pub data_bytes_per_second: u32,
    /// For the data in all, whatever the credit.
    pub data_max: Duration,
    /// For a TLS handshake or a PROXY header.
    pub handshake: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            command: Duration::from_secs(300),
            data: Duration::from_secs(300),
            data_bytes_per_second: 4096,
            data_max: Duration::from_secs(3600),
            handshake: Duration::from_secs(30),
        }
    }
}

/// Why there is no further event.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The client closed the connection.
    #[error("the client closed the connection")]
    Closed,
    /// The client was too slow; 421 has been sent.
    #[error("the client took longer than the deadline")]
    TimedOut,
    /// The socket failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

/// What one step brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something to decide.
    Event(Event),
    /// Bytes that make no whole command or message yet.
    Bytes,
    /// Nothing for two seconds: deadlines may have changed meanwhile.
    Silence,
}

/// A connection in the server's hands.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    /// The session, to be answered between events.
    pub session: Session,
    /// How long the client may take from now on. They may change while it is waited for.
    pub deadlines: Deadlines,
    /// Until when commands are waited for at all, whatever the deadline of one.
    pub leaves: Option<Instant>,
    buffer: Vec<u8>,
    /// What is being sent, and how much of it is.
    sending: (Vec<u8>, usize),
    /// Since when the next command, or the end of the data, is waited for.
    waiting: Option<Instant>,
    /// Commands that had come when that began.
    commands: u64,
}

impl Connection {
    /// A session over an accepted socket. `first` is what has already been read behind a PROXY header.
    pub fn new(socket: TcpStream, session: Session, deadlines: Deadlines, first: &[u8]) -> Self {
        let mut connection = Self {
            stream: Stream::Plain(socket),
            session,
            deadlines,
            leaves: None,
            buffer: Vec::new(),
            sending: (Vec::new(), 0),
            waiting: None,
            commands: 0,
        };
        connection.session.receive(first);
        connection
    }

    /// Sends what is to be sent and waits for the next event.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn event(&mut self) -> Result<Event, Ended> {
        loop {
            if let Progress::Event(event) = self.progress().await? {
                return Ok(event);
            }
        }
    }

    /// Sends what is to be sent and waits for the next event, for more bytes, or for two seconds, whichever comes
    /// first: so whoever counts what a session holds can look while a message comes, and whoever has less patience now
    /// does not wait for bytes to say so. Nothing is lost when it is dropped and called again.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn progress(&mut self) -> Result<Progress, Ended> {
        if let Some(event) = self.session.next() {
            self.waiting = None;
            return Ok(Progress::Event(event));
        }
        // Each command has its own deadline (RFC 5321 section 4.5.3.2.7), also one that is answered without an event,
        // such as NOOP.
        if self.session.commands() != self.commands {
            self.commands = self.session.commands();
            self.waiting = None;
        }
        let deadline = self.deadline();
        let look = Instant::now() + LOOK;
        let Ok(count) = timeout_at(deadline.min(look), self.exchange()).await else {
            if look < deadline {
                return Ok(Progress::Silence);
            }
            self.session.close(&Reply::new(421, "4.4.2 Too slow"));
            // It is told if it listens; a client that does not read has no claim to more time.
            let _ = tokio::time::timeout(FAREWELL, self.flush()).await;
            return Err(Ended::TimedOut);
        };
        let count = count?;
        if count == 0 {
            return Err(Ended::Closed);
        }
        self.session.receive(&self.buffer[..count]);
        Ok(Progress::Bytes)
    }

    /// Until when the client may take for what is waited for.
    fn deadline(&mut self) -> Instant {
        let deadline = *self.waiting.get_or_insert_with(Instant::now) + self.limit();
        match self.leaves {
            Some(leaves) if !self.session.in_data() => deadline.min(leaves),
            _ => deadline,
        }
    }

    /// How long the client may take for what is waited for.
    fn limit(&self) -> Duration {
        if !self.session.in_data() {
            return self.deadlines.command;
        }
        let credit = self.session.data_bytes() as u64 / u64::from(self.deadlines.data_bytes_per_second.max(1));
        (self.deadlines.data + Duration::from_secs(credit)).min(self.deadlines.data_max)
    }

    /// Writes what is to be sent, then reads.
    async fn exchange(&mut self) -> io::Result<usize> {
        self.flush().await?;
        let wanted = if self.session.in_data() { READ_BYTES } else { READ_BYTES_COMMANDS };
        if self.buffer.len() != wanted {
            self.buffer = vec![0; wanted];
        }
        self.stream.read(&mut self.buffer).await
    }

    /// Bytes of memory that this connection takes now for what the client sends.
    pub fn held_bytes(&self) -> usize {
        self.session.held_bytes() + self.buffer.len()
    }

    /// Sends what is to be sent, in one write where the socket takes it. Nothing is lost when it is dropped and called
    /// again.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn flush(&mut self) -> io::Result<()> {
        let output = self.session.take_output();
        if output.is_empty() && self.sending.0.is_empty() {
            return Ok(());
        }
        if self.sending.0.is_empty() {
            self.sending = (output, 0);
        } else {
            self.sending.0.extend(output);
        }
        // What has been written is noted at once: whoever waits may look elsewhere in between and call again.
        while self.sending.1 < self.sending.0.len() {
            let written = self.stream.write(&self.sending.0[self.sending.1..]).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.sending.1 += written;
        }
        self.stream.flush().await?;
        self.sending = (Vec::new(), 0);
        Ok(())
    }

    /// Takes the connection to TLS after [`Event::StartTls`].
    ///
    /// # Errors
    /// When the handshake fails or takes too long.
    pub async fn start_tls(mut self, config: Arc<ServerConfig>) -> Result<Self, Ended> {
        self.flush().await?;
        let Stream::Plain(socket) = self.stream else { return Err(Ended::Closed) };
        let handshake = TlsAcceptor::from(config).accept(socket);
        let Ok(encrypted) = tokio::time::timeout(self.deadlines.handshake, handshake).await else {
            return Err(Ended::TimedOut);
        };
        self.stream = Stream::Server(Box::new(encrypted?));
        self.session.tls_started();
        Ok(self)
    }

    /// Sends what is left and closes.
    pub async fn shut(mut self) {
        // The peer may be gone already; there is nobody left to tell.
        let farewell = async {
            self.flush().await?;
            self.stream.shutdown().await
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// Reads a PROXY header from a fresh connection; returns it with the bytes that came behind it.
///
/// # Errors
/// When there is none, or it takes too long.
pub async fn read_proxy_header(socket: &mut TcpStream, limit: Duration) -> io::Result<(proxy::Header, Vec<u8>)> {
    let refuse = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let reading = async {
        let mut bytes = Vec::new();
        loop {
            match proxy::parse(&bytes) {
                Ok(Some(header)) => {
                    let rest = bytes.split_off(header.length);
                    return Ok((header, rest));
                }
                Ok(None) => {}
                Err(none) => return Err(refuse(&none.to_string())),
            }
            let mut piece = [0; 512];
            let count = socket.read(&mut piece).await?;
            if count == 0 {
                return Err(refuse("closed inside the PROXY header"));
            }
            bytes.extend_from_slice(&piece[..count]);
        }
    };
    tokio::time::timeout(limit, reading).await.unwrap_or_else(|_| Err(refuse("no PROXY header in time")))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::smtp::capabilities::Capabilities;
    use crate::smtp::session::Settings;

    async fn connected(deadlines: Deadlines) -> (Connection, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("connects");
        let (socket, _) = listener.accept().await.expect("comes");
        (Connection::new(socket, Session::new(Settings::default()), deadlines, &[]), client)
    }

    /// Answers until the client has the word within its data.
    async fn into_data(wire: &mut Connection, client: &mut TcpStream) {
        client.write_all(b"EHLO c\r\n").await.expect("sent");
        let commands: [&[u8]; 3] = [b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n"];
        let mut commands = commands.into_iter();
        while !wire.session.in_data() {
            match wire.event().await.expect("goes on") {
                Event::Hello => wire.session.hello(&Capabilities::bare()),
                Event::Recipients(asked) => {
                    wire.session.answer_recipients(vec![Reply::new(250, "2.1.5 Ok"); asked.len()]);
                }
                Event::Data => wire.session.answer(&Reply::new(354, "Go on")),
                _ => wire.session.answer(&Reply::new(250, "2.1.0 Ok")),
            }
            if let Some(command) = commands.next() {
                client.write_all(command).await.expect("sent");
            }
        }
    }

    #[tokio::test]
    async fn a_client_that_is_silent_in_its_data_has_as_little_time_as_all_have_now() {
        let (mut wire, mut client) = connected(Deadlines::default()).await;
        into_data(&mut wire, &mut client).await;
        let began = Instant::now();
        assert_eq!(wire.progress().await.expect("it may wait"), Progress::Silence);
        wire.deadlines.data = Duration::from_secs(3);
        let ended = loop {
            match wire.progress().await {
                Ok(progress) => assert_eq!(progress, Progress::Silence),
                Err(ended) => break ended,
            }
        };
        assert!(matches!(ended, Ended::TimedOut), "{ended}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn each_command_has_its_own_deadline_and_a_visit_ends_all_the_same() {
        let second = Duration::from_secs(1);
        let (mut wire, client) = connected(Deadlines { command: 3 * second, ..Deadlines::default() }).await;
        wire.leaves = Some(Instant::now() + 7 * second);
        let (mut reading, mut writing) = client.into_split();
        let chatter = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(second).await;
                writing.write_all(b"NOOP\r\n").await?;
            }
            Ok::<_, io::Error>(writing)
        });
        let began = Instant::now();
        let ended = wire.event().await.expect_err("no event comes of it");
        chatter.abort();
        assert!(matches!(ended, Ended::TimedOut), "{ended}");
        let lasted = began.elapsed();
        assert!((6 * second..9 * second).contains(&lasted), "{lasted:?}");
        drop(wire);
        let mut said = Vec::new();
        let _ = reading.read_to_end(&mut said).await;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.matches("250 2.0.0 Ok").count() >= 5 && said.contains("421 4.4.2"), "{said}");
    }

    #[tokio::test]
    async fn what_is_sent_while_somebody_looks_elsewhere_is_sent_once_and_whole() {
        let (mut wire, mut client) = connected(Deadlines::default()).await;
        let lines = 30_000;
        client.write_all(b"HELO c\r\n").await.expect("sent");
        assert_eq!(wire.event().await.expect("said hello"), Event::Hello);
        // One long reply, more than the socket takes at once; it is waited for in pieces.
        let long: Vec<String> = (0..lines).map(|n| format!("{n:06} {}", "x".repeat(200))).collect();
        wire.session.close(&Reply { code: 421, lines: long });
        let reader = tokio::spawn(async move {
            let mut said = Vec::new();
            let mut block = vec![0; 4096];
            loop {
                let count = client.read(&mut block).await.expect("reads");
                if count == 0 {
                    return said;
                }
                said.extend_from_slice(&block[..count]);
                if said.len() % (1 << 18) < 4096 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        while tokio::time::timeout(Duration::from_millis(1), wire.flush()).await.is_err() {}
        wire.shut().await;
        let said = String::from_utf8(reader.await.expect("reads")).expect("text");
        let numbers: Vec<&str> = said.lines().filter_map(|line| line.get(4..10)).collect();
        assert!(numbers.len() > lines, "the greeting as well: {}", numbers.len());
        let wanted: Vec<String> = (0..lines).map(|n| format!("{n:06}")).collect();
        assert_eq!(numbers[numbers.len() - lines..], wanted[..]);
    }
}
