//! The text of a PDF (9.4) as people read it: the contents of its pages, forms in them, and what annotations show.
//! Words are apart where their letters are: many writers have no blanks, but move.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::content::{Token, Tokens};
use super::font::Font;
use super::matrix::{Matrix, length};
use super::pages::{Page, pages};
use super::source::Source;
use super::syntax;
use crate::document::text::DocumentText;

/// Fonts of one file that are read.
const FONTS_MAX: usize = 200;
/// Forms and annotations of one file that are read.
const FORMS_MAX: usize = 1000;
/// Operands of one operator that are kept.
const OPERANDS_MAX: usize = 5000;
/// Saved states of one stream that are kept.
const STATES_MAX: usize = 100;
/// How far apart two letters of a word are at most, in sizes of the font.
const GAP_MAX: f64 = 0.16;
/// How far back or off the line the next letter of a word may be.
const BACK_MAX: f64 = 0.8;
const OFF_LINE_MAX: f64 = 0.4;

/// The text of a file; `has_time` is asked before each stream. Nothing if there was no time for all of it.
pub(super) fn read(source: &mut Source<'_, '_>, has_time: impl Fn() -> bool) -> Option<String> {
    let mut reader = Reader::default();
    for page in pages(source) {
        reader.annotations(&page, source);
        reader.queue.push_front(Drawn { streams: page.contents, resources: page.resources });
        while let Some(drawn) = reader.queue.pop_front() {
            if !has_time() {
                return None;
            }
            if reader.text.is_full() || source.left() == 0 {
                return Some(reader.text.finish());
            }
            reader.draw(&drawn, source);
        }
    }
    Some(reader.text.finish())
}

/// Streams that are drawn as one, and what with.
#[derive(Debug)]
struct Drawn<'s> {
    streams: Vec<u32>,
    resources: &'s [u8],
}

#[derive(Debug, Default)]
struct Reader<'s> {
    text: DocumentText,
    fonts: Vec<Font>,
    /// The font of a text that names none which is there.
    usual: Font,
    by_number: BTreeMap<u32, usize>,
    /// Forms that are to be drawn, and those that were seen: each is read once.
    queue: VecDeque<Drawn<'s>>,
    known: BTreeSet<u32>,
    annotations: usize,
}

/// The state of text that `q` saves and `Q` restores (8.4.2, 9.3).
#[derive(Clone, Copy, Debug)]
struct State {
    ctm: Matrix,
    font: Option<usize>,
    size: f64,
    character_space: f64,
    word_space: f64,
    scale: f64,
    leading: f64,
}

impl Default for State {
    fn default() -> Self {
        let ctm = Matrix::default();
        Self { ctm, font: None, size: 1.0, character_space: 0.0, word_space: 0.0, scale: 1.0, leading: 0.0 }
    }
}

/// Where text stands in one stream.
#[derive(Debug, Default)]
struct Pen {
    state: State,
    saved: Vec<State>,
    matrix: Matrix,
    line: Matrix,
    /// Where the last letter ended.
    end: Option<(f64, f64)>,
}

impl<'s> Reader<'s> {
    /// Appearances of annotations (12.5.5) are forms.
    fn annotations(&mut self, page: &Page<'s>, source: &Source<'s, '_>) {
        for item in &page.annotations {
            self.annotations += 1;
            if self.annotations > FORMS_MAX {
                return;
            }
            let appearances = source.at(source.resolved(item), "AP").unwrap_or_default();
            let Some(normal) = source.entry(appearances, "N") else { continue };
            let is_form = syntax::reference(normal).is_some_and(|(number, _)| source.is_stream(number));
            // More than one state: a tick that is there or not.
            let normal = if is_form { normal } else { source.resolved(normal) };
            for number in syntax::references(normal) {
                self.form(number, page.resources, source);
            }
        }
    }

    /// A form (8.10), if it was not read yet.
    fn form(&mut self, number: u32, resources: &'s [u8], source: &Source<'s, '_>) {
        if self.known.len() >= FORMS_MAX || !source.is_stream(number) || !self.known.insert(number) {
            return;
        }
        let dictionary = source.object(number);
        if source.name_at(dictionary, "Subtype") != "Image" {
            let resources = source.at(dictionary, "Resources").unwrap_or(resources);
            self.queue.push_back(Drawn { streams: vec![number], resources });
        }
    }

    fn draw(&mut self, drawn: &Drawn<'s>, source: &mut Source<'s, '_>) {
        let mut bytes = Vec::new();
        for number in &drawn.streams {
            bytes.extend(source.stream(*number).unwrap_or_default());
            bytes.push(b'\n');
        }
        self.text.line();
        let named = |kind: &str, source: &Source<'s, '_>| -> BTreeMap<String, &'s [u8]> {
            source.at(drawn.resources, kind).map(syntax::entries).unwrap_or_default().into_iter().collect()
        };
        let (mut fonts, forms) = (Fonts::of(named("Font", source)), named("XObject", source));
        let (mut pen, mut operands) = (Pen::default(), Vec::new());
        let mut tokens = Tokens::of(&bytes);
        while let Some(token) = tokens.next() {
            let Token::Operator(operator) = token else {
                if operands.len() < OPERANDS_MAX {
                    operands.push(token);
                }
                continue;
            };
            match (operator, operands.as_slice()) {
                (b"ID", _) => tokens.skip_picture(),
                (b"Tf", [.., Token::Name(name), Token::Number(size)]) => {
                    pen.state.font = fonts.get(name, |value| self.font(value, source));
                    pen.state.size = *size;
                }
                (b"Do", [.., Token::Name(name)]) => {
                    let value = forms.get(&syntax::name(name).0).copied();
                    if let Some((number, _)) = value.and_then(syntax::reference) {
                        self.form(number, drawn.resources, source);
                    }
                }
                (b"Tj" | b"TJ" | b"'" | b"\"", operands) => self.show(operator, operands, &mut pen),
                (_, operands) => pen.operator(operator, operands),
            }
            operands.clear();
            if self.text.is_full() {
                return;
            }
        }
    }

    /// The font of a value of the resources.
    fn font(&mut self, value: &'s [u8], source: &mut Source<'s, '_>) -> Option<usize> {
        let number = syntax::reference(value).map(|(number, _)| number);
        if let Some(known) = number.and_then(|number| self.by_number.get(&number)) {
            return Some(*known);
        }
        if self.fonts.len() >= FONTS_MAX {
            return None;
        }
        self.fonts.push(Font::read(source.resolved(value), source));
        let at = self.fonts.len() - 1;
        self.by_number.extend(number.map(|number| (number, at)));
        Some(at)
    }

    /// Shows the strings among the operands; numbers between them move back (9.4.3).
    fn show(&mut self, operator: &[u8], operands: &[Token<'_>], pen: &mut Pen) {
        if let (b"\"", [Token::Number(word), Token::Number(character), ..]) = (operator, operands) {
            (pen.state.word_space, pen.state.character_space) = (*word, *character);
        }
        if matches!(operator, b"'" | b"\"") {
            pen.next_line(0.0, -pen.state.leading);
        }
        let font = pen.state.font.and_then(|at| self.fonts.get(at)).unwrap_or(&self.usual);
        for operand in operands {
            match operand {
                Token::Text(bytes) => {
                    pen.separate(&mut self.text);
                    font.glyphs(bytes, |glyph| {
                        self.text.push(&glyph.text);
                        let State { size, character_space, word_space, scale, .. } = pen.state;
                        let space = character_space + if glyph.is_blank { word_space } else { 0.0 };
                        pen.advance((glyph.width * size + space) * scale);
                    });
                    pen.end = Some(pen.place().origin());
                }
                Token::Number(back) if operator == b"TJ" => {
                    pen.advance(-back / 1000.0 * pen.state.size * pen.state.scale);
                }
                _ => {}
            }
        }
    }
}

/// The fonts of one stream by their names, each looked up once.
struct Fonts<'s> {
    values: BTreeMap<String, &'s [u8]>,
    known: BTreeMap<String, Option<usize>>,
}

impl<'s> Fonts<'s> {
    fn of(values: BTreeMap<String, &'s [u8]>) -> Self {
        Self { values, known: BTreeMap::new() }
    }

    fn get(&mut self, name: &[u8], read: impl FnOnce(&'s [u8]) -> Option<usize>) -> Option<usize> {
        let (name, _) = syntax::name(name);
        let value = self.values.get(&name)?;
        *self.known.entry(name).or_insert_with(|| read(value))
    }
}

impl Pen {
    /// Where the next letter stands, and how large it is.
    fn place(&self) -> Matrix {
        self.matrix.then(self.state.ctm)
    }

    fn advance(&mut self, right: f64) {
        self.matrix = Matrix::moved(right, 0.0).then(self.matrix);
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::moved(x, y).then(self.line);
        self.matrix = self.line;
    }

    /// Puts a blank or the end of a line where the next letter does not go on from the last one.
    fn separate(&self, text: &mut DocumentText) {
        let place = self.place();
        let Some((x, y)) = self.end else { return };
        let (dx, dy) = (place.origin().0 - x, place.origin().1 - y);
        let right = place.right();
        let size = length(place.up()) * self.state.size.abs();
        let step = length(right);
        if size <= 0.0 || step <= 0.0 {
            return text.blank();
        }
        let along = (dx * right.0 + dy * right.1) / step / size;
        let off = ((dx * right.1 - dy * right.0) / step / size).abs();
        if off > OFF_LINE_MAX {
            // What is raised a little belongs to the line, but to no word before it.
            if off > 1.0 || along < -BACK_MAX { text.line() } else { text.blank() }
        } else if !(-BACK_MAX..=GAP_MAX).contains(&along) {
            text.blank();
        }
    }

    fn operator(&mut self, operator: &[u8], operands: &[Token<'_>]) {
        let numbers: Vec<f64> = operands
            .iter()
            .rev()
            .map_while(|operand| if let Token::Number(number) = operand { Some(*number) } else { None })
            .take(6)
            .collect();
        let state = &mut self.state;
        // The last operand is the first here.
        match (operator, numbers.as_slice()) {
            (b"q", _) if self.saved.len() < STATES_MAX => self.saved.push(self.state),
            (b"Q", _) => self.state = self.saved.pop().unwrap_or(self.state),
            (b"cm", [f, e, d, c, b, a]) => state.ctm = Matrix([*a, *b, *c, *d, *e, *f]).then(state.ctm),
            (b"BT", _) => (self.matrix, self.line) = (Matrix::default(), Matrix::default()),
            (b"Tc", [space, ..]) => state.character_space = *space,
            (b"Tw", [space, ..]) => state.word_space = *space,
            (b"Tz", [percent, ..]) => state.scale = percent / 100.0,
            (b"TL", [leading, ..]) => state.leading = *leading,
            (b"Td", [y, x, ..]) => self.next_line(*x, *y),
            (b"TD", [y, x, ..]) => {
                state.leading = -y;
                self.next_line(*x, *y);
            }
            (b"T*", _) => self.next_line(0.0, -self.state.leading),
            (b"Tm", [f, e, d, c, b, a]) => {
                self.line = Matrix([*a, *b, *c, *d, *e, *f]);
                self.matrix = self.line;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "text/tests.rs"]
mod tests;
