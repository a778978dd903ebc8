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
