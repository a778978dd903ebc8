//! The package of the program that the tests have built, in a fresh Debian: installed, set up, upgraded, removed. The
//! story itself is `crates/reprieve/tests/package.rs`.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

use crate::package::{Package, Packing, said};
use crate::{ci, debian};

/// What it needs, beside what the tests need: a program, and Debian's package that has it.
const TOOLS: [(&str, &str); 4] = [
    ("debootstrap", "debootstrap"),
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("strip", "binutils"),
    ("systemd-analyze", "systemd"),
];

/// Makes the package and one of a version after it, and has the story played.
pub(crate) fn run() -> Result<()> {
    if said(std::process::Command::new("id").arg("-u"))?.trim() != "0" {
        println!("skipped: only root makes a Debian in a folder and installs the package in it; run this as root");
        return Ok(());
    }
    ci::install_missing(&TOOLS)?;
    let debian = debian::packed()?;
    let target = MetadataCommand::new().no_deps().exec()?.target_directory;
    let program = target.join("ci/reprieve");
    let folder = target.join("package-test");
    let made = |version: &str| {
        let package = Package { program: program.as_std_path(), version, packing: Packing::Quick };
        package.make(folder.as_std_path())
    };
    let first = made(env!("CARGO_PKG_VERSION"))?;
    let second = made(concat!(env!("CARGO_PKG_VERSION"), "+later"))?;
    let test = ["test", "--profile", "ci", "--workspace", "--locked"];
    let words = [&test[..], &ci::FEATURES, &["--test", "package", "--", "--nocapture"]].concat();
    let text = |path: &Path| path.to_str().map(str::to_owned).context("the target folder's path is not UTF-8");
    let environment = [
        ("REPRIEVE_TEST_DEBIAN", text(&debian)?),
        ("REPRIEVE_TEST_PACKAGE", text(&first)?),
        ("REPRIEVE_TEST_LATER_PACKAGE", text(&second)?),
    ];
    ci::cargo(&words, &environment.each_ref().map(|(name, value)| (*name, value.as_str())))?;
    Ok(std::fs::remove_dir_all(folder)?)
}
