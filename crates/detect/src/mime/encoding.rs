//! Transfer encodings as the most lenient reader decodes them (RFC 2045 section 6). What a strict reader gives up on,
//! a mail program still shows.

/// The encodings of RFC 2045, as they are usually written.
pub(super) const USUAL: [&str; 5] = ["7bit", "8bit", "binary", "quoted-printable", "base64"];

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Transfer {
    /// As it stands there.
    Identity,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
}

impl Transfer {
    /// The encoding that a word names; what nobody knows is read as it stands there. A body in uuencode or yEnc stands
    /// there as it is, and says itself where it begins.
    pub(super) fn named(word: &[u8]) -> Self {
        match word.to_ascii_lowercase().as_slice() {
            b"base64" | b"b64" | b"x-base64" => Self::Base64,
            b"quoted-printable" | b"quoted_printable" | b"qp" => Self::QuotedPrintable,
            _ => Self::Identity,
        }
    }

    /// What the body decodes to.
    pub(super) fn decode(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Identity => body.to_vec(),
            Self::Base64 => base64(body),
            Self::QuotedPrintable => quoted_printable(body),
        }
    }
}

/// Letters of base64 and blanks, and what stands behind its padding: a bit each.
const BEFORE_PADDING: u8 = 1;
const BEHIND_PADDING: u8 = 2;
/// Where each byte may stand in clean base64. One look for each byte without a branch: attachments are most of mail.
static PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        places[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => BEFORE_PADDING,
            b'\r' | b'\n' | b' ' | b'\t' => BEFORE_PADDING | BEHIND_PADDING,
            b'=' => BEHIND_PADDING,
            _ => 0,
        };
        byte += 1;
    }
    places
};

/// Whether base64 has nothing but its letters, line ends, and padding at its end.
pub(super) fn is_clean_base64(body: &[u8]) -> bool {
    let (letters, padding) = body.split_at(memchr::memchr(b'=', body).unwrap_or(body.len()));
    all_may_stand(letters, BEFORE_PADDING) && all_may_stand(padding, BEHIND_PADDING)
}

fn all_may_stand(bytes: &[u8], place: u8) -> bool {
    bytes.chunks(4096).all(|chunk| chunk.iter().fold(place, |all, byte| all & PLACES[usize::from(*byte)]) != 0)
}

/// Base64 in which foreign letters are skipped (RFC 2045 section 6.8). Padding ends a group; what follows it in whole
/// lines of base64 is read on, other text is not.
pub(crate) fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for (at, byte) in body.iter().enumerate() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                flush(&mut out, bits, count);
                (bits, count) = (0, 0);
                if !goes_on(&body[at + 1..]) {
                    break;
                }
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(digit);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    flush(&mut out, bits, count);
    out
}

fn flush(out: &mut Vec<u8>, bits: u32, count: u32) {
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// Bytes of a line that are looked at to tell base64 from text; a whole number of groups.
const LINE_LOOKED_AT: usize = 128;

/// Whether behind padding more base64 follows: the next line is nothing but its letters, in whole groups. The footer
/// of a mailing list is not.
fn goes_on(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"=").unwrap_or(rest).trim_ascii_start();
    let rest = &rest[..rest.len().min(LINE_LOOKED_AT)];
    let line = rest.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line = line.trim_ascii_end();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    line.len() >= 4 && line.len().is_multiple_of(4) && line.iter().all(is_letter)
}

/// Quoted-printable in which a wrong code stands for itself, and blanks at the end of a line are none.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let is_soft = text.ends_with(b"=");
        let text = text.strip_suffix(b"=").unwrap_or(text);
        let mut at = 0;
        while let Some(byte) = text.get(at) {
            let code = text.get(at + 1..at + 3).filter(|_| *byte == b'=');
            let code = code.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            out.push(code.unwrap_or(*byte));
            at += if code.is_some() { 3 } else { 1 };
        }
        if !is_soft && line.ends_with(b"\n") {
            out.extend_from_slice(if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    #[test]
    fn foreign_letters_are_skipped() {
        assert_eq!(base64(b"aGV!sb\x80G8*="), b"hello");
        assert_eq!(base64(b"aGVs\r\n bG8=\r\n"), b"hello");
        assert_eq!(base64(b"aGVsbG8"), b"hello", "the padding is forgotten");
        assert_eq!(base64(b"aGVsbG8=\r\nd29ybGQ=\r\n"), b"helloworld", "two in a row");
        assert_eq!(base64(b"aGVsbG8=\r\n-----\r\nA mailing list\r\n"), b"hello", "a footer behind it");
        for clean in [&b"aGVs\r\nbG8=\r\n"[..], b"", b"\t =\n=", &[b'a'; 5000]] {
            assert!(is_clean_base64(clean), "{clean:?}");
        }
        for dirty in [&b"aG!V"[..], b"a=b", b"aGVs\0", b"aGVs=!", &[&[b'a'; 5000][..], b"-"].concat()] {
            assert!(!is_clean_base64(dirty), "{dirty:?}");
        }
    }

    #[test]
    fn codes_of_quoted_printable() {
        assert_eq!(quoted_printable(b"a=3Db=\r\nc =  \r\nd=zz=3d"), b"a=bc d=zz=");
        assert_eq!(Transfer::named(b"BASE64"), Transfer::Base64);
        assert_eq!(Transfer::named(b"x-uuencode"), Transfer::Identity);
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..200), every in 1_usize..20) {
            let text = STANDARD.encode(&bytes);
            let junk: String = text.chars().enumerate().flat_map(|(at, c)| {
                [Some(c), (at % every == 0).then_some('!')].into_iter().flatten()
            }).collect();
            prop_assert_eq!(base64(junk.as_bytes()), bytes.clone());
            let coded: String = bytes.iter().map(|byte| format!("={byte:02X}")).collect();
            prop_assert_eq!(quoted_printable(coded.as_bytes()), bytes);
        }

        #[test]
        fn any_bytes_are_decoded(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for transfer in [Transfer::Identity, Transfer::Base64, Transfer::QuotedPrintable] {
                prop_assert!(transfer.decode(&bytes).len() <= bytes.len() + 2);
            }
        }
    }
}
