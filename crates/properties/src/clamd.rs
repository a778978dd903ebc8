//! The answers of clamd: lines of a neighbour that may be another program altogether.

use detect::clamd as wire;

/// Reads the bytes as answers to INSTREAM and VERSION.
pub fn clamd(bytes: &[u8]) {
    let line = String::from_utf8_lossy(bytes);
    match wire::parse_reply(&line) {
        Some(wire::Reply::Found(signature)) => {
            assert!(!signature.is_empty() && line.ends_with(" FOUND"));
        }
        Some(wire::Reply::Failed(why)) => assert!(!why.chars().any(char::is_control)),
        Some(wire::Reply::Clean) => assert!(line.ends_with(": stream: OK")),
        None => {}
    }
    if let Some((program, data)) = wire::parse_version(&line) {
        assert!(program.len() <= 40 && data.len() <= 40);
        assert!((program + &data).chars().all(|c| c.is_ascii_graphic()));
    }
}
