//! What pages are made of: the head, the frame for who has not signed in, and small pieces.

use std::fmt::Display;

use axum::response::{Html, IntoResponse, Response};
use domain::Timestamp;
use maud::{DOCTYPE, Markup, html};
use texts::reader::choice;
use texts::say;

/// A page for who has not, with the languages to choose from at its foot.
pub fn bare(title: impl Display, body: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(texts::reader::tag()) {
            (head(&title.to_string()))
            body.bare {
                main #main {
                    p.brand { (mark()) "Reprieve" }
                    (body)
                    @if let Some(choice) = choice() { (languages(&choice.to)) }
                }
                script src="/assets/console.js" defer {}
            }
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

/// The languages to choose from, each by its own name; a choice leads back to `to`. Nothing where there is none.
pub fn languages(to: &str) -> Markup {
    let reads = texts::reader::tag();
    html! {
        @if let Some(choice) = choice() {
            form.buttons.languages method="post" action="/language" aria-label=(say!(language_title)) {
                input type="hidden" name="to" value=(to);
                @for one in choice.languages.all() {
                    button.quiet name="tag" value=(&*one.tag) lang=(&*one.tag)
                        aria-current=[(*one.tag == *reads).then_some("true")] { (one.name()) }
                }
            }
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

/// A moment as people read it, with the exact one behind it.
pub fn moment(value: &str) -> Markup {
    let shown = match Timestamp::parse(value) {
        Ok(_) => format!("{} {}", value.get(..10).unwrap_or_default(), value.get(11..19).unwrap_or_default()),
        Err(_) => value.to_owned(),
    };
    html! { time datetime=(value) title=(value) { (shown) } }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        assert_eq!([5, 2048, 3_145_728].map(size), ["5 B", "2 kB", "3.0 MB"]);
    }
}
