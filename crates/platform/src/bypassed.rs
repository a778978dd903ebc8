//! The list of mail that passed unexamined while the panic switch said `bypass`.
//!
//! It is a file of lines and not a table: the switch is for the day on which the store may be gone. Nobody waits for
//! it: what is to be noted waits in memory, a bounded number of lines, and is written with the next look at the switch.
//! Bytes are not kept: of a mail it says what its envelope says. The file stays until somebody removes it: nothing here
//! is removed on the word of a clock.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::{MailId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::lines::ends_within_a_line;

/// The file, in the data folder.
pub const FILE: &str = "bypassed.jsonl";
/// Bytes of the file at most; what passes after that is counted in the log alone.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Lines that wait to be written at most.
const WAITING_MAX: usize = 10_000;
/// Recipients of a line at most; of more there is their number.
const RECIPIENTS_MAX: usize = 100;

/// A mail that passed unexamined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Since when the switch had said `bypass`.
    pub episode: Timestamp,
    /// When the mail came.
    pub at: Timestamp,
    /// Our id of it, as in its field Received.
    pub mail: MailId,
    /// The client's address.
    pub client: String,
    /// The reverse path; empty for the null sender.
    pub sender: String,
    /// The recipients, 100 at most.
    pub recipients: Vec<String>,
    /// How many recipients it had.
    pub count: usize,
    /// Its bytes.
    pub size: u64,
    /// What the client was answered: only with 2xx it has arrived for certain.
    pub answer: u16,
}

/// A time during which the switch said `bypass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Episode {
    /// When it began.
    pub from: Timestamp,
    /// The first and the last mail of it.
    pub mails: (Timestamp, Timestamp),
    /// Mails that passed.
    pub count: u64,
}

/// The list, as whoever adds to it has it. Copies are one.
#[derive(Clone, Debug, Default)]
pub struct BypassList {
    waiting: Arc<Mutex<VecDeque<Passed>>>,
    /// Held while something is written: whoever writes last has everything in the file.
    writing: Arc<Mutex<()>>,
    file: Option<PathBuf>,
}

impl BypassList {
    /// A list in this file.
    pub fn in_file(file: PathBuf) -> Self {
        Self { file: Some(file), ..Self::default() }
    }

    /// Notes a mail. It is written soon, and nobody waits for it.
    pub fn add(&self, mut passed: Passed) {
        passed.count = passed.recipients.len();
        passed.recipients.truncate(RECIPIENTS_MAX);
        let mut waiting = self.waiting.lock().expect("nobody panics while holding this");
        if waiting.len() < WAITING_MAX {
            waiting.push_back(passed);
        } else {
            tracing::warn!(mail_id = %passed.mail, "a bypassed message is not listed: too many wait to be written");
        }
    }

    /// Writes what waits. What cannot be written is told in the log. Behind it nothing is being written any more that
    /// was noted before.
    pub fn write(&self) {
        let _turn = self.writing.lock().expect("nobody panics while holding this");
        let some: Vec<Passed> = self.waiting.lock().expect("nobody panics while holding this").drain(..).collect();
        let Some(file) = self.file.as_deref().filter(|_| !some.is_empty()) else { return };
        if let Err(error) = append(file, &some) {
            tracing::warn!(%error, mails = some.len(), "bypassed messages could not be listed");
        }
    }
}

fn append(path: &Path, some: &[Passed]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.len() >= FILE_BYTES_MAX {
        return Err(io::Error::other(format!("the list has {FILE_BYTES_MAX} bytes, and no more are written")));
    }
    // Half a line of before a crash, or of when the disk was full, costs itself alone.
    let mut text = if ends_within_a_line(&mut file)? { vec![b'\n'] } else { Vec::new() };
    for one in some {
        serde_json::to_writer(&mut text, one)?;
        text.push(b'\n');
    }
    file.write_all(&text)
}

/// The episodes, oldest first, and the newest `most` mails, newest first; of one episode where one is named. Lines that
/// cannot be read (the last one, after a power cut) are left out.
///
/// # Errors
/// When the file cannot be read; one that is not there is empty.
pub fn read(path: &Path, episode: Option<Timestamp>, most: usize) -> io::Result<(Vec<Episode>, Vec<Passed>)> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(error),
    };
    let (mut episodes, mut newest) = (BTreeMap::new(), VecDeque::new());
    for line in BufReader::new(file).split(b'\n') {
        let Ok(one) = serde_json::from_slice::<Passed>(&line?) else { continue };
        let new = Episode { from: one.episode, mails: (one.at, one.at), count: 0 };
        let known: &mut Episode = episodes.entry(one.episode).or_insert(new);
        known.count += 1;
        known.mails = (known.mails.0.min(one.at), known.mails.1.max(one.at));
        if episode.is_none_or(|wanted| wanted == one.episode) {
            newest.push_front(one);
            newest.truncate(most);
        }
    }
    Ok((episodes.into_values().collect(), newest.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(episode: i64, n: u8) -> Passed {
        let at = |second: i64| Timestamp::from_micros(1_795_000_000_000_000 + second * 1_000_000);
        Passed {
            episode: at(episode),
            at: at(episode + i64::from(n)),
            mail: MailId::new(at(0), [n; 10]),
            client: "192.0.2.1".into(),
            sender: "a@x.example".into(),
            recipients: vec!["b@ours.example".into(); 200],
            count: 0,
            size: 7,
            answer: 250,
        }
    }

    #[test]
    fn each_episode_has_its_mails_and_a_torn_line_costs_itself_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join(FILE);
        assert_eq!(read(&file, None, 9).expect("nothing is empty"), (vec![], vec![]));
        let list = BypassList::in_file(file.clone());
        (1..=3).for_each(|n| list.add(passed(0, n)));
        list.write();
        OpenOptions::new().append(true).open(&file).expect("opens").write_all(b"{\"torn").expect("writes");
        list.add(passed(100, 4));
        list.write();
        list.write();
        let (episodes, newest) = read(&file, None, 2).expect("reads");
        assert_eq!(episodes.iter().map(|one| one.count).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(newest.iter().map(|one| one.mail).collect::<Vec<_>>(), [passed(0, 4).mail, passed(0, 3).mail]);
        assert_eq!((newest[0].recipients.len(), newest[0].count), (RECIPIENTS_MAX, 200));
        let first = read(&file, Some(episodes[0].from), 9).expect("reads").1;
        assert!(first.len() == 3 && first.iter().all(|one| one.episode == episodes[0].from));
    }

    #[test]
    fn what_waits_is_bounded() {
        let list = BypassList::default();
        (0..=WAITING_MAX).for_each(|_| list.add(passed(0, 1)));
        assert_eq!(list.waiting.lock().expect("nobody panicked").len(), WAITING_MAX);
        list.write();
        assert!(list.waiting.lock().expect("nobody panicked").is_empty(), "without a file it is let go");
    }
}
