//! Lines at the end of a file. It is opened anew for every slice, so that it may be renamed at any time (logrotate
//! without `copytruncate`), and what was written is on the disk before anybody says that it is. On the volume of the
//! store it waits before it takes the room that mail needs.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::said;
use crate::disk::RoomForMail;
use crate::lines::ends_within_a_line;

/// Who may read a file that is made here: its owner and its group.
const MODE: u32 = 0o640;

/// Adds lines, where the volume has room for them beside mail.
///
/// # Errors
/// Why they are not all there, or may not be after a crash.
pub(super) async fn append(path: PathBuf, lines: Vec<u8>, room: RoomForMail) -> Result<(), String> {
    let appended = tokio::task::spawn_blocking(move || {
        room.allows(&path)?;
        append_now(&path, &lines).map_err(said)
    });
    appended.await.map_err(said).flatten()
}

fn append_now(path: &Path, lines: &[u8]) -> std::io::Result<()> {
    let is_new = match std::fs::metadata(path) {
        Ok(there) if !there.is_file() => return Err(std::io::Error::other("it is no ordinary file")),
        Ok(_) => false,
        Err(_) => true,
    };
    let mut file = OpenOptions::new().create(true).read(true).append(true).mode(MODE).open(path)?;
    if ends_within_a_line(&mut file)? {
        // Half a line of before a crash: the event is told again behind it.
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_all()?;
    match path.parent().filter(|_| is_new) {
        Some(folder) => File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_also_behind_half_a_line_and_after_a_rename() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events");
        append_now(&path, b"one\n").expect("is written");
        OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(b"tw")).expect("half a line");
        append_now(&path, b"two\nthree\n").expect("is written");
        assert_eq!(std::fs::read_to_string(&path).expect("is read"), "one\ntw\ntwo\nthree\n");
        std::fs::rename(&path, folder.path().join("events.1")).expect("is renamed");
        append_now(&path, b"four\n").expect("is written");
        assert_eq!(std::fs::read_to_string(&path).expect("is read"), "four\n");
        assert!(append_now(folder.path(), b"five\n").is_err(), "a folder is no file");
        assert!(append_now(&folder.path().join("none/events"), b"five\n").is_err());
    }
}
