//! What is told of an incident: to operators as a report drafted from the record, to the public as a page and a feed.
//! Pure: data in, text out.

use std::time::Duration;

use domain::Timestamp;
use domain::incident::told::Facts;
use domain::incident::{Outcome, Stage};
use serde_json::{Value, json};
use store::incident::{BlastRadius, Incident, Note, Progress, Residual};
use store::{IncidentStore, StoreError};

/// Residual units that are listed.
const RESIDUAL_MAX: i64 = 200;

/// Everything that is known of an incident besides its own row.
#[derive(Clone, Debug, Default)]
pub struct IncidentRecord {
    /// Its timeline.
    pub notes: Vec<Note>,
    /// How far it is.
    pub progress: Progress,
    /// How far it reached.
    pub reach: BlastRadius,
    /// What was not restored: the first ones.
    pub residual: Vec<Residual>,
    /// Senders who were told that their mail is held.
    pub senders_told: u64,
    /// When its replay began.
    pub replay_began: Option<Timestamp>,
    /// When the first message came that it held.
    pub first_held: Option<Timestamp>,
    /// When the first message came that it held wrongly.
    pub first_wrong: Option<Timestamp>,
}

impl IncidentRecord {
    /// Reads the timeline and how far it is: what is asked for again and again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn in_brief(incidents: &IncidentStore, incident: &Incident) -> Result<Self, StoreError> {
        let notes = incidents.timeline(&incident.id).await?;
        let (first_held, first_wrong) = incidents.first_held_and_first_wrongly_held(&incident.id).await?;
        Ok(Self {
            first_held,
            first_wrong,
            replay_began: notes.iter().find(|note| note.what == Stage::Replaying.as_str()).map(|note| note.at),
            notes,
            progress: incidents.progress(&incident.id).await?,
            ..Self::default()
        })
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(incidents: &IncidentStore, incident: &Incident) -> Result<Self, StoreError> {
        Ok(Self {
            reach: incidents.blast_radius(&incident.id).await?,
            residual: incidents.undelivered_units(&incident.id, RESIDUAL_MAX).await?,
            senders_told: incidents.senders_told_of_held_mail(&incident.id).await?.len() as u64,
            ..Self::in_brief(incidents, incident).await?
        })
    }

    /// What the record has of it, of which everything that the public is told is computed.
    pub fn facts<'r>(&self, incident: &'r Incident) -> Facts<'r> {
        Facts {
            detection: incident.suspect.code.as_str(),
            stage: incident.stage,
            is_convicted: incident.is_convicted,
            is_contained: incident.contained.is_some(),
            in_force: incident.in_force,
            first_held: self.first_held,
            first_wrong: self.first_wrong,
            tally: self.progress.tally(),
            words: &incident.public_text,
        }
    }

    /// How much of it is over, in per cent.
    pub fn percent(&self) -> f64 {
        match self.progress.units() {
            0 => 0.0,
            units => (self.progress.over() as f64 * 1000.0 / units as f64).floor() / 10.0,
        }
    }

    /// How long it will take at the pace so far; none while nothing can be told.
    pub fn eta(&self, now: Timestamp) -> Option<Duration> {
        let (over, left) = (self.progress.over(), self.progress.units() - self.progress.over());
        let spent = now.since(self.replay_began?);
        (over > 0 && left > 0).then(|| spent.mul_f64(left as f64 / over as f64))
    }
}

/// A span as people say it.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A moment as people read it.
pub fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {} UTC", text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default())
}

/// A moment as people read it, or that it is not known.
pub fn moment_or_not(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "not known yet".to_owned(), moment)
}

/// The numbers of a report, by name.
fn numbers(incident: &Incident, told: &IncidentRecord) -> Vec<(&'static str, String)> {
    let (progress, tally) = (&told.progress, told.progress.tally());
    let end = incident.resolved.unwrap_or(incident.moved);
    let until_contained = match (incident.in_force, incident.contained) {
        (_, None) => "not contained".to_owned(),
        (None, Some(_)) => "not known".to_owned(),
        (Some(since), Some(at)) => span(at.since(since)),
    };
    vec![
        ("Units held by the detection", progress.units().to_string()),
        ("Cleared by the replay", progress.of(Outcome::Cleared).to_string()),
        ("Delivered because of this incident", tally.delivered.to_string()),
        ("Delivered by other decisions: people's, or another incident's", tally.delivered_by_others.to_string()),
        ("Upheld: they stay held", progress.of(Outcome::Upheld).to_string()),
        ("Inconclusive", progress.of(Outcome::Inconclusive).to_string()),
        ("Settled before the replay", progress.of(Outcome::Settled).to_string()),
        ("Old, and their senders asked", progress.of(Outcome::Asked).to_string()),
        ("Not examined yet", progress.of(Outcome::Pending).to_string()),
        ("Began, with the first message that was affected", moment_or_not(told.facts(incident).began())),
        ("From the version's coming into force to containment", until_contained),
        ("From containment to the end", incident.contained.map_or("-".into(), |at| span(end.since(at)))),
        ("Senders told that mail is held", told.senders_told.to_string()),
        ("Manifest", format!("{} waves, root {}", incident.waves, incident.root)),
    ]
}

/// The post-incident report as Markdown.
pub fn markdown(incident: &Incident, told: &IncidentRecord) -> String {
    let facts = told.facts(incident);
    let mut out = format!("# {}: {}\n\n{}\n\n", incident.id, facts.title(), one_line(&facts.text()));
    out.push_str(&format!(
        "Stage: **{}**. Detection {} in version {}, in force since {} with ruleset {}.\n\n## Cause\n\n{}\n\n## \
            Numbers\n\n| what | how much |\n|---|---|\n",
        facts.stage(),
        incident.suspect.code,
        incident.suspect.version,
        moment_or_not(incident.in_force),
        incident.ruleset,
        incident.cause,
    ));
    for (what, how_much) in numbers(incident, told) {
        out.push_str(&format!("| {what} | {how_much} |\n"));
    }
    out.push_str("\n## Timeline\n\n");
    for note in &told.notes {
        out.push_str(&format!("- {}: {} ({})\n", moment(note.at), one_line(&note.text), note.actor));
    }
    out.push_str("\n## Reach\n\n");
    for (name, list) in reach(&told.reach) {
        let list: Vec<String> = list.iter().map(|(name, units)| format!("{} ({units})", cell(name))).collect();
        out.push_str(&format!("- {name}: {}\n", list.join(", ")));
    }
    out.push_str("\n## What was not delivered\n\n");
    if told.residual.is_empty() {
        out.push_str("Nothing: every unit was delivered.\n");
    } else {
        out.push_str("| unit | recipient | outcome | where | why |\n|---|---|---|---|---|\n");
        for one in &told.residual {
            let (outcome, account) = (one.outcome.as_str(), one.account.as_str());
            out.push_str(&format!(
                "| {} | {} | {outcome} | {account} | {} |\n",
                one.unit,
                cell(&one.recipient),
                cell(&one.reason)
            ));
        }
    }
    out
}

fn reach(reach: &BlastRadius) -> [(&'static str, &Vec<(String, u64)>); 4] {
    [
        ("directions", &reach.directions),
        ("domains", &reach.domains),
        ("senders", &reach.senders),
        ("recipients", &reach.recipients),
    ]
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A cell of a table: what strangers have written cannot end it.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|").replace('<', "&lt;")
}

/// The report as data.
pub fn json(incident: &Incident, told: &IncidentRecord) -> Value {
    let numbers: serde_json::Map<String, Value> =
        numbers(incident, told).into_iter().map(|(what, how_much)| (what.to_owned(), how_much.into())).collect();
    let timeline: Vec<Value> = told
        .notes
        .iter()
        .map(|note| {
            json!({ "at": note.at, "actor": note.actor, "what": note.what, "text": note.text,
            "public": note.is_public })
        })
        .collect();
    let residual: Vec<Value> = told
        .residual
        .iter()
        .map(|one| {
            json!({
                "unit": one.unit.to_string(), "recipient": one.recipient, "sender": one.sender,
                "outcome": one.outcome.as_str(), "account": one.account.as_str(), "reason": one.reason,
            })
        })
        .collect();
    let facts = told.facts(incident);
    json!({
        "id": incident.id, "title": facts.title(), "stage": facts.stage(),
        "detection": incident.suspect.code, "detection_version": incident.suspect.version, "ruleset": incident.ruleset,
        "began": facts.began(), "in_force_since": incident.in_force, "opened": incident.opened,
            "contained": incident.contained, "resolved": incident.resolved,
        "cause": incident.cause, "public_text": facts.text(), "manifest_root": incident.root,
        "numbers": numbers, "timeline": timeline, "residual": residual,
    })
}

/// The report as a page.
pub fn html(incident: &Incident, told: &IncidentRecord) -> String {
    let rows: String = numbers(incident, told)
        .iter()
        .map(|(what, how_much)| format!("<tr><th>{}</th><td>{}</td></tr>", escaped(what), escaped(how_much)))
        .collect();
    let notes: String = told
        .notes
        .iter()
        .map(|note| {
            format!(
                "<li><time>{}</time> {} <small>{}</small></li>",
                moment(note.at),
                escaped(&note.text),
                escaped(&note.actor)
            )
        })
        .collect();
    let residual: String = told
        .residual
        .iter()
        .map(|one| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&one.recipient),
                one.outcome.as_str(),
                one.account.as_str(),
                escaped(&one.reason)
            )
        })
        .collect();
    let left = if residual.is_empty() {
        "<p>Nothing: every unit was delivered.</p>".to_owned()
    } else {
        format!("<table><tr><th>recipient</th><th>outcome</th><th>where</th><th>why</th></tr>{residual}</table>")
    };
    let reached: String = reach(&told.reach)
        .iter()
        .map(|(name, list)| {
            let list: Vec<String> = list.iter().map(|(name, units)| format!("{} ({units})", escaped(name))).collect();
            format!("<tr><th>{name}</th><td>{}</td></tr>", list.join(", "))
        })
        .collect();
    let facts = told.facts(incident);
    let body = format!(
        "<h1>{}: {}</h1><p class=\"state \
            {}\">{}</p><p>{}</p><h2>Cause</h2><p>{}</p><h2>Numbers</h2><table>{rows}</table>\
         <h2>Timeline</h2><ol>{notes}</ol><h2>Reach</h2><table>{reached}</table><h2>What was not delivered</h2>{left}",
        escaped(&incident.id),
        escaped(&facts.title()),
        facts.stage(),
        facts.stage(),
        escaped(&facts.text()),
        escaped(&incident.cause),
    );
    page(&format!("{} report", incident.id), &body)
}

/// A whole page: no script, nothing from elsewhere.
pub fn page(title: &str, body: &str) -> String {
    const STYLE: &str = include_str!("report.css");
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
            content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
        escaped(title)
    )
}

/// A text inside HTML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}
