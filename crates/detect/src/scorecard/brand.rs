//! Brands that mails are sent in the name of by others than they.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::office;
use super::spelling::{self, Looks};
use super::table::{cells, lines, pieces};

/// Bytes of a text that are looked through.
const TEXT_BYTES_MAX: usize = 200_000;
/// Characters of a display name that are looked through.
const NAME_CHARS_MAX: usize = 500;
/// Letters that a spelling has at least for `i` and `l` in it to be taken for each other: `Zeile` is not Zelle.
pub(super) const LETTERS_TO_MERGE: usize = 6;

/// A brand.
#[derive(Debug)]
pub struct Brand {
    /// Its name as it writes it.
    pub name: &'static str,
    /// Whether the name is an everyday word or a name of people as well, and counts only with another word of the
    /// brand.
    pub is_everyday: bool,
    /// Whether that everyday name is one of people or of a place.
    pub is_of_people: bool,
    /// Whether local houses, agents or dealers write under that name from domains of their own.
    pub has_local_houses: bool,
    /// Other spellings, and words that only this brand has.
    pub spellings: Vec<&'static str>,
    /// Registrable domains; one with a dot before it stands for all names under it.
    pub domains: Vec<&'static str>,
}

impl Brand {
    /// Whether a registrable domain is the brand's.
    pub fn owns(&self, registrable: &str) -> bool {
        self.domains.iter().any(|domain| match domain.strip_prefix('.') {
            Some(above) => is_under(registrable, above),
            None => registrable.eq_ignore_ascii_case(domain),
        })
    }

    /// Whether what comes from a registrable domain is by the brand: it is the brand's, and not everybody's mailbox.
    pub fn writes_from(&self, registrable: &str) -> bool {
        self.owns(registrable) && !super::host::is_free_mail(registrable)
    }
}

fn is_under(domain: &str, above: &str) -> bool {
    domain == above || domain.strip_suffix(above).is_some_and(|before| before.ends_with('.'))
}

/// A way to write a brand.
#[derive(Debug)]
pub(super) struct Spelling {
    /// All of its words.
    words: Looks,
    /// All of them as they look, without blanks.
    pub(super) plain: String,
    /// Their letters without diacritics, as the brand's own host has them.
    pub(super) letters: String,
    /// Its brand.
    pub(super) brand: usize,
    /// Whether it is the bare name of a brand whose name is an everyday word.
    pub(super) is_bare: bool,
}

/// What the table says, in the forms in which it is looked up.
pub(super) struct Brands {
    pub(super) all: Vec<Brand>,
    /// Spellings by their first word.
    by_word: HashMap<String, Vec<Spelling>>,
    /// Spellings in scripts without blanks.
    unspaced: Vec<(String, usize)>,
    /// Spellings by their letters without blanks, as they stand in a host.
    pub(super) by_letters: HashMap<String, Spelling>,
    by_domain: HashMap<&'static str, usize>,
}

/// The table, read once.
pub(super) static BRANDS: LazyLock<Brands> = LazyLock::new(|| Brands::read(include_str!("tables/brands.txt")));

impl Brands {
    fn read(text: &'static str) -> Self {
        let mut all: Vec<Brand> = Vec::new();
        for line in lines(text) {
            let [marked, spellings, domains] = cells(line);
            let name = marked.trim_start_matches(['~', '^', '*']);
            if all.last().is_none_or(|last| last.name != name) {
                let marks = marked.strip_suffix(name).unwrap_or_default();
                all.push(Brand {
                    name,
                    is_everyday: marks.contains(['~', '^']),
                    is_of_people: marks.contains('^'),
                    has_local_houses: marks.contains('*'),
                    spellings: Vec::new(),
                    domains: Vec::new(),
                });
            }
            if let Some(brand) = all.last_mut() {
                brand.spellings.extend(pieces(spellings));
                brand.domains.extend(pieces(domains));
            }
        }
        Self::indexed(all)
    }

    fn indexed(all: Vec<Brand>) -> Self {
        let mut brands = Self {
            all: Vec::new(),
            by_word: HashMap::new(),
            unspaced: Vec::new(),
            by_letters: HashMap::new(),
            by_domain: HashMap::new(),
        };
        for (at, brand) in all.iter().enumerate() {
            brands.add(brand.name, at, brand.is_everyday);
            brand.spellings.iter().for_each(|spelling| brands.add(spelling, at, false));
            for domain in &brand.domains {
                brands.by_domain.entry(domain).or_insert(at);
            }
        }
        brands.all = all;
        brands
    }

    fn add(&mut self, text: &str, brand: usize, is_bare: bool) {
        let words = spelling::words(text).into_iter().next().unwrap_or_default();
        let (Some(first), Some(whole)) = (words.get(0), words.run(0, words.len())) else { return };
        if let Some(whole) = words.unspaced() {
            self.unspaced.push((whole.to_owned(), brand));
            return;
        }
        let plain = whole.plain.replace(['&', '+'], "");
        let letters = spelling::letters(text);
        let spelling =
            || Spelling { words: words.clone(), plain: plain.clone(), letters: letters.clone(), brand, is_bare };
        self.by_word.entry(first.merged.to_owned()).or_default().push(spelling());
        self.by_letters.entry(whole.merged.replace(['&', '+'], "")).or_insert_with(spelling);
    }

    /// The spellings that stand in these words, each with where it begins and how many words it has.
    fn in_words<'b>(&'b self, words: &'b Looks) -> impl Iterator<Item = (usize, usize, &'b Spelling)> {
        words.iter().enumerate().flat_map(move |(at, first)| {
            let known = self.by_word.get(first.merged).map(Vec::as_slice).unwrap_or_default();
            known.iter().filter(move |one| one.is_at(words, at)).map(move |one| (at, one.words.len(), one))
        })
    }

    fn in_unspaced<'b>(&'b self, words: &Looks) -> impl Iterator<Item = usize> + use<'b> {
        let whole = words.unspaced().map(str::to_owned);
        let is_in = move |one: &str| whole.as_ref().is_some_and(|whole| whole.contains(one));
        self.unspaced.iter().filter(move |(one, _)| is_in(one)).map(|(_, brand)| *brand)
    }
}

impl Spelling {
    /// Whether it stands in words from one on; the first of them is known to be the same.
    fn is_at(&self, words: &Looks, at: usize) -> bool {
        let Some(here) = words.run(at, self.words.len()) else { return false };
        let is_same = |(far, one): (usize, spelling::Word<'_>)| {
            words.get(at + far).is_some_and(|other| other.merged == one.merged)
        };
        self.words.iter().enumerate().skip(1).all(is_same) && self.is_near(here.plain)
    }

    /// Whether letters that are the same once `i` and `l` are one are this spelling: short ones are not.
    pub(super) fn is_near(&self, plain: &str) -> bool {
        self.plain.chars().count() >= LETTERS_TO_MERGE || plain.replace(['&', '+'], "") == self.plain
    }
}

/// Whether all words but some in the middle stand for an office, one of them for one that turns to customers:
/// `Apple Support`, but not `Chase Miller`.
fn has_words_of_office_only(words: &Looks, at: usize, count: usize) -> bool {
    let others = || words.iter().enumerate().filter(|(here, _)| *here < at || *here >= at + count);
    others().any(|(_, word)| office::is_for_customers(&word)) && others().all(|(_, word)| office::is_title(&word))
}

/// The brand with an everyday name that is all of a display name: `Apple`, `Discover`. It says less than
/// [`brand_in_name`]; names of people and places are none.
pub fn brand_alone_in_name(display_name: &str) -> Option<&'static Brand> {
    let name: String = display_name.chars().take(NAME_CHARS_MAX).collect();
    let at = spelling::words(&name).iter().find_map(|words| {
        let whole = |(at, count, one): (usize, usize, &Spelling)| {
            (at == 0 && count == words.len() && one.is_bare).then_some(one.brand)
        };
        BRANDS.in_words(words).find_map(whole)
    })?;
    BRANDS.all.get(at).filter(|brand| !brand.is_of_people)
}

/// A text without the addresses that anybody gets: `anna@gmail.com` does not name Google.
fn without_free_addresses(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let is_free = |word: &str| {
        let domain = word.rsplit_once('@').map(|(_, domain)| domain.trim_matches(|c: char| !c.is_alphanumeric()));
        domain.is_some_and(super::host::is_free_mail)
    };
    text.split_inclusive(char::is_whitespace).filter(|word| !is_free(word)).collect()
}

/// The brand that a display name names: the one with the longest spelling.
pub fn brand_in_name(display_name: &str) -> Option<&'static Brand> {
    let name: String = display_name.chars().take(NAME_CHARS_MAX).collect();
    let name = without_free_addresses(&name);
    let mut best: Option<(usize, usize)> = None;
    for words in spelling::words(&name) {
        for (at, count, spelling) in BRANDS.in_words(&words) {
            let counts = !spelling.is_bare || has_words_of_office_only(&words, at, count);
            let letters = spelling.plain.len();
            if counts && best.is_none_or(|(most, _)| letters > most) {
                best = Some((letters, spelling.brand));
            }
        }
        if best.is_none() {
            best = BRANDS.in_unspaced(&words).next().map(|brand| (0, brand));
        }
    }
    BRANDS.all.get(best?.1)
}

/// The brands that a text names, sorted by name, each once. `is_name`: the text is a display name, in which the names
/// that are everyday words count together with words for an office; in other texts they count only by the other words
/// of the brand.
pub fn brands_in_text(text: &str, is_name: bool) -> Vec<&'static Brand> {
    let text = without_free_addresses(&text[..text.floor_char_boundary(TEXT_BYTES_MAX)]);
    let mut found = BTreeSet::new();
    for words in spelling::words(&text) {
        for (at, count, spelling) in BRANDS.in_words(&words) {
            if !spelling.is_bare || (is_name && has_words_of_office_only(&words, at, count)) {
                found.insert(spelling.brand);
            }
        }
        found.extend(BRANDS.in_unspaced(&words));
    }
    found.into_iter().filter_map(|at| BRANDS.all.get(at)).collect()
}

/// The brand whose a registrable domain is; where it is of several, the first of them by name.
pub fn brand_of_domain(registrable: &str) -> Option<&'static Brand> {
    let domain = registrable.trim_end_matches('.').to_ascii_lowercase();
    let above = domain.char_indices().filter(|(_, c)| *c == '.').filter_map(|(at, _)| domain.get(at..));
    let at = BRANDS.by_domain.get(domain.as_str()).or_else(|| above.filter_map(|d| BRANDS.by_domain.get(d)).next())?;
    BRANDS.all.get(*at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str) -> Option<&'static str> {
        brand_in_name(name).map(|brand| brand.name)
    }

    #[test]
    fn the_table_is_sound() {
        assert!(BRANDS.all.len() >= 450, "{}", BRANDS.all.len());
        let names: BTreeSet<&str> = BRANDS.all.iter().map(|brand| brand.name).collect();
        assert_eq!(names.len(), BRANDS.all.len(), "a name in two places");
        let mut wrong = Vec::new();
        for brand in &BRANDS.all {
            assert!(!brand.domains.is_empty(), "{}", brand.name);
            if brand.is_everyday {
                assert!(!brand.spellings.is_empty(), "{} has another word", brand.name);
            }
            for domain in &brand.domains {
                let is_whole = match domain.strip_prefix('.') {
                    Some(above) => psl::domain_str(above).is_none_or(|registrable| registrable != above),
                    None => psl::domain_str(domain) == Some(*domain),
                };
                if !is_whole {
                    wrong.push(format!("{}: {domain}", brand.name));
                }
            }
        }
        assert!(wrong.is_empty(), "not registrable: {wrong:#?}");
    }

    #[test]
    fn brands_in_display_names() {
        for (name, brand) in [
            ("PayPal", "PayPal"),
            ("Pay Pal Service", "PayPal"),
            ("PayPaI", "PayPal"),
            ("rnicrosoft account team", "Microsoft"),
            ("Micr0s\u{43e}ft 365", "Microsoft"),
            ("Apple Support", "Apple"),
            ("Apple ID", "Apple"),
            ("Chase Bank", "Chase"),
            ("Chase Fraud Alert", "Chase"),
            ("Orange Telecom", "Orange"),
            ("ING Kundenservice", "ING"),
            ("UPS", "UPS"),
            ("service@paypal.com", "PayPal"),
            ("D.H.L Paket", "DHL"),
            ("D P D Versand", "DPD"),
            ("I T A \u{da} - feito com", "Itaú"),
            ("Trust WaIIet", "Trust Wallet"),
            ("AT&T Billing", "AT&T"),
            ("Société Générale", "Société Générale"),
            ("\u{4e09}\u{4e95}\u{4f4f}\u{53cb}\u{30ab}\u{30fc}\u{30c9}\u{682a}\u{5f0f}\u{4f1a}\u{793e}", "SMBC"),
            ("СБЕРБАНК Онлайн", "Sberbank"),
            ("Deutsche Bank AG", "Deutsche Bank"),
            ("Uber Eats", "Uber"),
        ] {
            assert_eq!(named(name), Some(brand), "{name}");
        }
    }

    #[test]
    fn names_of_people_and_everyday_words_are_no_brands() {
        for name in [
            "Chase Miller",
            "Orange County Library",
            "Shipping",
            "Groups",
            "Marketing",
            "Tim Bell",
            "Max Otto",
            "Anna Visa",
            "Apple",
            "The Big Apple Bakery",
            "Wise Men Choir",
            "Square Dance Club",
            "Target Shooting",
            "Dell'Arte Anna",
            "Elisa Vero",
            "\u{dc}ber uns",
            "Zeile 5",
            "anna@gmail.com via Users",
            "Free Lunch",
            "Free Software",
            "Box Office",
            "Target Marketing",
            "DEI Committee",
            "Visa Service",
            "J. R. R. Tolkien",
            "Next Steps",
            "",
            "Sky Diving",
            "Boots and Shoes",
            "Signal Processing Letters",
            "General Ledger",
            "Ana Inter",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn everyday_names_alone() {
        let alone = |name: &str| brand_alone_in_name(name).map(|brand| brand.name);
        assert_eq!(alone("Apple"), Some("Apple"));
        assert_eq!(alone("* LEDGER *"), Some("Ledger"));
        for name in ["Chase", "Tim", "Apple Bakery", "PayPal", ""] {
            assert_eq!(alone(name), None, "{name}");
        }
    }

    #[test]
    fn brands_in_texts() {
        let names = |text: &str| brands_in_text(text, false).iter().map(|brand| brand.name).collect::<Vec<_>>();
        assert_eq!(names("Your PayPal and Netflix accounts, and your Apple ID."), ["Apple", "Netflix", "PayPal"]);
        assert_eq!(names("We chase an orange target; sage advice, wise words, a visa for China."), Vec::<&str>::new());
        assert_eq!(names("Discover Support"), Vec::<&str>::new(), "everyday names count in display names");
        assert_eq!(brands_in_text("Discover Support", true).len(), 1);
    }

    #[test]
    fn what_is_whose() {
        let of = |domain: &str| brand_of_domain(domain).map(|brand| brand.name);
        assert_eq!(of("paypal.com"), Some("PayPal"));
        assert_eq!(of("PayPal.com."), Some("PayPal"));
        assert!(of("hmrc.gov.uk").is_some() && of("example.gouv.fr").is_some());
        assert_eq!(of("paypal.com.example"), None);
        assert_eq!(of("gov.uk.example"), None);
        let microsoft = brand_of_domain("microsoft.com").expect("known");
        assert!(microsoft.owns("outlook.com") && !microsoft.writes_from("outlook.com"));
        assert!(microsoft.writes_from("microsoft.com"));
        assert!(!microsoft.owns("notmicrosoft.com"));
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(text in "\\PC{0,60}") {
            brand_in_name(&text);
            brands_in_text(&text, false);
            brand_of_domain(&text);
        }
    }
}
