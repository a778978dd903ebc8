//! All mail by a query. The address of the page is the whole of what is asked, so it can be kept and sent.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chart;
use super::confirm::{self, Wanted};
use super::door::cookie;
use super::fault::{Fault, PageResult};
use super::form::Form;
use super::page::{answer, asked, chip, enter_does_nothing, explorer, list, moment, page, quoted, reason, size, text};
use super::state::{self, state};
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use crate::api::error::ApiError;
use crate::api::explore::{CompleteQuery, ExploreQuery, ExportQuery, PivotQuery, SummaryQuery};
use crate::api::quarantine::{release, settle};
use platform::percent::encoded;

/// Messages that one press of a button acts on at most.
const CHOSEN_MAX: usize = 500;
/// Queries that are offered to who has none yet.
const OFFERED: [(&str, &str); 8] = [
    ("Today", "received:>=-24h"),
    ("Held", "state:held"),
    ("Malware", "category:Malware"),
    ("Phishing", "category:(Phish OR HighConfidencePhish)"),
    ("Outbound, held", "direction:Outbound state:held"),
    ("In doubt", "state:(in_doubt OR in_doubt_live OR tentative)"),
    ("Documents with macros", "file:*.docm"),
    ("Large", "size:>=10M"),
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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> PageResult {
    let columns = columns_of(&headers);
    let ask = ExploreQuery { q: asked.q.clone(), after: asked.after.clone(), limit: None };
    let found = match answer(api::explore::list(State(console.clone()), Extension(operator.clone()), Query(ask)).await)
    {
        Err(ApiError::Query(error)) => {
            let (before, rest) = asked.q.split_at(error.at.start.min(asked.q.len()));
            let (wrong, after) = rest.split_at(error.at.len().min(rest.len()));
            let body = html! {
                h1 { "Explorer" }
                (search(&asked.q))
                div.wrong role="alert" {
                    pre { (before) mark { @if wrong.is_empty() { " " } @else { (wrong) } } (after) }
                    p { (error.what) }
                }
                (offered())
            };
            return Ok(page(&operator, "/explorer", "Explorer", body));
        }
        other => other?,
    };
    let sums = summed(&console, &operator, &asked.q, None, asked.interval).await?;
    let pivot = match &asked.by {
        None => None,
        Some(by) => {
            let ask = PivotQuery { q: asked.q.clone(), by: by.clone() };
            Some(answer(api::explore::pivot(State(console.clone()), Extension(operator.clone()), Query(ask)).await)?)
        }
    };
    let saved = answer(api::saved::list(State(console.clone()), Extension(operator.clone())).await)?;
    let at = if asked.q.trim() == "state:held" { "/explorer?q=state%3Aheld" } else { "/explorer" };
    let title = if at == "/explorer" { "Explorer" } else { "Quarantine" };
    let body = html! {
        h1 { (title) }
        (search(&asked.q))
        @if asked.q.is_empty() { (offered()) }
        (kept(&operator, &asked.q, &saved))
        (sums_of(&console, &asked, &sums))
        (pivoted(&asked, pivot.as_ref()))
        (choice_of_columns(&asked.q, &columns))
        (table(&operator, &asked, &found, &columns))
    };
    Ok(page(&operator, at, title, body))
}

async fn summed(
    console: &Console,
    operator: &Operator,
    q: &str,
    before: Option<String>,
    interval: Option<u64>,
) -> Result<Value, ApiError> {
    let ask = SummaryQuery { q: q.to_owned(), before, interval, patience: None };
    answer(api::explore::summary(State(console.clone()), Extension(operator.clone()), Query(ask)).await)
}

fn search(q: &str) -> Markup {
    html! {
        form.search method="get" action="/explorer" role="search" {
            label for="q" { "Query" }
            input #q type="search" name="q" value=(q) autocomplete="off" spellcheck="false" data-complete="/explorer/complete"
                placeholder="category:Malware received:>=-24h sender:*@x.example" maxlength="4096";
            button { "Look" }
            ul #suggestions hidden {}
        }
    }
}

fn offered() -> Markup {
    html! { p.offered { @for (name, query) in OFFERED { a href=(explorer(query)) { (name) } } } }
}

fn sums_of(console: &Console, asked: &Asked, sums: &Value) -> Markup {
    let units = sums["units"].as_u64().unwrap_or(0);
    let interval = sums["interval"].as_u64().unwrap_or(3600);
    let columns = if interval >= 86_400 { 30 } else { 48 };
    let more = sums["next"].as_str();
    html! {
        section.sums data-more=[more] data-query=(asked.q) {
            h2.unseen { "How much fits" }
            p.count {
                span { strong data-sum="units" { (units) } @if more.is_some() { span.so-far { " so far" } } @else { " units" } }
                span.export { a href={ "/explorer/export?form=csv&q=" (encoded(&asked.q)) } { "CSV" } " " a href={ "/explorer/export?form=json&q=" (encoded(&asked.q)) } { "JSON" } }
                span.interval {
                    a href={ (explorer(&asked.q)) "&interval=3600" } aria-current=[(interval < 86_400).then_some("true")] { "48 hours" } " "
                    a href={ (explorer(&asked.q)) "&interval=86400" } aria-current=[(interval >= 86_400).then_some("true")] { "30 days" }
                }
            }
            (chart::over_time(sums, console.clock.now(), columns, &asked.q))
            div.facets {
                @for pivot in list(sums, "by") {
                    @let field = text(pivot, "field");
                    @let values: Vec<(String, u64)> = list(pivot, "values").map(|sum| (text(sum, "value").to_owned(), sum["units"].as_u64().unwrap_or(0))).collect();
                    (chart::bars(field, &values, |value| explorer(&narrowed(&asked.q, field, value))))
                }
            }
        }
    }
}

/// Queries that are kept by a name, and keeping this one.
fn kept(operator: &Operator, q: &str, saved: &Value) -> Markup {
    let saved: Vec<&Value> = saved.as_array().into_iter().flatten().collect();
    let this = saved.iter().find(|one| text(one, "q") == q.trim());
    html! {
        @if !saved.is_empty() { p.offered { @for one in &saved { a href=(explorer(text(one, "q"))) { (text(one, "name")) @if one["tracked"] == true { " ★" } } } } }
        @if operator.role.may(Permission::Decide) && !q.trim().is_empty() {
            details { summary { @match this { Some(one) => { "Kept as " (text(one, "name")) }, None => "Keep this query" } }
                form.inline method="post" action="/explorer/keep" {
                    input type="hidden" name="q" value=(q);
                    label { "Name" input type="text" name="name" maxlength="80" required value=(this.map_or("", |one| text(one, "name"))) autocomplete="off"; }
                    label.check { input type="checkbox" name="tracked" value="yes" checked[this.is_some_and(|one| one["tracked"] == true)]; " On the first page" }
                    button { "Keep it" }
                    @if this.is_some() { button.quiet name="forget" value="yes" { "Forget it" } }
                }
            }
        }
    }
}

/// `POST /explorer/keep`: keeps a query, or forgets it.
///
/// # Errors
/// What the API says.
pub async fn keep(State(console): State<Console>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let (q, name) = (form.one("q"), form.one("name"));
    if form.one("forget") == "yes" {
        answer(api::saved::forget(State(console), Extension(operator), Path(name.trim().to_owned())).await)?;
    } else {
        let ask = asked(json!({ "name": name, "q": q, "tracked": form.one("tracked") == "yes" }))?;
        answer(api::saved::save(State(console), Extension(operator), Json(ask)).await)?;
    }
    Ok(back_to(&explorer(q)))
}

/// Sums by what no roll-up is kept of: a choice, and what was chosen.
fn pivoted(asked: &Asked, pivot: Option<&Value>) -> Markup {
    const BY: [(&str, &str); 6] = [
        ("detection", "detection"),
        ("version", "detection version"),
        ("from_domain", "sender domain"),
        ("url", "host of a link"),
        ("type", "type of a part"),
        ("ip", "client"),
    ];
    html! {
        section.pivot {
            p.offered { span.dim { "Sum up by" } @for (by, name) in BY {
                a href={ (explorer(&asked.q)) "&by=" (by) } aria-current=[(asked.by.as_deref() == Some(by)).then_some("true")] { (name) }
            } }
            @if let Some(pivot) = pivot {
                @let by = text(pivot, "by");
                @let name = BY.iter().find(|(field, _)| *field == by).map_or(by, |(_, name)| name);
                @let values: Vec<(String, u64)> = list(pivot, "values").map(|sum| (text(sum, "value").to_owned(), sum["units"].as_u64().unwrap_or(0))).collect();
                (chart::bars(name, &values, |value| explorer(&narrowed(&asked.q, by, &quoted(value)))))
                p.dim {
                    @if pivot["others"].as_u64().unwrap_or(0) > 0 { "and " (pivot["others"]) " others. " }
                    @match pivot["since"].as_str() { Some(since) => { "Counted from " (moment(since)) " on: it has looked for long enough." }, None => "All of it was counted." }
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

fn table(operator: &Operator, asked: &Asked, found: &Value, columns: &[Column]) -> Markup {
    let may_decide = operator.role.may(Permission::Decide);
    let rows: Vec<&Value> = list(found, "rows").collect();
    let next = found["next"].as_str();
    html! {
        form.found method="post" action="/explorer/act" { (enter_does_nothing())
            input type="hidden" name="q" value=(asked.q);
            @if let Some(after) = &asked.after { input type="hidden" name="after" value=(after); }
            @if let Some(interval) = asked.interval { input type="hidden" name="interval" value=(interval); }
            div.scroll {
                table {
                    thead { tr {
                        @if may_decide { th { input type="checkbox" data-all="mail" aria-label="Choose all on this page"; } }
                        @for column in columns { @if column.key == "size" { th.right { (column.title) } } @else { th { (column.title) } } }
                    } }
                    tbody { @for row in &rows { (found_row(row, may_decide, columns)) } }
                }
            }
            @if rows.is_empty() {
                p.empty { @if found["is_cut"] == true { "Nothing so far: it has looked for long enough to show you this." } @else { "Nothing fits." } }
            }
            p.pages {
                @if asked.after.is_some() { a href=(explorer(&asked.q)) { "Newest" } " " }
                @if let Some(next) = next {
                    a href={ (explorer(&asked.q)) "&after=" (encoded(next)) } rel="next" { @if found["is_cut"] == true { "Look further back" } @else { "Older" } }
                }
            }
            @if may_decide && !rows.is_empty() {
                fieldset.act {
                    legend { "With those that are chosen" }
                    (reason(true))
                    button name="do" value="release" { "Release" }
                    button.quiet name="do" value="deny" { "Deny" }
                    button.quiet name="do" value="delete" { "Delete" }
                }
                @if !asked.q.trim().is_empty() {
                    p.pages { "All that fit: " @for (verb, name) in [("release", "release"), ("deny", "deny"), ("delete", "delete")] { a href={ "/bulk/new?verb=" (verb) "&q=" (encoded(&asked.q)) } { (name) } " " } a href="/bulk" { "jobs" } }
                }
            }
        }
    }
}

fn found_row(row: &Value, may_decide: bool, columns: &[Column]) -> Markup {
    let (id, recipient) = (text(row, "mail_id"), text(row, "recipient"));
    let subject = if text(row, "subject").is_empty() { "(no subject)" } else { text(row, "subject") };
    html! {
        tr {
            @if may_decide { td { input type="checkbox" name="mail" value={ (id) " " (recipient) } aria-label={ "Choose " (subject) }; } }
            @for column in columns { (cell(column.key, row, subject)) }
        }
    }
}

fn cell(key: &str, row: &Value, subject: &str) -> Markup {
    let value = text(row, key);
    html! {
        @match key {
            "received" => td.when { (moment(value)) },
            "sender" => td.address { (value) @if value.is_empty() { span.dim { "(null sender)" } } },
            "recipient" | "message_id" => td.address { (value) },
            "subject" => td.subject { a href={ "/messages/" (text(row, "mail_id")) } { (subject) } },
            "category" | "disposition" => td { (chip(value)) },
            "state" => td { (state(text(row, "mail_id"), text(row, "recipient"), value)) @if row["enforced"] == false { span.dim title="Recorded, and not acted on" { " observed" } } },
            "size" => td.right { (size(row["size"].as_i64().unwrap_or(0))) },
            "mail_id" => td { a href={ "/messages/" (value) } { code { (value) } } },
            _ => td { (value) },
        }
    }
}

/// A column of the list.
#[derive(Clone, Copy, Debug)]
struct Column {
    key: &'static str,
    title: &'static str,
    is_usual: bool,
}

const fn column(key: &'static str, title: &'static str, is_usual: bool) -> Column {
    Column { key, title, is_usual }
}

/// All columns, in their order.
const COLUMNS: [Column; 12] = [
    column("received", "Received (UTC)", true),
    column("direction", "Direction", true),
    column("sender", "Sender", true),
    column("recipient", "Recipient", true),
    column("subject", "Subject", true),
    column("category", "Category", true),
    column("disposition", "Disposition", false),
    column("state", "State", true),
    column("size", "Size", true),
    column("ip", "Client", false),
    column("message_id", "Message-ID", false),
    column("mail_id", "Network message id", false),
];
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
        details { summary { "Columns" }
            form method="post" action="/explorer/columns" {
                input type="hidden" name="q" value=(q);
                div.buttons { @for column in COLUMNS {
                    label.check { input type="checkbox" name="column" value=(column.key) checked[columns.iter().any(|one| one.key == column.key)]; " " (column.title) }
                } }
                button.quiet { "Show these" }
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
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Query(more): Query<More>,
) -> PageResult {
    let sums = summed(&console, &operator, &more.q, Some(more.before), more.interval).await?;
    Ok(Json(sums).into_response())
}

/// `GET /explorer/complete`: what could come next.
///
/// # Errors
/// What the API says.
pub async fn complete(Extension(operator): Extension<Operator>, query: Query<CompleteQuery>) -> PageResult {
    Ok(api::explore::suggest(Extension(operator), query).await?.into_response())
}

/// `GET /explorer/export`.
///
/// # Errors
/// What the API says.
pub async fn export(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    query: Query<ExportQuery>,
) -> PageResult {
    Ok(api::explore::export(State(console), Extension(operator), query).await?)
}

/// `POST /explorer/act`: releases, denies or deletes what was chosen; what became of each is shown.
///
/// # Errors
/// When nothing or too much was chosen, or what the API says of the first.
pub async fn act(State(console): State<Console>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    let chosen: Vec<(&str, &str)> = form.all("mail").filter_map(|value| value.split_once(' ')).collect();
    if chosen.is_empty() {
        return Err(Fault::from(ApiError::Bad("nothing is chosen: tick the messages that it is about".into())));
    }
    if chosen.len() > CHOSEN_MAX {
        return Err(Fault::from(ApiError::Bad(format!("choose {CHOSEN_MAX} at most, not {}", chosen.len()))));
    }
    let verb = form.one("do").to_owned();
    if verb == "release" {
        let back = explorer(form.one("q"));
        let wanted = Wanted { action: "/explorer/act", form: &form, back: &back };
        if let Some(page) = confirm::asks(&console, &operator, wanted, &chosen).await? {
            return Ok(page);
        }
    }
    let mut done = Vec::new();
    for (id, recipient) in &chosen {
        let said = decide(&console, &operator, &verb, id, vec![(*recipient).to_owned()], form.one("reason")).await;
        let said = match said {
            Ok(view) => list(&view, "units")
                .map(|unit| (text(unit, "state").to_owned(), text(unit, "reply").to_owned()))
                .next()
                .unwrap_or_default(),
            Err(error) => ("not done".to_owned(), refusal(&error)),
        };
        done.push((*id, *recipient, said));
    }
    let body = html! {
        h1 { "What was done" }
        p { (chosen.len()) " chosen: " (verb) }
        div.scroll { table {
            thead { tr { th { "Message" } th { "Recipient" } th { "State" } td {} } }
            tbody { @for (id, recipient, (state, reply)) in &done {
                tr { td { a href={ "/messages/" (id) } { code { (id) } } } td.address { (recipient) } td { (state::state(id, recipient, state)) } td { (reply) } }
            } }
        } }
        p { a href=(explorer(form.one("q"))) { "Back" } }
    };
    Ok(page(&operator, "/explorer", "What was done", body))
}

/// Releases, denies or deletes a message for some recipients, as the API does.
///
/// # Errors
/// What the API says.
pub async fn decide(
    console: &Console,
    operator: &Operator,
    verb: &str,
    id: &str,
    recipients: Vec<String>,
    reason: &str,
) -> Result<Value, ApiError> {
    let (state, operator, path) =
        (State(console.clone()), Extension(operator.clone()), axum::extract::Path(id.to_owned()));
    let ask = serde_json::json!({ "recipients": recipients, "reason": reason });
    match verb {
        "release" => answer(release::release(state, operator, path, Json(asked(ask)?)).await),
        "deny" => answer(settle::deny(state, operator, path, Json(asked(ask)?)).await),
        "delete" => answer(settle::delete(state, operator, path, Json(asked(ask)?)).await),
        other => Err(ApiError::Bad(format!("'{other}' is none of release, deny, delete"))),
    }
}

/// What a refusal says, for a line of a table.
pub fn refusal(error: &ApiError) -> String {
    match error {
        ApiError::Bad(text)
        | ApiError::Unauthorized(text)
        | ApiError::Forbidden(text)
        | ApiError::NotFound(text)
        | ApiError::Conflict(text)
        | ApiError::Unavailable(text)
        | ApiError::Internal(text) => text.clone(),
        ApiError::Query(error) => error.what.clone(),
        ApiError::TooMany(seconds) => format!("too often: try again in {seconds} s"),
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
