//! Of which mails that pass the way is told: chosen by the id, so that every part of one mail's way is told or none.

use domain::MailId;

/// Values that the last 56 bits of an id have. They are random, and those by which samplers of OpenTelemetry choose.
const ALL: u64 = 1 << 56;

/// A share of all mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u64);

impl Share {
    /// Every mail.
    pub const EVERY: Self = Self(ALL);

    /// A share from 0 to 1.
    pub fn of(share: f64) -> Self {
        Self((share.clamp(0.0, 1.0) * ALL as f64) as u64)
    }

    /// Whether a mail is in it.
    pub fn has(self, mail: MailId) -> bool {
        let last = mail.bits()[9..].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        last < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn a_share_is_chosen_by_what_is_random_in_the_id() {
        let mail = |last: u8| MailId::new(Timestamp::from_micros(1), [0, 0, 0, last, 0, 0, 0, 0, 0, 0]);
        let chosen = |share: f64| (0..=255).filter(|last| Share::of(share).has(mail(*last))).count();
        assert_eq!((chosen(0.0), chosen(0.25), chosen(1.0), chosen(7.0)), (0, 64, 256, 256));
        assert!(Share::EVERY.has(MailId::new(Timestamp::from_micros(1), [255; 10])));
    }
}
