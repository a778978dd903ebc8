//! Plain pictures and plain payloads, from which the specimens are made.

use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture of a format: a gradient with some noise, always the same.
pub(super) fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let pixels = RgbImage::from_fn(width, height, |x, y| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let [noise, ..] = state.to_le_bytes();
        Rgb([(x * 3) as u8 ^ noise & 31, (y * 5) as u8 ^ noise & 31, noise])
    });
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut out, format).expect("a small picture can be written to memory");
    out.into_inner()
}

pub(super) fn jpeg() -> Vec<u8> {
    picture(ImageFormat::Jpeg, 64, 48)
}

pub(super) fn png() -> Vec<u8> {
    picture(ImageFormat::Png, 64, 48)
}

pub(super) fn gif() -> Vec<u8> {
    picture(ImageFormat::Gif, 64, 48)
}

pub(super) fn bmp() -> Vec<u8> {
    picture(ImageFormat::Bmp, 33, 20)
}

pub(super) fn webp() -> Vec<u8> {
    picture(ImageFormat::WebP, 64, 48)
}

pub(super) fn ico() -> Vec<u8> {
    picture(ImageFormat::Ico, 32, 32)
}

/// A Windows program: headers that a loader would accept as such, and nothing that does anything.
pub(super) fn program() -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..4].copy_from_slice(b"MZ\x90\0");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    bytes
}

/// The same in base64, as a mail or a comment carries it.
pub(super) fn encoded_program() -> Vec<u8> {
    STANDARD.encode(program()).into_bytes()
}

/// A zip with one file.
pub(super) fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file(name, options).expect("a zip in memory takes a file");
    writer.write_all(content).expect("a zip in memory takes bytes");
    writer.finish().expect("a zip in memory can be finished").into_inner()
}

/// A JPEG segment.
pub(super) fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).expect("a specimen's segment is short");
    [&[0xff, marker][..], &length.to_be_bytes(), body].concat()
}

/// A JPEG with more segments behind its first two bytes.
pub(super) fn jpeg_with(segments: &[Vec<u8>]) -> Vec<u8> {
    let plain = jpeg();
    [&plain[..2], &segments.concat(), &plain[2..]].concat()
}

/// A PNG chunk with its checksum.
pub(super) fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a specimen's chunk is short");
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(body);
    [&length.to_be_bytes()[..], kind, body, &crc.sum().to_be_bytes()].concat()
}

/// A PNG with more chunks behind its header.
pub(super) fn png_with(chunks: &[Vec<u8>]) -> Vec<u8> {
    let plain = png();
    [&plain[..33], &chunks.concat(), &plain[33..]].concat()
}

/// A box of an ISO file.
pub(super) fn iso_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("a specimen's box is short");
    [&length.to_be_bytes()[..], kind, body].concat()
}

/// A film as a phone puts it behind a photo.
pub(super) fn film() -> Vec<u8> {
    [iso_box(b"ftyp", b"isom\0\0\x02\0isomiso2"), iso_box(b"mdat", &[7; 64]), iso_box(b"moov", &[0; 32])].concat()
}

/// Samsung's trailer with one block.
pub(super) fn samsung() -> Vec<u8> {
    let block = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1724668800000";
    let length = u32::try_from(block.len()).expect("short").to_le_bytes();
    let directory = [b"SEFH\x65\0\0\0\x01\0\0\0\0\0\x01\x0a", &length[..], &length[..]].concat();
    let size = u32::try_from(directory.len()).expect("short").to_le_bytes();
    [&block[..], &directory, &size, b"SEFT"].concat()
}
