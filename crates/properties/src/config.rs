//! The configuration: every fault has its line, and none is a panic.

use std::path::Path;

use platform::config::Config;

/// Reads the bytes as a configuration in a folder that does not exist.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A policy is a file that is read; which one is not the configuration's matter.
    if text.contains("policy") {
        return;
    }
    let lines = text.lines().count();
    if let Err(faults) = Config::parse(text, Path::new("/nonexistent/reprieve")) {
        assert!(!faults.is_empty());
        for fault in faults {
            assert!(fault.line <= lines + 1, "line {} of {lines}", fault.line);
            assert!(!fault.what.is_empty());
        }
    }
}
