//! Settings that mean the same for every receiver: who vouches for it, and what we show it with each request.

use std::path::PathBuf;

use super::section::Section;

/// `ca`: authorities that vouch for it beside the public ones.
pub(super) fn ca(section: &mut Section<'_>) -> Option<PathBuf> {
    section
        .setting("ca", "Certificates (PEM) of authorities of your own, which vouch for it beside the public ones.")
        .not_shown()
        .example("\"ca.pem\"")
        .path()
}

/// `authorization_file`: what it is shown with every request; `example` is the name of such a file.
pub(super) fn authorization_file(section: &mut Section<'_>, example: &'static str) -> Option<PathBuf> {
    section
        .setting(
            "authorization_file",
            "For https://: a file with what the field Authorization says, such as \"Bearer ...\". It is read anew for \
             every request.",
        )
        .not_shown()
        .example(example)
        .path()
}
