//! Mail that passed unexamined while the panic switch said `bypass`.

use api_types::bypassed::{BypassedQuery, PassedView};
use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use platform::percent::encoded;
use service::Service;
use service::access::Operator;
use web::fault::PageResult;
use web::page::{moment, size};

use crate::page::page;

/// `GET /bypassed`.
///
/// # Errors
/// What the API says.
pub async fn list_all(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(query): Query<BypassedQuery>,
) -> PageResult {
    let bypassed = service::bypassed::list(&service, &operator, query).await?;
    let body = html! {
        h1 { "Passed unexamined" }
        @if bypassed.episodes.is_empty() { p.calm { "No mail passed unexamined: the panic switch let none through." } }
        @else {
            p { (bypassed.afterwards) }
            div.scroll { table {
                thead { tr {
                    th { "Switch at bypass since (UTC)" } th { "First mail" } th { "Last mail" } th.right { "Mails" }
                } }
                tbody { @for one in &bypassed.episodes { tr {
                    td.when { a href={ "/bypassed?episode=" (encoded(&one.from)) } { (moment(&one.from)) } }
                    td.when { (moment(&one.first)) } td.when { (moment(&one.last)) } td.right { (one.mails) }
                } } }
            } }
            h2 { "Mails" }
            div.scroll { table {
                thead { tr {
                    th { "Came (UTC)" } th { "From" } th { "To" } th { "Client" } th.right { "Size" }
                    th.right { "Answer" } th { "Network message id" }
                } }
                tbody { @for one in &bypassed.mails { (row(one)) } }
            } }
        }
    };
    Ok(page(&operator, "/health", "Passed unexamined", body))
}

fn row(one: &PassedView) -> Markup {
    let more = one.count.saturating_sub(one.recipients.len() as u64);
    html! { tr {
        td.when { (moment(&one.at)) }
        td.address { @if one.sender.is_empty() { span.dim { "null sender" } } @else { (one.sender) } }
        td.address { (one.recipients.join(", ")) @if more > 0 { " and " (more) " more" } }
        td { (one.client) } td.right { (size(one.size)) } td.right { (one.answer) } td { code { (one.mail_id) } }
    } }
}
