//! Replays the seeds of every fuzz target, and what was ever found, on the compiler of the house.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::path::Path;

use properties::TARGETS;

#[test]
fn every_seed_holds() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in TARGETS {
        let files: Vec<_> = std::fs::read_dir(seeds.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 3, "{name} has {} seeds", files.len());
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            target(&bytes);
            // Every beginning too: what is cut off is the commonest damage.
            for cut in (0..bytes.len()).step_by(bytes.len() / 64 + 1) {
                target(&bytes[..cut]);
            }
        }
    }
}

/// Each target has its program for the fuzzer, and the other way round.
#[test]
fn targets_and_programs_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let mut programs: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    programs.sort();
    let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(programs, names);
}
