//! The Debian package: a tree of files laid out here, made into a package by Debian's own tools (decision 48).

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;

use crate::{ci, libraries};

/// Files of the repository that go into the package as they are: from, to, mode.
const FILES: [(&str, &str, u32); 13] = [
    ("packaging/systemd/reprieve.service", "usr/lib/systemd/system/reprieve.service", 0o644),
    ("packaging/systemd/reprieve-backup.service", "usr/lib/systemd/system/reprieve-backup.service", 0o644),
    ("packaging/systemd/reprieve-backup.timer", "usr/lib/systemd/system/reprieve-backup.timer", 0o644),
    ("packaging/sysusers.conf", "usr/lib/sysusers.d/reprieve.conf", 0o644),
    ("packaging/tmpfiles.conf", "usr/lib/tmpfiles.d/reprieve.conf", 0o644),
    ("packaging/backup.sh", "usr/lib/reprieve/backup", 0o755),
    ("packaging/default", "etc/default/reprieve", 0o644),
    ("packaging/default-backup", "etc/default/reprieve-backup", 0o644),
    ("packaging/systemd/low-port.conf", "usr/share/doc/reprieve/examples/low-port.conf", 0o644),
    ("docs/monitoring/reprieve.rules.yml", "usr/share/doc/reprieve/monitoring/reprieve.rules.yml", 0o644),
    ("docs/monitoring/reprieve.rules.test.yml", "usr/share/doc/reprieve/monitoring/reprieve.rules.test.yml", 0o644),
    ("docs/monitoring/dashboard.json", "usr/share/doc/reprieve/monitoring/dashboard.json", 0o644),
    ("packaging/systemd/certificate.conf", "usr/share/doc/reprieve/examples/certificate.conf", 0o644),
];
/// What dpkg runs and reads, with its mode.
const CONTROL: [(&str, u32); 5] =
    [("conffiles", 0o644), ("preinst", 0o755), ("postinst", 0o755), ("prerm", 0o755), ("postrm", 0o755)];
/// What the program prints of itself: its words, and where that goes.
const PRINTED: [(&[&str], &str); 4] = [
    (&["completions", "bash"], "usr/share/bash-completion/completions/reprieve"),
    (&["completions", "zsh"], "usr/share/zsh/vendor-completions/_reprieve"),
    (&["completions", "fish"], "usr/share/fish/vendor_completions.d/reprieve.fish"),
    (&["config", "example"], "usr/share/doc/reprieve/examples/reprieve.toml"),
];
const DOC: &str = "usr/share/doc/reprieve";
/// What is needed beside what the program links with: by its resolver of names, which does not start without
/// authorities, and by the maintainer scripts.
const NEEDED: &str = "ca-certificates, init-system-helpers, passwd";

/// How the contents are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As small as dpkg usually makes it.
    Small,
    /// Within seconds, for a test.
    Quick,
}

/// What a package is made of.
#[derive(Debug)]
pub(crate) struct Package<'a> {
    /// The built program.
    pub(crate) program: &'a Path,
    /// Its version.
    pub(crate) version: &'a str,
    /// How it is packed.
    pub(crate) packing: Packing,
}

/// Makes the package of a program, or of a release build, in the target folder.
pub(crate) fn run(program: Option<&str>) -> Result<()> {
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let program = match program {
        Some(program) => PathBuf::from(program),
        None => {
            ci::cargo(&[&["build", "--release", "--locked"][..], &ci::FEATURES].concat(), &[])?;
            metadata.target_directory.join("release/reprieve").into()
        }
    };
    let version = env!("CARGO_PKG_VERSION");
    let folder = metadata.target_directory.join("package");
    let made = Package { program: &program, version, packing: Packing::Small }.make(folder.as_std_path())?;
    println!("{}", made.display());
    Ok(())
}

impl Package<'_> {
    /// Lays the files out below `folder`, and makes the package of them there.
    pub(crate) fn make(&self, folder: &Path) -> Result<PathBuf> {
        ensure!(self.program.is_file(), "{}: there is no such program", self.program.display());
        fs::create_dir_all(folder)?;
        let architecture = said(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
        let name = format!("reprieve_{}_{architecture}", self.version);
        let tree = Tree::new(&folder.join(&name))?;
        self.program(&tree)?;
        for (from, to, mode) in FILES {
            tree.put(to, &fs::read(from).with_context(|| from.to_owned())?, mode)?;
        }
        self.printed(&tree)?;
        documents(&tree)?;
        self.control(&tree, &architecture)?;
        self.pack(&tree, &folder.join(format!("{name}.deb")))
    }

    /// The program, without what only a debugger needs.
    fn program(&self, tree: &Tree) -> Result<()> {
        let to = tree.place("usr/bin/reprieve")?;
        run_quietly(Command::new("strip").args(["--strip-unneeded", "-o"]).arg(&to).arg(self.program))?;
        Ok(fs::set_permissions(to, Permissions::from_mode(0o755))?)
    }

    /// What the program prints of itself.
    fn printed(&self, tree: &Tree) -> Result<()> {
        for (words, to) in PRINTED {
            tree.put(to, said(Command::new(self.program).args(words))?.as_bytes(), 0o644)?;
        }
        let page = said(Command::new(self.program).arg("man"))?;
        tree.put("usr/share/man/man1/reprieve.1.gz", &zipped(page.as_bytes())?, 0o644)
    }

    fn control(&self, tree: &Tree, architecture: &str) -> Result<()> {
        let sums = sums(tree)?;
        let linked = linked_packages(tree)?;
        let filled = fs::read_to_string("packaging/debian/control")?
            .replace("@VERSION@", self.version)
            .replace("@ARCHITECTURE@", architecture)
            .replace("@SIZE@", &tree.kib()?.to_string())
            .replace("@DEPENDS@", &format!("{linked}, {NEEDED}"));
        tree.put("DEBIAN/control", filled.as_bytes(), 0o644)?;
        tree.put("DEBIAN/md5sums", sums.as_bytes(), 0o644)?;
        for (name, mode) in CONTROL {
            let from = Path::new("packaging/debian").join(name);
            tree.put(&format!("DEBIAN/{name}"), &fs::read(&from)?, mode)?;
        }
        Ok(())
    }

    /// Makes the package; the same files at the same commit make the same bytes.
    fn pack(&self, tree: &Tree, to: &Path) -> Result<PathBuf> {
        let mut command = Command::new("dpkg-deb");
        command.args(["--root-owner-group", "--build"]);
        if self.packing == Packing::Quick {
            command.args(["-Zgzip", "-z1"]);
        }
        // A tree that is no checkout has the times of its files.
        if let Ok(moment) = said(Command::new("git").args(["log", "-1", "--format=%ct"])) {
            command.env("SOURCE_DATE_EPOCH", moment.trim());
        }
        run_quietly(command.arg(&tree.root).arg(to))?;
        fs::remove_dir_all(&tree.root)?;
        Ok(to.to_owned())
    }
}

/// The licences, the guides, the changes.
fn documents(tree: &Tree) -> Result<()> {
    let mit = fs::read_to_string("LICENSE-MIT")?;
    // As the format has it: each line begins with a blank, an empty one is a dot.
    let mit: Vec<String> =
        mit.trim_end().lines().map(|line| format!(" {}", if line.is_empty() { "." } else { line })).collect();
    let copyright = fs::read_to_string("packaging/debian/copyright")?.replace("@MIT@", &mit.join("\n"));
    tree.put(&format!("{DOC}/copyright"), copyright.as_bytes(), 0o644)?;
    tree.put(&format!("{DOC}/libraries.gz"), &zipped(libraries::told()?.as_bytes())?, 0o644)?;
    tree.put(&format!("{DOC}/changelog.gz"), &zipped(&fs::read("CHANGELOG.md")?)?, 0o644)?;
    for entry in fs::read_dir("docs/guide")? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a guide's name is not UTF-8")?;
        tree.put(&format!("{DOC}/guide/{name}"), &fs::read(&path)?, 0o644)?;
    }
    Ok(())
}

/// Packages of the libraries that the program is linked with, and which of their versions.
fn linked_packages(tree: &Tree) -> Result<String> {
    // It wants a source package around it.
    let folder = tree.root.with_extension("source");
    fs::create_dir_all(folder.join("debian"))?;
    fs::write(folder.join("debian/control"), "Source: reprieve\n\nPackage: reprieve\nArchitecture: any\n")?;
    let program = fs::canonicalize(tree.root.join("usr/bin/reprieve"))?;
    let found = said(Command::new("dpkg-shlibdeps").arg("-O").arg("-e").arg(program).current_dir(&folder))
        .context("dpkg-shlibdeps, of Debian's dpkg-dev, says what the program is linked with")?;
    fs::remove_dir_all(&folder)?;
    let found = found.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(found.context("the program is linked with nothing, not even the C library")?.to_owned())
}

/// Sums of all files, by which `dpkg --verify` sees what was changed.
fn sums(tree: &Tree) -> Result<String> {
    let mut files = tree.files()?;
    files.sort();
    said(Command::new("md5sum").args(files).current_dir(&tree.root))
}

/// The files of the package, as they will lie below `/`.
struct Tree {
    root: PathBuf,
}

impl Tree {
    /// An empty one.
    fn new(root: &Path) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root)?;
        fs::set_permissions(root, Permissions::from_mode(0o755))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where a file goes; its folders are there then, open to all whatever our umask is.
    fn place(&self, to: &str) -> Result<PathBuf> {
        let path = self.root.join(to);
        let folder = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder)?;
        for made in folder.ancestors().take_while(|made| *made != self.root) {
            fs::set_permissions(made, Permissions::from_mode(0o755))?;
        }
        Ok(path)
    }

    fn put(&self, to: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let path = self.place(to)?;
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
    }

    /// All files that will be installed, relative to the root.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.starts_with(self.root.join("DEBIAN")) {
                    found.push(path.strip_prefix(&self.root)?.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// What they take, in KiB.
    fn kib(&self) -> Result<u64> {
        let mut sum = 0;
        for file in self.files()? {
            sum += fs::metadata(self.root.join(file))?.len().div_ceil(1024);
        }
        Ok(sum)
    }
}

/// The same bytes from the same bytes, whenever it is done.
fn zipped(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut child = Command::new("gzip").arg("-9nc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("it has an input")?;
    let bytes = bytes.to_vec();
    // Beside the reader: both pipes may be full.
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &bytes));
    let output = child.wait_with_output()?;
    writer.join().ok().context("the writer panicked")??;
    ensure!(output.status.success(), "gzip failed");
    Ok(output.stdout)
}

/// What a command prints.
pub(crate) fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command that has nothing to say when it succeeds.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    said(command).map(drop)
}
