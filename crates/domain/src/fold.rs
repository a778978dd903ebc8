//! Text as it is searched: case, and the different ways to write one character, do not matter. What is stored and what
//! is asked for are folded by the same functions, since the databases fold ASCII only, or by a locale that nobody has
//! chosen.

use unicode_normalization::UnicodeNormalization;

use crate::domain_name::has_a_label;

/// A text for searching: in full case folding and NFKC, without characters that nobody sees. `STRASSE` and `straße` are
/// one, as are `ﬁn` and `fin`.
pub fn text(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Folding can break what was composed, and composing can bring case back; a second round finds nothing more.
    once(&once(text))
}

/// An address, a domain or a piece of one for searching: as [`text`], with A-labels (`xn--bcher-kva`) as the U-labels
/// that they stand for.
pub fn name(name: &str) -> String {
    if !has_a_label(name) {
        return text(name);
    }
    let labels = name.split_inclusive(['.', '@']).map(|piece| {
        let label = piece.trim_end_matches(['.', '@']);
        if !has_a_label(label) {
            return piece.to_owned();
        }
        match idna::domain_to_unicode(label) {
            (shown, Ok(())) => format!("{shown}{}", &piece[label.len()..]),
            // No label that stands for anything.
            (_, Err(_)) => piece.to_owned(),
        }
    });
    text(&labels.collect::<String>())
}

/// Whether lower case of ASCII alone does not make a text what it is folded to: then the folded text must be kept
/// beside it.
pub fn differs(text: &str, folded: &str) -> bool {
    text.len() != folded.len() || text.bytes().zip(folded.bytes()).any(|(one, other)| one.to_ascii_lowercase() != other)
}

fn once(text: &str) -> String {
    let seen = text.nfkc().filter(|c| !is_unseen(*c));
    // Upper case first: it brings together what lower case keeps apart, such as the two forms of sigma.
    let cased: String = seen.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    cased.nfkc().collect()
}

/// Soft hyphen, joiners, variation selectors and their kin: inside a word they change nothing that a reader would type.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_form_do_not_matter() {
        for (one, other) in [
            ("MÄRZ", "März"),
            ("Ma\u{308}rz", "märz"),
            ("ПРИВЕТ, МИР", "Привет, мир"),
            ("ΟΔΟΣ", "οδος"),
            ("STRASSE", "Straße"),
            ("ﬁnal", "FINAL"),
            ("ＡＢＣ", "abc"),
            ("Rech\u{ad}nung", "RECHNUNG"),
            ("ｶﾀｶﾅ", "カタカナ"),
        ] {
            assert_eq!(text(one), text(other), "{one} {other}");
        }
        assert_ne!(text("März"), text("Marz"), "an accent is no case");
    }

    #[test]
    fn names_are_found_by_either_label() {
        assert_eq!(name("Anna@XN--BCHER-KVA.example"), "anna@bücher.example");
        assert_eq!(name("anna@BÜCHER.example"), "anna@bücher.example");
        assert_eq!(name("@xn--"), "@xn--", "what is no label stays");
        assert_eq!(name("plain.Name@Ours.example"), "plain.name@ours.example");
    }

    #[test]
    fn what_ascii_folds_needs_no_second_text() {
        assert!(!differs("Quarterly Figures", &text("Quarterly Figures")));
        assert!(!differs("März", &text("März")), "what is lower case already, every database leaves alone");
        assert!(differs("MÄRZ", &text("MÄRZ")), "a database may not know the lower case of Ä");
        assert!(differs("x@xn--bcher-kva.example", &name("x@xn--bcher-kva.example")));
    }

    proptest! {
        #[test]
        fn folded_is_folded(any in any::<String>()) {
            prop_assert_eq!(text(&text(&any)), text(&any));
            prop_assert_eq!(name(&name(&any)), name(&any));
        }

        #[test]
        fn upper_and_lower_are_found_by_each_other(any in "[a-zA-Zà-ÿÀ-Þа-яА-ЯΑ-Ωα-ω ]{0,30}") {
            prop_assert_eq!(text(&any.to_uppercase()), text(&any));
            prop_assert_eq!(text(&any.to_lowercase()), text(&any));
        }
    }
}
