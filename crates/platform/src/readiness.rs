//! Whether mail is taken now, and if not, why: asked by the gateway at MAIL and by `/readyz`, so that both say the
//! same.

use store::HealthStore;
use tokio::sync::watch;
use wire::smtp::reply::Reply;

use crate::disk::DiskSpace;
use crate::panic_switch::{PanicSwitch, SwitchPosition};

/// Why no mail is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The program ends.
    Stopping,
    /// The panic switch says tempfail-all.
    Closed,
    /// The store did not open.
    NoStore,
    /// The store's disk or database has failed.
    Broken(String),
    /// There is no room for more.
    Full,
}

impl Obstacle {
    /// What a client is told at MAIL.
    pub fn reply(&self) -> Reply {
        match self {
            Self::Stopping => Reply::new(421, "4.3.2 Shutting down, try again"),
            Self::Closed => Reply::new(451, "4.7.1 The gateway is closed for the moment, try again later"),
            Self::NoStore | Self::Broken(_) => Reply::new(451, "4.3.0 The store is not available, try again later"),
            Self::Full => Reply::new(452, "4.3.1 Not enough room, try again later"),
        }
    }

    /// What it is and what to do, for the operator.
    pub fn told(&self) -> String {
        let (code, what) = (self.reply().code, self.what());
        format!("not ready: every mail is answered {code}: {what}")
    }

    fn what(&self) -> String {
        match self {
            Self::Stopping => "the program is stopping".into(),
            Self::Closed => {
                "the panic switch says tempfail-all; removing its file ends that, and so does its own time".into()
            }
            Self::NoStore => {
                "the store is not open; the log says why, and restoring a backup helps where it is damaged".into()
            }
            Self::Broken(why) => format!(
                "the store has failed: {why}. Look at the volume and the system's log; restart when they are sound, \
                    and restore a backup \
                 where the database is damaged. The panic switch at bypass lets mail pass unexamined meanwhile"
            ),
            Self::Full => "the volume of the store has too little room; make some, or lower disk_floor_mib".into(),
        }
    }
}

/// What decides whether mail is taken.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Whether the store can be written; none if it did not open.
    pub store: Option<HealthStore>,
    /// Whether there is room for more.
    pub room: DiskSpace,
    /// The panic switch.
    pub panic_switch: PanicSwitch,
    /// Whether the program ends.
    pub stopping: watch::Receiver<bool>,
}

impl Readiness {
    /// What a new mail is refused for, if it is.
    pub fn obstacle(&self) -> Option<Obstacle> {
        if *self.stopping.borrow() {
            return Some(Obstacle::Stopping);
        }
        match self.panic_switch.stance() {
            SwitchPosition::TempfailAll => return Some(Obstacle::Closed),
            // Nothing of it is kept, so it needs neither store nor room.
            SwitchPosition::Bypass => return None,
            SwitchPosition::Normal => {}
        }
        let Some(store) = &self.store else { return Some(Obstacle::NoStore) };
        match store.fault() {
            Some(why) => Some(Obstacle::Broken(why)),
            None => self.room.is_low().then_some(Obstacle::Full),
        }
    }

    /// As [`Readiness::obstacle`], and what a mail would meet later: the last write found no room. The gateway goes on
    /// asking, since only a write that succeeds can tell that there is room again.
    pub fn seen_by_clients(&self) -> Option<Obstacle> {
        let is_full = || self.store.as_ref().is_some_and(HealthStore::is_full);
        let keeps = self.panic_switch.stance() != SwitchPosition::Bypass;
        self.obstacle().or_else(|| (keeps && is_full()).then_some(Obstacle::Full))
    }

    /// Whether mail passes without being examined.
    pub fn is_bypassed(&self) -> bool {
        self.panic_switch.stance() == SwitchPosition::Bypass
    }
}
