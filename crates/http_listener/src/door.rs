//! Serving HTTP to strangers: connections are counted, everything that a client can be slow at has an end, and every
//! request comes by a name of ours.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::ConnectInfo;
use axum::http::header::{CONNECTION, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::serve::Listener;
use domain::DomainName;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use platform::config::Config;
use platform::config::http::HttpConfig;
use platform::measure::{self, Scarce};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::client::{behind, is_listed};
use crate::host;
use crate::peer::Peer;
use crate::places::{Full, Place, Places};
use crate::pulse::{Overdue, Phase, Pulse, Tracked, Watched};

/// How long a refusal may take, and how many are told at once; others see the connection close.
const TELLING: Duration = Duration::from_secs(1);
const TOLD_AT_ONCE: usize = 32;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Somebody on the network.
    Network(SocketAddr),
    /// Somebody on this host.
    Host(Peer),
}

/// Marks in a request whose connection it came over; whoever has shown who they are is not shut out for others.
#[derive(Clone, Debug)]
pub struct RequestConnection(Arc<Pulse>);

impl RequestConnection {
    /// Whoever asks has shown who they are.
    pub fn identified(request: &axum::http::Extensions) {
        if let Some(Self(pulse)) = request.get::<Self>() {
            pulse.know();
        }
    }
}

/// What one listener serves, and to how many.
#[derive(Clone, Debug)]
pub struct Door {
    /// What it is called in metrics and in the log: `api`, `portal`, `socket`.
    name: &'static str,
    router: Router,
    limits: Arc<HttpConfig>,
    /// Names of ours; none where nobody comes by a name.
    hosts: Option<Arc<Vec<DomainName>>>,
    connections: Places,
    /// Requests of clients behind listed proxies. A connection has one at a time, so that the limit of connections is
    /// theirs in all: a limit of its own would refuse whoever another connection has just made room for, while the
    /// request of that one still ends.
    requests: Places,
    streams: Places,
    telling: Arc<Semaphore>,
}

impl Door {
    /// A door on the network.
    pub fn on_network(name: &'static str, router: Router, config: &Config) -> Self {
        let limits = Arc::new(config.http.clone());
        Self {
            name,
            router,
            hosts: Some(Arc::new(config.http_hosts())),
            connections: Places::new(limits.connections_max, limits.connections_per_ip_max),
            requests: Places::new(usize::MAX, limits.connections_per_ip_max),
            streams: Places::new(limits.streams_max, limits.streams_per_ip_max),
            telling: Arc::new(Semaphore::new(TOLD_AT_ONCE)),
            limits,
        }
    }

    /// A door for who is on this host: there are no addresses and no names.
    pub fn on_host(name: &'static str, router: Router, config: &Config) -> Self {
        Self { hosts: None, ..Self::on_network(name, router, config) }
    }

    /// Serves until `stop` says so, then lets those finish who are served, for as long as whoever waits for this
    /// allows.
    pub async fn serve<L>(
        self,
        mut listener: L,
        who: impl Fn(&L::Io, &L::Addr) -> Caller,
        mut stop: watch::Receiver<bool>,
    ) where
        L: Listener,
        L::Io: Unpin,
    {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = stop.changed() => break,
                Some(_) = connections.join_next() => {}
                (socket, address) = listener.accept() => {
                    let caller = who(&socket, &address);
                    self.admit(socket, caller, &mut connections, &stop);
                }
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// Gives a connection a place, or tells it that there is none.
    fn admit<S>(&self, socket: S, caller: Caller, connections: &mut JoinSet<()>, stop: &watch::Receiver<bool>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pulse = Arc::new(Pulse::new());
        match self.connections.take(self.share_of(&caller), Some(pulse.clone())) {
            Ok((place, evicts)) => {
                if evicts {
                    measure::http_refused(self.name, "made room");
                }
                measure::http_connections(self.name, self.connections.count());
                measure::in_use(Scarce::Http, self.connections.count() as u64);
                connections.spawn(self.clone().connection(socket, caller, pulse, place, stop.clone()));
            }
            Err(full) => {
                let (why, text) = match full {
                    Full::Total => ("total", "this listener has as many connections as it takes; try again later\n"),
                    Full::Address => ("address", "this address has as many connections as one may have\n"),
                };
                measure::http_refused(self.name, why);
                let status =
                    if full == Full::Total { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::TOO_MANY_REQUESTS };
                if let Ok(permit) = self.telling.clone().try_acquire_owned() {
                    connections.spawn(async move {
                        tell(socket, status, text).await;
                        drop(permit);
                    });
                }
            }
        }
    }

    /// Whose share of the connections it is: nobody's for a listed proxy, which has those of all its clients.
    fn share_of(&self, caller: &Caller) -> Option<IpAddr> {
        match caller {
            Caller::Network(peer) if !is_listed(&self.limits.proxies, peer.ip()) => Some(peer.ip()),
            _ => None,
        }
    }

    /// One connection, from its beginning to its end.
    async fn connection<S>(
        self,
        socket: S,
        caller: Caller,
        pulse: Arc<Pulse>,
        place: Place,
        mut stop: watch::Receiver<bool>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let watched = TokioIo::new(Watched { socket, pulse: pulse.clone() });
        let service = service_fn(|request| self.clone().answer(request, caller.clone(), pulse.clone()));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(self.limits.header_bytes_max);
        let mut connection = builder.serve_connection(watched, service);
        let mut look = tokio::time::interval(look_every(&self.limits));
        let mut is_stopping = false;
        let ended = loop {
            tokio::select! {
                served = &mut connection => {
                    // What is larger still than what is refused below does not come so far; it is answered 431 as well.
                    if served.is_err_and(|error| error.is_parse_too_large()) {
                        measure::http_refused(self.name, "header");
                    }
                    break None;
                }
                () = pulse.evicted.notified() => {
                    break Some((StatusCode::SERVICE_UNAVAILABLE, "idle connections make room for others\n"));
                }
                _ = stop.changed(), if !is_stopping => {
                    is_stopping = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                _ = look.tick() => {
                    if let Some(overdue) = pulse.overdue(&self.limits) {
                        measure::http_refused(self.name, overdue.as_str());
                        let text = match overdue {
                            Overdue::Head => "the header of the request took too long\n",
                            Overdue::Body => "the body of the request took too long\n",
                            Overdue::Idle | Overdue::Reader => "",
                        };
                        break Some((StatusCode::REQUEST_TIMEOUT, text));
                    }
                }
            }
        };
        // A client that has begun a request, or none at all, is told why it ends; behind a half answer nothing can be
        // said.
        if let Some((status, text)) = ended
            && !text.is_empty()
            && matches!(pulse.phase(), Phase::Head | Phase::Body)
            // Who made room has no place any more: no more of them are told at once than of those that were refused.
            && let Ok(_permit) = self.telling.clone().try_acquire_owned()
        {
            tell(connection.into_parts().io.into_inner().socket, status, text).await;
        }
        drop(place);
        measure::http_connections(self.name, self.connections.count());
    }

    /// One request.
    async fn answer(
        self,
        request: Request<Incoming>,
        caller: Caller,
        pulse: Arc<Pulse>,
    ) -> Result<Response<Body>, Infallible> {
        pulse.enter(if request.body().is_end_stream() { Phase::Work } else { Phase::Body });
        let mut request = request.map(|body| Body::new(Tracked::new(body, pulse.clone(), Phase::Work, ())));
        if header_bytes(&request) > self.limits.header_bytes_max {
            measure::http_refused(self.name, "header");
            return Ok(self.sent(too_large(self.limits.header_bytes_max), &pulse, None));
        }
        let is_ours = self.hosts.as_deref().is_none_or(|names| host::is_ours(names, request.uri(), request.headers()));
        if !is_ours {
            measure::http_refused(self.name, "host");
            return Ok(self.sent(host::refusal(), &pulse, None));
        }
        let Ok(client) = self.client(&request, &caller) else {
            measure::http_refused(self.name, "client");
            let text = "this client has as many requests under way as one may have\n";
            return Ok(self.sent(later(StatusCode::TOO_MANY_REQUESTS, text), &pulse, None));
        };
        match caller {
            Caller::Network(peer) => {
                let ip = client.as_ref().map_or(peer.ip(), |(ip, _)| *ip);
                request.extensions_mut().insert(ConnectInfo(SocketAddr::new(ip, peer.port())));
            }
            Caller::Host(peer) => drop(request.extensions_mut().insert(ConnectInfo(peer))),
        }
        request.extensions_mut().insert(RequestConnection(pulse.clone()));
        let ip = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let Ok(response) = TowerToHyperService::new(self.router.clone()).call(request).await;
        let place = client.map(|(_, place)| place);
        if !is_stream(&response) {
            return Ok(self.sent(response, &pulse, place));
        }
        match self.streams.take(ip, None) {
            Ok((stream, _)) => {
                measure::in_use(Scarce::Streams, self.streams.count() as u64);
                pulse.enter(Phase::Stream);
                Ok(response.map(|body| Body::new(Tracked::new(body, pulse, Phase::Idle, (stream, place)))))
            }
            Err(_) => {
                measure::http_refused(self.name, "streams");
                let text = "too many pages follow events already; this one shows them when it is loaded anew\n";
                Ok(self.sent(later(StatusCode::SERVICE_UNAVAILABLE, text), &pulse, place))
            }
        }
    }

    /// The client behind a listed proxy, with its place among all requests; none for who comes by themselves.
    fn client(&self, request: &Request<Body>, caller: &Caller) -> Result<Option<(IpAddr, Place)>, Full> {
        let Caller::Network(peer) = caller else { return Ok(None) };
        if !is_listed(&self.limits.proxies, peer.ip()) {
            return Ok(None);
        }
        // What names nobody is counted together, as the proxy's own.
        let ip = behind(&self.limits.proxies, request.headers()).unwrap_or(peer.ip());
        self.requests.take(Some(ip), None).map(|(place, _)| Some((ip, place)))
    }

    /// An answer on its way.
    fn sent(&self, response: Response<Body>, pulse: &Arc<Pulse>, place: Option<Place>) -> Response<Body> {
        pulse.enter(Phase::Answer);
        response.map(|body| Body::new(Tracked::new(body, pulse.clone(), Phase::Idle, place)))
    }
}

/// Bytes of a header as it came, blanks around values aside. What is read at once may be more than the header may have,
/// so it is counted here.
fn header_bytes(request: &Request<Body>) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len() + "  HTTP/1.1\r\n".len();
    let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    line + request.headers().iter().map(field).sum::<usize>() + "\r\n".len()
}

/// 431 (RFC 6585 section 5).
fn too_large(most: usize) -> Response<Body> {
    let text = format!("the header of this request has more than {} KiB\n", most >> 10);
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, [(CONNECTION, "close")], text).into_response()
}

fn is_stream(response: &Response<Body>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

fn later(status: StatusCode, text: &'static str) -> Response<Body> {
    (status, [(RETRY_AFTER, "5"), (CONNECTION, "close")], text).into_response()
}

/// How often it is looked whether something has taken too long: the shortest time, to a quarter.
fn look_every(limits: &HttpConfig) -> Duration {
    let all = [limits.header_timeout, limits.body_timeout, limits.idle_timeout, limits.write_timeout];
    let shortest = all.into_iter().min().unwrap_or_default();
    (shortest / 4).clamp(Duration::from_millis(100), Duration::from_secs(2))
}

/// Says why a connection ends, to a client that may not listen.
async fn tell<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S, status: StatusCode, text: &str) {
    let answer = format!(
        "HTTP/1.1 {} {}\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: text/plain; \
            charset=utf-8\r\nContent-Length: {}\r\n\r\n{text}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        text.len()
    );
    let told = async {
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        // What was sent and is not read has the system take our words back; so it is read, for a moment.
        let mut block = [0; 4096];
        while socket.read(&mut block).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // It may be gone, or take its time: that is its own affair.
    let _ = tokio::time::timeout(TELLING, told).await;
}
