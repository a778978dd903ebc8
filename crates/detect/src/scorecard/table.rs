//! The lines of the tables of facts in `tables/`: text files with a head of `#` lines that says what they are.

/// The lines of a table without its head.
pub(super) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The pieces of a cell that are separated by commas.
pub(super) fn pieces(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(',').map(str::trim).filter(|piece| !piece.is_empty())
}

/// A line of `one | other`, or of `one | other | third`: what is missing is empty.
pub(super) fn cells(line: &'static str) -> [&'static str; 3] {
    let mut cells = line.split('|').map(str::trim);
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each table with its name, the entries that it has at least, and whether its lines are sorted by their bytes.
    const TABLES: [(&str, &str, usize, bool); 15] = [
        ("brands", include_str!("tables/brands.txt"), 450, false),
        ("free_mail", include_str!("tables/free_mail.txt"), 250, true),
        ("free_host", include_str!("tables/free_host.txt"), 200, true),
        ("shortener", include_str!("tables/shortener.txt"), 200, true),
        ("form_builder", include_str!("tables/form_builder.txt"), 50, true),
        ("redirector", include_str!("tables/redirector.txt"), 60, true),
        ("sending_service", include_str!("tables/sending_service.txt"), 120, true),
        ("meeting_service", include_str!("tables/meeting_service.txt"), 30, true),
        ("role", include_str!("tables/role.txt"), 150, true),
        ("title", include_str!("tables/title.txt"), 200, true),
        ("file_share", include_str!("tables/file_share.txt"), 60, true),
        ("cheap_ending", include_str!("tables/cheap_ending.txt"), 50, true),
        ("pitch", include_str!("tables/pitch.txt"), 30, true),
        ("lure", include_str!("tables/lure.txt"), 100, true),
        ("customer_office", include_str!("tables/customer_office.txt"), 50, true),
    ];

    #[test]
    fn tables_are_sorted_and_have_no_line_twice() {
        for (name, text, least, is_sorted) in TABLES {
            assert!(text.starts_with('#'), "{name} has a head");
            let all: Vec<&str> = lines(text).collect();
            assert!(all.len() >= least, "{name} has {}", all.len());
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{name} has a line twice");
            assert!(!is_sorted || all.is_sorted(), "{name} is not sorted");
            for line in text.lines() {
                assert!(line.chars().count() <= 120, "{name}: {line}");
            }
        }
    }

    #[test]
    fn cells_and_pieces() {
        assert_eq!(cells("A | b, c | d.example"), ["A", "b, c", "d.example"]);
        assert_eq!(cells("d.example | site"), ["d.example", "site", ""]);
        assert_eq!(pieces("b,  c,,").collect::<Vec<_>>(), ["b", "c"]);
    }
}
