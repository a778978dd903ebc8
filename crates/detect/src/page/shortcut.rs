//! Files that are a link: Windows' `.url` and `.website`, macOS' `.webloc`, `.desktop` of free desktops.

use super::html;
use super::share::Share;
use super::url::Url;

/// Bytes of one file that are read.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Links of one file that are kept.
const TARGETS_MAX: usize = 50;
/// Keys of `.url` and `.desktop` files whose value is opened when the file is. `IconFile` is opened when its folder is
/// only looked at.
const KEYS: [&str; 5] = ["url", "baseurl", "origurl", "iconfile", "icon"];

/// Where such a file leads, in its order; nothing if it is no such file.
pub fn targets(bytes: &[u8]) -> Vec<String> {
    let bytes = &bytes[..bytes.len().min(FILE_BYTES_MAX)];
    let mut found = if bytes.starts_with(b"bplist0") { in_binary(bytes) } else { in_text(&html::decoded(bytes)) };
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|target| !target.is_empty() && seen.insert(target.clone()));
    found.truncate(TARGETS_MAX);
    found
}

fn in_text(text: &str) -> Vec<String> {
    let head = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if head.starts_with("<?xml") || head.starts_with("<!DOCTYPE plist") || head.starts_with("<plist") {
        return in_list(head);
    }
    let mut is_inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        let lower = line.get(..line.floor_char_boundary(line.len().min(40))).unwrap_or_default().to_lowercase();
        if line.starts_with('[') {
            // [InternetShortcut.A] and .W have the same in other letters.
            is_inside = lower.starts_with("[internetshortcut") || lower == "[desktop entry]";
        } else if is_inside && let Some((key, value)) = line.split_once('=') {
            let key = key.trim().to_lowercase();
            let key = key.split('[').next().unwrap_or_default();
            let value = value.trim().trim_matches('"');
            let is_icon = key.starts_with("icon");
            // An icon is a file of this computer, or a trick.
            if KEYS.contains(&key) && (!is_icon || Share::of(value).is_some()) {
                found.push(value.to_owned());
            }
        }
    }
    found
}

/// A property list in XML: `<key>URL</key><string>...</string>`.
fn in_list(text: &str) -> Vec<String> {
    let mut rest = text;
    let mut found = Vec::new();
    while found.len() < TARGETS_MAX
        && let Some((_, behind)) = rest.split_once("<key>")
    {
        rest = behind;
        let Some((key, behind)) = behind.split_once("</key>") else { break };
        let Some(value) = behind.trim_start().strip_prefix("<string>") else { continue };
        if key.trim().eq_ignore_ascii_case("url") {
            let value = value.split('<').next().unwrap_or_default().trim();
            found.push(quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), |text| text.into_owned()));
        }
    }
    found
}

/// A property list in Apple's binary form: its texts of ASCII stand there plainly, behind a mark with their length.
fn in_binary(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(bytes, b":").take(TARGETS_MAX) {
        let is_part = |byte: &u8| byte.is_ascii_graphic();
        let start =
            bytes[..at].iter().rposition(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')));
        let start = start.map_or(0, |before| before + 1);
        let end = bytes[at..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |end| at + end);
        let text = String::from_utf8_lossy(&bytes[start..end]).into_owned();
        // The byte before a text is its mark, and may be a letter: what is a link begins somewhere in it.
        let begin = ["http", "file:", "smb:", "javascript:"].iter().filter_map(|scheme| text.find(scheme)).min();
        found.extend(
            begin.map(|begin| text[begin..].to_owned()).filter(|link| {
                Url::parse(link).is_some() || Share::of(link).is_some() || link.starts_with("javascript:")
            }),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn where_files_lead_that_are_links() {
        assert_eq!(targets(b"[InternetShortcut]\r\nURL=https://www.example.com/\r\n"), ["https://www.example.com/"]);
        assert_eq!(
            targets(
                b"\xef\xbb\xbf[{000214A0}]\nProp3=19,11\n[internetshortcut]\n url = file://203.0.113.9/a.exe\n\
                IconFile=\\\\evil.example\\i.ico\nIconIndex=1"
            ),
            ["file://203.0.113.9/a.exe", "\\\\evil.example\\i.ico"]
        );
        assert_eq!(
            targets(b"[InternetShortcut]\nURL=https://a.example/\nIconFile=C:\\Windows\\shell32.dll"),
            ["https://a.example/"]
        );
        assert_eq!(
            targets(b"[Desktop Entry]\nType=Link\nURL[de]=https://a.example/\nIcon=text-html"),
            ["https://a.example/"]
        );
        let list = b"<?xml version=\"1.0\"?><plist><dict><key>URL</key>\n\
            <string>https://a.example/?a=1&amp;b=2</string></dict></plist>";
        assert_eq!(targets(list), ["https://a.example/?a=1&b=2"]);
        let binary = b"bplist00\xd1\x01\x02SURL_\x10\x16https://www.a.example/\x08\x0b";
        assert_eq!(targets(binary), ["https://www.a.example/"]);
        let wide: Vec<u8> =
            "\u{feff}[InternetShortcut]\r\nURL=https://a.example/".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(targets(&wide), ["https://a.example/"]);
        for other in [&b"URL=https://www.example.com/"[..], b"[settings]\nurl=https://a.example/", b"", b"bplist00"] {
            assert!(targets(other).is_empty(), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_look_ends(
            text in "(\\[InternetShortcut\\]|\r?\n|URL=|IconFile=|\
                \\\\|<plist|<key>|URL|</key>|<string>|bplist00|http:|\u{e9}|&){0,40}"
        ) {
            prop_assert!(targets(text.as_bytes()).len() <= TARGETS_MAX);
        }
    }
}
