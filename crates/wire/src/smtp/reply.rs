//! Replies (RFC 5321 section 4.2): written by the server, read by the client, passed through by the gateway.

/// Octets of one reply line at most. RFC 5321 4.5.3.1.5 says 512; next hops are known to exceed it.
pub const REPLY_LINE_BYTES_MAX: usize = 2048;
/// Lines of one reply at most.
pub const REPLY_LINES_MAX: usize = 128;

/// A reply: a code and one or more lines of text. An enhanced code (RFC 2034) is the beginning of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three-digit code.
    pub code: u16,
    /// The text of each line, without code and CRLF.
    pub lines: Vec<String>,
}

impl Reply {
    /// A reply of one line, such as `Reply::new(250, "2.1.0 Sender ok")`.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// 2xx.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx: try again.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5xx: do not try again.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// Code and text in one line, for records and people.
    pub fn to_line(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" / "))
    }

    /// Appends the reply as it goes over the wire. Control characters in a text become `?`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        for (at, line) in self.lines.iter().enumerate() {
            let separator = if at == last { ' ' } else { '-' };
            out.extend_from_slice(format!("{}{separator}", self.code).as_bytes());
            out.extend(line.bytes().map(|byte| if byte.is_ascii_control() { b'?' } else { byte }));
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Why the peer's bytes are no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// No three-digit code, or a separator that is neither space nor hyphen.
    #[error("the next hop's reply is no SMTP reply: '{0}'")]
    Syntax(String),
    /// Two lines of one reply have different codes.
    #[error("the next hop's reply changes its code between lines")]
    MixedCodes,
    /// Too long.
    #[error("the next hop's reply is longer than {REPLY_LINES_MAX} lines of {REPLY_LINE_BYTES_MAX} octets")]
    TooLong,
}

/// Takes one whole reply from the front of `buffer`, or nothing if it is not there yet.
///
/// # Errors
/// When what is there cannot become a reply.
pub fn take(buffer: &mut Vec<u8>) -> Result<Option<Reply>, BadReply> {
    let mut lines = Vec::new();
    let mut code = None;
    let mut at = 0;
    loop {
        let Some(length) = memchr::memchr(b'\n', &buffer[at..]) else {
            return if buffer.len() - at > REPLY_LINE_BYTES_MAX { Err(BadReply::TooLong) } else { Ok(None) };
        };
        if length > REPLY_LINE_BYTES_MAX || lines.len() == REPLY_LINES_MAX {
            return Err(BadReply::TooLong);
        }
        let (this_code, more, text) = parse_line(&buffer[at..at + length])?;
        if code.is_some_and(|code| code != this_code) {
            return Err(BadReply::MixedCodes);
        }
        code = Some(this_code);
        lines.push(text);
        at += length + 1;
        if !more {
            buffer.drain(..at);
            return Ok(Some(Reply { code: this_code, lines }));
        }
    }
}

fn parse_line(line: &[u8]) -> Result<(u16, bool, String), BadReply> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let bad = || BadReply::Syntax(String::from_utf8_lossy(line).chars().take(80).filter(|c| !c.is_control()).collect());
    let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or_else(bad)?;
    let code = digits.iter().fold(0_u16, |code, digit| code * 10 + u16::from(digit - b'0'));
    let more = match line.get(3) {
        None | Some(b' ') => false,
        Some(b'-') => true,
        Some(_) => return Err(bad()),
    };
    if !(200..600).contains(&code) {
        return Err(bad());
    }
    let text = String::from_utf8_lossy(line.get(4..).unwrap_or_default());
    Ok((code, more, text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_in_every_segmentation() {
        let reply = Reply { code: 250, lines: vec!["hop.example".into(), "SIZE 1000".into(), "8BITMIME".into()] };
        let mut wire = Vec::new();
        reply.write_to(&mut wire);
        for cut in 0..wire.len() {
            let mut buffer = wire[..cut].to_vec();
            assert_eq!(take(&mut buffer), Ok(None));
            buffer.extend_from_slice(&wire[cut..]);
            buffer.extend_from_slice(b"354 go");
            assert_eq!(take(&mut buffer), Ok(Some(reply.clone())));
            assert_eq!(buffer, b"354 go");
        }
    }

    #[test]
    fn refuses_what_is_no_reply() {
        for (bytes, expected) in [
            (&b"hello\r\n"[..], BadReply::Syntax("hello".into())),
            (b"250-a\r\n251 b\r\n", BadReply::MixedCodes),
            (b"999 x\r\n", BadReply::Syntax("999 x".into())),
            (b"250_x\r\n", BadReply::Syntax("250_x".into())),
        ] {
            assert_eq!(take(&mut bytes.to_vec()), Err(expected));
        }
        assert_eq!(take(&mut vec![b'2'; REPLY_LINE_BYTES_MAX + 2]), Err(BadReply::TooLong));
        assert_eq!(take(&mut b"250-x\r\n".repeat(REPLY_LINES_MAX + 1)), Err(BadReply::TooLong));
    }

    #[test]
    fn a_reply_never_carries_a_line_break_of_its_text() {
        let mut out = Vec::new();
        Reply::new(550, "5.7.1 no\r\n250 ok").write_to(&mut out);
        assert_eq!(out, b"550 5.7.1 no??250 ok\r\n");
    }
}
