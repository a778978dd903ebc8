//! A gateway on loopback: real listeners, the real store in a folder, real examining processes, a clock that stands
//! still, and a next hop that does what a test says. Clients come from addresses of 127.0.0.0/8, of which each is
//! somebody else's.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use detect::in_force::InForce;
use detect::limits::Limits;
use detect::ruleset::load;
use domain::Timestamp;
use domain::token::TokenKey;
use examiner::ExaminerPool;
use examiner::external_engines::ExternalEngines;
use gateway::listener;
use gateway::{Gateway, Parts, StoreParts};
use known_good::first_contact::FirstContacts;
use known_good::recorder::KnownGoodRecorder;
use platform::clock::{Clock, ManualClock};
use platform::config::Config;
use platform::data_folder::open_vault;
use platform::disk::DiskSpace;
use platform::keys::KeyRing;
use platform::loops::Loops;
use platform::panic_switch::PanicSwitch;
use platform::ports::Ports;
use platform::readiness::Readiness;
use platform::shared::Shared;
use scripted_hop::{AtDot, Envelope, Listed, Script, Taken};
use store::Store;
use store::mail::arrival::Record;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use wire::smtp::reply::Reply;

/// When it is, in microseconds: Friday, 27 November 2026, nine o'clock (UTC).
const BEGIN_US: i64 = 1_795_770_000_000_000;
/// The gateway's name.
pub(crate) const HOST: &str = "gateway.ours.example";
/// A client that nobody knows.
pub(crate) const STRANGER: &str = "127.0.0.1";
/// One of ours, by its network.
pub(crate) const OURS: &str = "127.0.9.1";
/// A relay that may say XCLIENT and XFORWARD.
pub(crate) const RELAY: &str = "127.0.7.1";
/// A proxy that says PROXY.
pub(crate) const PROXY: &str = "127.0.6.1";
/// What malware has in it.
pub(crate) const MALWARE: &str = "room-malware-0461";
/// What junk has in it.
pub(crate) const JUNK: &str = "room-junk-0462";
/// What a detection watches for that acts on nothing.
pub(crate) const WATCHED: &str = "room-watched-0463";
/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn detection(code: &str, category: &str, mode: &str) -> String {
    format!(
        "code = \"{code}\"\ntitle = \"A test\"\nengine = \"yara\"\ncategory = \"{category}\"\neffect = \"Hold\"\n\
         target = \"text\"\nscope = \"content\"\nmode = \"{mode}\"\nowner = \"room\"\nsince = \"0.1.0\"\n"
    )
}

fn rule(name: &str, text: &str) -> String {
    format!("rule {name} {{\n  strings:\n    $text = \"{text}\"\n  condition:\n    $text\n}}\n")
}

fn in_force() -> InForce {
    let files = [
        ("MAL-0001/detection.toml", detection("MAL-0001", "Malware", "Enforce")),
        ("MAL-0001/rule.yar", rule("MAL_0001", MALWARE)),
        ("SPA-0001/detection.toml", detection("SPA-0001", "Spam", "Enforce")),
        ("SPA-0001/rule.yar", rule("SPA_0001", JUNK)),
        ("WAT-0001/detection.toml", detection("WAT-0001", "Malware", "Shadow")),
        ("WAT-0001/rule.yar", rule("WAT_0001", WATCHED)),
    ];
    let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())).collect();
    InForce::only(load::from_files(files).expect("a right ruleset"))
}

/// The processes that examine, the same for all tests: each would start some of its own for nothing.
fn examiner() -> ExaminerPool {
    static POOL: OnceLock<ExaminerPool> = OnceLock::new();
    let start = || ExaminerPool::start(in_force(), Limits::default(), 2).expect("processes start");
    POOL.get_or_init(start).clone()
}

/// What the hop says to a recipient, before it says yes to all that come.
type Answers = HashMap<String, VecDeque<Reply>>;

/// The next hop.
pub(crate) struct Hop {
    pub(crate) listed: Listed,
    recipients: Mutex<Answers>,
    /// The answer to the next DATA, if it is another than 354.
    at_data: Mutex<Option<Reply>>,
    /// So many commands are not answered; the connection of each is closed.
    hangs_up: AtomicUsize,
    /// Never answers a final dot.
    is_stuck: bool,
}

impl Hop {
    pub(crate) fn new(listed: Listed) -> Self {
        Self {
            listed,
            recipients: Mutex::default(),
            at_data: Mutex::default(),
            hangs_up: AtomicUsize::new(0),
            is_stuck: false,
        }
    }

    /// One that never answers a final dot.
    pub(crate) fn stuck(listed: Listed) -> Self {
        Self { is_stuck: true, ..Self::new(listed) }
    }

    /// What it says to a recipient the next times.
    pub(crate) fn says_of(&self, recipient: &str, replies: &[(u16, &str)]) {
        let replies = replies.iter().map(|(code, text)| Reply::new(*code, *text)).collect();
        self.recipients.lock().expect("free").insert(recipient.to_owned(), replies);
    }

    pub(crate) fn says_to_data(&self, code: u16, text: &str) {
        *self.at_data.lock().expect("free") = Some(Reply::new(code, text));
    }

    pub(crate) fn hang_up(&self, commands: usize) {
        self.hangs_up.store(commands, Ordering::SeqCst);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.listed.taken()
    }
}

impl Script for Hop {
    fn is_heard(&self) -> bool {
        self.hangs_up.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    }

    fn recipient(&self, _: &Envelope, recipient: &str) -> Reply {
        let next = self.recipients.lock().expect("free").get_mut(recipient).and_then(VecDeque::pop_front);
        next.unwrap_or_else(|| Reply::new(250, "2.1.5 The hop takes it"))
    }

    async fn data(&self, envelope: &Envelope) {
        self.listed.data(envelope).await;
    }

    fn answer_to_data(&self) -> Reply {
        self.at_data.lock().expect("free").take().unwrap_or_else(|| Reply::new(354, "Go on"))
    }

    async fn dot(&self, envelope: &Envelope, bytes: Vec<u8>) -> Option<Reply> {
        if self.is_stuck {
            std::future::pending::<()>().await;
        }
        self.listed.dot(envelope, bytes).await
    }
}

/// A gateway that listens.
pub(crate) struct Room {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) hop: Arc<Hop>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) connections: JoinSet<()>,
    pub(crate) key: TokenKey,
    /// Of the Internet; behind a proxy; for submission.
    pub(crate) mx: SocketAddr,
    pub(crate) proxied: SocketAddr,
    pub(crate) submission: SocketAddr,
    folder: TempDir,
}

fn config(folder: &Path, hop: SocketAddr) -> Config {
    let hops: String = ["inbound", "outbound", "internal"]
        .map(|direction| format!("[next_hop.{direction}]\naddress = \"{hop}\"\ntls = \"none\"\n"))
        .concat();
    let text = format!(
        "data_dir = \"data\"\nhostname = \"{HOST}\"\nmode = \"enforce\"\naccepted_domains = [\"ours.example\"]\n\
         trusted_networks = [\"127.0.9.0/24\", \"127.0.8.1\"]\npanic_file = \"panic\"\n\
         [mode_of]\noutbound = \"observe\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\nxclient_from = [\"{RELAY}\"]\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"mx\"\nproxy_from = [\"{PROXY}\"]\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nrole = \"submission\"\nsender_login_enforced = true\n\
         {hops}[api]\naddress = \"127.0.0.1:0\"\n[engine.auth]\non = false\n\
         [limits]\ngreeting_pause_ms = 0\n"
    );
    Config::parse(&text, folder).expect("a right configuration")
}

impl Room {
    /// With a hop that takes everything.
    pub(crate) async fn new() -> Self {
        Self::with(Hop::new(Listed::new([])), |_| {}).await
    }

    /// With a hop that does this at the next final dots.
    pub(crate) async fn with_dots(dots: impl IntoIterator<Item = AtDot>) -> Self {
        Self::with(Hop::new(Listed::new(dots)), |_| {}).await
    }

    /// With a hop that takes everything, and another configuration.
    pub(crate) async fn set(change: impl FnOnce(&mut Config)) -> Self {
        Self::with(Hop::new(Listed::new([])), change).await
    }

    pub(crate) async fn with(hop: Hop, change: impl FnOnce(&mut Config)) -> Self {
        let folder = folder();
        let hop = Arc::new(hop);
        let address = scripted_hop::listen(hop.clone()).await.expect("a port");
        let mut config = config(folder.path(), address);
        change(&mut config);
        std::fs::create_dir(&config.data_dir).expect("a data folder");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(BEGIN_US)));
        let key = TokenKey::new([7; 32]);
        let store = Store::open_embedded(&config.data_dir, HOST, &key, clock.now()).await.expect("opens");
        let (stop, stopping) = watch::channel(false);
        let parts = parts(config, &store, &clock, &key, &stopping);
        let gateway = Arc::new(Gateway::new(parts));
        let mut connections = JoinSet::new();
        let listeners =
            listener::listen(&gateway, &Ports::default(), &stopping, &mut connections, &mut Loops::default())
                .expect("listens");
        let [mx, proxied, submission] = [0, 1, 2].map(|at: usize| listeners[at].1);
        Self { gateway, hop, clock, store, stop, connections, key, mx, proxied, submission, folder }
    }

    /// A client at the listener for the Internet, greeted.
    pub(crate) async fn client(&self, from: &str) -> Client {
        let mut client = Client::connect(self.mx, from).await;
        client.hears("220").await;
        client.says("EHLO client.example", "250").await;
        client
    }

    /// Hands in a mail by a client of its own.
    pub(crate) async fn hand_in(&self, from: &str, sender: &str, recipients: &[&str], content: &str) -> Answered {
        self.client(from).await.hand_in(sender, recipients, &letter(sender, content)).await
    }

    /// The units of each account that has some; the ledger is whole, and so are the bytes.
    pub(crate) async fn accounts(&self) -> String {
        self.gateway.post_reply.finish().await;
        let balance = self.store.upkeep.check_ledger(true).await.expect("checks");
        assert!(balance.is_balanced(), "{:?}", balance.faults);
        let some: BTreeMap<_, _> = balance.accounts.iter().filter(|(_, units)| **units > 0).collect();
        some.iter().map(|(account, units)| format!("{account} {units}")).collect::<Vec<_>>().join(", ")
    }

    /// The newest mail on record.
    pub(crate) async fn newest(&self) -> Record {
        let newest = self.store.mail.newest(1).await.expect("reads");
        self.store.mail.record(*newest.first().expect("a mail is on record")).await.expect("reads")
    }

    /// Moves the panic switch.
    pub(crate) async fn panic_switch(&self, word: &str) {
        let (file, clock) = (self.gateway.config.panic_file.clone(), self.clock.clone());
        std::fs::write(&file, format!("{word} until=2100-01-01T00:00:00Z\n")).expect("writes");
        let watching = tokio::spawn(self.gateway.panic_switch.clone().watch(file, clock));
        let moved = async {
            while self.gateway.panic_switch.stance() == Default::default() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, moved).await.expect("it moves");
        watching.abort();
    }

    /// Nothing is held for anybody once all connections are gone.
    pub(crate) async fn is_empty_soon(&self) {
        let empty = async {
            while self.gateway.places.taken() > 0 || self.gateway.memory.held() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let left = || (self.gateway.places.taken(), self.gateway.memory.held());
        assert!(timeout(PATIENCE, empty).await.is_ok(), "places and bytes that are not given back: {:?}", left());
    }

    /// The folder of this installation.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn parts(
    config: Config,
    store: &Store,
    clock: &Arc<ManualClock>,
    key: &TokenKey,
    stopping: &watch::Receiver<bool>,
) -> Parts {
    let met = Arc::new(FirstContacts::default());
    let ring = KeyRing::find(&config.known_good.key_file);
    let vault = open_vault(&config, &ring, clock.as_ref()).expect("a vault");
    let learner = vault.map_or(KnownGoodRecorder::idle(), |vault| {
        let settings = config.known_good.clone();
        KnownGoodRecorder::start(store.known_good.clone(), vault, settings, key.clone(), met.clone())
    });
    let readiness = Readiness {
        store: Some(store.health.clone()),
        room: DiskSpace::default(),
        panic_switch: PanicSwitch::default(),
        stopping: stopping.clone(),
    };
    Parts {
        examiner: examiner(),
        external_engines: ExternalEngines::new(&config.engines).expect("engines"),
        shared: Shared::new(Arc::new(config), clock.clone(), key.clone()),
        store: Some(StoreParts::from(store)),
        readiness,
        met,
        learner,
    }
}

/// A folder of files in memory, where the system has one: what these tests are about is not the disk.
fn folder() -> TempDir {
    if Path::new("/dev/shm").is_dir() { TempDir::new_in("/dev/shm") } else { TempDir::new() }.expect("a folder")
}

/// A mail.
pub(crate) fn letter(sender: &str, content: &str) -> String {
    let id = content.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!(
        "From: {sender}\r\nTo: anna@ours.example\r\nSubject: a test\r\nMessage-ID: <{id}@client.example>\r\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\r\n\r\n{content}\r\n"
    )
}

/// What a client was answered: to each recipient, and to the message or to DATA.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) recipients: Vec<String>,
    pub(crate) message: String,
}

/// A client, by hand.
pub(crate) struct Client {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(to: SocketAddr, from: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let from: Ipv4Addr = from.parse().expect("an address");
        socket.bind(SocketAddr::from((from, 0))).expect("loopback is all ours");
        let socket = timeout(PATIENCE, socket.connect(to)).await.expect("in time").expect("connects");
        Self { socket, read: Vec::new() }
    }

    /// The next reply, its lines as one; nothing when the connection is closed.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let Some(line) = timeout(PATIENCE, self.line()).await.expect("a reply in time") else { return reply };
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
            reply.push('\n');
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.read.drain(..at + 2).collect();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            let mut piece = [0; 4096];
            match self.socket.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.read.extend_from_slice(&piece[..count]),
            }
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).await.expect("sent");
    }

    /// Says a line; the reply.
    pub(crate) async fn asks(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Says a line that is answered so.
    pub(crate) async fn says(&mut self, line: &str, begins: &str) {
        let reply = self.asks(line).await;
        assert!(reply.starts_with(begins), "{line} was answered {reply:?}, not {begins}");
    }

    /// Is told so without a word of its own.
    pub(crate) async fn hears(&mut self, begins: &str) {
        let reply = self.reply().await;
        assert!(reply.starts_with(begins), "heard {reply:?}, not {begins}");
    }

    /// The connection is closed, and nothing more was said.
    pub(crate) async fn is_closed(&mut self) {
        assert_eq!(self.reply().await, "", "it is closed");
    }

    /// A transaction up to its last recipient: the answers.
    pub(crate) async fn introduces(&mut self, sender: &str, recipients: &[&str]) -> Vec<String> {
        self.says(&format!("MAIL FROM:<{sender}>"), "250").await;
        let mut answers = Vec::new();
        for recipient in recipients {
            answers.push(self.asks(&format!("RCPT TO:<{recipient}>")).await);
        }
        answers
    }

    /// A whole transaction.
    pub(crate) async fn hand_in(&mut self, sender: &str, recipients: &[&str], letter: &str) -> Answered {
        let recipients = self.introduces(sender, recipients).await;
        let message = self.data(letter).await;
        Answered { recipients, message }
    }

    /// DATA and the message: the last answer.
    pub(crate) async fn data(&mut self, letter: &str) -> String {
        let answer = self.asks("DATA").await;
        if !answer.starts_with("354") {
            return answer;
        }
        self.send(letter.as_bytes()).await;
        self.asks(".").await
    }
}
