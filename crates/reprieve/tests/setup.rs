//! `reprieve setup` with the shipped program: by flags as a script gives them, at a terminal as a person answers, and
//! with wrong answers. Then what a service tells systemd, and whether the unit leaves it the system calls that it
//! needs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on may panic, and says what it skips"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use support::{Gateway, Sink, Talk, bad, config};

/// A port of loopback that nobody has.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A folder to set up in, and what the answers are.
struct Host {
    folder: tempfile::TempDir,
    listen: String,
    api: String,
}

impl Host {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), listen: free().to_string(), api: free().to_string() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("etc/reprieve.toml")
    }

    /// Setup with these words, and with places of this host's own.
    fn command(&self, words: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = vec![env!("CARGO_BIN_EXE_reprieve").into(), "setup".into()];
        all.extend(words.iter().map(|word| (*word).to_owned()));
        for (flag, value) in [("--config", self.config()), ("--data-dir", self.path("data"))] {
            all.extend([flag.to_owned(), value.to_str().unwrap().to_owned()]);
        }
        for (flag, value) in [("--listen", &self.listen), ("--api", &self.api)] {
            if !words.contains(&flag) {
                all.extend([flag.to_owned(), value.clone()]);
            }
        }
        all
    }

    fn setup(&self, words: &[&str]) -> Output {
        let all = self.command(words);
        Command::new(&all[0]).args(&all[1..]).stdin(Stdio::null()).output().unwrap()
    }

    /// The same at a terminal, where somebody types.
    fn setup_at_a_terminal(&self, words: &[&str], typed: &str) -> Output {
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &self.command(words).join(" "), "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn has_written(&self) -> bool {
        self.config().exists() || self.path("data").exists()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn flags_make_a_service_that_observes_with_an_administrator() {
    let (sink, host) = (Sink::start(), Host::new());
    let hop = sink.address.to_string();
    let words = [
        "--hop",
        &hop,
        "--domain",
        "ours.example,b.example",
        "--domain",
        "c.example",
        "--admin",
        "anna@ours.example",
        "--yes",
    ];
    let done = host.setup(&words);
    let told = out(&done);
    assert_eq!(done.status.code(), Some(0), "{told}{}", complaint(&done));
    for part in
        ["mail for c.example: the next hop accepts it", "/welcome#", "Next steps", "mode = \"enforce\"", &host.listen]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.contains(&format!("http://{}/welcome#", host.api)), "{told}");
    let mode = fs::metadata(host.config()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "{mode:o}");
    let text = fs::read_to_string(host.config()).unwrap();
    for part in
        ["mode = \"observe\"", "\"ours.example\", \"b.example\", \"c.example\"", "alert_mail = [\"anna@ours.example\"]"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The service that was started for that has ended; the one that is started now knows the administrator.
    let mut child = Command::new(env!("CARGO_BIN_EXE_reprieve"))
        .args(["serve", "--log", "error", "--config"])
        .arg(host.config())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let people =
        support::reprieve(&["person", "list", "--config", host.config().to_str().unwrap()], host.folder.path());
    let ready = support::reprieve(&["ready", "--config", host.config().to_str().unwrap()], host.folder.path());
    // Beside a service that runs, setup says that it has to be restarted.
    let beside = host.setup(&["--hop", &hop, "--domain", "ours.example", "--admin", "carla", "--yes", "--force"]);
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(child.wait().unwrap().success());
    let told = out(&beside);
    assert!(told.contains("1. Restart it: the service runs with the old configuration"), "{told}");
    fs::write(host.config(), &text).unwrap();
    assert!(line.contains("\"ready\":true"), "{line}");
    assert!(out(&people).contains("anna@ours.example") && out(&people).contains("invited"), "{}", out(&people));
    assert_eq!((ready.status.code(), out(&ready).as_str()), (Some(0), "ready\n"));
    let gone = support::reprieve(&["ready", "--config", host.config().to_str().unwrap()], host.folder.path());
    assert_eq!(gone.status.code(), Some(3), "{}", complaint(&gone));
    // A second setup does not write over it.
    let again = host.setup(&words);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        complaint(&again).contains("exists already") && complaint(&again).contains("--force"),
        "{}",
        complaint(&again)
    );
    assert_eq!(fs::read_to_string(host.config()).unwrap(), text);
    let forced = host.setup(&["--hop", &hop, "--domain", "d.example", "--admin", "bert", "--yes", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", complaint(&forced));
    assert_eq!(fs::read_to_string(host.path("etc/reprieve.toml.old")).unwrap(), text);
    assert!(fs::read_to_string(host.config()).unwrap().contains("d.example"));
}

#[test]
fn a_wrong_or_missing_answer_is_told_and_nothing_is_written() {
    let (sink, host) = (Sink::start(), Host::new());
    let hop = sink.address.to_string();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let right = ["--hop", &hop, "--domain", "ours.example", "--admin", "anna", "--yes"];
    let with = |flag: &str, value: &str| -> Vec<String> {
        let mut words: Vec<String> = right.iter().map(|word| (*word).to_owned()).collect();
        match words.iter().position(|word| word == flag) {
            Some(at) => words[at + 1] = value.to_owned(),
            None => words.extend([flag.to_owned(), value.to_owned()]),
        }
        words
    };
    for (words, told) in [
        (vec![], &["no terminal", "--hop HOST:PORT", "--domain DOMAIN", "--admin NAME", "--yes"][..]),
        (vec!["--yes".to_owned()], &["--yes asks nothing", "--hop HOST:PORT"]),
        (right[..6].iter().map(|word| (*word).to_owned()).collect(), &["no terminal", "give --yes"]),
        (with("--hop", "mail.example.com"), &["--hop", "it has no port", "mail.example.com:25"]),
        (with("--domain", "bert@ours.example"), &["--domain", "alone: ours.example"]),
        (with("--admin", "anna@"), &["--admin", "neither a name nor a mail address"]),
        (with("--listen", "25"), &["--listen", "0.0.0.0:25"]),
        (with("--listen", "192.0.2.77:2525"), &["--listen", "no such address"]),
        (with("--listen", &taken), &["--listen", "another program listens on it"]),
        (with("--api", &taken), &["--api", "another program listens on it"]),
        (with("--listen", &hop), &["no valid configuration", "round in a ring", "Name the host that delivers it"]),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let refused = host.setup(&words);
        assert_eq!(refused.status.code(), Some(2), "{words:?}: {}{}", out(&refused), complaint(&refused));
        for part in told {
            assert!(complaint(&refused).contains(part), "{words:?}: {part}: {}", complaint(&refused));
        }
        assert!(!host.has_written(), "{words:?}");
    }
}

#[test]
fn a_next_hop_that_is_away_or_refuses_our_domain_is_told() {
    let host = Host::new();
    let away = free().to_string();
    let words = ["--hop", &away, "--domain", "ours.example", "--admin", "anna", "--yes"];
    let refused = host.setup(&words);
    assert_eq!(refused.status.code(), Some(3), "{}", complaint(&refused));
    assert!(out(&refused).contains(&away) && complaint(&refused).contains("--without-hop"), "{}", complaint(&refused));
    assert!(!host.has_written());
    let written = host.setup(&[&words[..], &["--without-hop"]].concat());
    assert_eq!(written.status.code(), Some(0), "{}", complaint(&written));
    assert!(host.config().exists());

    let (sink, host) = (Sink::start(), Host::new());
    let hop = sink.address.to_string();
    // The sink refuses what has this word in it.
    let warned = host.setup(&["--hop", &hop, "--domain", "unknown.example", "--admin", "anna", "--yes"]);
    assert_eq!(warned.status.code(), Some(0), "{}", complaint(&warned));
    assert!(out(&warned).contains("the next hop refuses postmaster@unknown.example: 550"), "{}", out(&warned));
}

#[test]
fn a_person_at_a_terminal_is_asked_until_the_answer_is_right() {
    let (sink, host) = (Sink::start(), Host::new());
    let typed = format!("mail.example.com\n{}\n\nbert@ours.example\nours.example\nanna\ny\n", sink.address);
    let done = host.setup_at_a_terminal(&[], &typed);
    let told = out(&done);
    assert_eq!(done.status.code(), Some(0), "{told}");
    for part in ["it has no port", "a domain is missing", "alone: ours.example", "Write ", "/welcome#"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(fs::read_to_string(host.config()).unwrap().contains(&sink.address.to_string()));

    let host = Host::new();
    let declined = host.setup_at_a_terminal(&[], &format!("{}\nours.example\nanna\nn\n", sink.address));
    assert!(out(&declined).contains("Nothing was written"), "{}", out(&declined));
    assert!(declined.status.code() == Some(1) && !host.has_written());
    let given_up = host.setup_at_a_terminal(&[], "a\nb\nc\nd\ne\nf\n");
    assert!(given_up.status.code() == Some(2) && !host.has_written(), "{}", out(&given_up));
}

/// Runs a gateway that tells a socket how it is, and returns all that it has said.
fn told_to(socket: &UnixDatagram, name: &str) -> Vec<String> {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let sink = Sink::start();
    let mut gateway = Gateway::prepare(&config(sink.address));
    gateway.set("NOTIFY_SOCKET", name);
    gateway.set("WATCHDOG_USEC", "200000");
    gateway.run();
    let mut said = Vec::new();
    let mut hear = |until: &str| {
        let mut buffer = [0; 512];
        while said.last().is_none_or(|last: &String| !last.contains(until)) {
            let length = socket.recv(&mut buffer).unwrap();
            said.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        said.push("|".into());
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    assert_eq!(gateway.stop(), Some(0));
    hear("STOPPING=1");
    said
}

#[test]
fn systemd_is_told_when_it_is_ready_that_it_goes_on_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let said = told_to(&UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap());
    assert_eq!(said.first().map(String::as_str).map(str::trim), Some("READY=1"), "{said:?}");
    let name = format!("reprieve-test-{}", std::process::id());
    let address = UnixAddress::from_abstract_name(&name).unwrap();
    let said = told_to(&UnixDatagram::bind_addr(&address).unwrap(), &format!("@{name}"));
    assert!(said.iter().any(|one| one.contains("STOPPING=1")), "{said:?}");
}

/// System calls by their names, with their numbers on this machine, as the C library's headers have them.
fn numbers() -> Option<BTreeMap<String, i64>> {
    let text = fs::read_to_string("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").ok()?;
    let number = |line: &str| {
        let (name, number) = line.strip_prefix("#define __NR_")?.split_once(' ')?;
        Some((name.to_owned(), number.trim().parse().ok()?))
    };
    Some(text.lines().filter_map(number).collect())
}

/// The system calls of a set such as `@system-service`, or of one name.
fn members(word: &str) -> Option<Vec<String>> {
    if !word.starts_with('@') {
        return Some(vec![word.to_owned()]);
    }
    let output = Command::new("systemd-analyze").args(["syscall-filter", word]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let words = text.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(words.map(members).collect::<Option<Vec<_>>>()?.concat())
}

/// The system calls that the unit leaves the service, line by line as systemd reads them (systemd.exec(5)).
fn allowed_by_the_unit() -> Option<Vec<i64>> {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd/reprieve.service");
    let (numbers, text) = (numbers()?, fs::read_to_string(unit).unwrap());
    let mut allowed: Vec<String> = Vec::new();
    for words in text.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let is_taken_away = words.starts_with('~');
        for word in words.trim_start_matches('~').split_whitespace() {
            let set = members(word)?;
            allowed.retain(|name| !is_taken_away || !set.contains(name));
            allowed.extend(set.into_iter().filter(|_| !is_taken_away));
        }
    }
    // systemd leaves these to whatever is started, so that it can be started.
    allowed.extend(members("@default")?);
    Some(allowed.iter().filter_map(|name| numbers.get(name).copied()).collect())
}

#[test]
fn the_unit_leaves_the_service_and_its_examining_processes_the_system_calls_that_they_need() {
    let Some(allowed) = allowed_by_the_unit() else {
        println!("skipped: needs systemd-analyze and the C library's headers for x86_64");
        return;
    };
    assert!(allowed.len() > 200, "the unit is read wrongly: {} calls", allowed.len());
    let rules = allowed.into_iter().map(|number| (number, Vec::new())).collect();
    let refuse = SeccompAction::Errno(u32::try_from(rustix::io::Errno::PERM.raw_os_error()).unwrap());
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, std::env::consts::ARCH.try_into().unwrap());
    let filter: BpfProgram = filter.unwrap().try_into().unwrap();
    // The filter is this thread's, and of what it starts.
    let tried = std::thread::spawn(move || {
        let sink = Sink::start();
        let mut gateway = Gateway::prepare(&config(sink.address));
        seccompiler::apply_filter(&filter).unwrap();
        gateway.run();
        let taken = Talk::from_outside(gateway.mx).send("a@x.example", &["b@ours.example"], &bad("one"));
        // Its walls as `doctor` sees them, within those of the unit.
        let doctor = gateway.cli(&["doctor", "--config", "reprieve.toml"]);
        (taken, out(&doctor), gateway.stop(), gateway.log())
    });
    let (taken, doctor, stopped, log) = tried.join().unwrap();
    assert!(taken.contains("taken as"), "{taken}{log}");
    let walls = doctor.lines().find(|line| line.contains("examining processes")).unwrap_or_default();
    assert!(walls.contains("sandboxed by"), "{doctor}");
    assert_eq!(stopped, Some(0), "{log}");
}
