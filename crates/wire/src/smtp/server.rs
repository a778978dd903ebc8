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

/// Bytes read from the socket at once.
const READ_BYTES: usize = 64 * 1024;

/// How long a client may take. Each is for the whole request, not for one read, so that a byte a minute does not hold a place.
#[derive(Clone, Debug)]
pub struct Deadlines {
    /// For one command line (RFC 5321 section 4.5.3.2.7: 5 minutes).
    pub command: Duration,
    /// For the data, before the credit of `data_bytes_per_second`.
    pub data: Duration,
    /// Each second of credit costs so many bytes.
    pub data_bytes_per_second: u32,
    /// For a TLS handshake or a PROXY header.
    pub handshake: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            command: Duration::from_secs(300),
            data: Duration::from_secs(300),
            data_bytes_per_second: 500,
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

/// A connection in the server's hands.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    /// The session, to be answered between events.
    pub session: Session,
    deadlines: Deadlines,
    buffer: Vec<u8>,
}

impl Connection {
    /// A session over an accepted socket. `first` is what has already been read behind a PROXY header.
    pub fn new(socket: TcpStream, session: Session, deadlines: Deadlines, first: &[u8]) -> Self {
        let mut connection = Self { stream: Stream::Plain(socket), session, deadlines, buffer: vec![0; READ_BYTES] };
        connection.session.receive(first);
        connection
    }

    /// Sends what is to be sent and waits for the next event.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn event(&mut self) -> Result<Event, Ended> {
        let started = Instant::now();
        loop {
            if let Some(event) = self.session.next() {
                return Ok(event);
            }
            self.flush().await?;
            let limit = if self.session.in_data() {
                let credit = self.session.data_bytes() as u64 / u64::from(self.deadlines.data_bytes_per_second.max(1));
                self.deadlines.data + Duration::from_secs(credit)
            } else {
                self.deadlines.command
            };
            let Ok(read) = timeout_at(started + limit, self.stream.read(&mut self.buffer)).await else {
                self.session.close(&Reply::new(421, "4.4.2 Too slow"));
                self.flush().await?;
                return Err(Ended::TimedOut);
            };
            let count = read?;
            if count == 0 {
                return Err(Ended::Closed);
            }
            self.session.receive(&self.buffer[..count]);
        }
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
        let _ = self.flush().await;
        let _ = tokio::time::timeout(Duration::from_secs(2), self.stream.shutdown()).await;
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
