//! Fields of CSV (RFC 4180), for whoever writes lists out.

/// A field. What a spreadsheet would take for a formula gets a sign before it that makes it text.
pub fn cell(text: &str) -> String {
    let text = text.replace(['\r', '\n', '\0'], " ");
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', ';', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A row, with its line end.
pub fn row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text() {
        assert_eq!(
            ["a", "a,b", "say \"x\"", "=1+1", "@x", "a\r\nb"].map(cell),
            ["a", "\"a,b\"", "\"say \"\"x\"\"\"", "\"'=1+1\"", "\"'@x\"", "a  b"]
        );
    }

    #[test]
    fn a_row_ends_with_its_line() {
        assert_eq!(row(["a", "b;c", ""]), "a,\"b;c\",\r\n");
    }
}
