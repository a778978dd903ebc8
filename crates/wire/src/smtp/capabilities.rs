//! What EHLO says: read from a next hop, offered to a client, and cut down to what both sides have.

use super::reply::Reply;

/// The extensions that a gateway must know about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// SIZE (RFC 1870): the largest message in bytes; 0 means no stated limit.
    pub size: Option<u64>,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced_codes: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// The attributes of XFORWARD (Postfix), if offered.
    pub xforward: Vec<String>,
    /// The attributes of XCLIENT (Postfix), if offered.
    pub xclient: Vec<String>,
}

impl Capabilities {
    /// What a host offers that nobody has asked yet: bare ESMTP.
    pub fn bare() -> Self {
        Self::default()
    }

    /// Reads a reply to EHLO. The first line is the host's name.
    pub fn of_reply(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => found.pipelining = true,
                "SIZE" => found.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0)),
                "8BITMIME" => found.eight_bit = true,
                "SMTPUTF8" => found.smtputf8 = true,
                "DSN" => found.dsn = true,
                "ENHANCEDSTATUSCODES" => found.enhanced_codes = true,
                "STARTTLS" => found.starttls = true,
                "XFORWARD" => found.xforward = words.map(str::to_ascii_uppercase).collect(),
                "XCLIENT" => found.xclient = words.map(str::to_ascii_uppercase).collect(),
                _ => {}
            }
        }
        found
    }

    /// What both offer, of the extensions that travel with a message; the smaller size limit.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let size = match (self.size, other.size) {
            (Some(0), limit) | (limit, Some(0)) => limit,
            (Some(a), Some(b)) => Some(a.min(b)),
            _ => None,
        };
        Self {
            size,
            eight_bit: self.eight_bit && other.eight_bit,
            smtputf8: self.smtputf8 && other.smtputf8,
            dsn: self.dsn && other.dsn,
            ..self.clone()
        }
    }

    /// The lines of our own EHLO reply.
    pub fn reply(&self, hostname: &str) -> Reply {
        let mut lines = vec![hostname.to_owned()];
        let mut offer = |offered: bool, line: &str| {
            if offered {
                lines.push(line.to_owned());
            }
        };
        offer(self.pipelining, "PIPELINING");
        if let Some(size) = self.size {
            offer(true, &format!("SIZE {size}"));
        }
        offer(self.starttls, "STARTTLS");
        offer(self.enhanced_codes, "ENHANCEDSTATUSCODES");
        offer(self.eight_bit, "8BITMIME");
        offer(self.dsn, "DSN");
        offer(self.smtputf8, "SMTPUTF8");
        offer(!self.xclient.is_empty(), &format!("XCLIENT {}", self.xclient.join(" ")));
        offer(!self.xforward.is_empty(), &format!("XFORWARD {}", self.xforward.join(" ")));
        Reply { code: 250, lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intersection_offers_only_what_every_hop_takes() {
        let ours = Capabilities {
            pipelining: true,
            size: Some(50),
            eight_bit: true,
            smtputf8: true,
            dsn: true,
            enhanced_codes: true,
            ..Capabilities::default()
        };
        let hop = Capabilities::of_reply(&Reply {
            code: 250,
            lines: vec!["hop".into(), "SIZE 20".into(), "8bitmime".into(), "XFORWARD NAME ADDR".into()],
        });
        let both = ours.intersection(&hop);
        assert_eq!((both.size, both.eight_bit, both.smtputf8, both.dsn), (Some(20), true, false, false));
        assert!(both.pipelining && both.enhanced_codes, "these are between us and the client");
        assert_eq!(ours.intersection(&Capabilities { size: Some(0), ..hop.clone() }).size, Some(50));
        assert_eq!(ours.intersection(&Capabilities::bare()).size, None);
        assert_eq!(hop.xforward, ["NAME", "ADDR"]);
    }
}
