//! What the whole-binary tests share: the gateway as a child process, and a next hop and a client that are
//! *not* our own code paths. They parse SMTP in the plainest way, so a fault of ours cannot cancel itself out.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test that cannot go on may panic"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// A mail as the next hop got it.
#[derive(Clone, Debug)]
pub struct Received {
    pub mail: String,
    pub rcpts: Vec<String>,
    pub bytes: Vec<u8>,
    pub xforward: String,
    pub answered: bool,
}

impl Received {
    /// The bytes behind our own prepended fields, whose folds are known.
    pub fn without_ours(&self) -> Vec<u8> {
        let mut rest = &self.bytes[..];
        loop {
            let fold: &[u8] = if rest.starts_with(b"Received: ")
                && line(rest).starts_with(b"Received: from ")
                && second(rest).starts_with(b"\tby gw.example (Reprieve)")
            {
                b"\t"
            } else if rest.starts_with(b"X-Reprieve-Release: ") {
                b" mac="
            } else if rest.starts_with(b"X-Reprieve-") {
                b"\0"
            } else {
                return rest.to_vec();
            };
            rest = &rest[line(rest).len()..];
            while rest.starts_with(fold) {
                rest = &rest[line(rest).len()..];
            }
        }
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes).to_string();
        let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
    }
}

/// The first line, with its line end.
fn line(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |lf| lf + 1)]
}

fn second(bytes: &[u8]) -> &[u8] {
    &bytes[line(bytes).len()..]
}

/// What the sink does with a mail whose dot it has seen.
#[derive(Clone, Debug)]
pub enum Answer {
    Say(&'static str),
    /// Keep the mail, close without a word.
    Vanish,
    /// Say it, but only after this long.
    After(Duration, &'static str),
}

type OnDot = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;
type OnRcpt = Arc<dyn Fn(&str) -> Option<&'static str> + Send + Sync>;

/// A recording next hop.
#[derive(Clone)]
pub struct Sink {
    pub address: SocketAddr,
    got: Arc<Mutex<Vec<Received>>>,
}

pub struct SinkPlan {
    pub ehlo: &'static str,
    pub on_rcpt: OnRcpt,
    pub on_dot: OnDot,
}

impl Default for SinkPlan {
    fn default() -> Self {
        Self {
            ehlo: "250-sink\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 \
                XFORWARD NAME ADDR PROTO HELO\r\n",
            on_rcpt: Arc::new(|line| line.contains("unknown").then_some("550 5.1.1 no such user")),
            on_dot: Arc::new(|_| Answer::Say("250 2.0.0 Ok: sunk")),
        }
    }
}

impl Sink {
    pub fn start() -> Self {
        Self::planned(SinkPlan::default())
    }

    pub fn answering(on_dot: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::planned(SinkPlan { on_dot: Arc::new(on_dot), ..SinkPlan::default() })
    }

    pub fn planned(plan: SinkPlan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sink = Self { address: listener.local_addr().unwrap(), got: Arc::default() };
        let (got, plan) = (sink.got.clone(), Arc::new(plan));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (got, plan) = (got.clone(), plan.clone());
                std::thread::spawn(move || drop(sink_session(&socket, &got, &plan)));
            }
        });
        sink
    }

    pub fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until `count` mails have come.
    pub fn wait(&self, count: usize) -> Vec<Received> {
        let began = Instant::now();
        while self.got().len() < count {
            assert!(began.elapsed() < PATIENCE, "the sink has {} mails, not {count}", self.got().len());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.got()
    }
}

fn sink_session(socket: &TcpStream, got: &Mutex<Vec<Received>>, plan: &SinkPlan) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut out = socket;
    let mut lines = BufReader::new(socket);
    let empty =
        || Received { mail: String::new(), rcpts: vec![], bytes: vec![], xforward: String::new(), answered: false };
    let mut now = empty();
    let mut xforward = String::new();
    out.write_all(b"220 sink ESMTP\r\n")?;
    loop {
        let mut raw = Vec::new();
        if lines.read_until(b'\n', &mut raw)? == 0 {
            return Ok(());
        }
        let line = String::from_utf8_lossy(&raw).trim_end().to_owned();
        let upper = line.to_uppercase();
        if upper.starts_with("EHLO") || upper.starts_with("HELO") {
            out.write_all(plan.ehlo.as_bytes())?;
        } else if upper.starts_with("XFORWARD") {
            xforward = line;
            out.write_all(b"250 2.0.0 Ok\r\n")?;
        } else if upper.starts_with("MAIL") {
            now = Received { mail: line, xforward: xforward.clone(), ..empty() };
            out.write_all(b"250 2.1.0 Ok\r\n")?;
        } else if upper.starts_with("RCPT") {
            match (plan.on_rcpt)(&line) {
                Some(no) => out.write_all(format!("{no}\r\n").as_bytes())?,
                None => {
                    now.rcpts.push(line);
                    out.write_all(b"250 2.1.5 Ok\r\n")?;
                }
            }
        } else if upper == "DATA" {
            out.write_all(b"354 go\r\n")?;
            loop {
                let mut raw = Vec::new();
                if lines.read_until(b'\n', &mut raw)? == 0 {
                    return Ok(());
                }
                if raw == b".\r\n" {
                    break;
                }
                now.bytes.extend_from_slice(if raw.starts_with(b".") { &raw[1..] } else { &raw });
            }
            let answer = (plan.on_dot)(&now);
            let (wait, said) = match answer {
                Answer::Say(said) => (Duration::ZERO, Some(said)),
                Answer::After(wait, said) => (wait, Some(said)),
                Answer::Vanish => (Duration::ZERO, None),
            };
            now.answered = said.is_some_and(|said| said.starts_with('2'));
            if said.is_none_or(|said| said.starts_with('2')) {
                got.lock().unwrap().push(now.clone());
            }
            now = empty();
            std::thread::sleep(wait);
            let Some(said) = said else { return Ok(()) };
            out.write_all(format!("{said}\r\n").as_bytes())?;
        } else if upper == "QUIT" {
            return out.write_all(b"221 bye\r\n");
        } else {
            out.write_all(b"250 2.0.0 Ok\r\n")?;
        }
    }
}

/// The gateway as a child process with a folder of its own.
pub struct Gateway {
    pub folder: tempfile::TempDir,
    pub mx: SocketAddr,
    pub submission: SocketAddr,
    pub api: String,
    child: Option<Child>,
    environment: Vec<(String, String)>,
    wrapper: Vec<String>,
    arguments: Vec<String>,
}

/// The configuration of a test: one hop, enforcing, loopback is no trusted network for the mx listener's XCLIENT
/// identities.
pub fn config(hop: SocketAddr) -> String {
    format!(
        "data_dir = \"data\"\nhostname = \"gw.example\"\nmode = \"enforce\"\naccepted_domains = [\"ours.example\"]\n\
         trusted_networks = []\n[[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\nxclient_from = \
         [\"127.0.0.1\"]\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"submission\"\nxclient_from = [\"127.0.0.1\"]\n\
         [next_hop.inbound]\naddress = \"{hop}\"\ntls = \"none\"\n[api]\naddress = \"127.0.0.1:0\"\n\
         [engine.auth]\non = false\n[notices]\noutbound = false\nincident_digest = false\n"
    )
}

impl Gateway {
    pub fn start(config: &str) -> Self {
        let mut gateway = Self::prepare(config);
        gateway.run();
        gateway
    }

    /// A gateway that is not running yet.
    pub fn prepare(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("reprieve.toml"), config).unwrap();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            folder,
            mx: nowhere,
            submission: nowhere,
            api: String::new(),
            child: None,
            environment: vec![],
            wrapper: vec![],
            arguments: vec![],
        }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
    }

    pub fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// Serves with more arguments.
    pub fn serve_with(&mut self, words: &[&str]) {
        self.arguments = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Runs below another command, such as strace.
    pub fn wrap(&mut self, words: &[&str]) {
        self.wrapper = words.iter().map(|word| (*word).to_owned()).collect();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts and waits until it is ready.
    pub fn run(&mut self) {
        assert!(self.try_run(), "the gateway does not start: {}", self.log());
    }

    /// Starts; `false` when it ends before it is ready.
    pub fn try_run(&mut self) -> bool {
        let mut words = self.wrapper.clone();
        words.push(env!("CARGO_BIN_EXE_reprieve").into());
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args(["serve", "--config", "reprieve.toml"])
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        self.child = Some(child);
        let Ok(ready) = serde_json::from_str::<Value>(&ready) else {
            self.child.take().unwrap().wait().unwrap();
            return false;
        };
        let address = |at: usize| ready["listeners"][at]["address"].as_str().unwrap().parse().unwrap();
        (self.mx, self.submission) = (address(0), address(1));
        self.api = ready["api"].as_str().unwrap().trim_start_matches("http://").to_owned();
        true
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Below strace the gateway is a grandchild, and would live on.
            let own = child.id();
            let below = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
            for pid in below.split_whitespace() {
                let _ = Command::new("kill").args(["-9", pid]).status();
            }
            let _ = child.kill();
            let _ = child.wait();
            // It holds the lock of the data folder until it is really gone.
            for pid in below.split_whitespace() {
                let began = Instant::now();
                while Path::new(&format!("/proc/{pid}")).exists() && began.elapsed() < PATIENCE {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    /// SIGTERM, and waits for the drain. Returns the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        child.wait().unwrap().code()
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }

    /// Waits until the process has ended by itself; `false` when it goes on.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < limit {
            if self.has_ended() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Runs a command of the CLI against this gateway.
    pub fn cli(&self, words: &[&str]) -> Output {
        reprieve(words, self.folder.path())
    }

    /// Runs a command with `--config` and `--json` and reads what it prints.
    pub fn json(&self, words: &[&str]) -> Value {
        let all: Vec<&str> = words.iter().copied().chain(["--config", "reprieve.toml", "--json"]).collect();
        let output = self.cli(&all);
        let text = String::from_utf8_lossy(&output.stdout).to_string();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The ledger, once nothing is being forwarded any more.
    pub fn ledger(&self) -> Value {
        let began = Instant::now();
        loop {
            let ledger = self.json(&["ledger", "check", "--deep"]);
            if ledger["accounts"]["forwarding"] == 0 || began.elapsed() > PATIENCE {
                assert_eq!(ledger["balanced"], true, "{ledger}");
                return ledger;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn account(&self, name: &str) -> i64 {
        self.ledger()["accounts"][name].as_i64().unwrap()
    }

    /// What the quarantine has, whatever has become of it.
    pub fn held(&self) -> Vec<Value> {
        self.json(&["quarantine", "list", "--state", "any", "--limit", "1000"]).as_array().unwrap().clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn reprieve(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reprieve")).args(words).current_dir(folder).output().unwrap()
}

/// A plain client: writes lines, reads replies.
pub struct Talk {
    lines: BufReader<TcpStream>,
}

impl Talk {
    pub fn to(address: SocketAddr) -> Self {
        Self::try_to(address).unwrap()
    }

    pub fn try_to(address: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut talk = Self { lines: BufReader::new(socket) };
        talk.reply()?;
        Ok(talk)
    }

    /// As a client from outside, by XCLIENT.
    pub fn from_outside(address: SocketAddr) -> Self {
        let mut talk = Self::to(address);
        talk.say("EHLO test");
        assert!(talk.say("XCLIENT ADDR=192.0.2.5").starts_with("220"));
        talk.say("EHLO outside.example");
        talk
    }

    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.lines.get_mut().write_all(bytes)
    }

    /// One reply, all its lines.
    pub fn reply(&mut self) -> std::io::Result<String> {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            all.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(all);
            }
        }
    }

    pub fn try_say(&mut self, line: &str) -> std::io::Result<String> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    pub fn say(&mut self, line: &str) -> String {
        self.try_say(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// A whole transaction; the reply to the dot, or to what refused it before.
    pub fn send(&mut self, from: &str, to: &[&str], mail: &[u8]) -> String {
        self.try_send(from, to, mail).unwrap()
    }

    pub fn try_send(&mut self, from: &str, to: &[&str], mail: &[u8]) -> std::io::Result<String> {
        let reply = self.try_say(&format!("MAIL FROM:<{from}>"))?;
        if !reply.starts_with('2') {
            return Ok(reply);
        }
        let mut accepted = false;
        let mut last = String::new();
        for rcpt in to {
            last = self.try_say(&format!("RCPT TO:<{rcpt}>"))?;
            accepted |= last.starts_with('2');
        }
        if !accepted {
            self.try_say("RSET")?;
            return Ok(last);
        }
        let ready = self.try_say("DATA")?;
        if !ready.starts_with("354") {
            self.try_say("RSET")?;
            return Ok(ready);
        }
        let mut wire = Vec::new();
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(b".\r\n");
        self.write(&wire)?;
        self.reply()
    }

    /// Whether the other side has closed.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.lines.read(&mut byte), Ok(0) | Err(_))
    }
}

/// A clean mail with a number in it.
pub fn clean(number: &str) -> Vec<u8> {
    format!(
        "From: a@x.example\r\nSubject: {number}\r\nMessage-ID: <{number}@x.example>\r\n\r\nHello {number}\r\n.dot\r\n"
    )
    .into_bytes()
}

/// A mail that is held: the EICAR test file.
pub fn bad(number: &str) -> Vec<u8> {
    let eicar = "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=";
    format!(
        "From: a@x.example\r\nSubject: {number}\r\nMessage-ID: <{number}@x.example>\r\nContent-Type: \
            application/octet-stream; name=e.com\r\n\
         Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n{eicar}\r\n"
    )
    .into_bytes()
}
