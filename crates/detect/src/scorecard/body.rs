//! Marks of subject and text: not what is said, but how.

use super::brand::{Brand, brand_of_domain, brands_in_text};
use super::host;
use super::mark::Mark as M;
use super::marks::Marks;
use super::reading::Reading;
use crate::page::url::Url;
use crate::structure::Check;
use crate::text::organisation;

/// Words below which a mail of a picture has hardly a word.
const FEW_WORDS: usize = 25;
/// Characters that nobody sees, blanks left out, from which on they are no preview line.
const HIDDEN_LONG: usize = 400;
/// Numbers of a text that are looked at for a sum of money.
const NUMBERS_MAX: usize = 400;
/// Sums of money from which on they are several.
const SUMS_MIN: usize = 4;
/// Words before the address of the recipient that greet.
const GREETINGS: [&str; 12] =
    ["hi", "hello", "dear", "hey", "hallo", "bonjour", "hola", "ol\u{e1}", "ciao", "witaj", "hej", "merhaba"];
/// Brands whose signs everybody shows, and whose hosts keep everybody's pictures.
const SHOWN_BY_ALL: [&str; 14] = [
    "Facebook",
    "Instagram",
    "LinkedIn",
    "Twitter",
    "X",
    "YouTube",
    "Pinterest",
    "TikTok",
    "WhatsApp",
    "Google",
    "Gmail",
    "Amazon",
    "AWS",
    "Amazon Web Services",
];
/// Signs of currencies, and their three letters.
const CURRENCIES: [&str; 18] = [
    "$", "\u{20ac}", "\u{a3}", "\u{a5}", "\u{20b9}", "usd", "eur", "gbp", "chf", "r$", "aud", "cad", "z\u{142}", "pln",
    "kr", "btc", "usdt", "k\u{10d}",
];

pub(super) fn look(mail: &Reading<'_>, marks: &mut Marks) {
    subject(mail, marks);
    brands(mail, marks);
    length(mail, marks);
    pictures(mail, marks);
    hidden(mail, marks);
    letters(mail, marks);
    numbers(mail, marks);
    people(mail, marks);
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1f2ff}'
        | '\u{2b00}'..='\u{2bff}'         | '\u{231a}'..='\u{23ff}')
}

fn subject(mail: &Reading<'_>, marks: &mut Marks) {
    let subject = mail.message().subject.as_str();
    let count = mail.subject.count;
    marks.add_if(count == 0, M::SubjectEmpty);
    marks.add_if(count == 1, M::SubjectOneWord);
    marks.add_if(subject.chars().count() > 90, M::SubjectLong);
    let letters = subject.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = subject.chars().filter(|c| c.is_uppercase()).count();
    marks.add_if(letters >= 8 && capitals * 2 > letters, M::SubjectCapitals);
    marks.add_if(subject.chars().any(is_emoji), M::SubjectEmoji);
    marks.add_if(subject.matches(['!', '?']).count() >= 2, M::SubjectMarks);
    let words = || subject.split(|c: char| !c.is_ascii_alphanumeric());
    marks.add_if(words().any(|word| word.len() >= 5 && word.bytes().all(|b| b.is_ascii_digit())), M::SubjectNumber);
    marks.add_if(words().any(is_token), M::SubjectToken);
    marks.add_if(has_money(subject), M::SubjectMoney);
    marks.add_if(phones(subject).next().is_some(), M::PhoneInSubject);
    marks.add_if(mail.subject.mixed + mail.subject.zero_width > 0, M::SubjectOddLetters);
    marks.add_if(has_date(subject), M::SubjectDate);
    let lower = subject.to_lowercase();
    let names = |one: &String| {
        let local = one.split('@').next().unwrap_or_default();
        lower.contains(one.as_str()) || (local.len() >= 4 && mail.subject.text.contains(&format!(" {local} ")))
    };
    marks.add_if(mail.recipients.iter().any(names), M::SubjectRecipient);
    let names_us = |one: &String| {
        let label = one.split('.').next().unwrap_or_default();
        label.len() >= 4 && !host::is_free_mail(one) && mail.subject.text.contains(&format!(" {label} "))
    };
    marks.add_if(!mail.is_from_ours() && mail.ours.iter().any(names_us), M::SubjectOurs);
}

fn brands(mail: &Reading<'_>, marks: &mut Marks) {
    if mail.head.has_list {
        return;
    }
    let subject = brands_in_text(&mail.message().subject, false);
    of_place(mail, &subject, [M::SubjectBrandOwn, M::SubjectBrandElsewhere, M::SubjectBrandNowhere], marks);
    let text = brands_in_text(mail.text_head, false);
    of_place(mail, &text, [M::TextBrandOwn, M::TextBrandElsewhere, M::TextBrandNowhere], marks);
    // Looked for in all of it at once: most texts have none.
    let has_sign = |text: &str| text.contains('\u{a9}') || text.contains("(c)");
    let text = mail.seen.text();
    let signed = if has_sign(text) { text } else { "" };
    let mut of_copyright = signed.lines().filter(|line| has_sign(line)).take(5);
    if let Some(line) = of_copyright.next() {
        marks.add(M::Copyright);
        let lines = std::iter::once(line).chain(of_copyright);
        let mut brands = lines.flat_map(|line| brands_in_text(line, false));
        marks.add_if(brands.any(|brand| !brand.writes_from(&mail.from)), M::CopyrightElsewhere);
    }
}

/// What the brands say that a place of the mail names: it is of one of them, of none of them, and leads to none either.
fn of_place(mail: &Reading<'_>, brands: &[&Brand], [own, elsewhere, nowhere]: [M; 3], marks: &mut Marks) {
    if brands.is_empty() {
        return;
    }
    if brands.iter().any(|brand| brand.writes_from(&mail.from)) {
        return marks.add(own);
    }
    if brand_of_domain(&mail.from).is_some_and(|brand| brand.writes_from(&mail.from)) {
        return;
    }
    marks.add(elsewhere);
    let leads_there = brands.iter().any(|brand| mail.body_links().any(|link| brand.owns(&link.domain)));
    marks.add_if(!leads_there && !mail.head.has_reference && !mail.is_from_ours(), nowhere);
}

fn length(mail: &Reading<'_>, marks: &mut Marks) {
    match mail.text.count {
        0 => marks.add(M::TextNone),
        1..15 => marks.add(M::TextTiny),
        15..50 => marks.add(M::TextShort),
        50..200 => marks.add(M::TextMedium),
        200..400 => {}
        _ => marks.add(M::TextLong),
    }
    marks.add_if(mail.text.count > 1500, M::TextVeryLong);
    marks.add_if(mail.text.count < FEW_WORDS && mail.document.count >= FEW_WORDS, M::TextInFile);
    marks.add_if(mail.seen.text().lines().filter(|line| line.starts_with('>')).take(2).count() == 2, M::Quote);
    let is_patch =
        |line: &str| line.starts_with("diff --git ") || line.starts_with("@@ -") || line.starts_with("+++ b/");
    marks.add_if(mail.seen.plain.lines().any(is_patch), M::Patch);
}

fn pictures(mail: &Reading<'_>, marks: &mut Marks) {
    let seen = mail.seen;
    marks.add_if(mail.checks.contains(&Check::PictureOnly), M::PictureAlone);
    marks.add_if(seen.linked_pictures > 0 && mail.text.count < FEW_WORDS, M::PictureLinked);
    marks.add_if(!seen.pictures.is_empty(), M::PictureRemote);
    marks.add_if(seen.tracking_pixels > 0, M::PicturePixel);
    for domain in seen.pictures.iter().filter_map(|source| Url::parse(source)).map(|url| url.domain()) {
        if let Some(brand) = brand_of_domain(&domain) {
            // Everybody shows the signs of social networks below a newsletter.
            let is_everybodys = host::is_sending_service(&domain) || SHOWN_BY_ALL.contains(&brand.name);
            marks.add_if(!brand.writes_from(&mail.from) && !is_everybodys, M::PictureOfBrand);
        } else {
            marks.add_if(domain != mail.from && !host::is_sending_service(&domain), M::PictureForeign);
        }
    }
    marks.add_if(seen.form_fields > 0, M::BodyForm);
    marks.add_if(seen.scripts > 0, M::BodyScript);
}

fn hidden(mail: &Reading<'_>, marks: &mut Marks) {
    let [not_drawn, tiny, colourless, off_screen] = mail.seen.hidden_chars;
    let sum = not_drawn + tiny + colourless + off_screen;
    marks.add_if(sum > 0, M::HiddenText);
    let seen = mail.seen.page.chars().filter(|c| !c.is_whitespace()).take(sum + 1).count();
    marks.add_if(sum > 200 && sum > seen, M::HiddenMuch);
    marks.add_if(sum > HIDDEN_LONG, M::HiddenLong);
    marks.add_if(tiny > 3, M::HiddenTiny);
    marks.add_if(colourless > 10, M::HiddenColourless);
    marks.add_if(off_screen > 10, M::HiddenOffScreen);
}

fn letters(mail: &Reading<'_>, marks: &mut Marks) {
    marks.add_if(mail.text.mixed > 0, M::OddLetters);
    marks.add_if(mail.text.mixed > 5, M::OddLettersMany);
    marks.add_if(mail.text.zero_width > 3, M::UnseenLetters);
    marks.add_if(has_words_in_capitals(mail.shown_text), M::Capitals);
    marks.add_if(mail.seen.text().matches('!').take(6).count() == 6, M::Exclamations);
    marks.add_if(has_emoji(mail.shown_text), M::Emoji);
    let tokens = pieces(mail.text_head, TOKEN_LETTERS_MIN).filter(|word| is_token(word)).take(3).count();
    marks.add_if(tokens >= 2, M::Tokens);
}

fn numbers(mail: &Reading<'_>, marks: &mut Marks) {
    let text = mail.shown_text;
    let sums = sums(text);
    marks.add_if(sums > 0, M::Money);
    marks.add_if(sums >= SUMS_MIN, M::MoneyOften);
    let is_large = rows_around_digits(text, |byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        .any(|number| is_large(number.as_bytes()));
    marks.add_if(is_large && (sums > 0 || text.contains('%')), M::MoneyLarge);
    marks.add_if(mail.seen.text().contains('%'), M::Percent);
    let mut phones = phones(text).peekable();
    let has_phone = phones.peek().is_some();
    marks.add_if(has_phone, M::Phone);
    marks.add_if(has_phone && mail.body_links().next().is_none(), M::PhoneOnly);
    marks.add_if(phones.any(|digits| is_toll_free(&digits)), M::PhoneFree);
    // Each has a digit.
    marks.add_if(rows_around_digits(text, |byte| byte.is_ascii_alphanumeric()).any(is_wallet), M::Wallet);
}

fn people(mail: &Reading<'_>, marks: &mut Marks) {
    let lower = mail.text_head.to_lowercase();
    let addresses = lower.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ':' | ',' | ';'));
    for address in addresses.filter(|word| word.contains('@')).take(20) {
        let address = address.trim_matches(|c: char| !c.is_alphanumeric());
        let is_recipient = mail.recipients.iter().any(|one| one == address);
        marks.add_if(is_recipient, M::RecipientInText);
        let is_free = organisation(address).is_some_and(|domain| host::is_free_mail(&domain) && domain != mail.from);
        marks.add_if(is_free && !is_recipient, M::AddressFreeMail);
    }
    let words = lower.split_whitespace().collect::<Vec<_>>();
    let greets = |two: &[&str]| {
        let address = two[1].trim_end_matches([',', '!', '.', ':', ';']);
        GREETINGS.contains(&two[0]) && mail.recipients.iter().any(|one| one == address)
    };
    marks.add_if(words.windows(2).any(greets), M::GreetsAddress);
    let names_us = |one: &String| one.len() > 4 && !host::is_free_mail(one) && lower.contains(one.as_str());
    marks.add_if(!mail.is_from_ours() && mail.ours.iter().any(names_us), M::OursInText);
}

/// Whether a text has picture letters. What begins like one is read letter by letter.
fn has_emoji(text: &str) -> bool {
    let begins = |two: &[u8]| matches!(two, [0xe2, 0x8c..=0x9f | 0xac..=0xaf] | [0xf0, 0x9f]);
    let has_others = text.bytes().fold(0, u8::max) >= 0xe2;
    has_others && text.as_bytes().windows(2).any(begins) && text.chars().any(is_emoji)
}

/// Long words in capitals of a text that are many, and each how many of its long words one of them must be.
const CAPITALS_MIN: usize = 6;
const CAPITALS_SHARE: usize = 5;
/// Long words that are looked at.
const LONG_WORDS_MAX: usize = 2000;

/// Whether many of a text's long words are written in capitals.
fn has_words_in_capitals(text: &str) -> bool {
    // Letter beside letter in capitals, or in another alphabet: fewer are not so many words.
    let may_be_capital = |byte: u8| byte.is_ascii_uppercase() | !byte.is_ascii();
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let pairs: usize = pairs.map(|(one, other)| usize::from(may_be_capital(*one) & may_be_capital(*other))).sum();
    if pairs < CAPITALS_MIN * (LONG_WORD_BYTES_MIN - 1) {
        return false;
    }
    let (mut count, mut capitals) = (0_usize, 0_usize);
    for is_capital in long_words(text).take(LONG_WORDS_MAX) {
        count += 1;
        capitals += usize::from(is_capital);
    }
    capitals >= CAPITALS_MIN && capitals * CAPITALS_SHARE > count
}

/// Bytes of a long word.
const LONG_WORD_BYTES_MIN: usize = 4;

/// Of each long word of a text, whether it is in capitals.
fn long_words(text: &str) -> impl Iterator<Item = bool> {
    let is_long = |bytes: usize| bytes >= LONG_WORD_BYTES_MIN;
    let is_between = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    let rows = text.as_bytes().split(is_between).filter(move |row| is_long(row.len()));
    rows.flat_map(move |row| {
        // A row of plain letters is one word.
        let (plain, other) =
            if row.is_ascii() { (Some(row), "") } else { (None, std::str::from_utf8(row).unwrap_or("")) };
        let plain = plain.map(|row| row.iter().all(u8::is_ascii_uppercase));
        let others = other.split(|c: char| !c.is_alphanumeric()).filter(move |word| is_long(word.len()));
        plain.into_iter().chain(others.map(|word| word.chars().all(char::is_uppercase)))
    })
}

/// The rows of a text around its digits whose bytes are all so, each once.
fn rows_around_digits(text: &str, is_of_row: impl Fn(u8) -> bool) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        let digit = at + bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        let before = bytes[at..digit].iter().rev().take_while(|byte| is_of_row(**byte)).count();
        let behind = bytes[digit..].iter().take_while(|byte| is_of_row(**byte)).count();
        let begin = digit - before;
        at = digit + behind;
        text.get(begin..at)
    })
}

/// Whether a number has seven digits and more, in groups.
fn is_large(number: &[u8]) -> bool {
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits >= 7 && number.len() - digits >= 2
}

/// The rows of so many plain letters and digits in a text. They are looked for byte by byte: no byte of another letter
/// is one.
fn pieces(text: &str, least: usize) -> impl Iterator<Item = &str> {
    let rows = text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).filter(move |row| row.len() >= least);
    rows.filter_map(|row| std::str::from_utf8(row).ok())
}

/// Letters and digits of the shortest word of a program.
const TOKEN_LETTERS_MIN: usize = 8;

/// A word of letters and digits of some length, as programs make them: `A8F920KL`.
fn is_token(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= TOKEN_LETTERS_MIN && digits >= 2 && word.len() - digits >= 2
}

/// Whether a sum stands beside the sign of a currency.
fn has_money(text: &str) -> bool {
    sums(text) > 0
}

/// The sums that stand beside the sign of a currency; more than [`SUMS_MIN`] are not counted.
fn sums(text: &str) -> usize {
    let (mut count, mut at) = (0, 0);
    for _ in 0..NUMBERS_MAX {
        let bytes = text.as_bytes();
        let digit = bytes[at..].iter().position(u8::is_ascii_digit);
        let Some(begin) = digit.map(|found| at + found) else { break };
        let behind = bytes[begin..].iter().position(|byte| !byte.is_ascii_digit());
        let end = behind.map_or(text.len(), |found| begin + found);
        let blanks = [' ', '\u{a0}'];
        let (before, behind) = (text[..begin].trim_end_matches(blanks), text[end..].trim_start_matches(blanks));
        count += usize::from(ends_with_currency(before) || begins_with_currency(behind));
        if count >= SUMS_MIN {
            break;
        }
        at = end;
    }
    count
}

/// Bytes of the longest sign of a currency, in capitals or not, and of a letter beside it.
const CURRENCY_BYTES_MAX: usize = 8;

fn ends_with_currency(text: &str) -> bool {
    let end = text[text.ceil_char_boundary(text.len().saturating_sub(CURRENCY_BYTES_MAX))..].to_lowercase();
    CURRENCIES.iter().any(|sign| {
        end.strip_suffix(sign).is_some_and(|rest| !is_of_letters(sign) || !rest.ends_with(char::is_alphabetic))
    })
}

fn begins_with_currency(text: &str) -> bool {
    let begin = text[..text.floor_char_boundary(CURRENCY_BYTES_MAX)].to_lowercase();
    CURRENCIES.iter().any(|sign| {
        begin.strip_prefix(sign).is_some_and(|rest| !is_of_letters(sign) || !rest.starts_with(char::is_alphabetic))
    })
}

/// Whether a sign is a word that must not go on: `kr` is no beginning of `kraft`.
fn is_of_letters(sign: &str) -> bool {
    sign.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn has_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(5).any(|w| {
        w[0].is_ascii_digit()
            && w[1].is_ascii_digit()
            && matches!(w[2], b'/' | b':' | b'.' | b'-')
            && w[3].is_ascii_digit()
            && w[4].is_ascii_digit()
    })
}

/// Digits of a telephone number, and what may stand between them.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 9..=14;

/// The telephone numbers of a text, as digits.
fn phones(text: &str) -> impl Iterator<Item = String> + '_ {
    rows_with_digits(text).take(5000).filter_map(|run| {
        let run = run.trim_start_matches(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '(')).trim_end();
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let groups = run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
        // A date begins with its year.
        let is_date = ["19", "20"].iter().any(|year| run.starts_with(year)) && run.get(4..5) == Some("-");
        let is_written = groups >= 3 && !run.contains(". ") && !is_date;
        let has_shape = run.starts_with('+') || run.starts_with('(') || is_written;
        // A date with a time, or an amount, has groups as well: theirs are short.
        let is_long = run.split(|c: char| !c.is_ascii_digit()).any(|group| group.len() >= 3);
        (PHONE_DIGITS.contains(&digits.len()) && has_shape && is_long).then_some(digits)
    })
}

/// The rows of digits, and of what may stand between those of a telephone number.
fn rows_with_digits(text: &str) -> impl Iterator<Item = &str> {
    let is_of_phone =
        |c: char| c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | '-' | '.' | ' ' | '\u{2010}'..='\u{2014}');
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let digit = rest.bytes().position(|byte| byte.is_ascii_digit())?;
        let (before, behind) = rest.split_at(digit);
        let begin = before.char_indices().rev().take_while(|(_, c)| is_of_phone(*c)).last().map_or(digit, |(at, _)| at);
        let end = digit + behind.find(|c: char| !is_of_phone(c)).unwrap_or(behind.len());
        at += end;
        rest.get(begin..end)
    })
}

fn is_toll_free(digits: &str) -> bool {
    let digits = digits.strip_prefix('1').unwrap_or(digits);
    digits.len() == 10
        && ["800", "808", "833", "844", "855", "866", "877", "888"].iter().any(|code| digits.starts_with(code))
}

/// The address of a wallet: Bitcoin (base58 and bech32), Ethereum and its kin, Tron.
fn is_wallet(word: &str) -> bool {
    let is_base58 =
        |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l'));
    let mixes = word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_uppercase())
        && word.bytes().any(|b| b.is_ascii_lowercase());
    match word.as_bytes() {
        [b'1' | b'3', ..] => (26..=35).contains(&word.len()) && is_base58(word) && mixes,
        [b'T', ..] => word.len() == 34 && is_base58(word) && mixes,
        [b'b' | b'B', b'c' | b'C', b'1', ..] => {
            (39..=62).contains(&word.len()) && word.bytes().any(|b| b.is_ascii_digit())
        }
        [b'0', b'x', rest @ ..] => rest.len() == 40 && rest.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_numbers() {
        for text in ["$5", "pay 20 EUR now", "EUR 20,00", "\u{20ac} 3", "12.50\u{a0}\u{20ac}", "0.5 BTC", "USD1200"] {
            assert!(has_money(text), "{text}");
        }
        for text in ["", "europe 20", "neuro 5", "costs nothing", "kr\u{e4}fte 3"] {
            assert!(!has_money(text), "{text}");
        }
        assert!(has_date("on 12/05") && has_date("at 09:30") && !has_date("1.2.3"));
    }

    #[test]
    fn telephone_numbers() {
        for (text, digits) in [("call +1 (888) 555-0199 now", "18885550199"), ("Tel. 0800 555 0199", "08005550199")] {
            assert_eq!(phones(text).collect::<Vec<_>>(), [digits], "{text}");
        }
        for text in ["2024-11-27 10:15", "12.50 13.40 99.10", "order 123456789012", "1 2 3 4 5 6 7 8 9"] {
            assert_eq!(phones(text).count(), 0, "{text}");
        }
        assert!(is_toll_free("18885550199") && is_toll_free("8005550199") && !is_toll_free("4930555019"));
    }

    #[test]
    fn wallets() {
        assert!(is_wallet("0x52908400098527886E0F7030069857D2E4169EE7"));
        assert!(is_wallet("1BoatSLRHtKNngkdXEeobR76b53LETtpyT"));
        assert!(is_wallet("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"));
        for word in ["", "1", "1234567890123456789012345678", "bc1", "0x1234", "Tuesday"] {
            assert!(!is_wallet(word), "{word}");
        }
    }
}
