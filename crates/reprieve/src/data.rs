//! The store is opened, with what is in force in it.

use detect::ruleset::Ruleset;
use domain::token::TokenKey;
use platform::clock::Clock;
use platform::config::Config;
use platform::panic_switch::{SwitchPosition, read as read_panic_file};
use platform::removal::Removal;
use platform::ruleset_store::keep;
use rules::plan;
use store::{Store, StoreError};

/// Opens the store, and loads what is in force. The ruleset that the configuration names, or the program brings, is in
/// force until a version is published; from then on a change of it is a change like any other, and goes through the
/// gates. With the panic switch at `bypass` a store that does not open is done without.
pub(crate) async fn open_store(
    config: &Config,
    offered: Ruleset,
    key: &TokenKey,
    clock: &dyn Clock,
    removal: &Removal,
) -> Result<(Option<Store>, Ruleset), StoreError> {
    let now = clock.now();
    let opened = async {
        let store = Store::open_embedded(&config.data_dir, &config.hostname, key, now).await?;
        // Before this run writes anything: what was recorded last says how late it certainly is.
        removal.look(&store.upkeep).await?;
        let published = store.rules.was_ever_published().await?;
        keep(&store.rules, &offered, Vec::new(), !published, now).await?;
        store.rules.remember_policy(&config.policy, now).await?;
        let left = store.take_over(now).await?;
        if left.doubted > 0 || left.ended > 0 {
            tracing::warn!(?left, "the last run was interrupted: units in doubt and leases ended");
        }
        let live = plan::in_force_instead(&store.rules, &offered.id).await?;
        Ok::<_, StoreError>((store, live))
    };
    match opened.await {
        Ok((store, live)) => {
            let live = plan::with_earlier_forms(&store.rules, live.unwrap_or(offered)).await?;
            Ok((Some(store), live))
        }
        Err(error) if read_panic_file(&config.panic_file, now) == Ok(SwitchPosition::Bypass) => {
            tracing::error!(%error, "the store does not open; the panic switch says bypass, so mail passes unexamined");
            Ok((None, offered))
        }
        Err(error) => Err(error),
    }
}
