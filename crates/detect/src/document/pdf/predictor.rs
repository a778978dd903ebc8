//! What a writer of PDF makes of rows before they are packed (ISO 32000-1, 7.4.4.4), so that they pack better: each
//! byte as its difference from what the bytes beside it let expect, as TIFF or PNG do it.

/// How the rows of a stream are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prediction {
    /// 1: not at all; 2: as in TIFF; from 10 on: as in PNG, where each row says how.
    pub(super) kind: usize,
    pub(super) colours: usize,
    pub(super) bits: usize,
    pub(super) columns: usize,
}

impl Prediction {
    /// The bytes as they were. Where the numbers make no rows they are left as they are.
    pub(super) fn undo(&self, bytes: Vec<u8>) -> Vec<u8> {
        let pixel_bits = self.colours.checked_mul(self.bits).filter(|bits| *bits > 0);
        let row = pixel_bits.and_then(|bits| bits.checked_mul(self.columns)).filter(|bits| *bits > 0);
        let (Some(pixel_bits), Some(row_bits)) = (pixel_bits, row) else { return bytes };
        let (pixel, row) = (pixel_bits.div_ceil(8), row_bits.div_ceil(8));
        match self.kind {
            2 if self.bits == 8 => of_tiff(bytes, row, pixel),
            10.. => of_png(&bytes, row, pixel),
            _ => bytes,
        }
    }
}

fn of_tiff(mut bytes: Vec<u8>, row: usize, pixel: usize) -> Vec<u8> {
    for row in bytes.chunks_mut(row) {
        for at in pixel..row.len() {
            row[at] = row[at].wrapping_add(row[at - pixel]);
        }
    }
    bytes
}

/// Filters of PNG (W3C PNG 9.2). A row that breaks off counts as far as it goes.
fn of_png(bytes: &[u8], row: usize, pixel: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    for line in bytes.chunks(row.saturating_add(1)) {
        let Some((kind, line)) = line.split_first() else { break };
        let start = out.len();
        for (at, byte) in line.iter().enumerate() {
            let here = start + at;
            let left = if at >= pixel { out[here - pixel] } else { 0 };
            let above = here.checked_sub(row).and_then(|above| out.get(above)).copied().unwrap_or(0);
            let beside = if at >= pixel { here.checked_sub(row + pixel).map_or(0, |beside| out[beside]) } else { 0 };
            out.push(byte.wrapping_add(match kind {
                1 => left,
                2 => above,
                3 => left.midpoint(above),
                4 => paeth(left, above, beside),
                _ => 0,
            }));
        }
    }
    out
}

/// The neighbour that is nearest to what all three let expect (W3C PNG 9.4).
fn paeth(left: u8, above: u8, beside: u8) -> u8 {
    let expected = i16::from(left) + i16::from(above) - i16::from(beside);
    let far = |one: u8| expected.abs_diff(i16::from(one));
    if far(left) <= far(above) && far(left) <= far(beside) {
        left
    } else if far(above) <= far(beside) {
        above
    } else {
        beside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn undone(kind: usize, colours: usize, columns: usize, bytes: &[u8]) -> Vec<u8> {
        Prediction { kind, colours, bits: 8, columns }.undo(bytes.to_vec())
    }

    #[test]
    fn rows_as_they_were() {
        assert_eq!(undone(1, 1, 3, b"abc"), b"abc");
        assert_eq!(undone(2, 1, 3, &[1, 1, 1, 5, 1, 1]), [1, 2, 3, 5, 6, 7]);
        assert_eq!(undone(2, 2, 2, &[1, 2, 3, 4]), [1, 2, 4, 6]);
        assert_eq!(undone(12, 1, 2, &[2, 1, 2, 2, 1, 1]), [1, 2, 2, 3]);
        assert_eq!(
            undone(15, 1, 3, &[0, 1, 2, 3, 1, 1, 1, 1, 3, 2, 2, 2, 4, 1, 1, 1]),
            [1, 2, 3, 1, 2, 3, 2, 4, 5, 3, 5, 6]
        );
        assert_eq!(undone(15, 1, 3, &[2, 9]), [9], "a row that breaks off");
        assert_eq!(undone(15, 0, 3, b"ab"), b"ab");
        assert_eq!(undone(15, usize::MAX, 3, b"ab"), b"ab");
    }

    proptest! {
        #[test]
        fn any_numbers_are_borne(
            kind in 0..16_usize, colours in 0..5_usize, bits in 0..17_usize, columns: usize,
            bytes in proptest::collection::vec(any::<u8>(), 0..100)
        ) {
            let undone = Prediction { kind, colours, bits, columns: columns % 200 }.undo(bytes.clone());
            prop_assert!(undone.len() <= bytes.len());
            let _ = Prediction { kind, colours, bits, columns }.undo(bytes);
        }
    }
}
