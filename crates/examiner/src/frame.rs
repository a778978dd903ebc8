//! What the gateway and an examining process say to each other: frames of 8 bytes of length, then that many bytes.

use std::io::{self, Read, Write};
use std::time::Duration;

use detect::examine::EnvelopeFacts;
use detect::preview::{Shown, Wish};
use domain::Examination;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Bytes that are made room for at a time: a length alone costs no more.
const STEP: usize = 1 << 20;
/// Bytes of one frame at most: the largest mail and the largest ruleset are far below.
const FRAME_BYTES_MAX: u64 = 512 << 20;

/// What is said before the bytes of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    /// What is to be done with it.
    pub(super) ask: Ask,
    /// The time for it.
    pub(super) time: Duration,
}

/// What is to be done with a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// It is examined, with its envelope.
    Examine(Box<EnvelopeFacts>),
    /// It is shown to a person.
    Show(Wish),
}

/// What an examining process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// It is shut in; with what the kernel could not do for it.
    Ready(Vec<String>),
    /// It has examined a mail there, and waits for others.
    Tried,
    /// It cannot be shut in, or cannot read what it was handed.
    Unable(String),
    /// What it found.
    Found(Box<Examination>),
    /// What there is to see.
    Shown(Shown),
    /// It panicked over this mail.
    Panicked(String),
}

/// Writes one frame.
///
/// # Errors
/// When the other side is gone.
pub(super) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&(bytes.len() as u64).to_be_bytes())?;
    to.write_all(bytes)
}

/// Writes one frame of JSON, in one piece.
///
/// # Errors
/// When the other side is gone.
pub(super) fn write_json(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut frame = vec![0; 8];
    serde_json::to_writer(&mut frame, value)?;
    let length = frame.len() as u64 - 8;
    frame[..8].copy_from_slice(&length.to_be_bytes());
    to.write_all(&frame)
}

/// Reads one frame; none when the other side has ended between two.
///
/// # Errors
/// When it is gone in the middle of one, or says that one is larger than any is.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    if from.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..])?;
    let length = u64::from_be_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let have = bytes.len();
        bytes.resize(length.min(have + STEP), 0);
        from.read_exact(&mut bytes[have..])?;
    }
    Ok(Some(bytes))
}

/// Reads one frame of JSON.
///
/// # Errors
/// As [`read`], and when it is something else.
pub(super) fn read_json<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let bytes = read(from)?;
    bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_and_a_piece_of_one_is_an_error() {
        let mut wire = Vec::new();
        write(&mut wire, b"hello").expect("memory takes all");
        write(&mut wire, b"").expect("memory takes all");
        let mut from = &wire[..];
        let mut next = || read(&mut from).expect("a frame");
        assert_eq!([next(), next(), next()], [Some(b"hello".to_vec()), Some(Vec::new()), None]);
        for cut in 1..13 {
            assert!(read(&mut &wire[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_larger_than_any_is_refused_before_it_is_read() {
        assert!(read(&mut &u64::MAX.to_be_bytes()[..]).is_err_and(|error| error.to_string().contains("a frame of")));
    }
}
