//! What a system costs: CPU time and memory of its whole process trees, read from /proc.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Ticks of a second in /proc/PID/stat; the kernel gives user space this number on every common machine.
const TICKS: f64 = 100.0;
/// How often memory is looked at.
const SAMPLE: Duration = Duration::from_millis(200);

/// Of one process: its parent, and its CPU seconds with those of children that it has waited for.
fn processes() -> HashMap<u32, (u32, f64)> {
    let mut found = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        let parent = fields.get(1).and_then(|field| field.parse().ok()).unwrap_or(0);
        found.insert(pid, (parent, (11..15).map(number).sum::<f64>() / TICKS));
    }
    found
}

fn tree(roots: &[u32], processes: &HashMap<u32, (u32, f64)>) -> Vec<u32> {
    let mut found: Vec<u32> = roots.iter().copied().filter(|root| processes.contains_key(root)).collect();
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        found.extend(processes.iter().filter(|(_, (parent, _))| *parent == pid).map(|(child, _)| *child));
        at += 1;
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// CPU seconds of the trees so far, dead children with them.
pub fn cpu_seconds(roots: &[u32]) -> f64 {
    let processes = processes();
    tree(roots, &processes).iter().map(|pid| processes[pid].1).sum()
}

/// Proportional memory of the trees now, in MB.
fn memory_mb(roots: &[u32]) -> f64 {
    let pss = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0)
    };
    tree(roots, &processes()).into_iter().map(pss).sum::<f64>() / 1024.0
}

/// The resident memory of one process now, in MB.
pub fn resident_mb(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Watches the memory of process trees until it is asked for the peak.
pub struct Watch {
    stop: Arc<AtomicBool>,
    watcher: JoinHandle<f64>,
}

impl Watch {
    /// Begins.
    pub fn start(roots: Vec<u32>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = stop.clone();
        let watcher = std::thread::spawn(move || {
            let mut peak: f64 = 0.0;
            while !stopping.load(Ordering::Relaxed) {
                peak = peak.max(memory_mb(&roots));
                std::thread::sleep(SAMPLE);
            }
            peak
        });
        Self { stop, watcher }
    }

    /// The peak so far, in MB.
    pub fn peak(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        self.watcher.join().unwrap_or(0.0)
    }
}
