//! Exim and OpenSMTPD for the tests: Debian's MTAs exclude one another, so these are downloaded and unpacked into the
//! user's cache, and never installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const PACKAGES: [&str; 3] = ["exim4-daemon-light", "exim4-base", "opensmtpd"];

/// The folder that they are unpacked in; downloads them where that is not done.
pub(crate) fn unpacked() -> Result<PathBuf> {
    let cache = crate::cache::folder()?.join("mtas");
    let root = cache.join("root");
    if ["exim4", "smtpd"].iter().all(|program| root.join("usr/sbin").join(program).is_file()) {
        return Ok(root);
    }
    std::fs::create_dir_all(&cache)?;
    let download = || run(Command::new("apt-get").arg("download").args(PACKAGES).current_dir(&cache));
    if download().is_err() {
        // A machine that has had everything else may never have asked what there is.
        run(Command::new("apt-get").args(["update", "-qq"]))?;
        download()?;
    }
    for entry in std::fs::read_dir(&cache)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&root))?;
        }
    }
    ensure!(Path::new(&root).join("usr/sbin/smtpd").is_file(), "opensmtpd has no smtpd any more");
    Ok(root)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
