//! Codes in pictures (ISO/IEC 18004): the only reason for which pixels are decoded here to judge. What cannot be
//! decoded is not analysed, and that is all.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::Digest;
use domain::message::Part;
use image::{DynamicImage, GrayImage};

use crate::limits::Budget;
use crate::pixels::Declared;

/// Edge of a picture in which a code can be, at least.
const EDGE_MIN: u32 = 60;
/// Pixels of all pictures of one mail.
const MAIL_PIXELS_MAX: u64 = 50_000_000;
/// Below this edge a picture is doubled: a module of one pixel is too small to be found.
const DOUBLED_BELOW: u32 = 200;
/// Pixels up to which the picture is looked at inverted as well.
const INVERTED_MAX: u64 = 1_000_000;
/// Codes of one picture that are read: a sheet of labels has many.
const CODES_MAX: usize = 8;
/// Pictures whose codes are remembered by one worker: a logo comes in every mail.
const REMEMBERED_MAX: usize = 10_000;

/// What one worker has read.
#[derive(Debug, Default)]
pub struct Reader {
    known: HashMap<Digest, Vec<String>>,
}

/// What may still be decoded of one mail.
#[derive(Debug)]
pub struct Pixels {
    left: u64,
    budget: Budget,
}

impl Pixels {
    /// The whole allowance of one mail.
    pub fn new(budget: Budget) -> Self {
        Self { left: MAIL_PIXELS_MAX, budget }
    }
}

impl Reader {
    /// The texts of the codes in a picture; none where there is no code, or it was not looked at.
    pub fn codes(&mut self, bytes: &[u8], part: &Part, pixels: &mut Pixels) -> Vec<String> {
        if let Some(known) = self.known.get(&part.sha256) {
            return known.clone();
        }
        let Some(declared) = Declared::read(bytes, &part.content_type) else { return Vec::new() };
        let is_small = declared.width.min(declared.height) < EDGE_MIN;
        if is_small || !declared.fits() || declared.pixels() > pixels.left || pixels.budget.is_spent() {
            return Vec::new();
        }
        pixels.left -= declared.pixels();
        // Readers of codes are other people's code as well: one that panics has not analysed this picture.
        let read =
            declared.decode().map(|picture| catch_unwind(AssertUnwindSafe(|| read(&picture))).unwrap_or_default());
        let read = read.unwrap_or_default();
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
        self.known.insert(part.sha256, read.clone());
        read
    }
}

fn read(picture: &DynamicImage) -> Vec<String> {
    let mut grey = picture.to_luma8();
    if picture.color().has_alpha() {
        on_white(&mut grey, picture);
    }
    let codes = find(&grey, |value| value);
    let count = u64::from(grey.width()) * u64::from(grey.height());
    if codes.is_empty() && count <= INVERTED_MAX { find(&grey, |value| 255 - value) } else { codes }
}

/// What is transparent shows the page below.
fn on_white(grey: &mut GrayImage, picture: &DynamicImage) {
    for (pixel, whole) in grey.pixels_mut().zip(picture.to_luma_alpha8().pixels()) {
        let [value, alpha] = whole.0;
        let mixed = u32::from(value) * u32::from(alpha) + 255 * u32::from(255 - alpha);
        pixel.0 = [(mixed / 255) as u8];
    }
}

fn find(grey: &GrayImage, tone: fn(u8) -> u8) -> Vec<String> {
    let (width, height) = grey.dimensions();
    let scale = if width.min(height) < DOUBLED_BELOW { 2 } else { 1 };
    let (wide, high) = ((width * scale) as usize, (height * scale) as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(wide, high, |x, y| {
        tone(grey.get_pixel(x as u32 / scale, y as u32 / scale).0[0])
    });
    let grids = prepared.detect_grids();
    grids.iter().take(CODES_MAX).filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime;
    use image::{ImageFormat, Luma};
    use std::io::Cursor;
    use std::time::Duration;

    fn code(text: &str, module: u32, inverted: bool) -> Vec<u8> {
        let code = qrcode::QrCode::new(text).expect("a short text");
        let edge = code.width() as u32;
        let colours = code.to_colors();
        let picture = GrayImage::from_fn((edge + 8) * module, (edge + 8) * module, |x, y| {
            let (x, y) = ((x / module).wrapping_sub(4), (y / module).wrapping_sub(4));
            let dark = x < edge && y < edge && colours[(y * edge + x) as usize] == qrcode::Color::Dark;
            Luma([if dark == inverted { 255 } else { 0 }])
        });
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, ImageFormat::Png).expect("memory");
        out.into_inner()
    }

    fn codes(bytes: &[u8]) -> Vec<String> {
        let part = mime::alone(bytes, "code.png", "image/png").message.parts.remove(0);
        let mut pixels = Pixels::new(Budget::starting_now(Duration::from_secs(10)));
        let mut reader = Reader::default();
        let first = reader.codes(bytes, &part, &mut pixels);
        assert_eq!(reader.codes(bytes, &part, &mut pixels), first, "remembered");
        first
    }

    #[test]
    fn codes_are_read() {
        for (module, inverted) in [(4, false), (10, false), (2, false), (6, true)] {
            assert_eq!(
                codes(&code("https://example.com/menu", module, inverted)),
                ["https://example.com/menu"],
                "{module} {inverted}"
            );
        }
    }

    #[test]
    fn pictures_without_a_code_have_none() {
        for specimen in crate::lookalike::pictures() {
            assert_eq!(codes(&specimen.bytes), Vec::<String>::new(), "{}", specimen.name);
        }
    }
}
