//! RFC 5424 over TCP (RFC 6587, octet counting) and over TLS (RFC 5425).
//!
//! Syslog has no answer: what was written to a connection may be lost with whoever was to read it. So each page has a
//! connection of its own, which we close for writing behind it. A receiver that has read all comes to our end, and
//! closes on its side; one that died with something unread resets the connection (RFC 1122 section 4.2.2.13), and one
//! that hangs does neither. Only the first has taken the page.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Told, said};

/// The facility of an audit log (RFC 5424 section 6.2.1), times eight.
const FACILITY: u8 = 13 * 8;
/// What people should look at.
const NOTICE: u8 = 5;
/// The rest.
const INFORMATIONAL: u8 = 6;
/// Bytes that a receiver may say to us; it has nothing to say.
const SAID_MAX: u64 = 64 << 10;

/// Events as messages, each behind its length.
pub(super) fn frames(host: &str, events: &[Told]) -> Vec<u8> {
    let mut out = Vec::new();
    for Told { at, kind, is_notable, line } in events {
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
    let stream = TcpStream::connect((host, port)).await.map_err(said)?;
    match tls {
        None => send_on(stream, frames, confirmed).await,
        Some(tls) => {
            let name = ServerName::try_from(host.to_owned()).map_err(said)?;
            let stream = TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(said)?;
            send_on(stream, frames, confirmed).await
        }
    }
}

async fn send_on(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    frames: &[u8],
    confirmed: bool,
) -> Result<(), String> {
    stream.write_all(frames).await.map_err(said)?;
    stream.shutdown().await.map_err(said)?;
    if !confirmed {
        return Ok(());
    }
    let ended = tokio::io::copy(&mut stream.take(SAID_MAX), &mut tokio::io::sink()).await;
    match ended {
        Ok(SAID_MAX) => Err("it talks, and does not close the connection".into()),
        Ok(_) => Ok(()),
        // A receiver that closes without a word of TLS has come to our end nevertheless: an attacker who cuts the
        // connection for it before that could as well drop what it has read.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(format!("it did not take them: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_message_is_framed_by_its_length() {
        let at = Timestamp::from_micros(1_795_000_000_123_456);
        let told = |is_notable| Told { at, kind: "verdict", is_notable, line: "{}".into() };
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
