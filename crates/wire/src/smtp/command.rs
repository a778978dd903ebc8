//! Commands of SMTP, parsed from one line. Parameters stay text until the session knows what it offered.

use std::net::IpAddr;

use domain::Address;

use super::params::decode_xtext;
use super::reply::Reply;

/// Octets of one command line at most, CRLF included. RFC 5321 says 512, extensions add to it.
pub const COMMAND_LINE_BYTES_MAX: usize = 2048;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// EHLO with its argument.
    Ehlo(String),
    /// HELO with its argument.
    Helo(String),
    /// MAIL FROM with path and the text of its parameters.
    Mail {
        /// The reverse path; `None` is `<>`.
        sender: Option<Address>,
        /// What follows the path.
        params: String,
    },
    /// RCPT TO with path and the text of its parameters.
    Rcpt {
        /// The forward path; `None` is `<Postmaster>` without a domain (RFC 5321 section 4.1.1.3).
        recipient: Option<Address>,
        /// What follows the path.
        params: String,
    },
    /// DATA.
    Data,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// VRFY.
    Vrfy,
    /// HELP.
    Help,
    /// STARTTLS.
    StartTls,
    /// XCLIENT with its attributes (Postfix XCLIENT_README).
    XClient(Attributes),
    /// XFORWARD with its attributes (Postfix XFORWARD_README).
    XForward(Attributes),
}

/// Attributes of XCLIENT or XFORWARD; what the peer calls unavailable is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// ADDR.
    pub addr: Option<IpAddr>,
    /// NAME.
    pub name: Option<String>,
    /// HELO.
    pub helo: Option<String>,
    /// PROTO.
    pub proto: Option<String>,
    /// LOGIN (XCLIENT only).
    pub login: Option<String>,
}

/// Parses one line, without its CRLF.
///
/// # Errors
/// The reply to give: 500 for an unknown command, 501 for a bad argument.
pub fn parse(line: &[u8]) -> Result<Command, Reply> {
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(Reply::new(500, "5.5.2 Control character in command"));
    }
    let line = std::str::from_utf8(line).map_err(|_| Reply::new(500, "5.5.2 Command is not UTF-8"))?;
    let line = line.trim_end_matches([' ', '\t']);
    let (verb, argument) = line.split_once(' ').map_or((line, ""), |(verb, rest)| (verb, rest.trim_start()));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => host(argument).map(Command::Ehlo),
        "HELO" => host(argument).map(Command::Helo),
        "MAIL" => mail(argument),
        "RCPT" => rcpt(argument),
        "DATA" => bare(argument, Command::Data),
        "RSET" => bare(argument, Command::Rset),
        "QUIT" => bare(argument, Command::Quit),
        "STARTTLS" => bare(argument, Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" => Ok(Command::Vrfy),
        "XCLIENT" => attributes(argument).map(Command::XClient),
        "XFORWARD" => attributes(argument).map(Command::XForward),
        _ => Err(Reply::new(500, "5.5.2 Command not recognized")),
    }
}

fn bare(argument: &str, command: Command) -> Result<Command, Reply> {
    if argument.is_empty() { Ok(command) } else { Err(Reply::new(501, "5.5.4 This command takes no argument")) }
}

fn host(argument: &str) -> Result<String, Reply> {
    let fits =
        !argument.is_empty() && argument.len() <= 255 && !argument.contains([' ', '\t', '<', '>', '(', ')', ';']);
    if fits { Ok(argument.to_owned()) } else { Err(Reply::new(501, "5.5.4 Give your host name")) }
}

/// Splits `FROM:<path> params`; tolerates a space after the colon, which many clients write.
fn path<'l>(argument: &'l str, keyword: &str) -> Option<(&'l str, &'l str)> {
    let colon = argument.get(..keyword.len()).filter(|word| word.eq_ignore_ascii_case(keyword))?.len();
    let rest = argument[colon..].strip_prefix(':')?.trim_start_matches(' ').strip_prefix('<')?;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                let params = &rest[at + 1..];
                return (params.is_empty() || params.starts_with(' ')).then_some((&rest[..at], params));
            }
            _ => {}
        }
    }
    None
}

/// Removes a source route (RFC 5321 appendix C: accepted and ignored).
fn without_route(path: &str) -> &str {
    match path.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, mailbox)) => mailbox,
        None => path,
    }
}

fn mail(argument: &str) -> Result<Command, Reply> {
    let (path, params) = path(argument, "FROM").ok_or_else(|| Reply::new(501, "5.5.4 Syntax: MAIL FROM:<address>"))?;
    let sender = match without_route(path) {
        "" => None,
        text => Some(Address::parse(text).map_err(|why| Reply::new(501, format!("5.1.7 Bad sender address: {why}")))?),
    };
    Ok(Command::Mail { sender, params: params.to_owned() })
}

fn rcpt(argument: &str) -> Result<Command, Reply> {
    let (path, params) = path(argument, "TO").ok_or_else(|| Reply::new(501, "5.5.4 Syntax: RCPT TO:<address>"))?;
    let text = without_route(path);
    let recipient = match text {
        name if name.eq_ignore_ascii_case("postmaster") => None,
        text => {
            Some(Address::parse(text).map_err(|why| Reply::new(501, format!("5.1.3 Bad recipient address: {why}")))?)
        }
    };
    Ok(Command::Rcpt { recipient, params: params.to_owned() })
}

fn attributes(argument: &str) -> Result<Attributes, Reply> {
    let bad = |name: &str| Reply::new(501, format!("5.5.4 Bad {name} attribute"));
    let mut found = Attributes::default();
    if argument.is_empty() {
        return Err(bad("or missing"));
    }
    for word in argument.split_ascii_whitespace() {
        let (name, value) = word.split_once('=').ok_or_else(|| bad(word))?;
        let name = name.to_ascii_uppercase();
        let value = decode_xtext(value).ok_or_else(|| bad(&name))?;
        let value =
            Some(value).filter(|v| !matches!(v.to_ascii_uppercase().as_str(), "[UNAVAILABLE]" | "[TEMPUNAVAIL]"));
        match name.as_str() {
            "ADDR" => found.addr = value.map(|v| ip(&v).ok_or_else(|| bad("ADDR"))).transpose()?,
            "NAME" => found.name = value,
            "HELO" => found.helo = value,
            "PROTO" => found.proto = value,
            "LOGIN" => found.login = value.filter(|login| !login.is_empty()),
            "PORT" | "DESTADDR" | "DESTPORT" | "SOURCE" | "IDENT" => {}
            _ => return Err(bad(&name)),
        }
    }
    Ok(found)
}

fn ip(text: &str) -> Option<IpAddr> {
    let text = text.get(..5).filter(|head| head.eq_ignore_ascii_case("IPV6:")).map_or(text, |_| &text[5..]);
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(line: &str) -> u16 {
        parse(line.as_bytes()).map_or_else(|reply| reply.code, |_| 250)
    }

    #[test]
    fn takes_what_clients_write() {
        for line in [
            "EHLO mx.example",
            "ehlo [192.0.2.1]",
            "HELO x",
            "MAIL FROM:<>",
            "mail from:<a@b.example> SIZE=10",
            "MAIL FROM: <a@b.example>",
            "RCPT TO:<\"odd >\\\" name\"@b.example> NOTIFY=NEVER",
            "RCPT TO:<@relay.example,@other.example:a@b.example>",
            "RCPT TO:<a..b.@docomo.example>",
            "MAIL FROM:<bert+caf_=anna=a-long-name-of-a-forwarder.example@the-name-of-the-forwarder-behind-it.example>",
            "DATA",
            "NOOP anything",
            "VRFY someone",
            "HELP",
            "QUIT  ",
            "XCLIENT ADDR=IPv6:2001:db8::1 LOGIN=user+40x NAME=[UNAVAILABLE]",
        ] {
            assert_eq!(code(line), 250, "{line}");
        }
        let Ok(Command::Rcpt { recipient, .. }) = parse(b"RCPT TO:<@relay.example:a@b.example>") else {
            panic!("no rcpt")
        };
        assert_eq!(recipient.map(|one| one.to_string()).as_deref(), Some("a@b.example"));
    }

    #[test]
    fn postmaster_needs_no_domain() {
        for line in ["RCPT TO:<Postmaster>", "rcpt to:<POSTMASTER> NOTIFY=NEVER"] {
            assert!(matches!(parse(line.as_bytes()), Ok(Command::Rcpt { recipient: None, .. })), "{line}");
        }
        for line in ["RCPT TO:<abuse>", "RCPT TO:<postmaster@>", "RCPT TO:<>", "MAIL FROM:<Postmaster>"] {
            assert_eq!(code(line), 501, "{line}");
        }
    }

    #[test]
    fn refuses_the_rest_with_the_right_code() {
        for (line, expected) in [
            ("", 500),
            ("FOO", 500),
            ("EHLO", 501),
            ("EHLO a b", 501),
            ("MAIL FROM:a@b.example", 501),
            ("MAIL FROM:<a@b.example>SIZE=1", 501),
            ("MAIL TO:<a@b.example>", 501),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a>", 501),
            ("DATA now", 501),
            ("QUIT\0", 500),
            ("MAIL FROM:<a@b\u{7}>", 500),
            ("XCLIENT", 501),
            ("XCLIENT FOO=1", 501),
            ("XCLIENT ADDR=nonsense", 501),
            ("XCLIENT LOGIN=a+0D+0A", 501),
        ] {
            assert_eq!(code(line), expected, "{line:?}");
        }
        assert_eq!(parse(b"NOOP \xff").expect_err("not UTF-8").code, 500);
    }

    proptest! {
        #[test]
        fn an_address_cannot_bring_another_command(text in "[a.@\"\\\\<> \r\n\0ü]{0,24}") {
            let line = format!("RCPT TO:<{text}>");
            if let Ok(Command::Rcpt { recipient: Some(address), params }) = parse(line.as_bytes()) {
                let again = format!("RCPT TO:<{address}>");
                prop_assert!(!again.chars().any(char::is_control));
                let same = Command::Rcpt { recipient: Some(address), params: String::new() };
                prop_assert_eq!(parse(again.as_bytes()), Ok(same));
                prop_assert!(params.is_empty() || params.starts_with(' '));
            }
        }

        #[test]
        fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line);
        }
    }
}
