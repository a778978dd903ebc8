//! Mail that passed unexamined while the panic switch said `bypass`.

use api_types::bypassed::{BypassedQuery, BypassedView, EpisodeView, PassedView};
use domain::Timestamp;
use platform::bypassed::{self, Episode, FILE, Passed};

use crate::Service;
use crate::access::{Operator, Permission};
use crate::error::{ServiceError, ServiceResult};

/// Mails of one answer.
const MAILS: usize = 100;
/// Mails of one answer at most.
const MAILS_MAX: usize = 1_000;
/// What can be done about them.
const AFTERWARDS: &str = "Their bytes were not kept, so they cannot be examined again here: look for them in the \
                          mailboxes of their recipients (each has the field X-Reprieve-Verdict: Bypassed), and examine \
                          what you save from there with `reprieve scan FILE`.";

fn episode_view(one: Episode) -> EpisodeView {
    let (first, last) = one.mails;
    EpisodeView { from: one.from.to_string(), first: first.to_string(), last: last.to_string(), mails: one.count }
}

fn passed_view(one: Passed) -> PassedView {
    PassedView {
        mail_id: one.mail.to_string(),
        at: one.at.to_string(),
        client: one.client,
        sender: one.sender,
        recipients: one.recipients,
        count: one.count as u64,
        size: one.size,
        answer: one.answer,
    }
}

/// What passed unexamined, the newest first: each time that the switch said so, and its mails. It needs no store.
///
/// # Errors
/// When the episode is no moment, the list cannot be read, or the operator may not.
pub async fn list(service: &Service, operator: &Operator, ask: BypassedQuery) -> ServiceResult<BypassedView> {
    operator.may(Permission::Look)?;
    operator.must_see_all()?;
    let moment = |text: &String| Timestamp::parse(text).map_err(|error| ServiceError::Bad(error.to_string()));
    let episode = ask.episode.as_ref().map(moment).transpose()?;
    let most = ask.limit.unwrap_or(MAILS).clamp(1, MAILS_MAX);
    let file = service.config.data_dir.join(FILE);
    let read = tokio::task::spawn_blocking(move || bypassed::read(&file, episode, most)).await;
    let read = read.map_err(|error| ServiceError::Internal(error.to_string()))?;
    let (episodes, mails) = read.map_err(|error| ServiceError::Internal(format!("{FILE}: {error}")))?;
    Ok(BypassedView {
        episodes: episodes.into_iter().rev().map(episode_view).collect(),
        mails: mails.into_iter().map(passed_view).collect(),
        afterwards: AFTERWARDS.to_owned(),
    })
}
