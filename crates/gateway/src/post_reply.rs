//! Work behind an answer: outcomes that a client does not wait for, but a drain does.

use std::sync::Mutex;

use tokio::task::JoinSet;

/// The work in progress.
#[derive(Debug, Default)]
pub struct PostReply(Mutex<JoinSet<()>>);

impl PostReply {
    /// Begins some work.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().expect("nobody panics while beginning work");
        // What has ended is let go here, so that the set stays as small as the work in progress.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    /// Waits until all of it has ended.
    pub async fn finish(&self) {
        let mut tasks = std::mem::take(&mut *self.0.lock().expect("nobody panics while beginning work"));
        while tasks.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_all_of_it() {
        let (post_reply, done) = (PostReply::default(), Arc::new(AtomicUsize::new(0)));
        for turns in 0..20 {
            let done = done.clone();
            post_reply.spawn(async move {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        post_reply.finish().await;
        assert_eq!(done.load(Ordering::SeqCst), 20);
        post_reply.finish().await;
    }

    #[tokio::test]
    async fn what_has_ended_is_let_go() {
        let post_reply = PostReply::default();
        for _ in 0..100 {
            post_reply.spawn(async {});
            tokio::task::yield_now().await;
        }
        assert!(post_reply.0.lock().expect("free").len() < 5);
    }
}
