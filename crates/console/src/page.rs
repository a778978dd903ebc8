//! What the console's pages have: the frame with its navigation, and the pieces that many use.

use std::fmt::Display;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use platform::percent::encoded;
use service::access::{Operator, Permission};
use texts::{Text, say};
use web::fault::{FaultText, said};
use web::page::{head, mark};

/// How something is called, in the language of the reader.
pub type Name = fn() -> Text;

/// A page of the navigation.
struct Place {
    href: &'static str,
    name: Name,
    /// Who may see it.
    permission: Permission,
}

/// A group of the navigation: how it is called, and its pages.
struct Group {
    name: Name,
    places: &'static [Place],
}

const fn place(href: &'static str, name: Name, permission: Permission) -> Place {
    Place { href, name, permission }
}

/// The navigation: what waits and all mail; what went wrong and what judges; what people set; how the service is.
const GROUPS: [Group; 4] = [
    Group {
        name: || say!(nav_mail),
        places: &[
            place("/", || say!(nav_overview), Permission::Look),
            place("/explorer", || say!(nav_explorer), Permission::Look),
            place("/explorer?q=state%3Aheld", || say!(nav_quarantine), Permission::Look),
            place("/requests", || say!(nav_requests), Permission::Look),
            place("/submissions", || say!(nav_reports), Permission::Look),
        ],
    },
    Group {
        name: || say!(nav_detection),
        places: &[
            place("/incidents", || say!(nav_incidents), Permission::Look),
            place("/sentinel", || say!(nav_sentinel), Permission::Look),
            place("/detections", || say!(nav_detections), Permission::Look),
            place("/rulesets", || say!(nav_rulesets), Permission::Look),
        ],
    },
    Group {
        name: || say!(nav_policies),
        places: &[
            place("/policy", || say!(nav_policy), Permission::Look),
            place("/entries", || say!(nav_lists), Permission::Look),
        ],
    },
    Group {
        name: || say!(nav_administration),
        places: &[
            place("/health", || say!(nav_health), Permission::Look),
            place("/audit", || say!(nav_audit), Permission::Audit),
            place("/holds", || say!(nav_holds), Permission::Audit),
            place("/people", || say!(nav_people), Permission::Tokens),
        ],
    },
];

/// A page for who has signed in. `at` is its place in the navigation.
pub fn page(operator: &Operator, at: &str, title: impl Display, body: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(texts::reader::tag()) {
            (head(&title.to_string()))
            body {
                a.skip href="#main" { (say!(nav_skip)) }
                header.top {
                    a.brand href="/" { (mark()) "Reprieve" }
                    (navigation(operator, at))
                    div.me {
                        a href="/me" { (operator.name) }
                        form method="post" action="/sign-out" { button.quiet { (say!(nav_sign_out)) } }
                    }
                }
                main #main { (body) }
                script src="/assets/console.js" defer {}
            }
        }
    };
    Html(markup.into_string()).into_response()
}

/// The groups of the navigation with the pages that this person may see.
fn navigation(operator: &Operator, at: &str) -> Markup {
    html! {
        details.menu open {
            summary { (say!(nav_menu)) }
            nav aria-label=(say!(nav_label)) { @for group in &GROUPS { (group_of(operator, at, group)) } }
        }
    }
}

fn group_of(operator: &Operator, at: &str, group: &Group) -> Markup {
    let seen: Vec<&Place> = group.places.iter().filter(|one| operator.role.may(one.permission)).collect();
    html! {
        @if !seen.is_empty() {
            ul aria-label=((group.name)()) {
                @for one in seen { li {
                    a href=(one.href) aria-current=[(one.href == at).then_some("page")] { ((one.name)()) }
                } }
            }
        }
    }
}

/// A word with the colour of its meaning.
pub fn chip(word: &str) -> Markup {
    html! { span.chip.(class_of(word)) { (texts::word(word)) } }
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
        label {
            (say!(reason_for_record))
            input type="text" name="reason" maxlength="1000" required[is_needed] autocomplete="off";
        }
    }
}

/// A subject as it is shown.
pub fn subject_of(subject: &str) -> String {
    if subject.is_empty() { say!(no_subject).into() } else { subject.to_owned() }
}

/// An envelope sender as it is shown.
pub fn sender_of(sender: &str) -> String {
    if sender.is_empty() { say!(null_sender).into() } else { sender.to_owned() }
}

/// A list of names and values.
pub fn facts(pairs: &[(Text, Markup)]) -> Markup {
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
    (status, page(operator, "", &told.title, said(told, typed))).into_response()
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
