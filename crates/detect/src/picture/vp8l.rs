//! The Huffman codes of a lossless WebP, read as a decoder reads them, to see whether their tables fit (CVE-2023-4863).
//!
//! libwebp before 1.3.2 laid the tables of all five codes of a group into a buffer of a fixed size, and found out only
//! afterwards that a code was not complete. A file whose tables need more than that buffer is the exploit; nothing else
//! makes one, because complete codes always fit. A code that is merely wrong is damage, and a fact.

/// What the tables of a group may need, by the bits of the colour cache (libwebp's own constants: the most that
/// complete codes need).
const GREEN_TABLE: [usize; 12] = [654, 656, 658, 662, 670, 686, 718, 782, 912, 1168, 1680, 2704];
const LITERAL_TABLE: usize = 630;
const DISTANCE_TABLE: usize = 410;
/// Bits that the first table of a code is indexed with.
const ROOT_BITS: u32 = 8;
/// The longest code.
const LENGTH_MAX: usize = 15;
/// The order in which the lengths of the code of lengths are written.
const LENGTH_ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Groups of one picture that are read.
const GROUPS_MAX: usize = 10_000;
/// Pixels of the small pictures that describe the large one; a transform needs a sixteenth at most.
const PIXELS_MAX: usize = 1 << 22;

/// What the codes of a picture are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// As far as they were read, nothing is wrong.
    Sound,
    /// Damaged, or cut off.
    Odd(String),
    /// Tables that overflow.
    Overflow(String),
}

/// Why reading ended early.
enum Stop {
    CutOff,
    BadCode,
    TooLarge,
    Overflow(String),
}

/// Checks a VP8L chunk.
pub(super) fn check(content: &[u8]) -> Checked {
    let mut bits = Bits { bytes: content, at: 0 };
    let head = (|| Some((bits.take(8)?, bits.take(14)? + 1, bits.take(14)? + 1, bits.take(4)?)))();
    match head {
        Some((0x2f, width, height, _)) => conclude(picture(&mut bits, width, height)),
        Some(_) => Checked::Odd("a lossless picture without its signature".into()),
        None => Checked::Odd("a lossless picture that is cut off".into()),
    }
}

/// Checks the lossless picture that an alpha channel is.
pub(super) fn check_headless(content: &[u8], width: u32, height: u32) -> Checked {
    conclude(picture(&mut Bits { bytes: content, at: 0 }, width, height))
}

fn conclude(read: Result<(), Stop>) -> Checked {
    match read {
        Ok(()) | Err(Stop::TooLarge) => Checked::Sound,
        Err(Stop::CutOff) => Checked::Odd("a lossless picture that is cut off in its codes".into()),
        Err(Stop::BadCode) => Checked::Odd("a Huffman code that is not complete".into()),
        Err(Stop::Overflow(evidence)) => Checked::Overflow(evidence),
    }
}

struct Bits<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next bits, the lowest first.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for bit in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    fn need(&mut self, count: u32) -> Result<u32, Stop> {
        self.take(count).ok_or(Stop::CutOff)
    }

    fn flag(&mut self) -> Result<bool, Stop> {
        Ok(self.need(1)? == 1)
    }
}

/// Transforms, each at most once, then the codes of the picture itself; its pixels do not matter.
fn picture(bits: &mut Bits<'_>, width: u32, height: u32) -> Result<(), Stop> {
    let (mut width, mut seen) = (width, [false; 4]);
    while bits.flag()? {
        let kind = bits.need(2)? as usize;
        if std::mem::replace(&mut seen[kind], true) {
            return Err(Stop::BadCode);
        }
        match kind {
            // Predictor and colour: a small picture of blocks.
            0 | 1 => {
                let block = bits.need(3)? + 2;
                pixels(bits, blocks(width, block), blocks(height, block))?;
            }
            // Green subtracted: nothing to read.
            2 => {}
            // A table of colours, one row; pixels are packed after it.
            _ => {
                let colours = bits.need(8)? + 1;
                pixels(bits, colours, 1)?;
                width = blocks(
                    width,
                    match colours {
                        0..=2 => 3,
                        3..=4 => 2,
                        5..=16 => 1,
                        _ => 0,
                    },
                );
            }
        }
    }
    let cache = cache_bits(bits)?;
    let mut groups = 1;
    if bits.flag()? {
        let block = bits.need(3)? + 2;
        let entropy = pixels(bits, blocks(width, block), blocks(height, block))?;
        groups = entropy.iter().map(|pixel| (pixel >> 8 & 0xffff) as usize + 1).max().unwrap_or(1);
    }
    for _ in 0..groups.min(GROUPS_MAX) {
        Group::read(bits, cache)?;
    }
    Ok(())
}

fn blocks(edge: u32, bits: u32) -> u32 {
    (edge + (1 << bits) - 1) >> bits
}

fn cache_bits(bits: &mut Bits<'_>) -> Result<u32, Stop> {
    if !bits.flag()? {
        return Ok(0);
    }
    match bits.need(4)? {
        cache @ 1..=11 => Ok(cache),
        _ => Err(Stop::BadCode),
    }
}

/// A small picture, decoded whole, because what comes after it begins where it ends.
fn pixels(bits: &mut Bits<'_>, width: u32, height: u32) -> Result<Vec<u32>, Stop> {
    let count = (width as usize).saturating_mul(height as usize);
    if count > PIXELS_MAX {
        return Err(Stop::TooLarge);
    }
    let cache_bits = cache_bits(bits)?;
    let group = Group::read(bits, cache_bits)?;
    let mut cache = vec![0_u32; if cache_bits == 0 { 0 } else { 1 << cache_bits }];
    let mut out: Vec<u32> = Vec::with_capacity(count);
    let remember = |cache: &mut Vec<u32>, pixel: u32| {
        if cache_bits > 0 {
            let slot = pixel.wrapping_mul(0x1e35_a7bd) >> (32 - cache_bits);
            cache[slot as usize] = pixel;
        }
    };
    while out.len() < count {
        match group.codes[0].next(bits)? as usize {
            green @ 0..=255 => {
                let [red, blue, alpha] =
                    [group.codes[1].next(bits)?, group.codes[2].next(bits)?, group.codes[3].next(bits)?];
                let pixel = alpha << 24 | red << 16 | (green as u32) << 8 | blue;
                remember(&mut cache, pixel);
                out.push(pixel);
            }
            symbol @ 256..=279 => {
                let length = prefixed(bits, symbol as u32 - 256)? as usize;
                let code = group.codes[4].next(bits)?;
                let distance = distance(prefixed(bits, code)?, width);
                let from = out.len().checked_sub(distance).ok_or(Stop::BadCode)?;
                for at in from..from + length.min(count - out.len()) {
                    let pixel = out[at];
                    remember(&mut cache, pixel);
                    out.push(pixel);
                }
            }
            symbol => {
                let pixel = *cache.get(symbol - 280).ok_or(Stop::BadCode)?;
                remember(&mut cache, pixel);
                out.push(pixel);
            }
        }
    }
    Ok(out)
}

/// A length or a distance: a prefix and some extra bits.
fn prefixed(bits: &mut Bits<'_>, symbol: u32) -> Result<u32, Stop> {
    if symbol < 4 {
        return Ok(symbol + 1);
    }
    let extra = (symbol - 2) >> 1;
    let offset = (2 + (symbol & 1)) << extra;
    Ok(offset + bits.need(extra)? + 1)
}

/// Distances below 120 name a place near by (RFC 9649 section 5.2.2).
fn distance(code: u32, width: u32) -> usize {
    if code > 120 {
        return code as usize - 120;
    }
    let (x, y) = NEAR[code as usize - 1];
    let distance = i64::from(x) + i64::from(y) * i64::from(width);
    usize::try_from(distance.max(1)).unwrap_or(1)
}

/// Five codes: green with lengths and cache, red, blue, alpha, distance.
struct Group {
    codes: [Code; 5],
}

impl Group {
    fn read(bits: &mut Bits<'_>, cache_bits: u32) -> Result<Self, Stop> {
        let cached = if cache_bits == 0 { 0 } else { 1 << cache_bits };
        let alphabets = [256 + 24 + cached, 256, 256, 256, 40];
        let room = GREEN_TABLE[cache_bits as usize] + 3 * LITERAL_TABLE + DISTANCE_TABLE;
        let mut needed = 0;
        let mut codes = Vec::with_capacity(5);
        for alphabet in alphabets {
            let lengths = lengths(bits, alphabet)?;
            needed += table_size(&lengths);
            if needed > room {
                return Err(Stop::Overflow(format!(
                    "Huffman tables of {needed} entries for a buffer of {room} (code of {alphabet} symbols)"
                )));
            }
            codes.push(Code::of(&lengths)?);
        }
        codes.try_into().map(|codes| Self { codes }).map_err(|_| Stop::BadCode)
    }
}

/// The length of each symbol's code.
fn lengths(bits: &mut Bits<'_>, alphabet: usize) -> Result<Vec<u8>, Stop> {
    let mut lengths = vec![0_u8; alphabet];
    if bits.flag()? {
        // One or two symbols, written out.
        let two = bits.flag()?;
        let wide = bits.flag()?;
        let first = bits.need(if wide { 8 } else { 1 })? as usize;
        *lengths.get_mut(first).ok_or(Stop::BadCode)? = 1;
        if two {
            let second = bits.need(8)? as usize;
            *lengths.get_mut(second).ok_or(Stop::BadCode)? = 1;
        }
        return Ok(lengths);
    }
    let mut of_lengths = [0_u8; 19];
    for slot in LENGTH_ORDER.iter().take(bits.need(4)? as usize + 4) {
        of_lengths[*slot] = bits.need(3)? as u8;
    }
    let code = Code::of(&of_lengths)?;
    let mut left = alphabet;
    if bits.flag()? {
        let width = 2 + 2 * bits.need(3)?;
        left = bits.need(width)? as usize + 2;
        if left > alphabet {
            return Err(Stop::BadCode);
        }
    }
    let (mut at, mut before) = (0, 8_u8);
    while at < alphabet && left > 0 {
        left -= 1;
        let (value, times) = match code.next(bits)? {
            length @ 0..=15 => {
                if length != 0 {
                    before = length as u8;
                }
                (length as u8, 1)
            }
            16 => (before, bits.need(2)? as usize + 3),
            17 => (0, bits.need(3)? as usize + 3),
            _ => (0, bits.need(7)? as usize + 11),
        };
        lengths.get_mut(at..at + times).ok_or(Stop::BadCode)?.fill(value);
        at += times;
    }
    Ok(lengths)
}

/// Entries that libwebp's two-level table for this code takes, counted as it counts them, whether the code is complete
/// or not.
fn table_size(lengths: &[u8]) -> usize {
    let mut count = [0_usize; LENGTH_MAX + 1];
    for length in lengths {
        count[usize::from(*length)] += 1;
    }
    let symbols: usize = count[1..].iter().sum();
    let mut total = 1 << ROOT_BITS;
    if symbols <= 1 {
        return total;
    }
    let (mut key, mut low, mut open) = (0_u32, u32::MAX, 1_i64);
    let mask = (1 << ROOT_BITS) - 1;
    let mut left = count;
    for length in 1..=LENGTH_MAX {
        open = (open << 1) - count[length] as i64;
        if open < 0 {
            // More codes than there is room for: libwebp stops here.
            return total;
        }
        for _ in 0..count[length] {
            if length > ROOT_BITS as usize && key & mask != low {
                total += 1 << next_table_bits(&left, length);
                low = key & mask;
            }
            left[length] -= 1;
            key = next_key(key, length);
        }
    }
    total
}

/// The next key: the bits of codes in reverse, so the low ones choose the second table.
fn next_key(key: u32, length: usize) -> u32 {
    let mut step = 1_u32 << (length - 1);
    while key & step != 0 {
        step >>= 1;
    }
    if step == 0 { key } else { (key & (step - 1)) + step }
}

/// Bits of a second table that begins with a code of `length`: as many as its codes fill.
fn next_table_bits(left: &[usize; LENGTH_MAX + 1], length: usize) -> usize {
    let mut length = length;
    let mut free = 1_i64 << (length - ROOT_BITS as usize);
    while length < LENGTH_MAX {
        free -= left[length] as i64;
        if free <= 0 {
            break;
        }
        length += 1;
        free <<= 1;
    }
    length - ROOT_BITS as usize
}

/// A canonical code, read bit by bit: what is read here is small.
struct Code {
    /// Symbols by length, then by value.
    symbols: Vec<u16>,
    count: [u16; LENGTH_MAX + 1],
    /// The only symbol, which takes no bits.
    only: Option<u32>,
}

impl Code {
    fn of(lengths: &[u8]) -> Result<Self, Stop> {
        let mut count = [0_u16; LENGTH_MAX + 1];
        let mut symbols = Vec::new();
        for length in 1..=LENGTH_MAX as u8 {
            for (symbol, own) in lengths.iter().enumerate() {
                if *own == length {
                    symbols.push(symbol as u16);
                    count[usize::from(length)] += 1;
                }
            }
        }
        if symbols.is_empty() {
            return Ok(Self { symbols, count, only: Some(0) });
        }
        if symbols.len() == 1 {
            let only = Some(u32::from(symbols[0]));
            return Ok(Self { symbols, count, only });
        }
        // Kraft: a complete code fills the space of its longest words exactly.
        let filled: u64 = (1..=LENGTH_MAX).map(|length| u64::from(count[length]) << (LENGTH_MAX - length)).sum();
        if filled == 1 << LENGTH_MAX { Ok(Self { symbols, count, only: None }) } else { Err(Stop::BadCode) }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Result<u32, Stop> {
        if let Some(only) = self.only {
            return Ok(only);
        }
        let (mut code, mut first, mut index) = (0_i32, 0_i32, 0_i32);
        for length in 1..=LENGTH_MAX {
            code |= bits.need(1)? as i32;
            let count = i32::from(self.count[length]);
            if code - count < first {
                let symbol = self.symbols.get((index + code - first) as usize);
                return symbol.map(|symbol| u32::from(*symbol)).ok_or(Stop::BadCode);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(Stop::BadCode)
    }
}

/// The places near by, in the order of their codes (RFC 9649 section 5.2.2).
const NEAR: [(i8, i8); 120] = [
    (0, 1),
    (1, 0),
    (1, 1),
    (-1, 1),
    (0, 2),
    (2, 0),
    (1, 2),
    (-1, 2),
    (2, 1),
    (-2, 1),
    (2, 2),
    (-2, 2),
    (0, 3),
    (3, 0),
    (1, 3),
    (-1, 3),
    (3, 1),
    (-3, 1),
    (2, 3),
    (-2, 3),
    (3, 2),
    (-3, 2),
    (0, 4),
    (4, 0),
    (1, 4),
    (-1, 4),
    (4, 1),
    (-4, 1),
    (3, 3),
    (-3, 3),
    (2, 4),
    (-2, 4),
    (4, 2),
    (-4, 2),
    (0, 5),
    (3, 4),
    (-3, 4),
    (4, 3),
    (-4, 3),
    (5, 0),
    (1, 5),
    (-1, 5),
    (5, 1),
    (-5, 1),
    (2, 5),
    (-2, 5),
    (5, 2),
    (-5, 2),
    (4, 4),
    (-4, 4),
    (3, 5),
    (-3, 5),
    (5, 3),
    (-5, 3),
    (0, 6),
    (6, 0),
    (1, 6),
    (-1, 6),
    (6, 1),
    (-6, 1),
    (2, 6),
    (-2, 6),
    (6, 2),
    (-6, 2),
    (4, 5),
    (-4, 5),
    (5, 4),
    (-5, 4),
    (3, 6),
    (-3, 6),
    (6, 3),
    (-6, 3),
    (0, 7),
    (7, 0),
    (1, 7),
    (-1, 7),
    (5, 5),
    (-5, 5),
    (7, 1),
    (-7, 1),
    (4, 6),
    (-4, 6),
    (6, 4),
    (-6, 4),
    (2, 7),
    (-2, 7),
    (7, 2),
    (-7, 2),
    (3, 7),
    (-3, 7),
    (7, 3),
    (-7, 3),
    (5, 6),
    (-5, 6),
    (6, 5),
    (-6, 5),
    (8, 0),
    (4, 7),
    (-4, 7),
    (7, 4),
    (-7, 4),
    (8, 1),
    (8, 2),
    (6, 6),
    (-6, 6),
    (8, 3),
    (5, 7),
    (-5, 7),
    (7, 5),
    (-7, 5),
    (8, 4),
    (6, 7),
    (-6, 7),
    (7, 6),
    (-7, 6),
    (8, 5),
    (7, 7),
    (-7, 7),
    (8, 6),
    (8, 7),
];
