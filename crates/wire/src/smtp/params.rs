//! ESMTP parameters of MAIL and RCPT: read strictly, written again as they were for the next hop.

use domain::envelope::{Body, MailParams, RcptParams, Ret};

use super::capabilities::Capabilities;
use super::reply::Reply;

/// Octets of ENVID or ORCPT at most (RFC 3461 sections 4.2 and 4.4: 100 and 500 characters).
const ENVID_BYTES_MAX: usize = 100;
const ORCPT_BYTES_MAX: usize = 500;

fn unknown(name: &str) -> Reply {
    Reply::new(555, format!("5.5.4 Parameter {name} not supported"))
}

fn bad(name: &str) -> Reply {
    Reply::new(501, format!("5.5.4 Bad value for {name}"))
}

fn pairs(text: &str) -> impl Iterator<Item = (String, Option<&str>)> {
    text.split_ascii_whitespace().map(|word| match word.split_once('=') {
        Some((name, value)) => (name.to_ascii_uppercase(), Some(value)),
        None => (word.to_ascii_uppercase(), None),
    })
}

/// Reads the parameters of MAIL; only what was offered is taken. RET and ENVID only say what a report may have: where
/// their values cannot be read, they are dropped, and no mail is refused for them.
///
/// # Errors
/// The reply to give: 555 for what was not offered, 501 for a bad value.
pub fn parse_mail(text: &str, offered: &Capabilities) -> Result<MailParams, Reply> {
    let mut params = MailParams::default();
    for (name, value) in pairs(text) {
        match (name.as_str(), value) {
            ("SIZE", Some(size)) if offered.size.is_some() => {
                let digits = size.len() <= 20 && size.bytes().all(|b| b.is_ascii_digit());
                params.size = Some(size.parse().ok().filter(|_| digits).ok_or_else(|| bad("SIZE"))?);
            }
            ("BODY", Some(body)) if offered.eight_bit => {
                params.body = Some(match body.to_ascii_uppercase().as_str() {
                    "7BIT" => Body::SevenBit,
                    "8BITMIME" => Body::EightBitMime,
                    _ => return Err(bad("BODY")),
                });
            }
            ("SMTPUTF8", None) if offered.smtputf8 => params.smtputf8 = true,
            ("RET", Some(ret)) if offered.dsn => {
                params.ret = match ret.to_ascii_uppercase().as_str() {
                    "FULL" => Some(Ret::Full),
                    "HDRS" => Some(Ret::Headers),
                    _ => dropped(&mut params.dropped, "RET"),
                };
            }
            ("ENVID", Some(envid)) if offered.dsn => {
                let fits = envid.len() <= ENVID_BYTES_MAX && is_xtext(envid);
                params.envid = if fits { Some(envid.to_owned()) } else { dropped(&mut params.dropped, "ENVID") };
            }
            (name @ ("RET" | "ENVID"), None) if offered.dsn => drop(dropped::<()>(&mut params.dropped, name)),
            // RFC 4954 section 5: a server that does not trust the client's AUTH= ignores it.
            ("AUTH", Some(_)) => {}
            (name, _) => return Err(unknown(name)),
        }
    }
    Ok(params)
}

/// Notes that a parameter is not passed on.
fn dropped<T>(names: &mut Vec<String>, name: &str) -> Option<T> {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
    None
}

/// Reads the parameters of RCPT. ORCPT only tells a report what the sender had written: where its value cannot be read
/// (many forwarders write it without xtext), it is dropped, and nobody's mail is refused for it. NOTIFY asks for
/// something and must be right.
///
/// # Errors
/// As [`parse_mail`].
pub fn parse_rcpt(text: &str, offered: &Capabilities) -> Result<RcptParams, Reply> {
    let mut params = RcptParams::default();
    for (name, value) in pairs(text) {
        match (name.as_str(), value) {
            ("NOTIFY", Some(notify)) if offered.dsn => {
                let words: Vec<String> = notify.split(',').map(str::to_ascii_uppercase).collect();
                let known = words.iter().all(|word| matches!(word.as_str(), "NEVER" | "SUCCESS" | "FAILURE" | "DELAY"));
                let never_alone = words.len() == 1 || !words.iter().any(|word| word == "NEVER");
                if !known || !never_alone {
                    return Err(bad("NOTIFY"));
                }
                params.notify = Some(notify.to_owned());
            }
            ("ORCPT", Some(orcpt)) if offered.dsn => {
                let typed = orcpt.split_once(';').is_some_and(|(kind, text)| is_atom(kind) && is_xtext(text));
                let fits = typed && orcpt.len() <= ORCPT_BYTES_MAX;
                params.orcpt = if fits { Some(orcpt.to_owned()) } else { dropped(&mut params.dropped, "ORCPT") };
            }
            ("ORCPT", None) if offered.dsn => drop(dropped::<()>(&mut params.dropped, "ORCPT")),
            (name, _) => return Err(unknown(name)),
        }
    }
    Ok(params)
}

/// The name of a kind of address (RFC 3461 section 4.2).
fn is_atom(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// xtext of RFC 3461 section 4: printable ASCII, `+` only before two upper-case hexadecimal digits. UTF-8 is
/// let through for addresses of RFC 6533.
fn is_xtext(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b'+' => bytes
            .get(at + 1..at + 3)
            .is_some_and(|hex| hex.iter().all(|h| h.is_ascii_digit() || (b'A'..=b'F').contains(h))),
        b'=' => false,
        b'!'..=b'~' | 0x80.. => true,
        _ => false,
    })
}

/// Decodes xtext, for attributes of XCLIENT and XFORWARD.
pub fn decode_xtext(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'+' {
            let hex = std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?;
            out.push(u8::from_str_radix(hex, 16).ok()?);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}

/// Encodes xtext.
pub fn encode_xtext(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'+' | b'=' | 0..=b' ' | 0x7f.. => out.push_str(&format!("+{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// The parameters of MAIL as they follow the path, with a leading space each.
pub fn write_mail(params: &MailParams, size: Option<u64>, hop: &Capabilities) -> String {
    let mut out = String::new();
    if let Some(size) = size.filter(|_| hop.size.is_some()) {
        out.push_str(&format!(" SIZE={size}"));
    }
    match params.body {
        Some(Body::SevenBit) if hop.eight_bit => out.push_str(" BODY=7BIT"),
        Some(Body::EightBitMime) => out.push_str(" BODY=8BITMIME"),
        _ => {}
    }
    if params.smtputf8 {
        out.push_str(" SMTPUTF8");
    }
    if hop.dsn {
        match params.ret {
            Some(Ret::Full) => out.push_str(" RET=FULL"),
            Some(Ret::Headers) => out.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(envid) = &params.envid {
            out.push_str(&format!(" ENVID={envid}"));
        }
    }
    out
}

/// The parameters of RCPT as they follow the path, with a leading space each.
pub fn write_rcpt(params: &RcptParams, hop: &Capabilities) -> String {
    let mut out = String::new();
    if hop.dsn {
        if let Some(notify) = &params.notify {
            out.push_str(&format!(" NOTIFY={notify}"));
        }
        if let Some(orcpt) = &params.orcpt {
            out.push_str(&format!(" ORCPT={orcpt}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Capabilities {
        Capabilities { size: Some(1000), eight_bit: true, smtputf8: true, dsn: true, ..Capabilities::default() }
    }

    #[test]
    fn what_is_read_is_written_again() {
        for text in [" SIZE=100 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1", " BODY=7BIT", ""] {
            let params = parse_mail(text, &full()).expect(text);
            assert_eq!(write_mail(&params, params.size, &full()), text);
        }
        for text in [" NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c.example", " NOTIFY=NEVER"] {
            let params = parse_rcpt(text, &full()).expect(text);
            assert_eq!(write_rcpt(&params, &full()), text);
        }
    }

    #[test]
    fn refuses_what_was_not_offered_or_is_malformed() {
        let code = |result: Result<MailParams, Reply>| result.expect_err("refused").code;
        assert_eq!(code(parse_mail(" SMTPUTF8", &Capabilities::default())), 555);
        assert_eq!(code(parse_mail(" FOO=1", &full())), 555);
        for text in [" SIZE=-1", " SIZE=99999999999999999999999", " BODY=BINARYMIME"] {
            assert_eq!(code(parse_mail(text, &full())), 501, "{text}");
        }
        for text in [" NOTIFY=NEVER,DELAY", " NOTIFY="] {
            assert_eq!(parse_rcpt(text, &full()).expect_err(text).code, 501);
        }
        for text in [" ORCPT=rfc822;a@b.example", " ENVID=x", " RET=FULL"] {
            assert_eq!(parse_rcpt(text, &Capabilities::default()).expect_err(text).code, 555, "{text}");
        }
    }

    #[test]
    fn what_only_informs_is_dropped_and_refuses_no_mail() {
        for text in [
            "a@b",
            "rfc822;a+z",
            "rfc822;a+2bb@c.example",
            "rfc822;bert+caf_=anna=c.example@f.example",
            ";a@b",
            "",
            &format!("rfc822;{}@b", "a".repeat(ORCPT_BYTES_MAX)),
        ] {
            let params = parse_rcpt(&format!(" NOTIFY=FAILURE ORCPT={text}"), &full()).expect(text);
            assert_eq!(
                (params.orcpt.as_deref(), params.dropped.as_slice()),
                (None, &["ORCPT".to_owned()][..]),
                "{text}"
            );
            assert_eq!(write_rcpt(&params, &full()), " NOTIFY=FAILURE", "{text}");
        }
        assert_eq!(parse_rcpt(" ORCPT", &full()).expect("taken").dropped, ["ORCPT"]);
        let params = parse_mail(" SIZE=5 RET=X ENVID=a+zz ENVID=a=b", &full()).expect("taken");
        assert_eq!((params.ret, params.envid.as_deref(), params.size), (None, None, Some(5)));
        assert_eq!(params.dropped, ["RET", "ENVID"]);
    }

    #[test]
    fn xtext_there_and_back() {
        for text in ["plain", "a+b = c", "grüße"] {
            assert_eq!(decode_xtext(&encode_xtext(text)).as_deref(), Some(text));
        }
        assert_eq!(decode_xtext("a+0D+0A"), None, "control characters never come out");
        assert_eq!(decode_xtext("a+"), None);
    }
}
