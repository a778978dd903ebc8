//! HTML of strangers as HTML that cannot do anything: for a person who wants to see a mail.
//!
//! Written anew from tokens: tags that shape text, without attributes; text, escaped; pictures that were drawn anew;
//! and nothing else. What is raw text to an HTML parser (script, style, templates, foreign content) is left out with
//! its content, so the result is read by every parser as it was written.

use html5gum::Token;

use super::Drawn;
use crate::page::tokens::Tokens;

/// Tags that are kept: they shape text and can do nothing else.
const KEPT: [&str; 46] = [
    "abbr",
    "address",
    "article",
    "b",
    "bdi",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "u",
    "ul",
    "wbr",
];
/// Tags of tables, kept as well.
const TABLE: [&str; 7] = ["table", "tbody", "td", "tfoot", "th", "thead", "tr"];
/// Tags that have no end.
const VOID: [&str; 3] = ["br", "hr", "wbr"];
/// Elements that are left out with all that is in them.
const DROPPED: [&str; 21] = [
    "applet",
    "audio",
    "canvas",
    "embed",
    "frameset",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "option",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "title",
    "video",
    "xmp",
];

/// Bytes of HTML that are read at most; the rest is left out, and that is said.
const BYTES_MAX: usize = 1_000_000;
/// Characters of what is said of a link or a picture.
const ABOUT_CHARS_MAX: usize = 300;
/// Elements inside one another at most; deeper ones are written flat.
const DEPTH_MAX: usize = 100;

/// Makes a document harmless. Links become text that says where they led; so do pictures, but for those of the mail
/// itself that `drawn` has, by their Content-ID.
pub fn harmless(html: &str, drawn: &mut dyn FnMut(&str) -> Option<Drawn>) -> String {
    let cut = (0..=html.len().min(BYTES_MAX)).rev().find(|at| html.is_char_boundary(*at)).unwrap_or(0);
    let mut writer = Writer::default();
    for token in Tokens::of(&html[..cut]) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
                let attribute = |wanted: &[u8]| {
                    tag.attributes.get(wanted).map(|value| String::from_utf8_lossy(&value.value).into_owned())
                };
                match name.as_str() {
                    "a" => writer.link = attribute(b"href").filter(|href| !href.trim().is_empty()),
                    "img" | "image" => {
                        let about = attribute(b"alt").unwrap_or_default();
                        let source = attribute(b"src").filter(|_| writer.dropped.is_none()).unwrap_or_default();
                        match source.strip_prefix("cid:").and_then(&mut *drawn) {
                            Some(picture) => writer.picture(&picture, about.trim()),
                            None => writer.note("picture", about.trim()),
                        }
                    }
                    "input" | "button" | "textarea" | "form" => writer.note("form", ""),
                    _ => writer.open(&name, tag.self_closing),
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).to_ascii_lowercase();
                if name == "a" {
                    if let Some(href) = writer.link.take() {
                        writer.note("link to", &href);
                    }
                } else {
                    writer.close(&name);
                }
            }
            Token::String(text) => writer.text(&String::from_utf8_lossy(&text.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    if cut < html.len() {
        writer.note("the rest is left out:", &format!("{} bytes", html.len() - cut));
    }
    writer.end()
}

#[derive(Default)]
struct Writer {
    out: String,
    open: Vec<String>,
    /// The element that is left out, and how many of its kind are open in it.
    dropped: Option<(String, usize)>,
    link: Option<String>,
}

impl Writer {
    fn open(&mut self, name: &str, closes_itself: bool) {
        if let Some((dropped, depth)) = &mut self.dropped {
            *depth += usize::from(dropped == name && !closes_itself);
            return;
        }
        if DROPPED.contains(&name) {
            // In HTML only foreign elements can close themselves; taking the others at their word would show what a
            // browser hides.
            if !(closes_itself && matches!(name, "svg" | "math")) && name != "embed" {
                self.dropped = Some((name.to_owned(), 1));
            }
            return;
        }
        if VOID.contains(&name) {
            self.out.push_str(&format!("<{name}>"));
        } else if (KEPT.contains(&name) || TABLE.contains(&name)) && self.open.len() < DEPTH_MAX {
            self.out.push_str(&format!("<{name}>"));
            self.open.push(name.to_owned());
        }
    }

    fn close(&mut self, name: &str) {
        if let Some((dropped, depth)) = &mut self.dropped {
            if dropped == name {
                *depth -= 1;
                if *depth == 0 {
                    self.dropped = None;
                }
            }
            return;
        }
        // What was opened inside and not closed is closed with it.
        if let Some(at) = self.open.iter().rposition(|open| open == name) {
            for name in self.open.drain(at..).rev() {
                self.out.push_str(&format!("</{name}>"));
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.dropped.is_none() {
            escape(text, &mut self.out);
        }
    }

    /// A picture of ours, in the place of one of the mail.
    fn picture(&mut self, Drawn { content_type, data, width, height }: &Drawn, about: &str) {
        self.out.push_str("<img src=\"data:");
        escape(content_type, &mut self.out);
        self.out.push_str(";base64,");
        self.out.push_str(data);
        self.out.push_str(&format!("\" width=\"{width}\" height=\"{height}\" alt=\""));
        escape(&clipped(about), &mut self.out);
        self.out.push_str("\">");
    }

    /// What stood there and was taken out.
    fn note(&mut self, what: &str, about: &str) {
        if self.dropped.is_some() {
            return;
        }
        self.out.push_str(" <small>[");
        escape(what, &mut self.out);
        if !about.is_empty() {
            self.out.push(' ');
            escape(&clipped(about), &mut self.out);
        }
        self.out.push_str("]</small> ");
    }

    fn end(mut self) -> String {
        for name in self.open.drain(..).rev() {
            self.out.push_str(&format!("</{name}>"));
        }
        self.out
    }
}

fn clipped(about: &str) -> String {
    about.chars().filter(|c| !c.is_control()).take(ABOUT_CHARS_MAX).collect()
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(html: &str) -> String {
        harmless(html, &mut |_| None)
    }

    #[test]
    fn what_is_kept_and_what_is_not() {
        let mut out = String::new();
        for html in [
            "<p>Hello <b>world</b>",
            "<p onclick=alert(1) style='x'>a</p>",
            "<a href=\"javascript:alert(1)\">click</a> <a>no link</a>",
            "<img src=x onerror=alert(1) alt=Logo><img>",
            "<script>alert('<p>x</p>')</script>after",
            "<scr<script>ipt>alert(1)</script>",
            "<svg><script>alert(1)</script><p>in</svg>after",
            "<svg/onload=alert(1)>x</svg>",
            "<math><mi//xlink:href=\"data:x\">x</math>y",
            "<style><!--</style><img src=x onerror=alert(1)>--></style>z",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<template><p>t</template>x",
            "<textarea><script>alert(1)</script></textarea>",
            "<table><tr><td>1<td>2</table>end",
            "<b><i>crossed</b></i>",
            "<iframe src=x>inside</iframe>out",
            "<form action=x><input name=y><button>go</button></form>",
            "a & b &lt;script&gt; &amp;lt; \u{0}",
            "<p>not closed",
            "</p></div>stray",
            "<plaintext>all the <b>rest",
            "<title></title><style></title><b>x",
            "<BR><HR/>",
        ] {
            out.push_str(&format!("{html:?}\n  {}\n", plain(html)));
        }
        insta::assert_snapshot!(out);
    }

    /// Every tag of the result is one of ours, without attributes; every `<` of the mail is text.
    fn assert_harmless(result: &str) {
        let mut rest = result;
        while let Some(at) = rest.find('<') {
            let end = rest[at..].find('>').expect("every tag ends") + at;
            let name = rest[at + 1..end].trim_start_matches('/');
            assert!(KEPT.contains(&name) || TABLE.contains(&name), "{name:?} in {result:?}");
            rest = &rest[end + 1..];
        }
    }

    proptest! {
        #[test]
        fn any_text_becomes_harmless(html in "\\PC{0,200}") {
            assert_harmless(&plain(&html));
        }

        #[test]
        fn any_markup_becomes_harmless(pieces in proptest::collection::vec(
            "(<|</|<!--|-->|<!\\[CDATA\\[|\\]\\]>|>|/>|\"|'|=|script|style|svg|math|title|\
             noscript|template|table|td|p|b|a href=javascript:x|img src=x onerror=y|&lt;|&#60;|&| |x)",
            0..60,
        )) {
            assert_harmless(&plain(&pieces.concat()));
        }

        /// Making it harmless once more changes no tag: what we write is read as we wrote it.
        #[test]
        fn what_is_written_is_read_as_it_was_written(pieces in proptest::collection::vec(
            "(<p>|</p>|<b>|</b>|<table>|<td>|<script>|</script>|text|&amp;|&lt;b&gt;)",
            0..40,
        )) {
            let once = plain(&pieces.concat());
            prop_assert_eq!(plain(&once), once);
        }
    }
}
