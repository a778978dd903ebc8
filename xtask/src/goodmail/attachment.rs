//! Small valid files to attach: PDF, DOCX, JPEG, PNG, made here of a text.

use super::letter::Attachment;
use super::seed::Seed;

/// A grey JPEG of 8 by 8 pixels (JFIF, baseline): what follows its comment.
const JPEG: [&str; 3] = [
    "ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e40445745373850",
    "6d51575f626768673e4d71797064785c656763ffc0000b080008000801011100ffc400140001000000000000000000000000",
    "00000003ffc40014100100000000000000000000000000000000ffda0008010100003f0037ffd9",
];

/// A file of this name with a text in it; its end says its kind.
pub(super) fn named(name: &str, text: &str, seed: &mut Seed) -> Attachment {
    let (kind, bytes) = match name.rsplit('.').next().unwrap_or_default() {
        "jpg" => ("image/jpeg", jpeg(text)),
        "docx" => ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", docx(text)),
        _ => ("application/pdf", pdf(text, seed)),
    };
    let kind = if seed.chance(8) { "application/octet-stream" } else { kind };
    Attachment { name: name.to_owned(), kind: kind.to_owned(), bytes }
}

/// A page with a text (ISO 32000-1): its objects, their places, the trailer.
fn pdf(text: &str, seed: &mut Seed) -> Vec<u8> {
    let line = |text: &str| -> String {
        text.chars().filter(|letter| letter.is_ascii() && !matches!(letter, '(' | ')' | '\\')).collect()
    };
    let shown: Vec<String> = text.lines().map(|text| format!("({}) Tj 0 -18 Td", line(text))).collect();
    let stream = format!("BT /F1 12 Tf 72 760 Td {} ET", shown.join("\n"));
    let maker = seed.pick(&[
        "Microsoft Word for Microsoft 365",
        "LibreOffice 24.2",
        "iText 7",
        "mPDF 8.1",
        "Quartz PDFContext",
    ]);
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> \
            >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Producer ({maker}) >>"),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = String::new();
    for (at, object) in objects.iter().enumerate() {
        places.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let start = out.len();
    out.push_str(&format!(
        "xref\n0 7\n0000000000 65535 f \n{places}trailer\n<< /Size 7 /Root 1 0 R /Info 6 0 R \
        >>\nstartxref\n{start}\n%%EOF\n"
    ));
    out.into_bytes()
}

/// A document of Word (ECMA-376) with one paragraph a line.
fn docx(text: &str) -> Vec<u8> {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let paragraphs: String =
        text.lines().map(|line| format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", escaped(line))).collect();
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    let office = "http://schemas.openxmlformats.org";
    stored(&[
        (
            "[Content_Types].xml",
            format!(
                "{head}<Types xmlns=\"{office}/package/2006/content-types\"><Default Extension=\"rels\" \
             ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override \
             PartName=\"/word/document.xml\" \
             ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>\
             </Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{head}<Relationships xmlns=\"{office}/package/2006/relationships\"><Relationship Id=\"rId1\" \
             Type=\"{office}/officeDocument/2006/relationships/officeDocument\" \
             Target=\"word/document.xml\"/></Relationships>"
            ),
        ),
        (
            "word/document.xml",
            format!(
                "{head}<w:document xmlns:w=\"{office}/wordprocessingml/2006/main\"><w:body>{paragraphs}</w:body>\
                    </w:document>"
            ),
        ),
    ])
}

/// A zip archive whose members are stored (APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.3.16).
fn stored(members: &[(&str, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in members {
        let length = u32::try_from(text.len()).unwrap_or_default().to_le_bytes();
        let name_length = u16::try_from(name.len()).unwrap_or_default().to_le_bytes();
        let at = u32::try_from(out.len()).unwrap_or_default().to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x5c];
        common.extend(checksum(text.as_bytes()).to_le_bytes());
        common.extend(length.iter().chain(&length).chain(&name_length));
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(text.as_bytes());
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at);
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(members.len()).unwrap_or_default().to_le_bytes();
    let start = u32::try_from(out.len()).unwrap_or_default().to_le_bytes();
    let length = u32::try_from(directory.len()).unwrap_or_default().to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.iter().chain(&count).chain(&length).chain(&start));
    out.extend([0, 0]);
    out
}

/// CRC-32 (APPNOTE section 4.4.7).
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

/// A picture with a text as its comment.
fn jpeg(text: &str) -> Vec<u8> {
    let comment: Vec<u8> = text.bytes().take(200).collect();
    let mut out =
        vec![0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 72, 0, 72, 0, 0, 0xff, 0xfe];
    out.extend(u16::try_from(comment.len() + 2).unwrap_or(2).to_be_bytes());
    out.extend(comment);
    let digits: Vec<u8> = JPEG.concat().into_bytes();
    out.extend(digits.chunks(2).filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn files_begin_and_end_as_their_kinds_do() {
        let mut seed = Seed::of(&["file"]);
        let mut bytes = |name: &str| named(name, "Line one\nLine two", &mut seed).bytes;
        let pdf = String::from_utf8(bytes("a.pdf")).expect("text");
        let start: usize =
            pdf.rsplit("startxref\n").next().and_then(|rest| rest.lines().next()?.parse().ok()).expect("a place");
        assert!(pdf.get(start..).expect("in the file").starts_with("xref"));
        assert!(bytes("a.docx").starts_with(b"PK\x03\x04"));
        assert!(bytes("a.jpg").starts_with(&[0xff, 0xd8]) && bytes("a.jpg").ends_with(&[0xff, 0xd9]));
    }
}
