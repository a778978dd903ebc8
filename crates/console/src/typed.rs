//! What somebody typed stays: a form that could not be taken comes back with everything in it but secrets, on the page
//! where it stood.
//!
//! The page is drawn as always, and the fields are put into its text. That text is written by this program, so it has
//! one shape: attributes in double quotes, and no `>` within a tag.

use std::ops::Range;

use maud::html;
use platform::percent::encoded;
use texts::say;
use web::form::Form;

use crate::page::explorer;

/// The page on which a form stands, by where it is sent and what it says; none where an error has a page of its own.
pub fn place_of(path: &str, typed: &Form) -> Option<String> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let place = match parts[..] {
        ["messages", id, "act" | "raw"] => format!("/messages/{id}"),
        ["explorer", "act" | "keep"] => {
            let mut place = explorer(typed.one("q"));
            for name in ["after", "interval"] {
                if !typed.one(name).is_empty() {
                    place.push_str(&format!("&{name}={}", encoded(typed.one(name))));
                }
            }
            place
        }
        ["requests", "act" | "close"] => "/requests".to_owned(),
        ["bulk"] => format!("/bulk/new?verb={}&q={}", encoded(typed.one("verb")), encoded(typed.one("q"))),
        ["bulk", number, "cancel" | "approve"] => format!("/bulk/{number}"),
        ["incidents", "open"] if typed.one("mail").is_empty() => {
            format!("/detections/{}", encoded(typed.one("detection")))
        }
        ["incidents", "open"] => format!("/messages/{}", encoded(typed.one("mail"))),
        ["incidents", id, "act"] => format!("/incidents/{id}"),
        ["sentinel", "act"] if typed.one("do") == "contain" => {
            format!("/detections/{}", encoded(typed.one("detection")))
        }
        ["detections", code, "act"] => format!("/detections/{code}"),
        ["alerts", "act"] => "/".to_owned(),
        ["holds", "act"] if typed.one("back").starts_with("/messages/") => typed.one("back").to_owned(),
        [page @ ("sentinel" | "entries" | "people" | "holds" | "me"), "act"] => format!("/{page}"),
        ["settings", "test"] => "/settings".to_owned(),
        ["rulesets", "rollback"] => "/rulesets".to_owned(),
        _ => return None,
    };
    Some(place)
}

/// A page with what was typed in its form, and above everything what was wrong; none when that form is not on it.
pub fn again(page: &str, path: &str, typed: &Form, wrong: &str) -> Option<String> {
    let form = forms(page).find(|form| is_it(&page[form.clone()], path, typed))?;
    let before = opened(&page[..form.start]);
    let form_below = html! { a href="#again" { (say!(typed_form)) } };
    let said = html! { p.wrong role="alert" { (wrong) " " (say!(typed_kept, form = form_below)) } };
    let main = "<main id=\"main\">";
    let at = before.find(main)? + main.len();
    let filled = filled(&page[form.clone()], typed);
    Some(format!("{}{}{}{filled}{}", &before[..at], said.into_string(), &before[at..], &page[form.end..]))
}

/// Where forms stand.
fn forms(page: &str) -> impl Iterator<Item = Range<usize>> {
    page.match_indices("<form").filter_map(|(start, _)| {
        let end = page[start..].find("</form>")?;
        Some(start..start + end)
    })
}

/// Whether it is the form that was sent: its place, what it says of itself, and nothing that it does not have.
fn is_it(form: &str, path: &str, typed: &Form) -> bool {
    let tags: Vec<Tag> = tags(form).map(|at| Tag::read(&form[at])).collect();
    let is_sent_there = tags.first().is_some_and(|tag| tag.value("action").as_deref() == Some(path));
    let names: Vec<String> = tags.iter().filter_map(|tag| tag.value("name")).collect();
    let says = |tag: &&Tag| tag.value("type").as_deref() == Some("hidden");
    let has_said = |tag: &Tag| {
        let (name, value) = (tag.value("name").unwrap_or_default(), tag.value("value").unwrap_or_default());
        typed.all(&name).any(|sent| sent == value)
    };
    is_sent_there
        && tags.iter().filter(says).all(has_said)
        && typed.fields().iter().all(|(name, _)| names.contains(name))
}

/// Everything before the form; what is folded around it is open.
fn opened(before: &str) -> String {
    let fold = "<details";
    match before
        .rfind(fold)
        .filter(|at| !before[*at..].contains("</details>") && !before[*at..].starts_with("<details open"))
    {
        Some(at) => format!("{} open{}", &before[..at + fold.len()], &before[at + fold.len()..]),
        None => before.to_owned(),
    }
}

/// A form with what was typed.
fn filled(form: &str, typed: &Form) -> String {
    let mut out = String::new();
    let mut select = None;
    let mut from = 0;
    for at in tags(form) {
        let mut tag = Tag::read(&form[at.clone()]);
        let name = tag.value("name");
        match (tag.name, tag.value("type").as_deref(), &name) {
            ("form", ..) if tag.value("id").is_none() => tag.set("id", Some("again")),
            ("input", Some("checkbox"), Some(name)) => {
                let value = tag.value("value").unwrap_or_default();
                tag.mark("checked", typed.all(name).any(|sent| sent == value));
            }
            ("input", Some("text" | "search" | "email" | "number"), Some(name))
                if tag.value("autocomplete").as_deref() != Some("one-time-code") =>
            {
                if let Some(sent) = typed.all(name).next() {
                    tag.set("value", Some(sent));
                }
            }
            ("select", _, Some(name)) => select = typed.all(name).next(),
            ("option", ..) => {
                if let Some(sent) = select {
                    let is_sent = tag.value("value").as_deref() == Some(sent);
                    tag.mark("selected", is_sent);
                }
            }
            _ => {}
        }
        out.push_str(&form[from..at.start]);
        out.push_str(&tag.written());
        from = at.end;
    }
    out.push_str(&form[from..]);
    out
}

/// Where tags begin and end.
fn tags(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('<').filter_map(|(start, _)| Some(start..start + text[start..].find('>')? + 1))
}

/// A tag of this program's own.
struct Tag<'t> {
    name: &'t str,
    /// Names, and values as they are written; none for what is just there.
    attributes: Vec<(&'t str, Option<String>)>,
}

impl<'t> Tag<'t> {
    fn read(text: &'t str) -> Self {
        let inner = text.trim_start_matches('<').trim_end_matches('>');
        let (name, mut rest) = inner.split_once(' ').unwrap_or((inner, ""));
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            let end = rest.find(['=', ' ']).unwrap_or(rest.len());
            let key = &rest[..end];
            rest = &rest[end..];
            let value = rest.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"'));
            if let Some((_, after)) = value {
                rest = after;
            }
            attributes.push((key, value.map(|(value, _)| value.to_owned())));
            rest = rest.trim_start_matches([' ', '=']);
        }
        Self { name, attributes }
    }

    /// The value of an attribute, as it is meant.
    fn value(&self, key: &str) -> Option<String> {
        let written = self.attributes.iter().find(|(known, _)| *known == key)?.1.as_deref()?;
        Some(written.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
    }

    fn set(&mut self, key: &'t str, value: Option<&str>) {
        self.attributes.retain(|(known, _)| *known != key);
        let written = value.map(|value| html! { (value) }.into_string());
        self.attributes.push((key, written));
    }

    fn mark(&mut self, key: &'t str, is_set: bool) {
        self.attributes.retain(|(known, _)| *known != key);
        if is_set {
            self.attributes.push((key, None));
        }
    }

    fn written(&self) -> String {
        let mut out = format!("<{}", self.name);
        for (key, value) in &self.attributes {
            match value {
                Some(value) => out.push_str(&format!(" {key}=\"{value}\"")),
                None => out.push_str(&format!(" {key}")),
            }
        }
        out.push('>');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        html! {
            main #main {
                form method="post" action="/a/act" { input type="hidden" name="n" value="1";
                    input type="text" name="reason"; }
                details { summary { "more" }
                    form.inline method="post" action="/a/act" {
                        input type="hidden" name="n" value="<2>";
                        input type="text" name="reason" value="old" required;
                        input type="text" name="code" autocomplete="one-time-code";
                        input type="password" name="password";
                        input type="checkbox" name="c" value="x" checked aria-label="c checked c";
                        input type="checkbox" name="c" value="y";
                        select name="s" { option value="1" selected { "one" } option value="2" { "two" } }
                        button name="do" value="it" { "Do it" }
                    }
                }
            }
        }
        .into_string()
    }

    #[test]
    fn a_form_comes_back_with_what_was_typed() {
        let typed = Form::read(b"n=%3C2%3E&reason=%22a%22+%3Cb%3E&code=123456&password=p&c=y&s=2&do=it");
        let shown = again(&page(), "/a/act", &typed, "it is <wrong>.").expect("the form is there");
        for part in [
            "<main id=\"main\"><p class=\"wrong\" role=\"alert\">it is &lt;wrong&gt;. Your input",
            "<input type=\"hidden\" name=\"n\" value=\"1\"><input type=\"text\" name=\"reason\"></form>",
            "<details open><summary>more</summary><form class=\"inline\" method=\"post\" action=\"/a/act\" \
                id=\"again\">",
            "<input type=\"text\" name=\"reason\" required value=\"&quot;a&quot; &lt;b&gt;\">",
            "<input type=\"text\" name=\"code\" autocomplete=\"one-time-code\">",
            "<input type=\"password\" name=\"password\">",
            "value=\"x\" aria-label=\"c checked c\">",
            "<input type=\"checkbox\" name=\"c\" value=\"y\" checked>",
            "<option value=\"1\">one</option><option value=\"2\" selected>two</option>",
            "<button name=\"do\" value=\"it\">Do it</button></form></details></main>",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }

    #[test]
    fn another_form_is_left_alone() {
        for other in ["n=3&reason=r", "n=1&reason=r&more=1", "reason=r"] {
            assert_eq!(again(&page(), "/a/act", &Form::read(other.as_bytes()), "w"), None, "{other}");
        }
        assert_eq!(again(&page(), "/b/act", &Form::read(b"n=1&reason=r"), "w"), None);
    }

    #[test]
    fn forms_stand_on_pages() {
        let place = |path: &str, typed: &str| place_of(path, &Form::read(typed.as_bytes()));
        assert_eq!(
            place("/explorer/act", "q=a%3Ab+c&after=x%2F1").as_deref(),
            Some("/explorer?q=a%3Ab%20c&after=x%2F1")
        );
        assert_eq!(place("/incidents/open", "detection=A-1&mail=M").as_deref(), Some("/messages/M"));
        assert_eq!(place("/incidents/open", "detection=A-1&mail=").as_deref(), Some("/detections/A-1"));
        assert_eq!(place("/me/act", "").as_deref(), Some("/me"));
        assert_eq!(place("/sign-out", ""), None);
    }
}
