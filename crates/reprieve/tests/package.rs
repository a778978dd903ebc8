//! What the package brings: units that are sound and hardened, a recipe for containers that names what is there, and,
//! where `cargo xtask package-test` has made one, the package itself in a fresh Debian: installed, set up, upgraded,
//! removed.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on may panic, and says what it skips"
)]

#[path = "../../store/tests/earlier/mod.rs"]
mod earlier;
mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{Sink, Talk, bad, clean};

/// The most that `systemd-analyze security` may say of a unit, in tenths.
const EXPOSURE_MAX: &str = "20";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn units_are_sound_and_leave_little_exposed() {
    if !is_there("systemd-analyze") {
        println!("skipped: needs systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let units = ["reprieve.service", "reprieve-backup.service", "reprieve-backup.timer"];
    for unit in units {
        let written = fs::read_to_string(repository().join("packaging/systemd").join(unit)).unwrap();
        // The programs are not installed here.
        let here =
            |line: &str| if line.starts_with("ExecStart=") { "ExecStart=/bin/true".into() } else { line.to_owned() };
        let lines: Vec<String> = written.lines().map(here).collect();
        fs::write(folder.path().join(unit), lines.join("\n")).unwrap();
    }
    let verified =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).current_dir(&folder).output();
    let verified = verified.unwrap();
    assert!(verified.status.success() && !text(&verified).contains("reprieve"), "{}", text(&verified));
    for unit in units.into_iter().filter(|unit| unit.ends_with(".service")) {
        let looked = Command::new("systemd-analyze")
            .args(["security", "--no-pager", "--offline=true", "--threshold", EXPOSURE_MAX])
            .arg(folder.path().join(unit))
            .output()
            .unwrap();
        let told = text(&looked);
        println!("{}", told.lines().find(|line| line.contains("Overall")).unwrap_or_default());
        assert!(looked.status.success(), "{told}");
    }
    // YARA-X makes machine code, and root is known by its user number.
    let service = fs::read_to_string(repository().join("packaging/systemd/reprieve.service")).unwrap();
    for never in ["\nMemoryDenyWriteExecute=", "\nPrivateUsers=", "\nProcSubset="] {
        assert!(!service.contains(never), "{never}");
    }
}

#[test]
fn scripts_are_read_by_a_plain_shell() {
    for script in ["backup.sh", "debian/preinst", "debian/postinst", "debian/prerm", "debian/postrm"] {
        let path = repository().join("packaging").join(script);
        let read = Command::new("dash").arg("-n").arg(&path).output().unwrap();
        assert!(read.status.success(), "{script}: {}", text(&read));
        let refused = fs::read_to_string(&path).unwrap();
        assert!(refused.lines().take(6).any(|line| line.starts_with("set -e")), "{script} goes on after a fault");
    }
    for script in ["preinst", "postinst", "prerm", "postrm"] {
        let path = repository().join("packaging/debian").join(script);
        let refused = Command::new("dash").arg(&path).arg("elsewhere").output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "{script}: {}", text(&refused));
    }
}

/// The instructions of the recipe, each on one line.
fn instructions() -> Vec<String> {
    let recipe = fs::read_to_string(repository().join("packaging/container/Containerfile")).unwrap();
    let lines: Vec<&str> = recipe.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
    lines.join("\n").replace("\\\n", " ").lines().map(str::to_owned).collect()
}

#[test]
fn the_container_is_made_of_what_is_there() {
    let (mut stages, mut built) = (Vec::new(), Vec::new());
    for line in instructions() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["FROM", image, rest @ ..] => {
                assert!(
                    image.contains(':') && !image.contains('/'),
                    "{image}: a version, and the builder's own registry"
                );
                stages.push(rest.last().copied().unwrap_or_default().to_owned());
            }
            ["COPY", from, sources @ .., _] if from.starts_with("--from=") => {
                assert!(stages.contains(&from["--from=".len()..].to_owned()), "{from}");
                for source in sources.iter().filter_map(|source| source.strip_prefix("/src/")) {
                    let is_built = source == "target/release/reprieve";
                    assert!(
                        is_built || repository().join(source).exists() && built.iter().any(|b| source.starts_with(b)),
                        "{source}"
                    );
                }
            }
            ["COPY", sources @ .., _] => {
                for source in sources {
                    assert!(repository().join(source).exists(), "{source}");
                    built.push((*source).to_owned());
                }
            }
            ["HEALTHCHECK", rest @ ..] => {
                let command =
                    rest.iter().skip_while(|word| **word != "CMD").skip(1).copied().collect::<Vec<_>>().join(" ");
                is_a_verb(&serde_json::from_str::<Vec<String>>(&command).unwrap()[1..]);
            }
            ["CMD", rest @ ..] => is_a_verb(&serde_json::from_str::<Vec<String>>(&rest.join(" ")).unwrap()),
            _ => {}
        }
    }
    assert_eq!(stages.len(), 2);
    let all = instructions();
    assert!(all.iter().any(|line| line == "USER reprieve"), "it runs as root");
    the_top_of_the_recipe_is_right(&all);
    // All that the workspace is made of is copied.
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    for member in serde_json::from_str::<Vec<String>>(members).unwrap() {
        assert!(built.iter().any(|copied| member.starts_with(copied)), "{member}");
    }
}

/// What the commands at its top publish and keep is what the image exposes and keeps.
fn the_top_of_the_recipe_is_right(instructions: &[String]) {
    let recipe = fs::read_to_string(repository().join("packaging/container/Containerfile")).unwrap();
    let top: String = recipe.lines().take_while(|line| line.starts_with('#')).collect();
    let values = |name: &str| -> Vec<String> {
        let line = instructions.iter().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split(|c: char| c.is_whitespace() || "[],\"".contains(c))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    for port in values("EXPOSE ") {
        assert!(top.contains(&format!(":{port} ")), "{port} is exposed, and published by no command at the top");
    }
    for volume in values("VOLUME ") {
        assert!(top.matches(&format!(":{volume} ")).count() >= 2, "{volume} is kept by setup and by what runs");
    }
    // An address that only the container itself reaches is published in vain.
    for flag in ["--listen 0.0.0.0:10024", "--api 0.0.0.0:8025"] {
        assert!(top.contains(flag), "{flag}");
    }
}

/// The steps of the image in a fresh Debian: those of its last stage, but for what needs a network, and then what it
/// runs, as its user and with its own check of health.
#[test]
fn the_container_runs() {
    let Some(tree) = std::env::var_os("REPRIEVE_TEST_DEBIAN") else {
        println!("skipped: `cargo xtask package-test` makes a Debian for it");
        return;
    };
    let (debian, sink) = (Debian::unpacked(&tree), Sink::start());
    let (mut stage, mut user, mut starts, mut check) = (0, String::new(), Vec::new(), Vec::new());
    for line in instructions() {
        stage += u32::from(line.starts_with("FROM "));
        let Some((word, rest)) = line.split_once(' ').filter(|_| stage == 2) else { continue };
        match word {
            // ca-certificates are in that Debian.
            "RUN" if rest.contains("apt-get") => {}
            "RUN" => drop(debian.run(&["sh", "-ec", rest])),
            "COPY" => copied(&debian, rest),
            "USER" => user = rest.to_owned(),
            "ENTRYPOINT" => starts = serde_json::from_str::<Vec<String>>(rest).unwrap(),
            "HEALTHCHECK" => check = serde_json::from_str::<Vec<String>>(rest.split_once("CMD ").unwrap().1).unwrap(),
            _ => {}
        }
    }
    // A container has a name server of its own; here is none, so what names senders is not asked.
    let user = [format!("--reuid={user}"), format!("--regid={user}"), "--init-groups".to_owned()];
    let as_user: Vec<&str> = ["setpriv"].into_iter().chain(user.iter().map(String::as_str)).collect();
    let words = |more: &[&str]| -> Vec<String> { as_user.iter().chain(more).map(|word| (*word).to_owned()).collect() };
    let run = |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        debian.command(&words)
    };
    let (listen, api) = (free(), free());
    let hop = sink.address.to_string();
    let setup = ["setup", "--hop", &hop, "--domain", "ours.example", "--listen", &listen, "--api", &api];
    let done =
        run(words(&[&[starts[0].as_str()], &setup[..], &["--admin", "anna", "--yes"]].concat())).output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    let config = debian.path("/etc/reprieve/reprieve.toml");
    let written = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{written}\n[engine.auth]\non = false\n")).unwrap();
    let check: Vec<&str> = check.iter().map(String::as_str).collect();
    let is_healthy = || run(words(&check)).output().unwrap().status.success();
    assert!(!is_healthy(), "nothing runs yet");
    let mut served = run(words(&[starts[0].as_str(), "serve"])).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(served.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let healthy = is_healthy();
    let mail = Talk::from_outside(listen.parse().unwrap()).send("a@x.example", &["b@ours.example"], &clean("1"));
    Command::new("kill").arg(served.id().to_string()).status().unwrap();
    assert!(served.wait().unwrap().success(), "it stops by the signal that the recipe names");
    assert!(line.contains("\"ready\":true") && healthy && mail.starts_with("250"), "{line}{mail}");
}

fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// What a step copies from the stage that builds: the program that the tests have built, else a file of the repository.
fn copied(debian: &Debian, words: &str) {
    let words: Vec<&str> = words.split_whitespace().filter(|word| !word.starts_with("--from=")).collect();
    let (to, sources) = words.split_last().unwrap();
    for source in sources {
        let inside = source.trim_start_matches("/src/");
        let from = match inside {
            "target/release/reprieve" => PathBuf::from(env!("CARGO_BIN_EXE_reprieve")),
            other => repository().join(other),
        };
        let target = if to.ends_with('/') { debian.path(to).join(from.file_name().unwrap()) } else { debian.path(to) };
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        let copy = Command::new("cp").arg("-r").arg(&from).arg(&target).status().unwrap();
        assert!(copy.success(), "{source}");
    }
}

fn is_a_verb(words: &[String]) {
    let known = Command::new(env!("CARGO_BIN_EXE_reprieve")).args(words).arg("--help").output().unwrap();
    assert!(known.status.success(), "{words:?}: {}", text(&known));
}

/// A fresh Debian in a folder.
struct Debian {
    root: tempfile::TempDir,
}

impl Debian {
    fn unpacked(tree: &OsStr) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut unpack = Command::new("tar");
        unpack.arg("--extract").arg("--file").arg(tree).arg("--directory").arg(root.path());
        assert!(unpack.status().unwrap().success());
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { root }
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.root.path().join(inside.trim_start_matches('/'))
    }

    /// A command in it, by root. What it mounts is gone with it, however it ends.
    fn command(&self, words: &[&str]) -> Command {
        let enter = "mount -t proc proc \"$0/proc\" && exec chroot \"$0\" \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--", "sh", "-c", enter]).arg(self.root.path()).args(words);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
        command.env("HOME", "/root").stdin(Stdio::null());
        command
    }

    /// Runs one that must succeed, and returns what it says.
    fn run(&self, words: &[&str]) -> String {
        self.run_with(words, &[])
    }

    fn run_with(&self, words: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.command(words).envs(environment.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        text(&output)
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[words, &["--json"]].concat())).unwrap()
    }

    /// Installs a package, as an administrator does who has downloaded it.
    fn install(&self, package: &OsStr) -> String {
        let name = Path::new(package).file_name().unwrap();
        fs::copy(package, self.path("root").join(name)).unwrap();
        self.run(&["apt-get", "install", "--yes", &format!("/root/{}", name.to_str().unwrap())])
    }

    fn ids(&self, state: &str) -> Vec<String> {
        let list = self.json(&["reprieve", "quarantine", "list", "--state", state]);
        list.as_array().unwrap().iter().map(|held| held["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Starts the service as its unit says.
    fn serve(&self) -> Served {
        let unit = fs::read_to_string(self.path("/usr/lib/systemd/system/reprieve.service")).unwrap();
        let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        let (user, group) = (value("User="), value("Group="));
        let (start, notify) = (value("ExecStart="), self.path("/run/notify"));
        let _ = fs::remove_file(&notify);
        let told = UnixDatagram::bind(&notify).unwrap();
        told.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        fs::set_permissions(&notify, fs::Permissions::from_mode(0o666)).unwrap();
        let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
        let words = ["setpriv", &user, &group, "--init-groups", "--no-new-privs"];
        let words: Vec<&str> = words.into_iter().chain(start.split_whitespace()).collect();
        let mut command = self.command(&words);
        command.env("NOTIFY_SOCKET", "/run/notify").env("REPRIEVE_LOG", "warn").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let served = Served { child, told, mx: ready["listeners"][0]["address"].as_str().unwrap().parse().unwrap() };
        served.says("READY=1");
        served
    }
}

/// The service in that Debian.
struct Served {
    child: Child,
    told: UnixDatagram,
    mx: SocketAddr,
}

impl Served {
    fn says(&self, what: &str) {
        let mut buffer = [0; 512];
        let length = self.told.recv(&mut buffer).unwrap();
        assert_eq!(String::from_utf8_lossy(&buffer[..length]).trim(), what);
    }

    fn send(&self, mail: &[u8]) -> String {
        Talk::from_outside(self.mx).send("a@x.example", &["b@ours.example"], mail)
    }

    /// As systemd stops it.
    fn stop(mut self) {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(self.child.wait().unwrap().success());
        self.says("STOPPING=1");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stays through upgrade and removal: each file of the store and of the configuration with its size.
fn kept(debian: &Debian) -> bool {
    ["/var/lib/reprieve/reprieve.db", "/etc/reprieve/reprieve.toml"].iter().all(|file| debian.path(file).is_file())
}

#[test]
fn installed_set_up_upgraded_and_removed_in_a_fresh_debian() {
    let given = ["REPRIEVE_TEST_DEBIAN", "REPRIEVE_TEST_PACKAGE", "REPRIEVE_TEST_LATER_PACKAGE"].map(std::env::var_os);
    let [Some(tree), Some(package), Some(later)] = given else {
        println!("skipped: `cargo xtask package-test` makes the package and a Debian for it");
        return;
    };
    let (debian, sink) = (Debian::unpacked(&tree), Sink::start());
    installed(&debian, &package);
    set_up(&debian, &sink);
    mail_is_observed_then_held_and_released(&debian, &sink);
    upgraded(&debian, &sink, &later);
    removed(&debian, &later);
    upgraded_from_an_earlier_version(&debian, &package, &later);
}

fn installed(debian: &Debian, package: &OsStr) {
    let told = debian.install(package);
    assert!(told.contains("Run `reprieve setup`"), "{told}");
    assert_eq!(debian.run(&["dpkg", "--verify", "reprieve"]), "", "a file is not as it was packed");
    assert!(debian.run(&["reprieve", "--version"]).starts_with("reprieve "));
    let owner = debian.run(&["stat", "--format=%U:%G:%a", "/var/lib/reprieve", "/etc/reprieve"]);
    assert_eq!(owner, "reprieve:reprieve:700\nroot:reprieve:750\n");
    // Nothing starts before it is set up.
    let enabled = debian.path("/etc/systemd/system/multi-user.target.wants/reprieve.service");
    assert!(fs::symlink_metadata(enabled).is_err());
    for file in [
        "man/man1/reprieve.1.gz",
        "doc/reprieve/copyright",
        "doc/reprieve/libraries.gz",
        "doc/reprieve/guide/install.md",
    ] {
        assert!(debian.path("/usr/share").join(file).is_file(), "{file}");
    }
}

fn set_up(debian: &Debian, sink: &Sink) {
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let api = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let nobody = debian.command(&["reprieve", "setup"]).output().unwrap();
    assert!(nobody.status.code() == Some(2) && text(&nobody).contains("--hop HOST:PORT"), "{}", text(&nobody));
    let hop = sink.address.to_string();
    let words =
        ["--hop", &hop, "--domain", "ours.example", "--listen", &listen, "--api", &api, "--admin", "anna", "--yes"];
    let told = debian.run(&[&["reprieve", "setup"], &words[..]].concat());
    assert!(
        told.contains("/welcome#") && told.contains("reprieve serve --config /etc/reprieve/reprieve.toml"),
        "{told}"
    );
    let owners = ["/etc/reprieve/reprieve.toml", "/var/lib/reprieve/reprieve.db"];
    let owners = debian.run(&[&["stat", "--format=%U:%G:%a"], &owners[..]].concat());
    assert!(owners.starts_with("root:reprieve:640\nreprieve:reprieve:"), "{owners}");
    // What names senders is not asked: there is no name server here.
    let config = debian.path("/etc/reprieve/reprieve.toml");
    let written = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{written}\n[engine.auth]\non = false\n")).unwrap();
}

fn mail_is_observed_then_held_and_released(debian: &Debian, sink: &Sink) {
    let served = debian.serve();
    assert!(served.send(&bad("observed")).starts_with("250"));
    assert_eq!(sink.wait(1).len(), 1);
    assert!(debian.ids("any").is_empty(), "it observes");
    served.stop();
    let config = debian.path("/etc/reprieve/reprieve.toml");
    let written = fs::read_to_string(&config).unwrap();
    fs::write(&config, written.replace("mode = \"observe\"", "mode = \"enforce\"")).unwrap();
    debian.run(&["reprieve", "config", "check"]);
    let served = debian.serve();
    assert!(served.send(&clean("good")).starts_with("250"));
    assert!(served.send(&bad("released")).contains("taken as"));
    assert!(served.send(&bad("kept")).contains("taken as"));
    let held = debian.ids("held");
    assert_eq!(held.len(), 2);
    backed_up(debian);
    let first = held.iter().find(|id| debian.run(&["reprieve", "quarantine", "show", id]).contains("released"));
    debian.run(&["reprieve", "quarantine", "release", first.unwrap(), "--wait", "--reason", "a test"]);
    assert!(sink.wait(3).iter().any(|mail| mail.header("Subject").as_deref() == Some("released")));
    served.stop();
}

/// The nightly backup, twice with one kept, as its unit runs it.
fn backed_up(debian: &Debian) {
    let backup = ["setpriv", "--reuid=reprieve", "--regid=reprieve", "--init-groups", "/usr/lib/reprieve/backup"];
    let listed = || debian.run(&["ls", "/var/lib/reprieve-backup"]);
    debian.run(&backup);
    let first = listed();
    assert_eq!(first.lines().count(), 1, "{first}");
    // The next name is that of another second.
    std::thread::sleep(Duration::from_millis(1100));
    let told = debian.run_with(&backup, &[("REPRIEVE_BACKUP_KEEP", "1")]);
    assert!(told.contains("whole") && told.contains("removed"), "{told}");
    let second = listed();
    assert!(second.lines().count() == 1 && second != first, "{second}");
    let wrong = debian.command(&backup).env("REPRIEVE_BACKUP_KEEP", "none").output().unwrap();
    assert!(wrong.status.code() == Some(2) && text(&wrong).contains("no number from 1"), "{}", text(&wrong));
}

fn upgraded(debian: &Debian, sink: &Sink, later: &OsStr) {
    let config = debian.path("/etc/reprieve/reprieve.toml");
    let before = (fs::read(&config).unwrap(), fs::metadata(&config).unwrap().mode());
    debian.install(later);
    assert!(debian.run(&["dpkg-query", "--show", "reprieve"]).contains("+later"));
    assert_eq!((fs::read(&config).unwrap(), fs::metadata(&config).unwrap().mode()), before);
    let served = debian.serve();
    let held = debian.ids("held");
    assert_eq!(held.len(), 1);
    debian.run(&["reprieve", "quarantine", "release", &held[0], "--wait", "--reason", "after the upgrade"]);
    assert!(sink.wait(4).iter().any(|mail| mail.header("Subject").as_deref() == Some("kept")));
    debian.run(&["reprieve", "ledger", "check", "--deep"]);
    assert!(served.send(&bad("last")).contains("taken as"));
    served.stop();
}

fn removed(debian: &Debian, later: &OsStr) {
    let told = debian.run(&["dpkg", "--remove", "reprieve"]);
    assert!(told.contains("stay in /var/lib/reprieve"), "{told}");
    assert!(kept(debian) && !debian.path("/usr/bin/reprieve").exists());
    let told = debian.run(&["dpkg", "--purge", "reprieve"]);
    assert!(told.contains("purged, but held mail") && told.contains("REPRIEVE_PURGE=yes"), "{told}");
    assert!(kept(debian) && !debian.path("/etc/default/reprieve").exists());
    // Whoever comes back finds what was held.
    debian.install(later);
    let served = debian.serve();
    assert_eq!(debian.ids("held").len(), 1);
    served.stop();
    let told = debian.run_with(&["dpkg", "--purge", "reprieve"], &[("REPRIEVE_PURGE", "yes")]);
    assert!(told.contains("are removed, as you asked"), "{told}");
    for gone in ["/var/lib/reprieve", "/var/lib/reprieve-backup", "/etc/reprieve"] {
        assert!(!debian.path(gone).exists(), "{gone}");
    }
    debian.install(later);
    debian.run(&["touch", "/etc/reprieve/purge-mail"]);
    debian.run(&["dpkg", "--purge", "reprieve"]);
    assert!(!debian.path("/etc/reprieve").exists(), "asked for by a file");
}

/// The data folder that an earlier version left, under the package of this one: looked at, released from, backed up,
/// and kept by a removal.
fn upgraded_from_an_earlier_version(debian: &Debian, package: &OsStr, later: &OsStr) {
    let sink = Sink::start();
    debian.install(package);
    set_up(debian, &sink);
    let data = debian.path("/var/lib/reprieve");
    fs::remove_dir_all(&data).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(earlier::lay(&data));
    debian.run(&["chown", "-R", "reprieve:reprieve", "/var/lib/reprieve"]);
    debian.run(&["chmod", "700", "/var/lib/reprieve"]);
    let before = fs::read(data.join("reprieve.db")).unwrap();
    let proved = debian.run(&["reprieve", "restore", "/var/lib/reprieve", "--verify"]);
    assert!(proved.contains("whole") && fs::read(data.join("reprieve.db")).unwrap() == before, "{proved}");

    debian.install(later);
    let served = debian.serve();
    debian.run(&["reprieve", "ledger", "check", "--deep"]);
    debian.run(&["reprieve", "audit", "verify"]);
    let held = debian.ids("held");
    assert!(held.len() == 3 && held.contains(&earlier::KEPT_ID.to_owned()), "{held:?}");
    debian.run(&["reprieve", "quarantine", "release", earlier::KEPT_ID, "--wait", "--reason", "after the upgrade"]);
    // Notices to the administrators have come before it.
    let bytes = earlier::mail(earlier::KEPT_BLOB);
    assert!(sink.wait(1).iter().any(|mail| mail.bytes.ends_with(&bytes)), "the bytes are the bytes");
    served.stop();
    debian.run(&["dpkg", "--purge", "reprieve"]);
    assert!(kept(debian), "what an earlier version held is kept as well");
    fs::remove_dir_all(&data).unwrap();
}
