//! The picture walkers: whatever a container says of itself, they end, what they point at is there, and what they bring
//! out was in it.

use detect::mime;
use detect::picture;

/// Signals of one picture at most; nobody can make a report grow.
const SIGNALS_MAX: usize = 2000;

/// Looks at the bytes as a picture of whatever kind they begin like.
pub fn picture(bytes: &[u8]) {
    look(bytes, None);
}

/// Looks at the bytes as an SVG, whatever they begin like.
pub fn svg(bytes: &[u8]) {
    look(bytes, Some("image/svg+xml"));
}

fn look(bytes: &[u8], content_type: Option<&str>) {
    let mut part = mime::alone(bytes, "a.bin", "image/png").message.parts.remove(0);
    if let Some(content_type) = content_type {
        part.content_type = content_type.to_owned();
    }
    let seen = picture::look(bytes, &part);
    assert!(seen.signals.len() <= SIGNALS_MAX, "{} signals", seen.signals.len());
    for signal in &seen.signals {
        assert!(signal.offset.is_none_or(|at| at <= bytes.len() as u64 + 4), "{signal:?} of {} bytes", bytes.len());
        assert!(!signal.evidence.chars().any(char::is_control), "{:?}", signal.evidence);
    }
    for hidden in &seen.hidden {
        assert!(hidden.bytes.len() < bytes.len(), "more came out than was in");
    }
}
