//! UTF-16, in which Windows writes names and texts. What is no character is shown as one that stands for it, so that
//! nothing behind it is lost.

/// UTF-16, little end first.
pub(crate) fn le(bytes: &[u8]) -> String {
    text(bytes, u16::from_le_bytes)
}

/// UTF-16, big end first.
pub(crate) fn be(bytes: &[u8]) -> String {
    text(bytes, u16::from_be_bytes)
}

/// A text that its byte order mark shows to be UTF-16, without the mark.
pub(crate) fn marked(bytes: &[u8]) -> Option<String> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => Some(le(rest)),
        [0xfe, 0xff, rest @ ..] => Some(be(rest)),
        _ => None,
    }
}

/// A text of these units.
pub(crate) fn of(units: impl IntoIterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Half a unit at the end is left out.
fn text(bytes: &[u8], read: fn([u8; 2]) -> u16) -> String {
    of(bytes.as_chunks().0.iter().map(|pair| read(*pair)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_its_mark_and_to_its_end() {
        assert_eq!(marked(b"\xff\xfea\0\x3d\xd8b\0c").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(marked(b"\xfe\xff\0a\xd8\x3d\xde\0").as_deref(), Some("a\u{1f600}"));
        assert_eq!((marked(b"\xff\xfe").as_deref(), marked(b"\xff"), marked(b"")), (Some(""), None, None));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(written in ".{0,40}") {
            let units: Vec<u16> = written.encode_utf16().collect();
            let (small, large): (Vec<u8>, Vec<u8>) = (
                units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
                units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            );
            prop_assert_eq!(&le(&small), &written);
            prop_assert_eq!(&be(&large), &written);
            prop_assert_eq!(of(units), written);
        }
    }
}
