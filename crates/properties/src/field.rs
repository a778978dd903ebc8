//! What strangers write as an address, a domain and the text of a header field.

use detect::field_text::{self, Charset};
use domain::{Address, DomainName, fold};

/// Reads the bytes as an address: what is taken is kept as it was written, cannot end its command, and has one form for
/// comparing and for searching.
pub fn address(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let name = DomainName::of(&text);
    assert_eq!(DomainName::of(&name), name, "a domain is the domain of itself");
    assert_eq!(fold::name(&fold::name(&text)), fold::name(&text), "what is folded is folded");
    assert_eq!(fold::text(&fold::text(&text)), fold::text(&text), "what is folded is folded");
    let Ok(address) = Address::parse(&text) else { return };
    assert_eq!(address.as_str(), text);
    assert!(text.len() <= domain::address::ADDRESS_BYTES_MAX && !text.chars().any(char::is_control));
    let line = format!("RCPT TO:<{address}>");
    let Ok(wire::smtp::command::Command::Rcpt { recipient, params }) = wire::smtp::command::parse(line.as_bytes())
    else {
        panic!("an address that no command can carry: {line}");
    };
    assert!(recipient.as_ref() == Some(&address) && params.is_empty(), "{line}");
    let normal = Address::parse(&address.normal()).map(|same| same.normal());
    assert!(normal.is_err() || normal.as_ref() == Ok(&address.normal()), "{line}: {normal:?}");
}

/// Reads the bytes as the body of a field, in several charsets: text comes out, on one line but for what an encoded
/// word brings.
pub fn text(bytes: &[u8]) {
    for label in ["", "koi8-r", "iso-2022-jp", "gb18030"] {
        let charset = Charset::named(label);
        let plain = field_text::unstructured(bytes, charset);
        if !field_text::is_coded(bytes) {
            assert!(plain.is_ascii() && plain.len() <= bytes.len(), "what is plain stays");
        }
        let name = field_text::display_name(bytes, charset);
        assert_eq!(name, name.trim());
        let _ = field_text::parameter(bytes, "filename", charset);
    }
}
