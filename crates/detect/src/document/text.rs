//! The text of a document while it is gathered: words apart, lines apart, and no longer than anybody reads.

/// Bytes of the text of one document that are kept.
pub(super) const TEXT_BYTES_MAX: usize = 64 << 10;

/// The text of one document.
#[derive(Debug, Default)]
pub(super) struct DocumentText(String);

impl DocumentText {
    /// Characters as they come. What is no character for people (controls, private use) is left out.
    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                _ if self.is_full() => return,
                '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}' => self.line(),
                _ if c.is_whitespace() => self.blank(),
                _ if c.is_control() || is_private(c) => {}
                _ => self.0.push(c),
            }
        }
    }

    /// The end of a word.
    pub(super) fn blank(&mut self) {
        if !self.is_full() && !self.0.is_empty() && !self.0.ends_with([' ', '\n']) {
            self.0.push(' ');
        }
    }

    /// The end of a line.
    pub(super) fn line(&mut self) {
        if self.0.ends_with(' ') {
            self.0.pop();
        }
        if !self.is_full() && !self.0.is_empty() && !self.0.ends_with('\n') {
            self.0.push('\n');
        }
    }

    /// Whether no more is kept.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= TEXT_BYTES_MAX
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Characters that a font alone gives a shape, and the one that stands for what is none.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lines_are_apart_once() {
        let mut text = DocumentText::default();
        text.line();
        for word in ["a", " ", "\u{a0}b\u{1}", " \n", "\n", "c\u{e001}\u{fffd}"] {
            text.push(word);
        }
        assert_eq!(text.finish(), "a b\nc");
        let mut text = DocumentText::default();
        text.push(&"\u{e9} ".repeat(TEXT_BYTES_MAX));
        assert!(text.is_full() && text.finish().len() <= TEXT_BYTES_MAX + 4);
    }
}
