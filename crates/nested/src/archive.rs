//! Kinds of archives that nest or unpack to much.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Kind, attached, times};

/// More than all archives of one mail may unpack to.
const HUGE: usize = 224 << 20;

pub(crate) const KINDS: &[Kind] = &[
    Kind::limit("archives in archives", || {
        let mut inner = b"x".to_vec();
        for _ in 0..30 {
            inner = zipped(&[("a.zip", &inner)]);
        }
        attached("a.zip", "application/zip", &inner)
    }),
    Kind::limit("archives in archives, ten in each", || {
        let mut inner = b"x".to_vec();
        for _ in 0..5 {
            let ten: Vec<(String, Vec<u8>)> = (0..10).map(|number| (format!("{number}.zip"), inner.clone())).collect();
            let ten: Vec<(&str, &[u8])> = ten.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            inner = zipped(&ten);
        }
        attached("a.zip", "application/zip", &inner)
    }),
    Kind::limit("an archive of zeros", || attached("a.zip", "application/zip", &zipped(&[("zeros", &vec![0; HUGE])]))),
    Kind::limit("an archive of many files", || {
        let names: Vec<String> = (0..15_000).map(|number| format!("f{number}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        attached("a.zip", "application/zip", &zipped(&files))
    }),
    Kind::examined("an archive with names of sixty thousand letters", || {
        let names: Vec<String> = (0..40).map(|number| format!("{number}{}", times("n/", 30_000))).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        attached("a.zip", "application/zip", &zipped(&files))
    }),
    Kind::limit("compressed files in compressed files", || {
        let mut inner = b"x".to_vec();
        (0..30).for_each(|_| inner = gzipped(&inner));
        attached("a.gz", "application/gzip", &inner)
    }),
    Kind::limit("a compressed file of zeros", || attached("a.gz", "application/gzip", &gzipped(&vec![0; HUGE]))),
    Kind::examined("compressed files behind one another", || {
        attached("a.gz", "application/gzip", &gzipped(b"").repeat(50_000))
    }),
    Kind::limit("a file of zeros compressed by bzip2", || {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        // Memory takes whatever is written to it.
        let _ = encoder.write_all(&vec![0; HUGE / 4]);
        attached("a.bz2", "application/x-bzip2", &encoder.finish().unwrap_or_default())
    }),
    Kind::limit("tapes in tapes", || {
        let mut inner = b"x".to_vec();
        (0..30).for_each(|_| inner = taped(&[("a.tar", &inner)]));
        attached("a.tar", "application/x-tar", &inner)
    }),
    Kind::limit("a tape of many files", || {
        let names: Vec<String> = (0..12_000).map(|number| format!("f{number}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        attached("a.tar", "application/x-tar", &taped(&files))
    }),
    Kind::examined("elements in elements of a document", || {
        let xml = format!("<?xml version=\"1.0\"?><w:document>{}", times("<w:p>", 500_000));
        document(&[("word/document.xml", xml.as_bytes())])
    }),
    Kind::examined("relations of a document", || {
        let one = "<Relationship Id=\"a\" Type=\"x/attachedTemplate\" Target=\"http://x.example/a\" \
            TargetMode=\"External\"/>";
        let xml = format!("<Relationships>{}</Relationships>", times(one, 20_000));
        document(&[("word/_rels/document.xml.rels", xml.as_bytes())])
    }),
    Kind::limit("documents in documents", || {
        let mut inner = b"x".to_vec();
        for _ in 0..30 {
            inner = zipped(&[
                ("[Content_Types].xml", b"<Types/>"),
                ("word/document.xml", b"<w/>"),
                ("word/embeddings/a.docx", &inner),
            ]);
        }
        attached("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", &inner)
    }),
    Kind::examined("a disc whose folders hold themselves", || {
        let mut bytes = vec![0; 22 * 2048];
        let record = |name: &[u8]| {
            let mut record = vec![0; 33];
            record[2..6].copy_from_slice(&20_u32.to_le_bytes());
            record[10..14].copy_from_slice(&2048_u32.to_le_bytes());
            record[25] = 2;
            record[32] = u8::try_from(name.len()).unwrap_or(0);
            record.extend(name);
            record.resize(record.len() + record.len() % 2, 0);
            record[0] = u8::try_from(record.len()).unwrap_or(0);
            record
        };
        bytes[16 * 2048] = 1;
        bytes[16 * 2048 + 1..16 * 2048 + 6].copy_from_slice(b"CD001");
        bytes[16 * 2048 + 156..16 * 2048 + 190].copy_from_slice(&record(&[0]));
        bytes[17 * 2048] = 255;
        bytes[17 * 2048 + 1..17 * 2048 + 6].copy_from_slice(b"CD001");
        let folder = record(b"AGAIN").repeat(40);
        bytes[20 * 2048..20 * 2048 + folder.len()].copy_from_slice(&folder);
        attached("a.iso", "application/x-iso9660-image", &bytes)
    }),
    Kind::examined("headers of a RAR", || {
        let one =
            [0, 0, 0x74, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, b'x'];
        attached(
            "a.rar",
            "application/vnd.rar",
            &[&b"Rar!\x1a\x07\0\0\0\x73\0\0\x0d\0\0\0\0\0\0\0"[..], &one.repeat(30_000)].concat(),
        )
    }),
    Kind::examined("folders of a cabinet", || {
        let mut bytes =
            b"MSCF\0\0\0\0\xff\xff\xff\x7f\0\0\0\0\x2c\0\0\0\0\0\0\0\x03\x01\xff\xff\xff\xff\0\0\0\0\0\0".to_vec();
        bytes.resize(1 << 20, 0);
        attached("a.cab", "application/vnd.ms-cab-compressed", &bytes)
    }),
    Kind::examined("an archive of 7-Zip that says it is endless", || {
        let mut bytes = b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0".to_vec();
        bytes.extend([0; 8]);
        bytes.extend(u64::MAX.to_le_bytes());
        bytes.resize(1 << 16, 0xff);
        attached("a.7z", "application/x-7z-compressed", &bytes)
    }),
];

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        // Memory takes whatever is written to it.
        let _ = writer.start_file(*name, SimpleFileOptions::default()).map(|()| writer.write_all(bytes));
    }
    writer.finish().map(Cursor::into_inner).unwrap_or_default()
}

fn document(files: &[(&str, &[u8])]) -> Vec<u8> {
    let all: Vec<(&str, &[u8])> =
        [("[Content_Types].xml", &b"<Types/>"[..])].into_iter().chain(files.iter().copied()).collect();
    attached("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", &zipped(&all))
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn taped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        let _ = builder.append_data(&mut header, name, *bytes);
    }
    builder.into_inner().unwrap_or_default()
}
