//! Scripts of a PDF that run by themselves: when it is opened, when a page of it is shown, by what is put into a field.
//! What waits for a click does not.

use std::collections::BTreeSet;

use super::objects::Objects;
use super::syntax;

/// Values of one file that are followed.
const STEPS_MAX: usize = 2000;
/// Scripts that are kept.
const SCRIPTS_MAX: usize = 100;
/// Marks of one file that are followed.
const MARKS_MAX: usize = 500;
/// Events of `AA` that a mouse makes (12.6.3, table 194): pressed, released, over it, away from it.
const OF_THE_MOUSE: [&str; 4] = ["D", "U", "E", "X"];
/// What a script has that reaches out of its document, or makes up another one. What a form does to its own fields is
/// not among them.
const REACHES_OUT: [&str; 14] = [
    "app.launchurl(",
    "submitform(",
    "geturl(",
    "gotourl(",
    "exportdataobject(",
    "opendoc(",
    "mailmsg(",
    "mailform(",
    "soap.connect(",
    "soap.request(",
    "net.http.request(",
    "eval(",
    "unescape(",
    "fromcharcode(",
];

/// A script that runs by itself: its text, or the number of the stream that it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Script {
    /// A text.
    Text(String),
    /// A stream.
    Stream(u32),
    /// No script: an action that opens a site or sends the form (12.6.4).
    Action(String),
}

/// Actions that reach out without a script.
const ACTIONS: [&[u8]; 3] = [b"/URI", b"/SubmitForm", b"/ImportData"];

/// The scripts of a file that run by themselves.
pub(super) fn scripts(objects: &Objects<'_>) -> Vec<Script> {
    let mut walk = Walk { objects, seen: BTreeSet::new(), steps: 0, found: BTreeSet::new() };
    let mut marks = 0;
    for text in objects.texts() {
        for at in memchr::memchr_iter(b'/', text) {
            if !matches!(text.get(at + 1), Some(b'O' | b'A' | b'J' | b'#')) {
                continue;
            }
            let (name, length) = syntax::name(&text[at + 1..]);
            let is_mark = matches!(name.as_str(), "OpenAction" | "AA" | "JavaScript");
            if !is_mark || marks >= MARKS_MAX {
                continue;
            }
            let value = syntax::value(&text[at + 1 + length..]);
            // As the kind of an action it is followed by the next name.
            if name == "JavaScript" && !(value.starts_with(b"<<") || syntax::reference(value).is_some()) {
                continue;
            }
            marks += 1;
            walk.follow(value, name == "AA");
        }
    }
    walk.found.into_iter().take(SCRIPTS_MAX).collect()
}

/// A walk from marks to scripts.
struct Walk<'o, 'p> {
    objects: &'o Objects<'p>,
    seen: BTreeSet<u32>,
    steps: usize,
    found: BTreeSet<Script>,
}

impl Walk<'_, '_> {
    /// Follows a value to the scripts that it leads to. `is_events`: it is a dictionary of events.
    fn follow(&mut self, value: &[u8], is_events: bool) {
        let mut waiting: Vec<(Vec<u8>, bool)> = vec![(value.to_vec(), is_events)];
        while let Some((value, is_events)) = waiting.pop() {
            self.steps += 1;
            if self.steps > STEPS_MAX || self.found.len() >= SCRIPTS_MAX {
                return;
            }
            if let Some((number, _)) = syntax::reference(&value) {
                if self.seen.insert(number)
                    && let Some(inner) = self.objects.get(number)
                {
                    waiting.push((inner.to_vec(), is_events));
                }
            } else if value.starts_with(b"[") {
                waiting.extend(
                    syntax::items(&value).into_iter().filter(|item| leads_on(item)).map(|item| (item.to_vec(), false)),
                );
            } else {
                self.dictionary(&value, is_events, &mut waiting);
            }
        }
    }

    fn dictionary(&mut self, dictionary: &[u8], is_events: bool, waiting: &mut Vec<(Vec<u8>, bool)>) {
        for (name, held) in syntax::entries(dictionary) {
            match name.as_str() {
                "JS" => self.found.extend(match syntax::reference(held) {
                    Some((number, _)) => Some(script_at(number, self.objects)),
                    None => syntax::string(held).map(Script::Text),
                }),
                "S" if ACTIONS.contains(&held) => {
                    self.found.insert(Script::Action(String::from_utf8_lossy(&held[1..]).into_owned()));
                }
                // Where it leads to is no action.
                "Parent" | "P" | "Dest" | "SD" | "D" if !is_events => {}
                name if is_events && OF_THE_MOUSE.contains(&name) => {}
                _ if leads_on(held) => waiting.push((held.to_vec(), false)),
                _ => {}
            }
        }
    }
}

fn leads_on(value: &[u8]) -> bool {
    value.starts_with(b"<<") || value.starts_with(b"[") || syntax::reference(value).is_some()
}

fn script_at(number: u32, objects: &Objects<'_>) -> Script {
    match objects.get(number).and_then(syntax::string) {
        Some(text) => Script::Text(text),
        None => Script::Stream(number),
    }
}

/// What in a form of XML (XFA 3.3) reaches out by itself: its scripts are in elements of events.
pub(super) fn reaches_in_form(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let starts = ["initialize", "docready", "ready", "formready"];
    let is_event = starts.iter().any(|event| lower.contains(&format!("activity=\"{event}\"")));
    if is_event && lower.contains("<script") { reaches(text) } else { None }
}

/// What in a script reaches out of its document.
pub(super) fn reaches(script: &str) -> Option<&'static str> {
    let plain: String = script.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    REACHES_OUT.into_iter().find(|word| {
        plain.match_indices(word).any(|(at, _)| {
            // evaluate( and myunescape( are others' names.
            plain[..at].chars().next_back().is_none_or(|c| !(c.is_alphanumeric() || c == '_'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str) -> Vec<Script> {
        let mut objects = Objects::default();
        objects.read_file(file.as_bytes());
        scripts(&objects)
    }

    #[test]
    fn scripts_that_run_by_themselves() {
        let text = |script: &str| vec![Script::Text(script.to_owned())];
        assert_eq!(of("1 0 obj<</OpenAction<</S/JavaScript/JS(a\\(\\))>>>>endobj"), text("a()"));
        assert_eq!(of("1 0 obj<</OpenAction 2 0 R>>endobj 2 0 obj<</S/JavaScript/JS(a)>>endobj"), text("a"));
        assert_eq!(
            of("1 0 obj<</Names<</JavaScript<</Names[(x) 2 0 R]>>>>>>endobj 2 0 obj<</JS 3 0 R/S/JavaScript>>endobj \
            3 0 obj(b)endobj"),
            text("b")
        );
        assert_eq!(of("1 0 obj<</Type/Page/AA<</O<</S/JavaScript/JS(c)>>>>>>endobj"), text("c"));
        assert_eq!(
            of("1 0 obj<</#4fpenAction<</Next<</JS 9 0 R>>>>>>endobj 9 0 obj<</Length 3>>stream"),
            [Script::Stream(9)]
        );
        let action = [Script::Action("URI".into())];
        assert_eq!(of("1 0 obj<</OpenAction<</S/URI/URI(https://x.example)>>>>endobj"), action);
        assert!(of("1 0 obj<</OpenAction[3 0 R/Fit]/A<</S/URI/URI(https://x.example)>>>>endobj").is_empty());
        assert!(of("1 0 obj<</A<</S/JavaScript/JS(submitForm\\(\\))>>>>endobj").is_empty(), "a click");
        assert!(of("1 0 obj<</AA<</U<</S/JavaScript/JS(x)>>>>>>endobj").is_empty(), "a click of a button");
        assert!(of("1 0 obj<</OpenAction 1 0 R/AA 1 0 R>>endobj").is_empty(), "a circle");
    }

    #[test]
    fn forms_in_xml() {
        let form = |event: &str, script: &str| {
            format!(
                "<event activity=\"{event}\"><script contentType=\"application/x-javascript\">{script}</script></event>"
            )
        };
        assert!(reaches_in_form(&form("initialize", "app.launchURL(\"https://x.example\")")).is_some());
        assert!(reaches_in_form(&form("click", "app.launchURL(\"https://x.example\")")).is_none());
        assert!(reaches_in_form(&form("initialize", "this.rawValue = 1")).is_none());
    }

    #[test]
    fn what_reaches_out() {
        for script in
            ["app.launchURL('https://x')", "this.submitForm (\"http://x\")", "eval(x)", "var f=unescape('%u9090')"]
        {
            assert!(reaches(script).is_some(), "{script}");
        }
        for script in [
            "AFNumber_Format(2, 0, 0, 0, \"\", true);",
            "AFSimple_Calculate(\"SUM\", new Array(\"a\",\"b\"));",
            "AFDate_FormatEx(\"dd.mm.yyyy\");",
            "this.print(true);",
            "this.pageNum++; app.setTimeOut('this.pageNum++', 1000);",
            "util.printf(\"%d\", 3); evaluate(x); app.alert('hello');",
        ] {
            assert_eq!(reaches(script), None, "{script}");
        }
    }
}
