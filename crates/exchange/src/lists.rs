//! `*-TenantAllowBlockListItems`.

use api_types::entry::{EntryAsk, EntryView, RemoveAsk};
use domain::Timestamp;
use serde_json::{Value, json};
use service::error::ServiceError;

use super::invoke::{Answer, Call, Trouble};

/// Its kinds of lists.
const LISTS: [&str; 4] = ["Sender", "Url", "FileHash", "IP"];
/// Hours that an entry holds there when nothing is said: 30 days.
const USUAL_HOURS: u64 = 30 * 24;
/// Hours that an entry holds here at most.
const HOURS_MAX: u64 = 366 * 24;
/// Entries of one call.
const ENTRIES_MAX: usize = 200;

fn list_type(call: &mut Call) -> Result<&'static str, Trouble> {
    call.given.has("ListSubType");
    call.given
        .word("ListType", &LISTS)?
        .ok_or_else(|| Trouble::argument(format!("ListType is missing: one of {}", LISTS.join(", "))))
}

/// How we call what is on a list: theirs has addresses and domains on one.
fn kind(list: &str, value: &str) -> &'static str {
    match list {
        "Sender" if value.contains('@') => "sender",
        "Sender" => "domain",
        "Url" => "url",
        "FileHash" => "file",
        _ => "ip",
    }
}

fn is_on(list: &str, kind: &str) -> bool {
    matches!((list, kind), ("Sender", "sender" | "domain") | ("Url", "url") | ("FileHash", "file") | ("IP", "ip"))
}

/// What is in force, as our API has it.
async fn in_force(call: &Call) -> Result<Vec<EntryView>, Trouble> {
    Ok(service::entry::list(&call.service, &call.operator).await?)
}

fn object(entry: &EntryView, list: &str) -> Value {
    json!({
        "Identity": entry.id.to_string(),
        "Value": entry.value,
        "Action": if entry.action == "allow" { "Allow" } else { "Block" },
        "ListType": list,
        "ListSubType": "Tenant",
        "ExpirationDate": entry.expires,
        "CreatedDateTime": entry.made,
        "ModifiedBy": entry.owner,
        "Notes": entry.reason,
        "LastUsedDate": entry.last_used,
    })
}

/// `Get-TenantAllowBlockListItems`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn get(mut call: Call) -> Result<Answer, Trouble> {
    let list = list_type(&mut call)?;
    let (allows, blocks) = (call.given.switch("Allow")?, call.given.switch("Block")?);
    let wanted = call.given.text("Entry")?;
    for name in ["ExpirationDate", "NoExpiration"] {
        call.given.has(name);
    }
    let entries = in_force(&call).await?;
    call.given.end()?;
    let fits = |entry: &&EntryView| {
        let is_allow = entry.action == "allow";
        is_on(list, &entry.kind)
            && (allows == blocks || is_allow == allows)
            && wanted.as_deref().is_none_or(|wanted| entry.value.eq_ignore_ascii_case(wanted))
    };
    Ok(Answer { objects: entries.iter().filter(fits).map(|entry| object(entry, list)).collect(), ..Answer::default() })
}

/// `New-TenantAllowBlockListItems`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn new(mut call: Call) -> Result<Answer, Trouble> {
    let list = list_type(&mut call)?;
    let values = entries(&mut call)?;
    let (allows, blocks) = (call.given.switch("Allow")?, call.given.switch("Block")?);
    if allows == blocks {
        return Err(Trouble::argument("give either Allow or Block".into()));
    }
    let notes = call.given.text("Notes")?.unwrap_or_else(|| "New-TenantAllowBlockListItems".into());
    let now = call.service.clock.now();
    let mut warnings = Vec::new();
    let hours = hours(&mut call, now, &mut warnings)?;
    call.given.end()?;
    let mut objects = Vec::new();
    for value in values {
        let ask = EntryAsk {
            action: if allows { "allow" } else { "block" }.to_owned(),
            kind: kind(list, &value).to_owned(),
            value,
            reason: notes.clone(),
            hours: Some(hours),
            ..EntryAsk::default()
        };
        let made = service::entry::add(&call.service, &call.operator, ask).await?;
        objects.push(object(&made, list));
    }
    Ok(Answer { objects, warnings, ..Answer::default() })
}

fn entries(call: &mut Call) -> Result<Vec<String>, Trouble> {
    let values = call.given.texts("Entries")?;
    if values.is_empty() || values.len() > ENTRIES_MAX {
        return Err(Trouble::argument(format!("give 1 to {ENTRIES_MAX} entries, not {}", values.len())));
    }
    Ok(values)
}

/// For how long: `ExpirationDate`, `NoExpiration`, or 30 days.
fn hours(call: &mut Call, now: Timestamp, warnings: &mut Vec<String>) -> Result<u64, Trouble> {
    let until = call.given.moment("ExpirationDate")?;
    let forever = call.given.switch("NoExpiration")?;
    if call.given.has("RemoveAfter") {
        warnings.push("RemoveAfter has no effect: entries end at a moment, used or not.".into());
    }
    match until {
        Some(_) if forever => Err(Trouble::argument("give either ExpirationDate or NoExpiration".into())),
        Some(until) if until <= now => Err(Trouble::argument("ExpirationDate has passed".into())),
        Some(until) => Ok(until.since(now).as_secs().div_ceil(3600)),
        None if forever => {
            warnings.push(format!("Every entry ends here: these hold for {} days.", HOURS_MAX / 24));
            Ok(HOURS_MAX)
        }
        None => Ok(USUAL_HOURS),
    }
}

/// `Remove-TenantAllowBlockListItems`: by `Ids`, or by `Entries`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn remove(mut call: Call) -> Result<Answer, Trouble> {
    let list = list_type(&mut call)?;
    let ids = call.given.texts("Ids")?;
    let values = if ids.is_empty() { entries(&mut call)? } else { Vec::new() };
    let known = in_force(&call).await?;
    call.given.end()?;
    let mut objects = Vec::new();
    for wanted in ids.iter().chain(&values) {
        let is_meant = |entry: &&EntryView| {
            let is_value = !values.is_empty() && entry.value.eq_ignore_ascii_case(wanted);
            is_on(list, &entry.kind) && (is_value || !ids.is_empty() && Some(entry.id) == wanted.parse().ok())
        };
        let mut meant = known.iter().filter(is_meant).peekable();
        if meant.peek().is_none() {
            return Err(ServiceError::NotFound(format!("'{wanted}' is not on the list {list}")).into());
        }
        for entry in meant {
            let ask = RemoveAsk { reason: "Remove-TenantAllowBlockListItems".to_owned(), ..RemoveAsk::default() };
            let ended = service::entry::remove(&call.service, &call.operator, entry.id, ask).await?;
            objects.push(object(&ended, list));
        }
    }
    Ok(Answer { objects, ..Answer::default() })
}
