//! The simulator: many seeds, or one of them with everything that happens in it.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;

use crate::ci::cargo;

/// Plays so many seeds, from 0 on.
pub(crate) fn many(count: &str) -> Result<()> {
    let count: u64 = count.parse().with_context(|| format!("'{count}' is no number of seeds"))?;
    play(&format!("0..{count}"))
}

/// Plays one seed and prints what happens.
pub(crate) fn one(seed: &str) -> Result<()> {
    let seed: u64 = seed.parse().with_context(|| format!("'{seed}' is no seed"))?;
    play(&seed.to_string())
}

fn play(seeds: &str) -> Result<()> {
    // As the tests build it; alone it would be built with other features.
    cargo(&["build", "--profile", "ci", "--workspace", "--bin", "simulator"], &[])?;
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let program = metadata.target_directory.join("ci/simulator");
    let status = Command::new(&program).arg(seeds).status().with_context(|| format!("{program}"))?;
    ensure!(status.success(), "the simulator found a fault");
    Ok(())
}
