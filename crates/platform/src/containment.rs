//! The containment state in force, where every message finds it. It is in memory on each node: what failed cannot keep
//! it from acting.

use std::sync::{Arc, Mutex};

use domain::containment::Containment;

/// A handle; all copies are one.
#[derive(Clone, Debug, Default)]
pub struct ContainmentInForce(Arc<Mutex<Arc<Containment>>>);

impl ContainmentInForce {
    /// What is in force.
    pub fn now(&self) -> Arc<Containment> {
        self.0.lock().expect("nobody panics while holding the containment").clone()
    }

    /// Puts another state in force, for every verdict from now on.
    pub fn put(&self, containment: Containment) {
        *self.0.lock().expect("nobody panics while holding the containment") = Arc::new(containment);
    }
}
