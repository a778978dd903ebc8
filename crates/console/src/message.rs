//! One message: what happened to it, why, and what a person can do about it.

use api_types::entry::EntryAsk;
use api_types::explain::{AuthenticationView, ExplainedView, FindingView, KnownPartView, SightingsView, TodayView};
use api_types::message::{TraceQuery, TraceView};
use api_types::quarantine::{ArchiveAsk, CopyAsk, PictureView, PicturesView, PreviewView, ShownView};
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
use texts::{Text, say, word};
use web::download;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, moment, size};

use crate::confirm::{self, Wanted};
use crate::explorer::{back_to, decide};
use crate::hold;
use crate::page::{Name, chip, explorer, facts, page, reason, subject_of};
use crate::state::state;
use crate::submission::kind;

/// Takes the id of a message in an address; an address without one is an address that there is not.
///
/// # Errors
/// [`ServiceError::NotFound`] when it is none.
pub fn is_id(id: &str) -> Result<(), ServiceError> {
    let id: Result<MailId, _> = id.parse();
    id.map(drop).map_err(|error| ServiceError::NotFound(error.to_string()))
}

/// How long an entry about a sender lasts: hours, and in words.
pub(crate) const LASTS: [(u32, Name); 4] = [
    (24, || say!(message_lasts_day)),
    (168, || say!(message_lasts_week)),
    (720, || say!(message_lasts_month)),
    (2160, || say!(message_lasts_quarter)),
];

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
    let subject = subject_of(&shown.subject);
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
    Ok(page(&operator, "/explorer", &subject, body))
}

fn in_brief(shown: &ExplainedView, life: &[TraceView]) -> Markup {
    let (id, sender) = (&shown.mail_id, &shown.sender);
    let first = life.first();
    let message_id = first.and_then(|unit| unit.message_id.as_deref()).unwrap_or_default();
    let direction = first.map_or_else(String::new, |unit| word(&unit.direction));
    facts(&[
        (say!(message_received), moment(&shown.received)),
        (
            say!(message_sender),
            html! {
                @if sender.is_empty() { span.dim { (say!(null_sender)) } }
                @else { a href=(explorer(&format!("sender:{}", quoted(sender)))) { (sender) } }
            },
        ),
        (
            say!(message_recipients),
            html! { ul.plain { @for unit in &shown.units { li {
                a href=(explorer(&format!("recipient:{}", quoted(&unit.recipient)))) { (unit.recipient) } " "
                (state(id, &unit.recipient, &unit.account))
                @if !unit.enforced { " " span.dim { (say!(message_not_enforced)) } }
            } } } },
        ),
        (say!(message_direction), html! { (direction) }),
        (say!(message_category), chip(&shown.category)),
        (say!(message_message_id), html! { code { (message_id) } }),
        (say!(message_network_id), html! { code { (id) } }),
    ])
}

fn actions(id: &str, held: Option<&ShownView>, operator: &Operator) -> Markup {
    let (may_read, may_block) = (operator.role.may(Permission::Read), operator.role.may(Permission::Rules));
    let can = |state: &str| held.is_some_and(|held| held.units.iter().any(|unit| unit.state == state));
    let is_held = can("held") || can("denied") || can("failed");
    html! {
        section.actions {
            h2 { (say!(message_actions)) }
            form method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                @if let Some(held) = held.filter(|held| held.units.len() > 1) {
                    input type="hidden" name="some" value="yes";
                    fieldset { legend { (say!(message_apply_to)) }
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
                        button name="do" value="release" { (say!(message_release)) }
                        button.quiet name="do" value="deny" { (say!(message_deny)) }
                        button.quiet name="do" value="delete" { (say!(message_delete)) }
                    }
                    button.quiet name="do" value="false_positive" { (say!(message_false_positive)) }
                    button.quiet name="do" value="false_negative" { (say!(message_false_negative)) }
                }
            }
            form.inline method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                (reason(true))
                label { (say!(message_lasts))
                    select name="hours" { @for (hours, words) in LASTS { option value=(hours) { (words()) } } }
                }
                button.quiet name="do" value="allow" { (say!(message_allow_sender)) }
                button.quiet name="do" value="block" { (say!(message_block_sender)) }
            }
            @if may_block { p { a href={ "/messages/" (id) "/like" } { (say!(message_block_like)) } } }
            @if is_held && may_read {
                form.inline method="post" action={ "/messages/" (id) "/act" } { (enter_does_nothing())
                    (reason(true))
                    label { (say!(message_copy_to)) input type="email" name="to" required autocomplete="off"; }
                    button.quiet name="do" value="copy" { (say!(message_copy)) }
                }
            }
        }
    }
}

/// Why it was treated so: the reasons, the findings, and what would be without each.
fn why(shown: &ExplainedView) -> Markup {
    let link = explorer(&format!("ruleset:{}", shown.ruleset));
    let ruleset = html! { a href=(link) { code { (shown.ruleset) } } };
    html! {
        section {
            h2 { (say!(message_verdict)) }
            ul.reasons {
                @for unit in &shown.units { @for reason in &unit.reasons {
                    li {
                        code { (reason.code) } " " (reason.text) " "
                        span.dim { (say!(message_reason_for, recipient = &unit.recipient)) }
                    }
                } }
            }
            @if shown.findings.is_empty() { p.dim { (say!(message_no_findings)) } }
            @else { (findings(&shown.findings)) }
            @if !shown.counterfactuals.is_empty() {
                h3 { (say!(message_counterfactuals)) }
                ul { @for one in &shown.counterfactuals {
                    li {
                        code { (one.without) "@" (one.version) } ": " (chip(&one.category)) " "
                        (chip(&one.disposition))
                    }
                } }
            }
            p { (today(&shown.today)) }
            p.dim { (say!(message_ruleset, ruleset = ruleset, policy = html! { code { (shown.policy) } })) }
        }
    }
}

/// The verdict of today's ruleset, and what it rests on.
pub(crate) fn today(today: &TodayView) -> Text {
    let (category, disposition) = (chip(&today.category), chip(&today.disposition));
    say!(message_today, category = category, disposition = disposition, basis = &today.rests_on)
}

fn findings(findings: &[FindingView]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th { (say!(detection)) } th { (say!(message_version)) } th { (say!(message_effect)) }
                th { (say!(message_category)) } th { (say!(message_part)) } th { (say!(message_evidence)) }
                th { (say!(message_previous)) }
            } }
            tbody { @for finding in findings { @let version = &finding.detection_version; tr {
                td { a href={ "/detections/" (encoded(&finding.detection)) } { (finding.detection) } }
                td { a href=(explorer(&format!("version:{}", quoted(version)))) { code { (version) } } }
                td {
                    (chip(&finding.effect))
                    @if finding.mode != "Enforce" { " " (chip(&finding.mode)) }
                }
                td { (word(&finding.category)) }
                td { @match (finding.part, finding.offset) {
                    (Some(part), Some(offset)) => (say!(message_part_at, part = part, offset = offset)),
                    (Some(part), None) => (part),
                    (None, _) => {},
                } }
                td.evidence { code { (finding.evidence) } }
                td { @if let Some(previous) = &finding.previous {
                    @if previous.hit { (say!(message_previous_hit)) }
                    @else { strong { (say!(message_previous_missed)) } }
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
            summary { (say!(message_blame)) }
            p.dim { (say!(message_blame_text)) }
            @for (code, version) in suspects { (super::incident::opening(code, version, &shown.mail_id)) }
        } }
    }
}

fn timeline(life: &[TraceView]) -> Markup {
    html! {
        section {
            h2 { (say!(message_timeline)) }
            @for unit in life {
                h3 { (unit.recipient) " " (chip(&unit.account)) }
                ol.timeline { @for event in &unit.events {
                    li {
                        (moment(&event.at)) " " strong { (word(&event.what)) } " → " (word(&event.account)) " "
                        span.dim {
                            (say!(message_event_by, actor = &event.actor))
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
            h2 { (say!(message_engines)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(message_engine)) } th { (say!(message_version)) } th { (say!(message_engine_data)) }
                    th { (say!(message_outcome)) } th.right { (say!(message_millis)) } td {}
                } }
                tbody { @for engine in &shown.engines { tr {
                    td { (engine.engine) } td { (engine.version) } td { (engine.data_version) }
                    td { (word(&engine.outcome)) } td.right { (format!("{:.1}", engine.millis)) } td { (engine.detail) }
                } } }
            } }
            @if let Some(auth) = &shown.authentication { (authentication(auth, shown.first_contact)) }
        }
    }
}

fn authentication(auth: &AuthenticationView, first_contact: Option<bool>) -> Markup {
    facts(&[
        (say!(message_spf), html! { (auth.spf) " " span.dim { (auth.spf_domain) } }),
        (
            say!(message_dkim),
            html! {
                @for one in &auth.dkim { (one.result) " " span.dim { (one.domain) } " " }
                @if auth.dkim.is_empty() { "none" }
            },
        ),
        (say!(message_dmarc), html! { (auth.dmarc) " " span.dim { (auth.dmarc_policy) } }),
        (say!(message_aligned), html! { (auth.aligned.as_deref().unwrap_or_default()) }),
        (
            say!(message_first_contact),
            html! { @match first_contact {
                Some(true) => (say!(message_yes)),
                Some(false) => (say!(message_no)),
                None => (say!(message_unknown)),
            } },
        ),
    ])
}

fn parts(parts: &[KnownPartView]) -> Markup {
    html! {
        section {
            h2 { (say!(message_parts)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(message_number)) } th { (say!(message_name)) } th { (say!(message_type)) }
                    th { (say!(message_declared)) } th.right { (say!(message_size)) } th { (say!(message_sha256)) }
                    th { (say!(message_seen_before)) }
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
    html! {
        @match memory {
            None => span.dim { (say!(message_seen_never)) },
            Some(memory) => {
                @let since = moment(&memory.since);
                (say!(message_seen, mails = memory.mails, senders = memory.senders, since = since))
                @if let Some(at) = &memory.called_bad { "; " strong { (say!(message_seen_bad, at = moment(at))) } }
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
                    h2 { (say!(message_link_domains)) }
                    ul { @for domain in domains {
                        li { a href=(explorer(&format!("url:{}", quoted(domain)))) { code { (domain) } } }
                    } }
                    @if !urls.is_empty() { details {
                        summary { (say!(message_urls, count = urls.len())) }
                        ul { @for url in urls { li { code.address { (url) } } } }
                    } }
                }
                @if !odd.is_empty() { h2 { (say!(message_ambiguities)) } ul { @for one in odd { li { (one) } } } }
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
    let mut ways: Vec<(Text, String)> = Vec::new();
    if !sender.is_empty() {
        ways.push((say!(message_like_sender), format!("sender:{}", quoted(sender))));
    }
    ways.extend(domain.map(|domain| (say!(message_like_domain), format!("sender:*@{}", quoted(domain)))));
    if !bare.is_empty() {
        ways.push((say!(message_like_subject), format!("subject:*{}", quoted(bare))));
    }
    for finding in shown.findings.iter().take(5) {
        let (code, version) = (&finding.detection, &finding.detection_version);
        ways.push((say!(message_like_hit, detection = code), format!("detection:{} version:{version}", quoted(code))));
    }
    for KnownPartView { part, .. } in shown.parts.iter().take(5) {
        let said = match part.name.as_str() {
            "" => say!(message_like_part, number = part.number, family = &part.family),
            name => say!(message_like_named_part, name = name),
        };
        ways.push((said, format!("sha256:{}", part.sha256)));
    }
    html! {
        section {
            h2 { (say!(message_similar)) }
            ul { @for (name, query) in &ways { li { a href=(explorer(query)) { (name) } } } }
        }
    }
}

fn content(id: &str) -> Markup {
    let text = format!("/messages/{id}/text");
    html! {
        section {
            h2 { (say!(message_content)) }
            p { (say!(message_content_logged)) }
            p.buttons {
                a.button href=(text) { (say!(message_show_text)) } " "
                a.button href={ (text) "?show=page" } { (say!(message_show_page)) } " "
                a.button href={ (text) "?show=pictures" } { (say!(message_show_pictures)) }
            }
            form.inline method="post" action={ "/messages/" (id) "/raw" } { (enter_does_nothing())
                (reason(true))
                label { (say!(message_zip_password))
                    input type="text" name="password" value="infected" minlength="4" maxlength="100" required
                        autocomplete="off";
                }
                button.quiet { (say!(message_download)) }
            }
        }
    }
}

fn reports(said: &[SubmissionView]) -> Markup {
    html! {
        @if !said.is_empty() {
            section {
                h2 { (say!(nav_reports)) }
                ul { @for one in said { li {
                    a href={ "/submissions/" (one.number) } { (moment(&one.at)) } " " (one.reporter) ": "
                    (kind(&one.kind))
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
        Show::Text => plain(&read::preview(&service, &operator, &id).await?),
        Show::Page => framed(&id),
        Show::Pictures => pictures(&read::pictures(&service, &operator, &id).await?),
    };
    let headers = read::headers(&service, &operator, &id).await?;
    let subject = subject_of(&shown.held.subject);
    let body = html! {
        p { a href={ "/messages/" (id) } { (say!(message_back)) } }
        h1 { (subject) }
        (content)
        details { summary { (say!(message_headers)) } pre.mail { (headers.headers) } }
    };
    Ok(page(&operator, "/explorer", &subject, body))
}

fn plain(preview: &PreviewView) -> Markup {
    html! {
        @for one in &preview.texts { pre.mail { (one) } }
        @if preview.texts.is_empty() { p { (say!(message_no_text)) } }
    }
}

/// The HTML of a message, in a frame that may do nothing.
fn framed(id: &str) -> Markup {
    html! {
        p.dim { (say!(message_page_text)) }
        iframe.letter sandbox="" referrerpolicy="no-referrer" src={ "/messages/" (id) "/html" }
            title=(say!(message_page_title)) {}
    }
}

fn pictures(shown: &PicturesView) -> Markup {
    html! {
        p.dim { (say!(message_pictures_text)) }
        @if shown.pictures.is_empty() { p { (say!(message_no_pictures)) } }
        ul.pictures { @for one in &shown.pictures { li { figure {
            @if let Some(drawn) = &one.drawn {
                img src={ "data:" (drawn.content_type) ";base64," (drawn.data) }
                    width=(drawn.width) height=(drawn.height)
                    alt=(called(one));
            } @else { p { (say!(message_picture_none, why = &one.why)) } }
            figcaption { (say!(message_picture, part = one.part)) " " span.dim { (one.name) " " (one.content_type) } }
        } } } }
    }
}

/// A picture in words.
fn called(one: &PictureView) -> Text {
    match one.name.as_str() {
        "" => say!(message_picture, part = one.part),
        name => say!(message_picture_named, part = one.part, name = name),
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
