//! The HTTP servers: the API and the pages over TCP, the API over the unix socket, the portal.

use std::net::SocketAddr;
use std::sync::Arc;

use examiner::Viewer;
use gateway::Gateway;
use known_good::archive::Importer;
use platform::keys::KeyRing;
use platform::ledger_check::LedgerCheck;
use platform::reconciler::Rounds;
use platform::removal::Removal;
use portal::Portal;
use service::{Parts, Service};
use store::Store;
use store::known_good::vault::Vault;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::listeners::{self, Settle};
use crate::start_error::StartError;

/// What people see of the other rooms.
pub(crate) struct Seen {
    pub(crate) store: Option<Store>,
    pub(crate) vault: Option<Vault>,
    pub(crate) ring: KeyRing,
    pub(crate) removal: Removal,
    pub(crate) ledger_check: LedgerCheck,
    pub(crate) rounds: Rounds,
}

/// Starts all of them; returns where the API and the portal are.
pub(crate) async fn start(
    gateway: &Gateway,
    seen: Seen,
    settle: Option<Settle>,
    stopping: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(SocketAddr, Option<SocketAddr>), StartError> {
    let config = gateway.config.clone();
    let service = service(gateway, seen)?;
    let portal = Portal { languages: Arc::new(config.portal.languages.clone()), service: service.clone() };
    let portal = portal::serve(portal, stopping.clone(), tasks).await?;
    let listens_at = service.listens_at.clone();
    let api = listeners::tcp(&config, service.clone(), stopping.clone(), tasks).await?;
    // It is set once, here.
    let _ = listens_at.set(api);
    listeners::unix(&config, service, settle, stopping.clone(), tasks)?;
    Ok((api, portal))
}

fn service(gateway: &Gateway, seen: Seen) -> Result<Service, StartError> {
    let config = gateway.config.clone();
    Ok(Service::new(Parts {
        store: seen.store,
        clock: gateway.clock.clone(),
        signals: gateway.signals.clone(),
        key: &gateway.token_key,
        vault: seen.vault,
        ring: seen.ring,
        importer: Importer {
            config: config.clone(),
            examiner: gateway.examiner.clone(),
            learner: gateway.learner.clone(),
            clock: gateway.clock.clone(),
        },
        ledger_check: seen.ledger_check,
        rounds: seen.rounds,
        removal: seen.removal,
        viewer: Viewer::start(&config.examination).map_err(StartError::Examiner)?,
        readiness: gateway.readiness.clone(),
        config,
    }))
}
