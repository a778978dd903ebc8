//! Texts: pages, pictures and scripts are text as well. Each is known by its first element, by its name, or by what it
//! is declared as; a browser or an interpreter goes by any of these.

use domain::message::Family;

use super::Kind;
use super::name::extension;
use crate::utf16;

/// Mere text.
pub(super) const PLAIN: Kind = (Family::Text, "text/plain");
/// A page.
pub(super) const PAGE: Kind = (Family::Html, "text/html");
const SVG: Kind = (Family::Image, "image/svg+xml");
const RTF: Kind = (Family::Office, "application/rtf");
const SCRIPT: Kind = (Family::Script, "text/plain");

/// Extensions of scripts that look like any text.
const SCRIPTS: [&str; 22] = [
    "bat", "cmd", "hta", "js", "jse", "mjs", "ps1", "ps2", "psm1", "py", "pyw", "sct", "sh", "vb", "vbe", "vbs", "wsc",
    "wsf", "wsh", "command", "csh", "ksh",
];
/// Extensions of pages, as browsers open them.
const PAGES: [&str; 8] = ["html", "htm", "shtml", "shtm", "xhtml", "xht", "xhtm", "htmls"];
/// Elements by which a page begins: those of the WHATWG's MIME Sniffing (7.1), and others that no text begins with.
const PAGE_ELEMENTS: [&str; 40] = [
    "html", "head", "script", "iframe", "h1", "h2", "h3", "div", "font", "table", "a", "style", "title", "b", "body",
    "br", "p", "form", "center", "meta", "img", "input", "object", "embed", "frameset", "base", "link", "span", "ul",
    "ol", "button", "noscript", "section", "main", "article", "header", "video", "marquee", "template", "basefont",
];
/// Bytes in which a text's first element is looked for: comments and declarations may stand before it.
const PROLOG_BYTES_MAX: usize = 1 << 20;

/// Of so many bytes of a text one may be a control character.
const CONTROLS_SHARE: usize = 25;

/// Whether the first bytes are printable text in UTF-8 or a one-byte charset.
pub(super) fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    !head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
}

/// Whether a text has a control character here and there: mail programs show what is around it, and so does this, for
/// else one of them hides a text from all that reads it.
pub(super) fn is_mostly_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let controls = head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)).count();
    controls * CONTROLS_SHARE <= head.len()
}

/// What the first element or line of a text shows.
pub(super) fn by_content(bytes: &[u8]) -> Option<Kind> {
    let head = &bytes[..bytes.len().min(PROLOG_BYTES_MAX)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if head.starts_with(b"#!") {
        return Some((Family::Script, "text/x-shellscript"));
    }
    if starts_with(head, b"<?php") {
        return Some((Family::Script, "text/x-php"));
    }
    if head.first() != Some(&b'<') {
        return None;
    }
    by_element(head)
}

/// Skips what may stand before the first element (XML 1.0 section 2.8), and looks at that.
fn by_element(head: &[u8]) -> Option<Kind> {
    let mut rest = head;
    let mut is_xml = false;
    loop {
        rest = rest.trim_ascii_start();
        if rest.starts_with(b"<!--") {
            rest = behind(rest, b"-->")?;
        } else if rest.starts_with(b"<?") {
            is_xml |= starts_with(rest, b"<?xml");
            rest = behind(rest, b">")?;
        } else if starts_with(rest, b"<!doctype") {
            let named = rest[9..].trim_ascii_start();
            if starts_with(named, b"html") {
                return Some(PAGE);
            }
            if starts_with(named, b"svg") {
                return Some(SVG);
            }
            rest = behind_declaration(rest)?;
        } else {
            break;
        }
    }
    let tag = rest.strip_prefix(b"<")?;
    let end = memchr::memchr(b'>', tag).unwrap_or(tag.len());
    let tag = &tag[..end];
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let name = tag.split(is_end).next().unwrap_or_default();
    let local = name.rsplit(|byte| *byte == b':').next().unwrap_or(name);
    let local = String::from_utf8_lossy(local).to_ascii_lowercase();
    let is_of = |namespace: &[u8]| memchr::memmem::find(tag, namespace).is_some();
    if local == "svg" || is_of(b"http://www.w3.org/2000/svg") {
        return Some(SVG);
    }
    // Other vocabularies of XML have a `title` or a `form` as well.
    let is_page = if is_xml { local == "html" } else { PAGE_ELEMENTS.contains(&local.as_str()) };
    (is_page || is_of(b"http://www.w3.org/1999/xhtml")).then_some(PAGE)
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

fn behind<'t>(text: &'t [u8], end: &[u8]) -> Option<&'t [u8]> {
    memchr::memmem::find(text, end).map(|at| &text[at + end.len()..])
}

/// Behind a document type: its own declarations stand in brackets.
fn behind_declaration(text: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'>', text)?;
    match memchr::memchr(b'[', &text[..end]) {
        Some(open) => behind(behind(&text[open..], b"]")?, b">"),
        None => Some(&text[end + 1..]),
    }
}

/// What a text is to a program that goes by its name.
pub(super) fn by_name(name: &str) -> Option<Kind> {
    let extension = extension(name)?;
    let is = |extensions: &[&str]| extensions.contains(&extension.as_str());
    if is(&PAGES) {
        return Some(PAGE);
    }
    if is(&SCRIPTS) {
        return Some(SCRIPT);
    }
    match extension.as_str() {
        "svg" => Some(SVG),
        "rtf" => Some(RTF),
        _ => None,
    }
}

/// What a text is to a program that goes by what it is declared as.
pub(super) fn by_declaration(declared: &str) -> Option<Kind> {
    match declared {
        "text/html" | "application/xhtml+xml" | "application/xhtml" => Some(PAGE),
        "image/svg+xml" | "image/svg" => Some(SVG),
        "application/rtf" | "text/rtf" | "text/richtext" => Some(RTF),
        "text/javascript"
        | "application/javascript"
        | "application/x-javascript"
        | "application/ecmascript"
        | "text/vbscript"
        | "application/hta"
        | "application/x-bat"
        | "application/x-msdos-batch" => Some(SCRIPT),
        _ => None,
    }
}

/// Whether a name says that a browser opens the file as a page.
pub(super) fn is_page(name: &str) -> bool {
    by_name(name) == Some(PAGE)
}

/// Text in UTF-16, known by its byte order mark: its beginning tells what it is, as for any other.
pub(super) fn wide(bytes: &[u8], name: &str) -> Option<Kind> {
    let text = wide_text(bytes)?;
    let known = by_content(text.as_bytes()).or_else(|| by_name(name)).unwrap_or(PLAIN);
    looks_like_text(text.as_bytes()).then_some(known)
}

/// Whether the bytes are text in UTF-16.
pub(super) fn is_wide(bytes: &[u8]) -> bool {
    wide_text(bytes).is_some_and(|text| !text.is_empty() && looks_like_text(text.as_bytes()))
}

fn wide_text(bytes: &[u8]) -> Option<String> {
    utf16::marked(&bytes[..bytes.len().min(PROLOG_BYTES_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_element_tells() {
        let long = format!("<!--{}--><svg>", "x".repeat(70_000));
        for svg in [
            "<svg xmlns='x'>",
            "\u{feff} <?xml version='1.0'?>\n<!-- made by hand -->\n<svg>",
            "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'>\n<svg>",
            "<?xml version='1.0'?><!DOCTYPE x [ <!ENTITY a '>'> ]><s:svg xmlns:s='http://www.w3.org/2000/svg'>",
            "<g:picture xmlns:g='http://www.w3.org/2000/svg'/>",
            long.as_str(),
        ] {
            assert_eq!(by_content(svg.as_bytes()), Some(SVG), "{}", &svg[..svg.len().min(80)]);
        }
        for page in [
            "<form action=x>",
            "<center>Hello</center>",
            "<!-- saved --><div>",
            "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>",
            "<?xml version='1.0'?><x:html xmlns:x='http://www.w3.org/1999/xhtml'>",
            "<!doctype HTML>",
            "\n\n <P>Hello",
        ] {
            assert_eq!(by_content(page.as_bytes()), Some(PAGE), "{page}");
        }
        for text in [
            "",
            "<",
            "<<",
            "<note/>",
            "<?xml version='1.0'?><title>x</title>",
            "< div",
            "<john@x.example>",
            "a<p>",
            "<!--",
            "<!DOCTYPE",
            "<!DOCTYPE x [",
        ] {
            assert_eq!(by_content(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn names_and_declared_types_tell_as_well() {
        assert_eq!(by_name("a.XHTML "), Some(PAGE));
        assert_eq!(by_name("a.js"), Some(SCRIPT));
        assert_eq!(by_name("a.txt"), None);
        assert_eq!(by_declaration("application/xhtml+xml"), Some(PAGE));
        assert_eq!(by_declaration("text/plain"), None);
        let wide: Vec<u8> = "\u{feff}<form>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(super::wide(&wide, "a.txt"), Some(PAGE));
        assert!(is_wide(&wide) && !is_wide(b"\xff\xfe") && !is_wide(b"ab"));
    }
}
