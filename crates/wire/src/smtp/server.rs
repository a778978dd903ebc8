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

/// How long a client that is sent away may take to hear it.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a client may take. Each is for the whole request, not for one read, so that a byte a minute does not hold a place.
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
}

/// A connection in the server's hands.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    /// The session, to be answered between events.
    pub session: Session,
    /// How long the client may take from now on. They may change while it is waited for.
    pub deadlines: Deadlines,
    buffer: Vec<u8>,
    /// Since when the next event is waited for.
    waiting: Option<Instant>,
}

impl Connection {
    /// A session over an accepted socket. `first` is what has already been read behind a PROXY header.
    pub fn new(socket: TcpStream, session: Session, deadlines: Deadlines, first: &[u8]) -> Self {
        let mut connection =
            Self { stream: Stream::Plain(socket), session, deadlines, buffer: Vec::new(), waiting: None };
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

    /// Sends what is to be sent and waits for the next event or for more bytes, whichever comes first: so whoever counts what a session holds can
    /// look while a message comes.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn progress(&mut self) -> Result<Progress, Ended> {
        if let Some(event) = self.session.next() {
            self.waiting = None;
            return Ok(Progress::Event(event));
        }
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let deadline = since + self.limit();
        let stepped = timeout_at(deadline, self.exchange()).await;
        let Ok(count) = stepped else {
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

    /// Sends what is to be sent, in one write.
    ///
    /// # Errors
    /// When the socket fails.
    pub async fn flush(&mut self) -> io::Result<()> {
        let output = self.session.take_output();
        if output.is_empty() {
            return Ok(());
        }
        self.stream.write_all(&output).await?;
        self.stream.flush().await
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
