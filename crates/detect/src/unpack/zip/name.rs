//! Names of members of a zip as text.

use super::super::number::u32_le;
use super::header::fields;

/// The extra field with the name in UTF-8 (APPNOTE 4.6.9): a version, a checksum of the plain name, the name.
const UNICODE_PATH: u16 = 0x7075;
/// Code page 437 from 128 on, which names are in that are not said to be UTF-8 (APPNOTE appendix D).
const CODE_PAGE_437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔\
╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A name as text. Many write UTF-8 without saying so.
pub(super) fn readable(text: &[u8], is_utf8: bool) -> String {
    match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) if is_utf8 => String::from_utf8_lossy(text).into_owned(),
        Err(_) => text.iter().map(|byte| character(*byte)).collect(),
    }
}

fn character(byte: u8) -> char {
    let above = usize::from(byte).checked_sub(128);
    above.map_or(char::from(byte), |number| CODE_PAGE_437.chars().nth(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The name in Unicode among the extra fields. Whether its checksum fits is not asked: not all unpackers do.
pub(super) fn unicode(extra: &[u8]) -> Option<String> {
    let (_, content) = fields(extra).find(|(id, _)| *id == UNICODE_PATH)?;
    u32_le(content, 1)?;
    Some(String::from_utf8_lossy(content.get(5..)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_letters_are_read() {
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(readable(b"M\x81ller.js", false), "Müller.js");
        assert_eq!(readable("Müller.js".as_bytes(), false), "Müller.js");
        assert_eq!(readable(b"M\x81ller.js", true), "M\u{fffd}ller.js");
    }
}
