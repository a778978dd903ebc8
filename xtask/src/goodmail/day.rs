//! Days and times of the mails: counted from 2026-01-01, written as each language writes them.

use super::seed::Seed;

const MONTHS_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A time of the years from 2026 on, in UTC.
#[derive(Clone, Copy)]
pub(super) struct Day {
    /// Days since 2026-01-01.
    days: i64,
    /// Seconds of that day.
    pub(super) seconds: i64,
}

impl Day {
    /// Some time of the first eleven months of 2026, mostly when people work.
    pub(super) fn some(seed: &mut Seed) -> Self {
        let days = i64::try_from(seed.below(325)).unwrap_or_default();
        let hour = i64::try_from(seed.between(6, 20)).unwrap_or(9);
        Self { days, seconds: hour * 3600 + i64::try_from(seed.below(3600)).unwrap_or_default() }
    }

    /// So many days later.
    pub(super) fn after(self, days: i64) -> Self {
        Self { days: self.days + days, ..self }
    }

    /// So many seconds later.
    pub(super) fn later(self, seconds: i64) -> Self {
        let all = self.seconds + seconds;
        Self { days: self.days + all.div_euclid(86_400), seconds: all.rem_euclid(86_400) }
    }

    /// Year, month (from 0) and day of the month; years of 365 days, as 2026 and 2027 are.
    pub(super) fn civil(self) -> (i64, usize, i64) {
        let (year, mut rest) = (2026 + self.days.div_euclid(365), self.days.rem_euclid(365));
        for (month, length) in LENGTHS.iter().enumerate() {
            if rest < *length {
                return (year, month, rest + 1);
            }
            rest -= length;
        }
        (year, 11, 31)
    }

    /// Hour and minute.
    pub(super) fn clock(self) -> (i64, i64) {
        (self.seconds / 3600, self.seconds / 60 % 60)
    }

    fn weekday(self) -> &'static str {
        // 2026-01-01 is a Thursday.
        let at = usize::try_from((self.days + 3).rem_euclid(7)).unwrap_or_default();
        WEEKDAYS.get(at).copied().unwrap_or("Mon")
    }

    /// As a header field has it (RFC 5322 section 3.3).
    pub(super) fn field(self, zone: &str) -> String {
        let (year, month, day) = self.civil();
        let (hour, minute) = self.clock();
        let month = MONTHS_EN.get(month).copied().unwrap_or("Jan");
        format!("{}, {day:02} {month} {year} {hour:02}:{minute:02}:{:02} {zone}", self.weekday(), self.seconds % 60)
    }

    /// As a calendar has it (RFC 5545 section 3.3.5).
    pub(super) fn calendar(self) -> String {
        let (year, month, day) = self.civil();
        let (hour, minute) = self.clock();
        format!("{year}{:02}{day:02}T{hour:02}{minute:02}00", month + 1)
    }

    /// As ISO 8601 has it.
    pub(super) fn iso(self) -> String {
        let (year, month, day) = self.civil();
        let (hour, minute) = self.clock();
        format!("{year}-{:02}-{day:02}T{hour:02}:{minute:02}:00", month + 1)
    }

    /// Seconds since 1970.
    pub(super) fn unix(self) -> i64 {
        1_767_225_600 + self.days * 86_400 + self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_a_calendar() {
        let first = Day { days: 0, seconds: 0 };
        assert_eq!(first.field("+0000"), "Thu, 01 Jan 2026 00:00:00 +0000");
        assert_eq!(first.after(330).field("+0000"), "Fri, 27 Nov 2026 00:00:00 +0000");
        assert_eq!(first.after(365).later(-60).iso(), "2026-12-31T23:59:00");
        assert_eq!(first.after(59).civil(), (2026, 2, 1));
        assert_eq!(first.unix(), 1_767_225_600);
    }
}
