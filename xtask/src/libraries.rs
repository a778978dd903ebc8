//! The libraries that the program contains, with their licences: a package has to bring the text of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::ci;

/// Beginnings of the names of files that a library has its licence in.
const LICENCE_FILES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];

/// Each library, its version and its licence, and then each text of a licence with the libraries that have it.
pub(crate) fn told() -> Result<String> {
    let host = host()?;
    let features = CargoOpt::SomeFeatures(vec![ci::FEATURES[1].to_owned()]);
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), host];
    let metadata = MetadataCommand::new().features(features).other_options(options).exec()?;
    let linked = linked(&metadata)?;
    let mut out = "Libraries in the program, and their licences.\n\n".to_owned();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut packages: Vec<&Package> =
        metadata.packages.iter().filter(|package| linked.contains(&package.id) && package.source.is_some()).collect();
    packages.sort_by_key(|package| (package.name.to_string(), package.version.clone()));
    for package in packages {
        let name = format!("{} {}", package.name, package.version);
        writeln!(out, "{name}: {}", package.license.as_deref().unwrap_or("see its text"))?;
        for text in licence_texts(package)? {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (text, names) in texts {
        let names: Vec<String> = names.into_iter().collect();
        write!(out, "\n{}\n{}\n\n{}\n", "=".repeat(78), names.join(", "), text.trim_end())?;
    }
    Ok(out)
}

/// The kind of machine that we build for.
fn host() -> Result<String> {
    let told = crate::package::said(std::process::Command::new("rustc").arg("-vV"))?;
    told.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc says no host")
}

/// Everything that comes into the program by a dependency that is not for tests or builds alone.
fn linked(metadata: &Metadata) -> Result<BTreeSet<PackageId>> {
    let resolve = metadata.resolve.as_ref().context("cargo has resolved nothing")?;
    let root = metadata.packages.iter().find(|package| package.name.as_str() == "reprieve").context("no reprieve")?;
    let mut seen = BTreeSet::new();
    let mut next = vec![root.id.clone()];
    while let Some(id) = next.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let node = resolve.nodes.iter().find(|node| node.id == id);
        for dependency in node.iter().flat_map(|node| &node.deps) {
            if dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal) {
                next.push(dependency.pkg.clone());
            }
        }
    }
    Ok(seen)
}

fn licence_texts(package: &Package) -> Result<Vec<String>> {
    let folder = package.manifest_path.parent().context("a manifest is in a folder")?;
    let mut texts = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if LICENCE_FILES.iter().any(|beginning| name.starts_with(beginning)) && entry.path().is_file() {
            texts.push(String::from_utf8_lossy(&fs::read(entry.path())?).into_owned());
        }
    }
    Ok(texts)
}
