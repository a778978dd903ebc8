//! What the benchmarks share.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mails`] | the mails, composed here |
//! | [`load`] | a load over SMTP, with the latency of each mail |
//! | [`delivery`] | a load through a gateway, until the sink has every mail |
//! | [`scanning`] | `reprieve scan` of many mails, without its start |
//! | [`mistake`] | mails that a wrong detection held, and the incident of it |
//! | [`cost`] | CPU time and memory of whole process trees |
//! | [`process`] | a neighbour as a process of our own, stopped by its pid |
//! | [`sink`], [`postfix`], [`rspamd`], [`spamassassin`], [`amavis`], [`reprieve`] | the neighbours |
//! | [`disk`] | what an fdatasync costs here and now |

pub mod amavis;
pub mod cost;
pub mod delivery;
pub mod disk;
pub mod load;
pub mod mails;
pub mod mistake;
pub mod postfix;
pub mod process;
pub mod reprieve;
pub mod rspamd;
pub mod scanning;
pub mod sink;
pub mod spamassassin;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// The address of a loopback port that is free now.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Waits until somebody listens at `address`.
pub fn wait_for(address: SocketAddr, who: &str) -> Result<()> {
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        ensure!(began.elapsed() < Duration::from_secs(30), "{who} does not listen at {address}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The middle value.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
