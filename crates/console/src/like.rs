//! Blocking mail that looks like a message: what of it can be known again, what that would have held, and the entry.

use api_types::entry::{BlockLikeAsk, BlockLikeView};
use axum::Extension;
use axum::extract::{Path, State};
use maud::{Markup, html};
use service::Service;
use service::access::Operator;
use service::block_like::block_like;
use service::error::ServiceError;
use web::fault::PageResult;
use web::form::Form;
use web::page::enter_does_nothing;

use crate::explorer::back_to;
use crate::message::{LASTS, is_id};
use crate::page::{page, reason};

/// `GET /messages/{id}/like`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    is_id(&id)?;
    let ask = BlockLikeAsk { what_if: true, ..BlockLikeAsk::default() };
    let like = block_like(&service, &operator, &id, ask).await?;
    let body = html! {
        p { a href={ "/messages/" (id) } { "Back to the message" } }
        h1 { "Block mail like this" }
        @if like.pictures.is_empty() && like.text.is_none() && like.layout.is_none() {
            p.calm {
                "Nothing in this message shows or says enough to be known again, or it came before that was recorded."
            }
        } @else {
            (would_hold(&like))
            (choice(&id, &like, &operator))
        }
    };
    Ok(page(&operator, "/explorer", "Block mail like this", body))
}

/// What entries about all that can be blocked would have held.
fn would_hold(like: &BlockLikeView) -> Markup {
    let all = if like.is_all { "all" } else { "the newest" };
    html! {
        section {
            h2 { "What that would have held" }
            p {
                "Of " (all) " " (like.compared) " mails of the last " (like.days) " days that can be compared, "
                strong { (like.alike) } " look like this one, and " strong { (like.delivered) } " of them were "
                "delivered. That counts pictures, text and layout together."
            }
            @if !like.named.is_empty() {
                p { "Delivered were: look at one of them before you block." }
                ul { @for id in &like.named { li { a href={ "/messages/" (id) } { code { (id) } } } } }
            }
        }
    }
}

fn choice(id: &str, like: &BlockLikeView, operator: &Operator) -> Markup {
    let free_pictures = like.pictures.iter().any(|one| !one.is_known_good);
    html! {
        section.actions {
            h2 { "Hold whatever" }
            form method="post" action={ "/messages/" (id) "/like" } { (enter_does_nothing())
                @if !like.pictures.is_empty() { fieldset {
                    legend { "shows half of these pictures, two at least" }
                    @for one in &like.pictures {
                        label {
                            input type="checkbox" name="part" value=(one.part) disabled[one.is_known_good];
                            " part " (one.part) " " (one.name) " "
                            span.dim {
                                (one.pixels) " pixels"
                                @if one.is_known_good { ", in known-good mail: it cannot be blocked" }
                            }
                        }
                    }
                    @if free_pictures {
                        p.dim { "One alone must have 40,000 pixels. Of more than six the largest are taken." }
                    }
                } }
                @if let Some(text) = &like.text { fieldset {
                    legend { "or says this text, with whatever names, numbers and links" }
                    label {
                        input type="checkbox" name="text" value="yes" disabled[text.is_known_good]; " its text "
                        @if text.is_known_good { span.dim { "known-good mail says it: it cannot be blocked" } }
                    }
                } }
                @if let Some(layout) = &like.layout { fieldset {
                    legend { "or is laid out like this, whatever it says" }
                    label {
                        input type="checkbox" name="layout" value="yes" disabled[layout.is_known_good];
                        " the layout of its pages "
                        @if layout.is_known_good { span.dim { "known-good mail has it: it cannot be blocked" } }
                    }
                    p.dim { "Mail that is made with the same template is laid out alike: look at what was delivered." }
                } }
                @if operator.must_see_all().is_err() {
                    label { "For our domain" input type="text" name="domain" required; }
                } @else {
                    label { "Only for our domain" input type="text" name="domain" placeholder="everyone"; }
                }
                label { "Lasts"
                    select name="hours" { @for (hours, words) in LASTS { option value=(hours) { (words) } } }
                }
                (reason(true))
                div.buttons { button { "Block" } }
            }
        }
    }
}

/// `POST /messages/{id}/like`: makes the entries.
///
/// # Errors
/// What the API says.
pub async fn act(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    form: Form,
) -> PageResult {
    is_id(&id)?;
    let parts: Vec<u32> = form.all("part").filter_map(|part| part.parse().ok()).collect();
    let text = form.one("text") == "yes";
    let layout = form.one("layout") == "yes";
    if parts.is_empty() && !text && !layout {
        return Err(ServiceError::Bad("nothing is chosen: tick pictures, the text, or the layout".into()).into());
    }
    let domain = form.one("domain").trim();
    let ask = BlockLikeAsk {
        parts: (!parts.is_empty()).then_some(parts),
        text,
        layout,
        reason: form.one("reason").to_owned(),
        domain: (!domain.is_empty()).then(|| domain.to_owned()),
        hours: form.one("hours").parse().ok(),
        ..BlockLikeAsk::default()
    };
    block_like(&service, &operator, &id, ask).await?;
    Ok(back_to("/entries"))
}
