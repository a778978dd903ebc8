//! Who is told what happens: `[[event_sink]]`.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use domain::event::{Content, EventKind};
use store::upkeep::backup::{BLOBS, DATABASE};

use super::names::host_and_port;
use super::section::Section;
use super::shown::{list, mark};
use super::vouching;
use crate::https::Endpoint;

/// Characters of the name of a sink at most.
const NAME_CHARS: usize = 40;
/// What else of the data folder is ours, beside the database and keys.
const OURS: [&str; 7] = [BLOBS, "known-good", "status", "lock", "panic", "api.sock", crate::bypassed::FILE];
/// Sinks at most: each has a connection and a reader of the store.
const SINKS_MAX: usize = 8;

/// Somebody who is told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSinkConfig {
    /// What it is remembered by.
    pub name: String,
    /// Where it is.
    pub to: Destination,
    /// Which events it is told.
    pub kinds: Vec<EventKind>,
    /// What it is told beyond what a log may say.
    pub content: Content,
    /// Whether it is told what happened before it was configured.
    pub from_oldest: bool,
    /// Certificates of authorities of one's own, beside the public ones.
    pub ca: Option<PathBuf>,
    /// A file with what the field Authorization has.
    pub authorization_file: Option<PathBuf>,
    /// Whether a receiver of syslog has taken something only when it has closed the connection behind it.
    pub is_confirmed_by_close: bool,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the end of a file.
    File(PathBuf),
    /// To a receiver of syslog.
    Syslog {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
        /// Whether over TLS.
        is_secret: bool,
    },
    /// By POST.
    Webhook(Endpoint),
}

impl Destination {
    /// As it is shown, with a mark by which a change of what stands behind the host of a URL is seen.
    pub fn marked(&self) -> String {
        match self {
            Self::Webhook(place) => format!("{self} (mark {})", mark(&place.url())),
            _ => self.to_string(),
        }
    }

    /// What kind it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Syslog { .. } => "syslog",
            Self::Webhook(_) => "webhook",
        }
    }

    /// Reads `file:PATH`, `syslog://HOST:PORT`, `syslog+tls://HOST:PORT`, `https://...` or `http://...`.
    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty() && !path.ends_with('/')) {
            return Ok(Self::File(folder.join(path)));
        }
        let clear = text.strip_prefix("syslog://").map(|place| (place, false));
        match clear.or_else(|| text.strip_prefix("syslog+tls://").map(|place| (place, true))) {
            Some((place, is_secret)) => {
                let place = host_and_port(place)?;
                let (host, port) = place.rsplit_once(':').ok_or("must have a port")?;
                let port = port.parse().map_err(|_| format!("'{port}' is no port"))?;
                Ok(Self::Syslog { host: host.trim_matches(['[', ']']).to_owned(), port, is_secret })
            }
            None if text.starts_with("http") => Endpoint::parse(text).map(Self::Webhook),
            None => {
                Err("must be file:PATH, syslog+tls://HOST:PORT, syslog://HOST:PORT, https://... or http://...".into())
            }
        }
    }
}

/// As Health shows it: what stands behind the host of a URL may be a secret.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Syslog { host, port, is_secret } => {
                write!(f, "syslog{}://{host}:{port}", if *is_secret { "+tls" } else { "" })
            }
            Self::Webhook(place) => write!(f, "http{}://{}", if place.is_secret { "s" } else { "" }, place.host()),
        }
    }
}

/// Files and folders that are written by something else.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// The data folder. Only what nobody else writes in it may be written by a sink.
    pub(super) data_dir: PathBuf,
    /// Files elsewhere, or in it.
    pub(super) files: Vec<PathBuf>,
}

impl Taken {
    /// What a file of a sink would be written over, if anything.
    fn by(&self, path: &Path) -> Option<&'static str> {
        let path = real(path);
        if self.files.iter().any(|file| real(file) == path) {
            return Some("is a file of ours");
        }
        let within = path.strip_prefix(real(&self.data_dir)).ok()?;
        let first = within.components().next()?.as_os_str().to_str().unwrap_or_default();
        let is_ours = OURS.contains(&first) || first.starts_with(DATABASE) || first.ends_with(".key");
        is_ours.then_some("is a file of ours, or in a folder of ours")
    }
}

/// A path as it is reached: through links, and without `..`, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let plain = plain(path);
    let there = |above: &Path| Some(above.canonicalize().ok()?.join(plain.strip_prefix(above).ok()?));
    path.canonicalize().ok().or_else(|| plain.ancestors().find_map(there)).unwrap_or_else(|| plain.clone())
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for one in path.components() {
        match one {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            one => plain.push(one),
        }
    }
    plain
}

/// Reads all sinks.
pub(super) fn event_sinks(root: &mut Section<'_>) -> Vec<EventSinkConfig> {
    let about = "Who is told what happens (a SIEM): each verdict, release, line of an incident and entry of the audit \
                 log as one line of JSON, at least once, in the order in which it was recorded.";
    let sections = root.sections("event_sink", about);
    let mut names = BTreeSet::new();
    let mut sinks = Vec::new();
    for section in sections {
        let (start, reading) = (section.start(), section.reading);
        let Some(sink) = event_sink(section) else { continue };
        if !names.insert(sink.name.clone()) {
            reading.fault(start, "event_sink.name", format!("{} is the name of two sinks", sink.name));
        }
        if sinks.len() == SINKS_MAX {
            reading.fault(start, "event_sink", format!("are more than {SINKS_MAX}"));
        }
        sinks.push(sink);
    }
    sinks
}

/// Each file of a sink is written by nobody else.
pub(super) fn each_file_its_own(root: &Section<'_>, sinks: &[EventSinkConfig], taken: &Taken) {
    for (at, sink) in sinks.iter().enumerate() {
        let Destination::File(path) = &sink.to else { continue };
        let is_it = |other: &EventSinkConfig| matches!(&other.to, Destination::File(one) if real(one) == real(path));
        let is_twice = sinks[..at].iter().any(is_it);
        if let Some(why) = taken.by(path).or(is_twice.then_some("is that of another sink")) {
            let what = format!("{} {why}: give {} one of its own", path.display(), sink.name);
            root.reading.fault(root.place("event_sink"), "event_sink.to", what);
        }
    }
}

fn event_sink(mut section: Section<'_>) -> Option<EventSinkConfig> {
    let it = &mut section;
    let name = it
        .setting("name", "What it is remembered by: under another name it is another sink, and begins anew.")
        .not_shown()
        .default("must be given")
        .example("\"siem\"")
        .text("letters, digits, - and _", name);
    let folder = it.reading.folder;
    let to = it
        .setting(
            "to",
            "Where it is. \"file:PATH\": lines are added to a file, which may be renamed at any time. \
             \"syslog+tls://HOST:PORT\" or \"syslog://HOST:PORT\": RFC 5424 over TLS or TCP. \"https://...\" (or \
             http:// to a host that you trust): lines by POST.",
        )
        .default("must be given")
        .example("\"syslog+tls://siem.example.com:6514\"")
        .text("file, syslog or web address", |text| Destination::parse(text, folder));
    for (key, is_there, what) in [
        ("name", name.is_some(), "is missing, such as \"siem\""),
        ("to", to.is_some(), "is missing, such as \"file:events.ndjson\""),
    ] {
        if !is_there && !it.has(key) {
            it.fault(key, what);
        }
    }
    let kinds = kinds(it);
    let content = content(it);
    let from_oldest = it
        .setting("from", "Where it begins when it is new: \"now\", or with the \"oldest\" event that is still there.")
        .not_shown()
        .one_of(&[("now", false), ("oldest", true)], false);
    let ca = vouching::ca(it);
    let authorization_file = vouching::authorization_file(it, "\"siem-token\"");
    let is_confirmed_by_close = it
        .setting(
            "confirm_close",
            "For syslog, which has no answer: events count as taken when the receiver has closed the connection behind \
             them. Say false only for one that does not; what it had not read when it died is lost then.",
        )
        .not_shown()
        .flag(true);
    section.title(format!("event_sink {}", name.as_deref().unwrap_or_default()));
    section.end();
    let (name, to) = (name?, to?);
    Some(EventSinkConfig { name, to, kinds, content, from_oldest, ca, authorization_file, is_confirmed_by_close })
}

fn kinds(section: &mut Section<'_>) -> Vec<EventKind> {
    let usual = [EventKind::Verdict, EventKind::Release, EventKind::Incident, EventKind::Audit];
    let is_set = section.has("events");
    let all = section
        .setting(
            "events",
            "Which it is told: \"verdict\", \"release\" (what becomes of held mail), \"delivery\" (what next hops \
             answer to mail that passes), \"incident\", \"audit\". Default: all but \"delivery\".",
        )
        .shown_in("events")
        .default("all but \"delivery\"")
        .example("[\"verdict\", \"release\", \"incident\", \"audit\"]")
        .list_shown("kinds", kind, |kind| kind.as_str().to_owned());
    if is_set && all.is_empty() && !section.reading.has_fault(&section.name("events")) {
        section.fault("events", "is empty: name one kind at least, or remove the sink");
    }
    let kinds = if is_set { all } else { usual.to_vec() };
    section.row("events", list(kinds.iter().map(|kind| kind.as_str().to_owned())));
    kinds
}

fn kind(text: &str) -> Result<EventKind, String> {
    let names = EventKind::ALL.map(EventKind::as_str).join(", ");
    EventKind::parse(text).ok_or_else(|| format!("must be one of {names}"))
}

/// The row in which Health shows what a sink is told beyond what a log may say.
const TOLD: &str = "told beyond a log";

fn content(section: &mut Section<'_>) -> Content {
    let mut flag = |key: &'static str, help: &'static str| section.setting(key, help).shown_in(TOLD).flag(false);
    let content = Content {
        subjects: flag("subjects", "It is told subjects. This and the next four are on record when they are switched."),
        file_names: flag("file_names", "It is told names, sizes and hashes of attached files."),
        urls: flag("urls", "It is told URLs in mail."),
        evidence: flag("evidence", "It is told what a detection saw; that may quote the mail."),
        reasons: flag(
            "reasons",
            "It is told why somebody did something, in their words, what next hops said, and whatever an entry of the \
             audit log was about.",
        ),
    };
    section.row(TOLD, list(content.words().into_iter().map(str::to_owned)));
    content
}

fn name(text: &str) -> Result<String, String> {
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match fits && (1..=NAME_CHARS).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err(format!("must be 1 to {NAME_CHARS} letters, digits, - and _")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_writes_over_nothing_of_ours() {
        let folder = tempfile::tempdir().expect("a folder");
        let faults = |more: &str| {
            let text =
                format!("data_dir = \"data\"\n{}\n{more}", crate::config::EXAMPLE.replace("data_dir", "#: data_dir"));
            let found = crate::config::Config::parse(&text, folder.path()).err().unwrap_or_default();
            found.into_iter().map(|fault| format!("{}: {}", fault.key, fault.what)).collect::<Vec<_>>()
        };
        let to = |to: &str| faults(&format!("[[event_sink]]\nname = \"a\"\nto = \"file:{to}\"\n"));
        for ours in [
            "data/reprieve.db",
            "data/reprieve.db-wal",
            "data/panic",
            "data/./release.key",
            "data/../data/bypassed.jsonl",
            "data/blobs/aa/events",
            "data/status/events.json",
            "other/../data/lock",
        ] {
            assert!(to(ours).first().is_some_and(|why| why.starts_with("event_sink.to: ")), "{ours}: {:?}", to(ours));
        }
        for free in ["data/events.ndjson", "events.ndjson", "data/siem/events"] {
            assert_eq!(to(free), Vec::<String>::new(), "{free}");
        }
        let one = |name: &str| format!("[[event_sink]]\nname = \"{name}\"\nto = \"file:a\"\n");
        assert_eq!(faults(&[one("a"), one("b")].concat()).len(), 1, "two would write into one file");
        let none = faults("[[event_sink]]\nname = \"a\"\nto = \"file:a\"\nevents = []\n");
        assert!(none[0].starts_with("event_sink.events: "), "{none:?}");
    }

    #[test]
    fn where_events_go_is_read_and_shown_without_secrets() {
        let read = |text: &str| Destination::parse(text, Path::new("/etc/reprieve"));
        let shown = |text: &str| read(text).map(|to| (to.kind(), to.to_string()));
        let is = |kind, text: &str| Ok((kind, text.to_owned()));
        assert_eq!(shown("file:events.ndjson"), is("file", "file:/etc/reprieve/events.ndjson"));
        assert_eq!(shown("file:/var/log/reprieve/e"), is("file", "file:/var/log/reprieve/e"));
        assert_eq!(shown("syslog://siem.example:601"), is("syslog", "syslog://siem.example:601"));
        assert_eq!(shown("syslog+tls://siem.example:6514"), is("syslog", "syslog+tls://siem.example:6514"));
        assert_eq!(shown("https://siem.example/hook?key=secret"), is("webhook", "https://siem.example"));
        for nonsense in [
            "",
            "file:",
            "file:a/",
            "syslog://x",
            "syslog://x:0",
            "https://x:0/",
            "syslog+tls://",
            "udp://x:514",
            "x:514",
        ] {
            assert!(read(nonsense).is_err(), "{nonsense}");
        }
    }
}
