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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use platform::config::Config;

    use super::*;

    fn limits() -> GatewayLimits {
        let text = "data_dir = \"data\"\nhostname = \"g.example\"\naccepted_domains = [\"ours.example\"]\n\
                    [[listener]]\naddress = \"127.0.0.1:0\"\n[next_hop.inbound]\naddress = \"127.0.0.1:1\"\n";
        Config::parse(text, Path::new(".")).expect("a right one").limits
    }

    /// Seconds for a command, for data and for a handshake, bytes a second, faults, junk, and seconds for a visit.
    fn told(standing: Standing, stress: Stress) -> [u64; 7] {
        let Patience { deadlines, tolerance, visit } = patience(&limits(), standing, stress);
        let [command, data, handshake] =
            [deadlines.command, deadlines.data, deadlines.handshake].map(|one| one.as_secs());
        let (rate, faults, junk) = (deadlines.data_bytes_per_second, tolerance.errors_max, tolerance.junk_max);
        [command, data, handshake, rate.into(), faults.into(), junk.into(), visit.as_secs()]
    }

    #[test]
    fn all_have_the_same_patience_while_there_is_room() {
        let calm = [300, 300, 30, 4096, 20, 100, 3600];
        for standing in [Standing::Stranger, Standing::Known, Standing::Ours] {
            assert_eq!(told(standing, Stress::None), calm, "{standing:?}");
        }
        for stress in [Stress::High, Stress::Severe] {
            assert_eq!(told(Standing::Ours, stress), calm, "ours under {stress:?}");
        }
    }

    #[test]
    fn the_scarcer_connections_are_the_less_strangers_may_do() {
        assert_eq!(told(Standing::Known, Stress::High), [30, 30, 30, 4 * 4096, 10, 10, 120]);
        assert_eq!(told(Standing::Known, Stress::Severe), [30, 30, 30, 4 * 4096, 10, 10, 120]);
        assert_eq!(told(Standing::Stranger, Stress::High), [30, 30, 30, 4 * 4096, 5, 5, 120]);
        assert_eq!(told(Standing::Stranger, Stress::Severe), [10, 10, 10, 8 * 4096, 2, 2, 40]);
        let refused = |stress| patience(&limits(), Standing::Stranger, stress).tolerance.refused_recipients_max;
        assert_eq!((refused(Stress::None), refused(Stress::High), refused(Stress::Severe)), (100, 20, 8));
    }

    #[test]
    fn what_is_set_shorter_stays_so() {
        let short = GatewayLimits {
            command_deadline: Duration::from_secs(3),
            data_deadline: Duration::from_secs(9),
            visit: Duration::from_secs(5),
            ..limits()
        };
        let told = patience(&short, Standing::Stranger, Stress::Severe);
        let seconds = [told.deadlines.command, told.deadlines.data_max, told.visit].map(|time| time.as_secs());
        assert_eq!(seconds, [3, 9, 5]);
    }
}
