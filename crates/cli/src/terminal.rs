//! Lines on standard output and standard error, and tables for people.

use std::io::{self, IsTerminal, Write};

/// Prints a line. A reader that has gone (`| head`) is no error.
pub fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line; whether anybody still reads.
pub fn is_read(text: &str) -> bool {
    writeln!(io::stdout().lock(), "{text}").is_ok()
}

/// Prints bytes as they are.
pub fn bytes(bytes: &[u8]) {
    let _ = io::stdout().lock().write_all(bytes);
}

/// Says what went wrong, on standard error.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "reprieve: {text}");
}

/// Says how it goes, on standard error, when a person is watching.
pub fn note(text: &str) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// Whether somebody who can be asked sits at a terminal.
pub fn is_a_person_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a person; what they say, without blanks around it. None when they have gone.
pub fn ask(question: &str) -> Option<String> {
    let _ = write!(io::stderr().lock(), "{question}");
    let mut said = String::new();
    let count = io::stdin().read_line(&mut said).unwrap_or(0);
    (count > 0).then(|| said.trim().to_owned())
}

/// Whether colours are welcome.
pub fn has_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// `text` in an ANSI colour, where colours are welcome.
pub fn coloured(text: &str, colour: u8) -> String {
    if has_colour() { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A number as JSON writes it: 100.0, not 100.
pub fn number(number: f64) -> String {
    serde_json::json!(number).to_string()
}

/// Rows under headings, each column as wide as it needs, cut at `most` characters.
pub fn table(headings: &[&str], rows: &[Vec<String>], most: usize) -> String {
    let cut = |text: &str| {
        let short: String = text.chars().take(most).collect();
        if short.len() < text.len() {
            format!("{}…", short.chars().take(most - 1).collect::<String>())
        } else {
            short
        }
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cut(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = vec![line(headings.to_vec())];
    out.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    out.join("\n")
}
