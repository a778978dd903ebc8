//! Mail for people who look at it: read and drawn where it is examined, behind the same walls, by a process that is
//! there while somebody looks.

use std::sync::Arc;
use std::time::Duration;

use detect::in_force::InForce;
use detect::limits::Limits;
use detect::preview::{Picture, Shown, Wish};
use detect::ruleset::load;

use super::force::Force;
use super::frame::{Ask, Said, Task};
use super::lane::Lane;

/// Time for one look.
const LOOK_TIME: Duration = Duration::from_secs(10);
/// How far it stands back behind live mail (nice 0 to 19): somebody waits for it.
const NICE: i32 = 5;
/// What a process says that is not what it was asked for.
const MISUNDERSTOOD: &str = "it was answered something else";

/// The way to the process that shows mail.
#[derive(Clone, Debug)]
pub struct Viewer {
    lane: Lane,
    /// No detection at all: who looks judges for themselves.
    force: Arc<Force>,
}

impl Viewer {
    /// Makes the way; the process is started when somebody looks.
    ///
    /// # Errors
    /// When there is no thread for it; for people.
    pub fn start(limits: &Limits) -> Result<Self, String> {
        let nothing = load::all_of(Vec::new()).map_err(|error| error.to_string())?;
        let force = Force::new(InForce::only(nothing));
        Ok(Self { lane: Lane::start(&force, limits, 1, NICE)?, force })
    }

    /// The plain texts of a mail.
    ///
    /// # Errors
    /// Why it cannot be shown, for people.
    pub async fn texts(&self, raw: Vec<u8>) -> Result<Vec<String>, String> {
        match self.show(raw, Wish::Texts).await? {
            Shown::Texts(texts) => Ok(texts),
            _ => Err(MISUNDERSTOOD.into()),
        }
    }

    /// Its HTML texts, each made harmless, with its own pictures drawn anew.
    ///
    /// # Errors
    /// Why it cannot be shown, for people.
    pub async fn pages(&self, raw: Vec<u8>) -> Result<Vec<String>, String> {
        match self.show(raw, Wish::Pages).await? {
            Shown::Pages(pages) => Ok(pages),
            _ => Err(MISUNDERSTOOD.into()),
        }
    }

    /// Its pictures, drawn anew.
    ///
    /// # Errors
    /// Why it cannot be shown, for people.
    pub async fn pictures(&self, raw: Vec<u8>) -> Result<Vec<Picture>, String> {
        match self.show(raw, Wish::Pictures).await? {
            Shown::Pictures(pictures) => Ok(pictures),
            _ => Err(MISUNDERSTOOD.into()),
        }
    }

    async fn show(&self, raw: Vec<u8>, wish: Wish) -> Result<Shown, String> {
        let task = Task { ask: Ask::Show(wish), time: LOOK_TIME };
        match self.lane.work(Arc::new(raw), task, self.force.clone()).await {
            Ok(Said::Shown(shown)) => Ok(shown),
            Ok(_) => Err(MISUNDERSTOOD.into()),
            Err(unanswered) => Err(unanswered.why()),
        }
    }
}
