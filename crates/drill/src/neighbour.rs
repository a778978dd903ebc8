//! The engine outside of a drill whose scenario lets one fail: it speaks clamd's protocol, finds nothing, and can be
//! down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A clamd that finds nothing.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// Where it listens.
    pub address: SocketAddr,
    is_down: Arc<AtomicBool>,
}

impl Neighbour {
    /// Starts it on loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let neighbour = Self { address: listener.local_addr()?, is_down: Arc::default() };
        let own = neighbour.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if !own.is_down.load(Ordering::SeqCst) {
                    tokio::spawn(async move {
                        // A client that hangs up has all that it wanted.
                        let _ = answer(stream).await;
                    });
                }
            }
        });
        Ok(neighbour)
    }

    /// Hangs up on everybody from now on, or answers again.
    pub fn be_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }
}

/// One session: the version, then one stream.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    for expected in [&b"zIDSESSION\0"[..], b"zVERSION\0"] {
        let mut said = vec![0; expected.len()];
        stream.read_exact(&mut said).await?;
    }
    stream.write_all(b"1: ClamAV 1.0.0/1/Mon Jan  5 09:00:00 2026\0").await?;
    let mut said = [0; b"zINSTREAM\0".len()];
    stream.read_exact(&mut said).await?;
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).await?;
        let length = u64::from(u32::from_be_bytes(length));
        if length == 0 {
            return stream.write_all(b"2: stream: OK\0").await;
        }
        tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await?;
    }
}
