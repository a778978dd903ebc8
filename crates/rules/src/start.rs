//! What decides over mail when a program starts, before it takes any.

use detect::ruleset::Ruleset;
use platform::ruleset_store::keep;
use platform::shared::Shared;
use store::StoreError;

use crate::plan::in_force_instead;
pub use crate::plan::with_earlier_forms;
use crate::tasks::StoreParts;

/// The ruleset that the store says is in force; none when it is the one that is offered, by the configuration or the
/// program. That one is in force until a version is published; from then on a change of it is a change like any other,
/// and goes through the gates. The policy is remembered, and what was contained stays so over a restart.
///
/// # Errors
/// When the store fails, or the ruleset in force does not load any more.
pub async fn in_force(store: &StoreParts, shared: &Shared, offered: &Ruleset) -> Result<Option<Ruleset>, StoreError> {
    let now = shared.clock.now();
    let is_published = store.rules.was_ever_published().await?;
    keep(&store.rules, offered, Vec::new(), !is_published, now).await?;
    store.rules.remember_policy(&shared.config.policy, now).await?;
    shared.contained.put(store.containments.containment(now).await?);
    in_force_instead(&store.rules, &offered.id).await
}
