//! The data of a message: read strictly, emitted without a stray line end, and the same again when it is read once
//! more.

use wire::smtp::data::{BareNewline, DataReader, emit};

const BYTES_MAX: usize = 1 << 20;

/// The first byte says how bare line ends are treated and how long the pieces are; the rest is read, and emitted as it
/// is.
pub fn data(bytes: &[u8]) {
    let Some((setup, rest)) = bytes.split_first() else { return };
    let mode = if setup & 1 == 0 { BareNewline::Reject } else { BareNewline::Normalise };
    if let Some((message, strict)) = read(rest, mode, usize::from(setup >> 1) + 1) {
        assert!(read(rest, mode, rest.len()).is_some(), "the cut of the bytes must not matter");
        if strict || mode == BareNewline::Normalise {
            comes_back(&message);
        }
    }
    comes_back(rest);
}

/// The message, and whether nothing stray was in it.
fn read(wire: &[u8], mode: BareNewline, piece: usize) -> Option<(Vec<u8>, bool)> {
    let mut reader = DataReader::new(mode, BYTES_MAX);
    for piece in wire.chunks(piece.max(1)) {
        reader.push(piece);
        if reader.is_finished() {
            let (message, flaws) = reader.finish();
            return Some((message, !flaws.has_stray()));
        }
    }
    None
}

/// Whatever can be emitted has no stray CR or LF, ends once, and reads as what it was.
fn comes_back(message: &[u8]) {
    let (head, tail) = message.split_at(message.len() / 2);
    let mut wire = Vec::new();
    if emit(&[head, tail], &mut wire).is_err() {
        assert!(wire.is_empty(), "what cannot be sent is not begun");
        return;
    }
    for (at, byte) in wire.iter().enumerate() {
        match byte {
            b'\r' => assert_eq!(wire.get(at + 1), Some(&b'\n'), "a stray CR at {at}"),
            b'\n' => assert_eq!(at.checked_sub(1).map(|before| wire[before]), Some(b'\r'), "a stray LF at {at}"),
            _ => {}
        }
    }
    let mut reader = DataReader::new(BareNewline::Reject, BYTES_MAX);
    assert_eq!(reader.push(&wire), wire.len(), "the end of data is the end");
    assert!(reader.is_finished());
    let (again, flaws) = reader.finish();
    if message.contains(&0) {
        // The emitter minds line ends only: what has a NUL is refused where it comes in.
        return assert!(flaws.has_stray(), "a NUL was read without a word");
    }
    let ended = message.is_empty() || message.ends_with(b"\r\n");
    let whole = if ended { message.to_vec() } else { [message, b"\r\n"].concat() };
    assert!(whole.len() > BYTES_MAX || again == whole, "what was read is not what was emitted");
}
