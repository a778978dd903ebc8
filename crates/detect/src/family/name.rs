//! What a file's name says of it.

use domain::message::Family;

use super::Kind;
use crate::unpack::volume;

/// Characters of an extension at most; longer ones are no extensions.
const EXTENSION_CHARS_MAX: usize = 40;

/// The last extension of a file name in lower case. What a desktop leaves out does not count: dots and blanks at the
/// end, quotes, characters of no width, the folders before it.
pub fn extension(name: &str) -> Option<String> {
    let name = name.trim_end_matches(|c: char| {
        matches!(c, '.' | '"' | '\'' | '/' | '\\' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
            || c.is_whitespace()
    });
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (stem, extension) = name.rsplit_once('.')?;
    let is_of_extension = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let plain: String = extension
        .chars()
        .filter(|c| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'))
        .collect();
    let fits = !stem.is_empty()
        && !plain.is_empty()
        && plain.len() <= EXTENSION_CHARS_MAX
        && plain.chars().all(is_of_extension);
    fits.then(|| plain.to_ascii_lowercase())
}

/// Extensions of archives, and how each is opened where its bytes do not say it.
const ARCHIVES: [(&str, &str); 24] = [
    ("7z", "application/x-7z-compressed"),
    ("ace", "application/x-ace"),
    ("alz", "application/x-alz"),
    ("arj", "application/x-arj"),
    ("bz2", "application/x-bzip2"),
    ("cab", "application/vnd.ms-cab-compressed"),
    ("cpio", "application/x-cpio"),
    ("egg", "application/x-egg"),
    ("gz", "application/gzip"),
    ("iso", "application/x-iso9660-image"),
    ("lha", "application/x-lzh"),
    ("lzh", "application/x-lzh"),
    ("lzma", "application/x-lzma"),
    ("rar", "application/vnd.rar"),
    ("tar", "application/x-tar"),
    ("tbz2", "application/x-bzip2"),
    ("tgz", "application/gzip"),
    ("txz", "application/x-xz"),
    ("vhd", "application/x-vhd"),
    ("vhdx", "application/x-vhdx"),
    ("xz", "application/x-xz"),
    ("z", "application/x-compress"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

/// The kind of archive that a name says.
pub(super) fn archive(name: &str) -> Option<Kind> {
    let kind = whole(name).or_else(|| {
        let is_archive = |name: &str| whole(name).is_some() || is_image(name);
        volume::is_named(name, is_archive).then_some("application/x-archive-volume")
    });
    kind.map(|kind| (Family::Archive, kind))
}

fn whole(name: &str) -> Option<&'static str> {
    let extension = extension(name)?;
    ARCHIVES.into_iter().find(|(one, _)| *one == extension).map(|(_, kind)| kind)
}

/// Extensions of images of discs. What is in one that cannot be read may be anything, and nothing that opens.
const IMAGES: [&str; 4] = ["dmg", "img", "udf", "wim"];

/// Whether a name is one of an archive or an image of a disc.
pub(super) fn is_container(name: &str) -> bool {
    archive(name).is_some() || is_image(name)
}

fn is_image(name: &str) -> bool {
    extension(name).is_some_and(|extension| IMAGES.contains(&extension.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        for (name, expected) in [
            ("a.PDF.exe . ", Some("exe")),
            (".profile", None),
            ("no extension", None),
            ("x.settingcontent-ms", Some("settingcontent-ms")),
            ("x.library-ms\u{200b}", Some("library-ms")),
            ("x.j\u{200b}s", Some("js")),
            ("folder.d/file", None),
            ("folder\\x.lnk\"", Some("lnk")),
            ("Mr. Smith", None),
            ("Mr.Smith", Some("smith")),
            ("a.b c", None),
        ] {
            assert_eq!(extension(name).as_deref(), expected, "{name}");
        }
        assert_eq!(extension(&format!("a.{}", "x".repeat(41))), None);
    }

    #[test]
    fn archives_by_name() {
        assert_eq!(archive("a.ACE"), Some((Family::Archive, "application/x-ace")));
        assert_eq!(archive("a.txt"), None);
        assert_eq!(archive("a.7z.002"), Some((Family::Archive, "application/x-archive-volume")));
        assert_eq!(archive("a.log.002"), None);
        assert!(is_container("a.zip") && is_container("a.img") && !is_container("a.pdf"));
    }
}
