//! One message: what happened to it, why, and what a person can do about it.

use api_types::entry::EntryAsk;
use api_types::explain::{AuthenticationView, ExplainedView, FindingView, KnownPartView, SightingsView};
use api_types::message::{TraceQuery, TraceView};
use api_types::quarantine::{ArchiveAsk, CopyAsk, PicturesView, PreviewView, ShownView};
use api_types::submission::{SubmissionAsk, SubmissionQuery, SubmissionView};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use domain::MailId;
use domain::query::quoted;
use maud::{Markup, html};
use platform::percent::encoded;
use service::access::{Operator, Permission};
use service::error::ServiceError;
use service::quarantine::{copy, read, show as held};
use service::{Service, explain, submission};
use web::download;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment, size};

use crate::confirm::{self, Wanted};
use crate::explorer::{back_to, decide};
use crate::hold;
use crate::page::{chip, explorer, facts, page, reason, shown as spoken};
use crate::state::state;

/// Takes the id of a message in an address; an address without one is an address that there is not.
///
/// # Errors
/// [`ServiceError::NotFound`] when it is none.
pub fn is_id(id: &str) -> Result<(), ServiceError> {
    let id: Result<MailId, _> = id.parse();
    id.map(drop).map_err(|error| ServiceError::NotFound(error.to_string()))
}

/// How long an entry about a sender lasts: hours, and in words.
pub(crate) const LASTS: [(u32, &str); 4] =
    [(24, "a day"), (168, "seven days"), (720, "thirty days"), (2160, "ninety days")];

/// `GET /messages/{id}`.
///
/// # Errors
/// What the API says.
pub async fn show(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> PageResult {
    is_id(&id)?;
    let shown = explain::show(&service, &operator, &id).await?;
    let ask = TraceQuery { mail_id: Some(id.clone()), ..TraceQuery::default() };
    let life = service::message::trace(&service, &operator, ask).await?;
    // What was passed on has no bytes here.
    let held = match held::show(&service, &operator, &id).await {
        Err(ServiceError::NotFound(_)) => None,
        other => Some(other?),
    };
    let ask = SubmissionQuery { mail_id: Some(id.clone()), ..SubmissionQuery::default() };
    let said = submission::list(&service, &operator, ask).await?;
    let subject = if shown.subject.is_empty() { "(no subject)" } else { &shown.subject };
    let body = html! {
        h1 data-drawn-anew="when a state changes" { (subject) }
        (in_brief(&shown, &life))
        @if operator.role.may(Permission::Decide) {
            (actions(&id, held.as_ref(), &operator))
        }
        (hold::of_mail(&id, &shown.holds, operator.role.may(Permission::Hold) && operator.must_see_all().is_ok()))
        (why(&shown))
        @if operator.role.may(Permission::Rules) && operator.must_see_all().is_ok() { (blame(&shown)) }
        (timeline(&life))
        (engines(&shown))
        (parts(&shown.parts))
        (links(&shown))
        @if held.is_some() && operator.role.may(Permission::Read) { (content(&id)) }
        (reports(&said))
        (similar(&shown))
    };
    Ok(page(&operator, "/explorer", subject, body))
}

fn in_brief(shown: &ExplainedView, life: &[TraceView]) -> Markup {
    let (id, sender) = (&shown.mail_id, &shown.sender);
    let first = life.first();
    let message_id = first.and_then(|unit| unit.message_id.as_deref()).unwrap_or_default();
    facts(&[
        ("Received", moment(&shown.received)),
        (
            "From",
            html! {
                @if sender.is_empty() { span.dim { "null sender" } }
                @else { a href=(explorer(&format!("sender:{}", quoted(sender)))) { (sender) } }
            },
        ),
        (
            "To",
            html! { ul.plain { @for unit in &shown.units { li {
                a href=(explorer(&format!("recipient:{}", quoted(&unit.recipient)))) { (unit.recipient) } " "
                (state(id, &unit.recipient, &unit.account))
                @if !unit.enforced { span.dim { " observed only" } }
            } } } },
        ),
        ("Direction", html! { (first.map_or("", |unit| unit.direction.as_str())) }),
        ("Category", chip(&shown.category)),
        ("Message-ID", html! { code { (message_id) } }),
        ("Network message id", html! { code { (id) } }),
    ])
}

fn actions(id: &str, held: Option<&ShownView>, operator: &Operator) -> Markup {
    let (may_read, may_block) = (operator.role.may(Permission::Read), operator.role.may(Permission::Rules));
    let can = |state: &str| held.is_some_and(|held| held.units.iter().any(|unit| unit.state == state));
    let is_held = can("held") || can("denied") || can("failed");
    html! {
        section.actions {
            h2 { "Act" }
            form method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                @if let Some(held) = held.filter(|held| held.units.len() > 1) {
                    input type="hidden" name="some" value="yes";
                    fieldset { legend { "For" }
                        @for unit in &held.units {
                            label {
                                input type="checkbox" name="recipient" value=(unit.recipient) checked;
                                " " (unit.recipient) " " (state(id, &unit.recipient, &unit.state))
                            }
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
                label { "Lasts"
                    select name="hours" { @for (hours, words) in LASTS { option value=(hours) { (words) } } }
                }
                button.quiet name="do" value="allow" { "Allow the sender" }
                button.quiet name="do" value="block" { "Block the sender" }
            }
            @if may_block { p { a href={ "/messages/" (id) "/like" } { "Block mail like this" } } }
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
fn why(shown: &ExplainedView) -> Markup {
    let today = &shown.today;
    html! {
        section {
            h2 { "Why" }
            ul.reasons {
                @for unit in &shown.units { @for reason in &unit.reasons {
                    li { code { (reason.code) } " " (reason.text) " " span.dim { "for " (unit.recipient) } }
                } }
            }
            @if shown.findings.is_empty() { p.dim { "No detection found anything." } }
            @else { (findings(&shown.findings)) }
            @if !shown.counterfactuals.is_empty() {
                h3 { "What would be without" }
                ul { @for one in &shown.counterfactuals {
                    li {
                        code { (one.without) "@" (one.version) } ": " (chip(&one.category)) " "
                        (chip(&one.disposition))
                    }
                } }
            }
            p {
                "Today's ruleset would say " (chip(&today.category)) " " (chip(&today.disposition)) ": "
                (today.rests_on) "."
            }
            p.dim {
                "Ruleset " a href=(explorer(&format!("ruleset:{}", shown.ruleset))) { code { (shown.ruleset) } }
                ", policy " code { (shown.policy) }
            }
        }
    }
}

fn findings(findings: &[FindingView]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { "Detection" } th { "Version" } th { "Effect" } th { "Category" } th { "Part" } th { "Evidence" }
                th { "Before" }
            } }
            tbody { @for finding in findings { @let version = &finding.detection_version; tr {
                td { a href={ "/detections/" (encoded(&finding.detection)) } { (finding.detection) } }
                td { a href=(explorer(&format!("version:{}", quoted(version)))) { code { (version) } } }
                td {
                    (chip(&finding.effect))
                    @if finding.mode != "Enforce" { " " (chip(&finding.mode)) }
                }
                td { (finding.category) }
                td {
                    @if let Some(part) = finding.part {
                        (part)
                        @if let Some(offset) = finding.offset { " at " (offset) }
                    }
                }
                td.evidence { code { (finding.evidence) } }
                td { @if let Some(previous) = &finding.previous {
                    @if previous.hit { "hit as well" } @else { strong { "did not hit" } }
                } }
            } } }
        } }
    }
}

/// What could act on it may have been wrong: an incident about that version, whose every message is counted in.
fn blame(shown: &ExplainedView) -> Markup {
    let acts =
        |finding: &&FindingView| finding.mode == "Enforce" && matches!(finding.effect.as_str(), "Hold" | "Block");
    let acting = shown.findings.iter().filter(acts);
    let mut suspects: Vec<(&str, &str)> =
        acting.map(|one| (one.detection.as_str(), one.detection_version.as_str())).collect();
    suspects.sort_unstable();
    suspects.dedup();
    html! {
        @if !suspects.is_empty() { details {
            summary { "A detection was wrong" }
            p.dim {
                "An incident counts in everything that this version held, and has it examined again as soon as that "
                "can lead to something."
            }
            @for (code, version) in suspects { (super::incident::opening(code, version, &shown.mail_id)) }
        } }
    }
}

fn timeline(life: &[TraceView]) -> Markup {
    html! {
        section {
            h2 { "What happened" }
            @for unit in life {
                h3 { (unit.recipient) " " (chip(&unit.account)) }
                ol.timeline { @for event in &unit.events {
                    li {
                        (moment(&event.at)) " " strong { (spoken(&event.what)) } " → " (spoken(&event.account))
                        span.dim {
                            " by " (event.actor)
                            @if !event.reason.is_empty() { ": " (event.reason) }
                        }
                    }
                } }
            }
        }
    }
}

fn engines(shown: &ExplainedView) -> Markup {
    html! {
        section {
            h2 { "Engines and authentication" }
            div.scroll { table {
                thead { tr {
                    th { "Engine" } th { "Version" } th { "Data" } th { "Outcome" } th.right { "ms" } td {}
                } }
                tbody { @for engine in &shown.engines { tr {
                    td { (engine.engine) } td { (engine.version) } td { (engine.data_version) }
                    td { (engine.outcome) } td.right { (format!("{:.1}", engine.millis)) } td { (engine.detail) }
                } } }
            } }
            @if let Some(auth) = &shown.authentication { (authentication(auth, shown.first_contact)) }
        }
    }
}

fn authentication(auth: &AuthenticationView, first_contact: Option<bool>) -> Markup {
    facts(&[
        ("SPF", html! { (auth.spf) " " span.dim { (auth.spf_domain) } }),
        (
            "DKIM",
            html! {
                @for one in &auth.dkim { (one.result) " " span.dim { (one.domain) } " " }
                @if auth.dkim.is_empty() { "none" }
            },
        ),
        ("DMARC", html! { (auth.dmarc) " " span.dim { (auth.dmarc_policy) } }),
        ("Aligned", html! { (auth.aligned.as_deref().unwrap_or_default()) }),
        (
            "First contact",
            html! { @match first_contact { Some(true) => "yes", Some(false) => "no", None => "not known" } },
        ),
    ])
}

fn parts(parts: &[KnownPartView]) -> Markup {
    html! {
        section {
            h2 { "Parts" }
            div.scroll { table {
                thead { tr {
                    th { "No." } th { "Name" } th { "Type" } th { "Declared" } th.right { "Size" } th { "SHA-256" }
                    th { "Seen before" }
                } }
                tbody { @for KnownPartView { part, memory } in parts { @let hash = part.sha256.as_str(); tr {
                    td { (part.number) } td.address { (part.name) }
                    td { (part.family) " " span.dim { (part.content_type) } } td { (part.declared) }
                    td.right { (size(part.size)) }
                    td { a href=(explorer(&format!("sha256:{hash}"))) title=(hash) {
                        code { (hash.get(..12).unwrap_or(hash)) "…" }
                    } }
                    td { (sightings(memory.as_ref())) }
                } } }
            } }
        }
    }
}

/// What the past says of a part.
fn sightings(memory: Option<&SightingsView>) -> Markup {
    let many = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    html! {
        @match memory {
            None => span.dim { "not in clean mail" },
            Some(memory) => {
                "in " (many(memory.mails, "clean mail")) " of " (many(memory.senders, "sender"))
                " since " (moment(&memory.since))
                @if let Some(at) = &memory.called_bad { "; " strong { "called bad" } " " (moment(at)) }
            }
        }
    }
}

fn links(shown: &ExplainedView) -> Markup {
    let (urls, domains, odd) = (&shown.urls, &shown.url_domains, &shown.ambiguities);
    html! {
        @if !domains.is_empty() || !odd.is_empty() {
            section {
                @if !domains.is_empty() {
                    h2 { "Links lead to" }
                    ul { @for domain in domains {
                        li { a href=(explorer(&format!("url:{}", quoted(domain)))) { code { (domain) } } }
                    } }
                    @if !urls.is_empty() { details {
                        summary { "The links themselves (" (urls.len()) ")" }
                        ul { @for url in urls { li { code.address { (url) } } } }
                    } }
                }
                @if !odd.is_empty() { h2 { "Ambiguities" } ul { @for one in odd { li { (one) } } } }
            }
        }
    }
}

/// Where to look for mail like this.
fn similar(shown: &ExplainedView) -> Markup {
    let (sender, subject) = (&shown.sender, &shown.subject);
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
    for finding in shown.findings.iter().take(5) {
        let (code, version) = (&finding.detection, &finding.detection_version);
        ways.push((
            format!("hit by the same version of {code}"),
            format!("detection:{} version:{version}", quoted(code)),
        ));
    }
    for KnownPartView { part, .. } in shown.parts.iter().take(5) {
        let unnamed = format!("part {} ({})", part.number, part.family);
        let name = if part.name.is_empty() { &unnamed } else { &part.name };
        ways.push((format!("with the same {name}"), format!("sha256:{}", part.sha256)));
    }
    html! {
        section {
            h2 { "Similar messages" }
            ul { @for (name, query) in &ways { li { a href=(explorer(query)) { (name) } } } }
        }
    }
}

fn content(id: &str) -> Markup {
    let text = format!("/messages/{id}/text");
    html! {
        section {
            h2 { "Content" }
            p { "Looking at somebody's mail is recorded." }
            p.buttons {
                a.button href=(text) { "Read the text" } " "
                a.button href={ (text) "?show=page" } { "See the page, made harmless" } " "
                a.button href={ (text) "?show=pictures" } { "See the pictures, drawn anew" }
            }
            form.inline method="post" action={ "/messages/" (id) "/raw" } { (enter_does_nothing())
                (reason(true))
                label { "Password of the zip file"
                    input type="text" name="password" value="infected" minlength="4" maxlength="100" required
                        autocomplete="off";
                }
                button.quiet { "Download" }
            }
        }
    }
}

fn reports(said: &[SubmissionView]) -> Markup {
    html! {
        @if !said.is_empty() {
            section {
                h2 { "What people said" }
                ul { @for one in said { li {
                    a href={ "/submissions/" (one.number) } { (moment(&one.at)) } " " (one.reporter) ": "
                    (spoken(&one.kind))
                    @if !one.comment.is_empty() { ": " (one.comment) }
                    @if let Some(incident) = &one.incident { " " a href={ "/incidents/" (incident) } { (incident) } }
                } } }
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
async fn content_page(service: Service, operator: Operator, id: String, show: Show) -> PageResult {
    let shown = held::show(&service, &operator, &id).await?;
    let content = match show {
        Show::Text => texts(&read::preview(&service, &operator, &id).await?),
        Show::Page => framed(&id),
        Show::Pictures => pictures(&read::pictures(&service, &operator, &id).await?),
    };
    let headers = read::headers(&service, &operator, &id).await?;
    let subject = &shown.held.subject;
    let body = html! {
        p { a href={ "/messages/" (id) } { "Back to the message" } }
        h1 { (subject) }
        (content)
        details { summary { "Header" } pre.mail { (headers.headers) } }
    };
    Ok(page(&operator, "/explorer", subject, body))
}

fn texts(preview: &PreviewView) -> Markup {
    html! {
        @for one in &preview.texts { pre.mail { (one) } }
        @if preview.texts.is_empty() { p { "It has no plain text." } }
    }
}

/// The HTML of a message, in a frame that may do nothing.
fn framed(id: &str) -> Markup {
    html! {
        p.dim {
            "Scripts, forms, links and what lies elsewhere are taken out; pictures of the mail itself are drawn anew. "
            "Nothing is loaded."
        }
        iframe.letter sandbox="" referrerpolicy="no-referrer" src={ "/messages/" (id) "/html" }
            title="The message, made harmless" {}
    }
}

fn pictures(shown: &PicturesView) -> Markup {
    html! {
        p.dim {
            "Each was decoded and encoded anew, by a process that can do nothing else. Nothing of the files themselves "
            "is here."
        }
        @if shown.pictures.is_empty() { p { "It has no pictures." } }
        ul.pictures { @for one in &shown.pictures { li { figure {
            @if let Some(drawn) = &one.drawn {
                img src={ "data:" (drawn.content_type) ";base64," (drawn.data) }
                    width=(drawn.width) height=(drawn.height)
                    alt={ "Part " (one.part) @if !one.name.is_empty() { ": " (one.name) } };
            } @else { p { "Not drawn: " (one.why) } }
            figcaption { "Part " (one.part) " " span.dim { (one.name) " " (one.content_type) } }
        } } } }
    }
}

/// `GET /messages/{id}/text`: what a held message says.
///
/// # Errors
/// What the API says.
pub async fn text_of(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Query(how): Query<How>,
) -> PageResult {
    is_id(&id)?;
    content_page(service, operator, id, how.show).await
}

/// `POST /messages/{id}/raw`: the bytes as they came, for a reason, in a zip file with a password.
///
/// # Errors
/// When no reason is given, or what the API says.
pub async fn raw(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    form: Form,
) -> PageResult {
    is_id(&id)?;
    let why = form.one("reason").trim();
    if why.is_empty() {
        return Err(ServiceError::Bad("say why you want the bytes: it goes into the record".into()).into());
    }
    let ask = ArchiveAsk { reason: why.to_owned(), password: form.one("password").to_owned() };
    Ok(download::whole(read::archive(&service, &operator, &id, ask).await?))
}

/// `POST /messages/{id}/act`.
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
    let recipients: Vec<String> = form.all("recipient").map(str::to_owned).collect();
    match form.one("do") {
        verb @ ("false_positive" | "false_negative") => {
            let (kind, comment) = (verb.to_owned(), form.one("reason").to_owned());
            let ask = SubmissionAsk { mail_id: id.clone(), kind, comment, ..SubmissionAsk::default() };
            submission::add(&service, &operator, ask).await?;
        }
        verb @ ("allow" | "block") => entry(&service, &operator, &id, verb, &form).await?,
        "copy" => {
            let (to, reason) = (form.one("to").to_owned(), form.one("reason").to_owned());
            let ask = CopyAsk { to, reason, ..CopyAsk::default() };
            copy::copy(&service, &operator, &id, ask).await?;
        }
        verb => {
            // To nobody is not to everybody: the API takes no name for all of them.
            if form.one("some") == "yes" && recipients.is_empty() {
                return Err(ServiceError::Bad("nothing is chosen: tick the recipients that it is about".into()).into());
            }
            if verb == "release" {
                let mut units: Vec<(&str, &str)> = recipients.iter().map(|one| (id.as_str(), one.as_str())).collect();
                if units.is_empty() {
                    units.push((&id, ""));
                }
                let (action, back) = (format!("/messages/{id}/act"), format!("/messages/{id}"));
                let wanted = Wanted { action: &action, form: &form, back: &back };
                if let Some(page) = confirm::asks(&service, &operator, wanted, &units).await? {
                    return Ok(page);
                }
            }
            decide(&service, &operator, verb, &id, recipients, form.one("reason")).await?;
        }
    }
    Ok(back_to(&format!("/messages/{id}")).into_response())
}

/// An entry about a message's sender, because of it: when the verdict is taken back, so is the entry.
async fn entry(service: &Service, operator: &Operator, id: &str, verb: &str, form: &Form) -> Result<(), ServiceError> {
    let hours: u64 = form.one("hours").parse().map_err(|_| ServiceError::Bad("hours is a number".into()))?;
    let shown = explain::show(service, operator, id).await?;
    if shown.sender.is_empty() {
        return Err(ServiceError::Bad("it has the null sender: there is nobody to allow or block".into()));
    }
    let ask = EntryAsk {
        action: verb.to_owned(),
        kind: "sender".to_owned(),
        value: shown.sender,
        reason: form.one("reason").to_owned(),
        hours: Some(hours),
        caused_by: (verb == "block").then(|| id.to_owned()),
        ..EntryAsk::default()
    };
    service::entry::add(service, operator, ask).await.map(drop)
}
