//! Documents: macros that calculate, templates of the own house, forms, fields, and files that are protected against
//! changes alone.

use std::io::{Cursor, Write};

use super::Specimen;
use super::archive::zip_of;
use super::carrier::{jpeg, png};

const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const EXCEL: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const SLIDES: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const OLD_WORD: &str = "application/msword";
const RTF: &str = "application/rtf";
const PDF: &str = "application/pdf";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A text document with one text, and more parts.
fn word_with(text: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let body =
        format!("<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>");
    zip_of(&[&[("[Content_Types].xml", b"<Types/>".as_slice()), ("word/document.xml", body.as_bytes())], more].concat())
}

/// A workbook with more parts.
fn excel_with(more: &[(&str, &[u8])]) -> Vec<u8> {
    let book = b"<workbook><sheets><sheet name=\"Sales\" sheetId=\"1\"/></sheets></workbook>".as_slice();
    zip_of(&[&[("[Content_Types].xml", b"<Types/>".as_slice()), ("xl/workbook.xml", book)], more].concat())
}

/// Relations of a document to something elsewhere.
fn relation(kind: &str, target: &str) -> String {
    format!(
        "<Relationships><Relationship Id=\"rId1\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\" \
         TargetMode=\"External\"/></Relationships>"
    )
}

fn word_related(kind: &str, target: &str) -> Vec<u8> {
    let part = if kind == "attachedTemplate" { "word/_rels/settings.xml.rels" } else { "word/_rels/document.xml.rels" };
    word_with("See there.", &[(part, relation(kind, target).as_bytes())])
}

/// A document of old with one module of macros (MS-OVBA 2.4.1, in chunks that are not compressed).
fn with_macros(source: &str) -> Vec<u8> {
    let source = format!("Attribute VB_Name = \"ThisDocument\"\r\n{source}\r\n");
    let chunk: Vec<u8> = source.as_bytes().chunks(8).flat_map(|eight| [&[0][..], eight].concat()).collect();
    let header = 0xb000 | u16::try_from(chunk.len() - 1).expect("a specimen's module is short");
    compound(&[("/Macros/VBA", "/Macros/VBA/ThisDocument", &[&[1][..], &header.to_le_bytes(), &chunk].concat())])
}

/// A compound file: storages, streams, bytes.
fn compound(streams: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("memory takes a compound file");
    for (storage, stream, bytes) in streams {
        if !storage.is_empty() {
            file.create_storage_all(storage).expect("memory takes a storage");
        }
        let mut stream = file.create_stream(stream).expect("memory takes a stream");
        stream.write_all(bytes).expect("memory takes bytes");
    }
    file.into_inner().into_inner()
}

/// A PDF with one object, or several.
fn pdf(inside: &str) -> Vec<u8> {
    format!(
        "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n{inside}\n\
         trailer<</Root 1 0 R>>\n%%EOF\n"
    )
    .into_bytes()
}

/// An RTF with something in it.
fn rtf(inside: &str) -> Vec<u8> {
    format!("{{\\rtf1\\ansi\\deff0{{\\fonttbl{{\\f0 Arial;}}}}{inside}\\par}}").into_bytes()
}

/// An embedded object (MS-OLEDS 2.2.5) of a class, in hexadecimal.
fn object(class: &str, content: &[u8]) -> String {
    let long = |length: usize| u32::try_from(length).expect("a specimen's object is short").to_le_bytes();
    let head = [&[1, 5, 0, 0, 2, 0, 0, 0][..], &long(class.len() + 1), class.as_bytes(), &[0; 9]].concat();
    let digits: String = [head, long(content.len()).to_vec(), content.to_vec()]
        .concat()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{{\\object\\objemb{{\\*\\objclass {class}}}{{\\*\\objdata {digits}}}}}")
}

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [
        macros(),
        without_macros(),
        templates(),
        fields(),
        pictures(),
        protected(),
        pdf_actions(),
        pdf_scripts(),
        objects(),
    ]
    .concat()
}

fn macros() -> Vec<Specimen> {
    let acts = |name, file, source: &str| Specimen::innocent(&["OFF-0001"], name, file, OLD_WORD, with_macros(source));
    let starts =
        |name, file, source: &str| Specimen::innocent(&["OFF-0002"], name, file, OLD_WORD, with_macros(source));
    vec![
        acts(
            "a template whose macro sets a font when it is opened",
            "template.doc",
            "Sub Document_Open()\r\nSelection.Font.Name = \"Arial\"\r\nActiveDocument.Fields.Update\r\nEnd Sub",
        ),
        acts(
            "a macro whose comment speaks of the shell",
            "commented.doc",
            "Sub AutoOpen()\r\n' no Shell and no powershell here\r\nRem Shell was used until 2019\r\n\
             ActiveWindow.View.Zoom = 100\r\nEnd Sub",
        ),
        acts(
            "a workbook that calculates when it is opened",
            "calculation.xls",
            "Sub Workbook_Open()\r\nRange(\"B9\").Value = WorksheetFunction.Sum(Range(\"B1:B8\"))\r\nEnd Sub",
        ),
        acts(
            "a template that greets with the price of fuel",
            "fuel.doc",
            "Sub Document_Open()\r\nMsgBox \"Prices at Shell and Aral are of Monday\"\r\nEnd Sub",
        ),
        acts(
            "a macro that writes a mail when a button is pressed",
            "button.doc",
            "Sub SendReport_Click()\r\nCreateObject(\"Outlook.Application\").CreateItem(0).Display\r\nEnd Sub",
        ),
        acts(
            "a macro with a function for nutshells",
            "garden.doc",
            "Sub AutoOpen()\r\nActiveDocument.Bookmarks(\"n\").Range.Text = NutShell(12)\r\nEnd Sub\r\n\
             Function NutShell(n)\r\nNutShell = n & \" shells\"\r\nEnd Function",
        ),
        starts("a function of a workbook", "vat.xls", "Function Gross(net)\r\nGross = net * 1.19\r\nEnd Function"),
        starts("a button that sorts a table", "sorted.xls", "Sub Sort_Click()\r\nRange(\"A1\").Sort\r\nEnd Sub"),
        starts(
            "a macro that speaks of Auto_Open",
            "old.xls",
            "Sub Notes()\r\n' was called Sub Auto_Open() once\r\nBeep\r\nEnd Sub",
        ),
        starts("a procedure that was put out of use", "unused.xls", "Sub Workbook_Open_Old()\r\nBeep\r\nEnd Sub"),
        starts(
            "a sheet that colours what is typed",
            "coloured.xls",
            "Sub Worksheet_Change(ByVal Target As Range)\r\nTarget.Interior.Color = vbYellow\r\nEnd Sub",
        ),
    ]
}

fn without_macros() -> Vec<Specimen> {
    let is = |name, file, declared, bytes| Specimen::innocent(&["OFF-0003"], name, file, declared, bytes);
    let old = compound(&[("", "/WordDocument", &[0; 600]), ("", "/1Table", b"table")]);
    let open = zip_of(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"<office:document-content><text:p>Hello</text:p></office:document-content>"),
    ]);
    vec![
        is("a letter", "letter-1.docx", WORD, word_with("Dear Bert, thank you for your order.", &[])),
        is("a letter about macros", "course.docx", WORD, word_with("Sub AutoOpen() MsgBox 1 End Sub", &[])),
        is(
            "a workbook of figures",
            "figures.xlsx",
            EXCEL,
            excel_with(&[("xl/worksheets/sheet1.xml", b"<worksheet/>")]),
        ),
        is("a letter of an old Word", "letter-2.doc", OLD_WORD, old),
        is("a template for macros that has none", "empty.docm", WORD, word_with("Dear", &[])),
        is("a letter of LibreOffice", "letter-3.odt", "application/vnd.oasis.opendocument.text", open),
    ]
}

fn templates() -> Vec<Specimen> {
    let remote = |name, file, bytes| Specimen::innocent(&["OFF-0004"], name, file, WORD, bytes);
    let linked = |name, file, bytes| Specimen::innocent(&["OFF-0004", "OFF-0005"], name, file, WORD, bytes);
    let book = relation("externalLinkPath", "file:///\\\\fs01\\finance\\rates.xlsx");
    vec![
        remote(
            "a letter on a template of the intranet",
            "letter-4.docx",
            word_related("attachedTemplate", "https://intranet.example.com/templates/letter.dotx"),
        ),
        remote(
            "a letter on a template of a server of ours",
            "letter-5.docx",
            word_related("attachedTemplate", "file:///\\\\server\\templates\\letter.dotx"),
        ),
        remote(
            "a letter on a template of its writer's computer",
            "letter-6.docx",
            word_related("attachedTemplate", "file:///C:\\Users\\anna\\Templates\\letter.dotm"),
        ),
        Specimen::innocent(
            &["OFF-0004", "OFF-0005"],
            "a workbook that is linked with one of a server",
            "rates.xlsx",
            EXCEL,
            excel_with(&[("xl/externalLinks/_rels/externalLink1.xml.rels", book.as_bytes())]),
        ),
        remote(
            "a letter with a part of a workbook of the same site",
            "letter-7.docx",
            word_related("oleObject", "https://partner.sharepoint.com/sites/a/Plan.xlsx!Sheet1!R1C1:R5C3"),
        ),
        linked("a letter with a link", "links-1.docx", word_related("hyperlink", "https://www.example.com/")),
        linked("a letter with an address", "links-2.docx", word_related("hyperlink", "mailto:bert@example.com")),
        linked(
            "a letter with a picture from the web",
            "links-3.docx",
            word_related("image", "https://www.example.com/logo.png"),
        ),
        Specimen::innocent(
            &["OFF-0005"],
            "a letter of RTF with a link",
            "links.rtf",
            RTF,
            rtf("{\\field{\\*\\fldinst HYPERLINK \"https://www.example.com/\"}{\\fldrslt here}}"),
        ),
        Specimen::innocent(
            &["OFF-0004", "OFF-0005"],
            "a letter of RTF on a template of its writer's computer",
            "template.rtf",
            RTF,
            rtf("{\\*\\template C:\\\\Users\\\\anna\\\\Normal.dotm}Dear Bert"),
        ),
    ]
}

fn fields() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::innocent(&["OFF-0006"], name, file, WORD, bytes);
    let field = |instruction: &str| {
        word_with(
            "Page",
            &[(
                "word/footer1.xml",
                format!("<w:ftr xmlns:w=\"w\"><w:fldSimple w:instr=\" {instruction} \"/></w:ftr>").as_bytes(),
            )],
        )
    };
    vec![
        is("a letter with the number of its page", "pages.docx", field("PAGE \\* MERGEFORMAT")),
        is("a letter with its date", "dated.docx", field("DATE \\@ dd.MM.yyyy")),
        is("a letter about DDE", "history.docx", word_with("DDEAUTO and DDE are fields of Word for Windows 2.", &[])),
    ]
}

fn pictures() -> Vec<Specimen> {
    let is = |name, file, declared, bytes| Specimen::innocent(&["OFF-0007"], name, file, declared, bytes);
    let slides = zip_of(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("ppt/presentation.xml", b"<p:presentation/>"),
        ("ppt/media/image1.jpeg", &jpeg()),
    ]);
    let open = zip_of(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"<office:document-content/>"),
        ("Pictures/1.png", &png()),
    ]);
    vec![
        is("a letter with a photo", "photo.docx", WORD, word_with("The tower", &[("word/media/image1.jpeg", &jpeg())])),
        is("slides with a photo", "slides.pptx", SLIDES, slides),
        is("a workbook with a chart", "chart.xlsx", EXCEL, excel_with(&[("xl/charts/chart1.xml", b"<c:chartSpace/>")])),
        is("a letter of LibreOffice with a picture", "photo.odt", "application/vnd.oasis.opendocument.text", open),
        is(
            "a letter with notes and comments",
            "notes.docx",
            WORD,
            word_with("See below", &[("word/comments.xml", b"<w:comments xmlns:w=\"w\"/>")]),
        ),
    ]
}

/// Protected against changes, which is no lock.
fn protected() -> Vec<Specimen> {
    let is = |name, file, declared, bytes| Specimen::innocent(&["UNS-0003"], name, file, declared, bytes);
    let settings = b"<w:settings xmlns:w=\"w\"><w:documentProtection w:edit=\"forms\" w:enforcement=\"1\" \
        w:cryptAlgorithmSid=\"14\" w:hash=\"bm90aGluZw==\"/></w:settings>";
    let sheet =
        b"<worksheet><sheetProtection sheet=\"1\" algorithmName=\"SHA-512\" hashValue=\"bm90aGluZw==\"/></worksheet>";
    let slides = zip_of(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("ppt/presentation.xml", b"<p:presentation><p:modifyVerifier hashData=\"bm90aGluZw==\"/></p:presentation>"),
    ]);
    let open = zip_of(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"<office:document-content><text:section text:protected=\"true\"/></office:document-content>"),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
    ]);
    vec![
        is(
            "a form that may only be filled in",
            "form.docx",
            WORD,
            word_with("Name:", &[("word/settings.xml", settings)]),
        ),
        is("a sheet that may not be changed", "locked.xlsx", EXCEL, excel_with(&[("xl/worksheets/sheet1.xml", sheet)])),
        is("slides with a password for changes", "final.pptx", SLIDES, slides),
        is(
            "a letter with a section that may not be changed",
            "section.odt",
            "application/vnd.oasis.opendocument.text",
            open,
        ),
        is("a PDF about encryption", "encryption.pdf", PDF, pdf("3 0 obj<</Title(How /Encrypted mail works)>>endobj")),
        is(
            "a certified PDF",
            "certified.pdf",
            PDF,
            pdf("3 0 obj<</Type/Sig/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]>>endobj"),
        ),
    ]
}

fn pdf_actions() -> Vec<Specimen> {
    let script = |name, file, inside: &str| Specimen::innocent(&["PDF-0001"], name, file, PDF, pdf(inside));
    let launch = |name, file, inside: &str| Specimen::innocent(&["PDF-0002"], name, file, PDF, pdf(inside));
    vec![
        script("a PDF with a link", "link.pdf", "3 0 obj<</A<</S/URI/URI(https://www.example.com/)>>>>endobj"),
        script("a PDF with bookmarks", "book.pdf", "3 0 obj<</Title(Chapter 1)/A<</S/GoTo/D[2 0 R/Fit]>>>>endobj"),
        script("a PDF about JavaScript", "course.pdf", "3 0 obj<</Title(JavaScript for beginners)>>endobj"),
        script(
            "a form without a script",
            "plain-form.pdf",
            "3 0 obj<</AcroForm<</Fields[4 0 R]>>>>endobj\n4 0 obj<</FT/Tx/T(name)/V()>>endobj",
        ),
        script("slides with a button for the next page", "slides.pdf", "3 0 obj<</A<</S/Named/N/NextPage>>>>endobj"),
        launch("a PDF that opens another PDF", "contents.pdf", "3 0 obj<</A<</S/Launch/F(chapter1.pdf)>>>>endobj"),
        launch("a PDF that opens a workbook beside it", "annex.pdf", "3 0 obj<</A<</S/Launch/F(annex.xlsx)>>>>endobj"),
        launch(
            "a PDF that leads into another PDF",
            "index.pdf",
            "3 0 obj<</A<</S/GoToR/F(volume2.pdf)/D[0/Fit]>>>>endobj",
        ),
        launch(
            "a handbook that opens its chapter on the list of systems",
            "handbook.pdf",
            "3 0 obj<</A<</S/Launch/F(CMDB overview.pdf)>>>>endobj",
        ),
        launch(
            "a PDF with a link to where a program is",
            "manual.pdf",
            "3 0 obj<</A<</S/URI/URI(https://www.example.com/download/setup.exe)>>>>endobj",
        ),
        launch(
            "a PDF that speaks of launching",
            "space.pdf",
            "3 0 obj<</Title(Launch of the rocket, cmd.exe of 1990)>>endobj",
        ),
    ]
}

fn pdf_scripts() -> Vec<Specimen> {
    let is = |like, name, file, inside: &str| Specimen::innocent(like, name, file, PDF, pdf(inside));
    const BOTH: &[&str] = &["PDF-0003", "PDF-0004"];
    let script = |when: &str, text: &str| format!("3 0 obj<</{when}<</S/JavaScript/JS({text})>>>>endobj");
    let event = |event: &str, text: &str| format!("3 0 obj<</AA<</{event}<</S/JavaScript/JS({text})>>>>>>endobj");
    vec![
        is(
            BOTH,
            "a form that calculates its sum",
            "order.pdf",
            &event("C", "AFSimple_Calculate\\(\"SUM\", \"a,b\"\\);"),
        ),
        is(
            BOTH,
            "a form that formats a number",
            "amount.pdf",
            &event("F", "AFNumber_Format\\(2, 0, 0, 0, \"\", true\\);"),
        ),
        is(BOTH, "a ticket that asks to be printed", "ticket.pdf", &script("OpenAction", "this.print\\(true\\);")),
        is(
            BOTH,
            "slides that turn by themselves",
            "show.pdf",
            &script("OpenAction", "app.setInterval\\(\"this.pageNum++\", 5000\\);"),
        ),
        is(
            BOTH,
            "a form that writes the date when it is opened",
            "dated.pdf",
            &script("OpenAction", "this.getField\\(\"d\"\\).value = util.printd\\(\"yyyy\", new Date\\(\\)\\);"),
        ),
        is(
            &["PDF-0004"],
            "a form with a button that sends it",
            "application.pdf",
            "3 0 obj<</A<</S/SubmitForm/F(https://www.example.com/form)>>>>endobj",
        ),
        is(
            &["PDF-0004"],
            "a PDF that opens at its second page",
            "second.pdf",
            "3 0 obj<</OpenAction[2 0 R/Fit]>>endobj",
        ),
        is(
            &["PDF-0003"],
            "a PDF about how exploits look",
            "lecture.pdf",
            "3 0 obj<</Title(unescape and %u9090, a lecture)>>endobj",
        ),
    ]
}

fn objects() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::innocent(&["RTF-0001"], name, file, RTF, bytes);
    let formula = compound(&[("", "/Equation Native", b"\x1c\0\0\0\x02\0\xd2\xc4 formula")]);
    vec![
        is("a letter of RTF", "letter.rtf", rtf("Dear Bert, \\b thank you\\b0.")),
        is(
            "a letter of RTF about the equation editor",
            "editor.rtf",
            rtf("Objects of Equation.3 are no longer opened."),
        ),
        is("a letter of RTF with a picture", "picture.rtf", rtf("{\\pict\\pngblip 89504e470d0a1a0a}")),
        is("a letter of RTF with a table inside", "table.rtf", rtf(&object("Excel.Sheet.8", b"figures"))),
        is("a letter of RTF with a formula of MathType", "formula.rtf", rtf(&object("Equation.DSMT4", &formula))),
        Specimen::innocent(
            &["RTF-0001"],
            "a letter with a formula",
            "formula.docx",
            WORD,
            word_with("Mass", &[("word/glossary/document.xml", b"<m:oMath><m:r><m:t>E=mc2</m:t></m:r></m:oMath>")]),
        ),
    ]
}
