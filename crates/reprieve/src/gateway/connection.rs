//! One client connection: events of the session in, answers out.

use std::net::IpAddr;
use std::sync::Arc;

use domain::envelope::Client;
use rustix::net::RecvFlags;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use wire::smtp::command::Attributes;
use wire::smtp::reply::Reply;
use wire::smtp::server::{Connection, Deadlines, Ended, read_proxy_header};
use wire::smtp::session::{Event, Limits, Session, Settings};

use super::transaction::Transaction;
use super::{Gateway, intake};
use crate::config::{ListenerConfig, Role};
use crate::panic_switch::Stance;

/// Serves a connection to its end.
pub async fn serve(
    mut socket: TcpStream,
    peer: IpAddr,
    listener: &ListenerConfig,
    tls: Option<Arc<ServerConfig>>,
    gateway: Arc<Gateway>,
    stop: watch::Receiver<bool>,
) {
    let deadlines = Deadlines { command: gateway.config.limits.command_deadline, ..Deadlines::default() };
    let mut ip = peer;
    let mut first = Vec::new();
    if !listener.proxy_from.is_empty() {
        if !listed(&listener.proxy_from, peer) {
            return tracing::warn!(%peer, "a peer that is not in proxy_from was turned away");
        }
        match read_proxy_header(&mut socket, deadlines.handshake).await {
            Ok((header, rest)) => {
                ip = header.client.unwrap_or(peer).to_canonical();
                first = rest;
            }
            Err(error) => return tracing::warn!(%peer, %error, "no PROXY header"),
        }
    }
    if !first.is_empty() || has_talked(&socket) {
        return refuse_early_talk(socket, peer).await;
    }
    let limits = &gateway.config.limits;
    let settings = Settings {
        hostname: gateway.config.hostname.clone(),
        limits: Limits {
            message_bytes_max: limits.message_bytes_max,
            recipients_max: limits.recipients_max,
            ..Limits::default()
        },
        bare_newline: listener.bare_newline,
        xclient: listed(&listener.xclient_from, peer),
        xforward: listed(&listener.xclient_from, peer),
        starttls: tls.is_some(),
        postmaster: gateway.config.postmaster(),
    };
    let wire = Connection::new(socket, Session::new(settings), deadlines, &first);
    let mut door = Door {
        gateway,
        listener: listener.clone(),
        identity: Identity::of(ip),
        peer,
        forwarded: None,
        transaction: None,
    };
    if let Err(ended) = door.serve(wire, tls, stop).await
        && !matches!(ended, Ended::Closed)
    {
        tracing::debug!(%peer, %ended, "connection ended");
    }
}

/// Whether the client has sent something already: no program that speaks SMTP does, before it has seen the greeting (RFC 5321
/// section 4.3.1).
fn has_talked(socket: &TcpStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    rustix::net::recv(socket, &mut [0_u8; 1][..], flags).is_ok_and(|(bytes, _)| bytes > 0)
}

async fn refuse_early_talk(mut socket: TcpStream, peer: IpAddr) {
    tracing::info!(%peer, "a client that talked before the greeting was turned away");
    // It may be gone; there is nothing more to tell it.
    let _ = socket.write_all(b"554 5.5.0 Talked before the greeting\r\n").await;
    let _ = socket.shutdown().await;
}

fn listed(networks: &[ipnet::IpNet], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&ip))
}

/// Who the client is, after PROXY and XCLIENT.
#[derive(Clone, Debug)]
struct Identity {
    ip: IpAddr,
    login: Option<String>,
    proto: Option<String>,
}

impl Identity {
    fn of(ip: IpAddr) -> Self {
        Self { ip, login: None, proto: None }
    }
}

/// One connection's state on our side of the session.
struct Door {
    gateway: Arc<Gateway>,
    listener: ListenerConfig,
    identity: Identity,
    peer: IpAddr,
    /// XFORWARD: the client of the next message, where a relay in front speaks for it. For the record only.
    forwarded: Option<Attributes>,
    transaction: Option<Transaction>,
}

impl Door {
    async fn serve(
        &mut self,
        mut wire: Connection,
        tls: Option<Arc<ServerConfig>>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Ended> {
        if self.listener.role == Role::Submission && !self.may_submit() {
            wire.session.close(&Reply::new(554, "5.7.1 This listener is for our own mail servers"));
            wire.shut().await;
            return Ok(());
        }
        loop {
            // A drain waits for a transaction, and closes what is between transactions.
            let idle = self.transaction.is_none() && wire.session.is_idle();
            let event = tokio::select! {
                event = wire.event() => event?,
                _ = stop.changed(), if idle => {
                    wire.session.close(&Reply::new(421, "4.3.2 Shutting down, try again"));
                    wire.shut().await;
                    return Ok(());
                }
            };
            match event {
                Event::StartTls => {
                    let Some(config) = tls.clone() else { return Ok(()) };
                    wire = wire.start_tls(config).await?;
                    self.drop_transaction().await;
                }
                Event::Close => {
                    self.drop_transaction().await;
                    wire.shut().await;
                    return Ok(());
                }
                event => self.on(event, &mut wire.session).await,
            }
        }
    }

    fn may_submit(&self) -> bool {
        self.gateway.config.border.trusts(self.peer) || listed(&self.listener.xclient_from, self.peer)
    }

    async fn on(&mut self, event: Event, session: &mut Session) {
        let _passing = self.gateway.way.enter();
        match event {
            Event::Hello => {
                self.drop_transaction().await;
                let offered = self.gateway.hops.capabilities().await;
                session.hello(&offered);
            }
            Event::Mail { sender, params } => {
                let reply = self.mail(sender, params, session);
                session.answer(&reply);
            }
            Event::Recipients(asked) => {
                let replies = match &mut self.transaction {
                    Some(transaction) => transaction.recipients(asked).await,
                    None => vec![Reply::new(451, "4.3.0 No transaction"); asked.len()],
                };
                session.answer_recipients(replies);
            }
            Event::Data => {
                let reply = self.transaction.as_mut().map(Transaction::reserve);
                session.answer(&reply.unwrap_or_else(|| Reply::new(451, "4.3.0 No transaction")));
            }
            Event::Message { bytes, normalised } => {
                let reply = match self.transaction.take() {
                    Some(transaction) => intake::receive(transaction, bytes, normalised).await,
                    None => Reply::new(451, "4.3.0 No transaction"),
                };
                self.forwarded = None;
                session.answer(&reply);
            }
            Event::Reset => self.drop_transaction().await,
            Event::XClient(attributes) => {
                self.drop_transaction().await;
                self.identity = Identity {
                    ip: attributes.addr.map_or(self.identity.ip, |ip| ip.to_canonical()),
                    login: attributes.login,
                    proto: attributes.proto,
                };
            }
            Event::XForward(attributes) => self.forwarded = Some(attributes),
            Event::StartTls | Event::Close => {}
        }
    }

    fn mail(
        &mut self,
        sender: Option<domain::Address>,
        params: domain::envelope::MailParams,
        session: &Session,
    ) -> Reply {
        let gateway = &self.gateway;
        let stance = gateway.panic_switch.stance();
        let store_is_sound = gateway.store.as_ref().is_some_and(|store| !store.is_broken());
        if stance == Stance::TempfailAll {
            return Reply::new(451, "4.7.1 The gateway is closed for the moment, try again later");
        }
        if !store_is_sound && stance != Stance::Bypass {
            return Reply::new(451, "4.3.0 The store is not available, try again later");
        }
        if gateway.room.is_low() && stance != Stance::Bypass {
            return Reply::new(452, "4.3.1 Not enough room, try again later");
        }
        if !gateway.hops.any_is_free() {
            return Reply::new(451, "4.3.2 All connections to the next hop are in use, try again");
        }
        let login = self.login(sender.as_ref());
        let client = Client {
            ip: self.forwarded.as_ref().and_then(|forwarded| forwarded.addr).unwrap_or(self.identity.ip),
            peer: self.peer,
            helo: self.forwarded.as_ref().and_then(|f| f.helo.clone()).unwrap_or_else(|| session.helo().to_owned()),
            protocol: self.identity.proto.clone().unwrap_or_else(|| session.protocol().to_owned()),
            login,
        };
        // Trust is that of the session, never of a name that XFORWARD carries for the record (ruling 4).
        let trusted = self.identity.login.is_some()
            || self.listener.role == Role::Submission
            || gateway.config.border.trusts(self.identity.ip);
        self.transaction = Some(Transaction::new(gateway.clone(), client, trusted, sender, params));
        Reply::new(250, "2.1.0 Ok")
    }

    /// The identity of the client: a login by XCLIENT, or the sender where the submitting MTA answers for it.
    fn login(&self, sender: Option<&domain::Address>) -> Option<String> {
        let vouched = self.listener.role == Role::Submission && self.listener.sender_login_enforced;
        self.identity.login.clone().or_else(|| sender.filter(|_| vouched).map(ToString::to_string))
    }

    async fn drop_transaction(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            transaction.abandon().await;
        }
    }
}
