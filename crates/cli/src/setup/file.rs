//! The configuration that setup writes: short, commented, and on the disk whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::answer::Answers;

/// Its owner writes it, the service reads it, nobody else does: it may come to name passwords.
const MODE: u32 = 0o640;
/// The same for its folder.
const FOLDER_MODE: u32 = 0o750;

/// The configuration of some answers.
pub(super) fn text(answers: &Answers, data_dir: &Path) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let domains: Vec<String> = answers.domains.iter().map(|domain| quoted(domain)).collect();
    // A mail server on this host may say whose mail it hands over; from elsewhere anybody could.
    let xclient_from = if answers.listen.ip().is_loopback() {
        "# The mail server on this host names its clients by XCLIENT.\nxclient_from = [\"127.0.0.1\", \"::1\"]\n"
    } else {
        ""
    };
    let notices = answers.mailbox().map_or_else(String::new, |mailbox| {
        format!("\n[notices]\n# Alerts for operators are sent here.\nalert_mail = [{}]\n", quoted(mailbox))
    });
    format!(
        "# Written by `reprieve setup`. Every key there is, with its default: `reprieve config example`.\n\
         # After a change: `reprieve config check`, then `systemctl restart reprieve`.\n\
         data_dir = {}\n\n\
         # \"observe\" (monitor only): everything is delivered, verdicts are recorded. \"enforce\": bad mail is held.\n\
         mode = \"observe\"\n\n\
         # Your domains.\n\
         accepted_domains = [{}]\n\
         trusted_networks = []\n\n\
         # The SMTP listener.\n\
         [[listener]]\naddress = {}\nrole = \"mx\"\n{xclient_from}\n\
         # The next hop of accepted mail.\n\
         [next_hop.inbound]\naddress = {}\n\n\
         # The console and the API.\n\
         [api]\naddress = {}\n{notices}",
        quoted(&data_dir.to_string_lossy()),
        domains.join(", "),
        quoted(&answers.listen.to_string()),
        quoted(&answers.hop),
        quoted(&answers.api.to_string()),
    )
}

/// Where a configuration is kept that a new one takes the place of.
pub(super) fn old(path: &Path) -> PathBuf {
    beside(path, ".old")
}

/// The configuration of the first start: the same, but that mail comes in nowhere that anybody knows of. It lies beside
/// the other one, and is gone with this.
#[derive(Debug)]
pub(super) struct First(PathBuf);

impl First {
    /// Writes it.
    pub(super) fn write(
        path: &Path,
        answers: &Answers,
        data_dir: &Path,
        owner: Option<(u32, u32)>,
    ) -> io::Result<Self> {
        let answers = Answers { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..answers.clone() };
        let first = beside(path, ".first");
        let text = text(&answers, data_dir);
        // One that an earlier run was interrupted at.
        let _ = fs::remove_file(&first);
        write(&first, &text, owner, false)?;
        Ok(Self(first))
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // What stays is written over by the next run.
        let _ = fs::remove_file(&self.0);
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Writes it, readable for the service's group: never over another one, unless it may replace that. Whoever looks sees
/// the old one, the new one, or none, and never a part of one.
pub(super) fn write(path: &Path, text: &str, owner: Option<(u32, u32)>, may_replace: bool) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let fresh = beside(path, &format!(".new-{}", std::process::id()));
    let written = fill(&fresh, text, owner).and_then(|()| put_in_place(&fresh, path, may_replace));
    // Where it was moved it is gone already.
    let _ = fs::remove_file(&fresh);
    written?;
    File::open(folder)?.sync_all()
}

fn fill(fresh: &Path, text: &str, owner: Option<(u32, u32)>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(fresh)?;
    // Whatever the umask is.
    file.set_permissions(Permissions::from_mode(MODE))?;
    if let Some((_, group)) = owner {
        fchown(&file, None, Some(group))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn put_in_place(fresh: &Path, path: &Path, may_replace: bool) -> io::Result<()> {
    if !may_replace {
        // A second name for it, which is refused where there is a file.
        return fs::hard_link(fresh, path);
    }
    if path.exists() {
        let kept = old(path);
        if kept.exists() {
            fs::remove_file(&kept)?;
        }
        fs::hard_link(path, kept)?;
    }
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use domain::DomainName;
    use platform::config::{Config, Mode};

    use super::*;

    fn answers(admin: &str, listen: &str) -> Answers {
        Answers {
            hop: "mail.example.com:25".into(),
            domains: vec![DomainName::of("ours.example"), DomainName::of("bücher.example")],
            listen: listen.parse().expect("an address"),
            admin: admin.into(),
            api: "127.0.0.1:8025".parse().expect("an address"),
        }
    }

    #[test]
    fn what_is_written_can_be_read_and_observes() {
        let text = text(&answers("anna@ours.example", "127.0.0.1:10024"), Path::new("/var/lib/a \"quoted\" name"));
        let config = Config::parse(&text, Path::new("/etc/reprieve")).expect("a right one");
        assert!(domain::Direction::ALL.into_iter().all(|direction| config.mode(direction) == Mode::Observe));
        assert_eq!(config.data_dir, Path::new("/var/lib/a \"quoted\" name"));
        assert!(config.border.accepts(&DomainName::of("bücher.example")) && config.border.trusted_networks.is_empty());
        assert_eq!(config.listeners.iter().map(|one| one.xclient_from.len()).collect::<Vec<_>>(), [2]);
        assert!(text.contains("alert_mail = [\"anna@ours.example\"]"), "{text}");
    }

    #[test]
    fn strangers_say_nothing_for_others() {
        let text = text(&answers("anna", "0.0.0.0:25"), Path::new("/var/lib/reprieve"));
        let config = Config::parse(&text, Path::new("/etc/reprieve")).expect("a right one");
        assert!(config.listeners.iter().all(|one| one.xclient_from.is_empty()));
        assert!(!text.contains("[notices]"), "{text}");
    }

    #[test]
    fn it_is_never_written_over_another_one_by_accident() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("etc").join("reprieve.toml");
        write(&path, "one", None, false).expect("there is none");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, MODE);
        let refused = write(&path, "two", None, false).expect_err("there is one");
        assert_eq!(
            (refused.kind(), fs::read_to_string(&path).expect("there")),
            (io::ErrorKind::AlreadyExists, "one".into())
        );
        for (text, kept) in [("two", "one"), ("three", "two")] {
            write(&path, text, None, true).expect("it may");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
            assert_eq!(fs::read_to_string(old(&path)).expect("kept"), kept);
        }
        assert_eq!(fs::read_dir(folder.path().join("etc")).expect("folder").count(), 2, "nothing else is left");
    }
}
