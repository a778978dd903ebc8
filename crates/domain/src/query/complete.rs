//! What could come next at the cursor.

use super::field::{Field, Kind};

/// Suggestions at most.
const SUGGESTIONS_MAX: usize = 12;

/// Something that could stand in place of the word at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Where the word begins that it stands in place of, in bytes.
    pub from: usize,
    /// What to write.
    pub text: String,
    /// What it is, for people.
    pub hint: String,
}

/// What could stand at `cursor` (a byte of `text`, or its end).
pub fn complete(text: &str, cursor: usize) -> Vec<Suggestion> {
    let cursor = (0..=cursor.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..cursor];
    let from = before.rfind(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"')).map_or(0, |at| at + 1);
    let from = (from..=cursor).find(|at| text.is_char_boundary(*at)).unwrap_or(cursor);
    let word = &before[from..];
    let (from, word) = word.strip_prefix('-').map_or((from, word), |rest| (from + 1, rest));
    let found: Vec<Suggestion> = match word.split_once(':') {
        Some((name, value)) => {
            Field::parse(name).map_or(Vec::new(), |field| values(from + name.len() + 1, field, value))
        }
        None => fields(from, word),
    };
    found.into_iter().take(SUGGESTIONS_MAX).collect()
}

fn fields(from: usize, word: &str) -> Vec<Suggestion> {
    let wanted = word.to_ascii_lowercase();
    let fitting = Field::ALL.into_iter().filter(|field| field.as_str().starts_with(&wanted));
    let suggestion = |field: Field| Suggestion {
        from,
        text: format!("{}:", field.as_str()),
        hint: format!("{}:{}", field.as_str(), field.example()),
    };
    fitting.map(suggestion).collect()
}

fn values(from: usize, field: Field, value: &str) -> Vec<Suggestion> {
    let wanted = value.to_ascii_lowercase();
    let words = field.words().into_iter().filter(|word| word.to_ascii_lowercase().starts_with(&wanted));
    let suggestion = |word: &str| Suggestion { from, text: format!("{word} "), hint: String::new() };
    let found: Vec<Suggestion> = words.map(suggestion).collect();
    if found.is_empty() && value.is_empty() && field.kind() == Kind::Text {
        return vec![Suggestion { from, text: String::new(), hint: format!("such as {}", field.example()) }];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        complete(text, text.len()).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn what_could_come_next() {
        assert_eq!(texts("sen"), ["sender:"]);
        assert_eq!(texts("a (-dir"), ["direction:"]);
        assert_eq!(texts("direction:in"), ["Inbound ", "Internal "]);
        assert_eq!(texts("category:Mal"), ["Malware "]);
        assert_eq!(texts("sender:").len(), 1);
        assert_eq!(texts("nothing:"), Vec::<String>::new());
        assert_eq!(complete("state:he", 8)[0], Suggestion { from: 6, text: "held ".into(), hint: String::new() });
        assert_eq!(texts("").len(), SUGGESTIONS_MAX);
        // A cursor inside a letter, or beyond the end.
        assert!(complete("\u{fc}", 1).len() <= SUGGESTIONS_MAX && complete("", 9).len() == SUGGESTIONS_MAX);
    }
}
