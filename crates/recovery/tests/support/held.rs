//! A mail that is held.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::containment::Containment;
use domain::detection::RulesetId;
use domain::envelope::{Client, Envelope, MailParams, RcptParams, Recipient};
use domain::finding::{EngineReport, Facts, Finding, Outcome};
use domain::ledger::Account;
use domain::message::Message;
use domain::policy::Policy;
use domain::verdict::decide;
use domain::{Address, Digest, Direction, Examination, UnitId};
use platform::clock::Clock;
use store::Store;
use store::mail::arrival::{Arrival, UnitArrival};

/// The mail that is held.
pub(crate) const MAIL: &[u8] = b"From: a@outside.example\r\nSubject: held\r\n\r\nwhatever it says\r\n";

fn examination(findings: Vec<Finding>) -> Examination {
    Examination {
        ruleset: RulesetId::from_text("0123456789abcdef"),
        message: Message {
            sha256: Digest::of(MAIL),
            body_sha256: Digest::of(MAIL),
            size: MAIL.len() as u64,
            message_id: None,
            subject: "held".into(),
            from: "a@outside.example".into(),
            from_domain: "outside.example".into(),
            auto_submitted: None,
            correspondence: Default::default(),
            authentication_results: Vec::new(),
            received_count: 0,
            text_sha256: None,
            url_domains: Vec::new(),
            fingerprints: domain::fingerprint::Fingerprints::default(),
            urls: Vec::new(),
            parts: Vec::new(),
            ambiguities: Vec::new(),
        },
        findings,
        engines: vec![EngineReport {
            engine: "yara".into(),
            version: "1".into(),
            data_version: String::new(),
            outcome: Outcome::Done,
            millis: 0.0,
            detail: String::new(),
        }],
        facts: Facts::default(),
    }
}

fn envelope() -> Envelope {
    let ip = "192.0.2.1".parse().expect("an address");
    let address = Address::parse("b@ours.example").expect("a mailbox");
    let (domain, params) = (address.domain(), RcptParams::default());
    Envelope {
        client: Client { ip, peer: ip, helo: "x".into(), protocol: "ESMTP".into(), login: None },
        sender: Address::parse("a@outside.example").ok(),
        params: MailParams::default(),
        recipients: vec![Recipient { address, params, direction: Direction::Inbound, domain }],
    }
}

/// A mail that these findings are of, held for one recipient.
pub(crate) async fn held(store: &Store, clock: &dyn Clock, findings: Vec<Finding>) -> UnitId {
    let pin = store.blobs().put(Arc::new(MAIL.to_vec()), Digest::of(MAIL)).await.expect("puts");
    let (envelope, examination, mail_id) = (envelope(), Arc::new(examination(findings)), clock.mail_id());
    let recipient = &envelope.recipients[0];
    let verdict = decide(&examination, &envelope, recipient, &Policy::standard(), &Containment::default());
    let arrival = Arrival {
        mail_id,
        received: clock.now(),
        envelope,
        examination,
        units: vec![UnitArrival { verdict, enforced: true, account: Account::Held, reply: String::new() }],
        normalised: false,
        removed_fields: Vec::new(),
        blob: Some(Digest::of(MAIL)),
        timings: BTreeMap::new(),
    };
    store.mail.record_arrival(arrival).await.expect("records");
    drop(pin);
    UnitId { mail: mail_id, number: 0 }
}
