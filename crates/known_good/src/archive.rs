//! Mail of an archive, taken into the memory: what was clean then vouches for today, so that a new site is protected on
//! its first day
//!.

use std::net::Ipv4Addr;
use std::sync::Arc;

use detect::auth::upstream;
use detect::examine::EnvelopeFacts;
use detect::text::organisation;
use domain::authentication::{AuthResult, Authentication, DmarcPolicy, Source};
use domain::detection::Category;
use domain::envelope::{Client, Direction, Envelope, MailParams, RcptParams, Recipient};
use domain::finding::Finding;
use domain::{Address, Timestamp, header};

use crate::recorder::{CleanMail, KnownGoodRecorder};
use examiner::ExaminerPool;
use platform::clock::Clock;
use platform::config::Config;

/// Recipients of one mail that are looked at.
const RECIPIENTS_MAX: usize = 50;

/// How a mail of an archive is taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms {
    /// Whether From is believed, of ours and of others: an archive whose mail was checked when it came.
    pub trusts_from: bool,
    /// Whether each mail counts as an answer of ours to its sender as well.
    pub answers_itself: bool,
}

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It was learned.
    Learned,
    /// Something acts on it: nothing bad enters.
    Bad,
    /// It could not be looked at whole.
    Partial,
    /// It has no sender that anybody could know.
    NoSender,
    /// It is older than anything that is remembered.
    TooOld,
    /// Nothing is remembered here.
    Off,
}

/// Takes mail of an archive.
#[derive(Clone, Debug)]
pub struct Importer {
    /// The configuration.
    pub config: Arc<Config>,
    /// The examining threads.
    pub examiner: ExaminerPool,
    /// What learns.
    pub learner: KnownGoodRecorder,
    /// Ids.
    pub clock: Arc<dyn Clock>,
}

impl Importer {
    /// Takes one mail as it was when it came, at `received`.
    pub async fn take(&self, raw: Vec<u8>, received: Timestamp, terms: Terms) -> Imported {
        if !self.config.known_good.is_on {
            return Imported::Off;
        }
        if self.clock.now().since(received) >= self.config.known_good.remembered {
            return Imported::TooOld;
        }
        let Some(envelope) = self.envelope(&raw, terms) else { return Imported::NoSender };
        let raw = Arc::new(raw);
        let mut facts = EnvelopeFacts::of(&envelope, &self.config.border);
        facts.authentication = self.authentication(&raw, &envelope, terms);
        let examination = self.examiner.examine(raw.clone(), facts).await;
        if examination.is_partial() {
            return Imported::Partial;
        }
        if examination.findings.iter().any(|finding: &Finding| finding.may_act() && finding.category > Category::Bulk) {
            return Imported::Bad;
        }
        let mail_id = domain::MailId::new(received, self.clock.entropy());
        let examination = Arc::new(examination);
        let clean = Some(raw);
        let answers_itself = terms.answers_itself;
        let lesson = CleanMail { mail_id, received, envelope, examination, clean, answers_itself };
        if self.learner.teach(lesson).await { Imported::Learned } else { Imported::Off }
    }

    /// The envelope that the headers tell: who of ours has sent it has logged in, if From is believed.
    fn envelope(&self, raw: &[u8], terms: Terms) -> Option<Envelope> {
        let sender = addresses(raw, &["From"]).next()?;
        let border = &self.config.border;
        let is_ours = border.accepts(&sender.domain());
        let recipients: Vec<Recipient> = addresses(raw, &["To", "Cc"])
            .take(RECIPIENTS_MAX)
            .map(|address| {
                let to_us = border.accepts(&address.domain());
                let direction = match (is_ours && terms.trusts_from, to_us) {
                    (true, true) => Direction::Internal,
                    (true, false) => Direction::Outbound,
                    (false, _) => Direction::Inbound,
                };
                let domain = if direction == Direction::Outbound { sender.domain() } else { address.domain() };
                Recipient { address, params: RcptParams::default(), direction, domain }
            })
            .collect();
        let login = (is_ours && terms.trusts_from).then(|| sender.normal());
        let ip = Ipv4Addr::LOCALHOST.into();
        let client = Client { ip, peer: ip, helo: "archive".into(), protocol: "ARCHIVE".into(), login };
        Some(Envelope { client, sender: Some(sender), params: MailParams::default(), recipients })
    }

    /// Who vouches for the sender: a host that is trusted, by the field that it left; or the archive, if From is
    /// believed. Where nobody looks at authentication, nobody does.
    fn authentication(&self, raw: &[u8], envelope: &Envelope, terms: Terms) -> Option<Authentication> {
        let settings = self.config.engines.auth.as_ref()?;
        let mut trusted = settings.trusted_authserv.clone();
        trusted.push(settings.authserv_id.clone());
        let nobody = || Authentication {
            source: Source::Upstream("archive".into()),
            spf: AuthResult::None,
            spf_domain: String::new(),
            dkim: Vec::new(),
            dmarc: AuthResult::None,
            dmarc_policy: DmarcPolicy::None,
            arc: AuthResult::None,
            arc_sealer: String::new(),
            arc_trusted: false,
            aligned: None,
            field: String::new(),
        };
        let found = upstream::of_message(raw, &trusted);
        if found.is_some() || !terms.trusts_from {
            return Some(found.unwrap_or_else(nobody));
        }
        let from = envelope.sender.as_ref()?;
        let aligned = organisation(from.as_str()).unwrap_or_else(|| from.domain().into());
        Some(Authentication { aligned: Some(aligned), ..nobody() })
    }
}

/// The addresses of these header fields.
fn addresses<'r>(raw: &'r [u8], names: &'static [&'static str]) -> impl Iterator<Item = Address> + 'r {
    let fields = header::fields(raw).filter(move |field| names.iter().any(|name| field.is(name)));
    fields.flat_map(|field| header::addresses(&field.unfolded()))
}

/// When a mail came, by the topmost Received field of `host`; none when there is no such field or its date cannot be
/// read.
pub fn received_at(raw: &[u8], host: &str) -> Option<Timestamp> {
    let by = format!(" by {} ", host.to_lowercase());
    let field = header::fields(raw)
        .filter(|field| field.is("Received"))
        .map(|field| field.unfolded())
        .find(|field| field.to_lowercase().contains(&by))?;
    let (_, date) = field.rsplit_once(';')?;
    Timestamp::parse_rfc5322(date.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_host_that_is_named() {
        let raw = b"Received: from x by other.example with SMTP; Mon, 2 Nov 2026 10:00:00 +0000\r\n\
                    Received: from y\r\n by mx.ours.example with ESMTPS id 1; Sun, 1 Nov 2026 09:00:00 +0100 \
                    (CET)\r\n\r\n";
        let at = received_at(raw, "mx.ours.example").expect("a time");
        assert_eq!(at.to_string(), "2026-11-01T08:00:00Z");
        assert_eq!(received_at(raw, "nobody.example"), None);
    }
}
