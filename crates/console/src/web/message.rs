//! One message: what happened to it, why, and what a person can do about it.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use domain::MailId;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::confirm::{self, Wanted};
use super::explorer::{back_to, decide};
use super::fault::PageResult;
use super::form::Form;
use super::page::{
    answer, asked, chip, enter_does_nothing, explorer, facts, list, moment, page, quoted, reason, size, text,
};
use super::state::state;
use crate::Console;
use crate::access::{Operator, Permission};
use crate::api;
use crate::api::error::ApiError;
use crate::api::message::TraceQuery;
use crate::api::quarantine::{copy, read, show as held};
use crate::api::submission::SubmissionQuery;
use platform::percent::encoded;

/// Takes the id of a message in an address; an address without one is an address that there is not.
///
/// # Errors
/// [`ApiError::NotFound`] when it is none.
pub fn is_id(id: &str) -> Result<(), ApiError> {
    let id: Result<MailId, _> = id.parse();
    id.map(drop).map_err(|error| ApiError::NotFound(error.to_string()))
}

/// How long an entry about a sender lasts: hours, and in words.
const LASTS: [(u32, &str); 4] = [(24, "a day"), (168, "seven days"), (720, "thirty days"), (2160, "ninety days")];

/// `GET /messages/{id}`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    is_id(&id)?;
    let (state, who) = (|| State(console.clone()), || Extension(operator.clone()));
    let shown = answer(api::explain::show(state(), who(), Path(id.clone())).await)?;
    let ask = TraceQuery { mail_id: Some(id.clone()), ..TraceQuery::default() };
    let life = answer(api::message::trace(state(), who(), axum::extract::Query(ask)).await)?;
    // What was passed on has no bytes here.
    let held = match answer(held::show(state(), who(), Path(id.clone())).await) {
        Err(ApiError::NotFound(_)) => None,
        other => Some(other?),
    };
    let ask = SubmissionQuery { mail_id: Some(id.clone()), ..SubmissionQuery::default() };
    let said = answer(api::submission::list(state(), who(), axum::extract::Query(ask)).await)?;
    let subject = if text(&shown, "subject").is_empty() { "(no subject)" } else { text(&shown, "subject") };
    let body = html! {
        h1 data-drawn-anew="when a state changes" { (subject) }
        (in_brief(&shown, &life))
        @if operator.role.may(Permission::Decide) { (actions(&id, held.as_ref(), operator.role.may(Permission::Read))) }
        (why(&shown))
        @if operator.role.may(Permission::Rules) && operator.must_see_all().is_ok() { (blame(&shown)) }
        (timeline(&life))
        (engines(&shown))
        (parts(&shown))
        (links(&shown))
        @if held.is_some() && operator.role.may(Permission::Read) { (content(&id)) }
        (reports(&said))
        (similar(&shown))
    };
    Ok(page(&operator, "/explorer", subject, body))
}

fn in_brief(shown: &Value, life: &Value) -> Markup {
    let id = text(shown, "mail_id");
    let sender = text(shown, "sender");
    let unit = life.as_array().and_then(|units| units.first()).cloned().unwrap_or_default();
    facts(&[
        ("Received", moment(text(shown, "received"))),
        (
            "From",
            html! { @if sender.is_empty() { span.dim { "null sender" } } @else { a href=(explorer(&format!("sender:{}", quoted(sender)))) { (sender) } } },
        ),
        (
            "To",
            html! { ul.plain { @for unit in list(shown, "units") { li {
                a href=(explorer(&format!("recipient:{}", quoted(text(unit, "recipient"))))) { (text(unit, "recipient")) } " "
                (state(id, text(unit, "recipient"), text(unit, "account"))) @if unit["enforced"] == false { span.dim { " observed only" } }
            } } } },
        ),
        ("Direction", html! { (text(&unit, "direction")) }),
        ("Category", chip(text(shown, "category"))),
        ("Message-ID", html! { code { (text(&unit, "message_id")) } }),
        ("Network message id", html! { code { (id) } }),
    ])
}

fn actions(id: &str, held: Option<&Value>, may_read: bool) -> Markup {
    let can = |state: &str| held.is_some_and(|held| list(held, "units").any(|unit| text(unit, "state") == state));
    let is_held = can("held") || can("denied") || can("failed");
    html! {
        section.actions {
            h2 { "Act" }
            form method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                @if let Some(held) = held.filter(|held| list(held, "units").count() > 1) {
                    input type="hidden" name="some" value="yes";
                    fieldset { legend { "For" }
                        @for unit in list(held, "units") {
                            label { input type="checkbox" name="recipient" value=(text(unit, "recipient")) checked; " " (text(unit, "recipient")) " " (state(id, text(unit, "recipient"), text(unit, "state"))) }
                        }
                    }
                }
                (reason(false))
                div.buttons {
                    @if is_held {
                        button name="do" value="release" { "Release" }
                        button.quiet name="do" value="deny" { "Deny" }
                        button.quiet name="do" value="delete" { "Delete" }
                    }
                    button.quiet name="do" value="false_positive" { "Report: it is good" }
                    button.quiet name="do" value="false_negative" { "Report: it is bad" }
                }
            }
            form.inline method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                (reason(true))
                label { "Lasts" select name="hours" { @for (hours, words) in LASTS { option value=(hours) { (words) } } } }
                button.quiet name="do" value="allow" { "Allow the sender" }
                button.quiet name="do" value="block" { "Block the sender" }
            }
            @if is_held && may_read {
                form.inline method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                    (reason(true))
                    label { "To an address of ours" input type="email" name="to" required autocomplete="off"; }
                    button.quiet name="do" value="copy" { "Send a copy" }
                }
            }
        }
    }
}

/// Why it was treated so: the reasons, the findings, and what would be without each.
fn why(shown: &Value) -> Markup {
    let today = &shown["today"];
    html! {
        section {
            h2 { "Why" }
            ul.reasons {
                @for unit in list(shown, "units") { @for reason in list(unit, "reasons") {
                    li { code { (text(reason, "code")) } " " (text(reason, "text")) " " span.dim { "for " (text(unit, "recipient")) } }
                } }
            }
            @if list(shown, "findings").next().is_none() { p.dim { "No detection found anything." } }
            @else { div.scroll { table {
                thead { tr { th { "Detection" } th { "Version" } th { "Effect" } th { "Category" } th { "Part" } th { "Evidence" } th { "Before" } } }
                tbody { @for finding in list(shown, "findings") { tr {
                    td { a href={ "/detections/" (encoded(text(finding, "detection"))) } { (text(finding, "detection")) } }
                    td { a href=(explorer(&format!("version:{}", quoted(text(finding, "detection_version"))))) { code { (text(finding, "detection_version")) } } }
                    td { (chip(text(finding, "effect"))) @if text(finding, "mode") != "Enforce" { " " (chip(text(finding, "mode"))) } }
                    td { (text(finding, "category")) }
                    td { @if let Some(part) = finding["part"].as_u64() { (part) @if let Some(offset) = finding["offset"].as_u64() { " at " (offset) } } }
                    td.evidence { code { (text(finding, "evidence")) } }
                    td { @if finding["previous"].is_object() { @if finding["previous"]["hit"] == true { "hit as well" } @else { strong { "did not hit" } } } }
                } } }
            } } }
            @if list(shown, "counterfactuals").next().is_some() {
                h3 { "What would be without" }
                ul { @for one in list(shown, "counterfactuals") {
                    li { code { (text(one, "without")) "@" (text(one, "version")) } ": " (chip(text(one, "category"))) " " (chip(text(one, "disposition"))) }
                } }
            }
            p { "Today's ruleset would say " (chip(text(today, "category"))) " " (chip(text(today, "disposition"))) ": " (text(today, "rests_on")) "." }
            p.dim { "Ruleset " a href=(explorer(&format!("ruleset:{}", text(shown, "ruleset")))) { code { (text(shown, "ruleset")) } } ", policy " code { (text(shown, "policy")) } }
        }
    }
}

/// What could act on it may have been wrong: an incident about that version, whose every message is counted in.
fn blame(shown: &Value) -> Markup {
    let acts =
        |finding: &&Value| text(finding, "mode") == "Enforce" && matches!(text(finding, "effect"), "Hold" | "Block");
    let mut suspects: Vec<(&str, &str)> = list(shown, "findings")
        .filter(acts)
        .map(|one| (text(one, "detection"), text(one, "detection_version")))
        .collect();
    suspects.sort_unstable();
    suspects.dedup();
    html! {
        @if !suspects.is_empty() { details {
            summary { "A detection was wrong" }
            p.dim { "An incident counts in everything that this version held, and has it examined again as soon as that can lead to something." }
            @for (code, version) in suspects { (super::incident::opening(code, version, text(shown, "mail_id"))) }
        } }
    }
}

fn timeline(life: &Value) -> Markup {
    html! {
        section {
            h2 { "What happened" }
            @for unit in life.as_array().into_iter().flatten() {
                h3 { (text(unit, "recipient")) " " (chip(text(unit, "account"))) }
                ol.timeline { @for event in list(unit, "events") {
                    li { (moment(text(event, "at"))) " " strong { (text(event, "what").replace('_', " ")) } " → " (text(event, "account").replace('_', " "))
                        span.dim { " by " (text(event, "actor")) @if !text(event, "reason").is_empty() { ": " (text(event, "reason")) } } }
                } }
            }
        }
    }
}

fn engines(shown: &Value) -> Markup {
    let auth = &shown["authentication"];
    html! {
        section {
            h2 { "Engines and authentication" }
            div.scroll { table {
                thead { tr { th { "Engine" } th { "Version" } th { "Data" } th { "Outcome" } th.right { "ms" } td {} } }
                tbody { @for engine in list(shown, "engines") { tr {
                    td { (text(engine, "engine")) } td { (text(engine, "version")) } td { (text(engine, "data_version")) }
                    td { (text(engine, "outcome")) } td.right { (format!("{:.1}", engine["millis"].as_f64().unwrap_or(0.0))) } td { (text(engine, "detail")) }
                } } }
            } }
            @if auth.is_object() { (facts(&[
                ("SPF", html! { (text(auth, "spf")) " " span.dim { (text(auth, "spf_domain")) } }),
                ("DKIM", html! { @for one in list(auth, "dkim") { (text(one, "result")) " " span.dim { (text(one, "domain")) } " " } @if list(auth, "dkim").next().is_none() { "none" } }),
                ("DMARC", html! { (text(auth, "dmarc")) " " span.dim { (text(auth, "dmarc_policy")) } }),
                ("Aligned", html! { (text(auth, "aligned")) }),
                ("First contact", html! { @match shown["first_contact"].as_bool() { Some(true) => "yes", Some(false) => "no", None => "not known" } }),
            ])) }
        }
    }
}

fn parts(shown: &Value) -> Markup {
    html! {
        section {
            h2 { "Parts" }
            div.scroll { table {
                thead { tr { th { "No." } th { "Name" } th { "Type" } th { "Declared" } th.right { "Size" } th { "SHA-256" } th { "Seen before" } } }
                tbody { @for part in list(shown, "parts") { @let hash = text(part, "sha256"); tr {
                    td { (part["number"]) } td.address { (text(part, "name")) } td { (text(part, "family")) " " span.dim { (text(part, "content_type")) } } td { (text(part, "declared")) }
                    td.right { (size(part["size"].as_i64().unwrap_or(0))) }
                    td { a href=(explorer(&format!("sha256:{hash}"))) title=(hash) { code { (hash.get(..12).unwrap_or(hash)) "…" } } }
                    td { (sightings(&part["memory"])) }
                } } }
            } }
        }
    }
}

/// What the past says of a part.
fn sightings(memory: &Value) -> Markup {
    let (mails, senders) = (memory["mails"].as_u64().unwrap_or(0), memory["senders"].as_u64().unwrap_or(0));
    let many = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    html! {
        @if memory.is_null() { span.dim { "not in clean mail" } }
        @else { "in " (many(mails, "clean mail")) " of " (many(senders, "sender")) " since " (moment(text(memory, "since")))
            @if let Some(at) = memory["called_bad"].as_str() { "; " strong { "called bad" } " " (moment(at)) } }
    }
}

fn links(shown: &Value) -> Markup {
    let urls: Vec<&str> = list(shown, "urls").filter_map(Value::as_str).collect();
    let domains: Vec<&str> = list(shown, "url_domains").filter_map(Value::as_str).collect();
    let odd: Vec<&str> = list(shown, "ambiguities").filter_map(Value::as_str).collect();
    html! {
        @if !domains.is_empty() || !odd.is_empty() {
            section {
                @if !domains.is_empty() {
                    h2 { "Links lead to" }
                    ul { @for domain in domains { li { a href=(explorer(&format!("url:{}", quoted(domain)))) { code { (domain) } } } } }
                    @if !urls.is_empty() { details { summary { "The links themselves (" (urls.len()) ")" } ul { @for url in urls { li { code.address { (url) } } } } } }
                }
                @if !odd.is_empty() { h2 { "Ambiguities" } ul { @for one in odd { li { (one) } } } }
            }
        }
    }
}

/// Where to look for mail like this.
fn similar(shown: &Value) -> Markup {
    let (sender, subject) = (text(shown, "sender"), text(shown, "subject"));
    let domain = sender.rsplit_once('@').map(|(_, domain)| domain);
    let bare = subject.trim_start_matches(|c: char| !c.is_alphanumeric());
    let bare = ["Re: ", "RE: ", "Fwd: ", "FW: ", "AW: ", "WG: "]
        .iter()
        .fold(bare, |bare, prefix| bare.trim_start_matches(prefix));
    let mut ways: Vec<(String, String)> = Vec::new();
    if !sender.is_empty() {
        ways.push(("the same sender".into(), format!("sender:{}", quoted(sender))));
    }
    ways.extend(domain.map(|domain| ("the same sender domain".into(), format!("sender:*@{}", quoted(domain)))));
    if !bare.is_empty() {
        ways.push(("the same subject, answered or forwarded".into(), format!("subject:*{}", quoted(bare))));
    }
    for finding in list(shown, "findings").take(5) {
        let (code, version) = (text(finding, "detection"), text(finding, "detection_version"));
        ways.push((
            format!("hit by the same version of {code}"),
            format!("detection:{} version:{version}", quoted(code)),
        ));
    }
    for part in list(shown, "parts").take(5) {
        let unnamed = format!("part {} ({})", part["number"], text(part, "family"));
        let name = if text(part, "name").is_empty() { unnamed.as_str() } else { text(part, "name") };
        ways.push((format!("with the same {name}"), format!("sha256:{}", text(part, "sha256"))));
    }
    html! { section { h2 { "Similar messages" } ul { @for (name, query) in &ways { li { a href=(explorer(query)) { (name) } } } } } }
}

fn content(id: &str) -> Markup {
    html! {
        section {
            h2 { "Content" }
            p { "Looking at somebody's mail is recorded." }
            p.buttons { a.button href={ "/messages/" (id) "/text" } { "Read the text" } " " a.button href={ "/messages/" (id) "/text?show=page" } { "See the page, made harmless" } " " a.button href={ "/messages/" (id) "/text?show=pictures" } { "See the pictures, drawn anew" } }
            form.inline method="post" action={ "/messages/" (id) "/raw" } { (enter_does_nothing())
                (reason(true))
                label { "Password of the zip file" input type="text" name="password" value="infected" minlength="4" maxlength="100" required autocomplete="off"; }
                button.quiet { "Download" }
            }
        }
    }
}

fn reports(said: &Value) -> Markup {
    let said: Vec<&Value> = said.as_array().into_iter().flatten().collect();
    html! {
        @if !said.is_empty() {
            section {
                h2 { "What people said" }
                ul { @for one in said { li { a href={ "/submissions/" (one["number"]) } { (moment(text(one, "at"))) } " " (text(one, "reporter")) ": " (text(one, "kind").replace('_', " "))
                    @if !text(one, "comment").is_empty() { ": " (text(one, "comment")) }
                    @if let Some(incident) = one["incident"].as_str() { " " a href={ "/incidents/" (incident) } { (incident) } } } } }
            }
        }
    }
}

/// How to show a message.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct How {
    show: Show,
}

/// What of a message is to be seen.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Show {
    #[default]
    Text,
    Page,
    Pictures,
}

/// What a held message says.
async fn content_page(console: Console, operator: Operator, id: String, show: Show) -> PageResult {
    let (state, who, path) = (|| State(console.clone()), || Extension(operator.clone()), || Path(id.clone()));
    let shown = answer(held::show(state(), who(), path()).await)?;
    let content = match show {
        Show::Text => texts(&answer(read::preview(state(), who(), path()).await)?),
        Show::Page => html! {
            p.dim { "Scripts, forms, links and what lies elsewhere are taken out; pictures of the mail itself are drawn anew. Nothing is loaded." }
            iframe.letter sandbox="" referrerpolicy="no-referrer" src={ "/messages/" (id) "/html" } title="The message, made harmless" {}
        },
        Show::Pictures => pictures(&answer(read::pictures(state(), who(), path()).await)?),
    };
    let headers = answer(read::headers(state(), who(), path()).await)?;
    let body = html! {
        p { a href={ "/messages/" (id) } { "Back to the message" } }
        h1 { (text(&shown, "subject")) }
        (content)
        details { summary { "Header" } pre.mail { (text(&headers, "headers")) } }
    };
    Ok(page(&operator, "/explorer", text(&shown, "subject"), body))
}

fn texts(preview: &Value) -> Markup {
    html! {
        @for one in list(preview, "texts").filter_map(Value::as_str) { pre.mail { (one) } }
        @if list(preview, "texts").next().is_none() { p { "It has no plain text." } }
    }
}

fn pictures(shown: &Value) -> Markup {
    html! {
        p.dim { "Each was decoded and encoded anew, by a process that can do nothing else. Nothing of the files themselves is here." }
        @if list(shown, "pictures").next().is_none() { p { "It has no pictures." } }
        ul.pictures { @for one in list(shown, "pictures") { @let (drawn, name) = (&one["drawn"], text(one, "name")); li { figure {
            @if drawn.is_object() {
                img src={ "data:" (text(drawn, "content_type")) ";base64," (text(drawn, "data")) } width=(drawn["width"]) height=(drawn["height"])
                    alt={ "Part " (one["part"]) @if !name.is_empty() { ": " (name) } };
            } @else { p { "Not drawn: " (text(one, "why")) } }
            figcaption { "Part " (one["part"]) " " span.dim { (name) " " (text(one, "content_type")) } }
        } } } }
    }
}

/// `GET /messages/{id}/text`: what a held message says.
///
/// # Errors
/// What the API says.
pub async fn text_of(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    axum::extract::Query(how): axum::extract::Query<How>,
) -> PageResult {
    is_id(&id)?;
    content_page(console, operator, id, how.show).await
}

/// `POST /messages/{id}/raw`: the bytes as they came, for a reason, in a zip file with a password.
///
/// # Errors
/// When no reason is given, or what the API says.
pub async fn raw(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    form: Form,
) -> PageResult {
    is_id(&id)?;
    let why = form.one("reason").trim();
    if why.is_empty() {
        return Err(ApiError::Bad("say why you want the bytes: it goes into the record".into()).into());
    }
    let ask = read::ArchiveAsk { reason: why.to_owned(), password: form.one("password").to_owned() };
    Ok(read::archive(State(console), Extension(operator), Path(id), Json(ask)).await?)
}

/// `POST /messages/{id}/act`.
///
/// # Errors
/// What the API says.
pub async fn act(
    State(console): State<Console>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    form: Form,
) -> PageResult {
    is_id(&id)?;
    let recipients: Vec<String> = form.all("recipient").map(str::to_owned).collect();
    match form.one("do") {
        verb @ ("false_positive" | "false_negative") => {
            let ask = json!({ "mail_id": id, "kind": verb, "comment": form.one("reason") });
            let ask = asked(ask)?;
            let said = api::submission::add(State(console), Extension(operator), Json(ask)).await;
            answer(said)?;
        }
        verb @ ("allow" | "block") => entry(&console, &operator, &id, verb, &form).await?,
        "copy" => {
            let ask = asked(json!({ "to": form.one("to"), "reason": form.one("reason") }))?;
            answer(copy::copy(State(console), Extension(operator), Path(id.clone()), Json(ask)).await)?;
        }
        verb => {
            // To nobody is not to everybody: the API takes no name for all of them.
            if form.one("some") == "yes" && recipients.is_empty() {
                return Err(ApiError::Bad("nothing is chosen: tick the recipients that it is about".into()).into());
            }
            if verb == "release" {
                let mut units: Vec<(&str, &str)> = recipients.iter().map(|one| (id.as_str(), one.as_str())).collect();
                if units.is_empty() {
                    units.push((&id, ""));
                }
                let (action, back) = (format!("/messages/{id}/act"), format!("/messages/{id}"));
                let wanted = Wanted { action: &action, form: &form, back: &back };
                if let Some(page) = confirm::asks(&console, &operator, wanted, &units).await? {
                    return Ok(page);
                }
            }
            decide(&console, &operator, verb, &id, recipients, form.one("reason")).await?;
        }
    }
    Ok(back_to(&format!("/messages/{id}")).into_response())
}

/// An entry about a message's sender, because of it: when the verdict is taken back, so is the entry.
async fn entry(console: &Console, operator: &Operator, id: &str, verb: &str, form: &Form) -> Result<(), ApiError> {
    let hours: u64 = form.one("hours").parse().map_err(|_| ApiError::Bad("hours is a number".into()))?;
    let shown =
        answer(api::explain::show(State(console.clone()), Extension(operator.clone()), Path(id.to_owned())).await)?;
    let sender = text(&shown, "sender");
    if sender.is_empty() {
        return Err(ApiError::Bad("it has the null sender: there is nobody to allow or block".into()));
    }
    let because = (verb == "block").then_some(id);
    let ask = json!({ "action": verb, "kind": "sender", "value": sender, "reason": form.one("reason"), "hours": hours, "caused_by": because });
    let ask = asked(ask)?;
    answer(api::entry::add(State(console.clone()), Extension(operator.clone()), Json(ask)).await).map(drop)
}
