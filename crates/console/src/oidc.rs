//! Signing in where somebody has an account already: OpenID Connect (Core 1.0) by the authorization code flow with PKCE
//! (RFC 7636).
//!
//! It says who somebody is, and nothing of what they may: that is the table of people here, and who is not in it does
//! not come in. The id token comes from the issuer itself, over TLS; so its signature need not be checked (Core 1.0
//! section 3.1.3.7), and all that it says is.
//!
//! What the issuer says is read as plain JSON, by the names of those specifications: it is a stranger's, a field may be
//! missing or be of another type than it should, and which claim is the name is a setting.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use domain::Timestamp;
use hyper::Method;
use maud::html;
use platform::authorities::Authorities;
use platform::config::oidc::OidcConfig;
use platform::https::Endpoint;
use platform::keys::random_secret;
use platform::percent::encoded;
use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::Value;
use service::error::ServiceError;
use service::{Service, attempt, session};
use sha2::{Digest, Sha256};
use texts::say;
use web::fault::PageResult;
use web::own_page::cookie;
use web::page::bare;

use crate::door::begun;
use crate::sign_in::{Wanted, client, own_path};

/// What is remembered in the browser while somebody is away; `Lax`, because they come back from elsewhere.
const AWAY_COOKIE: &str = "__Host-reprieve-away";
/// Seconds that somebody may be away.
const AWAY: i64 = 600;
/// Seconds by which clocks may differ.
const SKEW: i64 = 60;

/// Where the issuer is asked what (OpenID Connect Discovery 1.0 section 3).
struct Issuer {
    authorization: String,
    token: Endpoint,
    tls: Arc<ClientConfig>,
}

impl Issuer {
    async fn discover(config: &OidcConfig) -> Result<Self, ServiceError> {
        let failed = |why: String| ServiceError::Unavailable(format!("{} cannot be asked: {why}", config.issuer));
        let tls = Authorities::with(config.ca.as_deref()).client().map_err(failed)?;
        let place = Endpoint::parse(&format!("{}/.well-known/openid-configuration", config.issuer)).map_err(failed)?;
        let (status, body) = place.ask(Method::GET, &[], Vec::new(), &tls).await.map_err(failed)?;
        let said: Value = serde_json::from_slice(&body).map_err(|error| failed(format!("{status}: {error}")))?;
        let text =
            |name: &str| said[name].as_str().map(str::to_owned).ok_or_else(|| failed(format!("it has no {name}")));
        if text("issuer")?.trim_end_matches('/') != config.issuer {
            return Err(failed("it calls itself something else".into()));
        }
        let token = Endpoint::parse(&text("token_endpoint")?).map_err(failed)?;
        if !token.is_secret {
            return Err(failed("its token endpoint is not https".into()));
        }
        Ok(Self { authorization: text("authorization_endpoint")?, token, tls })
    }

    /// The id token for a code.
    async fn redeem(&self, config: &OidcConfig, code: &str, verifier: &str) -> Result<Value, ServiceError> {
        let refused =
            |why: String| ServiceError::Unauthorized(format!("{} does not vouch for you: {why}", config.issuer));
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &back_url(config)),
            ("code_verifier", verifier),
        ];
        let body = form.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
        // The parts are form-encoded first (RFC 6749 section 2.3.1).
        let pair = format!("{}:{}", encoded(&config.client_id), encoded(&config.client_secret));
        let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let fields = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("authorization", basic.as_str()),
        ];
        let (status, body) =
            self.token.ask(Method::POST, &fields, body.into_bytes(), &self.tls).await.map_err(refused)?;
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        if !status.is_success() {
            return Err(refused(format!("{status} {}", said["error"].as_str().unwrap_or_default())));
        }
        let payload = said["id_token"].as_str().and_then(|token| token.split('.').nth(1));
        let claims = payload.and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
        claims
            .and_then(|claims| serde_json::from_slice(&claims).ok())
            .ok_or_else(|| refused("it sent no id token".into()))
    }
}

/// What an id token says, checked: the name, or what is wrong (Core 1.0 section 3.1.3.7).
fn name_in(claims: &Value, config: &OidcConfig, nonce: &str, now: Timestamp) -> Result<String, &'static str> {
    let is_for_us = match &claims["aud"] {
        Value::String(one) => *one == config.client_id,
        Value::Array(all) => {
            // Of several, the authorised party must be us.
            all.iter().any(|one| *one == config.client_id) && (all.len() == 1 || claims["azp"] == config.client_id)
        }
        _ => false,
    };
    let second = |name: &str| claims[name].as_i64().unwrap_or(0);
    if claims["iss"].as_str().map(|issuer| issuer.trim_end_matches('/')) != Some(config.issuer.as_str()) {
        Err("the token is of another issuer")
    } else if !is_for_us {
        Err("the token is for somebody else")
    } else if second("exp") + SKEW <= now.as_seconds() {
        Err("the token's time is over")
    } else if second("iat") - SKEW > now.as_seconds() {
        Err("the token is of the future")
    } else if claims["nonce"] != nonce {
        Err("the token is not the one that was asked for")
    } else if config.claim == "email" && claims["email_verified"] != true {
        Err(match claims["email_verified"] {
            Value::Null => {
                "the issuer does not say whether the address is verified: an administrator has it send email_verified \
                 with the address, or sets claim in [oidc] to one that nobody can choose, such as sub"
            }
            _ => "the address is not verified there: verify it with the issuer first",
        })
    } else {
        let name = claims[config.claim.as_str()].as_str().map(str::trim).filter(|name| !name.is_empty());
        name.map(str::to_owned).ok_or("the token does not say the claim that is a name here")
    }
}

fn back_url(config: &OidcConfig) -> String {
    format!("{}/sign-in/back", config.console)
}

fn configured(service: &Service) -> Result<&OidcConfig, ServiceError> {
    service.config.oidc.as_ref().ok_or_else(|| ServiceError::NotFound("nobody signs in that way here".into()))
}

/// `GET /sign-in/away`: to the issuer. What has to be the same when they come back is kept in their browser.
///
/// # Errors
/// When the issuer cannot be asked.
pub async fn away(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> PageResult {
    let config = configured(&service)?;
    attempt::from(&service, &client(peer, &headers))?;
    let issuer = Issuer::discover(config).await?;
    let [state, nonce, verifier] = [(); 3].map(|()| random_secret(service.clock.as_ref()));
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let asked = [
        ("response_type", "code"),
        ("client_id", &config.client_id),
        ("redirect_uri", &back_url(config)),
        ("scope", "openid email profile"),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let asked = asked.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
    let mark = if issuer.authorization.contains('?') { '&' } else { '?' };
    let to = BASE64_URL_SAFE_NO_PAD.encode(own_path(wanted.to()));
    let kept = format!(
        "{AWAY_COOKIE}={state}.{nonce}.{verifier}.{to}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={AWAY}"
    );
    Ok(([(SET_COOKIE, kept)], Redirect::to(&format!("{}{mark}{asked}", issuer.authorization))).into_response())
}

/// What the issuer sends somebody back with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Back {
    code: String,
    state: String,
    error: String,
}

/// `GET /sign-in/back`: somebody comes back from the issuer. A session begins only for who went there
/// from this browser a moment ago.
///
/// # Errors
/// When the issuer does not vouch for them, or nobody of that name is a person here.
pub async fn back(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> PageResult {
    let config = configured(&service)?;
    let (now, client) = (service.clock.now(), client(peer, &headers));
    attempt::from(&service, &client)?;
    let refused = |why: &str| ServiceError::Unauthorized(format!("{why}; begin again at the page where one signs in"));
    let kept = cookie(&headers, AWAY_COOKIE).ok_or_else(|| refused("you have not begun in this browser"))?;
    let kept: Vec<&str> = kept.splitn(4, '.').collect();
    let [state, nonce, verifier, to] = kept[..] else { return Err(refused("what was kept cannot be read").into()) };
    if state.is_empty() || back.state != state {
        return Err(refused("this is not where you began").into());
    }
    if !back.error.is_empty() {
        return Err(
            refused(&format!("{} says: {}", config.issuer, back.error.chars().take(200).collect::<String>())).into()
        );
    }
    let claims = Issuer::discover(config).await?.redeem(config, &back.code, verifier).await?;
    let name = name_in(&claims, config, nonce, now).map_err(refused)?;
    let secret = session::by_issuer(&service, &client, &name, &config.issuer).await?;
    let to = BASE64_URL_SAFE_NO_PAD.decode(to).ok().and_then(|to| String::from_utf8(to).ok()).unwrap_or_default();
    let gone = format!("{AWAY_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok(welcome(&name, own_path(&to), [(SET_COOKIE, begun(&secret)), (SET_COOKIE, gone)]))
}

/// The session's cookie is not sent along with what another site began, such as the way back: so there is a page
/// between.
fn welcome(name: &str, to: &str, cookies: [(axum::http::HeaderName, String); 2]) -> Response {
    let body = html! {
        h1 { (say!(signed_in_welcome, name = name)) }
        p { a.button href=(to) data-go="1" { (say!(signed_in_go)) } }
    };
    let mut response = bare(say!(signed_in_title), body);
    for (field, value) in cookies {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(field, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_is_checked_word_by_word() {
        let config = OidcConfig {
            issuer: "https://id.example".into(),
            client_id: "us".into(),
            client_secret: "s".into(),
            console: "https://c.example".into(),
            claim: "email".into(),
            ca: None,
        };
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let second = now.as_seconds();
        let good = json!({
            "iss": "https://id.example/", "aud": "us", "exp": second + 60, "iat": second, "nonce": "n",
            "email": "anna@ours.example", "email_verified": true,
        });
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            name_in(&claims, &config, "n", now)
        };
        assert_eq!(name_in(&good, &config, "n", now), Ok("anna@ours.example".into()));
        assert!(with("aud", json!(["us"])).is_ok());
        for (name, value) in [
            ("iss", json!("https://evil.example")),
            ("iss", Value::Null),
            ("aud", json!("them")),
            ("aud", json!(["us", "them"])),
            ("aud", Value::Null),
            ("exp", json!(second - 61)),
            ("exp", Value::Null),
            ("iat", json!(second + 61)),
            ("nonce", json!("m")),
            ("nonce", Value::Null),
            ("email", json!("")),
            ("email", json!(7)),
            ("email_verified", json!(false)),
            ("email_verified", Value::Null),
            ("email_verified", json!("true")),
            ("email_verified", json!(1)),
        ] {
            assert!(with(name, value.clone()).is_err(), "{name} {value}");
        }
        let mut silent = good.clone();
        silent.as_object_mut().expect("an object").remove("email_verified");
        let refused = name_in(&silent, &config, "n", now).expect_err("nobody vouches for the address");
        assert!(refused.contains("email_verified") && refused.contains("claim in [oidc]"), "{refused}");
        // Another claim is a name that the issuer itself has given; nobody has to verify it.
        let by_subject = OidcConfig { claim: "sub".into(), ..config.clone() };
        silent["sub"] = json!("anna");
        assert_eq!(name_in(&silent, &by_subject, "n", now), Ok("anna".into()));
    }
}
