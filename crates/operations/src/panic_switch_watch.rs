//! Whoever moves the panic switch moves it past every other rule: it is written down, and people are called while it
//! holds.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use store::audit::Act;
use store::notices::alert::{AlertKind, NewAlert};
use store::{AuditStore, NoticeStore, StoreError};
use tokio::sync::watch;

use platform::clock::Clock;
use platform::panic_switch::{PanicSwitch, SwitchPosition};
use platform::reconciler::{Beat, Reconciler, RoundError};
use platform::signals::Signals;

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);
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
