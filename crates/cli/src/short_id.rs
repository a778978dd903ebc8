//! IDs as people type them: of a message or an incident an unambiguous beginning is enough.

use std::collections::BTreeMap;

use api_types::explore::{ExploreQuery, ExploredView};
use api_types::incident::IncidentRow;
use store::explorer::explore::PAGE_MAX;

use super::client::Client;
use super::{CliError, terminal};

/// Characters of a beginning at least.
const CHARS_MIN: usize = 6;
/// Characters of a whole ID of a message.
const MESSAGE_ID_CHARS: usize = 36;
/// Characters of a whole ID of an incident at least.
const INCIDENT_ID_CHARS: usize = 13;
/// IDs that are named where several fit.
const NAMED_MAX: usize = 10;

impl Client {
    /// The ID of the message whose ID begins so. What is no beginning of one, or of none, stays as it is: the service
    /// says what is wrong with it.
    ///
    /// # Errors
    /// When several messages have it.
    pub(crate) async fn message_id(&self, given: &str) -> Result<String, CliError> {
        if !is_beginning(given) {
            return Ok(given.to_owned());
        }
        let mut found = BTreeMap::new();
        let mut ask = ExploreQuery { q: format!("id:{given}*"), after: None, limit: Some(PAGE_MAX) };
        loop {
            // Who may not search gives whole IDs.
            let Ok(page) = self.get_with::<ExploredView>("/api/v1/explore", &ask).await else {
                return Ok(given.to_owned());
            };
            let page = page.view()?;
            found.extend(page.rows.into_iter().map(|row| {
                let told = format!("{}  from {}  \"{}\"", terminal::moment(&row.received), row.sender, row.subject);
                (row.mail_id, told)
            }));
            ask.after = page.next;
            if ask.after.is_none() || found.len() > NAMED_MAX {
                return only(given, found);
            }
        }
    }

    /// The same where there may be none.
    ///
    /// # Errors
    /// As [`Client::message_id`].
    pub(crate) async fn message_id_if_given(&self, given: Option<String>) -> Result<Option<String>, CliError> {
        match given {
            Some(given) => self.message_id(&given).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same for an incident.
    ///
    /// # Errors
    /// When several incidents have it, or the API says no or cannot be reached.
    pub(crate) async fn incident_id(&self, given: &str) -> Result<String, CliError> {
        if !(CHARS_MIN..INCIDENT_ID_CHARS).contains(&given.len()) {
            return Ok(given.to_owned());
        }
        let all = self.get::<Vec<IncidentRow>>("/api/v1/incidents").await?.view()?;
        let fits = |one: &IncidentRow| one.id.to_lowercase().starts_with(&given.to_lowercase());
        only(given, all.into_iter().filter(fits).map(|one| (one.id, one.title)).collect())
    }
}

/// Whether a text may be the beginning of a message's ID.
fn is_beginning(text: &str) -> bool {
    (CHARS_MIN..MESSAGE_ID_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The one that was found; what was given where there is none.
fn only(given: &str, found: BTreeMap<String, String>) -> Result<String, CliError> {
    if found.len() <= 1 {
        return Ok(found.into_keys().next().unwrap_or_else(|| given.to_owned()));
    }
    let named = found.iter().take(NAMED_MAX).map(|(id, told)| terminal::in_one_line(&format!("{id}  {told}")));
    let more = if found.len() > NAMED_MAX { "\n  and more" } else { "" };
    let named: Vec<String> = named.collect();
    Err(CliError::Usage(format!("'{given}' is ambiguous:\n  {}{more}", named.join("\n  "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_hexadecimal_digits_are_a_beginning() {
        assert!(["01a213", "01A2138D-dff8-74bb-b3b3-ded7ffdc467"].into_iter().all(is_beginning));
        assert!(
            !["01a21", "01a2138d-dff8-74bb-b3b3-ded7ffdc467a", "a b/../..", "zzzzzz", ""].into_iter().any(is_beginning)
        );
    }

    #[test]
    fn several_are_named() {
        let found = |count: usize| (0..count).map(|n| (format!("{n:02}"), "x\ny".to_owned())).collect();
        assert_eq!(only("0", found(1)).ok(), Some("00".to_owned()));
        assert_eq!(only("0", found(0)).ok(), Some("0".to_owned()));
        let told = |count| format!("{:?}", only("0", found(count)).expect_err("ambiguous"));
        assert!(told(2).contains("00  x") && !told(2).contains("more"), "{}", told(2));
        assert!(told(11).contains("and more"), "{}", told(11));
    }
}
