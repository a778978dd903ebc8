//! The query of a URL, from a type of the API.

use platform::percent::encoded;
use serde::Serialize;
use serde_json::Value;

use super::CliError;

/// `path` with the fields of `query` behind it. A field that is none is left out; a list or a table has no form in a
/// query.
pub(crate) fn with_query(path: &str, query: &impl Serialize) -> Result<String, CliError> {
    let Value::Object(fields) = serde_json::to_value(query).map_err(CliError::unreachable)? else {
        return Err(CliError::unreachable("a query has fields"));
    };
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(CliError::unreachable(format!("{name} has no form in a query")));
            }
        };
        pairs.push(format!("{name}={}", encoded(&text)));
    }
    Ok(if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) })
}

#[cfg(test)]
mod tests {
    use api_types::message::TraceQuery;
    use api_types::quarantine::ListQuery;

    use super::with_query;

    #[test]
    fn fields_that_are_set() {
        let query = ListQuery { subject: Some("a b&c=ü".into()), limit: Some(7), ..ListQuery::default() };
        let target = with_query("/api/v1/quarantine", &query).expect("it has a form");
        assert_eq!(target, "/api/v1/quarantine?subject=a%20b%26c%3D%C3%BC&limit=7");
        assert_eq!(with_query("/x", &TraceQuery::default()).expect("it has a form"), "/x");
    }

    #[test]
    fn what_has_no_form_is_refused() {
        assert!(with_query("/x", &serde_json::json!({ "ids": [1, 2] })).is_err());
        assert!(with_query("/x", &7).is_err());
    }
}
