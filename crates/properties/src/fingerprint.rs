//! Fingerprints of pixels and of texts: the same twice, alike to themselves, and read as they are written.

use detect::fingerprint::{picture, text};
use domain::entry::Subject;
use domain::fingerprint::{PictureFingerprint, PictureSet, SeenPicture, TextFingerprint};

/// Edge of a picture that is made of the bytes.
const EDGE_MAX: u32 = 300;

/// Takes the bytes for a text, for the pixels of a picture whose width its first byte says, and for a written entry.
pub fn fingerprint(bytes: &[u8]) {
    let said = String::from_utf8_lossy(bytes);
    if let Some(print) = text::of(&said) {
        assert_eq!(text::of(&said), Some(print));
        assert!(print.is_like(&print));
        assert_eq!(TextFingerprint::parse(&print.to_string()), Ok(print));
    }
    if let Some(print) = pixels(bytes).and_then(|(width, pixels)| picture::of(width, &pixels)) {
        assert!(print.strong() >= picture::STRONG_MIN && print.is_like(&print));
        assert_eq!(PictureFingerprint::parse(&print.to_string()), Ok(print));
        let seen = SeenPicture { part: 0, pixels: u32::MAX, print };
        let set = PictureSet::of([print]).map(|set| set.parts_of(&[seen]));
        assert_eq!(set, Some(Some(vec![0])));
    }
    for kind in ["picture", "text", "layout"] {
        if let Ok(subject) = Subject::parse(kind, &said) {
            assert_eq!(Subject::parse(kind, &subject.value()), Ok(subject.clone()));
            assert!(!subject.shown().is_empty());
        }
    }
}

/// A width, and as many lines as the bytes fill.
fn pixels(bytes: &[u8]) -> Option<(u32, Vec<u8>)> {
    let (first, rest) = bytes.split_first()?;
    let width = 1 + u32::from(*first) * EDGE_MAX / 255;
    let lines = rest.len().div_ceil(width as usize).clamp(1, EDGE_MAX as usize);
    Some((width, rest.iter().copied().cycle().take(width as usize * lines).collect()))
}
