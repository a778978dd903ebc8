//! Whether the clock is believed, for everything that removes by age: asked before each removal, shown to whoever looks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use domain::removal::{Doubt, Reading};
use store::reading::Remembered;
use store::{Store, StoreError};

use crate::clock::Clock;

/// What was found when the clock was last looked at.
#[derive(Clone, Debug)]
pub struct Looked {
    /// What the clock said.
    pub now: Timestamp,
    /// The last moment that has certainly come.
    pub reached: Timestamp,
    /// Why the clock is not believed; none when it is.
    pub doubt: Option<Doubt>,
    /// When a person last said that it is right.
    pub confirmed: Option<Timestamp>,
}

/// Whether anything may be removed for its age.
#[derive(Clone, Debug)]
pub struct Removal {
    clock: Arc<dyn Clock>,
    bound: Duration,
    last: Arc<Mutex<Option<Looked>>>,
    /// One look at a time: each takes the place of the one before.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl Removal {
    /// With a clock that may be `bound` away from the time that has certainly passed.
    pub fn new(clock: Arc<dyn Clock>, bound: Duration) -> Self {
        Self { clock, bound, last: Arc::default(), looking: Arc::default() }
    }

    /// What was found last; none before the first look.
    pub fn last(&self) -> Option<Looked> {
        self.last.lock().expect("nobody panics while holding this").clone()
    }

    /// Looks at the clock, and remembers what is certain. A store without a reading is as old as what was recorded in it last: so it must be asked
    /// once before anything is written by this run.
    ///
    /// # Errors
    /// When the store fails; then nothing is known, and nothing may be removed.
    pub async fn look(&self, store: &Store) -> Result<Looked, StoreError> {
        let _alone = self.looking.lock().await;
        let (now, uptime) = (self.clock.now(), self.clock.uptime());
        let (known, confirmed) = match store.clock_reading().await? {
            Some(Remembered { reading, confirmed }) => (reading, confirmed),
            None => {
                let at = store.newest_moment().await?.unwrap_or(now);
                (Reading { at, uptime: domain::removal::Uptime { boot: String::new(), up: Duration::ZERO } }, None)
            }
        };
        let reached = known.reached(&uptime);
        let (doubt, reading) = known.judge(now, &uptime, self.bound);
        store.remember_reading(Remembered { reading, confirmed }).await?;
        Ok(self.keep(Looked { now, reached, doubt, confirmed }))
    }

    /// A person says that the clock is right: it is believed from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn confirm(&self, store: &Store) -> Result<Looked, StoreError> {
        let _alone = self.looking.lock().await;
        let (now, uptime) = (self.clock.now(), self.clock.uptime());
        let confirmed = Some(now);
        store.remember_reading(Remembered { reading: Reading { at: now, uptime }, confirmed }).await?;
        Ok(self.keep(Looked { now, reached: now, doubt: None, confirmed }))
    }

    fn keep(&self, looked: Looked) -> Looked {
        crate::measure::clock_doubted(looked.doubt.is_some());
        *self.last.lock().expect("nobody panics while holding this") = Some(looked.clone());
        looked
    }
}
