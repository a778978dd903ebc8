//! Larger pieces of the specimens: metadata as tools write it, and containers that no encoder would make.

use super::carrier::{gif, jpeg};

/// Exif with one comment in it.
pub(super) fn exif(comment: &[u8]) -> Vec<u8> {
    [b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0".as_slice(), comment].concat()
}

/// Exif with a whole small JPEG in it, its end-of-image marker included.
pub(super) fn exif_thumbnail() -> Vec<u8> {
    exif(&jpeg())
}

/// Photoshop's image resources with one caption (resource 0x0404, IPTC).
pub(super) fn photoshop(caption: &str) -> Vec<u8> {
    let text = [&[0x1c, 2, 120][..], &(caption.len() as u16).to_be_bytes(), caption.as_bytes()].concat();
    [b"Photoshop 3.0\08BIM\x04\x04\0\0".as_slice(), &(text.len() as u32).to_be_bytes(), &text].concat()
}

/// An XMP packet with one attribute.
pub(super) fn xmp(attribute: &str) -> Vec<u8> {
    format!(
        "http://ns.adobe.com/xap/1.0/\0<?xpacket begin='\u{feff}'?><x:xmpmeta \
            xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description {attribute}/>\
         </rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
    .into_bytes()
}

/// A colour profile whose second tag lies at `offset` with `size` bytes.
pub(super) fn icc(offset: u32, size: u32) -> Vec<u8> {
    let mut profile = vec![0; 132 + 24 + 100];
    profile[36..40].copy_from_slice(b"acsp");
    profile[128..132].copy_from_slice(&2_u32.to_be_bytes());
    let tag = |signature: &[u8; 4], offset: u32, size: u32| {
        [&signature[..], &offset.to_be_bytes(), &size.to_be_bytes()].concat()
    };
    profile[132..144].copy_from_slice(&tag(b"desc", 156, 100));
    profile[144..156].copy_from_slice(&tag(b"wtpt", offset, size));
    [b"ICC_PROFILE\0\x01\x01".as_slice(), &profile].concat()
}

/// A RIFF file of one WebP chunk.
pub(super) fn riff(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let padded = body.len() + body.len() % 2;
    let size = u32::try_from(4 + 8 + padded).expect("short").to_le_bytes();
    let length = u32::try_from(body.len()).expect("short").to_le_bytes();
    let mut bytes = [b"RIFF", &size[..], b"WEBP", kind, &length, body].concat();
    bytes.resize(bytes.len() + body.len() % 2, 0);
    bytes
}

/// A one-bit bitmap of this size, blank: 1,000 times more pixels in memory than bytes in a compressed file.
pub(super) fn large_bmp(width: u32, height: u32) -> Vec<u8> {
    let row = width.div_ceil(32) * 4;
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x3e\0\0\0\x28\0\0\0".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.resize(62, 0);
    bytes.resize(62 + (row * height) as usize, 0);
    bytes
}

/// A GIF that declares 60,000 x 60,000 and shows a small picture.
pub(super) fn large_gif() -> Vec<u8> {
    let mut bytes = gif();
    bytes[6..10].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]);
    bytes
}

/// Bits, the lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> bit & 1) as u8) << (self.at % 8);
            self.at += 1;
        }
    }
}

/// A lossless picture whose first four codes are as complete codes may be, and whose fifth is not complete, so that its
/// table needs more entries than any complete code of 40 symbols: the shape of CVE-2023-4863, and nothing behind it.
pub(super) fn tables_that_overflow() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2f, 8);
    bits.put(63, 14);
    bits.put(47, 14);
    bits.put(0, 4);
    // No transform, no colour cache, one group.
    bits.put(0, 3);
    for (alphabet, histogram) in [
        // The most that complete codes of 280 and of 256 symbols take: 654 and 630 entries.
        (280, GREEN),
        (256, LITERAL),
        (256, LITERAL),
        (256, LITERAL),
        (40, DISTANCE),
    ] {
        code(&mut bits, alphabet, &histogram);
    }
    bits.put(0, 32);
    bits.bytes
}

/// How many symbols have codes of each length, from 1 to 15.
type Histogram = [usize; 15];

const GREEN: Histogram = [1, 1, 0, 0, 0, 0, 0, 0, 3, 229, 41, 1, 1, 1, 2];
const LITERAL: Histogram = [1, 1, 0, 0, 0, 0, 0, 0, 7, 241, 1, 1, 1, 1, 2];
/// Not complete, and so it takes 536 entries where complete codes take 410 at most.
const DISTANCE: Histogram = [0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 19, 1, 0, 0, 11];

/// Writes the lengths of a code: the first symbols get the shortest.
fn code(bits: &mut Bits, alphabet: usize, histogram: &Histogram) {
    let mut lengths: Vec<u32> = Vec::new();
    for (at, count) in histogram.iter().enumerate() {
        lengths.extend(std::iter::repeat_n(at as u32 + 1, *count));
    }
    lengths.resize(alphabet, 0);
    // Lengths as they are: a code of lengths in which 0 to 15 have four bits each.
    bits.put(0, 1);
    const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    bits.put(15, 4);
    for symbol in ORDER {
        bits.put(if symbol < 16 { 4 } else { 0 }, 3);
    }
    bits.put(0, 1);
    for length in lengths {
        // Canonical codes of one length are the numbers themselves, the highest bit first.
        bits.put(length.reverse_bits() >> 28, 4);
    }
}
