//! The table: a row for each kind, source and scanner, each share with its 95 % interval.

use std::collections::BTreeSet;

use crate::corpus::Mail;
use crate::scanner::{Answers, Said};
use domain::interval::interval;

/// The head of the table.
pub const HEAD: &str =
    "| mail | source | scanner | mails | held | junk or tagged | neither |\n|---|---|---|--:|--:|--:|--:|";

/// A row: what the scanner says of those of these mails that it was asked about. None where that is none.
pub fn row(kind: &str, source: &str, who: &str, mails: &[&Mail], answers: &Answers) -> Option<String> {
    let said: Vec<Said> = mails.iter().filter_map(|mail| answers.get(&mail.name()).copied()).collect();
    if said.is_empty() {
        return None;
    }
    let cell = |what: Said| share(said.iter().filter(|one| **one == what).count(), said.len());
    let [held, junk, nothing] = [Said::Held, Said::Junk, Said::Nothing].map(cell);
    Some(format!("| {kind} | {source} | {who} | {} | {held} | {junk} | {nothing} |", said.len()))
}

/// A count with its share and the interval of that.
fn share(hits: usize, count: usize) -> String {
    let (low, high) = interval(hits, count);
    let percent = 100.0 * hits as f64 / count.max(1) as f64;
    format!("{hits} ({percent:.1} %; {:.1} to {:.1})", 100.0 * low, 100.0 * high)
}

/// One mail of each campaign: the first in the order of files, so that no scanner chooses it.
pub fn once_per_campaign<'m>(mails: &[&'m Mail]) -> Vec<&'m Mail> {
    let mut seen = BTreeSet::new();
    mails.iter().copied().filter(|mail| seen.insert(mail.campaign.as_slice())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(name: &str, campaign: u8) -> Mail {
        let (source, campaign) = ("2025".to_owned(), vec![campaign]);
        Mail { kind: "phish", source, campaign, file: name.into(), copy: name.into() }
    }

    #[test]
    fn a_row_counts_those_that_were_asked_about() {
        let mails = [mail("1", 0), mail("2", 0), mail("3", 1)];
        let mails: Vec<&Mail> = mails.iter().collect();
        let answers: Answers = [("1".to_owned(), Said::Held), ("2".to_owned(), Said::Nothing)].into();
        let found = row("phish", "2025", "one", &mails, &answers);
        let wanted = "| phish | 2025 | one | 2 | 1 (50.0 %; 1.3 to 98.7) | 0 (0.0 %; 0.0 to 84.2) | \
                      1 (50.0 %; 1.3 to 98.7) |";
        assert_eq!(found.as_deref(), Some(wanted));
        assert_eq!(row("phish", "2025", "one", &mails, &Answers::new()), None);
    }

    #[test]
    fn a_campaign_is_its_first_mail() {
        let mails = [mail("1", 7), mail("2", 7), mail("3", 1)];
        let once = once_per_campaign(&mails.iter().collect::<Vec<_>>());
        assert_eq!(once.iter().map(|mail| mail.name()).collect::<Vec<_>>(), ["1", "3"]);
    }
}
