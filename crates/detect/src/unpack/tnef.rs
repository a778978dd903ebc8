//! TNEF (MS-OXTNEF), the winmail.dat of Outlook: its attachments with their names.

use super::{Allowance, Closed, Member};

const SIGNATURE: u32 = 0x223e_9f78;
/// The level of attributes that belong to an attachment.
const ATTACHMENT: u8 = 2;
const ATTACH_RENDERING: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACH_PROPERTIES: u32 = 0x0006_9005;
/// PidTagAttachLongFilename, as Unicode and as an older string.
const LONG_NAME: [u8; 2] = [0x07, 0x37];

/// Opens a TNEF stream.
pub(super) fn open(bytes: &[u8], allowance: &mut Allowance<'_>, members: &mut Vec<Member>) -> Result<(), Closed> {
    let long = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if long(0) != Some(SIGNATURE) {
        return Err(Closed::NotAnalysed("not TNEF".into()));
    }
    let mut at = 6;
    let mut now: Option<(String, Vec<u8>)> = None;
    while let (Some(level), Some(attribute), Some(length)) = (bytes.get(at), long(at + 1), long(at + 5)) {
        let from = at + 9;
        let Some(content) = bytes.get(from..from.saturating_add(length as usize)) else {
            members.extend(now.take().map(member));
            return Err(Closed::NotAnalysed("TNEF that is cut off".into()));
        };
        at = from + content.len() + 2;
        if *level != ATTACHMENT {
            continue;
        }
        match attribute {
            ATTACH_RENDERING => {
                allowance.entry()?;
                members.extend(now.replace(Default::default()).map(member));
            }
            ATTACH_TITLE => {
                let title = String::from_utf8_lossy(content).trim_end_matches('\0').to_owned();
                let (name, _) = now.get_or_insert_default();
                if name.is_empty() {
                    *name = title;
                }
            }
            ATTACH_DATA => now.get_or_insert_default().1 = allowance.read(content.len() as u64, content)?,
            ATTACH_PROPERTIES => {
                if let Some(long_name) = long_name(content) {
                    now.get_or_insert_default().0 = long_name;
                }
            }
            _ => {}
        }
    }
    members.extend(now.map(member));
    Ok(())
}

fn member((name, bytes): (String, Vec<u8>)) -> Member {
    Member::new(name, bytes)
}

/// The long name among the properties: its tag, the number of values, its length, itself.
fn long_name(properties: &[u8]) -> Option<String> {
    for kind in [0x1f_u8, 0x1e] {
        let tag = [kind, 0, LONG_NAME[0], LONG_NAME[1], 1, 0, 0, 0];
        let Some(found) = memchr::memmem::find(properties, &tag) else { continue };
        let at = found + tag.len();
        let length = u32::from_le_bytes(properties.get(at..at + 4)?.try_into().ok()?) as usize;
        let text = properties.get(at + 4..(at + 4).checked_add(length)?)?;
        let name = if kind == 0x1f {
            let units = text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
        } else {
            String::from_utf8_lossy(text).into_owned()
        };
        return Some(name.trim_end_matches('\0').to_owned());
    }
    None
}
