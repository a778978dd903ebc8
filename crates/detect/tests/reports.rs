//! Pages that the common tools for reports make are delivered: charts that save themselves as pictures, tables with a
//! button for a file, test reports, notebooks. The tools themselves make them here.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use detect::examine::Examiner;
use detect::in_force::InForce;
use detect::limits::{Budget, Limits};
use detect::ruleset::Ruleset;

/// Pages that are made at least.
const PAGES_MIN: usize = 10;

#[test]
#[allow(clippy::print_stderr, reason = "a test that is left out says so")]
fn reports_are_delivered() {
    let Some(packages) = std::env::var_os("REPRIEVE_TEST_REPORTS") else {
        return eprintln!("REPRIEVE_TEST_REPORTS is not set: the test command sets it, where pip is");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/make.py");
    let mut make = Command::new("python3");
    make.arg(script).arg(folder.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    make.env("JUPYTER_PATH", Path::new(&packages).join("share/jupyter")).env("PYTHONPATH", packages);
    let made = make.output().expect("python3 runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pages: Vec<String> = serde_json::from_slice(&made.stdout).expect("a list of pages");
    assert!(pages.len() >= PAGES_MIN, "{pages:?}");
    let in_force = InForce::only(Ruleset::shipped().expect("the shipped ruleset loads"));
    let mut examiner = Examiner::new(&in_force, Limits::default());
    for page in pages {
        let bytes = std::fs::read(folder.path().join(&page)).expect("the page");
        let budget = Budget::starting_now(Duration::from_secs(60));
        let findings = examiner.examine_part(&bytes, &page, "text/html", budget).expect("examined");
        let holds: Vec<String> = findings
            .iter()
            .filter(|finding| finding.effect.acts())
            .map(|finding| format!("{}: {}", finding.detection, finding.evidence))
            .collect();
        assert!(holds.is_empty(), "{page}: {holds:?}");
    }
}
