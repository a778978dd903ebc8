//! What a mail shows and where it leads, gathered while it is taken apart: what the scorecards read.

use crate::fingerprint::layout::Tags;
use crate::page::html::Page;
use crate::page::link::Link;
use crate::page::visible::Hidden;

/// Bytes of text of one kind that are kept.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Pictures from elsewhere whose place is kept.
const PICTURES_MAX: usize = 100;

/// What a person sees of a mail, and what is behind it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The plain texts of the mail.
    pub(crate) plain: String,
    /// What its pages show.
    pub(crate) page: String,
    /// The tags of its pages.
    pub(crate) tags: Tags,
    /// The texts of attached documents.
    pub(crate) document: String,
    /// Characters of text, seen or not.
    pub(crate) text_chars: usize,
    /// Characters of text that nobody sees, in the order of [`Hidden::ALL`].
    pub(crate) hidden_chars: [usize; Hidden::ALL.len()],
    /// Whether there is a text at all, if only an empty one.
    pub(crate) has_text: bool,
    /// Whether it shows a picture.
    pub(crate) has_picture: bool,
    /// Links of all kinds.
    pub(crate) links: Vec<Link>,
    /// Where pictures of its pages come from.
    pub(crate) pictures: Vec<String>,
    /// Pictures that lead somewhere.
    pub(crate) linked_pictures: usize,
    /// Pictures of a pixel or two.
    pub(crate) tracking_pixels: usize,
    /// Fields and scripts in the mail's own pages.
    pub(crate) form_fields: usize,
    pub(crate) scripts: usize,
    /// Fields and scripts in attached pages, and how many such pages there are.
    pub(crate) attached_form_fields: usize,
    pub(crate) attached_scripts: usize,
    pub(crate) attached_pages: usize,
}

impl Seen {
    /// A plain text of the mail.
    pub(crate) fn plain_text(&mut self, text: &str) {
        self.has_text = true;
        self.text_chars += text.chars().filter(|c| !c.is_whitespace()).count();
        append(&mut self.plain, text);
    }

    /// A text of an attached document.
    pub(crate) fn document_text(&mut self, text: &str) {
        append(&mut self.document, text);
    }

    /// A page of the mail.
    pub(crate) fn own_page(&mut self, page: &Page) {
        self.has_text = true;
        self.text_chars += page.text_chars;
        self.has_picture |= page.remote_pictures > 0;
        append(&mut self.page, &page.visible);
        self.tags.append(&page.tags);
        for (sum, chars) in self.hidden_chars.iter_mut().zip(page.hidden_chars) {
            *sum += chars;
        }
        let room = PICTURES_MAX.saturating_sub(self.pictures.len());
        self.pictures.extend(page.pictures.iter().take(room).cloned());
        self.linked_pictures += page.linked_pictures;
        self.tracking_pixels += page.tracking_pixels;
        self.form_fields += page.form_fields;
        self.scripts += page.scripts;
    }

    /// A page that is attached.
    pub(crate) fn attached_page(&mut self, page: &Page) {
        self.attached_pages += 1;
        self.attached_form_fields += page.form_fields;
        self.attached_scripts += page.scripts;
        append(&mut self.document, &page.visible);
    }

    /// What a person reads: the pages, and the plain text where they show hardly a word.
    pub(crate) fn text(&self) -> &str {
        let words = self.page.split_whitespace().take(SHOWN_WORDS_MIN).count();
        if words < SHOWN_WORDS_MIN && self.plain.len() > self.page.len() { &self.plain } else { &self.page }
    }
}

/// Words that a page shows at least to count as the text of the mail.
const SHOWN_WORDS_MIN: usize = 3;

fn append(text: &mut String, more: &str) {
    let room = TEXT_BYTES_MAX.saturating_sub(text.len()).min(more.len());
    if room > 0 {
        text.push_str(&more[..more.floor_char_boundary(room)]);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_before_the_plain_text_beside_it() {
        let mut seen = Seen::default();
        seen.plain_text("what mail programs of old show");
        assert_eq!(seen.text(), "what mail programs of old show\n");
        seen.own_page(&Page { visible: "what others show".into(), text_chars: 14, ..Page::default() });
        assert_eq!(seen.text(), "what others show\n");
        let mut seen = Seen::default();
        seen.own_page(&Page::default());
        seen.plain_text("words");
        assert_eq!(seen.text(), "words\n");
    }

    #[test]
    fn texts_are_bounded() {
        let mut seen = Seen::default();
        for _ in 0..3 {
            seen.document_text(&"\u{e9}".repeat(TEXT_BYTES_MAX));
        }
        assert!(seen.document.len() <= TEXT_BYTES_MAX + 3);
    }
}
