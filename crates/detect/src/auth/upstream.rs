//! Authentication-Results of hosts in front of us that the site trusts (RFC 8601). Only the topmost field that names
//! such a host counts: what is below it may have come from anywhere.

use domain::DomainName;
use domain::authentication::{AuthResult, Authentication, DkimSignature, DmarcPolicy, Source};
use domain::header;

use super::aligned;

/// Results of one field that are read.
const RESULTS_MAX: usize = 50;
/// Bytes of one field that are read.
const FIELD_BYTES_MAX: usize = 16 << 10;

/// What the topmost field of a trusted host says; none if there is no such field.
pub fn of_message(raw: &[u8], trusted: &[String]) -> Option<Authentication> {
    if trusted.is_empty() {
        return None;
    }
    let fields = header::fields(raw).filter(|field| field.is("Authentication-Results"));
    let read = fields.filter_map(|field| parse(&field.unfolded()));
    let believed = |id: &str| trusted.iter().any(|one| DomainName::of(one) == DomainName::of(id));
    let (id, results) = read.into_iter().find(|(id, _)| believed(id))?;
    let from = header::fields(raw).find(|field| field.is("From")).map(|field| address_of(&field.unfolded()));
    Some(gathered(&id, &results, from))
}

/// One method's result with its properties, such as `("dkim", Pass, [("header.d", "example.com")])`.
pub type MethodResult = (String, AuthResult, Vec<(String, String)>);

/// Reads the body of a field: the authserv-id and its results. None when it is not one. What cannot be read inside it
/// is left out.
pub fn parse(body: &str) -> Option<(String, Vec<MethodResult>)> {
    let end = body.floor_char_boundary(body.len().min(FIELD_BYTES_MAX));
    let tokens = tokens(&body[..end])?;
    let mut groups = tokens.split(|token| *token == Token::Semicolon);
    // The id may be followed by the version of the form, which has been 1 since 2009.
    let Some(Token::Word(id)) = groups.next()?.first() else { return None };
    if id.is_empty() {
        return None;
    }
    let results = groups.filter_map(result).take(RESULTS_MAX).collect();
    Some((id.clone(), results))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    Semicolon,
}

/// Words, quoted strings, `=` and `;`; comments are left out. None when a comment or string does not end.
fn tokens(body: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = body.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            '(' => skip_comment(&mut chars)?,
            ';' | '=' => {
                chars.next();
                tokens.push(if c == ';' { Token::Semicolon } else { Token::Equals });
            }
            '"' => tokens.push(Token::Word(quoted(&mut chars)?)),
            c if c.is_whitespace() => {
                chars.next();
            }
            _ => {
                let mut word = String::new();
                while let Some(&c) = chars.peek().filter(|c| !c.is_whitespace() && !"();=\"".contains(**c)) {
                    word.push(c);
                    chars.next();
                }
                if word.is_empty() {
                    // A closing parenthesis that nothing opened.
                    return None;
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Some(tokens)
}

fn skip_comment(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
    let mut depth = 0_usize;
    loop {
        match chars.next()? {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(()),
            ')' => depth -= 1,
            '\\' => {
                chars.next()?;
            }
            _ => {}
        }
    }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    chars.next();
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

/// `method = result [property = value]...`; a method may carry a version behind a slash.
fn result(tokens: &[Token]) -> Option<MethodResult> {
    let [Token::Word(method), Token::Equals, Token::Word(result), rest @ ..] = tokens else { return None };
    let method = method.split('/').next().unwrap_or_default().to_lowercase();
    let mut properties = Vec::new();
    let mut rest = rest;
    while let [first, more @ ..] = rest {
        match (first, more) {
            (Token::Word(name), [Token::Equals, Token::Word(value), ..]) => {
                properties.push((name.to_lowercase(), value.clone()));
                rest = &more[2..];
            }
            _ => rest = more,
        }
    }
    Some((method, AuthResult::parse(result)?, properties))
}

fn gathered(id: &str, results: &[MethodResult], from: Option<String>) -> Authentication {
    let of = |method: &str| results.iter().find(|(name, ..)| name == method);
    let property = |result: &MethodResult, names: &[&str]| {
        let found = names.iter().find_map(|name| result.2.iter().find(|(key, _)| key == name));
        found.map(|(_, value)| domain_of(value)).unwrap_or_default()
    };
    let result_of = |method: &str| of(method).map_or(AuthResult::None, |(_, result, _)| *result);
    let dkim = results
        .iter()
        .filter(|(method, ..)| method == "dkim")
        .map(|result| DkimSignature { result: result.1, domain: property(result, &["header.d", "header.i"]) });
    let policy = of("dmarc").and_then(|(_, _, properties)| {
        let names = ["policy.dmarc", "policy.published-domain-policy", "policy.applied-disposition", "action"];
        properties.iter().find(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value.to_lowercase())
    });
    let mut authentication = Authentication {
        source: Source::Upstream(id.to_lowercase()),
        spf: result_of("spf"),
        spf_domain: of("spf").map(|spf| property(spf, &["smtp.mailfrom", "smtp.helo"])).unwrap_or_default(),
        dkim: dkim.collect(),
        dmarc: result_of("dmarc"),
        dmarc_policy: match policy.as_deref() {
            Some("reject" | "oreject") => DmarcPolicy::Reject,
            Some("quarantine" | "oquarantine") => DmarcPolicy::Quarantine,
            _ => DmarcPolicy::None,
        },
        arc: result_of("arc"),
        // The host in front of us has weighed the chain, or has not; we cannot.
        arc_sealer: String::new(),
        arc_trusted: false,
        aligned: None,
        field: String::new(),
    };
    authentication.aligned = aligned(&authentication, &from.into_iter().collect::<Vec<_>>());
    authentication
}

/// The domain of an address, of `@domain`, or of a domain.
fn domain_of(value: &str) -> String {
    let value = value.trim_matches(['<', '>']);
    super::clean_domain(value.rsplit_once('@').map_or(value, |(_, domain)| domain))
}

/// The address of a From field: what is in angle brackets, else all of it.
fn address_of(body: &str) -> String {
    let inner = body.rsplit_once('<').map_or(body, |(_, rest)| rest.split('>').next().unwrap_or_default());
    inner.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(field: &str, trusted: &str) -> Option<Authentication> {
        let mail = format!(
            "Authentication-Results: {field}\r\nFrom: \"A <x@evil.example>\" \
                <anna@mail.partner.example>\r\n\r\nbody\r\n"
        );
        of_message(mail.as_bytes(), &[trusted.to_owned()])
    }

    #[test]
    fn a_trusted_host_is_believed() {
        let field = "mx.UP.example 1; spf=pass (mx: domain of a@b (c \\) d) designates) \
            smtp.mailfrom=\"anna\"@bounce.partner.example;\r\n\
                     \tdkim=fail (bad) header.d=Partner.example header.s=x; dkim/1=pass header.i=@partner.example;\r\n\
                     \tdmarc=pass (p=REJECT) header.from=partner.example policy.dmarc=reject; arc=none; x-odd; \
                     iprev=pass";
        let said = of(field, "mx.up.example").expect("reads");
        assert_eq!(said.source, Source::Upstream("mx.up.example".into()));
        assert_eq!((said.spf, said.dmarc, said.arc), (AuthResult::Pass, AuthResult::Pass, AuthResult::None));
        let dkim: Vec<(AuthResult, &str)> = said.dkim.iter().map(|one| (one.result, one.domain.as_str())).collect();
        assert_eq!(dkim, [(AuthResult::Fail, "partner.example"), (AuthResult::Pass, "partner.example")]);
        assert_eq!((said.dmarc_policy, said.aligned.as_deref()), (DmarcPolicy::Reject, Some("partner.example")));
    }

    #[test]
    fn nobody_else_is() {
        assert_eq!(of("mx.other.example; dmarc=pass", "mx.up.example"), None);
        assert_eq!(of("mx.up.example.evil.example; dmarc=pass", "mx.up.example"), None);
        assert_eq!(of("(mx.up.example) evil.example; dmarc=pass", "mx.up.example"), None);
        assert_eq!(of("mx.up.example; dmarc=pass (never ends", "mx.up.example"), None);
        assert_eq!(of("", "mx.up.example"), None);
        assert_eq!(parse("\"\"; dmarc=pass"), None, "a host has a name (found by the fuzzer)");
    }

    #[test]
    fn only_the_topmost_field_counts() {
        let mail = b"Authentication-Results: mx.up.example; dmarc=fail\r\nAuthentication-Results: mx.up.example; \
            dmarc=pass\r\nFrom: a@b.example\r\n\r\n";
        let said = of_message(mail, &["mx.up.example".to_owned()]).expect("reads");
        assert_eq!(said.dmarc, AuthResult::Fail);
    }
}
