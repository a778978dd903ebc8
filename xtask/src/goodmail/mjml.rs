//! MJML to HTML, by the package of its makers in a Node.js that is here; without one, mails of MJML are left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::seed::Seed;

const PACKAGE: &str = "mjml@4.15.3";

/// The pages of these texts, each at its place; none where the program is absent or refuses one.
pub(super) fn pages(texts: &[String]) -> Result<Vec<Option<String>>> {
    let Some(program) = program()? else { return Ok(vec![None; texts.len()]) };
    let folder = std::env::temp_dir().join(format!("goodmail-mjml-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("out"))?;
    for (at, text) in texts.iter().enumerate() {
        std::fs::write(folder.join(format!("{at}.mjml")), text)?;
    }
    let files: Vec<String> = (0..texts.len()).map(|at| format!("{at}.mjml")).collect();
    for some in files.chunks(40) {
        let mut command = Command::new("node");
        command.arg(&program).args(["--config.validationLevel", "skip", "-r"]).args(some).args(["-o", "out"]);
        let _ = command.current_dir(&folder).output();
    }
    let page = |at| std::fs::read_to_string(folder.join("out").join(format!("{at}.html"))).ok();
    let page = |at: usize| page(at).map(|page| steady(&page));
    let pages = (0..texts.len()).map(page).map(|page| page.filter(|page| page.contains("<body"))).collect();
    std::fs::remove_dir_all(&folder)?;
    Ok(pages)
}

/// Digits of the marks that the program makes by chance, for menus and carousels.
const MARK: usize = 16;

/// With marks that are the same each time.
fn steady(page: &str) -> String {
    let mut marks: Vec<&str> = Vec::new();
    for run in page.split(|letter: char| !matches!(letter, '0'..='9' | 'a'..='f')) {
        if run.len() == MARK && !marks.contains(&run) {
            marks.push(run);
        }
    }
    let mut steady = page.to_owned();
    for (at, mark) in marks.iter().enumerate() {
        steady = steady.replace(mark, &Seed::of(&["mjml", &at.to_string()]).hex(MARK));
    }
    steady
}

fn program() -> Result<Option<PathBuf>> {
    let folder = crate::cache::folder()?.join("goodmail").join(PACKAGE);
    let program = folder.join("node_modules/mjml/bin/mjml");
    if !program.is_file() && !installed(&folder) {
        println!("{PACKAGE} is not to be had here: mails of MJML are left out");
        return Ok(None);
    }
    Ok(Some(program))
}

fn installed(folder: &Path) -> bool {
    let words = ["install", "--silent", "--ignore-scripts", "--no-save", "--prefix", ".", PACKAGE];
    std::fs::create_dir_all(folder).is_ok()
        && Command::new("npm").args(words).current_dir(folder).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_made_by_chance_become_the_same_ones() {
        let page = |mark: &str| format!("<input id=\"{mark}\"><label for=\"{mark}\">abc 0123</label>");
        let (one, other) = (steady(&page("4cac13fcee8be70a")), steady(&page("470a366a75f3553c")));
        assert_eq!(one, other);
        assert!(one.ends_with(">abc 0123</label>") && !one.contains("4cac13fcee8be70a"));
    }
}
