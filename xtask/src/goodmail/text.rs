//! Texts of our own: what the files in `texts/` say, one of each of their alternatives, and how it becomes a page.

use super::facts::Facts;
use super::seed::Seed;

/// One text.
pub(super) struct Text {
    /// The words of its first line.
    pub(super) head: Vec<&'static str>,
    /// Its lines, each with what it is: `s` a subject, `h` a heading, `p` a paragraph, `b` a button, `r` a row, `c` a
    /// code, `q` a quotation, `a` a file.
    lines: Vec<(char, &'static str)>,
}

/// The texts of a file; the words of a first line are divided by `divider`.
pub(super) fn all(file: &'static str, divider: char) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty()) {
        if let Some(head) = line.strip_prefix("= ") {
            texts.push(Text { head: head.split(divider).map(str::trim).collect(), lines: Vec::new() });
        } else if let (Some(text), Some((kind, value))) = (texts.last_mut(), line.split_once(": ")) {
            text.lines.push((kind.chars().next().unwrap_or('p'), value));
        }
    }
    texts
}

/// A text with the facts of a mail in it.
pub(super) struct Filled {
    /// Its subject.
    pub(super) subject: String,
    /// The name of its file.
    pub(super) file: Option<String>,
    /// Its other lines.
    pub(super) lines: Vec<(char, String)>,
}

impl Text {
    /// With facts, and one of each of its alternatives.
    pub(super) fn filled(&self, facts: &Facts, seed: &mut Seed) -> Filled {
        let mut filled = Filled { subject: String::new(), file: None, lines: Vec::new() };
        for (kind, line) in &self.lines {
            let line = match kind {
                's' => seed.pick(&line.split(" | ").collect::<Vec<_>>()).to_owned(),
                _ => (*line).to_owned(),
            };
            let text = facts.fill(&one_of_each(&line, seed), seed);
            match kind {
                's' => filled.subject = text,
                'a' => filled.file = Some(text),
                kind => filled.lines.push((*kind, text)),
            }
        }
        filled
    }
}

/// With one of the alternatives of each `[a|b]`; brackets without a bar stay.
fn one_of_each(line: &str, seed: &mut Seed) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once('[') {
        out.push_str(before);
        let Some((inner, after)) = behind.split_once(']') else {
            out.push('[');
            rest = behind;
            continue;
        };
        if inner.contains('|') {
            out.push_str(seed.pick(&inner.split('|').collect::<Vec<_>>()));
        } else {
            out.push_str(&format!("[{inner}]"));
        }
        rest = after;
    }
    out + rest
}

/// How a company's pages look: the same in all of its mails.
pub(super) struct Look {
    color: &'static str,
    font: &'static str,
    button: usize,
    header: usize,
    boxed: usize,
}

impl Look {
    /// The look of this name.
    pub(super) fn of(name: &str) -> Self {
        let mut seed = Seed::of(&["look", name]);
        Self {
            color: seed.pick(&["#0b5fff", "#e4002b", "#00805a", "#ff6a00", "#1a1a1a", "#5a31f4", "#00a3ad", "#c2185b"]),
            font: seed.pick(&[
                "Helvetica Neue,Helvetica,Arial,sans-serif",
                "Arial,sans-serif",
                "Georgia,serif",
                "Segoe UI,Tahoma,sans-serif",
                "-apple-system,BlinkMacSystemFont,Roboto,sans-serif",
            ]),
            button: seed.below(4),
            header: seed.below(4),
            boxed: seed.below(4),
        }
    }

    /// The lines as a part of a page.
    pub(super) fn content(&self, lines: &[(char, String)], facts: &Facts, seed: &mut Seed) -> String {
        let mut out = String::new();
        let mut rows = String::new();
        for (kind, line) in lines {
            if *kind == 'r' {
                let (label, value) = line.split_once(" | ").unwrap_or((line, ""));
                rows.push_str(&format!(
                    "<tr><td style=\"padding:6px 12px 6px 0;color:#6b7280;font-size:14px\">{label}</td>\
                     <td style=\"padding:6px 0;font-size:14px;text-align:right\"><b>{value}</b></td></tr>\n"
                ));
                continue;
            }
            if !rows.is_empty() {
                out.push_str(&format!(
                    "<table role=\"presentation\" width=\"100%\" style=\"border-top:1px solid \
                    #e5e7eb\">{rows}</table>\n"
                ));
                rows.clear();
            }
            out.push_str(&self.line(*kind, line, facts, seed));
        }
        if !rows.is_empty() {
            out.push_str(&format!("<table role=\"presentation\" width=\"100%\">{rows}</table>\n"));
        }
        out
    }

    fn line(&self, kind: char, line: &str, facts: &Facts, seed: &mut Seed) -> String {
        let color = self.color;
        match kind {
            'h' => format!(
                "<h1 style=\"font-size:22px;line-height:30px;margin:0 0 \
                16px;color:#111827\">{line}</h1>\n"
            ),
            'c' => format!(
                "<div style=\"font-size:32px;letter-spacing:6px;font-weight:bold;padding:16px \
                    0;text-align:center\">{line}</div>\n"
            ),
            'q' => format!(
                "<blockquote style=\"border-left:3px solid {color};margin:0 0 \
                    16px;padding-left:12px;color:#374151\">{line}</blockquote>\n"
            ),
            'b' => {
                let link =
                    facts.link(seed.pick(&["account", "verify", "orders", "track", "billing", "view", "open"]), seed);
                match self.button {
                    0 => format!(
                        "<table role=\"presentation\" cellspacing=\"0\" cellpadding=\"0\"><tr><td \
                            bgcolor=\"{color}\" style=\"border-radius:4px\">\
                         <a href=\"{link}\" target=\"_blank\" style=\"display:inline-block;padding:12px \
                         24px;color:#ffffff;\
                         text-decoration:none;font-weight:bold\">{line}</a></td></tr></table><br>\n"
                    ),
                    1 => format!(
                        "<!--[if mso]><v:roundrect xmlns:v=\"urn:schemas-microsoft-com:vml\" href=\"{link}\" \
                            style=\"height:44px;\
                         v-text-anchor:middle;width:220px\" arcsize=\"10%\" \
                         fillcolor=\"{color}\"><center>{line}</center></v:roundrect>\
                         <![endif]--><!--[if !mso]><!--><a href=\"{link}\" \
                         style=\"background:{color};border-radius:6px;color:#fff;\
                         display:inline-block;line-height:44px;text-align:center;text-decoration:none;\
                         width:220px\">{line}</a><!--<![endif]-->\n"
                    ),
                    2 => format!(
                        "<p style=\"margin:24px 0\"><a href=\"{link}\" \
                            style=\"color:{color};font-weight:bold\">{line} &rarr;</a></p>\n"
                    ),
                    _ => format!(
                        "<p style=\"text-align:center;margin:28px 0\"><a class=\"button\" href=\"{link}\" \
                        style=\"background-color:{color};padding:14px \
                        28px;color:#ffffff;border-radius:24px;text-decoration:none\">{line}</a></p>\n"
                    ),
                }
            }
            _ => format!("<p style=\"margin:0 0 16px;font-size:16px;line-height:24px\">{}</p>\n", linked(line)),
        }
    }

    /// A whole page around a content.
    pub(super) fn page(&self, content: &str, facts: &Facts, seed: &mut Seed) -> String {
        let (name, domain) = (&facts.company.name, &facts.company.domain);
        let logo = match self.header {
            0 => format!(
                "<a href=\"https://{domain}\"><img src=\"https://{domain}/email/logo.png\" width=\"140\" \
                    alt=\"{name}\" border=\"0\"></a>"
            ),
            1 => format!(
                "<div style=\"background:{};color:#fff;padding:18px 24px;font-size:20px\">{name}</div>",
                self.color
            ),
            2 => format!("<div style=\"font-size:24px;font-weight:bold;color:{}\">{name}</div>", self.color),
            _ => String::new(),
        };
        let why = facts.fill(seed.pick(facts.language.list("why")), seed);
        let foot =
            format!("<p style=\"font-size:12px;color:#9ca3af;line-height:18px\">{why}<br>&copy; 2026 {name}</p>");
        let css = format!(
            "body{{margin:0;padding:0;background:#f4f5f7;font-family:{}}} @media only screen and \
                (max-width:600px){{.w{{width:100%!important}}}}",
            self.font
        );
        let inner = match self.boxed {
            0 => format!(
                "<table role=\"presentation\" width=\"100%\" bgcolor=\"#f4f5f7\"><tr><td align=\"center\" \
                    style=\"padding:24px\">\
                <table class=\"w\" role=\"presentation\" width=\"600\" bgcolor=\"#ffffff\"><tr><td \
                style=\"padding:32px;font-family:{}\">{logo}\n{content}</td></tr>\
                <tr><td style=\"padding:0 32px 24px\">{foot}</td></tr></table></td></tr></table>",
                self.font
            ),
            1 => format!(
                "<div style=\"max-width:560px;margin:0 \
                    auto;padding:20px;background:#fff;font-family:{}\">{logo}{content}{foot}</div>",
                self.font
            ),
            2 => format!(
                "<center><table class=\"w\" width=\"640\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr><td \
                    align=\"center\">{logo}</td></tr>\
                <tr><td style=\"padding:24px;border:1px solid \
                #e5e7eb;border-radius:8px\">{content}</td></tr><tr><td>{foot}</td></tr></table></center>"
            ),
            _ => format!(
                "<div style=\"font-family:{};font-size:15px;color:#222\">{logo}{content}<hr \
                    style=\"border:none;border-top:1px solid #ddd\">{foot}</div>",
                self.font
            ),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
                content=\"width=device-width\">\n\
            <style>{css}</style>\n</head>\n<body>\n{inner}\n</body>\n</html>\n",
            facts.language.code
        )
    }
}

/// With addresses of the web as links.
fn linked(line: &str) -> String {
    let words: Vec<String> = line
        .split(' ')
        .map(
            |word| {
                if word.starts_with("https://") { format!("<a href=\"{word}\">{word}</a>") } else { word.to_owned() }
            },
        )
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alternative_of_each_is_taken_and_other_brackets_stay() {
        let mut seed = Seed::of(&["x"]);
        let line = one_of_each("[a/b] [one|two] end", &mut seed);
        assert!(line == "[a/b] one end" || line == "[a/b] two end", "{line}");
    }

    #[test]
    fn texts_are_read_with_their_heads() {
        let texts = all("= reset de\ns: A | B\np: Hallo\n= code en\np: Hi\n", ' ');
        assert_eq!(texts.iter().map(|text| text.head.clone()).collect::<Vec<_>>(), [["reset", "de"], ["code", "en"]]);
    }
}
