//! What is in force, and its bytes for those that examine.

use std::sync::{Arc, OnceLock};

use detect::in_force::InForce;
use detect::limits::Limits;

use super::child::{NotStarted, Worker};

/// What is in force. The bytes are made once, when the first of them is started over it.
#[derive(Debug)]
pub(super) struct Force {
    pub(super) in_force: Arc<InForce>,
    packed: OnceLock<Result<Vec<u8>, String>>,
}

impl Force {
    pub(super) fn new(in_force: InForce) -> Arc<Self> {
        Arc::new(Self { in_force: Arc::new(in_force), packed: OnceLock::new() })
    }

    pub(super) fn start(&self, limits: &Limits, nice: i32) -> Result<Worker, NotStarted> {
        let packed = self.packed.get_or_init(|| self.in_force.pack().map_err(|error| error.to_string()));
        let packed = packed.as_ref().map_err(|why| NotStarted::Ended(why.clone()))?;
        Worker::start(&self.in_force, packed, limits, nice)
    }
}
