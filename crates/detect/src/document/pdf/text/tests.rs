//! PDFs made here, and what is read in them.

use std::io::Write;
use std::time::Duration;

use proptest::prelude::*;

use crate::document::text::TEXT_BYTES_MAX;
use crate::document::{DocumentReading, look_at_pdf};
use crate::limits::{Budget, Limits};
use crate::mime;
use crate::unpack::Allowance;

fn seen(bytes: &[u8]) -> DocumentReading {
    let part = mime::alone(bytes, "a.pdf", "application/pdf").message.parts.remove(0);
    let limits = Limits::default();
    let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
    look_at_pdf(bytes, &part, &mut allowance)
}

fn stream(number: u32, dictionary: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("{number} 0 obj<<{dictionary}/Length {}>>stream\n", content.len());
    [head.as_bytes(), content, b"\nendstream endobj\n"].concat()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content).expect("write");
    packed.finish().expect("finish")
}

/// A file of one page with these objects besides: its font is 5, its contents are 4.
fn a_pdf(contents: &[u8], others: &[&[u8]]) -> Vec<u8> {
    let head = "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj \
        2 0 obj<</Type/Pages/Kids[3 0 R]/Resources<</Font<</F1 5 0 R>>/XObject<</X 8 0 R>>>>>>endobj \
        3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R/Annots[10 0 R]>>endobj\n";
    [head.as_bytes(), &stream(4, "/Filter/FlateDecode", &deflated(contents)), &others.concat()].concat()
}

fn text_of(contents: &str, others: &[&[u8]]) -> String {
    seen(&a_pdf(contents.as_bytes(), others)).text
}

const LATIN: &[u8] = b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>endobj ";

#[test]
fn strings_of_one_byte() {
    let contents = "BT /F1 12 Tf 72 700 Td (Your account) Tj 0 -14 Td (is \\(soon\\) clos\\351) Tj T* <656421> Tj ET";
    assert_eq!(text_of(contents, &[LATIN]), "Your account\nis (soon) clos\u{e9} ed!");
    let lines = "BT /F1 12 Tf 14 TL (one) ' 0 0 (two) \" T* (three) Tj 0 -2 TD (four) Tj ET";
    assert_eq!(text_of(lines, &[LATIN]), "one\ntwo\nthree four");
}

#[test]
fn words_end_where_letters_are_far_apart() {
    let split = "BT /F1 10 Tf [(Ver) 20 (if) -30 (y) -300 (you) 15 (r) -250 (details)] TJ ET";
    assert_eq!(text_of(split, &[LATIN]), "Verify your details");
    // Each letter is put where it belongs, as programs do that draw pages; the widths are told.
    let wide = b"5 0 obj<</Subtype/TrueType/FirstChar 97/LastChar 99/Widths[500 500 500]>>endobj ";
    let letters = "BT /F1 10 Tf 1 0 0 1 0 0 Tm (a) Tj 1 0 0 1 5 0 Tm (b) Tj 1 0 0 1 13 0 Tm (c) Tj ET";
    assert_eq!(text_of(letters, &[wide]), "ab c");
    let by_matrix = "q 10 0 0 10 0 0 cm BT /F1 1 Tf (a) Tj ET Q q 1 0 0 1 5 0 cm BT /F1 10 Tf (b) Tj ET Q \
        BT /F1 10 Tf 0 -12 Td (c) Tj ET";
    assert_eq!(text_of(by_matrix, &[wide]), "ab\nc");
}

#[test]
fn fonts_of_two_bytes_and_their_cmaps() {
    let font = b"5 0 obj<</Type/Font/Subtype/Type0/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts[7 0 R]>>endobj \
        7 0 obj<</Subtype/CIDFontType2/DW 600/W[1[500 500] 3 9 400]>>endobj ";
    let map = b"1 begincodespacerange<0000><ffff>endcodespacerange 1 beginbfchar<0001><00660069>endbfchar \
        2 beginbfrange<0002><0003><0061><0004><0005>[<043f><0440>]endbfrange";
    let map = stream(6, "/Filter/FlateDecode", &deflated(map));
    let contents = "BT /F1 10 Tf <000100020003> Tj [<0004>-400<0005>]TJ ET";
    assert_eq!(text_of(contents, &[font, &map]), "fiab\u{43f} \u{440}");
    let of_glyphs = b"5 0 obj<</Subtype/Type0/Encoding/Identity-H>>endobj ";
    assert_eq!(text_of("BT /F1 10 Tf <0024004500030046> Tj ET", &[of_glyphs]), "Ab c");
    let wide = b"5 0 obj<</Subtype/Type0/Encoding/UniGB-UCS2-H>>endobj ";
    assert_eq!(text_of("BT /F1 10 Tf <4f60597d> Tj ET", &[wide]), "\u{4f60}\u{597d}");
    let outside = b"5 0 obj<</Subtype/Type0/Encoding/GBK-EUC-H>>endobj ";
    assert_eq!(text_of("BT /F1 10 Tf <c4e3bac3> Tj ET", &[outside]), "\u{4f60}\u{597d}");
}

#[test]
fn names_of_glyphs() {
    let font = b"5 0 obj<</Subtype/Type1/Encoding<</Differences[1/fi/f_f 10/eacute/afii10085/a12/g99]>>>>endobj ";
    assert_eq!(text_of("BT /F1 10 Tf (\\001\\002\\012\\013x\\015) Tj ET", &[font]), "fiff\u{e9}\u{443}x");
}

#[test]
fn forms_and_what_annotations_show() {
    let form = stream(8, "/Subtype/Form", b"BT /F1 9 Tf (in a form) Tj ET /X Do");
    let annotation = b"10 0 obj<</Subtype/Widget/AP<</N 11 0 R>>>>endobj ";
    let shown = stream(11, "/Subtype/Form", b"BT (in a field) Tj ET");
    let contents = "BT /F1 9 Tf (a page) Tj ET /X Do BI /W 1 ID (no) text EI";
    assert_eq!(text_of(contents, &[LATIN, &form, annotation, &shown]), "a page\nin a field\nin a form");
}

#[test]
fn objects_in_streams_and_files_without_a_tree() {
    let objects = b"5 0 3 42 <</Subtype/Type1/BaseFont/Times-Roman>>   \
        <</Type/Page/Contents[4 0 R]/Resources<</Font<</F1 5 0 R>>>>>>";
    let packed = stream(9, "/Type/ObjStm/N 2/First 9/Filter/FlateDecode", &deflated(objects));
    let page = stream(4, "", b"BT /F1 9 Tf (as it is) Tj ET");
    assert_eq!(seen(&[b"%PDF-1.5\n".as_slice(), &packed, &page].concat()).text, "as it is");
    let turning = b"%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Kids[2 0 R 1 0 R]>>endobj";
    assert_eq!(seen(turning).text, "");
}

#[test]
fn what_is_encrypted_or_too_much_is_not_read() {
    let locked = [a_pdf(b"BT /F1 9 Tf (abc) Tj ET", &[LATIN]), b"trailer<</Encrypt 9 0 R>>".to_vec()].concat();
    assert_eq!(seen(&locked).text, "");
    let long = format!("BT /F1 9 Tf {} ET", "(word ) Tj ".repeat(TEXT_BYTES_MAX));
    let seen = seen(&a_pdf(long.as_bytes(), &[LATIN]));
    assert!(seen.signals.is_empty() && seen.text.len() <= TEXT_BYTES_MAX + 4, "{:?}", seen.signals);
}

proptest! {
    #[test]
    fn whatever_the_contents_the_text_is_bounded_and_the_same(
        contents in "(BT|ET|q|Q|/F1 |/X Do|1e9|-1|0|[0-9] | cm| Tm| Td| TD|T\\*| Tf| Tz|\\(a\\)|<0041>| Tj|\
            '|\"|\\[|\\] ?TJ| BI| ID|EI| |\n){0,80}",
        font in "(<<|>>|/Encoding|/Identity-H|/Subtype|/Type0|/Type3|/FontMatrix\\[0|/W|\
            /Widths|/FirstChar|/Differences|\\[|\\]|/a|9|6 0 R| ){0,40}",
    ) {
        let font = format!("5 0 obj<<{font}>>endobj ");
        let file = a_pdf(contents.as_bytes(), &[font.as_bytes(), &stream(8, "/Subtype/Form", contents.as_bytes())]);
        let first = seen(&file).text;
        prop_assert!(first.len() <= TEXT_BYTES_MAX + 4);
        prop_assert_eq!(first, seen(&file).text);
    }
}
