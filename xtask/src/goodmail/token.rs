//! Takes a template apart. The languages of templates differ in their marks, and are alike in what they say: a value, a
//! condition, a repetition, a part that another file overrides, a file to put in, a text to translate.

/// What a piece of a template says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// As it is.
    Text(String),
    /// A value.
    Value(String),
    /// The beginning of a block.
    Open(Kind, String),
    /// Another branch of the block.
    Branch(String),
    /// The end of the block.
    Close,
    /// Another file, or a named block of another file.
    Include(String),
    /// The file whose blocks this one overrides.
    Extends(String),
    /// A name for a text.
    Set(String, String),
}

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One branch of it.
    If,
    /// Several times.
    Loop,
    /// May be overridden by its name.
    Block,
    /// Nothing of it.
    Skip,
    /// A text to translate.
    Translate,
    /// As it is.
    Plain,
    /// What a file is put around.
    Layout,
}

/// The marks around what is no text, for one language of templates.
fn marks(syntax: &str) -> &'static [(&'static str, &'static str)] {
    match syntax {
        "handlebars" => &[("{{!--", "--}}"), ("{{{", "}}}"), ("{{", "}}")],
        "go" => &[("{{", "}}")],
        "erb" => &[("<%", "%>")],
        "blade" => &[("{{--", "--}}"), ("{!!", "!!}"), ("{{", "}}"), ("@", "")],
        "freemarker" => &[("<#", ">"), ("</#", ">"), ("${", "}")],
        "swig" => &[("<%", "%>"), ("{{{", "}}}"), ("{{", "}}")],
        "nodebb" => &[
            ("<!-- IF", "-->"),
            ("<!-- ELSE", "-->"),
            ("<!-- ENDIF", "-->"),
            ("<!-- BEGIN", "-->"),
            ("<!-- END", "-->"),
            ("<!-- IMPORT", "-->"),
            ("[[", "]]"),
            ("{", "}"),
        ],
        "plain" => &[],
        _ => &[("{{", "}}"), ("{%", "%}"), ("{#", "#}")],
    }
}

/// The pieces of a template.
pub(super) fn tokens(text: &str, syntax: &str) -> Vec<Token> {
    let marks = marks(syntax);
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let first = marks
            .iter()
            .filter_map(|(open, close)| rest.find(open).map(|at| (at, usize::MAX - open.len(), *open, *close)))
            .min();
        let Some((at, _, open, close)) = first else { break };
        let (before, behind) = (rest.get(..at).unwrap_or_default(), rest.get(at + open.len()..).unwrap_or_default());
        if open == "@" {
            let (token, length) = directive(behind);
            out.push(Token::Text(before.to_owned()));
            out.extend(token);
            rest = behind.get(length..).unwrap_or_default();
            continue;
        }
        let Some((inner, after)) = behind.split_once(close) else { break };
        if open == "{" && !inner.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-:".contains(letter)) {
            out.push(Token::Text(format!("{before}{open}")));
            rest = behind;
            continue;
        }
        out.push(Token::Text(before.to_owned()));
        out.extend(said(open, inner, syntax));
        rest = after;
    }
    out.push(Token::Text(rest.to_owned()));
    out
}

/// What the text between two marks says.
fn said(open: &str, inner: &str, syntax: &str) -> Option<Token> {
    let bare = inner.trim_matches(|mark: char| mark.is_whitespace() || mark == '~');
    let bare = if syntax == "erb" || open == "{{" {
        bare.trim_end_matches('-').trim_end()
    } else {
        bare.trim_matches('-').trim()
    };
    match (open, syntax) {
        ("{#" | "{{!--" | "{{--", _) => None,
        ("{{" | "{{{", "handlebars") => handlebars(bare),
        ("{{", "go") => go(bare.trim_start_matches('-').trim()),
        ("{{" | "{{{" | "{!!" | "${" | "[[" | "{", _) => {
            Some(Token::Value(bare.trim_start_matches('-').trim().to_owned()))
        }
        ("<%", "erb") => ruby(inner.trim().trim_end_matches('-').trim()),
        ("<#" | "</#", _) => freemarker(open, bare),
        (mark, "nodebb") if mark.starts_with("<!--") => nodebb(mark, bare),
        _ => statement(bare),
    }
}

/// The first word, and what follows it.
fn first(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_whitespace() || letter == '(').unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end..).unwrap_or_default().trim())
}

/// A name in quotes or without.
fn name(text: &str) -> String {
    let quoted = |quote: char| text.split(quote).nth(1);
    let name =
        quoted('"').or_else(|| quoted('\'')).unwrap_or_else(|| text.split_whitespace().next().unwrap_or_default());
    name.trim_matches(['(', ')', ',']).to_owned()
}

/// Statements of Jinja, Django, Twig, Liquid and Swig.
fn statement(text: &str) -> Option<Token> {
    let (word, args) = first(text);
    let open = |kind| Some(Token::Open(kind, args.to_owned()));
    match word {
        "if" | "ifequal" | "ifnotequal" | "ifchanged" | "case" => open(Kind::If),
        "unless" => Some(Token::Open(Kind::If, format!("not {args}"))),
        "for" | "each" => open(Kind::Loop),
        "block" => Some(Token::Open(Kind::Block, name(args))),
        // Layouts that a program calls in parts.
        "macro" if args.starts_with("get_") && !args.starts_with("get_subject") => open(Kind::Plain),
        "macro" | "comment" | "capture" | "schema" | "definevar" => open(Kind::Skip),
        "blocktrans" | "blocktranslate" => open(Kind::Translate),
        "trans" | "translate" | "t" if args.starts_with(['"', '\'']) => Some(Token::Value(format!("_({args})"))),
        "trans" => open(Kind::Translate),
        "with" | "autoescape" | "spaceless" | "filter" | "verbatim" | "raw" | "language" | "thumbnail" | "apply"
        | "call" | "timezone" | "localtime" | "blockquote" | "embed" => open(Kind::Plain),
        "else" | "elif" | "elsif" | "elseif" | "empty" | "plural" | "pluralize" | "when" => {
            Some(Token::Branch(args.to_owned()))
        }
        "include" | "import" => Some(Token::Include(name(args))),
        "extends" => Some(Token::Extends(name(args))),
        "set" | "assign" => {
            let (variable, value) = args.split_once('=')?;
            let value = value.trim();
            value.contains(['"', '\'']).then(|| Token::Set(variable.trim().to_owned(), value.to_owned()))
        }
        "url"
        | "absurl"
        | "abseventurl"
        | "eventurl"
        | "user_display"
        | "site_name"
        | "now"
        | "absolute_url"
        | "site_scheme_and_netloc"
        | "site_root"
        | "base_url" => Some(Token::Value(format!("{word} {args}"))),
        word if word.starts_with("end") => Some(Token::Close),
        _ => None,
    }
}

/// Statements of Handlebars and Mustache.
fn handlebars(text: &str) -> Option<Token> {
    let (mark, rest) = text.split_at_checked(1)?;
    let (word, args) = first(rest);
    match mark {
        "!" => None,
        "#" if rest.starts_with('>') => Some(Token::Open(Kind::Layout, name(rest.trim_start_matches('>')))),
        "#" => Some(match word {
            "each" | "items" => Token::Open(Kind::Loop, args.to_owned()),
            "unless" => Token::Open(Kind::If, format!("not {args}")),
            "with" => Token::Open(Kind::Plain, args.to_owned()),
            "extend" => Token::Open(Kind::Layout, name(args)),
            "content" => Token::Open(Kind::Block, name(args)),
            _ => Token::Open(Kind::If, args.to_owned()),
        }),
        "^" => Some(Token::Open(Kind::If, format!("not {rest}"))),
        "/" => Some(Token::Close),
        ">" => rest.split_whitespace().next().map(|name| Token::Include(name.to_owned())),
        _ if text == "else" || text.starts_with("else ") => Some(Token::Branch(text.to_owned())),
        _ => Some(Token::Value(text.to_owned())),
    }
}

/// Statements of Go.
fn go(text: &str) -> Option<Token> {
    let (word, args) = first(text);
    match word {
        "if" | "with" => Some(Token::Open(Kind::If, args.to_owned())),
        "range" => Some(Token::Open(Kind::Loop, args.to_owned())),
        "define" | "block" => Some(Token::Open(Kind::Block, name(args))),
        "else" => Some(Token::Branch(args.to_owned())),
        "end" => Some(Token::Close),
        "template" | "include" => Some(Token::Include(name(args))),
        word if word.starts_with("/*") || args.starts_with(":=") => None,
        _ => Some(Token::Value(text.to_owned())),
    }
}

/// Statements of Ruby, and of JavaScript between the same marks.
fn ruby(text: &str) -> Option<Token> {
    let is_value = text.starts_with('=') || text.starts_with('-');
    let code = text.trim_start_matches(['=', '-']).trim();
    let (word, args) = first(code);
    let begins = code.ends_with(" do") || code.contains(" do |") || code.ends_with('{');
    if text.starts_with('#') {
        return None;
    }
    if is_value && !begins {
        let is_render = word == "render" && !args.contains("@");
        return Some(if is_render { Token::Include(name(args)) } else { Token::Value(code.to_owned()) });
    }
    match word {
        "if" | "case" => Some(Token::Open(Kind::If, args.to_owned())),
        "unless" => Some(Token::Open(Kind::If, format!("not {args}"))),
        "else" | "elsif" | "when" => Some(Token::Branch(args.to_owned())),
        "end" => Some(Token::Close),
        _ if code.starts_with('}') => Some(if begins { Token::Branch(String::new()) } else { Token::Close }),
        _ if begins && (code.contains("each") || word == "for") => Some(Token::Open(Kind::Loop, code.to_owned())),
        _ if begins => Some(Token::Open(Kind::Plain, code.to_owned())),
        "content_for" => None,
        _ => {
            let (variable, value) = code.split_once('=')?;
            value.contains('"').then(|| Token::Set(variable.trim().to_owned(), value.trim().to_owned()))
        }
    }
}

/// Statements of Freemarker.
fn freemarker(open: &str, text: &str) -> Option<Token> {
    let (word, args) = first(text);
    match word {
        _ if open == "</#" => Some(Token::Close),
        "if" => Some(Token::Open(Kind::If, args.to_owned())),
        "list" => Some(Token::Open(Kind::Loop, args.to_owned())),
        "macro" | "function" => Some(Token::Open(Kind::Skip, args.to_owned())),
        "else" | "elseif" => Some(Token::Branch(args.to_owned())),
        "include" => Some(Token::Include(name(args))),
        _ => None,
    }
}

/// Statements of NodeBB's templates.
fn nodebb(mark: &str, text: &str) -> Option<Token> {
    match mark {
        "<!-- IF" => Some(Token::Open(Kind::If, text.to_owned())),
        "<!-- BEGIN" => Some(Token::Open(Kind::Loop, text.to_owned())),
        "<!-- ELSE" => Some(Token::Branch(text.to_owned())),
        "<!-- IMPORT" => Some(Token::Include(name(text))),
        _ => Some(Token::Close),
    }
}

/// A directive of Blade behind its `@`, and how much of the text it is.
fn directive(text: &str) -> (Option<Token>, usize) {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    let args = balanced(text.get(end..).unwrap_or_default());
    let all =
        end + args.map_or(0, |args| args.len() + 2 + text.get(end..).map_or(0, |rest| rest.find('(').unwrap_or(0)));
    let args = args.unwrap_or_default();
    let open = |kind| Some(Token::Open(kind, args.to_owned()));
    let named = |kind| Some(Token::Open(kind, name(args)));
    let token = match word {
        "if" | "isset" | "auth" | "guest" | "can" | "switch" | "env" => open(Kind::If),
        "unless" | "empty" if !args.is_empty() => Some(Token::Open(Kind::If, format!("not {args}"))),
        "foreach" | "forelse" | "for" | "while" => open(Kind::Loop),
        "component" => named(Kind::Layout),
        "section" if !args.contains(',') => named(Kind::Block),
        "slot" | "push" if !args.contains(',') => named(Kind::Skip),
        "php" if args.is_empty() => open(Kind::Skip),
        "else" | "elseif" | "case" | "empty" => Some(Token::Branch(args.to_owned())),
        "lang" => Some(Token::Value(format!("__({args})"))),
        "include" | "includeIf" => Some(Token::Include(name(args))),
        "yield" => Some(Token::Value(name(args))),
        "extends" => Some(Token::Extends(name(args))),
        "break" | "csrf" | "default" | "section" | "push" | "slot" | "php" | "action" | "filter" | "method" => None,
        word if word.starts_with("end") || word == "stop" || word == "show" => Some(Token::Close),
        _ => return (Some(Token::Text("@".to_owned())), 0),
    };
    (token, all)
}

/// What is between the parenthesis that a text begins with and the one that closes it.
fn balanced(text: &str) -> Option<&str> {
    let begin = text.find(|letter: char| !matches!(letter, ' ' | '\t'))?;
    let inner = text.get(begin..)?.strip_prefix('(')?;
    let mut depth = 1;
    for (at, letter) in inner.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inner.get(..at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str, syntax: &str) -> Vec<Token> {
        tokens(text, syntax).into_iter().filter(|token| *token != Token::Text(String::new())).collect()
    }

    #[test]
    fn a_condition_is_one_in_every_language() {
        let of = |condition: &str| {
            vec![Token::Open(Kind::If, condition.to_owned()), Token::Text("a".to_owned()), Token::Close]
        };
        assert_eq!(blocks("{% if x %}a{% endif %}", "jinja"), of("x"));
        assert_eq!(blocks("{{#if x}}a{{/if}}", "handlebars"), of("x"));
        assert_eq!(blocks("{{ if x }}a{{- end }}", "go"), of("x"));
        assert_eq!(blocks("<% if x %>a<% end %>", "erb"), of("x"));
        assert_eq!(blocks("@if(x)a@endif", "blade"), of("x"));
        assert_eq!(blocks("<#if x>a</#if>", "freemarker"), of("x"));
        assert_eq!(blocks("<!-- IF x -->a<!-- ENDIF x -->", "nodebb"), of("x"));
    }

    #[test]
    fn style_sheets_and_addresses_are_no_directives() {
        let css = "@media print {a{b:c}} x@example.com";
        let text: String = blocks(css, "blade")
            .into_iter()
            .map(|token| if let Token::Text(text) = token { text } else { "?".to_owned() })
            .collect();
        assert_eq!(text, css);
        assert_eq!(blocks("p { color: red }", "nodebb").len(), 2);
    }
}
