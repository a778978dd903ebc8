//! `Get-MessageTraceV2`, `Get-MessageTraceDetailV2`, `Get-AcceptedDomain`.

use api_types::explore::{ExploreQuery, FoundView};
use api_types::message::EventView;
use domain::query::quoted;
use serde_json::{Value, json};
use service::error::ServiceError;

use super::invoke::{Answer, Call, Trouble};

/// Rows of one answer at most, and unless `ResultSize` says otherwise.
const ROWS_MAX: u64 = 5000;
/// See [`ROWS_MAX`].
const ROWS: u64 = 1000;
/// Rows that the explorer gives at once.
const PAGE: usize = 500;
/// Its states of a message, and ours as a query.
const STATES: [(&str, &str); 6] = [
    ("Delivered", "(state:delivered OR state:released)"),
    ("Quarantined", "(state:held OR state:denied OR state:tentative)"),
    ("Failed", "(state:refused OR state:failed OR state:deleted OR state:expired)"),
    ("Pending", "(state:forwarding OR state:releasing)"),
    ("GettingStatus", "(state:in_doubt OR state:in_doubt_live)"),
    ("FilteredAsSpam", "(state:delivered disposition:Junk)"),
];

/// `Get-MessageTraceV2`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn get(mut call: Call) -> Result<Answer, Trouble> {
    let size = call.given.number("ResultSize", 1..=ROWS_MAX)?.unwrap_or(ROWS).min(call.most as u64);
    let q = query(&mut call)?;
    call.given.has("ToIP");
    call.given.has("StartingRecipientAddress");
    let mut after = call.token.take();
    call.given.end()?;
    let mut objects = Vec::new();
    let mut warnings = Vec::new();
    while (objects.len() as u64) < size {
        let limit = PAGE.min(usize::try_from(size).unwrap_or(PAGE) - objects.len());
        let ask = ExploreQuery { q: q.clone(), after: after.take(), limit: Some(limit) };
        let page = service::explore::list(&call.service, &call.operator, ask).await?;
        objects.extend(page.rows.iter().map(row));
        after = page.next;
        if after.is_none() {
            break;
        }
        if page.is_cut {
            warnings.push("The search takes long: the next page goes on with it.".to_owned());
            break;
        }
    }
    Ok(Answer { objects, warnings, token: after })
}

/// The same as a query of the explorer.
fn query(call: &mut Call) -> Result<String, Trouble> {
    let given = &mut call.given;
    let mut terms = Vec::new();
    for (name, field) in [("MessageId", "message_id"), ("MessageTraceId", "id"), ("FromIP", "ip")] {
        terms.extend(given.text(name)?.map(|value| format!("{field}:{}", quoted(&value))));
    }
    for (name, field) in [("SenderAddress", "sender"), ("RecipientAddress", "recipient")] {
        let values: Vec<String> =
            given.texts(name)?.iter().map(|value| format!("{field}:{}", pattern(value))).collect();
        if !values.is_empty() {
            terms.push(format!("({})", values.join(" OR ")));
        }
    }
    let how = given.word("SubjectFilterType", &["Contains", "StartsWith", "EndsWith"])?.unwrap_or("Contains");
    if let Some(subject) = given.text("Subject")? {
        let (before, behind) = (if how == "StartsWith" { "" } else { "*" }, if how == "EndsWith" { "" } else { "*" });
        terms.push(format!("subject:{before}{}{behind}", quoted(&subject)));
    }
    let mut states = Vec::new();
    for name in given.texts("Status")? {
        let known = STATES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&name));
        let names = || STATES.map(|(name, _)| name).join(", ");
        states.push(known.ok_or_else(|| Trouble::argument(format!("Status '{name}' is none of {}", names())))?.1);
    }
    if !states.is_empty() {
        terms.push(format!("({})", states.join(" OR ")));
    }
    if let Some(at) = given.moment("StartDate")? {
        terms.push(format!("received:>={}", quoted(&at.to_string())));
    }
    if let Some(at) = given.moment("EndDate")? {
        terms.push(format!("received:<{}", quoted(&at.to_string())));
    }
    Ok(terms.join(" "))
}

/// An address, of which a part may be left open by `*`.
fn pattern(value: &str) -> String {
    value
        .split('*')
        .map(|piece| if piece.is_empty() { String::new() } else { quoted(piece) })
        .collect::<Vec<_>>()
        .join("*")
}

/// Its word for a state, and for a message that was delivered as junk.
fn status(state: &str, disposition: &str) -> &'static str {
    let is_junk = state == "delivered" && disposition == "Junk";
    let of_state = |(_, query): &&(&str, &str)| {
        query.contains(&format!("state:{state} ")) || query.contains(&format!("state:{state})"))
    };
    let (status, _) = if is_junk { STATES[5] } else { *STATES.iter().find(of_state).unwrap_or(&STATES[4]) };
    status
}

fn row(row: &FoundView) -> Value {
    json!({
        "MessageTraceId": row.mail_id,
        "MessageId": row.message_id,
        "Received": row.received,
        "Received@odata.type": "#DateTimeOffset",
        "SenderAddress": row.sender,
        "RecipientAddress": row.recipient,
        "Subject": row.subject,
        "Status": status(&row.state, &row.disposition),
        "Size": row.size,
        "FromIP": row.ip,
        "Direction": row.direction,
    })
}

/// `Get-MessageTraceDetailV2`: what happened to one recipient's copy.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn detail(mut call: Call) -> Result<Answer, Trouble> {
    let id = call.given.text("MessageTraceId")?.ok_or_else(|| Trouble::argument("MessageTraceId is missing".into()))?;
    let recipient =
        call.given.text("RecipientAddress")?.ok_or_else(|| Trouble::argument("RecipientAddress is missing".into()))?;
    for name in ["StartDate", "EndDate", "Action", "Event"] {
        call.given.has(name);
    }
    call.given.end()?;
    let ask = api_types::message::TraceQuery {
        mail_id: Some(id.clone()),
        recipient: Some(recipient.clone()),
        ..Default::default()
    };
    let traced = service::message::trace(&call.service, &call.operator, ask).await?;
    let Some(unit) = traced.first() else {
        return Err(ServiceError::NotFound(format!("there is no message {id} for {recipient}")).into());
    };
    let event = |event: &EventView| {
        let name = match event.what.as_str() {
            "arrived" => "RECEIVE",
            "hop_accepted" | "release_accepted" => "DELIVER",
            "hop_refused" | "release_refused" => "FAIL",
            "release_requested" => "RELEASE",
            _ => "TRANSFER",
        };
        json!({
            "MessageTraceId": id,
            "MessageId": unit.message_id,
            "SenderAddress": unit.sender,
            "RecipientAddress": unit.recipient,
            "Date": event.at,
            "Date@odata.type": "#DateTimeOffset",
            "Event": name,
            "Action": event.account,
            "Detail": event.reason,
            "Data": format!("{} by {}", event.what, event.actor),
        })
    };
    Ok(Answer { objects: unit.events.iter().map(event).collect(), ..Answer::default() })
}

/// `Get-AcceptedDomain`.
///
/// # Errors
/// When a parameter makes no sense, or there is no such domain.
pub fn domains(mut call: Call) -> Result<Answer, Trouble> {
    let identity = call.given.text("Identity")?.map(domain::DomainName::from);
    let (operator, service) = (call.operator.clone(), call.service.clone());
    call.given.end()?;
    let names = service.config.border.accepted_domains.iter().filter(|name| operator.sees(name));
    let wanted = names.filter(|name| identity.as_ref().is_none_or(|wanted| wanted == *name));
    let objects: Vec<Value> =
        wanted.map(|name| json!({ "Name": name, "DomainName": name, "DomainType": "InternalRelay" })).collect();
    if let (Some(identity), true) = (identity, objects.is_empty()) {
        return Err(ServiceError::NotFound(format!("'{identity}' is no accepted domain of yours")).into());
    }
    Ok(Answer { objects, ..Answer::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Account, Timestamp};

    #[test]
    fn every_state_has_a_status_and_every_status_is_a_query() {
        for account in Account::ALL {
            assert_ne!(status(account.as_str(), "Deliver"), "FilteredAsSpam", "{account:?}");
            assert_eq!(status(account.as_str(), "Junk") == "FilteredAsSpam", account == Account::Delivered);
        }
        assert_eq!(status("in_doubt", ""), "GettingStatus");
        assert_eq!(status("expired", ""), "Failed");
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        for (_, query) in STATES {
            domain::query::Query::parse(query, now).expect("it is a query");
        }
    }

    #[test]
    fn a_part_of_an_address_may_be_open() {
        assert_eq!(
            ["*@x.example", "a@x.example", "*", "a b*"].map(pattern),
            ["*@x.example", "a@x.example", "*", "\"a b\"*"]
        );
    }
}
