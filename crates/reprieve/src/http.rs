//! The HTTP servers: the API and the pages over TCP, the API over the unix socket, the portal.

use std::net::SocketAddr;
use std::sync::Arc;

use console::portal::{self, Portal};
use console::rate::Rates;
use console::secret::Passwords;
use console::serve::{self, Settle};
use console::{Console, Costs};
use domain::token::TokenKey;
use examiner::Viewer;
use gateway::Gateway;
use known_good::archive::Importer;
use platform::audit_signer::AuditSigner;
use platform::hop::Hops;
use platform::keys::KeyRing;
use platform::ledger_check::LedgerCheck;
use platform::recipient;
use platform::reconciler::Rounds;
use platform::removal::Removal;
use platform::system_mail;
use store::Store;
use store::known_good::vault::Vault;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::start_error::StartError;

/// What people see of the other rooms.
pub(crate) struct Seen {
    pub(crate) store: Option<Store>,
    pub(crate) vault: Option<Vault>,
    pub(crate) ring: KeyRing,
    pub(crate) removal: Removal,
    pub(crate) books: LedgerCheck,
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
    let console = console(gateway, seen)?;
    let portal = portal(console.clone(), &gateway.token_key);
    let portal = portal::serve(portal, stopping.clone(), tasks).await?;
    let listens_at = console.listens_at.clone();
    let api = serve::tcp(&config, console.clone(), stopping.clone(), tasks).await?;
    // It is set once, here.
    let _ = listens_at.set(api);
    serve::unix(&config, console, settle, stopping.clone(), tasks)?;
    Ok((api, portal))
}

fn console(gateway: &Gateway, seen: Seen) -> Result<Console, StartError> {
    let config = gateway.config.clone();
    Ok(Console {
        store: seen.store,
        clock: gateway.clock.clone(),
        signals: gateway.signals.clone(),
        rates: Rates::new(config.api_requests_per_second),
        attempts: Rates::new(1),
        data_dir: config.data_dir.clone(),
        vault: seen.vault,
        ring: seen.ring,
        notary: AuditSigner::new(&gateway.token_key, &config.hostname),
        importer: Importer {
            config: config.clone(),
            examiner: gateway.examiner.clone(),
            learner: gateway.learner.clone(),
            clock: gateway.clock.clone(),
        },
        costs: Costs::default(),
        books: seen.books,
        rounds: seen.rounds,
        removal: seen.removal,
        viewer: Viewer::start(&config.examination).map_err(StartError::Examiner)?,
        hops: Arc::new(Hops::new(&config, 1, &system_mail::timeouts())),
        readiness: gateway.readiness.clone(),
        listens_at: Arc::default(),
        passwords: Passwords::new(&config.http),
        config,
    })
}

fn portal(console: Console, key: &TokenKey) -> Portal {
    Portal {
        key: key.for_purpose(recipient::PURPOSE),
        languages: Arc::new(console.config.portal.languages.clone()),
        rates: Rates::new(console.config.api_requests_per_second),
        links: Rates::slow(portal::LINK_EVERY, portal::LINKS_AT_ONCE),
        console,
    }
}
