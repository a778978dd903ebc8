//! A test notice, marked as one, through each way by which people are told: what the other side answered, and how long
//! that took. It claims nothing and remembers nothing: what is still to be told is told as before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Address, Direction, Timestamp};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::authorities::Authorities;
use crate::config::{Announcements, Config};
use crate::hop::Hops;
use crate::system_mail::{self, Letter};
use crate::webhook::Webhook;

/// How long one way may take in all.
const TIME: Duration = Duration::from_secs(30);
/// Ways that are tried at most.
pub const WAYS_MAX: usize = 100;
/// What the subject and the text begin with.
const MARK: &str = "[test]";

/// What became of a test through one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Whom this way is for: operators, the public, or a recipient.
    pub whom: &'static str,
    /// The host of the URL with a mark, as the settings show it; or the address.
    pub to: String,
    /// Whether the other side took it.
    pub is_taken: bool,
    /// Who answered: the hop of internal mail, or the webhook's host.
    pub by: String,
    /// What the other side answered, or why there is no answer.
    pub answer: String,
    /// How long it took.
    pub took: Duration,
}

/// One way.
#[derive(Clone, Debug)]
enum Way {
    Hook(Webhook),
    Mailbox(Address),
}

/// All ways that a configuration names, and the mail to `recipient` if one is given.
fn ways(told: &Announcements, recipient: Option<Address>) -> Vec<(&'static str, Way)> {
    let hooks = |whom, hooks: &[Webhook]| hooks.iter().cloned().map(|hook| (whom, Way::Hook(hook))).collect::<Vec<_>>();
    let boxes = |whom, to: &[Address]| to.iter().cloned().map(|to| (whom, Way::Mailbox(to))).collect::<Vec<_>>();
    let (operators, public) = ("operators", "the public");
    let mut all = hooks(operators, &told.alert_webhooks);
    all.extend(boxes(operators, &told.alert_mail));
    all.extend(hooks(public, &told.webhooks));
    all.extend(boxes(public, &told.mail));
    all.extend(recipient.map(|to| ("a recipient", Way::Mailbox(to))));
    all.truncate(WAYS_MAX);
    all
}

/// Tries every way, in the order of the configuration: webhooks all at the same time; mailboxes one behind the other,
/// for mail of our own has one connection to a next hop that is surely free.
pub async fn try_all(config: &Config, hops: &Arc<Hops>, recipient: Option<Address>, at: Timestamp) -> Vec<Tried> {
    let told = &config.notices.announcements;
    let authorities = Authorities::with(told.webhook_ca.as_deref());
    let (mut trying, one_mail) = (JoinSet::new(), Arc::new(Mutex::new(())));
    for (number, (whom, way)) in ways(told, recipient).into_iter().enumerate() {
        let (hops, host, authorities) = (hops.clone(), config.hostname.clone(), authorities.clone());
        let one_mail = one_mail.clone();
        trying.spawn(async move {
            let _turn = if matches!(way, Way::Mailbox(_)) { Some(one_mail.lock().await) } else { None };
            (number, one(whom, way, number, &host, &hops, &authorities, at).await)
        });
    }
    let mut tried = trying.join_all().await;
    tried.sort_by_key(|(number, _)| *number);
    tried.into_iter().map(|(_, one)| one).collect()
}

async fn one(
    whom: &'static str,
    way: Way,
    number: usize,
    host: &str,
    hops: &Hops,
    authorities: &Authorities,
    at: Timestamp,
) -> Tried {
    let began = Instant::now();
    let (to, by) = match &way {
        Way::Hook(hook) => (hook.shown(), hook.host().to_owned()),
        Way::Mailbox(to) => (to.as_str().to_owned(), hops.of(Direction::Internal).name().to_owned()),
    };
    let said = tokio::time::timeout(TIME, say(&way, whom, number, host, hops, authorities, at)).await;
    let said = said.unwrap_or_else(|_| Err(format!("no answer within {} s", TIME.as_secs())));
    // A mail host's last word is an answer even where it is a refusal.
    let is_taken = said.as_ref().is_ok_and(|answer| answer.starts_with('2'));
    let (Ok(answer) | Err(answer)) = said;
    Tried { whom, to, is_taken, by, answer, took: began.elapsed() }
}

async fn say(
    way: &Way,
    whom: &str,
    number: usize,
    host: &str,
    hops: &Hops,
    authorities: &Authorities,
    at: Timestamp,
) -> Result<String, String> {
    let told = format!(
        "This is a test of {host}: somebody wants to know whether notices to {whom} arrive here. Nothing has happened, \
         and there is nothing to do."
    );
    match way {
        Way::Hook(hook) => {
            let body =
                json!({ "test": true, "kind": "test", "at": at, "subject": format!("{MARK} notice"), "text": told });
            hook.post(&body, &authorities.client()?).await
        }
        Way::Mailbox(to) => {
            let (subject, text) = (format!("{MARK} Mail protection: a test notice"), format!("{told}\r\n"));
            let name = format!("test.{}.{number}", at.as_micros());
            system_mail::deliver(hops, to, &Letter { host, to, subject, at, name, text }.compose()).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_a_webhook_nothing_is_shown_but_its_host() {
        let mut config =
            Config::parse(crate::config::EXAMPLE, std::path::Path::new(".")).expect("the example is right");
        let hook = Webhook::parse("http://127.0.0.1:1/SECRET?token=SECRET").expect("an address");
        config.notices.announcements.alert_webhooks = vec![hook.clone()];
        let hops = Arc::new(Hops::new(&config, 1, &system_mail::timeouts()));
        let tried = try_all(&config, &hops, None, Timestamp::from_micros(0)).await;
        assert!(!format!("{tried:?}").contains("SECRET"), "{tried:?}");
        assert_eq!(tried[0].to, hook.shown());
    }

    #[test]
    fn every_way_that_is_configured_is_tried_once() {
        let hook = |url: &str| Webhook::parse(url).expect("an address");
        let mailbox = |text: &str| Address::parse(text).expect("an address");
        let told = Announcements {
            webhooks: vec![hook("https://public.example/a")],
            mail: vec![mailbox("all@ours.example")],
            alert_webhooks: vec![hook("https://ops.example/b")],
            alert_mail: vec![mailbox("ops@ours.example")],
            webhook_ca: None,
        };
        let whom = |recipient| ways(&told, recipient).into_iter().map(|(whom, _)| whom).collect::<Vec<_>>();
        assert_eq!(whom(None), ["operators", "operators", "the public", "the public"]);
        assert_eq!(whom(Some(mailbox("b@ours.example"))).last(), Some(&"a recipient"));
        assert!(ways(&Announcements::default(), None).is_empty());
    }
}
