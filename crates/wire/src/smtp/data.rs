//! The strict DATA reader and the emitter: the two places where SMTP smuggling is won or lost
//! (CVE-2023-51764 and its kin).
//!
//! Only `CR LF . CR LF` ends the data (RFC 5321 section 4.1.1.4). A bare CR, a bare LF or a NUL makes the
//! message refusable; a listener set so may normalise them instead, and says so. The emitter refuses what
//! it could not write without a stray CR or LF, whatever it was given.

/// Octets of one line of text at most, without its CRLF. RFC 5321 says 998; what a sender wrote longer is
/// passed on unfolded, because folding breaks DKIM.
pub const TEXT_LINE_BYTES_MAX: usize = 64 * 1024;

/// Bytes from which the memory of a message grows by a quarter at a time.
const GROWS_SLOWLY_FROM: usize = 1 << 20;

/// What to do with a bare CR, a bare LF or a NUL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BareNewline {
    /// Refuse the message: 550 5.6.0.
    #[default]
    Reject,
    /// Bare LF becomes CRLF, bare CR and NUL become a space, and the message is marked as normalised.
    Normalise,
}

/// What was wrong with the data. Several may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    /// A CR without LF.
    pub bare_cr: bool,
    /// An LF without CR.
    pub bare_lf: bool,
    /// A NUL.
    pub nul: bool,
    /// A line over [`TEXT_LINE_BYTES_MAX`].
    pub long_line: bool,
    /// More bytes than allowed.
    pub too_large: bool,
}

impl Flaws {
    /// Whether a character that must not be there was there.
    pub fn has_stray(self) -> bool {
        self.bare_cr || self.bare_lf || self.nul
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// After a CRLF, or at the beginning: a dot is special here.
    LineStart,
    /// After a bare LF that was normalised: a line start for people, never for the protocol.
    SoftLineStart,
    /// Inside a line.
    Text,
    /// After a CR.
    Cr,
    /// After the dot that began a line.
    Dot,
    /// After that dot and a CR.
    DotCr,
    /// The end has been seen.
    End,
}

/// Reads the data of one message from chunks of any size.
#[derive(Debug)]
pub struct DataReader {
    state: State,
    mode: BareNewline,
    bytes_max: usize,
    line_bytes: usize,
    /// Bytes of the message, kept or not: how it arrives in pieces must not decide whether it is too large.
    counted: usize,
    bytes: Vec<u8>,
    flaws: Flaws,
    /// Nothing more is kept: somebody has decided that the message will be refused.
    discards: bool,
}

impl DataReader {
    /// A reader that keeps at most `bytes_max` bytes; of a message that is to be refused nothing is kept, but it is
    /// read to its end.
    pub fn new(mode: BareNewline, bytes_max: usize) -> Self {
        let (bytes, flaws) = (Vec::new(), Flaws::default());
        Self { state: State::LineStart, mode, bytes_max, line_bytes: 0, counted: 0, bytes, flaws, discards: false }
    }

    /// Keeps nothing of this message from now on, and gives back what it has kept.
    pub fn discard(&mut self) {
        self.discards = true;
        self.bytes = Vec::new();
    }

    /// Takes bytes up to and including the end of data; returns how many it took.
    pub fn push(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        while at < input.len() && self.state != State::End {
            if matches!(self.state, State::Text) {
                let run = memchr::memchr3(b'\r', b'\n', 0, &input[at..]).unwrap_or(input.len() - at);
                self.keep(&input[at..at + run]);
                at += run;
                if at == input.len() {
                    break;
                }
            }
            self.step(input[at]);
            at += 1;
        }
        at
    }

    /// Whether the end of data has been seen.
    pub fn is_finished(&self) -> bool {
        self.state == State::End
    }

    /// The message, dot-stuffing removed, and what was wrong with it.
    pub fn finish(self) -> (Vec<u8>, Flaws) {
        (self.bytes, self.flaws)
    }

    /// Bytes of the message so far, kept or not.
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// Bytes of memory that the message takes now.
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    fn step(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::LineStart, b'.') => State::Dot,
            (State::Dot, b'\r') => State::DotCr,
            (State::DotCr, b'\n') => State::End,
            (State::Cr, b'\n') => {
                self.end_line();
                State::LineStart
            }
            // A CR that no LF followed was bare; only now do we know.
            (State::Cr | State::DotCr, _) => {
                self.stray_cr();
                self.text(byte)
            }
            (_, _) => self.text(byte),
        };
    }

    /// A byte where nothing special is pending.
    fn text(&mut self, byte: u8) -> State {
        match byte {
            b'\r' => State::Cr,
            b'\n' => {
                self.flaws.bare_lf = true;
                self.end_line();
                State::SoftLineStart
            }
            0 => {
                self.flaws.nul = true;
                self.keep(b" ");
                State::Text
            }
            _ => {
                self.keep(&[byte]);
                State::Text
            }
        }
    }

    fn stray_cr(&mut self) {
        self.flaws.bare_cr = true;
        self.keep(b" ");
    }

    fn end_line(&mut self) {
        self.store(b"\r\n");
        self.line_bytes = 0;
    }

    fn keep(&mut self, run: &[u8]) {
        self.line_bytes += run.len();
        self.flaws.long_line |= self.line_bytes > TEXT_LINE_BYTES_MAX;
        self.store(run);
    }

    fn store(&mut self, run: &[u8]) {
        self.counted += run.len();
        self.flaws.too_large |= self.counted > self.bytes_max;
        let refused = self.flaws.too_large || (self.flaws.has_stray() && self.mode == BareNewline::Reject);
        if refused && !self.discards {
            self.discard();
        }
        if !self.discards {
            self.make_room(run.len());
            self.bytes.extend_from_slice(run);
        }
    }

    /// Room for more. A large message grows by a quarter, not to twice its size: what is not used is memory all the
    /// same.
    fn make_room(&mut self, more: usize) {
        let (length, capacity) = (self.bytes.len(), self.bytes.capacity());
        if length + more > capacity && capacity >= GROWS_SLOWLY_FROM {
            self.bytes.reserve_exact(more.max(capacity / 4));
        }
    }
}

/// The message cannot be sent: it has a CR or LF that is not part of a CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has a stray CR or LF at byte {at}; it was not sent")]
pub struct StrayNewline {
    /// Where.
    pub at: usize,
}

/// Appends `pieces`, taken as one message, as they go over the wire after 354: dot-stuffed, ended by
/// `CR LF . CR LF`.
///
/// # Errors
/// [`StrayNewline`], with nothing appended, when a CR or LF stands alone.
pub fn emit(pieces: &[&[u8]], out: &mut Vec<u8>) -> Result<(), StrayNewline> {
    let begin = out.len();
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    out.reserve(length + length / 64 + 8);
    let mut line_start = true;
    let mut after_cr = false;
    let mut before = 0;
    for piece in pieces {
        if let Err(stray) = emit_piece(piece, before, &mut line_start, &mut after_cr, out) {
            out.truncate(begin);
            return Err(stray);
        }
        before += piece.len();
    }
    if after_cr {
        out.truncate(begin);
        return Err(StrayNewline { at: before.saturating_sub(1) });
    }
    if !line_start {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    Ok(())
}

/// One piece of the message, `before` bytes into it.
fn emit_piece(
    piece: &[u8],
    before: usize,
    line_start: &mut bool,
    after_cr: &mut bool,
    out: &mut Vec<u8>,
) -> Result<(), StrayNewline> {
    let mut at = 0;
    while at < piece.len() {
        if *after_cr {
            if piece[at] != b'\n' {
                return Err(StrayNewline { at: before + at - 1 });
            }
            out.push(b'\n');
            (*after_cr, *line_start) = (false, true);
            at += 1;
            continue;
        }
        if *line_start && piece[at] == b'.' {
            out.push(b'.');
        }
        let run = memchr::memchr2(b'\r', b'\n', &piece[at..]).unwrap_or(piece.len() - at);
        out.extend_from_slice(&piece[at..at + run]);
        *line_start &= run == 0;
        at += run;
        match piece.get(at) {
            Some(b'\r') => {
                out.push(b'\r');
                *after_cr = true;
                at += 1;
            }
            Some(_) => return Err(StrayNewline { at: before + at }),
            None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(wire: &[u8], mode: BareNewline, chunk: usize) -> Option<(Vec<u8>, Flaws, usize)> {
        let mut reader = DataReader::new(mode, 1 << 20);
        let mut taken = 0;
        for piece in wire.chunks(chunk) {
            taken += reader.push(piece);
            if reader.is_finished() {
                let (bytes, flaws) = reader.finish();
                return Some((bytes, flaws, taken));
            }
        }
        None
    }

    #[test]
    fn only_the_standard_end_ends() {
        // Each is followed by a would-be second message; none may end the first.
        for fake in [
            &b"\n.\n"[..],
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r\n.\r",
            b"\r.\r\n",
            b"\n.\r",
            b"\r\n.\r\r\n",
            b"\r\r\n.\r\r\n",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
            b"\r\n.\n\r\n.\n",
            b"\n\n.\n\n",
            b"\r\n..\r\n",
            b"\r\n. \r\n",
            b"\r\n.\r\0\n",
            b"\n\r.\r\n",
        ] {
            for chunk in 1..9 {
                let mut wire = b"Subject: a\r\n\r\nbody".to_vec();
                wire.extend_from_slice(fake);
                wire.extend_from_slice(b"MAIL FROM:<evil@x.example>\r\n");
                assert_eq!(read(&wire, BareNewline::Reject, chunk), None, "{fake:?}");
                assert_eq!(read(&wire, BareNewline::Normalise, chunk), None, "{fake:?}");
                wire.extend_from_slice(b".\r\n");
                let (_, flaws, taken) = read(&wire, BareNewline::Reject, chunk).expect("ends at the real end");
                assert_eq!(taken, wire.len());
                let innocent = fake == b"\r\n..\r\n" || fake == b"\r\n. \r\n";
                assert_eq!(flaws.has_stray(), !innocent, "{fake:?}");
            }
        }
    }

    #[test]
    fn normalising_leaves_nothing_that_another_host_could_misread() {
        let wire = b"a\nb\rc\0d\n.\ne\r\n.\r\n";
        let (bytes, flaws, _) = read(wire, BareNewline::Normalise, 3).expect("ends");
        assert_eq!(bytes, b"a\r\nb c d\r\n.\r\ne\r\n");
        assert!(flaws.bare_cr && flaws.bare_lf && flaws.nul);
        let mut out = Vec::new();
        emit(&[&bytes], &mut out).expect("clean");
        assert_eq!(out, b"a\r\nb c d\r\n..\r\ne\r\n.\r\n");
    }

    #[test]
    fn the_limits_are_flaws_and_the_rest_is_still_consumed() {
        let mut wire = vec![b'x'; 200];
        wire.extend_from_slice(b"\r\n.\r\nQUIT\r\n");
        let mut reader = DataReader::new(BareNewline::Reject, 100);
        let taken = reader.push(&wire);
        assert!(reader.is_finished());
        assert_eq!(&wire[taken..], b"QUIT\r\n");
        let (bytes, flaws) = reader.finish();
        assert!(flaws.too_large && bytes.len() <= 100);

        let mut long = vec![b'y'; TEXT_LINE_BYTES_MAX + 1];
        long.extend_from_slice(b"\r\n.\r\n");
        assert!(read(&long, BareNewline::Reject, 4096).expect("ends").1.long_line);
    }

    #[test]
    fn the_emitter_says_where_the_stray_is() {
        for (pieces, at) in [
            (vec![&b"ab\rc"[..]], 2),
            (vec![&b"ab\n"[..]], 2),
            (vec![&b"ab\r"[..]], 2),
            (vec![&b"ab\r"[..], &b"c"[..]], 2),
            (vec![&b"ab"[..], &b"\nc"[..]], 2),
        ] {
            let mut out = b"kept".to_vec();
            assert_eq!(emit(&pieces, &mut out), Err(StrayNewline { at }), "{pieces:?}");
            assert_eq!(out, b"kept");
        }
    }

    #[test]
    fn an_empty_message_has_only_its_end() {
        let mut out = Vec::new();
        emit(&[], &mut out).expect("empty");
        assert_eq!(out, b".\r\n");
        assert_eq!(read(b".\r\n", BareNewline::Reject, 1).expect("ends").0, b"");
    }

    /// Bytes that make line ends and dots likely.
    fn tricky() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(0_u8), Just(b'a'), any::<u8>()],
            0..80,
        )
    }

    proptest! {
        /// Whatever is emitted has exactly one end of data, at its end, and no stray CR or LF.
        #[test]
        fn emitted_bytes_have_one_end_and_no_stray(input in tricky(), split in 0_usize..80) {
            let (head, tail) = input.split_at(split.min(input.len()));
            let mut out = Vec::new();
            if emit(&[head, tail], &mut out).is_ok() {
                for (at, &byte) in out.iter().enumerate() {
                    if byte == b'\r' { prop_assert_eq!(out.get(at + 1), Some(&b'\n')); }
                    if byte == b'\n' { prop_assert!(at > 0 && out[at - 1] == b'\r'); }
                }
                let whole = [b"\r\n", &out[..]].concat();
                let ends = memchr::memmem::find_iter(&whole, b"\r\n.\r\n").count();
                prop_assert_eq!(ends, 1);
                prop_assert!(whole.ends_with(b"\r\n.\r\n"));
            }
        }

        /// What the reader accepts without flaw, the emitter sends so that a second reader sees the same.
        #[test]
        fn reader_and_emitter_are_inverse(wire in tricky(), chunk in 1_usize..9) {
            let mut ended = wire.clone();
            ended.extend_from_slice(b"\r\n.\r\n");
            if let Some((bytes, flaws, _)) = read(&ended, BareNewline::Reject, chunk)
                && flaws == Flaws::default()
            {
                let mut out = Vec::new();
                emit(&[&bytes], &mut out).expect("no flaw, so nothing stray");
                let (again, flaws, taken) = read(&out, BareNewline::Reject, chunk).expect("ends");
                prop_assert_eq!(&again, &bytes);
                prop_assert_eq!(flaws, Flaws::default());
                prop_assert_eq!(taken, out.len());
            }
        }

        /// What was normalised can always be emitted.
        #[test]
        fn normalised_data_is_emittable(wire in tricky(), chunk in 1_usize..9) {
            let mut ended = wire.clone();
            ended.extend_from_slice(b"\r\n.\r\n");
            let (bytes, _, _) = read(&ended, BareNewline::Normalise, chunk).expect("ends");
            prop_assert!(emit(&[&bytes], &mut Vec::new()).is_ok());
        }

        /// Segmentation never changes what is read.
        #[test]
        fn chunks_do_not_matter(wire in tricky(), a in 1_usize..9, b in 1_usize..9) {
            let mut ended = wire.clone();
            ended.extend_from_slice(b"\r\n.\r\n");
            prop_assert_eq!(read(&ended, BareNewline::Reject, a), read(&ended, BareNewline::Reject, b));
        }
    }
}
