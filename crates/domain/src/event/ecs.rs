//! An event as a line of JSON, with the names of the Elastic Common Schema where it has one, and under `reprieve` where
//! it has none.

use serde_json::{Map, Value, json};

use super::{Content, Event, Fact, FileFact, FindingFact, IncidentFact, MailFact, Missing, UnitFact};
use crate::address::Address;
use crate::audit::Entry;

/// The version of the Elastic Common Schema whose names are used.
pub const ECS_VERSION: &str = "8.17.0";
/// Characters of one text at most; what is longer is cut.
pub const TEXT_CHARS: usize = 500;
/// Values of one list at most.
pub const LIST_MAX: usize = 20;

/// Who tells an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name of the host.
    pub host: String,
    /// The version of the program.
    pub version: String,
}

/// An event as one line of JSON in ASCII, without a line break: whatever is no printable ASCII character is escaped, so
/// that no control character and no character that turns text around reaches a terminal or a line-based reader.
pub fn line(event: &Event, source: &Source, content: Content) -> String {
    let mut fields = Fields(Map::new());
    fields.text("@timestamp", &event.at.to_string());
    fields.text("ecs.version", ECS_VERSION);
    fields.text("event.module", "reprieve");
    fields.text("event.provider", "reprieve");
    fields.text("event.dataset", &format!("reprieve.{}", event.kind_name()));
    fields.text("event.id", &event.id());
    fields.set("event.sequence", json!(event.sequence));
    fields.text("reprieve.epoch", &event.epoch);
    fields.text("observer.vendor", "Reprieve");
    fields.text("observer.product", "Reprieve");
    fields.text("observer.type", "email-gateway");
    fields.text("observer.name", &source.host);
    fields.text("observer.version", &source.version);
    fields.text("event.kind", if matches!(event.fact, Fact::Missing(_)) { "pipeline_error" } else { "event" });
    match &event.fact {
        Fact::Unit(unit) => fields.unit(unit, content),
        Fact::Incident(said) => fields.incident(said, content),
        Fact::Audit(entry) => fields.audit(entry, content),
        Fact::Missing(missing) => fields.missing(missing),
    }
    ascii(&Value::Object(fields.0).to_string())
}

/// The fields of a line.
struct Fields(Map<String, Value>);

impl Fields {
    /// Sets a field by its path.
    fn set(&mut self, path: &str, value: Value) {
        let mut at = &mut self.0;
        let mut path = path;
        while let Some((first, rest)) = path.split_once('.') {
            let below = at.entry(first).or_insert_with(|| json!({}));
            let Value::Object(below) = below else { return };
            (at, path) = (below, rest);
        }
        at.insert(path.to_owned(), value);
    }

    /// Sets a field to a text, unless that is empty.
    fn text(&mut self, path: &str, text: &str) {
        if !text.is_empty() {
            self.set(path, json!(cut(text)));
        }
    }

    /// Sets a field to a list, unless that is empty.
    fn list(&mut self, path: &str, values: Vec<Value>) {
        if !values.is_empty() {
            self.set(path, Value::Array(values));
        }
    }

    fn unit(&mut self, unit: &UnitFact, content: Content) {
        let is_verdict = unit.is_verdict();
        self.text("event.action", &format!("mail.{}", unit.by));
        self.set("event.category", json!(["email"]));
        let passes =
            if unit.to == "held" || unit.to == "tentative" || unit.to == "refused" { "denied" } else { "allowed" };
        self.set("event.type", if is_verdict { json!(["info", passes]) } else { json!(["change"]) });
        self.text("event.outcome", outcome(&unit.by));
        if content.reasons {
            self.text("event.reason", &unit.reason);
        }
        self.text("user.name", &unit.actor);
        self.mail(&unit.mail, content);
        self.text("email.local_id", &unit.unit.mail.to_string());
        self.set("email.to.address", json!([cut(&unit.recipient)]));
        self.text("email.direction", &unit.direction.to_lowercase());
        self.set("reprieve.unit", json!(unit.unit.number));
        self.text("reprieve.account.from", &unit.from);
        self.text("reprieve.account.to", &unit.to);
        self.text("reprieve.verdict.category", &unit.mail.category);
        self.text("reprieve.verdict.disposition", &unit.disposition);
        self.set("reprieve.verdict.enforced", json!(unit.is_enforced));
        self.set("reprieve.verdict.revised", json!(unit.is_revised));
        self.text("reprieve.verdict.policy", &unit.mail.policy);
        if is_verdict {
            self.findings(&unit.mail, content);
        }
    }

    fn mail(&mut self, mail: &MailFact, content: Content) {
        self.text("source.ip", &mail.client_ip);
        self.text("source.domain", &mail.client_helo);
        self.text("source.user.name", mail.login.as_deref().unwrap_or_default());
        self.text("email.delivery_timestamp", &mail.received.to_string());
        self.list("email.from.address", address_in(&mail.header_from).map(Value::String).into_iter().collect());
        self.text("email.message_id", mail.message_id.as_deref().unwrap_or_default().trim_matches(['<', '>']));
        self.text("reprieve.envelope.sender", &mail.sender);
        self.set("reprieve.mail.size", json!(mail.size));
        self.text("reprieve.mail.sha256", &mail.sha256);
        if mail.unreadable > 0 {
            self.set("reprieve.mail.unreadable", json!(mail.unreadable));
        }
        if content.subjects {
            self.text("email.subject", &mail.subject);
        }
        if content.file_names {
            self.list("email.attachments", mail.files.iter().take(LIST_MAX).map(file).collect());
        }
        if content.urls {
            self.list("reprieve.mail.urls", mail.urls.iter().take(LIST_MAX).map(|url| json!(cut(url))).collect());
        }
    }

    fn findings(&mut self, mail: &MailFact, content: Content) {
        self.text("rule.ruleset", &mail.ruleset);
        if let Some(first) = mail.findings.first() {
            self.text("rule.id", &first.detection);
            self.text("rule.version", &first.version);
            self.text("rule.category", &first.category);
        }
        let found = mail.findings.iter().take(LIST_MAX).map(|one| finding(one, content));
        self.list("reprieve.findings", found.collect());
        self.set("reprieve.findings_count", json!(mail.findings.len()));
    }

    fn incident(&mut self, said: &IncidentFact, content: Content) {
        self.text("event.action", &format!("incident.{}", said.what));
        self.set("event.category", json!(["configuration"]));
        self.set("event.type", json!(["change"]));
        self.text("event.outcome", "success");
        self.text("user.name", &said.actor);
        self.text("rule.id", &said.detection);
        self.text("rule.version", &said.version);
        self.text("reprieve.incident.id", &said.incident);
        self.set("reprieve.incident.line", json!(said.number));
        self.set("reprieve.incident.public", json!(said.is_public));
        if said.is_public || content.reasons {
            self.text("reprieve.incident.text", &said.text);
        }
    }

    fn audit(&mut self, entry: &Entry, content: Content) {
        let (category, kind) = match entry.action.split(['.', '_']).next().unwrap_or_default() {
            "sign" => ("authentication", "start"),
            "person" | "token" => ("iam", "admin"),
            _ => ("configuration", "change"),
        };
        let is_refused = entry.action.ends_with("refused");
        self.text("event.action", &entry.action);
        self.set("event.category", json!([category]));
        self.set("event.type", json!([kind]));
        self.text("event.outcome", if is_refused { "failure" } else { "success" });
        self.text("user.name", &entry.actor);
        if content.reasons || names_only(entry) {
            self.text("reprieve.audit.object", &entry.object);
        }
        if content.reasons {
            self.text("event.reason", &entry.reason);
            self.text("reprieve.audit.detail", &entry.detail);
        }
    }

    fn missing(&mut self, missing: &Missing) {
        self.text("event.action", "reprieve.events_missing");
        self.text("event.outcome", "failure");
        self.set("reprieve.missing.from", json!(missing.from));
        self.set("reprieve.missing.to", json!(missing.to));
        if let Some(events) = missing.events {
            self.set("reprieve.missing.events", json!(events));
        }
        self.text("reprieve.missing.too_long", missing.too_long.as_deref().unwrap_or_default());
    }
}

/// Whether what an entry was about is an id, and nothing that a mail or a person has written.
fn names_only(entry: &Entry) -> bool {
    let is_written = ["entry.add", "entry.allow", "entry.block", "query.", "portal.", "backup"]
        .iter()
        .any(|action| entry.action.starts_with(action));
    let is_id = |c: char| c.is_ascii_alphanumeric() || "-_:/.".contains(c);
    let is_path = entry.object.starts_with('/') || entry.object.contains("//") || entry.object.contains("..");
    !is_written && !is_path && entry.object.chars().all(is_id)
}

/// How a move went, for whoever wanted it.
fn outcome(by: &str) -> &'static str {
    match by {
        "hop_refused" | "release_refused" | "lapsed" => "failure",
        "answer_lost" | "release_unanswered" => "unknown",
        _ => "success",
    }
}

fn finding(found: &FindingFact, content: Content) -> Value {
    let FindingFact { detection, version, engine, category, effect, evidence } = found;
    let mut value =
        json!({ "detection": detection, "version": version, "engine": engine, "category": category, "effect": effect });
    if content.evidence
        && let Value::Object(fields) = &mut value
    {
        fields.insert("evidence".to_owned(), json!(cut(evidence)));
    }
    value
}

fn file(file: &FileFact) -> Value {
    let FileFact { name, content_type, size, sha256 } = file;
    json!({ "file": {
        "name": cut(name), "mime_type": cut(content_type), "size": size, "hash": { "sha256": sha256 },
    } })
}

/// The address in a field From; none where there is none that can be read. The name beside it is what its writer
/// wanted to say, and is left out.
fn address_in(field: &str) -> Option<String> {
    let between = field.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    let address = between.unwrap_or(field).trim();
    Address::parse(address).ok().map(|address| cut(address.as_str()))
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

/// JSON with everything escaped that is no printable ASCII character (RFC 8259 section 7). Outside of its texts JSON as
/// it is written here has no such character.
pub fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            out.push(c);
        } else {
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::id::{MailId, UnitId};
    use crate::time::Timestamp;

    fn at() -> Timestamp {
        Timestamp::from_micros(1_795_000_000_123_456)
    }

    fn mail() -> MailFact {
        MailFact {
            received: at(),
            client_ip: "192.0.2.7".into(),
            client_helo: "mx.x.example".into(),
            login: None,
            sender: "a@x.example".into(),
            header_from: "\"Your bank\" <a@x.example>".into(),
            message_id: Some("<1@x.example>".into()),
            subject: "SECRET-SUBJECT".into(),
            size: 1234,
            sha256: "ab".repeat(32),
            category: "Malware".into(),
            ruleset: "0123456789abcdef".into(),
            policy: "p1".into(),
            urls: vec!["https://x.example/SECRET-URL".into()],
            findings: vec![FindingFact {
                detection: "EXE-0001".into(),
                version: "aa11".into(),
                engine: "rules".into(),
                category: "Malware".into(),
                effect: "Block".into(),
                evidence: "SECRET-EVIDENCE".into(),
            }],
            files: vec![FileFact {
                name: "SECRET-FILE.exe".into(),
                content_type: "application/octet-stream".into(),
                size: 99,
                sha256: "cd".repeat(32),
            }],
            unreadable: 0,
        }
    }

    fn unit(by: &str, from: &str, to: &str) -> Event {
        let fact = UnitFact {
            unit: UnitId { mail: MailId::new(at(), [1; 10]), number: 0 },
            step: 1,
            from: from.into(),
            to: to.into(),
            by: by.into(),
            actor: "gateway".into(),
            reason: "SECRET-REASON".into(),
            recipient: "b@ours.example".into(),
            direction: "Inbound".into(),
            disposition: "Hold".into(),
            is_enforced: true,
            is_revised: false,
            mail: Arc::new(mail()),
        };
        Event { epoch: "65f1".into(), sequence: 7, at: at(), fact: Fact::Unit(fact) }
    }

    fn audit(action: &str, object: &str) -> Event {
        let entry = Entry {
            seq: 8,
            at: at(),
            actor: "ann".into(),
            action: action.into(),
            object: object.into(),
            reason: "SECRET-REASON".into(),
            detail: "SECRET-DETAIL".into(),
            commitment: None,
        };
        Event { epoch: "65f1".into(), sequence: 8, at: at(), fact: Fact::Audit(entry) }
    }

    fn incident(is_public: bool) -> Event {
        let fact = IncidentFact {
            incident: "RPV-2026-0001".into(),
            number: 2,
            actor: "sentinel".into(),
            what: "contained".into(),
            text: "it acts no more".into(),
            is_public,
            detection: "EXE-0001".into(),
            version: "aa11".into(),
        };
        Event { epoch: "65f1".into(), sequence: 9, at: at(), fact: Fact::Incident(fact) }
    }

    fn all() -> Vec<Event> {
        let missing = Fact::Missing(Missing { from: 1, to: 6, events: Some(12), too_long: None });
        vec![
            unit("arrived", "outside", "held"),
            unit("release_accepted", "releasing", "released"),
            unit("hop_refused", "forwarding", "refused"),
            incident(true),
            incident(false),
            audit("quarantine.release", "01890000-0000"),
            audit("sign_in.refused", "console"),
            Event { epoch: "65f1".into(), sequence: 6, at: at(), fact: missing },
        ]
    }

    fn told(event: &Event, content: Content) -> String {
        line(event, &Source { host: "mx.ours.example".into(), version: "1.0.0".into() }, content)
    }

    const EVERYTHING: Content = Content { subjects: true, file_names: true, urls: true, evidence: true, reasons: true };

    #[test]
    fn each_kind_of_event_as_a_line() {
        let lines: Vec<String> = all().iter().map(|event| told(event, Content::default())).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_verdict_with_all_that_can_be_switched_on() {
        let lines = [unit("arrived", "outside", "held"), audit("entry.add", "sender x@y.example")];
        insta::assert_snapshot!(lines.map(|event| told(&event, EVERYTHING)).join("\n"));
    }

    #[test]
    fn nothing_of_the_mail_is_told_unless_it_is_switched_on() {
        for event in all() {
            assert!(!told(&event, Content::default()).contains("SECRET"), "{event:?}");
        }
        let verdict = unit("arrived", "outside", "held");
        for (content, told_of) in [
            (Content { subjects: true, ..Content::default() }, "SECRET-SUBJECT"),
            (Content { file_names: true, ..Content::default() }, "SECRET-FILE.exe"),
            (Content { urls: true, ..Content::default() }, "SECRET-URL"),
            (Content { evidence: true, ..Content::default() }, "SECRET-EVIDENCE"),
            (Content { reasons: true, ..Content::default() }, "SECRET-REASON"),
        ] {
            let said = told(&verdict, content);
            assert!(said.contains(told_of), "{said}");
            assert_eq!(said.matches("SECRET").count(), 1, "{said}");
            assert_eq!(content.words().len(), 1);
        }
        assert!(!told(&verdict, Content::default()).contains("Your bank"), "a name beside an address is a text");
    }

    #[test]
    fn what_an_entry_was_about_is_told_only_where_it_is_an_id() {
        let object = |action: &str, object: &str| told(&audit(action, object), Content::default()).contains(object);
        assert!(object("quarantine.release", "01890000-0000/0"));
        assert!(object("detection.mode", "EXE-0001"));
        for (action, written) in [
            ("entry.add", "file_name"),
            ("entry.add", "url https://x.example/a"),
            ("query.save", "invoice.exe"),
            ("backup", "/var/backups/x"),
            ("anything", "b@ours.example"),
            ("anything", "two words"),
            ("anything", "https://x.example/a"),
            ("anything", "caf\u{e9}"),
        ] {
            assert!(!object(action, written), "{action} {written}");
        }
    }

    #[test]
    fn no_character_but_printable_ascii_is_in_a_line() {
        let mut event = unit("arrived", "outside", "held");
        let strange = "a\r\nb\u{0}\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}\u{1f600}\"\\";
        if let Fact::Unit(unit) = &mut event.fact {
            unit.mail = Arc::new(MailFact { subject: strange.into(), client_helo: strange.into(), ..mail() });
        }
        let said = told(&event, EVERYTHING);
        assert!(said.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{said}");
        let read: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(read["email"]["subject"], strange);
    }

    #[test]
    fn a_line_has_an_end() {
        let mut event = unit("arrived", "outside", "held");
        if let Fact::Unit(unit) = &mut event.fact {
            let (long, mut fact) = ("\u{1f600}".repeat(100_000), mail());
            fact.findings = vec![FindingFact { evidence: long.clone(), ..fact.findings[0].clone() }; 1000];
            fact.files = vec![FileFact { name: long.clone(), ..FileFact::default() }; 1000];
            fact.urls = vec![long.clone(); 1000];
            fact.subject = long;
            unit.mail = Arc::new(fact);
        }
        assert!(told(&event, EVERYTHING).len() < 512 << 10);
        assert!(told(&event, Content::default()).len() < 8 << 10, "as much as a receiver of syslog takes as a rule");
    }

    #[test]
    fn an_event_is_known_by_one_id_whatever_is_told_of_it() {
        let id = |content| {
            serde_json::from_str::<Value>(&told(&incident(true), content)).expect("JSON")["event"]["id"].clone()
        };
        assert_eq!(id(EVERYTHING), id(Content::default()));
        let ids: std::collections::BTreeSet<String> = all().iter().map(Event::id).collect();
        assert_eq!(ids.len(), 4, "a step, a line, an entry, and what is missing: {ids:?}");
    }
}
