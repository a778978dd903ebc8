//! What the console's pages have: the frame with its navigation, and the pieces that many use.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use platform::percent::encoded;
use service::access::{Operator, Permission};
use web::fault::{FaultText, said};
use web::page::{head, mark};

/// The pages of the navigation: where, how it is called, and who may see it.
const PAGES: [(&str, &str, Permission); 15] = [
    ("/", "Overview", Permission::Look),
    ("/explorer", "Explorer", Permission::Look),
    ("/explorer?q=state%3Aheld", "Quarantine", Permission::Look),
    ("/requests", "Requests", Permission::Look),
    ("/incidents", "Incidents", Permission::Look),
    ("/sentinel", "Sentinel", Permission::Look),
    ("/detections", "Detections", Permission::Look),
    ("/rulesets", "Rulesets", Permission::Look),
    ("/policy", "Policy", Permission::Look),
    ("/entries", "Lists", Permission::Look),
    ("/submissions", "Reports", Permission::Look),
    ("/audit", "Audit", Permission::Audit),
    ("/holds", "Holds", Permission::Audit),
    ("/health", "Health", Permission::Look),
    ("/people", "People", Permission::Tokens),
];

/// A page for who has signed in. `at` is its place in the navigation.
pub fn page(operator: &Operator, at: &str, title: &str, body: Markup) -> Response {
    let seen = PAGES.iter().filter(|(.., permission)| operator.role.may(*permission));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/" { (mark()) "Reprieve" }
                    nav aria-label="Main" {
                        ul { @for (href, name, _) in seen { li {
                            a href=(href) aria-current=[(*href == at).then_some("page")] { (name) } } } }
                    }
                    div.me {
                        a href="/me" { (operator.name) }
                        form method="post" action="/sign-out" { button.quiet { "Sign out" } }
                    }
                }
                main #main { (body) }
                script src="/assets/console.js" defer {}
            }
        }
    };
    Html(markup.into_string()).into_response()
}

/// A word with the colour of its meaning.
pub fn chip(word: &str) -> Markup {
    html! { span.chip.(class_of(word)) { (shown(word)) } }
}

/// A word as people read it.
pub fn shown(word: &str) -> String {
    word.replace('_', " ")
}

/// The class of a word's colour.
pub fn class_of(word: &str) -> &'static str {
    match word {
        "held"
        | "Hold"
        | "Malware"
        | "HighConfidencePhish"
        | "Phish"
        | "contained"
        | "investigating"
        | "failed"
        | "failing"
        | "Block" => "bad",
        "Spam" | "Bulk" | "Spoof" | "Junk" | "Tag" | "in_doubt" | "in_doubt_live" | "tentative" | "pardon"
        | "suspect" | "waiting" | "rolled-back" | "rolled back" | "refused" | "forced" | "replaying" | "releasing"
        | "probation" | "delay" | "late" | "Unscannable" | "PolicyRule" | "FileTypeBlock" | "Shadow" => "warn",
        "released" | "resolved" | "delivered" | "Clean" | "Deliver" | "live" | "cleared" | "done" | "passed" | "ok" => {
            "good"
        }
        _ => "plain",
    }
}

/// The address of the explorer with a query.
pub fn explorer(query: &str) -> String {
    format!("/explorer?q={}", encoded(query))
}

/// A field for the reason of an act: it goes into the record.
pub fn reason(is_needed: bool) -> Markup {
    html! {
        label { "Reason, for the \
            record" input type="text" name="reason" maxlength="1000" required[is_needed] autocomplete="off"; }
    }
}

/// A list of names and values.
pub fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } } }
}

/// The same page for who has signed in: with the navigation, and with what they had typed, which is nowhere else any
/// more.
pub fn with_navigation(
    operator: &Operator,
    status: StatusCode,
    told: &FaultText,
    typed: &[(String, String)],
) -> Response {
    (status, page(operator, "", told.title, said(told, typed))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        assert_eq!(explorer("a:\"b c\""), "/explorer?q=a%3A%22b%20c%22");
        assert!(chip("<b>").into_string().contains("&lt;b&gt;"));
    }
}
