//! PROXY protocol v1 and v2 (HAProxy `proxy-protocol.txt`): the real client's address, from a listed peer only.
//!
//! On a listener that expects it the header is required: a connection without one is closed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a v1 line at most, CRLF included.
pub const V1_BYTES_MAX: usize = 107;
/// Bytes of a v2 header at most: the fixed part, addresses, and what we skip of its extensions.
pub const V2_BYTES_MAX: usize = 16 + 2048;
const V2_SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the header; what follows is SMTP.
    pub length: usize,
    /// The client's address; `None` for the proxy's own connections (LOCAL, UNKNOWN).
    pub client: Option<IpAddr>,
}

/// The bytes are no PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection does not begin with a PROXY header")]
pub struct NoHeader;

/// Reads a header from the front of `bytes`; `None` when more bytes are needed.
///
/// # Errors
/// When the bytes cannot become a header.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, NoHeader> {
    let head = bytes.len().min(V2_SIGNATURE.len());
    if bytes[..head] == V2_SIGNATURE[..head] {
        return parse_v2(bytes);
    }
    let head = bytes.len().min(6);
    if bytes[..head] == b"PROXY "[..head] {
        return parse_v1(bytes);
    }
    Err(NoHeader)
}

fn parse_v1(bytes: &[u8]) -> Result<Option<Header>, NoHeader> {
    let Some(end) = bytes.windows(2).take(V1_BYTES_MAX - 1).position(|pair| pair == b"\r\n") else {
        return if bytes.len() >= V1_BYTES_MAX { Err(NoHeader) } else { Ok(None) };
    };
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| NoHeader)?;
    let words: Vec<&str> = line.split(' ').collect();
    let client = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", "TCP4", source, _, _, _] => Some(IpAddr::V4(source.parse().map_err(|_| NoHeader)?)),
        ["PROXY", "TCP6", source, _, _, _] => Some(IpAddr::V6(source.parse().map_err(|_| NoHeader)?)),
        _ => return Err(NoHeader),
    };
    Ok(Some(Header { length: end + 2, client }))
}

fn parse_v2(bytes: &[u8]) -> Result<Option<Header>, NoHeader> {
    let Some(fixed) = bytes.get(..16) else { return Ok(None) };
    let body_length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let length = 16 + body_length;
    if fixed[12] >> 4 != 2 || fixed[12] & 15 > 1 || length > V2_BYTES_MAX {
        return Err(NoHeader);
    }
    let Some(body) = bytes.get(16..length) else { return Ok(None) };
    let client = match (fixed[12] & 15, fixed[13] >> 4) {
        (1, 1) => {
            let octets: [u8; 4] =
                body.get(..4).and_then(|b| b.try_into().ok()).filter(|_| body.len() >= 12).ok_or(NoHeader)?;
            Some(IpAddr::V4(Ipv4Addr::from(octets)))
        }
        (1, 2) => {
            let octets: [u8; 16] =
                body.get(..16).and_then(|b| b.try_into().ok()).filter(|_| body.len() >= 36).ok_or(NoHeader)?;
            Some(IpAddr::V6(Ipv6Addr::from(octets)))
        }
        _ => None,
    };
    Ok(Some(Header { length, client }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).expect("short").to_be_bytes();
        [&V2_SIGNATURE[..], &[0x20 | command, family], &length, body].concat()
    }

    #[test]
    fn every_prefix_waits_and_the_whole_reads() {
        let v4 = [&[192, 0, 2, 1, 198, 51, 100, 1][..], &[0, 25, 0, 25]].concat();
        for (header, client) in [
            (b"PROXY TCP4 192.0.2.1 198.51.100.1 5000 25\r\n".to_vec(), "192.0.2.1".parse().ok()),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 5000 25\r\n".to_vec(), "2001:db8::1".parse().ok()),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (v2(1, 0x11, &v4), "192.0.2.1".parse().ok()),
            (v2(0, 0, b""), None),
        ] {
            for cut in 0..header.len() {
                assert_eq!(parse(&header[..cut]), Ok(None), "{cut} of {header:?}");
            }
            let with_more = [&header[..], b"EHLO x\r\n"].concat();
            assert_eq!(parse(&with_more), Ok(Some(Header { length: header.len(), client })));
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for bytes in [
            &b"EHLO x\r\n"[..],
            b"PROXY TCP4 nonsense 1.2.3.4 1 2\r\n",
            b"PROXY TCP9 1.2.3.4 1.2.3.4 1 2\r\n",
            &[b"PROXY ".as_slice(), &[b'x'; 200]].concat(),
            &v2(1, 0x11, &[1, 2]),
            &v2(5, 0x11, &[0; 12]),
        ] {
            assert_eq!(parse(bytes), Err(NoHeader), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..120), v2 in any::<bool>()) {
            let bytes = if v2 { [&V2_SIGNATURE[..], &bytes].concat() } else { bytes };
            if let Ok(Some(header)) = parse(&bytes) { prop_assert!(header.length <= bytes.len()); }
        }
    }
}
