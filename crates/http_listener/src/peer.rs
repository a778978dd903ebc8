//! Who is at the other end of a unix socket.

use tokio::net::UnixStream;

/// The user at the other end of a unix socket.
#[derive(Clone, Debug)]
pub struct Peer(Option<u32>);

impl Peer {
    /// By what the kernel says of them.
    pub fn of(socket: &UnixStream) -> Self {
        Self(socket.peer_cred().ok().map(|cred| cred.uid()))
    }

    /// Their user id; none where the kernel does not say.
    pub fn uid(&self) -> Option<u32> {
        self.0
    }
}
