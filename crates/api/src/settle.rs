//! What a drill's driver asks for over the unix socket: `POST /settle`, answered when everything is at rest.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::sync::{mpsc, oneshot, watch};

/// What the driver has asked for, one after the other.
#[derive(Debug)]
pub struct Asked(mpsc::Receiver<oneshot::Sender<()>>);

/// One that waits for its answer.
#[derive(Debug)]
pub struct Ask(oneshot::Sender<()>);

/// Where the driver asks, and what it has asked for.
pub fn asked() -> (Router, Asked) {
    let (asks, asked) = mpsc::channel::<oneshot::Sender<()>>(1);
    let handler = move || async move {
        let (answer, answered) = oneshot::channel();
        let is_settled = asks.send(answer).await.is_ok() && answered.await.is_ok();
        if is_settled { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    };
    (Router::new().route("/settle", post(handler)), Asked(asked))
}

impl Asked {
    /// The next one; none when the program ends.
    pub async fn next(&mut self, stop: &mut watch::Receiver<bool>) -> Option<Ask> {
        tokio::select! {
            _ = stop.changed() => None,
            asked = self.0.recv() => asked.map(Ask),
        }
    }
}

impl Ask {
    /// Everything is at rest.
    pub fn is_done(self) {
        // Who asked may have gone.
        let _ = self.0.send(());
    }
}
