//! By which name somebody comes. A page of a stranger can have its own name lead to us (DNS rebinding), and a browser
//! then takes our pages for its own; but it says that name, which is none of ours.

use std::net::IpAddr;

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::DomainName;
use hyper::HeaderMap;
use hyper::header::HOST;
use platform::config::http::name_of;

/// What programs ask by whatever name or address they were given, and what tells nobody anything but how we are.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Whether a request comes by a name of ours.
pub(super) fn is_ours(names: &[DomainName], uri: &Uri, headers: &HeaderMap) -> bool {
    if PROBES.contains(&uri.path()) {
        return true;
    }
    // RFC 9112 section 3.2.2: a host in the request line stands before the field; and there is one field.
    let mut fields = headers.get_all(HOST).iter();
    // Programs send A-labels, and some what was typed.
    let field = fields.next().and_then(|host| std::str::from_utf8(host.as_bytes()).ok());
    if fields.next().is_some() {
        return false;
    }
    let Some(host) = uri.authority().map(|authority| authority.as_str()).or(field) else { return false };
    let name = name_of(host).trim_end_matches('.');
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    // An address leads nowhere else.
    address.parse::<IpAddr>().is_ok()
        || address.parse::<std::net::SocketAddr>().is_ok()
        || names.contains(&DomainName::of(name))
}

/// 421 (RFC 9110 section 15.5.20), and what to do about it.
pub(super) fn refusal() -> Response {
    let text = "this gateway is not known by the name in the Host of this request: add the name to hosts in [http] of \
        the configuration\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn is(path: &str, hosts: &[&str]) -> bool {
        let names = ["gw.example.com", "localhost", "bücher.example"].map(DomainName::of);
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).expect("a value"));
        }
        is_ours(&names, &path.parse().expect("a target"), &headers)
    }

    #[test]
    fn only_names_and_addresses_of_ours_are_answered() {
        for host in [
            "gw.example.com",
            "GW.example.com:8025",
            "gw.example.com.",
            "localhost:1",
            "127.0.0.1",
            "192.0.2.1:8025",
            "[::1]:8025",
            "[2001:db8::1]",
            "xn--bcher-kva.example:8025",
            "BÜCHER.example",
        ] {
            assert!(is("/sign-in", &[host]), "{host}");
        }
        for host in [
            "evil.example",
            "gw.example.com.evil.example",
            "127.0.0.1.evil.example",
            "",
            "evil.example:8025",
            "gw.example.com@evil.example",
        ] {
            assert!(!is("/sign-in", &[host]), "{host}");
        }
        assert!(!is("/sign-in", &[]) && !is("/", &["gw.example.com", "evil.example"]));
        assert!(!is("http://evil.example/sign-in", &["gw.example.com"]));
    }

    #[test]
    fn probes_are_answered_by_any_name() {
        for path in PROBES {
            assert!(is(path, &["probe.monitoring.example"]) && is(path, &[]));
        }
        assert!(!is("/metrics/x", &["evil.example"]));
    }
}
