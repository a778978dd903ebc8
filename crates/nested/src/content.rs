//! Kinds of content that nest or grow: pages, drawings, documents, pictures.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::{Kind, attached, mail, times};

const LENGTH: usize = 128 << 10;

pub(crate) const KINDS: &[Kind] = &[
    Kind::examined("elements in elements of a page", || page(&filled("<div>"))),
    Kind::examined("tables in tables", || page(&filled("<table><tr><td>"))),
    Kind::examined("attributes of an element", || page(&format!("<p {}>", filled("a=b ")))),
    Kind::examined("a comment without an end", || page(&format!("<!--{}", filled("-- ")))),
    Kind::examined("entities", || page(&filled("&amp;"))),
    Kind::examined("links in links", || page(&filled("<a href=http://x.example>"))),
    Kind::examined("drawings in drawings of a page", || page(&filled("<svg><foreignObject>"))),
    Kind::examined("scripts that do not end", || page(&filled("<script>"))),
    Kind::examined("templates in templates", || page(&filled("<template>"))),
    Kind::examined("rules of a style", || page(&format!("<style>{}", filled("a{b:c}")))),
    Kind::examined("a line of links", || mail("Content-Type: text/plain\r\n", &filled("http://a.example/b "))),
    Kind::examined("a line without an end", || mail("Content-Type: text/plain\r\n", &filled("x"))),
    Kind::examined("elements in elements of a drawing", || svg(&filled("<g>"))),
    Kind::examined("attributes of a drawing", || svg(&format!("<g {}/>", filled("a='b' ")))),
    Kind::examined("entities in entities of a drawing", || {
        let level = |number: u32| format!("<!ENTITY e{} '{}'>", number + 1, times(&format!("&e{number};"), 10));
        let levels: String = (0..20).map(level).collect();
        attached(
            "a.svg",
            "image/svg+xml",
            format!("<!DOCTYPE svg [<!ENTITY e0 'x'>{levels}]><svg>&e20;</svg>").as_bytes(),
        )
    }),
    Kind::examined("a drawing without a quotation mark", || svg(&format!("<g a='{}", filled("<g> ")))),
    Kind::examined("arrays in arrays of a PDF", || pdf(&filled("["))),
    Kind::examined("dictionaries in dictionaries of a PDF", || pdf(&filled("<</A "))),
    Kind::examined("brackets in brackets of a PDF", || pdf(&format!("/URI {}", filled("(")))),
    Kind::examined("objects of a PDF", || pdf(&filled("1 0 obj<<>>endobj "))),
    Kind::examined("streams of a PDF that unpack to much", || {
        let packed = deflated(&vec![b' '; 32 << 20]);
        let mut bytes =
            format!("%PDF-1.7\n1 0 obj<</Filter/FlateDecode/Length {}>>stream\n", packed.len()).into_bytes();
        bytes.extend(packed);
        bytes.extend(b"\nendstream endobj\n");
        attached("a.pdf", "application/pdf", &bytes)
    }),
    Kind::examined("filters of a stream of a PDF", || {
        let mut packed = b"x".to_vec();
        (0..200).for_each(|_| packed = deflated(&packed));
        let filters = times("/FlateDecode", 200);
        let mut bytes = format!("%PDF-1.7\n1 0 obj<</Filter[{filters}]/Length {}>>stream\n", packed.len()).into_bytes();
        bytes.extend(packed);
        bytes.extend(b"\nendstream endobj\n");
        attached("a.pdf", "application/pdf", &bytes)
    }),
    Kind::examined("groups in groups of an RTF", || rtf(&filled("{"))),
    Kind::examined("objects in objects of an RTF", || rtf(&filled("{\\object{\\objdata 01"))),
    Kind::examined("bytes that an RTF only says it has", || rtf(&filled("\\bin4294967295 "))),
    Kind::examined("a compound file whose sectors lead to themselves", || {
        let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        bytes.extend([0; 16]);
        bytes.extend([0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
        bytes.resize(44, 0);
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.resize(76, 0);
        bytes.resize(LENGTH, 0);
        attached("a.doc", "application/msword", &bytes)
    }),
    Kind::examined("signatures in signatures", || {
        attached("smime.p7m", "application/pkcs7-mime", &[0x30, 0x80].repeat(LENGTH / 2))
    }),
    Kind::examined("certificates of a length that is not there", || {
        attached("smime.p7s", "application/pkcs7-signature", &[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff].repeat(LENGTH / 6))
    }),
    Kind::examined("blocks of a GIF", || picture("a.gif", "image/gif", b"GIF89a\x01\0\x01\0\0\0\0", b"!\xfe\x01x\0")),
    Kind::examined("chunks of a PNG", || picture("a.png", "image/png", b"\x89PNG\r\n\x1a\n", b"\0\0\0\0teXt\0\0\0\0")),
    Kind::examined("a PNG of ten thousand million pixels", || {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x86\xa0\0\x01\x86\xa0\x08\x02\0\0\0\0\0\0\0".to_vec();
        let data = deflated(&vec![0; 8 << 20]);
        bytes.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
        bytes.extend(b"IDAT");
        bytes.extend(data);
        bytes.extend([0; 4]);
        bytes.extend(b"\0\0\0\0IEND\xaeB`\x82");
        attached("a.png", "image/png", &bytes)
    }),
    Kind::examined("segments of a JPEG", || picture("a.jpg", "image/jpeg", b"\xff\xd8", b"\xff\xfe\0\x02")),
    Kind::examined("chunks of a WebP", || {
        picture("a.webp", "image/webp", b"RIFF\xff\xff\xff\x7fWEBP", b"XXXX\0\0\0\0")
    }),
    Kind::examined("pictures of an icon", || {
        picture("a.ico", "image/x-icon", b"\0\0\x01\0\xff\xff", b"\x10\x10\0\0\x01\0\x20\0\0\x01\0\0\x06\0\0\0")
    }),
    Kind::examined("attributes of a TNEF", || {
        picture("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22\x01\0", b"\x02\x05\x80\x06\0\0\0\0\0\0\0")
    }),
    Kind::examined("files of a OneNote page", || {
        picture(
            "a.one",
            "application/onenote",
            b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
            b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac\x01\0\0\0\0\0\0\0",
        )
    }),
];

fn filled(piece: &str) -> String {
    times(piece, LENGTH / piece.len())
}

fn page(body: &str) -> Vec<u8> {
    mail("Content-Type: text/html\r\n", &format!("<html>{body}"))
}

fn svg(body: &str) -> Vec<u8> {
    attached("a.svg", "image/svg+xml", format!("<svg xmlns='http://www.w3.org/2000/svg'>{body}").as_bytes())
}

fn pdf(body: &str) -> Vec<u8> {
    attached("a.pdf", "application/pdf", format!("%PDF-1.7\n{body}").as_bytes())
}

fn rtf(body: &str) -> Vec<u8> {
    attached("a.rtf", "application/rtf", format!("{{\\rtf1{body}").as_bytes())
}

fn picture(name: &str, kind: &str, beginning: &[u8], piece: &[u8]) -> Vec<u8> {
    attached(name, kind, &[beginning, &piece.repeat(LENGTH / piece.len())].concat())
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Memory takes whatever is written to it.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
