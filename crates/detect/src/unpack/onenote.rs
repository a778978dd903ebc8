//! OneNote sections (MS-ONESTORE 2.6.13): the files that are embedded in a page. A page that asks for a double click on
//! a picture hides a script below it.

use super::{Allowance, Closed, Member};

/// What begins every section.
pub(crate) const SECTION: [u8; 16] =
    [0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d, 0xae, 0xb1, 0x53, 0x78, 0xd0, 0x29, 0x96, 0xd3];
/// What begins every embedded file; its length follows, then twelve bytes, then the file.
const FILE: [u8; 16] = [0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac];

/// Takes the embedded files out.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    for found in memchr::memmem::find_iter(bytes, &FILE) {
        allowance.entry()?;
        let at = found + FILE.len();
        let length = bytes.get(at..at + 8).and_then(|number| number.try_into().ok()).map(u64::from_le_bytes);
        let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else { continue };
        let from = at + 20;
        let Some(content) = bytes.get(from..from.saturating_add(length)) else {
            return Err(Closed::NotAnalysed("a OneNote section that is cut off".into()));
        };
        let content = allowance.read(length as u64, content)?;
        members.push(Member::new(String::new(), content));
    }
    Ok(())
}
