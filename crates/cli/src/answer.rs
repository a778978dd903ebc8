//! What the API answered: the JSON as it came, which `--json` prints, and the same by the fields of its type.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::table::{Format, Table, TableArgs};
use super::{ApiArgs, CliError, terminal};

/// An answer of the API. It is kept as JSON, so that a field that only a newer service knows is printed as well; its
/// fields are read when somebody asks for them, so that `--json` works whatever the version of the service is.
#[derive(Debug)]
pub struct Answer<View> {
    json: Value,
    view: PhantomData<fn() -> View>,
}

impl<View> Answer<View> {
    /// An answer of this JSON.
    pub(crate) fn of(json: Value) -> Self {
        Self { json, view: PhantomData }
    }

    /// The JSON as it came.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The same as a list of one.
    pub(crate) fn alone(self) -> Answer<Vec<View>> {
        Answer::of(Value::Array(vec![self.json]))
    }
}

impl<View: DeserializeOwned> Answer<View> {
    /// The answer by its fields.
    ///
    /// # Errors
    /// When a field is missing or of another kind: the service is of another version.
    pub fn view(&self) -> Result<View, CliError> {
        View::deserialize(&self.json).map_err(|error| {
            CliError::unreachable(format!(
                "the answer of the API cannot be read: {error}; are program and service of the same version?"
            ))
        })
    }

    /// The same, each text in it as one line: strangers wrote some of them, and none may look like a line of ours.
    ///
    /// # Errors
    /// As [`Answer::view`].
    pub(crate) fn in_lines(&self) -> Result<View, CliError> {
        let mut json = self.json.clone();
        flatten(&mut json);
        Self::of(json).view()
    }

    /// Prints it: the JSON as it came where that is asked for, else what `text` makes of it, with each text in it as
    /// one line.
    pub(crate) fn print(&self, api: &ApiArgs, text: impl FnOnce(&View) -> String) -> Result<(), CliError> {
        terminal::line(&if api.json { self.json.to_string() } else { text(&self.in_lines()?) });
        Ok(())
    }

    /// Prints a list in the format that is asked for: in a table each text is one line, in CSV it is as it came.
    pub(crate) fn list(&self, to: &TableArgs, table: impl FnOnce(&View) -> Table) -> Result<(), CliError> {
        match to.format() {
            Format::Json => terminal::line(&self.json.to_string()),
            Format::Table => terminal::line(&table(&self.in_lines()?).text()),
            Format::Csv => terminal::bytes(table(&self.view()?).csv().as_bytes()),
        }
        Ok(())
    }

    /// The same for an answer that has texts of many lines.
    pub(crate) fn print_with_lines(&self, api: &ApiArgs, text: impl FnOnce(&View) -> String) -> Result<(), CliError> {
        terminal::line(&if api.json { self.json.to_string() } else { text(&self.view()?) });
        Ok(())
    }
}

impl<View> Answer<Vec<View>> {
    /// Each of a list.
    pub(crate) fn each(self) -> Vec<Answer<View>> {
        match self.json {
            Value::Array(all) => all.into_iter().map(Answer::of).collect(),
            _ => Vec::new(),
        }
    }
}

impl<View: Serialize> Answer<View> {
    /// Takes over what has changed in the view since. Fields that it does not have stay as they came.
    pub(crate) fn update(&mut self, view: &View) -> Result<(), CliError> {
        overwrite(&mut self.json, serde_json::to_value(view).map_err(CliError::unreachable)?);
        Ok(())
    }
}

/// Makes one line of each text.
fn flatten(value: &mut Value) {
    match value {
        Value::String(text) if text.chars().any(char::is_control) => *text = terminal::in_one_line(text),
        Value::Array(all) => all.iter_mut().for_each(flatten),
        Value::Object(fields) => fields.values_mut().for_each(flatten),
        _ => {}
    }
}

/// Writes `new` over `old`, field by field.
fn overwrite(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, new) in new {
                match old.get_mut(&key) {
                    Some(old) => overwrite(old, new),
                    // An older service does not say it.
                    None if new.is_null() => {}
                    None => drop(old.insert(key, new)),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            old.iter_mut().zip(new).for_each(|(old, new)| overwrite(old, new));
        }
        (old, new) => *old = new,
    }
}

#[cfg(test)]
mod tests {
    use api_types::quarantine::ReleasedView;
    use serde_json::json;

    use super::Answer;

    #[test]
    fn what_changes_is_printed_and_what_is_not_known_stays() {
        let unit = json!({ "recipient": "b@ours.example", "state": "releasing", "reply": "", "colour": "red" });
        let mut answer =
            Answer::<ReleasedView>::of(json!({ "weight": 1, "id": "a", "what_if": false, "units": [unit] }));
        let mut view = answer.view().expect("release_id may be missing");
        assert_eq!(view.units[0].release_id, None);
        view.units[0].state = "released".into();
        answer.update(&view).expect("plain data");
        let unit = json!({ "recipient": "b@ours.example", "state": "released", "reply": "", "colour": "red" });
        let printed = json!({ "weight": 1, "id": "a", "what_if": false, "units": [unit] });
        assert_eq!(answer.json().to_string(), printed.to_string());
    }

    #[test]
    fn no_text_of_a_stranger_begins_a_line() {
        let unit = json!({ "recipient": "b@ours.example", "state": "held", "reply": "no\nid  1  released\u{1b}[2J" });
        let answer = Answer::<ReleasedView>::of(json!({ "id": "a", "what_if": false, "units": [unit] }));
        let reply = |view: ReleasedView| view.units[0].reply.clone();
        assert_eq!(reply(answer.in_lines().expect("it is whole")), "no\\u000aid  1  released\\u001b[2J");
        assert_eq!(reply(answer.view().expect("it is whole")), "no\nid  1  released\u{1b}[2J");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let error = Answer::<ReleasedView>::of(json!({ "id": "a" })).view().expect_err("units are missing");
        assert!(format!("{error:?}").contains("missing field `what_if`"), "{error:?}");
    }
}
