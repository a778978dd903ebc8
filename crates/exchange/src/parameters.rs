//! What a verb is given: names in any case, as PowerShell takes them. What no verb asks for is an error, so that a
//! misspelt one changes nothing silently.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use serde_json::{Map, Value};

use super::invoke::Trouble;

/// The parameters of one call.
#[derive(Debug)]
pub struct Parameters {
    given: BTreeMap<String, (String, Value)>,
    asked: BTreeSet<String>,
}

impl Parameters {
    /// As they came.
    pub fn new(given: Map<String, Value>) -> Self {
        let given = given.into_iter().map(|(name, value)| (name.to_lowercase(), (name, value))).collect();
        Self { given, asked: BTreeSet::new() }
    }

    fn value(&mut self, name: &str) -> Option<&Value> {
        let name = name.to_lowercase();
        self.asked.insert(name.clone());
        self.given.get(&name).map(|(_, value)| value)
    }

    /// Whether it stands there at all, be it with nothing.
    pub fn has(&mut self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A text; none when it is not given. Given and empty is an error: it never means everything.
    ///
    /// # Errors
    /// When it is no text, or an empty one.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Trouble> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
            Some(_) => Err(Trouble::argument(format!("{name} must be a text that says something"))),
        }
    }

    /// Texts: one, or a list of them.
    ///
    /// # Errors
    /// When one of them is none, or empty.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, Trouble> {
        let wrong = || Trouble::argument(format!("{name} must be texts that say something"));
        let one = |value: &Value| match value {
            Value::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            _ => Err(wrong()),
        };
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) if !list.is_empty() => list.iter().map(one).collect(),
            Some(value) => Ok(vec![one(value)?]),
        }
    }

    /// A number within bounds.
    ///
    /// # Errors
    /// When it is none, or out of bounds.
    pub fn number(&mut self, name: &str, bounds: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Trouble> {
        let number = match self.value(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
        };
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                Err(Trouble::argument(format!("{name} must be a number from {} to {}", bounds.start(), bounds.end())))
            }
        }
    }

    /// A switch: off when it is not given.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub fn switch(&mut self, name: &str) -> Result<bool, Trouble> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(is_on)) => Ok(*is_on),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(Trouble::argument(format!("{name} must be true or false"))),
        }
    }

    /// A moment, as ISO 8601; without a zone it is UTC, and without a time the beginning of the day.
    ///
    /// # Errors
    /// When it is none.
    pub fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, Trouble> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let with_time = if text.len() == 10 { format!("{text}T00:00:00") } else { text.clone() };
        let with_zone = format!("{with_time}Z");
        let read = Timestamp::parse(&with_time).or_else(|_| Timestamp::parse(&with_zone));
        read.map(Some)
            .map_err(|_| Trouble::argument(format!("{name} '{text}' must be a moment such as 2026-11-25T08:00:00Z")))
    }

    /// One of some words, in any case.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn word(&mut self, name: &str, words: &[&'static str]) -> Result<Option<&'static str>, Trouble> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let known = words.iter().find(|word| word.eq_ignore_ascii_case(&text));
        known
            .copied()
            .map(Some)
            .ok_or_else(|| Trouble::argument(format!("{name} '{text}' is none of {}", words.join(", "))))
    }

    /// What nobody has asked for is named: asked last. What every verb of PowerShell takes is let pass.
    ///
    /// # Errors
    /// When something is left.
    pub fn end(&self) -> Result<(), Trouble> {
        const COMMON: [&str; 6] = ["confirm", "erroraction", "warningaction", "verbose", "resultsize", "organization"];
        let is_left = |name: &str| !self.asked.contains(name) && !COMMON.contains(&name);
        let left: Vec<&str> =
            self.given.iter().filter(|(name, _)| is_left(name)).map(|(_, (name, _))| name.as_str()).collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(Trouble::new(
            "ParameterBindingException",
            format!("A parameter cannot be found that matches parameter name '{}'.", left.join("', '")),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(value: Value) -> Parameters {
        Parameters::new(value.as_object().expect("an object").clone())
    }

    #[test]
    fn names_come_in_any_case_and_empty_is_never_everything() {
        let mut some =
            given(json!({ "identity": "x", "PAGE": 2, "Users": ["a", "b"], "Force": true, "Bad": null, "None": [] }));
        assert_eq!(some.text("Identity").expect("a text"), Some("x".to_owned()));
        assert_eq!(some.number("Page", 1..=1000).expect("a number"), Some(2));
        assert_eq!(some.texts("Users").expect("texts"), ["a", "b"]);
        assert!(some.switch("force").expect("a switch") && !some.switch("other").expect("off"));
        assert!(some.text("Bad").is_err() && some.texts("None").is_err());
        assert!(some.end().is_ok());
        assert!(given(json!({ "Idenity": "x" })).end().is_err_and(|trouble| trouble.text.contains("'Idenity'")));
    }

    #[test]
    fn moments_with_and_without_a_zone() {
        let mut some =
            given(json!({ "a": "2026-11-25", "b": "2026-11-25T08:00:00", "c": "2026-11-25T08:00:00+02:00", "d": "x" }));
        let mut read = |name| some.moment(name).map(|at| at.map(|at| at.to_string()));
        assert!(read("a").expect("a day").expect("given").starts_with("2026-11-25T00:00:00"));
        assert!(read("b").expect("a moment").expect("given").starts_with("2026-11-25T08:00:00"));
        assert!(read("c").expect("a moment").expect("given").starts_with("2026-11-25T06:00:00"));
        assert!(read("d").is_err());
    }
}
