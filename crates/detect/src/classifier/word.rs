//! The words of a text as a model of form 2 knows them: nothing in them says who wrote to whom, or when.
//!
//! Links, addresses, identifiers and long words become placeholders, digits become 0, and dates, weekdays, months, the
//! names of sender and recipient and the footers of lists are left out. Letters of other scripts than Latin come as
//! runs of three, since not all of these scripts put blanks between words.

use std::collections::BTreeSet;

use crate::scorecard::words::Words;

/// Words of one text that are read.
const WORDS_MAX: usize = 3_000;
/// Characters of a Latin word.
const WORD_CHARS: std::ops::RangeInclusive<usize> = 2..=24;
/// Letters of another script that make one word.
const RUN_CHARS: usize = 3;
/// Digits of a number that is told by its length.
const DIGITS_MAX: usize = 4;
/// Characters from which on letters and digits together are an identifier.
const IDENTIFIER_CHARS_MIN: usize = 6;
/// Bytes of a line that may be the footer of a list: a paragraph that a sender could hide in one is longer.
const FOOTER_BYTES_MAX: usize = 120;
/// Signs of currencies.
const CURRENCIES: [char; 6] = ['$', '\u{20ac}', '\u{a3}', '\u{a5}', '\u{20b9}', '\u{20bd}'];
/// What footers of lists say of themselves.
const FOOTERS: [&str; 6] =
    ["mailing list", "mailinglist", "/listinfo", "mailman", "list archive", "to unsubscribe from this group"];

/// Months and weekdays, whole and cut, without accents: English, German, French, Spanish, Portuguese, Italian, Dutch,
/// Polish, Swedish, Turkish. Words that are others as well ("may", "sun") go with them.
const CALENDAR: &str = " january february march april may june july august september october november december jan feb \
    mar apr jun jul aug sep sept oct nov dec januar februar marz mai juni juli oktober dezember okt dez janvier \
    fevrier mars avril juin juillet aout septembre octobre novembre decembre enero febrero marzo abril mayo junio \
    julio agosto septiembre octubre noviembre diciembre janeiro fevereiro marco maio junho julho setembro outubro \
    novembro dezembro gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre januari februari maart \
    mei augustus stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia \
    augusti ocak subat nisan mayis haziran temmuz agustos eylul ekim kasim aralik \
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun montag \
    dienstag mittwoch donnerstag freitag samstag sonntag sonnabend lundi mardi mercredi jeudi vendredi samedi \
    dimanche lunes martes miercoles jueves viernes sabado domingo segunda terca quarta quinta sexta lunedi martedi \
    mercoledi giovedi venerdi sabato domenica maandag dinsdag woensdag donderdag vrijdag zaterdag zondag \
    poniedzialek wtorek sroda czwartek piatek sobota niedziela mandag tisdag onsdag torsdag fredag lordag sondag \
    pazartesi sali carsamba persembe cuma cumartesi pazar ";

/// One word, or a place where one was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// A word or a placeholder.
    Seen(String),
    /// Three letters of another script.
    Run(String),
    /// What is not to be learned: nothing stands beside it.
    LeftOut,
}

/// The words of a text in their order. `names` are those of sender, recipient and list, as single words.
pub fn words(text: &str, names: &BTreeSet<String>) -> Vec<Word> {
    let mut reader = Reader { names, run: String::new(), words: Vec::new() };
    for line in text.lines().filter(|line| !is_quoted(line) && !is_footer(line)) {
        for chunk in line.split_whitespace() {
            reader.chunk(chunk);
            if reader.words.len() >= WORDS_MAX {
                break;
            }
        }
        reader.end_run();
    }
    reader.words.truncate(WORDS_MAX);
    reader.words
}

/// Whether a line is quoted: somebody else's words.
fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Whether a line is one that the software of a list writes below every mail.
fn is_footer(line: &str) -> bool {
    let line = line.trim();
    if line.len() > FOOTER_BYTES_MAX {
        return false;
    }
    let lower = line.to_lowercase();
    FOOTERS.iter().any(|said| lower.contains(said))
}

struct Reader<'n> {
    names: &'n BTreeSet<String>,
    /// Chunks of plain words that were not read yet.
    run: String,
    words: Vec<Word>,
}

impl Reader<'_> {
    /// What stands between two blanks.
    fn chunk(&mut self, chunk: &str) {
        if let Some(placeholder) = placeholder(chunk) {
            self.end_run();
            self.words.push(placeholder.map_or(Word::LeftOut, |name| Word::Seen(name.to_owned())));
            return;
        }
        self.run.push_str(chunk.trim_start_matches('>'));
        self.run.push(' ');
    }

    /// Reads the plain words that came together.
    fn end_run(&mut self) {
        if self.run.trim().is_empty() {
            return self.run.clear();
        }
        let read = Words::of(&self.run);
        self.run.clear();
        for word in read.text.split(' ').filter(|word| !word.is_empty()) {
            self.word(word);
        }
    }

    fn word(&mut self, word: &str) {
        if word.chars().any(is_of_other_script) {
            return self.runs(word);
        }
        let count = word.chars().count();
        if count < *WORD_CHARS.start() {
            return;
        }
        let seen = if count > *WORD_CHARS.end() {
            Word::Seen("<long>".into())
        } else if self.names.contains(word) || is_of_calendar(word) {
            Word::LeftOut
        } else {
            with_digits(word)
        };
        self.words.push(seen);
    }

    /// Every three letters that follow one another.
    fn runs(&mut self, word: &str) {
        if self.names.contains(word) {
            return self.words.push(Word::LeftOut);
        }
        let letters: Vec<char> = word.chars().map(|c| if c.is_numeric() { '0' } else { c }).collect();
        let room = WORDS_MAX.saturating_sub(self.words.len());
        if letters.len() <= RUN_CHARS {
            self.words.push(Word::Run(letters.into_iter().collect()));
        } else {
            self.words.extend(letters.windows(RUN_CHARS).take(room).map(|run| Word::Run(run.iter().collect())));
        }
    }
}

/// What stands for a chunk that is no word; none inside where it is left out altogether.
fn placeholder(chunk: &str) -> Option<Option<&'static str>> {
    let bare = chunk.trim_matches(|c: char| !c.is_alphanumeric() && !CURRENCIES.contains(&c));
    if is_link(bare) {
        return Some(Some("<url>"));
    }
    if bare.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.')) {
        return Some(Some("<addr>"));
    }
    if !bare.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | '/' | '-' | '\'');
    if bare.contains(CURRENCIES) {
        return Some(Some("<money>"));
    }
    let groups = bare.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    let has = |signs: &[char]| bare.contains(signs);
    if !bare.chars().all(is_number) || groups < 2 {
        return None;
    }
    let is_date = has(&[':']) || (groups == 3 && (has(&['/']) || has(&['-']) || bare.matches('.').count() == 2));
    Some(if is_date { None } else { Some("<number>") })
}

fn is_link(chunk: &str) -> bool {
    let lower = chunk.get(..8).unwrap_or(chunk).to_ascii_lowercase();
    if chunk.contains("://") || lower.starts_with("www.") || lower.starts_with("mailto:") {
        return true;
    }
    // A host with a path, without a scheme.
    let Some((host, _)) = chunk.split_once('/') else { return false };
    let labels = || host.split('.');
    labels().count() >= 2
        && labels().all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
        && labels().next_back().is_some_and(|end| end.len() >= 2 && end.chars().all(char::is_alphabetic))
}

/// A word with its digits all alike; an identifier, a long number and a year are none.
fn with_digits(word: &str) -> Word {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return Word::Seen(word.to_owned());
    }
    let letters = word.chars().count() - digits;
    if letters == 0 {
        let is_year = digits == 4 && (word.starts_with("19") || word.starts_with("20"));
        return match digits {
            _ if is_year => Word::LeftOut,
            1..=DIGITS_MAX => Word::Seen("0".repeat(digits)),
            _ => Word::Seen("<number>".into()),
        };
    }
    // "21st", "3rd": a day.
    let end = word.trim_start_matches(|c: char| c.is_ascii_digit());
    if matches!(end, "st" | "nd" | "rd" | "th") {
        return Word::LeftOut;
    }
    if digits >= 2 && letters >= 2 && word.len() >= IDENTIFIER_CHARS_MIN {
        return Word::Seen("<id>".into());
    }
    Word::Seen(word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect())
}

fn is_of_calendar(word: &str) -> bool {
    // No calendar's word has anything but letters, so none reaches over a blank.
    word.bytes().all(|byte| byte.is_ascii_lowercase()) && CALENDAR.contains(&format!(" {word} "))
}

/// Whether a letter is of another script than Latin.
fn is_of_other_script(c: char) -> bool {
    c.is_alphabetic() && !matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}')
}

/// The words that an address is made of: its local part and the labels of its domain but the last.
pub fn names_of(address: &str, names: &mut BTreeSet<String>) {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let labels = domain.rsplit_once('.').map_or(domain, |(labels, _)| labels);
    for part in [local, labels] {
        names.extend(Words::of(part).text.split(' ').filter(|word| word.len() >= 2).map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str, names: &[&str]) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let shown = |word: Word| match word {
            Word::Seen(word) | Word::Run(word) => word,
            Word::LeftOut => "_".to_owned(),
        };
        words(text, &names).into_iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_says_who_and_when_is_left_out() {
        assert_eq!(seen("Dear Anna, see you on Monday, 3rd March 2024", &["anna"]), "dear _ see you on _ _ _ _");
        assert_eq!(seen("at 09:30 on 2024-11-27 or 27.11.2024 or 11/27/24", &[]), "at _ on _ or _ or _");
        assert_eq!(seen("Am 5. M\u{e4}rz, le 3 f\u{e9}vrier", &[]), "am _ le _");
        assert_eq!(seen("> quoted\nown\nfoo mailing list\nfoo@lists.example", &[]), "own <addr>");
    }

    #[test]
    fn placeholders_stand_for_what_is_never_the_same() {
        assert_eq!(seen("Click https://a.example/x?y=1 or <www.b.example>", &[]), "click <url> or <url>");
        assert_eq!(seen("see bit.ly/abc and/or a.b", &[]), "see <url> and or");
        assert_eq!(seen("write to bert@ours.example!", &[]), "write to <addr>");
        assert_eq!(seen("order A8F920KL of 1234567 and 12", &[]), "order <id> of <number> and 00");
        assert_eq!(seen("pay $1,200.50 or 3 \u{20ac}, 99.5 and 4g", &[]), "pay <money> or <number> and 0g");
        assert_eq!(seen(&"x".repeat(30), &[]), "<long>");
    }

    #[test]
    fn other_scripts_come_as_runs_of_three_letters() {
        assert_eq!(seen("\u{43f}\u{440}\u{438}\u{432}", &[]), "\u{43f}\u{440}\u{438} \u{440}\u{438}\u{432}");
        assert_eq!(seen("\u{5bc6}\u{7801}", &[]), "\u{5bc6}\u{7801}");
        assert_eq!(seen("p\u{430}ypal", &[]), "paypal", "a letter that only looks like one of these is one of these");
    }

    #[test]
    fn a_text_without_end_is_read_to_a_limit() {
        assert_eq!(words(&"word ".repeat(20_000), &BTreeSet::new()).len(), WORDS_MAX);
        assert_eq!(words(&"\u{5bc6}".repeat(20_000), &BTreeSet::new()).len(), WORDS_MAX);
    }

    #[test]
    fn an_address_is_its_words() {
        let mut names = BTreeSet::new();
        names_of("anna.schmidt@mail.partner.example", &mut names);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["anna", "mail", "partner", "schmidt"]);
    }
}
