//! The hashes of the audit log as files beside its checkpoint, in the layout of tlog-tiles (`domain::tile`): any web
//! server serves them, and who has copied them needs nothing of ours to check a proof.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use domain::Digest;
use domain::tile::{self, Tile, WIDTH};
use store::AuditStore;

use crate::status::PublishError;

/// Writes the tiles that a log of `size` entries has and one of `before` had not. What was pruned before it was ever
/// written is left out.
///
/// # Errors
/// When the store fails or a file cannot be written.
pub async fn write(audit: &AuditStore, folder: &Path, before: u64, size: u64) -> Result<(), PublishError> {
    for tile in tile::added(before, size) {
        let first = tile.index * WIDTH;
        let places = first..first + tile.width;
        let hashes: Option<Vec<Digest>> = if tile.level == 0 {
            let leaves = audit.audit_leaves(places.start, places.end).await?;
            places.map(|place| leaves.get(&place).copied()).collect()
        } else {
            places.map(|place| below(folder, tile.level - 1, place)).collect()
        };
        if let Some(hashes) = hashes {
            keep(folder, &tile, &hashes)?;
        }
    }
    Ok(())
}

/// The hash of a full tile, which one of the level above holds.
fn below(folder: &Path, level: u32, index: u64) -> Option<Digest> {
    let bytes = fs::read(folder.join(Tile { level, index, width: WIDTH }.path())).ok()?;
    let hashes: Vec<Digest> =
        bytes.chunks_exact(32).filter_map(|hash| Some(Digest::from_bytes(hash.try_into().ok()?))).collect();
    (hashes.len() as u64 == WIDTH).then(|| tile::root(&hashes))
}

/// Readers see a whole tile or none. A full one takes the place of its partial ones.
fn keep(folder: &Path, tile: &Tile, hashes: &[Digest]) -> io::Result<()> {
    let path = folder.join(tile.path());
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let fresh = parent.join(".new");
    let mut file = fs::File::create(&fresh)?;
    for hash in hashes {
        file.write_all(hash.as_bytes())?;
    }
    file.sync_all()?;
    fs::rename(fresh, &path)?;
    if tile.is_full() {
        // There may never have been any.
        let _ = fs::remove_dir_all(path.with_extension("p"));
    }
    Ok(())
}
