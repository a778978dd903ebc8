//! Senders that a recipient blocks or allows for themselves, each with its end.

use domain::entry::Entry;
use maud::{Markup, html};
use platform::recipient::language::Language;
use web::page::{enter_does_nothing, moment};

/// All of them, each with its end.
pub fn list(words: &Language, entries: &[Entry]) -> Markup {
    html! {
        @if !entries.is_empty() {
            section {
                h2 { (words.say("senders")) }
                ul.senders { @for entry in entries { li {
                    span { (entry.subject.value()) " · " (words.say(if entry.allow { "senders.allowed" } else {
                        "senders.blocked" })) " " (moment(&entry.expires.to_string())) }
                    form method="post" action="/act" { (enter_does_nothing())
                        input type="hidden" name="verb" value="forget";
                        input type="hidden" name="entry" value=(entry.id);
                        button.quiet { (words.say("senders.forget")) }
                    }
                } } }
            }
        }
    }
}
