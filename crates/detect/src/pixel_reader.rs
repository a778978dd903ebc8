//! Pictures of a mail, each decoded once: for the codes in it, and for what it looks like. What cannot be decoded is
//! not analysed, and that is all.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::Digest;
use domain::fingerprint::PictureFingerprint;
use domain::message::Part;
use image::{DynamicImage, GrayImage};

use crate::fingerprint;
use crate::limits::Budget;
use crate::page::qr;
use crate::pixels::Declared;

/// Pixels of all pictures of one mail.
const MAIL_PIXELS_MAX: u64 = 50_000_000;
/// Pictures of which is remembered what was read in them by one worker: a logo comes in every mail.
const REMEMBERED_MAX: usize = 10_000;

/// What was read in one picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The texts of its codes.
    pub(crate) codes: Vec<String>,
    /// What it looks like; none where it shows too little.
    pub(crate) print: Option<PictureFingerprint>,
    /// Its pixels.
    pub(crate) pixels: u32,
}

/// What one worker has read.
#[derive(Debug, Default)]
pub(crate) struct PixelReader {
    known: HashMap<Digest, Look>,
}

/// What may still be decoded of one mail.
#[derive(Debug)]
pub(crate) struct Pixels {
    left: u64,
    budget: Budget,
}

impl Pixels {
    /// The whole allowance of one mail.
    pub(crate) fn new(budget: Budget) -> Self {
        Self { left: MAIL_PIXELS_MAX, budget }
    }

    /// Takes the pixels of a picture; `false` when there are not so many left.
    fn take(&mut self, pixels: u64) -> bool {
        let left = self.left.checked_sub(pixels);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

impl PixelReader {
    /// What is to be read in a picture; nothing where it is too small or cannot be decoded within the limits. One that
    /// is remembered takes as much of the allowance as one that is not, so that no mail before decides what is read.
    pub(crate) fn look(&mut self, bytes: &[u8], part: &Part, pixels: &mut Pixels) -> Look {
        if let Some(known) = self.known.get(&part.sha256) {
            return if pixels.take(known.pixels.into()) { known.clone() } else { Look::default() };
        }
        let Some(declared) = Declared::read(bytes, &part.content_type) else { return Look::default() };
        let is_small = declared.width.min(declared.height) < fingerprint::picture::EDGE_MIN;
        if is_small || !declared.fits() || pixels.budget.is_spent() || !pixels.take(declared.pixels()) {
            return Look::default();
        }
        // Readers of codes are other people's code: one that panics has not analysed this picture.
        let look =
            declared.decode().map(|picture| catch_unwind(AssertUnwindSafe(|| read(&picture))).unwrap_or_default());
        let look = Look { pixels: declared.pixels().try_into().unwrap_or(u32::MAX), ..look.unwrap_or_default() };
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
        self.known.insert(part.sha256, look.clone());
        look
    }
}

fn read(picture: &DynamicImage) -> Look {
    let grey = grey(picture);
    Look { codes: qr::codes(&grey), print: fingerprint::picture::of(grey.width(), grey.as_raw()), pixels: 0 }
}

/// The brightness of a picture on a white page.
pub(crate) fn grey(picture: &DynamicImage) -> GrayImage {
    let mut grey = picture.to_luma8();
    if picture.color().has_alpha() {
        on_white(&mut grey, picture);
    }
    grey
}

/// What is transparent shows the page below.
fn on_white(grey: &mut GrayImage, picture: &DynamicImage) {
    for (pixel, whole) in grey.pixels_mut().zip(picture.to_luma_alpha8().pixels()) {
        let [value, alpha] = whole.0;
        let mixed = u32::from(value) * u32::from(alpha) + 255 * u32::from(255 - alpha);
        pixel.0 = [(mixed / 255) as u8];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime;
    use image::{ImageFormat, Luma};
    use std::io::Cursor;
    use std::time::Duration;

    fn png(edge: u32) -> Vec<u8> {
        let picture = GrayImage::from_fn(edge, edge, |x, y| Luma([((x * x + 3 * x * y + y * 7) % 251) as u8]));
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, ImageFormat::Png).expect("memory");
        out.into_inner()
    }

    fn part(bytes: &[u8]) -> Part {
        mime::alone(bytes, "a.png", "image/png").message.parts.remove(0)
    }

    #[test]
    fn what_is_remembered_takes_as_much_as_what_is_not() {
        let bytes = png(100);
        let part = part(&bytes);
        let mut reader = PixelReader::default();
        let budget = Budget::starting_now(Duration::from_secs(10));
        let mut pixels = Pixels { left: 25_000, budget };
        let first = reader.look(&bytes, &part, &mut pixels);
        assert_eq!((first.pixels, first.print.is_some()), (10_000, true));
        assert_eq!(reader.look(&bytes, &part, &mut pixels), first);
        assert_eq!((reader.look(&bytes, &part, &mut pixels), pixels.left), (Look::default(), 5_000));
    }

    #[test]
    fn what_is_small_or_damaged_shows_nothing() {
        let mut reader = PixelReader::default();
        let mut pixels = Pixels::new(Budget::starting_now(Duration::from_secs(10)));
        let whole = png(100);
        for bytes in [png(31), whole[..whole.len() / 2].to_vec(), b"GIF89a".to_vec()] {
            assert_eq!(reader.look(&bytes, &part(&bytes), &mut pixels).print, None);
        }
    }
}
