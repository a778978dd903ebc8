//! One compressed file: gzip, bzip2, xz. Its name is that of the archive without the last extension.

use std::io::Read;

use super::{Allowance, Closed, Member};

/// Opens a gzip file.
pub(super) fn gzip(
    bytes: &[u8],
    name: &str,
    allowance: &mut Allowance<'_>,
    members: &mut Vec<Member>,
) -> Result<(), Closed> {
    one(
        flate2::read::MultiGzDecoder::new(bytes),
        bytes.len(),
        name,
        &[(".tgz", ".tar"), (".svgz", ".svg"), (".gz", "")],
        allowance,
        members,
    )
}

/// Opens a bzip2 file.
pub(super) fn bzip2(
    bytes: &[u8],
    name: &str,
    allowance: &mut Allowance<'_>,
    members: &mut Vec<Member>,
) -> Result<(), Closed> {
    one(
        bzip2::read::MultiBzDecoder::new(bytes),
        bytes.len(),
        name,
        &[(".tbz2", ".tar"), (".bz2", "")],
        allowance,
        members,
    )
}

/// Opens an xz file.
pub(super) fn xz(
    bytes: &[u8],
    name: &str,
    allowance: &mut Allowance<'_>,
    members: &mut Vec<Member>,
) -> Result<(), Closed> {
    one(lzma_rust2::XzReader::new(bytes, true), bytes.len(), name, &[(".txz", ".tar"), (".xz", "")], allowance, members)
}

fn one(
    content: impl Read,
    packed: usize,
    name: &str,
    endings: &[(&str, &str)],
    allowance: &mut Allowance<'_>,
    members: &mut Vec<Member>,
) -> Result<(), Closed> {
    allowance.entry()?;
    let bytes = allowance.read(packed as u64, content)?;
    let lower = name.to_ascii_lowercase();
    let inner = endings.iter().find_map(|(ending, instead)| {
        let stem = lower.strip_suffix(ending)?;
        Some(format!("{}{instead}", &name[..stem.len()]))
    });
    members.push(Member::new(inner.unwrap_or_default(), bytes));
    Ok(())
}
