//! One mail as it arrives: header fields, parts, and what services and gateways put in front.

use super::encode::{base64, base64_lines, mailbox, quoted, word};
use super::facts::Facts;
use super::seed::Seed;
use super::service::{GATEWAY, Service, Trace};

/// A file of the mail.
pub(super) struct Attachment {
    /// Its name.
    pub(super) name: String,
    /// Its type (RFC 2045).
    pub(super) kind: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// What is sent.
#[derive(Default)]
pub(super) struct Letter {
    /// Display name of the sender.
    pub(super) from: String,
    /// Address of the sender.
    pub(super) address: String,
    /// Where answers go, if elsewhere.
    pub(super) reply_to: String,
    /// Its subject.
    pub(super) subject: String,
    /// Its text.
    pub(super) text: String,
    /// Its page; nothing where it is a text alone.
    pub(super) html: String,
    /// Whether the text goes beside the page.
    pub(super) both: bool,
    /// An invitation (RFC 5545) and its method.
    pub(super) calendar: Option<(String, &'static str)>,
    /// Files.
    pub(super) attachments: Vec<Attachment>,
    /// Its parts as they are, in place of all these.
    pub(super) raw: Option<String>,
    /// Further fields.
    pub(super) fields: Vec<(String, String)>,
    /// Who carries it.
    pub(super) service: Service,
}

impl Letter {
    /// The bytes of the mail.
    pub(super) fn bytes(&self, facts: &Facts, seed: &mut Seed) -> Vec<u8> {
        let trace = self.service.trace(facts, seed);
        let envelope = if trace.envelope.is_empty() { self.address.clone() } else { trace.envelope.clone() };
        let mut mail = String::new();
        let mut put = |name: &str, value: &str| mail.push_str(&format!("{name}: {value}\r\n"));
        put("Return-Path", &format!("<{envelope}>"));
        let (results, forwarded) = self.results(&trace, &envelope, seed);
        if let Some(results) = results {
            put("Authentication-Results", &results);
        }
        for hop in hops(&trace, facts, self, forwarded, seed) {
            put("Received", &hop);
        }
        for domain in &trace.signed {
            put("DKIM-Signature", &signature(domain, self.service, facts, seed));
        }
        let (zone, hours) = seed.pick(&[("+0000", 0), ("+0000", 0), ("+0100", 1), ("+0200", 2), ("-0500", -5)]);
        put("Date", &facts.day.later(hours * 3600).field(zone));
        put("From", &mailbox(&self.from, &self.address));
        if !self.reply_to.is_empty() {
            put("Reply-To", &self.reply_to);
        }
        let name = if seed.chance(60) { facts.name() } else { String::new() };
        put("To", &mailbox(&name, &facts.email));
        put("Message-ID", &trace.id);
        put("Subject", &word(&self.subject));
        for (name, value) in trace.fields.iter().chain(&self.fields) {
            put(name, value);
        }
        put("MIME-Version", "1.0");
        mail.push_str(&self.body(seed));
        mail.into_bytes()
    }

    /// What the gateway in front found of the sender; nothing where it was not asked.
    fn results(&self, trace: &Trace, envelope: &str, seed: &mut Seed) -> (Option<String>, bool) {
        let from = self.address.rsplit('@').next().unwrap_or_default();
        let signer = trace.signed.first().cloned().unwrap_or_default();
        let bounce = envelope.rsplit('@').next().unwrap_or_default();
        let line = |spf: &str, dkim: &str, dmarc: &str| {
            Some(format!(
                "{GATEWAY};\r\n\tspf={spf} smtp.mailfrom={bounce};\r\n\tdkim={dkim} header.d={signer};\r\n\t\
                 dmarc={dmarc} header.from={from}"
            ))
        };
        match seed.below(100) {
            0..=80 => (line("pass", "pass", "pass"), false),
            81..=87 => (line("pass", "pass", "none"), false),
            88..=90 => (line("pass", "none", "none"), false),
            91..=93 => (line("softfail", "pass", "pass"), true),
            94..=95 => (line("none", "none", "none"), false),
            _ => (None, false),
        }
    }

    fn body(&self, seed: &mut Seed) -> String {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let part = match (&self.calendar, self.html.is_empty(), self.both) {
            (Some((calendar, method)), _, _) => self.with_calendar(calendar, method, seed),
            (None, true, _) => text_part("plain", &self.text, seed),
            (None, false, false) => text_part("html", &self.html, seed),
            (None, false, true) => {
                let parts = [text_part("plain", &self.text, seed), text_part("html", &self.html, seed)];
                multipart("alternative", &parts, seed)
            }
        };
        if self.attachments.is_empty() {
            return part;
        }
        let files = self.attachments.iter().map(attached);
        multipart("mixed", &std::iter::once(part).chain(files).collect::<Vec<_>>(), seed)
    }

    fn with_calendar(&self, calendar: &str, method: &str, seed: &mut Seed) -> String {
        let head = format!("Content-Type: text/calendar; charset=\"utf-8\"; method={method}\r\n");
        let invitation = if seed.chance(60) {
            format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{}", base64_lines(calendar.as_bytes()))
        } else {
            format!("{head}Content-Transfer-Encoding: 8bit\r\n\r\n{calendar}")
        };
        let mut parts = vec![text_part("plain", &self.text, seed)];
        if !self.html.is_empty() {
            parts.push(text_part("html", &self.html, seed));
        }
        parts.push(invitation);
        let part = multipart("alternative", &parts, seed);
        if seed.chance(40) {
            let name = seed.pick(&["invite.ics", "meeting.ics"]);
            let file = Attachment {
                name: name.to_owned(),
                kind: "application/ics".to_owned(),
                bytes: calendar.as_bytes().to_vec(),
            };
            return multipart("mixed", &[part, attached(&file)], seed);
        }
        part
    }
}

fn text_part(kind: &str, text: &str, seed: &mut Seed) -> String {
    let charset = seed.pick(&["UTF-8", "utf-8", "\"utf-8\""]);
    let head = format!("Content-Type: text/{kind}; charset={charset}\r\n");
    let longest = text.lines().map(str::len).max().unwrap_or_default();
    match seed.below(10) {
        0 => format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{}", base64_lines(text.as_bytes())),
        1..=3 if longest < 900 => {
            let lines: String = text.lines().map(|line| format!("{line}\r\n")).collect();
            let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
            format!("{head}Content-Transfer-Encoding: {encoding}\r\n\r\n{lines}")
        }
        _ => format!("{head}Content-Transfer-Encoding: quoted-printable\r\n\r\n{}", quoted(text)),
    }
}

fn attached(file: &Attachment) -> String {
    let name = word(&file.name);
    format!(
        "Content-Type: {}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        file.kind,
        base64_lines(&file.bytes)
    )
}

/// Parts as one (RFC 2046 section 5.1).
pub(super) fn multipart(kind: &str, parts: &[String], seed: &mut Seed) -> String {
    let boundary = match seed.below(4) {
        0 => format!("----=_Part_{}_{}.{}", seed.digits(6), seed.digits(9), seed.digits(13)),
        1 => format!("000000000000{}", seed.hex(16)),
        2 => format!("_000_{}_", seed.token(40)),
        _ => format!("--_NmP-{}-Part_1", seed.hex(16)),
    };
    let mut text = format!("Content-Type: multipart/{kind};\r\n\tboundary=\"{boundary}\"\r\n\r\n");
    for part in parts {
        text.push_str(&format!("--{boundary}\r\n{}\r\n", part.trim_end_matches("\r\n")));
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    text
}

fn hops(trace: &Trace, facts: &Facts, letter: &Letter, forwarded: bool, seed: &mut Seed) -> Vec<String> {
    let (host, ip) = &trace.host;
    let at = |seconds: i64| facts.day.later(seconds).field("+0000");
    let mut hops = Vec::new();
    let mut from = format!("{host} ({host} [{ip}])");
    if forwarded {
        let old = seed.pick(&["mx.alumni-mail.org", "forward.vereins-post.de", "mx2.improvmx.com"]);
        hops.push(format!(
            "from {old} ({old} [45.79.{}.{}])\r\n\tby {GATEWAY} (Reprieve) with ESMTPS id {}\r\n\tfor <{}>; {}",
            seed.below(250),
            seed.between(2, 250),
            seed.hex(12),
            facts.email,
            at(9)
        ));
        hops.push(format!("from {from}\r\n\tby {old} (Postfix) with ESMTPS id {};\r\n\t{}", seed.hex(10), at(6)));
    } else {
        hops.push(format!(
            "from {from}\r\n\tby {GATEWAY} (Reprieve) with ESMTPS id {}\r\n\tfor <{}>; {}",
            seed.hex(12),
            facts.email,
            at(5)
        ));
    }
    from = match letter.service {
        Service::Microsoft => {
            let (site, net) = (trace.id.rsplit('@').next().unwrap_or_default().trim_end_matches('>'), seed.hex(3));
            let other = format!("DB9PR01MB{}.eurprd01.prod.outlook.com", seed.digits(4));
            format!(
                "from {site} (2603:10a6:20b:{net}::{})\r\n by {other} (2603:10a6:10:{net}::{}) with Microsoft SMTP \
                    Server \
                 (version=TLS1_2,\r\n cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9{}.{};\r\n {}",
                seed.between(5, 30),
                seed.between(5, 30),
                seed.digits(3),
                seed.between(9, 40),
                at(2)
            )
        }
        Service::Google => format!(
            "by {host} with SMTP id {}\r\n        for <{}>; {} (PST)",
            seed.token(34),
            facts.email,
            facts.day.later(-28_798).field("-0800")
        ),
        Service::SendGrid | Service::Shopify => format!(
            "by recvd-{}-{}-1 with SMTP id recvd-{} {};\r\n\t{} UTC",
            seed.hex(10),
            seed.hex(5),
            seed.hex(18),
            seed.uuid(),
            at(1)
        ),
        Service::Own => format!(
            "from {} (localhost [127.0.0.1])\r\n\tby {host} (Postfix) with ESMTP id {};\r\n\t{}",
            seed.pick(&["app01", "web", "localhost", "cron"]),
            seed.hex(10).to_uppercase(),
            at(1)
        ),
        Service::Mailgun => format!("by {}.prod.mailgun with HTTP id {}; {}", seed.hex(12), seed.hex(24), at(1)),
        Service::Mailchimp => format!(
            "from localhost (localhost [127.0.0.1])\r\n\tby {host} (Mailchimp) with ESMTP id {}\r\n\tfor <{}>; {}",
            seed.token(15),
            facts.email,
            at(1)
        ),
        Service::Ses | Service::Postmark => return hops,
    };
    hops.push(from);
    hops
}

fn signature(domain: &str, service: Service, facts: &Facts, seed: &mut Seed) -> String {
    let selector = match (service, domain) {
        (_, "amazonses.com") | (Service::Ses, _) => seed.token(32).to_lowercase(),
        (_, "gmail.com") => "20230601".to_owned(),
        (Service::Google, _) => "google".to_owned(),
        (Service::Microsoft, _) => seed.pick(&["selector1", "selector2"]).to_owned(),
        (Service::SendGrid | Service::Shopify, _) => seed.pick(&["s1", "s2"]).to_owned(),
        (Service::Mailchimp, _) => seed.pick(&["k2", "k3"]).to_owned(),
        (Service::Postmark, _) => "pm".to_owned(),
        _ => seed.pick(&["mail", "dkim", "default", "key1", "2024"]).to_owned(),
    };
    let (hash, signed) = (base64(&seed.bytes(32)), base64(&seed.bytes(128)));
    format!(
        "v=1; a=rsa-sha256; q=dns/txt; c=relaxed/relaxed; s={selector};\r\n\td={domain}; t={};\r\n\t\
         h=From:Reply-To:To:Subject:MIME-Version:Content-Type:Date;\r\n\tbh={hash};\r\n\tb={}\r\n\t {}\r\n\t {}",
        facts.day.unix(),
        signed.get(..68).unwrap_or_default(),
        signed.get(68..136).unwrap_or_default(),
        signed.get(136..).unwrap_or_default()
    )
}

/// The text of a page, as programs write it beside the page: links in brackets or behind.
pub(super) fn text_of(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    let mut link = String::new();
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        let (tag, after) = match behind.strip_prefix("!--") {
            Some(comment) => ("", comment.split_once("-->").map_or("", |(_, after)| after)),
            None => behind.split_once('>').unwrap_or((behind, "")),
        };
        rest = after;
        let name = tag.split([' ', '\n', '/', '\t']).next().unwrap_or_default().to_lowercase();
        match name.as_str() {
            "style" | "script" | "head" | "title" => {
                let end = format!("</{name}");
                let at = rest.to_lowercase().find(&end).unwrap_or(rest.len());
                rest = rest.get(at..).unwrap_or_default();
            }
            "a" => {
                link =
                    tag.split("href=\"").nth(1).and_then(|href| href.split('"').next()).unwrap_or_default().to_owned()
            }
            "p" | "div" | "tr" | "h1" | "h2" | "h3" | "br" | "li" | "table" | "ul" => out.push('\n'),
            _ if tag.starts_with("/a") && !link.is_empty() => {
                out.push_str(&format!(" ( {link} )"));
                link.clear();
            }
            _ if tag.starts_with("/p") || tag.starts_with("/h") || tag.starts_with("/tr") => out.push('\n'),
            _ if tag.starts_with("/td") => out.push(' '),
            _ => {}
        }
    }
    out.push_str(rest);
    tidy_text(&out)
}

fn tidy_text(text: &str) -> String {
    let names = [
        ("&nbsp;", " "),
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&copy;", "\u{a9}"),
        ("&#39;", "'"),
        ("&rsquo;", "\u{2019}"),
        ("&zwnj;", ""),
        ("&#847;", ""),
        ("&middot;", "\u{b7}"),
        ("&mdash;", "\u{2014}"),
    ];
    let mut text = text.to_owned();
    for (name, letter) in names {
        text = text.replace(name, letter);
    }
    let mut out = String::new();
    let mut blank = true;
    for line in text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")) {
        if !(line.is_empty() && blank) {
            out.push_str(&line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_page_has_its_links_and_no_styles() {
        let page = "<head><style>a{}</style></head><p>Hi&nbsp;you</p><a href=\"https://a.de/x\">Reset</a><!-- no -->";
        assert_eq!(text_of(page), "Hi you\nReset ( https://a.de/x )\n");
    }

    #[test]
    fn parts_stand_between_their_boundaries() {
        let text = multipart("mixed", &["A: 1\r\n\r\na\r\n".to_owned()], &mut Seed::of(&["x"]));
        let boundary = text.split('"').nth(1).expect("a boundary");
        assert!(text.ends_with(&format!("--{boundary}\r\nA: 1\r\n\r\na\r\n--{boundary}--\r\n")));
    }
}
