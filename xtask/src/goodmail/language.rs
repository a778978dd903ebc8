//! What a language gives the fillings: names, places, companies, sentences, and its way to write money and days.

use std::collections::BTreeMap;

use super::day::Day;

/// The languages, in the order of their turns.
pub(super) const CODES: [&str; 8] = ["en", "de", "fr", "es", "pt", "it", "nl", "pl"];
const FILES: [&str; 8] = [
    include_str!("words/en.txt"),
    include_str!("words/de.txt"),
    include_str!("words/fr.txt"),
    include_str!("words/es.txt"),
    include_str!("words/pt.txt"),
    include_str!("words/it.txt"),
    include_str!("words/nl.txt"),
    include_str!("words/pl.txt"),
];

/// One language.
pub(super) struct Language {
    /// Its code (ISO 639-1).
    pub(super) code: &'static str,
    lists: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Language {
    /// All of them.
    pub(super) fn all() -> Vec<Self> {
        CODES.into_iter().zip(FILES).map(|(code, file)| Self { code, lists: lists(file) }).collect()
    }

    /// The entries of a list; one empty entry where it is not there.
    pub(super) fn list(&self, name: &str) -> &[&'static str] {
        self.lists.get(name).map_or(&[""], Vec::as_slice)
    }

    /// An amount in hundredths.
    pub(super) fn money(&self, hundredths: usize) -> String {
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        let grouped = |mark: &str| match whole {
            0..1000 => whole.to_string(),
            _ => format!("{}{mark}{:03}", whole / 1000, whole % 1000),
        };
        match self.code {
            "en" => format!("${}.{rest:02}", grouped(",")),
            "pt" => format!("R$ {},{rest:02}", grouped(".")),
            "nl" => format!("\u{20ac} {},{rest:02}", grouped(".")),
            "pl" => format!("{},{rest:02} z\u{142}", grouped(" ")),
            "fr" => format!("{},{rest:02} \u{20ac}", grouped("\u{a0}")),
            _ => format!("{},{rest:02} \u{20ac}", grouped(".")),
        }
    }

    /// A day with the name of its month.
    pub(super) fn day(&self, of: Day) -> String {
        let (year, month, day) = of.civil();
        let month = self.list("months").get(month).copied().unwrap_or_default();
        match self.code {
            "en" => format!("{month} {day}, {year}"),
            "de" => format!("{day}. {month} {year}"),
            "es" | "pt" => format!("{day} de {month} de {year}"),
            _ => format!("{day} {month} {year}"),
        }
    }

    /// A day in digits.
    pub(super) fn short_day(&self, of: Day) -> String {
        let (year, month, day) = of.civil();
        match self.code {
            "en" => format!("{:02}/{day:02}/{year}", month + 1),
            "de" | "pl" => format!("{day:02}.{:02}.{year}", month + 1),
            "nl" => format!("{day:02}-{:02}-{year}", month + 1),
            _ => format!("{day:02}/{:02}/{year}", month + 1),
        }
    }

    /// A time of the day.
    pub(super) fn time(&self, of: Day) -> String {
        match (self.code, of.clock()) {
            ("en", (hour @ 0..12, minute)) => format!("{}:{minute:02} AM", if hour == 0 { 12 } else { hour }),
            ("en", (hour, minute)) => format!("{}:{minute:02} PM", if hour == 12 { 12 } else { hour - 12 }),
            (_, (hour, minute)) => format!("{hour:02}:{minute:02}"),
        }
    }
}

/// Lists of a file: a line `[name]`, then an entry a line.
fn lists(file: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut lists: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut name = "";
    for line in file.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(begins) => name = begins,
            None => lists.entry(name).or_default().push(line),
        }
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_lists() {
        let languages = Language::all();
        let names = |at: usize| languages.get(at).map(|one| one.lists.keys().copied().collect::<Vec<_>>());
        for (at, code) in CODES.into_iter().enumerate() {
            assert_eq!(names(at), names(0), "{code}");
        }
        assert!(languages.iter().all(|one| one.list("months").len() == 12));
    }

    #[test]
    fn money_and_days_are_written_as_the_language_does() {
        let languages = Language::all();
        let of = |code: &str| languages.iter().find(|one| one.code == code).expect("one of ours");
        assert_eq!(of("en").money(123_456), "$1,234.56");
        assert_eq!(of("de").money(123_456), "1.234,56 \u{20ac}");
        assert_eq!(of("pl").money(4_990), "49,90 z\u{142}");
    }
}
