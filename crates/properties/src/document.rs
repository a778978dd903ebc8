//! Documents, pages and other containers: whatever strangers write into them, the look ends, within what one message
//! may unpack.

use std::time::Duration;

use detect::document::{self, DocumentReading};
use detect::limits::{Budget, Limits};
use detect::mime;
use detect::page::link::{self, Link, LinkOrigin};
use detect::page::{calendar, html, shortcut};
use detect::unpack::{self, Allowance};
use domain::message::Part;

const UNPACKED_BYTES_MAX: u64 = 1 << 20;
const ENTRIES_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = (64 << 10) + 4;

fn limits() -> Limits {
    Limits { archive_entries_max: ENTRIES_MAX, unpacked_bytes_max: UNPACKED_BYTES_MAX, ..Limits::default() }
}

fn part(bytes: &[u8]) -> Part {
    mime::alone(bytes, "a.bin", "application/octet-stream").message.parts.remove(0)
}

fn read(bytes: &[u8], is_pdf: bool) -> DocumentReading {
    let limits = limits();
    let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(20)));
    let part = part(bytes);
    if is_pdf {
        document::look_at_pdf(bytes, &part, &mut allowance)
    } else {
        document::look(bytes, &part, &mut allowance)
    }
}

fn look(bytes: &[u8], is_pdf: bool) {
    let seen = read(bytes, is_pdf);
    assert!(seen.text.len() <= TEXT_BYTES_MAX, "{} bytes of text", seen.text.len());
    assert_eq!(seen.text, read(bytes, is_pdf).text, "the same bytes, the same text");
    assert!(seen.signals.len() <= 100, "{} signals", seen.signals.len());
    assert!(seen.signals.iter().all(|signal| !signal.evidence.contains('\n')), "{:?}", seen.signals);
    assert!(seen.members.len() <= ENTRIES_MAX + 200, "{} members", seen.members.len());
}

/// Looks at the bytes as an Office document: a compound file, a zip or RTF, as they begin.
pub fn office(bytes: &[u8]) {
    look(bytes, false);
}

/// Looks at the bytes as a PDF.
pub fn pdf(bytes: &[u8]) {
    look(bytes, true);
}

/// Reads the bytes as an attached page, and looks at its links.
pub fn html(bytes: &[u8]) {
    let page = html::read(bytes, true);
    assert!(page.signals.len() <= 10);
    let own = ["ours.example".to_owned()];
    let said = link::look(&page.links, &own, &["b@ours.example".to_owned()], "sender.example");
    assert!(said.len() <= 100 && said.iter().all(|(_, evidence)| !evidence.chars().any(char::is_control)));
}

/// Looks at the bytes as a link.
pub fn url(bytes: &[u8]) {
    let target = String::from_utf8_lossy(bytes).into_owned();
    if let Some(url) = link::Url::parse(&target) {
        assert!(!url.host.is_empty() && url.host.len() <= 255 && !url.host.contains('/'), "{url:?}");
    }
    let link = Link { shown: target.clone(), ..Link::new(target, LinkOrigin::Code) };
    drop(link::look(&[link], &["ours.example".to_owned()], &["b@ours.example".to_owned()], "sender.example"));
}

/// Reads the bytes as a file that is a link.
pub fn shortcut(bytes: &[u8]) {
    let targets = shortcut::targets(bytes);
    assert!(targets.len() <= 50 && targets.iter().all(|target| target.len() <= bytes.len() * 3 + 8), "{targets:?}");
}

/// Reads the bytes as a calendar or a card.
pub fn calendar(bytes: &[u8]) {
    let links = calendar::links(bytes);
    assert!(links.len() <= 500, "{} links", links.len());
    assert!(calendar::text(bytes).len() <= TEXT_BYTES_MAX);
}

/// Looks at the bytes as a table that is text.
pub fn sheet_text(bytes: &[u8]) {
    let said = document::sheet_text::look(bytes);
    assert!(said.len() <= 20 && said.iter().all(|(_, evidence)| !evidence.chars().any(char::is_control)), "{said:?}");
}

/// Opens the bytes as each container that is opened besides zip, gzip and tar, by its first byte. What panics in a
/// library is left out: the product catches that, a fuzzer does not.
pub fn container(bytes: &[u8]) {
    const REASONS_MAX: usize = 40;
    const KINDS: [&str; 21] = [
        "application/x-bzip2",
        "application/x-xz",
        "application/x-7z-compressed",
        "application/vnd.rar",
        "application/x-iso9660-image",
        "application/ms-tnef",
        "application/onenote",
        "application/x-lzma",
        "application/x-szdd",
        "application/x-cpio",
        "application/x-lzh",
        "application/x-arj",
        "application/x-ace",
        "application/x-alz",
        "application/x-egg",
        "application/x-xar",
        "application/x-udf-image",
        "application/x-vhd",
        "application/x-vhdx",
        "application/x-disk-image",
        "application/x-raw-disc-image",
    ];
    let Some((first, rest)) = bytes.split_first() else { return };
    let limits = limits();
    let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(20)));
    let kind = KINDS[usize::from(*first) % KINDS.len()];
    let (members, closed) = unpack::open(kind, rest, "a.bin", &mut allowance);
    assert!(members.len() <= ENTRIES_MAX + 1, "{kind}: {} members", members.len());
    assert!(closed.len() <= REASONS_MAX, "{kind}: {closed:?}");
    let unpacked: usize = members.iter().map(|member| member.bytes.len()).sum();
    assert!(unpacked as u64 <= UNPACKED_BYTES_MAX + (1 << 16), "{kind}: {unpacked} bytes came out");
}
