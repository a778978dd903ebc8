//! Pixels of pictures, decoded within limits: for the codes in them, and for people who look at a mail. No verdict
//! rests on whether a picture can be decoded.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// Edge of a picture that is decoded, in pixels, at most.
pub const EDGE_MAX: u32 = 8000;
/// Pixels of one picture at most.
pub const PIXELS_MAX: u64 = 25_000_000;
/// Bytes of memory of one decoder.
const MEMORY_MAX: u64 = 256 << 20;

/// A picture of a format that can be decoded, by what its header declares.
#[derive(Clone, Copy, Debug)]
pub struct Declared<'b> {
    bytes: &'b [u8],
    format: ImageFormat,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl<'b> Declared<'b> {
    /// Reads the header; none for another format, or a header that cannot be read. The content type is the one that the
    /// bytes show.
    pub fn read(bytes: &'b [u8], content_type: &str) -> Option<Self> {
        let format = match content_type {
            "image/png" => ImageFormat::Png,
            "image/jpeg" => ImageFormat::Jpeg,
            "image/gif" => ImageFormat::Gif,
            "image/bmp" => ImageFormat::Bmp,
            "image/webp" => ImageFormat::WebP,
            _ => return None,
        };
        let (width, height) = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()?;
        Some(Self { bytes, format, width, height })
    }

    /// Pixels of it.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Whether it is within the limits on edge and pixels.
    pub fn fits(&self) -> bool {
        self.width <= EDGE_MAX && self.height <= EDGE_MAX && self.pixels() <= PIXELS_MAX
    }

    /// The first frame, upright; none when it cannot be decoded within the limits. Decoders are other people's code:
    /// one that panics has not decoded it.
    pub fn decode(&self) -> Option<DynamicImage> {
        if !self.fits() {
            return None;
        }
        catch_unwind(AssertUnwindSafe(|| self.decoded())).ok().flatten()
    }

    fn decoded(&self) -> Option<DynamicImage> {
        let mut reader = ImageReader::with_format(Cursor::new(self.bytes), self.format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(MEMORY_MAX);
        limits.max_image_width = Some(EDGE_MAX);
        limits.max_image_height = Some(EDGE_MAX);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().ok()?;
        if decoder.total_bytes() > MEMORY_MAX {
            return None;
        }
        let orientation = decoder.orientation().ok();
        let mut picture = DynamicImage::from_decoder(decoder).ok()?;
        orientation.into_iter().for_each(|orientation| picture.apply_orientation(orientation));
        Some(picture)
    }
}
