//! The README's picture: what `reprieve demo` prints, drawn as a terminal.

use std::process::Command;

use anyhow::{Result, ensure};

/// Lines and columns of the picture at most; the demo's first part fits.
const LINES_MAX: usize = 34;
const COLUMNS_MAX: usize = 118;

/// Runs the demo and writes `docs/pictures/demo.svg`.
pub(crate) fn run() -> Result<()> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let demo = Command::new(program)
        .args(["run", "--profile", "ci", "--quiet", "--bin", "reprieve", "--", "demo", "--exit"])
        .output()?;
    ensure!(demo.status.success(), "the demo failed: {}", String::from_utf8_lossy(&demo.stderr));
    let text = String::from_utf8_lossy(&demo.stdout).to_string();
    std::fs::create_dir_all("docs/pictures")?;
    std::fs::write("docs/pictures/demo.svg", svg(&text))?;
    Ok(())
}

fn svg(text: &str) -> String {
    let shown: Vec<String> =
        ["$ reprieve demo".to_owned()].into_iter().chain(text.lines().take(LINES_MAX).map(cut)).collect();
    let (width, height) = (COLUMNS_MAX as f32 * 7.3 + 32.0, shown.len() as f32 * 17.0 + 36.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"DejaVu Sans Mono, \
            Menlo, Consolas, monospace\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n"
    );
    for (at, line) in shown.iter().enumerate() {
        let y = 28.0 + at as f32 * 17.0;
        out.push_str(&format!(
            "<text x=\"16\" y=\"{y}\" fill=\"{}\" xml:space=\"preserve\">{}</text>\n",
            colour(line),
            escaped(line)
        ));
    }
    out.push_str("</svg>\n");
    out
}

fn cut(line: &str) -> String {
    if line.chars().count() > COLUMNS_MAX {
        format!("{}…", line.chars().take(COLUMNS_MAX - 1).collect::<String>())
    } else {
        line.to_owned()
    }
}

fn colour(line: &str) -> &'static str {
    match line {
        _ if line.starts_with("==") => "#7ee2a8",
        _ if line.starts_with('$') => "#ffffff",
        _ if line.contains("  held") || line.contains("because") => "#ff9d8a",
        _ => "#c9d1d9",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
