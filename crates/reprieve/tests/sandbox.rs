//! The walls around a process that examines, from within: a process of ours is shut in as those are, and tries what a
//! hostile mail that has taken it over would try. Nothing of it may succeed, and what examining needs must still work.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on may panic; one process says to the other what it tried"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

use examiner::sandbox;
use rustix::process::{Pid, Resource, Rlimit, Signal};

/// Set in the process that is shut in; the folder that it may not touch.
const VICTIM: &str = "REPRIEVE_TEST_VICTIM";
/// Where a test waits for connections that must not come.
const PORT: &str = "REPRIEVE_TEST_PORT";

type Attempt<'a> = (&'static str, Box<dyn Fn() -> io::Result<()> + 'a>);

fn attempt<'a>(what: &'static str, how: impl Fn() -> io::Result<()> + 'a) -> Attempt<'a> {
    (what, Box::new(how))
}

/// Everything that must fail.
fn attempts<'a>(folder: &'a Path, port: u16) -> Vec<Attempt<'a>> {
    let mail = move || folder.join("mail");
    let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
    // Asked while it may be.
    let parent = rustix::process::getppid().unwrap();
    vec![
        attempt("read a file", move || fs::read(mail()).map(drop)),
        attempt("read /etc/passwd", move || fs::read("/etc/passwd").map(drop)),
        attempt("read its own memory as a file", move || File::open("/proc/self/mem").map(drop)),
        attempt("make a file", move || File::create(folder.join("new")).map(drop)),
        attempt("append to a file", move || OpenOptions::new().append(true).open(mail()).map(drop)),
        attempt("remove a file", move || fs::remove_file(mail())),
        attempt("rename a file", move || fs::rename(mail(), folder.join("renamed"))),
        attempt("link a file", move || fs::hard_link(mail(), folder.join("linked"))),
        attempt("make a symbolic link", move || std::os::unix::fs::symlink("/etc", folder.join("symbolic"))),
        attempt("make a folder", move || fs::create_dir(folder.join("sub"))),
        attempt("list a folder", move || fs::read_dir(folder).map(drop)),
        attempt("go to another folder", move || std::env::set_current_dir(folder)),
        attempt("look at a file's size", move || fs::metadata(folder).map(drop)),
        attempt("make a file in memory", move || {
            Ok(rustix::fs::memfd_create("code", rustix::fs::MemfdFlags::empty()).map(drop)?)
        }),
        attempt("make a pipe in the file system", move || {
            let mode = rustix::fs::Mode::RWXU;
            let kind = rustix::fs::FileType::Fifo;
            Ok(rustix::fs::mknodat(rustix::fs::CWD, folder.join("pipe"), kind, mode, 0)?)
        }),
        attempt("connect over TCP", move || TcpStream::connect(("127.0.0.1", port)).map(drop)),
        attempt("listen over TCP", move || TcpListener::bind("127.0.0.1:0").map(drop)),
        attempt("send a datagram", move || {
            UdpSocket::bind("127.0.0.1:0")?.send_to(b"secret", ("127.0.0.1", port)).map(drop)
        }),
        attempt("listen on a unix socket", move || UnixListener::bind(folder.join("socket")).map(drop)),
        attempt("make a pair of sockets", move || UnixStream::pair().map(drop)),
        attempt("run a program", move || Command::new("/bin/true").stdin(Stdio::inherit()).status().map(drop)),
        attempt("run itself again", move || Command::new("/proc/self/exe").arg("--list").status().map(drop)),
        attempt("kill its parent", move || Ok(rustix::process::kill_process(parent, Signal::KILL)?)),
        attempt("signal itself by kill", move || Ok(rustix::process::kill_process(own, Signal::USR1)?)),
        attempt("get hold of its parent", move || {
            Ok(rustix::process::pidfd_open(parent, rustix::process::PidfdFlags::empty()).map(drop)?)
        }),
        attempt("start a session", move || Ok(rustix::process::setsid().map(drop)?)),
        attempt("change its root", move || Ok(rustix::process::chroot("/tmp")?)),
        attempt("get a capability back", move || {
            let wanted = std::iter::once(caps::Capability::CAP_DAC_OVERRIDE).collect();
            caps::set(None, caps::CapSet::Permitted, &wanted).map_err(io::Error::other)
        }),
        attempt("raise a limit", move || {
            Ok(rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) })?)
        }),
    ]
}

/// Run by the other test in a process of its own.
#[test]
fn shut_in() {
    let (Ok(folder), Ok(port)) = (std::env::var(VICTIM), std::env::var(PORT)) else { return };
    let (folder, port) = (Path::new(&folder), port.parse().unwrap());
    let attempts = attempts(folder, port);
    sandbox::give_up_rights().unwrap();
    sandbox::shut().unwrap();
    for (what, how) in &attempts {
        match how() {
            Ok(()) => println!("SUCCEEDED {what}"),
            Err(error) => println!("failed {what}: {error}"),
        }
    }
    // What examining needs: memory, threads, time, the socket that it has.
    let sum = std::thread::spawn(|| vec![1_u8; 8 << 20].iter().map(|byte| u64::from(*byte)).sum::<u64>()).join();
    println!("needed: {:?}, {}", sum.unwrap(), std::time::Instant::now().elapsed().as_secs());
    println!("tried {}", attempts.len());
}

#[test]
fn nothing_that_a_hostile_mail_would_do_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mail"), b"somebody's mail").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shut_in", "--nocapture", "--test-threads", "1"])
        .env(VICTIM, folder.path())
        .env(PORT, listener.local_addr().unwrap().port().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    print!("{said}");
    assert!(said.contains("tried 29"), "{said}");
    assert!(said.contains("needed: 8388608, 0"), "{said}");
    assert!(!said.contains("SUCCEEDED"), "{said}");
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody has connected");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["mail"]);
    assert_eq!(fs::read(folder.path().join("mail")).unwrap(), b"somebody's mail");
}
