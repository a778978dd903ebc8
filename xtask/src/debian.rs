//! A fresh Debian 12 for the test of the package: made once by debootstrap, of the mirror that this host's apt is set
//! to, and kept in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::package::{run_quietly, said};

/// The release, by its code name.
const RELEASE: &str = "bookworm";
/// What the package depends on and the smallest Debian does not have: it is installed without a network.
const INCLUDED: &str = "ca-certificates";

/// The packed tree; it is made where it is not there yet, as root.
pub(crate) fn packed() -> Result<PathBuf> {
    let cache = crate::cache::folder()?;
    let kept = cache.join(format!("debian-{RELEASE}+{INCLUDED}.tar.gz"));
    if kept.is_file() {
        return Ok(kept);
    }
    println!("making a fresh Debian, once: some minutes");
    // Beside its place, so that what is interrupted is never taken for a whole one.
    let making = cache.join(format!("debian-{RELEASE}.making"));
    if making.exists() {
        fs::remove_dir_all(&making)?;
    }
    fs::create_dir_all(&making)?;
    let tree = making.join("tree");
    let words = ["--variant=minbase", "--include", INCLUDED, RELEASE];
    run_quietly(Command::new("debootstrap").args(words).arg(&tree).arg(mirror()?))?;
    pack(&tree, &making.join("tree.tar.gz"))?;
    fs::rename(making.join("tree.tar.gz"), &kept)?;
    fs::remove_dir_all(&making)?;
    Ok(kept)
}

/// The mirror that apt takes this release from.
fn mirror() -> Result<String> {
    let told = said(Command::new("apt-get").args(["indextargets", "--format", "$(CODENAME)|$(COMPONENT)|$(SITE)"]))?;
    let begins = format!("{RELEASE}|main|");
    let found = told.lines().find_map(|line| line.strip_prefix(&begins));
    found.map(str::to_owned).with_context(|| format!("apt of this host has no mirror with Debian's {RELEASE}"))
}

/// Without the downloaded packages, which are installed in it.
fn pack(tree: &Path, to: &Path) -> Result<()> {
    run_quietly(
        Command::new("tar")
            .args(["--create", "--use-compress-program", "gzip -1", "--exclude", "./var/cache/apt/archives/*.deb"])
            .arg("--file")
            .arg(to)
            .arg("--directory")
            .arg(tree)
            .arg("."),
    )
}
