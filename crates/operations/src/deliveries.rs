//! Deliveries that are under way, one to a channel at most: a channel that is slow, or does not answer, keeps no other
//! waiting.

use std::collections::HashMap;

use store::StoreError;
use tokio::task::{Id, JoinSet};

/// What is being told to whom.
#[derive(Debug, Default)]
pub struct Deliveries {
    running: JoinSet<Result<(), StoreError>>,
    channels: HashMap<Id, String>,
}

impl Deliveries {
    /// Begins to tell a channel what it does not know; nothing while it is being told something already.
    pub fn begin(&mut self, channel: &str, telling: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        if !self.channels.values().any(|busy| busy == channel) {
            self.channels.insert(self.running.spawn(telling).id(), channel.to_owned());
        }
    }

    /// Takes note of those that have ended.
    ///
    /// # Errors
    /// The first failure of the store among them.
    pub fn ended(&mut self) -> Result<(), StoreError> {
        let mut found = Ok(());
        while let Some(ended) = self.running.try_join_next_with_id() {
            let (id, told) = match ended {
                Ok(told) => told,
                Err(panic) => (panic.id(), Err(StoreError::Unreadable(panic.to_string()))),
            };
            self.channels.remove(&id);
            found = found.and(told);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_slow_channel_keeps_no_other_waiting_and_is_told_one_thing_at_a_time() {
        let mut deliveries = Deliveries::default();
        let told = Arc::new(AtomicUsize::new(0));
        let count = |told: &Arc<AtomicUsize>| {
            let told = told.clone();
            async move {
                told.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        };
        deliveries.begin("slow", std::future::pending());
        deliveries.begin("slow", count(&told));
        deliveries.begin("quick", count(&told));
        deliveries.begin("mad", async { panic!("a fault of ours") });
        while deliveries.channels.len() > 1 {
            tokio::task::yield_now().await;
            // A panic is a failure of that one alone.
            let _ = deliveries.ended();
        }
        assert_eq!(told.load(Ordering::SeqCst), 1, "the quick one was told, the slow one not twice");
        deliveries.begin("quick", count(&told));
        while deliveries.channels.len() > 1 {
            tokio::task::yield_now().await;
            deliveries.ended().expect("it was told");
        }
        assert_eq!(told.load(Ordering::SeqCst), 2);
    }
}
