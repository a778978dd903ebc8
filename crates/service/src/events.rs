//! Events: what is recorded, for whoever watches from outside, and how far the sinks of the configuration are.

use api_types::events::{EventSinkView, EventsQuery, EventsView};
use domain::event::{Content, EventKind, Source, line};
use serde_json::Value;

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// The reconciler that tells sinks, as its failing items are known.
const RECONCILER: &str = "events";

/// Events from an entry of the audit log on. They say no more than a log may say.
///
/// # Errors
/// When the operator may not, the kind is none, or the store fails.
pub async fn list(service: &Service, operator: &Operator, query: EventsQuery) -> ServiceResult<EventsView> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let kinds = match query.kind.as_deref() {
        None => EventKind::ALL.to_vec(),
        Some(kind) => vec![EventKind::parse(kind).ok_or_else(|| {
            let names = EventKind::ALL.map(EventKind::as_str).join(", ");
            ServiceError::Bad(format!("'{kind}' is no kind of event; there are {names}"))
        })?],
    };
    let store = &service.store()?.events;
    let from = match query.epoch.as_deref() {
        Some(epoch) => store.resolved(epoch, query.from).await?,
        None => query.from,
    };
    let page = store.page(from).await?;
    let source = Source { host: service.config.hostname.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let wanted = page.events.iter().filter(|event| event.is_wanted(&kinds));
    let told = wanted.filter_map(|event| serde_json::from_str(&line(event, &source, Content::default())).ok());
    let events: Vec<Value> = told.collect();
    Ok(EventsView { events, next: page.next, end: page.end, epoch: page.epoch, is_beyond_end: from > page.end })
}

/// The sinks of the configuration, and how far each is.
///
/// # Errors
/// When the operator may not, or the store fails.
pub async fn sinks(service: &Service, operator: &Operator) -> ServiceResult<Vec<EventSinkView>> {
    operator.may(Permission::Audit)?;
    operator.must_see_all()?;
    let events = &service.store()?.events;
    let known = events.sinks().await?;
    let failing = service.rounds.failing().remove(RECONCILER).unwrap_or_default();
    let mut sinks = Vec::new();
    for config in &service.config.event_sinks {
        let known = known.iter().find(|sink| sink.name == config.name);
        let fault = failing.iter().find(|(name, _)| *name == config.name).map(|(_, one)| one);
        let lag = match known {
            Some(known) => Some(events.lag(known.position).await?),
            None => None,
        };
        sinks.push(EventSinkView {
            name: config.name.clone(),
            to: config.to.to_string(),
            events: config.kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
            told: config.content.words().into_iter().map(str::to_owned).collect(),
            position: known.map(|known| known.position),
            behind: lag.map_or(0, |lag| lag.entries),
            behind_since: lag.and_then(|lag| lag.since).map(|since| since.to_string()),
            taken: known.and_then(|known| known.taken).map(|taken| taken.to_string()),
            fault: fault.map(|one| one.fault.clone()),
            next_try: fault.map(|one| one.next.to_string()),
        });
    }
    Ok(sinks)
}
