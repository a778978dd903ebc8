//! Who may sign in; and what somebody does about their own sign-in.

use api_types::person::{DisableAsk, InviteAsk, PersonView};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use maud::{Markup, html};
use service::Service;
use service::access::{Operator, Role};
use service::account::{self, Account, Code};
use service::error::ServiceError;
use service::session::Session;
use texts::say;
use web::fault::PageResult;
use web::form::Form;
use web::page::{enter_does_nothing, languages, moment};

use crate::explorer::back_to;
use crate::page::{chip, facts, page, reason};

/// `GET /people`.
///
/// # Errors
/// What the API says.
pub async fn list_all(State(service): State<Service>, Extension(operator): Extension<Operator>) -> PageResult {
    let needs_password = service.config.oidc.is_none();
    let people = service::person::list(&service, &operator).await?;
    Ok(page(&operator, "/people", say!(nav_people), people_body(&people, None, &operator.name, needs_password)))
}

/// A role, as people read it.
fn role(role: &str) -> String {
    match role {
        "admin" => say!(people_admin).into(),
        "analyst" => say!(people_analyst).into(),
        "auditor" => say!(people_auditor).into(),
        other => other.to_owned(),
    }
}

/// Whether somebody can sign in as an administrator of all domains; where an account elsewhere vouches for people, none
/// needs a password here. (The store decides; this is so that nobody has to try.)
fn is_admin(one: &PersonView, needs_password: bool) -> bool {
    one.role == Role::Admin.as_str()
        && one.disabled.is_none()
        && (one.has_password || !needs_password)
        && one.domains.is_empty()
}

fn people_body(people: &[PersonView], invited: Option<&PersonView>, me: &str, needs_password: bool) -> Markup {
    let admins = people.iter().filter(|one| is_admin(one, needs_password));
    let admins: Vec<&str> = admins.map(|one| one.name.as_str()).collect();
    html! {
        h1 { (say!(nav_people)) }
        @if let Some(invited) = invited {
            article.notice.good role="status" {
                p {
                    (say!(people_invited, name = html! { strong { (invited.name) } },
                        until = moment(invited.invited_until.as_deref().unwrap_or_default())))
                }
                p { code.secret { "/welcome#" (invited.invitation.as_deref().unwrap_or_default()) } }
                p.dim { (say!(people_invited_where)) }
            }
        }
        section.actions {
            h2 { (say!(people_invite)) }
            form.row method="post" action="/people/act" { (enter_does_nothing())
                label { (say!(people_name))
                    input type="text" name="name" required maxlength="100" autocomplete="off";
                }
                label { (say!(people_role)) select name="role" {
                    @for one in [Role::Analyst, Role::Auditor, Role::Admin] {
                        option value=(one.as_str()) { (role(one.as_str())) }
                    }
                } }
                label { (say!(people_only_domains))
                    input type="text" name="domains" placeholder=(say!(people_all_domains));
                }
                button name="do" value="invite" { (say!(people_invite_button)) }
            }
        }
        div.scroll { table {
            thead { tr {
                th { (say!(people_name)) } th { (say!(people_role)) } th { (say!(people_domains)) }
                th { (say!(people_sign_in)) } th { (say!(people_added)) } td {}
            } }
            tbody { @for one in people { tr {
                td { (one.name) } td { (role(&one.role)) }
                td {
                    @if one.domains.is_empty() { span.dim { (say!(people_all_domains)) } }
                    @else { (one.domains.join(", ")) }
                }
                td { (way_in(one)) }
                td.when { (moment(&one.made)) " " span.dim { (say!(people_added_by, name = &one.made_by)) } }
                td { @if one.disabled.is_none() {
                    @if admins == [one.name.as_str()] { span.dim { (say!(people_last_admin)) } }
                    @else { (disabling(&one.name, me)) }
                } }
            } } }
        } }
    }
}

/// How somebody signs in.
fn way_in(one: &PersonView) -> Markup {
    html! {
        @if one.disabled.is_some() { (chip("disabled")) }
        @else if one.has_totp && one.has_password { (say!(people_password_and_codes)) }
        @else if one.has_password { (say!(people_password)) }
        @else { span.dim { (say!(people_is_invited)) } }
    }
}

fn disabling(name: &str, me: &str) -> Markup {
    html! {
        form.inline method="post" action="/people/act" { (enter_does_nothing())
            input type="hidden" name="name" value=(name);
            (reason(false))
            button.quiet name="do" value="disable" {
                @if name == me { (say!(people_disable_me)) } @else { (say!(people_disable)) }
            }
        }
    }
}

/// `POST /people/act`: invites somebody, or disables somebody.
///
/// # Errors
/// What the API says.
pub async fn act(State(service): State<Service>, Extension(operator): Extension<Operator>, form: Form) -> PageResult {
    if form.one("do") == "disable" {
        let ask = DisableAsk { reason: form.one("reason").to_owned(), ..DisableAsk::default() };
        service::person::disable(&service, &operator, form.one("name"), ask).await?;
        return Ok(back_to("/people"));
    }
    let domains = form.one("domains").split([',', ' ']).filter(|domain| !domain.is_empty());
    let ask = InviteAsk {
        name: form.one("name").to_owned(),
        role: form.one("role").to_owned(),
        domains: domains.map(str::to_owned).collect(),
        ..InviteAsk::default()
    };
    let invited = service::person::invite(&service, &operator, ask).await?;
    let needs_password = service.config.oidc.is_none();
    let people = service::person::list(&service, &operator).await?;
    // Shown in the answer itself: the secret is nowhere else.
    let body = people_body(&people, Some(&invited), &operator.name, needs_password);
    Ok(page(&operator, "/people", say!(nav_people), body))
}

/// `GET /me`: one's own sign-in.
///
/// # Errors
/// When the store fails.
pub async fn me(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Extension(session): Extension<Session>,
) -> PageResult {
    let body = me_body(&service, &operator, &session, None, "").await?;
    Ok(page(&operator, "/me", &operator.name, body))
}

async fn me_body(
    service: &Service,
    operator: &Operator,
    session: &Session,
    new_codes: Option<&str>,
    wrong: &str,
) -> Result<Markup, ServiceError> {
    let Account { has_codes, sessions } = account::show(service, operator).await?;
    Ok(html! {
        h1 { (operator.name) }
        (facts(&[
            (say!(people_role), html! { (role(operator.role.as_str())) }),
            (say!(me_codes), html! { @if has_codes { (say!(me_codes_on)) } @else { (say!(me_codes_off)) } }),
        ]))
        section {
            h2 { (say!(me_codes)) }
            @if !wrong.is_empty() { p.wrong role="alert" { (wrong) } }
            @if let Some(codes) = new_codes {
                article.notice.warn {
                    p { (say!(me_codes_secret)) }
                    p { code.secret { (codes) } }
                    form.inline method="post" action="/me/act" {
                        input type="hidden" name="secret" value=(codes);
                        (code_field())
                        button name="do" value="codes-on" { (say!(me_codes_use)) }
                    }
                }
            } @else {
                form.inline method="post" action="/me/act" {
                    @if has_codes {
                        (code_field())
                        button.quiet name="do" value="codes-off" { (say!(me_codes_stop)) }
                    } @else { button name="do" value="codes-new" { (say!(me_codes_use)) } }
                }
            }
        }
        section {
            h2 { (say!(language_title)) }
            (languages("/me"))
        }
        section {
            h2 { (say!(me_sessions)) }
            div.scroll { table {
                thead { tr {
                    th { (say!(me_session_began)) } th { (say!(me_session_used)) } th { (say!(me_session_client)) }
                    td {}
                } }
                tbody { @for one in sessions { tr {
                    td.when { (moment(&one.began.to_string())) }
                    td.when { (moment(&one.seen.to_string())) }
                    td { (one.client) }
                    td { @if one.id == session.id { (say!(me_session_this)) } @else {
                        form.inline method="post" action="/me/act" {
                            input type="hidden" name="session" value=(one.id);
                            button.quiet name="do" value="end" { (say!(me_session_end)) }
                        }
                    } }
                } } }
            } }
        }
    })
}

fn code_field() -> Markup {
    html! {
        label {
            (say!(me_code))
            input type="text" name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="7";
        }
    }
}

/// `POST /me/act`.
///
/// # Errors
/// When a code does not fit, or the store fails.
pub async fn me_act(
    State(service): State<Service>,
    Extension(operator): Extension<Operator>,
    Extension(session): Extension<Session>,
    form: Form,
) -> PageResult {
    // The secret that somebody has just put into their device stays on the page, so that another code of it can be
    // tried.
    let again = async |codes: Option<&str>| {
        let wrong = say!(me_code_wrong).to_string();
        let body = me_body(&service, &operator, &session, codes, &wrong).await?;
        Ok((StatusCode::BAD_REQUEST, page(&operator, "/me", &operator.name, body)).into_response())
    };
    match form.one("do") {
        "codes-new" => {
            let codes = account::new_codes(&service);
            let body = me_body(&service, &operator, &session, Some(&codes), "").await?;
            return Ok(page(&operator, "/me", &operator.name, body));
        }
        "codes-on" => {
            let codes = form.one("secret");
            if account::use_codes(&service, &operator, codes, form.one("code")).await? == Code::Wrong {
                return again(Some(codes)).await;
            }
        }
        "codes-off" => {
            if account::stop_codes(&service, &operator, form.one("code")).await? == Code::Wrong {
                return again(None).await;
            }
        }
        "end" => account::end_session(&service, &operator, form.one("session")).await?,
        other => return Err(ServiceError::Bad(format!("'{other}' is nothing that can be done here")).into()),
    }
    Ok(back_to("/me"))
}
