//! Lists: their columns, and the format that they are printed in: a table for people, JSON as it came, CSV for other
//! programs. A verb says which columns there are, and nothing more.

use clap::{Args, ValueEnum};
use domain::csv;

use super::{ApiArgs, terminal};

/// Characters of a cell in a table, unless a list says otherwise.
const CELL_CHARS: usize = 40;

/// Where the API is, and the format of a list.
#[derive(Debug, Clone, Args)]
pub struct TableArgs {
    /// Where the API is.
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// The format of the list; default: table. `json` is the same as --json, `csv` is as in RFC 4180.
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "json", help_heading = "Output")]
    format: Option<Format>,
}

/// The format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people: long texts are cut, times have seconds.
    Table,
    /// JSON, all fields.
    Json,
    /// CSV, one row a line, under a row with the names of its columns.
    Csv,
}

impl TableArgs {
    /// The format that is asked for.
    pub(crate) fn format(&self) -> Format {
        match self.format {
            Some(format) => format,
            None if self.api.json => Format::Json,
            None => Format::Table,
        }
    }
}

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Time,
    Data,
}

/// A text, which a table cuts.
pub(crate) const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// What no table cuts: an ID, since it is to be given back, and a last column.
pub(crate) const fn whole(name: &'static str) -> Column {
    Column { name, kind: Kind::Whole }
}

/// A moment: in a table with seconds, in CSV as it came.
pub(crate) const fn time(name: &'static str) -> Column {
    Column { name, kind: Kind::Time }
}

/// What is in CSV alone.
pub(crate) const fn data(name: &'static str) -> Column {
    Column { name, kind: Kind::Data }
}

impl Column {
    /// A cell as a table shows it.
    fn shown(&self, cell: &str) -> String {
        if self.kind == Kind::Time { terminal::moment(cell) } else { cell.to_owned() }
    }
}

/// A list.
#[derive(Debug)]
pub struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
    /// What is said where there is no row.
    none: &'static str,
    cell_chars: usize,
    /// What people read instead of a table.
    written: Option<String>,
}

impl Table {
    /// A list with these columns and rows.
    pub(crate) fn new(columns: &'static [Column], none: &'static str, rows: Vec<Vec<String>>) -> Self {
        Self { columns, rows, none, cell_chars: CELL_CHARS, written: None }
    }

    /// The same with cells of so many characters.
    pub(crate) fn cut_at(self, cell_chars: usize) -> Self {
        Self { cell_chars, ..self }
    }

    /// The same with a text for people in the place of a table.
    pub(crate) fn written(self, text: String) -> Self {
        Self { written: Some(text), ..self }
    }

    /// For people.
    pub fn text(&self) -> String {
        if self.rows.is_empty() {
            return self.none.to_owned();
        }
        if let Some(text) = &self.written {
            return text.clone();
        }
        let is_shown = |column: &&Column| column.kind != Kind::Data;
        let columns: Vec<&Column> = self.columns.iter().filter(is_shown).collect();
        let row = |row: &Vec<String>| {
            let cells = self.columns.iter().zip(row).filter(|(column, _)| is_shown(column));
            cells.map(|(column, cell)| column.shown(cell)).collect()
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(row).collect();
        let headings: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let most = |column: usize| match columns.get(column).map(|column| column.kind) {
            Some(Kind::Whole | Kind::Time) => usize::MAX,
            _ => self.cell_chars,
        };
        terminal::columns(&headings, &rows, most)
    }

    /// For programs: every column, whole.
    pub(crate) fn csv(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| column.name.replace(' ', "_")).collect();
        let head = csv::row(names.iter().map(String::as_str));
        let rows = self.rows.iter().map(|row| csv::row(row.iter().map(String::as_str)));
        [head].into_iter().chain(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[whole("id"), time("last used"), text("subject"), data("size")];

    fn one() -> Table {
        let row = ["0123456789-0123456789", "2026-11-28T12:00:00.123456Z", "=a subject, too long", "7"];
        Table::new(COLUMNS, "no messages", vec![row.map(str::to_owned).to_vec()]).cut_at(10)
    }

    #[test]
    fn people_get_whole_ids_seconds_and_cut_texts() {
        assert_eq!(
            one().text(),
            "id                     last used             subject\n\
             0123456789-0123456789  2026-11-28 12:00:00Z  =a subjec…"
        );
        assert_eq!(Table::new(COLUMNS, "no messages", Vec::new()).text(), "no messages");
    }

    #[test]
    fn programs_get_everything_as_it_came() {
        assert_eq!(
            one().csv(),
            "id,last_used,subject,size\r\n\
             0123456789-0123456789,2026-11-28T12:00:00.123456Z,\"'=a subject, too long\",7\r\n"
        );
        assert_eq!(Table::new(COLUMNS, "no messages", Vec::new()).csv(), "id,last_used,subject,size\r\n");
    }
}
