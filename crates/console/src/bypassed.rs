//! Mail that passed unexamined while the panic switch said `bypass`.

use api_types::bypassed::{BypassedQuery, PassedView};
use axum::Extension;
use axum::extract::{Query, State};
use maud::{Markup, html};
use platform::percent::encoded;
use service::Service;
use service::access::Operator;
use texts::say;
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
        h1 { (say!(bypassed_title)) }
        @if bypassed.episodes.is_empty() { p.calm { (say!(bypassed_none)) } }
        @else {
            p { (bypassed.afterwards) }
            div.scroll { table {
                thead { tr {
                    th { (say!(bypassed_since)) } th { (say!(bypassed_first)) } th { (say!(bypassed_last)) }
                    th.right { (say!(bypassed_messages)) }
                } }
                tbody { @for one in &bypassed.episodes { tr {
                    td.when { a href={ "/bypassed?episode=" (encoded(&one.from)) } { (moment(&one.from)) } }
                    td.when { (moment(&one.first)) } td.when { (moment(&one.last)) } td.right { (one.mails) }
                } } }
            } }
            h2 { (say!(bypassed_messages)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(bypassed_received)) } th { (say!(message_sender)) } th { (say!(message_recipients)) }
                    th { (say!(bypassed_client)) } th.right { (say!(message_size)) }
                    th.right { (say!(bypassed_reply)) } th { (say!(message_network_id)) }
                } }
                tbody { @for one in &bypassed.mails { (row(one)) } }
            } }
        }
    };
    Ok(page(&operator, "/health", say!(bypassed_title), body))
}

fn row(one: &PassedView) -> Markup {
    let more = one.count.saturating_sub(one.recipients.len() as u64);
    html! { tr {
        td.when { (moment(&one.at)) }
        td.address { @if one.sender.is_empty() { span.dim { (say!(null_sender)) } } @else { (one.sender) } }
        td.address { (one.recipients.join(", ")) @if more > 0 { " " (say!(bypassed_more, count = more)) } }
        td { (one.client) } td.right { (size(one.size)) } td.right { (one.answer) } td { code { (one.mail_id) } }
    } }
}
