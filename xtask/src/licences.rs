//! The licence of every dependency, from `cargo metadata`, against the list of `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

/// Checks all packages of the lock file.
pub(crate) fn run() -> Result<()> {
    let list: toml::Table = toml::from_str(&std::fs::read_to_string("deny.toml").context("deny.toml")?)?;
    let words = |value: &toml::Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let allowed = words(&list["licenses"]["allow"]);
    let mut clarified = BTreeMap::new();
    for entry in list["licenses"].get("clarify").and_then(toml::Value::as_array).into_iter().flatten() {
        if let (Some(crate_), Some(expression)) = (entry["crate"].as_str(), entry["expression"].as_str()) {
            clarified.insert(crate_.to_owned(), expression.to_owned());
        }
    }
    for aside in ["bench/Cargo.toml", "fuzz/Cargo.toml"] {
        // Workspaces that CI does not build: their verbs would refuse a lock file that another change has left behind.
        metadata(aside)
            .with_context(|| format!("{aside}: `cargo metadata --manifest-path {aside}` mends its lock file"))?;
    }
    let metadata = metadata("Cargo.toml")?;
    let mut refused = Vec::new();
    for package in &metadata.packages {
        let expression =
            clarified.get(package.name.as_str()).cloned().or_else(|| package.license.clone()).unwrap_or_default();
        if !holds(&expression, &allowed) {
            refused.push(format!("{} {}: '{expression}'", package.name, package.version));
        }
    }
    ensure!(refused.is_empty(), "licences that deny.toml does not allow:\n  {}", refused.join("\n  "));
    println!("{} packages, every licence allowed", metadata.packages.len());
    Ok(())
}

/// The packages of a workspace, as its lock file has them.
fn metadata(manifest: &str) -> Result<Metadata> {
    Ok(MetadataCommand::new().manifest_path(manifest).other_options(["--locked".to_owned()]).exec()?)
}

/// Whether an SPDX expression is satisfied by the allowed licences: one side of an OR, all sides of an AND.
fn holds(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    if let Some(parts) = split(expression, " AND ") {
        return parts.iter().all(|part| holds(part, allowed));
    }
    if let Some(parts) = split(expression, " OR ") {
        return parts.iter().any(|part| holds(part, allowed));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => holds(inner, allowed),
        None => allowed.contains(expression),
    }
}

/// Splits at an operator outside brackets; nothing if there is none.
fn split(expression: &str, operator: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut depth = 0_i32;
    let mut rest = expression;
    while let Some(c) = rest.chars().next() {
        if depth == 0 && rest.starts_with(operator) {
            parts.push(String::new());
            rest = &rest[operator.len()..];
            continue;
        }
        depth += i32::from(c == '(') - i32::from(c == ')');
        parts.last_mut()?.push(c);
        rest = &rest[c.len_utf8()..];
    }
    (parts.len() > 1).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed: BTreeSet<String> = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned).into();
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("(MIT OR GPL-2.0) AND ISC", true),
            ("MIT AND GPL-2.0", false),
            ("", false),
        ] {
            assert_eq!(holds(expression, &allowed), expected, "{expression}");
        }
    }
}
