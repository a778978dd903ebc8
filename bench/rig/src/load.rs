//! A load over SMTP: some connections, each a mail after the other, no pipelining; every mail its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::mails::{Mail, TOKEN};

/// Mails after which a connection is made anew, as a busy neighbour does.
const MAILS_OF_A_CONNECTION: usize = 100;
/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to send where.
#[derive(Clone, Debug)]
pub struct Load {
    /// To whom.
    pub to: SocketAddr,
    /// Connections at a time.
    pub connections: usize,
    /// Mails.
    pub count: usize,
    /// The mail.
    pub mail: Mail,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// From the first connection to the last reply.
    pub wall: Duration,
    /// From MAIL to the reply to the dot, of each mail, sorted.
    pub latencies: Vec<Duration>,
}

impl Sent {
    /// The median latency, in milliseconds.
    pub fn median_ms(&self) -> f64 {
        self.latencies.get(self.latencies.len() / 2).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }
}

static NEXT: AtomicUsize = AtomicUsize::new(1);

/// Sends; every mail must be accepted.
pub fn send(load: &Load) -> Result<Sent> {
    let pieces: Vec<Vec<u8>> = split(&stuffed(&load.mail.bytes));
    let left = Arc::new(AtomicUsize::new(load.count));
    let began = Instant::now();
    let workers: Vec<_> = (0..load.connections)
        .map(|_| {
            let (pieces, left, to) = (pieces.clone(), left.clone(), load.to);
            std::thread::spawn(move || work(to, &pieces, &left))
        })
        .collect();
    let mut latencies = Vec::with_capacity(load.count);
    for worker in workers {
        latencies.extend(worker.join().expect("a worker does not panic")?);
    }
    let wall = began.elapsed();
    latencies.sort();
    ensure!(latencies.len() == load.count, "{} of {} mails were accepted", latencies.len(), load.count);
    Ok(Sent { wall, latencies })
}

fn stuffed(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n.", "\r\n..");
    [text.as_bytes(), b".\r\n"].concat()
}

fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    String::from_utf8_lossy(bytes).split(TOKEN).map(|piece| piece.as_bytes().to_vec()).collect()
}

fn work(to: SocketAddr, pieces: &[Vec<u8>], left: &AtomicUsize) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let mut line = Line::open(to)?;
    let mut sent = 0;
    while take() {
        if sent == MAILS_OF_A_CONNECTION {
            line.say("QUIT", 221)?;
            line = Line::open(to)?;
            sent = 0;
        }
        let number = format!("UNIQ{:012}", NEXT.fetch_add(1, Ordering::Relaxed));
        let began = Instant::now();
        line.say("MAIL FROM:<alice@partner.example>", 250)?;
        line.say("RCPT TO:<bob@ours.example>", 250)?;
        line.say("DATA", 354)?;
        line.write(&pieces.join(number.as_bytes()))?;
        line.expect(250)?;
        latencies.push(began.elapsed());
        sent += 1;
    }
    line.say("QUIT", 221)?;
    Ok(latencies)
}

/// One connection.
struct Line {
    socket: BufReader<TcpStream>,
}

impl Line {
    fn open(to: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(to).with_context(|| to.to_string())?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut line = Self { socket: BufReader::new(socket) };
        line.expect(220)?;
        line.say("EHLO load.partner.example", 250)?;
        Ok(line)
    }

    fn say(&mut self, command: &str, code: u16) -> Result<()> {
        self.write(format!("{command}\r\n").as_bytes())?;
        self.expect(code).with_context(|| command.to_owned())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.socket.get_mut().write_all(bytes)?)
    }

    fn expect(&mut self, code: u16) -> Result<()> {
        loop {
            let mut reply = String::new();
            self.socket.read_line(&mut reply)?;
            ensure!(reply.starts_with(&code.to_string()), "wanted {code}, got '{}'", reply.trim_end());
            if reply.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}
