//! The walk over a message: whatever its structure, the parts are numbered, bounded, and children of earlier ones.

use detect::limits::Limits;
use detect::mime as walk;

/// Walks the bytes as a message, with small limits.
pub fn mime(bytes: &[u8]) {
    let limits = Limits { mime_depth_max: 6, parts_max: 40, ..Limits::default() };
    let read = walk::read(bytes);
    let parsed = walk::parse(bytes, read.as_ref(), &limits);
    let message = &parsed.message;
    assert_eq!(message.size, bytes.len() as u64);
    assert_eq!(message.parts.len(), parsed.parts.len());
    assert!(message.parts.len() <= limits.parts_max);
    for (number, part) in message.parts.iter().enumerate() {
        assert_eq!(part.number as usize, number);
        assert!(part.parent.is_none_or(|parent| parent < part.number), "a part of a later one");
        assert_eq!(part.sha256, domain::Digest::of(&parsed.parts[number].bytes));
        assert!(!part.name.chars().any(char::is_control), "a control character in a name");
    }
}
