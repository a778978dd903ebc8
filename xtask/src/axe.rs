//! axe-core, which the browser tests ask whether a page can be used by everybody: downloaded from the Python package
//! that carries it, checked against its digest, and unpacked into the user's cache. It is no part of the product (its
//! licence is the MPL).

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The package as pip is to find it: axe-core 4.12.1.
const PACKAGE: &str =
    "axe-playwright-python==0.1.8 --hash=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8\n";
/// The script in it.
const SCRIPT: &str = "axe_playwright_python/axe.min.js";

/// The script; downloads it where that is not done.
pub(crate) fn unpacked() -> Result<PathBuf> {
    let cache = crate::cache::folder()?.join("axe-0.1.8");
    let script = cache.join(SCRIPT);
    if script.is_file() {
        return Ok(script);
    }
    std::fs::create_dir_all(&cache)?;
    std::fs::write(cache.join("package.txt"), PACKAGE)?;
    let words = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", "package.txt"];
    run(Command::new("pip3").args(words).current_dir(&cache))?;
    let packed = std::fs::read_dir(&cache)?.filter_map(Result::ok).map(|entry| entry.path());
    let packed = packed.filter(|path| path.extension().is_some_and(|end| end == "whl")).max();
    let packed = packed.context("pip3 has downloaded nothing")?;
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(packed).arg(&cache))?;
    ensure!(script.is_file(), "the package has no {SCRIPT} any more");
    Ok(script)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
