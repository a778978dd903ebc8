//! A form as a page of ours sends it.

use axum::extract::{FromRequest, RawForm, Request};
use service::error::ServiceError;

use crate::fault::Fault;

/// Bytes of a form of who has not signed in, and of a recipient's: a name, a password, a few words.
pub const FORM_BYTES_MAX: usize = 16 << 10;

/// The fields of a form, in their order: a name may come often.
#[derive(Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads what a browser sends.
    pub fn read(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// All fields, in their order.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    /// The first field of a name; empty without one.
    pub fn one(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All fields of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let read = RawForm::from_request(request, state).await;
        let RawForm(bytes) = read.map_err(|error| ServiceError::Bad(error.to_string()))?;
        Ok(Self::read(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_write_them() {
        let form = Form::read(b"mail=01J+a%40b.example&mail=%zz&reason=%C3%BCber+%26&empty=");
        assert_eq!(form.all("mail").collect::<Vec<_>>(), ["01J a@b.example", "%zz"]);
        assert_eq!((form.one("reason"), form.one("empty"), form.one("none")), ("\u{fc}ber &", "", ""));
    }
}
