//! What an fdatasync costs here and now: every durable figure is read beside it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

/// The median of 200 fdatasyncs of 4 kB each, in milliseconds.
pub fn fdatasync_ms(folder: &Path) -> Result<f64> {
    let mut file = File::create(folder.join("fdatasync"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(crate::median(&times))
}
