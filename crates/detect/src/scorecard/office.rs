//! Whether a name or an address is that of an office and not of a person.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::spelling::{self, Word, is_unspaced};
use super::table::lines;

/// Letters of what stands behind the name of an office for a country or a language: `support-de`, `info.usa`.
const COUNTRY_LETTERS_MAX: usize = 3;
/// Bytes of a local part (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Characters of a display name that are looked through.
const NAME_CHARS_MAX: usize = 500;

static ROLES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| lines(include_str!("tables/role.txt")).collect());

/// Words for an office, and those of scripts without blanks.
struct Titles {
    words: HashSet<String>,
    unspaced: Vec<String>,
}

static TITLES: LazyLock<Titles> = LazyLock::new(|| {
    let (unspaced, words): (Vec<&str>, Vec<&str>) =
        lines(include_str!("tables/title.txt")).partition(|line| line.chars().any(is_unspaced));
    Titles {
        words: words.into_iter().map(spelling::plain).collect(),
        unspaced: unspaced.into_iter().map(spelling::plain).collect(),
    }
});

/// Words for an office that turns to customers, as they look.
static FOR_CUSTOMERS: LazyLock<HashSet<String>> =
    LazyLock::new(|| lines(include_str!("tables/customer_office.txt")).map(spelling::plain).collect());

/// Whether a local part stands for an office: `billing`, `no-reply2`, `support-de`, `customer.care+42`.
pub fn is_role(local: &str) -> bool {
    if local.len() > LOCAL_BYTES_MAX {
        return false;
    }
    let local = local.to_lowercase();
    let local = local.split('+').next().unwrap_or_default();
    let is_known = |part: &str| ROLES.contains(part.trim_end_matches(|c: char| c.is_ascii_digit()));
    if ROLES.contains(local) || is_known(local) {
        return true;
    }
    let mut parts = local.split(['.', '-', '_']);
    let is_behind = |part: &str| part.chars().count() <= COUNTRY_LETTERS_MAX || is_known(part);
    parts.next().is_some_and(is_known) && parts.all(is_behind)
}

/// Whether a word stands for an office.
pub(super) fn is_title(word: &Word<'_>) -> bool {
    TITLES.words.contains(word.plain) || word.plain.chars().all(|c| c.is_ascii_digit())
}

/// Whether a word stands for an office that turns to customers.
pub(super) fn is_for_customers(word: &Word<'_>) -> bool {
    FOR_CUSTOMERS.contains(word.plain)
}

/// Whether a display name has a word that stands for an office, a firm or a machine. A mailing list writes itself
/// behind the name of a person: `Anna Schmidt via Users`.
pub fn has_title(display: &str) -> bool {
    let name: String = display.chars().take(NAME_CHARS_MAX).collect();
    let name = name.split(" via ").next().unwrap_or_default();
    spelling::words(name).iter().any(|words| {
        let whole = words.unspaced().unwrap_or_default();
        words.iter().any(|word| TITLES.words.contains(word.plain))
            || TITLES.unspaced.iter().any(|title| whole.contains(title.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offices_and_people_by_their_address() {
        for local in [
            "billing",
            "No-Reply",
            "noreply2",
            "support-de",
            "info.usa",
            "customer.care",
            "sales+42",
            "kundenservice",
            "comptabilite",
            "atencioncliente",
            "fatturazione",
            "faturamento",
            "klantenservice",
            "kundtjanst",
            "asiakaspalvelu",
            "obslugaklienta",
            "podpora",
            "muhasebe",
            "postmaster",
        ] {
            assert!(is_role(local), "{local}");
        }
        let long = "a".repeat(LOCAL_BYTES_MAX + 1);
        for local in ["anna.schmidt", "john", "office-anna-schmidt", "mail.mueller", "bsmith2", "", long.as_str()] {
            assert!(!is_role(local), "{local}");
        }
    }

    #[test]
    fn an_office_for_customers_is_an_office() {
        assert_eq!(FOR_CUSTOMERS.iter().find(|word| !TITLES.words.contains(*word)), None);
    }

    #[test]
    fn offices_and_people_by_their_name() {
        for name in [
            "Support",
            "IT Helpdesk",
            "Billing Team",
            "Kundenservice",
            "Sécurité",
            "Atención al cliente",
            "Ufficio stampa",
            "Služba",
            "Служба поддержки",
            "\u{304a}\u{5ba2}\u{69d8}\u{30b5}\u{30dd}\u{30fc}\u{30c8}",
            "\u{5ba2}\u{670d}\u{4e2d}\u{5fc3}",
            "\u{ace0}\u{ac1d}\u{c13c}\u{d130}",
        ] {
            assert!(has_title(name), "{name}");
        }
        for name in [
            "Anna Schmidt",
            "Anna Schmidt via Users",
            "Chase Miller",
            "Bill Smith",
            "Mali Konaté",
            "\u{738b}\u{4f1f}",
            "",
        ] {
            assert!(!has_title(name), "{name}");
        }
    }
}
