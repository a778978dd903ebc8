//! What is believed of detections: the journal of evidence, read in its order. The sentinel acts on this and the
//! console shows it, so both come by it in one way.

use std::collections::BTreeMap;

use domain::detection::DetectionCode;
use domain::sentinel::{State, Suspect, Suspicion};
use store::{EvidenceStore, StoreError};

/// Unreadable lines that are named.
const NAMED_MAX: usize = 100;

/// What the journal says, as far as it was read.
#[derive(Debug, Default)]
pub struct Belief {
    seq: i64,
    /// What is believed of each suspect that the journal speaks of.
    pub suspicions: BTreeMap<Suspect, Suspicion>,
    /// Lines that cannot be read, the first hundred: they count as if they were not there, for everybody.
    pub unreadable: Vec<String>,
}

impl Belief {
    /// All that the journal says.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_all(journal: &EvidenceStore) -> Result<Self, StoreError> {
        let mut belief = Self::default();
        belief.catch_up(journal).await?;
        Ok(belief)
    }

    /// What it says of one detection, in all its versions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn about(journal: &EvidenceStore, code: &DetectionCode) -> Result<Self, StoreError> {
        let mut belief = Self::default();
        belief.read(journal, Some(code)).await?;
        Ok(belief)
    }

    /// Takes up what was added. Returns the states that suspects went through.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn catch_up(&mut self, journal: &EvidenceStore) -> Result<Vec<(Suspect, State)>, StoreError> {
        self.read(journal, None).await
    }

    async fn read(
        &mut self,
        journal: &EvidenceStore,
        code: Option<&DetectionCode>,
    ) -> Result<Vec<(Suspect, State)>, StoreError> {
        let mut passed = Vec::new();
        loop {
            let evidence = journal.evidence_after(self.seq, code).await?;
            let Some(last) = evidence.last else { return Ok(passed) };
            self.seq = last;
            self.unreadable.extend(evidence.unreadable);
            self.unreadable.truncate(NAMED_MAX);
            for line in evidence.lines {
                let suspicion = self.suspicions.entry(line.suspect.clone()).or_default();
                let states = suspicion.on(&line.event);
                passed.extend(states.into_iter().map(|state| (line.suspect.clone(), state)));
            }
        }
    }

    /// Whether the journal has said what this suspect is judged by.
    pub fn is_opened(&self, suspect: &Suspect) -> bool {
        self.suspicions.get(suspect).is_some_and(Suspicion::is_opened)
    }
}
