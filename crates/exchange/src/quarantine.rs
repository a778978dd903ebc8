//! `*-QuarantineMessage` and `Get-QuarantinePolicy`.

use std::collections::BTreeMap;

use api_types::entry::EntryAsk;
use api_types::quarantine::{
    DecideAsk, HeldView, ListQuery, RecipientView, ReleaseManyAsk, ReleasedUnit, ReleasedView,
};
use api_types::submission::SubmissionAsk;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::detection::Category;
use domain::policy::QuarantinePolicy;
use domain::{MailId, Timestamp, fold};
use serde_json::{Value, json};
use service::error::ServiceError;

use super::invoke::{Answer, Call, Trouble};

/// Messages of one page unless `PageSize` says otherwise, and at most; pages at most.
const PAGE_SIZE: u64 = 100;
/// See [`PAGE_SIZE`].
const PAGE_SIZE_MAX: u64 = 1000;
/// See [`PAGE_SIZE`].
const PAGES_MAX: u64 = 1000;
/// Messages of one release or deletion.
const IDENTITIES_MAX: usize = 500;

/// How Exchange calls our categories: its `QuarantineTypes`, and its `PolicyType`.
const TYPES: [(Category, &str, &str); 10] = [
    (Category::Malware, "Malware", "AntiMalwarePolicy"),
    (Category::HighConfidencePhish, "HighConfPhish", "HostedContentFilterPolicy"),
    (Category::Phish, "Phish", "AntiPhishPolicy"),
    (Category::Spoof, "Phish", "AntiPhishPolicy"),
    (Category::FileTypeBlock, "FileTypeBlock", "AntiMalwarePolicy"),
    (Category::PolicyRule, "TransportRule", "ExchangeTransportRule"),
    // It has no word for it.
    (Category::Unscannable, "Unscannable", "AntiMalwarePolicy"),
    (Category::Spam, "Spam", "HostedContentFilterPolicy"),
    (Category::Bulk, "Bulk", "HostedContentFilterPolicy"),
    (Category::Clean, "TransportRule", "ExchangeTransportRule"),
];

/// Its names of states, and ours.
const STATES: [(&str, &str); 5] = [
    ("NotReleased", "NotReleased"),
    ("PreparingToRelease", "PreparingToRelease"),
    ("Released", "Released"),
    ("Error", "Error"),
    ("Denied", "Denied"),
];

/// Our id in an identity: `GUID\GUID`, or a GUID alone.
fn id_of(identity: &str) -> Result<String, Trouble> {
    let id = identity.split('\\').next().unwrap_or_default().trim();
    let id: MailId =
        id.parse().map_err(|_| Trouble::argument(format!("'{identity}' is no identity of a quarantined message")))?;
    Ok(id.to_string())
}

fn one_identity(call: &mut Call) -> Result<String, Trouble> {
    let identity = call.given.text("Identity")?.ok_or_else(|| Trouble::argument("Identity is missing".into()))?;
    call.given.has("EntityType");
    call.given.has("RecipientAddress");
    id_of(&identity)
}

/// `Identity`, or `Identities` (then `Identity` says nothing, as there).
fn identities(call: &mut Call) -> Result<Vec<String>, Trouble> {
    let many = call.given.texts("Identities")?;
    let given = if many.is_empty() { call.given.text("Identity")?.into_iter().collect() } else { many };
    call.given.has("Identity");
    call.given.has("EntityType");
    if given.is_empty() || given.len() > IDENTITIES_MAX {
        return Err(Trouble::argument(format!("give 1 to {IDENTITIES_MAX} identities, not {}", given.len())));
    }
    given.iter().map(|identity| id_of(identity)).collect()
}

/// `Get-QuarantineMessage`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn get(mut call: Call) -> Result<Answer, Trouble> {
    if call.given.has("Identity") {
        let id = one_identity(&mut call)?;
        let shown = service::quarantine::show::show(&call.service, &call.operator, &id).await?;
        let object = object(&call, &shown.held).await?;
        call.given.end()?;
        return Ok(Answer { objects: vec![object], ..Answer::default() });
    }
    let entity = call.given.word("EntityType", &["Email", "SharePointOnline", "Teams", "DataLossPrevention"])?;
    let page_size = call.given.number("PageSize", 1..=PAGE_SIZE_MAX)?.unwrap_or(PAGE_SIZE);
    let page = call.given.number("Page", 1..=PAGES_MAX)?.unwrap_or(1);
    let filters = filters(&mut call)?;
    let subject = call.given.text("Subject")?;
    let reported = call.given.has("Reported").then(|| call.given.switch("Reported")).transpose()?;
    let warnings = unused(&mut call);
    let token = call.token.take();
    call.given.end()?;
    if entity.is_some_and(|entity| entity != "Email") {
        // What is held here is mail, all of it.
        return Ok(Answer { warnings, ..Answer::default() });
    }
    // Where this page begins, and how much of it is left.
    let (mut after, mut left) = match token {
        Some(token) => read_token(&token)?,
        None => (None, page_size),
    };
    if after.is_none() {
        for _ in 1..page {
            let skipped = some(&call, &filters, after.as_deref(), page_size).await?;
            match skipped.last().filter(|_| skipped.len() as u64 == page_size) {
                Some(last) => after = Some(last.mail_id.clone()),
                None => return Ok(Answer { warnings, ..Answer::default() }),
            }
        }
    }
    let wanted = left.min(call.most as u64);
    let rows = some(&call, &filters, after.as_deref(), wanted).await?;
    left -= rows.len() as u64;
    let is_full = rows.len() as u64 == wanted && left > 0;
    let token = rows.last().filter(|_| is_full).map(|last| format!("{}.{left}", last.mail_id));
    let mut objects = Vec::new();
    for row in &rows {
        let object = object(&call, row).await?;
        let is_subject = subject.as_deref().is_none_or(|subject| fold::text(&row.subject) == fold::text(subject));
        if is_subject && reported.is_none_or(|wanted| object["Reported"] == wanted) {
            objects.push(object);
        }
    }
    Ok(Answer { objects, warnings, token })
}

fn read_token(token: &str) -> Result<(Option<String>, u64), Trouble> {
    let read =
        token.split_once('.').and_then(|(mail, left)| Some((mail.parse::<MailId>().ok()?, left.parse::<u64>().ok()?)));
    let (mail, left) = read.ok_or_else(|| Trouble::argument("the link to the next page is none of ours".into()))?;
    Ok((Some(mail.to_string()), left.min(PAGE_SIZE_MAX)))
}

/// What the list is asked with: one of these each, because ours takes one value where theirs takes several.
fn filters(call: &mut Call) -> Result<Vec<ListQuery>, Trouble> {
    let given = &mut call.given;
    let (message_id, subject) = (given.text("MessageId")?, given.text("Subject")?);
    let direction = given.word("Direction", &["Inbound", "Outbound", "Internal", "IntraOrg"])?;
    let direction = direction.map(|word| if word == "IntraOrg" { "Internal" } else { word }.to_owned());
    let [since, until] = [given.moment("StartReceivedDate")?, given.moment("EndReceivedDate")?];
    let [since, until] = [since, until].map(|at| at.map(|at| at.to_string()));
    let common = ListQuery { message_id, subject, direction, since, until, ..ListQuery::default() };
    let mut types = given.texts("QuarantineTypes")?;
    types.extend(given.text("Type")?);
    let mut categories = Vec::new();
    for name in types {
        let known: Vec<&str> = TYPES
            .iter()
            .filter(|(_, theirs, _)| theirs.eq_ignore_ascii_case(&name))
            .map(|(ours, ..)| ours.as_str())
            .collect();
        if known.is_empty() {
            let names: Vec<&str> = TYPES.iter().map(|(_, theirs, _)| *theirs).collect();
            return Err(Trouble::argument(format!("QuarantineTypes '{name}' is none of {}", names.join(", "))));
        }
        categories.extend(known.into_iter().map(str::to_owned));
    }
    let mut states = Vec::new();
    for name in given.texts("ReleaseStatus")? {
        let known = STATES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(&name));
        let (_, ours) = known.ok_or_else(|| {
            Trouble::argument(format!("ReleaseStatus '{name}' is none of {}", STATES.map(|(name, _)| name).join(", ")))
        })?;
        states.push((*ours).to_owned());
    }
    let (senders, recipients) = (given.texts("SenderAddress")?, given.texts("RecipientAddress")?);
    let by_category = each(vec![common], &categories, |filter| &mut filter.category);
    let by_status = each(by_category, &states, |filter| &mut filter.status);
    let by_sender = each(by_status, &senders, |filter| &mut filter.sender);
    let filters = each(by_sender, &recipients, |filter| &mut filter.recipient);
    if filters.len() > IDENTITIES_MAX {
        return Err(Trouble::argument("these are too many values at once".into()));
    }
    Ok(filters)
}

/// Every filter once for each of the values, put into one of its fields; where there is no value, the filters as they
/// are.
fn each(
    filters: Vec<ListQuery>,
    values: &[String],
    field: fn(&mut ListQuery) -> &mut Option<String>,
) -> Vec<ListQuery> {
    if values.is_empty() {
        return filters;
    }
    let with = |filter: &ListQuery, value: &String| {
        let mut filter = filter.clone();
        *field(&mut filter) = Some(value.clone());
        filter
    };
    filters.iter().flat_map(|filter| values.iter().map(move |value| with(filter, value))).collect()
}

/// What is taken and changes nothing here, with a word about it.
fn unused(call: &mut Call) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, why) in [
        ("IncludeMessagesFromBlockedSenderAddress", ""),
        ("MyItems", "MyItems has no effect: a token belongs to no mailbox; recipients have a portal."),
        ("PolicyName", "PolicyName has no effect: filter by detection with the REST API."),
        ("PolicyTypes", "PolicyTypes has no effect: use QuarantineTypes."),
        ("RecipientTag", "RecipientTag has no effect."),
        ("StartExpiresDate", "StartExpiresDate has no effect."),
        ("EndExpiresDate", "EndExpiresDate has no effect."),
    ] {
        if call.given.has(name) && !why.is_empty() {
            warnings.push(why.to_owned());
        }
    }
    warnings
}

/// The newest that one of the filters fits, behind `after`.
async fn some(call: &Call, filters: &[ListQuery], after: Option<&str>, most: u64) -> Result<Vec<HeldView>, Trouble> {
    let mut found = BTreeMap::new();
    for filter in filters {
        // As there: what was released is listed as well, unless a ReleaseStatus is asked for.
        let any = filter.status.is_none().then(|| "any".to_owned());
        let ask = ListQuery {
            state: any,
            limit: Some(u32::try_from(most).unwrap_or(u32::MAX)),
            after: after.map(str::to_owned),
            ..filter.clone()
        };
        let held = service::quarantine::list::list(&call.service, &call.operator, ask).await?;
        found.extend(held.into_iter().map(|row| (row.mail_id.clone(), row)));
    }
    Ok(found.into_values().rev().take(usize::try_from(most).unwrap_or(usize::MAX)).collect())
}

/// A held message with the properties that clients know, and a few of ours.
async fn object(call: &Call, held: &HeldView) -> Result<Value, Trouble> {
    let id = held.mail_id.as_str();
    let category = Category::parse(&held.category);
    let (_, kind, policy_type) = TYPES.iter().find(|(ours, ..)| Some(*ours) == category).copied().unwrap_or(TYPES[9]);
    let address = |one: &RecipientView| one.address.clone();
    let in_state =
        |state: &str| -> Vec<String> { held.recipients.iter().filter(|one| one.state == state).map(address).collect() };
    let recipients: Vec<String> = held.recipients.iter().map(address).collect();
    let released = in_state("released");
    let received = Timestamp::parse(&held.received).map_err(|error| Trouble::argument(error.to_string()))?;
    let expires = received.after(call.service.config.retention.held(category.unwrap_or(Category::Clean)));
    let (by_system, reported) = afterwards(call, id, !released.is_empty()).await?;
    Ok(json!({
        "Identity": format!("{id}\\{id}"),
        "NetworkMessageId": id,
        "ReceivedTime": held.received,
        "ReceivedTime@odata.type": "#DateTimeOffset",
        "MessageId": held.message_id,
        "SenderAddress": held.sender,
        "RecipientAddress": recipients,
        "RecipientAddress@odata.type": "#Collection(String)",
        "Subject": held.subject,
        "Size": held.size,
        "Type": kind,
        "QuarantineTypes": kind,
        "PolicyType": policy_type,
        "PolicyName": held.detection,
        "Expires": expires.to_string(),
        "ReleaseStatus": held.status.to_uppercase(),
        "Released": !released.is_empty() && released.len() == recipients.len(),
        "ReleasedUser": released,
        "QuarantinedUser": in_state("held"),
        "SystemReleased": by_system,
        "Reported": reported,
        "Direction": held.direction,
        "EntityType": "Email",
        "Detection": held.detection,
        "DetectionVersion": held.detection_version,
        "Sha256": held.sha256,
    }))
}

/// Whether we released it ourselves, and whether somebody has called it a false positive.
async fn afterwards(call: &Call, id: &str, is_released: bool) -> Result<(bool, bool), Trouble> {
    let reported = service::submission::is_called_good(&call.service, &call.operator, id).await?;
    if !is_released {
        return Ok((false, reported));
    }
    let ask = api_types::message::TraceQuery { mail_id: Some(id.to_owned()), ..Default::default() };
    let traced = service::message::trace(&call.service, &call.operator, ask).await?;
    let events = traced.iter().flat_map(|unit| &unit.events);
    let mut requested = events.filter(|event| event.what == "release_requested");
    // An incident, or the re-examination of what an engine's failure had held; all others are people.
    let is_system = |actor: &str| actor.starts_with("INC-") || actor == "re-examination";
    let by_system = requested.any(|event| is_system(&event.actor));
    Ok((by_system, reported))
}

/// `Get-QuarantineMessageHeader`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn header(mut call: Call) -> Result<Answer, Trouble> {
    let id = one_identity(&mut call)?;
    call.given.end()?;
    let shown = service::quarantine::read::headers(&call.service, &call.operator, &id).await?;
    let object = json!({ "Identity": format!("{id}\\{id}"), "Header": shown.headers });
    Ok(Answer { objects: vec![object], ..Answer::default() })
}

/// `Preview-QuarantineMessage`: plain text; the HTML of a stranger is not handed to a terminal.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn preview(mut call: Call) -> Result<Answer, Trouble> {
    let id = one_identity(&mut call)?;
    call.given.end()?;
    let shown = service::quarantine::read::preview(&call.service, &call.operator, &id).await?;
    let names = shown.parts.iter().map(|part| part.name.as_str()).filter(|name| !name.is_empty());
    let object = json!({
        "Identity": format!("{id}\\{id}"),
        "ReceivedTime": shown.held.received,
        "SenderAddress": shown.held.sender,
        "Subject": shown.held.subject,
        "Body": shown.texts.join("\n"),
        "IsHtml": false,
        "Attachment": names.collect::<Vec<_>>(),
    });
    Ok(Answer { objects: vec![object], ..Answer::default() })
}

/// `Export-QuarantineMessage`: the stored bytes in Base64.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn export(mut call: Call) -> Result<Answer, Trouble> {
    let ids = identities(&mut call)?;
    call.given.has("RecipientAddress");
    let reason = call.given.text("ReasonForExport")?.unwrap_or_default();
    for (name, why) in [
        ("CompressOutput", "no archives are made here"),
        ("Password", "nothing is encrypted here"),
        ("PasswordV2", "nothing is encrypted here"),
    ] {
        if call.given.has(name) {
            return Err(Trouble::argument(format!("{name} is not there: {why}; leave it out")));
        }
    }
    call.given.has("ForceConversionToMime");
    let mut objects = Vec::new();
    for id in ids {
        let ask = api_types::quarantine::ExportQuery { reason: reason.clone() };
        let bytes = service::quarantine::read::export(&call.service, &call.operator, &id, ask).await?.bytes;
        objects.push(
            json!({ "Identity": format!("{id}\\{id}"), "Eml": STANDARD.encode(&bytes), "BodyEncoding": "Base64" }),
        );
    }
    call.given.end()?;
    Ok(Answer { objects, ..Answer::default() })
}

/// `Release-QuarantineMessage`: to all, to some, or `-ActionType Deny`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn release(mut call: Call) -> Result<Answer, Trouble> {
    let ids = identities(&mut call)?;
    let to_all = call.given.switch("ReleaseToAll")?;
    let users = call.given.texts("User")?;
    let action = call.given.word("ActionType", &["Release", "Deny", "Request"])?.unwrap_or("Release");
    let (allows, reports, forces, only_if) = (
        call.given.switch("AllowSender")?,
        call.given.switch("ReportFalsePositive")?,
        call.given.switch("Force")?,
        call.given.switch("WhatIf")?,
    );
    let reason = call.given.text("Reason")?.unwrap_or_else(|| "Release-QuarantineMessage".into());
    call.given.end()?;
    match action {
        "Request" => return Err(Trouble::argument("Request is for recipients, who have a portal".into())),
        "Release" if to_all != users.is_empty() => {
            return Err(Trouble::argument("give either ReleaseToAll or User".into()));
        }
        _ => {}
    }
    let mut warnings = Vec::new();
    if forces {
        warnings.push("Force has no effect: what was released is not released again.".to_owned());
    }
    let mut objects = Vec::new();
    if action == "Deny" {
        let ask = DecideAsk { recipients: users, reason, what_if: only_if, ..DecideAsk::default() };
        for id in ids {
            let done = service::quarantine::settle::deny(&call.service, &call.operator, &id, ask.clone()).await?;
            objects.extend(outcomes(&done));
        }
        return Ok(Answer { objects, warnings, ..Answer::default() });
    }
    let ask = ReleaseManyAsk {
        ids: ids.clone(),
        recipients: users,
        reason: reason.clone(),
        what_if: only_if,
        ..ReleaseManyAsk::default()
    };
    let done = service::quarantine::release::release_many(&call.service, &call.operator, ask).await?;
    objects.extend(done.iter().flat_map(outcomes));
    for id in ids.iter().filter(|_| !only_if && (allows || reports)) {
        let shown = service::quarantine::show::show(&call.service, &call.operator, id).await?;
        if reports {
            let ask = SubmissionAsk {
                mail_id: id.clone(),
                kind: "false_positive".into(),
                reporter: call.operator.name.clone(),
                comment: reason.clone(),
                ..SubmissionAsk::default()
            };
            service::submission::add(&call.service, &call.operator, ask).await?;
        }
        if allows {
            let ask = EntryAsk {
                action: "allow".into(),
                kind: "sender".into(),
                value: shown.held.sender,
                reason: reason.clone(),
                caused_by: Some(id.clone()),
                ..EntryAsk::default()
            };
            service::entry::add(&call.service, &call.operator, ask).await?;
        }
    }
    Ok(Answer { objects, warnings, ..Answer::default() })
}

/// `Delete-QuarantineMessage`.
///
/// # Errors
/// In the shape of the endpoint.
pub async fn delete(mut call: Call) -> Result<Answer, Trouble> {
    let ids = identities(&mut call)?;
    let recipients = call.given.texts("RecipientAddress")?;
    let only_if = call.given.switch("WhatIf")?;
    if call.given.switch("HardDelete")? {
        return Err(Trouble::argument(
            "HardDelete is not there: bytes stay until retention removes them; leave it out".into(),
        ));
    }
    call.given.end()?;
    let reason = "Delete-QuarantineMessage".to_owned();
    let ask = DecideAsk { recipients, reason, what_if: only_if, ..DecideAsk::default() };
    let mut objects = Vec::new();
    for id in ids {
        let done = service::quarantine::settle::delete(&call.service, &call.operator, &id, ask.clone()).await?;
        objects.extend(outcomes(&done));
    }
    Ok(Answer { objects, ..Answer::default() })
}

/// What became of each recipient of a message.
fn outcomes(done: &ReleasedView) -> Vec<Value> {
    let identity = format!("{id}\\{id}", id = done.id);
    let one = |unit: &ReleasedUnit| {
        json!({
            "Identity": identity,
            "RecipientAddress": unit.recipient,
            "State": unit.state,
            "Message": unit.reply,
        })
    };
    done.units.iter().map(one).collect()
}

/// `Get-QuarantinePolicy`: the three that there are, with their bits.
///
/// # Errors
/// When a parameter makes no sense, or there is no such policy.
pub fn policies(mut call: Call) -> Result<Answer, Trouble> {
    let identity = call.given.text("Identity")?;
    let kind = call.given.word("QuarantinePolicyType", &["QuarantinePolicy", "GlobalQuarantinePolicy"])?;
    let notices = call.service.config.portal.notices != platform::config::portal::Notices::Never;
    call.given.end()?;
    // What our portal lets people do: block the sender (16), see the text (2) and delete (1) with both; ask (8), or
    // release (4) and allow the sender (32).
    let all = [
        (QuarantinePolicy::AdminOnlyAccess, 0),
        (QuarantinePolicy::LimitedAccess, 27),
        (QuarantinePolicy::FullAccess, 55),
    ];
    let objects: Vec<Value> = all
        .into_iter()
        .filter(|_| kind != Some("GlobalQuarantinePolicy"))
        .filter(|(policy, _)| identity.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(policy.as_str())))
        .map(|(policy, bits)| {
            let usual = Category::ALL.into_iter().filter(|category| QuarantinePolicy::usual(*category) == policy);
            json!({
                "Name": policy.as_str(), "Identity": policy.as_str(), "EndUserQuarantinePermissionsValue": bits,
                "ESNEnabled": notices && bits > 0, "QuarantinePolicyType": "QuarantinePolicy", "IsValid": true,
                "UsualFor": usual.map(Category::as_str).collect::<Vec<_>>(),
            })
        })
        .collect();
    if let (Some(identity), true) = (identity, objects.is_empty()) {
        return Err(ServiceError::NotFound(format!("there is no quarantine policy '{identity}'")).into());
    }
    Ok(Answer { objects, ..Answer::default() })
}
