//! `[oidc]`: people of the console sign in where they have an account already.

use std::path::{Path, PathBuf};

use super::section::{Faults, Section};
use crate::https::{Place, with_a_labels};

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
pub fn oidc(root: &mut Section<'_>, folder: &Path, faults: &mut Faults<'_>) -> Option<OidcConfig> {
    let is_there = root.has("oidc");
    let mut section = root.section("oidc", faults);
    let url = |text: &str| {
        let place = Place::parse(text)?;
        // The token is believed because of whom it was fetched from.
        if place.is_secret {
            with_a_labels(text.trim_end_matches('/'))
        } else {
            Err("must begin with https://".to_owned())
        }
    };
    let issuer = section.text("issuer", faults, url);
    let client_id = section.text("client_id", faults, |text| Ok(text.to_owned()));
    let client_secret = section.text("client_secret_file", faults, |text| secret(&folder.join(text)));
    let console = section
        .text("console", faults, |text| Place::parse(text).and_then(|_| with_a_labels(text.trim_end_matches('/'))));
    let claim = section.text("claim", faults, |text| Ok(text.to_owned())).unwrap_or_else(|| "email".into());
    let ca = section.text("ca", faults, |text| Ok(folder.join(text)));
    for (name, is_missing) in [
        ("issuer", issuer.is_none()),
        ("client_id", client_id.is_none()),
        ("client_secret_file", client_secret.is_none()),
        ("console", console.is_none()),
    ] {
        if is_there && is_missing && !section.has(name) {
            faults.add(0, &section.name(name), "is missing: sign-in by OpenID Connect needs it");
        }
    }
    section.end(faults);
    Some(OidcConfig {
        issuer: issuer?,
        client_id: client_id?,
        client_secret: client_secret?,
        console: console?,
        claim,
        ca,
    })
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
