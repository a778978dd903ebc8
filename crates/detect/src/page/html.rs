//! HTML, tokenised as browsers do (WHATWG 13.2.5). In the body of a mail scripts do not run, so only its links matter;
//! an attached page runs with all a browser gives, so what it does matters as well.

use encoding_rs::UTF_8;
use html5gum::{StartTag, Token};

use super::data_url::{self, DataUrl};
use super::form::Forms;
use super::link::{Link, LinkOrigin};
use super::saved::{Home, Saved, without_links_to};
use super::scheme::{self, Destination, scheme_of};
use super::smuggle::{in_link, smuggles};
use super::tokens::Tokens;
use super::url::{Url, percent_decoded, stripped};
use super::visible::{Hidden, Visibility};
use super::{clipped, password};
use crate::fingerprint::layout::Tags;
use crate::structure::Check;

/// Bytes of one page that are read.
const PAGE_BYTES_MAX: usize = 8 << 20;
/// Links of one page that are kept.
const LINKS_MAX: usize = 2000;
/// Bytes of scripts of one page that are looked at.
const SCRIPT_BYTES_MAX: usize = 4 << 20;
/// Bytes of text of one page that are kept, about.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Pictures from elsewhere whose place is kept, and characters of each.
const PICTURES_MAX: usize = 100;
const PICTURE_CHARS_MAX: usize = 500;
/// Characters of a link's text that are kept.
const SHOWN_MAX: usize = 300;
/// Bytes of a link that a page's base completes.
const PIECE_BYTES_MAX: usize = 8 << 10;
/// Files in links of one page that are kept, and bytes of all of them.
const FILES_MAX: usize = 100;
const FILES_BYTES_MAX: usize = 32 << 20;
/// Letters of a link with a file in it by which the link is known.
const FILE_LINK_CHARS: usize = 100;
/// Elements whose `href` loads something for the page, and waits for no click.
const HREF_LOADS: [&[u8]; 8] =
    [b"link", b"image", b"use", b"feimage", b"pattern", b"lineargradient", b"radialgradient", b"filter"];
/// Elements that show another page, and the attribute that names it.
const FRAMES: [(&[u8], &str); 4] = [(b"iframe", "src"), (b"frame", "src"), (b"embed", "src"), (b"object", "data")];
/// Attributes that name a picture or something else that is loaded with the page.
const LOADS: [&str; 5] = ["src", "poster", "background", "dynsrc", "lowsrc"];

/// Elements that stand within a word.
const INLINE: [&[u8]; 24] = [
    b"a", b"b", b"i", b"u", b"em", b"strong", b"span", b"font", b"small", b"big", b"sub", b"sup", b"s", b"wbr", b"tt",
    b"code", b"mark", b"ins", b"del", b"label", b"abbr", b"bdo", b"bdi", b"o:p",
];

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
    /// What of it a person sees, its beginning.
    pub visible: String,
    /// Characters of text that nobody sees, by how each is hidden, in the order of [`Hidden::ALL`].
    pub hidden_chars: [usize; Hidden::ALL.len()],
    /// Pictures that lead somewhere when they are clicked.
    pub linked_pictures: usize,
    /// Fields in which something is typed or chosen.
    pub form_fields: usize,
    /// Scripts.
    pub scripts: usize,
    /// Pictures that it loads from elsewhere, and those of them of one or two pixels.
    pub remote_pictures: usize,
    /// Where they come from, as far as kept.
    pub pictures: Vec<String>,
    /// Pictures that nobody sees.
    pub tracking_pixels: usize,
    /// Files in links of an attached page, and pages in its frames: their names, where they have one, and their bytes.
    pub members: Vec<(String, Vec<u8>)>,
    /// Its tags, in their order.
    pub(crate) tags: Tags,
    /// Where its password goes, if that is the site that it says it was saved from.
    pub(crate) password_home: Option<Home>,
}

/// Reads a page. `is_attachment`: it opens in a browser.
pub fn read(bytes: &[u8], is_attachment: bool) -> Page {
    let text = decoded(&bytes[..bytes.len().min(PAGE_BYTES_MAX)]);
    let mut reader = PageReader::default();
    for token in Tokens::of(&text) {
        reader.take(token);
    }
    reader.end(is_attachment)
}

/// A text by its byte order mark, which browsers believe before anything else (WHATWG Encoding 6.1); without one it is
/// taken for UTF-8.
pub(crate) fn decoded(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    UTF_8.decode(bytes).0
}

#[derive(Default)]
struct PageReader {
    page: Page,
    /// The text of each script element.
    scripts: Vec<String>,
    script_bytes: usize,
    /// The link that is open: where it leads, and what it has shown so far.
    open: Option<(String, String)>,
    /// What it saves as, if it is a file.
    open_name: String,
    in_script: bool,
    in_style: bool,
    /// The first base of the page: no other counts (WHATWG 4.2.3).
    base: Option<String>,
    forms: Forms,
    saved: Saved,
    refreshes: Vec<String>,
    redirects: bool,
    handlers: String,
    /// Files in links, undecoded, with their names.
    files: Vec<(String, String)>,
    files_bytes: usize,
    /// Pages that stand in the attribute of a frame.
    inner_pages: Vec<String>,
    visibility: Visibility,
}

impl PageReader {
    fn take(&mut self, token: Token) {
        match token {
            Token::StartTag(tag) => {
                self.page.tags.start(&tag.name);
                self.visibility.start(&tag);
                self.word_ends(&tag.name);
                self.start(&tag);
            }
            Token::EndTag(tag) => {
                self.page.tags.end(&tag.name);
                self.visibility.end(tag.name.as_slice());
                self.word_ends(&tag.name);
                match tag.name.as_slice() {
                    b"a" => self.close_link(),
                    b"script" => self.in_script = false,
                    b"style" => self.in_style = false,
                    b"form" => self.forms.end(),
                    _ => {}
                }
            }
            Token::Comment(comment) => self.comment(&comment.value),
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text.value);
                if self.in_script {
                    self.script(&text);
                } else if self.in_style {
                    self.visibility.sheet(&text);
                    self.style(&text);
                } else {
                    let chars = text.chars().filter(|c| !c.is_whitespace()).count();
                    self.page.text_chars += chars;
                    self.visible(&text, chars);
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

    /// What stands in two cells or lines is two words; a change of the typeface is none.
    fn word_ends(&mut self, name: &[u8]) {
        if !INLINE.contains(&name) && !self.page.visible.ends_with([' ', '\n']) {
            self.page.visible.push(if name == b"td" { ' ' } else { '\n' });
        }
    }

    /// A text, by whether a person sees it.
    fn visible(&mut self, text: &str, chars: usize) {
        if let Some(how) = self.visibility.hidden() {
            self.page.hidden_chars[how as usize] += chars;
        } else if self.page.visible.len() < TEXT_BYTES_MAX {
            self.page.visible.push_str(text);
        }
    }

    /// A piece of the script that was begun last.
    fn script(&mut self, text: &str) {
        if self.script_bytes < SCRIPT_BYTES_MAX
            && let Some(script) = self.scripts.last_mut()
        {
            self.script_bytes += text.len();
            script.push_str(text);
        }
    }

    /// Outlook shows what stands in a conditional comment: its links are links.
    fn comment(&mut self, comment: &[u8]) {
        let text = String::from_utf8_lossy(comment);
        self.saved.comment(&text);
        let Some((condition, inner)) = text.trim_start().split_once('>') else { return };
        if !condition.starts_with("[if") {
            return;
        }
        for token in Tokens::of(inner) {
            match token {
                Token::StartTag(tag) if !matches!(tag.name.as_slice(), b"script" | b"style") => self.start(&tag),
                Token::EndTag(tag) if tag.name.as_slice() == b"a" => self.close_link(),
                _ => {}
            }
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
            b"script" => {
                self.in_script = !tag.self_closing;
                self.scripts.push(String::new());
                if let Some(data) = attribute("src").and_then(|source| DataUrl::parse(&source)) {
                    self.script(&String::from_utf8_lossy(&data.bytes));
                }
            }
            b"style" => self.in_style = !tag.self_closing,
            b"form" => self.forms.begin(attribute("id").unwrap_or_default(), attribute("action")),
            b"input" | b"textarea" | b"select" => {
                self.page.form_fields += 1;
                if tag.name.as_slice() != b"select" && password::is_asked(attribute) {
                    self.forms.asks_for_password(attribute("form"));
                }
            }
            b"meta" if attribute("http-equiv").is_some_and(|kind| kind.eq_ignore_ascii_case("refresh")) => {
                if let Some(target) = refresh_target(&attribute("content").unwrap_or_default()) {
                    self.lead(target.clone(), String::new());
                    self.refreshes.push(target);
                }
            }
            b"img" => self.picture(attribute("src"), attribute("width"), attribute("height")),
            _ => {}
        }
        self.saved.element(tag.name.as_slice(), &attribute);
        self.leads(tag.name.as_slice(), &attribute);
        self.loads(tag.name.as_slice(), &attribute);
    }

    /// Where an element leads: by a click, by a button, or by showing another page.
    fn leads(&mut self, name: &[u8], attribute: &impl Fn(&str) -> Option<String>) {
        let href = || attribute("href").or_else(|| attribute("xlink:href"));
        let file_name = || attribute("download").unwrap_or_default();
        match name {
            b"base" => self.base = self.base.take().or_else(|| attribute("href")),
            b"a" | b"area" => {
                self.close_link();
                // Where both are, renderers do not agree which counts.
                if let (Some(first), Some(second)) = (attribute("href"), attribute("xlink:href"))
                    && first != second
                {
                    self.lead(second, String::new());
                }
                if let Some(target) = href() {
                    self.open = Some((target, String::new()));
                    self.open_name = file_name();
                }
                if name == b"area" {
                    self.close_link();
                }
            }
            // SVG, MathML and the buttons that Outlook draws (VML) have links of their own.
            _ if !HREF_LOADS.contains(&name) => {
                if let Some(target) = href() {
                    self.lead(target, file_name());
                }
            }
            _ => {}
        }
        if let Some(target) = attribute("action").filter(|_| name == b"form") {
            self.lead(target, String::new());
        }
        if let Some(target) = attribute("formaction") {
            self.forms.button(target.clone());
            self.lead(target, String::new());
        }
        if let Some((_, source)) = FRAMES.iter().find(|(frame, _)| *frame == name) {
            if let Some(target) = attribute(source) {
                self.lead(target, attribute("name").unwrap_or_default());
            }
            if self.inner_pages.len() < FILES_MAX {
                self.inner_pages.extend(attribute("srcdoc"));
            }
        }
        // An animation may set the link of what it stands in (SVG 2, 17.2).
        let animates = matches!(name, b"set" | b"animate")
            && attribute("attributename")
                .is_some_and(|name| name.trim_start_matches("xlink:").eq_ignore_ascii_case("href"));
        if animates {
            let values = ["to", "from", "values"].into_iter().filter_map(attribute);
            for target in values.flat_map(|text| text.split(';').map(str::to_owned).collect::<Vec<_>>()) {
                self.lead(target, String::new());
            }
        }
    }

    /// What an element loads without a click. From the web that is everyday; from a share it hands over the hash of a
    /// password.
    fn loads(&mut self, name: &[u8], attribute: &impl Fn(&str) -> Option<String>) {
        let is_frame = FRAMES.iter().any(|(frame, _)| *frame == name);
        for source in LOADS.into_iter().filter(|source| !is_frame || *source != "src").filter_map(attribute) {
            self.load(source);
        }
        if HREF_LOADS.contains(&name)
            && let Some(source) = attribute("href").or_else(|| attribute("xlink:href"))
        {
            self.load(source);
        }
        if let Some(style) = attribute("style") {
            self.style(&style);
        }
    }

    fn load(&mut self, source: String) {
        let source = source.split_at(source.floor_char_boundary(source.len().min(PIECE_BYTES_MAX))).0;
        let is_told = matches!(scheme::destination(source), Destination::Share(share) if share.is_outside());
        if is_told {
            self.lead(source.to_owned(), String::new());
        }
    }

    /// What a style sheet loads (CSS `url()`), in a sheet or in an attribute.
    fn style(&mut self, sheet: &str) {
        for (at, _) in sheet.match_indices("url(").take(LINKS_MAX) {
            let near = &sheet[at + 4..sheet.floor_char_boundary((at + PIECE_BYTES_MAX).min(sheet.len()))];
            let inner = near.trim_start().trim_start_matches(['"', '\'']);
            let end = inner.find(['"', '\'', ')', '\n']).unwrap_or(inner.len());
            // A backslash is written twice there.
            let source = inner[..end].replace("\\\\", "\\");
            self.load(source);
        }
    }

    /// A link of the page, or a file in one.
    fn lead(&mut self, target: String, file_name: String) {
        if data_url::is_one(&target) {
            self.files_bytes += target.len();
            if self.files.len() < FILES_MAX && self.files_bytes <= FILES_BYTES_MAX {
                self.files.push((target, file_name));
            }
        } else {
            self.push_link(target, String::new());
        }
    }

    fn push_link(&mut self, target: String, shown: String) {
        if self.page.links.len() < LINKS_MAX {
            self.page.links.push(Link { shown, ..Link::new(target, LinkOrigin::Page) });
        }
    }

    fn picture(&mut self, source: Option<String>, width: Option<String>, height: Option<String>) {
        self.page.linked_pictures += usize::from(self.open.is_some());
        let Some(source) = source.filter(|source| source.starts_with("http") || source.starts_with("//")) else {
            return;
        };
        self.page.remote_pictures += 1;
        if self.page.pictures.len() < PICTURES_MAX {
            self.page.pictures.push(source.chars().take(PICTURE_CHARS_MAX).collect());
        }
        let tiny =
            |edge: Option<String>| edge.is_some_and(|edge| matches!(edge.trim_end_matches("px"), "0" | "1" | "2"));
        self.page.tracking_pixels += usize::from(tiny(width) && tiny(height));
    }

    fn close_link(&mut self) {
        let Some((target, shown)) = self.open.take() else { return };
        let file_name = std::mem::take(&mut self.open_name);
        if data_url::is_one(&target) {
            return self.lead(target, file_name);
        }
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        self.push_link(target, shown);
    }

    fn end(mut self, is_attachment: bool) -> Page {
        self.page.scripts = self.scripts.len();
        self.close_link();
        if let Some(base) = self.base.clone().filter(|base| base_url(base).is_none()) {
            // A base at a share is as good as a link there.
            self.load(base);
        }
        let base = self.base.take().and_then(|written| Some((base_url(&written)?, written)));
        if let Some((base, written)) = &base {
            complete(&mut self.page.links, base, written);
        }
        if !is_attachment {
            // Mail programs open them as links, if at all.
            for (target, _) in std::mem::take(&mut self.files) {
                self.push_link(target.chars().take(FILE_LINK_CHARS).collect(), String::new());
            }
            return self.page;
        }
        self.links_as_attached();
        self.files();
        self.scripts.push(std::mem::take(&mut self.handlers));
        let script = self.scripts.join("\n").to_lowercase();
        if let Some(how) = smuggles(&self.scripts) {
            self.add(Check::HtmlSmuggling, how);
        }
        let scripts: Vec<String> = self.scripts.iter().map(|script| script.to_lowercase()).collect();
        self.credentials(&scripts, base.as_ref().map(|(base, _)| base));
        if let Some(how) = writes_itself(&script) {
            self.add(Check::HtmlDecoded, how);
        }
        self.redirects |= ["location.href=", "location.replace(", "location=", "location.assign("]
            .iter()
            .any(|word| without_blanks(&script).contains(word));
        let is_empty = self.page.text_chars < 50;
        if (self.redirects || !self.refreshes.is_empty()) && is_empty {
            let to = self.refreshes.first().map(|to| format!(" to {}", clipped(to))).unwrap_or_default();
            self.add(Check::HtmlRedirect, format!("a page that only moves on{to}"));
        }
        self.page
    }

    fn add(&mut self, check: Check, evidence: String) {
        self.page.signals.push((check, crate::mime::clean(&evidence)));
    }

    /// In a browser a link with a script is a script of the page.
    fn links_as_attached(&mut self) {
        for link in &mut self.page.links {
            link.place = LinkOrigin::Attachment;
        }
        let is_script = |link: &Link| {
            let head = link.target.get(..link.target.floor_char_boundary(64)).unwrap_or_default();
            scheme_of(&stripped(head)).is_some_and(|(scheme, _)| scheme == "javascript")
        };
        for link in self.page.links.extract_if(.., |link| is_script(link)) {
            if self.handlers.len() < SCRIPT_BYTES_MAX {
                self.handlers.push_str(&percent_decoded(&link.target));
                self.handlers.push('\n');
            }
        }
    }

    /// The files in links: each is a part of the mail, and a program or an archive among them is smuggled.
    fn files(&mut self) {
        for (target, name) in std::mem::take(&mut self.files) {
            let Some(data) = DataUrl::parse(&target) else { continue };
            if let Some(how) = in_link(&data, &name) {
                self.add(Check::HtmlSmuggling, how);
            }
            if !data.bytes.is_empty() {
                let name = if name.is_empty() { data.default_name().to_owned() } else { name };
                self.page.members.push((name, data.bytes));
            }
        }
        let pages = std::mem::take(&mut self.inner_pages);
        self.page.members.extend(pages.into_iter().map(|page| ("frame.html".to_owned(), page.into_bytes())));
    }

    fn credentials(&mut self, scripts: &[String], base: Option<&url::Url>) {
        if !self.forms.ask() && !scripts.iter().any(|script| asks_for_password(script)) {
            return;
        }
        let whole = |target: &str| base.and_then(|base| completed(base, target)).unwrap_or_else(|| target.to_owned());
        let posts: Vec<String> = self.forms.targets().map(whole).filter(|target| leaves(target)).collect();
        if posts.is_empty() && !scripts.iter().any(|script| sends(script)) {
            return;
        }
        let home = self.saved.home(&posts).filter(|_| self.page.text.len() < TEXT_BYTES_MAX);
        self.page.password_home =
            home.filter(|home| !scripts.iter().any(|script| sends(&without_links_to(home, script))));
        let to = posts.first().map_or("a script sends them".to_owned(), |to| format!("they go to {}", clipped(to)));
        self.add(Check::HtmlCredentials, format!("a page that asks for a password; {to}"));
    }
}

/// Whether a script makes a field for a password. A library has one among all its fields: there it counts only beside
/// something that is sent to a site.
fn asks_for_password(script: &str) -> bool {
    if script.len() <= OWN_SCRIPT_MAX {
        return password::places_made_by(script).next().is_some();
    }
    password::places_made_by(script).take(SENDS_MAX).any(|at| {
        let from = script.floor_char_boundary(at.saturating_sub(SENDS_NEAR));
        let to = script.ceil_char_boundary((at + SENDS_NEAR).min(script.len()));
        sends(&script[from..to])
    })
}

/// Whether a form with this action sends what is typed away: to a site, or by mail.
fn leaves(action: &str) -> bool {
    let plain = stripped(action);
    Url::parse(&plain).is_some() || scheme_of(&plain).is_some_and(|(scheme, _)| scheme == "mailto")
}

/// The base of a page, as browsers read it.
fn base_url(written: &str) -> Option<url::Url> {
    let plain = stripped(written.get(..written.floor_char_boundary(PIECE_BYTES_MAX))?);
    let whole = if plain.starts_with("//") { format!("https:{plain}") } else { plain };
    url::Url::parse(&whole).ok().filter(|base| matches!(base.scheme(), "http" | "https") && base.has_host())
}

/// Completes the links of a page that are only a piece with the page's base.
fn complete(links: &mut Vec<Link>, base: &url::Url, written: &str) {
    let mut is_used = false;
    for link in links.iter_mut() {
        if let Some(whole) = completed(base, &link.target) {
            link.target = whole;
            link.base = written.to_owned();
            is_used = true;
        }
    }
    if is_used && links.len() < LINKS_MAX {
        // How it is written is looked at as well.
        let target = written.to_owned();
        links.push(Link { base: target.clone(), ..Link::new(target, LinkOrigin::Page) });
    }
}

/// A link completed with a base; none if it is whole by itself, or a place in its page.
fn completed(base: &url::Url, target: &str) -> Option<String> {
    let plain = stripped(target);
    let is_whole = match scheme_of(&plain) {
        // https:page is a piece where the base has the same scheme (WHATWG URL 4.4, scheme state).
        Some((scheme, rest)) => scheme != base.scheme() || rest.starts_with(['/', '\\']),
        None => plain.starts_with("//") || plain.starts_with("\\") || plain.starts_with("/\\"),
    };
    if plain.is_empty() || plain.starts_with('#') || is_whole || plain.len() > PIECE_BYTES_MAX {
        return None;
    }
    base.join(&plain).ok().map(String::from)
}

/// Where a refresh leads (WHATWG 4.2.5.3): the seconds, then the link, with or without `url=` and quotes.
fn refresh_target(content: &str) -> Option<String> {
    let rest = content.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | ','));
    let named = rest.get(..3).filter(|word| word.eq_ignore_ascii_case("url")).map(|_| rest[3..].trim_start());
    let target = named.and_then(|rest| rest.strip_prefix('=')).map_or(rest, str::trim_start);
    let quote = target.chars().next().filter(|c| matches!(c, '"' | '\''));
    let target = quote.map_or(target, |quote| target[1..].split(quote).next().unwrap_or_default());
    Some(target.trim().to_owned()).filter(|target| !target.is_empty())
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What sends something away.
const SENDS: [&str; 15] = [
    "xmlhttprequest",
    "fetch(",
    "$.ajax",
    "$.post",
    "$.get(",
    "$.getjson(",
    "jquery.ajax",
    "jquery.post",
    "sendbeacon",
    "axios",
    "websocket(",
    "emailjs.send",
    ".action=",
    "'action',",
    "\"action\",",
];
/// Beginnings of where it is sent, if that is another site: `aHR0c` is `http` in base64, here in lower case.
const SITES: [&str; 6] = ["http://", "https://", "wss://", "'//", "\"//", "ahr0c"];
/// Characters of a script in which each part belongs to the others. In a library what sends is far from an address.
const OWN_SCRIPT_MAX: usize = 20_000;
/// Characters within which the two belong together in a longer one.
const SENDS_NEAR: usize = 600;
/// Places of one script where something is sent that are looked at.
const SENDS_MAX: usize = 1000;

/// Whether a script sends something to another site, or has a form do it. It is in lower case. What a saved page sends
/// to its own site has no host.
fn sends(script: &str) -> bool {
    let is_site = |text: &str| {
        SITES.iter().any(|site| {
            text.match_indices(site).any(|(at, _)| !text[at..].trim_start_matches(site).starts_with("www.w3.org"))
        })
    };
    let script = without_blanks(script);
    if script.len() <= OWN_SCRIPT_MAX {
        return is_site(&script) && SENDS.iter().any(|word| script.contains(word));
    }
    let places = SENDS.iter().flat_map(|word| script.match_indices(word)).take(SENDS_MAX);
    places.map(|(at, _)| at).any(|at| {
        let from = script.floor_char_boundary(at.saturating_sub(SENDS_NEAR));
        let to = script.ceil_char_boundary((at + SENDS_NEAR).min(script.len()));
        is_site(&script[from..to])
    })
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
            if only_loads_a_script(written) || only_writes_an_address(written) {
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

/// Whether what is written is one link to an address of mail, and its text: pages have hidden addresses from collectors
/// so for many years. `written` follows the opening parenthesis.
fn only_writes_an_address(written: &str) -> bool {
    let Some(escaped) = written.strip_prefix("unescape(") else { return false };
    let head = &escaped[..escaped.floor_char_boundary(escaped.len().min(LOADER_MAX))];
    let Some(end) = head.find("))") else { return false };
    let text: String =
        percent_decoded(&head[..end]).chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'')).collect();
    let inside = text.strip_prefix("<ahref=mailto:").and_then(|rest| rest.strip_suffix("</a>"));
    let parts = inside.and_then(|inside| inside.split_once('>'));
    parts.is_some_and(|(address, shown)| !address.contains(['<', '=']) && !shown.contains(['<', '>']))
}

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
mod tests;
