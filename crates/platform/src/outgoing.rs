//! The bytes that go out: prepended fields, then the stored bytes minus forged fields of our own names
//!. Nothing else changes, so DKIM survives.

use std::ops::Range;

use domain::envelope::Envelope;
use domain::header;
use domain::token::{self, TokenKey};
use domain::{Address, DomainName, MailId, ReleaseId, Timestamp};
use wire::smtp::data::{self, StrayNewline};

/// What begins the names of our own fields.
pub const OWN_PREFIX: &str = "X-Reprieve-";

/// Stands between our fields and a message that begins with a continuation line, which would otherwise
/// become a part of our last field.
const GUARD: &[u8] = b"X-Reprieve-Guard: the message begins with a continuation line\r\n";

/// A message with the forged fields found.
#[derive(Clone, Debug)]
pub struct Outgoing<'m> {
    bytes: &'m [u8],
    removed: Vec<Range<usize>>,
    /// The names of the removed fields, for the record.
    pub removed_names: Vec<String>,
}

impl<'m> Outgoing<'m> {
    /// Looks for fields of our own names: what begins with `X-Reprieve-`, and Authentication-Results that
    /// claim our authserv-id (RFC 8601 section 5). The field at `keep` is our own and stays.
    pub fn new(bytes: &'m [u8], authserv_id: &str, keep: Option<Range<usize>>) -> Self {
        let mut removed = Vec::new();
        let mut removed_names = Vec::new();
        for field in header::fields(bytes) {
            let own = field.name.get(..OWN_PREFIX.len()).is_some_and(|head| head.eq_ignore_ascii_case(OWN_PREFIX));
            let forged = own || (field.is("Authentication-Results") && claims(&field.unfolded(), authserv_id));
            if forged && keep.as_ref() != Some(&field.range()) {
                removed.push(field.range());
                removed_names.push(field.name.chars().take(80).collect());
            }
        }
        Self { bytes, removed, removed_names }
    }

    /// What is left of the message, in pieces.
    pub fn pieces(&self) -> Vec<&'m [u8]> {
        let mut pieces: Vec<&'m [u8]> = Vec::with_capacity(self.removed.len() + 2);
        let mut at = 0;
        let begins = self.removed.first().filter(|range| range.start == 0).map_or(0, |range| range.end);
        if matches!(self.bytes.get(begins), Some(b' ' | b'\t')) {
            pieces.push(GUARD);
        }
        for range in &self.removed {
            pieces.push(&self.bytes[at..range.start]);
            at = range.end;
        }
        pieces.push(&self.bytes[at..]);
        pieces
    }

    /// The message as it goes over the wire, behind `prepended` fields.
    ///
    /// # Errors
    /// When it has a stray CR or LF; it cannot be sent then.
    pub fn emit(&self, prepended: &str) -> Result<Vec<u8>, StrayNewline> {
        let mut pieces = vec![prepended.as_bytes()];
        pieces.extend(self.pieces());
        let mut out = Vec::new();
        data::emit(&pieces, &mut out)?;
        Ok(out)
    }

    /// The release token's field over what is left of the message.
    pub fn token(&self, key: &TokenKey, release: &ReleaseId, recipient: &Address, expires: Timestamp) -> String {
        token::field(key, release, recipient, expires, &self.pieces().concat())
    }
}

/// Whether an Authentication-Results body begins with this authserv-id.
fn claims(body: &str, authserv_id: &str) -> bool {
    let id = body.split([';', ' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
    DomainName::of(id) == DomainName::of(authserv_id)
}

/// Our trace field (RFC 5321 section 4.4).
pub fn received(hostname: &str, mail_id: MailId, envelope: &Envelope, at: Timestamp) -> String {
    let client = &envelope.client;
    let helo: String = client.helo.chars().filter(|c| c.is_ascii_graphic() && !"()<>;".contains(*c)).collect();
    let one = match envelope.recipients.as_slice() {
        [only] if !only.address.needs_smtputf8() => format!("\r\n\tfor <{}>", only.address),
        _ => String::new(),
    };
    format!(
        "Received: from {} ([{}])\r\n\tby {hostname} (Reprieve) with {} id {mail_id}{one};\r\n\t{}\r\n",
        if helo.is_empty() { "unknown" } else { &helo },
        client.ip,
        client.protocol,
        at.rfc5322()
    )
}

/// How often this host is already among the Received fields of a message (reliability: loops).
pub fn own_passes(bytes: &[u8], hostname: &str) -> usize {
    let by = format!("by {hostname} (Reprieve)");
    header::fields(bytes).filter(|field| field.is("Received") && field.unfolded().contains(&by)).count()
}

/// The token field of a message, if it has one: the topmost of that name, with its range and what is below it.
pub fn find_token(bytes: &[u8]) -> Option<(String, Range<usize>, &[u8])> {
    let field = header::fields(bytes).find(|field| field.is(token::FIELD))?;
    Some((field.unfolded(), field.range(), &bytes[field.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_fields_are_removed_and_nothing_else() {
        let mail = b"From: a@b\r\nx-reprieve-verdict: Clean\r\n folded\r\nAuthentication-Results: GW.example; \
            spf=pass\r\n\
                     Authentication-Results: other.example; spf=pass\r\nAuthentication-Results: gw.example.org; \
                     x=y\r\n\r\nX-Reprieve-Body: stays\r\n";
        let outgoing = Outgoing::new(mail, "gw.example", None);
        assert_eq!(outgoing.removed_names, ["x-reprieve-verdict", "Authentication-Results"]);
        let expected = "From: a@b\r\nAuthentication-Results: other.example; spf=pass\r\n\
                        Authentication-Results: gw.example.org; x=y\r\n\r\nX-Reprieve-Body: stays\r\n";
        assert_eq!(String::from_utf8(outgoing.pieces().concat()).expect("text"), expected);
        assert_eq!(outgoing.emit("A: b\r\n").expect("clean"), format!("A: b\r\n{expected}.\r\n").into_bytes());
    }

    #[test]
    fn a_message_cannot_continue_our_fields() {
        let outgoing = Outgoing::new(b" ; X-Reprieve-Verdict: Clean\r\n\r\nbody\r\n", "gw.example", None);
        let emitted =
            String::from_utf8(outgoing.emit("X-Reprieve-Verdict: Malware\r\n").expect("clean")).expect("text");
        assert!(emitted.starts_with("X-Reprieve-Verdict: Malware\r\nX-Reprieve-Guard: "), "{emitted}");
    }

    #[test]
    fn a_released_mail_is_known_again_below_new_trace_fields() {
        let key = TokenKey::new([3; 32]);
        let unit = domain::UnitId { mail: MailId::new(Timestamp::from_micros(1), [1; 10]), number: 0 };
        let rcpt = Address::parse("a@ours.example").expect("address");
        let stored = b"From: x@y\r\n\r\nbody\r\n";
        let outgoing = Outgoing::new(stored, "gw.example", None);
        let field = outgoing.token(&key, &ReleaseId::of(unit), &rcpt, Timestamp::from_micros(10_000_000));
        let passed = [b"Received: from hop\r\n".as_slice(), field.as_bytes(), stored].concat();
        let (value, range, below) = find_token(&passed).expect("token");
        assert_eq!(token::verify(&key, &value, &rcpt, Timestamp::from_micros(1), below), Some(ReleaseId::of(unit)));
        assert_eq!(Outgoing::new(&passed, "gw.example", Some(range)).removed_names, Vec::<String>::new());
    }
}
