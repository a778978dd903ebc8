//! What all pages have: the frame with its navigation, and the pieces that many use.

use axum::Json;
use axum::response::{Html, IntoResponse, Response};
use domain::Timestamp;
use maud::{DOCTYPE, Markup, html};

use crate::access::{Operator, Permission};
use crate::api::error::{ApiError, ApiResult};
use platform::percent::encoded;

/// The pages of the navigation: where, how it is called, and who may see it.
const PAGES: [(&str, &str, Permission); 14] = [
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

/// A page for who has not.
pub fn bare(title: &str, body: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.bare { main #main { p.brand { (mark()) "Reprieve" } (body) } script src="/assets/console.js" defer {} }
        }
    };
    Html(markup.into_string()).into_response()
}

/// What stands in the head of every page.
pub fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · Reprieve" }
            link rel="stylesheet" href="/assets/style.css";
            link rel="icon" href="data:,";
        }
    }
}

/// The sign of the product: an envelope with a way back.
pub fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" {
            path d="M3 7.5 12 13l9-5.5M3 6h18v9M3 6v12h8M20 20h-6m0 0 2.5-2.5M14 20l2.5 2.5" {}
        }
    }
}

/// What the API answers, as its own type: a page shows nothing else, and names each field that it reads.
///
/// # Errors
/// What the API says.
pub fn view<T>(answer: ApiResult<T>) -> Result<T, ApiError> {
    answer.map(|Json(view)| view)
}

/// A moment as people read it, with the exact one behind it.
pub fn moment(value: &str) -> Markup {
    let shown = match Timestamp::parse(value) {
        Ok(_) => format!("{} {}", value.get(..10).unwrap_or_default(), value.get(11..19).unwrap_or_default()),
        Err(_) => value.to_owned(),
    };
    html! { time datetime=(value) title=(value) { (shown) } }
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
        | "suspect" | "waiting" | "rolled-back" | "refused" | "forced" | "replaying" | "releasing" | "probation"
        | "late" | "Unscannable" | "PolicyRule" | "FileTypeBlock" | "Shadow" => "warn",
        "released" | "resolved" | "delivered" | "Clean" | "Deliver" | "live" | "cleared" | "done" | "passed" | "ok" => {
            "good"
        }
        _ => "plain",
    }
}

/// Bytes as people read them.
pub fn size(bytes: impl TryInto<i64>) -> String {
    let bytes = bytes.try_into().unwrap_or(i64::MAX);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.0} kB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GB", bytes as f64 / 1_073_741_824.0),
    }
}

/// The address of the explorer with a query.
pub fn explorer(query: &str) -> String {
    format!("/explorer?q={}", encoded(query))
}

/// A value as a query takes it: in quotes unless it is a plain word.
pub fn quoted(value: &str) -> String {
    let is_plain = !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'-' | b'_' | b':'));
    if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// A field for the reason of an act: it goes into the record.
pub fn reason(is_needed: bool) -> Markup {
    html! {
        label { "Reason, for the \
            record" input type="text" name="reason" maxlength="1000" required[is_needed] autocomplete="off"; }
    }
}

/// The button that Enter presses in a form of acts, and what it sends.
pub const ENTER: &str = "enter";

/// Stands first in every form that does something to mail or to what judges it: an act is done by pressing its own
/// button, with scripts or without.
///
/// Enter in a field presses the first button of a form; where that is disabled, it does nothing (HTML, section
/// 4.10.21.2). From a checkbox or a list of choices Chromium goes on to the first button that is not disabled: that is
/// the second, which is taken for no act (`door`, `portal::mail`).
pub fn enter_does_nothing() -> Markup {
    html! {
        button type="submit" disabled hidden {}
        button type="submit" name=(ENTER) value="pressed" formnovalidate hidden {}
    }
}

/// A list of names and values.
pub fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        assert_eq!([5, 2048, 3_145_728].map(size), ["5 B", "2 kB", "3.0 MB"]);
        assert_eq!(explorer("a:\"b c\""), "/explorer?q=a%3A%22b%20c%22");
        assert_eq!(["a@x.example", "a b", "a\"b", ""].map(quoted), ["a@x.example", "\"a b\"", "\"a\\\"b\"", "\"\""]);
        assert!(chip("<b>").into_string().contains("&lt;b&gt;"));
    }
}
