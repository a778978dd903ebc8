//! Files of lines that are only added to: half a line of before a crash is not taken for the beginning of the next.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Whether something stopped within its last line; the place in the file is its end.
pub(crate) fn ends_within_a_line(file: &mut File) -> std::io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
