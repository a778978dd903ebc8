//! A name server on loopback for tests: a zone in memory, over UDP, and over TCP for what does not fit.
//!
//! What the zone has not is NXDOMAIN; what it has of another type is an empty answer; what is marked as broken is
//! SERVFAIL; what is marked as silent gets no answer at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, Record};

/// Bytes of an answer over UDP; a longer one is cut, and asked for again over TCP.
const UDP_BYTES_MAX: usize = 1232;
/// Seconds that an answer may be remembered.
const TTL: u32 = 60;

/// Names and what they have.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    records: BTreeMap<String, Vec<RData>>,
    broken: BTreeSet<String>,
    silent: BTreeSet<String>,
}

fn key(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

fn name(text: &str) -> Name {
    Name::from_str(&format!("{}.", text.trim_end_matches('.'))).expect("a test names real names")
}

impl Zone {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A text record, cut into strings of 255 bytes.
    #[must_use]
    pub fn txt(self, at: &str, text: &str) -> Self {
        let pieces = text.as_bytes().chunks(255).collect::<Vec<_>>();
        self.with(at, RData::TXT(TXT::from_bytes(pieces)))
    }

    /// An address, of either family.
    #[must_use]
    pub fn address(self, at: &str, ip: IpAddr) -> Self {
        let data = match ip {
            IpAddr::V4(ip) => RData::A(A(ip)),
            IpAddr::V6(ip) => RData::AAAA(AAAA(ip)),
        };
        self.with(at, data)
    }

    /// A mail exchanger.
    #[must_use]
    pub fn mx(self, at: &str, preference: u16, exchange: &str) -> Self {
        self.with(at, RData::MX(MX::new(preference, name(exchange))))
    }

    /// The name of an address.
    #[must_use]
    pub fn ptr(self, ip: IpAddr, host: &str) -> Self {
        let at = Name::from(ip).to_ascii();
        self.with(&at, RData::PTR(PTR(name(host))))
    }

    /// Another name for a name.
    #[must_use]
    pub fn cname(self, at: &str, target: &str) -> Self {
        self.with(at, RData::CNAME(CNAME(name(target))))
    }

    /// A name that the server fails at.
    #[must_use]
    pub fn broken(mut self, at: &str) -> Self {
        self.broken.insert(key(at));
        self
    }

    /// A name that gets no answer, and all names below it.
    #[must_use]
    pub fn silent(mut self, at: &str) -> Self {
        self.silent.insert(key(at));
        self
    }

    fn with(mut self, at: &str, data: RData) -> Self {
        self.records.entry(key(at)).or_default().push(data);
        self
    }

    /// The answer to a question; none where there is to be silence.
    fn answer(&self, question: &[u8]) -> Option<Message> {
        let asked = Message::from_vec(question).ok()?;
        let query = asked.queries.first()?.clone();
        let at = key(&query.name().to_ascii());
        if self.silent.iter().any(|silent| at == *silent || at.ends_with(&format!(".{silent}"))) {
            return None;
        }
        let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
        answer.metadata.recursion_available = true;
        answer.metadata.recursion_desired = asked.metadata.recursion_desired;
        answer.add_query(query.clone());
        let is_below = |known: &String| known.ends_with(&format!(".{at}"));
        match self.records.get(&at) {
            _ if self.broken.contains(&at) => answer.metadata.response_code = ResponseCode::ServFail,
            None if !self.records.keys().any(is_below) => answer.metadata.response_code = ResponseCode::NXDomain,
            records => {
                let fits = |data: &&RData| data.record_type() == query.query_type() || matches!(data, RData::CNAME(_));
                let found = records.into_iter().flatten().filter(fits).cloned();
                answer.add_answers(found.map(|data| Record::from_rdata(query.name().clone(), TTL, data)));
            }
        }
        Some(answer)
    }
}

/// A running server; it ends with the process.
#[derive(Debug)]
pub struct NameServer {
    /// Where it answers.
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// Starts a server over a zone.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn start(zone: Zone) -> Self {
        let (udp, tcp) = bind();
        let address = udp.local_addr().expect("a bound socket has an address");
        let (zone, asked) = (Arc::new(zone), Arc::new(AtomicUsize::new(0)));
        let (over_udp, counted) = (zone.clone(), asked.clone());
        thread::spawn(move || serve_udp(&udp, &over_udp, &counted));
        thread::spawn(move || serve_tcp(&tcp, &zone));
        Self { address, asked }
    }

    /// How many questions have come over UDP.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The same port twice, which another process may take half of in between.
fn bind() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = udp.local_addr().expect("a bound socket has an address").port();
        if let Ok(tcp) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return (udp, tcp);
        }
    }
}

fn serve_udp(socket: &UdpSocket, zone: &Zone, asked: &AtomicUsize) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        asked.fetch_add(1, Ordering::SeqCst);
        let Some(answer) = zone.answer(&buffer[..length]) else { continue };
        let bytes = answer.to_vec().unwrap_or_default();
        let bytes = if bytes.len() > UDP_BYTES_MAX { answer.truncate().to_vec().unwrap_or_default() } else { bytes };
        // Whoever asked may be gone.
        let _ = socket.send_to(&bytes, from);
    }
}

fn serve_tcp(listener: &TcpListener, zone: &Zone) {
    for stream in listener.incoming().flatten() {
        let mut stream = stream;
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            if stream.read_exact(&mut question).is_err() {
                break;
            }
            let Some(bytes) = zone.answer(&question).and_then(|answer| answer.to_vec().ok()) else { continue };
            let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
            if stream.write_all(&length).and_then(|()| stream.write_all(&bytes)).is_err() {
                break;
            }
        }
    }
}
