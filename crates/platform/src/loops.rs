//! The loops that have to go on for as long as the service runs: those that take mail, and the background tasks. One
//! that ends before has panicked, and only a new start brings it back: whoever watches over the service asks here.

use tokio::task::AbortHandle;

/// The loops of a running service.
#[derive(Clone, Debug, Default)]
pub struct Loops(Vec<(String, AbortHandle)>);

impl Loops {
    /// One more has been started.
    pub fn add(&mut self, name: impl Into<String>, running: AbortHandle) {
        self.0.push((name.into(), running));
    }

    /// One that does not go on any more.
    pub fn ended(&self) -> Option<&str> {
        self.0.iter().find(|(_, running)| running.is_finished()).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn a_loop_that_has_ended_is_named() {
        let (mut loops, mut tasks) = (Loops::default(), JoinSet::new());
        loops.add("goes on", tasks.spawn(std::future::pending()));
        assert_eq!(loops.ended(), None);
        loops.add("panics", tasks.spawn(async { panic!("as a test wants it") }));
        // The only one that ends.
        assert!(tasks.join_next().await.is_some_and(|ended: Result<(), _>| ended.is_err()));
        assert_eq!(loops.ended(), Some("panics"));
    }
}
