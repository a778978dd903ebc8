//! Text into a query, by recursive descent. An error says where, what, and what to write instead.

use std::ops::Range;

use super::field::{Field, Kind, is_mail_id};
use super::{Pattern, Piece, Query, Test};
use crate::time::Timestamp;

/// Bytes of a query at most.
pub const QUERY_BYTES_MAX: usize = 4096;
/// Terms of a query at most.
pub const TERMS_MAX: usize = 100;
/// Parentheses and negations inside one another at most.
pub const DEPTH_MAX: usize = 20;

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct QueryError {
    /// The bytes of the text that are meant.
    pub at: Range<usize>,
    /// What is wrong, and what to write instead.
    pub what: String,
}

impl Query {
    /// Reads a query. `now` is what relative moments are relative to.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        if text.len() > QUERY_BYTES_MAX {
            let what = format!("a query has {QUERY_BYTES_MAX} bytes at most, not {}", text.len());
            return Err(QueryError { at: QUERY_BYTES_MAX..text.len(), what });
        }
        let mut parser = Parser { text, tokens: tokens(text)?, at: 0, now, terms: 0, depth: 0 };
        if parser.tokens.is_empty() {
            return Ok(Self::everything());
        }
        let query = parser.any()?;
        match parser.peek() {
            None => Ok(query),
            Some(token) => Err(token.error("this closes nothing: there is no '(' before it")),
        }
    }
}

/// A piece of the text.
#[derive(Clone, Debug)]
struct Token {
    at: Range<usize>,
    what: Lexeme,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lexeme {
    Open,
    Close,
    /// Text without quotes, and whether a colon follows at once.
    Word(String, bool),
    /// Text that stood in quotes, and whether it is joined to more: `"a b"*`.
    Quoted(String),
}

impl Token {
    fn error(&self, what: &str) -> QueryError {
        QueryError { at: self.at.clone(), what: what.to_owned() }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.what, Lexeme::Word(text, false) if text == word)
    }
}

/// Splits a text. A word ends at a space, a parenthesis or a quote; the first colon behind letters makes it a field.
fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        match c {
            c if c.is_whitespace() => {}
            '(' => tokens.push(Token { at: start..start + 1, what: Lexeme::Open }),
            ')' => tokens.push(Token { at: start..start + 1, what: Lexeme::Close }),
            '"' => {
                let mut quoted = String::new();
                let mut end = None;
                while let Some((at, c)) = rest.next() {
                    match c {
                        '"' => {
                            end = Some(at + 1);
                            break;
                        }
                        '\\' => quoted.extend(rest.next().map(|(_, c)| c)),
                        c => quoted.push(c),
                    }
                }
                let what = "this quote is not closed: write another \" behind it";
                let end = end.ok_or_else(|| QueryError { at: start..text.len(), what: what.into() })?;
                tokens.push(Token { at: start..end, what: Lexeme::Quoted(quoted) });
            }
            c => {
                let mut word = String::from(c);
                let mut end = start + c.len_utf8();
                let mut is_field = c == ':';
                while let Some((at, c)) = rest.peek().copied() {
                    if is_field || c.is_whitespace() || matches!(c, '(' | ')' | '"') {
                        break;
                    }
                    rest.next();
                    end = at + c.len_utf8();
                    is_field = c == ':' && names_a_field(&word) && !text[end..].starts_with('/');
                    if !is_field {
                        word.push(c);
                    }
                }
                tokens.push(Token { at: start..end, what: Lexeme::Word(word, is_field) });
            }
        }
    }
    Ok(tokens)
}

/// Whether a word before a colon is meant for a field, with or without the sign of a negation: it is one, or looks like
/// one, so that a slip is told and not searched for. `Re:` and `https://` do not.
fn names_a_field(word: &str) -> bool {
    let name = word.strip_prefix('-').unwrap_or(word);
    Field::parse(name).is_some() || name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    now: Timestamp,
    terms: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn end(&self, what: &str) -> QueryError {
        QueryError { at: self.text.len()..self.text.len(), what: what.to_owned() }
    }

    fn any(&mut self) -> Result<Query, QueryError> {
        let mut any = vec![self.all()?];
        while self.peek().is_some_and(|token| token.is_word("OR")) {
            self.next();
            any.push(self.all()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Query::Any(any) })
    }

    fn all(&mut self) -> Result<Query, QueryError> {
        let mut all = vec![self.not()?];
        loop {
            match self.peek() {
                None => break,
                Some(token) if token.is_word("OR") || token.what == Lexeme::Close => break,
                Some(token) if token.is_word("AND") => {
                    self.next();
                    all.push(self.not()?);
                }
                Some(_) => all.push(self.not()?),
            }
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Query::All(all) })
    }

    fn not(&mut self) -> Result<Query, QueryError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.end(&format!("parentheses and negations go {DEPTH_MAX} deep at most")));
        }
        let found = self.not_deeper();
        self.depth -= 1;
        found
    }

    fn not_deeper(&mut self) -> Result<Query, QueryError> {
        let Some(token) = self.next() else { return Err(self.end("something must follow here")) };
        match &token.what {
            Lexeme::Word(word, false) if word == "NOT" => Ok(Query::Not(Box::new(self.not()?))),
            Lexeme::Word(word, false) if word == "AND" || word == "OR" => Err(token
                .error(&format!("{word} stands between two terms; write \"{word}\" in quotes for the word itself"))),
            Lexeme::Open => {
                let inner = self.any()?;
                match self.next() {
                    Some(close) if close.what == Lexeme::Close => Ok(inner),
                    _ => Err(token.error("this is not closed: write another ) behind it")),
                }
            }
            Lexeme::Close => Err(token.error("something must stand before this")),
            Lexeme::Word(word, true) => self.field(&token, &word.clone()),
            Lexeme::Word(word, false) if word.len() > 1 && word.starts_with('-') && !is_relative(word) => {
                let pattern = pattern(&word[1..]);
                self.count(&token)?;
                Ok(Query::Not(Box::new(Query::Text(around(pattern)))))
            }
            Lexeme::Word(_, false) | Lexeme::Quoted(_) => {
                self.count(&token)?;
                Ok(self.text_or_id(&token))
            }
        }
    }

    fn count(&mut self, token: &Token) -> Result<(), QueryError> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(token.error(&format!("a query has {TERMS_MAX} terms at most")));
        }
        Ok(())
    }

    fn text_or_id(&mut self, token: &Token) -> Query {
        match &token.what {
            Lexeme::Word(word, _) if is_mail_id(word) => Query::Term(Field::Id, Test::Is(Pattern::of(word))),
            _ => Query::Text(around(self.pattern_of(token))),
        }
    }

    /// A value's pattern; what follows it without a space belongs to it: `"a b"*`.
    fn pattern_of(&mut self, token: &Token) -> Pattern {
        let mut pieces = pieces_of(&token.what);
        let mut end = token.at.end;
        while let Some(more) = self.peek().filter(|more| more.at.start == end) {
            if !matches!(more.what, Lexeme::Word(..) | Lexeme::Quoted(_)) {
                break;
            }
            pieces.extend(pieces_of(&more.what));
            end = more.at.end;
            self.at += 1;
        }
        Pattern(joined(pieces))
    }

    /// `field:` was read; what it must be follows.
    fn field(&mut self, name: &Token, word: &str) -> Result<Query, QueryError> {
        let (is_not, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
        let Some(field) = Field::parse(word) else {
            return Err(name.error(&unknown_field(word)));
        };
        let Some(token) = self.next().filter(|token| token.at.start == name.at.end) else {
            let what = format!("what must {word} be? For example {word}:{}", field.example());
            return Err(QueryError { at: name.at.clone(), what });
        };
        let query = match &token.what {
            Lexeme::Open => self.values(&token, field)?,
            Lexeme::Close => return Err(token.error("something must stand before this")),
            Lexeme::Word(..) | Lexeme::Quoted(_) => self.value(&token, field)?,
        };
        Ok(if is_not { Query::Not(Box::new(query)) } else { query })
    }

    /// `field:(a OR b)`.
    fn values(&mut self, open: &Token, field: Field) -> Result<Query, QueryError> {
        let mut any = Vec::new();
        loop {
            let Some(token) = self.next() else {
                return Err(open.error("this is not closed: write another ) behind it"));
            };
            match &token.what {
                Lexeme::Close if !any.is_empty() => break,
                Lexeme::Word(word, false) if word == "OR" && !any.is_empty() => {}
                Lexeme::Word(..) | Lexeme::Quoted(_) => any.push(self.value(&token, field)?),
                Lexeme::Open | Lexeme::Close => return Err(token.error("here one or more values must stand, with OR")),
            }
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Query::Any(any) })
    }

    fn value(&mut self, token: &Token, field: Field) -> Result<Query, QueryError> {
        self.count(token)?;
        let test = match field.kind() {
            Kind::Text => {
                let pattern = self.pattern_of(token);
                let is_inside = matches!(field, Field::Subject | Field::From | Field::File);
                Test::Is(if is_inside && pattern.literal().is_some() { around(pattern) } else { pattern })
            }
            Kind::Word => return self.word(token, field),
            Kind::Bytes => within(token, self.value_text(token), &bytes)?,
            Kind::Moment => {
                let now = self.now;
                within(token, self.value_text(token), &|text| moment(text, now))?
            }
        };
        Ok(Query::Term(field, test))
    }

    /// The text of a number or a moment, which may have colons of its own.
    fn value_text(&mut self, token: &Token) -> String {
        let mut end = token.at.end;
        while let Some(more) = self.peek().filter(|more| more.at.start == end && matches!(more.what, Lexeme::Word(..)))
        {
            end = more.at.end;
            self.at += 1;
        }
        self.text[token.at.start..end].trim_matches('"').to_owned()
    }

    /// One of the words of a field, in any case, or those of them that a pattern fits: one that fits none could only
    /// find nothing.
    fn word(&mut self, token: &Token, field: Field) -> Result<Query, QueryError> {
        let pattern = self.pattern_of(token);
        if pattern.is_any() {
            return Ok(Query::Term(field, Test::Is(pattern)));
        }
        let fitting = field.words().into_iter().filter(|word| pattern.fits(word));
        let mut terms: Vec<Query> = fitting.map(|word| Query::Term(field, Test::Is(Pattern::of(word)))).collect();
        match terms.len() {
            0 => {
                let (text, words) = (pattern.as_written(), field.words().join(", "));
                Err(token.error(&format!("'{text}' is no {}; it is one of {words}", field.as_str())))
            }
            1 => Ok(terms.remove(0)),
            _ => Ok(Query::Any(terms)),
        }
    }
}

fn is_relative(word: &str) -> bool {
    relative(word).is_some()
}

fn unknown_field(word: &str) -> String {
    let near = Field::ALL.into_iter().map(Field::as_str).find(|name| name.starts_with(&word.to_ascii_lowercase()));
    match near {
        Some(near) => format!("there is no field '{word}'; do you mean {near}?"),
        None => {
            let names: Vec<&str> = Field::ALL.into_iter().map(Field::as_str).collect();
            format!("there is no field '{word}'; there are {}", names.join(", "))
        }
    }
}

fn pieces_of(lexeme: &Lexeme) -> Vec<Piece> {
    match lexeme {
        Lexeme::Quoted(text) => vec![Piece::Text(text.clone())],
        // A colon that made no field is text.
        Lexeme::Word(word, is_field) => pattern(&format!("{word}{}", if *is_field { ":" } else { "" })).0,
        Lexeme::Open | Lexeme::Close => Vec::new(),
    }
}

/// A word with its wildcards; a backslash takes the meaning from the next.
fn pattern(word: &str) -> Pattern {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        let piece = match c {
            '*' => Piece::Many,
            '?' => Piece::One,
            '\\' => {
                text.extend(chars.next());
                continue;
            }
            c => {
                text.push(c);
                continue;
            }
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(piece);
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Pattern(pieces)
}

/// Neighbouring texts as one, neighbouring stars as one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
            (Some(Piece::Many), Piece::Many) => {}
            (_, piece) => joined.push(piece),
        }
    }
    joined
}

/// Anywhere in a text.
fn around(pattern: Pattern) -> Pattern {
    let pieces = [Piece::Many].into_iter().chain(pattern.0).chain([Piece::Many]).collect();
    Pattern(joined(pieces))
}

/// A bound of a range: the number that a text begins at, and the one that it ends before (a day has both).
type Bound = (i64, i64);

/// `>=a`, `>a`, `<=a`, `<a`, `a..b`, `a`.
fn within(token: &Token, text: String, read: &dyn Fn(&str) -> Result<Bound, String>) -> Result<Test, QueryError> {
    let read = |text: &str| read(text).map_err(|what| token.error(&what));
    if let Some(text) = text.strip_prefix(">=") {
        return Ok(Test::Within(Some(read(text)?.0), None));
    }
    if let Some(text) = text.strip_prefix("<=") {
        return Ok(Test::Within(None, Some(read(text)?.1)));
    }
    if let Some(text) = text.strip_prefix('>') {
        return Ok(Test::Within(Some(read(text)?.1), None));
    }
    if let Some(text) = text.strip_prefix('<') {
        return Ok(Test::Within(None, Some(read(text)?.0)));
    }
    if let Some((from, to)) = text.split_once("..") {
        let from = if from.is_empty() { None } else { Some(read(from)?.0) };
        let to = if to.is_empty() { None } else { Some(read(to)?.1) };
        return match (from, to) {
            (None, None) => Err(token.error("a range has a beginning, an end, or both: a..b")),
            (Some(from), Some(to)) if from >= to => Err(token.error("this range ends before it begins")),
            (from, to) => Ok(Test::Within(from, to)),
        };
    }
    let (from, to) = read(&text)?;
    Ok(Test::Within(Some(from), Some(to)))
}

/// A number of bytes: 4096, 500k, 2M, 1G (units of 1024).
fn bytes(text: &str) -> Result<Bound, String> {
    let wrong = || format!("'{text}' is no size; write 4096, 500k or 2M");
    let unit = text.chars().last().map(|c| c.to_ascii_lowercase());
    let factor: i64 = match unit {
        Some('k') => 1 << 10,
        Some('m') => 1 << 20,
        Some('g') => 1 << 30,
        _ => 1,
    };
    let digits = if factor == 1 { text } else { &text[..text.len() - 1] };
    let number: i64 = digits.parse().ok().filter(|number| *number >= 0).ok_or_else(wrong)?;
    let size = number.checked_mul(factor).ok_or_else(wrong)?;
    Ok((size, size.saturating_add(1)))
}

/// `-2h` and the like: microseconds before now.
fn relative(text: &str) -> Option<i64> {
    let (count, unit) = text.strip_prefix('-')?.split_at_checked(text.len().checked_sub(2)?)?;
    let seconds: i64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    count.parse::<i64>().ok().filter(|count| *count >= 0)?.checked_mul(seconds)?.checked_mul(1_000_000)
}

/// A date (the whole day, UTC), a moment in RFC 3339, `now`, or a time before now (`-24h`): the microsecond at which it
/// begins, and the one that it ends before.
///
/// # Errors
/// When it is none, with what to write.
pub fn moment(text: &str, now: Timestamp) -> Result<(i64, i64), String> {
    if text == "now" {
        return Ok((now.as_micros(), now.as_micros()));
    }
    if let Some(before) = relative(text) {
        let at = now.as_micros().saturating_sub(before);
        return Ok((at, at));
    }
    if text.len() == 10
        && let Ok(day) = Timestamp::parse(&format!("{text}T00:00:00Z"))
    {
        return Ok((day.as_micros(), day.as_micros() + 86_400_000_000));
    }
    match Timestamp::parse(text) {
        Ok(at) => Ok((at.as_micros(), at.as_micros() + 1)),
        Err(_) => Err(format!("'{text}' is no time; write 2026-11-23, 2026-11-23T08:30:00Z, -2h or -7d")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_795_000_000_000_000)
    }

    fn read(text: &str) -> String {
        match Query::parse(text, now()) {
            Ok(query) => shown(&query),
            Err(error) => {
                format!(
                    "{}\n    {}{} {}",
                    "",
                    " ".repeat(error.at.start),
                    "^".repeat(error.at.len().max(1)),
                    error.what
                )
            }
        }
    }

    fn shown(query: &Query) -> String {
        let list = |all: &[Query]| all.iter().map(shown).collect::<Vec<_>>().join(" ");
        match query {
            Query::All(all) => format!("(all {})", list(all)),
            Query::Any(any) => format!("(any {})", list(any)),
            Query::Not(one) => format!("(not {})", shown(one)),
            Query::Text(pattern) => format!("text={}", glob(pattern)),
            Query::Term(field, Test::Is(pattern)) => format!("{}={}", field.as_str(), glob(pattern)),
            Query::Term(field, Test::Within(from, to)) => format!("{}={from:?}..{to:?}", field.as_str()),
        }
    }

    fn glob(pattern: &Pattern) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Many => "*".into(),
            Piece::One => "?".into(),
        };
        pattern.0.iter().map(piece).collect()
    }

    #[test]
    fn queries_and_what_they_mean() {
        let mut out = String::new();
        for text in [
            "",
            "invoice",
            "sender:anna@x.example recipient:*@ours.example",
            "category:malware OR category:phish direction:inbound",
            "(category:malware OR category:phish) AND NOT state:released",
            "-subject:\"out of office\" -newsletter",
            "state:(held OR denied)",
            "subject:\"quarterly figures\"*",
            "file:*.docm size:>=2M",
            "size:1k..2k",
            "received:>=-24h received:<2026-11-23",
            "received:2026-11-01..2026-11-02",
            "received:2026-11-01T08:30:00Z..now",
            "url:https://x.example",
            "detection:clamd:Win.Test-1",
            "message_id:\"<1@x.example>\"",
            "subject:\"100\\\" screen\" file:a\\*b",
            "NOT (NOT to:a?b)",
            "Verdict:MALWARE",
            "sender:",
            "sender: anna",
            "colour:red",
            "direct:inbound",
            "direction:sideways",
            "category:*PHISH -category:high*",
            "state:h?ld",
            "category:malwar*x",
            "state:*",
            "(a OR b",
            "a)",
            "\"open",
            "AND a",
            "a OR",
            "size:big",
            "received:yesterday",
            "received:2026-11-02..2026-11-01",
            "state:()",
            "size:..",
        ] {
            out.push_str(&format!("{text}\n  {}\n", read(text)));
        }
        insta::assert_snapshot!(out);
    }

    #[test]
    fn limits_are_told() {
        assert!(read(&"a ".repeat(3000)).contains("4096 bytes"));
        assert!(read(&"a ".repeat(101)).contains("100 terms"));
        assert!(read(&"(".repeat(30)).contains("20 deep"));
        assert!(read(&format!("{}a", "NOT ".repeat(30))).contains("20 deep"));
    }

    proptest! {
        /// No text panics, and an error points into it.
        #[test]
        fn any_text(text in "\\PC{0,80}") {
            if let Err(error) = Query::parse(&text, now()) {
                prop_assert!(error.at.start <= error.at.end && error.at.end <= text.len());
                prop_assert!(text.is_char_boundary(error.at.start) && text.is_char_boundary(error.at.end));
            }
        }

        /// What is made of the language's own pieces neither.
        #[test]
        fn any_pieces(pieces in proptest::collection::vec("(sender:|-|NOT |OR |AND |\\(|\\)|\"|\\*|a \
            |..|received:|>=|-2d|size:)", 0..20)) {
            let text = pieces.concat();
            if let Err(error) = Query::parse(&text, now()) {
                prop_assert!(error.at.end <= text.len() && text.is_char_boundary(error.at.start));
            }
        }

        /// Quoted text is found as it is.
        #[test]
        fn quoted_text_is_itself(text in "[a-z*?() :]{1,20}") {
            let query = Query::parse(&format!("sender:\"{text}\""), now());
            prop_assert_eq!(query, Ok(Query::Term(Field::Sender, Test::Is(Pattern::of(&text)))));
        }
    }
}
