//! What is on the disk is opened: the data folder, the store, the vault of known-good content, the ruleset in force.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use detect::ruleset::Ruleset;
use domain::Timestamp;
use domain::detection::RulesetId;
use domain::token::TokenKey;
use platform::clock::Clock;
use platform::config::Config;
use platform::keys::KeyRing;
use platform::panic_switch::{SwitchPosition, read as read_panic_file};
use platform::removal::Removal;
use platform::ruleset_store::keep;
use platform::start_error::DataDirError;
use rules::plan;
use store::known_good::vault::Vault;
use store::{Store, StoreError};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::start_error::StartError;

/// The folder of known-good content, in the data folder.
const KNOWN_GOOD: &str = "known-good";

/// Makes the data folder, private to its user, and takes its lock.
pub(crate) fn prepare_data_dir(path: &Path) -> Result<File, StartError> {
    let failed = |source| DataDirError { path: path.to_owned(), source };
    if !path.is_dir() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        // A folder that a power cut takes back takes with it whatever was answered for meanwhile.
        let parent = path.canonicalize().map_err(failed)?.parent().map(Path::to_owned).unwrap_or_default();
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(StartError::Locked(path.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

/// Opens the store, and loads what is in force. The ruleset that the configuration names, or the program brings, is in
/// force until a version is published; from then on a change of it is a change like any other, and goes through the
/// gates.
pub(crate) async fn open_store(
    config: &Config,
    offered: Ruleset,
    key: &TokenKey,
    clock: &dyn Clock,
    removal: &Removal,
) -> Result<(Option<Store>, Ruleset), StartError> {
    let now = clock.now();
    let opened = async {
        let store = Store::open_embedded(&config.data_dir, &config.hostname, key, now).await?;
        // Before this run writes anything: what was recorded last says how late it certainly is.
        removal.look(&store.upkeep).await?;
        let published = store.rules.was_ever_published().await?;
        keep(&store.rules, &offered, Vec::new(), !published, now).await?;
        store.rules.remember_policy(&config.policy, now).await?;
        let live = in_force(&store, &offered.id).await?;
        let doubted = store.mail.doubt_forwarding(now).await?;
        let ended = store.releases.end_leases(Some(&format!("{}/", config.hostname)), now).await?;
        store.notices.end_claims(&format!("{}/", config.hostname), now).await?;
        if doubted > 0 || ended > 0 {
            tracing::warn!(doubted, ended, "the last run was interrupted: units in doubt and leases ended");
        }
        Ok::<_, StoreError>((store, live))
    };
    match opened.await {
        Ok((store, live)) => {
            let mut live = live.unwrap_or(offered);
            for fault in live.remember_previous(store.rules.ruleset_before(&live.id).await?) {
                tracing::warn!(fault, "the earlier form of a changed detection cannot be run beside it");
            }
            Ok((Some(store), live))
        }
        Err(error) if read_panic_file(&config.panic_file, now) == Ok(SwitchPosition::Bypass) => {
            tracing::error!(%error, "the store does not open; the panic switch says bypass, so mail passes unexamined");
            Ok((None, offered))
        }
        Err(error) => Err(error.into()),
    }
}

/// The ruleset that the store says is in force; none when it is the one that is offered.
async fn in_force(store: &Store, offered: &RulesetId) -> Result<Option<Ruleset>, StoreError> {
    let Some(live) = store.rules.ruleset_in_force().await?.filter(|live| live != offered) else { return Ok(None) };
    tracing::info!(%live, %offered, "a published ruleset is in force; `reprieve ruleset publish` offers the other one \
        to the gates");
    plan::load_kept(&store.rules, &live, &Handle::current()).await.map(Some)
}

/// The bytes of known-good content, encrypted; none if it is not to be kept.
pub(crate) fn open_vault(config: &Config, ring: &KeyRing, clock: &dyn Clock) -> Result<Option<Vault>, StartError> {
    if !config.known_good.is_on {
        return Ok(None);
    }
    let failed = |source| DataDirError { path: config.known_good.key_file.clone(), source };
    let keys = ring.load(clock).map_err(failed)?;
    Ok(Some(Vault::open(&config.data_dir.join(KNOWN_GOOD), keys).map_err(failed)?))
}

/// Doubts what was passed on and not answered, so that the books say so at once, and closes.
pub(crate) async fn close_store(store: Store, now: Timestamp, last: Instant) {
    match timeout_at(last, store.mail.doubt_forwarding(now)).await {
        Ok(Ok(0)) => {}
        Ok(Ok(doubted)) => tracing::warn!(doubted, "the next hop had not answered: units in doubt"),
        Ok(Err(error)) => {
            tracing::error!(%error, "what the next hop has not answered could not be doubted; the next start does it")
        }
        Err(_) => {
            tracing::warn!("what the next hop has not answered could not be doubted in time; the next start does it")
        }
    }
    if timeout_at(last, store.close()).await.is_err() {
        tracing::warn!("the store could not be closed in time; nothing that was answered is lost");
    }
}
