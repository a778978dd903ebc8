//! The files of a vendor: a folder that the person gives, or a package that its ordinary client fetches into the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::filler::Files;
use super::vendor::Vendor;

/// Bytes of a file at most; larger ones are no templates.
const FILE_MAX: u64 = 2_000_000;
/// Files of a vendor at most.
const FILES_MAX: usize = 60_000;
/// What templates and translations are called; the rest of a package is not kept.
const ENDS: [&str; 23] = [
    "html",
    "htm",
    "txt",
    "mjml",
    "hbs",
    "tpl",
    "tmpl",
    "gotmpl",
    "jinja",
    "jinja2",
    "j2",
    "erb",
    "ftl",
    "twig",
    "liquid",
    "php",
    "po",
    "json",
    "yml",
    "yaml",
    "properties",
    "handlebars",
    "email",
];

/// The files of a vendor, by their paths.
pub(super) struct Source {
    files: Vec<(String, PathBuf)>,
    texts: std::cell::RefCell<std::collections::BTreeMap<String, &'static str>>,
}

impl Source {
    /// The files of a vendor; none where they are neither in the person's folder nor to be had as a package.
    pub(super) fn of(vendor: &Vendor, folder: &Path) -> Result<Option<Self>> {
        let given = folder.join(&vendor.name);
        let root = if given.is_dir() { Some(given) } else { package(&vendor.from)? };
        let Some(root) = root else { return Ok(None) };
        let mut files = Vec::new();
        walk(&root, &root, &mut files)?;
        files.sort();
        Ok(Some(Self { files, texts: std::cell::RefCell::default() }))
    }

    /// The paths, in their order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(path, _)| path.as_str())
    }

    /// The text of a file; read once and kept until the program ends, as templates refer to it.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        if let Some(text) = self.texts.borrow().get(path) {
            return Some(text);
        }
        let at = self.files.binary_search_by(|(own, _)| own.as_str().cmp(path)).ok()?;
        let (_, file) = self.files.get(at)?;
        let bytes = std::fs::read(file).ok()?;
        let text: &'static str = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").leak();
        self.texts.borrow_mut().insert(path.to_owned(), text);
        Some(text)
    }
}

impl Files for Source {
    fn named(&self, name: &str) -> Option<&str> {
        let name = name.rsplit("::").next().unwrap_or(name).trim_start_matches("./").trim_start_matches('/');
        if name.is_empty() {
            return None;
        }
        let slashed = if name.contains('/') || name.ends_with("html") || name.ends_with("txt") {
            name.to_owned()
        } else {
            name.replace('.', "/")
        };
        let last = slashed.rsplit('/').next().unwrap_or(&slashed);
        let partial = slashed.strip_suffix(last).map(|folder| format!("{folder}_{last}")).unwrap_or_default();
        for wanted in [slashed.as_str(), partial.as_str(), last] {
            let exact = self.paths().find(|path| ends_in(path, wanted));
            let kinds = [
                ".html.hbs",
                ".hbs",
                ".html.erb",
                ".blade.php",
                ".html",
                ".tpl",
                ".html.tmpl",
                ".tmpl",
                ".twig",
                ".mjml",
                ".jinja",
                ".ftl",
                ".txt",
            ];
            let found = exact.or_else(|| {
                kinds.iter().find_map(|kind| {
                    let whole = format!("{wanted}{kind}");
                    self.paths().find(|path| ends_in(path, &whole))
                })
            });
            if let Some(path) = found {
                return self.text(path);
            }
        }
        None
    }

    fn defining(&self, name: &str) -> Option<&str> {
        let marks = [format!("define \"{name}\""), format!("define `{name}`")];
        self.paths()
            .filter(|path| !path.ends_with(".po") && !path.ends_with(".json"))
            .filter_map(|path| self.text(path))
            .find(|text| marks.iter().any(|mark| text.contains(mark.as_str())))
    }
}

/// Whether a path ends in whole names.
fn ends_in(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() && is_kept(&path) && entry.metadata()?.len() < FILE_MAX && files.len() < FILES_MAX
            {
                let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
                files.push((name, path));
            }
        }
    }
    Ok(())
}

fn is_kept(path: &Path) -> bool {
    path.extension().and_then(|end| end.to_str()).is_some_and(|end| ENDS.contains(&end))
}

/// The folder of a package in the cache; none where its client is absent or has nowhere to take it from.
fn package(from: &str) -> Result<Option<PathBuf>> {
    let Some((client, name)) = from.split_once(':').filter(|(client, _)| *client != "github") else { return Ok(None) };
    let folder = crate::cache::folder()?.join("goodmail").join(name.replace('/', "+"));
    let done = folder.join("done");
    if done.is_file() {
        return Ok(Some(folder));
    }
    std::fs::create_dir_all(&folder)?;
    if !install(client, name, &folder) {
        println!("{from} is not to be had here: left out");
        return Ok(None);
    }
    prune(&folder)?;
    std::fs::write(&done, "").with_context(|| done.display().to_string())?;
    Ok(Some(folder))
}

fn install(client: &str, name: &str, folder: &Path) -> bool {
    let run = |program: &str, words: &[&str]| {
        Command::new(program).args(words).current_dir(folder).status().is_ok_and(|status| status.success())
    };
    if client == "pip" {
        let words =
            ["install", "--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:", "--target", ".", name];
        return run("pip3", &words);
    }
    run("npm", &["pack", "--silent", name])
        && std::fs::read_dir(folder).is_ok_and(|entries| {
            let packed =
                entries.flatten().map(|entry| entry.file_name()).find(|file| file.to_string_lossy().ends_with(".tgz"));
            packed.is_some_and(|file| run("tar", &["xzf", &file.to_string_lossy()]))
        })
}

/// Removes what is neither template nor translation.
fn prune(root: &Path) -> Result<()> {
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => open.push(entry.path()),
                _ if is_kept(&entry.path()) => {}
                _ => std::fs::remove_file(entry.path())?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_the_end_of_its_path() {
        assert!(ends_in("a/emails/base.html", "emails/base.html") && ends_in("base.html", "base.html"));
        assert!(!ends_in("a/my-base.html", "base.html"));
    }
}
