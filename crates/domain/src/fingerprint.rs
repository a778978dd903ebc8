//! Fingerprints of what a mail shows: by them mails of one campaign are known again although no two have the same
//! bytes. `detect::fingerprint` takes them; here is what they are, and when two are alike.
//!
//! A fingerprint never accuses by itself. It is compared with the entries that people make, and with nothing else.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Pictures of one mail whose fingerprints are kept: the first ones.
pub const PICTURES_MAX: usize = 32;
/// Pictures that one entry names at most.
pub const PICTURES_OF_ENTRY_MAX: usize = 6;
/// Bits in which the fingerprints of two alike pictures differ at most, of 100 that are set in both together. Measured
/// in `detect/src/fingerprint/picture.rs`.
pub const PICTURE_PERCENT_MAX: u32 = 25;
/// Steps by which the shapes of two alike pictures differ at most, each an eighth of an octave of width by height.
pub const SHAPE_STEPS_MAX: u8 = 1;
/// Bits of 128 in which the fingerprints of two alike texts differ at most. Measured in
/// `detect/src/fingerprint/text.rs`.
pub const TEXT_BITS_MAX: u32 = 24;
/// Bits of 128 in which the fingerprints of two alike layouts differ at most. Measured in
/// `detect/src/fingerprint/layout.rs`.
pub const LAYOUT_BITS_MAX: u32 = 6;
/// Pixels that a picture has at least to stand for a mail alone: 200 by 200.
pub const ALONE_PIXELS_MIN: u32 = 40_000;
/// Pixels of a picture of another mail that is compared with one that stands alone: half as wide and half as high.
pub const ALONE_SHRUNK_PIXELS_MIN: u32 = ALONE_PIXELS_MIN / 4;

/// Pixels up to which a picture may be an icon that everybody uses, such as those of social networks: it counts, but
/// never without a larger one.
pub const ICON_PIXELS_MAX: u32 = 5_000;

/// The text is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not {1}")]
pub struct BadFingerprint(String, &'static str);

const PICTURE_WORDS: usize = 4;
/// Hexadecimal digits of a picture's fingerprint: its words, and two for its shape.
const PICTURE_DIGITS: usize = PICTURE_WORDS * 16 + 2;
const IS_PICTURE: &str = "66 hexadecimal digits, up to 6 times with commas between";
const IS_SIMHASH: &str = "32 hexadecimal digits";

/// What a picture looks like: whatever its format, its size and the quality with which it was stored.
///
/// Two bits for each of 128 waves of brightness: whether the wave is strong and up, and whether it is strong and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PictureFingerprint {
    waves: [u64; PICTURE_WORDS],
    shape: u8,
}

impl PictureFingerprint {
    /// A fingerprint of these waves, and of a shape: eighths of an octave of width by height, 128 for a square.
    pub const fn new(waves: [u64; PICTURE_WORDS], shape: u8) -> Self {
        Self { waves, shape }
    }

    /// Bits in which two differ.
    pub fn distance(&self, other: &Self) -> u32 {
        self.waves.iter().zip(&other.waves).map(|(one, other)| (one ^ other).count_ones()).sum()
    }

    /// Strong waves.
    pub fn strong(&self) -> u32 {
        self.waves.iter().map(|word| word.count_ones()).sum()
    }

    /// Bits in which two differ, of 100 that are set in both together.
    pub fn percent(&self, other: &Self) -> u32 {
        match NonZeroU32::new(self.strong() + other.strong()) {
            Some(both) => self.distance(other) * 100 / both,
            None => 0,
        }
    }

    /// Whether two pictures look alike.
    pub fn is_like(&self, other: &Self) -> bool {
        self.shape.abs_diff(other.shape) <= SHAPE_STEPS_MAX && self.percent(other) <= PICTURE_PERCENT_MAX
    }

    /// Reads 66 hexadecimal digits.
    ///
    /// # Errors
    /// When the text has another length or other characters.
    pub fn parse(text: &str) -> Result<Self, BadFingerprint> {
        let bad = || BadFingerprint(text.chars().take(80).collect(), IS_PICTURE);
        if text.len() != PICTURE_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let mut waves = [0; PICTURE_WORDS];
        for (at, word) in waves.iter_mut().enumerate() {
            let digits = text.get(at * 16..at * 16 + 16).ok_or_else(bad)?;
            *word = u64::from_str_radix(digits, 16).map_err(|_| bad())?;
        }
        let shape = text.get(PICTURE_WORDS * 16..).ok_or_else(bad)?;
        Ok(Self { waves, shape: u8::from_str_radix(shape, 16).map_err(|_| bad())? })
    }
}

impl fmt::Display for PictureFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.waves.iter().try_for_each(|word| write!(f, "{word:016x}"))?;
        write!(f, "{:02x}", self.shape)
    }
}

impl TryFrom<String> for PictureFingerprint {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, BadFingerprint> {
        Self::parse(&text)
    }
}

impl From<PictureFingerprint> for String {
    fn from(print: PictureFingerprint) -> Self {
        print.to_string()
    }
}

/// A simhash of 128 bits; two are alike that differ in `BITS_MAX` bits at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Simhash<const BITS_MAX: u32>(u128);

/// What a text says, whatever names, amounts, links and reference numbers stand in it.
pub type TextFingerprint = Simhash<TEXT_BITS_MAX>;

/// How a page is laid out: which elements follow one another, whatever they say.
pub type LayoutFingerprint = Simhash<LAYOUT_BITS_MAX>;

impl<const BITS_MAX: u32> Simhash<BITS_MAX> {
    /// A fingerprint of these bits.
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// Bits in which two differ.
    pub fn distance(&self, other: &Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// Whether two are alike.
    pub fn is_like(&self, other: &Self) -> bool {
        self.distance(other) <= BITS_MAX
    }

    /// Reads 32 hexadecimal digits.
    ///
    /// # Errors
    /// When the text has another length or other characters.
    pub fn parse(text: &str) -> Result<Self, BadFingerprint> {
        let bad = || BadFingerprint(text.chars().take(80).collect(), IS_SIMHASH);
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| bad())
    }
}

impl<const BITS_MAX: u32> fmt::Display for Simhash<BITS_MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl<const BITS_MAX: u32> TryFrom<String> for Simhash<BITS_MAX> {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, BadFingerprint> {
        Self::parse(&text)
    }
}

impl<const BITS_MAX: u32> From<Simhash<BITS_MAX>> for String {
    fn from(print: Simhash<BITS_MAX>) -> Self {
        print.to_string()
    }
}

/// A picture of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPicture {
    /// The number of its part.
    pub part: u32,
    /// Its pixels.
    pub pixels: u32,
    /// What it looks like.
    pub print: PictureFingerprint,
}

/// What a mail looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Its pictures, but for those that show too little: spacers, lines, areas of one colour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<SeenPicture>,
    /// Its visible text; none where there is too little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextFingerprint>,
    /// The layout of its pages; none where they have too few elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutFingerprint>,
}

impl Fingerprints {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty() && self.text.is_none() && self.layout.is_none()
    }
}

/// The pictures that an entry names, no two of them alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PictureSet(Vec<PictureFingerprint>);

impl PictureSet {
    /// A set of these; of pictures that look alike the first one counts. None of nothing, or of too many.
    pub fn of(prints: impl IntoIterator<Item = PictureFingerprint>) -> Option<Self> {
        let mut set: Vec<PictureFingerprint> = Vec::new();
        for print in prints {
            if !set.iter().any(|known| known.is_like(&print)) {
                set.push(print);
            }
            if set.len() > PICTURES_OF_ENTRY_MAX {
                return None;
            }
        }
        (!set.is_empty()).then_some(Self(set))
    }

    /// Its pictures.
    pub fn prints(&self) -> &[PictureFingerprint] {
        &self.0
    }

    /// How many of them a mail must show: half of them, two at least. One alone must be large.
    pub fn needed(&self) -> usize {
        match self.0.len() {
            1 => 1,
            many => many.div_ceil(2).max(2),
        }
    }

    /// The parts of a mail that show pictures of this set, when it shows enough of them, and not icons alone.
    pub fn parts_of(&self, pictures: &[SeenPicture]) -> Option<Vec<u32>> {
        let least = if self.0.len() == 1 { ALONE_SHRUNK_PIXELS_MIN } else { 0 };
        let pictures = || pictures.iter().filter(|picture| picture.pixels >= least);
        let shown = self.0.iter().filter(|print| pictures().any(|picture| picture.print.is_like(print))).count();
        if shown < self.needed() {
            return None;
        }
        let is_of_set = |picture: &&SeenPicture| self.0.iter().any(|print| picture.print.is_like(print));
        let has_large = pictures().filter(is_of_set).any(|picture| picture.pixels > ICON_PIXELS_MAX);
        has_large.then(|| pictures().filter(is_of_set).map(|picture| picture.part).collect())
    }

    /// Reads fingerprints with commas between.
    ///
    /// # Errors
    /// When one of them is none, or there are too many.
    pub fn parse(text: &str) -> Result<Self, BadFingerprint> {
        let bad = || BadFingerprint(text.chars().take(80).collect(), IS_PICTURE);
        if text.split(',').count() > PICTURES_OF_ENTRY_MAX {
            return Err(bad());
        }
        let prints: Result<Vec<_>, _> =
            text.split(',').map(|one| PictureFingerprint::parse(&one.trim().to_ascii_lowercase())).collect();
        Self::of(prints?).ok_or_else(bad)
    }
}

impl fmt::Display for PictureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, print) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{print}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for PictureSet {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, BadFingerprint> {
        Self::parse(&text)
    }
}

impl From<PictureSet> for String {
    fn from(set: PictureSet) -> Self {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(seed: u64) -> PictureFingerprint {
        let word = |n: u64| (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        PictureFingerprint::new([word(1), word(2), word(3), word(4)], 128)
    }

    fn seen(part: u32, pixels: u32, print: PictureFingerprint) -> SeenPicture {
        SeenPicture { part, pixels, print }
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let one = print(1);
        assert_eq!(PictureFingerprint::parse(&one.to_string()), Ok(one));
        let text = TextFingerprint::new(0x0123_4567);
        assert_eq!(TextFingerprint::parse(&text.to_string()), Ok(text));
        let set = PictureSet::of([print(1), print(2), print(1)]).expect("two");
        assert_eq!(set.prints().len(), 2, "what looks alike is there once");
        assert_eq!(PictureSet::parse(&set.to_string().to_uppercase()), Ok(set));
        for wrong in ["", "12", &"g".repeat(66), &"ä".repeat(33), &[one.to_string().as_str(); 7].join(",")] {
            assert!(PictureSet::parse(wrong).is_err(), "{wrong}");
        }
        assert!(TextFingerprint::parse("+0000000000000000000000000000001").is_err());
        assert_eq!(PictureSet::of((1..=7).map(print)), None, "too many");
    }

    #[test]
    fn alike_is_little_different_in_the_same_shape() {
        let one = PictureFingerprint::new([0xFFFF_FFFF, 0, 0xFFFF_FFFF, 0], 128);
        let near = PictureFingerprint::new([0xFFFF_FF00, 0, 0xFFFF_FFFF, 0], 129);
        let far = PictureFingerprint::new([0, 0xFFFF_FFFF, 0, 0xFFFF_FFFF], 128);
        let wide = PictureFingerprint::new([0xFFFF_FFFF, 0, 0xFFFF_FFFF, 0], 140);
        assert!(one.is_like(&near) && !one.is_like(&far) && !one.is_like(&wide));
        assert_eq!(one.percent(&far), 100);
    }

    #[test]
    fn half_of_the_pictures_two_at_least() {
        let four = PictureSet::of((1..=4).map(print)).expect("four");
        let of = |numbers: &[u64]| {
            let pictures: Vec<_> = (0_u32..).zip(numbers).map(|(part, n)| seen(part, 25_000, print(*n))).collect();
            four.parts_of(&pictures)
        };
        assert_eq!(of(&[9, 2, 8, 4]), Some(vec![1, 3]));
        assert_eq!(of(&[1, 2, 3, 4]), Some(vec![0, 1, 2, 3]));
        assert_eq!(of(&[1, 1, 1]), None, "one of them, three times");
        assert_eq!(of(&[7, 8, 9]), None);
        let six = PictureSet::of((1..=6).map(print)).expect("six");
        assert_eq!((four.needed(), six.needed()), (2, 3));
    }

    #[test]
    fn icons_alone_are_not_enough() {
        let two = PictureSet::of([print(1), print(2)]).expect("two");
        let of = |first, second| two.parts_of(&[seen(0, first, print(1)), seen(1, second, print(2))]);
        assert_eq!(of(ICON_PIXELS_MAX, 4096), None);
        assert_eq!(of(ICON_PIXELS_MAX + 1, 4096), Some(vec![0, 1]));
    }

    #[test]
    fn one_alone_must_be_large() {
        let alone = PictureSet::of([print(1)]).expect("one");
        assert_eq!(alone.parts_of(&[seen(0, ALONE_SHRUNK_PIXELS_MIN, print(1))]), Some(vec![0]));
        assert_eq!(alone.parts_of(&[seen(0, ALONE_SHRUNK_PIXELS_MIN - 1, print(1))]), None);
    }
}
