//! Whoever moves the panic switch moves it past every other rule: it is written down, and people are called while it
//! holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use store::audit::Act;
use store::notices::alert::{AlertKind, NewAlert};
use store::{AuditStore, NoticeStore, StoreError};
use tokio::sync::watch;

use platform::bypassed;
use platform::clock::Clock;
use platform::panic_switch::{PanicSwitch, SwitchPosition};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);
/// An episode whose last mail passed longer ago is not what has just ended.
const LATELY: Duration = Duration::from_secs(24 * 3600);
/// Who acts, in the audit log: the file says no more.
const ACTOR: &str = "root of this host";

/// The reconciler.
#[derive(Clone, Debug)]
pub struct PanicSwitchWatcher {
    /// The audit log.
    pub audit: AuditStore,
    /// What people are called for and told.
    pub notices: NoticeStore,
    /// The switch.
    pub switch: PanicSwitch,
    /// The file that lists what passed unexamined.
    pub list: PathBuf,
    /// Domain time.
    pub clock: Arc<dyn Clock>,
    /// Wakes those who tell people.
    pub signals: Signals,
}

impl Reconciler for PanicSwitchWatcher {
    type Memory = SwitchPosition;

    fn beat(&self) -> Beat {
        Beat::every(PERIOD, "panic switch", "a move of the panic switch could not be written down")
    }

    /// One round: a move is written down, and what holds is called out once a day. `known` is what was written down
    /// last.
    async fn round(&self, known: &mut SwitchPosition, _: &watch::Receiver<bool>) -> Result<bool, RoundError> {
        let (stance, now) = (self.switch.stance(), self.clock.now());
        if stance != *known {
            let action = match stance {
                SwitchPosition::Normal => "panic.end",
                SwitchPosition::Bypass => "panic.bypass",
                SwitchPosition::TempfailAll => "panic.tempfail-all",
            };
            let act = Act {
                at: now,
                actor: ACTOR.into(),
                action: action.into(),
                object: "panic switch".into(),
                reason: String::new(),
                detail: String::new(),
            };
            self.audit.record_acts(vec![act]).await?;
            if *known == SwitchPosition::Bypass {
                self.tell_what_passed(now).await?;
            }
            *known = stance;
        }
        match stance {
            SwitchPosition::Normal => {}
            SwitchPosition::Bypass => {
                self.call("bypass", "Mail passes unexamined: the panic switch says bypass.", now).await?
            }
            SwitchPosition::TempfailAll => {
                self.call("tempfail-all", "All mail is put off (451): the panic switch says tempfail-all.", now)
                    .await?;
            }
        }
        Ok(false)
    }
}

impl PanicSwitchWatcher {
    /// The switch says `bypass` no more: how much passed meanwhile, and where it is listed.
    async fn tell_what_passed(&self, now: Timestamp) -> Result<(), StoreError> {
        let file = self.list.clone();
        let read = tokio::task::spawn_blocking(move || bypassed::read(&file, None, 0)).await;
        let episodes = match read.map_err(std::io::Error::other).and_then(|read| read) {
            Ok((episodes, _)) => episodes,
            // That the switch was moved is written down already, and once.
            Err(error) => {
                tracing::warn!(%error, "the list of what passed unexamined cannot be read");
                return Ok(());
            }
        };
        let Some(last) = episodes.last().filter(|last| last.mails.1.after(LATELY) >= now) else { return Ok(()) };
        let (count, (first, latest)) = (last.count, last.mails);
        let text = format!(
            "The panic switch says bypass no more. {count} mails passed unexamined between {first} and {latest}: \
             `reprieve bypassed --episode {}` lists them. Their bytes were not kept: they are in the \
             mailboxes of their recipients.",
            last.from
        );
        let (key, subject) = (format!("panic/bypassed/{}", last.from), "bypass has ended".to_owned());
        if self.notices.raise_alert(NewAlert { key, at: now, kind: AlertKind::Panic, subject, text }).await? {
            self.signals.operators.notify_one();
        }
        Ok(())
    }

    async fn call(&self, what: &str, told: &str, at: Timestamp) -> Result<(), StoreError> {
        let day = at.to_string().chars().take(10).collect::<String>();
        let text = format!(
            "{told} Whoever has root on the host has moved it; removing the file ends it, and so does its own time."
        );
        let (key, subject) = (format!("panic/{what}/{day}"), what.to_owned());
        if self.notices.raise_alert(NewAlert { key, at, kind: AlertKind::Panic, subject, text }).await? {
            self.signals.operators.notify_one();
        }
        Ok(())
    }
}
