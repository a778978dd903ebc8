//! The console's pages: server-rendered, embedded, without anything of others. A page shows what
//! the service answers, asked for in the name of who has signed in, as the API does: so nobody sees or does more here
//! than there, and there is one way to every act.
//!
//! | module | what it has |
//! |---|---|
//! | [`door`] | whose session it is; no act without our own page before it |
//! | [`sign_in`], [`oidc`] | signing in and out, here or by an account elsewhere, and the page that an invitation leads to |
//! | [`page`], [`chart`], [`typed`] | what all pages have: the frame, pieces, pictures, forms that come back (more in [`web`]) |
//! | [`overview`] | what needs a person, and whether mail flows |
//! | [`explorer`], [`message`], [`letter`], [`state`] | all mail; one message; its body, made harmless; how far its release is |
//! | [`like`] | blocking mail that looks like a message |
//! | [`bulk`] | acting on everything that a query fits |
//! | [`confirm`] | what is asked before mail that harms is released |
//! | [`incident`], [`sentinel`], [`detections`] | what went wrong and how far it is taken back |
//! | [`requests`] | what recipients ask for |
//! | [`rulesets`] | versions, roll-outs and the policy |
//! | [`submission`] | what people say of verdicts |
//! | [`bypassed`] | what passed unexamined |
//! | [`health`] | whether all is well, and what is set |
//! | [`hold`] | what neither expires nor is deleted |
//! | [`record`] | audit log, entries, calls |
//! | [`people`] | who may sign in |
//! | [`language`] | in which language somebody reads |

pub mod bulk;
pub mod bypassed;
pub mod chart;
pub mod confirm;
pub mod detections;
pub mod door;
pub mod explorer;
pub mod health;
pub mod hold;
pub mod incident;
pub mod language;
pub mod letter;
pub mod like;
pub mod message;
pub mod oidc;
pub mod overview;
pub mod page;
pub mod people;
pub mod record;
pub mod requests;
pub mod rulesets;
pub mod sentinel;
pub mod sign_in;
pub mod state;
pub mod submission;
pub mod typed;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use service::Service;
use service::error::ServiceError;
use web::assets::{assets, with_policy};
use web::fault;
use web::form::FORM_BYTES_MAX;
use web::language::in_the_language_of_the_reader;
use web::own_page::from_our_own_page;

/// All pages.
pub fn router(service: Service) -> Router {
    let languages = Arc::new(service.config.console.languages.clone());
    let inside = Router::new()
        .route("/", get(overview::show))
        .route("/explorer", get(explorer::show))
        .route("/states", get(state::of))
        .route("/explorer/sums", get(explorer::sums))
        .route("/explorer/complete", get(explorer::complete))
        .route("/explorer/export", get(explorer::export))
        .route("/explorer/act", post(explorer::act))
        .route("/explorer/keep", post(explorer::keep))
        .route("/explorer/columns", post(explorer::columns))
        .route("/rulesets", get(rulesets::show))
        .route("/rulesets/rollback", post(rulesets::rollback))
        .route("/policy", get(rulesets::policy))
        .route("/requests", get(requests::list_all))
        .route("/requests/act", post(requests::act))
        .route("/requests/close", post(requests::close))
        .route("/bulk", get(bulk::list_all).post(bulk::begin))
        .route("/bulk/new", get(bulk::new))
        .route("/bulk/{number}", get(bulk::show))
        .route("/bulk/{number}/cancel", post(bulk::cancel))
        .route("/bulk/{number}/approve", post(bulk::approve))
        .route("/messages/{id}", get(message::show))
        .route("/messages/{id}/text", get(message::text_of))
        .route("/messages/{id}/html", get(letter::show))
        .route("/messages/{id}/raw", post(message::raw))
        .route("/messages/{id}/act", post(message::act))
        .route("/messages/{id}/like", get(like::show).post(like::act))
        .route("/incidents", get(incident::list_all))
        .route("/incidents/open", post(incident::open))
        .route("/incidents/{id}", get(incident::show))
        .route("/incidents/{id}/live", get(incident::live))
        .route("/incidents/{id}/report", get(incident::report))
        .route("/incidents/{id}/act", post(incident::act))
        .route("/sentinel", get(sentinel::show))
        .route("/sentinel/act", post(sentinel::act))
        .route("/detections", get(detections::list_all))
        .route("/detections/{code}", get(detections::show))
        .route("/detections/{code}/act", post(detections::act))
        .route("/detections/{code}/dry-run", post(detections::dry_run))
        .route("/entries", get(record::entries))
        .route("/entries/act", post(record::entries_act))
        .route("/submissions", get(submission::list_all))
        .route("/submissions/{number}", get(submission::show))
        .route("/submissions/{number}/bundle", get(submission::bundle))
        .route("/alerts/act", post(record::alert_act))
        .route("/audit", get(record::audit))
        .route("/holds", get(hold::list_all))
        .route("/holds/act", post(hold::act))
        .route("/bypassed", get(bypassed::list_all))
        .route("/health", get(health::show))
        .route("/settings", get(health::settings))
        .route("/settings/test", post(health::test_notices))
        .route("/people", get(people::list_all))
        .route("/people/act", post(people::act))
        .route("/me", get(people::me))
        .route("/me/act", post(people::me_act))
        .route("/sign-out", post(sign_in::out))
        .method_not_allowed_fallback(only_a_form)
        .fallback(|uri: Uri| async move { fault::page(door::unknown(uri.path())) })
        .with_state(service.clone());
    // Around all of it and not each: the page of a form is drawn again when the form cannot be taken.
    let inside: Router<Service> =
        Router::new().fallback_service(inside).layer(middleware::from_fn_with_state(service.clone(), door::signed_in));
    let outside = Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-in/away", get(oidc::away))
        .route("/sign-in/back", get(oidc::back))
        .route("/welcome", get(sign_in::welcome).post(sign_in::accept))
        .route("/welcome/name", post(sign_in::welcome_name))
        .route("/language", post(language::choose))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    inside
        .merge(outside)
        .merge(assets())
        .layer(middleware::from_fn(from_our_own_page))
        .layer(middleware::map_response(with_policy))
        .layer(middleware::from_fn_with_state(languages, in_the_language_of_the_reader))
        .with_state(service)
}

/// Whether there are pages for who has signed in under the first part of a path; everything else is told to be unknown
/// at once, so that a probe of another program does not take the page where one signs in for an answer.
fn has_pages(path: &str) -> bool {
    const PARTS: [&str; 22] = [
        "",
        "alerts",
        "audit",
        "bulk",
        "bypassed",
        "detections",
        "entries",
        "explorer",
        "health",
        "holds",
        "incidents",
        "me",
        "messages",
        "people",
        "policy",
        "requests",
        "rulesets",
        "sentinel",
        "settings",
        "sign-out",
        "states",
        "submissions",
    ];
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    PARTS.contains(&first)
}

/// What is shown to who looks at an address that takes forms alone, such as after signing in again.
async fn only_a_form(uri: Uri) -> Response {
    let error = ServiceError::NotFound(format!("{} takes what a form sends, and is no page", uri.path()));
    (StatusCode::METHOD_NOT_ALLOWED, fault::page(error)).into_response()
}
