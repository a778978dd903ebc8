//! Codes in pictures (ISO/IEC 18004).

use image::GrayImage;

/// Edge of a picture in which a code can be, at least.
const EDGE_MIN: u32 = 60;
/// Below this edge a picture is doubled: a module of one pixel is too small to be found.
const DOUBLED_BELOW: u32 = 200;
/// Pixels up to which the picture is looked at inverted as well.
const INVERTED_MAX: u64 = 1_000_000;
/// Codes of one picture that are read: a sheet of labels has many.
const CODES_MAX: usize = 8;

/// The texts of the codes in a picture.
pub(crate) fn codes(grey: &GrayImage) -> Vec<String> {
    if grey.width().min(grey.height()) < EDGE_MIN {
        return Vec::new();
    }
    let codes = find(grey, |value| value);
    let count = u64::from(grey.width()) * u64::from(grey.height());
    if codes.is_empty() && count <= INVERTED_MAX { find(grey, |value| 255 - value) } else { codes }
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
    use crate::limits::Budget;
    use crate::mime;
    use crate::pixel_reader::{PixelReader, Pixels};
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
        let mut reader = PixelReader::default();
        let first = reader.look(bytes, &part, &mut pixels);
        assert_eq!(reader.look(bytes, &part, &mut pixels), first, "remembered");
        first.codes
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
