//! The audit log's hashes as static files (c2sp.org/tlog-tiles): a tile holds up to 256 hashes of one level, of which
//! each stands for 256 of the level below. Who has copied the tiles and a checkpoint can check everything that we say
//! of the log later, without asking us anything.

use crate::audit::Frontier;
use crate::digest::Digest;

/// Hashes of a full tile.
pub const WIDTH: u64 = 256;
/// Levels of the largest tree: 256 to the power of 8 leaves.
const LEVELS: u32 = 8;

/// One tile of a tree of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// Its level: 0 has the hashes of the leaves.
    pub level: u32,
    /// Its place in the level.
    pub index: u64,
    /// How many hashes it holds, from 1 to [`WIDTH`].
    pub width: u64,
}

impl Tile {
    /// Its path below the log's folder.
    pub fn path(&self) -> String {
        let mut index = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.is_full() { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{}/{index}{partial}", self.level)
    }

    /// Whether a path may be one of a tile: digits, and what stands between them.
    pub fn is_path(path: &str) -> bool {
        !path.starts_with('/') && !path.contains("..") && path.chars().all(|c| c.is_ascii_digit() || "x/.p".contains(c))
    }

    /// Whether nothing will be added to it.
    pub fn is_full(&self) -> bool {
        self.width == WIDTH
    }
}

/// The tiles that a tree of `size` leaves has and that one of `before` leaves did not have, lowest level first.
pub fn added(before: u64, size: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for level in 0..LEVELS {
        let [had, has] = [before, size].map(|leaves| leaves >> (8 * level));
        let mut index = had / WIDTH;
        while has > had && index * WIDTH < has {
            tiles.push(Tile { level, index, width: (has - index * WIDTH).min(WIDTH) });
            index += 1;
        }
    }
    tiles
}

/// The hash that stands for a full tile in the level above.
pub fn root(hashes: &[Digest]) -> Digest {
    let mut tree = Frontier::default();
    hashes.iter().for_each(|hash| tree.append(*hash));
    tree.root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |level, index, width| Tile { level, index, width }.path();
        assert_eq!(path(0, 0, 256), "tile/0/000");
        assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(1, 5, 17), "tile/1/005.p/17");
        assert_eq!(path(0, 1000, 1), "tile/0/x001/000.p/1");
        assert!(Tile::is_path("0/x001/000.p/1") && !Tile::is_path("../../release.key") && !Tile::is_path("0/..p"));
        assert!(!Tile::is_path("/0/000"), "nothing from the root of the file system");
    }

    /// Tiles written as a log grows, in steps, are those of the whole log; and its root comes out of them alone.
    #[test]
    fn a_log_that_grows_is_the_log() {
        let leaves: Vec<Digest> = (0..70_000_u32).map(|n| Digest::of(&n.to_be_bytes())).collect();
        let grown = |steps: &[u64]| {
            let mut kept: BTreeMap<(u32, u64), Vec<Digest>> = BTreeMap::new();
            let mut before = 0;
            for size in steps {
                for tile in added(before, *size) {
                    let places = tile.index * WIDTH..tile.index * WIDTH + tile.width;
                    let hashes = places.map(|place| match tile.level {
                        0 => leaves[usize::try_from(place).expect("small")],
                        level => root(&kept[&(level - 1, place)]),
                    });
                    let hashes = hashes.collect();
                    kept.insert((tile.level, tile.index), hashes);
                }
                before = *size;
            }
            kept
        };
        let whole = grown(&[70_000]);
        assert_eq!(grown(&[1, 255, 256, 257, 5000, 65_535, 65_536, 65_537, 70_000]), whole);
        assert_eq!(whole[&(2, 0)].len(), 1);
        let lowest: Vec<Digest> =
            whole.iter().filter(|((level, _), _)| *level == 0).flat_map(|(_, one)| one.clone()).collect();
        assert_eq!(lowest, leaves, "in their order");
        let mut tree = Frontier::default();
        leaves.iter().for_each(|leaf| tree.append(*leaf));
        let (largest, covers) = tree.subtrees().next().expect("not empty");
        assert_eq!(
            (whole[&(2, 0)][0], covers),
            (largest, 65_536),
            "one hash of the third level stands for 65,536 leaves"
        );
    }
}
