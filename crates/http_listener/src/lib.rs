//! Serving HTTP to strangers: connections are counted, everything that a client can be slow at has an end, and every
//! request comes by a name of ours.

mod client;
mod door;
mod doors;
mod host;
mod peer;
mod places;
mod pulse;

pub use client::counted;
pub use door::{Caller, Door, RequestConnection};
pub use doors::Doors;
pub use peer::Peer;

use tokio::sync::watch;

/// Ends when the program is told to stop.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    // A dropped sender means that the program ends.
    let _ = stop.wait_for(|stopping| *stopping).await;
}
