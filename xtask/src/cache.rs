//! The user's cache: what tests need, was downloaded once, and is installed nowhere.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// Our folder in it.
pub(crate) fn folder() -> Result<PathBuf> {
    let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    Ok(home.context("neither XDG_CACHE_HOME nor HOME is set")?.join("reprieve"))
}
