//! Blocking mail that looks like a message: what of it can be known again, what that would have held, and the entry.

use api_types::entry::{BlockLikeAsk, BlockLikeView};
use axum::Extension;
use axum::extract::{Path, State};
use maud::{Markup, html};
use service::Service;
use service::access::Operator;
use service::block_like::block_like;
use service::error::ServiceError;
use texts::say;
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
        p { a href={ "/messages/" (id) } { (say!(like_back)) } }
        h1 { (say!(like_title)) }
        @if like.pictures.is_empty() && like.text.is_none() && like.layout.is_none() {
            p.calm { (say!(like_nothing)) }
        } @else {
            (would_hold(&like))
            (choice(&id, &like, &operator))
        }
    };
    Ok(page(&operator, "/explorer", say!(like_title), body))
}

/// What entries about all that can be blocked would have held.
fn would_hold(like: &BlockLikeView) -> Markup {
    let (compared, days) = (like.compared, like.days);
    let [alike, delivered] = [like.alike, like.delivered].map(|count| html! { strong { (count) } });
    let told = if like.is_all {
        say!(like_compared, compared = compared, days = days, alike = alike, delivered = delivered)
    } else {
        say!(like_compared_newest, compared = compared, days = days, alike = alike, delivered = delivered)
    };
    html! {
        section {
            h2 { (say!(like_past)) }
            p { (told) " " (say!(like_together)) }
            @if !like.named.is_empty() {
                p { (say!(like_delivered)) }
                ul { @for id in &like.named { li { a href={ "/messages/" (id) } { code { (id) } } } } }
            }
        }
    }
}

fn choice(id: &str, like: &BlockLikeView, operator: &Operator) -> Markup {
    let free_pictures = like.pictures.iter().any(|one| !one.is_known_good);
    html! {
        section.actions {
            h2 { (say!(like_hold)) }
            form method="post" action={ "/messages/" (id) "/like" } { (enter_does_nothing())
                @if !like.pictures.is_empty() { fieldset {
                    legend { (say!(like_pictures)) }
                    @for one in &like.pictures {
                        label {
                            input type="checkbox" name="part" value=(one.part) disabled[one.is_known_good];
                            " " (say!(like_part, part = one.part)) " " (one.name) " "
                            span.dim {
                                @if one.is_known_good { (say!(like_picture_good, pixels = one.pixels)) }
                                @else { (say!(like_picture, pixels = one.pixels)) }
                            }
                        }
                    }
                    @if free_pictures {
                        p.dim { (say!(like_pictures_note)) }
                    }
                } }
                @if let Some(text) = &like.text { fieldset {
                    legend { (say!(like_text)) }
                    label {
                        input type="checkbox" name="text" value="yes" disabled[text.is_known_good]; " "
                        (say!(like_text_this)) " "
                        @if text.is_known_good { span.dim { (say!(like_known_good)) } }
                    }
                } }
                @if let Some(layout) = &like.layout { fieldset {
                    legend { (say!(like_layout)) }
                    label {
                        input type="checkbox" name="layout" value="yes" disabled[layout.is_known_good]; " "
                        (say!(like_layout_this)) " "
                        @if layout.is_known_good { span.dim { (say!(like_known_good)) } }
                    }
                    p.dim { (say!(like_layout_note)) }
                } }
                @if operator.must_see_all().is_err() {
                    label { (say!(like_domain)) input type="text" name="domain" required; }
                } @else {
                    label {
                        (say!(like_domain_only)) input type="text" name="domain" placeholder=(say!(like_everyone));
                    }
                }
                label { (say!(like_lasts))
                    select name="hours" { @for (hours, words) in LASTS { option value=(hours) { (words()) } } }
                }
                (reason(true))
                div.buttons { button { (say!(like_block)) } }
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
