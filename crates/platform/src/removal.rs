//! Whether the clock is believed, for everything that removes by age: asked before each removal, shown to whoever
//! looks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Timestamp;
use domain::removal::{Doubt, Reading};
use store::upkeep::reading::Remembered;
use store::{StoreError, UpkeepStore};

use crate::clock::Clock;

/// How often a look begins anew because another process has looked meanwhile.
const TRIES_MAX: u32 = 10;

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

/// A reading of this process, and when the clock had been confirmed then.
#[derive(Debug)]
struct Own {
    reading: Reading,
    confirmed: Option<Timestamp>,
}

/// Whether anything may be removed for its age.
#[derive(Clone, Debug)]
pub struct Removal {
    clock: Arc<dyn Clock>,
    bound: Duration,
    last: Arc<Mutex<Option<Looked>>>,
    /// What this process has read itself. One look at a time: each takes the place of the one before.
    own: Arc<tokio::sync::Mutex<Option<Own>>>,
}

impl Removal {
    /// With a clock that may be `bound` away from the time that has certainly passed.
    pub fn new(clock: Arc<dyn Clock>, bound: Duration) -> Self {
        Self { clock, bound, last: Arc::default(), own: Arc::default() }
    }

    /// What was found last; none before the first look.
    pub fn last(&self) -> Option<Looked> {
        self.last.lock().expect("nobody panics while holding this").clone()
    }

    /// Looks at the clock, and remembers what is certain. A store without a reading is as old as what was recorded in
    /// it last: so it must be asked once before anything is written by this run.
    ///
    /// # Errors
    /// When the store fails; then nothing is known, and nothing may be removed.
    pub async fn look(&self, upkeep: &UpkeepStore) -> Result<Looked, StoreError> {
        let mut own = self.own.lock().await;
        for _ in 0..TRIES_MAX {
            let (now, uptime) = (self.clock.now(), self.clock.uptime());
            let known = upkeep.clock_reading().await?;
            let (turn, confirmed) = known.as_ref().map_or((0, None), |known| (known.turn, known.confirmed));
            let mut reading = match known {
                Some(known) => known.reading,
                None => Reading::of_a_record(upkeep.newest_moment().await?.unwrap_or(now)),
            };
            // What was read before a person confirmed the clock proves nothing beside it.
            if let Some(own) = own.as_ref().filter(|own| own.confirmed == confirmed) {
                reading = reading.beside(&own.reading, &uptime);
            }
            let reached = reading.reached(&uptime);
            let (doubt, next) = reading.judge(now, &uptime, self.bound);
            let remembered = Remembered { reading: next.clone(), confirmed, turn: turn + 1 };
            if upkeep.remember_reading(remembered).await? {
                *own = Some(Own { reading: next, confirmed });
                return Ok(self.keep(Looked { now, reached, doubt, confirmed }));
            }
        }
        Err(too_many())
    }

    /// A person says that the clock is right: it is believed from now on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn confirm(&self, upkeep: &UpkeepStore) -> Result<Looked, StoreError> {
        let mut own = self.own.lock().await;
        for _ in 0..TRIES_MAX {
            let (now, uptime) = (self.clock.now(), self.clock.uptime());
            let turn = upkeep.clock_reading().await?.map_or(0, |known| known.turn);
            let (reading, confirmed) = (Reading { at: now, uptime, unproven: Duration::ZERO }, Some(now));
            if upkeep.remember_reading(Remembered { reading: reading.clone(), confirmed, turn: turn + 1 }).await? {
                *own = Some(Own { reading, confirmed });
                return Ok(self.keep(Looked { now, reached: now, doubt: None, confirmed }));
            }
        }
        Err(too_many())
    }

    fn keep(&self, looked: Looked) -> Looked {
        crate::measure::clock_doubted(looked.doubt.is_some());
        *self.last.lock().expect("nobody panics while holding this") = Some(looked.clone());
        looked
    }
}

fn too_many() -> StoreError {
    StoreError::Busy("other processes look at the clock all the time".into())
}
