//! Shares: folders and files of other computers (`\\host\share`, `file://host/share`). Whoever opens one at a
//! stranger's hands over the hash of their password (NTLM), often without a click.

use std::net::Ipv4Addr;

use super::host;
use super::url::{percent_decoded, stripped};

/// Bytes of a target that are read.
const TARGET_BYTES_MAX: usize = 4 << 10;

/// How Windows writes an address of the sixth version as a name (MS-DTYP 2.2.57).
const IPV6_LITERAL: &str = ".ipv6-literal.net";

/// A share that a target names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Its host in lower case.
    pub(crate) host: String,
    /// Whether it is reached over the web (`\\host@SSL\DavWWWRoot`), which passes a firewall.
    pub(crate) is_web: bool,
}

impl Share {
    /// The share of a target; none if it is a file of this computer, or no file.
    pub(crate) fn of(target: &str) -> Option<Self> {
        let head = &target[..target.floor_char_boundary(target.len().min(TARGET_BYTES_MAX))];
        let plain = stripped(&percent_decoded(head));
        let (is_file, path) = without_scheme(&plain);
        if !is_file && !path.starts_with("\\\\") {
            return None;
        }
        let path = path.replace('\\', "/");
        let slashes = path.len() - path.trim_start_matches('/').len();
        // file:///C:/folder is a file of this computer, file://host/ and file:////host/ are not.
        if slashes < 2 || slashes == 3 {
            return None;
        }
        let mut segments = path.trim_start_matches('/').split('/');
        let mut name = segments.next()?;
        if matches!(name, "?" | ".") {
            // \\?\UNC\host\share
            name = segments.next().filter(|word| word.eq_ignore_ascii_case("unc")).and_then(|_| segments.next())?;
        }
        Self::at(name)
    }

    fn at(name: &str) -> Option<Self> {
        let (host, is_web) = match name.split_once('@') {
            Some((host, port)) if is_port(port) => (host, true),
            Some(_) => (name.rsplit('@').next()?, false),
            None => (name, false),
        };
        let host = match host.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        };
        let host = host.trim_end_matches('.').to_lowercase();
        // C: and C| are drives.
        let is_drive = host.len() == 2 && host.ends_with([':', '|']);
        let fits = !host.is_empty() && !is_drive && host != "localhost" && !host.contains(char::is_whitespace);
        fits.then_some(Self { host, is_web })
    }

    /// The host's address, if it is written as one in whatever digits, and it is one of the public internet.
    pub(crate) fn public_address(&self) -> Option<String> {
        let literal = self.host.strip_suffix(IPV6_LITERAL).map(|text| text.replace('-', ":"));
        if let Some(address) = literal.and_then(|text| text.split('s').next()?.parse().ok()) {
            return host::is_public_v6(address).then(|| self.host.clone());
        }
        let address: Option<Ipv4Addr> = match url::Host::parse(&self.host) {
            Ok(url::Host::Ipv4(address)) => Some(address),
            Ok(url::Host::Ipv6(address)) if host::is_public_v6(address) => return Some(self.host.clone()),
            _ => None,
        };
        address.filter(|address| host::is_public_v4(*address)).map(|address| address.to_string())
    }

    /// Whether the host is outside of the own network: a public address, a public name, or reached over the web.
    pub(crate) fn is_outside(&self) -> bool {
        let is_name = !self.host.ends_with(IPV6_LITERAL) && host::is_public_name(&self.host);
        self.public_address().is_some() || is_name
    }

    /// Whether it is outside, and named as nobody names a server of theirs: by its address, or over the web.
    pub(crate) fn is_strange(&self) -> bool {
        self.public_address().is_some() || (self.is_web && self.is_outside())
    }
}

fn is_port(text: &str) -> bool {
    let port = text.to_ascii_lowercase();
    let port = port.strip_prefix("ssl").map_or(port.as_str(), |rest| rest.trim_start_matches('@'));
    port.bytes().all(|byte| byte.is_ascii_digit())
}

/// What follows the scheme of a file, and whether there was one.
fn without_scheme(plain: &str) -> (bool, &str) {
    let lower = plain.get(..8.min(plain.len())).unwrap_or_default().to_ascii_lowercase();
    for scheme in ["file:", "smb:", "cifs:", "onenote:"] {
        if lower.starts_with(scheme) {
            return (true, &plain[scheme.len()..]);
        }
    }
    (false, plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(target: &str) -> Option<String> {
        Share::of(target).map(|share| share.host)
    }

    #[test]
    fn the_hosts_of_shares() {
        for target in [
            "\\\\evil.example\\share",
            "file://evil.example/share/a.lnk",
            "file:///\\\\evil.example\\share",
            "file:////evil.example/share",
            "FILE:\\\\evil.example\\share",
            "file:///%5C%5Cevil.example%5Cshare",
            "\\\\evil.example@SSL\\DavWWWRoot\\a",
            "\\\\evil.example@80\\a",
            "\\\\EVIL.example.@ssl@443\\a",
            "\\\\?\\UNC\\evil.example\\a",
            "smb://user@evil.example/share",
            "file://evil.example:445/share",
            "onenote:///\\\\evil.example\\notes",
            "fi\nle://evil.example/a",
        ] {
            assert_eq!(host(target).as_deref(), Some("evil.example"), "{target}");
        }
        for target in [
            "file:///C:/Users/a.txt",
            "file:///etc/hosts",
            "file:/etc/hosts",
            "file://C:/a",
            "file://localhost/etc",
            "C:\\folder\\a.txt",
            "\\folder",
            "//www.example.com/logo.png",
            "https://www.example.com/",
            "\\\\.\\pipe\\x",
            "\\\\",
            "",
        ] {
            assert_eq!(host(target), None, "{target}");
        }
    }

    #[test]
    fn what_is_outside() {
        let outside = |target: &str| Share::of(target).is_some_and(|share| share.is_outside());
        for target in [
            "\\\\203.0.113.9\\a",
            "\\\\files.example.com\\a",
            "\\\\3405803785\\a",
            "\\\\2001-db8--7.ipv6-literal.net\\a",
            "file://evil.example/a",
        ] {
            assert!(outside(target), "{target}");
        }
        for target in [
            "\\\\server\\a",
            "\\\\10.1.2.3\\a",
            "file://nas.local/a",
            "\\\\fs01.corp\\a",
            "\\\\fd00--1.ipv6-literal.net\\a",
        ] {
            assert!(!outside(target), "{target}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_a_host_is_one(text in "(file:|smb:|/|\\\\|%5c|@|:|ssl|80|\\?|unc|a|\u{e9}|\\.| ){0,20}") {
            if let Some(share) = Share::of(&text) {
                prop_assert!(!share.host.is_empty() && !share.host.contains(['/', '\\', ' ']), "{share:?}");
                let _ = (share.is_outside(), share.is_strange());
            }
        }
    }
}
