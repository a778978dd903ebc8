//! The tools that make reports as pages, whose output must never be held: installed with pip into the user's cache, in
//! the versions that are pinned here. They are no part of the product.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const PACKAGES: &str = include_str!("reports.txt");
/// Changes with the versions.
const FOLDER: &str = "reports-1";

/// The folder with the packages; none where pip is absent or has nowhere to take them from.
pub(crate) fn installed() -> Result<Option<PathBuf>> {
    let cache = crate::cache::folder()?.join(FOLDER);
    let done = cache.join("done");
    if done.is_file() {
        return Ok(Some(cache));
    }
    std::fs::create_dir_all(&cache)?;
    std::fs::write(cache.join("packages.txt"), PACKAGES)?;
    let words = ["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", ".", "-r", "packages.txt"];
    let installed = Command::new("pip3").args(words).current_dir(&cache).status();
    if !installed.is_ok_and(|status| status.success()) {
        println!("pip3 installs no tools for reports here: the test of what they make is left out");
        return Ok(None);
    }
    std::fs::write(&done, "").with_context(|| done.display().to_string())?;
    ensure!(cache.join("plotly").is_dir(), "pip3 has installed nothing");
    Ok(Some(cache))
}
