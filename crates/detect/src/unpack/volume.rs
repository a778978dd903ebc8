//! Archives that are split into volumes. One alone cannot be opened, and each may come in a mail of its own.

use crate::family::extension;

/// Digits of the number of a volume.
const DIGITS: usize = 3;

/// Whether a file of this name is a piece of an archive, whatever its bytes are: `a.7z.002`, `a.zip.003`, `a.z01`,
/// `a.r00`. Each but the first begins in the middle of something. `is_archive` tells of a name whether it is one of an
/// archive.
pub(crate) fn is_named(name: &str, is_archive: impl Fn(&str) -> bool) -> bool {
    let Some(extension) = extension(name) else { return false };
    // Volumes of zip and of rar have a letter and two digits.
    let is_lettered =
        extension.strip_prefix(['z', 'r']).is_some_and(|rest| rest.len() == DIGITS - 1 && is_number(rest));
    is_lettered || is_numbered(name) && before_extension(name).is_some_and(is_archive)
}

/// Whether a name ends in the number of a volume; with an archive in the file it may be the first one.
pub(super) fn is_numbered(name: &str) -> bool {
    extension(name).is_some_and(|extension| extension.len() == DIGITS && is_number(&extension))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn before_extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_volumes() {
        let is_archive = |name: &str| name.ends_with(".7z") || name.ends_with(".zip");
        for name in ["a.7z.002", "A.zip.010", "a.z01", "a.R00", "a.r99"] {
            assert!(is_named(name, is_archive), "{name}");
        }
        for name in ["a.001", "a.log.002", "a.z5", "a.zip", "a.7z.02", "a.7z.0002", "a.rar", "a.raw", "z01", ""] {
            assert!(!is_named(name, is_archive), "{name}");
        }
        assert!(is_numbered("a.001") && !is_numbered("a.01") && !is_numbered("a.zip"));
    }
}
