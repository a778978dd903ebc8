//! Where work is done that nobody waits for: threads that the kernel lets run when there is nothing else to do, so that
//! a replay of a hundred thousand mails leaves live mail alone.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// How far what nobody waits for stands back (nice 0 to 19).
pub const NICE: i32 = 15;

/// The threads; they end with this.
#[derive(Debug)]
pub struct Background(Option<Runtime>);

impl Background {
    /// Starts `threads` of them.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(threads: usize) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).thread_name("background").enable_all();
        builder.on_thread_start(|| {
            // Under Linux this is the thread's own; where it may not, it only stands back less.
            let _ = rustix::process::nice(NICE);
        });
        let failed = |error: io::Error| io::Error::new(error.kind(), format!("cannot start a thread: {error}"));
        Ok(Self(Some(builder.build().map_err(failed)?)))
    }

    /// What tasks are spawned on.
    pub fn handle(&self) -> &Handle {
        self.0.as_ref().expect("it is there until it is dropped").handle()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Whoever drops it may be such a task himself.
            runtime.shutdown_background();
        }
    }
}
