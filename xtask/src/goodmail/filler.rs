//! Fills a template tolerantly: what it does not understand becomes nothing, and no mark of a template is left.

use std::collections::BTreeMap;

use super::catalog::{Catalog, squeezed};
use super::facts::Facts;
use super::seed::Seed;
use super::token::{Kind, Token, tokens};

/// Files and blocks within one another at most.
const DEPTH_MAX: usize = 14;
/// Bytes of one filled template at most.
const LENGTH_MAX: usize = 400_000;

/// The files that a vendor's templates put in.
pub(super) trait Files {
    /// The text of the file that a template calls so.
    fn named(&self, name: &str) -> Option<&str>;
    /// The text of a file that defines a block of this name.
    fn defining(&self, name: &str) -> Option<&str>;
}

/// Fills the templates of one mail.
pub(super) struct Filler<'a> {
    /// What templates put in.
    pub(super) files: &'a dyn Files,
    /// The language of the templates.
    pub(super) syntax: &'a str,
    /// Translations.
    pub(super) catalog: &'a Catalog,
    /// The facts of the mail.
    pub(super) facts: &'a Facts<'a>,
    /// Its choices.
    pub(super) seed: Seed,
    /// What was given a name.
    pub(super) variables: BTreeMap<String, String>,
}

type Blocks = BTreeMap<String, Vec<Token>>;

impl Filler<'_> {
    /// The text of a template, within a layout where one is given.
    pub(super) fn fill(&mut self, template: &str, layout: Option<&str>) -> String {
        let mut blocks = Blocks::new();
        // Settings in front of the template, as makers of static pages have them.
        let settings = template.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
        let template = settings.map_or(template, |(_, template)| template);
        let mut filled = self.file(&tokens(template, self.syntax), &mut blocks, 0);
        if let Some(layout) = layout {
            self.variables.insert("@content".to_owned(), filled);
            filled = self.file(&tokens(layout, self.syntax), &mut Blocks::new(), 0);
        }
        without_marks(&filled)
    }

    /// A file: where it extends another, that one with the blocks of this one.
    fn file(&mut self, of: &[Token], blocks: &mut Blocks, depth: usize) -> String {
        let parent = of.iter().find_map(|token| match token {
            Token::Extends(name) => self.files.named(name).map(|text| tokens(text, self.syntax)),
            _ => None,
        });
        let Some(parent) = parent.filter(|_| depth < DEPTH_MAX) else {
            return self.render(of, blocks, depth);
        };
        for (at, token) in of.iter().enumerate() {
            match token {
                Token::Open(Kind::Block, name) => {
                    let end = end_of(of, at);
                    let inner = of.get(at + 1..end).unwrap_or_default().to_vec();
                    blocks.entry(name.clone()).or_insert(inner);
                }
                Token::Set(name, value) => self.set(name, value),
                _ => {}
            }
        }
        self.file(&parent, blocks, depth + 1)
    }

    fn set(&mut self, name: &str, value: &str) {
        let text = self.value(value, "", "");
        self.variables.insert(name.to_owned(), text);
    }

    fn render(&mut self, of: &[Token], blocks: &mut Blocks, depth: usize) -> String {
        let mut out = String::new();
        let mut at = 0;
        while let Some(token) = of.get(at) {
            if out.len() > LENGTH_MAX || depth > DEPTH_MAX {
                break;
            }
            match token {
                Token::Text(text) => out.push_str(text),
                Token::Value(expression) => {
                    let next = match of.get(at + 1) {
                        Some(Token::Text(text)) => text.as_str(),
                        _ => "",
                    };
                    let value = self.value(expression, &out, next);
                    out.push_str(&value);
                }
                Token::Open(kind, args) => {
                    let end = end_of(of, at);
                    let inner = of.get(at + 1..end).unwrap_or_default();
                    let text = self.block(*kind, args, inner, blocks, depth + 1);
                    out.push_str(&text);
                    at = end;
                }
                Token::Include(name) => {
                    let text = self.include(name, blocks, depth + 1);
                    out.push_str(&text);
                }
                Token::Set(name, value) => self.set(name, value),
                Token::Branch(_) | Token::Close | Token::Extends(_) => {}
            }
            at += 1;
        }
        out
    }

    fn include(&mut self, name: &str, blocks: &mut Blocks, depth: usize) -> String {
        if let Some(text) = self.files.named(name) {
            return self.file(&tokens(text, self.syntax), &mut Blocks::new(), depth);
        }
        if let Some(inner) = blocks.get(name).cloned() {
            return self.render(&inner, blocks, depth);
        }
        if is_content(name)
            && let Some(content) = self.variables.get("@content")
        {
            return content.clone();
        }
        let Some(text) = self.files.defining(name) else { return String::new() };
        let all = tokens(text, self.syntax);
        let at = all.iter().position(|token| matches!(token, Token::Open(Kind::Block, own) if own == name));
        let Some(at) = at else { return String::new() };
        self.render(all.get(at + 1..end_of(&all, at)).unwrap_or_default(), blocks, depth)
    }

    fn block(&mut self, kind: Kind, args: &str, inner: &[Token], blocks: &mut Blocks, depth: usize) -> String {
        match kind {
            Kind::Skip => String::new(),
            Kind::Plain => self.render(inner, blocks, depth),
            Kind::If => {
                let mut condition = args.to_owned();
                for (next, branch) in branches(inner) {
                    if self.holds(&condition) || next.is_none() && condition.is_empty() {
                        return self.render(branch, blocks, depth);
                    }
                    condition = next.unwrap_or_else(|| "false".to_owned());
                }
                String::new()
            }
            Kind::Loop => {
                let body = branches(inner).into_iter().next().map(|(_, body)| body).unwrap_or_default();
                (0..self.seed.between(1, 3)).map(|_| self.render(body, blocks, depth)).collect()
            }
            Kind::Block => match blocks.get(args).cloned() {
                Some(own) => self.render(&own, blocks, depth),
                None => self.render(inner, blocks, depth),
            },
            Kind::Layout => {
                let content = self.render(inner, blocks, depth);
                let Some(layout) = self.files.named(args) else { return content };
                self.variables.insert("@content".to_owned(), content);
                self.file(&tokens(layout, self.syntax), &mut Blocks::new(), depth)
            }
            Kind::Translate => self.translated_block(args, inner, blocks, depth),
        }
    }

    /// Whether a condition holds: mostly; the same condition holds throughout a mail.
    fn holds(&mut self, condition: &str) -> bool {
        let bare = condition.trim().trim_matches(['(', ')']);
        if bare.is_empty() {
            return true;
        }
        if bare == "false" {
            return false;
        }
        let negated = bare.starts_with("not ") || bare.starts_with('!');
        let unusual = ["error", "debug", "test", "rtl", "is_empty", "spam", "fail"];
        let share = match bare {
            bare if unusual.iter().any(|word| bare.contains(word)) => 5,
            bare if bare.contains("==") || bare.contains("eq ") => 45,
            _ => 80,
        };
        let name = bare.trim_start_matches("not ").trim_start_matches('!').trim();
        let own = Seed::of(&[name, &self.facts.order]).chance(share);
        own != negated
    }

    fn translated_block(&mut self, args: &str, inner: &[Token], blocks: &mut Blocks, depth: usize) -> String {
        let body = branches(inner).into_iter().next().map(|(_, body)| body).unwrap_or_default();
        let key: String = body
            .iter()
            .map(|token| match token {
                Token::Text(text) => text.clone(),
                Token::Value(name) => format!("%({name})s"),
                _ => String::new(),
            })
            .collect();
        for pair in args.split([',', ' ']).filter_map(|pair| pair.split_once('=')) {
            if self.facts.named(pair.0, &mut self.seed).is_empty() {
                let value = self.value(pair.1, "", "");
                self.variables.insert(pair.0.trim().to_owned(), value);
            }
        }
        let squeezed = squeezed(&key);
        match self.catalog.text(&key).or_else(|| self.catalog.text(&squeezed)).map(str::to_owned) {
            Some(text) => self.placeholders(&text),
            None => self.render(body, blocks, depth),
        }
    }

    /// A value, where it stands: behind `before` and in front of `next`.
    fn value(&mut self, expression: &str, before: &str, next: &str) -> String {
        let expression = expression.trim().trim_start_matches(['&', '=']).trim();
        if let Some(value) = self.variables.get(expression.trim_start_matches("self.")) {
            return value.clone();
        }
        let place = attribute(before);
        if let Some((attribute, begun)) = &place {
            return self.in_attribute(attribute, begun, expression, next);
        }
        if is_content(expression) {
            return self.variables.get("@content").cloned().unwrap_or_default();
        }
        if before.rfind("<style").is_some_and(|open| before.rfind("</style").is_none_or(|close| close < open)) {
            return color(expression, self.seed.below(3));
        }
        let is_key =
            expression.contains(':') || ["text_", "button_", "entry_"].iter().any(|kind| expression.starts_with(kind));
        if let Some(text) = self.catalog.text(expression).filter(|_| is_key).map(str::to_owned) {
            return self.placeholders(&text);
        }
        if let Some(text) = self.translated(expression) {
            return text;
        }
        self.link_helper(expression).unwrap_or_else(|| self.facts.named(expression, &mut self.seed))
    }

    /// A value within a tag.
    fn in_attribute(&mut self, attribute: &str, begun: &str, expression: &str, next: &str) -> String {
        let whole = next.starts_with(['"', '\'', '>']) || next.is_empty();
        match attribute {
            "href" | "action" | "xlink:href" if begun.is_empty() && whole => {
                self.facts.link(&about(expression), &mut self.seed)
            }
            "href" | "action" if begun.is_empty() => format!("https://{}", self.facts.company.domain),
            "href" if begun.starts_with("mailto:") => format!("support@{}", self.facts.company.domain),
            "href" if begun.contains('?') => self.seed.token(18),
            "href" => self.seed.digits(5),
            "src" | "background" if begun.is_empty() && whole => {
                format!("https://{}/mail/{}.png", self.facts.company.domain, self.seed.hex(12))
            }
            "src" | "background" if begun.is_empty() => format!("https://{}", self.facts.company.domain),
            "src" => self.seed.hex(6),
            "lang" | "xml:lang" => self.facts.language.code.to_owned(),
            "dir" => "ltr".to_owned(),
            "width" | "height" | "cellpadding" | "cellspacing" => self.seed.pick(&["24", "120", "560"]).to_owned(),
            "bgcolor" | "color" => color("", self.seed.below(3)),
            "style" | "class" => match begun.rsplit([';', ':']).next() {
                Some(_) if begun.contains("color") || begun.contains("background") => color("", self.seed.below(3)),
                _ => String::new(),
            },
            _ => match self.translated(expression) {
                Some(text) => text,
                None => self.facts.named(expression, &mut self.seed),
            },
        }
    }

    /// The text of an expression that is one: a text in quotes, translated where the catalog has it.
    fn translated(&mut self, expression: &str) -> Option<String> {
        let calls = [
            "_",
            "t",
            "T",
            "L.Ts",
            "L.T",
            "gettext",
            "trans",
            "__",
            "I18n.t",
            "translate",
            "l",
            "raw",
            "h",
            "strong",
            "ngettext",
            "trans_choice",
            "",
            "p_gettext",
            "pgettext",
            "raw t",
            "localize",
            "tr",
            "markdown",
        ];
        if let Some(key) = expression.strip_prefix("l(:").or_else(|| expression.strip_prefix("l :")) {
            let key: String = key.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            return Some(self.keyed(&key));
        }
        let quote = expression.find(['"', '\''])?;
        let call = expression.get(..quote)?.trim_end_matches(['(', ' ']);
        let mark = expression.get(quote..)?.chars().next()?;
        if !calls.contains(&call) {
            return None;
        }
        let text = expression.get(quote + 1..)?.split(mark).next()?;
        Some(self.keyed(text))
    }

    fn keyed(&mut self, key: &str) -> String {
        if let Some(text) = self.catalog.text(key).map(str::to_owned) {
            return self.placeholders(&text);
        }
        let is_key = !key.contains(' ') && key.contains(['.', '_', ':']);
        if is_key {
            self.facts.named(key.rsplit(['.', ':']).next().unwrap_or(key), &mut self.seed)
        } else {
            self.placeholders(key)
        }
    }

    /// Helpers of Rails that write a link or a picture.
    fn link_helper(&mut self, expression: &str) -> Option<String> {
        let (word, rest) = expression.split_once(['(', ' '])?;
        match word {
            "link_to" | "link_to_if" | "button_to" => {
                let text = match self.translated(rest) {
                    Some(text) => text,
                    None => self.facts.named(rest.split(',').next().unwrap_or_default(), &mut self.seed),
                };
                let link = self.facts.link(&about(rest.split(',').nth(1).unwrap_or("url")), &mut self.seed);
                Some(format!("<a href=\"{link}\">{}</a>", if text.is_empty() { link.clone() } else { text }))
            }
            "mail_to" => Some(format!("support@{}", self.facts.company.domain)),
            "image_tag" => Some(format!(
                "<img src=\"https://{}/mail/{}.png\" alt=\"\">",
                self.facts.company.domain,
                self.seed.hex(10)
            )),
            "number_to_currency" | "formatMoney" | "core()->formatPrice" => {
                Some(self.facts.language.money(self.seed.between(900, 29_900)))
            }
            _ => None,
        }
    }

    /// A translated text with its own placeholders filled.
    fn placeholders(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        let marks = [("%(", ")"), ("%{", "}"), ("#{", "}"), ("{{", "}}"), ("{", "}"), ("%", ""), (":", "")];
        loop {
            let first = marks
                .iter()
                .filter_map(|(open, close)| rest.find(open).map(|at| (at, *open, *close)))
                .min_by_key(|found| found.0);
            let Some((at, open, close)) = first else { break };
            out.push_str(rest.get(..at).unwrap_or_default());
            let behind = rest.get(at + open.len()..).unwrap_or_default();
            let (name, after) = if close.is_empty() {
                let end = behind
                    .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                    .unwrap_or(behind.len());
                behind.split_at_checked(end).unwrap_or((behind, ""))
            } else {
                behind.split_once(close).unwrap_or((behind, ""))
            };
            let is_name = match open {
                ":" => {
                    !name.is_empty()
                        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
                        && !out.ends_with(|letter: char| letter.is_alphanumeric())
                        && !after.starts_with("//")
                }
                "%" => matches!(name, "s" | "d" | "i" | "1" | "2"),
                "{" => name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._- ".contains(letter)),
                _ => true,
            };
            if is_name {
                let inside = name.trim_start_matches('.').trim();
                let value = match self.variables.get(inside) {
                    Some(value) => value.clone(),
                    None if open == "%" => self.facts.named("number", &mut self.seed),
                    None => self.facts.named(inside, &mut self.seed),
                };
                out.push_str(&value);
                rest = if open == "%(" { after.strip_prefix(['s', 'd']).unwrap_or(after) } else { after };
            } else {
                out.push_str(open);
                rest = behind;
            }
        }
        out.push_str(rest);
        out.replace("%%", "%")
    }
}

/// The names under which a layout shows what it is put around.
fn is_content(expression: &str) -> bool {
    let name =
        expression.trim_start_matches('$').trim_start_matches('.').split(['|', ' ', ',']).next().unwrap_or_default();
    matches!(name, "yield" | "content" | "slot" | "body" | "Body" | "Content" | "@partial-block" | "html_content")
}

/// The last name of an expression, for the path of a link.
fn about(expression: &str) -> String {
    let head = expression.split(['(', '|', '?']).next().unwrap_or_default();
    let quoted = expression.split(['"', '\'']).nth(1).unwrap_or_default();
    let name = if quoted.is_empty() { head } else { quoted };
    let last = name.rsplit(['.', '>', ':', '@', '$', ' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
    last.to_lowercase().replace('_', "-")
}

fn color(name: &str, at: usize) -> String {
    if name.contains("font") {
        return "Arial, sans-serif".to_owned();
    }
    ["#2f6fde", "#333333", "#1f8a5b"].get(at).copied().unwrap_or("#333333").to_owned()
}

/// Where the block ends that begins at `at`.
fn end_of(of: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in of.iter().enumerate().skip(at) {
        match token {
            Token::Open(..) => depth += 1,
            Token::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    of.len()
}

/// The branches of a block, each with the condition of the next.
fn branches(inner: &[Token]) -> Vec<(Option<String>, &[Token])> {
    let (mut out, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, token) in inner.iter().enumerate() {
        match token {
            Token::Open(..) => depth += 1,
            Token::Close => depth -= 1,
            Token::Branch(condition) if depth == 0 => {
                out.push((Some(condition.clone()), inner.get(begin..at).unwrap_or_default()));
                begin = at + 1;
            }
            _ => {}
        }
    }
    out.push((None, inner.get(begin..).unwrap_or_default()));
    out
}

/// The attribute whose value is being written at the end of a text, and what there is of the value.
fn attribute(before: &str) -> Option<(String, String)> {
    let from = before.len().saturating_sub(1200);
    let from = (from..before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(before.len());
    let tail = before.get(from..)?;
    let tag = tail.get(tail.rfind('<')?..)?;
    if tag.contains('>') || tag.starts_with("<!") {
        return None;
    }
    let (mut open, mut begin, mut name) = (None, 0, "");
    for (at, letter) in tag.char_indices().filter(|(_, letter)| matches!(letter, '"' | '\'')) {
        match open {
            None => {
                let head = tag.get(..at).unwrap_or_default().trim_end_matches(['=', ' ']);
                name = head.rsplit([' ', '\n', '\t']).next().unwrap_or_default();
                (open, begin) = (Some(letter), at + 1);
            }
            Some(quote) if quote == letter => open = None,
            Some(_) => {}
        }
    }
    let begun = tag.get(begin..).unwrap_or_default();
    match open {
        Some(_) => Some((name.to_lowercase(), begun.to_owned())),
        None => Some(("style".to_owned(), String::new())),
    }
}

/// Without the marks of any language of templates.
pub(super) fn without_marks(text: &str) -> String {
    let mut text = text.to_owned();
    for (open, close) in [("{{{", "}}}"), ("{{", "}}"), ("{%", "%}"), ("<%", "%>"), ("{!!", "!!}"), ("<?", "?>")] {
        while let Some(at) = text.find(open) {
            let end =
                text.get(at..).and_then(|rest| rest.find(close)).map_or(at + open.len(), |end| at + end + close.len());
            text.replace_range(at..end, "");
        }
    }
    one_address(&text.replace("}}", "}").replace("%}", "}").replace("%>", ">"))
}

/// Where a template puts protocol, host and path together and the path was filled with a whole address, that alone.
fn one_address(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("https://") {
        out.push_str(rest.get(..at).unwrap_or_default());
        let begin =
            out.rfind(|letter: char| letter.is_whitespace() || "\"'<>()=".contains(letter)).map_or(0, |at| at + 1);
        if out.get(begin..).is_some_and(|before| before.contains("://")) {
            out.truncate(begin);
        }
        out.push_str("https://");
        rest = rest.get(at + "https://".len()..).unwrap_or_default();
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::super::facts::Company;
    use super::super::language::Language;
    use super::*;

    struct Two;

    impl Files for Two {
        fn named(&self, name: &str) -> Option<&str> {
            match name {
                "base" => Some("<b>{% block main %}old{% endblock %}</b>"),
                "layout" => Some("<div>{{{body}}}</div>"),
                _ => None,
            }
        }

        fn defining(&self, name: &str) -> Option<&str> {
            (name == "foot").then_some("{{ define \"foot\" }}bye{{ end }}")
        }
    }

    fn filled(template: &str, syntax: &str, catalog: &Catalog) -> String {
        let languages = Language::all();
        let language = languages.get(1).expect("German is the second");
        let company = Company { name: "Nordlicht".to_owned(), domain: "nordlicht.de".to_owned() };
        let facts = Facts::of(language, company, &mut Seed::of(&["test"]));
        let seed = Seed::of(&["filler"]);
        let mut filler = Filler { files: &Two, syntax, catalog, facts: &facts, seed, variables: BTreeMap::new() };
        filler.fill(template, None)
    }

    #[test]
    fn blocks_files_and_translations_are_put_in() {
        let mut catalog = Catalog::default();
        catalog.add("de.po", "msgid \"Hi %(site_name)s\"\nmsgstr \"Hallo %(site_name)s\"\n");
        let of = |template: &str, syntax: &str| filled(template, syntax, &catalog);
        assert_eq!(of("{% extends 'base' %}{% block main %}new{% endblock %}", "jinja"), "<b>new</b>");
        assert_eq!(of("{% blocktrans %}Hi {{site_name}}{% endblocktrans %}", "jinja"), "Hallo Nordlicht");
        assert_eq!(of("{{#>layout}}in{{/layout}}", "handlebars"), "<div>in</div>");
        assert_eq!(of("a {{ template \"foot\" . }}", "go"), "a bye");
        assert_eq!(of("<a href=\"{{ site }}/x\">", "jinja"), "<a href=\"https://nordlicht.de/x\">");
        assert_eq!(of("<%= t('Hello there') %>", "erb"), "Hello there");
    }

    #[test]
    fn an_address_that_was_put_together_twice_is_one() {
        assert_eq!(one_address("see https://a.dehttps://a.de/x now"), "see https://a.de/x now");
        assert_eq!(one_address("https://a.de, https://b.de"), "https://a.de, https://b.de");
    }

    #[test]
    fn no_mark_of_a_template_is_left() {
        let odd = "{{ a }}{% b %}<% c %>{{#if d}}{{/if}}{!! e !!}<?php f ?> {{ unclosed {% this <% too";
        for syntax in ["jinja", "handlebars", "go", "erb", "blade", "swig", "freemarker", "nodebb", "plain"] {
            let text = filled(odd, syntax, &Catalog::default());
            for mark in ["{{", "{%", "<%", "{!!", "<?"] {
                assert!(!text.contains(mark), "{syntax}: {text}");
            }
        }
    }
}
