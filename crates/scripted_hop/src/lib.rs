//! A next hop on loopback for tests: an SMTP server that does what a script says at each place of a transaction where
//! something may go wrong: at a recipient, at DATA, and at the final dot, where it may close instead of answering.
//!
//! A script is a [`Script`]. [`Listed`] is the plain one: what happens at the next dots is a list, and it remembers
//! what it has taken.

mod listed;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use wire::smtp::capabilities::Capabilities;
use wire::smtp::reply::Reply;
use wire::smtp::server::{Connection, Deadlines};
use wire::smtp::session::{Event, Session, Settings};

pub use listed::{AtDot, Listed, Taken};

/// A transaction on one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The reverse path; empty for notifications.
    pub sender: String,
    /// The forward paths that were accepted.
    pub recipients: Vec<String>,
}

/// What a hop does.
pub trait Script: Send + Sync + 'static {
    /// Whether the gateway is there to be answered; a hop that says no closes.
    fn is_heard(&self) -> bool {
        true
    }

    /// The answer to a recipient.
    fn recipient(&self, envelope: &Envelope, recipient: &str) -> Reply;

    /// Comes before the answer to DATA, and may wait.
    fn data(&self, envelope: &Envelope) -> impl Future<Output = ()> + Send;

    /// The answer to DATA.
    fn answer_to_data(&self) -> Reply {
        Reply::new(354, "Go on")
    }

    /// The answer to the final dot; none when the connection is closed instead.
    fn dot(&self, envelope: &Envelope, bytes: Vec<u8>) -> impl Future<Output = Option<Reply>> + Send;
}

/// Listens on a port of loopback that the system chooses, for as long as the runtime lives.
///
/// # Errors
/// When no port can be had.
pub async fn listen(script: Arc<impl Script>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, script.clone()));
        }
    });
    Ok(address)
}

async fn serve(socket: TcpStream, script: Arc<impl Script>) {
    let settings = Settings { hostname: "hop.example".into(), ..Settings::default() };
    let mut connection = Connection::new(socket, Session::new(settings), Deadlines::default(), &[]);
    let mut envelope = Envelope::default();
    while let Ok(event) = connection.event().await {
        if !script.is_heard() {
            return;
        }
        let session = &mut connection.session;
        match event {
            Event::Hello => session.hello(&everything()),
            Event::Mail { sender, .. } => {
                let sender = sender.map(|sender| sender.to_string()).unwrap_or_default();
                envelope = Envelope { sender, recipients: Vec::new() };
                session.answer(&Reply::new(250, "2.1.0 Ok"));
            }
            Event::Recipients(asked) => {
                let mut replies = Vec::with_capacity(asked.len());
                for recipient in asked.into_iter().map(|one| one.recipient.to_string()) {
                    let reply = script.recipient(&envelope, &recipient);
                    if reply.is_positive() {
                        envelope.recipients.push(recipient);
                    }
                    replies.push(reply);
                }
                session.answer_recipients(replies);
            }
            Event::Data => {
                script.data(&envelope).await;
                session.answer(&script.answer_to_data());
            }
            Event::Message { bytes, .. } => match script.dot(&envelope, bytes).await {
                Some(reply) => session.answer(&reply),
                None => return,
            },
            Event::Close => return connection.shut().await,
            Event::StartTls | Event::Reset | Event::XClient(_) | Event::XForward(_) => {}
        }
    }
}

fn everything() -> Capabilities {
    Capabilities { size: Some(0), eight_bit: true, smtputf8: true, dsn: true, ..Capabilities::default() }
}
