//! What operations are told: `[retention]` and `[notices]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use domain::Address;
use domain::detection::Category;

use super::contradiction::{Number, number_below};
use super::section::Section;
use super::shown::{list, span};
use super::unit::Unit;
use crate::webhook::Webhook;

/// How long what is kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Held mail, from its arrival.
    pub held: Duration,
    /// Held mail of categories with a span of their own.
    pub held_of: BTreeMap<Category, Duration>,
    /// Records of messages, from their arrival.
    pub records: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
    /// Free bytes below which nothing more is taken: 452 before anything is evicted.
    pub disk_floor_bytes: u64,
    /// How far the clock may be from the time that has certainly passed before nothing is removed any more.
    pub clock_jump: Duration,
    /// How much of each kind may go in an hour in any case: units, bytes of messages, records. More goes only where
    /// more comes in.
    pub removals_per_hour: u64,
    /// How often all stored bytes are read and checked.
    pub scrub: Duration,
    /// Bytes a second that the check reads at most.
    pub scrub_bytes_per_second: u64,
}

impl Retention {
    /// How long held mail of a category is kept.
    pub fn held(&self, category: Category) -> Duration {
        self.held_of.get(&category).copied().unwrap_or(self.held)
    }

    /// What of held mail is kept for the shortest and for the longest time.
    fn held_bounds(&self) -> (Duration, Duration) {
        let all = || self.held_of.values().copied().chain([self.held]);
        (all().min().unwrap_or(self.held), all().max().unwrap_or(self.held))
    }
}

/// Who is told of incidents, and who is called.
#[derive(Clone, Debug, Default)]
pub struct Announcements {
    /// Addresses that get each public line as JSON.
    pub webhooks: Vec<Webhook>,
    /// A file with certificates (PEM) of authorities of one's own, which vouch for webhooks beside the public ones.
    pub webhook_ca: Option<PathBuf>,
    /// Mailboxes of ours that get each as a mail.
    pub mail: Vec<Address>,
    /// Addresses that get what operators are called for, as JSON.
    pub alert_webhooks: Vec<Webhook>,
    /// Operators' mailboxes that get each as a mail.
    pub alert_mail: Vec<Address>,
}

/// Who is told what.
#[derive(Clone, Debug)]
pub struct NoticesConfig {
    /// Whether senders of ours are told when their outbound mail is held.
    pub tells_senders: bool,
    /// Whether people are told, when an incident is over, what it kept from them.
    pub tells_affected: bool,
    /// Who is told of incidents, and who is called.
    pub announcements: Announcements,
}

/// The row in which Health shows the spans of categories.
const HELD_OF: &str = "held, by category";

/// Reads `[retention]`.
pub(super) fn retention(root: &mut Section<'_>) -> Retention {
    let about = "How long held mail and the records of all mail are kept. Nothing is ever evicted by count.";
    let mut section = root.section("retention", about);
    let it = &mut section;
    let retention = Retention {
        held: it
            .setting("held_days", "How long held mail is kept, from its arrival.")
            .shown_as("held")
            .days(1..=3650, 30),
        held_of: held_of(it),
        records: it
            .setting("record_days", "How long the records of messages are kept, from their arrival.")
            .shown_as("records")
            .days(1..=3650, 90),
        audit: it
            .setting("audit_days", "How long the entries of the audit log are kept.")
            .shown_as("audit")
            .days(1..=3650, 400),
        disk_floor_bytes: it
            .setting("disk_floor_mib", "Below so much free space nothing more is taken (452).")
            .shown_as("disk_floor")
            .mib(0..=1_048_576, 200),
        clock_jump: it
            .setting(
                "clock_jump_hours",
                "A clock that is so far from the time that has certainly passed is not believed: nothing is removed \
                 for its age until an operator says that the clock is right (`reprieve retention confirm-clock`), or \
                 as much time has run.",
            )
            .shown_as("clock_jump")
            .hours(1..=720, 12),
        removals_per_hour: it
            .setting(
                "removals_per_hour",
                "What has expired is removed little by little: so many deliveries, bytes of messages and records an \
                 hour in any case, and twice what comes in where that is more.",
            )
            .count(1..=10_000_000, 2000),
        scrub: it
            .setting("scrub_days", "All stored bytes are read and checked once in so long.")
            .shown_as("scrub")
            .days(1..=365, 30),
        scrub_bytes_per_second: it
            .setting("scrub_kib_per_second", "The check reads so much a second at most.")
            .shown_as("scrub_per_second")
            .kib(1..=1_048_576, 4096),
    };
    contradictions(&section, &retention);
    section.end();
    retention
}

fn held_of(section: &mut Section<'_>) -> BTreeMap<Category, Duration> {
    let mut own = section.section("held_days_of", "Categories of held mail with a span of their own.");
    let mut held_of = BTreeMap::new();
    for category in Category::ALL {
        let days = own
            .setting(category.as_str(), "How long held mail of this category is kept, in days. Default: held_days.")
            .shown_in(HELD_OF)
            .default("held_days")
            .example("30")
            .count_if_set(1..=3650);
        if let Some(days) = days {
            held_of.insert(category, Unit::Days.time(days));
        }
    }
    own.end();
    let of = |(category, time): (&Category, &Duration)| format!("{} {}", category.as_str(), span(*time));
    section.row(HELD_OF, list(held_of.iter().map(of)));
    held_of
}

fn contradictions(section: &Section<'_>, retention: &Retention) {
    let (shortest, longest) = retention.held_bounds();
    let fault = |key, what: &str| section.reading.fault(section.start(), &section.name(key), what);
    if retention.records < longest {
        fault("record_days", "must not be below held_days and held_days_of: what is held needs its record");
    }
    let key = if shortest < retention.held { "held_days_of" } else { "held_days" };
    let shortest = Number { key, value: Unit::Days.of(shortest), unit: Unit::Days };
    let why = "a clock that is wrong by less than that could end all held mail at once";
    number_below(section, section.number("clock_jump_hours"), shortest, why);
    if retention.audit < retention.records {
        fault("audit_days", "must not be below record_days: a record needs the entry that vouches for it");
    }
}

/// Reads `[notices]`.
pub(super) fn notices(root: &mut Section<'_>) -> NoticesConfig {
    let mut section = root.section("notices", "Who is told what, by mail and by POST.");
    let it = &mut section;
    let address = |text: &str| Address::parse(text).map(|one| one.with_a_labels()).map_err(|error| error.to_string());
    let notices = NoticesConfig {
        tells_senders: it.setting("outbound", "Senders of ours are told when their outbound mail is held.").flag(true),
        tells_affected: it
            .setting(
                "incident_digest",
                "When an incident is over, everybody of ours whom it kept mail from is told so, in one mail.",
            )
            .flag(true),
        announcements: Announcements {
            webhooks: it
                .setting(
                    "incident_webhooks",
                    "Each public line of an incident goes to these, once: as JSON by POST (https:// with a certificate \
                     of a public authority or of one in incident_webhook_ca; http:// to a relay that you trust).",
                )
                .shown_as("incidents, webhooks")
                .list_shown("URLs", Webhook::parse, marked),
            webhook_ca: it
                .setting(
                    "incident_webhook_ca",
                    "Certificates (PEM) of authorities of your own, which vouch for webhooks beside the public ones.",
                )
                .not_shown()
                .example("\"ca.pem\"")
                .path(),
            mail: it
                .setting("incident_mail", "Each public line of an incident goes to these mailboxes.")
                .shown_as("incidents, mail")
                .list("mail addresses", address),
            alert_webhooks: it
                .setting(
                    "alert_webhooks",
                    "Alerts for operators (a detection hits far more than ever, is reported as false positive by \
                     several people, or is suspected and not contained automatically) are sent to these, once \
                     each, as JSON by POST.",
                )
                .shown_as("operators, webhooks")
                .list_shown("URLs", Webhook::parse, marked),
            alert_mail: it
                .setting("alert_mail", "The same goes to these mailboxes.")
                .shown_as("operators, mail")
                .list("mail addresses", address),
        },
    };
    section.end();
    notices
}

/// A webhook without what may be a secret in it.
fn marked(webhook: &Webhook) -> String {
    webhook.shown()
}
