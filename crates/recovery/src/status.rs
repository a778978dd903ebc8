//! The status reconciler: what the public is told lies as files that need no database: a page, JSON in the shape of
//! Microsoft Graph's `serviceHealthIssue`, and an Atom feed. The last that was published stays when everything else is
//! down.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::incident::Stage;
use serde_json::{Value, json};
use store::incident::Incident;
use store::{AuditStore, IncidentStore, StoreError};
use tokio::sync::watch;

use super::tiles;
use platform::audit_signer::AuditSigner;
use platform::clock::Clock;
use platform::items::Items;
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::report::{self, IncidentRecord, escaped, moment};
use platform::signals::Signals;

/// How often it looks without a signal; progress moves with it.
const PERIOD: Duration = Duration::from_secs(2);
/// Time between two publications.
const REST: Duration = Duration::from_millis(500);
/// Ended incidents that are shown.
const PAST_MAX: usize = 20;
/// The folder, in the data folder.
pub const FOLDER: &str = "status";
/// The files.
pub const PAGE: &str = "index.html";
/// The JSON.
pub const ISSUES: &str = "status.json";
/// The feed.
pub const FEED: &str = "feed.atom";

/// The signed checkpoint of the audit log.
pub const CHECKPOINT: &str = "checkpoint";
/// How often it is written.
const ANCHORED: Duration = Duration::from_secs(60);

/// The reconciler.
#[derive(Clone, Debug)]
pub struct Publisher {
    /// The audit log.
    pub audit: AuditStore,
    /// Incidents.
    pub incidents: IncidentStore,
    /// Where the files lie.
    pub folder: PathBuf,
    /// Whose mail it is: the name of this gateway.
    pub hostname: String,
    /// Signs the checkpoint of the audit log that lies beside the page.
    pub audit_signer: AuditSigner,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes the loop.
    pub signals: Signals,
    /// Incidents that cannot be read.
    pub items: Items,
}

impl Reconciler for Publisher {
    type Memory = Option<[String; 3]>;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "status page", "the status page could not be published; the last one stays")
            .or_when(&self.signals.status)
            .resting(REST)
    }

    fn items(&self) -> Option<&Items> {
        Some(&self.items)
    }

    /// One round; returns what is published now. `known` is what was published before.
    async fn round(&self, published: &mut Option<[String; 3]>, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let now = self.clock.now();
        let done = self.publish(published.take(), now).await;
        // The checkpoint waits for no page, and the page for no checkpoint.
        let anchored = self.anchor(now).await;
        *published = Some(done?);
        anchored?;
        Ok(false)
    }
}

impl Publisher {
    /// The pages, if they say anything else than what is known.
    async fn publish(&self, known: Option<[String; 3]>, now: Timestamp) -> Result<[String; 3], PublishError> {
        let (mut told, mut unread) = (Vec::new(), Vec::new());
        for incident in self.incidents.all().await?.into_iter().take(PAST_MAX) {
            match self.items.alone(&incident.id, now, IncidentRecord::in_brief(&self.incidents, &incident)).await? {
                Some(all) => told.push((incident, all)),
                None => unread.push(incident),
            }
        }
        let page = page(&self.hostname, &told, &unread, now);
        let texts = [page, issues(&told, &unread).to_string(), feed(&self.hostname, &told)];
        if known.as_ref() != Some(&texts) {
            fs::create_dir_all(&self.folder)?;
            for (name, text) in [PAGE, ISSUES, FEED].into_iter().zip(&texts) {
                replace(&self.folder, name, text)?;
            }
        }
        Ok(texts)
    }

    /// The checkpoint of the audit log, once a minute: who keeps a copy can prove that nothing before it was rewritten.
    async fn anchor(&self, now: Timestamp) -> Result<(), PublishError> {
        let path = self.folder.join(CHECKPOINT);
        let written = fs::metadata(&path).and_then(|file| file.modified()).ok();
        let age = written.and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age < ANCHORED) {
            return Ok(());
        }
        if let Some((size, root)) = self.audit.audit_head().await? {
            fs::create_dir_all(&self.folder)?;
            // Before the checkpoint: what it speaks of is there.
            tiles::write(&self.audit, &self.folder, anchored(&path), size).await?;
            replace(&self.folder, CHECKPOINT, &self.audit_signer.sign(size, &root))?;
            tracing::debug!(size, at = %now, "checkpoint");
        }
        Ok(())
    }
}

/// How many entries the checkpoint speaks of that was written last; none, when there is none.
fn anchored(path: &Path) -> u64 {
    let note = fs::read_to_string(path).unwrap_or_default();
    note.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0)
}

/// Why a page is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be written.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
}

/// Readers see the old file or the new one.
fn replace(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let fresh = folder.join(format!(".{name}.new"));
    let mut file = fs::File::create(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, folder.join(name))
}

/// What is said of an incident of which nothing else can be said.
const UNREAD: &str = "What is recorded of this incident cannot be read at the moment.";

fn page(host: &str, told: &[(Incident, IncidentRecord)], unread: &[Incident], now: Timestamp) -> String {
    let (open, past): (Vec<_>, Vec<_>) = told.iter().partition(|(incident, _)| incident.stage != Stage::Resolved);
    let mut body = format!("<h1>Mail protection of {}</h1>", escaped(host));
    for incident in unread {
        let (id, stage) = (escaped(&incident.id), incident.stage.as_str());
        body.push_str(&format!(
            "<article><h2>{id}</h2><p class=\"state {stage}\">{stage}</p><p>{UNREAD}</p></article>"
        ));
    }
    if open.is_empty() && unread.iter().all(|incident| incident.stage == Stage::Resolved) {
        body.push_str("<p class=\"state operational\">operational</p><p>No incident is open.</p>");
    }
    open.iter().for_each(|(incident, told)| body.push_str(&article(incident, told, Some(now))));
    if !past.is_empty() {
        body.push_str("<h2>Past incidents</h2>");
        past.iter().for_each(|(incident, told)| body.push_str(&article(incident, told, None)));
    }
    body.push_str(&format!(
        "<p class=\"dim\">Counted in units: one message for one recipient. <a href=\"{FEED}\">Feed</a>, <a \
            href=\"{ISSUES}\">JSON</a>, \
         <a href=\"{CHECKPOINT}\">checkpoint of the audit log</a>.</p>"
    ));
    report::page("Status", &body)
}

fn article(incident: &Incident, told: &IncidentRecord, now: Option<Timestamp>) -> String {
    let (progress, facts) = (&told.progress, told.facts(incident));
    let percent = told.percent();
    let mut out = format!(
        "<article><h2>{}: {}</h2><p class=\"state {stage}\">{stage}</p><p>{}</p>",
        escaped(&incident.id),
        escaped(&facts.title()),
        escaped(&facts.text()),
        stage = facts.stage(),
    );
    out.push_str(&format!("<p class=\"dim\">Began: {}.</p>", report::moment_or_not(facts.began())));
    if progress.units() > 0 {
        out.push_str(&format!(
            "<div class=\"bar\" role=\"progressbar\" aria-label=\"Accounted for\" aria-valuenow=\"{percent}\" \
                aria-valuemin=\"0\" aria-valuemax=\"100\">\
             <span style=\"width:{percent}%\"></span></div><p>{} of {} units are accounted for ({percent} %).",
            progress.over(),
            progress.units(),
        ));
        if let Some(eta) = now.and_then(|now| told.eta(now)) {
            out.push_str(&format!(" About {} to go.", report::span(eta)));
        }
        out.push_str("</p>");
    }
    out.push_str("<ul>");
    for note in told.notes.iter().rev().filter(|note| note.is_public) {
        out.push_str(&format!("<li><time>{}</time> {}</li>", moment(note.at), escaped(&note.text)));
    }
    out.push_str("</ul>");
    if let (Some(next), Some(_)) = (incident.next_update, now) {
        out.push_str(&format!("<p class=\"dim\">Next update by {}.</p>", moment(next)));
    }
    out.push_str("</article>");
    out
}

/// `serviceHealthIssue` of Microsoft Graph, as far as it has a meaning here.
fn issues(told: &[(Incident, IncidentRecord)], unread: &[Incident]) -> Value {
    let issue = |(incident, told): &(Incident, IncidentRecord)| {
        let facts = told.facts(incident);
        let posts: Vec<Value> = told
            .notes
            .iter()
            .filter(|note| note.is_public)
            .map(|note| {
                json!({
                    "createdDateTime": note.at, "postType": "regular",
                    "description": { "contentType": "text", "content": note.text },
                })
            })
            .collect();
        json!({
            "id": incident.id,
            "title": facts.title(),
            "impactDescription": facts.text(),
            "classification": facts.classification(),
            "origin": "reprieve",
            "service": "Mail protection",
            "feature": "Quarantine",
            "featureGroup": "Mail flow",
            "status": facts.health(),
            "isResolved": incident.stage == Stage::Resolved,
            "highImpact": Value::Null,
            "startDateTime": facts.began(),
            "endDateTime": incident.resolved,
            "lastModifiedDateTime": told.notes.last().map_or(incident.opened, |note| note.at),
            "details": [
                { "name": "units", "value": told.progress.units().to_string() },
                { "name": "accountedFor", "value": told.progress.over().to_string() },
                { "name": "heldByMistake", "value": facts.tally.wrong.to_string() },
                { "name": "heldRightly", "value": facts.tally.right.to_string() },
                { "name": "delivered", "value": facts.tally.delivered.to_string() },
                { "name": "deliveredByOthers", "value": facts.tally.delivered_by_others.to_string() },
                { "name": "percent", "value": told.percent().to_string() },
            ],
            "posts": posts,
        })
    };
    let unread = unread.iter().map(|incident| {
        json!({
            "id": incident.id, "title": incident.id, "impactDescription": UNREAD, "origin": "reprieve",
            "service": "Mail protection", "isResolved": incident.stage == Stage::Resolved,
                "endDateTime": incident.resolved,
            "lastModifiedDateTime": incident.opened, "posts": [],
        })
    });
    json!({ "value": told.iter().map(issue).chain(unread).collect::<Vec<_>>() })
}

/// RFC 4287: one entry a public line.
fn feed(host: &str, told: &[(Incident, IncidentRecord)]) -> String {
    let mut entries: Vec<(Timestamp, String)> = Vec::new();
    for (incident, told) in told {
        for (number, note) in told.notes.iter().enumerate().filter(|(_, note)| note.is_public) {
            entries.push((
                note.at,
                format!(
                    "<entry><id>urn:reprieve:{id}:{number}</id><title>{id}: \
                        {what}</title><updated>{at}</updated><content>{text}</content></entry>",
                    id = escaped(&incident.id),
                    what = escaped(&note.what),
                    at = note.at,
                    text = escaped(&note.text),
                ),
            ));
        }
    }
    entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let updated = entries.first().map_or(Timestamp::from_micros(0), |(at, _)| *at);
    let host = escaped(host);
    let entries: String = entries.into_iter().take(100).map(|(_, entry)| entry).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed \
            xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:reprieve:{host}</id>\
         <title>Mail protection of \
         {host}</title><updated>{updated}</updated><author><name>{host}</name></author>{entries}</feed>\n"
    )
}
