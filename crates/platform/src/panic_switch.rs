//! The switch for the worst day: a file that only root (or our own user) can write turns the gateway to
//! `bypass` or `tempfail-all`, even when the store, the console and the network are broken.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::time::Duration;

use domain::Timestamp;

use crate::bypassed::BypassList;
use crate::clock::Clock;
use crate::measure;

/// How often the file is looked at.
pub const PERIOD: Duration = Duration::from_millis(250);
/// How long a switch holds that names no end, counted from when the file was written.
pub const DEFAULT_SPAN: Duration = Duration::from_secs(4 * 3600);

/// What the switch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SwitchPosition {
    /// Nothing: examine and decide.
    #[default]
    Normal,
    /// Pass everything on unexamined, with a field that says so.
    Bypass,
    /// Answer 451 to everything.
    TempfailAll,
}

/// The switch as the gateway reads it.
#[derive(Clone, Debug, Default)]
pub struct PanicSwitch {
    position: Arc<AtomicU8>,
    /// Since when it says what it says, as this program has seen it: microseconds since the epoch.
    since_us: Arc<AtomicI64>,
    /// What passed unexamined.
    pub bypassed: BypassList,
}

impl PanicSwitch {
    /// One that lists in this file what passes unexamined.
    pub fn listing_in(file: PathBuf) -> Self {
        Self { bypassed: BypassList::in_file(file), ..Self::default() }
    }

    /// Since when it says what it says, as this program has seen it.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_micros(self.since_us.load(Ordering::Relaxed))
    }

    /// What it says now.
    pub fn stance(&self) -> SwitchPosition {
        match self.position.load(Ordering::Relaxed) {
            1 => SwitchPosition::Bypass,
            2 => SwitchPosition::TempfailAll,
            _ => SwitchPosition::Normal,
        }
    }

    fn set(&self, stance: SwitchPosition, now: Timestamp) {
        self.since_us.store(now.as_micros(), Ordering::Relaxed);
        self.position.store(stance as u8, Ordering::Relaxed);
    }

    /// Watches `file` until it is aborted.
    pub async fn watch(self, file: PathBuf, clock: Arc<dyn Clock>) {
        loop {
            self.look(&file, clock.as_ref()).await;
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Looks once at `file`, and lists what has passed unexamined.
    pub async fn look(&self, file: &Path, clock: &dyn Clock) {
        let now = clock.now();
        let read = {
            let (file, list) = (file.to_owned(), self.bypassed.clone());
            tokio::task::spawn_blocking(move || {
                list.write();
                read(&file, now)
            })
            .await
        };
        let stance = match read {
            Ok(Ok(stance)) => stance,
            Ok(Err(why)) => {
                tracing::error!(file = %file.display(), why, "the panic switch is ignored");
                SwitchPosition::Normal
            }
            Err(_) => SwitchPosition::Normal,
        };
        measure::panic_switch(stance);
        if stance != self.stance() {
            tracing::warn!(?stance, "the panic switch was moved");
            self.set(stance, now);
        }
    }
}

/// Reads the file: `bypass` or `tempfail-all`, then optionally `until=<RFC 3339 time>`, then a reason.
///
/// # Errors
/// Why the file is not obeyed: its owner, its mode, its text.
pub fn read(file: &Path, now: Timestamp) -> Result<SwitchPosition, String> {
    let Ok(facts) = fs::metadata(file) else { return Ok(SwitchPosition::Normal) };
    let own = fs::metadata("/proc/self").map_or(0, |own| own.uid());
    if facts.uid() != 0 && facts.uid() != own {
        return Err(format!("it belongs to user {}, not to root", facts.uid()));
    }
    if facts.mode() & 0o022 != 0 {
        return Err("others may write it; `chmod 600` it".into());
    }
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mut words = text.split_whitespace();
    let stance = match words.next() {
        Some("bypass") => SwitchPosition::Bypass,
        Some("tempfail-all") => SwitchPosition::TempfailAll,
        other => return Err(format!("'{}' is neither bypass nor tempfail-all", other.unwrap_or_default())),
    };
    let until = match words.next().and_then(|word| word.strip_prefix("until=")) {
        Some(moment) => Timestamp::parse(moment).map_err(|error| error.to_string())?,
        None => Timestamp::from_micros(facts.mtime() * 1_000_000).after(DEFAULT_SPAN),
    };
    Ok(if now < until { stance } else { SwitchPosition::Normal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_safe_file_is_obeyed_and_only_for_its_time() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("panic");
        let now = SystemClock.now();
        let check = |text: &str, mode: u32, at: Timestamp| {
            fs::write(&file, text).expect("write");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("mode");
            read(&file, at)
        };
        assert_eq!(read(&file, now), Ok(SwitchPosition::Normal), "no file");
        assert_eq!(check("bypass\n", 0o600, now), Ok(SwitchPosition::Bypass));
        assert_eq!(
            check("tempfail-all until=2100-01-01T00:00:00Z flood\n", 0o600, now),
            Ok(SwitchPosition::TempfailAll)
        );
        assert_eq!(check("bypass until=2001-01-01T00:00:00Z", 0o600, now), Ok(SwitchPosition::Normal), "over");
        assert_eq!(check("bypass", 0o600, now.after(DEFAULT_SPAN * 2)), Ok(SwitchPosition::Normal), "over by itself");
        assert!(check("bypass", 0o666, now).is_err());
        assert!(check("open the gates", 0o600, now).is_err());
        assert!(check("", 0o600, now).is_err());
    }
}
