//! Files inside a text: uuencode (POSIX), yEnc, and the attachments of calendars and address cards. Mail programs show
//! each of them as an attachment.

use super::{Allowance, Closed, Member, calendar, uuencode};

/// The files inside a text, and why some were not seen.
pub(crate) fn in_text(bytes: &[u8], allowance: &mut Allowance<'_>) -> (Vec<Member>, Vec<Closed>) {
    let mut members = Vec::new();
    let closed = [
        uuencode::open(bytes, allowance, &mut members),
        uuencode::open_yenc(bytes, allowance, &mut members),
        calendar::open(bytes, allowance, &mut members),
    ];
    (members, closed.into_iter().filter_map(Result::err).collect())
}
