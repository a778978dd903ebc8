//! One client connection: events of the session in, answers out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::envelope::Client;
use domain::share::{Over, Source, Standing};
use rustix::net::RecvFlags;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use wire::smtp::command::Attributes;
use wire::smtp::reply::Reply;
use wire::smtp::server::{Connection, Ended, Progress, read_proxy_header};
use wire::smtp::session::{Event, Limits, Session, Settings};

use super::listener::too_many;
use super::patience::patience;
use super::place::Place;
use super::source::listed;
use super::transaction::{Transaction, too_much_mail};
use super::{Gateway, intake};
use platform::config::{ListenerConfig, Role};
use platform::measure::{self, Scarce};

/// Serves a connection to its end.
pub async fn serve(
    mut socket: TcpStream,
    peer: IpAddr,
    place: Place,
    listener: Arc<ListenerConfig>,
    tls: Option<Arc<ServerConfig>>,
    gateway: Arc<Gateway>,
    stop: watch::Receiver<bool>,
) {
    let mut source = gateway.peer(&listener, peer);
    let calm = patience(&gateway.config.limits, source.standing, place.places().stress());
    let mut first = Vec::new();
    if !listener.proxy_from.is_empty() {
        if !listed(&listener.proxy_from, peer) {
            return tracing::warn!(%peer, "a peer that is not in proxy_from was turned away");
        }
        match read_proxy_header(&mut socket, calm.deadlines.handshake).await {
            Ok((header, rest)) => {
                if let Some(ip) = header.client {
                    source = gateway.client(&listener, ip.to_canonical(), false);
                    if let Err(over) = place.is_of(source) {
                        return turn_away(socket, &Turned::TooMany(over), peer).await;
                    }
                }
                first = rest;
            }
            Err(error) => return tracing::warn!(%peer, %error, "no PROXY header"),
        }
    }
    if source.standing == Standing::Stranger {
        // Programs that only send do not wait for the greeting; those that speak SMTP do.
        place.waits();
        tokio::select! {
            () = place.is_wanted() => return turn_away(socket, &Turned::Wanted, peer).await,
            () = tokio::time::sleep(gateway.config.limits.greeting_pause) => {}
        }
        if !first.is_empty() || has_talked(&socket) {
            return turn_away(socket, &Turned::Early, peer).await;
        }
    }
    let limits = &gateway.config.limits;
    let settings = Settings {
        hostname: gateway.config.hostname.clone(),
        limits: Limits {
            message_bytes_max: limits.message_bytes_max,
            recipients_max: limits.recipients_max,
            tolerance: calm.tolerance,
        },
        bare_newline: listener.bare_newline,
        xclient: listed(&listener.xclient_from, peer),
        xforward: listed(&listener.xclient_from, peer),
        starttls: tls.is_some(),
        postmaster: gateway.config.postmaster(),
    };
    let wire = Connection::new(socket, Session::new(settings), calm.deadlines, &first);
    let mut door = Door {
        gateway,
        listener,
        place,
        identity: Identity { source, login: None, proto: None },
        peer,
        forwarded: None,
        transaction: None,
        last_accepted: Instant::now(),
    };
    match door.serve(wire, tls, stop).await {
        Ok(()) | Err(Ended::Closed) => {}
        Err(ended) => {
            if matches!(ended, Ended::TimedOut) {
                measure::sent_off_slow();
            }
            tracing::debug!(%peer, %ended, "connection ended");
        }
    }
}

/// Whether the client has sent something already: no program that speaks SMTP does, before it has seen the greeting
/// (RFC 5321 section 4.3.1).
fn has_talked(socket: &TcpStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    rustix::net::recv(socket, &mut [0_u8; 1][..], flags).is_ok_and(|(bytes, _)| bytes > 0)
}

/// Why a client is sent away before it is greeted.
enum Turned {
    Early,
    Wanted,
    TooMany(Over),
}

async fn turn_away(mut socket: TcpStream, why: &Turned, peer: IpAddr) {
    let line = match why {
        Turned::Early => {
            measure::talked_early();
            "554 5.5.0 Talked before the greeting\r\n".to_owned()
        }
        Turned::Wanted => "421 4.3.2 Too busy, try again later\r\n".to_owned(),
        Turned::TooMany(over) => {
            measure::refused("connection", *over);
            too_many(*over)
        }
    };
    tracing::info!(%peer, line = line.trim_end(), "a client was turned away");
    let farewell = async {
        socket.write_all(line.as_bytes()).await?;
        socket.shutdown().await
    };
    // It may be gone; there is nothing more to tell it.
    let _ = tokio::time::timeout(Duration::from_secs(1), farewell).await;
}

/// Ends when the program is told to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A dropped sender means that the program ends.
    let _ = stop.wait_for(|stopping| *stopping).await;
}

/// Ends when a stop has waited for messages as long as it may.
async fn drained(mut stop: watch::Receiver<bool>, drain: Duration) {
    stopped(&mut stop).await;
    tokio::time::sleep(drain).await;
}

/// Tells the client that we stop, and closes.
async fn end(mut wire: Connection) -> Result<(), Ended> {
    wire.session.close(&Reply::new(421, "4.3.2 Shutting down, try again"));
    wire.shut().await;
    Ok(())
}

/// Who the client is, after PROXY and XCLIENT.
#[derive(Clone, Debug)]
struct Identity {
    source: Source,
    login: Option<String>,
    proto: Option<String>,
}

/// One connection's state on our side of the session.
struct Door {
    gateway: Arc<Gateway>,
    listener: Arc<ListenerConfig>,
    place: Place,
    identity: Identity,
    peer: IpAddr,
    /// XFORWARD: the client of the next message, where a relay in front speaks for it. For the record, and for what one
    /// client may take.
    forwarded: Option<Attributes>,
    transaction: Option<Transaction>,
    /// When a message was accepted last, or the visit began.
    last_accepted: Instant,
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
        let mut is_waiting = false;
        let over = drained(stop.clone(), self.gateway.config.limits.drain);
        tokio::pin!(over);
        loop {
            self.be_patient(&mut wire);
            // Who is in the middle of its message is not sent away; it is to be quick enough.
            let in_data = wire.session.in_data();
            if !is_waiting && !in_data {
                self.place.waits();
                is_waiting = true;
            }
            // A drain waits for a transaction until its time is over, and closes what is between transactions.
            let idle = self.transaction.is_none() && wire.session.is_idle();
            let progress = tokio::select! {
                progress = wire.progress() => progress,
                () = self.place.is_wanted(), if !in_data => {
                    return self.close(wire, &Reply::new(421, "4.3.2 Too busy, try again later")).await;
                }
                () = stopped(&mut stop), if idle => return end(wire).await,
                () = &mut over => return end(wire).await,
            };
            let over_limit = wire.session.take_recipients_over();
            if over_limit > 0 {
                measure::recipients_refused(over_limit);
            }
            let event = match progress? {
                Progress::Event(event) => event,
                Progress::Bytes => {
                    self.account(&mut wire);
                    continue;
                }
                // How much patience there is for it is looked at again above.
                Progress::Silence => continue,
            };
            self.place.works();
            is_waiting = false;
            let is_message = matches!(event, Event::Message { .. });
            match event {
                Event::StartTls => {
                    let Some(config) = tls.clone() else { return Ok(()) };
                    self.drop_transaction().await;
                    self.place.waits();
                    wire = tokio::select! {
                        encrypted = wire.start_tls(config) => encrypted?,
                        () = self.place.is_wanted() => return Ok(()),
                    };
                }
                Event::Close => {
                    if let Some(excess) = wire.session.excess() {
                        measure::sent_off(excess);
                    }
                    self.drop_transaction().await;
                    wire.shut().await;
                    return Ok(());
                }
                event => {
                    let is_answered = tokio::select! {
                        biased;
                        () = self.on(event, &mut wire.session) => true,
                        () = &mut over => false,
                    };
                    if !is_answered {
                        // What the hop has, and has not answered, is in doubt; the client keeps the mail.
                        if is_message {
                            wire.session.answer(&Reply::new(
                                451,
                                "4.3.2 Shutting down before the next hop answered, try again",
                            ));
                        }
                        return end(wire).await;
                    }
                }
            }
        }
    }

    async fn close(&mut self, mut wire: Connection, reply: &Reply) -> Result<(), Ended> {
        wire.session.close(reply);
        self.drop_transaction().await;
        wire.shut().await;
        Ok(())
    }

    /// What the client may do from now on: the scarcer connections are, the less.
    fn be_patient(&self, wire: &mut Connection) {
        let limits = &self.gateway.config.limits;
        let stress = self.place.places().stress().max(self.gateway.hops.stress(limits.stress_percent));
        let patience = patience(limits, self.identity.source.standing, stress);
        wire.session.tolerate(patience.tolerance);
        wire.deadlines = patience.deadlines;
        wire.leaves = Some((self.last_accepted + patience.visit).into());
        if wire.session.discards() {
            // What is thrown away earns no time.
            wire.deadlines.data_bytes_per_second = u32::MAX;
        }
    }

    /// Counts what the message in progress takes; over the limit nothing more of it is kept.
    fn account(&mut self, wire: &mut Connection) {
        let Some(transaction) = &mut self.transaction else { return };
        if wire.session.in_data()
            && !wire.session.discards()
            && transaction.memory.holds(wire.held_bytes() as u64).is_err()
        {
            wire.session.refuse_data(too_much_mail());
            // To hold less is never refused.
            let _ = transaction.memory.holds(0);
        }
    }

    fn may_submit(&self) -> bool {
        self.gateway.config.border.trusts(self.peer) || listed(&self.listener.xclient_from, self.peer)
    }

    async fn on(&mut self, event: Event, session: &mut Session) {
        let _passing = self.gateway.priority.enter();
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
                measure::in_use(Scarce::Recipients, session.recipients_so_far() as u64);
            }
            Event::Data => {
                let reply = match &mut self.transaction {
                    Some(transaction) => transaction.ready_for_data().await,
                    None => Reply::new(451, "4.3.0 No transaction"),
                };
                session.answer(&reply);
            }
            Event::Message { bytes, normalised } => {
                let reply = match self.transaction.take() {
                    Some(transaction) => intake::receive(transaction, bytes, normalised).await,
                    None => Reply::new(451, "4.3.0 No transaction"),
                };
                self.forwarded = None;
                if reply.is_positive() {
                    self.last_accepted = Instant::now();
                }
                session.answer(&reply);
            }
            Event::Reset => {
                // Whom a relay has named it has named for one message.
                self.forwarded = None;
                self.drop_transaction().await;
            }
            Event::XClient(attributes) => {
                self.drop_transaction().await;
                if let Err(over) = self.become_client(attributes) {
                    measure::refused("connection", over);
                    session.close(&Reply::new(421, too_many(over).trim_end().trim_start_matches("421 ")));
                }
            }
            Event::XForward(attributes) => self.forwarded = Some(attributes),
            Event::StartTls | Event::Close => {}
        }
    }

    /// The session is another client's from now on.
    fn become_client(&mut self, attributes: Attributes) -> Result<(), Over> {
        let ip = attributes.addr.map_or(self.identity.source.client, |ip| ip.to_canonical());
        let source = match attributes.addr {
            Some(_) => self.gateway.client(&self.listener, ip, attributes.login.is_some()),
            None => self.identity.source,
        };
        self.identity = Identity { source, login: attributes.login, proto: attributes.proto };
        self.place.is_of(source)
    }

    /// Whose share the next message takes.
    fn source(&self) -> Source {
        let named = self.forwarded.as_ref().and_then(|forwarded| forwarded.addr);
        named.map_or(self.identity.source, |ip| self.gateway.client(&self.listener, ip.to_canonical(), false))
    }

    fn mail(
        &mut self,
        sender: Option<domain::Address>,
        params: domain::envelope::MailParams,
        session: &Session,
    ) -> Reply {
        let gateway = &self.gateway;
        if let Some(obstacle) = gateway.readiness.obstacle() {
            return obstacle.reply();
        }
        let login = self.login(sender.as_ref());
        let client = Client {
            ip: self.source().client,
            peer: self.peer,
            helo: self.forwarded.as_ref().and_then(|f| f.helo.clone()).unwrap_or_else(|| session.helo().to_owned()),
            protocol: self.identity.proto.clone().unwrap_or_else(|| session.protocol().to_owned()),
            login,
        };
        // Trust is that of the session, never of a name that XFORWARD carries for the record.
        let trusted = self.identity.login.is_some()
            || self.listener.role == Role::Submission
            || gateway.config.border.trusts(self.identity.source.client);
        self.transaction = Some(Transaction::new(gateway.clone(), client, self.source(), trusted, sender, params));
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
