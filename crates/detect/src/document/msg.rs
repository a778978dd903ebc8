//! Saved mails of Outlook (MS-OXMSG): a compound file with a storage for each attachment, and its texts beside them.

use domain::header;
use encoding_rs::WINDOWS_1252;

use super::Look;
use super::ole::{Compound, read};
use crate::compressed_rtf;
use crate::page::html;
use crate::text;
use crate::unpack::{Closed, Member};
use crate::utf16;

/// Properties (MS-OXPROPS) as the names of streams have them; their type follows: `001F` is UTF-16, `001E` is text in
/// the code page of the sender, `0102` is bytes.
const CONTENT: &str = "__substg1.0_37010102";
const BODY: &str = "__substg1.0_1000";
const HTML: &str = "__substg1.0_1013";
/// PidTagRtfCompressed, PidTagSubject, and the header as it came (PidTagTransportMessageHeaders).
const RTF: &str = "__substg1.0_10090102";
const SUBJECT: &str = "__substg1.0_0037";
const HEADER: &str = "__substg1.0_007D";
/// Addresses: of the sender (PidTagSenderEmailAddress, PidTagSenderSmtpAddress) and in whose name it was sent
/// (PidTagSentRepresentingEmailAddress, ...SmtpAddress), of recipients (PidTagEmailAddress, PidTagSmtpAddress), and to
/// whom answers go (PidTagReplyRecipientNames).
const ADDRESSES: [&str; 7] = ["0C1F", "5D01", "0065", "5D02", "3003", "39FE", "0050"];
/// Fields of a header with the same.
const FIELDS: [&str; 5] = ["From", "Sender", "To", "Cc", "Reply-To"];
/// Addresses of one saved mail that are kept, and bytes of each.
const ADDRESSES_MAX: usize = 100;
const ADDRESS_BYTES_MAX: usize = 500;
/// Texts of one saved mail in which a password is looked for, and bytes of each.
const TEXTS_MAX: usize = 20;
const TEXT_BYTES_MAX: usize = 256 << 10;
/// PidTagAttachLongFilename, PidTagAttachFilename, PidTagDisplayName: each may be what a program shows.
const NAMES: [&str; 3] = ["3707", "3704", "3001"];

/// Whether a stream is one that [`look`] reads.
pub(super) fn is_of_mail(stream: &str) -> bool {
    let is_text = [BODY, HTML, SUBJECT, HEADER].iter().any(|property| stream.starts_with(property));
    stream == CONTENT || stream == RTF || is_text || is_address(stream)
}

fn is_address(stream: &str) -> bool {
    let property = stream.strip_prefix("__substg1.0_").and_then(|rest| rest.get(..4));
    property.is_some_and(|property| ADDRESSES.contains(&property))
}

/// Looks at a stream of a saved mail: an attachment becomes a member under each of its names, and the links of its
/// texts are links.
pub(super) fn look(file: &mut Compound<'_>, path: &str, look: &mut Look<'_, '_, '_>) -> Result<(), Closed> {
    let stream = path.rsplit('/').next().unwrap_or_default();
    let bytes = read(file, path, look)?;
    if stream == CONTENT {
        let mut names = names(file, path, look).into_iter();
        let mut member = Member::new(names.next().unwrap_or_default(), bytes);
        member.other_names.extend(names);
        look.seen.members.push(member);
        return Ok(());
    }
    if stream == RTF {
        return rtf(&bytes, look);
    }
    let text = if stream.ends_with("001F") { utf16::le(&bytes) } else { WINDOWS_1252.decode(&bytes).0.into_owned() };
    match stream {
        _ if is_address(stream) => addresses(&text, look),
        _ if stream.starts_with(HEADER) => {
            for field in header::fields(text.as_bytes()).filter(|field| FIELDS.iter().any(|name| field.is(name))) {
                addresses(&field.unfolded(), look);
            }
        }
        _ if stream.starts_with(HTML) => {
            let page = html::read(text.as_bytes(), false);
            look.seen.links.extend(page.links.into_iter().map(|link| link.target));
            keep(&page.text, look);
        }
        _ => {
            look.seen.links.extend(text::links(&text));
            keep(&text, look);
        }
    }
    Ok(())
}

/// The body in RTF is a document of its own.
fn rtf(bytes: &[u8], look: &mut Look<'_, '_, '_>) -> Result<(), Closed> {
    let Some(unpacked) = compressed_rtf::reader(bytes) else {
        look.closed(Closed::NotAnalysed("a body in RTF that cannot be unpacked".into()));
        return Ok(());
    };
    let (body, closed) = look.allowance.read_so_far(bytes.len() as u64, unpacked);
    look.seen.members.push(Member::new("body.rtf".into(), body));
    closed.map_or(Ok(()), Err)
}

/// A text in which a password may stand.
fn keep(text: &str, look: &mut Look<'_, '_, '_>) {
    if look.seen.texts.len() < TEXTS_MAX {
        look.seen.texts.push(text[..text.floor_char_boundary(TEXT_BYTES_MAX.min(text.len()))].to_owned());
    }
}

/// The addresses in a text of names and addresses.
fn addresses(text: &str, look: &mut Look<'_, '_, '_>) {
    let is_between =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '"' | '\'' | '(' | ')');
    let words = text.split(is_between).filter(|word| word.contains('@') && word.len() <= ADDRESS_BYTES_MAX);
    for address in words.map(str::to_lowercase) {
        if look.seen.addresses.len() < ADDRESSES_MAX && !look.seen.addresses.contains(&address) {
            look.seen.addresses.push(address);
        }
    }
}

/// The names that lie beside the content of an attachment; of equal ones one.
fn names(file: &mut Compound<'_>, path: &str, look: &mut Look<'_, '_, '_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (property, kind) in NAMES.into_iter().flat_map(|property| [(property, "001F"), (property, "001E")]) {
        let beside = path.replace("37010102", &format!("{property}{kind}"));
        if !file.is_stream(&beside) {
            continue;
        }
        let Ok(bytes) = read(file, &beside, look) else { continue };
        let name = if kind == "001F" { utf16::le(&bytes) } else { WINDOWS_1252.decode(&bytes).0.into_owned() };
        let name = name.trim_end_matches('\0').to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A compound file with these streams, for tests.
#[cfg(test)]
pub(super) fn with_streams(streams: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::{Cursor, Write};

    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("a new file");
    for (path, bytes) in streams {
        if let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty()) {
            file.create_storage_all(folder).expect("a storage");
        }
        file.create_stream(path).expect("a stream").write_all(bytes).expect("written");
    }
    file.flush().expect("flushed");
    file.into_inner().into_inner()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::{Budget, Limits};
    use crate::unpack::Allowance;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn attachments_have_all_their_names_and_texts_their_links() {
        let bytes = with_streams(&[
            ("/__substg1.0_1000001F", &utf16("See https://a.example/x for it.")),
            ("/__substg1.0_10130102", b"<a href='https://b.example/y'>here</a>"),
            ("/__substg1.0_0C1F001F", &utf16("Anna@Partner.example\0")),
            (
                "/__substg1.0_007D001E",
                b"Received: by x@y\r\nFrom: A <a@a.example>\r\nReply-To: b@b.example,\r\n c@c.example\r\n",
            ),
            ("/__recip_version1.0_#00000000/__substg1.0_39FE001E", b"bert@ours.example\0"),
            ("/__substg1.0_0037001F", &utf16("Password: abc")),
            ("/__substg1.0_10090102", &compressed_rtf::packed(b"{\\rtf1{\\*\\template http://192.0.2.1/a}}")),
            ("/__attach_version1.0_#00000000/__substg1.0_37010102", b"var a=1;"),
            ("/__attach_version1.0_#00000000/__substg1.0_3704001E", b"INVOIC~1.JS\0"),
            ("/__attach_version1.0_#00000000/__substg1.0_3707001F", &utf16("invoice.js")),
            ("/__attach_version1.0_#00000000/__substg1.0_3001001F", &utf16("invoice.txt")),
        ]);
        let part = crate::mime::alone(&bytes, "a.msg", "application/vnd.ms-outlook").message.parts.remove(0);
        let limits = Limits::default();
        let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
        let seen = super::super::look(&bytes, &part, &mut allowance);
        let member = seen.members.iter().find(|member| member.name == "body.rtf").expect("a body");
        assert_eq!(member.bytes, b"{\\rtf1{\\*\\template http://192.0.2.1/a}}");
        let mut addresses = seen.addresses;
        addresses.sort();
        let expected = ["a@a.example", "anna@partner.example", "b@b.example", "bert@ours.example", "c@c.example"];
        assert_eq!(addresses, expected);
        assert!(seen.texts.iter().any(|text| text == "Password: abc"), "{:?}", seen.texts);
        let member = seen.members.iter().find(|member| member.name == "invoice.js").expect("an attachment");
        assert_eq!((member.name.as_str(), member.bytes.as_slice()), ("invoice.js", b"var a=1;".as_slice()));
        assert_eq!(member.other_names, ["INVOIC~1.JS", "invoice.txt"]);
        let mut links = seen.links;
        links.sort();
        assert_eq!(links, ["https://a.example/x", "https://b.example/y"]);
    }
}
