//! Marks of how bulk mail dresses names, subjects and texts: signs, letters of formulas, letters set apart, marks of
//! one mailing, and fields that its program did not fill in.

use super::mark::Mark as M;
use super::marks::Marks;
use super::reading::Reading;

/// Signs one behind the other that are an ornament.
const ORNAMENT_MIN: usize = 10;
/// Letters that stand alone one behind the other, from which on a word is set apart.
const SPREAD_MIN: usize = 5;
/// Letters of formulas from which on they are no slip.
const STYLED_MIN: usize = 3;
/// Blanks one behind the other in a subject that push something out of sight.
const BLANKS_MIN: usize = 4;
/// Words with a letter in place of another, from which on it is no slip.
const SWAPPED_MIN: usize = 2;

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    let subject = mail.message().subject.as_str();
    let name = mail.parsed.from_name.trim().trim_matches(['"', '\'']).trim();
    let text = mail.shown_text;
    marks.add_if(is_decorated(subject), M::SubjectDecorated);
    marks.add_if(is_decorated(name), M::NameDecorated);
    marks.add_if(styled(subject) >= STYLED_MIN, M::SubjectStyled);
    marks.add_if(styled(name) >= STYLED_MIN, M::NameStyled);
    marks.add_if(has_tag(subject) || has_tag(name), M::SubjectTag);
    marks.add_if(subject.contains(&" ".repeat(BLANKS_MIN)), M::SubjectBlanks);
    marks.add_if(is_unfilled(subject) || is_unfilled(name) || links_unfilled(mail), M::Unfilled);
    marks.add_if(is_spread(subject) || is_spread(text), M::Spread);
    let (title, text) = (Rows::of(subject), Rows::of(text));
    marks.add_if(text.ornament >= ORNAMENT_MIN, M::Ornament);
    marks.add_if(title.dollars >= 2 || text.dollars >= 3, M::DollarSigns);
    marks.add_if(title.exclamations >= 2 || text.exclamations >= 3, M::ExclamationRun);
    marks.add_if(swapped(&format!("{name} {subject} {}", mail.text_head)) >= SWAPPED_MIN, M::SwappedLetters);
}

/// A sign that decorates: arrows, stars, boxes and the like. Pictures (emoji) are of another mark.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2200}'..='\u{22ff}' | '\u{2300}'..='\u{2319}' | '\u{2400}'..='\u{25ff}'
        | '\u{2698}'..='\u{269f}' | '\u{2756}'..='\u{2775}' | '\u{2794}'..='\u{27ff}' | '\u{2900}'..='\u{2bff}'
        | '\u{a4d0}'..='\u{a4ff}')
}

/// Whether a text begins with a sign, or begins or ends with several marks that no sentence has there.
fn is_decorated(text: &str) -> bool {
    let text = text.trim();
    let is_mark = |c: &char| matches!(c, '#' | '^' | '~' | '*' | '=' | '>' | '<' | '|' | '$' | '`' | '_' | '+' | '%');
    let begins =
        text.chars().take_while(|c| is_mark(c) || matches!(c, '-' | '.' | '!' | ':' | ' ')).collect::<String>();
    let ends = text.chars().rev().take_while(|c| is_mark(c) || *c == ' ').filter(|c| *c != ' ').count();
    let signs = begins.chars().filter(|c| *c != ' ').count();
    let is_leading = begins.chars().any(|c| is_mark(&c)) && (signs >= 2 || begins.starts_with(['#', '^', '~', '*']));
    let is_tag_of_number = text.starts_with('#') && text[1..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let first = text.chars().next();
    (is_leading && !is_tag_of_number) || ends >= 3 || signs >= 3 || first.is_some_and(is_sign)
}

/// Letters that stand in formulas, in circles or as symbols of sounds, and that look like plain ones.
fn styled(text: &str) -> usize {
    let is_styled = |c: &char| {
        matches!(c, '\u{1d400}'..='\u{1d7ff}' | '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}'
            | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{1d00}'..='\u{1d25}')
    };
    // Full-width letters are everyday beside Chinese and Japanese ones.
    let is_wide = text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'));
    let count = text.chars().filter(is_styled).count();
    let sounds =
        text.chars().filter(|c| matches!(c, '\u{251}' | '\u{27e}' | '\u{261}' | '\u{269}' | '\u{1c0}')).count();
    if is_wide { 0 } else { count + sounds * STYLED_MIN }
}

/// Whether a text ends with a mark of one mailing: `#aB3x9`, as no order number is written.
fn has_tag(text: &str) -> bool {
    let Some(word) = text.split_whitespace().next_back().and_then(|word| word.strip_prefix('#')) else { return false };
    let word = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let has = |is: fn(&u8) -> bool| word.bytes().skip(1).any(|byte| is(&byte));
    let kinds = [has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase), has(u8::is_ascii_digit)];
    (4..=12).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && kinds[0]
        && (kinds[1] || kinds[2])
}

/// Whether a field of a mailing program was not filled in: `{First Name}`, `[[name]]`, `%FNAME%`, `$name$`.
fn is_unfilled(text: &str) -> bool {
    const FIELDS: [&str; 14] = [
        "name",
        "first name",
        "firstname",
        "first_name",
        "fname",
        "lastname",
        "last name",
        "email",
        "e-mail",
        "unsubscribe",
        "company",
        "city",
        "user",
        "recipient",
    ];
    const FENCES: [(char, char); 5] = [('{', '}'), ('[', ']'), ('%', '%'), ('<', '>'), ('$', '$')];
    FENCES.iter().any(|(open, close)| {
        text.match_indices(*open).take(20).any(|(at, _)| {
            let inside = text[at..].trim_start_matches([*open, '%', '*', '|', '!', ' ']);
            let Some((inside, _)) = inside.split_once(*close).filter(|(inside, _)| inside.len() <= 30) else {
                return false;
            };
            let inside = inside.trim_matches(['%', '*', '|', '!', ' ', ':', '_']).to_ascii_lowercase();
            FIELDS.contains(&inside.as_str())
        })
    })
}

/// Whether a link leads to such a field in place of a host.
fn links_unfilled(mail: &Reading<'_>) -> bool {
    mail.seen.links.iter().take(100).any(|link| {
        let target = link.target.trim().get(..60.min(link.target.trim().len())).unwrap_or_default();
        let inside = target.trim_start_matches("http").trim_start_matches('s').trim_start_matches("://");
        inside.starts_with(['{', '[', '%']) && is_unfilled(inside)
            || inside.starts_with("%5B") && is_unfilled(&inside.replace("%5B", "[").replace("%5D", "]"))
    })
}

/// Whether letters stand apart, as in `F R E E   O F F E R`.
fn is_spread(text: &str) -> bool {
    // Most texts have hardly a letter between blanks; one may stand at the beginning, and one at the end.
    if letters_alone(text.as_bytes()) + 2 < SPREAD_MIN {
        return false;
    }
    let mut run = 0;
    let mut before: &[u8] = b"";
    for word in text.as_bytes().split(|byte| matches!(byte, b' ' | b'\n' | b'\t')).filter(|word| !word.is_empty()) {
        let is_letter = matches!(word, [letter] if letter.is_ascii_alphabetic());
        // Letters in the order of the alphabet are a list of them.
        let is_list = before.len() == 1 && word.first() == before.first().map(|byte| byte.wrapping_add(1)).as_ref();
        run = if is_letter && !is_list { run + 1 } else { usize::from(is_letter) };
        before = word;
        if run >= SPREAD_MIN {
            return true;
        }
    }
    false
}

fn letters_alone(text: &[u8]) -> usize {
    let is_blank = |byte: u8| (byte == b' ') | (byte == b'\n') | (byte == b'\t');
    let (middle, behind) = (text.get(1..).unwrap_or_default(), text.get(2..).unwrap_or_default());
    let threes = text.iter().zip(middle).zip(behind);
    threes.map(|((a, b), c)| usize::from(is_blank(*a) & b.is_ascii_alphabetic() & is_blank(*c))).sum()
}

/// The longest rows of the same sign in a text, blanks between them left out.
#[derive(Default)]
struct Rows {
    ornament: usize,
    dollars: usize,
    exclamations: usize,
}

impl Rows {
    fn of(text: &str) -> Self {
        let (mut rows, mut last, mut row) = (Self::default(), 0, 0);
        for byte in text.bytes().filter(|byte| *byte != b' ') {
            if byte.is_ascii_alphanumeric() || !byte.is_ascii() {
                last = 0;
                continue;
            }
            row = if byte == last { row + 1 } else { 1 };
            last = byte;
            let longest = match byte {
                b'$' => &mut rows.dollars,
                b'!' => &mut rows.exclamations,
                b'*' | b'=' | b'~' | b'#' | b'+' => &mut rows.ornament,
                _ => continue,
            };
            *longest = row.max(*longest);
        }
        rows.ornament = rows.ornament.max(rows.dollars).max(rows.exclamations);
        rows
    }
}

/// Words with a capital `I` for an `l`, or a letter O for a nought and the other way round: `PoIicy`, `35OO`, `C0STC0`.
fn swapped(text: &str) -> usize {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() >= 3);
    words.filter(|word| has_i_for_l(word) || has_o_for_nought(word)).take(SWAPPED_MIN).count()
}

fn has_i_for_l(word: &str) -> bool {
    let bytes = word.as_bytes();
    // `LinkedIn`, `OpenID` and `MacIver` are written so.
    let is_written = ["In", "Id", "Ivy", "Io", "It", "Is", "II", "Ip"].iter().any(|end| word.ends_with(end))
        || ["Mc", "Mac", "Fitz", "Di", "De", "La", "Le"].iter().any(|begin| word.starts_with(begin));
    let capitals = bytes.iter().filter(|byte| byte.is_ascii_uppercase() && **byte != b'I').count();
    let inside = bytes.windows(3).any(
        |three| matches!(three, [before, b'I', behind] if before.is_ascii_lowercase() && behind.is_ascii_lowercase()),
    );
    let at_end = matches!(bytes, [.., one, other, b'I'] if one.is_ascii_lowercase() && other.is_ascii_lowercase());
    let is_vowel = |byte: &u8| matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u');
    let second =
        matches!(bytes, [first, b'I', third, ..] if first.is_ascii_uppercase() && is_vowel(third) && bytes.len() >= 5);
    !is_written && capitals <= 1 && (inside || at_end) || second && capitals <= 2 && !is_written
}

fn has_o_for_nought(word: &str) -> bool {
    let bytes = word.as_bytes();
    let among_digits = bytes.windows(3).any(|three| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'O';
        matches!(three, [before, b'O', behind] if before.is_ascii_digit() && is_digit(*behind))
    });
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let nought = bytes.windows(3).any(
        |three| matches!(three, [before, b'0', behind] if before.is_ascii_alphabetic() && behind.is_ascii_alphabetic()),
    );
    among_digits || (nought && letters >= 4 && letters + 3 > bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_around_a_name_or_a_subject() {
        for text in [
            "\u{27a7}Offer",
            "### Offer ###",
            "^`^ Partner_",
            "#--Your offer",
            ">>> Holiday <<<",
            "\u{21d1} Rates",
            "* Last day *",
        ] {
            assert!(is_decorated(text), "{text}");
        }
        for text in [
            "",
            "Re: offer",
            "[list] news",
            "#4711 is ready",
            "C++",
            "Offer!",
            "and so on...",
            "-1 degree",
            "\u{1f600} hello",
        ] {
            assert!(!is_decorated(text), "{text}");
        }
    }

    #[test]
    fn letters_of_formulas() {
        assert!(styled("\u{1d5a0}\u{1d5a0}\u{1d5b1}\u{1d5af} offer") >= STYLED_MIN);
        assert!(styled("Your Cloud B\u{251}ckup") >= STYLED_MIN);
        assert_eq!(styled("Offer of the day"), 0);
        assert_eq!(styled("\u{ff21}\u{ff22}\u{ff23}\u{682a}\u{5f0f}\u{4f1a}\u{793e}"), 0, "a Japanese firm");
    }

    #[test]
    fn marks_of_one_mailing() {
        for text in ["Your kit is ready #Oq4Dn", "Shipped #5g7niV"] {
            assert!(has_tag(text), "{text}");
        }
        for text in ["Order #43126", "Ticket #ABC123", "#sale", "Meeting #Budget", "Issue #12ab3 is closed", ""] {
            assert!(!has_tag(text), "{text}");
        }
    }

    #[test]
    fn fields_that_were_not_filled_in() {
        for text in ["Hi {First Name}!", "Hello {{ name }}", "%FNAME%, look", "Dear [[email]]", "*|FNAME|* {{name}}"] {
            assert!(is_unfilled(text), "{text}");
        }
        for text in
            ["", "[list] news", "100 % off, 20 % more", "struct {int a}", "Anna <anna@example.com>", "{", "a {b} c"]
        {
            assert!(!is_unfilled(text), "{text}");
        }
    }

    #[test]
    fn letters_set_apart() {
        assert!(is_spread("F R E E  O F F E R") && is_spread("just c a l l u s today"));
        assert!(!is_spread("vitamins A B C D E F") && !is_spread("I am a b") && !is_spread(""));
    }

    #[test]
    fn rows_of_a_sign() {
        let rows = Rows::of("now! ! ! only $$ 5 ==========");
        assert_eq!((rows.exclamations, rows.dollars, rows.ornament), (3, 2, 10));
        let rows = Rows::of("a!b!c! 3 $ or 4 $");
        assert_eq!((rows.exclamations, rows.dollars, rows.ornament), (1, 1, 1));
        assert_eq!(Rows::of("").ornament, 0);
    }

    #[test]
    fn letters_in_place_of_others() {
        for text in [
            "Your PoIicy is a SpeciaI one",
            "BIueCross compIimentary",
            "35OO Watt, 1OO dollars",
            "C0STC0 and WaIlmart PIan",
        ] {
            assert!(swapped(text) >= SWAPPED_MIN, "{text}");
        }
        for text in ["LinkedIn and PlugIn with OpenID", "MacIver met McIntyre", "WiFi IPv6 H2O CO2", "3G0 A0B", ""] {
            assert!(swapped(text) < SWAPPED_MIN, "{text}");
        }
    }
}
