//! Who sends to whom, from where and in which direction: all that is known before the first byte of content.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::domain_name::DomainName;

/// The way a unit passes the organisation's border (Threat Explorer: directionality).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// From outside to an accepted domain.
    Inbound,
    /// From a trusted client to a domain that is not ours.
    Outbound,
    /// From a trusted client with one of our senders to an accepted domain.
    Internal,
}

impl Direction {
    /// All directions, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Inbound, Self::Outbound, Self::Internal];

    /// The stored and shown name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "Inbound",
            Self::Outbound => "Outbound",
            Self::Internal => "Internal",
        }
    }

    /// Reads a name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str().eq_ignore_ascii_case(text))
    }
}

/// The client as the session knows it, after XCLIENT or PROXY from a listed peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The address of the real client.
    pub ip: IpAddr,
    /// The address of the TCP peer; differs from `ip` behind XCLIENT or PROXY.
    pub peer: IpAddr,
    /// The name given in EHLO or HELO.
    pub helo: String,
    /// `SMTP`, `ESMTP` or `ESMTPS` (RFC 3848).
    pub protocol: String,
    /// The login that authenticated, if one did (XCLIENT LOGIN, or the sender on a trusted submission listener).
    pub login: Option<String>,
}

/// `BODY=` of RFC 6152.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// `7BIT`.
    SevenBit,
    /// `8BITMIME`.
    EightBitMime,
}

/// `RET=` of RFC 3461 section 4.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ret {
    /// `FULL`.
    Full,
    /// `HDRS`.
    Headers,
}

/// Parameters of MAIL, kept so that a release repeats them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailParams {
    /// `SIZE=` in bytes (RFC 1870); the client's estimate.
    pub size: Option<u64>,
    /// `BODY=`.
    pub body: Option<Body>,
    /// `SMTPUTF8` was given (RFC 6531).
    pub smtputf8: bool,
    /// `RET=`.
    pub ret: Option<Ret>,
    /// `ENVID=` as xtext, verbatim (RFC 3461 section 4.4).
    pub envid: Option<String>,
    /// Parameters that only inform, and whose values could not be read: they are not passed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
}

/// Parameters of RCPT, kept so that a release repeats them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RcptParams {
    /// `NOTIFY=` verbatim, checked (RFC 3461 section 4.1).
    pub notify: Option<String>,
    /// `ORCPT=` verbatim, checked (RFC 3461 section 4.2).
    pub orcpt: Option<String>,
    /// Parameters that only inform, and whose values could not be read: they are not passed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
}

/// One recipient that the next hop has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The mailbox.
    pub address: Address,
    /// Its DSN parameters.
    pub params: RcptParams,
    /// The direction of this unit.
    pub direction: Direction,
    /// The accepted domain that owns this unit: the recipient's, for outbound the sender's.
    pub domain: DomainName,
}

/// The envelope of one message: one transaction, one next hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who connected.
    pub client: Client,
    /// The reverse path; `None` is the null sender `<>`.
    pub sender: Option<Address>,
    /// Its parameters.
    pub params: MailParams,
    /// The recipients, in the order of RCPT.
    pub recipients: Vec<Recipient>,
}

impl Envelope {
    /// The reverse path as text; empty for the null sender.
    pub fn sender_text(&self) -> &str {
        self.sender.as_ref().map_or("", Address::as_str)
    }
}

/// Whether an address is one of the Internet: not private, not of this host or link.
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => {
            let local = ip.segments()[0];
            // fc00::/7 and fe80::/10.
            let is_local = local & 0xfe00 == 0xfc00 || local & 0xffc0 == 0xfe80;
            !(ip.is_loopback() || ip.is_unspecified() || is_local)
        }
    }
}

/// The organisation's border: which domains are ours, and which networks speak for us.
#[derive(Clone, Debug, Default)]
pub struct Border {
    /// Accepted domains. A leading dot accepts all subdomains.
    pub accepted_domains: BTreeSet<DomainName>,
    /// Networks whose clients may send to the outside.
    pub trusted_networks: Vec<IpNet>,
}

/// A client that is neither authenticated nor trusted asked for a domain that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("relaying denied")]
pub struct RelayDenied;

impl Border {
    /// Whether `domain` is one of ours.
    pub fn accepts(&self, domain: &DomainName) -> bool {
        self.accepted_domains.contains(domain)
            || domain.match_indices('.').any(|(dot, _)| self.accepted_domains.contains(&domain[dot..]))
    }

    /// Whether `ip` is in a trusted network.
    pub fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.trusted_networks.iter().any(|net| net.contains(&ip))
    }

    /// Whether `ip` is somebody's of the Internet, and not of ours: only then it says something about who sends.
    pub fn is_stranger(&self, ip: IpAddr) -> bool {
        is_public(ip) && !self.trusts(ip)
    }

    /// The direction of one recipient, and the domain that owns the unit .
    ///
    /// `trusted` says that the client authenticated or sits in a trusted network. A trusted client with
    /// a sender outside our domains that writes to us is an upstream gateway: inbound.
    ///
    /// # Errors
    /// [`RelayDenied`] when an untrusted client wants to reach the outside.
    pub fn direct(
        &self,
        trusted: bool,
        sender: Option<&Address>,
        recipient: &Address,
    ) -> Result<(Direction, DomainName), RelayDenied> {
        let to = recipient.domain();
        let from = sender.map(Address::domain);
        let own_sender = from.as_ref().is_none_or(|domain| self.accepts(domain));
        match (self.accepts(&to), trusted) {
            (true, true) if own_sender => Ok((Direction::Internal, to)),
            (true, _) => Ok((Direction::Inbound, to)),
            (false, true) => Ok((Direction::Outbound, from.unwrap_or(to))),
            (false, false) => Err(RelayDenied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn border() -> Border {
        Border {
            accepted_domains: ["ours.example".into(), ".sub.example".into()].into(),
            trusted_networks: vec!["192.0.2.0/24".parse().expect("net")],
        }
    }

    #[test]
    fn direction_by_trust_and_accepted_domains() {
        let address = |text: &str| Address::parse(text).expect("valid");
        let check = |trusted, from: &str, to: &str| {
            let from = (!from.is_empty()).then(|| address(from));
            border().direct(trusted, from.as_ref(), &address(to)).map(|(direction, _)| direction)
        };
        assert_eq!(check(false, "x@other.example", "a@ours.example"), Ok(Direction::Inbound));
        assert_eq!(
            check(false, "a@ours.example", "a@ours.example"),
            Ok(Direction::Inbound),
            "a forged own sender is outside"
        );
        assert_eq!(check(true, "a@ours.example", "b@OURS.example"), Ok(Direction::Internal));
        assert_eq!(check(true, "", "b@ours.example"), Ok(Direction::Internal));
        assert_eq!(check(true, "a@ours.example", "x@other.example"), Ok(Direction::Outbound));
        assert_eq!(check(true, "x@other.example", "a@ours.example"), Ok(Direction::Inbound), "an upstream gateway");
        assert_eq!(check(false, "a@ours.example", "x@other.example"), Err(RelayDenied));
        assert_eq!(check(false, "x@other.example", "a@deep.sub.example"), Ok(Direction::Inbound));
        assert_eq!(check(false, "x@other.example", "a@sub.example"), Err(RelayDenied), "the dot means subdomains only");
    }

    #[test]
    fn a_domain_is_ours_in_either_kind_of_labels() {
        let address = |text: &str| Address::parse(text).expect("valid");
        for accepted in ["xn--bcher-kva.example", "Bücher.example", ".bücher.example"] {
            let border = Border { accepted_domains: [accepted.into()].into(), trusted_networks: Vec::new() };
            let below = if accepted.starts_with('.') { "shop." } else { "" };
            for to in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--bcher-KVA.example"] {
                let to = address(&format!("anna@{below}{to}"));
                let (direction, domain) = border.direct(false, None, &to).expect("ours");
                assert_eq!((direction, domain), (Direction::Inbound, format!("{below}xn--bcher-kva.example").into()));
            }
            assert_eq!(border.direct(false, None, &address("anna@bucher.example")), Err(RelayDenied));
            assert_eq!(border.direct(false, None, &address("anna@evil.example＠bücher.example")), Err(RelayDenied));
        }
    }

    #[test]
    fn only_a_stranger_says_who_sends() {
        let is = |ip: &str| border().is_stranger(ip.parse().expect("ip"));
        assert!(is("203.0.113.9") && is("2001:db8::1"));
        for ours in
            ["192.0.2.7", "::ffff:192.0.2.7", "10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1", "::1", "fd00::1", "fe80::1"]
        {
            assert!(!is(ours), "{ours}");
        }
    }

    #[test]
    fn trust_sees_through_mapped_addresses() {
        assert!(border().trusts("::ffff:192.0.2.7".parse().expect("ip")));
        assert!(!border().trusts("198.51.100.7".parse().expect("ip")));
    }
}
