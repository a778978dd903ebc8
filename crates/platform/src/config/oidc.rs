//! `[oidc]`: people of the console sign in where they have an account already.

use std::path::{Path, PathBuf};

use super::section::Section;
use crate::https::{Endpoint, with_a_labels};

/// Bytes of the file with the client's secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Who vouches for people (OpenID Connect Core 1.0), and as whom we ask.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// What browsers call the console, without a slash at the end.
    pub console: String,
    /// The claim that is somebody's name here.
    pub claim: String,
    /// A file with certificates (PEM) of authorities of one's own, which vouch for the issuer beside the public ones.
    pub ca: Option<PathBuf>,
}

/// Reads it; none where it is not configured.
pub(super) fn oidc(root: &mut Section<'_>) -> Option<OidcConfig> {
    let is_there = root.has("oidc");
    let about = "People of the console sign in where they have an account already (OpenID Connect, authorization code \
                 with PKCE): they are those whose claim is the name of somebody who was invited here; roles stay \
                 here.";
    let mut section = root.section("oidc", about);
    let config = read(&mut section);
    for name in ["issuer", "client_id", "client_secret_file", "console"] {
        if is_there && !section.has(name) {
            section.missing(name, "is missing: sign-in by OpenID Connect needs it");
        }
    }
    if config.is_none() {
        section.show_nothing();
    }
    section.end();
    config
}

fn read(section: &mut Section<'_>) -> Option<OidcConfig> {
    let folder = section.reading.folder;
    let issuer = section
        .setting("issuer", "Who vouches for people, as its tokens name it.")
        .default("must be given")
        .example("\"https://login.example.com/realms/office\"")
        .text("URL with https", issuer);
    let client_id = section
        .setting("client_id", "Our name there.")
        .default("must be given")
        .example("\"reprieve\"")
        .text("text", |text| Ok(text.to_owned()));
    let client_secret = section
        .setting("client_secret_file", "A file with our secret there.")
        .not_shown()
        .default("must be given")
        .example("\"oidc-secret\"")
        .read_once()
        .meaning("path of a file with a secret", |text| secret(&folder.join(text)));
    let console = section
        .setting("console", "What browsers call the console. The way back to it is this, followed by /sign-in/back.")
        .not_shown()
        .default("must be given")
        .example("\"https://mail-protection.example.com\"")
        .text("URL", |text| Endpoint::parse(text).and_then(|_| with_a_labels(text.trim_end_matches('/'))));
    let claim = section
        .setting(
            "claim",
            "The claim that is somebody's name here. With \"email\" the issuer must send email_verified = true as \
             well: an address that nobody has verified is no name. Where it does not send that, take a claim that \
             nobody can choose for themselves, such as \"sub\", and invite people by it.",
        )
        .default("\"email\"")
        .example("\"email\"")
        .text_or("text", |text| Ok(text.to_owned()), || "email".to_owned());
    let ca = section
        .setting(
            "ca",
            "Certificates (PEM) of authorities of your own, which vouch for the issuer beside the public ones.",
        )
        .not_shown()
        .example("\"ca.pem\"")
        .path();
    Some(OidcConfig {
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret?,
        console: console?,
        claim,
        ca,
    })
}

fn issuer(text: &str) -> Result<String, String> {
    let place = Endpoint::parse(text)?;
    // The token is believed because of whom it was fetched from.
    if place.is_secret { with_a_labels(text.trim_end_matches('/')) } else { Err("must begin with https://".to_owned()) }
}

fn secret(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if std::fs::metadata(path).map_err(failed)?.len() > SECRET_BYTES_MAX {
        return Err(format!("{}: a secret has at most {SECRET_BYTES_MAX} bytes", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let secret = text.trim();
    if secret.is_empty() { Err(format!("{}: it is empty", path.display())) } else { Ok(secret.to_owned()) }
}
