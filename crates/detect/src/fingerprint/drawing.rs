//! Pictures drawn by a seed, and what a campaign does to them from copy to copy: for the tests of fingerprints.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

/// Numbers that follow from a seed.
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn below(&mut self, most: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as u32 % most
    }
}

pub(super) fn numbers(seed: u64) -> Numbers {
    Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
}

/// A drawing: a ground that changes slowly, and boxes and discs on it.
pub(super) fn drawing(seed: u64, width: u32, height: u32) -> RgbImage {
    let mut number = numbers(seed);
    let (from, to) = (number.below(256), number.below(256));
    let mut shapes = Vec::new();
    for _ in 0..4 + number.below(8) {
        let (x, y) = (number.below(width), number.below(height));
        let (wide, high) = (1 + number.below(width / 2), 1 + number.below(height / 2));
        shapes.push((x, y, wide, high, number.below(2) == 0, [0; 3].map(|_: u8| number.below(256) as u8)));
    }
    RgbImage::from_fn(width, height, |x, y| {
        let ground = (from * (width - x) + to * x) / width;
        let mut colour = [ground as u8; 3];
        for (left, top, wide, high, is_box, own) in &shapes {
            let (dx, dy) = (x.abs_diff(*left), y.abs_diff(*top));
            let inside = if *is_box {
                x >= *left && y >= *top && dx < *wide && dy < *high
            } else {
                dx * dx * 4 / (wide * wide) + dy * dy * 4 / (high * high) < 1
            };
            if inside {
                colour = *own;
            }
        }
        Rgb(colour)
    })
}

/// The bytes of a JPEG of this quality.
pub(super) fn jpeg_bytes(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).encode_image(picture).expect("memory");
    out
}

/// The bytes of a PNG.
pub(super) fn png_bytes(picture: &RgbImage) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).expect("memory");
    out.into_inner()
}

pub(super) fn jpeg(picture: &RgbImage, quality: u8) -> RgbImage {
    let bytes = jpeg_bytes(picture, quality);
    image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).expect("a picture").to_rgb8()
}

fn png(picture: &RgbImage) -> RgbImage {
    image::load_from_memory_with_format(&png_bytes(picture), ImageFormat::Png).expect("a picture").to_rgb8()
}

fn scaled(picture: &RgbImage, percent: u32) -> RgbImage {
    let edge = |pixels: u32| (pixels * percent / 100).max(1);
    imageops::resize(picture, edge(picture.width()), edge(picture.height()), FilterType::Triangle)
}

pub(super) fn noisy(picture: &RgbImage, seed: u64, most: u32) -> RgbImage {
    let mut number = numbers(seed);
    let mut out = picture.clone();
    for value in out.iter_mut() {
        *value = (u32::from(*value) + number.below(2 * most + 1)).saturating_sub(most).min(255) as u8;
    }
    out
}

fn one_pixel(picture: &RgbImage, seed: u64) -> RgbImage {
    let mut number = numbers(seed);
    let mut out = picture.clone();
    let (x, y) = (number.below(out.width()), number.below(out.height()));
    out.put_pixel(x, y, Rgb([number.below(256) as u8; 3]));
    out
}

/// Without so much of a hundred at each border.
fn cropped(picture: &RgbImage, left: u32, top: u32, right: u32, bottom: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (x, y) = (width * left / 100, height * top / 100);
    let (wide, high) = (width - x - width * right / 100, height - y - height * bottom / 100);
    imageops::crop_imm(picture, x, y, wide, high).to_image()
}

fn brighter(picture: &RgbImage) -> RgbImage {
    let mut out = picture.clone();
    out.iter_mut().for_each(|value| *value = (u32::from(*value) * 9 / 10 + 12) as u8);
    out
}

/// One form of a picture: its name, and how it comes about.
type Form = (&'static str, fn(&RgbImage, u64) -> RgbImage);

/// What a campaign does to a picture from copy to copy.
pub(super) const FORMS: [Form; 14] = [
    ("PNG", |picture, _| png(picture)),
    ("JPEG 90", |picture, _| jpeg(picture, 90)),
    ("JPEG 60", |picture, _| jpeg(picture, 60)),
    ("half", |picture, _| scaled(picture, 50)),
    ("three quarters, JPEG 70", |picture, _| jpeg(&scaled(picture, 75), 70)),
    ("one and a third", |picture, _| scaled(picture, 133)),
    ("twice", |picture, _| scaled(picture, 200)),
    ("noise", |picture, seed| noisy(picture, seed, 6)),
    ("noise, JPEG 60", |picture, seed| jpeg(&noisy(picture, seed, 6), 60)),
    ("one pixel", one_pixel),
    ("1 % less everywhere", |picture, _| cropped(picture, 1, 1, 1, 1)),
    ("2 % less on the left and at the top", |picture, _| cropped(picture, 2, 2, 0, 0)),
    ("2 % less on the right, JPEG 80", |picture, _| jpeg(&cropped(picture, 0, 0, 2, 0), 80)),
    ("other brightness", |picture, _| brighter(picture)),
];
