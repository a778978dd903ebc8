//! All doors of one program, which close together.

use std::time::Duration;

use axum::serve::Listener;
use platform::config::http::HttpConfig;
use platform::measure::{self, Scarce};
use platform::task::end;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{Caller, Door};

/// What has an answer under way when its door closes has for the rest of it.
const LAST_STEPS: Duration = Duration::from_millis(200);

/// The open doors of one program.
#[derive(Debug)]
pub struct Doors {
    open: JoinSet<()>,
    closing: watch::Sender<bool>,
}

impl Doors {
    /// With none open yet. Says which limits are in force, beside what is used of them.
    pub fn new(limits: &HttpConfig) -> Self {
        measure::limit(Scarce::Http, limits.connections_max as u64);
        measure::limit(Scarce::Streams, limits.streams_max as u64);
        Self { open: JoinSet::new(), closing: watch::channel(false).0 }
    }

    /// Opens a door to whoever comes by `listener`; `who` says who that is.
    pub fn open<L>(&mut self, door: Door, listener: L, who: impl Fn(&L::Io, &L::Addr) -> Caller + Send + 'static)
    where
        L: Listener,
        L::Io: Unpin,
    {
        self.open.spawn(door.serve(listener, who, self.closing.subscribe()));
    }

    /// Closes all of them; who is served has a moment for the end of it.
    pub async fn close(mut self) {
        // Nobody listening means that none is open.
        let _ = self.closing.send(true);
        end(&mut self.open, "HTTP server", Instant::now() + LAST_STEPS).await;
    }
}
