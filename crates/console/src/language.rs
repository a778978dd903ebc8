//! Which language somebody reads: it is kept in their browser, so that who has not signed in may choose as well.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect};
use service::Service;
use service::error::ServiceError;
use texts::languages::Languages;
use web::fault::PageResult;
use web::form::Form;
use web::language::CHOSEN;

use crate::sign_in::own_path;

/// Seconds for which a choice holds: a year.
const HOLDS: u32 = 365 * 24 * 60 * 60;

/// `POST /language`: pages are in this language from now on.
///
/// # Errors
/// When it is not offered.
pub async fn choose(State(service): State<Service>, form: Form) -> PageResult {
    let kept = kept(&service.config.console.languages, form.one("tag"))?;
    Ok(([(SET_COOKIE, kept)], Redirect::to(back(form.one("to")))).into_response())
}

/// The header that keeps a choice.
fn kept(languages: &Languages, tag: &str) -> Result<String, ServiceError> {
    let language = languages.tagged(tag);
    let language = language.ok_or_else(|| ServiceError::Bad(format!("'{tag}' is no language that is offered")))?;
    Ok(format!("{CHOSEN}={}; Path=/; Secure; SameSite=Lax; Max-Age={HOLDS}", language.tag))
}

/// Where a choice leads back to. What an issuer sends somebody back with is used up.
fn back(to: &str) -> &str {
    match own_path(to) {
        used if used.starts_with("/sign-in/back") => "/",
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_chosen() {
        let languages = Languages::shipped();
        let german = kept(&languages, "de").expect("it is offered");
        assert_eq!(german, "language=de; Path=/; Secure; SameSite=Lax; Max-Age=31536000");
        for tag in ["", "xx", "DE", "de; Domain=evil.example", "de\r\nx: y"] {
            assert!(matches!(kept(&languages, tag), Err(ServiceError::Bad(_))), "{tag}");
        }
    }

    #[test]
    fn a_choice_leads_back_to_a_page_of_ours() {
        for (to, expected) in [
            ("/sign-in?to=%2Fexplorer", "/sign-in?to=%2Fexplorer"),
            ("/me", "/me"),
            ("/sign-in/back?code=used&state=s", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/me\r\nset-cookie: a=b", "/"),
            ("https://evil.example", "/"),
            ("me", "/"),
            ("", "/"),
        ] {
            assert_eq!(back(to), expected, "{to:?}");
        }
    }
}
