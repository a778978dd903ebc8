//! What setup has to know, by flags or from a person at the terminal. Each answer is checked by itself, and a wrong one
//! gets a sentence that says what is wrong and what would be right.

use std::net::SocketAddr;

use domain::{Address, DomainName};

use super::{CliError, SetupArgs, terminal};

/// Wrong answers to one question, until setup gives up.
const WRONG_ANSWERS_MAX: usize = 5;
/// Characters of an administrator's name, as everywhere.
const NAME_CHARS_MAX: usize = 100;
/// Where mail comes in by default: from a mail server on this host.
const LISTEN: &str = "127.0.0.1:10024";

/// The answers, each of them right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    /// The next hop, as `host:port`.
    pub(super) hop: String,
    /// Our domains; one at least.
    pub(super) domains: Vec<DomainName>,
    /// Where mail comes in.
    pub(super) listen: SocketAddr,
    /// The name of the first administrator.
    pub(super) admin: String,
    /// Where the console listens.
    pub(super) api: SocketAddr,
}

impl Answers {
    /// Those of the flags, and of a person for what no flag has said.
    ///
    /// # Errors
    /// When a flag is wrong, or an answer is missing and nobody can be asked.
    pub(super) fn of(args: &SetupArgs) -> Result<Self, CliError> {
        let may_ask = args.may_ask();
        let domains = Some(args.domain.join(" ")).filter(|all| !all.is_empty());
        let missing = [
            ("--hop HOST:PORT", args.hop.is_none()),
            ("--domain DOMAIN", domains.is_none()),
            ("--admin NAME", args.admin.is_none()),
            ("--yes", !args.yes),
        ];
        let missing: Vec<&str> =
            missing.into_iter().filter(|(_, is_missing)| *is_missing).map(|(flag, _)| flag).collect();
        if !may_ask && !missing.is_empty() {
            let why = if args.yes { "--yes asks nothing" } else { "no terminal to ask at" };
            return Err(CliError::Usage(format!("{why}: give {} as well", missing.join(", "))));
        }
        let asking = Asking { may_ask };
        let answers = Self {
            hop: asking.answer(
                args.hop.as_deref(),
                "--hop",
                "Next hop (mail server that accepted mail is passed to)",
                "",
                hop,
            )?,
            domains: asking.answer(domains.as_deref(), "--domain", "Accepted domains", "", our_domains)?,
            listen: asking.answer(args.listen.as_deref(), "--listen", "SMTP listener", LISTEN, address)?,
            admin: asking.answer(
                args.admin.as_deref(),
                "--admin",
                "First administrator (name or mail address)",
                "",
                admin,
            )?,
            api: asking.answer(Some(&args.api), "--api", "", "", address)?,
        };
        Ok(answers)
    }

    /// Whether the administrator can be written to.
    pub(super) fn mailbox(&self) -> Option<&str> {
        Some(self.admin.as_str()).filter(|name| name.contains('@'))
    }
}

/// How answers are come by.
struct Asking {
    may_ask: bool,
}

impl Asking {
    /// One answer: of its flag, of a person, or the usual one.
    fn answer<T>(
        &self,
        given: Option<&str>,
        flag: &str,
        question: &str,
        usual: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, CliError> {
        match given {
            Some(given) => read(given.trim()).map_err(|why| CliError::Usage(format!("{flag} {why}"))),
            None if self.may_ask => asked(question, usual, read),
            None => read(usual).map_err(|why| CliError::Usage(format!("{flag} {why}"))),
        }
    }
}

fn asked<T>(question: &str, usual: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, CliError> {
    let shown = if usual.is_empty() { format!("{question}: ") } else { format!("{question} [{usual}]: ") };
    for _ in 0..WRONG_ANSWERS_MAX {
        let said =
            terminal::ask(&shown).ok_or_else(|| CliError::Usage("the terminal is gone; nothing was written".into()))?;
        match read(if said.is_empty() { usual } else { &said }) {
            Ok(answer) => return Ok(answer),
            Err(why) => terminal::complain(&why),
        }
    }
    Err(CliError::Usage(format!("{WRONG_ANSWERS_MAX} wrong answers; nothing was written")))
}

/// A next hop.
fn hop(text: &str) -> Result<String, String> {
    const RIGHT: &str = "write HOST:PORT, such as mail.example.com:25 or 127.0.0.1:10025";
    let fault = |what: &str| Err(format!("'{text}': {what}; {RIGHT}"));
    if text.is_empty() {
        return fault("the next hop is missing");
    }
    if text.contains("://") || text.contains('/') {
        return fault("give a mail server, not a URL");
    }
    if text.contains('@') {
        return fault("this is a mail address, not a mail server");
    }
    let Some((host, port)) = text.rsplit_once(':') else { return fault("it has no port") };
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return Err(format!("'{text}': write IPv6 addresses in brackets, such as [2001:db8::1]:25"));
    }
    match port.parse::<u16>() {
        Ok(1..) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(text.to_owned()),
        Ok(1..) => fault("it has no host"),
        _ => fault(&format!("'{port}' is no port from 1 to 65535")),
    }
}

/// Our domains, with blanks or commas between them.
fn our_domains(text: &str) -> Result<Vec<DomainName>, String> {
    let words: Vec<&str> = text.split([',', ' ', '\t']).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err("'': a domain is missing; write the part of your addresses after the @, such as example.com".into());
    }
    words.into_iter().map(our_domain).collect()
}

fn our_domain(text: &str) -> Result<DomainName, String> {
    if let Some((_, behind)) = text.rsplit_once('@') {
        return Err(format!("'{text}' is a mail address; write the domain alone: {behind}"));
    }
    let name = DomainName::of(text);
    let labels = name.trim_start_matches('.');
    let is_plain = labels.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if labels.is_empty() || !is_plain || labels.split('.').any(str::is_empty) {
        return Err(format!("'{text}' is no domain; write one such as example.com, or .example.com for all below it"));
    }
    Ok(name)
}

/// Where something listens.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.trim_start_matches([':', '*']);
    if let Ok(port) = port.parse::<u16>() {
        return Err(format!(
            "'{text}': an address is missing before the port; write 127.0.0.1:{port} for this host alone, or \
             0.0.0.0:{port} for everybody"
        ));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() > 0 => Ok(address),
        Ok(_) => Err(format!("'{text}': 0 is no port; give one from 1 to 65535")),
        Err(_) => {
            Err(format!("'{text}' is no address with a port; write one of this host, such as {LISTEN} or [::1]:10024"))
        }
    }
}

/// The name of an administrator.
fn admin(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!("'{text}': give a name of 1 to {NAME_CHARS_MAX} characters, or a mail address"));
    }
    if text.contains('@') && Address::parse(text).is_err() {
        return Err(format!("'{text}' is neither a name nor a mail address, such as anna or anna@example.com"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_are_taken() {
        for right in ["mail.example.com:25", "127.0.0.1:10025", "[2001:db8::1]:25", "bücher.example:25"] {
            assert_eq!(hop(right).as_deref(), Ok(right));
        }
        let names: Vec<String> = our_domains("Example.com, .b.example\tbücher.example")
            .expect("domains")
            .into_iter()
            .map(String::from)
            .collect();
        assert_eq!(names, ["example.com", ".b.example", "xn--bcher-kva.example"]);
        assert_eq!(address("[::]:25").map(|at| at.port()), Ok(25));
        assert_eq!(admin("Änne Müller").as_deref(), Ok("Änne Müller"));
        assert_eq!(admin("anna@ours.example").as_deref(), Ok("anna@ours.example"));
    }

    #[test]
    fn a_wrong_answer_is_told_what_would_be_right() {
        for (wrong, told) in [
            ("", "missing"),
            ("mail.example.com", "it has no port"),
            (":25", "no host"),
            ("mail.example.com:0", "no port from 1"),
            ("mail.example.com:smtp", "'smtp' is no port"),
            ("smtp://mail.example.com:25", "not a URL"),
            ("bert@example.com:25", "mail address"),
            ("2001:db8::1:25", "brackets"),
            ("mail example:25", "no host"),
        ] {
            let why = hop(wrong).expect_err(wrong);
            assert!(why.contains(told) && why.contains(":25"), "{wrong}: {why}");
        }
        for (wrong, told) in [
            ("", "missing"),
            (" , ", "missing"),
            ("bert@example.com", "alone: example.com"),
            ("a..b", "no domain"),
            ("ex/x", "no domain"),
        ] {
            let why = our_domains(wrong).expect_err(wrong);
            assert!(why.contains(told), "{wrong}: {why}");
        }
        for (wrong, told) in [
            ("25", "0.0.0.0:25"),
            (":2525", "127.0.0.1:2525"),
            ("*:25", "0.0.0.0:25"),
            ("127.0.0.1:0", "0 is no port"),
            ("localhost:25", "no address with a port"),
            ("::1:25", "no address with a port"),
        ] {
            // An address of IPv6 without brackets is one without a port.
            let why = address(wrong).expect_err(wrong);
            assert!(why.contains(told), "{wrong}: {why}");
        }
        assert!(admin("").is_err() && admin("a\tb").is_err() && admin(&"a".repeat(101)).is_err());
        assert!(admin("anna@").expect_err("no address").contains("anna@example.com"));
    }
}
