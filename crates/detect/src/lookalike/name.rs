//! Files whose names or types look like those that run, and which are what they show.

use super::Specimen;
use super::archive::zip_of;
use super::carrier::{gif, jpeg, png, zip};

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
const OCTETS: &str = "application/octet-stream";

/// Innocent, every one.
pub(super) fn innocent() -> Vec<Specimen> {
    [programs(), that_run(), disguised(), double(), listed(), declared()].concat()
}

fn programs() -> Vec<Specimen> {
    let is = |name, file, bytes| Specimen::innocent(&["EXE-0001"], name, file, OCTETS, bytes);
    vec![
        is("a picture that is called a program", "picture.exe", png()),
        is("a database of records", "records.dat", [&[0xca, 0xfe, 0, 1][..], &[7; 200]].concat()),
        is("records of Mozambique, by its letters", "rates.dat", b"MZ\x01\0\x07\x12\xe7\x07MOZ\0".repeat(12)),
        is("measurements that begin with the letters MZ", "scan.raw", measurements()),
        is("a key of a disc that begins with the letters MZ", "volume.key", key()),
    ]
}

/// Numbers of four bytes behind a head, as instruments write them: mass (m/z) and intensity.
fn measurements() -> Vec<u8> {
    let head = b"MZ\0\0\x02\0\0\0\0\x01\0\0".to_vec();
    let pairs = (0..40_u16).flat_map(|at| [100.0 + f32::from(at) / 8.0, f32::from(at * at % 17)]);
    head.into_iter().chain(pairs.flat_map(f32::to_le_bytes)).collect()
}

/// Bytes without any order.
fn key() -> Vec<u8> {
    let noise = (0..254_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1]);
    b"MZ".iter().copied().chain(noise).collect()
}

fn that_run() -> Vec<Specimen> {
    let is =
        |name, file, declared, bytes: &[u8]| Specimen::innocent(&["EXE-0002"], name, file, declared, bytes.to_vec());
    vec![
        is("a note that is called as a host", "www.example.com", "text/plain", b"visited on Monday\n"),
        is("an invoice that ends as the shop is called", "Invoice shop.example.com", "application/pdf", PDF),
        is("a cursor that moves, as a picture", "busy.ani", "image/gif", &gif()),
        is("a link to a page", "Intranet.url", "text/plain", b"[InternetShortcut]\r\nURL=https://www.example.com/\r\n"),
        is("settings in JSON", "settings.json", "application/json", b"{\"script\": \"start.js\"}\n"),
        is("a note on a batch", "start.bat.txt", "text/plain", b"@echo off is the first line of most batches.\n"),
        is("a source of Rust", "main.rs", "text/plain", b"fn main() { println!(\"hello\"); }\n"),
    ]
}

fn disguised() -> Vec<Specimen> {
    let is = |name, file, declared, bytes: Vec<u8>| Specimen::innocent(&["EXE-0003"], name, file, declared, bytes);
    let document = zip_of(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w:document xmlns:w=\"w\"><w:body/></w:document>"),
    ]);
    vec![
        is("a document as nameless bytes", "letter.docx", OCTETS, document),
        is("a PDF as nameless bytes", "offer.pdf", OCTETS, PDF.to_vec()),
        is("a drawing of a printer", "poster.ps", "application/postscript", b"%!PS-Adobe-3.0\nshowpage\n".to_vec()),
        is("a picture that is called a document", "scan.pdf", "application/pdf", jpeg()),
        is("a PDF that is called a text", "form.doc", "application/msword", PDF.to_vec()),
        is("a picture without a name", "", "image/png", png()),
    ]
}

fn double() -> Vec<Specimen> {
    let is =
        |name, file, declared, bytes: &[u8]| Specimen::innocent(&["EXE-0004"], name, file, declared, bytes.to_vec());
    let packed = zip("backup.pdf", PDF);
    vec![
        is("a report with its version in its name", "report.v1.2.pdf", "application/pdf", PDF),
        is("a packed PDF", "backup.pdf.zip", "application/zip", &packed),
        is("minutes with their date", "2026.11.23.minutes.txt", "text/plain", b"present: Anna, Bert\n"),
        is("a photo's description", "photo.jpg.txt", "text/plain", b"The tower at noon\n"),
        is("a document that was printed into a PDF", "letter.docx.pdf", "application/pdf", PDF),
        is(
            "a signed PDF's signature",
            "contract.pdf.asc",
            "application/pgp-signature",
            b"-----BEGIN PGP SIGNATURE-----\n\niQEzBAEB\n=abcd\n-----END PGP SIGNATURE-----\n",
        ),
    ]
}

fn listed() -> Vec<Specimen> {
    let is = |name, file, declared, text: &str| {
        Specimen::innocent(&["EXE-0006"], name, file, declared, text.as_bytes().to_vec())
    };
    vec![
        is("a list of what a program needs", "requirements.txt", "text/plain", "requests==2.32\nnumpy==2.1\n"),
        is("a text on sources", "python.md", "text/markdown", "# Files that end in .py\n\nThey are texts.\n"),
        is("a card", "anna.vcf", "text/vcard", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Anna\r\nEND:VCARD\r\n"),
        is("a table of certificates", "certificates.csv", "text/csv", "name;until\nwww.crt;2027-01-01\n"),
        is("settings of a service", "service.yaml", "application/yaml", "database: orders.mdb\nport: 5432\n"),
        is("a table of a database", "orders.mdb.csv", "text/csv", "number;sum\n1;10\n"),
    ]
}

/// What is declared in another way than usual, and not wrongly.
fn declared() -> Vec<Specimen> {
    let is = |name, file, declared, bytes: Vec<u8>| Specimen::innocent(&["TYP-0001"], name, file, declared, bytes);
    vec![
        is("a JPEG as image/jpg", "photo-1.jpg", "image/jpg", jpeg()),
        is("a JPEG as image/pjpeg", "photo-2.jpg", "image/pjpeg", jpeg()),
        is("a PDF without a type", "brochure.pdf", OCTETS, PDF.to_vec()),
        is("a table as a workbook", "table.csv", "application/vnd.ms-excel", b"a;b\n1;2\n".to_vec()),
        is("a PDF by its old type", "old.pdf", "application/x-pdf", PDF.to_vec()),
        is("a text as a kind of nobody's", "data.abc", "application/x-abc", b"X:1\nT:A tune\nK:D\n".to_vec()),
    ]
}
