//! RFC 5424 over TCP (RFC 6587, octet counting) and over TLS (RFC 5425).
//!
//! Syslog has no answer: what was written to a connection may be lost with whoever was to read it. So each slice has a
//! connection of its own, which we close for writing behind it. A receiver that has read all comes to our end, and
//! closes on its side; one that died with something unread resets the connection (RFC 1122 section 4.2.2.13), and one
//! that hangs does neither. One that closes before our end has come to it has read nothing up to there, and one whose
//! system has not confirmed every byte cannot have read them. Only who does none of that has taken the slice.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::unsent::unsent;
use super::{Told, said};

/// The facility of an audit log (RFC 5424 section 6.2.1), times eight.
const FACILITY: u8 = 13 * 8;
/// What people should look at.
const NOTICE: u8 = 5;
/// The rest.
const INFORMATIONAL: u8 = 6;
/// Bytes that a receiver may say to us; it has nothing to say.
const SAID_MAX: u64 = 64 << 10;
/// Why one that says more is not believed.
const TALKS: &str = "it talks, and does not close the connection";
/// How long something may take that has come already: the runtime has to hear of it.
const AT_ONCE: Duration = Duration::from_millis(5);
/// How often it is looked whether everything is confirmed: at first, and at last.
const LOOK_FIRST: Duration = Duration::from_millis(5);
const LOOK_MOST: Duration = Duration::from_millis(200);

/// Events as messages, each behind its length.
pub(super) fn frames(host: &str, events: &[Told]) -> Vec<u8> {
    let mut out = Vec::new();
    for Told { at, kind, is_notable, line, .. } in events {
        let priority = FACILITY + if *is_notable { NOTICE } else { INFORMATIONAL };
        let message = format!("<{priority}>1 {at} {} reprieve - {kind} - {line}", header(host));
        out.extend_from_slice(format!("{} {message}", message.len()).as_bytes());
    }
    out
}

/// A name as a field of the header: printable ASCII without spaces, 255 characters at most.
fn header(name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// Sends messages over a connection of their own; with `confirmed` until the receiver has closed it behind them.
///
/// # Errors
/// Why they have to be sent again.
pub(super) async fn send(
    host: &str,
    port: u16,
    tls: Option<&Arc<ClientConfig>>,
    frames: &[u8],
    confirmed: bool,
) -> Result<(), String> {
    let mut stream = TcpStream::connect((host, port)).await.map_err(said)?;
    // What is written is the slice and its end: nothing is gained by waiting for more of it.
    let _ = stream.set_nodelay(true);
    match tls {
        None => send_on(&mut stream, |stream| stream, frames, confirmed).await?,
        Some(tls) => {
            let name = ServerName::try_from(host.to_owned()).map_err(said)?;
            let mut secret = TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(said)?;
            send_on(&mut secret, |secret| secret.get_ref().0, frames, confirmed).await?;
            stream = secret.into_inner().0;
        }
    }
    if confirmed { is_over(&mut stream).await } else { Ok(()) }
}

/// Sends messages and our end; with `confirmed` until the receiver has said its own. `socket` is the connection below.
async fn send_on<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    socket: impl Fn(&S) -> &TcpStream,
    frames: &[u8],
    confirmed: bool,
) -> Result<(), String> {
    stream.write_all(frames).await.map_err(said)?;
    stream.flush().await.map_err(said)?;
    if confirmed {
        until_confirmed(socket(stream)).await;
        if has_ended(stream).await? {
            return Err("it closed the connection before it had read everything".into());
        }
    }
    stream.shutdown().await.map_err(said)?;
    if !confirmed {
        return Ok(());
    }
    until_end(stream).await
}

/// Waits until the receiver's system has everything, as far as ours tells.
async fn until_confirmed(socket: &TcpStream) {
    let mut rest = LOOK_FIRST;
    while unsent(socket).await.is_some_and(|bytes| bytes > 0) {
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(LOOK_MOST);
    }
}

/// Whether the receiver has closed already; what else it has said is passed over.
async fn has_ended(stream: &mut (impl AsyncRead + Unpin)) -> Result<bool, String> {
    let mut some = [0; 1024];
    for _ in 0..SAID_MAX / some.len() as u64 {
        match tokio::time::timeout(AT_ONCE, stream.read(&mut some)).await {
            Err(_) => return Ok(false),
            Ok(Ok(0)) => return Ok(true),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(format!("it did not take them: {error}")),
        }
    }
    Err(TALKS.into())
}

async fn until_end(stream: &mut (impl AsyncRead + Unpin)) -> Result<(), String> {
    match tokio::io::copy(&mut stream.take(SAID_MAX), &mut tokio::io::sink()).await {
        Ok(SAID_MAX) => Err(TALKS.into()),
        Ok(_) => Ok(()),
        // A receiver that closes without a word of TLS has come to our end nevertheless: an attacker who cuts the
        // connection for it before that could as well drop what it has read.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(format!("it did not take them: {error}")),
    }
}

/// Whether the connection came to its end in order: closed on both sides, and all of ours confirmed. A receiver that
/// goes with something unread, or before all has come, answers with a reset.
async fn is_over(stream: &mut TcpStream) -> Result<(), String> {
    until_end(stream).await?;
    until_confirmed(stream).await;
    match stream.take_error() {
        Ok(None) => Ok(()),
        Ok(Some(error)) | Err(error) => Err(format!("it did not take them: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_message_is_framed_by_its_length() {
        let at = Timestamp::from_micros(1_795_000_000_123_456);
        let told = |is_notable| Told {
            sequence: 0,
            at,
            kind: "verdict",
            is_notable,
            line: "{}".into(),
            instead: String::new(),
        };
        let sent = frames("mx one.example", &[told(true), told(false)]);
        let message = |priority| format!("<{priority}>1 {at} mxone.example reprieve - verdict - {{}}");
        let framed = |priority| format!("{} {}", message(priority).len(), message(priority));
        assert_eq!(String::from_utf8(sent).expect("ASCII"), format!("{}{}", framed(109), framed(110)));
        assert_eq!(header("\u{e9} "), "-");
    }

    /// A receiver that reads so much and then does what it does; whether what was sent counts as taken.
    async fn sent_to(reads: usize, dies: bool) -> Result<(), String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let receiving = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("accepts");
            let mut read = vec![0; reads];
            socket.read_exact(&mut read).await.expect("reads");
            if dies {
                // Something is unread by now, or will be.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                return;
            }
            socket.read_to_end(&mut read).await.expect("reads");
        });
        let sent = send("127.0.0.1", port, None, &vec![b'x'; 100_000], true).await;
        receiving.await.expect("ends");
        sent
    }

    #[tokio::test]
    async fn only_what_the_receiver_has_read_to_its_end_was_taken() {
        assert_eq!(sent_to(10, false).await, Ok(()));
        assert!(sent_to(10, true).await.is_err(), "the rest was in the buffer of one that died");
    }

    /// What a receiver does that does not read.
    #[derive(Clone, Copy, Debug)]
    enum Leaves {
        /// Closes at once.
        AtOnce,
        /// Says that it is through, and goes a while later.
        HalfClosed,
        /// The same, and reads all of it afterwards: nobody can tell.
        Early,
    }

    async fn leaves(mut socket: impl AsyncRead + AsyncWrite + Unpin, does: Leaves) {
        match does {
            Leaves::AtOnce => {}
            Leaves::HalfClosed => {
                socket.shutdown().await.expect("half-closes");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Leaves::Early => {
                socket.shutdown().await.expect("half-closes");
                // It may be gone by now.
                let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
            }
        }
    }

    #[tokio::test]
    async fn who_closes_before_our_end_has_taken_nothing() {
        for does in [Leaves::AtOnce, Leaves::HalfClosed, Leaves::Early] {
            for bytes in [10, 100_000] {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
                let port = listener.local_addr().expect("an address").port();
                let receiving = tokio::spawn(async move {
                    let (socket, _) = listener.accept().await.expect("accepts");
                    leaves(socket, does).await;
                });
                let sent = send("127.0.0.1", port, None, &vec![b'x'; bytes], true).await;
                assert!(sent.is_err(), "{does:?} of {bytes}");
                receiving.await.expect("ends");
            }
        }
    }

    #[tokio::test]
    async fn who_says_goodbye_over_tls_without_reading_has_taken_nothing() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let server = wire::tls::server_config_of(vec![made.cert.der().clone()], key).expect("a server");
        let knows = wire::tls::client_config_trusting(vec![made.cert.der().clone()]).expect("a client");
        for does in [Leaves::AtOnce, Leaves::HalfClosed] {
            let acceptor = tokio_rustls::TlsAcceptor::from(server.clone());
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
            let port = listener.local_addr().expect("an address").port();
            let receiving = tokio::spawn(async move {
                let (socket, _) = listener.accept().await.expect("accepts");
                leaves(acceptor.accept(socket).await.expect("a handshake"), does).await;
            });
            let sent = send("localhost", port, Some(&knows), &[b'x'; 1000], true).await;
            assert!(sent.is_err(), "{does:?}");
            receiving.await.expect("ends");
        }
    }

    #[tokio::test]
    async fn over_tls_only_to_whom_an_authority_vouches_for() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let server = wire::tls::server_config_of(vec![made.cert.der().clone()], key).expect("a server");
        let acceptor = tokio_rustls::TlsAcceptor::from(server);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let port = listener.local_addr().expect("an address").port();
        let receiving = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("accepts");
                let Ok(mut socket) = acceptor.accept(socket).await else { continue };
                let mut read = Vec::new();
                socket.read_to_end(&mut read).await.expect("reads");
                socket.shutdown().await.expect("closes");
                return read;
            }
        });
        let stranger = wire::tls::client_config_trusting(Vec::new()).expect("a client");
        let refused = send("localhost", port, Some(&stranger), b"5 hello", true).await;
        assert!(refused.is_err_and(|why| why.contains("certificate")));
        let knows = wire::tls::client_config_trusting(vec![made.cert.der().clone()]).expect("a client");
        assert_eq!(send("localhost", port, Some(&knows), b"5 hello", true).await, Ok(()));
        assert_eq!(receiving.await.expect("ends"), b"5 hello");
    }
}
