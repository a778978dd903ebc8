//! The demo's next hop: takes every mail and keeps it in memory.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use wire::smtp::capabilities::Capabilities;
use wire::smtp::reply::Reply;
use wire::smtp::server::{Connection, Deadlines};
use wire::smtp::session::{Event, Session, Settings};

/// A mail that arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The forward paths.
    pub recipients: Vec<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A next hop in this process.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    is_down: Arc<AtomicBool>,
}

impl Sink {
    /// Starts it on a port of loopback that the system chooses.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { address: listener.local_addr()?, arrived: Arc::default(), is_down: Arc::default() };
        let own = sink.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let settings = Settings { hostname: "mailbox.demo.example".into(), ..Settings::default() };
                let connection = Connection::new(socket, Session::new(settings), Deadlines::default(), &[]);
                tokio::spawn(own.clone().serve(connection));
            }
        });
        Ok(sink)
    }

    /// What has arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().map(|arrived| arrived.clone()).unwrap_or_default()
    }

    /// Takes no mail from now on, or takes it again.
    pub fn be_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    async fn serve(self, mut connection: Connection) {
        let everything =
            Capabilities { size: Some(0), eight_bit: true, smtputf8: true, dsn: true, ..Capabilities::default() };
        let mut recipients = Vec::new();
        while let Ok(event) = connection.event().await {
            let session = &mut connection.session;
            match event {
                Event::Hello => session.hello(&everything),
                Event::Mail { .. } if self.is_down.load(Ordering::SeqCst) => {
                    session.answer(&Reply::new(451, "4.3.2 The mailbox server is down"));
                }
                Event::Mail { .. } => {
                    recipients.clear();
                    session.answer(&Reply::new(250, "2.1.0 Ok"));
                }
                Event::Recipients(asked) => {
                    let replies = vec![Reply::new(250, "2.1.5 Ok"); asked.len()];
                    recipients.extend(asked.into_iter().map(|asked| asked.recipient.to_string()));
                    session.answer_recipients(replies);
                }
                Event::Data => session.answer(&Reply::new(354, "Go on")),
                Event::Message { bytes, .. } => {
                    let number = self.arrived.lock().map(|mut arrived| {
                        arrived.push(Arrived { recipients: std::mem::take(&mut recipients), bytes });
                        arrived.len()
                    });
                    session
                        .answer(&Reply::new(250, format!("2.0.0 Ok: mail {} is in the mailbox", number.unwrap_or(0))));
                }
                Event::Close => return connection.shut().await,
                Event::StartTls | Event::Reset | Event::XClient(_) | Event::XForward(_) => {}
            }
        }
    }
}
