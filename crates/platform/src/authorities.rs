//! Who vouches for somebody else's host: the public authorities, and those of a file of the operator's. The file is
//! read when it is needed. So one that is missing is a fault of whom it is for and of nobody else, and one that is
//! replaced counts from the next connection on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use wire::tls;

/// Authorities that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorities {
    own: Option<PathBuf>,
}

impl Authorities {
    /// The public ones, and those of a file if one is given.
    pub fn with(own: Option<&Path>) -> Self {
        Self { own: own.map(Path::to_owned) }
    }

    /// The client's side of TLS for hosts that they vouch for.
    ///
    /// # Errors
    /// What is wrong with the file, for people.
    pub fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let Some(file) = &self.own else { return tls::client_config_trusting(Vec::new()).map_err(text) };
        let wrong = |why: String| format!("authorities of {}: {why}", file.display());
        let own = tls::certificates(file).map_err(|error| wrong(text(error)))?;
        if own.is_empty() {
            return Err(wrong("it has no certificate in PEM".into()));
        }
        tls::client_config_trusting(own).map_err(|error| wrong(text(error)))
    }
}

/// An error with what lies below it.
pub(crate) fn text(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text = format!("{text}: {cause}");
        below = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_and_comes_is_a_fault_only_until_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        let own = Authorities::with(Some(&file));
        assert!(own.client().is_err_and(|why| why.contains("ca.pem")));
        std::fs::write(&file, "nothing in PEM").expect("writes");
        assert!(own.client().is_err_and(|why| why.contains("no certificate")));
        let made = rcgen::generate_simple_self_signed(["siem.example".to_owned()]).expect("a certificate");
        std::fs::write(&file, made.cert.pem()).expect("writes");
        assert!(own.client().is_ok());
        assert!(Authorities::default().client().is_ok());
    }
}
