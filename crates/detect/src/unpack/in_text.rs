//! Files inside a text: uuencode (POSIX), yEnc, and the attachments of calendars and address cards. Mail programs show
//! each of them as an attachment.

use super::{Allowance, Closed, Member, calendar, uuencode};

/// The files inside a text, and why some were not seen.
pub(crate) fn in_text(bytes: &[u8], allowance: &mut Allowance<'_>) -> (Vec<Member>, Vec<Closed>) {
    let mut members = Vec::new();
    let mut closed = Vec::new();
    let readers: [fn(&[u8], &mut Allowance<'_>, &mut Vec<Member>) -> Result<(), Closed>; 3] =
        [uuencode::open, uuencode::open_yenc, calendar::open];
    for reader in readers {
        closed.extend(reader(bytes, allowance, &mut members).err());
    }
    (members, closed)
}
