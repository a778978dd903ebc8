//! What introduces a client: a PROXY header, and the attributes of XCLIENT and XFORWARD.

use wire::proxy;
use wire::smtp::command::{self, Attributes, Command};

/// Reads the bytes as a PROXY header, and as XCLIENT and XFORWARD lines.
pub fn introduce(bytes: &[u8]) {
    match proxy::parse(bytes) {
        Ok(Some(header)) => {
            assert!(header.length <= bytes.len());
            assert_eq!(
                proxy::parse(&bytes[..header.length]),
                Ok(Some(header)),
                "what follows the header must not matter"
            );
            for cut in 0..header.length {
                assert_eq!(proxy::parse(&bytes[..cut]), Ok(None), "a header that is not whole must be waited for");
            }
        }
        Ok(None) => assert!(bytes.len() < proxy::V2_BYTES_MAX, "nobody waits for ever"),
        Err(proxy::NoHeader) => {}
    }
    for verb in ["XCLIENT ", "XFORWARD "] {
        match command::parse(&[verb.as_bytes(), bytes].concat()) {
            Ok(Command::XClient(attributes) | Command::XForward(attributes)) => check(&attributes),
            Ok(other) => panic!("{verb}became {other:?}"),
            Err(reply) => assert!(reply.code >= 500),
        }
    }
}

fn check(attributes: &Attributes) {
    let texts = [&attributes.name, &attributes.helo, &attributes.proto, &attributes.login];
    for text in texts.into_iter().flatten() {
        assert!(!text.chars().any(|c| c == '\r' || c == '\n' || c == '\0'), "a line end in {text:?}");
    }
}
