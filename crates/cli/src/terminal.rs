//! Lines on standard output and standard error, and tables for people. What is printed may have what strangers wrote:
//! no character of it moves the cursor, rings or turns text around, and in a table none begins a line.

use std::io::{self, IsTerminal, Write};

/// Prints a line. A reader that has gone (`| head`) is no error.
pub fn line(text: &str) {
    is_read(text);
}

/// Prints a line; whether anybody still reads.
pub fn is_read(text: &str) -> bool {
    writeln!(io::stdout().lock(), "{}", harmless(text)).is_ok()
}

/// Prints bytes as they are; on a terminal, as text that does nothing to it.
pub fn bytes(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    // Nobody may be reading any more.
    let _ = match out.is_terminal() {
        true => out.write_all(harmless(&String::from_utf8_lossy(bytes).replace("\r\n", "\n")).as_bytes()),
        false => out.write_all(bytes),
    };
}

/// Says what went wrong, on standard error.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "reprieve: {}", harmless(text));
}

/// Says how it goes, on standard error, when a person is watching.
pub fn note(text: &str) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
    }
}

/// Whether somebody who can be asked sits at a terminal.
pub fn is_a_person_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a person; what they say, without blanks around it. None when they have gone.
pub fn ask(question: &str) -> Option<String> {
    let _ = write!(io::stderr().lock(), "{}", harmless(question));
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

/// The colours of [`coloured`], as a terminal takes them.
const COLOURS: [&str; 4] = ["\u{1b}[0m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];

/// A text in which whatever does something to a terminal is escaped as in JSON, but for ends of lines, tabs and our own
/// colours.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| c != '\n' && c != '\t' && does_something(c)) {
        let (plain, behind) = rest.split_at(at);
        out.push_str(plain);
        let colour = COLOURS.iter().find(|colour| behind.starts_with(**colour));
        let taken = match colour {
            Some(colour) => {
                out.push_str(colour);
                colour.len()
            }
            None => {
                let first = behind.chars().next().unwrap_or_default();
                push(&mut out, first);
                first.len_utf8()
            }
        };
        rest = &behind[taken..];
    }
    out + rest
}

/// A text as one line, with no colours of its own.
pub fn in_one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        push(&mut out, c);
        out
    })
}

fn push(out: &mut String, c: char) {
    if does_something(c) {
        out.push_str(&format!("\\u{:04x}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// Whether a character moves the cursor, rings, turns text around or is not seen.
fn does_something(c: char) -> bool {
    let turns_around =
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || (!c.is_ascii() && (turns_around() || c == '\u{feff}'))
}

/// A number as JSON writes it: 100.0, not 100.
pub fn number(number: f64) -> String {
    serde_json::json!(number).to_string()
}

/// A moment of the API (RFC 3339, in UTC) in one width: `2026-11-28 12:00:00Z`. Another text stays as it is.
pub fn moment(text: &str) -> String {
    let is_moment = text.is_ascii() && text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    if is_moment { format!("{} {}Z", &text[..10], &text[11..19]) } else { text.to_owned() }
}

/// Rows under headings, each column as wide as it needs, cut at `most` characters.
pub fn table(headings: &[&str], rows: &[Vec<String>], most: usize) -> String {
    columns(headings, rows, |_| most)
}

/// The same with a width of its own for each column, by its number.
pub(crate) fn columns(headings: &[&str], rows: &[Vec<String>], most: impl Fn(usize) -> usize) -> String {
    let cut = |text: &str, most: usize| {
        let text = in_one_line(text);
        let short: String = text.chars().take(most).collect();
        if short.len() < text.len() {
            format!("{}…", short.chars().take(most - 1).collect::<String>())
        } else {
            short
        }
    };
    let row = |row: &Vec<String>| row.iter().enumerate().map(|(at, cell)| cut(cell, most(at))).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_does_nothing_to_a_terminal() {
        let strange = "a\u{1b}]0;x\u{7}b\u{9b}2J\u{202e}c\rd\u{2028}e\u{1b}[35mf";
        let told = harmless(strange);
        assert_eq!(told, "a\\u001b]0;x\\u0007b\\u009b2J\\u202ec\\u000dd\\u2028e\\u001b[35mf");
        let ours = "\u{1b}[31mno\u{1b}[0m\n\tcaf\u{e9} \u{1f600}";
        assert_eq!(harmless(ours), ours);
        let json = serde_json::json!({ "subject": strange });
        let read: serde_json::Value = serde_json::from_str(&harmless(&json.to_string())).expect("JSON still");
        assert_eq!(read, json);
        let rows = [vec!["one\nforged  row".to_owned()], vec!["\u{1b}[31mtwo".to_owned()]];
        let table = table(&["head"], &rows, 40);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.contains("one\\u000aforged") && !table.contains('\u{1b}'), "{table}");
    }

    #[test]
    fn moments_have_one_width() {
        for came in ["2026-11-28T12:00:00Z", "2026-11-28T12:00:00.1Z", "2026-11-28T12:00:00.123456Z"] {
            assert_eq!(moment(came), "2026-11-28 12:00:00Z");
        }
        for other in ["", "never", "2026-11-28", "aaaaaaaaaaTé12345678Z", "-"] {
            assert_eq!(moment(other), other);
        }
    }
}
