//! All mail by a query. The address of the page is the whole of what is asked, so it can be kept and sent.

use api_types::explore::{
    CompleteQuery, ExploreQuery, ExploredView, ExportQuery, FoundView, PivotQuery, PivotedView, SummaryQuery,
    SummaryView,
};
use api_types::quarantine::{DecideAsk, ReleaseAsk, ReleasedView};
use api_types::saved::{SaveAsk, SavedView};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use domain::query::quoted;
use maud::{Markup, html};
use platform::percent::encoded;
use serde::Deserialize;
use service::Service;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::quarantine::{release, settle};
use texts::say;
use web::download;
use web::fault::{Fault, PageResult};
use web::form::Form;
use web::own_page::cookie;
use web::page::{enter_does_nothing, moment, size};

use crate::chart;
use crate::confirm::{self, Wanted};
use crate::page::{Name, chip, explorer, page, reason, subject_of};
use crate::state::state;

/// Messages that one press of a button acts on at most.
const CHOSEN_MAX: usize = 500;
/// Queries that are offered to who has none yet.
const OFFERED: [(Name, &str); 8] = [
    (|| say!(explorer_offer_day), "received:>=-24h"),
    (|| say!(explorer_offer_held), "state:held"),
    (|| say!(explorer_offer_malware), "category:Malware"),
    (|| say!(explorer_offer_phishing), "category:(Phish OR HighConfidencePhish)"),
    (|| say!(explorer_offer_outbound), "direction:Outbound state:held"),
    (|| say!(explorer_offer_in_doubt), "state:(in_doubt OR in_doubt_live OR tentative)"),
    (|| say!(explorer_offer_macros), "file:*.docm"),
    (|| say!(explorer_offer_large), "size:>=10M"),
];

/// What a page of the explorer is asked with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    after: Option<String>,
    interval: Option<u64>,
    by: Option<String>,
}

/// `GET /explorer`.
///
/// # Errors
/// What the API says; a query that cannot be read is shown beside it.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> PageResult {
    let columns = columns_of(&headers);
    let ask = ExploreQuery { q: asked.q.clone(), after: asked.after.clone(), limit: None };
    let found = match service::explore::list(&service, &operator, ask).await {
        Err(ServiceError::Query(error)) => {
            let (before, rest) = asked.q.split_at(error.at.start.min(asked.q.len()));
            let (wrong, after) = rest.split_at(error.at.len().min(rest.len()));
            let body = html! {
                h1 { (say!(nav_explorer)) }
                (search(&asked.q))
                div.wrong role="alert" {
                    pre { (before) mark { @if wrong.is_empty() { " " } @else { (wrong) } } (after) }
                    p { (error.what) }
                }
                (offered())
            };
            return Ok(page(&operator, "/explorer", say!(nav_explorer), body));
        }
        other => other?,
    };
    let sums = summed(&service, &operator, &asked.q, None, asked.interval).await?;
    let pivot = match &asked.by {
        None => None,
        Some(by) => {
            let ask = PivotQuery { q: asked.q.clone(), by: by.clone() };
            Some(service::explore::pivot(&service, &operator, ask).await?)
        }
    };
    let saved = service::saved::list(&service, &operator).await?;
    let at = if asked.q.trim() == "state:held" { "/explorer?q=state%3Aheld" } else { "/explorer" };
    let title = if at == "/explorer" { say!(nav_explorer) } else { say!(nav_quarantine) };
    let body = html! {
        h1 { (title) }
        (search(&asked.q))
        @if asked.q.is_empty() { (offered()) }
        (kept(&operator, &asked.q, &saved))
        (sums_of(&service, &asked, &sums))
        (pivoted(&asked, pivot.as_ref()))
        (choice_of_columns(&asked.q, &columns))
        (table(&operator, &asked, &found, &columns))
    };
    Ok(page(&operator, at, title, body))
}

async fn summed(
    service: &Service,
    operator: &Operator,
    q: &str,
    before: Option<String>,
    interval: Option<u64>,
) -> Result<SummaryView, ServiceError> {
    let ask = SummaryQuery { q: q.to_owned(), before, interval, patience: None };
    service::explore::summary(service, operator, ask).await
}

fn search(q: &str) -> Markup {
    html! {
        form.search method="get" action="/explorer" role="search" {
            label for="q" { (say!(explorer_query)) }
            input #q type="search" name="q" value=(q) autocomplete="off" spellcheck="false"
                data-complete="/explorer/complete"
                placeholder="category:Malware received:>=-24h sender:*@x.example" maxlength="4096";
            button { (say!(explorer_search)) }
            ul #suggestions hidden {}
        }
    }
}

fn offered() -> Markup {
    html! { p.offered { @for (name, query) in OFFERED { a href=(explorer(query)) { (name()) } } } }
}

fn sums_of(service: &Service, asked: &Asked, sums: &SummaryView) -> Markup {
    let by_day = sums.interval >= 86_400;
    let columns = if by_day { 30 } else { 48 };
    let more = sums.next.as_deref();
    let export = |form: &str| format!("/explorer/export?form={form}&q={}", encoded(&asked.q));
    let here = explorer(&asked.q);
    let number = html! { strong data-sum="units" { (sums.units) } };
    html! {
        section.sums data-more=[more] data-query=(asked.q) data-whole=(say!(explorer_newest_shown)) {
            h2.unseen { (say!(explorer_totals)) }
            p.count {
                span {
                    @if more.is_some() { (number) " " span.so-far { (say!(explorer_so_far)) } }
                    @else { (say!(explorer_found, count = sums.units, number = number)) }
                }
                span.export { a href=(export("csv")) { "CSV" } " " a href=(export("json")) { "JSON" } }
                span.interval {
                    a href={ (here) "&interval=3600" } aria-current=[(!by_day).then_some("true")] {
                        (say!(explorer_hours))
                    } " "
                    a href={ (here) "&interval=86400" } aria-current=[by_day.then_some("true")] {
                        (say!(explorer_days))
                    }
                }
            }
            (chart::over_time(sums, service.clock.now(), columns, &asked.q))
            div.facets {
                @for pivot in &sums.by {
                    @let field = pivot.field.as_str();
                    (chart::bars(field, &chart::numbers(&pivot.values), |value| {
                        explorer(&narrowed(&asked.q, field, value))
                    }))
                }
            }
        }
    }
}

/// Queries that are kept by a name, and keeping this one.
fn kept(operator: &Operator, q: &str, saved: &[SavedView]) -> Markup {
    let this = saved.iter().find(|one| one.q == q.trim());
    let name = this.map_or("", |one| one.name.as_str());
    let is_tracked = this.is_some_and(|one| one.tracked);
    html! {
        @if !saved.is_empty() {
            p.offered { @for one in saved { a href=(explorer(&one.q)) { (one.name) @if one.tracked { " ★" } } } }
        }
        @if operator.role.may(Permission::Decide) && !q.trim().is_empty() {
            details {
                summary {
                    @if this.is_some() { (say!(explorer_saved, name = name)) } @else { (say!(explorer_save_query)) }
                }
                form.inline method="post" action="/explorer/keep" {
                    input type="hidden" name="q" value=(q);
                    label {
                        (say!(explorer_name))
                        input type="text" name="name" maxlength="80" required value=(name) autocomplete="off";
                    }
                    label.check {
                        input type="checkbox" name="tracked" value="yes" checked[is_tracked]; " "
                        (say!(explorer_tracked))
                    }
                    button { (say!(explorer_save)) }
                    @if this.is_some() { button.quiet name="forget" value="yes" { (say!(explorer_forget)) } }
                }
            }
        }
    }
}

/// `POST /explorer/keep`: keeps a query, or forgets it.
///
/// # Errors
/// What the API says.
pub async fn keep(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let (q, name) = (form.one("q"), form.one("name"));
    if form.one("forget") == "yes" {
        service::saved::forget(&service, &operator, name.trim()).await?;
    } else {
        let tracked = form.one("tracked") == "yes";
        let ask = SaveAsk { name: name.to_owned(), q: q.to_owned(), tracked };
        service::saved::save(&service, &operator, ask).await?;
    }
    Ok(back_to(&explorer(q)))
}

/// Sums by what no roll-up is kept of: a choice, and what was chosen.
fn pivoted(asked: &Asked, pivot: Option<&PivotedView>) -> Markup {
    const BY: [(&str, Name); 6] = [
        ("detection", || say!(detection)),
        ("version", || say!(explorer_version)),
        ("from_domain", || say!(explorer_sender_domain)),
        ("url", || say!(explorer_url_host)),
        ("type", || say!(explorer_content_type)),
        ("ip", || say!(explorer_client)),
    ];
    html! {
        section.pivot {
            p.offered { span.dim { (say!(explorer_group_by)) } @for (by, name) in BY {
                @let is_this = asked.by.as_deref() == Some(by);
                a href={ (explorer(&asked.q)) "&by=" (by) } aria-current=[is_this.then_some("true")] { (name()) }
            } }
            @if let Some(pivot) = pivot {
                @let by = pivot.by.as_str();
                @let name = BY.iter().find(|(field, _)| *field == by).map(|(_, name)| name().to_string());
                @let name = name.unwrap_or_else(|| by.to_owned());
                (chart::bars(name, &chart::numbers(&pivot.values), |value| {
                    explorer(&narrowed(&asked.q, by, &quoted(value)))
                }))
                p.dim {
                    @if pivot.others > 0 { (say!(explorer_others, count = pivot.others)) " " }
                    @match &pivot.since {
                        Some(since) => { (say!(explorer_counted_since, since = moment(since))) },
                        None => { (say!(explorer_counted)) },
                    }
                }
            }
        }
    }
}

/// A query, narrowed by one more term.
fn narrowed(query: &str, field: &str, value: &str) -> String {
    match query.trim() {
        "" => format!("{field}:{value}"),
        query if query.contains(" OR ") => format!("({query}) {field}:{value}"),
        query => format!("{query} {field}:{value}"),
    }
}

fn table(operator: &Operator, asked: &Asked, found: &ExploredView, columns: &[Column]) -> Markup {
    let may_decide = operator.role.may(Permission::Decide);
    let rows = &found.rows;
    html! {
        form.found method="post" action="/explorer/act" { (enter_does_nothing())
            input type="hidden" name="q" value=(asked.q);
            @if let Some(after) = &asked.after { input type="hidden" name="after" value=(after); }
            @if let Some(interval) = asked.interval { input type="hidden" name="interval" value=(interval); }
            div.scroll {
                table {
                    thead { tr {
                        @if may_decide {
                            th { input type="checkbox" data-all="mail" aria-label=(say!(explorer_select_all)); }
                        }
                        @for column in columns {
                            @let title = (column.title)();
                            @if column.key == "size" { th.right { (title) } } @else { th { (title) } }
                        }
                    } }
                    tbody { @for row in rows { (found_row(row, may_decide, columns)) } }
                }
            }
            @if rows.is_empty() {
                p.empty {
                    @if found.is_cut { (say!(explorer_none_so_far)) } @else { (say!(explorer_none)) }
                }
            }
            p.pages {
                @if asked.after.is_some() { a href=(explorer(&asked.q)) { (say!(explorer_newest)) } " " }
                @if let Some(next) = &found.next {
                    a href={ (explorer(&asked.q)) "&after=" (encoded(next)) } rel="next" {
                        @if found.is_cut { (say!(explorer_search_older)) } @else { (say!(explorer_older)) }
                    }
                }
            }
            @if may_decide && !rows.is_empty() { (acts(&asked.q)) }
        }
    }
}

/// What can be done with what is chosen, and with all that a query finds.
fn acts(q: &str) -> Markup {
    html! {
        fieldset.act {
            legend { (say!(explorer_selected)) }
            (reason(true))
            button name="do" value="release" { (say!(explorer_release)) }
            button.quiet name="do" value="deny" { (say!(explorer_deny)) }
            button.quiet name="do" value="delete" { (say!(explorer_delete)) }
        }
        @if !q.trim().is_empty() {
            p.pages {
                (say!(explorer_all_matching)) ": "
                @for verb in ["release", "deny", "delete"] {
                    a href={ "/bulk/new?verb=" (verb) "&q=" (encoded(q)) } { (named(verb)) } " "
                }
                a href="/bulk" { (say!(explorer_jobs)) }
            }
        }
    }
}

/// How what is done to a message is called, as on a button.
pub(crate) fn named(verb: &str) -> String {
    match verb {
        "release" => say!(explorer_release).into(),
        "deny" => say!(explorer_deny).into(),
        "delete" => say!(explorer_delete).into(),
        other => other.to_owned(),
    }
}

fn found_row(row: &FoundView, may_decide: bool, columns: &[Column]) -> Markup {
    html! {
        tr {
            @if may_decide { td {
                input type="checkbox" name="mail" value={ (row.mail_id) " " (row.recipient) }
                    aria-label=(say!(explorer_select, subject = subject_of(&row.subject)));
            } }
            @for column in columns { ((column.cell)(row)) }
        }
    }
}

/// A column of the list.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// How forms and the cookie call it.
    key: &'static str,
    title: Name,
    is_usual: bool,
    /// Its cell in the row of a unit.
    cell: fn(&FoundView) -> Markup,
}

const fn column(key: &'static str, title: Name, is_usual: bool, cell: fn(&FoundView) -> Markup) -> Column {
    Column { key, title, is_usual, cell }
}

/// All columns, in their order.
const COLUMNS: [Column; 12] = [
    column("received", || say!(explorer_received), true, |row| html! { td.when { (moment(&row.received)) } }),
    column("direction", || say!(explorer_direction), true, |row| html! { td { (texts::word(&row.direction)) } }),
    column("sender", || say!(explorer_sender), true, sender_cell),
    column("recipient", || say!(explorer_recipient), true, |row| html! { td.address { (row.recipient) } }),
    column("subject", || say!(explorer_subject), true, subject_cell),
    column("category", || say!(explorer_category), true, |row| html! { td { (chip(&row.category)) } }),
    column("disposition", || say!(explorer_disposition), false, |row| html! { td { (chip(&row.disposition)) } }),
    column("state", || say!(state), true, state_cell),
    column("size", || say!(explorer_size), true, |row| html! { td.right { (size(row.size)) } }),
    column("ip", || say!(explorer_client), false, |row| html! { td { (row.ip) } }),
    column("message_id", || say!(explorer_message_id), false, message_id_cell),
    column("mail_id", || say!(explorer_mail_id), false, mail_id_cell),
];

fn sender_cell(row: &FoundView) -> Markup {
    html! { td.address { (row.sender) @if row.sender.is_empty() { span.dim { (say!(null_sender)) } } } }
}

fn subject_cell(row: &FoundView) -> Markup {
    html! { td.subject { a href={ "/messages/" (row.mail_id) } { (subject_of(&row.subject)) } } }
}

fn state_cell(row: &FoundView) -> Markup {
    html! {
        td {
            (state(&row.mail_id, &row.recipient, &row.state))
            @if !row.enforced { " " span.dim title=(say!(explorer_observed_why)) { (say!(explorer_observed)) } }
        }
    }
}

fn message_id_cell(row: &FoundView) -> Markup {
    html! { td.address { (row.message_id.as_deref().unwrap_or_default()) } }
}

fn mail_id_cell(row: &FoundView) -> Markup {
    html! { td { a href={ "/messages/" (row.mail_id) } { code { (row.mail_id) } } } }
}

/// Where a browser keeps which columns somebody wants.
const COLUMNS_COOKIE: &str = "__Host-reprieve-columns";

/// The columns that somebody wants: the usual ones when nothing, or nothing that there is, was chosen.
fn columns_of(headers: &HeaderMap) -> Vec<Column> {
    let wanted: Vec<&str> = cookie(headers, COLUMNS_COOKIE).map(|text| text.split('.').collect()).unwrap_or_default();
    let chosen: Vec<Column> = COLUMNS.into_iter().filter(|column| wanted.contains(&column.key)).collect();
    if chosen.is_empty() { COLUMNS.into_iter().filter(|column| column.is_usual).collect() } else { chosen }
}

fn choice_of_columns(q: &str, columns: &[Column]) -> Markup {
    html! {
        details { summary { (say!(explorer_columns)) }
            form method="post" action="/explorer/columns" {
                input type="hidden" name="q" value=(q);
                div.buttons { @for column in COLUMNS {
                    @let is_shown = columns.iter().any(|one| one.key == column.key);
                    label.check {
                        input type="checkbox" name="column" value=(column.key) checked[is_shown]; " "
                        ((column.title)())
                    }
                } }
                button.quiet { (say!(explorer_columns_apply)) }
            }
        }
    }
}

/// `POST /explorer/columns`: which columns this browser shows from now on.
pub async fn columns(form: Form) -> Response {
    let known = |key: &str| COLUMNS.iter().any(|column| column.key == key);
    let chosen: Vec<&str> = form.all("column").filter(|key| known(key)).collect();
    let cookie =
        format!("{COLUMNS_COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000", chosen.join("."));
    ([(SET_COOKIE, cookie)], back_to(&explorer(form.one("q")))).into_response()
}

/// Which sums are to be gone on with.
#[derive(Debug, Deserialize)]
pub struct More {
    q: String,
    before: String,
    interval: Option<u64>,
}

/// `GET /explorer/sums`: the sums further back, for the script of the page.
///
/// # Errors
/// What the API says.
pub async fn sums(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(more): Query<More>,
) -> PageResult {
    let sums = summed(&service, &operator, &more.q, Some(more.before), more.interval).await?;
    Ok(Json(sums).into_response())
}

/// `GET /explorer/complete`: what could come next.
///
/// # Errors
/// What the API says.
pub async fn complete(Extension(operator): Extension<Operator>, Query(ask): Query<CompleteQuery>) -> PageResult {
    Ok(Json(service::explore::suggest(&operator, ask)?).into_response())
}

/// `GET /explorer/export`.
///
/// # Errors
/// What the API says.
pub async fn export(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Query(ask): Query<ExportQuery>,
) -> PageResult {
    Ok(download::in_pieces(service::explore::export(&service, &operator, ask).await?))
}

/// `POST /explorer/act`: releases, denies or deletes what was chosen; what became of each is shown.
///
/// # Errors
/// When nothing or too much was chosen, or what the API says of the first.
pub async fn act(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let chosen: Vec<(&str, &str)> = form.all("mail").filter_map(|value| value.split_once(' ')).collect();
    if chosen.is_empty() {
        return Err(Fault::from(ServiceError::Bad("nothing is chosen: tick the messages that it is about".into())));
    }
    if chosen.len() > CHOSEN_MAX {
        return Err(Fault::from(ServiceError::Bad(format!("choose {CHOSEN_MAX} at most, not {}", chosen.len()))));
    }
    let verb = form.one("do").to_owned();
    if verb == "release" {
        let back = explorer(form.one("q"));
        let wanted = Wanted { action: "/explorer/act", form: &form, back: &back };
        if let Some(page) = confirm::asks(&service, &operator, wanted, &chosen).await? {
            return Ok(page);
        }
    }
    let mut done = Vec::new();
    for (id, recipient) in &chosen {
        let said = decide(&service, &operator, &verb, id, vec![(*recipient).to_owned()], form.one("reason")).await;
        done.push(match said {
            Ok(said) => {
                let unit = said.units.into_iter().next().map(|unit| (unit.state, unit.reply));
                let (now, reply) = unit.unwrap_or_default();
                (*id, *recipient, state(id, recipient, &now), reply)
            }
            Err(error) => (*id, *recipient, html! { span.chip.plain { (say!(explorer_not_done)) } }, refusal(&error)),
        });
    }
    let body = html! {
        h1 { (say!(explorer_result)) }
        p { (say!(explorer_acted, count = done.len(), action = named(&verb))) }
        (results(&done))
        p { a href=(explorer(form.one("q"))) { (say!(explorer_back)) } }
    };
    Ok(page(&operator, "/explorer", say!(explorer_result), body))
}

/// What became of each: message, recipient, state, and what there is to say.
fn results(done: &[(&str, &str, Markup, String)]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { (say!(explorer_message)) } th { (say!(explorer_recipient)) } th { (say!(state)) } td {}
            } }
            tbody { @for (id, recipient, state, reply) in done {
                tr {
                    td { a href={ "/messages/" (id) } { code { (id) } } }
                    td.address { (recipient) }
                    td { (state) }
                    td { (reply) }
                }
            } }
        } }
    }
}

/// Releases, denies or deletes a message for some recipients, as the API does.
///
/// # Errors
/// What the API says.
pub async fn decide(
    service: &Service,
    operator: &Operator,
    verb: &str,
    id: &str,
    recipients: Vec<String>,
    reason: &str,
) -> Result<ReleasedView, ServiceError> {
    let reason = reason.to_owned();
    if verb == "release" {
        let ask = ReleaseAsk { recipients, reason, ..ReleaseAsk::default() };
        return release::release(service, operator, id, ask).await;
    }
    let ask = DecideAsk { recipients, reason, ..DecideAsk::default() };
    match verb {
        "deny" => settle::deny(service, operator, id, ask).await,
        "delete" => settle::delete(service, operator, id, ask).await,
        other => Err(ServiceError::Bad(format!("'{other}' is none of release, deny, delete"))),
    }
}

/// What a refusal says, for a line of a table.
pub fn refusal(error: &ServiceError) -> String {
    match error {
        ServiceError::Bad(text)
        | ServiceError::Unauthorized(text)
        | ServiceError::Forbidden(text)
        | ServiceError::NotFound(text)
        | ServiceError::Conflict(text)
        | ServiceError::Unavailable(text)
        | ServiceError::Internal(text) => text.clone(),
        ServiceError::Query(error) => error.what.clone(),
        ServiceError::TooMany(seconds) => say!(explorer_too_often, seconds = *seconds).into(),
    }
}

/// Leads back to a page after an act, so that nobody does it twice by looking at it again.
pub fn back_to(place: &str) -> Response {
    Redirect::to(place).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facet_narrows() {
        assert_eq!(narrowed("", "state", "held"), "state:held");
        assert_eq!(narrowed("a b", "state", "held"), "a b state:held");
        assert_eq!(narrowed("a OR b", "state", "held"), "(a OR b) state:held");
    }
}
