//! How long clients may take and how much of them is borne with: the scarcer connections are, the less, and for
//! strangers least. It is the idea of Postfix's stress-dependent behaviour, by degrees.

use std::time::Duration;

use domain::share::{Standing, Stress};
use wire::smtp::server::Deadlines;
use wire::smtp::session::Tolerance;

use platform::config::GatewayLimits;

/// What a client may do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long it may take.
    pub deadlines: Deadlines,
    /// How much is borne with.
    pub tolerance: Tolerance,
    /// How long it may stay without a message that is accepted.
    pub visit: Duration,
}

/// What a client of this standing may do under this stress.
pub fn patience(limits: &GatewayLimits, standing: Standing, stress: Stress) -> Patience {
    let usual = Deadlines {
        command: limits.command_deadline,
        data_bytes_per_second: limits.data_bytes_per_second,
        data_max: limits.data_deadline,
        ..Deadlines::default()
    };
    let calm = Patience { deadlines: usual, tolerance: limits.tolerance, visit: limits.visit };
    match (standing, stress) {
        (Standing::Ours, _) | (_, Stress::None) => calm,
        (Standing::Known, _) => shortened(&calm, 30, 10, 4),
        (Standing::Stranger, Stress::High) => shortened(&calm, 30, 5, 4),
        (Standing::Stranger, Stress::Severe) => shortened(&calm, 10, 2, 8),
    }
}

/// Waits no longer than `seconds` for a command, bears with few faults, and asks for data that comes `faster` times as
/// fast.
fn shortened(calm: &Patience, seconds: u64, faults: u32, faster: u32) -> Patience {
    let most = Duration::from_secs(seconds);
    let usual = &calm.deadlines;
    let deadlines = Deadlines {
        command: usual.command.min(most),
        data: usual.data.min(most),
        data_bytes_per_second: usual.data_bytes_per_second.saturating_mul(faster),
        data_max: usual.data_max,
        handshake: usual.handshake.min(most),
    };
    let tolerance = Tolerance {
        errors_max: calm.tolerance.errors_max.min(faults),
        junk_max: calm.tolerance.junk_max.min(faults),
        refused_recipients_max: calm.tolerance.refused_recipients_max.min(faults * 4),
    };
    Patience { deadlines, tolerance, visit: calm.visit.min(most * 4) }
}
