//! The tokens of a page, as browsers read them (WHATWG 13.2.5), on a stack that does not grow with the page.
//!
//! The tokenizer goes from one state to the next by calling it, and comes back when it is between two tags: a tag with
//! a hundred thousand quoted attributes takes a hundred thousand steps of the stack. It comes back as well when its
//! reader fails, and begins again where it was when it is asked for the next token. So our reader fails now and then,
//! before it has read anything, and nobody else sees it.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Readable, Reader, StringReader, Token, Tokenizer};

/// Reads between two rests. Between two of them the stack takes at most five steps.
const READS_MAX: u32 = 64;

/// The tokens of a page. Scripts, styles and titles are raw text.
pub(crate) struct Tokens<'p>(Tokenizer<Resting<'p>, DefaultEmitter<()>>);

impl<'p> Tokens<'p> {
    /// Those of this text.
    pub(crate) fn of(page: &'p str) -> Self {
        let mut emitter = DefaultEmitter::<()>::default();
        emitter.naively_switch_states(true);
        Self(Tokenizer::new_with_emitter(Resting { page: page.to_reader(), reads: 0 }, emitter))
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            // A rest is nobody's token.
            if let Ok(token) = self.0.next()? {
                return Some(token);
            }
        }
    }
}

/// The reader rests: nothing was read.
#[derive(Debug, thiserror::Error)]
#[error("a rest")]
struct Rest;

/// A reader of text that rests.
struct Resting<'p> {
    page: StringReader<'p>,
    reads: u32,
}

impl Reader for Resting<'_> {
    type Error = Rest;

    fn read_byte(&mut self) -> Result<Option<u8>, Rest> {
        let Ok(byte) = self.page.read_byte();
        Ok(byte)
    }

    fn try_read_string(&mut self, text: &[u8], case_sensitive: bool) -> Result<bool, Rest> {
        let Ok(is_read) = self.page.try_read_string(text, case_sensitive);
        Ok(is_read)
    }

    /// The only one that rests: each value of an attribute is read by it, as the first thing that its state does.
    /// Others read in the middle of a state, which would begin again behind what it has read.
    fn read_until<'b>(&'b mut self, needle: &[u8], buffer: &'b mut [u8; 4]) -> Result<Option<&'b [u8]>, Rest> {
        if self.reads == READS_MAX {
            self.reads = 0;
            return Err(Rest);
        }
        self.reads += 1;
        let Ok(read) = self.page.read_until(needle, buffer);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The tokens without a rest.
    fn at_once(page: &str) -> Vec<Token> {
        let mut emitter = DefaultEmitter::<()>::default();
        emitter.naively_switch_states(true);
        Tokenizer::new_with_emitter(page, emitter).map(|Ok(token)| token).collect()
    }

    #[test]
    fn a_tag_with_many_quoted_attributes_takes_no_stack() {
        let page = format!("<a {}>text</a>", (0..100_000).map(|n| format!("a{n}=\"b\" ")).collect::<String>());
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let count = small.spawn(move || {
            Tokens::of(&page)
                .map(|token| matches!(token, Token::StartTag(tag) if tag.attributes.len() == 100_000))
                .filter(|is_whole| *is_whole)
                .count()
        });
        assert_eq!(count.expect("a thread").join().expect("it has stack enough"), 1);
    }

    proptest! {
        #[test]
        fn a_rest_changes_no_token(pieces in proptest::collection::vec(
            "(<|</|<!--|-->|--!>|<!\\[CDATA\\[|\\]\\]>|>|/>|\"|'|=|\r\n|\r|\u{0}|script|style|svg|title|<!doctype \
                a \"b\">|<p |a=\"b&amp;c\" |a='&lt' |a=b |&ne;|&not|&#60;|&#x41|&| |x)",
            0..400,
        )) {
            let page = pieces.concat();
            prop_assert_eq!(Tokens::of(&page).collect::<Vec<_>>(), at_once(&page));
        }
    }
}
