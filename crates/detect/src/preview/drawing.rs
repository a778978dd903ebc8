//! Pictures drawn anew: decoded to pixels, made no larger than a screen, and written by our own encoder. Nothing of the
//! file itself is passed on: no metadata, no profile, no trailer, and none of the oddities that a browser's decoder
//! would have to bear.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use serde::{Deserialize, Serialize};

use crate::limits::Budget;
use crate::pixels::Declared;

/// Edge of what is drawn, in pixels, at most.
const EDGE_SHOWN: u32 = 1200;
/// Pixels of all the pictures of one mail that are decoded.
const MAIL_PIXELS_MAX: u64 = 100_000_000;
/// Characters of base64 of all that is drawn of one mail.
const MAIL_DATA_MAX: usize = 12 << 20;
/// Of 100; what one sees no difference at.
const JPEG_QUALITY: u8 = 85;

/// A picture as it was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// `image/png`, or `image/jpeg` for what came as that.
    pub content_type: String,
    /// The file, in base64.
    pub data: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// What may still be drawn of one mail.
#[derive(Debug)]
pub(super) struct Paper {
    pixels: u64,
    data: usize,
    budget: Budget,
}

impl Paper {
    pub(super) fn new(budget: Budget) -> Self {
        Self { pixels: MAIL_PIXELS_MAX, data: MAIL_DATA_MAX, budget }
    }

    /// Draws a picture of the content type that its bytes show.
    ///
    /// # Errors
    /// Why it is not drawn, for people.
    pub(super) fn draw(&mut self, bytes: &[u8], content_type: &str) -> Result<Drawn, String> {
        let declared = Declared::read(bytes, content_type)
            .ok_or_else(|| format!("{content_type} is not decoded here, or its header is broken"))?;
        let (width, height) = (declared.width, declared.height);
        if !declared.fits() {
            return Err(format!("{width} x {height} pixels are not decoded"));
        }
        if declared.pixels() > self.pixels || self.budget.is_spent() {
            return Err("the other pictures of this mail took all that is decoded of one".into());
        }
        self.pixels -= declared.pixels();
        let picture = declared.decode().ok_or("it cannot be decoded")?;
        let drawn = draw(picture, content_type == "image/jpeg").ok_or("it cannot be written anew")?;
        self.data = self
            .data
            .checked_sub(drawn.data.len())
            .ok_or("the other pictures of this mail took all that is shown of one")?;
        Ok(drawn)
    }
}

fn draw(picture: DynamicImage, as_photo: bool) -> Option<Drawn> {
    let is_large = picture.width().max(picture.height()) > EDGE_SHOWN;
    let shown = if is_large { picture.resize(EDGE_SHOWN, EDGE_SHOWN, FilterType::Triangle) } else { picture };
    let mut file = Cursor::new(Vec::new());
    let content_type = if as_photo {
        let encoder = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
        shown.to_rgb8().write_with_encoder(encoder).ok()?;
        "image/jpeg"
    } else {
        DynamicImage::ImageRgba8(shown.to_rgba8()).write_to(&mut file, ImageFormat::Png).ok()?;
        "image/png"
    };
    let data = STANDARD.encode(file.into_inner());
    Some(Drawn { content_type: content_type.to_owned(), data, width: shown.width(), height: shown.height() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookalike::pictures;
    use crate::mime;
    use std::time::Duration;

    fn paper() -> Paper {
        Paper::new(Budget::starting_now(Duration::from_secs(60)))
    }

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut out, format).expect("memory");
        out.into_inner()
    }

    #[test]
    fn what_is_drawn_is_a_plain_file_of_its_own() {
        for (format, came_as, goes_as) in [
            (ImageFormat::Png, "image/png", "image/png"),
            (ImageFormat::Gif, "image/gif", "image/png"),
            (ImageFormat::Bmp, "image/bmp", "image/png"),
            (ImageFormat::WebP, "image/webp", "image/png"),
            (ImageFormat::Jpeg, "image/jpeg", "image/jpeg"),
        ] {
            let drawn = paper().draw(&encoded(40, 30, format), came_as).expect("it is a picture");
            assert_eq!((drawn.content_type.as_str(), drawn.width, drawn.height), (goes_as, 40, 30));
            let file = STANDARD.decode(&drawn.data).expect("base64");
            let again = image::load_from_memory(&file).expect("a picture");
            assert_eq!((again.width(), again.height()), (40, 30), "{came_as}");
        }
    }

    #[test]
    fn a_large_one_is_made_smaller_and_a_huge_one_is_not_decoded() {
        let drawn = paper().draw(&encoded(3000, 1500, ImageFormat::Png), "image/png").expect("large");
        assert_eq!((drawn.width, drawn.height), (1200, 600));
        let why = paper().draw(&encoded(9000, 10, ImageFormat::Png), "image/png").expect_err("huge");
        assert_eq!(why, "9000 x 10 pixels are not decoded");
    }

    #[test]
    fn one_mail_has_so_many_pixels_and_no_more() {
        let mut paper = paper();
        let photo = encoded(5000, 5000, ImageFormat::Gif);
        let drawn = (0..5).filter(|_| paper.draw(&photo, "image/gif").is_ok()).count();
        assert_eq!(drawn, 4, "four times 25 million pixels");
    }

    /// What hides in or behind a picture is not in what is drawn of it.
    #[test]
    fn nothing_of_the_file_is_passed_on() {
        let mut seen = 0;
        for specimen in pictures() {
            let parsed = mime::alone(&specimen.bytes, specimen.file, specimen.declared);
            let Ok(drawn) = paper().draw(&specimen.bytes, &parsed.message.parts[0].content_type) else { continue };
            let file = STANDARD.decode(&drawn.data).expect("base64");
            for hidden in [&b"MZ\x90\0"[..], b"PK\x03\x04", b"<script", b"TVqQ", b"Exif", b"SEFT"] {
                assert!(memchr::memmem::find(&file, hidden).is_none(), "{}", specimen.name);
            }
            seen += 1;
        }
        assert!(seen > 20, "{seen} of the pack can be drawn");
    }
}
