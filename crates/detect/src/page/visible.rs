//! Which text of a page a person sees: what its style sheets, attributes and elements hide is told apart.
//!
//! Mail programs know little of CSS, and so does this: simple selectors, the declarations that hide text, and colours.
//! Text that is hidden is everyday (the preview line of a newsletter); it is no word of the mail all the same.

use std::collections::HashMap;

use html5gum::StartTag;

/// Elements that are open at once; what is nested deeper is as visible as the last of them.
const OPEN_MAX: usize = 256;
/// Selectors of all sheets of one page that are kept.
const SELECTORS_MAX: usize = 2000;
/// Bytes of style of one page that are read.
const STYLE_BYTES_MAX: usize = 256 << 10;
/// Elements without an end tag (WHATWG 13.1.2).
const VOID: [&[u8]; 14] = [
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param", b"source",
    b"track", b"wbr",
];
/// Elements that end an open paragraph (WHATWG 13.2.6.4.7), as far as mail uses them.
const ENDS_PARAGRAPH: [&[u8]; 14] = [
    b"p",
    b"div",
    b"table",
    b"ul",
    b"ol",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"center",
    b"blockquote",
    b"pre",
    b"hr",
    b"form",
];
/// Difference of two colours, the largest of red, green and blue, below which a person does not read the one on the
/// other.
const CONTRAST_MIN: u8 = 24;
/// Pixels or points below which nobody reads.
const FONT_MIN: f32 = 3.0;
/// How far out of the page something is moved, at least, to be unseen: pixels or ems.
const OFF_SCREEN_MIN: f32 = 500.0;

/// How a text is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hidden {
    /// It is not drawn: `display: none`, `visibility: hidden`, `opacity: 0`, `hidden`, no height.
    NotDrawn,
    /// Its letters are too small.
    Tiny,
    /// It has the colour of what is behind it.
    Colourless,
    /// It stands outside the page.
    OffScreen,
}

impl Hidden {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotDrawn, Self::Tiny, Self::Colourless, Self::OffScreen];
}

type Colour = (u8, u8, u8);

/// What one rule or attribute says; none where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Style {
    not_drawn: Option<bool>,
    tiny: Option<bool>,
    off_screen: Option<bool>,
    colour: Option<Colour>,
    /// A colour, or a picture whose colour nobody knows.
    background: Option<Option<Colour>>,
}

impl Style {
    fn over(self, later: Self) -> Self {
        Self {
            not_drawn: later.not_drawn.or(self.not_drawn),
            tiny: later.tiny.or(self.tiny),
            off_screen: later.off_screen.or(self.off_screen),
            colour: later.colour.or(self.colour),
            background: later.background.or(self.background),
        }
    }
}

/// How the text of an element is drawn.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    not_drawn: bool,
    tiny: bool,
    off_screen: bool,
    colour: Colour,
    background: Option<Colour>,
}

impl Drawn {
    /// Black on white.
    const PAGE: Self =
        Self { not_drawn: false, tiny: false, off_screen: false, colour: (0, 0, 0), background: Some((255, 255, 255)) };

    /// What stands in this with a style of its own. What is not drawn takes its children with it; a size is undone by
    /// another.
    fn with(self, style: Style) -> Self {
        Self {
            not_drawn: self.not_drawn || style.not_drawn == Some(true),
            tiny: style.tiny.unwrap_or(self.tiny),
            off_screen: self.off_screen || style.off_screen == Some(true),
            colour: style.colour.unwrap_or(self.colour),
            background: style.background.unwrap_or(self.background),
        }
    }

    fn hidden(&self) -> Option<Hidden> {
        let colourless = self.background.is_some_and(|behind| difference(self.colour, behind) < CONTRAST_MIN);
        [
            (self.not_drawn, Hidden::NotDrawn),
            (self.tiny, Hidden::Tiny),
            (self.off_screen, Hidden::OffScreen),
            (colourless, Hidden::Colourless),
        ]
        .into_iter()
        .find_map(|(is_so, how)| is_so.then_some(how))
    }
}

fn difference(one: Colour, other: Colour) -> u8 {
    one.0.abs_diff(other.0).max(one.1.abs_diff(other.1)).max(one.2.abs_diff(other.2))
}

/// What is open of a page at a place of it.
#[derive(Default)]
pub(super) struct Visibility {
    open: Vec<(Vec<u8>, Drawn)>,
    sheet: HashMap<String, Style>,
    style_bytes: usize,
}

impl Visibility {
    /// How the text that stands here is hidden; none if a person sees it.
    pub(super) fn hidden(&self) -> Option<Hidden> {
        self.drawn().hidden()
    }

    fn drawn(&self) -> Drawn {
        self.open.last().map_or(Drawn::PAGE, |(_, drawn)| *drawn)
    }

    /// A start tag.
    pub(super) fn start(&mut self, tag: &StartTag<()>) {
        let name = tag.name.as_slice();
        if VOID.contains(&name) || tag.self_closing {
            return;
        }
        self.end_implied(name);
        if self.open.len() < OPEN_MAX {
            let drawn = self.drawn().with(self.style_of(tag));
            self.open.push((name.to_vec(), drawn));
        }
    }

    /// An end tag closes what was opened by that name last, and all in it.
    pub(super) fn end(&mut self, name: &[u8]) {
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            // A cell's stray end tag does not close the table around it.
            let is_beyond_cell =
                self.open[at..].iter().skip(1).any(|(open, _)| matches!(open.as_slice(), b"td" | b"th"));
            if !is_beyond_cell || matches!(name, b"table" | b"tr" | b"tbody" | b"td" | b"th" | b"body" | b"html") {
                self.open.truncate(at);
            }
        }
    }

    fn end_implied(&mut self, name: &[u8]) {
        let Some((last, _)) = self.open.last() else { return };
        let ends = match last.as_slice() {
            b"p" => ENDS_PARAGRAPH.contains(&name),
            b"li" => name == b"li",
            b"td" | b"th" => matches!(name, b"td" | b"th" | b"tr"),
            b"tr" => name == b"tr",
            b"option" => name == b"option",
            _ => false,
        };
        if ends {
            self.open.pop();
            if name == b"tr" && self.open.last().is_some_and(|(open, _)| open == b"tr") {
                self.open.pop();
            }
        }
    }

    fn style_of(&mut self, tag: &StartTag<()>) -> Style {
        let mut style = Style::default();
        let value = |name: &[u8]| tag.attributes.get(name).map(|value| String::from_utf8_lossy(&value.value));
        if !self.sheet.is_empty() {
            let name = String::from_utf8_lossy(&tag.name);
            let classes = value(b"class").unwrap_or_default();
            let classes = classes.split_ascii_whitespace().take(20).map(|class| format!(".{class}"));
            let id = value(b"id").map(|id| format!("#{}", id.trim()));
            for selector in std::iter::once(name.into_owned()).chain(classes).chain(id) {
                style = style.over(self.sheet.get(&selector).copied().unwrap_or_default());
            }
        }
        if tag.attributes.contains_key(b"hidden".as_slice()) {
            style.not_drawn = Some(true);
        }
        style.background = value(b"bgcolor").and_then(|text| colour(&text)).map(Some).or(style.background);
        if value(b"background").is_some() {
            style.background = Some(None);
        }
        if tag.name.as_slice() == b"font" {
            style.colour = value(b"color").and_then(|text| colour(&text)).or(style.colour);
        }
        if let Some(declarations) = value(b"style")
            && self.style_bytes < STYLE_BYTES_MAX
        {
            self.style_bytes += declarations.len();
            style = style.over(declared(&declarations));
        }
        style
    }

    /// A style sheet. What stands in `@media` is for other screens.
    pub(super) fn sheet(&mut self, text: &str) {
        let room = STYLE_BYTES_MAX.saturating_sub(self.style_bytes).min(text.len());
        let mut rest = &text[..text.floor_char_boundary(room)];
        self.style_bytes += rest.len();
        while let Some((head, behind)) = rest.split_once('{') {
            let head = head.rsplit(['}', ';']).next().unwrap_or_default();
            let head = head.rsplit("*/").next().unwrap_or_default().trim().trim_start_matches("<!--").trim();
            if head.starts_with("@media") || head.starts_with("@supports") || head.starts_with("@keyframes") {
                rest = behind_block(behind);
                continue;
            }
            let (declarations, after) = behind.split_once('}').unwrap_or((behind, ""));
            let style = declared(declarations);
            for selector in head.split(',').map(str::trim).filter(|selector| is_simple(selector)) {
                if self.sheet.len() < SELECTORS_MAX || self.sheet.contains_key(selector) {
                    let known = self.sheet.entry(selector.to_owned()).or_default();
                    *known = known.over(style);
                }
            }
            rest = after;
        }
    }
}

/// What follows the block whose inside begins here.
fn behind_block(text: &str) -> &str {
    let mut depth = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    ""
}

/// Whether a selector is one word: an element, a class or an identity.
fn is_simple(selector: &str) -> bool {
    let word = selector.strip_prefix(['.', '#']).unwrap_or(selector);
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// What declarations say of being seen.
fn declared(text: &str) -> Style {
    let mut style = Style::default();
    for declaration in text.split(';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().to_ascii_lowercase();
        let value = value.trim_end_matches("!important").trim();
        match name.as_str() {
            "display" => style.not_drawn = Some(value == "none"),
            "mso-hide" if value == "all" => style.not_drawn = Some(true),
            "visibility" if matches!(value, "hidden" | "collapse") => style.not_drawn = Some(true),
            "opacity" if length(value).is_some_and(|opacity| opacity < 0.05) => style.not_drawn = Some(true),
            "max-height" | "max-width" | "height" if length(value) == Some(0.0) => style.not_drawn = Some(true),
            "transform" | "-webkit-transform" if is_scaled_away(value) => style.not_drawn = Some(true),
            "font-size" => style.tiny = length(value).map(|size| size < font_min(value)),
            "text-indent" | "left" | "top" | "margin-left" | "margin-top"
                if length(value).is_some_and(|by| by <= -OFF_SCREEN_MIN) =>
            {
                style.off_screen = Some(true);
            }
            "color" => style.colour = colour(value),
            "background-color" => style.background = colour(value).map(Some),
            "background" | "background-image" if value.contains("url(") || value.contains("gradient") => {
                style.background = Some(None);
            }
            "background" => style.background = value.split_whitespace().find_map(colour).map(Some),
            _ => {}
        }
    }
    style
}

/// Whether a transformation leaves nothing to see: `scale(0)`, `scaleY(0.0)`.
fn is_scaled_away(value: &str) -> bool {
    value.split_once("scale").and_then(|(_, rest)| rest.split_once('(')).is_some_and(|(_, by)| length(by) == Some(0.0))
}

fn font_min(value: &str) -> f32 {
    if value.ends_with("em") || value.ends_with('%') { 0.1 } else { FONT_MIN }
}

/// The number that a length begins with, in its own unit; a share of a hundred as a share of one.
fn length(value: &str) -> Option<f32> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(value.len());
    let number: f32 = value[..end].parse().ok()?;
    Some(if value[end..].starts_with('%') { number / 100.0 } else { number })
}

/// A colour as mail writes it: `#abc`, `#aabbcc`, `rgb(…)`, and the few names that hide something.
fn colour(text: &str) -> Option<Colour> {
    let text = text.trim().to_ascii_lowercase();
    match text.as_str() {
        "white" => return Some((255, 255, 255)),
        "black" => return Some((0, 0, 0)),
        "whitesmoke" => return Some((245, 245, 245)),
        "snow" | "ivory" | "ghostwhite" | "floralwhite" => return Some((252, 252, 248)),
        _ => {}
    }
    if let Some(inside) = text.strip_prefix("rgb").and_then(|rest| rest.trim_start_matches('a').strip_prefix('(')) {
        let mut numbers = inside.trim_end_matches(')').split([',', ' ', '/']).filter(|one| !one.is_empty());
        let mut next = || numbers.next()?.trim().parse::<f32>().ok().map(|value| value.clamp(0.0, 255.0) as u8);
        return Some((next()?, next()?, next()?));
    }
    let digits = text.strip_prefix('#').unwrap_or(&text);
    let digit = |at: usize| digits.get(at..at + 1).and_then(|one| u8::from_str_radix(one, 16).ok());
    match digits.len() {
        3 => Some((digit(0)? * 17, digit(1)? * 17, digit(2)? * 17)),
        6 | 8 => Some((digit(0)? * 16 + digit(1)?, digit(2)? * 16 + digit(3)?, digit(4)? * 16 + digit(5)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::html;
    use super::*;

    fn seen(page: &str) -> (String, Vec<Hidden>) {
        let page = html::read(page.as_bytes(), false);
        let hidden = Hidden::ALL.into_iter().zip(page.hidden_chars).filter(|(_, chars)| *chars > 0);
        (page.visible.split_whitespace().collect::<Vec<_>>().join(" "), hidden.map(|(how, _)| how).collect())
    }

    fn check(page: &str, visible: &str, hidden: &[Hidden]) {
        assert_eq!(seen(page), (visible.to_owned(), hidden.to_vec()), "{page}");
    }

    #[test]
    fn what_is_hidden_is_no_word() {
        use Hidden as H;
        check("<p>one<p>two", "one two", &[]);
        check("a<div style='display:none'>b<b>c</b></div>d", "a d", &[H::NotDrawn]);
        check("a<span style='FONT-SIZE: 0px !important'>b</span>c", "ac", &[H::Tiny]);
        check("<td style='font-size:0'><span style='font-size:14px'>seen</span>not</td>", "seen", &[H::Tiny]);
        check("<font color=#fefefe>b</font>c", "c", &[H::Colourless]);
        check("<table bgcolor=#000080><tr><td style='color:white'>seen</table>", "seen", &[]);
        check("<div style='background:url(x) #fff;color:#fff'>seen</div>", "seen", &[]);
        check("<div style='position:absolute;left:-9999px'>b</div>c", "c", &[H::OffScreen]);
        check(
            "<style>.pre{display:none} @media (max-width:1px){.b{display:none}}</style><i class='x pre'>a</i><b \
            class=b>b</b>",
            "b",
            &[H::NotDrawn],
        );
        check("<style>.a{color:#fff}.a{background:#222}</style><a class=a>seen</a>", "seen", &[]);
        check("<div style='transform:scale(0)'>a</div><i style='transform:scale(0.9)'>b</i>", "b", &[H::NotDrawn]);
        check("<p hidden>a</p>b", "b", &[H::NotDrawn]);
        check("<div style='max-height:0;overflow:hidden'>a</div>b", "b", &[H::NotDrawn]);
        check("<div style='font-size:0.8em'>a</div><div style='line-height:0;font-size:90%'>b</div>", "a b", &[]);
    }

    #[test]
    fn what_is_not_closed_as_it_was_opened_hides_no_more_than_its_cell() {
        use Hidden as H;
        check("<table><tr><td style='display:none'>a<td>b</table>c", "b c", &[H::NotDrawn]);
        check("<p style='font-size:1px'>a<div>b</div>", "b", &[H::Tiny]);
        check("</div></p>a", "a", &[]);
        let deep = format!("{}x", "<div>".repeat(10_000));
        check(&deep, "x", &[]);
    }

    #[test]
    fn colours_and_lengths() {
        assert_eq!(colour("#FFF"), Some((255, 255, 255)));
        assert_eq!(colour("rgb(1, 2 ,300)"), Some((1, 2, 255)));
        assert_eq!(colour("rgba(255,255,255,0)"), Some((255, 255, 255)));
        assert_eq!(colour("\u{e9}\u{e9}\u{e9}"), None);
        assert_eq!(colour("inherit"), None);
        assert_eq!(length("-99.5px"), Some(-99.5));
        assert_eq!(length("50%"), Some(0.5));
        assert_eq!(length("auto"), None);
    }
}
