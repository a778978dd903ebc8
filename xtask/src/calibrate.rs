//! The points of the scorecards, estimated anew from a folder of mail that is known to be good or bad. The mail stays
//! where it is; what changes are the files `scorecard.txt` in `detections/`, to be read as a diff before they land.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;

use crate::ci::cargo;

/// Runs detect's example `calibrate` on `folder` and the repository's detections.
pub(crate) fn run(folder: &str) -> Result<()> {
    let folder = std::fs::canonicalize(folder).with_context(|| format!("there is no folder {folder}"))?;
    for kind in ["good", "phish", "spam"] {
        ensure!(folder.join(kind).is_dir(), "{} has no sub-folder {kind}", folder.display());
    }
    // The whole workspace, so that nothing is built a second time with other features.
    cargo(&["build", "--profile", "ci", "--workspace", "--example", "calibrate", "--locked"], &[])?;
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let program = metadata.target_directory.join("ci/examples/calibrate");
    let detections = metadata.workspace_root.join("detections");
    let status = Command::new(&program).arg(&folder).arg(&detections).status();
    ensure!(status.with_context(|| program.to_string())?.success(), "the estimate failed");
    Ok(())
}
